//! The suite finds targets that break their promises: each flaw here fails a behaviour named for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hris_testkit::target_suite::{
    NotOffered, Ran, TargetStage, access, batches, check, create, doubt, find, leave, privacy, roster, update,
};

use crate::club::{Flaw, harness};

/// A behaviour by its name, ready to be run against a stage.
struct Behaviour {
    name: &'static str,
    run: fn(&str, &TargetStage),
}

macro_rules! behaviour {
    ($module:ident :: $behaviour:ident) => {
        Behaviour { name: stringify!($behaviour), run: |name, stage| check(name, stage, $module::$behaviour) }
    };
}

/// What the suite says about a flawed target; `None` if it finds nothing.
fn verdict(flaw: Flaw, behaviour: &Behaviour) -> Option<String> {
    let stage = TargetStage::new(move || async move { harness(flaw) });
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
fn flaws_in_dealing_with_tokens_are_found() {
    let read_only = || behaviour!(access::a_read_only_token_reads_and_is_told_apart_when_it_is_to_write);
    found(&[
        (Flaw::SendsWhenBuilt, behaviour!(access::nothing_is_sent_before_the_first_poll)),
        (Flaw::TakesRefusalsForOutages, behaviour!(access::a_wrong_token_is_unauthorized)),
        (Flaw::TakesRefusalsForNobody, behaviour!(access::a_wrong_token_is_unauthorized)),
        (Flaw::TakesForbiddenForDone, read_only()),
        (
            Flaw::TakesForbiddenForOutages,
            behaviour!(access::a_read_only_token_reads_and_is_told_apart_when_it_is_to_write),
        ),
    ]);
}

#[test]
fn flaws_in_looking_up_are_found() {
    found(&[
        (Flaw::FindsAnybody, behaviour!(find::nobody_is_no_error)),
        (Flaw::FailsForNobody, behaviour!(find::nobody_is_no_error)),
        (Flaw::FindsByIdOnly, behaviour!(find::a_created_member_is_found_by_each_key)),
        (Flaw::DeliversTexts, behaviour!(find::what_was_written_is_read_back_alike)),
        (Flaw::TakesIdsForNumbers, behaviour!(find::employee_ids_are_matched_exactly_as_written)),
        (Flaw::MindsCase, behaviour!(find::addresses_are_matched_in_any_case)),
        (Flaw::HidesClosed, behaviour!(find::closed_members_are_found_as_closed)),
        (Flaw::PicksOne, behaviour!(find::everybody_who_matches_is_delivered)),
        (Flaw::ReadsExpressions, behaviour!(find::a_query_is_never_read_as_an_expression)),
        (Flaw::TakesFailuresForNobody, behaviour!(find::a_look_up_that_fails_is_an_error_and_never_empty)),
        (Flaw::RemembersFinds, behaviour!(find::what_is_done_by_hand_is_seen)),
    ]);
}

#[test]
fn flaws_in_creating_are_found() {
    found(&[
        (Flaw::DoublesOnConflict, behaviour!(create::creating_twice_never_doubles)),
        (Flaw::InvitesEverybody, behaviour!(create::invitations_are_sent_as_declared_and_only_on_create)),
        (Flaw::InvitesUpdates, behaviour!(create::invitations_are_sent_as_declared_and_only_on_create)),
        (Flaw::DoublesOnConflict, behaviour!(create::somebody_elses_address_is_a_conflict)),
        (Flaw::AdoptsOnConflict, behaviour!(create::somebody_elses_employee_id_is_a_conflict)),
        (
            Flaw::AdoptsOnConflict,
            behaviour!(create::two_accounts_with_one_employee_id_are_a_conflict_and_never_a_pick),
        ),
    ]);
}

#[test]
fn flaws_in_updating_are_found() {
    found(&[
        (Flaw::ReplacesAttributes, behaviour!(update::only_the_given_attributes_are_changed)),
        (Flaw::ClearsNothing, behaviour!(update::what_is_to_be_cleared_is_cleared)),
        (Flaw::ReplacesAttributes, behaviour!(update::what_the_target_does_not_know_is_kept)),
        (Flaw::DropsTheUnknown, behaviour!(update::what_the_target_does_not_know_is_kept)),
        (Flaw::OverwritesEdits, behaviour!(update::an_edit_by_hand_stays_unless_it_is_overwritten)),
        (Flaw::AlwaysWrites, behaviour!(update::what_is_already_so_is_not_written)),
        (Flaw::RecreatesForAddresses, behaviour!(update::a_changed_address_is_the_same_member)),
        (Flaw::RecreatesForKeys, behaviour!(update::a_changed_employee_id_is_the_same_member)),
        (Flaw::IgnoresClashes, behaviour!(update::taking_over_somebody_elses_address_is_a_conflict)),
        (
            Flaw::TakesParkingForDone,
            behaviour!(update::who_take_over_each_others_values_go_by_way_of_temporary_ones),
        ),
        (Flaw::RecreatesTheGone, behaviour!(update::an_action_about_a_member_who_is_gone_creates_nobody)),
    ]);
}

#[test]
fn flaws_in_leaving_and_returning_are_found() {
    found(&[
        (Flaw::DeletesLeavers, behaviour!(leave::a_leaver_is_closed_and_never_deleted)),
        (Flaw::AlwaysWrites, behaviour!(leave::leaving_twice_writes_once)),
        (Flaw::ClosesAgain, behaviour!(leave::leaving_twice_writes_once)),
        (Flaw::ReturnsAnew, behaviour!(leave::a_returner_is_the_same_member)),
        (Flaw::WritesTwice, behaviour!(leave::a_returner_is_the_same_member)),
        (Flaw::LeavesAdoptedClosed, behaviour!(leave::an_account_that_was_there_is_put_right_and_opened)),
        (Flaw::DeclaresFewerDays, behaviour!(leave::the_close_down_lasts_as_long_as_declared)),
    ]);
}

#[test]
fn flaws_in_dealing_with_several_actions_are_found() {
    found(&[
        (Flaw::ReversesOutcomes, behaviour!(batches::there_is_one_outcome_for_each_action_in_their_order)),
        (Flaw::LosesOutcomes, behaviour!(batches::there_is_one_outcome_for_each_action_in_their_order)),
        (Flaw::WritesTwice, behaviour!(batches::no_action_is_written_more_than_once)),
        (Flaw::CarriesOutTen, behaviour!(batches::a_call_as_large_as_declared_is_carried_out)),
        (Flaw::FailsTogether, behaviour!(batches::a_bad_record_harms_no_other)),
        (Flaw::FailsTogether, behaviour!(batches::a_record_that_the_platform_refuses_harms_no_other)),
        (Flaw::BlamesRecords, behaviour!(batches::a_slow_down_in_the_middle_loses_and_doubles_nobody)),
        (Flaw::TakesTroubleForDone, behaviour!(batches::a_slow_down_in_the_middle_loses_and_doubles_nobody)),
        (Flaw::BlamesRecords, behaviour!(batches::an_outage_in_the_middle_loses_and_doubles_nobody)),
        (Flaw::TakesTroubleForDone, behaviour!(batches::an_outage_in_the_middle_loses_and_doubles_nobody)),
        (Flaw::TakesOneCall, behaviour!(batches::as_many_calls_as_declared_may_be_under_way)),
    ]);
}

#[test]
fn flaws_in_dealing_with_doubt_are_found() {
    let failure = || behaviour!(doubt::a_write_that_is_stored_and_answered_with_a_failure_is_in_doubt);
    found(&[
        (Flaw::TakesDoubtForRefusal, failure()),
        (Flaw::RepeatsDoubt, failure()),
        (
            Flaw::TakesSilenceForSuccess,
            behaviour!(doubt::a_write_that_is_stored_and_never_answered_is_in_doubt),
        ),
        (
            Flaw::RemembersWrites,
            behaviour!(doubt::a_write_that_is_answered_and_not_stored_is_found_missing_by_reading),
        ),
        (Flaw::DoublesOnConflict, behaviour!(doubt::a_dropped_call_doubles_nobody_and_blocks_nothing)),
        (Flaw::TakesOneCall, behaviour!(doubt::a_dropped_call_doubles_nobody_and_blocks_nothing)),
    ]);
}

#[test]
fn flaws_in_listing_are_found() {
    found(&[
        (Flaw::DeclaresNoRoster, behaviour!(roster::there_is_a_roster_as_declared)),
        (Flaw::LosesTheLastPage, behaviour!(roster::the_roster_lists_everybody_exactly_once)),
        (Flaw::RepeatsTheFirstPage, behaviour!(roster::the_roster_lists_everybody_exactly_once)),
        (Flaw::TakesFailuresForEnds, behaviour!(roster::a_roster_that_breaks_off_ends_with_an_error)),
    ]);
}

#[test]
fn what_is_shown_and_ought_not_to_be_is_found() {
    found(&[
        (Flaw::ShowsItsToken, behaviour!(privacy::nothing_shown_has_a_secret_or_a_members_data)),
        (Flaw::QuotesValues, behaviour!(privacy::nothing_shown_has_a_secret_or_a_members_data)),
        (Flaw::TracesAddresses, behaviour!(privacy::nothing_traced_has_a_secret_or_a_members_data)),
    ]);
}

/// The behaviours of the macro, such as `leave::leaving_twice_writes_once`.
fn behaviours() -> Vec<&'static str> {
    let suite = include_str!("../../src/target_suite/mod.rs");
    let listed = suite.split("target_behaviours! { $setup;").nth(1).unwrap();
    let listed = listed.lines().map(str::trim).take_while(|line| *line != "}");
    listed.filter_map(|line| line.strip_suffix(',')).collect()
}

