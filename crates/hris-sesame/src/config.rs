//! The configuration of a Sesame connection: checked when a connector is built, before anything is sent.
//!
//! It holds no secret, so that it can be stored and shown; the token is handed over beside it.

use chrono::TimeDelta;
use hris_core::settings::{not_blank, within};
use hris_core::{AccountId, Error, Result};
use hris_http::BaseUrl;
use serde::{Deserialize, Serialize};

/// Which vendor field is the Employee ID, the unique id on the rewards side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmployeeIdSource {
    /// `code`, the company's own number, as decimal text. It can be edited and may be missing.
    #[default]
    Code,
    /// `id`, the vendor's uuid.
    Id,
}

/// How everyone is listed, inactive people included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusStrategy {
    /// Active people first, then inactive ones. Without a filter the vendor very probably lists active people only.
    #[default]
    TwoPass,
    /// One listing with `status[in]=active,inactive`, which is documented but was never seen to work. It proves
    /// nobody's absence.
    InList,
}

/// Which date of the contracts is the start date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartDateSource {
    /// The earliest seniority date, and the earliest start where there is none.
    #[default]
    SeniorityThenStart,
    /// The earliest start of a contract with this company.
    FirstContract,
}

/// The configuration of a connection to one company in Sesame.
///
/// Every value has a default; what the vendor's documentation leaves open can be changed here. See
/// `docs/vendors/sesame.md` for the facts behind the defaults.
///
/// ```
/// use hris_sesame::{EmployeeIdSource, SesameConfig};
/// let config = SesameConfig::new().with_region("EU2").with_employee_id(EmployeeIdSource::Id);
/// let stored = serde_json::to_string(&config)?;
/// assert_eq!(serde_json::from_str::<SesameConfig>(&stored)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SesameConfig {
    /// The region of the account, such as `eu1` (default). A leading `api-` or `back-` and capitals are accepted. A
    /// wrong region answers 401, like a wrong token.
    pub region: String,
    /// Scheme, host and port in place of the region's, such as a sandbox or a simulator. https, or http to loopback.
    pub base_url: Option<BaseUrl>,
    /// The company that the token must belong to. Without it the first company that answers is remembered for as long
    /// as the connector lives.
    pub expected_company_id: Option<AccountId>,
    /// Rows a page, 1 to 500 (100). The server may give fewer.
    pub page_size: u32,
    /// The order in which employees are listed (`createdAt asc`), or none. Where the vendor refuses it, the listing
    /// goes on without.
    pub order_by: Option<String>,
    /// How everyone is listed.
    pub status_strategy: StatusStrategy,
    /// Which field is the Employee ID.
    pub employee_id: EmployeeIdSource,
    /// Whether `secondLastName` is appended to the last name (yes), unless it already ends with it.
    pub joins_last_names: bool,
    /// Which date of the contracts is the start date.
    pub start_date: StartDateSource,
    /// How long contract dates and line managers may come from the cache, in hours (24).
    pub details_max_age_hours: u32,
    /// The time zone of people whose office has none (`Europe/Madrid`).
    pub default_time_zone: Option<String>,
    /// Requests a minute, 1 to 900 (300), shared by all connections of this process to the company, which has 1,000
    /// for all its integrations together. `None` switches the limit off.
    pub requests_per_minute: Option<u32>,
    /// Requests in flight at a time, 1 to 64 (4), shared in the same way.
    pub max_in_flight: u32,
}

impl Default for SesameConfig {
    fn default() -> Self {
        Self {
            region: "eu1".to_owned(),
            base_url: None,
            expected_company_id: None,
            page_size: 100,
            order_by: Some("createdAt asc".to_owned()),
            status_strategy: StatusStrategy::default(),
            employee_id: EmployeeIdSource::default(),
            joins_last_names: true,
            start_date: StartDateSource::default(),
            details_max_age_hours: 24,
            default_time_zone: Some("Europe/Madrid".to_owned()),
            requests_per_minute: Some(300),
            max_in_flight: 4,
        }
    }
}

impl SesameConfig {
    /// The defaults: region `eu1`, `code` as Employee ID, two status passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the region.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets scheme, host and port in place of the region's.
    #[must_use]
    pub fn with_base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// Sets the company that the token must belong to.
    #[must_use]
    pub fn with_expected_company(mut self, company: impl Into<AccountId>) -> Self {
        self.expected_company_id = Some(company.into());
        self
    }

    /// Sets the rows a page.
    #[must_use]
    pub fn with_page_size(mut self, rows: u32) -> Self {
        self.page_size = rows;
        self
    }

    /// Sets the order in which employees are listed; `None` leaves it to the vendor.
    #[must_use]
    pub fn with_order_by(mut self, order: Option<String>) -> Self {
        self.order_by = order;
        self
    }

    /// Sets how everyone is listed.
    #[must_use]
    pub fn with_status_strategy(mut self, strategy: StatusStrategy) -> Self {
        self.status_strategy = strategy;
        self
    }

    /// Sets which field is the Employee ID.
    #[must_use]
    pub fn with_employee_id(mut self, source: EmployeeIdSource) -> Self {
        self.employee_id = source;
        self
    }

    /// Sets whether the second last name is appended to the last name.
    #[must_use]
    pub fn with_joined_last_names(mut self, joined: bool) -> Self {
        self.joins_last_names = joined;
        self
    }

