//! Writes the vendor's JSON by hand, after recorded answers and its specification.

use chrono::NaiveDate;
use hris_testkit::population::{Gap, Malformation, Person, PersonStatus};
use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, FlagSpelling, LeaverCode, NoResult};

/// What must never be read.
pub(super) const DECOY: &str = "decoy-73190-BANK";
/// The Employee ID of a manager who is nobody.
pub(super) const NOBODY: &str = "99999999";

pub(super) const DONE: &str = "The request processed successfully.";
pub(super) const DONE_ELSEWHERE: &str = "The requested processed successfully.";

/// What happened to somebody in PeopleHR, beside what the population knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) leaving: Option<(NaiveDate, bool)>,
    pub(super) rehired: Option<NaiveDate>,
    pub(super) employee_id: Option<String>,
    pub(super) code: Option<String>,
    pub(super) is_deleted: bool,
}

/// A person as PeopleHR has them.
pub(super) struct Employee<'a> {
    pub(super) person: &'a Person,
    pub(super) change: &'a Change,
    pub(super) manager: Option<String>,
    pub(super) today: NaiveDate,
    pub(super) behaviour: &'a Behaviour,
}

type Fields = Map<String, Value>;

impl Employee<'_> {
    /// Whether they belong to current staff.
    pub(super) fn is_current(&self) -> bool {
        match (self.change.rehired, self.change.leaving) {
            (Some(_), _) => true,
            (None, Some((_, true))) => false,
            (None, Some((last_day, false))) => last_day >= self.today,
            (None, None) => self.person.status != PersonStatus::Inactive,
        }
    }

    pub(super) fn employee_id(&self) -> Option<&str> {
        self.change.employee_id.as_deref().or(self.person.employee_number.as_deref())
    }

    fn leaving_date(&self) -> Option<NaiveDate> {
        if self.change.rehired.is_some() {
            return None;
        }
        let date = self.change.leaving.map(|(last_day, _)| last_day).or(self.person.end_date)?;
        // Who is employed in PeopleHR has no last day that is over, since that day would have ended it.
        let is_over = date < self.today && self.is_current();
        Some(date).filter(|_| !is_over || self.behaviour.keeps_passed_leaving_dates)
    }

    fn start_date(&self) -> Option<NaiveDate> {
        self.change.rehired.or(self.person.start_date)
    }

    fn code(&self) -> Option<&str> {
        let code = match (&self.person.status, self.behaviour.leaver_code) {
            (PersonStatus::Odd(word), _) => word,
            _ if self.is_current() => "1",
            (_, LeaverCode::One) => "1",
            (_, LeaverCode::Two) => "2",
            (_, LeaverCode::LeftOut) => return None,
        };
        Some(self.change.code.as_deref().unwrap_or(code))
    }

    fn email(&self) -> Option<&str> {
        let is_removed = self.behaviour.removes_leavers_emails && !self.is_current();
        self.person.work_email.as_deref().filter(|_| !is_removed)
    }

    /// The row, malformed where the person is.
    pub(super) fn row(&self) -> Value {
        if self.person.malformed == Some(Malformation::RowIsNotAnObject) {
            return json!("not a row");
        }
        let mut fields = Fields::new();
        self.person_fields(&mut fields);
        self.job_fields(&mut fields);
        self.sensitive_fields(&mut fields);
        self.later_fields(&mut fields);
        if let Some(malformation) = self.person.malformed {
            self.spoil(&mut fields, malformation);
        }
        Value::Object(fields)
    }

    fn person_fields(&self, fields: &mut Fields) {
        self.put(fields, "EmployeeId", Some("FieldHistory"), self.employee_id());
        self.put(fields, "Title", Some("FieldHistory"), Some("Mx"));
        self.put(fields, "FirstName", Some("FieldHistory"), self.person.first_name.as_deref());
        self.put(fields, "LastName", Some("FieldHistory"), last_name(self.person).as_deref());
        self.put(fields, "OtherName", Some("FieldHistory"), None);
        self.put(fields, "KnownAs", Some("FieldHistory"), None);
        self.put(fields, "EmailId", Some("FieldHistory"), self.email());
        self.put(fields, "StartDate", Some("FieldHistory"), date(self.start_date()).as_deref());
        self.put(fields, "DateOfBirth", Some("FieldHistory"), date(self.person.birth_date).as_deref());
        self.put(fields, "Gender", Some("FieldHistory"), self.person.gender.as_deref().map(gender));
    }

    fn job_fields(&self, fields: &mut Fields) {
        let by_date = Some("FieldHistoryForEffectiveDate");
        self.put(fields, "JobRole", Some("FieldHistoryForJobRole"), self.person.job_title.as_deref());
        self.put(fields, "Company", by_date, Some("Bramble & Finch Ltd"));
        self.put(fields, "CompanyEffectiveDate", None, date(self.start_date()).as_deref());
        self.put(fields, "Location", by_date, self.person.location.as_deref());
        self.put(fields, "Department", by_date, self.person.department.as_deref());
        self.put(fields, "JobRoleChangeDate", None, date(self.start_date()).as_deref());
        self.put(fields, "EmploymentType", by_date, Some("Full Time"));
        if let Some(code) = self.code() {
            fields.insert("EmployeeStatus".to_owned(), json!({ "DisplayValue": code }));
        }
        self.put(fields, "HolidayAllowanceDays", None, Some("27.50"));
        self.put(fields, "NoticePeriod", Some("FieldHistory"), Some("3 months"));
        self.put_bare(fields, "LeavingDate", date(self.leaving_date()).as_deref());
        self.put_bare(fields, "ReasonForLeaving", self.leaving_date().map(|_| "Resignation"));
        self.put_bare(fields, "EmployeeImage", None);
        let columns =
            ["shirt_size", "benefit_date"].map(|key| self.person.custom.get(key).map(String::as_str));
        for (at, value) in columns.into_iter().enumerate() {
            if let Some(value) = value {
                fields.insert(format!("APIColumn{}", at + 1), json!(value));
            }
        }
        fields.insert("lstFieldHistoryJobrole".to_owned(), Value::Null);
    }

    /// What every row has and no rewards platform needs.
    fn sensitive_fields(&self, fields: &mut Fields) {
        let decoy = || json!({ "DisplayValue": DECOY, "FieldHistory": [] });
        fields.insert("NISNumber".to_owned(), decoy());
        fields.insert("Nationality".to_owned(), decoy());
        let bank = ["BankName", "BankAddress", "BankCode", "AccountNumber", "AccountName"];
        let bank: Fields = bank.into_iter().map(|key| (key.to_owned(), decoy())).collect();
        fields.insert("BankDetail".to_owned(), Value::Object(bank));
        let lists = [
            (
                "OtherContact",
                json!({ "OtherContactName": decoy(), "OtheContactAddress": decoy(), "Mobile": decoy() }),
            ),
            (
                "RightToWork",
                json!({ "DocumentId": decoy(), "ValidFrom": { "DisplayValue": "Thu, 01 Jan 2015" } }),
            ),
            ("BackgroundDetail", json!({ "CheckType": decoy() })),
        ];
        for (key, entry) in lists {
            let value = if self.behaviour.lists_are_objects { entry } else { json!([entry]) };
            fields.insert(key.to_owned(), value);
        }
    }

    fn later_fields(&self, fields: &mut Fields) {
        let country = self.person.country.as_deref();
        let address =
            country.map(|country| format!("7 Kiln Row<br /><br />Leeds<br /><br />{country}<br />LS99 9ZZ"));
        let mut contact = Fields::new();
        self.put(&mut contact, "Address", Some("FieldHistory"), address.as_deref());
        self.put(&mut contact, "WorkPhoneNumber", Some("FieldHistory"), None);
        self.put(&mut contact, "PersonalPhoneNumber", Some("FieldHistory"), None);
        self.put(&mut contact, "Mobile", Some("FieldHistory"), self.person.phone.as_deref());
        let payroll = json!({ "PayrollID": { "DisplayValue": "payroll-000417", "FieldHistory": [] } });
        fields.insert("EmploymentDetail".to_owned(), payroll);
        if !self.behaviour.is_of_2015 {
            let email = self.person.personal_email.as_deref();
            self.put(&mut contact, "PersonalEmail", Some("FieldHistory"), email);
            self.put(fields, "ReportsToEmployeeId", None, self.manager.as_deref());
            fields.insert("AdditionalreportsTo".to_owned(), json!([]));
        }
        fields.insert("ContactDetail".to_owned(), Value::Object(contact));
        if self.has_unique_key() {
            fields.insert("UniqueKey".to_owned(), json!(self.person.record_id));
        }
    }

    /// Sets a field in its wrapper. One that is empty is as this person's row shows empty fields.
    fn put(&self, fields: &mut Fields, key: &str, history: Option<&str>, value: Option<&str>) {
        let value = match (value, self.person.gaps) {
            (Some(value), _) => json!(value),
            (None, Gap::Null) => Value::Null,
            (None, Gap::LeftOut) => return,
            (None, Gap::EmptyText) => json!(""),
        };
        let mut wrapper = json!({ "DisplayValue": value });
        if let Some(history) = history {
            wrapper[history] = if self.behaviour.has_null_histories { Value::Null } else { json!([]) };
        }
        fields.insert(key.to_owned(), wrapper);
    }

    /// Sets a field that has no wrapper.
    fn put_bare(&self, fields: &mut Fields, key: &str, value: Option<&str>) {
        let value = match (value, self.person.gaps) {
            (Some(value), _) => json!(value),
            (None, Gap::Null) => Value::Null,
            (None, Gap::LeftOut) => return,
            (None, Gap::EmptyText) => json!(""),
        };
        fields.insert(key.to_owned(), value);
    }

    fn has_unique_key(&self) -> bool {
        self.behaviour.has_unique_keys && !self.behaviour.is_of_2015
    }

    fn spoil(&self, fields: &mut Fields, malformation: Malformation) {
        let id = if self.has_unique_key() { "UniqueKey" } else { "EmployeeId" };
        let (key, value) = match malformation {
            Malformation::NoRecordId => return drop(fields.remove(id)),
            Malformation::RecordIdBlank => (id, json!(" ")),
            Malformation::RecordIdWrongType => (id, json!({ "DisplayValue": { "id": 7 } })),
            Malformation::NameIsNumber => ("FirstName", json!({ "DisplayValue": 7 })),
            Malformation::BirthDateImpossible => ("DateOfBirth", json!({ "DisplayValue": "2023-02-30" })),
            Malformation::StartDateNotADate => ("StartDate", json!({ "DisplayValue": "soon" })),
            Malformation::EmailNotAnEmail => ("EmailId", json!({ "DisplayValue": "nobody at home" })),
            Malformation::StatusWrongType => ("EmployeeStatus", json!({ "DisplayValue": ["1"] })),
            // Never comes here.
            Malformation::RowIsNotAnObject => return,
        };
        fields.insert(key.to_owned(), value);
    }

    /// The row of the saved query, with its own form of dates and times.
    pub(super) fn query_row(&self) -> Value {
        let date = |date: Option<NaiveDate>| date.map(|date| date.format("%Y/%m/%d").to_string());
        json!({
            "Employee Id": self.employee_id(),
            "First Name": self.person.first_name,
            "Last Name": last_name(self.person),
            "Work Email": self.email(),
            "Start Date": date(self.start_date()),
            "Date of Birth": date(self.person.birth_date),
            "Final Day of Employment": date(self.leaving_date()),
            "Allowance (Days)": 27.5,
            "Shift Start": { "Hours": 9, "Minutes": 30, "Seconds": 0 },
            "Bank Account": DECOY,
        })
    }
}

