//! Webhooks: nothing is known of their payload, so that anything is taken for a reason to read everyone, until it is
//! configured what says more.

use hris_core::{EmployeeRef, ErrorKind, Scope};
use hris_sesame::{WebhookEvent, WebhookFormat, Webhooks};

const SECRET: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

fn webhooks() -> Webhooks {
    Webhooks::new([SECRET.into()]).unwrap()
}

/// As somebody configures it who has looked at what their account sends; the words here are made up.
fn configured() -> Webhooks {
    let format = WebhookFormat::new()
        .with_event_at("/event")
        .with_employee_at("/data/employee/id")
        .with_name("hire", WebhookEvent::Hired)
        .with_name("department", WebhookEvent::DepartmentChanged)
        .with_name("clock.in", WebhookEvent::Clocked)
        .with_name("timeoff.request", WebhookEvent::TimeOffRequested)
        .with_name("timeoff.approval", WebhookEvent::TimeOffApproved);
    webhooks().with_format(format).unwrap()
}

fn person(id: &str) -> Scope {
    Scope::People(vec![EmployeeRef::record(id)])
}

#[test]
fn without_configuration_every_delivery_asks_for_everyone() {
    let large = format!("[{}1]", "1,".repeat(10_000));
    for body in
        ["", "{}", "null", "not JSON", "\u{0}", r#"{"event":"hire","data":{"employee":{"id":"e1"}}}"#, &large]
    {
        let webhook = webhooks().receive(SECRET, body.as_bytes()).unwrap();
        assert_eq!((webhook.event, webhook.record.as_ref()), (WebhookEvent::Unknown, None));
        assert_eq!(webhook.scope(), Some(Scope::Everyone));
    }
}

#[test]
fn configured_events_ask_for_their_person_and_what_is_not_read_for_nothing() {
    for (body, event, scope) in [
        (r#"{"event":"HIRE","data":{"employee":{"id":" e1 "}}}"#, WebhookEvent::Hired, Some(person("e1"))),
        (
            r#"{"event":"department","data":{"employee":{"id":"e2"}}}"#,
            WebhookEvent::DepartmentChanged,
            Some(person("e2")),
        ),
        (r#"{"event":"department","data":{}}"#, WebhookEvent::DepartmentChanged, Some(Scope::Everyone)),
        (r#"{"event":"hire","data":{"employee":{"id":7}}}"#, WebhookEvent::Hired, Some(Scope::Everyone)),
        (r#"{"event":"clock.in","data":{"employee":{"id":"e1"}}}"#, WebhookEvent::Clocked, None),
        (r#"{"event":"timeoff.request"}"#, WebhookEvent::TimeOffRequested, None),
        (r#"{"event":"timeoff.approval"}"#, WebhookEvent::TimeOffApproved, None),
        (r#"{"event":"new one","data":{"employee":{"id":"e3"}}}"#, WebhookEvent::Unknown, Some(person("e3"))),
        (r#"{"event":{"name":"hire"}}"#, WebhookEvent::Unknown, Some(Scope::Everyone)),
        (r#"{"event":"hire""#, WebhookEvent::Unknown, Some(Scope::Everyone)),
    ] {
        for _twice in 0..2 {
            let webhook = configured().receive(SECRET, body.as_bytes()).unwrap();
            assert_eq!((webhook.event, webhook.scope()), (event, scope.clone()), "{body}");
        }
    }
}

#[test]
fn a_wrong_secret_and_a_body_beyond_any_event_are_refused() {
    for secret in ["", "guessed", &SECRET[1..], &SECRET.to_uppercase()] {
        assert_eq!(configured().receive(secret, b"{}").unwrap_err().status(), 404);
    }
    let large = vec![b'{'; (1 << 20) + 1];
    assert_eq!(webhooks().receive(SECRET, &large).unwrap_err().status(), 413);
    assert_eq!(Webhooks::new([]).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_format_is_stored_as_data_and_a_place_that_is_none_is_a_mistake() {
    let stored = r#"{"event_at":"/event","names":{"hire":"hired","clock":"clocked"}}"#;
    let format: WebhookFormat = serde_json::from_str(stored).unwrap();
    assert_eq!(format.names["hire"], WebhookEvent::Hired);
    assert!(serde_json::from_str::<WebhookFormat>(r#"{"events_at":"/event"}"#).is_err());
    for place in ["", "event", "$.event"] {
        let error = webhooks().with_format(WebhookFormat::new().with_employee_at(place)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn nothing_shown_holds_a_secret_or_a_person() {
    let body = br#"{"event":"hire","data":{"employee":{"id":"s3cret-id","firstName":"Carmelinda"}}}"#;
    let webhook = configured().receive(SECRET, body).unwrap();
    let refused = configured().receive("guessed-secret", body).unwrap_err();
    let shown = format!("{:?} {webhook:?} {webhook:#?} {refused:?} {refused}", configured());
    for canary in [SECRET, "guessed-secret", "s3cret", "Carmelinda"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
    assert!(shown.contains("Hired"), "{shown}");
}
