//! A store that takes its process down at one of its writes, before or after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use hris_core::keys::Print;
use hris_core::store::{
    Baseline, Checkpoint, Checkpoints, Lease, Leases, Link, Links, Override, Overrides, PlanState, Plans,
    Retention, Runs, Settlement, StoredAction, StoredPlan,
};
use hris_core::{
    Action, ActionId, ConnectionKey, MemberId, PlanHeader, PlanId, Position, Problem, RecordId, Result,
    RunId, RunReport, StateStore, TargetField,
};

/// Passes everything on to another store, and kills the process at its `n`th write.
#[derive(Clone, Debug)]
pub struct DyingStore {
    store: Arc<dyn StateStore>,
    writes: Arc<AtomicU64>,
    dies_at: u64,
    after: bool,
}

impl DyingStore {
    /// Dies at write number `dies_at`, counted from 1: before it, or right after.
    pub fn new(store: Arc<dyn StateStore>, dies_at: u64, after: bool) -> Self {
        Self { store, writes: Arc::default(), dies_at, after }
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T>>) -> Result<T> {
        let due = self.writes.fetch_add(1, Ordering::SeqCst) + 1 == self.dies_at;
        if due && !self.after {
            // No destructor runs, nothing is flushed: as if the power had gone.
            std::process::abort();
        }
        let result = write.await;
        if due {
            std::process::abort();
        }
        result
    }
}

#[async_trait]
impl Leases for DyingStore {
    async fn acquire(
        &self,
        connection: &ConnectionKey,
        holder: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease> {
        self.write(self.store.acquire(connection, holder, now, ttl)).await
    }

    async fn renew(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
        self.write(self.store.renew(lease, now, ttl)).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.write(self.store.release(lease)).await
    }
}

#[async_trait]
impl Links for DyingStore {
    async fn baseline(&self, connection: &ConnectionKey) -> Result<Option<Baseline>> {
        self.store.baseline(connection).await
    }

    async fn set_baseline(&self, lease: &Lease, baseline: &Baseline) -> Result<()> {
        self.write(self.store.set_baseline(lease, baseline)).await
    }

    fn links(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Link>>> {
        self.store.links(connection)
    }

    async fn links_of(&self, connection: &ConnectionKey, records: &[RecordId]) -> Result<Vec<Option<Link>>> {
        self.store.links_of(connection, records).await
    }

    async fn links_to(&self, connection: &ConnectionKey, members: &[MemberId]) -> Result<Vec<Option<Link>>> {
        self.store.links_to(connection, members).await
    }
}

#[async_trait]
impl Checkpoints for DyingStore {
    async fn checkpoint(&self, connection: &ConnectionKey) -> Result<Option<Checkpoint>> {
        self.store.checkpoint(connection).await
    }

    async fn set_checkpoint(&self, lease: &Lease, checkpoint: Option<&Checkpoint>) -> Result<()> {
        self.write(self.store.set_checkpoint(lease, checkpoint)).await
    }
}

#[async_trait]
impl Overrides for DyingStore {
    fn overrides(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Override>>> {
        self.store.overrides(connection)
    }

    async fn put_overrides(&self, lease: &Lease, overrides: &[Override]) -> Result<()> {
        self.write(self.store.put_overrides(lease, overrides)).await
    }

    async fn remove_overrides(&self, lease: &Lease, which: &[(RecordId, TargetField)]) -> Result<()> {
        self.write(self.store.remove_overrides(lease, which)).await
    }
}

#[async_trait]
impl Retention for DyingStore {
    async fn remove_links(&self, lease: &Lease, records: &[RecordId]) -> Result<u64> {
        self.write(self.store.remove_links(lease, records)).await
    }

    async fn purge_plans(&self, lease: &Lease, before: DateTime<Utc>) -> Result<u64> {
        self.write(self.store.purge_plans(lease, before)).await
    }

    async fn purge_runs(&self, lease: &Lease, before: DateTime<Utc>) -> Result<u64> {
        self.write(self.store.purge_runs(lease, before)).await
    }

    async fn forget(&self, lease: &Lease, record: &RecordId, tombstone: Print) -> Result<()> {
        self.write(self.store.forget(lease, record, tombstone)).await
    }

    async fn forgotten(&self, connection: &ConnectionKey) -> Result<Vec<Print>> {
        self.store.forgotten(connection).await
    }
}

#[async_trait]
impl Plans for DyingStore {
    async fn open_plan(&self, lease: &Lease, plan: &PlanId) -> Result<()> {
        self.write(self.store.open_plan(lease, plan)).await
    }

    async fn append(
        &self,
        lease: &Lease,
        plan: &PlanId,
        actions: &[Action],
        problems: &[Problem],
    ) -> Result<()> {
        self.write(self.store.append(lease, plan, actions, problems)).await
    }

    async fn retract(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.write(self.store.retract(lease, plan, actions)).await
    }

    async fn rerank(&self, lease: &Lease, plan: &PlanId, ranks: &[(ActionId, u32)]) -> Result<()> {
        self.write(self.store.rerank(lease, plan, ranks)).await
    }

    async fn seal(&self, lease: &Lease, header: &PlanHeader) -> Result<()> {
        self.write(self.store.seal(lease, header)).await
    }

    async fn plan(&self, connection: &ConnectionKey, plan: &PlanId) -> Result<Option<StoredPlan>> {
        self.store.plan(connection, plan).await
    }

    async fn open_plans(&self, connection: &ConnectionKey) -> Result<Vec<StoredPlan>> {
        self.store.open_plans(connection).await
    }

    async fn set_plan_state(&self, lease: &Lease, plan: &PlanId, state: &PlanState) -> Result<()> {
        self.write(self.store.set_plan_state(lease, plan, state)).await
    }

    async fn actions(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<StoredAction>> {
        self.store.actions(connection, plan, after, limit).await
    }

    async fn problems(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<Problem>> {
        self.store.problems(connection, plan, offset, limit).await
    }

    async fn begin(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.write(self.store.begin(lease, plan, actions)).await
    }

    async fn settle(&self, lease: &Lease, plan: &PlanId, settlements: &[Settlement]) -> Result<()> {
        self.write(self.store.settle(lease, plan, settlements)).await
    }
}

#[async_trait]
impl Runs for DyingStore {
    async fn record_run(&self, lease: &Lease, report: &RunReport) -> Result<()> {
        self.write(self.store.record_run(lease, report)).await
    }

    async fn runs(&self, connection: &ConnectionKey, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        self.store.runs(connection, offset, limit).await
    }

    async fn run(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunReport>> {
        self.store.run(connection, run).await
    }
}
