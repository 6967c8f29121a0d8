//! What people see: plain columns without borders, as wide as their contents.

pub mod catalogue;
pub mod doctor;
pub mod events;
pub mod grid;
pub mod pod_detail;
pub mod pods;
pub mod resources;
pub mod status;
#[cfg(test)]
mod tests;
