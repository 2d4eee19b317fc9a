//! Budgets: how fast and how many at once, by the scope that the vendor counts in, shared by all who share it.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use tokio::sync::Semaphore;

use crate::clock::{later, until, within};

/// The name of what a vendor counts requests by: an address, a company, a linked account. Never a secret.
///
/// Sessions with the same scope share one budget, whatever connection or tenant they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BudgetScope(Arc<str>);

impl BudgetScope {
    /// A scope by name, for example `sesame/<company id>` or `peoplehr/api.peoplehr.net`.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number of requests in any window of a length.
///
/// Part of the number may come in one burst (a fifth, and at least one, unless said otherwise) and the rest is spread
/// evenly, so that no window of that length, wherever it begins, sees more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    requests: NonZeroU32,
    window: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// At most `requests` in any window; zero counts as one. A window of no length is no limit.
    pub fn new(requests: u32, window: Duration) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { requests: at_least_one(requests), window, burst: at_least_one(requests / 5) }
    }

    /// At most `requests` in any minute; zero counts as one.
    pub fn per_minute(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(60))
    }

    /// How many may come at once, between one and the whole number.
    #[must_use]
    pub fn with_burst(mut self, burst: u32) -> Self {
        self.burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN).min(self.requests);
        self
    }

    /// The time after which one more request may be sent once the burst is spent.
    fn period(self) -> Duration {
        let periods = self.requests.get() + 1 - self.burst.get();
        // Rounded up, or one request more would slip into the window's last nanoseconds.
        let nanos = self.window.as_nanos().div_ceil(periods.into());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn quota(self) -> Option<Quota> {
        Some(Quota::with_period(self.period())?.allow_burst(self.burst))
    }
}

/// What a [`Session`](crate::Session) may use of a scope.
///
/// Where sessions of one scope ask for different numbers, the strictest of each hold for all.
///
/// ```
/// use hris_http::{Budget, BudgetScope, Rate};
/// let budget = Budget::of(BudgetScope::new("peoplehr/api.peoplehr.net"))
///     .with_rate(Rate::per_minute(25))
///     .with_in_flight(2);
/// # let _ = budget;
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    scope: Option<BudgetScope>,
    limits: Limits,
    breaker: Option<ErrorBreaker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    rate: Option<Rate>,
    in_flight: Option<NonZeroU32>,
}

/// Holds every session of a scope back when failures come too fast, for vendors that punish them by address.
#[derive(Clone, Debug)]
pub struct ErrorBreaker {
    scope: BudgetScope,
    failures: usize,
    window: Duration,
    pause: Duration,
}

impl Budget {
    /// No limit, no scope, and no regard for anybody's pause: for measuring.
    pub fn unlimited() -> Self {
        Self { scope: None, limits: Limits::default(), breaker: None }
    }

    /// The budget of a scope, without limits so far; it observes the pauses that the scope is asked for.
    pub fn of(scope: BudgetScope) -> Self {
        Self { scope: Some(scope), ..Self::unlimited() }
    }

    /// Limits how fast.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.limits.rate = Some(rate);
        self
    }

    /// Limits how many requests are under way at once; zero counts as one.
    #[must_use]
    pub fn with_in_flight(mut self, requests: u32) -> Self {
        self.limits.in_flight = Some(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN));
        self
    }

    /// Pauses on bursts of failures.
    #[must_use]
    pub fn with_breaker(mut self, breaker: ErrorBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// The scope; `None` if unlimited.
    pub fn scope(&self) -> Option<&BudgetScope> {
        self.scope.as_ref()
    }
}

impl ErrorBreaker {
    /// After `failures` within `window`, nobody in `scope` sends for `pause`. The scope is usually wider than that
    /// of the budget: an address rather than an account.
    pub fn new(scope: BudgetScope, failures: usize, window: Duration, pause: Duration) -> Self {
        Self { scope, failures: failures.max(1), window, pause }
    }
}

impl Limits {
    fn strictest(self, other: Self) -> Self {
        let rate = match (self.rate, other.rate) {
            (Some(one), Some(two)) => Some(if two.period() > one.period() { two } else { one }),
            (one, two) => one.or(two),
        };
        let in_flight = match (self.in_flight, other.in_flight) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { rate, in_flight }
    }
}

/// How a request ended, as far as budgets care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// An answer with a failure that is not the wish to slow down.
    Failed,
    /// The other side wants the whole scope to wait that long.
    SlowDown(Duration),
}

