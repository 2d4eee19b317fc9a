//! From a local date, a time of day and a zone to an instant, across changes of the clocks.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// A change of the clocks skips at most a day (Samoa left out 30 December 2011).
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// The instant at which a wall clock in `zone` shows `time` on `date`.
///
/// Where the clocks are put back the first of the two instants; where they are put forward over the time, the first
/// valid instant after the gap. `None` only at the very ends of the calendar.
///
/// ```
/// use hris_campaigns::instant_of;
/// let at = |date: &str, time: &str| {
///     instant_of(date.parse().unwrap(), time.parse().unwrap(), chrono_tz::Europe::Madrid).unwrap().to_rfc3339()
/// };
/// assert_eq!(at("2025-07-31", "09:00:00"), "2025-07-31T07:00:00+00:00");
/// assert_eq!(at("2025-03-30", "02:30:00"), "2025-03-30T01:00:00+00:00"); // in the gap: 03:00 summer time
/// assert_eq!(at("2025-10-26", "02:30:00"), "2025-10-26T00:30:00+00:00"); // twice: the first
/// ```
pub fn instant_of(date: NaiveDate, time: NaiveTime, zone: Tz) -> Option<DateTime<Utc>> {
    let wall = date.and_time(time);
    earliest(wall, zone).or_else(|| after_gap(wall, zone))
}

fn earliest(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    zone.from_local_datetime(&wall).earliest().map(|at| at.to_utc())
}

/// Minute by minute: gaps are whole minutes in every zone of living memory.
fn after_gap(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    use chrono::Timelike as _;
    let minute = wall.with_second(0)?.with_nanosecond(0)?;
    (1..=LONGEST_GAP_MINUTES)
        .find_map(|minutes| earliest(minute.checked_add_signed(TimeDelta::minutes(minutes))?, zone))
}

/// The calendar date in a zone at an instant.
///
/// ```
/// use hris_campaigns::date_in;
/// let evening = "2025-07-31T23:30:00Z".parse().unwrap();
/// assert_eq!(date_in(evening, chrono_tz::Pacific::Kiritimati).to_string(), "2025-08-01");
/// assert_eq!(date_in(evening, chrono_tz::America::New_York).to_string(), "2025-07-31");
/// ```
pub fn date_in(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// A date moved by days, forward or back; the calendar's ends where there is none.
pub(crate) fn shift(date: NaiveDate, days: i32) -> NaiveDate {
    let by = Days::new(days.unsigned_abs().into());
    if days < 0 {
        date.checked_sub_days(by).unwrap_or(NaiveDate::MIN)
    } else {
        date.checked_add_days(by).unwrap_or(NaiveDate::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_a_zone_skipped_gives_the_first_instant_after_it() {
        let at =
            instant_of("2011-12-30".parse().unwrap(), "09:00:00".parse().unwrap(), chrono_tz::Pacific::Apia);
        assert_eq!(at.unwrap().to_rfc3339(), "2011-12-30T10:00:00+00:00", "31 December, midnight");
    }

    #[test]
    fn one_date_lasts_fifty_hours_on_earth() {
        let day: NaiveDate = "2025-07-31".parse().unwrap();
        let first = instant_of(day, NaiveTime::MIN, chrono_tz::Pacific::Kiritimati).unwrap();
        let last = instant_of(day.succ_opt().unwrap(), NaiveTime::MIN, chrono_tz::Etc::GMTPlus12).unwrap();
        assert_eq!((last - first).num_hours(), 50);
    }
}
