//! Events as they are told to followers, and the latest of them once more: an event is told
//! before it is on disk, and whoever asks in between must not miss it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use crate::domain::event::{EventQuery, EventRecord};

/// Events that a follower may be behind before it is cut off.
const FOLLOWER_LAG: usize = 1024;
/// Events remembered. Far more than are ever on their way to the disk at once.
const REMEMBERED: usize = 1024;

/// Tells events. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Announcements {
    followers: broadcast::Sender<EventRecord>,
    latest: Arc<Mutex<VecDeque<EventRecord>>>,
}

impl Announcements {
    pub(super) fn new() -> Self {
        Self {
            followers: broadcast::Sender::new(FOLLOWER_LAG),
            latest: Arc::default(),
        }
    }

    /// Tells all followers.
    pub(super) fn announce(&self, event: EventRecord) {
        {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            if latest.len() == REMEMBERED {
                latest.pop_front();
            }
            latest.push_back(event.clone());
        }
        // Remembered first: whoever begins to follow in between is told twice rather than not
        // at all. No follower is no error.
        let _ = self.followers.send(event);
    }

    /// Events from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<EventRecord> {
        self.followers.subscribe()
    }

    /// Those of the latest events that are asked for, the limit aside, oldest first.
    pub(super) fn latest(&self, query: &EventQuery) -> Vec<EventRecord> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = latest.iter().filter(|event| query.wants(event));
        wanted.cloned().collect()
    }
}
