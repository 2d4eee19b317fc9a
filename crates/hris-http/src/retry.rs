//! When an operation is tried again, and how long it waits before.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use hris_core::{Delivery, Error};

/// How often and for how long one operation is tried.
///
/// An operation is tried again if its error is transient and either the operation is repeatable or nothing was sent.
/// It waits for the longer of its back-off and what the other side asked for, and never begins a wait that its
/// deadline would cut short.
///
/// | setting | default |
/// |---|---|
/// | attempts | 5 |
/// | back-off | doubling from 0.5 s, jitter included below 20 s |
/// | time-out of one attempt | 30 s |
/// | deadline of the whole operation | 10 minutes |
/// | idle time-out of a streamed body | 30 s |
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    attempts: u32,
    back_off: (Duration, Duration),
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) idle_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            back_off: (Duration::from_millis(500), Duration::from_secs(20)),
            attempt_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// How often an operation is sent at most, the first time included; zero counts as one. Sending again with a
    /// renewed token is not counted.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The shortest and the longest wait between attempts.
    #[must_use]
    pub fn with_back_off(mut self, shortest: Duration, longest: Duration) -> Self {
        self.back_off = (shortest, longest);
        self
    }

    /// The time-out of one attempt, from sending to the last byte read.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The time allowed for the operation with all its attempts and waits.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest pause between two pieces of a streamed body.
    #[must_use]
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    fn delays(&self) -> ExponentialBackoff {
        // Jitter adds up to once the delay, so half of the longest is where doubling ends.
        let longest = self.back_off.1 / 2;
        ExponentialBuilder::new()
            .with_min_delay(self.back_off.0.min(longest))
            .with_max_delay(longest)
            .with_max_times(self.attempts as usize - 1)
            .with_jitter()
            .build()
    }
}

/// The attempts of one operation.
#[derive(Debug)]
pub(crate) struct Tries {
    delays: ExponentialBackoff,
    repeatable: bool,
    sent: u32,
    renewed: bool,
}

impl Tries {
    pub(crate) fn new(policy: &RetryPolicy, repeatable: bool) -> Self {
        Self { delays: policy.delays(), repeatable, sent: 0, renewed: false }
    }

    /// Counts one more attempt.
    pub(crate) fn begin(&mut self) {
        self.sent += 1;
    }

    pub(crate) fn count(&self) -> u32 {
        self.sent
    }

    /// True once: a refused token is renewed a single time.
    pub(crate) fn may_renew(&mut self) -> bool {
        !std::mem::replace(&mut self.renewed, true)
    }

    /// The wait before the next attempt, or the error that is final.
    pub(crate) fn wait_after(&mut self, error: Error, left: Duration) -> Result<Duration, Error> {
        let harmless = self.repeatable || error.delivery() == Delivery::NotSent;
        if !(error.is_retryable() && harmless) {
            return Err(error);
        }
        let asked = error.retry_after().unwrap_or_default();
        match self.delays.next().map(|delay| delay.max(asked)) {
            Some(wait) if wait < left => {
                tracing::warn!(
                    attempt = self.sent,
                    kind = ?error.kind(),
                    wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                    "trying again"
                );
                Ok(wait)
            }
            _ => Err(error.with_retryable(false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

    const LONG: Duration = Duration::from_secs(600);

    fn unavailable() -> Error {
        Error::new(ErrorKind::Unavailable, "down").with_delivery(Delivery::Answered)
    }

    #[test]
    fn back_offs_double_with_jitter_and_stay_below_the_longest() {
        let policy = RetryPolicy::default().with_attempts(100);
        for (index, delay) in policy.delays().enumerate() {
            let base = Duration::from_millis(500 << index.min(5)).min(Duration::from_secs(10));
            assert!(delay >= base && delay <= Duration::from_secs(20), "{index}: {delay:?}");
        }
        assert_eq!(RetryPolicy::default().delays().count(), 4);
        assert_eq!(RetryPolicy::default().with_attempts(0).delays().count(), 0);
    }

    #[test]
    fn the_wait_is_never_shorter_than_was_asked_for_and_never_passes_the_deadline() {
        let mut tries = Tries::new(&RetryPolicy::default(), true);
        let asked = unavailable().with_retry_after(Duration::from_secs(40));
        assert_eq!(tries.wait_after(asked, LONG).unwrap(), Duration::from_secs(40));
        let asked = unavailable().with_retry_after(Duration::from_secs(40));
        let error = tries.wait_after(asked, Duration::from_secs(40)).unwrap_err();
        assert!(!error.is_retryable());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(40)));
    }

    #[test]
    fn what_may_have_been_done_is_not_repeated_unless_that_is_harmless() {
        let mut tries = Tries::new(&RetryPolicy::default(), false);
        assert!(tries.wait_after(unavailable(), LONG).unwrap_err().is_retryable());
        assert!(tries.wait_after(unavailable().with_delivery(Delivery::Unknown), LONG).is_err());
        assert!(tries.wait_after(unavailable().with_delivery(Delivery::NotSent), LONG).is_ok());
        let mut tries = Tries::new(&RetryPolicy::default(), true);
        assert!(tries.wait_after(unavailable().with_delivery(Delivery::Unknown), LONG).is_ok());
        assert!(tries.wait_after(unavailable().with_retryable(false), LONG).is_err());
    }
}
