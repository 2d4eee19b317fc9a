//! Credentials: headers that never change, and tokens that are fetched, kept and renewed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hris_core::{Error, Result, SharedClock};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use crate::clock::until;

/// How a [`Session`](crate::Session) proves who it is. Cheap to clone; clones share one token.
///
/// Secrets are checked when they are given: a token that is empty or has white space around it, and anything that
/// no header can hold, is an error of kind [`Config`](hris_core::ErrorKind::Config). `Debug` shows header names.
///
/// ```
/// use hris_http::Auth;
/// let auth = Auth::bearer(&"the API key".into())?
///     .with_secret_header("x-account-token", &"the account token".into())?;
/// assert!(!format!("{auth:?}").contains("the account token"));
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Auth {
    headers: Vec<(HeaderName, HeaderValue)>,
    tokens: Option<Arc<Tokens>>,
    early: Duration,
}

/// A token as its issuer gave it.
#[derive(Clone, Debug)]
pub struct AccessToken {
    token: SecretString,
    expires_at: Option<DateTime<Utc>>,
}

impl AccessToken {
    /// A token that is good until it is refused.
    pub fn new(token: SecretString) -> Self {
        Self { token, expires_at: None }
    }

    /// Says when it expires, by the clock of this side.
    #[must_use]
    pub fn expiring_at(mut self, instant: DateTime<Utc>) -> Self {
        self.expires_at = Some(instant);
        self
    }
}

/// Fetches access tokens, usually through a [`Session`](crate::Session) of its own with the client's credentials.
///
/// Its session retries on its own terms, so an error from here ends the operation that needed the token.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Fetches a new token.
    async fn fetch(&self) -> Result<AccessToken>;
}

impl Auth {
    /// No credentials: they are in the body, or there are none.
    pub fn none() -> Self {
        Self { headers: Vec::new(), tokens: None, early: Duration::from_secs(60) }
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(token: &SecretString) -> Result<Self> {
        Ok(Self::none().with(AUTHORIZATION, bearer(token)?))
    }

    /// `Authorization: Basic …` (RFC 7617, UTF-8). The user must not contain a colon.
    pub fn basic(user: &str, password: &SecretString) -> Result<Self> {
        if user.contains(':') {
            return Err(Error::config("the user name has a colon", "basic authentication cannot carry it"));
        }
        let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        Ok(Self::none().with(AUTHORIZATION, secret_value(&format!("Basic {pair}"))?))
    }

    /// `Authorization: Bearer …` with a token that is fetched when it is first needed, kept, renewed 60 seconds
    /// before it expires, and renewed once when it is refused. Many tasks cause one fetch.
    pub fn tokens(source: impl TokenSource) -> Self {
        let tokens = Tokens { source: Box::new(source), kept: Mutex::default() };
        Self { tokens: Some(Arc::new(tokens)), ..Self::none() }
    }

    /// How long before its expiry a token is renewed (60 seconds unless said otherwise); half its life at most.
    #[must_use]
    pub fn with_early_renewal(mut self, early: Duration) -> Self {
        self.early = early;
        self
    }

    /// Adds one more header that is a secret.
    pub fn with_secret_header(self, name: &'static str, value: &SecretString) -> Result<Self> {
        let name = HeaderName::try_from(name).map_err(|error| {
            Error::config("not a header name", "use letters, digits and dashes").with_source(error)
        })?;
        let value = secret_value(checked(value)?)?;
        Ok(self.with(name, value))
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The headers that never change.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The token to send now, fetched if there is none or it is about to expire.
    pub(crate) async fn token(&self, clock: &SharedClock) -> Result<Option<Token>> {
        match &self.tokens {
            None => Ok(None),
            Some(tokens) => tokens.current(clock, self.early).await.map(Some),
        }
    }

    /// Forgets a token that was refused, unless another task replaced it already. False if there is nothing to
    /// renew.
    pub(crate) async fn forget(&self, refused: Option<&Token>) -> bool {
        let (Some(tokens), Some(refused)) = (&self.tokens, refused) else { return false };
        let mut kept = tokens.kept.lock().await;
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.token, refused)) {
            *kept = None;
        }
        true
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Auth")
            .field("headers", &names)
            .field("tokens", &self.tokens.is_some())
            .finish_non_exhaustive()
    }
}

/// The `Authorization` header of one token. A successor has another address.
pub(crate) type Token = Arc<HeaderValue>;

struct Tokens {
    source: Box<dyn TokenSource>,
    /// Held while a token is fetched, so that everybody else waits for that one.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: Token,
    fetched_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

impl Tokens {
    async fn current(&self, clock: &SharedClock, early: Duration) -> Result<Token> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh(clock.now(), early)) {
            return Ok(Arc::clone(&kept.token));
        }
        let AccessToken { token, expires_at } = self.source.fetch().await?;
        let token = Arc::new(bearer(&token)?);
        *kept = Some(Kept { token: Arc::clone(&token), fetched_at: clock.now(), expires_at });
        Ok(token)
    }
}

impl Kept {
    fn is_fresh(&self, now: DateTime<Utc>, early: Duration) -> bool {
        self.expires_at.is_none_or(|expires_at| {
            let life = until(self.fetched_at, expires_at);
            until(now, expires_at) > early.min(life / 2)
        })
    }
}

fn bearer(token: &SecretString) -> Result<HeaderValue> {
    secret_value(&format!("Bearer {}", checked(token)?))
}

fn checked(secret: &SecretString) -> Result<&str> {
    let text = secret.expose_secret();
    if text.is_empty() || text.trim() != text {
        let hint = "copy it again, without spaces or line breaks around it";
        return Err(Error::config("the secret is empty or has white space around it", hint));
    }
    Ok(text)
}

fn secret_value(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::config(
            "the secret has a character that no header can hold",
            "copy it again, without line breaks",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

    #[test]
    fn a_secret_that_no_header_can_hold_is_refused_without_being_shown() {
        for secret in ["", " s3cret", "s3cret\n", "s3\ncret"] {
            for made in
                [Auth::bearer(&secret.into()), Auth::none().with_secret_header("x-key", &secret.into())]
            {
                let error = made.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config);
                assert!(!format!("{error:?}").contains("cret\""), "{error:?}");
            }
        }
        assert!(Auth::none().with_secret_header("x key", &"s3cret".into()).is_err());
        assert!(Auth::basic("a:b", &"c".into()).is_err());
    }

    #[test]
    fn basic_is_encoded_and_marked_sensitive() {
        // The example of RFC 7617, section 2.
        let auth = Auth::basic("Aladdin", &"open sesame".into()).unwrap();
        let (name, value) = &auth.headers()[0];
        assert_eq!((name, value.to_str().unwrap()), (&AUTHORIZATION, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert!(value.is_sensitive());
        assert!(!format!("{auth:?} {value:?}").contains("QWxh"));
    }
}