/// An envelope with its flag, code, message and result, as far as there are any.
pub(super) fn envelope(
    behaviour: &Behaviour,
    is_error: bool,
    status: u32,
    message: &str,
    result: Option<&Value>,
) -> String {
    let flag = match behaviour.flag {
        FlagSpelling::Wire => format!(r#""isError":{is_error},"#),
        FlagSpelling::Specification => format!(r#""IsError":{is_error},"#),
        FlagSpelling::Text => format!(r#""IsError":"{is_error}","#),
        FlagSpelling::LeftOut => String::new(),
    };
    let head = format!(r#"{flag}"Status":{status},"Message":{}"#, json!(message));
    let result = result.map(|result| format!(r#""Result":{result}"#));
    match result {
        None => format!("{{{head}}}"),
        Some(result) if behaviour.puts_rows_first => format!("{{{result},{head}}}"),
        Some(result) => format!("{{{head},{result}}}"),
    }
}

/// What stands where the result belongs, where there is none.
pub(super) fn no_result(behaviour: &Behaviour) -> Option<Value> {
    match behaviour.no_result {
        NoResult::Null => Some(Value::Null),
        NoResult::EmptyObject => Some(json!({})),
        NoResult::LeftOut => None,
    }
}

/// PeopleHR has one last name.
fn last_name(person: &Person) -> Option<String> {
    match (&person.last_name, &person.second_last_name) {
        (Some(first), Some(second)) => Some(format!("{first} {second}")),
        (last, _) => last.clone(),
    }
}

fn gender(word: &str) -> &str {
    match word {
        "female" => "Female",
        "male" => "Male",
        _ => "Not Specified",
    }
}

fn date(date: Option<NaiveDate>) -> Option<String> {
    date.map(|date| date.to_string())
}
