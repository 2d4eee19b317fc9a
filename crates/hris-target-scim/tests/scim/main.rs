//! The target against its simulated provider, strict and sloppy.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]

mod bad_input;
mod batches;
mod closing;
mod finding;
mod listing;
mod managers;
mod setup;
mod sloppy;
mod writing;
