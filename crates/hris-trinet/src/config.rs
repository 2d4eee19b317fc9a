//! The configuration of a TriNet connection: checked when a connector is built, before anything is sent.
//!
//! It holds no secret, so that it can be stored and shown; client id and client secret are handed over beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use hris_core::settings::{path, within};
use hris_core::{Error, Result};
use hris_http::BaseUrl;
use serde::{Deserialize, Serialize};

use crate::status::StatusRule;

/// How the access token is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenStyle {
    /// GET with `grant_type` in the query and the credentials in a Basic header: the documented way.
    #[default]
    GetBasic,
    /// POST with `grant_type` in the query and a Basic header; a product in production does this.
    PostQueryBasic,
    /// POST with `grant_type` in a form and a Basic header, as RFC 6749 has it.
    PostFormBasic,
    /// POST with everything in a form and no Basic header; unproven.
    PostFormBody,
}

/// Which view of an employee is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum View {
    /// The full view if a field is wanted that only it has (date of birth, gender, private phone, country), else the
    /// basic one.
    #[default]
    AsNeeded,
    /// Always the basic view, which has no private data.
    Basic,
    /// Always the full view (`viewType=All`).
    Full,
}

/// The configuration of a connection to one company in TriNet.
///
/// Only the company id has no default; what the vendor's documentation leaves open can be changed here. See
/// `docs/vendors/trinet.md` for the facts behind the defaults.
///
/// ```
/// use hris_trinet::{Meaning, StatusRule, TriNetConfig};
/// // An employer for whom a suspended person has left.
/// let config = TriNetConfig::new("X7Q").with_status("S", StatusRule::new(Meaning::Left));
/// let stored = serde_json::to_string(&config)?;
/// assert_eq!(serde_json::from_str::<TriNetConfig>(&stored)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TriNetConfig {
    /// The Company ID that TriNet shows beside client id and client secret: a short code such as `X7Q`. White space
    /// around it is dropped, its case is kept.
    pub company_id: String,
    /// Scheme, host and port (`https://api.trinet.com`). https, or http to loopback.
    pub base_url: Option<BaseUrl>,
    /// Path of the token request (`/oauth/accesstoken`).
    pub token_path: String,
    /// What every other path begins with (`/v1`); may be empty.
    pub api_prefix: String,
    /// Path of the employee list after the prefix, with `{company_id}` in it (`/company/{company_id}/employees`).
    pub employees_path: String,
    /// How the access token is asked for.
    pub token_style: TokenStyle,
    /// How long a token lives whose answer does not say so, in seconds (3599).
    pub default_token_seconds: u32,
    /// How long before its end a token is renewed, in seconds (60); half its life at most.
    pub renew_early_seconds: u32,
    /// Whether the header `grant_type: client_credentials` goes with every request (yes), as other clients do.
    pub sends_grant_type_header: bool,
    /// Rows a page, 1 to 1000 (100). The server may give fewer.
    pub page_size: u32,
    /// The number of the first row of the list: 1 (default) or 0.
    pub offset_base: u32,
    /// Which view of an employee is asked for.
    pub view: View,
    /// Whether the basic view is read where the full one is refused (yes). What only the full view has is then not
    /// known, and nothing is cleared.
    pub falls_back_to_basic: bool,
    /// Where the date of birth stands in the full view, if not at the places that are known: `key`, or `object.key`.
    pub birth_date_path: Option<String>,
    /// Whether first and last name are those that the person prefers, where there are any (no).
    pub prefers_preferred_names: bool,
    /// Status letters that mean something else than in the default table, and letters that it does not have.
    pub statuses: BTreeMap<String, StatusRule>,
    /// Status letters to list one after the other, if the list without a filter leaves people out (none). A list with
    /// a filter proves nobody's absence.
    pub status_passes: Vec<String>,
    /// Requests a minute, 1 to 6000 (120), shared by all connections of this process with the same client id. The
    /// vendor's quota is not public. `None` switches the limit off.
    pub requests_per_minute: Option<u32>,
    /// Requests in flight at a time, 1 to 64 (1), shared in the same way. More than one reads pages ahead.
    pub max_in_flight: u32,
}

