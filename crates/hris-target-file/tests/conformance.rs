//! The file target passes the conformance suite for targets. The platform is the file, read and written by hand.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hris_core::{Attributes, Clock as _, MemberId, Parking, ProvisioningTarget, Result, TargetField};
use hris_target_file::FileTarget;
use hris_testkit::ManualClock;
use hris_testkit::target_suite::{
    Planted, PlatformFault, RawMember, SkipReason, TargetCase, TargetHarness, TestPlatform,
};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Folder {
    home: TempDir,
    clock: ManualClock,
    seen: Mutex<Seen>,
}

/// What was in the file at the last look, so that writes can be counted without the target.
#[derive(Default)]
struct Seen {
    lines: BTreeMap<String, Value>,
    writes: u64,
}

impl Folder {
    fn path(&self) -> PathBuf {
        self.home.path().join("members.jsonl")
    }

    /// The lines of members, by id.
    fn lines(&self) -> BTreeMap<String, Value> {
        let text = fs::read_to_string(self.path()).unwrap_or_default();
        let lines = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| (line["id"].as_str().unwrap().to_owned(), line)).collect()
    }

    /// Compares with the last look: every line that differs was written.
    fn look(&self) -> u64 {
        let mut seen = self.seen.lock().unwrap();
        let lines = self.lines();
        let differing = lines.iter().filter(|(id, line)| seen.lines.get(*id) != Some(line)).count();
        seen.writes += differing as u64;
        seen.lines = lines;
        seen.writes
    }

    /// A folder in the place of the temporary file, which no user can open for writing.
    fn obstacle(&self) -> PathBuf {
        self.home.path().join("members.jsonl.tmp")
    }
}

/// What accounts made by hand have beside the rest.
fn other() -> TargetField {
    TargetField::Custom("nickname".into())
}

impl TestPlatform for Folder {
    fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
        let target = match case {
            TargetCase::Good => {
                let parking = Parking::new().with_email("parked+{token}@parking.example").unwrap();
                let parking = parking.with_employee_id("parked-{token}").unwrap();
                FileTarget::open(self.path(), self.clock.clone()).map(|target| target.with_parking(parking))
            }
            TargetCase::ReadOnly => FileTarget::read_only(self.path(), self.clock.clone()),
            _ => return None,
        };
        Some(target.map(|target| Arc::new(target) as _))
    }

    fn members(&self) -> Vec<RawMember> {
        // From its day on a closed account is gone, even while its line is still there.
        let today = self.clock.now().date_naive().to_string();
        let is_gone = |line: &Value| line["closes_on"].as_str().is_some_and(|day| day <= today.as_str());
        let there = self.lines().into_iter().filter(|(_, line)| !is_gone(line));
        let raw = there.map(|(id, line)| {
            let mut attributes: Attributes = serde_json::from_value(line["attributes"].clone()).unwrap();
            let nickname = attributes.text(&other()).map(str::to_owned);
            attributes.merge(&Attributes::from_iter([(other(), None)]));
            let raw = RawMember::new(id, attributes)
                .with_active(line["active"].as_bool().unwrap())
                .with_invitations(line["invitations"].as_u64().unwrap());
            nickname.into_iter().fold(raw, |raw, nickname| raw.with_other("nickname", nickname))
        });
        raw.collect()
    }

    fn writes(&self) -> u64 {
        self.look()
    }

    /// Before the target is opened: it holds a lock, and others keep their hands off.
    fn plant(&self, account: &Planted) -> Option<MemberId> {
        let mut lines = self.lines();
        let mut attributes = account.attributes.clone();
        if account.other {
            attributes.set(other(), Some("Pirulo".into()));
        }
        let clashes = self.members().iter().any(|raw| {
            let key = |of: &Attributes| of.employee_id();
            key(&raw.attributes) == key(&attributes)
        });
        if clashes {
            return None;
        }
        let number = lines.len() + 1;
        let id = format!("m-{number:010}");
        let line = json!({
            "id": id, "active": account.active, "closes_on": null, "invitations": 0, "attributes": attributes,
        });
        lines.insert(id.clone(), line);
        let header = json!({
            "format": "hris-members", "version": 1, "members": lines.len(), "next_id": number + 1,
        });
        let text: Vec<_> = std::iter::once(&header).chain(lines.values()).map(Value::to_string).collect();
        fs::write(self.path(), text.join("\n") + "\n").unwrap();
        self.seen.lock().unwrap().lines = lines;
        Some(MemberId::from(id))
    }

    fn fault(&self, fault: PlatformFault) -> bool {
        let is_down = fault == PlatformFault::IsDown { after: 0 };
        if is_down {
            fs::create_dir(self.obstacle()).unwrap();
        }
        is_down
    }

    fn clear_faults(&self) {
        if self.obstacle().exists() {
            fs::remove_dir(self.obstacle()).unwrap();
        }
    }
}

async fn file() -> TargetHarness {
    let clock = ManualClock::at("2026-03-02T06:00:00Z");
    let home = tempfile::tempdir().unwrap();
    let platform = Folder { home, clock: clock.clone(), seen: Mutex::default() };
    TargetHarness::new(platform, clock).with_roster_of(1_001).skipping(SKIPS)
}

const ONE_WRITER: &str = "nobody else writes the file while it is open";
const LOCAL: &str = "a file neither refuses nor delays a single record";

const SKIPS: &[SkipReason] = &[
    ("nothing_is_sent_before_the_first_poll", "nothing is sent"),
    ("a_wrong_token_is_unauthorized", "a file has no tokens"),
    ("everybody_who_matches_is_delivered", "a file with two of them is damaged"),
    (
        "two_accounts_with_one_employee_id_are_a_conflict_and_never_a_pick",
        "a file with two of them is damaged",
    ),
    ("a_look_up_that_fails_is_an_error_and_never_empty", "members are looked up in memory"),
    ("a_roster_that_breaks_off_ends_with_an_error", "members are listed from memory"),
    ("what_is_done_by_hand_is_seen", ONE_WRITER),
    ("an_edit_by_hand_stays_unless_it_is_overwritten", ONE_WRITER),
    ("an_action_about_a_member_who_is_gone_creates_nobody", ONE_WRITER),
    ("a_record_that_the_platform_refuses_harms_no_other", LOCAL),
    ("a_slow_down_in_the_middle_loses_and_doubles_nobody", LOCAL),
    ("an_outage_in_the_middle_loses_and_doubles_nobody", "a call is written whole or not at all"),
    ("as_many_calls_as_declared_may_be_under_way", "it takes one call at a time"),
    ("a_write_that_is_stored_and_answered_with_a_failure_is_in_doubt", LOCAL),
    ("a_write_that_is_stored_and_never_answered_is_in_doubt", LOCAL),
    ("a_write_that_is_answered_and_not_stored_is_found_missing_by_reading", LOCAL),
];

hris_testkit::target_conformance!(conformance, file);
