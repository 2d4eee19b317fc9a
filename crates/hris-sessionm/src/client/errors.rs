//! What SessionM's failures mean: by the code in the body, and by the HTTP status only where there is none.
//!
//! A 200 can carry `"status":"error"`, and "user not found" comes as 200, 400 or 404. The vendor's sentences are never
//! repeated, since they may quote a person's data; what one is about is told in a word of ours.

use hris_core::{Delivery, Error, ErrorKind};
use hris_http::{Answer, Classify, Verdict, by_status};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::lenient::Text;

/// The context of an error that holds SessionM's code.
pub(crate) const CODE: &str = "vendor_code";
/// The context of an error that tells what it is about.
pub(crate) const ABOUT: &str = "about";

const UNKNOWN_CUSTOMER: &str = "user_not_found";

/// One of the two API families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Core,
    Connect,
}

impl Family {
    fn credential_hint(self) -> &'static str {
        match self {
            Self::Core => {
                "check the Core key and secret (console, Digital Properties, server-only property) and whether this \
                 address is allowed; the Connect pair does not open Core"
            }
            Self::Connect => {
                "check the Connect key and secret that SessionM's delivery team handed over; the Core pair does not \
                 open Connect"
            }
        }
    }
}

/// Judges the answers of a family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionMErrors(pub(crate) Family);

#[derive(Default, Deserialize)]
struct Envelope<'a> {
    status: Option<Text>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

impl Classify for SessionMErrors {
    fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
        let body: &[u8] = answer.body();
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let envelope = serde_json::from_slice::<Envelope<'_>>(body).unwrap_or_default();
        let is_success = (200..300).contains(&answer.status());
        let says = envelope.status.as_ref().map(|status| status.0.to_ascii_lowercase());
        match says.as_deref() {
            Some("ok") | None if is_success && envelope.errors.is_none_or(is_nothing) => Verdict::ByStatus,
            Some(word)
                if is_success
                    && word != "error"
                    && word != "ok"
                    && envelope.errors.is_none_or(is_nothing) =>
            {
                Verdict::Failed(Error::new(ErrorKind::Protocol, "the answer says neither ok nor error"))
            }
            _ => self.failure(answer, envelope.errors),
        }
    }
}

fn is_nothing(errors: &RawValue) -> bool {
    matches!(errors.get(), "null" | "{}" | "[]" | "\"\"")
}

impl SessionMErrors {
    fn failure(self, answer: &Answer, errors: Option<&RawValue>) -> Verdict {
        let details = errors.and_then(|errors| serde_json::from_str::<Value>(errors.get()).ok());
        let code = details.as_ref().and_then(|details| details["code"].as_str()).and_then(word);
        let error = match (answer.status(), by_status(answer)) {
            (429, Some(error)) => return Verdict::Refused(in_code(error, code)),
            (401, Some(error)) => error.with_hint(self.0.credential_hint()),
            (403, Some(error)) => error,
            (404 | 410, _) if code.is_none() => wrong_path(),
            (_, by_status) => self.by_code(code.as_deref(), by_status),
        };
        let error = match details.as_ref().and_then(about) {
            Some(about) => error.with_context(ABOUT, about),
            None => error,
        };
        Verdict::Failed(in_code(error, code))
    }

    /// The error that a code stands for; one that is not known leaves the decision to the status.
    fn by_code(self, code: Option<&str>, by_status: Option<Error>) -> Error {
        let error = |kind, message| Error::new(kind, message);
        match code.unwrap_or_default() {
            "internal_server_error" => error(ErrorKind::Unavailable, "SessionM failed on its side"),
            "https_only" => error(ErrorKind::Config, "SessionM was called without encryption")
                .with_hint("use an https base URL"),
            "invalid_auth_token" | "invalid_api_key" => {
                error(ErrorKind::Unauthorized, "the credential was refused")
                    .with_hint(self.0.credential_hint())
            }
            UNKNOWN_CUSTOMER => error(ErrorKind::NotFound, "there is no such customer"),
            "requires_registered_user" => error(ErrorKind::Conflict, "the customer is not registered"),
            "missing_data" => self.unacceptable("SessionM misses a value that it requires"),
            "validation" => error(ErrorKind::Invalid, "SessionM does not accept a value"),
            "argument_error" => self.unacceptable("SessionM found an argument malformed"),
            "access_denied" => error(ErrorKind::Forbidden, "the credential may not do this"),
            "not_available" => {
                error(ErrorKind::Unavailable, "the feature or object is not available").with_retryable(false)
            }
            "not_found" => error(ErrorKind::NotFound, "there is no such object"),
            "insufficient_points" => error(ErrorKind::Conflict, "the customer has not enough points"),
            _ => by_status.unwrap_or_else(|| {
                error(ErrorKind::Invalid, "SessionM refused the request inside a success")
            }),
        }
    }

