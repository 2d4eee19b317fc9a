//! Behaviours of receipts: what a reading proves, and every capability true to its word.

use hris_core::{EmploymentStatus, HrisConnector as _, RecordId};

use super::harness::{ConnectorHarness, Spoil};
use super::people::{plain, sound};
use super::reading::cheap;
use super::stage::{NotOffered, Ran, Stage};
use super::truth::by_record;
use crate::population::{DayPlan, Person};

/// A clean reading of everybody proves who is absent if, and only if, the connector says that it can.
pub async fn absence_is_proven_only_as_declared(stage: Stage) -> Ran {
    let it = stage.with(plain(40)).await;
    let connector = it.good();
    let read = it.read(&connector, cheap()).await;
    let receipt = read.receipt("a clean reading of everybody");
    let (declared, ground) = (connector.capabilities().proves_absence, receipt.absence.ground());
    assert_eq!(
        ground.is_usable(),
        declared,
        "`proves_absence` is {declared} and a clean reading says {ground:?}"
    );
    Ok(())
}

/// Where the vendor counts other people than it lists, nobody's absence is proven.
pub async fn a_total_that_does_not_fit_proves_nobodys_absence(stage: Stage) -> Ran {
    let it = stage.with(plain(40)).await;
    if !it.vendor().spoil(Spoil::WrongTotal) {
        return Err(NotOffered("the vendor tells no total"));
    }
    let read = it.read(&*it.good(), cheap()).await;
    assert!(!read.proves_absence(), "prove nobody's absence when the vendor's total does not fit");
    Ok(())
}

/// People who have left are delivered if, and only if, the connector says that it reads leavers.
pub async fn leavers_are_delivered_as_declared(stage: Stage) -> Ran {
    let it = stage.with(plain(40)).await;
    let connector = it.good();
    let read = it.read(&connector, cheap()).await;
    let receipt = read.receipt("a reading with people who have left");
    let left = read.rows.iter().filter(|row| row.status == EmploymentStatus::Inactive).count();
    if connector.capabilities().reads_leavers {
        assert_eq!(left, it.population().counts().inactive, "deliver everybody who has left, as inactive");
        assert!(
            receipt.status.is_usable(),
            "let a clean reading make leavers by status: {:?}",
            receipt.status
        );
    } else {
        assert_eq!(left, 0, "say in the capabilities that leavers are read");
    }
    Ok(())
}

/// Rows carry the vendor's modification stamp if, and only if, the connector says so.
pub async fn modification_stamps_are_delivered_as_declared(stage: Stage) -> Ran {
    let it = stage.with(sound()).await;
    let connector = it.good();
    let declared = connector.capabilities();
    let read = it.read(&connector, cheap()).await;
    read.receipt("a reading");
    let rows = by_record(&read.rows);
    for (person, expected) in it.sound(declared.reads_leavers) {
        let Some(row) = rows.get(&expected.record) else { continue };
        let wanted = expected.modified_at.filter(|_| declared.modified_at);
        assert_eq!(row.modified_at, wanted, "deliver the stamp of {person:?} as `modified_at` says");
    }
    Ok(())
}

/// Deleted records are reported if, and only if, the connector says that it has tombstones; only then may a receipt
/// trust them.
pub async fn deleted_records_are_reported_as_declared(stage: Stage) -> Ran {
    let mut people = plain(40);
    people.next_day(&DayPlan { vanished: 3, ..DayPlan::quiet() });
    let it = stage.with(people).await;
    let connector = it.good();
    let read = it.read(&connector, cheap()).await;
    let receipt = read.receipt("a reading with deleted records");
    let declared = connector.capabilities().tombstones;
    let trusted = receipt.tombstones.is_usable();
    assert!(declared || !trusted, "trust no tombstones in a receipt without the capability to report them");
    let vanished = vanished(&it);
    assert_eq!(vanished.len(), 3, "serve the population that the harness is given, with those who vanished");
    for record in &vanished {
        let delivered = read.rows.iter().any(|row| row.record == *record);
        assert!(!delivered, "deliver no deleted record as an employee: {record}");
        assert_eq!(
            read.deleted.contains(record),
            declared,
            "report {record} as deleted as `tombstones` says"
        );
    }
    let others = read.deleted.iter().filter(|record| !vanished.contains(record)).count();
    assert_eq!(others, 0, "report nobody as deleted who is not");
    Ok(())
}

fn vanished(it: &ConnectorHarness) -> Vec<RecordId> {
    let gone = it.population().people().iter().filter(|person: &&Person| !person.is_listed());
    gone.map(|person| it.expected(person).record).collect()
}
