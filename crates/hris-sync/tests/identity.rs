//! Ids that change hands: people who moved to another record, ids that were given to somebody else, and Employee IDs that
//! are nearly equal.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::sync::Arc;

use chrono::NaiveDate;
use common::{World, changed, ids, inactive, people, person};
use futures_util::TryStreamExt as _;
use hris_core::store::{Override, Runs as _};
use hris_core::{
    BirthDate, Clock as _, Employee, EmployeeField, ErrorKind, Field, FieldMap, FieldRule, MemberField,
    PlanId, ProvisioningPlan as _, RecordId, RunReport, Trigger, Value, rule,
};
use hris_sync::{Absence, Limit, PlanView, Proposal};

fn born(year: i32) -> Field<BirthDate> {
    Field::Value(BirthDate::from(NaiveDate::from_ymd_opt(year, 5, 17).unwrap()))
}

/// Person `n` after the HR system gave them another id, which is the record id as well.
fn renumbered(n: u32, id: &str) -> Employee {
    let mut moved = person(n);
    moved.record = RecordId::from(format!("r-{id}"));
    moved.employee_id = Field::Value(id.into());
    moved
}

/// Three members, of whom the third was renumbered.
fn renumbered_world() -> World {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), person(2), renumbered(3, "N3")]);
    world
}

fn proposals(plan: &PlanView) -> Vec<Proposal> {
    hris_testkit::run(plan.proposals().try_collect()).unwrap()
}

fn proposed(world: &World) -> (PlanView, Vec<Proposal>) {
    let plan = world.plan();
    let proposals = proposals(&plan);
    (plan, proposals)
}

fn accept(world: &World, plan: &PlanView, record: &str) -> hris_core::Result<RunReport> {
    hris_testkit::run(world.engine().accept(&plan.header().id, &RecordId::from(record), "ola"))
}

fn count(report: &RunReport, rule: &hris_core::RuleCode) -> u64 {
    report.problems.get(rule).copied().unwrap_or_default()
}

#[test]
fn a_changed_id_without_a_record_id_is_proposed_as_a_re_key_and_holds_both() {
    let world = renumbered_world();
    let (plan, proposals) = proposed(&world);
    assert_eq!(World::actions(&plan), Vec::<String>::new());
    let expected = [("employee_id.moved", "r-N3"), ("employee_id.moved", "r3")];
    assert_eq!(World::rules(&plan), expected.map(|(rule, record)| (rule.to_owned(), record.to_owned())));
    let [Proposal::ReKey { person, to }] = proposals.as_slice() else { panic!("{proposals:?}") };
    assert_eq!((person.record.as_str(), to.as_str()), ("r3", "r-N3"));
    assert_eq!(person.employee_id.as_ref().map(hris_core::EmployeeId::as_str), Some("E003"));

    let report = world.run();
    assert_eq!((report.applied.affected(), world.open_accounts()), (0, ids(1..=3)), "{report}");
}

#[test]
fn an_accepted_re_key_moves_the_member_to_the_new_record_and_changes_its_id_silently() {
    let world = renumbered_world();
    let member =
        world.target.members().into_iter().find(|m| m.attributes.employee_id() == Some("E003".into()));
    let (plan, _) = proposed(&world);
    let accepted = accept(&world, &plan, "r3").unwrap();
    assert_eq!((accepted.trigger, accepted.actor.as_deref()), (Trigger::Accept, Some("ola")));

    let report = world.run();
    assert_eq!((report.applied.updated, report.applied.affected()), (1, 1), "{report}");
    assert_eq!((report.applied.invited, count(&report, &rule::EMPLOYEE_ID_CHANGED)), (0, 1));
    let found = world.target.members().into_iter().find(|m| m.attributes.employee_id() == Some("N3".into()));
    assert_eq!(found.map(|m| m.id), member.map(|m| m.id), "it is the same member");
    assert_eq!(world.run().applied.affected(), 0);
    assert_eq!(proposed(&world).1, []);
}

