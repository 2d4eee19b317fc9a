//! Each bad input that the platform and its operators come up with: nothing lost, nothing doubled, all reported.

use hris_core::{
    Attributes, Delivery, ErrorKind, MemberField, Outcome, ProvisioningTarget as _, TargetField, Value, rule,
};
use hris_http::RetryPolicy;
use hris_target_scim::sim::{Behaviour, ScimSim};
use hris_target_scim::{TokenScope, ValueFormat};
use hris_testkit::run;
use hris_testkit::sim::{Fault, FaultRule, SimRequest};
use serde_json::json;

use crate::setup::{
    Stage, applied, apply, attributes, by_email, by_id, create, created, leave, person, planted, reactivate,
    update, with,
};

fn on(rule: FaultRule, method: &'static str) -> FaultRule {
    rule.on(move |request: &SimRequest| request.method() == method)
}

fn sloppy(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut behaviour = Behaviour::default();
    change(&mut behaviour);
    Stage::with(behaviour)
}

#[test]
fn a_foreign_account_with_the_same_user_name_is_a_conflict_and_is_left_alone() {
    let stage = Stage::new();
    let target = stage.target();
    for foreign in [None, Some("77")] {
        let id = stage.sim.plant(planted(foreign, "Persona.1@brisa.example"));
        let before = stage.sim.account(&id);
        let outcome = apply(&target, create(person("1")));
        assert!(matches!(outcome, Outcome::Conflict(error) if error.kind() == ErrorKind::Conflict));
        assert_eq!((stage.sim.account(&id), stage.sim.accounts().len()), (before, 1));
        assert_eq!(by_email(&target, "persona.1@brisa.example").len(), 1);
        stage.sim.remove(&id);
    }
}

#[test]
fn a_user_name_that_only_the_platform_sees_is_resolved_by_reading() {
    // An account that listings hide: the look-ups find nobody, and the create is answered with 409.
    let stage = sloppy(|b| b.hides_inactive = true);
    let target = stage.target();
    let mut hidden = planted(Some("77"), "persona.1@brisa.example");
    hidden["active"] = json!(false);
    stage.sim.plant(hidden);
    let Outcome::Conflict(error) = apply(&target, create(person("1"))) else { panic!("a conflict") };
    assert!(error.hint().unwrap().contains("cannot be seen"), "{error}");
    assert_eq!(stage.sim.accounts().len(), 1);
}

#[test]
fn two_accounts_with_one_external_id_are_a_conflict_and_both_are_left_alone() {
    let stage = Stage::new();
    let target = stage.target();
    let one = stage.sim.plant(planted(Some("1"), "a@x.example"));
    stage.sim.plant(planted(Some("1"), "b@x.example"));
    assert_eq!(by_id(&target, "1").len(), 2, "both are shown to the caller");
    assert!(matches!(apply(&target, create(person("1"))), Outcome::Conflict(_)));
    let lost = "usr-000404".into();
    let outcome = apply(&target, update("1", &lost, attributes([(MemberField::FirstName, "Miren")])));
    assert!(matches!(outcome, Outcome::Conflict(_)), "none of two is picked");
    // By its own id each can still be put right.
    let (number, id) = ("1", one.as_str().into());
    applied(apply(&target, update(number, &id, attributes([(MemberField::FirstName, "Miren")]))));
    assert_eq!(stage.sim.accounts().len(), 2);
}

#[test]
fn an_address_that_the_rules_refuse_is_never_sent_and_a_member_is_not_closed_for_it() {
    let stage = Stage::new();
    let target = stage.build(stage.reward_gateway());
    for email in ["a@b", "<a@b.com>", "ü@b.com", "a b@c.com", "a@b.com,c@d.com", ""] {
        let Outcome::Rejected(error) = apply(&target, create(with(person("1"), MemberField::Email, email)))
        else {
            panic!("rejected: {email}")
        };
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Invalid, Delivery::NotSent));
        assert!(error.context().any(|(key, value)| (key, value) == ("field", "email")));
        assert!(email.is_empty() || !error.to_string().contains(email));
    }
    assert!(!stage.sim.calls().iter().any(|call| call.ends_with("Users")));
    let id = created(&target, "1");
    let before = stage.account(&id);
    let changes = attributes([(MemberField::Email, "a@b")]);
    assert!(matches!(apply(&target, update("1", &id, changes)), Outcome::Rejected(_)));
    assert_eq!(stage.account(&id), before);
}

