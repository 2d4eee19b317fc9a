//! Driving many connections: whatever is due gets its turn, fairly, until somebody stops it.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use hris_core::connections::ConnectionStore as _;
use hris_core::{ConnectionKey, Result};
use tokio::sync::watch;

use crate::fair::FairQueue;
use crate::worker::{Stepped, Worker};

/// How many due connections are asked for at a time.
const PAGE: usize = 500;

/// How many connections run at once, and how often is looked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunnerOptions {
    /// Connections that run at once (32).
    pub at_once: NonZeroUsize,
    /// Of these, at most so many of one tenant (2).
    pub per_tenant: NonZeroUsize,
    /// How often is looked at least for what others asked for (a minute).
    pub look_every: Duration,
    /// How long a connection is left alone that another worker has (a minute).
    pub come_back_after: Duration,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        let at_once = NonZeroUsize::MIN.saturating_add(31);
        let per_tenant = NonZeroUsize::MIN.saturating_add(1);
        Self { at_once, per_tenant, look_every: MINUTE, come_back_after: MINUTE }
    }
}

impl RunnerOptions {
    /// Another number of connections that run at once.
    #[must_use]
    pub fn with_at_once(mut self, at_once: NonZeroUsize) -> Self {
        self.at_once = at_once;
        self
    }

    /// Another number of one tenant's connections that run at once.
    #[must_use]
    pub fn with_per_tenant(mut self, per_tenant: NonZeroUsize) -> Self {
        self.per_tenant = per_tenant;
        self
    }
}

/// Asks a runner to stop, from any task. Cloning makes another handle.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Asks: nothing new begins, and what is under way stops at its next page or batch. Nothing is lost: the next
    /// runner goes on.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    async fn stopped(&self) {
        let mut asked = self.0.subscribe();
        // The sender is ours, so the channel cannot close while we wait.
        let _ = asked.wait_for(|stopped| *stopped).await;
    }
}

/// Drives the connections of a store on a tokio runtime.
///
/// All of its connections run concurrently in the one task that calls [`Runner::run`], which may be a spawned one: they
/// wait for other systems most of the time. For more than one core, give each of several threads a runner: several runners may share one store, in
/// one process or in many, since the leases and the saved states keep them apart.
#[derive(Clone, Debug)]
pub struct Runner {
    worker: Worker,
    options: RunnerOptions,
}

impl Runner {
    /// A runner of a worker's connections.
    pub fn new(worker: Worker, options: RunnerOptions) -> Self {
        Self { worker, options }
    }

    /// Runs whatever is due until `stop` is asked for, and then waits for what is under way to stop.
    ///
    /// # Errors
    /// Only if the store cannot be asked what is due, and nothing is under way any more. A connection that fails keeps
    /// no other from its turn.
    pub async fn run(&self, stop: &Stop) -> Result<()> {
        let mut shift = Shift::new(self);
        let mut failed = Ok(());
        while !stop.is_stopped() && failed.is_ok() {
            failed = shift.fill().await;
            if failed.is_ok() {
                shift.wait(stop).await;
            }
        }
        shift.close().await;
        failed
    }

    /// How long nothing becomes due by itself while so many turns are under way.
    async fn pause(&self, under_way: usize) -> Duration {
        let options = &self.options;
        if under_way >= options.at_once.get() {
            return options.look_every;
        }
        let now = self.worker.clock().now();
        // A store that cannot tell now is asked again after the usual while.
        let next = self.worker.next_due().await.ok().flatten();
        let wait = next.map(|next| (next - now).max(TimeDelta::milliseconds(1)));
        let wait = wait.and_then(|wait| wait.to_std().ok()).unwrap_or(options.look_every);
        wait.min(options.look_every)
    }
}

type Turn = (ConnectionKey, Result<Stepped>);

/// A runner at work.
struct Shift<'a> {
    runner: &'a Runner,
    queue: FairQueue,
    turns: FuturesUnordered<BoxFuture<'a, Turn>>,
    /// Connections that are due and left alone for a while.
    later: HashMap<ConnectionKey, DateTime<Utc>>,
}

impl<'a> Shift<'a> {
    fn new(runner: &'a Runner) -> Self {
        let queue = FairQueue::new(runner.options.per_tenant.get());
        Self { runner, queue, turns: FuturesUnordered::new(), later: HashMap::new() }
    }

    /// Gives turns to whoever is due, as many as may run at once.
    async fn fill(&mut self) -> Result<()> {
        let free = self.runner.options.at_once.get().saturating_sub(self.turns.len());
        if free == 0 {
            return Ok(());
        }
        if self.queue.waiting() < free {
            self.look().await?;
        }
        for _ in 0..free {
            let Some(key) = self.queue.take() else { break };
            let worker = &self.runner.worker;
            self.turns.push(Box::pin(async move {
                let stepped = worker.step(&key).await;
                (key, stepped)
            }));
        }
        Ok(())
    }

    /// Puts in line whatever is due.
    async fn look(&mut self) -> Result<()> {
        let now = self.runner.worker.clock().now();
        self.later.retain(|_, until| *until > now);
        let store = self.runner.worker.connections().store();
        let mut offset = 0;
        loop {
            let page = store.due_connections(now, offset, PAGE).await?;
            let count = page.len();
            self.queue.offer(page.into_iter().filter(|(_, key)| !self.later.contains_key(key)));
            offset += count as u64;
            if count < PAGE {
                return Ok(());
            }
        }
    }

    /// Waits until a turn ends, something becomes due, somebody asks for a run, or the runner is to stop.
    async fn wait(&mut self, stop: &Stop) {
        let sleep = self.runner.pause(self.turns.len()).await;
        let worker = self.runner.worker.clone();
        let asked = std::pin::pin!(worker.parts.wake.notified());
        let time = std::pin::pin!(worker.clock().sleep(sleep));
        let stopped = std::pin::pin!(stop.stopped());
        let others = select(select(asked, time), stopped);
        if self.turns.is_empty() {
            others.await;
            return;
        }
        if let Either::Left((Some(turn), _)) = select(self.turns.next(), others).await {
            self.ended(turn);
        }
        while let Some(Some(turn)) = self.turns.next().now_or_never() {
            self.ended(turn);
        }
    }

    fn ended(&mut self, (key, stepped): Turn) {
        self.queue.done(&key);
        let come_back = match &stepped {
            Ok(stepped) => stepped.come_back_later,
            Err(error) => {
                tracing::warn!(connection = %key, %error, "a connection could not be looked at");
                true
            }
        };
        if come_back {
            let wait = TimeDelta::from_std(self.runner.options.come_back_after).unwrap_or_default();
            self.later.insert(key, self.runner.worker.clock().now() + wait);
        }
    }

    /// Stops what is under way and waits for it.
    async fn close(&mut self) {
        self.runner.worker.parts.board.cancel_all();
        while self.turns.next().await.is_some() {
            // One that begins its run only now is asked as well.
            self.runner.worker.parts.board.cancel_all();
        }
    }
}

/// Does not compile if a runner can no longer be spawned.
const _: fn(&'static Runner, &'static Stop) = |runner, stop| {
    fn may_move<T: Send>(_: &T) {}
    may_move(&runner.run(stop));
};
