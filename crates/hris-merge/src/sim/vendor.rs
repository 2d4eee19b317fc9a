//! The vendor itself: who may ask, what is asked for, and the state behind the answers.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::{SimRequest, SimResponse, Tokens, Vendor};
use serde_json::{Value, json};

use super::behaviour::Behaviour;
use super::link::{Links, SignedWebhook, linked};
use super::lists::{Filter, Place, cursor, order, place};
use super::render::{self, ACCOUNT_TARGET, EXPANDABLE, ORGANISATION_TARGET, START_TARGET, View};

/// Failures in ten seconds that the vendor bears.
const FAILURES_BORNE: usize = 20;

#[derive(Default)]
pub(super) struct SimulatedMerge {
    /// API keys, each opening one organisation.
    pub(super) keys: Tokens,
    /// Account tokens, each opening one linked account.
    pub(super) account_tokens: Tokens,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: Vec<Account>,
    behaviour: Behaviour,
    links: Links,
    failures: VecDeque<DateTime<Utc>>,
    /// How often the guard has refused everything.
    guarded: u64,
}

/// One linked account with its people.
pub(super) struct Account {
    pub(super) id: String,
    /// The organisation whose API key it needs.
    pub(super) organisation: String,
    pub(super) company: String,
    /// The customer's own id of the connection.
    origin_id: String,
    people: Population,
    order: Option<Arc<[Place]>>,
    ignored: BTreeSet<String>,
    /// Cursors of earlier generations are not known any more.
    generation: u64,
}

impl Account {
    pub(super) fn new(id: &str, organisation: &str, company: &str, people: Population) -> Self {
        Self {
            id: id.to_owned(),
            organisation: organisation.to_owned(),
            company: company.to_owned(),
            origin_id: "cust-0042-hris".to_owned(),
            people,
            order: None,
            ignored: BTreeSet::new(),
            generation: 0,
        }
    }

    fn order(&mut self) -> Arc<[Place]> {
        let people = &self.people;
        Arc::clone(self.order.get_or_insert_with(|| order(people.people()).into()))
    }

    /// A person by Merge's id.
    fn by_merge_id(&self, id: &str) -> Option<&Person> {
        let mut people = self.people.people().iter();
        people.find(|person| render::merge_id("employee", &person.record_id) == id)
    }
}

impl SimulatedMerge {
    pub(super) fn add(&self, account: Account, token: &str) {
        self.account_tokens.add(token, account.id.clone());
        self.state().accounts.push(account);
    }

