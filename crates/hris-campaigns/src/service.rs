//! The campaigns of one connection: setting them up, switching them, and looking after their Sends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use hris_core::ledger::{
    Block, CampaignRecord, CampaignStatus, CancelReason, Cursor, Month, Send, SendChange, SendGroup, SendId,
    SendState, SharedLedger,
};
use hris_core::{
    CampaignId, ConnectionKey, Error, ErrorKind, GiftMailer, KeyProvider, RecordId, Result, SharedClock,
};

use crate::Campaign;
use crate::claim::LinkBase;
use crate::conflict::{Overlap, overlaps};
use crate::keys::Keys;
use crate::local_time::date_in;

/// What a customer decides for all campaigns of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The customer's zone: what "today" is, and the zone of send times unless a campaign says otherwise.
    pub zone: Tz,
    /// How old the last confirmation of a Send may be when its mail goes out; 48 hours unless set.
    pub max_age: Duration,
    /// For how many days after its due date a link answers, rounded up to the end of the month; 90 unless set.
    pub link_days: u16,
    /// After how many days name and address of an ended Send are erased, rounded up to the end of the month; 30 unless
    /// set. Kept to the month since a day could tell a birthday.
    pub keep_days: u16,
    /// For how long a run holds the lease before it prolongs it; ten minutes unless set. After a crash the next run
    /// has to wait for so long.
    pub lease: Duration,
    /// How long a mail that could not be sent waits before it is tried again; 15 minutes unless set, doubled each time
    /// up to six hours.
    pub retry_after: Duration,
}

impl Policy {
    /// The defaults, in a zone.
    pub fn new(zone: Tz) -> Self {
        const MINUTE: u64 = 60;
        Self {
            zone,
            max_age: Duration::from_secs(48 * 60 * MINUTE),
            link_days: 90,
            keep_days: 30,
            lease: Duration::from_secs(10 * MINUTE),
            retry_after: Duration::from_secs(15 * MINUTE),
        }
    }

    /// Sets how old a confirmation may be.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets how long links answer.
    #[must_use]
    pub fn with_link_days(mut self, days: u16) -> Self {
        self.link_days = days;
        self
    }

    /// Sets when names are erased.
    #[must_use]
    pub fn with_keep_days(mut self, days: u16) -> Self {
        self.keep_days = days;
        self
    }

    /// Sets how long a lease lasts.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long a mail waits for its next try.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = wait;
        self
    }
}

/// The campaigns of one connection.
///
/// The connection's key needs to be one of its own (`brisa/gifts` beside `brisa/provisioning`): runs of one key never
/// overlap, and a long provisioning run must not keep a birthday waiting.
#[derive(Clone)]
pub struct Campaigns {
    pub(crate) connection: ConnectionKey,
    pub(crate) policy: Policy,
    pub(crate) ledger: SharedLedger,
    pub(crate) keys: Arc<dyn KeyProvider>,
    pub(crate) mailer: Arc<dyn GiftMailer>,
    pub(crate) clock: SharedClock,
    pub(crate) links: LinkBase,
}

impl fmt::Debug for Campaigns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Campaigns").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// A campaign with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its definition.
    pub campaign: Campaign,
    /// Whether it runs.
    pub status: CampaignStatus,
    /// The day of its last successful run.
    pub last_run: Option<NaiveDate>,
    pub(crate) record: CampaignRecord,
}

impl Campaigns {
    /// Campaigns of a connection. Nothing is read or written yet.
    pub fn new(
        connection: ConnectionKey,
        policy: Policy,
        ledger: SharedLedger,
        keys: Arc<dyn KeyProvider>,
        mailer: Arc<dyn GiftMailer>,
        clock: SharedClock,
        links: LinkBase,
    ) -> Self {
        Self { connection, policy, ledger, keys, mailer, clock, links }
    }

    /// What the customer decided.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Today in the customer's zone.
    pub fn today(&self) -> NaiveDate {
        date_in(self.clock.now(), self.policy.zone)
    }

