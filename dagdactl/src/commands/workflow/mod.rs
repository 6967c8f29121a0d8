//! The verbs below `workflow`, one file each.

mod follow;
pub mod list;
pub mod plan;
pub mod remove;
pub mod run;
pub mod runs;
pub mod runs_show;
pub mod show;
pub mod stop;
