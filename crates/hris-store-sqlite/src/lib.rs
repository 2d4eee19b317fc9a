//! The embedded state store: one SQLite file.
#![doc = include_str!("../README.md")]

mod checkpoints;
mod codec;
mod connections;
mod database;
mod error;
mod journal;
mod leases;
mod ledger;
mod links;
mod overrides;
mod plans;
mod retention;
mod runs;
mod staged;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
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
    Action, ActionId, ConnectionKey, MemberId, PlanHeader, PlanId, Position, Problem, RecordId, Result,
    RunId, RunReport, TargetField, TenantId,
};

use crate::database::Database;
use crate::plans::NewAction;

/// How many links one batch of the stream has.
const LINKS_PER_BATCH: usize = 1_000;

/// How a store's file is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a call waits while another process writes; 5 s unless set.
    pub busy_timeout: Duration,
    /// The largest size that the file may grow to, in bytes; unlimited unless set. A call that would need more
    /// fails as on a full disk and writes nothing.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), max_bytes: None }
    }
}

impl SqliteOptions {
    /// Sets how long a call waits while another process writes.
    #[must_use]
    pub fn with_busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait;
        self
    }

    /// Limits the size of the file.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }
}

/// The embedded store. Cloning makes another handle on the same open file.
///
/// Calls run on tokio's blocking threads, or in place where there is no tokio runtime. A call that has started is
/// carried out even if its future is dropped, whole or not at all, under the lease it came with.
///
/// `Debug` shows the file's path and nothing of its content.
#[derive(Clone)]
pub struct SqliteStore {
    database: Arc<Database>,
}

