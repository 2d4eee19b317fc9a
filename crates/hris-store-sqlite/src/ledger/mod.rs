//! The ledger of gift campaigns: which tables answer which question.

mod campaigns;
mod rows;
mod sends;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hris_core::ledger::{
    Batch, Block, CampaignLedger, CampaignRecord, Cursor, Episode, LedgerHead, Month, OccasionKey, PersonKey,
    RunRecord, Send, SendChange, SendGroup, SendId, Swept,
};
use hris_core::store::Lease;
use hris_core::{CampaignId, ConnectionKey, Result, RunId};

use crate::SqliteStore;
use crate::leases::fenced;

#[async_trait]
impl CampaignLedger for SqliteStore {
    async fn campaigns(&self, connection: &ConnectionKey) -> Result<Vec<CampaignRecord>> {
        let connection = connection.clone();
        self.database.read(move |view| campaigns::all(view, &connection)).await
    }

    async fn put_campaign(
        &self,
        connection: &ConnectionKey,
        campaign: &CampaignRecord,
        purge: Month,
    ) -> Result<()> {
        let (connection, campaign) = (connection.clone(), campaign.clone());
        self.database.write(move |write| campaigns::put(write, &connection, &campaign, purge)).await
    }

    async fn head(&self, connection: &ConnectionKey) -> Result<Option<LedgerHead>> {
        let connection = connection.clone();
        self.database.read(move |view| campaigns::head(view, &connection)).await
    }

    async fn episodes(&self, connection: &ConnectionKey) -> Result<Vec<Episode>> {
        let connection = connection.clone();
        self.database.read(move |view| campaigns::episodes(view, &connection)).await
    }

    async fn blocks(&self, connection: &ConnectionKey) -> Result<Vec<(PersonKey, Block)>> {
        let connection = connection.clone();
        self.database.read(move |view| campaigns::blocks(view, &connection)).await
    }

    async fn sends(&self, connection: &ConnectionKey, ids: &[SendId]) -> Result<Vec<Option<Send>>> {
        let (connection, ids) = (connection.clone(), ids.to_vec());
        self.database.read(move |view| sends::of_ids(view, &connection, &ids)).await
    }

    async fn went_out(
        &self,
        connection: &ConnectionKey,
        occasions: &[OccasionKey],
    ) -> Result<Vec<Option<SendId>>> {
        let (connection, occasions) = (connection.clone(), occasions.to_vec());
        self.database.read(move |view| sends::went_out(view, &connection, &occasions)).await
    }

    async fn due(&self, connection: &ConnectionKey, now: DateTime<Utc>, limit: usize) -> Result<Vec<Send>> {
        let connection = connection.clone();
        self.database.read(move |view| sends::due(view, &connection, now, limit)).await
    }

    async fn list(
        &self,
        connection: &ConnectionKey,
        group: SendGroup,
        campaign: Option<&CampaignId>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Send>> {
        let (connection, campaign) = (connection.clone(), campaign.cloned());
        let page = move |view: &_| sends::list(view, &connection, group, campaign.as_ref(), after, limit);
        self.database.read(page).await
    }

    async fn commit(&self, lease: &Lease, batch: &Batch) -> Result<Vec<SendId>> {
        let (lease, batch) = (lease.clone(), batch.clone());
        let commit = move |write: &_| {
            let connection = fenced(write, &lease)?;
            let mut left_out = Vec::new();
            for change in &batch.changes {
                if !sends::change(write, connection, change)? {
                    left_out.push(change.send.id);
                }
            }
            campaigns::remember(write, connection, &batch)?;
            Ok(left_out)
        };
        self.database.write(commit).await
    }

    async fn sweep(&self, lease: &Lease, now: Month, purge: Month) -> Result<Swept> {
        let lease = lease.clone();
        let sweep = move |write: &_| sends::sweep(write, fenced(write, &lease)?, now, purge);
        self.database.write_and_purge(sweep).await
    }

    async fn run_report(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunRecord>> {
        let (connection, run) = (connection.clone(), run.clone());
        self.database.read(move |view| campaigns::run(view, &connection, &run)).await
    }

    async fn run_reports(&self, connection: &ConnectionKey, limit: usize) -> Result<Vec<RunRecord>> {
        let connection = connection.clone();
        self.database.read(move |view| campaigns::runs(view, &connection, limit)).await
    }

    async fn find(&self, id: &SendId) -> Result<Option<(ConnectionKey, Send)>> {
        let id = *id;
        self.database.read(move |view| sends::find(view, id)).await
    }

    async fn swap(&self, connection: &ConnectionKey, change: &SendChange) -> Result<bool> {
        let (connection, change) = (connection.clone(), change.clone());
        let swap = move |write: &_| sends::change(write, campaigns::number(write, &connection)?, &change);
        self.database.write(swap).await
    }

    async fn block_person(
        &self,
        connection: &ConnectionKey,
        person: PersonKey,
        block: Block,
        purge: Month,
    ) -> Result<u64> {
        let connection = connection.clone();
        let set = move |write: &_| {
            let connection = campaigns::number(write, &connection)?;
            campaigns::block(write, connection, person, block)?;
            sends::block(write, connection, person, block, purge)
        };
        self.database.write_and_purge(set).await
    }
}
