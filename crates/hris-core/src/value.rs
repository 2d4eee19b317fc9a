//! Values of fields and attributes, owned and borrowed, and the two texts that need care: e-mails and birth dates.

use std::borrow::Cow;
use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::private::Hidden;

/// A value of an employee's custom field or of a member's attribute. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Value {
    /// Text as the source wrote it.
    Text(String),
    /// A calendar date without time or zone.
    Date(NaiveDate),
    /// A date of birth, whose year may be hidden.
    BirthDate(BirthDate),
    /// A flag.
    Bool(bool),
}

/// A [`Value`] that borrows its text, so that mapping an unchanged person copies nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A calendar date without time or zone.
    Date(NaiveDate),
    /// A date of birth, whose year may be hidden.
    BirthDate(BirthDate),
    /// A flag.
    Bool(bool),
}

impl Value {
    /// Borrows the value.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Text(text) => ValueRef::Text(Cow::Borrowed(text)),
            Self::Date(date) => ValueRef::Date(*date),
            Self::BirthDate(date) => ValueRef::BirthDate(*date),
            Self::Bool(flag) => ValueRef::Bool(*flag),
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> ValueRef<'a> {
    /// Borrowed text.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Copies the value.
    pub fn into_owned(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::Date(date) => Value::Date(date),
            Self::BirthDate(date) => Value::BirthDate(date),
            Self::Bool(flag) => Value::Bool(flag),
        }
    }

    /// The value as text: dates as `YYYY-MM-DD` (a birth date without year as `--MM-DD`), flags as `true`
    /// and `false`.
    pub fn to_text(&self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Date(date) => Cow::Owned(date.to_string()),
            Self::BirthDate(date) => Cow::Owned(date.to_string()),
            Self::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_ref().to_text())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Text(_) => "Text",
            Self::Date(_) => "Date",
            Self::BirthDate(_) => "BirthDate",
            Self::Bool(_) => "Bool",
        };
        f.debug_tuple(kind).field(&Hidden).finish()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<NaiveDate> for Value {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

/// A date of birth. Some vendors hide the year, and campaigns need only month and day.
///
/// ```
/// use hris_core::BirthDate;
/// let hidden = BirthDate::month_day(2, 29).unwrap();
/// assert_eq!(hidden.to_string(), "--02-29");
/// assert!(BirthDate::month_day(2, 30).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BirthDate {
    year: Option<i32>,
    month: u8,
    day: u8,
}

impl BirthDate {
    /// A birth date without its year; `None` if no year has such a day.
    pub fn month_day(month: u32, day: u32) -> Option<Self> {
        const LEAP_YEAR: i32 = 2024;
        NaiveDate::from_ymd_opt(LEAP_YEAR, month, day).map(|date| Self { year: None, ..date.into() })
    }

    /// The year, where it is known.
    pub fn year(self) -> Option<i32> {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u32 {
        self.month.into()
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u32 {
        self.day.into()
    }

    /// The full date, where the year is known.
    pub fn date(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year?, self.month(), self.day())
    }
}

impl From<NaiveDate> for BirthDate {
    fn from(date: NaiveDate) -> Self {
        // Months and days of a valid date are at most 31.
        #[expect(clippy::cast_possible_truncation, reason = "at most 31")]
        Self { year: Some(date.year()), month: date.month() as u8, day: date.day() as u8 }
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            Some(year) => write!(f, "{year:04}-{:02}-{:02}", self.month, self.day),
            None => write!(f, "--{:02}-{:02}", self.month, self.day),
        }
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BirthDate").field(&Hidden).finish()
    }
}

/// An e-mail address that could receive mail: kept as written, matched without regard to case.
///
/// The check is the practical one (one `@`, something on both sides, a dot or more in no particular place, no
/// white space or control characters, at most 254 bytes as in RFC 5321 4.5.3.1.3); targets add their own rules.
///
/// ```
/// use hris_core::Email;
/// let email = Email::parse(" Nerea.Olmedo@Brisa.example ").unwrap();
/// assert_eq!(email.as_str(), "Nerea.Olmedo@Brisa.example");
/// assert_eq!(email.folded(), "nerea.olmedo@brisa.example");
/// assert!(Email::parse("nerea at brisa").is_none());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(Box<str>);

impl Email {
    /// Longest address that mail systems accept, in bytes (RFC 5321, 4.5.3.1.3, without the angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Trims and checks an address; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::is_plausible(text).then(|| Self(text.into()))
    }

    /// Whether a trimmed text passes the check of [`Email::parse`].
    pub fn is_plausible(text: &str) -> bool {
        let Some((local, domain)) = text.split_once('@') else {
            return false;
        };
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && text.len() <= Self::MAX_BYTES
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which addresses are matched: lower case throughout.
    pub fn folded(&self) -> String {
        fold_email(&self.0).into_owned()
    }
}

/// Lower-cases an address for matching, borrowing where nothing changes.
pub fn fold_email(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Email").field(&Hidden).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Value::from("Nerea"),
            Email::parse("a@b.example"),
            BirthDate::month_day(2, 28)
        );
        assert!(!shown.contains("Nerea") && !shown.contains("a@b") && !shown.contains("28"), "{shown}");
    }

    #[test]
    fn implausible_addresses_are_refused() {
        for text in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\u{7}"] {
            assert!(Email::parse(text).is_none(), "{text:?}");
        }
        assert!(Email::parse(&format!("{}@x.example", "a".repeat(250))).is_none());
    }

    #[test]
    fn folding_covers_letters_beyond_ascii() {
        assert_eq!(fold_email("ÍÑIGO@X.example"), "íñigo@x.example");
    }
}
