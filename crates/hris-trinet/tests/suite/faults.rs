//! What goes wrong on the way: slow-downs, failures, answers that are none, redirects, cut and endless bodies.

use std::time::Duration;

use hris_core::{Delivery, ErrorKind, HrisConnector as _};
use hris_http::RetryPolicy;
use hris_testkit::sim::{Fault, RateLimit, SimRequest, SimResponse, SimServer, Vendor};
use hris_testkit::{FaultServer, ManualClock, Reply, run};
use hris_trinet::sim::TriNetSim;

use crate::setup::{
    EMPLOYEES, basic_fields, build, build_by, clock, config, connector, plain_population, read,
};

const TOKEN_ANSWER: &str =
    r#"{"access_token":"mockTokenAbCdEfGhIjKlMnOpQrS","token_type":"Bearer","expires_in":3599}"#;

#[test]
fn a_slow_down_is_waited_for_as_long_as_it_says() {
    run(async {
        for retry_after in ["17", "Mon, 02 Mar 2026 06:00:17 GMT"] {
            let sim = TriNetSim::start(plain_population(30)).await;
            let retry_after = Some(retry_after.to_owned());
            sim.faults().add(Fault::Status { code: 429, retry_after }.once().on_path(EMPLOYEES));
            let clock = clock();
            let read = read(&build_by(config(sim.url()), &clock), basic_fields()).await;
            assert_eq!(read.receipt().distinct, 30);
            let waits = clock.slept().into_iter().filter(|wait| *wait >= Duration::from_secs(16)).count();
            assert!(waits >= 1, "{:?}", clock.slept());
        }
    });
}

#[test]
fn a_slow_down_that_names_no_time_is_backed_off_from() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.faults().add(Fault::rate_limited(None).times(3).on_path(EMPLOYEES));
        assert_eq!(read(&connector(&sim), basic_fields()).await.receipt().distinct, 30);
        assert_eq!(sim.faults().outstanding(), 0);
    });
}

#[test]
fn the_vendors_own_limit_is_survived() {
    run(async {
        for tells_retry_after in [true, false] {
            let sim = TriNetSim::start(plain_population(60)).await;
            // Without a hint, twelve attempts with back-off last longer than the minute for which the limit holds.
            let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(61));
            sim.behave(|vendor| {
                vendor.rate_limit = Some(RateLimit::per_minute(40, clock.clone()));
                vendor.tells_retry_after = tells_retry_after;
            });
            let patient =
                RetryPolicy::default().with_attempt_timeout(Duration::from_secs(300)).with_attempts(12);
            let config = config(sim.url()).with_page_size(1).with_requests_per_minute(None);
            let connector = build_by(config, &clock).with_retry_policy(patient);
            assert_eq!(read(&connector, basic_fields()).await.receipt().distinct, 60, "{tells_retry_after}");
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
            Fault::status(504),
            Fault::status(408),
            Fault::Html,
            Fault::Empty,
            Fault::BrokenJson,
            Fault::Refused,
            own_status("500"),
            own_status("503"),
        ] {
            let sim = TriNetSim::start(plain_population(260)).await;
            let shown = format!("{fault:?}");
            sim.faults().add(TriNetSim::on_offset(fault.times(4), 101));
            assert_eq!(read(&connector(&sim), basic_fields()).await.receipt().distinct, 260, "{shown}");
            assert_eq!(sim.faults().outstanding(), 0);
        }
    });
}

/// A success by HTTP that is a failure by its own word.
fn own_status(status: &str) -> Fault {
    let body = format!(r#"{{"_requestId":"r-1","_statusCode":"{status}","_statusText":"x","data":null}}"#);
    Fault::Answer(SimResponse::raw(200, "application/json", body))
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
            (own_status("500"), ErrorKind::Unavailable),
            (own_status("400"), ErrorKind::Invalid),
        ] {
            let sim = TriNetSim::start(plain_population(260)).await;
            sim.faults().add(TriNetSim::on_offset(fault.always(), 101));
            let read = read(&connector(&sim), basic_fields()).await;
            assert_eq!(read.error().kind(), kind);
            assert!(!read.error().is_retryable(), "tries were used up");
            assert_eq!(read.employees.len(), 100, "the first page was delivered");
        }
    });
}

