//! What failed in an earlier run, tried again alone: nobody else is touched, nothing is repeated blindly.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{World, changed, ids, inactive, people, person};
use hris_core::store::{Plans as _, Runs as _};
use hris_core::{
    ConnectionKey, ErrorKind, Field, HrisConnector as _, Result, RunId, RunReport, RunResult, Trigger, rule,
};
use hris_sync::Replay;
use hris_testkit::TargetFault;

fn try_replay(world: &World, earlier: &RunReport, which: Replay) -> Result<RunReport> {
    let id = world.next_run_id();
    hris_testkit::run(world.engine().replay(&id, &earlier.run, which, world.today()))
}

fn replay(world: &World, earlier: &RunReport) -> RunReport {
    try_replay(world, earlier, Replay::Failed).unwrap()
}

fn in_department(n: u32, department: &str) -> hris_core::Employee {
    changed(n, |employee| employee.department = Field::Value(department.into()))
}

#[test]
fn failed_actions_are_tried_again_alone() {
    for asks in [true, false] {
        let mut world = World::new(people(1..=6));
        let mut can = world.directory.capabilities();
        can.single_read = asks;
        world.directory = world.directory.with_capabilities(can);
        let fault = || TargetFault::RejectsOne(rule::MEMBER_REJECTED);
        world.target.add_fault(fault().on_employee("E002"));
        world.target.add_fault(fault().on_employee("E005"));
        let failed = world.run();
        assert_eq!((failed.applied.created, failed.applied.failed), (4, 2));

        // Meanwhile others changed, came and left: none of that is anybody's business here.
        world.set_people(
            [in_department(1, "Legal"), inactive(3), person(7)].into_iter().chain([2, 4, 5, 6].map(person)),
        );
        let report = replay(&world, &failed);
        assert_eq!((report.trigger, &report.result), (Trigger::Replay, &RunResult::Applied));
        assert_eq!((report.planned.actions(), report.applied.created, report.applied.failed), (2, 2, 0));
        assert_eq!((report.planned.missing, world.target.writes()), (0, 6));
        assert_eq!(world.open_accounts(), ids(1..=6));

        let key = ConnectionKey::new("acme", "hr");
        let history = hris_testkit::run(world.store.runs(&key, 0, 9)).unwrap();
        assert_eq!(history.len(), 2, "it is in the history");
        let again =
            hris_testkit::run(world.engine().replay(&report.run, &failed.run, Replay::Failed, world.today()));
        assert_eq!(again.unwrap(), report, "and the same name answers the same report");
        assert_eq!(world.run().planned.actions(), 3, "the rest is left to an ordinary run");
    }
}

#[test]
fn what_is_tried_again_is_what_the_hr_system_says_now_and_no_value_was_kept() {
    let world = World::new(people(1..=2));
    world.run();
    world.set_people([in_department(1, "Canarieta"), person(2)]);
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee("E001"));
    let failed = world.run();
    assert_eq!(failed.applied.failed, 1);
    let key = ConnectionKey::new("acme", "hr");
    let kept = hris_testkit::run(world.store.actions(&key, failed.plan.as_ref().unwrap(), None, 9)).unwrap();
    assert!(kept[0].action.kind.changes().unwrap().is_empty());
    assert!(!world.store.dump().contains("Canarieta"));

    world.set_people([in_department(1, "Legal"), person(2)]);
    assert_eq!(replay(&world, &failed).applied.updated, 1);
    let member = world.target.member_by_employee_id("E001").unwrap();
    assert_eq!(member.attributes.text(&hris_core::MemberField::Department.into()), Some("Legal"));
}

#[test]
fn an_action_that_a_later_run_dealt_with_is_skipped_as_stale() {
    let world = World::new(people(1..=3));
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee("E002"));
    let failed = world.run();
    assert_eq!(world.run().applied.created, 1);
    let writes = world.target.writes();
    let report = replay(&world, &failed);
    assert_eq!(report.result, RunResult::NothingToDo);
    assert_eq!(report.warnings.get(&rule::ACTION_STALE), Some(&1));
    assert_eq!(world.target.writes(), writes);
}

#[test]
fn uncertain_actions_are_tried_again_by_choice_and_never_blindly() {
    let world = World::new(people(1..=3));
    world.target.add_fault(TargetFault::StoresNothingAnswersInDoubt.on_employee("E002").times(2));
    let uncertain = world.run();
    assert_eq!(uncertain.applied.uncertain, 1);
    assert_eq!(replay(&world, &uncertain).result, RunResult::NothingToDo, "failed ones there are none");
    // The create arrived after all, late.
    let late = hris_core::MemberRecord::new("member-late", {
        let mut attributes = hris_core::Attributes::new();
        attributes.set(hris_core::TargetField::EMPLOYEE_ID, Some("E002".into()));
        attributes.set(hris_core::TargetField::EMAIL, Some("p2@acme.example".into()));
        attributes
    });
    world.target.plant(late);
    let report = try_replay(&world, &uncertain, Replay::FailedAndUncertain).unwrap();
    assert_eq!((report.applied.created, report.applied.adopted), (0, 1));
    assert_eq!(world.open_accounts(), ids(1..=3));
    assert_eq!(world.target.invitations_sent(), 2, "nobody is invited twice");
}

#[test]
fn a_replay_is_guarded_and_tells_what_fails_again() {
    let world = World::new(people(1..=40));
    world.run();
    world.set_people((1..=4).map(inactive).chain((5..=40).map(person)));
    for number in 1..=4 {
        let refuses = TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee(format!("E{number:03}"));
        world.target.add_fault(refuses.always());
    }
    let failed = world.run();
    assert_eq!(failed.applied.failed, 4);
    let again = replay(&world, &failed);
    assert_eq!((again.applied.left, again.applied.failed), (0, 4));
    assert_eq!(again.problems.get(&rule::MEMBER_REJECTED), Some(&4));
    assert!(again.plan.is_some(), "with a plan, and so with an error file");

    let mut strict = world;
    strict.policy.leavers.at_least = 2;
    strict.policy.leavers.percent = 0;
    let held = replay(&strict, &failed);
    assert!(matches!(held.result, RunResult::Held { .. }));
}

#[test]
fn a_run_that_there_was_not_is_said_so() {
    let world = World::new(people(1..=1));
    let report = world.run();
    let engine = world.engine();
    let (next, never) = (RunId::from("next"), RunId::from("never"));
    let missing = engine.replay(&next, &never, Replay::Failed, world.today());
    assert_eq!(hris_testkit::run(missing).unwrap_err().kind(), ErrorKind::NotFound);
    let itself = engine.replay(&report.run, &report.run, Replay::Failed, world.today());
    assert_eq!(hris_testkit::run(itself).unwrap_err().kind(), ErrorKind::Invalid);
}
