//! From Sesame's rows to canonical employees: the only place that knows both.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use hris_core::{
    Employee, EmployeeField, EmployeeId, EmploymentStatus, Field, FieldProblem, FieldSet, RejectedRecord,
};
use hris_http::lenient::Cell;

use crate::client::Company;
use crate::config::{EmployeeIdSource, SesameConfig};
use crate::joins::Joins;
use crate::wire::{Key, Keys, Row};

/// The fields that come with the row, and their keys.
const KEYS_OF: &[(EmployeeField, &[Key])] = &[
    (EmployeeField::FirstName, &[Key::FirstName]),
    (EmployeeField::LastName, &[Key::LastName, Key::SecondLastName]),
    (EmployeeField::WorkEmail, &[Key::Email]),
    (EmployeeField::PersonalEmail, &[Key::PersonalMail]),
    (EmployeeField::Phone, &[Key::Phone]),
    (EmployeeField::WorkPhone, &[Key::WorkPhone]),
    (EmployeeField::BirthDate, &[Key::DateOfBirth]),
    (EmployeeField::Gender, &[Key::Gender]),
    (EmployeeField::Country, &[Key::Country]),
    (EmployeeField::JobTitle, &[Key::JobChargeName]),
    (EmployeeField::Company, &[Key::Company]),
    (EmployeeField::Language, &[Key::Language]),
];

/// What of a row is read, and into what it is made.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    fields: FieldSet,
    keys: Keys,
    employee_id: EmployeeIdSource,
}

/// The record id of a row: a text that is not blank.
pub(crate) fn record_id<'r>(row: &'r Row<'_>) -> Option<&'r str> {
    match row.cell(Key::Id) {
        Cell::Text(id) if !id.trim().is_empty() => Some(id),
        _ => None,
    }
}

/// A row of which it cannot be told whose it is; `None` is one that is no object.
pub(crate) fn unidentified(row: Option<&Row<'_>>) -> RejectedRecord {
    match row {
        Some(_) => RejectedRecord::unreadable(None, "the row has no readable `id`").at("id"),
        None => RejectedRecord::unreadable(None, "the row is not an object"),
    }
}

impl Projection {
    /// The fields of a query, beside record id, status and modification stamp.
    pub(crate) fn new(fields: FieldSet, config: &SesameConfig) -> Self {
        let mut keys = Keys::default();
        let wanted = KEYS_OF.iter().filter(|(field, _)| fields.has(*field));
        let wanted = wanted.flat_map(|(_, keys)| *keys);
        for key in [Key::Id, Key::Status, Key::UpdatedAt].iter().chain(wanted) {
            keys.insert(*key);
        }
        if fields.has(EmployeeField::EmployeeId) && config.employee_id == EmployeeIdSource::Code {
            keys.insert(Key::Code);
        }
        if fields.custom().len() > 0 {
            keys.insert(Key::CustomFields);
        }
        if !config.joins_last_names {
            keys.remove(Key::SecondLastName);
        }
        Self { fields, keys, employee_id: config.employee_id }
    }

    /// The keys to read.
    pub(crate) fn keys(&self) -> Keys {
        self.keys
    }

    /// Makes an employee of a row whose id was read. `implied` is the status by the list in which the row stood.
    ///
    /// A key that is not wanted was not read, so that its cell is missing and its field stays absent.
    pub(crate) fn employee(
        &self,
        id: &str,
        row: &Row<'_>,
        implied: EmploymentStatus,
        company: &Company,
        joins: &Joins,
    ) -> Employee {
        let mut problems = Vec::new();
        let mut employee = Employee::new(id, status(row, implied, &mut problems));
        employee.modified_at = row.cell(Key::UpdatedAt).scalar().and_then(timestamp);
        employee.employee_id = self.employee_id(id, row, &mut problems);
        employee.last_name = last_name(row, &mut problems);
        employee.birth_date = birth_date(row, &mut problems).map(Into::into);
        let mut text = |field, key| text_field(row.cell(key), field, &mut problems);
        employee.first_name = text(EmployeeField::FirstName, Key::FirstName);
        employee.work_email = text(EmployeeField::WorkEmail, Key::Email);
        employee.personal_email = text(EmployeeField::PersonalEmail, Key::PersonalMail);
        employee.phone = text(EmployeeField::Phone, Key::Phone);
        employee.work_phone = text(EmployeeField::WorkPhone, Key::WorkPhone);
        employee.gender = text(EmployeeField::Gender, Key::Gender);
        employee.country = text(EmployeeField::Country, Key::Country);
        employee.job_title = text(EmployeeField::JobTitle, Key::JobChargeName);
        employee.language = text(EmployeeField::Language, Key::Language);
        employee.problems = problems;
        self.fall_back_on_company(&mut employee, row, company);
        joins.custom().fill(&row.custom_fields, &mut employee);
        joins.fill(&mut employee);
        employee
    }

