//! The suite finds connectors that break their promises: each flaw here fails a behaviour named for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hris_testkit::connector_suite::{
    ConnectorHarness, NotOffered, Ran, Stage, access, check, privacy, queries, receipts, rows, streams,
    transport,
};

use crate::acme::{Flaw, harness};

/// A behaviour by its name, ready to be run against a stage.
struct Behaviour {
    name: &'static str,
    run: fn(&str, &Stage),
}

macro_rules! behaviour {
    ($module:ident :: $behaviour:ident) => {
        Behaviour { name: stringify!($behaviour), run: |name, stage| check(name, stage, $module::$behaviour) }
    };
}

/// What the suite says about a flawed connector; `None` if it finds nothing.
fn verdict(flaw: Flaw, behaviour: &Behaviour) -> Option<String> {
    verdict_with(flaw, behaviour, |harness| harness)
}

fn verdict_with(
    flaw: Flaw,
    behaviour: &Behaviour,
    declared: fn(ConnectorHarness) -> ConnectorHarness,
) -> Option<String> {
    let stage = Stage::new(move |people| async move { declared(harness(flaw, people).await) });
    let ran = catch_unwind(AssertUnwindSafe(|| (behaviour.run)(behaviour.name, &stage)));
    let panic = ran.err()?;
    let said = panic.downcast_ref::<String>().cloned();
    Some(said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned())).unwrap_or_default())
}

fn found(flaws: &[(Flaw, Behaviour)]) {
    for (flaw, behaviour) in flaws {
        let said = verdict(*flaw, behaviour);
        assert!(said.is_some(), "{flaw:?} goes unnoticed by {}", behaviour.name);
    }
}

#[test]
fn flaws_in_dealing_with_credentials_are_found() {
    found(&[
        (Flaw::MisnamesTheAccount, behaviour!(access::a_good_credential_opens_its_account)),
        (
            Flaw::TakesRefusalsForOutages,
            behaviour!(access::a_refused_credential_is_unauthorized_and_not_tried_again),
        ),
        (Flaw::TakesRefusalsForOutages, behaviour!(access::a_credential_revoked_in_mid_reading_ends_it)),
        (Flaw::TakesForbiddenForEmpty, behaviour!(access::a_missing_permission_is_no_empty_directory)),
        (Flaw::IgnoresTheCompany, behaviour!(access::a_credential_of_another_company_is_refused)),
        (Flaw::BuildsAnything, behaviour!(access::a_bad_configuration_is_refused_before_anything_is_sent)),
        (Flaw::SharesNoToken, behaviour!(access::many_tasks_share_one_token)),
        (Flaw::RenewsNoToken, behaviour!(access::an_expired_token_is_renewed_once)),
    ]);
}

#[test]
fn flaws_in_the_stream_of_events_are_found() {
    found(&[
        (Flaw::SendsWhenBuilt, behaviour!(streams::building_a_connector_sends_nothing)),
        (Flaw::ReadsEagerly, behaviour!(streams::nothing_is_sent_before_the_first_poll)),
        (Flaw::ReadsOnWhenDropped, behaviour!(streams::a_dropped_reading_asks_for_nothing_more)),
        (Flaw::TakesFailuresForEnds, behaviour!(streams::a_failure_in_mid_reading_is_the_last_event)),
        (Flaw::EndsTwice, behaviour!(streams::a_failure_in_mid_reading_is_the_last_event)),
        (Flaw::StopsInSilence, behaviour!(streams::a_failure_in_mid_reading_is_the_last_event)),
        (Flaw::EndsTwice, behaviour!(streams::an_empty_directory_ends_as_such)),
        (Flaw::LosesTheFirstPage, behaviour!(streams::pages_of_one_row_change_nothing)),
        (Flaw::StopsAtEmptyPages, behaviour!(streams::an_empty_page_in_the_middle_is_not_the_end)),
        (Flaw::FollowsLoops, behaviour!(streams::a_listing_that_loops_is_an_error)),
    ]);
}

