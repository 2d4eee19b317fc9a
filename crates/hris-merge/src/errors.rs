//! What Merge's failures mean. The status decides, and a few of the vendor's own problem types know better; its machine
//! words go into the error's context, and its sentences nowhere, since nobody promises what they quote.

use std::time::Duration;

use hris_core::{Error, ErrorKind};
use hris_http::{Answer, Classify, Verdict, by_status};
use serde_json::Value;

/// Most codes of one answer that are worth showing.
const MAX_CODES: usize = 3;
/// The wait after a 429 that names none; the vendor's own samples wait as long, and its windows are minutes.
const SLOW_DOWN: Duration = Duration::from_secs(60);

/// Adds Merge's problem types and what an administrator can do to failures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MergeErrors;

impl Classify for MergeErrors {
    fn classify(&self, operation: &str, answer: &Answer) -> Verdict {
        match by_status(answer) {
            None => Verdict::ByStatus,
            Some(error) => Verdict::Failed(explained(error, operation, answer.body())),
        }
    }
}

fn explained(error: Error, operation: &str, body: &[u8]) -> Error {
    let codes = problem_types(body);
    let has = |code: &str| codes.iter().any(|known| known == code);
    let error = if !error.is_retryable() && (has("RELINK_NEEDED") || has("CREDENTIAL_REFRESH_FAILED")) {
        Error::new(ErrorKind::NotReady, "the linked account needs to be linked again")
            .with_hint("let the customer link it again: the same account token goes on working afterwards")
    } else if !error.is_retryable() && has("MISSING_PERMISSION") {
        Error::new(ErrorKind::Forbidden, "the HR system does not give Merge a permission that this needs")
            .with_hint("look at the linked account's issues in Merge's dashboard, and link it again with more rights")
    } else {
        with_hint(error, operation)
    };
    if codes.is_empty() { error } else { error.with_context("vendor_code", codes.join(", ")) }
}

fn with_hint(error: Error, operation: &str) -> Error {
    match error.kind() {
        ErrorKind::Unauthorized => error.with_hint(
            "check the API key (Merge's dashboard, API keys), the account token (Linked Accounts) and the region, \
             since keys of another region are refused too",
        ),
        ErrorKind::Forbidden => error
            .with_hint("check the scopes of the linked account in Merge's dashboard, and what the plan includes"),
        ErrorKind::NotFound if operation == "merge.employees" => error
            .with_hint("check the base URL; if it is right, this HR system has no employees to offer through Merge"),
        ErrorKind::RateLimited if error.retry_after().is_none() => error.with_retry_after(SLOW_DOWN),
        _ => error,
    }
}

/// Whether a failure says that a cursor is not known any more.
pub(crate) fn is_lost_cursor(error: &Error) -> bool {
    let mut context = error.context();
    context.any(|(key, value)| key == "status" && matches!(value, "400" | "404" | "410"))
}

/// The machine words in an error document: `problem_type` of each entry in `errors`.
fn problem_types(body: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words = errors.iter().filter_map(|problem| problem["problem_type"].as_str());
    words.filter(|word| is_word(word)).take(MAX_CODES).map(str::to_owned).collect()
}

/// Whether a text is a machine's word rather than a sentence.
fn is_word(text: &str) -> bool {
    const LONGEST: usize = 64;
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, body: &str) -> Error {
        explained(Error::new(kind, "m"), "merge.employees", body.as_bytes())
    }

    #[test]
    fn problem_types_are_shown_and_sentences_are_not() {
        for (body, expected) in [
            (r#"{"errors":[{"problem_type":"MISSING_REQUIRED_FIELD","detail":"ana@x.example"}]}"#, 1),
            (r#"{"errors":[{"problem_type":"Ana is missing"},{"problem_type":"ERROR"}]}"#, 1),
            (r#"{"detail":"Not found."}"#, 0),
            (r#"{"detail":["a",{"b":1}]}"#, 0),
            (r#"{"errors":"x"}"#, 0),
            ("<html>", 0),
            ("", 0),
        ] {
            assert_eq!(problem_types(body.as_bytes()).len(), expected, "{body}");
            let shown = format!("{:?}", error(ErrorKind::Invalid, body));
            assert!(!shown.contains("Ana") && !shown.contains("ana@"), "{shown}");
        }
    }

    #[test]
    fn an_account_that_needs_relinking_is_not_ready_whatever_the_status() {
        let body = r#"{"errors":[{"problem_type":"RELINK_NEEDED"}]}"#;
        let relink = error(ErrorKind::Invalid, body);
        assert_eq!(relink.kind(), ErrorKind::NotReady);
        assert!(relink.to_string().contains("vendor_code: RELINK_NEEDED"), "{relink}");
        let down = error(ErrorKind::Unavailable, body);
        assert_eq!(down.kind(), ErrorKind::Unavailable, "a failure that may pass stays one");
        let right = error(ErrorKind::Invalid, r#"{"errors":[{"problem_type":"MISSING_PERMISSION"}]}"#);
        assert_eq!(right.kind(), ErrorKind::Forbidden);
    }

    #[test]
    fn a_slow_down_without_a_time_is_a_minute() {
        assert_eq!(error(ErrorKind::RateLimited, "").retry_after(), Some(Duration::from_secs(60)));
        let told = Error::new(ErrorKind::RateLimited, "m").with_retry_after(Duration::from_secs(7));
        assert_eq!(explained(told, "x", b"").retry_after(), Some(Duration::from_secs(7)));
    }
}
