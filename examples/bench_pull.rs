//! Reads and maps a directory, and writes a line of JSON for each person: to be measured.
//! `cargo run --release --example bench_pull -- --base-url http://127.0.0.1:8080 --format merge --out people.jsonl`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Parser;
use futures_util::TryStreamExt as _;
use hris_core::{
    Employee, FieldMapping as _, HrisConnector as _, ReadEvent, ReadQuery, Receipt, Scope, Watermark,
};
use hris_examples::bench::{COLUMNS, Cell, Columns, Source};
use serde::ser::{SerializeMap as _, Serializer as _};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Reads and maps a directory.
#[derive(Debug, Parser)]
#[command(name = "bench_pull")]
struct Args {
    #[command(flatten)]
    source: Source,

    /// Where the lines go; `-` maps and drops
    #[arg(long, value_name = "FILE")]
    out: String,

    /// Only people that changed since
    #[arg(long, value_name = "RFC3339")]
    modified_after: Option<DateTime<Utc>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match pull(&Args::parse()).await {
        Ok(count) => {
            println!(r#"{{"count":{count}}}"#);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench_pull: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many distinct people were written, every one of the directory.
async fn pull(args: &Args) -> Result<u64> {
    let (connector, columns) = (args.source.connector()?, args.source.columns()?);
    let mut query = ReadQuery::everyone(columns.fields());
    if let Some(since) = args.modified_after {
        query.scope = Scope::ChangedSince(Watermark::at(since));
    }
    let mut out = Lines::to(&args.out)?;
    let mut events = connector.read(query);
    let (mut receipt, mut rejected): (Option<Receipt>, u64) = (None, 0);
    while let Some(event) = events.try_next().await? {
        match event {
            ReadEvent::Employees(page) => out.write(&columns, &page)?,
            ReadEvent::Rejected(_) => rejected += 1,
            ReadEvent::End(end) => receipt = Some(end),
            _ => {}
        }
    }
    out.0.flush()?;
    let receipt = receipt.ok_or("the reading ended without a receipt")?;
    if rejected > 0 {
        return Err(format!("{rejected} rows could not be read").into());
    }
    Ok(receipt.distinct)
}

/// Where lines go.
struct Lines(Box<dyn Write>);

impl Lines {
    fn to(path: &str) -> Result<Self> {
        if path == "-" {
            return Ok(Self(Box::new(std::io::sink())));
        }
        Ok(Self(Box::new(BufWriter::with_capacity(1 << 16, File::create(Path::new(path))?))))
    }

    fn write(&mut self, columns: &Columns, page: &[Employee]) -> Result<()> {
        for employee in page {
            let mapped = columns.map.map(employee);
            write_line(&mut self.0, &columns.row(employee, &mapped.values))?;
        }
        Ok(())
    }
}

fn write_line(out: &mut impl Write, row: &[Option<Cell<'_, '_>>; 12]) -> Result<()> {
    let mut json = serde_json::Serializer::new(&mut *out);
    let mut object = json.serialize_map(Some(COLUMNS.len()))?;
    for (name, cell) in COLUMNS.iter().zip(row) {
        object.serialize_entry(name, cell)?;
    }
    object.end()?;
    Ok(out.write_all(b"\n")?)
}
