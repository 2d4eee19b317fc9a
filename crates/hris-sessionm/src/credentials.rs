//! The two key pairs: one for each API family, and neither opens the other.

use std::fmt;

use hris_core::{Error, Result};
use hris_http::Auth;
use secrecy::{ExposeSecret as _, SecretString};

/// How one API family is told who asks.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    Basic { key: SecretString, secret: SecretString },
    Bearer(SecretString),
}

/// SessionM's keys. `Debug` shows none of them.
///
/// ```
/// use hris_sessionm::Credentials;
/// let credentials = Credentials::core("the Core key".into(), "the Core secret".into())
///     .with_connect("the Connect key".into(), "the Connect secret".into());
/// assert!(!format!("{credentials:?}").contains("the Core"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    pub(crate) core_key: SecretString,
    pub(crate) core: Proof,
    pub(crate) connect: Option<Proof>,
}

impl Credentials {
    /// The Core pair, made in the console's *Digital Properties* as a server-only property. The key is part of every
    /// Core URL.
    pub fn core(key: SecretString, secret: SecretString) -> Self {
        Self { core_key: key.clone(), core: Proof::Basic { key, secret }, connect: None }
    }

    /// Adds the Connect pair, which SessionM's delivery team hands over.
    #[must_use]
    pub fn with_connect(mut self, key: SecretString, secret: SecretString) -> Self {
        self.connect = Some(Proof::Basic { key, secret });
        self
    }

    /// Proves by a bearer token to the Core family, in place of the pair; the key in the URL stays.
    #[must_use]
    pub fn with_core_token(mut self, token: SecretString) -> Self {
        self.core = Proof::Bearer(token);
        self
    }

    /// Proves by a bearer token to the Connect family.
    #[must_use]
    pub fn with_connect_token(mut self, token: SecretString) -> Self {
        self.connect = Some(Proof::Bearer(token));
        self
    }
}

impl Proof {
    pub(crate) fn auth(&self, family: &str) -> Result<Auth> {
        match self {
            Self::Bearer(token) => Auth::bearer(token),
            Self::Basic { key, secret } => {
                for text in [key, secret] {
                    let text = text.expose_secret();
                    if text.is_empty() || text.trim() != text {
                        let message =
                            format!("the {family} key or secret is empty or has white space around it");
                        return Err(Error::config(message, "copy it again, without spaces or line breaks"));
                    }
                }
                Auth::basic(key.expose_secret(), secret)
            }
        }
    }

    /// What a budget is shared by, never shown.
    pub(crate) fn identity(&self) -> &str {
        match self {
            Self::Basic { key, .. } => key.expose_secret(),
            Self::Bearer(token) => token.expose_secret(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("has_connect", &self.connect.is_some()).finish_non_exhaustive()
    }
}
