//! One rule of a mapping, in the form of documents: what an attribute comes from and what holds when nothing comes.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::condition::Test;
use super::transform::Transform;
use crate::{EmployeeField, SourceField, TargetField};

/// Where one attribute comes from.
///
/// In a document, this is an attribute that is copied, one that is put together, and one by condition:
///
/// ```
/// # let rules: Vec<hris_core::FieldRule> = serde_json::from_str(r#"[
/// { "target": "email", "from": ["work_email", "personal_email"], "transforms": ["trim"] },
/// { "target": "display_name", "from": [{ "join": ["first_name", "last_name"], "separator": " " }] },
/// { "target": "location",
///   "from": [{ "constant": "Home", "when": [{ "field": "custom:remote", "equals": "yes" }] }, "location"],
///   "on_null": "keep" }
/// # ]"#)?;
/// # assert_eq!(rules.len(), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldRule {
    /// The attribute to write.
    pub target: TargetField,
    /// What to read: the first alternative that has a value is taken.
    pub from: Vec<Alternative>,
    /// Changes on the way, in order; each alternative goes through them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// What the source's word that there is no value means.
    #[serde(default, skip_serializing_if = "OnNull::is_clear")]
    pub on_null: OnNull,
    /// What it means that nothing was delivered.
    #[serde(default, skip_serializing_if = "OnAbsent::is_keep")]
    pub on_absent: OnAbsent,
    /// Whether the attribute is written when a member is created and belongs to the rewards side afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_only: bool,
    /// Whether nobody is created without it. A known member keeps what they have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

impl FieldRule {
    /// An attribute that comes from one alternative.
    pub fn new(target: impl Into<TargetField>, from: impl Into<Alternative>) -> Self {
        Self {
            target: target.into(),
            from: vec![from.into()],
            transforms: Vec::new(),
            on_null: OnNull::Clear,
            on_absent: OnAbsent::Keep,
            create_only: false,
            required: false,
        }
    }

    /// An attribute that is copied from one field.
    pub fn copy(target: impl Into<TargetField>, from: impl Into<SourceField>) -> Self {
        Self::new(target, from.into())
    }

    /// Another alternative, for when those before it have no value.
    #[must_use]
    pub fn or(mut self, from: impl Into<Alternative>) -> Self {
        self.from.push(from.into());
        self
    }

    /// A change on the way.
    #[must_use]
    pub fn with(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }

    /// What a null means.
    #[must_use]
    pub fn on_null(mut self, policy: OnNull) -> Self {
        self.on_null = policy;
        self
    }

    /// What an absent field means.
    #[must_use]
    pub fn on_absent(mut self, policy: OnAbsent) -> Self {
        self.on_absent = policy;
        self
    }

    /// Writes the attribute on create only.
    #[must_use]
    pub fn create_only(mut self) -> Self {
        self.create_only = true;
        self
    }

    /// Lets nobody be created without the attribute.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Every field that the rule reads, in conditions too; some may come twice.
    pub fn sources(&self) -> impl Iterator<Item = &SourceField> {
        self.from.iter().flat_map(Alternative::sources)
    }
}

/// What the source's word that there is no value means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnNull {
    /// The attribute is cleared.
    #[default]
    Clear,
    /// The attribute keeps what it has.
    Keep,
    /// This is written.
    Default(String),
}

impl OnNull {
    fn is_clear(&self) -> bool {
        *self == Self::Clear
    }
}

/// What it means that nothing was delivered. It never clears: a vendor that drops a field has not emptied it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnAbsent {
    /// The attribute keeps what it has.
    #[default]
    Keep,
    /// This is written.
    Default(String),
}

impl OnAbsent {
    fn is_keep(&self) -> bool {
        *self == Self::Keep
    }
}

/// One way to come by a value: a field, a constant, or several of them joined, perhaps on a condition.
///
/// In a document: `"work_email"`, or a table with one of `field`, `constant` and `join`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alternative {
    /// What is read.
    pub origin: Origin,
    /// Changes of this alternative, before those of the rule.
    pub transforms: Vec<Transform>,
    /// The alternative counts only if all of these hold. If that cannot be told, since a field was not delivered,
    /// the whole rule writes nothing.
    pub when: Vec<Test>,
}