    pub(super) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state().behaviour);
    }

    pub(super) fn with_people<T>(&self, id: &str, act: impl FnOnce(&mut Population) -> T) -> Option<T> {
        let mut state = self.state();
        let account = state.accounts.iter_mut().find(|account| account.id == id)?;
        account.order = None;
        Some(act(&mut account.people))
    }

    pub(super) fn ignore(&self, id: &str, record: &str) {
        let mut state = self.state();
        if let Some(account) = state.accounts.iter_mut().find(|account| account.id == id) {
            account.ignored.insert(record.to_owned());
        }
    }

    /// The customer follows a link to its end: the account is there, with these people if it is new, and the token opens
    /// it. Returns the webhook that is sent then, and what an embedded link ends with.
    pub(super) fn click(&self, link: &str, people: Population, key: &str) -> Option<(SignedWebhook, String)> {
        let mut state = self.state();
        let asked = state.links.asked(link)?;
        let known = state.accounts.iter().position(|account| {
            account.organisation == asked.organisation && account.origin_id == asked.origin_id
        });
        let at = known.unwrap_or_else(|| {
            let id = render::merge_id("linked-account", &asked.origin_id);
            let mut account = Account::new(&id, &asked.organisation, &asked.company, people);
            account.origin_id.clone_from(&asked.origin_id);
            state.accounts.push(account);
            state.accounts.len() - 1
        });
        let (id, row) = (state.accounts[at].id.clone(), state.account(at));
        let token = format!("sim-account-token-of-{}", asked.origin_id);
        self.account_tokens.add(&token, &id);
        let public = format!("public-token-of-{}", asked.origin_id);
        state.links.public.insert(public.clone(), (id, token.clone()));
        let webhook = linked(&row, &token, known.is_some()).to_string();
        Some((SignedWebhook::new(key, &webhook), public))
    }

    pub(super) fn forget_cursors(&self) {
        self.state().accounts.iter_mut().for_each(|account| account.generation += 1);
    }

    pub(super) fn guarded(&self) -> u64 {
        self.state().guarded
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, state: &mut State, request: &SimRequest) -> SimResponse {
        let Some(organisation) = self.keys.admit(request) else { return failure(401) };
        let path = request.segments();
        let rest = match path.split_first() {
            Some((&"api", rest)) => rest.strip_prefix(&["hris", "v1"]).unwrap_or_default(),
            _ => &[],
        };
        match (request.method(), rest) {
            ("POST", ["link-token"]) => {
                return state.links.make(&organisation, request, "https://link.merge.example");
            }
            ("GET", ["account-token", public]) => return state.links.exchange(public, &organisation),
            ("GET", []) if path == ["api", "integrations"] => return integrations(),
            ("GET", ["issues"]) => return state.issues(request),
            _ => {}
        }
        if rest == ["linked-accounts"] {
            return state.linked_accounts(&organisation, request);
        }
        let token = request.header("x-account-token").and_then(|token| self.account_tokens.account(token));
        let found = token.and_then(|id| {
            let mut accounts = state.accounts.iter();
            accounts.position(|account| account.id == id && account.organisation == organisation)
        });
        let Some(at) = found else { return failure(401) };
        state.over_the_limit(at).unwrap_or_else(|| match (request.method(), rest) {
            ("POST", ["delete-account"]) => {
                state.accounts.remove(at);
                self.account_tokens.revoke(request.header("x-account-token").unwrap_or_default());
                SimResponse::raw(200, "application/json", "")
            }
            ("POST", _) => state.change(at, rest, request),
            ("GET", _) => state.answer(at, rest, request),
            _ => failure(405),
        })
    }
}

impl Vendor for SimulatedMerge {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut state = self.state();
        let response = match state.guard() {
            Some(refused) => refused,
            None => self.admit(&mut state, request),
        };
        state.count(&response);
        let date = match state.behaviour.now.parse::<DateTime<Utc>>() {
            Ok(now) if state.behaviour.tells_time => now.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            _ => "about six".to_owned(),
        };
        response.with_header("date", date)
    }

    fn failure(&self, status: u16) -> SimResponse {
        failure(status)
    }
}

/// The vendor's error bodies: a sentence, or a page of a gateway. The wording leaks; nothing may depend on it.
pub(super) fn failure(status: u16) -> SimResponse {
    let detail = match status {
        502..=504 => {
            return SimResponse::raw(status, "text/html", "<html><h1>Bad Gateway</h1></html>");
        }
        401 => "Authentication credentials were not provided.",
        404 => "Not found.",
        429 => "Request was throttled.",
        _ => "Something about this request.",
    };
    SimResponse::json(status, &json!({ "detail": detail }))
}

/// The vendor's list of problems.
fn problem(status: u16, kind: &str) -> SimResponse {
    let problem =
        json!({ "title": "A problem", "detail": "Something about this request.", "problem_type": kind });
    SimResponse::json(status, &json!({ "warnings": [], "errors": [problem] }))
}

/// A page that is the only one.
fn only_page(results: &[Value]) -> SimResponse {
    SimResponse::json(200, &json!({ "next": null, "previous": null, "results": results }))
}