    fn employee_id(&self, id: &str, row: &Row<'_>, problems: &mut Vec<FieldProblem>) -> Field<EmployeeId> {
        let field = EmployeeField::EmployeeId;
        match (self.employee_id, row.cell(Key::Code)) {
            _ if !self.fields.has(field) => Field::Absent,
            (EmployeeIdSource::Id, _) => Field::Value(id.into()),
            (EmployeeIdSource::Code, Cell::Missing) => Field::Absent,
            (EmployeeIdSource::Code, Cell::Nested) => {
                unreadable(field, "is neither a number nor a text", problems)
            }
            (EmployeeIdSource::Code, code) => Field::from_option(code.scalar().map(EmployeeId::from)),
        }
    }

    /// The legal entity is the token's company where the row does not say it, and so is the language.
    fn fall_back_on_company(&self, employee: &mut Employee, row: &Row<'_>, company: &Company) {
        if self.fields.has(EmployeeField::Company) {
            let name = row.company.0.as_ref().and_then(|company| company.name.scalar());
            let name = name.or(company.name.as_deref());
            employee.company = name.map_or(Field::Absent, |name| Field::Value(name.to_owned()));
        }
        let says_no_language = row.cell(Key::Language).is_empty();
        if self.fields.has(EmployeeField::Language) && says_no_language {
            let language = company.language.clone().map(Field::Value);
            employee.language = language.unwrap_or(std::mem::take(&mut employee.language));
        }
    }
}

/// The row's word, or where it says nothing the list it stood in.
fn status(row: &Row<'_>, implied: EmploymentStatus, problems: &mut Vec<FieldProblem>) -> EmploymentStatus {
    match row.cell(Key::Status) {
        cell if cell.is_empty() => implied,
        Cell::Text(word) => match word.trim() {
            "active" => EmploymentStatus::Active,
            "inactive" => EmploymentStatus::Inactive,
            word => EmploymentStatus::Unknown(Some(word.to_owned())),
        },
        _ => {
            problems.push(FieldProblem::unreadable(EmployeeField::Status, "is not a text"));
            EmploymentStatus::Unknown(None)
        }
    }
}

/// Both family names. Before the vendor had a second field, people put both into the first one.
fn last_name(row: &Row<'_>, problems: &mut Vec<FieldProblem>) -> Field<String> {
    let field = EmployeeField::LastName;
    let (first, second) = (row.cell(Key::LastName), row.cell(Key::SecondLastName));
    if matches!(second, Cell::Number(_) | Cell::Flag(_) | Cell::Nested) {
        return unreadable(field, "has a second part that is not a text", problems);
    }
    match (text_field(first, field, problems), second.scalar()) {
        (Field::Value(first), Some(second)) if !ends_with_word(&first, second) => {
            Field::Value(format!("{} {second}", first.trim_end()))
        }
        (Field::Null, Some(second)) => Field::Value(second.to_owned()),
        (first, _) => first,
    }
}

/// Whether a word stands at the end of a text that has more than this word: two equal surnames are quite usual.
fn ends_with_word(text: &str, word: &str) -> bool {
    let before = text.trim().strip_suffix(word);
    before.is_some_and(|before| before.ends_with(char::is_whitespace))
}

