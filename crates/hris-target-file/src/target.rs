//! The target: its handle, and the way from a batch of actions to a file.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::NaiveDate;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    Action, Clock, Delivery, Error, ErrorKind, Invitations, MemberId, MemberQuery, MemberRecord, Outcome,
    Parking, ProvisioningTarget, Result, SharedClock, TargetCapabilities,
};
use tokio::runtime::Handle;

use crate::file::{MemberFile, WriteError};
use crate::members::{Kept, Members};
use crate::rules::Rules;

/// How many actions a call takes unless set: large enough that few calls write the whole file.
const MAX_BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);
const CLOSE_DOWN_DAYS: u32 = 60;
/// How many members a listing copies at a time.
const PAGE: usize = 500;

/// A rewards platform that is one file of JSON lines; see the crate's documentation for its form and its promises.
///
/// Cloning makes another handle on the same open file. Calls work on tokio's blocking threads, or in place where
/// there is no tokio runtime; one that has started is carried out even if its future is dropped.
#[derive(Clone)]
pub struct FileTarget {
    shared: Arc<Shared>,
    capabilities: TargetCapabilities,
}

struct Shared {
    file: MemberFile,
    clock: SharedClock,
    /// What the file holds; `None` after a failed write, until it is read again.
    members: Mutex<Option<Members>>,
}

impl FileTarget {
    /// Locks the file, reads it, and takes it for empty if there is none. The first write makes it.
    ///
    /// Blocks while it does so: call it when the application starts.
    ///
    /// # Errors
    /// [`ErrorKind::Leased`] while another target has the file open for writing, [`ErrorKind::Integrity`] for a
    /// damaged file, [`ErrorKind::Unavailable`] where it cannot be read or locked.
    pub fn open(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self> {
        Self::with_file(MemberFile::lock(path.as_ref())?, clock)
    }

    /// Reads the file as it is now and neither locks nor writes anything, for dry runs and reports: every action is
    /// answered with [`Outcome::NotAttempted`].
    ///
    /// # Errors
    /// As [`FileTarget::open`], but never [`ErrorKind::Leased`].
    pub fn read_only(path: impl AsRef<Path>, clock: impl Clock) -> Result<Self> {
        Self::with_file(MemberFile::unlocked(path.as_ref())?, clock)
    }

    fn with_file(file: MemberFile, clock: impl Clock) -> Result<Self> {
        let members = file.read()?;
        let mut capabilities = TargetCapabilities::default();
        capabilities.invitations = Invitations::PerRecord;
        capabilities.lists = true;
        capabilities.max_batch = MAX_BATCH;
        capabilities.close_down_days = Some(CLOSE_DOWN_DAYS);
        let shared = Shared { file, clock: Arc::new(clock), members: Mutex::new(Some(members)) };
        Ok(Self { shared: Arc::new(shared), capabilities })
    }

    /// Sets from how many days after the closing a leaver is gone (60), or that leavers stay for ever.
    #[must_use]
    pub fn with_close_down_days(mut self, days: Option<u32>) -> Self {
        self.capabilities.close_down_days = days;
        self
    }

    /// Sets how many actions a call takes (1,000). Every call that changes something writes the whole file.
    #[must_use]
    pub fn with_max_batch(mut self, actions: NonZeroUsize) -> Self {
        self.capabilities.max_batch = actions;
        self
    }

    /// Allows temporary values for members who take over each other's e-mail address or Employee ID; none by default.
    #[must_use]
    pub fn with_parking(mut self, parking: Parking) -> Self {
        self.capabilities.parking = Some(parking);
        self
    }

    /// How often a member is to be invited: once, if it was created with an invitation; zero for an unknown one.
    ///
    /// # Errors
    /// As [`FileTarget::open`], where the file has to be read again after a failed write.
    pub async fn invitations(&self, member: &MemberId) -> Result<u64> {
        let member = member.clone();
        self.read(move |members| members.get(&member).map_or(0, |kept| kept.invitations)).await
    }

    async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Members) -> T + Send + 'static) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.current(&mut shared.slot()).map(|(members, _)| work(members))).await?
    }
}

