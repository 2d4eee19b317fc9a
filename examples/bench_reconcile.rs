//! Compares two tables of people by fingerprint and writes what would have to be done: to be measured.
//! `cargo run --release --example bench_reconcile -- --existing a.csv --incoming b.csv --out plan.csv`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program that tells its times"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use clap::Parser;
use csv::{ReaderBuilder, StringRecord};
use hris_core::keys::{FieldTag, Fingerprinter, KeyId, Print};
use hris_core::{ConnectionKey, SecretKey, ValueRef};
use hris_sync::{Compared, Comparison, Observation, Ordinal};
use serde_json::json;

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Columns beside the key.
const WIDTH: usize = 11;
const EMAIL: usize = 3;
const STATUS: usize = 7;
/// Rows that are handed on at once.
const BATCH: usize = 2_048;

/// Compares two tables of people.
#[derive(Debug, Parser)]
#[command(name = "bench_reconcile")]
struct Args {
    /// Who is known
    #[arg(long, value_name = "FILE.csv")]
    existing: PathBuf,

    /// Who is there now
    #[arg(long, value_name = "FILE.csv")]
    incoming: PathBuf,

    /// What would have to be done
    #[arg(long, value_name = "PLAN.csv")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match reconcile(&Args::parse()) {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench_reconcile: {error}");
            ExitCode::FAILURE
        }
    }
}

fn reconcile(args: &Args) -> Result<serde_json::Value> {
    let started = Instant::now();
    let mut people = People::load(&args.existing)?;
    let loaded = started.elapsed();
    let found = people.compare(&args.incoming)?;
    let counts = people.write(&found, &args.out)?;
    let diffed = started.elapsed().saturating_sub(loaded);
    Ok(json!({
        "load_s": loaded.as_secs_f64(), "diff_s": diffed.as_secs_f64(), "create": counts.create,
        "update": counts.update, "leaver": counts.leaver, "reactivate": counts.reactivate,
        "conflict": counts.conflict, "unchanged": counts.unchanged, "mask_sum": counts.mask_sum,
    }))
}

#[derive(Debug, Default)]
struct Counts {
    create: u64,
    update: u64,
    leaver: u64,
    reactivate: u64,
    conflict: u64,
    unchanged: u64,
    mask_sum: u64,
}

/// Rows of a table as they are compared.
#[derive(Debug, Default)]
struct Batch {
    rows: Vec<Row>,
    /// Their numbers, one after the other.
    numbers: String,
}

#[derive(Debug)]
struct Row {
    key: Print,
    prints: [Option<Print>; WIDTH],
    email: Option<Print>,
    is_leaver: bool,
    /// Where the number ends in its batch.
    end: u32,
}

/// Makes fingerprints of a table's values.
struct Prints {
    maker: Fingerprinter,
    tags: [FieldTag; WIDTH],
}

impl Prints {
    fn new() -> Self {
        let key = SecretKey::new(KeyId::new("bench"), [7; 32]);
        let tags = std::array::from_fn(|column| FieldTag(u32::try_from(column).unwrap_or_default()));
        Self { maker: Fingerprinter::new(&key, &ConnectionKey::new("bench", "bench")), tags }
    }

    fn take(&self, record: &StringRecord, batch: &mut Batch) -> Result<()> {
        let number = &record[0];
        batch.numbers.push_str(number);
        let mut prints = [None; WIDTH];
        for (column, (print, tag)) in prints.iter_mut().zip(self.tags).enumerate() {
            let text = &record[column + 1];
            let value = (!text.is_empty()).then(|| ValueRef::text(text));
            *print = Some(self.maker.attribute(tag, value.as_ref()));
        }
        let email = &record[EMAIL];
        batch.rows.push(Row {
            key: self.maker.employee_id(number),
            prints,
            email: (!email.is_empty()).then(|| self.maker.email(email)),
            is_leaver: &record[STATUS] == "leaver",
            end: u32::try_from(batch.numbers.len())?,
        });
        Ok(())
    }
}

/// Reads a table on a thread of its own, so that one core reads while another compares.
fn batches(path: &Path) -> Receiver<Result<Batch>> {
    let (batches, receiver) = sync_channel(2);
    let path = path.to_owned();
    std::thread::spawn(move || {
        if let Err(error) = read(&path, &batches) {
            // Whoever does not listen any more has a reason of their own.
            let _ = batches.send(Err(error));
        }
    });
    receiver
}

fn read(path: &Path, batches: &SyncSender<Result<Batch>>) -> Result<()> {
    let prints = Prints::new();
    let mut rows = ReaderBuilder::new().quoting(false).buffer_capacity(1 << 17).from_path(path)?;
    let (mut record, mut batch) = (StringRecord::new(), Batch::default());
    while rows.read_record(&mut record)? {
        prints.take(&record, &mut batch)?;
        if batch.rows.len() == BATCH {
            batches.send(Ok(std::mem::take(&mut batch)))?;
        }
    }
    Ok(batches.send(Ok(batch))?)
}

