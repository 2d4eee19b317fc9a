//! Connector to Sesame HR.
//!
#![doc = include_str!("../README.md")]

mod cache;
mod catalogue;
mod client;
mod config;
mod connector;
mod convert;
mod details;
mod errors;
mod integration;
mod joins;
mod lookup;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod measure;
mod reading;
#[cfg(feature = "sim")]
pub mod sim;
mod totals;
mod webhooks;
mod wire;

pub use cache::{CachedDetail, ContractDates, Detail, DetailCache, DetailKind, MemoryDetailCache};
pub use config::{EmployeeIdSource, SesameConfig, StartDateSource, StatusStrategy};
pub use connector::SesameConnector;
pub use integration::integration;
pub use webhooks::{Webhook, WebhookEvent, WebhookFormat, Webhooks};
