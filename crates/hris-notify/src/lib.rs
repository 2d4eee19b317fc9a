//! Notices as mails.
#![doc = include_str!("../README.md")]

mod context;
mod notifier;
mod templates;

pub use notifier::MailNotifier;
pub use templates::{Part, Templates};
