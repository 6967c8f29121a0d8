//! The built `dagdactl` against a fake dagdad on a real Unix socket: exit codes, what goes to
//! stdout and what to stderr, and every way in which the other side can fail.

#![allow(clippy::unwrap_used)] // clippy excuses only functions with #[test]; a test fails by panicking

mod alerts;
mod connection;
mod economy;
mod events_and_logs;
mod fake;
mod generated;
mod operations;
mod reading;
mod run;
#[path = "../../src/output/sample/mod.rs"]
mod sample;
mod screen;
mod terminal;
mod usage;
mod workflows;
