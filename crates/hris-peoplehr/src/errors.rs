//! What PeopleHR's answers mean. It reports failures inside a success, by a message first and a code second, so that
//! messages are looked at before codes, and codes before the status of HTTP.

use std::time::Duration;

use hris_core::{Delivery, Error, ErrorKind};
use hris_http::{Answer, Classify, Verdict, by_status};

use crate::answer::{Envelope, Outline};
use crate::config::PeopleHrConfig;
use crate::wire::Key;

/// The operations, as spans and errors name them.
pub(crate) mod operation {
    /// The listing, with or without leavers.
    pub(crate) const EMPLOYEES: &str = "peoplehr.employees";
    /// One employee by Employee ID.
    pub(crate) const EMPLOYEE: &str = "peoplehr.employee";
    /// The company that the key opens.
    pub(crate) const COMPANY: &str = "peoplehr.company";
    /// A saved query.
    pub(crate) const QUERY: &str = "peoplehr.query";
}

/// How long a saved query is given until it is asked for again.
const BUSY_WAIT: Duration = Duration::from_secs(20);

const NEW_KEY: &str = "in PeopleHR, open Settings, API, press +, tick Get All Employee Detail and Get Employee Detail By \
                       Id under Employee, save, and copy the key; if it was copied before, check that nobody deleted it";
const NETWORK: &str = "PeopleHR, or the network before it, turns this caller away: check the IP Addresses of the key in \
                       PeopleHR under Settings, API, and the user agent (`user_agent`)";
const CHECK_PATHS: &str = "check the base URL, `employee_path` and `query_path` of this connection";

/// What an answer says, whatever it is an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Success,
    /// Nothing was found: a word about rows, or about a person, and never about a company.
    Empty,
    Throttled,
    Busy,
    KeyRefused,
    NoPermission,
    NotFound,
    Conflict,
    Invalid,
    VendorFault,
    /// The action or the request's form is not known there.
    NotUnderstood,
    Unknown,
}

/// The messages to look for.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    throttled: Vec<String>,
    key_refused: Vec<String>,
    no_permission: Vec<String>,
    wait: Duration,
}

impl Rules {
    pub(crate) fn new(config: &PeopleHrConfig) -> Self {
        let own = |texts: &[String]| texts.iter().map(|text| folded(text)).collect();
        Self {
            throttled: own(&config.throttle_messages),
            key_refused: own(&config.credential_messages),
            no_permission: own(&config.permission_messages),
            wait: config.throttle_wait(),
        }
    }

    /// What an answer says.
    pub(crate) fn meaning(&self, envelope: &Envelope) -> Meaning {
        let message = folded(envelope.message.as_deref().unwrap_or_default());
        self.by_message(&message, envelope.status).unwrap_or_else(|| by_code(envelope, &message))
    }

    fn by_message(&self, message: &str, status: Option<i64>) -> Option<Meaning> {
        let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        let own = |texts: &[String]| texts.iter().any(|text| message.contains(text.as_str()));
        let starts = |texts: &[&str]| texts.iter().any(|text| message.starts_with(text));
        Some(if has(&["per minute", "limited to", "rate limit"]) || own(&self.throttled) {
            Meaning::Throttled
        } else if is_busy(message) {
            Meaning::Busy
        } else if matches!(status, Some(1 | 2))
            || starts(&["invalid api key", "api key does not exist", "api key is missing"])
            || own(&self.key_refused)
        {
            Meaning::KeyRefused
        } else if is_refusal(message) || own(&self.no_permission) {
            Meaning::NoPermission
        } else if status == Some(10) || starts(&["no record", "no detail", "record not found"]) {
            Meaning::Empty
        } else {
            return None;
        })
    }

    /// The error that an answer to an operation is, if it is one. Nothing found is none.
    pub(crate) fn error(&self, operation: &str, envelope: &Envelope) -> Option<Error> {
        let error = match self.meaning(envelope) {
            Meaning::Success | Meaning::Empty => return None,
            Meaning::NotFound if operation == operation::EMPLOYEE => return None,
            Meaning::Throttled => {
                Error::new(ErrorKind::RateLimited, "PeopleHR asks to slow down").with_retry_after(self.wait)
            }
            Meaning::Busy => Error::new(ErrorKind::Unavailable, "a saved query is still running in PeopleHR")
                .with_retry_after(BUSY_WAIT),
            Meaning::KeyRefused => {
                Error::new(ErrorKind::Unauthorized, "PeopleHR refused the API key").with_hint(NEW_KEY)
            }
            Meaning::NoPermission => no_permission(operation),
            Meaning::NotFound => Error::new(ErrorKind::NotFound, "PeopleHR knows no such thing"),
            Meaning::Conflict => Error::new(ErrorKind::Conflict, "PeopleHR has such a thing already"),
            Meaning::Invalid => invalid(operation),
            Meaning::VendorFault => Error::new(ErrorKind::Unavailable, "PeopleHR failed on its side"),
            Meaning::NotUnderstood => {
                Error::new(ErrorKind::Protocol, "PeopleHR does not offer this action in this form")
                    .with_hint(CHECK_PATHS)
            }
            Meaning::Unknown => {
                Error::new(ErrorKind::Protocol, "PeopleHR answers with a failure that is not documented")
            }
        };
        Some(in_words(error.with_delivery(Delivery::Answered), envelope))
    }
}

