//! From PeopleHR's rows to canonical employees: the only place that knows both.

use chrono::NaiveDate;
use hris_core::{
    Employee, EmployeeField, EmploymentStatus, Field, FieldProblem, FieldSet, ManagerRef, Problem,
    SourceField, Value, rule,
};

use crate::config::{PeopleHrConfig, RecordIdSource};
use crate::dates::date_field;
use crate::status::{Decision, Evidence, Found, StatusRule};
use crate::wire::{Key, Row, RowSeed, Wanted};
use hris_http::lenient::Cell;

/// The canonical fields that a row has, and their keys: of several, the first that says something.
const KEYS_OF: &[(EmployeeField, &[Key])] = &[
    (EmployeeField::EmployeeId, &[Key::EmployeeId]),
    (EmployeeField::FirstName, &[Key::FirstName]),
    (EmployeeField::MiddleName, &[Key::OtherName]),
    (EmployeeField::LastName, &[Key::LastName]),
    (EmployeeField::PreferredName, &[Key::KnownAs]),
    (EmployeeField::WorkEmail, &[Key::EmailId]),
    (EmployeeField::PersonalEmail, &[Key::PersonalEmail]),
    (EmployeeField::Phone, &[Key::Mobile, Key::PersonalPhoneNumber]),
    (EmployeeField::WorkPhone, &[Key::WorkPhoneNumber]),
    (EmployeeField::StartDate, &[Key::StartDate]),
    (EmployeeField::EndDate, &[Key::LeavingDate]),
    (EmployeeField::BirthDate, &[Key::DateOfBirth]),
    (EmployeeField::Gender, &[Key::Gender]),
    (EmployeeField::Department, &[Key::Department]),
    (EmployeeField::Location, &[Key::Location]),
    (EmployeeField::Country, &[Key::Address]),
    (EmployeeField::JobTitle, &[Key::JobRole]),
    (EmployeeField::Company, &[Key::Company]),
    (EmployeeField::EmploymentType, &[Key::EmploymentType]),
    (EmployeeField::Manager, &[Key::ReportsToEmployeeId]),
];

/// With [`PeopleHrConfig::prefers_known_as`].
const KNOWN_AS: &[Key] = &[Key::KnownAs, Key::FirstName];

/// What a status needs beside the code.
const STATUS_KEYS: [Key; 3] = [Key::EmployeeStatus, Key::StartDate, Key::LeavingDate];

/// What is offered beyond the canonical fields, with a name to show to people. The name in a mapping is the vendor's.
pub(crate) const CUSTOM: &[(Key, &str)] = &[
    (Key::ApiColumn1, "API column 1"),
    (Key::ApiColumn2, "API column 2"),
    (Key::ApiColumn3, "API column 3"),
    (Key::ApiColumn4, "API column 4"),
    (Key::ApiColumn5, "API column 5"),
    (Key::AnalysisCode1, "Analysis code 1"),
    (Key::AnalysisCode2, "Analysis code 2"),
    (Key::BenefitsId, "Benefits ID"),
    (Key::System1Id, "System 1 ID"),
    (Key::System2Id, "System 2 ID"),
    (Key::System3Id, "System 3 ID"),
    (Key::PayrollId, "Payroll ID"),
    (Key::PayrollCompany, "Payroll company"),
    (Key::TimeAndAttendanceId, "Time & attendance ID"),
    (Key::RotaId, "Rota ID"),
    (Key::CrmId, "CRM ID"),
    (Key::AtsId, "ATS ID"),
    (Key::PerformanceId, "Performance ID"),
    (Key::MethodOfRecruitment, "Method of recruitment"),
    (Key::Title, "Title"),
    (Key::JobRoleChangeDate, "Date of the last change of job role"),
    (Key::ReportsTo, "Manager's name"),
    (Key::ReportsToEmailAddress, "Manager's e-mail address"),
    (Key::NoticePeriod, "Notice period"),
    (Key::ProbationEndDate, "End of probation"),
    (Key::HolidayAllowanceDays, "Holiday allowance in days"),
    (Key::ReasonForLeaving, "Reason for leaving"),
    (Key::PersonalPhoneNumber, "Private phone"),
    (Key::Address, "Address"),
];

/// What of a row is read, and into what it is made.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    fields: FieldSet,
    wanted: Wanted,
    record_id: RecordIdSource,
    status: StatusRule,
    prefers_known_as: bool,
}

/// An employee, and whether their status code is none that is known.
pub(crate) struct Converted {
    pub(crate) employee: Employee,
    pub(crate) has_unknown_code: bool,
}

/// A warning about each custom field that PeopleHR does not have.
pub(crate) fn unknown_custom(fields: &FieldSet) -> Vec<Problem> {
    let unknown = fields.custom().filter(|name| !CUSTOM.iter().any(|(key, _)| key.name() == *name));
    unknown.map(no_such_field).collect()
}

