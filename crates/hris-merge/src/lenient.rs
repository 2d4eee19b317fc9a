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
    (@bare $other:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($other) }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($other) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($other) }
    };
    (@texts $other:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($other) }
    };
    (@nulls $other:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($other) }
    };
    (@lists $other:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            skip_rest(&mut seq)?;
            Ok($other)
        }
    };
    (@objects $other:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            skip_entries(&mut map)?;
            Ok($other)
        }
    };
}
pub(crate) use otherwise;

/// Skips what is left of a list.
pub(crate) fn skip_rest<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Skips what is left of an object.
pub(crate) fn skip_entries<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
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
    /// `true` or `false`.
    Flag(bool),
    /// An object or a list.
    Nested,
}

impl Cell<'_> {
    /// A text without white space around it, unless nothing is left.
    pub(crate) fn filled(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// Whether nothing is said: no key, `null` or blank text.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Missing | Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Number(_) | Self::Flag(_) | Self::Nested => false,
        }
    }

    /// Whether it is the flag `true`.
    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Flag(true)
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

/// An object, or nothing where something else stands in its place.
#[derive(Debug)]
pub(crate) struct Slot<T>(pub(crate) Option<T>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SlotVisitor(PhantomData))
    }
}

struct SlotVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SlotVisitor<T> {
    type Value = Slot<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|read| Slot(Some(read)))
    }

    otherwise!(Slot(None) => bare texts nulls lists);
}

/// A list of objects, or nothing where something else stands in its place. Elements that are no objects are left out.
#[derive(Debug)]
pub(crate) struct Items<T>(pub(crate) Option<Vec<T>>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Slot(item)) = seq.next_element()? {
            items.extend(item);
        }
        Ok(Items(Some(items)))
    }

    otherwise!(Items(None) => bare texts nulls objects);
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

/// Decodes a list whose elements need a seed.
#[derive(Clone, Copy)]
pub(crate) struct ListSeed<S>(pub(crate) S);

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for ListSeed<S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for ListSeed<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.0)? {
            items.push(item);
        }
        Ok(items)
    }
}
