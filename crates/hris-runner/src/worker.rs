//! Running one connection: idempotent by run id, whoever calls it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use futures_util::future::{Either, select};
use hris_connection::{Connection, Connections, History, NextRun, RunOutcome, Step};
use hris_core::connections::ConnectionStore as _;
use hris_core::store::StateStore;
use hris_core::{
    ConnectionKey, Credentials, Error, ErrorKind, FieldMapping, Invitations, KeyProvider, Notice, Notifier,
    Progress, ProvisioningTarget, Result, RunId, RunReport, RunResult, SharedClock, Trigger,
};
use hris_sync::Engine;

use crate::assembly::Assembly;
use crate::board::{ActiveRun, Board};
use crate::welcome::Welcoming;

/// After so many looks without a word a worker is taken for dead; it says something at every third.
const MISSED_BEATS: u32 = 12;
const BEATS: u32 = 3;

/// Runs connections, one call at a time for each. Cloning makes another handle.
///
/// Every method may be called from several processes: a lease in the state store keeps two runs of one connection
/// apart, and the connection's saved state tells each what the others did.
#[derive(Clone, Debug)]
pub struct Worker {
    pub(crate) parts: Arc<Parts>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) connections: Connections,
    pub(crate) store: Arc<dyn StateStore>,
    keys: Arc<dyn KeyProvider>,
    pub(crate) assembly: Arc<dyn Assembly>,
    notifier: Arc<dyn Notifier>,
    pub(crate) history: History,
    watch_every: Duration,
    longest_run: Duration,
    /// Tells this worker from others, in this process and elsewhere.
    pub(crate) name: String,
    pub(crate) board: Board,
    pub(crate) wake: tokio::sync::Notify,
}

/// What a look at a connection came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Stepped {
    /// The run that was due, and how it ended.
    pub ran: Option<(RunId, Result<RunReport>)>,
    /// Whether the connection has to be looked at again only later, although it is still due: another worker has it,
    /// or it was stopped.
    pub come_back_later: bool,
}

impl Worker {
    /// A worker that looks every ten seconds whether somebody wants a run to stop, and gives a run six hours.
    pub fn new(
        connections: Connections,
        store: Arc<dyn StateStore>,
        keys: Arc<dyn KeyProvider>,
        assembly: Arc<dyn Assembly>,
        notifier: Arc<dyn Notifier>,
    ) -> Self {
        // The process's number, a count within it, and the time tell two workers apart without a source of chance.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("{process}-{count}-{}", connections.clock().now().timestamp_micros());
        let history = History::new(Arc::clone(&store), Arc::clone(connections.clock()));
        Self {
            parts: Arc::new(Parts {
                connections,
                store,
                keys,
                assembly,
                notifier,
                history,
                watch_every: Duration::from_secs(10),
                longest_run: Duration::from_secs(6 * 60 * 60),
                name,
                board: Board::default(),
                wake: tokio::sync::Notify::new(),
            }),
        }
    }

