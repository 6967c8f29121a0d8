//! Plain types and rules. Nothing here does I/O, knows the wire, the disk or the clock:
//! time comes in as an argument, and `tests::domain_is_pure` keeps it so, here and in the pure part of the engine.

pub mod catalogue;
pub mod check;
pub mod error;
pub mod event;
pub mod name;
pub mod observed;
pub mod operation;
pub mod pod;
pub mod quantity;
pub mod sample;
pub mod state;

#[cfg(test)]
mod tests;
