//! The outbox: what MariaDB does not have yet, as a queue in the local database.
//!
//! An entry commits in the same transaction as the row it speaks of, and is deleted when
//! MariaDB has committed it. It names the row and does not carry it: the content is read
//! when it is sent. A row that changes again while it waits moves to the end of the queue,
//! so the queue is never longer than the tables and the rows deleted since, however long
//! MariaDB is away, and what is sent last is what is in SQLite. Rows whose time
//! never changes (events, samples, the audit) are pruned by one entry that says before when; all others are deleted
//! one by one, since MariaDB's own may be older and not look deletable there.
//!
//! Sending is idempotent (upserts by uuid, deletes), so an entry that was sent and not yet
//! acknowledged, when either side died, is sent again without harm. Each batch carries the
//! number of its last entry into `mirror_source`, in MariaDB's own transaction; when a
//! connection is made that number tells whether MariaDB is where it was left
//! ([`reconcile_with`]). Where it is not (a new database, one restored from a backup,
//! one that another dagdad wrote to), every row is queued again.
//!
//! | module | holds |
//! | --- | --- |
//! | `entry` | what an entry says |
//! | `queueing` | putting entries into the queue, and taking out what is pruned |
//! | `footing` | what the start of the program and a new connection mean for the queue |
//! | `draining` | reading the next batch, and what follows MariaDB's answer |

mod draining;
mod entry;
mod footing;
mod queueing;

pub use draining::{Waiting, acknowledge, missing, next_batch};
pub use entry::{Change, Entry, Rejected, Relation};
pub use footing::{Footing, Source, prepare, reconcile_with};
pub use queueing::{
    enqueue_all, enqueue_prune, enqueue_stretches, forget_audit, forget_events, forget_samples, len,
};