#[test]
fn flaws_in_reading_rows_are_found() {
    found(&[
        (Flaw::LosesTheLastPage, behaviour!(rows::everybody_listed_is_delivered_or_rejected)),
        (Flaw::LosesTheFirstPage, behaviour!(rows::everybody_listed_is_delivered_or_rejected)),
        (Flaw::CountsSomebodyTwice, behaviour!(rows::everybody_listed_is_delivered_or_rejected)),
        (Flaw::DropsBrokenRows, behaviour!(rows::a_bad_row_hides_nobody_else)),
        (Flaw::DropsPagesWithBrokenRows, behaviour!(rows::a_bad_row_hides_nobody_else)),
        (Flaw::ClearsWhatIsUnreadable, behaviour!(rows::a_bad_row_hides_nobody_else)),
        (
            Flaw::TakesUnknownForLeft,
            behaviour!(rows::statuses_are_told_apart_and_unknown_words_make_nobody_leave),
        ),
        (
            Flaw::ForgetsWhoIsAway,
            behaviour!(rows::statuses_are_told_apart_and_unknown_words_make_nobody_leave),
        ),
        (Flaw::FoldsTexts, behaviour!(rows::texts_arrive_byte_for_byte)),
        (Flaw::TakesIdsForNumbers, behaviour!(rows::texts_arrive_byte_for_byte)),
        (Flaw::ShiftsDates, behaviour!(rows::dates_do_not_shift)),
        (Flaw::ClearsWhatIsMissing, behaviour!(rows::missing_null_and_empty_fields_are_told_apart)),
        (Flaw::DeliversEverything, behaviour!(rows::only_fields_that_were_asked_for_arrive)),
        (Flaw::OffersTooMuch, behaviour!(rows::what_is_offered_is_delivered_and_nothing_else)),
        (Flaw::RefusesUnknownKeys, behaviour!(rows::unknown_keys_change_nothing)),
    ]);
}

#[test]
fn flaws_in_receipts_and_capabilities_are_found() {
    found(&[
        (Flaw::ProvesNothing, behaviour!(receipts::absence_is_proven_only_as_declared)),
        (Flaw::BelievesAnyTotal, behaviour!(receipts::a_total_that_does_not_fit_proves_nobodys_absence)),
        (Flaw::HidesLeavers, behaviour!(receipts::leavers_are_delivered_as_declared)),
        (Flaw::ForgetsStamps, behaviour!(receipts::modification_stamps_are_delivered_as_declared)),
        (Flaw::ForgetsDeletions, behaviour!(receipts::deleted_records_are_reported_as_declared)),
        (Flaw::DeclaresNoDeletions, behaviour!(receipts::deleted_records_are_reported_as_declared)),
        (Flaw::DeliversDeletions, behaviour!(receipts::deleted_records_are_reported_as_declared)),
    ]);
}

#[test]
fn flaws_in_answering_narrower_questions_are_found() {
    found(&[
        (Flaw::FindsAnybody, behaviour!(queries::single_people_are_read_as_declared)),
        (Flaw::FailsForStrangers, behaviour!(queries::single_people_are_read_as_declared)),
        (Flaw::FindsAnybody, behaviour!(queries::a_deleted_person_is_not_found)),
        (Flaw::TakesSomeForAll, behaviour!(queries::some_people_are_read_as_declared)),
        (Flaw::IgnoresWatermarks, behaviour!(queries::changes_since_a_watermark_are_read_as_declared)),
        (Flaw::SkipsChanges, behaviour!(queries::changes_since_a_watermark_are_read_as_declared)),
    ]);
}

#[test]
fn flaws_on_the_way_to_the_vendor_and_back_are_found() {
    found(&[
        (Flaw::HalvesWaits, behaviour!(transport::a_slow_down_is_waited_for_as_long_as_it_says)),
        (Flaw::TriesOnce, behaviour!(transport::a_slow_down_without_a_time_is_backed_off_from)),
        (Flaw::WaitsAsLongAsItIsTold, behaviour!(transport::a_wait_beyond_the_time_allowed_is_not_begun)),
        (Flaw::TriesOnce, behaviour!(transport::a_failure_of_the_server_is_tried_again)),
        (Flaw::TriesEverythingAgain, behaviour!(transport::a_request_that_is_found_wrong_is_not_tried_again)),
        (Flaw::HasNoTimeOut, behaviour!(transport::an_attempt_without_an_answer_is_given_up_and_repeated)),
        (Flaw::TriesOnce, behaviour!(transport::an_attempt_without_an_answer_is_given_up_and_repeated)),
        (Flaw::HasNoTimeOut, behaviour!(transport::a_vendor_that_never_answers_is_given_up_in_the_end)),
        (
            Flaw::TakesFailuresForEnds,
            behaviour!(transport::a_vendor_that_never_answers_is_given_up_in_the_end),
        ),
        (Flaw::NeverSaysNotSent, behaviour!(transport::a_refused_connection_was_not_sent)),
        (Flaw::TakesFailuresForEnds, behaviour!(transport::an_answer_of_another_form_is_no_empty_directory)),
        (Flaw::NamesNoPlace, behaviour!(transport::broken_json_is_named_by_its_place_without_values)),
        (
            Flaw::TakesFailuresForEnds,
            behaviour!(transport::a_listing_that_ends_between_two_rows_is_no_shorter_directory),
        ),
        (Flaw::TakesFailuresForEnds, behaviour!(transport::a_body_that_is_cut_is_no_shorter_directory)),
        (Flaw::TriesOnce, behaviour!(transport::a_body_that_is_cut_is_no_shorter_directory)),
        (Flaw::FollowsRedirects, behaviour!(transport::a_redirect_is_not_followed)),
    ]);
}

