//! Gift mails over SMTP.
#![doc = include_str!("../README.md")]

mod config;
mod dialogue;
mod failure;
mod message;

pub use config::{Security, SmtpConfig, SmtpMailer};
