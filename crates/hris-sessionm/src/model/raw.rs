//! Fields whose schema is the organisation's own, kept as they came.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Points;
use crate::wire::lenient::read_instant;

/// Fields by name, each the JSON that SessionM sent: numbers keep all their digits. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct RawFields(BTreeMap<String, Box<RawValue>>);

impl RawFields {
    pub(crate) fn new(fields: BTreeMap<String, Box<RawValue>>) -> Self {
        Self(fields)
    }

    /// The JSON of a field. Event payloads differ in how they write names, so case and underscores do not matter
    /// where no field has this very name.
    pub fn json(&self, name: &str) -> Option<&str> {
        let exact = self.0.get(name);
        let alike = || self.0.iter().find(|(known, _)| is_alike(known, name)).map(|(_, value)| value);
        exact.or_else(alike).map(|value| value.get()).filter(|json| *json != "null")
    }

    /// The text of a field: a JSON text without its quotes, anything else that is no object or list as it is written.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let json = self.json(name)?;
        match json.as_bytes().first()? {
            b'"' => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
            b'{' | b'[' => None,
            _ => Some(Cow::Borrowed(json)),
        }
    }

    /// A field that is a number, or a text with one in it.
    pub fn number(&self, name: &str) -> Option<Points> {
        serde_json::from_str(self.json(name)?).ok()
    }

    /// A field that is a flag, or a text with one in it.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match &*self.text(name)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A field that is a date and time; without a zone it is taken for UTC.
    pub fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        read_instant(&self.text(name)?)
    }

    /// A field in a form of the caller's own.
    pub fn decode<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.json(name)?).ok()
    }

    /// The names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_alike(one: &str, other: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect::<String>();
    letters(one) == letters(other)
}

impl PartialEq for RawFields {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(one, other)| one.0 == other.0 && one.1.get() == other.1.get())
    }
}

impl Eq for RawFields {}

impl fmt::Debug for RawFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
