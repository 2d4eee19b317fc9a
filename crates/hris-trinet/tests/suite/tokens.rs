//! The access token: one for many, renewed early, renewed once when refused, in each style and form.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hris_core::{Clock as _, ErrorKind, HrisConnector as _};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};
use hris_trinet::TokenStyle;
use hris_trinet::sim::{TokenLife, TriNetSim};

use crate::setup::{
    EMPLOYEES, TOKEN, basic_fields, build, build_by, clock, config, connector, plain_population, read,
};

#[test]
fn the_token_is_asked_for_with_get_and_a_basic_header_and_no_secret_in_the_url() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        read(&connector(&sim), basic_fields()).await.receipt();
        let requests = sim.requests();
        let (token, list) = (&requests[0], &requests[1]);
        assert_eq!((token.method(), token.path()), ("GET", TOKEN));
        assert_eq!(token.query_names().collect::<Vec<_>>(), ["grant_type"]);
        assert!(token.header("authorization").unwrap().starts_with("Basic "));
        assert!(list.bearer().unwrap().starts_with("mockToken"), "Bearer, whatever `token_type` says");
        assert_eq!(list.header("grant_type"), Some("client_credentials"));
    });
}

#[test]
fn the_header_that_other_clients_send_can_be_left_out_or_demanded() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let without = || build(config(sim.url()).with_grant_type_header(false));
        read(&without(), basic_fields()).await.receipt();
        assert!(!sim.requests()[1].has_header("grant_type"));
        sim.behave(|vendor| vendor.demands_grant_type_header = true);
        assert_eq!(read(&without(), basic_fields()).await.error().kind(), ErrorKind::Invalid);
        read(&connector(&sim), basic_fields()).await.receipt();
    });
}

#[test]
fn each_style_of_asking_gets_a_token_and_none_has_a_secret_in_its_url() {
    run(async {
        for (style, method) in [
            (TokenStyle::GetBasic, "GET"),
            (TokenStyle::PostQueryBasic, "POST"),
            (TokenStyle::PostFormBasic, "POST"),
            (TokenStyle::PostFormBody, "POST"),
        ] {
            let sim = TriNetSim::start(plain_population(3)).await;
            sim.behave(|vendor| vendor.accepts_form_credentials = style == TokenStyle::PostFormBody);
            let read = read(&build(config(sim.url()).with_token_style(style)), basic_fields()).await;
            assert_eq!(read.receipt().distinct, 3, "{style:?}");
            let request = &sim.requests()[0];
            assert_eq!(request.method(), method);
            assert!(request.query_names().all(|name| name == "grant_type"));
            assert_eq!(request.has_header("authorization"), style != TokenStyle::PostFormBody);
        }
    });
}

#[test]
fn many_tasks_at_once_cause_one_token_request() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.add_company("B2B", "Other Co", plain_population(5));
        sim.add_client("both", "secret", &[TriNetSim::COMPANY_ID, "B2B"]);
        let config = config(sim.url()).with_max_in_flight(8).with_requests_per_minute(None);
        let transport = crate::setup::transport(&clock());
        let one = config.build(&"both".into(), &"secret".into(), &transport).unwrap();
        let other = one.for_company("B2B").unwrap();
        let of_one = join_all((0..8).map(|_| read(&one, basic_fields())));
        let of_other = join_all((0..8).map(|_| read(&other, basic_fields())));
        let (of_one, of_other) = futures_util::join!(of_one, of_other);
        assert!(of_one.iter().all(|read| read.receipt().distinct == 30));
        assert!(of_other.iter().all(|read| read.receipt().account.as_str() == "B2B"));
        assert!(of_other.iter().all(|read| read.receipt().distinct == 5));
        assert_eq!(sim.paths(TOKEN).len(), 1);
    });
}

#[test]
fn a_lifetime_is_read_as_text_and_as_number_and_guessed_where_it_is_not_told() {
    run(async {
        for life in [TokenLife::Text(600), TokenLife::Number(600), TokenLife::Untold(600)] {
            let sim = TriNetSim::start(plain_population(3)).await;
            let clock = clock();
            sim.behave(|vendor| vendor.token_life = life);
            let connector = build_by(config(sim.url()).with_default_token_seconds(600), &clock);
            let mut tokens = Vec::new();
            for step in [0, 530, 20] {
                clock.advance(Duration::from_secs(step));
                read(&connector, basic_fields()).await.receipt();
                tokens.push(sim.paths(TOKEN).len());
            }
            assert_eq!(tokens, [1, 1, 2], "renewed between 60 and 70 seconds before its end: {life:?}");
        }
    });
}

