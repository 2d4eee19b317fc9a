//! The configuration of a Merge connection: checked when a connector is built, before anything is sent.
//!
//! It holds no secret, so that it can be stored and shown; the API key and the account token are handed over beside it.

use std::collections::BTreeMap;
use std::fmt;

use chrono::TimeDelta;
use hris_core::settings::{not_blank, within};
use hris_core::{AccountId, EmploymentStatus, Error, RecordIdKind, Result};
use hris_http::BaseUrl;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Where the Merge organisation was created, which fixes where its data is. Keys of one region do not work in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// United States: `api.merge.dev`.
    #[default]
    Us,
    /// European Union: `api-eu.merge.dev`.
    Eu,
    /// Asia and Pacific: `api-ap.merge.dev`.
    Apac,
}

impl Region {
    fn host(self) -> &'static str {
        match self {
            Self::Us => "https://api.merge.dev",
            Self::Eu => "https://api-eu.merge.dev",
            Self::Apac => "https://api-ap.merge.dev",
        }
    }
}

/// The plan of the Merge organisation, which decides how many requests a minute each linked account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// 100 requests a minute for each linked account.
    #[default]
    Launch,
    /// 400 requests a minute for each linked account.
    Professional,
    /// 600 requests a minute for each linked account.
    Enterprise,
}

impl Plan {
    /// Nine tenths of what the plan allows, since others may use the same account token.
    fn requests_per_minute(self) -> u32 {
        match self {
            Self::Launch => 90,
            Self::Professional => 360,
            Self::Enterprise => 540,
        }
    }
}

/// How fast this process asks for one linked account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestRate {
    /// Nine tenths of what a plan allows: 90, 360 or 540 a minute.
    Plan(Plan),
    /// This many a minute.
    PerMinute(u32),
    /// As fast as answers come; for measuring.
    Unlimited,
}

impl Default for RequestRate {
    fn default() -> Self {
        Self::Plan(Plan::default())
    }
}

/// Which id is the record id. It is pinned per connection: with the other one everybody would look new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordIdSource {
    /// `remote_id`, the HR system's own id. It survives that an account is deleted and linked anew.
    #[default]
    RemoteId,
    /// `id`, Merge's id, which is new when an account is deleted and linked anew.
    MergeId,
}

impl RecordIdSource {
    pub(crate) fn kind(self) -> RecordIdKind {
        match self {
            Self::RemoteId => REMOTE_ID,
            Self::MergeId => MERGE_ID,
        }
    }
}

/// The kind of the HR system's own ids.
pub(crate) const REMOTE_ID: RecordIdKind = RecordIdKind::new("merge.employee.remote_id");
/// The kind of Merge's ids.
const MERGE_ID: RecordIdKind = RecordIdKind::new("merge.employee.id");

/// When a record that Merge calls deleted (`remote_was_deleted`) may make a leaver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionTrust {
    /// Deleted records are not asked for.
    Ignored,
    /// Only where Merge documents that it learns of deletions from the HR system itself, at each synchronisation
    /// (BambooHR, Freshteam, Google Workspace, Microsoft Entra ID, Officient). Elsewhere they are reported.
    #[default]
    Native,
    /// Always: the organisation has Merge's deletion detection, which compares every few days.
    Any,
}

/// What an employment status of the HR system's own means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusMeaning {
    /// Works here.
    Active,
    /// Employed but away for a while.
    OnLeave,
    /// Hired, not started yet.
    Pending,
    /// No longer works here: a leaver.
    Inactive,
}

impl From<StatusMeaning> for EmploymentStatus {
    fn from(meaning: StatusMeaning) -> Self {
        match meaning {
            StatusMeaning::Active => Self::Active,
            StatusMeaning::OnLeave => Self::OnLeave,
            StatusMeaning::Pending => Self::Pending,
            StatusMeaning::Inactive => Self::Inactive,
        }
    }
}

