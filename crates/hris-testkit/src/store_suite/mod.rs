//! The conformance suite for state stores: one `#[test]` per behaviour that `hris_core::store` promises.
//!
//! A store's own test file sets a fresh store up and expands the suite:
//!
//! ```
//! # fn main() {}
//! use std::sync::Arc;
//!
//! use hris_store_memory::MemoryStore;
//! use hris_testkit::store_suite::StoreHarness;
//!
//! fn fresh() -> StoreHarness {
//!     let store = MemoryStore::new();
//!     StoreHarness::new(Arc::new(store.clone()), move || {
//!         let again = store.clone();
//!         async move { Arc::new(again) as _ }
//!     })
//! }
//!
//! hris_testkit::store_conformance!(memory_store, fresh());
//! ```
//!
//! The second argument is evaluated once per test and may await. A store that lasts gives a harness that opens its
//! file or database once more, as another process would; a store in memory gives another handle. There is nothing
//! to skip: every store keeps every promise.
#![expect(clippy::missing_panics_doc, reason = "a behaviour that does not hold panics: that is the report")]

pub mod checkpoints;
pub mod fencing;
pub mod journal;
pub mod leases;
pub mod links;
pub mod overrides;
pub mod plans;
pub mod retention;
pub mod runs;
pub mod tenants;

mod contents;
mod fixture;
mod harness;
mod sample;

pub use contents::contents;
pub use harness::StoreHarness;

/// Expands to a module of `#[test]` functions, one per behaviour. See [`crate::store_suite`].
#[macro_export]
macro_rules! store_conformance {
    ($name:ident, $setup:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the set-up may need nothing of the file")]
            use super::*;

            $crate::store_behaviours! { $setup;
                leases::a_lease_keeps_others_out_until_it_expires,
                leases::an_expired_lease_can_be_taken_over,
                leases::the_same_run_may_take_its_lease_again,
                leases::tokens_grow_across_release_and_reopening,
                leases::renewing_prolongs_the_lease,
                leases::an_expired_lease_that_nobody_took_can_be_renewed,
                leases::renewing_after_a_takeover_is_refused,
                leases::a_lease_given_back_is_free_at_once,
                leases::giving_back_a_lost_lease_does_nothing,
                leases::each_connection_has_its_own_lease,
                fencing::a_draft_refuses_whoever_lost_the_lease,
                fencing::a_sealed_plan_refuses_whoever_lost_the_lease,
                fencing::a_lease_given_back_writes_nothing,
                fencing::a_token_that_was_never_granted_writes_nothing,
                fencing::an_expired_lease_that_nobody_took_still_writes,
                links::there_is_no_baseline_before_the_first,
                links::a_baseline_comes_back_as_written,
                links::every_link_is_streamed_exactly_once,
                links::a_link_comes_back_as_written,
                links::links_of_records_come_in_the_order_asked_for,
                links::links_to_members_come_in_the_order_asked_for,
                links::a_later_link_of_a_record_takes_the_place_of_the_earlier,
                links::a_member_has_one_link,
                links::links_are_written_without_a_plan,
                links::staged_links_are_written_together,
                checkpoints::there_is_no_checkpoint_before_the_first,
                checkpoints::a_checkpoint_comes_back_as_written,
                checkpoints::a_forgotten_checkpoint_is_gone_and_nothing_else,
                plans::a_draft_is_no_plan_until_it_is_sealed,
                plans::a_new_draft_throws_the_old_one_away,
                plans::the_id_of_a_sealed_plan_cannot_be_used_again,
                plans::actions_come_back_as_appended,
                plans::actions_are_ordered_by_rank_and_id_and_paged,
                plans::an_action_appended_twice_is_one,
                plans::retracted_actions_are_gone,
                plans::reranked_actions_move,
                plans::reranking_an_unknown_action_changes_nothing,
                plans::problems_are_paged_in_the_order_appended,
                plans::a_header_comes_back_as_sealed,
                plans::a_header_of_another_connection_is_refused,
                plans::a_sealed_plan_takes_no_changes,
                plans::a_plan_that_is_not_there_is_empty_and_takes_nothing,
                plans::open_plans_come_oldest_first,
                plans::a_plan_goes_through_its_states,
                plans::a_final_plan_stays_final,
                plans::a_draft_changes_state_only_by_sealing_or_dismissal,
                plans::dismissal_erases_the_values_of_what_was_not_carried_out,
                journal::what_was_begun_is_known_after_reopening,
                journal::an_outcome_and_its_link_are_written_together,
                journal::one_wrong_settlement_undoes_its_batch,
                journal::one_wrong_beginning_undoes_its_batch,
                journal::a_final_action_has_no_values_left,
                journal::an_action_that_was_not_sent_goes_back_to_pending,
                journal::a_final_action_is_neither_begun_nor_settled_again,
                journal::an_action_can_end_without_having_begun,
                journal::only_a_live_plan_is_carried_out,
                runs::a_report_comes_back_as_recorded,
                runs::reports_come_newest_first_and_paged,
                runs::a_report_of_the_same_run_replaces_the_earlier,
                runs::a_report_of_another_connection_is_refused,
                runs::the_runs_of_a_tenant_come_from_all_its_connections_newest_first,
                overrides::an_override_comes_back_as_written,
                overrides::a_later_override_takes_the_place_of_the_earlier,
                overrides::an_override_that_is_taken_back_is_gone,
                overrides::every_override_is_streamed_exactly_once,
                retention::links_that_are_removed_are_gone_and_can_be_written_again,
                retention::removed_links_are_not_streamed,
                retention::final_plans_are_purged_by_age_and_nothing_else_is,
                retention::old_reports_are_purged_and_young_ones_stay,
                retention::a_forgotten_person_is_nowhere_any_more,
                retention::whoever_was_forgotten_stays_forgotten,
                tenants::no_read_finds_what_another_connection_wrote,
                tenants::equal_ids_of_two_connections_stay_apart,
                tenants::a_draft_of_one_connection_leaves_the_others_alone,
            }
        }
    };
}

/// One `#[test]` per behaviour.
#[doc(hidden)]
#[macro_export]
macro_rules! store_behaviours {
    ($setup:expr; $($module:ident :: $behaviour:ident,)+) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::run(async {
                    let harness = $setup;
                    $crate::store_suite::$module::$behaviour(harness).await;
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
            ("checkpoints", include_str!("checkpoints.rs")),
            ("fencing", include_str!("fencing.rs")),
            ("journal", include_str!("journal.rs")),
            ("leases", include_str!("leases.rs")),
            ("links", include_str!("links.rs")),
            ("overrides", include_str!("overrides.rs")),
            ("plans", include_str!("plans.rs")),
            ("retention", include_str!("retention.rs")),
            ("runs", include_str!("runs.rs")),
            ("tenants", include_str!("tenants.rs")),
        ];
        for (module, source) in modules {
            let names = source.split("pub async fn ").skip(1);
            for name in names.filter_map(|rest| rest.split_once('(').map(|(name, _)| name)) {
                assert!(listed.contains(&format!("{module}::{name},")), "add {module}::{name} to the macro");
            }
        }
    }
}
