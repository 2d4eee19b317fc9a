//! JSON that is read leniently: whatever stands where something else belongs is told apart, and nothing makes a whole
//! row unreadable but broken JSON.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The `visit_*` methods for values of no use: they are skipped, and `$other` stands for them.
macro_rules! otherwise {
    ($other:expr => $($kind:ident)+) => { $(otherwise!(@$kind $other);)+ };
    (@scalars $other:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($other) }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($other) }
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($other) }
    };
    (@lists $other:expr) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($other)
        }
    };
}
pub(crate) use otherwise;

/// The value of a field as it came, with the vendor's wrapper (`{ "DisplayValue": …, "FieldHistory": … }`) taken off.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// The key was not there.
    #[default]
    Missing,
    /// `null`, an empty list, or a wrapper without a value.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A number or a flag, as JSON writes it.
    Bare(String),
    /// A list with something in it, or an object inside the wrapper.
    Nested,
}

impl Cell<'_> {
    /// Whether nothing is said: no key, null or blank text.
    pub(crate) fn is_empty(&self) -> bool {
        !matches!(self, Self::Nested) && self.filled().is_none()
    }

    /// What is written in a text, a number or a flag, without white space around it, unless nothing is left.
    pub(crate) fn filled(&self) -> Option<&str> {
        let text: &str = match self {
            Self::Text(text) => text,
            Self::Bare(text) => text,
            Self::Missing | Self::Null | Self::Nested => return None,
        };
        Some(text.trim()).filter(|text| !text.is_empty())
    }
}

/// Shows what kind of thing came, never what.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::Null => "Null",
            Self::Text(_) => "Text",
            Self::Bare(_) => "Bare",
            Self::Nested => "Nested",
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor { wrapped: false })
    }
}

struct CellVisitor {
    /// Whether this is the value inside a wrapper already.
    wrapped: bool,
}

/// What stands inside a wrapper.
struct Inner<'a>(Cell<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Inner<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor { wrapped: true }).map(Self)
    }
}

/// The keys of a wrapper. Its histories have different names and are always skipped.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum WrapperKey {
    DisplayValue,
    FieldHistory,
    FieldHistoryForJobRole,
    FieldHistoryForEffectiveDate,
    #[serde(other)]
    Unused,
}

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
        Ok(Cell::Bare(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Cell::Bare(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Cell::Bare(number.to_string()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Cell::Bare(flag.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let is_empty = seq.next_element::<IgnoredAny>()?.is_none();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(if is_empty { Cell::Null } else { Cell::Nested })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut value, mut is_wrapper) = (None, !self.wrapped);
        while let Some(key) = map.next_key()? {
            match key {
                WrapperKey::DisplayValue if !self.wrapped => {
                    value = Some(map.next_value::<Inner<'_>>()?.0);
                    continue;
                }
                WrapperKey::Unused => is_wrapper = false,
                _ => {}
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(value.unwrap_or(if is_wrapper { Cell::Null } else { Cell::Nested }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_every_kind_of_wrapper_and_without_one() {
        for json in [
            r#""x""#,
            r#"{"DisplayValue":"x","FieldHistory":[{"OldValue":null,"NewValue":"y"}]}"#,
            r#"{"FieldHistoryForEffectiveDate":null,"DisplayValue":"x"}"#,
            r#"{"DisplayValue":"x","FieldHistoryForJobRole":[]}"#,
            r#"{"DisplayValue":"x"}"#,
        ] {
            assert_eq!(serde_json::from_str::<Cell<'_>>(json).unwrap(), Cell::Text("x".into()), "{json}");
        }
    }

    #[test]
    fn no_value_a_number_and_something_else_are_told_apart() {
        let read = |json| serde_json::from_str::<Cell<'_>>(json).unwrap();
        for json in ["null", "[]", "{}", r#"{"DisplayValue":null}"#, r#"{"FieldHistory":[]}"#] {
            assert_eq!(read(json), Cell::Null, "{json}");
        }
        assert_eq!(read(r#"{"DisplayValue":1004}"#), Cell::Bare("1004".to_owned()));
        assert_eq!(read("true"), Cell::Bare("true".to_owned()));
        for json in [
            "[1]",
            r#"["x"]"#,
            r#"{"DisplayValue":{"DisplayValue":"x"}}"#,
            r#"{"DisplayValue":{}}"#,
            r#"{"DisplayValue":[[]]}"#,
            r#"{"Hours":9}"#,
        ] {
            assert_eq!(read(json), Cell::Nested, "{json}");
        }
        assert!(Cell::Text(" ".into()).is_empty() && !Cell::Nested.is_empty());
    }
}
