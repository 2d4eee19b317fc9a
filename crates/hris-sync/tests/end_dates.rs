//! Leaving by the end date: opt-in, at the end of the last day where the person works.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::time::Duration;

use common::{World, changed, ids, person};
use futures_util::TryStreamExt as _;
use hris_core::{
    ActionKind, Employee, EmploymentStatus, ErrorKind, Field, HrisConnector as _, LeaveReason,
    ProvisioningPlan as _,
};
use hris_sync::{EndDate, Incremental};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn ending(n: u32, day: &str, zone: Option<&str>) -> Employee {
    changed(n, |it| {
        it.end_date = Field::Value(day.parse().unwrap());
        it.time_zone = zone.map_or(Field::Null, |zone| Field::Value(zone.to_owned()));
    })
}

fn world(people: impl IntoIterator<Item = Employee>) -> World {
    let mut world = World::new(people);
    world.policy.end_date = EndDate::Decides { time_zone: "Europe/Madrid".to_owned() };
    world
}

#[test]
fn accounts_close_at_the_end_of_the_last_day_where_the_person_works() {
    // It is six in the morning of the second of March in UTC.
    let world = world([
        ending(1, "2026-03-02", Some("Pacific/Kiritimati")),
        ending(2, "2026-03-02", Some("Australia/Sydney")),
        ending(3, "2026-03-02", None),
        ending(4, "2026-03-02", Some("America/Los_Angeles")),
        ending(5, "2026-03-02", Some("Nowhere/At_All")),
    ]);
    world.run();
    assert_eq!(world.open_accounts(), ids(1..=5), "the last day is a day of work everywhere");
    for (hours, left) in [
        (4, vec![1]),             // 10:00 UTC, midnight at UTC+14
        (4, vec![1, 2]),          // 14:00 UTC, past midnight in Sydney
        (8, vec![1, 2]),          // 22:00 UTC, 23:00 in Madrid
        (1, vec![1, 2, 3, 5]),    // 23:00 UTC, midnight in Madrid
        (8, vec![1, 2, 3, 5]),    // 07:00 UTC, 23:00 in Los Angeles
        (1, vec![1, 2, 3, 4, 5]), // 08:00 UTC, midnight in Los Angeles
    ] {
        world.clock.advance(hours * HOUR);
        world.run();
        assert_eq!(world.closed_accounts(), ids(left));
    }
}

#[test]
fn nobody_leaves_before_their_last_day_is_over_where_the_end_date_decides() {
    let entered_early = |n, day| {
        let mut leaver = ending(n, day, None);
        leaver.status = EmploymentStatus::Inactive;
        leaver
    };
    let world = world([ending(1, "2026-03-10", None), person(2)]);
    world.run();
    world.set_people([entered_early(1, "2026-03-10"), person(2)]);
    assert_eq!(world.run().applied.left, 0);
    world.clock.advance(9 * 24 * HOUR);
    assert_eq!(world.run().applied.left, 1);
    world.set_people([changed(1, |it| it.status = EmploymentStatus::Inactive), person(2)]);
    assert_eq!(world.run().applied.affected(), 0);
}

#[test]
fn whose_last_day_is_over_is_not_created_and_a_corrected_date_brings_them_back() {
    let world = world([ending(1, "2026-03-01", None), person(2)]);
    world.run();
    assert_eq!(world.open_accounts(), ids([2]));
    world.set_people([person(1), ending(2, "2026-03-01", None)]);
    let plan = world.plan();
    let actions: Vec<hris_core::Action> = hris_testkit::run(plan.actions(None).try_collect()).unwrap();
    let by_date = |kind: &ActionKind| matches!(kind, ActionKind::Leave { reason: LeaveReason::EndDate, .. });
    assert_eq!(actions.iter().filter(|action| by_date(&action.kind)).count(), 1, "the plan says why");
    world.run();
    assert_eq!((world.open_accounts(), world.closed_accounts()), (ids([1]), ids([2])));
    world.set_people([person(1), ending(2, "2026-12-31", None)]);
    assert_eq!(world.run().applied.reactivated, 1);
}

#[test]
fn everyone_is_read_around_somebodys_last_day() {
    let mut world = world([ending(1, "2026-03-04", None), person(2)]);
    world.policy.incremental = Some(Incremental::default());
    world.directory.set_people([1, 2].map(|n| {
        let mut it = if n == 1 { ending(1, "2026-03-04", None) } else { person(2) };
        it.modified_at = "2026-01-01T00:00:00Z".parse().ok();
        it
    }));
    world.run();
    for _ in 0..4 {
        world.clock.advance(24 * HOUR);
        world.run();
    }
    assert_eq!(world.closed_accounts(), ids([1]));
    assert!(world.directory.capabilities().incremental);
}

#[test]
fn a_time_zone_that_does_not_exist_is_refused() {
    let mut world = World::new([person(1)]);
    world.policy.end_date = EndDate::Decides { time_zone: "Europe/Nowhere".to_owned() };
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Config);
}
