//! What dagdad tells its service manager (`sd_notify(3)`). Without one nobody listens, and
//! nothing is sent.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::engine::heartbeat::Heartbeat;
use crate::engine::step::PODS_ARE_LEFT;

/// So many beats come within the time after which systemd would restart dagdad: one may be
/// lost, and one late.
const BEATS: u32 = 3;
/// How long a service manager that does not read is waited for with what it should not miss. It
/// must not keep dagdad from ending in time.
const PATIENCE: Duration = Duration::from_millis(200);

/// Tells that the socket accepts, or that the configuration was read again.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells that the configuration is being read again; [`ready`] follows. systemd wants the time,
/// to tell one reload from the next (`Type=notify-reload`).
pub fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now().ok());
    tell(&states);
}

/// Tells that dagdad is on its way down.
pub fn stopping() {
    let status = format!("stopping; {PODS_ARE_LEFT}");
    tell(&[NotifyState::Stopping, NotifyState::Status(&status)]);
}

/// Tells why dagdad ends of itself. `systemctl status` shows it for as long as the unit is failed,
/// where the journal's lines of the last start may say no more than that there was none.
pub fn failed(reason: &str) {
    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    status(&format!("failed: {line}"));
}

/// The line that `systemctl status` shows. Waits for nobody.
pub fn status(line: &str) {
    try_to_tell(&NotifyState::Status(line));
}

/// What keeps systemd's watchdog quiet; `None` where there is none (`WatchdogSec=`), and then
/// nobody is woken for it.
#[must_use]
pub fn heartbeat() -> Option<Heartbeat> {
    let timeout = sd_notify::watchdog_enabled().filter(|timeout| !timeout.is_zero())?;
    let beat = || try_to_tell(&NotifyState::Watchdog);
    Some(Heartbeat::new(timeout / BEATS, beat))
}

fn tell(states: &[NotifyState<'_>]) {
    let lines: Vec<String> = states.iter().map(NotifyState::to_string).collect();
    let message = lines.join("\n");
    let told = send(&message, |socket| socket.set_write_timeout(Some(PATIENCE)));
    if let Err(error) = told {
        tracing::warn!(dagda_error = %error, "the service manager could not be told");
    }
}

/// Tells what may be lost, since it is told again or soon out of date.
fn try_to_tell(state: &NotifyState<'_>) {
    // A service manager that hangs must not hang the engine.
    let message = format!("{state}\n");
    match send(&message, |socket| socket.set_nonblocking(true)) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            tracing::debug!("the service manager is busy and was not told {state}");
        }
        Err(error) => {
            tracing::warn!(dagda_error = %error, "the service manager could not be told");
        }
    }
}

fn send(message: &str, limit: impl FnOnce(&UnixDatagram) -> io::Result<()>) -> io::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let socket = UnixDatagram::unbound()?;
    limit(&socket)?;
    socket.send_to(message.as_bytes(), path).map(|_| ())
}
