//! `bench_pull` without faults: every row of every format, and what else the command line says.

use hris_testkit::population::{DayPlan, Oddity, PersonStatus, Population};

use crate::place::{FORMATS, Format, Place, Vendor, people};
use crate::truth::{self, COLUMNS, Row};

/// Names the first row and the columns that differ.
pub(crate) fn compare(format: Format, found: &[Row], expected: &[Row]) {
    for (found, expected) in found.iter().zip(expected) {
        let differing: Vec<_> = (0..COLUMNS.len()).filter(|at| found[*at] != expected[*at]).collect();
        let names: Vec<_> = differing.iter().map(|at| COLUMNS[*at]).collect();
        assert!(differing.is_empty(), "{format:?} {names:?}\n{found:?}\n{expected:?}");
    }
    assert_eq!(found.len(), expected.len(), "{format:?}");
}

#[test]
fn every_row_of_every_format_is_what_the_people_are() {
    let people = people(3_000);
    for oddity in
        [Oddity::OnLeave, Oddity::PreHire, Oddity::NoEmail, Oddity::LeadingZeros, Oddity::EmptyFields]
    {
        assert!(people.with(oddity).next().is_some(), "{oddity:?} is among them");
    }
    for format in FORMATS {
        let (vendor, place) = (Vendor::start(format, people.clone()), Place::new());
        place.pull(format, vendor.url(), &[]).counts(people.len());
        compare(format, &place.rows(), &truth::rows(format, &people));
    }
}

#[test]
fn a_dash_maps_everybody_and_writes_no_file() {
    let people = people(300);
    for format in FORMATS {
        let (vendor, place) = (Vendor::start(format, people.clone()), Place::new());
        let arguments = ["--base-url", vendor.url(), "--format", format.name(), "--out", "-"];
        place.run("bench_pull", &arguments).counts(people.len());
        assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0);
    }
}

#[test]
fn page_size_is_asked_for_and_changes_nothing_else() {
    let people = people(700);
    for (format, parameter) in
        [(Format::Merge, "page_size"), (Format::Sesame, "limit"), (Format::TriNet, "limit")]
    {
        let (vendor, place) = (Vendor::start(format, people.clone()), Place::new());
        place.pull(format, vendor.url(), &["--page-size", "35", "--concurrency", "3"]).counts(people.len());
        compare(format, &place.rows(), &truth::rows(format, &people));
        let requests = vendor.requests();
        let pages = requests.iter().filter(|request| request.path().ends_with("/employees"));
        let sizes: Vec<_> =
            pages.map(|request| request.query(parameter).unwrap_or("none").to_owned()).collect();
        assert!(sizes.len() >= 20 && sizes.iter().all(|size| size == "35"), "{format:?} {sizes:?}");
    }
}

#[test]
fn only_who_changed_since_is_written_where_a_vendor_can_tell() {
    let mut people = people(1_000);
    let since = people.people().iter().map(|person| person.modified_at).max().unwrap();
    let changes = people.next_day(&DayPlan { field_changes: 40, hires: 5, ..DayPlan::quiet() });
    let asked = since.to_rfc3339();
    let (vendor, place) = (Vendor::start(Format::Merge, people.clone()), Place::new());
    place.pull(Format::Merge, vendor.url(), &["--modified-after", &asked]);

    let numbers = |rows: Vec<Row>| rows.into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let found = place.rows();
    let everybody = truth::rows(Format::Merge, &people);
    assert!(found.iter().all(|row| everybody.contains(row)), "each is as it is now");
    let mut touched: Vec<_> =
        changes.touched().map(|record| people.person(record).unwrap().employee_number.clone()).collect();
    touched.sort();
    let found = numbers(found);
    assert!(touched.iter().all(|number| found.contains(number)), "everybody who changed is there");
    assert!(found.len() < 100, "few others are: {}", found.len());

    for format in [Format::PeopleHr, Format::Sesame, Format::TriNet] {
        let (vendor, place) = (Vendor::start(format, people.clone()), Place::new());
        place.pull(format, vendor.url(), &["--modified-after", &asked]).fails("bench_pull");
    }
}

#[test]
fn people_of_whom_a_row_cannot_be_told_are_no_complete_directory() {
    for format in FORMATS {
        let (vendor, place) = (Vendor::start(format, Population::new(5).size(400).build()), Place::new());
        place.pull(format, vendor.url(), &[]).fails("bench_pull");
    }
}

#[test]
fn nobody_is_a_directory_too() {
    // An empty listing of PeopleHR's proves nothing, so that its connector asks again, a minute later each time.
    for format in [Format::Merge, Format::Sesame, Format::TriNet] {
        let (vendor, place) = (Vendor::start(format, Population::new(5).size(0).build()), Place::new());
        place.pull(format, vendor.url(), &[]).counts(0);
        assert!(place.rows().is_empty());
    }
}

#[test]
fn the_people_have_every_status_that_the_formats_tell_apart() {
    let people = people(3_000);
    for status in [PersonStatus::Active, PersonStatus::OnLeave, PersonStatus::Pending, PersonStatus::Inactive]
    {
        assert!(people.listed().any(|person| person.status == status), "{status:?}");
    }
}
