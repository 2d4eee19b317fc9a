//! The configuration as a document, and the saved form.

use hris_connection::{Connection, ConnectionConfig, Stage};
use hris_core::connections::{ConnectionStore as _, StoredConnection};
use hris_core::descriptor::Integration;
use hris_core::{Descriptor, ErrorKind, RecordIdKind};
use hris_testkit::run;
use serde_json::{Value, json};

use crate::desk::{Desk, NOW, at, key, published, setup, vendor};

fn exported() -> Value {
    let mut connection = published();
    connection.set_up(setup().with_welcome(false), "olga", at(NOW)).unwrap();
    serde_json::from_str(&connection.export().unwrap().to_json().unwrap()).unwrap()
}

#[test]
fn a_configuration_goes_out_and_comes_back_as_a_draft() {
    let connection = published().with_options(json!({ "region": "eu1" }).as_object().unwrap().clone());
    let text = connection.export().unwrap().to_json().unwrap();
    let config = ConnectionConfig::from_json(&text).unwrap();
    let copy = config.clone().into_draft(hris_core::ConnectionKey::new("calma", "acme"), &vendor()).unwrap();
    assert_eq!(copy.stage(), Stage::Draft);
    assert_eq!(copy.draft_document(), connection.draft_document());
    assert_eq!(copy.setup().schedule, connection.setup().schedule);
    assert_eq!((copy.account(), &copy.setup().owner), (None, &None), "neither company nor people come along");
    assert_eq!(copy.export().unwrap(), config);
}

#[test]
fn a_configuration_has_no_secret_and_nobodys_name() {
    let text = exported().to_string();
    for canary in ["olga", "Olga", "brisa.example", "account-1", "Talleres"] {
        assert!(!text.contains(canary), "{text}");
    }
    let options = json!({ "api_token": "s3cret" }).as_object().unwrap().clone();
    let error = published().with_options(options).export().unwrap_err();
    assert!(error.to_string().contains("api_token") && !format!("{error:?}").contains("s3cret"), "{error}");
}

#[test]
fn every_exported_configuration_fits_the_schema_and_others_do_not() {
    let schema = serde_json::to_value(ConnectionConfig::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = exported();
    let errors: Vec<_> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    for (path, bad) in [
        ("/format", json!("something")),
        ("/version", json!(9)),
        ("/vendor", json!(7)),
        ("/schedule/frequency/every", json!("century")),
        ("/schedule/frequency/at", json!("25:00")),
        ("/welcome", json!("yes")),
        ("/mapping/fields", json!([{ "from": ["work_email"] }])),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(path).unwrap() = bad;
        assert!(!validator.is_valid(&document), "{path}");
        assert!(ConnectionConfig::from_json(&document.to_string()).is_err(), "{path}");
    }
    let mut surplus = good;
    surplus["secret"] = json!("s3cret");
    assert!(!validator.is_valid(&surplus));
    let error = ConnectionConfig::from_json(&surplus.to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn a_configuration_of_another_vendor_or_version_is_refused() {
    let other = Descriptor::new("other", "Other", RecordIdKind::new("other.id"));
    let other = Integration::new(&other, "Other.");
    let config = ConnectionConfig::from_json(&exported().to_string()).unwrap();
    let error = config.into_draft(key(), &other).unwrap_err();
    assert!(error.to_string().contains("`acme`"), "{error}");
    let mut newer = exported();
    newer["version"] = json!(2);
    assert!(ConnectionConfig::from_json(&newer.to_string()).unwrap_err().to_string().contains("upgrade"));
}

/// A difference means that connections in the field could not be read any more.
#[test]
fn the_saved_form_is_the_one_of_the_golden_file() {
    run(async {
        let desk = Desk::new();
        desk.connections.create(&published()).await.unwrap();
        let stored = desk.store.connection(&key()).await.unwrap().unwrap();
        let saved: Value = serde_json::from_str(&stored.body).unwrap();
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/connection-v1.json");
        if std::env::var_os("HRIS_WRITE_GOLDEN").is_some() {
            std::fs::write(golden, format!("{saved:#}\n")).unwrap();
        }
        let golden = std::fs::read_to_string(golden).unwrap();
        assert_eq!(saved, serde_json::from_str::<Value>(&golden).unwrap());
        let read = Connection::from_stored(&StoredConnection::new(key(), None, golden)).unwrap();
        assert_eq!(read, published());
    });
}

#[test]
fn a_saved_form_that_is_damaged_newer_or_another_connections_is_refused() {
    let read = |body: &str| Connection::from_stored(&StoredConnection::new(key(), None, body)).unwrap_err();
    let damaged = read(r#"{"v":1,"connection":{"key":"s3cret"}}"#);
    assert_eq!(damaged.kind(), ErrorKind::Integrity);
    assert!(!format!("{damaged:?}").contains("s3cret"));
    assert!(read(r#"{"v":2,"connection":{}}"#).to_string().contains("upgrade"));
}
