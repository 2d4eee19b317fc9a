//! Writes the vendor's JSON by hand, after the samples of its documentation.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hris_testkit::population::{Gap, Malformation, Person, PersonStatus};
use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;
use super::vendor::Tenant;

/// A department that some people were in before their present one.
pub(super) const OLD_DEPARTMENT: &str = "Almacén";
/// An office that was deleted although some people are assigned to it.
pub(super) const DELETED_OFFICE: &str = "Nave vieja";

/// An envelope around `data`, with the meta block of a single resource.
pub(super) fn single(data: &Value) -> Value {
    json!({ "data": data, "meta": { "currentPage": 1, "lastPage": 1, "total": 1, "perPage": 1 } })
}

/// The error envelope.
pub(super) fn error(status: u16, message: &str, errors: &Value) -> Value {
    json!({ "error": { "status": status, "message": message, "errors": errors } })
}

/// Seconds precision and a numeric offset, never `Z`.
fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

pub(super) fn company(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "notificationEmail": "rrhh@talleresbrisa.example",
        "language": tenant.language,
        "createdAt": "2021-03-08T09:12:44+00:00",
        "updatedAt": "2026-01-15T16:02:10+00:00",
    })
}

/// The word for a status. The vendor has two: who is away or about to start is active.
pub(super) fn status(person: &Person) -> &str {
    match &person.status {
        PersonStatus::Inactive => "inactive",
        PersonStatus::Odd(word) => word,
        PersonStatus::Active | PersonStatus::OnLeave | PersonStatus::Pending => "active",
    }
}

/// An employee as the list and the by-id endpoint show them, malformed where the person is.
pub(super) fn employee(person: &Person, tenant: &Tenant, behaviour: &Behaviour) -> Value {
    if person.malformed == Some(Malformation::RowIsNotAnObject) {
        return json!(7);
    }
    let mut row = Row { gaps: person.gaps, fields: Map::new() };
    row.identity(person);
    row.contact(person);
    row.work(person, tenant, behaviour);
    row.private(person);
    if let Some(malformation) = person.malformed {
        row.spoil(malformation);
    }
    Value::Object(row.fields)
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
        self.set("id", person.record_id.as_str());
        self.put("firstName", person.first_name.as_deref());
        self.put("lastName", person.last_name.as_deref());
        self.put("secondLastName", person.second_last_name.as_deref());
        self.put("code", person.employee_number.as_deref().map(code));
        self.put("gender", person.gender.as_deref().map(gender));
        self.put("dateOfBirth", person.birth_date.map(|date| date.to_string()));
        self.set("createdAt", stamp(person.created_at));
        self.set("updatedAt", stamp(person.modified_at));
    }

    fn contact(&mut self, person: &Person) {
        self.put("email", person.work_email.as_deref());
        self.put("personalMail", person.personal_email.as_deref());
        self.put("phone", person.phone.as_deref());
        self.put("workPhone", None::<&str>);
        self.put("country", person.country.as_deref());
    }

    fn work(&mut self, person: &Person, tenant: &Tenant, behaviour: &Behaviour) {
        if !behaviour.leaves_out_status && self.gaps != Gap::LeftOut {
            self.set("status", status(person));
        }
        self.set("workStatus", "offline");
        self.set("company", company(tenant));
        self.put("jobChargeName", person.job_title.as_deref());
        self.put("language", (person.country.as_deref() == Some("ES")).then_some("es-ES"));
        self.set("customFields", custom_fields(person, tenant));
    }

    /// What a rewards connector must never read, in every row.
    fn private(&mut self, person: &Person) {
        let number = person.employee_number.as_deref().unwrap_or("0");
        self.set("pin", PIN);
        self.set("nfc", format!("nfc-{number}"));
        self.set("nid", format!("nid-{number}"));
        self.set("identityNumberType", "nic");
        self.set("ssn", format!("ssn-{number}"));
        self.set("accountNumber", format!("iban-{number}"));
        self.set("bic", "CAIXESBBXXX");
        self.set("pricePerHour", 17.5);
        self.set("maritalStatus", Value::Null);
        self.set("imageProfileURL", Value::Null);
    }

    fn spoil(&mut self, malformation: Malformation) {
        match malformation {
            Malformation::NoRecordId => drop(self.fields.remove("id")),
            Malformation::RecordIdBlank => self.set("id", ""),
            Malformation::RecordIdWrongType => self.set("id", json!({ "uuid": null })),
            Malformation::NameIsNumber => self.set("firstName", 7),
            Malformation::BirthDateImpossible => self.set("dateOfBirth", "2023-02-30"),
            Malformation::EmailNotAnEmail => self.set("email", "nobody at home"),
            Malformation::StatusWrongType => self.set("status", json!(["active"])),
            // The start date stands in the contracts; a row that is no object never comes here.
            Malformation::StartDateNotADate | Malformation::RowIsNotAnObject => {}
        }
    }
}

/// Everybody's clock-in PIN, a number that occurs nowhere else.
const PIN: u64 = 73_190_024;

/// A number where the text is one, as declared; with leading zeros it can only be text.
fn code(number: &str) -> Value {
    let plain = number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number);
    plain.map_or_else(|| json!(number), |parsed| json!(parsed))
}

fn gender(word: &str) -> &str {
    match word {
        "female" | "male" => word,
        _ => "no_response",
    }
}

