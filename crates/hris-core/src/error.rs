//! The one error type of every crate here: what went wrong, whether it was sent, and what to do about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Shorthand for results of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is. Match on this only where you can act on the difference.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Configuration cannot work; nothing was sent.
    Config,
    /// The credential was refused: wrong, expired, revoked, or of another region.
    Unauthorized,
    /// The credential is good but lacks a permission.
    Forbidden,
    /// The thing asked for does not exist.
    NotFound,
    /// The other side asks to slow down.
    RateLimited,
    /// The other side could not be reached or failed on its side.
    Unavailable,
    /// No answer in the time allowed.
    Timeout,
    /// An answer came that is not what the protocol promises (HTML, broken JSON, missing envelope).
    Protocol,
    /// An answer, page or record exceeds a size limit.
    TooLarge,
    /// A reading ended early or contradicts itself; it must not be taken for a shorter directory.
    Incomplete,
    /// The credential belongs to another company than the connection was made for.
    WrongAccount,
    /// The source exists but has no trustworthy data yet (first sync under way, relink needed).
    NotReady,
    /// This connector, target or store cannot do what was asked.
    Unsupported,
    /// The other side refuses because something else holds the same unique value or version.
    Conflict,
    /// The other side, or a check before sending, finds a value unacceptable.
    Invalid,
    /// A precondition no longer holds: a stale plan, an expired release, a moved version.
    Stale,
    /// Stored data does not match its digest or its version.
    Integrity,
    /// Another worker holds the lease of this connection, or took it over.
    Leased,
    /// The state store failed.
    Store,
    /// The caller asked to stop.
    Cancelled,
    /// A guard held the plan; nothing was applied.
    Held,
}

/// Whether the other side may have seen the request that failed.
///
/// A write that failed with [`Delivery::Unknown`] must be read back before it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It was never sent, or provably not processed.
    NotSent,
    /// It may have been processed: the connection broke or timed out after sending.
    Unknown,
    /// An answer arrived.
    Answered,
}

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    context: Vec<(&'static str, String)>,
    retryable: bool,
    retry_after: Option<Duration>,
    delivery: Delivery,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// An error that says what happened and what to do.
///
/// `Display` prints message, hint and context, never the source (walk [`StdError::source`] for it), never a
/// response body, a secret or a person's data.
///
/// ```
/// use hris_core::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::Unauthorized, "the token was refused")
///     .with_hint("create a new token in the vendor's settings")
///     .with_context("operation", "info");
/// assert_eq!(error.kind(), ErrorKind::Unauthorized);
/// assert_eq!(
///     error.to_string(),
///     "the token was refused; create a new token in the vendor's settings (operation: info)"
/// );
/// ```
pub struct Error(Box<Inner>);

impl Error {
    /// An error of a kind with a message. `retryable` starts as the kind suggests
    /// ([`ErrorKind::RateLimited`], [`ErrorKind::Unavailable`] and [`ErrorKind::Timeout`] are).
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let retryable = matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout);
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            context: Vec::new(),
            retryable,
            retry_after: None,
            delivery: Delivery::NotSent,
            source: None,
        }))
    }

    /// Configuration that cannot work, with what to change.
    pub fn config(message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Config, message).with_hint(hint)
    }

    /// An operation that this implementation does not offer.
    pub fn unsupported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// The caller's cancellation, as an error that ends a stream or a run.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "stopped on request")
    }

    /// Says what the reader of the error can do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a fact for diagnosis. Never a secret, a body or a person's data.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Overrides whether trying again may help.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The earliest wait that the other side asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Says whether the other side may have seen the request.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }

    /// Keeps the cause for those who walk the chain.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without hint and context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Facts for diagnosis, in the order they were added.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Whether the same request may succeed later. False once retries were used up inside this library.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The earliest wait that the other side asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the other side may have seen the request.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        for (index, (key, value)) in self.0.context.iter().enumerate() {
            f.write_str(if index == 0 { " (" } else { ", " })?;
            write!(f, "{key}: {value}")?;
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &inner.kind).field("message", &inner.message).field("hint", &inner.hint);
        out.field("context", &inner.context).field("retryable", &inner.retryable);
        out.field("retry_after", &inner.retry_after).field("delivery", &inner.delivery);
        out.field("source", &inner.source).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_has_message_hint_and_context_but_not_the_source() {
        let error = Error::new(ErrorKind::Unavailable, "no answer")
            .with_hint("try later")
            .with_context("host", "api.example")
            .with_source("socket closed");
        assert_eq!(error.to_string(), "no answer; try later (host: api.example)");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("socket closed"));
    }

    #[test]
    fn transient_kinds_start_retryable_and_others_do_not() {
        assert!(Error::new(ErrorKind::Timeout, "t").is_retryable());
        assert!(!Error::new(ErrorKind::Unauthorized, "u").is_retryable());
        assert!(!Error::new(ErrorKind::Unavailable, "u").with_retryable(false).is_retryable());
    }
}
