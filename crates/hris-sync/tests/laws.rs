//! Laws that hold for any directory: plans settle, order does not matter, no broken reading closes an account, and
//! leavers stay within the limit.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::HashSet;

use chrono::NaiveDate;
use common::World;
use futures_util::TryStreamExt as _;
use hris_core::{
    Employee, EmploymentStatus, Error, ErrorKind, Field, Parking, PlanSummary, ProvisioningPlan, RunResult,
};
use hris_sync::{PlanView, Proposal};
use hris_testkit::Ending;
use proptest::prelude::*;

/// A row in few numbers, so that records, people, Employee IDs and addresses collide often.
#[derive(Clone, Debug)]
struct Row {
    record: u8,
    /// Who it is: mostly the record's own person, sometimes somebody who had another record or who takes over this one.
    who: u8,
    employee_id: u8,
    email: u8,
    status: u8,
    department: u8,
    stamp: u8,
}

fn row() -> impl Strategy<Value = Row> {
    (0..12_u8, 0..16_u8, 0..15_u8, 0..14_u8, 0..12_u8, 0..4_u8, 1..9_u8).prop_map(
        |(record, who, employee_id, email, status, department, stamp)| Row {
            record,
            who: if who < 12 { record } else { who - 3 },
            employee_id,
            email,
            status,
            department,
            stamp,
        },
    )
}

/// Rows of a directory; most records carry their own number and address, some somebody else's or none.
fn directory() -> impl Strategy<Value = Vec<Employee>> {
    let swaps = proptest::collection::vec((0..12_u8, 0..12_u8), 0..4);
    (proptest::collection::vec(row(), 0..20), any::<bool>(), swaps).prop_map(|(rows, stamped, swaps)| {
        let mut people: Vec<_> = rows.iter().map(|row| employee(row, stamped)).collect();
        for (one, other) in swaps {
            swap_addresses(&mut people, one, other);
        }
        people
    })
}

/// Two people take over each other's addresses.
fn swap_addresses(people: &mut [Employee], one: u8, other: u8) {
    let of = |who: u8| people.iter().position(|person| person.record.as_str() == format!("r{who}"));
    if let (Some(one), Some(other)) = (of(one), of(other)) {
        let address = people[one].work_email.clone();
        people[one].work_email = std::mem::replace(&mut people[other].work_email, address);
    }
}

fn employee(row: &Row, stamped: bool) -> Employee {
    let status = match row.status {
        0 => EmploymentStatus::Inactive,
        1 => EmploymentStatus::Unknown(None),
        2 => EmploymentStatus::Pending,
        3 => EmploymentStatus::OnLeave,
        _ => EmploymentStatus::Active,
    };
    let mut employee = Employee::new(format!("r{}", row.record), status);
    let own = |own: u8, number: u8| if number < 9 { own } else { number };
    employee.employee_id = match row.employee_id {
        13 => Field::Null,
        14 => Field::Value(format!("0{}", own(row.record, row.department)).into()),
        number => Field::Value(own(row.record, number).to_string().into()),
    };
    employee.work_email = match row.email {
        12 => Field::Null,
        13 => Field::Absent,
        number => Field::Value(format!("p{}@acme.example", own(row.who, number))),
    };
    employee.last_name = Field::Value(format!("Last{}", row.who));
    employee.birth_date = match row.who % 3 {
        0 => Field::Absent,
        _ => Field::Value(NaiveDate::from_ymd_opt(1960 + i32::from(row.who), 5, 17).unwrap().into()),
    };
    employee.department = match row.department {
        3 => Field::Null,
        number => Field::Value(format!("d{number}")),
    };
    if stamped {
        employee.modified_at = format!("2026-01-0{}T00:00:00Z", row.stamp).parse().ok();
    }
    employee
}

/// What a plan does, in order, and the counts of everyone's fate. Warnings are left out: a row that a newer one of
/// the same record takes the place of may have been warned about or never looked at.
fn content(plan: &PlanView) -> (Vec<String>, Vec<Proposal>, PlanSummary) {
    let actions: Vec<_> = hris_testkit::run(plan.actions(None).try_collect::<Vec<_>>()).unwrap();
    let actions = actions.iter().map(|action| format!("{} {}", action.rank, action.id)).collect();
    let mut summary = plan.summary().clone();
    summary.warnings = 0;
    let mut proposals: Vec<_> = hris_testkit::run(plan.proposals().try_collect()).unwrap();
    proposals.sort_by(|one, other| one.person().record.cmp(&other.person().record));
    (actions, proposals, summary)
}

