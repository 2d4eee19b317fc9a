//! The rules between a CRM and SessionM, sentence by sentence of the connector's description. No HTTP anywhere.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]

use hris_core::{FieldRule, SourceField, TargetField, Transform, Value};
use hris_sessionm::crm::{
    CrmRecord, CrmRules, CrmSettings, Decision, MergedRecords, OwnWrites, ParentObject, Reason,
};
use hris_sessionm::{
    Customer, Effect, ExternalId, LookupBy, NewCustomer, ParentKeys, Phone, ProfileEdit, ProfileField,
    ProfileValue,
};
use proptest::prelude::*;

fn rule(target: &str, from: &str) -> FieldRule {
    FieldRule::copy(TargetField::Custom(target.into()), SourceField::Custom(from.into()))
}

fn settings() -> CrmSettings {
    let mut settings = CrmSettings::new("SM_Id__c", "Email");
    settings.sync_customer_changes = true;
    settings.auto_sync_from_sessionm = true;
    settings.merge_on_parent_merge = true;
    settings.fields = vec![
        rule("first_name", "FirstName"),
        rule("last_name", "LastName"),
        rule("dob", "Birthdate"),
        rule("address2", "MailingStreet2"),
        rule("phone_numbers", "MobilePhone"),
        rule("department", "Department"),
    ];
    settings
}

fn rules(change: impl FnOnce(&mut CrmSettings)) -> CrmRules {
    rules_by(LookupBy::ExternalId, change)
}

fn rules_by(key: LookupBy, change: impl FnOnce(&mut CrmSettings)) -> CrmRules {
    let mut settings = settings();
    change(&mut settings);
    CrmRules::new(settings, key).unwrap()
}

fn record() -> CrmRecord {
    CrmRecord::contact("003J0001")
        .with("SM_Id__c", "EXT-1")
        .with("Email", "ash.sm@sessionm.example")
        .with("FirstName", "Ash")
        .with("LastName", "Sims")
}

fn customer() -> Customer {
    let mut customer = Customer::new("c1");
    customer.external_id = ExternalId::parse("EXT-1");
    customer.email = hris_core::Email::parse("ash.sm@sessionm.example");
    customer.first_name = Some("Ash".to_owned());
    customer.last_name = Some("Sims".to_owned());
    customer.opted_in = true;
    customer
}

fn new_customer(decision: &Decision) -> &NewCustomer {
    match decision.effect() {
        Some(Effect::Create(new)) => new,
        other => panic!("{other:?} because {:?}", decision.reason()),
    }
}

fn edit(decision: &Decision) -> &ProfileEdit {
    match decision.effect() {
        Some(Effect::Update { edit, .. }) => edit,
        other => panic!("{other:?} because {:?}", decision.reason()),
    }
}

fn written(decision: &Decision) -> Vec<(&str, Option<String>)> {
    let fields = &decision.write_back().unwrap().fields;
    fields.iter().map(|(name, value)| (name.as_str(), value.as_ref().map(Value::to_string))).collect()
}

#[test]
fn a_new_record_creates_the_customer_and_the_box_decides_whether_it_takes_part() {
    for enrols in [true, false] {
        let decision = rules(|settings| settings.enroll_in_loyalty = enrols).record_created(&record(), None);
        let new = new_customer(&decision);
        assert_eq!((new.opted_in, decision.reason()), (enrols, &Reason::RecordCreated));
        assert_eq!(new.keys(), ParentKeys::external_id("EXT-1").with_email("ash.sm@sessionm.example"));
        assert_eq!(new.profile.text(&ProfileField::FirstName), Some("Ash"));
        assert!(decision.write_back().is_none());
    }
}

#[test]
fn with_sync_off_nothing_of_a_record_is_sent_and_the_reason_says_so() {
    let rules = rules(|settings| settings.sync_customer_changes = false);
    let before = record();
    let after = record().with("FirstName", "Ashley");
    for decision in [
        rules.record_created(&record(), None),
        rules.record_edited((&before, &after), Some(&customer()), &mut OwnWrites::new()),
    ] {
        assert_eq!(decision, Decision::Nothing(Reason::SyncIsOff));
        assert!(decision.reason().to_string().starts_with("not sent: Sync Customer Changes is off"));
    }
}