fn by_code(envelope: &Envelope, message: &str) -> Meaning {
    let has = |text| message.contains(text);
    match envelope.status {
        Some(0) if !envelope.is_error => Meaning::Success,
        Some(5) if has("does not exist") => Meaning::NotFound,
        Some(5) if has("already exist") || has("already in use") || has("already employee") => {
            Meaning::Conflict
        }
        Some(5) if !message.is_empty() => Meaning::Invalid,
        Some(6) => Meaning::VendorFault,
        Some(3 | 4 | 7 | 8 | 9) => Meaning::NotUnderstood,
        _ => Meaning::Unknown,
    }
}

/// Whether a message, or what poses as a row, says that a query is under way.
pub(crate) fn is_busy(message: &str) -> bool {
    message.to_lowercase().contains("already in progress")
}

/// `No access on employee schema`, `No access to Query Builder schema`.
fn is_refusal(message: &str) -> bool {
    let rest = message.strip_prefix("no access on ").or_else(|| message.strip_prefix("no access to "));
    rest.is_some_and(|rest| rest.contains("schema"))
}

/// A message in the form in which it is compared.
fn folded(message: &str) -> String {
    message.trim().trim_end_matches('.').to_lowercase()
}

fn no_permission(operation: &str) -> Error {
    let (application, action) = match operation {
        operation::EMPLOYEE => ("Employee", "Get Employee Detail By Id"),
        operation::QUERY => ("Query", "the action that gets a query's result"),
        _ => ("Employee", "Get All Employee Detail"),
    };
    let hint =
        format!("in PeopleHR, open Settings, API, edit this key, and tick {action} under {application}");
    Error::new(ErrorKind::Forbidden, "the API key lacks a permission").with_hint(hint)
}

fn invalid(operation: &str) -> Error {
    let error = Error::new(ErrorKind::Invalid, "PeopleHR finds the request unacceptable");
    match operation {
        operation::EMPLOYEES => error.with_hint("try the other `flag_form`"),
        operation::QUERY => error.with_hint(
            "check the name of the query in PeopleHR under Queries, letter by letter with its spaces and capitals",
        ),
        _ => error,
    }
}

fn in_words(error: Error, envelope: &Envelope) -> Error {
    let error = match envelope.status {
        Some(status) => error.with_context("vendor_status", status),
        None => error,
    };
    match envelope.message.as_deref().map(known_words).filter(|words| !words.is_empty()) {
        Some(words) => error.with_context("vendor_message", words),
        None => error,
    }
}

/// The words that the vendor's documented messages are made of. A message may quote what somebody entered, so that all
/// other words are left out.
const WORDS: &[&str] = &[
    "a",
    "absence",
    "access",
    "action",
    "after",
    "already",
    "api",
    "are",
    "be",
    "builder",
    "call",
    "calls",
    "cannot",
    "characters",
    "company",
    "contains",
    "data",
    "detail",
    "does",
    "document",
    "either",
    "email",
    "employee",
    "employeeid",
    "empty",
    "enter",
    "error",
    "execution",
    "exist",
    "exists",
    "expired",
    "field",
    "fieldname",
    "for",
    "form",
    "found",
    "future",
    "has",
    "history",
    "holiday",
    "in",
    "includeleavers",
    "invalid",
    "is",
    "json",
    "key",
    "limit",
    "limited",
    "minute",
    "missing",
    "more",
    "name",
    "no",
    "not",
    "occured",
    "occurred",
    "of",
    "on",
    "oops",
    "or",
    "per",
    "please",
    "processed",
    "progress",
    "query",
    "queryname",
    "rate",
    "record",
    "records",
    "request",
    "requested",
    "salary",
    "same",
    "schema",
    "should",
    "some",
    "something",
    "suspended",
    "than",
    "the",
    "time",
    "to",
    "try",
    "unique",
    "unknown",
    "use",
    "went",
    "will",
    "with",
    "wrong",
];

/// A message without the words that are none of the vendor's own.
fn known_words(message: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for word in message.split_whitespace().take(40) {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        let folded = bare.to_lowercase();
        let is_known = WORDS.contains(&folded.as_str()) || Key::ALL.iter().any(|key| key.name() == bare);
        match (is_known, out.last()) {
            (true, _) => out.push(bare),
            (false, Some(&"…")) => {}
            (false, _) => out.push("…"),
        }
    }
    out.join(" ")
}

/// Judges buffered answers.
#[derive(Clone, Debug)]
pub(crate) struct PeopleHrErrors(pub(crate) std::sync::Arc<Rules>);

