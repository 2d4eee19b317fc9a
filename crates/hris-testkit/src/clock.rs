//! A clock that only a test moves, so that hours pass in no time and nothing waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use hris_core::Clock;
use tokio::sync::oneshot;

/// A [`Clock`] that stands still until [`ManualClock::advance`] is called.
///
/// With [`ManualClock::skipping`], waits shorter than a threshold pass at once and move the clock, while longer
/// ones (time-outs) still wait for `advance`. The default configuration of the transport has back-offs below
/// 25 s and time-outs of 30 s, so that a threshold of 25 s runs retries at once and times nothing out.
///
/// ```
/// # use hris_testkit::ManualClock;
/// # use hris_core::Clock;
/// # use std::time::Duration;
/// let clock = ManualClock::at("2026-03-02T06:00:00Z");
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now().to_rfc3339(), "2026-03-02T07:00:00+00:00");
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: DateTime<Utc>,
    skip_below: Duration,
    slept: Vec<Duration>,
    sleepers: Vec<(DateTime<Utc>, oneshot::Sender<()>)>,
}

impl ManualClock {
    /// The threshold of [`ManualClock::skipping`] that suits the transport's defaults.
    pub const DEFAULT_SKIP: Duration = Duration::from_secs(25);

    /// A clock that stands at `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        let state = State { now, skip_below: Duration::ZERO, slept: Vec::new(), sleepers: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A clock that stands at an RFC 3339 instant; for literals in tests.
    ///
    /// # Panics
    /// If the text is no such instant.
    #[expect(clippy::expect_used, reason = "a test's literal is wrong or right at once")]
    pub fn at(rfc3339: &str) -> Self {
        Self::new(rfc3339.parse().expect("an RFC 3339 instant"))
    }

    /// Lets waits shorter than `below` pass at once, moving the clock by their length.
    #[must_use]
    pub fn skipping(self, below: Duration) -> Self {
        self.state().skip_below = below;
        self
    }

    /// Moves the clock and wakes everybody whose time has come.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.now += delta(by);
        let now = state.now;
        let (due, waiting) = std::mem::take(&mut state.sleepers).into_iter().partition(|(at, _)| *at <= now);
        state.sleepers = waiting;
        drop(state);
        let due: Vec<(DateTime<Utc>, oneshot::Sender<()>)> = due;
        for (_, wake) in due {
            // A sleeper that was dropped needs no waking.
            let _ = wake.send(());
        }
    }

    /// Moves the clock to the next instant at which somebody wakes; false if nobody sleeps.
    pub fn advance_to_next(&self) -> bool {
        let mut state = self.state();
        state.sleepers.retain(|(_, wake)| !wake.is_closed());
        let Some(next) = state.sleepers.iter().map(|(at, _)| *at).min() else {
            return false;
        };
        let by = (next - state.now).to_std().unwrap_or_default();
        drop(state);
        self.advance(by);
        true
    }

    /// Runs a future to its end by this clock alone: whenever it waits, the clock moves to the next instant at which
    /// somebody wakes. Nights pass in no time, and always in the same way.
    ///
    /// ```
    /// # use hris_testkit::ManualClock;
    /// # use hris_core::Clock;
    /// # use std::time::Duration;
    /// let clock = ManualClock::at("2026-03-02T06:00:00Z");
    /// let nap = |hours: u64| clock.sleep(Duration::from_secs(hours * 3600));
    /// clock.drive(futures_util::future::join(nap(8), nap(5)));
    /// assert_eq!(clock.now().to_rfc3339(), "2026-03-02T14:00:00+00:00");
    /// ```
    ///
    /// # Panics
    /// If the future waits for anything else: a socket, a thread, a task that was spawned.
    pub fn drive<F: Future>(&self, future: F) -> F::Output {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = std::pin::pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            let goes_on = woken.0.swap(false, Ordering::SeqCst) || self.advance_to_next();
            assert!(goes_on, "the future waits for something other than the clock");
        }
    }

    /// How many waits are under way; dropped ones are not counted.
    pub fn sleepers(&self) -> usize {
        let mut state = self.state();
        state.sleepers.retain(|(_, wake)| !wake.is_closed());
        state.sleepers.len()
    }

    /// Every wait that was asked for so far, in order.
    pub fn slept(&self) -> Vec<Duration> {
        self.state().slept.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a future asked to be polled again.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }

    async fn sleep(&self, duration: Duration) {
        let woken = {
            let mut state = self.state();
            state.slept.push(duration);
            if duration < state.skip_below {
                state.now += delta(duration);
                return;
            }
            let (wake, woken) = oneshot::channel();
            let at = state.now.checked_add_signed(delta(duration)).unwrap_or(DateTime::<Utc>::MAX_UTC);
            state.sleepers.push((at, wake));
            woken
        };
        // The sender lives in this very clock, so it cannot vanish while we hold a handle to it.
        let _ = woken.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn a_sleeper_wakes_when_its_time_comes_and_not_before() {
        let clock = ManualClock::at("2026-01-01T00:00:00Z");
        let mut sleep = Box::pin(clock.sleep(Duration::from_secs(10)));
        assert!(sleep.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(9));
        assert!(sleep.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        assert!(sleep.now_or_never().is_some());
    }

    #[test]
    fn short_waits_pass_at_once_and_move_the_clock() {
        let clock = ManualClock::at("2026-01-01T00:00:00Z").skipping(Duration::from_secs(25));
        assert!(clock.sleep(Duration::from_secs(20)).now_or_never().is_some());
        assert_eq!(clock.now().to_rfc3339(), "2026-01-01T00:00:20+00:00");
        let mut time_out = Box::pin(clock.sleep(Duration::from_secs(30)));
        assert!(time_out.as_mut().now_or_never().is_none());
        assert_eq!(clock.sleepers(), 1);
        drop(time_out);
        assert_eq!(clock.sleepers(), 0);
    }
}
