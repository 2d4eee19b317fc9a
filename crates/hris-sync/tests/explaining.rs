//! Explaining one person, and a run for one person.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{World, changed, ids, inactive, people, person};
use hris_core::{
    EmployeeRef, ErrorKind, Field, HrisConnector as _, Lookup, MemberField, MemberRecord, Scope, Trigger,
    Value, rule,
};
use hris_sync::{Explanation, StepName};
use hris_testkit::run;

fn explain(world: &World, record: &str) -> Explanation {
    run(world.engine().explain(&EmployeeRef::record(record), world.today())).unwrap()
}

fn says(explanation: &Explanation, name: StepName, text: &str) {
    let said = explanation.step(name).join(" ");
    assert!(said.contains(text), "{name:?} says {said:?} and not {text:?}");
}

#[test]
fn a_new_person_is_explained_in_five_steps_without_any_value() {
    let world = World::new(people(1..=3));
    let before = world.store.dump();
    let told = explain(&world, "r2");
    let names: Vec<_> = told.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["read", "scope", "match", "map", "act"]);
    says(&told, StepName::Read, "status is active");
    says(&told, StepName::Scope, "is for this person");
    says(&told, StepName::Match, "No member has this Employee ID. No member has this e-mail address.");
    says(&told, StepName::Map, "first_name: has a value.");
    says(&told, StepName::Act, "is no member yet");
    assert_eq!(told.action, Some("create"));
    let shown = format!("{told} {told:?}");
    assert!(!shown.contains("First2") && !shown.contains('@'), "{shown}");
    assert_eq!((world.store.dump(), world.target.members().len()), (before, 0), "nothing is changed");
}

#[test]
fn a_known_person_is_explained_by_what_differs_from_the_last_write() {
    let world = World::new(people(1..=3));
    world.run();
    world.set_people([
        changed(1, |it| {
            it.first_name = Field::Value("Other".into());
            it.department = Field::Null;
        }),
        person(2),
        inactive(3),
    ]);
    let told = explain(&world, "r1");
    says(&told, StepName::Match, "Linked to member");
    says(&told, StepName::Map, "first_name: another value than was last written.");
    says(&told, StepName::Map, "department: empty, unlike what was last written.");
    says(&told, StepName::Map, "last_name: as last written.");
    says(&told, StepName::Act, "A run would update: first_name, department.");
    assert_eq!(explain(&world, "r2").action, None);
    let leaver = explain(&world, "r3");
    says(&leaver, StepName::Act, "account is to be closed");
    assert_eq!(leaver.action, Some("leave"));
}

#[test]
fn every_rule_that_fires_is_named() {
    let no_address = changed(1, |it| it.work_email = Field::Null);
    let world = World::new([no_address, person(2)]);
    let told = explain(&world, "r1");
    let rules: Vec<_> = told.rules.iter().map(|problem| problem.rule.clone()).collect();
    assert_eq!((rules, told.action), (vec![rule::EMAIL_MISSING], None));
    assert!(told.to_string().contains("email.missing (email): there is no e-mail address"), "{told}");
}

#[test]
fn who_is_not_there_any_more_is_said() {
    let world = World::new(people(1..=1));
    says(&explain(&world, "r9"), StepName::Read, "does not have this person");
    world.directory.set_deleted(["r8".into()]);
    says(&explain(&world, "r8"), StepName::Read, "was deleted");
    let mut erased = World::new(people(1..=1));
    erased.directory = erased.directory.with_lookup("r1", || Ok(Lookup::Erased));
    let told = explain(&erased, "r1");
    assert_eq!(told.steps.len(), 1);
    says(&told, StepName::Read, "erased");
}

#[test]
fn a_member_who_was_there_before_and_a_conflict_are_told_apart() {
    let world = World::new(people(1..=2));
    let existing = |id: &str, employee_id: &str, email: &str| {
        let attributes = [
            (MemberField::EmployeeId.into(), Some(Value::from(employee_id))),
            (MemberField::Email.into(), Some(Value::from(email))),
        ];
        MemberRecord::new(id, attributes.into_iter().collect())
    };
    world.target.plant(existing("m-1", "E001", "p1@acme.example"));
    world.target.plant(existing("m-2", "E999", "p2@acme.example"));
    let adopted = explain(&world, "r1");
    says(&adopted, StepName::Match, "Member m-1 has this Employee ID.");
    assert_eq!(adopted.action, Some("adopt"));
    let conflict = explain(&world, "r2");
    assert_eq!(conflict.action, None);
    assert_eq!(conflict.rules[0].rule, rule::MEMBER_CONFLICT);
}

#[test]
fn a_person_whose_claims_contradict_somebody_is_explained_by_reading_everyone() {
    let world = World::new(people(1..=3));
    world.run();
    let twin = changed(9, |it| it.employee_id = Field::Value("E001".into()));
    world.set_people([people(1..=3), vec![twin]].concat());
    let told = explain(&world, "r9");
    assert_eq!(told.action, None);
    assert!(told.rules.iter().any(|problem| problem.rule == rule::EMPLOYEE_ID_SHARED), "{told}");
}

#[test]
fn a_connector_without_single_reads_is_explained_from_its_listing() {
    let mut world = World::new(people(1..=3));
    let mut capabilities = world.directory.capabilities();
    capabilities.single_read = false;
    world.directory = world.directory.with_capabilities(capabilities);
    assert_eq!(explain(&world, "r2").action, Some("create"));
    says(&explain(&world, "r9"), StepName::Read, "does not have this person");
    let (id, who) = ("one".into(), EmployeeRef::record("r2"));
    let only = run(world.engine().run_person(&id, &who, Trigger::OnDemand, world.today()));
    assert_eq!(only.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_run_for_one_person_leaves_everybody_else_alone() {
    let world = World::new(people(1..=3));
    let one = |id: &str, record: &str| {
        run(world.engine().run_person(
            &id.into(),
            &EmployeeRef::record(record),
            Trigger::OnDemand,
            world.today(),
        ))
    };
    let report = one("first", "r2").unwrap();
    assert_eq!((report.applied.created, report.planned.missing), (1, 0), "{report}");
    assert_eq!(world.open_accounts(), ids([2]));
    assert!(world.directory.queries().iter().all(|query| matches!(query.scope, Scope::People(_))));
    world.run();
    world.set_people([inactive(1), inactive(2), person(3)]);
    assert_eq!(one("second", "r1").unwrap().applied.left, 1);
    assert_eq!(world.open_accounts(), ids([2, 3]));

    let twin = changed(9, |it| it.employee_id = Field::Value("E003".into()));
    world.set_people([person(3), twin]);
    assert_eq!(one("third", "r9").unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn a_last_day_that_lies_ahead_is_shown_and_closes_nothing_yet() {
    use hris_sync::EndDate;
    let mut world = World::new(people(1..=2));
    world.run();
    let ending = || changed(1, |it| it.end_date = Field::Value("2026-03-10".parse().unwrap()));
    world.set_people([ending(), person(2)]);
    assert_eq!(world.run().planned.actions(), 0);
    world.policy.end_date = EndDate::Decides { time_zone: "Europe/Madrid".to_owned() };
    let told = explain(&world, "r1");
    says(&told, StepName::Act, "closes at the end of 2026-03-10, where the person works");
    assert_eq!(told.action, None);
    let other = explain(&world, "r2").step(StepName::Act).join(" ");
    assert!(!other.contains("last day"), "{other}");
}
