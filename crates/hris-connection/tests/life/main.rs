//! The life of a connection, step by step.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod credentials;
mod desk;
mod document;
mod history;
mod notified;
mod running;
mod setting_up;
