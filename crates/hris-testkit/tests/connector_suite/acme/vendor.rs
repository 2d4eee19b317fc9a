//! The simulated vendor: what Acme answers.

use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use hris_testkit::population::{Gap, Malformation, Person, PersonStatus, Population};
use hris_testkit::sim::{CursorPage, PageSize, SimRequest, SimResponse, Tokens, Vendor};
use serde_json::{Map, Value, json};

pub(crate) const COMPANY: &str = "acme-17";
pub(crate) const SECRET: &str = "s3cret-of-acme-17";
const OTHER_COMPANY: &str = "acme-18";
const OTHER_SECRET: &str = "s3cret-of-acme-18";
const NARROW_SECRET: &str = "s3cret-without-people";
/// What a row has that nobody asks for.
pub(crate) const PIN: &str = "73190024";

pub(crate) struct AcmeVendor {
    state: Mutex<State>,
    /// Access tokens, each with the company that it opens.
    pub(crate) tokens: Tokens,
    /// Client secrets, each with the company that it opens.
    pub(crate) secrets: Tokens,
}

pub(crate) struct State {
    pub(crate) people: Population,
    pub(crate) empty_second_page: bool,
    pub(crate) looping: bool,
    pub(crate) wrong_total: bool,
    issued: u32,
}

impl AcmeVendor {
    pub(crate) fn new(people: Population) -> Self {
        let secrets = Tokens::new().with(SECRET, COMPANY).with(OTHER_SECRET, OTHER_COMPANY);
        let state = State { people, empty_second_page: false, looping: false, wrong_total: false, issued: 0 };
        Self {
            state: Mutex::new(state),
            tokens: Tokens::new(),
            secrets: secrets.with(NARROW_SECRET, "narrow"),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn token(&self, request: &SimRequest) -> SimResponse {
        let secret = request.form("client_secret").unwrap_or_default();
        let Some(company) = self.secrets.account(&secret) else { return self.failure(401) };
        let mut state = self.state();
        state.issued += 1;
        let token = format!("t0ken-{}-{company}", state.issued);
        self.tokens.add(token.as_str(), company);
        SimResponse::json(200, &json!({ "access_token": token, "expires_in": 3_600 }))
    }
}

impl Vendor for AcmeVendor {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if request.path() == "/oauth/token" {
            return self.token(request);
        }
        let Some(company) = self.tokens.admit(request) else { return self.failure(401) };
        let state = self.state();
        match &request.segments()[..] {
            ["v1", "company"] if company == "narrow" => {
                SimResponse::json(200, &json!({ "id": COMPANY, "name": "Acme" }))
            }
            ["v1", "company"] => SimResponse::json(200, &json!({ "id": company, "name": "Acme" })),
            _ if company == "narrow" => self.failure(403),
            ["v1", "people"] => state.list(request).unwrap_or_else(|| self.failure(404)),
            ["v1", "people", id] => match state.people.person(id).filter(|person| person.is_listed()) {
                Some(person) => SimResponse::json(200, &row(person)),
                None => self.failure(404),
            },
            _ => self.failure(404),
        }
    }
}

impl State {
    /// A page of everybody, or of those changed since an instant; deleted records are among them.
    fn list(&self, request: &SimRequest) -> Option<SimResponse> {
        let since: Option<DateTime<Utc>> = request.query("since").and_then(|text| text.parse().ok());
        let changed = |person: &&Person| since.is_none_or(|since| person.modified_at >= since);
        let people: Vec<&Person> = self.people.people().iter().filter(changed).collect();
        let size = PageSize::new(100, 500).read(request.query("limit"));
        let cursor = request.query("cursor").filter(|cursor| *cursor != "after-0");
        let page = CursorPage::at(&people, cursor, size)?;
        let is_second = cursor == Some(format!("after-{size}").as_str());
        let rows = page.items.iter().map(|person| row(person));
        let rows: Vec<Value> = if self.empty_second_page && is_second { Vec::new() } else { rows.collect() };
        let next = match page.next {
            Some(_) if self.looping && is_second => Some(format!("after-{size}")),
            next => next,
        };
        let total = people.iter().filter(|person| person.is_listed()).count() + usize::from(self.wrong_total);
        let as_of = self.people.people().iter().map(|person| person.modified_at).max().unwrap_or_default();
        Some(SimResponse::json(
            200,
            &json!({ "people": rows, "next": next, "total": total, "as_of": as_of.to_rfc3339() }),
        ))
    }
}

fn row(person: &Person) -> Value {
    if person.malformed == Some(Malformation::RowIsNotAnObject) {
        return json!(7);
    }
    if person.deleted {
        return json!({ "id": person.record_id, "deleted": true });
    }
    let mut row = Row { entries: Map::new(), gaps: person.gaps };
    row.fill(person);
    if let Some(malformation) = person.malformed {
        row.spoil(malformation);
    }
    Value::Object(row.entries)
}

struct Row {
    entries: Map<String, Value>,
    gaps: Gap,
}

impl Row {
    fn put(&mut self, key: &str, value: Option<impl Into<Value>>) {
        let value = match (value, self.gaps) {
            (Some(value), _) => value.into(),
            (None, Gap::Null) => Value::Null,
            (None, Gap::LeftOut) => return,
            (None, Gap::EmptyText) => json!(""),
        };
        self.entries.insert(key.to_owned(), value);
    }

    fn fill(&mut self, person: &Person) {
        self.put("id", Some(person.record_id.as_str()));
        self.put("status", Some(status(&person.status)));
        self.put("changed", Some(person.modified_at.to_rfc3339()));
        self.put("pin", Some(PIN));
        let texts = [
            ("number", &person.employee_number),
            ("given", &person.first_name),
            ("family", &person.last_name),
            ("mail", &person.work_email),
            ("private_mail", &person.personal_email),
            ("mobile", &person.phone),
            ("sex", &person.gender),
            ("team", &person.department),
            ("site", &person.location),
            ("country", &person.country),
            ("title", &person.job_title),
            ("boss", &person.manager),
        ];
        for (key, text) in texts {
            self.put(key, text.as_deref());
        }
        let dates = [("start", person.start_date), ("end", person.end_date), ("birth", person.birth_date)];
        // With a time of day and an offset, as some vendors have it.
        let shown = |date: chrono::NaiveDate| format!("{date}T00:00:00+02:00");
        for (key, date) in dates {
            self.put(key, date.map(shown));
        }
        for (key, value) in &person.custom {
            self.put(key, Some(value.as_str()));
        }
    }

    fn spoil(&mut self, malformation: Malformation) {
        let (key, value) = match malformation {
            Malformation::NoRecordId => return drop(self.entries.remove("id")),
            Malformation::RecordIdBlank => ("id", json!("")),
            Malformation::RecordIdWrongType => ("id", json!({ "uuid": 1 })),
            Malformation::NameIsNumber => ("given", json!(7)),
            Malformation::BirthDateImpossible => ("birth", json!("2023-02-30T00:00:00+02:00")),
            Malformation::StartDateNotADate => ("start", json!("soon")),
            Malformation::EmailNotAnEmail => ("mail", json!("nobody at home")),
            Malformation::StatusWrongType => ("status", json!(["active"])),
            Malformation::RowIsNotAnObject => return,
        };
        self.entries.insert(key.to_owned(), value);
    }
}

fn status(status: &PersonStatus) -> &str {
    match status {
        PersonStatus::Active => "working",
        PersonStatus::OnLeave => "away",
        PersonStatus::Pending => "hired",
        PersonStatus::Inactive => "left",
        PersonStatus::Odd(word) => word,
    }
}
