//! Two real processes on one connection: one lease, and fencing of whoever lost it.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use chrono::TimeDelta;
use hris_core::ErrorKind;
use hris_core::store::{Links as _, Plans as _};
use hris_store_sqlite::SqliteStore;
use hris_testkit::run;
use hris_tests::lease::{ROUNDS, acquire, baseline, connection, race, start};

struct Other {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(file: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lease-child"))
            .arg(file)
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
        self.answers.next().unwrap().unwrap()
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
    let mine = run(race(&store, "mine")).unwrap();
    let answer = other.answer();
    let theirs = answer.trim_matches(['[', ']']).split(", ").filter(|token| !token.is_empty());
    let theirs: Vec<u64> = theirs.map(|token| token.parse().unwrap()).collect();
    let all: HashSet<_> = mine.iter().chain(&theirs).collect();
    assert_eq!(all.len(), 2 * ROUNDS);
}
