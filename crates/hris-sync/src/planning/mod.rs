//! From a reading to a sealed plan: drives the connector, feeds the planner, spools actions, closes with the guards.

mod absence;
mod closing;
mod managers;
mod reading;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use hris_core::keys::Fingerprinter;
use hris_core::store::{Baseline, Checkpoint, Lease, Leases, Links, Missing, Plans, StateStore};
use hris_core::{
    Action, EmployeeRef, PlanHeader, PlanId, Problem, ProgressEvent, RecordId, Result, RuleCode, Stage,
    Verification, rule,
};

use crate::engine::Parts;
use crate::incremental::{Circumstances, Extent, Remembered, extent};
use crate::parking::kinds;
use crate::planner::{OverrideChanges, Planner};
use crate::policy::Absence;
use crate::resolve::Resolver;
use crate::verify::Inspection;

pub(crate) use reading::{fields, without_receipt};

/// How long a lease is asked for; it is prolonged while the run goes on.
pub(crate) const LEASE: Duration = Duration::from_secs(10 * 60);

/// What planning came to.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) header: PlanHeader,
    /// Whether there is a plan in the store: not if there was nothing to say.
    pub(crate) stored: bool,
    pub(crate) problems: BTreeMap<RuleCode, u64>,
    /// What was found on the platform, if it was looked at.
    pub(crate) verified: Option<Verification>,
    /// Warnings by rule.
    pub(crate) warnings: BTreeMap<RuleCode, u64>,
    /// What is to be written down about overrides once the plan was carried out.
    pub(crate) overrides: OverrideChanges,
    /// What to remember of the reading once the plan was carried out.
    pub(crate) remembered: Option<Remembered>,
}

/// How a planning ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Planned(Box<Planned>),
    /// What changed does not fit together without those who did not: everyone has to be read.
    NeedsEveryone,
}

/// Where a planning reads and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stores<'a> {
    pub(crate) leases: &'a dyn Leases,
    /// What is known of the connection.
    pub(crate) known: &'a dyn StateStore,
    pub(crate) plans: &'a dyn Plans,
}

/// How a planning differs from the usual one.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) as_of: NaiveDate,
    /// Whether everyone is read, whatever the policy says of readings of changes.
    pub(crate) everyone: bool,
    /// The people whom this is about, if not everyone.
    pub(crate) only: Option<Vec<EmployeeRef>>,
    /// What is to be told beside what planning finds.
    pub(crate) notes: Vec<Problem>,
    /// Whether the members of the platform are held against what was last written, and put right.
    pub(crate) verify: bool,
    /// Whether a plan that says nothing is stored too, for a review to show.
    pub(crate) keep_empty: bool,
    /// Leavers that this run applied before, from a plan that it continued.
    pub(crate) left_already: u64,
}

impl Options {
    /// For somebody to look at: everyone is read, and a plan that says nothing is one as well.
    pub(crate) fn review(as_of: NaiveDate) -> Self {
        Self { everyone: true, keep_empty: true, ..Self::usual(as_of) }
    }

    /// For a run.
    pub(crate) fn usual(as_of: NaiveDate) -> Self {
        Self {
            as_of,
            everyone: false,
            only: None,
            notes: Vec::new(),
            verify: false,
            keep_empty: false,
            left_already: 0,
        }
    }
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
    links: &'a dyn StateStore,
    lease: Lease,
    spool: Spool<'a>,
    planner: Planner,
    baseline: Option<Baseline>,
    checkpoint: Option<Checkpoint>,
    extent: Extent,
    policy: String,
    /// When the reading began.
    begun: DateTime<Utc>,
    fingerprinter: Fingerprinter,
    options: Options,
    verified: Option<Verification>,
    /// Whether this reading tells who is missing, and who is, with how often in a row.
    counts_missing: bool,
    missing: Vec<Missing>,
    expected: Option<u64>,
    /// The only people who count, where more are read than this is about.
    chosen: Option<HashSet<RecordId>>,
    /// Records that the vendor reports as deleted.
    deleted: Vec<RecordId>,
}

