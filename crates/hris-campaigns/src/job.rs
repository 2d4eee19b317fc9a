//! The daily job: read everyone once for all campaigns, settle what that means, send what is due.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use hris_core::ledger::{Batch, CampaignStatus, Episode, LedgerHead, RunRecord, Send, SendGroup, SendId};
use hris_core::store::Lease;
use hris_core::{
    EmployeeField, Error, ErrorKind, FieldSet, HrisConnector, Problem, ReadEvent, ReadQuery, Receipt, Result,
    RunId, SecretKey, SourceField,
};

use crate::keys::Keys;
use crate::pass::Pass;
use crate::report::{CampaignReport, ReadingOutcome};
use crate::rule;
use crate::scan::Scan;
use crate::service::{Campaigns, Listed};
use crate::settle::{Settling, Terms, wanted};

/// Sends listed in one call.
const PAGE: usize = 1_000;

/// How a reading ended.
enum Ended {
    /// With a receipt.
    Well(Box<Receipt>),
    /// Without one, and why.
    Broken(String),
}

impl Campaigns {
    /// The daily job for a day in the customer's zone ([`Campaigns::today`]): reads everyone, plans, moves and cancels
    /// Sends, then sends what is due.
    ///
    /// Safe to repeat: a run id that was carried out is not read again, a day that was looked at plans nothing twice,
    /// and what a crash left behind is taken up. A day before the last run's plans nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Leased`] where the job runs already; [`ErrorKind::WrongAccount`] where the credential opens another
    /// company; what the ledger reports. A directory that cannot be read is no error but a report that says so.
    #[tracing::instrument(skip_all, fields(run = %run, as_of = %as_of))]
    pub async fn run(
        &self,
        connector: &dyn HrisConnector,
        run: &RunId,
        as_of: NaiveDate,
    ) -> Result<CampaignReport> {
        let lease = self.take_lease(run).await?;
        let result = self.run_under(&lease, connector, run, as_of).await;
        // A lease that cannot be given back ends by itself.
        let _ = self.ledger.release(&lease).await;
        result
    }

    /// Runs under the same id at one moment are two runs: a mail must not be handed over by both.
    pub(crate) async fn take_lease(&self, run: &RunId) -> Result<Lease> {
        let holder = RunId::from(format!("{run}/{:016x}", fastrand::u64(..)));
        self.ledger.acquire(&self.connection, &holder, self.clock.now(), self.policy.lease).await
    }

    async fn run_under(
        &self,
        lease: &Lease,
        connector: &dyn HrisConnector,
        run: &RunId,
        as_of: NaiveDate,
    ) -> Result<CampaignReport> {
        let done = self.ledger.run_report(&self.connection, run).await?;
        let mut report = match &done {
            Some(done) => decode(done)?,
            None => self.look(lease, connector, run, as_of).await?,
        };
        let purge = self.purge();
        let this_month = hris_core::ledger::Month::of(self.clock.now().date_naive());
        self.send_due(lease, &mut report).await?;
        let swept = self.ledger.sweep(lease, this_month, purge).await?;
        report.links_expired += swept.expired;
        report.names_erased += swept.erased;
        let record = record(&report)?;
        if done.as_ref() != Some(&record) {
            self.ledger.commit(lease, &Batch { run: Some(record), ..Batch::default() }).await?;
        }
        Ok(report)
    }

    /// Reads and settles, and answers what that came to.
    async fn look(
        &self,
        lease: &Lease,
        connector: &dyn HrisConnector,
        run: &RunId,
        as_of: NaiveDate,
    ) -> Result<CampaignReport> {
        let mut report = CampaignReport::new(run.clone(), as_of);
        let running = self.running().await?;
        if running.is_empty() {
            return Ok(report);
        }
        if running.iter().any(|listed| listed.last_run.is_some_and(|last| last > as_of)) {
            let message = "the day is before that of the last run; nothing was planned";
            report.add(None, Problem::warning(rule::CLOCK_BACK, message));
            return Ok(report);
        }
        let begun = self.clock.now();
        let head = self.ledger.head(&self.connection).await?;
        if let Err(error) = self.check(connector, head.as_ref()).await {
            return incomplete(report, &error);
        }
        let refused = match self.undelivered_fields(connector, &running, &mut report).await {
            Ok(refused) => refused,
            Err(error) => return incomplete(report, &error),
        };
        let key = match &head {
            Some(head) => self.keys.key(&head.key).await?,
            None => self.keys.current().await?,
        };
        let reading = Reading { lease, running: &running, refused, head, key, begun, as_of };
        self.read(connector, reading, &mut report).await?;
        Ok(report)
    }

