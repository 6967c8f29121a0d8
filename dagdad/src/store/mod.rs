//! Where records live: SQLite, always; MariaDB behind an outbox, where it is configured.
//!
//! SQLite (`STATE_DIR/dagda.db`) is the working store: every [`Store`] call is answered by it
//! alone. MariaDB is the system of record: each row reaches it through the outbox, in order,
//! exactly as it is in SQLite, however often either side dies. Nothing ever waits for it.
//!
//! | table | SQLite | MariaDB | written by |
//! | --- | --- | --- | --- |
//! | `pods` | yes | mirrored | [`Record::PutPod`], [`Record::DeletePod`] |
//! | `workflows` | yes | mirrored | [`Record::PutWorkflow`], [`Record::DeleteWorkflow`] |
//! | `workflow_runs` | yes | mirrored | [`Record::PutRun`], pruned by [`Store::tidy`] |
//! | `pod_runs` | yes | mirrored | [`Record::PutPodRun`], pruned by [`Store::tidy`] |
//! | `events` | yes | mirrored | [`Record::Event`], pruned by [`Store::tidy`] |
//! | `audit` | yes | mirrored | [`Record::PutAudit`], [`Record::CloseIntent`], pruned by [`Store::tidy`] |
//! | `system_resources` | yes | mirrored | [`Record::Sample`], thinned by [`Store::tidy`] |
//! | `resource_alerts` | yes | mirrored | [`Record::PutAlert`], pruned by [`Store::tidy`] |
//! | `intents` | yes | | [`Record::OpenIntent`], [`Record::CloseIntent`] |
//! | `economy` | yes | | [`Record::PutEconomy`] |
//! | `silences` | yes | | [`Record::PutSilence`], [`Record::DeleteSilence`], pruned by [`Store::tidy`] |
//! | `outbox`, `outbox_rejected`, `mirror_state` | yes | | the outbox |
//! | `mirror_source` | | yes | the forwarder |
//!
//! A row's identity in both is its `uuid`; `id` in MariaDB is MariaDB's own. Times have
//! microseconds, in SQLite as integers since 1970, in MariaDB as `TIMESTAMP(6)` in UTC.
//!
//! | module | holds |
//! | --- | --- |
//! | `sqlite` | opening the local file, its connections, what its errors mean |
//! | `files` | the state directory and the file: made, or found to be lost |
//! | `inspecting`, `write_ahead_log` | looking at the local file and its log before, without touching them |
//! | `options` | what the store is told when it is opened |
//! | `restoring` | what a restarted daemon begins with |
//! | `rebuilding` | a lost local file made anew of what MariaDB has |
//! | `records` | what a commit becomes in rows |
//! | `rows` | rows and their way from and to the domain |
//! | `history` | tiers, roll-up, pruning and reading of `system_resources` |
//! | `recorded` | reading of `system_resources` as fine as it is kept, pods included |
//! | `retention` | how long rows are kept |
//! | `outbox` | the queue and its protocol |
//! | `mariadb` | the connection, the schema and the statements of MariaDB |
//! | `forwarder` | the task that takes the queue to MariaDB |

mod files;
mod forwarder;
mod history;
mod inspecting;
mod mariadb;
mod options;
mod outbox;
mod rebuilding;
mod recorded;
mod records;
mod restoring;
mod retention;
mod rows;
mod sqlite;
mod write_ahead_log;

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::alert::{Alert, AlertQuery};
use crate::domain::audit::{AuditEntry, AuditQuery};
use crate::domain::economy::RecordedSample;
use crate::domain::event::{EventKind, EventQuery, EventRecord};
use crate::domain::run::{Run, RunQuery};
use crate::domain::sample::HistoryPoint;
use crate::ports::{MirrorLink, MirrorStatus, Record, Restored, Store, StoreError};

use rows::{AlertRow, AuditRow, EventRow, ReadError, RunRow, in_domain};

pub use mariadb::{Archive, LinkError, MariaDbOptions};
pub use options::StoreOptions;
pub use rebuilding::{Progress, RebuildError, Rebuilt, Tally, ensure_vacant, rebuild};
pub use sqlite::FILE_NAME;

/// The [`Store`] on this machine. Clones share the same database.
#[derive(Debug, Clone)]
pub struct LocalStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: sqlite::Database,
    options: StoreOptions,
    mirror: watch::Sender<MirrorStatus>,
    /// Something was put into the outbox.
    committed: Notify,
}

impl Inner {
    const fn mirrored(&self) -> bool {
        self.options.mariadb.is_some()
    }

    fn waiting(&self) -> u64 {
        self.mirror.borrow().outbox
    }

    fn set_waiting(&self, count: u64) {
        self.mirror
            .send_if_modified(|status| std::mem::replace(&mut status.outbox, count) != count);
    }

    fn grow_waiting(&self, by: i64) {
        if by != 0 {
            self.mirror.send_modify(|status| {
                status.outbox = status.outbox.saturating_add_signed(by);
            });
        }
    }

    fn link(&self) -> MirrorLink {
        self.mirror.borrow().link.clone()
    }

