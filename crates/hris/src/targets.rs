//! Targets from a configuration, beside the connectors of [`Registry`](crate::Registry).

use hris_core::Result;
use hris_target_scim::ScimConfig;
use serde_json::{Map, Value};

/// Reads the options of a SCIM target, as a file or a form has them; an error names the option and what was expected,
/// and never shows a value.
///
/// ```
/// let options = serde_json::json!({ "endpoint": "https://api.example/7c/scim/v2", "profile": "reward_gateway" });
/// let config = hris::targets::scim(options.as_object().unwrap())?;
/// assert_eq!(config.profile, hris::target_scim::Profile::RewardGateway);
/// # Ok::<(), hris::core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Config`](hris_core::ErrorKind::Config).
pub fn scim(options: &Map<String, Value>) -> Result<ScimConfig> {
    crate::options::read(options)
}
