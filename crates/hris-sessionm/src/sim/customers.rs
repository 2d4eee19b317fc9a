//! Core in the simulator: customers, their tags and notes, and merging them.

use chrono::{Datelike as _, NaiveDate};
use hris_testkit::sim::{SimRequest, SimResponse};
use serde_json::{Map, Value, json};

use super::points::balances;
use super::state::{Customer, State, core, refused};

/// What `user` objects may be written with; anything else is ignored, as unknown keys are.
const WRITTEN: [&str; 19] = [
    "email",
    "first_name",
    "last_name",
    "gender",
    "dob",
    "address",
    "address2",
    "city",
    "state",
    "zip",
    "country",
    "locale",
    "opted_in",
    "phone_numbers",
    "referral",
    "ip",
    "suspended",
    "account_status",
    "activated",
];
/// What only the organisation writes, not an agent.
const READ_ONLY: [&str; 3] = ["suspended", "account_status", "activated"];

impl State {
    /// A customer that was there before, from its `user` object.
    pub(super) fn plant(&mut self, user: &Value) -> String {
        let id = user["id"].as_str().map_or_else(|| self.new_id(), str::to_owned);
        let mut customer = blank(&id);
        write(&mut customer, user, &[]);
        customer.has_tier = true;
        self.customers.push(customer);
        id
    }

    /// Changes a customer as the organisation would, by the keys of a `user` object. False if there is none.
    pub(super) fn edit(&mut self, id: &str, user: &Value) -> bool {
        let Some(at) = self.by_id(id) else { return false };
        write(&mut self.customers[at], user, &[]);
        true
    }

    pub(super) fn create(&mut self, request: &SimRequest) -> SimResponse {
        let body = request.json().unwrap_or_default();
        let user = &body["user"];
        let has = |name: &str| user[name].as_str().is_some_and(|text| !text.trim().is_empty());
        if !has("email") && !has("external_id") {
            return refused(400, "missing_data", "email or external_id is required");
        }
        if let Some(refusal) = self.unacceptable(user, None) {
            return refusal;
        }
        if user["external_id"].as_str().is_some_and(|id| self.by_external(id).is_some()) {
            return refused(400, "validation", "external_id is taken");
        }
        let id = self.new_id();
        let mut customer = blank(&id);
        write(&mut customer, user, &READ_ONLY);
        let now = json!(self.now().format("%Y-%m-%d %H:%M:%S").to_string());
        for name in ["created_at", "updated_at", "registered_at"] {
            customer.fields.insert(name.to_owned(), now.clone());
        }
        customer.fields.insert("referrer_code".to_owned(), json!(format!("HARBOUR-{}", &id[30..])));
        self.customers.push(customer);
        self.customer_writes += 1;
        let at = self.customers.len() - 1;
        core("user", self.user(at, &["user[user_profile]", "show_identifiers"]))
    }

    pub(super) fn update(&mut self, at: Option<usize>, request: &SimRequest) -> SimResponse {
        let Some(at) = at else { return self.not_found() };
        let body = request.json().unwrap_or_default();
        let user = &body["user"];
        if let Some(refusal) = self.unacceptable(user, Some(at)) {
            return refusal;
        }
        let taken = user["external_id"].as_str().and_then(|id| self.by_external(id));
        if taken.is_some_and(|other| other != at) {
            return refused(400, "validation", "external_id is taken");
        }
        let now = json!(self.now().format("%Y-%m-%d %H:%M:%S").to_string());
        if user["clear_identifiers"] == true {
            self.customers[at].external.clear();
        }
        write(&mut self.customers[at], user, &READ_ONLY);
        self.customer_writes += 1;
        self.customers[at].fields.insert("updated_at".to_owned(), now);
        if self.behaviour.partial_updates {
            return core("user", json!({ "id": self.shown(&self.customers[at].id) }));
        }
        core("user", self.user(at, &["user[user_profile]"]))
    }