/// The customer's own fields: slug, uuid, name and the key in the population.
pub(super) const CUSTOM_FIELDS: [(&str, &str, &str, &str); 2] = [
    ("cf_talla", "b1f5d1f4-93b7-4a39-9a34-6f0d38f1c001", "Talla", "shirt_size"),
    (
        "cf_fecha_de_alta_en_beneficios",
        "b1f5d1f4-93b7-4a39-9a34-6f0d38f1c002",
        "Fecha de alta en beneficios",
        "benefit_date",
    ),
];

/// A custom field of the catalogue.
pub(super) fn custom_field((slug, id, name, _): (&str, &str, &str, &str), tenant: &Tenant) -> Value {
    json!({
        "id": id,
        "companyId": tenant.id,
        "name": name,
        "slug": slug,
        "type": "text",
        "createdAt": "2023-05-02T10:00:00+00:00",
        "updatedAt": "2023-05-02T10:00:00+00:00",
    })
}

/// Those that have a value; without one they are left out, null or empty, as the person's gaps are.
fn custom_fields(person: &Person, tenant: &Tenant) -> Value {
    let fields = CUSTOM_FIELDS.into_iter().filter_map(|field| {
        let value = match (person.custom.get(field.3), person.gaps) {
            (Some(value), _) => json!(value),
            (None, Gap::Null) => Value::Null,
            (None, Gap::LeftOut) => return None,
            (None, Gap::EmptyText) => json!(""),
        };
        let mut field = custom_field(field, tenant);
        field["value"] = value;
        Some(field)
    });
    fields.collect()
}

/// The id of a department or office: a uuid that follows from its name.
pub(super) fn unit_id(prefix: &str, name: &str) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = name.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{prefix}-2b1f-4d55-9a10-{:012x}", hash & 0xffff_ffff_ffff)
}

pub(super) fn department(name: &str) -> Value {
    json!({ "id": unit_id("a3a1f7d0", name), "name": name })
}

/// An office; `details` adds the fields of 2026.
pub(super) fn office(name: &str, details: bool) -> Value {
    let mut office = json!({
        "id": unit_id("c7e0b9a2", name),
        "name": name,
        "address": "Polígono Ficticio, parcela 4",
        "coordinates": { "latitude": 40.3, "longitude": -3.7 },
        "description": null,
        "radio": 200,
    });
    if details {
        office["defaultEmployeesDateTimeZone"] = json!(time_zone(name));
        office["isDeleted"] = json!(name == DELETED_OFFICE);
    }
    office
}

/// The time zone of an office.
pub(super) fn time_zone(office: &str) -> &'static str {
    match office {
        "Lisbon" | "Porto" => "Europe/Lisbon",
        "London" | "Leeds" | "Bristol" => "Europe/London",
        _ => "Europe/Madrid",
    }
}

/// One of possibly several assignations of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assigned {
    /// The newest, which counts.
    Present,
    /// One from the day on which the record was made.
    Earlier,
    /// One with the same date as the present one; its id is smaller.
    Tied,
    /// A newer one than the present one, to an office that was deleted.
    ToDeleted,
}

impl Assigned {
    /// The first digit of the assignation's id, and how many days after the record it was made.
    fn id_and_days(self) -> (char, i64) {
        match self {
            Self::Present => ('e', 1),
            Self::Earlier => ('d', 0),
            Self::Tied => ('c', 1),
            Self::ToDeleted => ('f', 2),
        }
    }
}

/// An assignation with the whole employee inside, as the vendor sends it.
pub(super) fn assignation(
    person: &Person,
    assigned: Assigned,
    unit: (&str, Value),
    employee: &Value,
) -> Value {
    let (digit, days) = assigned.id_and_days();
    let at = stamp(person.created_at + TimeDelta::days(days));
    let rest = person.record_id.get(1..).unwrap_or_default();
    let mut row =
        json!({ "id": format!("{digit}{rest}"), "employee": employee, "createdAt": at, "updatedAt": at });
    row[unit.0] = unit.1;
    row
}

/// The contracts of a person, oldest first: one, or two for who came back.
pub(super) fn contracts(person: &Person) -> Vec<Value> {
    if person.malformed == Some(Malformation::StartDateNotADate) {
        return vec![contract("soon", None, person, 1)];
    }
    let Some(start) = person.start_date else {
        return Vec::new();
    };
    let first = person.original_start_date.filter(|first| *first < start);
    let earlier = first.map(|first| contract(&first.to_string(), start.pred_opt(), person, 1));
    let present = contract(&start.to_string(), person.end_date, person, 2);
    earlier.into_iter().chain([present]).collect()
}

fn contract(start: &str, end: Option<NaiveDate>, person: &Person, number: u32) -> Value {
    let end = end.map(|end| end.to_string());
    json!({
        "id": format!("{number}{}", person.record_id.get(1..).unwrap_or_default()),
        "startAt": start,
        "endAt": end,
        "startDate": start,
        "endDate": end,
        "comment": "",
        "code": format!("{number:03}"),
        "jobChargeName": person.job_title,
        "contractTypeName": if end.is_some() { "Temporal" } else { "Indefinido" },
        "seniorityDate": start,
        "weeklyHours": 40,
        "fte": 1,
        "remoteWork": false,
        "workDays": [{ "day": "monday", "hours": 8 }],
    })
}
