//! A connection: what was chosen, what was authorised, which mapping is live, and how it fares. No secret is in it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use hris_core::connections::StoredConnection;
use hris_core::descriptor::Integration;
use hris_core::{
    AccountId, ConnectionKey, Error, ErrorKind, FieldMapping, MappingDocument, MappingVersion, PlanId,
    PlanSummary, Result,
};
use hris_sync::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::health::{Health, HealthPolicy};
use crate::outbox::Outbox;
use crate::setup::Setup;
use crate::stage::{Stage, Step};
use crate::timetable::Timetable;

/// The version of the saved form.
const VERSION: u32 = 1;

/// One connection between an HR account and a rewards platform.
///
/// Every change goes through a method that checks whether it may happen in the connection's [`Stage`]; the methods
/// are pure, and [`Connections`](crate::Connections) saves what they change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub(crate) key: ConnectionKey,
    pub(crate) vendor: String,
    pub(crate) vendor_name: String,
    pub(crate) asks_date_format: bool,
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
    pub(crate) stage: Stage,
    pub(crate) setup: Setup,
    #[serde(default)]
    pub(crate) account: Option<AuthorisedAccount>,
    #[serde(default)]
    pub(crate) draft: Option<MappingDocument>,
    pub(crate) policy: Policy,
    #[serde(default)]
    pub(crate) health_policy: HealthPolicy,
    #[serde(default)]
    pub(crate) review: Option<Review>,
    #[serde(default)]
    pub(crate) published: Vec<PublishedMapping>,
    #[serde(default)]
    pub(crate) timetable: Timetable,
    #[serde(default)]
    pub(crate) health: Health,
    #[serde(default)]
    pub(crate) outbox: Outbox,
    #[serde(default)]
    pub(crate) steps: Vec<TakenStep>,
}

/// The company that a connection was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthorisedAccount {
    /// The vendor's id of the company. Another one is refused.
    pub id: AccountId,
    /// The company's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Why its data could not be trusted yet when it was last checked.
    #[serde(default)]
    pub not_ready: Option<String>,
    /// Remarks for the person who authorised: more permission granted than needed, …
    #[serde(default)]
    pub remarks: Vec<String>,
    /// When it was last authorised.
    pub at: DateTime<Utc>,
}

/// The plan that a review showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Review {
    /// The plan.
    pub plan: PlanId,
    /// What publishing has to confirm.
    pub digest: String,
    /// The mapping it was made with.
    pub mapping: MappingVersion,
    /// What it would do, invitations included.
    pub summary: PlanSummary,
    /// Until when it can be confirmed.
    pub expires_at: DateTime<Utc>,
}

/// A mapping that was made live, frozen: runs use these rules and no others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PublishedMapping {
    /// Counts from 1.
    pub number: u32,
    /// The digest that every plan made with it carries.
    pub version: MappingVersion,
    /// Rules and scope filter.
    pub mapping: MappingDocument,
    /// When it was published.
    pub at: DateTime<Utc>,
    /// Who published it.
    pub actor: String,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TakenStep {
    /// Which.
    pub step: Step,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, or which rule.
    pub actor: String,
}

/// The saved form.
#[derive(Serialize, Deserialize)]
struct Saved<T> {
    v: u32,
    connection: T,
}

#[derive(Deserialize)]
struct SavedVersion {
    v: u32,
}

/// What a connection is about.
impl Connection {
    /// A draft for an account of a vendor.
    pub fn draft(key: ConnectionKey, vendor: &Integration) -> Self {
        Self {
            key,
            vendor: vendor.vendor.clone().into_owned(),
            vendor_name: vendor.display_name.clone().into_owned(),
            asks_date_format: vendor.asks_date_format,
            options: Map::new(),
            stage: Stage::Draft,
            setup: Setup::new(),
            account: None,
            draft: None,
            policy: Policy::default(),
            health_policy: HealthPolicy::default(),
            review: None,
            published: Vec::new(),
            timetable: Timetable::default(),
            health: Health::default(),
            outbox: Outbox::default(),
            steps: Vec::new(),
        }
    }

    /// The vendor's own options, such as a region. Never a secret.
    #[must_use]
    pub fn with_options(mut self, options: Map<String, Value>) -> Self {
        self.options = options;
        self
    }

    /// Guards and the like. Whether new members are invited is [`Setup::welcome`]'s to say.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// When it is slowed down and given up.
    #[must_use]
    pub fn with_health_policy(mut self, policy: HealthPolicy) -> Self {
        self.health_policy = policy;
        self
    }

