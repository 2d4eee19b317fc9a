//! `explain`, `refeed`, `forget` and `purge`: what is done about single people, and how long history is kept.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;

use hris::core::{EmployeeRef, RecordId};

use crate::args::{Explain, Forget, Purge, Refeed};
use crate::failure::Result;
use crate::output;
use crate::setup::{Access, Setup};

pub(crate) async fn explain(setup: &Setup<'_>, wanted: &Explain) -> Result<()> {
    let person = EmployeeRef::record(wanted.record.as_str());
    let engine = setup.engine(Access::Look)?;
    let explanation = engine.explain(&person, setup.as_of(wanted.as_of)).await;
    setup.bar.finish();
    output::text(&explanation?.to_string())
}

pub(crate) async fn refeed(setup: &Setup<'_>, wanted: &Refeed) -> Result<()> {
    let file = BufReader::new(File::open(&wanted.file)?);
    let refeed = setup.engine(Access::Write)?.refeed(file, &wanted.actor, &wanted.reason).await?;
    let mut text = format!("{} recorded, {} left empty\n", refeed.recorded, refeed.empty);
    for problem in &refeed.problems {
        let record = problem.record.as_ref().map_or("", RecordId::as_str);
        let field = problem.field.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {record} {field}: {}", problem.message);
    }
    output::text(&text)
}

pub(crate) async fn forget(setup: &Setup<'_>, wanted: &Forget) -> Result<()> {
    setup.engine(Access::Write)?.forget(&RecordId::from(wanted.record.as_str())).await?;
    output::text("forgotten; the member on the platform is left as it is\n")
}

pub(crate) async fn purge(setup: &Setup<'_>, wanted: &Purge) -> Result<()> {
    let purged = setup.engine(Access::Write)?.purge(wanted.before).await?;
    output::text(&format!("{} plans and {} reports taken away\n", purged.plans, purged.runs))
}
