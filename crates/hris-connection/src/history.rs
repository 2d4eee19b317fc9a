//! The import history of a tenant, and the error and warning files of its runs.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::store::{ActionState, StateStore};
use hris_core::{
    ConnectionKey, Error, ErrorKind, PlanId, Problem, Result, RuleCode, RunId, RunReport, RunResult,
    Severity, SharedClock, TenantId,
};
use hris_sync::{FileFormat, write_problems};

/// The rule under which a run that failed as a whole stands in its own error file.
const RUN_FAILED: RuleCode = RuleCode::new("run.failed");

const PAGE: usize = 500;
/// How long a lease for purging is asked for.
const LEASE: Duration = Duration::from_secs(60);

/// The runs of a tenant: reports without people's data, kept without limit, and files with record ids that end.
#[derive(Clone, Debug)]
pub struct History {
    store: Arc<dyn StateStore>,
    clock: SharedClock,
    files_kept: TimeDelta,
}

impl History {
    /// How long error and warning files can be fetched, unless set otherwise.
    pub const FILES_KEPT_DAYS: u32 = 90;

    /// The history in a store.
    pub fn new(store: Arc<dyn StateStore>, clock: SharedClock) -> Self {
        Self { store, clock, files_kept: TimeDelta::days(Self::FILES_KEPT_DAYS.into()) }
    }

    /// Another retention of error and warning files.
    #[must_use]
    pub fn keeping_files(mut self, days: u32) -> Self {
        self.files_kept = TimeDelta::days(days.into());
        self
    }

    /// The runs of all connections of a tenant, newest first, from number `offset`, at most `limit`.
    pub async fn runs(&self, tenant: &TenantId, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        self.store.tenant_runs(tenant, offset, limit).await
    }

    /// One report.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there was no such run.
    pub async fn run(&self, connection: &ConnectionKey, run: &RunId) -> Result<RunReport> {
        self.store.run(connection, run).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "this connection had no such run")
                .with_hint("look at the import history")
                .with_context("run", run)
        })
    }

    /// Until when the files of a run can be fetched.
    pub fn files_until(&self, report: &RunReport) -> DateTime<Utc> {
        report.started_at + self.files_kept
    }

    /// Writes the errors or the warnings of a run to a file and answers how many there were. A run that failed as a
    /// whole has one error that says so, beside those of its plan.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there was no such run, or if its files were kept long enough and are gone.
    pub async fn write_file(
        &self,
        connection: &ConnectionKey,
        run: &RunId,
        severity: Severity,
        format: FileFormat,
        out: &mut (dyn Write + Send),
    ) -> Result<u64> {
        let report = self.run(connection, run).await?;
        let until = self.files_until(&report);
        if self.clock.now() >= until {
            return Err(Error::new(
                ErrorKind::NotFound,
                "the files of this run are gone: their time is over",
            )
            .with_hint("its report is still in the history; import again for the problems of today")
            .with_context("until", until));
        }
        let whole = match &report.result {
            RunResult::Failed { message } => Some(Ok(Problem::error(RUN_FAILED, message.clone()))),
            _ => None,
        };
        let of_plan = match &report.plan {
            Some(plan) => self.problems(connection, plan).boxed(),
            None => stream::empty().boxed(),
        };
        write_problems(stream::iter(whole).chain(of_plan), severity, format, out).await
    }

    /// The problems of a plan, those of planning first and then those of carrying it out.
    fn problems<'a>(
        &'a self,
        connection: &'a ConnectionKey,
        plan: &'a PlanId,
    ) -> impl futures_core::Stream<Item = Result<Problem>> + Send + 'a {
        let planning = stream::try_unfold(0_u64, move |offset| async move {
            let page = self.store.problems(connection, plan, offset, PAGE).await?;
            let next = offset + page.len() as u64;
            Ok::<_, Error>((!page.is_empty()).then_some((page, next)))
        });
        let applying = stream::try_unfold(None, move |after| async move {
            let page = self.store.actions(connection, plan, after.as_ref(), PAGE).await?;
            let Some(last) = page.last().map(|stored| stored.action.position()) else {
                return Ok::<_, Error>(None);
            };
            let problem = |state| match state {
                ActionState::Failed(problem) | ActionState::Uncertain(problem) => Some(problem),
                _ => None,
            };
            let problems: Vec<_> = page.into_iter().filter_map(|stored| problem(stored.state)).collect();
            Ok(Some((problems, Some(last))))
        });
        planning.chain(applying).map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten()
    }

    /// Removes from the store what the files of a connection were made from, once their time is over. Reports stay.
    ///
    /// # Errors
    /// [`ErrorKind::Leased`] while a run is under way: try again later.
    pub async fn purge_files(&self, connection: &ConnectionKey) -> Result<u64> {
        let now = self.clock.now();
        let lease = self.store.acquire(connection, &RunId::from("purge of files"), now, LEASE).await?;
        let purged = self.store.purge_plans(&lease, now - self.files_kept).await;
        self.store.release(&lease).await?;
        purged
    }
}
