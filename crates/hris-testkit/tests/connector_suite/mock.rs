//! The mock connector keeps every promise of a connector, with all its capabilities and with none.

use std::sync::Arc;

use hris_core::{Capabilities, Employee, Error, ErrorKind, HrisConnector, RecordId, RejectedRecord, Result};
use hris_testkit::connector_suite::{Case, ConnectorHarness, SkipReason, Spoil, TestVendor, employee_of};
use hris_testkit::population::Population;
use hris_testkit::{Ending, ManualClock, MockConnector};

/// A directory whose connector is the mock itself.
struct Directory(MockConnector);

fn sound(people: &Population) -> Vec<Employee> {
    people.listed().filter(|person| person.malformed.is_none()).map(employee_of).collect()
}

fn rejected(people: &Population) -> Vec<RejectedRecord> {
    let broken = people.listed().filter_map(|person| Some((person, person.malformed?)));
    let row = broken.map(|(person, malformed)| {
        let record = (!malformed.hides_record_id()).then(|| person.record_id.as_str().into());
        RejectedRecord::unreadable(record, "the row is broken")
    });
    row.collect()
}

fn vanished(people: &Population) -> Vec<RecordId> {
    let gone = people.people().iter().filter(|person| !person.is_listed());
    gone.map(|person| person.record_id.as_str().into()).collect()
}

/// A connector with which every call fails alike.
fn failing(kind: ErrorKind) -> MockConnector {
    let error = move || Error::new(kind, "refused").with_hint("ask for another credential");
    MockConnector::new([]).with_check(move || Err(error())).fail_after(0, error)
}

impl TestVendor for Directory {
    fn connector(&self, case: Case<'_>) -> Option<Result<Arc<dyn HrisConnector>>> {
        let connector = match case {
            Case::Good => self.0.clone(),
            Case::PageSize(rows) => self.0.clone().with_page_size(rows as usize),
            Case::RefusedCredential => failing(ErrorKind::Unauthorized),
            Case::MissingPermission => failing(ErrorKind::Forbidden),
            Case::OtherAccount => failing(ErrorKind::WrongAccount),
            _ => return None,
        };
        Some(Ok(Arc::new(connector)))
    }

    fn asked(&self) -> usize {
        self.listings() + self.0.lookups().len()
    }

    fn listings(&self) -> usize {
        usize::try_from(self.0.rows_delivered()).unwrap()
    }

    fn spoil(&self, spoil: Spoil) -> bool {
        match spoil {
            Spoil::People(people) => {
                self.0.set_people(sound(&people));
                self.0.set_rejected(rejected(&people));
                self.0.set_deleted(vanished(&people));
            }
            Spoil::ListingFails { after } => {
                let down = || Error::new(ErrorKind::Unavailable, "the page cannot be had");
                self.0.set_ending(Ending::failing_after(after * 5, down));
            }
            _ => return false,
        }
        true
    }
}

fn harness(mock: MockConnector, people: Population) -> ConnectorHarness {
    let mock = mock.with_rejected(rejected(&people)).with_deleted(vanished(&people));
    let clock = ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP);
    ConnectorHarness::new(Directory(mock), people, clock).with_account("mock-account").skipping(NO_HTTP)
}

async fn with_everything(people: Population) -> ConnectorHarness {
    harness(MockConnector::new(sound(&people)), people)
}

async fn with_nothing(people: Population) -> ConnectorHarness {
    let mock = MockConnector::new(sound(&people)).with_capabilities(Capabilities::default());
    harness(mock, people).skipping(&[("a_deleted_person_is_not_found", "it reads no single people")])
}

const HTTP: &str = "a mock speaks no HTTP";

/// A mock does what its script says rather than what a vendor answers.
const NO_HTTP: &[SkipReason] = &[
    ("a_bad_configuration_is_refused_before_anything_is_sent", "a mock has no configuration"),
    ("a_body_that_is_cut_is_no_shorter_directory", HTTP),
    ("a_credential_revoked_in_mid_reading_ends_it", "a reading under way keeps to the script it began with"),
    ("a_failure_of_the_server_is_tried_again", HTTP),
    ("a_listing_that_ends_between_two_rows_is_no_shorter_directory", HTTP),
    ("a_listing_that_loops_is_an_error", "its pages have no cursors"),
    ("a_redirect_is_not_followed", HTTP),
    ("a_refused_connection_was_not_sent", HTTP),
    ("a_request_that_is_found_wrong_is_not_tried_again", HTTP),
    ("a_slow_down_is_waited_for_as_long_as_it_says", HTTP),
    ("a_slow_down_without_a_time_is_backed_off_from", HTTP),
    ("a_total_that_does_not_fit_proves_nobodys_absence", "nobody tells it a total"),
    ("a_vendor_that_never_answers_is_given_up_in_the_end", HTTP),
    ("a_wait_beyond_the_time_allowed_is_not_begun", HTTP),
    ("an_answer_of_another_form_is_no_empty_directory", HTTP),
    ("an_attempt_without_an_answer_is_given_up_and_repeated", HTTP),
    ("an_empty_page_in_the_middle_is_not_the_end", "it leaves pages without rows out"),
    ("an_expired_token_is_renewed_once", HTTP),
    ("broken_json_is_named_by_its_place_without_values", HTTP),
    ("many_tasks_share_one_token", HTTP),
    ("unknown_keys_change_nothing", HTTP),
];

hris_testkit::connector_conformance!(mock_with_everything, with_everything);
hris_testkit::connector_conformance!(mock_with_nothing, with_nothing);
