//! How what a store knows comes to its end: links taken back, history purged, people forgotten.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Lease;
use crate::keys::Print;
use crate::{ConnectionKey, RecordId, Result};

/// What a purge took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// Final plans, with their actions and problems.
    pub plans: u64,
    /// Reports of runs.
    pub runs: u64,
}

impl Purged {
    /// Counts of what was taken away.
    pub fn new(plans: u64, runs: u64) -> Self {
        Self { plans, runs }
    }
}

/// Takes away what is no longer to be kept.
#[async_trait]
pub trait Retention: fmt::Debug + Send + Sync + 'static {
    /// Takes the links of some records away, as if they had never been matched, and answers how many there were. The
    /// members are left alone.
    async fn remove_links(&self, lease: &Lease, records: &[RecordId]) -> Result<u64>;

    /// Takes away the final plans that were made before an instant, with their actions and problems, and answers how
    /// many. What error files are made from ends here; plans that are not final stay, and so do reports of runs.
    async fn purge_plans(&self, lease: &Lease, made_before: DateTime<Utc>) -> Result<u64>;

    /// Takes away the reports of runs that started before an instant, and answers how many.
    async fn purge_runs(&self, lease: &Lease, started_before: DateTime<Utc>) -> Result<u64>;

    /// Forgets a person: the link, the overrides, every action and every problem of theirs in final plans and drafts,
    /// and their place in the checkpoint. A keyed fingerprint of the record stays, so that the person is not taken for
    /// a new one. Forgetting a person of whom nothing is known leaves the fingerprint as well.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Stale`] while a plan that is neither final nor a draft has an action about the person: it
    /// has to be applied or dismissed first.
    async fn forget(&self, lease: &Lease, record: &RecordId, tombstone: Print) -> Result<()>;

    /// The fingerprints of forgotten people, in any order.
    async fn forgotten(&self, connection: &ConnectionKey) -> Result<Vec<Print>>;
}
