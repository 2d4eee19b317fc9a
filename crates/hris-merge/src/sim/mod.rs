//! A simulated Merge on a real socket: stateful, written from the vendor's documentation, and sharing no type with the
//! connector, so that both cannot be wrong together. Behind the feature `sim`.
//!
//! ```
//! use hris_merge::sim::MergeSim;
//! use hris_testkit::population::Population;
//!
//! # hris_testkit::run(async {
//! let sim = MergeSim::start(Population::new(7).size(300).build()).await;
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! # });
//! ```
//!
//! Faults (401, 429, 5xx, slow answers, HTML with 200, broken pages) are planned with [`MergeSim::faults`], secrets are
//! withdrawn in the middle of a run with [`MergeSim::keys`] and [`MergeSim::account_tokens`], and the state of the
//! account and what the vendor's documentation leaves open is varied with [`MergeSim::behave`].

mod behaviour;
mod link;
mod lists;
mod render;
mod vendor;

use std::fmt;
use std::sync::Arc;

use hris_testkit::population::{Changes, DayPlan, Population};
use hris_testkit::sim::{Fault, FaultRule, Faults, SimRequest, SimServer, Tokens};

pub use behaviour::{Behaviour, Synchronisation};
pub use link::SignedWebhook;

use crate::MergeCredentials;
use vendor::{Account, SimulatedMerge};

const EMPLOYEES: &str = "/api/hris/v1/employees";
const ORGANISATION: &str = "organisation";

/// Starts, steers and watches a simulated Merge.
///
/// It has one linked account at first, [`MergeSim::ACCOUNT_ID`], which [`MergeSim::API_KEY`] and
/// [`MergeSim::ACCOUNT_TOKEN`] open together. Every person of the population is an employee of it, with
/// [`record_id`](hris_testkit::population::Person::record_id) as the HR system's own id.
pub struct MergeSim {
    server: SimServer,
    merge: Arc<SimulatedMerge>,
}

impl MergeSim {
    /// The API key of the organisation.
    pub const API_KEY: &'static str = "sim-key-5e5a3e00c0ffee00d15ea5e00ba5eba1";
    /// The account token of the first linked account.
    pub const ACCOUNT_TOKEN: &'static str = "sim-account-1ad0be0defacedfeed5afe0b0bacafe1";
    /// The id of the first linked account.
    pub const ACCOUNT_ID: &'static str = "26b5b67a-3016-4d43-b1ce-791a72928858";
    /// The key that webhooks are signed with.
    pub const WEBHOOK_KEY: &'static str = "sim-webhook-key-0ddba11";
    /// The company of the first linked account.
    pub const COMPANY: &'static str = "Lumen & Fable";

    /// Starts with one linked account of these people.
    pub async fn start(people: Population) -> Self {
        let merge = Arc::new(SimulatedMerge::default());
        merge.keys.add(Self::API_KEY, ORGANISATION);
        merge.add(Account::new(Self::ACCOUNT_ID, ORGANISATION, Self::COMPANY, people), Self::ACCOUNT_TOKEN);
        let server = SimServer::start(Arc::clone(&merge)).await;
        Self { server, merge }
    }

    /// Adds another linked account of the organisation, with an account token of its own.
    pub fn add_account(&self, id: &str, company: &str, token: &str, people: Population) {
        self.merge.add(Account::new(id, ORGANISATION, company, people), token);
    }

    /// The customer follows a magic link, or the dialogue of a link token, to its end. These people are in the linked
    /// account if it is new. Returns the signed webhook that Merge then sends, and the public token that an embedded link
    /// ends with; `None` for a link that nobody asked for, or a link token that was used.
    pub fn click(&self, link: &str, people: Population) -> Option<(SignedWebhook, String)> {
        self.merge.click(link, people, Self::WEBHOOK_KEY)
    }

    /// Adds another organisation with an API key and a linked account of its own.
    pub fn add_organisation(&self, key: &str, id: &str, token: &str, people: Population) {
        self.merge.keys.add(key, key);
        self.merge.add(Account::new(id, key, "Elsewhere", people), token);
    }

