//! The Podman runtime against a real Podman, which each test starts for itself.

// Helpers of tests may panic as tests do; clippy knows only the latter by their attribute.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod easing;
mod images;
mod lifecycle;
mod logs;
mod manifest;
mod network;
mod observing;
#[path = "../support/podman.rs"]
mod podman;
mod pods;
mod probes;
mod registry;
mod service;
mod signals;

use std::time::Duration;

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);
