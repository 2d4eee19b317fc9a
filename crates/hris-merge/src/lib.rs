//! Connector to HR systems behind Merge.
//!
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod connector;
mod convert;
mod coverage;
mod errors;
mod integration;
mod lenient;
mod link;
mod linked;
mod lookup;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod measure;
mod organisation;
mod read_ahead;
mod readiness;
mod reading;
mod remote;
#[cfg(feature = "sim")]
pub mod sim;
mod webhooks;
mod wire;

pub use config::{
    DeletionTrust, MergeConfig, MergeCredentials, Plan, RecordIdSource, Region, RequestRate, StatusMeaning,
};
pub use connector::MergeConnector;
pub use coverage::{Coverage, CoverageSource, CoverageTable};
pub use integration::integration;
pub use link::{Link, LinkRequest, LinkedToken, MagicLink};
pub use linked::IgnoreReason;
pub use organisation::{Integration, Issue, LinkedAccountInfo, MergeOrganisation};
pub use remote::RemoteData;
pub use webhooks::{RecordChange, SIGNATURE_HEADER, Webhook, WebhookEvent, WebhookRefusal, Webhooks};
