//! From Merge's rows to canonical employees: the only place that knows both.

use std::cmp::Reverse;
use std::ops::AddAssign;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use hris_core::{
    Employee, EmployeeField, EmployeeId, EmploymentStatus, Field, FieldProblem, FieldSet, ManagerRef,
    Problem, RecordId, RejectedRecord, SourceField, Value, rule,
};
use hris_http::lenient::Cell;

use crate::config::{MergeConfig, RecordIdSource};
use crate::lenient::{Many, One};
use crate::wire::{Company, Employment, Key, Keys, Mappings, Row, Targets};

/// The fields, and the keys that they come from.
const KEYS_OF: &[(EmployeeField, Key)] = &[
    (EmployeeField::EmployeeId, Key::EmployeeNumber),
    (EmployeeField::FirstName, Key::FirstName),
    (EmployeeField::LastName, Key::LastName),
    (EmployeeField::PreferredName, Key::PreferredName),
    (EmployeeField::WorkEmail, Key::WorkEmail),
    (EmployeeField::PersonalEmail, Key::PersonalEmail),
    (EmployeeField::Phone, Key::MobilePhoneNumber),
    (EmployeeField::BirthDate, Key::DateOfBirth),
    (EmployeeField::StartDate, Key::StartDate),
    (EmployeeField::EndDate, Key::TerminationDate),
    (EmployeeField::Gender, Key::Gender),
    (EmployeeField::Company, Key::Company),
    (EmployeeField::Location, Key::WorkLocation),
    (EmployeeField::Country, Key::WorkLocation),
    (EmployeeField::Manager, Key::Manager),
    (EmployeeField::Department, Key::Groups),
    (EmployeeField::JobTitle, Key::Employments),
    (EmployeeField::EmploymentType, Key::Employments),
];

/// The relations that are asked for in full, in the order in which they are named. A manager is asked for in full only
/// where the HR system's own id is wanted, and `team` never: the vendor retired it.
const EXPANDABLE: &[(Key, &str)] = &[
    (Key::Company, "company"),
    (Key::Employments, "employments"),
    (Key::Groups, "groups"),
    (Key::Manager, "manager"),
    (Key::WorkLocation, "work_location"),
];

/// The date fields, by their place in [`Notes`].
const DATES: [EmployeeField; 3] =
    [EmployeeField::BirthDate, EmployeeField::StartDate, EmployeeField::EndDate];

/// What of a row is read, and into what it is made.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    fields: FieldSet,
    keys: Keys,
    config: Arc<MergeConfig>,
}

/// What a row turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// A person.
    Employee(Box<Employee>),
    /// A record that the vendor calls deleted.
    Deleted(RecordId),
    /// A row of no use.
    Rejected(RejectedRecord),
    /// A record of which the vendor kept nothing but the ids.
    Shell(RejectedRecord),
}

/// What was remarkable about dates, counted rather than told of everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    timed: [u64; DATES.len()],
}

impl AddAssign for Notes {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in self.timed.iter_mut().zip(other.timed) {
            *sum += more;
        }
    }
}

impl Notes {
    /// One warning for each field that has anything remarkable.
    pub(crate) fn warnings(&self) -> Vec<Problem> {
        let counted = DATES.iter().zip(self.timed).filter(|(_, people)| *people > 0);
        let warning = |(field, people): (&EmployeeField, u64)| {
            let message = format!(
                "{people} people have a time of day other than midnight in this date; the calendar date was taken as \
                 written, and it may be a day off if the HR system meant an instant"
            );
            Problem::warning(rule::FIELD_UNREADABLE, message).at(field.as_str())
        };
        counted.map(warning).collect()
    }
}

impl Projection {
    /// The fields of a query, beside record id, status and modification stamp.
    pub(crate) fn new(fields: FieldSet, config: Arc<MergeConfig>) -> Self {
        let mut keys = Keys::default();
        let always = [Key::Id, Key::RemoteId, Key::EmploymentStatus, Key::ModifiedAt, Key::RemoteWasDeleted];
        let wanted = KEYS_OF.iter().filter(|(field, _)| fields.has(*field)).map(|(_, key)| key);
        for key in always.iter().chain(wanted) {
            keys.insert(*key);
        }
        if fields.custom().len() > 0 {
            keys.insert(Key::FieldMappings);
        }
        Self { fields, keys, config }
    }

