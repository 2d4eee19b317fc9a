//! The limits of the vendor: requests a minute for each linked account, and failures of the whole process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hris_core::{Clock as _, ErrorKind, HrisConnector};
use hris_http::RetryPolicy;
use hris_merge::sim::MergeSim;
use hris_merge::{MergeCredentials, Plan};
use hris_testkit::sim::{Fault, RateLimit};
use hris_testkit::{ManualClock, run};

use crate::setup::{EMPLOYEES, clock, config, plain_population, read, row_fields, transport};

#[test]
fn a_plans_limit_is_never_overdrawn_by_connections_that_share_a_linked_account() {
    run(async {
        let sim = MergeSim::start(plain_population(60)).await;
        let clock = clock();
        sim.behave(|vendor| vendor.rate_limit = Some(RateLimit::per_minute(100, clock.clone())));
        let transport = transport(&clock);
        let config = config(sim.url()).with_page_size(1).with_plan(Plan::Launch);
        let one = config.clone().build(&sim.credentials(), &transport).unwrap();
        let two = config.build(&sim.credentials(), &transport).unwrap();
        let start = clock.now();
        for _ in 0..3 {
            let (one, two) = futures_util::join!(read(&one, row_fields()), read(&two, row_fields()));
            assert_eq!((one.receipt().distinct, two.receipt().distinct), (60, 60));
        }
        let minutes = (clock.now() - start).num_seconds() / 60;
        let requests = i64::try_from(sim.requests().len()).unwrap();
        assert!(requests > 360, "{requests}");
        assert!(requests <= 90 * (minutes + 1) + 6, "{requests} in {minutes} minutes");
    });
}

#[test]
fn another_linked_account_has_a_limit_of_its_own() {
    run(async {
        let sim = MergeSim::start(plain_population(80)).await;
        sim.add_account("account-b", "Otter & Sons", "token-b", plain_population(80));
        let clock = clock();
        sim.behave(|vendor| vendor.rate_limit = Some(RateLimit::per_minute(100, clock.clone())));
        let transport = transport(&clock);
        let start = clock.now();
        for token in [MergeSim::ACCOUNT_TOKEN, "token-b"] {
            let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), token.into());
            let config = config(sim.url()).with_page_size(4);
            let connector = config.build(&credentials, &transport).unwrap();
            assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 80);
        }
        assert!(clock.now() - start < chrono::TimeDelta::seconds(20), "neither waited for the other");
    });
}

#[test]
fn the_limit_can_be_switched_off() {
    run(async {
        let sim = MergeSim::start(plain_population(200)).await;
        let clock = clock();
        let config = config(sim.url()).with_page_size(1).with_requests_per_minute(None);
        let connector = config.build(&sim.credentials(), &transport(&clock)).unwrap();
        assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 200);
        assert!(clock.slept().iter().all(|wait| *wait >= Duration::from_secs(30)), "nothing but time-outs");
    });
}

#[test]
fn the_vendors_own_limit_is_survived_whether_it_names_a_time_or_not() {
    run(async {
        for tells_retry_after in [true, false] {
            let sim = MergeSim::start(plain_population(60)).await;
            let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(61));
            sim.behave(|vendor| {
                vendor.rate_limit = Some(RateLimit::per_minute(40, clock.clone()));
                vendor.tells_retry_after = tells_retry_after;
            });
            let config = config(sim.url()).with_page_size(1).with_requests_per_minute(None);
            let patient = RetryPolicy::default().with_attempt_timeout(Duration::from_secs(300));
            let connector =
                config.build(&sim.credentials(), &transport(&clock)).unwrap().with_retry_policy(patient);
            assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 60, "{tells_retry_after}");
        }
    });
}

#[test]
fn a_slow_down_is_waited_for_as_long_as_it_says_and_a_minute_if_it_says_nothing() {
    run(async {
        for (told, at_least) in [(Some(17), 17), (None, 60)] {
            let sim = MergeSim::start(plain_population(30)).await;
            sim.faults().add(Fault::rate_limited(told).times(2).on_path(EMPLOYEES));
            let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(61));
            let patient = RetryPolicy::default().with_attempt_timeout(Duration::from_secs(300));
            let connector = config(sim.url()).build(&sim.credentials(), &transport(&clock)).unwrap();
            let connector = connector.with_retry_policy(patient);
            assert_eq!(read(&connector, row_fields()).await.receipt().distinct, 30);
            let waits = clock.slept().into_iter().filter(|wait| *wait >= Duration::from_secs(at_least));
            assert!(waits.filter(|wait| *wait < Duration::from_secs(61)).count() >= 2);
        }
    });
}

#[test]
fn many_accounts_that_are_refused_at_once_never_trip_the_guard_over_the_address() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let clock = clock();
        let guard = Arc::new(clock.clone());
        sim.behave(|vendor| vendor.failure_guard = Some(guard));
        let transport = transport(&clock);
        let mut connectors = Vec::new();
        for number in 0..40 {
            let token = format!("withdrawn-{number}");
            let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), token.into());
            let config = config(sim.url()).with_max_in_flight(1);
            connectors.push(config.build(&credentials, &transport).unwrap());
        }
        let errors = join_all(connectors.iter().map(HrisConnector::check)).await;
        for error in errors {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert!(error.to_string().contains("account token is not"), "{error}");
        }
        assert_eq!(sim.guarded(), 0, "the whole process stopped in time");
        let good = config(sim.url()).build(&sim.credentials(), &transport).unwrap();
        assert_eq!(read(&good, row_fields()).await.receipt().distinct, 3);
    });
}

#[test]
fn without_a_common_transport_the_same_failures_do_trip_it() {
    run(async {
        // What the test above is worth: each connector with a budget registry of its own.
        let sim = MergeSim::start(plain_population(3)).await;
        let clock = clock();
        let guard = Arc::new(clock.clone());
        sim.behave(|vendor| vendor.failure_guard = Some(guard));
        for number in 0..40 {
            let token = format!("withdrawn-{number}");
            let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), token.into());
            let once = RetryPolicy::default().with_attempts(1);
            let connector = config(sim.url()).build(&credentials, &transport(&clock)).unwrap();
            connector.with_retry_policy(once).check().await.unwrap_err();
        }
        assert!(sim.guarded() > 0);
    });
}
