//! A simulated SessionM on a real socket: stateful, written from the vendor's documentation, and sharing no type with
//! the client, so that both cannot be wrong together. Behind the feature `sim`.
//!
//! ```
//! use hris_sessionm::sim::SessionMSim;
//! use serde_json::json;
//!
//! # hris_testkit::run(async {
//! let sim = SessionMSim::start().await;
//! let id = sim.plant_customer(json!({ "email": "mara@example.com", "external_id": "CRM-1" }));
//! sim.plant_points(&id, SessionMSim::SPENDABLE, 164.5);
//! assert_eq!(sim.balance(&id, SessionMSim::SPENDABLE), 164.5);
//! # });
//! ```
//!
//! Faults (lost answers, whose effect happens all the same, 429, 5xx, slow and broken answers) are planned with
//! [`SessionMSim::faults`]; what the documentation leaves open, and the vendor's quirks, with [`SessionMSim::behave`].

mod behaviour;
mod by_hand;
mod customers;
mod offers;
mod points;
mod state;
mod timeline;
mod vendor;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::SharedClock;
use hris_testkit::ManualClock;
use hris_testkit::sim::{Faults, SimRequest, SimServer};
use secrecy::SecretString;
use serde_json::{Value, json};

pub use behaviour::{Behaviour, NotFoundStyle};
use state::{CopyState, Event, Offer, PointAccount, PointSource, Priced, State, hundredths};
use vendor::SimulatedSessionM;

/// Starts, steers and watches a simulated SessionM: one organisation with both API families on one address.
///
/// It has two point accounts, a source of points that is linked to the first of them, some offers, a store for agents
/// ([`SessionMSim::AGENT_STORE`]) and one for rewards ([`SessionMSim::REWARD_STORE`]), and no customer.
pub struct SessionMSim {
    server: SimServer,
    sessionm: Arc<SimulatedSessionM>,
}

impl SessionMSim {
    /// The Core key, which is part of every Core URL.
    pub const CORE_KEY: &'static str = "mockCoreKey00000000000000000000A";
    /// The Core secret.
    pub const CORE_SECRET: &'static str = "mockCoreSecret000000000000000000";
    /// The Connect key.
    pub const CONNECT_KEY: &'static str = "mockConnectKey00000000000000000B";
    /// The Connect secret.
    pub const CONNECT_SECRET: &'static str = "mockConnectSecret000000000000000";
    /// The retailer.
    pub const RETAILER_ID: &'static str = "91f2c8de-3f64-4a9b-8a51-7c3f0e6d2b18";
    /// The point account that rewards are paid from.
    pub const SPENDABLE: &'static str = "3f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f";
    /// The other point account.
    pub const PARTNER: &'static str = "aa0b1c2d-3e4f-4051-9263-748596a7b8c9";
    /// The source of points that agents award, linked to [`SessionMSim::SPENDABLE`].
    pub const COMP: &'static str = "6b5c4d3e-2f1a-4b0c-8d9e-7f6a5b4c3d2e";
    /// The reward store.
    pub const REWARD_STORE: &'static str = "55555555-0000-4000-8000-00000000000a";
    /// The store with what agents may issue.
    pub const AGENT_STORE: &'static str = "55555555-0000-4000-8000-00000000000b";
    /// The stable identity of the offer "Ten percent off".
    pub const TEN_PERCENT: &'static str = "01234567-89ab-4cde-8f01-000000000001";
    /// The stable identity of an offer of which there is one copy.
    pub const LAST_ONE: &'static str = "01234567-89ab-4cde-8f01-000000000002";
    /// The stable identity of the reward "Free coffee".
    pub const COFFEE: &'static str = "01234567-89ab-4cde-8f01-000000000003";
    /// The view of the timeline.
    pub const TIMELINE_VIEW: &'static str = "SERVICE_DESK";