#[test]
fn a_broken_optional_value_is_left_out_and_reported_and_the_record_is_sent() {
    let stage = Stage::new();
    let target = stage.build(stage.reward_gateway());
    let wanted = with(with(person("1"), MemberField::FirstName, "Smith 2"), MemberField::Gender, "unicorn");
    let wanted = with(wanted, MemberField::LastName, "Jose\u{301}  Mari\u{301}a ");
    let id = applied(apply(&target, create(wanted)));
    assert_eq!(
        stage.user(&id)["name"],
        json!({ "familyName": "José María" }),
        "composed before it is checked"
    );
    let problems = target.take_problems();
    let mut fields: Vec<_> = problems.iter().map(|problem| problem.field.as_deref().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["first_name", "gender"]);
    assert!(
        problems
            .iter()
            .all(|problem| problem.employee_id.is_some() && problem.rule == rule::VALUE_CHARACTERS)
    );
    assert!(!format!("{problems:?}").contains("unicorn"));
}

#[test]
fn a_platforms_default_limits_for_other_attributes_only_warn() {
    let stage = Stage::new();
    let target = stage.build(stage.reward_gateway());
    let long = "x".repeat(51);
    let id = applied(apply(&target, create(with(person("1"), MemberField::Department, long.as_str()))));
    assert_eq!(stage.user(&id)[crate::setup::ENTERPRISE]["department"], long);
    assert_eq!(target.take_problems()[0].rule, rule::VALUE_LENGTH);
}

#[test]
fn an_attribute_without_a_place_is_left_out_and_reported_once() {
    let stage = Stage::new();
    let target = stage.target();
    let shoe = TargetField::Custom("shoe".into());
    assert!(!target.writes(&shoe) && target.writes(&MemberField::Gender.into()));
    for number in ["1", "2"] {
        let mut wanted = person(number);
        wanted.set(shoe.clone(), Some("38".into()));
        applied(apply(&target, create(wanted)));
    }
    let problems = target.take_problems();
    assert_eq!((problems.len(), problems[0].field.as_deref()), (1, Some("custom:shoe")));
    assert_eq!(problems[0].rule, rule::VALUE_NOT_STORED);
}

#[test]
fn an_unknown_extension_attribute_is_refused_by_a_strict_platform_and_reported_once_by_a_sloppy_one() {
    let place = |stage: &Stage| {
        let path = "urn:example:params:scim:schemas:extension:other:2.0:User:shoe".parse().unwrap();
        stage.config().with_attribute(TargetField::Custom("shoe".into()), path, ValueFormat::Text)
    };
    let somebody = |number| {
        let mut wanted = person(number);
        wanted.set(TargetField::Custom("shoe".into()), Some("38".into()));
        create(wanted)
    };
    let strict = Stage::new();
    let target = strict.build(place(&strict));
    let Outcome::Rejected(error) = apply(&target, somebody("1")) else { panic!("rejected") };
    assert!(error.hint().unwrap().contains("extensions"), "{error}");
    assert!(strict.sim.accounts().is_empty());

    let sloppy = sloppy(|b| b.drops_unknown = true);
    let target = sloppy.build(place(&sloppy));
    applied(apply(&target, somebody("1")));
    applied(apply(&target, somebody("2")));
    let problems = target.take_problems();
    assert_eq!((problems.len(), &problems[0].rule), (1, &rule::VALUE_NOT_STORED));
    assert!(problems[0].field.as_deref().unwrap().ends_with(":shoe"));
}

