//! A small world for engine tests: a directory, a platform, a store and a clock, all in memory.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file is a crate of its own that uses a part of it"
)]

use std::sync::Arc;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use hris_core::keys::KeyId;
use hris_core::store::StateStore;
use hris_core::{
    Action, ConnectionKey, Employee, EmploymentStatus, Field, FieldMap, Problem, ProvisioningPlan, Result,
    RunId, RunReport, SecretKey, Trigger,
};
use hris_store_memory::MemoryStore;
use hris_sync::{Engine, PlanView, Policy};
use hris_testkit::{ManualClock, MockConnector, MockTarget};

pub struct World {
    pub clock: ManualClock,
    pub directory: MockConnector,
    pub target: MockTarget,
    pub store: Arc<MemoryStore>,
    pub policy: Policy,
    pub mapping: Arc<FieldMap>,
    runs: std::cell::Cell<u32>,
}

impl World {
    pub fn new(people: impl IntoIterator<Item = Employee>) -> Self {
        let clock = ManualClock::at("2026-03-02T06:00:00Z");
        Self {
            directory: MockConnector::new(people).with_page_size(4),
            target: MockTarget::new(clock.clone()),
            store: Arc::new(MemoryStore::new()),
            policy: Policy::default(),
            mapping: Arc::new(FieldMap::standard()),
            runs: std::cell::Cell::new(0),
            clock,
        }
    }

    pub fn today(&self) -> NaiveDate {
        use hris_core::Clock as _;
        self.clock.now().date_naive()
    }

    pub fn engine(&self) -> Engine {
        self.engine_with(Arc::clone(&self.mapping))
    }

    pub fn engine_with(&self, mapping: Arc<FieldMap>) -> Engine {
        let store: Arc<dyn StateStore> = Arc::clone(&self.store) as _;
        Engine::new(
            ConnectionKey::new("acme", "hr"),
            Arc::new(self.directory.clone()),
            mapping,
            Arc::new(self.target.clone()),
            store,
            Arc::new(SecretKey::new(KeyId::new("k1"), [7; 32])),
            Arc::new(self.clock.clone()),
        )
        .with_policy(self.policy.clone())
    }

    pub fn next_run_id(&self) -> RunId {
        self.runs.set(self.runs.get() + 1);
        RunId::from(format!("run-{}", self.runs.get()))
    }

    pub fn try_run(&self) -> Result<RunReport> {
        let id = self.next_run_id();
        hris_testkit::run(self.engine().run(&id, Trigger::Schedule, self.today()))
    }

    pub fn run(&self) -> RunReport {
        self.try_run().expect("the run ends well")
    }

    pub fn plan(&self) -> PlanView {
        let id = self.next_run_id();
        hris_testkit::run(self.engine().plan(&id, self.today())).expect("planning ends well")
    }

    pub fn set_people(&self, people: impl IntoIterator<Item = Employee>) {
        self.directory.set_people(people);
    }

    /// Employee IDs of open accounts, sorted.
    pub fn open_accounts(&self) -> Vec<String> {
        self.accounts(true)
    }

    /// Employee IDs of closed accounts, sorted.
    pub fn closed_accounts(&self) -> Vec<String> {
        self.accounts(false)
    }

    fn accounts(&self, open: bool) -> Vec<String> {
        let members = self.target.members().into_iter().filter(|member| member.active == open);
        let mut ids: Vec<_> =
            members.filter_map(|member| Some(member.attributes.employee_id()?.to_string())).collect();
        ids.sort();
        ids
    }

    /// What the actions of a plan do, as "kind employee-id", in order.
    pub fn actions(plan: &PlanView) -> Vec<String> {
        let actions: Vec<Action> = hris_testkit::run(plan.actions(None).try_collect()).unwrap();
        let words =
            actions.iter().map(|action| format!("{} {}", action.kind.as_str(), action.after.employee_id));
        words.collect()
    }

    pub fn problems(plan: &PlanView) -> Vec<Problem> {
        hris_testkit::run(plan.problems().try_collect()).unwrap()
    }

    /// Rule and record of each problem, sorted.
    pub fn rules(plan: &PlanView) -> Vec<(String, String)> {
        let of = |problem: Problem| {
            let record = problem.record.map(|record| record.to_string()).unwrap_or_default();
            (problem.rule.to_string(), record)
        };
        let mut rules: Vec<_> = Self::problems(plan).into_iter().map(of).collect();
        rules.sort();
        rules
    }
}

/// Person `n`: active, with everything that the standard mapping can use.
pub fn person(n: u32) -> Employee {
    let mut employee = Employee::new(format!("r{n}"), EmploymentStatus::Active);
    employee.employee_id = Field::Value(format!("E{n:03}").into());
    employee.first_name = Field::Value(format!("First{n}"));
    employee.last_name = Field::Value(format!("Last{n}"));
    employee.work_email = Field::Value(format!("p{n}@acme.example"));
    employee.department = Field::Value("Sales".into());
    employee
}

pub fn people(numbers: std::ops::RangeInclusive<u32>) -> Vec<Employee> {
    numbers.map(person).collect()
}

/// Person `n`, changed.
pub fn changed(n: u32, change: impl FnOnce(&mut Employee)) -> Employee {
    let mut employee = person(n);
    change(&mut employee);
    employee
}

pub fn inactive(n: u32) -> Employee {
    changed(n, |employee| employee.status = EmploymentStatus::Inactive)
}

pub fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("E{n:03}")).collect()
}
