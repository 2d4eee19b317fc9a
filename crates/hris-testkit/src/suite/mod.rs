//! What the conformance suites share: what is shown and traced, and the list of skips.

mod capture;
mod shown;
mod skips;

pub(crate) use capture::Capture;
pub use capture::Traces;
pub(crate) use shown::{around, chain, debug};
pub use skips::{NotOffered, Ran, SkipReason};
pub(crate) use skips::{check_list, compare};
