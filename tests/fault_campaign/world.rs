//! A platform, a store and a clock that outlive faults, and the company whose directory is read.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use futures_util::FutureExt as _;
use hris_core::keys::KeyId;
use hris_core::{
    Attributes, Clock as _, ConnectionKey, EmployeeField, FieldMap, FieldRule, Is, MemberField, OnNull,
    Parking, ProvisioningPlan as _, Result, RunId, RunReport, RunResult, ScopeFilter, SecretKey, Test,
    Transform, Trigger, Value,
};
use hris_store_memory::MemoryStore;
use hris_sync::{BrokenReading, Cancel, Engine, Policy, Vanished};
use hris_testkit::{ManualClock, MockConnector, MockTarget};

use crate::truth::Day;

/// Who has an account and with what, and whose account is closed.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) open: BTreeMap<String, Attributes>,
    pub(crate) closed: BTreeSet<String>,
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) target: MockTarget,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) policy: Policy,
    /// Whether a run was carried out to its end, so that the company is known.
    pub(crate) settled: bool,
    /// What happened, for whoever has to find out why a schedule failed.
    pub(crate) told: Vec<String>,
    runs: u32,
}

impl World {
    pub(crate) fn new(broken_reading: BrokenReading) -> Self {
        let clock = ManualClock::at("2026-03-02T06:00:00Z");
        let target = MockTarget::new(clock.clone()).with_capabilities(|can| {
            can.max_batch = NonZeroUsize::MIN.saturating_add(2);
            can.max_in_flight = NonZeroUsize::MIN.saturating_add(1);
            can.parking = Parking::new().with_email("parked+{token}@sync.acme.example").ok();
        });
        let mut policy = Policy::default();
        policy.broken_reading = broken_reading;
        policy.vanished = Vanished::Recreate;
        Self {
            clock,
            target,
            store: Arc::new(MemoryStore::new()),
            policy,
            settled: false,
            told: Vec::new(),
            runs: 0,
        }
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    pub(crate) fn directory(day: &Day) -> MockConnector {
        MockConnector::new(day.people.clone()).with_page_size(7).with_deleted(day.deleted.clone())
    }

    pub(crate) fn engine(&self, directory: MockConnector, mapping: FieldMap, cancel: &Cancel) -> Engine {
        let engine = Engine::new(
            ConnectionKey::new("acme", "hr"),
            Arc::new(directory),
            Arc::new(mapping),
            Arc::new(self.target.clone()),
            Arc::clone(&self.store) as _,
            Arc::new(SecretKey::new(KeyId::new("k1"), [7; 32])),
            Arc::new(self.clock.clone()),
        );
        engine.with_policy(self.policy.clone()).with_cancel(cancel.clone())
    }

    pub(crate) fn next_run(&mut self) -> RunId {
        self.runs += 1;
        RunId::from(format!("run-{}", self.runs))
    }

    /// Polls a future so often, a second apart. `None`: it was dropped before it ended, as a process that dies.
    pub(crate) fn drive<T>(&self, polls: u32, future: impl Future<Output = T>) -> Option<T> {
        let mut future = Box::pin(future);
        for _ in 0..polls {
            if let Some(output) = future.as_mut().now_or_never() {
                return Some(output);
            }
            self.clock.advance(Duration::from_secs(1));
        }
        None
    }

    /// An hour passes: whatever lease a dead process had runs out.
    pub(crate) fn pass_an_hour(&self) {
        self.clock.advance(Duration::from_secs(3600));
    }

    pub(crate) fn pass_a_day(&self) {
        self.clock.advance(Duration::from_secs(24 * 3600));
    }

    /// An undisturbed run of what is true. A held plan is what an administrator releases who knows that it is.
    pub(crate) fn settle(&mut self, day: &Day) -> RunReport {
        let engine = self.engine(Self::directory(day), usual(), &Cancel::new());
        let id = self.next_run();
        let report = now(engine.run(&id, Trigger::Schedule, self.today())).expect("a clean run ends well");
        self.settled = true;
        self.told.push(format!("clean run: {report}"));
        release_if_held(&engine, report).expect("a release ends well")
    }

    /// An undisturbed verify run.
    pub(crate) fn verify(&mut self, day: &Day) -> RunReport {
        let engine = self.engine(Self::directory(day), usual(), &Cancel::new());
        let id = self.next_run();
        let report =
            now(engine.verify(&id, Trigger::Schedule, self.today())).expect("a verify run ends well");
        self.told.push(format!("verify run: {report}"));
        release_if_held(&engine, report).expect("a release ends well")
    }

    pub(crate) fn state(&self) -> State {
        let mut state = State { open: BTreeMap::new(), closed: BTreeSet::new() };
        for member in self.target.members() {
            let id = member.attributes.employee_id().expect("every member has an Employee ID").to_string();
            if member.active {
                assert!(
                    state.open.insert(id.clone(), member.attributes).is_none(),
                    "two open accounts of {id}"
                );
            } else {
                state.closed.insert(id);
            }
        }
        state
    }
}

impl World {
    /// Notes how a run ended.
    pub(crate) fn tell(&mut self, report: &Result<RunReport>) {
        self.told.push(match report {
            Ok(report) => report.to_string(),
            Err(error) => format!("the run failed: {error}"),
        });
    }