/// A warning about one custom field.
pub(crate) fn no_such_field(name: &str) -> Problem {
    let message = "PeopleHR has no such field; `fields` lists those that it has";
    Problem::warning(rule::FIELD_UNREADABLE, message).at(format!("custom:{name}"))
}

/// The key that a record id stands under.
pub(crate) const fn record_key(source: RecordIdSource) -> Key {
    match source {
        RecordIdSource::UniqueKey => Key::Unique,
        RecordIdSource::EmployeeId => Key::EmployeeId,
    }
}

impl Projection {
    /// The fields of a query, beside record id and status, on a day.
    pub(crate) fn new(fields: FieldSet, config: &PeopleHrConfig, today: NaiveDate) -> Self {
        let mut wanted: Wanted = STATUS_KEYS.into_iter().collect();
        wanted.insert(record_key(config.record_id));
        let canonical = KEYS_OF.iter().filter(|(field, _)| fields.has(*field));
        let custom = CUSTOM.iter().filter(|(key, _)| fields.has_custom(key.name())).map(|(key, _)| key);
        canonical.flat_map(|(_, keys)| *keys).chain(custom).for_each(|key| wanted.insert(*key));
        let prefers_known_as = config.prefers_known_as;
        if prefers_known_as && fields.has(EmployeeField::FirstName) {
            wanted.insert(Key::KnownAs);
        }
        let status = StatusRule::new(config, today);
        Self { fields, wanted, record_id: config.record_id, status, prefers_known_as }
    }

    /// How to decode a row.
    pub(crate) fn seed(&self) -> RowSeed<'_> {
        RowSeed(&self.wanted)
    }

    /// The record id of a row: a text or a number.
    pub(crate) fn record<'r>(&self, row: &'r Row<'_>) -> Option<&'r str> {
        row.cell(record_key(self.record_id)).written()
    }

    /// Whether the listings have to be asked what the status of somebody is who was read alone.
    pub(crate) fn is_ambiguous(&self, row: &Row<'_>) -> bool {
        self.status.is_ambiguous(&date_field(row.cell(Key::LeavingDate)))
    }

    /// Makes an employee of a row whose id was read. What was not wanted was not read, so that its field stays absent.
    pub(crate) fn employee(&self, id: &str, row: &Row<'_>, found: Found) -> Converted {
        let mut making = Making::new(&self.fields);
        let start = date_field(row.cell(Key::StartDate)).ok().and_then(Field::into_value);
        let leaving = date_field(row.cell(Key::LeavingDate));
        let code = row.cell(Key::EmployeeStatus);
        let decision = self.status.decide(&Evidence { found, leaving, start, code });
        let has_unknown_code = decision.has_unknown_code;
        let mut employee = Employee::new(id, making.status(decision));
        for (field, keys) in KEYS_OF.iter().filter(|(field, _)| self.fields.has(*field)) {
            let takes_known_as = self.prefers_known_as && *field == EmployeeField::FirstName;
            let cell = first_said(row, if takes_known_as { KNOWN_AS } else { keys });
            if *field == EmployeeField::Country {
                making.assign(&mut employee, *field, &country(cell));
            } else {
                making.assign(&mut employee, *field, cell);
            }
        }
        for (key, _) in CUSTOM.iter().filter(|(key, _)| self.fields.has_custom(key.name())) {
            making.custom(&mut employee, key.name(), row.cell(*key));
        }
        employee.problems = making.problems;
        Converted { employee, has_unknown_code }
    }
}

/// The first cell that says something, else the first that is there.
fn first_said<'r, 'a>(row: &'r Row<'a>, keys: &[Key]) -> &'r Cell<'a> {
    let cells = || keys.iter().map(|key| row.cell(*key));
    let there = || cells().find(|cell| !matches!(cell, Cell::Missing));
    cells().find(|cell| !cell.is_empty()).or_else(there).unwrap_or(&Cell::Missing)
}

/// The country of an address: the fifth of six parts, which are never collapsed.
fn country<'a>(address: &Cell<'a>) -> Cell<'a> {
    const PLACE: usize = 4;
    match address {
        Cell::Text(text) if !text.trim().is_empty() => {
            parts(text).nth(PLACE).map_or(Cell::Missing, |part| Cell::Text(part.to_owned().into()))
        }
        Cell::Text(_) => Cell::Null,
        other => other.clone(),
    }
}

/// The parts of a text between `<br>`, `<br/>` and `<br />`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((part, after)) = split_at_break(text) else { return rest.take() };
        rest = Some(after);
        Some(part)
    })
}

