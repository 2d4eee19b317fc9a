//! The conformance suite for ledgers of gift campaigns: one `#[test]` per promise of `hris_core::ledger`.
//!
//! ```
//! # fn main() {}
//! use std::sync::Arc;
//!
//! use hris_store_memory::MemoryStore;
//! use hris_testkit::ledger_suite::LedgerHarness;
//!
//! fn fresh() -> LedgerHarness {
//!     let store = MemoryStore::new();
//!     LedgerHarness::new(Arc::new(store.clone()), move || Arc::new(store.clone()))
//! }
//!
//! hris_testkit::ledger_conformance!(memory_ledger, fresh());
//! ```
//!
//! The second argument is evaluated once per test. A ledger that lasts gives a harness that opens its file or database
//! once more. There is nothing to skip: every ledger keeps every promise.
#![expect(clippy::missing_panics_doc, reason = "a behaviour that does not hold panics: that is the report")]
#![expect(clippy::unwrap_used, reason = "a behaviour that does not hold panics: that is the report")]

pub mod campaigns;
pub mod people;
pub mod runs;
pub mod sends;

mod fixture;

pub use fixture::LedgerHarness;

/// Expands to a module of `#[test]` functions, one per behaviour. See [`crate::ledger_suite`].
#[macro_export]
macro_rules! ledger_conformance {
    ($name:ident, $setup:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the set-up may need nothing of the file")]
            use super::*;

            $crate::ledger_behaviours! { $setup;
                campaigns::campaigns_come_back_as_written,
                campaigns::a_campaign_changed_from_an_old_version_is_refused,
                campaigns::an_edit_keeps_the_day_of_the_last_run,
                campaigns::ending_a_campaign_cancels_what_waits_and_nothing_else,
                campaigns::an_ended_campaign_takes_nothing_that_waits,
                campaigns::campaigns_of_two_connections_stay_apart,
                sends::every_stage_comes_back_as_written,
                sends::a_change_is_made_only_from_the_state_it_expects,
                sends::a_send_of_another_connection_is_never_touched,
                sends::due_sends_come_oldest_first_and_not_before_their_instant,
                sends::undelivered_sends_are_listed_by_due_date_and_paged,
                sends::ended_sends_are_listed_by_month_and_those_without_last,
                sends::sends_are_listed_by_campaign,
                sends::what_went_out_is_found_by_its_occasion,
                sends::a_send_is_found_by_its_id_alone,
                sends::of_two_swaps_one_wins,
                people::an_erased_person_is_kept_nowhere_and_never_written_again,
                people::who_opts_out_loses_what_waits_and_keeps_what_was_delivered,
                people::erasure_outranks_opting_out,
                people::links_end_with_their_month_and_names_with_theirs,
                people::people_of_two_connections_stay_apart,
                runs::a_batch_is_remembered,
                runs::an_episode_replaces_the_one_under_its_key,
                runs::a_run_is_found_and_listed_latest_first,
                runs::whoever_lost_the_lease_writes_nothing,
            }
        }
    };
}

/// One `#[test]` per behaviour.
#[doc(hidden)]
#[macro_export]
macro_rules! ledger_behaviours {
    ($setup:expr; $($module:ident :: $behaviour:ident,)+) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::run(async {
                    let harness = $setup;
                    $crate::ledger_suite::$module::$behaviour(harness).await;
                });
            }
        )+
    };
}

#[cfg(test)]
mod tests {
    /// A behaviour that is written but not in the macro would never run.
    #[test]
    fn every_behaviour_is_in_the_macro() {
        let listed = include_str!("mod.rs");
        let modules = [
            ("campaigns", include_str!("campaigns.rs")),
            ("people", include_str!("people.rs")),
            ("runs", include_str!("runs.rs")),
            ("sends", include_str!("sends.rs")),
        ];
        for (module, text) in modules {
            for line in text.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let name = line.split('(').next().unwrap_or_default();
                assert!(listed.contains(&format!("{module}::{name},")), "{module}::{name}");
            }
        }
    }
}
