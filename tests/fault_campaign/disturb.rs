//! What goes wrong: one disturbance of one run.

use std::time::Duration;

use fastrand::Rng;
use hris_core::{
    Account, EmploymentStatus, Error, ErrorKind, Ground, ProvisioningPlan as _, Receipt, RunResult, Trigger,
    rule,
};
use hris_sync::Cancel;
use hris_testkit::{Ending, MockConnector, TargetFault, TargetFaultRule};

use crate::truth::Day;
use crate::world::{World, edited, now, release_if_held, usual};

/// More polls than any run needs that is not killed.
const TO_THE_END: u32 = 100_000;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Disturbance {
    /// None: an ordinary run.
    Calm,
    /// The reading fails after some rows.
    SourceFails,
    /// The reading stops without a receipt.
    SourceBreaksOff,
    /// The credential opens another company.
    AnotherCompany,
    /// The receipt forbids leavers.
    NoTrust,
    /// The vendor says that everybody is inactive.
    EverybodyInactive,
    /// The vendor lists nobody, and calls it complete.
    NobodyListed,
    /// Every row comes twice.
    RowsTwice,
    /// The platform misbehaves.
    Platform,
    /// The process dies in mid reading.
    DiesReading,
    /// The process dies in mid write.
    DiesWriting,
    /// Somebody stops the run in mid write.
    Stopped,
    /// Somebody tries another mapping.
    AnotherMapping,
    /// A review is made, and applied later, with the same mapping or another.
    Review,
    /// A dry run and a comparison of mappings, which leave nothing.
    Looks,
}

impl Disturbance {
    const ALL: [Self; 15] = [
        Self::Calm,
        Self::SourceFails,
        Self::SourceBreaksOff,
        Self::AnotherCompany,
        Self::NoTrust,
        Self::EverybodyInactive,
        Self::NobodyListed,
        Self::RowsTwice,
        Self::Platform,
        Self::DiesReading,
        Self::DiesWriting,
        Self::Stopped,
        Self::AnotherMapping,
        Self::Review,
        Self::Looks,
    ];

    pub(crate) fn any(rng: &mut Rng) -> Self {
        Self::ALL[rng.usize(0..Self::ALL.len())]
    }

    pub(crate) fn strike(self, world: &mut World, day: &Day, rng: &mut Rng) {
        let directory = World::directory(day);
        match self {
            Self::Calm => run(world, directory, rng),
            Self::SourceFails => {
                let rows = rng.u64(0..day.people.len() as u64 + 2);
                let kinds = [
                    ErrorKind::Unavailable,
                    ErrorKind::Timeout,
                    ErrorKind::Protocol,
                    ErrorKind::Unauthorized,
                ];
                let kind = kinds[rng.usize(0..kinds.len())];
                directory
                    .set_ending(Ending::failing_after(rows, move || Error::new(kind, "the source failed")));
                never_released(world, directory);
            }
            Self::SourceBreaksOff => {
                directory.set_ending(Ending::broken_off());
                never_released(world, directory);
            }
            Self::AnotherCompany => {
                directory.set_account(Account::new("another company"));
                // On the first import the company is whichever the credential opens.
                if world.settled {
                    never_released(world, directory);
                }
            }
            Self::NoTrust => {
                directory.set_receipt(|receipt: &mut Receipt| {
                    receipt.status = Ground::Refused("the account needs relinking".into());
                    receipt.tombstones = Ground::Refused("the account needs relinking".into());
                });
                run(world, directory, rng);
            }
            Self::EverybodyInactive => lie(world, day),
            Self::NobodyListed => {
                let before = world.target.members().len();
                never_released(world, MockConnector::new([]));
                assert!(world.target.members().len() >= before);
            }
            Self::RowsTwice => {
                let twice = day.people.iter().flat_map(|person| [person.clone(), person.clone()]);
                directory.set_people(twice);
                run(world, directory, rng);
            }
            Self::Platform => {
                misbehave(world, day, rng);
                run(world, directory, rng);
            }
            Self::DiesReading => {
                let directory = directory.with_delay(world.clock.clone(), Duration::from_secs(1));
                let engine = world.engine(directory, usual(), &Cancel::new());
                let (id, polls) = (world.next_run(), rng.u32(0..9));
                world.drive(polls, engine.run(&id, Trigger::Schedule, world.today()));
            }
            Self::DiesWriting => {
                slow_down(world, day, rng);
                let engine = world.engine(directory, usual(), &Cancel::new());
                let id = world.next_run();
                world.drive(rng.u32(1..4), engine.run(&id, Trigger::Schedule, world.today()));
            }
            Self::Stopped => {
                slow_down(world, day, rng);
                let cancel = Cancel::new();
                let engine = world.engine(directory, usual(), &cancel);
                let id = world.next_run();
                let mut run = Box::pin(engine.run(&id, Trigger::Schedule, world.today()));
                if world.drive(rng.u32(1..3), run.as_mut()).is_none() {
                    cancel.cancel();
                    world.drive(TO_THE_END, run);
                }
            }
            Self::AnotherMapping => {
                let engine = world.engine(directory, edited(), &Cancel::new());
                let id = world.next_run();
                let _ = now(engine.run(&id, Trigger::OnDemand, world.today()));
            }
            Self::Review => review(world, day, rng),
            Self::Looks => look(world, directory),
        }
    }
}

