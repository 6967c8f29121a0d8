//! What dagdad tells its service manager (`sd_notify(3)`), and what it takes from it.

use sd_notify::NotifyState;

/// Tells that the socket accepts. Without a service manager nobody listens.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
}

/// Tells that dagdad is on its way down.
pub fn stopping() {
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping; pods are left as they are"),
    ]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
