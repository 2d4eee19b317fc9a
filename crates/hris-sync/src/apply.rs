//! Carrying a plan out: verify, write down, send, write down how it ended. A crash anywhere is continued here.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::keys::Fingerprinter;
use hris_core::store::{ActionState, Baseline, Lease, Link, PlanState, Settlement, StoredAction, StoredPlan};
use hris_core::{
    Action, ActionKind, AppliedCounts, Error, ErrorKind, Expectation, LeaveReason, MemberId, MemberQuery,
    MemberRecord, Outcome, Problem, ProgressEvent, RecordId, Result, RuleCode, Stage, Verdict, rule,
};

use crate::engine::Parts;
use crate::planning::LEASE;
use crate::view::action_pages;

/// How many actions are written down as begun in one go: one transaction for each would cost more than sending it.
const WAVE: usize = 64;

/// An action, and how it ended; `None` where that cannot be found out now.
type Ended<'s> = (&'s Action, Option<Settlement>);

/// One plan being carried out.
pub(crate) struct Applying<'a> {
    parts: &'a Parts,
    lease: Lease,
    plan: StoredPlan,
    fingerprinter: Fingerprinter,
    pub(crate) counts: AppliedCounts,
    pub(crate) problems: BTreeMap<RuleCode, u64>,
    /// Records whose actions ended without effect, or nobody knows how.
    pub(crate) failed: Vec<RecordId>,
    /// Records whose first step of two is not carried out yet, so that others wait.
    waiting: BTreeSet<RecordId>,
}

impl<'a> Applying<'a> {
    /// Gets ready to apply a plan.
    pub(crate) async fn new(parts: &'a Parts, lease: &Lease, plan: StoredPlan) -> Result<Self> {
        let baseline = parts.store.baseline(&parts.connection).await?;
        let fingerprinter = parts.fingerprinter(baseline.as_ref()).await?;
        Ok(Self {
            parts,
            lease: lease.clone(),
            plan,
            fingerprinter,
            counts: AppliedCounts::default(),
            problems: BTreeMap::new(),
            failed: Vec::new(),
            waiting: BTreeSet::new(),
        })
    }

