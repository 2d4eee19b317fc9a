//! Measures a second run: memory and CPU of one process that reads a directory over HTTP, compares it with SQLite and
//! applies what changed, while simulator and platform live in another process.
//!
//! `cargo run --release -p hris-tests --bin second-run -- PEOPLE`; Linux only, since it reads `/proc`.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use hris_core::keys::KeyId;
use hris_core::{
    ConnectionKey, EmployeeField, FieldMap, FieldRule, MemberField, Progress, ProgressEvent,
    ProvisioningTarget, RunId, SecretKey, SharedClock, Stage, Trigger,
};
use hris_http::{BaseUrl, SystemClock, Transport};
use hris_sesame::SesameConfig;
use hris_sesame::sim::SesameSim;
use hris_store_sqlite::SqliteStore;
use hris_sync::Engine;
use hris_testkit::MockTarget;
use hris_testkit::population::{DayPlan, Population};
use hris_tests::{LoopbackTarget, TargetServer};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [people] => parent(people.parse()?).await,
        [url, port, store, today] => child(url, port.parse()?, Path::new(store), today.parse()?).await,
        _ => Err("usage: second-run PEOPLE".into()),
    }
}

/// Fills store and platform with a first run, lets a day pass, and starts the process that is measured.
async fn parent(people: usize) -> Result<()> {
    let sim = SesameSim::start(Population::new(11).size(people).build()).await;
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("store.db");
    let clock: SharedClock = Arc::new(SystemClock::new());
    let target = MockTarget::new(Arc::clone(&clock));
    let first = engine(sim.url(), &store, Arc::new(target.clone()), clock)?;
    let report = first.run(&RunId::from("first"), Trigger::Schedule, sim.people().today()).await?;
    println!("first run: {}", report.planned);
    drop(first);

    sim.next_day(&DayPlan { field_changes: people / 20, ..DayPlan::typical(people) });
    let server = TargetServer::start(target).await?;
    let child = tokio::process::Command::new(std::env::current_exe()?)
        .args([sim.url(), &server.port()?.to_string()])
        .arg(&store)
        .arg(sim.people().today().to_string())
        .spawn()?;
    let ended = server.serve(child, None).await?;
    if ended.success { Ok(()) } else { Err("the measured process failed".into()) }
}

async fn child(url: &str, port: u16, store: &Path, today: NaiveDate) -> Result<()> {
    let target = LoopbackTarget::new(port, NonZeroUsize::MIN.saturating_add(99));
    let stages = Arc::new(Stages::default());
    let engine = engine(url, store, Arc::new(target), Arc::new(SystemClock::new()))?.with_progress(stages);
    let report = engine.run(&RunId::from("second"), Trigger::Schedule, today).await?;
    println!("second run: {}", report.planned);
    println!("peak resident memory: {} KiB", status("VmHWM")?);
    println!("CPU: {} s", cpu_seconds()?);
    Ok(())
}

/// Prints what is resident when a stage begins.
#[derive(Debug, Default)]
struct Stages(std::sync::Mutex<Option<Stage>>);

impl Progress for Stages {
    fn report(&self, event: ProgressEvent) {
        let mut stage = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if stage.replace(event.stage) != Some(event.stage) {
            println!("{:?} begins: {} KiB resident", event.stage, status("VmRSS").unwrap_or_default());
        }
    }
}

fn engine(
    url: &str,
    store: &Path,
    target: Arc<dyn ProvisioningTarget>,
    clock: SharedClock,
) -> Result<Engine> {
    let config = SesameConfig::new().with_base_url(BaseUrl::parse(url)?).with_requests_per_minute(None);
    let connector = config.build(&SesameSim::TOKEN.to_owned().into(), &Transport::builder().build()?)?;
    Ok(Engine::new(
        ConnectionKey::new("measured", "sesame"),
        Arc::new(connector),
        Arc::new(mapping()?),
        target,
        Arc::new(SqliteStore::open(store)?),
        Arc::new(SecretKey::new(KeyId::new("k"), [7; 32])),
        clock,
    ))
}

/// Twelve attributes.
fn mapping() -> Result<FieldMap> {
    let mut rules = FieldMap::standard().rules().to_vec();
    rules.push(FieldRule::copy(MemberField::Phone, EmployeeField::Phone));
    rules.push(FieldRule::copy(MemberField::Country, EmployeeField::Country));
    rules.push(FieldRule::copy(MemberField::Gender, EmployeeField::Gender));
    rules.push(FieldRule::copy(MemberField::PersonalEmail, EmployeeField::PersonalEmail));
    Ok(FieldMap::new(rules)?)
}

fn status(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in /proc/self/status")?;
    let number = line.trim_start_matches(':').split_whitespace().next().ok_or("an empty line")?;
    Ok(number.parse()?)
}

/// User and system time of this process; the kernel counts in hundredths.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().ok_or("no process name")?;
    let ticks: Vec<f64> =
        after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
