//! Single people: one call where that is enough, the listings where it is not.

use hris_core::{
    EmployeeField, EmployeeRef, EmploymentStatus, ErrorKind, HrisConnector as _, Lookup, ReadQuery, Scope,
};
use hris_peoplehr::RecordIdSource;
use hris_peoplehr::sim::PeopleHrSim;
use hris_testkit::population::Population;
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};

use crate::setup::{build, collect, config, connector, few_fields, only, plain_population, read};

fn reference(people: &Population, place: usize) -> EmployeeRef {
    let person = people.active().nth(place).unwrap();
    EmployeeRef {
        record: person.record_id.as_str().into(),
        employee_id: person.employee_number.as_deref().map(Into::into),
    }
}

fn found(lookup: Lookup) -> hris_core::Employee {
    match lookup {
        Lookup::Found(employee) => *employee,
        other => panic!("the person is there: {other:?}"),
    }
}

#[test]
fn one_call_tells_of_somebody_without_a_leaving_date() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let who = reference(&people, 3);
        let employee = found(connector(&sim).employee(&who, &only(EmployeeField::WorkEmail)).await.unwrap());
        assert_eq!((&employee.record, &employee.status), (&who.record, &EmploymentStatus::Active));
        assert!(employee.work_email.value().is_some() && employee.first_name.is_absent());
        assert_eq!(sim.actions(), ["GetCompanyInformation", "GetEmployeeDetailById"]);
    });
}

#[test]
fn a_leaving_date_ahead_is_held_against_the_listings() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let (at_once, soon) = (reference(&people, 3), reference(&people, 4));
        sim.mark_leaver(at_once.record.as_str(), "2026-12-31".parse().unwrap(), true);
        sim.mark_leaver(soon.record.as_str(), "2026-12-31".parse().unwrap(), false);
        let connector = connector(&sim);
        let status = async |who| found(connector.employee(who, &few_fields()).await.unwrap()).status;
        assert_eq!(status(&at_once).await, EmploymentStatus::Inactive);
        assert_eq!(status(&soon).await, EmploymentStatus::Active);
    });
}

#[test]
fn a_changed_employee_id_loses_nobody() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let (renumbered, other) = (reference(&people, 3), reference(&people, 4));
        let connector = connector(&sim);
        sim.change_employee_id(renumbered.record.as_str(), "BF203");
        let employee = found(connector.employee(&renumbered, &few_fields()).await.unwrap());
        assert_eq!(employee.employee_id.value().unwrap().as_str(), "BF203");
        assert_eq!(employee.record, renumbered.record);
        // The id of before goes to somebody else.
        let id_of_before = renumbered.employee_id.as_ref().unwrap().as_str();
        sim.change_employee_id(other.record.as_str(), id_of_before);
        let employee = found(connector.employee(&renumbered, &few_fields()).await.unwrap());
        assert_eq!(employee.record, renumbered.record);
        let without_id = EmployeeRef::record(renumbered.record.as_str());
        assert_eq!(found(connector.employee(&without_id, &few_fields()).await.unwrap()), employee);
        let read = read(&connector, few_fields()).await;
        assert_eq!(read.person(renumbered.record.as_str()).employee_id.value().unwrap().as_str(), "BF203");
    });
}

#[test]
fn a_deleted_person_and_a_stranger_are_not_found_in_either_answer_for_that() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let gone = reference(&people, 3);
        sim.delete(gone.record.as_str());
        let connector = connector(&sim);
        assert_eq!(connector.employee(&gone, &few_fields()).await.unwrap(), Lookup::NotFound);
        let body = r#"{"isError":false,"Status":10,"Message":"No record found.","Result":null}"#;
        let answer = Fault::Answer(SimResponse::raw(200, "application/json", body));
        sim.faults().add(answer.once().on(|request| !PeopleHrSim::is_listing(request)).after(1));
        assert_eq!(connector.employee(&gone, &few_fields()).await.unwrap(), Lookup::NotFound);
    });
}

#[test]
fn a_listing_of_nobody_says_nothing_about_somebody_without_an_employee_id() {
    run(async {
        let sim = PeopleHrSim::start(Population::new(7).size(0).build()).await;
        let error = connector(&sim).employee(&EmployeeRef::record("u-1"), &few_fields()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
    });
}

#[test]
fn without_unique_keys_the_employee_id_is_the_record_id_once_that_is_configured() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.has_unique_keys = false);
        let error = read(&connector(&sim), few_fields()).await.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.hint().unwrap().contains("set `record_id` to employee_id"), "{error}");
        let account = connector(&sim).check().await.unwrap();
        assert!(account.remarks.iter().any(|remark| remark.contains("record_id")), "{:?}", account.remarks);
        let connector = build(config(sim.url()).with_record_id(RecordIdSource::EmployeeId));
        let read = read(&connector, few_fields()).await;
        assert_eq!(read.receipt().record_id_kind.as_str(), "peoplehr.employee.id");
        assert_eq!(read.receipt().record_id_kind, connector.descriptor().record_id_kind);
        assert!(read.employees.iter().all(|employee| {
            employee.employee_id.value().is_some_and(|id| id.as_str() == employee.record.as_str())
        }));
        let number = reference(&people, 3).employee_id.unwrap();
        let employee =
            found(connector.employee(&EmployeeRef::record(number.as_str()), &few_fields()).await.unwrap());
        assert_eq!(employee.record.as_str(), number.as_str());
        let before = sim.requests().len();
        let stranger = EmployeeRef::record("nobody");
        assert_eq!(connector.employee(&stranger, &few_fields()).await.unwrap(), Lookup::NotFound);
        assert_eq!(sim.requests().len() - before, 2, "nobody can have another id");
    });
}

#[test]
fn some_people_are_read_with_their_statuses_and_prove_nothing_about_others() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let (one, other) = (reference(&people, 3), reference(&people, 4));
        sim.mark_leaver(other.record.as_str(), "2026-12-31".parse().unwrap(), true);
        let scope = Scope::People(vec![one.clone(), other.clone(), EmployeeRef::record("stranger")]);
        let read = collect(&connector(&sim), ReadQuery::scoped(scope, few_fields())).await;
        assert_eq!((read.employees.len(), read.receipt().distinct), (2, 2));
        assert_eq!(read.person(other.record.as_str()).status, EmploymentStatus::Inactive);
        assert!(!read.receipt().full && !read.receipt().absence.ground().is_usable());
    });
}
