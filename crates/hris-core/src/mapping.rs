//! The mapping trait: from what a source says about somebody to what the rewards side should hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Attributes, Field, FieldProblem, FieldSource, SourceField, TargetField, ValueRef};

/// Whether a person belongs to the population that a connection is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "yes, no, and not to be told")]
pub enum ScopeVerdict {
    /// They do.
    Inside,
    /// They do not: by the `exclude` clause of this number (from 0), or since no `include` clause fits.
    Outside(Option<usize>),
    /// It cannot be told, since this field was not delivered or cannot be read. Nothing may be changed for them.
    Unknown(SourceField),
}

/// The version of a mapping: a digest of its content, recorded in every plan made with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MappingVersion(Box<str>);

impl MappingVersion {
    /// Wraps the text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Turns what a source says into member attributes.
///
/// A trait because applications have rules that no table expresses; the normal one is [`crate::FieldMap`], which
/// is declarative. It reads a [`FieldSource`], so that the loyalty rules map CRM records with the same engine.
///
/// # Contract
///
/// * [`FieldMapping::targets`] has at most [`MAX_TARGETS`] attributes, each once, Employee ID and e-mail among
///   them, always in the same order.
/// * [`FieldMapping::map`] answers one value per target in that order, reads nothing but
///   [`FieldMapping::sources`], and depends on nothing else.
/// * A change that could alter any result changes [`FieldMapping::version`].
pub trait FieldMapping: fmt::Debug + Send + Sync + 'static {
    /// The version of this mapping.
    fn version(&self) -> &MappingVersion;

    /// The fields that it reads; a connector is asked for these and no others.
    fn sources(&self) -> &[SourceField];

    /// The attributes that it writes.
    fn targets(&self) -> &[TargetField];

    /// Whether somebody belongs to the population that the mapping is for. Who does not is neither created nor
    /// changed, and stays if they are a member already.
    fn scope(&self, source: &dyn FieldSource) -> ScopeVerdict {
        let _ = source;
        ScopeVerdict::Inside
    }

    /// Attributes that are written when a member is created and never again: bit `n` stands for target `n`.
    /// Employee ID and e-mail are never among them.
    fn create_only(&self) -> u64 {
        0
    }

    /// Maps one person. Nothing in it fails as a whole: a field may be left out and the rest still used.
    fn map<'a>(&self, source: &'a dyn FieldSource) -> Mapped<'a>;
}

/// How many attributes a mapping may have, so that a set of them is one machine word.
pub const MAX_TARGETS: usize = 64;

/// The result of mapping one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped<'a> {
    /// One value per target of the mapping, in its order.
    pub values: Vec<Field<ValueRef<'a>>>,
    /// Fields that could not be used; their values are absent.
    pub problems: Vec<FieldProblem>,
    /// Required attributes without a value, bit `n` for target `n`. Nobody is created without them; their values are
    /// absent, so that a known member keeps what they have.
    pub missing: u64,
}

impl Mapped<'_> {
    /// The attributes at the positions that are set in `mask`, copied; absent fields are left out.
    pub fn attributes(&self, targets: &[TargetField], mask: u64) -> Attributes {
        let wanted = targets.iter().zip(&self.values).enumerate().filter(|(index, _)| mask >> index & 1 == 1);
        wanted
            .filter_map(|(_, (target, value))| match value {
                Field::Absent => None,
                Field::Null => Some((target.clone(), None)),
                Field::Value(value) => Some((target.clone(), Some(value.clone().into_owned()))),
            })
            .collect()
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn FieldMapping>) = drop;
