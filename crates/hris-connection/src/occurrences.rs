//! From a schedule to instants: the next run, and what is due after an outage. Pure functions.

use std::hash::Hasher as _;

use chrono::{
    DateTime, Datelike as _, Days, LocalResult, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _,
    Utc, Weekday,
};
use hris_core::{ConnectionKey, RunId};
use siphasher::sip::SipHasher13;

use crate::schedule::{CatchUp, Frequency, Schedule, Zone, parse};

/// How many missed runs are counted one by one; from there on a count says "at least".
const COUNTED: u64 = 10_000;
/// How many blackout windows may follow each other without a gap before a schedule counts as blacked out for good.
const WINDOWS: usize = 800;
/// The longest time that clocks ever skipped: a whole day, at the date line.
const LONGEST_GAP_MINUTES: i64 = 26 * 60;

/// One run of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurrence {
    /// The time by the frequency alone, which names the run.
    pub nominal: DateTime<Utc>,
    /// When it starts: after jitter, and outside blackout windows.
    pub due: DateTime<Utc>,
}

impl Occurrence {
    /// The name of this run, the same whoever computes it, so that it happens once.
    pub fn run_id(&self) -> RunId {
        RunId::from(format!("scheduled {}", self.nominal.format("%Y-%m-%dT%H:%MZ")))
    }
}

/// What a schedule asks for at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Due {
    /// The run to start now.
    pub run: Option<Occurrence>,
    /// Runs that were due and are not made up for.
    pub missed: Missed,
    /// Everything up to here is dealt with once `run` and `missed` are: what to ask with next time.
    pub handled: DateTime<Utc>,
    /// The run after that; `None` if the schedule never runs again.
    pub next: Option<Occurrence>,
}

/// Runs that were due and did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed {
    /// How many.
    pub count: u64,
    /// Whether there were more than could be counted.
    pub at_least: bool,
    /// When the first and the last of them were due.
    pub between: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Missed {
    fn add(&mut self, occurrence: Occurrence) {
        self.count += 1;
        let first = self.between.map_or(occurrence.due, |(first, _)| first);
        self.between = Some((first, occurrence.due));
    }
}

impl Schedule {
    /// The first run after an instant, for one connection; `None` if there is none any more.
    ///
    /// Runs that blackout windows move to one instant are one run.
    pub fn next_run(&self, after: DateTime<Utc>, connection: &ConnectionKey) -> Option<Occurrence> {
        Timeline::new(self, connection)?.next(after)
    }

    /// The runs after an instant in order, for a page that shows the next few.
    pub fn upcoming(
        &self,
        after: DateTime<Utc>,
        connection: &ConnectionKey,
    ) -> impl Iterator<Item = Occurrence> + use<'_> {
        let timeline = Timeline::new(self, connection);
        let mut after = after;
        std::iter::from_fn(move || {
            let next = timeline.as_ref()?.next(after)?;
            after = next.nominal;
            Some(next)
        })
    }

    /// What is due at `now`, when everything up to `handled` was dealt with.
    pub fn due(&self, connection: &ConnectionKey, handled: DateTime<Utc>, now: DateTime<Utc>) -> Due {
        let mut due = Due { run: None, missed: Missed::default(), handled, next: None };
        let Some(timeline) = Timeline::new(self, connection) else {
            return due;
        };
        let mut counted = 0;
        loop {
            match timeline.next(due.handled) {
                Some(occurrence) if occurrence.due <= now => {
                    due.handled = occurrence.nominal;
                    if let Some(earlier) = due.run.replace(occurrence) {
                        due.missed.add(earlier);
                    }
                }
                next => {
                    due.next = next;
                    break;
                }
            }
            counted += 1;
            if counted == COUNTED
                && let Some(near) = timeline.near(now, due.handled)
            {
                due.missed.at_least = true;
                due.handled = near;
            }
        }
        if let Some(run) = due.run
            && self.is_too_late(run, now)
        {
            due.missed.add(run);
            due.run = None;
        }
        due
    }

    fn is_too_late(&self, run: Occurrence, now: DateTime<Utc>) -> bool {
        match self.catch_up() {
            CatchUp::Latest => false,
            CatchUp::Within { minutes } => now - run.due > TimeDelta::minutes(minutes.into()),
        }
    }
}

/// The first time by the frequency alone after an instant.
pub(crate) fn first_nominal(schedule: &Schedule, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Nominal::new(schedule)?.next(after)
}

/// The runs of one connection in order.
struct Timeline<'a> {
    schedule: &'a Schedule,
    nominal: Nominal<'a>,
    offset: TimeDelta,
}

