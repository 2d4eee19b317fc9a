//! Laws of schedules, over random frequencies, zones, changes to and from summer time, blackouts and outages.
//! `PROPTEST_CASES` sets how many cases are tried.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use hris_connection::{Blackout, CatchUp, DayOfWeek, Frequency, Occurrence, Schedule, TimeOfDay};
use hris_core::ConnectionKey;
use proptest::prelude::*;

/// Zones with every kind of change: by an hour, by half an hour, in the south, around midnight, none.
const ZONES: [&str; 14] = [
    "UTC",
    "Europe/Madrid",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Asuncion",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
];

const DAYS: [DayOfWeek; 7] = [
    DayOfWeek::Monday,
    DayOfWeek::Tuesday,
    DayOfWeek::Wednesday,
    DayOfWeek::Thursday,
    DayOfWeek::Friday,
    DayOfWeek::Saturday,
    DayOfWeek::Sunday,
];

fn time() -> impl Strategy<Value = TimeOfDay> {
    // Half of them in the hours in which clocks change.
    let hours = prop_oneof![0_u32..4, 0_u32..24];
    (hours, 0_u32..60).prop_map(|(hour, minute)| TimeOfDay::new(hour, minute).unwrap())
}

fn day() -> impl Strategy<Value = DayOfWeek> {
    prop::sample::select(DAYS.to_vec())
}

fn calendar() -> impl Strategy<Value = Frequency> {
    prop_oneof![
        time().prop_map(|at| Frequency::Daily { at }),
        (day(), time()).prop_map(|(on, at)| Frequency::Weekly { on, at }),
        (1_u8..=31, time()).prop_map(|(on, at)| Frequency::Monthly { on, at }),
    ]
}

fn frequency() -> impl Strategy<Value = Frequency> {
    let cron = prop::sample::select(vec![
        "0 * * * *",
        "*/20 * * * *",
        "30 2 * * *",
        "15 1-3 * * *",
        "0 */6 * * *",
        "5 3 L * *",
        "45 23 * * MON-FRI",
        "0 0 29 2 *",
    ]);
    prop_oneof![calendar(), cron.prop_map(|expression| Frequency::Cron { expression: expression.to_owned() })]
}

fn blackout() -> impl Strategy<Value = Blackout> {
    let hours = (prop::collection::vec(day(), 0..3), time(), time())
        .prop_map(|(days, from, until)| Blackout::Hours { days, from, until });
    let dates = (0_i64..400, 0_i64..5).prop_map(|(first, length)| {
        let first = start().date_naive() + TimeDelta::days(first);
        Blackout::Dates { first, last: first + TimeDelta::days(length) }
    });
    prop_oneof![3 => hours, 1 => dates]
}

fn start() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

prop_compose! {
    fn schedule()(
        frequency in frequency(),
        zone in prop::sample::select(ZONES.to_vec()),
        jitter in prop_oneof![Just(0_u16), 1_u16..720],
        blackouts in prop::collection::vec(blackout(), 0..3),
        within in prop::option::of(0_u32..600),
    ) -> Schedule {
        let mut schedule =
            Schedule::new(frequency, zone.parse().unwrap()).unwrap().with_jitter_minutes(jitter);
        for blackout in blackouts {
            schedule = schedule.with_blackout(blackout);
        }
        match within {
            Some(minutes) => schedule.with_catch_up(CatchUp::Within { minutes }),
            None => schedule,
        }
    }
}

/// What happens between two looks at the schedule.
#[derive(Clone, Debug)]
enum Pass {
    /// The service looks again after so many minutes.
    Minutes(i64),
    /// An outage of so many hours.
    Outage(i64),
    /// The clock is set back by so many minutes, at most a day.
    SetBack(i64),
    /// The service crashes after it took the run and before it noted it.
    Crash,
}

fn passes() -> impl Strategy<Value = Vec<Pass>> {
    let pass = prop_oneof![
        6 => (1_i64..300).prop_map(Pass::Minutes),
        2 => (1_i64..24 * 6).prop_map(Pass::Outage),
        1 => (1_i64..24 * 60).prop_map(Pass::SetBack),
        1 => Just(Pass::Crash),
    ];
    prop::collection::vec(pass, 1..24)
}