    fn unacceptable(self, message: &'static str) -> Error {
        let error = Error::new(ErrorKind::Invalid, message);
        match self.0 {
            Family::Core => error,
            Family::Connect => {
                error.with_hint("check `connect.retailer_id` first: it is part of every request")
            }
        }
    }
}

/// A 404 without SessionM's own word for it is a wrong address, not a customer who does not exist: taken for one, it
/// would make a look-up's failure create the customer a second time.
fn wrong_path() -> Error {
    Error::new(
        ErrorKind::Protocol,
        "the address has no such path, or the answer does not say what is missing",
    )
    .with_hint("check the base URL, `core.prefix` and `paths` in the settings")
}

fn in_code(error: Error, code: Option<String>) -> Error {
    match code {
        Some(code) => error.with_context(CODE, code),
        None => error,
    }
}

/// A machine's word, in lower case; a sentence is none.
fn word(text: &str) -> Option<String> {
    const LONGEST: usize = 64;
    let is_word = (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    is_word.then(|| text.to_ascii_lowercase())
}

/// What an error's sentence is about, in one of our words.
fn about(details: &Value) -> Option<&'static str> {
    let mut text =
        ["message", "Message", "user", "raw_message", "type"].iter().fold(String::new(), |mut text, name| {
            if !details[name].is_null() {
                text.push_str(&details[name].to_string());
            }
            text
        });
    text.make_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["email", "e-mail"]) {
        Some("email")
    } else if has(&["external id", "external_id", "externalid"]) {
        Some("external_id")
    } else if has(&["dob", "birth", "too young", "older than", "years old"]) {
        Some("birth_date")
    } else {
        None
    }
}

/// Whether SessionM itself said that there is no such customer. A 404 of a gateway is not that.
pub(crate) fn is_unknown_customer(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && has_context(error, CODE, UNKNOWN_CUSTOMER)
}

pub(crate) fn has_context(error: &Error, key: &str, value: &str) -> bool {
    error.context().any(|(known, text)| known == key && text == value)
}

/// SessionM's code of an error.
pub(crate) fn code(error: &Error) -> Option<&str> {
    error.context().find(|(key, _)| *key == CODE).map(|(_, code)| code)
}

/// Makes an answer of "no such customer" an answer, and leaves every other failure one.
pub(crate) fn found<T>(result: hris_core::Result<T>) -> hris_core::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_unknown_customer(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the error of a write says about whether it happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Nothing was done, for a technical reason.
    NothingDone,
    /// SessionM refused.
    Refused,
    /// It may have been done.
    Unclear,
}

/// Tells what the error of a write says about whether it happened.
pub(crate) fn certainty(error: &Error) -> Certainty {
    let is_status = |statuses: &[&str]| statuses.iter().any(|status| has_context(error, "status", status));
    match (error.delivery(), error.kind()) {
        (Delivery::NotSent, _) => Certainty::NothingDone,
        (Delivery::Unknown, _) => Certainty::Unclear,
        (Delivery::Answered, kind) => match kind {
            ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::Config | ErrorKind::WrongAccount => {
                Certainty::NothingDone
            }
            ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::Stale => {
                Certainty::Refused
            }
            // No such path, or no such method there: nobody looked at the request.
            ErrorKind::Protocol if is_status(&["404", "405", "406", "410", "415"]) => Certainty::NothingDone,
            ErrorKind::Unavailable if code(error) == Some("not_available") => Certainty::Refused,
            _ => Certainty::Unclear,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_have_been_done_is_unclear() {
        let error = |kind, delivery| Error::new(kind, "x").with_delivery(delivery);
        for (error, expected) in [
            (error(ErrorKind::Unavailable, Delivery::NotSent), Certainty::NothingDone),
            (error(ErrorKind::RateLimited, Delivery::NotSent), Certainty::NothingDone),
            (error(ErrorKind::Unauthorized, Delivery::Answered), Certainty::NothingDone),
            (
                error(ErrorKind::Protocol, Delivery::Answered).with_context("status", 404),
                Certainty::NothingDone,
            ),
            (error(ErrorKind::Invalid, Delivery::Answered), Certainty::Refused),
            (error(ErrorKind::Conflict, Delivery::Answered), Certainty::Refused),
            (error(ErrorKind::Timeout, Delivery::Unknown), Certainty::Unclear),
            (error(ErrorKind::Unavailable, Delivery::Unknown), Certainty::Unclear),
            (error(ErrorKind::Unavailable, Delivery::Answered), Certainty::Unclear),
            (error(ErrorKind::Protocol, Delivery::Answered).with_context("status", 200), Certainty::Unclear),
            (error(ErrorKind::TooLarge, Delivery::Answered), Certainty::Unclear),
        ] {
            assert_eq!(certainty(&error), expected, "{error:?}");
        }
    }
}
