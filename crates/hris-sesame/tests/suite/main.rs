//! What the connector does against the simulator, and against answers that the simulator never gives.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail with the test"
)]

mod account;
mod completeness;
mod details;
mod faults;
mod fixtures;
mod joins;
mod people;
mod projection;
mod rows;
mod setup;
mod simulator;
mod webhooks;
