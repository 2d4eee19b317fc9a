//! Readings of those changed since an earlier one: by the source's clock, with an overlap, and proving nothing about
//! anybody else.

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{ReadQuery, Scope, Watermark};
use hris_merge::sim::MergeSim;
use hris_testkit::population::DayPlan;
use hris_testkit::run;

use crate::setup::{
    EMPLOYEES, Read, build, collect, config, connector, plain_population, read, refusal, row_fields,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn since(watermark: Watermark) -> ReadQuery {
    ReadQuery::scoped(Scope::ChangedSince(watermark), row_fields())
}

fn asked(sim: &MergeSim) -> Option<DateTime<Utc>> {
    let requests = sim.requests_for(EMPLOYEES);
    requests.last().unwrap().query("modified_after").map(at)
}

#[test]
fn the_watermark_is_when_the_reading_began_by_the_sources_clock() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        // The clock of this side stands at six; that of the source is a good hour ahead, and goes on while it is read.
        sim.behave(|vendor| vendor.now = "2026-03-02T07:12:30Z".to_owned());
        sim.behave_after_page(1, |vendor| vendor.now = "2026-03-02T08:00:00Z".to_owned());
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.receipt().watermark, Some(Watermark::at(at("2026-03-02T07:12:30Z"))));
    });
}

#[test]
fn the_changed_and_the_deleted_are_read_and_prove_nothing_about_others() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        sim.behave(|vendor| "BambooHR".clone_into(&mut vendor.integration.0));
        let connector = connector(&sim);
        let first: Read = read(&connector, row_fields()).await;
        let plan = DayPlan { hires: 3, leavers: 2, vanished: 1, field_changes: 4, ..DayPlan::quiet() };
        let changes = sim.next_day(&plan);
        sim.behave(|vendor| vendor.now = "2026-03-03T06:00:00Z".to_owned());
        let next = collect(&connector, since(first.receipt().watermark.clone().unwrap())).await;

        let touched: std::collections::BTreeSet<_> =
            changes.touched().filter(|id| !changes.vanished.iter().any(|gone| gone == id)).collect();
        let read: std::collections::BTreeSet<_> =
            next.employees.iter().map(|employee| employee.record.as_str()).collect();
        assert_eq!(read, touched);
        assert_eq!(next.deleted, [changes.vanished[0].as_str().into()]);
        let receipt = next.receipt();
        assert!(!receipt.full && receipt.status.is_usable() && receipt.tombstones.is_usable());
        assert!(refusal(receipt.absence.ground()).contains("only people changed"));
        assert_eq!(receipt.distinct, 9);
        assert_eq!(receipt.watermark, Some(Watermark::at(at("2026-03-03T06:00:00Z"))));
    });
}

#[test]
fn a_reading_begins_a_little_before_the_last_one_began() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let mark = Watermark::at(at("2026-03-02T05:00:00Z"));
        collect(&connector(&sim), since(mark.clone())).await.receipt();
        assert_eq!(asked(&sim), Some(at("2026-03-02T04:45:00Z")));
        let hours = build(config(sim.url()).with_overlap(120), &sim);
        collect(&hours, since(mark)).await.receipt();
        assert_eq!(asked(&sim), Some(at("2026-03-02T03:00:00Z")));
    });
}

#[test]
fn a_watermark_from_a_clock_that_ran_ahead_is_brought_back_to_the_sources_present() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        let ahead = Watermark::at(at("2031-01-01T00:00:00Z"));
        let read = collect(&connector(&sim), since(ahead)).await;
        assert_eq!(asked(&sim), Some(at("2026-03-02T05:45:00Z")));
        assert_eq!(read.receipt().watermark, Some(Watermark::at(at("2026-03-02T06:00:00Z"))));
    });
}

#[test]
fn a_source_that_does_not_tell_the_time_gives_no_watermark() {
    run(async {
        let sim = MergeSim::start(plain_population(3)).await;
        sim.behave(|vendor| vendor.tells_time = false);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.receipt().watermark, None, "the next reading has to be a full one");
    });
}

#[test]
fn stamps_ahead_of_the_source_are_brought_back_to_its_present() {
    run(async {
        let people = plain_population(30);
        let sim = MergeSim::start(people.clone()).await;
        let newest = people.people().iter().map(|person| person.modified_at).max().unwrap();
        let now = newest - TimeDelta::days(1);
        sim.behave(|vendor| vendor.now = now.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        let read = read(&connector(&sim), row_fields()).await;
        let latest = read.employees.iter().filter_map(|employee| employee.modified_at).max();
        assert!(latest.unwrap() <= now + TimeDelta::seconds(1), "{latest:?}");
    });
}
