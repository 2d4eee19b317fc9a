//! Envelopes: failures inside a success, in every spelling, and emptiness that proves nothing.

use std::time::Duration;

use hris_core::ErrorKind;
use hris_http::RetryPolicy;
use hris_peoplehr::Listings;
use hris_peoplehr::sim::{FlagSpelling, NoResult, PeopleHrSim, ThrottleForm};
use hris_testkit::population::Population;
use hris_testkit::sim::{Fault, RateLimit, SimResponse};
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{
    COMPANY, TIMEOUT, build, build_by, clock, config, connector, few_fields, plain_population, read,
};

fn answer(body: &str) -> Fault {
    Fault::Answer(SimResponse::raw(200, "application/json", body))
}

#[test]
fn everything_reads_the_same_however_the_envelope_is_spelt() {
    run(async {
        for flag in
            [FlagSpelling::Wire, FlagSpelling::Specification, FlagSpelling::Text, FlagSpelling::LeftOut]
        {
            for puts_rows_first in [false, true] {
                let sim = PeopleHrSim::start(plain_population(60)).await;
                sim.behave(|vendor| (vendor.flag, vendor.puts_rows_first) = (flag, puts_rows_first));
                assert_eq!(read(&connector(&sim), few_fields()).await.receipt().distinct, 60, "{flag:?}");
            }
        }
    });
}

#[test]
fn a_refusal_is_one_in_every_spelling_and_whatever_stands_for_the_result() {
    run(async {
        for flag in
            [FlagSpelling::Wire, FlagSpelling::Specification, FlagSpelling::Text, FlagSpelling::LeftOut]
        {
            for no_result in [NoResult::Null, NoResult::EmptyObject, NoResult::LeftOut] {
                let sim = PeopleHrSim::start(plain_population(5)).await;
                sim.behave(|vendor| (vendor.flag, vendor.no_result) = (flag, no_result));
                sim.revoke_key(PeopleHrSim::KEY);
                let error = read(&connector(&sim), few_fields()).await.error.unwrap();
                assert_eq!(error.kind(), ErrorKind::Unauthorized, "{flag:?} {no_result:?}");
            }
        }
    });
}

#[test]
fn an_empty_answer_in_any_form_is_no_empty_company() {
    run(async {
        let nobody = || Population::new(7).size(0).build();
        for no_result in [NoResult::Null, NoResult::EmptyObject, NoResult::LeftOut] {
            for flags_emptiness in [false, true] {
                let sim = PeopleHrSim::start(nobody()).await;
                sim.behave(|vendor| {
                    (vendor.no_result, vendor.flags_emptiness) = (no_result, flags_emptiness);
                });
                let error = read(&connector(&sim), few_fields()).await.error.unwrap();
                assert_eq!(error.kind(), ErrorKind::Incomplete, "{no_result:?}");
            }
        }
        for body in [
            r#"{"isError":false,"Status":0,"Message":"The request processed successfully.","Result":[]}"#,
            r#"{"isError":false,"Status":10,"Message":"The requested processed successfully.","Result":[]}"#,
        ] {
            let sim = PeopleHrSim::start(plain_population(5)).await;
            sim.faults().add(answer(body).always().on(PeopleHrSim::is_listing));
            for listings in [Listings::Both, Listings::Everybody] {
                let connector = build(config(sim.url()).with_listings(listings));
                let read = read(&connector, few_fields()).await;
                assert_eq!(read.error().kind(), ErrorKind::Incomplete, "{body}");
                assert!(read.employees.is_empty());
            }
        }
    });
}

#[test]
fn an_empty_listing_that_passes_is_asked_for_again() {
    run(async {
        let empty = r#"{"isError":false,"Status":0,"Message":"Slow down, please","Result":[]}"#;
        let sim = PeopleHrSim::start(plain_population(30)).await;
        sim.faults().add(answer(empty).times(2).on(PeopleHrSim::is_listing));
        let clock = clock();
        assert_eq!(read(&build_by(config(sim.url()), &clock), few_fields()).await.receipt().distinct, 30);
        let minutes = clock.slept().into_iter().filter(|wait| *wait == Duration::from_secs(60)).count();
        assert_eq!(minutes, 2, "each after a minute");
    });
}

