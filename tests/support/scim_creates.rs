//! Measures creates over SCIM: CPU of one process that plans and applies them with its journal in SQLite, eight requests in
//! flight and the rate limit off, while the simulated platform lives in another process.
//!
//! `cargo run --release -p hris-tests --bin scim-creates -- PEOPLE [BULK]`; Linux only, since it reads `/proc`.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use hris_core::keys::KeyId;
use hris_core::{
    ConnectionKey, Employee, EmploymentStatus, Field, FieldMap, PlanHeader, ProvisioningPlan as _, RunId,
    SecretKey, Trigger,
};
use hris_http::{SystemClock, Transport};
use hris_store_sqlite::SqliteStore;
use hris_sync::Engine;
use hris_target_scim::ScimConfig;
use hris_target_scim::sim::ScimSim;
use hris_testkit::MockConnector;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [people] => parent(people, "0").await,
        [people, bulk] => parent(people, bulk).await,
        [people, bulk, endpoint, store] => {
            child(people.parse()?, bulk.parse()?, endpoint, Path::new(store)).await
        }
        _ => Err("usage: scim-creates PEOPLE [BULK]".into()),
    }
}

/// Runs the platform, and the process that is measured.
async fn parent(people: &str, bulk: &str) -> Result<()> {
    let sim = ScimSim::start(SystemClock::new()).await;
    let folder = tempfile::tempdir()?;
    let ended = tokio::process::Command::new(std::env::current_exe()?)
        .args([people, bulk, &sim.endpoint()])
        .arg(folder.path().join("store.db"))
        .status()
        .await?;
    let accounts = sim.accounts().len();
    let requests = sim.server().request_count();
    println!("on the platform: {accounts} accounts after {requests} requests");
    if ended.success() && accounts.to_string() == people {
        Ok(())
    } else {
        Err("not everybody was created".into())
    }
}

async fn child(people: usize, bulk: usize, endpoint: &str, store: &Path) -> Result<()> {
    let config = ScimConfig::new(endpoint)
        .with_requests_per_second(0)
        .with_welcomes(true)
        .with_max_in_flight(NonZeroUsize::new(8).ok_or("eight")?)
        .with_bulk(NonZeroUsize::new(bulk));
    let target = config.build(&ScimSim::TOKEN.to_owned().into(), &Transport::builder().build()?)?;
    let engine = Engine::new(
        ConnectionKey::new("measured", "scim"),
        Arc::new(MockConnector::new((0..people).map(person)).with_page_size(100)),
        Arc::new(FieldMap::new(
            FieldMap::standard().rules().iter().filter(|rule| target.writes(&rule.target)).cloned().collect(),
        )?),
        Arc::new(target),
        Arc::new(SqliteStore::open(store)?),
        Arc::new(SecretKey::new(KeyId::new("k"), [7; 32])),
        Arc::new(SystemClock::new()),
    );
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).ok_or("a day")?;
    let plan = engine.plan(&RunId::from("first"), today).await?;
    let header: &PlanHeader = plan.header();
    let planned = cpu_seconds()?;
    let report = engine.apply(&header.id, &header.digest, Trigger::OnDemand).await?;
    let applied = cpu_seconds()?;
    println!("{} created", report.applied.created);
    let micros = |seconds: f64| seconds * 1e6 / f64::from(u32::try_from(people).unwrap_or(u32::MAX));
    println!("planning with its look-ups: {:.0} µs of CPU an action", micros(planned));
    println!("applying with its journal: {:.0} µs of CPU an action", micros(applied - planned));
    Ok(())
}

fn person(n: usize) -> Employee {
    let mut employee = Employee::new(format!("3f0c2b7e-1d52-4a0e-9a53-{n:012x}"), EmploymentStatus::Active);
    employee.employee_id = Field::Value(format!("E{n}").into());
    employee.first_name = Field::Value("Nerea".to_owned());
    employee.last_name = Field::Value("Olmedo".to_owned());
    employee.work_email = Field::Value(format!("first.last.{n}@company.example"));
    employee.department = Field::Value("Customer Success".into());
    employee.location = Field::Value("London HQ".into());
    employee.job_title = Field::Value("Account manager".into());
    employee
}

/// User and system time of this process; the kernel counts in hundredths.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().ok_or("no process name")?;
    let ticks: Vec<f64> =
        after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
