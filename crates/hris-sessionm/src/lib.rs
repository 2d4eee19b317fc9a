//! A SessionM loyalty client for every task of a service desk.
//!
#![doc = include_str!("../README.md")]

mod client;
mod convert;
mod credentials;
pub mod crm;
mod desk;
mod effects;
#[cfg(feature = "mock")]
pub mod mock;
mod model;
mod people;
pub mod profile;
pub mod settings;
#[cfg(feature = "sim")]
pub mod sim;
mod target;
mod wire;

pub use client::{IssuedCopy, SessionM};
pub use credentials::Credentials;
pub use desk::LoyaltyDesk;
pub use effects::{
    Comment, Committed, Done, Effect, EffectKey, Leaning, Preparation, Prepared, Receipt, Refusal, Side,
    Uncertain,
};
pub use model::{
    AccountStatus, AvailableOffer, Balance, Balances, Customer, CustomerHit, CustomerId, CustomerRef,
    Enrolment, ExternalId, Identifier, LedgerEntry, Listing, Media, MediaKind, Note, OfferDetails,
    OfferFacts, OfferId, OfferState, Paging, Phone, PointAccountId, PointSourceId, Points, RawFields, Reward,
    RewardStoreId, RewardStoreOfferId, RootOfferId, Tag, TierLevel, TierStanding, Timeline, TimelineEvent,
    TimelinePage, UserOffer, UserOfferId,
};
pub use people::{NewCustomer, ParentKeys, PhoneText, RewardQuery, SearchBy, TimelineQuery};
pub use profile::{Mutability, ProfileEdit, ProfileField, ProfileValue};
pub use settings::{Choice, ConnectSettings, LookupBy, SearchStyle, Settings};
pub use target::SessionMTarget;
