//! Webhooks: the signature over the raw body, replays, and what an event asks for. Nothing of a record but its ids is
//! kept: a webhook only ever causes a reading.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hris_core::{AccountId, EmployeeRef, Error, Result, Scope, SharedClock};
use hris_http::lenient::{Cell, Slot};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::config::RecordIdSource;

/// The header that carries the signature of a webhook.
pub const SIGNATURE_HEADER: &str = "X-Merge-Webhook-Signature";

/// How large a body may be; the largest documented one is a single record.
const MAX_BYTES: usize = 1 << 20;
/// How many deliveries are remembered at most.
const MAX_REMEMBERED: usize = 10_000;
/// Merge repeats a delivery within seconds. Later the same body may mean something new: some events carry no time.
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// Merge documents the alphabet of URLs and says nothing of padding, which is cut off before.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Why a delivery is not acted on. [`WebhookRefusal::status`] is the answer to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRefusal {
    /// No signature came with it.
    #[error("the webhook has no signature; requests to this address that Merge did not send look like this")]
    MissingSignature,
    /// The signature was made with another key, or the body was changed on the way.
    #[error(
        "the webhook's signature does not fit; compare the signature keys with Merge's dashboard, under Webhooks"
    )]
    WrongSignature,
    /// The same delivery came a short while ago.
    #[error("the webhook came before and was taken then")]
    Replayed,
    /// The body is larger than any event.
    #[error("the webhook is larger than 1 MiB")]
    TooLarge,
}

impl WebhookRefusal {
    /// The HTTP status to answer: Merge repeats a delivery unless it is answered with 2xx or 4xx.
    pub fn status(self) -> u16 {
        match self {
            Self::MissingSignature | Self::WrongSignature => 401,
            Self::Replayed => 200,
            Self::TooLarge => 413,
        }
    }
}

/// Takes deliveries: checks where they come from, and that they did not come before.
///
/// Merge documents one signature key for the organisation, its guide one for each webhook: give all of them, and the old
/// ones while they are rotated.
///
/// ```
/// use std::sync::Arc;
/// use hris_http::SystemClock;
/// use hris_merge::{WebhookEvent, Webhooks, WebhookRefusal};
///
/// let webhooks = Webhooks::new([String::from("merge-webhook-test-key").into()], Arc::new(SystemClock::new()))?;
/// // In the handler: the raw bytes as they came, before any parser.
/// let signature = Some("hBc3GQdhZMEhv_y0qN2cra-l6U1J7UQIwU-mCxdZdKE=");
/// let webhook = webhooks.receive(signature, br#"{"n":2}"#)?;
/// assert!(matches!(webhook.event, WebhookEvent::Other));
/// assert_eq!(webhooks.receive(signature, br#"{"n":3}"#).unwrap_err(), WebhookRefusal::WrongSignature);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Webhooks {
    keys: Vec<SecretString>,
    clock: SharedClock,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    known: HashSet<[u8; 32]>,
    in_order: VecDeque<(DateTime<Utc>, [u8; 32])>,
}

impl Webhooks {
    /// Takes what is signed with one of the keys.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) without a key, or with an empty one.
    pub fn new(keys: impl IntoIterator<Item = SecretString>, clock: SharedClock) -> Result<Self> {
        let keys: Vec<_> = keys.into_iter().collect();
        if keys.is_empty() || keys.iter().any(|key| key.expose_secret().is_empty()) {
            let message = "webhooks need a signature key, and no empty one: anybody could sign with it";
            return Err(Error::config(message, "copy it from Merge's dashboard, under Webhooks"));
        }
        Ok(Self { keys, clock, seen: Mutex::default() })
    }

