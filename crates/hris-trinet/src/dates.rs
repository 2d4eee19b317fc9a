//! Dates in all forms in which TriNet may write them. The documentation says "datetime" and no more.

use chrono::{DateTime, NaiveDate};
use hris_core::Field;
use hris_http::lenient::Cell;

/// What was expected where something else came.
const EXPECTED: &str = "is not a date of the form YYYY-MM-DD or MM/DD/YYYY";

/// A date: `YYYY-MM-DD`, alone or at the beginning of a timestamp and then as written, whatever its offset;
/// `MM/DD/YYYY`; milliseconds since 1970, in UTC. Null and blank text are no date. `Err` says what was expected.
pub(crate) fn date_field(cell: &Cell<'_>) -> Result<Field<NaiveDate>, &'static str> {
    match cell {
        Cell::Missing => Ok(Field::Absent),
        cell if cell.is_none() => Ok(Field::Null),
        Cell::Text(text) => written(text.trim()).map(Field::Value).ok_or(EXPECTED),
        Cell::Number(number) => epoch(number).map(Field::Value).ok_or(EXPECTED),
        Cell::Null | Cell::Flag(_) | Cell::Nested => Err(EXPECTED),
    }
}

/// A date in a text.
pub(crate) fn written(text: &str) -> Option<NaiveDate> {
    const LENGTH: usize = "YYYY-MM-DD".len();
    if text.len() < LENGTH {
        return american(text);
    }
    let (date, rest) = text.split_at_checked(LENGTH)?;
    match rest {
        "" if date.contains('/') => american(date),
        "" => iso(date),
        rest => iso(date).filter(|_| is_time(rest)),
    }
}

fn iso(text: &str) -> Option<NaiveDate> {
    digits_around(text, b'-').then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

fn american(text: &str) -> Option<NaiveDate> {
    let year = text.rsplit('/').next()?;
    let has_century = year.len() == 4;
    (has_century && digits_around(text, b'/')).then(|| NaiveDate::parse_from_str(text, "%m/%d/%Y").ok())?
}

/// Whether a text has digits and two of these separators only; signs and spaces would pass otherwise.
fn digits_around(text: &str, separator: u8) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == separator);
    is_plain && text.bytes().filter(|byte| *byte == separator).count() == 2
}

/// What may follow a date in a timestamp: `T` or a blank, a time, and perhaps an offset.
fn is_time(rest: &str) -> bool {
    let Some(time) = rest.strip_prefix(['T', 't', ' ']) else { return false };
    let is_clock =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z' | b'z');
    time.len() >= "00:00".len() && time.bytes().all(is_clock) && time.as_bytes().get(2) == Some(&b':')
}

fn epoch(number: &str) -> Option<NaiveDate> {
    /// A date written as a number, 20220901, would be read as the first hours of 1970.
    const DATES: std::ops::RangeInclusive<i64> = 19_000_101..=21_001_231;
    let milliseconds: i64 = number.parse().ok().filter(|number| !DATES.contains(number))?;
    DateTime::from_timestamp_millis(milliseconds).map(|at| at.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Field<NaiveDate>, &'static str> {
        date_field(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn dates_are_read_in_every_form_and_never_shift() {
        let expected = Ok(Field::Value("2022-09-01".parse().unwrap()));
        for json in [
            r#""2022-09-01""#,
            r#"" 2022-09-01 ""#,
            r#""2022-09-01T00:30:00Z""#,
            r#""2022-09-01T00:30:00+02:00""#,
            r#""2022-09-01T23:30:00.000-0500""#,
            r#""2022-09-01T23:30:00""#,
            r#""2022-09-01 23:30""#,
            r#""09/01/2022""#,
            r#""9/1/2022""#,
            "1661990400000",
            "1662076799999",
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
        assert_eq!(read("446860800000"), Ok(Field::Value("1984-02-29".parse().unwrap())));
        assert_eq!(read("-86400000"), Ok(Field::Value("1969-12-31".parse().unwrap())));
    }

    #[test]
    fn no_date_is_none_and_rubbish_is_neither() {
        for json in ["null", r#""""#, r#"" ""#] {
            assert_eq!(read(json), Ok(Field::Null), "{json}");
        }
        assert_eq!(date_field(&Cell::Missing), Ok(Field::Absent));
        for json in [
            r#""2023-02-30""#,
            r#""02/30/2023""#,
            r#""13/01/2022""#,
            r#""01/09/22""#,
            r#""2022-9-1""#,
            r#""2022/09/01""#,
            r#""2022-09-01 at noon""#,
            r#""2022-09-01T""#,
            r#""2022-09-0é""#,
            r#""+022-09-01""#,
            r#""soon""#,
            "20220901",
            "1.5",
            "1e300",
            "true",
            "[]",
            "{}",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_day_is_the_same_in_each_form(days in 0..60_000_i64) {
            let date = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + chrono::TimeDelta::days(days);
            let forms = [
                date.format("%Y-%m-%d").to_string(),
                date.format("%Y-%m-%dT23:59:59.999-05:00").to_string(),
                date.format("%m/%d/%Y").to_string(),
            ];
            for form in forms {
                prop_assert_eq!(written(&form), Some(date), "{}", form);
            }
        }

        #[test]
        fn no_text_makes_it_stumble(text in ".{0,40}") {
            let cell = Cell::Text(text.into());
            let _ = date_field(&cell);
        }
    }
}
