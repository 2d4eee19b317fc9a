//! A saved query in place of the directory.

use std::time::Duration;

use hris_core::{
    EmployeeField, EmployeeRef, EmploymentStatus, ErrorKind, Field, FieldSet, FieldSource as _,
    HrisConnector as _, SourceField, Value,
};
use hris_peoplehr::sim::{BusyForm, PeopleHrSim, Permission};
use hris_peoplehr::{PeopleHrConnector, QuerySource};
use hris_testkit::population::{PersonStatus, Population};
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{COMPANY, build, build_by, build_with, clock, config, few_fields, plain_population, read};

fn feed(name: &str) -> QuerySource {
    QuerySource::new(name)
        .with_column("Employee Id", EmployeeField::EmployeeId)
        .with_column("First Name", EmployeeField::FirstName)
        .with_column("Last Name", EmployeeField::LastName)
        .with_column("Work Email", EmployeeField::WorkEmail)
        .with_column("Start Date", EmployeeField::StartDate)
        .with_column("Date of Birth", EmployeeField::BirthDate)
        .with_column("Final Day of Employment", EmployeeField::EndDate)
        .with_column("Allowance (Days)", SourceField::Custom("allowance".into()))
        .with_column("Shift Start", SourceField::Custom("shift".into()))
}

fn by_query(url: &str) -> PeopleHrConnector {
    build(config(url).with_query(feed(PeopleHrSim::QUERY)))
}

fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    fields.insert(SourceField::Custom("allowance".into()));
    fields
}

#[test]
fn the_rows_of_a_query_become_people_by_the_captions_of_their_columns() {
    run(async {
        let people = plain_population(130);
        let sim = PeopleHrSim::start(people.clone()).await;
        let connector = by_query(sim.url());
        let read = read(&connector, everything()).await;
        assert_eq!(read.receipt().distinct, 130);
        assert_eq!(read.receipt().record_id_kind, connector.descriptor().record_id_kind);
        assert!(read.absence_refusal().contains("does not cover everyone"));
        for person in people.listed() {
            let employee = read.person(person.number_key().unwrap());
            assert!(employee.first_name.value() == person.first_name.as_ref(), "{person:?}");
            assert_eq!(employee.birth_date.value().and_then(|birth| birth.date()), person.birth_date);
            assert_eq!(employee.start_date.into_value(), person.start_date, "dates of the form YYYY/MM/DD");
            let left = person.status == PersonStatus::Inactive;
            assert_eq!(employee.status == EmploymentStatus::Inactive, left);
            assert_eq!(employee.custom["allowance"], Field::Value(Value::from("27.5")));
            assert!(employee.department.is_absent() && employee.problems.is_empty());
        }
        assert_eq!(sim.actions(), ["GetCompanyInformation", "GetQueryResultByQueryName"]);
    });
}

#[test]
fn a_query_that_is_still_running_is_asked_again_in_both_of_its_forms() {
    run(async {
        for form in [BusyForm::Row, BusyForm::Failure] {
            let sim = PeopleHrSim::start(plain_population(30)).await;
            sim.behave(|vendor| vendor.busy_query = Some((form, 2)));
            let clock = clock();
            let connector = build_by(config(sim.url()).with_query(feed(PeopleHrSim::QUERY)), &clock);
            assert_eq!(read(&connector, everything()).await.receipt().distinct, 30, "{form:?}");
            let waits = clock.slept().into_iter().filter(|wait| *wait == Duration::from_secs(20)).count();
            assert_eq!(waits, 2, "{:?}", clock.slept());
            sim.behave(|vendor| vendor.busy_query = Some((form, 100)));
            let read = read(&connector, everything()).await;
            assert_eq!(read.error().kind(), ErrorKind::Unavailable, "{form:?}");
            assert!(read.employees.is_empty() && read.rejected.is_empty(), "the notice is no row");
        }
    });
}

#[test]
fn two_readings_of_one_key_run_their_query_one_after_the_other() {
    run(async {
        let (first, dribble) = Reply::dribbled();
        let rows = r#"{"isError":false,"Status":0,"Message":"x","Result":[{"Employee Id":"BF101"}]}"#;
        let server =
            FaultServer::start([Reply::json(COMPANY), first, Reply::json(COMPANY), Reply::json(rows)]).await;
        let connector = by_query(&server.url());
        let mut one = Box::pin(read(&connector, everything()));
        let asked = async {
            server.received(2).await;
        };
        futures_util::future::select(&mut one, Box::pin(asked)).await;
        let mut other = Box::pin(read(&connector, everything()));
        let company = async {
            server.received(3).await;
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        };
        futures_util::future::select(&mut other, Box::pin(company)).await;
        assert_eq!(server.request_count(), 3, "the second one waits for its turn");
        dribble.send(rows);
        dribble.finish();
        let (one, other) = futures_util::join!(one, other);
        assert_eq!((one.receipt().distinct, other.receipt().distinct), (1, 1));
        assert_eq!(server.request_count(), 4);
    });
}

