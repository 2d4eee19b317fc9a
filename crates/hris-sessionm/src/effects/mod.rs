//! What an agent confirms, in two steps: prepared (checked, and said in words), then committed under a key of our own.
//!
//! An outcome that is not clear is found out by reading and never by sending again.

mod commit;
mod outcome;
mod prepare;
mod prepare_offers;
mod prepare_people;
mod resolve;

use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};

use chrono::{DateTime, Utc};
use hris_core::{Error, ErrorKind, Result};

use crate::model::{Balances, Customer, Hidden, Note, Reward, Tag, UserOffer};
use crate::{
    CustomerId, CustomerRef, NewCustomer, OfferId, ParentKeys, PointAccountId, PointSourceId, Points,
    ProfileEdit, RewardStoreOfferId, UserOfferId,
};

pub use outcome::{Committed, Done, Leaning, Preparation, Receipt, Refusal, Side, Uncertain};
#[cfg(feature = "mock")]
pub(crate) use prepare::available_in;

/// Our own key of one effect. What SessionM keeps of it (the reference of a point movement) is how the effect is found
/// again when its answer was lost.
#[derive(Clone)]
pub struct EffectKey {
    text: Box<str>,
    /// Whether it was made here and now, so that nothing can have been done under it before.
    is_new: bool,
}

impl EffectKey {
    /// A key that nobody else has.
    pub fn random() -> Self {
        // Each state is keyed at random by the standard library.
        let part = || RandomState::new().build_hasher().finish();
        Self { text: format!("hris-{:016x}{:016x}", part(), part()).into(), is_new: true }
    }

    /// A key of the caller's own, such as a case number with a suffix: 8 to 64 letters, digits, dashes and dots.
    ///
    /// Points that moved under it before are not moved again, where the ledger can be read.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is not that.
    pub fn parse(text: &str) -> Result<Self> {
        let fits = (8..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        if fits {
            return Ok(Self { text: text.into(), is_new: false });
        }
        Err(Error::new(ErrorKind::Invalid, "this is no key for an effect")
            .with_hint("give 8 to 64 letters, digits, dashes, dots or underscores"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }
}

impl PartialEq for EffectKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for EffectKey {}

impl Hash for EffectKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EffectKey({})", self.text)
    }
}

/// Something that an agent does and confirms. Kinds are added over time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Creates a customer; enrols them if the new customer says so.
    Create(Box<NewCustomer>),
    /// Enrols a customer who exists already.
    Enrol {
        /// Who.
        customer: CustomerRef,
    },
    /// Changes a customer's profile.
    Update {
        /// Who.
        customer: CustomerRef,
        /// What is set and cleared.
        edit: ProfileEdit,
    },
    /// Adds tags.
    Tag {
        /// Who.
        customer: CustomerRef,
        /// The tags.
        tags: Vec<String>,
        /// After how many seconds they end; without it each is a counter. A tag is one or the other for good.
        seconds: Option<u64>,
    },
    /// Merges two customers, for good.
    Merge {
        /// The keys on the surviving record *after* its merge: they decide which customer stays.
        survivor: ParentKeys,
        /// The other customer's keys.
        victim: ParentKeys,
    },
    /// Gives points: the desk's *Comp*.
    Award {
        /// Who.
        customer: CustomerRef,
        /// *Point Account*.
        account: PointAccountId,
        /// *Point Source*.
        source: PointSourceId,
        /// How many.
        amount: Points,
        /// *Reasons*: one of the configured codes.
        reason: String,
    },
    /// Takes points.
    Deduct {
        /// Who.
        customer: CustomerRef,
        /// The accounts to take them from, in this order; all with points in them if empty.
        accounts: Vec<PointAccountId>,
        /// How many.
        amount: Points,
        /// One of the configured codes.
        reason: String,
    },
    /// Adds a note.
    Note {
        /// Who.
        customer: CustomerRef,
        /// *Reason*: one of the configured codes, or none.
        reason: Option<String>,
        /// *Comment*. SessionM does not record the agent: put a name into it if the organisation wants to know.
        comment: Comment,
    },
    /// Issues an offer.
    Issue {
        /// Who.
        customer: CustomerRef,
        /// Which offer.
        offer: OfferId,
        /// How many copies.
        quantity: u32,
    },
    /// Issues another copy of an expired offer.
    Reissue {
        /// Who.
        customer: CustomerRef,
        /// The expired copy.
        copy: UserOfferId,
    },
    /// Takes a copy back.
    Revoke {
        /// Who.
        customer: CustomerRef,
        /// Which copy.
        copy: UserOfferId,
        /// Why, in words for SessionM's records.
        reason: Comment,
    },
    /// Redeems a copy.
    Redeem {
        /// Who.
        customer: CustomerRef,
        /// Which copy.
        copy: UserOfferId,
    },
    /// Changes a copy's redemption period: the desk's *Edit Duration*.
    Extend {
        /// Who.
        customer: CustomerRef,
        /// Which copy; an expired one is revived.
        copy: UserOfferId,
        /// The new beginning. The agent's zone is the caller's business.
        from: DateTime<Utc>,
        /// The new end.
        until: DateTime<Utc>,
    },
    /// Buys a reward with the customer's points.
    Purchase {
        /// Who.
        customer: CustomerRef,
        /// Which reward.
        reward: RewardStoreOfferId,
        /// How many.
        quantity: u32,
        /// The accounts that pay, in this order; all with points in them if empty.
        accounts: Vec<PointAccountId>,
    },
}

