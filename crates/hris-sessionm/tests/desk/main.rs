//! The client with the complete settings file against the simulator: every task of the desk, every lost answer, and
//! everything that can be asked for wrongly.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]

mod bad_input;
mod crm;
mod lost_answers;
mod setup;
mod tasks;
