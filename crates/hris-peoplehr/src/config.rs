//! The configuration of a PeopleHR connection: checked when a connector is built, before anything is sent.
//!
//! It holds no secret, so that it can be stored and shown; the API key is handed over beside it.

use std::time::Duration;

use chrono_tz::Tz;
use hris_core::settings::{path, within};
use hris_core::{Error, Result};
use hris_http::BaseUrl;
use serde::{Deserialize, Serialize};

use crate::query::QuerySource;

/// Which of PeopleHR's two ids is the record id, on which links are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordIdSource {
    /// `UniqueKey`: a GUID that stays when somebody's Employee ID is changed. Not every PeopleHR sends it; a reading
    /// of one that does not fails and says so.
    #[default]
    UniqueKey,
    /// `EmployeeId`: what an administrator sees and can change. A changed id then looks like another person.
    EmployeeId,
}

/// Which listings a reading asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Listings {
    /// Current staff, and then everybody: whoever is in the second and not in the first has left.
    #[default]
    Both,
    /// Everybody only, with the leaving date alone to tell who has left. Somebody who was marked as a leaver at once
    /// then counts as active until their leaving date.
    Everybody,
}

/// How the listing is told whether leavers are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlagForm {
    /// `"true"` and `"false"`: the form that other clients were seen to use for both.
    #[default]
    Text,
    /// `true` and `false`.
    Bool,
}

/// What a leaving date says about somebody who is still among current staff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeavingDateRule {
    /// They are employed on that day, and have left from the next day on.
    #[default]
    DayAfter,
    /// They have left from that day on.
    SameDay,
    /// Nothing: only who is missing among current staff has left.
    Ignored,
}

/// What becomes of somebody among current staff whose `EmployeeStatus` is none of the codes that mean active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownStatusCode {
    /// They are active, as the listing says, and the receipt has a warning. The vendor does not document its codes.
    #[default]
    Active,
    /// Nothing changes for them, and they are reported.
    NoChange,
}

/// The configuration of a connection to one company in PeopleHR.
///
/// Every value has a default; what the vendor's documentation leaves open can be changed here. See
/// `docs/vendors/peoplehr.md` for the facts behind the defaults.
///
/// ```
/// use hris_peoplehr::{LeavingDateRule, PeopleHrConfig};
/// // A company in India for which the last day is the first one without access.
/// let config = PeopleHrConfig::new()
///     .with_company_id("70001")
///     .with_time_zone("Asia/Kolkata")
///     .with_leaving_date(LeavingDateRule::SameDay);
/// let stored = serde_json::to_string(&config)?;
/// assert_eq!(serde_json::from_str::<PeopleHrConfig>(&stored)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PeopleHrConfig {
    /// The id of the company that the key has to open, as `check` tells it (PeopleHR's `CompanyId`). Without one the
    /// first company that answers is taken.
    pub company_id: Option<String>,
    /// Whether PeopleHR is asked which company the key opens (yes). Without that, `company_id` is any name of yours, and
    /// nothing notices a key of another company.
    pub verifies_company: bool,
    /// Scheme, host and port (`https://api.peoplehr.net`). https, or http to loopback.
    pub base_url: Option<BaseUrl>,
    /// Path of everything about employees (`/Employee`).
    pub employee_path: String,
    /// Path of saved queries (`/Query`).
    pub query_path: String,
    /// How requests introduce themselves (`hris-peoplehr/` and the version). The network before PeopleHR turns some
    /// agents away.
    pub user_agent: String,
    /// Which id is the record id. Pinned: another one would look like an entirely new population, and is refused.
    pub record_id: RecordIdSource,
    /// Which listings a reading asks for.
    pub listings: Listings,
    /// How the listing is told whether leavers are wanted.
    pub flag_form: FlagForm,
    /// What a leaving date says about somebody who is still among current staff.
    pub leaving_date: LeavingDateRule,
    /// The values of `EmployeeStatus` that mean active (`1`). All others are unknown.
    pub active_status_codes: Vec<String>,
    /// What becomes of somebody with an unknown code.
    pub unknown_status_code: UnknownStatusCode,
    /// IANA name of the time zone in which days begin (`Europe/London`).
    pub time_zone: String,
    /// Whether the first name is the one that people are known as, where there is one (no).
    pub prefers_known_as: bool,
    /// A saved query to read in place of the directory (none).
    pub query: Option<QuerySource>,
    /// Requests a minute, 1 to 600 (25), shared by all connections of this process to the same host. The vendor counts
    /// by calling address, 30 a minute by its documentation. `None` switches the limit off.
    pub requests_per_minute: Option<u32>,
    /// How long to wait after an answer that says to slow down, in seconds, 1 to 600 (60). The vendor does not tell.
    pub throttle_wait_seconds: u32,
    /// How long a listing may take until its first record arrives, and then pause, in seconds, 1 to 600 (120).
    pub listing_timeout_seconds: u32,
    /// The largest record to accept, in bytes, 1 KiB to 16 MiB (1 MiB).
    pub max_record_bytes: u32,
    /// Further texts that say "slow down", should the vendor change its wording: parts of a message, in any case.
    pub throttle_messages: Vec<String>,
    /// Further texts that say that the key was refused.
    pub credential_messages: Vec<String>,
    /// Further texts that say that a permission is missing.
    pub permission_messages: Vec<String>,
}

