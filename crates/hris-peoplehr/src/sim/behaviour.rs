//! What the vendor's documentation leaves open, as switches. The defaults are the most probable behaviour.

use hris_testkit::sim::RateLimit;

/// How the simulated vendor behaves where its documentation leaves that open.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent switches")]
pub struct Behaviour {
    /// How the envelope says whether it is a failure.
    pub flag: FlagSpelling,
    /// Whether the rows stand before the code and the message.
    pub puts_rows_first: bool,
    /// What stands where the result belongs in answers without one.
    pub no_result: NoResult,
    /// Whether "no record found" is flagged as a failure.
    pub flags_emptiness: bool,
    /// The `EmployeeStatus` of people who have left.
    pub leaver_code: LeaverCode,
    /// Whether rows have a `UniqueKey`.
    pub has_unique_keys: bool,
    /// Whether rows have the fields of 2015 only, which is to say neither keys, private e-mail nor manager ids.
    pub is_of_2015: bool,
    /// Whether the e-mail addresses of people who have left are removed, as the vendor advises.
    pub removes_leavers_emails: bool,
    /// Whether contacts, documents and checks are objects rather than lists, as the vendor's specification has them.
    pub lists_are_objects: bool,
    /// Whether histories are null rather than empty.
    pub has_null_histories: bool,
    /// Whether people of current staff keep a leaving date that has passed.
    pub keeps_passed_leaving_dates: bool,
    /// Whether `GetCompanyInformation`, which is not documented, is offered.
    pub tells_company: bool,
    /// What a saved query answers while it is said to be running, and how often it still says so.
    pub busy_query: Option<(BusyForm, u64)>,
    /// The limit of requests a minute for one address, and how it shows.
    pub limit: Option<(RateLimit, ThrottleForm)>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            flag: FlagSpelling::Wire,
            puts_rows_first: false,
            no_result: NoResult::Null,
            flags_emptiness: false,
            leaver_code: LeaverCode::Two,
            has_unique_keys: true,
            is_of_2015: false,
            removes_leavers_emails: false,
            lists_are_objects: false,
            has_null_histories: false,
            keeps_passed_leaving_dates: false,
            tells_company: true,
            busy_query: None,
            limit: None,
        }
    }
}

/// How the envelope says whether it is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagSpelling {
    /// `isError`, as on the wire.
    Wire,
    /// `IsError`, as in the vendor's specification.
    Specification,
    /// `IsError` with the texts `true` and `false`.
    Text,
    /// Not at all.
    LeftOut,
}

/// What stands where the result belongs in answers without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResult {
    /// `null`.
    Null,
    /// `{}`.
    EmptyObject,
    /// Nothing: the key is not there.
    LeftOut,
}

/// The `EmployeeStatus` of people who have left. The vendor's is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaverCode {
    /// `1`, as that of everybody else.
    One,
    /// `2`.
    Two,
    /// None: the key is not there.
    LeftOut,
}

/// How a saved query says that it is still running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusyForm {
    /// As the only row of a success.
    Row,
    /// As a failure.
    Failure,
}

/// How an answer over the limit shows. The vendor's own form is known from one client only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrottleForm {
    /// A flagged failure with code 5.
    Flagged,
    /// A success without rows, but for its message.
    EmptySuccess,
    /// As before, without a flag, and with null for rows.
    Bare,
    /// HTTP 429.
    Status,
}
