//! `dagdactl alerts`.

pub mod list;
