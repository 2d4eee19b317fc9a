//! A stage: a scripted SessionM on a real socket, and a client with the complete settings before it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use hris_core::Error;
use hris_http::Transport;
use hris_sessionm::{
    Committed, Credentials, CustomerRef, Effect, EffectKey, LoyaltyDesk as _, Preparation, Prepared, Refusal,
    SessionM, Settings,
};
use hris_testkit::ManualClock;
use hris_testkit::sim::{SimRequest, SimResponse, SimServer, Vendor};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) const CORE_KEY: &str = "canaryCoreKey0000000000000000000A";
pub(crate) const CORE_SECRET: &str = "canaryCoreSecret000000000000000B";
pub(crate) const CONNECT_KEY: &str = "canaryConnectKey0000000000000000C";
pub(crate) const CONNECT_SECRET: &str = "canaryConnectSecret0000000000000D";
pub(crate) const CUSTOMER: &str = "5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604";
pub(crate) const ACCOUNT: &str = "3f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f";
pub(crate) const SOURCE: &str = "6b5c4d3e-2f1a-4b0c-8d9e-7f6a5b4c3d2e";
pub(crate) const COPY: &str = "d1e2f3a4-b5c6-4d7e-8f90-a1b2c3d4e5f6";
pub(crate) const ROOT: &str = "01234567-89ab-4cde-8f01-23456789abcd";
pub(crate) const NOW: &str = "2026-02-12T10:00:00Z";

pub(crate) const READ: &str = "GET /users/5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604";
pub(crate) const READ_EXTERNAL: &str = "GET /external/users/CRM-000417";
pub(crate) const SEARCH: &str = "GET /users/search";
pub(crate) const UPDATE: &str = "PUT /users/5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604";
pub(crate) const CREATE: &str = "POST /users";
pub(crate) const TAGS: &str = "GET /users/5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604/tags";
pub(crate) const ADD_TAGS: &str = "POST /users/5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604/tags";
pub(crate) const NOTES: &str = "GET /users/5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604/notes";
pub(crate) const ADD_NOTE: &str = "POST /users/5c1f0a72-88d4-4e0b-9a6f-2b7d3e91c604/notes";
pub(crate) const TIMELINE: &str = "GET /timelines/SERVICE_DESK";
pub(crate) const BALANCES: &str = "POST /user_points/all_balances";
pub(crate) const DEPOSIT: &str = "POST /2.0/user_points/deposit";
pub(crate) const SPEND: &str = "POST /user_points/spend_multiple";
pub(crate) const LEDGER: &str = "POST /fetch_point_audit_logs";
pub(crate) const WALLET: &str = "POST /get_user_offers";
pub(crate) const HISTORY: &str = "POST /get_user_offer_history";
pub(crate) const ISSUE: &str = "POST /acquisition/issue";
pub(crate) const REVOKE: &str = "POST /acquisition/revoke";
pub(crate) const REDEEM: &str = "POST /redemption/manual_redeem";
pub(crate) const EXTEND: &str = "POST /acquisition/update";
pub(crate) const FACTS: &str = "POST /fetch_offers_details";
pub(crate) const REWARDS: &str = "POST /get_reward_store_offers";
pub(crate) const PURCHASE: &str = "POST /purchase_offer";

/// Answers by method and end of the path: each route's in order, the last one again and again.
#[derive(Default)]
pub(crate) struct Script(Mutex<Vec<(String, VecDeque<SimResponse>)>>);

impl Vendor for Script {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut routes = self.0.lock().unwrap();
        let fits = |route: &str| {
            let (method, end) = route.split_once(' ').unwrap();
            request.method() == method && request.path().ends_with(end)
        };
        let best = routes.iter_mut().filter(|(route, _)| fits(route)).max_by_key(|(route, _)| route.len());
        let Some((_, answers)) = best else {
            return refused(404, "not_scripted");
        };
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers.front().cloned().unwrap() }
    }

    fn failure(&self, status: u16) -> SimResponse {
        refused(status, "internal_server_error")
    }
}

impl Script {
    /// Forgets a route's answers.
    pub(crate) fn forget(&self, route: &str) {
        self.0.lock().unwrap().retain(|(known, _)| known != route);
    }
}

