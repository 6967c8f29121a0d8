//! Reads the configuration again while dagdad runs (SIGHUP, `systemctl reload dagdad`).
//!
//! What is good is in force at once, as far as that goes without a restart; what changed and
//! what waits for a restart is said in the journal and in an event. What is not good changes
//! nothing. To have another setting taken up at once, give its part a place in [`Live`], tell it
//! in [`Live::take_up`], and say so in `config/difference.rs`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::config::{Config, Difference, Holds, Load};
use crate::engine::event::Event;
use crate::engine::handle::Handle;
use crate::notify::Way;
use crate::status_line::{Remark, status_line, with_remark};
use crate::{configured, systemd};

/// How long the status says that the configuration is not good.
const REMARK: Duration = Duration::from_mins(10);
/// How long the engine may take to go by another configuration.
const TAKEN_UP: Duration = Duration::from_secs(5);

/// When the configuration is to be read again, and how.
pub struct Reloads {
    /// Each message asks for it. Those that come meanwhile are one.
    pub asked: mpsc::Receiver<()>,
    /// How. May wait for the disk.
    pub load: Load,
}

/// The parts that go by another configuration without a restart.
pub(crate) struct Live {
    pub(crate) engine: Handle,
    /// How people are told of alerts.
    pub(crate) ways: mpsc::Sender<Vec<Way>>,
    pub(crate) sample_interval: watch::Sender<Duration>,
    /// What stands before the status.
    pub(crate) remarks: watch::Sender<Option<Remark>>,
}

impl Live {
    /// Has all parts go by `config`.
    async fn take_up(&self, config: &Config, message: String) {
        self.sample_interval.send_replace(config.sample_interval);
        let ways = configured::ways(config.notifications.clone());
        // Whoever tells people being gone means that dagdad ends; the same for the engine.
        let _ = self.ways.send(ways).await;
        let mut snapshots = self.engine.snapshots();
        let before = snapshots.borrow_and_update().reloads;
        let settings = Box::new(configured::settings(config));
        let event = Event::Reconfigured { settings, message };
        self.engine.tell(event).await;
        let taken_up = snapshots.wait_for(|snapshot| snapshot.reloads != before);
        if tokio::time::timeout(TAKEN_UP, taken_up).await.is_err() {
            tracing::warn!("the engine is busy; it goes by the new configuration a little later");
        }
    }
}

/// Reads the configuration again whenever that is asked for, and keeps the one in force in
/// `in_force`.
pub(crate) async fn reload_for_ever(
    in_force: watch::Sender<Arc<Config>>,
    mut reloads: Reloads,
    parts: Live,
) {
    while let Some(()) = reloads.asked.recv().await {
        systemd::reloading();
        let load = Arc::clone(&reloads.load);
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let reason = match loaded {
            Ok(Ok(new)) => {
                let before = Arc::clone(&in_force.borrow());
                let message = message(&before.differences(&new));
                let config = Arc::new(before.taking_over(&new));
                parts.take_up(&config, message).await;
                in_force.send_replace(config);
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            // It was reported where it happened.
            Err(_) => Some("dagdad failed in reading it, its log says how".to_owned()),
        };
        let remark = match reason {
            None => None,
            Some(reason) => {
                let text = format!("configuration not reloaded: {reason}");
                parts.engine.tell(Event::NotReconfigured { reason }).await;
                let until = Instant::now() + REMARK;
                Some(Remark { text, until })
            }
        };
        let line = status_line(&parts.engine.snapshot());
        systemd::ready(&with_remark(line, remark.as_ref(), Instant::now()));
        parts.remarks.send_replace(remark);
    }
}

/// What changed, in one line.
fn message(differences: &[Difference]) -> String {
    let those = |holds: Holds| {
        let those = differences.iter().filter(|it| it.holds == holds);
        let those: Vec<String> = those.map(ToString::to_string).collect();
        (!those.is_empty()).then(|| those.join(", "))
    };
    let at_once = those(Holds::AtOnce);
    let at_once = at_once.unwrap_or_else(|| "nothing changed".to_owned());
    match those(Holds::AfterRestart) {
        None => format!("the configuration was read again: {at_once}"),
        Some(later) => {
            format!("the configuration was read again: {at_once}; after a restart: {later}")
        }
    }
}
