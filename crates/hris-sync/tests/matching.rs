//! Matching people with members who are there already: rules by precedence, each an "and" of attributes.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{World, ids, people};
use hris_core::{ErrorKind, MemberField, MemberRecord, TargetField, Value, rule};
use hris_sync::MatchRule;

fn existing(id: &str, employee_id: Option<&str>, email: &str, last_name: &str) -> MemberRecord {
    let attributes = [
        (TargetField::EMPLOYEE_ID, employee_id.map(Value::from)),
        (TargetField::EMAIL, Some(Value::from(email))),
        (MemberField::LastName.into(), Some(Value::from(last_name))),
    ];
    MemberRecord::new(id, attributes.into_iter().filter(|(_, value)| value.is_some()).collect())
}

fn world(rules: impl IntoIterator<Item = MatchRule>) -> World {
    let mut world = World::new(people(1..=1));
    world.policy.matching = rules.into_iter().collect();
    world
}

fn id_and_name() -> MatchRule {
    MatchRule::all([TargetField::EMPLOYEE_ID, MemberField::LastName.into()])
}

#[test]
fn members_are_matched_by_rules_of_several_attributes() {
    let rules = [id_and_name(), MatchRule::all([TargetField::EMAIL, MemberField::LastName.into()])];
    for member in [
        existing("m-1", Some("E001"), "old@acme.example", "Last1"),
        existing("m-1", None, "P1@acme.example", "Last1"),
    ] {
        let world = world(rules.clone());
        world.target.plant(member);
        let report = world.run();
        assert_eq!((report.applied.adopted, report.applied.created), (1, 0), "{report}");
        assert_eq!(world.open_accounts(), ids([1]));
    }
}

#[test]
fn a_reused_employee_id_is_a_conflict_where_a_rule_wants_more() {
    let world = world([id_and_name()]);
    let stranger = existing("m-1", Some("E001"), "other@acme.example", "Stranger");
    world.target.plant(stranger.clone());
    let report = world.run();
    assert_eq!((report.applied.affected(), report.problems.get(&rule::MEMBER_CONFLICT)), (0, Some(&1)));
    assert_eq!(world.target.members(), [stranger], "nobody's account is handed over");
}

#[test]
fn an_address_of_a_member_with_another_employee_id_matches_only_where_a_rule_says_so() {
    let member = existing("m-1", Some("X900"), "p1@acme.example", "Last1");
    for (rule, adopted) in [
        (MatchRule::all([TargetField::EMAIL]), 0),
        (MatchRule::all([TargetField::EMAIL]).with_any_employee_id(), 1),
    ] {
        let world = world([rule]);
        world.target.plant(member.clone());
        assert_eq!(world.run().applied.adopted, adopted);
    }
}

#[test]
fn who_matches_two_members_by_two_rules_is_a_conflict() {
    let world = world(MatchRule::usual());
    world.target.plant(existing("m-1", Some("E001"), "one@acme.example", "Last1"));
    world.target.plant(existing("m-2", None, "p1@acme.example", "Last1"));
    let report = world.run();
    assert_eq!((report.applied.affected(), report.problems.get(&rule::MEMBER_CONFLICT)), (0, Some(&1)));
}

#[test]
fn a_rule_by_which_nobody_can_be_looked_for_is_refused_before_anybody_is_read() {
    let world = world([MatchRule::all([MemberField::LastName.into()])]);
    assert_eq!(world.try_run().unwrap_err().kind(), ErrorKind::Config);
    assert!(world.directory.queries().is_empty());
}
