//! Secrets that the application's environment has.

use std::fmt;

use async_trait::async_trait;
use hris_core::{ConnectionKey, CredentialStore, Credentials, Error, Purged, Result};
use secrecy::{ExposeSecret as _, SecretString};

/// Reads a variable of the environment, or of whatever an application keeps under such names.
type Read = dyn Fn(&str) -> Option<SecretString> + Send + Sync;

/// Reads secrets under names made of a prefix, the connection and the credential: `HRIS_BRISA_SESAME_TOKEN`.
///
/// Letters are upper case, and whatever is neither letter nor digit is `_`. It can neither replace nor remove what
/// it reads: whoever sets the environment does.
///
/// ```
/// use hris_connection::EnvironmentCredentials;
/// use hris_core::{ConnectionKey, CredentialStore as _};
/// let read = |name: &str| (name == "HRIS_BRISA_SESAME_TOKEN").then(|| "5e5a3e00".into());
/// let credentials = EnvironmentCredentials::new("HRIS", ["token"], read);
/// # hris_testkit::run(async {
/// let found = credentials.get(&ConnectionKey::new("brisa", "sesame")).await?.unwrap();
/// assert!(found.get("token").is_ok());
/// # Ok::<(), hris_core::Error>(()) }).unwrap();
/// ```
pub struct EnvironmentCredentials {
    prefix: String,
    names: Vec<String>,
    read: Box<Read>,
}

impl EnvironmentCredentials {
    /// Secrets of these names, as the vendors' credentials have them. `read` answers the content of a variable.
    pub fn new<N: Into<String>>(
        prefix: impl Into<String>,
        names: impl IntoIterator<Item = N>,
        read: impl Fn(&str) -> Option<SecretString> + Send + Sync + 'static,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { prefix: prefix.into(), names, read: Box::new(read) }
    }

    /// The variable that holds a secret of a connection.
    pub fn variable(&self, connection: &ConnectionKey, name: &str) -> String {
        let parts = [&*self.prefix, connection.tenant().as_str(), connection.connection(), name];
        let legal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        parts.join("_").chars().map(legal).collect()
    }

    fn found(&self, connection: &ConnectionKey) -> Vec<(String, String, SecretString)> {
        let secret = |name: &String| {
            let variable = self.variable(connection, name);
            let secret = (self.read)(&variable).filter(|secret| !secret.expose_secret().trim().is_empty())?;
            Some((name.clone(), variable, secret))
        };
        self.names.iter().filter_map(secret).collect()
    }
}

impl fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("EnvironmentCredentials");
        out.field("prefix", &self.prefix).field("names", &self.names).finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialStore for EnvironmentCredentials {
    async fn get(&self, connection: &ConnectionKey) -> Result<Option<Credentials>> {
        let found: Credentials =
            self.found(connection).into_iter().map(|(name, _, secret)| (name, secret)).collect();
        Ok((!found.is_empty()).then_some(found))
    }

    async fn put(&self, connection: &ConnectionKey, credentials: &Credentials) -> Result<()> {
        let found = self.found(connection);
        let is_there = |(name, secret): (&str, &SecretString)| {
            let same = |known: &(String, String, SecretString)| {
                known.0 == name && known.2.expose_secret() == secret.expose_secret()
            };
            found.iter().any(same)
        };
        if credentials.iter().all(is_there) {
            return Ok(());
        }
        let variables: Vec<_> = credentials.names().map(|name| self.variable(connection, name)).collect();
        Err(Error::unsupported("the environment cannot be written").with_hint(format!(
            "set {} where this program is started, and authorise then",
            variables.join(" and ")
        )))
    }

    async fn purge(&self, connection: &ConnectionKey) -> Result<Purged> {
        let found = self.found(connection);
        if found.is_empty() {
            return Ok(Purged::Gone);
        }
        let step = |(_, variable, _): (String, String, SecretString)| {
            format!("remove {variable} from the environment in which the program is started")
        };
        Ok(Purged::ByHand(found.into_iter().map(step).collect()))
    }
}
