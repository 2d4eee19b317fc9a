//! What becomes of an effect: done, refused for a reason of its own type, or uncertain with its evidence.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{Effect, EffectKey, Prepared};
use crate::{Customer, CustomerId, ExternalId, IssuedCopy, Points, ProfileField, UserOfferId};

/// What became of preparing an effect.
#[derive(Debug)]
#[non_exhaustive]
pub enum Preparation {
    /// Its preconditions hold: show [`Prepared::summary`], ask, and commit.
    Ready(Box<Prepared>),
    /// It cannot be done. Nothing was changed.
    Refused(Refusal),
}

impl Preparation {
    /// The prepared effect, or why there is none.
    pub fn ready(self) -> Result<Prepared, Refusal> {
        match self {
            Self::Ready(prepared) => Ok(*prepared),
            Self::Refused(refusal) => Err(refusal),
        }
    }
}

/// What became of committing an effect. A failure that proves that nothing was sent is an error instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum Committed {
    /// It happened, once.
    Done(Receipt),
    /// SessionM refused it. Nothing was changed.
    Refused(Refusal),
    /// It cannot be told whether it happened. Never send it again before somebody looked; `resolve` reads again.
    Uncertain(Uncertain),
}

impl Committed {
    /// The receipt, if it is known to have happened.
    pub fn done(self) -> Option<Receipt> {
        match self {
            Self::Done(receipt) => Some(receipt),
            Self::Refused(_) | Self::Uncertain(_) => None,
        }
    }
}

/// An effect that happened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// Our key of it.
    pub key: EffectKey,
    /// The word of [`Effect::as_str`].
    pub effect: &'static str,
    /// Whether that was found out by reading, since its answer was lost or unclear.
    pub found_by_reading: bool,
    /// What came of it.
    pub done: Done,
}

impl Receipt {
    /// A receipt; for other implementations of [`LoyaltyDesk`](crate::LoyaltyDesk).
    pub fn new(key: EffectKey, effect: &Effect, found_by_reading: bool, done: Done) -> Self {
        Self { key, effect: effect.as_str(), found_by_reading, done }
    }
}

/// What came of an effect.
#[derive(Debug)]
#[non_exhaustive]
pub enum Done {
    /// A customer was created, changed, or merged into: as SessionM has them now, where that could be read.
    Customer {
        /// The customer.
        customer: Option<Box<Customer>>,
        /// Fields of an update that SessionM does not show as they were sent.
        unconfirmed: Vec<ProfileField>,
    },
    /// Points moved.
    Points {
        /// The balance of the account afterwards, where it is known.
        balance: Option<Points>,
    },
    /// Copies of an offer were issued or bought.
    Copies {
        /// What became of each.
        copies: Vec<IssuedCopy>,
        /// Points left after a purchase, where that is known.
        points_left: Option<Points>,
    },
    /// A copy was revoked, redeemed or extended.
    Copy(UserOfferId),
    /// A note or tags were added.
    Added,
}

/// In which direction the evidence of an uncertain effect points. It proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leaning {
    /// It probably happened.
    Done,
    /// It probably did not happen, or not yet.
    NotDone,
    /// Nothing points either way.
    Unknown,
}

/// An effect of which reading cannot tell whether it happened.
#[derive(Debug)]
pub struct Uncertain {
    pub(crate) prepared: Box<Prepared>,
    pub(crate) leaning: Leaning,
    pub(crate) evidence: Vec<String>,
    pub(crate) read_at: DateTime<Utc>,
}

impl Uncertain {
    /// An uncertain effect; for mocks of [`LoyaltyDesk`](crate::LoyaltyDesk).
    pub fn new(prepared: Prepared, leaning: Leaning, evidence: Vec<String>, read_at: DateTime<Utc>) -> Self {
        Self { prepared: Box::new(prepared), leaning, evidence, read_at }
    }

    /// Our key of it.
    pub fn key(&self) -> &EffectKey {
        &self.prepared.key
    }

    /// The effect.
    pub fn effect(&self) -> &Effect {
        &self.prepared.effect
    }

    /// In which direction the evidence points.
    pub fn leaning(&self) -> Leaning {
        self.leaning
    }

    /// What was read, in words without anybody's data.
    pub fn evidence(&self) -> &[String] {
        &self.evidence
    }

    /// When it was last read.
    pub fn read_at(&self) -> DateTime<Utc> {
        self.read_at
    }

    /// When it was prepared, for whoever looks it up by hand.
    pub fn prepared_at(&self) -> DateTime<Utc> {
        self.prepared.at
    }

    /// What was to be done; [`LoyaltyDesk::resolve`](crate::LoyaltyDesk::resolve) reads again.
    pub(crate) fn into_prepared(self) -> Prepared {
        *self.prepared
    }
}

/// One of the two customers of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// Who stays.
    Survivor,
    /// Who goes.
    Victim,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Survivor => "the survivor",
            Self::Victim => "the other customer",
        })
    }
}