impl<'a> Planning<'a> {
    /// Loads what is known and gets ready to read.
    pub(crate) async fn start(
        parts: &'a Parts,
        stores: Stores<'a>,
        lease: &'a Lease,
        options: Options,
    ) -> Result<Self> {
        let Stores { leases, known: links, plans } = stores;
        let baseline = links.baseline(&parts.connection).await?;
        let checkpoint = links.checkpoint(&parts.connection).await?;
        let fingerprinter = parts.fingerprinter(baseline.as_ref()).await?;
        let planner = Planner::new(
            Arc::clone(&parts.mapping),
            fingerprinter.clone(),
            parts.policy.clone(),
            options.as_of,
            parts.clock.now(),
        );
        // The token makes the id new for every attempt at the same run.
        let id = PlanId::from(format!("{}.{}", lease.holder, lease.token));
        let spool = Spool { plans, lease, id, opened: false };
        let policy = parts.policy.version(&fingerprinter);
        let mut planning = Self {
            parts,
            leases,
            links,
            lease: lease.clone(),
            spool,
            planner,
            baseline,
            checkpoint,
            extent: Extent::Everyone("it was asked for"),
            policy,
            begun: parts.clock.now(),
            fingerprinter,
            options,
            verified: None,
            counts_missing: false,
            missing: Vec::new(),
            expected: None,
            chosen: None,
            deleted: Vec::new(),
        };
        if let Some(people) = planning.options.only.clone() {
            planning.extent = Extent::Some(people);
        } else if !planning.options.everyone {
            planning.extent = extent(planning.circumstances(), planning.checkpoint.as_ref());
        }
        if planning.remembers() {
            planning.planner.keep_open();
        }
        planning.planner.set_parking(kinds(parts.target.capabilities().parking.as_ref()));
        if let Some(checkpoint) = &planning.checkpoint {
            planning.planner.set_not_started(checkpoint.not_started.iter().copied());
        }
        for note in std::mem::take(&mut planning.options.notes) {
            planning.planner.problem(note);
        }
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
                if self.is_partial() {
                    self.planner.claim_as_linked(link);
                }
            }
            loaded += batch.len() as u64;
            self.parts.progress.report(ProgressEvent::new(Stage::Loading, loaded, None));
        }
        let overrides = self.links.overrides(&self.parts.connection).try_concat().await?;
        self.planner.set_overrides(overrides, self.links.forgotten(&self.parts.connection).await?);
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|_| self.is_partial()) {
            checkpoint.claims.iter().try_for_each(|claim| self.planner.claim_as_remembered(claim))?;
        }
        Ok(())
    }

    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            incremental: self.parts.policy.incremental.as_ref(),
            capabilities: self.parts.connector.capabilities(),
            mapping: self.parts.mapping.version(),
            policy: &self.policy,
            as_of: self.options.as_of,
            now: self.begun,
        }
    }

    /// Whether only what changed is read.
    fn is_partial(&self) -> bool {
        matches!(self.extent, Extent::Changes { .. } | Extent::Some(_))
    }

    /// Whether later readings may go on from this one.
    fn remembers(&self) -> bool {
        let changes =
            self.parts.policy.incremental.is_some() && self.parts.connector.capabilities().incremental;
        let absence = self.parts.policy.absence != Absence::Report;
        let starts = self.parts.policy.create_before_start_days.is_some();
        self.options.only.is_none() && (changes || absence || starts)
    }

    /// Reads the directory and plans.
    #[tracing::instrument(name = "hris.plan", skip_all, fields(connection = %self.parts.connection))]
    pub(crate) async fn run(mut self) -> Result<Ended> {
        let account = self.parts.connector.check().await?;
        self.check_account(&account)?;
        if self.options.verify {
            self.verified = Some(self.verify().await?);
        }
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

    async fn verify(&mut self) -> Result<Verification> {
        let inspection = Inspection {
            connection: &self.parts.connection,
            links: self.links,
            target: &*self.parts.target,
            fingerprinter: &self.fingerprinter,
            targets: self.parts.mapping.targets(),
            as_of: self.options.as_of,
            planner: &mut self.planner,
        };
        let verified = inspection.run().await?;
        self.keep_lease().await?;
        Ok(verified)
    }

    async fn keep_lease(&mut self) -> Result<()> {
        let now = self.parts.clock.now();
        if self.lease.expires_at - now < chrono::TimeDelta::from_std(LEASE / 2).unwrap_or_default() {
            self.lease = self.leases.renew(&self.lease, now, LEASE).await?;
        }
        Ok(())
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
        create_only: parts.mapping.create_only(),
        matching: &parts.policy.matching,
        invite: parts.policy.invite,
        as_of,
    }
}