/// Everybody of either table.
struct People {
    comparison: Comparison,
    /// Whether each of those who are known is a leaver.
    left: Vec<bool>,
    /// The numbers one after the other, and where each ends.
    numbers: String,
    ends: Vec<u32>,
}

/// What one incoming row comes to.
#[derive(Clone, Copy, Debug)]
struct Found {
    who: Ordinal,
    /// `None`: nothing, not even a line.
    action: Option<Action>,
    mask: u16,
}

impl People {
    fn load(existing: &Path) -> Result<Self> {
        let mut people = Self {
            comparison: Comparison::new(WIDTH),
            left: Vec::new(),
            numbers: String::new(),
            ends: Vec::new(),
        };
        for batch in batches(existing) {
            let batch = batch?;
            let mut start = 0;
            for row in &batch.rows {
                people.comparison.add_known(row.key, &row.prints)?;
                people.left.push(row.is_leaver);
                people.name(&batch.numbers[start..row.end as usize])?;
                start = row.end as usize;
            }
        }
        Ok(people)
    }

    fn compare(&mut self, incoming: &Path) -> Result<Vec<Found>> {
        let (mut found, mut addresses) =
            (Vec::with_capacity(self.ends.len()), Vec::with_capacity(self.ends.len()));
        for batch in batches(incoming) {
            let batch = batch?;
            let mut start = 0;
            for row in &batch.rows {
                let seen = self.comparison.observe(row.key, &row.prints)?;
                if seen.ordinal.index() == self.ends.len() {
                    self.name(&batch.numbers[start..row.end as usize])?;
                }
                start = row.end as usize;
                addresses
                    .extend(row.email.map(|email| (email.0, u32::try_from(found.len()).unwrap_or(u32::MAX))));
                let (action, mask) = self.action(row, seen);
                found.push(Found { who: seen.ordinal, action, mask: u16::try_from(mask)? });
            }
        }
        // Which addresses several rows share is known only now.
        addresses.sort_unstable();
        for shared in addresses.chunk_by(|one, other| one.0 == other.0).filter(|rows| rows.len() > 1) {
            for (_, row) in shared {
                let found = &mut found[*row as usize];
                (found.action, found.mask) = (Some(Action::Conflict), 0);
            }
        }
        Ok(found)
    }

    fn action(&self, row: &Row, seen: Observation) -> (Option<Action>, u64) {
        let was_leaver = self.left.get(seen.ordinal.index()).copied().unwrap_or_default();
        match seen.compared {
            Compared::New if row.is_leaver => (None, 0),
            Compared::New => (Some(Action::Create), 0),
            Compared::Same => (Some(Action::Unchanged), 0),
            Compared::Changed(mask) if was_leaver && !row.is_leaver => (Some(Action::Reactivate), mask),
            Compared::Changed(mask) if !was_leaver && row.is_leaver => (Some(Action::Leaver), mask),
            Compared::Changed(mask) => (Some(Action::Update), mask),
        }
    }

    fn write(&self, found: &[Found], out: &Path) -> Result<Counts> {
        let mut plan =
            Plan { out: BufWriter::with_capacity(1 << 16, File::create(out)?), counts: Counts::default() };
        for Found { who, action, mask } in found {
            if let Some(action) = action {
                plan.write(self.number(*who), *action, (*mask).into())?;
            }
        }
        for who in self.comparison.unseen().filter(|who| !self.left[who.index()]) {
            plan.write(self.number(who), Action::Leaver, 0)?;
        }
        plan.out.flush()?;
        Ok(plan.counts)
    }

    fn name(&mut self, number: &str) -> Result<()> {
        self.numbers.push_str(number);
        self.ends.push(u32::try_from(self.numbers.len())?);
        Ok(())
    }

    fn number(&self, who: Ordinal) -> &str {
        let at = who.index();
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.numbers[start..self.ends[at] as usize]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Create,
    Update,
    Leaver,
    Reactivate,
    Conflict,
    Unchanged,
}

struct Plan {
    out: BufWriter<File>,
    counts: Counts,
}

impl Plan {
    fn write(&mut self, number: &str, action: Action, mask: u64) -> Result<()> {
        let (count, word) = match action {
            Action::Create => (&mut self.counts.create, "create"),
            Action::Update => (&mut self.counts.update, "update"),
            Action::Leaver => (&mut self.counts.leaver, "leaver"),
            Action::Reactivate => (&mut self.counts.reactivate, "reactivate"),
            Action::Conflict => (&mut self.counts.conflict, "conflict"),
            Action::Unchanged => {
                self.counts.unchanged += 1;
                return Ok(());
            }
        };
        *count += 1;
        self.counts.mask_sum += mask;
        Ok(writeln!(self.out, "{number},{word},{mask}")?)
    }
}
