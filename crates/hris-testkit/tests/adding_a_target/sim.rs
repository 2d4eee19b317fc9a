//! The simulator of the tutorial: Nimbus itself, as its documentation describes it.

// [piece: simulator]
use std::sync::{Mutex, MutexGuard};

use chrono::{Days, NaiveDate};
use hris_core::Clock as _;
use hris_testkit::ManualClock;
use hris_testkit::sim::{CursorPage, PageSize, SimRequest, SimResponse, Tokens, Vendor};
use serde_json::{Value, json};

pub(crate) const WRITER: &str = "nimbus-token-of-a-writer";
pub(crate) const READER: &str = "nimbus-token-of-a-reader";

/// The platform: members as JSON, so that no type is shared with the target that it tests.
pub(crate) struct Nimbus {
    clock: ManualClock,
    tokens: Tokens,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) members: Vec<Value>,
    pub(crate) writes: u64,
    ids: u64,
}

impl Nimbus {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let tokens = Tokens::new().with(WRITER, "members.write").with(READER, "members.read");
        Self { clock, tokens, state: Mutex::default() }
    }

    /// The members as of the clock's today: whoever was to be deleted is gone.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let today = json!(self.today());
        let mut state = self.state.lock().unwrap();
        state.members.retain(|member| {
            member["deleted_on"].is_null() || member["deleted_on"].as_str() > today.as_str()
        });
        state
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }
}

impl Vendor for Nimbus {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let Some(scope) = self.tokens.admit(request) else { return self.failure(401) };
        if request.method() != "GET" && scope != "members.write" {
            return self.failure(403);
        }
        let mut state = self.state();
        let answer = match (request.method(), &request.segments()[..]) {
            ("GET", ["v1", "members"]) => state.list(request),
            ("GET", ["v1", "members", id]) => {
                state.find(id).map(|at| SimResponse::json(200, &state.members[at]))
            }
            ("POST", ["v1", "members"]) => request.json().map(|body| state.create(&body)),
            ("PATCH", ["v1", "members", id]) => {
                request.json().and_then(|body| state.change(id, &body, self.today()))
            }
            _ => None,
        };
        answer.unwrap_or_else(|| self.failure(404))
    }

    fn failure(&self, status: u16) -> SimResponse {
        SimResponse::json(status, &json!({ "error": status }))
    }
}

impl State {
    fn find(&self, id: &str) -> Option<usize> {
        self.members.iter().position(|member| member["id"] == id)
    }

    fn list(&self, request: &SimRequest) -> Option<SimResponse> {
        let asked = |name: &str| request.query(name).map(str::to_lowercase);
        let (number, mail) = (request.query("number"), asked("mail"));
        let matches = |member: &&Value| {
            let theirs = member["mail"].as_str().map(str::to_lowercase);
            number.is_none_or(|number| member["number"] == number) && (mail.is_none() || theirs == mail)
        };
        let members: Vec<&Value> = self.members.iter().filter(matches).collect();
        let size = PageSize::new(200, 200).read(request.query("limit"));
        let page = CursorPage::at(&members, request.query("after"), size)?;
        Some(SimResponse::json(200, &json!({ "members": page.items, "next": page.next })))
    }

    fn create(&mut self, body: &Value) -> SimResponse {
        self.ids += 1;
        let invitations = u64::from(body["invite"] == true);
        let mut member = json!({ "id": format!("n{}", self.ids), "open": true, "invitations": invitations });
        write(&mut member, body);
        if self.clashes(&member) {
            return SimResponse::json(409, &json!({ "error": "taken" }));
        }
        self.writes += 1;
        self.members.push(member.clone());
        SimResponse::json(201, &member)
    }

    fn change(&mut self, id: &str, body: &Value, today: NaiveDate) -> Option<SimResponse> {
        let at = self.find(id)?;
        let mut member = self.members[at].clone();
        write(&mut member, body);
        if let Some(open) = body["open"].as_bool() {
            member["open"] = json!(open);
            member["deleted_on"] = json!((!open).then(|| today + Days::new(60)));
        }
        if self.clashes(&member) {
            return Some(SimResponse::json(409, &json!({ "error": "taken" })));
        }
        self.writes += 1;
        self.members[at] = member.clone();
        Some(SimResponse::json(200, &member))
    }

    /// Numbers are unique as written, addresses without regard to case, among closed accounts too.
    fn clashes(&self, member: &Value) -> bool {
        let mail = |member: &Value| member["mail"].as_str().map(str::to_lowercase);
        let others = self.members.iter().filter(|other| other["id"] != member["id"]);
        others.into_iter().any(|other| other["number"] == member["number"] || mail(other) == mail(member))
    }

    /// An account made by hand, which may clash.
    pub(crate) fn plant(&mut self, mut member: Value) -> String {
        self.ids += 1;
        let id = format!("n{}", self.ids);
        member["id"] = json!(id);
        self.members.push(member);
        id
    }
}

fn write(member: &mut Value, body: &Value) {
    for name in ["number", "mail", "given", "family", "since"] {
        if let Some(value) = body.get(name) {
            member[name] = value.clone();
        }
    }
}
// [end]
