//! A state store in memory.
#![doc = include_str!("../README.md")]

mod connections;
mod dump;
mod ledger;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::stream;
use hris_core::keys::Print;
use hris_core::store::{
    Baseline, Checkpoint, Checkpoints, Lease, Leases, Link, Links, Override, Overrides, PlanState, Plans,
    Retention, Runs, Settlement, StoredAction, StoredPlan,
};
use hris_core::{
    Action, ActionId, ConnectionKey, Error, ErrorKind, MemberId, PlanHeader, PlanId, Position, Problem,
    RecordId, Result, RunId, RunReport, TargetField, TenantId,
};

use crate::state::State;

/// How many links one batch of the stream has.
const LINKS_PER_BATCH: usize = 1_000;

/// A store whose content lives as long as its last handle. Cloning makes another handle on the same content.
///
/// `Debug` shows how many connections it knows and nothing of them.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The logical content as text: equal content gives equal text, whatever led to it.
    ///
    /// For tests, such as one that a dry run changes nothing. It shows baseline, checkpoint, links, overrides, plans with actions and
    /// problems, run reports, and who holds a lease. It leaves out how often a lease was taken. Pending actions
    /// have their values, so the text is as personal as the store itself.
    pub fn dump(&self) -> String {
        dump::dump(&self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Changes are checked before they are made, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("connections", &self.state().connections.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn acquire(
        &self,
        connection: &ConnectionKey,
        holder: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease> {
        self.state().acquire(connection, holder, now, ttl)
    }

    async fn renew(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
        self.state().renew(lease, now, ttl)
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.state().release(lease);
        Ok(())
    }
}

#[async_trait]
impl Links for MemoryStore {
    async fn baseline(&self, connection: &ConnectionKey) -> Result<Option<Baseline>> {
        let state = self.state();
        Ok(state.connections.get(connection).and_then(|known| known.baseline.clone()))
    }

    async fn set_baseline(&self, lease: &Lease, baseline: &Baseline) -> Result<()> {
        self.state().fenced(lease)?.baseline = Some(baseline.clone());
        Ok(())
    }

    fn links(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Link>>> {
        let start = (self.clone(), connection.clone(), None);
        Box::pin(stream::unfold(start, async |(store, connection, after): (Self, _, Option<RecordId>)| {
            let links = store.state().links_after(&connection, after.as_ref(), LINKS_PER_BATCH);
            let after = Some(links.last()?.record.clone());
            Some((Ok(links), (store, connection, after)))
        }))
    }

    async fn links_of(&self, connection: &ConnectionKey, records: &[RecordId]) -> Result<Vec<Option<Link>>> {
        let state = self.state();
        let known = state.connections.get(connection);
        let link = |record| known.and_then(|known| known.links.get(record).cloned());
        Ok(records.iter().map(link).collect())
    }

    async fn links_to(&self, connection: &ConnectionKey, members: &[MemberId]) -> Result<Vec<Option<Link>>> {
        let state = self.state();
        let known = state.connections.get(connection);
        let link = |member| known.and_then(|known| known.links.get(known.records.get(member)?).cloned());
        Ok(members.iter().map(link).collect())
    }

    async fn put_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        let mut state = self.state();
        let known = state.fenced(lease)?;
        for link in links {
            known.write_link(link);
        }
        Ok(())
    }

    async fn stage_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        let mut state = self.state();
        let (token, staged) = &mut state.fenced(lease)?.staged;
        if *token != lease.token {
            (*token, *staged) = (lease.token, Vec::new());
        }
        staged.extend_from_slice(links);
        Ok(())
    }

    async fn put_staged_links(&self, lease: &Lease) -> Result<u64> {
        let mut state = self.state();
        let known = state.fenced(lease)?;
        let (token, staged) = std::mem::take(&mut known.staged);
        if token != lease.token {
            return Ok(0);
        }
        for link in &staged {
            known.write_link(link);
        }
        Ok(staged.len() as u64)
    }
}

#[async_trait]
impl Checkpoints for MemoryStore {
    async fn checkpoint(&self, connection: &ConnectionKey) -> Result<Option<Checkpoint>> {
        let state = self.state();
        Ok(state.connections.get(connection).and_then(|known| known.checkpoint.clone()))
    }

    async fn set_checkpoint(&self, lease: &Lease, checkpoint: Option<&Checkpoint>) -> Result<()> {
        self.state().fenced(lease)?.checkpoint = checkpoint.cloned();
        Ok(())
    }
}

#[async_trait]
impl Overrides for MemoryStore {
    fn overrides(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Override>>> {
        let state = self.state();
        let known = state.connections.get(connection).into_iter();
        let all: Vec<_> = known.flat_map(|known| known.overrides.values().cloned()).collect();
        Box::pin(stream::iter((!all.is_empty()).then_some(Ok(all))))
    }

    async fn put_overrides(&self, lease: &Lease, overrides: &[Override]) -> Result<()> {
        let mut state = self.state();
        let known = state.fenced(lease)?;
        for one in overrides {
            known.overrides.insert((one.record.clone(), one.field.clone()), one.clone());
        }
        Ok(())
    }

    async fn remove_overrides(&self, lease: &Lease, which: &[(RecordId, TargetField)]) -> Result<()> {
        let mut state = self.state();
        let known = state.fenced(lease)?;
        for one in which {
            known.overrides.remove(one);
        }
        Ok(())
    }
}

#[async_trait]
impl Retention for MemoryStore {
    async fn remove_links(&self, lease: &Lease, records: &[RecordId]) -> Result<u64> {
        let mut state = self.state();
        let known = state.fenced(lease)?;
        Ok(records.iter().filter(|record| known.remove_link(record)).count() as u64)
    }

    async fn purge_plans(&self, lease: &Lease, made_before: DateTime<Utc>) -> Result<u64> {
        Ok(self.state().fenced(lease)?.purge_plans(made_before))
    }

    async fn purge_runs(&self, lease: &Lease, started_before: DateTime<Utc>) -> Result<u64> {
        Ok(self.state().fenced(lease)?.purge_runs(started_before))
    }

    async fn forget(&self, lease: &Lease, record: &RecordId, tombstone: Print) -> Result<()> {
        self.state().fenced(lease)?.forget(record, tombstone)
    }

    async fn forgotten(&self, connection: &ConnectionKey) -> Result<Vec<Print>> {
        let state = self.state();
        let known = state.connections.get(connection).into_iter();
        Ok(known.flat_map(|known| known.forgotten.iter().copied()).collect())
    }
}

#[async_trait]
impl Plans for MemoryStore {
    async fn open_plan(&self, lease: &Lease, plan: &PlanId) -> Result<()> {
        self.state().fenced(lease)?.open_plan(plan)
    }

    async fn append(
        &self,
        lease: &Lease,
        plan: &PlanId,
        actions: &[Action],
        problems: &[Problem],
    ) -> Result<()> {
        self.state().fenced(lease)?.draft(plan)?.append(actions, problems);
        Ok(())
    }

    async fn retract(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.state().fenced(lease)?.draft(plan)?.retract(actions);
        Ok(())
    }

    async fn rerank(&self, lease: &Lease, plan: &PlanId, ranks: &[(ActionId, u32)]) -> Result<()> {
        self.state().fenced(lease)?.draft(plan)?.rerank(plan, ranks)
    }

    async fn seal(&self, lease: &Lease, header: &PlanHeader) -> Result<()> {
        let mut state = self.state();
        let draft = state.fenced(lease)?.draft(&header.id)?;
        check_own(lease, &header.connection)?;
        draft.header = Some(header.clone());
        draft.state = PlanState::Sealed;
        Ok(())
    }

    async fn plan(&self, connection: &ConnectionKey, plan: &PlanId) -> Result<Option<StoredPlan>> {
        let state = self.state();
        let sealed =
            state.plan(connection, plan).and_then(|plan| Some((plan.header.clone()?, plan.state.clone())));
        Ok(sealed.map(|(header, state)| StoredPlan::new(header, state)))
    }

    async fn open_plans(&self, connection: &ConnectionKey) -> Result<Vec<StoredPlan>> {
        let state = self.state();
        let known = state.connections.get(connection);
        Ok(known.map(state::Connection::open_plans).unwrap_or_default())
    }

    async fn set_plan_state(&self, lease: &Lease, plan: &PlanId, state: &PlanState) -> Result<()> {
        self.state().fenced(lease)?.set_plan_state(plan, state)
    }

    async fn actions(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<StoredAction>> {
        let state = self.state();
        let plan = state.plan(connection, plan);
        Ok(plan.map(|plan| plan.actions_after(after, limit)).unwrap_or_default())
    }

    async fn problems(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<Problem>> {
        let state = self.state();
        let plan = state.plan(connection, plan);
        Ok(plan.map(|plan| plan.problems_from(offset, limit)).unwrap_or_default())
    }

    async fn begin(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.state().fenced(lease)?.live(plan)?.begin(plan, actions)
    }

    async fn settle(&self, lease: &Lease, plan: &PlanId, settlements: &[Settlement]) -> Result<()> {
        self.state().fenced(lease)?.settle(plan, settlements)
    }
}

#[async_trait]
impl Runs for MemoryStore {
    async fn record_run(&self, lease: &Lease, report: &RunReport) -> Result<()> {
        let mut state = self.state();
        let known = state.fenced(lease)?;
        check_own(lease, &report.connection)?;
        known.record_run(report);
        Ok(())
    }

    async fn runs(&self, connection: &ConnectionKey, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        let state = self.state();
        let known = state.connections.get(connection);
        Ok(known.map(|known| known.runs(offset, limit)).unwrap_or_default())
    }

    async fn tenant_runs(&self, tenant: &TenantId, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        let state = self.state();
        let mine = state.connections.iter().filter(|(key, _)| key.tenant() == tenant);
        let mut runs: Vec<_> =
            mine.flat_map(|(_, known)| known.runs(0, usize::MAX).into_iter().rev()).collect();
        runs.sort_by_key(|report| report.started_at);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(runs.into_iter().rev().skip(offset).take(limit).collect())
    }

    async fn run(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunReport>> {
        let state = self.state();
        let mut runs = state.connections.get(connection).into_iter().flat_map(|known| &known.runs);
        Ok(runs.find(|report| report.run == *run).cloned())
    }
}

fn check_own(lease: &Lease, connection: &ConnectionKey) -> Result<()> {
    if lease.connection == *connection {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "what is to be written belongs to another connection than the lease")
        .with_hint("take the lease of the connection that is written to")
        .with_context("lease", &lease.connection)
        .with_context("written", connection))
}