    /// Every campaign.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        let records = self.ledger.campaigns(&self.connection).await?;
        records.into_iter().map(decode).collect()
    }

    /// One campaign; [`ErrorKind::NotFound`] if there is none.
    pub async fn campaign(&self, id: &CampaignId) -> Result<Listed> {
        let found = self.list().await?.into_iter().find(|listed| listed.campaign.id() == id);
        found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no such campaign").with_context("campaign", id)
        })
    }

    /// Keeps a new campaign, not switched on yet.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where the id is taken, by an ended campaign too: its gifts stay counted under it.
    pub async fn create(&self, campaign: &Campaign) -> Result<()> {
        let record = CampaignRecord::new(campaign.id().clone(), encode(campaign)?);
        let put = self.ledger.put_campaign(&self.connection, &record, self.purge()).await;
        put.map_err(|error| match error.kind() {
            ErrorKind::Stale => Error::new(ErrorKind::Conflict, "a campaign has this id already")
                .with_hint("choose another id; those of ended campaigns are not used again")
                .with_context("campaign", campaign.id()),
            _ => error,
        })
    }

    /// Switches a campaign on: the next run looks for people. Answers the occasions that it shares with others, and
    /// which of them wins.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it and another are equally specific about the same occasions.
    pub async fn switch_on(&self, id: &CampaignId) -> Result<Vec<Overlap>> {
        let listed = self.campaign(id).await?;
        let overlaps = self.check_beside_others(&listed.campaign).await?;
        self.change(listed, CampaignStatus::Live, &[CampaignStatus::Draft], None).await?;
        Ok(overlaps)
    }

    /// Pauses: nothing is sent. People are still looked for and Sends kept up to date, so that nothing is lost.
    pub async fn pause(&self, id: &CampaignId) -> Result<()> {
        let listed = self.campaign(id).await?;
        self.change(listed, CampaignStatus::Paused, &[CampaignStatus::Live], None).await
    }

    /// Resumes: what became due meanwhile is sent late where its campaign's lateness allows, and else called off
    /// with a line in the report.
    pub async fn resume(&self, id: &CampaignId) -> Result<()> {
        let listed = self.campaign(id).await?;
        self.change(listed, CampaignStatus::Live, &[CampaignStatus::Paused], None).await
    }

    /// Ends for good: what waits is cancelled at once; delivered links stay until they expire.
    pub async fn end(&self, id: &CampaignId) -> Result<()> {
        use CampaignStatus::{Draft, Live, Paused};
        let listed = self.campaign(id).await?;
        self.change(listed, CampaignStatus::Ended, &[Draft, Live, Paused], None).await
    }

    /// Changes a campaign's definition. Texts and gift count from the next mail on. Where the rule changed, Sends that
    /// wait are held until the next complete reading, which moves them, re-addresses them, or calls them off; what went
    /// out stays.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where date, recurrence or offset differ: that would be another campaign.
    pub async fn edit(&self, campaign: &Campaign) -> Result<Vec<Overlap>> {
        use CampaignStatus::{Draft, Live, Paused};
        let listed = self.campaign(campaign.id()).await?;
        campaign.check_edit_of(&listed.campaign)?;
        let runs = matches!(listed.status, Live | Paused);
        let overlaps = if runs { self.check_beside_others(campaign).await? } else { Vec::new() };
        let status = listed.status;
        self.change(listed, status, &[Draft, Live, Paused], Some(campaign)).await?;
        Ok(overlaps)
    }

    async fn check_beside_others(&self, campaign: &Campaign) -> Result<Vec<Overlap>> {
        let others = self.list().await?;
        let runs = |listed: &&Listed| {
            matches!(listed.status, CampaignStatus::Live | CampaignStatus::Paused)
                && listed.campaign.id() != campaign.id()
        };
        let all = others.iter().filter(runs).map(|listed| &listed.campaign).chain([campaign]);
        let mut found = overlaps(all)?;
        found.retain(|overlap| overlap.winner == *campaign.id() || overlap.loser == *campaign.id());
        Ok(found)
    }

    async fn change(
        &self,
        listed: Listed,
        status: CampaignStatus,
        from: &[CampaignStatus],
        definition: Option<&Campaign>,
    ) -> Result<()> {
        if !from.contains(&listed.status) {
            return Err(Error::new(
                ErrorKind::Stale,
                "the campaign cannot be switched so from where it stands",
            )
            .with_context("campaign", listed.campaign.id())
            .with_context("status", listed.status)
            .with_context("wanted", status));
        }
        let mut record = listed.record;
        record.version += 1;
        record.status = status;
        if let Some(definition) = definition {
            record.definition = encode(definition)?;
            record.rule += u32::from(definition.rule() != listed.campaign.rule());
        }
        self.ledger.put_campaign(&self.connection, &record, self.purge()).await
    }

    /// Sends of a group, in its order: those not delivered by due date, others by the month of their deadline.
    pub async fn sends(
        &self,
        group: SendGroup,
        campaign: Option<&CampaignId>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Send>> {
        self.ledger.list(&self.connection, group, campaign, after, limit).await
    }

    /// Withdraws a gift: what waits is not sent, and a link that was delivered is revoked.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where it was claimed or has ended, or changes at this very moment.
    pub async fn withdraw(&self, id: &SendId) -> Result<()> {
        let purge = self.purge();
        self.swap(id, |send| send.cancelled(CancelReason::Withdrawn, purge)).await
    }

    /// Takes note that the mail of an uncertain Send arrived. To send it once more, see [`Campaigns::send_again`].
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the Send is not uncertain (any more).
    pub async fn settle_arrived(&self, id: &SendId) -> Result<()> {
        let until = self.link_until(self.today());
        self.swap(id, |send| match send.state() {
            SendState::Uncertain => send.delivered(until),
            _ => Err(Error::new(ErrorKind::Stale, "the Send is not uncertain").with_context("send", send.id)),
        })
        .await
    }

    pub(crate) async fn send(&self, id: &SendId) -> Result<Send> {
        let found = self.ledger.sends(&self.connection, &[*id]).await?.into_iter().next().flatten();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such Send").with_context("send", id))
    }

    async fn swap(&self, id: &SendId, change: impl FnOnce(Send) -> Result<Send>) -> Result<()> {
        let send = self.send(id).await?;
        let expects = Some(send.state());
        let change = SendChange { expects, send: change(send)? };
        if self.ledger.swap(&self.connection, &change).await? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Stale, "the Send changed at this very moment; read it again")
            .with_context("send", id))
    }

    /// Erases a person on request: name and address everywhere, links included. A keyed tombstone stays, so that the
    /// person is neither stored nor gifted again. Answers how many Sends it concerned.
    pub async fn erase(&self, record: &RecordId) -> Result<u64> {
        self.block(record, Block::Erased).await
    }

    /// Takes note that a person wants no gifts: what waits is called off, and nothing new is planned.
    pub async fn opt_out(&self, record: &RecordId) -> Result<u64> {
        self.block(record, Block::OptedOut).await
    }

    async fn block(&self, record: &RecordId, block: Block) -> Result<u64> {
        let person = self.person_keys().await?.person(record);
        self.ledger.block_person(&self.connection, person, block, self.purge()).await
    }

    /// The key behind people's keys: the one that the ledger was begun with, else the current one.
    pub(crate) async fn person_keys(&self) -> Result<Keys> {
        let key = match self.ledger.head(&self.connection).await? {
            Some(head) => self.keys.key(&head.key).await?,
            None => self.keys.current().await?,
        };
        Ok(Keys::new(&key, &self.connection))
    }

    pub(crate) fn purge(&self) -> Month {
        self.purge_at(self.clock.now())
    }

    pub(crate) fn purge_at(&self, now: DateTime<Utc>) -> Month {
        Month::after_days(now.date_naive(), self.policy.keep_days)
    }

    pub(crate) fn link_until(&self, due: NaiveDate) -> Month {
        Month::after_days(due, self.policy.link_days)
    }
}

fn encode(campaign: &Campaign) -> Result<String> {
    serde_json::to_string(campaign)
        .map_err(|_| Error::new(ErrorKind::Store, "the campaign cannot be written as JSON"))
}

pub(crate) fn decode(record: CampaignRecord) -> Result<Listed> {
    let campaign: Campaign = serde_json::from_str(&record.definition).map_err(|_| {
        Error::new(ErrorKind::Integrity, "a campaign's stored definition cannot be read")
            .with_hint("a newer version of this library may have written it")
            .with_context("campaign", &record.id)
    })?;
    Ok(Listed { campaign, status: record.status, last_run: record.last_run, record })
}