#[test]
fn what_is_no_list_of_employees_is_not_taken_for_an_empty_directory() {
    run(async {
        for body in [
            r#"{"data":null}"#,
            r#"{"data":{}}"#,
            r#"{"data":{"employeeData":null,"hasMore":false,"employeesTotal":0}}"#,
            r#"{"data":[],"_statusCode":"200","_requestId":"mock-7"}"#,
            "[]",
            "7",
        ] {
            let sim = TriNetSim::start(plain_population(5)).await;
            let answer = SimResponse::raw(200, "application/json", body);
            sim.faults().add(Fault::Answer(answer).always().on_path(EMPLOYEES));
            let read = read(&connector(&sim), basic_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol, "{body}");
            if body.contains("mock-7") {
                assert!(read.error().context().any(|entry| entry == ("request_id", "mock-7")));
            }
        }
    });
}

#[test]
fn a_slow_answer_is_waited_for() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Slow(Duration::from_millis(20)).times(2));
        assert_eq!(read(&connector(&sim), basic_fields()).await.receipt().distinct, 30);
    });
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_asked_for_again() {
    run(async {
        let sim = TriNetSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Hang.once().on_path(EMPLOYEES));
        let clock = clock();
        let connector = build_by(config(sim.url()), &clock);
        let nudge = async {
            sim.server().received(2).await;
            clock.advance(Duration::from_secs(30));
        };
        let (read, ()) = futures_util::join!(read(&connector, basic_fields()), nudge);
        assert_eq!(read.receipt().distinct, 30);
    });
}

/// Another host, to which nothing may ever come.
struct Elsewhere;

impl Vendor for Elsewhere {
    fn handle(&self, _request: &SimRequest) -> SimResponse {
        SimResponse::empty(200)
    }
}

#[test]
fn a_redirect_is_never_followed() {
    run(async {
        let elsewhere = SimServer::start(Elsewhere).await;
        let sim = TriNetSim::start(plain_population(5)).await;
        for status in [301, 302, 307] {
            for path in [EMPLOYEES, crate::setup::TOKEN] {
                let target = format!("{}{path}", elsewhere.url());
                let redirect =
                    SimResponse::raw(status, "text/html", "<html>").with_header("location", target);
                sim.faults().add(Fault::Answer(redirect).once().on_path(path));
                let read = read(&connector(&sim), basic_fields()).await;
                assert_eq!(read.error().kind(), ErrorKind::Protocol);
            }
        }
        assert_eq!(elsewhere.request_count(), 0, "no secret was carried to another host");
    });
}

#[test]
fn a_body_that_breaks_off_on_the_wire_is_asked_for_again() {
    run(async {
        let page = include_str!("../fixtures/employees_second_page.json");
        let server = FaultServer::start([
            Reply::json(TOKEN_ANSWER),
            Reply::json(page).cut_after(300),
            Reply::json(page),
        ])
        .await;
        let read = read(&build(config(&server.url())), basic_fields()).await;
        assert_eq!((read.receipt().distinct, read.employees.len()), (2, 2));
        assert_eq!(server.request_count(), 3);
    });
}

#[test]
fn an_answer_over_the_limit_is_refused_and_not_held_in_memory() {
    run(async {
        const LIMIT: u64 = 16 << 20;
        let announced = Reply::json("{}").with_length(LIMIT + 1);
        // Endless, and without its length.
        let endless = Reply::generated(std::iter::repeat_with(|| vec![b' '; 1 << 20]));
        for reply in [announced, endless] {
            let server = FaultServer::start([Reply::json(TOKEN_ANSWER), reply]).await;
            let read = read(&build(config(&server.url())), basic_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::TooLarge);
            assert_eq!(server.request_count(), 2, "which is not tried again");
        }
    });
}

#[test]
fn a_host_that_cannot_be_reached_is_told_apart_from_a_bad_pair() {
    run(async {
        let error = build(config("http://127.0.0.1:9")).check().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::NotSent));
    });
}