#[test]
fn a_rubbish_lifetime_is_guessed_and_a_missing_token_is_an_error() {
    run(async {
        let sim = TriNetSim::start(plain_population(3)).await;
        let answer = |body: &str| SimResponse::raw(200, "application/json", body);
        for body in [r#"{"expires_in":"3599"}"#, r#"{"access_token":"","expires_in":1}"#, "[]"] {
            sim.faults().add(Fault::Answer(answer(body)).once().on_path(TOKEN));
            let error = connector(&sim).check().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
        }
        sim.tokens().add("handMadeToken", TriNetSim::CLIENT_ID);
        for life in [r#""soon""#, "-5", "99999999999999999999", "null", "{}"] {
            let body = format!(r#"{{"access_token":"handMadeToken","expires_in":{life}}}"#);
            sim.faults().add(Fault::Answer(answer(&body)).once().on_path(TOKEN));
            assert_eq!(read(&connector(&sim), basic_fields()).await.receipt().distinct, 3, "{life}");
        }
    });
}

#[test]
fn a_token_is_renewed_before_it_expires_so_that_no_page_is_ever_refused() {
    run(async {
        let sim = TriNetSim::start(plain_population(60)).await;
        let clock = clock();
        sim.behave(|vendor| {
            vendor.clock = Some(Arc::new(clock.clone()));
            vendor.token_life = TokenLife::Text(120);
        });
        // One page a request and one request each 6 seconds: five minutes and more.
        let slow = config(sim.url()).with_page_size(1).with_requests_per_minute(Some(10));
        let start = clock.now();
        let read = read(&build_by(slow, &clock), basic_fields()).await;
        assert_eq!(read.receipt().distinct, 60);
        assert!((clock.now() - start).num_seconds() > 240, "it took longer than two tokens live");
        assert!(sim.paths(TOKEN).len() >= 4, "{:?}", sim.paths(TOKEN).len());
        assert_eq!(sim.paths(EMPLOYEES).len(), 60, "none was asked for twice");
    });
}

#[test]
fn a_token_that_is_refused_in_mid_run_is_renewed_once_and_the_page_asked_for_again() {
    run(async {
        let sim = TriNetSim::start(plain_population(260)).await;
        sim.tokens().revoke_after(1);
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(read.receipt().distinct, 260);
        assert_eq!((sim.paths(TOKEN).len(), sim.paths(EMPLOYEES).len()), (2, 4));
    });
}

#[test]
fn a_second_refusal_is_final() {
    run(async {
        let sim = TriNetSim::start(plain_population(260)).await;
        sim.faults().add(TriNetSim::on_offset(Fault::unauthorized().always(), 101));
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
        assert!(!read.error().is_retryable());
        assert_eq!(read.employees.len(), 100);
        assert_eq!((sim.paths(TOKEN).len(), sim.paths(EMPLOYEES).len()), (2, 3));
    });
}

#[test]
fn a_pair_that_was_revoked_ends_the_reading_with_what_to_do() {
    run(async {
        let sim = TriNetSim::start(plain_population(260)).await;
        let connector = connector(&sim);
        connector.check().await.unwrap();
        sim.revoke_client(TriNetSim::CLIENT_ID);
        assert_eq!(read(&connector, basic_fields()).await.receipt().distinct, 260, "the token lives on");
        sim.tokens().revoke_all();
        let read = read(&connector, basic_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
        let text = read.error().to_string();
        assert!(text.contains("Client ID and Client Secret") && text.contains("shown once"), "{text}");
        assert!(text.contains("zenefits") && text.contains("vendor_code: invalid_client"), "{text}");
    });
}

#[test]
fn a_bad_pair_costs_one_token_request_whatever_is_wanted() {
    run(async {
        for status in [400, 401, 403] {
            let sim = TriNetSim::start(plain_population(3)).await;
            sim.faults().add(Fault::status(status).always().on_path(TOKEN));
            let connector = connector(&sim);
            assert_eq!(connector.check().await.unwrap_err().kind(), ErrorKind::Unauthorized);
            let fields = hris_core::FieldSet::all_canonical();
            assert_eq!(read(&connector, fields).await.error().kind(), ErrorKind::Unauthorized);
            assert_eq!(sim.paths("/"), [TOKEN, TOKEN], "{status}");
        }
    });
}

#[test]
fn a_token_request_that_fails_is_tried_again() {
    run(async {
        for fault in [Fault::status(500), Fault::Refused, Fault::BrokenJson, Fault::Html] {
            let sim = TriNetSim::start(plain_population(3)).await;
            sim.faults().add(fault.once().on_path(TOKEN));
            assert_eq!(read(&connector(&sim), basic_fields()).await.receipt().distinct, 3);
            assert_eq!(sim.paths(TOKEN).len(), 2);
        }
    });
}
