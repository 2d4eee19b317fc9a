//! What a connector's test file hands to the suite: the vendor behind the connector, and what can be done to it.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hris_core::{AccountId, Employee, HrisConnector, Result};
use serde_json::Value;

use crate::ManualClock;
use crate::population::{Person, Population};
use crate::sim::{FaultRule, SimRequest, SimResponse, SimServer};
pub use crate::suite::SkipReason;

/// The vendor behind the connector under test, as the suite steers it: a simulator, or a mock with its script.
///
/// Every method but the first has a default that offers nothing. What is not offered cannot be tested, and has to
/// stand in the list of skips ([`ConnectorHarness::skipping`]).
pub trait TestVendor: Send + Sync + 'static {
    /// Builds a connector to this vendor, or `None` where there is no such case. `Some(Err(…))` is what the
    /// connector's own constructor answered.
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>>;

    /// The server on which the vendor is simulated.
    fn server(&self) -> Option<&SimServer> {
        None
    }

    /// Whether a request asks for employees: for a page of the listing, or for all of it.
    fn is_listing(&self, request: &SimRequest) -> bool {
        let _ = request;
        false
    }

    /// Whether a request asks for an access token.
    fn is_token_request(&self, request: &SimRequest) -> bool {
        let _ = request;
        false
    }

    /// How often this vendor was asked for anything.
    fn asked(&self) -> usize {
        self.server().map_or(0, SimServer::request_count)
    }

    /// How often this vendor was asked for employees.
    fn listings(&self) -> usize {
        let requests = self.server().map(SimServer::requests).unwrap_or_default();
        requests.iter().filter(|request| self.is_listing(request)).count()
    }

    /// Does something to the vendor from the next request on; false where that cannot be done to it.
    fn spoil(&self, spoil: Spoil) -> bool {
        let _ = spoil;
        false
    }

    /// Corrects what the suite expects of a person where this vendor says less, or says it in other words.
    ///
    /// `expected` comes filled by [`employee_of`](super::employee_of): every field, every status, and gaps as the
    /// person's row has them. Nobody who has not left can be made a leaver here.
    fn expected(&self, person: &Person, expected: &mut Employee) {
        let _ = (person, expected);
    }
}

/// How a connector is to be built.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Case<'a> {
    /// With a credential that works, and with the settings that most connections have.
    Good,
    /// As [`Case::Good`], with pages of so many rows.
    PageSize(u32),
    /// As [`Case::Good`], at another address: scheme, host and port.
    At(&'a str),
    /// With a credential that the vendor refuses.
    RefusedCredential,
    /// With a credential that works and does not open the employees.
    MissingPermission,
    /// With a credential of another company than the one that the connection is made for.
    OtherAccount,
    /// With a configuration that cannot work: the one at this place of a list of your own, `None` beyond its end.
    BadConfig(usize),
}

/// What can be done to a vendor in the middle of a test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Spoil {
    /// These are the people now.
    People(Population),
    /// The credential is withdrawn, with everything that it was exchanged for.
    CredentialRevoked,
    /// The access tokens issued so far are refused; the credential stays good.
    TokensExpired,
    /// The second page of the listing has no rows, although there are more pages.
    EmptySecondPage,
    /// The listing leads back to a page that was read before.
    LoopingCursor,
    /// The vendor counts one person more than it lists.
    WrongTotal,
    /// Reading the listing fails for good after so many pages. Asked for only where there is no
    /// [`TestVendor::server`] whose fault plan can do that.
    ListingFails {
        /// The pages that still come.
        after: u64,
    },
}

/// The same answer with another body, for a [`Fault::change`](crate::sim::Fault::change) by which a vendor's pages are
/// spoiled. An answer whose body is no JSON stays as it is.
///
/// ```
/// use hris_testkit::connector_suite::with_json;
/// use hris_testkit::sim::SimResponse;
/// use serde_json::json;
/// let page = SimResponse::json(200, &json!({ "people": [1, 2], "total": 2 }));
/// let spoiled = with_json(&page, |body| body["total"] = json!(3));
/// assert_eq!(spoiled.body(), br#"{"people":[1,2],"total":3}"#);
/// ```
pub fn with_json(answer: &SimResponse, change: impl FnOnce(&mut Value)) -> SimResponse {
    let Ok(mut body) = serde_json::from_slice(answer.body()) else { return answer.clone() };
    change(&mut body);
    let changed = SimResponse::json(answer.status(), &body);
    // The headers that a connector may go by.
    let kept =
        ["date", "link", "retry-after"].into_iter().filter_map(|name| Some((name, answer.header(name)?)));
    kept.fold(changed, |changed, (name, value)| changed.with_header(name, value))
}

