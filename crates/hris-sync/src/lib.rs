//! From an employee directory to members.
#![doc = include_str!("../README.md")]

mod apply;
mod cancel;
mod claims;
mod comparison;
mod decide;
mod discovery;
mod engine;
mod explain;
mod files;
mod guard;
mod identity;
mod incremental;
mod leavers;
mod mapping_diff;
mod matching;
mod order;
mod parking;
mod planner;
mod planning;
mod policy;
mod preview;
mod proposals;
mod recorded;
mod resolve;
mod upkeep;
mod verify;
mod view;

pub use cancel::Cancel;
pub use comparison::{Compared, Comparison, Observation, Ordinal};
pub use decide::{Decision, Standing, decide};
pub use discovery::{DiscoveredField, Discovery, Fill, discover};
pub use engine::Engine;
pub use explain::{Explanation, Step, StepName};
pub use files::{FileFormat, write_problems};
pub use guard::{GuardInput, judge};
pub use leavers::Leaver;
pub use mapping_diff::{MappingDiff, PersonDiff, Planned};
pub use matching::MatchRule;
pub use policy::{Absence, BrokenReading, EndDate, Incremental, LeftScope, Limit, Policy, Switch, Vanished};
pub use preview::{Cell, Preview, PreviewRow, preview, shape};
pub use proposals::Proposal;
pub use upkeep::Refeed;
pub use view::PlanView;
