//! Nobody becomes a leaver because something else went wrong: broken readings, empty sources, guards, wrong accounts.

mod common;

use common::{World, changed, ids, inactive, people, person};
use hris_core::{
    Account, Error, ErrorKind, Field, Ground, HoldReason, ProvisioningPlan, RecordIdKind, RunResult, Verdict,
};
use hris_sync::BrokenReading;
use hris_testkit::Ending;

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "the second page cannot be had")
}

#[test]
fn a_reading_that_fails_on_page_two_changes_nobody_and_is_in_the_history() {
    let world = World::new(people(1..=8));
    world.run();
    let writes = world.target.writes();
    world.set_people([
        inactive(1),
        changed(2, |e| e.department = Field::Null),
        person(3),
        person(4),
        inactive(5),
    ]);
    world.directory.set_ending(Ending::failing_after(4, unavailable));
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(world.target.writes(), writes);
    assert_eq!(world.open_accounts(), ids(1..=8));
    assert!(world.store.dump().contains("the second page cannot be had"), "the failed run is reported");
}

#[test]
fn a_reading_without_a_receipt_is_an_error_and_changes_nobody() {
    let world = World::new(people(1..=4));
    world.run();
    world.set_people([inactive(1)]);
    world.directory.set_ending(Ending::broken_off());
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Incomplete);
    assert_eq!(world.open_accounts(), ids(1..=4));
}

#[test]
fn creates_and_updates_of_a_broken_reading_are_applied_only_by_choice_and_leavers_never() {
    let mut world = World::new(people(1..=4));
    world.run();
    world.policy.broken_reading = BrokenReading::ApplyCreatesAndUpdates;
    world.set_people([
        inactive(1),
        changed(2, |e| e.department = Field::Null),
        person(5),
        person(6),
        person(7),
    ]);
    world.directory.set_ending(Ending::failing_after(4, unavailable));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.updated, report.applied.left), (2, 1, 0));
    assert!(report.problems.contains_key(&hris_core::rule::READING_BROKEN));
    assert!(report.problems.contains_key(&hris_core::rule::LEAVERS_WITHHELD));
    assert!(world.open_accounts().contains(&"E001".to_owned()));
}

#[test]
fn an_empty_source_after_a_full_run_is_held() {
    let world = World::new(people(1..=4));
    world.run();
    world.set_people([]);
    let report = world.run();
    assert_eq!(report.result, RunResult::Held { reasons: vec![HoldReason::EmptySource { before: 4 }] });
    assert_eq!(world.open_accounts(), ids(1..=4));
}

#[test]
fn a_first_run_that_reads_nobody_does_nothing() {
    let world = World::new([]);
    let report = world.run();
    assert_eq!(report.result, RunResult::NothingToDo);
}

#[test]
fn a_source_that_shrank_by_more_than_a_fifth_is_held() {
    let world = World::new(people(1..=10));
    world.run();
    world.set_people(people(1..=7));
    let report = world.run();
    assert_eq!(
        report.result,
        RunResult::Held { reasons: vec![HoldReason::ShrunkSource { before: 10, now: 7 }] }
    );
}

#[test]
fn everybody_inactive_at_once_is_held_and_nothing_at_all_is_applied() {
    let world = World::new(people(1..=10));
    world.run();
    let writes = world.target.writes();
    world.set_people((1..=10).map(inactive).chain([person(11)]));
    let report = world.run();
    let reasons = vec![HoldReason::TooManyLeavers { planned: 10, limit: 3 }];
    assert_eq!(report.result, RunResult::Held { reasons });
    assert_eq!(world.target.writes(), writes, "not even the newcomer is created");
}

