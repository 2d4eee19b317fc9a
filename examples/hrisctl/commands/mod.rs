//! The commands.

mod account;
mod employees;
mod history;
mod plans;
mod probe;
mod view;

pub(crate) use account::{check, fields, vendors};
pub(crate) use employees::employees;
pub(crate) use history::{errors, history};
pub(crate) use plans::{apply, dismiss, plan, release, verify};
pub(crate) use probe::probe;
