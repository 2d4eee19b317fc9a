//! What TriNet's failures mean. Its own error bodies are not public; those of the gateway before it are known by the
//! end of their code. A code that is not known leaves the decision to the status, and no sentence is ever repeated.

use hris_core::{Delivery, Error, ErrorKind};
use hris_http::{Answer, Classify, Verdict, by_status};
use serde_json::Value;

/// The employee list, whose refusal means more than that of a side endpoint.
pub(crate) const EMPLOYEES: &str = "trinet.employees";

/// The token request.
pub(crate) const TOKEN: &str = "trinet.token";
/// The context of an error that says that another company answered.
pub(crate) const EXPECTED_COMPANY: &str = "expected_company";

/// Ends of the gateway's codes for an endpoint that a credential was not granted. It answers 401 with them, although
/// the credential is good.
const NOT_GRANTED: [&str; 2] = ["InvalidAPICallAsNoApiProductMatchFound", "apiresource_doesnot_exist"];
const SCOPE_MISSING: &str = "InsufficientScope";

const RECONNECT: &str = "in TriNet, open Admin/Manager, Integration Center (or Marketplace), TriNet API, connect this \
                         integration again and copy Company ID, Client ID and Client Secret, which are shown once; if \
                         the address of your TriNet contains `zenefits`, this connection cannot work";
const GRANT: &str = "ask TriNet (Integration Center, or your account manager) to grant these credentials the endpoint \
                     List All Employees with the scope basic-read for this Company ID";
const CHECK_COMPANY: &str = "check the Company ID shown in TriNet under Integration Center, TriNet API, and that the \
                             Client ID belongs to the same company";

const CHECK_PATHS: &str = "check the base URL, `api_prefix` and `employees_path` of this connection";

/// Judges the answers to everything but the token request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TriNetErrors;

impl Classify for TriNetErrors {
    fn classify(&self, operation: &str, answer: &Answer) -> Verdict {
        let Some(error) = by_status(answer) else { return Verdict::ByStatus };
        let code = code(answer.body());
        let is_list = operation == EMPLOYEES;
        let error = match error.kind() {
            ErrorKind::Unauthorized if ends_with_any(code.as_deref(), &NOT_GRANTED) => not_granted(is_list),
            ErrorKind::Unauthorized => error.with_hint(RECONNECT),
            ErrorKind::Forbidden if ends_with_any(code.as_deref(), &[SCOPE_MISSING]) => not_granted(is_list),
            ErrorKind::Forbidden if is_list => error.with_hint(format!("{GRANT}; {CHECK_COMPANY}")),
            // The gateway has a code of its own for a path that leads nowhere; without one it let the request through.
            ErrorKind::NotFound if code.is_some() => error.with_hint(CHECK_PATHS),
            ErrorKind::NotFound if is_list => wrong_company(),
            _ => error,
        };
        Verdict::Failed(in_code(error, code))
    }
}

/// Judges the answers to the token request, where every refusal is one of the credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenErrors;

impl Classify for TokenErrors {
    fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
        let Some(error) = by_status(answer) else { return Verdict::ByStatus };
        let error = match answer.status() {
            400 | 401 | 403 => {
                Error::new(ErrorKind::Unauthorized, "TriNet refused Client ID and Client Secret")
                    .with_hint(RECONNECT)
            }
            404 => error.with_hint("check the base URL and the path of the token request"),
            _ => error,
        };
        Verdict::Failed(in_code(error, code(answer.body())))
    }
}

/// The error that a `_statusCode` stands for which is no success, inside an answer that is one by HTTP.
pub(crate) fn by_own_status(status: u16) -> Error {
    let error = match status {
        401 => Error::new(ErrorKind::Unauthorized, "the credential was refused").with_hint(RECONNECT),
        403 => Error::new(ErrorKind::Forbidden, "the credential lacks a permission").with_hint(GRANT),
        404 => wrong_company(),
        408 => Error::new(ErrorKind::Timeout, "the other side gave up waiting"),
        429 => Error::new(ErrorKind::RateLimited, "the other side asks to slow down"),
        400..=499 => Error::new(ErrorKind::Invalid, "the request was found unacceptable"),
        500..=599 => Error::new(ErrorKind::Unavailable, "the other side failed"),
        _ => Error::new(ErrorKind::Protocol, "the answer has an unknown status"),
    };
    error.with_delivery(Delivery::Answered).with_context("own_status", status)
}

/// Whether an endpoint refuses this credential, so that another one may still be open to it.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Unauthorized) && !is_fatal(error)
}

/// Whether an error of a side endpoint concerns everything else too: no token was to be had, or another company
/// answers. A 401 of the endpoint itself does not: it may mean that this one endpoint was not granted, and where a
/// token is good for nothing at all, the employee list says so.
pub(crate) fn is_fatal(error: &Error) -> bool {
    let has = |wanted: (&str, Option<&str>)| {
        let mut context = error.context();
        context.any(|(key, value)| key == wanted.0 && wanted.1.is_none_or(|wanted| value == wanted))
    };
    error.kind() == ErrorKind::Cancelled || has(("operation", Some(TOKEN))) || has((EXPECTED_COMPANY, None))
}

fn not_granted(is_list: bool) -> Error {
    let error = Error::new(ErrorKind::Forbidden, "these credentials were not granted this endpoint");
    if is_list { error.with_hint(GRANT) } else { error }
}

fn wrong_company() -> Error {
    Error::new(ErrorKind::WrongAccount, "these credentials do not open the company with this Company ID")
        .with_hint(CHECK_COMPANY)
}

fn in_code(error: Error, code: Option<String>) -> Error {
    match code {
        Some(code) => error.with_context("vendor_code", code),
        None => error,
    }
}

fn ends_with_any(code: Option<&str>, ends: &[&str]) -> bool {
    code.is_some_and(|code| ends.iter().any(|end| code.ends_with(end)))
}

/// The machine code of an error body: the gateway's in its two forms.
fn code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body["fault"]["detail"]["errorcode"].as_str().or_else(|| body["ErrorCode"].as_str())?;
    word(code).map(str::to_owned)
}

/// A text that is a machine's word rather than a sentence.
pub(crate) fn word(text: &str) -> Option<&str> {
    const LONGEST: usize = 96;
    let is_word = (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    is_word.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_codes_are_found_in_both_forms_and_sentences_are_not() {
        for (body, expected) in [
            (
                r#"{"fault":{"faultstring":"x y","detail":{"errorcode":"a.b.QuotaViolation"}}}"#,
                Some("a.b.QuotaViolation"),
            ),
            (r#"{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}"#, Some("invalid_client")),
            (r#"{"ErrorCode":"Margaret Okafor is unknown"}"#, None),
            (r#"{"ErrorCode":"margaret@acme.example"}"#, None),
            (r#"{"_statusCode":"404","_statusMessage":"Company not found"}"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(code(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn codes_are_compared_by_their_end() {
        let code = Some("keymanagement.service.InvalidAPICallAsNoApiProductMatchFound");
        assert!(ends_with_any(code, &NOT_GRANTED));
        assert!(!ends_with_any(Some("keymanagement.service.access_token_expired"), &NOT_GRANTED));
        assert!(!ends_with_any(None, &NOT_GRANTED));
    }
}
