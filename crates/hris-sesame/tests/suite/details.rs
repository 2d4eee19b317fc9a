//! Contract dates and line managers: a request per person, and so as few as possible.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hris_core::{EmployeeField, EmploymentStatus, ErrorKind, Field, FieldSet, ManagerRef, rule};
use hris_sesame::sim::{ManagerAnswer, NoManager, SesameSim};
use hris_sesame::{MemoryDetailCache, SesameConnector, StartDateSource};
use hris_testkit::population::{DayPlan, Malformation, Oddity};
use hris_testkit::run;
use hris_testkit::sim::Fault;

use crate::setup::{
    CONTRACTS, MANAGERS, build, clock, config, connector, only, plain_population, population, read, token,
    transport,
};

fn dates() -> FieldSet {
    [EmployeeField::StartDate, EmployeeField::EndDate].into_iter().collect()
}

#[test]
fn start_and_end_come_from_the_contracts_of_people_who_have_not_left() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), dates()).await;
        for employee in &read.employees {
            let person = people.person(employee.record.as_str()).unwrap();
            if employee.status == EmploymentStatus::Inactive {
                assert!(employee.start_date.is_absent() && employee.end_date.is_absent());
            } else if person.malformed != Some(Malformation::StartDateNotADate) {
                assert_eq!(employee.start_date, Field::from_option(person.original_start_date), "{person:?}");
                let end = person.end_date.filter(|_| person.start_date.is_some());
                assert_eq!(employee.end_date, Field::from_option(end), "{person:?}");
            }
        }
        let asked: BTreeSet<_> = sim.paths(CONTRACTS).into_iter().collect();
        let present =
            read.employees.iter().filter(|employee| employee.status != EmploymentStatus::Inactive).count();
        assert_eq!((asked.len(), sim.paths(CONTRACTS).len()), (present, present), "one request a person");
    });
}

#[test]
fn who_came_back_started_when_seniority_counts_from() {
    run(async {
        let mut people = population();
        let changes = people.next_day(&DayPlan { returns: 2, ..DayPlan::quiet() });
        let sim = SesameSim::start(people.clone()).await;
        for source in [StartDateSource::SeniorityThenStart, StartDateSource::FirstContract] {
            let read = read(&build(config(sim.url()).with_start_date(source)), dates()).await;
            for record in &changes.returned {
                let person = people.person(record).unwrap();
                assert_ne!(person.original_start_date, person.start_date);
                assert_eq!(read.person(record).start_date, Field::from_option(person.original_start_date));
                assert_eq!(read.person(record).end_date, Field::Null, "the present contract is open");
            }
        }
    });
}

#[test]
fn a_date_that_cannot_be_read_is_a_problem_of_that_field() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), dates()).await;
        let kind = Some(Malformation::StartDateNotADate);
        let person = people.listed().find(|person| person.malformed == kind).unwrap();
        let employee = read.person(&person.record_id);
        assert!(employee.start_date.is_absent());
        assert_eq!(employee.problems[0].field, EmployeeField::StartDate.into());
        assert_eq!(employee.problems[0].rule, rule::FIELD_UNREADABLE);
    });
}

#[test]
fn a_detail_that_is_recent_enough_is_not_asked_for_again() {
    run(async {
        let sim = SesameSim::start(plain_population(40)).await;
        let clock = clock();
        let connector = config(sim.url()).build(&token(), &transport(&clock)).unwrap();
        let present = sim.people().counts().active;
        let first = read(&connector, dates()).await;
        assert_eq!(sim.paths(CONTRACTS).len(), present);
        let second = read(&connector, dates()).await;
        assert_eq!(sim.paths(CONTRACTS).len(), present, "all of them came from the cache");
        assert!(first.employees == second.employees);

        sim.next_day(&DayPlan { hires: 2, ..DayPlan::quiet() });
        read(&connector, dates()).await;
        assert_eq!(sim.paths(CONTRACTS).len(), present + 2, "only the new people");

        clock.advance(Duration::from_secs(24 * 3600));
        read(&connector, dates()).await;
        assert_eq!(sim.paths(CONTRACTS).len(), 2 * (present + 2), "after a day everybody again");
    });
}

#[test]
fn connectors_can_share_a_cache_and_do_not_mix_companies() {
    run(async {
        let sim = SesameSim::start(plain_population(20)).await;
        sim.add_company("company-b", "Otra S.L.", "token-b", plain_population(20));
        let cache = Arc::new(MemoryDetailCache::new());
        let with_cache = |token: &str| -> SesameConnector {
            let connector = config(sim.url()).build(&token.into(), &transport(&clock())).unwrap();
            connector.with_detail_cache(Arc::<MemoryDetailCache>::clone(&cache))
        };
        let present = sim.people().counts().active;
        read(&with_cache(SesameSim::TOKEN), dates()).await;
        read(&with_cache(SesameSim::TOKEN), dates()).await;
        assert_eq!(sim.paths(CONTRACTS).len(), present);
        read(&with_cache("token-b"), dates()).await;
        assert_eq!(
            sim.paths(CONTRACTS).len(),
            2 * present,
            "the same people at another company are asked for anew"
        );
    });
}