#[test]
fn who_accepted_what_and_when_is_in_the_history_without_the_record() {
    let world = renumbered_world();
    let (plan, _) = proposed(&world);
    let accepted = accept(&world, &plan, "r3").unwrap();
    let key = hris_core::ConnectionKey::new("acme", "hr");
    let history = hris_testkit::run(world.store.runs(&key, 0, 9)).unwrap();
    assert!(history.contains(&accepted));
    assert!(!accepted.run.as_str().contains("r3"), "{}", accepted.run);
    assert_eq!(accepted.started_at, world.clock.now());
}

#[test]
fn accepted_re_keys_count_for_the_guard_on_re_keys() {
    let mut world = renumbered_world();
    world.policy.re_keys = Some(Limit { at_least: 0, percent: 0, at_most: 0 });
    let (plan, _) = proposed(&world);
    accept(&world, &plan, "r3").unwrap();
    let report = world.run();
    assert_eq!((report.applied.affected(), report.held()), (0, 1), "{report}");
}

#[test]
fn nobody_who_seems_to_have_moved_leaves_by_absence() {
    let mut world = renumbered_world();
    world.policy.absence = Absence::Leave { complete_runs: 2 };
    for _ in 0..4 {
        let report = world.run();
        assert_eq!((report.applied.left, count(&report, &rule::PERSON_MISSING)), (0, 0), "{report}");
    }
    assert_eq!(world.open_accounts(), ids(1..=3));
}

#[test]
fn a_leaver_who_comes_back_under_another_id_is_proposed_and_reactivated() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), person(2), inactive(3)]);
    world.run();
    world.set_people([person(1), person(2), renumbered(3, "N3")]);
    let (plan, proposals) = proposed(&world);
    assert_eq!((World::actions(&plan), proposals.len()), (vec![], 1));
    accept(&world, &plan, "r3").unwrap();
    let report = world.run();
    assert_eq!((report.applied.reactivated, report.applied.affected()), (1, 1), "{report}");
    assert_eq!(world.open_accounts(), ["E001", "E002", "N3"]);
}

/// The standard mapping and start dates.
fn with_start_dates() -> Arc<FieldMap> {
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::StartDate, EmployeeField::StartDate));
    Arc::new(FieldMap::new(rules).unwrap())
}

fn run_with_start_dates(world: &World) -> RunReport {
    let (id, engine) = (world.next_run_id(), world.engine_with(with_start_dates()));
    hris_testkit::run(engine.run(&id, Trigger::OnDemand, world.today())).unwrap()
}

fn dated(mut employee: Employee, birth: i32, start: u32) -> Employee {
    employee.birth_date = born(birth);
    employee.start_date = Field::Value(NaiveDate::from_ymd_opt(2020, 1, start).unwrap());
    employee
}

#[test]
fn both_dates_tell_somebody_who_moved_under_another_address_too() {
    for (birth, start, moved) in [(1980, 7, 2), (1980, 8, 0), (1981, 7, 0)] {
        let world = World::new([person(1), dated(person(2), 1980, 7)]);
        run_with_start_dates(&world);
        world.set_people([person(1), dated(renumbered(9, "N9"), birth, start)]);
        let report = run_with_start_dates(&world);
        assert_eq!(count(&report, &rule::EMPLOYEE_ID_MOVED), moved, "born {birth}, started {start}");
        assert_eq!(report.applied.created, u64::from(moved == 0));
    }
}

#[test]
fn a_reading_of_changes_with_somebody_new_of_both_dates_reads_everyone() {
    let stamped = |mut employee: Employee, day: u32| {
        employee.modified_at = format!("2026-02-{day:02}T00:00:00Z").parse().ok();
        employee
    };
    for (start, fulls) in [(7, 2), (8, 1)] {
        let mut world = World::new([stamped(person(1), 5), stamped(dated(person(2), 1980, 7), 1)]);
        world.policy.incremental = Some(hris_sync::Incremental::default());
        run_with_start_dates(&world);
        world.set_people([
            stamped(person(1), 5),
            stamped(dated(person(2), 1980, 7), 1),
            stamped(dated(renumbered(9, "N9"), 1980, start), 28),
        ]);
        let report = run_with_start_dates(&world);
        assert_eq!(report.applied.created, 1, "who is still there did not move: {report}");
        let queries = world.directory.queries();
        assert_eq!(queries.iter().filter(|query| query.scope == hris_core::Scope::Everyone).count(), fulls);
    }
}