/// The configuration of a connection to one linked account in Merge.
///
/// Every value has a default; what the vendor's documentation leaves open can be changed here. See
/// `docs/vendors/merge.md` for the facts behind the defaults.
///
/// ```
/// use hris_merge::{MergeConfig, Plan, Region, StatusMeaning};
/// let config = MergeConfig::new()
///     .with_region(Region::Eu)
///     .with_plan(Plan::Professional)
///     .with_status_alias("Career Break", StatusMeaning::OnLeave);
/// let stored = serde_json::to_string(&config)?;
/// assert_eq!(serde_json::from_str::<MergeConfig>(&stored)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MergeConfig {
    /// The region of the Merge organisation (US).
    pub region: Region,
    /// Scheme, host and port in place of the region's, such as a single tenant's or a simulator's. https, or http to
    /// loopback.
    pub base_url: Option<BaseUrl>,
    /// The linked account that the account token must open. Without it the first one that answers is remembered for as
    /// long as the connector lives.
    pub expected_account_id: Option<AccountId>,
    /// Rows a page, 1 to 100 (100).
    pub page_size: u32,
    /// Which id is the record id (`remote_id`).
    pub record_id: RecordIdSource,
    /// The kinds of groups that are departments, in Merge's word or the HR system's (`DEPARTMENT`), without regard to
    /// case. Some HR systems let customers define their own kinds.
    pub department_group_types: Vec<String>,
    /// What statuses outside Merge's own three mean, by the HR system's word, without regard to case. A word that
    /// stands nowhere changes nothing and is reported.
    pub status_aliases: BTreeMap<String, StatusMeaning>,
    /// When a record that Merge calls deleted may make a leaver.
    pub deletions: DeletionTrust,
    /// Whether people are read while the first synchronisation of an account is still under way (no). They may then be
    /// created and updated, never removed.
    pub reads_during_first_sync: bool,
    /// After how many hours without a successful synchronisation data is stale, 1 to 10,000 (48): people may then be
    /// updated but not removed. `None` for plans that synchronise by hand.
    pub max_staleness_hours: Option<u32>,
    /// By how many minutes an incremental reading begins earlier than the last one began, 0 to 10,080 (15). Merge does
    /// not say whether its bounds are inclusive, and stamps rows before they become visible.
    pub overlap_minutes: u32,
    /// How fast this process asks, shared by all its connections to the linked account.
    pub rate: RequestRate,
    /// Requests in flight at a time, 1 to 64 (4), shared in the same way. Pages follow one another, so that it matters
    /// for reading single people only.
    pub max_in_flight: u32,
}

impl Default for MergeConfig {
    fn default() -> Self {
        Self {
            region: Region::default(),
            base_url: None,
            expected_account_id: None,
            page_size: 100,
            record_id: RecordIdSource::default(),
            department_group_types: vec!["DEPARTMENT".to_owned()],
            status_aliases: BTreeMap::new(),
            deletions: DeletionTrust::default(),
            reads_during_first_sync: false,
            max_staleness_hours: Some(48),
            overlap_minutes: 15,
            rate: RequestRate::default(),
            max_in_flight: 4,
        }
    }
}

impl MergeConfig {
    /// The defaults: region US, plan Launch, `remote_id` as record id.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the region.
    #[must_use]
    pub fn with_region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// Sets scheme, host and port in place of the region's.
    #[must_use]
    pub fn with_base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// Sets the linked account that the account token must open.
    #[must_use]
    pub fn with_expected_account(mut self, account: impl Into<AccountId>) -> Self {
        self.expected_account_id = Some(account.into());
        self
    }

    /// Sets the rows a page.
    #[must_use]
    pub fn with_page_size(mut self, rows: u32) -> Self {
        self.page_size = rows;
        self
    }

    /// Sets which id is the record id.
    #[must_use]
    pub fn with_record_id(mut self, source: RecordIdSource) -> Self {
        self.record_id = source;
        self
    }

