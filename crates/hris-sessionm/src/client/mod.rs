//! The client: two sessions, one for each API family, and the way every request is made.

mod customers;
pub(crate) mod errors;
pub(crate) mod merge;
mod notes;
mod offers;
pub(crate) mod points;
pub(crate) mod rewards;
mod timeline;

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use hris_http::{Answer, Budget, BudgetScope, Rate, Request, RetryPolicy, Session, Transport};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::settings::{Call, ConnectUserKey, LookupBy, Operation, Values};
use crate::wire::points::Payload;
use crate::{Credentials, CustomerRef, ExternalId, Settings};
use errors::{Family, SessionMErrors};

pub(crate) use errors::{Certainty, certainty};

pub use offers::IssuedCopy;

/// A client of one SessionM tenant. Cheap to clone.
///
/// Its tasks are those of [`LoyaltyDesk`](crate::LoyaltyDesk), which a test can replace without HTTP. See the crate's
/// documentation for an example.
#[derive(Clone)]
pub struct SessionM(Arc<Inner>);

struct Inner {
    settings: Settings,
    api_key: SecretString,
    core: Session,
    connect: Option<Session>,
    clock: SharedClock,
}

impl SessionM {
    /// Checks settings and credentials. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with what to change.
    pub fn new(settings: Settings, credentials: &Credentials, transport: &Transport) -> Result<Self> {
        settings.validate()?;
        let policy = RetryPolicy::default()
            .with_attempts(settings.limits.max_attempts)
            .with_attempt_timeout(settings.timeout());
        let session =
            |family: Family, base: &hris_http::BaseUrl, proof: &crate::credentials::Proof, name: &str| {
                let auth = proof.auth(name)?;
                let budget = budget(base.authority(), proof.identity(), &settings);
                let session = Session::new(transport, base.clone()).with_auth(auth).with_budget(budget);
                Ok::<_, Error>(session.with_policy(policy.clone()).with_classify(SessionMErrors(family)))
            };
        let core = session(Family::Core, &settings.core.base_url, &credentials.core, "Core")?;
        let connect = match (&settings.connect, &credentials.connect) {
            (Some(connect), Some(proof)) => {
                Some(session(Family::Connect, &connect.base_url, proof, "Connect")?)
            }
            (Some(_), None) => {
                let hint = "hand over the Connect key and secret, or leave the section `connect` out";
                return Err(Error::config("there is no Connect key", hint));
            }
            (None, _) => None,
        };
        let clock = Arc::clone(transport.clock());
        let api_key = credentials.core_key.clone();
        Ok(Self(Arc::new(Inner { settings, api_key, core, connect, clock })))
    }

    /// The same, trying and waiting by another policy.
    #[must_use]
    pub fn with_policy(&self, policy: RetryPolicy) -> Self {
        let inner = &self.0;
        let connect = inner.connect.clone().map(|session| session.with_policy(policy.clone()));
        Self(Arc::new(Inner {
            settings: inner.settings.clone(),
            api_key: inner.api_key.clone(),
            core: inner.core.clone().with_policy(policy),
            connect,
            clock: Arc::clone(&inner.clock),
        }))
    }