    /// Why values are refused.
    fn unacceptable(&self, user: &Value, own: Option<usize>) -> Option<SimResponse> {
        let invalid = |message: &str| Some(refused(400, "VALIDATION", message));
        if let Some(email) = user["email"].as_str() {
            if !email.contains('@') {
                return invalid("email is malformed");
            }
            let others = self.by_email(email).into_iter().any(|other| Some(other) != own);
            if others && !self.behaviour.shared_emails {
                return invalid("email has already been taken");
            }
        }
        if let Some(text) = user["dob"].as_str() {
            let Ok(date) = text.parse::<NaiveDate>() else { return invalid("dob is malformed") };
            let oldest = self.now().date_naive();
            let is_older = date.with_year(date.year() + 13).is_some_and(|birthday| birthday < oldest);
            if !is_older {
                return invalid("must be older than 13");
            }
        }
        let genders = [Value::Null, json!("m"), json!("f"), json!("")];
        if !genders.contains(&user["gender"]) {
            return invalid("gender is not acceptable");
        }
        None
    }

    pub(super) fn read(&mut self, at: Option<usize>, request: &SimRequest) -> SimResponse {
        match at {
            Some(at) => core("user", self.full(at, request)),
            None => self.not_found(),
        }
    }

    fn full(&mut self, at: usize, request: &SimRequest) -> Value {
        let flags = ["user[user_profile]", "expand_incentives", "show_identifiers"];
        let set: Vec<_> = flags.into_iter().filter(|flag| request.query(flag) == Some("true")).collect();
        if set.contains(&"expand_incentives") {
            self.customers[at].has_tier = true;
        }
        self.user(at, &set)
    }

    /// Several by id, in an order of the vendor's own; unknown ones are missing.
    pub(super) fn several(&mut self, request: &SimRequest) -> SimResponse {
        let mut found: Vec<_> = request.query_all("user_ids[]").filter_map(|id| self.by_id(id)).collect();
        found.reverse();
        let users = found.into_iter().map(|at| self.full(at, request)).collect();
        core("users", self.list(users))
    }

    pub(super) fn search_exact(&mut self, request: &SimRequest) -> SimResponse {
        if self.behaviour.advanced_search {
            return refused(404, "not_available", "exact search is off");
        }
        let found = match (request.query("email"), request.query("external_id")) {
            (Some(email), _) => self.by_email(email).first().copied(),
            (None, Some(id)) => self.by_external(id),
            (None, None) => return refused(400, "missing_data", "nothing to search for"),
        };
        self.read(found, request)
    }

    pub(super) fn search_advanced(&mut self, request: &SimRequest) -> SimResponse {
        if !self.behaviour.advanced_search {
            return refused(404, "not_available", "advanced search is off");
        }
        let Some(email) = request.query("email") else {
            return refused(400, "missing_data", "nothing to search for");
        };
        let name = email.split('@').next().unwrap_or_default().to_lowercase();
        let is_near = |customer: &Customer| {
            let known = customer.fields.get("email").and_then(Value::as_str).unwrap_or_default();
            known.to_lowercase().starts_with(&name)
        };
        let found: Vec<_> = if self.behaviour.fuzzy_search {
            (0..self.customers.len()).filter(|at| is_near(&self.customers[*at])).collect()
        } else {
            self.by_email(email)
        };
        let players = found.into_iter().map(|at| {
            let customer = &self.customers[at];
            let mut player = json!({ "id": self.shown(&customer.id), "email": customer.fields.get("email") });
            if let Some((external, _)) = customer.external.last() {
                player["external_id"] = json!(external);
            }
            player
        });
        core("players", self.list(players.collect()))
    }