impl Default for TriNetConfig {
    /// The defaults, without a company: a connector cannot be built with it as it is.
    fn default() -> Self {
        Self {
            company_id: String::new(),
            base_url: None,
            token_path: "/oauth/accesstoken".to_owned(),
            api_prefix: "/v1".to_owned(),
            employees_path: format!("/company/{COMPANY_ID}/employees"),
            token_style: TokenStyle::default(),
            default_token_seconds: 3599,
            renew_early_seconds: 60,
            sends_grant_type_header: true,
            page_size: 100,
            offset_base: 1,
            view: View::default(),
            falls_back_to_basic: true,
            birth_date_path: None,
            prefers_preferred_names: false,
            statuses: BTreeMap::new(),
            status_passes: Vec::new(),
            requests_per_minute: Some(120),
            max_in_flight: 1,
        }
    }
}

impl TriNetConfig {
    /// The defaults for a company, by the Company ID that TriNet shows.
    pub fn new(company_id: impl Into<String>) -> Self {
        Self { company_id: company_id.into(), ..Self::default() }
    }

    /// Sets scheme, host and port.
    #[must_use]
    pub fn with_base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// Sets the path of the token request.
    #[must_use]
    pub fn with_token_path(mut self, path: impl Into<String>) -> Self {
        self.token_path = path.into();
        self
    }

