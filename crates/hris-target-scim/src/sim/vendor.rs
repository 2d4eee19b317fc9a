//! The provider itself: who may ask, what is asked for, and the answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use hris_core::SharedClock;
use hris_testkit::sim::{SimRequest, SimResponse, Tokens, Vendor};
use serde_json::{Map, Value, json};

use super::accounts::{Account, Accounts, By};
use super::behaviour::{Behaviour, FilterHabit, PagingHabit};
use super::patch::patched;
use super::schema::{ENTERPRISE_USER, Extensions, Refusal, USER, bad, is_unassigned, stored};

/// What a token may do, as the account that it opens.
pub(super) const READ_WRITE: &str = "scim.readWrite";
pub(super) const READ_ONLY: &str = "scim.readOnly";

const PAGE: usize = 100;
const MAX_PAYLOAD: usize = 1 << 20;

pub(super) struct Provider {
    pub(super) programme: String,
    pub(super) tokens: Tokens,
    pub(super) clock: SharedClock,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    pub(super) accounts: Accounts,
    pub(super) behaviour: Behaviour,
    pub(super) extensions: Extensions,
    pub(super) writes: u64,
    pub(super) deletions: u64,
    /// Writes that are answered as if they had been carried out, and are not.
    pub(super) forgets: u64,
    /// The person whose records are refused.
    pub(super) refuses: Option<String>,
    /// Writes that are not carried out: after so many, with this status, so many times.
    pub(super) trouble: Option<Trouble>,
    /// Runs before a PATCH or PUT is looked at, once.
    pub(super) meddles: Option<Meddler>,
}

/// Writes that are not carried out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    pub(super) after: u64,
    pub(super) status: u16,
    /// For ever, if `None`.
    pub(super) times: Option<u64>,
}

/// Somebody else who changes things on the platform.
pub(super) type Meddler = Box<dyn FnOnce(&mut Accounts) + Send>;

type Answer = Result<SimResponse, Refusal>;

impl Provider {
    pub(super) fn new(programme: &str, tokens: Tokens, clock: SharedClock) -> Self {
        let state = State {
            accounts: Accounts::default(),
            behaviour: Behaviour::default(),
            extensions: Extensions::new(),
            writes: 0,
            deletions: 0,
            forgets: 0,
            refuses: None,
            trouble: None,
            meddles: None,
        };
        Self { programme: programme.to_owned(), tokens, clock, state: Mutex::new(state) }
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    /// The state as of today: whoever was to be deleted until then is gone.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.accounts.purge(self.today());
        state
    }

    fn answer(&self, request: &SimRequest, may_write: bool) -> Answer {
        let mut state = self.state();
        let segments = request.segments();
        let Some(rest) = segments.strip_prefix(&[self.programme.as_str(), "scim", "v2"]) else {
            return Ok(SimResponse::raw(404, "text/html", "<html><title>Not found</title></html>"));
        };
        let method = request.method();
        if matches!(method, "POST" | "PUT" | "PATCH") {
            state.accepts(request.header("content-type").unwrap_or_default())?;
        }
        let reads = method == "GET" || rest == ["Users", ".search"];
        if !reads && !may_write {
            return Err(Refusal(403, None, "the token lacks the scope to write"));
        }
        match (method, rest) {
            ("GET", ["ServiceProviderConfig"]) if state.behaviour.provider_config => {
                Ok(state.provider_config())
            }
            ("GET", ["Schemas"]) => Ok(state.schemas()),
            ("GET", ["Users"]) => {
                let filter = request.query("filter");
                if filter.is_some() && state.behaviour.sensitive_filters {
                    return Err(Refusal(403, Some("sensitive"), "use .search"));
                }
                state.list(filter, request.query("startIndex"), request.query("count"))
            }
            ("POST", ["Users", ".search"]) => {
                let body = body_of(request)?;
                let number = |name: &str| body.get(name).map(ToString::to_string);
                state.list(
                    body["filter"].as_str(),
                    number("startIndex").as_deref(),
                    number("count").as_deref(),
                )
            }
            ("POST", ["Bulk"]) => state.bulk(&body_of(request)?, request.body().len(), self.today()),
            ("GET", ["Users", id]) => {
                let account = state.accounts.get(id).cloned().ok_or(GONE)?;
                Ok(state.user_response(200, &account))
            }
            (_, ["Users", ..]) => {
                let body = if method == "DELETE" { Value::Null } else { body_of(request)? };
                state.write(method, &rest[1..], &body, request.header("if-match"), self.today())
            }
            _ => Err(Refusal(404, None, "there is no such resource")),
        }
    }
}

