//! What was denied is on record, but a stranger who asks all day does not fill the disk: of each
//! user so many rows a minute, and one more that says how many were left out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::audit::{AuditEntry, AuditOutcome};
use crate::engine::handle::Handle;

/// How long one count goes.
const WINDOW: Duration = Duration::from_mins(1);
/// Rows that one user may leave within that time.
const ROWS: u32 = 60;
/// So many users are counted each for themselves; all others together.
const USERS: usize = 64;

/// Keeps what was denied, within bounds.
#[derive(Debug)]
pub struct Denials {
    engine: Handle,
    window: Duration,
    counts: Arc<Mutex<Counts>>,
}

/// By user id; `None` is all for whom there is no room.
type Counts = HashMap<Option<u32>, Count>;

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    rows: u32,
    left_out: u64,
}

/// What becomes of one more denial.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// It gets a row.
    Row,
    /// It is the first that is left out in this count.
    FirstLeftOut(Option<u32>),
    /// It is counted only.
    LeftOut,
}

impl Denials {
    /// Keeps them with `engine`.
    pub fn new(engine: Handle) -> Self {
        Self {
            engine,
            window: WINDOW,
            counts: Arc::default(),
        }
    }

    /// Keeps `entry`, or counts it.
    pub async fn record(&self, entry: AuditEntry) {
        let place = place(&mut lock(&self.counts), entry.uid, self.window);
        match place {
            Place::Row => self.engine.audit(entry).await,
            Place::FirstLeftOut(key) => {
                let (engine, counts) = (self.engine.clone(), Arc::clone(&self.counts));
                let window = self.window;
                tokio::spawn(async move {
                    tokio::time::sleep(window).await;
                    let count = lock(&counts).remove(&key);
                    let left_out = count.map_or(0, |count| count.left_out);
                    engine.audit(summary(entry, left_out)).await;
                });
            }
            Place::LeftOut => {}
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(counts: &mut Counts, uid: u32, window: Duration) -> Place {
    // A count that left something out goes on until that is told.
    counts.retain(|_, count| count.left_out > 0 || count.since.elapsed() < window);
    let key = Some(uid).filter(|_| counts.contains_key(&Some(uid)) || counts.len() < USERS);
    let count = counts.entry(key).or_insert_with(|| Count {
        since: Instant::now(),
        rows: 0,
        left_out: 0,
    });
    if count.rows < ROWS {
        count.rows += 1;
        return Place::Row;
    }
    count.left_out += 1;
    if count.left_out == 1 {
        Place::FirstLeftOut(key)
    } else {
        Place::LeftOut
    }
}

/// One row for all that were left out, of which `first` was the first.
fn summary(first: AuditEntry, left_out: u64) -> AuditEntry {
    let others = left_out.saturating_sub(1);
    let message = format!("and {others} more denials that are not kept one by one");
    AuditEntry {
        id: Uuid::now_v7(),
        at: Timestamp::now(),
        ..first.ended(AuditOutcome::Denied, &message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Caller;
    use crate::engine::Message;
    use crate::engine::example::{at, snapshot};

    fn denied(uid: u32) -> AuditEntry {
        let caller = Caller {
            uid,
            gid: uid,
            pid: None,
            user: None,
            role: None,
        };
        AuditEntry::asked(Uuid::now_v7(), at(0), &caller, "status", None)
            .ended(AuditOutcome::Denied, "")
    }

    #[test]
    fn rows_are_bounded_for_each_user_and_for_all_together() {
        let mut counts = Counts::default();
        let users = 10_000;
        let mut rows = 0;
        for _ in 0..ROWS + 5 {
            for uid in 0..users {
                rows += u32::from(place(&mut counts, uid, WINDOW) == Place::Row);
            }
        }
        let counted = u32::try_from(USERS).unwrap() + 1;
        assert_eq!(counts.len(), USERS + 1);
        assert_eq!(rows, counted * ROWS);
        let left_out: u64 = counts.values().map(|count| count.left_out).sum();
        assert_eq!(left_out, u64::from(users * (ROWS + 5) - rows));
    }

    /// A minute later a user has rows again, and who stays away is forgotten.
    #[test]
    fn a_count_that_is_over_begins_anew() {
        let mut counts = Counts::default();
        for uid in 0..u32::try_from(USERS).unwrap() {
            assert_eq!(place(&mut counts, uid, Duration::ZERO), Place::Row);
        }
        assert_eq!(counts.len(), 1);
    }

    #[tokio::test]
    async fn what_is_left_out_is_told_once() {
        let (engine, mut mailbox, _snapshots) = Handle::detached(snapshot(vec![], vec![]));
        let denials = Denials {
            // Longer than it takes to make all of them, on any machine.
            window: Duration::from_secs(2),
            ..Denials::new(engine)
        };
        let asking = tokio::spawn(async move {
            for _ in 0..ROWS {
                denials.record(denied(7)).await;
            }
            // The count is not over before what was left out is told.
            while denials.counts.lock().unwrap()[&Some(7)].left_out < 5 {
                denials.record(denied(7)).await;
            }
            denials
        });
        let mut kept = Vec::new();
        while let Some(Message::Audit(entry)) = mailbox.recv().await {
            kept.push(*entry);
            if kept.len() > ROWS as usize {
                break;
            }
        }
        let denials = asking.await.unwrap();
        let summary = kept.pop().unwrap();
        assert_eq!(kept.len(), ROWS as usize);
        assert!(kept.iter().all(|entry| entry.message.is_empty()));
        assert_eq!(summary.uid, 7);
        assert_eq!(
            summary.message,
            "and 4 more denials that are not kept one by one"
        );
        assert!(denials.counts.lock().unwrap().is_empty());
    }
}
