//! Behaviours of rows: who is delivered, with which status and values, and what becomes of rows that are broken.

use std::collections::HashSet;

use hris_core::{
    Employee, EmployeeField, EmploymentStatus, FieldSource as _, HrisConnector, RecordId, SourceField,
};
use serde_json::{Value, json};

use super::harness::{ConnectorHarness, with_json};
use super::people::{everybody, plain, sound, with_bad_rows};
use super::reading::{Read, cheap, fields};
use super::stage::{NotOffered, Ran, Stage};
use super::truth::{DATES, KNOWN, by_record, differences};
use crate::population::{Malformation, Oddity, Person, PersonStatus};
use crate::sim::Fault;

/// Everybody who stands in the listing is delivered or rejected, and nobody else; the receipt counts them.
pub async fn everybody_listed_is_delivered_or_rejected(stage: Stage) -> Ran {
    let it = stage.with(everybody()).await;
    let connector = it.good();
    let read = it.read(&connector, cheap()).await;
    let receipt = read.receipt("a reading of everybody");
    assert!(receipt.full, "say in the receipt that everybody was asked for");
    let seen = read.seen();
    let wanted = listed(&it, &*connector);
    for record in &wanted {
        assert!(seen.contains(record), "deliver or reject everybody who is listed; {record} is missing");
    }
    for record in &seen {
        assert!(wanted.contains(*record), "deliver nobody who is not listed; {record} came");
    }
    assert_eq!(
        receipt.distinct,
        seen.len() as u64,
        "count in the receipt everybody whose record id was read"
    );
    Ok(())
}

/// The record ids that a reading has to show, whatever else is wrong with their rows.
fn listed(it: &ConnectorHarness, connector: &dyn HrisConnector) -> HashSet<RecordId> {
    let reads_leavers = connector.capabilities().reads_leavers;
    let readable = it.population().listed().filter(|person| !hides_record_id(person));
    let visible = readable.filter(|person| reads_leavers || person.status != PersonStatus::Inactive);
    visible.map(|person| it.expected(person).record).collect()
}

fn hides_record_id(person: &Person) -> bool {
    person.malformed.is_some_and(Malformation::hides_record_id)
}

/// A broken row hides nobody else. It is rejected, or delivered without the field that cannot be read; whoever it is
/// counts as seen, and where nobody can tell who it is, absence proves nothing.
pub async fn a_bad_row_hides_nobody_else(stage: Stage) -> Ran {
    let it = stage.with(with_bad_rows()).await;
    let connector = it.good();
    let read = it.read(&connector, it.every_field()).await;
    read.receipt("a reading with broken rows");
    for (person, expected) in it.sound(true) {
        let came = read.rows.iter().any(|row| row.record == expected.record);
        assert!(came, "deliver {person:?}, whose row is sound, among rows that are broken");
    }
    let broken: Vec<&Person> = it.population().listed().filter(|person| person.malformed.is_some()).collect();
    for person in broken.iter().filter(|person| !hides_record_id(person)) {
        let record = it.expected(person).record;
        assert!(
            read.seen().contains(&record),
            "count the person of a broken row as seen: {:?}",
            person.malformed
        );
        read.rows.iter().filter(|row| row.record == record).for_each(|row| check_broken(person, row));
    }
    let nameless = broken.iter().filter(|person| hides_record_id(person)).count();
    let rejected = read.rejected.iter().filter(|row| row.record.is_none()).count();
    assert_eq!(rejected, nameless, "reject every row of which it cannot be told whose it is");
    assert!(nameless == 0 || !read.proves_absence(), "prove nobody's absence while a row cannot be told");
    Ok(())
}

/// A field that cannot be read is absent with a problem: never a value, and never a null, which would clear it.
fn check_broken(person: &Person, row: &Employee) {
    let unreadable = match person.malformed {
        Some(Malformation::BirthDateImpossible) => EmployeeField::BirthDate,
        Some(Malformation::StartDateNotADate) => EmployeeField::StartDate,
        Some(Malformation::StatusWrongType) => {
            let unknown = matches!(row.status, EmploymentStatus::Unknown(_));
            assert!(unknown, "a status that cannot be read is unknown, not {:?}", row.status);
            return;
        }
        _ => return,
    };
    let field = SourceField::Employee(unreadable);
    assert!(row.field(&field).is_absent(), "leave {field} absent where it cannot be read");
}

