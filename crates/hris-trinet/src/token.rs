//! The access token: asked for with client id and client secret, in the way that the configuration says.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;
use hris_core::{Delivery, Error, ErrorKind, Result};
use hris_http::{AccessToken, Auth, Budget, Request, RetryPolicy, Session, TokenSource, Transport, decode};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{TokenStyle, TriNetConfig};
use crate::errors::{TOKEN, TokenErrors};
use crate::wire::Token;

/// The scopes of the last token. Clones look at the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scopes(Arc<Mutex<Vec<String>>>);

impl Scopes {
    /// Whether the last token said that it has this scope; `None` if it named none.
    pub(crate) fn has(&self, wanted: &str) -> Option<bool> {
        let scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!scopes.is_empty()).then(|| scopes.iter().any(|scope| scope == wanted))
    }

    fn note(&self, scopes: Option<&str>) {
        let scopes = scopes.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = scopes;
    }
}

/// Asks for tokens.
#[derive(Clone, Debug)]
pub(crate) struct ClientCredentials {
    session: Session,
    client_id: SecretString,
    client_secret: SecretString,
    style: TokenStyle,
    path: String,
    default_seconds: u32,
    scopes: Scopes,
}

impl ClientCredentials {
    /// Of both secrets white space around them is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if one of them is empty, or no header can hold them.
    pub(crate) fn new(
        config: &TriNetConfig,
        client_id: &SecretString,
        client_secret: &SecretString,
        transport: &Transport,
        budget: Budget,
    ) -> Result<Self> {
        let client_id = trimmed(client_id, "the Client ID is empty")?;
        let client_secret = trimmed(client_secret, "the Client Secret is empty")?;
        let session = Session::new(transport, config.base()?).with_classify(TokenErrors).with_budget(budget);
        let session = match config.token_style {
            TokenStyle::PostFormBody => session,
            TokenStyle::GetBasic | TokenStyle::PostQueryBasic | TokenStyle::PostFormBasic => {
                session.with_auth(Auth::basic(client_id.expose_secret(), &client_secret)?)
            }
        };
        Ok(Self {
            session,
            client_id,
            client_secret,
            style: config.token_style,
            path: config.token_path.clone(),
            default_seconds: config.default_token_seconds,
            scopes: Scopes::default(),
        })
    }

    /// The same, trying and waiting by another policy.
    pub(crate) fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.session = self.session.with_policy(policy);
        self
    }

    /// What the tokens say about their scopes.
    pub(crate) fn scopes(&self) -> Scopes {
        self.scopes.clone()
    }

    /// The request. Only the style without a Basic header has secrets in it, and then in its body.
    fn request(&self) -> Request {
        const GRANT: (&str, &str) = ("grant_type", "client_credentials");
        let get = || Request::get(TOKEN, self.path.clone());
        // Asking twice gives two tokens, which does no harm.
        let post = || Request::post(TOKEN, self.path.clone()).with_repeatable(true);
        match self.style {
            TokenStyle::GetBasic => get().with_query(GRANT.0, GRANT.1),
            TokenStyle::PostQueryBasic => post().with_query(GRANT.0, GRANT.1),
            TokenStyle::PostFormBasic => post().with_form(&[GRANT]),
            TokenStyle::PostFormBody => post().with_form(&[
                GRANT,
                ("client_id", self.client_id.expose_secret()),
                ("client_secret", self.client_secret.expose_secret()),
            ]),
        }
    }

    fn read(&self, body: &[u8]) -> Result<AccessToken> {
        let answer: Token<'_> = decode(body)?;
        let token = answer.value.written().ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the answer to the token request has no `access_token`")
                .with_hint("check the base URL and the path of the token request")
                .with_delivery(Delivery::Answered)
        })?;
        self.scopes.note(answer.scope.written());
        let seconds = answer.expires_in.count().and_then(|seconds| i64::try_from(seconds).ok());
        let life = seconds.and_then(TimeDelta::try_seconds);
        let life = life.unwrap_or_else(|| TimeDelta::seconds(self.default_seconds.into()));
        // By the clock of this side: the vendor's own stamp would add the difference between two clocks.
        let now = self.session.clock().now();
        let token = AccessToken::new(token.into());
        Ok(match now.checked_add_signed(life) {
            Some(end) => token.expiring_at(end),
            None => token,
        })
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn fetch(&self) -> Result<AccessToken> {
        self.session.execute_with(&self.request(), |answer| self.read(answer.body())).await
    }
}

fn trimmed(secret: &SecretString, message: &'static str) -> Result<SecretString> {
    match secret.expose_secret().trim() {
        "" => Err(Error::config(message, "copy it from TriNet's Integration Center, where it is shown once")),
        text => Ok(text.into()),
    }
}