    /// Sets what every path but that of the token begins with.
    #[must_use]
    pub fn with_api_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.api_prefix = prefix.into();
        self
    }

    /// Sets the path of the employee list after the prefix.
    #[must_use]
    pub fn with_employees_path(mut self, path: impl Into<String>) -> Self {
        self.employees_path = path.into();
        self
    }

    /// Sets how the access token is asked for.
    #[must_use]
    pub fn with_token_style(mut self, style: TokenStyle) -> Self {
        self.token_style = style;
        self
    }

    /// Sets how many seconds a token lives whose answer does not say so.
    #[must_use]
    pub fn with_default_token_seconds(mut self, seconds: u32) -> Self {
        self.default_token_seconds = seconds;
        self
    }

    /// Sets how many seconds before its end a token is renewed.
    #[must_use]
    pub fn with_renew_early_seconds(mut self, seconds: u32) -> Self {
        self.renew_early_seconds = seconds;
        self
    }

    /// Sets whether the header `grant_type` goes with every request.
    #[must_use]
    pub fn with_grant_type_header(mut self, sent: bool) -> Self {
        self.sends_grant_type_header = sent;
        self
    }

    /// Sets the rows a page.
    #[must_use]
    pub fn with_page_size(mut self, rows: u32) -> Self {
        self.page_size = rows;
        self
    }

    /// Sets the number of the first row of the list.
    #[must_use]
    pub fn with_offset_base(mut self, base: u32) -> Self {
        self.offset_base = base;
        self
    }

    /// Sets which view of an employee is asked for.
    #[must_use]
    pub fn with_view(mut self, view: View) -> Self {
        self.view = view;
        self
    }

    /// Sets whether the basic view is read where the full one is refused.
    #[must_use]
    pub fn with_fall_back_to_basic(mut self, allowed: bool) -> Self {
        self.falls_back_to_basic = allowed;
        self
    }

    /// Sets where the date of birth stands in the full view.
    #[must_use]
    pub fn with_birth_date_path(mut self, path: impl Into<String>) -> Self {
        self.birth_date_path = Some(path.into());
        self
    }

    /// Sets whether first and last name are those that the person prefers.
    #[must_use]
    pub fn with_preferred_names(mut self, preferred: bool) -> Self {
        self.prefers_preferred_names = preferred;
        self
    }

    /// Sets what one status letter means.
    #[must_use]
    pub fn with_status(mut self, letter: impl Into<String>, rule: StatusRule) -> Self {
        self.statuses.insert(letter.into(), rule);
        self
    }

    /// Sets the status letters to list one after the other.
    #[must_use]
    pub fn with_status_passes<L: Into<String>>(mut self, letters: impl IntoIterator<Item = L>) -> Self {
        self.status_passes = letters.into_iter().map(Into::into).collect();
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
        self.validate_company()?;
        within("page_size", self.page_size, 1, MAX_PAGE_SIZE)?;
        within("offset_base", self.offset_base, 0, 1)?;
        within("default_token_seconds", self.default_token_seconds, 1, MAX_TOKEN_SECONDS)?;
        within("renew_early_seconds", self.renew_early_seconds, 0, MAX_TOKEN_SECONDS)?;
        within("max_in_flight", self.max_in_flight, 1, MAX_IN_FLIGHT)?;
        if let Some(requests) = self.requests_per_minute {
            within("requests_per_minute", requests, 1, MAX_REQUESTS_PER_MINUTE)?;
        }
        path("token_path", &self.token_path)?;
        path("employees_path", &self.employees_path.replace(COMPANY_ID, "company"))?;
        if !self.api_prefix.is_empty() {
            path("api_prefix", &self.api_prefix)?;
        }
        if !self.employees_path.split('/').any(|segment| segment == COMPANY_ID) {
            let hint = "put {company_id} between two slashes, as in /company/{company_id}/employees";
            return Err(Error::config("`employees_path` does not say where the company id goes", hint));
        }
        if self.statuses.keys().chain(&self.status_passes).any(|letter| letter.trim().is_empty()) {
            return Err(Error::config("a status letter is blank", "give the letter or leave the row out"));
        }
        self.birth_date_path.as_deref().map_or(Ok(()), |path| BirthDatePath::parse(path).map(drop))
    }

    fn validate_company(&self) -> Result<()> {
        let hint = "use the Company ID that TriNet shows beside client id and client secret in the Integration \
                    Center, such as X7Q";
        match self.company() {
            "" => Err(Error::config("`company_id` is blank", hint)),
            "." | ".." => Err(Error::config("`company_id` is not a company id", hint)),
            company if company.contains(['/', '\\']) => {
                Err(Error::config("`company_id` contains a slash", hint))
            }
            _ => Ok(()),
        }
    }

    /// The company id without white space around it.
    pub(crate) fn company(&self) -> &str {
        self.company_id.trim()
    }

    /// Where the API lives.
    pub(crate) fn base(&self) -> Result<BaseUrl> {
        self.base_url.clone().map_or_else(|| BaseUrl::parse(HOST), Ok)
    }

    /// How long before its end a token is renewed.
    pub(crate) fn renew_early(&self) -> Duration {
        Duration::from_secs(self.renew_early_seconds.into())
    }

    /// Where else the date of birth may stand.
    pub(crate) fn birth_date(&self) -> Result<Option<BirthDatePath>> {
        self.birth_date_path.as_deref().map(BirthDatePath::parse).transpose()
    }
}

/// Stands for the company id in a path.
pub(crate) const COMPANY_ID: &str = "{company_id}";
const HOST: &str = "https://api.trinet.com";
/// Largest page that may be asked for; the vendor's own limit is not documented.
const MAX_PAGE_SIZE: u32 = 1000;
const MAX_IN_FLIGHT: u32 = 64;
const MAX_REQUESTS_PER_MINUTE: u32 = 6000;
/// A day.
const MAX_TOKEN_SECONDS: u32 = 86_400;

/// A configured place of the date of birth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BirthDatePath {
    /// The object around it; `None` for the employee itself.
    pub(crate) object: Option<Box<str>>,
    pub(crate) key: Box<str>,
}

impl BirthDatePath {
    /// Words of what is never read, whatever a configuration says.
    const FORBIDDEN: [&str; 13] = [
        "ssn",
        "social",
        "national",
        "tax",
        "ethnic",
        "marital",
        "citizen",
        "pay",
        "compensation",
        "wage",
        "salary",
        "bank",
        "account",
    ];

