//! The simulated vendor: who may ask, and which answer belongs to which path.

use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hris_core::SharedClock;
use hris_testkit::sim::{SimRequest, SimResponse, Vendor};

use super::SessionMSim;
use super::state::{State, failed, refused};

pub(super) struct SimulatedSessionM(Mutex<State>);

impl SimulatedSessionM {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self(Mutex::new(State::new(clock)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vendor for SimulatedSessionM {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut state = self.state();
        let segments = request.segments();
        match segments.split_first_chunk() {
            Some((["priv", "v1", "apps", key], rest)) => core(&mut state, key, rest, request),
            _ => connect(&mut state, &segments, request),
        }
    }

    fn failure(&self, status: u16) -> SimResponse {
        if status == 502 {
            return SimResponse::raw(502, "text/html", "\u{feff}<html><h1>Bad Gateway</h1></html>");
        }
        refused(status, "internal_server_error", "something went wrong")
    }
}

fn core(state: &mut State, key: &str, path: &[&str], request: &SimRequest) -> SimResponse {
    let pair = format!("{}:{}", SessionMSim::CORE_KEY, SessionMSim::CORE_SECRET);
    if basic(request).as_deref() != Some(&pair) {
        return refused(401, "invalid_auth_token", "credentials refused");
    }
    if key != SessionMSim::CORE_KEY {
        return refused(401, "invalid_api_key", "unknown key");
    }
    match (request.method(), path) {
        ("POST", ["users"]) => state.create(request),
        ("GET", ["users"]) => state.several(request),
        ("GET", ["users", "search"]) => state.search_exact(request),
        ("GET", ["users", "search_users"]) => state.search_advanced(request),
        ("POST", ["external", "users", id, "merge_accounts"]) => state.merge(id, request),
        (_, ["external", "users", id, rest @ ..]) => {
            let at = state.by_external(id);
            customer(state, at, rest, request)
        }
        (_, ["users", id, rest @ ..]) => {
            let at = state.by_id(id);
            customer(state, at, rest, request)
        }
        _ => refused(404, "not_found", "no such path"),
    }
}

fn customer(state: &mut State, at: Option<usize>, path: &[&str], request: &SimRequest) -> SimResponse {
    match (request.method(), path) {
        ("GET", []) => state.read(at, request),
        ("PUT", []) => state.update(at, request),
        ("GET" | "POST", ["tags"]) => state.tags(at, request),
        ("GET" | "POST", ["notes"]) => state.notes(at, request),
        ("GET", ["timelines", view]) => match at {
            Some(at) => state.timeline(at, view, request),
            None => state.not_found(),
        },
        _ => refused(404, "not_found", "no such path"),
    }
}

fn connect(state: &mut State, path: &[&str], request: &SimRequest) -> SimResponse {
    let pair = format!("{}:{}", SessionMSim::CONNECT_KEY, SessionMSim::CONNECT_SECRET);
    if basic(request).as_deref() != Some(&pair) {
        return refused(401, "invalid_auth_token", "credentials refused");
    }
    if request.method() != "POST" {
        return refused(405, "argument_error", "POST only");
    }
    let Some(body) = request.json() else { return failed("argument_error", "no JSON") };
    match body["retailer_id"].as_str() {
        None => return failed("missing_data", "retailer_id is required"),
        Some(id) if id != SessionMSim::RETAILER_ID => return failed("argument_error", "unknown retailer"),
        Some(_) => {}
    }
    match path {
        ["offers", "api", "2.0", "offers", rest @ ..] => match rest {
            ["acquisition", "revoke"] => return state.revoke(&body),
            ["redemption", "manual_redeem"] => return state.redeem(&body),
            ["fetch_offers_details"] => return state.facts(&body),
            ["rewardstores", "get_reward_store_offers"] => return state.store_list(&body),
            _ => {}
        },
        ["incentives", "api", ..] => {}
        _ => return refused(404, "not_found", "no such path"),
    }
    // Everything else is about one customer.
    let Some(named) = body["user_id"].as_str() else { return failed("missing_data", "user_id is required") };
    let Some(user) = state.customer(named) else { return failed("user_not_found", "user not found") };
    state.customers[user].has_tier = true;
    match path {
        ["incentives", "api", _, "user_points", "all_balances"] => {
            super::state::payload(super::points::balances(state, &state.customers[user].id))
        }
        ["incentives", "api", "1.0" | "2.0", "user_points", "deposit"] => state.deposit(user, &body),
        ["incentives", "api", "1.0", "user_points", "spend_multiple"] => state.spend(user, &body),
        ["incentives", "api", "1.0", "point_audit_logs", "fetch_point_audit_logs"] => {
            state.audit(user, &body)
        }
        ["offers", "api", "2.0", "offers", rest @ ..] => match rest {
            ["get_user_offers"] => state.wallet(user, &body),
            ["get_user_offer_history"] => state.history(user, &body),
            ["acquisition", "issue"] => state.issue(user, &body),
            ["acquisition", "update"] => state.extend(user, &body),
            ["rewardstores", "get_user_reward_stores"] => state.stores(),
            ["rewardstores", "purchase_offer"] => state.purchase(user, &body),
            _ => refused(404, "not_found", "no such path"),
        },
        _ => refused(404, "not_found", "no such path"),
    }
}

/// User and password of a Basic header.
fn basic(request: &SimRequest) -> Option<String> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}
