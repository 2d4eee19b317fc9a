//! The protocol: one method for each request, and what was learned about the server on the way.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use hris_http::{Answer, Method, Request, Session};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::classify::{BULK, CREATE, PATCH, PUT, scim_type, status};
use crate::path::{Document, entry};
use crate::wire::{self, BulkEntry, Listing, ProviderConfig};

const SCIM_JSON: &str = "application/scim+json";
const JSON: &str = "application/json";
/// Large enough for a page of 1,000 users with everything they have.
const PAGE_BYTES: usize = 64 << 20;

/// A user as the server told it.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) document: Document,
    pub(crate) id: String,
    /// The version, where there is one.
    pub(crate) etag: Option<String>,
}

/// What a write was answered with.
#[derive(Debug)]
pub(crate) enum Written {
    /// The user as it is now.
    User(User),
    /// Success, and the id of a new user at most.
    Done(Option<String>),
    /// A success that ought to show the user and shows something else, as proxies and log-in pages do.
    Unclear,
}

/// A write that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) enum Send {
    Post { body: Value },
    Put { id: String, body: Value, etag: Option<String> },
    Patch { id: String, body: Value, etag: Option<String> },
}

/// One programme's API.
#[derive(Debug)]
pub(crate) struct Client {
    session: Session,
    path: String,
    provider: OnceCell<ProviderConfig>,
    /// Whether bodies are plain JSON; switched on where the server takes nothing else.
    plain_json: AtomicBool,
    /// Whether searches go into bodies; switched on where the server wants it so.
    searches: AtomicBool,
    /// Whether the address is known to be a SCIM server's, so that a 404 means what it says.
    proven: AtomicBool,
}

impl Client {
    pub(crate) fn new(session: Session, path: String, plain_json: bool) -> Self {
        Self {
            session,
            path,
            provider: OnceCell::new(),
            plain_json: AtomicBool::new(plain_json),
            searches: AtomicBool::new(false),
            proven: AtomicBool::new(false),
        }
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        self.session.clock()
    }

    pub(crate) fn host(&self) -> &str {
        self.session.base_url().authority()
    }

    /// What the server says that it can do: read once, and nothing where it says nothing. An answer that may be
    /// another one later is not kept.
    pub(crate) async fn provider(&self) -> ProviderConfig {
        let request = self.read("scim.provider", "/ServiceProviderConfig");
        let fetched = self.provider.get_or_try_init(|| async {
            match self.session.execute(&request).await.and_then(|answer| answer.json::<Value>()) {
                Ok(answer) => Ok(wire::provider_config(&answer).unwrap_or_default()),
                Err(error)
                    if error.kind() == ErrorKind::Unavailable || error.kind() == ErrorKind::Timeout =>
                {
                    Err(error)
                }
                Err(_) => Ok(ProviderConfig::default()),
            }
        });
        fetched.await.cloned().unwrap_or_default()
    }