impl Classify for PeopleHrErrors {
    fn classify(&self, operation: &str, answer: &Answer) -> Verdict {
        let envelope = Outline::of(answer.body()).map(|outline| outline.envelope);
        let said = envelope.ok().filter(Envelope::says_something);
        if let Some(error) = said.and_then(|envelope| self.0.error(operation, &envelope)) {
            let wait = answer.retry_after();
            return Verdict::Failed(match wait {
                Some(wait) if error.is_retryable() => error.with_retry_after(wait),
                _ => error,
            });
        }
        let Some(error) = by_status(answer) else { return Verdict::ByStatus };
        Verdict::Failed(match error.kind() {
            ErrorKind::Unauthorized | ErrorKind::Forbidden => error.with_hint(NETWORK),
            ErrorKind::NotFound => {
                let error = Error::new(ErrorKind::Protocol, "there is nothing at this address");
                error.with_hint(CHECK_PATHS)
            }
            ErrorKind::RateLimited if error.retry_after().is_none() => error.with_retry_after(self.0.wait),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(is_error: bool, status: i64, message: &str) -> Envelope {
        let body =
            serde_json::json!({ "isError": is_error, "Status": status, "Message": message }).to_string();
        Outline::of(body.as_bytes()).unwrap().envelope
    }

    fn rules() -> Rules {
        Rules::new(
            &PeopleHrConfig::new()
                .with_throttle_message("Bitte langsamer")
                .with_permission_message("kein Recht"),
        )
    }

    #[test]
    fn the_message_decides_before_the_code_and_the_code_before_the_flag() {
        use Meaning::*;
        for (is_error, status, message, meaning) in [
            (false, 0, "The request processed successfully.", Success),
            (false, 0, "The requested processed successfully.", Success),
            (false, 0, "", Success),
            (true, 0, "", Unknown),
            (false, 77, "", Unknown),
            (false, 0, "API calls will be limited to a 50 per minute", Throttled),
            (true, 5, "API calls will be limited to a 50 per minute", Throttled),
            (false, 10, "Rate limit exceeded", Throttled),
            (false, 0, "Bitte LANGSAMER.", Throttled),
            (true, 5, "Please try after some time, query execution is already in progress", Busy),
            (true, 2, "Invalid API Key.", KeyRefused),
            (true, 1, "API key is missing.", KeyRefused),
            (true, 5, "API key does not exists.", KeyRefused),
            (true, 5, "API Key does not exist.", KeyRefused),
            (true, 2, "", KeyRefused),
            (true, 5, "No access on employee schema.", NoPermission),
            (true, 5, "NO ACCESS TO Query Builder Schema.", NoPermission),
            (true, 5, "Sie haben kein Recht dazu", NoPermission),
            (false, 10, "The requested processed successfully.", Empty),
            (true, 10, "No record found.", Empty),
            (true, 6, "No record found.", Empty),
            (true, 5, "No records found.", Empty),
            (true, 5, "EmployeeId does not exists.", NotFound),
            (true, 5, "EmployeeId already exists.", Conflict),
            (true, 5, "already Employee left.", Conflict),
            (true, 5, "IncludeLeavers contains invalid data.", Invalid),
            (true, 5, "", Unknown),
            (true, 6, "Oops! Something went wrong.", VendorFault),
            (true, 4, "Invalid Action.", NotUnderstood),
            (true, 9, "Invalid json data.", NotUnderstood),
        ] {
            assert_eq!(rules().meaning(&envelope(is_error, status, message)), meaning, "{status} {message}");
        }
    }

    #[test]
    fn each_failure_is_an_error_that_says_what_to_do() {
        let error =
            |status, message| rules().error(operation::EMPLOYEES, &envelope(true, status, message)).unwrap();
        let throttled = error(5, "API calls will be limited to a 50 per minute");
        assert_eq!(throttled.kind(), ErrorKind::RateLimited);
        assert_eq!(throttled.retry_after(), Some(Duration::from_secs(60)));
        let refused = error(5, "API key does not exists.");
        assert!(
            refused.kind() == ErrorKind::Unauthorized && refused.hint().unwrap().contains("Settings, API")
        );
        let lacking = error(5, "No access on employee schema.");
        assert!(lacking.kind() == ErrorKind::Forbidden && !lacking.is_retryable());
        assert!(lacking.hint().unwrap().contains("tick Get All Employee Detail under Employee"));
        assert!(error(6, "Oops! Something went wrong.").is_retryable());
        assert!(!error(4, "Invalid Action.").is_retryable());
        let by_id = envelope(true, 5, "EmployeeId does not exists.");
        assert!(rules().error(operation::EMPLOYEE, &by_id).is_none());
        assert!(rules().error(operation::EMPLOYEES, &by_id).is_some());
    }

    #[test]
    fn a_message_is_repeated_without_what_somebody_entered() {
        for (message, shown) in [
            ("No access on employee schema.", "No access on employee schema"),
            ("LeavingDate of Margaret Okafor <m@acme.example> is missing.", "LeavingDate of … is missing"),
            ("EmployeeId 'BF101' does not exists.", "EmployeeId … does not exists"),
            ("Margaret Okafor", "…"),
            ("", ""),
        ] {
            assert_eq!(known_words(message), shown, "{message}");
        }
    }
}
