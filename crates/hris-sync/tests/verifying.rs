//! Verify runs: what somebody did on the platform is found, and put right where the HR system says how.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{World, changed, ids, inactive, people, person};
use futures_util::TryStreamExt as _;
use hris_core::{
    Attributes, ErrorKind, Field, MemberField, MemberRecord, Problem, ProvisioningPlan as _, RunReport,
    RunResult, TargetField, Trigger, Value, Verification,
};
use hris_sync::PlanView;
use hris_testkit::TargetFault;

fn verify(world: &World) -> RunReport {
    hris_testkit::run(world.engine().verify(&world.next_run_id(), Trigger::OnDemand, world.today())).unwrap()
}

fn preview(world: &World) -> (PlanView, Verification) {
    hris_testkit::run(world.engine().verify_dry_run(world.today())).unwrap()
}

fn found(report: &RunReport) -> Verification {
    report.verified.clone().unwrap()
}

fn member(world: &World, employee_id: &str) -> MemberRecord {
    world.target.member_by_employee_id(employee_id).unwrap()
}

fn edit(world: &World, employee_id: &str, field: impl Into<TargetField>, value: Option<&str>) {
    let mut changes = Attributes::new();
    changes.set(field, value.map(Value::from));
    assert!(world.target.edit(&member(world, employee_id).id, &changes));
}

/// Opens or closes an account as an administrator of the platform would.
fn set_open(world: &World, employee_id: &str, open: bool) {
    let mut record = member(world, employee_id);
    record.active = open;
    world.target.plant(record);
}

fn problems(view: &PlanView) -> Vec<Problem> {
    hris_testkit::run(view.problems().try_collect()).unwrap()
}

fn attribute(world: &World, employee_id: &str, field: MemberField) -> Option<String> {
    member(world, employee_id).attributes.text(&field.into()).map(str::to_owned)
}

#[test]
fn a_member_edited_by_hand_is_put_right_by_a_verify_run_and_by_no_other() {
    let world = World::new(people(1..=3));
    world.run();
    edit(&world, "E002", MemberField::FirstName, Some("Nickname"));
    edit(&world, "E003", MemberField::Department, None);
    assert_eq!(world.run().applied.affected(), 0, "an ordinary run does not look at the platform");
    let report = verify(&world);
    assert_eq!((report.applied.updated, report.applied.affected()), (2, 2), "{report}");
    let verified = found(&report);
    assert_eq!((verified.members, verified.drifted, verified.vanished), (3, 2, 0));
    assert_eq!(verified.attributes.get(&MemberField::FirstName.into()), Some(&1));
    assert_eq!(attribute(&world, "E002", MemberField::FirstName).as_deref(), Some("First2"));
    assert_eq!(attribute(&world, "E003", MemberField::Department).as_deref(), Some("Sales"));
    let again = verify(&world);
    assert!(found(&again).is_clean(), "{again}");
    assert_eq!(again.result, RunResult::NothingToDo);
}

#[test]
fn only_what_was_edited_is_written() {
    let world = World::new(people(1..=2));
    world.run();
    edit(&world, "E001", MemberField::LastName, Some("Married"));
    let (view, verified) = preview(&world);
    assert_eq!(verified.drifted, 1);
    let actions: Vec<hris_core::Action> = hris_testkit::run(view.actions(None).try_collect()).unwrap();
    let [update] = actions.as_slice() else { panic!("one action") };
    let changed: Vec<_> = update.kind.changes().unwrap().iter().map(|(field, _)| field.to_string()).collect();
    assert_eq!(changed, ["last_name"]);
    let drifted: Vec<_> = problems(&view).into_iter().map(|it| (it.rule.to_string(), it.field)).collect();
    assert_eq!(drifted, [("member.drifted".to_owned(), Some("last_name".into()))]);
}

#[test]
fn a_dry_verify_run_changes_nothing() {
    let world = World::new(people(1..=3));
    world.run();
    edit(&world, "E001", MemberField::FirstName, Some("Nickname"));
    let (before, members) = (world.store.dump(), world.target.members());
    assert_eq!(preview(&world).1.drifted, 1);
    assert_eq!((world.store.dump(), world.target.members()), (before, members));
}

#[test]
fn an_account_closed_by_hand_is_opened_again_unless_its_person_has_left() {
    let world = World::new(people(1..=3));
    world.run();
    set_open(&world, "E001", false);
    set_open(&world, "E002", false);
    world.set_people([person(1), inactive(2), person(3)]);
    let report = verify(&world);
    assert_eq!(found(&report).closed, 2);
    assert_eq!((report.applied.reactivated, report.applied.left), (1, 1), "{report}");
    assert_eq!(world.open_accounts(), ids([1, 3]));
    assert_eq!(verify(&world).result, RunResult::NothingToDo);
}

