//! How the transport behaves over real sockets, with a clock that only the test moves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers fail with the test")]

mod auth;
mod budget;
mod pages;
mod retry;
mod stream;
mod support;
mod transport;
