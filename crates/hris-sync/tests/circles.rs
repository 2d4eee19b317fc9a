//! People who take over each other's e-mail addresses or Employee IDs, on a platform that allows temporary values.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;
use std::time::Duration;

use common::{World, changed, ids, inactive, people, person};
use futures_util::FutureExt as _;
use hris_core::{
    Attributes, Employee, ErrorKind, Field, MemberField, MemberRecord, Parking, TargetField, Trigger, rule,
};
use hris_sync::Switch;
use hris_testkit::TargetFault;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

fn addresses() -> Parking {
    Parking::new().with_email("parked+{token}@sync.acme.example").unwrap()
}

fn both() -> Parking {
    addresses().with_employee_id("parked-{token}").unwrap()
}

/// A platform that allows temporary values and takes one action at a time, with people 1 to `count` on it.
fn world(count: u32, parking: Parking) -> World {
    let mut world = World::new(people(1..=count));
    world.target = world.target.with_capabilities(|can| {
        can.parking = Some(parking);
        can.max_batch = NonZeroUsize::MIN;
        can.max_in_flight = NonZeroUsize::MIN;
    });
    world.run();
    world
}

fn mail_of(n: u32, other: u32) -> Employee {
    changed(n, |it| it.work_email = Field::Value(format!("p{other}@acme.example")))
}

fn id_of(n: u32, other: u32) -> Employee {
    changed(n, |it| it.employee_id = Field::Value(format!("E{other:03}").into()))
}

/// The address of each member, by first name, which nobody hands on.
fn addresses_of(world: &World) -> Vec<(String, String)> {
    let text = |member: &MemberRecord, field| member.attributes.text(&field).unwrap().to_owned();
    let of = |member: &MemberRecord| {
        (text(member, MemberField::FirstName.into()), text(member, TargetField::EMAIL))
    };
    let mut all: Vec<_> = world.target.members().iter().map(of).collect();
    all.sort();
    all
}

fn swapped() -> Vec<(String, String)> {
    let pairs = [("First1", "p2"), ("First2", "p1"), ("First3", "p3")];
    pairs.map(|(name, mail)| (name.to_owned(), format!("{mail}@acme.example"))).to_vec()
}

#[test]
fn people_who_swap_addresses_do_so_in_one_run_where_the_platform_allows_temporary_ones() {
    let world = world(3, addresses());
    world.set_people([mail_of(1, 2), mail_of(2, 1), person(3)]);
    let plan = world.plan();
    assert_eq!(World::actions(&plan), ["park E001", "update E002", "update E001"]);
    assert_eq!(World::rules(&plan), []);
    let report = world.run();
    let applied = &report.applied;
    assert_eq!((applied.parked, applied.updated, applied.failed, applied.invited), (1, 2, 0, 0), "{report}");
    assert_eq!((applied.affected(), report.planned.park, report.planned.update), (2, 1, 2));
    assert_eq!(addresses_of(&world), swapped());
    assert_eq!((world.target.invitations_sent(), world.target.members().len()), (3, 3));
    assert_eq!(world.run().planned.actions(), 0);
    let verified =
        hris_testkit::run(world.engine().verify(&world.next_run_id(), Trigger::Schedule, world.today()));
    assert!(verified.unwrap().verified.unwrap().is_clean());
}

#[test]
fn one_of_a_longer_circle_is_parked_and_chains_that_hang_on_it_go_along() {
    let world = world(5, addresses());
    // 1 to 3 in a circle, 4 takes from nobody and gives to 5, whose address a newcomer gets.
    let fresh = changed(4, |it| it.work_email = Field::Value("fresh@acme.example".into()));
    world.set_people([mail_of(1, 2), mail_of(2, 3), mail_of(3, 1), fresh, mail_of(5, 4), mail_of(6, 5)]);
    let report = world.run();
    let applied = &report.applied;
    assert_eq!((applied.parked, applied.updated, applied.created, applied.failed), (1, 5, 1, 0), "{report}");
    assert_eq!(world.run().planned.actions(), 0);
    let mails: Vec<_> = addresses_of(&world).into_iter().map(|(_, mail)| mail).collect();
    let expected = ["p2", "p3", "p1", "fresh", "p4", "p5"].map(|name| format!("{name}@acme.example"));
    assert_eq!(mails, expected);
}

