//! Single people, some people, and what the HR system itself said.

use hris_core::{EmployeeRef, EmploymentStatus, ErrorKind, HrisConnector as _, Lookup, ReadQuery, Scope};
use hris_merge::sim::MergeSim;
use hris_merge::{MergeConnector, RecordIdSource};
use hris_testkit::population::{DayPlan, PersonStatus};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};

use crate::setup::{
    EMPLOYEES, build, collect, config, connector, everything, plain_population, population, read, refusal,
    row_fields,
};

type IdOf = fn(&str) -> String;

/// A connector for each kind of record id, and the id by which it knows a person.
fn both(sim: &MergeSim) -> [(MergeConnector, IdOf); 2] {
    let by_merge = build(config(sim.url()).with_record_id(RecordIdSource::MergeId), sim);
    [(connector(sim), |id| id.to_owned()), (by_merge, MergeSim::merge_id)]
}

#[test]
fn a_person_read_alone_is_the_same_as_in_the_listing() {
    run(async {
        let people = population();
        let sim = MergeSim::start(people.clone()).await;
        for (connector, id_of) in both(&sim) {
            let listing = read(&connector, everything()).await;
            for person in people.listed().filter(|person| person.malformed.is_none()).step_by(13) {
                let id = id_of(&person.record_id);
                let who = EmployeeRef::record(id.as_str());
                let Lookup::Found(alone) = connector.employee(&who, &everything()).await.unwrap() else {
                    panic!("{person:?} is there");
                };
                assert!(*alone == *listing.person(&id), "{person:?}");
            }
        }
    });
}

#[test]
fn who_was_deleted_ignored_or_never_there_is_told_apart() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        let gone = sim.next_day(&DayPlan { vanished: 1, ..DayPlan::quiet() }).vanished.remove(0);
        let erased = sim.people().active().next().unwrap().record_id.clone();
        sim.ignore(&erased);
        for (connector, id_of) in both(&sim) {
            let look =
                async |id: &str| connector.employee(&EmployeeRef::record(id), &row_fields()).await.unwrap();
            assert_eq!(look(&id_of(&gone)).await, Lookup::Deleted);
            for nobody in ["nobody", "../account-details", "a/b?c"] {
                assert_eq!(look(nobody).await, Lookup::NotFound, "{nobody}");
            }
        }
        let by_merge = &both(&sim)[1].0;
        let who = EmployeeRef::record(MergeSim::merge_id(&erased).as_str());
        assert_eq!(by_merge.employee(&who, &row_fields()).await.unwrap(), Lookup::Erased);
    });
}

#[test]
fn who_left_is_found_as_inactive() {
    run(async {
        let people = plain_population(60);
        let leaver = people.listed().find(|person| person.status == PersonStatus::Inactive).unwrap();
        let sim = MergeSim::start(people.clone()).await;
        let who = EmployeeRef::record(leaver.record_id.as_str());
        let Lookup::Found(employee) = connector(&sim).employee(&who, &row_fields()).await.unwrap() else {
            panic!("the person is there");
        };
        assert_eq!(employee.status, EmploymentStatus::Inactive);
    });
}

#[test]
fn a_record_made_anew_under_the_id_of_a_deleted_one_is_found() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let rows = serde_json::json!({ "next": null, "results": [
            { "id": "m1", "remote_id": "r1", "employment_status": "ACTIVE", "first_name": "Old",
              "modified_at": "2026-03-02T05:00:00Z", "remote_was_deleted": true },
            { "id": "m2", "remote_id": "r1", "employment_status": "PENDING", "first_name": "New",
              "modified_at": "2026-03-01T05:00:00Z", "remote_was_deleted": false },
        ] });
        sim.faults().add(Fault::Answer(SimResponse::json(200, &rows)).always().on_path(EMPLOYEES));
        let found = connector(&sim).employee(&EmployeeRef::record("r1"), &row_fields()).await.unwrap();
        let Lookup::Found(employee) = found else { panic!("{found:?}") };
        assert_eq!(employee.status, EmploymentStatus::Pending);
    });
}

