//! What is due for a connection, what was asked for ahead of the schedule, and what became of each run.

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{EmployeeRef, Error, ErrorKind, NoticeContent, Result, RunId, RunReport, RunResult, Trigger};
use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::health::{HealthChange, RunOutcome};
use crate::occurrences::{Missed, Occurrence};
use crate::stage::{Stage, Step};

/// A clock that is set back by more than this leaves times in the future behind, which are given up.
const CLOCK_SET_BACK: TimeDelta = TimeDelta::hours(26);

/// By how much a request goes ahead of schedules.
const AHEAD: TimeDelta = TimeDelta::days(3650);

/// What is due, what was asked for, what is under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Timetable {
    /// Scheduled runs up to here are dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<DateTime<Utc>>,
    /// Runs that somebody asked for and that did not end yet, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RunRequest>,
    /// The run that is under way, as its worker last said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningRun>,
    /// The run that somebody asked to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<RunId>,
    /// The run that ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<RunId>,
}

impl Timetable {
    /// Counts from an instant: whatever was due before is not made up for.
    pub(crate) fn start_from(&mut self, at: DateTime<Utc>) {
        self.handled = Some(at);
    }
}

/// A run that somebody asked for ahead of the schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunRequest {
    /// The run's name.
    pub run: RunId,
    /// The person to import; everyone if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<EmployeeRef>,
    /// Who asked.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What the run counts as started by: a person, or the HR system's word that something changed.
    #[serde(default = "on_demand", skip_serializing_if = "is_on_demand")]
    pub trigger: Trigger,
}

fn on_demand() -> Trigger {
    Trigger::OnDemand
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_on_demand(trigger: &Trigger) -> bool {
    *trigger == on_demand()
}

impl RunRequest {
    /// An import of everyone.
    pub fn everyone(run: impl Into<RunId>, actor: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self { run: run.into(), person: None, actor: actor.into(), at, trigger: Trigger::OnDemand }
    }

    /// An import of one person.
    #[must_use]
    pub fn of_person(mut self, person: EmployeeRef) -> Self {
        self.person = Some(person);
        self
    }

    /// Started by something else than a person.
    #[must_use]
    pub fn started_by(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }
}

/// A run under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunningRun {
    /// The run.
    pub run: RunId,
    /// Which worker has it.
    #[serde(default)]
    pub worker: String,
    /// When it began.
    pub since: DateTime<Utc>,
    /// How far it is, as last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<hris_core::ProgressEvent>,
    /// When that was told.
    pub told_at: DateTime<Utc>,
}

impl RunningRun {
    /// A run that has just begun at a worker.
    pub fn begun(run: RunId, worker: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self { run, worker: worker.into(), since: at, progress: None, told_at: at }
    }
}

/// The run that a connection needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NextRun {
    /// Its name; running it again under the same name is harmless.
    pub run: RunId,
    /// What starts it.
    pub trigger: Trigger,
    /// The person to import; everyone if there is none.
    pub person: Option<EmployeeRef>,
    /// The scheduled run, if it is one.
    pub scheduled: Option<Occurrence>,
}

impl NextRun {
    /// A run by name that no schedule and no request asked for, such as one of an application's own job engine.
    pub fn named(run: RunId, trigger: Trigger) -> Self {
        Self { run, trigger, person: None, scheduled: None }
    }
}

impl Connection {
    /// When somebody has to look at this connection next: a run is due or was asked for, or a notice is to be told.
    pub fn next_look(&self) -> Option<DateTime<Utc>> {
        let asked = self.timetable.requests.first().filter(|_| self.stage.is_live()).map(|asked| asked.at);
        let scheduled = self.next_scheduled().map(|next| self.not_before(next.due));
        [asked, scheduled, self.outbox.next_try()].into_iter().flatten().min()
    }

    /// As [`Connection::next_look`], with whatever a person waits for well ahead of what is due by itself: the order
    /// in which connections get their turn.
    pub(crate) fn urgency(&self) -> Option<DateTime<Utc>> {
        let look = self.next_look()?;
        let asked = self.stage.is_live() && !self.timetable.requests.is_empty();
        Some(if asked { look - AHEAD } else { look })
    }

    /// The next scheduled run; `None` unless the connection is live.
    pub fn next_scheduled(&self) -> Option<Occurrence> {
        let schedule = self.setup.schedule.as_ref().filter(|_| self.stage.is_live())?;
        schedule.next_run(self.timetable.handled?, &self.key)
    }

