//! Who is listed, how often, from which offset, and what the receipt makes of it.

use std::collections::BTreeSet;
use std::time::Duration;

use hris_core::{ErrorKind, HrisConnector as _, rule};
use hris_testkit::population::{Malformation, Person, Population};
use hris_testkit::run;
use hris_testkit::sim::{Fault, PageSize};
use hris_trinet::sim::{Total, TriNetSim};

use crate::setup::{
    EMPLOYEES, Read, TOKEN, basic_fields, build, build_by, clock, config, connector, offsets,
    plain_population, population, read,
};

fn ids(read: &Read) -> BTreeSet<String> {
    read.employees.iter().map(|employee| employee.record.as_str().to_owned()).collect()
}

fn listed(people: &Population) -> BTreeSet<String> {
    let readable = |(_, person): &(usize, &Person)| {
        person.is_listed() && person.malformed.is_none_or(|kind| !kind.hides_record_id())
    };
    let people = people.people().iter().enumerate().filter(readable);
    people.map(|(position, _)| TriNetSim::employee_id(position)).collect()
}

#[test]
fn offsets_count_from_one_and_everyone_is_read_once_leavers_included() {
    run(async {
        let people = plain_population(250);
        let sim = TriNetSim::start(people.clone()).await;
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(offsets(&sim), [1, 101, 201]);
        assert_eq!((ids(&read), read.employees.len()), (listed(&people), 250));
        let receipt = read.receipt();
        assert!(receipt.full && receipt.status.is_usable() && receipt.absence.ground().is_usable());
        assert_eq!((receipt.distinct, receipt.account.as_str()), (250, TriNetSim::COMPANY_ID));
        assert_eq!(receipt.record_id_kind.as_str(), "trinet.employee.id");
        assert!(!receipt.tombstones.is_usable() && receipt.watermark.is_none());
        assert!(receipt.warnings.is_empty(), "{}", read.warnings());
        assert_eq!(read.expected, [250]);
    });
}

#[test]
fn a_server_that_gives_fewer_rows_than_asked_for_is_followed_by_the_rows_that_came() {
    run(async {
        let people = plain_population(250);
        let sim = TriNetSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.page_size = PageSize::new(60, 60));
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(offsets(&sim), [1, 61, 121, 181, 241]);
        assert_eq!(ids(&read), listed(&people));
    });
}

#[test]
fn a_total_that_lies_neither_ends_the_reading_nor_prolongs_it() {
    run(async {
        for total in [0, 1, 100, 101, 9_999_999] {
            let people = plain_population(250);
            let sim = TriNetSim::start(people.clone()).await;
            sim.behave(|vendor| vendor.total = Total::Always(total));
            let read = read(&connector(&sim), basic_fields()).await;
            assert_eq!(offsets(&sim), [1, 101, 201], "{total}");
            assert_eq!(ids(&read), listed(&people));
            assert!(read.absence_refusal().contains("the vendor counts"), "{}", read.absence_refusal());
            assert!(read.receipt().status.is_usable(), "a status may be trusted all the same");
            assert_eq!(read.receipt().warnings[0].rule, rule::TOTAL_MISMATCH);
        }
    });
}

#[test]
fn without_a_total_one_page_proves_absence_and_several_do_not() {
    run(async {
        for (size, proves) in [(100, true), (101, false)] {
            let people = plain_population(size);
            let sim = TriNetSim::start(people.clone()).await;
            sim.behave(|vendor| vendor.total = Total::LeftOut);
            let read = read(&connector(&sim), basic_fields()).await;
            assert_eq!(ids(&read), listed(&people));
            assert_eq!(read.receipt().absence.ground().is_usable(), proves, "{}", read.absence_refusal());
            assert!(read.expected.is_empty());
        }
    });
}

#[test]
fn without_has_more_everyone_is_read_and_nobodys_absence_proved() {
    run(async {
        for (size, cap, expected) in [
            (250, 100, vec![1, 101, 201]),
            (200, 100, vec![1, 101, 201]),
            (250, 60, vec![1, 61, 121, 181, 241]),
            (40, 100, vec![1, 41]),
            (0, 100, vec![1]),
        ] {
            let people = plain_population(size);
            let sim = TriNetSim::start(people.clone()).await;
            sim.behave(|vendor| {
                vendor.leaves_out_has_more = true;
                vendor.page_size = PageSize::new(cap, cap);
            });
            let read = read(&connector(&sim), basic_fields()).await;
            assert_eq!((offsets(&sim), ids(&read)), (expected, listed(&people)), "{size} by {cap}");
            assert!(read.absence_refusal().contains("where the list ends"), "{}", read.absence_refusal());
        }
    });
}

