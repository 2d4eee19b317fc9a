//! The client against a scripted SessionM: readings, failures, effects, lists, timeline.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]

mod effects;
mod failures;
mod lists;
mod reads;
mod setup;
mod timeline;