    /// The keys to read.
    pub(crate) fn keys(&self) -> Keys {
        self.keys
    }

    /// The relations to ask for in full, as the one value that the vendor takes; `None` for none.
    pub(crate) fn expand(&self) -> Option<String> {
        let is_wanted = |key: Key| {
            let manager_as_it_is = key == Key::Manager && self.config.record_id == RecordIdSource::MergeId;
            self.keys.has(key) && !manager_as_it_is
        };
        let names: Vec<_> =
            EXPANDABLE.iter().filter(|(key, _)| is_wanted(*key)).map(|(_, name)| *name).collect();
        (!names.is_empty()).then(|| names.join(","))
    }

    /// The record id of a row: a text that is not blank.
    pub(crate) fn record_id<'r>(&self, row: &'r Row<'_>) -> Option<&'r str> {
        match row.cell(self.record_key()) {
            Cell::Text(id) if !id.trim().is_empty() => Some(id),
            _ => None,
        }
    }

    fn record_key(&self) -> Key {
        match self.config.record_id {
            RecordIdSource::RemoteId => Key::RemoteId,
            RecordIdSource::MergeId => Key::Id,
        }
    }

    /// Makes of a row what it is. `None` is a row that is no object, `now` the source's clock.
    ///
    /// A key that is not wanted was not read, so that its cell is missing and its field stays absent.
    pub(crate) fn outcome(
        &self,
        row: Option<&Row<'_>>,
        now: Option<DateTime<Utc>>,
        notes: &mut Notes,
    ) -> Outcome {
        let Some(row) = row else {
            return Outcome::Rejected(RejectedRecord::unreadable(None, "the row is not an object"));
        };
        let id = self.record_id(row);
        match id {
            Some(id) if *row.cell(Key::RemoteWasDeleted) == Cell::Flag(true) => Outcome::Deleted(id.into()),
            id if row.is_shell() => Outcome::Shell(RejectedRecord::unreadable(
                id.map(RecordId::from),
                "Merge keeps nothing of the record but its ids: it was told to ignore the person, or never read them",
            )),
            Some(id) => Outcome::Employee(Box::new(self.employee(id, row, now, notes))),
            None => {
                let (name, message) = match self.config.record_id {
                    RecordIdSource::RemoteId => ("remote_id", "the row has no readable `remote_id`"),
                    RecordIdSource::MergeId => ("id", "the row has no readable `id`"),
                };
                Outcome::Rejected(RejectedRecord::unreadable(None, message).at(name))
            }
        }
    }

    fn employee(&self, id: &str, row: &Row<'_>, now: Option<DateTime<Utc>>, notes: &mut Notes) -> Employee {
        let mut problems = Vec::new();
        let mut employee = Employee::new(id, self.status(row, &mut problems));
        employee.modified_at = modified_at(row, now);
        employee.employee_id = employee_id(row.cell(Key::EmployeeNumber), &mut problems);
        let mut text = |field, key| text_field(row.cell(key), field, &mut problems);
        employee.first_name = text(EmployeeField::FirstName, Key::FirstName);
        employee.last_name = text(EmployeeField::LastName, Key::LastName);
        employee.preferred_name = text(EmployeeField::PreferredName, Key::PreferredName);
        employee.work_email = text(EmployeeField::WorkEmail, Key::WorkEmail);
        employee.personal_email = text(EmployeeField::PersonalEmail, Key::PersonalEmail);
        employee.phone = text(EmployeeField::Phone, Key::MobilePhoneNumber);
        employee.gender = text(EmployeeField::Gender, Key::Gender);
        let mut date = |field, key| calendar_date(row.cell(key), field, notes, &mut problems);
        employee.birth_date = date(EmployeeField::BirthDate, Key::DateOfBirth).map(Into::into);
        employee.start_date = date(EmployeeField::StartDate, Key::StartDate);
        employee.end_date = date(EmployeeField::EndDate, Key::TerminationDate);
        self.relations(&mut employee, row, now, &mut problems);
        self.custom(&mut employee, row.mappings.0.as_ref(), &mut problems);
        employee.problems = problems;
        employee
    }

