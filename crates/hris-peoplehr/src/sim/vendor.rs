//! The vendor itself: who may ask, what is asked for, and the state behind the answers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use hris_testkit::population::{Person, Population};
use hris_testkit::sim::{SimRequest, SimResponse, Vendor};
use serde_json::{Value, json};

use super::behaviour::{Behaviour, BusyForm, ThrottleForm};
use super::render::{self, Change, Employee};
use super::{PeopleHrSim, Permission};

const SLOW_DOWN: &str = "API calls will be limited to a 50 per minute";
const BUSY: &str = "Please try after some time, query execution is already in progress";

#[derive(Default)]
pub(super) struct SimulatedPeopleHr(Mutex<State>);

#[derive(Default)]
struct State {
    companies: Vec<Company>,
    keys: HashMap<String, (u32, Vec<Permission>)>,
    behaviour: Behaviour,
    today: Option<NaiveDate>,
}

struct Company {
    id: u32,
    name: String,
    people: Population,
    changes: HashMap<String, Change>,
}

/// Whether a text that is no key looks like one: the digits of a uuid.
fn has_form_of_key(text: &str) -> bool {
    let digits = text.bytes().filter(|byte| *byte != b'-').count();
    digits == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl SimulatedPeopleHr {
    pub(super) fn add_company(&self, id: u32, name: &str, people: Population) {
        let company = Company { id, name: name.to_owned(), people, changes: HashMap::new() };
        self.state().companies.push(company);
    }

    pub(super) fn add_key(&self, key: &str, company: u32, permissions: &[Permission]) {
        self.state().keys.insert(key.to_owned(), (company, permissions.to_vec()));
    }

    pub(super) fn revoke_key(&self, key: &str) {
        self.state().keys.remove(key);
    }

    pub(super) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state().behaviour);
    }

    pub(super) fn set_today(&self, day: NaiveDate) {
        self.state().today = Some(day);
    }

    pub(super) fn with_people<T>(&self, company: u32, act: impl FnOnce(&mut Population) -> T) -> Option<T> {
        let mut state = self.state();
        let company = state.companies.iter_mut().find(|known| known.id == company)?;
        Some(act(&mut company.people))
    }

    /// Changes somebody of any company.
    pub(super) fn change(&self, record_id: &str, act: impl FnOnce(&mut Change)) {
        let mut state = self.state();
        let mut companies = state.companies.iter_mut();
        if let Some(company) = companies.find(|company| company.people.person(record_id).is_some()) {
            act(company.changes.entry(record_id.to_owned()).or_default());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vendor for SimulatedPeopleHr {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut state = self.state();
        if request.method() != "POST" {
            return SimResponse::raw(405, "text/html", "<html>Method Not Allowed</html>");
        }
        if let Some(limited) = state.over_the_limit() {
            return limited;
        }
        // Doubled slashes and further segments lead to the same place.
        match request.segments().first() {
            Some(&"Employee") => state.employee(request),
            Some(&"Query") => state.query(request),
            _ => SimResponse::raw(404, "text/html", "<html>The resource cannot be found.</html>"),
        }
    }

    fn failure(&self, status: u16) -> SimResponse {
        SimResponse::raw(status, "text/html", format!("<html><title>{status}</title></html>"))
    }
}

impl State {
    fn over_the_limit(&self) -> Option<SimResponse> {
        let (limit, form) = self.behaviour.limit.as_ref()?;
        limit.take("address").err()?;
        let body = |flag: &str, status: u32, result: &str| {
            format!(r#"{{{flag}"Status":{status},"Message":"{SLOW_DOWN}","Result":{result}}}"#)
        };
        Some(match form {
            ThrottleForm::Flagged => answer(body(r#""isError":true,"#, 5, "null")),
            ThrottleForm::EmptySuccess => answer(body(r#""isError":false,"#, 0, "[]")),
            ThrottleForm::Bare => answer(body("", 0, "null")),
            ThrottleForm::Status => SimResponse::raw(429, "text/html", "<html>Too Many Requests</html>"),
        })
    }

    /// The request's body, or what is answered to one that is none.
    fn body(&self, request: &SimRequest) -> Result<Value, SimResponse> {
        if request.body().is_empty() {
            return Err(self.refused(8, "Either empty or no Form Data."));
        }
        match request.json() {
            Some(body @ Value::Object(_)) => Ok(body),
            Some(_) => Err(self.refused(7, "No json data found.")),
            None => Err(self.refused(9, "Invalid json data.")),
        }
    }

    /// The place of the company that a request's key opens, if it may do this.
    fn admit(&self, body: &Value, needed: Permission, schema: &str) -> Result<usize, SimResponse> {
        let key = match body.get("APIKey").and_then(Value::as_str) {
            None | Some("") => return Err(self.refused(1, "API key is missing.")),
            Some(key) => key,
        };
        let Some((company, permissions)) = self.keys.get(key) else {
            let (status, message) =
                if has_form_of_key(key) { (5, "API key does not exists.") } else { (2, "Invalid API Key.") };
            return Err(self.refused(status, message));
        };
        if !permissions.contains(&needed) {
            return Err(self.refused(5, &format!("No access {schema} schema.")));
        }
        let place = self.companies.iter().position(|known| known.id == *company);
        place.ok_or_else(|| self.refused(5, "API key does not exists."))
    }

    fn employee(&self, request: &SimRequest) -> SimResponse {
        self.try_employee(request).unwrap_or_else(|refused| refused)
    }

    fn try_employee(&self, request: &SimRequest) -> Result<SimResponse, SimResponse> {
        let body = self.body(request)?;
        let schema = "on employee";
        Ok(match self.action(&body)? {
            "GetAllEmployeeDetail" => {
                let at = self.admit(&body, Permission::GetAllEmployeeDetail, schema)?;
                self.list(at, &body)
            }
            "GetEmployeeDetailById" => {
                let at = self.admit(&body, Permission::GetEmployeeDetailById, schema)?;
                self.by_id(at, &body)
            }
            "GetCompanyInformation" if self.behaviour.tells_company => {
                let at = self.admit(&body, Permission::GetCompanyInformation, schema)?;
                let company = &self.companies[at];
                let result =
                    json!({ "CompanyId": company.id, "SubDomain": "example", "CompanyName": company.name });
                self.success(render::DONE, &result)
            }
            _ => self.refused(4, "Invalid Action."),
        })
    }

    fn query(&mut self, request: &SimRequest) -> SimResponse {
        self.try_query(request).unwrap_or_else(|refused| refused)
    }

    fn try_query(&mut self, request: &SimRequest) -> Result<SimResponse, SimResponse> {
        let body = self.body(request)?;
        if self.action(&body)? != "GetQueryResultByQueryName" {
            return Err(self.refused(4, "Invalid Action."));
        }
        let at = self.admit(&body, Permission::Query, "to Query Builder")?;
        match body.get("QueryName").and_then(Value::as_str) {
            None | Some("") => return Err(self.refused(5, "QueryName is missing.")),
            Some(PeopleHrSim::QUERY) => {}
            Some(_) => return Err(self.refused(5, "Invalid query name.")),
        }
        if let Some((form, left)) = self.behaviour.busy_query.as_mut().filter(|(_, left)| *left > 0) {
            *left -= 1;
            return Ok(match form {
                BusyForm::Row => self.success(render::DONE_ELSEWHERE, &json!([{ "Message": BUSY }])),
                BusyForm::Failure => self.refused(5, BUSY),
            });
        }
        let rows: Vec<_> = self.employees(at).map(|employee| employee.query_row()).collect();
        if rows.is_empty() {
            return Ok(self.nothing("No records found."));
        }
        Ok(self.success(render::DONE_ELSEWHERE, &Value::from(rows)))
    }

    fn action<'b>(&self, body: &'b Value) -> Result<&'b str, SimResponse> {
        match body.get("Action") {
            None => Err(self.refused(3, "Action is missing.")),
            Some(Value::String(action)) if action.is_empty() => {
                Err(self.refused(4, "Action cannot be empty."))
            }
            Some(Value::String(action)) => Ok(action),
            Some(_) => Err(self.refused(4, "Invalid Action.")),
        }
    }

    fn list(&self, at: usize, body: &Value) -> SimResponse {
        let with_leavers = match body.get("IncludeLeavers") {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            Some(_) => return self.refused(5, "IncludeLeavers contains invalid data."),
        };
        let employees = self.employees(at).filter(|employee| with_leavers || employee.is_current());
        let rows: Vec<_> = employees.map(|employee| employee.row()).collect();
        if rows.is_empty() {
            self.nothing("No record found.")
        } else {
            self.success(render::DONE, &Value::from(rows))
        }
    }

    fn by_id(&self, at: usize, body: &Value) -> SimResponse {
        let Some(id) = body.get("EmployeeId").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            return self.refused(5, "EmployeeId cannot be empty.");
        };
        match self.employees(at).find(|employee| employee.employee_id() == Some(id)) {
            Some(employee) => self.success(render::DONE, &employee.row()),
            None => self.refused(5, "EmployeeId does not exists."),
        }
    }

    /// Everybody of a company whose profile is there.
    fn employees(&self, at: usize) -> impl Iterator<Item = Employee<'_>> {
        static UNCHANGED: Change =
            Change { leaving: None, rehired: None, employee_id: None, code: None, is_deleted: false };
        let company = &self.companies[at];
        let today = self.today.unwrap_or_else(|| company.people.today());
        let change = |person: &Person| company.changes.get(&person.record_id).unwrap_or(&UNCHANGED);
        let employees = company.people.listed().map(move |person| Employee {
            person,
            change: change(person),
            manager: company.manager(person, &change),
            today,
            behaviour: &self.behaviour,
        });
        employees.filter(|employee| !employee.change.is_deleted)
    }

    fn success(&self, message: &str, result: &Value) -> SimResponse {
        answer(render::envelope(&self.behaviour, false, 0, message, Some(result)))
    }

    fn nothing(&self, message: &str) -> SimResponse {
        let result = render::no_result(&self.behaviour);
        let is_error = self.behaviour.flags_emptiness;
        answer(render::envelope(&self.behaviour, is_error, 10, message, result.as_ref()))
    }

    fn refused(&self, status: u32, message: &str) -> SimResponse {
        let result = render::no_result(&self.behaviour);
        answer(render::envelope(&self.behaviour, true, status, message, result.as_ref()))
    }
}

impl Company {
    /// The Employee ID of somebody's manager, who may be nobody.
    fn manager<'c>(&'c self, person: &Person, change: &impl Fn(&'c Person) -> &'c Change) -> Option<String> {
        let manager = person.manager.as_deref()?;
        let Some(manager) = self.people.person(manager) else { return Some(render::NOBODY.to_owned()) };
        change(manager).employee_id.clone().or_else(|| manager.employee_number.clone())
    }
}

fn answer(body: String) -> SimResponse {
    SimResponse::raw(200, "application/json; charset=utf-8", body)
}
