//! A test's own little world: a Podman with its own storage, a `dagdad` with its own state, a
//! `dagdactl` that talks to it, a MariaDB where one is wanted. Everything lives in one temporary
//! directory and is gone when the [`TestHost`] is dropped, also after a panic.
//!
//! Tests await signals (readiness notifications, the daemon's own streams, process ends), never
//! sleep; [`PATIENCE`] bounds each wait so that a hang becomes a failure with a reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "this crate is test code: a step that fails is a test that fails, there and then"
)]

pub mod binaries;
pub mod cli;
pub mod daemon;
pub mod host;
pub mod http;
pub mod manifest;
pub mod mariadb;
pub mod memory;
pub mod mount;
pub mod podman;
pub mod ports;
pub mod process;
pub mod random;
pub mod rows;
pub mod scratch;
pub mod squeeze;
pub mod states;
pub mod systemd;
pub mod vitals;
pub mod wire;

use std::time::Duration;

pub use cli::Output;
pub use host::TestHost;

/// How long any single wait may take before the test fails. Generous: it is never a measure of
/// speed, only the end of hope.
pub const PATIENCE: Duration = Duration::from_secs(45);
