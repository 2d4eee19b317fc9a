//! Creating and changing members: what is on the wire, and what is on the platform afterwards.

use chrono::NaiveDate;
use hris_core::{ActionKind, BirthDate, MemberField, MemberQuery, Outcome, ProvisioningTarget as _, Value};
use hris_target_scim::{ArrayPatch, OnConflict, PatchStyle, UpdateWith};
use hris_testkit::{run, sample_action};
use serde_json::json;

use crate::setup::{
    ENTERPRISE, MEMBER, Stage, applied, apply, attributes, by_id, cleared, create, created, find, person,
    planted, update, with,
};

fn everything() -> hris_core::Attributes {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let birth = Value::BirthDate(BirthDate::from(day(1988, 4, 17)));
    let person =
        with(with(person("1"), MemberField::BirthDate, birth), MemberField::StartDate, day(2021, 9, 1));
    let person = with(with(person, MemberField::Gender, "F"), MemberField::Department, "Retail");
    let person = with(with(person, MemberField::PersonalEmail, "n@home.example"), MemberField::Country, "ES");
    with(with(person, MemberField::JobTitle, "Store Manager"), MemberField::Company, "Brisa")
}

#[test]
fn a_new_member_is_an_open_account_with_every_attribute_at_its_place() {
    let stage = Stage::new();
    let id = applied(apply(&stage.target(), create(everything())));
    assert_eq!(
        stage.user(&id),
        json!({
            "externalId": "1", "userName": "persona.1@brisa.example", "active": true,
            "name": { "givenName": "Nerea", "familyName": "Olmedo" },
            "title": "Store Manager",
            "emails": [
                { "value": "persona.1@brisa.example", "type": "work", "primary": true },
                { "value": "n@home.example", "type": "home" },
            ],
            "addresses": [{ "country": "ES", "type": "work", "primary": true }],
            ENTERPRISE: { "employeeNumber": "1", "department": "Retail", "organization": "Brisa" },
            MEMBER: { "dateOfBirth": "1988-04-17", "gender": "F", "startDate": "01/09/2021" },
        })
    );
    assert_eq!(stage.account(&id).invitations, 1);
    let calls = stage.sim.calls();
    assert_eq!(calls, ["GET ServiceProviderConfig", "GET Users", "POST Users"]);
}

#[test]
fn what_was_written_is_read_back_as_it_was() {
    let stage = Stage::new();
    let target = stage.target();
    let id = applied(apply(&target, create(everything())));
    let [member] = &find(&target, &MemberQuery::Id(id))[..] else { panic!("one") };
    assert_eq!(member.attributes, everything());
    assert!(member.active && member.version.is_some());
}