#[test]
fn an_account_of_a_leaver_that_was_opened_by_hand_is_closed_again() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), inactive(2), person(3)]);
    world.run();
    set_open(&world, "E002", true);
    assert_eq!(world.run().applied.affected(), 0);
    let report = verify(&world);
    assert_eq!((found(&report).reopened, report.applied.left), (1, 1), "{report}");
    assert_eq!(world.closed_accounts(), ids([2]));
}

#[test]
fn accounts_opened_by_hand_are_closed_under_the_guard() {
    let world = World::new(people(1..=10));
    world.run();
    world.set_people((1..=10).map(|n| if n <= 3 { inactive(n) } else { person(n) }));
    world.run();
    world.set_people((1..=10).map(|n| if n <= 6 { inactive(n) } else { person(n) }));
    world.run();
    (1..=6).for_each(|n| set_open(&world, &format!("E{n:03}"), true));
    let report = verify(&world);
    assert!(matches!(report.result, RunResult::Held { .. }), "six leave at once: {report}");
    assert_eq!(world.open_accounts().len(), 10);
}

#[test]
fn a_vanished_member_is_reported_and_created_by_nobody() {
    let world = World::new(people(1..=3));
    world.run();
    world.target.remove(&member(&world, "E002").id);
    world.set_people([person(1), changed(2, |it| it.department = Field::Value("Legal".into())), person(3)]);
    let report = verify(&world);
    assert_eq!((found(&report).vanished, report.applied.affected(), report.applied.failed), (1, 0, 0));
    assert_eq!(report.problems.get(&hris_core::rule::MEMBER_VANISHED), Some(&1));
    assert_eq!(world.open_accounts(), ids([1, 3]));
}

#[test]
fn a_vanished_member_is_created_again_without_invitation_where_the_policy_says_so() {
    let mut world = World::new(people(1..=4));
    world.policy.vanished = hris_sync::Vanished::Recreate;
    world.run();
    world.target.remove(&member(&world, "E002").id);
    world.target.remove(&member(&world, "E003").id);
    world.set_people([person(1), person(2), inactive(3), person(4)]);
    let invited = world.target.invitations_sent();
    let report = verify(&world);
    assert_eq!((found(&report).vanished, report.applied.created, report.applied.left), (2, 1, 0), "{report}");
    assert_eq!((world.open_accounts(), world.target.invitations_sent()), (ids([1, 2, 4]), invited));
    assert_eq!(verify(&world).applied.affected(), 0);
}

#[test]
fn a_leaver_whose_close_down_is_over_has_not_vanished() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([person(1), inactive(2), person(3)]);
    world.run();
    world.clock.advance(std::time::Duration::from_secs(61 * 24 * 60 * 60));
    assert_eq!(world.target.members().len(), 2);
    let verified = found(&verify(&world));
    assert!(verified.is_clean(), "{verified}");
}

#[test]
fn writes_that_did_not_stick_are_found() {
    let world = World::new(people(1..=3));
    world.run();
    world.target.add_fault(TargetFault::AnswersOkButStoresNothing.on_employee("E001").times(1));
    world.set_people([
        changed(1, |it| it.department = Field::Value("Legal".into())),
        person(2),
        person(3),
        person(4),
    ]);
    world.target.add_fault(TargetFault::AnswersOkButStoresNothing.on_employee("E004").times(1));
    world.run();
    assert_eq!(attribute(&world, "E001", MemberField::Department).as_deref(), Some("Sales"));
    let report = verify(&world);
    let verified = found(&report);
    assert_eq!((verified.drifted, verified.vanished), (1, 1), "{report}");
    assert_eq!(attribute(&world, "E001", MemberField::Department).as_deref(), Some("Legal"));
}

#[test]
fn a_platform_that_cannot_list_is_asked_for_each_member() {
    let mut world = World::new(people(1..=3));
    world.target = world.target.with_capabilities(|capabilities| capabilities.lists = false);
    world.run();
    edit(&world, "E001", MemberField::FirstName, Some("Nickname"));
    world.target.remove(&member(&world, "E003").id);
    let report = verify(&world);
    let verified = found(&report);
    assert_eq!((verified.drifted, verified.vanished, verified.unlinked), (1, 1, None), "{report}");
    assert_eq!(attribute(&world, "E001", MemberField::FirstName).as_deref(), Some("First1"));
}

