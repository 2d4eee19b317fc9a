//! Behaviours that keep tenants and connections apart.

use hris_core::store::{Lease, Settlement};
use hris_core::{ConnectionKey, PlanId, RunId, StateStore};

use super::fixture::{Fixture, lease_for, ok, pending};
use super::sample::{
    baseline, checkpoint, create, creates, header, link, member, one_override, problem, record, report,
};
use super::{StoreHarness, contents};

/// Keys that careless joining or comparing would take for the sample connection `brisa`, `hr`.
fn neighbours() -> [ConnectionKey; 7] {
    [
        ConnectionKey::new("calma", "hr"),
        ConnectionKey::new("brisa", "hr 2"),
        ConnectionKey::new("brisa", ""),
        ConnectionKey::new("", "hr"),
        ConnectionKey::new("brisah", "r"),
        ConnectionKey::new("BRISA", "HR"),
        ConnectionKey::new("brisa/hr", ""),
    ]
}

/// Every read, tried with keys of others, before and after they are known to the store.
pub async fn no_read_finds_what_another_connection_wrote(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = write_everything(&*it.store, &it.lease, 0).await;
    for other in neighbours() {
        finds_nothing(&*it.store, &other, &plan).await;
        lease_for(&*it.store, &other, "second", 0).await;
        finds_nothing(&*it.store, &other, &plan).await;
    }
}

/// Two connections use the same record, member, plan, action and run ids for different things.
pub async fn equal_ids_of_two_connections_stay_apart(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = write_everything(&*it.store, &it.lease, 0).await;
    let mine = it.contents(&[&plan]).await;
    for (other, print) in neighbours().into_iter().zip(1..) {
        let lease = lease_for(&*it.store, &other, "second", 0).await;
        write_everything(&*it.store, &lease, print).await;
        let theirs =
            ok(contents(&*it.store, &other, std::slice::from_ref(&plan)).await, "read the whole content");
        assert_ne!(theirs, mine, "keep what each connection wrote under an id of both");
        assert_eq!(
            it.contents(&[&plan]).await,
            mine,
            "change nothing of another connection, whatever ids are equal"
        );
        let link = ok(it.store.links_of(&other, &[record(0)]).await, "look a link up");
        let found = link.into_iter().flatten().next().map(|link| link.email);
        assert_eq!(
            found,
            Some(Some(hris_core::keys::Print(print))),
            "answer the link of the connection asked for"
        );
    }
}

/// Starting a plan throws away a draft of its own connection and of no other.
pub async fn a_draft_of_one_connection_leaves_the_others_alone(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let plan = it.draft("draft", &creates(0..2)).await;
    for other in neighbours() {
        let lease = lease_for(&*it.store, &other, "second", 0).await;
        ok(it.store.open_plan(&lease, &plan).await, "open a plan whose id another connection uses too");
        ok(it.store.append(&lease, &plan, &creates(5..6), &[]).await, "append to the draft just opened");
    }
    assert_eq!(
        it.actions(&plan).await,
        pending(&creates(0..2)),
        "leave the drafts of other connections alone"
    );
}

/// One of everything; `print` tells the links of different connections apart.
async fn write_everything(store: &dyn StateStore, lease: &Lease, print: u64) -> PlanId {
    let (own, plan) = (&lease.connection, PlanId::from("plan"));
    let mut baseline = baseline();
    baseline.last_complete = Some(print);
    let mut link = link(0);
    link.email = Some(hris_core::keys::Print(print));
    ok(store.set_baseline(lease, &baseline).await, "set a baseline under a lease");
    ok(store.set_checkpoint(lease, Some(&checkpoint())).await, "set a checkpoint under a lease");
    ok(store.put_overrides(lease, &[one_override(0)]).await, "record an override under a lease");
    ok(store.forget(lease, &record(77), hris_core::keys::Print(print)).await, "forget somebody");
    ok(store.open_plan(lease, &plan).await, "open a plan whose id another connection uses too");
    ok(store.append(lease, &plan, &creates(0..2), &[problem(0)]).await, "append to the draft just opened");
    ok(store.seal(lease, &header(own, &plan, 0)).await, "seal the draft just filled");
    ok(store.settle(lease, &plan, &[Settlement::done(create(0).id, link)]).await, "settle an action");
    ok(store.record_run(lease, &report(own, "run", 0)).await, "record a run");
    plan
}

async fn finds_nothing(store: &dyn StateStore, other: &ConnectionKey, plan: &PlanId) {
    let advice = format!("keep what another connection wrote from {other:?}");
    let empty = ok(contents(store, other, &[]).await, "read a connection without content");
    assert_eq!(empty, "baseline null\n", "{advice}");
    let found = ok(store.links_of(other, &[record(0)]).await, "look a link up by record");
    assert_eq!(found, [None], "{advice}");
    let found = ok(store.links_to(other, &[member(0)]).await, "look a link up by member");
    assert_eq!(found, [None], "{advice}");
    let found = ok(store.plan(other, plan).await, "look for a plan");
    assert_eq!(found, None, "{advice}");
    let found = ok(store.actions(other, plan, None, 9).await, "read actions");
    assert!(found.is_empty(), "{advice}");
    let found = ok(store.problems(other, plan, 0, 9).await, "read problems");
    assert!(found.is_empty(), "{advice}");
    let found = ok(store.run(other, &RunId::from("run")).await, "look for a report");
    assert_eq!(found, None, "{advice}");
}