impl State {
    /// The guard over the whole address.
    fn guard(&mut self) -> Option<SimResponse> {
        let now = self.behaviour.failure_guard.as_ref()?.now();
        self.failures.retain(|at| now - *at < TimeDelta::seconds(10));
        if self.failures.len() <= FAILURES_BORNE {
            return None;
        }
        self.guarded += 1;
        Some(failure(429).with_header("retry-after", "60"))
    }

    fn count(&mut self, response: &SimResponse) {
        if response.status() >= 400
            && response.status() != 429
            && let Some(clock) = &self.behaviour.failure_guard
        {
            self.failures.push_back(clock.now());
        }
    }

    fn over_the_limit(&self, at: usize) -> Option<SimResponse> {
        let wait = self.behaviour.rate_limit.as_ref()?.take(&self.accounts[at].id).err()?;
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let limited = failure(429);
        Some(if self.behaviour.tells_retry_after {
            limited.with_header("retry-after", seconds.to_string())
        } else {
            limited
        })
    }

    fn answer(&mut self, at: usize, path: &[&str], request: &SimRequest) -> SimResponse {
        match path {
            ["account-details"] => self.account_details(at),
            ["sync-status"] => self.sync_status(),
            ["employees"] => self.employees(at, request),
            ["employees", "meta" | "ignore", ..] => failure(405),
            ["employees", id] => self.employee(at, id, request),
            ["field-mappings"] if self.behaviour.lists_field_mappings => field_mappings(),
            ["field-mappings"] => failure(403),
            // Teams, available actions and webhook receivers are gone from the vendor's reference.
            _ => failure(404),
        }
    }

    fn change(&mut self, at: usize, path: &[&str], request: &SimRequest) -> SimResponse {
        let account = &mut self.accounts[at];
        match path {
            ["sync-status", "resync"] if self.behaviour.account_type == "TEST" => problem(400, "ERROR"),
            ["sync-status", "resync"] => {
                "SYNCING".clone_into(&mut self.behaviour.sync.status);
                SimResponse::json(200, &json!([]))
            }
            ["employees", "ignore", id] => {
                let reasons = ["GENERAL_CUSTOMER_REQUEST", "GDPR", "OTHER"];
                let body = request.json().unwrap_or_default();
                if !reasons.iter().any(|reason| body["reason"] == *reason) {
                    return problem(400, "INVALID_FIELD_CHOICE");
                }
                let Some(record) = account.by_merge_id(id).map(|person| person.record_id.clone()) else {
                    return failure(404);
                };
                account.ignored.insert(record);
                SimResponse::raw(200, "application/json", "")
            }
            _ => failure(405),
        }
    }

    fn issues(&self, request: &SimRequest) -> SimResponse {
        let rows =
            self.behaviour.issues.iter().filter(|(account, _)| {
                request.query("linked_account_id").is_none_or(|wanted| wanted == account)
            });
        let rows: Vec<_> = rows
            .map(|(account, description)| {
                json!({
                    "id": render::merge_id("issue", account),
                    "status": "ONGOING",
                    "error_description": description,
                    "end_user": "0f6f8a1d-9b20-4c77-8a0b-3f6f8a1d9b20",
                    "first_incident_time": "2026-02-20T10:00:00.000001Z",
                    "is_muted": false,
                })
            })
            .collect();
        only_page(&rows)
    }

    fn account(&self, at: usize) -> Value {
        let (name, slug) = &self.behaviour.integration;
        let account = &self.accounts[at];
        json!({
            "id": account.id,
            "integration": name,
            "integration_slug": slug,
            "category": "hris",
            "end_user_origin_id": account.origin_id,
            "end_user_organization_name": account.company,
            "end_user_email_address": "people@lumenfable.example",
            "status": self.behaviour.account_status,
            "webhook_listener_url": "https://api.merge.dev/api/integrations/webhook-listener/EXAMPLE",
            "is_duplicate": null,
            "account_type": self.behaviour.account_type,
            "completed_at": "2026-02-03T05:10:00.131415Z",
        })
    }

