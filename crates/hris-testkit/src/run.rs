//! Runs an asynchronous test from a plain `#[test]`, so that a crate under test needs no runtime of its own.

use std::future::Future;

/// Runs a future to its end on a new current-thread runtime with network and timers.
///
/// The suites of this crate expand to plain `#[test]` functions that call it.
///
/// ```
/// assert_eq!(hris_testkit::run(async { 1 + 1 }), 2);
/// ```
///
/// # Panics
/// If the operating system refuses the runtime its event queue, or inside another runtime.
#[expect(clippy::expect_used, reason = "a test that gets no runtime has no way to go on")]
pub fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime for the test").block_on(future)
}
