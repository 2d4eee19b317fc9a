//! Behaviours of leases: who may write for a connection, and until when.

use hris_core::{ConnectionKey, ErrorKind, RunId};

use super::StoreHarness;
use super::fixture::{Fixture, TTL, TTL_MINUTES, lease_for, ok, refused};
use super::sample::{at, baseline};

/// While a lease holds, no other run gets one, also not through another handle.
pub async fn a_lease_keeps_others_out_until_it_expires(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    assert_eq!(it.lease.connection, it.connection, "put the connection asked for into the lease");
    assert_eq!(it.lease.holder, RunId::from("first"), "put the run asked for into the lease");
    assert_eq!(it.lease.expires_at, at(TTL_MINUTES), "let a lease expire at `now` plus `ttl`");
    let second = RunId::from("second");
    for store in [it.store, it.harness.reopen().await] {
        for minutes in [0, TTL_MINUTES - 1] {
            let result = store.acquire(&it.connection, &second, at(minutes), TTL).await;
            refused(result, ErrorKind::Leased, "a second run while the lease of the first holds");
        }
    }
}

/// From its expiry on a lease can be taken over, and the new token is greater.
pub async fn an_expired_lease_can_be_taken_over(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let other = it.harness.reopen().await;
    let taken = lease_for(&*other, &it.connection, "second", TTL_MINUTES).await;
    assert!(taken.token > it.lease.token, "grant a greater token with every acquisition");
    assert_eq!(taken.expires_at, at(2 * TTL_MINUTES), "count the time of a taken lease from `now`");
    let result = it.store.acquire(&it.connection, &RunId::from("first"), at(TTL_MINUTES), TTL).await;
    refused(result, ErrorKind::Leased, "the former holder while the lease that was taken over holds");
}

/// A run that starts again gets its lease at once; what it was before is fenced off.
pub async fn the_same_run_may_take_its_lease_again(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let again = lease_for(&*it.store, &it.connection, "first", 1).await;
    assert!(again.token > it.lease.token, "grant a greater token to a run that takes its lease again");
    let late = it.store.set_baseline(&it.lease, &baseline()).await;
    refused(late, ErrorKind::Leased, "a write with the token from before the run took its lease again");
    ok(it.store.set_baseline(&again, &baseline()).await, "accept writes with the newest token");
}

/// Tokens never repeat, neither after a release nor after the store was opened again.
pub async fn tokens_grow_across_release_and_reopening(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    ok(it.store.release(&it.lease).await, "take a lease back");
    let next = lease_for(&*it.store, &it.connection, "second", 1).await;
    assert!(next.token > it.lease.token, "remember the token when a lease is given back");
    ok(it.store.release(&next).await, "take a lease back");
    let reopened = it.harness.reopen().await;
    let last = lease_for(&*reopened, &it.connection, "third", 2).await;
    assert!(last.token > next.token, "keep the token where it survives reopening");
}

/// Renewing moves the expiry and keeps the token.
pub async fn renewing_prolongs_the_lease(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let renewed = ok(it.store.renew(&it.lease, at(5), TTL).await, "renew a lease that holds");
    assert_eq!(renewed.expires_at, at(5 + TTL_MINUTES), "let a renewed lease expire at `now` plus `ttl`");
    assert_eq!(renewed.token, it.lease.token, "keep the token when a lease is renewed");
    ok(it.store.set_baseline(&it.lease, &baseline()).await, "accept writes with a token that was renewed");
    let second = RunId::from("second");
    let early = it.store.acquire(&it.connection, &second, at(TTL_MINUTES), TTL).await;
    refused(early, ErrorKind::Leased, "another run before the renewed expiry");
    lease_for(&*it.store, &it.connection, "second", 5 + TTL_MINUTES).await;
}

/// A worker that was slow, but lost nothing, goes on.
pub async fn an_expired_lease_that_nobody_took_can_be_renewed(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let renewed = it.store.renew(&it.lease, at(TTL_MINUTES + 1), TTL).await;
    ok(renewed, "renew an expired lease that nobody took over");
    let other = it.store.acquire(&it.connection, &RunId::from("second"), at(TTL_MINUTES + 2), TTL).await;
    refused(other, ErrorKind::Leased, "another run after an expired lease was renewed");
}

/// Who lost the lease cannot get it back by renewing.
pub async fn renewing_after_a_takeover_is_refused(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    lease_for(&*it.store, &it.connection, "second", TTL_MINUTES).await;
    let late = it.store.renew(&it.lease, at(TTL_MINUTES), TTL).await;
    refused(late, ErrorKind::Leased, "the renewal of a lease that was taken over");
}

/// After a release nobody has to wait for the expiry.
pub async fn a_lease_given_back_is_free_at_once(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    ok(it.store.release(&it.lease).await, "take a lease back");
    let late = it.store.renew(&it.lease, at(0), TTL).await;
    refused(late, ErrorKind::Leased, "the renewal of a lease that was given back");
    lease_for(&*it.harness.reopen().await, &it.connection, "second", 0).await;
}

/// A worker that lost its lease and tidies up takes nothing from the new holder.
pub async fn giving_back_a_lost_lease_does_nothing(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let second = lease_for(&*it.store, &it.connection, "second", TTL_MINUTES).await;
    ok(it.store.release(&it.lease).await, "accept the release of a lost lease without doing anything");
    let third = it.store.acquire(&it.connection, &RunId::from("third"), at(TTL_MINUTES), TTL).await;
    refused(third, ErrorKind::Leased, "a third run after the former holder gave back what it no longer had");
    let written = it.store.set_baseline(&second, &baseline()).await;
    ok(written, "leave the new holder's lease alone when the former holder gives its own back");
}

/// The lease of one connection keeps nobody from another, of the same tenant or not.
pub async fn each_connection_has_its_own_lease(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for other in [ConnectionKey::new("brisa", "hr 2"), ConnectionKey::new("calma", "hr")] {
        let lease = lease_for(&*it.store, &other, "second", 0).await;
        assert_eq!(lease.connection, other, "put the connection asked for into the lease");
    }
}
