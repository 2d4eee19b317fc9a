//! The vendor itself: who may ask, what is asked for, and the state behind the answers.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hris_testkit::population::{Person, PersonStatus, Population};
use hris_testkit::sim::{SimRequest, SimResponse, Tokens, Vendor};
use serde_json::{Value, json};

use super::behaviour::{Behaviour, Refusal, Total};
use super::render;

#[derive(Default)]
pub(super) struct SimulatedTriNet {
    /// The access tokens that are accepted, each of a client.
    pub(super) tokens: Tokens,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tenants: Vec<Tenant>,
    clients: Vec<Client>,
    behaviour: Behaviour,
    /// When each token that was ever issued expires.
    issued: HashMap<String, Option<DateTime<Utc>>>,
    answers: u64,
    /// Pages that repeat the page before, and how often they still do.
    repeats: HashMap<u64, u64>,
}

/// One company with its people.
struct Tenant {
    id: String,
    name: String,
    people: Population,
    /// The positions of those who are listed, by the letter that is filtered by.
    listed: HashMap<Option<String>, Arc<[usize]>>,
    /// Where the person with a record id of the population stands.
    positions: HashMap<String, usize>,
}

/// A pair of credentials, and the companies that it opens.
struct Client {
    id: String,
    secret: String,
    companies: Vec<String>,
    is_revoked: bool,
}

impl SimulatedTriNet {
    pub(super) fn add_company(&self, id: &str, name: &str, people: Population) {
        let (id, name) = (id.to_owned(), name.to_owned());
        let tenant = Tenant { id, name, people, listed: HashMap::new(), positions: HashMap::new() };
        self.state().tenants.push(tenant);
    }

    pub(super) fn add_client(&self, id: &str, secret: &str, companies: &[&str]) {
        let companies = companies.iter().map(|company| (*company).to_owned()).collect();
        let (id, secret) = (id.to_owned(), secret.to_owned());
        self.state().clients.push(Client { id, secret, companies, is_revoked: false });
    }

    pub(super) fn revoke_client(&self, id: &str) {
        for client in self.state().clients.iter_mut().filter(|client| client.id == id) {
            client.is_revoked = true;
        }
    }

    pub(super) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut state = self.state();
        change(&mut state.behaviour);
        state.tenants.iter_mut().for_each(Tenant::forget);
    }

    pub(super) fn with_people<T>(&self, company: &str, act: impl FnOnce(&mut Population) -> T) -> Option<T> {
        let mut state = self.state();
        let tenant = state.tenants.iter_mut().find(|tenant| tenant.id == company)?;
        tenant.forget();
        Some(act(&mut tenant.people))
    }

    pub(super) fn repeat_page(&self, page: u64, times: u64) {
        self.state().repeats.insert(page, times);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vendor for SimulatedTriNet {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut state = self.state();
        state.answers += 1;
        if request.path() == state.behaviour.token_path {
            return state.issue(&self.tokens, request);
        }
        let client = match state.admit(&self.tokens, request) {
            Ok(client) => client,
            Err(refused) => return refused,
        };
        if let Some(limited) = state.over_the_limit(&client) {
            return limited;
        }
        let demands_header = state.behaviour.demands_grant_type_header;
        if demands_header && request.header("grant_type") != Some("client_credentials") {
            return SimResponse::json(400, &render::failure(400, "grant_type is missing"));
        }
        if request.method() != "GET" {
            return SimResponse::json(405, &render::failure(405, "Method not allowed"));
        }
        state.answer(&client, request)
    }

    fn failure(&self, status: u16) -> SimResponse {
        let body = match status {
            401 => render::fault("keymanagement.service.invalid_access_token", "Invalid access token"),
            403 => render::fault("steps.oauth.v2.InsufficientScope", "Required scope(s): hr-admin-read"),
            404 => return no_such_path(),
            429 => render::fault("policies.ratelimit.QuotaViolation", "Rate limit quota violation."),
            _ => render::fault("messaging.adaptors.http.flow.ErrorResponseCode", "Something is wrong"),
        };
        SimResponse::json(status, &body)
    }
}

