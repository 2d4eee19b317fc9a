//! Behaviours of the stream of events: when it asks, when it stops, and how it ends.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::sync::Arc;

use futures_util::StreamExt as _;
use hris_core::{HrisConnector, ReadEvent, ReadQuery};

use super::harness::{Case, ConnectorHarness, Spoil};
use super::people::{nobody, plain, sound};
use super::reading::cheap;
use super::stage::{NotOffered, Ran, Stage};
use super::truth::by_record;
use crate::sim::Fault;
use crate::suite::debug;

/// Building a connector, looking at it and asking for its capabilities sends nothing.
pub async fn building_a_connector_sends_nothing(stage: Stage) -> Ran {
    let it = stage.with(plain(3)).await;
    let other = it.good();
    cost_of_checks(&it, &*other).await;
    let alone = cost_of_checks(&it, &*other).await;
    let connector = it.good();
    let _ = (debug(&connector), connector.capabilities(), connector.descriptor());
    let beside = cost_of_checks(&it, &*other).await;
    assert_eq!(beside, alone, "send nothing before the first call");
    Ok(())
}

/// A reading that nobody polls sends nothing.
pub async fn nothing_is_sent_before_the_first_poll(stage: Stage) -> Ran {
    let it = stage.with(plain(3)).await;
    let connector = it.good();
    cost_of_checks(&it, &*connector).await;
    let alone = cost_of_checks(&it, &*connector).await;
    let reading = connector.read(ReadQuery::everyone(cheap()));
    let beside = cost_of_checks(&it, &*connector).await;
    assert_eq!(beside, alone, "send nothing for a reading before it is polled");
    drop(reading);
    Ok(())
}

/// A reading that is dropped asks for nothing more; what was under way may still arrive.
pub async fn a_dropped_reading_asks_for_nothing_more(stage: Stage) -> Ran {
    let it = stage.with(plain(60)).await;
    let connector = it.built(Case::PageSize(1), "the connector does not read pages")?;
    cost_of_checks(&it, &*connector).await;
    let alone = cost_of_checks(&it, &*connector).await;
    let before = it.vendor().listings();
    first_page(&connector).await;
    cost_of_checks(&it, &*connector).await;
    let asked = it.vendor().listings() - before - alone.listings;
    assert!(
        asked < 60,
        "stop when a reading is dropped: {asked} of 60 pages were asked for after one was read"
    );
    let later = cost_of_checks(&it, &*connector).await;
    assert_eq!(later, alone, "ask for nothing more once a reading is dropped");
    Ok(())
}

/// A listing that cannot be read to its end yields what came, one error, and neither a receipt nor anything else.
pub async fn a_failure_in_mid_reading_is_the_last_event(stage: Stage) -> Ran {
    for fault in [Fault::status(500), Fault::Html, Fault::Empty, Fault::BrokenJson, Fault::Refused] {
        let it = stage.with(plain(30)).await;
        let (connector, after) = match it.vendor().connector(Case::PageSize(5)) {
            Some(Ok(connector)) => (connector, 1),
            _ => (it.good(), 0),
        };
        let what = format!("a reading that meets {fault:?} after {after} pages");
        match it.vendor().server() {
            Some(server) => server.faults().add(it.on_listings(fault.always()).after(after)),
            None if it.vendor().spoil(Spoil::ListingFails { after }) => {}
            None => return Err(NotOffered("the harness cannot let the listing fail")),
        }
        let read = it.read(&connector, cheap()).await;
        read.error(&what);
        assert!(after == 0 || !read.rows.is_empty(), "{what}: deliver the pages that came before");
        assert!(read.seen().len() < 30, "{what}: the fault has to strike before everybody was delivered");
    }
    Ok(())
}

/// An empty directory is read to its end: nobody, and a receipt that counts nobody. Where emptiness means little, it
/// proves nothing.
pub async fn an_empty_directory_ends_as_such(stage: Stage) -> Ran {
    let it = stage.with(nobody()).await;
    let read = it.read(&*it.good(), cheap()).await;
    if it.distrusts_empty() {
        assert!(
            !read.proves_absence(),
            "prove nobody's absence by a listing that may be empty for other reasons"
        );
        if matches!(read.ending, Some(Err(_))) {
            return Ok(());
        }
    }
    let receipt = read.receipt("a reading of an empty directory");
    assert!(read.seen().is_empty() && receipt.distinct == 0, "count nobody in an empty directory");
    Ok(())
}

