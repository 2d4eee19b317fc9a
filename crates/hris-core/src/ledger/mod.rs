//! The ledger port of gift campaigns: every gift's Send from its planning to its end, and no more of people than that.
//!
//! What is kept can only hold what the types here hold: first name, last name and address, opaque keys, and a due date
//! while something is due. Birth dates, start dates and years of service are only inside keyed hashes.
//!
//! Writes of a run carry its lease ([`crate::store::Leases`]). What people and administrators do meanwhile (claiming,
//! pausing, erasing) needs none: each is one transaction of its own that names the state it expects to find.

mod send;
mod state;

pub use send::{Due, Month, OccasionKey, PersonKey, Recipient, Send, SendId, Stage};
pub use state::{CancelReason, SendEvent, SendState};

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::keys::{KeyId, Print};
use crate::store::{Lease, Leases};
use crate::{AccountId, CampaignId, ConnectionKey, RecordIdKind, Result, RunId};

/// Whether a campaign runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Set up, not switched on: nothing is looked for.
    Draft,
    /// Switched on.
    Live,
    /// Nothing is sent; people are still looked for, so that nothing is lost.
    Paused,
    /// Over for good. What was not delivered is cancelled, delivered links stay.
    Ended,
}

/// A campaign as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CampaignRecord {
    /// The campaign.
    pub id: CampaignId,
    /// Grows by one with every change.
    pub version: u32,
    /// Grows by one with every change of the rule that decides who is due when.
    pub rule: u32,
    /// Whether it runs.
    pub status: CampaignStatus,
    /// The definition as the campaign crate writes it. Nothing about people.
    pub definition: String,
    /// The day of the last successful run that looked for people; set by [`CampaignLedger::commit`] alone.
    pub last_run: Option<NaiveDate>,
}

impl CampaignRecord {
    /// A campaign's first version, not switched on.
    pub fn new(id: CampaignId, definition: String) -> Self {
        Self { id, version: 1, rule: 1, status: CampaignStatus::Draft, definition, last_run: None }
    }
}

/// What a ledger pins and remembers for a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerHead {
    /// The account that the connection was made for.
    pub account: AccountId,
    /// The kind of its record ids.
    pub record_id_kind: RecordIdKind,
    /// The key behind people's and Sends' keys.
    pub key: KeyId,
    /// When the last complete and fresh reading began.
    pub fresh_at: DateTime<Utc>,
}

impl LedgerHead {
    /// What is pinned at a connection's first complete reading.
    pub fn new(
        account: AccountId,
        record_id_kind: RecordIdKind,
        key: KeyId,
        fresh_at: DateTime<Utc>,
    ) -> Self {
        Self { account, record_id_kind, key, fresh_at }
    }
}

/// One person's employment episodes, under a key of the person and the date field that they are counted by.
///
/// A new episode begins only after the person was seen inactive or ended, and with another start date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Person and date field, as a keyed hash.
    pub key: Print,
    /// Which episode the last Send belongs to, from 0.
    pub number: u32,
    /// Whether the person was seen inactive or ended since.
    pub ended: bool,
    /// The start date of the episode, as a keyed hash.
    pub start: Print,
}

/// Why somebody gets no gifts, whatever a campaign says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Erased on request: a keyed tombstone is all that is left.
    Erased,
    /// Does not want gifts.
    OptedOut,
}

/// A change of one Send that is made only if the Send is as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct SendChange {
    /// The state to find; `None` where there must be no such Send.
    pub expects: Option<SendState>,
    /// The Send as it will be.
    pub send: Send,
}

/// What a run writes in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Sends. A change whose expectation does not hold, whose person is blocked or whose campaign has ended is left out.
    pub changes: Vec<SendChange>,
    /// Episodes, each replacing the one under its key.
    pub episodes: Vec<Episode>,
    /// Campaigns that were looked after, with the day.
    pub last_runs: Vec<(CampaignId, NaiveDate)>,
    /// What is remembered from here on.
    pub head: Option<LedgerHead>,
    /// The run and its report as a document without people.
    pub run: Option<RunRecord>,
}

/// A run of the daily job in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// The run.
    pub run: RunId,
    /// The day it was for.
    pub as_of: NaiveDate,
    /// Its report as JSON: counts and codes, nothing about people.
    pub report: String,
}

/// Which Sends to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendGroup {
    /// Planned, scheduled and active, by due date.
    Undelivered,
    /// Delivered and uncertain, by the month in which their links end.
    Delivered,
    /// Claimed, cancelled and expired, by the month in which name and address are erased; those without any left last.
    Ended,
}

