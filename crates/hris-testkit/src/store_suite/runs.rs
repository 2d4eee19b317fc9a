//! Behaviours of the run history.

use hris_core::{ConnectionKey, ErrorKind, RunId, RunResult};

use super::StoreHarness;
use super::fixture::{Fixture, lease_for, ok, refused};
use super::sample::report;

/// Every part of a report lasts.
pub async fn a_report_comes_back_as_recorded(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let written = report(&it.connection, "run", 0);
    ok(it.store.record_run(&it.lease, &written).await, "record a run");
    let reopened = it.harness.reopen().await;
    let found = ok(reopened.run(&it.connection, &written.run).await, "read a report");
    assert_eq!(found, Some(written), "keep every part of a report");
    let none = ok(it.store.run(&it.connection, &RunId::from("never")).await, "look for a run that never was");
    assert_eq!(none, None, "answer None for a run without report");
}

/// The history shows the latest start first; of two equal starts the one that was recorded later.
pub async fn reports_come_newest_first_and_paged(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for (name, minutes) in [("b", 2), ("d", 4), ("c1", 3), ("a", 1), ("c2", 3)] {
        let result = it.store.record_run(&it.lease, &report(&it.connection, name, minutes)).await;
        ok(result, "record a run");
    }
    let mut seen = Vec::new();
    loop {
        let page = ok(it.store.runs(&it.connection, seen.len() as u64, 2).await, "page through the history");
        assert!(page.len() <= 2, "answer at most as many reports as asked for");
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|report| report.run.to_string()));
        assert!(seen.len() <= 5, "answer no report on two pages");
    }
    assert_eq!(
        seen,
        ["d", "c2", "c1", "b", "a"],
        "list reports by their start, newest first, from the number given"
    );
}

/// A run that is tried again has one entry.
pub async fn a_report_of_the_same_run_replaces_the_earlier(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    for (name, minutes) in [("a", 0), ("b", 1)] {
        ok(it.store.record_run(&it.lease, &report(&it.connection, name, minutes)).await, "record a run");
    }
    let mut again = report(&it.connection, "a", 5);
    again.result = RunResult::Applied;
    ok(it.store.record_run(&it.lease, &again).await, "record a run again");
    let found = ok(it.store.runs(&it.connection, 0, 9).await, "read the history");
    let expected = [again, report(&it.connection, "b", 1)];
    assert_eq!(found, expected, "replace the report of a run that was reported before");
}

/// A report that says it is of another connection is not stored under this one.
pub async fn a_report_of_another_connection_is_refused(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let foreign = report(&ConnectionKey::new("calma", "hr"), "run", 0);
    refused(
        it.store.record_run(&it.lease, &foreign).await,
        ErrorKind::Invalid,
        "a report of another connection",
    );
    let found = ok(it.store.runs(&it.connection, 0, 9).await, "read the history");
    assert!(found.is_empty(), "record nothing when a report is refused");
}

/// What an administrator sees: every run of every connection, and nothing of other tenants.
pub async fn the_runs_of_a_tenant_come_from_all_its_connections_newest_first(harness: StoreHarness) {
    let it = Fixture::new(harness).await;
    let second = ConnectionKey::new("brisa", "payroll");
    let foreign = ConnectionKey::new("calma", "hr");
    for (connection, name, minutes) in [
        (&it.connection, "a", 1),
        (&second, "b", 2),
        (&it.connection, "c", 3),
        (&foreign, "x", 4),
        (&second, "d", 5),
    ] {
        let lease = lease_for(&*it.store, connection, "first", 0).await;
        ok(it.store.record_run(&lease, &report(connection, name, minutes)).await, "record a run");
    }
    let mut seen = Vec::new();
    for offset in [0, 3] {
        let page = it.store.tenant_runs(it.connection.tenant(), offset, 3).await;
        seen.extend(
            ok(page, "page through a tenant's history").into_iter().map(|report| report.run.to_string()),
        );
    }
    assert_eq!(seen, ["d", "c", "b", "a"], "list the runs of all of a tenant's connections, newest first");
}