fn world(first: &[Employee]) -> World {
    let mut world = World::new(first.to_vec());
    // Small populations would be held at every turn.
    world.policy.leavers.at_least = 1_000;
    world.policy.shrink_percent = 100;
    world.target = world.target.with_capabilities(|can| {
        let parking = Parking::new().with_email("parked+{token}@sync.acme.example").unwrap();
        can.parking = Some(parking.with_employee_id("parked-{token}").unwrap());
    });
    world
}

fn dry_run(world: &World) -> PlanView {
    hris_testkit::run(world.engine().dry_run(world.today())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn planning_after_applying_gives_an_empty_plan(days in proptest::collection::vec(directory(), 1..4)) {
        let world = world(&[]);
        for day in days {
            world.set_people(day);
            let report = world.run();
            prop_assert_eq!(report.applied.failed + report.applied.uncertain + report.applied.pending, 0, "{}", report);
            if matches!(report.result, RunResult::Held { .. }) {
                continue;
            }
            let again = dry_run(&world);
            prop_assert_eq!(World::actions(&again), Vec::<String>::new());
        }
    }

    #[test]
    fn whatever_is_proposed_can_be_accepted_and_settles(days in proptest::collection::vec(directory(), 2..4)) {
        let world = world(&[]);
        for day in days {
            world.set_people(day);
            world.run();
            let plan = world.plan();
            let proposals: Vec<_> = hris_testkit::run(plan.proposals().try_collect()).unwrap();
            let mut moved = HashSet::new();
            for proposal in &proposals {
                let record = &proposal.person().record;
                hris_testkit::run(world.engine().accept(&plan.header().id, record, "ola")).unwrap();
                if let Proposal::ReKey { to, .. } = proposal {
                    prop_assert!(moved.insert(to.clone()), "two people move to one record");
                }
            }
            let members = world.target.members().len();
            let report = world.run();
            prop_assert_eq!(report.applied.failed + report.applied.uncertain + report.applied.pending, 0, "{}", report);
            prop_assert_eq!(report.applied.invited, report.applied.created, "{}", report);
            prop_assert_eq!(world.target.members().len() as u64, members as u64 + report.applied.created);
            prop_assert_eq!(World::actions(&dry_run(&world)), Vec::<String>::new());
            let again: Vec<_> = hris_testkit::run(dry_run(&world).proposals().try_collect()).unwrap();
            for proposal in again {
                prop_assert!(!proposals.contains(&proposal), "{:?} was accepted", proposal);
            }
        }
    }

    #[test]
    fn the_plan_does_not_depend_on_the_order_of_the_rows(
        first in directory(),
        (second, shuffled) in directory().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let world = world(&first);
        world.run();
        world.set_people(second);
        let plan = content(&dry_run(&world));
        world.set_people(shuffled);
        prop_assert_eq!(plan, content(&dry_run(&world)));
    }

    #[test]
    fn no_broken_reading_yields_a_leaver(
        first in directory(),
        second in directory(),
        broken_after in 0..20_u64,
        apply_seen in any::<bool>(),
        without_error in any::<bool>(),
    ) {
        let mut world = world(&first);
        world.run();
        let open = world.open_accounts().len();
        let closed = world.closed_accounts();
        if apply_seen {
            world.policy.broken_reading = hris_sync::BrokenReading::ApplyCreatesAndUpdates;
        }
        world.set_people(second);
        world.directory.set_ending(if without_error {
            Ending::broken_off()
        } else {
            Ending::failing_after(broken_after, || Error::new(ErrorKind::Unavailable, "page lost"))
        });
        let left = world.try_run().map_or(0, |report| report.applied.left);
        prop_assert_eq!(left, 0);
        prop_assert!(world.open_accounts().len() >= open);
        prop_assert!(world.closed_accounts().iter().all(|id| closed.contains(id)));
    }

    #[test]
    fn applied_leavers_never_exceed_the_limit_and_a_held_plan_writes_nothing(
        days in proptest::collection::vec(directory(), 1..5),
        at_least in 0..4_u64,
        percent in 0..60_u8,
    ) {
        let mut world = World::new([]);
        world.policy.shrink_percent = 100;
        world.policy.leavers = hris_sync::Limit { at_least, percent, at_most: 1_000 };
        for day in days {
            world.set_people(day);
            let (open, writes) = (world.open_accounts().len() as u64, world.target.writes());
            let report = world.run();
            prop_assert!(report.applied.left <= world.policy.leavers.limit(open));
            if matches!(report.result, RunResult::Held { .. }) {
                prop_assert_eq!(world.target.writes(), writes);
            }
        }
    }
}
