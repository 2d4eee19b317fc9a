//! Who is listed, how often, and what the receipt makes of it.

use std::collections::BTreeSet;

use hris_core::{EmployeeField, EmploymentStatus, rule};
use hris_sesame::StatusStrategy;
use hris_sesame::sim::SesameSim;
use hris_testkit::population::{Malformation, Person, PersonStatus, Population};
use hris_testkit::run;
use hris_testkit::sim::PageSize;

use crate::setup::{
    EMPLOYEES, Read, build, config, connector, only, plain_population, population, read, row_fields,
};

fn ids(read: &Read) -> BTreeSet<String> {
    read.employees.iter().map(|employee| employee.record.as_str().to_owned()).collect()
}

fn listed(people: &Population) -> BTreeSet<String> {
    let readable = |person: &&Person| person.malformed.is_none_or(|kind| !kind.hides_record_id());
    people.listed().filter(readable).map(|person| person.record_id.clone()).collect()
}

fn statuses(sim: &SesameSim) -> Vec<Option<String>> {
    let requests = sim.requests();
    let listings = requests.iter().filter(|request| request.path() == EMPLOYEES);
    listings.map(|request| request.query("status").map(str::to_owned)).collect()
}

#[test]
fn two_passes_see_everyone_once_inactive_people_included_and_prove_it() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert_eq!(read.employees.len(), 260);
        let inactive = read.employees.iter().filter(|employee| employee.status == EmploymentStatus::Inactive);
        assert_eq!(inactive.count(), people.counts().inactive);
        let receipt = read.receipt();
        assert!(receipt.full && receipt.status.is_usable() && receipt.absence.ground().is_usable());
        assert_eq!((receipt.distinct, receipt.account.as_str()), (260, SesameSim::COMPANY_ID));
        assert_eq!(receipt.record_id_kind.as_str(), "sesame.employee.id");
        assert!(!receipt.tombstones.is_usable() && receipt.watermark.is_none());
        assert!(statuses(&sim).iter().all(Option::is_some), "no listing without a status filter");
    });
}

#[test]
fn progress_is_told_as_soon_as_a_pass_tells_its_length() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.expected, [people.counts().active as u64, 260]);
    });
}

#[test]
fn a_row_without_a_readable_id_is_rejected_and_takes_the_proof_away() {
    run(async {
        let people = population();
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&connector(&sim), row_fields()).await;
        let hidden = |person: &&Person| person.malformed.is_some_and(Malformation::hides_record_id);
        let hidden = people.listed().filter(hidden).count();
        assert!(hidden >= 4);
        assert_eq!(read.rejected.len(), hidden);
        assert!(read.rejected.iter().all(|row| row.record.is_none() && row.rule == rule::RECORD_UNREADABLE));
        assert_eq!(ids(&read), listed(&people), "everybody else was read");
        assert_eq!(read.receipt().distinct, listed(&people).len() as u64);
        assert!(read.absence_refusal().contains("no readable record id"), "{}", read.absence_refusal());
        assert!(read.receipt().status.is_usable());
        assert!(read.receipt().warnings.is_empty(), "the totals fit: {:?}", read.receipt().warnings);
    });
}

#[test]
fn a_repeated_page_makes_the_pass_be_read_once_more() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        sim.repeat_page(2, 1);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert!(read.employees.len() > 260, "the first reading was delivered too");
        assert_eq!(read.receipt().distinct, 260, "people are counted, not rows");
        assert!(read.receipt().absence.ground().is_usable() && read.receipt().warnings.is_empty());
    });
}

#[test]
fn a_page_that_keeps_repeating_is_reported_and_proves_nothing() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        sim.repeat_page(2, 99);
        let read = read(&connector(&sim), row_fields()).await;
        let active = people.counts().active;
        assert_eq!(read.receipt().distinct, 160);
        let refusal = read.absence_refusal();
        assert!(refusal.contains("were seen"), "{refusal}");
        let warnings = &read.receipt().warnings;
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].rule, rule::TOTAL_MISMATCH);
        assert!(warnings[0].message.contains(&format!("counts {active} people in the active listing")));
        let second = sim.requests().iter().filter(|request| request.query("page") == Some("2")).count();
        assert_eq!(second, 2, "the pass was read twice and not more often");
    });
}

