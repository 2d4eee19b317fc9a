//! The vendor itself: who may ask, what is asked for, and the state behind the answers.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hris_testkit::population::{Person, Population};
use hris_testkit::sim::{SimRequest, SimResponse, Tokens, Vendor};
use serde_json::{Value, json};

use super::behaviour::{Behaviour, ManagerAnswer, NoManager};
use super::lists::{EmployeeFilter, Entry, page};
use super::render::{self, Assigned, CUSTOM_FIELDS, DELETED_OFFICE, OLD_DEPARTMENT};

/// How far the rows of an unordered list move from one request to the next.
const TURN: usize = 7;

#[derive(Default)]
pub(super) struct SimulatedSesame {
    pub(super) tokens: Tokens,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tenants: Vec<Tenant>,
    behaviour: Behaviour,
    /// Pages of employees that repeat the page before, and how often they still do.
    repeats: HashMap<String, u64>,
    turn: usize,
}

/// One company with its people.
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) language: String,
    people: Population,
    employees: HashMap<EmployeeFilter, Arc<[Entry<()>]>>,
    assignations: HashMap<Unit, Arc<[Entry<Assigned>]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Department,
    Office,
}

impl Tenant {
    pub(super) fn new(id: &str, name: &str, language: &str, people: Population) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            language: language.to_owned(),
            people,
            employees: HashMap::new(),
            assignations: HashMap::new(),
        }
    }

    fn person(&self, id: &str) -> Option<&Person> {
        self.people.person(id).filter(|person| person.is_listed())
    }

    fn employees(&mut self, filter: EmployeeFilter) -> Arc<[Entry<()>]> {
        let people = &self.people;
        let cached = self.employees.entry(filter);
        Arc::clone(cached.or_insert_with_key(|filter| filter.select(people.people()).into()))
    }

    fn assignations(&mut self, unit: Unit, with_inactive: bool) -> Arc<[Entry<Assigned>]> {
        let people = &self.people;
        let cached = self.assignations.entry(unit);
        Arc::clone(cached.or_insert_with(|| assignations(people.people(), unit, with_inactive).into()))
    }

    fn forget(&mut self) {
        self.employees.clear();
        self.assignations.clear();
    }
}

/// Every assignation, oldest people first. Some people have an earlier or an equally old one beside the one that
/// counts, and some a newer one to an office that was deleted.
fn assignations(people: &[Person], unit: Unit, with_inactive: bool) -> Vec<Entry<Assigned>> {
    let mut rows = Vec::new();
    for (at, person) in people.iter().enumerate() {
        let is_shown = with_inactive || render::status(person) != "inactive";
        if !person.is_listed() || !is_shown || unit_of(person, unit).is_none() {
            continue;
        }
        match unit {
            Unit::Department if at % 3 == 0 => rows.push((at, Assigned::Earlier)),
            Unit::Department if at % 5 == 0 => rows.push((at, Assigned::Tied)),
            Unit::Office if at % 7 == 0 => rows.push((at, Assigned::ToDeleted)),
            Unit::Department | Unit::Office => {}
        }
        rows.push((at, Assigned::Present));
    }
    rows
}

fn unit_of(person: &Person, unit: Unit) -> Option<&str> {
    match unit {
        Unit::Department => person.department.as_deref(),
        Unit::Office => person.location.as_deref(),
    }
}

impl SimulatedSesame {
    pub(super) fn add(&self, tenant: Tenant, token: &str) {
        self.tokens.add(token, tenant.id.clone());
        self.state().tenants.push(tenant);
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
        self.state().repeats.insert(page.to_string(), times);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vendor for SimulatedSesame {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut state = self.state();
        if request.path().ends_with('/') {
            return redirect(request, &state.behaviour);
        }
        let Some(company) = self.tokens.admit(request) else {
            return self.failure(401);
        };
        if let Some(limited) = state.over_the_limit(&company) {
            return limited;
        }
        if request.method() != "GET" {
            return failure(405, &json!({ "route": "method_not_allowed" }));
        }
        state.answer(&company, request)
    }

    fn failure(&self, status: u16) -> SimResponse {
        let errors = match status {
            401 => "unauthorized",
            403 => "forbidden",
            429 => "too_many_requests",
            _ => "unknown_error",
        };
        failure(status, &json!(errors))
    }
}

/// The vendor's error body. The wording leaks, as recorded ones do; nothing may depend on it.
fn failure(status: u16, errors: &Value) -> SimResponse {
    SimResponse::json(status, &render::error(status, "Something about this request", errors))
}

/// A page of HTML that leads off TLS, to another host.
fn redirect(request: &SimRequest, behaviour: &Behaviour) -> SimResponse {
    let target = format!("{}{}", behaviour.redirects_to, request.path().trim_end_matches('/'));
    SimResponse::raw(301, "text/html", "<!doctype html><title>Redirecting</title>")
        .with_header("location", target)
}

impl State {
    fn over_the_limit(&self, company: &str) -> Option<SimResponse> {
        let wait = self.behaviour.rate_limit.as_ref()?.take(company).err()?;
        let limited = failure(429, &json!("too_many_requests"));
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(if self.behaviour.tells_retry_after {
            limited.with_header("retry-after", seconds.to_string())
        } else {
            limited
        })
    }

