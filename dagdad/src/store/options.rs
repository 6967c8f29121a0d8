//! What the store needs to know, and what it takes for granted where nothing is said.

use std::path::PathBuf;
use std::time::Duration;

use super::mariadb::MariaDbOptions;

/// What the store needs to know.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where the database file is; created, for its owner alone, where it is missing.
    pub state_dir: PathBuf,
    /// How long the host's history is kept.
    pub retention: Duration,
    /// How long events are kept, and what has ended: runs, alerts, silences.
    pub event_retention: Duration,
    /// How long it is kept who asked for what.
    pub audit_retention: Duration,
    /// The system of record, where there is one besides the local database.
    pub mariadb: Option<MariaDbOptions>,
}

impl StoreOptions {
    /// Kept by default: history for 7 days, events for 30, the audit for 90; no MariaDB.
    #[must_use]
    pub const fn new(state_dir: PathBuf) -> Self {
        Self {
            state_dir,
            retention: Duration::from_hours(7 * 24),
            event_retention: Duration::from_hours(30 * 24),
            audit_retention: Duration::from_hours(90 * 24),
            mariadb: None,
        }
    }
}
