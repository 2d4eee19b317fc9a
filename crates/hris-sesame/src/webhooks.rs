//! Webhooks: what Sesame's events ask for. Neither their payload nor a signature is documented: the address is secret,
//! where the payload says what is configuration, and an event only ever causes a reading.

use std::collections::BTreeMap;
use std::fmt;

use hris_core::{EmployeeRef, Error, RecordId, Result, Scope};
use hris_http::{InboundRefusal, InboundSecrets};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Takes deliveries at an address that nobody can guess.
///
/// An administrator sets address and events in Sesame's panel. Set an address whose path ends in a secret of this
/// connection alone: `https://hooks.example/sesame/SECRET`. Without a [`WebhookFormat`] every delivery asks for a reading
/// of everyone.
///
/// ```
/// use hris_core::Scope;
/// use hris_sesame::{WebhookEvent, Webhooks};
///
/// let webhooks = Webhooks::new(["9f86d081884c7d659a2feaa0c55ad015".into()])?;
/// // In the handler: the last part of the path, and the raw bytes as they came.
/// let webhook = webhooks.receive("9f86d081884c7d659a2feaa0c55ad015", b"{}").unwrap();
/// assert_eq!(webhook.event, WebhookEvent::Unknown);
/// assert_eq!(webhook.scope(), Some(Scope::Everyone));
/// assert_eq!(webhooks.receive("guessed", b"{}").unwrap_err().status(), 404);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Webhooks {
    secrets: InboundSecrets,
    format: WebhookFormat,
}

impl Webhooks {
    /// Takes what comes to an address with one of the secrets; several while one is replaced.
    ///
    /// # Errors
    /// As [`InboundSecrets::new`].
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self> {
        Ok(Self { secrets: InboundSecrets::new(secrets)?, format: WebhookFormat::default() })
    }

    /// Tells where payloads say what happened.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) if a place is no JSON pointer.
    pub fn with_format(self, format: WebhookFormat) -> Result<Self> {
        let places = [&format.event_at, &format.employee_at].into_iter().flatten();
        if places.into_iter().any(|place| !place.starts_with('/')) {
            let message = "a place in a webhook is no JSON pointer";
            return Err(Error::config(message, "write it like `/data/employee/id`, beginning with a slash"));
        }
        Ok(Self { format, ..self })
    }

    /// Takes one delivery: the secret part of the address that it came to, and the raw body.
    ///
    /// A body that is not understood is taken as [`WebhookEvent::Unknown`]: nobody knows what Sesame makes of a refusal.
    ///
    /// # Errors
    /// See [`InboundRefusal`]; nothing was done then.
    pub fn receive(&self, secret: &str, body: &[u8]) -> Result<Webhook, InboundRefusal> {
        self.secrets.check(secret, body)?;
        Ok(self.format.read(body))
    }
}

/// Where payloads say what happened, and in which words. Empty unless told otherwise, since Sesame documents neither: look
/// at what your account sends.
///
/// ```
/// use hris_sesame::{WebhookEvent, WebhookFormat};
/// let format = WebhookFormat::new()
///     .with_event_at("/event")
///     .with_employee_at("/data/employee/id")
///     .with_name("clock.in", WebhookEvent::Clocked);
/// let stored = serde_json::to_string(&format)?;
/// assert_eq!(serde_json::from_str::<WebhookFormat>(&stored)?, format);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookFormat {
    /// Where the event's name stands, as a JSON pointer (RFC 6901). Without it every event is unknown.
    pub event_at: Option<String>,
    /// Where the employee's `id` stands, as a JSON pointer. Without it events are about nobody in particular.
    pub employee_at: Option<String>,
    /// What names of events mean, without regard to case.
    pub names: BTreeMap<String, WebhookEvent>,
}

impl WebhookFormat {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The event's name stands there.
    #[must_use]
    pub fn with_event_at(mut self, pointer: impl Into<String>) -> Self {
        self.event_at = Some(pointer.into());
        self
    }

    /// The employee's `id` stands there.
    #[must_use]
    pub fn with_employee_at(mut self, pointer: impl Into<String>) -> Self {
        self.employee_at = Some(pointer.into());
        self
    }

    /// This name means that event.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>, event: WebhookEvent) -> Self {
        self.names.insert(name.into(), event);
        self
    }

    fn read(&self, body: &[u8]) -> Webhook {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |place: &Option<String>| {
            let text = body.pointer(place.as_deref()?)?.as_str()?.trim();
            Some(text).filter(|text| !text.is_empty())
        };
        let event = text(&self.event_at).and_then(|name| {
            let known = self.names.iter().find(|(known, _)| known.trim().eq_ignore_ascii_case(name));
            known.map(|(_, event)| *event)
        });
        let record = text(&self.employee_at).map(RecordId::from);
        Webhook { event: event.unwrap_or(WebhookEvent::Unknown), record }
    }
}

/// A delivery that came to the secret address.
///
/// Nothing is known of repeats, order or losses: take it as a reason to read now what would be read later anyway.
#[non_exhaustive]
pub struct Webhook {
    /// What is said to have happened. Only a reading makes it true.
    pub event: WebhookEvent,
    /// Whom it is about, where it was told and [`WebhookFormat::employee_at`] says where.
    pub record: Option<RecordId>,
}

impl Webhook {
    /// Whom to read because of it; `None` where nothing that is read has changed.
    pub fn scope(&self) -> Option<Scope> {
        match self.event {
            WebhookEvent::TimeOffRequested | WebhookEvent::TimeOffApproved | WebhookEvent::Clocked => None,
            _ => Some(match &self.record {
                Some(record) => Scope::People(vec![EmployeeRef::record(record.clone())]),
                None => Scope::Everyone,
            }),
        }
    }
}

/// Shows no id of a person.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Webhook");
        out.field("event", &self.event).field("has_record", &self.record.is_some()).finish()
    }
}

/// The events that the vendor's help centre lists. There is none for other changes of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookEvent {
    /// Employee hire: a profile was made.
    Hired,
    /// Employee leaver: a profile was deactivated or removed.
    Left,
    /// Department change: another department or office.
    DepartmentChanged,
    /// Contractual change: contract, salary or other compensation.
    ContractChanged,
    /// An onboarding process began.
    OnboardingStarted,
    /// An onboarding process was finished.
    OnboardingCompleted,
    /// Somebody asked for time off: nothing that is read.
    TimeOffRequested,
    /// Somebody got time off: nothing that is read.
    TimeOffApproved,
    /// Somebody clocked in or out: nothing that is read.
    Clocked,
    /// An event without a configured name, or a body that cannot be read.
    Unknown,
}
