//! What a service provider's answers mean: by status and `scimType` (RFC 7644, section 3.12).

use hris_core::{Error, ErrorKind};
use hris_http::{Answer, Classify, Verdict};

use crate::wire;

/// Operations that change something; their names say so, since a classifier sees nothing else of a request.
pub(crate) const CREATE: &str = "scim.create";
pub(crate) const PATCH: &str = "scim.patch";
pub(crate) const PUT: &str = "scim.put";
pub(crate) const BULK: &str = "scim.bulk";

/// Reads SCIM answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScimAnswers;

impl Classify for ScimAnswers {
    fn classify(&self, operation: &str, answer: &Answer) -> Verdict {
        let status = answer.status();
        if matches!(status, 200..=299) {
            return Verdict::ByStatus;
        }
        let scim_type = wire::scim_type(answer.body());
        match error_of(status, scim_type, is_write(operation)) {
            None => Verdict::ByStatus,
            // Throttled before anything was done: sent again, also where that would otherwise be unsafe.
            Some(error) if status == 429 => Verdict::Refused(match answer.retry_after() {
                Some(wait) => error.with_retry_after(wait),
                None => error,
            }),
            Some(error) => Verdict::Failed(error),
        }
    }
}

fn is_write(operation: &str) -> bool {
    [CREATE, PATCH, PUT, BULK].contains(&operation)
}

/// The error that a status and a `scimType` stand for, in an answer or in an entry of a bulk response. `None`: the status
/// says all there is.
pub(crate) fn error_of(status: u16, scim_type: Option<&'static str>, write: bool) -> Option<Error> {
    let error = match (status, scim_type) {
        (400 | 403, Some("sensitive")) => {
            Error::new(ErrorKind::Invalid, "the platform takes no personal data in addresses")
        }
        (400, Some(scim_type)) => bad_request(scim_type),
        (401, _) => Error::new(ErrorKind::Unauthorized, "the platform refused the token")
            .with_hint("make a new token on the integration's page and put it in the old one's place"),
        (403, _) if write => Error::new(ErrorKind::Forbidden, "the token may not change members")
            .with_hint("use a token with the scope to write (`scim.readWrite`)"),
        (403, _) => Error::new(ErrorKind::Forbidden, "the token may not read members"),
        (405 | 501, _) => Error::unsupported("the platform does not offer this operation"),
        (409, _) => Error::new(ErrorKind::Conflict, "another account has the same unique value"),
        (412, _) => Error::new(ErrorKind::Stale, "the account has changed in between"),
        (413, _) => Error::new(ErrorKind::TooLarge, "the request is larger than the platform takes"),
        (429, _) => Error::new(ErrorKind::RateLimited, "the platform asks to slow down"),
        _ => return None,
    };
    Some(match scim_type {
        Some(scim_type) => error.with_context("scim_type", scim_type),
        None => error,
    })
}

fn bad_request(scim_type: &str) -> Error {
    let (message, hint) = match scim_type {
        "invalidFilter" => ("the platform does not understand the filter", "set `filters` to `off`"),
        "tooMany" => ("the platform finds too many accounts", "narrow the search"),
        "mutability" => ("the platform does not let this attribute be changed", "do not map it"),
        "invalidVers" => ("the platform speaks another version of SCIM", "use the address of SCIM 2.0"),
        "invalidPath" | "noTarget" => ("the platform does not find what is to be changed", "check the paths"),
        "uniqueness" => return Error::new(ErrorKind::Conflict, "another account has the same unique value"),
        _ => ("the platform refuses the record", "check its values, and the URN and names of extensions"),
    };
    Error::new(ErrorKind::Invalid, message).with_hint(hint)
}

/// The `scimType` that an error came with.
pub(crate) fn scim_type(error: &Error) -> Option<&str> {
    error.context().find(|(key, _)| *key == "scim_type").map(|(_, value)| value)
}

/// The status that an error came with.
pub(crate) fn status(error: &Error) -> Option<u16> {
    error.context().find(|(key, _)| *key == "status").and_then(|(_, value)| value.parse().ok())
}
