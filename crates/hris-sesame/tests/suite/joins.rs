//! Departments, offices, time zones and custom fields.

use chrono::NaiveDate;
use hris_core::{
    Employee, EmployeeField, EmploymentStatus, ErrorKind, Field, FieldMap, FieldMapping as _, FieldRule,
    FieldSet, MemberField, Problem, SourceField, Transform, ValueRef, rule,
};
use hris_sesame::sim::SesameSim;
use hris_testkit::population::{Person, Population};
use hris_testkit::run;
use hris_testkit::sim::{Fault, PageSize, SimResponse};

use crate::setup::{
    CUSTOM_FIELDS, DEPARTMENT_ASSIGNATIONS, OFFICE_ASSIGNATIONS, OFFICES, Read, build, config, connector,
    custom, only, plain_population, population, read,
};

fn department_and_office() -> FieldSet {
    [EmployeeField::Department, EmployeeField::Location].into_iter().collect()
}

/// Compares a joined field with the truth, for rows whose person can be told.
fn check(
    read: &Read,
    people: &Population,
    joined: fn(&Employee) -> &Field<String>,
    truth: fn(&Person) -> Option<&str>,
) {
    for employee in &read.employees {
        let person = people.person(employee.record.as_str()).unwrap();
        match (truth(person), joined(employee)) {
            (Some(expected), Field::Value(name)) => assert_eq!(name, expected, "{person:?}"),
            (None, Field::Null) => assert_eq!(employee.status, EmploymentStatus::Active, "{person:?}"),
            (None, Field::Absent) => assert_ne!(employee.status, EmploymentStatus::Active, "{person:?}"),
            (expected, joined) => panic!("{person:?}: {} {joined:?}", expected.is_some()),
        }
    }
}

#[test]
fn everybody_has_the_department_and_office_assigned_last_unless_it_was_deleted() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), department_and_office()).await;
        check(&read, &people, |employee| &employee.department, |person| person.department.as_deref());
        check(&read, &people, |employee| &employee.location, |person| person.location.as_deref());
        assert!(read.receipt().warnings.is_empty());
    });
}

#[test]
fn assignations_are_read_to_their_last_page_in_bulk() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.page_size = PageSize::new(20, 50));
        let read = read(&connector(&sim), only(EmployeeField::Department)).await;
        check(&read, &people, |employee| &employee.department, |person| person.department.as_deref());
        let pages = sim.paths(DEPARTMENT_ASSIGNATIONS).len();
        assert!((6..=10).contains(&pages), "a handful of pages and not a request per person: {pages}");
    });
}

#[test]
fn the_office_of_2026_tells_its_deletion_inside_the_assignation_too() {
    run(async {
        let people = plain_population(60);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.details_in_assignations = true);
        let empty =
            SimResponse::json(200, &serde_json::json!({ "data": [], "meta": { "lastPage": 1, "total": 0 } }));
        sim.faults().add(Fault::Answer(empty).always().on_path(OFFICES));
        let read = read(&connector(&sim), only(EmployeeField::Location)).await;
        check(&read, &people, |employee| &employee.location, |person| person.location.as_deref());
    });
}

#[test]
fn a_missing_assignation_says_nothing_about_inactive_people() {
    run(async {
        let people = plain_population(130);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.lists_inactive_assignations = false);
        let read = read(&connector(&sim), only(EmployeeField::Department)).await;
        let (inactive, others): (Vec<_>, Vec<_>) =
            read.employees.iter().partition(|employee| employee.status == EmploymentStatus::Inactive);
        assert!(!inactive.is_empty() && inactive.iter().all(|employee| employee.department.is_absent()));
        assert!(others.iter().all(|employee| employee.department.value().is_some()));
    });
}

#[test]
fn the_time_zone_is_the_offices_and_else_the_configured_one() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let config = config(sim.url()).with_default_time_zone(Some("Atlantic/Canary".to_owned()));
        let read = read(&build(config), only(EmployeeField::TimeZone)).await;
        let with_office =
            people.active().find(|person| person.location.is_some() && person.malformed.is_none());
        let without = people.active().find(|person| person.location.is_none());
        let zone =
            |person: Option<&Person>| read.person(&person.unwrap().record_id).time_zone.clone().into_value();
        assert!(zone(with_office).unwrap().starts_with("Europe/"));
        assert_eq!(zone(without).as_deref(), Some("Atlantic/Canary"));
    });
}

fn warned_about<'w>(warnings: &'w [Problem], field: &str) -> &'w Problem {
    let mut about = warnings.iter().filter(|warning| warning.field.as_deref() == Some(field));
    about.next().expect("a warning about the field")
}

#[test]
fn a_join_that_fails_costs_its_field_and_a_warning_and_never_clears_anything() {
    run(async {
        for (path, field) in [
            (DEPARTMENT_ASSIGNATIONS, "department"),
            (OFFICE_ASSIGNATIONS, "location"),
            (OFFICES, "location"),
        ] {
            let people = plain_population(60);
            let sim = SesameSim::start(people).await;
            sim.faults().add(Fault::status(500).always().on_path(path));
            let read = read(&connector(&sim), department_and_office()).await;
            assert_eq!(read.receipt().distinct, 60);
            assert!(read.receipt().absence.ground().is_usable(), "who is there does not depend on joins");
            let warning = warned_about(&read.receipt().warnings, field);
            assert_eq!(warning.rule, rule::JOIN_FAILED);
            for employee in &read.employees {
                let (failed, other) = match field {
                    "department" => (&employee.department, &employee.location),
                    _ => (&employee.location, &employee.department),
                };
                assert!(failed.is_absent() && other.value().is_some());
            }
        }
    });
}

