//! Behaviours of narrower questions: one person, some people, and the people changed since a watermark.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::collections::HashSet;
use std::time::Duration;

use hris_core::{
    Clock as _, Employee, EmployeeField, EmployeeRef, ErrorKind, HrisConnector, Lookup, ReadQuery, Receipt,
    RecordId, Scope, Watermark,
};

use super::access::refused;
use super::harness::{ConnectorHarness, Spoil};
use super::people::{nobody, plain};
use super::reading::{Read, cheap, fields};
use super::rows::check_projected;
use super::stage::{NotOffered, Ran, Stage};
use super::truth::differences;
use crate::population::{DayPlan, PersonStatus, Population};

/// One person is found by their reference, with the fields asked for; somebody unknown is not; and without the
/// capability both are [`ErrorKind::Unsupported`] and nothing is sent.
pub async fn single_people_are_read_as_declared(stage: Stage) -> Ran {
    let it = stage.with(plain(20)).await;
    let connector = it.good();
    let people = references(&it, &*connector).await;
    let known = people.first().unwrap_or_else(|| panic!("deliver everybody who is listed"));
    if !connector.capabilities().single_read {
        let before = it.vendor().asked();
        let error =
            refused(connector.employee(known, &cheap()).await, "a single read without the capability");
        assert_eq!(
            error.kind(),
            ErrorKind::Unsupported,
            "say that single reads are not supported: {error:?}"
        );
        assert_eq!(it.vendor().asked(), before, "send nothing for what is not supported");
        return Ok(());
    }
    for who in &people {
        found_as_expected(&it, &*connector, who).await;
    }
    for nobody in [stranger(), EmployeeRef::record("../x?y=z#"), EmployeeRef::record(" ")] {
        let found = connector.employee(&nobody, &cheap()).await;
        assert!(!matches!(found, Ok(Lookup::Found(_))), "find nobody for {nobody:?}");
    }
    let stranger = stranger();
    let answer = connector.employee(&stranger, &cheap()).await;
    assert!(matches!(answer, Ok(Lookup::NotFound)), "answer NotFound for somebody unknown, not {answer:?}");
    let few = [EmployeeField::WorkEmail];
    match connector.employee(known, &fields(&few)).await {
        Ok(Lookup::Found(employee)) => check_projected(&few, &employee),
        other => panic!("find {known:?}: {other:?}"),
    }
    Ok(())
}

/// Three people as a reading refers to them, the first of them employed.
async fn references(it: &ConnectorHarness, connector: &dyn HrisConnector) -> Vec<EmployeeRef> {
    let read = it.read(connector, cheap()).await;
    read.receipt("a reading");
    let employed = it.population().listed().filter(|person| person.status == PersonStatus::Active);
    let records: HashSet<RecordId> = employed.map(|person| it.expected(person).record).collect();
    read.rows.iter().filter(|row| records.contains(&row.record)).take(3).map(Employee::reference).collect()
}

/// Nobody of the directory.
fn stranger() -> EmployeeRef {
    let other = Population::new(99).size(1).without_oddities().build();
    let person = other.people().first().map(|person| person.record_id.as_str());
    EmployeeRef {
        record: person.unwrap_or("00000000-0000-4000-8000-000000000000").into(),
        employee_id: Some("99999999".into()),
    }
}

async fn found_as_expected(it: &ConnectorHarness, connector: &dyn HrisConnector, who: &EmployeeRef) {
    let employee = match connector.employee(who, &it.every_field()).await {
        Ok(Lookup::Found(employee)) => employee,
        other => panic!("find {who:?}, who was just read: {other:?}"),
    };
    let sound = it.sound(true);
    let expected = sound.iter().map(|(_, expected)| expected).find(|expected| expected.record == who.record);
    let expected = expected.unwrap_or_else(|| panic!("refer to people by their record id: {who:?}"));
    let offered = it.offered(connector).await;
    let found = differences(expected, &employee, &offered);
    assert!(found.is_empty(), "deliver {who:?} alone as among everybody: {}", found.join("; "));
    assert_eq!(employee.record, who.record, "answer for the person who was asked for");
    assert_eq!(employee.status, expected.status, "deliver {who:?} alone with the same status");
}

/// Some people are read by their references, and prove nothing about others; without the capability the question is
/// [`ErrorKind::Unsupported`] and nothing is sent.
pub async fn some_people_are_read_as_declared(stage: Stage) -> Ran {
    let it = stage.with(plain(20)).await;
    let connector = it.good();
    let mut asked = references(&it, &*connector).await;
    let wanted: HashSet<RecordId> = asked.iter().map(|who| who.record.clone()).collect();
    asked.push(stranger());
    let before = it.vendor().asked();
    let read = it.collect(&*connector, ReadQuery::scoped(Scope::People(asked), cheap())).await;
    if !connector.capabilities().single_read {
        unsupported(&it, before, &read, "a reading of some people");
        return Ok(());
    }
    let receipt = read.receipt("a reading of some people");
    let seen: HashSet<RecordId> = read.seen().into_iter().cloned().collect();
    assert_eq!(seen, wanted, "deliver the people who were asked for, and nobody else");
    assert_eq!(receipt.distinct, wanted.len() as u64, "count the people who were found");
    proves_little(receipt, "a reading of some people");
    Ok(())
}