const GONE: Refusal = Refusal(404, None, "there is no such user");

fn body_of(request: &SimRequest) -> Result<Value, Refusal> {
    request.json().filter(Value::is_object).ok_or(bad("invalidSyntax", "the body is no JSON object"))
}

impl Vendor for Provider {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let Some(scope) = self.tokens.admit(request) else { return self.failure(401) };
        let answer = self.answer(request, scope == READ_WRITE);
        answer.unwrap_or_else(error)
    }

    fn failure(&self, status: u16) -> SimResponse {
        if status == 401 {
            let body =
                json!({ "error": "invalid_token", "error_description": "The access token has expired" });
            return SimResponse::json(401, &body).with_header("www-authenticate", "Bearer");
        }
        error(Refusal(status, None, "the request cannot be served now"))
    }
}

fn error(Refusal(status, scim_type, detail): Refusal) -> SimResponse {
    scim(status, &error_body(Refusal(status, scim_type, detail)))
}

fn error_body(Refusal(status, scim_type, detail): Refusal) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.to_string(),
        "detail": detail,
    });
    if let Some(scim_type) = scim_type {
        body["scimType"] = scim_type.into();
    }
    body
}

fn scim(status: u16, body: &Value) -> SimResponse {
    SimResponse::raw(status, "application/scim+json", body.to_string())
}

