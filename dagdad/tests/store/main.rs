//! The store against the real databases.

mod history;
mod interleavings;
#[path = "../support/mariadb.rs"]
mod mariadb;
mod mirror;
mod opening;
mod records;
mod tables;
