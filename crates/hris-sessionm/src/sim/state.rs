//! What the simulated vendor knows, and the small change of answers: envelopes, ids, times, points.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use hris_core::SharedClock;
use hris_testkit::sim::SimResponse;
use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, NotFoundStyle};

/// Points in hundredths: exact, and no type of the client's.
pub(super) type Hundredths = i64;

pub(super) struct State {
    pub(super) clock: SharedClock,
    pub(super) behaviour: Behaviour,
    pub(super) customers: Vec<Customer>,
    pub(super) accounts: Vec<PointAccount>,
    pub(super) sources: Vec<PointSource>,
    pub(super) ledger: Vec<Booking>,
    pub(super) offers: Vec<Offer>,
    pub(super) copies: Vec<Copy>,
    pub(super) priced: Vec<Priced>,
    pub(super) events: Vec<Event>,
    /// Merges: who survived, who is gone.
    pub(super) merges: Vec<(String, String)>,
    /// Customers created and changed through the API.
    pub(super) customer_writes: u64,
    given: u64,
}

/// A customer: its `user` object without what is computed, and what hangs on it.
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) fields: Map<String, Value>,
    /// External ids with their types, the latest last.
    pub(super) external: Vec<(String, Option<String>)>,
    pub(super) tags: BTreeMap<String, u64>,
    pub(super) notes: Vec<Value>,
    /// Whether the incentives side has seen the customer.
    pub(super) has_tier: bool,
}

pub(super) struct PointAccount {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) group: String,
}

pub(super) struct PointSource {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) accounts: Vec<String>,
}

/// One line of the points ledger.
pub(super) struct Booking {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) account: String,
    pub(super) source: Option<String>,
    pub(super) change: Hundredths,
    /// 1 issued, 2 spent.
    pub(super) kind: u8,
    pub(super) reference_type: Value,
    pub(super) reference_id: Value,
    pub(super) idempotency_id: Value,
    pub(super) at: DateTime<Utc>,
}

/// An offer of the organisation.
pub(super) struct Offer {
    pub(super) root: String,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) kind: String,
    /// How many copies are left; `None` for any number.
    pub(super) stock: Option<u64>,
    /// How many days a copy lasts; `None` for ever.
    pub(super) days: Option<i64>,
    pub(super) ends: Option<DateTime<Utc>>,
}

/// A copy of an offer in a customer's wallet.
pub(super) struct Copy {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) offer: usize,
    pub(super) acquired: DateTime<Utc>,
    pub(super) starts: DateTime<Utc>,
    pub(super) ends: Option<DateTime<Utc>>,
    pub(super) state: CopyState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CopyState {
    Issued,
    Revoked(String),
    Redeemed(DateTime<Utc>),
}

/// An offer in a reward store.
pub(super) struct Priced {
    pub(super) id: String,
    pub(super) store: String,
    pub(super) offer: usize,
    pub(super) price: Hundredths,
}

pub(super) struct Event {
    pub(super) user: String,
    pub(super) at: DateTime<Utc>,
    pub(super) slug: &'static str,
    pub(super) payload: Value,
}

impl State {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            behaviour: Behaviour::default(),
            customers: Vec::new(),
            accounts: Vec::new(),
            sources: Vec::new(),
            ledger: Vec::new(),
            offers: Vec::new(),
            copies: Vec::new(),
            priced: Vec::new(),
            events: Vec::new(),
            customer_writes: 0,
            merges: Vec::new(),
            given: 0,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// An id that nothing else has.
    pub(super) fn new_id(&mut self) -> String {
        self.given += 1;
        format!("5c1f0a72-88d4-4e0b-9a6f-{:012x}", self.given)
    }

    /// An id as it is shown.
    pub(super) fn shown(&self, id: &str) -> String {
        if self.behaviour.capital_ids { id.to_uppercase() } else { id.to_owned() }
    }

