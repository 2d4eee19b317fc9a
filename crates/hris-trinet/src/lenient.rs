//! JSON that is read leniently: whatever stands where something else belongs is told apart, and nothing makes a whole
//! page unreadable but broken JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The `visit_*` methods for values of no use: they are skipped, and `$other` stands for them.
macro_rules! otherwise {
    ($other:expr => $($kind:ident)+) => { $(otherwise!(@$kind $other);)+ };
    (@scalars $other:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($other) }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($other) }
    };
    (@null $other:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($other) }
    };
    (@lists $other:expr) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            $crate::lenient::skip_rest(&mut seq)?;
            Ok($other)
        }
    };
    (@objects $other:expr) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($other)
        }
    };
}
pub(crate) use otherwise;

/// Declares an object of which only scalar keys matter. The keys of a field are its names in the vendor's different
/// forms; where several of them are there, one that says something wins.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal $(| $alias:literal)*,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<'a> { $(pub(crate) $field: $crate::lenient::Cell<'a>,)+ }

        impl<'de> serde::Deserialize<'de> for $name<'de> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visit;

                impl<'de> serde::de::Visitor<'de> for Visit {
                    type Value = $name<'de>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key::<$crate::lenient::Text<'_>>()? {
                            match &*key.0 {
                                $($key $(| $alias)* => read.$field.hear(map.next_value()?),)+
                                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(read)
                    }
                }

                deserializer.deserialize_map(Visit)
            }
        }
    };
}
pub(crate) use object;

/// Skips what is left of a list.
pub(crate) fn skip_rest<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A text, borrowed where it has no escapes; for keys.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A scalar as it came.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// The key was not there.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A number, as JSON writes it.
    Number(String),
    /// A flag.
    Flag(bool),
    /// An object or a list.
    Nested,
}

impl<'a> Cell<'a> {
    /// What is written in a text or a number, without white space around it, unless nothing is left.
    pub(crate) fn filled(&self) -> Option<&str> {
        let text: &str = match self {
            Self::Text(text) => text,
            Self::Number(text) => text,
            Self::Missing | Self::Null | Self::Flag(_) | Self::Nested => return None,
        };
        Some(text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether the value is "none": null or blank text.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Null) || matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// A flag, also one that is written as a text.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A whole number that counts something.
    pub(crate) fn count(&self) -> Option<u64> {
        self.filled()?.parse().ok()
    }

    /// Takes a value of the same field under another key, unless it says nothing new.
    pub(crate) fn hear(&mut self, other: Cell<'a>) {
        if *self == Self::Missing || self.is_none() && other != Self::Missing {
            *self = other;
        }
    }
}

/// Shows what kind of thing came, never what.
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

    otherwise!(Cell::Nested => lists objects);
}

/// Something nested as it came.
#[derive(Debug, Default)]
pub(crate) enum Part<T> {
    /// The key was not there.
    #[default]
    Missing,
    /// `null`, or blank text.
    Null,
    /// What belongs here.
    Here(T),
    /// Something else.
    Other,
}

impl<T> Part<T> {
    /// What belongs here, if it came.
    pub(crate) fn here(&self) -> Option<&T> {
        match self {
            Self::Here(value) => Some(value),
            Self::Missing | Self::Null | Self::Other => None,
        }
    }

    /// What belongs here, by move.
    pub(crate) fn into_here(self) -> Option<T> {
        match self {
            Self::Here(value) => Some(value),
            Self::Missing | Self::Null | Self::Other => None,
        }
    }

    /// Takes what came under another key, unless this one came already.
    pub(crate) fn hear(&mut self, other: Self) {
        if !matches!(self, Self::Here(_)) {
            *self = other;
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartSeed(PhantomData::<T>))
    }
}

/// Decodes an object with a seed; anything else is told apart.
pub(crate) struct PartSeed<S>(pub(crate) S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for PartSeed<S> {
    type Value = Part<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for PartSeed<S> {
    type Value = Part<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.deserialize(MapAccessDeserializer::new(map)).map(Part::Here)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Part::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(if text.trim().is_empty() { Part::Null } else { Part::Other })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Part::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Part::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Part::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Part::Other)
    }

    otherwise!(Part::Other => lists);
}

/// A list of objects as it came. Elements that are no objects are left out.
#[derive(Debug)]
pub(crate) struct Listed<T>(pub(crate) Part<Vec<T>>);

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self(Part::Missing)
    }
}

impl<T> Listed<T> {
    /// Takes what came under the same key again, unless a list came already.
    pub(crate) fn hear(&mut self, other: Self) {
        self.0.hear(other.0);
    }

    /// The objects of the list; none where there is no list.
    pub(crate) fn items(&self) -> &[T] {
        self.0.here().map_or(&[], Vec::as_slice)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListedVisitor(PhantomData))
    }
}

struct ListedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListedVisitor<T> {
    type Value = Listed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(part) = seq.next_element()? {
            if let Part::Here(item) = part {
                items.push(item);
            }
        }
        Ok(Listed(Part::Here(items)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Listed(Part::Null))
    }

    otherwise!(Listed(Part::Other) => scalars objects);
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        /// Two fields, one of which has two names.
        Pair { one: "one" | "uno", two: "two", }
    }

    fn pair(json: &str) -> Pair<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn of_two_names_for_one_field_the_one_that_says_something_wins_in_either_order() {
        for json in [
            r#"{"one":"1","uno":null}"#,
            r#"{"uno":"","one":"1"}"#,
            r#"{"uno":"1"}"#,
            r#"{"one":"1","one":"2"}"#,
        ] {
            assert_eq!(pair(json).one.filled(), Some("1"), "{json}");
        }
        assert!(pair(r#"{"two":2}"#).one == Cell::Missing);
    }

    #[test]
    fn an_escaped_key_is_the_same_key_and_unknown_ones_are_skipped() {
        let read = pair(r#"{"x":{"one":"9"},"\u006fne":"a\u0062"}"#);
        assert_eq!(read.one.filled(), Some("ab"));
    }

    #[test]
    fn a_part_is_told_apart_from_what_stands_in_its_place() {
        let kind = |json: &str| match serde_json::from_str::<Part<Pair<'_>>>(json).unwrap() {
            Part::Missing => "missing",
            Part::Null => "null",
            Part::Here(_) => "here",
            Part::Other => "other",
        };
        assert_eq!(kind("{}"), "here");
        for json in ["null", r#""""#, r#"" ""#] {
            assert_eq!(kind(json), "null", "{json}");
        }
        for json in ["7", "-7", "1.5", "true", r#""x""#, "[]", "[{}]"] {
            assert_eq!(kind(json), "other", "{json}");
        }
    }

    #[test]
    fn flags_and_counts_are_read_from_texts_too_and_nothing_else() {
        let cell = |json: &str| serde_json::from_str::<Cell<'_>>(json).unwrap().flag();
        assert_eq!((cell("true"), cell(r#""False""#)), (Some(true), Some(false)));
        assert_eq!((cell("1"), cell("null"), cell(r#""yes""#)), (None, None, None));
        let count = |json: &str| serde_json::from_str::<Cell<'_>>(json).unwrap().count();
        assert_eq!((count("12"), count(r#""12""#)), (Some(12), Some(12)));
        assert_eq!((count("-1"), count("1.5"), count("{}")), (None, None, None));
    }
}
