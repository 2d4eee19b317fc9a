//! The fault campaign: whatever goes wrong between an HR system and a platform, nobody leaves who did not, nobody is
//! there twice, and once it is over the state is the one that an undisturbed history gives.
//!
//! Each schedule is one company over some days, made from its seed. Its runs are disturbed by a source that fails or
//! lies, a platform that refuses, loses answers or stores nothing, processes that die in mid reading and in mid write,
//! stops, other mappings, reviews that are never applied, and releases. `HRIS_FAULT_SCHEDULES` is how many schedules
//! run (1,000 unless set), `HRIS_FAULT_SEED` the first seed. A failure names its seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod disturb;
mod truth;
mod world;

use std::collections::BTreeSet;

use disturb::Disturbance;
use fastrand::Rng;
use hris_sync::BrokenReading;
use truth::Truth;
use world::{State, World};

#[test]
fn no_schedule_of_faults_makes_a_wrong_leaver_and_each_ends_as_if_nothing_had_happened() {
    let (first, count) = (option("HRIS_FAULT_SEED", 0), option("HRIS_FAULT_SCHEDULES", 1_000));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || (first..first + count).skip(thread).step_by(threads).for_each(schedule));
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "an option of this test program")]
fn option(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}

/// Says which schedule failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the schedule of seed {0} failed: HRIS_FAULT_SEED={0} HRIS_FAULT_SCHEDULES=1", self.0);
        }
    }
}

fn schedule(seed: u64) {
    let named = Seed(seed);
    let mut rng = Rng::with_seed(seed);
    let truth = Truth::new(&mut rng);
    let expected = undisturbed(&truth);
    disturbed(&truth, &expected, &mut rng);
    drop(named);
}

/// What an undisturbed history comes to.
fn undisturbed(truth: &Truth) -> State {
    let mut world = World::new(BrokenReading::ApplyNothing);
    for day in &truth.days {
        world.settle(day);
        world.pass_a_day();
    }
    let last = truth.days.last().unwrap();
    world.settle(last);
    world.verify(last);
    world.state()
}

/// The same history, disturbed: it has to come to the same.
fn disturbed(truth: &Truth, expected: &State, rng: &mut Rng) {
    let broken = if rng.bool() { BrokenReading::ApplyNothing } else { BrokenReading::ApplyCreatesAndUpdates };
    let mut world = World::new(broken);
    let mut left = BTreeSet::new();
    for (number, day) in truth.days.iter().enumerate() {
        left.extend(day.left.iter().cloned());
        for _ in 0..rng.u32(1..4) {
            let disturbance = Disturbance::any(rng);
            world.told.push(format!("day {number}: {disturbance:?}"));
            disturbance.strike(&mut world, day, rng);
            world.target.clear_faults();
            world.pass_an_hour();
            nobody_was_wronged(&world, &left);
        }
        if number == 0 {
            // Members have to be there for the rest to be about them.
            world.settle(day);
            world.verify(day);
        }
        world.pass_a_day();
    }
    let last = truth.days.last().unwrap();
    world.settle(last);
    world.verify(last);
    nobody_was_wronged(&world, &left);
    let state = world.state();
    assert!(state == *expected, "{}", world.story(&state, expected));
    let again = world.settle(last);
    assert_eq!(
        again.planned.actions(),
        0,
        "after a clean run and a verify run there is nothing to do: {again}"
    );
}

/// Nobody's account is closed who was not gone by some directory so far, and nobody was invited twice.
fn nobody_was_wronged(world: &World, left: &BTreeSet<String>) {
    let state = world.state();
    let wronged: Vec<_> = state.closed.difference(left).collect();
    let told = world.told.join("\n");
    assert!(wronged.is_empty(), "closed although they never left: {wronged:?}\n{told}");
    for member in world.target.members() {
        let invitations = world.target.invitations(&member.id);
        assert!(invitations <= 1, "{:?} was invited {invitations} times", member.attributes.employee_id());
    }
}