    /// Sets the kinds of groups that are departments.
    #[must_use]
    pub fn with_department_group_types<T: Into<String>>(
        mut self,
        types: impl IntoIterator<Item = T>,
    ) -> Self {
        self.department_group_types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Says what a status of the HR system's own means.
    #[must_use]
    pub fn with_status_alias(mut self, word: impl Into<String>, meaning: StatusMeaning) -> Self {
        self.status_aliases.insert(word.into(), meaning);
        self
    }

    /// Sets when a deleted record may make a leaver.
    #[must_use]
    pub fn with_deletions(mut self, trust: DeletionTrust) -> Self {
        self.deletions = trust;
        self
    }

    /// Sets whether people are read while the first synchronisation is under way.
    #[must_use]
    pub fn with_reading_during_first_sync(mut self, reads: bool) -> Self {
        self.reads_during_first_sync = reads;
        self
    }

    /// Sets after how many hours data is stale; `None` for never.
    #[must_use]
    pub fn with_max_staleness(mut self, hours: Option<u32>) -> Self {
        self.max_staleness_hours = hours;
        self
    }

    /// Sets by how many minutes incremental readings overlap.
    #[must_use]
    pub fn with_overlap(mut self, minutes: u32) -> Self {
        self.overlap_minutes = minutes;
        self
    }

    /// Sets the plan whose limit is kept.
    #[must_use]
    pub fn with_plan(self, plan: Plan) -> Self {
        self.with_rate(RequestRate::Plan(plan))
    }

    /// Sets how fast this process asks.
    #[must_use]
    pub fn with_rate(mut self, rate: RequestRate) -> Self {
        self.rate = rate;
        self
    }

    /// Sets the limit of requests a minute; `None` switches it off.
    #[must_use]
    pub fn with_requests_per_minute(self, requests: Option<u32>) -> Self {
        self.with_rate(requests.map_or(RequestRate::Unlimited, RequestRate::PerMinute))
    }

    /// Sets how many requests are in flight at a time.
    #[must_use]
    pub fn with_max_in_flight(mut self, requests: u32) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Checks every value.
    pub(crate) fn validate(&self) -> Result<()> {
        within("page_size", self.page_size, 1, MAX_PAGE_SIZE)?;
        within("max_in_flight", self.max_in_flight, 1, MAX_IN_FLIGHT)?;
        within("overlap_minutes", self.overlap_minutes, 0, MAX_OVERLAP_MINUTES)?;
        if let Some(hours) = self.max_staleness_hours {
            within("max_staleness_hours", hours, 1, MAX_STALENESS_HOURS)?;
        }
        if let RequestRate::PerMinute(requests) = self.rate {
            within("rate", requests, 1, MAX_REQUESTS_PER_MINUTE)?;
        }
        for kind in &self.department_group_types {
            not_blank("department_group_types", kind.as_str())?;
        }
        for word in self.status_aliases.keys() {
            not_blank("status_aliases", word.as_str())?;
            not_merges_own(word)?;
        }
        self.expected_account_id
            .as_ref()
            .map_or(Ok(()), |account| not_blank("expected_account_id", account.as_str()))
    }

    /// Where the API lives.
    pub(crate) fn base(&self) -> Result<BaseUrl> {
        match &self.base_url {
            Some(base) => Ok(base.clone()),
            None => BaseUrl::parse(self.region.host()),
        }
    }

    /// The limit of requests a minute.
    pub(crate) fn requests_per_minute(&self) -> Option<u32> {
        match self.rate {
            RequestRate::Plan(plan) => Some(plan.requests_per_minute()),
            RequestRate::PerMinute(requests) => Some(requests),
            RequestRate::Unlimited => None,
        }
    }

    pub(crate) fn overlap(&self) -> TimeDelta {
        TimeDelta::minutes(self.overlap_minutes.into())
    }

    pub(crate) fn max_staleness(&self) -> Option<TimeDelta> {
        self.max_staleness_hours.map(|hours| TimeDelta::hours(hours.into()))
    }

    /// What a status word outside Merge's own means.
    pub(crate) fn status_alias(&self, word: &str) -> Option<StatusMeaning> {
        let mut aliases = self.status_aliases.iter();
        aliases
            .find(|(alias, _)| alias.trim().to_lowercase() == word.to_lowercase())
            .map(|(_, meaning)| *meaning)
    }

    /// Whether groups of this kind are departments.
    pub(crate) fn is_department(&self, kind: &str) -> bool {
        self.department_group_types.iter().any(|known| known.trim().eq_ignore_ascii_case(kind))
    }
}

/// The two secrets of a connection: the organisation's API key, and the token of one linked account.
///
/// ```
/// use hris_merge::MergeCredentials;
/// let credentials = MergeCredentials::new("the API key".into(), "the account token".into());
/// assert!(!format!("{credentials:?}").contains("the"));
/// ```
#[derive(Clone)]
pub struct MergeCredentials {
    pub(crate) api_key: SecretString,
    pub(crate) account_token: SecretString,
}

impl MergeCredentials {
    /// The API key of the Merge organisation, then the account token of the linked account.
    pub fn new(api_key: SecretString, account_token: SecretString) -> Self {
        Self { api_key, account_token }
    }
}

impl fmt::Debug for MergeCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergeCredentials").finish_non_exhaustive()
    }
}