    /// Whose it is.
    pub fn key(&self) -> &ConnectionKey {
        &self.key
    }

    /// The vendor's name in configurations.
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// The vendor's own options.
    pub fn options(&self) -> &Map<String, Value> {
        &self.options
    }

    /// Its name for people: the vendor and, once it is known, the company.
    pub fn title(&self) -> String {
        match self.account.as_ref().and_then(|account| account.name.as_deref()) {
            Some(company) => format!("{} ({company})", self.vendor_name),
            None => self.vendor_name.clone(),
        }
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What was chosen.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The company, once authorised.
    pub fn account(&self) -> Option<&AuthorisedAccount> {
        self.account.as_ref()
    }

    /// The policy of its runs: as configured, with invitations as chosen at set-up.
    pub fn policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        policy.invite = self.setup.welcome;
        policy
    }

    /// When it is slowed down and given up.
    pub fn health_policy(&self) -> &HealthPolicy {
        &self.health_policy
    }

    /// The plan that was reviewed and not published yet.
    pub fn reviewed(&self) -> Option<&Review> {
        self.review.as_ref()
    }

    /// Every mapping that was ever live, the oldest first.
    pub fn published_mappings(&self) -> &[PublishedMapping] {
        &self.published
    }

    /// What is due and what was done about it.
    pub fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    /// How it fares.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Notices that wait to be told, and those that nobody took.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The steps that were taken, the oldest first, as far as they are remembered.
    pub fn steps(&self) -> &[TakenStep] {
        &self.steps
    }

    /// The mapping that is being worked on; the live one if none is, and `None` before the first.
    pub fn draft_document(&self) -> Option<&MappingDocument> {
        self.draft.as_ref().or_else(|| self.published.last().map(|live| &live.mapping))
    }

    /// The mapping that is being worked on, ready to plan with.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if there is none, or if it cannot be used.
    pub fn draft_mapping(&self) -> Result<Arc<dyn FieldMapping>> {
        let document = self.draft_document();
        let document = document.ok_or_else(|| Error::config("nothing is mapped", "map the fields first"))?;
        Ok(Arc::new(document.build()?))
    }

    /// The mapping that is live.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if none was published. [`ErrorKind::Integrity`] if this version of the library would
    /// read its rules in another way than the one that published it.
    pub fn live_mapping(&self) -> Result<Arc<dyn FieldMapping>> {
        let Some(live) = self.published.last() else {
            return Err(
                Error::new(ErrorKind::Conflict, "no mapping is live").with_hint("publish the connection")
            );
        };
        let mapping = live.mapping.build()?;
        if *mapping.version() != live.version {
            return Err(Error::new(ErrorKind::Integrity, "the published mapping reads differently now")
                .with_hint("review the plan that it makes and publish it again")
                .with_context("number", live.number));
        }
        Ok(Arc::new(mapping))
    }
}

/// The saved form.
impl Connection {
    /// As a store keeps it, in place of a revision.
    pub(crate) fn to_stored(&self, revision: u64) -> Result<StoredConnection> {
        let saved = Saved { v: VERSION, connection: self };
        let body = serde_json::to_string(&saved)
            .map_err(|_| Error::new(ErrorKind::Store, "the connection cannot be written as JSON"))?;
        Ok(StoredConnection::new(self.key.clone(), self.urgency(), body).at_revision(revision))
    }

    /// Reads the saved form.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] if it is damaged or a newer version of this library wrote it.
    pub fn from_stored(stored: &StoredConnection) -> Result<Self> {
        match serde_json::from_str::<Saved<Self>>(&stored.body) {
            Ok(saved) if saved.v == VERSION && saved.connection.key == stored.key => Ok(saved.connection),
            _ => Err(unreadable(stored)),
        }
    }
}

fn unreadable(stored: &StoredConnection) -> Error {
    // The reader's message may quote a value, so that only the place is told.
    let newer = serde_json::from_str::<SavedVersion>(&stored.body).is_ok_and(|saved| saved.v > VERSION);
    let error = if newer {
        Error::new(ErrorKind::Integrity, "a newer version of this library saved this connection")
            .with_hint("upgrade this library")
    } else {
        Error::new(ErrorKind::Integrity, "the saved connection is damaged")
            .with_hint("restore it from a backup")
    };
    error.with_context("connection", &stored.key)
}
