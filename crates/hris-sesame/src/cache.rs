//! The cache port for what costs one request per person: contract dates and line managers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use hris_core::{AccountId, Field, RecordId, Result};

/// What was read about one person, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedDetail {
    /// What was read.
    pub detail: Detail,
    /// When, by the transport's clock. The connector decides whether that is recent enough.
    pub read_at: DateTime<Utc>,
}

/// What costs one request per person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// The dates of all contracts.
    Contracts(ContractDates),
    /// The line manager's record id, if there is one.
    Manager(Option<RecordId>),
}

/// The kinds of [`Detail`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DetailKind {
    /// [`Detail::Contracts`].
    Contracts,
    /// [`Detail::Manager`].
    Manager,
}

/// The dates of a person's contracts. [`Field::Null`]: there is none; [`Field::Absent`]: one could not be read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ContractDates {
    /// The earliest date that seniority counts from.
    pub seniority: Field<NaiveDate>,
    /// The earliest start.
    pub start: Field<NaiveDate>,
    /// The latest end, if every contract has one.
    pub end: Field<NaiveDate>,
}

/// Keeps details between readings. They are personal data: a cache that outlives the process needs the same care as
/// the directory itself.
///
/// An error is taken for an empty cache, and costs requests only.
#[async_trait]
pub trait DetailCache: fmt::Debug + Send + Sync + 'static {
    /// What is kept about some records, one answer each, in the order asked for.
    async fn load(
        &self,
        company: &AccountId,
        kind: DetailKind,
        records: &[RecordId],
    ) -> Result<Vec<Option<CachedDetail>>>;

    /// Keeps details, in place of older ones of the same record and kind.
    async fn save(&self, company: &AccountId, details: &[(RecordId, CachedDetail)]) -> Result<()>;
}

/// Keeps details in memory until it is dropped. Connectors that share one also share what each has read.
#[derive(Default)]
pub struct MemoryDetailCache(Mutex<HashMap<(AccountId, DetailKind, RecordId), CachedDetail>>);

impl MemoryDetailCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<(AccountId, DetailKind, RecordId), CachedDetail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DetailCache for MemoryDetailCache {
    async fn load(
        &self,
        company: &AccountId,
        kind: DetailKind,
        records: &[RecordId],
    ) -> Result<Vec<Option<CachedDetail>>> {
        let kept = self.kept();
        let load = |record: &RecordId| kept.get(&(company.clone(), kind, record.clone())).cloned();
        Ok(records.iter().map(load).collect())
    }

    async fn save(&self, company: &AccountId, details: &[(RecordId, CachedDetail)]) -> Result<()> {
        let mut kept = self.kept();
        for (record, detail) in details {
            kept.insert((company.clone(), detail.detail.kind(), record.clone()), detail.clone());
        }
        Ok(())
    }
}

impl Detail {
    /// Which kind it is.
    pub fn kind(&self) -> DetailKind {
        match self {
            Self::Contracts(_) => DetailKind::Contracts,
            Self::Manager(_) => DetailKind::Manager,
        }
    }
}

/// Shows the kind, no date and no manager.
impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

/// Shows no date.
impl fmt::Debug for ContractDates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContractDates").finish_non_exhaustive()
    }
}

/// Shows how much there is.
impl fmt::Debug for MemoryDetailCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDetailCache").field("details", &self.kept().len()).finish()
    }
}
