//! From a reading to a sealed plan: drives the connector, feeds the planner, spools actions, closes with the guards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::keys::Fingerprinter;
use hris_core::store::{Baseline, Lease, Leases, Link, Links, Plans};
use hris_core::{
    Account, Action, ActionId, ActionKind, EmployeeField, EmployeeRef, Error, ErrorKind, FieldSet, Ground,
    PlanHeader, PlanId, PlanOrigin, PlanSummary, Problem, ProgressEvent, ReadEvent, ReadQuery,
    ReadingSummary, Receipt, RecordId, Result, RuleCode, Stage, rule,
};

use crate::comparison::Ordinal;
use crate::engine::Parts;
use crate::guard::{GuardInput, judge};
use crate::planner::Planner;
use crate::policy::BrokenReading;
use crate::resolve::Resolver;
use crate::view::action_pages;

/// How long a lease is asked for; it is prolonged while the run goes on.
pub(crate) const LEASE: Duration = Duration::from_secs(10 * 60);

/// What planning came to.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) header: PlanHeader,
    /// Whether there is a plan in the store: not if there was nothing to say.
    pub(crate) stored: bool,
    pub(crate) problems: BTreeMap<RuleCode, u64>,
}

/// How a planning differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) as_of: NaiveDate,
    /// Whether a plan that says nothing is stored too, for a review to show.
    pub(crate) keep_empty: bool,
    /// Leavers that this run applied before, from a plan that it continued.
    pub(crate) left_already: u64,
}

/// Where a plan is being written. Nothing is written before there is something to write.
struct Spool<'a> {
    plans: &'a dyn Plans,
    lease: &'a Lease,
    id: PlanId,
    opened: bool,
}

impl Spool<'_> {
    async fn append(&mut self, actions: &[Action], problems: &[Problem]) -> Result<()> {
        if actions.is_empty() && problems.is_empty() {
            return Ok(());
        }
        self.open().await?;
        self.plans.append(self.lease, &self.id, actions, problems).await
    }

    async fn open(&mut self) -> Result<()> {
        if !self.opened {
            self.plans.open_plan(self.lease, &self.id).await?;
            self.opened = true;
        }
        Ok(())
    }
}

/// One planning under way.
pub(crate) struct Planning<'a> {
    parts: &'a Parts,
    leases: &'a dyn Leases,
    links: &'a dyn Links,
    lease: Lease,
    spool: Spool<'a>,
    planner: Planner,
    baseline: Option<Baseline>,
    fingerprinter: Fingerprinter,
    options: Options,
    expected: Option<u64>,
    /// Records that the vendor reports as deleted.
    deleted: Vec<RecordId>,
}

impl<'a> Planning<'a> {
    /// Loads what is known and gets ready to read.
    pub(crate) async fn start(
        parts: &'a Parts,
        leases: &'a dyn Leases,
        links: &'a dyn Links,
        plans: &'a dyn Plans,
        lease: &'a Lease,
        options: Options,
    ) -> Result<Self> {
        let baseline = links.baseline(&parts.connection).await?;
        let fingerprinter = parts.fingerprinter(baseline.as_ref()).await?;
        let planner = Planner::new(
            Arc::clone(&parts.mapping),
            fingerprinter.clone(),
            parts.policy.clone(),
            options.as_of,
        );
        // The token makes the id new for every attempt at the same run.
        let id = PlanId::from(format!("{}.{}", lease.holder, lease.token));
        let spool = Spool { plans, lease, id, opened: false };
        let mut planning = Self {
            parts,
            leases,
            links,
            lease: lease.clone(),
            spool,
            planner,
            baseline,
            fingerprinter,
            options,
            expected: None,
            deleted: Vec::new(),
        };
        planning.load().await?;
        Ok(planning)
    }

    async fn load(&mut self) -> Result<()> {
        // The last reading is a good guess at how many there are, inactive people included.
        self.planner
            .reserve(self.baseline.as_ref().and_then(|baseline| baseline.last_complete).unwrap_or_default());
        let mut links = self.links.links(&self.parts.connection);
        let mut loaded = 0;
        while let Some(batch) = links.try_next().await? {
            self.parts.cancel.check()?;
            for link in &batch {
                self.planner.add_known(link)?;
            }
            loaded += batch.len() as u64;
            self.parts.progress.report(ProgressEvent::new(Stage::Loading, loaded, None));
        }
        Ok(())
    }

