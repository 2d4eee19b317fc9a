//! Running connections, by the manual clock and without a network.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod house;
mod many;
mod one;
mod welcomes;