fn birth_date(row: &Row<'_>, problems: &mut Vec<FieldProblem>) -> Field<NaiveDate> {
    date_field(row.cell(Key::DateOfBirth))
        .unwrap_or_else(|expected| unreadable(EmployeeField::BirthDate, expected, problems))
}

fn text_field(cell: &Cell<'_>, field: EmployeeField, problems: &mut Vec<FieldProblem>) -> Field<String> {
    match cell {
        Cell::Missing => Field::Absent,
        Cell::Text(text) if !text.trim().is_empty() => Field::Value(text.clone().into_owned()),
        Cell::Null | Cell::Text(_) => Field::Null,
        Cell::Number(_) | Cell::Flag(_) | Cell::Nested => unreadable(field, "is not a text", problems),
    }
}

fn unreadable<T>(field: EmployeeField, expected: &'static str, problems: &mut Vec<FieldProblem>) -> Field<T> {
    problems.push(FieldProblem::unreadable(field, expected));
    Field::Absent
}

/// A date as the vendor writes it, `YYYY-MM-DD`, or the date part of a timestamp, as written. Blank text and
/// `0000-00-00` are no date. `Err` says what was expected.
pub(crate) fn date_field(cell: &Cell<'_>) -> Result<Field<NaiveDate>, &'static str> {
    const EXPECTED: &str = "is not a date of the form YYYY-MM-DD";
    match cell {
        Cell::Missing => Ok(Field::Absent),
        Cell::Number(_) | Cell::Flag(_) | Cell::Nested => Err(EXPECTED),
        Cell::Null | Cell::Text(_) => match cell.scalar() {
            None => Ok(Field::Null),
            Some(text) if text.starts_with("0000-00-00") => Ok(Field::Null),
            Some(text) => date(text).map(Field::Value).ok_or(EXPECTED),
        },
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    const LENGTH: usize = "YYYY-MM-DD".len();
    let is_whole = text.len() == LENGTH || timestamp(text).is_some();
    let date = text.get(..LENGTH).filter(|_| is_whole)?;
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()
}

/// A timestamp with an offset or `Z`, or the form with a blank and no offset, which the recruitment module was seen
/// to use and which counts as UTC.
pub(crate) fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let without = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|at| at.and_utc());
    with_offset.or_else(|_| without()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{RowSeed, read};
    use hris_http::lenient::ListSeed;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn cell(json: &str) -> Cell<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn day(text: &str) -> Field<NaiveDate> {
        Field::Value(text.parse().unwrap())
    }

    #[test]
    fn dates_are_read_in_every_form_and_never_shift() {
        for json in [
            r#""2022-09-01""#,
            r#"" 2022-09-01 ""#,
            r#""2022-09-01T00:30:00+02:00""#,
            r#""2022-09-01T23:30:00-05:00""#,
            r#""2022-09-01T12:00:00Z""#,
            r#""2022-09-01 23:59:59""#,
        ] {
            assert_eq!(date_field(&cell(json)), Ok(day("2022-09-01")), "{json}");
        }
        for json in ["null", r#""""#, r#"" ""#, r#""0000-00-00""#, r#""0000-00-00 00:00:00""#] {
            assert_eq!(date_field(&cell(json)), Ok(Field::Null), "{json}");
        }
        assert_eq!(date_field(&Cell::Missing), Ok(Field::Absent));
        for json in [
            r#""2023-02-30""#,
            r#""01/09/2022""#,
            r#""2022-9-1""#,
            r#""2022-09-01 at noon""#,
            r#""2022-09-0é""#,
            "20220901",
            "[]",
        ] {
            assert!(date_field(&cell(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn stamps_are_instants_whatever_their_offset() {
        let noon = Some("2026-02-11T12:45:31Z".parse().unwrap());
        for text in [
            "2026-02-11T12:45:31+00:00",
            "2026-02-11T13:45:31+01:00",
            "2026-02-11T12:45:31Z",
            "2026-02-11 12:45:31",
        ] {
            assert_eq!(timestamp(text), noon, "{text}");
        }
        assert_eq!(timestamp("2026-02-11"), None);
    }

    /// The employee that a row becomes, with every canonical field and one custom field wanted.
    fn employee(row: &Value, config: &SesameConfig) -> Option<Employee> {
        let mut fields = FieldSet::all_canonical();
        fields.insert(hris_core::SourceField::Custom("cf_talla".into()));
        let projection = Projection::new(fields, config);
        let body = json!({ "data": [row] }).to_string();
        let page = read(ListSeed(RowSeed(projection.keys())), body.as_bytes()).unwrap();
        let company = Company { id: "c".into(), name: None, language: None };
        let row = page.data.first()?.as_ref()?;
        Some(projection.employee(record_id(row)?, row, EmploymentStatus::Active, &company, &Joins::default()))
    }

    fn last_name(row: &Value) -> Field<String> {
        let mut row = row.clone();
        row["id"] = json!("r1");
        employee(&row, &SesameConfig::new()).unwrap().last_name
    }

    #[test]
    fn both_last_names_are_joined_unless_the_first_field_holds_both() {
        for (row, expected) in [
            (json!({ "lastName": "Olmedo", "secondLastName": "Quiroga" }), "Olmedo Quiroga"),
            (json!({ "lastName": "Olmedo Quiroga", "secondLastName": "Quiroga" }), "Olmedo Quiroga"),
            (json!({ "lastName": "García", "secondLastName": "García" }), "García García"),
            (json!({ "lastName": "Altuna", "secondLastName": "una" }), "Altuna una"),
            (json!({ "lastName": "Olmedo", "secondLastName": null }), "Olmedo"),
            (json!({ "lastName": "Olmedo ", "secondLastName": " Quiroga" }), "Olmedo Quiroga"),
            (json!({ "lastName": null, "secondLastName": "Quiroga" }), "Quiroga"),
        ] {
            assert_eq!(last_name(&row), Field::Value(expected.to_owned()), "{row}");
        }
        assert_eq!(last_name(&json!({ "lastName": "" })), Field::Null);
        assert_eq!(last_name(&json!({ "secondLastName": "Quiroga" })), Field::Absent);
        assert_eq!(last_name(&json!({ "lastName": "Olmedo", "secondLastName": 7 })), Field::Absent);
    }

    #[test]
    fn texts_with_escapes_are_the_same_as_without() {
        let row = r#"{"data":[{"id":"r1","firstName":"\u00cd\u00f1igo","jobChargeName":"a\/b"}]}"#;
        let fields = FieldSet::from_iter([EmployeeField::FirstName, EmployeeField::JobTitle]);
        let projection = Projection::new(fields, &SesameConfig::new());
        let page = read(ListSeed(RowSeed(projection.keys())), row.as_bytes()).unwrap();
        let row = page.data[0].as_ref().unwrap();
        assert!(matches!(row.cell(Key::FirstName), Cell::Text(name) if name == "Íñigo"));
        assert!(matches!(row.cell(Key::JobChargeName), Cell::Text(title) if title == "a/b"));
    }

    /// Any JSON value, nested a little.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!("active")),
            Just(json!("2022-09-01")),
        ];
        leaf.prop_recursive(2, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("id|name|slug|value", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    const KEYS: &str = "status|updatedAt|code|firstName|lastName|secondLastName|email|personalMail|phone|workPhone\
                        |dateOfBirth|gender|country|jobChargeName|language|company|customFields|pin|other";

    proptest! {
        #[test]
        fn whatever_stands_in_a_row_costs_fields_and_never_the_row(
            mut row in proptest::collection::btree_map(KEYS, anything(), 0..12),
        ) {
            row.insert("id".to_owned(), json!("r1"));
            let row = Value::Object(row.into_iter().collect());
            let employee = employee(&row, &SesameConfig::new());
            prop_assert!(employee.is_some_and(|employee| employee.record.as_str() == "r1"));
        }

        #[test]
        fn whatever_stands_in_place_of_a_row_leaves_its_page_readable(row in anything()) {
            prop_assert!(employee(&row, &SesameConfig::new()).is_none_or(|row| !row.record.as_str().is_empty()));
        }
    }
}
