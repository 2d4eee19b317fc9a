//! Only what a query wants is asked for, decoded and kept.

use hris_core::{EmployeeField, FieldSet, FieldSource as _, SourceField};
use hris_merge::sim::MergeSim;
use hris_testkit::run;

use crate::setup::{ACCOUNT, EMPLOYEES, SYNC_STATUS, connector, only, plain_population, read};

/// The values of `expand` that are sent when these fields are wanted.
async fn expanded(fields: FieldSet) -> Vec<String> {
    let sim = MergeSim::start(plain_population(5)).await;
    read(&connector(&sim), fields).await.receipt();
    let requests = sim.requests_for(EMPLOYEES);
    requests.iter().flat_map(|request| request.query_all("expand").map(str::to_owned)).collect()
}

#[test]
fn relations_are_asked_for_in_one_value_and_only_if_their_fields_are_wanted() {
    run(async {
        use EmployeeField::{Company, Country, Department, JobTitle, Location, Manager, WorkEmail};
        for (field, relation) in [
            (Company, "company"),
            (JobTitle, "employments"),
            (EmployeeField::EmploymentType, "employments"),
            (Department, "groups"),
            (Manager, "manager"),
            (Location, "work_location"),
            (Country, "work_location"),
        ] {
            assert_eq!(expanded(only(field)).await, [relation], "{field:?}");
        }
        assert!(expanded(only(WorkEmail)).await.is_empty());
        assert!(expanded(FieldSet::default()).await.is_empty());
        let all = expanded(FieldSet::all_canonical()).await;
        assert_eq!(all, ["company,employments,groups,manager,work_location"]);
    });
}

#[test]
fn a_field_that_is_not_wanted_is_absent_whatever_the_row_has() {
    run(async {
        let sim = MergeSim::start(plain_population(5)).await;
        for wanted in EmployeeField::ALL {
            let read = read(&connector(&sim), only(*wanted)).await;
            for employee in &read.employees {
                let given = EmployeeField::ALL.iter().filter(|field| {
                    let always = matches!(field, EmployeeField::RecordId | EmployeeField::Status);
                    !employee.field(&SourceField::from(**field)).is_absent() && !always
                });
                let given: Vec<_> = given.collect();
                assert!(given.iter().all(|field| *field == wanted), "{wanted:?}: {given:?}");
                assert!(employee.custom.is_empty() && employee.problems.is_empty());
            }
        }
    });
}

#[test]
fn a_reading_asks_for_the_account_the_synchronisation_and_the_pages_and_nothing_else() {
    run(async {
        let sim = MergeSim::start(plain_population(130)).await;
        read(&connector(&sim), FieldSet::all_canonical()).await.receipt();
        let paths: Vec<_> = sim.requests().iter().map(|request| request.path().to_owned()).collect();
        assert_eq!(paths, [ACCOUNT, SYNC_STATUS, EMPLOYEES, EMPLOYEES, SYNC_STATUS]);
    });
}

#[test]
fn everything_but_the_cursor_stays_the_same_from_page_to_page() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        read(&connector(&sim), FieldSet::all_canonical()).await.receipt();
        let requests = sim.requests_for(EMPLOYEES);
        assert_eq!(requests.len(), 3);
        let of = |request: &hris_testkit::sim::SimRequest| {
            ["page_size", "include_deleted_data", "expand"].map(|name| request.query(name).map(str::to_owned))
        };
        assert!(requests.iter().all(|request| of(request) == of(&requests[0])));
        assert_eq!(requests[0].query("page_size"), Some("100"));
        assert_eq!(requests[0].query("include_deleted_data"), Some("true"));
        assert!(requests[0].query("cursor").is_none() && requests[2].query("cursor").is_some());
    });
}