    /// Sets which date of the contracts is the start date.
    #[must_use]
    pub fn with_start_date(mut self, source: StartDateSource) -> Self {
        self.start_date = source;
        self
    }

    /// Sets how many hours contract dates and line managers may come from the cache; zero asks every time.
    #[must_use]
    pub fn with_details_max_age(mut self, hours: u32) -> Self {
        self.details_max_age_hours = hours;
        self
    }

    /// Sets the time zone of people whose office has none.
    #[must_use]
    pub fn with_default_time_zone(mut self, zone: Option<String>) -> Self {
        self.default_time_zone = zone;
        self
    }

    /// Sets the limit of requests a minute; `None` switches it off.
    #[must_use]
    pub fn with_requests_per_minute(mut self, requests: Option<u32>) -> Self {
        self.requests_per_minute = requests;
        self
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
        if let Some(requests) = self.requests_per_minute {
            within("requests_per_minute", requests, 1, MAX_REQUESTS_PER_MINUTE)?;
        }
        if self.base_url.is_none() {
            self.region_host()?;
        }
        not_blank("order_by", self.order_by.as_deref())?;
        not_blank("default_time_zone", self.default_time_zone.as_deref())?;
        not_blank("expected_company_id", self.expected_company_id.as_ref().map(AccountId::as_str))
    }

    /// Where the API lives.
    pub(crate) fn base(&self) -> Result<BaseUrl> {
        match &self.base_url {
            Some(base) => Ok(base.clone()),
            None => BaseUrl::parse(&format!("https://{}", self.region_host()?)),
        }
    }

    /// The host of the region. An unchecked region would let a setting choose where the token is sent.
    fn region_host(&self) -> Result<String> {
        let region = self.region.trim().to_ascii_lowercase();
        let region =
            ["api-", "back-"].iter().find_map(|prefix| region.strip_prefix(prefix)).unwrap_or(&region);
        let is_sound = (1..=MAX_REGION_LENGTH).contains(&region.len())
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_sound {
            let hint =
                "use the region shown beside the API tokens, such as `eu1`: letters, digits and hyphens only";
            return Err(Error::config("the region is not valid", hint));
        }
        Ok(format!("api-{region}.sesametime.com"))
    }

    /// How old a cached detail may be.
    pub(crate) fn details_max_age(&self) -> TimeDelta {
        TimeDelta::hours(self.details_max_age_hours.into())
    }
}

/// Largest page that may be asked for; the vendor's own limit is not documented.
const MAX_PAGE_SIZE: u32 = 500;
/// Most requests in flight.
const MAX_IN_FLIGHT: u32 = 64;
/// The vendor allows 1,000 a minute to all integrations of a company together.
const MAX_REQUESTS_PER_MINUTE: u32 = 900;
const MAX_REGION_LENGTH: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

    fn host(region: &str) -> Result<String> {
        SesameConfig::new().with_region(region).base().map(|base| base.to_string())
    }

    #[test]
    fn a_region_is_taken_as_the_vendor_writes_it_in_different_places() {
        for region in ["eu2", " EU2 ", "api-eu2", "back-EU2"] {
            assert_eq!(host(region).unwrap(), "https://api-eu2.sesametime.com", "{region}");
        }
        assert_eq!(host("br1").unwrap(), "https://api-br1.sesametime.com");
    }

    #[test]
    fn a_region_that_could_lead_elsewhere_is_refused() {
        for region in [
            "",
            "api-",
            "eu1.evil.example/",
            "eu1@evil.example",
            "eu1/..",
            "eu 1",
            "é",
            &"a".repeat(21),
            "eu1#",
        ] {
            assert_eq!(host(region).unwrap_err().kind(), ErrorKind::Config, "{region}");
        }
    }

    #[test]
    fn a_base_url_wins_over_the_region() {
        let base = BaseUrl::parse("http://127.0.0.1:9").unwrap();
        let config = SesameConfig::new().with_region("not a region").with_base_url(base.clone());
        config.validate().unwrap();
        assert_eq!(config.base().unwrap(), base);
    }

    #[test]
    fn the_defaults_are_valid_and_each_number_has_its_bounds() {
        let good = SesameConfig::new();
        good.validate().unwrap();
        good.clone().with_requests_per_minute(None).validate().unwrap();
        let bad = [
            good.clone().with_page_size(0),
            good.clone().with_page_size(501),
            good.clone().with_requests_per_minute(Some(0)),
            good.clone().with_requests_per_minute(Some(901)),
            good.clone().with_max_in_flight(0),
            good.clone().with_max_in_flight(65),
            good.clone().with_order_by(Some(" ".to_owned())),
            good.clone().with_default_time_zone(Some(String::new())),
            good.clone().with_expected_company(""),
            good.with_region("eu 1"),
        ];
        for config in bad {
            let error = config.validate().unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_rather_than_ignored() {
        assert!(serde_json::from_str::<SesameConfig>(r#"{ "page_size": 50 }"#).is_ok());
        assert!(serde_json::from_str::<SesameConfig>(r#"{ "per_page": 50 }"#).is_err());
        assert!(serde_json::from_str::<SesameConfig>(r#"{ "token": "s3cret" }"#).is_err());
    }
}
