//! Writes the vendor's JSON by hand, after the samples of its documentation.

use chrono::{DateTime, NaiveDate, Utc};
use hris_testkit::population::{Gap, Malformation, Person, PersonStatus};
use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;

/// A target of the organisation's field mappings, and the key in the population.
pub(super) const ORGANISATION_TARGET: (&str, &str) = ("gift_size", "shirt_size");
/// A target of the linked account's own field mappings, and the key in the population.
pub(super) const ACCOUNT_TARGET: (&str, &str) = ("benefits_from", "benefit_date");
/// A target that holds the first start date, as midnight of the day.
pub(super) const START_TARGET: &str = "campaign_start_date";

/// The kinds of relations that an employee can have in full.
pub(super) const EXPANDABLE: [&str; 8] =
    ["company", "employments", "groups", "home_location", "manager", "pay_group", "team", "work_location"];

/// What of a person is shown, beside the person.
pub(super) struct View<'v> {
    pub(super) company: &'v str,
    pub(super) expand: &'v [&'v str],
    pub(super) with_remote_data: bool,
    pub(super) behaviour: &'v Behaviour,
    /// Finds a manager.
    pub(super) person: &'v dyn Fn(&str) -> Option<Person>,
}

impl View<'_> {
    fn has(&self, relation: &str) -> bool {
        self.expand.contains(&relation) && !self.behaviour.never_expanded.iter().any(|name| name == relation)
    }

    fn relation(&self, name: &str, id: String, full: impl FnOnce() -> Value) -> Value {
        if self.has(name) { full() } else { Value::String(id) }
    }
}

/// An id of Merge's: a uuid that follows from what it is about.
pub(super) fn merge_id(kind: &str, name: &str) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mix = |hash: u64, text: &str| {
        text.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    };
    let (one, two) = (mix(mix(BASIS, kind), name), mix(mix(BASIS, name), kind));
    let (a, b, c) = (one >> 32, one >> 16 & 0xffff, one & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-8{:03x}-{:012x}", two >> 48 & 0xfff, two & 0xffff_ffff_ffff)
}

