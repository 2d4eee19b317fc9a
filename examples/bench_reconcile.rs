//! Compares two tables of people by fingerprint and writes what would have to be done: to be measured.
//! `cargo run --release --example bench_reconcile -- --existing a.csv --incoming b.csv --out plan.csv`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program that tells its times"
)]

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use csv::{ByteRecord, Reader, ReaderBuilder};
use hris_core::keys::{FieldTag, Fingerprinter, KeyId, Print};
use hris_core::{ConnectionKey, SecretKey, ValueRef};
use hris_sync::{Compared, Comparison, Ordinal};
use serde_json::json;

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Columns beside the key.
const WIDTH: usize = 11;
const EMAIL: usize = 3;
const STATUS: usize = 7;

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
    // Which addresses several incoming rows share is known only at the end of the file: it is looked through beside the
    // loading of the other one.
    let incoming = args.incoming.clone();
    let shared = std::thread::spawn(move || shared_emails(&incoming));
    let mut known = Known::load(&args.existing)?;
    let shared = shared.join().map_err(|_| "looking through the addresses failed")??;
    let loaded = started.elapsed();
    let counts = known.plan(&args.incoming, &shared, &args.out)?;
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

/// Fingerprints of one table's values.
struct Prints {
    maker: Fingerprinter,
    tags: [FieldTag; WIDTH],
    row: [Option<Print>; WIDTH],
}

impl Prints {
    fn new() -> Self {
        let key = SecretKey::new(KeyId::new("bench"), [7; 32]);
        let tags = std::array::from_fn(|column| FieldTag(u32::try_from(column).unwrap_or_default()));
        Self {
            maker: Fingerprinter::new(&key, &ConnectionKey::new("bench", "bench")),
            tags,
            row: [None; WIDTH],
        }
    }

    fn key(&self, row: &ByteRecord) -> Result<Print> {
        Ok(self.maker.employee_id(text(row, 0)?))
    }

    fn take(&mut self, row: &ByteRecord) -> Result<&[Option<Print>]> {
        for (column, (print, tag)) in self.row.iter_mut().zip(self.tags).enumerate() {
            let text = text(row, column + 1)?;
            let value = (!text.is_empty()).then(|| ValueRef::text(text));
            *print = Some(self.maker.attribute(tag, value.as_ref()));
        }
        Ok(&self.row)
    }
}

/// The people who are known.
struct Known {
    comparison: Comparison,
    prints: Prints,
    /// Whether each is a leaver.
    left: Vec<bool>,
    /// The keys one after the other, and where each ends.
    keys: String,
    ends: Vec<u32>,
}

impl Known {
    fn load(path: &Path) -> Result<Self> {
        let mut known = Self {
            comparison: Comparison::new(WIDTH),
            prints: Prints::new(),
            left: Vec::new(),
            keys: String::new(),
            ends: Vec::new(),
        };
        let mut row = ByteRecord::new();
        let mut rows = reader(path)?;
        while rows.read_byte_record(&mut row)? {
            let key = known.prints.key(&row)?;
            let prints = known.prints.take(&row)?;
            known.comparison.add_known(key, prints)?;
            known.left.push(&row[STATUS] == b"leaver");
            known.keys.push_str(text(&row, 0)?);
            known.ends.push(u32::try_from(known.keys.len())?);
        }
        Ok(known)
    }

    fn plan(&mut self, incoming: &Path, shared: &HashSet<u64>, out: &Path) -> Result<Counts> {
        let mut plan =
            Plan { out: BufWriter::with_capacity(1 << 16, File::create(out)?), counts: Counts::default() };
        let addresses = Prints::new();
        let mut row = ByteRecord::new();
        let mut rows = reader(incoming)?;
        while rows.read_byte_record(&mut row)? {
            let number = text(&row, 0)?;
            let key = self.prints.key(&row)?;
            let prints = self.prints.take(&row)?;
            let seen = self.comparison.observe(key, prints)?;
            if !row[EMAIL].is_empty() && shared.contains(&addresses.maker.email(text(&row, EMAIL)?).0) {
                plan.write(number, Action::Conflict, 0)?;
                continue;
            }
            let is_leaver = &row[STATUS] == b"leaver";
            let was_leaver = self.left.get(seen.ordinal.index()).copied().unwrap_or_default();
            let (action, mask) = match seen.compared {
                Compared::New if is_leaver => continue,
                Compared::New => (Action::Create, 0),
                Compared::Same => (Action::Unchanged, 0),
                Compared::Changed(mask) if was_leaver && !is_leaver => (Action::Reactivate, mask),
                Compared::Changed(mask) if !was_leaver && is_leaver => (Action::Leaver, mask),
                Compared::Changed(mask) => (Action::Update, mask),
            };
            plan.write(number, action, mask)?;
        }
        for ordinal in self.comparison.unseen().filter(|ordinal| !self.left[ordinal.index()]) {
            plan.write(self.number(ordinal), Action::Leaver, 0)?;
        }
        plan.out.flush()?;
        Ok(plan.counts)
    }

    fn number(&self, ordinal: Ordinal) -> &str {
        let at = ordinal.index();
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.keys[start..self.ends[at] as usize]
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

/// The addresses, as fingerprints, that more than one row has.
fn shared_emails(path: &Path) -> Result<HashSet<u64>> {
    let prints = Prints::new();
    let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
    let mut row = ByteRecord::new();
    let mut rows = reader(path)?;
    while rows.read_byte_record(&mut row)? {
        let email = text(&row, EMAIL)?;
        if !email.is_empty() {
            let print = prints.maker.email(email).0;
            if !seen.insert(print) {
                shared.insert(print);
            }
        }
    }
    Ok(shared)
}

fn reader(path: &Path) -> Result<Reader<File>> {
    Ok(ReaderBuilder::new().quoting(false).buffer_capacity(1 << 17).from_path(path)?)
}

fn text(row: &ByteRecord, column: usize) -> Result<&str> {
    Ok(std::str::from_utf8(&row[column])?)
}
