//! Status letters, leavers and when they show.

use hris_core::{EmployeeField, EmploymentStatus, Field};
use hris_testkit::population::{Oddity, PersonStatus};
use hris_testkit::run;
use hris_trinet::sim::TriNetSim;
use hris_trinet::{Meaning, StatusRule};

use crate::setup::{basic_fields, build, config, connector, only, plain_population, population, read};

#[test]
fn leave_is_not_leaving_and_the_deceased_are_left_in_peace() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let read = read(&connector(&sim), basic_fields()).await;
        let mut letters = std::collections::BTreeSet::new();
        for employee in &read.employees {
            let position = TriNetSim::position_of(employee.record.as_str()).unwrap();
            let person = &people.people()[position];
            if person.malformed.is_some() {
                continue;
            }
            let expected = match &person.status {
                PersonStatus::Active | PersonStatus::Pending => EmploymentStatus::Active,
                PersonStatus::OnLeave => EmploymentStatus::OnLeave,
                PersonStatus::Inactive => EmploymentStatus::Inactive,
                PersonStatus::Odd(word) => EmploymentStatus::Unknown(Some(word.clone())),
            };
            assert_eq!(employee.status, expected, "{person:?}");
            let is_deceased = person.status == PersonStatus::Inactive && position % 3 == 2;
            assert_eq!(employee.suppress_contact, is_deceased, "{person:?}");
            letters.extend(employee.status_reason.clone());
        }
        let letters: Vec<_> = letters.iter().map(String::as_str).collect();
        assert_eq!(letters, ["D", "L", "P", "S", "T", "U"], "every letter was among them, and is told");
    });
}

#[test]
fn an_employer_may_count_suspension_as_leaving() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let config = config(sim.url()).with_status("S", StatusRule::new(Meaning::Left));
        let read = read(&build(config), basic_fields()).await;
        let on_leave = people.with(Oddity::OnLeave).count();
        let still = read.employees.iter().filter(|person| person.status == EmploymentStatus::OnLeave).count();
        let suspended = read.employees.iter().filter(|person| person.status_reason.as_deref() == Some("S"));
        let suspended: Vec<_> = suspended.collect();
        assert!(!suspended.is_empty() && still + suspended.len() == on_leave);
        assert!(suspended.iter().all(|person| person.status == EmploymentStatus::Inactive));
    });
}

#[test]
fn an_unknown_letter_is_neither_active_nor_a_leaver_until_it_is_configured() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let position = people.people().iter().position(|person| person.is(Oddity::UnknownStatus)).unwrap();
        let PersonStatus::Odd(word) = people.people()[position].status.clone() else {
            panic!("the person has an unknown status");
        };
        let as_it_is = read(&connector(&sim), basic_fields()).await;
        assert_eq!(as_it_is.person(position).status, EmploymentStatus::Unknown(Some(word.clone())));
        let config = config(sim.url()).with_status(word, StatusRule::new(Meaning::OnLeave));
        let configured = read(&build(config), basic_fields()).await;
        assert_eq!(configured.person(position).status, EmploymentStatus::OnLeave);
    });
}

#[test]
fn a_leaver_stays_active_until_the_final_pay_run_and_the_date_is_told_before() {
    run(async {
        let people = plain_population(100);
        let gone = |person: &hris_testkit::population::Person| person.status == PersonStatus::Inactive;
        let last_day =
            people.listed().filter(|person| gone(person)).filter_map(|person| person.end_date).max();
        let position = people.people().iter().position(|person| gone(person) && person.end_date == last_day);
        let position = position.unwrap();
        let sim = TriNetSim::start(people).await;
        sim.behave(|vendor| vendor.paid_until = last_day.unwrap().pred_opt());
        let connector = connector(&sim);
        let before = read(&connector, basic_fields()).await;
        assert_eq!(before.person(position).status, EmploymentStatus::Active, "the letter alone decides");
        assert_eq!(before.person(position).end_date, Field::from_option(last_day));
        sim.behave(|vendor| vendor.paid_until = last_day);
        let after = read(&connector, basic_fields()).await;
        assert_eq!(after.person(position).status, EmploymentStatus::Inactive);
    });
}

#[test]
fn people_are_listed_before_their_first_day_only_with_early_access() {
    run(async {
        let people = population();
        let position =
            people.people().iter().position(|person| person.status == PersonStatus::Pending).unwrap();
        let sim = TriNetSim::start(people).await;
        let connector = connector(&sim);
        let early = read(&connector, only(EmployeeField::StartDate)).await;
        assert_eq!(early.person(position).status, EmploymentStatus::Active, "TriNet has no word for it");
        assert!(early.person(position).start_date.value().unwrap().to_string().as_str() > "2026-03-02");
        sim.behave(|vendor| vendor.has_early_access = false);
        let late = read(&connector, only(EmployeeField::StartDate)).await;
        let id = TriNetSim::employee_id(position);
        assert!(late.employees.iter().all(|employee| employee.record.as_str() != id));
    });
}
