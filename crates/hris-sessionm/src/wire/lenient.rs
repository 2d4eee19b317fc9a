//! Values that SessionM writes in more than one way: flags and ids as text, dates with and without a zone, null lists.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// A null, or a field that is not there, is the default.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A text that may come as a number or flag. Blank counts as none where it is optional: see [`filled`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// A text with something in it.
pub(crate) fn filled(text: Option<Text>) -> Option<String> {
    text.map(|Text(text)| text).filter(|text| !text.trim().is_empty())
}

/// A flag: `true`, `"true"`, 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                match text.trim().to_ascii_lowercase().as_str() {
                    "true" | "1" => Ok(Flag(true)),
                    "false" | "0" | "" => Ok(Flag(false)),
                    _ => Err(E::custom("neither true nor false")),
                }
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
                Ok(Flag(number != 0))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// A whole number, also as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
                i64::try_from(number).map(Whole).map_err(|_| E::custom("too large a number"))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Whole, E> {
                text.trim().parse().map(Whole).map_err(|_| E::custom("no whole number"))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// A date and time in any of SessionM's forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date and time")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
                read_instant(text).map(Instant).ok_or_else(|| E::custom("no date and time"))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Instant, E> {
                read_epoch(number).map(Instant).ok_or_else(|| E::custom("no epoch"))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// An instant of the timeline, and whether it came in milliseconds: what is asked for next must be in the same unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) at: DateTime<Utc>,
    pub(crate) in_millis: bool,
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        let at = read_instant(&text).ok_or_else(|| D::Error::custom("no date and time"))?;
        let in_millis = text.trim().parse::<u64>().is_ok_and(|number| number >= FIRST_MILLISECONDS);
        Ok(Self { at, in_millis })
    }
}

/// As seconds this would be the year 5138.
const FIRST_MILLISECONDS: u64 = 100_000_000_000;

/// Reads a date and time: `T` or a blank between, up to nine digits of a fraction, `Z` or an offset or nothing,
/// which is UTC. An epoch as text is read too.
pub(crate) fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return read_epoch(text.parse().ok()?);
    }
    let text = shorten_fraction(text);
    if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
        return Some(at.to_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let naive = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
    naive.map(|at| at.and_utc())
}

/// More than nine digits of a fraction are cut off.
fn shorten_fraction(text: &str) -> String {
    const MOST: usize = 9;
    let Some((whole, rest)) = text.split_once('.') else { return text.to_owned() };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    format!("{whole}.{}{}", &rest[..digits.min(MOST)], &rest[digits..])
}

/// Seconds or milliseconds; SessionM does not say which.
fn read_epoch(number: u64) -> Option<DateTime<Utc>> {
    let number_signed = i64::try_from(number).ok()?;
    if number >= FIRST_MILLISECONDS {
        DateTime::from_timestamp_millis(number_signed)
    } else {
        DateTime::from_timestamp(number_signed, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_a_date_and_time_is_read() {
        let expected = read_instant("2025-05-30T06:08:11.6829853Z").unwrap();
        for text in [
            "2025-05-30 06:08:11.6829853",
            "2025-05-30T06:08:11.6829853",
            "2025-05-30T08:08:11.6829853+02:00",
            "2025-05-30T06:08:11.682985300000Z",
        ] {
            assert_eq!(read_instant(text), Some(expected), "{text}");
        }
        assert_eq!(read_instant("2025-05-30 06:08:08").unwrap().to_rfc3339(), "2025-05-30T06:08:08+00:00");
        for text in ["", "2025-05-30", "yesterday", "2025-02-30T00:00:00Z", "-5"] {
            assert_eq!(read_instant(text), None, "{text}");
        }
    }

    #[test]
    fn an_epoch_is_read_in_seconds_milliseconds_and_as_text() {
        let seconds: Instant = serde_json::from_str("1610437972").unwrap();
        let millis: Instant = serde_json::from_str("1610437972000").unwrap();
        let text: Instant = serde_json::from_str("\"1610437972\"").unwrap();
        assert!(seconds == millis && millis == text);
        assert_eq!(seconds.0.to_rfc3339(), "2021-01-12T07:52:52+00:00");
    }

    #[test]
    fn flags_ids_and_numbers_are_read_in_their_forms() {
        for (json, flag) in
            [("true", true), ("\"true\"", true), ("\"FALSE\"", false), ("1", true), ("0", false)]
        {
            assert_eq!(serde_json::from_str::<Flag>(json).unwrap(), Flag(flag), "{json}");
        }
        assert!(serde_json::from_str::<Flag>("\"maybe\"").is_err());
        assert_eq!(serde_json::from_str::<Text>("17").unwrap().0, "17");
        assert_eq!(serde_json::from_str::<Whole>("\"17\"").unwrap(), Whole(17));
        assert!(serde_json::from_str::<Whole>("1.5").is_err());
        assert_eq!(filled(Some(Text("  ".into()))), None);
    }

    proptest! {
        #[test]
        fn what_rust_writes_is_read_whatever_the_fraction(secs in 0_i64..4_000_000_000, nanos in 0_u32..1_000_000_000) {
            let at = DateTime::from_timestamp(secs, nanos).unwrap();
            let text = at.format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
            prop_assert_eq!(read_instant(&text), Some(at));
            prop_assert_eq!(read_instant(&format!("{text}Z")), Some(at));
            prop_assert_eq!(read_instant(&text.replace('T', " ")), Some(at));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
            let _ = read_instant(&text);
        }
    }
}
