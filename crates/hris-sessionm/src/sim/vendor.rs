//! The simulated vendor: state, and an answer to each request.

use std::sync::Mutex;
use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hris_testkit::sim::{SimRequest, SimResponse, Vendor};
use serde_json::{Value, json};

use super::SessionMSim;

#[derive(Default)]
pub(super) struct SimulatedSessionM(Mutex<State>);

#[derive(Default)]
struct State {
    customers: Vec<Value>,
    ids_given: u64,
}

impl SimulatedSessionM {
    pub(super) fn new_id(&self) -> String {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.ids_given += 1;
        format!("5c1f0a72-88d4-4e0b-9a6f-{:012x}", state.ids_given)
    }

    pub(super) fn plant(&self, user: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).customers.push(user);
    }

    fn read(&self, found: impl Fn(&Value) -> bool) -> SimResponse {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.customers.iter().find(|user| found(user)) {
            Some(user) => SimResponse::json(200, &json!({ "status": "ok", "user": user })),
            None => refused(404, "user_not_found", "user not found"),
        }
    }
}

impl Vendor for SimulatedSessionM {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let segments = request.segments();
        let Some((["priv", "v1", "apps", key], rest)) = segments.split_first_chunk() else {
            return refused(404, "not_found", "no such path");
        };
        if basic(request).as_deref()
            != Some(&format!("{}:{}", SessionMSim::CORE_KEY, SessionMSim::CORE_SECRET))
        {
            return refused(401, "invalid_auth_token", "credentials refused");
        }
        if *key != SessionMSim::CORE_KEY {
            return refused(401, "invalid_api_key", "unknown key");
        }
        match (request.method(), rest) {
            ("GET", ["users", id]) => {
                self.read(|user| user["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id)))
            }
            ("GET", ["external", "users", id]) => self.read(|user| user["external_id"].as_str() == Some(id)),
            _ => refused(404, "not_found", "no such path"),
        }
    }

    fn failure(&self, status: u16) -> SimResponse {
        refused(status, "internal_server_error", "something went wrong")
    }
}

fn refused(status: u16, code: &str, message: &str) -> SimResponse {
    SimResponse::json(status, &json!({ "status": "error", "errors": { "code": code, "message": message } }))
}

/// User and password of a Basic header.
fn basic(request: &SimRequest) -> Option<String> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}
