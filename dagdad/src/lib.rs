//! dagdad, the steward's daemon. `ARCHITECTURE.md` tells how the parts fit together.

pub mod config;
pub mod domain;
pub mod manifest;
pub mod ports;
pub mod runtime;
pub mod sampler;
pub mod store;