    /// The `user` object of an answer.
    fn user(&self, at: usize, flags: &[&str]) -> Value {
        let customer = &self.customers[at];
        let mut user = Value::Object(customer.fields.clone());
        user["id"] = json!(self.shown(&customer.id));
        if let Some((external, _)) = customer.external.last() {
            user["external_id"] = json!(external);
        }
        let total: i64 = self.accounts.iter().map(|account| self.balance(&customer.id, &account.id)).sum();
        user["available_points"] = super::state::points(total);
        for name in ["proxy_ids", "phone_numbers"] {
            if user[name].as_array().is_none_or(Vec::is_empty) {
                user[name] = self.list(Vec::new());
            }
        }
        let hidden = |user: &mut Value, name: &str| user.as_object_mut().and_then(|user| user.remove(name));
        if !flags.contains(&"user[user_profile]") {
            hidden(&mut user, "user_profile");
        }
        if flags.contains(&"show_identifiers") {
            let all = customer.external.iter();
            let all = all.map(|(id, kind)| json!({ "external_id": id, "external_id_type": kind }));
            user["identifiers"] = self.list(all.collect());
        }
        if flags.contains(&"expand_incentives") && customer.has_tier {
            self.add_tier(&mut user, &customer.id);
        }
        if self.behaviour.unknown_keys {
            user["key_of_tomorrow"] = json!({ "nested": [1, null] });
        }
        user
    }

    fn add_tier(&self, user: &mut Value, id: &str) {
        user["tier"] = json!("Copper");
        user["tier_system"] = json!("Harbour Club");
        user["tier_points"] = json!(120);
        user["next_tier_points"] = json!(500);
        user["tier_entered_at"] = json!("2026-02-03 09:15:29");
        let level = |name: &str, rank: u8| {
            json!({ "id": format!("7a1de2f4-5a44-4b0e-bb8c-00000000000{rank}"), "name": name,
            "tier_system_id": "b3c4e6d0-1b7c-4f6f-9d55-0e5bb1b0c2aa", "rank": rank, "status": 2 })
        };
        user["tier_details"] = json!({
            "tier_levels": [{
                "id": "0d9a5a0e-40f1-4a35-8b73-a6a0c6b8e311",
                "tier_system_id": "b3c4e6d0-1b7c-4f6f-9d55-0e5bb1b0c2aa",
                "tier_level_id": "7a1de2f4-5a44-4b0e-bb8c-000000000000",
                "user_id": self.shown(id),
                "join_date": "2026-02-03T09:15:29.41",
                "tier_overview": level("Copper", 0),
                "next_tier_overview": level("Brass", 1),
                "tier_progress": [],
            }],
            "point_account_balances": balances(self, id),
        });
    }

    pub(super) fn tags(&mut self, at: Option<usize>, request: &SimRequest) -> SimResponse {
        let Some(at) = at else { return self.not_found() };
        if request.method() == "POST" {
            let body = request.json().unwrap_or_default();
            let Some(tags) = body["tags"].as_array().filter(|tags| !tags.is_empty()) else {
                return refused(400, "missing_data", "tags are required");
            };
            for tag in tags.iter().filter_map(Value::as_str) {
                *self.customers[at].tags.entry(tag.to_owned()).or_default() += 1;
            }
        }
        let tags = self.customers[at].tags.iter();
        let tags = tags.map(|(tag, count)| json!({ "tag": tag, "count": count })).collect();
        core("tags", self.list(tags))
    }

    pub(super) fn notes(&mut self, at: Option<usize>, request: &SimRequest) -> SimResponse {
        if !self.behaviour.has_notes {
            return refused(404, "not_available", "notes are off");
        }
        let Some(at) = at else { return self.not_found() };
        if request.method() == "GET" {
            let notes = self.customers[at].notes.clone();
            return core("notes", self.list(notes));
        }
        let body = request.json().unwrap_or_default();
        let note = &body["note"];
        if note["comment"].as_str().is_none_or(|comment| comment.trim().is_empty()) {
            return refused(400, "missing_data", "comment is required");
        }
        let (id, at_time) = (self.new_id(), self.time(self.now()));
        let note = json!({ "id": id, "reason": note["reason"], "comment": note["comment"], "created_at": at_time,
                           "author": "SFSC Integration" });
        self.customers[at].notes.push(note.clone());
        core("note", note)
    }

