//! The shared handle that every session sends through: connections, proxy, certificates, clock and budgets.

use std::fmt;
use std::sync::Arc;

use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::auth::Token;
use crate::budget::{LocalBudgets, RateBudget};
use crate::{Auth, BaseUrl, Request, SystemClock};

/// One connection pool with everything that connections share; one per application, cloned into every connector.
///
/// It follows no redirect, keeps no cookie, retries nothing by itself and reads no environment variable.
///
/// ```
/// use hris_http::Transport;
/// let transport = Transport::builder().with_user_agent("rewards-app/1.4").build()?;
/// let for_a_connector = transport.clone();
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    client: reqwest::Client,
    clock: SharedClock,
    budgets: Arc<dyn RateBudget>,
}

/// Builds a [`Transport`].
#[must_use]
pub struct TransportBuilder {
    clock: SharedClock,
    user_agent: String,
    proxy: Option<String>,
    proxy_credentials: Option<(String, SecretString)>,
    root_certificates: Vec<u8>,
    budgets: Option<Arc<dyn RateBudget>>,
}

impl Transport {
    /// A builder: the system clock, this crate's name as user agent, no proxy, the system's certificate authorities,
    /// budgets of this process.
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            clock: Arc::new(SystemClock::new()),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxy: None,
            proxy_credentials: None,
            root_certificates: Vec::new(),
            budgets: None,
        }
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    pub(crate) fn budgets(&self) -> &dyn RateBudget {
        &*self.0.budgets
    }

    /// Everything of a request that does not change between attempts.
    pub(crate) fn prepare(base: &BaseUrl, auth: &Auth, request: &Request) -> Result<Prepared> {
        let mut url = base.join(request.segments())?;
        url.set_query(request.query());
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = request.body() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
        }
        for (name, value) in request.headers() {
            let (name, value) = own_header(name, value)?;
            headers.insert(name, value);
        }
        if request.is_authenticated() {
            headers.extend(auth.headers().iter().cloned());
        }
        Ok(Prepared { url, headers })
    }

    /// Sends once and waits for the headers of the answer.
    pub(crate) async fn send(
        &self,
        request: &Request,
        prepared: &Prepared,
        token: Option<&Token>,
    ) -> Result<reqwest::Response> {
        let method = match request.method() {
            crate::Method::Get => reqwest::Method::GET,
            crate::Method::Post => reqwest::Method::POST,
            crate::Method::Put => reqwest::Method::PUT,
            crate::Method::Patch => reqwest::Method::PATCH,
            crate::Method::Delete => reqwest::Method::DELETE,
        };
        let mut outgoing = reqwest::Request::new(method, prepared.url.clone());
        outgoing.headers_mut().clone_from(&prepared.headers);
        if let Some(token) = token {
            outgoing.headers_mut().insert(AUTHORIZATION, HeaderValue::clone(token));
        }
        *outgoing.body_mut() = request.body().map(|body| body.bytes.clone().into());
        self.0.client.execute(outgoing).await.map_err(unanswered)
    }
}

/// A request's URL and headers, without a token.
pub(crate) struct Prepared {
    url: Url,
    headers: HeaderMap,
}

fn own_header(name: &'static str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name);
    match (name, HeaderValue::from_str(value)) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(Error::new(
            ErrorKind::Invalid,
            "a header of the request has characters that no header can hold",
        )),
    }
}

/// The error of a request that got no answer.
fn unanswered(error: reqwest::Error) -> Error {
    let (delivery, message) = if error.is_connect() {
        (Delivery::NotSent, "no connection to the other side")
    } else {
        (Delivery::Unknown, "the connection broke before an answer came")
    };
    let failure =
        Error::new(ErrorKind::Unavailable, message).with_delivery(delivery).with_source(error.without_url());
    match delivery {
        Delivery::NotSent => failure.with_hint("check host, network, proxy and certificate authorities"),
        _ => failure,
    }
}

impl TransportBuilder {
    /// Goes by another clock; a manual one in tests.
    pub fn with_clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// Introduces itself by this name. Some vendors' networks turn unknown agents away.
    pub fn with_user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Sends everything through a proxy, `http://host:port` or `https://host:port`; requests to loopback hosts excepted.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Proves to the proxy who it is.
    pub fn with_proxy_credentials(mut self, user: impl Into<String>, password: SecretString) -> Self {
        self.proxy_credentials = Some((user.into(), password));
        self
    }

    /// Trusts these certificate authorities beside the system's: one or more PEM blocks.
    pub fn with_root_certificates(mut self, pem: &[u8]) -> Self {
        self.root_certificates.extend_from_slice(pem);
        self
    }

    /// Asks another registry for leave to send, for example one shared by several machines.
    pub fn with_budgets(mut self, budgets: Arc<dyn RateBudget>) -> Self {
        self.budgets = Some(budgets);
        self
    }

    /// Builds the transport. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if the user agent, the proxy or a certificate is unusable.
    pub fn build(self) -> Result<Transport> {
        let proxy = self.proxy()?;
        let certificates = self.certificates()?;
        // Without a proxy of ours this switches off the one that the environment may name.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(&self.user_agent)
            .tls_certs_merge(certificates);
        let client = match proxy {
            Some(proxy) => client.proxy(proxy),
            None => client,
        };
        let client = client.build().map_err(|error| {
            let hint =
                "check the user agent and the certificates, and that the system has certificate authorities";
            Error::config("the transport cannot be built", hint).with_source(error.without_url())
        })?;
        let budgets = self.budgets.unwrap_or_else(|| Arc::new(LocalBudgets::new(Arc::clone(&self.clock))));
        Ok(Transport(Arc::new(Shared { client, clock: self.clock, budgets })))
    }

    fn proxy(&self) -> Result<Option<reqwest::Proxy>> {
        let Some(text) = &self.proxy else { return Ok(None) };
        let refused = || {
            Error::config("the proxy's URL is unusable", "write it as http://host:port, without user info")
        };
        let url = Url::parse(text).map_err(|_| refused())?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(refused());
        }
        let proxy = reqwest::Proxy::all(url).map_err(|_| refused())?;
        let proxy = proxy.no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1"));
        Ok(Some(match &self.proxy_credentials {
            Some((user, password)) => proxy.basic_auth(user, password.expose_secret()),
            None => proxy,
        }))
    }

    fn certificates(&self) -> Result<Vec<reqwest::Certificate>> {
        let hint = "give PEM blocks that begin with -----BEGIN CERTIFICATE-----";
        let refused = || Error::config("the root certificates cannot be read", hint);
        let read = reqwest::Certificate::from_pem_bundle(&self.root_certificates).map_err(|_| refused())?;
        if read.is_empty() && !self.root_certificates.is_empty() { Err(refused()) } else { Ok(read) }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder").field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}
