//! The company in the path, the check, and what is known before anything is sent.

use hris_core::{
    EmployeeField, EmployeeRef, ErrorKind, FieldSet, HrisConnector as _, ReadQuery, Scope, Watermark,
};
use hris_testkit::run;
use hris_testkit::sim::Fault;
use hris_trinet::TriNetConfig;
use hris_trinet::sim::{Refusal, TriNetSim};

use crate::setup::{
    EMPLOYEES, ORG_DETAILS, TOKEN, basic_fields, build, clock, collect, config, connector, only,
    plain_population, read, transport,
};

fn of(company: &str, sim: &TriNetSim) -> TriNetConfig {
    let mut config = config(sim.url());
    company.clone_into(&mut config.company_id);
    config
}

#[test]
fn a_good_credential_tells_the_companys_name_and_reads_one_row_of_the_basic_view() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let account = connector(&sim).check().await.unwrap();
        assert_eq!(account.id.as_str(), TriNetSim::COMPANY_ID);
        assert_eq!(account.name.as_deref(), Some("Acme Example Co"));
        assert!(account.not_ready.is_none() && account.remarks.is_empty(), "{:?}", account.remarks);
        assert_eq!(sim.paths("/"), [TOKEN, EMPLOYEES, ORG_DETAILS]);
        let requests = sim.requests();
        assert_eq!((requests[1].query("limit"), requests[1].query("viewType")), (Some("1"), None));
    });
}

#[test]
fn more_and_less_permission_than_needed_are_told_at_the_check() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.scopes = "basic-read hr-pay-read".to_owned());
        let remarks = connector(&sim).check().await.unwrap().remarks.join("\n");
        assert!(remarks.contains("hr-pay-read") && remarks.contains("never"), "{remarks}");
        assert!(remarks.contains("hr-personal-read") && remarks.contains("dates of birth"), "{remarks}");
    });
}

#[test]
fn a_company_that_leaves_trinet_is_told_at_the_check() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.company_leaves = chrono::NaiveDate::from_ymd_opt(2026, 6, 30));
        let account = connector(&sim).check().await.unwrap();
        assert!(account.remarks[0].contains("ended its contract"), "{:?}", account.remarks);
    });
}

#[test]
fn the_companys_record_comes_as_an_object_or_as_a_list_of_one() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.lists_company = true);
        assert_eq!(connector(&sim).check().await.unwrap().name.as_deref(), Some("Acme Example Co"));
    });
}

#[test]
fn a_refusal_of_the_companys_record_is_not_a_broken_connection() {
    run(async {
        for refusal in [Refusal::NotInProduct, Refusal::Unreadable, Refusal::NoScope] {
            let sim = TriNetSim::start(plain_population(3)).await;
            sim.behave(|vendor| vendor.refuses_side_endpoints = Some(refusal));
            let account = connector(&sim).check().await.unwrap();
            assert!(account.name.is_none() && account.remarks[0].contains("org-details"), "{refusal:?}");
        }
    });
}

#[test]
fn another_company_than_asked_for_is_the_wrong_account() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let other = r#"{"data":{"companyId":"ZZ9"},"_statusCode":"200"}"#;
        let answer = hris_testkit::sim::SimResponse::raw(200, "application/json", other);
        sim.faults().add(Fault::Answer(answer).always().on_path(ORG_DETAILS));
        let error = connector(&sim).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongAccount);
        let read = read(&connector(&sim), only(EmployeeField::Company)).await;
        assert_eq!(read.error().kind(), ErrorKind::WrongAccount);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn a_company_that_does_not_exist_or_belongs_to_somebody_else_is_the_wrong_account() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.add_company("B2B", "Other Co", plain_population(5));
        for company in ["N0N", "B2B", "x7q"] {
            let other = of(company, &sim);
            let read = read(&build(other), basic_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::WrongAccount, "{company}");
            assert!(read.error().to_string().contains("Company ID shown in TriNet"), "{}", read.error());
            assert!(read.employees.is_empty());
        }
    });
}

#[test]
fn a_403_for_one_company_says_that_the_company_id_may_be_wrong() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.add_company("B2B", "Other Co", plain_population(5));
        sim.behave(|vendor| vendor.foreign_company = 403);
        let other = of("B2B", &sim);
        let error = build(other).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        let text = error.to_string();
        assert!(text.contains("List All Employees") && text.contains("Company ID"), "{text}");
    });
}

#[test]
fn a_list_that_was_not_granted_says_what_to_ask_trinet_for() {
    run(async {
        for (refusal, kind) in [
            (Refusal::NotInProduct, ErrorKind::Forbidden),
            (Refusal::NoScope, ErrorKind::Forbidden),
            (Refusal::Unreadable, ErrorKind::Unauthorized),
        ] {
            let sim = TriNetSim::start(plain_population(3)).await;
            sim.behave(|vendor| vendor.refuses_list = Some(refusal));
            let error = connector(&sim).check().await.unwrap_err();
            assert_eq!(error.kind(), kind, "{refusal:?}");
            assert!(error.to_string().contains("Integration Center"), "{error}");
            if refusal == Refusal::NotInProduct {
                assert_eq!(
                    sim.paths("/"),
                    [TOKEN, EMPLOYEES],
                    "no token was renewed, and nothing tried again"
                );
                assert!(error.to_string().contains("List All Employees"), "{error}");
            }
        }
    });
}

