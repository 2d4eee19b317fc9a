//! What the connector does against the simulator, and against answers that the simulator never gives.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail with the test"
)]

mod account;
mod bodies;
mod envelope;
mod faults;
mod fixtures;
mod people;
mod query;
mod setup;
mod simulator;
mod single;
mod status;
mod webhooks;
