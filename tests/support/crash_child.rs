//! One run of a connection in a process of its own, to be killed: arguments are store file, port, day, and the store
//! write at which it dies (0: never), before or after it, and a seed
//! for the sizes of pages and batches.
#![allow(clippy::print_stderr, reason = "a helper program of the tests")]

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use hris_core::keys::KeyId;
use hris_core::{ConnectionKey, Error, FieldMap, RunId, SecretKey, Trigger};
use hris_store_sqlite::SqliteStore;
use hris_sync::Engine;
use hris_testkit::{ManualClock, MockConnector};
use hris_tests::{DyingStore, LoopbackTarget, directory, today};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Error> {
    let usage = || {
        Error::config(
            "crash-child STORE PORT DAY ATTEMPT DIES_AT before|after SEED",
            "it is started by a test",
        )
    };
    let [store, port, day, attempt, dies_at, moment, seed] = arguments else { return Err(usage()) };
    let port: u16 = port.parse().map_err(|_| usage())?;
    let day: u32 = day.parse().map_err(|_| usage())?;
    let dies_at: u64 = dies_at.parse().map_err(|_| usage())?;
    let seed: usize = seed.parse().map_err(|_| usage())?;
    let store = DyingStore::new(Arc::new(SqliteStore::open(store)?), dies_at, moment == "after");
    // Later attempts come after the lease of a dead process is over.
    let clock = ManualClock::at(&format!("{}T06:00:00Z", today(day)));
    for _ in 0..attempt.parse().unwrap_or(0_u32) {
        clock.advance(std::time::Duration::from_secs(3600));
    }
    let engine = Engine::new(
        ConnectionKey::new("acme", "hr"),
        Arc::new(MockConnector::new(directory(day)).with_page_size(2 + 3 * seed)),
        Arc::new(FieldMap::standard()),
        Arc::new(LoopbackTarget::new(port, NonZeroUsize::MIN.saturating_add(2 * (seed - 1)))),
        Arc::new(store),
        Arc::new(SecretKey::new(KeyId::new("k"), [7; 32])),
        Arc::new(clock),
    );
    let run = RunId::from(format!("day-{day}-{attempt}"));
    hris_testkit::run(engine.run(&run, Trigger::Schedule, today(day)))?;
    Ok(())
}