    /// Starts without customers, on the morning of 2 March 2026.
    pub async fn start() -> Self {
        Self::start_at(Arc::new(ManualClock::at("2026-03-02T06:00:00Z"))).await
    }

    /// The same by a clock of the caller's.
    pub async fn start_at(clock: SharedClock) -> Self {
        let sessionm = Arc::new(SimulatedSessionM::new(clock));
        furnish(&mut sessionm.state());
        let server = SimServer::start(Arc::clone(&sessionm)).await;
        Self { server, sessionm }
    }

    /// Scheme, host and port of both families.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The keys of both families, as the client takes them.
    pub fn credentials(&self) -> crate::Credentials {
        let secret = |text: &str| SecretString::from(text);
        crate::Credentials::core(secret(Self::CORE_KEY), secret(Self::CORE_SECRET))
            .with_connect(secret(Self::CONNECT_KEY), secret(Self::CONNECT_SECRET))
    }

    /// Changes how the vendor behaves from the next request on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.sessionm.state().behaviour);
    }

    /// Puts a customer there, from the `user` object of an answer, and returns its id. What only the organisation can set,
    /// such as `suspended`, can be set here.
    #[expect(clippy::needless_pass_by_value, reason = "callers write it in place")]
    pub fn plant_customer(&self, user: Value) -> String {
        self.sessionm.state().plant(&user)
    }

    /// Gives points that nobody awarded through the API. At most two decimals count.
    pub fn plant_points(&self, customer: &str, account: &str, amount: f64) {
        let amount = hundredths(&json!(amount)).unwrap_or_default();
        self.sessionm.state().book(customer, account, amount, &json!({ "reference_type": "opening" }));
    }

    /// Puts an offer of a stable identity into a wallet as it was issued `days_ago`, lasting so many days. `None` if there
    /// is no such offer.
    pub fn plant_offer(&self, customer: &str, root: &str, days_ago: i64, lasting: i64) -> Option<String> {
        let mut state = self.sessionm.state();
        let offer = state.offers.iter().position(|offer| offer.root == root)?;
        let id = state.put_in_wallet(customer, offer);
        let copy = state.copies.last_mut()?;
        copy.acquired -= TimeDelta::days(days_ago);
        copy.starts = copy.acquired;
        copy.ends = Some(copy.acquired + TimeDelta::days(lasting));
        Some(id)
    }

    /// Adds something a customer did, `minutes_ago`, by the slug of its kind: `PURCHASE` or `INCENTIVES_POINT_SPEND`.
    pub fn plant_event(&self, customer: &str, slug: &'static str, minutes_ago: i64, payload: Value) {
        let mut state = self.sessionm.state();
        let at = state.now() - TimeDelta::minutes(minutes_ago);
        state.events.push(Event { user: customer.to_owned(), at, slug, payload });
    }

    /// The points of a customer in an account.
    #[expect(clippy::cast_precision_loss, reason = "amounts are far below")]
    pub fn balance(&self, customer: &str, account: &str) -> f64 {
        self.sessionm.state().balance(customer, account) as f64 / 100.0
    }

    /// How many bookings a customer's ledger has.
    pub fn bookings(&self, customer: &str) -> usize {
        self.sessionm.state().ledger.iter().filter(|row| row.user == customer).count()
    }

    /// The state of each copy of an offer that a customer ever had, in order: `issued`, `revoked` or `redeemed`, and when it
    /// ends.
    pub fn copies(&self, customer: &str) -> Vec<(String, &'static str, Option<DateTime<Utc>>)> {
        let state = self.sessionm.state();
        let own = state.copies.iter().filter(|copy| copy.user == customer);
        let word = |state: &CopyState| match state {
            CopyState::Issued => "issued",
            CopyState::Revoked(_) => "revoked",
            CopyState::Redeemed(_) => "redeemed",
        };
        own.map(|copy| (copy.id.clone(), word(&copy.state), copy.ends)).collect()
    }

    /// What was given as the reason of a revocation.
    pub fn revoked_because(&self, copy: &str) -> Option<String> {
        let state = self.sessionm.state();
        let found = state.copies.iter().find(|known| known.id == copy)?;
        match &found.state {
            CopyState::Revoked(reason) => Some(reason.clone()),
            _ => None,
        }
    }

    /// How many notes a customer has.
    pub fn notes(&self, customer: &str) -> usize {
        let state = self.sessionm.state();
        state.by_id(customer).map_or(0, |at| state.customers[at].notes.len())
    }

    /// The `user` object of a customer as it is stored; `None` once it is gone.
    pub fn stored(&self, customer: &str) -> Option<Value> {
        let state = self.sessionm.state();
        state.by_id(customer).map(|at| Value::Object(state.customers[at].fields.clone()))
    }

    /// The external ids of a customer, the latest last.
    pub fn external_ids(&self, customer: &str) -> Vec<String> {
        let state = self.sessionm.state();
        let found = state.by_id(customer).map(|at| &state.customers[at].external);
        found.into_iter().flatten().map(|(id, _)| id.clone()).collect()
    }

    /// How many customers there are.
    pub fn customers(&self) -> usize {
        self.sessionm.state().customers.len()
    }

    /// The merges so far: the id that survived, and the one that is gone.
    pub fn merges(&self) -> Vec<(String, String)> {
        self.sessionm.state().merges.clone()
    }

    /// The fault plan.
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<SimRequest>> {
        self.server.requests()
    }

    /// The requests so far whose path ends so.
    pub fn requests_for(&self, end: &str) -> Vec<Arc<SimRequest>> {
        self.server.requests().into_iter().filter(|request| request.path().ends_with(end)).collect()
    }

    /// The server, for what this type does not offer.
    pub fn server(&self) -> &SimServer {
        &self.server
    }
}

