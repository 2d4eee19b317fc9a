//! Connector to PeopleHR (Access PeopleHR).
//!
#![doc = include_str!("../README.md")]

mod answer;
mod batch;
mod client;
mod config;
mod connector;
mod convert;
mod dates;
mod errors;
mod integration;
mod lenient;
mod listing;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod measure;
mod query;
mod reading;
mod roster;
#[cfg(feature = "sim")]
pub mod sim;
mod splitter;
mod status;
mod webhooks;
mod wire;

pub use config::{FlagForm, LeavingDateRule, Listings, PeopleHrConfig, RecordIdSource, UnknownStatusCode};
pub use connector::PeopleHrConnector;
pub use integration::integration;
pub use query::QuerySource;
pub use webhooks::{RecordChange, Webhook, WebhookEvent, Webhooks};
