//! Before the first day: created early by choice, on the day where the person works; and withdrawn, if they never come.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::time::Duration;

use common::{World, changed, ids, inactive, people, person};
use futures_util::TryStreamExt as _;
use hris_core::store::Checkpoints as _;
use hris_core::{
    ActionKind, ConnectionKey, Employee, EmploymentStatus, Field, Ground, HoldReason, LeaveReason,
    ProvisioningPlan as _, Receipt, RunReport, RunResult, rule,
};
use hris_sync::{Absence, EndDate, Incremental, PlanView, Switch};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Somebody whose first day is the ninth of March; today is the second.
fn hired(n: u32, status: EmploymentStatus) -> Employee {
    starting(n, "2026-03-09", status)
}

fn starting(n: u32, day: &str, status: EmploymentStatus) -> Employee {
    changed(n, |it| {
        it.status = status;
        it.start_date = Field::Value(day.parse().unwrap());
    })
}

fn pending(n: u32) -> Employee {
    hired(n, EmploymentStatus::Pending)
}

/// People 1 and 2 work here, 3 and 4 are created before their start.
fn world() -> World {
    let mut world = World::new([person(1), person(2), pending(3), pending(4)]);
    world.policy.create_before_start_days = Some(14);
    world.policy.shrink_percent = 100;
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.invited), (4, 4));
    world
}

fn reasons(plan: &PlanView) -> Vec<(String, LeaveReason)> {
    let actions: Vec<hris_core::Action> = hris_testkit::run(plan.actions(None).try_collect()).unwrap();
    let reason = |action: &hris_core::Action| match &action.kind {
        ActionKind::Leave { reason, .. } => Some((action.after.employee_id.to_string(), *reason)),
        _ => None,
    };
    let mut reasons: Vec<_> = actions.iter().filter_map(reason).collect();
    reasons.sort_by(|a, b| a.0.cmp(&b.0));
    reasons
}

fn closed(report: &RunReport) -> (u64, u64) {
    (report.applied.withdrawn, report.applied.left)
}

#[test]
fn a_hire_that_is_rescinded_before_the_first_day_is_withdrawn_and_no_leaver() {
    let world = world();
    world.clock.advance(DAY);
    world.set_people([person(1), inactive(2), hired(3, EmploymentStatus::Inactive), pending(4)]);
    let plan = world.plan();
    let mut actions = World::actions(&plan);
    actions.sort();
    assert_eq!(actions, ["leave E002", "withdraw E003"]);
    assert_eq!((plan.summary().leave, plan.summary().withdraw, plan.summary().closing()), (1, 1, 2));
    let reason = |id: &str, reason| (id.to_owned(), reason);
    let expected = [reason("E002", LeaveReason::Status), reason("E003", LeaveReason::Withdrawn)];
    assert_eq!(reasons(&plan), expected);
    let report = world.run();
    assert_eq!((closed(&report), report.applied.affected()), ((1, 1), 2), "{report}");
    assert!(report.to_string().contains("1 before their start"), "{report}");
    assert!(report.irreversible_from.is_some(), "what is closed is deleted some day, withdrawn or not");
    assert_eq!((world.open_accounts(), world.closed_accounts()), (ids([1, 4]), ids([2, 3])));
    assert_eq!(world.run().planned.actions(), 0);
    assert_eq!(world.target.invitations_sent(), 4);
}

#[test]
fn whoever_is_withdrawn_and_comes_after_all_is_the_same_member_and_not_invited_again() {
    let world = world();
    let member = world.target.member_by_employee_id("E003").unwrap().id;
    world.set_people([person(1), person(2), hired(3, EmploymentStatus::Inactive), pending(4)]);
    assert_eq!(closed(&world.run()), (1, 0));
    world.clock.advance(9 * DAY);
    world.set_people(people(1..=4));
    let report = world.run();
    assert_eq!((report.applied.reactivated, report.applied.invited), (1, 0), "{report}");
    assert_eq!(world.target.member_by_employee_id("E003").unwrap().id, member);
}

