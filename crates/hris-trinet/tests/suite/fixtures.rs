//! Answers in the shape of the vendor's samples, with invented people, and the employees that they become.

use chrono::NaiveDate;
use hris_core::{BirthDate, Employee, EmploymentStatus, Field, FieldSet, ManagerRef, SourceField, Value};
use hris_testkit::{FaultServer, Reply, run};
use hris_trinet::{TriNetConfig, TriNetConnector};

use crate::setup::{Read, basic_fields, build, config, read};

async fn server(answers: &[&str]) -> (FaultServer, TriNetConnector) {
    let token = include_str!("../fixtures/token.json");
    let answers = [token].into_iter().chain(answers.iter().copied());
    let server = FaultServer::start(answers.map(Reply::json)).await;
    let connector = build(config(&server.url()).with_page_size(3));
    (server, connector)
}

fn text(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

fn day(text: &str) -> Field<NaiveDate> {
    Field::Value(text.parse().unwrap())
}

fn manager(id: &str) -> Field<ManagerRef> {
    Field::Value(ManagerRef::Record(id.into()))
}

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    for name in ["alternateId", "customGroupA", "customGroupB", "jobCode", "regularTemporary"] {
        fields.insert(SourceField::Custom(name.into()));
    }
    fields
}

#[test]
fn two_pages_of_the_basic_view_become_canonical_employees() {
    run(async {
        let pages = [
            include_str!("../fixtures/employees_first_page.json"),
            include_str!("../fixtures/employees_second_page.json"),
        ];
        let (server, connector) = server(&pages).await;
        let read = read(&connector, basic_fields()).await;
        assert!(read.receipt().absence.ground().is_usable(), "{}", read.absence_refusal());
        assert_eq!(server.requests()[2].query("offset"), Some("4"));

        let mut margaret = Employee::new("00001000101", EmploymentStatus::Active);
        margaret.employee_id = Field::Value("00001000101".into());
        margaret.first_name = text("Margaret");
        margaret.last_name = text("Okafor");
        margaret.work_email = text("margaret.okafor@acme.example");
        margaret.start_date = day("2019-03-04");
        margaret.end_date = Field::Null;
        margaret.department = text("Operations");
        margaret.location = text("Oakland HQ");
        margaret.job_title = text("Head of Operations");
        margaret.manager = manager("00001000100");
        assert!(read.employees[0] == margaret);

        let status =
            |index: usize| (read.employees[index].status.clone(), read.employees[index].suppress_contact);
        assert_eq!(status(1), (EmploymentStatus::OnLeave, false));
        assert_eq!(status(2), (EmploymentStatus::Inactive, false));
        assert_eq!(read.employees[2].end_date, day("2025-10-31"));
        assert_eq!(status(3), (EmploymentStatus::Active, false));
        assert!(read.employees[3].work_email.is_absent(), "the key is not there");
        assert_eq!(status(4), (EmploymentStatus::Inactive, true), "deceased");
    });
}

/// One employee of the full view, with everything wanted that the row has.
async fn full_view(config: impl FnOnce(TriNetConfig) -> TriNetConfig) -> Read {
    let token = include_str!("../fixtures/token.json");
    let answers = [
        token,
        include_str!("../fixtures/org_details.json"),
        include_str!("../fixtures/employees_full_view.json"),
    ];
    let server = FaultServer::start(answers.map(Reply::json)).await;
    read(&build(config(crate::setup::config(&server.url()))), everything()).await
}

#[test]
fn an_employee_of_the_full_view_has_a_date_of_birth_and_nothing_that_nobody_needs() {
    run(async {
        let read = full_view(|config| config).await;
        let mut margaret = Employee::new("00001000101", EmploymentStatus::Active);
        margaret.employee_id = Field::Value("00001000101".into());
        margaret.first_name = text("Margaret");
        margaret.middle_name = text("Ada");
        margaret.last_name = text("Okafor");
        margaret.preferred_name = text("Maggie");
        margaret.work_email = text("margaret.okafor@acme.example");
        margaret.phone = text("555-0199");
        margaret.start_date = day("2019-03-04");
        margaret.end_date = Field::Null;
        margaret.birth_date = Field::Value(BirthDate::from(NaiveDate::from_ymd_opt(1984, 2, 29).unwrap()));
        margaret.gender = text("F");
        margaret.department = text("Operations");
        margaret.location = text("Oakland HQ");
        margaret.country = text("US");
        margaret.job_title = text("Head of Operations");
        margaret.company = text("Acme Example Co");
        margaret.employment_type = text("F");
        margaret.time_zone = text("America/Los_Angeles");
        margaret.manager = manager("00001000100");
        margaret.custom.insert("alternateId".into(), Field::Value(Value::from("E-1001")));
        margaret.custom.insert("jobCode".into(), Field::Value(Value::from("OPS900")));
        margaret.custom.insert("regularTemporary".into(), Field::Value(Value::from("R")));
        assert!(read.employees == [margaret]);
        assert!(read.receipt().warnings.is_empty(), "{}", read.warnings());
    });
}

