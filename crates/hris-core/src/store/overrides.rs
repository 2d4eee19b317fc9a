//! What an administrator recorded with us against the HR system: who, why, and for how long.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::Lease;
use crate::keys::Print;
use crate::{ConnectionKey, RecordId, Result, TargetField, Value};

/// One attribute of one person that is another than the HR system says. `Debug` shows no value.
///
/// Overrides are the one place beside pending actions where a store keeps people's values; they are gone as soon as
/// the override ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Override {
    /// The person.
    pub record: RecordId,
    /// The attribute.
    pub field: TargetField,
    /// What it is; `None` for no value.
    pub value: Option<Value>,
    /// Who recorded it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// For how long.
    pub until: Until,
}

/// How long an override holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Until {
    /// Until somebody takes it back.
    Removed,
    /// Up to and including this day.
    Day(NaiveDate),
    /// Until the HR system says something else than when the override was first used: the fingerprint of what it said
    /// then, or `None` before that.
    SourceChanges(Option<Print>),
}

impl Override {
    /// An override that holds until somebody takes it back.
    pub fn new(
        record: impl Into<RecordId>,
        field: impl Into<TargetField>,
        value: Option<Value>,
        actor: impl Into<String>,
        reason: impl Into<String>,
        made_at: DateTime<Utc>,
    ) -> Self {
        Self {
            record: record.into(),
            field: field.into(),
            value,
            actor: actor.into(),
            reason: reason.into(),
            made_at,
            until: Until::Removed,
        }
    }

    /// Sets how long it holds.
    #[must_use]
    pub fn until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Override")
            .field("record", &self.record)
            .field("field", &self.field.to_string())
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The overrides of each connection: at most one for each attribute of each record.
#[async_trait]
pub trait Overrides: fmt::Debug + Send + Sync + 'static {
    /// Every override of the connection, in batches, in any order.
    fn overrides(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Override>>>;

    /// Records overrides. Each takes the place of the one of the same record and attribute.
    async fn put_overrides(&self, lease: &Lease, overrides: &[Override]) -> Result<()>;

    /// Takes overrides back, values and all. Those that are not there are passed over.
    async fn remove_overrides(&self, lease: &Lease, which: &[(RecordId, TargetField)]) -> Result<()>;
}
