//! Reads a directory, compares it with what was kept, and keeps what differs: to be measured.
//! `cargo run --release --example bench_sync -- --base-url http://127.0.0.1:8080 --format merge --store people.db`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::TryStreamExt as _;
use hris_core::keys::{FieldTag, Fingerprinter, KeyId, Print, Prints, row_prints};
use hris_core::store::{Lease, Leases as _, Link, Links as _, Runs as _};
use hris_core::{
    Clock as _, ConnectionKey, Employee, FieldMapping as _, HrisConnector as _, LinkState, MemberId,
    ReadEvent, ReadQuery, RecordId, RunId, RunReport, RunResult, SecretKey, Trigger,
};
use hris_examples::bench::{Columns, Source};
use hris_http::SystemClock;
use hris_store_sqlite::SqliteStore;
use hris_sync::{Compared, Comparison};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Reads a directory and keeps what differs from the last time.
#[derive(Debug, Parser)]
#[command(name = "bench_sync")]
struct Args {
    #[command(flatten)]
    source: Source,

    /// Where links and fingerprints are kept
    #[arg(long, value_name = "FILE.db")]
    store: PathBuf,
}

#[derive(Debug, Default)]
struct Counts {
    create: u64,
    update: u64,
    unchanged: u64,
    missing: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match sync(&Args::parse()).await {
        Ok(Counts { create, update, unchanged, missing }) => {
            println!(
                r#"{{"create":{create},"update":{update},"unchanged":{unchanged},"missing":{missing}}}"#
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench_sync: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn sync(args: &Args) -> Result<Counts> {
    let (connector, columns) = (args.source.connector()?, args.source.columns()?);
    let (store, clock) = (SqliteStore::open(&args.store)?, SystemClock::new());
    let connection = ConnectionKey::new("bench", "bench");
    let lease =
        store.acquire(&connection, &RunId::from("bench"), clock.now(), Duration::from_secs(3600)).await?;
    let mut known = Known::load(&store, &connection, &columns).await?;
    let mut report = RunReport::started(
        RunId::from(format!("bench {}", lease.token)),
        connection.clone(),
        Trigger::OnDemand,
        clock.now(),
    );
    let mut counts = Counts::default();
    let mut staged = Staged { store: &store, lease: &lease, batch: Vec::with_capacity(BATCH) };
    let mut events = connector.read(ReadQuery::everyone(columns.fields()));
    let mut has_ended = false;
    while let Some(event) = events.try_next().await? {
        match event {
            ReadEvent::Employees(page) => {
                for employee in &page {
                    if let Some(link) = known.observe(employee, &columns, &mut counts)? {
                        staged.add(link).await?;
                    }
                }
            }
            ReadEvent::Rejected(row) => {
                return Err(format!("a row could not be read: {}", row.message).into());
            }
            ReadEvent::End(_) => has_ended = true,
            _ => {}
        }
    }
    if !has_ended {
        return Err("the reading ended without a receipt".into());
    }
    counts.missing = known.comparison.unseen().count();
    // What was compared is not needed any more, and writing many links takes memory of its own.
    drop(known);
    staged.write().await?;
    report.result = RunResult::Applied;
    (report.applied.created, report.applied.updated) = (counts.create, counts.update);
    report.finished_at = clock.now();
    store.record_run(&lease, &report).await?;
    store.release(&lease).await?;
    Ok(counts)
}

/// How many links are held until they are laid aside.
const BATCH: usize = 1_000;

/// Links on their way into the store: laid aside in batches, and written at the end and at once, so that a run that fails
/// half-way has changed nothing.
struct Staged<'s> {
    store: &'s SqliteStore,
    lease: &'s Lease,
    batch: Vec<Link>,
}

impl Staged<'_> {
    async fn add(&mut self, link: Link) -> Result<()> {
        self.batch.push(link);
        if self.batch.len() == BATCH {
            self.lay_aside().await?;
        }
        Ok(())
    }

    async fn lay_aside(&mut self) -> Result<()> {
        if !self.batch.is_empty() {
            self.store.stage_links(self.lease, &self.batch).await?;
            self.batch.clear();
        }
        Ok(())
    }

    async fn write(mut self) -> Result<()> {
        self.lay_aside().await?;
        self.store.put_staged_links(self.lease).await?;
        Ok(())
    }
}

struct Known {
    comparison: Comparison,
    maker: Fingerprinter,
    tags: Vec<FieldTag>,
    prints: Vec<Option<Print>>,
}

impl Known {
    async fn load(store: &SqliteStore, connection: &ConnectionKey, columns: &Columns) -> Result<Self> {
        let tags: Vec<_> = columns.map.targets().iter().map(FieldTag::of).collect();
        let maker = Fingerprinter::new(&SecretKey::new(KeyId::new("bench"), [7; 32]), connection);
        let mut known = Self { comparison: Comparison::new(tags.len()), maker, tags, prints: Vec::new() };
        let mut links = store.links(connection);
        while let Some(batch) = links.try_next().await? {
            for link in batch {
                known.prints.clear();
                known.prints.extend(known.tags.iter().map(|tag| link.prints.get(*tag)));
                known.comparison.add_known(known.maker.record(&link.record), &known.prints)?;
            }
        }
        Ok(known)
    }

    fn observe(
        &mut self,
        employee: &Employee,
        columns: &Columns,
        counts: &mut Counts,
    ) -> Result<Option<Link>> {
        let mapped = columns.map.map(employee);
        row_prints(&self.maker, &self.tags, &mapped.values, &mut self.prints);
        let seen = self.comparison.observe(self.maker.record(&employee.record), &self.prints)?;
        match seen.compared {
            _ if seen.repeated => return Ok(None),
            Compared::Same => {
                counts.unchanged += 1;
                return Ok(None);
            }
            Compared::New => counts.create += 1,
            Compared::Changed(_) => counts.update += 1,
        }
        let prints = self.tags.iter().zip(&self.prints);
        let prints = prints.filter_map(|(tag, print)| Some((*tag, (*print)?))).collect();
        Ok(Some(link(&employee.record, employee, Prints::new(prints))))
    }
}

fn link(record: &RecordId, employee: &Employee, prints: Prints) -> Link {
    let id = employee.employee_id.value().cloned().unwrap_or_else(|| record.as_str().into());
    Link::new(record.clone(), id, MemberId::from(record.as_str()), LinkState::Active, None, prints)
}