#[test]
fn a_query_in_the_vendors_own_form_is_read() {
    run(async {
        let answers = [COMPANY, include_str!("../fixtures/query.json")];
        let server = FaultServer::start(answers.map(Reply::json)).await;
        let mut fields = everything();
        fields.insert(SourceField::Custom("shift".into()));
        let read = read(&by_query(&server.url()), fields).await;
        let imogen = read.person("BF101");
        assert_eq!(imogen.start_date, Field::Value("2019-03-04".parse().unwrap()));
        assert_eq!((&imogen.end_date, &imogen.status), (&Field::Null, &EmploymentStatus::Active));
        let problems: Vec<_> = imogen.problems.iter().map(|problem| problem.field.to_string()).collect();
        assert_eq!(problems, ["custom:shift"], "a time that comes in parts is no text");
    });
}

#[test]
fn nobody_and_a_row_without_an_id_are_reported_as_such() {
    run(async {
        let sim = PeopleHrSim::start(Population::new(7).size(0).build()).await;
        let nobody = read(&by_query(sim.url()), everything()).await;
        assert!(nobody.receipt().distinct == 0 && !nobody.absence_refusal().is_empty());
        let rows = r#"{"isError":false,"Status":0,"Message":"x","Result":[{"Employee Id":" "},7,{"Employee Id":7}]}"#;
        let server = FaultServer::start([COMPANY, rows].map(Reply::json)).await;
        let read = read(&by_query(&server.url()), everything()).await;
        assert_eq!((read.rejected.len(), read.receipt().distinct), (2, 1));
        assert_eq!(read.person("7").field(&EmployeeField::EmployeeId.into()).value().unwrap().to_text(), "7");
    });
}

#[test]
fn a_wrong_name_and_a_missing_permission_say_where_to_look() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(5)).await;
        let wrong = build(config(sim.url()).with_query(feed("rewards feed")));
        let error = read(&wrong, few_fields()).await.error.unwrap();
        assert!(
            error.kind() == ErrorKind::Invalid && error.hint().unwrap().contains("letter by letter"),
            "{error}"
        );
        let key = "12345678-1111-4222-8333-444444444444";
        sim.add_key(key, 70_001, &[Permission::GetCompanyInformation, Permission::GetAllEmployeeDetail]);
        let config = config(sim.url()).with_query(feed(PeopleHrSim::QUERY));
        let error = read(&build_with(config, &clock(), key), few_fields()).await.error.unwrap();
        assert!(
            error.kind() == ErrorKind::Forbidden && error.hint().unwrap().contains("under Query"),
            "{error}"
        );
    });
}

#[test]
fn a_query_offers_its_columns_and_no_single_people() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(5)).await;
        let connector = by_query(sim.url());
        let fields = connector.fields().await.unwrap();
        assert!(fields.iter().any(|field| field.label == "Allowance (Days)"));
        assert!(!fields.iter().any(|field| field.field == EmployeeField::Department.into()));
        assert!(!connector.capabilities().single_read && !connector.capabilities().proves_absence);
        let error = connector.employee(&EmployeeRef::record("BF101"), &few_fields()).await.unwrap_err();
        assert_eq!((error.kind(), sim.requests().len()), (ErrorKind::Unsupported, 0));
        assert_eq!(connector.check().await.unwrap().id.as_str(), "70001");
        let unknown = read(&connector, crate::setup::custom("unheard of")).await;
        assert!(unknown.warnings().contains("add it to `columns`"), "{}", unknown.warnings());
    });
}

#[test]
fn a_query_without_the_columns_that_are_needed_is_refused_before_anything_is_sent() {
    let no_end = QuerySource::new("Feed").with_column("Id", EmployeeField::EmployeeId);
    let no_id = QuerySource::new("Feed").with_column("End", EmployeeField::EndDate);
    let twice = feed("Feed").with_column("Id again", EmployeeField::EmployeeId);
    let status = feed("Feed").with_column("State", EmployeeField::Status);
    for query in [no_end, no_id, twice, status] {
        let config = config("http://127.0.0.1:9").with_query(query);
        let error = config.build(&PeopleHrSim::KEY.into(), &crate::setup::transport(&clock())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
