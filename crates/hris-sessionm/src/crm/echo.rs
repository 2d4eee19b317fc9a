//! Our own writes to records, so that the CRM's news of them are not sent back to SessionM.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use hris_core::Value;

use super::{CrmChange, CrmRecord};

/// What was written to records and has not come back as a change yet. It holds hashes and no values.
///
/// Note a write before it is made: the CRM's news may be faster than its answer.
#[derive(Default)]
pub struct OwnWrites {
    hasher: RandomState,
    waiting: HashMap<u64, u32>,
}

impl OwnWrites {
    /// How many writes are remembered at most; what was never heard of again is forgotten all at once.
    const MOST: usize = 100_000;

    /// Nothing written so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a write to a record.
    pub fn note(&mut self, change: &CrmChange) {
        if self.waiting.len() >= Self::MOST {
            self.waiting.clear();
        }
        for (field, value) in &change.fields {
            let hash = self.hash(&change.record, field, value.as_ref());
            *self.waiting.entry(hash).or_default() += 1;
        }
    }

    /// Whether a changed field of a record is a write of ours; each write answers for one change.
    pub(super) fn take(&mut self, record: &CrmRecord, field: &str) -> bool {
        let hash = self.hash(record.id(), field, record.get(field).flatten());
        let Some(waiting) = self.waiting.get_mut(&hash) else { return false };
        *waiting -= 1;
        if *waiting == 0 {
            self.waiting.remove(&hash);
        }
        true
    }

    /// How many fields are waited for.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none is waited for.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// CRMs give values back in their own types, so the text counts.
    fn hash(&self, record: &str, field: &str, value: Option<&Value>) -> u64 {
        self.hasher.hash_one((record, field, value.map(ToString::to_string).unwrap_or_default()))
    }
}

impl fmt::Debug for OwnWrites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnWrites").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
