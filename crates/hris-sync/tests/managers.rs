//! Managers on platforms that keep them as references: whoever comes later is referred to later, and holds nobody up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use common::{World, changed, ids, people, person};
use futures_util::{FutureExt as _, TryStreamExt as _};
use hris_core::store::Links as _;
use hris_core::{
    ConnectionKey, Employee, EmployeeField, EmploymentStatus, Field, FieldMap, FieldRule, ManagerRef,
    MemberField, ProvisioningPlan as _, RunReport, RunResult, Severity, TargetField, Trigger, rule,
};
use hris_sync::{Incremental, Policy};
use hris_testkit::TargetFault;
use proptest::prelude::*;

/// Person `n`, who reports to person `manager`.
fn reporting(n: u32, manager: u32) -> Employee {
    changed(n, |employee| {
        employee.manager = Field::Value(ManagerRef::EmployeeId(format!("E{manager:03}").into()));
    })
}

/// Person `n`, whose manager is named by the record of person `manager`.
fn reporting_by_record(n: u32, manager: u32) -> Employee {
    changed(n, |employee| {
        employee.manager = Field::Value(ManagerRef::Record(format!("r{manager}").into()));
    })
}

/// The same person under another Employee ID.
fn with_id(mut employee: Employee, id: &str) -> Employee {
    employee.employee_id = Field::Value(id.into());
    employee
}

/// A platform that takes one action after the other, in no order that anybody could rely on.
fn world(people: impl IntoIterator<Item = Employee>) -> World {
    let mut world = World::new(people);
    world.target = world.target.referring_to_managers().with_capabilities(|can| {
        can.max_batch = NonZeroUsize::MIN;
        can.max_in_flight = NonZeroUsize::MIN;
    });
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::Manager, EmployeeField::Manager));
    world.mapping = Arc::new(FieldMap::new(rules).unwrap());
    world
}

/// Who each member reports to on the platform, by Employee ID.
fn managers(world: &World) -> Vec<(String, String)> {
    let of = |member: hris_core::MemberRecord| {
        let manager = member.attributes.text(&TargetField::from(MemberField::Manager))?.to_owned();
        Some((member.attributes.employee_id()?.to_string(), manager))
    };
    let mut managers: Vec<_> = world.target.members().into_iter().filter_map(of).collect();
    managers.sort();
    managers
}

fn reports_to(pairs: impl IntoIterator<Item = (u32, u32)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(one, manager)| (format!("E{one:03}"), format!("E{manager:03}"))).collect()
}

fn waiting(report: &RunReport) -> Option<u64> {
    report.warnings.get(&rule::MANAGER_UNKNOWN).copied()
}

#[test]
fn managers_are_referred_to_in_a_second_pass_and_circles_are_allowed() {
    // Whatever the order in which they are made, somebody comes before the manager.
    let world = world([reporting(1, 2), reporting(2, 3), reporting(3, 1), reporting(4, 4), person(5)]);
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed, report.applied.updated), (5, 0, 0));
    assert_eq!(managers(&world), reports_to([(1, 2), (2, 3), (3, 1), (4, 4)]));
    assert_eq!((waiting(&report), report.error_count()), (None, 0));
    let writes = world.target.writes();
    let again = world.run();
    assert_eq!((again.planned.actions(), world.target.writes()), (0, writes), "and it is settled");
}

#[test]
fn a_manager_who_cannot_be_made_holds_nobody_up_and_comes_with_a_later_run() {
    let world = world([reporting(1, 2), reporting(3, 2), person(2)]);
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee("E002"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed), (2, 1));
    assert_eq!(waiting(&report), Some(2));
    assert_eq!((world.open_accounts(), managers(&world)), (ids([1, 3]), Vec::new()));

    let report = world.run();
    assert_eq!((report.applied.created, report.applied.updated, waiting(&report)), (1, 2, None));
    assert_eq!(managers(&world), reports_to([(1, 2), (3, 2)]));
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn a_manager_who_comes_in_a_later_run_is_written_although_the_report_did_not_change() {
    let world = world([reporting(1, 2), person(3)]);
    assert_eq!(waiting(&world.run()), Some(1));
    let quiet = world.run();
    assert_eq!((quiet.planned.actions(), waiting(&quiet)), (0, Some(1)), "it is told, and is no update");
    let problems: Vec<_> = hris_testkit::run(async {
        let view = world.engine().dry_run(world.today()).await.unwrap();
        view.problems().try_collect::<Vec<_>>().await.unwrap()
    });
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].severity, problems[0].field.as_deref()), (Severity::Warning, Some("manager")));

    world.set_people([reporting(1, 2), person(2), person(3)]);
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.updated, waiting(&report)), (1, 1, None));
    assert_eq!(managers(&world), reports_to([(1, 2)]));
}

