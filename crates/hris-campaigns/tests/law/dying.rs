//! A ledger that dies: from some write on every call fails, as for a process that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hris_core::ledger::{
    Batch, Block, CampaignLedger, CampaignRecord, Cursor, Episode, LedgerHead, Month, OccasionKey, PersonKey,
    RunRecord, Send, SendChange, SendGroup, SendId, SharedLedger, Swept,
};
use hris_core::store::{Lease, Leases};
use hris_core::{CampaignId, ConnectionKey, Error, ErrorKind, Result, RunId};

/// Passes calls on until its last write.
#[derive(Clone, Debug)]
pub(crate) struct DyingLedger {
    inner: SharedLedger,
    /// Writes that are left; negative once dead.
    left: Arc<AtomicI64>,
    /// Whether the last write still happens, although nobody hears of it.
    last_happens: bool,
}

impl DyingLedger {
    pub(crate) fn after(inner: SharedLedger, writes: i64, last_happens: bool) -> Self {
        Self { inner, left: Arc::new(AtomicI64::new(writes)), last_happens }
    }

    fn alive(&self) -> Result<()> {
        if self.left.load(Ordering::Relaxed) < 0 { Err(dead()) } else { Ok(()) }
    }

    /// Whether this write happens, and whether somebody hears of it.
    fn write(&self) -> (bool, bool) {
        match self.left.fetch_sub(1, Ordering::Relaxed) {
            1.. => (true, true),
            0 => (self.last_happens, false),
            _ => (false, false),
        }
    }
}

fn dead() -> Error {
    Error::new(ErrorKind::Store, "the process is gone")
}

#[async_trait]
impl Leases for DyingLedger {
    async fn acquire(
        &self,
        connection: &ConnectionKey,
        holder: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease> {
        self.alive()?;
        self.inner.acquire(connection, holder, now, ttl).await
    }

    async fn renew(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
        self.alive()?;
        self.inner.renew(lease, now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.alive()?;
        self.inner.release(lease).await
    }
}

#[async_trait]
impl CampaignLedger for DyingLedger {
    async fn campaigns(&self, connection: &ConnectionKey) -> Result<Vec<CampaignRecord>> {
        self.alive()?;
        self.inner.campaigns(connection).await
    }

    async fn put_campaign(&self, c: &ConnectionKey, campaign: &CampaignRecord, purge: Month) -> Result<()> {
        self.alive()?;
        self.inner.put_campaign(c, campaign, purge).await
    }

    async fn head(&self, connection: &ConnectionKey) -> Result<Option<LedgerHead>> {
        self.alive()?;
        self.inner.head(connection).await
    }

    async fn episodes(&self, connection: &ConnectionKey) -> Result<Vec<Episode>> {
        self.alive()?;
        self.inner.episodes(connection).await
    }

    async fn blocks(&self, connection: &ConnectionKey) -> Result<Vec<(PersonKey, Block)>> {
        self.alive()?;
        self.inner.blocks(connection).await
    }

    async fn sends(&self, connection: &ConnectionKey, ids: &[SendId]) -> Result<Vec<Option<Send>>> {
        self.alive()?;
        self.inner.sends(connection, ids).await
    }

    async fn went_out(&self, c: &ConnectionKey, occasions: &[OccasionKey]) -> Result<Vec<Option<SendId>>> {
        self.alive()?;
        self.inner.went_out(c, occasions).await
    }

    async fn due(&self, connection: &ConnectionKey, now: DateTime<Utc>, limit: usize) -> Result<Vec<Send>> {
        self.alive()?;
        self.inner.due(connection, now, limit).await
    }

    async fn list(
        &self,
        connection: &ConnectionKey,
        group: SendGroup,
        campaign: Option<&CampaignId>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Send>> {
        self.alive()?;
        self.inner.list(connection, group, campaign, after, limit).await
    }

    async fn commit(&self, lease: &Lease, batch: &Batch) -> Result<Vec<SendId>> {
        let (happens, heard) = self.write();
        let answer = if happens { self.inner.commit(lease, batch).await } else { Err(dead()) };
        if heard { answer } else { Err(dead()) }
    }

    async fn sweep(&self, lease: &Lease, now: Month, purge: Month) -> Result<Swept> {
        let (happens, heard) = self.write();
        let answer = if happens { self.inner.sweep(lease, now, purge).await } else { Err(dead()) };
        if heard { answer } else { Err(dead()) }
    }

    async fn run_report(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunRecord>> {
        self.alive()?;
        self.inner.run_report(connection, run).await
    }

    async fn run_reports(&self, connection: &ConnectionKey, limit: usize) -> Result<Vec<RunRecord>> {
        self.alive()?;
        self.inner.run_reports(connection, limit).await
    }

    async fn find(&self, id: &SendId) -> Result<Option<(ConnectionKey, Send)>> {
        self.alive()?;
        self.inner.find(id).await
    }

    async fn swap(&self, connection: &ConnectionKey, change: &SendChange) -> Result<bool> {
        self.alive()?;
        self.inner.swap(connection, change).await
    }

    async fn block_person(
        &self,
        c: &ConnectionKey,
        who: PersonKey,
        block: Block,
        purge: Month,
    ) -> Result<u64> {
        self.alive()?;
        self.inner.block_person(c, who, block, purge).await
    }
}
