//! What Sesame's failures mean. The vendor documents no error answers at all, so that the status decides; its machine
//! codes go into the error's context, and its texts nowhere, since nobody promises what they quote.

use hris_core::{Error, ErrorKind};
use hris_http::{Answer, Classify, Verdict, by_status};
use serde_json::Value;

/// Most codes of one answer that are worth showing.
const MAX_CODES: usize = 3;

/// Adds Sesame's codes and what an administrator can do to failures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SesameErrors;

impl Classify for SesameErrors {
    fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
        match by_status(answer) {
            None => Verdict::ByStatus,
            Some(error) => Verdict::Failed(explained(error, answer.body())),
        }
    }
}

fn explained(error: Error, body: &[u8]) -> Error {
    let error = match error.kind() {
        ErrorKind::Unauthorized => error.with_hint(
            "create a new token in Sesame under Settings, Integrations, API, and check the region, since a wrong \
             region shows as 401 too, and that the account's API add-on is active",
        ),
        ErrorKind::Forbidden => error.with_hint(
            "check that the account's API add-on is active and that an administrator created the token",
        ),
        _ => error,
    };
    match codes(body) {
        Some(codes) => error.with_context("vendor_code", codes),
        None => error,
    }
}

/// Whether an error came with one of these statuses.
pub(crate) fn has_status(error: &Error, statuses: &[u16]) -> bool {
    let mut context = error.context();
    context
        .any(|(key, value)| key == "status" && value.parse().is_ok_and(|status| statuses.contains(&status)))
}

/// Whether an error concerns the credential or the reading as a whole, so that nothing else can work either.
pub(crate) fn is_fatal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::WrongAccount | ErrorKind::Cancelled)
}

/// The machine codes of an error body: under `error.errors` or `errors`, as a text, a list or an object, or as the
/// message itself.
fn codes(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let envelope = &body["error"];
    let places = [&envelope["errors"], &body["errors"], &envelope["message"], &body["message"], envelope];
    let mut codes = places.into_iter().map(codes_of).find(|codes| !codes.is_empty())?;
    codes.truncate(MAX_CODES);
    Some(codes.join(", "))
}

fn codes_of(place: &Value) -> Vec<String> {
    match place {
        Value::String(code) => word(code).map(str::to_owned).into_iter().collect(),
        Value::Array(items) => items.iter().flat_map(codes_of).collect(),
        Value::Object(entries) => match (&place["field"], &place["message"]) {
            (Value::String(field), Value::String(message)) => entry(field, message).into_iter().collect(),
            _ => entries.iter().filter_map(|(key, value)| entry(key, value.as_str()?)).collect(),
        },
        _ => Vec::new(),
    }
}

fn entry(key: &str, code: &str) -> Option<String> {
    Some(format!("{}: {}", word(key)?, word(code)?))
}

/// A text that is a machine's word rather than a sentence.
fn word(text: &str) -> Option<&str> {
    const LONGEST: usize = 64;
    let is_word = (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    is_word.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_every_shape_that_was_seen_or_that_the_vendors_sdk_expects() {
        for (body, expected) in [
            (
                r#"{"error":{"status":500,"message":"Unknown error","errors":"unknown_error"}}"#,
                Some("unknown_error"),
            ),
            (
                r#"{"error":{"status":405,"message":"No route","errors":{"route":"method_not_allowed"}}}"#,
                Some("route: method_not_allowed"),
            ),
            (
                r#"{"error":{"message":["a b",["c d"]],"errors":[{"field":"orderBy","message":"invalid"}]}}"#,
                Some("orderBy: invalid"),
            ),
            (
                r#"{"error":{"message":"double_factor_authentication_active"}}"#,
                Some("double_factor_authentication_active"),
            ),
            (r#"{"message":"Unauthorized"}"#, Some("Unauthorized")),
            (r#"{"error":"Forbidden"}"#, Some("Forbidden")),
            (r#"{"message":["Field required"],"errors":[{"field":"email"}]}"#, Some("field: email")),
            (r#"{"error_description":"Invalid grant"}"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(codes(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn sentences_and_addresses_are_never_taken_for_codes() {
        for body in [
            r#"{"error":{"message":"Nerea Olmedo not found","errors":{"email":"nerea@brisa.example"}}}"#,
            r#"{"errors":["nerea@brisa.example is taken"]}"#,
        ] {
            assert_eq!(codes(body.as_bytes()), None);
        }
    }
}
