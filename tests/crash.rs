//! A real process is killed at every step of its journal and at every call to the platform; the next run completes it:
//! nothing lost, nothing doubled, no second invitation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use hris_core::ConnectionKey;
use hris_core::store::Runs as _;
use hris_store_sqlite::SqliteStore;
use hris_testkit::{ManualClock, MockTarget};
use hris_tests::{Death, TargetServer, today};
use tokio::process::Command;

/// How a child dies.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// At a write to its store, by itself: as if the power had gone.
    StoreWrite(u64, &'static str),
    /// At a call to the platform, by the platform's side.
    Call(Death),
}

/// Employee ID, whether open, and how often invited: what must not depend on crashes.
type Accounts = BTreeMap<String, (bool, u64)>;

struct World {
    seed: u32,
    folder: tempfile::TempDir,
    target: MockTarget,
    attempt: u32,
}

impl World {
    fn new(seed: u32) -> Self {
        let clock = ManualClock::at(&format!("{}T06:00:00Z", today(1)));
        let target = MockTarget::new(clock);
        Self { seed, folder: tempfile::tempdir().unwrap(), target, attempt: 0 }
    }

    fn store(&self) -> std::path::PathBuf {
        self.folder.path().join("store.db")
    }

    /// Runs a day in a child. Whether the child was killed.
    async fn run(&mut self, day: u32, kill: Option<Kill>) -> bool {
        self.attempt += 1;
        let server = TargetServer::start(self.target.clone()).await.unwrap();
        let (dies_at, moment) = match kill {
            Some(Kill::StoreWrite(write, moment)) => (write, moment),
            _ => (0, "before"),
        };
        let child = Command::new(env!("CARGO_BIN_EXE_crash-child"))
            .arg(self.store())
            .args([server.port().unwrap().to_string(), day.to_string(), self.attempt.to_string()])
            .args([dies_at.to_string(), moment.to_owned(), self.seed.to_string()])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let death = match kill {
            Some(Kill::Call(death)) => Some(death),
            _ => None,
        };
        let ended = server.serve(child, death).await.unwrap();
        assert!(kill.is_some() || ended.success, "an undisturbed run ends well");
        !ended.success
    }

    fn accounts(&self) -> Accounts {
        let members = self.target.members().into_iter();
        let account = |member: hris_core::MemberRecord| {
            let invitations = self.target.invitations(&member.id);
            (member.attributes.employee_id().unwrap().to_string(), (member.active, invitations))
        };
        members.map(account).collect()
    }
}

/// The accounts after two undisturbed days.
async fn undisturbed(seed: u32) -> Accounts {
    let mut world = World::new(seed);
    world.run(1, None).await;
    world.run(2, None).await;
    world.accounts()
}

/// Two days, the child killed once on the second; then a run that completes it.
async fn disturbed(seed: u32, kill: Kill) -> Option<Accounts> {
    let mut world = World::new(seed);
    world.run(1, None).await;
    if !world.run(2, Some(kill)).await {
        return None;
    }
    world.run(2, None).await;
    let creates =
        world.target.log().into_iter().filter(|entry| entry.kind == "create" && entry.wrote).count();
    assert_eq!(creates, 16, "{kill:?}: everybody is created once");
    let reports = world.reports(&world.store()).await;
    let clean = |report: &hris_core::RunReport| report.applied.uncertain + report.applied.failed == 0;
    assert!(reports.iter().all(clean), "{kill:?}: {reports:?}");
    let accounts = world.accounts();
    world.settles().await;
    Some(accounts)
}

impl World {
    async fn reports(&self, store: &Path) -> Vec<hris_core::RunReport> {
        let store = SqliteStore::open(store).unwrap();
        store.runs(&ConnectionKey::new("acme", "hr"), 0, 100).await.unwrap()
    }

    /// A further run changes nothing.
    async fn settles(&mut self) {
        let writes = self.target.writes();
        self.run(2, None).await;
        assert_eq!(self.target.writes(), writes);
    }
}

/// Kills at step 1, 2, … until a child gets through undisturbed, and compares each time; with pages and batches of
/// several sizes. Answers the number of steps.
async fn kill_everywhere(kill: impl Fn(u64) -> Kill) -> u64 {
    let mut steps = 0;
    for seed in 1..=3 {
        let expected = undisturbed(seed).await;
        for step in 1.. {
            match disturbed(seed, kill(step)).await {
                Some(accounts) => assert_eq!(accounts, expected, "seed {seed}, {:?}", kill(step)),
                None => break,
            }
            steps += 1;
        }
    }
    steps
}

#[tokio::test]
async fn a_process_that_dies_before_any_write_to_its_store_loses_and_doubles_nothing() {
    let steps = kill_everywhere(|step| Kill::StoreWrite(step, "before")).await;
    assert!(steps > 36, "every step of the journal was tried: {steps}");
}

#[tokio::test]
async fn a_process_that_dies_after_any_write_to_its_store_loses_and_doubles_nothing() {
    let steps = kill_everywhere(|step| Kill::StoreWrite(step, "after")).await;
    assert!(steps > 36, "every step of the journal was tried: {steps}");
}

#[tokio::test]
async fn a_process_that_dies_before_the_effect_of_any_call_loses_and_doubles_nothing() {
    let steps = kill_everywhere(|call| Kill::Call(Death { call, after_effect: false })).await;
    assert!(steps > 12, "every call was tried: {steps}");
}

#[tokio::test]
async fn a_process_that_dies_after_the_effect_of_any_call_loses_and_doubles_nothing() {
    let steps = kill_everywhere(|call| Kill::Call(Death { call, after_effect: true })).await;
    assert!(steps > 12, "every call was tried: {steps}");
}