#[test]
fn employee_ids_in_a_circle_are_held_unless_temporary_ones_are_allowed_too() {
    let cautious = world(3, addresses());
    let directory = || [id_of(1, 2), id_of(2, 1), person(3)];
    cautious.set_people(directory());
    let plan = cautious.plan();
    assert_eq!(World::actions(&plan), [""; 0]);
    let swapped = World::rules(&plan).into_iter().filter(|(rule, _)| rule == "unique.swapped");
    assert_eq!(swapped.map(|(_, who)| who).collect::<Vec<_>>(), ["r1", "r2"]);

    let world = world(3, both());
    world.set_people(directory());
    let report = world.run();
    assert_eq!((report.applied.parked, report.applied.updated, report.applied.failed), (1, 2, 0), "{report}");
    assert_eq!(world.open_accounts(), ids(1..=3));
    let name = |id| {
        let member = world.target.member_by_employee_id(id).unwrap();
        member.attributes.text(&MemberField::FirstName.into()).unwrap().to_owned()
    };
    assert_eq!((name("E001").as_str(), name("E002").as_str()), ("First2", "First1"));
    assert_eq!(world.run().planned.actions(), 0);
}

#[test]
fn a_circle_with_somebody_who_is_held_or_blocked_parks_nobody() {
    let mut world = world(4, addresses());
    world.set_people([mail_of(1, 2), mail_of(2, 3), mail_of(3, 1), person(4)]);
    world.policy.protected.insert("E003".into());
    let report = world.run();
    assert_eq!((report.applied.parked, report.applied.updated), (0, 0), "{report}");
    assert_eq!(report.problems.get(&rule::MEMBER_PROTECTED), Some(&1));
    world.policy.protected.clear();
    world.policy.switched_off.insert(Switch::Update);
    let report = world.run();
    assert_eq!(
        (report.applied.parked, report.planned.blocked, report.planned.problems),
        (0, 3, 0),
        "{report}"
    );
    world.policy.switched_off.clear();
    // Of 2 there are two rows and nothing to tell which is newer.
    world.set_people([mail_of(1, 2), mail_of(2, 3), person(2), mail_of(3, 1), person(4)]);
    let report = world.run();
    assert_eq!((report.applied.parked, report.applied.updated), (0, 0), "{report}");
    world.set_people([mail_of(1, 2), mail_of(2, 3), mail_of(3, 1), person(4)]);
    assert_eq!(world.run().applied.parked, 1);
}

#[test]
fn a_step_that_fails_is_reported_and_the_next_run_ends_in_the_right_state() {
    let faults = [
        TargetFault::RejectsOne(rule::MEMBER_REJECTED),
        TargetFault::ConflictOne,
        TargetFault::NotAttempted { retryable: true },
        TargetFault::StoresButAnswersInDoubt,
        TargetFault::StoresNothingAnswersInDoubt,
    ];
    for fault in faults {
        for step in 1..=3 {
            for times in 1..=2 {
                let world = world(3, addresses());
                let before = world.target.log().len() as u64;
                world.target.add_fault(fault.clone().on_nth(before + step).times(times));
                world.set_people([mail_of(1, 2), mail_of(2, 1), person(3)]);
                let report = world.run();
                let story = format!("{fault:?} at step {step}, {times} times: {report}");
                assert_eq!((report.applied.left, world.open_accounts()), (0, ids(1..=3)), "{story}");
                let told = report.applied.failed + report.applied.uncertain + report.applied.pending;
                assert!(told > 0 || addresses_of(&world) == swapped(), "{story}");
                world.target.clear_faults();
                let next = world.run();
                assert_eq!(addresses_of(&world), swapped(), "{story}\nthen {next}");
                assert_eq!(next.applied.failed + next.applied.uncertain, 0, "{story}\nthen {next}");
                assert_eq!(world.run().planned.actions(), 0, "{story}");
                assert_eq!((world.target.invitations_sent(), world.target.members().len()), (3, 3));
            }
        }
    }
}

