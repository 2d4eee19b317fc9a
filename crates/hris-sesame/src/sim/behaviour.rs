//! What the vendor's documentation leaves open, as switches. The defaults are the most probable behaviour.

use hris_testkit::sim::{PageSize, RateLimit};

/// How the simulated vendor behaves where its documentation leaves that open.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent switches")]
pub struct Behaviour {
    /// Rows a page when none are asked for, and at most. A larger wish is cut and `meta.perPage` says so.
    pub page_size: PageSize,
    /// Whether inactive people are listed when no status is asked for.
    pub lists_inactive_by_default: bool,
    /// Whether the status filter is ignored, known values included, and everyone is listed.
    pub ignores_status_filter: bool,
    /// Whether an unknown status value is refused with 422 rather than ignored.
    pub refuses_unknown_status: bool,
    /// Whether list rows lack `status` (people with left-out fields lack it anyway).
    pub leaves_out_status: bool,
    /// The status of the answer to any request with `orderBy`, if it is refused.
    pub refuses_order_by: Option<u16>,
    /// Whether an empty listing has `lastPage: 0` rather than 1.
    pub last_page_zero: bool,
    /// Whether answers have no `meta`.
    pub leaves_out_meta: bool,
    /// Whether assignations of inactive people are listed.
    pub lists_inactive_assignations: bool,
    /// Whether the office inside an assignation has the fields of 2026 (time zone, deletion mark).
    pub details_in_assignations: bool,
    /// The form in which a line manager is answered.
    pub manager_answer: ManagerAnswer,
    /// The answer where there is no line manager.
    pub no_manager: NoManager,
    /// The limit of requests a minute that all tokens of a company share.
    pub rate_limit: Option<RateLimit>,
    /// Whether an answer 429 says after how many seconds to come back.
    pub tells_retry_after: bool,
    /// Where a path with a trailing slash is redirected to: scheme, host and port.
    pub redirects_to: String,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            page_size: PageSize::new(20, 100),
            lists_inactive_by_default: false,
            ignores_status_filter: false,
            refuses_unknown_status: false,
            leaves_out_status: false,
            refuses_order_by: None,
            last_page_zero: false,
            leaves_out_meta: false,
            lists_inactive_assignations: true,
            details_in_assignations: false,
            manager_answer: ManagerAnswer::default(),
            no_manager: NoManager::default(),
            rate_limit: None,
            tells_retry_after: true,
            redirects_to: "http://internal-gateway.example".to_owned(),
        }
    }
}

/// The form in which a line manager is answered; the documentation does not show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManagerAnswer {
    /// The manager, as an employee.
    #[default]
    Employee,
    /// `{ "organizationChartManagerId": … }`.
    IdOnly,
    /// `{ "organizationChartManager": { "id": … } }`.
    Holder,
    /// A list with the manager as an employee.
    List,
}

/// The answer where there is no line manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoManager {
    /// 404.
    #[default]
    NotFound,
    /// 200 with `data: null`.
    Null,
    /// 200 with `data: ""`.
    EmptyText,
    /// 200 with `data: []`.
    EmptyList,
}