    pub(crate) async fn running(&self) -> Result<Vec<Listed>> {
        let mut all = self.list().await?;
        all.retain(|listed| matches!(listed.status, CampaignStatus::Live | CampaignStatus::Paused));
        Ok(all)
    }

    /// Whose directory it is, and whether it is ready.
    async fn check(&self, connector: &dyn HrisConnector, head: Option<&LedgerHead>) -> Result<()> {
        let account = connector.check().await?;
        if let Some(head) = head.filter(|head| head.account != account.id) {
            return Err(wrong_account(head));
        }
        match account.not_ready {
            Some(why) => Err(Error::new(ErrorKind::NotReady, why)),
            None => Ok(()),
        }
    }

    /// Which campaigns need a field that the integration does not have at all.
    async fn undelivered_fields(
        &self,
        connector: &dyn HrisConnector,
        running: &[Listed],
        report: &mut CampaignReport,
    ) -> Result<Vec<bool>> {
        let has: FieldSet = connector.fields().await?.into_iter().map(|field| field.field).collect();
        let mut refused = Vec::with_capacity(running.len());
        for listed in running {
            let why = lacking(listed.campaign.rule(), &has);
            refused.push(why.is_some());
            if let Some(why) = why {
                refuse(report, listed, why);
            }
        }
        Ok(refused)
    }

    async fn read(
        &self,
        connector: &dyn HrisConnector,
        mut reading: Reading<'_>,
        report: &mut CampaignReport,
    ) -> Result<()> {
        let keys = Keys::new(&reading.key, &self.connection);
        let campaigns = reading.running.iter().map(|listed| (listed.campaign.clone(), listed.last_run));
        let scan = Scan::new(reading.as_of, campaigns);
        let waiting = self.undelivered().await?;
        let watched = waiting.iter().map(|send| send.person);
        let episodes = self.ledger.episodes(&self.connection).await?;
        let blocks = self.ledger.blocks(&self.connection).await?;
        let mut pass = Pass::new(&scan, &keys, watched, episodes, blocks);
        let fields = wanted_fields(reading.running);
        let ended = self.take_in(connector, fields, &mut reading, &mut pass, report).await?;
        let receipt = match &ended {
            Ended::Well(receipt) => Some(&**receipt),
            Ended::Broken(why) => {
                tracing::warn!("the reading broke off");
                let message = format!("the reading broke off, so that nothing was planned from it: {why}");
                report.add(None, Problem::warning(rule::INCOMPLETE, message));
                None
            }
        };
        self.settle_reading(&reading, &mut pass, waiting, receipt, report).await
    }

    /// Takes the whole reading in. Only somebody else's directory is an error.
    async fn take_in(
        &self,
        connector: &dyn HrisConnector,
        fields: FieldSet,
        reading: &mut Reading<'_>,
        pass: &mut Pass<'_>,
        report: &mut CampaignReport,
    ) -> Result<Ended> {
        let mut lease = reading.lease.clone();
        let mut events = connector.read(ReadQuery::everyone(fields));
        loop {
            match events.try_next().await {
                Ok(Some(ReadEvent::Employees(page))) => {
                    for employee in &page {
                        pass.see(employee, report);
                    }
                    lease = self.keep_lease(lease).await?;
                }
                Ok(Some(ReadEvent::Rejected(row))) => {
                    report.people += 1;
                    if let Some(record) = &row.record {
                        pass.unreadable(record);
                    }
                    report.add(None, row.to_problem());
                }
                Ok(Some(ReadEvent::Deleted(record))) => pass.deleted(&record),
                Ok(Some(ReadEvent::End(receipt))) => {
                    let head = reading.head.as_ref().filter(|head| {
                        head.account != receipt.account || head.record_id_kind != receipt.record_id_kind
                    });
                    return head
                        .map_or_else(|| Ok(Ended::Well(Box::new(receipt))), |head| Err(wrong_account(head)));
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Ended::Broken("it ended without a receipt".to_owned())),
                Err(error) if error.kind() == ErrorKind::WrongAccount => return Err(error),
                Err(error) => return Ok(Ended::Broken(error.to_string())),
            }
        }
    }

