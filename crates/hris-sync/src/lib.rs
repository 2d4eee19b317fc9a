//! From an employee directory to members.
#![doc = include_str!("../README.md")]

mod apply;
mod cancel;
mod claims;
mod comparison;
mod decide;
mod engine;
mod files;
mod guard;
mod incremental;
mod order;
mod planner;
mod planning;
mod policy;
mod resolve;
mod verify;
mod view;

pub use cancel::Cancel;
pub use comparison::{Compared, Comparison, Observation, Ordinal};
pub use decide::{Decision, Standing, decide};
pub use engine::Engine;
pub use files::{FileFormat, write_problems};
pub use guard::{GuardInput, judge};
pub use policy::{BrokenReading, Incremental, LeftScope, Limit, Policy, Vanished};
pub use view::PlanView;
