//! Reading for a plan: everyone, or what changed, checked against what the connection was made for.

use futures_util::StreamExt as _;
use hris_core::{
    AbsenceGround, Account, Employee, EmployeeField, EmployeeRef, Error, ErrorKind, FieldSet, Ground,
    ProgressEvent, ReadEvent, ReadQuery, Receipt, RecordId, Result, Scope, Stage, Watermark,
};

use super::{Planning, resolver};
use crate::engine::Parts;
use crate::incremental::Extent;
use crate::policy::{BrokenReading, EndDate};

/// Up to how many people are asked for one by one. With more, reading everyone is the lesser effort.
const ASKED_ONE_BY_ONE: usize = 200;

impl Planning<'_> {
    pub(super) fn may_use_broken_reading(&self, error: &Error) -> bool {
        self.parts.policy.broken_reading == BrokenReading::ApplyCreatesAndUpdates
            && !matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Store | ErrorKind::Leased)
    }

    pub(super) fn check_account(&self, account: &Account) -> Result<()> {
        if let Some(why) = &account.not_ready {
            return Err(Error::new(
                ErrorKind::NotReady,
                format!("the HR system has no trustworthy data yet: {why}"),
            )
            .with_hint("wait for it, or follow what it asks for; nobody was changed"));
        }
        match &self.baseline {
            Some(known) if known.account != account.id => Err(wrong_account()),
            _ => Ok(()),
        }
    }

    pub(super) fn check_receipt(&self, receipt: &Receipt) -> Result<()> {
        let Some(known) = &self.baseline else {
            return Ok(());
        };
        if known.account != receipt.account {
            return Err(wrong_account());
        }
        if known.record_id_kind != receipt.record_id_kind {
            return Err(Error::new(
                ErrorKind::WrongAccount,
                "the record ids are of another kind than this connection's",
            )
            .with_hint("set the connector's record id back to what it was when the connection was made")
            .with_context("pinned", known.record_id_kind.as_str())
            .with_context("read", receipt.record_id_kind.as_str()));
        }
        Ok(())
    }

    pub(super) async fn read(&mut self) -> Result<Receipt> {
        let fields = fields(self.parts);
        match self.extent.clone() {
            Extent::Everyone(why) => {
                tracing::debug!(why, "everyone is read");
                self.read_query(ReadQuery::everyone(fields)).await
            }
            Extent::Some(people) => self.read_some(fields, people).await,
            Extent::Changes { since, again } => self.read_changes(fields, since, again).await,
        }
    }

    /// Reads some people: by asking for each, or, where that cannot be done or takes too long, by reading everyone and
    /// passing over all others. Either way nothing follows for those others.
    async fn read_some(&mut self, fields: FieldSet, people: Vec<EmployeeRef>) -> Result<Receipt> {
        let asks = self.parts.connector.capabilities().single_read && people.len() <= ASKED_ONE_BY_ONE;
        let query = if asks {
            ReadQuery::scoped(Scope::People(people), fields)
        } else {
            self.chosen = Some(people.into_iter().map(|person| person.record).collect());
            ReadQuery::everyone(fields)
        };
        let mut receipt = self.read_query(query).await?;
        receipt.full = false;
        receipt.absence = AbsenceGround::refused("only some people were looked at");
        Ok(receipt)
    }

    /// Whether this is about a person.
    fn is_chosen(&self, record: &RecordId) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(record))
    }

    /// Reads those changed since a watermark, and then people whom the last reading left open.
    async fn read_changes(
        &mut self,
        fields: FieldSet,
        since: Watermark,
        mut again: Vec<EmployeeRef>,
    ) -> Result<Receipt> {
        let changed = ReadQuery::scoped(Scope::ChangedSince(since), fields.clone());
        let mut receipt = self.read_query(changed).await?;
        again.retain(|person| !self.planner.is_read(&person.record));
        if !again.is_empty() {
            self.check_receipt(&receipt)?;
            let some = ReadQuery::scoped(Scope::People(again.clone()), fields);
            let other = self.read_query(some).await?;
            self.check_receipt(&other)?;
            again.retain(|person| !self.planner.is_read(&person.record));
            for person in &again {
                self.planner.has_gone(&person.record);
            }
            receipt.status = stricter(receipt.status, other.status);
            receipt.tombstones = stricter(receipt.tombstones, other.tombstones);
            receipt.warnings.extend(other.warnings);
        }
        // Whoever did not come did not change: nobody is absent, whatever the connector says.
        receipt.full = false;
        receipt.absence = AbsenceGround::refused("only people who changed were read");
        Ok(receipt)
    }

    async fn read_query(&mut self, query: ReadQuery) -> Result<Receipt> {
        let mut events = self.parts.connector.read(query);
        while let Some(event) = events.next().await {
            self.parts.cancel.check()?;
            match event? {
                ReadEvent::Expected(total) => self.expected = Some(total),
                ReadEvent::Employees(page) => self.page(&page).await?,
                ReadEvent::Rejected(row) if row.record.as_ref().is_none_or(|row| self.is_chosen(row)) => {
                    self.planner.reject(&row)?;
                }
                ReadEvent::End(receipt) => return Ok(receipt),
                ReadEvent::Deleted(record) if self.is_chosen(&record) => self.deleted.push(record),
                // Events of a later version inform and decide nothing.
                _ => {}
            }
        }
        Err(without_receipt())
    }

    async fn page(&mut self, page: &[Employee]) -> Result<()> {
        self.introduce_managers(page).await?;
        let mut drafts = Vec::new();
        for employee in page {
            if !self.is_chosen(&employee.record) {
                continue;
            }
            drafts.extend(self.planner.observe(employee)?);
        }
        self.planner.drop_superseded(&mut drafts);
        if !drafts.is_empty() {
            let resolver = resolver(self.parts, self.links, &self.fingerprinter, self.options.as_of);
            let actions = resolver.resolve(drafts, &mut self.planner).await?;
            self.planner.note_actions(&actions);
            self.spool.append(&actions, &self.planner.take_problems()).await?;
        }
        self.keep_lease().await?;
        let progress = ProgressEvent::new(Stage::Reading, self.planner.distinct(), self.expected);
        self.parts.progress.report(progress);
        Ok(())
    }
}

/// What a plan needs to know of each person: what is mapped, and what the policy decides by.
pub(crate) fn fields(parts: &Parts) -> FieldSet {
    let mut fields: FieldSet = parts.mapping.sources().iter().cloned().collect();
    if parts.policy.create_before_start_days.is_some() {
        // Who left and is to come back is told from who never came by the end date.
        fields.insert(EmployeeField::StartDate);
        fields.insert(EmployeeField::EndDate);
        fields.insert(EmployeeField::TimeZone);
    }
    if parts.policy.end_date != EndDate::Warns {
        fields.insert(EmployeeField::EndDate);
        fields.insert(EmployeeField::TimeZone);
    }
    fields
}

/// Of two grounds the one that allows less.
fn stricter(one: Ground, other: Ground) -> Ground {
    if one.is_usable() { other } else { one }
}

fn wrong_account() -> Error {
    Error::new(
        ErrorKind::WrongAccount,
        "the credential opens another company than this connection was made for",
    )
    .with_hint("use a credential of the same company, or set up a new connection; nobody was changed")
}

/// A stream of events that just stops.
pub(crate) fn without_receipt() -> Error {
    Error::new(ErrorKind::Incomplete, "the reading ended without a receipt")
        .with_hint("nothing was applied; the connector or the HR system broke off, try again")
}