#[test]
fn contracts_that_always_fail_for_one_person_cost_that_persons_dates_only() {
    run(async {
        let people = plain_population(40);
        let unlucky = people.active().next().unwrap().record_id.clone();
        let sim = SesameSim::start(people).await;
        sim.faults().add(Fault::status(500).always().on_path(format!("{CONTRACTS}{unlucky}")));
        let read = read(&connector(&sim), dates()).await;
        for employee in read.employees.iter().filter(|employee| employee.status != EmploymentStatus::Inactive)
        {
            let failed = employee.record.as_str() == unlucky;
            assert_eq!(employee.start_date.is_absent(), failed);
            assert_eq!(employee.problems.iter().any(|problem| problem.rule == rule::JOIN_FAILED), failed);
        }
        assert_eq!(read.receipt().distinct, 40);
        let warning = &read.receipt().warnings[0];
        assert_eq!((&warning.rule, warning.field.as_deref()), (&rule::JOIN_FAILED, Some("start_date")));
        assert!(warning.message.contains("of 1 people"), "{}", warning.message);
    });
}

#[test]
fn contracts_that_fail_for_everybody_are_given_up_and_clear_nothing() {
    run(async {
        let people = plain_population(150);
        let sim = SesameSim::start(people.clone()).await;
        sim.faults().add(Fault::status(403).always().on(|request| request.path().starts_with(CONTRACTS)));
        let read = read(&connector(&sim), dates()).await;
        assert!(read.employees.iter().all(|employee| employee.start_date.is_absent()));
        let asked = sim.paths(CONTRACTS).len();
        assert!((10..40).contains(&asked), "not one request for each of {} people: {asked}", people.len());
        let failed = format!("of {} people", people.counts().active);
        assert!(read.receipt().warnings[0].message.contains(&failed), "{:?}", read.receipt().warnings);
        assert!(read.receipt().absence.ground().is_usable());
    });
}

#[test]
fn a_token_that_is_revoked_while_contracts_are_read_ends_the_reading() {
    run(async {
        let sim = SesameSim::start(plain_population(40)).await;
        sim.tokens().revoke_after(10);
        let read = read(&connector(&sim), dates()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
    });
}

#[test]
fn the_line_manager_is_found_in_every_form_of_the_answer() {
    run(async {
        for answer in
            [ManagerAnswer::Employee, ManagerAnswer::IdOnly, ManagerAnswer::Holder, ManagerAnswer::List]
        {
            let people = plain_population(30);
            let sim = SesameSim::start(people.clone()).await;
            sim.behave(|vendor| vendor.manager_answer = answer);
            let read = read(&connector(&sim), only(EmployeeField::Manager)).await;
            for employee in read.employees.iter().filter(|row| row.status != EmploymentStatus::Inactive) {
                let manager = people.person(employee.record.as_str()).unwrap().manager.clone();
                let expected = Field::from_option(manager.map(|id| ManagerRef::Record(id.into())));
                assert_eq!(employee.manager, expected, "{answer:?}");
            }
            assert!(read.receipt().warnings.is_empty());
        }
    });
}

#[test]
fn nobody_above_is_no_manager_in_whatever_way_it_is_said() {
    run(async {
        for answer in [NoManager::NotFound, NoManager::Null, NoManager::EmptyText, NoManager::EmptyList] {
            let people = plain_population(30);
            let top = people.listed().find(|person| person.manager.is_none()).unwrap().record_id.clone();
            let sim = SesameSim::start(people).await;
            sim.behave(|vendor| vendor.no_manager = answer);
            let read = read(&connector(&sim), only(EmployeeField::Manager)).await;
            assert_eq!(read.person(&top).manager, Field::Null, "{answer:?}");
            assert!(read.receipt().warnings.is_empty());
        }
    });
}

#[test]
fn managers_who_are_each_others_or_nobodys_are_delivered_as_they_are() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), only(EmployeeField::Manager)).await;
        for oddity in [Oddity::ManagerCycle, Oddity::UnknownManager] {
            for person in people.with(oddity) {
                let manager = read.person(&person.record_id).manager.clone().into_value().unwrap();
                assert_eq!(Some(manager.as_str()), person.manager.as_deref(), "{oddity:?}");
            }
        }
        assert!(!sim.paths(MANAGERS).is_empty());
    });
}

#[test]
fn zero_hours_in_the_cache_ask_every_time() {
    run(async {
        let sim = SesameSim::start(plain_population(10)).await;
        let connector = build(config(sim.url()).with_details_max_age(0));
        let present = sim.people().counts().active;
        read(&connector, dates()).await;
        read(&connector, dates()).await;
        assert_eq!(sim.paths(CONTRACTS).len(), 2 * present);
    });
}