#[test]
fn a_blank_id_is_refused_before_it_could_list_everybody() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        for (connector, _) in both(&sim) {
            for blank in ["", " "] {
                let who = EmployeeRef::record(blank);
                let error = connector.employee(&who, &row_fields()).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid);
                assert_eq!(connector.remote_data(&who).await.unwrap_err().kind(), ErrorKind::Invalid);
            }
        }
        assert!(sim.requests_for(EMPLOYEES).is_empty());
    });
}

#[test]
fn an_answer_about_somebody_else_is_an_error() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        let row = serde_json::json!({ "id": "m", "remote_id": "another", "first_name": "Other" });
        let page = serde_json::json!({ "next": null, "results": [row] });
        for ((connector, _), body) in both(&sim).iter().zip([page, row]) {
            let fault = Fault::Answer(SimResponse::json(200, &body)).always();
            sim.faults().add(fault.on(|request| request.path().starts_with(EMPLOYEES)));
            let error = connector.employee(&EmployeeRef::record("r1"), &row_fields()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            sim.faults().clear();
        }
    });
}

#[test]
fn a_failure_is_an_error_and_not_a_missing_person() {
    run(async {
        let people = plain_population(3);
        let sim = MergeSim::start(people.clone()).await;
        let who = EmployeeRef::record(people.people()[0].record_id.as_str());
        let connector = connector(&sim);
        connector.check().await.unwrap();
        for (status, kind) in
            [(500, ErrorKind::Unavailable), (403, ErrorKind::Forbidden), (404, ErrorKind::NotFound)]
        {
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
        let sim = MergeSim::start(people.clone()).await;
        let gone = sim.next_day(&DayPlan { vanished: 1, ..DayPlan::quiet() }).vanished.remove(0);
        let present = people.people().iter().filter(|person| person.record_id != gone).take(11);
        let mut wanted: Vec<_> =
            present.map(|person| EmployeeRef::record(person.record_id.as_str())).collect();
        wanted.push(EmployeeRef::record("nobody"));
        wanted.push(EmployeeRef::record(gone.as_str()));
        wanted.push(wanted[0].clone());
        let read = collect(&connector(&sim), ReadQuery::scoped(Scope::People(wanted), row_fields())).await;
        assert_eq!((read.employees.len(), read.deleted.len()), (12, 1));
        let receipt = read.receipt();
        assert_eq!((receipt.full, receipt.distinct), (false, 11));
        assert!(receipt.status.is_usable() && receipt.watermark.is_none());
        assert!(refusal(receipt.absence.ground()).contains("only some people"));
    });
}

#[test]
fn some_people_of_a_stale_account_may_be_updated_but_not_removed() {
    run(async {
        let people = plain_population(10);
        let sim = MergeSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.account_status = "RELINK_NEEDED".to_owned());
        let wanted = vec![EmployeeRef::record(people.people()[0].record_id.as_str())];
        let read = collect(&connector(&sim), ReadQuery::scoped(Scope::People(wanted), row_fields())).await;
        assert_eq!(read.employees.len(), 1);
        assert!(!read.receipt().status.is_usable());
    });
}

#[test]
fn what_the_hr_system_said_is_got_on_purpose_and_never_in_a_reading() {
    run(async {
        let people = plain_population(10);
        let sim = MergeSim::start(people.clone()).await;
        let id = people.people()[0].record_id.as_str();
        for (connector, id_of) in both(&sim) {
            let known = id_of(id);
            let remote = connector.remote_data(&EmployeeRef::record(known.as_str())).await.unwrap();
            assert_eq!(remote.len(), 1);
            assert_eq!(remote[0].expose_path(), "/people");
            assert_eq!(remote[0].expose_at("/badge"), Some(format!("badge-{id}")));
            assert!(!format!("{remote:?}").contains("badge"));
            let error = connector.remote_data(&EmployeeRef::record("nobody")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        let before = sim.requests().len();
        read(&connector(&sim), everything()).await.receipt();
        let later = &sim.requests()[before..];
        assert!(later.iter().all(|request| request.query("include_remote_data").is_none()));
        assert!(later.iter().all(|request| request.query("include_sensitive_fields").is_none()));
    });
}