#[test]
fn a_new_record_whose_customer_exists_updates_it_and_creates_nobody() {
    let decision = rules(|_| {}).record_created(&record().with("FirstName", "Ashley"), Some(&customer()));
    assert_eq!(edit(&decision).fields().collect::<Vec<_>>(), [&ProfileField::FirstName]);
    let alike = rules(|_| {}).record_created(&record(), Some(&customer()));
    assert_eq!(alike, Decision::Nothing(Reason::AlreadyEqual));
}

#[test]
fn records_of_the_other_kind_have_no_customers() {
    let rules = rules(|settings| settings.parent_object = ParentObject::Account);
    assert_eq!(rules.record_created(&record(), None), Decision::Nothing(Reason::OtherObject));
    assert_eq!(rules.enrol_pressed(&record(), None), Decision::Nothing(Reason::OtherObject));
    assert_eq!(rules.shown(&record(), &customer()), Decision::Nothing(Reason::OtherObject));
    let account = CrmRecord::account("001J0").with("Email", "a@b.example");
    assert!(rules.record_created(&account, None).effect().is_some());
}

#[test]
fn an_edit_sends_the_mapped_fields_that_changed_and_no_others() {
    let rules = rules(|_| {});
    let mut known = customer();
    known.last_name = Some("Changed in SessionM".to_owned());
    let after = record().with("FirstName", "Ashley").with("Fax", "1");
    let decision = rules.record_edited((&record(), &after), Some(&known), &mut OwnWrites::new());
    assert_eq!(edit(&decision).iter().len(), 1);
    assert_eq!(edit(&decision).text(&ProfileField::FirstName), Some("Ashley"));
    assert_eq!(decision.reason(), &Reason::RecordEdited);

    let unmapped =
        rules.record_edited((&record(), &record().with("Fax", "2")), Some(&known), &mut OwnWrites::new());
    assert_eq!(unmapped, Decision::Nothing(Reason::NotMapped));
    let same = rules.record_edited(
        (&record().with("FirstName", "A"), &record()),
        Some(&known),
        &mut OwnWrites::new(),
    );
    assert_eq!(same, Decision::Nothing(Reason::AlreadyEqual));
}

#[test]
fn an_edit_whose_customer_is_missing_creates_only_with_sync_on() {
    let after = record().with("FirstName", "Ashley");
    let decision = rules(|_| {}).record_edited((&record(), &after), None, &mut OwnWrites::new());
    assert_eq!((new_customer(&decision).opted_in, decision.reason()), (true, &Reason::CustomerMissing));
    let save = ProfileEdit::new().set(ProfileField::FirstName, "Ashley").unwrap();
    let decision = rules(|_| {}).profile_saved(&record(), &save, None);
    assert_eq!(new_customer(&decision).profile.text(&ProfileField::FirstName), Some("Ashley"));
    let off = rules(|settings| settings.sync_customer_changes = false);
    assert_eq!(off.profile_saved(&record(), &save, None), Decision::Nothing(Reason::NotEnrolled));
}

#[test]
fn a_saved_profile_is_always_sent_and_written_to_the_parent_where_mapped() {
    let off = rules(|settings| settings.sync_customer_changes = false);
    let save = ProfileEdit::new()
        .set(ProfileField::FirstName, "Ashley")
        .and_then(|edit| edit.set(ProfileField::City, "Portsmouth"))
        .and_then(|edit| edit.clear(ProfileField::Custom("department".into())))
        .unwrap();
    let mut known = customer();
    known.city = Some("Dover".to_owned());
    let record = record().with("Department", "Sales");
    let decision = off.profile_saved(&record, &save, Some(&known));
    assert_eq!(edit(&decision), &save);
    assert_eq!(written(&decision), [("Department", None), ("FirstName", Some("Ashley".to_owned()))]);
    assert_eq!(decision.reason(), &Reason::ProfileSaved);
}

#[test]
fn enrolling_by_hand_is_enrolled_whatever_the_box_says_with_both_keys_and_nothing_else() {
    let rules = rules(|settings| {
        settings.enroll_in_loyalty = false;
        settings.sync_customer_changes = false;
    });
    let decision = rules.enrol_pressed(&record(), None);
    let new = new_customer(&decision);
    assert!(new.opted_in && new.profile.is_empty() && new.email.is_some());
    let mut created = customer();
    created.opted_in = false;
    assert!(matches!(rules.enrol_pressed(&record(), Some(&created)).effect(), Some(Effect::Enrol { .. })));
    assert_eq!(rules.enrol_pressed(&record(), Some(&customer())), Decision::Nothing(Reason::AlreadyEnrolled));
}

