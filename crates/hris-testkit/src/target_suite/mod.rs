//! The conformance suite for targets: one `#[test]` per behaviour that [`hris_core::ProvisioningTarget`] promises.
//!
//! A target's own test file says how to build the target, how to look at the platform without it, and what can go
//! wrong there, and expands the suite:
//!
//! ```
//! # fn main() {}
//! use std::sync::Arc;
//!
//! use hris_core::{ProvisioningTarget, Result};
//! use hris_testkit::target_suite::{RawMember, TargetCase, TargetHarness, TestPlatform};
//! use hris_testkit::{ManualClock, MockTarget};
//!
//! /// The platform: here the mock itself, which needs no simulator.
//! struct Platform(MockTarget);
//!
//! impl TestPlatform for Platform {
//!     fn target(&self, case: TargetCase) -> Option<Result<Arc<dyn ProvisioningTarget>>> {
//!         match case {
//!             TargetCase::Good => Some(Ok(Arc::new(self.0.clone()))),
//!             _ => None, // nothing else can be built: those behaviours stand in the list of skips
//!         }
//!     }
//!
//!     fn members(&self) -> Vec<RawMember> {
//!         let raw = self.0.members().into_iter().map(|member| {
//!             let invitations = self.0.invitations(&member.id);
//!             RawMember::new(member.id, member.attributes)
//!                 .with_active(member.active)
//!                 .with_invitations(invitations)
//!         });
//!         raw.collect()
//!     }
//!
//!     fn writes(&self) -> u64 {
//!         self.0.writes()
//!     }
//! }
//!
//! async fn platform() -> TargetHarness {
//!     let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
//!     TargetHarness::new(Platform(MockTarget::new(clock.clone())), clock)
//!         .skipping(&[
//!             ("a_wrong_token_is_unauthorized", "the mock has no tokens"),
//!             ("who_take_over_each_others_values_go_by_way_of_temporary_ones", "none are allowed here"),
//!         ])
//! }
//!
//! hris_testkit::target_conformance!(a_platform, platform);
//! ```
//!
//! The second argument is a function (or a closure) that makes a harness with an empty platform, and may await. The
//! suite needs nothing of the platform's data but a few invented people, whose addresses end in `@brisa.example`.
//!
//! # Skips
//!
//! A behaviour that needs what a harness does not offer ([`TestPlatform`] returns `None` or `false`), what the
//! capabilities exclude, or what the target answers with [`hris_core::ErrorKind::Unsupported`], does not run. It must
//! then stand in the harness's list of skips, with its reason; and what stands in the list must not be able to run.
//!
//! # Failures
//!
//! A message says what the target has to do. Values in it belong to people who do not exist.
#![expect(clippy::missing_panics_doc, reason = "a behaviour that does not hold panics: that is the report")]

pub mod access;
pub mod batches;
pub mod create;
pub mod doubt;
pub mod find;
pub mod leave;
pub mod privacy;
pub mod roster;
pub mod update;

mod harness;
mod script;
mod stage;

pub use crate::suite::{NotOffered, Ran};
pub use harness::{Planted, PlatformFault, RawMember, SkipReason, TargetCase, TargetHarness, TestPlatform};
pub use stage::{TargetStage, check, check_skips};

