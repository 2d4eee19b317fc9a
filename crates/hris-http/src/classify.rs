//! What an answer means: by its status, unless the vendor's own classifier knows better.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hris_core::{Delivery, Error, ErrorKind};

use crate::Answer;
use crate::clock::until;

/// A vendor's own reading of its answers, asked before the status decides.
///
/// It sees every buffered answer, successes too: PeopleHR reports failures inside a 200. Of a streamed answer it
/// sees only those whose status is no success.
///
/// ```
/// use hris_core::{Error, ErrorKind};
/// use hris_http::{Answer, Classify, Verdict};
///
/// /// Knows two codes of one vendor.
/// #[derive(Debug)]
/// struct Codes;
///
/// impl Classify for Codes {
///     fn classify(&self, _operation: &str, answer: &Answer) -> Verdict {
///         match answer.body().as_ref() {
///             b"busy" => Verdict::Refused(Error::new(ErrorKind::Unavailable, "a query is under way")),
///             b"bad key" => Verdict::Failed(Error::new(ErrorKind::Unauthorized, "the API key was refused")),
///             _ => Verdict::ByStatus,
///         }
///     }
/// }
/// ```
pub trait Classify: fmt::Debug + Send + Sync + 'static {
    /// Judges the answer to one operation. Whether an error may be tried again is
    /// [`Error::is_retryable`](hris_core::Error::is_retryable); a wait that it asks for is honoured.
    ///
    /// Texts of the vendor may be attached as context `vendor_message`, but only where they cannot quote a
    /// person's data.
    fn classify(&self, operation: &str, answer: &Answer) -> Verdict;
}

/// What a [`Classify`] makes of an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The status decides, as in [`by_status`].
    ByStatus,
    /// A failure; the request may have had an effect.
    Failed(Error),
    /// A failure before anything was done (throttled, busy, no such key). If it is transient, it is tried again
    /// even if the operation is not repeatable.
    Refused(Error),
}

/// Leaves everything to the status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByStatus;

impl Classify for ByStatus {
    fn classify(&self, _operation: &str, _answer: &Answer) -> Verdict {
        Verdict::ByStatus
    }
}

/// The error that an answer's status stands for; `None` for a success (2xx).
///
/// | status | kind | tried again |
/// |---|---|---|
/// | 3xx | `Protocol` (redirects are never followed) | no |
/// | 401, 403 | `Unauthorized`, `Forbidden` | no, but a 401 renews a token once |
/// | 404, 410 | `NotFound` | no |
/// | 405, 406, 415 | `Protocol` | no |
/// | 409, 412 | `Conflict`, `Stale` | no |
/// | 408 | `Timeout` | yes |
/// | 429 | `RateLimited`, with the wait that was asked for | yes |
/// | 5xx | `Unavailable`, with the wait that was asked for | yes |
/// | other 4xx | `Invalid` | no |
pub fn by_status(answer: &Answer) -> Option<Error> {
    let error = error_of(answer.status())?.with_delivery(Delivery::Answered);
    Some(match answer.retry_after() {
        Some(wait) if error.is_retryable() => error.with_retry_after(wait),
        _ => error,
    })
}

fn error_of(status: u16) -> Option<Error> {
    let (kind, message) = match status {
        200..=299 => return None,
        300..=399 => {
            let error = Error::new(ErrorKind::Protocol, "the answer is a redirect, which is never followed");
            return Some(error.with_hint("check the base URL and the path"));
        }
        401 => (ErrorKind::Unauthorized, "the credential was refused"),
        403 => (ErrorKind::Forbidden, "the credential lacks a permission"),
        404 | 410 => (ErrorKind::NotFound, "there is no such thing"),
        405 | 406 | 415 => (ErrorKind::Protocol, "the other side does not offer this operation in this form"),
        408 => (ErrorKind::Timeout, "the other side gave up waiting"),
        409 => (ErrorKind::Conflict, "something else holds the same value"),
        412 => (ErrorKind::Stale, "the version has moved on"),
        429 => (ErrorKind::RateLimited, "the other side asks to slow down"),
        400..=499 => (ErrorKind::Invalid, "the request was found unacceptable"),
        500..=599 => (ErrorKind::Unavailable, "the other side failed"),
        _ => (ErrorKind::Protocol, "the answer has an unknown status"),
    };
    Some(Error::new(kind, message))
}

/// Reads a `Retry-After` header: seconds, or an HTTP date seen from `now`.
pub(crate) fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(header).ok().map(|date| until(now, date.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_and_in_every_date_form() {
        let now = "2026-03-02T06:00:00.5Z".parse().unwrap();
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        for date in
            ["Mon, 02 Mar 2026 06:00:30 GMT", "Monday, 02-Mar-26 06:00:30 GMT", "Mon Mar  2 06:00:30 2026"]
        {
            assert_eq!(retry_after(date, now), Some(Duration::from_millis(29_500)), "{date}");
        }
        assert_eq!(retry_after("Mon, 02 Mar 2026 05:00:00 GMT", now), Some(Duration::ZERO));
        for nonsense in ["", "-3", "soon", "1.5"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn only_slow_down_time_out_and_server_faults_are_transient() {
        for status in 100..=600_u16 {
            let Some(error) = error_of(status) else {
                assert!((200..300).contains(&status));
                continue;
            };
            let transient = matches!(status, 408 | 429 | 500..=599);
            assert_eq!(error.is_retryable(), transient, "{status}");
        }
    }
}
