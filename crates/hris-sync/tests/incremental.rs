//! Readings of changes: when they are used, what they go on from, and that they never make anybody absent.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::{World, changed, ids, inactive, people, person};
use hris_core::store::{Checkpoint, Checkpoints as _};
use hris_core::{
    ConnectionKey, Employee, Error, ErrorKind, Field, FieldMap, Ground, Receipt, RecordId, RunResult, Scope,
    Watermark,
};
use hris_sync::Incremental;
use hris_testkit::{Ending, TargetFault};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn world(people: impl IntoIterator<Item = Employee>) -> World {
    let mut world = World::new(people);
    world.policy.incremental = Some(Incremental::default());
    world.directory.set_receipt(by_the_source);
    world
}

/// A source whose clock says zero minutes when everything begins, however old its rows are.
fn by_the_source(receipt: &mut Receipt) {
    if let Some(watermark) = &mut receipt.watermark {
        watermark.at = watermark.at.max(at(0));
    }
}

/// Person `n`, changed at a minute of the morning on which everything here happens.
fn stamped(n: u32, minute: i64, change: impl FnOnce(&mut Employee)) -> Employee {
    changed(n, |employee| {
        employee.modified_at = Some(at(minute));
        change(employee);
    })
}

fn at(minute: i64) -> DateTime<Utc> {
    "2026-03-02T05:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::minutes(minute)
}

fn old(numbers: std::ops::RangeInclusive<u32>) -> Vec<Employee> {
    numbers.map(|n| stamped(n, -600, |_| {})).collect()
}

fn checkpoint(world: &World) -> Option<Checkpoint> {
    hris_testkit::run(world.store.checkpoint(&ConnectionKey::new("acme", "hr"))).unwrap()
}

/// The scopes of all readings so far: `all`, `changes`, or whom.
fn scopes(world: &World) -> Vec<String> {
    let scope = |scope: &Scope| match scope {
        Scope::Everyone => "all".to_owned(),
        Scope::ChangedSince(_) => "changes".to_owned(),
        Scope::People(people) => {
            people.iter().map(|person| person.record.as_str()).collect::<Vec<_>>().join(" ")
        }
        _ => "?".to_owned(),
    };
    world.directory.queries().iter().map(|query| scope(&query.scope)).collect()
}

fn last_scope(world: &World) -> String {
    scopes(world).pop().unwrap_or_default()
}

#[test]
fn a_run_reads_only_what_changed_since_the_last_one_and_a_little_more() {
    let world = world(old(1..=3));
    world.run();
    world.set_people(
        [old(1..=2), vec![stamped(3, 20, |e| e.first_name = Field::Value("New".into()))]].concat(),
    );
    let report = world.run();
    assert_eq!(scopes(&world), ["all", "changes"]);
    let Scope::ChangedSince(since) = world.directory.queries()[1].scope.clone() else {
        panic!("a full reading")
    };
    assert_eq!(since, Watermark::at(at(-5)), "the watermark, less the overlap");
    assert_eq!((report.planned.read, report.applied.updated), (1, 1));
    assert_eq!(checkpoint(&world).unwrap().watermark, Some(Watermark::at(at(20))));
}

#[test]
fn everyone_is_read_unless_the_policy_and_the_connector_allow_less() {
    let without_policy = World::new(old(1..=2));
    without_policy.run();
    without_policy.run();
    assert_eq!(scopes(&without_policy), ["all", "all"]);
    assert_eq!(checkpoint(&without_policy), None);

    let mut capabilities = hris_core::HrisConnector::capabilities(&world([]).directory);
    capabilities.incremental = false;
    let mut unable = world(old(1..=2));
    unable.directory = unable.directory.with_capabilities(capabilities);
    unable.run();
    unable.run();
    assert_eq!(scopes(&unable), ["all", "all"]);
}

#[test]
fn everyone_is_read_after_some_days_and_after_a_change_of_mapping_or_policy() {
    let mut world = world(old(1..=2));
    world.run();
    world.clock.advance(6 * DAY);
    world.run();
    world.clock.advance(DAY);
    world.run();
    assert_eq!(scopes(&world), ["all", "changes", "all"]);
    world.run();
    assert_eq!(last_scope(&world), "changes");

    world.policy.shrink_percent = 21;
    world.run();
    assert_eq!(last_scope(&world), "all", "after a change of policy");
    world.run();
    assert_eq!(last_scope(&world), "changes");

    let rules = FieldMap::standard().rules().iter().take(3).cloned().collect();
    let other = std::sync::Arc::new(FieldMap::new(rules).unwrap());
    let run = |id: &str| {
        let engine = world.engine_with(std::sync::Arc::clone(&other));
        hris_testkit::run(engine.run(&id.into(), hris_core::Trigger::Schedule, world.today())).unwrap()
    };
    run("other mapping");
    assert_eq!(last_scope(&world), "all", "after a change of mapping");
    run("other mapping again");
    assert_eq!(last_scope(&world), "changes");
}