impl<'a> Timeline<'a> {
    fn new(schedule: &'a Schedule, connection: &ConnectionKey) -> Option<Self> {
        let offset = offset(schedule.jitter_minutes(), connection);
        Some(Self { schedule, nominal: Nominal::new(schedule)?, offset })
    }

    fn next(&self, after: DateTime<Utc>) -> Option<Occurrence> {
        let mut nominal = self.nominal.next(after)?;
        let due = self.start(nominal)?;
        // Only a window moves two of them to one instant.
        while due != nominal + self.offset
            && let Some(following) = self.nominal.next(nominal)
            && self.start(following) == Some(due)
        {
            nominal = following;
        }
        Some(Occurrence { nominal, due })
    }

    /// When the run of a nominal time starts. It grows with the nominal time, so that runs keep their order.
    fn start(&self, nominal: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.outside(self.outside(nominal)? + self.offset)
    }

    fn outside(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut at = at;
        for _ in 0..WINDOWS {
            let zone = self.schedule.zone();
            let mut windows = self.schedule.blackouts().iter();
            match windows.find_map(|window| window.end_at(zone, at)) {
                Some(end) => at = end,
                None => return Some(at),
            }
        }
        None
    }

    /// An instant shortly before the latest run that is due, if there are many between `handled` and it.
    fn near(&self, now: DateTime<Utc>, handled: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let starts = [1, 24, 8 * 24, 40 * 24].into_iter().map(|hours| now - TimeDelta::hours(hours));
        starts
            .take_while(|start| *start > handled)
            .find(|start| self.next(*start).is_some_and(|occurrence| occurrence.due <= now))
    }
}

/// A connection's own part of the jitter, to the second.
fn offset(jitter_minutes: u16, connection: &ConnectionKey) -> TimeDelta {
    let seconds = u64::from(jitter_minutes) * 60;
    if seconds == 0 {
        return TimeDelta::zero();
    }
    let mut hasher = SipHasher13::new();
    hasher.write(connection.tenant().as_str().as_bytes());
    hasher.write_u8(0);
    hasher.write(connection.connection().as_bytes());
    TimeDelta::seconds(i64::try_from(hasher.finish() % seconds).unwrap_or_default())
}

/// The times of a frequency.
enum Nominal<'a> {
    Calendar(&'a Frequency, Zone),
    Cron(Box<croner::Cron>, Zone),
}

impl<'a> Nominal<'a> {
    fn new(schedule: &'a Schedule) -> Option<Self> {
        Some(match schedule.frequency() {
            // It was checked when the schedule was made.
            Frequency::Cron { expression } => Self::Cron(Box::new(parse(expression).ok()?), schedule.zone()),
            calendar => Self::Calendar(calendar, schedule.zone()),
        })
    }

    fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Calendar(frequency, zone) => next_by_calendar(frequency, *zone, after),
            Self::Cron(cron, zone) => {
                let found = cron.find_next_occurrence(&after.with_timezone(&zone.tz()), false);
                found.ok().map(|found| found.with_timezone(&Utc))
            }
        }
    }
}

fn next_by_calendar(frequency: &Frequency, zone: Zone, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // A skipped day is made up for on the next one, so that yesterday's run may still lie ahead.
    let first = zone.date(after).checked_sub_days(Days::new(2))?;
    let later = |candidate: DateTime<Utc>| Some(candidate).filter(|candidate| *candidate > after);
    match frequency {
        Frequency::Daily { at } => {
            first.iter_days().take(6).find_map(|day| later(resolve(zone, day.and_time(at.time()))?))
        }
        Frequency::Weekly { on, at } => {
            let days = first.iter_days().take(20).filter(|day| day.weekday() == Weekday::from(*on));
            days.into_iter().find_map(|day| later(resolve(zone, day.and_time(at.time()))?))
        }
        Frequency::Monthly { on, at } => {
            let start = first.with_day(1)?;
            let days = (0..4).filter_map(|months| day_of_month(start, months, *on));
            days.into_iter().find_map(|day| later(resolve(zone, day.and_time(at.time()))?))
        }
        Frequency::Cron { .. } => None,
    }
}

/// A day of the month that comes so many months after `start`, the first of a month; its last if it is shorter.
fn day_of_month(start: NaiveDate, months: u32, on: u8) -> Option<NaiveDate> {
    let month = start.checked_add_months(Months::new(months))?;
    let days = u32::from(month.num_days_in_month());
    month.with_day(u32::from(on).min(days))
}

/// The instant of a local time: the first of two, or the first minute after a gap that it falls into.
pub(crate) fn resolve(zone: Zone, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    let at = |local: &NaiveDateTime| match zone.tz().from_local_datetime(local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
        LocalResult::None => None,
    };
    (0..=LONGEST_GAP_MINUTES).find_map(|minutes| at(&local.checked_add_signed(TimeDelta::minutes(minutes))?))
}
