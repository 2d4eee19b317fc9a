//! What a run writes beside Sends, and who may write.

use std::time::Duration;

use hris_core::keys::{KeyId, Print};
use hris_core::ledger::{Batch, Episode, LedgerHead, RunRecord};
use hris_core::{ErrorKind, RecordIdKind};

use super::fixture::{
    Fixture, LedgerHarness, batch, connection, new, now, other_connection, purge, scheduled,
};

fn head() -> LedgerHead {
    LedgerHead::new("account".into(), RecordIdKind::new("kind"), KeyId::new("key"), now())
}

fn episode(number: u32, ended: bool) -> Episode {
    Episode { key: Print(u64::MAX - 1), number, ended, start: Print(7) }
}

fn report(run: &str, day: &str) -> RunRecord {
    RunRecord { run: run.into(), as_of: day.parse().unwrap(), report: format!("{{\"run\":\"{run}\"}}") }
}

/// Head and episodes come back.
pub async fn a_batch_is_remembered(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    assert_eq!(it.ledger.head(&connection()).await.unwrap(), None);
    let all = Batch { head: Some(head()), episodes: vec![episode(0, false)], ..Batch::default() };
    it.ledger.commit(&it.lease, &all).await.unwrap();
    let again = it.harness.reopen();
    assert_eq!(again.head(&connection()).await.unwrap(), Some(head()));
    assert_eq!(again.episodes(&connection()).await.unwrap(), [episode(0, false)]);
    assert_eq!(again.head(&other_connection()).await.unwrap(), None);
    assert_eq!(again.episodes(&other_connection()).await.unwrap(), []);
}

/// A person has one episode at a time.
pub async fn an_episode_replaces_the_one_under_its_key(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    for next in [episode(0, false), episode(0, true), episode(1, false)] {
        it.ledger.commit(&it.lease, &Batch { episodes: vec![next], ..Batch::default() }).await.unwrap();
    }
    assert_eq!(it.ledger.episodes(&connection()).await.unwrap(), [episode(1, false)]);
}

/// A run written twice is one run.
pub async fn a_run_is_found_and_listed_latest_first(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let runs = [report("b", "2026-03-02"), report("a", "2026-03-03"), report("c", "2026-03-01")];
    for run in runs.iter().chain(&runs) {
        let written = Batch { run: Some(run.clone()), ..Batch::default() };
        it.ledger.commit(&it.lease, &written).await.unwrap();
    }
    let [b, a, c] = runs;
    let found = it.harness.reopen().run_report(&connection(), &"b".into()).await.unwrap();
    assert_eq!(found, Some(b.clone()));
    assert_eq!(it.ledger.run_report(&connection(), &"d".into()).await.unwrap(), None);
    assert_eq!(it.ledger.run_reports(&connection(), 9).await.unwrap(), [a.clone(), b, c]);
    assert_eq!(it.ledger.run_reports(&connection(), 1).await.unwrap(), [a]);
}

/// A lease that was taken over writes nothing, neither Sends nor sweeps.
pub async fn whoever_lost_the_lease_writes_nothing(harness: LedgerHarness) {
    let it = Fixture::new(harness).await;
    let later = now() + Duration::from_secs(61);
    it.ledger.acquire(&connection(), &"other".into(), later, Duration::from_secs(60)).await.unwrap();
    let write = batch([new(scheduled(1, "2026-03-05"))]);
    assert_eq!(it.ledger.commit(&it.lease, &write).await.unwrap_err().kind(), ErrorKind::Leased);
    let swept = it.ledger.sweep(&it.lease, purge(), purge()).await;
    assert_eq!(swept.unwrap_err().kind(), ErrorKind::Leased);
    assert_eq!(it.get(1).await, None);
}