    /// Another interval of looking whether a run is to stop and of saving its progress, and another longest run. Does
    /// nothing once the worker was cloned.
    #[must_use]
    pub fn with_watch(mut self, every: Duration, longest_run: Duration) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.parts) {
            (parts.watch_every, parts.longest_run) = (every, longest_run);
        }
        self
    }

    /// Another retention of error and warning files, in days. Does nothing once the worker was cloned.
    #[must_use]
    pub fn keeping_files(mut self, days: u32) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.parts) {
            parts.history = parts.history.clone().keeping_files(days);
        }
        self
    }

    /// Somebody to tell of the progress of every run in this process.
    #[must_use]
    pub fn with_progress(self, progress: Arc<dyn Progress>) -> Self {
        self.parts.board.tell(progress);
        self
    }

    /// The connections.
    pub fn connections(&self) -> &Connections {
        &self.parts.connections
    }

    /// The import history and its files.
    pub fn history(&self) -> &History {
        &self.parts.history
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        self.parts.connections.clock()
    }

    /// Runs a connection under a name. Calling it again with the same name after it ended answers the same report, and
    /// after a crash goes on: an existing job engine may call it as often as it likes. `as_of` is today's date where
    /// the customer is.
    ///
    /// # Errors
    /// The error that ended the run, which is in the history and in the connection's health all the same;
    /// [`ErrorKind::Conflict`] unless the connection is live; [`ErrorKind::Leased`] while another worker runs it.
    pub async fn run_once(
        &self,
        key: &ConnectionKey,
        trigger: Trigger,
        run: &RunId,
        as_of: NaiveDate,
    ) -> Result<RunReport> {
        let now = self.clock().now();
        let due = self.parts.connections.change(key, |connection| {
            Step::Run.check(connection.stage())?;
            // If it is what is due anyway, that is dealt with too.
            Ok(connection.take_next(now).filter(|next| next.run == *run))
        });
        let next = due.await?.unwrap_or_else(|| NextRun::named(run.clone(), trigger));
        let result = Box::pin(self.run_next(key, &next, as_of)).await;
        self.deliver(key).await?;
        result
    }

    /// Looks at a connection: runs what is due, and tells the notices that wait.
    ///
    /// # Errors
    /// If the connection's state cannot be read or saved. A run that failed is in [`Stepped::ran`].
    #[tracing::instrument(name = "hris.step", skip_all, fields(connection = %key))]
    pub async fn step(&self, key: &ConnectionKey) -> Result<Stepped> {
        let now = self.clock().now();
        let connections = &self.parts.connections;
        let (next, zone) = connections
            .change(key, |connection| {
                let zone = connection.setup().schedule.as_ref().map(hris_connection::Schedule::zone);
                Ok((connection.take_next(now), zone))
            })
            .await?;
        let mut stepped = Stepped { ran: None, come_back_later: false };
        if let Some(next) = next {
            let as_of = zone.unwrap_or(hris_connection::Zone::UTC).date(now);
            let result = Box::pin(self.run_next(key, &next, as_of)).await;
            stepped.come_back_later =
                matches!(&result, Err(error) if RunOutcome::of_error(error.kind()) == RunOutcome::Neither);
            stepped.ran = Some((next.run, result));
        }
        self.deliver(key).await?;
        Ok(stepped)
    }

    /// Carries out one run and notes how it ended.
    async fn run_next(&self, key: &ConnectionKey, next: &NextRun, as_of: NaiveDate) -> Result<RunReport> {
        let now = self.clock().now();
        let begun = self.parts.connections.change(key, |connection| {
            Step::Run.check(connection.stage())?;
            connection.note_begun(&next.run, &self.parts.name, now, self.silence())?;
            Ok(connection.clone())
        });
        let connection = begun.await?;
        let active = self.parts.board.begin(key, &next.run);
        let result = self.engine_run(&connection, next, &active, as_of).await;
        self.parts.board.end(key, &next.run);
        self.conclude(key, next, result).await
    }

    /// How long a worker may say nothing before others take it for dead.
    pub(crate) fn silence(&self) -> TimeDelta {
        TimeDelta::from_std(self.parts.watch_every * MISSED_BEATS).unwrap_or(TimeDelta::MAX)
    }

    async fn engine_run(
        &self,
        connection: &Connection,
        next: &NextRun,
        active: &ActiveRun,
        as_of: NaiveDate,
    ) -> Result<RunReport> {
        let (engine, welcoming) = self.engine(connection, connection.live_mapping()?, active).await?;
        self.watched(connection.key(), &next.run, active, async {
            let report = match &next.person {
                Some(person) => Box::pin(engine.run_person(&next.run, person, next.trigger, as_of)).await,
                None => Box::pin(engine.run(&next.run, next.trigger, as_of)).await,
            };
            if let Some(welcoming) = welcoming
                && let Err(error) = welcoming.sweep().await
            {
                tracing::warn!(connection = %connection.key(), %error, "welcomes wait");
            }
            report
        })
        .await
    }

    /// The engine of a connection, with our own welcomes where the platform has none.
    pub(crate) async fn engine(
        &self,
        connection: &Connection,
        mapping: Arc<dyn FieldMapping>,
        active: &ActiveRun,
    ) -> Result<(Engine, Option<Welcoming>)> {
        let parts = &*self.parts;
        let credentials: Credentials = parts.connections.credentials(connection.key()).await?;
        let connector = parts.assembly.connector(connection, &credentials).await?;
        let mut target = parts.assembly.target(connection).await?;
        let welcoming = self.welcoming(connection, &target);
        if let Some(welcoming) = &welcoming {
            target = Arc::new(welcoming.clone());
        }
        let engine = Engine::new(
            connection.key().clone(),
            connector,
            mapping,
            target,
            Arc::clone(&parts.store),
            Arc::clone(&parts.keys),
            Arc::clone(self.clock()),
        );
        let engine = engine
            .with_policy(connection.policy())
            .with_progress(Arc::new(active.clone()))
            .with_cancel(active.cancel.clone());
        Ok((engine, welcoming))
    }

    fn welcoming(&self, connection: &Connection, target: &Arc<dyn ProvisioningTarget>) -> Option<Welcoming> {
        if !connection.setup().welcome || target.capabilities().invitations != Invitations::Never {
            return None;
        }
        let mail = self.parts.assembly.welcome(connection)?;
        Some(Welcoming::new(Arc::clone(target), mail, connection.key().clone(), Arc::clone(self.clock())))
    }

    /// Does work while looking now and then whether it is to stop. Work that does not stop in the time allowed is
    /// dropped: what it sent is journalled, and the next run goes on from there.
    pub(crate) async fn watched<T>(
        &self,
        key: &ConnectionKey,
        run: &RunId,
        active: &ActiveRun,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let work = std::pin::pin!(work);
        let watch = std::pin::pin!(self.watch(key, run, active));
        match select(work, watch).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => {
                Err(Error::new(ErrorKind::Timeout, "the run took too long and was given up")
                    .with_hint("see which side does not answer; what was begun is continued by the next run"))
            }
        }
    }

    /// Ends once the run took too long and did not stop when asked to.
    async fn watch(&self, key: &ConnectionKey, run: &RunId, active: &ActiveRun) {
        let began = self.clock().now();
        let longest = TimeDelta::from_std(self.parts.longest_run).unwrap_or(TimeDelta::MAX);
        let (mut told, mut beat) = (None, 0);
        loop {
            self.clock().sleep(self.parts.watch_every).await;
            beat += 1;
            let now = self.clock().now();
            if now - began > longest {
                if active.cancel.is_cancelled() {
                    return;
                }
                active.cancel.cancel();
                continue;
            }
            let latest = active.latest();
            // A state that cannot be read or saved now is looked at again in a moment.
            let looked = self.parts.connections.change(key, |connection| {
                if latest != told || beat >= BEATS {
                    connection.note_progress(run, latest, now);
                }
                let stop = connection.timetable().stop.as_ref() == Some(run);
                Ok(stop || !connection.stage().is_live())
            });
            match looked.await {
                Ok(true) => active.cancel.cancel(),
                Ok(false) if latest != told || beat >= BEATS => {
                    (told, beat) = (latest, 0);
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(connection = %key, %error, "the connection cannot be looked at");
                }
            }
        }
    }

    /// Notes how a run ended: health, schedule and notices, in one write.
    pub(crate) async fn conclude(
        &self,
        key: &ConnectionKey,
        next: &NextRun,
        result: Result<RunReport>,
    ) -> Result<RunReport> {
        let (report, held) = match &result {
            Ok(report) => (Some(report.clone()), self.held(key, report).await?),
            Err(_) => (self.parts.store.run(key, &next.run).await?, None),
        };
        let (outcome_of_error, now) =
            (result.as_ref().err().map(|error| RunOutcome::of_error(error.kind())), self.clock().now());
        let noted = self.parts.connections.change(key, |connection| {
            let outcome = match (&outcome_of_error, &report) {
                (Some(outcome), _) => outcome.clone(),
                (None, Some(report)) => RunOutcome::of_report(connection.health_policy(), report),
                (None, None) => RunOutcome::Neither,
            };
            connection.note_run(next, report.as_ref(), &outcome, now);
            if let (Some(report), Some((digest, expires_at))) = (&report, &held) {
                connection.tell_held(report, digest, *expires_at, now);
            }
            Ok(())
        });
        noted.await?;
        if let Err(error) = self.parts.history.purge_files(key).await {
            tracing::debug!(connection = %key, %error, "old files stay for now");
        }
        result
    }

    /// Digest and expiry of the plan that a guard holds.
    async fn held(
        &self,
        key: &ConnectionKey,
        report: &RunReport,
    ) -> Result<Option<(String, chrono::DateTime<chrono::Utc>)>> {
        let (RunResult::Held { .. }, Some(plan)) = (&report.result, &report.plan) else {
            return Ok(None);
        };
        let stored = self.parts.store.plan(key, plan).await?;
        Ok(stored.map(|stored| (stored.header.digest, stored.header.expires_at)))
    }

    /// Tells the notices of a connection that wait, to whoever set it up. What nobody takes is tried again later.
    ///
    /// # Errors
    /// If the connection's state cannot be read or saved.
    pub async fn deliver(&self, key: &ConnectionKey) -> Result<()> {
        let connection = self.parts.connections.get(key).await?;
        let now = self.clock().now();
        for waiting in connection.outbox().due(now) {
            let mut notice = Notice::new(
                &*waiting.id,
                key.clone(),
                connection.title(),
                waiting.at,
                waiting.content.clone(),
            );
            notice.to.extend(connection.setup().owner.as_ref().map(|owner| owner.contact.clone()));
            let result = self.parts.notifier.notify(&notice).await;
            let now = self.clock().now();
            let settled = self.parts.connections.change(key, |connection| {
                connection.settle_notice(&waiting.id, &result, now);
                Ok(())
            });
            settled.await?;
        }
        Ok(())
    }

    /// How far a run is, and whether it is under way at all: in this process as it is, elsewhere as last saved.
    pub async fn progress(
        &self,
        key: &ConnectionKey,
        run: &RunId,
    ) -> Result<Option<hris_core::ProgressEvent>> {
        if let Some(active) = self.parts.board.get(key, run) {
            return Ok(active.latest());
        }
        let connection = self.parts.connections.get(key).await?;
        let running = connection.timetable().running.as_ref().filter(|running| running.run == *run);
        Ok(running.and_then(|running| running.progress))
    }

    /// When some connection has to be looked at next.
    pub(crate) async fn next_due(&self) -> Result<Option<chrono::DateTime<chrono::Utc>>> {
        self.parts.connections.store().next_due(self.clock().now()).await
    }
}
