//! The vectors of windows, occurrences and dates: seed 003's examples and every known edge of the calendar.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

mod common;

use chrono::{Datelike as _, Days, NaiveDate};
use common::{born, campaign, date, due, person, started};
use hris_campaigns::{
    Anchor, Campaign, Filter, LeapDay, Milestones, Occurrence, Rule, Scan, Span, Timing, Window, overlaps,
};
use hris_core::{BirthDate, EmployeeField, EmploymentStatus, Field, Value};
use proptest::prelude::*;

#[test]
fn on_31_july_new_hires_between_24_july_and_30_august_are_found() {
    let found = |start: &str| due(Rule::new_hire(), "2025-07-31", &started("1", start)).len();
    let expected =
        [("2025-07-23", 0), ("2025-07-24", 1), ("2025-07-31", 1), ("2025-08-30", 1), ("2025-08-31", 0)];
    for (start, count) in expected {
        assert_eq!(found(start), count, "{start}");
    }
    let days = (0..60).filter(|day| {
        let start = date("2025-07-10") + Days::new(*day);
        found(&start.to_string()) == 1
    });
    assert_eq!(days.count(), 38);
}

#[test]
fn on_31_july_anniversaries_between_31_july_and_7_august_of_previous_years_are_found() {
    let found = |start: &str| due(Rule::anniversary(), "2025-07-31", &started("1", start));
    assert!(found("2020-07-30").is_empty() && found("2020-08-08").is_empty());
    assert_eq!(found("2020-07-31"), ["2025-07-31"]);
    assert_eq!(found("2013-08-07"), ["2025-08-07"]);
    assert!(found("2025-08-03").is_empty(), "a start of this year is no anniversary");
}

#[test]
fn on_31_july_birthdays_between_31_july_and_7_august_are_found() {
    let found = |birth: &str| due(Rule::birthday(), "2025-07-31", &born("1", birth));
    assert!(found("1990-07-30").is_empty() && found("1990-08-08").is_empty());
    let days = (0..30).filter(|day| {
        let birth = date("1990-07-20") + Days::new(*day);
        !found(&birth.to_string()).is_empty()
    });
    assert_eq!(days.count(), 8);
    assert_eq!(found("1990-08-07"), ["2025-08-07"]);
}

#[test]
fn the_window_of_a_month_is_thirty_days_whatever_the_month() {
    // Today, first day, last day, and the last day under a calendar month (inclusive), which is not the seed's.
    let vectors = [
        ("2025-07-31", "2025-07-24", "2025-08-30", "2025-08-31"),
        ("2025-01-31", "2025-01-24", "2025-03-02", "2025-02-28"),
        ("2024-01-31", "2024-01-24", "2024-03-01", "2024-02-29"),
        ("2025-02-01", "2025-01-25", "2025-03-03", "2025-03-01"),
        ("2025-06-30", "2025-06-23", "2025-07-30", "2025-07-30"),
        ("2025-12-28", "2025-12-21", "2026-01-27", "2026-01-28"),
        ("2024-02-29", "2024-02-22", "2024-03-30", "2024-03-29"),
    ];
    for (today, first, last, calendar) in vectors {
        assert_eq!(Window::NEW_HIRE.on(date(today)), (date(first), date(last)), "{today}");
        let found =
            |rule: &Rule, start: NaiveDate| due(rule.clone(), today, &started("1", &start.to_string())).len();
        let by_month = Rule::new_hire().with_window(Span::Days(7), Span::CalendarMonths(1));
        for (rule, last) in [(Rule::new_hire(), date(last)), (by_month, date(calendar))] {
            assert_eq!(found(&rule, date(first)), 1, "{today}");
            assert_eq!(found(&rule, date(first).pred_opt().unwrap()), 0, "{today}");
            assert_eq!(found(&rule, last), 1, "{today}");
            assert_eq!(found(&rule, last.succ_opt().unwrap()), 0, "{today}");
        }
    }
}

