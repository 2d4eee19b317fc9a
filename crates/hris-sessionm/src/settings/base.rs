//! The sections that every tenant has: the two API families, the profile, what agents may not do, and limits.

use hris_core::Result;
use hris_core::settings::within;
use hris_http::BaseUrl;
use serde::{Deserialize, Serialize};

use super::filled;
use super::template::check_path;
use crate::profile;

/// Where the Core family is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CoreSettings {
    /// Scheme, host and port, such as `https://api-harbour.stg-sessionm.com`.
    pub base_url: BaseUrl,
    /// What every path begins with (`/priv/v1/apps/{api_key}`).
    #[serde(default = "core_prefix")]
    pub prefix: String,
}

fn core_prefix() -> String {
    format!("/priv/v1/apps/{{{API_KEY}}}")
}

/// The place of the API key in the Core prefix.
pub(crate) const API_KEY: &str = "api_key";

impl CoreSettings {
    /// The documented prefix at a base URL.
    pub fn new(base_url: BaseUrl) -> Self {
        Self { base_url, prefix: core_prefix() }
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_path("core.prefix", &self.prefix, &[API_KEY])
    }
}

/// Where the Connect family is, and whose retailer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConnectSettings {
    /// Scheme, host and port, such as `https://domains-harbour.stg-sessionm.com`.
    pub base_url: BaseUrl,
    /// The GUID that SessionM's delivery team hands over; its case is kept.
    pub retailer_id: String,
}

impl ConnectSettings {
    /// The Connect family of a retailer.
    pub fn new(base_url: BaseUrl, retailer_id: impl Into<String>) -> Self {
        Self { base_url, retailer_id: retailer_id.into() }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let hint = "use the retailer id that SessionM's delivery team handed over, a GUID";
        filled("connect.retailer_id", &self.retailer_id, hint)
    }
}

/// Fields of the profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ProfileSettings {
    /// Fields that agents may not change, beside those that SessionM itself does not let anybody write.
    pub read_only: Vec<profile::ProfileField>,
    /// The key of `user_profile` in which the organisation keeps a customer's lifetime value in money.
    pub lifetime_value_field: Option<String>,
}

impl ProfileSettings {
    pub(super) fn validate(&self) -> Result<()> {
        match &self.lifetime_value_field {
            Some(name) => filled("profile.lifetime_value_field", name, "name the key, or leave the line out"),
            None => Ok(()),
        }
    }
}

/// What an agent may not do although SessionM might let them; what it does itself is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Guards {
    /// Whether a suspended customer may be awarded points and issued or sold offers (no).
    pub suspended_may_receive: bool,
}

/// How fast and how often. SessionM publishes no limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Requests in flight at a time, for each family and key (4).
    pub max_in_flight: u32,
    /// Requests a second, for each family and key; no limit if left out.
    pub requests_per_second: Option<u32>,
    /// The time-out of one attempt, in seconds (30).
    pub timeout_seconds: u32,
    /// How often a request is sent at most that may be repeated (4).
    pub max_attempts: u32,
    /// How often an unclear outcome is read before it is reported as uncertain (3).
    pub settle_reads: u32,
    /// The wait between those readings, in milliseconds (1000).
    pub settle_wait_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_in_flight: 4,
            requests_per_second: None,
            timeout_seconds: 30,
            max_attempts: 4,
            settle_reads: 3,
            settle_wait_ms: 1000,
        }
    }
}

impl Limits {
    pub(super) fn validate(&self) -> Result<()> {
        within("limits.max_in_flight", self.max_in_flight, 1, 64)?;
        if let Some(requests) = self.requests_per_second {
            within("limits.requests_per_second", requests, 1, 1000)?;
        }
        within("limits.timeout_seconds", self.timeout_seconds, 1, 600)?;
        within("limits.max_attempts", self.max_attempts, 1, 20)?;
        within("limits.settle_reads", self.settle_reads, 1, 20)?;
        within("limits.settle_wait_ms", self.settle_wait_ms, 0, 60_000)
    }
}