    fn set_link(&self, link: MirrorLink) {
        self.mirror.send_if_modified(|status| {
            let changed = status.link != link;
            status.link = link;
            changed
        });
    }

    /// Tells the forwarder and whoever watches that entries were committed to the outbox.
    fn queued(&self, by: i64) {
        self.grow_waiting(by);
        if self.mirrored() {
            self.committed.notify_one();
        }
    }
}

impl LocalStore {
    /// Opens the local database, creates it or brings its schema up to date. MariaDB is not
    /// waited for: see [`LocalStore::forward`].
    ///
    /// # Errors
    ///
    /// A state directory or file that cannot be written, a full disk, a damaged file, a
    /// schema newer than this program; the last two leave the file as it is.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let database = sqlite::Database::open(&options.state_dir).await?;
        let mut writer = database.writer().await?;
        let prepared = async {
            outbox::prepare(&mut writer, options.mariadb.is_some()).await?;
            outbox::len(&mut writer).await
        }
        .await;
        let waiting = database.settle(writer, prepared)?;
        let link = match options.mariadb {
            Some(_) => MirrorLink::Connecting,
            None => MirrorLink::Disabled,
        };
        let mirror = watch::Sender::new(MirrorStatus {
            link,
            outbox: waiting,
        });
        let inner = Inner {
            database,
            options,
            mirror,
            committed: Notify::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The task that takes the outbox to MariaDB; `None` where MariaDB is not configured. To
    /// be spawned once. It ends within about a second after `shutdown`, having tried to send
    /// what was left, and may be dropped at any time.
    #[must_use]
    pub fn forward(&self, shutdown: CancellationToken) -> Option<BoxFuture<'static, ()>> {
        let options = self.inner.options.mariadb.clone()?;
        Some(forwarder::run(Arc::clone(&self.inner), options, shutdown))
    }

    /// Closes the database after what it is doing. Later calls fail.
    pub async fn close(&self) {
        self.inner.database.close().await;
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn load(&self) -> Result<Restored, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        restoring::load(&mut reader)
            .await
            .map_err(|error| database.read_error(&error))
    }

    async fn commit(&self, records: &[Record]) -> Result<(), StoreError> {
        let mut writer = self.inner.database.writer().await?;
        let outcome = records::write_all(&mut writer, records, self.inner.mirrored()).await;
        // Told before the writer is given back, so that the count is never behind.
        if let Ok(queued) = outcome {
            self.inner.queued(queued);
        }
        self.inner.database.settle(writer, outcome).map(drop)
    }

    async fn history(
        &self,
        since: Timestamp,
        until: Timestamp,
        points: u32,
    ) -> Result<Vec<HistoryPoint>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        history::read(&mut reader, since, until, points)
            .await
            .map_err(|error| database.read_error(&error))
    }

    async fn samples(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordedSample>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        recorded::read(&mut reader, since, until)
            .await
            .map_err(|error| database.read_error(&error))
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<EventRecord>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        let newest = EventRow::newest(&mut reader, query).await;
        let oldest_first = newest.map_err(ReadError::from).and_then(|mut rows| {
            // A kind that a later version wrote is not this one's to show.
            rows.retain(|row| EventKind::parse(&row.kind).is_some());
            rows.reverse();
            in_domain(rows)
        });
        oldest_first.map_err(|error| database.read_error(&error))
    }

    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let inner = &self.inner;
        for tiers in history::ROLL_UPS {
            loop {
                let mut writer = inner.database.writer().await?;
                let outcome = history::roll_up(&mut writer, tiers, now, inner.mirrored()).await;
                if let Ok(history::Progress::More { queued }) = outcome {
                    inner.queued(queued);
                }
                if inner.database.settle(writer, outcome)? == history::Progress::Done {
                    break;
                }
            }
        }
        let mut writer = inner.database.writer().await?;
        let outcome = retention::prune(&mut writer, now, &inner.options).await;
        if let Ok(queued) = outcome {
            inner.queued(queued);
        }
        inner.database.settle(writer, outcome).map(drop)
    }

    async fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        RunRow::newest(&mut reader, query.workflow.as_deref(), query.limit)
            .await
            .map_err(ReadError::from)
            .and_then(in_domain)
            .map_err(|error| database.read_error(&error))
    }

    async fn find_run(&self, id: &str) -> Result<Vec<Run>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        RunRow::beginning_with(&mut reader, &id.to_ascii_lowercase())
            .await
            .map_err(ReadError::from)
            .and_then(in_domain)
            .map_err(|error| database.read_error(&error))
    }

    async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        AlertRow::newest(&mut reader, *query)
            .await
            .map_err(ReadError::from)
            .and_then(in_domain)
            .map_err(|error| database.read_error(&error))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        AuditRow::newest(&mut reader, query)
            .await
            .map_err(ReadError::from)
            .and_then(in_domain)
            .map_err(|error| database.read_error(&error))
    }

    fn mirror(&self) -> watch::Receiver<MirrorStatus> {
        self.inner.mirror.subscribe()
    }
}