    /// In quarantine, no sooner than the next attempt.
    fn not_before(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        self.health.quarantine.as_ref().map_or(due, |quarantine| due.max(quarantine.next_attempt))
    }

    /// Asks for a run ahead of the schedule. Asking again under the same name changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] unless the connection is live.
    pub fn request(&mut self, request: RunRequest) -> Result<()> {
        Step::Run.check(self.stage)?;
        if !self.timetable.requests.iter().any(|known| known.run == request.run) {
            self.timetable.requests.push(request);
        }
        Ok(())
    }

    /// Asks a run that is under way to stop, or takes a request back that was not begun.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such run.
    pub fn ask_to_stop(&mut self, run: &RunId) -> Result<()> {
        if self.timetable.running.as_ref().is_some_and(|running| running.run == *run) {
            self.timetable.stop = Some(run.clone());
            return Ok(());
        }
        let before = self.timetable.requests.len();
        self.timetable.requests.retain(|request| request.run != *run);
        if self.timetable.requests.len() < before {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, "no such run is under way or waits").with_context("run", run))
    }

    /// What to run at `now`: what somebody asked for goes ahead of the schedule.
    ///
    /// Runs that were due and cannot be made up for are noted as missed, with a notice; so is a clock that was set
    /// back. Calling it again gives the same run until [`Connection::note_run`] says how that ended.
    pub fn take_next(&mut self, now: DateTime<Utc>) -> Option<NextRun> {
        self.settle_clock(now);
        if !self.stage.is_live() {
            return None;
        }
        if let Some(asked) = self.timetable.requests.first() {
            return Some(NextRun {
                run: asked.run.clone(),
                trigger: asked.trigger,
                person: asked.person.clone(),
                scheduled: None,
            });
        }
        if self.health.quarantine.as_ref().is_some_and(|quarantine| quarantine.next_attempt > now) {
            return None;
        }
        let (schedule, handled) = (self.setup.schedule.as_ref()?, self.timetable.handled?);
        let due = schedule.due(&self.key, handled, now);
        // In quarantine the runs in between were left out on purpose, and somebody was told.
        if due.missed.count > 0 && self.health.quarantine.is_none() {
            let next = due.next.filter(|_| due.run.is_none()).map(|next| next.due);
            self.tell_missed(due.missed, next, now);
        }
        // The run itself is dealt with when it has ended; those before it are now.
        self.timetable.handled = match due.run {
            Some(run) => Some(handled.max(run.nominal - TimeDelta::seconds(1))),
            None => Some(due.handled),
        };
        let run = due.run?;
        Some(NextRun { run: run.run_id(), trigger: Trigger::Schedule, person: None, scheduled: Some(run) })
    }

    fn tell_missed(&mut self, missed: Missed, next: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let Some((first, last)) = missed.between else {
            return;
        };
        let content = NoticeContent::RunsMissed {
            first,
            last,
            count: missed.count,
            cause: "nothing ran at the time: the service was down, or a run before took too long".into(),
            next,
        };
        self.outbox.push(format!("missed {}", first.format("%Y-%m-%dT%H:%M:%SZ")), now, content);
    }

    /// A clock that was set back leaves nothing to wait for in a future that came too early.
    fn settle_clock(&mut self, now: DateTime<Utc>) {
        let Some(handled) = self.timetable.handled.filter(|handled| *handled - now > CLOCK_SET_BACK) else {
            return;
        };
        tracing::warn!(connection = %self.key, %handled, %now, "the clock was set back: the schedule counts from now");
        self.timetable.handled = Some(now);
    }

    /// Takes note of a run that begins at a worker.
    ///
    /// A lease keeps different runs of a connection apart; this keeps two workers from the same one, which both would
    /// take up under its one name. A worker that said nothing for `silent` is taken for dead.
    ///
    /// # Errors
    /// [`ErrorKind::Leased`] while another worker is at it.
    pub fn note_begun(
        &mut self,
        run: &RunId,
        worker: &str,
        now: DateTime<Utc>,
        silent: TimeDelta,
    ) -> Result<()> {
        let running = self.timetable.running.take();
        if let Some(other) = running.as_ref().filter(|other| other.worker != worker)
            && (now - other.told_at).abs() < silent
        {
            let error = Error::new(ErrorKind::Leased, "another worker runs this connection")
                .with_hint("leave it to that one")
                .with_context("run", &other.run);
            self.timetable.running = running;
            return Err(error);
        }
        if self.timetable.stop.as_ref().is_some_and(|stop| stop != run) {
            self.timetable.stop = None;
        }
        self.timetable.running = Some(RunningRun::begun(run.clone(), worker, now));
        Ok(())
    }

    /// Takes note that a run goes on, and how far it is.
    pub fn note_progress(
        &mut self,
        run: &RunId,
        progress: Option<hris_core::ProgressEvent>,
        now: DateTime<Utc>,
    ) {
        if let Some(running) = self.timetable.running.as_mut().filter(|running| running.run == *run) {
            running.progress = progress.or(running.progress);
            running.told_at = now;
        }
    }

    /// Takes note of how a run ended: the schedule moves on, health and stage change, and notices are written.
    ///
    /// A run that says nothing about the connection (another worker has it, or it was stopped) stays due, unless
    /// somebody asked it to stop.
    pub fn note_run(
        &mut self,
        next: &NextRun,
        report: Option<&RunReport>,
        outcome: &RunOutcome,
        now: DateTime<Utc>,
    ) {
        if self.timetable.running.as_ref().is_some_and(|running| running.run == next.run) {
            self.timetable.running = None;
        }
        let stopped = self.timetable.stop.as_ref().is_some_and(|stop| *stop == next.run);
        if *outcome == RunOutcome::Neither && !stopped {
            return;
        }
        if stopped {
            self.timetable.stop = None;
        }
        self.timetable.last = Some(next.run.clone());
        self.timetable.requests.retain(|request| request.run != next.run);
        if let Some(scheduled) = next.scheduled {
            let handled = self.timetable.handled;
            self.timetable.handled =
                Some(handled.map_or(scheduled.nominal, |handled| handled.max(scheduled.nominal)));
        }
        if let Some(report) = report {
            self.tell_run(report, now);
        }
        self.note_health(outcome, now);
    }

    fn note_health(&mut self, outcome: &RunOutcome, now: DateTime<Utc>) {
        if !self.stage.is_live() {
            return;
        }
        match self.health.note(&self.health_policy, outcome, now) {
            HealthChange::None => {}
            HealthChange::Quarantined => {
                self.stage = Stage::Quarantined;
                self.tell_quarantine(now);
                self.took(Step::Quarantine, "health", now);
            }
            HealthChange::GivenUp => {
                self.stage = Stage::Paused;
                self.tell_quarantine(now);
                self.took(Step::Pause, "health", now);
            }
            HealthChange::Recovered { since } => {
                self.stage = Stage::Published;
                self.outbox.push(format!("recovered {since}"), now, NoticeContent::Recovered { since });
                self.took(Step::Release, "health", now);
            }
        }
    }

    fn tell_quarantine(&mut self, now: DateTime<Utc>) {
        let Some(quarantine) = &self.health.quarantine else {
            return;
        };
        let given_up = self.stage == Stage::Paused;
        let content = NoticeContent::Quarantined {
            reason: quarantine.reason.code().into(),
            what: quarantine.reason.what().into_owned(),
            remedy: quarantine.reason.remedy().to_owned(),
            failures: self.health.failures,
            next_attempt: Some(quarantine.next_attempt).filter(|_| !given_up),
        };
        let what = if given_up { "given up" } else { quarantine.reason.code() };
        self.outbox.push(format!("quarantine {what} {}", quarantine.since), now, content);
    }

    fn tell_run(&mut self, report: &RunReport, now: DateTime<Utc>) {
        if let RunResult::Held { .. } = report.result {
            // The one who has the plan at hand tells of it, with its digest.
            return;
        }
        if report.trigger == Trigger::Webhook && report.result == RunResult::NothingToDo {
            // Most of what changes in an HR system is nothing that is synchronised, and then nothing was.
            return;
        }
        let content = NoticeContent::RunEnded { report: Box::new(report.clone()) };
        self.outbox.push(format!("run {}", report.run), now, content);
    }

    /// Takes note of what became of telling a notice; see [`Outbox::settle`](crate::Outbox::settle).
    pub fn settle_notice(&mut self, id: &str, result: &Result<hris_core::Told>, now: DateTime<Utc>) {
        self.outbox.settle(id, result, now);
    }

    /// Writes the notice of a held plan: whoever ran it knows the digest that a release has to name.
    pub fn tell_held(
        &mut self,
        report: &RunReport,
        digest: &str,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let content = NoticeContent::PlanHeld {
            report: Box::new(report.clone()),
            digest: digest.to_owned(),
            expires_at,
        };
        self.outbox.push(format!("held {}", report.run), now, content);
    }
}