/// The people changed since a watermark are delivered, and prove nothing about others; without the capability the
/// question is [`ErrorKind::Unsupported`] and nothing is sent, and receipts offer no watermark.
pub async fn changes_since_a_watermark_are_read_as_declared(stage: Stage) -> Ran {
    let it = stage.with(plain(60)).await;
    let connector = it.good();
    let first = it.read(&connector, cheap()).await;
    let watermark = first.receipt("a reading of everybody").watermark.clone();
    if !connector.capabilities().incremental {
        assert_eq!(watermark, None, "offer no watermark that cannot be used");
        let before = it.vendor().asked();
        let since = Scope::ChangedSince(Watermark::at(it.clock().now()));
        let read = it.collect(&*connector, ReadQuery::scoped(since, cheap())).await;
        unsupported(&it, before, &read, "a reading of changes");
        return Ok(());
    }
    let watermark =
        watermark.unwrap_or_else(|| panic!("end a full reading with a watermark for the next one"));
    let mut people = it.population().clone();
    let plan =
        DayPlan { hires: 2, leavers: 2, returns: 1, field_changes: 3, email_changes: 1, ..DayPlan::quiet() };
    let touched = people.next_day(&plan);
    let touched: Vec<RecordId> = touched
        .touched()
        .filter_map(|record| people.person(record))
        .filter(|person| connector.capabilities().reads_leavers || person.status != PersonStatus::Inactive)
        .map(|person| it.expected(person).record)
        .collect();
    it.clock().advance(Duration::from_secs(24 * 3_600));
    if !it.vendor().spoil(Spoil::People(people)) {
        return Err(NotOffered("the harness cannot change who is in the directory"));
    }
    let second = changes(&it, &*connector, &watermark).await;
    let seen = second.seen();
    for record in &touched {
        assert!(seen.contains(record), "deliver everybody changed since the watermark; {record} is missing");
    }
    let next = second.receipt("a reading of changes").watermark.clone();
    let next = next.unwrap_or_else(|| panic!("end a reading of changes with the next watermark"));
    assert!(next.at >= watermark.at, "let watermarks only go forward: {} after {}", next.at, watermark.at);
    changes(&it, &*connector, &next).await;
    Ok(())
}

/// Reads changes, which have to be fewer than everybody and to prove little.
async fn changes(it: &ConnectorHarness, connector: &dyn HrisConnector, since: &Watermark) -> Read {
    let query = ReadQuery::scoped(Scope::ChangedSince(since.clone()), cheap());
    let read = it.collect(connector, query).await;
    proves_little(read.receipt("a reading of changes"), "a reading of changes");
    let (came, everybody) = (read.seen().len(), it.population().len());
    assert!(came < everybody / 2, "read the changes alone: {came} of {everybody} people came");
    read
}

fn proves_little(receipt: &Receipt, what: &str) {
    assert!(!receipt.full, "{what}: do not say that everybody was asked for");
    assert!(!receipt.absence.ground().is_usable(), "{what}: prove nobody's absence");
}

fn unsupported(it: &ConnectorHarness, before: usize, read: &Read, what: &str) {
    let error = read.error(what);
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: say that it is not supported: {error:?}");
    assert!(read.rows.is_empty(), "{what}: deliver nobody where it is not supported");
    let sent = it.vendor().asked() - before;
    assert!(sent == 0, "{what}: send nothing where it is not supported; {sent} requests were sent");
}

/// Somebody who was deleted is not found.
pub async fn a_deleted_person_is_not_found(stage: Stage) -> Ran {
    let it = stage.with(plain(20)).await;
    let connector = it.good();
    if !connector.capabilities().single_read {
        return Err(NotOffered("the connector reads no single people"));
    }
    let people = references(&it, &*connector).await;
    if !it.vendor().spoil(Spoil::People(nobody())) {
        return Err(NotOffered("the harness cannot change who is in the directory"));
    }
    for who in &people {
        let answer = connector.employee(who, &cheap()).await;
        let gone = matches!(answer, Ok(Lookup::NotFound | Lookup::Deleted | Lookup::Erased));
        assert!(gone, "say that {who:?}, who is no longer there, is not found: {answer:?}");
    }
    Ok(())
}