    /// Takes one delivery: the content of [`SIGNATURE_HEADER`] if there is one, and the raw body.
    ///
    /// A body that is signed and not understood is taken as [`WebhookEvent::Other`], since answering 4xx would make
    /// Merge give it up, and events are added without notice.
    ///
    /// # Errors
    /// See [`WebhookRefusal`]; nothing was done then.
    pub fn receive(&self, signature: Option<&str>, body: &[u8]) -> Result<Webhook, WebhookRefusal> {
        if body.len() > MAX_BYTES {
            return Err(WebhookRefusal::TooLarge);
        }
        let signature = signature.filter(|text| !text.trim().is_empty());
        let signature = signature.ok_or(WebhookRefusal::MissingSignature)?;
        if !self.is_signed(signature, body) {
            return Err(WebhookRefusal::WrongSignature);
        }
        if !self.is_new(Sha256::digest(body).into()) {
            return Err(WebhookRefusal::Replayed);
        }
        Ok(Webhook::read(body))
    }

    /// Compares in constant time.
    fn is_signed(&self, signature: &str, body: &[u8]) -> bool {
        let plain = signature.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
        let Ok(claimed) = BASE64.decode(plain) else { return false };
        self.keys.iter().any(|key| {
            let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes());
            mac.is_ok_and(|mac| mac.chain_update(body).verify_slice(&claimed).is_ok())
        })
    }

    fn is_new(&self, digest: [u8; 32]) -> bool {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |at: DateTime<Utc>| (now - at).to_std().is_ok_and(|age| age > REMEMBERED_FOR);
        while let Some(&(at, oldest)) = seen.in_order.front()
            && (is_old(at) || seen.in_order.len() >= MAX_REMEMBERED)
        {
            seen.in_order.pop_front();
            seen.known.remove(&oldest);
        }
        let is_new = seen.known.insert(digest);
        if is_new {
            seen.in_order.push_back((now, digest));
        }
        is_new
    }
}

/// A delivery that Merge sent.
///
/// Deliveries come twice, in any order, and sometimes not at all: take them as a reason to read now what would be read
/// later anyway.
#[derive(Debug)]
#[non_exhaustive]
pub struct Webhook {
    /// What happened.
    pub event: WebhookEvent,
    /// The linked account in which it happened. One address gets the events of all customers.
    pub account: Option<AccountId>,
    /// The id that was given when the link was asked for
    /// ([`LinkRequest::new`](crate::LinkRequest::new)).
    pub origin_id: Option<String>,
}

/// What happened in a linked account.
#[non_exhaustive]
pub enum WebhookEvent {
    /// The customer finished linking, or linking anew. The first synchronisation is still under way.
    Linked {
        /// Whether the account was linked before; the account token is then the old one.
        is_relink: bool,
        /// The account token, to be kept as a secret: nothing else hands it over after a magic link.
        account_token: Option<SecretString>,
    },
    /// A synchronisation of the account, or of its employees, finished: a reading will find it.
    Synced {
        /// Whether it was the first one; `None` where the event does not say.
        is_first: Option<bool>,
    },
    /// A person was added, changed or removed: a reading of that person will tell.
    Employee {
        /// What is said to have happened. Only a reading makes it true.
        change: RecordChange,
        /// The HR system's own id, where it was told.
        remote_id: Option<String>,
        /// Merge's id.
        merge_id: Option<String>,
    },
    /// Something about the account does not work, or works again: ask for its issues.
    Issue {
        /// Whether it is over.
        is_resolved: bool,
    },
    /// The account was deleted: its token opens nothing any more.
    Deleted,
    /// Nothing that concerns employees: another model, the dashboard's test, or an event of a later version.
    Other,
}

/// What is said to have happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordChange {
    /// It is new.
    Added,
    /// It changed.
    Changed,
    /// It is gone.
    Removed,
}

