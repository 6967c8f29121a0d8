//! Where records live: SQLite, always; MariaDB behind an outbox, where it is configured.
//!
//! SQLite (`STATE_DIR/dagda.db`) is the working store: every [`Store`] call is answered by it
//! alone. MariaDB is the system of record: each row reaches it through the outbox, in order,
//! exactly as it is in SQLite, however often either side dies. Nothing ever waits for it.
//!
//! | table | SQLite | MariaDB | written by |
//! | --- | --- | --- | --- |
//! | `pods` | yes | mirrored | [`Record::PutPod`], [`Record::DeletePod`] |
//! | `events` | yes | mirrored | [`Record::Event`], pruned by [`Store::tidy`] |
//! | `system_resources` | yes | mirrored | [`Record::Sample`], thinned by [`Store::tidy`] |
//! | `workflows`, `resource_alerts` | yes | yes | nothing yet |
//! | `intents` | yes | | [`Record::OpenIntent`], [`Record::CloseIntent`] |
//! | `outbox`, `outbox_rejected`, `mirror_state` | yes | | the outbox |
//! | `mirror_source` | | yes | the forwarder |
//!
//! A row's identity in both is its `uuid`; `id` in MariaDB is MariaDB's own. Times have
//! microseconds, in SQLite as integers since 1970, in MariaDB as `TIMESTAMP(6)` in UTC.
//!
//! | module | holds |
//! | --- | --- |
//! | `sqlite` | opening the local file, its connections, what its errors mean |
//! | `rows` | rows and their way from and to the domain |
//! | `history` | tiers, roll-up, pruning and reading of `system_resources` |
//! | `outbox` | the queue and its protocol |
//! | `mariadb` | the connection, the schema and the statements of MariaDB |
//! | `forwarder` | the task that takes the queue to MariaDB |

mod forwarder;
mod history;
mod mariadb;
mod outbox;
mod rows;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::event::{EventKind, EventQuery, EventRecord};
use crate::domain::operation::Intent;
use crate::domain::sample::HistoryPoint;
use crate::ports::{MirrorLink, MirrorStatus, PodRecord, Record, Restored, Store, StoreError};

use history::HistoryError;
use outbox::Relation;
use rows::{EventRow, IntentRow, PodRow, SampleRow};

pub use mariadb::MariaDbOptions;
pub use sqlite::FILE_NAME;

/// How long the intents of finished operations are kept.
const CLOSED_INTENTS_KEPT: Duration = Duration::from_hours(7 * 24);

/// What the store needs to know.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where the database file is; created, for its owner alone, where it is missing.
    pub state_dir: PathBuf,
    /// How long the host's history is kept.
    pub retention: Duration,
    /// How long events are kept.
    pub event_retention: Duration,
    /// The system of record, where there is one besides the local database.
    pub mariadb: Option<MariaDbOptions>,
}

impl StoreOptions {
    /// Kept by default: history for 7 days, events for 30; no MariaDB.
    #[must_use]
    pub const fn new(state_dir: PathBuf) -> Self {
        Self {
            state_dir,
            retention: Duration::from_hours(7 * 24),
            event_retention: Duration::from_hours(30 * 24),
            mariadb: None,
        }
    }
}

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
        let pods: Vec<PodRow> = sqlx::query_as("SELECT * FROM pods ORDER BY name")
            .fetch_all(&mut *reader)
            .await
            .map_err(|error| database.error(&error))?;
        let intents: Vec<IntentRow> = sqlx::query_as(
            "SELECT uuid, pod, kind, accepted_at FROM intents WHERE closed_at IS NULL
             ORDER BY accepted_at, uuid",
        )
        .fetch_all(&mut *reader)
        .await
        .map_err(|error| database.error(&error))?;
        Ok(Restored {
            pods: pods
                .into_iter()
                .map(PodRecord::try_from)
                .collect::<Result<_, _>>()
                .map_err(|value| database.damaged(&value))?,
            intents: intents
                .into_iter()
                .map(Intent::try_from)
                .collect::<Result<_, _>>()
                .map_err(|value| database.damaged(&value))?,
        })
    }

    async fn commit(&self, records: &[Record]) -> Result<(), StoreError> {
        let mut writer = self.inner.database.writer().await?;
        let outcome = write_all(&mut writer, records, self.inner.mirrored()).await;
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
            .map_err(|error| match error {
                HistoryError::Sqlite(error) => database.error(&error),
                HistoryError::Value(value) => database.damaged(&value),
            })
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<EventRecord>, StoreError> {
        let database = &self.inner.database;
        let mut reader = database.reader().await?;
        let since = query.since.map_or(i64::MIN, Timestamp::as_microsecond);
        let newest: Vec<EventRow> = match &query.object {
            Some(object) => sqlx::query_as(
                "SELECT * FROM events WHERE object = ? AND timestamp > ?
                 ORDER BY timestamp DESC, uuid DESC LIMIT ?",
            )
            .bind(object),
            None => sqlx::query_as(
                "SELECT * FROM events WHERE timestamp > ?
                 ORDER BY timestamp DESC, uuid DESC LIMIT ?",
            ),
        }
        .bind(since)
        .bind(query.limit)
        .fetch_all(&mut *reader)
        .await
        .map_err(|error| database.error(&error))?;
        newest
            .into_iter()
            .rev()
            // A kind that a later version wrote is not this one's to show.
            .filter(|row| EventKind::parse(&row.kind).is_some())
            .map(|row| row.try_into().map_err(|value| database.damaged(&value)))
            .collect()
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
        let outcome = prune(&mut writer, now, &inner.options).await;
        if let Ok(queued) = outcome {
            inner.queued(queued);
        }
        inner.database.settle(writer, outcome).map(drop)
    }

    fn mirror(&self) -> watch::Receiver<MirrorStatus> {
        self.inner.mirror.subscribe()
    }
}