#[test]
fn an_empty_external_id_takes_the_record_id_and_is_written_back() {
    for record in [
        CrmRecord::contact("001J000002XWxUmIAL").with("Email", "ash.sm@sessionm.example"),
        CrmRecord::contact("001J000002XWxUmIAL")
            .with_empty("SM_Id__c")
            .with("Email", "ash.sm@sessionm.example"),
        CrmRecord::contact("001J000002XWxUmIAL")
            .with("SM_Id__c", "  ")
            .with("Email", "ash.sm@sessionm.example"),
    ] {
        for decision in
            [rules(|_| {}).record_created(&record, None), rules(|_| {}).enrol_pressed(&record, None)]
        {
            assert_eq!(new_customer(&decision).external_id, ExternalId::parse("001J000002XWxUmIAL"));
            assert_eq!(written(&decision), [("SM_Id__c", Some("001J000002XWxUmIAL".to_owned()))]);
        }
        assert_eq!(rules(|_| {}).keys(&record).external_id, ExternalId::parse("001J000002XWxUmIAL"));
    }
}

#[test]
fn a_record_without_the_looked_up_key_is_not_sent() {
    let by_email = rules_by(LookupBy::Email, |_| {});
    for email in ["", "not an address"] {
        let record = CrmRecord::contact("003").with("Email", email);
        assert_eq!(by_email.record_created(&record, None), Decision::Nothing(Reason::NoKey), "{email}");
        assert_eq!(by_email.enrol_pressed(&record, None), Decision::Nothing(Reason::NoKey));
    }
}

#[test]
fn a_changed_key_is_looked_up_as_it_was_and_sent_as_it_is() {
    let rules = rules(|_| {});
    let after = record().with("SM_Id__c", "EXT-9");
    assert_eq!(rules.keys_of_edit(&record(), &after).external_id, ExternalId::parse("EXT-1"));
    let decision = rules.record_edited((&record(), &after), Some(&customer()), &mut OwnWrites::new());
    assert_eq!(edit(&decision).text(&ProfileField::ExternalId), Some("EXT-9"));
    let by_email = rules_by(LookupBy::Email, |_| {});
    let first = CrmRecord::contact("003");
    let with_mail = first.clone().with("Email", "new@x.example");
    assert_eq!(by_email.keys_of_edit(&first, &with_mail).email, hris_core::Email::parse("new@x.example"));
}

#[test]
fn an_emptied_key_keeps_what_sessionm_has_and_an_emptied_field_is_cleared() {
    let mut known = customer();
    known.address2 = Some("Flat 3".to_owned());
    let before = record().with("MailingStreet2", "Flat 3");
    let after = record().with_empty("MailingStreet2").with_empty("Email");
    let decision = rules(|_| {}).record_edited((&before, &after), Some(&known), &mut OwnWrites::new());
    assert_eq!(edit(&decision).get(&ProfileField::Address2), Some(None));
    assert_eq!(edit(&decision).get(&ProfileField::Email), None);
}

#[test]
fn what_a_field_cannot_hold_is_a_problem_of_that_field_alone_and_hides_the_value() {
    let rules = rules(|settings| settings.fields.push(rule("gender", "Salutation")));
    let after = record().with("Birthdate", "canary").with("Salutation", "canary").with("FirstName", "Ashley");
    let decision = rules.record_edited((&record(), &after), Some(&customer()), &mut OwnWrites::new());
    assert_eq!(edit(&decision).iter().len(), 1);
    let plan = decision.plan().unwrap();
    assert_eq!(plan.problems.len(), 2);
    assert!(!format!("{decision:?}").contains("canary"), "{decision:?}");
}

#[test]
fn a_mapped_phone_replaces_the_mobile_number_and_keeps_the_others() {
    let mut known = customer();
    known.phones = vec![Phone::new("1", "mobile"), Phone::new("2", "home")];
    let after = record().with("MobilePhone", "3");
    let decision = rules(|_| {}).record_edited((&record(), &after), Some(&known), &mut OwnWrites::new());
    let Some(Some(ProfileValue::Phones(phones))) = edit(&decision).get(&ProfileField::PhoneNumbers) else {
        panic!()
    };
    let numbers: Vec<_> = phones.iter().map(|phone| phone.number.as_str()).collect();
    assert_eq!(numbers, ["3", "2"]);
}