/// What an agent wrote: a note's text, or why an offer is taken back. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment(String);

impl Comment {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Comment").field(&Hidden).finish()
    }
}

impl From<&str> for Comment {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Effect {
    /// The word for reports and traces.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Enrol { .. } => "enrol",
            Self::Update { .. } => "update",
            Self::Tag { .. } => "tag",
            Self::Merge { .. } => "merge",
            Self::Award { .. } => "award",
            Self::Deduct { .. } => "deduct",
            Self::Note { .. } => "note",
            Self::Issue { .. } => "issue",
            Self::Reissue { .. } => "reissue",
            Self::Revoke { .. } => "revoke",
            Self::Redeem { .. } => "redeem",
            Self::Extend { .. } => "extend",
            Self::Purchase { .. } => "purchase",
        }
    }

    /// Whom it is about, where that is known before it is prepared.
    pub fn customer(&self) -> Option<&CustomerRef> {
        match self {
            Self::Create(_) | Self::Merge { .. } => None,
            Self::Enrol { customer }
            | Self::Update { customer, .. }
            | Self::Tag { customer, .. }
            | Self::Award { customer, .. }
            | Self::Deduct { customer, .. }
            | Self::Note { customer, .. }
            | Self::Issue { customer, .. }
            | Self::Reissue { customer, .. }
            | Self::Revoke { customer, .. }
            | Self::Redeem { customer, .. }
            | Self::Extend { customer, .. }
            | Self::Purchase { customer, .. } => Some(customer),
        }
    }
}

/// An effect whose preconditions held, ready to be confirmed.
///
/// It is committed by value, so that one confirmation is one commit. It cannot be copied.
pub struct Prepared {
    pub(crate) key: EffectKey,
    pub(crate) effect: Effect,
    pub(crate) summary: String,
    pub(crate) warnings: Vec<String>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) before: Before,
}

/// What was seen when an effect was prepared: what a lost answer is found out by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    pub(crate) customer: Option<Box<Customer>>,
    pub(crate) balances: Option<Balances>,
    pub(crate) wallet: Vec<UserOffer>,
    pub(crate) issues: Option<OfferId>,
    pub(crate) reward: Option<Box<Reward>>,
    pub(crate) accounts: Vec<PointAccountId>,
    pub(crate) notes: Vec<Note>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) victim: Option<Box<Customer>>,
}

impl Prepared {
    /// An effect without anything seen beforehand; for mocks of [`LoyaltyDesk`](crate::LoyaltyDesk).
    pub fn new(effect: Effect, key: EffectKey, summary: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self { key, effect, summary: summary.into(), warnings: Vec::new(), at, before: Before::default() }
    }

    /// What will happen, in words for the agent.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What the agent should know before confirming.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Our own key of this effect.
    pub fn key(&self) -> &EffectKey {
        &self.key
    }

    /// The effect.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// When it was prepared.
    pub fn prepared_at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The customer that was read when it was prepared.
    pub fn customer_id(&self) -> Option<&CustomerId> {
        self.before.customer.as_ref().map(|customer| &customer.id)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Prepared");
        out.field("effect", &self.effect.as_str()).field("key", &self.key).field("at", &self.at);
        out.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_random_and_a_callers_own_must_fit() {
        assert_ne!(EffectKey::random(), EffectKey::random());
        assert!(EffectKey::parse(EffectKey::random().as_str()).is_ok());
        assert!(EffectKey::parse("case-00417.1").is_ok());
        for text in ["", "short", "with blank 1", "mara@x.example", &"x".repeat(65)] {
            assert!(EffectKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_of_a_prepared_effect_shows_no_comment() {
        let effect =
            Effect::Note { customer: CustomerRef::new("c1"), reason: None, comment: "Mara called".into() };
        let prepared = Prepared::new(effect.clone(), EffectKey::random(), "Add a note", DateTime::UNIX_EPOCH);
        let shown = format!("{prepared:?} {effect:?}");
        assert!(!shown.contains("Mara") && shown.contains("note"), "{shown}");
    }
}
