//! Writes the vendor's JSON by hand, after the samples of its documentation and of clients that call it.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveTime};
use hris_testkit::population::{Gap, Malformation, Person, PersonStatus};
use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, BirthPlace, DateStyle, TokenLife};

/// What must never be read, in every row of the full view.
pub(super) const DECOY: &str = "000-00-0000";
/// The id of a manager who is nobody.
const NOBODY: &str = "00009999999";
const FIRST_ID: usize = 1_000_100;

/// TriNet's id of the person at a position: digits with leading zeros.
pub(super) fn employee_id(position: usize) -> String {
    format!("{:011}", FIRST_ID + position)
}

/// The position that an id stands for.
pub(super) fn position_of(employee_id: &str) -> Option<usize> {
    employee_id.parse::<usize>().ok()?.checked_sub(FIRST_ID)
}

/// The status letter of the person at a position.
///
/// By position people on leave are `L`, `P` and `S` in turn, and people who have left `T`, `U` and `D`.
pub(super) fn letter<'p>(person: &'p Person, position: usize, behaviour: &Behaviour) -> &'p str {
    let is_unpaid = |end: NaiveDate| behaviour.paid_until.is_some_and(|paid| end > paid);
    match &person.status {
        PersonStatus::Odd(word) => word,
        PersonStatus::Active | PersonStatus::Pending => "A",
        PersonStatus::OnLeave => ["L", "P", "S"][position % 3],
        PersonStatus::Inactive if person.end_date.is_some_and(is_unpaid) => "A",
        PersonStatus::Inactive => ["T", "U", "D"][position % 3],
    }
}

/// An employee as the list shows them, malformed where the person is.
pub(super) fn employee(
    people: &[Person],
    positions: &HashMap<String, usize>,
    position: usize,
    full: bool,
    behaviour: &Behaviour,
) -> Value {
    let person = &people[position];
    if person.malformed == Some(Malformation::RowIsNotAnObject) {
        return json!(7);
    }
    let row = Row { positions, person, position, behaviour };
    let mut fields = row.root();
    if full {
        row.add_private(&mut fields);
    }
    if let Some(malformation) = person.malformed {
        spoil(&mut fields, malformation);
    }
    Value::Object(fields)
}

struct Row<'a> {
    positions: &'a HashMap<String, usize>,
    person: &'a Person,
    position: usize,
    behaviour: &'a Behaviour,
}

type Fields = Map<String, Value>;

