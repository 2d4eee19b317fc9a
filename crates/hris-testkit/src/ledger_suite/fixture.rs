//! What a ledger's test file hands to the suite, and the Sends that the behaviours use.

use std::any::Any;
use std::fmt;
use std::marker::Send as Send_;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use hris_core::keys::{KeyId, Print};
use hris_core::ledger::{
    Batch, CampaignLedger, CampaignRecord, CampaignStatus, Due, Month, OccasionKey, PersonKey, Recipient,
    Send, SendChange, SendId, SendState, Stage,
};
use hris_core::store::Lease;
use hris_core::{ConnectionKey, Email};

/// A fresh ledger, and the way to open the same content once more.
pub struct LedgerHarness {
    ledger: Arc<dyn CampaignLedger>,
    open_again: Box<dyn Fn() -> Arc<dyn CampaignLedger> + Send_>,
    kept: Vec<Box<dyn Any + Send_>>,
}

impl LedgerHarness {
    /// A harness for `ledger`, which must be empty. `open_again` opens the same content once more, while the first
    /// handle is still open.
    pub fn new(
        ledger: Arc<dyn CampaignLedger>,
        open_again: impl Fn() -> Arc<dyn CampaignLedger> + Send_ + 'static,
    ) -> Self {
        Self { ledger, open_again: Box::new(open_again), kept: Vec::new() }
    }

    /// Keeps something until the test is over, such as a temporary directory.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send_) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// The same content, opened once more.
    pub fn reopen(&self) -> Arc<dyn CampaignLedger> {
        (self.open_again)()
    }
}

impl fmt::Debug for LedgerHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerHarness").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

/// A ledger under a lease of one connection.
pub(super) struct Fixture {
    pub(super) harness: LedgerHarness,
    pub(super) ledger: Arc<dyn CampaignLedger>,
    pub(super) lease: Lease,
}

pub(super) fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "gifts")
}

pub(super) fn other_connection() -> ConnectionKey {
    ConnectionKey::new("calma", "gifts")
}

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-02T06:00:00Z".parse().unwrap()
}

pub(super) fn month(text: &str) -> Month {
    Month::of(format!("{text}-01").parse().unwrap())
}

pub(super) fn purge() -> Month {
    month("2026-05")
}

pub(super) fn id(number: u8) -> SendId {
    SendId::new([number; 16])
}

pub(super) fn recipient(number: u8) -> Recipient {
    let email = Email::parse(&format!("p{number}@brisa.example")).unwrap();
    Recipient { first_name: format!("First{number}"), last_name: format!("Last{number}"), email }
}

pub(super) fn due_on(day: NaiveDate, hour: u32) -> Due {
    let send_at = day.and_hms_opt(hour, 0, 0).unwrap().and_utc();
    Due { date: day, send_at, until: send_at + Duration::from_secs(7), seen_at: now(), rule: 3, attempts: 2 }
}

pub(super) fn due(day: &str) -> Due {
    due_on(day.parse().unwrap(), 8)
}

/// The Send with a number; its person and occasion have the same number.
pub(super) fn send(number: u8, stage: Stage) -> Send {
    let (person, occasion) = (PersonKey(Print(number.into())), OccasionKey::new([number; 16]));
    Send::new(id(number), "birthdays".into(), person, occasion, KeyId::new("key 1"), stage)
}

pub(super) fn scheduled(number: u8, day: &str) -> Send {
    send(number, Stage::Scheduled(due(day), recipient(number)))
}

pub(super) fn new(send: Send) -> SendChange {
    SendChange { expects: None, send }
}

pub(super) fn change(expects: SendState, send: Send) -> SendChange {
    SendChange { expects: Some(expects), send }
}

pub(super) fn batch(changes: impl IntoIterator<Item = SendChange>) -> Batch {
    Batch { changes: changes.into_iter().collect(), ..Batch::default() }
}

pub(super) fn campaign(name: &str, version: u32, status: CampaignStatus) -> CampaignRecord {
    let mut record = CampaignRecord::new(name.into(), format!("{{\"version\":{version}}}"));
    record.version = version;
    record.rule = version;
    record.status = status;
    record
}

impl Fixture {
    pub(super) async fn new(harness: LedgerHarness) -> Self {
        let ledger = Arc::clone(&harness.ledger);
        let lease =
            ledger.acquire(&connection(), &"run".into(), now(), Duration::from_secs(60)).await.unwrap();
        Self { harness, ledger, lease }
    }

    /// Writes Sends that are not there yet.
    pub(super) async fn write(&self, sends: impl IntoIterator<Item = Send>) {
        let left_out = self.ledger.commit(&self.lease, &batch(sends.into_iter().map(new))).await.unwrap();
        assert_eq!(left_out, [], "a new Send was left out");
    }

    pub(super) async fn get(&self, number: u8) -> Option<Send> {
        let found = self.harness.reopen().sends(&connection(), &[id(number)]).await.unwrap();
        found.into_iter().next().unwrap()
    }

    pub(super) async fn state(&self, number: u8) -> SendState {
        self.get(number).await.unwrap().state()
    }
}