/// Each status arrives as what it is. A word that no table knows is unknown, with the word, and makes nobody leave.
pub async fn statuses_are_told_apart_and_unknown_words_make_nobody_leave(stage: Stage) -> Ran {
    let it = stage.with(everybody()).await;
    let connector = it.good();
    let read = it.read(&connector, cheap()).await;
    read.receipt("a reading of every status");
    let rows = by_record(&read.rows);
    let sound = it.sound(connector.capabilities().reads_leavers);
    for (person, expected) in &sound {
        let Some(row) = rows.get(&expected.record) else { continue };
        assert_eq!(row.status, expected.status, "deliver {person:?} with the status that the vendor gives");
    }
    let leavers = sound.iter().filter(|(_, expected)| expected.status == EmploymentStatus::Inactive);
    let made_leavers = read.rows.iter().filter(|row| row.status == EmploymentStatus::Inactive);
    let broken = it.population().listed().filter(|person| person.malformed.is_some());
    let broken: HashSet<RecordId> = broken.map(|person| it.expected(person).record).collect();
    let made_leavers = made_leavers.filter(|row| !broken.contains(&row.record));
    assert_eq!(
        made_leavers.count(),
        leavers.count(),
        "make nobody a leaver whom the vendor does not call one"
    );
    Ok(())
}

/// Names, addresses, ids and all other texts arrive as they were written, whatever the script.
pub async fn texts_arrive_byte_for_byte(stage: Stage) -> Ran {
    let it = stage.with(sound()).await;
    let texts: Vec<_> = KNOWN.into_iter().filter(|field| !DATES.contains(field)).collect();
    let read = compare(&it, &texts, |_| true).await;
    let rows = by_record(&read.rows);
    for (person, expected) in it.sound(false) {
        let Some(row) = rows.get(&expected.record) else { continue };
        for (name, value) in &expected.custom {
            assert_eq!(
                row.custom.get(name),
                Some(value),
                "deliver custom:{name} of {person:?} as it was written"
            );
        }
    }
    Ok(())
}

/// Dates are calendar dates: no zone and no time of day moves them.
pub async fn dates_do_not_shift(stage: Stage) -> Ran {
    let it = stage.with(sound()).await;
    compare(&it, &DATES, |_| true).await;
    Ok(())
}

/// What the row says about a field without a value arrives: null or empty as null, left out as absent.
pub async fn missing_null_and_empty_fields_are_told_apart(stage: Stage) -> Ran {
    let it = stage.with(sound()).await;
    let gaps = [Oddity::MissingFields, Oddity::NullFields, Oddity::EmptyFields];
    compare(&it, &KNOWN, |person| gaps.into_iter().any(|gap| person.is(gap))).await;
    Ok(())
}

/// Reads everybody and compares fields of some with what is expected.
async fn compare(it: &ConnectorHarness, wanted: &[EmployeeField], whose: impl Fn(&Person) -> bool) -> Read {
    let connector = it.good();
    let offered = it.offered(&*connector).await;
    let wanted: Vec<_> = wanted.iter().copied().filter(|field| offered.contains(field)).collect();
    let read = it.read(&connector, it.every_field()).await;
    read.receipt("a reading of every field");
    let rows = by_record(&read.rows);
    let mut compared = 0;
    for (person, expected) in it.sound(connector.capabilities().reads_leavers) {
        if !whose(person) {
            continue;
        }
        let Some(row) = rows.get(&expected.record) else { continue };
        let found = differences(&expected, row, &wanted);
        assert!(found.is_empty(), "deliver {person:?} as the vendor has them: {}", found.join("; "));
        compared += 1;
    }
    assert!(compared > 0, "nobody was compared: deliver everybody who is listed");
    read
}