#[test]
fn who_waits_for_a_manager_is_read_again_where_only_changes_are_read() {
    let mut world = world([reporting(1, 2), person(3)]);
    world.policy = Policy::default();
    world.policy.incremental = Some(Incremental::default());
    world.run();
    world.clock.advance(HOUR);
    assert_eq!(waiting(&world.run()), Some(1));
    world.clock.advance(HOUR);
    world.set_people([reporting(1, 2), person(2), person(3)]);
    world.run();
    world.clock.advance(HOUR);
    world.run();
    assert_eq!(managers(&world), reports_to([(1, 2)]));
}

#[test]
fn a_known_member_gets_a_new_manager_who_is_not_there_and_keeps_the_old_one_until_then() {
    let world = world([reporting(1, 2), person(2)]);
    world.run();
    world.set_people([reporting(1, 9), person(2)]);
    assert_eq!(waiting(&world.run()), Some(1));
    assert_eq!(managers(&world), reports_to([(1, 2)]));
    world.set_people([reporting(1, 9), person(2), person(9)]);
    world.run();
    assert_eq!(managers(&world), reports_to([(1, 9)]));
}

#[test]
fn a_run_that_stopped_before_its_second_pass_is_put_right_by_the_next_one() {
    let everybody = || (1..=6).map(|n| reporting(n, n % 6 + 1));
    // The crash comes at each write in turn: amid the creates, and amid the second pass.
    for crash_at in 1..=9 {
        for fault in [TargetFault::Slow(HOUR), TargetFault::SlowAnswer(HOUR)] {
            let world = world(everybody());
            world.target.add_fault(fault.on_nth(crash_at));
            let (engine, id) = (world.engine(), world.next_run_id());
            let crashed = engine.run(&id, Trigger::Schedule, world.today()).now_or_never();
            world.target.clear_faults();
            world.clock.advance(HOUR);
            world.run();
            assert_eq!(managers(&world), reports_to((1..=6).map(|n| (n, n % 6 + 1))), "at {crash_at}");
            assert_eq!(world.open_accounts(), ids(1..=6));
            assert_eq!(world.target.invitations_sent(), 6);
            assert!(crashed.is_none() || crash_at > 6, "the crash struck");
            assert_eq!(world.run().planned.actions(), 0);
        }
    }
}

#[test]
fn a_create_in_doubt_is_found_though_its_manager_is_not_there() {
    let world = world([reporting(1, 9), person(2)]);
    world.target.add_fault(TargetFault::StoresButAnswersInDoubt.on_employee("E001"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed, report.applied.uncertain), (2, 0, 0));
    assert_eq!((waiting(&report), world.target.invitations_sent()), (Some(1), 2));
}

#[test]
fn the_second_pass_is_told_with_the_plan_that_it_belongs_to() {
    let world = world(people(2..=2).into_iter().chain([reporting(1, 9)]));
    let plan = world.plan();
    let header = plan.header().clone();
    let engine = world.engine();
    hris_testkit::run(engine.apply(&header.id, &header.digest, Trigger::OnDemand)).unwrap();
    let view = hris_testkit::run(engine.stored(&header.id)).unwrap();
    assert_eq!(World::rules(&view), [("manager.unknown".to_owned(), "r1".to_owned())]);
}

#[test]
fn managers_named_by_record_are_written_by_employee_id_whatever_the_order_of_the_rows() {
    let circle = [(1, 2), (2, 3), (3, 1), (4, 4), (5, 1)];
    let mut rows: Vec<_> = circle.map(|(one, manager)| reporting_by_record(one, manager)).into();
    for _ in 0..rows.len() {
        rows.rotate_left(1);
        let world = world(rows.clone());
        let report = world.run();
        assert_eq!((report.applied.created, report.applied.failed, waiting(&report)), (5, 0, None));
        assert_eq!(managers(&world), reports_to(circle));
        let writes = world.target.writes();
        assert_eq!((world.run().planned.actions(), world.target.writes()), (0, writes), "it is settled");
    }
}

