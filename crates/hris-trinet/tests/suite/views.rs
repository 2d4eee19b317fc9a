//! The basic and the full view: which one is asked for, and what happens when the full one is refused.

use hris_core::{EmployeeField, ErrorKind, Field, FieldSet, rule};
use hris_testkit::run;
use hris_testkit::sim::Fault;
use hris_trinet::View;
use hris_trinet::sim::{BirthPlace, DateStyle, Refusal, TriNetSim};

use crate::setup::{
    EMPLOYEES, TOKEN, basic_fields, build, config, connector, only, plain_population, population, read,
};

fn views(sim: &TriNetSim) -> Vec<Option<String>> {
    let requests = sim.requests();
    let pages = requests.iter().filter(|request| request.path() == EMPLOYEES);
    pages.map(|page| page.query("viewType").map(str::to_owned)).collect()
}

fn with_birth_date() -> FieldSet {
    let mut fields = basic_fields();
    fields.insert(EmployeeField::BirthDate);
    fields
}

#[test]
fn the_full_view_is_asked_for_only_if_something_is_wanted_that_nothing_else_has() {
    run(async {
        for field in EmployeeField::ALL.iter().copied() {
            let sim = TriNetSim::start(plain_population(3)).await;
            read(&connector(&sim), only(field)).await.receipt();
            let is_private = matches!(
                field,
                EmployeeField::BirthDate
                    | EmployeeField::Gender
                    | EmployeeField::Phone
                    | EmployeeField::Country
            );
            assert_eq!(views(&sim), [is_private.then(|| "All".to_owned())], "{field:?}");
        }
    });
}

#[test]
fn a_view_can_be_prescribed() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let full = build(config(sim.url()).with_view(View::Full));
        read(&full, basic_fields()).await.receipt();
        let basic = build(config(sim.url()).with_view(View::Basic));
        let read = read(&basic, with_birth_date()).await;
        assert!(read.employees.iter().all(|employee| employee.birth_date.is_absent()));
        assert_eq!(views(&sim), [Some("All".to_owned()), None]);
    });
}

#[test]
fn a_refused_full_view_costs_what_only_it_has_and_blanks_nothing() {
    run(async {
        for refusal in [Refusal::NotInProduct, Refusal::Unreadable, Refusal::NoScope] {
            let people = plain_population(250);
            let sim = TriNetSim::start(people.clone()).await;
            sim.behave(|vendor| vendor.refuses_full_view = Some(refusal));
            let read = read(&connector(&sim), with_birth_date()).await;
            assert_eq!(read.receipt().distinct, 250, "{refusal:?}");
            assert!(read.employees.iter().all(|employee| employee.birth_date == Field::Absent));
            assert!(read.employees.iter().all(|employee| employee.work_email.value().is_some()));
            let warning = &read.receipt().warnings[0];
            assert_eq!(warning.rule, rule::JOIN_FAILED);
            assert!(warning.message.contains("birth_date are not known"), "{}", warning.message);
            assert!(warning.message.contains("hr-personal-read"), "{}", warning.message);
            let tries = if refusal == Refusal::Unreadable { 2 } else { 1 };
            assert_eq!(sim.paths(TOKEN).len(), tries, "{refusal:?}");
            assert_eq!(views(&sim).iter().filter(|view| view.is_none()).count(), 3);
        }
    });
}

#[test]
fn a_refused_full_view_is_an_error_where_the_basic_one_is_not_enough() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.refuses_full_view = Some(Refusal::NotInProduct));
        let strict = build(config(sim.url()).with_fall_back_to_basic(false));
        let read = read(&strict, with_birth_date()).await;
        assert_eq!(read.error().kind(), ErrorKind::Forbidden);
    });
}

#[test]
fn a_view_that_is_refused_in_mid_run_ends_the_reading() {
    run(async {
        let sim = TriNetSim::start(plain_population(250)).await;
        sim.faults().add(TriNetSim::on_offset(Fault::status(403).always(), 101));
        let read = read(&connector(&sim), with_birth_date()).await;
        assert_eq!(read.error().kind(), ErrorKind::Forbidden);
        assert_eq!(read.employees.len(), 100);
    });
}

#[test]
fn a_fault_of_the_full_view_is_no_refusal() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.faults().add(Fault::status(500).times(2).on_path(EMPLOYEES));
        let read = read(&connector(&sim), with_birth_date()).await;
        assert!(read.employees.iter().all(|employee| employee.birth_date.value().is_some()));
        assert_eq!(views(&sim), vec![Some("All".to_owned()); 3]);
    });
}

#[test]
fn a_date_of_birth_is_found_in_each_place_that_is_known_or_configured() {
    run(async {
        for place in [BirthPlace::BioInfo, BirthPlace::BiographicalInfo, BirthPlace::Elsewhere] {
            let people = plain_population(30);
            let sim = TriNetSim::start(people.clone()).await;
            sim.behave(|vendor| vendor.birth_date = place);
            let config = match place {
                BirthPlace::Elsewhere => config(sim.url()).with_birth_date_path("personalInfo.dob"),
                _ => config(sim.url()),
            };
            let read = read(&build(config), with_birth_date()).await;
            for (position, person) in people.people().iter().enumerate() {
                let birth = read.person(position).birth_date.value().and_then(|birth| birth.date());
                assert_eq!(birth, person.birth_date, "{place:?}");
            }
            assert!(read.receipt().warnings.is_empty(), "{}", read.warnings());
        }
    });
}

#[test]
fn dates_of_birth_that_stand_nowhere_are_told_once() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.behave(|vendor| vendor.birth_date = BirthPlace::Elsewhere);
        let read = read(&connector(&sim), with_birth_date()).await;
        assert!(read.employees.iter().all(|employee| employee.birth_date.is_absent()));
        assert!(read.warnings().contains("`birth_date_path`"), "{}", read.warnings());
    });
}

#[test]
fn dates_are_the_same_in_whatever_form_they_are_written() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let fields: FieldSet = [EmployeeField::BirthDate, EmployeeField::StartDate, EmployeeField::EndDate]
            .into_iter()
            .collect();
        let iso = read(&connector(&sim), fields.clone()).await;
        for style in
            [DateStyle::Instant, DateStyle::Offset, DateStyle::American, DateStyle::Epoch, DateStyle::Mixed]
        {
            sim.behave(|vendor| vendor.dates = style);
            let read = read(&connector(&sim), fields.clone()).await;
            assert!(read.employees == iso.employees, "{style:?}");
        }
    });
}
