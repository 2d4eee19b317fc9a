//! The ledger of gift campaigns in memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hris_core::keys::Print;
use hris_core::ledger::{
    Batch, Block, CampaignLedger, CampaignRecord, CampaignStatus, CancelReason, Cursor, Episode, LedgerHead,
    Month, OccasionKey, PersonKey, RunRecord, Send, SendChange, SendGroup, SendId, Stage, Swept,
};
use hris_core::store::Lease;
use hris_core::{CampaignId, ConnectionKey, Error, ErrorKind, Result, RunId};

use crate::MemoryStore;

/// Everything of every connection's campaigns.
#[derive(Default)]
pub(crate) struct Ledgers {
    books: BTreeMap<ConnectionKey, Book>,
    /// Which connection a Send belongs to.
    homes: HashMap<SendId, ConnectionKey>,
}

/// The campaigns of one connection.
#[derive(Default)]
struct Book {
    campaigns: BTreeMap<CampaignId, CampaignRecord>,
    head: Option<LedgerHead>,
    episodes: BTreeMap<Print, Episode>,
    blocks: BTreeMap<PersonKey, Block>,
    sends: BTreeMap<SendId, Send>,
    /// In the order of their first record.
    runs: Vec<RunRecord>,
}

impl Ledgers {
    fn book(&self, connection: &ConnectionKey) -> Option<&Book> {
        self.books.get(connection)
    }

    fn book_mut(&mut self, connection: &ConnectionKey) -> &mut Book {
        self.books.entry(connection.clone()).or_default()
    }

    /// Makes a change if its expectation holds.
    fn change(&mut self, connection: &ConnectionKey, change: &SendChange) -> bool {
        let id = change.send.id;
        if self.homes.get(&id).is_some_and(|home| home != connection) {
            return false;
        }
        let book = self.book_mut(connection);
        if book.sends.get(&id).map(Send::state) != change.expects {
            return false;
        }
        book.sends.insert(id, change.send.clone());
        self.homes.insert(id, connection.clone());
        true
    }

    fn commit(&mut self, connection: &ConnectionKey, batch: &Batch) -> Vec<SendId> {
        let mut left_out = Vec::new();
        for change in &batch.changes {
            let may = self.book_mut(connection).takes(&change.send);
            if !may || !self.change(connection, change) {
                left_out.push(change.send.id);
            }
        }
        let book = self.book_mut(connection);
        book.episodes.extend(batch.episodes.iter().map(|episode| (episode.key, *episode)));
        for (campaign, day) in &batch.last_runs {
            if let Some(record) = book.campaigns.get_mut(campaign) {
                record.last_run = Some(*day);
            }
        }
        if let Some(head) = &batch.head {
            book.head = Some(head.clone());
        }
        if let Some(run) = &batch.run {
            book.runs.retain(|known| known.run != run.run);
            book.runs.push(run.clone());
        }
        left_out
    }
}

impl Book {
    /// Whether a Send may be written: what waits needs a campaign that has not ended, and nothing but an ending is
    /// written for somebody who is blocked.
    fn takes(&self, send: &Send) -> bool {
        let has_ended = self
            .campaigns
            .get(&send.campaign)
            .is_some_and(|campaign| campaign.status == CampaignStatus::Ended);
        let is_new = SendGroup::of(send.state()) == SendGroup::Undelivered;
        match self.blocks.get(&send.person) {
            Some(Block::Erased) => send.recipient().is_none() && !is_new,
            Some(Block::OptedOut) => !is_new,
            None => !(has_ended && send.state().is_waiting()),
        }
    }

    fn block(&mut self, person: PersonKey, block: Block, purge: Month) -> u64 {
        let known = self.blocks.entry(person).or_insert(block);
        if block == Block::Erased {
            *known = block;
        }
        let mut changed = 0;
        for send in self.sends.values_mut().filter(|send| send.person == person) {
            let after = match block {
                Block::Erased => Some(send.clone().erased()),
                Block::OptedOut if send.state().is_waiting() => {
                    send.clone().cancelled(CancelReason::OptedOut, purge).ok()
                }
                Block::OptedOut => None,
            };
            if let Some(after) = after.filter(|after| after != send) {
                *send = after;
                changed += 1;
            }
        }
        changed
    }

    fn sweep(&mut self, now: Month, purge: Month) -> Swept {
        let mut swept = Swept::default();
        for send in self.sends.values_mut().filter(|send| send.month().is_some_and(|month| month < now)) {
            match send.stage {
                Stage::Delivered(..) | Stage::Uncertain(..) => {
                    if let Ok(expired) = send.clone().expired(purge) {
                        *send = expired;
                        swept.expired += 1;
                    }
                }
                _ => {
                    *send = send.clone().erased();
                    swept.erased += 1;
                }
            }
        }
        swept
    }
}

#[async_trait]
impl CampaignLedger for MemoryStore {
    async fn campaigns(&self, connection: &ConnectionKey) -> Result<Vec<CampaignRecord>> {
        let state = self.state();
        let book = state.ledgers.book(connection);
        Ok(book.map(|book| book.campaigns.values().cloned().collect()).unwrap_or_default())
    }

