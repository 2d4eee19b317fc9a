//! When a connection runs: the frequency that was chosen, its zone, jitter, blackout windows and catch-up.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use hris_core::{ConnectionKey, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blackout::Blackout;
use crate::occurrences;

/// How often an import happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "every", deny_unknown_fields)]
#[non_exhaustive]
pub enum Frequency {
    /// Every day.
    #[serde(rename = "day")]
    Daily {
        /// The time of day.
        at: TimeOfDay,
    },
    /// Every week.
    #[serde(rename = "week")]
    Weekly {
        /// The day.
        on: DayOfWeek,
        /// The time of day.
        at: TimeOfDay,
    },
    /// Every month.
    #[serde(rename = "month")]
    Monthly {
        /// The day from 1 to 31; in a shorter month its last day.
        on: u8,
        /// The time of day.
        at: TimeOfDay,
    },
    /// A cron expression of five fields: minute, hour, day of month, month, day of week.
    #[serde(rename = "cron")]
    Cron {
        /// The expression, such as `0 3 * * MON-FRI`.
        expression: String,
    },
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily { at } => write!(f, "daily at {at}"),
            Self::Weekly { on, at } => write!(f, "weekly on {on} at {at}"),
            Self::Monthly { on, at } => write!(f, "monthly on day {on} at {at}"),
            Self::Cron { expression } => write!(f, "by the cron expression {expression}"),
        }
    }
}

/// A time of day to the minute, as `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(NaiveTime);

impl TimeOfDay {
    /// Midnight, at which a day begins.
    pub const MIDNIGHT: Self = Self(NaiveTime::MIN);

    /// A time of day; `None` if there is none such.
    pub fn new(hour: u32, minute: u32) -> Option<Self> {
        NaiveTime::from_hms_opt(hour, minute, 0).map(Self)
    }

    pub(crate) fn time(self) -> NaiveTime {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}

impl FromStr for TimeOfDay {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        NaiveTime::parse_from_str(text, "%H:%M").map(Self).map_err(|_| {
            Error::config(
                format!("`{text}` is no time of day"),
                "write hours and minutes, from 00:00 to 23:59, such as 02:30",
            )
        })
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl JsonSchema for TimeOfDay {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A time of day as HH:MM.",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"
        })
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum DayOfWeek {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<DayOfWeek> for chrono::Weekday {
    fn from(day: DayOfWeek) -> Self {
        match day {
            DayOfWeek::Monday => Self::Mon,
            DayOfWeek::Tuesday => Self::Tue,
            DayOfWeek::Wednesday => Self::Wed,
            DayOfWeek::Thursday => Self::Thu,
            DayOfWeek::Friday => Self::Fri,
            DayOfWeek::Saturday => Self::Sat,
            DayOfWeek::Sunday => Self::Sun,
        }
    }
}

impl fmt::Display for DayOfWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// An IANA time zone, such as `Europe/Madrid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    pub(crate) fn tz(self) -> Tz {
        self.0
    }

    /// The calendar date that it is there at an instant: today, where the customer is.
    pub fn date(self, at: DateTime<Utc>) -> chrono::NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Zone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.parse().map(Self).map_err(|_| {
            Error::config(
                format!("the time zone `{text}` does not exist"),
                "name one of the IANA zones, such as Europe/Madrid, America/New_York or UTC",
            )
        })
    }
}

impl TryFrom<String> for Zone {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An IANA time zone, such as Europe/Madrid."
        })
    }
}

/// What happens to a run whose time passed while nothing ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "policy", deny_unknown_fields)]
#[non_exhaustive]
pub enum CatchUp {
    /// The latest missed run is made up for as soon as possible; earlier ones are reported as missed. A run reads
    /// everything, so that one makes up for all.
    #[default]
    Latest,
    /// As `Latest`, but only while the run is less late than this; after that it is reported as missed too.
    Within {
        /// How late a run may begin.
        minutes: u32,
    },
}

/// When a connection runs. Pure data and arithmetic: nothing here reads a clock.
///
/// Local times are right across changes to and from summer time: a time that the clocks skip runs at the first minute
/// after the gap, and one that they show twice runs the first time only. Cron expressions with a wildcard or a step
/// among minutes or hours run at every instant that fits, so twice in a repeated hour and not in a skipped one.
///
/// ```
/// use hris_connection::{Frequency, Schedule, TimeOfDay};
/// use hris_core::ConnectionKey;
/// let half_past_two = TimeOfDay::new(2, 30).unwrap();
/// let schedule = Schedule::new(Frequency::Daily { at: half_past_two }, "Europe/Madrid".parse()?)?.with_jitter_minutes(0);
/// // On 29 March 2026 the clocks in Madrid go from 02:00 to 03:00.
/// let saturday = "2026-03-28T12:00:00Z".parse().unwrap();
/// let next = schedule.next_run(saturday, &ConnectionKey::new("brisa", "sesame")).unwrap();
/// assert_eq!(next.due.to_rfc3339(), "2026-03-29T01:00:00+00:00");
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Form")]
pub struct Schedule {
    frequency: Frequency,
    zone: Zone,
    jitter_minutes: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blackouts: Vec<Blackout>,
    catch_up: CatchUp,
}

