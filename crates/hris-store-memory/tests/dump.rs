//! What a dump and a `Debug` output show, and what they do not.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::time::Duration;

use hris_core::keys::{Fingerprinter, KeyId, Prints};
use hris_core::store::{Baseline, Lease, Leases as _, Link, Links as _, PlanState, Plans as _, Runs as _};
use hris_core::{
    Action, ActionKind, Attributes, ConnectionKey, EmployeeRef, Expectation, LinkAfter, LinkState,
    MappingVersion, PlanId, Problem, RecordIdKind, RunId, RunReport, SecretKey, TargetField, Trigger, Value,
    rule,
};
use hris_store_memory::MemoryStore;
use hris_testkit::run;

const TTL: Duration = Duration::from_secs(60);

fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

async fn lease(store: &MemoryStore) -> Lease {
    let now = "2026-03-02T06:00:00Z".parse().unwrap();
    store.acquire(&connection(), &RunId::from("night"), now, TTL).await.unwrap()
}

fn link(record: &str) -> Link {
    let (id, member) = (record.into(), record.into());
    Link::new(record.into(), id, member, LinkState::Active, None, Prints::default())
}

fn create() -> Action {
    let fingerprinter = Fingerprinter::new(&SecretKey::new(KeyId::new("k"), [1; 32]), &connection());
    let mut attributes = Attributes::new();
    attributes.set(TargetField::EMAIL, Some(Value::from("nerea@brisa.example")));
    let after = LinkAfter {
        employee_id: "1".into(),
        state: LinkState::Active,
        email: None,
        prints: Prints::default(),
    };
    let kind = ActionKind::Create { attributes, invite: true };
    Action::new(&fingerprinter, EmployeeRef::record("r1"), None, kind, Expectation::Unlinked, after)
}

#[test]
fn taking_and_giving_back_a_lease_leaves_the_dump_as_it_was() {
    run(async {
        let store = MemoryStore::new();
        for _ in 0..3 {
            let lease = lease(&store).await;
            assert!(store.dump().contains("night"), "a held lease shows");
            store.release(&lease).await.unwrap();
            assert_eq!(store.dump(), "");
        }
    });
}

#[test]
fn equal_content_gives_equal_text_whatever_led_to_it() {
    run(async {
        let (one, other) = (MemoryStore::new(), MemoryStore::new());
        one.put_links(&lease(&one).await, &[link("a"), link("b")]).await.unwrap();
        other.put_links(&lease(&other).await, &[link("b")]).await.unwrap();
        assert_ne!(one.dump(), other.dump());
        other.put_links(&lease(&other).await, &[link("a")]).await.unwrap();
        assert_eq!(one.dump(), other.dump());
    });
}

#[test]
fn every_kind_of_content_changes_the_dump() {
    run(async {
        let store = MemoryStore::new();
        let lease = lease(&store).await;
        let plan = PlanId::from("plan");
        let mut seen = vec![store.dump()];
        let mut changed = |what: &str| {
            let dump = store.dump();
            assert!(!seen.contains(&dump), "{what} does not show");
            seen.push(dump);
        };
        let kind = RecordIdKind::new("k");
        let baseline = Baseline::new("a".into(), kind, KeyId::new("k"), MappingVersion::new("m"));
        store.set_baseline(&lease, &baseline).await.unwrap();
        changed("a baseline");
        store.put_links(&lease, &[link("a")]).await.unwrap();
        changed("a link");
        store.open_plan(&lease, &plan).await.unwrap();
        changed("a draft");
        store.append(&lease, &plan, &[create()], &[]).await.unwrap();
        changed("an action");
        store.rerank(&lease, &plan, &[(create().id, 1)]).await.unwrap();
        changed("a rank");
        let problem = Problem::error(rule::EMAIL_MISSING, "no address");
        store.append(&lease, &plan, &[], &[problem]).await.unwrap();
        changed("a problem");
        let at = "2026-03-02T06:00:00Z".parse().unwrap();
        let report = RunReport::started("run".into(), connection(), Trigger::Schedule, at);
        store.record_run(&lease, &report).await.unwrap();
        changed("a report");
        let given_up = PlanState::Dismissed { actor: "somebody".to_owned() };
        store.set_plan_state(&lease, &plan, &given_up).await.unwrap();
        changed("a draft given up");
    });
}

#[test]
fn debug_shows_nothing_of_the_content() {
    run(async {
        let store = MemoryStore::new();
        let lease = lease(&store).await;
        store.open_plan(&lease, &"plan".into()).await.unwrap();
        store.append(&lease, &"plan".into(), &[create()], &[]).await.unwrap();
        assert!(store.dump().contains("nerea@brisa.example"));
        assert_eq!(format!("{store:?}"), "MemoryStore { connections: 1, .. }");
    });
}
