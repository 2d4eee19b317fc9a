//! Secrets beside a configuration: references that a file may hold, what they stand for, and the port that keeps them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{ConnectionKey, Error, Result};

/// A reference to a secret, `env:NAME`: the secret is in the environment variable of that name.
///
/// A configuration that holds references can be stored and shown. Anything else in its place is refused without being
/// repeated, since it may be the secret itself.
///
/// ```
/// use hris_core::SecretRef;
/// let reference: SecretRef = "env:SESAME_TOKEN".parse()?;
/// assert_eq!(reference.name(), "SESAME_TOKEN");
/// assert!(!"5e5a3e00".parse::<SecretRef>().unwrap_err().to_string().contains("5e5a3e00"));
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretRef(Box<str>);

impl SecretRef {
    /// The name of the environment variable.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Reads the secret. `read` answers the content of an environment variable, or of whatever an application keeps
    /// under such names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is none, or a blank one.
    pub fn resolve(&self, read: impl FnOnce(&str) -> Option<SecretString>) -> Result<SecretString> {
        let secret = read(&self.0).filter(|secret| !secret.expose_secret().trim().is_empty());
        secret.ok_or_else(|| {
            let name = &self.0;
            Error::config(
                format!("the environment variable {name} is not set"),
                format!("put the secret into it, or let `env:{name}` name another one"),
            )
        })
    }
}

impl FromStr for SecretRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let name = text.strip_prefix("env:").filter(|name| is_variable_name(name));
        name.map(|name| Self(name.into())).ok_or_else(|| {
            let hint = "write `env:NAME` and put the secret into the environment variable NAME";
            Error::config("a credential is not a reference", hint)
        })
    }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl TryFrom<String> for SecretRef {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "env:{}", self.0)
    }
}

/// Secrets by the names that a vendor's credentials have, such as `token`. `Debug` shows the names only.
///
/// ```
/// use hris_core::Credentials;
/// let credentials = Credentials::new().with("token", "5e5a3e00".into());
/// assert!(credentials.get("token").is_ok() && credentials.get("api_key").is_err());
/// assert_eq!(format!("{credentials:?}"), r#"Credentials {"token"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, SecretString>);

impl Credentials {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the secrets that references stand for; see [`SecretRef::resolve`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for the first that is missing.
    pub fn resolve(
        references: &BTreeMap<String, SecretRef>,
        read: impl Fn(&str) -> Option<SecretString>,
    ) -> Result<Self> {
        let resolved = references.iter().map(|(name, reference)| {
            let secret = reference.resolve(&read).map_err(|error| error.with_context("credential", name))?;
            Ok((name.clone(), secret))
        });
        resolved.collect::<Result<_>>().map(Self)
    }

    /// Adds a secret.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, secret: SecretString) -> Self {
        self.0.insert(name.into(), secret);
        self
    }

    /// A secret.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is not there.
    pub fn get(&self, name: &str) -> Result<&SecretString> {
        self.0.get(name).ok_or_else(|| {
            let hint = format!("give it as `{name} = \"env:NAME\"` among the credentials");
            Error::config(format!("the credential `{name}` is missing"), hint)
        })
    }

    /// The names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and secrets, for whoever stores them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, SecretString)> for Credentials {
    fn from_iter<I: IntoIterator<Item = (String, SecretString)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}

/// Where the secrets of connections are kept: apart from their configuration, and never in a state store.
///
/// # Contract
///
/// * [`CredentialStore::put`] replaces whole and at once: whoever reads sees the old secrets or the new ones.
/// * After [`CredentialStore::purge`] answered [`Purged::Gone`], no copy is left where this store kept them.
/// * No secret shows in `Debug` or in an error.
#[async_trait]
pub trait CredentialStore: fmt::Debug + Send + Sync + 'static {
    /// The secrets of a connection; `None` where there are none.
    async fn get(&self, connection: &ConnectionKey) -> Result<Option<Credentials>>;

    /// Keeps secrets for a connection, in place of those it had. A store that others fill answers
    /// [`crate::ErrorKind::Unsupported`].
    async fn put(&self, connection: &ConnectionKey, credentials: &Credentials) -> Result<()>;

    /// Forgets the secrets of a connection. Where there are none, they are gone.
    async fn purge(&self, connection: &ConnectionKey) -> Result<Purged>;
}

/// What became of secrets that were to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purged {
    /// They are gone.
    Gone,
    /// This store cannot remove them: whoever put them there has to, as these sentences say.
    ByHand(Vec<String>),
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: CredentialStore + ?Sized> CredentialStore for Arc<T> {
    async fn get(&self, connection: &ConnectionKey) -> Result<Option<Credentials>> {
        (**self).get(connection).await
    }

    async fn put(&self, connection: &ConnectionKey, credentials: &Credentials) -> Result<()> {
        (**self).put(connection, credentials).await
    }

    async fn purge(&self, connection: &ConnectionKey) -> Result<Purged> {
        (**self).purge(connection).await
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn CredentialStore>) = drop;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials ")?;
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn only_references_to_variables_are_taken_and_nothing_else_is_repeated() {
        for text in ["env:A", "env:_x9", "env:SESAME_TOKEN"] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        for text in
            ["s3cret", "env:", "env:9A", "env:s3cret/x", "ENV:S3CRET", "env: s3cret", "vault:s3cret", ""]
        {
            let error = text.parse::<SecretRef>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error:?}").to_lowercase().contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_missing_or_blank_is_named() {
        let references = BTreeMap::from([("token".to_owned(), "env:TOKEN".parse().unwrap())]);
        for content in [None, Some(""), Some("  ")] {
            let read = |_: &str| content.map(SecretString::from);
            let error = Credentials::resolve(&references, read).unwrap_err().to_string();
            assert!(error.contains("TOKEN is not set") && error.contains("credential: token"), "{error}");
        }
        let found =
            Credentials::resolve(&references, |name| Some(format!("secret of {name}").into())).unwrap();
        assert_eq!(found.get("token").unwrap().expose_secret(), "secret of TOKEN");
    }
}