    /// The customer that Connect's `user_id` names: by its id, or by an external id as some organisations have it.
    pub(super) fn customer(&self, id: &str) -> Option<usize> {
        self.by_id(id).or_else(|| self.by_external(id))
    }

    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.customers.iter().position(|customer| customer.id.eq_ignore_ascii_case(id))
    }

    pub(super) fn by_external(&self, id: &str) -> Option<usize> {
        self.customers.iter().position(|customer| customer.external.iter().any(|(known, _)| known == id))
    }

    /// Those with this e-mail address.
    pub(super) fn by_email(&self, email: &str) -> Vec<usize> {
        let has = |customer: &Customer| {
            let known = customer.fields.get("email").and_then(Value::as_str);
            known.is_some_and(|known| known.eq_ignore_ascii_case(email))
        };
        (0..self.customers.len()).filter(|at| has(&self.customers[*at])).collect()
    }

    pub(super) fn balance(&self, user: &str, account: &str) -> Hundredths {
        let own = self.ledger.iter().filter(|booking| booking.user == user && booking.account == account);
        own.map(|booking| booking.change).sum()
    }

    pub(super) fn earned(&self, user: &str, account: &str) -> Hundredths {
        let own = self.ledger.iter().filter(|booking| booking.user == user && booking.account == account);
        own.map(|booking| booking.change.max(0)).sum()
    }

    /// A time as Connect shows it: seven digits of a second, mostly with a zone.
    pub(super) fn time(&self, at: DateTime<Utc>) -> Value {
        let ticks = at.timestamp_subsec_nanos() / 100;
        let text = format!("{}.{ticks:07}", at.format("%Y-%m-%dT%H:%M:%S"));
        json!(if self.behaviour.times_without_zone { text } else { format!("{text}Z") })
    }

    pub(super) fn not_found(&self) -> SimResponse {
        let status = match self.behaviour.not_found {
            NotFoundStyle::Http404 => 404,
            NotFoundStyle::Http400 => 400,
            NotFoundStyle::Http200 => 200,
        };
        refused(status, "user_not_found", "user not found")
    }

    pub(super) fn list(&self, rows: Vec<Value>) -> Value {
        if rows.is_empty() && self.behaviour.null_lists { Value::Null } else { Value::Array(rows) }
    }

    pub(super) fn record(&mut self, user: &str, slug: &'static str, payload: Value) {
        let at = self.now();
        self.events.push(Event { user: user.to_owned(), at, slug, payload });
    }
}

/// A time without fraction, as Connect is sent them.
pub(super) fn plain_time(at: DateTime<Utc>) -> Value {
    json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Points as a JSON number.
#[expect(clippy::cast_precision_loss, reason = "amounts are far below")]
pub(super) fn points(amount: Hundredths) -> Value {
    if amount % 100 == 0 { json!(amount / 100) } else { json!(amount as f64 / 100.0) }
}

/// Points from a JSON number, if it has at most two decimals.
#[expect(clippy::cast_possible_truncation, reason = "amounts beyond it are refused before")]
pub(super) fn hundredths(value: &Value) -> Option<Hundredths> {
    let scaled = value.as_f64()? * 100.0;
    (scaled.abs() < 1e15 && (scaled - scaled.round()).abs() < 1e-6).then_some(scaled.round() as i64)
}

/// Core's success.
pub(super) fn core(name: &str, value: Value) -> SimResponse {
    let mut body = json!({ "status": "ok" });
    body[name] = value;
    SimResponse::json(200, &body)
}

/// Connect's success.
#[expect(clippy::needless_pass_by_value, reason = "it reads like an answer")]
pub(super) fn payload(value: Value) -> SimResponse {
    SimResponse::json(200, &json!({ "status": "ok", "payload": value }))
}

/// An error in Core's form, which Connect shares but for more keys.
pub(super) fn refused(status: u16, code: &str, message: &str) -> SimResponse {
    let errors = json!({ "code": code, "message": message });
    SimResponse::json(status, &json!({ "status": "error", "errors": errors }))
}

/// An error of Connect: 200 all the same.
pub(super) fn failed(code: &str, message: &str) -> SimResponse {
    let errors = json!({ "code": code, "type": "ValidationException", "message": message, "raw_message": null,
                         "stack_trace": "at Harbour.Mock()" });
    SimResponse::json(200, &json!({ "status": "error", "errors": errors }))
}