#[test]
fn a_held_plan_is_applied_when_released_by_its_digest_and_only_then() {
    let world = World::new(people(1..=10));
    world.run();
    world.set_people((1..=10).map(inactive));
    let plan = world.plan();
    let header = plan.header().clone();
    assert!(matches!(header.verdict, Verdict::Held(_)));
    let engine = world.engine();
    let apply = engine.apply(&header.id, &header.digest, hris_core::Trigger::OnDemand);
    assert_eq!(hris_testkit::run(apply).unwrap_err().kind(), ErrorKind::Held);
    let wrong = engine.release(&header.id, "0123", "ana");
    assert_eq!(hris_testkit::run(wrong).unwrap_err().kind(), ErrorKind::Stale);
    assert_eq!(world.open_accounts().len(), 10);
    let report = hris_testkit::run(engine.release(&header.id, &header.digest, "ana")).unwrap();
    assert_eq!(report.applied.left, 10);
    let again = hris_testkit::run(engine.release(&header.id, &header.digest, "ana"));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Stale, "a plan is carried out once");
}

#[test]
fn a_release_is_a_run_of_its_own_and_the_held_run_stays_in_the_history() {
    use hris_core::store::Runs as _;
    let world = World::new(people(1..=10));
    world.run();
    world.set_people((1..=10).map(inactive));
    let held = world.run();
    let plan = held.plan.clone().unwrap();
    let engine = world.engine();
    let digest = hris_testkit::run(engine.stored(&plan)).unwrap().header().digest.clone();
    let released = hris_testkit::run(engine.release(&plan, &digest, "ana")).unwrap();
    assert_eq!((released.applied.left, released.actor.as_deref()), (10, Some("ana")));
    assert!(hris_testkit::run(engine.release(&plan, &digest, "ana")).is_err());
    let key = hris_core::ConnectionKey::new("acme", "hr");
    let of = |run| hris_testkit::run(world.store.run(&key, run)).unwrap().unwrap();
    assert_eq!((of(&held.run), of(&released.run)), (held.clone(), released.clone()));
    assert_ne!(held.run, released.run);
}

#[test]
fn a_plan_is_refused_when_it_expired_or_its_mapping_or_policy_changed() {
    use hris_core::{EmployeeField, FieldMap, FieldRule, MemberField};
    let mut world = World::new(people(1..=2));
    let plan = world.plan();
    let header = plan.header();
    let refused = |engine: hris_sync::Engine| {
        let apply = engine.apply(&header.id, &header.digest, hris_core::Trigger::OnDemand);
        hris_testkit::run(apply).unwrap_err()
    };
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::Phone, EmployeeField::Phone));
    let other_mapping = world.engine_with(std::sync::Arc::new(FieldMap::new(rules).unwrap()));
    assert!(refused(other_mapping).to_string().contains("mapping changed"));
    world.policy.shrink_percent = 30;
    assert!(refused(world.engine()).to_string().contains("policy changed"));
    world.policy.shrink_percent = 20;
    world.clock.advance(world.policy.plan_expires_after);
    assert!(refused(world.engine()).to_string().contains("expired"));
    assert_eq!(world.target.writes(), 0);
}

#[test]
fn a_dismissed_plan_cannot_be_applied() {
    let world = World::new(people(1..=2));
    let plan = world.plan();
    let (id, digest) = (plan.header().id.clone(), plan.header().digest.clone());
    let engine = world.engine();
    hris_testkit::run(engine.dismiss(&id, "ana")).unwrap();
    let apply = engine.apply(&id, &digest, hris_core::Trigger::OnDemand);
    assert_eq!(hris_testkit::run(apply).unwrap_err().kind(), ErrorKind::Stale);
}

#[test]
fn another_company_behind_the_credential_is_refused_before_anybody_is_read() {
    let world = World::new(people(1..=3));
    world.run();
    let queries = world.directory.queries().len();
    world.directory.set_account(Account::new("another-company"));
    world.set_people(people(50..=60));
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::WrongAccount);
    assert_eq!(world.directory.queries().len(), queries);
    assert_eq!(world.open_accounts(), ids(1..=3));
}

#[test]
fn another_kind_of_record_id_is_an_error_and_not_a_new_population() {
    let world = World::new(people(1..=3));
    world.run();
    world.directory.set_receipt(|receipt| receipt.record_id_kind = RecordIdKind::new("other.kind"));
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::WrongAccount);
    assert_eq!(world.open_accounts(), ids(1..=3));
}

