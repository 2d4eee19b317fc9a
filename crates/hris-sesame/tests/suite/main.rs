//! What the connector does against the simulator, and against answers that the simulator never gives.

mod account;
mod completeness;
mod details;
mod faults;
mod fixtures;
mod joins;
mod people;
mod privacy;
mod projection;
mod rows;
mod setup;
mod simulator;
