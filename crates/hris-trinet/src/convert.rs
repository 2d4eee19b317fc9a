//! From TriNet's rows to canonical employees: the only place that knows both.

use std::cmp::Reverse;

use chrono::NaiveDate;
use hris_core::{
    Employee, EmployeeField, EmploymentStatus, Field, FieldProblem, FieldSet, ManagerRef, Problem,
    RejectedRecord, SourceField, Value, rule,
};
use hris_http::lenient::Cell;

use crate::config::{BirthDatePath, TriNetConfig};
use crate::dates::{date_field, written};
use crate::lenient::Part;
use crate::reference::List;
use crate::status::StatusTable;
use crate::wire::{Info, Key, Keys, Name, Row, RowSeed};

/// The canonical fields that come with the row, and their keys.
const KEYS_OF: &[(EmployeeField, &[Key])] = &[
    (EmployeeField::FirstName, &[Key::Names]),
    (EmployeeField::MiddleName, &[Key::Names]),
    (EmployeeField::LastName, &[Key::Names]),
    (EmployeeField::PreferredName, &[Key::Names]),
    (EmployeeField::WorkEmail, &[Key::WorkEmail]),
    (EmployeeField::WorkPhone, &[Key::WorkPhone]),
    (EmployeeField::StartDate, &[Key::Start]),
    (EmployeeField::EndDate, &[Key::End]),
    (EmployeeField::Department, &[Key::Department]),
    (EmployeeField::Location, &[Key::Location]),
    (EmployeeField::JobTitle, &[Key::JobTitle, Key::JobCode]),
    (EmployeeField::EmploymentType, &[Key::EmployeeType]),
    (EmployeeField::Manager, &[Key::Supervisor]),
    (EmployeeField::BirthDate, &[Key::Bio]),
    (EmployeeField::Gender, &[Key::Bio]),
    (EmployeeField::Phone, &[Key::Home]),
    (EmployeeField::Country, &[Key::Home]),
];

/// The fields that only the full view has.
const FULL_VIEW: &[EmployeeField] =
    &[EmployeeField::BirthDate, EmployeeField::Gender, EmployeeField::Phone, EmployeeField::Country];

/// What is offered beyond the canonical fields: the vendor's name, its key, and a name to show to people.
pub(crate) const CUSTOM: &[(&str, Key, &str)] = &[
    ("alternateId", Key::AlternateId, "Alternate ID"),
    ("customGroupA", Key::GroupA, "Custom group A"),
    ("customGroupB", Key::GroupB, "Custom group B"),
    ("jobCode", Key::JobCode, "Job code"),
    ("regularTemporary", Key::Regular, "Regular or temporary"),
];

/// What of a row is read, and into what it is made.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    fields: FieldSet,
    keys: Keys,
    birth: Option<BirthDatePath>,
    statuses: StatusTable,
    prefers_preferred: bool,
    today: NaiveDate,
}

/// An employee, and what of them can be found in the company's lists only.
pub(crate) struct Converted {
    pub(crate) employee: Employee,
    pub(crate) lookups: Vec<(List, String)>,
}

/// The record id of a row: a text or a number.
pub(crate) fn record_id<'r>(row: &'r Row<'_>) -> Option<&'r str> {
    row.id.written()
}

/// A row of which it cannot be told whose it is, at its place in the page; `None` is one that is no object.
pub(crate) fn unidentified(row: Option<&Row<'_>>, index: usize) -> RejectedRecord {
    let place = format!("data.employeeData[{index}]");
    match row {
        Some(_) => RejectedRecord::unreadable(None, "the row has no readable `employeeId`")
            .at(format!("{place}.employeeId")),
        None => RejectedRecord::unreadable(None, "the row is not an object").at(place),
    }
}

/// Whether a query wants something that only the full view has.
pub(crate) fn needs_full_view(fields: &FieldSet) -> bool {
    FULL_VIEW.iter().any(|field| fields.has(*field))
}

