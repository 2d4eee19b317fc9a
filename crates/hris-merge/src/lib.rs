//! Connector to HR systems behind Merge.
//!
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod connector;
mod convert;
mod errors;
mod lenient;
mod lookup;
mod read_ahead;
mod readiness;
mod reading;
mod remote;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

pub use config::{
    DeletionTrust, MergeConfig, MergeCredentials, Plan, RecordIdSource, Region, RequestRate, StatusMeaning,
};
pub use connector::MergeConnector;
pub use remote::RemoteData;