#[test]
fn the_29th_of_february_follows_its_policy() {
    let vectors: [(&str, [Option<&str>; 3]); 6] = [
        ("2025-02-20", [None, None, None]),
        ("2025-02-21", [Some("2025-02-28"), None, None]),
        ("2025-02-22", [Some("2025-02-28"), Some("2025-03-01"), None]),
        ("2025-02-28", [Some("2025-02-28"), Some("2025-03-01"), None]),
        ("2025-03-01", [None, Some("2025-03-01"), None]),
        ("2024-02-22", [Some("2024-02-29"), Some("2024-02-29"), Some("2024-02-29")]),
    ];
    for (today, expected) in vectors {
        let policies = [LeapDay::Backward, LeapDay::Forward, LeapDay::Omit];
        for (policy, expected) in policies.into_iter().zip(expected) {
            let birthday = Rule::birthday().with_leap_day(policy);
            let anniversary = Rule::anniversary().with_leap_day(policy);
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(due(birthday, today, &born("1", "1992-02-29")), expected, "{today} {policy:?}");
            assert_eq!(due(anniversary, today, &started("1", "2016-02-29")), expected, "{today} {policy:?}");
        }
    }
}

#[test]
fn windows_reach_over_the_end_of_the_year() {
    assert_eq!(due(Rule::birthday(), "2025-12-28", &born("1", "1990-01-02")), ["2026-01-02"]);
    let scan = Scan::new(date("2025-12-28"), [(campaign("c", Rule::anniversary()), None)]);
    let gifts = scan.due(&started("1", "2020-01-02"));
    assert_eq!((gifts[0].occurrence, gifts[0].due), (Occurrence::Nth(6), date("2026-01-02")));
    assert_eq!(gifts.len(), 1);
}

#[test]
fn an_anniversary_is_at_least_one_year() {
    let on = |today, start| due(Rule::anniversary(), today, &started("1", start));
    assert!(on("2025-07-31", "2025-07-31").is_empty(), "the start day belongs to the new-hire campaign");
    assert!(on("2025-07-31", "2026-08-01").is_empty(), "a start in the future gives nothing");
    assert_eq!(on("2025-07-31", "2024-07-31"), ["2025-07-31"]);
    assert_eq!(on("2025-02-25", "2024-02-29"), ["2025-02-28"]);
}

