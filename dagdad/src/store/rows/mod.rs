//! Rows as both databases hold them, and their way from and to the domain's types: a file a
//! table, and two more for the parts of a run ([`phase`], [`member`]).
//!
//! The fields of a row are bound in one order, by one macro beside its type, whichever
//! database it goes to. [`value`] holds how single values are stored.

mod alert;
mod audit;
mod economy;
mod event;
mod intent;
mod member;
mod phase;
mod pod;
mod pod_run;
mod run;
mod sample;
mod silence;
mod value;
mod workflow;

pub use alert::AlertRow;
pub use audit::AuditRow;
pub use economy::EconomyRow;
pub use event::EventRow;
pub use intent::IntentRow;
pub use pod::PodRow;
pub use pod_run::PodRunRow;
pub use run::RunRow;
pub use sample::{SampleRow, pods_of_stretch};
pub use silence::SilenceRow;
pub use value::{BadValue, ReadError, bad, in_domain, timestamp, unsigned};
pub use workflow::WorkflowRow;

pub(super) use alert::bind_alert;
pub(super) use audit::bind_audit;
pub(super) use event::bind_event;
pub(super) use pod::bind_pod;
pub(super) use pod_run::bind_pod_run;
pub(super) use run::bind_run;
pub(super) use sample::bind_sample;
pub(super) use workflow::bind_workflow;

/// Binds the named fields of a row, in order, to a query of either database.
macro_rules! bind {
    ($query:expr, $row:expr; $($field:ident),+ $(,)?) => {
        $query$(.bind(&$row.$field))+
    };
}

pub(super) use bind;
