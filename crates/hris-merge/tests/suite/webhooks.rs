//! Webhooks: the vendor page's vectors, refusals, and what events are taken for.

use std::sync::Arc;
use std::time::Duration;

use hris_core::{EmployeeRef, ErrorKind, Scope};
use hris_merge::sim::SignedWebhook;
use hris_merge::{RecordChange, RecordIdSource, WebhookEvent, WebhookRefusal, Webhooks};
use hris_testkit::ManualClock;
use secrecy::ExposeSecret as _;

const KEY: &str = "merge-webhook-test-key";
const SMALL: (&str, &[u8]) = ("hBc3GQdhZMEhv_y0qN2cra-l6U1J7UQIwU-mCxdZdKE=", br#"{"n":2}"#);
const LARGE: (&str, &[u8]) = (
    "N5LGHmKWc92Am8Jj_QN1Uwdfh0tC6qbz2nkfWhAXwSA=",
    br#"{"hook":{"id":"7b1c9a52-2f0e-4a6d-9a34-5f7a3c1d0e11","event":"Employee.synced","target":"https://hooks.example.test/merge"},"linked_account":{"id":"c2f1b6de-5f0a-4c77-8a0b-3f6f8a1d9b20","integration":"PeopleHR","integration_slug":"peoplehr","category":"hris"},"data":{}}"#,
);

fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z")
}

fn webhooks() -> Webhooks {
    Webhooks::new([KEY.into()], Arc::new(clock())).unwrap()
}

/// What a signed body is taken for.
fn taken(body: &str) -> WebhookEvent {
    let signed = SignedWebhook::new(KEY, body);
    webhooks().receive(Some(signed.signature()), signed.body()).unwrap().event
}

#[test]
fn the_vectors_of_the_vendor_page_verify_in_every_spelling() {
    for (signature, body) in [SMALL, LARGE] {
        let standard = signature.replace('-', "+").replace('_', "/");
        for spelled in [signature, signature.trim_end_matches('='), &standard, &format!(" {signature} ")] {
            webhooks().receive(Some(spelled), body).unwrap();
        }
    }
    let webhook = webhooks().receive(Some(LARGE.0), LARGE.1).unwrap();
    assert!(matches!(webhook.event, WebhookEvent::Synced { is_first: None }));
    assert_eq!(webhook.account.unwrap().as_str(), "c2f1b6de-5f0a-4c77-8a0b-3f6f8a1d9b20");
}

#[test]
fn a_changed_byte_a_missing_header_and_a_wrong_key_are_refused() {
    let (signature, body) = LARGE;
    for at in [0, body.len() / 2, body.len() - 1] {
        let mut changed = body.to_vec();
        changed[at] ^= 1;
        let refused = webhooks().receive(Some(signature), &changed).unwrap_err();
        assert_eq!((refused, refused.status()), (WebhookRefusal::WrongSignature, 401));
    }
    for missing in [None, Some(""), Some("  ")] {
        let refused = webhooks().receive(missing, body).unwrap_err();
        assert_eq!((refused, refused.status()), (WebhookRefusal::MissingSignature, 401));
    }
    let others = Webhooks::new(["another-key".into()], Arc::new(clock())).unwrap();
    assert_eq!(others.receive(Some(signature), body).unwrap_err(), WebhookRefusal::WrongSignature);
    let hex = "37925a1e629673dd809bc263fd0375530f5f874b42eaa6f3da791f5a1017c120";
    for wrong in [hex, "=", "N5LG", "not base64 at all"] {
        assert_eq!(webhooks().receive(Some(wrong), body).unwrap_err(), WebhookRefusal::WrongSignature);
    }
}

#[test]
fn a_replay_is_refused_politely_until_the_same_body_can_mean_something_new() {
    let clock = clock();
    let webhooks = Webhooks::new([KEY.into()], Arc::new(clock.clone())).unwrap();
    webhooks.receive(Some(LARGE.0), LARGE.1).unwrap();
    let refused = webhooks.receive(Some(LARGE.0), LARGE.1).unwrap_err();
    assert_eq!((refused, refused.status()), (WebhookRefusal::Replayed, 200));
    webhooks.receive(Some(SMALL.0), SMALL.1).unwrap();
    clock.advance(Duration::from_secs(601));
    webhooks.receive(Some(LARGE.0), LARGE.1).unwrap();
}