#[test]
fn a_list_that_shrinks_while_it_is_read_is_read_once_more_although_the_last_total_fits() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        // Some of them stood on page 1, so that as many others are missed as were counted too much.
        sim.shrink_after_page(1, 30);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(ids(&read).len(), 260, "those who moved up a page were not missed");
        assert!(ids(&read) == listed(&sim.people()));
        assert_eq!(read.receipt().distinct, 260);
        assert!(read.receipt().absence.ground().is_usable(), "{}", read.absence_refusal());
        let left = sim.people();
        let left: Vec<_> =
            left.people().iter().filter(|person| person.status == PersonStatus::Inactive).collect();
        for person in left {
            let last = read.employees.iter().rfind(|row| row.record.as_str() == person.record_id).unwrap();
            assert_eq!(
                last.status,
                EmploymentStatus::Inactive,
                "the last word about who left is that they did"
            );
        }
    });
}

#[test]
fn a_list_that_never_stands_still_is_reported_and_proves_nothing() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        for _ in 0..4 {
            sim.shrink_after_page(1, 10);
        }
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.receipt().warnings[0].rule, rule::TOTAL_MISMATCH);
        assert!(read.absence_refusal().contains("changed while it was read"), "{}", read.absence_refusal());
    });
}

#[test]
fn somebody_who_leaves_between_the_passes_is_one_person_and_a_doubt() {
    run(async {
        let sim = SesameSim::start(plain_population(40)).await;
        sim.shrink_after_page(1, 1);
        let connector = connector(&sim);
        let first = read(&connector, row_fields()).await;
        assert_eq!(first.employees.len(), 41, "the person is in both passes");
        assert_eq!(first.receipt().distinct, 40);
        assert!(first.employees.iter().all(|row| row.modified_at.is_some()), "by which the newer row wins");
        assert!(
            first.absence_refusal().contains("1 people changed their status"),
            "{}",
            first.absence_refusal()
        );
        assert!(first.receipt().warnings.is_empty(), "nothing that anybody would have to look at");
        let next = read(&connector, row_fields()).await;
        assert!(next.receipt().absence.ground().is_usable(), "the next reading is quiet");
    });
}

#[test]
fn a_filter_that_is_ignored_makes_nobody_a_leaver_and_counts_people_once() {
    run(async {
        let people = plain_population(130);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.ignores_status_filter = true);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.employees.len(), 260, "both passes show everyone");
        assert_eq!(read.receipt().distinct, 130);
        assert!(read.receipt().absence.ground().is_usable(), "{}", read.absence_refusal());
        for employee in &read.employees {
            let inactive = people.person(employee.record.as_str()).unwrap().status == PersonStatus::Inactive;
            assert_eq!(employee.status == EmploymentStatus::Inactive, inactive, "the row's own word decides");
        }
    });
}

#[test]
fn a_row_without_a_status_word_has_the_status_of_its_pass() {
    run(async {
        let people = plain_population(130);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.leaves_out_status = true);
        let read = read(&connector(&sim), row_fields()).await;
        for employee in &read.employees {
            let inactive = people.person(employee.record.as_str()).unwrap().status == PersonStatus::Inactive;
            let expected = if inactive { EmploymentStatus::Inactive } else { EmploymentStatus::Active };
            assert_eq!(employee.status, expected);
        }
    });
}

#[test]
fn without_status_words_a_filter_that_is_ignored_makes_nobody_a_leaver() {
    run(async {
        let sim = SesameSim::start(plain_population(130)).await;
        sim.behave(|vendor| {
            vendor.leaves_out_status = true;
            vendor.ignores_status_filter = true;
        });
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.employees.len(), 260);
        assert!(read.employees.iter().all(|employee| employee.status != EmploymentStatus::Inactive));
        let unknown = read.employees.iter().filter(|row| row.status == EmploymentStatus::Unknown(None));
        assert_eq!(unknown.count(), 130, "whoever stood in both passes has no known status");
    });
}

