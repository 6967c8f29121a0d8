//! What the integration tests of this crate start for themselves.

pub mod podman;
