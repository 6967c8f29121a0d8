//! Runtimes: what stands behind the port `Runtime`.
