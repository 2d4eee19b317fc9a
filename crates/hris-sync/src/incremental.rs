//! Whom a run reads: everyone, or those changed since the last reading.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use hris_core::keys::Fingerprinter;
use hris_core::store::{Checkpoint, Lease, Missing, StateStore};
use hris_core::{Capabilities, ConnectionKey, EmployeeRef, MappingVersion, RecordId, Result, Watermark};

use crate::planner::Leftovers;
use crate::policy::Incremental;

/// Whom a run reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everyone, for this reason.
    Everyone(&'static str),
    /// Some people.
    Some(Vec<EmployeeRef>),
    /// Those changed since the watermark, and some people in any case.
    Changes { since: Watermark, again: Vec<EmployeeRef> },
}

/// What the decision is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) incremental: Option<&'a Incremental>,
    pub(crate) capabilities: Capabilities,
    pub(crate) mapping: &'a MappingVersion,
    /// The digest of the policy.
    pub(crate) policy: &'a str,
    pub(crate) as_of: NaiveDate,
    pub(crate) now: DateTime<Utc>,
}

/// Decides whom a run reads.
pub(crate) fn extent(now: Circumstances<'_>, checkpoint: Option<&Checkpoint>) -> Extent {
    let Some(incremental) = now.incremental else {
        return Extent::Everyone("readings of changes are not switched on");
    };
    let Some(known) = checkpoint else {
        return Extent::Everyone("there is no earlier reading to go on from");
    };
    let Some(watermark) = &known.watermark else {
        return Extent::Everyone("the last reading left more open than can be asked for by name");
    };
    let due = known.full_at.checked_add_days(Days::new(incremental.full_after_days.into()));
    if !now.capabilities.incremental {
        Extent::Everyone("this connector cannot start at a watermark")
    } else if known.mapping != *now.mapping {
        Extent::Everyone("the mapping or its filters changed")
    } else if known.policy != now.policy {
        Extent::Everyone("the policy changed")
    } else if due.is_none_or(|due| now.now >= due) {
        Extent::Everyone("everyone was last read days ago")
    } else if known.changes_on.is_some_and(|day| now.as_of >= day) {
        Extent::Everyone("somebody's day has come")
    } else if known.unsettled.len() > incremental.reread_at_most
        || !known.unsettled.is_empty() && !now.capabilities.single_read
    {
        Extent::Everyone("people of the last reading cannot be asked for by name")
    } else {
        let again = known.unsettled.iter().cloned().map(EmployeeRef::record).collect();
        Extent::Changes { since: earlier(watermark, incremental), again }
    }
}

/// A cursor knows by itself where it starts; an instant is taken a little earlier.
fn earlier(watermark: &Watermark, incremental: &Incremental) -> Watermark {
    let mut since = watermark.clone();
    if since.cursor.is_none() {
        let overlap = TimeDelta::from_std(incremental.overlap).unwrap_or_default();
        since.at = since.at.checked_sub_signed(overlap).unwrap_or(since.at);
    }
    since
}

/// What is remembered of a reading once its plan was carried out.
#[derive(Debug)]
pub(crate) struct Remembered {
    checkpoint: Checkpoint,
    leftovers: Leftovers,
    reread_at_most: usize,
}

impl Remembered {
    /// Of a reading that may move the watermark: `before` is the checkpoint that it went on from, if it read changes
    /// only. `begun` is when it began by our clock: no watermark may lie beyond it, or what happens between would be
    /// passed over.
    pub(crate) fn new(
        now: Circumstances<'_>,
        before: Option<&Checkpoint>,
        watermark: Option<Watermark>,
        begun: DateTime<Utc>,
        leftovers: Leftovers,
        missing: Vec<Missing>,
    ) -> Self {
        let watermark = watermark.filter(|_| leftovers.is_whole).map(|mut watermark| {
            watermark.at = watermark.at.min(begun);
            watermark
        });
        let full_at = before.map_or(begun, |before| before.full_at);
        let mut checkpoint = Checkpoint::new(watermark, now.mapping.clone(), now.policy, full_at);
        let days = [before.and_then(|before| before.changes_on), leftovers.changes_on];
        checkpoint.missing = missing;
        checkpoint.not_started.clone_from(&leftovers.not_started);
        checkpoint.changes_on = days.into_iter().flatten().min();
        let reread_at_most = now.incremental.map_or(0, |incremental| incremental.reread_at_most);
        Self { checkpoint, leftovers, reread_at_most }
    }

    /// Moves the checkpoint, now that everything was carried out but what concerns `failed`.
    pub(crate) async fn keep(
        mut self,
        store: &dyn StateStore,
        lease: &Lease,
        fingerprinter: &Fingerprinter,
        failed: impl IntoIterator<Item = RecordId>,
    ) -> Result<()> {
        self.leftovers.open.extend(failed);
        if self.leftovers.open.len() > self.reread_at_most {
            self.checkpoint.watermark = None;
        }
        if self.checkpoint.watermark.is_some() {
            self.compare_links(store, &lease.connection, fingerprinter).await?;
            self.checkpoint.claims = self.leftovers.claims();
            self.checkpoint.unsettled = self.leftovers.open.into_iter().collect();
        }
        store.set_checkpoint(lease, Some(&self.checkpoint)).await
    }

    async fn compare_links(
        &mut self,
        links: &dyn StateStore,
        connection: &ConnectionKey,
        fingerprinter: &Fingerprinter,
    ) -> Result<()> {
        let mut links = links.links(connection);
        while let Some(batch) = links.try_next().await? {
            for link in &batch {
                self.leftovers.compare(link, fingerprinter);
            }
        }
        Ok(())
    }
}
