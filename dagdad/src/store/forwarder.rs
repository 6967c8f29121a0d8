//! The forwarder: takes the outbox to MariaDB, in order and in batches, for as long as the
//! program runs.
//!
//! It wakes when something is committed and is otherwise asleep. When MariaDB is away it
//! tries again, quickly at first, at last every half minute; meanwhile nothing waits for it.
//! It may be dropped at any point: what was sent and not acknowledged is sent again.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::mariadb::{self, Link, LinkError, MariaDbOptions, SendError};
use super::outbox::{self, Change, Entry, Footing, Rejected, Relation, Source, Waiting};
use super::{Inner, MirrorLink};
use crate::ports::StoreError;

const BATCH_ENTRIES: i64 = 256;
const BATCH_BYTES: usize = 1 << 20;
/// A batch that is not committed within this is given up with its connection.
const BATCH_DEADLINE: Duration = Duration::from_secs(30);
/// How long a shutdown waits for what is still in the outbox.
const LAST_DRAIN: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const SLOWEST_RETRY: Duration = Duration::from_secs(30);
const UUID_PAGE: u32 = 1000;

/// Why the forwarder lost its footing.
#[derive(Debug, thiserror::Error)]
enum ForwardError {
    #[error(transparent)]
    MariaDb(#[from] LinkError),
    #[error("the outbox cannot be read: {0}")]
    Local(#[from] StoreError),
}

/// Forwards until `shutdown`, then once more for at most a second.
pub fn run(
    inner: Arc<Inner>,
    options: MariaDbOptions,
    shutdown: CancellationToken,
) -> BoxFuture<'static, ()> {
    async move {
        let forwarder = Forwarder { inner, options };
        if shutdown
            .run_until_cancelled(forwarder.keep_forwarding())
            .await
            .is_none()
        {
            // In vain where MariaDB is away; then the rows wait for the next start.
            let _ = tokio::time::timeout(LAST_DRAIN, forwarder.drain_once()).await;
        }
    }
    .boxed()
}

struct Forwarder {
    inner: Arc<Inner>,
    options: MariaDbOptions,
}

impl Forwarder {
    async fn keep_forwarding(&self) {
        loop {
            let delays = ExponentialBuilder::new()
                .with_min_delay(FIRST_RETRY)
                // The jitter comes on top, up to as much again.
                .with_max_delay(SLOWEST_RETRY / 2)
                .without_max_times()
                .with_jitter()
                .build();
            for delay in delays {
                let Err(error) = self.session().await;
                let rows_went_through = self.inner.link() == MirrorLink::Connected;
                self.report_down(&error);
                tokio::time::sleep(delay).await;
                if rows_went_through {
                    break;
                }
            }
        }
    }

    /// One connection's life: connect, find the footing, forward until something fails.
    async fn session(&self) -> Result<std::convert::Infallible, ForwardError> {
        let (mut link, mut source) = self.connect().boxed().await?;
        loop {
            self.drain(&mut link, &mut source).boxed().await?;
            self.inner.committed.notified().await;
        }
    }

    async fn drain_once(&self) -> Result<(), ForwardError> {
        if self.inner.waiting() > 0 {
            let (mut link, mut source) = self.connect().boxed().await?;
            self.drain(&mut link, &mut source).boxed().await?;
            link.close().await;
        }
        Ok(())
    }

    async fn connect(&self) -> Result<(Link, Source), ForwardError> {
        let mut link = Link::open(&self.options).await?;
        let remote = link.source().await.map_err(|error| self.lost(&error))?;
        let mut writer = self.inner.database.writer().await?;
        let outcome = outbox::reconcile_with(&mut writer, remote.as_ref()).await;
        let waiting = match &outcome {
            Ok(_) => outbox::len(&mut writer).await,
            Err(_) => Ok(0),
        };
        let (waiting, (footing, source)) = self
            .inner
            .database
            .settle(writer, waiting.and_then(|n| outcome.map(|o| (n, o))))?;
        self.inner.set_waiting(waiting);
        match footing {
            Footing::Same => {}
            Footing::Behind => tracing::info!(
                dagda_rows = waiting,
                "MariaDB is new or was set back; every row is sent to it again"
            ),
            Footing::Foreign => tracing::warn!(
                dagda_rows = waiting,
                "MariaDB holds rows of another dagdad state directory; they stay, and every row of this one is sent; to have them here, see `dagdad restore --help`"
            ),
        }
        if remote.as_ref() != Some(&source) {
            link.set_source(&source)
                .await
                .map_err(|error| self.lost(&error))?;
        }
        Ok((link, source))
    }

