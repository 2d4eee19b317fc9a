//! Many connections at once: fairness, one that hangs, a stop in the middle of everything.

use std::num::NonZeroUsize;
use std::time::Duration;

use hris_core::store::Runs as _;
use hris_core::{Clock as _, ConnectionKey, RunResult};
use hris_runner::{Runner, RunnerOptions, Stop};
use hris_testkit::MockConnector;

use crate::house::{House, people};

fn key(tenant: usize) -> ConnectionKey {
    ConnectionKey::new(format!("tenant {tenant:02}"), "acme")
}

/// Connections whose imports take some minutes each.
fn busy_house(tenants: usize) -> House {
    let house = House::new();
    for tenant in 0..tenants {
        let connector = MockConnector::new(people(0..20)).with_page_size(10);
        house.publish(&key(tenant), connector, house.target());
        let slow = MockConnector::new(people(0..24))
            .with_page_size(10)
            .with_delay(house.clock.clone(), Duration::from_secs(60));
        let target = house.ends.ends.lock().unwrap()[&key(tenant)].1.clone();
        house.ends.ends.lock().unwrap().insert(key(tenant), (slow, target));
    }
    house
}

fn two_at_once() -> RunnerOptions {
    RunnerOptions::default().with_at_once(NonZeroUsize::new(2).unwrap())
}

#[test]
fn one_that_hangs_keeps_nobody_else_from_their_turn_and_is_given_up_in_the_end() {
    let house = busy_house(8);
    let hanging = MockConnector::new(people(0..20))
        .with_delay(house.clock.clone(), Duration::from_secs(90 * 24 * 3600));
    let target = house.ends.ends.lock().unwrap()[&key(0)].1.clone();
    house.ends.ends.lock().unwrap().insert(key(0), (hanging, target));
    house.run_with(&two_at_once(), 20);
    for tenant in 1..8 {
        let runs = house.clock.drive(house.store.runs(&key(tenant), 0, 9)).unwrap();
        assert_eq!((runs.len(), &runs[0].result), (2, &RunResult::Applied), "tenant {tenant}");
    }
    let health = house.connection(&key(0)).health().clone();
    assert_eq!(health.failures, 1, "a run that takes too long counts as failed");
}

#[test]
fn a_stop_in_the_middle_of_everything_loses_nothing_and_doubles_nothing() {
    let house = busy_house(6);
    house.clock.advance(Duration::from_secs(8 * 3600 + 1800));
    // Six imports are due. The service is stopped and started again and again, at odd moments.
    for stop_after in [30, 61, 90, 125, 10, 200] {
        let (runner, stop) = (Runner::new(house.another_process(), two_at_once()), Stop::new());
        house.clock.drive(async {
            let closing = async {
                house.clock.sleep(Duration::from_secs(stop_after)).await;
                stop.stop();
            };
            let (ran, ()) = futures_util::join!(runner.run(&stop), closing);
            ran.unwrap();
        });
    }
    house.run_with(&two_at_once(), 4);
    for tenant in 0..6 {
        let target = house.ends.ends.lock().unwrap()[&key(tenant)].1.clone();
        assert_eq!(target.members().len(), 24, "tenant {tenant}");
        assert_eq!(target.invitations_sent(), 24, "nobody was invited twice");
        let scheduled = house.clock.drive(house.store.runs(&key(tenant), 0, 9)).unwrap();
        let applied = scheduled.iter().filter(|report| report.result == RunResult::Applied).count();
        assert_eq!(applied, 2, "the first import and that of the night");
        let reports = house.notices.all();
        let told = reports
            .iter()
            .filter(|notice| notice.connection == key(tenant) && notice.id.starts_with("run sched"));
        assert_eq!(told.count(), 1, "one notice of the night's run");
    }
}

#[test]
fn two_runners_on_one_store_run_everything_once() {
    let house = busy_house(5);
    house.clock.advance(Duration::from_secs(8 * 3600 + 1800));
    let stop = Stop::new();
    let runners =
        [house.worker.clone(), house.another_process()].map(|worker| Runner::new(worker, two_at_once()));
    house.clock.drive(async {
        let closing = async {
            house.clock.sleep(Duration::from_secs(3 * 3600)).await;
            stop.stop();
        };
        let (one, other, ()) = futures_util::join!(runners[0].run(&stop), runners[1].run(&stop), closing);
        one.and(other).unwrap();
    });
    for tenant in 0..5 {
        let target = house.ends.ends.lock().unwrap()[&key(tenant)].1.clone();
        assert_eq!((target.members().len(), target.invitations_sent()), (24, 24));
        assert_eq!(house.clock.drive(house.store.runs(&key(tenant), 0, 9)).unwrap().len(), 2);
        assert_eq!(house.connection(&key(tenant)).health().failures, 0);
    }
}
