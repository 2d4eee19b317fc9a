//! What goes wrong on the way: slow-downs, failures, answers that are none, redirects and cut bodies.

use std::sync::Arc;
use std::time::Duration;

use hris_core::{ErrorKind, HrisConnector as _};
use hris_http::Transport;
use hris_sesame::sim::SesameSim;
use hris_testkit::sim::{Fault, RateLimit, SimResponse, SimServer, Vendor};
use hris_testkit::{FaultServer, ManualClock, Reply, run};

use crate::setup::{
    EMPLOYEES, clock, config, connector, plain_population, read, row_fields, token, transport,
};

#[test]
fn a_slow_down_is_waited_for_as_long_as_it_says() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        sim.faults().add(Fault::rate_limited(Some(17)).times(2).on_path(EMPLOYEES));
        let clock = clock();
        let connector = config(sim.url()).build(&token(), &transport(&clock)).unwrap();
        assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 30);
        let waits = clock.slept().into_iter().filter(|wait| *wait >= Duration::from_secs(17)).count();
        assert!(waits >= 2, "{:?}", clock.slept());
    });
}

#[test]
fn a_slow_down_that_names_no_time_is_backed_off_from() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        sim.faults().add(Fault::rate_limited(None).times(3).on_path(EMPLOYEES));
        assert_eq!(read(&connector(&sim), row_fields()).await.receipt().distinct, 30);
        assert_eq!(sim.faults().outstanding(), 0);
    });
}

#[test]
fn the_companys_budget_is_never_overdrawn_by_connections_that_share_it() {
    run(async {
        let sim = SesameSim::start(plain_population(60)).await;
        let clock = clock();
        sim.behave(|vendor| vendor.rate_limit = Some(RateLimit::per_minute(1_000, clock.clone())));
        sim.tokens().add("second-token", SesameSim::COMPANY_ID);
        let transport = transport(&clock);
        let config = config(sim.url()).with_page_size(1).with_requests_per_minute(Some(300));
        let one = config.clone().build(&token(), &transport).unwrap();
        let two = config.build(&"second-token".into(), &transport).unwrap();
        let start = hris_core::Clock::now(&clock);
        for _ in 0..4 {
            let (one, two) = futures_util::join!(read(&one, row_fields()), read(&two, row_fields()));
            assert_eq!((one.receipt().distinct, two.receipt().distinct), (60, 60));
        }
        let minutes = (hris_core::Clock::now(&clock) - start).num_seconds() / 60;
        let requests = sim.requests().len();
        assert!(requests > 480, "{requests}");
        assert!(
            i64::try_from(requests).unwrap() <= 300 * (minutes + 1) + 2,
            "{requests} in {minutes} minutes"
        );
    });
}

#[test]
fn the_limit_can_be_switched_off() {
    run(async {
        let sim = SesameSim::start(plain_population(200)).await;
        let clock = clock();
        let config = config(sim.url()).with_page_size(1).with_requests_per_minute(None).with_max_in_flight(8);
        let connector = config.build(&token(), &transport(&clock)).unwrap();
        assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 200);
        assert!(clock.slept().iter().all(|wait| *wait >= Duration::from_secs(30)), "nothing but time-outs");
    });
}

#[test]
fn the_vendors_own_limit_is_survived() {
    run(async {
        for tells_retry_after in [true, false] {
            let sim = SesameSim::start(plain_population(60)).await;
            // Without a hint, twelve attempts with back-off last longer than the minute for which the limit holds.
            let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(61));
            sim.behave(|vendor| {
                vendor.rate_limit = Some(RateLimit::per_minute(40, clock.clone()));
                vendor.tells_retry_after = tells_retry_after;
            });
            let config =
                config(sim.url()).with_page_size(1).with_requests_per_minute(None).with_max_in_flight(1);
            let patient = hris_http::RetryPolicy::default()
                .with_attempt_timeout(Duration::from_secs(300))
                .with_attempts(12);
            let connector = config.build(&token(), &transport(&clock)).unwrap().with_retry_policy(patient);
            assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 60, "{tells_retry_after}");
        }
    });
}

#[test]
fn four_failures_in_a_row_on_one_page_are_survived() {
    run(async {
        for fault in [
            Fault::status(500),
            Fault::status(502),
            Fault::status(503),
            Fault::Html,
            Fault::Empty,
            Fault::BrokenJson,
            Fault::Refused,
        ] {
            let sim = SesameSim::start(plain_population(260)).await;
            let shown = format!("{fault:?}");
            let second = |request: &hris_testkit::sim::SimRequest| request.query("page") == Some("2");
            sim.faults().add(fault.times(4).on_path(EMPLOYEES).on(second));
            assert_eq!(read(&connector(&sim), row_fields()).await.receipt().distinct, 260, "{shown}");
            assert_eq!(sim.faults().outstanding(), 0);
        }
    });
}

