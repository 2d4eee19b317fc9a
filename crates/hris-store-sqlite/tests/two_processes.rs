//! Two real processes on one connection: one lease, and fencing of whoever lost it.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::HashSet;
use std::env;
use std::io::{BufRead as _, BufReader, Lines, Write as _, stdin};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::keys::KeyId;
use hris_core::store::{Baseline, Lease, Leases as _, Links as _, Plans as _};
use hris_core::{ConnectionKey, ErrorKind, MappingVersion, RecordIdKind, Result, RunId};
use hris_store_sqlite::SqliteStore;
use hris_testkit::run;

/// Tells the other process which file to open.
const FILE: &str = "HRIS_TEST_STORE_FILE";
const TTL: Duration = Duration::from_secs(60);
/// How often each process takes the lease in their race.
const ROUNDS: usize = 100;

fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

fn start() -> DateTime<Utc> {
    "2026-03-02T06:00:00Z".parse().unwrap()
}

async fn acquire(store: &SqliteStore, run: &str, now: DateTime<Utc>) -> Result<Lease> {
    store.acquire(&connection(), &RunId::from(run), now, TTL).await
}

fn baseline(account: &str) -> Baseline {
    Baseline::new(account.into(), RecordIdKind::new("k"), KeyId::new("k"), MappingVersion::new("m"))
}

/// Tries for the lease until it had it a number of times, giving it back each time, and answers the tokens.
async fn race(store: &SqliteStore, run: &str) -> Vec<u64> {
    let mut tokens = Vec::new();
    while tokens.len() < ROUNDS {
        match acquire(store, run, start()).await {
            Ok(lease) => {
                tokens.push(lease.token);
                store.release(&lease).await.unwrap();
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Leased, "{error:?}"),
        }
    }
    tokens
}

/// The other process: carries out one word a line and answers each with a line.
#[test]
#[ignore = "this is the other process, started by the tests below"]
fn other_process() {
    let store = SqliteStore::open(env::var_os(FILE).unwrap()).unwrap();
    let mut lease = None;
    for order in stdin().lines() {
        let answer = run(async {
            match order.unwrap().as_str() {
                "acquire" => {
                    lease = Some(acquire(&store, "other", start()).await.unwrap());
                    "acquired".to_owned()
                }
                "write" => {
                    let written = store.set_baseline(lease.as_ref().unwrap(), &baseline("other")).await;
                    written.map_or_else(|error| format!("{:?}", error.kind()), |()| "written".to_owned())
                }
                "draft" => {
                    store.open_plan(lease.as_ref().unwrap(), &"plan".into()).await.unwrap();
                    "drafted".to_owned()
                }
                "race" => format!("{:?}", race(&store, "other").await),
                order => format!("unknown: {order}"),
            }
        });
        println!("{MARK}{answer}");
    }
}

/// Tells answers from what the test runner prints.
const MARK: &str = "answer: ";

struct Other {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(file: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["other_process", "--exact", "--ignored", "--nocapture"])
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, orders, answers }
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    fn answer(&mut self) -> String {
        let answers = self.answers.by_ref().map(std::result::Result::unwrap);
        let mut answers =
            answers.filter_map(|line| line.split_once(MARK).map(|(_, answer)| answer.to_owned()));
        answers.next().unwrap()
    }

    fn ask(&mut self, order: &str) -> String {
        self.order(order);
        self.answer()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn one_process_holds_the_lease_and_is_fenced_off_once_it_lost_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.sqlite");
    let mut other = Other::start(&file);
    assert_eq!(other.ask("acquire"), "acquired");
    run(async {
        let store = SqliteStore::open(&file).unwrap();
        let refused = acquire(&store, "mine", start()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Leased);
        assert_eq!(other.ask("write"), "written");
        let seen = store.baseline(&connection()).await.unwrap();
        assert_eq!(seen, Some(baseline("other")), "what one process wrote the other reads at once");

        let lease = acquire(&store, "mine", start() + TimeDelta::seconds(60)).await.unwrap();
        assert_eq!(other.ask("write"), "Leased");
        store.set_baseline(&lease, &baseline("mine")).await.unwrap();
        assert_eq!(store.baseline(&connection()).await.unwrap(), Some(baseline("mine")));
    });
}

#[test]
fn a_process_that_was_killed_leaves_a_sound_store_and_a_lease_that_runs_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.sqlite");
    let mut other = Other::start(&file);
    assert_eq!(other.ask("acquire"), "acquired");
    assert_eq!(other.ask("draft"), "drafted");
    assert_eq!(other.ask("write"), "written");
    drop(other);
    run(async {
        let store = SqliteStore::open(&file).unwrap();
        store.verify().await.unwrap();
        assert_eq!(store.baseline(&connection()).await.unwrap(), Some(baseline("other")));
        let early = acquire(&store, "mine", start()).await.unwrap_err();
        assert_eq!(early.kind(), ErrorKind::Leased);
        let lease = acquire(&store, "mine", start() + TimeDelta::seconds(60)).await.unwrap();
        store.open_plan(&lease, &"plan".into()).await.unwrap();
    });
}

#[test]
fn no_token_is_granted_twice_however_two_processes_race() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.sqlite");
    let mut other = Other::start(&file);
    let store = SqliteStore::open(&file).unwrap();
    other.order("race");
    let mine = run(race(&store, "mine"));
    let answer = other.answer();
    let theirs = answer.trim_matches(['[', ']']).split(", ").filter(|token| !token.is_empty());
    let theirs: Vec<u64> = theirs.map(|token| token.parse().unwrap()).collect();
    let all: HashSet<_> = mine.iter().chain(&theirs).collect();
    assert_eq!(all.len(), 2 * ROUNDS);
}
