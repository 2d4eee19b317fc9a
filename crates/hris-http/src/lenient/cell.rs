//! A scalar as it came, whatever its type.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A scalar as it came. `Debug` shows what kind of thing came, never what.
///
/// ```
/// use hris_http::lenient::Cell;
/// #[derive(Default, serde::Deserialize)]
/// #[serde(default, bound(deserialize = "'de: 'a"))]
/// struct Row<'a> { code: Cell<'a>, name: Cell<'a> }
/// let row: Row<'_> = serde_json::from_str(r#"{"code": 17}"#)?;
/// assert_eq!((row.code.written(), row.code.text()), (Some("17"), None));
/// assert_eq!(row.name, Cell::Missing);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Cell<'a> {
    /// The key was not there.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A number, as JSON writes it.
    Number(String),
    /// `true` or `false`.
    Flag(bool),
    /// An object or a list.
    Nested,
}

impl Cell<'_> {
    /// A text without white space around it, unless nothing is left.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// What is written in a text or a number, without white space around it, unless nothing is left.
    pub fn written(&self) -> Option<&str> {
        match self {
            Self::Number(number) => Some(number),
            _ => self.text(),
        }
    }

    /// What is written in a text, a number or a flag, without white space around it, unless nothing is left.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Flag(true) => Some("true"),
            Self::Flag(false) => Some("false"),
            _ => self.written(),
        }
    }

    /// Whether nothing is said: no key, `null` or blank text.
    pub fn is_empty(&self) -> bool {
        *self == Self::Missing || self.is_none()
    }

    /// Whether the key came, and says "none": `null` or blank text.
    pub fn is_none(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// A flag, also one that is written as a text.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A whole number that counts something, also one that is written as a text.
    pub fn count(&self) -> Option<u64> {
        self.written()?.parse().ok()
    }
}

impl<'a> Cell<'a> {
    /// Takes a value of the same field under another key, unless it says nothing new.
    pub fn hear(&mut self, other: Cell<'a>) {
        if *self == Self::Missing || self.is_none() && other != Self::Missing {
            *self = other;
        }
    }
}

impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::Null => "Null",
            Self::Text(_) => "Text",
            Self::Number(_) => "Number",
            Self::Flag(_) => "Flag",
            Self::Nested => "Nested",
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Cell::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    super::otherwise!(Cell::Nested => lists objects);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(json: &str) -> Cell<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_read_from_a_cell_depends_on_what_is_asked_for() {
        let rows = [
            (r#"" a ""#, Some("a"), Some("a"), Some("a")),
            ("7", None, Some("7"), Some("7")),
            ("-1.5", None, Some("-1.5"), Some("-1.5")),
            ("true", None, None, Some("true")),
            (r#"" ""#, None, None, None),
            ("null", None, None, None),
            ("[7]", None, None, None),
            (r#"{"a":{"b":[]}}"#, None, None, None),
        ];
        for (json, text, written, scalar) in rows {
            let cell = cell(json);
            assert_eq!((cell.text(), cell.written(), cell.scalar()), (text, written, scalar), "{json}");
        }
    }

    #[test]
    fn nothing_said_is_told_apart_from_none_and_from_what_cannot_be_read() {
        assert!(Cell::Missing.is_empty() && !Cell::Missing.is_none());
        for json in ["null", r#""""#, r#"" ""#] {
            assert!(cell(json).is_empty() && cell(json).is_none(), "{json}");
        }
        for json in ["0", "false", "[]", "{}", r#""x""#] {
            assert!(!cell(json).is_empty() && !cell(json).is_none(), "{json}");
        }
    }

    #[test]
    fn flags_and_counts_are_read_from_texts_too_and_nothing_else() {
        let flag = |json: &str| cell(json).flag();
        assert_eq!((flag("true"), flag(r#""False""#)), (Some(true), Some(false)));
        assert_eq!((flag("1"), flag("null"), flag(r#""yes""#)), (None, None, None));
        let count = |json: &str| cell(json).count();
        assert_eq!((count("12"), count(r#""12""#)), (Some(12), Some(12)));
        assert_eq!((count("-1"), count("1.5"), count("{}")), (None, None, None));
    }

    #[test]
    fn of_two_names_for_one_field_the_one_that_says_something_wins() {
        for (first, second) in [("\"1\"", "null"), ("\"\"", "\"1\""), ("null", "\"1\""), ("\"1\"", "\"2\"")] {
            let mut heard = cell(first);
            heard.hear(cell(second));
            assert_eq!(heard.text(), Some("1"), "{first} {second}");
        }
    }
}
