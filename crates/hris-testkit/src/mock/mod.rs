//! Stand-ins for both ends of a synchronisation, without a network: a directory, a rewards platform, a progress bar.
//!
//! They are strict where real systems are strict and fail only where a test says so. None of them starts a task or
//! reads a clock other than the one it is given.

mod action;
mod connector;
mod fault;
mod mailer;
mod members;
mod progress;
mod project;
mod target;

pub use action::sample_action;
pub use connector::{Ending, MockConnector};
pub use fault::{TargetFault, TargetFaultRule};
pub use mailer::{MailFault, MockMailer};
pub use progress::RecordingProgress;
pub use target::{LoggedAction, MockTarget};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what a test shares with a mock; a panic of another thread while it held the lock is its own test's failure.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
