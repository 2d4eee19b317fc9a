//! What an administrator allows: protected members, actions that are switched off, guards on Employee IDs and on emptied
//! attributes, and leaving by absence.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{World, changed, ids, inactive, people, person};
use hris_core::{
    Employee, Error, ErrorKind, Field, HoldReason, Lookup, MemberField, RunReport, RunResult, TargetField,
    rule,
};
use hris_sync::{Absence, Limit, Switch};
use hris_testkit::Ending;

fn emptied(n: u32) -> Employee {
    changed(n, |it| it.department = Field::Null)
}

fn count(report: &RunReport, rule: &hris_core::RuleCode) -> u64 {
    report.problems.get(rule).copied().unwrap_or_default()
}

fn department(world: &World, n: u32) -> Option<String> {
    let member = world.target.member_by_employee_id(format!("E{n:03}")).unwrap();
    member.attributes.text(&MemberField::Department.into()).map(str::to_owned)
}

#[test]
fn a_protected_member_is_neither_changed_nor_closed_and_is_shown() {
    let mut world = World::new(people(1..=4));
    world.policy.protected = ["E001".into(), "E002".into(), "E003".into()].into();
    world.run();
    assert_eq!(world.open_accounts(), ids(1..=4), "protected people are created like others");
    let renamed = changed(1, |it| it.first_name = Field::Value("Other".into()));
    world.set_people([renamed, inactive(2), inactive(4)]);
    world.directory.set_deleted(["r3".into()]);
    let report = world.run();
    assert_eq!((report.applied.affected(), report.applied.left), (1, 1), "{report}");
    assert_eq!((report.planned.blocked, count(&report, &rule::MEMBER_PROTECTED)), (3, 3));
    assert_eq!(world.open_accounts(), ids(1..=3));
}

#[test]
fn actions_that_are_switched_off_are_shown_as_blocked_and_not_carried_out() {
    let mut world = World::new(people(1..=3));
    world.run();
    world.set_people([
        changed(1, |it| it.first_name = Field::Value("Other".into())),
        inactive(2),
        person(3),
        person(4),
    ]);
    world.policy.switched_off = [Switch::Create, Switch::Update, Switch::Leave].into();
    let report = world.run();
    assert_eq!((report.planned.actions(), report.planned.blocked), (0, 3), "{report}");
    assert_eq!(count(&report, &rule::ACTION_BLOCKED), 3);
    assert!(report.to_string().contains("3 blocked"), "{report}");
    assert_eq!(world.open_accounts(), ids(1..=3));
    world.policy.switched_off.clear();
    assert_eq!(world.run().applied.affected(), 3);
}

#[test]
fn an_attribute_that_is_suddenly_empty_for_many_clears_nobody() {
    let mut world = World::new(people(1..=100));
    world.run();
    world.set_people((1..=100).map(|n| if n <= 21 { emptied(n) } else { person(n) }));
    let report = world.run();
    let reason = HoldReason::FieldEmptied { field: MemberField::Department.into(), planned: 21, limit: 20 };
    assert_eq!(report.result, RunResult::Held { reasons: vec![reason] });
    assert_eq!(department(&world, 1).as_deref(), Some("Sales"));
    world.set_people((1..=100).map(|n| if n <= 20 { emptied(n) } else { person(n) }));
    assert_eq!(world.run().applied.updated, 20);
    world.policy.emptied = Limit { at_least: 0, percent: 0, at_most: 0 };
    world.set_people((1..=100).map(|n| if n <= 21 { emptied(n) } else { person(n) }));
    assert!(matches!(world.run().result, RunResult::Held { .. }), "one more is too many now");
}

#[test]
fn too_many_changed_employee_ids_hold_the_plan() {
    let mut world = World::new(people(1..=10));
    world.policy.re_keys = Some(Limit { at_least: 1, percent: 10, at_most: 5 });
    world.run();
    let re_keyed = |n: u32| changed(n, |it| it.employee_id = Field::Value(format!("N{n:03}").into()));
    world.set_people((1..=10).map(|n| if n <= 2 { re_keyed(n) } else { person(n) }));
    let report = world.run();
    let reason = HoldReason::TooManyReKeys { planned: 2, limit: 1 };
    assert_eq!(report.result, RunResult::Held { reasons: vec![reason] });
    world.set_people((1..=10).map(|n| if n <= 1 { re_keyed(n) } else { person(n) }));
    assert_eq!(world.run().applied.updated, 1);
}