impl State {
    fn accepts(&self, content_type: &str) -> Result<(), Refusal> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let accepted = match kind {
            "application/json" => true,
            "application/scim+json" => !self.behaviour.plain_json_only,
            _ => false,
        };
        if accepted { Ok(()) } else { Err(Refusal(415, None, "the content type is not accepted")) }
    }

    fn provider_config(&self) -> SimResponse {
        let behaviour = &self.behaviour;
        let supported = |is: bool| json!({ "supported": is });
        let operations = behaviour.bulk.unwrap_or(0);
        scim(
            200,
            &json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
                "patch": supported(behaviour.patch),
                "bulk": {
                    "supported": behaviour.bulk.is_some(), "maxOperations": operations, "maxPayloadSize": MAX_PAYLOAD,
                },
                "filter": { "supported": behaviour.filters != FilterHabit::Refused, "maxResults": PAGE },
                "changePassword": supported(false),
                "sort": supported(false),
                "etag": supported(behaviour.etags),
                "authenticationSchemes": [{ "type": "oauthbearertoken", "name": "Bearer token", "primary": true }],
            }),
        )
    }

    fn schemas(&self) -> SimResponse {
        let extensions = self.extensions.iter().map(|(urn, names)| {
            let attributes: Vec<_> =
                names.iter().map(|name| json!({ "name": name, "type": "string" })).collect();
            json!({ "id": urn, "name": "Member", "attributes": attributes })
        });
        let resources: Vec<_> =
            [USER, ENTERPRISE_USER].iter().map(|urn| json!({ "id": urn })).chain(extensions).collect();
        scim(200, &json!({ "totalResults": resources.len(), "Resources": resources }))
    }

    fn list(&self, filter: Option<&str>, start: Option<&str>, count: Option<&str>) -> Answer {
        let is_shown = |account: &&Account| !self.behaviour.hides_inactive || account.is_active();
        let found: Vec<&Account> = match (filter, self.behaviour.filters) {
            (None, _) | (_, FilterHabit::Ignored) => self.accounts.iter().filter(is_shown).collect(),
            (Some(_), FilterHabit::Refused) => return Err(bad("invalidFilter", "filters are not offered")),
            (Some(filter), FilterHabit::Heeded) => {
                self.filtered(filter)?.into_iter().filter(is_shown).collect()
            }
        };
        let asked = count
            .and_then(|count| count.parse::<i64>().ok())
            .map_or(PAGE, |count| usize::try_from(count.max(0)).unwrap_or(0));
        let size = asked.min(PAGE).min(self.behaviour.page_cap.unwrap_or(PAGE));
        let first = start.and_then(|start| start.parse::<usize>().ok()).unwrap_or(1).max(1);
        let from = match self.behaviour.paging {
            PagingHabit::Right => first - 1,
            PagingHabit::SkipsOne => first - usize::from(start.is_none()),
            PagingHabit::RepeatsOne => (first - 1).saturating_sub(1),
            PagingHabit::AlwaysFirst => 0,
        };
        let rows: Vec<_> = found.iter().skip(from).take(size).map(|account| self.render(account)).collect();
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": found.len(),
        });
        if !rows.is_empty() {
            body["startIndex"] = first.into();
            body["itemsPerPage"] = rows.len().into();
            body["Resources"] = rows.into();
        }
        Ok(scim(200, &body))
    }

    fn filtered(&self, filter: &str) -> Result<Vec<&Account>, Refusal> {
        let wrong = bad("invalidFilter", "the filter is of no known form");
        let mut words = filter.splitn(3, ' ');
        let (Some(attribute), Some(operator), Some(literal)) = (words.next(), words.next(), words.next())
        else {
            return Err(wrong);
        };
        let value: String = serde_json::from_str(literal).map_err(|_| wrong)?;
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(wrong);
        }
        match attribute.to_ascii_lowercase().as_str() {
            "externalid" => Ok(self.accounts.by(By::ExternalId, &value)),
            "username" => Ok(self.accounts.by(By::UserName, &value)),
            "emails.value" | "emails" => Ok(self.accounts.by(By::Email, &value)),
            "id" => Ok(self.accounts.get(&value).into_iter().collect()),
            _ => Err(wrong),
        }
    }

    /// POST, PUT, PATCH and DELETE of a user, by themselves and in bulk.
    fn write(
        &mut self,
        method: &str,
        id: &[&str],
        body: &Value,
        if_match: Option<&str>,
        today: NaiveDate,
    ) -> Answer {
        if matches!(method, "PUT" | "PATCH")
            && let Some(meddles) = self.meddles.take()
        {
            meddles(&mut self.accounts);
        }
        self.hinder(id.first().copied(), body)?;
        let forgets = self.forgets > 0;
        match (method, id) {
            ("POST", []) => {
                let user = self.checked(body, None)?;
                self.accounts.clash(&user, None, &self.behaviour)?;
                if forgets {
                    self.forgets -= 1;
                    let account = Account {
                        id: "usr-forgotten".into(),
                        user,
                        invitations: 0,
                        version: 1,
                        closes_on: None,
                    };
                    return Ok(self.user_response(201, &account));
                }
                let account = self.accounts.add(user, self.behaviour.welcomes);
                self.writes += 1;
                Ok(self.user_response(201, &account))
            }
            ("PUT" | "PATCH", [id]) => {
                let account = self.accounts.get(id).cloned().ok_or(GONE)?;
                if method == "PATCH" && !self.behaviour.patch {
                    return Err(Refusal(501, None, "PATCH is not offered"));
                }
                self.check_version(&account, if_match)?;
                let user = self.changed(method, &account, body)?;
                self.accounts.clash(&user, Some(id), &self.behaviour)?;
                let after = if forgets {
                    self.forgets -= 1;
                    Account { user, ..account }
                } else {
                    self.writes += 1;
                    self.accounts.change(id, user, today, self.behaviour.close_down_days).ok_or(GONE)?
                };
                if method == "PATCH" && self.behaviour.patch_without_content {
                    return Ok(SimResponse::empty(204));
                }
                Ok(self.user_response(200, &after))
            }
            ("DELETE", [id]) => {
                self.accounts.remove(id).ok_or(GONE)?;
                self.deletions += 1;
                self.writes += 1;
                Ok(SimResponse::empty(204))
            }
            _ => Err(Refusal(405, None, "the method is not offered here")),
        }
    }

    /// What goes wrong with a write before it is looked at.
    fn hinder(&mut self, id: Option<&str>, body: &Value) -> Result<(), Refusal> {
        match &mut self.trouble {
            Some(Trouble { after: 0, status, times }) if *times != Some(0) => {
                *times = times.map(|times| times - 1);
                return Err(Refusal(*status, None, "the request cannot be served now"));
            }
            Some(Trouble { after, .. }) => *after = after.saturating_sub(1),
            None => {}
        }
        let known = id.and_then(|id| self.accounts.get(id)).and_then(|account| account.text("externalId"));
        let about = body["externalId"].as_str().or(known);
        if about.is_some() && about == self.refuses.as_deref() {
            return Err(bad("invalidValue", "the record breaks a rule"));
        }
        Ok(())
    }

    fn check_version(&self, account: &Account, if_match: Option<&str>) -> Result<(), Refusal> {
        match if_match.filter(|_| self.behaviour.etags) {
            Some(known) if known != "*" && known != etag(account) => {
                Err(Refusal(412, None, "the user has another version"))
            }
            _ => Ok(()),
        }
    }

    fn changed(&self, method: &str, account: &Account, body: &Value) -> Result<Map<String, Value>, Refusal> {
        if method == "PUT" {
            // What a body leaves out is cleared, and an account that does not say so is not open.
            let mut user = self.checked(body, Some(&account.id))?;
            user.entry("active").or_insert(Value::Bool(false));
            return Ok(user);
        }
        if !self.behaviour.filtered_paths && body.to_string().contains("[type eq") {
            return Err(bad("invalidPath", "filters in paths are not offered"));
        }
        declares(body, "urn:ietf:params:scim:api:messages:2.0:PatchOp")?;
        self.valid(&patched(&account.user, body, &self.extensions)?, Some(&account.id))
    }

    fn checked(&self, body: &Value, own: Option<&str>) -> Result<Map<String, Value>, Refusal> {
        declares(body, USER)?;
        let body = body.as_object().ok_or(bad("invalidSyntax", "the body is no JSON object"))?;
        for name in body.keys().filter(|name| name.starts_with("urn:")) {
            if !self.behaviour.drops_unknown {
                declares(&Value::Object(body.clone()), name)?;
            }
        }
        self.valid(body, own)
    }

    fn valid(&self, body: &Map<String, Value>, own: Option<&str>) -> Result<Map<String, Value>, Refusal> {
        let lenient = self.behaviour.drops_unknown;
        let body = if self.behaviour.string_booleans { real_booleans(body) } else { body.clone() };
        let user = stored(&body, &self.extensions, lenient)?;
        let name = user.get("userName").and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() {
            return Err(bad("invalidValue", "userName is required"));
        }
        let manager = user.get(ENTERPRISE_USER).and_then(|extension| extension["manager"]["value"].as_str());
        if manager.is_some_and(|manager| Some(manager) != own && self.accounts.get(manager).is_none()) {
            return Err(bad("invalidValue", "the manager is not known"));
        }
        Ok(user)
    }

    fn bulk(&mut self, body: &Value, bytes: usize, today: NaiveDate) -> Answer {
        let Some(most) = self.behaviour.bulk else { return Err(Refusal(501, None, "bulk is not offered")) };
        declares(body, "urn:ietf:params:scim:api:messages:2.0:BulkRequest")?;
        let operations =
            body["Operations"].as_array().ok_or(bad("invalidSyntax", "there are no operations"))?;
        if operations.len() > most || bytes > MAX_PAYLOAD {
            return Err(Refusal(413, None, "the bulk request is too large"));
        }
        let mut entries = Vec::new();
        let mut errors = 0;
        for (at, operation) in operations.iter().enumerate() {
            if self.behaviour.bulk_ends_after == Some(at) {
                let refusal = Refusal(503, None, "the server is busy");
                entries.push(bulk_entry(operation, "503", None, Some(error_body(refusal))));
                break;
            }
            entries.push(match self.bulk_operation(operation, today) {
                Ok(answer) => {
                    let location = answer.header("location").map(str::to_owned);
                    bulk_entry(operation, &answer.status().to_string(), location, None)
                }
                Err(refusal) => {
                    errors += 1;
                    bulk_entry(operation, &refusal.0.to_string(), None, Some(error_body(refusal)))
                }
            });
            if body["failOnErrors"].as_u64().is_some_and(|most| errors >= most) {
                break;
            }
        }
        Ok(scim(
            200,
            &json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": entries,
            }),
        ))
    }

    fn bulk_operation(&mut self, operation: &Value, today: NaiveDate) -> Answer {
        let path = operation["path"].as_str().unwrap_or_default();
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let method = operation["method"].as_str().unwrap_or_default();
        if method == "POST" && operation["bulkId"].as_str().is_none() {
            return Err(bad("invalidSyntax", "a create needs a bulkId"));
        }
        match segments.as_slice() {
            ["Users", id @ ..] => {
                self.write(method, id, &operation["data"], operation["version"].as_str(), today)
            }
            _ => Err(Refusal(404, None, "there is no such resource")),
        }
    }

    fn user_response(&self, status: u16, account: &Account) -> SimResponse {
        let response = scim(status, &self.render(account)).with_header("location", location(account));
        if self.behaviour.etags { response.with_header("etag", etag(account)) } else { response }
    }

    fn render(&self, account: &Account) -> Value {
        let mut user = account.user.clone();
        let mut schemas = vec![USER.to_owned()];
        schemas.extend(user.keys().filter(|name| name.starts_with("urn:")).cloned());
        if self.behaviour.string_booleans {
            let active = if account.is_active() { "True" } else { "False" };
            user.insert("active".into(), active.into());
        }
        let mut meta = json!({ "resourceType": "User", "location": location(account) });
        if self.behaviour.etags {
            meta["version"] = etag(account).into();
        }
        if self.behaviour.nests_core {
            let (extensions, core): (Map<_, _>, Map<_, _>) =
                user.into_iter().partition(|(name, _)| name.starts_with("urn:"));
            user = extensions;
            user.insert(USER.into(), core.into());
        }
        user.insert("schemas".into(), schemas.into());
        user.insert("id".into(), account.id.clone().into());
        user.insert("meta".into(), meta);
        user.into()
    }
}

