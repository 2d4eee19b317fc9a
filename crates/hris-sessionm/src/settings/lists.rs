//! What fills an agent's drop-downs.

use serde::{Deserialize, Serialize};

use super::filled;
use hris_core::{Error, Result};

/// One entry of a drop-down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Choice {
    /// What is sent.
    pub code: String,
    /// What the agent reads; the code, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Choice {
    /// An entry.
    pub fn new(code: impl Into<String>, label: impl Into<String>) -> Self {
        Self { code: code.into(), label: Some(label.into()) }
    }

    /// What the agent reads.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.code)
    }
}

/// Checks a list: no blank code and none twice.
pub(super) fn check(name: &str, codes: &[&str]) -> Result<()> {
    for (index, code) in codes.iter().enumerate() {
        filled(name, code, "give each entry what is sent to SessionM")?;
        if codes[..index].contains(code) {
            let message = format!("`{name}` has the same entry twice");
            return Err(Error::config(message, "keep one of them").with_context("entry", index + 1));
        }
    }
    Ok(())
}
