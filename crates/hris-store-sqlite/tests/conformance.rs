//! The store keeps every promise that a store makes, in a file and in memory.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::sync::Arc;

use hris_store_sqlite::SqliteStore;
use hris_testkit::ledger_suite::LedgerHarness;
use hris_testkit::store_suite::StoreHarness;

/// A file, opened again as another process would.
fn in_a_file() -> StoreHarness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    let open_again = move || {
        let again = SqliteStore::open(&path).unwrap();
        async move { Arc::new(again) as _ }
    };
    StoreHarness::new(Arc::new(store), open_again).keeping(folder)
}

fn in_memory() -> StoreHarness {
    let store = SqliteStore::open_in_memory().unwrap();
    StoreHarness::new(Arc::new(store.clone()), move || {
        let again = store.clone();
        async move { Arc::new(again) as _ }
    })
}

hris_testkit::store_conformance!(file, in_a_file());
hris_testkit::store_conformance!(memory, in_memory());

fn ledger_in_a_file() -> LedgerHarness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    let open_again = move || Arc::new(SqliteStore::open(&path).unwrap()) as _;
    LedgerHarness::new(Arc::new(store), open_again).keeping(folder)
}

fn ledger_in_memory() -> LedgerHarness {
    let store = SqliteStore::open_in_memory().unwrap();
    LedgerHarness::new(Arc::new(store.clone()), move || Arc::new(store.clone()))
}

hris_testkit::ledger_conformance!(ledger_file, ledger_in_a_file());
hris_testkit::ledger_conformance!(ledger_memory, ledger_in_memory());
hris_testkit::setup_store_conformance!(setups, Arc::new(SqliteStore::open_in_memory().unwrap()));
