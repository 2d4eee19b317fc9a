//! What most tests here begin with.

use std::sync::Arc;
use std::time::Duration;

use hris_core::Error;
use hris_http::{BaseUrl, Request, Session, Transport};
use hris_testkit::{FaultServer, ManualClock};

/// A clock on which back-offs pass at once and time-outs wait for the test.
pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP)
}

pub(crate) fn transport(clock: &ManualClock) -> Transport {
    Transport::builder().with_clock(Arc::new(clock.clone())).build().expect("a transport")
}

pub(crate) fn base(url: &str) -> BaseUrl {
    url.parse().expect("a base URL")
}

pub(crate) fn session(clock: &ManualClock, server: &FaultServer) -> Session {
    Session::new(&transport(clock), base(&server.url()))
}

pub(crate) fn get() -> Request {
    Request::get("test.get", "/v1/people")
}

/// A write that must not happen twice.
pub(crate) fn post() -> Request {
    Request::post("test.post", "/v1/people").with_body("application/json", "{}")
}

pub(crate) fn context<'a>(error: &'a Error, key: &str) -> Option<&'a str> {
    error.context().find(|(known, _)| *known == key).map(|(_, value)| value)
}

/// The waits before further attempts; the others asked for are time-outs that never came.
pub(crate) fn back_offs(clock: &ManualClock) -> Vec<Duration> {
    clock.slept().into_iter().filter(|wait| *wait < ManualClock::DEFAULT_SKIP).collect()
}

/// Lets the tasks of this thread go on until somebody waits for the clock.
pub(crate) async fn somebody_sleeps(clock: &ManualClock) {
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
}