#[test]
fn a_reading_of_changes_makes_nobody_absent_whatever_its_receipt_says() {
    let world = world(old(1..=5));
    world.run();
    world.directory.set_receipt(|receipt| {
        by_the_source(receipt);
        receipt.full = true;
        receipt.absence = hris_core::ListingEvidence {
            natural_end: true,
            whole_population: true,
            ..hris_core::ListingEvidence::default()
        }
        .judge();
    });
    world.set_people(vec![stamped(1, 10, |e| e.department = Field::Value("Other".into()))]);
    let report = world.run();
    assert_eq!(last_scope(&world), "changes");
    assert_eq!((report.planned.missing, report.applied.left, report.result), (0, 0, RunResult::Applied));
    assert_eq!(world.open_accounts(), ids(1..=5));
}

#[test]
fn a_failed_a_held_and_a_dry_run_leave_the_watermark_where_it_was() {
    let mut world = world(old(1..=40));
    world.policy.leavers = hris_sync::Limit { at_least: 1, percent: 0, at_most: 1 };
    world.run();
    let before = checkpoint(&world).unwrap();
    let two_leave = (1..=40).map(|n| match n {
        1 | 2 => stamped(n, 10, |e| e.status = hris_core::EmploymentStatus::Inactive),
        _ => stamped(n, -600, |_| {}),
    });
    world.set_people(two_leave);
    assert!(matches!(world.run().result, RunResult::Held { .. }));
    assert_eq!(checkpoint(&world).unwrap(), before, "after a held plan");
    hris_testkit::run(world.engine().dry_run(world.today())).unwrap();
    assert_eq!(checkpoint(&world).unwrap(), before, "after a dry run");

    world.set_people(old(1..=40));
    for ending in [
        Ending::broken_off(),
        Ending::failing_after(0, || Error::new(ErrorKind::Unavailable, "gone")),
        Ending::failing_after(u64::MAX, || Error::new(ErrorKind::Timeout, "at the end")),
    ] {
        world.directory.set_ending(ending);
        assert!(world.try_run().is_err());
        assert_eq!(checkpoint(&world).unwrap(), before, "after a failed run");
    }
}

#[test]
fn whose_action_failed_is_read_again_although_they_did_not_change() {
    let world = world(old(1..=3));
    world
        .target
        .add_fault(TargetFault::RejectsOne(hris_core::rule::MEMBER_REJECTED).on_employee("E002").times(1));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed), (2, 1));
    assert_eq!(checkpoint(&world).unwrap().unsettled, [RecordId::from("r2")]);
    let report = world.run();
    assert_eq!(scopes(&world), ["all", "changes", "r2"]);
    assert_eq!(report.applied.created, 1);
    assert_eq!(world.open_accounts(), ids(1..=3));
    world.run();
    assert_eq!(last_scope(&world), "changes", "nothing is left open any more");
}

#[test]
fn people_who_are_held_are_read_again_until_they_are_settled() {
    let shared = |n| stamped(n, -600, |e| e.work_email = Field::Value("same@acme.example".into()));
    let world = world([old(1..=2), vec![shared(3), shared(4)]].concat());
    world.run();
    assert_eq!(world.open_accounts(), ids(1..=2));
    world.run();
    assert_eq!(scopes(&world), ["all", "changes", "r3 r4"]);
    // One of the two is corrected; the other one did not change and is created all the same.
    world.set_people([old(1..=2), vec![stamped(3, 30, |_| {}), shared(4)]].concat());
    world.run();
    assert_eq!(world.open_accounts(), ids(1..=4));
}

#[test]
fn a_contradiction_with_somebody_who_was_not_read_is_looked_at_in_a_reading_of_everyone() {
    let world = world(old(1..=3));
    world.run();
    let claims = |n, minute| stamped(n, minute, |e| e.employee_id = Field::Value("E001".into()));
    world.set_people([old(1..=3), vec![claims(9, 10)]].concat());
    let report = world.run();
    assert_eq!(scopes(&world), ["all", "changes", "all"]);
    assert_eq!(report.applied.affected(), 0);
    // Now both are asked for by name, and settled as soon as one of them is corrected.
    world.set_people([old(1..=3), vec![stamped(9, 20, |_| {})]].concat());
    world.run();
    assert_eq!(scopes(&world)[3..], ["changes", "r1"]);
    assert_eq!(world.open_accounts(), ids([1, 2, 3, 9]));
}

