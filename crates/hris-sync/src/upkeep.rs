//! What administrators do about single people beside runs: overrides, corrected error files, forgetting; and how long
//! history is kept.

use std::io::Read;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use hris_core::store::{Lease, Override, Purged, Until};
use hris_core::{
    BirthDate, Email, Error, ErrorKind, MemberField, Problem, RecordId, Result, RunId, TargetField, Value,
    rule,
};
use serde::Deserialize;

use crate::engine::Engine;

/// What came of a corrected error file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refeed {
    /// Rows whose corrected value was recorded.
    pub recorded: u64,
    /// Rows without a corrected value.
    pub empty: u64,
    /// Rows that could not be used, and why.
    pub problems: Vec<Problem>,
}

/// A row of an error file, as [`crate::write_problems`] writes it and somebody filled it in.
#[derive(Deserialize)]
struct Row {
    record_id: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    corrected_value: String,
}

impl Engine {
    /// Records overrides, to be respected from the next run on. Plans that wait are given up, since they were made
    /// without them.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for an attribute that the mapping does not write; [`ErrorKind::Stale`] while a plan is
    /// half applied; [`ErrorKind::Leased`] while a run is under way.
    pub async fn put_overrides(&self, overrides: &[Override]) -> Result<()> {
        let targets = self.parts.mapping.targets();
        if let Some(other) = overrides.iter().find(|one| !targets.contains(&one.field)) {
            return Err(Error::new(ErrorKind::Invalid, "the mapping does not write this attribute")
                .with_hint("name one of the mapping's targets")
                .with_context("field", other.field.to_string()));
        }
        let records: Vec<_> = overrides.iter().map(|one| one.record.clone()).collect();
        let lease = self.lease_for("override").await?;
        let work = async {
            self.dismiss_waiting(&lease).await?;
            self.parts.store.put_overrides(&lease, overrides).await?;
            self.read_again(&lease, &records).await
        };
        self.under(&lease, work).await
    }

    /// Takes overrides back; the next run puts the HR system's values in their place.
    ///
    /// # Errors
    /// As [`Engine::put_overrides`].
    pub async fn remove_overrides(&self, which: &[(RecordId, TargetField)]) -> Result<()> {
        let records: Vec<_> = which.iter().map(|(record, _)| record.clone()).collect();
        let lease = self.lease_for("override").await?;
        let work = async {
            self.dismiss_waiting(&lease).await?;
            self.parts.store.remove_overrides(&lease, which).await?;
            self.read_again(&lease, &records).await
        };
        self.under(&lease, work).await
    }

    /// Every override of the connection, in the order of records.
    pub async fn overrides(&self) -> Result<Vec<Override>> {
        let mut all: Vec<_> = self.parts.store.overrides(&self.parts.connection).try_concat().await?;
        all.sort_by_cached_key(|one| (one.record.clone(), one.field.to_string()));
        Ok(all)
    }

    /// Takes an error file (CSV) whose column `corrected_value` somebody filled in, and records an override for each
    /// such row, which holds until the HR system says something else. A row that cannot be used is nobody else's
    /// problem.
    ///
    /// Dates are written `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the file is no error file; else as [`Engine::put_overrides`].
    pub async fn refeed(&self, file: impl Read + Send, actor: &str, reason: &str) -> Result<Refeed> {
        let mut refeed = Refeed::default();
        let mut overrides = Vec::new();
        let now = self.parts.clock.now();
        for row in csv::Reader::from_reader(file).deserialize() {
            // What a parser says may quote the row.
            let row: Row = row.map_err(|_| {
                Error::new(ErrorKind::Invalid, "the file is not an error file of this library")
                    .with_hint("keep its header line and its columns as they were written")
            })?;
            if row.corrected_value.trim().is_empty() {
                refeed.empty += 1;
                continue;
            }
            match self.corrected(&row, actor, reason, now) {
                Ok(one) => overrides.push(one),
                Err(problem) => refeed.problems.push(*problem),
            }
        }
        if !overrides.is_empty() {
            self.put_overrides(&overrides).await?;
        }
        refeed.recorded = overrides.len() as u64;
        Ok(refeed)
    }

