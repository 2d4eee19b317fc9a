//! Carrying plans out: single failures, lost answers, stops and crashes. Nothing is doubled, nothing silently lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;

use common::{World, changed, ids, inactive, people, person};
use hris_core::store::{ActionState, Plans as _};
use hris_core::{ConnectionKey, ErrorKind, Field, ProvisioningPlan, Trigger, rule};
use hris_sync::Cancel;
use hris_testkit::{MockTarget, TargetFault};

#[test]
fn one_refused_record_is_reported_and_is_nobody_elses_problem() {
    let world = World::new(people(1..=5));
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee("E003"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed), (4, 1));
    assert_eq!(report.problems.get(&rule::MEMBER_REJECTED), Some(&1));
    assert_eq!(world.open_accounts(), ids([1, 2, 4, 5]));
    assert_eq!(world.run().applied.created, 1, "the next run tries again");
}

#[test]
fn a_create_whose_answer_is_lost_is_found_by_reading_and_not_repeated() {
    let world = World::new(people(1..=3));
    world.target.add_fault(TargetFault::StoresButAnswersInDoubt.on_employee("E002"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.uncertain), (3, 0));
    assert_eq!(world.target.writes(), 3);
    assert_eq!(world.target.invitations_sent(), 3, "no second invitation");
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn a_write_in_doubt_that_did_not_happen_is_repeated_once() {
    let world = World::new(people(1..=2));
    world.target.add_fault(TargetFault::StoresNothingAnswersInDoubt.on_employee("E002"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.uncertain), (2, 0));
    assert_eq!(world.target.writes(), 2);
}

#[test]
fn a_write_that_stays_unclear_is_listed_as_uncertain_with_evidence() {
    let world = World::new(people(1..=2));
    world.target.add_fault(TargetFault::StoresNothingAnswersInDoubt.on_employee("E002").times(2));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.uncertain), (1, 1));
    assert_eq!(report.problems.get(&rule::ACTION_UNCERTAIN), Some(&1));
    let key = ConnectionKey::new("acme", "hr");
    let actions = hris_testkit::run(world.store.actions(&key, &report.plan.unwrap(), None, 10)).unwrap();
    let uncertain = actions.iter().find_map(|stored| match &stored.state {
        ActionState::Uncertain(problem) => Some(problem),
        _ => None,
    });
    assert_eq!(uncertain.unwrap().employee_id.as_ref().unwrap().as_str(), "E002");
}

#[test]
fn updates_leavers_and_returns_in_doubt_are_read_back_too() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([changed(1, |e| e.department = Field::Value("Legal".into())), inactive(2), person(3)]);
    world.target.add_fault(TargetFault::StoresButAnswersInDoubt.always());
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.left, report.applied.uncertain), (1, 1, 0));
    world.set_people(people(1..=3));
    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.reactivated, report.applied.uncertain), (1, 1, 0));
    assert_eq!(world.target.writes(), 7);
}

#[test]
fn what_was_not_attempted_is_done_by_the_next_run() {
    let world = World::new(people(1..=3));
    world.target.add_fault(TargetFault::NotAttempted { retryable: true }.on_employee("E002"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.pending), (2, 1));
    assert_eq!(report.warnings.get(&rule::ACTION_NOT_ATTEMPTED), Some(&1));
    let next = world.run();
    assert_eq!((next.applied.created, next.applied.pending), (1, 0));
    assert_eq!(world.target.invitations_sent(), 3);
}

#[test]
fn an_action_whose_member_changed_since_the_plan_is_skipped_and_reported() {
    let world = World::new(people(1..=2));
    world.run();
    world.set_people([changed(1, |e| e.department = Field::Value("Legal".into())), person(2)]);
    let plan = world.plan();
    let (id, digest) = (plan.header().id.clone(), plan.header().digest.clone());
    // Behind the plan's back, another writer moves the link on.
    relink(&world, "r1");
    let report = hris_testkit::run(world.engine().apply(&id, &digest, Trigger::OnDemand)).unwrap();
    assert_eq!((report.applied.updated, report.applied.failed), (0, 1));
    assert_eq!(report.problems.get(&rule::ACTION_STALE), Some(&1));
}

/// Settles a made-up action that changes the link of a record.
fn relink(world: &World, record: &str) {
    use hris_core::store::{Leases as _, Links as _, Settlement};
    use hris_core::{PlanId, RecordId, RunId};
    let key = ConnectionKey::new("acme", "hr");
    let (store, now) = (&world.store, "2026-03-02T06:00:00Z".parse().unwrap());
    hris_testkit::run(async {
        let lease =
            store.acquire(&key, &RunId::from("other"), now, std::time::Duration::from_secs(9)).await.unwrap();
        let found = store.links_of(&key, &[RecordId::from(record)]).await.unwrap();
        let mut link = found.into_iter().flatten().next().unwrap();
        link.prints = hris_core::keys::Prints::default();
        let mut header = store.open_plans(&key).await.unwrap().remove(0).header;
        let action = store.actions(&key, &header.id, None, 1).await.unwrap().remove(0).action;
        let settlement = Settlement::done(action.id.clone(), link);
        let elsewhere = PlanId::from("elsewhere");
        store.open_plan(&lease, &elsewhere).await.unwrap();
        store.append(&lease, &elsewhere, &[action], &[]).await.unwrap();
        header.id = elsewhere.clone();
        store.seal(&lease, &header).await.unwrap();
        store.settle(&lease, &elsewhere, &[settlement]).await.unwrap();
        store.release(&lease).await.unwrap();
    });
}

