//! Who is listed, how often, and what the receipt makes of it.

use hris_core::{EmployeeField, EmploymentStatus, ErrorKind, rule};
use hris_merge::sim::{MergeSim, Synchronisation};
use hris_merge::{DeletionTrust, RecordIdSource};
use hris_testkit::population::{DayPlan, Malformation, Oddities, Oddity, Person, Population};
use hris_testkit::run;
use hris_testkit::sim::{Fault, PageSize, SimResponse};

use crate::setup::{
    EMPLOYEES, Read, build, config, connector, listed, only, plain_population, population, read, refusal,
    row_fields,
};

#[test]
fn one_listing_sees_everyone_once_inactive_people_included_and_proves_it() {
    run(async {
        let people = plain_population(260);
        let sim = MergeSim::start(people.clone()).await;
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.ids(), listed(&people));
        assert_eq!(read.employees.len(), 260);
        let inactive = read.employees.iter().filter(|row| row.status == EmploymentStatus::Inactive).count();
        assert_eq!(inactive, people.counts().inactive);
        let receipt = read.receipt();
        assert!(receipt.full && receipt.status.is_usable() && receipt.absence.ground().is_usable());
        assert_eq!((receipt.distinct, receipt.account.as_str()), (260, MergeSim::ACCOUNT_ID));
        assert_eq!(receipt.record_id_kind.as_str(), "merge.employee.remote_id");
        assert!(receipt.warnings.is_empty(), "{:?}", receipt.warnings);
        assert_eq!(sim.requests_for(EMPLOYEES).len(), 3);
    });
}

#[test]
fn a_row_without_a_readable_id_is_rejected_and_takes_the_proof_away() {
    run(async {
        let people = population();
        let sim = MergeSim::start(people.clone()).await;
        let read = read(&connector(&sim), row_fields()).await;
        let hidden = |person: &&Person| person.malformed.is_some_and(Malformation::hides_record_id);
        let hidden = people.listed().filter(hidden).count();
        assert!(hidden >= 4);
        assert_eq!(read.rejected.len(), hidden);
        assert!(read.rejected.iter().all(|row| row.record.is_none() && row.rule == rule::RECORD_UNREADABLE));
        assert_eq!(read.ids(), listed(&people), "everybody else was read");
        assert_eq!(read.receipt().distinct, listed(&people).len() as u64);
        assert!(read.absence_refusal().contains("no readable record id"), "{}", read.absence_refusal());
        assert!(read.receipt().status.is_usable());
    });
}

#[test]
fn every_form_of_the_last_page_is_an_end_and_an_address_leads_on() {
    run(async {
        let changes: [fn(&mut hris_merge::sim::Behaviour); 4] = [
            |vendor| vendor.next_as_url = true,
            |vendor| vendor.ends_with_empty_text = true,
            |vendor| vendor.ends_without_next = true,
            |vendor| vendor.page_size = PageSize::new(7, 7),
        ];
        for change in changes {
            let people = plain_population(130);
            let sim = MergeSim::start(people.clone()).await;
            sim.behave(change);
            let read = read(&connector(&sim), row_fields()).await;
            assert_eq!(read.ids(), listed(&people));
            assert!(read.receipt().absence.ground().is_usable());
        }
    });
}

#[test]
fn an_empty_account_is_a_proven_empty_directory() {
    run(async {
        let sim = MergeSim::start(plain_population(0)).await;
        let read = read(&connector(&sim), row_fields()).await;
        assert!(read.employees.is_empty());
        assert_eq!(read.receipt().distinct, 0);
        assert!(read.receipt().absence.ground().is_usable());
    });
}

#[test]
fn pages_of_one_row_are_enough_and_an_empty_page_in_between_is_not_the_end() {
    run(async {
        let people = plain_population(11);
        let sim = MergeSim::start(people.clone()).await;
        let one = build(config(sim.url()).with_page_size(1), &sim);
        assert_eq!(read(&one, row_fields()).await.ids(), listed(&people));

        let sim = MergeSim::start(people.clone()).await;
        let empty = Fault::change(|served: SimResponse| {
            let mut page: serde_json::Value = serde_json::from_slice(served.body()).unwrap();
            page["results"] = serde_json::json!([]);
            SimResponse::json(200, &page)
        });
        sim.on_page(empty, 2, 1);
        let read = read(&build(config(sim.url()).with_page_size(5), &sim), row_fields()).await;
        assert_eq!(read.employees.len(), 6, "the third page came");
        assert!(read.absence_refusal().contains("had no rows"), "{}", read.absence_refusal());
    });
}