    /// Sends until the outbox is empty.
    async fn drain(&self, link: &mut Link, source: &mut Source) -> Result<(), ForwardError> {
        loop {
            let mut reader = self.inner.database.reader().await?;
            let batch = outbox::next_batch(&mut reader, BATCH_ENTRIES, BATCH_BYTES)
                .await
                .map_err(|error| self.inner.database.error(&error))?;
            drop(reader);
            let Some(last) = batch.last() else {
                self.report_up();
                return Ok(());
            };
            source.last_seq = last.seq;
            let rejected = tokio::time::timeout(BATCH_DEADLINE, self.send(link, &batch, source))
                .await
                .map_err(|_| mariadb::too_slow(&self.options, BATCH_DEADLINE))??;
            self.acknowledge(last.seq, &rejected).await?;
            self.report_up();
        }
    }

    /// Sends one batch, leaving out what MariaDB refuses.
    async fn send(
        &self,
        link: &mut Link,
        batch: &[Entry],
        source: &Source,
    ) -> Result<Vec<Rejected>, ForwardError> {
        let mut rejected = Vec::new();
        let mut entries: Vec<&Entry> = batch.iter().collect();
        loop {
            match link.apply(&entries, source).await {
                Ok(true) => break,
                Ok(false) => return Err(mariadb::taken_over(&self.options).into()),
                Err(SendError::Failed(error)) => return Err(self.lost(&error).into()),
                Err(SendError::Refused { seq, error }) => {
                    entries.retain(|entry| entry.seq != seq);
                    rejected.extend(batch.iter().find(|entry| entry.seq == seq).map(|entry| {
                        tracing::error!(
                            dagda_table = entry.relation.as_str(), dagda_uuid = entry.key, dagda_error = error,
                            "MariaDB refuses a row; it is set aside in outbox_rejected and tried again at the next start"
                        );
                        Rejected { relation: entry.relation, key: entry.key.clone(), error }
                    }));
                }
            }
        }
        for entry in batch
            .iter()
            .filter(|entry| matches!(entry.change, Change::Reconcile))
        {
            self.reconcile(link, entry.relation).await?;
        }
        Ok(rejected)
    }

    /// Deletes the rows of a table in MariaDB that SQLite does not have.
    async fn reconcile(&self, link: &mut Link, relation: Relation) -> Result<(), ForwardError> {
        let mut after = String::new();
        loop {
            let page = link
                .uuids(relation, &after, UUID_PAGE)
                .await
                .map_err(|error| self.lost(&error))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            let mut reader = self.inner.database.reader().await?;
            let surplus = outbox::missing(&mut reader, relation, &page)
                .await
                .map_err(|error| self.inner.database.error(&error))?;
            drop(reader);
            link.delete(relation, &surplus)
                .await
                .map_err(|error| self.lost(&error))?;
        }
    }

    async fn acknowledge(&self, last_seq: i64, rejected: &[Rejected]) -> Result<(), StoreError> {
        let mut writer = self.inner.database.writer().await?;
        let now = Timestamp::now().as_microsecond();
        let outcome = outbox::acknowledge(&mut writer, last_seq, rejected, now).await;
        // Told before the writer is given back, so that no commit comes in between.
        if let Ok(waiting) = &outcome {
            match *waiting {
                Waiting::Exactly(count) => self.inner.set_waiting(count),
                Waiting::FewerBy(count) => self
                    .inner
                    .grow_waiting(-i64::try_from(count).unwrap_or(i64::MAX)),
            }
        }
        self.inner.database.settle(writer, outcome).map(drop)
    }

    fn lost(&self, error: &sqlx::Error) -> LinkError {
        mariadb::explain(&self.options, error)
    }

    /// Called when a batch went through or there was none: a connection alone is no proof
    /// that rows do.
    fn report_up(&self) {
        if self.inner.link() != MirrorLink::Connected {
            self.inner.set_link(MirrorLink::Connected);
            tracing::info!(dagda_outbox = self.inner.waiting(), "MariaDB takes rows");
        }
    }

    fn report_down(&self, error: &ForwardError) {
        let reason = error.to_string();
        let (since, known) = match self.inner.link() {
            MirrorLink::Disconnected {
                since,
                reason: known,
            } => (since, Some(known)),
            MirrorLink::Disabled | MirrorLink::Connecting | MirrorLink::Connected => {
                (Timestamp::now(), None)
            }
        };
        if known.as_ref() != Some(&reason) {
            tracing::warn!(
                dagda_reason = reason,
                "MariaDB is away; rows wait in the outbox"
            );
        }
        self.inner
            .set_link(MirrorLink::Disconnected { reason, since });
    }
}