#[test]
fn sessionms_data_is_brought_over_on_load_only_with_auto_sync_and_always_on_request() {
    let mut known = customer();
    known.first_name = Some("Ashley".to_owned());
    known.birth_date = "2001-08-29".parse().ok();
    let decision = rules(|_| {}).shown(&record(), &known);
    let expected = [("Birthdate", Some("2001-08-29".to_owned())), ("FirstName", Some("Ashley".to_owned()))];
    assert_eq!((written(&decision), decision.effect()), (expected.to_vec(), None));
    let off = rules(|settings| settings.auto_sync_from_sessionm = false);
    assert_eq!(off.shown(&record(), &known), Decision::Nothing(Reason::AutoSyncIsOff));
    assert_eq!(written(&off.sync_pressed(&record(), &known)), expected);
    let equal = record().after(decision.write_back().unwrap());
    assert_eq!(off.sync_pressed(&equal, &known), Decision::Nothing(Reason::AlreadyEqual));
}

#[test]
fn what_was_brought_over_is_not_echoed_and_what_somebody_changed_beside_it_is_sent() {
    let rules = rules(|_| {});
    let mut known = customer();
    known.first_name = Some("Ashley".to_owned());
    let decision = rules.shown(&record(), &known);
    let mut own = OwnWrites::new();
    own.note(decision.write_back().unwrap());
    let after = record().after(decision.write_back().unwrap());
    let echo = rules.record_edited((&record(), &after), Some(&known), &mut own);
    assert_eq!((echo, own.is_empty()), (Decision::Nothing(Reason::OwnWrite), true));

    own.note(decision.write_back().unwrap());
    let after = after.with("LastName", "Simmons");
    let both = rules.record_edited((&record(), &after), Some(&known), &mut own);
    assert_eq!(edit(&both).fields().collect::<Vec<_>>(), [&ProfileField::LastName]);

    own.note(decision.write_back().unwrap());
    let other = record().with("FirstName", "Somebody else's");
    let theirs = rules.record_edited((&record(), &other), Some(&known), &mut own);
    assert_eq!(
        edit(&theirs).text(&ProfileField::FirstName),
        Some("Somebody else's"),
        "another value is no echo"
    );
    assert!(!format!("{own:?}").contains("Ashley"));
}

/// The seed's two accounts.
fn accounts() -> (CrmRecord, CrmRecord) {
    let one = CrmRecord::contact("001").with("SM_Id__c", "ACC_EXT_1").with("Email", "one@x.example");
    let two = CrmRecord::contact("002").with("SM_Id__c", "ACC_EXT_2").with("Email", "two@x.example");
    (one, two)
}

fn merge(rules: &CrmRules, survivor: &CrmRecord) -> Decision {
    let (one, two) = accounts();
    rules.records_merged(MergedRecords { survivor_before: &one, victim_before: &two, survivor })
}

#[test]
fn the_survivors_own_key_kept_in_the_merge_keeps_its_customer() {
    let (one, _) = accounts();
    let decision = merge(&rules(|_| {}), &one);
    let Some(Effect::Merge { survivor, victim }) = decision.effect() else { panic!("{decision:?}") };
    assert_eq!(survivor.external_id, ExternalId::parse("ACC_EXT_1"));
    assert_eq!(*victim, ParentKeys::external_id("ACC_EXT_2"));
}

#[test]
fn the_victims_key_taken_over_in_the_merge_makes_its_customer_the_survivor() {
    let (one, _) = accounts();
    let decision = merge(&rules(|_| {}), &one.with("SM_Id__c", "ACC_EXT_2"));
    let Some(Effect::Merge { survivor, victim }) = decision.effect() else { panic!("{decision:?}") };
    assert_eq!(survivor.external_id, ExternalId::parse("ACC_EXT_2"));
    assert_eq!(*victim, ParentKeys::external_id("ACC_EXT_1"));
}

#[test]
fn by_email_the_address_on_the_surviving_record_decides() {
    let (one, _) = accounts();
    let by_email = rules_by(LookupBy::Email, |_| {});
    let decision = merge(&by_email, &one.with("Email", "TWO@x.example"));
    let Some(Effect::Merge { survivor, victim }) = decision.effect() else { panic!("{decision:?}") };
    assert_eq!(survivor.email.as_ref().map(hris_core::Email::folded).as_deref(), Some("two@x.example"));
    assert_eq!(*victim, ParentKeys::email("one@x.example"));
}