#[test]
fn from_the_first_day_on_whoever_is_inactive_is_a_leaver() {
    let world = world();
    // It is the eighth, and then the ninth.
    world.clock.advance(6 * DAY);
    world.set_people([person(1), person(2), hired(3, EmploymentStatus::Inactive), pending(4)]);
    assert_eq!(closed(&world.run()), (1, 0));
    world.clock.advance(DAY);
    world.set_people([person(1), person(2), inactive(3), hired(4, EmploymentStatus::Inactive)]);
    assert_eq!(closed(&world.run()), (0, 1));
}

#[test]
fn somebody_who_left_and_is_to_come_back_later_is_a_leaver() {
    let world = world();
    let again = |status| {
        let mut it = starting(2, "2026-04-01", status);
        it.end_date = Field::Value("2026-03-01".parse().unwrap());
        it
    };
    world.set_people([person(1), again(EmploymentStatus::Inactive), pending(3), pending(4)]);
    let report = world.run();
    assert_eq!(closed(&report), (0, 1), "{report}");
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn withdrawals_count_for_the_guard_on_leavers() {
    let mut world = world();
    world.policy.leavers = hris_sync::Limit { at_least: 1, percent: 0, at_most: 1 };
    let rescinded = [3, 4].map(|n| hired(n, EmploymentStatus::Inactive));
    world.set_people(rescinded.into_iter().chain(people(1..=2)));
    let report = world.run();
    let reasons = vec![HoldReason::TooManyLeavers { planned: 2, limit: 1 }];
    assert_eq!(report.result, RunResult::Held { reasons });
    assert_eq!(world.open_accounts(), ids(1..=4));
    world.policy.switched_off.insert(Switch::Leave);
    let report = world.run();
    assert_eq!((report.planned.blocked, report.planned.closing()), (2, 0), "{report}");
}

#[test]
fn no_receipt_that_forbids_leavers_withdraws_anybody() {
    let world = world();
    world.set_people([person(1), person(2), hired(3, EmploymentStatus::Inactive), pending(4)]);
    world.directory.set_receipt(|receipt: &mut Receipt| {
        receipt.status = Ground::Refused("the account needs relinking".into());
    });
    let report = world.run();
    assert_eq!((closed(&report), world.open_accounts()), ((0, 0), ids(1..=4)), "{report}");
}

#[test]
fn whoever_vanishes_before_the_first_day_is_reported_apart_and_stays() {
    let world = world();
    world.set_people([person(1), pending(4)]);
    for _ in 0..3 {
        world.clock.advance(DAY);
        let report = world.run();
        assert_eq!((closed(&report), report.planned.missing), ((0, 0), 2), "{report}");
        let told = [rule::PERSON_MISSING, rule::PERSON_NOT_STARTED];
        assert_eq!(told.map(|rule| report.warnings.get(&rule).copied()), [Some(1), Some(1)], "{report}");
    }
    let plan = world.plan();
    let expected = [("person.missing", "r2"), ("person.not_started", "r3")];
    assert_eq!(World::rules(&plan), expected.map(|(rule, who)| (rule.into(), who.into())));
    assert_eq!(world.open_accounts(), ids(1..=4));
    // Whoever was there from the first day on is nobody who never came.
    world.clock.advance(9 * DAY);
    world.set_people([person(1), person(3), person(4)]);
    world.run();
    world.set_people([person(1), person(4)]);
    assert_eq!(world.run().warnings.get(&rule::PERSON_NOT_STARTED), None);
}

#[test]
fn by_the_policy_on_absence_whoever_never_came_is_withdrawn_once_it_is_confirmed() {
    let mut world = world();
    world.policy.absence = Absence::Leave { complete_runs: 2 };
    world.set_people([person(1), pending(4)]);
    for (expected, left) in [((0, 0), ids([])), ((1, 1), ids([2, 3]))] {
        world.clock.advance(DAY);
        let report = world.run();
        assert_eq!((closed(&report), world.closed_accounts()), (expected, left), "{report}");
    }
}

#[test]
fn a_trusted_tombstone_before_the_first_day_withdraws() {
    let mut world = world();
    world.set_people([person(1), pending(4)]);
    world.directory = world.directory.with_deleted(["r2".into(), "r3".into()]);
    let plan = world.plan();
    let mut actions = World::actions(&plan);
    actions.sort();
    assert_eq!(actions, ["leave E002", "withdraw E003"]);
    assert_eq!(closed(&world.run()), (1, 1));
}

#[test]
fn who_had_not_started_is_remembered_over_readings_of_changes_and_without_any_date() {
    let mut world = World::new([]);
    world.policy.create_before_start_days = Some(14);
    world.policy.incremental = Some(Incremental::default());
    let stamped = |mut employee: Employee, day: &str| {
        employee.modified_at = format!("2026-03-{day}T00:00:00Z").parse().ok();
        employee
    };
    let here = |n| stamped(person(n), "01");
    let hired = starting(3, "2026-03-13", EmploymentStatus::Pending);
    world.set_people([here(1), here(2), stamped(hired, "01")]);
    world.run();
    for _ in 0..2 {
        world.clock.advance(DAY);
        world.run();
    }
    let key = ConnectionKey::new("acme", "hr");
    let checkpoint = hris_testkit::run(world.store.checkpoint(&key)).unwrap().unwrap();
    assert_eq!(checkpoint.not_started.len(), 1);
    assert!(!world.store.dump().contains("2026-03-13"), "when somebody starts is in no store");
    // The vendor says no more of somebody whose hire was rescinded than that.
    let mut gone = inactive(3);
    gone.start_date = Field::Absent;
    world.set_people([here(1), here(2), stamped(gone, "04")]);
    assert_eq!(closed(&world.run()), (1, 0));
    world.clock.advance(DAY);
    world.run();
    let checkpoint = hris_testkit::run(world.store.checkpoint(&key)).unwrap().unwrap();
    assert_eq!(checkpoint.not_started, []);
}

#[test]
fn people_are_created_before_their_start_by_the_day_where_they_work() {
    // It is six in the morning of the second of March in UTC: already evening in Sydney, still the first in Denver.
    let zoned = |n: u32, zone: Option<&str>| {
        let mut it = starting(n, "2026-03-09", EmploymentStatus::Pending);
        it.time_zone = zone.map_or(Field::Null, |zone| Field::Value(zone.to_owned()));
        it
    };
    let mut world = World::new([
        zoned(1, Some("Australia/Sydney")),
        zoned(2, None),
        zoned(3, Some("America/Denver")),
        zoned(4, Some("Nowhere/At_All")),
    ]);
    world.policy.create_before_start_days = Some(6);
    for (there, hours) in [
        (vec![], 7),           // 06:00 UTC
        (vec![1], 10),         // 13:00 UTC, midnight in Sydney
        (vec![1], 1),          // 23:00 UTC
        (vec![1, 2, 4], 6),    // the third in UTC, by which the customer goes
        (vec![1, 2, 4], 1),    // 06:00 UTC, 23:00 in Denver
        (vec![1, 2, 3, 4], 1), // 07:00 UTC, midnight in Denver
    ] {
        world.run();
        assert_eq!(world.open_accounts(), ids(there), "{}", world.today());
        world.clock.advance(hours * Duration::from_secs(3600));
    }
}

#[test]
fn withdrawn_is_who_has_not_started_where_they_work() {
    // Past midnight of the first day in Sydney, the day before in Denver.
    let zoned = |n: u32, zone: &str, status| {
        let mut it = starting(n, "2026-03-03", status);
        it.time_zone = Field::Value(zone.to_owned());
        it
    };
    let directory = |status: EmploymentStatus| {
        [zoned(1, "Australia/Sydney", status.clone()), zoned(2, "America/Denver", status), person(3)]
    };
    let mut world = World::new(directory(EmploymentStatus::Pending));
    world.policy.create_before_start_days = Some(7);
    world.run();
    world.clock.advance(Duration::from_secs(9 * 3600));
    world.set_people(directory(EmploymentStatus::Inactive));
    let plan = world.plan();
    let mut actions = World::actions(&plan);
    actions.sort();
    assert_eq!(actions, ["leave E001", "withdraw E002"]);
}

#[test]
fn nobody_is_withdrawn_before_the_end_date_where_that_decides() {
    let mut world = world();
    world.policy.end_date = EndDate::Decides { time_zone: "Europe/Madrid".to_owned() };
    let mut rescinded = hired(3, EmploymentStatus::Inactive);
    rescinded.end_date = Field::Value("2026-03-05".parse().unwrap());
    world.set_people([person(1), person(2), rescinded, pending(4)]);
    assert_eq!(closed(&world.run()), (0, 0));
    world.clock.advance(4 * DAY);
    assert_eq!(closed(&world.run()), (1, 0));
}