#[test]
fn a_page_that_never_comes_ends_the_reading_without_a_receipt() {
    run(async {
        for (fault, kind) in [
            (Fault::status(500), ErrorKind::Unavailable),
            (Fault::Html, ErrorKind::Protocol),
            (Fault::Answer(SimResponse::empty(204)), ErrorKind::Protocol),
            (Fault::BrokenJson, ErrorKind::Protocol),
            (Fault::status(404), ErrorKind::NotFound),
            (Fault::status(405), ErrorKind::Protocol),
        ] {
            let sim = SesameSim::start(plain_population(260)).await;
            let second = |request: &hris_testkit::sim::SimRequest| request.query("page") == Some("2");
            sim.faults().add(fault.always().on_path(EMPLOYEES).on(second));
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.error().kind(), kind);
            assert!(!read.error().is_retryable(), "tries were used up");
            assert_eq!(read.employees.len(), 100, "the first page was delivered");
        }
    });
}

#[test]
fn data_that_is_no_list_is_not_taken_for_an_empty_directory() {
    run(async {
        for data in
            [r#"{"data":""}"#, r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"meta":{"total":0}}"#, "[]", "7"]
        {
            let sim = SesameSim::start(plain_population(5)).await;
            let answer = SimResponse::raw(200, "application/json", data);
            sim.faults().add(Fault::Answer(answer).always().on_path(EMPLOYEES));
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol, "{data}");
        }
    });
}

#[test]
fn a_token_that_is_revoked_in_mid_run_ends_the_reading_at_once() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        sim.tokens().revoke_after(2);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
        assert!(read.error().to_string().contains("region"));
        assert_eq!(read.employees.len(), 100);
        let refused = sim.requests().len() - 2;
        assert!(refused <= 4, "no more than were in flight: {refused}");
    });
}

#[test]
fn a_slow_answer_is_waited_for() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Slow(Duration::from_millis(20)).times(3));
        assert_eq!(read(&connector(&sim), row_fields()).await.receipt().distinct, 30);
    });
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_asked_for_again() {
    run(async {
        let sim = SesameSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Hang.once().on_path(EMPLOYEES));
        let clock = clock();
        let connector = config(sim.url()).build(&token(), &transport(&clock)).unwrap();
        let nudge = async {
            sim.server().received(2).await;
            clock.advance(Duration::from_secs(30));
        };
        let fields = row_fields();
        let (read, ()) = futures_util::join!(read(&connector, fields), nudge);
        assert_eq!(read.receipt().distinct, 30);
    });
}

/// Another host, to which nothing may ever come.
struct Elsewhere;

impl Vendor for Elsewhere {
    fn handle(&self, _request: &hris_testkit::sim::SimRequest) -> SimResponse {
        SimResponse::empty(200)
    }
}

#[test]
fn a_redirect_is_never_followed() {
    run(async {
        let elsewhere = SimServer::start(Elsewhere).await;
        let sim = SesameSim::start(plain_population(5)).await;
        for status in [301, 302, 307] {
            let target = format!("{}/core/v3/employees", elsewhere.url());
            let redirect = SimResponse::raw(status, "text/html", "<html>").with_header("location", target);
            sim.faults().add(Fault::Answer(redirect).once().on_path(EMPLOYEES));
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol);
        }
        assert_eq!(elsewhere.request_count(), 0, "the token was not carried to another host");
    });
}

#[test]
fn a_page_that_is_cut_is_asked_for_again() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        sim.cut_page(2, 1);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.receipt().distinct, 260);
        assert!(read.receipt().absence.ground().is_usable());
    });
}

#[test]
fn a_body_that_breaks_off_on_the_wire_is_asked_for_again() {
    run(async {
        let info = include_str!("../fixtures/info.json");
        let active = include_str!("../fixtures/employees_active.json");
        let empty = include_str!("../fixtures/employees_empty.json");
        let server = FaultServer::start([
            Reply::json(info),
            Reply::json(active).cut_after(700),
            Reply::json(active),
            Reply::json(empty),
        ])
        .await;
        let connector = config(&server.url()).build(&token(), &transport(&clock())).unwrap();
        let read = read(&connector, row_fields()).await;
        assert_eq!((read.receipt().distinct, read.employees.len()), (2, 2));
        assert_eq!(server.request_count(), 4);
    });
}

#[test]
fn a_host_that_cannot_be_reached_is_told_apart_from_a_bad_token() {
    run(async {
        let transport = Transport::builder().with_clock(Arc::new(clock())).build().unwrap();
        let connector = config("http://127.0.0.1:9").build(&token(), &transport).unwrap();
        let error = connector.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.delivery(), hris_core::Delivery::NotSent);
    });
}
