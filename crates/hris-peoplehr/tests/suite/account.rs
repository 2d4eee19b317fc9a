//! Keys, companies and permissions: what `check` tells, and what is refused before anybody is delivered.

use hris_core::{ErrorKind, HrisConnector as _};
use hris_peoplehr::sim::{PeopleHrSim, Permission};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};

use crate::setup::{build, build_with, clock, config, connector, few_fields, plain_population, read};

const NARROW: &str = "12345678-1111-4222-8333-444444444444";

#[test]
fn a_good_key_tells_its_company_and_that_no_more_permission_is_needed() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        let account = connector(&sim).check().await.unwrap();
        assert_eq!((account.id.as_str(), account.name.as_deref()), ("70001", Some("Bramble & Finch Ltd")));
        assert!(account.remarks.iter().any(|remark| remark.contains("Get All Employee Detail")));
        assert_eq!(sim.actions(), ["GetCompanyInformation", "GetAllEmployeeDetail"]);
    });
}

#[test]
fn a_key_that_is_malformed_unknown_or_deleted_is_refused_once_with_the_screen_to_open() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        sim.add_key(NARROW, 70_001, Permission::ALL);
        sim.revoke_key(NARROW);
        for key in ["not-a-guid", "ffffffff-1111-4222-8333-444444444444", NARROW] {
            let before = sim.requests().len();
            let error = build_with(config(sim.url()), &clock(), key).check().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{key}");
            assert!(error.hint().unwrap().contains("open Settings, API"));
            assert!(!error.to_string().contains(key) && !format!("{error:?}").contains(key));
            assert_eq!(sim.requests().len() - before, 1);
        }
    });
}

#[test]
fn a_missing_permission_names_the_box_to_tick() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        sim.add_key(NARROW, 70_001, &[Permission::GetCompanyInformation]);
        let connector = build_with(config(sim.url()), &clock(), NARROW);
        for error in
            [connector.check().await.unwrap_err(), read(&connector, few_fields()).await.error.unwrap()]
        {
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            assert!(error.hint().unwrap().contains("tick Get All Employee Detail under Employee"), "{error}");
            assert!(
                error.context().any(|(key, value)| key == "vendor_message" && value.contains("No access"))
            );
        }
        let who = hris_core::EmployeeRef { record: "x".into(), employee_id: Some("1000".into()) };
        let error = connector.employee(&who, &few_fields()).await.unwrap_err();
        assert!(error.hint().unwrap().contains("tick Get Employee Detail By Id under Employee"), "{error}");
    });
}

#[test]
fn a_key_of_another_company_is_refused_before_anybody_is_delivered() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        sim.add_company(70_002, "Other Ltd", plain_population(30));
        sim.add_key(NARROW, 70_002, Permission::ALL);
        let connector = build_with(config(sim.url()).with_company_id("70001"), &clock(), NARROW);
        let read = read(&connector, few_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::WrongAccount);
        assert!(read.employees.is_empty());
        assert_eq!(sim.actions(), ["GetCompanyInformation"]);
    });
}

#[test]
fn where_the_company_is_not_told_a_name_has_to_be_given() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        sim.behave(|vendor| vendor.tells_company = false);
        let error = connector(&sim).check().await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Config && error.hint().unwrap().contains("verifies_company"),
            "{error}"
        );
        let named = config(sim.url()).with_company_id("ours").with_verified_company(false);
        let account = build(named.clone()).check().await.unwrap();
        assert_eq!(account.id.as_str(), "ours");
        assert!(account.remarks.iter().any(|remark| remark.contains("verifies_company")));
        assert_eq!(read(&build(named), few_fields()).await.receipt().account.as_str(), "ours");
    });
}

#[test]
fn a_company_that_is_not_told_for_a_passing_reason_is_no_reason_to_do_without() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(5)).await;
        let body = r#"{"isError":true,"Status":6,"Message":"Oops! Something went wrong.","Result":null}"#;
        let fault = Fault::Answer(SimResponse::raw(200, "application/json", body));
        sim.faults().add(fault.always().on(|request| !PeopleHrSim::is_listing(request)));
        assert_eq!(connector(&sim).check().await.unwrap_err().kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn every_request_introduces_itself_and_carries_its_key_in_the_body_alone() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        let config = config(sim.url()).with_user_agent("rewards-app/1.4 (support@rewards.example)");
        read(&build(config), few_fields()).await.receipt();
        for request in sim.requests() {
            assert_eq!(request.header("user-agent"), Some("rewards-app/1.4 (support@rewards.example)"));
            assert_eq!(request.header("content-type"), Some("application/json"));
            assert_eq!(request.path(), "/Employee");
            assert!(request.query_names().next().is_none() && !request.has_header("authorization"));
            assert_eq!(request.json().unwrap()["APIKey"], PeopleHrSim::KEY);
        }
        let own = build(crate::setup::config(sim.url()));
        own.check().await.unwrap();
        let agent = sim.requests().last().unwrap().header("user-agent").unwrap().to_owned();
        assert!(agent.starts_with("hris-peoplehr/"), "{agent}");
    });
}

#[test]
fn the_flag_for_leavers_is_sent_as_text_or_as_configured() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        read(&connector(&sim), few_fields()).await.receipt();
        let bool = config(sim.url()).with_flag_form(hris_peoplehr::FlagForm::Bool);
        read(&build(bool), few_fields()).await.receipt();
        let flags: Vec<_> = sim
            .requests()
            .iter()
            .filter_map(|request| request.json()?.get("IncludeLeavers").cloned())
            .collect();
        assert_eq!(flags, [serde_json::json!("false"), "true".into(), false.into(), true.into()]);
    });
}
