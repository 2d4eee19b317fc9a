//! Once for every occurrence due, zero otherwise: decades of random companies, days and mishaps against an oracle that
//! shares nothing with the engine but the words.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod dying;
mod oracle;
mod story;

use proptest::prelude::*;
use story::{Story, story};

fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    // A story is years long.
    ProptestConfig { cases: default.cases.div_ceil(16), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_occurrence_due_is_sent_once_and_nothing_else(story in story()) {
        let Story { .. } = &story;
        hris_testkit::run(oracle::check(story))?;
    }
}
