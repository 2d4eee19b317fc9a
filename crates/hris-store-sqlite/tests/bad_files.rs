//! Files that cannot be used, disks that are full and files that are locked: typed errors that say what to do.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use hris_core::keys::{Fingerprinter, KeyId, Print, Prints};
use hris_core::store::{Lease, Leases as _, Link, Links as _, Plans as _};
use hris_core::{
    Action, ActionKind, Attributes, ConnectionKey, EmployeeRef, Error, ErrorKind, Expectation, LinkAfter,
    LinkState, SecretKey, TargetField, Value,
};
use hris_store_sqlite::{SqliteOptions, SqliteStore};
use hris_testkit::run;
use rusqlite::Connection;

fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

async fn lease(store: &SqliteStore) -> Lease {
    let now = "2026-03-02T06:00:00Z".parse().unwrap();
    store.acquire(&connection(), &"night".into(), now, Duration::from_secs(60)).await.unwrap()
}

fn link(number: usize) -> Link {
    let id = format!("{number:06}");
    let email = Some(Print(number as u64));
    Link::new((*id).into(), (*id).into(), (*id).into(), LinkState::Active, email, Prints::default())
}

fn creates(numbers: std::ops::Range<usize>) -> Vec<Action> {
    let fingerprinter = Fingerprinter::new(&SecretKey::new(KeyId::new("k"), [1; 32]), &connection());
    let create = |number: usize| {
        let mut attributes = Attributes::new();
        attributes.set(TargetField::EMAIL, Some(Value::from("nerea@brisa.example")));
        let after = LinkAfter {
            employee_id: "1".into(),
            state: LinkState::Active,
            email: None,
            prints: Prints::default(),
        };
        let person = EmployeeRef::record(format!("{number:06}"));
        let kind = ActionKind::Create { attributes, invite: true };
        Action::new(&fingerprinter, person, None, kind, Expectation::Unlinked, after)
    };
    numbers.map(create).collect()
}

/// A store of `links` links that is closed again.
fn store_with(folder: &Path, links: usize) -> PathBuf {
    let path = folder.join("store.sqlite");
    run(async {
        let store = SqliteStore::open(&path).unwrap();
        let links: Vec<_> = (0..links).map(link).collect();
        store.put_links(&lease(&store).await, &links).await.unwrap();
    });
    path
}

fn alter(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Opens a store and reads everything in it.
fn read(path: &Path) -> Result<(), Error> {
    run(async {
        let store = SqliteStore::open(path)?;
        store.baseline(&connection()).await?;
        store.links(&connection()).try_concat().await?;
        store.verify().await
    })
}

#[track_caller]
fn check(error: &Error, kind: ErrorKind, says: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(error.hint().is_some(), "no hint: {error}");
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = store_with(folder.path(), 3);
    alter(&path, "PRAGMA user_version = 6");
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    check(&error, ErrorKind::Integrity, "upgrade");
    assert_eq!(fs::read(&path).unwrap(), before);
    alter(&path, "PRAGMA user_version = 5");
    read(&path).unwrap();
}

#[test]
fn a_file_of_another_application_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    for script in ["CREATE TABLE link (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"] {
        alter(&path, script);
        let before = fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        check(&error, ErrorKind::Integrity, "another application");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "Things to do. ".repeat(1_000);
    fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    check(&error, ErrorKind::Integrity, "no store");
    assert!(error.to_string().contains("notes.txt"), "the error names the file: {error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    fs::write(&path, "").unwrap();
    read(&path).unwrap();
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(folder.path().join("nowhere").join("store.sqlite")).unwrap_err();
    check(&error, ErrorKind::Store, "folder exists");
    let error = SqliteStore::open(folder.path()).unwrap_err();
    check(&error, ErrorKind::Store, "cannot be opened");
}

#[test]
fn damage_anywhere_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = store_with(folder.path(), 2_000);
    read(&path).unwrap();
    let sound = fs::read(&path).unwrap();
    let page = 4_096;
    let pages = sound.len() / page;
    assert!(pages > 20, "{pages} pages");
    // The start of a page says how to read it. The first page is the schema.
    for damaged in [0, 1, pages / 2, pages - 1] {
        let mut bytes = sound.clone();
        bytes
            .iter_mut()
            .skip(damaged * page + 100 * usize::from(damaged == 0))
            .take(64)
            .for_each(|byte| *byte = 0xA5);
        fs::write(&path, bytes).unwrap();
        check(&read(&path).unwrap_err(), ErrorKind::Integrity, "backup");
    }
    fs::write(&path, sound.get(..sound.len() / 2).unwrap()).unwrap();
    check(&read(&path).unwrap_err(), ErrorKind::Integrity, "backup");
}

#[test]
fn rows_that_cannot_be_are_found_where_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = store_with(folder.path(), 3);
    let cases = [
        ("UPDATE connection SET baseline = '{\"v\":1,\"body\":{\"account\":7}}'", "damaged"),
        ("UPDATE connection SET baseline = 'nerea'", "damaged"),
        ("UPDATE connection SET baseline = '{\"v\":2,\"body\":{}}'", "upgrade"),
        ("UPDATE connection SET baseline = NULL; UPDATE link SET prints = x'02'", "upgrade"),
        ("UPDATE link SET prints = x'0100'", "cut short"),
        ("UPDATE link SET prints = x''", "damaged"),
        ("UPDATE link SET prints = x'01', state = 1, irreversible_from = 'nerea'", "date"),
        ("UPDATE link SET irreversible_from = NULL, employee_id = CAST(x'ff' AS TEXT)", "damaged"),
    ];
    for (script, says) in cases {
        alter(&path, script);
        let error = read(&path).unwrap_err();
        check(&error, ErrorKind::Integrity, says);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("nerea"), "an error quotes no value: {shown}");
    }
}

#[test]
fn a_full_disk_fails_the_call_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let small = SqliteOptions::default().with_max_bytes(400_000);
    run(async {
        let store = SqliteStore::open_with(&path, &small).unwrap();
        let lease = lease(&store).await;
        let plan = "plan".into();
        store.open_plan(&lease, &plan).await.unwrap();
        let mut written = 0;
        let error = loop {
            match store.append(&lease, &plan, &creates(written..written + 50), &[]).await {
                Ok(()) => written += 50,
                Err(error) => break error,
            }
            assert!(written < 10_000, "the limit holds");
        };
        check(&error, ErrorKind::Store, "free space");
        let kept = store.actions(&connection(), &plan, None, usize::MAX).await.unwrap();
        assert_eq!(kept.len(), written, "nothing of the call that failed was written");
        store.verify().await.unwrap();

        let more_room = SqliteStore::open(&path).unwrap();
        more_room.append(&lease, &plan, &creates(written..written + 50), &[]).await.unwrap();
    });
}

#[test]
fn a_file_locked_by_another_process_fails_writes_for_now_and_no_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = store_with(folder.path(), 3);
    run(async {
        let impatient = SqliteOptions::default().with_busy_timeout(Duration::ZERO);
        let store = SqliteStore::open_with(&path, &impatient).unwrap();
        let lease = lease(&store).await;
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = store.put_links(&lease, &[link(9)]).await.unwrap_err();
        check(&error, ErrorKind::Store, "locked");
        assert!(error.is_retryable());
        let links = store.links(&connection()).try_concat().await.unwrap();
        assert_eq!(links.len(), 3);
        other.execute_batch("ROLLBACK").unwrap();
        store.put_links(&lease, &[link(9)]).await.unwrap();
    });
}
