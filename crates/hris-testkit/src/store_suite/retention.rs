//! Behaviours of coming to an end: links taken back, history purged, people forgotten.

use futures_util::TryStreamExt as _;
use hris_core::keys::Print;
use hris_core::store::PlanState;
use hris_core::{ErrorKind, PlanId, StateStore};

use super::StoreHarness;
use super::fixture::{Fixture, ok, refused};
use super::sample::{
    at, checkpoint, create, creates, header, link, member, one_override, problem, record, report,
};

/// Links are taken back by record, and their members lead nowhere any more.
pub async fn links_that_are_removed_are_gone_and_can_be_written_again(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    it.link(&[link(0), link(1), link(2)]).await;
    let removed = it.store.remove_links(&it.lease, &[record(0), record(9), record(2)]).await;
    assert_eq!(ok(removed, "remove links"), 2, "answer how many links there were");
    assert_eq!(it.links().await, [link(1)], "remove the links that were named and no others");
    let found = ok(it.store.links_to(&it.connection, &[member(0)]).await, "look links up by member");
    assert_eq!(found, [None], "let no removed link lead to a member");
    ok(it.store.put_links(&it.lease, &[link(0)]).await, "write a link");
    assert_eq!(it.links().await, [link(0), link(1)], "take a link of a record whose link was removed");
}

/// What error files are made from has an end of its own: it takes neither what may still go on nor the history.
pub async fn final_plans_are_purged_by_age_and_nothing_else_is(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let dismissed = || PlanState::Dismissed { actor: "ola".to_owned() };
    // The plan that wrote the link was made at minute zero and is final.
    it.link(&[link(0)]).await;
    let old = it.draft("old", &creates(0..2)).await;
    ok(it.store.append(&it.lease, &old, &[], &[problem(0)]).await, "append a problem");
    ok(it.store.seal(&it.lease, &header(&it.connection, &old, 1)).await, "seal a draft");
    it.set(&old, dismissed()).await;
    let (young, open) = (PlanId::from("young"), PlanId::from("open"));
    for (plan, minutes) in [("young", 9), ("open", 1)] {
        it.sealed(plan, minutes, &creates(0..2)).await;
    }
    it.set(&young, dismissed()).await;
    ok(it.store.record_run(&it.lease, &report(&it.connection, "run-1", 1)).await, "record a run");

    let purged = ok(it.store.purge_plans(&it.lease, at(5)).await, "purge plans");
    assert_eq!(purged, 2, "count the plans purged");
    assert_eq!(ok(it.store.plan(&it.connection, &old).await, "look for a plan"), None, "purge old plans");
    assert!(it.actions(&old).await.is_empty(), "purge the actions of a plan with it");
    let problems = ok(it.store.problems(&it.connection, &old, 0, 9).await, "read purged problems");
    assert!(problems.is_empty(), "purge the problems of a plan with it");
    for kept in [&young, &open] {
        assert_eq!(it.actions(kept).await.len(), 2, "keep plans that are young or not final");
    }
    let runs = ok(it.store.runs(&it.connection, 0, 9).await, "read the history");
    assert_eq!(runs.len(), 1, "keep reports whatever becomes of plans");
    assert_eq!(it.links().await, [link(0)], "leave links alone");
}

/// Reports end by their age, and plans stay.
pub async fn old_reports_are_purged_and_young_ones_stay(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.sealed("old", 1, &creates(0..2)).await;
    it.set(&plan, PlanState::Dismissed { actor: "ola".to_owned() }).await;
    for (run, minutes) in [("run-1", 1), ("run-9", 9)] {
        ok(it.store.record_run(&it.lease, &report(&it.connection, run, minutes)).await, "record a run");
    }
    let purged = ok(it.store.purge_runs(&it.lease, at(5)).await, "purge reports");
    assert_eq!(purged, 1, "count the reports purged");
    let runs = ok(it.store.runs(&it.connection, 0, 9).await, "read the history");
    assert_eq!(runs.len(), 1, "purge old reports and keep young ones");
    assert_eq!(it.actions(&plan).await.len(), 2, "keep plans whatever becomes of reports");
}

/// Nothing of a forgotten person is left but a keyed fingerprint, and nobody else is touched.
pub async fn a_forgotten_person_is_nowhere_any_more(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let forgets = |number: u64| Print(number + 77);
    it.link(&[link(1), link(2)]).await;
    let overrides = [one_override(1), one_override(2)];
    ok(it.store.put_overrides(&it.lease, &overrides).await, "record overrides");
    let mut remembered = checkpoint();
    remembered.unsettled = vec![record(1), record(2)];
    if let Some(claim) = remembered.claims.first_mut() {
        claim.record = forgets(1);
    }
    ok(it.store.set_checkpoint(&it.lease, Some(&remembered)).await, "set the checkpoint");
    let plan = it.draft("final", &[create(1), create(2)]).await;
    let problems = [problem(1), problem(0), problem(3), problem(4).beside(record(1))];
    ok(it.store.append(&it.lease, &plan, &[], &problems).await, "append problems");
    ok(it.store.seal(&it.lease, &header(&it.connection, &plan, 0)).await, "seal the draft just filled");

    let result = it.store.forget(&it.lease, &record(1), forgets(1)).await;
    refused(result, ErrorKind::Stale, "to forget somebody about whom an open plan has an action");
    assert_eq!(it.links().await.len(), 2, "change nothing when forgetting is refused");
    it.set(&plan, PlanState::Dismissed { actor: "ola".to_owned() }).await;
    ok(it.store.forget(&it.lease, &record(1), forgets(1)).await, "forget a person");

    let left = it.contents(&[&plan]).await;
    assert!(!left.contains(record(1).as_str()), "leave nothing of a forgotten person: {left}");
    for kept in [record(2), record(3)] {
        assert!(left.contains(kept.as_str()), "leave everybody else alone: {left}");
    }
    assert_eq!(it.links().await, [link(2)], "forget the link");
    let found = ok(it.store.checkpoint(&it.connection).await, "read the checkpoint");
    let claims = found.map(|found| found.claims.len());
    assert_eq!(claims, Some(1), "forget the claims of the person");
    assert_eq!(forgotten(&*it.store, &it).await, [forgets(1)], "keep the fingerprint");
}

/// Fingerprints of forgotten people last, each once, and need nothing to be known of the person.
pub async fn whoever_was_forgotten_stays_forgotten(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for print in [Print(5), Print(u64::MAX), Print(5)] {
        ok(it.store.forget(&it.lease, &record(9), print).await, "forget somebody of whom nothing is known");
    }
    for store in [&it.store, &it.harness.reopen().await] {
        let mut found = forgotten(&**store, &it).await;
        found.sort();
        assert_eq!(found, [Print(5), Print(u64::MAX)], "keep each fingerprint once");
    }
}

async fn forgotten(store: &dyn StateStore, it: &Fixture) -> Vec<Print> {
    ok(store.forgotten(&it.connection).await, "answer who was forgotten")
}

/// The stream of links is what `links` answers, also after some were removed.
pub async fn removed_links_are_not_streamed(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let many: Vec<_> = (0..1_500).map(link).collect();
    ok(it.store.put_links(&it.lease, &many).await, "write links without a plan");
    let gone: Vec<_> = (0..1_500).filter(|number| number % 3 == 0).map(record).collect();
    assert_eq!(ok(it.store.remove_links(&it.lease, &gone).await, "remove links"), gone.len() as u64);
    let left: Vec<_> = ok(it.store.links(&it.connection).try_concat().await, "stream the links");
    assert_eq!(left.len(), 1_000, "stream every link that is left");
}