#[test]
fn a_token_that_is_revoked_during_a_join_ends_the_reading() {
    run(async {
        let sim = SesameSim::start(plain_population(60)).await;
        sim.faults().add(Fault::unauthorized().always().on_path(DEPARTMENT_ASSIGNATIONS));
        let read = read(&connector(&sim), department_and_office()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn a_list_of_assignations_that_is_too_short_takes_no_department_away() {
    run(async {
        let sim = SesameSim::start(plain_population(60)).await;
        let short = |response: SimResponse| {
            let mut body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            body["data"].as_array_mut().unwrap().truncate(10);
            SimResponse::json(200, &body)
        };
        sim.faults().add(Fault::change(short).always().on_path(DEPARTMENT_ASSIGNATIONS));
        let read = read(&connector(&sim), only(EmployeeField::Department)).await;
        read.receipt();
        assert!(read.employees.iter().any(|employee| employee.department.is_absent()));
        assert!(read.employees.iter().all(|employee| employee.department != Field::Null));
        assert_eq!(sim.paths(DEPARTMENT_ASSIGNATIONS).len(), 2, "it was read once more");
    });
}

#[test]
fn a_list_of_assignations_that_moves_while_it_is_read_is_read_once_more() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        let one_more = |response: SimResponse| {
            let mut body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            body["meta"]["total"] = (body["meta"]["total"].as_u64().unwrap() + 1).into();
            SimResponse::json(200, &body)
        };
        sim.faults().add(Fault::change(one_more).once().on_path(DEPARTMENT_ASSIGNATIONS));
        let read = read(&connector(&sim), only(EmployeeField::Department)).await;
        check(&read, &people, |employee| &employee.department, |person| person.department.as_deref());
        let requests = sim.requests();
        let first_pages = requests.iter().filter(|request| {
            request.path() == DEPARTMENT_ASSIGNATIONS && request.query("page") == Some("1")
        });
        assert_eq!(first_pages.count(), 2);
    });
}

const BENEFITS: &str = "cf_fecha_de_alta_en_beneficios";

#[test]
fn custom_fields_come_as_written_and_the_mapping_reads_the_customers_dates() {
    run(async {
        let people = plain_population(60);
        let sim = SesameSim::start(people.clone()).await;
        let source = SourceField::Custom(BENEFITS.into());
        let map = FieldMap::new(vec![
            FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail),
            FieldRule::copy(MemberField::StartDate, source).with(Transform::Date("%d/%m/%Y".to_owned())),
        ])
        .unwrap();
        let read = read(&connector(&sim), map.sources().iter().cloned().collect()).await;
        let mut dates = 0;
        for employee in &read.employees {
            let written = people.person(employee.record.as_str()).unwrap().custom.get("benefit_date");
            let expected = written.map(|text| NaiveDate::parse_from_str(text, "%d/%m/%Y").unwrap());
            dates += usize::from(expected.is_some());
            let mapped = map.map(employee);
            assert_eq!(mapped.values[2], Field::from_option(expected.map(ValueRef::Date)));
            assert!(mapped.problems.is_empty());
        }
        assert!(dates > 5);
    });
}

#[test]
fn a_custom_field_is_found_by_slug_and_by_id_and_missing_means_none() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let connector = connector(&sim);
        for name in ["cf_talla", "b1f5d1f4-93b7-4a39-9a34-6f0d38f1c001"] {
            let read = read(&connector, custom(name)).await;
            for employee in &read.employees {
                let size = people.person(employee.record.as_str()).unwrap().custom.get("shirt_size");
                let expected = Field::from_option(size.map(|size| hris_core::Value::from(size.as_str())));
                assert!(employee.custom[name] == expected, "{employee:?}");
            }
        }
    });
}

#[test]
fn a_custom_field_that_the_company_does_not_have_is_left_alone_with_a_warning() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        let read = read(&connector(&sim), custom("cf_renamed")).await;
        assert!(read.employees.iter().all(|employee| employee.custom.is_empty()));
        let warning = warned_about(&read.receipt().warnings, "custom:cf_renamed");
        assert_eq!(warning.rule, rule::FIELD_UNREADABLE);
    });
}

#[test]
fn without_the_catalogue_values_still_come_and_missing_ones_are_left_alone() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        sim.faults().add(Fault::status(403).always().on_path(CUSTOM_FIELDS));
        let read = read(&connector(&sim), custom("cf_talla")).await;
        assert_eq!(warned_about(&read.receipt().warnings, "custom").rule, rule::JOIN_FAILED);
        let with_value = people.active().find(|person| person.custom.contains_key("shirt_size")).unwrap();
        assert!(read.person(&with_value.record_id).custom["cf_talla"].value().is_some());
        let left_out = hris_testkit::population::Oddity::MissingFields;
        let without = people.with(left_out).find(|person| person.is_listed()).unwrap();
        assert!(read.person(&without.record_id).custom.is_empty());
    });
}
