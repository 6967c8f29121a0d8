//! `dagdactl economy`.

pub mod backtest;
pub mod plan;
pub mod set;
pub mod status;
