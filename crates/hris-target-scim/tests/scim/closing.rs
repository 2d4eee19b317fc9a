//! Leavers: closed, never deleted, and back within the close-down as the same member.

use std::time::Duration;

use hris_core::{MemberField, Outcome};
use hris_target_scim::UpdateWith;

use crate::setup::{Stage, applied, apply, attributes, create, created, leave, person, reactivate, update};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn a_leaver_is_closed_and_returns_within_the_close_down_as_the_same_member() {
    for update_with in [UpdateWith::Patch, UpdateWith::Put] {
        let stage = Stage::new();
        let target = stage.build(stage.reward_gateway().with_requests_per_second(0).with_update(update_with));
        let id = created(&target, "1");
        assert_eq!(applied(apply(&target, leave("1", &id))), id);
        let closed = stage.account(&id);
        assert!(!closed.is_active());
        assert_eq!(closed.closes_on.unwrap().to_string(), "2026-05-01", "60 days after 2 March");
        assert!(matches!(apply(&target, leave("1", &id)), Outcome::AlreadySo(_)));

        stage.clock.advance(DAY * 59);
        let changes = attributes([(MemberField::LastName, "García")]);
        assert_eq!(applied(apply(&target, reactivate("1", &id, changes))), id);
        let back = stage.account(&id);
        assert!(back.is_active() && back.closes_on.is_none());
        assert_eq!((back.user["name"]["familyName"].as_str(), back.invitations), (Some("García"), 1));
        assert_eq!(stage.sim.deletions(), 0);
    }
}

#[test]
fn after_the_close_down_the_account_is_gone_and_a_return_is_a_create() {
    let stage = Stage::new();
    let target = stage.target();
    let id = created(&target, "1");
    applied(apply(&target, leave("1", &id)));
    assert!(
        matches!(apply(&target, create(person("1"))), Outcome::Conflict(_)),
        "closed accounts hold their values"
    );
    stage.clock.advance(DAY * 60);
    assert!(stage.sim.accounts().is_empty());
    let gone = apply(&target, reactivate("1", &id, person("1")));
    assert!(matches!(gone, Outcome::Rejected(error) if error.kind() == hris_core::ErrorKind::NotFound));
    assert!(matches!(apply(&target, leave("1", &id)), Outcome::AlreadySo(_)), "whoever is gone has left");
    let new = applied(apply(&target, create(person("1"))));
    assert_ne!(new, id);
}

#[test]
fn an_account_that_does_not_say_whether_it_is_open_is_told() {
    let stage = Stage::new();
    let target = stage.target();
    let id = created(&target, "1");
    stage.sim.edit(id.as_str(), |user| _ = user.remove("active"));
    applied(apply(&target, reactivate("1", &id, attributes([]))));
    assert!(stage.account(&id).is_active());
    stage.sim.edit(id.as_str(), |user| _ = user.remove("active"));
    applied(apply(&target, leave("1", &id)));
    assert_eq!(stage.user(&id)["active"], false);
}

#[test]
fn an_update_neither_opens_nor_closes() {
    for update_with in [UpdateWith::Patch, UpdateWith::Put] {
        let stage = Stage::new();
        let target = stage.build(stage.config().with_update(update_with));
        let id = created(&target, "1");
        for open in [true, false] {
            stage.sim.edit(id.as_str(), |user| _ = user.insert("active".into(), open.into()));
            let name = if open { "Miren" } else { "Garazi" };
            applied(apply(&target, update("1", &id, attributes([(MemberField::FirstName, name)]))));
            assert_eq!(stage.account(&id).is_active(), open, "{update_with:?}");
        }
    }
}