#[test]
fn managers_named_by_record_are_written_however_many_drafts_there_are() {
    // More than are read from a store at once.
    let world = world((1..=1_300).map(|n| reporting_by_record(n, 1 + n % 1_300)));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed, waiting(&report)), (1_300, 0, None));
    let mut expected = reports_to((1..=1_300).map(|n| (n, 1 + n % 1_300)));
    expected.sort();
    assert_eq!(managers(&world), expected);
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn a_manager_named_by_a_record_that_nobody_knows_is_reported_and_comes_with_a_later_run() {
    let world = world([reporting_by_record(1, 2), person(3)]);
    let report = world.run();
    assert_eq!((report.applied.created, report.error_count(), waiting(&report)), (2, 0, Some(1)));
    let quiet = world.run();
    assert_eq!((quiet.planned.actions(), waiting(&quiet)), (0, Some(1)), "it is told, and is no update");
    assert_eq!(managers(&world), Vec::new());

    world.set_people([reporting_by_record(1, 2), person(3), person(2)]);
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.updated, waiting(&report)), (1, 1, None));
    assert_eq!(managers(&world), reports_to([(1, 2)]));
    assert_eq!(world.run().planned.actions(), 0);

    // Somebody who is not known takes nobody's place.
    world.set_people([reporting_by_record(1, 9), person(2), person(3)]);
    assert_eq!(waiting(&world.run()), Some(1));
    assert_eq!(managers(&world), reports_to([(1, 2)]));
}

#[test]
fn a_record_id_that_is_somebody_elses_employee_id_never_names_that_person() {
    // Person 3 has the Employee ID that is the record id of person 2.
    let namesake = || with_id(person(3), "r2");
    let reports = |manager: &str| vec![("E001".to_owned(), manager.to_owned())];
    for rows in [
        vec![reporting_by_record(1, 2), person(2), namesake()],
        vec![namesake(), person(2), reporting_by_record(1, 2)],
    ] {
        let world = world(rows);
        world.run();
        assert_eq!(managers(&world), reports("E002"));
        assert_eq!(world.run().planned.actions(), 0);
    }
    let world = world([reporting_by_record(1, 2), namesake()]);
    assert_eq!(waiting(&world.run()), Some(1));
    assert_eq!(managers(&world), Vec::new());
    world.set_people([reporting_by_record(1, 2), namesake(), person(2)]);
    world.run();
    assert_eq!(managers(&world), reports("E002"));
}

#[test]
fn a_manager_named_by_record_whose_employee_id_changes_is_written_under_the_new_one() {
    let reports = |manager: &str| ["E001", "E004"].map(|one| (one.to_owned(), manager.to_owned())).to_vec();
    let world = world([reporting_by_record(1, 2), person(2), person(3)]);
    world.run();
    world.set_people([
        reporting_by_record(1, 2),
        with_id(person(2), "N2"),
        person(3),
        reporting_by_record(4, 2),
    ]);
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed, waiting(&report)), (1, 0, None));
    assert_eq!(managers(&world), reports("N2"));
    assert_eq!(world.run().planned.actions(), 0, "and it is settled");
}

