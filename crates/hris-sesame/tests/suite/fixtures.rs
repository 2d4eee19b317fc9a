//! Answers in the shape of the vendor's samples, with invented people, and the employees that they become.

use hris_core::{
    BirthDate, Employee, EmployeeField, EmployeeRef, EmploymentStatus, Field, FieldSet, HrisConnector as _,
    Lookup, SourceField, Value,
};
use hris_sesame::SesameConnector;
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{clock, config, read, row_fields, token, transport};

const MARUXA: &str = "2d0e7c55-8a41-4f0b-9c3e-51b7a6f0e101";

async fn server(answers: &[&str]) -> (FaultServer, SesameConnector) {
    let server = FaultServer::start(answers.iter().map(|answer| Reply::json(*answer))).await;
    let connector =
        config(&server.url()).with_max_in_flight(1).build(&token(), &transport(&clock())).unwrap();
    (server, connector)
}

fn text(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

#[test]
fn the_quick_start_answer_without_meta_names_the_company() {
    run(async {
        let (_server, connector) = server(&[include_str!("../fixtures/info_without_meta.json")]).await;
        let account = connector.check().await.unwrap();
        assert_eq!(account.id.as_str(), "7c1f0a3d-52be-4c1b-8d0e-9f6b2a4e1d20");
        assert_eq!(account.name.as_deref(), Some("Conservas Ribamar S.A."));
    });
}

#[test]
fn a_listing_becomes_canonical_employees() {
    run(async {
        let answers = [
            include_str!("../fixtures/info.json"),
            include_str!("../fixtures/employees_active.json"),
            include_str!("../fixtures/employees_inactive.json"),
        ];
        let (_server, connector) = server(&answers).await;
        let read = read(&connector, row_fields()).await;
        assert!(read.receipt().absence.ground().is_usable());

        let mut maruxa = Employee::new(MARUXA, EmploymentStatus::Active);
        maruxa.modified_at = Some("2026-02-18T10:02:45Z".parse().unwrap());
        maruxa.employee_id = Field::Value("311".into());
        maruxa.first_name = text("Maruxa");
        maruxa.last_name = text("Castro Lema");
        maruxa.work_email = text("Maruxa.Castro@ribamar.example");
        maruxa.personal_email = Field::Null;
        maruxa.phone = text("+34 600 000 311");
        maruxa.gender = text("female");
        maruxa.birth_date =
            Field::Value(BirthDate::from(chrono::NaiveDate::from_ymd_opt(1988, 2, 29).unwrap()));
        maruxa.country = text("ES");
        maruxa.job_title = text("Jefa de línea");

        let mut inigo = Employee::new("2d0e7c55-8a41-4f0b-9c3e-51b7a6f0e102", EmploymentStatus::Active);
        inigo.modified_at = Some("2025-11-03T07:58:00Z".parse().unwrap());
        inigo.employee_id = Field::Null;
        inigo.first_name = text("Íñigo");
        inigo.last_name = text("De la Fuente Aguirre");
        inigo.work_email = Field::Null;
        inigo.phone = Field::Null;
        inigo.gender = Field::Null;
        inigo.birth_date = Field::Null;

        let mut xoan = Employee::new("2d0e7c55-8a41-4f0b-9c3e-51b7a6f0e109", EmploymentStatus::Inactive);
        xoan.modified_at = Some("2026-01-31T23:05:12Z".parse().unwrap());
        xoan.employee_id = Field::Value("0077".into());
        xoan.first_name = text("Xoán");
        xoan.last_name = text("Piñeiro Souto");
        xoan.work_email = text("xoan.pineiro@ribamar.example");
        xoan.phone = Field::Null;
        xoan.gender = text("male");
        xoan.birth_date =
            Field::Value(BirthDate::from(chrono::NaiveDate::from_ymd_opt(1979, 12, 31).unwrap()));

        assert!(read.employees == [maruxa, inigo, xoan]);
    });
}

#[test]
fn the_answer_of_2026_with_its_joins_becomes_one_employee() {
    run(async {
        let custom = r#"{"data":[{"id":"3f6a1d20-0b7e-4b1c-a5d4-7e0c9b2f4001","slug":"cf_rea","name":"Área"}],
                         "meta":{"currentPage":1,"lastPage":1,"total":1,"perPage":100}}"#;
        let answers = [
            include_str!("../fixtures/info.json"),
            include_str!("../fixtures/employee_2026.json"),
            include_str!("../fixtures/department_assignations.json"),
            custom,
            include_str!("../fixtures/contracts.json"),
        ];
        let (server, connector) = server(&answers).await;
        let known = [
            EmployeeField::LastName,
            EmployeeField::WorkPhone,
            EmployeeField::PersonalEmail,
            EmployeeField::Language,
            EmployeeField::Company,
            EmployeeField::Department,
            EmployeeField::StartDate,
            EmployeeField::EndDate,
        ];
        let fields: FieldSet =
            known.into_iter().map(SourceField::from).chain([SourceField::Custom("cf_rea".into())]).collect();
        let Lookup::Found(read) = connector.employee(&EmployeeRef::record(MARUXA), &fields).await.unwrap()
        else {
            panic!("the person is there");
        };

        let mut maruxa = Employee::new(MARUXA, EmploymentStatus::Active);
        maruxa.modified_at = Some("2026-02-18T10:02:45Z".parse().unwrap());
        maruxa.last_name = text("Castro Lema");
        maruxa.work_phone = text("+34 910 000 311");
        maruxa.personal_email = text("maruxa.cl@correo.example");
        maruxa.language = text("gl-ES");
        maruxa.company = text("Conservas Ribamar S.A.");
        maruxa.department = text("Envasado");
        maruxa.start_date = Field::Value(chrono::NaiveDate::from_ymd_opt(2021, 10, 1).unwrap());
        maruxa.end_date = Field::Null;
        maruxa.custom.insert("cf_rea".into(), Field::Value(Value::from("Envasado")));
        assert!(*read == maruxa);
        assert_eq!(server.request_count(), answers.len());
    });
}
