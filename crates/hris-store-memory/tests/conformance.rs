//! The store keeps every promise that a store makes.

use std::sync::Arc;

use hris_store_memory::MemoryStore;
use hris_testkit::ledger_suite::LedgerHarness;
use hris_testkit::store_suite::StoreHarness;

fn fresh() -> StoreHarness {
    let store = MemoryStore::new();
    StoreHarness::new(Arc::new(store.clone()), move || {
        let again = store.clone();
        async move { Arc::new(again) as _ }
    })
}

hris_testkit::store_conformance!(memory, fresh());

fn fresh_ledger() -> LedgerHarness {
    let store = MemoryStore::new();
    LedgerHarness::new(Arc::new(store.clone()), move || Arc::new(store.clone()))
}

hris_testkit::ledger_conformance!(ledger, fresh_ledger());
hris_testkit::setup_store_conformance!(setups, Arc::new(MemoryStore::new()));
