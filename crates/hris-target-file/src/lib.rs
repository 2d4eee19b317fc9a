//! A provisioning target that is one JSON-lines file.
//!
#![doc = include_str!("../README.md")]

mod file;
mod members;
mod rules;
mod target;

pub use target::FileTarget;