#[test]
fn a_listing_that_leads_back_ends_with_an_error() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        sim.behave(|vendor| vendor.loops = true);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Incomplete);
    });
}

#[test]
fn a_record_that_is_changed_while_it_is_read_comes_twice_and_counts_once() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        sim.next_day_after_page(1, DayPlan { field_changes: 40, ..DayPlan::quiet() });
        let read = read(&connector(&sim), row_fields()).await;
        assert!(read.employees.len() > 260, "some of the changed had been read before");
        assert_eq!((read.ids().len(), read.receipt().distinct), (260, 260));
    });
}

#[test]
fn a_synchronisation_that_ends_while_it_is_read_is_a_doubt_for_that_reading_only() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        sim.behave_after_page(2, |vendor| {
            vendor.sync.finished = Some("2026-03-02T06:00:02Z".to_owned());
        });
        let connector = connector(&sim);
        let first = read(&connector, row_fields()).await;
        assert!(
            first.absence_refusal().contains("while the listing was read"),
            "{}",
            first.absence_refusal()
        );
        assert!(first.receipt().status.is_usable(), "leavers by status are not in doubt");
        let next = read(&connector, row_fields()).await;
        assert!(next.receipt().absence.ground().is_usable());
    });
}

#[test]
fn a_lost_cursor_begins_the_listing_anew_once() {
    run(async {
        let people = plain_population(260);
        let sim = MergeSim::start(people.clone()).await;
        sim.forget_cursors_after_page(2);
        let read = read(&connector(&sim), row_fields()).await;
        assert_eq!(read.ids(), listed(&people));
        assert_eq!(read.receipt().distinct, 260, "people are counted, not rows");
        assert!(read.employees.len() > 260 && read.receipt().absence.ground().is_usable());
    });
}

#[test]
fn a_cursor_that_is_lost_again_ends_the_reading() {
    run(async {
        for status in [400, 404] {
            let sim = MergeSim::start(plain_population(260)).await;
            sim.on_page(Fault::status(status), 2, 99);
            let read = read(&connector(&sim), row_fields()).await;
            assert!(matches!(read.error().kind(), ErrorKind::NotFound | ErrorKind::Invalid));
            let starts = sim.requests_for(EMPLOYEES);
            let starts = starts.iter().filter(|request| request.query("cursor").is_none()).count();
            assert_eq!(starts, 2, "begun anew once");
        }
    });
}

async fn with_a_deletion(integration: &str, trust: DeletionTrust) -> (Read, String) {
    let sim = MergeSim::start(plain_population(60)).await;
    sim.behave(|vendor| integration.clone_into(&mut vendor.integration.0));
    let gone = sim.next_day(&DayPlan { vanished: 1, ..DayPlan::quiet() }).vanished.remove(0);
    let connector = build(config(sim.url()).with_deletions(trust), &sim);
    (read(&connector, row_fields()).await, gone)
}

#[test]
fn a_deleted_record_is_told_with_the_trust_that_it_deserves() {
    run(async {
        for (integration, trust, is_trusted) in [
            ("BambooHR", DeletionTrust::Native, true),
            ("Sesame", DeletionTrust::Native, false),
            ("Sesame", DeletionTrust::Any, true),
        ] {
            let (read, gone) = with_a_deletion(integration, trust).await;
            assert_eq!(read.deleted, [gone.as_str().into()], "{integration}");
            assert_eq!(read.employees.len(), 59, "the deletion wins over the status");
            assert_eq!(read.receipt().distinct, 59);
            assert_eq!(read.receipt().tombstones.is_usable(), is_trusted, "{integration}");
        }
    });
}

#[test]
fn deleted_records_are_not_even_asked_for_where_that_is_chosen() {
    run(async {
        let (read, gone) = with_a_deletion("BambooHR", DeletionTrust::Ignored).await;
        assert!(read.deleted.is_empty() && !read.ids().contains(&gone));
        assert!(!read.receipt().tombstones.is_usable());
    });
}

