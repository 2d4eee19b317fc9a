//! Single people, some people, and what is not offered.

use hris_core::{
    EmployeeField, EmployeeRef, ErrorKind, Field, FieldSet, HrisConnector as _, Lookup, ManagerRef,
    ReadQuery, Scope, Watermark,
};
use hris_sesame::sim::SesameSim;
use hris_testkit::population::{DayPlan, PersonStatus};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};

use crate::setup::{EMPLOYEES, INFO, collect, connector, plain_population, population, read, row_fields};

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    fields.insert(hris_core::SourceField::Custom("cf_talla".into()));
    fields
}

#[test]
fn a_person_read_alone_is_the_same_as_in_the_listing() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let connector = connector(&sim);
        let listing = read(&connector, everything()).await;
        let sound = people.listed().filter(|person| person.malformed.is_none());
        // A row that says no status has none when it is read alone: no pass implies one.
        let sound = sound.filter(|person| person.gaps != hris_testkit::population::Gap::LeftOut);
        for person in sound.step_by(9) {
            let who = EmployeeRef::record(person.record_id.as_str());
            let Lookup::Found(alone) = connector.employee(&who, &everything()).await.unwrap() else {
                panic!("{person:?} is there");
            };
            assert!(*alone == *listing.person(&person.record_id), "{person:?}");
        }
    });
}

#[test]
fn the_joins_of_one_person_are_asked_for_that_person_only() {
    run(async {
        let people = plain_population(260);
        let person = people.active().find(|person| person.manager.is_some()).unwrap().clone();
        let sim = SesameSim::start(people).await;
        let who = EmployeeRef::record(person.record_id.as_str());
        let Lookup::Found(employee) = connector(&sim).employee(&who, &everything()).await.unwrap() else {
            panic!("the person is there");
        };
        assert_eq!(employee.department.clone().into_value(), person.department);
        assert_eq!(employee.manager, Field::Value(ManagerRef::Record(person.manager.unwrap().into())));
        let requests = sim.requests();
        let assignations = requests.iter().filter(|request| request.path().ends_with("-assignations"));
        for request in assignations {
            assert_eq!(request.query("employeeId"), Some(person.record_id.as_str()));
        }
        assert_eq!(requests.iter().filter(|request| request.path() == INFO).count(), 1);
    });
}

#[test]
fn who_was_deleted_or_never_there_is_not_found() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        let gone = sim.next_day(&DayPlan { vanished: 1, ..DayPlan::quiet() }).vanished.remove(0);
        let connector = connector(&sim);
        for id in [gone.as_str(), "nobody", "../info", "a/b?c"] {
            let lookup = connector.employee(&EmployeeRef::record(id), &row_fields()).await.unwrap();
            assert_eq!(lookup, Lookup::NotFound, "{id}");
        }
        let paths = sim.paths(EMPLOYEES);
        assert!(paths.contains(&format!("{EMPLOYEES}/..%2Finfo")), "{paths:?}");
    });
}

#[test]
fn who_left_is_found_as_inactive() {
    run(async {
        let people = plain_population(60);
        let leaver = people.listed().find(|person| person.status == PersonStatus::Inactive).unwrap();
        let sim = SesameSim::start(people.clone()).await;
        let who = EmployeeRef::record(leaver.record_id.as_str());
        let Lookup::Found(employee) = connector(&sim).employee(&who, &row_fields()).await.unwrap() else {
            panic!("the person is there");
        };
        assert_eq!(employee.status, hris_core::EmploymentStatus::Inactive);
    });
}

#[test]
fn a_blank_id_is_refused_before_it_could_list_everybody() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let error = connector(&sim).employee(&EmployeeRef::record(""), &row_fields()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(sim.paths("/"), [INFO]);
    });
}

#[test]
fn an_answer_about_somebody_else_is_an_error() {
    run(async {
        let people = plain_population(30);
        let sim = SesameSim::start(people.clone()).await;
        let other = serde_json::json!({ "data": { "id": people.people()[1].record_id, "status": "active" } });
        let path = format!("{EMPLOYEES}/{}", people.people()[0].record_id);
        sim.faults().add(Fault::Answer(SimResponse::json(200, &other)).always().on_path(path));
        let who = EmployeeRef::record(people.people()[0].record_id.as_str());
        let error = connector(&sim).employee(&who, &row_fields()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}

#[test]
fn a_failure_is_an_error_and_not_a_missing_person() {
    run(async {
        let people = plain_population(3);
        let sim = SesameSim::start(people.clone()).await;
        let who = EmployeeRef::record(people.people()[0].record_id.as_str());
        let connector = connector(&sim);
        connector.check().await.unwrap();
        for (status, kind) in [(500, ErrorKind::Unavailable), (403, ErrorKind::Forbidden)] {
            sim.faults().add(Fault::status(status).always());
            assert_eq!(connector.employee(&who, &row_fields()).await.unwrap_err().kind(), kind);
            sim.faults().clear();
        }
    });
}

#[test]
fn some_people_are_read_one_by_one_and_prove_nothing_about_others() {
    run(async {
        let people = plain_population(60);
        let sim = SesameSim::start(people.clone()).await;
        let mut wanted: Vec<_> = people
            .people()
            .iter()
            .take(11)
            .map(|person| EmployeeRef::record(person.record_id.as_str()))
            .collect();
        wanted.push(EmployeeRef::record("nobody"));
        wanted.push(wanted[0].clone());
        let read = collect(&connector(&sim), ReadQuery::scoped(Scope::People(wanted), row_fields())).await;
        assert_eq!(read.employees.len(), 12);
        let receipt = read.receipt();
        assert_eq!((receipt.full, receipt.distinct), (false, 11));
        assert!(receipt.status.is_usable() && !receipt.absence.ground().is_usable());
    });
}

#[test]
fn only_the_changed_cannot_be_listed_and_nothing_is_sent() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let since = Watermark::at("2026-03-01T00:00:00Z".parse().unwrap());
        let read =
            collect(&connector(&sim), ReadQuery::scoped(Scope::ChangedSince(since), row_fields())).await;
        assert_eq!(read.error().kind(), ErrorKind::Unsupported);
        assert!(sim.requests().is_empty());
    });
}

#[test]
fn everyone_else_is_left_alone_when_a_date_is_wanted_for_one() {
    run(async {
        let people = plain_population(60);
        let person = people.active().next().unwrap().clone();
        let sim = SesameSim::start(people).await;
        let fields = [EmployeeField::StartDate].into_iter().collect();
        let who = EmployeeRef::record(person.record_id.as_str());
        let Lookup::Found(employee) = connector(&sim).employee(&who, &fields).await.unwrap() else {
            panic!("the person is there");
        };
        assert_eq!(employee.start_date, Field::from_option(person.original_start_date));
        assert_eq!(sim.requests().len(), 3, "the check, the person and the contracts");
    });
}