    /// What happened and what is different at its end. Nobody in it is real.
    pub(crate) fn story(&self, found: &State, expected: &State) -> String {
        let shown = |attributes: &Attributes| -> Vec<String> {
            let shown = |value: Option<&Value>| value.map_or_else(String::new, ToString::to_string);
            attributes.iter().map(|(field, value)| format!("{field}={}", shown(value))).collect()
        };
        let mut story = self.told.clone();
        let ids: BTreeSet<_> = found.open.keys().chain(expected.open.keys()).collect();
        for id in ids {
            let (found, expected) = (found.open.get(id), expected.open.get(id));
            if found != expected {
                let (found, expected) = (found.map(shown), expected.map(shown));
                story.push(format!("{id}: open with {found:?} instead of {expected:?}"));
            }
        }
        let closed = found.closed.symmetric_difference(&expected.closed);
        story.push(format!("closed here or there only: {:?}", closed.collect::<Vec<_>>()));
        story.join("\n")
    }
}

pub(crate) fn release_if_held(engine: &Engine, report: RunReport) -> Result<RunReport> {
    let (RunResult::Held { .. }, Some(plan)) = (&report.result, &report.plan) else {
        return Ok(report);
    };
    let digest = now(engine.stored(plan))?.header().digest.clone();
    now(engine.release(plan, &digest, "administrator"))
}

/// Nothing waits unless a fault says so.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

/// The mapping that a history ends with.
pub(crate) fn usual() -> FieldMap {
    mapping(FieldRule::copy(MemberField::Department, EmployeeField::Department), ScopeFilter::everybody())
}

/// A mapping that somebody tries in between: the same attributes, made otherwise, and for fewer people.
pub(crate) fn edited() -> FieldMap {
    let department = FieldRule::copy(MemberField::Department, EmployeeField::Department)
        .with(Transform::Upper)
        .on_null(OnNull::Keep);
    let fewer = Test::new(EmployeeField::FirstName, Is::EndsWith("7".to_owned()));
    mapping(department, ScopeFilter::everybody().excluding(fewer))
}

fn mapping(department: FieldRule, scope: ScopeFilter) -> FieldMap {
    let rules = vec![
        FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
        FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim),
        FieldRule::copy(MemberField::FirstName, EmployeeField::FirstName),
        FieldRule::copy(MemberField::LastName, EmployeeField::LastName),
        department,
    ];
    let contractor = Test::new(EmployeeField::EmploymentType, Is::Equals("contractor".to_owned()));
    FieldMap::new(rules).and_then(|map| map.with_scope(scope.excluding(contractor))).expect("a sound mapping")
}