impl Default for PeopleHrConfig {
    fn default() -> Self {
        Self {
            company_id: None,
            verifies_company: true,
            base_url: None,
            employee_path: "/Employee".to_owned(),
            query_path: "/Query".to_owned(),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
            record_id: RecordIdSource::default(),
            listings: Listings::default(),
            flag_form: FlagForm::default(),
            leaving_date: LeavingDateRule::default(),
            active_status_codes: vec!["1".to_owned()],
            unknown_status_code: UnknownStatusCode::default(),
            time_zone: "Europe/London".to_owned(),
            prefers_known_as: false,
            query: None,
            requests_per_minute: Some(25),
            throttle_wait_seconds: 60,
            listing_timeout_seconds: 120,
            max_record_bytes: 1 << 20,
            throttle_messages: Vec::new(),
            credential_messages: Vec::new(),
            permission_messages: Vec::new(),
        }
    }
}

impl PeopleHrConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the company that the key has to open.
    #[must_use]
    pub fn with_company_id(mut self, id: impl Into<String>) -> Self {
        self.company_id = Some(id.into());
        self
    }

    /// Sets whether PeopleHR is asked which company the key opens.
    #[must_use]
    pub fn with_verified_company(mut self, verified: bool) -> Self {
        self.verifies_company = verified;
        self
    }

    /// Sets scheme, host and port.
    #[must_use]
    pub fn with_base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// Sets the path of everything about employees.
    #[must_use]
    pub fn with_employee_path(mut self, path: impl Into<String>) -> Self {
        self.employee_path = path.into();
        self
    }

    /// Sets the path of saved queries.
    #[must_use]
    pub fn with_query_path(mut self, path: impl Into<String>) -> Self {
        self.query_path = path.into();
        self
    }

    /// Sets how requests introduce themselves.
    #[must_use]
    pub fn with_user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Sets which id is the record id.
    #[must_use]
    pub fn with_record_id(mut self, source: RecordIdSource) -> Self {
        self.record_id = source;
        self
    }

    /// Sets which listings a reading asks for.
    #[must_use]
    pub fn with_listings(mut self, listings: Listings) -> Self {
        self.listings = listings;
        self
    }

    /// Sets how the listing is told whether leavers are wanted.
    #[must_use]
    pub fn with_flag_form(mut self, form: FlagForm) -> Self {
        self.flag_form = form;
        self
    }

    /// Sets what a leaving date says about somebody who is still among current staff.
    #[must_use]
    pub fn with_leaving_date(mut self, rule: LeavingDateRule) -> Self {
        self.leaving_date = rule;
        self
    }

    /// Sets the values of `EmployeeStatus` that mean active.
    #[must_use]
    pub fn with_active_status_codes<C: Into<String>>(mut self, codes: impl IntoIterator<Item = C>) -> Self {
        self.active_status_codes = codes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what becomes of somebody with an unknown status code.
    #[must_use]
    pub fn with_unknown_status_code(mut self, rule: UnknownStatusCode) -> Self {
        self.unknown_status_code = rule;
        self
    }

    /// Sets the time zone in which days begin, by its IANA name.
    #[must_use]
    pub fn with_time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = name.into();
        self
    }

    /// Sets whether the first name is the one that people are known as.
    #[must_use]
    pub fn with_known_as(mut self, preferred: bool) -> Self {
        self.prefers_known_as = preferred;
        self
    }

    /// Reads a saved query in place of the directory.
    #[must_use]
    pub fn with_query(mut self, query: QuerySource) -> Self {
        self.query = Some(query);
        self
    }

    /// Sets the limit of requests a minute; `None` switches it off.
    #[must_use]
    pub fn with_requests_per_minute(mut self, requests: Option<u32>) -> Self {
        self.requests_per_minute = requests;
        self
    }

    /// Sets how many seconds to wait after an answer that says to slow down.
    #[must_use]
    pub fn with_throttle_wait_seconds(mut self, seconds: u32) -> Self {
        self.throttle_wait_seconds = seconds;
        self
    }

    /// Sets how many seconds a listing may take until its first record arrives.
    #[must_use]
    pub fn with_listing_timeout_seconds(mut self, seconds: u32) -> Self {
        self.listing_timeout_seconds = seconds;
        self
    }

    /// Sets the largest record to accept, in bytes.
    #[must_use]
    pub fn with_max_record_bytes(mut self, bytes: u32) -> Self {
        self.max_record_bytes = bytes;
        self
    }

    /// Adds a text that says "slow down".
    #[must_use]
    pub fn with_throttle_message(mut self, text: impl Into<String>) -> Self {
        self.throttle_messages.push(text.into());
        self
    }

    /// Adds a text that says that the key was refused.
    #[must_use]
    pub fn with_credential_message(mut self, text: impl Into<String>) -> Self {
        self.credential_messages.push(text.into());
        self
    }

    /// Adds a text that says that a permission is missing.
    #[must_use]
    pub fn with_permission_message(mut self, text: impl Into<String>) -> Self {
        self.permission_messages.push(text.into());
        self
    }

    /// Checks every value.
    pub(crate) fn validate(&self) -> Result<()> {
        within("throttle_wait_seconds", self.throttle_wait_seconds, 1, MAX_SECONDS)?;
        within("listing_timeout_seconds", self.listing_timeout_seconds, 1, MAX_SECONDS)?;
        within("max_record_bytes", self.max_record_bytes, 1 << 10, 16 << 20)?;
        if let Some(requests) = self.requests_per_minute {
            within("requests_per_minute", requests, 1, MAX_REQUESTS_PER_MINUTE)?;
        }
        path("employee_path", &self.employee_path)?;
        path("query_path", &self.query_path)?;
        self.zone()?;
        if self.company_id.is_some() && self.company().is_none() {
            return Err(Error::config(
                "`company_id` is blank",
                "give the id that `check` tells, or leave it out",
            ));
        }
        if !self.verifies_company && self.company().is_none() {
            let hint = "give it any name that stays the same, or let PeopleHR be asked (`verifies_company`)";
            return Err(Error::config("`company_id` is missing, and PeopleHR is not asked for it", hint));
        }
        if self.user_agent.trim().is_empty()
            || self.user_agent.bytes().any(|byte| !matches!(byte, b' '..=b'~'))
        {
            let hint = "use a name and a version, such as rewards-app/1.4";
            return Err(Error::config("`user_agent` cannot stand in a header", hint));
        }
        let texts = [&self.throttle_messages, &self.credential_messages, &self.permission_messages];
        if texts.into_iter().flatten().chain(&self.active_status_codes).any(|text| text.trim().is_empty()) {
            let hint = "an empty text would fit everything; leave it out";
            return Err(Error::config("a message text or a status code is blank", hint));
        }
        self.query.as_ref().map_or(Ok(()), QuerySource::validate)
    }

    /// The company that is expected, without white space around it.
    pub(crate) fn company(&self) -> Option<&str> {
        self.company_id.as_deref().map(str::trim).filter(|id| !id.is_empty())
    }

    /// Where the API lives.
    pub(crate) fn base(&self) -> Result<BaseUrl> {
        self.base_url.clone().map_or_else(|| BaseUrl::parse(HOST), Ok)
    }

    /// The time zone.
    pub(crate) fn zone(&self) -> Result<Tz> {
        self.time_zone.trim().parse().map_err(|_| {
            let hint = "use an IANA name such as Europe/London";
            Error::config("`time_zone` is no time zone that is known", hint)
        })
    }

    pub(crate) fn throttle_wait(&self) -> Duration {
        Duration::from_secs(self.throttle_wait_seconds.into())
    }

    pub(crate) fn listing_timeout(&self) -> Duration {
        Duration::from_secs(self.listing_timeout_seconds.into())
    }
}