#[test]
fn whoever_waits_for_a_first_step_that_was_not_sent_is_pending_and_no_failure() {
    let world = world(2, addresses());
    world.target.add_fault(TargetFault::NotAttempted { retryable: true }.always());
    world.set_people([mail_of(1, 2), mail_of(2, 1)]);
    let report = world.run();
    assert_eq!((report.applied.pending, report.applied.failed), (3, 0), "{report}");
}

#[test]
fn a_run_that_dies_between_the_steps_is_continued() {
    for fault in [TargetFault::Slow(HOUR), TargetFault::SlowAnswer(HOUR)] {
        for step in 1..=3 {
            let world = world(3, addresses());
            let before = world.target.log().len() as u64;
            world.target.add_fault(fault.clone().on_nth(before + step));
            world.set_people([mail_of(1, 2), mail_of(2, 1), person(3)]);
            let (engine, id) = (world.engine(), world.next_run_id());
            // Everything is ready at once except for the slow write: dropping the future is the crash.
            assert!(engine.run(&id, Trigger::Schedule, world.today()).now_or_never().is_none());
            world.target.clear_faults();
            world.clock.advance(HOUR);
            let report = world.run();
            assert_eq!(addresses_of(&world), swapped(), "step {step}: {report}");
            let applied = &report.applied;
            assert_eq!((applied.failed, applied.uncertain, applied.left), (0, 0, 0), "step {step}: {report}");
            assert_eq!((world.target.invitations_sent(), world.target.members().len()), (3, 3));
            assert_eq!(world.run().planned.actions(), 0);
        }
    }
}

#[test]
fn the_link_of_somebody_who_is_parked_tells_what_the_member_has() {
    let world = world(3, addresses());
    let before = world.target.log().len() as u64;
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_nth(before + 2));
    world.set_people([mail_of(1, 2), mail_of(2, 1), person(3)]);
    let report = world.run();
    assert_eq!((report.applied.parked, report.applied.failed), (1, 2), "{report}");
    let member = world.target.member_by_employee_id("E001").unwrap();
    assert!(addresses().is_parked(&member.attributes.email().unwrap()));
    // A verify run holds the members against the links: whoever is parked has what was written last.
    let view = hris_testkit::run(world.engine().verify_dry_run(world.today())).unwrap();
    assert!(view.1.is_clean(), "{}", view.1);
    assert_eq!(World::actions(&view.0), ["update E002", "update E001"], "and is not parked once more");
    // Back to how it was, nobody has to be parked.
    world.set_people(people(1..=3));
    assert_eq!(World::actions(&world.plan()), ["update E001"]);
}

#[test]
fn whoever_leaves_while_parked_leaves() {
    let world = world(3, addresses());
    let before = world.target.log().len() as u64;
    world.target.add_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_nth(before + 2));
    world.set_people([mail_of(1, 2), mail_of(2, 1), person(3)]);
    world.run();
    world.set_people([inactive(1), mail_of(2, 1), person(3)]);
    let report = world.run();
    assert_eq!((report.applied.left, report.applied.updated, report.applied.failed), (1, 1, 0), "{report}");
    assert_eq!((world.open_accounts(), world.closed_accounts()), (ids(2..=3), ids([1])));
}

#[test]
fn what_was_swapped_by_hand_on_the_platform_is_put_right_by_a_verify_run() {
    let world = world(2, addresses());
    let member = |n: u32| world.target.member_by_employee_id(format!("E{n:03}")).unwrap().id;
    for (n, mail) in [(1, "p2@acme.example"), (2, "p1@acme.example")] {
        let mut changes = Attributes::new();
        changes.set(TargetField::EMAIL, Some(mail.into()));
        assert!(world.target.edit(&member(n), &changes));
    }
    let verify = world.engine();
    let report =
        hris_testkit::run(verify.verify(&world.next_run_id(), Trigger::Schedule, world.today())).unwrap();
    assert_eq!((report.applied.parked, report.applied.updated, report.applied.failed), (1, 2, 0), "{report}");
    let mails: Vec<_> = addresses_of(&world).into_iter().map(|(_, mail)| mail).collect();
    assert_eq!(mails, ["p1@acme.example", "p2@acme.example"]);
}