impl SendGroup {
    /// The group of a state.
    pub fn of(state: SendState) -> Self {
        match state {
            SendState::Planned | SendState::Scheduled | SendState::Active => Self::Undelivered,
            SendState::Delivered | SendState::Uncertain => Self::Delivered,
            SendState::Claimed | SendState::Cancelled | SendState::Expired => Self::Ended,
        }
    }
}

/// Where a listing goes on: after the Send with this place in its group's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The due date as days since year 1, or the month.
    pub order: i32,
    /// The Send.
    pub id: SendId,
}

/// How many things a sweep ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Links whose time was over.
    pub expired: u64,
    /// Sends whose name and address were erased.
    pub erased: u64,
}

/// Everything a campaign engine needs of a ledger. `hris-testkit` has a conformance suite.
///
/// # Contract
///
/// * Each method is one transaction. Whatever was overwritten or erased is gone from the medium when the call returns
///   from [`CampaignLedger::sweep`] or [`CampaignLedger::block_person`] at the latest.
/// * A Send's id is unique across connections.
/// * No order of insertion can be told from the medium, since it would tell due dates.
#[async_trait]
pub trait CampaignLedger: Leases {
    /// Every campaign of the connection, by id.
    async fn campaigns(&self, connection: &ConnectionKey) -> Result<Vec<CampaignRecord>>;

    /// Writes a campaign whose version is one more than the stored one's, 1 for a new one; otherwise
    /// [`crate::ErrorKind::Stale`]. `last_run` is left as it is stored. Where the campaign ends, its Sends that were not begun are
    /// cancelled in the same transaction, their names to be erased in `purge`.
    async fn put_campaign(
        &self,
        connection: &ConnectionKey,
        campaign: &CampaignRecord,
        purge: Month,
    ) -> Result<()>;

    /// What is remembered of the connection.
    async fn head(&self, connection: &ConnectionKey) -> Result<Option<LedgerHead>>;

    /// Every episode of the connection.
    async fn episodes(&self, connection: &ConnectionKey) -> Result<Vec<Episode>>;

    /// Everybody of the connection who gets no gifts.
    async fn blocks(&self, connection: &ConnectionKey) -> Result<Vec<(PersonKey, Block)>>;

    /// Some Sends of the connection, in the order asked for.
    async fn sends(&self, connection: &ConnectionKey, ids: &[SendId]) -> Result<Vec<Option<Send>>>;

    /// For each occasion a Send of the connection that went out for it or may have
    /// ([`SendState::went_out`]).
    async fn went_out(
        &self,
        connection: &ConnectionKey,
        occasions: &[OccasionKey],
    ) -> Result<Vec<Option<SendId>>>;

    /// Scheduled Sends whose instant has come, oldest instant first.
    async fn due(&self, connection: &ConnectionKey, now: DateTime<Utc>, limit: usize) -> Result<Vec<Send>>;

    /// Sends of a group in its order, of one campaign or of all.
    async fn list(
        &self,
        connection: &ConnectionKey,
        group: SendGroup,
        campaign: Option<&CampaignId>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Send>>;

    /// Writes what a run found out, and answers which changes were left out.
    async fn commit(&self, lease: &Lease, batch: &Batch) -> Result<Vec<SendId>>;

    /// Ends links whose month is before `now` (their names to be erased in `purge`), and erases names and addresses of
    /// ended Sends whose month is before `now`.
    async fn sweep(&self, lease: &Lease, now: Month, purge: Month) -> Result<Swept>;

    /// The report of a run, if it was written.
    async fn run_report(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunRecord>>;

    /// Runs of the connection, latest day first.
    async fn run_reports(&self, connection: &ConnectionKey, limit: usize) -> Result<Vec<RunRecord>>;

    /// A Send by its id alone, with its connection.
    async fn find(&self, id: &SendId) -> Result<Option<(ConnectionKey, Send)>>;

    /// Makes one change without a lease; false where its expectation does not hold.
    async fn swap(&self, connection: &ConnectionKey, change: &SendChange) -> Result<bool>;

    /// Blocks a person. [`Block::Erased`] erases name and address everywhere and cancels everything that was not
    /// claimed, links included; [`Block::OptedOut`] cancels what was not begun, names to be erased in `purge`, and
    /// never takes the place of [`Block::Erased`]. Answers how many Sends it changed.
    async fn block_person(
        &self,
        connection: &ConnectionKey,
        person: PersonKey,
        block: Block,
        purge: Month,
    ) -> Result<u64>;
}

/// A ledger shared by the parts of one application.
pub type SharedLedger = Arc<dyn CampaignLedger>;

impl fmt::Display for CampaignStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Ended => "ended",
        })
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn CampaignLedger>) = drop;
