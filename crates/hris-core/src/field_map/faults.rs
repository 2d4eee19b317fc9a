//! What is wrong with a mapping: all of it at once, each with its place and a code.

use std::borrow::Cow;
use std::fmt;

use crate::{Error, RuleCode};

/// One thing that is wrong with a mapping or a scope filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MappingFault {
    /// The rule that is broken; see `docs/rules.md`.
    pub rule: RuleCode,
    /// Where: an attribute with the number of its rule, or a part of the scope filter.
    pub place: String,
    /// What is wrong and what can be done, as the rest of a sentence that begins with the place.
    pub message: Cow<'static, str>,
}

impl MappingFault {
    pub(crate) fn new(
        rule: RuleCode,
        place: impl Into<String>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { rule, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for MappingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.message)
    }
}

impl std::error::Error for MappingFault {}

/// The error for a mapping that cannot be built: it lists every fault.
pub(super) fn error(faults: &[MappingFault]) -> Error {
    let list: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let message = match faults {
        [fault] => format!("the mapping has a fault: {fault}"),
        _ => format!("the mapping has {} faults: {}", faults.len(), list.join("; ")),
    };
    Error::config(message, "correct the rules that are named; docs/mapping.md describes them")
}
