//! What SessionM's answers mean, in types of this crate: nothing here knows the wire.

mod customer;
mod desk_lists;
mod ids;
mod offers;
mod points;
mod raw;
mod timeline;

use std::fmt;

pub use customer::{
    AccountStatus, Balance, Balances, Customer, CustomerHit, Enrolment, Identifier, Phone, TierLevel,
    TierStanding,
};
pub use desk_lists::{LedgerEntry, Listing, Note, Paging, Tag};
pub use ids::{
    CustomerId, CustomerRef, ExternalId, OfferId, PointAccountId, PointSourceId, RewardStoreId,
    RewardStoreOfferId, RootOfferId, UserOfferId,
};
pub use offers::{AvailableOffer, Media, MediaKind, OfferDetails, OfferFacts, OfferState, Reward, UserOffer};
pub use points::Points;
pub use raw::RawFields;
pub use timeline::{Timeline, TimelineEvent, TimelinePage};

/// Prints `…` in place of a value, so that a `Debug` output shows that something is there and no more.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