#[test]
fn a_token_without_write_scope_is_told_by_the_first_refusal_and_nothing_more_is_sent_for_a_minute() {
    let stage = Stage::new();
    let id = created(&stage.target(), "9");
    let target = stage.build_with_token(stage.config(), ScimSim::READ_ONLY_TOKEN);
    let writes = stage.sim.writes();
    let Outcome::NotAttempted(error) = apply(&target, create(person("1"))) else { panic!("not attempted") };
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.hint().unwrap().contains("scim.readWrite"), "{error}");
    let requests = stage.sim.server().request_count();
    for action in [create(person("2")), leave("9", &id), reactivate("9", &id, Attributes::new())] {
        assert!(matches!(apply(&target, action), Outcome::NotAttempted(_)));
    }
    assert_eq!((stage.sim.server().request_count(), stage.sim.writes()), (requests, writes));
    assert_eq!(by_id(&target, "9").len(), 1, "reading goes on");
    stage.clock.advance(std::time::Duration::from_secs(60));
    assert!(matches!(apply(&target, create(person("1"))), Outcome::NotAttempted(_)));
    assert!(stage.sim.server().request_count() > requests, "it is tried again later");
}

#[test]
fn a_token_that_is_known_to_be_for_reading_sends_no_write_at_all() {
    let stage = Stage::new();
    let target = stage.build(stage.config().with_scope(TokenScope::ReadOnly));
    assert!(matches!(apply(&target, create(person("1"))), Outcome::NotAttempted(_)));
    assert_eq!(stage.sim.server().request_count(), 0);
}

#[test]
fn a_refused_token_ends_the_writing_and_marks_nobody_as_failed() {
    let stage = Stage::new();
    let target = stage.target();
    stage.sim.tokens().revoke_all();
    let Outcome::NotAttempted(error) = apply(&target, create(person("1"))) else { panic!("not attempted") };
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(matches!(apply(&target, create(person("2"))), Outcome::NotAttempted(_)));
    let requests = stage.sim.calls().len();
    assert!(requests <= 3, "a refused token is not hammered: {requests}");
}

#[test]
fn a_write_that_is_throttled_is_sent_again_and_given_up_as_not_attempted() {
    let stage = Stage::new();
    let target = stage.target();
    stage.sim.faults().add(on(Fault::rate_limited(Some(7)).times(2), "POST"));
    applied(apply(&target, create(person("1"))));
    assert_eq!(stage.sim.accounts().len(), 1);
    stage.sim.faults().add(on(Fault::rate_limited(None).always(), "POST"));
    let Outcome::NotAttempted(error) = apply(&target, create(person("2"))) else { panic!("not attempted") };
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(stage.sim.accounts().len(), 1);
}

