//! Who is employed: two listings and the leaving date, under every reading of what the vendor leaves open.

use chrono::NaiveDate;
use hris_core::{EmployeeField, EmployeeId, EmploymentStatus, Field};
use hris_peoplehr::sim::{LeaverCode, PeopleHrSim};
use hris_peoplehr::{LeavingDateRule, Listings, UnknownStatusCode};
use hris_testkit::population::{PersonStatus, Population};
use hris_testkit::run;

use crate::setup::{Read, build, config, connector, few_fields, only, plain_population, population, read};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The record ids of the first people who are employed.
fn employed(people: &Population) -> Vec<String> {
    let active = people.active().filter(|person| person.malformed.is_none());
    active.map(|person| person.record_id.clone()).collect()
}

fn status(read: &Read, record: &str) -> EmploymentStatus {
    read.person(record).status.clone()
}

#[test]
fn leavers_are_told_by_the_listings_whatever_their_code_is() {
    run(async {
        for code in [LeaverCode::One, LeaverCode::Two, LeaverCode::LeftOut] {
            let people = plain_population(120);
            let sim = PeopleHrSim::start(people.clone()).await;
            sim.behave(|vendor| (vendor.leaver_code, vendor.removes_leavers_emails) = (code, true));
            let read = read(&connector(&sim), few_fields()).await;
            assert_eq!((read.receipt().distinct, read.absence_refusal()), (120, String::new()));
            for person in people.listed() {
                let left = person.status == PersonStatus::Inactive;
                let employee = read.person(&person.record_id);
                assert_eq!(employee.status == EmploymentStatus::Inactive, left, "{code:?} {person:?}");
                assert_eq!(employee.work_email.value().is_none(), left, "their address was removed");
                assert_eq!(employee.employee_id.value().map(EmployeeId::as_str), person.number_key());
            }
        }
    });
}

#[test]
fn a_leaver_leaves_the_day_after_the_last_one_or_at_once_and_comes_back() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let [soon, at_once, today, ..] = &employed(&people)[..] else { panic!("forty people") };
        sim.mark_leaver(soon, day("2026-03-31"), false);
        sim.mark_leaver(at_once, day("2026-03-31"), true);
        sim.mark_leaver(today, day("2026-03-02"), false);
        let connector = connector(&sim);
        let before = read(&connector, only(EmployeeField::EndDate)).await;
        assert_eq!(status(&before, soon), EmploymentStatus::Active);
        assert_eq!(before.person(soon).end_date, Field::Value(day("2026-03-31")));
        assert_eq!(status(&before, at_once), EmploymentStatus::Inactive, "whatever the date");
        assert_eq!(status(&before, today), EmploymentStatus::Active, "employed on the last day");
        sim.set_today(day("2026-04-01"));
        let after = read(&connector, few_fields()).await;
        assert_eq!(status(&after, soon), EmploymentStatus::Inactive);
        sim.rehire(soon, day("2026-03-02"));
        assert_eq!(status(&read(&connector, few_fields()).await, soon), EmploymentStatus::Active);
    });
}

#[test]
fn a_leaving_date_that_has_passed_means_what_is_configured_while_the_listing_still_has_them() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let [late, last_day, ..] = &employed(&people)[..] else { panic!("forty people") };
        sim.behave(|vendor| vendor.keeps_passed_leaving_dates = true);
        sim.set_today(day("2026-02-01"));
        sim.mark_leaver(late, day("2026-03-01"), false);
        sim.mark_leaver(last_day, day("2026-03-02"), false);
        let (active, inactive) = (EmploymentStatus::Active, EmploymentStatus::Inactive);
        for (rule, expected) in [
            (LeavingDateRule::DayAfter, (&inactive, &active)),
            (LeavingDateRule::SameDay, (&inactive, &inactive)),
            (LeavingDateRule::Ignored, (&active, &active)),
        ] {
            let read = read(&build(config(sim.url()).with_leaving_date(rule)), few_fields()).await;
            assert_eq!((&status(&read, late), &status(&read, last_day)), expected, "{rule:?}");
        }
    });
}

