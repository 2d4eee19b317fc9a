//! The system clock, and the two things that the transport builds on a clock: a deadline and a race against a wait.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use hris_core::{Clock, SharedClock};

/// The machine's clock; waits on the tokio runtime. Tests use a manual clock in its place.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that waits on the runtime")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The instant after which an operation, with all its attempts and waits, is no longer wanted.
#[derive(Debug)]
pub(crate) struct Deadline<'a> {
    clock: &'a SharedClock,
    at: DateTime<Utc>,
}

impl<'a> Deadline<'a> {
    pub(crate) fn after(clock: &'a SharedClock, total: Duration) -> Self {
        Self { clock, at: later(clock.now(), total) }
    }

    pub(crate) fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// What is left; zero once it has passed.
    pub(crate) fn left(&self) -> Duration {
        until(self.clock.now(), self.at)
    }

    /// Runs `work` until the deadline, or for at most `limit` if that is shorter. `None` when time ran out.
    pub(crate) async fn race<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        within(self.clock, limit.min(self.left()), work).await
    }
}

/// Runs `work` for at most `limit`; `None` when time ran out. The work is asked first, and then dropped.
pub(crate) async fn within<T>(
    clock: &SharedClock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(work), clock.sleep(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// The instant `wait` after `now`, or the last one there is.
pub(crate) fn later(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// From `now` until `then`; zero if that has passed.
pub(crate) fn until(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    (then - now).to_std().unwrap_or_default()
}
