//! Behaviours of fencing: who lost the lease can change nothing, whatever they try.

use hris_core::store::{Lease, PlanState, Settlement};
use hris_core::{ErrorKind, PlanId, StateStore};

use super::StoreHarness;
use super::fixture::{Fixture, TTL_MINUTES, ids, lease_for, ok, refused};
use super::sample::{
    at, baseline, checkpoint, create, creates, header, link, one_override, problem, record, report,
};

/// Every write to a draft, beside the writes that need no plan, with a lease that somebody took over.
pub async fn a_draft_refuses_whoever_lost_the_lease(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.draft("plan", &creates(0..3)).await;
    lease_for(&*it.store, &it.connection, "second", TTL_MINUTES).await;
    let before = it.contents(&[&plan]).await;
    refuses_writes_to_draft(&*it.store, &it.lease, &plan).await;
    assert_eq!(it.contents(&[&plan]).await, before, "change nothing when a write is fenced off");
}

/// Every write to a sealed plan with a lease that somebody took over.
pub async fn a_sealed_plan_refuses_whoever_lost_the_lease(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.sealed("plan", 0, &creates(0..3)).await;
    lease_for(&*it.store, &it.connection, "second", TTL_MINUTES).await;
    let before = it.contents(&[&plan]).await;
    refuses_writes_to_sealed(&*it.store, &it.lease, &plan).await;
    assert_eq!(it.contents(&[&plan]).await, before, "change nothing when a write is fenced off");
}

/// A lease that was given back is over, even while nobody else holds one.
pub async fn a_lease_given_back_writes_nothing(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let sealed = it.sealed("sealed", 0, &creates(0..3)).await;
    let draft = it.draft("draft", &creates(0..3)).await;
    ok(it.store.release(&it.lease).await, "take a lease back");
    let before = it.contents(&[&draft]).await;
    refuses_writes_to_draft(&*it.store, &it.lease, &draft).await;
    refuses_writes_to_sealed(&*it.store, &it.lease, &sealed).await;
    assert_eq!(it.contents(&[&draft]).await, before, "change nothing after the lease was given back");
}

/// A greater token than the newest is as wrong as a lesser one, and so is a lease on a connection without any.
pub async fn a_token_that_was_never_granted_writes_nothing(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.draft("plan", &creates(0..3)).await;
    let mut forged = it.lease.clone();
    forged.token += 1;
    refuses_writes_to_draft(&*it.store, &forged, &plan).await;
    let mut foreign = it.lease.clone();
    foreign.connection = hris_core::ConnectionKey::new("nobody", "nothing");
    let result = it.store.set_baseline(&foreign, &baseline()).await;
    refused(result, ErrorKind::Leased, "a write for a connection whose lease nobody took");
}

/// A store has no clock: a lease that ran out still writes until somebody takes it over.
pub async fn an_expired_lease_that_nobody_took_still_writes(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let elsewhere = hris_core::ConnectionKey::new("calma", "hr");
    lease_for(&*it.store, &elsewhere, "second", 10 * TTL_MINUTES).await;
    let written = it.store.set_baseline(&it.lease, &baseline()).await;
    ok(written, "judge a lease by its token; only `acquire` looks at the expiry");
}

async fn refuses_writes_to_draft(store: &dyn StateStore, lease: &Lease, plan: &PlanId) {
    let own = &lease.connection;
    let action = create(0).id;
    let results = [
        ("set_baseline", store.set_baseline(lease, &baseline()).await),
        ("set_checkpoint", store.set_checkpoint(lease, Some(&checkpoint())).await),
        ("put_overrides", store.put_overrides(lease, &[one_override(9)]).await),
        ("remove_overrides", store.remove_overrides(lease, &[]).await),
        ("remove_links", store.remove_links(lease, &[]).await.map(drop)),
        ("purge_plans", store.purge_plans(lease, at(9)).await.map(drop)),
        ("purge_runs", store.purge_runs(lease, at(9)).await.map(drop)),
        ("forget", store.forget(lease, &record(9), hris_core::keys::Print(9)).await),
        ("put_links", store.put_links(lease, &[link(9)]).await),
        ("stage_links", store.stage_links(lease, &[link(9)]).await),
        ("put_staged_links", store.put_staged_links(lease).await.map(drop)),
        ("open_plan", store.open_plan(lease, &PlanId::from("another")).await),
        ("append", store.append(lease, plan, &[create(9)], &[problem(9)]).await),
        ("retract", store.retract(lease, plan, std::slice::from_ref(&action)).await),
        ("rerank", store.rerank(lease, plan, &[(action, 1)]).await),
        ("seal", store.seal(lease, &header(own, plan, 0)).await),
        ("record_run", store.record_run(lease, &report(own, "late", 0)).await),
    ];
    for (name, result) in results {
        refused(
            result,
            ErrorKind::Leased,
            &format!("`{name}` without the newest token of a lease that holds"),
        );
    }
}

async fn refuses_writes_to_sealed(store: &dyn StateStore, lease: &Lease, plan: &PlanId) {
    let actions = creates(0..1);
    let settlement = Settlement::done(create(0).id, link(0));
    let results = [
        ("begin", store.begin(lease, plan, &ids(&actions)).await),
        ("settle", store.settle(lease, plan, &[settlement]).await),
        ("set_plan_state", store.set_plan_state(lease, plan, &PlanState::Applying).await),
    ];
    for (name, result) in results {
        refused(
            result,
            ErrorKind::Leased,
            &format!("`{name}` without the newest token of a lease that holds"),
        );
    }
}
