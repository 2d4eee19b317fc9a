//! What an administrator does at a connection: review, publish, import now, release, stop, revoke.

use hris_connection::{NextRun, Revoked, RunRequest, Step, Zone};
use hris_core::descriptor::Integration;
use hris_core::{
    ConnectionKey, EmployeeRef, Error, ErrorKind, PlanId, ProvisioningPlan as _, Result, RunId, RunReport,
    Scope, Trigger, Verdict,
};
use hris_sync::{PlanView, Refeed, release_run};

use crate::worker::Worker;

impl Worker {
    /// Makes the plan that the mapping being worked on would carry out, and saves it as reviewed: what
    /// [`Worker::publish`] confirms. Nothing is applied.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with everything that is missing before, or if the platform cannot honour the choice of
    /// the welcome message.
    pub async fn review(&self, key: &ConnectionKey, actor: &str) -> Result<PlanView> {
        let connection = self.parts.connections.get(key).await?;
        Step::Review.check(connection.stage())?;
        connection.check_ready_for_review(self.clock().now())?;
        let run = RunId::from(format!("review {}", self.clock().now().format("%Y-%m-%dT%H:%M:%SZ")));
        let active = self.parts.board.begin(key, &run);
        let as_of = self.today(&connection);
        let made = async {
            let (engine, _) = self.engine(&connection, connection.draft_mapping()?, &active).await?;
            self.watched(key, &run, &active, Box::pin(engine.plan(&run, as_of))).await
        };
        let made = made.await;
        self.parts.board.end(key, &run);
        let plan = made?;
        let (header, now) = (plan.header().clone(), self.clock().now());
        self.parts
            .connections
            .change(key, |connection| connection.record_review(&header, actor, now))
            .await?;
        Ok(plan)
    }

    /// Publishes: makes the reviewed mapping live and carries out the plan that the review showed, confirmed by its
    /// digest. From now on the connection runs by its schedule.
    ///
    /// # Errors
    /// As [`hris_connection::Connection::publish`]; then what carrying the plan out came to, which leaves the
    /// connection published.
    pub async fn publish(&self, key: &ConnectionKey, digest: &str, actor: &str) -> Result<RunReport> {
        let now = self.clock().now();
        let published =
            self.parts.connections.change(key, |connection| connection.publish(digest, actor, now));
        let review = published.await?;
        Box::pin(self.carry_out(key, &review.plan, digest, actor)).await
    }

    /// Releases a held plan, for exactly its own actions by digest, and carries it out.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] unless the connection is live; what carrying it out came to.
    pub async fn release(
        &self,
        key: &ConnectionKey,
        plan: &PlanId,
        digest: &str,
        actor: &str,
    ) -> Result<RunReport> {
        Box::pin(self.carry_out(key, plan, digest, actor)).await
    }

    /// A held plan is released by whoever confirms it; any other is applied.
    async fn carry_out(
        &self,
        key: &ConnectionKey,
        plan: &PlanId,
        digest: &str,
        actor: &str,
    ) -> Result<RunReport> {
        let connection = self.parts.connections.get(key).await?;
        Step::Run.check(connection.stage())?;
        let stored = self.parts.store.plan(key, plan).await?.ok_or_else(|| no_such_plan(plan))?;
        let run = match stored.header.verdict {
            Verdict::Held(_) => release_run(&stored.header),
            Verdict::Ready => stored.header.run.clone(),
        };
        let next = NextRun::named(run, Trigger::OnDemand);
        let active = self.parts.board.begin(key, &next.run);
        let now = self.clock().now();
        let begun = self.parts.connections.change(key, |connection| {
            connection.note_begun(&next.run, &self.parts.name, now, self.silence())
        });
        begun.await?;
        let result = async {
            let (engine, welcoming) = self.engine(&connection, connection.live_mapping()?, &active).await?;
            let work = async {
                let report = match stored.header.verdict {
                    Verdict::Held(_) => Box::pin(engine.release(plan, digest, actor)).await,
                    Verdict::Ready => Box::pin(engine.apply(plan, digest, Trigger::OnDemand)).await,
                };
                if let Some(welcoming) = welcoming {
                    welcoming.sweep().await?;
                }
                report
            };
            self.watched(key, &next.run, &active, work).await
        };
        let result = result.await;
        self.parts.board.end(key, &next.run);
        let result = self.conclude(key, &next, result).await;
        self.deliver(key).await?;
        result
    }

    /// A stored plan, to look at before it is released.
    pub async fn plan(&self, key: &ConnectionKey, plan: &PlanId) -> Result<PlanView> {
        let connection = self.parts.connections.get(key).await?;
        let run = RunId::from("look");
        let active = self.parts.board.begin(key, &run);
        let engine = self.engine(&connection, connection.live_mapping()?, &active).await;
        self.parts.board.end(key, &run);
        engine?.0.stored(plan).await
    }

