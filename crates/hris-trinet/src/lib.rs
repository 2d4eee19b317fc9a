//! Connector to TriNet (PEO).
//!
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod connector;
mod convert;
mod dates;
mod errors;
mod integration;
mod lenient;
#[cfg(feature = "sim")]
#[doc(hidden)]
pub mod measure;
mod pages;
mod reading;
mod reference;
#[cfg(feature = "sim")]
pub mod sim;
mod status;
mod token;
mod wire;

pub use config::{TokenStyle, TriNetConfig, View};
pub use connector::TriNetConnector;
pub use integration::integration;
pub use status::{Meaning, StatusRule};
