//! What a simulated vendor gets wrong, and when: a plan of faults that a test fills.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{RateLimit, SimRequest, SimResponse};
use crate::mock::lock;

/// One way in which an answer goes wrong.
///
/// `once`, `times` and `always` say how often; [`FaultRule`] has more conditions:
///
/// ```
/// use hris_testkit::sim::{Fault, Faults};
/// let faults = Faults::default();
/// faults.add(Fault::rate_limited(Some(2)).times(2).on_path("/v1/people"));
/// faults.add(Fault::Html.once().after(3).on(|request| request.query("page") == Some("2")));
/// assert_eq!(faults.outstanding(), 3);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The vendor's error body with this status, in place of an answer.
    Status {
        /// The status code.
        code: u16,
        /// The value of `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3), or rubbish.
        retry_after: Option<String>,
    },
    /// A page of HTML with status 200, as from a proxy or a log-in page.
    Html,
    /// Status 200 and no body.
    Empty,
    /// The real answer, whose text ends in the middle although its length is what was announced.
    BrokenJson,
    /// This answer.
    Answer(SimResponse),
    /// The real answer, changed. The function may also change the vendor's state for the next request.
    Change(Arc<dyn Fn(SimResponse) -> SimResponse + Send + Sync>),
    /// The real answer, late by the wall clock: by some milliseconds, or by a day, where the vendor is to carry the
    /// request out and never to answer.
    Slow(Duration),
    /// No answer, while the connection stays open. The client gives up, or waits until the simulator is dropped.
    Hang,
    /// The connection is closed before the vendor looks at the request.
    Refused,
    /// The vendor carries the request out and the connection is closed without an answer.
    Lost,
}

impl Fault {
    /// The vendor's error body with a status.
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }

    /// Status 429, with `Retry-After` in seconds if given.
    pub fn rate_limited(retry_after: Option<u64>) -> Self {
        Self::Status { code: 429, retry_after: retry_after.map(|seconds| seconds.to_string()) }
    }

    /// Status 401, as when a token expired although it had been accepted.
    pub fn unauthorized() -> Self {
        Self::status(401)
    }

    /// The real answer, changed.
    pub fn change(change: impl Fn(SimResponse) -> SimResponse + Send + Sync + 'static) -> Self {
        Self::Change(Arc::new(change))
    }

    /// The next request.
    pub fn once(self) -> FaultRule {
        self.times(1)
    }

    /// The next `times` requests.
    pub fn times(self, times: u64) -> FaultRule {
        FaultRule { left: Some(times), ..self.always() }
    }

    /// Every request.
    pub fn always(self) -> FaultRule {
        FaultRule { fault: self, conditions: Vec::new(), spare: 0, left: None }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code, .. } => f.debug_tuple("Status").field(code).finish(),
            Self::Html => f.write_str("Html"),
            Self::Empty => f.write_str("Empty"),
            Self::BrokenJson => f.write_str("BrokenJson"),
            Self::Answer(answer) => f.debug_tuple("Answer").field(answer).finish(),
            Self::Change(_) => f.write_str("Change"),
            Self::Slow(delay) => f.debug_tuple("Slow").field(delay).finish(),
            Self::Hang => f.write_str("Hang"),
            Self::Refused => f.write_str("Refused"),
            Self::Lost => f.write_str("Lost"),
        }
    }
}

type Condition = Arc<dyn Fn(&SimRequest) -> bool + Send + Sync>;

/// A [`Fault`], the requests that it strikes, and how often.
#[derive(Clone)]
pub struct FaultRule {
    fault: Fault,
    conditions: Vec<Condition>,
    spare: u64,
    left: Option<u64>,
}

impl FaultRule {
    /// Only requests for this very path (without the query).
    #[must_use]
    pub fn on_path(self, path: impl Into<String>) -> Self {
        let path = path.into();
        self.on(move |request| request.path() == path)
    }

    /// Only requests that meet a condition, beside those set before.
    #[must_use]
    pub fn on(mut self, condition: impl Fn(&SimRequest) -> bool + Send + Sync + 'static) -> Self {
        self.conditions.push(Arc::new(condition));
        self
    }

    /// Spares the first `requests` of those that it would strike.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.spare = requests;
        self
    }

    fn take(&mut self, request: &SimRequest) -> Option<Fault> {
        let fits = self.left != Some(0) && self.conditions.iter().all(|condition| condition(request));
        if !fits {
            return None;
        }
        if self.spare > 0 {
            self.spare -= 1;
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(self.fault.clone())
    }
}

impl fmt::Debug for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultRule")
            .field("fault", &self.fault)
            .field("conditions", &self.conditions.len())
            .field("spare", &self.spare)
            .field("left", &self.left)
            .finish()
    }
}

/// The fault plan of a simulator. Clones are handles to one plan, which a test may change at any time.
///
/// Of several rules that fit a request, the one that was added first strikes and the others keep their counts.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    rules: Vec<FaultRule>,
    rate_limit: Option<RateLimit>,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&self, rule: FaultRule) {
        lock(&self.0).rules.push(rule);
    }

    /// Answers 429 to requests beyond a limit that covers the whole simulator.
    pub fn limit_rate(&self, limit: RateLimit) {
        lock(&self.0).rate_limit = Some(limit);
    }

    /// Ends all faults and the limit.
    pub fn clear(&self) {
        *lock(&self.0) = Plan::default();
    }

    /// How often the counted rules will still strike; a test that ends with some left did not meet its faults.
    pub fn outstanding(&self) -> u64 {
        lock(&self.0).rules.iter().filter_map(|rule| rule.left).sum()
    }

    /// The fault that strikes this request, if one does.
    pub(super) fn take(&self, request: &SimRequest) -> Option<Fault> {
        let mut plan = lock(&self.0);
        let planned = plan.rules.iter_mut().find_map(|rule| rule.take(request));
        planned.or_else(|| plan.over_the_limit())
    }
}

impl Plan {
    fn over_the_limit(&self) -> Option<Fault> {
        let limit = self.rate_limit.as_ref()?;
        let wait = limit.take("").err()?;
        // Whole seconds, rounded up: a client that waits for as long as it is told must not be refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(Fault::rate_limited(limit.tells_when().then_some(seconds)))
    }
}