/// Leave to send one request, given back when dropped.
pub struct Permit(#[expect(dead_code, reason = "held for its drop")] Option<Box<dyn Any + Send + Sync>>);

impl Permit {
    /// A permit that keeps `guard` until the request is over.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(guard)))
    }

    /// A permit that holds nothing.
    pub fn free() -> Self {
        Self(None)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

/// The port that sessions ask before they send. [`LocalBudgets`] is the one of a single process; several machines that
/// share an account need one that asks a common place.
#[async_trait]
pub trait RateBudget: fmt::Debug + Send + Sync + 'static {
    /// Waits until one more request of the budget's scope may be sent; its permit is held until the answer was read.
    ///
    /// # Errors
    /// As soon as it is clear that this cannot be before `deadline`, and no later than that; retryable and not sent.
    async fn acquire(&self, budget: &Budget, deadline: DateTime<Utc>) -> Result<Permit>;

    /// Hears how a request ended.
    async fn report(&self, budget: &Budget, outcome: Outcome);
}

/// Budgets of one process.
#[derive(Debug)]
pub struct LocalBudgets {
    clock: SharedClock,
    scopes: Mutex<HashMap<BudgetScope, Arc<Scope>>>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, SteadyClock, NoOpMiddleware<Duration>>;

#[derive(Debug)]
struct Scope {
    limits: Limits,
    limiter: Option<Limiter>,
    slots: Option<Arc<Semaphore>>,
    gate: Arc<Mutex<Gate>>,
}

#[derive(Debug, Default)]
struct Gate {
    paused_until: Option<DateTime<Utc>>,
    failures: VecDeque<DateTime<Utc>>,
}

impl LocalBudgets {
    /// An empty registry.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, scopes: Mutex::default() }
    }

    /// The scope by name, made or made stricter where needed. What is under way on looser terms ends on them.
    fn scope(&self, name: &BudgetScope, asked: Limits) -> Arc<Scope> {
        let mut scopes = lock(&self.scopes);
        let known = scopes.get(name);
        let limits = known.map_or(asked, |scope| scope.limits.strictest(asked));
        match known {
            Some(scope) if scope.limits == limits => Arc::clone(scope),
            _ => {
                let gate = known.map(|scope| Arc::clone(&scope.gate)).unwrap_or_default();
                let scope = Arc::new(Scope::new(limits, gate, &self.clock));
                scopes.insert(name.clone(), Arc::clone(&scope));
                scope
            }
        }
    }

    fn gate(&self, name: &BudgetScope) -> Arc<Mutex<Gate>> {
        Arc::clone(&self.scope(name, Limits::default()).gate)
    }

    fn paused(&self, gate: &Mutex<Gate>) -> Option<Duration> {
        let paused_until = lock(gate).paused_until?;
        Some(until(self.clock.now(), paused_until)).filter(|wait| !wait.is_zero())
    }
}

#[async_trait]
impl RateBudget for LocalBudgets {
    async fn acquire(&self, budget: &Budget, deadline: DateTime<Utc>) -> Result<Permit> {
        let Some(name) = &budget.scope else { return Ok(Permit::free()) };
        let scope = self.scope(name, budget.limits);
        let breaker = budget.breaker.as_ref().map(|breaker| self.gate(&breaker.scope));
        let left = until(self.clock.now(), deadline);
        let permit = match &scope.slots {
            None => Permit::free(),
            Some(slots) => within(&self.clock, left, Arc::clone(slots).acquire_owned())
                .await
                .and_then(std::result::Result::ok)
                .map(Permit::new)
                .ok_or_else(|| full(name, None))?,
        };
        loop {
            // The rate comes last, since asking it takes from it.
            let wait = breaker.as_deref().and_then(|gate| self.paused(gate));
            let wait = wait.or_else(|| self.paused(&scope.gate)).or_else(|| scope.must_wait());
            let Some(wait) = wait else { return Ok(permit) };
            if wait > until(self.clock.now(), deadline) {
                return Err(full(name, Some(wait)));
            }
            self.clock.sleep(wait).await;
        }
    }

    async fn report(&self, budget: &Budget, outcome: Outcome) {
        let now = self.clock.now();
        match (outcome, &budget.scope, &budget.breaker) {
            (Outcome::SlowDown(wait), Some(scope), _) => {
                lock(&self.gate(scope)).pause(later(now, wait));
            }
            (Outcome::Failed, _, Some(breaker)) => {
                lock(&self.gate(&breaker.scope)).count_failure(breaker, now);
            }
            _ => {}
        }
    }
}

impl Scope {
    fn new(limits: Limits, gate: Arc<Mutex<Gate>>, clock: &SharedClock) -> Self {
        let quota = limits.rate.and_then(Rate::quota);
        let limiter =
            quota.map(|quota| RateLimiter::direct_with_clock(quota, SteadyClock::new(Arc::clone(clock))));
        let slots = limits.in_flight.map(|slots| Arc::new(Semaphore::new(slots.get() as usize)));
        Self { limits, limiter, slots, gate }
    }

    /// How long the rate makes one wait; `None` if not at all, and then one request is counted.
    fn must_wait(&self) -> Option<Duration> {
        let limiter = self.limiter.as_ref()?;
        let not_until = limiter.check().err()?;
        // Never zero, since a caller that does not wait would count as served.
        Some(
            not_until
                .wait_time_from(governor::clock::Clock::now(limiter.clock()))
                .max(Duration::from_nanos(1)),
        )
    }
}

impl Gate {
    fn pause(&mut self, until: DateTime<Utc>) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    fn count_failure(&mut self, breaker: &ErrorBreaker, now: DateTime<Utc>) {
        self.failures.push_back(now);
        while self.failures.front().is_some_and(|&first| later(first, breaker.window) < now) {
            self.failures.pop_front();
        }
        if self.failures.len() >= breaker.failures {
            self.failures.clear();
            self.pause(later(now, breaker.pause));
        }
    }
}

/// The port's clock as the limiter wants it: counting up from zero. A wall clock that is set back stands still for it,
/// rather than holding everybody up for the time that was set back.
struct SteadyClock {
    clock: SharedClock,
    state: Mutex<(DateTime<Utc>, Duration)>,
}

impl SteadyClock {
    fn new(clock: SharedClock) -> Self {
        let now = clock.now();
        Self { clock, state: Mutex::new((now, Duration::ZERO)) }
    }
}

impl governor::clock::Clock for SteadyClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut state = lock(&self.state);
        let now = self.clock.now();
        *state = (now, state.1 + until(state.0, now));
        state.1
    }
}

impl fmt::Debug for SteadyClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SteadyClock")
    }
}

fn full(scope: &BudgetScope, wait: Option<Duration>) -> Error {
    let error =
        Error::new(ErrorKind::RateLimited, "the budget of this scope leaves no room in the time allowed")
            .with_delivery(Delivery::NotSent)
            .with_context("scope", scope.as_str());
    match wait {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