/// Every run of a schedule from an instant on that is due until another, by asking for one after the other.
fn all(
    schedule: &Schedule,
    key: &ConnectionKey,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<Occurrence> {
    schedule.upcoming(from, key).take_while(|next| next.due <= until).collect()
}

/// A calendar time's instants, found by looking at every minute on the clock of the zone.
fn by_looking_at_the_clock(
    frequency: &Frequency,
    zone: Tz,
    from: DateTime<Utc>,
    minutes: i64,
) -> Vec<DateTime<Utc>> {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    let mut wanted: Vec<NaiveDateTime> = Vec::new();
    let first = local(from).date() - TimeDelta::days(3);
    for date in first.iter_days().take(usize::try_from(minutes / 1440 + 8).unwrap()) {
        let last_of_month = date.num_days_in_month();
        let at = match frequency {
            Frequency::Daily { at } => Some(at),
            Frequency::Weekly { on, at } => (date.weekday() == (*on).into()).then_some(at),
            Frequency::Monthly { on, at } => {
                (date.day() == u32::from(*on).min(u32::from(last_of_month))).then_some(at)
            }
            _ => None,
        };
        let time = |at: &TimeOfDay| chrono::NaiveTime::parse_from_str(&at.to_string(), "%H:%M").unwrap();
        wanted.extend(at.map(|at| date.and_time(time(at))));
    }
    let mut found = Vec::new();
    let mut next = wanted.into_iter().peekable();
    // Walk the minutes from well before: the first minute whose clock shows the time or later is the one.
    for minute in -3 * 1440..=minutes {
        let at = from + TimeDelta::minutes(minute);
        while next.next_if(|wanted| local(at) >= *wanted).is_some() {
            found.push(at);
        }
    }
    found.dedup();
    found.retain(|at| *at > from);
    found
}

proptest! {
    #[test]
    fn calendar_times_are_where_the_clock_on_the_wall_shows_them(
        frequency in calendar(),
        zone in prop::sample::select(ZONES.to_vec()),
        day in 0_i64..700,
    ) {
        let from = start() + TimeDelta::days(day);
        let schedule = Schedule::new(frequency.clone(), zone.parse().unwrap()).unwrap().with_jitter_minutes(0);
        let minutes = 20 * 1440;
        let expected = by_looking_at_the_clock(&frequency, zone.parse().unwrap(), from, minutes);
        let until = from + TimeDelta::minutes(minutes);
        let found: Vec<_> =
            all(&schedule, &ConnectionKey::new("t", "c"), from, until).iter().map(|run| run.due).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn runs_keep_their_order_their_name_and_stay_out_of_blackouts(schedule in schedule()) {
        let key = ConnectionKey::new("t", "c");
        let runs = all(&schedule, &key, start(), start() + TimeDelta::days(30));
        for pair in runs.windows(2) {
            prop_assert!(pair[0].nominal < pair[1].nominal && pair[0].due < pair[1].due);
            prop_assert_ne!(pair[0].run_id(), pair[1].run_id());
        }
        for run in &runs {
            prop_assert!(run.due >= run.nominal);
            prop_assert_eq!(run.nominal.second(), 0);
            let local = run.due.with_timezone(&schedule.zone().to_string().parse::<Tz>().unwrap());
            for blackout in schedule.blackouts() {
                if let Blackout::Dates { first, last } = blackout {
                    prop_assert!(!(*first..=*last).contains(&local.date_naive()));
                }
            }
        }
    }

    #[test]
    fn every_due_run_happens_once_or_is_reported_missed(schedule in schedule(), passes in passes()) {
        let key = ConnectionKey::new("t", "c");
        let (mut now, mut handled) = (start(), start());
        let mut latest = now;
        let mut happened: BTreeMap<DateTime<Utc>, u32> = BTreeMap::new();
        let mut missed = 0;
        for pass in passes {
            match pass {
                Pass::Minutes(minutes) => now += TimeDelta::minutes(minutes),
                Pass::Outage(hours) => now += TimeDelta::hours(hours),
                Pass::SetBack(minutes) => now -= TimeDelta::minutes(minutes),
                Pass::Crash => {
                    // The run was taken, and nothing of it was noted: the same run is taken again.
                    let (first, second) =
                        (schedule.due(&key, handled, now), schedule.due(&key, handled, now));
                    prop_assert_eq!(first, second);
                    continue;
                }
            }
            latest = latest.max(now);
            let due = schedule.due(&key, handled, now);
            if let Some(run) = due.run {
                prop_assert!(run.due <= now);
                *happened.entry(run.nominal).or_default() += 1;
            }
            missed += due.missed.count;
            prop_assert!(due.handled >= handled, "what is dealt with stays so");
            handled = due.handled;
        }
        let due = schedule.due(&key, handled, latest);
        happened.extend(due.run.map(|run| (run.nominal, 1)));
        missed += due.missed.count;
        let all = all(&schedule, &key, start(), latest);
        prop_assert!(happened.values().all(|times| *times == 1), "no run happens twice");
        prop_assert!(happened.keys().all(|nominal| all.iter().any(|run| run.nominal == *nominal)));
        prop_assert_eq!(all.len() as u64, happened.len() as u64 + missed);
    }
}
