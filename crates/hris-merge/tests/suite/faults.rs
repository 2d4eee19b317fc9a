//! What goes wrong on the way: failures, answers that are none, redirects and cut bodies.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use hris_core::{EmployeeField, ErrorKind, HrisConnector as _, ReadQuery};
use hris_http::Transport;
use hris_merge::MergeCredentials;
use hris_merge::sim::MergeSim;
use hris_testkit::sim::{Fault, SimRequest, SimResponse, SimServer, Vendor};
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{
    EMPLOYEES, clock, config, connector, everything, only, plain_population, read, row_fields, transport,
};

#[test]
fn four_failures_in_a_row_on_one_page_are_survived() {
    run(async {
        for fault in [
            Fault::status(408),
            Fault::status(500),
            Fault::status(502),
            Fault::status(503),
            Fault::Html,
            Fault::Empty,
            Fault::BrokenJson,
            Fault::Answer(SimResponse::raw(200, "application/json", r#"{"results":[oops]}"#)),
            Fault::Refused,
        ] {
            let sim = MergeSim::start(plain_population(260)).await;
            let shown = format!("{fault:?}");
            sim.on_page(fault, 2, 4);
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.receipt().distinct, 260, "{shown}");
            assert!(read.receipt().absence.ground().is_usable(), "{shown}");
            assert_eq!(sim.faults().outstanding(), 0);
        }
    });
}

#[test]
fn a_page_that_never_comes_ends_the_reading_without_a_receipt() {
    run(async {
        for (fault, kind, attempts) in [
            (Fault::status(500), ErrorKind::Unavailable, 5),
            (Fault::Html, ErrorKind::Protocol, 5),
            (Fault::BrokenJson, ErrorKind::Protocol, 5),
            (Fault::Answer(SimResponse::empty(204)), ErrorKind::Protocol, 5),
            (Fault::status(401), ErrorKind::Unauthorized, 1),
            (Fault::status(403), ErrorKind::Forbidden, 1),
            (Fault::status(405), ErrorKind::Protocol, 1),
        ] {
            let sim = MergeSim::start(plain_population(260)).await;
            sim.on_page(fault, 2, 99);
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.error().kind(), kind);
            assert!(!read.error().is_retryable(), "tries were used up");
            assert_eq!(read.employees.len(), 100, "the first page was delivered");
            assert_eq!(sim.requests_for(EMPLOYEES).len(), 1 + attempts, "{kind:?}");
        }
    });
}

#[test]
fn an_answer_that_is_no_page_is_not_taken_for_an_empty_directory() {
    run(async {
        for body in [
            "{}",
            "[]",
            "7",
            r#"{"results":null}"#,
            r#"{"results":{}}"#,
            r#"{"next":null}"#,
            r#"{"next":7,"results":[]}"#,
            r#"{"next":"https://api.merge.dev/api","results":[]}"#,
        ] {
            let sim = MergeSim::start(plain_population(5)).await;
            let answer = SimResponse::raw(200, "application/json", body);
            sim.faults().add(Fault::Answer(answer).always().on_path(EMPLOYEES));
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol, "{body}");
        }
    });
}

#[test]
fn a_listing_that_is_not_there_is_told_apart_from_a_lost_cursor() {
    run(async {
        let sim = MergeSim::start(plain_population(5)).await;
        sim.faults().add(Fault::status(404).always().on_path(EMPLOYEES));
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::NotFound);
        assert!(read.error().to_string().contains("HR system"), "{}", read.error());
        assert_eq!(sim.requests_for(EMPLOYEES).len(), 1);
    });
}

#[test]
fn a_problem_type_is_told_and_the_vendors_sentence_is_not() {
    run(async {
        let sim = MergeSim::start(plain_population(5)).await;
        sim.behave(|vendor| vendor.refuses_unknown_expand = true);
        let body = r#"{"errors":[{"title":"t","detail":"about Ana","problem_type":"PROVIDER_ERROR"}]}"#;
        let answer = SimResponse::raw(400, "application/json", body);
        sim.faults().add(Fault::Answer(answer).always().on_path(EMPLOYEES));
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Invalid);
        let shown = format!("{} {:?}", read.error(), read.error());
        assert!(shown.contains("PROVIDER_ERROR") && !shown.contains("Ana"), "{shown}");
    });
}

#[test]
fn every_relation_that_is_asked_for_is_known_to_the_vendor() {
    run(async {
        let sim = MergeSim::start(plain_population(5)).await;
        sim.behave(|vendor| vendor.refuses_unknown_expand = true);
        assert_eq!(read(&connector(&sim), everything()).await.receipt().distinct, 5);
    });
}

#[test]
fn relations_that_stay_ids_cost_their_fields_and_clear_nothing() {
    run(async {
        let sim = MergeSim::start(plain_population(5)).await;
        sim.behave(|vendor| vendor.never_expanded = vec!["groups".into(), "work_location".into()]);
        let fields = [EmployeeField::Department, EmployeeField::Location, EmployeeField::WorkEmail];
        let read = read(&connector(&sim), fields.into_iter().collect()).await;
        for employee in &read.employees {
            assert!(employee.department.is_absent() && employee.location.is_absent());
            assert!(employee.work_email.value().is_some());
            assert_eq!(employee.problems.len(), 2, "{:?}", employee.problems);
        }
    });
}

