//! JSON that is read leniently: whatever stands where something else belongs is told apart, and nothing makes a whole
//! page unreadable but broken JSON.

mod cell;
mod nested;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

pub use cell::Cell;
pub use nested::{Items, ListSeed, Slot};

/// The `visit_*` methods of a serde visitor for values of no use: they are skipped, and an expression stands for them.
/// Kinds: `bare` (numbers and flags), `texts`, `nulls`, `lists`, `objects`.
///
/// ```
/// use hris_http::lenient;
/// use serde::de::{Deserializer, Visitor};
///
/// /// How long a text is; nothing where something else stands.
/// struct Length;
///
/// impl<'de> Visitor<'de> for Length {
///     type Value = Option<usize>;
///
///     fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("a text")
///     }
///
///     fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
///         Ok(Some(text.len()))
///     }
///
///     lenient::otherwise!(None => bare nulls lists objects);
/// }
///
/// let length = |json| serde_json::Deserializer::from_str(json).deserialize_any(Length).unwrap();
/// assert_eq!((length(r#""abc""#), length(r#"{"a":[1]}"#)), (Some(3), None));
/// ```
#[doc(inline)]
pub use crate::__otherwise as otherwise;

/// See [`otherwise`].
#[doc(hidden)]
#[macro_export]
macro_rules! __otherwise {
    ($other:expr => $($kind:ident)+) => { $($crate::__otherwise!(@$kind $other);)+ };
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
        fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            $crate::lenient::skip_rest(&mut seq)?;
            Ok($other)
        }
    };
    (@objects $other:expr) => {
        fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            $crate::lenient::skip_entries(&mut map)?;
            Ok($other)
        }
    };
}

/// Skips what is left of a list.
pub fn skip_rest<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Skips what is left of an object.
pub fn skip_entries<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}
