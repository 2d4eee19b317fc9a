//! The engine: one connection's runs, from reading to report.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt as _, TryStreamExt as _};
use hris_core::keys::{Fingerprinter, KeyProvider};
use hris_core::store::{Baseline, Lease, PlanState, StateStore, StoredPlan};
use hris_core::{
    ConnectionKey, Error, ErrorKind, FieldMapping, HrisConnector, Invitations, NoProgress, PlanHeader,
    PlanId, Progress, ProvisioningTarget, RecordId, Result, RunId, RunReport, RunResult, Severity,
    SharedClock, Trigger, Verdict, Verification,
};
use hris_store_memory::MemoryStore;

use crate::apply::Applying;
use crate::cancel::Cancel;
use crate::explain::contradicts;
use crate::incremental::Remembered;
use crate::matching::MatchRule;
use crate::planner::OverrideChanges;
use crate::planning::{Ended, LEASE, Options, Planned, Planning, Stores};
use crate::policy::Policy;
use crate::view::PlanView;

/// How long a release of a held plan holds.
const RELEASE_HOLDS: Duration = Duration::from_secs(24 * 60 * 60);

/// What an engine is made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) connection: ConnectionKey,
    pub(crate) connector: Arc<dyn HrisConnector>,
    pub(crate) mapping: Arc<dyn FieldMapping>,
    pub(crate) target: Arc<dyn ProvisioningTarget>,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) keys: Arc<dyn KeyProvider>,
    pub(crate) clock: SharedClock,
    pub(crate) policy: Policy,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) cancel: Cancel,
    /// Whether runs read everyone whatever the policy says.
    pub(crate) everyone: bool,
}

impl Parts {
    /// Fingerprints under the key that the connection's links were made with.
    pub(crate) async fn fingerprinter(&self, baseline: Option<&Baseline>) -> Result<Fingerprinter> {
        let key = match baseline {
            Some(baseline) => self.keys.key(&baseline.key).await?,
            None => self.keys.current().await?,
        };
        Ok(Fingerprinter::new(&key, &self.connection))
    }
}

/// Runs one connection: reads its HR system and keeps the members of its rewards platform in step.
///
/// Every method that writes takes the connection's lease, so that two of them never run at once; the second
/// answers [`ErrorKind::Leased`]. A run that is called again under its name is taken for one that starts again after a
/// crash: it gets the lease at once, and what went on under that name before can write no more. So let nobody call one
/// name from two places at the same time. `as_of` is today's date where the customer is.
///
/// See the crate's documentation for an example.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) parts: Parts,
}

impl Engine {
    /// An engine with the default policy, no progress, and nobody to stop it.
    pub fn new(
        connection: ConnectionKey,
        connector: Arc<dyn HrisConnector>,
        mapping: Arc<dyn FieldMapping>,
        target: Arc<dyn ProvisioningTarget>,
        store: Arc<dyn StateStore>,
        keys: Arc<dyn KeyProvider>,
        clock: SharedClock,
    ) -> Self {
        let (policy, progress, cancel) = (Policy::default(), Arc::new(NoProgress), Cancel::new());
        Self {
            parts: Parts {
                connection,
                connector,
                mapping,
                target,
                store,
                keys,
                clock,
                policy,
                progress,
                cancel,
                everyone: false,
            },
        }
    }