/// The vendor's own limit.
const MAX_PAGE_SIZE: u32 = 100;
/// Most requests in flight.
const MAX_IN_FLIGHT: u32 = 64;
/// What the largest plan allows for each linked account.
const MAX_REQUESTS_PER_MINUTE: u32 = 600;
/// A week.
const MAX_OVERLAP_MINUTES: u32 = 7 * 24 * 60;
/// More than a year, for plans that synchronise by the quarter.
const MAX_STALENESS_HOURS: u32 = 10_000;

/// An alias of one of Merge's own words could turn everybody into a leaver.
fn not_merges_own(word: &str) -> Result<()> {
    let own = ["ACTIVE", "PENDING", "INACTIVE"];
    if own.iter().any(|own| own.eq_ignore_ascii_case(word.trim())) {
        let message = format!("`status_aliases` gives `{word}` another meaning");
        return Err(Error::config(message, "leave it out: the word is one of Merge's own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

    #[test]
    fn each_region_has_its_host_and_a_base_url_wins_over_it() {
        for (region, host) in [
            (Region::Us, "https://api.merge.dev"),
            (Region::Eu, "https://api-eu.merge.dev"),
            (Region::Apac, "https://api-ap.merge.dev"),
        ] {
            assert_eq!(MergeConfig::new().with_region(region).base().unwrap().to_string(), host);
        }
        let base = BaseUrl::parse("http://127.0.0.1:9").unwrap();
        assert_eq!(MergeConfig::new().with_base_url(base.clone()).base().unwrap(), base);
    }

    #[test]
    fn each_plan_keeps_a_tenth_of_its_limit_for_others() {
        let limit = |config: MergeConfig| config.requests_per_minute();
        assert_eq!(limit(MergeConfig::new()), Some(90));
        assert_eq!(limit(MergeConfig::new().with_plan(Plan::Professional)), Some(360));
        assert_eq!(limit(MergeConfig::new().with_plan(Plan::Enterprise)), Some(540));
        assert_eq!(limit(MergeConfig::new().with_requests_per_minute(Some(7))), Some(7));
        assert_eq!(limit(MergeConfig::new().with_requests_per_minute(None)), None);
    }

    #[test]
    fn the_defaults_are_valid_and_each_value_has_its_bounds() {
        let good = MergeConfig::new();
        good.validate().unwrap();
        good.clone().with_requests_per_minute(None).with_max_staleness(None).validate().unwrap();
        let bad = [
            good.clone().with_page_size(0),
            good.clone().with_page_size(101),
            good.clone().with_requests_per_minute(Some(0)),
            good.clone().with_requests_per_minute(Some(601)),
            good.clone().with_max_in_flight(0),
            good.clone().with_max_in_flight(65),
            good.clone().with_overlap(10_081),
            good.clone().with_max_staleness(Some(0)),
            good.clone().with_department_group_types([" "]),
            good.clone().with_status_alias("", StatusMeaning::Active),
            good.clone().with_status_alias("active", StatusMeaning::Inactive),
            good.with_expected_account(""),
        ];
        for config in bad {
            let error = config.validate().unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_rather_than_ignored() {
        let read = serde_json::from_str::<MergeConfig>;
        let stored = r#"{ "region": "apac", "rate": { "plan": "enterprise" }, "deletions": "any" }"#;
        assert_eq!(read(stored).unwrap().requests_per_minute(), Some(540));
        assert!(read(r#"{ "rate": "unlimited" }"#).is_ok());
        assert!(read(r#"{ "expand": "team" }"#).is_err());
        assert!(read(r#"{ "account_token": "s3cret" }"#).is_err());
    }

    #[test]
    fn status_words_and_group_kinds_are_compared_without_regard_to_case() {
        let config = MergeConfig::new()
            .with_status_alias("Career Break", StatusMeaning::OnLeave)
            .with_department_group_types(["Abteilung"]);
        assert_eq!(config.status_alias("CAREER BREAK"), Some(StatusMeaning::OnLeave));
        assert_eq!(config.status_alias("career"), None);
        assert!(config.is_department("abteilung") && !config.is_department("DEPARTMENT"));
    }
}