/// When a connection runs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
struct Form {
    /// How often.
    frequency: Frequency,
    /// The zone of all times of day.
    zone: Zone,
    /// Over how many minutes connections with one time of day are spread.
    #[serde(default = "default_jitter")]
    #[schemars(range(max = 720))]
    jitter_minutes: u16,
    /// Windows in which nothing starts.
    #[serde(default)]
    blackouts: Vec<Blackout>,
    /// What happens to a run whose time passed while nothing ran.
    #[serde(default)]
    catch_up: CatchUp,
}

fn default_jitter() -> u16 {
    Schedule::DEFAULT_JITTER_MINUTES
}

impl TryFrom<Form> for Schedule {
    type Error = Error;

    fn try_from(form: Form) -> Result<Self> {
        let mut schedule = Self::new(form.frequency, form.zone)?.with_jitter_minutes(form.jitter_minutes);
        schedule.blackouts = form.blackouts;
        schedule.catch_up = form.catch_up;
        Ok(schedule)
    }
}

impl Schedule {
    /// Spreads the runs of many connections with one time of day over a quarter of an hour.
    pub const DEFAULT_JITTER_MINUTES: u16 = 15;
    /// The longest jitter.
    pub const MAX_JITTER_MINUTES: u16 = 12 * 60;

    /// A schedule with the default jitter, without blackout windows, that makes up for the latest missed run.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] for a cron expression that is none and a day of month that no month has.
    /// Whether it ever fires depends on the date: see [`Schedule::check`].
    pub fn new(frequency: Frequency, zone: Zone) -> Result<Self> {
        match &frequency {
            Frequency::Monthly { on, .. } if !(1..=31).contains(on) => {
                return Err(Error::config(
                    format!("no month has a day {on}"),
                    "choose a day from 1 to 31; in a shorter month its last day is taken",
                ));
            }
            Frequency::Cron { expression } => drop(parse(expression)?),
            _ => {}
        }
        Ok(Self {
            frequency,
            zone,
            jitter_minutes: Self::DEFAULT_JITTER_MINUTES,
            blackouts: Vec::new(),
            catch_up: CatchUp::default(),
        })
    }

    /// Shifts every run of a connection by a fixed part of so many minutes, at most
    /// [`Schedule::MAX_JITTER_MINUTES`], so that not all tenants come at once. The part depends on the connection
    /// alone, so that each tenant's runs are still as far apart as they chose.
    #[must_use]
    pub fn with_jitter_minutes(mut self, minutes: u16) -> Self {
        self.jitter_minutes = minutes.min(Self::MAX_JITTER_MINUTES);
        self
    }

    /// Adds a window in which nothing starts; runs that fall into it move to its end.
    #[must_use]
    pub fn with_blackout(mut self, blackout: Blackout) -> Self {
        self.blackouts.push(blackout);
        self
    }

    /// What happens to runs whose time passed.
    #[must_use]
    pub fn with_catch_up(mut self, catch_up: CatchUp) -> Self {
        self.catch_up = catch_up;
        self
    }

    /// The frequency.
    pub fn frequency(&self) -> &Frequency {
        &self.frequency
    }

    /// The zone of its times.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The windows in which nothing starts.
    pub fn blackouts(&self) -> &[Blackout] {
        &self.blackouts
    }

    /// What happens to runs whose time passed.
    pub fn catch_up(&self) -> CatchUp {
        self.catch_up
    }

    pub(crate) fn jitter_minutes(&self) -> u16 {
        self.jitter_minutes
    }

    /// Checks that it will run after `now`, which takes a date to tell.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] if it never runs: a cron expression for a day that does not come, or blackout
    /// windows that leave no room.
    pub fn check(&self, now: DateTime<Utc>) -> Result<()> {
        if occurrences::first_nominal(self, now).is_none() {
            return Err(Error::config(
                format!("an import {} never happens", self.frequency),
                "choose a day that comes: there is no 30 February, for example",
            ));
        }
        if self.next_run(now, &ConnectionKey::new("", "")).is_none() {
            return Err(Error::config(
                "the blackout windows leave no time to run",
                "leave at least a minute of the week without one",
            ));
        }
        Ok(())
    }
}

/// A cron expression of five fields; names and the usual extensions (`L`, `W`, `#`) are allowed.
pub(crate) fn parse(expression: &str) -> Result<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(expression).map_err(|error| {
        Error::config(
            format!("`{expression}` is no cron expression: {error}"),
            "give five fields: minute, hour, day of month, month, day of week, such as `0 3 * * MON-FRI`",
        )
    })
}