    fn answer(&mut self, company: &str, request: &SimRequest) -> SimResponse {
        self.turn += TURN;
        let not_found = || failure(404, &json!({ "route": "not_found" }));
        let Some(at) = self.tenants.iter().position(|tenant| tenant.id == company) else {
            return not_found();
        };
        match request.segments()[..] {
            ["core", "v3", "info"] => self.one(&json!({ "company": render::company(&self.tenants[at]) })),
            ["core", "v3", "employees"] => self.employees(at, request),
            ["core", "v3", "employees", id] => self.employee(at, id),
            ["core", "v3", "departments"] => self.units(at, Unit::Department, request),
            ["core", "v3", "offices"] => self.units(at, Unit::Office, request),
            ["core", "v3", "employee-department-assignations"] => {
                self.assigned(at, Unit::Department, request)
            }
            ["core", "v3", "employee-office-assignations"] => self.assigned(at, Unit::Office, request),
            ["core", "v3", "custom-fields"] => self.custom_fields(at, request),
            ["core", "v3", "employee-managers"] => self.list(&[], request),
            ["core", "v3", "employee-profiles", "organization-chart-managers", id] => self.manager(at, id),
            ["contract", "v1", "contracts", id] => self.contracts(at, id, request),
            ["contract", "v1", "contracts", id, "current-contract"] => self.current_contract(at, id),
            ["contract", "v1", "contract-terminated", id] => self.terminated(at, id),
            _ => not_found(),
        }
    }

    /// An answer with one resource.
    fn one(&self, data: &Value) -> SimResponse {
        self.finish(render::single(data))
    }

    fn finish(&self, mut body: Value) -> SimResponse {
        if self.behaviour.leaves_out_meta
            && let Some(body) = body.as_object_mut()
        {
            body.remove("meta");
        }
        SimResponse::json(200, &body)
    }

    /// A short list in a fixed order.
    fn list(&self, rows: &[Value], request: &SimRequest) -> SimResponse {
        let places: Arc<[Entry<()>]> = (0..rows.len()).map(|at| (at, ())).collect();
        let (places, meta) = page(&places, request, &self.behaviour, 0);
        let data: Vec<_> = places.iter().filter_map(|(at, ())| rows.get(*at)).collect();
        self.finish(json!({ "data": data, "meta": meta }))
    }

    fn employees(&mut self, at: usize, request: &SimRequest) -> SimResponse {
        let filter = match EmployeeFilter::read(request, &self.behaviour) {
            Ok(filter) => filter,
            Err(name) => return failure(422, &json!([{ "field": name, "message": "invalid" }])),
        };
        if let Some(status) = self.behaviour.refuses_order_by.filter(|_| !filter.is_unordered()) {
            return failure(status, &json!([{ "field": "orderBy", "message": "invalid" }]));
        }
        let turn = if filter.is_unordered() { self.turn } else { 0 };
        let rows = self.tenants[at].employees(filter);
        let repeated = self.repeated(request);
        let (places, meta) = page(&rows, repeated.as_ref().unwrap_or(request), &self.behaviour, turn);
        let tenant = &self.tenants[at];
        let people = places.iter().map(|(person, ())| &tenant.people.people()[*person]);
        let data: Vec<_> = people.map(|person| render::employee(person, tenant, &self.behaviour)).collect();
        self.finish(json!({ "data": data, "meta": meta }))
    }

    /// The request for the page before, where the page asked for is to repeat it.
    fn repeated(&mut self, request: &SimRequest) -> Option<SimRequest> {
        let asked = request.query("page")?;
        let left = self.repeats.get_mut(asked).filter(|left| **left > 0)?;
        *left -= 1;
        let before = asked.parse::<u64>().ok()?.saturating_sub(1);
        let limit = request.query("limit").unwrap_or_default();
        let target = format!("/core/v3/employees?page={before}&limit={limit}");
        Some(SimRequest::new("GET", &target, Vec::<(String, String)>::new(), ""))
    }

    fn employee(&self, at: usize, id: &str) -> SimResponse {
        let tenant = &self.tenants[at];
        match tenant.person(id) {
            Some(person) => self.one(&render::employee(person, tenant, &self.behaviour)),
            None => failure(404, &json!({ "id": "not_found" })),
        }
    }