    /// One user; `None` if there is none with this id.
    pub(crate) async fn user(&self, id: &str) -> Result<Option<User>> {
        let request = self.read("scim.user", "/Users").with_segment(id);
        let user = self.session.execute_with(&request, |answer| {
            answer.json::<serde::de::IgnoredAny>()?;
            user_of(&answer).ok_or_else(|| no_scim("a user"))
        });
        match user.await {
            Ok(user) => {
                if user.id != id {
                    return Err(no_scim("the user that was asked for"));
                }
                self.proven.store(true, Ordering::Relaxed);
                Ok(Some(user))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.prove().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A page of users: by a filter, or of all.
    pub(crate) async fn page(&self, filter: Option<&str>, start: u64, count: u64) -> Result<Listing> {
        match self.page_once(filter, start, count).await {
            Err(error)
                if scim_type(&error) == Some("sensitive") && !self.searches.swap(true, Ordering::Relaxed) =>
            {
                self.page_once(filter, start, count).await
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::config(
                "there is no SCIM server at this address",
                "check the endpoint: `/Users` is added to it",
            )),
            result => result,
        }
    }

    async fn page_once(&self, filter: Option<&str>, start: u64, count: u64) -> Result<Listing> {
        let operation = if filter.is_some() { "scim.find" } else { "scim.list" };
        let request = if filter.is_some() && self.searches.load(Ordering::Relaxed) {
            let body = wire::search(filter, start, count);
            let request = self.request(Method::Post, operation, "/Users/.search").with_json(&body)?;
            request.with_repeatable(true)
        } else {
            let mut request = self.read(operation, "/Users");
            if let Some(filter) = filter {
                request = request.with_query("filter", filter);
            }
            // The first row need not be asked for, and some servers count from 0.
            if start > 1 {
                request = request.with_query("startIndex", start);
            }
            request.with_query("count", count)
        };
        let request = request.with_max_bytes(PAGE_BYTES);
        let listing = self
            .session
            .execute_with(&request, |answer| wire::listing(answer.json()?).ok_or_else(|| no_scim("a list")));
        let listing = listing.await?;
        self.proven.store(true, Ordering::Relaxed);
        Ok(listing)
    }

    /// A 404 for one user says nothing where there is no server at all.
    async fn prove(&self) -> Result<()> {
        if !self.proven.load(Ordering::Relaxed) {
            self.page(None, 1, 1).await?;
        }
        Ok(())
    }

    /// Sends a write, once.
    pub(crate) async fn send(&self, write: &Send) -> Result<Written> {
        let (method, operation, id, body, etag) = match write {
            Send::Post { body } => (Method::Post, CREATE, None, body, None),
            Send::Put { id, body, etag } => (Method::Put, PUT, Some(id), body, etag.as_ref()),
            Send::Patch { id, body, etag } => (Method::Patch, PATCH, Some(id), body, etag.as_ref()),
        };
        let mut request = self.request(method, operation, "/Users");
        if let Some(id) = id {
            request = request.with_segment(id.clone());
        }
        if let Some(etag) = etag {
            request = request.with_header("if-match", etag.clone());
        }
        let answer = self.write(request, body).await?;
        self.proven.store(true, Ordering::Relaxed);
        Ok(match user_of(&answer) {
            Some(user) if id.is_none_or(|id| *id == user.id) => Written::User(user),
            _ if id.is_some() && answer.status() == 200 => Written::Unclear,
            _ => Written::Done(answer.header("location").and_then(wire::last_segment)),
        })
    }

    /// Sends a bulk request, once. `None`: a success that tells nothing.
    pub(crate) async fn bulk(&self, body: &Value) -> Result<Option<Vec<BulkEntry>>> {
        let request = self.request(Method::Post, BULK, "/Bulk").with_max_bytes(PAGE_BYTES);
        let answer = self.write(request, body).await?;
        Ok(answer.json::<Value>().ok().as_ref().and_then(wire::bulk_entries))
    }

    /// Whether the token may write, tried on a user that does not exist. `None`: the answer does not tell.
    pub(crate) async fn may_write(&self) -> Result<Option<bool>> {
        let nobody = "00000000-0000-0000-0000-000000000000".to_owned();
        let body =
            wire::patch(vec![wire::operation("replace", "active".parse().ok().as_ref(), Some(false.into()))]);
        match self.send(&Send::Patch { id: nobody, body, etag: None }).await {
            Err(error) if error.kind() == ErrorKind::Forbidden => Ok(Some(false)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(true)),
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) => Ok(None),
            Err(error) => Err(error),
            Ok(_) => Ok(None),
        }
    }

    async fn write(&self, request: Request, body: &Value) -> Result<Answer> {
        let bytes = serde_json::to_vec(body)
            .map_err(|_| Error::new(ErrorKind::Invalid, "the request's body has no JSON form"))?;
        let bytes = Bytes::from(bytes);
        let kind = self.kind();
        match self.session.execute(&request.clone().with_body(kind, bytes.clone())).await {
            // Not looked at, so that sending it once more is not sending it twice.
            Err(error) if status(&error) == Some(415) && kind != JSON => {
                self.plain_json.store(true, Ordering::Relaxed);
                self.session.execute(&request.with_body(JSON, bytes)).await
            }
            result => result,
        }
    }

    fn kind(&self) -> &'static str {
        if self.plain_json.load(Ordering::Relaxed) { JSON } else { SCIM_JSON }
    }

    fn read(&self, operation: &'static str, path: &str) -> Request {
        self.request(Method::Get, operation, path)
    }

    fn request(&self, method: Method, operation: &'static str, path: &str) -> Request {
        Request::new(method, operation, format!("{}{path}", self.path))
            .with_header("accept", "application/scim+json, application/json")
    }
}

impl User {
    /// A user of a document that has an id.
    pub(crate) fn of(document: Document) -> Option<Self> {
        let id = crate::attributes::text_of(entry(&document, "id")?)?.into_owned();
        let version =
            entry(&document, "meta").and_then(Value::as_object).and_then(|meta| entry(meta, "version"));
        let etag = version.and_then(Value::as_str).map(str::to_owned);
        (!id.is_empty()).then_some(Self { document, id, etag })
    }
}

fn user_of(answer: &Answer) -> Option<User> {
    let Ok(Value::Object(document)) = answer.json() else { return None };
    let mut user = User::of(document)?;
    if let Some(etag) = answer.header("etag") {
        user.etag = Some(etag.to_owned());
    }
    Some(user)
}

fn no_scim(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "the answer is not what SCIM promises")
        .with_delivery(Delivery::Answered)
        .with_context("expected", what)
}
