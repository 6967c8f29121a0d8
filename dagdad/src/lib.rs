//! dagdad, the steward's daemon. `ARCHITECTURE.md` tells how the parts fit together.

pub mod api;
pub mod domain;
pub mod engine;
pub mod manifest;
pub mod ports;
pub mod runtime;
pub mod sampler;
pub mod store;
