//! The conformance suite for connectors passes what keeps its promises, and finds what does not.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod acme;
mod flawed;
mod mock;
