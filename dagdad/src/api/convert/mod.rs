//! The only place where domain types become wire types. Every struct is taken apart
//! field by field, so that a new field breaks the build here rather than being forgotten.

mod admission;
mod alert;
mod audit;
mod catalogue;
mod diagnostics;
mod economy;
mod error;
mod events;
mod operations;
mod pods;
mod resources;
mod runs;
mod status;
mod time;
mod workflows;

pub use self::admission::from_admission;
pub use self::alert::{alert, from_severity, silence, silenced};
pub use self::audit::audit_entry;
pub use self::catalogue::{applied, exported_pod, exported_workflow};
pub use self::diagnostics::check;
pub use self::economy::{backtest, economy, economy_plan, from_policy};
pub use self::error::{error_detail, failed_read, too_many_requests};
pub use self::events::event;
pub use self::operations::{done, operation_update};
pub use self::pods::{log_line, pod, pod_detail};
pub use self::resources::{history_point, host};
pub use self::runs::{outcome_update, run, run_update};
pub use self::status::status;
pub use self::time::{from_duration, from_timestamp};
pub use self::workflows::{plan, workflow, workflow_detail};
