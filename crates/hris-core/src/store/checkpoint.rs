//! What a connection remembers of its readings, so that the next one may read only what changed.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Lease;
use crate::keys::Print;
use crate::{ConnectionKey, MappingVersion, RecordId, Result, Watermark};

/// What is remembered of the readings that were applied. It holds no value of anybody, only record ids and keyed
/// fingerprints.
///
/// A checkpoint is moved only when everything of a reading was carried out, so that nothing before its watermark was
/// left unprocessed but the people whom it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// From where changes are read, by the source's clock; `None` if only a reading of everyone can go on.
    pub watermark: Option<Watermark>,
    /// The mapping, its filters included, that everyone was last read with. Another one has to read everyone.
    pub mapping: MappingVersion,
    /// The policy that everyone was last read with: a digest.
    pub policy: String,
    /// When everyone was last read, by this library's clock.
    pub full_at: DateTime<Utc>,
    /// The first day on which time alone changes what is to be done about somebody: their start comes near, or their
    /// last day has passed. From then on everyone is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_on: Option<NaiveDate>,
    /// People about whom something was left open: a problem row, a conflict, an action that failed. They are read
    /// again whether they changed or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<RecordId>,
    /// What people claim in the HR system, where their link does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<OpenClaim>,
    /// Known people who were missing from the last complete listings, where the policy counts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// Fingerprints of the record ids of members whose start still lay ahead when they were last read, where the policy
    /// creates people before their start. In order, and none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_started: Vec<Print>,
}

/// Somebody who was missing from complete listings, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Fingerprint of the record id.
    pub record: Print,
    /// From how many in a row.
    pub readings: u32,
}

impl Checkpoint {
    /// After a reading of everyone that left nothing open.
    pub fn new(
        watermark: Option<Watermark>,
        mapping: MappingVersion,
        policy: impl Into<String>,
        full_at: DateTime<Utc>,
    ) -> Self {
        Self {
            watermark,
            mapping,
            policy: policy.into(),
            full_at,
            changes_on: None,
            unsettled: Vec::new(),
            claims: Vec::new(),
            missing: Vec::new(),
            not_started: Vec::new(),
        }
    }
}

impl Checkpoint {
    /// Takes a person out, as a store does when it forgets them.
    pub fn forget(&mut self, record: &RecordId, print: Print) {
        self.unsettled.retain(|open| open != record);
        self.claims.retain(|claim| claim.record != print);
        self.missing.retain(|missing| missing.record != print);
        self.not_started.retain(|record| *record != print);
    }
}

/// Unique values that a record claims in the HR system, by their fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpenClaim {
    /// Fingerprint of the record id.
    pub record: Print,
    /// Fingerprint of the Employee ID, if the record has one.
    pub employee_id: Option<Print>,
    /// Fingerprint of the e-mail address, if the person is to have an open account with it.
    pub email: Option<Print>,
}

/// The checkpoint of each connection.
#[async_trait]
pub trait Checkpoints: fmt::Debug + Send + Sync + 'static {
    /// What is remembered; `None` before the first reading that was applied in the run that made it.
    async fn checkpoint(&self, connection: &ConnectionKey) -> Result<Option<Checkpoint>>;

    /// Replaces what is remembered. `None` forgets it, so that the next reading is of everyone.
    async fn set_checkpoint(&self, lease: &Lease, checkpoint: Option<&Checkpoint>) -> Result<()>;
}