/// Writes `records` in one transaction. Returns by how much the outbox grew.
async fn write_all(
    conn: &mut SqliteConnection,
    records: &[Record],
    mirrored: bool,
) -> Result<i64, sqlx::Error> {
    let mut queued = 0;
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    for record in records {
        if let Some((relation, uuid)) = write(&mut tx, record).await?
            && mirrored
        {
            queued += outbox::enqueue(&mut tx, relation, &uuid).await?;
        }
    }
    tx.commit().await?;
    Ok(queued)
}

/// Writes one record. Returns the mirrored row that it changed.
async fn write(
    conn: &mut SqliteConnection,
    record: &Record,
) -> Result<Option<(Relation, String)>, sqlx::Error> {
    let changed = match record {
        Record::PutPod(pod) => {
            let row = PodRow::from(&**pod);
            row.put(conn).await?;
            Some((Relation::Pods, row.uuid))
        }
        Record::DeletePod(id) => {
            let uuid = id.to_string();
            sqlx::query("DELETE FROM pods WHERE uuid = ?")
                .bind(&uuid)
                .execute(conn)
                .await?;
            Some((Relation::Pods, uuid))
        }
        Record::OpenIntent(intent) => {
            sqlx::query(
                "INSERT INTO intents (uuid, pod, kind, accepted_at) VALUES (?, ?, ?, ?)
                 ON CONFLICT (uuid) DO NOTHING",
            )
            .bind(intent.id.to_string())
            .bind(intent.pod.as_str())
            .bind(intent.kind.to_string())
            .bind(intent.accepted_at.as_microsecond())
            .execute(conn)
            .await?;
            None
        }
        Record::CloseIntent { id, at, outcome } => {
            sqlx::query(
                "UPDATE intents SET closed_at = ?, outcome = ?
                 WHERE uuid = ? AND closed_at IS NULL",
            )
            .bind(at.as_microsecond())
            .bind(outcome)
            .bind(id.to_string())
            .execute(conn)
            .await?;
            None
        }
        Record::Event(event) => {
            let row = EventRow::from(event);
            row.put(conn).await?;
            Some((Relation::Events, row.uuid))
        }
        Record::Sample(sample) => {
            let row = SampleRow::from(&**sample);
            row.put(conn).await?;
            Some((Relation::SystemResources, row.uuid))
        }
    };
    Ok(changed)
}

/// Drops what is older than it is kept. Returns by how much the outbox grew.
async fn prune(
    conn: &mut SqliteConnection,
    now: Timestamp,
    options: &StoreOptions,
) -> Result<i64, sqlx::Error> {
    let before = |kept: Duration| {
        now.as_microsecond()
            .saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX))
    };
    let mirrored = options.mariadb.is_some();
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    let mut queued = history::prune(&mut tx, now, options.retention, mirrored).await?;

    let events_before = before(options.event_retention);
    if mirrored {
        queued -= outbox::forget_events(&mut tx, events_before).await?;
    }
    let events = sqlx::query("DELETE FROM events WHERE timestamp < ?")
        .bind(events_before)
        .execute(&mut *tx)
        .await?;
    if mirrored && events.rows_affected() > 0 {
        queued += outbox::enqueue_prune(&mut tx, Relation::Events, None, events_before).await?;
    }
    sqlx::query("DELETE FROM intents WHERE closed_at < ?")
        .bind(before(CLOSED_INTENTS_KEPT))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(queued)
}