/// Some stamps have microseconds and some do not.
fn stamp(at: DateTime<Utc>) -> String {
    if at.timestamp() % 3 == 0 {
        at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

/// The word for a status. The vendor has three, and passes on what it cannot map.
pub(super) fn status(person: &Person) -> &str {
    match &person.status {
        PersonStatus::Active | PersonStatus::OnLeave => "ACTIVE",
        PersonStatus::Pending => "PENDING",
        PersonStatus::Inactive => "INACTIVE",
        PersonStatus::Odd(word) => word,
    }
}

/// The ids of the groups that a person is in: the department, and a team of everybody at the same place.
pub(super) fn group_ids(person: &Person) -> Vec<String> {
    let department = person.department.iter().map(|name| merge_id("DEPARTMENT", name));
    let team = person.location.iter().map(|name| merge_id("TEAM", name));
    team.chain(department).collect()
}

/// An employee as the listing and the by-id endpoint show them, malformed where the person is.
pub(super) fn employee(person: &Person, view: &View<'_>) -> Value {
    if person.malformed == Some(Malformation::RowIsNotAnObject) {
        return json!("not a row");
    }
    let mut row = Row { gaps: person.gaps, fields: Map::new() };
    row.identity(person);
    row.contact(person);
    row.dates(person, view);
    row.relations(person, view);
    row.private(person);
    row.own(person, view);
    if let Some(malformation) = person.malformed {
        row.spoil(malformation);
    }
    Value::Object(row.fields)
}

/// What is left of a person whom Merge was told to ignore.
pub(super) fn shell(person: &Person, view: &View<'_>) -> Value {
    let mut row = employee(person, view);
    if let Some(fields) = row.as_object_mut() {
        let kept = ["id", "remote_id", "created_at", "modified_at", "remote_was_deleted"];
        for (name, value) in fields.iter_mut().filter(|(name, _)| !kept.contains(&name.as_str())) {
            *value = if name == "groups" || name == "employments" { json!([]) } else { Value::Null };
        }
    }
    row
}

struct Row {
    gaps: Gap,
    fields: Map<String, Value>,
}

impl Row {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    /// A field that may be empty, in the way in which this person's row shows empty fields.
    fn put(&mut self, key: &str, value: Option<impl Into<Value>>) {
        match (value, self.gaps) {
            (Some(value), _) => self.set(key, value),
            (None, Gap::Null) => self.set(key, Value::Null),
            (None, Gap::LeftOut) => {}
            (None, Gap::EmptyText) => self.set(key, ""),
        }
    }

    fn identity(&mut self, person: &Person) {
        self.set("id", merge_id("employee", &person.record_id));
        self.set("remote_id", person.record_id.as_str());
        self.set("created_at", stamp(person.created_at));
        self.set("modified_at", stamp(person.modified_at));
        self.put("employee_number", person.employee_number.as_deref());
        self.put("first_name", person.first_name.as_deref());
        self.put("last_name", person.last_name.as_deref());
        self.put("preferred_name", None::<&str>);
        self.put("display_full_name", person.first_name.as_deref());
        self.put("username", None::<&str>);
        self.set("remote_was_deleted", person.deleted);
    }

    fn contact(&mut self, person: &Person) {
        self.put("work_email", person.work_email.as_deref());
        self.put("personal_email", person.personal_email.as_deref());
        self.put("mobile_phone_number", person.phone.as_deref());
        self.put("gender", person.gender.as_deref().map(str::to_uppercase));
        self.set("employment_status", status(person));
    }

    fn dates(&mut self, person: &Person, view: &View<'_>) {
        let at_midnight =
            |date: Option<NaiveDate>| date.map(|date| format!("{date}{}", view.behaviour.time_in_dates));
        self.put("date_of_birth", at_midnight(person.birth_date));
        self.put("start_date", at_midnight(person.start_date));
        self.put("hire_date", None::<&str>);
        self.put("termination_date", at_midnight(person.end_date));
        self.set("remote_created_at", stamp(person.created_at));
    }

    fn relations(&mut self, person: &Person, view: &View<'_>) {
        let company = merge_id("company", view.company);
        self.set("company", view.relation("company", company, || self::company(view.company)));
        self.set("groups", groups(person, view));
        self.set("employments", employments(person, view));
        self.set("home_location", Value::Null);
        self.put("work_location", work_location(person, view));
        self.put("manager", manager(person, view));
        self.set("team", Value::Null);
        self.set("pay_group", Value::Null);
    }

    /// What a rewards connector must never read, in every row.
    fn private(&mut self, person: &Person) {
        let number = person.employee_number.as_deref().unwrap_or("0");
        self.set("ssn", Value::Null);
        self.set("ethnicity", format!("ethnicity-{number}"));
        self.set("marital_status", format!("filing-{number}"));
        self.set("avatar", format!("https://pictures.example/avatar-{number}.png"));
        self.set("custom_fields", json!({ "iban": format!("iban-{number}") }));
    }

    /// The customer's own fields: wrapped for the organisation's target, bare for the account's.
    fn own(&mut self, person: &Person, view: &View<'_>) {
        let (mut organisation, mut account) = (Map::new(), Map::new());
        if let Some(value) = person.custom.get(ORGANISATION_TARGET.1) {
            organisation.insert(ORGANISATION_TARGET.0.to_owned(), json!({ "value": value }));
        }
        if let Some(date) = person.original_start_date {
            organisation.insert(START_TARGET.to_owned(), json!(format!("{date}T00:00:00Z")));
        }
        if let Some(value) = person.custom.get(ACCOUNT_TARGET.1) {
            account.insert(ACCOUNT_TARGET.0.to_owned(), json!(value));
        }
        self.set(
            "field_mappings",
            json!({ "organization_defined_targets": organisation, "linked_account_defined_targets": account }),
        );
        let remote =
            json!([{ "path": "/people", "data": { "badge": format!("badge-{}", person.record_id) } }]);
        self.set("remote_data", if view.with_remote_data { remote } else { Value::Null });
    }

    fn set_ids(&mut self, value: &Value) {
        self.set("id", value.clone());
        self.set("remote_id", value.clone());
    }

    fn spoil(&mut self, malformation: Malformation) {
        match malformation {
            Malformation::NoRecordId => {
                self.fields.remove("id");
                self.fields.remove("remote_id");
            }
            Malformation::RecordIdBlank => self.set_ids(&json!("")),
            Malformation::RecordIdWrongType => self.set_ids(&json!({ "uuid": null })),
            Malformation::NameIsNumber => self.set("first_name", 7),
            Malformation::BirthDateImpossible => self.set("date_of_birth", "2023-02-30T00:00:00Z"),
            Malformation::StartDateNotADate => self.set("start_date", "soon"),
            Malformation::EmailNotAnEmail => self.set("work_email", "nobody at home"),
            Malformation::StatusWrongType => self.set("employment_status", json!(["ACTIVE"])),
            // A row that is no object never comes here.
            Malformation::RowIsNotAnObject => {}
        }
    }
}

/// What every record has.
fn base(kind: &str, name: &str) -> Value {
    json!({
        "id": merge_id(kind, name),
        "remote_id": format!("{kind}-{name}"),
        "created_at": "2026-02-03T05:11:02Z",
        "modified_at": "2026-02-03T05:11:02.000001Z",
        "remote_was_deleted": false,
        "field_mappings": null,
        "remote_data": null,
    })
}

fn with(mut record: Value, fields: Value) -> Value {
    if let (Some(record), Value::Object(fields)) = (record.as_object_mut(), fields) {
        record.extend(fields);
    }
    record
}

fn company(name: &str) -> Value {
    let legal = format!("{name} Limited");
    with(base("company", name), json!({ "display_name": name, "legal_name": legal, "eins": null }))
}

pub(super) fn group(kind: &str, name: &str) -> Value {
    let fields = json!({
        "parent_group": null,
        "name": name,
        "type": kind,
        "is_commonly_used_as_team": kind == "TEAM",
        "group_url": null,
    });
    with(base(kind, name), fields)
}

fn groups(person: &Person, view: &View<'_>) -> Value {
    if !view.has("groups") {
        return json!(group_ids(person));
    }
    // A team of the same name as the place, before the department, so that the first group is not the department.
    let team = person.location.iter().map(|name| group("TEAM", name));
    team.chain(person.department.iter().map(|name| group("DEPARTMENT", name))).collect()
}

fn work_location(person: &Person, view: &View<'_>) -> Option<Value> {
    let name = person.location.as_deref()?;
    let key = format!("{name}/{}", person.country.as_deref().unwrap_or_default());
    Some(view.relation("work_location", merge_id("location", &key), || {
        let fields = json!({
            "name": name,
            "phone_number": null,
            "street_1": "4 Kiln Yard",
            "street_2": null,
            "city": name,
            "state": null,
            "zip_code": "HX1 9ZZ",
            "country": person.country,
            "location_type": "WORK",
        });
        with(base("location", &key), fields)
    }))
}

/// The positions of a person: the present one, for some an older one before it, and for some one that lies ahead.
fn employments(person: &Person, view: &View<'_>) -> Value {
    let Some(title) = &person.job_title else { return json!([]) };
    let position = |key: &str, title: &str, date: Option<String>| {
        let name = format!("{}/{key}", person.record_id);
        view.relation("employments", merge_id("employment", &name), || {
            let fields = json!({
                "employee": merge_id("employee", &person.record_id),
                "job_title": title,
                "pay_rate": "50000.00",
                "pay_period": "YEAR",
                "pay_frequency": "MONTHLY",
                "pay_currency": "GBP",
                "pay_group": null,
                "flsa_status": null,
                "effective_date": date,
                "employment_type": "FULL TIME",
            });
            with(base("employment", &name), fields)
        })
    };
    let present = person.start_date.map(|date| format!("{date}T00:00:00Z"));
    let mut positions = vec![position("present", title, present)];
    if person.record_id.as_bytes().first().is_some_and(|digit| digit % 2 == 0) {
        positions.push(position("older", "Apprentice", Some("1969-01-01T00:00:00Z".to_owned())));
    }
    Value::Array(positions)
}

/// The manager's id in Merge. One whom Merge does not have stays an id, whatever is asked for.
fn manager(person: &Person, view: &View<'_>) -> Option<Value> {
    let manager = person.manager.as_deref()?;
    let id = merge_id("employee", manager);
    Some(match (view.person)(manager) {
        Some(full) if view.has("manager") => {
            // Relations of an expanded record stay ids.
            employee(&full, &View { expand: &[], with_remote_data: false, ..*view })
        }
        _ => Value::String(id),
    })
}