#[test]
fn a_company_id_is_one_segment_whatever_it_has_and_white_space_around_it_goes() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.add_company("a b?c", "Odd Co", plain_population(5));
        sim.add_client("id", "secret", &["a b?c"]);
        let odd = of(" a b?c \n", &sim);
        let connector = odd.build(&" id ".into(), &"secret\n".into(), &transport(&clock())).unwrap();
        let read = read(&connector, basic_fields()).await;
        assert_eq!((read.receipt().distinct, read.receipt().account.as_str()), (5, "a b?c"));
        assert_eq!(sim.paths("/v1"), ["/v1/company/a%20b%3Fc/employees"]);
    });
}

#[test]
fn paths_that_may_change_are_configuration() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        sim.behave(|vendor| {
            vendor.token_path = "/auth/v2/token".to_owned();
            vendor.api_prefix = "/peo/v2".to_owned();
        });
        let moved = config(sim.url()).with_token_path("/auth/v2/token").with_api_prefix("/peo/v2");
        assert_eq!(read(&build(moved), basic_fields()).await.receipt().distinct, 3);
        assert_eq!(sim.paths("/"), ["/auth/v2/token", "/peo/v2/company/X7Q/employees"]);
    });
}

#[test]
fn a_path_that_the_gateway_does_not_know_is_told_apart_from_a_wrong_company() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        for moved in [
            config(sim.url()).with_api_prefix("/v9"),
            config(sim.url()).with_employees_path("/companies/{company_id}/employees"),
        ] {
            let error = build(moved).check().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().contains("`employees_path`"), "{error}");
        }
    });
}

#[test]
fn building_and_reading_send_nothing_before_the_stream_is_polled() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        drop(connector(&sim).read(ReadQuery::everyone(basic_fields())));
        assert!(sim.requests().is_empty());
    });
}

#[test]
fn a_bad_configuration_or_secret_is_refused_before_anything_is_sent() {
    let transport = transport(&clock());
    let build = |config: TriNetConfig, id: &str, secret: &str| {
        config.build(&id.into(), &secret.into(), &transport).unwrap_err()
    };
    let good = || TriNetConfig::new("X7Q");
    for error in [
        build(TriNetConfig::default(), "id", "secret"),
        build(good().with_page_size(0), "id", "secret"),
        build(good(), "", "secret"),
        build(good(), "id", " \n"),
        build(good(), "i:d", "secret"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn what_trinet_cannot_do_is_refused_and_nothing_is_sent() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let connector = connector(&sim);
        let who = EmployeeRef::record(TriNetSim::employee_id(0));
        let error = connector.employee(&who, &basic_fields()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let since = Watermark::at("2026-03-01T00:00:00Z".parse().unwrap());
        for scope in [Scope::People(vec![who]), Scope::ChangedSince(since)] {
            let read = collect(&connector, ReadQuery::scoped(scope, basic_fields())).await;
            assert_eq!(read.error().kind(), ErrorKind::Unsupported);
        }
        assert!(sim.requests().is_empty());
    });
}

#[test]
fn the_capabilities_say_what_the_configuration_can_prove() {
    let connector = build(TriNetConfig::new("X7Q"));
    let capabilities = connector.capabilities();
    assert!(capabilities.reads_leavers && capabilities.has_status && capabilities.proves_absence);
    assert!(!capabilities.incremental && !capabilities.single_read && !capabilities.tombstones);
    assert!(!capabilities.modified_at);
    let filtered = build(TriNetConfig::new("X7Q").with_status_passes(["A", "T"]));
    assert!(!filtered.capabilities().proves_absence);
    assert_eq!(connector.descriptor().vendor, "trinet");
    assert_eq!(connector.descriptor().record_id_kind.as_str(), "trinet.employee.id");
    assert!(!connector.descriptor().asks_date_format, "the vendor fixes the format");
}

#[test]
fn everything_that_is_offered_can_be_read_and_nothing_is_sent_to_offer_it() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        let connector = connector(&sim);
        let fields = connector.fields().await.unwrap();
        assert!(sim.requests().is_empty());
        let named = |name: &str| fields.iter().find(|field| field.field.to_string() == name).unwrap();
        assert!(named("birth_date").remark.as_deref().unwrap().contains("hr-personal-read"));
        assert_eq!(named("custom:alternateId").label, "Alternate ID");
        let offered: FieldSet = fields.iter().map(|field| field.field.clone()).collect();
        let read = read(&connector, offered).await;
        assert!(read.receipt().warnings.is_empty(), "{}", read.warnings());
    });
}
