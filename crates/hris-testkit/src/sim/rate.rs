//! A vendor's limit of requests a minute, by a clock that the test moves.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{Clock, SharedClock};

use crate::mock::lock;

/// So many requests in any 60 seconds for each key (a company, a token, an address). Clones share the counts.
///
/// ```
/// use std::time::Duration;
/// use hris_testkit::{ManualClock, sim::RateLimit};
/// let clock = ManualClock::at("2026-03-02T06:00:00Z");
/// let limit = RateLimit::per_minute(1, clock.clone());
/// assert!(limit.take("company-a").is_ok() && limit.take("company-b").is_ok());
/// clock.advance(Duration::from_secs(20));
/// assert_eq!(limit.take("company-a"), Err(Duration::from_secs(40)));
/// clock.advance(Duration::from_secs(40));
/// assert!(limit.take("company-a").is_ok());
/// ```
#[derive(Clone)]
pub struct RateLimit {
    requests: usize,
    tells_when: bool,
    clock: SharedClock,
    taken: Arc<Mutex<HashMap<String, VecDeque<DateTime<Utc>>>>>,
}

const WINDOW: TimeDelta = TimeDelta::minutes(1);

impl RateLimit {
    /// `requests` in any 60 seconds of the clock.
    pub fn per_minute(requests: usize, clock: impl Clock) -> Self {
        Self { requests, tells_when: true, clock: Arc::new(clock), taken: Arc::default() }
    }

    /// Leaves `Retry-After` out of the answers that [`super::Faults::limit_rate`] gives.
    #[must_use]
    pub fn without_retry_after(mut self) -> Self {
        self.tells_when = false;
        self
    }

    /// Counts a request, or says after how long it will be let through. A refused request is not counted.
    pub fn take(&self, key: &str) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut taken = lock(&self.taken);
        let taken = taken.entry(key.to_owned()).or_default();
        while taken.front().is_some_and(|at| now - *at >= WINDOW) {
            taken.pop_front();
        }
        if taken.len() < self.requests {
            taken.push_back(now);
            return Ok(());
        }
        let free = taken.front().map_or(WINDOW, |oldest| *oldest + WINDOW - now);
        Err(free.to_std().unwrap_or_default())
    }

    pub(super) fn tells_when(&self) -> bool {
        self.tells_when
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("per_minute", &self.requests).finish_non_exhaustive()
    }
}
