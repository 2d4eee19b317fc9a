//! The commands.

mod account;
mod employees;
mod history;
mod mapping;
mod people;
mod plans;
mod probe;
mod view;

pub(crate) use account::{check, vendors};
pub(crate) use employees::employees;
pub(crate) use history::{errors, history};
pub(crate) use mapping::{compare, fields, mapping, preview};
pub(crate) use people::{explain, forget, purge, refeed};
pub(crate) use plans::{accept, apply, dismiss, plan, release, replay, verify};
pub(crate) use probe::probe;