/// Expands to a module of `#[test]` functions, one per behaviour. See [`crate::target_suite`].
#[macro_export]
macro_rules! target_conformance {
    ($name:ident, $setup:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the set-up may need nothing of the file")]
            use super::*;

            $crate::target_behaviours! { $setup;
                access::nothing_is_sent_before_the_first_poll,
                access::a_wrong_token_is_unauthorized,
                access::a_read_only_token_reads_and_is_told_apart_when_it_is_to_write,
                find::nobody_is_no_error,
                find::a_created_member_is_found_by_each_key,
                find::what_was_written_is_read_back_alike,
                find::employee_ids_are_matched_exactly_as_written,
                find::addresses_are_matched_in_any_case,
                find::closed_members_are_found_as_closed,
                find::everybody_who_matches_is_delivered,
                find::a_query_is_never_read_as_an_expression,
                find::a_look_up_that_fails_is_an_error_and_never_empty,
                find::what_is_done_by_hand_is_seen,
                create::creating_twice_never_doubles,
                create::invitations_are_sent_as_declared_and_only_on_create,
                create::somebody_elses_address_is_a_conflict,
                create::somebody_elses_employee_id_is_a_conflict,
                create::two_accounts_with_one_employee_id_are_a_conflict_and_never_a_pick,
                update::only_the_given_attributes_are_changed,
                update::what_is_to_be_cleared_is_cleared,
                update::what_the_target_does_not_know_is_kept,
                update::an_edit_by_hand_stays_unless_it_is_overwritten,
                update::what_is_already_so_is_not_written,
                update::a_changed_address_is_the_same_member,
                update::a_changed_employee_id_is_the_same_member,
                update::taking_over_somebody_elses_address_is_a_conflict,
                update::who_take_over_each_others_values_go_by_way_of_temporary_ones,
                update::an_action_about_a_member_who_is_gone_creates_nobody,
                leave::a_leaver_is_closed_and_never_deleted,
                leave::leaving_twice_writes_once,
                leave::a_returner_is_the_same_member,
                leave::an_account_that_was_there_is_put_right_and_opened,
                leave::the_close_down_lasts_as_long_as_declared,
                batches::there_is_one_outcome_for_each_action_in_their_order,
                batches::no_action_is_written_more_than_once,
                batches::a_call_as_large_as_declared_is_carried_out,
                batches::a_bad_record_harms_no_other,
                batches::a_record_that_the_platform_refuses_harms_no_other,
                batches::a_slow_down_in_the_middle_loses_and_doubles_nobody,
                batches::an_outage_in_the_middle_loses_and_doubles_nobody,
                batches::as_many_calls_as_declared_may_be_under_way,
                doubt::a_write_that_is_stored_and_answered_with_a_failure_is_in_doubt,
                doubt::a_write_that_is_stored_and_never_answered_is_in_doubt,
                doubt::a_write_that_is_answered_and_not_stored_is_found_missing_by_reading,
                doubt::a_dropped_call_doubles_nobody_and_blocks_nothing,
                roster::there_is_a_roster_as_declared,
                roster::the_roster_lists_everybody_exactly_once,
                roster::a_roster_that_breaks_off_ends_with_an_error,
                privacy::nothing_shown_has_a_secret_or_a_members_data,
                privacy::nothing_traced_has_a_secret_or_a_members_data,
            }
        }
    };
}

/// Some behaviours of the suite by name, where a platform is too odd for all of them: one `#[test]` for each, and one of
/// the list of skips. Use [`target_conformance!`](crate::target_conformance) wherever you can, since it lists what is
/// left out.
#[macro_export]
macro_rules! target_behaviours {
    ($setup:expr; $($module:ident :: $behaviour:ident,)+) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::target_suite::check(
                    stringify!($behaviour),
                    &$crate::target_suite::TargetStage::new($setup),
                    $crate::target_suite::$module::$behaviour,
                );
            }
        )+

        #[test]
        fn the_list_of_skips_names_behaviours_and_reasons() {
            let stage = $crate::target_suite::TargetStage::new($setup);
            $crate::target_suite::check_skips(&stage, &[$(stringify!($behaviour)),+]);
        }
    };
}

#[cfg(test)]
mod tests {
    /// A behaviour that is written but not in the macro would never run.
    #[test]
    fn every_behaviour_is_in_the_macro() {
        let listed = include_str!("mod.rs");
        let modules = [
            ("access", include_str!("access.rs")),
            ("batches", include_str!("batches.rs")),
            ("create", include_str!("create.rs")),
            ("doubt", include_str!("doubt.rs")),
            ("find", include_str!("find.rs")),
            ("leave", include_str!("leave.rs")),
            ("privacy", include_str!("privacy.rs")),
            ("roster", include_str!("roster.rs")),
            ("update", include_str!("update.rs")),
        ];
        for (module, source) in modules {
            let names = source.split("pub async fn ").skip(1);
            for name in names.filter_map(|rest| rest.split_once('(').map(|(name, _)| name)) {
                assert!(listed.contains(&format!("{module}::{name},")), "add {module}::{name} to the macro");
            }
        }
    }
}
