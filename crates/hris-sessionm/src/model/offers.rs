//! Offers in all their forms: those that can be issued, those in a wallet, and those that points buy.

use chrono::{DateTime, Utc};

use super::{OfferId, Points, RewardStoreId, RewardStoreOfferId, RootOfferId, UserOfferId};

/// What kind of file a [`Media`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// 1.
    Image,
    /// 2.
    Video,
    /// 4.
    Audio,
    /// 5.
    WebLink,
    /// A number that this crate does not know, or none.
    Other(Option<i64>),
}

/// A picture or other file of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media {
    /// Where it is.
    pub uri: String,
    /// What kind of file it is.
    pub kind: MediaKind,
    /// The name of its category, such as `Tile`.
    pub category: Option<String>,
}

/// An offer that an agent may issue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AvailableOffer {
    /// The id to issue: the root id where it is known, so that the newest version is issued.
    pub id: OfferId,
    /// The title.
    pub title: String,
    /// The description.
    pub description: Option<String>,
    /// The name that only the organisation sees.
    pub internal_name: Option<String>,
    /// Pictures.
    pub media: Vec<Media>,
}

impl AvailableOffer {
    /// An offer.
    pub fn new(id: impl Into<OfferId>, title: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), description: None, internal_name: None, media: Vec::new() }
    }
}

/// What an issued copy is, as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OfferState {
    /// It can be redeemed.
    Active,
    /// Its redemption period has not begun.
    Upcoming,
    /// It was redeemed.
    Redeemed,
    /// Its redemption period is over.
    Expired,
}

/// An issued copy of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserOffer {
    /// This copy: what is viewed, revoked, redeemed and extended.
    pub id: UserOfferId,
    /// The version of the offer.
    pub offer_id: Option<OfferId>,
    /// The offer's stable identity.
    pub root_offer_id: Option<RootOfferId>,
    /// SessionM's word for the kind of offer.
    pub offer_type: Option<String>,
    /// The title.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The terms.
    pub terms: Option<String>,
    /// The name of its group.
    pub group: Option<String>,
    /// When it was issued.
    pub acquired_at: Option<DateTime<Utc>>,
    /// From when it can be redeemed.
    pub redeemable_from: Option<DateTime<Utc>>,
    /// Until when it can be redeemed; none is without end.
    pub redeemable_until: Option<DateTime<Utc>>,
    /// When it was redeemed.
    pub redeemed_at: Option<DateTime<Utc>>,
    /// Whether SessionM lets it be redeemed now.
    pub is_redeemable: Option<bool>,
    /// Whether it waits for a code from outside.
    pub is_pending: bool,
    /// Pictures.
    pub media: Vec<Media>,
}

impl UserOffer {
    /// An issued copy; for mocks.
    pub fn new(id: impl Into<UserOfferId>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            offer_id: None,
            root_offer_id: None,
            offer_type: None,
            name: name.into(),
            description: None,
            terms: None,
            group: None,
            acquired_at: None,
            redeemable_from: None,
            redeemable_until: None,
            redeemed_at: None,
            is_redeemable: None,
            is_pending: false,
            media: Vec::new(),
        }
    }

    /// What the copy is at an instant: redeemed if it has a redemption date, else by its redemption period.
    pub fn state(&self, now: DateTime<Utc>) -> OfferState {
        if self.redeemed_at.is_some() {
            OfferState::Redeemed
        } else if self.redeemable_until.is_some_and(|end| end <= now) {
            OfferState::Expired
        } else if self.redeemable_from.is_some_and(|start| start > now) {
            OfferState::Upcoming
        } else {
            OfferState::Active
        }
    }

    /// Whether this is a copy of an offer, named by its root or by a version.
    pub fn is_copy_of(&self, offer: &OfferId) -> bool {
        self.offer_id.as_ref() == Some(offer)
            || self
                .root_offer_id
                .as_ref()
                .is_some_and(|root| root.as_str().eq_ignore_ascii_case(offer.as_str()))
    }
}

/// What is known of an offer as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferFacts {
    /// The offer.
    pub offer_id: OfferId,
    /// How many copies were issued.
    pub issued: Option<u64>,
    /// How many were redeemed.
    pub redeemed: Option<u64>,
    /// How many there are in all; none is without limit.
    pub inventory: Option<u64>,
    /// How many are left.
    pub left: Option<u64>,
}

/// An issued copy with what is known of its offer: the desk's *View*.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferDetails {
    /// The copy.
    pub offer: UserOffer,
    /// Whether the copy is active, over or redeemed.
    pub state: OfferState,
    /// What is known of the offer, if SessionM tells.
    pub facts: Option<OfferFacts>,
}

impl OfferDetails {
    /// A copy as it is at an instant.
    pub fn new(offer: UserOffer, now: DateTime<Utc>, facts: Option<OfferFacts>) -> Self {
        Self { state: offer.state(now), offer, facts }
    }
}

/// An offer that points buy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reward {
    /// What is purchased.
    pub id: RewardStoreOfferId,
    /// The store.
    pub store: RewardStoreId,
    /// The offer's stable identity.
    pub root_offer_id: Option<RootOfferId>,
    /// The price of one.
    pub price: Points,
    /// The title.
    pub title: String,
    /// The description.
    pub description: Option<String>,
    /// The terms.
    pub terms: Option<String>,
    /// The name that only the organisation sees.
    pub internal_name: Option<String>,
    /// From when it can be bought.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when it can be bought.
    pub ends_at: Option<DateTime<Utc>>,
    /// SessionM's number of its status.
    pub status: Option<i64>,
    /// Pictures.
    pub media: Vec<Media>,
}

impl Reward {
    /// A reward at a price.
    pub fn new(
        id: impl Into<RewardStoreOfferId>,
        store: impl Into<RewardStoreId>,
        title: impl Into<String>,
        price: Points,
    ) -> Self {
        Self {
            id: id.into(),
            store: store.into(),
            root_offer_id: None,
            price,
            title: title.into(),
            description: None,
            terms: None,
            internal_name: None,
            starts_at: None,
            ends_at: None,
            status: None,
            media: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<DateTime<Utc>> {
        text.parse().ok()
    }

    #[test]
    fn a_copy_is_classified_by_its_dates_and_never_by_a_number() {
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        let mut copy = UserOffer::new("u1", "Ten percent off");
        assert_eq!(copy.state(now), OfferState::Active);
        copy.redeemable_from = at("2026-03-02T00:00:00Z");
        assert_eq!(copy.state(now), OfferState::Upcoming);
        copy.redeemable_until = at("2026-03-01T00:00:00Z");
        assert_eq!(copy.state(now), OfferState::Expired);
        copy.redeemed_at = at("2026-02-01T00:00:00Z");
        assert_eq!(copy.state(now), OfferState::Redeemed);
    }

    #[test]
    fn a_copy_is_one_of_an_offer_by_root_or_version_in_any_case() {
        let mut copy = UserOffer::new("u1", "Ten percent off");
        copy.offer_id = Some("10A9".into());
        copy.root_offer_id = Some("0123".into());
        assert!(copy.is_copy_of(&"10a9".into()) && copy.is_copy_of(&"0123".into()));
        assert!(!copy.is_copy_of(&"u1".into()));
    }
}
