//! Where secrets are kept.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hris_connection::{CredentialKey, EnvironmentCredentials, FileCredentials, MemoryCredentials};
use hris_core::{ConnectionKey, CredentialStore, Credentials, ErrorKind, Purged};
use hris_testkit::run;
use secrecy::{ExposeSecret as _, SecretString};

use crate::desk::{key, secrets};

fn token(credentials: Option<Credentials>) -> Option<String> {
    Some(credentials?.get("token").unwrap().expose_secret().to_owned())
}

fn open(path: &Path, byte: u8) -> hris_core::Result<FileCredentials> {
    FileCredentials::open(path, CredentialKey::new([byte; 32]))
}

async fn keeps_replaces_and_forgets(store: &dyn CredentialStore) {
    let other = ConnectionKey::new("brisa", "other");
    assert!(store.get(&key()).await.unwrap().is_none());
    store.put(&key(), &secrets("s3cret-1")).await.unwrap();
    store.put(&other, &secrets("s3cret-2")).await.unwrap();
    store.put(&key(), &secrets("s3cret-3")).await.unwrap();
    assert_eq!(token(store.get(&key()).await.unwrap()).as_deref(), Some("s3cret-3"));
    assert_eq!(store.purge(&key()).await.unwrap(), Purged::Gone);
    assert_eq!(store.purge(&key()).await.unwrap(), Purged::Gone);
    assert!(store.get(&key()).await.unwrap().is_none());
    assert_eq!(token(store.get(&other).await.unwrap()).as_deref(), Some("s3cret-2"));
    assert!(!format!("{store:?}").contains("s3cret"));
}

#[test]
fn secrets_in_memory_are_kept_replaced_and_forgotten() {
    run(async { keeps_replaces_and_forgets(&MemoryCredentials::new()).await });
}

#[test]
fn secrets_in_a_file_are_kept_replaced_and_forgotten_and_last() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        keeps_replaces_and_forgets(&open(&path, 7).unwrap()).await;
        let again = open(&path, 7).unwrap();
        let other = ConnectionKey::new("brisa", "other");
        assert_eq!(token(again.get(&other).await.unwrap()).as_deref(), Some("s3cret-2"));
    });
}

#[test]
fn a_file_holds_no_secret_in_the_clear_and_is_its_owners_alone() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        let store = open(&path, 7).unwrap();
        store.put(&key(), &secrets("s3cret-1")).await.unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert!(!first.contains("s3cret") && !first.contains("token"), "{first}");
        store.put(&key(), &secrets("s3cret-1")).await.unwrap();
        assert_ne!(fs::read_to_string(&path).unwrap(), first, "equal secrets look different each time");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    });
}

#[test]
fn another_key_and_an_altered_file_are_refused_and_left_alone() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        let store = open(&path, 7).unwrap();
        store.put(&key(), &secrets("s3cret-1")).await.unwrap();
        store.put(&ConnectionKey::new("brisa", "other"), &secrets("s3cret-2")).await.unwrap();
        let good = fs::read_to_string(&path).unwrap();
        assert_eq!(open(&path, 8).unwrap_err().kind(), ErrorKind::Integrity);

        // The secrets of two connections change places.
        let swapped =
            good.replace("\"acme\"", "\"x\"").replace("\"other\"", "\"acme\"").replace("\"x\"", "\"other\"");
        let altered = good.replacen("\"sealed\": \"", "\"sealed\": \"00", 1);
        for bad in [swapped.as_str(), altered.as_str(), "{}", "", "s3cret", &good[..good.len() / 2]] {
            fs::write(&path, bad).unwrap();
            let error = open(&path, 7).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Integrity);
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        }
    });
}

#[test]
fn a_key_is_64_hexadecimal_digits() {
    let hex = |text: &str| CredentialKey::from_hex(&SecretString::from(text.to_owned()));
    let good = hex(&format!("{}\n", "0Fa1".repeat(16))).unwrap();
    assert_eq!(format!("{good:?}"), "CredentialKey");
    let wrong = ["0f".repeat(31), "0g".repeat(32), "é".repeat(32), String::new()];
    for text in wrong {
        let error = hex(&text).unwrap_err();
        assert!(error.hint().is_some() && (text.is_empty() || !format!("{error:?}").contains(&text)));
    }
}

#[test]
fn the_environment_is_read_and_neither_written_nor_purged() {
    run(async {
        let variables =
            Arc::new(Mutex::new(HashMap::from([("APP_BRISA_ACME_TOKEN".to_owned(), "s3cret-1")])));
        let read = Arc::clone(&variables);
        let store = EnvironmentCredentials::new("app", ["token", "pin"], move |name| {
            read.lock().unwrap().get(name).map(|secret| SecretString::from(*secret))
        });
        assert_eq!(token(store.get(&key()).await.unwrap()).as_deref(), Some("s3cret-1"));
        assert!(store.get(&ConnectionKey::new("brisa", "x-1")).await.unwrap().is_none());
        assert_eq!(store.variable(&ConnectionKey::new("brisa", "x-1"), "pin"), "APP_BRISA_X_1_PIN");

        store.put(&key(), &secrets("s3cret-1")).await.unwrap();
        let error = store.put(&key(), &secrets("s3cret-2")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("APP_BRISA_ACME_TOKEN") && !error.to_string().contains("s3cret"));
        let Purged::ByHand(steps) = store.purge(&key()).await.unwrap() else { unreachable!("by hand") };
        assert!(steps.len() == 1 && steps[0].contains("APP_BRISA_ACME_TOKEN"), "{steps:?}");
        variables.lock().unwrap().clear();
        assert_eq!(store.purge(&key()).await.unwrap(), Purged::Gone);
        assert!(!format!("{store:?}").contains("s3cret"));
    });
}