    /// Merge's own three words, then the configured ones. Any other word is unknown, and so is none.
    fn status(&self, row: &Row<'_>, problems: &mut Vec<FieldProblem>) -> EmploymentStatus {
        let cell = row.cell(Key::EmploymentStatus);
        match cell.text() {
            Some("ACTIVE") => EmploymentStatus::Active,
            Some("PENDING") => EmploymentStatus::Pending,
            Some("INACTIVE") => EmploymentStatus::Inactive,
            Some(word) => match self.config.status_alias(word) {
                Some(meaning) => meaning.into(),
                None => EmploymentStatus::Unknown(Some(word.to_owned())),
            },
            None => {
                if !cell.is_empty() {
                    problems.push(FieldProblem::unreadable(EmployeeField::Status, "is not a text"));
                }
                EmploymentStatus::Unknown(None)
            }
        }
    }

    fn relations(
        &self,
        employee: &mut Employee,
        row: &Row<'_>,
        now: Option<DateTime<Utc>>,
        problems: &mut Vec<FieldProblem>,
    ) {
        employee.company = full(&row.company, EmployeeField::Company, problems, company_name);
        let location = &row.work_location;
        if self.fields.has(EmployeeField::Location) {
            employee.location = full(location, EmployeeField::Location, problems, |location| {
                location.name.text().or_else(|| location.city.text())
            });
        }
        if self.fields.has(EmployeeField::Country) {
            employee.country =
                full(location, EmployeeField::Country, problems, |location| location.country.text());
        }
        employee.manager = self.manager(row, problems);
        employee.department = self.department(row, problems);
        let today = now.map(|now| now.date_naive());
        if self.fields.has(EmployeeField::JobTitle) {
            employee.job_title =
                position(row, today, EmployeeField::JobTitle, problems, |current| &current.job_title);
        }
        if self.fields.has(EmployeeField::EmploymentType) {
            employee.employment_type =
                position(row, today, EmployeeField::EmploymentType, problems, |current| &current.kind);
        }
    }

    fn manager(&self, row: &Row<'_>, problems: &mut Vec<FieldProblem>) -> Field<ManagerRef> {
        let field = EmployeeField::Manager;
        let record = |id: &str| Field::Value(ManagerRef::Record(id.into()));
        match (&row.manager, self.config.record_id) {
            (One::Missing, _) => Field::Absent,
            (One::Null, _) => Field::Null,
            (One::Id(id), RecordIdSource::MergeId) => record(id),
            (One::Full(manager), source) => {
                let cell = match source {
                    RecordIdSource::RemoteId => &manager.remote_id,
                    RecordIdSource::MergeId => &manager.id,
                };
                match cell {
                    Cell::Text(id) if !id.trim().is_empty() => record(id),
                    _ => unreadable(field, "has no readable id", problems),
                }
            }
            (One::Id(_), RecordIdSource::RemoteId) => {
                unreadable(field, "is known to Merge by its own id only", problems)
            }
            (One::Odd, _) => unreadable(field, "is neither an id nor an object", problems),
        }
    }

    /// The name of the group that is a department; of several the first by name, so that their order changes nothing.
    fn department(&self, row: &Row<'_>, problems: &mut Vec<FieldProblem>) -> Field<String> {
        let groups = match &row.groups {
            Many::Missing => return Field::Absent,
            Many::Null => return Field::Null,
            Many::Odd => return unreadable(EmployeeField::Department, "is not a list of groups", problems),
            Many::Items(groups) => groups,
        };
        let names = groups.iter().filter_map(|group| match group {
            One::Full(group) if group.remote_was_deleted != Cell::Flag(true) => {
                group.kind.text().filter(|kind| self.config.is_department(kind))?;
                group.name.text()
            }
            _ => None,
        });
        match names.min() {
            Some(name) => Field::Value(name.to_owned()),
            None if groups.iter().any(|group| matches!(group, One::Id(_) | One::Odd)) => {
                unreadable(EmployeeField::Department, "is a group that came without its name", problems)
            }
            None => Field::Null,
        }
    }