    /// Reads the directory and plans.
    #[tracing::instrument(name = "hris.plan", skip_all, fields(connection = %self.parts.connection))]
    pub(crate) async fn run(mut self) -> Result<Planned> {
        let account = self.parts.connector.check().await?;
        self.check_account(&account)?;
        let receipt = match self.read().await {
            Ok(receipt) => Some(receipt),
            Err(error) if self.may_use_broken_reading(&error) => {
                self.planner
                    .problem(Problem::warning(rule::READING_BROKEN, "the reading broke off; nobody leaves"));
                None
            }
            Err(error) => return Err(error),
        };
        if let Some(receipt) = &receipt {
            self.check_receipt(receipt)?;
        }
        self.close(&account, receipt.as_ref()).await
    }

    fn may_use_broken_reading(&self, error: &Error) -> bool {
        self.parts.policy.broken_reading == BrokenReading::ApplyCreatesAndUpdates
            && !matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Store | ErrorKind::Leased)
    }

    fn check_account(&self, account: &Account) -> Result<()> {
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

    fn check_receipt(&self, receipt: &Receipt) -> Result<()> {
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

    async fn read(&mut self) -> Result<Receipt> {
        let mut fields: FieldSet = self.parts.mapping.sources().iter().cloned().collect();
        if self.parts.policy.create_before_start_days.is_some() {
            fields.insert(EmployeeField::StartDate);
        }
        let mut events = self.parts.connector.read(ReadQuery::everyone(fields));
        while let Some(event) = events.next().await {
            self.parts.cancel.check()?;
            match event? {
                ReadEvent::Expected(total) => self.expected = Some(total),
                ReadEvent::Employees(page) => self.page(&page).await?,
                ReadEvent::Rejected(row) => self.planner.reject(&row)?,
                ReadEvent::End(receipt) => return Ok(receipt),
                ReadEvent::Deleted(record) => self.deleted.push(record),
                // Events of a later version inform and decide nothing.
                _ => {}
            }
        }
        Err(Error::new(ErrorKind::Incomplete, "the reading ended without a receipt")
            .with_hint("nothing was applied; the connector or the HR system broke off, try again"))
    }

    async fn page(&mut self, page: &[hris_core::Employee]) -> Result<()> {
        let mut drafts = Vec::new();
        for employee in page {
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

    async fn keep_lease(&mut self) -> Result<()> {
        let now = self.parts.clock.now();
        if self.lease.expires_at - now < chrono::TimeDelta::from_std(LEASE / 2).unwrap_or_default() {
            self.lease = self.leases.renew(&self.lease, now, LEASE).await?;
        }
        Ok(())
    }

    /// Everything was read: what contradicts itself is taken back, the rest is counted, judged and sealed.
    async fn close(mut self, account: &Account, receipt: Option<&Receipt>) -> Result<Planned> {
        self.apply_grounds(receipt);
        self.take_tombstones(receipt).await?;
        let ranks = self.planner.settle_claims();
        if self.planner.has_second_thoughts() || !ranks.is_empty() {
            self.settle_drafts(&ranks).await?;
        }
        let missing = self.report_from_links(receipt).await?;
        let mut summary = self.planner.summary();
        summary.missing = missing;
        if self.parts.target.capabilities().invitations != hris_core::Invitations::Never && self.spool.opened
        {
            summary.invitations = self.count_invitations().await?;
        }
        let header = self.header(account, receipt, summary);
        self.seal(header).await
    }

    fn apply_grounds(&mut self, receipt: Option<&Receipt>) {
        match receipt.map(|receipt| &receipt.status) {
            Some(Ground::Usable) => {}
            Some(Ground::Refused(why)) => self.planner.withhold_leavers(why),
            None => self.planner.withhold_leavers("the reading broke off"),
        }
        for warning in receipt.iter().flat_map(|receipt| &receipt.warnings) {
            self.planner.problem(warning.clone());
        }
    }

    /// A trusted tombstone makes a leaver, any other is reported.
    async fn take_tombstones(&mut self, receipt: Option<&Receipt>) -> Result<()> {
        let trusted = receipt.is_some_and(|receipt| receipt.tombstones.is_usable());
        let mut concerned = Vec::new();
        for record in std::mem::take(&mut self.deleted) {
            if self.planner.tombstone(&record, trusted)? {
                concerned.push(record);
            }
        }
        let links = self.links.links_of(&self.parts.connection, &concerned).await?;
        let resolver = resolver(self.parts, self.links, &self.fingerprinter, self.options.as_of);
        let mut actions = Vec::new();
        for link in links.into_iter().flatten() {
            if trusted {
                actions.push(resolver.tombstone(&link));
            } else {
                let message =
                    "the HR system reports the record as deleted; the member stays, since that is not proof";
                let person = EmployeeRef { record: link.record, employee_id: Some(link.employee_id) };
                self.planner.problem(Problem::warning(rule::PERSON_DELETED, message).of(&person));
            }
        }
        self.spool.append(&actions, &self.planner.take_problems()).await
    }

    /// Goes once through the drafts: takes back what is contested or not allowed, and moves up who must go first.
    async fn settle_drafts(&mut self, ranks: &BTreeMap<Ordinal, u32>) -> Result<()> {
        let mut retract: Vec<ActionId> = Vec::new();
        let mut rerank = Vec::new();
        let mut pages = action_pages(self.spool.plans, &self.parts.connection, &self.spool.id, None);
        while let Some(page) = if self.spool.opened { pages.try_next().await? } else { None } {
            for action in page.into_iter().map(|stored| stored.action) {
                let Some(ordinal) = self.planner.ordinal(&action.person.record) else {
                    continue;
                };
                if self.planner.report_contest(ordinal, &action.person)
                    || !self.planner.fits(ordinal, &action)
                {
                    retract.push(action.id);
                } else if let Some(rank) = ranks.get(&ordinal) {
                    rerank.push((action.id, *rank));
                }
            }
        }
        drop(pages);
        if !retract.is_empty() {
            self.spool.plans.retract(self.spool.lease, &self.spool.id, &retract).await?;
        }
        if !rerank.is_empty() {
            self.spool.plans.rerank(self.spool.lease, &self.spool.id, &rerank).await?;
        }
        Ok(())
    }

    /// Reports known people of a complete listing who did not come, and those held because of somebody else.
    async fn report_from_links(&mut self, receipt: Option<&Receipt>) -> Result<u64> {
        let complete = receipt.is_some_and(|receipt| receipt.full && receipt.absence.ground().is_usable());
        let missing = if complete { self.planner.missing() } else { 0 };
        if missing == 0 && !self.planner.has_unreported() {
            return Ok(0);
        }
        let mut links = self.links.links(&self.parts.connection);
        while let Some(batch) = links.try_next().await? {
            for link in batch {
                self.report_from_link(link, complete);
            }
            self.spool.append(&[], &self.planner.take_problems()).await?;
        }
        Ok(missing)
    }

    fn report_from_link(&mut self, link: Link, complete: bool) {
        let missing = complete && self.planner.is_missing(&link.record);
        let ordinal = self.planner.ordinal(&link.record);
        let person = EmployeeRef { record: link.record, employee_id: Some(link.employee_id) };
        if missing {
            let message = "not in the complete listing; the member stays as it is";
            self.planner.problem(Problem::warning(rule::PERSON_MISSING, message).of(&person));
        } else if let Some(ordinal) = ordinal {
            self.planner.report_contest(ordinal, &person);
        }
    }

    async fn count_invitations(&self) -> Result<u64> {
        let mut pages = action_pages(self.spool.plans, &self.parts.connection, &self.spool.id, None);
        let mut invitations = 0;
        while let Some(page) = pages.try_next().await? {
            let invites = |kind: &ActionKind| matches!(kind, ActionKind::Create { invite: true, .. });
            invitations += page.iter().filter(|stored| invites(&stored.action.kind)).count() as u64;
        }
        Ok(invitations)
    }

    fn header(&self, account: &Account, receipt: Option<&Receipt>, summary: PlanSummary) -> PlanHeader {
        let full = receipt.filter(|receipt| receipt.full).map(|_| summary.read);
        let input = GuardInput {
            full_reading: full.is_some(),
            last_complete: self.baseline.as_ref().and_then(|baseline| baseline.last_complete),
            email_changes: self.planner.email_changes(),
            first_import: self.baseline.is_none(),
            left_already: self.options.left_already,
        };
        let verdict = judge(&self.parts.policy, &summary, input);
        let close_down = self.parts.target.capabilities().close_down_days;
        let irreversible_from = close_down
            .filter(|_| summary.leave > 0)
            .and_then(|days| self.options.as_of.checked_add_days(chrono::Days::new(days.into())));
        let record_id_kind = receipt.map_or_else(
            || self.parts.connector.descriptor().record_id_kind.clone(),
            |receipt| receipt.record_id_kind.clone(),
        );
        let now = self.parts.clock.now();
        let lifetime = chrono::TimeDelta::from_std(self.parts.policy.plan_expires_after).unwrap_or_default();
        let origin = PlanOrigin {
            id: self.spool.id.clone(),
            connection: self.parts.connection.clone(),
            run: self.lease.holder.clone(),
            reading: ReadingSummary {
                account: account.id.clone(),
                record_id_kind,
                full,
                watermark: receipt.and_then(|receipt| receipt.watermark.clone()),
            },
            mapping: self.parts.mapping.version().clone(),
            policy: self.parts.policy.version(&self.fingerprinter),
            as_of: self.options.as_of,
            created_at: now,
            expires_at: now + lifetime,
            first_import: self.baseline.is_none(),
        };
        PlanHeader::new(origin, summary, verdict, irreversible_from, self.fingerprinter.key().clone())
    }

    /// Puts the digest on the plan and stores it, unless it says nothing at all.
    async fn seal(mut self, mut header: PlanHeader) -> Result<Planned> {
        let problems = self.planner.take_problems();
        let held = header.verdict != hris_core::Verdict::Ready;
        self.spool.append(&[], &problems).await?;
        if held || self.options.keep_empty {
            self.spool.open().await?;
        }
        let mut digester = header.digester(&self.fingerprinter);
        let mut spooled = 0;
        if self.spool.opened {
            let mut pages = action_pages(self.spool.plans, &self.parts.connection, &self.spool.id, None);
            while let Some(page) = pages.try_next().await? {
                for stored in &page {
                    digester.add(stored.action.id.as_str().as_bytes());
                }
                spooled += page.len() as u64;
            }
        }
        if spooled != header.summary.actions() {
            // The guards judged the counts, so that a plan with other actions must never be applied.
            return Err(Error::new(ErrorKind::Integrity, "the plan has other actions than were counted")
                .with_hint("nothing was applied; please report this with the numbers below")
                .with_context("counted", header.summary.actions())
                .with_context("spooled", spooled));
        }
        header.digest = digester.finish();
        if self.spool.opened {
            self.spool.plans.seal(self.spool.lease, &header).await?;
        }
        self.parts.progress.report(ProgressEvent::new(Stage::Planning, header.summary.actions(), None));
        Ok(Planned { stored: self.spool.opened, problems: self.planner.tally().clone(), header })
    }
}

fn resolver<'a>(
    parts: &'a Parts,
    links: &'a dyn Links,
    fingerprinter: &'a Fingerprinter,
    as_of: NaiveDate,
) -> Resolver<'a> {
    Resolver {
        connection: &parts.connection,
        links,
        target: &*parts.target,
        fingerprinter,
        targets: parts.mapping.targets(),
        invite: parts.policy.invite,
        as_of,
    }
}

fn wrong_account() -> Error {
    Error::new(
        ErrorKind::WrongAccount,
        "the credential opens another company than this connection was made for",
    )
    .with_hint("use a credential of the same company, or set up a new connection; nobody was changed")
}