impl Row<'_> {
    /// Sets a field that may be empty, in the way in which this person's row shows empty fields.
    fn put(&self, fields: &mut Fields, key: &str, value: Option<impl Into<Value>>) {
        let value = match (value, self.person.gaps) {
            (Some(value), _) => value.into(),
            (None, Gap::Null) => Value::Null,
            (None, Gap::LeftOut) => return,
            (None, Gap::EmptyText) => json!(""),
        };
        fields.insert(key.to_owned(), value);
    }

    fn id(&self, text: &str) -> Value {
        let number = text.parse::<u64>().ok().filter(|_| self.behaviour.has_numeric_ids);
        number.map_or_else(|| json!(text), Value::from)
    }

    fn date(&self, date: NaiveDate) -> Value {
        let style = match (self.behaviour.dates, self.position % 5) {
            (DateStyle::Mixed, 0) => DateStyle::Iso,
            (DateStyle::Mixed, 1) => DateStyle::Instant,
            (DateStyle::Mixed, 2) => DateStyle::Offset,
            (DateStyle::Mixed, 3) => DateStyle::American,
            (DateStyle::Mixed, _) => DateStyle::Epoch,
            (style, _) => style,
        };
        match style {
            DateStyle::Iso | DateStyle::Mixed => json!(date.to_string()),
            DateStyle::Instant => json!(format!("{date}T00:00:00Z")),
            DateStyle::Offset => json!(format!("{date}T23:30:00.000-0600")),
            DateStyle::American => json!(date.format("%m/%d/%Y").to_string()),
            DateStyle::Epoch => {
                let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
                json!(date.and_time(noon).and_utc().timestamp_millis())
            }
        }
    }

    fn root(&self) -> Fields {
        let mut fields = Fields::new();
        fields.insert("employeeId".to_owned(), self.id(&employee_id(self.position)));
        let number = self.person.employee_number.as_deref().map(|number| self.id(number));
        self.put(&mut fields, "alternateId", number);
        fields.insert("names".to_owned(), self.names());
        let employment = if self.behaviour.is_flat { self.flat() } else { self.nested() };
        fields.insert("employmentInfo".to_owned(), Value::Object(employment));
        let photo = json!({ "photoId": 501, "mimeType": "image/jpeg", "uri": "/v1/profile/photos/501" });
        fields.insert("employeePhoto".to_owned(), photo);
        fields
    }

    /// The legal name; each fourth person has a preferred one before it, which is `Kit` and the legal last name.
    fn names(&self) -> Value {
        let (primary, preferred) =
            if self.behaviour.has_name_codes { ("PRI", "PRF") } else { ("primary", "preferred") };
        let last = last_name(self.person);
        let legal = self.name(primary, self.person.first_name.as_deref(), last.as_deref(), 1);
        if self.position.is_multiple_of(4) {
            json!([self.name(preferred, Some("Kit"), last.as_deref(), 2), legal])
        } else {
            json!([legal])
        }
    }

    fn name(&self, kind: &str, first: Option<&str>, last: Option<&str>, unique: u32) -> Value {
        let mut name = Fields::new();
        name.insert("nameType".to_owned(), json!(kind));
        self.put(&mut name, "firstName", first);
        self.put(&mut name, "middleName", None::<&str>);
        self.put(&mut name, "lastName", last);
        let effective = self.person.start_date.map(|date| self.date(date));
        self.put(&mut name, "effectiveDate", effective);
        name.insert("uniqueId".to_owned(), json!(unique));
        name.insert("suffix".to_owned(), Value::Null);
        name.insert("nameFormat".to_owned(), json!("001"));
        Value::Object(name)
    }

    /// What both forms of an employment have.
    fn employment(&self) -> Fields {
        let mut info = Fields::new();
        let letter = letter(self.person, self.position, self.behaviour);
        info.insert("employmentStatus".to_owned(), json!(letter));
        self.put(&mut info, "serviceDate", self.person.start_date.map(|date| self.date(date)));
        self.put(&mut info, "terminationDate", self.person.end_date.map(|date| self.date(date)));
        self.put(&mut info, "workEmail", self.person.work_email.as_deref());
        self.put(&mut info, "workPhone", None::<&str>);
        self.put(&mut info, "businessTitle", self.person.job_title.as_deref());
        self.put(&mut info, "jobCode", self.person.job_title.as_deref().map(|title| unit_id('J', title)));
        info.insert("flsaCode".to_owned(), json!("N"));
        info.insert("payGroup".to_owned(), json!("AC1"));
        info.insert("eventCode".to_owned(), json!("PAY"));
        info.insert("eventDesc".to_owned(), json!("Pay Rate Change"));
        info
    }

    fn nested(&self) -> Fields {
        let mut info = self.employment();
        info.insert("employeeType".to_owned(), json!(if self.is_part_time() { "P" } else { "F" }));
        info.insert("regularTemporary".to_owned(), json!("R"));
        info.insert("standardHours".to_owned(), json!("40"));
        let department = self.person.department.as_deref().map(department);
        self.put(&mut info, "department", department);
        let location = self.person.location.as_deref().map(location);
        self.put(&mut info, "location", location);
        let supervisor = self.manager().map(|id| json!({ "supervisorId": self.id(&id) }));
        self.put(&mut info, "supervisor", supervisor);
        let group = self.person.custom.get("shirt_size");
        self.put(&mut info, "customGroupA", group.map(String::as_str));
        info.insert("workersCompCode".to_owned(), json!({ "code": "8810", "state": "CA" }));
        info
    }

    fn flat(&self) -> Fields {
        let mut info = self.employment();
        info.insert(
            "employeeType".to_owned(),
            json!(if self.is_part_time() { "parttime" } else { "fulltime" }),
        );
        info.insert("temporaryIndicator".to_owned(), json!("regular"));
        info.insert("standardhours".to_owned(), json!(40));
        let department = self.person.department.as_deref().map(|name| unit_id('D', name));
        self.put(&mut info, "departmentId", department);
        let location = self.person.location.as_deref().map(|name| unit_id('L', name));
        self.put(&mut info, "locationId", location);
        self.put(&mut info, "supervisorId", self.manager().map(|id| self.id(&id)));
        let group = self.person.custom.get("shirt_size");
        self.put(&mut info, "groupA", group.map(String::as_str));
        info.insert("workersCompCodes".to_owned(), json!({ "workersCompCode": "8810", "state": "CA" }));
        info
    }

    fn is_part_time(&self) -> bool {
        self.position.is_multiple_of(9)
    }

    /// The id of the person's manager, who may be nobody.
    fn manager(&self) -> Option<String> {
        let manager = self.person.manager.as_deref()?;
        let position = self.positions.get(manager).copied();
        Some(position.map_or_else(|| NOBODY.to_owned(), employee_id))
    }

    /// What only the full view has, with what a rewards connector must never read.
    fn add_private(&self, fields: &mut Fields) {
        let mut bio = Fields::new();
        let (object, key) = match self.behaviour.birth_date {
            BirthPlace::BioInfo => ("bioInfo", "birthdate"),
            BirthPlace::BiographicalInfo => ("biographicalInfo", "birthDate"),
            BirthPlace::Elsewhere => ("personalInfo", "dob"),
        };
        self.put(&mut bio, key, self.person.birth_date.map(|date| self.date(date)));
        self.put(&mut bio, "gender", self.person.gender.as_deref().map(gender));
        bio.insert("ethnicity".to_owned(), json!("decoy-ethnicity"));
        fields.insert(object.to_owned(), Value::Object(bio));
        let mut home = Fields::new();
        home.insert("address1".to_owned(), json!("1 Decoy Way"));
        self.put(&mut home, "country", self.person.country.as_deref());
        self.put(&mut home, "phone", self.person.phone.as_deref());
        fields.insert("homeContact".to_owned(), Value::Object(home));
        if let Some(name) = self.person.department.as_deref() {
            let split = json!([{ "deptId": unit_id('D', name), "departmentName": name }]);
            fields.insert("departmentSplit".to_owned(), split);
        }
        fields.insert("workEligibility".to_owned(), json!({ "citizenshipStatus": "decoy-citizen" }));
        fields.insert("nationalId".to_owned(), json!(DECOY));
        fields.insert("ssn".to_owned(), json!(DECOY));
        fields.insert("maritalStatus".to_owned(), json!("decoy-married"));
        fields.insert("payInfo".to_owned(), json!({ "payRate": 73_190.24, "period": "decoy-monthly" }));
    }
}