    /// Refuses a plan that is not this connection's, was made with another mapping or policy, is expired, held or
    /// altered.
    pub(crate) async fn verify(&self) -> Result<()> {
        let header = &self.plan.header;
        let stale = |what: &'static str| {
            Err(Error::new(ErrorKind::Stale, what).with_hint("plan anew").with_context("plan", &header.id))
        };
        let now = self.parts.clock.now();
        if header.connection != self.parts.connection {
            return stale("the plan belongs to another connection");
        }
        if header.mapping != *self.parts.mapping.version() {
            return stale("the mapping changed since the plan was made");
        }
        if header.policy != self.parts.policy.version(&self.fingerprinter) {
            return stale("the policy changed since the plan was made");
        }
        if now >= header.expires_at {
            return stale("the plan has expired");
        }
        match (&header.verdict, &self.plan.state) {
            (_, state) if state.is_final() => return stale("the plan was carried out or dismissed already"),
            (Verdict::Held(_), PlanState::Released { until, .. }) if now >= *until => {
                return stale("the release of the plan has expired");
            }
            (Verdict::Ready, _) | (Verdict::Held(_), PlanState::Released { .. } | PlanState::Applying) => {}
            (Verdict::Held(_), _) => {
                return Err(Error::new(ErrorKind::Held, "the plan is held")
                    .with_hint("look at its reasons, then release it by its digest or dismiss it")
                    .with_context("plan", &header.id));
            }
        }
        self.verify_digest().await
    }

    async fn verify_digest(&self) -> Result<()> {
        let header = &self.plan.header;
        let altered = || {
            Error::new(ErrorKind::Integrity, "the plan does not fit its digest")
                .with_hint("it was altered after it was made, or its key is another; plan anew")
                .with_context("plan", &header.id)
        };
        let mut digester = header.digester(&self.fingerprinter);
        let mut pages = action_pages(&*self.parts.store, &header.connection, &header.id, None);
        while let Some(page) = pages.try_next().await? {
            for StoredAction { action, state, .. } in page {
                if !state.is_final() && action.expected_id(&self.fingerprinter) != action.id {
                    return Err(altered());
                }
                digester.add(action.id.as_str().as_bytes());
            }
        }
        if digester.finish() == header.digest { Ok(()) } else { Err(altered()) }
    }

    /// Carries out what is left of the plan. What was begun before a crash is read back first.
    #[tracing::instrument(name = "hris.apply", skip_all, fields(plan = %self.plan.header.id))]
    pub(crate) async fn run(&mut self) -> Result<()> {
        self.pin_baseline().await?;
        self.set_state(PlanState::Applying).await?;
        let parts = self.parts;
        let (connection, id) = (self.plan.header.connection.clone(), self.plan.header.id.clone());
        let total = self.plan.header.summary.actions();
        let mut done = 0;
        let mut pages = action_pages(&*parts.store, &connection, &id, None);
        while let Some(page) = pages.try_next().await? {
            for group in page.chunk_by(|a, b| a.action.rank == b.action.rank) {
                parts.cancel.check()?;
                self.group(group).await?;
                done += group.len() as u64;
                parts.progress.report(ProgressEvent::new(Stage::Applying, done, Some(total)));
            }
        }
        self.finish().await
    }

    /// What was begun is resolved; nothing else is sent. For a plan that may not go on.
    pub(crate) async fn settle_begun(&mut self) -> Result<()> {
        let (connection, id) = (self.plan.header.connection.clone(), self.plan.header.id.clone());
        let mut pages = action_pages(&*self.parts.store, &connection, &id, None);
        while let Some(page) = pages.try_next().await? {
            let begun = page.into_iter().filter(|stored| stored.state == ActionState::Begun);
            for stored in begun {
                let settlement = self.read_back(&stored.action, None).await?;
                self.settle(vec![(&stored.action, settlement)]).await?;
            }
        }
        Ok(())
    }

    /// Actions of one rank, which do not depend on each other.
    async fn group(&mut self, group: &[StoredAction]) -> Result<()> {
        let open: Vec<_> = group.iter().filter(|stored| !stored.state.is_final()).collect();
        let (begun, pending): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|stored| stored.state == ActionState::Begun);
        for stored in begun {
            let settlement = self.read_back(&stored.action, None).await?;
            self.settle(vec![(&stored.action, settlement)]).await?;
        }
        let ended = self.waves(&pending).await?;
        for (action, settlement) in &ended {
            self.count(action, settlement.as_ref());
        }
        self.keep_lease().await?;
        self.parts.cancel.check()
    }

    /// Carries out actions which do not depend on each other, wave by wave. A stop begins no further wave.
    async fn waves<'s>(&self, actions: &[&'s StoredAction]) -> Result<Vec<Ended<'s>>> {
        let capabilities = self.parts.target.capabilities();
        let at_once = capabilities.max_in_flight.get().saturating_mul(capabilities.max_batch.get());
        let mut ended = Vec::new();
        for wave in actions.chunks(at_once.max(WAVE)) {
            if !self.parts.cancel.is_cancelled() {
                ended.extend(self.wave(wave).await?);
            }
        }
        Ok(ended)
    }

    /// One wave: check what each action expects, write down what is sent, send it in batches, as many at once as the
    /// target takes, and write down how they ended, many together: after a crash the rest is found out by reading.
    async fn wave<'s>(&self, actions: &[&'s StoredAction]) -> Result<Vec<Ended<'s>>> {
        let capabilities = self.parts.target.capabilities();
        let (send, mut ended) = self.checked(actions).await?;
        self.write_down(&ended).await?;
        if send.is_empty() {
            return Ok(ended);
        }
        let ids: Vec<_> = send.iter().map(|action| action.id.clone()).collect();
        self.parts.store.begin(&self.lease, &self.plan.header.id, &ids).await?;
        let mut batches = send.chunks(capabilities.max_batch.get());
        let (mut under_way, mut now) = (FuturesUnordered::new(), Vec::new());
        loop {
            while under_way.len() < capabilities.max_in_flight.get()
                && let Some(batch) = batches.next()
            {
                under_way.push(self.batch(batch));
            }
            let Some(batch) = under_way.next().await else { break };
            now.extend(batch?);
            if now.len() >= WAVE / 2 {
                self.write_down(&now).await?;
                ended.append(&mut now);
            }
        }
        self.write_down(&now).await?;
        ended.append(&mut now);
        Ok(ended)
    }

    /// The actions whose expectations hold; and those whose do not, which end or wait with nothing sent.
    async fn checked<'s>(&self, actions: &[&'s StoredAction]) -> Result<(Vec<&'s Action>, Vec<Ended<'s>>)> {
        let records: Vec<_> = actions.iter().map(|stored| stored.action.person.record.clone()).collect();
        let links = self.parts.store.links_of(&self.parts.connection, &records).await?;
        let (mut send, mut ended) = (Vec::new(), Vec::new());
        for (stored, link) in actions.iter().zip(links) {
            let action = &stored.action;
            if self.waits(action) {
                ended.push((action, None));
            } else if holds(&action.expects, link.as_ref()) {
                send.push(action);
            } else {
                let problem =
                    Problem::error(rule::ACTION_STALE, "the member changed since the plan was made; skipped");
                ended.push((action, Some(failed(action, problem))));
            }
        }
        Ok((send, ended))
    }

    /// One batch: send it, and find out what became of it. After a stop it is not sent any more.
    async fn batch<'s>(&self, batch: &[&'s Action]) -> Result<Vec<Ended<'s>>> {
        if self.parts.cancel.is_cancelled() {
            return Ok(batch.iter().map(|action| (*action, Some(not_sent(action)))).collect());
        }
        let actions: Vec<_> = batch.iter().map(|action| (*action).clone()).collect();
        let mut outcomes = self.parts.target.apply(&actions).await.into_iter();
        let mut ended = Vec::new();
        for action in batch {
            // A target that answers fewer outcomes than it was asked for leaves the rest in doubt.
            let outcome = outcomes.next().unwrap_or_else(|| Outcome::InDoubt(no_outcome()));
            ended.push((*action, self.interpret(action, outcome).await?));
        }
        Ok(ended)
    }

    /// Writes down how actions ended.
    async fn write_down(&self, ended: &[Ended<'_>]) -> Result<()> {
        let settlements: Vec<_> = ended.iter().filter_map(|(_, settlement)| settlement.clone()).collect();
        if settlements.is_empty() {
            return Ok(());
        }
        self.parts.store.settle(&self.lease, &self.plan.header.id, &settlements).await
    }

    /// Whether an action has to wait for somebody's step to a temporary value that was not sent: the rest of that very
    /// person, and whoever is in the order of those who hand on a value.
    fn waits(&self, action: &Action) -> bool {
        let hands_on =
            action.rank < ActionKind::FIRST_ORDINARY_RANK && !matches!(action.kind, ActionKind::Park { .. });
        self.waiting.contains(&action.person.record) || hands_on && !self.waiting.is_empty()
    }

    async fn interpret(&self, action: &Action, outcome: Outcome) -> Result<Option<Settlement>> {
        Ok(match outcome {
            Outcome::Applied(member) | Outcome::AlreadySo(member) => Some(done(action, member)),
            Outcome::Rejected(error) => Some(failed(action, refusal(rule::MEMBER_REJECTED, &error))),
            Outcome::Conflict(error) => Some(failed(action, refusal(rule::MEMBER_CONFLICT, &error))),
            Outcome::NotAttempted(_) => Some(not_sent(action)),
            Outcome::InDoubt(error) => self.read_back(action, Some(error)).await?,
            _ => Some(uncertain(action, "the target answered something that this version does not know")),
        })
    }

    /// Finds out whether an action took effect by reading the member, and repeats it once if it did not. `None`:
    /// the target cannot be read now, so that the action stays written down as begun.
    async fn read_back(&self, action: &Action, doubt: Option<Error>) -> Result<Option<Settlement>> {
        if let Some(doubt) = doubt {
            tracing::warn!(action = action.kind.as_str(), %doubt, "reading back a write that is in doubt");
        }
        match self.find(action).await {
            Reading::Unreadable => return Ok(None),
            Reading::AsIntended(member) => return Ok(Some(done(action, member))),
            Reading::Ambiguous => {
                return Ok(Some(uncertain(action, "several members match this employee now")));
            }
            Reading::Gone => {
                let problem =
                    Problem::error(rule::MEMBER_VANISHED, "the member is not on the platform any more");
                return Ok(Some(failed(action, problem)));
            }
            Reading::NotAsIntended => {}
        }
        let again = self.parts.target.apply(std::slice::from_ref(action)).await.into_iter().next();
        match again.unwrap_or_else(|| Outcome::InDoubt(no_outcome())) {
            Outcome::InDoubt(_) => match self.find(action).await {
                Reading::AsIntended(member) => Ok(Some(done(action, member))),
                Reading::Unreadable => Ok(None),
                _ => Ok(Some(uncertain(
                    action,
                    "the write was answered unclearly twice, and the member is not as intended",
                ))),
            },
            outcome => Box::pin(self.interpret(action, outcome)).await,
        }
    }

    async fn find(&self, action: &Action) -> Reading {
        let query = match &action.member {
            Some(member) => MemberQuery::Id(member.clone()),
            None => MemberQuery::EmployeeId(action.after.employee_id.clone()),
        };
        let Ok(found) = self.parts.target.find(&query).await else {
            return Reading::Unreadable;
        };
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Reading::Ambiguous,
            (Some(member), None) if is_as_intended(action, &member) => Reading::AsIntended(member.id),
            (Some(_), None) => Reading::NotAsIntended,
            (None, _) if action.member.is_some() => Reading::Gone,
            (None, _) => Reading::NotAsIntended,
        }
    }

    async fn settle(&mut self, ended: Vec<Ended<'_>>) -> Result<()> {
        self.write_down(&ended).await?;
        for (action, settlement) in &ended {
            self.count(action, settlement.as_ref());
        }
        Ok(())
    }

    fn count(&mut self, action: &Action, settlement: Option<&Settlement>) {
        let state = settlement.map(|settlement| &settlement.state);
        if matches!(action.kind, ActionKind::Park { .. }) && !state.is_some_and(ActionState::is_final) {
            self.waiting.insert(action.person.record.clone());
        }
        if matches!(state, Some(ActionState::Failed(_) | ActionState::Uncertain(_))) {
            self.failed.push(action.person.record.clone());
        }
        let counts = &mut self.counts;
        let count = match state {
            Some(ActionState::Done) => match &action.kind {
                ActionKind::Create { invite, .. } => {
                    counts.invited += u64::from(*invite);
                    &mut counts.created
                }
                ActionKind::Adopt { .. } => &mut counts.adopted,
                ActionKind::Update { .. } => &mut counts.updated,
                ActionKind::Park { .. } => &mut counts.parked,
                ActionKind::Leave { reason: LeaveReason::Withdrawn, .. } => &mut counts.withdrawn,
                ActionKind::Leave { .. } => &mut counts.left,
                ActionKind::Reactivate { .. } => &mut counts.reactivated,
                _ => &mut counts.failed,
            },
            Some(ActionState::Failed(problem)) => {
                *self.problems.entry(problem.rule.clone()).or_default() += 1;
                &mut counts.failed
            }
            Some(ActionState::Uncertain(problem)) => {
                *self.problems.entry(problem.rule.clone()).or_default() += 1;
                &mut counts.uncertain
            }
            _ => &mut counts.pending,
        };
        *count += 1;
    }

    /// The account, the kind of record ids and the key are pinned before the first write.
    async fn pin_baseline(&self) -> Result<()> {
        if self.parts.store.baseline(&self.parts.connection).await?.is_none() {
            self.parts.store.set_baseline(&self.lease, &self.baseline(None)).await?;
        }
        Ok(())
    }

    fn baseline(&self, last_complete: Option<u64>) -> Baseline {
        let header = &self.plan.header;
        let reading = &header.reading;
        let mut baseline = Baseline::new(
            reading.account.clone(),
            reading.record_id_kind.clone(),
            self.fingerprinter.key().clone(),
            header.mapping.clone(),
        );
        baseline.last_complete = last_complete;
        baseline.watermark.clone_from(&reading.watermark);
        baseline
    }

    async fn finish(&mut self) -> Result<()> {
        if self.counts.pending > 0 {
            return Ok(());
        }
        self.set_state(PlanState::Applied).await?;
        self.remember_reading().await
    }

    /// Later readings are held against this one, unless it did not read everyone.
    pub(crate) async fn remember_reading(&self) -> Result<()> {
        let before = self.parts.store.baseline(&self.parts.connection).await?;
        let last_complete =
            self.plan.header.reading.full.or_else(|| before.as_ref().and_then(|known| known.last_complete));
        let baseline = self.baseline(last_complete);
        if before.as_ref() != Some(&baseline) {
            self.parts.store.set_baseline(&self.lease, &baseline).await?;
        }
        Ok(())
    }

    async fn set_state(&mut self, state: PlanState) -> Result<()> {
        if self.plan.state != state {
            self.parts.store.set_plan_state(&self.lease, &self.plan.header.id, &state).await?;
            self.plan.state = state;
        }
        Ok(())
    }

    async fn keep_lease(&mut self) -> Result<()> {
        let now = self.parts.clock.now();
        if self.lease.expires_at - now < chrono::TimeDelta::from_std(LEASE / 2).unwrap_or_default() {
            self.lease = self.parts.store.renew(&self.lease, now, LEASE).await?;
        }
        Ok(())
    }
}

