//! Carrying a plan out: verify, write down, send, write down how it ended. A crash anywhere is continued here.

mod outcome;
mod sending;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use hris_core::keys::Fingerprinter;
use hris_core::store::{ActionState, Baseline, Lease, PlanState, StoredAction, StoredPlan};
use hris_core::{
    Action, ActionKind, AppliedCounts, Error, ErrorKind, LeaveReason, ProgressEvent, RecordId, Result,
    RuleCode, Severity, Stage, Verdict, rule,
};

pub(crate) use outcome::not_there;
use sending::Ended;

use crate::engine::{Parts, add};
use crate::planning::LEASE;
use crate::second_pass::{End, SecondPass, rest};
use crate::view::action_pages;

/// One plan being carried out.
pub(crate) struct Applying<'a> {
    parts: &'a Parts,
    lease: Lease,
    plan: StoredPlan,
    fingerprinter: Fingerprinter,
    pub(crate) counts: AppliedCounts,
    pub(crate) problems: BTreeMap<RuleCode, u64>,
    /// Those of them that are warnings.
    pub(crate) warnings: BTreeMap<RuleCode, u64>,
    /// What was left out and is tried again at the end.
    second: SecondPass,
    /// Records whose actions ended without effect, or nobody knows how.
    pub(crate) failed: Vec<RecordId>,
    /// Records whose first step of two is not carried out yet, so that others wait.
    waiting: BTreeSet<RecordId>,
}

impl<'a> Applying<'a> {
    /// Gets ready to apply a plan.
    pub(crate) async fn new(parts: &'a Parts, lease: &Lease, plan: StoredPlan) -> Result<Self> {
        let baseline = parts.store.baseline(&parts.connection).await?;
        let fingerprinter = parts.fingerprinter(baseline.as_ref()).await?;
        Ok(Self {
            parts,
            lease: lease.clone(),
            plan,
            fingerprinter,
            counts: AppliedCounts::default(),
            problems: BTreeMap::new(),
            warnings: BTreeMap::new(),
            second: SecondPass::default(),
            failed: Vec::new(),
            waiting: BTreeSet::new(),
        })
    }

