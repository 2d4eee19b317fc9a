//! The example of `docs/testing.md`, which shows the very code that runs here.

// [the example begins]
use std::sync::Arc;

use chrono::NaiveDate;
use hris_core::keys::KeyId;
use hris_core::{
    ConnectionKey, Employee, EmploymentStatus, Error, ErrorKind, Field, FieldMap, SecretKey, Trigger,
};
use hris_store_memory::MemoryStore;
use hris_sync::Engine;
use hris_testkit::{Ending, ManualClock, MockConnector, MockTarget};

/// Four people, of whom some have left.
fn people(left: &[u32]) -> Vec<Employee> {
    let person = |number| {
        let left = left.contains(&number);
        let status = if left { EmploymentStatus::Inactive } else { EmploymentStatus::Active };
        let mut person = Employee::new(format!("record-{number}"), status);
        person.employee_id = Field::Value(number.to_string().into());
        person.work_email = Field::Value(format!("person-{number}@brisa.example"));
        person
    };
    (1..=4).map(person).collect()
}

#[test]
fn a_failure_on_page_two_makes_nobody_a_leaver() {
    // In place of the network, of the database and of the time of day:
    let clock = ManualClock::at("2026-03-02T06:00:00Z");
    let directory = MockConnector::new(people(&[])).with_page_size(2);
    let target = MockTarget::new(clock.clone());
    let store = MemoryStore::new();
    let key = SecretKey::new(KeyId::new("test"), [7; 32]);

    let engine = Engine::new(
        ConnectionKey::new("brisa", "hr"),
        Arc::new(directory.clone()),
        Arc::new(FieldMap::standard()),
        Arc::new(target.clone()),
        Arc::new(store),
        Arc::new(key),
        Arc::new(clock),
    );
    let run = |day: u32| {
        let today = NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
        hris_testkit::run(engine.run(&format!("march-{day}").into(), Trigger::Schedule, today))
    };
    assert_eq!(run(2).unwrap().applied.created, 4);

    // The next day somebody on page one has left, and page two cannot be had.
    directory.set_people(people(&[1]));
    directory.set_ending(Ending::failing_after(2, || Error::new(ErrorKind::Unavailable, "no page two")));
    assert_eq!(run(3).unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(target.members().iter().all(|member| member.active), "half a directory makes nobody a leaver");

    // On the day after, all of it can be read again, and whoever has left leaves.
    directory.set_ending(Ending::complete());
    assert_eq!(run(4).unwrap().applied.left, 1);
}
// [the example ends]

#[test]
fn the_page_shows_the_code_that_runs() {
    let here = include_str!("doc_example.rs");
    let begins = here.split_once("// [the example begins]\n").unwrap().1;
    let (example, _) = begins.split_once("// [the example ends]\n").unwrap();
    let page = include_str!("../../../docs/testing.md");
    assert!(page.contains(&format!("```rust\n{example}```\n")), "copy the example into docs/testing.md");
}