#[test]
fn a_write_that_is_stored_and_answered_with_500_is_in_doubt_and_never_sent_twice() {
    for status in [500, 502, 503, 504] {
        let stage = Stage::new();
        let target = stage.target();
        let failing = Fault::change(move |real| {
            assert!(real.status() < 300);
            hris_testkit::sim::SimResponse::empty(status)
        });
        stage.sim.faults().add(on(failing.clone().once(), "POST"));
        let Outcome::InDoubt(error) = apply(&target, create(person("1"))) else {
            panic!("in doubt: {status}")
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(stage.sim.writes(), 1);
        let [member] = &by_id(&target, "1")[..] else { panic!("read back") };
        stage.sim.faults().add(on(failing.once(), "PATCH"));
        assert!(matches!(apply(&target, leave("1", &member.id)), Outcome::InDoubt(_)));
        assert!(!by_id(&target, "1")[0].active);
        assert_eq!(stage.sim.writes(), 2);
        assert!(matches!(apply(&target, create(person("1"))), Outcome::Conflict(_)));
        assert_eq!(stage.sim.accounts().len(), 1);
    }
}

#[test]
fn a_write_that_is_never_answered_is_in_doubt() {
    let stage = Stage::new();
    let target = stage.target();
    stage.sim.faults().add(on(Fault::Lost.once(), "POST"));
    let Outcome::InDoubt(error) = apply(&target, create(person("1"))) else { panic!("in doubt") };
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(by_id(&target, "1").len(), 1);
}

#[test]
fn a_create_that_is_answered_with_201_and_not_stored_is_noticed_where_creates_are_confirmed() {
    let stage = Stage::new();
    let target = stage.build(stage.config().with_confirmed_creates(true));
    stage.sim.forget(1);
    assert!(matches!(apply(&target, create(person("1"))), Outcome::InDoubt(_)));
    assert!(by_id(&target, "1").is_empty());
    applied(apply(&target, create(person("1"))));
    assert_eq!(stage.sim.accounts().len(), 1);
}

#[test]
fn a_create_that_is_answered_with_201_and_not_stored_is_missing_from_roster_and_look_ups() {
    let stage = Stage::new();
    let target = stage.target();
    stage.sim.forget(1);
    let id = applied(apply(&target, create(person("1"))));
    // What a verify run sees: the member is not there by any key, so that it is reported and made again.
    assert!(crate::setup::find(&target, &hris_core::MemberQuery::Id(id)).is_empty());
    assert!(by_id(&target, "1").is_empty());
    let roster: Vec<_> = run(futures_util::TryStreamExt::try_collect(target.roster().unwrap())).unwrap();
    assert!(roster.is_empty());
}

#[test]
fn a_success_that_shows_no_user_is_in_doubt_unless_the_account_is_as_it_was_to_be() {
    for fault in [Fault::Html, Fault::Empty] {
        let stage = Stage::new();
        let target = stage.target();
        let id = created(&target, "9");
        stage.sim.faults().add(on(fault.clone().once(), "POST"));
        assert!(matches!(apply(&target, create(person("1"))), Outcome::InDoubt(_)), "{fault:?}");
        let change = || update("9", &id, attributes([(MemberField::FirstName, "Miren")]));
        stage.sim.faults().add(on(fault.once(), "PATCH"));
        assert!(matches!(apply(&target, change()), Outcome::InDoubt(_)), "it was not carried out");
        let silent = Fault::change(|_| hris_testkit::sim::SimResponse::empty(200));
        stage.sim.faults().add(on(silent.once(), "PATCH"));
        applied(apply(&target, change()));
    }
}

#[test]
fn a_member_who_vanishes_under_a_change_is_told_and_not_made_anew() {
    let stage = Stage::new();
    let target = stage.target();
    let id = created(&target, "1");
    stage.sim.remove(id.as_str());
    let outcome = apply(&target, update("1", &id, attributes([(MemberField::FirstName, "Miren")])));
    assert!(matches!(outcome, Outcome::Rejected(error) if error.kind() == ErrorKind::NotFound));
    assert!(stage.sim.accounts().is_empty());
}

#[test]
fn a_platform_that_cannot_be_read_gets_no_write() {
    let stage = Stage::new();
    let target = stage.target();
    stage.sim.faults().add(on(Fault::status(500).always(), "GET"));
    assert!(matches!(apply(&target, create(person("1"))), Outcome::NotAttempted(_)));
    assert_eq!(stage.sim.writes(), 0);
    assert!(!stage.sim.calls().iter().any(|call| call.starts_with("POST")));
}

#[test]
fn a_birth_date_without_its_year_cannot_be_written_and_is_reported() {
    let stage = Stage::new();
    let target = stage.target();
    let hidden = Value::BirthDate(hris_core::BirthDate::month_day(2, 29).unwrap());
    applied(apply(&target, create(with(person("1"), MemberField::BirthDate, hidden))));
    let problems = target.take_problems();
    assert_eq!((problems.len(), problems[0].field.as_deref()), (1, Some("birth_date")));
}

#[test]
fn the_limit_of_requests_is_kept() {
    let stage = Stage::new();
    let config = stage.config().with_requests_per_second(2);
    let clock = stage.clock.clone();
    let transport =
        hris_http::Transport::builder().with_clock(std::sync::Arc::new(clock.clone())).build().unwrap();
    let target = config.build_with(&stage.sim.token(), &transport, RetryPolicy::default()).unwrap();
    let start = hris_core::Clock::now(&clock);
    for _ in 0..30 {
        assert!(by_id(&target, "1").is_empty());
    }
    let seconds = (hris_core::Clock::now(&clock) - start).num_seconds();
    assert!((13..=16).contains(&seconds), "30 requests and one for the configuration took {seconds} s");
}