    /// The settings that it was built with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The key that customers are looked up by.
    pub fn lookup_by(&self) -> LookupBy {
        self.0.settings.lookup_by
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Waits before an unclear outcome is read again.
    pub(crate) async fn settle(&self) {
        let wait = Duration::from_millis(self.settings().limits.settle_wait_ms.into());
        self.0.clock.sleep(wait).await;
    }

    /// A Core request of an operation.
    pub(crate) fn core(&self, operation: Operation, values: &Values<'_>) -> Result<Request> {
        let request = self.core_prefix(Request::new(operation.method(), operation.traced(), ""))?;
        crate::settings::append(request, self.settings().paths.path(operation), values)
    }

    /// A Core request of a configured call.
    pub(crate) fn core_call(
        &self,
        traced: &'static str,
        call: &Call,
        values: &Values<'_>,
    ) -> Result<Request> {
        let request = self.core_prefix(Request::new(call.http_method(), traced, ""))?;
        call.request(traced, request, values)
    }

    /// The key goes into a segment of its own, which nothing shows.
    fn core_prefix(&self, request: Request) -> Result<Request> {
        let values = Values::default().with(crate::settings::API_KEY, self.0.api_key.expose_secret());
        crate::settings::append(request, &self.settings().core.prefix, &values)
    }

    pub(crate) fn core_session(&self) -> &Session {
        &self.0.core
    }

    /// Sends a Connect request and decodes the payload of its answer; `repeatable` where it only reads.
    pub(crate) async fn connect<T: DeserializeOwned + Send>(
        &self,
        operation: Operation,
        body: &(impl Serialize + Sync),
        repeatable: bool,
    ) -> Result<Option<T>> {
        let path = self.settings().paths.path(operation);
        self.connect_at(operation.traced(), path, body, repeatable).await
    }

    /// The same at another path.
    pub(crate) async fn connect_at<T: DeserializeOwned + Send>(
        &self,
        traced: &'static str,
        path: &str,
        body: &(impl Serialize + Sync),
        repeatable: bool,
    ) -> Result<Option<T>> {
        let answer =
            self.connect_raw(traced, path, body, repeatable, |answer| answer.json::<Payload<T>>()).await?;
        Ok(answer.payload)
    }

    pub(crate) async fn connect_raw<T: Send>(
        &self,
        traced: &'static str,
        path: &str,
        body: &(impl Serialize + Sync),
        repeatable: bool,
        read: impl Fn(Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let session = self.connect_session()?;
        let request = Request::post(traced, "");
        let request = crate::settings::append(request, path, &Values::default())?;
        let request = request.with_json(body)?.with_repeatable(repeatable);
        session.execute_with(&request, read).await
    }

    pub(crate) fn connect_session(&self) -> Result<&Session> {
        self.0.connect.as_ref().ok_or_else(|| {
            not_configured(
                "points, offers and rewards",
                "connect",
                "SessionM's delivery team for the Connect host, \
                            key, secret and retailer id",
            )
        })
    }

    /// The retailer, which every Connect request names.
    pub(crate) fn retailer(&self) -> &str {
        self.settings().connect.as_ref().map_or("", |connect| &connect.retailer_id)
    }

    pub(crate) fn culture(&self) -> &str {
        &self.settings().culture
    }

    /// What Connect knows the customer by.
    pub(crate) fn connect_user<'a>(&self, customer: &'a CustomerRef) -> Result<&'a str> {
        match self.settings().connect_user_key {
            ConnectUserKey::CustomerId => Ok(customer.id().as_str()),
            ConnectUserKey::ExternalId => customer.external_id().map(ExternalId::as_str).ok_or_else(|| {
                Error::new(ErrorKind::Invalid, "the customer has no external id, by which Connect goes here")
                    .with_hint("read the customer first, or set `connect_user_key` to \"customer_id\"")
            }),
        }
    }
}

impl fmt::Debug for SessionM {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SessionM");
        out.field("core", &self.0.settings.core.base_url);
        out.field("connect", &self.0.settings.connect.as_ref().map(|connect| &connect.base_url));
        out.finish_non_exhaustive()
    }
}

/// The error of a task whose call SessionM's public pages do not tell.
pub(crate) fn not_configured(task: &'static str, section: &'static str, ask: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{task}: not configured"))
        .with_hint(format!("ask {ask}, and give it in the section `{section}` of the settings"))
        .with_context("section", section)
}

/// The error of an ok answer without what was asked for.
pub(crate) fn incomplete(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "the answer says ok and does not have what was asked for")
        .with_delivery(Delivery::Answered)
        .with_context("missing", what)
}

/// How Connect's date-times are sent.
pub(crate) fn wire_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// SessionM's limits are not public; those here hold for each host and key. The key's name is a digest.
fn budget(host: &str, key: &str, settings: &Settings) -> Budget {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let scope = BudgetScope::new(format!("sessionm/{host}/{:016x}", hasher.finish()));
    let budget = Budget::of(scope).with_in_flight(settings.limits.max_in_flight);
    match settings.limits.requests_per_second {
        Some(requests) => budget.with_rate(Rate::new(requests, Duration::from_secs(1))),
        None => budget,
    }
}