#[test]
fn a_page_that_promises_more_and_is_empty_is_an_error_and_not_the_end() {
    run(async {
        let sim = TriNetSim::start(plain_population(250)).await;
        sim.behave(|vendor| vendor.always_has_more = true);
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Incomplete);
        assert_eq!(read.employees.len(), 250);
        assert_eq!(offsets(&sim), [1, 101, 201, 251]);
    });
}

#[test]
fn an_empty_company_is_read_to_its_end() {
    run(async {
        let sim = TriNetSim::start(plain_population(0)).await;
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!((read.receipt().distinct, read.expected.as_slice()), (0, [0].as_slice()));
        assert_eq!(offsets(&sim), [1]);
    });
}

#[test]
fn a_server_that_counts_from_zero_is_noticed_and_can_be_configured() {
    run(async {
        let people = plain_population(250);
        let sim = TriNetSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.counts_from_zero = true);
        let missed = read(&connector(&sim), basic_fields()).await;
        assert_eq!(missed.receipt().distinct, 249, "the first person was skipped");
        assert!(!missed.receipt().absence.ground().is_usable(), "so that nobody leaves by absence");
        let config = config(sim.url()).with_offset_base(0);
        let read = read(&build(config), basic_fields()).await;
        assert_eq!(ids(&read), listed(&people));
        assert!(read.receipt().absence.ground().is_usable());
    });
}

#[test]
fn counting_from_zero_where_the_server_counts_from_one_names_the_setting() {
    run(async {
        let people = plain_population(250);
        let sim = TriNetSim::start(people.clone()).await;
        let read = read(&build(config(sim.url()).with_offset_base(0)), basic_fields()).await;
        assert_eq!((ids(&read), read.receipt().distinct), (listed(&people), 250), "rows came twice");
        let warning = &read.receipt().warnings[0];
        assert_eq!(warning.rule, rule::RECORD_REPEATED);
        assert!(warning.message.contains("`offset_base` to 1"), "{}", warning.message);
    });
}

#[test]
fn people_on_overlapping_pages_are_delivered_again_and_counted_once() {
    run(async {
        let people = plain_population(250);
        let sim = TriNetSim::start(people.clone()).await;
        sim.behave(|vendor| vendor.overlap = 3);
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!((ids(&read), read.receipt().distinct), (listed(&people), 250));
        assert!(read.employees.len() > 250);
        assert!(read.warnings().contains("came twice"), "{}", read.warnings());
    });
}

#[test]
fn a_repeated_page_hides_others_which_the_total_shows() {
    run(async {
        let sim = TriNetSim::start(plain_population(250)).await;
        sim.repeat_page(2, 1);
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!((read.employees.len(), read.receipt().distinct), (250, 150));
        assert!(
            read.absence_refusal().contains("counts 250 people, 150 were seen"),
            "{}",
            read.absence_refusal()
        );
        assert!(read.warnings().contains("100 rows came twice"), "{}", read.warnings());
    });
}

#[test]
fn a_server_that_ignores_the_offset_ends_the_reading_with_an_error() {
    run(async {
        let sim = TriNetSim::start(plain_population(250)).await;
        sim.behave(|vendor| {
            // Far enough back to reach the first page from every offset.
            vendor.overlap = 10_000;
            vendor.always_has_more = true;
        });
        let read = read(&connector(&sim), basic_fields()).await;
        assert_eq!(read.error().kind(), ErrorKind::Incomplete);
        assert_eq!(offsets(&sim).len(), 3);
    });
}

#[test]
fn a_list_that_shrinks_while_it_is_read_proves_nobodys_absence() {
    run(async {
        let sim = TriNetSim::start(plain_population(250)).await;
        sim.shrink_after_offset(1, 20);
        let read = read(&connector(&sim), basic_fields()).await;
        assert!(!read.receipt().absence.ground().is_usable());
        assert!(read.receipt().status.is_usable());
    });
}

#[test]
fn a_row_without_a_readable_id_is_rejected_and_takes_the_proof_away() {
    run(async {
        let people = population();
        let sim = TriNetSim::start(people.clone()).await;
        let read = read(&connector(&sim), basic_fields()).await;
        let hidden = |person: &&Person| person.malformed.is_some_and(Malformation::hides_record_id);
        let hidden = people.listed().filter(hidden).count();
        assert!(hidden >= 4);
        assert_eq!(read.rejected.len(), hidden);
        assert!(read.rejected.iter().all(|row| row.record.is_none() && row.rule == rule::RECORD_UNREADABLE));
        let places = read.rejected.iter().map(|row| row.field.as_deref().unwrap());
        assert!(places.clone().all(|place| place.starts_with("data.employeeData[")));
        assert!(places.clone().any(|place| place.ends_with(".employeeId")));
        assert_eq!(ids(&read), listed(&people), "everybody else was read");
        assert!(read.absence_refusal().contains("no readable record id"), "{}", read.absence_refusal());
        assert!(read.receipt().status.is_usable());
        assert!(!read.warnings().contains("total_mismatch"), "the total fits: {}", read.warnings());
    });
}

