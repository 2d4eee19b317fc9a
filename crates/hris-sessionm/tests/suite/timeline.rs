//! The activity timeline: one large page first, a walk only where that was full, pages and a stream.

use futures_util::StreamExt as _;
use hris_core::ErrorKind;
use hris_sessionm::{LoyaltyDesk as _, Points, TimelineQuery};
use hris_testkit::run;
use serde_json::{Value, json};

use super::setup::*;

fn event(n: u64) -> Value {
    json!({ "event_stream_stream_id": "s", "event_stream_event_type_id": 41, "timestamp": 1_610_000_000 + n,
        "event_stream_payload": { "event_type_slug": "INCENTIVES_POINT_SPEND", "Modification": -20, "n": n } })
}

fn page(events: impl Iterator<Item = u64>) -> hris_testkit::sim::SimResponse {
    json_ok(&json!({ "status": "ok", "result": events.map(event).collect::<Vec<_>>(), "event_types": [
        { "id": 41, "name": "Point spend", "slug": "INCENTIVES_POINT_SPEND" } ] }))
}

#[test]
fn the_desks_line_is_newest_first_with_amount_and_time_of_occurrence() {
    run(async {
        let stage = Stage::new().await;
        stage.on(TIMELINE, fixture("timeline"));
        let query = TimelineQuery::all().of_type("PURCHASE").of_type("INCENTIVES_POINT_SPEND");
        let timeline = stage.client.timeline(&customer(), &query).await.unwrap();
        let spend = &timeline.events[0];
        assert_eq!(
            (spend.slug.as_str(), spend.points()),
            ("INCENTIVES_POINT_SPEND", Some(Points::from(-20)))
        );
        assert_eq!(spend.summary(), "INCENTIVES_POINT_SPEND -20 2026-02-12T10:02:44.1203387Z");
        assert_eq!(timeline.events[1].timestamp.to_rfc3339(), "2026-02-11T09:10:00+00:00", "a time as text");
        assert_eq!(timeline.event_types.len(), 2);
        assert!(!timeline.is_cut);
        let request = &stage.server.requests()[0];
        assert_eq!((request.query("count"), request.query("since")), (Some("1000"), None));
        assert_eq!(request.query("event_types"), Some("PURCHASE,INCENTIVES_POINT_SPEND"));
    });
}

#[test]
fn a_full_page_is_walked_on_from_and_ties_are_counted_once() {
    run(async {
        let stage = Stage::new().await;
        stage.on(TIMELINE, page(0..1000)).on(TIMELINE, page(999..1137));
        let timeline =
            stage.client.timeline(&customer(), &TimelineQuery::all().in_pages_of(5)).await.unwrap();
        assert_eq!(stage.server.requests()[1].query("since"), Some("1610000998"));
        assert_eq!((timeline.events.len(), timeline.is_cut), (1000, true), "the cap of the settings");
        assert_eq!(timeline.events[0].payload.number("N"), Some(Points::from(1136)));
        assert_eq!((timeline.page(1).next, timeline.page(200).next, timeline.pages()), (Some(2), None, 200));
    });
}

#[test]
fn newest_first_answers_that_are_full_say_that_older_events_are_hidden() {
    run(async {
        let stage = Stage::new().await;
        stage.on(TIMELINE, page((0..1000).rev())).on(TIMELINE, page(999..1000));
        let timeline = stage.client.timeline(&customer(), &TimelineQuery::all()).await.unwrap();
        assert!(timeline.is_cut);
        stage.script.forget(TIMELINE);
        stage.on(TIMELINE, page((0..1000).rev())).on(TIMELINE, page(999..1000));
        let mut stream = stage.client.timeline_stream(&customer(), &TimelineQuery::all());
        let mut events = 0;
        let mut last = None;
        while let Some(item) = stream.next().await {
            match item {
                Ok(_) => events += 1,
                Err(error) => last = Some(error.kind()),
            }
        }
        assert_eq!((events, last), (1000, Some(ErrorKind::Incomplete)), "an error ends it");
    });
}

#[test]
fn a_full_page_of_one_instant_stops_and_says_so() {
    run(async {
        let stage = Stage::new().await;
        let same = || {
            (0..1000).map(|n| {
                let mut event = event(n);
                event["timestamp"] = json!(1_610_000_000);
                event
            })
        };
        stage.on(TIMELINE, json_ok(&json!({ "status": "ok", "result": same().collect::<Vec<_>>() })));
        let timeline = stage.client.timeline(&customer(), &TimelineQuery::all()).await.unwrap();
        assert_eq!((timeline.events.len(), timeline.is_cut, stage.server.requests().len()), (1000, true, 2));
    });
}

#[test]
fn milliseconds_are_asked_for_in_milliseconds() {
    run(async {
        let stage = Stage::new().await;
        let in_millis = |events: std::ops::Range<u64>| {
            let rows: Vec<_> = events
                .map(|n| {
                    let mut event = event(n);
                    event["timestamp"] = json!(1_610_000_000_000_u64 + n);
                    event
                })
                .collect();
            json_ok(&json!({ "status": "ok", "result": rows }))
        };
        stage.on(TIMELINE, in_millis(0..1000)).on(TIMELINE, in_millis(999..1001));
        stage.client.timeline(&customer(), &TimelineQuery::all()).await.unwrap();
        assert_eq!(stage.server.requests()[1].query("since"), Some("1610000000998"));
    });
}

#[test]
fn a_stream_goes_from_the_oldest_to_the_newest_and_is_lazy() {
    run(async {
        let stage = Stage::new().await;
        stage.on(TIMELINE, page((0..1000).chain(0..0))).on(TIMELINE, page(999..1005));
        let mut stream = stage.client.timeline_stream(&customer(), &TimelineQuery::all());
        assert_eq!(stage.server.requests().len(), 0);
        let mut numbers = Vec::new();
        while let Some(event) = stream.next().await {
            numbers.push(event.unwrap().payload.number("n").unwrap());
        }
        assert_eq!(numbers.len(), 1005);
        assert!(numbers.is_sorted());
    });
}

#[test]
fn an_event_without_a_time_is_an_error() {
    run(async {
        let stage = Stage::new().await;
        stage.on(TIMELINE, json_ok(&json!({ "status": "ok", "result": [{ "event_stream_payload": {} }] })));
        let error = stage.client.timeline(&customer(), &TimelineQuery::all()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}
