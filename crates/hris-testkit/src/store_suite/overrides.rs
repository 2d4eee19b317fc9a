//! Behaviours of overrides: what an administrator recorded against the HR system.

use futures_util::TryStreamExt as _;
use hris_core::store::{Override, Until};
use hris_core::{BirthDate, MemberField, TargetField, Value};

use super::StoreHarness;
use super::fixture::{Fixture, ok};
use super::sample::{day, one_override, record};

/// Every field of an override lasts, in all its forms.
pub async fn an_override_comes_back_as_written(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    assert!(all(&it).await.is_empty(), "stream nothing for a connection without overrides");
    let mut written = vec![one_override(0), one_override(1), one_override(2), one_override(3)];
    edit(&mut written, 1, |one| {
        one.value = None;
        one.until = Until::Day(day(99));
    });
    edit(&mut written, 2, |one| {
        one.value = BirthDate::month_day(2, 29).map(Value::BirthDate);
        one.until = Until::SourceChanges(Some(hris_core::keys::Print(u64::MAX)));
    });
    edit(&mut written, 3, |one| {
        one.record = "record-9 \u{2014} \u{5c71}'\"%_".into();
        one.field = TargetField::Custom("caf\u{e9} \"x\"".into());
        one.until = Until::SourceChanges(None);
    });
    ok(it.store.put_overrides(&it.lease, &written).await, "record overrides under the lease");
    assert_eq!(all(&it).await, written, "keep every field of an override");
    let reopened = it.harness.reopen().await;
    let found: Vec<_> = ok(reopened.overrides(&it.connection).try_concat().await, "stream overrides");
    assert_eq!(found.len(), written.len(), "keep overrides where they survive reopening");
}

/// A record has one override for each attribute; a later one takes its place.
pub async fn a_later_override_takes_the_place_of_the_earlier(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let mut other_field = one_override(0);
    other_field.field = MemberField::Phone.into();
    let first = [one_override(0), other_field.clone()];
    ok(it.store.put_overrides(&it.lease, &first).await, "record overrides");
    let mut later = one_override(0);
    later.value = Some("other".into());
    ok(it.store.put_overrides(&it.lease, std::slice::from_ref(&later)).await, "record it once more");
    assert_eq!(all(&it).await, sorted(vec![later, other_field]), "keep one override for each attribute");
}

/// An override that is taken back is gone, and no other one.
pub async fn an_override_that_is_taken_back_is_gone(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let written = [one_override(0), one_override(1)];
    ok(it.store.put_overrides(&it.lease, &written).await, "record overrides");
    let which = [
        (record(0), one_override(0).field),
        (record(1), MemberField::Phone.into()),
        (record(7), TargetField::EMAIL),
    ];
    ok(
        it.store.remove_overrides(&it.lease, &which).await,
        "take overrides back, some of which are not there",
    );
    assert_eq!(all(&it).await, [one_override(1)], "take back what was named and nothing else");
}

/// However many there are, each comes once.
pub async fn every_override_is_streamed_exactly_once(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let written: Vec<_> = (0..2_345).map(one_override).collect();
    ok(it.store.put_overrides(&it.lease, &written).await, "record many overrides");
    assert!(all(&it).await == written, "stream every override once, as written, across all batches");
}

async fn all(it: &Fixture) -> Vec<Override> {
    sorted(ok(it.store.overrides(&it.connection).try_concat().await, "stream the overrides"))
}

fn sorted(mut overrides: Vec<Override>) -> Vec<Override> {
    overrides.sort_by_cached_key(|one| (one.record.clone(), one.field.to_string()));
    overrides
}

fn edit(overrides: &mut [Override], index: usize, change: impl FnOnce(&mut Override)) {
    overrides.get_mut(index).map(change);
}