#[test]
fn one_list_for_both_statuses_is_a_choice_that_proves_nothing() {
    run(async {
        let people = plain_population(130);
        let sim = SesameSim::start(people.clone()).await;
        let connector = build(config(sim.url()).with_status_strategy(StatusStrategy::InList));
        let read = read(&connector, row_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert!(read.absence_refusal().contains("does not cover everyone"));
        let inactive = read.employees.iter().filter(|employee| employee.status == EmploymentStatus::Inactive);
        assert_eq!(inactive.count(), people.counts().inactive);
        assert!(sim.requests()[1].query("status[in]") == Some("active,inactive"));
    });
}

#[test]
fn an_empty_company_is_a_proven_empty_directory_whatever_its_last_page_is_called() {
    run(async {
        for last_page_zero in [false, true] {
            let sim = SesameSim::start(plain_population(0)).await;
            sim.behave(|vendor| vendor.last_page_zero = last_page_zero);
            let read = read(&connector(&sim), row_fields()).await;
            assert!(read.employees.is_empty());
            assert_eq!(read.receipt().distinct, 0);
            assert!(read.receipt().absence.ground().is_usable());
            assert_eq!(sim.paths(EMPLOYEES).len(), 2, "one page a pass");
        }
    });
}

#[test]
fn a_server_that_gives_smaller_pages_is_believed() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.page_size = PageSize::new(20, 30));
        let read = read(&build(config(sim.url()).with_page_size(500)), row_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert!(read.receipt().absence.ground().is_usable());
        let limits: BTreeSet<_> =
            sim.requests().iter().filter_map(|request| request.query("limit").map(str::to_owned)).collect();
        assert_eq!(limits, BTreeSet::from(["500".to_owned()]));
    });
}

#[test]
fn pages_of_one_row_are_enough() {
    run(async {
        let people = plain_population(11);
        let sim = SesameSim::start(people.clone()).await;
        let read = read(&build(config(sim.url()).with_page_size(1)), row_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert!(read.receipt().absence.ground().is_usable());
    });
}

#[test]
fn answers_without_meta_are_read_to_an_empty_page_and_prove_nothing() {
    run(async {
        let people = plain_population(260);
        let sim = SesameSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.leaves_out_meta = true);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert!(read.absence_refusal().contains("no total"), "{}", read.absence_refusal());
        assert_eq!(read.receipt().warnings.len(), 2, "one for each pass");
    });
}

#[test]
fn an_order_that_is_refused_is_left_out_once_and_for_all() {
    run(async {
        for status in [400, 422, 500] {
            let sim = SesameSim::start(plain_population(40)).await;
            sim.behave(|vendor| vendor.refuses_order_by = Some(status));
            let connector = connector(&sim);
            let first = read(&connector, row_fields()).await;
            assert_eq!(first.receipt().distinct, 40, "{status}");
            let ordered =
                || sim.requests().iter().filter(|request| request.query("orderBy").is_some()).count();
            let before = ordered();
            read(&connector, row_fields()).await.receipt();
            assert_eq!(ordered(), before, "the second reading does not try the order again");
        }
    });
}

#[test]
fn a_later_page_never_changes_the_order_of_its_listing() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        let ordered_second = |request: &hris_testkit::sim::SimRequest| {
            request.query("page") == Some("2") && request.query("orderBy").is_some()
        };
        sim.faults()
            .add(hris_testkit::sim::Fault::status(500).always().on_path(EMPLOYEES).on(ordered_second));
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), hris_core::ErrorKind::Unavailable);
    });
}

#[test]
fn another_failure_of_the_first_page_is_not_taken_for_a_refused_order() {
    run(async {
        let sim = SesameSim::start(plain_population(40)).await;
        sim.behave(|vendor| vendor.refuses_order_by = Some(403));
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), hris_core::ErrorKind::Forbidden);
    });
}

#[test]
fn an_order_of_our_own_is_asked_for_and_rows_in_any_order_are_noticed() {
    run(async {
        let sim = SesameSim::start(plain_population(260)).await;
        read(&connector(&sim), only(EmployeeField::WorkEmail)).await;
        let requests = sim.requests();
        let listings: Vec<_> = requests.iter().filter(|request| request.path() == EMPLOYEES).collect();
        assert!(listings.iter().all(|request| request.query("orderBy") == Some("createdAt asc")));

        let unordered = build(config(sim.url()).with_order_by(None));
        let read = read(&unordered, row_fields()).await;
        assert_eq!(
            read.receipt().warnings[0].rule,
            rule::TOTAL_MISMATCH,
            "rows that move between pages are missed"
        );
        assert!(!read.receipt().absence.ground().is_usable());
    });
}
