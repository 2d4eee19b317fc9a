//! What the vendor's documentation leaves open, as switches. The defaults are the most probable behaviour.

use chrono::NaiveDate;
use hris_core::SharedClock;
use hris_testkit::sim::{PageSize, RateLimit};

/// How the simulated vendor behaves where its documentation leaves that open.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent switches")]
pub struct Behaviour {
    /// Path of the token request.
    pub token_path: String,
    /// What every other path begins with.
    pub api_prefix: String,
    /// Whether the token request may carry the credentials in its form in place of a Basic header.
    pub accepts_form_credentials: bool,
    /// How long a token lives, and how the answer says it.
    pub token_life: TokenLife,
    /// The clock by which tokens expire; without one they live until they are withdrawn.
    pub clock: Option<SharedClock>,
    /// The scopes that an answer to the token request names.
    pub scopes: String,
    /// Whether requests without the header `grant_type: client_credentials` are refused with 400.
    pub demands_grant_type_header: bool,
    /// The status for a company that exists and that the credentials do not open: 404 or 403.
    pub foreign_company: u16,
    /// How the employee list is refused, if it is.
    pub refuses_list: Option<Refusal>,
    /// How the full view of it is refused, if it is.
    pub refuses_full_view: Option<Refusal>,
    /// How everything but the employee list is refused, if it is.
    pub refuses_side_endpoints: Option<Refusal>,
    /// Rows a page when none are asked for, and at most.
    pub page_size: PageSize,
    /// Whether offsets count from 0.
    pub counts_from_zero: bool,
    /// By how many rows each page after the first begins too early.
    pub overlap: usize,
    /// Whether pages have no `hasMore`.
    pub leaves_out_has_more: bool,
    /// Whether every page says that more follow, the ones beyond the end too.
    pub always_has_more: bool,
    /// What `employeesTotal` says.
    pub total: Total,
    /// Whether employments have the keys of the older, flat form.
    pub is_flat: bool,
    /// Whether ids are numbers, as far as they can be.
    pub has_numeric_ids: bool,
    /// Whether name types are the codes `PRI` and `PRF`.
    pub has_name_codes: bool,
    /// How dates are written.
    pub dates: DateStyle,
    /// Where the full view has the date of birth.
    pub birth_date: BirthPlace,
    /// Whether people are listed before their first day ("early access").
    pub has_early_access: bool,
    /// The day up to which pay was run: leavers whose last day lies after it are still shown as active.
    pub paid_until: Option<NaiveDate>,
    /// Whether the company's record comes as a list of one.
    pub lists_company: bool,
    /// The day on which the company itself leaves TriNet.
    pub company_leaves: Option<NaiveDate>,
    /// The limit of requests a minute for one client.
    pub rate_limit: Option<RateLimit>,
    /// Whether an answer 429 says after how many seconds to come back.
    pub tells_retry_after: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            token_path: "/oauth/accesstoken".to_owned(),
            api_prefix: "/v1".to_owned(),
            accepts_form_credentials: false,
            token_life: TokenLife::Text(3599),
            clock: None,
            scopes: "basic-read hr-admin-read hr-personal-read read".to_owned(),
            demands_grant_type_header: false,
            foreign_company: 404,
            refuses_list: None,
            refuses_full_view: None,
            refuses_side_endpoints: None,
            page_size: PageSize::new(100, 100),
            counts_from_zero: false,
            overlap: 0,
            leaves_out_has_more: false,
            always_has_more: false,
            total: Total::True,
            is_flat: false,
            has_numeric_ids: false,
            has_name_codes: false,
            dates: DateStyle::Iso,
            birth_date: BirthPlace::BioInfo,
            has_early_access: true,
            paid_until: None,
            lists_company: false,
            company_leaves: None,
            rate_limit: None,
            tells_retry_after: true,
        }
    }
}

/// How long a token lives, in seconds, and how the answer to the token request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLife {
    /// As text, as in the vendor's sample.
    Text(u32),
    /// As a number.
    Number(u32),
    /// Not at all; the answer has only the keys that every client needs.
    Untold(u32),
}

impl TokenLife {
    /// The seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Text(seconds) | Self::Number(seconds) | Self::Untold(seconds) => seconds,
        }
    }
}

/// How an endpoint is refused that the credentials were not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 with the gateway's code for an endpoint that is not in the product.
    NotInProduct,
    /// 401 without a body that anybody could read.
    Unreadable,
    /// 403 with the gateway's code for a missing scope.
    NoScope,
}

/// What `employeesTotal` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// The truth.
    True,
    /// Nothing: the key is not there.
    LeftOut,
    /// This number.
    Always(u64),
}

/// How dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    /// `2019-03-04`.
    Iso,
    /// `2019-03-04T00:00:00Z`.
    Instant,
    /// `2019-03-04T23:30:00.000-0600`.
    Offset,
    /// `03/04/2019`.
    American,
    /// Milliseconds since 1970, at noon in UTC.
    Epoch,
    /// Each person's in another of these ways.
    Mixed,
}

/// Where the full view has the date of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BirthPlace {
    /// `bioInfo.birthdate`, as one client was seen to read it.
    BioInfo,
    /// `biographicalInfo.birthDate`, as the vendor's write API has it.
    BiographicalInfo,
    /// `personalInfo.dob`, which nobody has seen.
    Elsewhere,
}
