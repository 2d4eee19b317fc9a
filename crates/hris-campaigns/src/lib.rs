//! Gift campaigns.
#![doc = include_str!("../README.md")]

mod campaign;
mod conflict;
mod date;
mod filter;
mod leap;
mod local_time;
mod milestones;
pub mod rule;
mod scan;
mod template;
mod window;

pub use campaign::{AddressSource, Anchor, Campaign, Recurrence, Rule, SendZone};
pub use conflict::{Overlap, overlaps};
pub use filter::Filter;
pub use leap::LeapDay;
pub use local_time::{date_in, instant_of};
pub use milestones::Milestones;
pub use scan::{DueGift, Occurrence, Scan, Timing};
pub use template::{MailTemplate, VARIABLES};
pub use window::{Span, Window};
