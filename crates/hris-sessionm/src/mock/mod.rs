//! A service desk in memory, for tests of applications: no HTTP, strict where SessionM is strict, failing where a test
//! says so. Behind the feature `mock`.
//!
//! It lives here and not in the test kit, since the simulator of this crate is built on the test kit, and the two would
//! depend on each other.

mod desk;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use hris_core::{Error, ErrorKind};

use crate::effects::{EffectKey, Refusal};
use crate::settings::{Choice, LookupBy, PointSource};
use crate::{
    AvailableOffer, Balance, Customer, CustomerId, LedgerEntry, Note, Points, Reward, TimelineEvent,
    UserOffer,
};

use state::State;

/// A [`LoyaltyDesk`](crate::LoyaltyDesk) in memory. Clones are handles to the same one.
///
/// ```
/// use hris_sessionm::mock::MockDesk;
/// use hris_sessionm::{Balance, Customer, CustomerRef, Effect, EffectKey, LoyaltyDesk as _, Refusal};
///
/// # hris_testkit::run(async {
/// let desk = MockDesk::new("2026-02-12T10:00:00Z".parse().unwrap());
/// desk.plant(Customer::new("c1"), vec![Balance::new("a1", "Spendable", 40.into(), 40.into())]);
/// let award = |amount: i32| Effect::Award {
///     customer: CustomerRef::new("c1"),
///     account: "a1".into(),
///     source: "s1".into(),
///     amount: amount.into(),
///     reason: "Late delivery".to_owned(),
/// };
/// let ready = desk.prepare(award(2), EffectKey::random()).await?.ready()?;
/// assert_eq!(ready.summary(), "award");
/// assert!(desk.commit(ready).await?.done().is_some());
/// assert_eq!(desk.balances(&CustomerRef::new("c1")).await?.total, 42.into());
/// assert_eq!(desk.prepare(award(-2), EffectKey::random()).await?.ready().unwrap_err(), Refusal::AmountNotPositive);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MockDesk(Arc<Mutex<State>>);

/// How the next commit of a [`MockDesk`] goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MockFault {
    /// The effect happens and its answer is lost: uncertain, until it is resolved.
    LoseAnswerAfter,
    /// The effect does not happen and its answer is lost: uncertain, and stays so.
    LoseAnswerBefore,
    /// SessionM refuses.
    Refuse(Refusal),
    /// Nothing is sent.
    Fail(ErrorKind),
}

/// An effect that a [`MockDesk`] was asked to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedEffect {
    /// The word of [`Effect::as_str`](crate::Effect::as_str).
    pub effect: &'static str,
    /// Its key.
    pub key: EffectKey,
    /// Whether it changed anything, whatever was answered.
    pub happened: bool,
}

impl MockDesk {
    /// An empty desk at an instant; it looks customers up by external id.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(State::new(now))))
    }

    /// Looks customers up by another key.
    #[must_use]
    pub fn with_lookup_by(self, key: LookupBy) -> Self {
        self.state().lookup_by = key;
        self
    }

    /// Fills the drop-downs.
    #[must_use]
    pub fn with_choices(
        self,
        reasons: Vec<Choice>,
        sources: Vec<PointSource>,
        note_reasons: Vec<Choice>,
    ) -> Self {
        let mut state = self.state();
        state.reasons = reasons;
        state.sources = sources;
        state.note_reasons = note_reasons;
        drop(state);
        self
    }

    /// Puts a customer there, in place of one with the same id.
    pub fn plant(&self, customer: Customer, accounts: Vec<Balance>) {
        self.state().plant(customer, accounts);
    }

    /// Puts an offer into a customer's wallet.
    pub fn plant_offer(&self, customer: &CustomerId, offer: UserOffer) {
        self.state().record(customer).wallet.push(offer);
    }

    /// Puts a note on a customer.
    pub fn plant_note(&self, customer: &CustomerId, note: Note) {
        self.state().record(customer).notes.push(note);
    }

    /// Puts an event on a customer's timeline.
    pub fn plant_event(&self, customer: &CustomerId, event: TimelineEvent) {
        self.state().record(customer).events.push(event);
    }

    /// Adds an offer that can be issued.
    pub fn offer_to_issue(&self, offer: AvailableOffer) {
        self.state().available.push(offer);
    }

    /// Adds a reward to the store.
    pub fn reward_in_store(&self, reward: Reward) {
        self.state().rewards.push(reward);
    }

    /// Lets time pass.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.state().now = now;
    }

    /// Lets the next commit go wrong; faults strike in the order in which they were added, one a commit.
    pub fn fault(&self, fault: MockFault) {
        self.state().faults.push_back(fault);
    }

    /// Lets the next reading fail, whichever it is.
    pub fn fail_next_reading(&self, kind: ErrorKind) {
        self.state().failing_reads.push_back(kind);
    }

    /// Every effect that was committed, in order.
    pub fn log(&self) -> Vec<LoggedEffect> {
        self.state().log.clone()
    }

    /// A customer's points in all accounts; none for an unknown customer.
    pub fn points_of(&self, customer: &CustomerId) -> Points {
        let state = self.state();
        state
            .find(customer)
            .map(|record| record.accounts.iter().map(|row| row.available).sum())
            .unwrap_or_default()
    }

    /// A customer's ledger.
    pub fn ledger_of(&self, customer: &CustomerId) -> Vec<LedgerEntry> {
        self.state().find(customer).map(|record| record.ledger.clone()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for a reading; or the failure that a test planned.
    fn reading(&self) -> hris_core::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        match state.failing_reads.pop_front() {
            Some(kind) => Err(Error::new(kind, "the reading failed")),
            None => Ok(state),
        }
    }
}

impl fmt::Debug for MockDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MockDesk")
            .field("customers", &state.customers())
            .field("effects", &state.log.len())
            .finish_non_exhaustive()
    }
}
