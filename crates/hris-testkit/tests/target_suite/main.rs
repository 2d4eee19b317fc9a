//! The conformance suite for targets passes what keeps its promises, and finds what does not.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod club;
mod flawed;
mod mock;