#[test]
fn a_source_that_is_not_ready_is_an_error_and_never_an_empty_list() {
    let world = World::new(people(1..=3));
    world.run();
    let mut account = Account::new("mock-account");
    account.not_ready = Some("the first sync is under way".into());
    world.directory.set_account(account);
    world.set_people([]);
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::NotReady);
}

#[test]
fn a_receipt_that_forbids_leavers_by_status_makes_none_and_says_why() {
    let world = World::new(people(1..=4));
    world.run();
    world.set_people([inactive(1), person(2), person(3), person(4), person(5)]);
    world.directory.set_receipt(|receipt| receipt.status = Ground::refused("the account needs relinking"));
    let report = world.run();
    assert_eq!((report.applied.left, report.applied.created), (0, 1));
    assert!(report.problems.contains_key(&hris_core::rule::LEAVERS_WITHHELD));
}

#[test]
fn a_failing_look_up_on_the_target_never_creates_a_second_member() {
    use hris_testkit::TargetFault;
    let world = World::new(people(1..=2));
    world.target.add_fault(TargetFault::FindFails(ErrorKind::Unavailable).on_nth(3));
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(world.target.writes(), 0);
    assert_eq!(world.run().applied.created, 2);
}

#[test]
fn two_runs_of_one_connection_never_overlap() {
    use hris_core::store::Leases as _;
    use hris_core::{ConnectionKey, RunId};
    let world = World::new(people(1..=2));
    let now = "2026-03-02T06:00:00Z".parse().unwrap();
    let ttl = std::time::Duration::from_secs(60);
    let key = ConnectionKey::new("acme", "hr");
    hris_testkit::run(world.store.acquire(&key, &RunId::from("elsewhere"), now, ttl)).unwrap();
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Leased);
    assert_eq!(world.target.writes(), 0);
    world.clock.advance(ttl);
    assert_eq!(world.run().applied.created, 2);
}

#[test]
fn a_dry_run_leaves_store_target_and_history_as_they_are() {
    let world = World::new(people(1..=4));
    world.run();
    world.set_people([inactive(1), person(2), person(3), person(9)]);
    let (store, members) = (world.store.dump(), world.target.members());
    let plan = hris_testkit::run(world.engine().dry_run(world.today())).unwrap();
    assert_eq!(World::actions(&plan), ["create E009", "leave E001"]);
    assert_eq!(plan.summary().missing, 1);
    assert_eq!(world.store.dump(), store);
    assert_eq!(world.target.members(), members);
}

#[test]
fn a_run_that_ended_is_not_run_again_under_the_same_id() {
    let world = World::new(people(1..=2));
    let id = hris_core::RunId::from("tonight");
    let run = || hris_testkit::run(world.engine().run(&id, hris_core::Trigger::Schedule, world.today()));
    let first = run().unwrap();
    world.set_people(people(1..=5));
    assert_eq!(run().unwrap(), first);
    assert_eq!(world.open_accounts(), ids(1..=2));
}

#[test]
fn a_tombstone_makes_a_leaver_only_where_the_receipt_trusts_it() {
    let world = World::new(people(1..=5));
    world.run();
    world.set_people(people(2..=5));
    world.directory.set_deleted(["r1".into()]);
    world.directory.set_receipt(|receipt| receipt.tombstones = Ground::refused("not trusted here"));
    let report = world.run();
    assert_eq!((report.applied.left, report.planned.missing), (0, 0));
    assert_eq!(report.problems.get(&hris_core::rule::PERSON_DELETED), Some(&1));
    world.directory.set_receipt(|receipt| receipt.tombstones = Ground::Usable);
    let report = world.run();
    assert_eq!(report.applied.left, 1);
    assert_eq!(world.closed_accounts(), ids([1]));
    assert_eq!(world.run().planned.actions(), 0, "a tombstone that is repeated changes nothing more");
}
