//! Who a connection is for, what is written on create only, and what nobody is created without.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::{World, changed, ids, inactive, people, person};
use hris_core::{
    Attributes, Employee, EmployeeField, Field, FieldMap, FieldMapping as _, FieldRule, Is, MemberField,
    ProvisioningPlan as _, ScopeFilter, TargetField, Test, Trigger, Value, Verdict,
};
use hris_sync::{LeftScope, PlanView};

fn staff_only() -> FieldMap {
    let contractor = Test::new(EmployeeField::EmploymentType, Is::Equals("contractor".into()));
    FieldMap::standard().with_scope(ScopeFilter::everybody().excluding(contractor)).unwrap()
}

fn kind(n: u32, kind: &str) -> Employee {
    changed(n, |employee| employee.employment_type = Field::Value(kind.into()))
}

fn staff(numbers: std::ops::RangeInclusive<u32>) -> Vec<Employee> {
    numbers.map(|n| kind(n, "employee")).collect()
}

fn plan(world: &World, mapping: FieldMap) -> PlanView {
    hris_testkit::run(world.engine_with(Arc::new(mapping)).dry_run(world.today())).unwrap()
}

fn actions(view: &PlanView) -> Vec<String> {
    let mut actions = World::actions(view);
    actions.sort();
    actions
}

fn run(world: &World, mapping: FieldMap) -> hris_core::RunReport {
    let id = world.next_run_id();
    let engine = world.engine_with(Arc::new(mapping));
    hris_testkit::run(engine.run(&id, Trigger::Schedule, world.today())).unwrap()
}

#[test]
fn contractors_are_counted_and_never_created() {
    let world = World::new([kind(1, "employee"), kind(2, "Contractor"), kind(3, "employee")]);
    let view = plan(&world, staff_only());
    assert_eq!(actions(&view), ["create E001", "create E003"]);
    assert_eq!((view.summary().out_of_scope, view.summary().read), (1, 3));
    assert!(World::rules(&view).is_empty());
}

#[test]
fn a_member_who_leaves_the_scope_is_reported_and_stays() {
    let world = World::new(staff(1..=5));
    run(&world, staff_only());
    let mut now = staff(1..=4);
    now.push(changed(5, |employee| {
        employee.employment_type = Field::Value("contractor".into());
        employee.department = Field::Value("Elsewhere".into());
    }));
    world.set_people(now);
    let view = plan(&world, staff_only());
    assert_eq!(actions(&view), [] as [String; 0]);
    assert_eq!(World::rules(&view), [("scope.left".to_owned(), "r5".to_owned())]);
    assert_eq!((view.summary().missing, view.summary().out_of_scope), (0, 0));
}

#[test]
fn another_filter_removes_nobody_by_itself_and_makes_a_waiting_plan_stale() {
    let world = World::new(staff(1..=8));
    run(&world, FieldMap::standard());
    let nobody =
        ScopeFilter::everybody().including(Test::new(EmployeeField::Country, Is::Equals("XX".into())));
    let narrow = FieldMap::standard().with_scope(nobody).unwrap();
    world.set_people((1..=8).map(|n| changed(n, |employee| employee.country = Field::Value("ES".into()))));

    let wide = world.engine();
    let waiting = hris_testkit::run(wide.plan(&world.next_run_id(), world.today())).unwrap();
    let header = waiting.header().clone();
    let engine = world.engine_with(Arc::new(narrow.clone()));
    let stale = engine.apply(&header.id, &header.digest, Trigger::OnDemand);
    assert_eq!(hris_testkit::run(stale).unwrap_err().kind(), hris_core::ErrorKind::Stale);

    run(&world, narrow.clone());
    assert_eq!(world.open_accounts(), ids(1..=8));
    assert_eq!(World::rules(&plan(&world, narrow)).len(), 8);
}

#[test]
fn who_left_the_scope_leaves_only_by_choice_and_under_the_guard() {
    let mut world = World::new(staff(1..=10));
    run(&world, staff_only());
    world.policy.left_scope = LeftScope::Leave;
    let moved =
        |count: u32| (1..=10).map(move |n| kind(n, if n <= count { "contractor" } else { "employee" }));
    world.set_people(moved(4));
    assert!(matches!(plan(&world, staff_only()).header().verdict, Verdict::Held(_)));
    world.set_people(moved(2));
    run(&world, staff_only());
    assert_eq!((world.closed_accounts(), world.open_accounts()), (ids(1..=2), ids(3..=10)));
    world.set_people(moved(0));
    assert_eq!(actions(&plan(&world, staff_only())), ["reactivate E001", "reactivate E002"]);
}

#[test]
fn an_inactive_member_outside_the_scope_leaves_by_status() {
    let world = World::new(staff(1..=3));
    run(&world, staff_only());
    let mut gone = kind(3, "contractor");
    gone.status = hris_core::EmploymentStatus::Inactive;
    world.set_people([kind(1, "employee"), kind(2, "employee"), gone]);
    assert_eq!(actions(&plan(&world, staff_only())), ["leave E003"]);
    let stranger = World::new([changed(4, |employee| *employee = inactive(4))]);
    assert_eq!(actions(&plan(&stranger, staff_only())), [] as [String; 0]);
}

