//! JSON that is read leniently: whatever stands where something else belongs is told apart, and nothing makes a whole
//! page unreadable but broken JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use hris_http::lenient::{otherwise, skip_entries, skip_rest};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Whether a value says anything: it is not `null`, not blank, not an empty list or object.
pub(crate) struct Presence(pub(crate) bool);

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresenceVisitor)
    }
}

struct PresenceVisitor;

impl<'de> Visitor<'de> for PresenceVisitor {
    type Value = Presence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Presence(!text.trim().is_empty()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let has_elements = seq.next_element::<IgnoredAny>()?.is_some();
        skip_rest(&mut seq)?;
        Ok(Presence(has_elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let has_entries = map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some();
        skip_entries(&mut map)?;
        Ok(Presence(has_entries))
    }

    otherwise!(Presence(false) => nulls);
    otherwise!(Presence(true) => bare);
}

/// A relation: the id of another record, or that record itself where it was expanded.
#[derive(Debug, Default)]
pub(crate) enum One<'a, T> {
    /// The key was not there.
    #[default]
    Missing,
    /// `null` or blank.
    Null,
    /// The id.
    Id(Cow<'a, str>),
    /// The record.
    Full(T),
    /// Something else.
    Odd,
}

impl<T> One<'_, T> {
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for One<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneVisitor(PhantomData))
    }
}

struct OneVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneVisitor<T> {
    type Value = One<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id or an object")
    }

    fn visit_borrowed_str<E>(self, id: &'de str) -> Result<Self::Value, E> {
        Ok(if id.trim().is_empty() { One::Null } else { One::Id(Cow::Borrowed(id)) })
    }

    fn visit_str<E>(self, id: &str) -> Result<Self::Value, E> {
        Ok(if id.trim().is_empty() { One::Null } else { One::Id(Cow::Owned(id.to_owned())) })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(One::Full)
    }

    otherwise!(One::Null => nulls);
    otherwise!(One::Odd => bare lists);
}

/// A list of relations.
#[derive(Debug, Default)]
pub(crate) enum Many<'a, T> {
    /// The key was not there.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// The list; elements may be null.
    Items(Vec<One<'a, T>>),
    /// Something else.
    Odd,
}

impl<T> Many<'_, T> {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Missing | Self::Null => true,
            Self::Items(items) => items.is_empty(),
            Self::Odd => false,
        }
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Many<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Many::Items(items))
    }

    otherwise!(Many::Null => nulls);
    otherwise!(Many::Odd => bare texts objects);
}