#[test]
fn members_whom_nobody_linked_and_doubled_ids_are_counted_and_left_alone() {
    let world = World::new(people(1..=2));
    world.run();
    let mut twin = member(&world, "E001");
    twin.id = "by-hand".into();
    twin.attributes.set(TargetField::EMAIL, Some("other@acme.example".into()));
    world.target.plant(twin);
    let report = verify(&world);
    let verified = found(&report);
    assert_eq!((verified.unlinked, verified.doubled, verified.members), (Some(1), 1, 2), "{report}");
    assert_eq!(report.applied.affected(), 0);
    assert_eq!(report.problems.get(&hris_core::rule::MEMBER_DOUBLED), Some(&1));
}

#[test]
fn an_attribute_that_the_platform_never_tells_is_no_drift() {
    let world = World::new(people(1..=3));
    world.run();
    for id in ["E001", "E002", "E003"] {
        edit(&world, id, MemberField::Department, None);
    }
    edit(&world, "E001", MemberField::FirstName, Some("Nickname"));
    let report = verify(&world);
    let verified = found(&report);
    assert_eq!(verified.untold, [MemberField::Department.into()]);
    assert_eq!((verified.drifted, report.applied.updated), (1, 1), "{report}");
}

#[test]
fn an_address_in_another_case_is_no_drift() {
    let world = World::new(people(1..=2));
    world.run();
    edit(&world, "E001", MemberField::Email, Some("P1@ACME.example"));
    assert!(found(&verify(&world)).is_clean());
}

#[test]
fn a_list_of_members_that_breaks_off_proves_nothing_and_ends_the_run() {
    let world = World::new(people(1..=5));
    world.run();
    edit(&world, "E001", MemberField::FirstName, Some("Nickname"));
    world.target.add_fault(TargetFault::RosterFails { after: 2, kind: ErrorKind::Unavailable }.always());
    let engine = world.engine();
    let result = hris_testkit::run(engine.verify(&"broken".into(), Trigger::OnDemand, world.today()));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(attribute(&world, "E001", MemberField::FirstName).as_deref(), Some("Nickname"));
}

#[test]
fn a_verify_run_with_the_same_id_answers_the_same_report() {
    let world = World::new(people(1..=2));
    world.run();
    let verify = |id: &str| {
        hris_testkit::run(world.engine().verify(&id.into(), Trigger::OnDemand, world.today())).unwrap()
    };
    let first = verify("v1");
    edit(&world, "E001", MemberField::FirstName, Some("Nickname"));
    assert_eq!(verify("v1"), first);
    assert_eq!(found(&verify("v2")).drifted, 1);
}

#[test]
fn an_address_that_a_member_still_has_against_what_was_written_is_handed_on_in_the_same_verify_run() {
    let world = World::new(people(1..=3));
    world.run();
    // The first person's old address goes to a newcomer, and the platform only says that it let it go.
    let renamed = changed(1, |employee| employee.work_email = Field::Value("new@acme.example".into()));
    let newcomer = changed(4, |employee| employee.work_email = Field::Value("p1@acme.example".into()));
    world.set_people([renamed, person(2), person(3), newcomer]);
    world.target.add_fault(TargetFault::AnswersOkButStoresNothing.on_employee("E001"));
    world.run();
    assert!(world.target.member_by_employee_id("E004").is_none());
    let report = verify(&world);
    assert_eq!((report.applied.updated, report.applied.created), (1, 1), "{report}");
    assert_eq!(attribute(&world, "E001", MemberField::Email).as_deref(), Some("new@acme.example"));
    assert_eq!(attribute(&world, "E004", MemberField::Email).as_deref(), Some("p1@acme.example"));
}

#[test]
fn an_open_account_of_a_leaver_whose_record_was_deleted_is_closed_again() {
    let world = World::new(people(1..=8));
    world.run();
    world.set_people(people(2..=8));
    world.directory.set_deleted(["r1".into()]);
    world.target.add_fault(TargetFault::AnswersOkButStoresNothing.on_employee("E001"));
    world.run();
    assert!(member(&world, "E001").active, "the platform only said that it closed the account");
    let report = verify(&world);
    assert_eq!((report.applied.left, report.applied.affected()), (1, 1), "{report}");
    assert!(!member(&world, "E001").active);
    assert_eq!(verify(&world).applied.affected(), 0);
}