    /// Takes an error file whose column `corrected_value` somebody filled in: each such row becomes an override that the
    /// next import respects, until the HR system says something else.
    ///
    /// # Errors
    /// As [`hris_sync::Engine::refeed`].
    pub async fn refeed(
        &self,
        key: &ConnectionKey,
        file: impl std::io::Read + Send,
        actor: &str,
        reason: &str,
    ) -> Result<Refeed> {
        let connection = self.parts.connections.get(key).await?;
        Step::Run.check(connection.stage())?;
        let run = RunId::from("corrections");
        let active = self.parts.board.begin(key, &run);
        let engine = self.engine(&connection, connection.live_mapping()?, &active).await;
        self.parts.board.end(key, &run);
        engine?.0.refeed(file, actor, reason).await
    }

    /// Asks for an import of everyone ahead of the schedule and answers the run's name. Whoever runs connections
    /// takes it up, in this process at once.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] unless the connection is live.
    pub async fn import_now(&self, key: &ConnectionKey, actor: &str) -> Result<RunId> {
        self.ask(key, actor, None).await
    }

    /// Asks for an import of one person ahead of the schedule and answers the run's name.
    ///
    /// # Errors
    /// As [`Worker::import_now`]. Where the HR system cannot read one person, the run fails and says so.
    pub async fn import_person_now(
        &self,
        key: &ConnectionKey,
        person: EmployeeRef,
        actor: &str,
    ) -> Result<RunId> {
        self.ask(key, actor, Some(person)).await
    }

    /// Asks for the reading that a webhook is a reason for, of one person or of everyone, and answers the runs that will
    /// do it. However often and in whatever order webhooks come, no more is read than there is to read; see
    /// [`hris_connection::Connection::request_notified`].
    ///
    /// # Errors
    /// As [`Worker::import_now`].
    pub async fn read_soon(&self, key: &ConnectionKey, scope: &Scope) -> Result<Vec<RunId>> {
        let now = self.clock().now();
        let asked = self.parts.connections.change(key, |connection| {
            let people: Vec<_> = match scope {
                Scope::People(people) => people.iter().map(Some).collect(),
                _ => vec![None],
            };
            let mut runs = std::collections::BTreeSet::new();
            for person in people {
                runs.extend(connection.request_notified(person, now)?);
            }
            // Of many people one reading of everyone took the place.
            runs.retain(|run| connection.timetable().requests.iter().any(|asked| asked.run == *run));
            Ok(runs)
        });
        let runs = asked.await?.into_iter().collect();
        self.parts.wake.notify_one();
        Ok(runs)
    }

    async fn ask(&self, key: &ConnectionKey, actor: &str, person: Option<EmployeeRef>) -> Result<RunId> {
        let now = self.clock().now();
        let what = person.as_ref().map_or("on demand", |_| "one person on demand");
        let wanted = format!("{what} {}", now.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
        let asked = self.parts.connections.change(key, |connection| {
            let run = connection.free_run(&wanted);
            let mut request = RunRequest::everyone(run.clone(), actor, now);
            request.person.clone_from(&person);
            connection.request(request)?;
            Ok(run)
        });
        let run = asked.await?;
        self.parts.wake.notify_one();
        Ok(run)
    }

    /// Asks a run to stop, in whatever process it is under way. What was begun is finished, and nothing is lost.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if no such run is under way or waits.
    pub async fn ask_to_stop(&self, key: &ConnectionKey, run: &RunId) -> Result<()> {
        self.parts.connections.change(key, |connection| connection.ask_to_stop(run)).await?;
        if let Some(active) = self.parts.board.get(key, run) {
            active.cancel.cancel();
        }
        Ok(())
    }

    /// Revokes access: stops what is under way in this process, and then as
    /// [`hris_connection::Connections::revoke`]. Other processes stop at their next look.
    pub async fn revoke(&self, key: &ConnectionKey, vendor: &Integration, actor: &str) -> Result<Revoked> {
        let revoked = self.parts.connections.revoke(key, vendor, actor).await?;
        self.parts.board.cancel_of(key);
        Ok(revoked)
    }

    fn today(&self, connection: &hris_connection::Connection) -> chrono::NaiveDate {
        let zone = connection.setup().schedule.as_ref().map_or(Zone::UTC, hris_connection::Schedule::zone);
        zone.date(self.clock().now())
    }
}

fn no_such_plan(plan: &PlanId) -> Error {
    Error::new(ErrorKind::NotFound, "this connection has no such plan").with_context("plan", plan)
}