#[test]
fn without_the_vendors_detection_a_deleted_person_stays_as_they_were() {
    run(async {
        let sim = MergeSim::start(plain_population(60)).await;
        sim.behave(|vendor| vendor.detects_deletions = false);
        let gone = sim.next_day(&DayPlan { vanished: 1, ..DayPlan::quiet() }).vanished.remove(0);
        let read = read(&connector(&sim), row_fields()).await;
        assert!(read.ids().contains(&gone) && read.deleted.is_empty());
        let why = refusal(&read.receipt().tombstones);
        assert!(why.contains("deletions"), "{why}");
    });
}

#[test]
fn an_ignored_person_is_neither_a_person_nor_a_clearing_of_fields() {
    run(async {
        let people = plain_population(60);
        let sim = MergeSim::start(people.clone()).await;
        let person = people.active().next().unwrap();
        let id = person.record_id.clone();
        let shell = serde_json::json!({ "next": null, "results": [
            { "id": "m", "remote_id": id, "first_name": null, "employment_status": null, "groups": [] }
        ] });
        sim.faults().add(Fault::Answer(SimResponse::json(200, &shell)).once().on_path(EMPLOYEES));
        let read = read(&connector(&sim), row_fields()).await;
        assert!(read.employees.is_empty());
        assert_eq!(read.rejected[0].record, Some(id.as_str().into()), "the person counts as seen");
        assert_eq!(read.receipt().distinct, 1);
    });
}

#[test]
fn people_left_out_at_the_source_are_not_missing() {
    run(async {
        let sim = MergeSim::start(plain_population(60)).await;
        sim.behave(|vendor| vendor.sync.selective = Some("IN_LAST_SYNC".to_owned()));
        let read = read(&connector(&sim), row_fields()).await;
        assert!(read.absence_refusal().contains("does not cover everyone"), "{}", read.absence_refusal());
        assert!(read.receipt().status.is_usable());
    });
}

#[test]
fn an_id_that_stands_on_two_pages_is_one_person() {
    run(async {
        let people = plain_population(20);
        let sim = MergeSim::start(people.clone()).await;
        let twice = Fault::change(|served: SimResponse| {
            let mut page: serde_json::Value = serde_json::from_slice(served.body()).unwrap();
            let first = page["results"][0].clone();
            page["results"].as_array_mut().unwrap().push(first);
            SimResponse::json(200, &page)
        });
        sim.on_page(twice, 1, 1);
        let read = read(&build(config(sim.url()).with_page_size(10), &sim), row_fields()).await;
        assert_eq!((read.employees.len(), read.receipt().distinct), (21, 20));
    });
}

#[test]
fn both_kinds_of_record_ids_see_the_same_people() {
    run(async {
        let people = plain_population(130);
        let sim = MergeSim::start(people.clone()).await;
        let by_merge = build(config(sim.url()).with_record_id(RecordIdSource::MergeId), &sim);
        let read = read(&by_merge, only(EmployeeField::EmployeeId)).await;
        let expected = listed(&people).iter().map(|id| MergeSim::merge_id(id)).collect();
        assert_eq!(read.ids(), expected);
    });
}

#[test]
fn a_first_synchronisation_shows_a_part_and_never_passes_for_all() {
    run(async {
        let sim = MergeSim::start(plain_population(260)).await;
        sim.behave(|vendor| {
            vendor.sync = Synchronisation::first();
            vendor.people_so_far = Some(40);
        });
        let early = build(config(sim.url()).with_reading_during_first_sync(true), &sim);
        let read = read(&early, row_fields()).await;
        assert_eq!(read.employees.len(), 40);
        let receipt = read.receipt();
        assert!(!receipt.status.is_usable() && !receipt.tombstones.is_usable());
        assert!(!receipt.absence.ground().is_usable());
    });
}

#[test]
fn everybody_with_equal_stamps_is_read_once() {
    run(async {
        let oddities = Oddities::none();
        let people = Population::new(3).size(300).oddities(oddities.clone()).build();
        assert!(people.with(Oddity::Leaver).count() == 0);
        let sim = MergeSim::start(people.clone()).await;
        sim.next_day(&DayPlan { field_changes: 250, ..DayPlan::quiet() });
        let read = read(&build(config(sim.url()).with_page_size(3), &sim), row_fields()).await;
        assert_eq!((read.employees.len(), read.ids()), (300, listed(&sim.people())));
    });
}
