//! The store against the real databases.

// Clippy knows functions marked as tests only; what they call may fail them as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audit;
mod bad_rows;
mod contents;
mod disk;
mod economy;
mod episodes;
mod footing;
mod forms;
mod history;
mod interleavings;
#[path = "../support/mariadb.rs"]
mod mariadb;
mod migration;
mod mirror;
mod opening;
mod rebuilding;
mod recorded;
mod records;
mod retention;
mod round_trip;
mod runs;
mod states;
mod tables;
mod untouched;