#[test]
fn a_stop_between_batches_loses_nothing_and_the_next_run_finishes() {
    use futures_util::FutureExt as _;
    let mut world = World::new(people(1..=9));
    world.target = one_by_one(world.target);
    world.target.add_fault(TargetFault::Slow(HOUR).on_employee("E004"));
    let cancel = Cancel::new();
    let (engine, id) = (world.engine().with_cancel(cancel.clone()), world.next_run_id());
    let mut run = Box::pin(engine.run(&id, Trigger::OnDemand, world.today()));
    assert!(run.as_mut().now_or_never().is_none(), "the fourth write is under way");
    cancel.cancel();
    world.clock.advance(HOUR);
    assert_eq!(hris_testkit::run(run).unwrap_err().kind(), ErrorKind::Cancelled);
    let written = world.target.writes();
    assert!((1..9).contains(&written), "what was under way was finished, the rest left: {written}");
    let report = world.run();
    assert_eq!(report.applied.created, 9 - written);
    assert_eq!(world.open_accounts(), ids(1..=9));
    assert_eq!(world.target.invitations_sent(), 9);
}

fn one_by_one(target: MockTarget) -> MockTarget {
    target.with_capabilities(|can| {
        can.max_batch = NonZeroUsize::MIN;
        can.max_in_flight = NonZeroUsize::MIN;
    })
}

#[test]
fn a_run_dropped_in_the_middle_of_a_write_is_continued_without_doubling_anything() {
    use futures_util::FutureExt as _;
    for fault in [TargetFault::Slow(HOUR), TargetFault::SlowAnswer(HOUR)] {
        let mut world = World::new(people(1..=6));
        world.target = one_by_one(world.target);
        world.target.add_fault(fault.on_employee("E004"));
        let (engine, id) = (world.engine(), world.next_run_id());
        // Everything is ready at once except for the slow write: dropping the future is the crash.
        let crashed = engine.run(&id, Trigger::Schedule, world.today()).now_or_never();
        assert!(crashed.is_none());
        world.target.clear_faults();
        world.clock.advance(HOUR);
        let report = world.run();
        assert_eq!(world.open_accounts(), ids(1..=6));
        assert_eq!(world.target.invitations_sent(), 6, "{report}");
        assert_eq!(world.run().planned.actions(), 0);
    }
}

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

#[test]
fn an_altered_plan_is_refused() {
    use hris_core::RunId;
    use hris_core::store::{Leases as _, StoredPlan};
    let world = World::new(people(1..=3));
    let plan = world.plan();
    let mut header = plan.header().clone();
    let key = ConnectionKey::new("acme", "hr");
    // Somebody with access to the store adds an action of another plan and forges the counts.
    hris_testkit::run(async {
        let now = "2026-03-02T06:00:00Z".parse().unwrap();
        let lease = world.store.acquire(&key, &RunId::from("x"), now, HOUR).await.unwrap();
        let actions = world.store.actions(&key, &header.id, None, 10).await.unwrap();
        header.id = hris_core::PlanId::from("forged");
        world.store.open_plan(&lease, &header.id).await.unwrap();
        let fewer: Vec<_> = actions.into_iter().skip(1).map(|stored| stored.action).collect();
        world.store.append(&lease, &header.id, &fewer, &[]).await.unwrap();
        world.store.seal(&lease, &header).await.unwrap();
        let stored: StoredPlan = world.store.plan(&key, &header.id).await.unwrap().unwrap();
        assert_eq!(stored.header.digest, header.digest);
        world.store.release(&lease).await.unwrap();
    });
    let engine = world.engine();
    let apply = engine.apply(&header.id, &header.digest, Trigger::OnDemand);
    assert_eq!(hris_testkit::run(apply).unwrap_err().kind(), ErrorKind::Integrity);
    assert_eq!(world.target.writes(), 0);
}

#[test]
fn progress_has_totals_only_where_they_are_known() {
    use hris_core::Stage;
    use hris_testkit::RecordingProgress;
    let world = World::new(people(1..=9));
    let progress = RecordingProgress::default();
    let engine = world.engine().with_progress(std::sync::Arc::new(progress.clone()));
    hris_testkit::run(engine.run(&world.next_run_id(), Trigger::OnDemand, world.today())).unwrap();
    assert_eq!(progress.stages(), [Stage::Reading, Stage::Planning, Stage::Applying]);
    let read = progress.last(Stage::Reading).unwrap();
    assert_eq!((read.done, read.total), (9, Some(9)));
    let applied = progress.last(Stage::Applying).unwrap();
    assert_eq!((applied.done, applied.total), (9, Some(9)));
}

#[test]
fn a_member_that_vanished_is_reported_and_not_created_behind_anybodys_back() {
    let world = World::new(people(1..=2));
    world.run();
    let member = world.target.member_by_employee_id("E001").unwrap().id;
    world.target.remove(&member);
    world.target.add_fault(TargetFault::StoresNothingAnswersInDoubt.on_employee("E001"));
    world.set_people([changed(1, |e| e.department = Field::Value("Legal".into())), person(2)]);
    let report = world.run();
    assert_eq!((report.applied.failed, report.applied.created), (1, 0));
    assert_eq!(report.problems.get(&rule::MEMBER_VANISHED), Some(&1));
}
