//! The line that `systemctl status dagdad` shows, as it changes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::alert::AlertState;
use crate::domain::economy::Taking;
use crate::domain::state::PodStatus;
use crate::engine::snapshot::Snapshot;
use crate::engine::state::RuntimeLink;

/// Lines are no closer together than this.
const APART: Duration = Duration::from_secs(1);

/// `5/8 pods running · RAM 61 % · economy off · 0 alerts`. Economy is `on` while it is active,
/// alerts are those that nobody has taken note of; both as `dagdactl status` counts them.
#[must_use]
pub fn status_line(snapshot: &Snapshot) -> String {
    let total = snapshot.pods.len();
    let running = |status| status == PodStatus::Running;
    let running = snapshot.pods.iter().filter(|pod| running(pod.status));
    let mut parts = vec![format!(
        "{}/{} running",
        running.count(),
        count(total, "pod")
    )];
    if let Some(host) = &snapshot.host {
        parts.push(format!("RAM {:.0} %", host.memory.used_percent()));
    }
    let economy = &snapshot.economy;
    parts.push(match economy.active {
        None => "economy off".to_owned(),
        Some(_) => {
            let shed = |taking| matches!(taking, Taking::Shed { .. });
            let taken = economy.taken.iter();
            match taken.filter(|view| shed(view.taken.taking)).count() {
                0 => "economy on".to_owned(),
                pods => format!("economy on, {} shed", count(pods, "pod")),
            }
        }
    });
    let firing = |state| state == AlertState::Firing;
    let alerts = snapshot.alerts.iter().filter(|alert| firing(alert.state()));
    parts.push(count(alerts.count(), "alert"));
    if let RuntimeLink::Down { .. } = snapshot.runtime {
        parts.push("Podman does not answer".to_owned());
    }
    parts.join(" · ")
}

fn count(number: usize, of: &str) -> String {
    match number {
        1 => format!("1 {of}"),
        number => format!("{number} {of}s"),
    }
}

/// What stands before the status for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What, in one line.
    pub text: String,
    /// Until when.
    pub until: Instant,
}

/// The line with a remark that still holds before it.
#[must_use]
pub fn with_remark(line: String, remark: Option<&Remark>, now: Instant) -> String {
    match remark.filter(|remark| now < remark.until) {
        Some(remark) => format!("{} · {line}", remark.text),
        None => line,
    }
}

/// Tells the line whenever it is another one than before, beginning with `told`; no more often
/// than once a second, and nothing is done while nothing changes. Ends with the engine.
pub async fn follow(
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    mut remarks: watch::Receiver<Option<Remark>>,
    mut told: String,
    tell: impl Fn(&str),
) {
    loop {
        let remark = remarks.borrow_and_update().clone();
        let line = status_line(&snapshots.borrow_and_update());
        let line = with_remark(line, remark.as_ref(), Instant::now());
        if line != told {
            tell(&line);
            told = line;
            tokio::time::sleep(APART).await;
        }
        let until = remark.map(|remark| remark.until);
        let until = until.filter(|until| Instant::now() < *until);
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { return },
            Ok(()) = remarks.changed() => {}
            () = over => {}
        }
    }
}

#[cfg(test)]
mod tests;