#[test]
fn a_manager_named_by_record_who_takes_over_somebodys_employee_id_is_not_taken_for_that_person() {
    let reports = [(4, 2), (5, 3), (6, 3)].map(|(one, manager)| reporting_by_record(one, manager));
    let world = world([person(2), person(3)].into_iter().chain(reports));
    world.run();
    let day = [
        reporting_by_record(1, 2),
        reporting_by_record(6, 2),
        with_id(person(2), "E003"),
        with_id(person(3), "N3"),
        reporting_by_record(4, 2),
        reporting_by_record(5, 3),
    ];
    world.set_people(day);
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed, waiting(&report)), (1, 0, None));
    let expected = [("E001", "E003"), ("E004", "E003"), ("E005", "N3"), ("E006", "E003")];
    assert_eq!(managers(&world), expected.map(|(one, manager)| (one.to_owned(), manager.to_owned())));
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn who_waits_for_a_manager_named_by_record_is_read_again_where_only_changes_are_read() {
    let mut world = world([reporting_by_record(1, 2), person(3)]);
    world.policy = Policy::default();
    world.policy.incremental = Some(Incremental::default());
    world.run();
    world.clock.advance(HOUR);
    assert_eq!(waiting(&world.run()), Some(1));
    world.clock.advance(HOUR);
    world.set_people([reporting_by_record(1, 2), person(2), person(3)]);
    world.run();
    assert_eq!(managers(&world), reports_to([(1, 2)]));
    world.clock.advance(HOUR);
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn a_manager_named_by_record_who_cannot_be_made_holds_nobody_up() {
    let world = world([reporting_by_record(1, 2), reporting_by_record(3, 2), person(2)]);
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee("E002"));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.failed, waiting(&report)), (2, 1, Some(2)));
    assert_eq!((world.open_accounts(), managers(&world)), (ids([1, 3]), Vec::new()));
    let report = world.run();
    assert_eq!((report.applied.created, report.applied.updated, waiting(&report)), (1, 2, None));
    assert_eq!(managers(&world), reports_to([(1, 2), (3, 2)]));
    assert_eq!(world.run().planned.actions(), 0);
}

/// Whom of eight people a directory has: under which Employee ID, who manages them, and whether they left.
type Row = (u32, u8, u32, bool);

fn directory() -> impl Strategy<Value = Vec<Row>> {
    let row = |n: u32| (Just(n), 0..12_u8, 0..11_u32, prop::bool::weighted(0.9));
    proptest::sample::subsequence((0..8).collect::<Vec<_>>(), 0..=8)
        .prop_flat_map(move |people| people.into_iter().map(row).collect::<Vec<_>>())
        .prop_shuffle()
}

fn employee((n, id, manager, active): Row) -> Employee {
    // Ids of their own, new ones, those of others, and the record ids of others.
    let id = match id {
        0 => format!("N{n}"),
        1 => format!("E{:03}", (n + 1) % 8),
        2 => format!("r{}", (n + 1) % 8),
        _ => format!("E{n:03}"),
    };
    let mut employee = with_id(reporting_by_record(n, manager), &id);
    if manager == 10 {
        employee.manager = Field::Null;
    }
    if !active {
        employee.status = EmploymentStatus::Inactive;
    }
    employee
}

fn planned(world: &World) -> Vec<String> {
    let view = hris_testkit::run(world.engine().dry_run(world.today())).unwrap();
    let actions: Vec<_> = hris_testkit::run(view.actions(None).try_collect()).unwrap();
    actions.iter().map(|action: &hris_core::Action| format!("{} {}", action.rank, action.id)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn managers_named_by_record_settle_in_any_order_and_are_never_the_wrong_ones(
        days in proptest::collection::vec(directory(), 1..4),
    ) {
        let mut world = world([]);
        world.policy.leavers.at_least = 1_000;
        world.policy.shrink_percent = 100;
        for day in days {
            let rows: Vec<_> = day.iter().map(|row| employee(*row)).collect();
            world.set_people(rows.iter().rev().cloned());
            let backwards = planned(&world);
            world.set_people(rows.clone());
            prop_assert_eq!(planned(&world), backwards);
            let report = world.run();
            prop_assert_eq!(report.applied.failed + report.applied.uncertain + report.applied.pending, 0);
            if matches!(report.result, RunResult::Held { .. }) {
                continue;
            }
            prop_assert_eq!(planned(&world), Vec::<String>::new());
            if report.error_count() > 0 {
                continue;
            }
            let records: Vec<_> = rows.iter().map(|row| row.record.clone()).collect();
            let links = hris_testkit::run(world.store.links_of(&ConnectionKey::new("acme", "hr"), &records)).unwrap();
            let id_of = |record: &str| {
                let link = links.iter().flatten().find(|link| link.record.as_str() == record)?;
                Some(link.employee_id.to_string())
            };
            let written: BTreeMap<_, _> = managers(&world).into_iter().collect();
            for row in rows.iter().filter(|row| row.status == EmploymentStatus::Active) {
                let manager = row.manager.value().and_then(|manager| id_of(manager.as_str()));
                if manager.is_some() {
                    prop_assert_eq!(written.get(&id_of(row.record.as_str()).unwrap()), manager.as_ref());
                }
            }
        }
    }
}

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
