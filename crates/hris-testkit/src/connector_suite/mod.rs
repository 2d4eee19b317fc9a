//! The conformance suite for connectors: one `#[test]` per behaviour that [`hris_core::HrisConnector`] promises.
//!
//! A connector's own test file says how to build the connector, what can be done to the vendor's simulator, and in
//! which words this vendor says what the sample people are, and expands the suite:
//!
//! ```
//! # fn main() {}
//! use std::sync::Arc;
//!
//! use hris_core::{Capabilities, Error, ErrorKind, HrisConnector, Result};
//! use hris_testkit::connector_suite::{Case, ConnectorHarness, TestVendor, employee_of};
//! use hris_testkit::population::Population;
//! use hris_testkit::{ManualClock, MockConnector};
//!
//! /// The vendor: here the mock itself, which needs no simulator.
//! struct Directory(MockConnector);
//!
//! impl TestVendor for Directory {
//!     fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
//!         match case {
//!             Case::Good => Some(Ok(Arc::new(self.0.clone()))),
//!             _ => None, // nothing else can be built: those behaviours stand in the list of skips
//!         }
//!     }
//! }
//!
//! async fn directory(people: Population) -> ConnectorHarness {
//!     let employees = people.listed().map(employee_of);
//!     let mock = MockConnector::new(employees).with_capabilities(Capabilities::default());
//!     let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
//!     ConnectorHarness::new(Directory(mock), people, clock)
//!         .with_account("mock-account")
//!         .skipping(&[("many_tasks_share_one_token", "nobody asks for a token")])
//! }
//!
//! hris_testkit::connector_conformance!(a_directory, directory);
//! ```
//!
//! The second argument is a function (or a closure) from a population to a harness, and may await. Each behaviour
//! brings the people that it needs; a harness may serve others, and then says so in [`ConnectorHarness::new`].
//!
//! # Skips
//!
//! A behaviour that needs what a harness does not offer ([`TestVendor`] returns `None` or `false`), or what a
//! connector's capabilities exclude, does not run. It must then stand in the harness's list of skips, with its reason;
//! and what stands in the list must not be able to run. So no exception is silent, and none outlives its reason.
//!
//! # Failures
//!
//! A message says what the connector has to do. Values in it belong to people who do not exist.
#![expect(clippy::missing_panics_doc, reason = "a behaviour that does not hold panics: that is the report")]

pub mod access;
pub mod privacy;
pub mod queries;
pub mod receipts;
pub mod rows;
pub mod streams;
pub mod transport;

mod harness;
mod people;
mod reading;
mod stage;
mod truth;

pub use harness::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor, with_json};
pub use stage::{NotOffered, Ran, Stage, check, check_skips};
pub use truth::employee_of;

/// Expands to a module of `#[test]` functions, one per behaviour. See [`crate::connector_suite`].
#[macro_export]
macro_rules! connector_conformance {
    ($name:ident, $setup:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the set-up may need nothing of the file")]
            use super::*;

            $crate::connector_behaviours! { $setup;
                access::a_good_credential_opens_its_account,
                access::a_refused_credential_is_unauthorized_and_not_tried_again,
                access::a_missing_permission_is_no_empty_directory,
                access::a_credential_revoked_in_mid_reading_ends_it,
                access::a_credential_of_another_company_is_refused,
                access::a_bad_configuration_is_refused_before_anything_is_sent,
                access::many_tasks_share_one_token,
                access::an_expired_token_is_renewed_once,
                streams::building_a_connector_sends_nothing,
                streams::nothing_is_sent_before_the_first_poll,
                streams::a_dropped_reading_asks_for_nothing_more,
                streams::a_failure_in_mid_reading_is_the_last_event,
                streams::an_empty_directory_ends_as_such,
                streams::pages_of_one_row_change_nothing,
                streams::an_empty_page_in_the_middle_is_not_the_end,
                streams::a_listing_that_loops_is_an_error,
                rows::everybody_listed_is_delivered_or_rejected,
                rows::a_bad_row_hides_nobody_else,
                rows::statuses_are_told_apart_and_unknown_words_make_nobody_leave,
                rows::texts_arrive_byte_for_byte,
                rows::dates_do_not_shift,
                rows::missing_null_and_empty_fields_are_told_apart,
                rows::only_fields_that_were_asked_for_arrive,
                rows::what_is_offered_is_delivered_and_nothing_else,
                rows::unknown_keys_change_nothing,
                receipts::absence_is_proven_only_as_declared,
                receipts::a_total_that_does_not_fit_proves_nobodys_absence,
                receipts::leavers_are_delivered_as_declared,
                receipts::modification_stamps_are_delivered_as_declared,
                receipts::deleted_records_are_reported_as_declared,
                queries::single_people_are_read_as_declared,
                queries::some_people_are_read_as_declared,
                queries::changes_since_a_watermark_are_read_as_declared,
                queries::a_deleted_person_is_not_found,
                transport::a_slow_down_is_waited_for_as_long_as_it_says,
                transport::a_slow_down_without_a_time_is_backed_off_from,
                transport::a_wait_beyond_the_time_allowed_is_not_begun,
                transport::a_failure_of_the_server_is_tried_again,
                transport::a_request_that_is_found_wrong_is_not_tried_again,
                transport::an_attempt_without_an_answer_is_given_up_and_repeated,
                transport::a_vendor_that_never_answers_is_given_up_in_the_end,
                transport::a_refused_connection_was_not_sent,
                transport::an_answer_of_another_form_is_no_empty_directory,
                transport::broken_json_is_named_by_its_place_without_values,
                transport::a_listing_that_ends_between_two_rows_is_no_shorter_directory,
                transport::a_body_that_is_cut_is_no_shorter_directory,
                transport::a_redirect_is_not_followed,
                privacy::nothing_shown_holds_a_secret_or_somebodys_data,
                privacy::nothing_traced_holds_a_secret_or_somebodys_data,
            }
        }
    };
}

/// One `#[test]` per behaviour, and one of the list of skips.
#[doc(hidden)]
#[macro_export]
macro_rules! connector_behaviours {
    ($setup:expr; $($module:ident :: $behaviour:ident,)+) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::connector_suite::check(
                    stringify!($behaviour),
                    &$crate::connector_suite::Stage::new($setup),
                    $crate::connector_suite::$module::$behaviour,
                );
            }
        )+

        #[test]
        fn the_list_of_skips_names_behaviours_and_reasons() {
            let stage = $crate::connector_suite::Stage::new($setup);
            $crate::connector_suite::check_skips(&stage, &[$(stringify!($behaviour)),+]);
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
            ("privacy", include_str!("privacy.rs")),
            ("queries", include_str!("queries.rs")),
            ("receipts", include_str!("receipts.rs")),
            ("rows", include_str!("rows.rs")),
            ("streams", include_str!("streams.rs")),
            ("transport", include_str!("transport.rs")),
        ];
        for (module, source) in modules {
            let names = source.split("pub async fn ").skip(1);
            for name in names.filter_map(|rest| rest.split_once('(').map(|(name, _)| name)) {
                assert!(listed.contains(&format!("{module}::{name},")), "add {module}::{name} to the macro");
            }
        }
    }
}