#[test]
fn separate_campaigns_celebrate_their_milestone_years() {
    let rule = |milestones| Rule::anniversary().with_milestones(milestones);
    let sets: [(Milestones, &[u16]); 4] = [
        (Milestones::Every, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        (Milestones::From(10), &[10, 11, 12]),
        (Milestones::EveryN(5), &[5, 10]),
        (Milestones::years([1, 3, 12]), &[1, 3, 12]),
    ];
    for (milestones, years) in sets {
        let found = (0..=12u16).filter(|n| {
            let start = format!("{}-08-01", 2025 - i32::from(*n));
            !due(rule(milestones.clone()), "2025-07-31", &started("1", &start)).is_empty()
        });
        assert_eq!(found.collect::<Vec<_>>(), years, "{milestones:?}");
    }
}

#[test]
fn the_specific_campaign_wins_and_only_equals_are_refused() {
    let of = |id: &str, milestones| campaign(id, Rule::anniversary().with_milestones(milestones));
    let every = of("every", Milestones::Every);
    let fifth = of("fifth", Milestones::years([5]));
    let shown = overlaps([&every, &fifth]).unwrap();
    assert_eq!(
        (shown[0].winner.as_str(), shown[0].loser.as_str(), shown[0].year),
        ("fifth", "every", Some(5))
    );

    let scan = Scan::new(date("2025-07-31"), [(every.clone(), None), (fifth.clone(), None)]);
    let winners = |start| -> Vec<usize> {
        scan.due(&started("1", start)).into_iter().map(|gift| gift.campaign).collect()
    };
    assert_eq!(winners("2020-08-01"), [1], "year 5 is gifted once, by its own campaign");
    assert_eq!(winners("2021-08-01"), [0]);

    let too = of("too", Milestones::years([5, 10]));
    assert!(overlaps([&fifth, &too]).is_err(), "two sets with the same year are equals");
    assert!(overlaps([&every, &of("again", Milestones::Every)]).is_err());
    assert!(
        overlaps([&of("a", Milestones::years([5])), &of("b", Milestones::years([10]))]).unwrap().is_empty()
    );
    let in_country = |id: &str, country: &str| {
        let only = Filter::everybody().only(EmployeeField::Country, [country]);
        campaign(id, Rule::anniversary().with_filter(only))
    };
    assert!(overlaps([&in_country("es", "ES"), &in_country("fr", "FR")]).unwrap().is_empty());
    assert!(overlaps([&campaign("a", Rule::birthday()), &campaign("b", Rule::birthday())]).is_err());
    let after_90 = campaign("b", Rule::new_hire().with_offset_days(90));
    assert!(overlaps([&campaign("a", Rule::new_hire()), &after_90]).unwrap().is_empty());
}

#[test]
fn the_service_date_is_chosen_per_campaign() {
    let mut rehired = started("1", "2024-08-02");
    rehired.custom.insert("original_hire_date".into(), Field::Value(Value::from("2015-08-03T00:00:00Z")));
    assert_eq!(due(Rule::anniversary(), "2025-07-31", &rehired), ["2025-08-02"]);
    let original = Anchor::service("custom:original_hire_date".parse::<hris_core::SourceField>().unwrap());
    let scan =
        Scan::new(date("2025-07-31"), [(campaign("c", Rule::anniversary().with_anchor(original)), None)]);
    let gifts = scan.due(&rehired);
    assert_eq!((gifts[0].occurrence, gifts[0].due), (Occurrence::Nth(10), date("2025-08-03")));
}

#[test]
fn an_offset_moves_the_due_date_and_the_window_with_it() {
    let rule = Rule::new_hire().with_offset_days(90);
    assert_eq!(due(rule.clone(), "2025-07-31", &started("1", "2025-05-02")), ["2025-07-31"]);
    assert!(due(rule, "2025-07-31", &started("1", "2025-07-31")).is_empty());
    let eve = Rule::birthday().with_offset_days(-1);
    assert_eq!(due(eve, "2025-12-28", &born("1", "1990-01-01")), ["2025-12-31"]);
}

#[test]
fn dates_that_cannot_be_counted_from_give_no_gift() {
    for start in ["1900-08-01", "1904-08-01", "0001-08-01"] {
        assert!(due(Rule::anniversary(), "2025-07-31", &started("1", start)).is_empty(), "{start}");
    }
    assert!(
        due(Rule::anniversary(), "2025-12-30", &started("1", "1970-01-01")).is_empty(),
        "no 55 years' gift"
    );
    assert_eq!(due(Rule::birthday(), "2025-07-31", &born("1", "1900-08-01")), ["2025-08-01"]);
    let mut hidden = person("1");
    hidden.birth_date = Field::Value(BirthDate::month_day(8, 1).unwrap());
    assert_eq!(due(Rule::birthday(), "2025-07-31", &hidden), ["2025-08-01"], "a hidden year does no harm");
    assert!(due(Rule::birthday(), "2025-07-31", &born("1", "2025-08-01")).is_empty(), "born tomorrow");
}

#[test]
fn pending_and_on_leave_count_as_present_and_who_left_does_not() {
    let on = |status: EmploymentStatus, end: Option<&str>| {
        let mut employee = started("1", "2020-08-01");
        employee.status = status;
        employee.end_date = end.map_or(Field::Null, |end| Field::Value(date(end)));
        Scan::may_receive(&employee, date("2025-08-01"))
    };
    assert!(on(EmploymentStatus::Active, None) && on(EmploymentStatus::Pending, None));
    assert!(on(EmploymentStatus::OnLeave, None) && on(EmploymentStatus::Unknown(None), None));
    assert!(!on(EmploymentStatus::Inactive, None));
    assert!(!on(EmploymentStatus::Active, Some("2025-07-31")), "the last day of work is over by then");
    assert!(on(EmploymentStatus::Active, Some("2025-08-01")));
    assert!(
        on(EmploymentStatus::Active, Some("2019-12-31")),
        "an end before the start is of an earlier employment"
    );
}

#[test]
fn what_was_missed_is_late_within_the_allowed_days_and_reported_beyond() {
    let timing = |last_run: &str, birth: &str| {
        let scan = Scan::new(date("2025-07-31"), [(campaign("c", Rule::birthday()), Some(date(last_run)))]);
        scan.seen(&born("1", birth)).first().map(|gift| gift.timing)
    };
    assert_eq!(timing("2025-07-20", "1990-07-31"), Some(Timing::InTime));
    assert_eq!(timing("2025-07-20", "1990-07-29"), Some(Timing::Late));
    assert_eq!(timing("2025-07-20", "1990-07-28"), Some(Timing::TooLate), "never silently");
    assert_eq!(timing("2025-07-20", "1990-07-20"), None, "that day was looked at");
    assert_eq!(timing("2025-07-30", "1990-07-30"), Some(Timing::Known));
}

/// The most naive way: every day of the window, every employee, by definition.
fn by_definition(rule: &Rule, today: NaiveDate, start: NaiveDate) -> Vec<NaiveDate> {
    let (first, last) = rule.window.on(today);
    let celebrated = |day: &NaiveDate| {
        let years = day.year() - start.year();
        let is_day = (day.month(), day.day()) == (start.month(), start.day());
        let is_leap_start = (start.month(), start.day()) == (2, 29) && !day.leap_year();
        let observed = match rule.leap_day {
            LeapDay::Backward => is_leap_start && (day.month(), day.day()) == (2, 28),
            LeapDay::Forward => is_leap_start && (day.month(), day.day()) == (3, 1),
            LeapDay::Omit => false,
        };
        (is_day || observed) && u16::try_from(years).is_ok_and(|n| rule.milestones.contains(n))
    };
    first.iter_days().take_while(|day| *day <= last).filter(celebrated).collect()
}

fn leap_days() -> impl Strategy<Value = LeapDay> {
    prop_oneof![Just(LeapDay::Backward), Just(LeapDay::Forward), Just(LeapDay::Omit)]
}

fn any_milestones() -> impl Strategy<Value = Milestones> {
    prop_oneof![
        Just(Milestones::Every),
        (1u16..20).prop_map(Milestones::From),
        (1u16..8).prop_map(Milestones::EveryN),
        prop::collection::btree_set(1u16..30, 1..4).prop_map(Milestones::Years),
    ]
}

fn any_date() -> impl Strategy<Value = NaiveDate> {
    let plain = (1971i32..2060, 1u32..=366).prop_filter_map("a day", |(y, d)| NaiveDate::from_yo_opt(y, d));
    let leap = (493i32..515).prop_filter_map("a leap day", |y| NaiveDate::from_ymd_opt(y * 4, 2, 29));
    prop_oneof![4 => plain, 1 => leap]
}

proptest! {
    #[test]
    fn anniversaries_are_the_days_that_the_definition_names(
        today in any_date(), start in any_date(), leap in leap_days(), milestones in any_milestones(),
        back in 0u16..400, ahead in 0u16..500,
    ) {
        let rule = Rule::anniversary()
            .with_leap_day(leap)
            .with_milestones(milestones)
            .with_max_late_days(back)
            .with_window(Span::Days(back), Span::Days(ahead));
        let expected = by_definition(&rule, today, start);
        let scan = Scan::new(today, [(campaign("c", rule), None)]);
        let found: Vec<_> = scan.due(&started("1", &start.to_string())).iter().map(|gift| gift.due).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn every_birthday_is_seen_by_each_of_the_eight_runs_before_it(
        birth in any_date(), year in 2061i32..2090, leap in leap_days(),
    ) {
        let rule = Rule::birthday().with_leap_day(leap);
        let campaign: Campaign = campaign("c", rule);
        let Some(day) = leap.observe(birth.month(), birth.day(), year) else { return Ok(()) };
        for ahead in 0..=9 {
            let scan = Scan::new(day - Days::new(ahead), [(campaign.clone(), None)]);
            let gifts = scan.due(&born("1", &birth.to_string()));
            let seen = gifts.iter().any(|gift| gift.due == day && gift.occurrence == Occurrence::Year(year));
            prop_assert_eq!(seen, ahead <= 7);
        }
    }
}
