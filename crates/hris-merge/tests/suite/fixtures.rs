//! Answers in the shape of the vendor's samples, with invented people, and the employees that they become.

use hris_core::{
    BirthDate, Employee, EmployeeRef, EmploymentStatus, Field, FieldSet, HrisConnector as _, Lookup,
    SourceField, Value,
};
use hris_merge::{MergeConnector, MergeCredentials, RecordIdSource};
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{clock, config, read, row_fields, transport};

const OTTOLINE: &str = "0c9485c8-cc62-4ffa-9205-a56f81c0eb74";

async fn server(answers: &[&str], source: RecordIdSource) -> (FaultServer, MergeConnector) {
    let server = FaultServer::start(answers.iter().map(|answer| Reply::json(*answer))).await;
    let credentials = MergeCredentials::new("k".into(), "t".into());
    let config = config(&server.url()).with_record_id(source);
    let connector = config.build(&credentials, &transport(&clock())).unwrap();
    (server, connector)
}

fn text(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

fn date(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_vendors_page_of_five_becomes_four_people_and_a_deleted_record() {
    run(async {
        let answers = [
            include_str!("../fixtures/account.json"),
            include_str!("../fixtures/sync_status.json"),
            include_str!("../fixtures/employees.json"),
            include_str!("../fixtures/employees_last.json"),
            include_str!("../fixtures/sync_status.json"),
        ];
        let (server, connector) = server(&answers, RecordIdSource::RemoteId).await;
        let read = read(&connector, row_fields()).await;
        assert!(read.receipt().absence.ground().is_usable(), "{}", read.absence_refusal());
        let cursor = "cD0yMDI2LTA5LTE0KzA0JTNBMDIlM0ExMC41NTE5MzclMkIwMCUzQTAw";
        assert_eq!(server.requests()[3].query("cursor"), Some(cursor));

        let mut balthasar = Employee::new("PHR-20101", EmploymentStatus::Active);
        balthasar.modified_at = Some("2026-08-30T04:01:00Z".parse().unwrap());
        balthasar.employee_id = Field::Value("20101".into());
        balthasar.first_name = text("Balthasar");
        balthasar.last_name = text("Quill");
        balthasar.work_email = text("balthasar.quill@lumenfable.example");
        balthasar.personal_email = Field::Null;
        balthasar.phone = Field::Null;
        balthasar.birth_date = Field::Value(BirthDate::from(date("1979-12-31")));
        balthasar.start_date = Field::Value(date("2016-09-21"));
        balthasar.end_date = Field::Value(date("2026-12-31"));
        assert!(read.employees[0] == balthasar);

        let statuses: Vec<_> = read.employees.iter().map(|employee| employee.status.clone()).collect();
        let career_break = EmploymentStatus::Unknown(Some("Career Break".to_owned()));
        assert_eq!(
            statuses,
            [EmploymentStatus::Active, EmploymentStatus::Pending, EmploymentStatus::Inactive, career_break]
        );
        assert_eq!(read.employees[1].employee_id, Field::Null);
        assert_eq!(read.employees[2].employee_id, Field::Absent, "a key that is not there clears nothing");
        assert_eq!(read.employees[2].end_date, Field::Value(date("2026-09-09")));
        assert_eq!(read.deleted, ["PHR-20390".into()], "active and deleted: deleted wins");
    });
}

#[test]
fn the_vendors_employee_with_relations_becomes_one_person() {
    run(async {
        let answers =
            [include_str!("../fixtures/account.json"), include_str!("../fixtures/employee_expanded.json")];
        let (_server, connector) = server(&answers, RecordIdSource::MergeId).await;
        let mut fields = FieldSet::all_canonical();
        for name in ["rewards_opt_in", "gift_region", "nobody_mapped_this"] {
            fields.insert(SourceField::Custom(name.into()));
        }
        let found = connector.employee(&EmployeeRef::record(OTTOLINE), &fields).await.unwrap();
        let Lookup::Found(read) = found else { panic!("the person is there") };

        assert_eq!(read.status, EmploymentStatus::Active);
        assert_eq!(read.employee_id, Field::Value("20417".into()));
        assert_eq!((&read.first_name, &read.preferred_name), (&text("Ottoline"), &text("Otti")));
        assert_eq!(read.birth_date, Field::Value(BirthDate::from(date("1992-02-29"))));
        assert_eq!(read.department, text("Lantern Assembly"));
        assert_eq!((&read.location, &read.country), (&text("Kiln Yard"), &text("GB")));
        assert_eq!(read.job_title, text("Senior Glass Fitter"));
        assert_eq!(read.employment_type, text("Annualised Hours"), "a word outside the vendor's own");
        assert_eq!(read.gender, text("NON-BINARY"));
        assert_eq!(read.end_date, Field::Null);
        assert_eq!(read.manager.value().unwrap().as_str(), "4e3231a0-b3d0-4571-941e-ead7b5a0e0d5");
        assert_eq!(read.custom["rewards_opt_in"], Field::Value(Value::Bool(true)));
        assert_eq!(read.custom["gift_region"], Field::Value(Value::from("UK")));
        assert_eq!(read.custom.len(), 2);
        // The sample leaves the company an id beside relations in full.
        assert!(read.company.is_absent());
        assert_eq!(read.problems.len(), 1, "{:?}", read.problems);
    });
}
