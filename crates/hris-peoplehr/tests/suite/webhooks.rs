//! Webhooks: the vendor page's example, refusals, what events ask for, and who it is about.

use hris_core::{EmployeeField, EmployeeRef, ErrorKind, HrisConnector as _, Lookup, Scope};
use hris_peoplehr::sim::PeopleHrSim;
use hris_peoplehr::{QuerySource, RecordChange, RecordIdSource, WebhookEvent, Webhooks};
use hris_testkit::run;

use crate::setup::{build, config, connector, few_fields, plain_population};

const SECRET: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
/// The example of the vendor page, whose envelope is assumed.
const UPDATED: &str = r#"{ "ActionId": 2, "Action": "Employee Detail Updated", "EmployeeId": "BF101", "FieldName": "Known As", "NewValue": "Immy", "OldValue": "", "Reason": "Preference" }"#;

fn webhooks() -> Webhooks {
    Webhooks::new([SECRET.into()]).unwrap()
}

fn taken(body: &str) -> WebhookEvent {
    webhooks().receive(SECRET, body.as_bytes()).unwrap().event
}

fn employee(change: RecordChange, id: Option<&str>) -> WebhookEvent {
    WebhookEvent::Employee { change, employee_id: id.map(Into::into) }
}

#[test]
fn the_example_of_the_vendor_page_is_read_in_every_envelope_that_was_seen() {
    let expected = employee(RecordChange::Changed, Some("BF101"));
    let with_mark = format!("\u{feff}{UPDATED}");
    for body in [
        UPDATED,
        &with_mark,
        r#"{"EmployeeId":"BF101","ActionId":"2"}"#,
        r#"{"EmployeeId":" BF101 ","Action":"employee detail updated"}"#,
        "ActionId=2&Action=Employee+Detail+Updated&EmployeeId=BF101&FieldName=Known+As&NewValue=Immy",
        "EmployeeId=BF101&Action=Employee%20Detail%20Updated",
    ] {
        assert_eq!(taken(body), expected, "{body}");
    }
    // Leading zeros of a text stay; a number has none.
    assert_eq!(taken(r#"{"ActionId":3,"EmployeeId":"0099"}"#), employee(RecordChange::Left, Some("0099")));
    assert_eq!(taken(r#"{"ActionId":3,"EmployeeId":99}"#), employee(RecordChange::Left, Some("99")));
}

#[test]
fn every_action_of_the_vendor_page_is_told_apart_and_others_are_no_errors() {
    let event = |id: u64| taken(&format!(r#"{{"ActionId":{id},"EmployeeId":"7"}}"#));
    for (id, change) in [
        (1, RecordChange::Added),
        (2, RecordChange::Changed),
        (3, RecordChange::Left),
        (18, RecordChange::Removed),
    ] {
        assert_eq!(event(id), employee(change, Some("7")), "{id}");
    }
    for id in (4..=17).chain(21..=25).chain(31..=54) {
        assert_eq!(event(id), WebhookEvent::Elsewhere, "{id}");
    }
    for id in [0, 19, 20, 26, 30, 55, 1_000_000] {
        assert_eq!(event(id), WebhookEvent::Unknown, "{id}");
    }
    for (name, change) in [
        ("New Starter Added", RecordChange::Added),
        ("Marked Leaver", RecordChange::Left),
        ("Employee Deleted", RecordChange::Removed),
    ] {
        assert_eq!(taken(&format!(r#"{{"Action":"{name}"}}"#)), employee(change, None), "{name}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_unknown_and_asks_for_everyone() {
    for body in ["", "not JSON", "null", "[]", "7", r#"{"ActionId":{"a":1}}"#, r#"{"ActionId":-2}"#, "\u{0}"]
    {
        let webhook = webhooks().receive(SECRET, body.as_bytes()).unwrap();
        assert_eq!(webhook.event, WebhookEvent::Unknown, "{body}");
        assert_eq!(webhook.scope(RecordIdSource::EmployeeId), Some(Scope::Everyone));
    }
    let no_text = webhooks().receive(SECRET, b"\xff\xfe\x00").unwrap();
    assert_eq!(no_text.event, WebhookEvent::Unknown);
}

#[test]
fn a_wrong_secret_and_a_body_beyond_any_event_are_refused() {
    for secret in ["", "guessed", &SECRET[1..], &SECRET.to_uppercase()] {
        assert_eq!(webhooks().receive(secret, UPDATED.as_bytes()).unwrap_err().status(), 404);
    }
    let large = vec![b'{'; (1 << 20) + 1];
    assert_eq!(webhooks().receive(SECRET, &large).unwrap_err().status(), 413);
    assert_eq!(Webhooks::new(["guessable".into()]).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn an_event_asks_for_its_person_where_the_employee_id_is_the_record_id_else_for_everyone() {
    let scope = |body: &str, source| webhooks().receive(SECRET, body.as_bytes()).unwrap().scope(source);
    let person = EmployeeRef { record: "BF101".into(), employee_id: Some("BF101".into()) };
    for _twice in 0..2 {
        assert_eq!(scope(UPDATED, RecordIdSource::EmployeeId), Some(Scope::People(vec![person.clone()])));
        assert_eq!(scope(UPDATED, RecordIdSource::UniqueKey), Some(Scope::Everyone));
    }
    let of_nobody = r#"{"ActionId":2}"#;
    assert_eq!(scope(of_nobody, RecordIdSource::EmployeeId), Some(Scope::Everyone));
    let holiday = r#"{"ActionId":4,"EmployeeId":"BF101"}"#;
    assert_eq!(scope(holiday, RecordIdSource::EmployeeId), None);
}

#[test]
fn who_an_event_is_about_is_found_by_one_request() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let person = people.active().nth(3).unwrap();
        let number = person.employee_number.as_deref().unwrap().into();
        let connector = connector(&sim);
        let who = connector.reference(&number).await.unwrap().unwrap();
        assert_eq!(sim.actions(), ["GetEmployeeDetailById"]);
        assert_eq!((who.record.as_str(), who.employee_id.as_ref()), (&*person.record_id, Some(&number)));
        assert!(matches!(connector.employee(&who, &few_fields()).await.unwrap(), Lookup::Found(_)));
        assert_eq!(connector.reference(&"nobody".into()).await.unwrap(), None);

        sim.behave(|vendor| vendor.has_unique_keys = false);
        let error = connector.reference(&number).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let by_id = build(config(sim.url()).with_record_id(RecordIdSource::EmployeeId));
        assert_eq!(by_id.reference(&number).await.unwrap().unwrap().record.as_str(), number.as_str());
        let saved = QuerySource::new(PeopleHrSim::QUERY)
            .with_column("Employee Id", EmployeeField::EmployeeId)
            .with_column("Final Day of Employment", EmployeeField::EndDate);
        let query = build(config(sim.url()).with_query(saved));
        assert_eq!(query.reference(&number).await.unwrap_err().kind(), ErrorKind::Unsupported);
    });
}

#[test]
fn nothing_shown_holds_a_secret_or_a_person() {
    let webhook = webhooks().receive(SECRET, UPDATED.as_bytes()).unwrap();
    let refused = webhooks().receive("guessed-secret", b"").unwrap_err();
    let shown = format!("{:?} {webhook:?} {webhook:#?} {refused:?} {refused}", webhooks());
    for canary in [SECRET, "guessed-secret", "BF101", "Immy", "Preference"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
    assert!(shown.contains("Changed"), "{shown}");
}