fn split_at_break(text: &str) -> Option<(&str, &str)> {
    text.match_indices('<').find_map(|(at, _)| {
        let tag = text.get(at + 1..)?;
        let name = tag.get(..2).filter(|name| name.eq_ignore_ascii_case("br"))?;
        let end = tag.get(name.len()..)?.trim_start();
        let end = end.strip_prefix('/').unwrap_or(end).strip_prefix('>')?;
        Some((&text[..at], end))
    })
}

/// An employee under way: the fields that are wanted, and what of them could not be read.
pub(crate) struct Making<'p> {
    fields: &'p FieldSet,
    pub(crate) problems: Vec<FieldProblem>,
}

impl<'p> Making<'p> {
    pub(crate) fn new(fields: &'p FieldSet) -> Self {
        Self { fields, problems: Vec::new() }
    }

    /// The status that was decided on.
    pub(crate) fn status(&mut self, decision: Decision) -> EmploymentStatus {
        if let Some(problem) = decision.problem {
            self.unreadable::<()>(EmployeeField::Status, problem);
        }
        decision.status
    }

    /// Gives an employee what a cell says about a field, if that is wanted.
    pub(crate) fn assign(&mut self, employee: &mut Employee, field: EmployeeField, cell: &Cell<'_>) {
        if !self.fields.has(field) {
            return;
        }
        match field {
            EmployeeField::EmployeeId => employee.employee_id = self.id(field, cell).map(Into::into),
            EmployeeField::Manager => {
                employee.manager = self.id(field, cell).map(|id| ManagerRef::EmployeeId(id.into()));
            }
            EmployeeField::StartDate => employee.start_date = self.date(field, cell),
            EmployeeField::EndDate => employee.end_date = self.date(field, cell),
            EmployeeField::BirthDate => employee.birth_date = self.date(field, cell).map(Into::into),
            _ => {
                if let Some(place) = text_field(employee, field) {
                    *place = self.text(field, cell);
                }
            }
        }
    }

    /// Gives an employee a custom field. What is no text is taken as JSON writes it.
    pub(crate) fn custom(&mut self, employee: &mut Employee, name: &str, cell: &Cell<'_>) {
        let field = match cell {
            Cell::Missing => return,
            Cell::Nested => {
                let field = SourceField::Custom(name.into());
                self.problems.push(FieldProblem::unreadable(field, "is not a text"));
                return;
            }
            cell => Field::from_option(cell.scalar().map(Value::from)),
        };
        employee.custom.insert(name.into(), field);
    }

    /// A text without white space around it. Blank is none.
    fn text(&mut self, field: EmployeeField, cell: &Cell<'_>) -> Field<String> {
        match cell {
            Cell::Missing => Field::Absent,
            Cell::Number(_) | Cell::Flag(_) | Cell::Nested => self.unreadable(field, "is not a text"),
            cell => Field::from_option(cell.scalar().map(str::to_owned)),
        }
    }

    /// A text or a number.
    fn id(&mut self, field: EmployeeField, cell: &Cell<'_>) -> Field<String> {
        match cell {
            Cell::Missing => Field::Absent,
            Cell::Flag(_) | Cell::Nested => self.unreadable(field, "is not a text"),
            cell => Field::from_option(cell.written().map(str::to_owned)),
        }
    }

    fn date(&mut self, field: EmployeeField, cell: &Cell<'_>) -> Field<NaiveDate> {
        date_field(cell).unwrap_or_else(|expected| self.unreadable(field, expected))
    }

    fn unreadable<T>(&mut self, field: EmployeeField, expected: &'static str) -> Field<T> {
        self.problems.push(FieldProblem::unreadable(field, expected));
        Field::Absent
    }
}