    /// Scheme, host and port, for the connector's base URL.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// API key and account token, as a connector takes them.
    pub fn credentials(&self) -> MergeCredentials {
        MergeCredentials::new(Self::API_KEY.into(), Self::ACCOUNT_TOKEN.into())
    }

    /// The API keys that are accepted; add, revoke, or revoke after so many requests.
    pub fn keys(&self) -> &Tokens {
        &self.merge.keys
    }

    /// The account tokens that are accepted, each for the id of a linked account.
    pub fn account_tokens(&self) -> &Tokens {
        &self.merge.account_tokens
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.server.requests()
    }

    /// The requests so far for this very path.
    pub fn requests_for(&self, path: &str) -> Vec<Arc<SimRequest>> {
        self.server.requests().into_iter().filter(|request| request.path() == path).collect()
    }

    /// The server, for what this type does not offer.
    pub fn server(&self) -> &SimServer {
        &self.server
    }

    /// Changes the state of the accounts, and how the vendor behaves where its documentation leaves that open, from the
    /// next request on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.merge.behave(change);
    }

    /// The people of the first linked account, as they are now.
    pub fn people(&self) -> Population {
        let people = self.merge.with_people(Self::ACCOUNT_ID, |people| people.clone());
        people.unwrap_or_else(|| Population::new(0).size(0).build())
    }

    /// Replaces the people of the first linked account.
    pub fn set_population(&self, people: Population) {
        self.merge.with_people(Self::ACCOUNT_ID, |old| *old = people);
    }

    /// Lets the first linked account go on to the next day.
    pub fn next_day(&self, plan: &DayPlan) -> Changes {
        self.merge.with_people(Self::ACCOUNT_ID, |people| people.next_day(plan)).unwrap_or_default()
    }

    /// Makes the vendor ignore a person of the first linked account: nothing is left but a shell.
    pub fn ignore(&self, record_id: &str) {
        self.merge.ignore(Self::ACCOUNT_ID, record_id);
    }

    /// Merge's own id of a person.
    pub fn merge_id(record_id: &str) -> String {
        render::merge_id("employee", record_id)
    }

    /// Makes every cursor that was given out so far unknown.
    pub fn forget_cursors(&self) {
        self.merge.forget_cursors();
    }

    /// Once page `page`, counted from 1, of a listing was made, a day passes in the first linked account, so that
    /// records change while they are read.
    pub fn next_day_after_page(&self, page: u64, plan: DayPlan) {
        let merge = Arc::clone(&self.merge);
        let passes = move |served| {
            merge.with_people(Self::ACCOUNT_ID, |people| people.next_day(&plan));
            served
        };
        self.on_page(Fault::change(passes), page, 1);
    }

    /// Once page `page`, counted from 1, of a listing was made, every cursor given out so far becomes unknown.
    pub fn forget_cursors_after_page(&self, page: u64) {
        let merge = Arc::clone(&self.merge);
        let forgets = move |served| {
            merge.forget_cursors();
            served
        };
        self.on_page(Fault::change(forgets), page, 1);
    }

    /// Once page `page`, counted from 1, of a listing was made, the state of the accounts changes.
    pub fn behave_after_page(&self, page: u64, change: impl Fn(&mut Behaviour) + Send + Sync + 'static) {
        let merge = Arc::clone(&self.merge);
        let changes = move |served| {
            merge.behave(&change);
            served
        };
        self.on_page(Fault::change(changes), page, 1);
    }

    /// How many requests were refused since the address had caused too many failures.
    pub fn guarded(&self) -> u64 {
        self.merge.guarded()
    }

    /// Strikes page `page`, counted from 1, of listings.
    pub fn on_page(&self, fault: Fault, page: u64, times: u64) {
        self.faults().add(nth_page(fault, page, times));
    }
}

fn nth_page(fault: Fault, page: u64, times: u64) -> FaultRule {
    let is_later = move |request: &SimRequest| request.query("cursor").is_some();
    let rule = fault.times(times).on_path(EMPLOYEES);
    match page {
        0 | 1 => rule.on(move |request| !is_later(request)),
        _ => rule.on(is_later).after(page - 2),
    }
}

impl fmt::Debug for MergeSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergeSim").field("server", &self.server).finish_non_exhaustive()
    }
}
