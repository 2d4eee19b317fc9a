//! Behaviours of links and of the baseline.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use hris_core::keys::{FieldTag, Print, Prints};
use hris_core::store::Link;
use hris_core::{ErrorKind, LinkState};

use super::StoreHarness;
use super::fixture::{Fixture, TTL_MINUTES, lease_for, ok, refused};
use super::sample::{baseline, day, link, member, record};

/// A connection that was never applied remembers nothing.
pub async fn there_is_no_baseline_before_the_first(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let found = ok(it.store.baseline(&it.connection).await, "answer for a connection without baseline");
    assert_eq!(found, None, "answer None until a baseline is set");
}

/// Every field of the baseline lasts, and a later one takes its place.
pub async fn a_baseline_comes_back_as_written(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let full = baseline();
    let mut bare = full.clone();
    bare.watermark = None;
    bare.last_complete = None;
    for written in [&bare, &full, &bare] {
        ok(it.store.set_baseline(&it.lease, written).await, "set the baseline under the lease");
        for store in [&it.store, &it.harness.reopen().await] {
            let found = ok(store.baseline(&it.connection).await, "read the baseline");
            assert_eq!(found.as_ref(), Some(written), "keep every field of the baseline last written");
        }
    }
}

/// However many links there are, each comes once, in batches that are not empty.
pub async fn every_link_is_streamed_exactly_once(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    assert!(it.links().await.is_empty(), "stream nothing for a connection without links");
    let written: Vec<_> = (0..2_345).map(link).collect();
    it.link(&written).await;
    let batches: Vec<_> = ok(it.store.links(&it.connection).try_collect().await, "stream the links");
    assert!(batches.iter().all(|batch| !batch.is_empty()), "leave empty batches out of the stream");
    let records: HashSet<_> = batches.iter().flatten().map(|link| link.record.clone()).collect();
    assert_eq!(records.len(), batches.iter().map(Vec::len).sum::<usize>(), "stream no link twice");
    assert!(it.links().await == written, "stream every link, as written, across all batches");
}

/// Every field of a link lasts, in all its forms.
pub async fn a_link_comes_back_as_written(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let mut written = vec![link(0), link(1), link(2), link(3)];
    edit(&mut written, 1, |link| link.state = LinkState::Leaver { irreversible_from: None });
    edit(&mut written, 2, |link| {
        link.state = LinkState::Leaver { irreversible_from: Some(day(300)) };
        link.email = None;
    });
    edit(&mut written, 3, |link| {
        link.record = "record-9 \u{2014} \u{5c71}'\"%_".into();
        link.employee_id = " 0\u{0301} ".into();
        link.email = Some(Print(u64::MAX));
        link.prints = Prints::default();
    });
    let many = (0..64).map(|tag| (FieldTag(tag), Print(u64::from(tag) << 58))).collect();
    edit(&mut written, 0, |link| link.prints = Prints::new(many));
    it.link(&written).await;
    assert_eq!(it.links().await, written, "keep every field of a link, its prints in their order");
    let reopened = it.harness.reopen().await;
    let links = ok(reopened.links(&it.connection).try_concat().await, "stream links after reopening");
    assert_eq!(links.len(), written.len(), "keep links where they survive reopening");
}

/// Look-ups by record answer one by one, `None` where there is no link.
pub async fn links_of_records_come_in_the_order_asked_for(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    it.link(&[link(0), link(1), link(2)]).await;
    let asked = [record(2), record(9), record(0), record(2)];
    let found = ok(it.store.links_of(&it.connection, &asked).await, "look links up by record");
    let expected = [Some(link(2)), None, Some(link(0)), Some(link(2))];
    assert_eq!(found, expected, "answer each record in its place, None where it has no link");
    let none = ok(it.store.links_of(&it.connection, &[]).await, "look up no record at all");
    assert!(none.is_empty(), "answer nothing when asked for nothing");
    let many: Vec<_> = (0..3_000).map(record).collect();
    let found = ok(it.store.links_of(&it.connection, &many).await, "look many records up at once");
    assert_eq!(found.iter().flatten().count(), 3, "answer a question of any length");
    assert_eq!(found.len(), many.len(), "answer each record, also of a long question");
}