/// Where a field of text is kept.
fn text_field(employee: &mut Employee, field: EmployeeField) -> Option<&mut Field<String>> {
    Some(match field {
        EmployeeField::FirstName => &mut employee.first_name,
        EmployeeField::MiddleName => &mut employee.middle_name,
        EmployeeField::LastName => &mut employee.last_name,
        EmployeeField::PreferredName => &mut employee.preferred_name,
        EmployeeField::WorkEmail => &mut employee.work_email,
        EmployeeField::PersonalEmail => &mut employee.personal_email,
        EmployeeField::Phone => &mut employee.phone,
        EmployeeField::WorkPhone => &mut employee.work_phone,
        EmployeeField::Gender => &mut employee.gender,
        EmployeeField::Department => &mut employee.department,
        EmployeeField::Location => &mut employee.location,
        EmployeeField::Country => &mut employee.country,
        EmployeeField::JobTitle => &mut employee.job_title,
        EmployeeField::Company => &mut employee.company,
        EmployeeField::EmploymentType => &mut employee.employment_type,
        EmployeeField::Language => &mut employee.language,
        EmployeeField::TimeZone => &mut employee.time_zone,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::whole;
    use serde_json::{Value as Json, json};

    fn fields() -> FieldSet {
        let mut fields = FieldSet::all_canonical();
        for (key, _) in CUSTOM {
            fields.insert(SourceField::Custom(key.name().into()));
        }
        fields
    }

    fn converted_by(config: &PeopleHrConfig, row: &Json) -> Employee {
        let projection = Projection::new(fields(), config, "2026-03-02".parse().unwrap());
        let json = row.to_string();
        let row = whole(projection.seed(), json.as_bytes()).unwrap();
        let id = projection.record(&row).unwrap();
        projection.employee(id, &row, Found::Current).employee
    }

    fn converted(row: &Json) -> Employee {
        let mut row = row.clone();
        row["UniqueKey"] = json!("u-1");
        converted_by(&PeopleHrConfig::new(), &row)
    }

    #[test]
    fn the_country_is_the_fifth_part_of_an_address_however_it_is_broken() {
        for (address, expected) in [
            (
                "7 Kiln Row<br /><br />Leeds<br />West Yorkshire<br />United Kingdom<br />LS99 9ZZ",
                "United Kingdom",
            ),
            ("<br /><br /><br /><br />UK<br />", "UK"),
            ("a<br>b<BR/>c<br\n/>d<br >e < f<br/>g", "e < f"),
        ] {
            let row = json!({ "ContactDetail": { "Address": { "DisplayValue": address } } });
            assert_eq!(converted(&row).country, Field::Value(expected.to_owned()), "{address}");
        }
        for (address, expected) in [
            (json!("<br /><br /><br /><br /><br />"), Field::Null),
            (json!(""), Field::Null),
            (Json::Null, Field::Null),
            (json!("one line, UK"), Field::Absent),
        ] {
            let row = json!({ "ContactDetail": { "Address": { "DisplayValue": address } } });
            assert_eq!(converted(&row).country, expected, "{row}");
        }
        assert_eq!(converted(&json!({})).country, Field::Absent);
    }

    #[test]
    fn the_private_phone_is_the_mobile_one_or_else_the_other() {
        for (contact, expected) in [
            (json!({ "Mobile": "07", "PersonalPhoneNumber": "01" }), Field::Value("07")),
            (json!({ "Mobile": "", "PersonalPhoneNumber": { "DisplayValue": "01" } }), Field::Value("01")),
            (json!({ "Mobile": "", "PersonalPhoneNumber": null }), Field::Null),
            (json!({}), Field::Absent),
        ] {
            let employee = converted(&json!({ "ContactDetail": contact }));
            assert_eq!(employee.phone, expected.map(str::to_owned), "{contact}");
        }
    }

    #[test]
    fn the_name_that_people_are_known_as_is_their_first_name_only_where_that_is_configured() {
        let row = json!({ "UniqueKey": "u", "FirstName": "Imogen", "KnownAs": "Immy" });
        let name = |config: &PeopleHrConfig, row| converted_by(config, row).first_name.into_value();
        let known_as = PeopleHrConfig::new().with_known_as(true);
        assert_eq!(name(&PeopleHrConfig::new(), &row).as_deref(), Some("Imogen"));
        assert_eq!(name(&known_as, &row).as_deref(), Some("Immy"));
        let without = json!({ "UniqueKey": "u", "FirstName": "Imogen", "KnownAs": { "DisplayValue": "" } });
        assert_eq!(name(&known_as, &without).as_deref(), Some("Imogen"));
    }

    #[test]
    fn an_id_may_be_a_number_and_a_name_may_not() {
        let employee = converted(&json!({
            "EmployeeId": { "DisplayValue": 417 },
            "FirstName": { "DisplayValue": 7 },
            "ReportsToEmployeeId": { "DisplayValue": " 0099 " },
            "HolidayAllowanceDays": { "DisplayValue": 27.5 },
            "APIColumn1": ["x"],
        }));
        assert_eq!(employee.employee_id, Field::Value("417".into()));
        assert_eq!(employee.manager, Field::Value(ManagerRef::EmployeeId("0099".into())));
        assert_eq!(employee.custom["HolidayAllowanceDays"], Field::Value(Value::from("27.5")));
        assert!(employee.first_name.is_absent() && !employee.custom.contains_key("APIColumn1"));
        let problems: Vec<_> = employee.problems.iter().map(|problem| problem.field.to_string()).collect();
        assert_eq!(problems, ["first_name", "custom:APIColumn1"]);
    }

    #[test]
    fn each_custom_field_is_offered_once_and_none_hides_a_canonical_one() {
        for (at, (key, label)) in CUSTOM.iter().enumerate() {
            assert!(!label.is_empty());
            assert!(CUSTOM.iter().skip(at + 1).all(|(other, _)| other != key), "{}", key.name());
        }
        let unknown = unknown_custom(&[SourceField::Custom("BankDetail".into())].into_iter().collect());
        assert_eq!(unknown.len(), 1);
    }
}