    /// Another policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.parts.policy = policy;
        self
    }

    /// Somebody to tell how far a run is.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.parts.progress = progress;
        self
    }

    /// A way to stop a run.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.parts.cancel = cancel;
        self
    }

    /// Lets runs read everyone, also where the policy allows to read what changed.
    #[must_use]
    pub fn with_full_reading(mut self) -> Self {
        self.parts.everyone = true;
        self
    }

    /// What it is made of.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The same engine with another connector and mapping.
    pub(crate) fn variant(&self, connector: Arc<dyn HrisConnector>, mapping: Arc<dyn FieldMapping>) -> Self {
        Self { parts: Parts { connector, mapping, ..self.parts.clone() } }
    }

    /// Plans without leaving any trace: store, target and history stay as they are. The plan lives in memory for
    /// as long as the view does, and cannot be applied.
    pub async fn dry_run(&self, as_of: NaiveDate) -> Result<PlanView> {
        Ok(self.dry_run_with(Options::review(as_of)).await?.0)
    }

    pub(crate) async fn dry_run_with(&self, options: Options) -> Result<(PlanView, Option<Verification>)> {
        self.check_invitations()?;
        let spool = Arc::new(MemoryStore::new());
        let lease = self.lease(&*spool, &RunId::from("dry-run")).await?;
        let stores = Stores { leases: &*spool, known: &*self.parts.store, plans: &*spool };
        let planned = self.make_plan(stores, &lease, options).await?;
        Ok((PlanView::new(spool, planned.header), planned.verified))
    }

    /// Plans and stores the plan for review. [`Engine::apply`] carries it out.
    pub async fn plan(&self, run: &RunId, as_of: NaiveDate) -> Result<PlanView> {
        self.check_invitations()?;
        let lease = self.take_lease(run).await?;
        let planned = async {
            self.dismiss_waiting(&lease).await?;
            let options = Options::review(as_of);
            self.make_plan(self.stores(), &lease, options).await
        };
        let planned = self.under(&lease, planned).await?;
        let store: Arc<dyn StateStore> = Arc::clone(&self.parts.store);
        Ok(PlanView::new(store, planned.header))
    }

    /// Applies a stored plan that was reviewed, given its digest: the confirmation that this very plan is meant.
    ///
    /// Where readings of changes are switched on, the next one starts where it would have started without this plan: what
    /// a reading leaves open is known to the run that read, and a store keeps nothing of it while a plan waits. It reads
    /// again what this plan has settled, and finds nothing to do.
    pub async fn apply(&self, plan: &PlanId, digest: &str, trigger: Trigger) -> Result<RunReport> {
        let stored = self.stored_plan(plan, digest).await?;
        let run = stored.header.run.clone();
        let lease = self.take_lease(&run).await?;
        let report = self.report(&run, trigger);
        self.under(&lease, self.carry_out_reviewed(&lease, stored, report)).await
    }

    /// Releases a held plan, for exactly its own actions by digest, and applies it. `actor` is recorded.
    ///
    /// It is a run of its own in the history, named by [`release_run`], beside the run that was held.
    pub async fn release(&self, plan: &PlanId, digest: &str, actor: &str) -> Result<RunReport> {
        let mut stored = self.stored_plan(plan, digest).await?;
        let run = release_run(&stored.header);
        let until = self.parts.clock.now() + chrono::TimeDelta::from_std(RELEASE_HOLDS).unwrap_or_default();
        let lease = self.take_lease(&run).await?;
        let released = async {
            stored.state = PlanState::Released { actor: actor.to_owned(), until };
            self.parts.store.set_plan_state(&lease, plan, &stored.state).await?;
            let mut report = self.report(&run, Trigger::Release);
            report.actor = Some(actor.to_owned());
            self.carry_out_reviewed(&lease, stored, report).await
        };
        self.under(&lease, released).await
    }

    /// A stored plan, to look at once more: a held one before it is released, an applied one for its problems.
    pub async fn stored(&self, plan: &PlanId) -> Result<PlanView> {
        let stored = self.parts.store.plan(&self.parts.connection, plan).await?;
        let header = stored.ok_or_else(|| no_such_plan(plan))?.header;
        let store: Arc<dyn StateStore> = Arc::clone(&self.parts.store);
        Ok(PlanView::new(store, header))
    }

    /// Gives a stored plan up. `actor` is recorded.
    pub async fn dismiss(&self, plan: &PlanId, actor: &str) -> Result<()> {
        let run = RunId::from(format!("dismiss {plan}"));
        let lease = self.take_lease(&run).await?;
        let state = PlanState::Dismissed { actor: actor.to_owned() };
        self.under(&lease, self.parts.store.set_plan_state(&lease, plan, &state)).await
    }

    /// A whole run: continues what an earlier one left, reads, plans, applies unless a guard holds the plan, and
    /// leaves a report. Calling it again with the same `run` after it ended answers the same report.
    ///
    /// # Errors
    /// The error that ended the run; its report is in the history all the same.
    pub async fn run(&self, run: &RunId, trigger: Trigger, as_of: NaiveDate) -> Result<RunReport> {
        self.run_with(run, trigger, Options::usual(as_of)).await
    }

    /// A run that first holds every known member on the platform against what was last written: reads everyone, puts
    /// right what somebody edited there or what did not stick, opens accounts that somebody closed and closes those of
    /// leavers that somebody opened. Members who vanished are reported and created by nobody. All of it is planned and
    /// guarded as in [`Engine::run`]; [`RunReport::verified`] says what was found.
    ///
    /// # Errors
    /// As [`Engine::run`]; a list of members that breaks off ends the run before anything is planned.
    pub async fn verify(&self, run: &RunId, trigger: Trigger, as_of: NaiveDate) -> Result<RunReport> {
        self.run_with(run, trigger, Options { verify: true, ..Options::usual(as_of) }).await
    }

    /// What a verify run would find and do, without leaving any trace; see [`Engine::dry_run`].
    pub async fn verify_dry_run(&self, as_of: NaiveDate) -> Result<(PlanView, Verification)> {
        let (view, verified) = self.dry_run_with(Options { verify: true, ..Options::review(as_of) }).await?;
        Ok((view, verified.unwrap_or_default()))
    }

    #[tracing::instrument(name = "hris.run", skip_all, fields(connection = %self.parts.connection, %run, verify = options.verify))]
    pub(crate) async fn run_with(
        &self,
        run: &RunId,
        trigger: Trigger,
        options: Options,
    ) -> Result<RunReport> {
        self.check_invitations()?;
        let lease = self.take_lease(run).await?;
        let report = async {
            if let Some(report) = self.parts.store.run(&self.parts.connection, run).await?
                && !matches!(report.result, RunResult::Failed { .. } | RunResult::Cancelled)
            {
                return Ok(report);
            }
            let mut report = self.report(run, trigger);
            let result = self.run_leased(&lease, &mut report, options).await;
            self.close(&lease, report, result).await
        };
        self.under(&lease, report).await
    }

    async fn run_leased(&self, lease: &Lease, report: &mut RunReport, options: Options) -> Result<()> {
        self.continue_open(lease, report).await?;
        if options.only.as_ref().is_some_and(Vec::is_empty) {
            for note in &options.notes {
                add_warning(report, &note.rule);
            }
            return Ok(());
        }
        let everyone = self.parts.everyone || options.verify;
        let options = Options { everyone, left_already: report.applied.closed(), ..options };
        let planned = self.make_plan(self.stores(), lease, options).await?;
        report.planned = planned.header.summary.clone();
        report.irreversible_from = planned.header.irreversible_from;
        report.verified = planned.verified;
        add(&mut report.problems, &planned.problems);
        add(&mut report.warnings, &planned.warnings);
        if let Verdict::Held(reasons) = &planned.header.verdict {
            report.plan = Some(planned.header.id.clone());
            report.result = RunResult::Held { reasons: reasons.clone() };
            return Ok(());
        }
        let plan = StoredPlan::new(planned.header, PlanState::Sealed);
        let failed = if planned.stored {
            self.carry_out(lease, plan, report).await?
        } else {
            Applying::new(&self.parts, lease, plan).await?.remember_reading().await?;
            Some(Vec::new())
        };
        let Some(failed) = failed else { return Ok(()) };
        self.settle_overrides(lease, &planned.overrides).await?;
        match planned.remembered {
            Some(remembered) => self.remember(lease, remembered, failed).await,
            None => Ok(()),
        }
    }

    /// Writes down what the HR system said when an override was first used, and takes away those that ended.
    async fn settle_overrides(&self, lease: &Lease, changes: &OverrideChanges) -> Result<()> {
        let (pinned, ended) = (changes.pinned(), changes.ended());
        if !pinned.is_empty() {
            self.parts.store.put_overrides(lease, &pinned).await?;
        }
        if !ended.is_empty() {
            self.parts.store.remove_overrides(lease, &ended).await?;
        }
        Ok(())
    }

    /// Moves the checkpoint, now that everything was carried out but what concerns `failed`.
    async fn remember(&self, lease: &Lease, remembered: Remembered, failed: Vec<RecordId>) -> Result<()> {
        let baseline = self.parts.store.baseline(&self.parts.connection).await?;
        let fingerprinter = self.parts.fingerprinter(baseline.as_ref()).await?;
        remembered.keep(&*self.parts.store, lease, &fingerprinter, failed).await
    }

    /// Finishes plans that a crash or a stop left half done, and clears away those that wait for nobody.
    async fn continue_open(&self, lease: &Lease, report: &mut RunReport) -> Result<()> {
        for plan in self.parts.store.open_plans(&self.parts.connection).await? {
            if plan.state != PlanState::Applying {
                self.dismiss_as_superseded(lease, &plan.header.id).await?;
                continue;
            }
            let id = plan.header.id.clone();
            let mut applying = Applying::new(&self.parts, lease, plan).await?;
            let verified = applying.verify().await;
            let ended = match &verified {
                Ok(()) => applying.run().await,
                Err(_) => applying.settle_begun().await,
            };
            add_applied(report, &applying);
            ended?;
            if verified.is_err() || applying.counts.pending > 0 {
                // Whatever was not sent is planned anew from what is read now.
                self.dismiss_as_superseded(lease, &id).await?;
            }
        }
        report.applied.pending = 0;
        Ok(())
    }

    pub(crate) async fn dismiss_waiting(&self, lease: &Lease) -> Result<()> {
        for plan in self.parts.store.open_plans(&self.parts.connection).await? {
            if plan.state == PlanState::Applying {
                return Err(Error::new(ErrorKind::Stale, "an earlier plan is half applied")
                    .with_hint("let a run finish it before you review another")
                    .with_context("plan", &plan.header.id));
            }
            self.dismiss_as_superseded(lease, &plan.header.id).await?;
        }
        Ok(())
    }

    async fn dismiss_as_superseded(&self, lease: &Lease, plan: &PlanId) -> Result<()> {
        let state = PlanState::Dismissed { actor: format!("superseded by {}", lease.holder) };
        self.parts.store.set_plan_state(lease, plan, &state).await
    }

    fn stores(&self) -> Stores<'_> {
        let store = &*self.parts.store;
        Stores { leases: store, known: store, plans: store }
    }

    async fn make_plan(&self, stores: Stores<'_>, lease: &Lease, options: Options) -> Result<Planned> {
        if let Ended::Planned(planned) = self.plan_once(stores, lease, options.clone()).await? {
            return Ok(*planned);
        }
        if options.only.is_some() && !options.keep_empty {
            return Err(contradicts());
        }
        match self.plan_once(stores, lease, Options { everyone: true, only: None, ..options }).await? {
            Ended::Planned(planned) => Ok(*planned),
            Ended::NeedsEveryone => {
                Err(Error::new(ErrorKind::Integrity, "everyone was read and was not enough"))
            }
        }
    }

    /// A planning is large, and lives in one piece for each run rather than within every future around it.
    fn plan_once<'a>(
        &'a self,
        stores: Stores<'a>,
        lease: &'a Lease,
        options: Options,
    ) -> BoxFuture<'a, Result<Ended>> {
        let start = Planning::start(&self.parts, stores, lease, options);
        async move { Box::pin(start.await?.run()).await }.boxed()
    }

    /// Carries a plan out. Answers the records whose actions failed, or `None` if some were not carried out yet.
    async fn carry_out(
        &self,
        lease: &Lease,
        plan: StoredPlan,
        report: &mut RunReport,
    ) -> Result<Option<Vec<RecordId>>> {
        report.plan = Some(plan.header.id.clone());
        report.planned = plan.header.summary.clone();
        report.irreversible_from = plan.header.irreversible_from;
        let mut applying = Applying::new(&self.parts, lease, plan).await?;
        applying.verify().await?;
        let result = applying.run().await;
        add_applied(report, &applying);
        result?;
        Ok((applying.counts.pending == 0).then_some(applying.failed))
    }

    /// Carries a plan out that somebody looked at, and reports it.
    async fn carry_out_reviewed(
        &self,
        lease: &Lease,
        plan: StoredPlan,
        mut report: RunReport,
    ) -> Result<RunReport> {
        self.add_reviewed_problems(&plan, &mut report).await?;
        let result = self.carry_out(lease, plan, &mut report).await.map(drop);
        self.close(lease, report, result).await
    }

    /// What the review of a plan showed belongs to the report of the run that carries it out.
    async fn add_reviewed_problems(&self, plan: &StoredPlan, report: &mut RunReport) -> Result<()> {
        let store: Arc<dyn StateStore> = Arc::clone(&self.parts.store);
        let view = PlanView::new(store, plan.header.clone());
        let mut problems = view.planning_problems();
        while let Some(problem) = problems.try_next().await? {
            if problem.severity == Severity::Warning {
                *report.warnings.entry(problem.rule.clone()).or_default() += 1;
            }
            *report.problems.entry(problem.rule).or_default() += 1;
        }
        Ok(())
    }

    async fn stored_plan(&self, plan: &PlanId, digest: &str) -> Result<StoredPlan> {
        let stored = self.parts.store.plan(&self.parts.connection, plan).await?;
        let stored = stored.ok_or_else(|| no_such_plan(plan))?;
        if stored.header.digest != digest {
            return Err(Error::new(ErrorKind::Stale, "the digest is not the one of this plan")
                .with_hint("look at the plan again and confirm the digest that it shows")
                .with_context("plan", plan));
        }
        Ok(stored)
    }

    /// A choice that the target cannot honour is refused before anything is planned.
    fn check_invitations(&self) -> Result<()> {
        self.parts.policy.matching.iter().try_for_each(MatchRule::check)?;
        self.parts.policy.end_date.check()?;
        match (self.parts.policy.invite, self.parts.target.capabilities().invitations) {
            (true, Invitations::Never) => Err(Error::config(
                "new members are to be invited, but this target does not invite",
                "switch `invite` off and invite them another way",
            )),
            (false, Invitations::AlwaysOnCreate) => Err(Error::config(
                "new members are not to be invited, but this target always invites",
                "switch `invite` on, or switch invitations off on the platform",
            )),
            _ => Ok(()),
        }
    }

    fn report(&self, run: &RunId, trigger: Trigger) -> RunReport {
        RunReport::started(run.clone(), self.parts.connection.clone(), trigger, self.parts.clock.now())
    }

    /// Completes the report and puts it into the history, whatever happened.
    async fn close(&self, lease: &Lease, mut report: RunReport, result: Result<()>) -> Result<RunReport> {
        report.finished_at = self.parts.clock.now();
        match &result {
            Ok(()) if matches!(report.result, RunResult::Held { .. }) => {}
            Ok(()) if report.planned.actions() == 0 && report.applied.affected() == 0 => {
                report.result = RunResult::NothingToDo;
            }
            Ok(()) => report.result = RunResult::Applied,
            Err(error) if error.kind() == ErrorKind::Cancelled => report.result = RunResult::Cancelled,
            Err(error) => report.fail(error),
        }
        let recorded = self.parts.store.record_run(lease, &report).await;
        result?;
        recorded?;
        Ok(report)
    }

    async fn lease(&self, store: &dyn hris_core::store::Leases, run: &RunId) -> Result<Lease> {
        store.acquire(&self.parts.connection, run, self.parts.clock.now(), LEASE).await
    }

    pub(crate) async fn take_lease(&self, run: &RunId) -> Result<Lease> {
        self.lease(&*self.parts.store, run).await
    }

    /// Does something under a lease and gives the lease back, whatever came of it. The work is a future and no closure:
    /// of those an application could not tell whether they may move between threads.
    pub(crate) async fn under<T>(&self, lease: &Lease, work: impl Future<Output = Result<T>>) -> Result<T> {
        let result = work.await;
        let released = self.parts.store.release(lease).await;
        let value = result?;
        released?;
        Ok(value)
    }
}

