//! Answers in the shape of recorded ones, with invented people, and the employees that they become.

use chrono::NaiveDate;
use hris_core::{
    Employee, EmploymentStatus, ErrorKind, Field, FieldSet, HrisConnector as _, ManagerRef, SourceField,
    Value,
};
use hris_peoplehr::PeopleHrConnector;
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{COMPANY, build, config, few_fields, read};

const CURRENT_STAFF: &str = include_str!("../fixtures/current_staff.json");
const LISTING: &str = include_str!("../fixtures/listing.json");

async fn server(answers: &[&str]) -> (FaultServer, PeopleHrConnector) {
    let answers = [COMPANY].into_iter().chain(answers.iter().copied());
    let server = FaultServer::start(answers.map(Reply::json)).await;
    let connector = build(config(&server.url()));
    (server, connector)
}

fn text(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    for name in
        ["APIColumn1", "AnalysisCode1LabelText", "BenefitsID", "PayrollID", "System1ID", "ReasonForLeaving"]
    {
        fields.insert(SourceField::Custom(name.into()));
    }
    fields
}

fn imogen() -> Employee {
    let mut imogen = Employee::new("aaaaaaaa-0001-4000-8000-000000000101", EmploymentStatus::Active);
    imogen.employee_id = Field::Value("BF101".into());
    imogen.first_name = text("Imogen");
    imogen.middle_name = Field::Null;
    imogen.last_name = text("Okafor-Lyle");
    imogen.preferred_name = text("Immy");
    imogen.work_email = text("imogen.okafor@bramblefinch.example");
    imogen.personal_email = text("immy@home.example");
    imogen.phone = text("07700 900123");
    imogen.work_phone = Field::Null;
    imogen.start_date = Field::Value(day("2019-03-04"));
    imogen.end_date = Field::Null;
    imogen.birth_date = Field::Value(day("1988-11-21").into());
    imogen.gender = text("Female");
    imogen.department = text("Finance");
    imogen.location = text("Leeds");
    imogen.country = text("United Kingdom");
    imogen.job_title = text("Finance Manager");
    imogen.company = text("Bramble & Finch Ltd");
    imogen.employment_type = text("Full Time");
    imogen.manager = Field::Value(ManagerRef::EmployeeId("BF001".into()));
    for (name, value) in [
        ("APIColumn1", None),
        ("AnalysisCode1LabelText", Some("CC-410")),
        ("BenefitsID", Some("RW-55-101")),
        ("PayrollID", Some("000417")),
        ("System1ID", None),
        ("ReasonForLeaving", None),
    ] {
        imogen.custom.insert(name.into(), Field::from_option(value.map(Value::from)));
    }
    imogen
}

#[test]
fn two_listings_become_canonical_employees() {
    run(async {
        let (_server, connector) = server(&[CURRENT_STAFF, LISTING]).await;
        let read = read(&connector, everything()).await;
        assert_eq!((read.receipt().distinct, read.absence_refusal()), (3, String::new()));
        assert!(read.employees[0] == imogen());
        let dafydd = &read.employees[1];
        assert_eq!(dafydd.status, EmploymentStatus::Active, "a future leaver");
        assert_eq!(dafydd.end_date, Field::Value(day("2031-12-31")));
        assert_eq!(dafydd.work_email, text("Dafydd.Penhallow@BrambleFinch.example"));
        assert!(dafydd.job_title.is_absent(), "the key is not there");
        let priya = &read.employees[2];
        assert_eq!(priya.status, EmploymentStatus::Inactive);
        assert_eq!((priya.employee_id.value().unwrap().as_str(), &priya.work_email), ("0099", &Field::Null));
        assert_eq!(priya.custom["ReasonForLeaving"], Field::Value(Value::from("Resignation")));
    });
}

#[test]
fn a_single_person_with_histories_is_the_same_without_them() {
    run(async {
        let by_id = include_str!("../fixtures/by_id.json");
        let mut row: serde_json::Value = serde_json::from_str(by_id).unwrap();
        row["Result"]["UniqueKey"] = "u-1".into();
        let (_server, connector) = server(&[&row.to_string()]).await;
        let who = hris_core::EmployeeRef { record: "u-1".into(), employee_id: Some("BF101".into()) };
        let hris_core::Lookup::Found(employee) = connector.employee(&who, &everything()).await.unwrap()
        else {
            panic!("the person is there")
        };
        assert_eq!(employee.last_name, text("Okafor-Lyle"));
        assert_eq!(employee.job_title, text("Finance Manager"));
        assert_eq!((&employee.end_date, &employee.status), (&Field::Null, &EmploymentStatus::Active));
    });
}

#[test]
fn forms_of_other_years_and_values_of_other_types_are_read_as_far_as_they_go() {
    run(async {
        let odd = include_str!("../fixtures/odd_forms.json");
        let (_server, connector) = server(&[odd, odd]).await;
        let read = read(&connector, everything()).await;
        assert_eq!(read.receipt().distinct, 2);
        let ada = read.person("u-1");
        assert_eq!((&ada.first_name, &ada.last_name), (&text("Ada"), &text("Bright")));
        assert_eq!((&ada.preferred_name, &ada.work_email), (&Field::Null, &Field::Null));
        assert_eq!((&ada.location, &ada.department), (&Field::Null, &Field::Null));
        assert_eq!(ada.start_date, Field::Value(day("2019-03-04")));
        assert!(ada.phone.is_absent() && ada.problems.is_empty());
        let other = read.person("u-2");
        assert_eq!(other.employee_id, Field::Value("417".into()));
        assert_eq!(other.status, EmploymentStatus::Active, "a number is a code too");
        assert_eq!(other.gender, text("Prefer to self-describe"));
        let problems: Vec<_> = other.problems.iter().map(|problem| problem.field.to_string()).collect();
        assert_eq!(problems, ["first_name", "start_date", "birth_date"]);
        let places: Vec<_> = read.rejected.iter().map(|row| row.field.as_deref().unwrap()).collect();
        assert_eq!(places, ["Result[2]", "Result[3]", "Result[4]"]);
        assert!(read.absence_refusal().contains("3 rows had no readable record id"));
    });
}

#[test]
fn every_documented_failure_is_an_error_of_its_kind_and_never_a_directory() {
    run(async {
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../fixtures/failures.json")).unwrap();
        for case in &cases {
            let kind = match case["case"].as_str().unwrap() {
                "malformed key" | "unknown/revoked key" => ErrorKind::Unauthorized,
                "permission missing" => ErrorKind::Forbidden,
                "unknown id" => ErrorKind::NotFound,
                "wrong action" => ErrorKind::Protocol,
                "bad flag" => ErrorKind::Invalid,
                "no rows" | "holiday, no rows" => ErrorKind::Incomplete,
                "vendor fault" | "query busy as row" | "query busy as error" => ErrorKind::Unavailable,
                "throttled, silent" | "throttled, flagged" => ErrorKind::RateLimited,
                other => panic!("say what {other} is"),
            };
            let body = case["body"].to_string();
            let (_server, connector) = server(&[&*body; 5]).await;
            let read = read(&connector, few_fields()).await;
            assert_eq!(read.error().kind(), kind, "{case}");
            assert!(read.employees.is_empty() && read.rejected.is_empty(), "{case}");
        }
    });
}