    fn account_details(&self, at: usize) -> SimResponse {
        SimResponse::json(200, &self.account(at))
    }

    fn linked_accounts(&self, organisation: &str, request: &SimRequest) -> SimResponse {
        let is_wanted = |account: &Account| {
            let is = |name: &str, value: &str| request.query(name).is_none_or(|wanted| wanted == value);
            account.organisation == organisation
                && is("id", &account.id)
                && is("end_user_origin_id", &account.origin_id)
        };
        let own = (0..self.accounts.len()).filter(|at| is_wanted(&self.accounts[*at]));
        let rows: Vec<_> = own
            .map(|at| {
                let mut row = self.account(at);
                row["integration"] = json!({ "name": row["integration"], "slug": row["integration_slug"] });
                if let Some(fields) = &self.behaviour.supported_fields {
                    row["integration"]["available_model_operations"] = json!([
                        { "model_name": "Group", "available_operations": ["FETCH"], "supported_fields": ["name"] },
                        { "model_name": "Employee", "available_operations": ["FETCH"], "supported_fields": fields },
                    ]);
                }
                row
            })
            .collect();
        only_page(&rows)
    }

    fn sync_status(&self) -> SimResponse {
        let sync = &self.behaviour.sync;
        let mut rows = vec![json!({
            "model_name": "Group",
            "model_id": "hris.Group",
            "status": "DONE",
            "is_initial_sync": false,
            "last_sync_start": "2026-03-02T02:00:00Z",
            "last_sync_finished": "2026-03-02T02:10:00Z",
            "last_sync_result": "DONE",
            "next_sync_start": null,
        })];
        if sync.is_listed {
            let mut row = json!({
                "model_name": "Employee",
                "model_id": "hris.Employee",
                "status": sync.status,
                "is_initial_sync": sync.is_initial,
                "last_sync_start": sync.started,
                "last_sync_finished": sync.finished,
                "last_sync_result": sync.result,
                "next_sync_start": null,
            });
            if let Some(fresh) = &sync.fresh_as_of {
                row["data_fresh_as_of"] = json!(fresh);
            }
            if let Some(selective) = &sync.selective {
                row["selective_sync_configurations_usage"] = json!(selective);
            }
            rows.push(row);
        }
        only_page(&rows)
    }