fn refused(refusal: Refusal) -> SimResponse {
    match refusal {
        Refusal::NotInProduct => {
            let code = "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound";
            let body = render::fault(code, "Invalid API call as no apiproduct match found");
            SimResponse::json(401, &body)
        }
        Refusal::Unreadable => SimResponse::raw(401, "text/html", "<html>Unauthorized</html>"),
        Refusal::NoScope => {
            let body = render::fault("steps.oauth.v2.InsufficientScope", "Required scope(s): hr-admin-read");
            SimResponse::json(403, &body)
        }
    }
}

fn no_such_company() -> SimResponse {
    SimResponse::json(404, &render::failure(404, "Company not found"))
}

/// As the gateway answers where it knows of nothing behind a path.
fn no_such_path() -> SimResponse {
    let code = "messaging.adaptors.http.flow.ApplicationNotFound";
    SimResponse::json(404, &render::fault(code, "Unable to identify proxy for host and url"))
}

impl State {
    /// Answers a token request.
    fn issue(&mut self, tokens: &Tokens, request: &SimRequest) -> SimResponse {
        let is_post = request.method() == "POST";
        let form = |name| request.form(name).filter(|_| is_post);
        let grant = request.query("grant_type").map(str::to_owned).or_else(|| form("grant_type"));
        if grant.as_deref() != Some("client_credentials") {
            return SimResponse::json(400, &render::token_failure("invalid_request"));
        }
        let in_form = || {
            let may = self.behaviour.accepts_form_credentials;
            form("client_id").zip(form("client_secret")).filter(|_| may)
        };
        let pair = basic(request).or_else(in_form);
        let known = pair.and_then(|(id, secret)| {
            self.clients
                .iter()
                .find(|client| client.id == id && client.secret == secret && !client.is_revoked)
        });
        let Some(client) = known else {
            return SimResponse::json(401, &render::token_failure("invalid_client"));
        };
        let token = format!("mockToken{:019}", self.issued.len() + 1);
        let life = TimeDelta::seconds(self.behaviour.token_life.seconds().into());
        let end = self.behaviour.clock.as_ref().map(|clock| clock.now() + life);
        self.issued.insert(token.clone(), end);
        tokens.add(token.clone(), client.id.clone());
        SimResponse::json(200, &render::token(&token, &client.id, &self.behaviour))
    }

    /// The client behind a request's token, or the answer to one that has none.
    fn admit(&self, tokens: &Tokens, request: &SimRequest) -> Result<String, SimResponse> {
        let invalid = || {
            let code = "keymanagement.service.invalid_access_token";
            SimResponse::json(401, &render::fault(code, "Invalid access token"))
        };
        let token = request.bearer().ok_or_else(invalid)?;
        let end = self.issued.get(token).copied().flatten();
        let is_over = end.zip(self.behaviour.clock.as_ref()).is_some_and(|(end, clock)| clock.now() >= end);
        let client = tokens.account(token).filter(|_| !is_over);
        client.ok_or_else(|| {
            if !self.issued.contains_key(token) {
                return invalid();
            }
            let code = "keymanagement.service.access_token_expired";
            SimResponse::json(401, &render::fault(code, "Access Token expired"))
        })
    }

    fn over_the_limit(&self, client: &str) -> Option<SimResponse> {
        let wait = self.behaviour.rate_limit.as_ref()?.take(client).err()?;
        let fault = render::fault("policies.ratelimit.QuotaViolation", "Rate limit quota violation.");
        let limited = SimResponse::json(429, &fault);
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(if self.behaviour.tells_retry_after {
            limited.with_header("retry-after", seconds.to_string())
        } else {
            limited
        })
    }

    fn answer(&mut self, client: &str, request: &SimRequest) -> SimResponse {
        let Some(path) = request.path().strip_prefix(&*self.behaviour.api_prefix) else {
            return no_such_path();
        };
        let inside = SimRequest::new("GET", path, Vec::<(String, String)>::new(), "");
        let segments = inside.segments();
        let (company, what) = match segments[..] {
            ["company", company, what] => (company, what),
            ["manage-company", company, "org-details"] => (company, "org-details"),
            _ => return no_such_path(),
        };
        let Some(at) = self.tenants.iter().position(|tenant| tenant.id == company) else {
            return no_such_company();
        };
        let opens = |client: &Client| client.companies.iter().any(|opened| opened == company);
        if !self.clients.iter().any(|known| known.id == client && opens(known)) {
            let status = self.behaviour.foreign_company;
            return SimResponse::json(status, &render::failure(status, "Company not found"));
        }
        match (what, self.behaviour.refuses_side_endpoints) {
            ("employees", _) => self.employees(at, request),
            (_, Some(refusal)) => refused(refusal),
            (what, None) => self.side(at, what),
        }
    }