fn bulk_entry(operation: &Value, status: &str, location: Option<String>, response: Option<Value>) -> Value {
    let mut entry = json!({ "method": operation["method"], "status": status });
    if !is_unassigned(&operation["bulkId"]) {
        entry["bulkId"] = operation["bulkId"].clone();
    }
    if let Some(location) = location {
        entry["location"] = location.into();
    }
    if let Some(response) = response {
        entry["response"] = response;
    }
    entry
}

/// A body names every schema that it uses (RFC 7643, section 3).
fn declares(body: &Value, schema: &str) -> Result<(), Refusal> {
    let mut schemas = body["schemas"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if schemas.any(|known| known.eq_ignore_ascii_case(schema)) {
        return Ok(());
    }
    Err(bad("invalidSyntax", "a schema is used and not named in `schemas`"))
}

fn real_booleans(body: &Map<String, Value>) -> Map<String, Value> {
    let mut body = body.clone();
    let text = body.get("active").and_then(Value::as_str).map(str::to_lowercase);
    match text.as_deref() {
        Some("true") => _ = body.insert("active".into(), true.into()),
        Some("false") => _ = body.insert("active".into(), false.into()),
        _ => {}
    }
    body
}

fn etag(account: &Account) -> String {
    format!("W/\"{}\"", account.version)
}

/// Relative, as one real server writes it: the id is to be taken from the body.
fn location(account: &Account) -> String {
    format!("/Users/{}", account.id)
}

impl Provider {
    pub(super) fn shared(programme: &str, tokens: Tokens, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self::new(programme, tokens, clock))
    }
}
