//! Large bodies: taken apart as they arrive, with a limit for each record and none for the whole.

use std::time::Duration;

use futures_util::StreamExt as _;
use hris_core::{EmployeeField, ErrorKind, HrisConnector as _, ReadEvent, ReadQuery};
use hris_peoplehr::sim::PeopleHrSim;
use hris_testkit::{FaultServer, Reply, run};

use crate::setup::{
    COMPANY, TIMEOUT, build, build_by, clock, config, few_fields, only, plain_population, read,
};

const HEAD: &str = r#"{"isError":false,"Status":0,"Message":"x","Result":["#;

fn row(place: usize, padding: usize) -> String {
    let padding = "x".repeat(padding);
    format!(
        r#"{{"BankDetail":{{"BankName":"{padding}"}},"EmployeeId":{{"DisplayValue":"{place}"}},"UniqueKey":"u-{place}"}}"#
    )
}

/// A listing of so many people, row by row.
fn listing(people: usize, padding: usize) -> impl Iterator<Item = Vec<u8>> + Send + 'static {
    let rows = (0..people).map(move |place| {
        let comma = if place == 0 { "" } else { "," };
        format!("{comma}{}", row(place, padding)).into_bytes()
    });
    std::iter::once(HEAD.as_bytes().to_vec()).chain(rows).chain([b"]}".to_vec()])
}

#[test]
fn a_body_far_larger_than_a_page_is_read_row_by_row() {
    run(async {
        const PEOPLE: usize = 20_000;
        let replies = [
            Reply::json(COMPANY),
            Reply::generated(listing(PEOPLE, 1_000)),
            Reply::generated(listing(PEOPLE, 1_000)),
        ];
        let server = FaultServer::start(replies).await;
        let mut events =
            build(config(&server.url())).read(ReadQuery::everyone(only(EmployeeField::EmployeeId)));
        let (mut people, mut largest) = (0, 0);
        while let Some(event) = events.next().await {
            match event.unwrap() {
                ReadEvent::Employees(some) => {
                    (people, largest) = (people + some.len(), largest.max(some.len()));
                }
                ReadEvent::End(receipt) => assert_eq!(receipt.distinct, PEOPLE as u64),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(people, PEOPLE);
        assert!(largest < 2_000, "people are handed on while the body arrives: {largest} at once");
    });
}

#[test]
fn a_record_over_the_limit_is_refused_however_the_body_comes() {
    run(async {
        for padding in [900, 5_000] {
            let replies = [
                Reply::json(COMPANY),
                Reply::generated(listing(50, 10)),
                Reply::generated(listing(50, padding)),
            ];
            let server = FaultServer::start(replies).await;
            let read = read(&build(config(&server.url()).with_max_record_bytes(1 << 10)), few_fields()).await;
            if padding > 1_000 {
                assert_eq!(read.error().kind(), ErrorKind::TooLarge);
                assert!(read.error().hint().unwrap().contains("max_record_bytes"));
            } else {
                assert_eq!(read.receipt().distinct, 50);
            }
        }
    });
}

#[test]
fn a_record_without_end_is_refused_and_not_held_in_memory() {
    run(async {
        let endless = std::iter::once(format!(r#"{HEAD}{{"FirstName":""#).into_bytes())
            .chain(std::iter::repeat_with(|| vec![b'x'; 1 << 16]));
        let server = FaultServer::start([Reply::json(COMPANY), Reply::generated(endless)]).await;
        let read = read(&build(config(&server.url())), few_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::TooLarge);
        assert_eq!(server.request_count(), 2, "which is not tried again");
    });
}

#[test]
fn a_listing_that_is_cut_delivers_what_came_and_no_receipt() {
    run(async {
        let whole: Vec<u8> = listing(400, 100).flatten().collect();
        let cut = Reply::json(whole.clone()).cut_after(whole.len() / 2);
        let ends_early = Reply::json(&whole[..whole.len() / 2]);
        for (broken, which) in [(cut, "cut on the wire"), (ends_early, "ended in the middle")] {
            let replies =
                [Reply::json(COMPANY), Reply::json(whole.clone()), broken, Reply::json(whole.clone())];
            let server = FaultServer::start(replies).await;
            let read = read(&build(config(&server.url())), few_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Incomplete, "{which}");
            assert!(!read.error().is_retryable(), "{which}");
            assert!(
                read.error().context().any(|(key, _)| key == "bytes_read"),
                "{which}: {:?}",
                read.error()
            );
            assert_eq!(server.request_count(), 3, "{which}: what was handed on cannot be taken back");
        }
    });
}

#[test]
fn current_staff_that_is_cut_makes_no_leavers() {
    run(async {
        let whole: Vec<u8> = listing(400, 100).flatten().collect();
        let cut = Reply::json(whole.clone()).cut_after(whole.len() / 2);
        let server = FaultServer::start([Reply::json(COMPANY), cut, Reply::json(whole)]).await;
        let read = read(&build(config(&server.url())), few_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Incomplete);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn json_that_is_broken_in_a_row_is_named_by_its_place() {
    run(async {
        let broken = format!(r#"{HEAD}{},{{"UniqueKey":"u-2","EmployeeId":canary}}]}}"#, row(1, 10));
        let server = FaultServer::start([Reply::json(COMPANY)]).await;
        (0..5).for_each(|_| server.push(Reply::json(broken.clone())));
        let error = read(&build(config(&server.url())), few_fields()).await.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.context().any(|(key, _)| key == "bytes_read"), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    });
}

#[test]
fn rows_arrive_before_the_body_ends_and_a_pause_ends_it() {
    run(async {
        let (everybody, dribble) = Reply::dribbled();
        let server =
            FaultServer::start([Reply::json(COMPANY), Reply::generated(listing(150, 10)), everybody]).await;
        let clock = clock();
        let connector = build_by(config(&server.url()), &clock);
        let mut events = connector.read(ReadQuery::everyone(few_fields()));
        let rows: Vec<u8> = listing(150, 10).take(121).flatten().collect();
        dribble.send(rows);
        let first = events.next().await.unwrap().unwrap();
        assert!(matches!(first, ReadEvent::Employees(some) if some.len() >= 100));
        let pause = async {
            while clock.sleepers() == 0 {
                tokio::task::yield_now().await;
            }
            clock.advance(TIMEOUT);
        };
        let (last, ()) = futures_util::join!(events.next(), pause);
        assert_eq!(last.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
        assert!(events.next().await.is_none());
        assert!(clock.slept().contains(&TIMEOUT) && TIMEOUT > Duration::from_secs(60));
        drop(dribble);
    });
}

#[test]
fn a_byte_order_mark_and_white_space_change_nothing() {
    run(async {
        let people = plain_population(30);
        let sim = PeopleHrSim::start(people).await;
        let spaced = |answer: hris_testkit::sim::SimResponse| {
            let value: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            hris_testkit::sim::SimResponse::raw(200, "text/json", format!("\u{feff} \r\n{pretty}\n\t"))
        };
        sim.faults().add(hris_testkit::sim::Fault::change(spaced).always());
        assert_eq!(read(&build(config(sim.url())), few_fields()).await.receipt().distinct, 30);
    });
}
