//! The measured programs as they are run: processes of their own, against simulated vendors and files, compared row by row
//! with what is true.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod faults;
mod place;
mod pull;
mod reconcile;
mod sync;
mod truth;