impl Webhook {
    /// Whom to read because of it, for a connector that takes this id for the record id; `None` where there is nothing to
    /// read, such as an issue or an account that is still being read for the first time.
    pub fn scope(&self, record_id: RecordIdSource) -> Option<Scope> {
        match &self.event {
            WebhookEvent::Synced { .. } => Some(Scope::Everyone),
            WebhookEvent::Employee { remote_id, merge_id, .. } => {
                let id = match record_id {
                    RecordIdSource::RemoteId => remote_id,
                    RecordIdSource::MergeId => merge_id,
                };
                let person = id.as_deref().map(EmployeeRef::record);
                Some(person.map_or(Scope::Everyone, |person| Scope::People(vec![person])))
            }
            _ => None,
        }
    }

    fn read(body: &[u8]) -> Self {
        let body: Body<'_> = serde_json::from_slice(body).unwrap_or_default();
        let account = body.linked_account.0.unwrap_or_default();
        let text = |cell: &Cell<'_>| cell.text().map(str::to_owned);
        let (data, hook) = (body.data.0.unwrap_or_default(), body.hook.0.unwrap_or_default());
        let name = hook.event.text().unwrap_or_default().to_ascii_lowercase();
        let event = match name.as_str() {
            "linkedaccount.linked" => WebhookEvent::Linked {
                is_relink: data.is_relink == Cell::Flag(true),
                // Documented in words only; these are the places where it can stand.
                account_token: [&data.account_token, &account.account_token, &body.account_token]
                    .into_iter()
                    .find_map(|cell| text(cell).map(SecretString::from)),
            },
            "linkedaccount.sync_completed" | "linkedaccount.synced" | "employee.synced" => {
                let Cell::Flag(is_first) = data.is_initial_sync else {
                    return Self::new(WebhookEvent::Synced { is_first: None }, &account);
                };
                WebhookEvent::Synced { is_first: Some(is_first) }
            }
            "linkedaccount.deleted" => WebhookEvent::Deleted,
            "employee.added" | "employee.created" => employee(RecordChange::Added, &data),
            "employee.changed" => employee(RecordChange::Changed, &data),
            "employee.removed" => employee(RecordChange::Removed, &data),
            "issue.new" | "issue.created" | "issue.reopened" => WebhookEvent::Issue { is_resolved: false },
            "issue.resolved" => WebhookEvent::Issue { is_resolved: true },
            _ => WebhookEvent::Other,
        };
        Self::new(event, &account)
    }

    fn new(event: WebhookEvent, account: &LinkedAccount<'_>) -> Self {
        Self {
            event,
            account: account.id.text().map(AccountId::from),
            origin_id: account.end_user_origin_id.text().map(str::to_owned),
        }
    }
}

fn employee(change: RecordChange, data: &Data<'_>) -> WebhookEvent {
    let text = |cell: &Cell<'_>| cell.text().map(str::to_owned);
    WebhookEvent::Employee { change, remote_id: text(&data.remote_id), merge_id: text(&data.id) }
}

/// Shows no token and no id of a person.
impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked { is_relink, account_token } => {
                let mut out = f.debug_struct("Linked");
                out.field("is_relink", is_relink).field("has_account_token", &account_token.is_some());
                out.finish()
            }
            Self::Synced { is_first } => f.debug_struct("Synced").field("is_first", is_first).finish(),
            Self::Employee { change, .. } => {
                f.debug_struct("Employee").field("change", change).finish_non_exhaustive()
            }
            Self::Issue { is_resolved } => f.debug_struct("Issue").field("is_resolved", is_resolved).finish(),
            Self::Deleted => f.write_str("Deleted"),
            Self::Other => f.write_str("Other"),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Body<'a> {
    hook: Slot<Hook<'a>>,
    linked_account: Slot<LinkedAccount<'a>>,
    data: Slot<Data<'a>>,
    account_token: Cell<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Hook<'a> {
    event: Cell<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct LinkedAccount<'a> {
    id: Cell<'a>,
    end_user_origin_id: Cell<'a>,
    account_token: Cell<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Data<'a> {
    account_token: Cell<'a>,
    is_relink: Cell<'a>,
    is_initial_sync: Cell<'a>,
    id: Cell<'a>,
    remote_id: Cell<'a>,
}
