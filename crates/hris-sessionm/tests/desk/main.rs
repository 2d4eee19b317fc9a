//! The client with the complete settings file against the simulator: every task of the desk, every lost answer, and
//! everything that can be asked for wrongly.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]
#![expect(clippy::float_cmp, reason = "the simulator counts in hundredths, and these are exact")]

mod bad_input;
mod crm;
mod lost_answers;
mod setup;
mod tasks;
