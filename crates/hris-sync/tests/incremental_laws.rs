//! The law of readings of changes: however they and readings of everyone follow each other, the members are the same
//! as if everyone had been read each time; and a run that fails moves no watermark.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeMap;

use common::World;
use hris_core::store::{Checkpoint, Checkpoints as _};
use hris_core::{
    ConnectionKey, Employee, EmploymentStatus, Error, ErrorKind, Field, RunReport, Scope, Trigger, rule,
};
use hris_sync::Incremental;
use hris_testkit::{Ending, TargetFault};
use proptest::prelude::*;

/// What happens to one record. Numbers are few, so that Employee IDs and addresses collide often.
#[derive(Clone, Debug)]
enum Edit {
    Becomes { status: u8, employee_id: u8, email: u8, department: u8 },
    Vanishes,
    IsDeleted,
}

#[derive(Clone, Debug)]
struct Day {
    edits: Vec<(u8, Edit)>,
    /// Whether the mixed world reads everyone; the other one always does.
    full: bool,
    /// Whether the reading breaks off, and after how many rows.
    breaks: Option<u64>,
    /// Whose action the platform refuses.
    refused: Option<u8>,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        12 => (0..12_u8, 0..10_u8, 0..10_u8, 0..3_u8).prop_map(|(status, employee_id, email, department)| {
            Edit::Becomes { status, employee_id, email, department }
        }),
        1 => Just(Edit::Vanishes),
        1 => Just(Edit::IsDeleted),
    ]
}

fn day() -> impl Strategy<Value = Day> {
    let edits = proptest::collection::vec((0..7_u8, edit()), 0..5);
    let breaks = prop_oneof![5 => Just(None), 1 => (0..9_u64).prop_map(Some)];
    let refused = prop_oneof![4 => Just(None), 1 => (0..7_u8).prop_map(Some)];
    (edits, prop::bool::weighted(0.25), breaks, refused).prop_map(|(edits, full, breaks, refused)| Day {
        edits,
        full,
        breaks,
        refused,
    })
}

/// The HR system: each record with its stamp, and the deleted ones.
#[derive(Default)]
struct Directory {
    people: BTreeMap<u8, Employee>,
    deleted: Vec<u8>,
    /// Minutes that have passed; every edit takes one.
    minutes: i64,
}

impl Directory {
    fn apply(&mut self, record: u8, edit: &Edit) {
        self.minutes += 1;
        self.deleted.retain(|deleted| *deleted != record);
        self.people.remove(&record);
        match edit {
            Edit::Vanishes => {}
            Edit::IsDeleted => self.deleted.push(record),
            Edit::Becomes { status, employee_id, email, department } => {
                let mut person = row(record, (*status, *employee_id, *email, *department));
                let start: chrono::DateTime<chrono::Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
                person.modified_at = Some(start + chrono::TimeDelta::minutes(self.minutes));
                self.people.insert(record, person);
            }
        }
    }
}

fn row(record: u8, (status, employee_id, email, department): (u8, u8, u8, u8)) -> Employee {
    let status = match status {
        0 | 1 => EmploymentStatus::Inactive,
        2 => EmploymentStatus::Unknown(None),
        3 => EmploymentStatus::Pending,
        4 => EmploymentStatus::OnLeave,
        _ => EmploymentStatus::Active,
    };
    let mut person = Employee::new(format!("r{record}"), status);
    let own = |number: u8| if number < 6 { record } else { number };
    person.employee_id = match employee_id {
        9 => Field::Null,
        number => Field::Value(format!("E{}", own(number)).into()),
    };
    person.work_email = match email {
        9 => Field::Null,
        number => Field::Value(format!("p{}@acme.example", own(number))),
    };
    person.department = Field::Value(format!("d{department}"));
    // Who has somebody else's address is that person, so that people move and ids are reused.
    let who = own(email);
    person.last_name = Field::Value(format!("Last{who}"));
    if who % 2 == 0 {
        let born = chrono::NaiveDate::from_ymd_opt(1970 + i32::from(who), 3, 9).unwrap();
        person.birth_date = Field::Value(born.into());
    }
    person
}