/// The wanted fields that only the full view has, by their names in mappings.
pub(crate) fn full_view_fields(fields: &FieldSet) -> String {
    let wanted = FULL_VIEW.iter().filter(|field| fields.has(**field)).map(|field| field.as_str());
    wanted.collect::<Vec<_>>().join(", ")
}

/// A warning about each custom field that TriNet does not have.
pub(crate) fn unknown_custom(fields: &FieldSet) -> Vec<Problem> {
    let unknown = fields.custom().filter(|name| !CUSTOM.iter().any(|(known, ..)| known == name));
    let warning = |name| {
        let message = "TriNet has no such field; `fields` lists those that it has";
        Problem::warning(rule::FIELD_UNREADABLE, message).at(format!("custom:{name}"))
    };
    unknown.map(warning).collect()
}

impl Projection {
    /// The fields of a query, beside record id and status. `today` tells which of several names is the present one.
    pub(crate) fn new(fields: FieldSet, config: &TriNetConfig, today: NaiveDate) -> hris_core::Result<Self> {
        let mut keys = Keys::default();
        keys.insert(Key::Status);
        let canonical = KEYS_OF.iter().filter(|(field, _)| fields.has(*field));
        let custom = CUSTOM.iter().filter(|(name, ..)| fields.has_custom(name)).map(|(_, key, _)| key);
        for key in canonical.flat_map(|(_, keys)| *keys).chain(custom) {
            keys.insert(*key);
        }
        Ok(Self {
            fields,
            keys,
            birth: config.birth_date()?,
            statuses: StatusTable::new(&config.statuses),
            prefers_preferred: config.prefers_preferred_names,
            today,
        })
    }

    /// How to decode a row.
    pub(crate) fn seed(&self) -> RowSeed<'_> {
        RowSeed { keys: self.keys, birth: self.birth.as_ref() }
    }

    /// The fields of the query.
    pub(crate) fn fields(&self) -> &FieldSet {
        &self.fields
    }

    /// Makes an employee of a row whose id was read. What was not wanted was not read, so that its field stays absent.
    pub(crate) fn employee(&self, id: &str, row: &Row<'_>) -> Converted {
        let mut making = Making { fields: &self.fields, problems: Vec::new(), lookups: Vec::new() };
        let nothing;
        let info = match &row.info {
            Part::Here(info) => info,
            part => {
                if matches!(part, Part::Other) {
                    making.unreadable::<()>(EmployeeField::Status, "stands in something that is no object");
                }
                nothing = Info::default();
                &nothing
            }
        };
        let (status, suppress_contact) = making.status(&info.status, &self.statuses);
        let mut employee = Employee::new(id, status);
        employee.suppress_contact = suppress_contact;
        employee.status_reason = info.status.written().filter(|_| !is_plain(&employee)).map(str::to_owned);
        if self.fields.has(EmployeeField::EmployeeId) {
            employee.employee_id = Field::Value(id.into());
        }
        self.names(row, &mut making, &mut employee);
        making.work(row, info, &mut employee);
        making.private(row, &mut employee);
        making.custom(row, info, &mut employee);
        employee.problems = making.problems;
        Converted { employee, lookups: making.lookups }
    }

    fn names(&self, row: &Row<'_>, making: &mut Making<'_>, employee: &mut Employee) {
        let names = row.names.items();
        let legal = current(names, is_primary, self.today).or(names.first());
        let preferred = current(names, is_preferred, self.today);
        let shown = if self.prefers_preferred { preferred } else { None };
        let mut text = |field, part: for<'r, 'a> fn(&'r Name<'a>) -> &'r Cell<'a>| {
            let preferred = shown.map(part).filter(|cell| cell.written().is_some());
            match (preferred.or_else(|| legal.map(part)), &row.names.0) {
                (Some(cell), _) => making.text(field, cell),
                (None, Part::Missing) => Field::Absent,
                (None, Part::Null | Part::Here(_)) => making.none(field),
                (None, Part::Other) => making.wanted_unreadable(field, "stands in something that is no list"),
            }
        };
        employee.first_name = text(EmployeeField::FirstName, |name| &name.first);
        employee.middle_name = text(EmployeeField::MiddleName, |name| &name.middle);
        employee.last_name = text(EmployeeField::LastName, |name| &name.last);
        employee.preferred_name = match (preferred, &row.names.0) {
            (Some(name), _) => making.text(EmployeeField::PreferredName, &name.first),
            (None, Part::Null | Part::Here(_)) => making.none(EmployeeField::PreferredName),
            (None, Part::Missing | Part::Other) => Field::Absent,
        };
    }
}

