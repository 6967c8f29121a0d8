//! Tells people of alerts: runs their command, posts to their webhook.
//!
//! ```text
//!   engine ──queue──► [ dispatcher ] ──┬──► hook       a few at a time, those of one alert
//!      ▲                    ▲          └──► webhook    in order; neither waits for the other
//!      │                    └── other ways, when the configuration was read again
//!      └── NotNotified, where one fails for good
//! ```
//!
//! Invariants:
//! - Nobody waits for a notification: the queue is bounded and takes no more when it is full, and
//!   what waits here is bounded too. The oldest is given up first, since what is newest is what
//!   is still true, and that is recorded.
//! - A notification is told at most once by each way; one that dagdad's end cuts off is not told
//!   again.

mod hook;
mod payload;
mod webhook;

pub use self::hook::Hook;
pub use self::webhook::{Endpoint, Webhook};

use std::collections::{BTreeSet, VecDeque};
use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use uuid::Uuid;

use crate::domain::notification::Notification;
use crate::engine::event::Event;
use crate::engine::handle::Handle;

/// Notifications that may wait for the dispatcher, which waits for nothing but the engine.
pub const QUEUE: usize = 256;
/// Notifications that may wait for each way.
const WAITING: usize = 256;
/// Notifications under way at once by each way.
const AT_ONCE: usize = 4;
/// How long those under way may take when dagdad ends.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// A way to tell people.
#[derive(Debug)]
pub enum Way {
    /// A command of theirs.
    Hook(Hook),
    /// An HTTP endpoint of theirs.
    Webhook(Webhook),
}

impl Way {
    async fn tell(&self, notification: &Notification) -> Result<(), String> {
        let document = payload::document(notification);
        match self {
            Self::Hook(hook) => {
                let told = hook.tell(&notification.alert, &document).await;
                told.map_err(|error| error.to_string())
            }
            Self::Webhook(webhook) => {
                let told = webhook.tell(document).await;
                told.map_err(|error| error.to_string())
            }
        }
    }
}

/// Tells people of what comes out of `queue`, by each of `ways`, until the engine has closed it.
/// What comes out of `other_ways` replaces them; what waits goes out by the new ones, what is
/// under way goes on.
pub async fn notify(
    ways: Vec<Way>,
    mut other_ways: mpsc::Receiver<Vec<Way>>,
    mut queue: mpsc::Receiver<Notification>,
    engine: Handle,
) {
    let mut lanes: Vec<Lane> = ways.into_iter().map(Lane::new).collect();
    let mut running = JoinSet::new();
    let mut under_way = Vec::new();
    loop {
        for lane in &mut lanes {
            lane.begin(&mut running, &mut under_way);
        }
        tokio::select! {
            notification = queue.recv() => {
                let Some(notification) = notification else { break };
                let notification = Arc::new(notification);
                for lane in &mut lanes {
                    if let Some(given_up) = lane.line_up(&notification) {
                        let reason = format!("{WAITING} more wait already");
                        report(&engine, given_up.alert.id, reason).await;
                    }
                }
            }
            Some(ways) = other_ways.recv() => {
                let given_up = replace(&mut lanes, ways);
                for notification in given_up {
                    let reason = "that way of notifying was taken out of the configuration";
                    report(&engine, notification.alert.id, reason.to_owned()).await;
                }
            }
            Some(ended) = running.join_next_with_id() => {
                if let Some((alert, reason)) = take_in(ended, &mut under_way) {
                    report(&engine, alert, reason).await;
                }
            }
        }
    }
    // Whoever would be told of a failure has ended.
    let last = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_MOMENT, last).await.is_err() {
        tracing::warn!("notifications under way are given up, since dagdad ends");
    }
}

/// Puts `ways` in the place of the lanes' own; returns what waited for one that is gone.
fn replace(lanes: &mut Vec<Lane>, ways: Vec<Way>) -> Vec<Arc<Notification>> {
    let mut old = std::mem::take(lanes);
    for way in ways {
        let mut lane = Lane::new(way);
        if let Some(index) = old.iter().position(|old| same_kind(&old.way, &lane.way)) {
            let Lane {
                itself, waiting, ..
            } = old.swap_remove(index);
            lane = Lane {
                itself,
                waiting,
                ..lane
            };
        }
        lanes.push(lane);
    }
    old.into_iter().flat_map(|lane| lane.waiting).collect()
}

/// A way that is set to something else stays itself.
fn same_kind(one: &Way, other: &Way) -> bool {
    discriminant(one) == discriminant(other)
}

/// One way, and what waits for it.
struct Lane {
    /// Tells it from others, also when its way is set to something else.
    itself: Arc<()>,
    way: Arc<Way>,
    waiting: VecDeque<Arc<Notification>>,
}

/// A notification that is being told.
struct UnderWay {
    task: Id,
    lane: Arc<()>,
    alert: Uuid,
}

impl Lane {
    fn new(way: Way) -> Self {
        Self {
            itself: Arc::default(),
            way: Arc::new(way),
            waiting: VecDeque::new(),
        }
    }

    /// Returns what is given up for it.
    fn line_up(&mut self, notification: &Arc<Notification>) -> Option<Arc<Notification>> {
        let given_up = (self.waiting.len() >= WAITING).then(|| self.waiting.pop_front());
        self.waiting.push_back(Arc::clone(notification));
        given_up.flatten()
    }

    /// Begins with as many as may be told at once, one of each alert.
    fn begin(&mut self, running: &mut JoinSet<Result<(), String>>, all: &mut Vec<UnderWay>) {
        let mine = all
            .iter()
            .filter(|one| Arc::ptr_eq(&one.lane, &self.itself));
        let mut busy: BTreeSet<Uuid> = mine.map(|one| one.alert).collect();
        while busy.len() < AT_ONCE {
            let next = self
                .waiting
                .iter()
                .position(|waiting| !busy.contains(&waiting.alert.id));
            let Some(notification) = next.and_then(|next| self.waiting.remove(next)) else {
                return;
            };
            let alert = notification.alert.id;
            busy.insert(alert);
            let way = Arc::clone(&self.way);
            let task = running.spawn(async move { way.tell(&notification).await });
            all.push(UnderWay {
                task: task.id(),
                lane: Arc::clone(&self.itself),
                alert,
            });
        }
    }
}

/// Which alert nobody was told of, and why, where that is how it ended.
fn take_in(
    ended: Result<(Id, Result<(), String>), JoinError>,
    under_way: &mut Vec<UnderWay>,
) -> Option<(Uuid, String)> {
    let (task, told) = match ended {
        Ok((task, told)) => (task, told),
        // It was reported where it happened.
        Err(error) => (
            error.id(),
            Err("dagdad failed, its log says how".to_owned()),
        ),
    };
    let index = under_way.iter().position(|one| one.task == task)?;
    let UnderWay { alert, .. } = under_way.swap_remove(index);
    told.err().map(|reason| (alert, reason))
}

async fn report(engine: &Handle, alert: Uuid, reason: String) {
    engine.tell(Event::NotNotified { alert, reason }).await;
}

#[cfg(test)]
mod tests;