#[test]
fn what_is_shown_and_ought_not_to_be_is_found() {
    found(&[
        (Flaw::ShowsItsSecret, behaviour!(privacy::nothing_shown_holds_a_secret_or_somebodys_data)),
        (Flaw::QuotesValues, behaviour!(privacy::nothing_shown_holds_a_secret_or_somebodys_data)),
        (Flaw::TracesNames, behaviour!(privacy::nothing_traced_holds_a_secret_or_somebodys_data)),
    ]);
}

/// The behaviours of the macro, such as `rows::dates_do_not_shift`.
fn behaviours() -> Vec<&'static str> {
    let suite = include_str!("../../src/connector_suite/mod.rs");
    let listed = suite.split("connector_behaviours! { $setup;").nth(1).unwrap();
    let listed = listed.lines().map(str::trim).take_while(|line| *line != "}");
    listed.filter_map(|line| line.strip_suffix(',')).collect()
}

/// A behaviour that no flaw fails may be one that cannot fail.
#[test]
fn every_behaviour_finds_a_flaw() {
    let here = include_str!("flawed.rs");
    assert!(behaviours().len() > 40);
    for behaviour in behaviours() {
        let tried = here.contains(&format!("behaviour!({behaviour})"));
        assert!(tried, "give Acme a flaw that {behaviour} finds");
    }
}

#[test]
fn the_page_names_every_behaviour() {
    let page = include_str!("../../../../docs/testing.md");
    for behaviour in behaviours() {
        let name = behaviour.rsplit("::").next().unwrap();
        assert!(page.contains(&format!("`{name}`")), "name {name} in docs/testing.md");
    }
}

#[test]
fn a_flaw_fails_nothing_that_it_does_not_touch() {
    // Otherwise the tests above would pass for a suite that fails whatever it is given.
    for (flaw, behaviour) in [
        (Flaw::ShiftsDates, behaviour!(rows::texts_arrive_byte_for_byte)),
        (Flaw::LosesTheLastPage, behaviour!(transport::a_redirect_is_not_followed)),
        (Flaw::TracesNames, behaviour!(privacy::nothing_shown_holds_a_secret_or_somebodys_data)),
        (Flaw::TriesOnce, behaviour!(access::an_expired_token_is_renewed_once)),
    ] {
        assert_eq!(verdict(flaw, &behaviour), None, "{flaw:?}");
    }
}

#[test]
fn a_listing_in_one_body_is_not_asked_for_again() {
    let behaviour = behaviour!(transport::a_body_that_is_cut_is_no_shorter_directory);
    let verdict = |flaw| verdict_with(flaw, &behaviour, ConnectorHarness::with_one_body);
    assert_eq!(verdict(Flaw::TriesOnce), None);
    assert!(verdict(Flaw::Sound).is_some());
}

#[test]
fn where_emptiness_is_not_trusted_it_proves_nothing() {
    let behaviour = behaviour!(streams::an_empty_directory_ends_as_such);
    let verdict = |flaw| verdict_with(flaw, &behaviour, ConnectorHarness::with_untrusted_emptiness);
    assert_eq!(verdict(Flaw::ProvesNothing), None);
    assert!(verdict(Flaw::Sound).is_some());
}

#[test]
fn a_wait_that_the_clock_does_not_skip_is_let_pass() {
    let behaviour = behaviour!(transport::a_slow_down_without_a_time_is_backed_off_from);
    assert_eq!(verdict(Flaw::WaitsForAMinute, &behaviour), None);
}

#[test]
fn a_message_says_what_to_do_and_about_whom() {
    let said = verdict(Flaw::LosesTheLastPage, &behaviour!(rows::everybody_listed_is_delivered_or_rejected));
    assert!(said.unwrap().starts_with("deliver or reject everybody who is listed; "));
    let said = verdict(Flaw::ShiftsDates, &behaviour!(rows::dates_do_not_shift)).unwrap();
    assert!(said.contains("start_date is \"") && said.contains("in place of"), "{said}");
}

#[test]
fn a_behaviour_that_cannot_run_fails_unless_it_is_listed() {
    async fn nothing(_stage: Stage) -> Ran {
        Err(NotOffered("there is nothing to test"))
    }
    let stage = Stage::new(|people| harness(Flaw::Sound, people));
    let ran = catch_unwind(AssertUnwindSafe(|| check("a_behaviour", &stage, nothing)));
    assert!(ran.is_err());
}
