//! When connections run: local times across changes to and from summer time, jitter, blackouts, outages.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use chrono::{DateTime, Utc};
use hris_connection::{Blackout, CatchUp, DayOfWeek, Frequency, Schedule, TimeOfDay};
use hris_core::{ConnectionKey, ErrorKind};

fn key() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn time(text: &str) -> TimeOfDay {
    text.parse().unwrap()
}

fn cron(expression: &str) -> Frequency {
    Frequency::Cron { expression: expression.to_owned() }
}

/// Without jitter, so that the expected instants can be read.
fn exact(frequency: Frequency, zone: &str) -> Schedule {
    Schedule::new(frequency, zone.parse().unwrap()).unwrap().with_jitter_minutes(0)
}

/// The instants of the next runs.
fn next(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let mut after = at(after);
    let mut found = Vec::new();
    for _ in 0..count {
        let run = schedule.next_run(after, &key()).unwrap();
        assert_eq!(run.nominal, run.due);
        after = run.nominal;
        found.push(run.due.format("%m-%dT%H:%MZ").to_string());
    }
    found
}

#[test]
fn a_daily_time_that_the_clocks_skip_runs_at_the_first_minute_after() {
    let madrid = exact(Frequency::Daily { at: time("02:30") }, "Europe/Madrid");
    assert_eq!(next(&madrid, "2026-03-28T00:00:00Z", 3), ["03-28T01:30Z", "03-29T01:00Z", "03-30T00:30Z"]);
}

#[test]
fn a_daily_time_that_the_clocks_show_twice_runs_once() {
    let madrid = exact(Frequency::Daily { at: time("02:30") }, "Europe/Madrid");
    assert_eq!(next(&madrid, "2026-10-24T12:00:00Z", 2), ["10-25T00:30Z", "10-26T01:30Z"]);
}

#[test]
fn half_hour_changes_and_southern_summers_are_right() {
    // Lord Howe Island moves by half an hour, on 4 October 2026 from 02:00 to 02:30.
    let island = exact(Frequency::Daily { at: time("02:15") }, "Australia/Lord_Howe");
    assert_eq!(next(&island, "2026-10-02T15:50:00Z", 2), ["10-03T15:30Z", "10-04T15:15Z"]);
    let sydney = exact(Frequency::Daily { at: time("02:30") }, "Australia/Sydney");
    assert_eq!(next(&sydney, "2026-10-03T00:00:00Z", 2), ["10-03T16:00Z", "10-04T15:30Z"]);
}

#[test]
fn weeks_and_months_keep_their_day() {
    let weekly = exact(Frequency::Weekly { on: DayOfWeek::Monday, at: time("06:00") }, "America/New_York");
    assert_eq!(next(&weekly, "2026-03-02T11:00:00Z", 2), ["03-09T10:00Z", "03-16T10:00Z"]);
    let monthly = exact(Frequency::Monthly { on: 31, at: time("06:00") }, "UTC");
    assert_eq!(
        next(&monthly, "2026-01-31T06:00:00Z", 4),
        ["02-28T06:00Z", "03-31T06:00Z", "04-30T06:00Z", "05-31T06:00Z"],
        "the last day of shorter months"
    );
    let leap = exact(Frequency::Monthly { on: 30, at: time("00:00") }, "UTC");
    assert_eq!(next(&leap, "2028-02-01T00:00:00Z", 1), ["02-29T00:00Z"]);
}

#[test]
fn a_cron_expression_with_a_fixed_time_runs_once_and_one_with_a_wildcard_at_every_instant() {
    let fixed = exact(cron("30 2 * * *"), "Europe/Madrid");
    assert_eq!(next(&fixed, "2026-03-28T12:00:00Z", 2), ["03-29T01:00Z", "03-30T00:30Z"]);
    assert_eq!(next(&fixed, "2026-10-24T12:00:00Z", 2), ["10-25T00:30Z", "10-26T01:30Z"]);
    let hourly = exact(cron("30 * * * *"), "Europe/Madrid");
    assert_eq!(next(&hourly, "2026-10-25T00:00:00Z", 3), ["10-25T00:30Z", "10-25T01:30Z", "10-25T02:30Z"]);
    let weekdays = exact(cron("0 3 * * MON-FRI"), "UTC");
    assert_eq!(next(&weekdays, "2026-03-06T04:00:00Z", 1), ["03-09T03:00Z"]);
}