/// A vendor, the people that it serves, and what the suite has to know about the connector.
pub struct ConnectorHarness {
    vendor: Arc<dyn TestVendor>,
    population: Population,
    clock: ManualClock,
    account: Option<AccountId>,
    secrets: Vec<String>,
    custom: Vec<(String, String)>,
    attempt: Duration,
    total: Duration,
    one_body: bool,
    distrusts_empty: bool,
    skips: Vec<SkipReason>,
}

impl ConnectorHarness {
    /// A harness for a vendor that serves these people, whose connectors go by this clock.
    ///
    /// The clock should skip the waits between attempts but no time-out: [`ManualClock::skipping`].
    pub fn new(vendor: impl TestVendor, population: Population, clock: ManualClock) -> Self {
        Self {
            vendor: Arc::new(vendor),
            population,
            clock,
            account: None,
            secrets: Vec::new(),
            custom: Vec::new(),
            attempt: Duration::from_secs(30),
            total: Duration::from_secs(600),
            one_body: false,
            distrusts_empty: false,
            skips: Vec::new(),
        }
    }

    /// The account that [`Case::Good`] opens.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<AccountId>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Texts that must not be shown or traced anywhere, beside the people's own data: tokens, keys, PINs.
    #[must_use]
    pub fn with_secrets<S: Into<String>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.extend(secrets.into_iter().map(Into::into));
        self
    }

    /// A custom field: the name by which the connector delivers it, and its key in [`Person::custom`].
    #[must_use]
    pub fn with_custom_field(mut self, name: impl Into<String>, key: impl Into<String>) -> Self {
        self.custom.push((name.into(), key.into()));
        self
    }

    /// The time-out of one attempt at the listing and the time allowed to one operation with all its attempts; 30
    /// seconds and 10 minutes, the defaults of `hris-http`, unless said otherwise.
    #[must_use]
    pub fn with_timeouts(mut self, attempt: Duration, total: Duration) -> Self {
        (self.attempt, self.total) = (attempt, total);
        self
    }

    /// Says that the whole listing comes in one body that is read as it arrives, and cannot be asked for again once
    /// that has begun.
    #[must_use]
    pub fn with_one_body(mut self) -> Self {
        self.one_body = true;
        self
    }

    /// Says that an empty listing may also be this vendor's way to be busy, so that it must not pass for an empty
    /// company: it ends with an error, or with a receipt that proves nobody's absence.
    #[must_use]
    pub fn with_untrusted_emptiness(mut self) -> Self {
        self.distrusts_empty = true;
        self
    }

    /// The behaviours that cannot be tested with this connector, each with its reason.
    ///
    /// The list is held against what the harness offers and the connector is capable of, both ways: a behaviour that
    /// cannot run and is not listed fails, and so does one that is listed and runs.
    #[must_use]
    pub fn skipping(mut self, skips: &[SkipReason]) -> Self {
        self.skips.extend_from_slice(skips);
        self
    }

    pub(crate) fn vendor(&self) -> &dyn TestVendor {
        &*self.vendor
    }

    pub(crate) fn population(&self) -> &Population {
        &self.population
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    pub(crate) fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    pub(crate) fn custom_fields(&self) -> &[(String, String)] {
        &self.custom
    }

    pub(crate) fn attempt_time(&self) -> Duration {
        self.attempt
    }

    pub(crate) fn total_time(&self) -> Duration {
        self.total
    }

    pub(crate) fn has_one_body(&self) -> bool {
        self.one_body
    }

    pub(crate) fn distrusts_empty(&self) -> bool {
        self.distrusts_empty
    }

    pub(crate) fn skips(&self) -> &[SkipReason] {
        &self.skips
    }

    /// A condition for fault rules that holds for requests for employees. It does not keep the vendor alive: the
    /// rule belongs to it.
    pub(crate) fn listing_condition(&self) -> impl Fn(&SimRequest) -> bool + Send + Sync + 'static {
        let vendor: Weak<dyn TestVendor> = Arc::downgrade(&self.vendor);
        move |request| vendor.upgrade().is_some_and(|vendor| vendor.is_listing(request))
    }

    /// Lets a fault strike requests for employees only.
    pub(crate) fn on_listings(&self, rule: FaultRule) -> FaultRule {
        rule.on(self.listing_condition())
    }
}

impl fmt::Debug for ConnectorHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorHarness")
            .field("population", &self.population)
            .field("account", &self.account)
            .field("attempt", &self.attempt)
            .field("total", &self.total)
            .field("one_body", &self.one_body)
            .field("distrusts_empty", &self.distrusts_empty)
            .field("skips", &self.skips)
            .finish_non_exhaustive()
    }
}
