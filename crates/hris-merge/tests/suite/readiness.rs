//! Whether an account may be read at all, and what an account that is not well may still be used for.

use hris_core::{ErrorKind, HrisConnector as _, rule};
use hris_merge::sim::{Behaviour, MergeSim, Synchronisation};
use hris_testkit::run;
use hris_testkit::sim::Fault;

use crate::setup::{
    EMPLOYEES, SYNC_STATUS, build, config, connector, plain_population, read, refusal, row_fields,
};

type Change = fn(&mut Behaviour);

async fn sim(change: impl FnOnce(&mut Behaviour)) -> MergeSim {
    let sim = MergeSim::start(plain_population(30)).await;
    sim.behave(change);
    sim
}

#[test]
fn an_account_without_data_worth_reading_is_an_error_of_its_own_before_any_employee() {
    run(async {
        let changes: [Change; 4] = [
            |vendor| vendor.account_status = "INCOMPLETE".to_owned(),
            |vendor| vendor.sync = Synchronisation::first(),
            |vendor| vendor.sync = Synchronisation::first().with_status("FAILED"),
            |vendor| vendor.sync.status = "DISABLED".to_owned(),
        ];
        for change in changes {
            let sim = sim(change).await;
            let connector = connector(&sim);
            let read = read(&connector, row_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::NotReady);
            assert!(read.error().hint().is_some());
            assert!(sim.requests_for(EMPLOYEES).is_empty(), "nobody was asked for");
            let account = connector.check().await.unwrap();
            assert!(account.not_ready.is_some(), "the same is said to whoever authorises");
        }
    });
}

#[test]
fn a_stale_account_may_update_but_not_remove() {
    run(async {
        let changes: [(Change, &str); 8] = [
            (|vendor| vendor.account_status = "RELINK_NEEDED".to_owned(), "RELINK_NEEDED"),
            (|vendor| vendor.account_status = "IDLE".to_owned(), "idle"),
            (|vendor| vendor.account_status = "SOMETHING_NEW".to_owned(), "SOMETHING_NEW"),
            (|vendor| vendor.sync.status = "FAILED".to_owned(), "FAILED"),
            (|vendor| vendor.sync.status = "PAUSED".to_owned(), "PAUSED"),
            (|vendor| vendor.sync.status = "SOMETHING_NEW".to_owned(), "SOMETHING_NEW"),
            (|vendor| vendor.sync.is_listed = false, "no synchronisation"),
            (|vendor| vendor.sync.finished = Some("2026-02-26T00:00:00Z".to_owned()), "hours old"),
        ];
        for (change, word) in changes {
            let sim = sim(change).await;
            let connector = connector(&sim);
            let read = read(&connector, row_fields()).await;
            assert_eq!(read.employees.len(), 30, "{word}: everybody is delivered for updates");
            let receipt = read.receipt();
            for ground in [&receipt.status, &receipt.tombstones, receipt.absence.ground()] {
                assert!(refusal(ground).contains(word), "{word}: {ground:?}");
            }
            assert_eq!(receipt.warnings[0].rule, rule::LEAVERS_WITHHELD);
            assert!(connector.check().await.unwrap().not_ready.unwrap().contains(word));
        }
    });
}

#[test]
fn a_synchronisation_under_way_or_in_part_forbids_conclusions_from_absence_only() {
    run(async {
        for status in ["SYNCING", "PARTIALLY_SYNCED"] {
            let sim = sim(|vendor| {
                status.clone_into(&mut vendor.sync.status);
                "BambooHR".clone_into(&mut vendor.integration.0);
            })
            .await;
            let connector = connector(&sim);
            let read = read(&connector, row_fields()).await;
            assert!(read.receipt().status.is_usable(), "{status}");
            assert!(!read.receipt().absence.ground().is_usable(), "{status}");
            assert_eq!(read.receipt().tombstones.is_usable(), status == "SYNCING");
            assert_eq!(connector.check().await.unwrap().not_ready, None);
        }
    });
}

#[test]
fn an_account_whose_synchronisation_cannot_be_asked_is_stale() {
    run(async {
        for status in [403, 404] {
            let sim = sim(|_| {}).await;
            sim.faults().add(Fault::status(status).always().on_path(SYNC_STATUS));
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.employees.len(), 30);
            assert!(!read.receipt().status.is_usable(), "{status}");
        }
    });
}

#[test]
fn a_failure_of_the_readiness_check_is_a_failure_and_not_a_stale_account() {
    run(async {
        let sim = sim(|_| {}).await;
        sim.faults().add(Fault::status(500).always().on_path(SYNC_STATUS));
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Unavailable);
        assert!(read.employees.is_empty());
    });
}

#[test]
fn how_old_data_may_be_is_a_choice() {
    run(async {
        let sim = sim(|vendor| vendor.sync.finished = Some("2026-02-01T00:00:00Z".to_owned())).await;
        for (hours, is_usable) in [(Some(48), false), (Some(1_000), true), (None, true)] {
            let connector = build(config(sim.url()).with_max_staleness(hours), &sim);
            let read = read(&connector, row_fields()).await;
            assert_eq!(read.receipt().status.is_usable(), is_usable, "{hours:?}");
        }
    });
}

#[test]
fn once_the_first_synchronisation_is_over_the_account_is_read() {
    run(async {
        let sim = sim(|vendor| vendor.sync = Synchronisation::first()).await;
        let connector = connector(&sim);
        let early = read(&connector, row_fields()).await;
        assert!(early.error().is_retryable(), "waiting helps");
        sim.behave(|vendor| {
            vendor.sync = Synchronisation::default();
            vendor.sync.is_initial = true;
        });
        assert!(read(&connector, row_fields()).await.receipt().absence.ground().is_usable());
    });
}