    /// The relations asked for in full: of a repeated parameter the last one counts. `None` if one is refused.
    fn expand<'r>(&self, request: &'r SimRequest) -> Option<Vec<&'r str>> {
        let last = request.query_all("expand").last().unwrap_or_default();
        let names: Vec<_> = last.split(',').filter(|name| !name.is_empty()).collect();
        let refused =
            self.behaviour.refuses_unknown_expand && names.iter().any(|name| !EXPANDABLE.contains(name));
        (!refused).then_some(names)
    }

    fn employees(&mut self, at: usize, request: &SimRequest) -> SimResponse {
        let Some(expand) = self.expand(request) else { return problem(400, "INVALID_FIELD_CHOICE") };
        let Ok(filter) = Filter::read(request) else { return problem(400, "INCORRECT_FIELD_TYPE") };
        let size = self.behaviour.page_size.read(request.query("page_size"));
        let generation = self.accounts[at].generation;
        let after = match request.query("cursor").map(|cursor| place(cursor, generation)) {
            Some(None) => return SimResponse::json(404, &json!({ "detail": "Invalid cursor" })),
            after => after.flatten(),
        };
        let order = self.accounts[at].order();
        let start = after.map_or(0, |after| order.partition_point(|known| *known <= after));
        let account = &self.accounts[at];
        let shown = order[start..].iter().filter(|(_, person)| self.shows(account, *person, &filter));
        let mut places: Vec<Place> = shown.take(size + 1).copied().collect();
        let has_more = places.len() > size;
        places.truncate(size);
        let rows: Vec<_> =
            places.iter().map(|(_, person)| self.row(account, *person, &expand, request)).collect();
        let first = order.first().copied().unwrap_or_default();
        let next = match places.last() {
            _ if self.behaviour.loops => Some(cursor('p', first, generation)),
            Some(last) if has_more => Some(cursor('p', *last, generation)),
            _ => None,
        };
        let previous = after.and(places.first()).map(|first| cursor('r', *first, generation));
        self.page(&rows, next, previous.as_deref())
    }

    fn page(&self, rows: &[Value], next: Option<String>, previous: Option<&str>) -> SimResponse {
        let mut body = json!({ "next": next, "previous": previous, "results": rows });
        match next {
            Some(cursor) if self.behaviour.next_as_url => {
                let encoded = cursor.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
                let url =
                    format!("https://api.merge.dev/api/hris/v1/employees?page_size=100&cursor={encoded}");
                body["next"] = json!(url);
            }
            None if self.behaviour.ends_with_empty_text => body["next"] = json!(""),
            None if self.behaviour.ends_without_next => {
                body.as_object_mut().map(|body| body.remove("next"));
            }
            _ => {}
        }
        SimResponse::json(200, &body)
    }

    fn shows(&self, account: &Account, at: usize, filter: &Filter) -> bool {
        let person = &account.people.people()[at];
        let is_hidden = person.deleted && self.behaviour.detects_deletions && !filter.with_deleted;
        let is_shell = account.ignored.contains(&person.record_id);
        let is_there = self.behaviour.people_so_far.is_none_or(|so_far| at < so_far);
        is_there && !is_hidden && (!is_shell || filter.with_shells) && filter.fits(person)
    }

    fn row(&self, account: &Account, at: usize, expand: &[&str], request: &SimRequest) -> Value {
        self.render(account, &account.people.people()[at], expand, request)
    }

    fn render(&self, account: &Account, person: &Person, expand: &[&str], request: &SimRequest) -> Value {
        let view = View {
            company: &account.company,
            expand,
            with_remote_data: request.query("include_remote_data") == Some("true"),
            behaviour: &self.behaviour,
            person: &|record| account.people.person(record).cloned(),
        };
        if account.ignored.contains(&person.record_id) {
            return render::shell(person, &view);
        }
        let mut row = render::employee(person, &view);
        if person.deleted && !self.behaviour.detects_deletions {
            row["remote_was_deleted"] = json!(false);
        }
        row
    }

    fn employee(&self, at: usize, id: &str, request: &SimRequest) -> SimResponse {
        let Some(expand) = self.expand(request) else { return problem(400, "INVALID_FIELD_CHOICE") };
        let account = &self.accounts[at];
        let with_shells = request.query("include_shell_data") == Some("true");
        match account.by_merge_id(id) {
            Some(person) if with_shells || !account.ignored.contains(&person.record_id) => {
                SimResponse::json(200, &self.render(account, person, &expand, request))
            }
            _ => failure(404),
        }
    }
}

fn integrations() -> SimResponse {
    let row = |name: &str, slug: &str, category: &str| json!({ "name": name, "slug": slug, "categories": [category] });
    let all = [
        row("BambooHR", "bamboohr", "hris"),
        row("Greenhouse", "greenhouse", "ats"),
        row("Workday", "workday", "hris"),
    ];
    SimResponse::json(200, &json!(all))
}

fn field_mappings() -> SimResponse {
    let mapping = |name: &str, is_organisations: bool| {
        json!({
            "id": render::merge_id("field-mapping", name),
            "is_integration_wide": is_organisations,
            "target_field": {
                "name": name,
                "description": "A field of the customer's own",
                "is_organization_wide": is_organisations,
            },
            "remote_field": { "remote_key_name": name },
        })
    };
    let own =
        [mapping(ORGANISATION_TARGET.0, true), mapping(START_TARGET, true), mapping(ACCOUNT_TARGET.0, false)];
    SimResponse::json(200, &json!({ "Employee": own, "Location": [] }))
}
