//! The notifier port: what is told to the people behind a connection, and what became of telling them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::private::Hidden;
use crate::{ConnectionKey, Email, Result, RunReport};

/// Tells people what happened: by mail, into a chat, onto a portal's page.
///
/// # Contract
///
/// * One notice goes to each of its recipients; one who cannot be reached keeps nobody else from theirs.
/// * `Err` means that nobody was told. [`crate::Error::is_retryable`] says whether later may help, and a
///   [`crate::Delivery::Unknown`] that somebody may have been told all the same.
/// * Telling the same [`Notice::id`] again is recognisable to the recipient's side (mail: one Message-ID).
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync + 'static {
    /// Tells a notice to its recipients.
    async fn notify(&self, notice: &Notice) -> Result<Told>;
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notice {
    /// Equal for equal occasions, so that a repeat can be told from news.
    pub id: String,
    /// The connection it is about.
    pub connection: ConnectionKey,
    /// The connection's name for people, such as `Sesame HR (Talleres Brisa S.L.)`.
    pub title: String,
    /// Whom to tell: whoever set the connection up, or a new member to be welcomed.
    pub to: Vec<Recipient>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub content: NoticeContent,
}

impl Notice {
    /// A notice to nobody yet; see [`Notice::with_recipient`].
    pub fn new(
        id: impl Into<String>,
        connection: ConnectionKey,
        title: impl Into<String>,
        at: DateTime<Utc>,
        content: NoticeContent,
    ) -> Self {
        Self { id: id.into(), connection, title: title.into(), to: Vec::new(), at, content }
    }

    /// Adds somebody to tell.
    #[must_use]
    pub fn with_recipient(mut self, recipient: Recipient) -> Self {
        self.to.push(recipient);
        self
    }
}

/// Somebody to tell. `Debug` shows neither name nor address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recipient {
    /// How to address them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where they read mail.
    pub address: Email,
}

impl Recipient {
    /// Somebody with an address.
    pub fn new(address: Email) -> Self {
        Self { name: None, address }
    }

    /// Adds their name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").field("address", &Hidden).finish_non_exhaustive()
    }
}

/// What a notice is about. Kinds are added over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "about")]
#[non_exhaustive]
pub enum NoticeContent {
    /// A run ended: applied, empty, failed or stopped.
    RunEnded {
        /// Its report.
        report: Box<RunReport>,
    },
    /// A guard held the plan of a run; nothing of it was applied.
    PlanHeld {
        /// The run's report, with the plan and the reasons.
        report: Box<RunReport>,
        /// What a release has to name.
        digest: String,
        /// From when the plan is refused.
        expires_at: DateTime<Utc>,
    },
    /// A connection failed again and again and was slowed down, or given up.
    Quarantined {
        /// The stable code of the reason, such as `credential_refused`.
        reason: Cow<'static, str>,
        /// What is wrong, in words.
        what: String,
        /// What a person can do about it.
        remedy: String,
        /// How many runs failed in a row.
        failures: u32,
        /// When it is tried again; `None` once it was given up and paused.
        next_attempt: Option<DateTime<Utc>>,
    },
    /// A connection in quarantine works again.
    Recovered {
        /// Since when it had been in quarantine.
        since: DateTime<Utc>,
    },
    /// Runs were due and did not happen.
    RunsMissed {
        /// When the first of them was due.
        first: DateTime<Utc>,
        /// When the last of them was due.
        last: DateTime<Utc>,
        /// How many there were.
        count: u64,
        /// Why, as far as it is known.
        cause: Cow<'static, str>,
        /// When the next run is due, unless the last of them is caught up with now.
        next: Option<DateTime<Utc>>,
    },
    /// A new member is invited by us, since the platform does not invite.
    Welcome {
        /// The organisation in whose name.
        organisation: String,
        /// Where the member sets a password.
        link: Option<String>,
    },
}

impl NoticeContent {
    /// The kind's name, as templates are chosen by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunEnded { .. } => "run_ended",
            Self::PlanHeld { .. } => "plan_held",
            Self::Quarantined { .. } => "quarantined",
            Self::Recovered { .. } => "recovered",
            Self::RunsMissed { .. } => "runs_missed",
            Self::Welcome { .. } => "welcome",
        }
    }
}

/// Who was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// How many recipients were told.
    pub delivered: usize,
    /// Those who were not, by their number among the notice's recipients.
    pub refused: Vec<Refused>,
}

impl Told {
    /// So many were told, and these were not.
    pub fn new(delivered: usize, refused: Vec<Refused>) -> Self {
        Self { delivered, refused }
    }
}

/// A recipient who was not told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Which of the notice's recipients, from 0.
    pub recipient: usize,
    /// Whether trying again is of no use.
    pub for_good: bool,
    /// Whether they may have been told all the same.
    pub uncertain: bool,
    /// Why, without the address.
    pub message: String,
}

impl Refused {
    /// A recipient who was not told, with the reason.
    pub fn new(recipient: usize, for_good: bool, message: impl Into<String>) -> Self {
        Self { recipient, for_good, uncertain: false, message: message.into() }
    }

    /// Says that they may have been told all the same.
    #[must_use]
    pub fn uncertain(mut self) -> Self {
        self.uncertain = true;
        self
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNotifier;

#[async_trait]
impl Notifier for NoNotifier {
    async fn notify(&self, _notice: &Notice) -> Result<Told> {
        Ok(Told::default())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Notifier + ?Sized> Notifier for Arc<T> {
    async fn notify(&self, notice: &Notice) -> Result<Told> {
        (**self).notify(notice).await
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn Notifier>) = drop;
