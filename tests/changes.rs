//! Readings of changes from a real connector: Merge's simulator, the engine, a platform.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::sync::Arc;

use hris_core::keys::KeyId;
use hris_core::{ConnectionKey, FieldMap, RunReport, SecretKey, StateStore, Trigger};
use hris_http::Transport;
use hris_merge::sim::MergeSim;
use hris_merge::{MergeConfig, MergeCredentials};
use hris_store_sqlite::SqliteStore;
use hris_sync::{Engine, Incremental, Policy};
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::{ManualClock, MockTarget};

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.incremental = Some(Incremental::default());
    policy
}

async fn run(engine: &Engine, number: u32) -> RunReport {
    let today = "2026-03-03".parse().unwrap();
    engine.run(&format!("run-{number}").as_str().into(), Trigger::Schedule, today).await.unwrap()
}

/// How often the listing was asked for as a whole, and for what changed.
fn asked(sim: &MergeSim) -> (usize, usize) {
    let requests = sim.requests();
    let listings = requests.iter().filter(|request| request.path() == "/api/hris/v1/employees");
    let (changes, all): (Vec<_>, Vec<_>) = listings.partition(|it| it.query("modified_after").is_some());
    (all.len(), changes.len())
}

#[test]
fn a_day_in_merge_is_read_as_changes_and_leaves_nothing_for_a_reading_of_everyone() {
    hris_testkit::run(async {
        let clock = ManualClock::at("2026-03-03T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
        let transport = Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap();
        let mut people = Population::new(5).size(80).without_oddities().build();
        let sim = MergeSim::start(people.clone()).await;
        let config = MergeConfig::new().with_base_url(sim.url().parse().unwrap());
        let credentials = MergeCredentials::new(MergeSim::API_KEY.into(), MergeSim::ACCOUNT_TOKEN.into());
        let connector = Arc::new(config.build(&credentials, &transport).unwrap());
        let target = MockTarget::new(clock.clone());
        let store: Arc<dyn StateStore> = Arc::new(SqliteStore::open_in_memory().unwrap());
        let engine = Engine::new(
            ConnectionKey::new("acme", "merge"),
            connector,
            Arc::new(FieldMap::standard()),
            Arc::new(target.clone()),
            store,
            Arc::new(SecretKey::new(KeyId::new("k1"), [7; 32])),
            Arc::new(clock),
        )
        .with_policy(policy());

        run(&engine, 1).await;
        let first = asked(&sim);
        assert_eq!(first.1, 0, "the first reading is of everyone");
        let day = DayPlan { hires: 3, leavers: 2, ..DayPlan::quiet() };
        people.next_day(&day);
        sim.set_population(people);
        let report = run(&engine, 2).await;
        assert_eq!((report.applied.created, report.applied.left), (3, 2), "{report}");
        let second = asked(&sim);
        assert_eq!(second.0, first.0, "nobody else was asked for");
        assert!(second.1 > 0);

        let full = engine.clone().with_full_reading();
        assert_eq!(run(&full, 3).await.applied.affected(), 0, "nothing was passed over");
    });
}