#[test]
fn twins_who_are_new_on_one_day_are_taken_for_nobody() {
    let world = World::new([person(1), dated(person(2), 1980, 7)]);
    run_with_start_dates(&world);
    world.set_people([person(1), dated(person(3), 1980, 7), dated(person(4), 1980, 7)]);
    assert_eq!(run_with_start_dates(&world).applied.created, 2);
}

#[test]
fn a_newcomer_with_the_address_of_somebody_gone_but_another_birth_date_is_no_re_key() {
    let world = World::new([person(1), changed(2, |employee| employee.birth_date = born(1980))]);
    world.run();
    let mut newcomer = renumbered(2, "N2");
    newcomer.birth_date = born(1999);
    world.set_people([person(1), newcomer]);
    let (plan, proposals) = proposed(&world);
    assert_eq!((World::actions(&plan), proposals), (vec![], vec![]));
    let expected = [("member.conflict", "r-N2"), ("person.missing", "r2")];
    assert_eq!(World::rules(&plan), expected.map(|(rule, record)| (rule.to_owned(), record.to_owned())));
}

#[test]
fn nobody_is_proposed_where_absence_is_not_proven() {
    let world = renumbered_world();
    let refused = || hris_core::AbsenceGround::refused("the total differs");
    world.directory.set_receipt(move |receipt| receipt.absence = refused());
    let (plan, proposals) = proposed(&world);
    assert_eq!((World::actions(&plan), proposals), (vec![], vec![]));
}

#[test]
fn only_what_a_plan_proposes_can_be_accepted_and_only_once() {
    let world = renumbered_world();
    let (plan, _) = proposed(&world);
    for record in ["r1", "r-N3", "nobody"] {
        assert_eq!(accept(&world, &plan, record).unwrap_err().kind(), ErrorKind::NotFound);
    }
    let other = hris_testkit::run(world.engine().accept(&PlanId::from("none"), &RecordId::from("r3"), "ola"));
    assert_eq!(other.unwrap_err().kind(), ErrorKind::NotFound);
    accept(&world, &plan, "r3").unwrap();
    assert_eq!(accept(&world, &plan, "r3").unwrap_err().kind(), ErrorKind::Stale);
}

#[test]
fn overrides_move_along_with_an_accepted_re_key() {
    let world = renumbered_world();
    let value = Some(Value::from("Legal"));
    let one = Override::new("r3", MemberField::Department, value, "ola", "told by phone", world.clock.now());
    hris_testkit::run(world.engine().put_overrides(&[one])).unwrap();
    let (plan, _) = proposed(&world);
    accept(&world, &plan, "r3").unwrap();
    let overrides = hris_testkit::run(world.engine().overrides()).unwrap();
    let records: Vec<_> = overrides.iter().map(|one| (one.record.as_str(), one.actor.as_str())).collect();
    assert_eq!(records, [("r-N3", "ola")]);
}

/// Somebody else under the ids of person `n`.
fn stranger(n: u32) -> Employee {
    changed(n, |employee| {
        employee.first_name = Field::Value("Else".into());
        employee.last_name = Field::Value("Stranger".into());
        employee.work_email = Field::Value("stranger@acme.example".into());
        employee.birth_date = born(1999);
    })
}

fn with_birth_date(n: u32) -> Employee {
    changed(n, |employee| employee.birth_date = born(1980))
}

fn world_with_a_leaver() -> World {
    let world = World::new([person(1), person(2), with_birth_date(3)]);
    world.run();
    world.set_people([person(1), person(2), inactive(3)]);
    world.run();
    assert_eq!(world.closed_accounts(), ids([3]));
    world
}

#[test]
fn a_leavers_id_that_somebody_else_has_now_is_held_and_hands_nothing_over() {
    let world = world_with_a_leaver();
    let before = world.target.members();
    world.set_people([person(1), person(2), stranger(3)]);
    let report = world.run();
    assert_eq!((report.applied.affected(), count(&report, &rule::EMPLOYEE_ID_REUSED)), (0, 1), "{report}");
    assert_eq!(world.target.members(), before);
}