impl Shared {
    /// The members as of the clock's today, read again after a write that failed.
    fn current<'m>(&self, slot: &'m mut Option<Members>) -> Result<(&'m mut Members, NaiveDate)> {
        if slot.is_none() {
            *slot = Some(self.file.read()?);
        }
        let (members, today) = (slot.get_or_insert_default(), self.clock.now().date_naive());
        members.purge(today);
        Ok((members, today))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Members>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries a batch out in memory and writes it as a whole.
    fn apply(&self, actions: &[Action], close_down_days: Option<u32>) -> Result<Vec<Outcome>> {
        if self.file.is_read_only() {
            return Err(Error::unsupported("the file of members was opened for reading only")
                .with_hint("open it with `FileTarget::open` to write"));
        }
        let mut slot = self.slot();
        let (members, today) = self.current(&mut slot)?;
        let mut rules = Rules { members: &mut *members, today, close_down_days };
        let outcomes: Vec<_> = actions.iter().map(|action| rules.carry_out(action)).collect();
        let changed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Applied(_)));
        let written = if changed { self.file.write(members) } else { Ok(()) };
        match written {
            Ok(()) => Ok(outcomes),
            Err(WriteError::NotWritten(error)) => {
                // What was changed in memory never happened.
                *slot = None;
                Err(error)
            }
            Err(WriteError::MayBeLost(error)) => {
                tracing::warn!(%error, "the folder of the file of members cannot be flushed");
                Ok(outcomes.into_iter().map(in_doubt).collect())
            }
        }
    }
}

#[async_trait]
impl ProvisioningTarget for FileTarget {
    fn capabilities(&self) -> TargetCapabilities {
        self.capabilities.clone()
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        let query = query.clone();
        let found = self.read(move |members| find(members, &query)).await??;
        Ok(found.into_iter().map(|kept| kept.record).collect())
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        let pages = stream::try_unfold(None::<MemberId>, move |after| async move {
            let page = self.read(move |members| page(members, after.as_ref())).await?;
            let last = page.last().map(|record| record.id.clone());
            Ok::<_, Error>(last.map(|last| (stream::iter(page.into_iter().map(Ok)), Some(last))))
        });
        Some(pages.try_flatten().boxed())
    }

    #[tracing::instrument(name = "hris.target_file.apply", skip_all, fields(actions = actions.len()))]
    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        let max = self.capabilities.max_batch.get();
        let batch: Vec<_> = actions.iter().take(max).cloned().collect();
        let (shared, days, count) =
            (Arc::clone(&self.shared), self.capabilities.close_down_days, batch.len());
        let mut outcomes = match blocking(move || shared.apply(&batch, days)).await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(error)) => not_attempted(&error, count),
            Err(_) => (0..count).map(|_| Outcome::InDoubt(lost())).collect(),
        };
        let beyond = (count..actions.len()).map(|_| {
            let error = Error::unsupported("the call has too many actions").with_context("max_batch", max);
            Outcome::NotAttempted(error)
        });
        outcomes.extend(beyond);
        outcomes
    }
}

impl fmt::Debug for FileTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTarget").field("path", &self.shared.file.path).finish_non_exhaustive()
    }
}

fn find(members: &Members, query: &MemberQuery) -> Result<Vec<Kept>> {
    let found = match query {
        MemberQuery::Id(id) => members.get(id),
        MemberQuery::EmployeeId(id) => members.with_employee_id(id),
        MemberQuery::Email(email) => members.with_email(email.as_str()),
        _ => return Err(Error::unsupported("this target does not search by that")),
    };
    Ok(found.into_iter().cloned().collect())
}

fn page(members: &Members, after: Option<&MemberId>) -> Vec<MemberRecord> {
    members.iter(after).take(PAGE).map(|kept| kept.record.clone()).collect()
}

fn in_doubt(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Applied(_) => Outcome::InDoubt(lost()),
        outcome => outcome,
    }
}

fn lost() -> Error {
    let message = "it cannot be told whether the batch was written";
    Error::new(ErrorKind::Unavailable, message).with_delivery(Delivery::Unknown)
}

/// One reason for a whole batch; an error cannot be copied, but what it says can.
fn not_attempted(error: &Error, count: usize) -> Vec<Outcome> {
    let copy = || {
        let mut copy = Error::new(error.kind(), error.message().to_owned()).with_retryable(false);
        if let Some(hint) = error.hint() {
            copy = copy.with_hint(hint.to_owned());
        }
        error.context().fold(copy, |copy, (key, value)| copy.with_context(key, value))
    };
    (0..count).map(|_| Outcome::NotAttempted(copy())).collect()
}

/// Runs work that waits for the disk off the async threads, where there is a runtime to have some.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    match Handle::try_current() {
        Err(_) => Ok(work()),
        Ok(runtime) => runtime.spawn_blocking(work).await.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "work on the file of members ended early").with_source(error)
        }),
    }
}
