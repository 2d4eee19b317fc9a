//! Dates as HR systems write them: with times, without years, as placeholders, impossible.

use chrono::{Datelike as _, NaiveDate};
use hris_core::{BirthDate, RuleCode, ValueRef};

use crate::rule;

/// What a campaign reads from a date field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Month and day are enough, as for birthdays.
    MonthAndDay,
    /// A full date that can be counted from, as for a start of work.
    Full,
}

/// A calendar day whose year may be unknown, with what was odd about how it was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) year: Option<i32>,
    pub(crate) remark: Option<Remark>,
}

/// Something odd that does not keep the date from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// A time of day other than midnight UTC: the date is taken as written.
    TimeOfDay,
    /// The year is one that systems fill in where they know none.
    PlaceholderYear,
    /// 29 February of a year without it: month and day are taken.
    NoSuchLeapDay,
}

impl Remark {
    pub(crate) fn rule(self) -> RuleCode {
        match self {
            Self::TimeOfDay => rule::DATE_WITH_TIME,
            Self::PlaceholderYear => rule::DATE_PLACEHOLDER,
            Self::NoSuchLeapDay => rule::DATE_LEAP_DAY,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::TimeOfDay => "the date has a time of day; the calendar date is taken as written",
            Self::PlaceholderYear => "the year looks like a placeholder; month and day are used",
            Self::NoSuchLeapDay => "29 February of a year without it; month and day are used",
        }
    }
}

/// Why a date cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// No calendar has that day, or the text is no date.
    Impossible,
    /// A year that systems fill in where they know none, where the year counts.
    Placeholder,
    /// The year is missing where it counts.
    NoYear,
    /// A date of birth after today.
    Future,
}

impl Unusable {
    pub(crate) fn rule(self) -> RuleCode {
        match self {
            Self::Impossible | Self::NoYear => rule::DATE_IMPOSSIBLE,
            Self::Placeholder => rule::DATE_PLACEHOLDER,
            Self::Future => rule::DATE_FUTURE,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Impossible => "this is no day of any calendar; correct it in the HR system",
            Self::Placeholder => "the date is a placeholder; enter the real one in the HR system",
            Self::NoYear => "the year is missing; enter it in the HR system",
            Self::Future => "the date of birth is in the future; correct it in the HR system",
        }
    }
}

/// Years up to this one are what systems write for "unknown" (0, 1, 1899, 1900, 1904): nobody at work began then.
const LAST_PLACEHOLDER_YEAR: i32 = 1904;

/// The epoch of Unix, which a zero becomes.
const EPOCH: (i32, u32, u32) = (1970, 1, 1);

/// Reads a date field's value.
pub(crate) fn read(value: &ValueRef<'_>, reading: Reading, today: NaiveDate) -> Result<Anchor, Unusable> {
    let anchor = match value {
        ValueRef::Date(date) => of_date(*date),
        ValueRef::BirthDate(date) => of_birth(*date),
        ValueRef::Text(text) => parse(text.trim())?,
        _ => return Err(Unusable::Impossible),
    };
    judge(anchor, reading, today)
}

pub(crate) fn of_date(date: NaiveDate) -> Anchor {
    Anchor { month: date.month(), day: date.day(), year: Some(date.year()), remark: None }
}

fn of_birth(date: BirthDate) -> Anchor {
    Anchor { month: date.month(), day: date.day(), year: date.year(), remark: None }
}

fn judge(mut anchor: Anchor, reading: Reading, today: NaiveDate) -> Result<Anchor, Unusable> {
    let is_leap_day = (anchor.month, anchor.day) == (2, 29);
    let any_year = BirthDate::month_day(anchor.month, anchor.day).is_some();
    let exact = anchor.year.and_then(|year| NaiveDate::from_ymd_opt(year, anchor.month, anchor.day));
    match (anchor.year, exact, reading) {
        _ if !any_year => Err(Unusable::Impossible),
        (None, _, Reading::Full) => Err(Unusable::NoYear),
        (Some(_), None, Reading::Full) => Err(Unusable::Impossible),
        (Some(year), None, Reading::MonthAndDay) => {
            debug_assert!(is_leap_day || !(0..=9999).contains(&year), "only a leap day depends on the year");
            anchor.year = None;
            anchor.remark.get_or_insert(Remark::NoSuchLeapDay);
            Ok(anchor)
        }
        (_, Some(date), Reading::MonthAndDay) if date > today => Err(Unusable::Future),
        (Some(year), Some(_), reading) if is_placeholder(year, anchor.month, anchor.day) => match reading {
            Reading::Full => Err(Unusable::Placeholder),
            Reading::MonthAndDay => {
                anchor.year = None;
                anchor.remark.get_or_insert(Remark::PlaceholderYear);
                Ok(anchor)
            }
        },
        _ => Ok(anchor),
    }
}

/// A birth on 1 January 1970 is as good as any: for birthdays the distinction changes nothing.
fn is_placeholder(year: i32, month: u32, day: u32) -> bool {
    year <= LAST_PLACEHOLDER_YEAR || (year, month, day) == EPOCH
}

