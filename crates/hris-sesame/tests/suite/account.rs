//! The token, the company behind it, and what is known before anything is sent.

use hris_core::{ErrorKind, FieldSet, HrisConnector as _, SourceField};
use hris_sesame::sim::SesameSim;
use hris_sesame::{SesameConfig, StatusStrategy};
use hris_testkit::run;
use hris_testkit::sim::Fault;

use crate::setup::{
    EMPLOYEES, INFO, build, clock, config, connector, plain_population, read, row_fields, token, transport,
};

#[test]
fn a_good_token_tells_whose_it_is_and_that_it_opens_more_than_is_read() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let account = connector(&sim).check().await.unwrap();
        assert_eq!(account.id.as_str(), SesameSim::COMPANY_ID);
        assert_eq!(account.name.as_deref(), Some("Talleres Brisa S.L."));
        assert!(account.not_ready.is_none() && account.remarks[0].contains("no scopes"));
        assert_eq!(sim.paths("/"), [INFO]);
    });
}

#[test]
fn a_refused_token_is_final_and_says_that_the_region_or_the_add_on_may_be_wrong() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        sim.tokens().revoke(SesameSim::TOKEN);
        let error = connector(&sim).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(!error.is_retryable());
        let text = error.to_string();
        assert!(text.contains("region") && text.contains("add-on") && text.contains("401"), "{text}");
        assert_eq!(sim.requests().len(), 1, "a 401 is not tried again");
    });
}

#[test]
fn a_403_points_to_the_add_on() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        sim.faults().add(Fault::status(403).always());
        let error = connector(&sim).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert!(error.to_string().contains("add-on"), "{error}");
        assert!(error.context().any(|entry| entry == ("vendor_code", "forbidden")), "{error}");
    });
}

#[test]
fn another_company_than_expected_is_refused_before_any_employee() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let connector = build(config(sim.url()).with_expected_company("another-company"));
        let read = read(&connector, row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::WrongAccount);
        assert!(read.employees.is_empty());
        assert_eq!(sim.paths("/"), [INFO], "nothing but the check was sent");
    });
}

#[test]
fn a_token_that_opens_another_company_than_the_first_time_is_refused() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        sim.add_company("company-b", "Otra S.L.", "token-b", plain_population(5));
        let connector = connector(&sim);
        connector.check().await.unwrap();
        sim.tokens().add(SesameSim::TOKEN, "company-b");
        let read = read(&connector, row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::WrongAccount);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn two_companies_with_two_tokens_are_two_directories() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        sim.add_company("company-b", "Otra S.L.", "token-b", plain_population(12));
        let first = read(&connector(&sim), row_fields()).await;
        let other = config(sim.url()).build(&"token-b".into(), &transport(&clock())).unwrap();
        let second = read(&other, row_fields()).await;
        assert_eq!((first.receipt().account.as_str(), first.receipt().distinct), (SesameSim::COMPANY_ID, 30));
        assert_eq!((second.receipt().account.as_str(), second.receipt().distinct), ("company-b", 12));
    });
}

#[test]
fn building_and_reading_send_nothing_before_the_stream_is_polled() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let connector = connector(&sim);
        let stream = connector.read(hris_core::ReadQuery::everyone(row_fields()));
        drop(stream);
        assert!(sim.requests().is_empty());
    });
}

#[test]
fn a_bad_configuration_or_token_is_refused_before_anything_is_sent() {
    let transport = transport(&clock());
    for config in [SesameConfig::new().with_region("eu1/../evil"), SesameConfig::new().with_page_size(501)] {
        assert_eq!(config.build(&token(), &transport).unwrap_err().kind(), ErrorKind::Config);
    }
    for bad in ["", " token", "token\n"] {
        let error = SesameConfig::new().build(&bad.into(), &transport).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn an_answer_without_a_company_is_no_good_check() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let answer =
            hris_testkit::sim::SimResponse::json(200, &serde_json::json!({ "data": { "ok": true } }));
        sim.faults().add(Fault::Answer(answer).once());
        let error = connector(&sim).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}

#[test]
fn what_can_be_mapped_is_offered_with_the_companys_own_fields_by_their_lasting_id() {
    run(async {
        let sim = SesameSim::start(plain_population(3)).await;
        let connector = connector(&sim);
        let fields = connector.fields().await.unwrap();
        let named = |name: &str| fields.iter().find(|field| field.field.to_string() == name);
        assert!(named("work_email").is_some() && named("manager").is_some());
        assert!(named("start_date").unwrap().remark.as_deref().unwrap().contains("request per person"));
        let custom: Vec<_> =
            fields.iter().filter(|field| matches!(field.field, SourceField::Custom(_))).collect();
        assert_eq!(custom.len(), 2);
        assert_eq!(custom[0].label, "Talla");
        assert_eq!(custom[0].field.to_string(), "custom:b1f5d1f4-93b7-4a39-9a34-6f0d38f1c001");
        assert!(custom[0].remark.as_deref().unwrap().contains("custom:cf_talla"));

        let offered: FieldSet = fields.iter().map(|field| field.field.clone()).collect();
        let read = read(&connector, offered).await;
        assert!(read.receipt().warnings.is_empty(), "everything that is offered can be read");
    });
}

#[test]
fn the_capabilities_say_what_the_configuration_can_prove() {
    let two_passes = build(SesameConfig::new());
    let capabilities = two_passes.capabilities();
    assert!(capabilities.reads_leavers && capabilities.has_status && capabilities.single_read);
    assert!(capabilities.proves_absence && capabilities.modified_at);
    assert!(!capabilities.incremental && !capabilities.tombstones);
    let one_list = build(SesameConfig::new().with_status_strategy(StatusStrategy::InList));
    assert!(!one_list.capabilities().proves_absence);
    assert_eq!(two_passes.descriptor().vendor, "sesame");
    assert_eq!(two_passes.descriptor().record_id_kind.as_str(), "sesame.employee.id");
    assert!(two_passes.descriptor().asks_date_format);
}

#[test]
fn every_request_carries_the_token_and_no_path_ends_in_a_slash() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        read(&connector(&sim), FieldSet::all_canonical()).await;
        let requests = sim.requests();
        assert!(requests.len() > 30, "joins and details were read too");
        for request in requests {
            assert_eq!(request.bearer(), Some(SesameSim::TOKEN));
            assert!(!request.path().ends_with('/'), "{}", request.path());
            assert!(!request.query_names().any(|name| name.contains("token")));
        }
        assert!(sim.paths(EMPLOYEES).len() >= 2);
    });
}
