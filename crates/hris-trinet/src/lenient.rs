//! JSON that is read leniently: whatever stands where something else belongs is told apart, and nothing makes a whole
//! page unreadable but broken JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use hris_http::lenient::otherwise;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Declares an object of which only scalar keys matter. The keys of a field are its names in the vendor's different
/// forms; where several of them are there, one that says something wins.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal $(| $alias:literal)*,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<'a> { $(pub(crate) $field: hris_http::lenient::Cell<'a>,)+ }

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

    otherwise!(Part::Other => bare lists);
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

    otherwise!(Listed(Part::Other) => bare texts objects);
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
            assert_eq!(pair(json).one.written(), Some("1"), "{json}");
        }
        assert!(pair(r#"{"two":2}"#).one == hris_http::lenient::Cell::Missing);
    }

    #[test]
    fn an_escaped_key_is_the_same_key_and_unknown_ones_are_skipped() {
        let read = pair(r#"{"x":{"one":"9"},"\u006fne":"a\u0062"}"#);
        assert_eq!(read.one.written(), Some("ab"));
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
}