/// What an [`Alternative`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A field.
    Field(SourceField),
    /// Always the same text; an empty one says that there is no value.
    Constant(String),
    /// Parts with a separator between them. Parts without a value are left out; if no field among them has one,
    /// there is no value, and if a field was not delivered, the whole was not.
    Join {
        /// The parts.
        parts: Vec<Part>,
        /// What stands between them.
        separator: String,
    },
}

/// One part of a join: a field with its own changes, or a constant. In a document `"first_name"`,
/// `{ "field": "first_name", "transforms": ["trim"] }` or `{ "constant": "x" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A field and its changes.
    Field(SourceField, Vec<Transform>),
    /// A text.
    Constant(String),
}

impl From<SourceField> for Part {
    fn from(field: SourceField) -> Self {
        Self::Field(field, Vec::new())
    }
}

impl From<EmployeeField> for Part {
    fn from(field: EmployeeField) -> Self {
        SourceField::from(field).into()
    }
}

impl From<SourceField> for Alternative {
    fn from(field: SourceField) -> Self {
        Self::new(Origin::Field(field))
    }
}

impl From<EmployeeField> for Alternative {
    fn from(field: EmployeeField) -> Self {
        SourceField::from(field).into()
    }
}

impl Alternative {
    /// An alternative without changes and conditions.
    pub fn new(origin: Origin) -> Self {
        Self { origin, transforms: Vec::new(), when: Vec::new() }
    }

    /// Always the same text.
    pub fn constant(text: impl Into<String>) -> Self {
        Self::new(Origin::Constant(text.into()))
    }

    /// Parts with a separator between them.
    pub fn join<P: Into<Part>>(parts: impl IntoIterator<Item = P>, separator: impl Into<String>) -> Self {
        let parts = parts.into_iter().map(Into::into).collect();
        Self::new(Origin::Join { parts, separator: separator.into() })
    }

    /// A change of this alternative only.
    #[must_use]
    pub fn with(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }

    /// A condition; several must all hold.
    #[must_use]
    pub fn when(mut self, test: Test) -> Self {
        self.when.push(test);
        self
    }

    /// Every field that it reads, in conditions too.
    pub fn sources(&self) -> impl Iterator<Item = &SourceField> {
        let (field, parts) = match &self.origin {
            Origin::Field(field) => (Some(field), [].as_slice()),
            Origin::Constant(_) => (None, [].as_slice()),
            Origin::Join { parts, .. } => (None, parts.as_slice()),
        };
        let parts = parts.iter().filter_map(|part| match part {
            Part::Field(field, _) => Some(field),
            Part::Constant(_) => None,
        });
        field.into_iter().chain(parts).chain(self.when.iter().map(|test| &test.field))
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Field(field) => write!(f, "{field}"),
            Origin::Constant(_) => f.write_str("a constant"),
            Origin::Join { parts, .. } => {
                for (index, part) in parts.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " + " })?;
                    match part {
                        Part::Field(field, _) => write!(f, "{field}")?,
                        Part::Constant(_) => f.write_str("a constant")?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// The table form of an alternative. A part of a join has the same form without `join` and `when`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// A field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<SourceField>,
    /// Always the same text; an empty one says that there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    constant: Option<String>,
    /// Parts to put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    join: Option<Vec<Part>>,
    /// What stands between the parts of a join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    separator: Option<String>,
    /// Changes of this alternative, before those of the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transforms: Vec<Transform>,
    /// The alternative counts only if all of these hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    when: Vec<Test>,
}

/// A field by its name, or the table form.
enum Form {
    Name(SourceField),
    Table(Box<Table>),
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field, or a table with `field`, `constant` or `join`")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Form, E> {
                name.parse().map(Form::Name).map_err(E::custom)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Form, A::Error> {
                let table = serde::de::value::MapAccessDeserializer::new(map);
                Table::deserialize(table).map(|table| Form::Table(Box::new(table)))
            }
        }
        from.deserialize_any(Visitor)
    }
}