#[test]
fn preferred_names_take_the_place_of_legal_ones_by_choice_and_fall_back_on_them() {
    run(async {
        let read = full_view(|config| config.with_preferred_names(true)).await;
        let margaret = &read.employees[0];
        assert_eq!(margaret.first_name, text("Maggie"));
        assert_eq!(margaret.middle_name, text("Ada"), "she has no preferred one");
    });
}

#[test]
fn the_older_template_is_the_same_person_with_names_from_the_lists() {
    run(async {
        let answers = [
            include_str!("../fixtures/employees_flat.json"),
            include_str!("../fixtures/departments.json"),
            include_str!("../fixtures/locations.json"),
        ];
        let (server, connector) = server(&answers).await;
        let mut fields = basic_fields();
        for name in ["customGroupA", "customGroupB", "regularTemporary"] {
            fields.insert(SourceField::Custom(name.into()));
        }
        let read = read(&connector, fields).await;
        let tomas = &read.employees[0];
        assert_eq!((&tomas.department, &tomas.location), (&text("Customer Support"), &text("Austin")));
        assert_eq!(tomas.manager, manager("00001000101"));
        let own = |name: &str| tomas.custom[name].clone();
        assert_eq!(own("customGroupA"), Field::Value(Value::from("West")));
        assert_eq!(own("customGroupB"), Field::Null);
        assert_eq!(own("regularTemporary"), Field::Value(Value::from("regular")));
        assert_eq!(server.request_count(), 4);
    });
}

#[test]
fn odd_rows_are_used_as_far_as_they_can_be_read() {
    run(async {
        let (_server, connector) = server(&[include_str!("../fixtures/employees_odd.json")]).await;
        let mut fields = basic_fields();
        fields.insert(hris_core::EmployeeField::WorkPhone);
        let read = read(&connector, fields).await;
        let problems = |index: usize| -> Vec<String> {
            let problems = read.employees[index].problems.iter();
            problems.map(|problem| problem.field.to_string()).collect()
        };
        // The documentation's misspelt keys, and of two primary names the one that took effect last.
        let misspelt = &read.employees[0];
        assert_eq!(misspelt.location, text("Austin"));
        assert_eq!(misspelt.last_name, text("Reyes-Quintero"), "the newest that is in effect");
        assert_eq!(misspelt.start_date, day("2020-02-03"), "where there is no service date");
        assert!(problems(0).is_empty());
        // A number where text was promised, and other things of the wrong type.
        let wrong = &read.employees[1];
        assert_eq!(wrong.record.as_str(), "1000103");
        assert_eq!(
            problems(1),
            ["first_name", "work_email", "work_phone", "start_date", "department", "location", "manager"]
        );
        assert_eq!(wrong.last_name, text("Hartmann"), "the rest of the row was used");
        assert!(wrong.department.is_absent() && wrong.manager.is_absent());
        // Things that are no objects and no lists.
        assert_eq!(read.employees[2].status, EmploymentStatus::Unknown(None));
        assert_eq!(problems(2), ["status", "first_name", "last_name"]);
        // No name at all, no status and nothing said of the rest.
        let bare = &read.employees[3];
        assert_eq!((&bare.first_name, &bare.status), (&Field::Null, &EmploymentStatus::Unknown(None)));
        assert!(bare.work_email.is_absent() && problems(3).is_empty());
        assert_eq!(read.rejected.len(), 2);
        assert_eq!(read.rejected[0].field.as_deref(), Some("data.employeeData[4].employeeId"));
        assert_eq!(read.rejected[1].field.as_deref(), Some("data.employeeData[5]"));
    });
}
