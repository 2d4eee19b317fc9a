//! Objects and lists, or nothing where something else stands in their place.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::otherwise;

/// An object, or nothing where something else stands in its place.
#[derive(Debug)]
pub struct Slot<T>(pub Option<T>);

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
pub struct Items<T>(pub Option<Vec<T>>);

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

/// Decodes a list whose elements need a seed. Anything else than a list is an error.
#[derive(Clone, Copy, Debug)]
pub struct ListSeed<S>(pub S);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Row {
        id: u8,
    }

    #[test]
    fn an_object_is_told_apart_from_what_stands_in_its_place() {
        let id = |json| serde_json::from_str::<Slot<Row>>(json).unwrap().0.map(|row| row.id);
        assert_eq!(id(r#"{"id":7}"#), Some(7));
        for json in ["null", "7", "-7", "1.5", "true", r#""x""#, "[]", r#"[{"id":7}]"#] {
            assert_eq!(id(json), None, "{json}");
        }
    }

    #[test]
    fn a_list_keeps_its_objects_and_anything_else_is_no_list() {
        let ids = |json| {
            let items = serde_json::from_str::<Items<Row>>(json).unwrap().0;
            items.map(|rows| rows.into_iter().map(|row| row.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(r#"[{"id":1},null,7,"x",[{"id":9}],{"id":2}]"#), Some(vec![1, 2]));
        for json in ["null", "7", "true", r#""x""#, r#"{"id":7}"#] {
            assert_eq!(ids(json), None, "{json}");
        }
    }

    #[test]
    fn a_seeded_list_is_a_list_or_an_error() {
        let read = |json| {
            let mut json = serde_json::Deserializer::from_str(json);
            ListSeed(PhantomData::<u8>).deserialize(&mut json).ok()
        };
        assert_eq!(read("[1,2]"), Some(vec![1, 2]));
        assert_eq!((read("{}"), read("null"), read("[\"x\"]")), (None, None, None));
    }
}