    fn units(&self, at: usize, unit: Unit, request: &SimRequest) -> SimResponse {
        let extra = match unit {
            Unit::Department => OLD_DEPARTMENT,
            Unit::Office => DELETED_OFFICE,
        };
        let people = self.tenants[at].people.listed();
        let names: BTreeSet<&str> =
            people.filter_map(|person| unit_of(person, unit)).chain([extra]).collect();
        let wanted =
            names.into_iter().filter(|name| request.query("name").is_none_or(|wanted| wanted == *name));
        let rows: Vec<_> = match unit {
            Unit::Department => wanted.map(render::department).collect(),
            Unit::Office => wanted.map(|name| render::office(name, true)).collect(),
        };
        self.list(&rows, request)
    }

    fn assigned(&mut self, at: usize, unit: Unit, request: &SimRequest) -> SimResponse {
        let rows = self.tenants[at].assignations(unit, self.behaviour.lists_inactive_assignations);
        let (places, meta) = page(&rows, request, &self.behaviour, 0);
        let data: Vec<_> = places.iter().map(|place| self.assignation(at, unit, *place)).collect();
        self.finish(json!({ "data": data, "meta": meta }))
    }

    fn assignation(&self, at: usize, unit: Unit, (place, assigned): Entry<Assigned>) -> Value {
        let tenant = &self.tenants[at];
        let person = &tenant.people.people()[place];
        let present = unit_of(person, unit).unwrap_or_default();
        let name = match assigned {
            Assigned::Present => present,
            Assigned::Earlier | Assigned::Tied => OLD_DEPARTMENT,
            Assigned::ToDeleted => DELETED_OFFICE,
        };
        let unit = match unit {
            Unit::Department => ("department", render::department(name)),
            Unit::Office => ("office", render::office(name, self.behaviour.details_in_assignations)),
        };
        let employee = render::employee(person, tenant, &self.behaviour);
        render::assignation(person, assigned, unit, &employee)
    }

    fn custom_fields(&self, at: usize, request: &SimRequest) -> SimResponse {
        let tenant = &self.tenants[at];
        let rows = CUSTOM_FIELDS.map(|field| render::custom_field(field, tenant));
        self.list(&rows, request)
    }

    fn manager(&self, at: usize, id: &str) -> SimResponse {
        let tenant = &self.tenants[at];
        let Some(manager) = tenant.person(id).and_then(|person| person.manager.as_deref()) else {
            return self.no_manager();
        };
        let full = || match tenant.people.person(manager) {
            Some(person) => render::employee(person, tenant, &self.behaviour),
            None => json!({ "id": manager }),
        };
        self.one(&match self.behaviour.manager_answer {
            ManagerAnswer::Employee => full(),
            ManagerAnswer::IdOnly => json!({ "organizationChartManagerId": manager }),
            ManagerAnswer::Holder => json!({ "id": id, "organizationChartManager": { "id": manager } }),
            ManagerAnswer::List => json!([full()]),
        })
    }

    fn no_manager(&self) -> SimResponse {
        match self.behaviour.no_manager {
            NoManager::NotFound => failure(404, &json!({ "id": "not_found" })),
            NoManager::Null => self.one(&Value::Null),
            NoManager::EmptyText => self.one(&json!("")),
            NoManager::EmptyList => self.one(&json!([])),
        }
    }

    fn contracts(&self, at: usize, id: &str, request: &SimRequest) -> SimResponse {
        match self.tenants[at].person(id) {
            Some(person) => self.list(&render::contracts(person), request),
            None => failure(404, &json!({ "id": "not_found" })),
        }
    }

    fn current_contract(&self, at: usize, id: &str) -> SimResponse {
        let contracts = self.tenants[at].person(id).map(render::contracts).unwrap_or_default();
        let current = contracts.into_iter().rfind(|contract| contract["endAt"].is_null());
        match current {
            Some(mut contract) => {
                contract["status"] = json!("current");
                self.one(&contract)
            }
            None => failure(404, &json!({ "id": "not_found" })),
        }
    }

    fn terminated(&self, at: usize, id: &str) -> SimResponse {
        let people = &mut self.tenants[at].people.listed();
        let contract = people.flat_map(render::contracts).find(|contract| contract["id"] == id);
        match contract.filter(|contract| !contract["endAt"].is_null()) {
            Some(contract) => self.one(&json!({
                "id": render::unit_id("f0d2a1b4", id),
                "contractEmployeeId": id,
                "contractEndDate": contract["endAt"],
                "terminationReason": "voluntary resignation",
                "terminationType": "voluntary",
                "comment": "",
            })),
            None => failure(404, &json!({ "id": "not_found" })),
        }
    }
}