/// An employee under way: the fields that are wanted, and what was found out beside their values.
struct Making<'p> {
    fields: &'p FieldSet,
    problems: Vec<FieldProblem>,
    lookups: Vec<(List, String)>,
}

impl Making<'_> {
    /// The status of a letter, and whether the person is to be left in peace.
    fn status(&mut self, cell: &Cell<'_>, table: &StatusTable) -> (EmploymentStatus, bool) {
        match cell {
            Cell::Missing => (EmploymentStatus::Unknown(None), false),
            cell if cell.is_none() => (EmploymentStatus::Unknown(None), false),
            Cell::Text(letter) => table.read(letter.trim()),
            _ => {
                self.unreadable::<()>(EmployeeField::Status, "is not a text");
                (EmploymentStatus::Unknown(None), false)
            }
        }
    }

    fn work(&mut self, row: &Row<'_>, info: &Info<'_>, employee: &mut Employee) {
        employee.work_email = self.text(EmployeeField::WorkEmail, &info.work_email);
        employee.work_phone = self.text(EmployeeField::WorkPhone, &info.work_phone);
        employee.employment_type = self.text(EmployeeField::EmploymentType, &info.employee_type);
        let starts = [&info.service, &info.hire, &info.start, &info.first_hire];
        employee.start_date = self.date(EmployeeField::StartDate, first_said(starts));
        employee.end_date = self.date(EmployeeField::EndDate, &info.end);
        employee.job_title = self.job_title(info);
        employee.department = self.department(row, info);
        employee.location = self.location(info);
        employee.manager = self.manager(row, info);
    }

    fn job_title(&mut self, info: &Info<'_>) -> Field<String> {
        let field = EmployeeField::JobTitle;
        let title = self.text(field, &info.title);
        if self.fields.has(field)
            && matches!(title, Field::Absent | Field::Null)
            && let Some(code) = info.job_code.written()
        {
            self.lookups.push((List::Jobs, code.to_owned()));
        }
        title
    }

    fn department(&mut self, row: &Row<'_>, info: &Info<'_>) -> Field<String> {
        let field = EmployeeField::Department;
        let split = row.split.items().first();
        let own = info.department.here();
        let names = [own.map(|own| &own.name), split.map(|part| &part.name)];
        let ids = [own.map(|own| &own.id), Some(&info.department_id), split.map(|part| &part.id)];
        self.unit(field, List::Departments, &info.department, names, ids)
    }

    fn location(&mut self, info: &Info<'_>) -> Field<String> {
        let own = info.location.here();
        let names = [own.map(|own| &own.name), None];
        let ids = [own.map(|own| &own.id), Some(&info.location_id), None];
        self.unit(EmployeeField::Location, List::Locations, &info.location, names, ids)
    }

    /// A department or location: its name where there is one, else to be looked up by its id.
    fn unit<T>(
        &mut self,
        field: EmployeeField,
        list: List,
        own: &Part<T>,
        names: [Option<&Cell<'_>>; 2],
        ids: [Option<&Cell<'_>>; 3],
    ) -> Field<String> {
        if let Some(name) = names.into_iter().flatten().find(|name| name.written().is_some()) {
            return self.text(field, name);
        }
        if let Some(id) = ids.into_iter().flatten().find_map(Cell::written) {
            self.lookups.push((list, id.to_owned()));
            return Field::Absent;
        }
        let mut said = names.into_iter().chain(ids).flatten();
        match own {
            Part::Other => self.wanted_unreadable(field, "is not an object"),
            Part::Null => self.none(field),
            _ if said.clone().any(|cell| matches!(cell, Cell::Nested | Cell::Flag(_))) => {
                self.wanted_unreadable(field, "has a name or id that is not a text")
            }
            _ if said.any(Cell::is_none) => self.none(field),
            Part::Here(_) | Part::Missing => Field::Absent,
        }
    }

    fn manager(&mut self, row: &Row<'_>, info: &Info<'_>) -> Field<ManagerRef> {
        let own = info.supervisor.here().map(|supervisor| &supervisor.id);
        let places = [own, Some(&info.supervisor_id), Some(&row.supervisor_id)].into_iter().flatten();
        if let Some(id) = places.clone().find_map(Cell::written) {
            return Field::Value(ManagerRef::Record(id.into()));
        }
        let field = EmployeeField::Manager;
        match &info.supervisor {
            Part::Other => self.wanted_unreadable(field, "is not an object"),
            Part::Null => self.none(field),
            _ if places.clone().any(|cell| matches!(cell, Cell::Nested | Cell::Flag(_))) => {
                self.wanted_unreadable(field, "is not a text")
            }
            _ if places.clone().any(Cell::is_none) => self.none(field),
            Part::Here(_) | Part::Missing => Field::Absent,
        }
    }

    fn private(&mut self, row: &Row<'_>, employee: &mut Employee) {
        let birth = row.bio.here().map(|bio| &bio.birth).filter(|cell| **cell != Cell::Missing);
        employee.birth_date = match (&row.bio, birth) {
            (Part::Other, _) => self.wanted_unreadable(EmployeeField::BirthDate, "is not in an object"),
            (_, birth) => self.date(EmployeeField::BirthDate, birth.unwrap_or(&row.birth)).map(Into::into),
        };
        if let Part::Here(bio) = &row.bio {
            employee.gender = self.text(EmployeeField::Gender, &bio.gender);
        }
        match &row.home {
            Part::Here(home) => {
                employee.phone = self.text(EmployeeField::Phone, &home.phone);
                employee.country = self.text(EmployeeField::Country, &home.country);
            }
            Part::Other => {
                employee.phone = self.wanted_unreadable(EmployeeField::Phone, "is not in an object");
                employee.country = self.wanted_unreadable(EmployeeField::Country, "is not in an object");
            }
            Part::Missing | Part::Null => {}
        }
    }

    fn custom(&mut self, row: &Row<'_>, info: &Info<'_>, employee: &mut Employee) {
        for (name, key, _) in CUSTOM.iter().filter(|(name, ..)| self.fields.has_custom(name)) {
            let cell = match key {
                Key::AlternateId => &row.alternate_id,
                Key::GroupA => &info.group_a,
                Key::GroupB => &info.group_b,
                Key::JobCode => &info.job_code,
                _ => &info.regular,
            };
            let field = match cell {
                Cell::Missing => continue,
                Cell::Flag(_) | Cell::Nested => {
                    let field = SourceField::Custom((*name).into());
                    self.problems.push(FieldProblem::unreadable(field, "is not a text"));
                    continue;
                }
                cell => Field::from_option(cell.written().map(Value::from)),
            };
            employee.custom.insert((*name).into(), field);
        }
    }

    /// A text without white space around it. Blank is none; a field that is not wanted stays absent, though it may
    /// have been read for the sake of another one.
    fn text(&mut self, field: EmployeeField, cell: &Cell<'_>) -> Field<String> {
        match cell {
            Cell::Missing => Field::Absent,
            _ if !self.fields.has(field) => Field::Absent,
            cell if cell.is_none() => Field::Null,
            Cell::Text(text) => Field::Value(text.trim().to_owned()),
            _ => self.unreadable(field, "is not a text"),
        }
    }

    fn date(&mut self, field: EmployeeField, cell: &Cell<'_>) -> Field<NaiveDate> {
        match date_field(cell) {
            _ if !self.fields.has(field) => Field::Absent,
            Ok(date) => date,
            Err(expected) => self.unreadable(field, expected),
        }
    }

    fn none<T>(&self, field: EmployeeField) -> Field<T> {
        if self.fields.has(field) { Field::Null } else { Field::Absent }
    }

    fn wanted_unreadable<T>(&mut self, field: EmployeeField, expected: &'static str) -> Field<T> {
        if self.fields.has(field) { self.unreadable(field, expected) } else { Field::Absent }
    }

    fn unreadable<T>(&mut self, field: EmployeeField, expected: &'static str) -> Field<T> {
        self.problems.push(FieldProblem::unreadable(field, expected));
        Field::Absent
    }
}

/// Whether a status needs no word for why it is what it is.
fn is_plain(employee: &Employee) -> bool {
    matches!(employee.status, EmploymentStatus::Active | EmploymentStatus::Unknown(_))
}

fn is_primary(name: &Name<'_>) -> bool {
    name.kind.written().is_some_and(|kind| starts_with(kind, "pri"))
}

/// The documentation says `preferred`, the vendor's own write API `PRF`.
fn is_preferred(name: &Name<'_>) -> bool {
    name.kind.written().is_some_and(|kind| starts_with(kind, "pref") || starts_with(kind, "prf"))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Of several names of one type the one that took effect last; the first of them if none has yet.
fn current<'r, 'a>(
    names: &'r [Name<'a>],
    is_wanted: fn(&Name<'_>) -> bool,
    today: NaiveDate,
) -> Option<&'r Name<'a>> {
    let wanted = || names.iter().filter(|name| is_wanted(name));
    let effective = |name: &Name<'_>| name.effective.written().and_then(written);
    let in_effect = wanted().filter(|name| effective(name).is_none_or(|date| date <= today));
    // The smallest of the reversed is the latest, and of equals the first.
    in_effect.min_by_key(|name| Reverse(effective(name))).or_else(|| wanted().next())
}

/// The first cell that says something, else the first that is there.
fn first_said<'r, 'a, const N: usize>(cells: [&'r Cell<'a>; N]) -> &'r Cell<'a> {
    let says = |cell: &&&Cell<'_>| !matches!(cell, Cell::Missing) && !cell.is_none();
    let there = |cell: &&&Cell<'_>| !matches!(cell, Cell::Missing);
    let chosen = cells.iter().find(says).or_else(|| cells.iter().find(there));
    chosen.copied().unwrap_or(&Cell::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read_page;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    /// The employee that a row becomes, with everything wanted.
    fn converted(row: &Json) -> Option<(Employee, Vec<(List, String)>)> {
        let mut fields = FieldSet::all_canonical();
        for (name, ..) in CUSTOM {
            fields.insert(SourceField::Custom((*name).into()));
        }
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let projection = Projection::new(fields, &TriNetConfig::new("X7Q"), today).unwrap();
        let body = json!({ "data": { "employeeData": [row], "hasMore": false } }).to_string();
        let page = read_page(projection.seed(), body.as_bytes()).unwrap();
        let row = page.rows.first()?.as_ref()?;
        let Converted { employee, lookups } = projection.employee(record_id(row)?, row);
        Some((employee, lookups))
    }

    fn employee(info: &Json) -> (Employee, Vec<(List, String)>) {
        converted(&json!({ "employeeId": "1", "employmentInfo": info })).unwrap()
    }

    #[test]
    fn a_name_is_taken_where_it_stands_and_looked_up_only_where_it_does_not() {
        for info in [
            json!({ "department": { "deptId": "D1", "deptName": "Sales" } }),
            json!({ "department": { "deptName": "Sales" }, "departmentId": "D2" }),
            json!({ "department": { "departmentName": "Sales", "deptName": "" } }),
        ] {
            let (employee, lookups) = employee(&info);
            assert_eq!((employee.department, lookups), (Field::Value("Sales".to_owned()), vec![]), "{info}");
        }
        for info in [
            json!({ "department": { "deptId": "D1" } }),
            json!({ "departmentId": "D1" }),
            json!({ "department": { "deptId": " D1 ", "deptName": null } }),
            json!({ "department": null, "departmentId": "D1" }),
        ] {
            let (employee, lookups) = employee(&info);
            let expected = (Field::Absent, vec![(List::Departments, "D1".to_owned())]);
            assert_eq!((employee.department, lookups), expected, "{info}");
        }
    }

    #[test]
    fn no_department_is_null_where_the_row_says_so_and_absent_where_it_says_nothing() {
        for info in [
            json!({ "department": null }),
            json!({ "department": "" }),
            json!({ "department": { "deptId": null, "deptName": "" } }),
            json!({ "departmentId": "" }),
        ] {
            assert_eq!(employee(&info).0.department, Field::Null, "{info}");
        }
        for info in [json!({}), json!({ "department": {} })] {
            assert_eq!(employee(&info).0.department, Field::Absent, "{info}");
        }
        for info in [json!({ "department": 7 }), json!({ "department": { "deptName": [] } })] {
            let (employee, _) = employee(&info);
            assert!(employee.department.is_absent() && employee.problems.len() == 1, "{info}");
        }
    }

    #[test]
    fn the_supervisor_is_found_in_each_of_three_places() {
        let manager = |row: &Json| converted(row).unwrap().0.manager;
        let expected = Field::Value(ManagerRef::Record("9".into()));
        for row in [
            json!({ "employeeId": "1", "employmentInfo": { "supervisor": { "supervisorId": "9" } }, "supervisorId": "8" }),
            json!({ "employeeId": "1", "employmentInfo": { "supervisorId": 9 } }),
            json!({ "employeeId": "1", "supervisorId": "9", "employmentInfo": { "supervisor": null } }),
        ] {
            assert_eq!(manager(&row), expected, "{row}");
        }
        let none = json!({ "employeeId": "1", "employmentInfo": { "supervisor": null } });
        assert_eq!(manager(&none), Field::Null);
        assert_eq!(manager(&json!({ "employeeId": "1" })), Field::Absent);
    }

    #[test]
    fn a_start_that_cannot_be_read_is_a_problem_and_not_replaced_by_another_date() {
        let (odd, _) = employee(&json!({ "serviceDate": "soon", "hireDate": "2020-01-01" }));
        assert!(odd.start_date.is_absent() && odd.problems.len() == 1);
        let (none, _) = employee(&json!({ "serviceDate": null, "startDate": "2020-01-01" }));
        assert_eq!(none.start_date, Field::Value("2020-01-01".parse().unwrap()));
        assert_eq!(employee(&json!({ "serviceDate": null, "hireDate": "" })).0.start_date, Field::Null);
    }

    /// Any JSON value, nested a little.
    fn anything() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            ".{0,12}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((known_key(), inner), 0..4)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    fn known_key() -> impl Strategy<Value = String> {
        let keys = [
            "names",
            "nameType",
            "firstName",
            "lastName",
            "effectiveDate",
            "employmentInfo",
            "employmentStatus",
            "workEmail",
            "workPhone",
            "businessTitle",
            "jobCode",
            "serviceDate",
            "hireDate",
            "terminationDate",
            "department",
            "deptId",
            "deptName",
            "departmentId",
            "location",
            "locationtId",
            "locationName",
            "supervisor",
            "supervisorId",
            "departmentSplit",
            "bioInfo",
            "birthdate",
            "gender",
            "homeContact",
            "country",
            "phone",
            "alternateId",
            "groupA",
            "other",
        ];
        prop::sample::select(keys.to_vec()).prop_map(str::to_owned)
    }

    proptest! {
        #[test]
        fn a_row_with_an_id_is_an_employee_whatever_else_it_has(
            entries in prop::collection::vec((known_key(), anything()), 0..12),
            info in prop::collection::vec((known_key(), anything()), 0..12),
        ) {
            let mut row: serde_json::Map<String, Json> = entries.into_iter().collect();
            row.insert("employeeId".to_owned(), json!("0001"));
            row.insert("employmentInfo".to_owned(), Json::Object(info.into_iter().collect()));
            let (employee, _) = converted(&Json::Object(row)).unwrap();
            prop_assert_eq!(employee.record.as_str(), "0001");
        }

        #[test]
        fn whatever_stands_in_place_of_a_row_leaves_its_page_readable(row in anything()) {
            prop_assert!(converted(&row).is_none_or(|(row, _)| !row.record.as_str().is_empty()));
        }
    }
}