#[test]
fn a_cron_expression_that_never_fires_is_refused() {
    let never = exact(cron("0 0 30 2 *"), "UTC");
    let error = never.check(at("2026-03-02T00:00:00Z")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("never happens") && error.hint().is_some(), "{error}");
    exact(cron("0 0 29 2 *"), "UTC").check(at("2026-03-02T00:00:00Z")).unwrap();
}

#[test]
fn a_cron_expression_that_is_none_is_refused() {
    for expression in ["", "every day", "* * * *", "61 * * * *", "0 0 0 * * *", "0 25 * * *"] {
        let error = Schedule::new(cron(expression), "UTC".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{expression}");
    }
}

#[test]
fn a_zone_that_does_not_exist_is_refused() {
    for zone in ["Europe/Atlantis", "CEST+2", "", "europe madrid"] {
        let error = zone.parse::<hris_connection::Zone>().unwrap_err();
        assert!(error.to_string().contains("does not exist") && error.hint().is_some(), "{error}");
    }
    let json = r#"{"frequency":{"every":"day","at":"02:30"},"zone":"Europe/Atlantis"}"#;
    assert!(serde_json::from_str::<Schedule>(json).unwrap_err().to_string().contains("Europe/Atlantis"));
}

#[test]
fn a_day_that_no_month_has_is_refused() {
    for on in [0, 32] {
        let frequency = Frequency::Monthly { on, at: TimeOfDay::MIDNIGHT };
        assert_eq!(Schedule::new(frequency, "UTC".parse().unwrap()).unwrap_err().kind(), ErrorKind::Config);
    }
}

#[test]
fn runs_in_a_blackout_move_to_its_end_and_are_one() {
    let office = Blackout::Hours {
        days: vec![DayOfWeek::Monday, DayOfWeek::Tuesday],
        from: time("08:00"),
        until: time("18:00"),
    };
    let hourly = exact(cron("0 * * * *"), "UTC").with_blackout(office);
    // 2 March 2026 is a Monday.
    let run = hourly.next_run(at("2026-03-02T07:00:00Z"), &key()).unwrap();
    assert_eq!((run.nominal, run.due), (at("2026-03-02T18:00:00Z"), at("2026-03-02T18:00:00Z")));
    let run = hourly.next_run(at("2026-03-04T07:00:00Z"), &key()).unwrap();
    assert_eq!(run.due, at("2026-03-04T08:00:00Z"), "not on a Wednesday");
}

#[test]
fn a_blackout_may_cross_midnight_and_span_days() {
    let night = Blackout::Hours { days: Vec::new(), from: time("22:00"), until: time("06:00") };
    let daily = exact(Frequency::Daily { at: time("02:00") }, "UTC").with_blackout(night);
    assert_eq!(daily.next_run(at("2026-03-02T00:00:00Z"), &key()).unwrap().due, at("2026-03-02T06:00:00Z"));
    let closing =
        Blackout::Dates { first: "2026-12-24".parse().unwrap(), last: "2027-01-01".parse().unwrap() };
    let daily = exact(Frequency::Daily { at: time("02:00") }, "Europe/Madrid").with_blackout(closing);
    let run = daily.next_run(at("2026-12-23T12:00:00Z"), &key()).unwrap();
    assert_eq!(run.due, at("2027-01-01T23:00:00Z"), "at midnight in Madrid after the last day");
}

#[test]
fn blackouts_without_a_gap_are_refused() {
    let day = Blackout::Hours { days: Vec::new(), from: time("00:00"), until: time("00:00") };
    let never = exact(Frequency::Daily { at: time("02:00") }, "UTC").with_blackout(day);
    assert!(never.check(at("2026-03-02T00:00:00Z")).unwrap_err().to_string().contains("no time to run"));
}

#[test]
fn jitter_spreads_connections_and_is_the_same_every_day() {
    let schedule = exact(Frequency::Daily { at: time("02:00") }, "UTC").with_jitter_minutes(60);
    let nominal = at("2026-03-02T02:00:00Z");
    let mut minutes = [0_u32; 6];
    for tenant in 0..600 {
        let key = ConnectionKey::new(format!("tenant {tenant}"), "hr");
        let today = schedule.next_run(at("2026-03-02T00:00:00Z"), &key).unwrap();
        let tomorrow = schedule.next_run(today.nominal, &key).unwrap();
        assert_eq!(today.nominal, nominal);
        assert_eq!(tomorrow.due - today.due, chrono::TimeDelta::days(1));
        let shift = (today.due - nominal).num_minutes();
        minutes[usize::try_from(shift / 10).unwrap()] += 1;
    }
    assert!(minutes.iter().all(|tenants| *tenants > 60), "{minutes:?}");
}

#[test]
fn after_an_outage_the_latest_run_happens_and_the_others_are_reported() {
    let daily = exact(Frequency::Daily { at: time("02:00") }, "UTC");
    let due = daily.due(&key(), at("2026-03-02T02:00:00Z"), at("2026-03-06T09:00:00Z"));
    assert_eq!(due.run.unwrap().due, at("2026-03-06T02:00:00Z"));
    assert_eq!(due.missed.count, 3);
    assert_eq!(due.missed.between, Some((at("2026-03-03T02:00:00Z"), at("2026-03-05T02:00:00Z"))));
    assert_eq!(
        (due.handled, due.next.unwrap().due),
        (at("2026-03-06T02:00:00Z"), at("2026-03-07T02:00:00Z"))
    );
    let nothing = daily.due(&key(), due.handled, at("2026-03-06T09:00:01Z"));
    assert_eq!((nothing.run, nothing.missed.count), (None, 0));
}

#[test]
fn a_run_that_may_not_be_late_is_reported_instead() {
    let within = CatchUp::Within { minutes: 60 };
    let daily = exact(Frequency::Daily { at: time("02:00") }, "UTC").with_catch_up(within);
    let handled = at("2026-03-02T02:00:00Z");
    let in_time = daily.due(&key(), handled, at("2026-03-03T03:00:00Z"));
    assert_eq!((in_time.run.map(|run| run.due), in_time.missed.count), (Some(at("2026-03-03T02:00:00Z")), 0));
    let too_late = daily.due(&key(), handled, at("2026-03-03T03:00:01Z"));
    assert_eq!((too_late.run, too_late.missed.count), (None, 1));
    assert_eq!(too_late.handled, at("2026-03-03T02:00:00Z"));
}

#[test]
fn a_long_outage_of_a_frequent_schedule_is_counted_as_far_as_it_goes() {
    let every_minute = exact(cron("* * * * *"), "UTC");
    let due = every_minute.due(&key(), at("2025-01-01T00:00:00Z"), at("2026-03-02T09:00:30Z"));
    assert_eq!(due.run.unwrap().due, at("2026-03-02T09:00:00Z"));
    assert!(due.missed.at_least && due.missed.count >= 10_000);
    assert_eq!(due.missed.between.unwrap().1, at("2026-03-02T08:59:00Z"));
}

#[test]
fn a_clock_that_was_set_back_repeats_nothing() {
    let daily = exact(Frequency::Daily { at: time("02:00") }, "UTC");
    let handled = at("2026-03-06T02:00:00Z");
    for now in ["2026-03-06T01:59:00Z", "2026-03-01T12:00:00Z"] {
        let due = daily.due(&key(), handled, at(now));
        assert_eq!((due.run, due.missed.count, due.handled), (None, 0, handled));
        assert_eq!(due.next.unwrap().due, at("2026-03-07T02:00:00Z"));
    }
}

#[test]
fn a_schedule_reads_back_from_json_and_fills_in_its_defaults() {
    let short = r#"{"frequency":{"every":"month","on":5,"at":"23:15"},"zone":"Europe/Madrid"}"#;
    let schedule: Schedule = serde_json::from_str(short).unwrap();
    let frequency = Frequency::Monthly { on: 5, at: time("23:15") };
    assert_eq!(schedule, Schedule::new(frequency, "Europe/Madrid".parse().unwrap()).unwrap());
    let night = Blackout::Hours { days: vec![DayOfWeek::Friday], from: time("22:00"), until: time("06:00") };
    let full = schedule.with_blackout(night).with_catch_up(CatchUp::Within { minutes: 5 });
    let json = serde_json::to_string(&full).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), full);
    assert_eq!(full.frequency().to_string(), "monthly on day 5 at 23:15");
}