/// Only the fields that were asked for arrive, whatever the row has.
pub async fn only_fields_that_were_asked_for_arrive(stage: Stage) -> Ran {
    let it = stage.with(everybody()).await;
    let connector = it.good();
    let offered = it.offered(&*connector).await;
    let few: [&[EmployeeField]; 3] =
        [&[EmployeeField::WorkEmail, EmployeeField::BirthDate], &[EmployeeField::LastName], &[]];
    for few in few {
        let read = it.read(&connector, fields(few)).await;
        read.receipt("a reading of few fields");
        read.rows.iter().for_each(|row| check_projected(few, row));
        for field in few.iter().filter(|field| offered.contains(field)) {
            let came = read.rows.iter().any(|row| row.field(&(*field).into()).value().is_some());
            assert!(came, "deliver {} where it is asked for", field.as_str());
        }
    }
    Ok(())
}

/// Checks that a row has nothing beside record id, status and what was asked for.
pub(super) fn check_projected(asked: &[EmployeeField], row: &Employee) {
    let always = [EmployeeField::RecordId, EmployeeField::Status];
    for field in EmployeeField::ALL.iter().filter(|field| !asked.contains(field) && !always.contains(field)) {
        let came = row.field(&(*field).into());
        assert!(came.is_absent(), "deliver only what is asked for; {} came too", field.as_str());
    }
    assert!(row.custom.is_empty(), "deliver only the custom fields that are asked for");
    for problem in &row.problems {
        let is_asked = match &problem.field {
            SourceField::Employee(field) => asked.contains(field) || always.contains(field),
            SourceField::Custom(_) => false,
        };
        assert!(is_asked, "report no problem of a field that nobody asked for: {}", problem.field);
    }
}

/// What the connector offers for a mapping, it delivers; what it does not offer, it does not.
pub async fn what_is_offered_is_delivered_and_nothing_else(stage: Stage) -> Ran {
    let it = stage.with(sound()).await;
    let connector = it.good();
    let described = it.described(&*connector).await;
    let mut names = HashSet::new();
    for offer in &described {
        assert!(names.insert(offer.field.to_string()), "offer each field once; {} comes twice", offer.field);
        assert!(!offer.label.trim().is_empty(), "give {} a label to show to people", offer.field);
    }
    let read = it.read(&connector, it.every_field()).await;
    read.receipt("a reading of every field");
    let expected = it.sound(connector.capabilities().reads_leavers);
    for field in EmployeeField::ALL.iter().copied().map(SourceField::from) {
        let came = read.rows.iter().any(|row| row.field(&field).value().is_some());
        let exists = expected.iter().any(|(_, employee)| employee.field(&field).value().is_some());
        let offered = names.contains(&field.to_string());
        assert!(!came || offered, "offer {field}, which is delivered");
        assert!(!offered || !exists || came, "deliver {field}, which is offered and which people have");
    }
    Ok(())
}

/// Keys of the vendor's JSON that nobody knows yet change nothing.
pub async fn unknown_keys_change_nothing(stage: Stage) -> Ran {
    let it = stage.with(plain(30)).await;
    let Some(server) = it.vendor().server() else { return Err(NotOffered("the connector reads no JSON")) };
    let before = it.read(&*it.good(), it.every_field()).await;
    server.faults().add(Fault::change(|answer| with_json(&answer, add_keys)).always());
    let after = it.read(&*it.good(), it.every_field()).await;
    let (one, other) = (before.receipt("a reading"), after.receipt("a reading with unknown keys"));
    assert_eq!(one, other, "prove the same whatever keys the vendor adds");
    let (one, other) = (by_record(&before.rows), by_record(&after.rows));
    assert_eq!(one.len(), other.len(), "deliver the same people whatever keys the vendor adds");
    for (record, row) in one {
        assert!(other.get(record) == Some(&row), "deliver {record} alike whatever keys the vendor adds");
    }
    Ok(())
}

/// Adds keys to every object that no vendor has.
fn add_keys(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add_keys),
        Value::Object(entries) => {
            entries.values_mut().for_each(add_keys);
            entries.insert("zzUnheardOf".to_owned(), json!({ "nested": [1, null, "x"] }));
            entries.insert("aaUnheardOf".to_owned(), Value::Null);
        }
        _ => {}
    }
}
