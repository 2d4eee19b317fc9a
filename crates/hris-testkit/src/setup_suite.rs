//! The conformance suite for stores of connections as they are configured: one `#[test]` per promise of
//! `hris_core::connections`.
//!
//! ```
//! # fn main() {}
//! use std::sync::Arc;
//!
//! hris_testkit::setup_store_conformance!(memory, Arc::new(hris_store_memory::MemoryStore::new()));
//! ```
//!
//! The second argument makes an empty store, an `Arc<dyn SetupStore>`, and is evaluated once per test.
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a behaviour that does not hold panics: that is the report"
)]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::connections::{SetupStore, StoredConnection, WelcomeState};
use hris_core::{ConnectionKey, EmployeeId, ErrorKind, TenantId};

type Store = Arc<dyn SetupStore>;

/// Expands to a module of `#[test]` functions, one per behaviour. See [`crate::setup_suite`].
#[macro_export]
macro_rules! setup_store_conformance {
    ($name:ident, $setup:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the set-up may need nothing of the file")]
            use super::*;

            $crate::setup_store_behaviours! { $setup;
                a_connection_comes_back_as_written,
                a_write_with_another_revision_is_refused_and_changes_nothing,
                connections_are_paged_by_key_and_by_tenant,
                due_connections_come_longest_due_first,
                the_next_due_is_the_first_after_an_instant,
                welcomes_are_kept_until_they_are_removed,
            }
        }
    };
}

/// One `#[test]` per behaviour.
#[doc(hidden)]
#[macro_export]
macro_rules! setup_store_behaviours {
    ($setup:expr; $($behaviour:ident,)+) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::run(async { $crate::setup_suite::$behaviour($setup).await });
            }
        )+
    };
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_434_800, 0).unwrap_or_default() + TimeDelta::minutes(minutes)
}

fn connection(tenant: &str, name: &str, due: Option<i64>) -> StoredConnection {
    let body = format!("{{\"v\":1,\"name\":\"{name} \u{e9}\"}}");
    StoredConnection::new(ConnectionKey::new(tenant, name), due.map(at), body)
}

async fn put(store: &Store, connection: &StoredConnection) -> u64 {
    store.put_connection(connection).await.expect("write a connection that nobody else changed")
}

/// Every part lasts, and each write raises the revision.
pub async fn a_connection_comes_back_as_written(store: Store) {
    let first = connection("brisa", "hr", Some(1));
    assert_eq!(store.connection(&first.key).await.expect("look for a connection"), None);
    let revision = put(&store, &first).await;
    let found = store.connection(&first.key).await.expect("read a connection");
    assert_eq!(found, Some(first.clone().at_revision(revision)), "keep every part of a connection");
    let mut second = connection("brisa", "hr", None).at_revision(revision);
    "{}".clone_into(&mut second.body);
    let later = put(&store, &second).await;
    assert!(later > revision, "raise the revision with each write");
    let found = store.connection(&first.key).await.expect("read a connection");
    assert_eq!(found, Some(second.at_revision(later)));
}

/// Of two who change a connection at once, the second reads again.
pub async fn a_write_with_another_revision_is_refused_and_changes_nothing(store: Store) {
    let first = connection("brisa", "hr", Some(1));
    let revision = put(&store, &first).await;
    for wrong in [0, revision + 1] {
        let mut other = connection("brisa", "hr", Some(2)).at_revision(wrong);
        "other".clone_into(&mut other.body);
        let refused = store.put_connection(&other).await.expect_err("refuse another revision");
        assert_eq!(refused.kind(), ErrorKind::Stale);
    }
    let unknown = connection("brisa", "new", None).at_revision(3);
    let refused = store.put_connection(&unknown).await.expect_err("refuse a revision of what is not there");
    assert_eq!(refused.kind(), ErrorKind::Stale);
    let found = store.connection(&first.key).await.expect("read a connection");
    assert_eq!(found, Some(first.at_revision(revision)), "change nothing when a write is refused");
}

/// In order of their keys, of one tenant or of all.
pub async fn connections_are_paged_by_key_and_by_tenant(store: Store) {
    for (tenant, name) in [("b", "2"), ("a", "9"), ("b", "1"), ("c", "1"), ("b", "10")] {
        put(&store, &connection(tenant, name, None)).await;
    }
    let names = async |tenant: Option<&TenantId>| {
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = store.connections(tenant, after.as_ref(), 2).await.expect("page through connections");
            let Some(last) = page.last() else { break names };
            after = Some(last.key.clone());
            names.extend(page.iter().map(|known| known.key.to_string()));
        }
    };
    assert_eq!(names(None).await, ["a/9", "b/1", "b/10", "b/2", "c/1"]);
    assert_eq!(names(Some(&TenantId::new("b"))).await, ["b/1", "b/10", "b/2"]);
    assert_eq!(names(Some(&TenantId::new("x"))).await, [""; 0]);
}

/// Those that wait longest come first, and those that wait for nothing never.
pub async fn due_connections_come_longest_due_first(store: Store) {
    for (name, due) in [("a", Some(3)), ("b", Some(1)), ("c", None), ("d", Some(2)), ("e", Some(9))] {
        put(&store, &connection("t", name, due)).await;
    }
    let due = store.due_connections(at(3), 0, 9).await.expect("list what is due");
    let expected = [(1, "b"), (2, "d"), (3, "a")];
    assert_eq!(due, expected.map(|(due, name)| (at(due), ConnectionKey::new("t", name))));
    let rest = store.due_connections(at(3), 1, 1).await.expect("page through what is due");
    assert_eq!(rest, [(at(2), ConnectionKey::new("t", "d"))]);
    let moved = connection("t", "b", Some(7)).at_revision(1);
    put(&store, &moved).await;
    assert_eq!(store.due_connections(at(3), 0, 9).await.expect("list what is due").len(), 2);
}

/// What a runner waits for.
pub async fn the_next_due_is_the_first_after_an_instant(store: Store) {
    assert_eq!(store.next_due(at(0)).await.expect("ask for the next due"), None);
    for (name, due) in [("a", Some(3)), ("b", Some(1)), ("c", None)] {
        put(&store, &connection("t", name, due)).await;
    }
    for (after, next) in [(0, Some(1)), (1, Some(3)), (3, None)] {
        let found = store.next_due(at(after)).await.expect("ask for the next due");
        assert_eq!(found, next.map(at), "after minute {after}");
    }
}

/// One state for each person, and nothing once it is removed.
pub async fn welcomes_are_kept_until_they_are_removed(store: Store) {
    let (here, there) = (ConnectionKey::new("t", "a"), ConnectionKey::new("t", "b"));
    let person = |id: &str| EmployeeId::from(id);
    let owed = Some(WelcomeState::Owed);
    let write = [(person("2"), owed), (person("1"), owed), (person("3"), owed)];
    store.set_welcomes(&here, &write).await.expect("write welcomes");
    store.set_welcomes(&there, &[(person("9"), owed)]).await.expect("write welcomes");
    let next = [(person("2"), Some(WelcomeState::Begun)), (person("3"), None), (person("4"), None)];
    store.set_welcomes(&here, &next).await.expect("change welcomes");
    let found = store.welcomes(&here).await.expect("read welcomes");
    assert_eq!(found, [(person("1"), WelcomeState::Owed), (person("2"), WelcomeState::Begun)]);
}
