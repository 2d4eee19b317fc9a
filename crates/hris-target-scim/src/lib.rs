//! A provisioning target over SCIM 2.0.
//!
#![doc = include_str!("../README.md")]

mod attributes;
mod bulk;
mod change;
mod classify;
mod client;
mod config;
mod find;
mod managers;
mod path;
mod profile;
#[cfg(feature = "sim")]
pub mod sim;
mod target;
mod wire;
mod write;

pub use attributes::{AttributePlace, ValueFormat};
pub use config::{ArrayPatch, Filters, OnConflict, PatchStyle, ScimConfig, TokenScope, UpdateWith};
pub use path::ScimPath;
pub use profile::Profile;
pub use target::{Announced, ScimTarget, TargetCheck};
