//! Windows in which no import starts.

use chrono::{DateTime, Days, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::occurrences::resolve;
use crate::schedule::{DayOfWeek, TimeOfDay, Zone};

/// A window in which nothing starts, in the schedule's zone. What is under way goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[non_exhaustive]
pub enum Blackout {
    /// Some hours on some days of each week, such as office hours.
    Hours {
        /// The days on which it begins; every day if there is none.
        #[serde(default)]
        days: Vec<DayOfWeek>,
        /// From this time on.
        from: TimeOfDay,
        /// Until before this time: on the next day unless it is later than `from`.
        until: TimeOfDay,
    },
    /// Whole days, such as the end of a year.
    Dates {
        /// The first day.
        #[schemars(with = "String")]
        first: NaiveDate,
        /// The last day.
        #[schemars(with = "String")]
        last: NaiveDate,
    },
}

impl Blackout {
    /// When the window that `at` lies in ends; `None` outside of it.
    pub(crate) fn end_at(&self, zone: Zone, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let date = zone.date(at);
        let inside = |(start, end): &(DateTime<Utc>, DateTime<Utc>)| (start..end).contains(&&at);
        match self {
            Self::Dates { first, last } => {
                let start = resolve(zone, first.and_time(TimeOfDay::MIDNIGHT.time()))?;
                let after = last.checked_add_days(Days::new(1))?;
                let end = resolve(zone, after.and_time(TimeOfDay::MIDNIGHT.time()))?;
                Some((start, end)).filter(inside).map(|(_, end)| end)
            }
            Self::Hours { .. } => {
                // A window that began yesterday may reach into today.
                let days = [date.pred_opt()?, date];
                days.into_iter().filter_map(|day| self.window(zone, day)).find(inside).map(|(_, end)| end)
            }
        }
    }

    fn window(&self, zone: Zone, day: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let Self::Hours { days, from, until } = self else {
            return None;
        };
        let begins = |chosen: &DayOfWeek| chrono::Datelike::weekday(&day) == chrono::Weekday::from(*chosen);
        if !days.is_empty() && !days.iter().any(begins) {
            return None;
        }
        let last = if until > from { day } else { day.succ_opt()? };
        Some((resolve(zone, day.and_time(from.time()))?, resolve(zone, last.and_time(until.time()))?))
    }
}