    /// The customer's own fields. One that nobody mapped is left out by the vendor, so that it stays absent.
    fn custom(
        &self,
        employee: &mut Employee,
        mappings: Option<&Mappings<'_>>,
        problems: &mut Vec<FieldProblem>,
    ) {
        let Some(mappings) = mappings else { return };
        let maps = [&mappings.linked_account_defined_targets, &mappings.organization_defined_targets];
        for name in self.fields.custom() {
            let cell = maps.iter().filter_map(|map| map.0.as_ref()).find_map(|map| target(map, name));
            let field = match cell {
                None | Some(Cell::Missing) => continue,
                Some(Cell::Null) => Field::Null,
                Some(Cell::Text(text)) if text.trim().is_empty() => Field::Null,
                Some(Cell::Text(text)) => Field::Value(custom_text(text)),
                Some(Cell::Number(number)) => Field::Value(Value::from(number.as_str())),
                Some(Cell::Flag(flag)) => Field::Value(Value::Bool(*flag)),
                Some(Cell::Nested) => {
                    let field = SourceField::Custom(name.into());
                    problems.push(FieldProblem::unreadable(field, "is neither text nor number nor flag"));
                    continue;
                }
            };
            employee.custom.insert(name.into(), field);
        }
    }
}

fn target<'r, 'a>(targets: &'r Targets<'a>, name: &str) -> Option<&'r Cell<'a>> {
    targets.0.iter().find(|(known, _)| known == name).map(|(_, target)| &target.0)
}

/// A text as written, but a date that comes as midnight of a day is that day.
fn custom_text(text: &str) -> Value {
    match date(text.trim()) {
        Some((date, false)) if text.trim().len() > DATE_LENGTH => Value::Date(date),
        _ => Value::from(text),
    }
}

fn company_name<'r>(company: &'r Company<'_>) -> Option<&'r str> {
    company.display_name.text().or_else(|| company.legal_name.text())
}

/// A text of a relation that was asked for in full.
fn full<T>(
    relation: &One<'_, T>,
    field: EmployeeField,
    problems: &mut Vec<FieldProblem>,
    text: impl Fn(&T) -> Option<&str>,
) -> Field<String> {
    match relation {
        One::Missing => Field::Absent,
        One::Null => Field::Null,
        One::Full(record) => Field::from_option(text(record).map(str::to_owned)),
        One::Id(_) => unreadable(field, "came as an id without its name", problems),
        One::Odd => unreadable(field, "is neither an id nor an object", problems),
    }
}

/// A text of the present position.
fn position(
    row: &Row<'_>,
    today: Option<NaiveDate>,
    field: EmployeeField,
    problems: &mut Vec<FieldProblem>,
    text: impl for<'r, 'a> Fn(&'r Employment<'a>) -> &'r Cell<'a>,
) -> Field<String> {
    let positions = match &row.employments {
        Many::Missing => return Field::Absent,
        Many::Null => return Field::Null,
        Many::Odd => return unreadable(field, "is not a list of positions", problems),
        Many::Items(positions) => positions,
    };
    let full = positions.iter().filter_map(|position| match position {
        One::Full(position) if position.remote_was_deleted != Cell::Flag(true) => Some(position),
        _ => None,
    });
    match full.max_by_key(|position| rank(position, today)) {
        Some(current) => text_field(text(current), field, problems),
        None if positions.iter().any(|position| matches!(position, One::Id(_) | One::Odd)) => {
            unreadable(field, "is a position that came as an id only", problems)
        }
        None => Field::Null,
    }
}

