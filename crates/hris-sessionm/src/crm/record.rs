//! The CRM's side: a record, and a change to it.

use std::collections::BTreeMap;
use std::fmt;

use hris_core::{Field, FieldSource, SourceField, Value, ValueRef};
use serde::{Deserialize, Serialize};

use crate::model::Hidden;

/// Which kind of record a customer belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParentObject {
    /// An account.
    Account,
    /// A contact.
    #[default]
    Contact,
}

/// A record of the CRM. Fields that were not delivered are absent; one that is empty is null. `Debug` shows names only.
#[derive(Clone, PartialEq, Eq)]
pub struct CrmRecord {
    object: ParentObject,
    id: String,
    fields: BTreeMap<String, Option<Value>>,
}

impl CrmRecord {
    /// An account by the CRM's own id.
    pub fn account(id: impl Into<String>) -> Self {
        Self { object: ParentObject::Account, id: id.into(), fields: BTreeMap::new() }
    }

    /// A contact by the CRM's own id.
    pub fn contact(id: impl Into<String>) -> Self {
        Self { object: ParentObject::Contact, ..Self::account(id) }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(field.into(), Some(value.into()));
        self
    }

    /// Adds a field that is empty.
    #[must_use]
    pub fn with_empty(mut self, field: impl Into<String>) -> Self {
        self.fields.insert(field.into(), None);
        self
    }

    /// The kind of record.
    pub fn object(&self) -> ParentObject {
        self.object
    }

    /// The CRM's own id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the record says about a field: `None` if nothing, `Some(None)` if it is empty.
    pub fn get(&self, field: &str) -> Option<Option<&Value>> {
        self.fields.get(field).map(Option::as_ref)
    }

    /// The text of a field, trimmed; none if it is blank.
    pub fn text(&self, field: &str) -> Option<&str> {
        let text = self.get(field).flatten().and_then(Value::as_text)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The fields in which two states of a record differ.
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let differs = |(name, value): (&String, &Option<Value>)| {
            (before.fields.get(name) != Some(value)).then(|| name.clone())
        };
        self.fields.iter().filter_map(differs).collect()
    }

    /// The record with a change carried out.
    #[must_use]
    pub fn after(mut self, change: &CrmChange) -> Self {
        self.fields.extend(change.fields.clone());
        self
    }
}

impl FieldSource for CrmRecord {
    fn field(&self, field: &SourceField) -> Field<ValueRef<'_>> {
        match field {
            SourceField::Custom(name) => match self.fields.get(&**name) {
                None => Field::Absent,
                Some(None) => Field::Null,
                Some(Some(value)) => Field::Value(value.as_ref()),
            },
            SourceField::Employee(_) => Field::Absent,
        }
    }
}

impl fmt::Debug for CrmRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrmRecord")
            .field("object", &self.object)
            .field("id", &self.id)
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// A change to write to a record. `Debug` shows the names of the fields only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrmChange {
    /// The kind of record.
    pub object: ParentObject,
    /// The record.
    pub record: String,
    /// The fields, by the CRM's names; `None` empties one.
    pub fields: BTreeMap<String, Option<Value>>,
}

impl CrmChange {
    pub(super) fn of(record: &CrmRecord) -> Self {
        Self { object: record.object, record: record.id.clone(), fields: BTreeMap::new() }
    }

    /// This change with the fields of another on top; nothing if there is none.
    pub(super) fn and(mut self, other: Option<Self>) -> Option<Self> {
        self.fields.extend(other.into_iter().flat_map(|other| other.fields));
        (!self.fields.is_empty()).then_some(self)
    }
}

impl fmt::Debug for CrmChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrmChange")
            .field("object", &self.object)
            .field("record", &self.record)
            .field("fields", &self.fields.keys().map(|name| (name, Hidden)).collect::<Vec<_>>())
            .finish()
    }
}