fn world(incremental: bool) -> World {
    let mut world = World::new([]);
    world.policy.leavers.at_least = 1_000;
    world.policy.shrink_percent = 100;
    // Without an overlap, so that a row is read again only if there is a reason.
    let changes = Incremental::default().with_overlap(std::time::Duration::ZERO).with_reread_at_most(5);
    world.policy.incremental = incremental.then_some(changes);
    // A vendor's closed accounts stay here, so that no day makes a difference.
    world.target = world.target.with_capabilities(|capabilities| capabilities.close_down_days = None);
    world
}

fn run(world: &World, day: &Day, directory: &Directory) -> Option<RunReport> {
    world.set_people(directory.people.values().cloned());
    world.directory.set_deleted(directory.deleted.iter().map(|record| format!("r{record}").into()));
    world.directory.set_ending(match day.breaks {
        None => Ending::complete(),
        Some(rows) => Ending::failing_after(rows, || Error::new(ErrorKind::Unavailable, "page lost")),
    });
    world.target.clear_faults();
    if let Some(number) = day.refused {
        let refuses = TargetFault::RejectsOne(rule::MEMBER_REJECTED);
        world.target.add_fault(refuses.on_employee(format!("E{number}")).always());
    }
    let engine = if day.full { world.engine().with_full_reading() } else { world.engine() };
    hris_testkit::run(engine.run(&world.next_run_id(), Trigger::Schedule, world.today())).ok()
}

/// Accounts without the ids that the platform gives them.
fn members(world: &World) -> Vec<String> {
    let shown = |member: hris_core::MemberRecord| {
        let attributes: Vec<_> =
            member.attributes.iter().map(|(field, value)| format!("{field}={}", text(value))).collect();
        format!("{} {}", member.active, attributes.join(" "))
    };
    let mut members: Vec<_> = world.target.members().into_iter().map(shown).collect();
    members.sort();
    members
}

fn text(value: Option<&hris_core::Value>) -> String {
    value.and_then(|value| value.as_text()).unwrap_or_default().to_owned()
}

fn checkpoint(world: &World) -> Option<Checkpoint> {
    hris_testkit::run(world.store.checkpoint(&ConnectionKey::new("acme", "hr"))).unwrap()
}

fn changes_read(world: &World) -> usize {
    let queries = world.directory.queries();
    queries.iter().filter(|query| matches!(query.scope, Scope::ChangedSince(_))).count()
}

fn people_of_a_company() -> Directory {
    let mut directory = Directory::default();
    for record in 0..5 {
        directory.apply(record, &Edit::Becomes { status: 9, employee_id: 0, email: 0, department: 0 });
    }
    directory
}

fn mixed_as_full(days: &[Day]) -> Result<usize, TestCaseError> {
    let (mixed, full) = (world(true), world(false));
    let mut directory = people_of_a_company();
    for day in days {
        for (record, edit) in &day.edits {
            directory.apply(*record, edit);
        }
        let before = checkpoint(&mixed);
        let outcomes = (run(&mixed, day, &directory), run(&full, day, &directory));
        prop_assert_eq!(outcomes.0.is_some(), outcomes.1.is_some(), "one run failed and the other did not");
        if outcomes.0.is_none() {
            prop_assert_eq!(checkpoint(&mixed), before, "a failed run moved the checkpoint");
        }
        prop_assert_eq!(members(&mixed), members(&full), "after {:?}", day);
    }
    Ok(changes_read(&mixed))
}

#[test]
fn the_law_is_about_readings_of_changes() {
    let quiet = Day { edits: Vec::new(), full: false, breaks: None, refused: None };
    assert_eq!(mixed_as_full(&[quiet.clone(), quiet.clone(), quiet]).unwrap(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_mixture_of_readings_ends_in_the_members_of_full_ones(days in proptest::collection::vec(day(), 1..7)) {
        mixed_as_full(&days)?;
    }
}