#[test]
fn too_many_changed_addresses_hold_the_plan() {
    // From work to personal addresses for everybody at once is a slip of the mapping.
    let mut world = World::new(people(1..=10));
    world.policy.email_changes = Some(Limit { at_least: 1, percent: 10, at_most: 5 });
    world.run();
    let private = |n: u32| changed(n, |it| it.work_email = Field::Value(format!("p{n}@home.example")));
    world.set_people((1..=10).map(private));
    let report = world.run();
    let reason = HoldReason::TooManyEmailChanges { planned: 10, limit: 1 };
    assert_eq!(report.result, RunResult::Held { reasons: vec![reason] });
    world.set_people((1..=10).map(|n| if n <= 1 { private(n) } else { person(n) }));
    assert_eq!(world.run().applied.updated, 1);
}

fn leaving_by_absence(people: impl IntoIterator<Item = Employee>, complete_runs: u32) -> World {
    let mut world = World::new(people);
    world.policy.absence = Absence::Leave { complete_runs };
    world.run();
    world
}

#[test]
fn who_is_missing_leaves_after_two_complete_listings_and_a_read_of_that_very_person() {
    let world = leaving_by_absence(people(1..=10), 2);
    world.set_people(people(1..=9));
    let first = world.run();
    assert_eq!((first.applied.left, first.planned.missing), (0, 1));
    assert!(world.directory.lookups().is_empty(), "nobody is asked for after one listing");
    let second = world.run();
    assert_eq!((second.applied.left, second.planned.missing), (1, 0), "{second}");
    assert_eq!(world.directory.lookups().len(), 1);
    assert_eq!(world.closed_accounts(), ids([10]));
}

#[test]
fn by_default_nobody_leaves_by_absence() {
    let world = World::new(people(1..=10));
    world.run();
    world.set_people(people(1..=9));
    (0..3).for_each(|_| assert_eq!(world.run().applied.left, 0));
    assert!(world.directory.lookups().is_empty());
}

#[test]
fn whoever_is_there_when_asked_for_stays_and_whoever_left_leaves_by_status() {
    let mut world = leaving_by_absence(people(1..=40), 2);
    let directory = world.directory.clone();
    let found = |person: Employee| move || Ok(Lookup::Found(Box::new(person.clone())));
    let answers = directory
        .with_lookup("r37", found(person(37)))
        .with_lookup("r38", found(inactive(38)))
        .with_lookup("r39", || Ok(Lookup::Erased))
        .with_lookup("r40", || Err(Error::new(ErrorKind::Unavailable, "try later")));
    world.directory = answers;
    world.set_people(people(1..=36));
    world.run();
    let report = world.run();
    assert_eq!(world.closed_accounts(), ids([38]), "{report}");
    assert_eq!(count(&report, &rule::PERSON_MISSING), 4);
}

#[test]
fn a_listing_that_is_not_complete_counts_for_nothing_and_who_comes_back_starts_anew() {
    let world = leaving_by_absence(people(1..=10), 2);
    world.set_people(people(1..=9));
    world.run();
    world.directory.set_receipt(|receipt| {
        receipt.absence = hris_core::AbsenceGround::refused("a page came twice");
    });
    assert_eq!(world.run().applied.left, 0, "an unproven listing");
    world.directory.set_receipt(|_| {});
    world.directory.set_ending(Ending::broken_off());
    assert!(world.try_run().is_err());
    world.directory.set_ending(Ending::complete());
    world.set_people(people(1..=10));
    world.run();
    world.set_people(people(1..=9));
    assert_eq!(world.run().applied.left, 0, "who came back is missing for the first time again");
    assert_eq!(world.run().applied.left, 1);
}

#[test]
fn too_many_missing_people_hold_the_plan_and_nobody_is_asked_for() {
    let mut world = leaving_by_absence(people(1..=40), 2);
    world.policy.shrink_percent = 100;
    world.set_people(people(1..=35));
    world.run();
    let report = world.run();
    let reason = HoldReason::TooManyLeavers { planned: 5, limit: 4 };
    assert_eq!(report.result, RunResult::Held { reasons: vec![reason] }, "{report}");
    assert!(world.directory.lookups().is_empty());
    assert_eq!(world.open_accounts().len(), 40);
}

#[test]
fn a_protected_member_does_not_leave_by_absence() {
    let mut world = leaving_by_absence(people(1..=10), 2);
    world.policy.protected = ["E010".into()].into();
    world.set_people(people(1..=9));
    world.run();
    let report = world.run();
    assert_eq!((report.applied.left, report.planned.blocked), (0, 1), "{report}");
}

#[test]
fn a_guard_names_the_attribute_and_the_numbers() {
    let field = TargetField::from(MemberField::Department);
    let shown = HoldReason::FieldEmptied { field, planned: 21, limit: 20 }.to_string();
    assert_eq!(shown, "department would be emptied for 21 members, at most for 20 it may in one run");
}
