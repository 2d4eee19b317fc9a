//! References to managers, in the second pass.

use hris_core::{MemberField, MemberQuery, Outcome, ProvisioningTarget as _, rule};
use hris_testkit::run;
use serde_json::{Value, json};

use crate::setup::{
    ENTERPRISE, Stage, applied, apply, attributes, cleared, create, created, find, person, update, with,
};

fn manager_of(stage: &Stage, number: &str) -> Value {
    let accounts = stage.sim.accounts();
    let account = accounts.iter().find(|account| account.text("externalId") == Some(number)).unwrap();
    account.user[ENTERPRISE]["manager"].clone()
}

fn reporting_to(number: &str, manager: &str) -> hris_core::Action {
    create(with(person(number), MemberField::Manager, manager))
}

#[test]
fn a_manager_who_comes_later_is_referred_to_in_a_second_pass_and_circles_are_allowed() {
    let stage = Stage::new();
    let target = stage.target();
    let one = applied(apply(&target, reporting_to("1", "2")));
    assert_eq!(manager_of(&stage, "1"), Value::Null, "the person is not held up");
    let two = applied(apply(&target, reporting_to("2", "1")));
    assert_eq!(manager_of(&stage, "1"), json!({ "value": two.as_str() }));
    assert_eq!(manager_of(&stage, "2"), json!({ "value": one.as_str() }));
    assert_eq!((run(target.settle_managers()), target.take_problems().len()), (0, 0));
}

#[test]
fn a_manager_is_read_as_an_employee_id() {
    let stage = Stage::new();
    let target = stage.target();
    created(&target, "1");
    let id = applied(apply(&target, reporting_to("2", "1")));
    for target in [target, stage.target()] {
        let [member] = &find(&target, &MemberQuery::Id(id.clone()))[..] else { panic!("one") };
        assert_eq!(member.attributes.text(&MemberField::Manager.into()), Some("1"));
    }
}

#[test]
fn a_manager_who_never_comes_is_reported_and_the_member_is_there() {
    let stage = Stage::new();
    let target = stage.target();
    applied(apply(&target, reporting_to("1", "404")));
    assert_eq!(run(target.settle_managers()), 1);
    let problems = target.take_problems();
    assert_eq!((problems.len(), &problems[0].rule), (1, &rule::MANAGER_UNKNOWN));
    assert_eq!(problems[0].employee_id.as_ref().unwrap().as_str(), "1");
    assert!(target.take_problems().is_empty());
}

#[test]
fn a_manager_who_was_made_by_somebody_else_is_found_when_the_run_ends() {
    let stage = Stage::new();
    let target = stage.target();
    applied(apply(&target, reporting_to("1", "2")));
    let two = created(&stage.target(), "2");
    assert_eq!(run(target.settle_managers()), 0);
    assert_eq!(manager_of(&stage, "1"), json!({ "value": two.as_str() }));
}

#[test]
fn a_change_of_manager_is_an_update_and_can_be_cleared() {
    let stage = Stage::new();
    let target = stage.target();
    let boss = created(&target, "9");
    let id = created(&target, "1");
    let changes = attributes([(MemberField::Manager, "9")]);
    applied(apply(&target, update("1", &id, changes.clone())));
    assert_eq!(manager_of(&stage, "1"), json!({ "value": boss.as_str() }));
    assert!(matches!(apply(&target, update("1", &id, changes)), Outcome::AlreadySo(_)));
    applied(apply(&target, update("1", &id, cleared(MemberField::Manager))));
    assert_eq!(manager_of(&stage, "1"), Value::Null);
}

#[test]
fn a_whole_batch_is_written_before_its_managers_are() {
    let stage = Stage::new();
    let target = stage.build(stage.config().with_bulk(std::num::NonZeroUsize::new(10)));
    let people: Vec<_> = ["1", "2", "3"]
        .iter()
        .zip(["3", "1", "2"])
        .map(|(number, manager)| reporting_to(number, manager))
        .collect();
    for outcome in run(target.apply(&people)) {
        applied(outcome);
    }
    for number in ["1", "2", "3"] {
        assert!(manager_of(&stage, number)["value"].is_string(), "{number}");
    }
}
