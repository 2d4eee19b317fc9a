//! What is true of a population in each vendor's format, computed from the people themselves and nothing else.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use hris::merge::sim::MergeSim;
use hris::trinet::sim::TriNetSim;
use hris_testkit::population::{Person, PersonStatus, Population};

use crate::place::Format;

/// The columns, in their order.
pub(crate) const COLUMNS: [&str; 12] = [
    "employee_number",
    "first_name",
    "last_name",
    "work_email",
    "personal_email",
    "start_date",
    "date_of_birth",
    "status",
    "department",
    "location",
    "manager",
    "termination_date",
];

/// One person's values.
pub(crate) type Row = [Option<String>; 12];

/// Everybody in the vendor's listing, sorted.
pub(crate) fn rows(format: Format, people: &Population) -> Vec<Row> {
    let everybody = people.people();
    let positions: BTreeMap<&str, usize> =
        everybody.iter().enumerate().map(|(at, person)| (person.record_id.as_str(), at)).collect();
    let mut rows: Vec<Row> = people
        .listed()
        .map(|person| match format {
            Format::Merge => merge(person),
            Format::PeopleHr => peoplehr(person, people),
            Format::Sesame => sesame(person),
            Format::TriNet => trinet(person, positions[person.record_id.as_str()]),
        })
        .collect();
    rows.sort();
    rows
}

/// Everybody in Merge's listing by their record.
pub(crate) fn merge_rows(people: &Population) -> BTreeMap<&str, Row> {
    people.listed().map(|person| (person.record_id.as_str(), merge(person))).collect()
}

/// As far as all vendors agree: no status, no manager, no last day, and the number that people see.
fn common(person: &Person) -> Row {
    [
        text(person.employee_number.as_deref()),
        text(person.first_name.as_deref()),
        text(person.last_name.as_deref()),
        text(person.work_email.as_deref()).map(|email| email.to_lowercase()),
        text(person.personal_email.as_deref()).map(|email| email.to_lowercase()),
        date(person.start_date),
        date(person.birth_date),
        None,
        text(person.department.as_deref()),
        text(person.location.as_deref()),
        None,
        None,
    ]
}

/// Three words of status; the manager by Merge's id, whether or not there is such a person.
fn merge(person: &Person) -> Row {
    let mut row = common(person);
    row[7] = match person.status {
        PersonStatus::Active | PersonStatus::OnLeave => word("active"),
        PersonStatus::Pending => word("pending"),
        PersonStatus::Inactive => word("leaver"),
        PersonStatus::Odd(_) => None,
    };
    row[10] = person.manager.as_deref().map(MergeSim::merge_id);
    row[11] = date(person.end_date);
    row
}

/// Two words of status, and a listing that has no dates of employment and no managers.
fn sesame(person: &Person) -> Row {
    let mut row = common(person);
    row[2] = both_last_names(person);
    row[5] = None;
    row[7] = match person.status {
        PersonStatus::Active | PersonStatus::OnLeave | PersonStatus::Pending => word("active"),
        PersonStatus::Inactive => word("leaver"),
        PersonStatus::Odd(_) => None,
    };
    row
}

/// TriNet's own id is the number; its letter `A` stands for everybody who has not left and is not away.
fn trinet(person: &Person, position: usize) -> Row {
    let mut row = common(person);
    row[0] = Some(TriNetSim::employee_id(position));
    row[2] = both_last_names(person);
    (row[4], row[6]) = (None, None);
    row[7] = match person.status {
        PersonStatus::Active | PersonStatus::OnLeave | PersonStatus::Pending => word("active"),
        PersonStatus::Inactive => word("leaver"),
        PersonStatus::Odd(_) => None,
    };
    row
}

/// No status at all: who has left is missing among current staff, who is to start has a start date ahead. Current staff
/// have no last day that is over.
fn peoplehr(person: &Person, people: &Population) -> Row {
    let mut row = common(person);
    let is_current = person.status != PersonStatus::Inactive;
    let is_to_start = person.start_date.is_some_and(|start| start.to_string().starts_with("2099"));
    let is_over = |day: &NaiveDate| *day < people.today();
    row[2] = both_last_names(person);
    row[7] = match (is_current, is_to_start) {
        (false, _) => word("leaver"),
        (true, true) => word("pending"),
        (true, false) => word("active"),
    };
    let manager = person.manager.as_deref().map(|record| match people.person(record) {
        Some(manager) => text(manager.employee_number.as_deref()),
        None => word(NOBODY),
    });
    row[10] = manager.flatten();
    row[11] = date(person.end_date.filter(|day| !(is_current && is_over(day))));
    row
}

/// The number that the simulated PeopleHR gives a manager who is nobody.
const NOBODY: &str = "99999999";

/// Both family names, where the country uses two.
fn both_last_names(person: &Person) -> Option<String> {
    let (first, second) = (text(person.last_name.as_deref()), text(person.second_last_name.as_deref()));
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first} {second}")),
        (first, _) => first,
    }
}

/// Blank is none.
fn text(value: Option<&str>) -> Option<String> {
    value.filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn date(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| day.format("%Y-%m-%d").to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "beside columns that may be empty")]
fn word(word: &str) -> Option<String> {
    Some(word.to_owned())
}