/// The run as which the release of a held plan is in the history: the held run stays there as it was.
pub fn release_run(held: &PlanHeader) -> RunId {
    RunId::from(format!("{}.release", held.run))
}

fn add_warning(report: &mut RunReport, rule: &hris_core::RuleCode) {
    *report.problems.entry(rule.clone()).or_default() += 1;
    *report.warnings.entry(rule.clone()).or_default() += 1;
}

fn no_such_plan(plan: &PlanId) -> Error {
    Error::new(ErrorKind::NotFound, "this connection has no such plan").with_context("plan", plan)
}

fn add_applied(report: &mut RunReport, applying: &Applying<'_>) {
    let (total, part) = (&mut report.applied, &applying.counts);
    total.created += part.created;
    total.adopted += part.adopted;
    total.updated += part.updated;
    total.left += part.left;
    total.withdrawn += part.withdrawn;
    total.parked += part.parked;
    total.reactivated += part.reactivated;
    total.invited += part.invited;
    total.failed += part.failed;
    total.uncertain += part.uncertain;
    total.pending += part.pending;
    add(&mut report.problems, &applying.problems);
    add(&mut report.warnings, &applying.warnings);
}

/// Adds counts to counts.
pub(crate) fn add(
    total: &mut std::collections::BTreeMap<hris_core::RuleCode, u64>,
    part: &std::collections::BTreeMap<hris_core::RuleCode, u64>,
) {
    for (rule, count) in part {
        *total.entry(rule.clone()).or_default() += count;
    }
}
