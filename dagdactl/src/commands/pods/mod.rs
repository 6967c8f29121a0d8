//! The verbs below `pods`, one file each.

pub mod list;
pub mod logs;
mod operation;
pub mod remove;
pub mod restart;
pub mod show;
pub mod start;
pub mod stats;
pub mod stop;