    /// Prolongs the lease when half of its time is over.
    pub(crate) async fn keep_lease(&self, lease: Lease) -> Result<Lease> {
        let now = self.clock.now();
        if now + self.policy.lease / 2 < lease.expires_at {
            return Ok(lease);
        }
        self.ledger.renew(&lease, now, self.policy.lease).await
    }

    async fn settle_reading(
        &self,
        reading: &Reading<'_>,
        pass: &mut Pass<'_>,
        waiting: Vec<Send>,
        receipt: Option<&Receipt>,
        report: &mut CampaignReport,
    ) -> Result<()> {
        let is_stale = receipt.is_some_and(|receipt| !receipt.status.is_usable());
        report.reading = match receipt {
            None => ReadingOutcome::Incomplete,
            Some(_) if is_stale => ReadingOutcome::Stale,
            Some(_) => ReadingOutcome::Complete,
        };
        if is_stale {
            let message = "the data is stale, so that nothing was planned or called off from it";
            report.add(None, Problem::warning(rule::STALE, message));
            return Ok(());
        }
        let all = wanted(pass);
        let known = self.known(waiting, all.iter().map(|wanted| wanted.id)).await?;
        let occasions: Vec<_> = all.iter().map(|wanted| wanted.occasion).collect();
        let went_out = self.ledger.went_out(&self.connection, &occasions).await?;
        let went_out =
            occasions.iter().zip(went_out).filter_map(|(occasion, id)| Some((*occasion, id?))).collect();
        let terms = self.terms(reading, pass, receipt, report).await?;
        let mut settling = Settling { pass, terms: &terms, report, known, went_out, changes: Vec::new() };
        match receipt {
            Some(_) => settling.settle(&all),
            None => settling.cancel_leavers(),
        }
        let changes = settling.changes;
        // Of a reading that broke off only the ends count.
        let counts = |episode: &&Episode| receipt.is_some() || episode.ended;
        let episodes = pass.touched.values().filter(counts).copied().collect();
        let mut batch = Batch { changes, episodes, ..Batch::default() };
        if let Some(receipt) = receipt {
            batch.last_runs = Self::last_runs(reading, &terms);
            batch.head = Some(LedgerHead::new(
                receipt.account.clone(),
                receipt.record_id_kind.clone(),
                reading.key.id().clone(),
                reading.begun,
            ));
            batch.run = Some(record(report)?);
        }
        let left_out = self.ledger.commit(reading.lease, &batch).await?;
        if !left_out.is_empty() {
            // Somebody erased a person, ended a campaign or claimed a gift in the meantime: theirs holds.
            tracing::info!(count = left_out.len(), "changes gave way to others");
        }
        Ok(())
    }

    async fn terms(
        &self,
        reading: &Reading<'_>,
        pass: &Pass<'_>,
        receipt: Option<&Receipt>,
        report: &mut CampaignReport,
    ) -> Result<Terms> {
        let mut refused = reading.refused.clone();
        for (index, listed) in reading.running.iter().enumerate() {
            let undated = pass.undated.get(index).copied().unwrap_or_default();
            let is_refused = refused.get(index).copied().unwrap_or_default();
            if receipt.is_some() && !is_refused && pass.present > 0 && undated >= pass.present {
                refuse(report, listed, no_dates(listed.campaign.rule().anchor.field()));
                if let Some(refused) = refused.get_mut(index) {
                    *refused = true;
                }
            }
        }
        Ok(Terms {
            zone: self.policy.zone,
            now: reading.begun,
            link_key: self.keys.current().await?.id().clone(),
            purge: self.purge(),
            rules: reading.running.iter().map(|listed| listed.record.rule).collect(),
            refused,
            absence: receipt.is_some_and(|receipt| receipt.full && receipt.absence.ground().is_usable()),
            tombstones: receipt.is_some_and(|receipt| receipt.tombstones.is_usable()),
        })
    }

    fn last_runs(reading: &Reading<'_>, terms: &Terms) -> Vec<(hris_core::CampaignId, NaiveDate)> {
        let looked_after = reading.running.iter().zip(&terms.refused).filter(|(_, refused)| !**refused);
        looked_after.map(|(listed, _)| (listed.campaign.id().clone(), reading.as_of)).collect()
    }

    /// The Sends that wait, and those of the ids.
    async fn known(
        &self,
        waiting: Vec<Send>,
        ids: impl Iterator<Item = SendId>,
    ) -> Result<HashMap<SendId, Send>> {
        let mut known: HashMap<_, _> = waiting.into_iter().map(|send| (send.id, send)).collect();
        let missing: Vec<_> = ids.filter(|id| !known.contains_key(id)).collect();
        for ids in missing.chunks(PAGE) {
            let found = self.ledger.sends(&self.connection, ids).await?;
            known.extend(found.into_iter().flatten().map(|send| (send.id, send)));
        }
        Ok(known)
    }