#[test]
fn a_secret_that_is_withdrawn_in_mid_run_ends_the_reading_at_once() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        sim.account_tokens().revoke_after(3);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unauthorized);
        assert!(read.error().to_string().contains("account token"));
        assert_eq!(read.employees.len(), 100);
        assert_eq!(sim.requests_for(EMPLOYEES).len(), 2, "a 401 is not tried again");
    });
}

#[test]
fn a_slow_answer_is_waited_for() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Slow(Duration::from_millis(20)).times(3));
        assert_eq!(read(&connector(&sim), row_fields()).await.receipt().distinct, 30);
    });
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_asked_for_again() {
    run(async {
        let sim = MergeSim::start(plain_population(30)).await;
        sim.faults().add(Fault::Hang.once().on_path(EMPLOYEES));
        let clock = clock();
        let connector = config(sim.url()).build(&sim.credentials(), &transport(&clock)).unwrap();
        let nudge = async {
            sim.server().received(3).await;
            clock.advance(Duration::from_secs(30));
        };
        let (read, ()) = futures_util::join!(read(&connector, row_fields()), nudge);
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
        let sim = MergeSim::start(plain_population(5)).await;
        for status in [301, 302, 307] {
            let target = format!("{}{EMPLOYEES}", elsewhere.url());
            let redirect = SimResponse::raw(status, "text/html", "<html>").with_header("location", target);
            sim.faults().add(Fault::Answer(redirect).once().on_path(EMPLOYEES));
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Protocol);
        }
        assert_eq!(elsewhere.request_count(), 0, "the secrets were not carried to another host");
    });
}

const ACCOUNT_JSON: &str = r#"{"id":"a","status":"COMPLETE","category":"hris","integration":"PeopleHR"}"#;
const SYNC_JSON: &str = r#"{"next":null,"results":[{"model_id":"hris.Employee","status":"DONE",
    "is_initial_sync":false,"last_sync_finished":"2026-03-02T05:00:00Z","last_sync_result":"DONE"}]}"#;

async fn scripted(replies: impl IntoIterator<Item = Reply>) -> (FaultServer, hris_merge::MergeConnector) {
    let opening = [Reply::json(ACCOUNT_JSON), Reply::json(SYNC_JSON)];
    let server = FaultServer::start(opening.into_iter().chain(replies)).await;
    let credentials = MergeCredentials::new("k".into(), "t".into());
    let connector = config(&server.url()).build(&credentials, &transport(&clock())).unwrap();
    (server, connector)
}

#[test]
fn a_body_that_breaks_off_on_the_wire_is_asked_for_again() {
    run(async {
        let page =
            include_str!("../fixtures/employees.json").replace("\"next\": \"cD0y", "\"previous\": \"cD0y");
        let replies = [
            Reply::json(page.clone()).cut_after(700),
            Reply::json(page.clone()).chunked().cut_after(900),
            Reply::json(page),
            Reply::json(SYNC_JSON),
        ];
        let (server, connector) = scripted(replies).await;
        let read = read(&connector, row_fields()).await;
        assert_eq!((read.receipt().distinct, read.deleted.len()), (4, 1));
        assert_eq!(server.request_count(), 6);
    });
}

#[test]
fn an_answer_beyond_the_limit_ends_the_reading_before_it_fills_the_memory() {
    run(async {
        let endless = std::iter::once(br#"{"next":null,"results":["#.to_vec())
            .chain(std::iter::repeat_with(|| vec![b' '; 64 << 10]));
        let (_server, connector) = scripted([Reply::generated(endless)]).await;
        let read = read(&connector, row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::TooLarge);
    });
}

#[test]
fn the_next_page_is_asked_for_before_the_present_one_was_used() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        let connector = connector(&sim);
        let mut events = connector.read(ReadQuery::everyone(only(EmployeeField::WorkEmail)));
        let first = events.next().await.unwrap().unwrap();
        // Nobody asks the stream for anything more while the second request arrives.
        sim.server().received(4).await;
        assert!(matches!(first, hris_core::ReadEvent::Employees(page) if page.len() == 100));
        drop(events);
        assert_eq!(sim.requests_for(EMPLOYEES).len(), 2, "one page ahead and no further");
    });
}

#[test]
fn a_host_that_cannot_be_reached_is_told_apart_from_a_bad_secret() {
    run(async {
        let transport = Transport::builder().with_clock(Arc::new(clock())).build().unwrap();
        let credentials = MergeCredentials::new("k".into(), "t".into());
        let connector = config("http://127.0.0.1:9").build(&credentials, &transport).unwrap();
        let error = connector.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.delivery(), hris_core::Delivery::NotSent);
    });
}
