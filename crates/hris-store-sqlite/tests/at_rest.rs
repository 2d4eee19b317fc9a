//! What is in the file and what is not: permissions, erased values, and calls that were dropped half-way.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use futures_util::FutureExt as _;
use hris_core::keys::{Fingerprinter, KeyId, Prints};
use hris_core::store::{ActionState, Lease, Leases as _, PlanState, Plans as _, Settlement};
use hris_core::{
    Action, ActionKind, Attributes, ConnectionKey, EmployeeRef, Expectation, LinkAfter, LinkState,
    MappingVersion, PlanHeader, PlanId, PlanOrigin, PlanSummary, ReadingSummary, RecordIdKind, SecretKey,
    TargetField, Value, Verdict,
};
use hris_store_sqlite::SqliteStore;
use hris_testkit::run;
use rusqlite::Connection;

const NAME: &str = "nerea.olmedo";

fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

async fn lease(store: &SqliteStore) -> Lease {
    let now = "2026-03-02T06:00:00Z".parse().unwrap();
    store.acquire(&connection(), &"night".into(), now, Duration::from_secs(60)).await.unwrap()
}

fn creates(count: usize) -> Vec<Action> {
    let fingerprinter = Fingerprinter::new(&SecretKey::new(KeyId::new("k"), [1; 32]), &connection());
    let create = |number: usize| {
        let mut attributes = Attributes::new();
        attributes.set(TargetField::EMAIL, Some(Value::from(&*format!("{NAME}.{number}@brisa.example"))));
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
    (0..count).map(create).collect()
}

fn header(plan: &PlanId) -> PlanHeader {
    let at = "2026-03-02T06:00:00Z".parse().unwrap();
    let origin = PlanOrigin {
        id: plan.clone(),
        connection: connection(),
        run: "night".into(),
        reading: ReadingSummary {
            account: "a".into(),
            record_id_kind: RecordIdKind::new("k"),
            full: None,
            watermark: None,
        },
        mapping: MappingVersion::new("m"),
        policy: "p".to_owned(),
        as_of: "2026-03-02".parse().unwrap(),
        created_at: at,
        expires_at: at,
        first_import: true,
    };
    PlanHeader::new(origin, PlanSummary::default(), Verdict::Ready, None, KeyId::new("k"))
}

/// A sealed plan of `count` creates.
async fn sealed(store: &SqliteStore, lease: &Lease, count: usize) -> PlanId {
    let plan = PlanId::from("plan");
    store.open_plan(lease, &plan).await.unwrap();
    store.append(lease, &plan, &creates(count), &[]).await.unwrap();
    store.seal(lease, &header(&plan)).await.unwrap();
    plan
}

/// How often the name is in the store's file, its log and whatever else is beside it.
fn names_on_disk(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.map(|bytes| bytes.windows(NAME.len()).filter(|part| *part == NAME.as_bytes()).count()).sum()
}

#[cfg(unix)]
#[test]
fn the_file_and_its_log_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
        let lease = lease(&store).await;
        sealed(&store, &lease, 1).await;
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 3, "the file, its log and its shared memory");
        for file in files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
        }
    });
}

#[test]
fn values_leave_the_disk_when_their_plan_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
        let lease = lease(&store).await;
        let plan = sealed(&store, &lease, 300).await;
        assert!(names_on_disk(folder.path()) >= 300, "the search finds what is there");
        let settlements =
            creates(300).into_iter().map(|action| Settlement::new(action.id, ActionState::Done));
        for batch in settlements.collect::<Vec<_>>().chunks(100) {
            store.settle(&lease, &plan, batch).await.unwrap();
        }
        store.set_plan_state(&lease, &plan, &PlanState::Applied).await.unwrap();
        assert_eq!(names_on_disk(folder.path()), 0);
    });
}

#[test]
fn values_leave_the_disk_when_their_plan_or_draft_is_dismissed() {
    let dismissed = PlanState::Dismissed { actor: "somebody".to_owned() };
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
        let lease = lease(&store).await;
        let plan = sealed(&store, &lease, 300).await;
        store.set_plan_state(&lease, &plan, &dismissed).await.unwrap();
        assert_eq!(names_on_disk(folder.path()), 0);

        let draft = PlanId::from("draft");
        store.open_plan(&lease, &draft).await.unwrap();
        store.append(&lease, &draft, &creates(300), &[]).await.unwrap();
        let action = creates(1).pop().unwrap().id;
        store.retract(&lease, &draft, &[action]).await.unwrap();
        assert!(names_on_disk(folder.path()) >= 299, "the search finds what is there");
        store.set_plan_state(&lease, &draft, &dismissed).await.unwrap();
        assert_eq!(names_on_disk(folder.path()), 0);
    });
}

#[test]
fn a_dropped_call_happens_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    for attempt in 0..10 {
        let plan = PlanId::from(format!("plan {attempt}"));
        run(async {
            let store = SqliteStore::open(&path).unwrap();
            let lease = lease(&store).await;
            store.open_plan(&lease, &plan).await.unwrap();
            let actions = creates(500);
            // Somebody else writes, so that the call has to wait; it is polled once and dropped.
            let other = Connection::open(&path).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            let answer = store.append(&lease, &plan, &actions, &[]).now_or_never();
            assert!(answer.is_none(), "the call has to wait");
            other.execute_batch("ROLLBACK").unwrap();
        });
        run(async {
            let store = SqliteStore::open(&path).unwrap();
            let kept = store.actions(&connection(), &plan, None, usize::MAX).await.unwrap();
            assert!([0, 500].contains(&kept.len()), "{} actions", kept.len());
        });
    }
}

#[test]
fn without_a_runtime_calls_run_in_place() {
    let store = SqliteStore::open_in_memory().unwrap();
    let lease = lease(&store).now_or_never().unwrap();
    assert_eq!(lease.token, 1);
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for attempt in 0..10 {
        let path = folder.path().join(format!("{attempt}.sqlite"));
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            let open = || {
                start.wait();
                SqliteStore::open(&path).map(drop)
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn debug_shows_the_path_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
        let lease = lease(&store).await;
        sealed(&store, &lease, 1).await;
        let shown = format!("{store:?}");
        assert!(shown.contains("store.sqlite") && !shown.contains(NAME), "{shown}");
    });
}