pub(crate) struct Stage {
    pub(crate) server: SimServer,
    pub(crate) script: Arc<Script>,
    pub(crate) client: SessionM,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings than the complete ones.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let script = Arc::new(Script::default());
        let server = SimServer::start(Arc::clone(&script)).await;
        let mut settings = complete_settings(server.url());
        change(&mut settings);
        let clock = ManualClock::at(NOW).skipping(ManualClock::DEFAULT_SKIP);
        let transport = Transport::builder().with_clock(Arc::new(clock)).build().unwrap();
        let client = SessionM::new(settings, &credentials(), &transport).unwrap();
        Self { server, script, client }
    }

    /// Adds an answer to a route.
    pub(crate) fn on(&self, route: &str, answer: SimResponse) -> &Self {
        let mut routes = self.script.0.lock().unwrap();
        match routes.iter_mut().find(|(known, _)| known == route) {
            Some((_, answers)) => answers.push_back(answer),
            None => routes.push((route.to_owned(), VecDeque::from([answer]))),
        }
        drop(routes);
        self
    }

    /// From now on the routes that `change` gives answers to answer with those, and the others as they did last.
    pub(crate) fn later(&self, change: impl FnOnce(&Self)) {
        let mut before = std::mem::take(&mut *self.script.0.lock().unwrap());
        change(self);
        let mut routes = self.script.0.lock().unwrap();
        before.retain(|(route, _)| routes.iter().all(|(known, _)| known != route));
        routes.extend(
            before.into_iter().map(|(route, mut answers)| (route, answers.split_off(answers.len() - 1))),
        );
    }

    /// Everything that an effect about the customer of the fixtures reads.
    pub(crate) fn customer_with_wallet(&self) -> &Self {
        self.on(READ, fixture("full_read"))
            .on(READ_EXTERNAL, fixture("full_read"))
            .on(BALANCES, fixture("balances"))
            .on(WALLET, fixture("wallet"))
            .on(HISTORY, ok(&json!({ "user_offers": [], "total_records": 0 })))
            .on(REWARDS, fixture("rewards"))
    }

    /// How many requests a route got.
    pub(crate) fn count(&self, route: &str) -> usize {
        self.requests(route).len()
    }

    /// The bodies that a route got.
    pub(crate) fn bodies(&self, route: &str) -> Vec<Value> {
        self.requests(route).iter().map(|request| request.json().unwrap()).collect()
    }

    pub(crate) fn requests(&self, route: &str) -> Vec<Arc<SimRequest>> {
        let (method, end) = route.split_once(' ').unwrap();
        let all = self.server.requests().into_iter();
        all.filter(|request| request.method() == method && request.path().ends_with(end)).collect()
    }

    /// How many requests could have changed something.
    pub(crate) fn writes(&self) -> usize {
        [CREATE, UPDATE, ADD_TAGS, ADD_NOTE, DEPOSIT, SPEND, ISSUE, REVOKE, REDEEM, EXTEND, PURCHASE]
            .iter()
            .map(|route| self.count(route))
            .sum::<usize>()
            + self.count("POST /merge_accounts")
    }

    pub(crate) async fn prepare(&self, effect: Effect) -> Prepared {
        match self.client.prepare(effect, EffectKey::random()).await.unwrap() {
            Preparation::Ready(prepared) => *prepared,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn refusal(&self, effect: Effect) -> Refusal {
        let prepared = self.client.prepare(effect, EffectKey::random()).await.unwrap();
        let refusal = prepared.ready().unwrap_err();
        assert_eq!(self.writes(), 0, "preparing changes nothing");
        refusal
    }

    pub(crate) async fn commit(&self, effect: Effect) -> Committed {
        let prepared = self.prepare(effect).await;
        self.client.commit(prepared).await.unwrap()
    }
}

pub(crate) fn complete_settings(url: &str) -> Settings {
    let text = include_str!("../../settings/complete.toml")
        .replace("https://api-harbour.stg-sessionm.com", url)
        .replace("https://domains-harbour.stg-sessionm.com", url);
    Settings::from_toml(&text).unwrap()
}

pub(crate) fn credentials() -> Credentials {
    let secret = |text: &str| SecretString::from(text);
    Credentials::core(secret(CORE_KEY), secret(CORE_SECRET))
        .with_connect(secret(CONNECT_KEY), secret(CONNECT_SECRET))
}

pub(crate) fn customer() -> CustomerRef {
    CustomerRef::new(CUSTOMER)
}

pub(crate) fn document(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn fixture(name: &str) -> SimResponse {
    SimResponse::json(200, &document(name))
}

pub(crate) fn json_ok(body: &Value) -> SimResponse {
    SimResponse::json(200, body)
}

/// An ok answer of Connect.
pub(crate) fn ok(payload: &Value) -> SimResponse {
    json_ok(&json!({ "status": "ok", "payload": payload }))
}

pub(crate) fn refused(status: u16, code: &str) -> SimResponse {
    SimResponse::json(status, &json!({ "status": "error", "errors": { "code": code, "message": "no" } }))
}

/// The value of a context of an error.
pub(crate) fn context<'a>(error: &'a Error, key: &str) -> Option<&'a str> {
    error.context().find(|(known, _)| *known == key).map(|(_, value)| value)
}
