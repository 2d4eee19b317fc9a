//! Benches of the engine: map, compare, plan, and journalled apply; `cargo bench -p hris-sync`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a bench, not an interface")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use hris_core::keys::{FieldTag, Fingerprinter, KeyId, Print, row_prints};
use hris_core::{
    ConnectionKey, Employee, EmployeeField, EmploymentStatus, Field, FieldMap, FieldMapping, FieldRule,
    MemberField, RunId, SecretKey, Trigger,
};
use hris_store_memory::MemoryStore;
use hris_sync::{Comparison, Engine, Policy};
use hris_testkit::{ManualClock, MockConnector, MockTarget};

fn main() {
    divan::main();
}

/// Twelve attributes, as a wide mapping has.
fn mapping() -> FieldMap {
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::StartDate, EmployeeField::StartDate));
    rules.push(FieldRule::copy(MemberField::Phone, EmployeeField::Phone));
    rules.push(FieldRule::copy(MemberField::Country, EmployeeField::Country));
    rules.push(FieldRule::copy(MemberField::Manager, EmployeeField::Manager));
    FieldMap::new(rules).unwrap()
}

fn person(n: u64, changed: bool) -> Employee {
    let mut employee = Employee::new(format!("3f0c2b7e-1d52-4a0e-9a53-{n:012x}"), EmploymentStatus::Active);
    employee.employee_id = Field::Value(n.to_string().into());
    employee.first_name = Field::Value(format!("First{n}"));
    employee.last_name = Field::Value(format!("Last{n}"));
    employee.work_email = Field::Value(format!("first{n}.last{n}@company.example"));
    employee.birth_date = Field::Value(chrono::NaiveDate::from_ymd_opt(1990, 2, 28).unwrap().into());
    employee.start_date = Field::Value(chrono::NaiveDate::from_ymd_opt(2020, 9, 1).unwrap());
    employee.department = Field::Value(if changed { "Legal".into() } else { "Customer Success".into() });
    employee.location = Field::Value("London HQ".into());
    employee.job_title = Field::Value("Account manager".into());
    employee.phone = Field::Value("+44 20 0000 0000".into());
    employee.country = Field::Value("GB".into());
    employee.manager = Field::Null;
    employee
}

/// People of whom one in twenty differs from the day before.
fn people(count: u64, day: u64) -> Vec<Employee> {
    (0..count).map(|n| person(n, day > 0 && n % 20 == 0)).collect()
}

#[divan::bench(args = [100_000, 1_000_000], sample_count = 5)]
fn compare_with_five_percent_changed(bencher: Bencher<'_, '_>, count: u64) {
    let fingerprinter = fingerprinter();
    let mapping = mapping();
    let tags: Vec<_> = mapping.targets().iter().map(FieldTag::of).collect();
    let prints = |day: u64| {
        let print = move |n: u64, column: u64| {
            let changed = column == 5 && day > 0 && n.is_multiple_of(20);
            Some(Print((n * 31 + column + u64::from(changed)).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        };
        move |n: u64| (0..12).map(|column| print(n, column)).collect::<Vec<_>>()
    };
    assert_eq!(tags.len(), 12);
    let key = |n: u64| fingerprinter.employee_id(&n.to_string());
    let known = || {
        let mut comparison = Comparison::new(12);
        comparison.reserve(usize::try_from(count).unwrap());
        for n in 0..count {
            comparison.add_known(key(n), &prints(0)(n)).unwrap();
        }
        comparison
    };
    bencher.counter(ItemsCount::new(count)).with_inputs(known).bench_local_values(|mut comparison| {
        for n in 0..count {
            divan::black_box(comparison.observe(key(n), &prints(1)(n)).unwrap());
        }
        comparison
    });
}

#[divan::bench(sample_count = 20)]
fn map_and_fingerprint_a_page_of_100(bencher: Bencher<'_, '_>) {
    let (mapping, fingerprinter, page) = (mapping(), fingerprinter(), people(100, 0));
    let tags: Vec<_> = mapping.targets().iter().map(FieldTag::of).collect();
    let mut prints = Vec::new();
    bencher.counter(ItemsCount::new(100_u64)).bench_local(|| {
        for employee in &page {
            let mapped = mapping.map(employee);
            row_prints(&fingerprinter, &tags, &mapped.values, &mut prints);
            divan::black_box(&prints);
        }
    });
}

/// A whole second run over an in-memory store: load, read, map, compare, plan.
#[divan::bench(args = [(100_000, 0), (100_000, 1), (1_000_000, 0)], sample_count = 2)]
fn plan(bencher: Bencher<'_, '_>, (count, day): (u64, u64)) {
    let world = World::new(count);
    world.run("first");
    world.directory.set_people(people(count, day));
    bencher.counter(ItemsCount::new(count)).bench_local(|| world.dry_run());
}

/// Journalled apply of creates on an in-memory store and platform.
#[divan::bench(args = [10_000], sample_count = 5)]
fn apply_creates(bencher: Bencher<'_, '_>, count: u64) {
    bencher.counter(ItemsCount::new(count)).with_inputs(|| World::new(count)).bench_local_values(|world| {
        world.run("first");
        world
    });
}

fn fingerprinter() -> Fingerprinter {
    Fingerprinter::new(&SecretKey::new(KeyId::new("k"), [7; 32]), &ConnectionKey::new("t", "c"))
}

struct World {
    directory: MockConnector,
    engine: Engine,
}

impl World {
    fn new(count: u64) -> Self {
        let clock = ManualClock::at("2026-03-02T06:00:00Z");
        let directory = MockConnector::new(people(count, 0)).with_page_size(100);
        let engine = Engine::new(
            ConnectionKey::new("t", "c"),
            Arc::new(directory.clone()),
            Arc::new(mapping()),
            Arc::new(MockTarget::new(clock.clone())),
            Arc::new(MemoryStore::new()),
            Arc::new(SecretKey::new(KeyId::new("k"), [7; 32])),
            Arc::new(clock),
        );
        Self { directory, engine: engine.with_policy(Policy::default()) }
    }

    fn run(&self, id: &str) {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        hris_testkit::run(self.engine.run(&RunId::from(id), Trigger::Schedule, today)).unwrap();
    }

    fn dry_run(&self) -> u64 {
        use hris_core::ProvisioningPlan as _;
        let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        hris_testkit::run(self.engine.dry_run(today)).unwrap().summary().actions()
    }
}