#[test]
fn a_leaver_who_comes_back_agrees_in_one_further_attribute() {
    let returns: [fn(&mut Employee); 3] = [
        |employee| employee.last_name = Field::Value("Last3".into()),
        |employee| employee.work_email = Field::Value("P3@acme.example".into()),
        |employee| employee.birth_date = born(1980),
    ];
    for agree in returns {
        let world = world_with_a_leaver();
        let mut back = stranger(3);
        agree(&mut back);
        world.set_people([person(1), person(2), back]);
        assert_eq!(world.run().applied.reactivated, 1);
    }
}

#[test]
fn an_id_confirmed_to_be_the_same_persons_is_reactivated_with_what_the_hr_system_says() {
    let world = world_with_a_leaver();
    world.set_people([person(1), person(2), stranger(3)]);
    let (plan, proposals) = proposed(&world);
    assert!(
        matches!(proposals.as_slice(), [Proposal::SamePerson { person }] if person.record.as_str() == "r3")
    );
    accept(&world, &plan, "r3").unwrap();
    let report = world.run();
    assert_eq!((report.applied.reactivated, report.applied.affected()), (1, 1), "{report}");
    assert_eq!(world.run().applied.affected(), 0);
}

#[test]
fn an_active_persons_id_is_held_only_where_name_and_a_date_change_and_nothing_agrees() {
    let world = World::new([person(1), with_birth_date(3)]);
    world.run();
    world.set_people([person(1), stranger(3)]);
    let report = world.run();
    assert_eq!((report.applied.affected(), count(&report, &rule::EMPLOYEE_ID_REUSED)), (0, 1), "{report}");
    let married = changed(3, |employee| {
        employee.birth_date = born(1980);
        employee.last_name = Field::Value("Married".into());
        employee.work_email = Field::Value("married@acme.example".into());
    });
    world.set_people([person(1), married]);
    assert_eq!(world.run().applied.updated, 1);
}

#[test]
fn a_reused_id_of_somebody_inactive_leaves_by_status() {
    let world = World::new([person(1), with_birth_date(3)]);
    world.run();
    let mut gone = stranger(3);
    gone.status = hris_core::EmploymentStatus::Inactive;
    world.set_people([person(1), gone]);
    assert_eq!(world.run().applied.left, 1);
}

fn numbered(n: u32, id: &str) -> Employee {
    changed(n, |employee| employee.employee_id = Field::Value(id.into()))
}

#[test]
fn employee_ids_that_differ_in_zeros_or_blanks_only_are_two_people_with_a_warning() {
    for (one, other) in [("00123", "123"), ("0123", "00123"), ("12 3", "123")] {
        let world = World::new([numbered(1, one), numbered(2, "77"), numbered(3, other)]);
        let report = world.run();
        assert_eq!(
            (report.applied.created, count(&report, &rule::EMPLOYEE_ID_NEAR_EQUAL)),
            (3, 2),
            "{one} {other}"
        );
        assert_eq!(count(&world.run(), &rule::EMPLOYEE_ID_NEAR_EQUAL), 0, "it is said once");
    }
    let world = World::new([numbered(1, "00123"), numbered(2, "00124"), numbered(3, "1230")]);
    assert_eq!(count(&world.run(), &rule::EMPLOYEE_ID_NEAR_EQUAL), 0);
}

#[test]
fn a_newcomer_nearly_equal_to_somebody_known_or_missing_is_warned_about() {
    let world = World::new([numbered(1, "123"), numbered(2, "77")]);
    world.run();
    world.set_people([numbered(1, "123"), numbered(2, "77"), numbered(3, "0123")]);
    assert_eq!(count(&world.run(), &rule::EMPLOYEE_ID_NEAR_EQUAL), 1);
    world.set_people([numbered(1, "123"), numbered(3, "0123"), numbered(4, "077")]);
    let plan = world.plan();
    let near: Vec<_> =
        World::rules(&plan).into_iter().filter(|(rule, _)| rule == "employee_id.near_equal").collect();
    assert_eq!(near, [("employee_id.near_equal".to_owned(), "r2".to_owned())]);
}