    fn corrected(
        &self,
        row: &Row,
        actor: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> std::result::Result<Override, Box<Problem>> {
        let record = restored(&row.record_id);
        let unusable = |message| {
            let mut problem = Problem::error(rule::OVERRIDE_UNUSABLE, message);
            problem.record = (!record.is_empty()).then(|| RecordId::from(record));
            Box::new(problem.at(restored(&row.field).to_owned()))
        };
        if record.is_empty() {
            return Err(unusable("the row names no record"));
        }
        let field = restored(&row.field).parse::<TargetField>().ok();
        let field = field.filter(|field| self.parts.mapping.targets().contains(field)).ok_or_else(|| {
            unusable("the field is not an attribute that the mapping writes; name the attribute instead")
        })?;
        let value = parsed(&field, restored(row.corrected_value.trim()))
            .ok_or_else(|| unusable("the corrected value is not of the attribute's form"))?;
        let made = Override::new(record, field, Some(value), actor, reason, now);
        Ok(made.until(Until::SourceChanges(None)))
    }

    /// Forgets a person: link, overrides, history, and what plans and problems say of them. A keyed fingerprint stays,
    /// so that the person is passed over from now on and never created again. The member on the platform is left as it
    /// is: close it there first if it is to be closed.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] while a plan is half applied: let a run finish it.
    pub async fn forget(&self, record: &RecordId) -> Result<()> {
        let lease = self.lease_for("forget").await?;
        let work = async {
            self.dismiss_waiting(&lease).await?;
            let baseline = self.parts.store.baseline(&self.parts.connection).await?;
            let fingerprinter = self.parts.fingerprinter(baseline.as_ref()).await?;
            self.parts.store.forget(&lease, record, fingerprinter.record(record)).await
        };
        self.under(&lease, work).await
    }

    /// Takes back the links of some records, as if they had never been matched: the next run matches them anew.
    /// Answers how many there were.
    pub async fn unlink(&self, records: &[RecordId]) -> Result<u64> {
        let lease = self.lease_for("unlink").await?;
        let work = async {
            self.dismiss_waiting(&lease).await?;
            let removed = self.parts.store.remove_links(&lease, records).await?;
            self.read_again(&lease, records).await?;
            Ok(removed)
        };
        self.under(&lease, work).await
    }

    /// Takes away final plans and reports of runs from before a day.
    pub async fn purge(&self, before: NaiveDate) -> Result<Purged> {
        let before = before.and_time(chrono::NaiveTime::MIN).and_utc();
        let lease = self.lease_for("purge").await?;
        let work = async {
            let plans = self.parts.store.purge_plans(&lease, before).await?;
            Ok(Purged::new(plans, self.parts.store.purge_runs(&lease, before).await?))
        };
        self.under(&lease, work).await
    }

    /// A lease under a name of its own: a store grants a holder the lease that it has, so that two at once under one name
    /// would take it from each other.
    async fn lease_for(&self, what: &str) -> Result<Lease> {
        self.take_lease(&RunId::from(format!("{what} {}", self.parts.clock.now().timestamp_micros()))).await
    }

    /// Lets the next reading of changes ask for people whether they changed or not.
    pub(crate) async fn read_again(&self, lease: &Lease, records: &[RecordId]) -> Result<()> {
        let Some(mut known) = self.parts.store.checkpoint(&self.parts.connection).await? else {
            return Ok(());
        };
        for record in records {
            if !known.unsettled.contains(record) {
                known.unsettled.push(record.clone());
            }
        }
        self.parts.store.set_checkpoint(lease, Some(&known)).await
    }
}

/// Takes the apostrophe away that keeps spreadsheets from taking a cell for a formula.
fn restored(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => cell,
    }
}

/// The text of a corrected cell as the attribute's kind of value.
fn parsed(field: &TargetField, text: &str) -> Option<Value> {
    let date = || text.parse::<NaiveDate>().ok();
    match field {
        TargetField::Member(MemberField::StartDate | MemberField::EndDate) => date().map(Value::Date),
        TargetField::Member(MemberField::BirthDate) => {
            date().map(|date| Value::BirthDate(BirthDate::from(date)))
        }
        TargetField::Member(MemberField::Email) => Email::parse(text).map(|email| email.as_str().into()),
        _ => Some(Value::from(text)),
    }
}
