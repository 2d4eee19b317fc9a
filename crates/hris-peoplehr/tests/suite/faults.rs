//! What goes wrong on the way: slow-downs, failures, answers that are none, networks that interfere.

use std::time::Duration;

use hris_core::{Delivery, ErrorKind, HrisConnector as _};
use hris_peoplehr::sim::PeopleHrSim;
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimRequest, SimResponse, SimServer, Vendor};

use crate::setup::{TIMEOUT, build, build_by, clock, config, connector, few_fields, plain_population, read};

#[test]
fn a_slow_down_is_waited_for_as_long_as_it_says_and_else_for_a_minute() {
    run(async {
        for (retry_after, waits) in [(Some("17"), 17), (None, 60)] {
            let sim = PeopleHrSim::start(plain_population(30)).await;
            let retry_after = retry_after.map(str::to_owned);
            let fault = Fault::Status { code: 429, retry_after };
            sim.faults().add(fault.once().on(PeopleHrSim::is_listing));
            let clock = clock();
            let read = read(&build_by(config(sim.url()), &clock), few_fields()).await;
            assert_eq!(read.receipt().distinct, 30);
            assert!(clock.slept().contains(&Duration::from_secs(waits)), "{:?}", clock.slept());
        }
    });
}

#[test]
fn four_failures_in_a_row_before_the_first_row_are_survived() {
    run(async {
        let oops = r#"{"isError":true,"Status":6,"Message":"Oops! Something went wrong.","Result":null}"#;
        for fault in [
            Fault::status(500),
            Fault::status(502),
            Fault::status(503),
            Fault::status(504),
            Fault::status(408),
            Fault::Html,
            Fault::Empty,
            Fault::Refused,
            Fault::Answer(SimResponse::raw(200, "application/json", oops)),
            Fault::Answer(SimResponse::raw(500, "application/json", oops)),
        ] {
            for is_struck in
                [PeopleHrSim::is_listing, |request: &SimRequest| !PeopleHrSim::is_listing(request)]
            {
                let sim = PeopleHrSim::start(plain_population(60)).await;
                let shown = format!("{fault:?}");
                sim.faults().add(fault.clone().times(4).on(is_struck));
                assert_eq!(read(&connector(&sim), few_fields()).await.receipt().distinct, 60, "{shown}");
                assert_eq!(sim.faults().outstanding(), 0);
            }
        }
    });
}

#[test]
fn the_second_listing_that_never_comes_ends_the_reading_without_a_receipt() {
    run(async {
        for (fault, kind) in [
            (Fault::status(500), ErrorKind::Unavailable),
            (Fault::Html, ErrorKind::Protocol),
            (Fault::Answer(SimResponse::empty(204)), ErrorKind::Protocol),
            (Fault::BrokenJson, ErrorKind::Incomplete),
            (Fault::status(405), ErrorKind::Protocol),
        ] {
            let sim = PeopleHrSim::start(plain_population(60)).await;
            sim.faults().add(fault.always().on(PeopleHrSim::is_listing_of_everybody));
            let read = read(&connector(&sim), few_fields()).await;
            assert_eq!(read.error().kind(), kind);
            assert!(!read.error().is_retryable(), "tries were used up");
        }
    });
}

#[test]
fn a_message_in_a_failure_decides_before_its_status() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(5)).await;
        let body = r#"{"isError":true,"Status":5,"Message":"API key does not exists.","Result":null}"#;
        for status in [400, 403, 500] {
            sim.faults().clear();
            let fault = Fault::Answer(SimResponse::raw(status, "application/json", body));
            sim.faults().add(fault.always().on(PeopleHrSim::is_listing));
            let error = read(&connector(&sim), few_fields()).await.error.unwrap();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{status}");
        }
    });
}

#[test]
fn a_network_that_turns_the_caller_away_is_no_missing_permission() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(5)).await;
        sim.faults().add(Fault::status(403).always());
        let error = connector(&sim).check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert!(
            error.hint().unwrap().contains("user agent") && error.hint().unwrap().contains("IP Addresses")
        );
        sim.faults().clear();
        sim.faults().add(Fault::status(404).always());
        let error = connector(&sim).check().await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Protocol && error.hint().unwrap().contains("employee_path"),
            "{error}"
        );
    });
}

#[test]
fn a_slow_answer_is_waited_for_and_a_silent_one_given_up_after_its_time() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Slow(Duration::from_millis(20)).times(3));
        assert_eq!(read(&connector(&sim), few_fields()).await.receipt().distinct, 30);
        sim.faults().add(Fault::Hang.once().on(PeopleHrSim::is_listing));
        let clock = clock();
        let connector = build_by(config(sim.url()), &clock);
        let before = sim.requests().len();
        let nudge = async {
            sim.server().received(before + 2).await;
            clock.advance(TIMEOUT);
        };
        let (read, ()) = futures_util::join!(read(&connector, few_fields()), nudge);
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
        let sim = PeopleHrSim::start(plain_population(5)).await;
        for status in [301, 302, 307, 308] {
            let target = format!("{}/Employee", elsewhere.url());
            let redirect = SimResponse::raw(status, "text/html", "<html>").with_header("location", target);
            sim.faults().add(Fault::Answer(redirect).once().on(PeopleHrSim::is_listing));
            let read = read(&connector(&sim), few_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol);
        }
        assert_eq!(elsewhere.request_count(), 0, "no key was carried to another host");
    });
}

#[test]
fn a_host_that_cannot_be_reached_is_told_apart_from_a_bad_key() {
    run(async {
        let error = build(config("http://127.0.0.1:9")).check().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Unavailable, Delivery::NotSent));
    });
}