/// Where a position stands among a person's; the highest is the present one.
type Rank<'p> = (u8, TimeDelta, Option<DateTime<Utc>>, Reverse<Option<&'p str>>);

/// Which of several positions is the present one, in whatever order they come: the latest that has begun; without dates
/// the one changed last; of those ahead the nearest; and of equal ones that with the lowest id.
fn rank<'p>(position: &'p Employment<'_>, today: Option<NaiveDate>) -> Rank<'p> {
    let effective = position.effective_date.text().and_then(date).map(|(date, _)| date);
    let changed = position.modified_at.text().and_then(timestamp);
    let id = Reverse(position.id.text());
    match effective {
        Some(effective) if today.is_some_and(|today| effective > today) => {
            (0, NaiveDate::MIN - effective, changed, id)
        }
        Some(effective) => (2, effective - NaiveDate::MIN, changed, id),
        None => (1, TimeDelta::zero(), changed, id),
    }
}

/// The stamp, which by the source's own clock cannot lie ahead: a stamp that does would win for ever.
fn modified_at(row: &Row<'_>, now: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    // The source tells its time in whole seconds.
    let latest = now.map_or(DateTime::<Utc>::MAX_UTC, |now| now + TimeDelta::seconds(1));
    row.cell(Key::ModifiedAt).text().and_then(timestamp).map(|at| at.min(latest))
}

/// Declared as text. A whole number is taken all the same, since nothing but its notation is in doubt.
fn employee_id(cell: &Cell<'_>, problems: &mut Vec<FieldProblem>) -> Field<EmployeeId> {
    match cell {
        Cell::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Field::Value(number.as_str().into())
        }
        Cell::Text(_) => Field::from_option(cell.text().map(EmployeeId::from)),
        Cell::Missing => Field::Absent,
        Cell::Null => Field::Null,
        Cell::Number(_) | Cell::Flag(_) | Cell::Nested => {
            unreadable(EmployeeField::EmployeeId, "is neither a text nor a whole number", problems)
        }
    }
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

/// A date that came as a date-time: the calendar date as written, whatever its zone.
fn calendar_date(
    cell: &Cell<'_>,
    field: EmployeeField,
    notes: &mut Notes,
    problems: &mut Vec<FieldProblem>,
) -> Field<NaiveDate> {
    let text = match cell {
        Cell::Missing => return Field::Absent,
        _ if cell.is_empty() => return Field::Null,
        cell => cell.text(),
    };
    let Some((date, has_time)) = text.and_then(date) else {
        return unreadable(field, "is not a date-time of the form YYYY-MM-DDTHH:MM:SSZ", problems);
    };
    if has_time && let Some(place) = DATES.iter().position(|known| *known == field) {
        notes.timed[place] += 1;
    }
    Field::Value(date)
}

const DATE_LENGTH: usize = "YYYY-MM-DD".len();

/// The calendar date of a date or date-time as written, and whether it has a time of day other than midnight.
fn date(text: &str) -> Option<(NaiveDate, bool)> {
    let (day, rest) = text.split_at_checked(DATE_LENGTH)?;
    let date = day_of(day.as_bytes())?;
    match rest {
        // What nearly every date looks like.
        "" | "T00:00:00Z" => Some((date, false)),
        rest => {
            let is_time = DateTime::parse_from_rfc3339(text).is_ok()
                || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok();
            is_time.then(|| (date, !is_midnight(rest)))
        }
    }
}

/// By hand, rather than by a format that is interpreted anew for every date.
fn day_of(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
}

/// Whether what follows a date, such as `T00:00:00.000Z`, says midnight, as written.
fn is_midnight(rest: &str) -> bool {
    let time = rest.get(1..).unwrap_or_default();
    let end = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    time[..end].bytes().all(|byte| matches!(byte, b'0' | b':' | b'.'))
}

