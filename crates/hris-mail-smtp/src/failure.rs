//! What a failure of the dialogue means for the mail.

use std::error::Error as _;

use hris_core::{Delivery, Error, ErrorKind};
use lettre::transport::smtp::Error as SmtpError;

/// Where in the dialogue something failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connecting, greeting, TLS, login.
    Connecting,
    /// Sender, recipient, `DATA`.
    Addressing,
    /// The mail itself: from here on silence is doubt.
    Content,
}

/// Turns a failure into an error. Texts of the mail server can quote an address, so that only its code is kept.
pub(crate) fn from_smtp(error: &SmtpError, phase: Phase) -> Error {
    let Some(code) = error.status() else {
        return without_answer(error, phase);
    };
    let code = code.to_string();
    let message = if error.is_transient() {
        "the mail server asks to try again later"
    } else {
        "the mail server refuses the mail"
    };
    let kind = match (phase, error.is_transient()) {
        (Phase::Connecting, true) => ErrorKind::Unavailable,
        (Phase::Connecting, false) if code.starts_with("53") => ErrorKind::Unauthorized,
        (Phase::Connecting, false) => ErrorKind::Config,
        (_, true) => ErrorKind::RateLimited,
        (_, false) => ErrorKind::Invalid,
    };
    let delivery = if phase == Phase::Connecting { Delivery::NotSent } else { Delivery::Answered };
    Error::new(kind, message).with_delivery(delivery).with_context("code", code)
}

fn without_answer(error: &SmtpError, phase: Phase) -> Error {
    if phase == Phase::Content {
        return lost("the connection broke before the mail server answered");
    }
    if error.is_tls() {
        return Error::new(ErrorKind::Config, "the mail server cannot be spoken to by TLS")
            .with_hint("check its name, port and certificate");
    }
    // A dialogue that cannot be had at all, such as a server without the login that is wanted.
    if error.is_client() {
        return Error::new(ErrorKind::Config, "the mail server does not offer what is needed")
            .with_hint("check port, protection and login");
    }
    let broken = Error::new(ErrorKind::Unavailable, "the mail server cannot be reached");
    match error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()) {
        Some(cause) => broken.with_context("cause", cause.kind()),
        None => broken,
    }
}

pub(crate) fn timed_out(phase: Phase) -> Error {
    if phase == Phase::Content {
        return lost("the mail server did not answer in time");
    }
    Error::new(ErrorKind::Unavailable, "the mail server did not answer in time")
}

fn lost(message: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
        .with_hint("the mail may or may not have gone out; do not send it again blindly")
        .with_delivery(Delivery::Unknown)
        .with_retryable(false)
}