impl SqliteStore {
    /// Opens the file, creates it if there is none, and brings an older one up to date.
    ///
    /// Blocks while it does so: call it when the application starts. A new file is readable by its owner alone.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Integrity`] for a damaged file, one of another application, or one that a newer
    /// version of this library wrote; [`hris_core::ErrorKind::Store`] where it cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// As [`SqliteStore::open`], with options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self> {
        let database = Arc::new(Database::open(path.as_ref(), options)?);
        Ok(Self { database })
    }

    /// A store without a file, which is gone with its last handle.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Store`] where memory is short.
    pub fn open_in_memory() -> Result<Self> {
        let database = Arc::new(Database::in_memory()?);
        Ok(Self { database })
    }

    /// Looks for damage in the whole file, which takes seconds for millions of links.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Integrity`] if there is any.
    pub async fn verify(&self) -> Result<()> {
        self.database.verify().await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.database.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Leases for SqliteStore {
    async fn acquire(
        &self,
        connection: &ConnectionKey,
        holder: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease> {
        let (connection, holder) = (connection.clone(), holder.clone());
        self.database.write(move |write| leases::acquire(write, &connection, &holder, now, ttl)).await
    }

    async fn renew(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
        let lease = lease.clone();
        self.database.write(move |write| leases::renew(write, &lease, now, ttl)).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        self.database.write(move |write| leases::release(write, &lease)).await
    }
}

#[async_trait]
impl Links for SqliteStore {
    async fn baseline(&self, connection: &ConnectionKey) -> Result<Option<Baseline>> {
        let connection = connection.clone();
        self.database.read(move |view| links::baseline(view, &connection)).await
    }

    async fn set_baseline(&self, lease: &Lease, baseline: &Baseline) -> Result<()> {
        let (lease, baseline) = (lease.clone(), baseline.clone());
        self.database.write(move |write| links::set_baseline(write, &lease, &baseline)).await
    }

    /// Each batch is one view of the store. A link that is written while the stream runs may or may not be in it.
    fn links(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Link>>> {
        let start = (Arc::clone(&self.database), connection.clone(), None);
        Box::pin(stream::try_unfold(start, async |(database, connection, after)| {
            let (asked, from): (_, Option<RecordId>) = (connection.clone(), after);
            let page = move |view: &_| links::page(view, &asked, from.as_ref(), LINKS_PER_BATCH);
            let links = database.read(page).await?;
            let after = links.last().map(|last| last.record.clone());
            Ok(after.map(|after| (links, (database, connection, Some(after)))))
        }))
    }

    async fn links_of(&self, connection: &ConnectionKey, records: &[RecordId]) -> Result<Vec<Option<Link>>> {
        let (connection, records) = (connection.clone(), records.to_vec());
        self.database.read(move |view| links::of_records(view, &connection, &records)).await
    }

    async fn links_to(&self, connection: &ConnectionKey, members: &[MemberId]) -> Result<Vec<Option<Link>>> {
        let (connection, members) = (connection.clone(), members.to_vec());
        self.database.read(move |view| links::to_members(view, &connection, &members)).await
    }

    async fn put_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        let (lease, links) = (lease.clone(), links.to_vec());
        self.database.write(move |write| links::put(write, &lease, &links)).await
    }

    async fn stage_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        let (lease, links) = (lease.clone(), links.to_vec());
        self.database.write_draft(move |write| staged::add(write, &lease, &links)).await
    }

    async fn put_staged_links(&self, lease: &Lease) -> Result<u64> {
        let lease = lease.clone();
        self.database.write(move |write| staged::put(write, &lease)).await
    }
}

#[async_trait]
impl Checkpoints for SqliteStore {
    async fn checkpoint(&self, connection: &ConnectionKey) -> Result<Option<Checkpoint>> {
        let connection = connection.clone();
        self.database.read(move |view| checkpoints::get(view, &connection)).await
    }

    async fn set_checkpoint(&self, lease: &Lease, checkpoint: Option<&Checkpoint>) -> Result<()> {
        let (lease, checkpoint) = (lease.clone(), checkpoint.cloned());
        self.database.write(move |write| checkpoints::set(write, &lease, checkpoint.as_ref())).await
    }
}

#[async_trait]
impl Overrides for SqliteStore {
    fn overrides(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Override>>> {
        let start = (Arc::clone(&self.database), connection.clone(), None);
        Box::pin(stream::try_unfold(start, async |(database, connection, after)| {
            let (asked, from): (_, Option<(RecordId, TargetField)>) = (connection.clone(), after);
            let page = move |view: &_| overrides::page(view, &asked, from.as_ref(), LINKS_PER_BATCH);
            let batch = database.read(page).await?;
            let after = batch.last().map(|last| (last.record.clone(), last.field.clone()));
            Ok(after.map(|after| (batch, (database, connection, Some(after)))))
        }))
    }

    async fn put_overrides(&self, lease: &Lease, overrides: &[Override]) -> Result<()> {
        let (lease, overrides) = (lease.clone(), overrides.to_vec());
        self.database.write_and_purge(move |write| overrides::put(write, &lease, &overrides)).await
    }

    async fn remove_overrides(&self, lease: &Lease, which: &[(RecordId, TargetField)]) -> Result<()> {
        let (lease, which) = (lease.clone(), which.to_vec());
        self.database.write_and_purge(move |write| overrides::remove(write, &lease, &which)).await
    }
}

#[async_trait]
impl Retention for SqliteStore {
    async fn remove_links(&self, lease: &Lease, records: &[RecordId]) -> Result<u64> {
        let (lease, records) = (lease.clone(), records.to_vec());
        self.database.write_and_purge(move |write| retention::remove_links(write, &lease, &records)).await
    }

    async fn purge_plans(&self, lease: &Lease, made_before: DateTime<Utc>) -> Result<u64> {
        let lease = lease.clone();
        self.database.write_and_purge(move |write| plans::purge(write, &lease, made_before)).await
    }

    async fn purge_runs(&self, lease: &Lease, started_before: DateTime<Utc>) -> Result<u64> {
        let lease = lease.clone();
        self.database.write_and_purge(move |write| runs::purge(write, &lease, started_before)).await
    }

    async fn forget(&self, lease: &Lease, record: &RecordId, tombstone: Print) -> Result<()> {
        let (lease, record) = (lease.clone(), record.clone());
        self.database.write_and_purge(move |write| retention::forget(write, &lease, &record, tombstone)).await
    }

    async fn forgotten(&self, connection: &ConnectionKey) -> Result<Vec<Print>> {
        let connection = connection.clone();
        self.database.read(move |view| retention::forgotten(view, &connection)).await
    }
}

#[async_trait]
impl Plans for SqliteStore {
    async fn open_plan(&self, lease: &Lease, plan: &PlanId) -> Result<()> {
        let (lease, plan) = (lease.clone(), plan.clone());
        self.database.write_draft(move |write| plans::open(write, &lease, &plan)).await
    }

    async fn append(
        &self,
        lease: &Lease,
        plan: &PlanId,
        actions: &[Action],
        problems: &[Problem],
    ) -> Result<()> {
        let (lease, plan, problems) = (lease.clone(), plan.clone(), problems.to_vec());
        let actions: Vec<_> = actions.iter().map(NewAction::of).collect::<Result<_>>()?;
        self.database.write_draft(move |write| plans::append(write, &lease, &plan, &actions, &problems)).await
    }

    async fn retract(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        let (lease, plan, actions) = (lease.clone(), plan.clone(), actions.to_vec());
        self.database.write_draft(move |write| plans::retract(write, &lease, &plan, &actions)).await
    }

    async fn rerank(&self, lease: &Lease, plan: &PlanId, ranks: &[(ActionId, u32)]) -> Result<()> {
        let (lease, plan, ranks) = (lease.clone(), plan.clone(), ranks.to_vec());
        self.database.write_draft(move |write| plans::rerank(write, &lease, &plan, &ranks)).await
    }

    async fn seal(&self, lease: &Lease, header: &PlanHeader) -> Result<()> {
        let (lease, header) = (lease.clone(), header.clone());
        self.database.write(move |write| plans::seal(write, &lease, &header)).await
    }

    async fn plan(&self, connection: &ConnectionKey, plan: &PlanId) -> Result<Option<StoredPlan>> {
        let (connection, plan) = (connection.clone(), plan.clone());
        self.database.read(move |view| plans::get(view, &connection, &plan)).await
    }

    async fn open_plans(&self, connection: &ConnectionKey) -> Result<Vec<StoredPlan>> {
        let connection = connection.clone();
        self.database.read(move |view| plans::open_plans(view, &connection)).await
    }

    async fn set_plan_state(&self, lease: &Lease, plan: &PlanId, state: &PlanState) -> Result<()> {
        let (lease, plan, state) = (lease.clone(), plan.clone(), state.clone());
        let is_final = state.is_final();
        let set = move |write: &_| plans::set_state(write, &lease, &plan, &state);
        if is_final { self.database.write_and_purge(set).await } else { self.database.write(set).await }
    }

    async fn actions(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<StoredAction>> {
        let (connection, plan, after) = (connection.clone(), plan.clone(), after.cloned());
        self.database.read(move |view| plans::actions(view, &connection, &plan, after.as_ref(), limit)).await
    }

    async fn problems(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<Problem>> {
        let (connection, plan) = (connection.clone(), plan.clone());
        self.database.read(move |view| plans::problems(view, &connection, &plan, offset, limit)).await
    }

    async fn begin(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        let (lease, plan, actions) = (lease.clone(), plan.clone(), actions.to_vec());
        self.database.write(move |write| journal::begin(write, &lease, &plan, &actions)).await
    }

    async fn settle(&self, lease: &Lease, plan: &PlanId, settlements: &[Settlement]) -> Result<()> {
        let (lease, plan, settlements) = (lease.clone(), plan.clone(), settlements.to_vec());
        self.database.write(move |write| journal::settle(write, &lease, &plan, &settlements)).await
    }
}

#[async_trait]
impl Runs for SqliteStore {
    async fn record_run(&self, lease: &Lease, report: &RunReport) -> Result<()> {
        let (lease, report) = (lease.clone(), report.clone());
        self.database.write(move |write| runs::record(write, &lease, &report)).await
    }

    async fn runs(&self, connection: &ConnectionKey, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        let connection = connection.clone();
        self.database.read(move |view| runs::page(view, &connection, offset, limit)).await
    }

    async fn tenant_runs(&self, tenant: &TenantId, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        let tenant = tenant.clone();
        self.database.read(move |view| runs::of_tenant(view, &tenant, offset, limit)).await
    }

    async fn run(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunReport>> {
        let (connection, run) = (connection.clone(), run.clone());
        self.database.read(move |view| runs::get(view, &connection, &run)).await
    }
}