/// An instant with an offset or `Z`.
pub(crate) fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{RowSeed, page};
    use proptest::prelude::*;
    use serde_json::json;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn dates_are_taken_as_written_and_never_shift() {
        for text in [
            "2022-09-01T00:00:00Z",
            "2022-09-01T00:00:00.000000Z",
            "2022-09-01T00:00:00+02:00",
            "2022-09-01T00:00:00-05:00",
            "2022-09-01T00:00:00",
            "2022-09-01",
        ] {
            assert_eq!(date(text), Some((day("2022-09-01"), false)), "{text}");
        }
        for text in [
            "2022-09-01T22:00:00Z",
            "2022-09-01T00:30:00+02:00",
            "2022-09-01T00:00:00.5Z",
            "2022-09-01T23:00:00",
        ] {
            assert_eq!(date(text), Some((day("2022-09-01"), true)), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_date_is_none_of_any_kind() {
        for text in [
            "2023-02-30T00:00:00Z",
            "2023-13-01",
            "01/09/2022",
            "2022-9-1",
            "2022-09-01 at noon",
            "2022-09-01T25:00:00Z",
            "2022-09-0é",
            "+022-09-01",
            "soon",
            "",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    /// What a row becomes, with every canonical field and some custom ones wanted.
    fn outcome(row: &serde_json::Value, config: MergeConfig, now: Option<&str>) -> (Outcome, Notes) {
        let mut fields = FieldSet::all_canonical();
        for name in ["gift_region", "campaign_start_date", "list"] {
            fields.insert(SourceField::Custom(name.into()));
        }
        let projection = Projection::new(fields, Arc::new(config));
        let body = json!({ "results": [row] }).to_string();
        let page = page(RowSeed(projection.keys()), body.as_bytes()).unwrap();
        let mut notes = Notes::default();
        let now = now.map(|now| now.parse().unwrap());
        (projection.outcome(page.rows[0].as_ref(), now, &mut notes), notes)
    }

    fn employee(row: &serde_json::Value) -> Employee {
        let mut row = row.clone();
        row["remote_id"] = json!("r1");
        row["first_name"] = json!("Piers");
        match outcome(&row, MergeConfig::new(), Some("2026-03-02T06:00:00Z")).0 {
            Outcome::Employee(employee) => *employee,
            other => panic!("{other:?}"),
        }
    }

    fn text(text: &str) -> Field<String> {
        Field::Value(text.to_owned())
    }

    #[test]
    fn the_department_is_the_group_of_that_kind_whatever_the_order() {
        let group = |name: &str, kind: &str| json!({ "name": name, "type": kind });
        for groups in [
            json!([group("Kiln", "TEAM"), group("Glass", "DEPARTMENT"), null, group("Zinc", "DEPARTMENT")]),
            json!([group("Zinc", "DEPARTMENT"), group("Glass", "department"), "a-bare-id"]),
        ] {
            assert_eq!(employee(&json!({ "groups": groups })).department, text("Glass"));
        }
        let deleted = json!({ "name": "Glass", "type": "DEPARTMENT", "remote_was_deleted": true });
        assert_eq!(employee(&json!({ "groups": [deleted, group("Kiln", "TEAM")] })).department, Field::Null);
        assert_eq!(employee(&json!({ "groups": [] })).department, Field::Null);
        assert_eq!(employee(&json!({})).department, Field::Absent);
    }

    #[test]
    fn a_relation_that_came_as_an_id_only_is_a_problem_and_clears_nothing() {
        let row = json!({ "groups": ["g"], "company": "c", "work_location": "l", "manager": "m",
                          "employments": ["e"] });
        let employee = employee(&row);
        assert!(employee.department.is_absent() && employee.company.is_absent());
        assert!(employee.location.is_absent() && employee.country.is_absent());
        assert!(employee.manager.is_absent() && employee.job_title.is_absent());
        assert_eq!(employee.problems.len(), 7, "{:?}", employee.problems);
    }

    #[test]
    fn the_present_position_is_the_latest_that_has_begun() {
        let position = |title: &str, date: Option<&str>, changed: &str| json!({ "job_title": title, "effective_date": date, "modified_at": changed });
        let old = position("Fitter", Some("2019-01-01T00:00:00Z"), "2026-03-01T00:00:00Z");
        let new = position("Foreman", Some("2026-03-01T00:00:00Z"), "2020-01-01T00:00:00Z");
        let ahead = position("Director", Some("2026-09-01T00:00:00Z"), "2026-03-01T00:00:00Z");
        let undated = position("Clerk", None, "2026-02-01T00:00:00Z");
        let undated_later = position("Chief", None, "2026-02-02T00:00:00Z");
        for (positions, expected) in [
            (vec![&old, &new, &ahead, &undated], "Foreman"),
            (vec![&ahead, &undated, &undated_later], "Chief"),
            (vec![&ahead], "Director"),
            (vec![&ahead, &old], "Fitter"),
        ] {
            assert_eq!(employee(&json!({ "employments": positions })).job_title, text(expected));
        }
        assert_eq!(employee(&json!({ "employments": [] })).job_title, Field::Null);
    }

    #[test]
    fn of_equal_positions_the_one_with_the_lowest_id_is_taken_in_either_order() {
        let position = |id: &str, title: &str, kind: &str| json!({ "id": id, "job_title": title, "employment_type": kind, "effective_date": "2024-01-01T00:00:00Z", "modified_at": "2026-03-01T00:00:00Z" });
        let (one, other) = (position("a1", "Fitter", "FULL_TIME"), position("b2", "Steward", "PART_TIME"));
        for positions in [[&one, &other], [&other, &one]] {
            let employee = employee(&json!({ "employments": positions }));
            assert_eq!((employee.job_title, employee.employment_type), (text("Fitter"), text("FULL_TIME")));
        }
    }

    #[test]
    fn the_customers_own_fields_are_read_in_both_shapes() {
        let employee = employee(&json!({ "field_mappings": {
            "organization_defined_targets": {
                "gift_region": { "value": "UK" },
                "campaign_start_date": "2021-10-04T00:00:00Z",
                "list": ["a"],
            },
            "linked_account_defined_targets": {},
        } }));
        assert_eq!(employee.custom["gift_region"], Field::Value(Value::from("UK")));
        assert_eq!(employee.custom["campaign_start_date"], Field::Value(Value::Date(day("2021-10-04"))));
        assert_eq!(employee.problems[0].field.to_string(), "custom:list");
        assert_eq!(employee.custom.len(), 2);
    }

    #[test]
    fn the_accounts_own_field_goes_before_the_organisations_and_unmapped_ones_stay_absent() {
        let both = employee(&json!({ "field_mappings": {
            "organization_defined_targets": { "gift_region": "UK" },
            "linked_account_defined_targets": { "gift_region": null },
        } }));
        assert_eq!(both.custom["gift_region"], Field::Null);
        for none in [json!(null), json!({}), json!({ "organization_defined_targets": null }), json!("x")] {
            assert!(employee(&json!({ "field_mappings": none })).custom.is_empty());
        }
    }

    #[test]
    fn a_time_of_day_is_counted_and_the_date_kept() {
        let row = json!({ "remote_id": "r1", "start_date": "2021-10-04T23:00:00Z",
                          "date_of_birth": "1990-01-01T00:00:00Z" });
        let (outcome, notes) = outcome(&row, MergeConfig::new(), None);
        let Outcome::Employee(employee) = outcome else { panic!("a person") };
        assert_eq!(employee.start_date, Field::Value(day("2021-10-04")));
        let warnings = notes.warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].field.as_deref(), Some("start_date"));
        assert!(warnings[0].message.starts_with("1 people"));
    }

    #[test]
    fn a_stamp_ahead_of_the_source_is_brought_back_to_its_present() {
        let row = json!({ "modified_at": "2031-01-01T00:00:00Z" });
        assert_eq!(employee(&row).modified_at, Some("2026-03-02T06:00:01Z".parse().unwrap()));
        let row = json!({ "modified_at": "2026-03-02T05:59:59.123456Z" });
        assert_eq!(employee(&row).modified_at, Some("2026-03-02T05:59:59.123456Z".parse().unwrap()));
    }

    #[test]
    fn deleted_wins_over_active_and_an_empty_record_is_neither_a_person_nor_a_clearing_of_fields() {
        let deleted = json!({ "remote_id": "r1", "employment_status": "ACTIVE", "remote_was_deleted": true });
        assert_eq!(outcome(&deleted, MergeConfig::new(), None).0, Outcome::Deleted("r1".into()));
        let shell = json!({ "id": "m1", "remote_id": "r1", "first_name": null, "employment_status": null });
        let Outcome::Shell(rejected) = outcome(&shell, MergeConfig::new(), None).0 else { panic!("a shell") };
        assert_eq!(rejected.record, Some("r1".into()));
        let nameless = json!({ "id": "m1", "remote_id": " ", "first_name": "Piers" });
        let Outcome::Rejected(rejected) = outcome(&nameless, MergeConfig::new(), None).0 else {
            panic!("no person")
        };
        assert_eq!((rejected.record, rejected.field.as_deref()), (None, Some("remote_id")));
    }

    #[test]
    fn relations_are_asked_for_in_one_value_and_only_if_they_are_wanted() {
        let expand =
            |fields: FieldSet, config: MergeConfig| Projection::new(fields, Arc::new(config)).expand();
        let by_merge_id = || MergeConfig::new().with_record_id(RecordIdSource::MergeId);
        let all = "company,employments,groups,manager,work_location";
        assert_eq!(expand(FieldSet::all_canonical(), MergeConfig::new()).as_deref(), Some(all));
        let some = FieldSet::from_iter([EmployeeField::Department, EmployeeField::Country]);
        assert_eq!(expand(some, MergeConfig::new()).as_deref(), Some("groups,work_location"));
        let manager = FieldSet::from_iter([EmployeeField::Manager]);
        assert_eq!(expand(manager, by_merge_id()), None);
        assert_eq!(expand(FieldSet::from_iter([EmployeeField::WorkEmail]), MergeConfig::new()), None);
    }

    /// Any JSON value, nested a little.
    fn anything() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<f64>().prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
            Just(json!("ACTIVE")),
            Just(json!("2022-09-01T00:00:00Z")),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                proptest::collection::btree_map(
                    "id|remote_id|name|type|value|job_title|effective_date|organization_defined_targets|gift_region",
                    inner,
                    0..4
                )
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    const KEYS: &str = "employment_status|modified_at|employee_number|first_name|last_name|preferred_name|work_email\
                        |personal_email|mobile_phone_number|date_of_birth|start_date|termination_date|gender|company\
                        |work_location|manager|groups|employments|field_mappings|ssn|other";

    proptest! {
        #[test]
        fn whatever_stands_in_a_row_costs_fields_and_never_the_row(
            mut row in proptest::collection::btree_map(KEYS, anything(), 0..12),
        ) {
            row.insert("remote_id".to_owned(), json!("r1"));
            row.insert("username".to_owned(), json!("somebody"));
            let row = serde_json::Value::Object(row.into_iter().collect());
            let (outcome, _) = outcome(&row, MergeConfig::new(), Some("2026-03-02T06:00:00Z"));
            prop_assert!(matches!(outcome, Outcome::Employee(employee) if employee.record.as_str() == "r1"));
        }

        #[test]
        fn whatever_stands_in_place_of_a_row_leaves_its_page_readable(row in anything()) {
            let (outcome, _) = outcome(&row, MergeConfig::new(), None);
            let is_sound = match outcome {
                Outcome::Employee(employee) => !employee.record.as_str().is_empty(),
                Outcome::Deleted(_) => false,
                Outcome::Rejected(_) | Outcome::Shell(_) => true,
            };
            prop_assert!(is_sound);
        }

        #[test]
        fn every_date_comes_back_as_it_was_written(days in -200_000i64..200_000, offset in "Z|[+-](0[0-9]|1[0-4]):[03]0") {
            let written = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + TimeDelta::days(days);
            let text = format!("{written}T00:00:00{offset}");
            prop_assert_eq!(date(&text), Some((written, false)));
        }
    }
}
