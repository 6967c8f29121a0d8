//! Runtimes: what stands behind the port `Runtime`.

pub mod podman;