#[test]
fn a_change_is_a_patch_of_the_attributes_that_differ_under_the_version_that_was_read() {
    let stage = Stage::new();
    let target = stage.target();
    let id = applied(apply(&target, create(everything())));
    let version = stage.account(&id).version;
    let changes = attributes([
        (MemberField::Email, "nerea@brisa.example"),
        (MemberField::FirstName, "Nerea"),
        (MemberField::Gender, "X"),
    ]);
    assert!(matches!(apply(&target, update("1", &id, changes)), Outcome::Applied(same) if same == id));
    let requests = stage.sim.requests();
    let patch = requests.last().unwrap();
    assert_eq!(patch.method(), "PATCH");
    assert_eq!(patch.header("if-match"), Some(format!("W/\"{version}\"").as_str()));
    let body = patch.json().unwrap();
    let paths: Vec<_> =
        body["Operations"].as_array().unwrap().iter().map(|op| op["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["userName", &format!("{MEMBER}:gender"), "emails"]);
    let user = stage.user(&id);
    assert_eq!(user["userName"], "nerea@brisa.example");
    assert_eq!(user["emails"][1]["value"], "n@home.example", "the private address is kept");
}

#[test]
fn every_way_of_changing_comes_to_the_same_and_keeps_what_is_not_ours() {
    let mut outcomes = Vec::new();
    for update_with in [UpdateWith::Patch, UpdateWith::Put] {
        for style in [PatchStyle::PerAttribute, PatchStyle::Merged] {
            for arrays in [ArrayPatch::Filtered, ArrayPatch::Whole] {
                let stage = Stage::new();
                let config =
                    stage.config().with_update(update_with).with_patch_style(style).with_arrays(arrays);
                let target = stage.build(config);
                let id = applied(apply(&target, create(everything())));
                stage.sim.edit(id.as_str(), |user| {
                    user.insert("nickName".into(), "Ne".into());
                    user["emails"]
                        .as_array_mut()
                        .unwrap()
                        .push(json!({ "value": "o@x.example", "type": "other" }));
                });
                let mut changes = attributes([
                    (MemberField::Email, "nerea@brisa.example"),
                    (MemberField::LastName, "López"),
                    (MemberField::Phone, "+34 600 000 000"),
                    (MemberField::StartDate, "2022-01-31"),
                ]);
                for field in [
                    MemberField::JobTitle,
                    MemberField::PersonalEmail,
                    MemberField::Gender,
                    MemberField::Country,
                ] {
                    changes.set(field, None);
                }
                applied(apply(&target, update("1", &id, changes.clone())));
                assert!(matches!(apply(&target, update("1", &id, changes)), Outcome::AlreadySo(_)));
                outcomes.push(stage.user(&id));
            }
        }
    }
    let expected = json!({
        "externalId": "1", "userName": "nerea@brisa.example", "active": true, "nickName": "Ne",
        "name": { "givenName": "Nerea", "familyName": "López" },
        "emails": [
            { "value": "nerea@brisa.example", "type": "work", "primary": true },
            { "value": "o@x.example", "type": "other" },
        ],
        "phoneNumbers": [{ "value": "+34 600 000 000", "type": "work", "primary": true }],
        ENTERPRISE: { "employeeNumber": "1", "department": "Retail", "organization": "Brisa" },
        MEMBER: { "dateOfBirth": "1988-04-17", "startDate": "31/01/2022" },
    });
    for user in outcomes {
        assert_eq!(user, expected);
    }
}

#[test]
fn a_change_of_nothing_sends_nothing() {
    let stage = Stage::new();
    let target = stage.target();
    let id = created(&target, "1");
    let before = stage.sim.writes();
    let changes = attributes([(MemberField::FirstName, "Nerea")]);
    assert!(matches!(apply(&target, update("1", &id, changes)), Outcome::AlreadySo(_)));
    assert!(matches!(
        apply(&target, update("1", &id, cleared(MemberField::JobTitle))),
        Outcome::AlreadySo(_)
    ));
    assert_eq!(stage.sim.writes(), before);
}

#[test]
fn a_version_that_moved_is_read_again_and_the_change_made_on_top_of_it() {
    let stage = Stage::new();
    let target = stage.target();
    let id = created(&target, "1");
    stage.sim.meddle(id.as_str(), |user| _ = user.insert("nickName".into(), "Ne".into()));
    applied(apply(&target, update("1", &id, attributes([(MemberField::FirstName, "Miren")]))));
    let user = stage.user(&id);
    assert_eq!((&user["nickName"], &user["name"]["givenName"]), (&json!("Ne"), &json!("Miren")));
    let patches = stage.sim.calls().iter().filter(|call| call.starts_with("PATCH")).count();
    assert_eq!(patches, 2, "the first one was refused with 412");
}

#[test]
fn a_create_for_somebody_who_is_there_is_a_conflict_or_adopts_by_choice() {
    let stage = Stage::new();
    let id = created(&stage.target(), "1");
    let again = || create(with(person("1"), MemberField::FirstName, "Miren"));
    assert!(matches!(apply(&stage.target(), again()), Outcome::Conflict(_)));
    assert_eq!(stage.user(&id)["name"]["givenName"], "Nerea");

    let adopting = stage.build(stage.config().with_on_conflict(OnConflict::Adopt));
    assert_eq!(applied(apply(&adopting, again())), id);
    assert_eq!(stage.user(&id)["name"]["givenName"], "Miren");
    assert_eq!((stage.sim.accounts().len(), stage.account(&id).invitations), (1, 1));
    assert!(matches!(apply(&adopting, again()), Outcome::AlreadySo(_)));
}

#[test]
fn adopting_puts_attributes_right_and_opens_the_account() {
    let stage = Stage::new();
    let target = stage.target();
    let id = stage.sim.plant(planted(None, "persona.1@brisa.example"));
    stage.sim.edit(&id, |user| _ = user.insert("active".into(), false.into()));
    let adopt = ActionKind::Adopt { changes: person("1"), reopen: true };
    applied(apply(&target, sample_action("1", Some(id.as_str().into()), adopt)));
    let account = stage.sim.account(&id).unwrap();
    assert!(account.is_active() && account.closes_on.is_none());
    assert_eq!((account.text("externalId"), account.invitations), (Some("1"), 0));
    assert_eq!(by_id(&target, "1").len(), 1);
}

#[test]
fn an_employee_id_that_another_account_has_is_not_given_twice() {
    let mut behaviour = hris_target_scim::sim::Behaviour::default();
    behaviour.duplicate_external_ids = true;
    let stage = Stage::with(behaviour);
    let target = stage.target();
    let (one, _two) = (created(&target, "1"), created(&target, "2"));
    let changes = attributes([(MemberField::EmployeeId, "2")]);
    assert!(matches!(apply(&target, update("2", &one, changes)), Outcome::Conflict(_)));
    assert_eq!(stage.account(&one).text("externalId"), Some("1"));
    let changes = attributes([(MemberField::EmployeeId, "3")]);
    applied(apply(&target, update("3", &one, changes)));
    assert_eq!(stage.user(&one)[ENTERPRISE]["employeeNumber"], "3");
}

#[test]
fn a_member_whose_id_is_lost_is_found_by_employee_id_and_one_who_is_gone_is_said_to_be() {
    let stage = Stage::new();
    let target = stage.target();
    let id = created(&target, "1");
    let lost = "usr-000404".into();
    let changes = || attributes([(MemberField::FirstName, "Miren")]);
    assert_eq!(applied(apply(&target, update("1", &lost, changes()))), id);
    let outcome = apply(&target, update("9", &lost, changes()));
    assert!(matches!(outcome, Outcome::Rejected(error) if error.kind() == hris_core::ErrorKind::NotFound));
}

#[test]
fn the_user_name_may_be_the_employee_id_and_addresses_are_then_found_by_themselves() {
    let stage = Stage::new();
    let target = stage.build(stage.config().with_user_name(MemberField::EmployeeId));
    let id = created(&target, "1");
    assert_eq!(stage.account(&id).text("userName"), Some("1"));
    assert_eq!(crate::setup::by_email(&target, "PERSONA.1@brisa.example").len(), 1);
    assert!(crate::setup::by_email(&target, "persona.2@brisa.example").is_empty());
}

#[test]
fn a_check_tells_what_the_token_may_do_and_changes_nothing() {
    let stage = Stage::new();
    created(&stage.target(), "1");
    let writes = stage.sim.writes();
    let check = run(stage.target().check()).unwrap();
    assert_eq!((check.members, check.may_write, check.announces.bulk), (Some(1), Some(true), Some(true)));
    let reader = stage.build_with_token(stage.config(), hris_target_scim::sim::ScimSim::READ_ONLY_TOKEN);
    assert_eq!(run(reader.check()).unwrap().may_write, Some(false));
    assert_eq!(stage.sim.writes(), writes);
}

#[test]
fn capabilities_are_those_of_the_profile() {
    let stage = Stage::new();
    let generic = stage.target().capabilities();
    assert_eq!((generic.close_down_days, generic.max_batch.get()), (None, 1));
    assert_eq!(generic.invitations, hris_core::Invitations::Never);
    let gateway = stage.build(stage.reward_gateway()).capabilities();
    assert_eq!((gateway.close_down_days, gateway.lists), (Some(60), true));
    assert_eq!(gateway.invitations, hris_core::Invitations::AlwaysOnCreate);
}
