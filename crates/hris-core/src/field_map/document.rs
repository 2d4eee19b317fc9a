//! The document of a mapping with its scope filter, as it is kept, exported and reviewed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::faults::{self, MappingFault};
use super::rule::FieldRule;
use super::scope::ScopeFilter;
use super::{FieldMap, compile};
use crate::problem::rule;
use crate::{FieldMapping as _, MappingVersion, Result};

/// A mapping and its scope filter as one document, without secrets and without anybody's data.
///
/// ```
/// use hris_core::MappingDocument;
/// let document = MappingDocument::from_json(
///     r#"{
///         "format": 1,
///         "fields": [
///             { "target": "employee_id", "from": ["employee_id"] },
///             { "target": "email", "from": ["work_email"], "transforms": ["trim", "lower"] }
///         ],
///         "scope": { "exclude": [{ "field": "employment_type", "equals": "contractor" }] }
///     }"#,
/// )?;
/// assert!(document.check().is_empty());
/// let mapping = document.build()?;
/// assert_eq!(mapping.rules().len(), 2);
///
/// let faults = MappingDocument::from_json(r#"{ "format": 1, "fields": [{ "target": "shoe" }, 7] }"#).unwrap_err();
/// assert!(faults.to_string().contains("rule 1") && faults.to_string().contains("rule 2"), "{faults}");
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MappingDocument {
    /// The form of the document; 1 is the one described here.
    pub format: u32,
    /// Where each attribute comes from.
    pub fields: Vec<FieldRule>,
    /// Whom the connection is for. Left out: everybody.
    #[serde(default, skip_serializing_if = "ScopeFilter::is_everybody")]
    pub scope: ScopeFilter,
}

impl MappingDocument {
    /// The form that this version writes.
    pub const FORMAT: u32 = 1;

    /// A document of rules and a filter.
    pub fn new(fields: Vec<FieldRule>, scope: ScopeFilter) -> Self {
        Self { format: Self::FORMAT, fields, scope }
    }

    /// Reads a document from JSON text.
    ///
    /// # Errors
    /// As [`MappingDocument::from_value`].
    pub fn from_json(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            faults::error(&[MappingFault::new(rule::MAPPING_FORM, place, "is not JSON")])
        })?;
        Self::from_value(value)
    }

    /// Reads a document from JSON or any other data of the same form. A bare list of rules is taken as well.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] with every rule that has an unknown name or form.
    pub fn from_value(value: Value) -> Result<Self> {
        let mut faults = Vec::new();
        let mut fault = |place: &str, message: String| {
            faults.push(MappingFault::new(rule::MAPPING_FORM, place, message));
        };
        let (mut fields, mut scope) = (Value::Null, None);
        match value {
            Value::Array(_) => fields = value,
            Value::Object(map) => {
                let mut format = None;
                for (key, value) in map {
                    match key.as_str() {
                        "format" => format = Some(value),
                        "fields" => fields = value,
                        "scope" => scope = Some(value),
                        _ => fault("the document", format!("has an unknown part `{key}`")),
                    }
                }
                if format != Some(Self::FORMAT.into()) {
                    fault("the document", format!("has no `format` {}", Self::FORMAT));
                }
            }
            _ => {}
        }
        let mut rules = Vec::new();
        if let Value::Array(fields) = fields {
            for (index, value) in fields.into_iter().enumerate() {
                match serde_json::from_value(value) {
                    Ok(rule) => rules.push(rule),
                    Err(error) => fault(&format!("rule {}", index + 1), format!("cannot be read: {error}")),
                }
            }
        } else {
            fault("the document", "has no list of `fields`".to_owned());
        }
        let scope = scope.map(serde_json::from_value).transpose().unwrap_or_else(|error| {
            fault("scope", format!("cannot be read: {error}"));
            None
        });
        if faults.is_empty() {
            return Ok(Self::new(rules, scope.unwrap_or_default()));
        }
        Err(faults::error(&faults))
    }

    /// Everything that is wrong with rules and filter.
    pub fn check(&self) -> Vec<MappingFault> {
        let mut faults = compile::compile(&self.fields).1;
        faults.extend(self.scope.check());
        faults
    }

    /// Checks and compiles the document.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] with everything that is wrong.
    pub fn build(&self) -> Result<FieldMap> {
        let faults = self.check();
        if !faults.is_empty() {
            return Err(faults::error(&faults));
        }
        FieldMap::new(self.fields.clone())?.with_scope(self.scope.clone())
    }

    /// The version that a mapping built from it has.
    ///
    /// # Errors
    /// As [`MappingDocument::build`].
    pub fn version(&self) -> Result<MappingVersion> {
        Ok(self.build()?.version().clone())
    }
}

impl From<&FieldMap> for MappingDocument {
    fn from(mapping: &FieldMap) -> Self {
        Self::new(mapping.rules().to_vec(), mapping.scope_filter().clone())
    }
}