/// Look-ups by member answer one by one, `None` where no link leads to it.
pub async fn links_to_members_come_in_the_order_asked_for(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    it.link(&[link(0), link(1), link(2)]).await;
    let asked = [member(2), member(9), member(0), member(2)];
    let found = ok(it.store.links_to(&it.connection, &asked).await, "look links up by member");
    let expected = [Some(link(2)), None, Some(link(0)), Some(link(2))];
    assert_eq!(found, expected, "answer each member in its place, None where no link leads to it");
}

/// A record has one link, which changes.
pub async fn a_later_link_of_a_record_takes_the_place_of_the_earlier(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    it.link(&[link(0), link(1)]).await;
    let mut changed = link(7);
    changed.record = record(0);
    it.link(std::slice::from_ref(&changed)).await;
    assert_eq!(it.links().await, [changed.clone(), link(1)], "replace the link of a record that has one");
    let found =
        ok(it.store.links_to(&it.connection, &[member(0), member(7)]).await, "look links up by member");
    assert_eq!(found, [None, Some(changed)], "find a link by its present member, not by a former one");
}

/// A member has one link: a record that takes a member over leaves the other record without a link.
pub async fn a_member_has_one_link(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    it.link(&[link(0), link(1)]).await;
    let mut heir = link(5);
    heir.member = member(0);
    it.link(std::slice::from_ref(&heir)).await;
    assert_eq!(it.links().await, [link(1), heir.clone()], "remove another record's link to the same member");
    let found = ok(it.store.links_to(&it.connection, &[member(0)]).await, "look links up by member");
    assert_eq!(found, [Some(heir)], "let the link written last lead to the member");
}

/// Links can be written without a plan, and keep the same promises.
pub async fn links_are_written_without_a_plan(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let written: Vec<_> = (0..1_234).rev().map(link).collect();
    ok(it.store.put_links(&it.lease, &written).await, "write links without a plan");
    let mut expected: Vec<_> = (0..1_234).map(link).collect();
    assert!(it.links().await == expected, "keep every link that was written without a plan");
    let mut changed = link(7);
    changed.state = LinkState::Leaver { irreversible_from: None };
    let mut heir = link(2_000);
    heir.member = member(0);
    ok(it.store.put_links(&it.lease, &[changed.clone(), heir.clone()]).await, "write links again");
    edit(&mut expected, 7, |link| *link = changed);
    expected.remove(0);
    expected.push(heir);
    assert!(it.links().await == expected, "replace the links of the same record and of the same member");
}

/// Links that are laid aside are seen by nobody until they are written, all at once; they belong to one acquisition of the
/// lease.
pub async fn staged_links_are_written_together(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    it.link(&[link(0)]).await;
    ok(it.store.stage_links(&it.lease, &[link(9)]).await, "lay links aside");
    let lease = lease_for(&*it.store, &it.connection, "another", 10 * TTL_MINUTES).await;
    refused(
        it.store.put_staged_links(&it.lease).await,
        ErrorKind::Leased,
        "write under a lease that is over",
    );
    let none = ok(it.store.put_staged_links(&lease).await, "write what is laid aside");
    assert_eq!((none, it.links().await), (0, vec![link(0)]), "begin each lease with nothing laid aside");

    for batch in (1..1_000).map(link).collect::<Vec<_>>().chunks(300) {
        ok(it.store.stage_links(&lease, batch).await, "lay links aside in batches");
    }
    let mut heir = link(2_000);
    heir.member = member(0);
    let mut changed = link(7);
    changed.state = LinkState::Leaver { irreversible_from: None };
    ok(it.store.stage_links(&lease, &[heir.clone(), changed.clone()]).await, "lay a record aside again");
    assert_eq!(it.links().await, [link(0)], "show nobody what is laid aside");
    let written = ok(it.store.put_staged_links(&lease).await, "write what is laid aside");
    assert!(written >= 1_000, "tell how many links were laid aside");
    let mut expected: Vec<_> = (1..1_000).map(link).collect();
    edit(&mut expected, 6, |link| *link = changed);
    expected.push(heir);
    assert!(it.links().await == expected, "write them all, the later of one record, one for each member");
    let again = ok(it.store.put_staged_links(&lease).await, "write what is laid aside once more");
    assert_eq!(again, 0, "have nothing laid aside once it was written");
}

fn edit(links: &mut [Link], index: usize, change: impl FnOnce(&mut Link)) {
    links.get_mut(index).map(change);
}