    async fn put_campaign(
        &self,
        connection: &ConnectionKey,
        campaign: &CampaignRecord,
        purge: Month,
    ) -> Result<()> {
        let mut state = self.state();
        let book = state.ledgers.book_mut(connection);
        let known = book.campaigns.get(&campaign.id);
        if campaign.version != known.map_or(0, |known| known.version) + 1 {
            return Err(Error::new(ErrorKind::Stale, "the campaign was changed by somebody else in between")
                .with_hint("read it again and repeat the change")
                .with_context("campaign", &campaign.id));
        }
        let last_run = known.and_then(|known| known.last_run);
        let mut record = campaign.clone();
        record.last_run = last_run;
        let ended = record.status == CampaignStatus::Ended;
        book.campaigns.insert(campaign.id.clone(), record);
        if ended {
            for send in book.sends.values_mut() {
                if send.campaign == campaign.id && send.state().is_waiting() {
                    *send = send.clone().cancelled(CancelReason::CampaignEnded, purge)?;
                }
            }
        }
        Ok(())
    }

    async fn head(&self, connection: &ConnectionKey) -> Result<Option<LedgerHead>> {
        let state = self.state();
        Ok(state.ledgers.book(connection).and_then(|book| book.head.clone()))
    }

    async fn episodes(&self, connection: &ConnectionKey) -> Result<Vec<Episode>> {
        let state = self.state();
        let book = state.ledgers.book(connection);
        Ok(book.map(|book| book.episodes.values().copied().collect()).unwrap_or_default())
    }

    async fn blocks(&self, connection: &ConnectionKey) -> Result<Vec<(PersonKey, Block)>> {
        let state = self.state();
        let book = state.ledgers.book(connection);
        Ok(book.map(|book| book.blocks.iter().map(|(who, why)| (*who, *why)).collect()).unwrap_or_default())
    }

    async fn sends(&self, connection: &ConnectionKey, ids: &[SendId]) -> Result<Vec<Option<Send>>> {
        let state = self.state();
        let book = state.ledgers.book(connection);
        Ok(ids.iter().map(|id| book.and_then(|book| book.sends.get(id).cloned())).collect())
    }

    async fn went_out(
        &self,
        connection: &ConnectionKey,
        occasions: &[OccasionKey],
    ) -> Result<Vec<Option<SendId>>> {
        let state = self.state();
        let asked: HashSet<_> = occasions.iter().collect();
        let mut found = HashMap::new();
        for send in state.ledgers.book(connection).into_iter().flat_map(|book| book.sends.values()) {
            if send.state().went_out() && asked.contains(&send.occasion) {
                found.insert(send.occasion, send.id);
            }
        }
        Ok(occasions.iter().map(|occasion| found.get(occasion).copied()).collect())
    }

    async fn due(&self, connection: &ConnectionKey, now: DateTime<Utc>, limit: usize) -> Result<Vec<Send>> {
        let state = self.state();
        let sends = state.ledgers.book(connection).into_iter().flat_map(|book| book.sends.values());
        let instant = |send: &Send| match &send.stage {
            Stage::Scheduled(due, _) if due.send_at <= now => Some(due.send_at),
            _ => None,
        };
        let mut due: Vec<_> = sends.filter_map(|send| Some((instant(send)?, send.id, send))).collect();
        due.sort_by_key(|(at, id, _)| (*at, *id));
        Ok(due.into_iter().take(limit).map(|(.., send)| send.clone()).collect())
    }

    async fn list(
        &self,
        connection: &ConnectionKey,
        group: SendGroup,
        campaign: Option<&CampaignId>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Send>> {
        let state = self.state();
        let sends = state.ledgers.book(connection).into_iter().flat_map(|book| book.sends.values());
        let mut listed: Vec<_> = sends
            .filter(|send| SendGroup::of(send.state()) == group)
            .filter(|send| campaign.is_none_or(|campaign| send.campaign == *campaign))
            .filter(|send| after.is_none_or(|after| send.cursor() > after))
            .collect();
        listed.sort_by_key(|send| send.cursor());
        Ok(listed.into_iter().take(limit).cloned().collect())
    }

    async fn commit(&self, lease: &Lease, batch: &Batch) -> Result<Vec<SendId>> {
        let mut state = self.state();
        state.fenced(lease)?;
        Ok(state.ledgers.commit(&lease.connection, batch))
    }

    async fn sweep(&self, lease: &Lease, now: Month, purge: Month) -> Result<Swept> {
        let mut state = self.state();
        state.fenced(lease)?;
        Ok(state.ledgers.book_mut(&lease.connection).sweep(now, purge))
    }

    async fn run_report(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunRecord>> {
        let state = self.state();
        let mut runs = state.ledgers.book(connection).into_iter().flat_map(|book| &book.runs);
        Ok(runs.find(|known| known.run == *run).cloned())
    }

    async fn run_reports(&self, connection: &ConnectionKey, limit: usize) -> Result<Vec<RunRecord>> {
        let state = self.state();
        let mut runs: Vec<_> =
            state.ledgers.book(connection).into_iter().flat_map(|book| book.runs.iter().rev()).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.as_of));
        Ok(runs.into_iter().take(limit).cloned().collect())
    }

    async fn find(&self, id: &SendId) -> Result<Option<(ConnectionKey, Send)>> {
        let state = self.state();
        let home = state.ledgers.homes.get(id);
        Ok(home.and_then(|home| Some((home.clone(), state.ledgers.book(home)?.sends.get(id)?.clone()))))
    }

    async fn swap(&self, connection: &ConnectionKey, change: &SendChange) -> Result<bool> {
        let mut state = self.state();
        let may = state.ledgers.book_mut(connection).takes(&change.send);
        Ok(may && state.ledgers.change(connection, change))
    }

    async fn block_person(
        &self,
        connection: &ConnectionKey,
        person: PersonKey,
        block: Block,
        purge: Month,
    ) -> Result<u64> {
        Ok(self.state().ledgers.book_mut(connection).block(person, block, purge))
    }
}
