//! `history` and `errors`: what runs left behind.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use hris::core::store::Runs as _;
use hris::core::{ConnectionKey, Error, ErrorKind, PlanId, RunId, RunReport, Severity};
use hris::store_sqlite::SqliteStore;
use hris::sync::{FileFormat, write_problems};

use crate::args::{Errors, Format, History};
use crate::failure::Result;
use crate::output;
use crate::setup::{Access, Setup};

pub(crate) async fn history(setup: &Setup<'_>, wanted: &History) -> Result<()> {
    let runs = setup.existing_store()?.runs(&setup.key(), 0, wanted.limit).await?;
    if wanted.json {
        return output::json_lines(&runs);
    }
    let mut text = String::new();
    for run in runs {
        let _ = write!(text, "{}  {run}", run.started_at.format("%F %T UTC"));
    }
    output::text(&text)
}

pub(crate) async fn errors(setup: &Setup<'_>, wanted: &Errors) -> Result<()> {
    let plan = plan_of(&setup.existing_store()?, &setup.key(), wanted.run.as_deref()).await?;
    let view = setup.engine(Access::Look)?.stored(&plan).await?;
    let severity = if wanted.warnings { Severity::Warning } else { Severity::Error };
    let format = match wanted.format {
        Format::Csv => FileFormat::Csv,
        Format::Json => FileFormat::JsonLines,
    };
    let mut out: Box<dyn Write + Send> = match &wanted.out {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::stdout()),
    };
    let mut out = BufWriter::new(&mut out);
    let count = write_problems(view.problems(), severity, format, &mut out).await?;
    if let Some(path) = &wanted.out {
        let what = if wanted.warnings { "warnings" } else { "errors" };
        eprintln!("{count} {what} written to {}", path.display());
    }
    Ok(())
}

/// The plan of a run, or of the newest run that has one.
async fn plan_of(store: &SqliteStore, connection: &ConnectionKey, run: Option<&str>) -> Result<PlanId> {
    const PAGE: usize = 50;
    if let Some(run) = run {
        let report = store.run(connection, &RunId::from(run)).await?;
        let report = report.ok_or_else(|| not_found("this connection has no such run", run))?;
        return Ok(report
            .plan
            .ok_or_else(|| not_found("the run kept no plan: there was nothing to say", run))?);
    }
    let mut offset = 0;
    loop {
        let page: Vec<RunReport> = store.runs(connection, offset, PAGE).await?;
        if page.is_empty() {
            return Err(not_found("no run of this connection kept a plan", "any").into());
        }
        offset += page.len() as u64;
        if let Some(plan) = page.into_iter().find_map(|report| report.plan) {
            return Ok(plan);
        }
    }
}

fn not_found(message: &'static str, run: &str) -> Error {
    let hint = "`hrisctl history` lists the runs";
    Error::new(ErrorKind::NotFound, message).with_hint(hint).with_context("run", run)
}