    /// Refuses a plan that is not this connection's, was made with another mapping or policy, is expired, held or
    /// altered.
    pub(crate) async fn verify(&self) -> Result<()> {
        let header = &self.plan.header;
        let stale = |what: &'static str| {
            Err(Error::new(ErrorKind::Stale, what).with_hint("plan anew").with_context("plan", &header.id))
        };
        let now = self.parts.clock.now();
        if header.connection != self.parts.connection {
            return stale("the plan belongs to another connection");
        }
        if header.mapping != *self.parts.mapping.version() {
            return stale("the mapping changed since the plan was made");
        }
        if header.policy != self.parts.policy.version(&self.fingerprinter) {
            return stale("the policy changed since the plan was made");
        }
        if now >= header.expires_at {
            return stale("the plan has expired");
        }
        match (&header.verdict, &self.plan.state) {
            (_, state) if state.is_final() => return stale("the plan was carried out or dismissed already"),
            (Verdict::Held(_), PlanState::Released { until, .. }) if now >= *until => {
                return stale("the release of the plan has expired");
            }
            (Verdict::Ready, _) | (Verdict::Held(_), PlanState::Released { .. } | PlanState::Applying) => {}
            (Verdict::Held(_), _) => {
                return Err(Error::new(ErrorKind::Held, "the plan is held")
                    .with_hint("look at its reasons, then release it by its digest or dismiss it")
                    .with_context("plan", &header.id));
            }
        }
        self.verify_digest().await
    }

    async fn verify_digest(&self) -> Result<()> {
        let header = &self.plan.header;
        let altered = || {
            Error::new(ErrorKind::Integrity, "the plan does not fit its digest")
                .with_hint("it was altered after it was made, or its key is another; plan anew")
                .with_context("plan", &header.id)
        };
        let mut digester = header.digester(&self.fingerprinter);
        let mut pages = action_pages(&*self.parts.store, &header.connection, &header.id, None);
        while let Some(page) = pages.try_next().await? {
            for StoredAction { action, state, .. } in page {
                if !state.is_final() && action.expected_id(&self.fingerprinter) != action.id {
                    return Err(altered());
                }
                digester.add(action.id.as_str().as_bytes());
            }
        }
        if digester.finish() == header.digest { Ok(()) } else { Err(altered()) }
    }

    /// Carries out what is left of the plan. What was begun before a crash is read back first.
    #[tracing::instrument(name = "hris.apply", skip_all, fields(plan = %self.plan.header.id))]
    pub(crate) async fn run(&mut self) -> Result<()> {
        self.pin_baseline().await?;
        self.set_state(PlanState::Applying).await?;
        let parts = self.parts;
        let (connection, id) = (self.plan.header.connection.clone(), self.plan.header.id.clone());
        let total = self.plan.header.summary.actions();
        let mut done = 0;
        let mut pages = action_pages(&*parts.store, &connection, &id, None);
        while let Some(page) = pages.try_next().await? {
            for group in page.chunk_by(|a, b| a.action.rank == b.action.rank) {
                parts.cancel.check()?;
                self.group(group).await?;
                done += group.len() as u64;
                parts.progress.report(ProgressEvent::new(Stage::Applying, done, Some(total)));
            }
        }
        self.run_second_pass().await?;
        self.finish().await
    }

    /// Tries once more what was left out, now that everybody is there who was to come. It is a plan of its own, so that
    /// no write is without a journal entry; what is left out again waits for a later run.
    async fn run_second_pass(&mut self) -> Result<()> {
        let second = std::mem::take(&mut self.second);
        let plans = &*self.parts.store;
        let plan =
            second.seal(plans, &self.lease, &self.plan.header, &self.fingerprinter, self.parts).await?;
        let Some(plan) = plan else { return Ok(()) };
        let mut applying = Self::new(self.parts, &self.lease, plan).await?;
        let result = Box::pin(applying.run()).await;
        self.lease = applying.lease.clone();
        self.counts.failed += applying.counts.failed;
        self.counts.uncertain += applying.counts.uncertain;
        self.counts.pending += applying.counts.pending;
        add(&mut self.problems, &applying.problems);
        add(&mut self.warnings, &applying.warnings);
        self.failed.append(&mut applying.failed);
        result
    }

    /// What was begun is resolved; nothing else is sent. For a plan that may not go on.
    pub(crate) async fn settle_begun(&mut self) -> Result<()> {
        let (connection, id) = (self.plan.header.connection.clone(), self.plan.header.id.clone());
        let mut pages = action_pages(&*self.parts.store, &connection, &id, None);
        while let Some(page) = pages.try_next().await? {
            let begun = page.into_iter().filter(|stored| stored.state == ActionState::Begun);
            for stored in begun {
                let end = self.read_back(&stored.action, None).await?;
                self.settle_one(&stored.action, end).await?;
            }
        }
        Ok(())
    }

    /// Actions of one rank, which do not depend on each other.
    async fn group(&mut self, group: &[StoredAction]) -> Result<()> {
        let open: Vec<_> = group.iter().filter(|stored| !stored.state.is_final()).collect();
        let (begun, pending): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|stored| stored.state == ActionState::Begun);
        for stored in begun {
            let end = self.read_back(&stored.action, None).await?;
            self.settle_one(&stored.action, end).await?;
        }
        let ended = self.waves(&pending).await?;
        for (action, end) in &ended {
            self.count(action, end);
        }
        self.leave_for_later(&ended).await?;
        self.keep_lease().await?;
        self.parts.cancel.check()
    }

    async fn settle_one(&mut self, action: &Action, end: End) -> Result<()> {
        let ended = [(action, end)];
        self.write_down(&ended).await?;
        self.count(action, &ended[0].1);
        self.leave_for_later(&ended).await
    }

    /// Takes down what was left out of actions.
    async fn leave_for_later(&mut self, ended: &[Ended<'_>]) -> Result<()> {
        let rest = |(action, end): &Ended<'_>| rest(&self.fingerprinter, action, end);
        let rest: Vec<_> = ended.iter().filter_map(rest).collect();
        self.second.add(&*self.parts.store, &self.lease, &self.plan.header.id, &rest).await
    }

    fn count(&mut self, action: &Action, end: &End) {
        let state = end.settlement.as_ref().map(|settlement| &settlement.state);
        if matches!(action.kind, ActionKind::Park { .. }) && !state.is_some_and(ActionState::is_final) {
            self.waiting.insert(action.person.record.clone());
        }
        if let Some(error) = &end.not_sent {
            // What keeps one action from being sent keeps many; the first one says why.
            if !self.warnings.contains_key(&rule::ACTION_NOT_ATTEMPTED) {
                tracing::warn!(%error, "the target takes no actions now; they are left to the next run");
            }
            self.warn(rule::ACTION_NOT_ATTEMPTED);
        }
        if matches!(state, Some(ActionState::Failed(_) | ActionState::Uncertain(_))) {
            self.failed.push(action.person.record.clone());
        }
        let counts = &mut self.counts;
        let count = match state {
            Some(ActionState::Done) => match &action.kind {
                ActionKind::Create { invite, .. } => {
                    counts.invited += u64::from(*invite);
                    &mut counts.created
                }
                ActionKind::Adopt { .. } => &mut counts.adopted,
                ActionKind::Update { .. } => &mut counts.updated,
                ActionKind::Park { .. } => &mut counts.parked,
                ActionKind::Leave { reason: LeaveReason::Withdrawn, .. } => &mut counts.withdrawn,
                ActionKind::Leave { .. } => &mut counts.left,
                ActionKind::Reactivate { .. } => &mut counts.reactivated,
                _ => &mut counts.failed,
            },
            Some(ActionState::Failed(problem)) if problem.severity == Severity::Warning => {
                let rule = problem.rule.clone();
                return self.warn(rule);
            }
            Some(ActionState::Failed(problem)) => {
                *self.problems.entry(problem.rule.clone()).or_default() += 1;
                &mut counts.failed
            }
            Some(ActionState::Uncertain(problem)) => {
                *self.problems.entry(problem.rule.clone()).or_default() += 1;
                &mut counts.uncertain
            }
            _ => &mut counts.pending,
        };
        *count += 1;
    }

    fn warn(&mut self, rule: RuleCode) {
        *self.problems.entry(rule.clone()).or_default() += 1;
        *self.warnings.entry(rule).or_default() += 1;
    }

    /// The account, the kind of record ids and the key are pinned before the first write.
    async fn pin_baseline(&self) -> Result<()> {
        if self.parts.store.baseline(&self.parts.connection).await?.is_none() {
            self.parts.store.set_baseline(&self.lease, &self.baseline(None)).await?;
        }
        Ok(())
    }

    fn baseline(&self, last_complete: Option<u64>) -> Baseline {
        let header = &self.plan.header;
        let reading = &header.reading;
        let mut baseline = Baseline::new(
            reading.account.clone(),
            reading.record_id_kind.clone(),
            self.fingerprinter.key().clone(),
            header.mapping.clone(),
        );
        baseline.last_complete = last_complete;
        baseline.watermark.clone_from(&reading.watermark);
        baseline
    }

    async fn finish(&mut self) -> Result<()> {
        if self.counts.pending > 0 {
            return Ok(());
        }
        self.set_state(PlanState::Applied).await?;
        self.remember_reading().await
    }

    /// Later readings are held against this one, unless it did not read everyone.
    pub(crate) async fn remember_reading(&self) -> Result<()> {
        let before = self.parts.store.baseline(&self.parts.connection).await?;
        let last_complete =
            self.plan.header.reading.full.or_else(|| before.as_ref().and_then(|known| known.last_complete));
        let baseline = self.baseline(last_complete);
        if before.as_ref() != Some(&baseline) {
            self.parts.store.set_baseline(&self.lease, &baseline).await?;
        }
        Ok(())
    }

    async fn set_state(&mut self, state: PlanState) -> Result<()> {
        if self.plan.state != state {
            self.parts.store.set_plan_state(&self.lease, &self.plan.header.id, &state).await?;
            self.plan.state = state;
        }
        Ok(())
    }

    async fn keep_lease(&mut self) -> Result<()> {
        let now = self.parts.clock.now();
        if self.lease.expires_at - now < chrono::TimeDelta::from_std(LEASE / 2).unwrap_or_default() {
            self.lease = self.parts.store.renew(&self.lease, now, LEASE).await?;
        }
        Ok(())
    }
}
