//! Secrets beside a configuration: references that a file may hold, and what they stand for.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use hris_core::{Error, Result};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// A reference to a secret, `env:NAME`: the secret is in the environment variable of that name.
///
/// A configuration that holds references can be stored and shown. Anything else in its place is refused without being
/// repeated, since it may be the secret itself.
///
/// ```
/// use hris::SecretRef;
/// let reference: SecretRef = "env:SESAME_TOKEN".parse()?;
/// assert_eq!(reference.name(), "SESAME_TOKEN");
/// assert!(!"5e5a3e00".parse::<SecretRef>().unwrap_err().to_string().contains("5e5a3e00"));
/// # Ok::<(), hris::core::Error>(())
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
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if there is none, or a blank one.
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
/// use hris::Credentials;
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
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) for the first that is missing.
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
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if it is not there.
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
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials ")?;
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

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