#[test]
fn an_explanation_says_that_somebody_is_parked_first() {
    let world = world(2, addresses());
    world.set_people([mail_of(1, 2), mail_of(2, 1)]);
    let person = hris_core::EmployeeRef::record("r1");
    let explanation = hris_testkit::run(world.engine().explain(&person, world.today())).unwrap();
    assert_eq!(explanation.action, Some("update"));
    let said = explanation.steps.iter().flat_map(|step| &step.says).any(|says| says.contains("temporary"));
    assert!(said, "{explanation:?}");
}

/// People 1 to 6: who gets whose address and Employee ID, and who is refused by the platform meanwhile.
fn permutation() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    let all = Just((1..=6).collect::<Vec<u32>>());
    (all.clone().prop_shuffle(), all.prop_shuffle())
}

fn permuted(mails: &[u32], numbers: &[u32]) -> Vec<Employee> {
    (1..=6)
        .zip(mails.iter().zip(numbers))
        .map(|(n, (mail, number))| {
            changed(n, |it| {
                it.work_email = Field::Value(format!("p{mail}@acme.example"));
                it.employee_id = Field::Value(format!("E{number:03}").into());
            })
        })
        .collect()
}

fn is_as(world: &World, mails: &[u32], numbers: &[u32]) -> bool {
    (1..=6).zip(mails.iter().zip(numbers)).all(|(n, (mail, number))| {
        let member = world.target.member_by_employee_id(format!("E{number:03}")).unwrap();
        let text = |field: TargetField| member.attributes.text(&field).unwrap().to_owned();
        text(MemberField::FirstName.into()) == format!("First{n}")
            && text(TargetField::EMAIL) == format!("p{mail}@acme.example")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn however_values_go_round_one_run_carries_it_out(days in proptest::collection::vec(permutation(), 1..4)) {
        let world = world(6, both());
        for (mails, numbers) in &days {
            world.set_people(permuted(mails, numbers));
            let report = world.run();
            let applied = &report.applied;
            prop_assert_eq!(applied.failed + applied.uncertain + applied.pending + applied.left, 0, "{}", report);
            prop_assert!(is_as(&world, mails, numbers), "{}", report);
            prop_assert_eq!(world.run().planned.actions(), 0);
        }
        prop_assert_eq!((world.target.members().len(), world.target.invitations_sent()), (6, 6));
    }

    #[test]
    fn whatever_fails_on_the_way_round_clean_runs_end_it(
        days in proptest::collection::vec((permutation(), 0..12_u64, 0..7_u8), 1..4),
    ) {
        let world = world(6, both());
        for ((mails, numbers), step, fault) in &days {
            let fault = match fault {
                0 => TargetFault::RejectsOne(rule::MEMBER_REJECTED),
                1 => TargetFault::ConflictOne,
                2 => TargetFault::NotAttempted { retryable: true },
                3 => TargetFault::StoresButAnswersInDoubt,
                4 => TargetFault::StoresNothingAnswersInDoubt,
                5 => TargetFault::AnswersOkButStoresNothing,
                _ => TargetFault::FindFails(ErrorKind::Unavailable),
            };
            world.target.add_fault(fault.on_nth(world.target.log().len() as u64 + step).times(2));
            world.set_people(permuted(mails, numbers));
            if let Ok(report) = world.try_run() {
                prop_assert_eq!(report.applied.left + report.applied.created, 0, "{}", report);
            }
            world.target.clear_faults();
        }
        let (mails, numbers) = &days.last().unwrap().0;
        world.run();
        let verify = world.engine();
        let verified = hris_testkit::run(verify.verify(&world.next_run_id(), Trigger::Schedule, world.today()));
        let report = verified.unwrap();
        prop_assert!(is_as(&world, mails, numbers), "{}", report);
        prop_assert_eq!(world.run().planned.actions(), 0);
        prop_assert_eq!((world.target.members().len(), world.target.invitations_sent()), (6, 6));
        prop_assert_eq!(world.closed_accounts(), Vec::<String>::new());
    }
}
