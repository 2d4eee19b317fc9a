//! The changes that a value can go through on its way, in the form of documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A change of one value on its way. A value that is not there passes every change but [`Transform::Default`].
///
/// In a document: `"trim"`, `{ date = "%d/%m/%Y" }`, `{ split = { on = ",", part = 1 } }` and so on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Transform {
    /// Removes white space at both ends; what is left empty counts as no value.
    Trim,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Unicode normalisation form C.
    Nfc,
    /// Reads text as a date. The format is chrono's, such as `%d/%m/%Y`; ISO 8601 is always tried first.
    Date(String),
    /// Writes a date as text. The format is chrono's, such as `%d/%m/%Y`.
    Format(String),
    /// Replaces every occurrence of a text by another, which may be empty.
    Replace {
        /// What is looked for, to the letter.
        find: String,
        /// What takes its place.
        with: String,
    },
    /// Cuts text at each occurrence of a separator and keeps one part; no such part counts as no value.
    Split {
        /// The separator.
        on: String,
        /// Which part: 1 is the first, -1 the last.
        part: i32,
    },
    /// Takes the entry of a table under this text. Case, white space around it and the form of accents do not
    /// matter.
    Lookup {
        /// What each text becomes.
        table: BTreeMap<String, String>,
        /// What becomes of a text that has no entry.
        #[serde(default, skip_serializing_if = "Otherwise::is_problem")]
        otherwise: Otherwise,
    },
    /// Takes the place of a value that is not there. A field that was not delivered stays so.
    Default(String),
}

impl Transform {
    /// Its name in documents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Nfc => "nfc",
            Self::Date(_) => "date",
            Self::Format(_) => "format",
            Self::Replace { .. } => "replace",
            Self::Split { .. } => "split",
            Self::Lookup { .. } => "lookup",
            Self::Default(_) => "default",
        }
    }
}

/// What becomes of a text that a table has no entry for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Otherwise {
    /// The field is reported and left out, so that the attribute keeps what it has.
    #[default]
    Problem,
    /// The text is taken as it is.
    Keep,
    /// It counts as no value.
    Null,
}

impl Otherwise {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    fn is_problem(&self) -> bool {
        *self == Self::Problem
    }
}