/// The size of the pages changes nothing about what is delivered.
pub async fn pages_of_one_row_change_nothing(stage: Stage) -> Ran {
    let it = stage.with(sound()).await;
    let small = it.built(Case::PageSize(1), "the connector does not read pages")?;
    let large = it.read(&*it.good(), it.every_field()).await;
    let before = it.vendor().listings();
    let small = it.read(&small, it.every_field()).await;
    let pages = it.vendor().listings() - before;
    let (one, other) = (large.receipt("a reading"), small.receipt("a reading in pages of one row"));
    assert!(pages >= large.seen().len(), "the harness's pages of one row have more: {pages} pages");
    assert_eq!(one.distinct, other.distinct, "count the same people whatever the size of the pages");
    assert_eq!(one.absence, other.absence, "prove the same whatever the size of the pages");
    let (one, other) = (by_record(&large.rows), by_record(&small.rows));
    assert_eq!(one.len(), other.len(), "deliver the same people whatever the size of the pages");
    for (record, row) in one {
        assert!(other.get(record) == Some(&row), "deliver {record} alike whatever the size of the pages");
    }
    Ok(())
}

/// A page without rows is the end only if the vendor says so; whoever was on it is not taken for gone.
pub async fn an_empty_page_in_the_middle_is_not_the_end(stage: Stage) -> Ran {
    let it = stage.with(plain(24)).await;
    let connector = it.built(Case::PageSize(4), "the connector does not read pages")?;
    if !it.vendor().spoil(Spoil::EmptySecondPage) {
        return Err(NotOffered("the harness has no empty page"));
    }
    let read = it.read(&connector, cheap()).await;
    let missing = it.sound(connector.capabilities().reads_leavers).len() - read.seen().len();
    assert!(missing <= 4 * PASSES, "go on after an empty page: {missing} people were not delivered");
    assert!(
        missing == 0 || !read.proves_absence(),
        "prove nobody's absence when a page with people came empty"
    );
    Ok(())
}

/// A listing that leads back to where it was ends with an error, soon.
pub async fn a_listing_that_loops_is_an_error(stage: Stage) -> Ran {
    let it = stage.with(plain(24)).await;
    let connector = it.built(Case::PageSize(4), "the connector does not read pages")?;
    if !it.vendor().spoil(Spoil::LoopingCursor) {
        return Err(NotOffered("the listing cannot loop"));
    }
    let read = it.read(&connector, cheap()).await;
    let error = read.error("a reading of a listing that loops");
    assert!(!error.is_retryable(), "a loop is no passing trouble: {error:?}");
    Ok(())
}

/// Listings that one reading may consist of (active and inactive people), each with an empty second page.
const PASSES: usize = 2;

/// What arrived at the vendor.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    asked: usize,
    listings: usize,
}

/// What arrives while a few checks are made: theirs, and whatever a task that somebody started sends beside them. Such
/// a task runs at the first occasion, so that what it sent arrives before the answer to the last of several calls.
async fn cost_of_checks(it: &ConnectorHarness, connector: &dyn HrisConnector) -> Cost {
    const CHECKS: usize = 5;
    const TURNS: usize = 1_000;
    let (asked, listings) = (it.vendor().asked(), it.vendor().listings());
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    for _ in 0..CHECKS {
        it.checked(connector).await;
    }
    Cost { asked: it.vendor().asked() - asked, listings: it.vendor().listings() - listings }
}

/// Reads until somebody was delivered, and drops the reading.
async fn first_page(connector: &Arc<dyn HrisConnector>) {
    let mut events = connector.read(ReadQuery::everyone(cheap()));
    loop {
        match events.next().await {
            Some(Ok(ReadEvent::Employees(rows))) if !rows.is_empty() => return,
            Some(Ok(ReadEvent::End(_)) | Err(_)) | None => panic!("the reading has to deliver somebody"),
            Some(Ok(_)) => {}
        }
    }
}
