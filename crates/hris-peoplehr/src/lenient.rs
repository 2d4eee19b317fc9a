//! Values with the vendor's wrapper taken off: `{ "DisplayValue": …, "FieldHistory": … }`, or bare.

use std::fmt;

use hris_http::lenient::{Cell, skip_rest};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

/// A value in its wrapper or without one. An empty list and a wrapper without a value say "none".
pub(crate) struct Unwrapped<'a>(pub(crate) Cell<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Unwrapped<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnwrappedVisitor).map(Self)
    }
}

struct UnwrappedVisitor;

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

impl<'de> Visitor<'de> for UnwrappedVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(text.to_owned().into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Cell::deserialize(number.into_deserializer())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Cell::deserialize(number.into_deserializer())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Cell::deserialize(number.into_deserializer())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Cell::Flag(flag))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let is_empty = seq.next_element::<IgnoredAny>()?.is_none();
        skip_rest(&mut seq)?;
        Ok(if is_empty { Cell::Null } else { Cell::Nested })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut value, mut is_wrapper) = (None, true);
        while let Some(key) = map.next_key()? {
            match key {
                WrapperKey::DisplayValue => {
                    value = Some(map.next_value()?);
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

    fn read(json: &str) -> Cell<'_> {
        serde_json::from_str::<Unwrapped<'_>>(json).unwrap().0
    }

    #[test]
    fn a_value_is_found_in_every_kind_of_wrapper_and_without_one() {
        for json in [
            r#""x""#,
            r#"{"DisplayValue":"x","FieldHistory":[{"OldValue":null,"NewValue":"y"}]}"#,
            r#"{"FieldHistoryForEffectiveDate":null,"DisplayValue":"x"}"#,
            r#"{"DisplayValue":"x","FieldHistoryForJobRole":[]}"#,
            r#"{"DisplayValue":"x","SomethingNew":{}}"#,
            r#"{"DisplayValue":"x"}"#,
        ] {
            assert_eq!(read(json), Cell::Text("x".into()), "{json}");
        }
    }

    #[test]
    fn no_value_a_number_and_something_else_are_told_apart() {
        for json in ["null", "[]", "{}", r#"{"DisplayValue":null}"#, r#"{"FieldHistory":[]}"#] {
            assert_eq!(read(json), Cell::Null, "{json}");
        }
        assert_eq!(read(r#"{"DisplayValue":1004}"#), Cell::Number("1004".to_owned()));
        assert_eq!(
            (read("27.5"), read("-7")),
            (Cell::Number("27.5".to_owned()), Cell::Number("-7".to_owned()))
        );
        assert_eq!(read("true"), Cell::Flag(true));
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
    }
}