#[test]
fn merges_that_cannot_be_say_why() {
    let (one, two) = accounts();
    let off = rules(|settings| settings.merge_on_parent_merge = false);
    assert_eq!(merge(&off, &one), Decision::Nothing(Reason::MergeIsOff));
    let third = one.clone().with("SM_Id__c", "ACC_EXT_3");
    assert_eq!(merge(&rules(|_| {}), &third), Decision::Nothing(Reason::KeyOfNeither));
    let same = two.with("SM_Id__c", "ACC_EXT_1");
    let merged = MergedRecords { survivor_before: &one, victim_before: &same, survivor: &one };
    assert_eq!(rules(|_| {}).records_merged(merged), Decision::Nothing(Reason::SameCustomer));
    let without = CrmRecord::contact("002");
    let merged = MergedRecords { survivor_before: &one, victim_before: &without, survivor: &one };
    let by_email = rules_by(LookupBy::Email, |_| {});
    assert_eq!(by_email.records_merged(merged), Decision::Nothing(Reason::MergedWithoutKey));
}

#[test]
fn after_a_merge_the_survivors_mapped_fields_are_sent_and_with_the_box_off_nothing_is() {
    let survivor = record().with("LastName", "Simmons");
    let decision = rules(|_| {}).customers_merged(&survivor, &customer());
    assert_eq!(edit(&decision).text(&ProfileField::LastName), Some("Simmons"));
    assert_eq!(decision.reason(), &Reason::SurvivorSent);
    let off = rules(|settings| settings.sync_customer_changes = false);
    assert_eq!(off.customers_merged(&survivor, &customer()), Decision::Nothing(Reason::SyncIsOff));
    let off = rules(|settings| settings.merge_on_parent_merge = false);
    assert_eq!(off.customers_merged(&survivor, &customer()), Decision::Nothing(Reason::MergeIsOff));
}

#[test]
fn the_mapping_is_the_engines_own_with_its_transforms_and_refusals() {
    let rules = rules(|settings| {
        settings.fields[0] = rule("first_name", "FirstName").with(Transform::Trim).with(Transform::Upper);
    });
    let decision = rules.record_created(&record().with("FirstName", " ash "), None);
    assert_eq!(new_customer(&decision).profile.text(&ProfileField::FirstName), Some("ASH"));
    let mut known = customer();
    known.first_name = Some("Ashley".to_owned());
    assert_eq!(
        rules.sync_pressed(&record(), &known),
        Decision::Nothing(Reason::AlreadyEqual),
        "no way back by itself"
    );

    for target in ["tier", "suspended", "email", "external_id", "_version"] {
        let mut settings = settings();
        settings.fields.push(rule(target, "X"));
        let error = CrmRules::new(settings, LookupBy::ExternalId).unwrap_err();
        assert!(error.to_string().contains(target), "{error}");
    }
    let mut twice = settings();
    twice.fields.push(rule("first_name", "X"));
    assert!(CrmRules::new(twice, LookupBy::ExternalId).is_err());
}

#[test]
fn read_only_fields_can_be_brought_over_by_a_mapping_of_their_own() {
    let rules = rules(|settings| {
        settings.fields_back =
            Some(vec![rule("Tier__c", "tier"), rule("Suspended__c", "suspended"), rule("Shirt__c", "shirt")]);
    });
    let mut known = customer();
    known.tier = Some("Copper".to_owned());
    let decision = rules.sync_pressed(&record(), &known);
    let expected = [("Suspended__c", Some("false".to_owned())), ("Tier__c", Some("Copper".to_owned()))];
    assert_eq!(written(&decision), expected);
}

proptest! {
    #[test]
    fn what_was_sent_from_a_record_brings_nothing_back(
        first in "[A-Za-z]{1,12}", last in "[A-Za-z]{1,12}", flat in proptest::option::of("[A-Za-z0-9]{1,8}"),
    ) {
        let rules = rules(|_| {});
        let mut record = record().with("FirstName", first.as_str()).with("LastName", last.as_str());
        record = match &flat {
            Some(flat) => record.with("MailingStreet2", flat.as_str()),
            None => record.with_empty("MailingStreet2"),
        };
        let mut known = customer();
        // What SessionM holds once the edit was carried out.
        known.first_name = Some(first);
        known.last_name = Some(last);
        known.address2 = flat;
        prop_assert_eq!(rules.sync_pressed(&record, &known), Decision::Nothing(Reason::AlreadyEqual));
        prop_assert_eq!(rules.record_created(&record, Some(&known)), Decision::Nothing(Reason::AlreadyEqual));
    }
}