fn furnish(state: &mut State) {
    let account = |id: &str, name: &str, group: &str| PointAccount {
        id: id.to_owned(),
        name: name.to_owned(),
        group: group.to_owned(),
    };
    state.accounts.push(account(SessionMSim::SPENDABLE, "Harbour Spendable", "Spend"));
    state.accounts.push(account(SessionMSim::PARTNER, "Harbour Partner", ""));
    state.sources.push(PointSource {
        id: SessionMSim::COMP.to_owned(),
        name: "Service comp".to_owned(),
        accounts: vec![SessionMSim::SPENDABLE.to_owned()],
    });
    let offers = [
        (SessionMSim::TEN_PERCENT, "ten-percent", "Ten percent off", "percent_discount", None, Some(28)),
        (SessionMSim::LAST_ONE, "last-one", "The last one", "fixed_amount_check_discount", Some(1), Some(28)),
        (SessionMSim::COFFEE, "free-coffee", "Free coffee", "manual_fulfillment", None, None),
        (
            "01234567-89ab-4cde-8f01-000000000004",
            "dinner",
            "Dinner for two",
            "manual_fulfillment",
            Some(5),
            Some(90),
        ),
    ];
    for (at, (root, name, title, kind, stock, days)) in offers.into_iter().enumerate() {
        state.offers.push(Offer {
            root: root.to_owned(),
            version: root.replace("01234567", "10a9b8c7"),
            name: name.to_owned(),
            title: title.to_owned(),
            description: format!("{title}, once."),
            kind: kind.to_owned(),
            stock,
            days,
            ends: None,
        });
        let prices = [
            (SessionMSim::AGENT_STORE, 0),
            (SessionMSim::REWARD_STORE, [5_000, 20_000, 10_000, 100_000][at]),
        ];
        for (store, price) in prices {
            let id = format!("{}{}{at}", &store[..34], &store[35..]);
            state.priced.push(Priced { id, store: store.to_owned(), offer: at, price });
        }
    }
}

impl fmt::Debug for SessionMSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMSim").field("server", &self.server).finish_non_exhaustive()
    }
}