    fn parse(path: &str) -> Result<Self> {
        let refused = |hint| Err(Error::config("`birth_date_path` is not usable", hint));
        let lower = path.to_ascii_lowercase();
        if Self::FORBIDDEN.iter().any(|word| lower.contains(word)) {
            return refused("it names something that is never read");
        }
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let (object, key) = path.rsplit_once('.').map_or((None, path), |(object, key)| (Some(object), key));
        if !is_name(key) || object.is_some_and(|object| !is_name(object)) {
            return refused("write it as birthDate or bioInfo.birthdate");
        }
        Ok(Self { object: object.map(Into::into), key: key.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Meaning;
    use hris_core::ErrorKind;

    #[test]
    fn a_company_id_is_trimmed_and_keeps_its_case() {
        let config = TriNetConfig::new(" x7q\n");
        config.validate().unwrap();
        assert_eq!(config.company(), "x7q");
    }

    #[test]
    fn a_company_id_that_is_missing_or_leads_elsewhere_is_refused() {
        for company in ["", "  ", "X7Q/employees", "..", ".", "X\\7"] {
            let error = TriNetConfig::new(company).validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{company}");
            assert!(error.hint().unwrap().contains("Integration Center"));
        }
        let stored = serde_json::from_str::<TriNetConfig>("{}").unwrap();
        assert!(stored.validate().unwrap_err().message().contains("company_id"));
    }

    #[test]
    fn the_defaults_are_valid_and_each_value_has_its_bounds() {
        let good = TriNetConfig::new("X7Q");
        good.validate().unwrap();
        assert_eq!(good.base().unwrap().to_string(), "https://api.trinet.com");
        let good_too = [
            good.clone().with_requests_per_minute(None).with_offset_base(0).with_renew_early_seconds(0),
            good.clone().with_api_prefix("").with_employees_path("/peo/{company_id}/v2/people"),
            good.clone().with_birth_date_path("personalInfo.dob"),
            good.clone().with_birth_date_path("dateOfBirth"),
        ];
        for config in good_too {
            config.validate().unwrap();
        }
        let rule = StatusRule::new(Meaning::Left);
        let bad = [
            good.clone().with_page_size(0),
            good.clone().with_page_size(1001),
            good.clone().with_offset_base(2),
            good.clone().with_default_token_seconds(0),
            good.clone().with_renew_early_seconds(86_401),
            good.clone().with_max_in_flight(0),
            good.clone().with_max_in_flight(65),
            good.clone().with_requests_per_minute(Some(0)),
            good.clone().with_requests_per_minute(Some(6001)),
            good.clone().with_token_path("oauth/accesstoken"),
            good.clone().with_token_path("/oauth/../x"),
            good.clone().with_token_path("/oauth?x=1"),
            good.clone().with_api_prefix("/v1/"),
            good.clone().with_api_prefix("/"),
            good.clone().with_employees_path("/company/X7Q/employees"),
            good.clone().with_employees_path("/company{company_id}"),
            good.clone().with_status(" ", rule),
            good.clone().with_status_passes(["A", ""]),
            good.clone().with_birth_date_path(""),
            good.clone().with_birth_date_path("a.b.c"),
            good.with_birth_date_path("workEligibility.socialNumber"),
        ];
        for config in bad {
            let error = config.validate().unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.hint().is_some(), "{config:?} {error}");
        }
    }

    #[test]
    fn what_is_never_read_cannot_be_configured_either() {
        for path in ["ssn", "nationalId", "payInfo.birthDate", "bankAccount", "x.maritalStatus", "ETHNICITY"]
        {
            assert!(BirthDatePath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_rather_than_ignored() {
        let read = |json| serde_json::from_str::<TriNetConfig>(json);
        let config = read(r#"{ "company_id": "X7Q", "statuses": { "L": { "meaning": "left" } } }"#).unwrap();
        assert_eq!(config.statuses["L"], StatusRule::new(Meaning::Left));
        assert!(read(r#"{ "company_id": "X7Q", "per_page": 50 }"#).is_err());
        assert!(read(r#"{ "company_id": "X7Q", "client_secret": "s3cret" }"#).is_err());
        assert!(read(r#"{ "statuses": { "L": { "meaning": "gone" } } }"#).is_err());
    }
}
