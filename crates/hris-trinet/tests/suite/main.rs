//! What the connector does against the simulator, and against answers that the simulator never gives.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail with the test"
)]

mod account;
mod faults;
mod fixtures;
mod paging;
mod people;
mod projection;
mod reference;
mod setup;
mod simulator;
mod status;
mod tokens;
mod views;