    fn side(&self, at: usize, what: &str) -> SimResponse {
        let tenant = &self.tenants[at];
        let names = |part: fn(&Person) -> Option<&str>| tenant.people.listed().filter_map(part);
        let list = |part, render: fn(&str) -> Value| {
            names(part).collect::<BTreeSet<_>>().into_iter().map(render).collect::<Value>()
        };
        let data = match what {
            "org-details" => {
                let company = render::company(&tenant.id, &tenant.name, &self.behaviour);
                if self.behaviour.lists_company { json!([company]) } else { company }
            }
            "departments" => list(|person| person.department.as_deref(), render::department),
            "locations" => list(|person| person.location.as_deref(), render::location),
            "jobs" => list(|person| person.job_title.as_deref(), render::job),
            "paygroups" => json!([{ "payGroupId": "AC1", "payGroupDescription": "Monthly" }]),
            _ => return no_such_path(),
        };
        SimResponse::json(200, &render::envelope(&data, self.answers))
    }

    fn employees(&mut self, at: usize, request: &SimRequest) -> SimResponse {
        let is_full = request.query("viewType") == Some("All");
        if let Some(refusal) = self.behaviour.refuses_list {
            return refused(refusal);
        }
        if let Some(refusal) = self.behaviour.refuses_full_view.filter(|_| is_full) {
            return refused(refusal);
        }
        let size = self.behaviour.page_size.read(request.query("limit"));
        let start = self.start(request.query("offset"), size);
        let (tenant, behaviour) = (&mut self.tenants[at], &self.behaviour);
        let listed = tenant.listed(request.query("employmentStatus"), behaviour);
        let end = (start + size).min(listed.len());
        let places = listed.get(start..end).unwrap_or_default();
        let (people, positions) = (tenant.people.people(), &tenant.positions);
        let rows = places.iter().map(|at| render::employee(people, positions, *at, is_full, behaviour));
        let mut data = json!({ "employeeData": rows.collect::<Value>() });
        if !behaviour.leaves_out_has_more {
            data["hasMore"] = json!(behaviour.always_has_more || end < listed.len());
        }
        match behaviour.total {
            Total::True => data["employeesTotal"] = json!(listed.len()),
            Total::Always(total) => data["employeesTotal"] = json!(total),
            Total::LeftOut => {}
        }
        SimResponse::json(200, &render::envelope(&data, self.answers))
    }

    /// The place of the first row of a page, counted from 0.
    fn start(&mut self, offset: Option<&str>, size: usize) -> usize {
        let base = usize::from(!self.behaviour.counts_from_zero);
        let offset = offset.and_then(|text| text.parse::<usize>().ok()).unwrap_or(base).max(base);
        let start = offset - base;
        let page = (start / size + 1) as u64;
        let overlap = if start > 0 { self.behaviour.overlap } else { 0 };
        let start = start.saturating_sub(overlap);
        match self.repeats.get_mut(&page).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                start.saturating_sub(size)
            }
            None => start,
        }
    }
}

impl Tenant {
    fn forget(&mut self) {
        self.listed.clear();
        self.positions.clear();
    }

    fn listed(&mut self, letter: Option<&str>, behaviour: &Behaviour) -> Arc<[usize]> {
        let people = self.people.people();
        if self.positions.is_empty() {
            let position = |(at, person): (usize, &Person)| (person.record_id.clone(), at);
            self.positions = people.iter().enumerate().map(position).collect();
        }
        let is_shown = |(at, person): &(usize, &Person)| {
            let fits = letter.is_none_or(|letter| render::letter(person, *at, behaviour) == letter);
            let is_early = person.status == PersonStatus::Pending && !behaviour.has_early_access;
            person.is_listed() && fits && !is_early
        };
        let cached = self.listed.entry(letter.map(str::to_owned));
        let listed =
            cached.or_insert_with(|| people.iter().enumerate().filter(is_shown).map(|(at, _)| at).collect());
        Arc::clone(listed)
    }
}

/// User and password of a Basic header (RFC 7617).
fn basic(request: &SimRequest) -> Option<(String, String)> {
    let (scheme, pair) = request.header("authorization")?.split_once(' ')?;
    let pair = STANDARD.decode(pair.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = String::from_utf8(pair).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
