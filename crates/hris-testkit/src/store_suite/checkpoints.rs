//! Behaviours of the checkpoint: what a connection remembers of its readings.

use super::StoreHarness;
use super::fixture::{Fixture, ok};
use super::sample::checkpoint;

/// A connection that was never read remembers nothing.
pub async fn there_is_no_checkpoint_before_the_first(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let found = ok(it.store.checkpoint(&it.connection).await, "answer for a connection without checkpoint");
    assert_eq!(found, None, "answer None until a checkpoint is set");
}

/// Every field of the checkpoint lasts, and a later one takes its place whole.
pub async fn a_checkpoint_comes_back_as_written(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let full = checkpoint();
    let mut bare = full.clone();
    (bare.watermark, bare.changes_on) = (None, None);
    (bare.unsettled, bare.claims) = (Vec::new(), Vec::new());
    for written in [&bare, &full, &bare] {
        ok(it.store.set_checkpoint(&it.lease, Some(written)).await, "set the checkpoint under the lease");
        for store in [&it.store, &it.harness.reopen().await] {
            let found = ok(store.checkpoint(&it.connection).await, "read the checkpoint");
            assert_eq!(found.as_ref(), Some(written), "keep every field of the checkpoint last written");
        }
    }
}

/// A checkpoint can be forgotten, which leaves the baseline and the links alone.
pub async fn a_forgotten_checkpoint_is_gone_and_nothing_else(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    ok(it.store.set_baseline(&it.lease, &super::sample::baseline()).await, "set a baseline");
    it.link(&[super::sample::link(0)]).await;
    ok(it.store.set_checkpoint(&it.lease, None).await, "forget a checkpoint that was never set");
    let before = it.contents(&[]).await;
    ok(it.store.set_checkpoint(&it.lease, Some(&checkpoint())).await, "set the checkpoint");
    assert_ne!(it.contents(&[]).await, before, "keep the checkpoint");
    ok(it.store.set_checkpoint(&it.lease, None).await, "forget the checkpoint");
    assert_eq!(it.contents(&[]).await, before, "forget the checkpoint and nothing else");
}
