//! Webhooks: what PeopleHR's events ask for. It signs nothing and its envelope is not documented: the address is secret,
//! nothing of an event but the Employee ID is kept, and it only ever causes a reading.

use std::fmt;

use hris_core::{EmployeeId, EmployeeRef, Result, Scope};
use hris_http::lenient::Cell;
use hris_http::{InboundRefusal, InboundSecrets};
use secrecy::SecretString;
use serde::Deserialize;

use crate::config::RecordIdSource;

/// Takes deliveries at an address that nobody can guess.
///
/// PeopleHR has one address for each company, under *Settings, API*. Set one there whose path ends in a secret of this
/// connection alone: `https://hooks.example/peoplehr/SECRET`.
///
/// ```
/// use hris_core::Scope;
/// use hris_peoplehr::{RecordChange, RecordIdSource, WebhookEvent, Webhooks};
///
/// let webhooks = Webhooks::new(["9f86d081884c7d659a2feaa0c55ad015".into()])?;
/// // In the handler: the last part of the path, and the raw bytes as they came.
/// let body = br#"{ "ActionId": 2, "Action": "Employee Detail Updated", "EmployeeId": "BF101" }"#;
/// let webhook = webhooks.receive("9f86d081884c7d659a2feaa0c55ad015", body).unwrap();
/// assert!(matches!(webhook.event, WebhookEvent::Employee { change: RecordChange::Changed, .. }));
/// assert!(matches!(webhook.scope(RecordIdSource::EmployeeId), Some(Scope::People(_))));
/// assert_eq!(webhooks.receive("guessed", body).unwrap_err().status(), 404);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Webhooks {
    secrets: InboundSecrets,
}

impl Webhooks {
    /// Takes what comes to an address with one of the secrets; several while one is replaced.
    ///
    /// # Errors
    /// As [`InboundSecrets::new`].
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self> {
        Ok(Self { secrets: InboundSecrets::new(secrets)? })
    }

    /// Takes one delivery: the secret part of the address that it came to, and the raw body, in JSON or as a form whatever
    /// its content type says.
    ///
    /// A body that is not understood is taken as [`WebhookEvent::Unknown`]: nobody knows what PeopleHR makes of a refusal.
    ///
    /// # Errors
    /// See [`InboundRefusal`]; nothing was done then.
    pub fn receive(&self, secret: &str, body: &[u8]) -> Result<Webhook, InboundRefusal> {
        self.secrets.check(secret, body)?;
        Ok(Webhook::read(body))
    }
}

/// A delivery that came to the secret address.
///
/// Deliveries may come late, twice, in any order, or not at all: take them as a reason to read now what would be read
/// later anyway.
#[derive(Debug)]
#[non_exhaustive]
pub struct Webhook {
    /// What is said to have happened. Only a reading makes it true.
    pub event: WebhookEvent,
}

/// What is said to have happened in a company.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// A person was added, changed, marked as a leaver or deleted (actions 1, 2, 3 and 18). PeopleHR has no event for
    /// somebody who returns, or for a changed Employee ID; the latter may come as a change.
    Employee {
        /// What is said to have happened.
        change: RecordChange,
        /// Whom it is about, where it was told.
        employee_id: Option<EmployeeId>,
    },
    /// A holiday, sickness or another absence, lateness, or a log book (4 to 17 and 21 to 54): nothing that is read.
    Elsewhere,
    /// An action that the vendor's page does not have, or a body that cannot be read.
    Unknown,
}

/// What is said to have happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordChange {
    /// It is new.
    Added,
    /// It changed.
    Changed,
    /// The person leaves, now or later.
    Left,
    /// It is gone.
    Removed,
}

impl Webhook {
    /// Whom to read because of it; `None` where nothing that is read has changed.
    ///
    /// PeopleHR tells the Employee ID alone. Where that is the record id it is one person, else everyone:
    /// [`PeopleHrConnector::reference`](crate::PeopleHrConnector::reference) finds out who it is, by a request.
    pub fn scope(&self, record_id: RecordIdSource) -> Option<Scope> {
        match (&self.event, record_id) {
            (WebhookEvent::Elsewhere, _) => None,
            (WebhookEvent::Employee { employee_id: Some(id), .. }, RecordIdSource::EmployeeId) => {
                let mut who = EmployeeRef::record(id.as_str());
                who.employee_id = Some(id.clone());
                Some(Scope::People(vec![who]))
            }
            _ => Some(Scope::Everyone),
        }
    }

    fn read(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let event = match serde_json::from_slice::<Body<'_>>(body) {
            Ok(body) => body.event(),
            Err(_) => Body::of_form(body).event(),
        };
        Self { event }
    }
}

/// Shows no id of a person.
impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Employee { change, .. } => {
                f.debug_struct("Employee").field("change", change).finish_non_exhaustive()
            }
            Self::Elsewhere => f.write_str("Elsewhere"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

/// Of an event no value is decoded: the old and the new one of a field may be anything about a person.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct Body<'a> {
    action_id: Cell<'a>,
    action: Cell<'a>,
    employee_id: Cell<'a>,
}

impl<'a> Body<'a> {
    fn of_form(body: &'a [u8]) -> Self {
        let mut read = Self::default();
        for (key, value) in url::form_urlencoded::parse(body) {
            let cell = Cell::Text(value);
            match &*key {
                "ActionId" => read.action_id = cell,
                "Action" => read.action = cell,
                "EmployeeId" => read.employee_id = cell,
                _ => {}
            }
        }
        read
    }

    /// By its number; by its name where none came.
    fn event(&self) -> WebhookEvent {
        let change = match (self.action_id.is_empty(), self.action_id.count()) {
            (false, Some(1)) => RecordChange::Added,
            (false, Some(2)) => RecordChange::Changed,
            (false, Some(3)) => RecordChange::Left,
            (false, Some(18)) => RecordChange::Removed,
            (false, Some(4..=17 | 21..=25 | 31..=54)) => return WebhookEvent::Elsewhere,
            (false, _) => return WebhookEvent::Unknown,
            (true, _) => match self.action.text().map(str::to_ascii_lowercase).as_deref() {
                Some("new starter added") => RecordChange::Added,
                Some("employee detail updated") => RecordChange::Changed,
                Some("marked leaver") => RecordChange::Left,
                Some("employee deleted") => RecordChange::Removed,
                _ => return WebhookEvent::Unknown,
            },
        };
        WebhookEvent::Employee { change, employee_id: self.employee_id.written().map(EmployeeId::from) }
    }
}