/// A run of what is true; a held plan may be released, on a platform that may fail.
fn run(world: &mut World, directory: MockConnector, rng: &mut Rng) {
    let engine = world.engine(directory, usual(), &Cancel::new());
    let id = world.next_run();
    let report = now(engine.run(&id, Trigger::Schedule, world.today()));
    world.tell(&report);
    if let Ok(report) = report
        && rng.bool()
    {
        let _ = release_if_held(&engine, report);
    }
}

/// A run of something that is not true, or not all: nobody releases it.
fn never_released(world: &mut World, directory: MockConnector) {
    let engine = world.engine(directory, usual(), &Cancel::new());
    let id = world.next_run();
    let report = now(engine.run(&id, Trigger::Schedule, world.today()));
    world.tell(&report);
}

/// Everybody inactive at once is held, whatever else is under way. Of three members and fewer nobody can tell.
fn lie(world: &mut World, day: &Day) {
    if !world.settled {
        return;
    }
    let mut people = day.people.clone();
    for person in &mut people {
        person.status = EmploymentStatus::Inactive;
    }
    let engine = world.engine(MockConnector::new(people), usual(), &Cancel::new());
    let id = world.next_run();
    let report = now(engine.run(&id, Trigger::Schedule, world.today()));
    world.tell(&report);
    if let Ok(report) = report {
        assert!(matches!(report.result, RunResult::Held { .. }), "{report}");
    }
}

/// A plan that is made for review. Whether it may still be applied is the engine's to say.
fn review(world: &mut World, day: &Day, rng: &mut Rng) {
    let engine = world.engine(World::directory(day), usual(), &Cancel::new());
    let id = world.next_run();
    let Ok(plan) = now(engine.plan(&id, world.today())) else {
        // An earlier plan is half applied.
        return;
    };
    let header = plan.header().clone();
    if rng.bool() {
        world.clock.advance(Duration::from_secs(rng.u64(0..200) * 3600 / 10));
    }
    match rng.u32(0..4) {
        0 => {}
        1 => {
            let other = world.engine(World::directory(day), edited(), &Cancel::new());
            let error = now(other.apply(&header.id, &header.digest, Trigger::OnDemand)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Stale | ErrorKind::Held), "{error}");
        }
        2 => {
            let error = now(engine.apply(&header.id, "another digest", Trigger::OnDemand)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Stale);
        }
        _ => {
            misbehave(world, day, rng);
            let _ = now(engine.apply(&header.id, &header.digest, Trigger::OnDemand));
        }
    }
}

/// Looking leaves nothing: neither in the store nor on the platform nor in anybody's mailbox.
fn look(world: &mut World, directory: MockConnector) {
    let before = (world.store.dump(), world.target.members(), world.target.invitations_sent());
    let engine = world.engine(directory, usual(), &Cancel::new());
    let _ = now(engine.dry_run(world.today())).expect("a dry run ends well");
    let _ = now(engine.compare_mappings(std::sync::Arc::new(edited()), world.today(), 5))
        .expect("so does a comparison");
    let _ = now(engine.verify_dry_run(world.today())).expect("so does a verify run that only looks");
    let after = (world.store.dump(), world.target.members(), world.target.invitations_sent());
    assert_eq!(before, after, "looking left a trace");
}

fn misbehave(world: &World, day: &Day, rng: &mut Rng) {
    for _ in 0..rng.u32(1..5) {
        let fault = match rng.u32(0..8) {
            0 => TargetFault::StoresButAnswersInDoubt,
            1 => TargetFault::StoresNothingAnswersInDoubt,
            2 => TargetFault::AnswersOkButStoresNothing,
            3 => TargetFault::RejectsOne(rule::MEMBER_REJECTED),
            4 => TargetFault::ConflictOne,
            5 => TargetFault::NotAttempted { retryable: rng.bool() },
            6 => TargetFault::FindFails(ErrorKind::Unavailable),
            _ => TargetFault::FindFails(ErrorKind::Timeout),
        };
        world.target.add_fault(aimed(fault, day, rng));
    }
}

fn slow_down(world: &World, day: &Day, rng: &mut Rng) {
    for _ in 0..rng.u32(1..5) {
        let wait = Duration::from_secs(1);
        let fault = if rng.bool() { TargetFault::Slow(wait) } else { TargetFault::SlowAnswer(wait) };
        world.target.add_fault(aimed(fault, day, rng));
    }
}

/// At somebody of the day, or at whatever comes next, once or more often.
fn aimed(fault: TargetFault, day: &Day, rng: &mut Rng) -> TargetFaultRule {
    let rule = if rng.u32(0..3) == 0 {
        fault.on_nth(1)
    } else {
        let person = &day.people[rng.usize(0..day.people.len())];
        fault.on_employee(person.employee_id.value().expect("everybody has one").clone())
    };
    rule.times(rng.u64(1..4))
}