/// What reading a member back tells about an action.
enum Reading {
    AsIntended(MemberId),
    NotAsIntended,
    Gone,
    Ambiguous,
    Unreadable,
}

fn holds(expects: &Expectation, link: Option<&Link>) -> bool {
    match (expects, link) {
        (Expectation::Unlinked, None) => true,
        (Expectation::Linked { state, row }, Some(link)) => *state == link.state && *row == link.prints.row(),
        _ => false,
    }
}

/// Whether a member is as an action wants it to be.
fn is_as_intended(action: &Action, member: &MemberRecord) -> bool {
    let open = !matches!(action.kind, ActionKind::Leave { .. });
    let attributes_fit = action.kind.changes().is_none_or(|changes| {
        changes.iter().all(|(field, value)| member.attributes.get(field).flatten() == value)
    });
    member.active == open && attributes_fit
}

fn done(action: &Action, member: MemberId) -> Settlement {
    let after = &action.after;
    let link = Link::new(
        action.person.record.clone(),
        after.employee_id.clone(),
        member,
        after.state,
        after.email,
        after.prints.clone(),
    );
    Settlement::done(action.id.clone(), link)
}

fn not_sent(action: &Action) -> Settlement {
    Settlement::new(action.id.clone(), ActionState::Pending)
}

fn failed(action: &Action, problem: Problem) -> Settlement {
    Settlement::new(action.id.clone(), ActionState::Failed(problem.of(&action.person)))
}

fn uncertain(action: &Action, evidence: &'static str) -> Settlement {
    let problem = Problem::error(rule::ACTION_UNCERTAIN, evidence).of(&action.person);
    Settlement::new(action.id.clone(), ActionState::Uncertain(problem))
}

fn refusal(rule: RuleCode, error: &Error) -> Problem {
    Problem::error(rule, error.to_string())
}

fn no_outcome() -> Error {
    Error::new(ErrorKind::Protocol, "the target gave no outcome for an action")
}