#[test]
fn every_key_of_a_rotation_is_good_and_no_key_at_all_is_a_mistake() {
    let both = Webhooks::new(["the-next-key".into(), KEY.into()], Arc::new(clock())).unwrap();
    both.receive(Some(LARGE.0), LARGE.1).unwrap();
    for keys in [vec![], vec![KEY.into(), "".into()]] {
        let error = Webhooks::new(keys, Arc::new(clock())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn the_account_token_is_found_wherever_it_may_stand() {
    let token = |body: &str| match taken(body) {
        WebhookEvent::Linked { account_token, is_relink } => {
            (account_token.map(|token| token.expose_secret().to_owned()), is_relink)
        }
        other => panic!("{other:?}"),
    };
    for body in [
        r#"{"hook":{"event":"LinkedAccount.linked"},"data":{"is_relink":true,"account_token":"t0ken"}}"#,
        r#"{"hook":{"event":"linkedaccount.LINKED"},"linked_account":{"account_token":"t0ken"},"data":{"is_relink":true}}"#,
        r#"{"hook":{"event":"LinkedAccount.linked"},"account_token":"t0ken","data":{"is_relink":true}}"#,
    ] {
        assert_eq!(token(body), (Some("t0ken".to_owned()), true), "{body}");
    }
    assert_eq!(token(r#"{"hook":{"event":"LinkedAccount.linked"},"data":[]}"#), (None, false));
}

#[test]
fn events_of_both_generations_of_names_are_known_and_others_are_harmless() {
    let event = |name: &str| {
        taken(&format!(
            r#"{{"hook":{{"event":"{name}"}},"data":{{"id":"m1","remote_id":"r1","is_initial_sync":true}}}}"#
        ))
    };
    for name in ["LinkedAccount.sync_completed", "LinkedAccount.synced"] {
        assert!(matches!(event(name), WebhookEvent::Synced { is_first: Some(true) }), "{name}");
    }
    for name in ["Issue.new", "Issue.created", "Issue.reopened"] {
        assert!(matches!(event(name), WebhookEvent::Issue { is_resolved: false }), "{name}");
    }
    assert!(matches!(event("Issue.resolved"), WebhookEvent::Issue { is_resolved: true }));
    assert!(matches!(event("LinkedAccount.deleted"), WebhookEvent::Deleted));
    for (name, expected) in [
        ("employee.created", RecordChange::Added),
        ("Employee.added", RecordChange::Added),
        ("Employee.changed", RecordChange::Changed),
        ("Employee.removed", RecordChange::Removed),
    ] {
        match event(name) {
            WebhookEvent::Employee { change, remote_id, merge_id } => {
                assert_eq!(
                    (change, remote_id.as_deref(), merge_id.as_deref()),
                    (expected, Some("r1"), Some("m1"))
                );
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    for body in [
        r#"{"response":"Success! Your webhook works."}"#,
        r#"{"hook":{"event":"Group.synced"}}"#,
        r#"{"hook":{"event":7},"linked_account":"x","data":3}"#,
        "not JSON",
        "",
    ] {
        assert!(matches!(taken(body), WebhookEvent::Other), "{body}");
    }
}

#[test]
fn an_event_asks_for_its_person_or_everyone_and_never_for_more() {
    let scope = |body: &str, record_id| {
        let signed = SignedWebhook::new(KEY, body);
        webhooks().receive(Some(signed.signature()), signed.body()).unwrap().scope(record_id)
    };
    let person = |id: &str| Some(Scope::People(vec![EmployeeRef::record(id)]));
    let changed = r#"{"hook":{"event":"Employee.removed"},"data":{"id":"m1","remote_id":"r1"}}"#;
    assert_eq!(scope(changed, RecordIdSource::RemoteId), person("r1"));
    assert_eq!(scope(changed, RecordIdSource::MergeId), person("m1"));
    let unnamed = r#"{"hook":{"event":"Employee.changed"},"data":{"id":"m1"}}"#;
    assert_eq!(scope(unnamed, RecordIdSource::RemoteId), Some(Scope::Everyone));
    let synced = r#"{"hook":{"event":"LinkedAccount.sync_completed"}}"#;
    assert_eq!(scope(synced, RecordIdSource::RemoteId), Some(Scope::Everyone));
    for nothing in ["LinkedAccount.linked", "LinkedAccount.deleted", "Issue.new", "Group.synced"] {
        let body = format!(r#"{{"hook":{{"event":"{nothing}"}},"data":{{"id":"m1"}}}}"#);
        assert_eq!(scope(&body, RecordIdSource::MergeId), None, "{nothing}");
    }
}

#[test]
fn a_body_beyond_any_event_is_refused_before_it_is_read() {
    let body = " ".repeat((1 << 20) + 1);
    let signed = SignedWebhook::new(KEY, &body);
    let refused = webhooks().receive(Some(signed.signature()), signed.body()).unwrap_err();
    assert_eq!((refused, refused.status()), (WebhookRefusal::TooLarge, 413));
}

#[test]
fn nothing_shown_holds_a_token_or_a_person() {
    let body = r#"{"hook":{"event":"LinkedAccount.linked"},"data":{"account_token":"s3cret-token"}}"#;
    let person = r#"{"hook":{"event":"Employee.changed"},"data":{"id":"s3cret-id","remote_id":"s3cret-id","first_name":"s3cret"}}"#;
    let shown = format!("{:?} {:?} {:?}", taken(body), taken(person), webhooks());
    assert!(!shown.contains("s3cret") && !shown.contains(KEY), "{shown}");
}
