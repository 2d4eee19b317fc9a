//! The import history, and the files of its runs.

use std::sync::Arc;
use std::time::Duration;

use hris_connection::History;
use hris_core::keys::KeyId;
use hris_core::store::{Leases as _, PlanState, Plans as _, Runs as _};
use hris_core::{
    ConnectionKey, EmployeeRef, Error, ErrorKind, Problem, RunReport, RunResult, Severity, TenantId, Trigger,
    rule,
};
use hris_store_memory::MemoryStore;
use hris_sync::FileFormat;
use hris_testkit::{ManualClock, run};

use crate::desk::{NOW, at, key, plan};

/// A store with a run that left problems, on the connection of the tests.
async fn store_with_a_run(result: RunResult) -> MemoryStore {
    let store = MemoryStore::new();
    let lease = store.acquire(&key(), &"run".into(), at(NOW), Duration::from_secs(60)).await.unwrap();
    let header = plan(&hris_core::MappingVersion::new("m"), "d");
    store.open_plan(&lease, &header.id).await.unwrap();
    let person = EmployeeRef::record("r-17");
    let problems = [
        Problem::error(rule::EMAIL_MISSING, "there is no e-mail address").of(&person).at("email"),
        Problem::warning(rule::PERSON_MISSING, "not in the listing").of(&person),
        Problem::error(rule::EMAIL_SHARED, "two people have it"),
    ];
    store.append(&lease, &header.id, &[], &problems).await.unwrap();
    store.seal(&lease, &header).await.unwrap();
    store.set_plan_state(&lease, &header.id, &PlanState::Dismissed { actor: "x".to_owned() }).await.unwrap();
    let mut report = RunReport::started("run".into(), key(), Trigger::Schedule, at(NOW));
    report.result = result;
    report.plan = Some(header.id.clone());
    store.record_run(&lease, &report).await.unwrap();
    store.release(&lease).await.unwrap();
    store
}

async fn file(history: &History, run: &str, severity: Severity) -> Result<(u64, String), Error> {
    let mut out = Vec::new();
    let count = history.write_file(&key(), &run.into(), severity, FileFormat::Csv, &mut out).await?;
    Ok((count, String::from_utf8(out).unwrap()))
}

#[test]
fn errors_and_warnings_of_a_run_are_files_of_their_own() {
    run(async {
        let store = store_with_a_run(RunResult::Applied).await;
        let history = History::new(Arc::new(store), Arc::new(ManualClock::at(NOW)));
        let (count, errors) = file(&history, "run", Severity::Error).await.unwrap();
        assert_eq!((count, errors.lines().count()), (2, 3));
        assert!(errors.contains("r-17,,email,email.missing,there is no e-mail address,"));
        let (count, warnings) = file(&history, "run", Severity::Warning).await.unwrap();
        assert!(count == 1 && warnings.contains("person.missing"), "{warnings}");
        assert_eq!(file(&history, "never", Severity::Error).await.unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_run_that_failed_as_a_whole_says_so_in_its_error_file() {
    run(async {
        let failed = RunResult::Failed { message: "the reading broke off".to_owned() };
        let history = History::new(Arc::new(store_with_a_run(failed).await), Arc::new(ManualClock::at(NOW)));
        let (count, errors) = file(&history, "run", Severity::Error).await.unwrap();
        assert_eq!(count, 3);
        assert!(errors.lines().nth(1).unwrap().ends_with("run.failed,the reading broke off,"), "{errors}");
    });
}

#[test]
fn files_end_after_ninety_days_and_the_history_does_not() {
    run(async {
        let store = store_with_a_run(RunResult::Applied).await;
        let clock = ManualClock::at(NOW);
        let history = History::new(Arc::new(store.clone()), Arc::new(clock.clone()));
        clock.advance(Duration::from_secs(90 * 24 * 3600 - 1));
        assert_eq!(history.purge_files(&key()).await.unwrap(), 0);
        assert_eq!(file(&history, "run", Severity::Error).await.unwrap().0, 2);
        clock.advance(Duration::from_secs(2));
        let gone = file(&history, "run", Severity::Error).await.unwrap_err();
        assert!(gone.kind() == ErrorKind::NotFound && gone.to_string().contains("time is over"), "{gone}");
        assert_eq!(history.purge_files(&key()).await.unwrap(), 1);
        assert!(!store.dump().contains("r-17"), "nothing of the people is left");
        assert_eq!(history.runs(&TenantId::new("brisa"), 0, 9).await.unwrap().len(), 1);
        assert_eq!(history.run(&key(), &"run".into()).await.unwrap().run.as_str(), "run");
    });
}

#[test]
fn the_history_lists_every_run_of_every_connection_of_a_tenant() {
    run(async {
        let store = MemoryStore::new();
        let connections =
            [("brisa", "a"), ("brisa", "b"), ("calma", "c")].map(|(t, c)| ConnectionKey::new(t, c));
        for (number, connection) in connections.iter().cycle().take(6).enumerate() {
            let now = at(NOW) + chrono::TimeDelta::hours(i64::try_from(number).unwrap());
            let lease = store.acquire(connection, &"x".into(), now, Duration::from_secs(60)).await.unwrap();
            let name = format!("run {number}");
            let mut report = RunReport::started(name.into(), connection.clone(), Trigger::Schedule, now);
            // Also those that did nothing, failed or were held.
            report.result = match number {
                0 => RunResult::NothingToDo,
                1 => RunResult::Failed { message: "no answer".to_owned() },
                _ => RunResult::Held { reasons: Vec::new() },
            };
            store.record_run(&lease, &report).await.unwrap();
        }
        let history = History::new(Arc::new(store), Arc::new(ManualClock::at(NOW)));
        let runs = history.runs(&TenantId::new("brisa"), 0, 9).await.unwrap();
        let names: Vec<_> = runs.iter().map(|report| report.run.as_str()).collect();
        assert_eq!(names, ["run 4", "run 3", "run 1", "run 0"]);
        assert_eq!(KeyId::new("k").as_str(), "k");
    });
}
