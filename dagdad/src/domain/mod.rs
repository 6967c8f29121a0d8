//! Plain types and rules. Nothing here does I/O, knows the wire, the disk or the clock:
//! time comes in as an argument, and `tests::domain_is_pure` keeps it so, here and in the pure part of the engine.

pub mod admission;
pub mod alert;
pub mod audit;
pub mod caller;
pub mod catalogue;
pub mod check;
pub mod economy;
pub mod error;
pub mod event;
pub mod footprint;
pub mod name;
pub mod notification;
pub mod observed;
pub mod operation;
pub mod order;
pub mod pod;
pub mod quantity;
pub mod run;
pub mod sample;
pub mod silence;
pub mod state;
pub mod workflow;

#[cfg(test)]
mod tests;
