//! Gift campaigns.
#![doc = include_str!("../README.md")]

mod campaign;
mod claim;
mod conflict;
mod date;
mod dispatch;
mod filter;
mod job;
mod keys;
mod leap;
mod local_time;
mod milestones;
mod pass;
mod preview;
mod report;
pub mod rule;
mod scan;
mod service;
mod settle;
mod setup;
mod template;
mod window;

pub use campaign::{AddressSource, Anchor, Campaign, Recurrence, Rule, SendZone};
pub use claim::{ClaimDesk, ClaimForm, ClaimToken, LinkAnswer, LinkBase};
pub use conflict::{Overlap, overlaps};
pub use filter::Filter;
pub use leap::LeapDay;
pub use local_time::{date_in, instant_of};
pub use milestones::Milestones;
pub use preview::{PREVIEW_DAYS, Preview, PreviewedGift};
pub use report::{CampaignCounts, CampaignReport, MAX_LINES, ReadingOutcome, ReportLine};
pub use scan::{DueGift, Occurrence, Scan, Timing};
pub use service::{Campaigns, Listed, Policy};
pub use setup::SetUp;
pub use template::{MailTemplate, VARIABLES};
pub use window::{Span, Window};
