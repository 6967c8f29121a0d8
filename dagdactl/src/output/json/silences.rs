//! `dagdactl alerts silences --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::time;

/// `{"silences":[…]}`, that first which ends first. `silence` and `unsilence` give those that
/// were set or lifted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SilenceListView {
    /// The silences.
    pub silences: Vec<SilenceView>,
}

/// What nobody is notified of for a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SilenceView {
    /// UUIDv7: sorts by time.
    pub id: String,
    /// The condition; `null` where all that is about `object` is silenced.
    pub condition: Option<String>,
    /// What alerts are about; `null` where all of `condition` are silenced.
    pub object: Option<String>,
    /// When it was set.
    pub created_at: Option<Timestamp>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

impl SilenceView {
    /// What is silenced.
    pub fn of(&self) -> &str {
        let of = self.condition.as_deref().or(self.object.as_deref());
        of.unwrap_or("unknown")
    }
}

impl From<v1::Silences> for SilenceListView {
    fn from(wire: v1::Silences) -> Self {
        let v1::Silences { silences } = wire;
        Self {
            silences: silences.into_iter().map(SilenceView::from).collect(),
        }
    }
}

impl From<v1::SilenceView> for SilenceView {
    fn from(wire: v1::SilenceView) -> Self {
        let v1::SilenceView {
            id,
            condition,
            object,
            created_at,
            until,
        } = wire;
        Self {
            id,
            condition,
            object,
            created_at: created_at.and_then(time),
            until: until.and_then(time),
        }
    }
}
