//! References to managers, who may come later.

use hris_core::{Awaited, MemberField, MemberId, MemberQuery, Outcome, ProvisioningTarget as _};
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

/// The member of a record that was stored but for its manager.
fn without_manager(outcome: Outcome) -> MemberId {
    match outcome {
        Outcome::Partly { member, without } if without == [MemberField::Manager.into()] => member,
        other => panic!("stored without the manager, not {other:?}"),
    }
}

#[test]
fn a_manager_who_is_not_there_is_left_out_and_written_when_sent_again() {
    let stage = Stage::new();
    let target = stage.target();
    let one = without_manager(apply(&target, reporting_to("1", "2")));
    assert_eq!(manager_of(&stage, "1"), Value::Null, "the person is not held up");
    let two = applied(apply(&target, reporting_to("2", "1")));
    assert_eq!(manager_of(&stage, "2"), json!({ "value": one.as_str() }));
    applied(apply(&target, update("1", &one, attributes([(MemberField::Manager, "2")]))));
    assert_eq!(manager_of(&stage, "1"), json!({ "value": two.as_str() }));
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
fn who_waits_for_a_manager_can_be_asked_and_the_rest_of_a_change_is_written() {
    let stage = Stage::new();
    let target = stage.target();
    let one = without_manager(apply(&target, reporting_to("1", "404")));
    let awaited = run(target.awaited(&attributes([(MemberField::Manager, "404")])));
    assert_eq!(awaited, [Awaited::new(MemberField::Manager.into(), "404".into())]);
    assert_eq!(run(target.awaited(&attributes([(MemberField::Manager, "1")]))), []);
    let changes = attributes([(MemberField::Manager, "404"), (MemberField::LastName, "Nuevo")]);
    without_manager(apply(&target, update("1", &one, changes)));
    assert_eq!(stage.user(&one)["name"]["familyName"], "Nuevo");
    let writes = stage.sim.writes();
    without_manager(apply(&target, update("1", &one, attributes([(MemberField::Manager, "404")]))));
    assert_eq!(stage.sim.writes(), writes, "nothing is written for nothing");
    assert!(target.take_problems().is_empty(), "the engine tells it");
}

#[test]
fn a_manager_who_was_made_by_somebody_else_is_found_a_minute_later() {
    let stage = Stage::new();
    let target = stage.target();
    let one = without_manager(apply(&target, reporting_to("1", "2")));
    let two = created(&stage.target(), "2");
    stage.clock.advance(std::time::Duration::from_secs(60));
    applied(apply(&target, update("1", &one, attributes([(MemberField::Manager, "2")]))));
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