fn spoil(fields: &mut Fields, malformation: Malformation) {
    match malformation {
        Malformation::NoRecordId => drop(fields.remove("employeeId")),
        Malformation::RecordIdBlank => set(fields, &["employeeId"], json!("")),
        Malformation::RecordIdWrongType => set(fields, &["employeeId"], json!({ "id": null })),
        Malformation::NameIsNumber => {
            for name in fields["names"].as_array_mut().into_iter().flatten() {
                name["firstName"] = json!(7);
            }
        }
        Malformation::BirthDateImpossible => {
            for (object, key) in [("bioInfo", "birthdate"), ("biographicalInfo", "birthDate")] {
                if fields.contains_key(object) {
                    set(fields, &[object, key], json!("2023-02-30"));
                }
            }
        }
        Malformation::StartDateNotADate => set(fields, &["employmentInfo", "serviceDate"], json!("soon")),
        Malformation::EmailNotAnEmail => {
            set(fields, &["employmentInfo", "workEmail"], json!("nobody at home"));
        }
        Malformation::StatusWrongType => {
            set(fields, &["employmentInfo", "employmentStatus"], json!(["A"]));
        }
        // Never comes here.
        Malformation::RowIsNotAnObject => {}
    }
}

fn set(fields: &mut Fields, path: &[&str], value: Value) {
    match path {
        [key] => drop(fields.insert((*key).to_owned(), value)),
        [object, key] => fields[*object][*key] = value,
        _ => {}
    }
}