    /// The body is the organisation's own; this one has the legacy external id.
    pub(super) fn merge(&mut self, persistent: &str, request: &SimRequest) -> SimResponse {
        let body = request.json().unwrap_or_default();
        let Some(legacy) = body["legacy_external_id"].as_str() else {
            return refused(400, "missing_data", "legacy_external_id is required");
        };
        let (Some(survivor), Some(victim)) = (self.by_external(persistent), self.by_external(legacy)) else {
            return self.not_found();
        };
        if survivor == victim {
            return refused(400, "validation", "a customer cannot be merged with itself");
        }
        let (kept, gone) = (self.customers[survivor].id.clone(), self.customers[victim].id.clone());
        self.ledger.iter_mut().filter(|row| row.user == gone).for_each(|row| row.user.clone_from(&kept));
        self.copies.iter_mut().filter(|row| row.user == gone).for_each(|row| row.user.clone_from(&kept));
        self.events.iter_mut().filter(|row| row.user == gone).for_each(|row| row.user.clone_from(&kept));
        let external = std::mem::take(&mut self.customers[victim].external);
        // The survivor's own id stays the latest one.
        let own = std::mem::take(&mut self.customers[survivor].external);
        self.customers[survivor].external = external.into_iter().chain(own).collect();
        self.customers.remove(victim);
        self.merges.push((kept, gone));
        SimResponse::json(200, &json!({ "status": "ok" }))
    }
}

fn blank(id: &str) -> Customer {
    let fields = json!({
        "opted_in": true, "activated": false, "proxy_ids": [], "test_points": 0, "unclaimed_achievement_count": 0,
        "suspended": false, "test_account": false, "account_status": "good",
        "profile_photo_url": "/images/account-neutral.png",
    });
    Customer {
        id: id.to_owned(),
        fields: fields.as_object().cloned().unwrap_or_default(),
        external: Vec::new(),
        tags: std::collections::BTreeMap::new(),
        notes: Vec::new(),
        has_tier: false,
    }
}

/// Takes over what a body has; `null` and empty text clear.
fn write(customer: &mut Customer, user: &Value, except: &[&str]) {
    let given = user.as_object().into_iter().flatten();
    for (name, value) in given.filter(|(name, _)| WRITTEN.contains(&name.as_str())) {
        if except.contains(&name.as_str()) {
            continue;
        }
        if value.is_null() || value == "" {
            customer.fields.remove(name);
        } else {
            customer.fields.insert(name.clone(), value.clone());
        }
    }
    if let Some(profile) = user["user_profile"].as_object() {
        write_profile(customer, profile);
    }
    if let Some(id) = user["external_id"].as_str().filter(|id| !id.is_empty()) {
        customer.external.retain(|(known, _)| known != id);
        customer.external.push((id.to_owned(), user["external_id_type"].as_str().map(str::to_owned)));
    }
    if let Some(all) = user["identifiers"].as_array() {
        for row in all {
            let Some(id) = row["external_id"].as_str() else { continue };
            if customer.external.iter().all(|(known, _)| known != id) {
                customer
                    .external
                    .insert(0, (id.to_owned(), row["external_id_type"].as_str().map(str::to_owned)));
            }
        }
    }
}

/// Named keys are replaced, others stay, and the version goes up.
fn write_profile(customer: &mut Customer, written: &Map<String, Value>) {
    let profile = customer.fields.entry("user_profile").or_insert_with(|| json!({ "_version": 0 }));
    let version = profile["_version"].as_u64().unwrap_or_default();
    for (name, value) in written.iter().filter(|(name, _)| *name != "_version") {
        profile[name] = value.clone();
    }
    profile["_version"] = json!(version + 1);
}