impl Table {
    const ONE_OF: &'static str = "name exactly one of `field`, `constant` and `join`";

    fn origin(&mut self) -> Result<Origin, &'static str> {
        let separator = self.separator.take();
        match (self.field.take(), self.constant.take(), self.join.take()) {
            (Some(field), None, None) if separator.is_none() => Ok(Origin::Field(field)),
            (None, Some(text), None) if separator.is_none() => Ok(Origin::Constant(text)),
            (None, None, Some(parts)) => Ok(Origin::Join { parts, separator: separator.unwrap_or_default() }),
            _ if separator.is_some() => Err("`separator` goes with `join`"),
            _ => Err(Self::ONE_OF),
        }
    }
}

impl<'de> Deserialize<'de> for Alternative {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Form::deserialize(from)? {
            Form::Name(field) => Ok(field.into()),
            Form::Table(mut table) => {
                let origin = table.origin().map_err(D::Error::custom)?;
                Ok(Self { origin, transforms: table.transforms, when: table.when })
            }
        }
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut table = match Form::deserialize(from)? {
            Form::Name(field) => return Ok(field.into()),
            Form::Table(table) => table,
        };
        if !table.when.is_empty() {
            return Err(D::Error::custom("a part of a join has no `when`; put it on the join"));
        }
        match table.origin().map_err(D::Error::custom)? {
            Origin::Field(field) => Ok(Self::Field(field, table.transforms)),
            Origin::Constant(text) if table.transforms.is_empty() => Ok(Self::Constant(text)),
            Origin::Constant(_) => Err(D::Error::custom("a constant part of a join has no transforms")),
            Origin::Join { .. } => Err(D::Error::custom("a part of a join is no join")),
        }
    }
}

impl Serialize for Alternative {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (mut field, mut constant, mut join, mut separator) = (None, None, None, None);
        match &self.origin {
            Origin::Field(name) if self.transforms.is_empty() && self.when.is_empty() => {
                return name.serialize(to);
            }
            Origin::Field(name) => field = Some(name.clone()),
            Origin::Constant(text) => constant = Some(text.clone()),
            Origin::Join { parts, separator: between } => {
                join = Some(parts.clone());
                separator = Some(between.clone()).filter(|between| !between.is_empty());
            }
        }
        let (transforms, when) = (self.transforms.clone(), self.when.clone());
        Table { field, constant, join, separator, transforms, when }.serialize(to)
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (field, constant, transforms) = match self {
            Self::Field(field, transforms) if transforms.is_empty() => return field.serialize(to),
            Self::Field(field, transforms) => (Some(field.clone()), None, transforms.clone()),
            Self::Constant(text) => (None, Some(text.clone()), Vec::new()),
        };
        Table { field, constant, join: None, separator: None, transforms, when: Vec::new() }.serialize(to)
    }
}

#[cfg(feature = "schema")]
mod schema {
    //! JSON schema of the forms that are written by hand.

    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Alternative, Part, Table, Transform};
    use crate::SourceField;

    impl JsonSchema for Alternative {
        fn schema_name() -> Cow<'static, str> {
            "Alternative".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let (name, table) =
                (generator.subschema_for::<SourceField>(), generator.subschema_for::<Table>());
            json_schema!({
                "description": "One way to come by a value: the name of a field, or a table.",
                "anyOf": [name, table]
            })
        }
    }

    /// The table form of a part of a join.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct PartTable {
        /// A field.
        field: Option<SourceField>,
        /// A text.
        constant: Option<String>,
        /// Changes of this part.
        transforms: Option<Vec<Transform>>,
    }

    impl JsonSchema for Part {
        fn schema_name() -> Cow<'static, str> {
            "Part".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let (name, table) =
                (generator.subschema_for::<SourceField>(), generator.subschema_for::<PartTable>());
            json_schema!({
                "description": "One part of a join: the name of a field, or a table.",
                "anyOf": [name, table]
            })
        }
    }
}