/// Why an effect cannot be done. `Display` says it in words, without anybody's data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such customer: never was, erased, or merged away.
    UnknownCustomer,
    /// There is no customer with the keys of one side of a merge.
    UnknownSide(Side),
    /// The record has no key by which customers are looked up or created.
    NoKey,
    /// A customer with the looked-up key exists already.
    AlreadyExists(CustomerId),
    /// The e-mail address is another customer's.
    EmailInUse(CustomerId),
    /// The external id is another customer's.
    ExternalIdInUse(CustomerId),
    /// The record's two keys belong to two customers.
    KeysDisagree,
    /// The customer takes part already.
    AlreadyEnrolled,
    /// The customer is suspended.
    Suspended,
    /// The person is 13 or younger.
    UnderAge,
    /// The field is not to be changed.
    ReadOnlyField(ProfileField),
    /// Everything is as wanted already.
    NothingToDo,
    /// Points moved under this key before: the ledger has it.
    AlreadyDone,
    /// Both sides of a merge are one customer.
    SameCustomer,
    /// One side of a merge has no external id, which the call needs.
    NoExternalId(Side),
    /// A number of points is zero or less.
    AmountNotPositive,
    /// A number of points is above the limit of the settings, or beyond what can be held.
    AmountTooLarge {
        /// The limit.
        most: Points,
    },
    /// A number of copies is not 1 to 100.
    QuantityOutOfRange,
    /// The reason is not among the configured ones.
    UnknownReason,
    /// The point source is not among the configured ones.
    UnknownSource,
    /// The customer has no such point account.
    UnknownAccount,
    /// The point source does not give to this account.
    AccountNotLinked,
    /// There are not enough points.
    InsufficientPoints {
        /// How many are needed.
        needed: Points,
        /// How many there are.
        available: Points,
    },
    /// A note needs a text.
    BlankComment,
    /// No tag has anything in it.
    NoTags,
    /// The offer is not among those to be issued.
    OfferNotAvailable,
    /// The customer has no such copy: it is another's, revoked, or over.
    OfferNotHeld,
    /// The copy was redeemed.
    AlreadyRedeemed,
    /// The copy's redemption period is over.
    OfferExpired,
    /// The copy's redemption period is not over, so it cannot be reissued.
    OfferNotExpired,
    /// The copy's redemption period has not begun.
    OfferNotYetRedeemable,
    /// SessionM says that the copy cannot be redeemed now.
    OfferNotRedeemable,
    /// The end is not after the start.
    EndBeforeStart,
    /// The end is in the past.
    EndInPast,
    /// The reward is not in the store.
    RewardNotAvailable,
    /// SessionM issued no copy; the numbers of its reasons, whose meaning is not public.
    NotIssued {
        /// One number a copy.
        reasons: Vec<i64>,
    },
    /// SessionM answered ok and its own data did not change.
    NotApplied,
    /// SessionM refused for a reason that this crate does not know.
    Vendor {
        /// SessionM's code or number, where it gave one.
        code: Option<String>,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::UnknownCustomer => "there is no such customer",
            Self::UnknownSide(side) => return write!(f, "{side} is not in SessionM"),
            Self::NoKey => "the record has no key by which customers are looked up",
            Self::AlreadyExists(id) => return write!(f, "the customer exists already ({id})"),
            Self::EmailInUse(id) => return write!(f, "the e-mail address is another customer's ({id})"),
            Self::ExternalIdInUse(id) => return write!(f, "the external id is another customer's ({id})"),
            Self::KeysDisagree => "the record's e-mail address and external id belong to two customers",
            Self::AlreadyEnrolled => "the customer takes part in the loyalty programme already",
            Self::Suspended => "the customer is suspended",
            Self::UnderAge => "the person is 13 or younger",
            Self::ReadOnlyField(field) => return write!(f, "the field `{field}` is not to be changed"),
            Self::NothingToDo => "everything is as wanted already",
            Self::AlreadyDone => "this was done before, under the same key",
            Self::SameCustomer => "both are the same customer",
            Self::NoExternalId(side) => return write!(f, "{side} has no external id, which the merge needs"),
            Self::AmountNotPositive => "the number of points must be more than nothing",
            Self::AmountTooLarge { most } => return write!(f, "at most {most} points at once"),
            Self::QuantityOutOfRange => "1 to 100 copies at once",
            Self::UnknownReason => "the reason is not one of the list",
            Self::UnknownSource => "the point source is not one of the list",
            Self::UnknownAccount => "the customer has no such point account",
            Self::AccountNotLinked => "the point source does not give to this account",
            Self::InsufficientPoints { needed, available } => {
                return write!(f, "{needed} points are needed and {available} are there");
            }
            Self::BlankComment => "the note has no text",
            Self::NoTags => "there is no tag to add",
            Self::OfferNotAvailable => "the offer is not among those to be issued",
            Self::OfferNotHeld => "the customer does not hold this offer",
            Self::AlreadyRedeemed => "the offer was redeemed already",
            Self::OfferExpired => "the offer has expired",
            Self::OfferNotExpired => "the offer has not expired",
            Self::OfferNotYetRedeemable => "the offer cannot be redeemed yet",
            Self::OfferNotRedeemable => "the offer cannot be redeemed now",
            Self::EndBeforeStart => "the end must come after the start",
            Self::EndInPast => "the end is in the past",
            Self::RewardNotAvailable => "the reward is not in the store",
            Self::NotIssued { .. } => "SessionM issued nothing",
            Self::NotApplied => {
                "SessionM answered ok and changed nothing; check the field names in the settings"
            }
            Self::Vendor { code: Some(code) } => return write!(f, "SessionM refused ({code})"),
            Self::Vendor { code: None } => "SessionM refused without a reason",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Whether one of a merge's ids is needed that a side has not.
    pub(crate) fn no_external_id(side: Side, id: Option<&ExternalId>) -> Option<Self> {
        id.is_none().then_some(Self::NoExternalId(side))
    }
}
