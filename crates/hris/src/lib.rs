//! The front door: every crate behind a feature, and connectors from a configuration.
//!
#![doc = include_str!("../README.md")]

mod config;
mod options;
mod registry;
#[cfg(feature = "scim")]
pub mod targets;
mod vendors;

pub use config::ConnectorConfig;
pub use hris_core::{Credentials, SecretRef};
pub use registry::{Catalogue, Credential, Registry, Vendor};

#[doc(inline)]
pub use hris_core as core;
#[doc(inline)]
pub use hris_http as http;
#[doc(inline)]
pub use hris_sync as sync;

#[cfg(feature = "merge")]
#[doc(inline)]
pub use hris_merge as merge;

#[cfg(feature = "peoplehr")]
#[doc(inline)]
pub use hris_peoplehr as peoplehr;

#[cfg(feature = "sesame")]
#[doc(inline)]
pub use hris_sesame as sesame;

#[cfg(feature = "sessionm")]
#[doc(inline)]
pub use hris_sessionm as sessionm;

#[cfg(feature = "trinet")]
#[doc(inline)]
pub use hris_trinet as trinet;

#[cfg(feature = "memory")]
#[doc(inline)]
pub use hris_store_memory as store_memory;

#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use hris_store_sqlite as store_sqlite;

#[cfg(feature = "file-target")]
#[doc(inline)]
pub use hris_target_file as target_file;

#[cfg(feature = "scim")]
#[doc(inline)]
pub use hris_target_scim as target_scim;
