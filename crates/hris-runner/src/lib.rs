//! Running connections: one at a time, or thousands of them fairly.
#![doc = include_str!("../README.md")]

mod assembly;
mod board;
mod desk;
mod fair;
mod runner;
mod welcome;
mod worker;

pub use assembly::{Assembly, WelcomeMail};
pub use fair::FairQueue;
pub use runner::{Runner, RunnerOptions, Stop};
pub use welcome::Welcoming;
pub use worker::{Stepped, Worker};