#[test]
fn a_success_without_a_list_is_of_another_form_and_not_empty() {
    run(async {
        for body in [
            r#"{"isError":false,"Status":0,"Message":"x","Result":null}"#,
            r#"{"isError":false,"Status":0,"Message":"x","Result":{}}"#,
            r#"{"isError":false,"Status":0,"Message":"x","Result":"x"}"#,
            r#"{"isError":false,"Status":0,"Message":"x"}"#,
            r#"{"isError":false,"Status":10,"Message":"No record found.","Result":[{"UniqueKey":"u"}]}"#,
            r#"{"isError":false,"Message":"x","Result":[{"UniqueKey":"u"}]}"#,
            r#"{"isError":true,"Status":0,"Message":"","Result":[{"UniqueKey":"u"}]}"#,
            r#"{"isError":false,"Status":77,"Message":"","Result":[{"UniqueKey":"u"}]}"#,
            r#"{"Result":[{"UniqueKey":"u"}],"isError":true,"Status":0}"#,
        ] {
            let sim = PeopleHrSim::start(plain_population(5)).await;
            sim.faults().add(answer(body).always().on(PeopleHrSim::is_listing));
            let read = read(&connector(&sim), few_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol, "{body}: {:?}", read.error());
            assert!(!read.error().is_retryable(), "{body}");
        }
    });
}

#[test]
fn a_failure_that_stands_behind_the_rows_gives_no_receipt() {
    run(async {
        let rows = (0..2_000).map(|place| {
            let comma = if place == 0 { "" } else { "," };
            let padding = "x".repeat(1_000);
            format!(r#"{comma}{{"UniqueKey":"u-{place}","Title":"{padding}"}}"#).into_bytes()
        });
        let tail = r#"],"Message":"API calls will be limited to a 50 per minute","Status":0}"#;
        let pieces = [br#"{"Result":["#.to_vec()].into_iter().chain(rows).chain([tail.as_bytes().to_vec()]);
        let pieces: Vec<_> = pieces.collect();
        let sound: Vec<u8> = pieces.concat();
        let sound = String::from_utf8(sound).unwrap().replace(tail, r#"],"Message":"x","Status":0}"#);
        let server =
            FaultServer::start([Reply::json(COMPANY), Reply::json(sound), Reply::generated(pieces)]).await;
        let read = read(&build(config(&server.url())), few_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::RateLimited);
        assert_eq!(server.request_count(), 3, "what was handed on cannot be taken back");
    });
}

#[test]
fn a_slow_down_that_looks_like_an_empty_success_is_waited_out_for_a_minute() {
    run(async {
        for form in
            [ThrottleForm::Flagged, ThrottleForm::EmptySuccess, ThrottleForm::Bare, ThrottleForm::Status]
        {
            let clock = clock();
            let sim = PeopleHrSim::start(plain_population(30)).await;
            sim.behave(|vendor| vendor.limit = Some((RateLimit::per_minute(2, clock.clone()), form)));
            let unlimited = config(sim.url()).with_requests_per_minute(None);
            let connector = build_by(unlimited, &clock);
            assert_eq!(read(&connector, few_fields()).await.receipt().distinct, 30, "{form:?}");
            assert!(clock.slept().contains(&Duration::from_secs(60)), "{form:?} {:?}", clock.slept());
            assert_eq!(sim.requests().len(), 4, "three calls, one of them twice");
        }
    });
}

#[test]
fn twenty_five_requests_a_minute_are_kept_to_by_all_connections_to_a_host() {
    run(async {
        use hris_core::HrisConnector as _;
        let clock = clock();
        let sim = PeopleHrSim::start(plain_population(5)).await;
        let limit = RateLimit::per_minute(25, clock.clone());
        sim.behave(|vendor| vendor.limit = Some((limit, ThrottleForm::Flagged)));
        let transport = crate::setup::transport(&clock);
        let policy = RetryPolicy::default().with_attempt_timeout(TIMEOUT).with_idle_timeout(TIMEOUT);
        let connect =
            || config(sim.url()).build(&sim.key(), &transport).unwrap().with_retry_policy(policy.clone());
        let (one, other) = (connect(), connect());
        for _ in 0..20 {
            one.check().await.unwrap();
            other.check().await.unwrap();
        }
        assert_eq!(sim.requests().len(), 80, "none was turned away");
    });
}

#[test]
fn a_wording_of_the_vendors_own_can_be_taught_by_configuration() {
    run(async {
        let sim = PeopleHrSim::start(plain_population(30)).await;
        let body =
            |message: &str| format!(r#"{{"isError":true,"Status":5,"Message":"{message}","Result":null}}"#);
        for (message, kind) in [
            ("Too many calls", ErrorKind::RateLimited),
            ("Key withdrawn", ErrorKind::Unauthorized),
            ("Box not ticked", ErrorKind::Forbidden),
            ("Another thing", ErrorKind::Invalid),
        ] {
            sim.faults().clear();
            sim.faults().add(answer(&body(message)).always().on(PeopleHrSim::is_listing));
            let config = config(sim.url())
                .with_throttle_message("too MANY calls")
                .with_credential_message("withdrawn")
                .with_permission_message("not ticked.");
            let error = read(&build(config), few_fields()).await.error.unwrap();
            assert_eq!(error.kind(), kind, "{message}");
        }
    });
}