/// TriNet has one last name.
fn last_name(person: &Person) -> Option<String> {
    match (&person.last_name, &person.second_last_name) {
        (Some(first), Some(second)) => Some(format!("{first} {second}")),
        (last, _) => last.clone(),
    }
}

fn gender(word: &str) -> &str {
    match word {
        "female" => "F",
        "male" => "M",
        _ => "X",
    }
}

/// The id of a department, a location or a job: a letter, and a number that follows from the name.
pub(super) fn unit_id(prefix: char, name: &str) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = name.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{prefix}{:08X}", hash & 0xffff_ffff)
}

pub(super) fn department(name: &str) -> Value {
    json!({ "deptId": unit_id('D', name), "deptName": name })
}

pub(super) fn location(name: &str) -> Value {
    json!({
        "locationId": unit_id('L', name),
        "locationName": name,
        "shortDesc": null,
        "headquarter": null,
    })
}

pub(super) fn job(title: &str) -> Value {
    json!({ "key": unit_id('J', title), "value": title })
}

/// The company's record; its zone is Pacific.
pub(super) fn company(id: &str, name: &str, behaviour: &Behaviour) -> Value {
    json!({
        "companyId": id,
        "parentClientId": id,
        "companyName": name,
        "legalName": format!("{name}, Inc."),
        "liveDate": "2018-01-01",
        "timezone": "PT",
        "terminationDate": behaviour.company_leaves.map(|date| date.to_string()),
    })
}

/// The envelope around a success.
pub(super) fn envelope(data: &Value, request: u64) -> Value {
    json!({
        "data": data,
        "_requestId": format!("mock-0000-{request:04}"),
        "_statusCode": "200",
        "_statusText": "OK",
        "_statusMessage": "Success",
    })
}

/// The envelope around an application's failure. The wording leaks, as real ones may; nothing may depend on it.
pub(super) fn failure(status: u16, message: &str) -> Value {
    json!({
        "_requestId": "mock-0000-0404",
        "_statusCode": status.to_string(),
        "_statusText": "Not OK",
        "_statusMessage": message,
    })
}

/// The gateway's failure.
pub(super) fn fault(code: &str, sentence: &str) -> Value {
    json!({ "fault": { "faultstring": sentence, "detail": { "errorcode": code } } })
}

/// The gateway's failure of a token request.
pub(super) fn token_failure(code: &str) -> Value {
    json!({ "ErrorCode": code, "Error": "Something about ClientId" })
}

/// The answer to a token request.
pub(super) fn token(token: &str, client_id: &str, behaviour: &Behaviour) -> Value {
    let expires_in = match behaviour.token_life {
        TokenLife::Text(seconds) => json!(seconds.to_string()),
        TokenLife::Number(seconds) => json!(seconds),
        TokenLife::Untold(_) => return json!({ "access_token": token, "token_type": "Bearer" }),
    };
    json!({
        "refresh_token_expires_in": "0",
        "api_product_list": "[acme-directory-product]",
        "api_product_list_json": ["acme-directory-product"],
        "organization_name": "trinetapi",
        "developer.email": "integrations@acme.example",
        "token_type": "BearerToken",
        "issued_at": "1767225600000",
        "client_id": client_id,
        "access_token": token,
        "application_name": "00000000-0000-4000-8000-000000000001",
        "scope": behaviour.scopes,
        "expires_in": expires_in,
        "refresh_count": "0",
        "status": "approved",
    })
}