#[test]
fn the_day_is_that_of_the_companys_time_zone() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let late = &employed(&people)[0];
        sim.behave(|vendor| vendor.keeps_passed_leaving_dates = true);
        sim.set_today(day("2026-03-01"));
        sim.mark_leaver(late, day("2026-03-02"), false);
        // It is 11:00 in London, and the day after began an hour ago in Kiritimati.
        let clock = hris_testkit::ManualClock::at("2026-03-02T11:00:00Z")
            .skipping(std::time::Duration::from_secs(61));
        for (zone, expected) in
            [("Europe/London", EmploymentStatus::Active), ("Pacific/Kiritimati", EmploymentStatus::Inactive)]
        {
            let connector = crate::setup::build_by(config(sim.url()).with_time_zone(zone), &clock);
            assert_eq!(status(&read(&connector, few_fields()).await, late), expected, "{zone}");
        }
    });
}

#[test]
fn future_starters_are_pending_until_their_day() {
    run(async {
        let people = population();
        let sim = PeopleHrSim::start(people.clone()).await;
        let read = read(&connector(&sim), few_fields()).await;
        let pending: Vec<_> =
            people.listed().filter(|person| person.status == PersonStatus::Pending).collect();
        assert!(!pending.is_empty());
        for person in pending {
            assert_eq!(status(&read, &person.record_id), EmploymentStatus::Pending);
        }
    });
}

#[test]
fn an_unknown_status_code_makes_nobody_leave_and_is_told_once() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let odd = &employed(&people)[0];
        sim.set_status_code(odd, "7");
        let by_default = read(&connector(&sim), few_fields()).await;
        assert_eq!(status(&by_default, odd), EmploymentStatus::Active);
        assert!(by_default.warnings().contains("active_status_codes"), "{}", by_default.warnings());
        let careful = config(sim.url()).with_unknown_status_code(UnknownStatusCode::NoChange);
        let careful = read(&build(careful), few_fields()).await;
        assert_eq!(status(&careful, odd), EmploymentStatus::Unknown(Some("7".to_owned())));
        let known = config(sim.url()).with_active_status_codes(["1", "7"]);
        assert_eq!(read(&build(known), few_fields()).await.warnings(), "");
    });
}

#[test]
fn a_single_listing_goes_by_the_leaving_date_and_proves_nobodys_absence() {
    run(async {
        let people = plain_population(120);
        let sim = PeopleHrSim::start(people.clone()).await;
        let at_once = &employed(&people)[0];
        sim.mark_leaver(at_once, day("2026-12-31"), true);
        let connector = build(config(sim.url()).with_listings(Listings::Everybody));
        let read = read(&connector, few_fields()).await;
        for person in people.listed().filter(|person| person.status == PersonStatus::Inactive) {
            assert_eq!(status(&read, &person.record_id), EmploymentStatus::Inactive);
        }
        assert_eq!(status(&read, at_once), EmploymentStatus::Active, "the weaker guarantee");
        assert!(read.absence_refusal().contains("single listing"));
        assert_eq!(sim.actions(), ["GetCompanyInformation", "GetAllEmployeeDetail"]);
    });
}

#[test]
fn somebody_of_current_staff_who_is_missing_among_everybody_refuses_absence() {
    run(async {
        let people = plain_population(40);
        let sim = PeopleHrSim::start(people.clone()).await;
        let body = |records: &[&str]| {
            let rows: Vec<_> =
                records.iter().map(|record| serde_json::json!({ "UniqueKey": record })).collect();
            let body = serde_json::json!({ "isError": false, "Status": 0, "Message": "x", "Result": rows });
            hris_testkit::sim::Fault::Answer(hris_testkit::sim::SimResponse::json(200, &body))
        };
        sim.faults().add(body(&["a", "b", "c"]).once().on(PeopleHrSim::is_listing));
        sim.faults().add(body(&["b", "d", "b"]).once().on(PeopleHrSim::is_listing_of_everybody));
        let read = read(&connector(&sim), few_fields()).await;
        assert_eq!(read.receipt().distinct, 2, "whoever came twice counts once");
        assert!(read.absence_refusal().contains("2 people of current staff"), "{}", read.absence_refusal());
        assert!(read.warnings().contains("1 rows came twice"), "{}", read.warnings());
        assert_eq!(status(&read, "d"), EmploymentStatus::Inactive);
    });
}
