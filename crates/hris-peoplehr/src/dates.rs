//! Dates in the forms that PeopleHR's actions have, and the day that it is where the company is.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use hris_core::Field;

use hris_http::lenient::Cell;

/// What is expected where a date is not readable.
pub(crate) const EXPECTED: &str = "is not a date of the form YYYY-MM-DD";

/// The forms, in the order in which they are tried. Directory, saved query, the older query, free text; and the form of
/// documents. The month never comes first.
const FORMS: [&str; 5] = ["%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y", "%a, %d %b %Y"];

/// A date, without regard to a time of day behind it. Blank text and null are no date; `Err` where it is not readable.
pub(crate) fn date_field(cell: &Cell<'_>) -> Result<Field<NaiveDate>, &'static str> {
    match cell {
        Cell::Missing => Ok(Field::Absent),
        Cell::Number(_) | Cell::Flag(_) | Cell::Nested => Err(EXPECTED),
        Cell::Null | Cell::Text(_) => match cell.scalar() {
            None => Ok(Field::Null),
            Some(text) => date(text).map(Field::Value).ok_or(EXPECTED),
        },
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    if let Some(date) = iso(text.as_bytes()) {
        return Some(date);
    }
    let day = without_time(text);
    // A year of one to three digits is a typing error, and would be read as one of the Roman empire.
    let has_year = day.split(|c: char| !c.is_ascii_digit()).any(|part| part.len() == 4);
    FORMS.iter().filter(|_| has_year).find_map(|form| NaiveDate::parse_from_str(day, form).ok())
}

/// `YYYY-MM-DD`, the form that nearly every date has.
fn iso(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let number = |digits: &[&u8]| {
        let digits = digits.iter().map(|digit| digit.is_ascii_digit().then(|| u32::from(*digit - b'0')));
        digits.into_iter().try_fold(0, |number, digit| Some(number * 10 + digit?))
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)
}

/// A text without the time of day at its end.
fn without_time(text: &str) -> &str {
    let is_hour = |hour: &str| matches!(hour.len(), 1 | 2) && hour.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = |tail: &str| tail.split_once(':').is_some_and(|(hour, _)| is_hour(hour));
    match text.split_once(['T', ' ']) {
        Some((day, tail)) if is_time(tail) => day.trim_end(),
        _ => match text.rsplit_once(' ') {
            Some((day, tail)) if is_time(tail) => day.trim_end(),
            _ => text,
        },
    }
}

/// The day that it is in a time zone.
pub(crate) fn today(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Field<NaiveDate>, &'static str> {
        date_field(&Cell::Text(text.into()))
    }

    #[test]
    fn a_date_is_read_in_every_form_and_the_day_comes_before_the_month() {
        let expected = Ok(Field::Value(NaiveDate::from_ymd_opt(2019, 3, 4).unwrap()));
        for text in [
            "2019-03-04",
            " 2019-03-04 ",
            "2019/03/04",
            "04/03/2019",
            "04-03-2019",
            "4/3/2019",
            "Mon, 04 Mar 2019",
            "2019-03-04 23:59:59",
            "2019-03-04T00:00:00",
            "2019-03-04T23:30:00+05:00",
            "04/03/2019 00:00",
            "04/03/2019 12:00:00 AM",
            "Mon, 04 Mar 2019 10:00:00",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_an_error_and_what_is_nothing_is_null() {
        for text in [
            "soon",
            "2023-02-30",
            "13-13-2019",
            "12/31/2019",
            "2019-03",
            "04/03/19",
            "201-03-04",
            "Tue, 04 Mar 2019",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read(" "), Ok(Field::Null));
        assert_eq!(date_field(&Cell::Null), Ok(Field::Null));
        assert_eq!(date_field(&Cell::Missing), Ok(Field::Absent));
        assert!(date_field(&Cell::Number("20190304".to_owned())).is_err());
    }

    #[test]
    fn the_day_begins_where_the_company_is() {
        let evening = "2026-03-31T23:30:00Z".parse().unwrap();
        let day = |zone| today(evening, zone).to_string();
        assert_eq!(day(Tz::Europe__London), "2026-04-01", "summer time");
        assert_eq!(day(Tz::UTC), "2026-03-31");
        assert_eq!(day(Tz::Asia__Kolkata), "2026-04-01");
    }
}