    /// Everything that is not delivered, by due date.
    pub(crate) async fn undelivered(&self) -> Result<Vec<Send>> {
        let mut all: Vec<Send> = Vec::new();
        loop {
            let after = all.last().map(Send::cursor);
            let page = self.ledger.list(&self.connection, SendGroup::Undelivered, None, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }
}

/// What one reading is for.
struct Reading<'a> {
    lease: &'a Lease,
    running: &'a [Listed],
    refused: Vec<bool>,
    head: Option<LedgerHead>,
    key: SecretKey,
    begun: DateTime<Utc>,
    as_of: NaiveDate,
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

fn wrong_account(head: &LedgerHead) -> Error {
    Error::new(ErrorKind::WrongAccount, "the credential opens another company, or another kind of record ids")
        .with_hint("use the credential of the company that these campaigns were begun with")
        .with_context("expected", &head.account)
}

/// A directory that cannot be read today. Somebody else's is an error.
fn incomplete(mut report: CampaignReport, error: &Error) -> Result<CampaignReport> {
    if error.kind() == ErrorKind::WrongAccount {
        let repeated = Error::new(error.kind(), error.message().to_owned());
        return Err(repeated.with_hint(error.hint().unwrap_or_default().to_owned()));
    }
    report.reading = ReadingOutcome::Incomplete;
    let message = format!("the directory cannot be read today, so that nothing was planned: {error}");
    report.add(None, Problem::warning(rule::INCOMPLETE, message));
    Ok(report)
}

fn refuse(report: &mut CampaignReport, listed: &Listed, why: String) {
    let id = listed.campaign.id();
    report.add(Some(id), Problem::error(rule::NOT_DELIVERED, why.clone()));
    report.of(id).not_delivered = Some(why);
}

/// Why a campaign cannot be run on these fields, with the remedy.
pub(crate) fn lacking(rule: &crate::Rule, has: &FieldSet) -> Option<String> {
    let is_there = |field: &SourceField| match field {
        SourceField::Employee(field) => has.has(*field),
        SourceField::Custom(name) => has.has_custom(name),
    };
    if !is_there(rule.anchor.field()) {
        return Some(no_dates(rule.anchor.field()));
    }
    let has_address = rule.addresses.iter().any(|address| has.has(address.field()));
    (!has_address).then(|| {
        let wanted: Vec<_> = rule.addresses.iter().map(|address| address.field().as_str()).collect();
        let other = match *rule.addresses {
            [crate::AddressSource::Personal] => "designate the work address",
            [crate::AddressSource::Work] => "designate the personal address",
            _ => "designate an address that it delivers",
        };
        format!("the integration delivers no `{}`: {other}", wanted.join("` or `"))
    })
}

fn no_dates(field: &SourceField) -> String {
    let remedy = match field {
        SourceField::Employee(EmployeeField::BirthDate) => {
            "let the HR system share birth dates, or map a field that has them"
        }
        SourceField::Employee(_) => "map a start date, such as a custom field of the HR system",
        SourceField::Custom(_) => "fill this field in the HR system, or map another",
    };
    format!("the integration delivers no `{field}`: {remedy}")
}

/// Names, and what the campaigns look at.
pub(crate) fn wanted_fields(running: &[Listed]) -> FieldSet {
    let always = [
        EmployeeField::EmployeeId,
        EmployeeField::Status,
        EmployeeField::FirstName,
        EmployeeField::LastName,
        EmployeeField::StartDate,
        EmployeeField::EndDate,
    ];
    let asked = running.iter().flat_map(|listed| listed.campaign.rule().fields());
    always.into_iter().map(SourceField::from).chain(asked).collect()
}

fn record(report: &CampaignReport) -> Result<RunRecord> {
    let json = serde_json::to_string(report)
        .map_err(|_| Error::new(ErrorKind::Store, "the report cannot be written as JSON"))?;
    Ok(RunRecord { run: report.run.clone(), as_of: report.as_of, report: json })
}

fn decode(record: &RunRecord) -> Result<CampaignReport> {
    serde_json::from_str(&record.report).map_err(|_| {
        Error::new(ErrorKind::Integrity, "a stored report cannot be read").with_context("run", &record.run)
    })
}