#[test]
fn several_pages_at_a_time_are_the_same_people_in_the_same_order() {
    run(async {
        let people = plain_population(1_250);
        let sim = TriNetSim::start(people.clone()).await;
        let config = config(sim.url()).with_max_in_flight(8).with_requests_per_minute(None);
        let together = read(&build(config), basic_fields()).await;
        let one_by_one = read(&connector(&sim), basic_fields()).await;
        assert!(together.employees == one_by_one.employees);
        assert_eq!(sim.paths(EMPLOYEES).len(), 26, "no page was asked for in vain");
        assert!(together.receipt().absence.ground().is_usable());
    });
}

#[test]
fn pages_that_were_asked_for_ahead_are_asked_for_again_when_one_is_short() {
    run(async {
        let people = plain_population(550);
        let sim = TriNetSim::start(people.clone()).await;
        // The second page is one row short, so that all later ones begin elsewhere than was thought.
        let short = Fault::change(|answer| {
            let mut body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            body["data"]["employeeData"].as_array_mut().unwrap().pop();
            hris_testkit::sim::SimResponse::json(200, &body)
        });
        sim.faults().add(TriNetSim::on_offset(short.once(), 101));
        let config = config(sim.url()).with_max_in_flight(8).with_requests_per_minute(None);
        let read = read(&build(config), basic_fields()).await;
        assert_eq!((ids(&read), read.employees.len()), (listed(&people), 550));
        assert!(offsets(&sim).contains(&200), "{:?}", offsets(&sim));
    });
}

#[test]
fn a_failed_page_fails_the_whole_reading() {
    run(async {
        for in_flight in [1, 8] {
            let sim = TriNetSim::start(plain_population(450)).await;
            sim.faults().add(TriNetSim::on_offset(Fault::status(400).always(), 201));
            let config = config(sim.url()).with_max_in_flight(in_flight).with_requests_per_minute(None);
            let read = read(&build(config), basic_fields()).await;
            assert_eq!(read.error().kind(), ErrorKind::Invalid);
            assert_eq!(read.employees.len(), 200, "the pages before it were delivered");
        }
    });
}

#[test]
fn letters_can_be_listed_one_after_the_other_and_prove_nobodys_absence() {
    run(async {
        let people = plain_population(250);
        let sim = TriNetSim::start(people.clone()).await;
        let letters = ["A", "L", "P", "S", "T", "U", "D"];
        let connector = build(config(sim.url()).with_status_passes(letters));
        let read = read(&connector, basic_fields()).await;
        assert_eq!((ids(&read), read.employees.len()), (listed(&people), 250));
        let requests = sim.requests();
        let asked: Vec<_> = requests.iter().filter_map(|request| request.query("employmentStatus")).collect();
        assert!(letters.iter().all(|letter| asked.contains(letter)), "{asked:?}");
        assert_eq!(sim.paths(TOKEN).len(), 1);
        assert!(read.absence_refusal().contains("does not cover everyone"), "{}", read.absence_refusal());
        assert!(read.receipt().status.is_usable() && !connector.capabilities().proves_absence);
    });
}

#[test]
fn the_budget_of_a_client_is_never_overdrawn_by_connections_that_share_it() {
    run(async {
        let sim = TriNetSim::start(plain_population(60)).await;
        let clock = clock();
        let transport = crate::setup::transport(&clock);
        let config = config(sim.url()).with_page_size(1).with_requests_per_minute(Some(30));
        let build = || config.clone().build(&sim.client_id(), &sim.client_secret(), &transport).unwrap();
        let (one, two) = (build(), build());
        let start = hris_core::Clock::now(&clock);
        let (first, second) = futures_util::join!(read(&one, basic_fields()), read(&two, basic_fields()));
        assert_eq!((first.receipt().distinct, second.receipt().distinct), (60, 60));
        let minutes = (hris_core::Clock::now(&clock) - start).num_seconds() / 60;
        let requests = i64::try_from(sim.requests().len()).unwrap();
        assert!(requests >= 120 && requests <= 30 * (minutes + 1) + 1, "{requests} in {minutes} minutes");
    });
}

#[test]
fn the_limit_can_be_switched_off() {
    run(async {
        let sim = TriNetSim::start(plain_population(200)).await;
        let clock = clock();
        let config = config(sim.url()).with_page_size(1).with_requests_per_minute(None).with_max_in_flight(8);
        assert_eq!(read(&build_by(config, &clock), basic_fields()).await.receipt().distinct, 200);
        assert!(clock.slept().iter().all(|wait| *wait >= Duration::from_secs(30)), "nothing but time-outs");
    });
}