#[test]
fn nobody_is_created_changed_or_removed_while_the_scope_cannot_be_told() {
    let world = World::new(staff(1..=2));
    run(&world, staff_only());
    // The vendor does not deliver the kind of employment any more.
    world.set_people([
        changed(1, |employee| employee.department = Field::Value("Legal".into())),
        person(2),
        person(3),
    ]);
    let view = plan(&world, staff_only());
    assert_eq!(actions(&view), [] as [String; 0]);
    let open = ["r1", "r2", "r3"].map(|record| ("scope.unknown".to_owned(), record.to_owned()));
    assert_eq!(World::rules(&view), open);
    assert_eq!((view.summary().problems, view.summary().missing), (3, 0));
}

#[test]
fn of_two_rows_inside_and_outside_the_newer_one_counts_in_either_order() {
    let at =
        |day: u32| -> Option<DateTime<Utc>> { Some(format!("2026-03-0{day}T00:00:00Z").parse().unwrap()) };
    for reversed in [false, true] {
        let (mut before, mut after) = (kind(1, "employee"), kind(1, "contractor"));
        (before.modified_at, after.modified_at) = (at(1), at(2));
        let mut rows = vec![before.clone(), after.clone()];
        let mut back = vec![before, after];
        (back[0].modified_at, back[1].modified_at) = (at(2), at(1));
        if reversed {
            rows.reverse();
            back.reverse();
        }
        let view = plan(&World::new(rows), staff_only());
        assert_eq!((actions(&view), view.summary().out_of_scope), (Vec::new(), 1));
        let view = plan(&World::new(back), staff_only());
        assert_eq!((actions(&view), view.summary().out_of_scope), (vec!["create E001".to_owned()], 0));
    }
    let undated = World::new([kind(1, "employee"), kind(1, "contractor")]);
    let view = plan(&undated, staff_only());
    assert_eq!(actions(&view), [] as [String; 0]);
    assert_eq!(World::rules(&view), [("record.ambiguous".to_owned(), "r1".to_owned())]);
    let same = World::new([kind(1, "contractor"), kind(1, "contractor")]);
    assert!(World::rules(&plan(&same, staff_only())).is_empty());
}

fn with_rule(rule: FieldRule) -> FieldMap {
    let mut rules = FieldMap::standard().rules()[..2].to_vec();
    rules.push(rule);
    FieldMap::new(rules).unwrap()
}

fn language() -> FieldMap {
    with_rule(FieldRule::copy(MemberField::Language, EmployeeField::Language).create_only())
}

fn speaking(n: u32, language: &str) -> Employee {
    changed(n, |employee| employee.language = Field::Value(language.into()))
}

fn languages(world: &World) -> Vec<String> {
    let language = TargetField::from(MemberField::Language);
    let members = world.target.members();
    members.iter().map(|member| member.attributes.text(&language).unwrap_or("-").to_owned()).collect()
}

#[test]
fn what_is_mapped_on_create_only_is_written_once_and_belongs_to_the_member_then() {
    let world = World::new([speaking(1, "es")]);
    run(&world, language());
    assert_eq!(languages(&world), ["es"]);
    world.set_people([speaking(1, "en")]);
    assert_eq!(actions(&plan(&world, language())), [] as [String; 0]);
    world.set_people([changed(1, |employee| {
        employee.language = Field::Value("en".into());
        employee.work_email = Field::Value("new@acme.example".into());
    })]);
    run(&world, language());
    assert_eq!(languages(&world), ["es"]);
}

#[test]
fn an_adopted_member_keeps_what_is_mapped_on_create_only() {
    let world = World::new([speaking(1, "en")]);
    let mut there = Attributes::new();
    there.set(MemberField::EmployeeId, Some(Value::from("E001")));
    there.set(MemberField::Email, Some(Value::from("p1@acme.example")));
    there.set(MemberField::Language, Some(Value::from("es")));
    world.target.plant(hris_core::MemberRecord::new("m-1", there));
    run(&world, language());
    assert_eq!(languages(&world), ["es"]);
    assert_eq!(actions(&plan(&world, language())), [] as [String; 0]);
}

#[test]
fn nobody_is_created_without_a_required_attribute_and_a_member_keeps_theirs() {
    let mapping =
        || with_rule(FieldRule::copy(MemberField::Department, EmployeeField::Department).required());
    let without = |n| changed(n, |employee| employee.department = Field::Null);
    let world = World::new([person(1), without(2)]);
    let view = plan(&world, mapping());
    assert_eq!(actions(&view), ["create E001"]);
    assert!(World::problems(&view).iter().any(|problem| {
        problem.severity == hris_core::Severity::Error && problem.rule == hris_core::rule::FIELD_REQUIRED
    }));
    run(&world, mapping());
    world.set_people([without(1), person(2)]);
    let view = plan(&world, mapping());
    assert_eq!(actions(&view), ["create E002"]);
    assert_eq!(World::rules(&view), [("field.required".to_owned(), "r1".to_owned())]);
}

#[test]
fn every_plan_names_the_mapping_it_was_made_with() {
    let world = World::new(people(1..=2));
    let header = plan(&world, staff_only()).header().clone();
    assert_eq!(&header.mapping, staff_only().version());
    assert_ne!(header.mapping, *FieldMap::standard().version());
}