#[test]
fn what_somebody_claims_who_is_no_member_is_remembered() {
    let gone = stamped(9, -600, |e| {
        e.status = hris_core::EmploymentStatus::Inactive;
        e.employee_id = Field::Value("E777".into());
    });
    let world = world([old(1..=2), vec![gone.clone()]].concat());
    world.run();
    assert_eq!(checkpoint(&world).unwrap().claims.len(), 1);
    let reuses = stamped(5, 10, |e| e.employee_id = Field::Value("E777".into()));
    world.set_people([old(1..=2), vec![gone, reuses]].concat());
    world.run();
    assert_eq!(world.open_accounts(), ids(1..=2), "one Employee ID on two records holds both");
}

#[test]
fn too_many_open_people_make_the_next_reading_one_of_everyone() {
    let no_address = |n| stamped(n, -600, |e| e.work_email = Field::Null);
    let mut world = world((1..=4).map(no_address));
    world.policy.incremental = Some(Incremental::default().with_reread_at_most(3));
    world.run();
    assert_eq!(checkpoint(&world).unwrap().watermark, None);
    world.run();
    assert_eq!(scopes(&world), ["all", "all"]);
    world.set_people([vec![person(1)], (2..=4).map(no_address).collect()].concat());
    world.run();
    world.run();
    assert_eq!(scopes(&world)[3..], ["changes", "r2 r3 r4"]);
}

#[test]
fn everyone_is_read_again_when_leavers_were_withheld() {
    let world = world(old(1..=3));
    world.run();
    world.directory.set_receipt(|receipt| receipt.status = Ground::refused("the account needs relinking"));
    let leaver = stamped(1, 10, |e| e.status = hris_core::EmploymentStatus::Inactive);
    world.set_people([vec![leaver], old(2..=3)].concat());
    assert_eq!(world.run().applied.left, 0);
    world.directory.set_receipt(by_the_source);
    let report = world.run();
    assert_eq!(last_scope(&world), "all");
    assert_eq!(report.applied.left, 1);
}

#[test]
fn a_trusted_tombstone_in_a_reading_of_changes_closes_its_member() {
    let world = world(old(1..=3));
    world.run();
    world.set_people(old(1..=2));
    world.directory.set_deleted(["r3".into()]);
    let report = world.run();
    assert_eq!((last_scope(&world).as_str(), report.applied.left), ("changes", 1));
    assert_eq!(world.closed_accounts(), ids([3]));
}

#[test]
fn everyone_is_read_on_the_day_on_which_somebodys_start_comes_near() {
    let starts = stamped(3, -600, |e| {
        e.status = hris_core::EmploymentStatus::Pending;
        e.start_date = Field::Value("2026-03-12".parse().unwrap());
    });
    let mut world = world([old(1..=2), vec![starts]].concat());
    world.policy.create_before_start_days = Some(7);
    world.run();
    assert_eq!(checkpoint(&world).unwrap().changes_on, "2026-03-05".parse().ok());
    world.clock.advance(2 * DAY);
    world.run();
    assert_eq!(last_scope(&world), "changes");
    world.clock.advance(DAY);
    let report = world.run();
    assert_eq!((last_scope(&world).as_str(), report.applied.created), ("all", 1));
}

#[test]
fn a_stamp_that_lies_ahead_does_not_push_the_watermark_beyond_the_reading() {
    let ahead = |e: &mut Employee| e.modified_at = "2099-01-01T00:00:00Z".parse().ok();
    let world = world([old(1..=2), vec![changed(3, ahead)]].concat());
    world.run();
    let watermark = checkpoint(&world).unwrap().watermark.unwrap();
    assert_eq!(watermark.at, "2026-03-02T06:00:00Z".parse::<DateTime<Utc>>().unwrap());
}

#[test]
fn a_review_and_a_run_that_asks_for_it_read_everyone() {
    let world = world(people(1..=3));
    world.run();
    world.plan();
    assert_eq!(last_scope(&world), "all");
    let engine = world.engine().with_full_reading();
    hris_testkit::run(engine.run(&"full".into(), hris_core::Trigger::OnDemand, world.today())).unwrap();
    assert_eq!(scopes(&world), ["all", "all", "all"]);
    let leaver = inactive(1);
    assert_eq!(leaver.modified_at, None, "rows without a stamp are in every reading of changes");
}