/// `YYYY-MM-DD`, `--MM-DD` or `MM-DD`, with or without a time of day. The date is taken as written, whatever the
/// zone behind it: who shifts it first moves everybody west of Greenwich by a day.
fn parse(text: &str) -> Result<Anchor, Unusable> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at), text.get(at + 1..)),
        None => (Some(text), None),
    };
    let mut anchor = parse_date(date.unwrap_or_default()).ok_or(Unusable::Impossible)?;
    if time.is_some_and(|time| !is_midnight_utc(time)) {
        anchor.remark = Some(Remark::TimeOfDay);
    }
    Ok(anchor)
}

fn parse_date(text: &str) -> Option<Anchor> {
    let (year, rest) = match text.strip_prefix("--") {
        Some(rest) => (None, rest),
        None if text.len() == 5 => (None, text),
        None => {
            let (year, rest) = text.split_once('-')?;
            (Some(digits(year, 4)?), rest)
        }
    };
    let (month, day) = rest.split_once('-')?;
    let number = |text| digits(text, 2).and_then(|number| u32::try_from(number).ok());
    Some(Anchor { month: number(month)?, day: number(day)?, year, remark: None })
}

fn digits(text: &str, count: usize) -> Option<i32> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn is_midnight_utc(time: &str) -> bool {
    let clock = time.trim_end_matches(['Z', 'z']);
    let clock = clock.strip_suffix("+00:00").or_else(|| clock.strip_suffix("-00:00")).unwrap_or(clock);
    clock.bytes().all(|byte| matches!(byte, b'0' | b':' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        "2025-07-31".parse().unwrap()
    }

    fn birthday(text: &str) -> Result<(Option<i32>, u32, u32, Option<Remark>), Unusable> {
        let anchor = read(&ValueRef::text(text), Reading::MonthAndDay, today());
        anchor.map(|it| (it.year, it.month, it.day, it.remark))
    }

    fn start(text: &str) -> Result<(Option<i32>, u32, u32, Option<Remark>), Unusable> {
        let anchor = read(&ValueRef::text(text), Reading::Full, today());
        anchor.map(|it| (it.year, it.month, it.day, it.remark))
    }

    #[test]
    fn a_date_time_is_the_calendar_date_as_written() {
        assert_eq!(start("2020-03-01T00:00:00Z"), Ok((Some(2020), 3, 1, None)));
        assert_eq!(start("2020-03-01T00:00:00.000+00:00"), Ok((Some(2020), 3, 1, None)));
        assert_eq!(start("2020-03-01"), Ok((Some(2020), 3, 1, None)));
        for odd in ["2020-03-01T23:30:00Z", "2020-03-01T00:00:00-05:00", "2020-03-01 08:00"] {
            assert_eq!(start(odd), Ok((Some(2020), 3, 1, Some(Remark::TimeOfDay))), "{odd}");
        }
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in
            ["2021-02-30", "2021-13-01", "2021-00-10", "2021-04-31", "soon", "", "01/02/2020", "--02-30"]
        {
            assert_eq!(birthday(text), Err(Unusable::Impossible), "{text}");
            assert_eq!(start(text), Err(Unusable::Impossible), "{text}");
        }
        assert_eq!(start("2021-02-29"), Err(Unusable::Impossible), "a start needs a real day");
    }

    #[test]
    fn a_birthday_needs_month_and_day_only() {
        assert_eq!(birthday("--06-08"), Ok((None, 6, 8, None)));
        assert_eq!(birthday("06-08"), Ok((None, 6, 8, None)));
        assert_eq!(birthday("1989-02-29"), Ok((None, 2, 29, Some(Remark::NoSuchLeapDay))));
        assert_eq!(birthday("1988-02-29"), Ok((Some(1988), 2, 29, None)));
        assert_eq!(start("--06-08"), Err(Unusable::NoYear));
    }

    #[test]
    fn placeholder_years_do_for_birthdays_and_not_for_start_dates() {
        for year in ["0000", "0001", "1900", "1904"] {
            let text = format!("{year}-06-08");
            assert_eq!(birthday(&text), Ok((None, 6, 8, Some(Remark::PlaceholderYear))), "{text}");
            assert_eq!(start(&text), Err(Unusable::Placeholder), "{text}");
        }
        assert_eq!(start("1970-01-01"), Err(Unusable::Placeholder), "no gift for 55 years");
        assert_eq!(start("1970-01-02"), Ok((Some(1970), 1, 2, None)));
    }

    #[test]
    fn a_birth_date_in_the_future_is_refused_and_a_start_date_is_not() {
        assert_eq!(birthday("2025-08-01"), Err(Unusable::Future));
        assert_eq!(birthday("2025-07-31"), Ok((Some(2025), 7, 31, None)));
        assert_eq!(start("2025-08-01"), Ok((Some(2025), 8, 1, None)));
    }
}
