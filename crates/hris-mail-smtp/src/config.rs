//! Which mail server, how it is spoken to, and the sender made of that.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hris_core::{Error, Result, SharedClock};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret as _, SecretString};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Plain at first, then TLS by `STARTTLS`, without which nothing is sent; usually port 587. The default.
    #[default]
    StartTls,
    /// TLS from the first byte; usually port 465.
    Tls,
    /// No protection. Only to loopback.
    Plain,
}

/// A mail server and how to speak to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SmtpConfig {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The domain after the `@` of message ids, and the name that the sender greets with.
    pub domain: String,
    /// Protection.
    pub security: Security,
    /// How long connecting and the dialogue before the mail may take, and how long the answer to the mail may take;
    /// 60 s each unless set. RFC 5321, 4.5.3.2.6 allows the answer ten minutes.
    pub timeout: Duration,
    login: Option<(String, SecretString)>,
}

impl SmtpConfig {
    /// A server by `STARTTLS` and without a login.
    pub fn new(host: impl Into<String>, port: u16, domain: impl Into<String>) -> Self {
        const TIMEOUT: Duration = Duration::from_secs(60);
        let (host, domain) = (host.into(), domain.into());
        Self { host, port, domain, security: Security::StartTls, timeout: TIMEOUT, login: None }
    }

    /// Chooses the protection.
    #[must_use]
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Logs in.
    #[must_use]
    pub fn with_login(mut self, user: impl Into<String>, password: SecretString) -> Self {
        self.login = Some((user.into(), password));
        self
    }

    /// Sets both time-outs.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The sender. Nothing is sent yet.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] for an empty host, a domain that is none, or no protection beyond loopback.
    pub fn build(self, clock: SharedClock) -> Result<SmtpMailer> {
        let is_loopback = matches!(&*self.host, "127.0.0.1" | "::1" | "localhost");
        if self.security == Security::Plain && !is_loopback {
            return Err(Error::config(
                "mail without TLS would show everybody's name and gift on the way",
                "use STARTTLS or TLS; plain is for loopback",
            ));
        }
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        };
        if !is_name(&self.domain) || self.host.is_empty() {
            return Err(Error::config(
                "host and domain are names such as `mail.brisa.example`",
                "correct them",
            ));
        }
        let tls = match self.security {
            Security::Plain => None,
            Security::StartTls | Security::Tls => {
                let parameters = TlsParameters::new(self.host.clone());
                Some(parameters.map_err(|error| {
                    Error::config("TLS cannot be set up for this host", "check its name").with_source(error)
                })?)
            }
        };
        let hello = ClientId::Domain(self.domain.clone());
        Ok(SmtpMailer { inner: Arc::new(Inner { config: self, tls, hello, clock }) })
    }
}

/// Sends mails to one mail server. Cloning makes another handle.
///
/// `Debug` shows host and port.
#[derive(Clone)]
pub struct SmtpMailer {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: SmtpConfig,
    pub(crate) tls: Option<TlsParameters>,
    pub(crate) hello: ClientId,
    pub(crate) clock: SharedClock,
}

impl Inner {
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        let (user, password) = self.config.login.as_ref()?;
        Some(Credentials::new(user.clone(), password.expose_secret().to_owned()))
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SmtpConfig { host, port, .. } = &self.inner.config;
        f.debug_struct("SmtpMailer").field("host", host).field("port", port).finish_non_exhaustive()
    }
}