/// A behaviour that no flaw fails may be one that cannot fail.
#[test]
fn every_behaviour_finds_a_flaw() {
    let here = include_str!("flawed.rs");
    assert!(behaviours().len() > 45);
    for behaviour in behaviours() {
        let tried = here.contains(&format!("behaviour!({behaviour})"));
        assert!(tried, "give the Club a flaw that {behaviour} finds");
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
        (Flaw::MindsCase, behaviour!(find::employee_ids_are_matched_exactly_as_written)),
        (Flaw::DeletesLeavers, behaviour!(update::only_the_given_attributes_are_changed)),
        (Flaw::TracesAddresses, behaviour!(privacy::nothing_shown_has_a_secret_or_a_members_data)),
        (Flaw::DoublesOnConflict, behaviour!(leave::a_returner_is_the_same_member)),
        (Flaw::LosesTheLastPage, behaviour!(roster::there_is_a_roster_as_declared)),
    ] {
        assert_eq!(verdict(flaw, &behaviour), None, "{flaw:?}");
    }
}

#[test]
fn a_message_says_what_the_target_has_to_do() {
    let said = verdict(Flaw::HidesClosed, &behaviour!(find::closed_members_are_found_as_closed));
    assert!(said.unwrap().contains("find closed accounts as well"));
    let said = verdict(Flaw::DeletesLeavers, &behaviour!(leave::a_leaver_is_closed_and_never_deleted));
    assert!(said.unwrap().starts_with("close the account of a leaver, never delete it"));
}

#[test]
fn a_behaviour_that_cannot_run_fails_unless_it_is_listed() {
    async fn nothing(stage: TargetStage) -> Ran {
        drop(stage);
        Err(NotOffered("there is nothing to test"))
    }
    let stage = TargetStage::new(|| async { harness(Flaw::Sound) });
    let ran = catch_unwind(AssertUnwindSafe(|| check("a_behaviour", &stage, nothing)));
    assert!(ran.is_err());
}