const HOST: &str = "https://api.peoplehr.net";
const MAX_SECONDS: u32 = 600;
const MAX_REQUESTS_PER_MINUTE: u32 = 600;

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

    #[test]
    fn the_defaults_are_valid_and_each_value_has_its_bounds() {
        let good = PeopleHrConfig::new();
        good.validate().unwrap();
        assert_eq!(good.base().unwrap().to_string(), "https://api.peoplehr.net");
        assert_eq!(good.requests_per_minute, Some(25));
        for good in [
            good.clone().with_requests_per_minute(None).with_time_zone("Asia/Kolkata"),
            good.clone().with_verified_company(false).with_company_id("ours"),
            good.clone().with_employee_path("/v3.1/Employee"),
        ] {
            good.validate().unwrap();
        }
        let bad = [
            good.clone().with_requests_per_minute(Some(0)),
            good.clone().with_requests_per_minute(Some(601)),
            good.clone().with_throttle_wait_seconds(0),
            good.clone().with_throttle_wait_seconds(601),
            good.clone().with_listing_timeout_seconds(0),
            good.clone().with_max_record_bytes(1000),
            good.clone().with_max_record_bytes(17 << 20),
            good.clone().with_employee_path("Employee"),
            good.clone().with_employee_path("/Employee/"),
            good.clone().with_query_path("/Query?x=1"),
            good.clone().with_time_zone("Europe/Nowhere"),
            good.clone().with_company_id("  "),
            good.clone().with_verified_company(false),
            good.clone().with_user_agent(" "),
            good.clone().with_user_agent("a\nb"),
            good.clone().with_throttle_message(" "),
            good.clone().with_active_status_codes(["1", ""]),
            good.clone().with_query(QuerySource::new(" ")),
        ];
        for config in bad {
            let error = config.validate().unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.hint().is_some(), "{config:?} {error}");
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_rather_than_ignored() {
        let read = |json| serde_json::from_str::<PeopleHrConfig>(json);
        let config = read(r#"{ "record_id": "employee_id", "listings": "everybody" }"#).unwrap();
        assert_eq!((config.record_id, config.listings), (RecordIdSource::EmployeeId, Listings::Everybody));
        assert_eq!(read("{}").unwrap(), PeopleHrConfig::new());
        assert!(read(r#"{ "per_page": 50 }"#).is_err());
        assert!(read(r#"{ "api_key": "s3cret" }"#).is_err());
        assert!(read(r#"{ "leaving_date": "never" }"#).is_err());
    }
}
