//! Carrying a plan out: verify, write down, send, write down how it ended. A crash anywhere is continued here.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::keys::{FieldTag, Fingerprinter, Prints};
use hris_core::store::{ActionState, Baseline, Lease, Link, PlanState, Settlement, StoredAction, StoredPlan};
use hris_core::{
    Action, ActionKind, AppliedCounts, Attributes, Error, ErrorKind, Expectation, LeaveReason, MemberField,
    MemberId, MemberQuery, MemberRecord, Outcome, Problem, ProgressEvent, RecordId, Result, RuleCode,
    Severity, Stage, TargetField, Verdict, rule,
};

use crate::engine::{Parts, add};
use crate::planning::LEASE;
use crate::second_pass::{End, SecondPass, rest};
use crate::view::action_pages;

/// How many actions are written down as begun in one go: one transaction for each would cost more than sending it.
const WAVE: usize = 64;

/// An action, and how it ended.
type Ended<'s> = (&'s Action, End);

/// One plan being carried out.
pub(crate) struct Applying<'a> {
    parts: &'a Parts,
    lease: Lease,
    plan: StoredPlan,
    fingerprinter: Fingerprinter,
    pub(crate) counts: AppliedCounts,
    pub(crate) problems: BTreeMap<RuleCode, u64>,
    /// Those of them that are warnings.
    pub(crate) warnings: BTreeMap<RuleCode, u64>,
    /// What was left out and is tried again at the end.
    second: SecondPass,
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
            warnings: BTreeMap::new(),
            second: SecondPass::default(),
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
        self.run_second_pass().await?;
        self.finish().await
    }

    /// Tries once more what was left out, now that everybody is there who was to come. It is a plan of its own, so that
    /// no write is without a journal entry; what is left out again waits for a later run.
    async fn run_second_pass(&mut self) -> Result<()> {
        let second = std::mem::take(&mut self.second);
        let plans = &*self.parts.store;
        let plan =
            second.seal(plans, &self.lease, &self.plan.header, &self.fingerprinter, self.parts).await?;
        let Some(plan) = plan else { return Ok(()) };
        let mut applying = Self::new(self.parts, &self.lease, plan).await?;
        let result = Box::pin(applying.run()).await;
        self.lease = applying.lease.clone();
        self.counts.failed += applying.counts.failed;
        self.counts.uncertain += applying.counts.uncertain;
        self.counts.pending += applying.counts.pending;
        add(&mut self.problems, &applying.problems);
        add(&mut self.warnings, &applying.warnings);
        self.failed.append(&mut applying.failed);
        result
    }

    /// What was begun is resolved; nothing else is sent. For a plan that may not go on.
    pub(crate) async fn settle_begun(&mut self) -> Result<()> {
        let (connection, id) = (self.plan.header.connection.clone(), self.plan.header.id.clone());
        let mut pages = action_pages(&*self.parts.store, &connection, &id, None);
        while let Some(page) = pages.try_next().await? {
            let begun = page.into_iter().filter(|stored| stored.state == ActionState::Begun);
            for stored in begun {
                let end = self.read_back(&stored.action, None).await?;
                self.settle_one(&stored.action, end).await?;
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
            let end = self.read_back(&stored.action, None).await?;
            self.settle_one(&stored.action, end).await?;
        }
        let ended = self.waves(&pending).await?;
        for (action, end) in &ended {
            self.count(action, end);
        }
        self.leave_for_later(&ended).await?;
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
                ended.push((action, End::open()));
            } else if holds(&action.expects, link.as_ref()) {
                send.push(action);
            } else {
                let problem =
                    Problem::error(rule::ACTION_STALE, "the member changed since the plan was made; skipped");
                ended.push((action, failed(action, problem)));
            }
        }
        Ok((send, ended))
    }

    /// One batch: send it, and find out what became of it. After a stop it is not sent any more.
    async fn batch<'s>(&self, batch: &[&'s Action]) -> Result<Vec<Ended<'s>>> {
        if self.parts.cancel.is_cancelled() {
            return Ok(batch.iter().map(|action| (*action, End::of(not_sent(action)))).collect());
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
        let settlements: Vec<_> = ended.iter().filter_map(|(_, end)| end.settlement.clone()).collect();
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

    async fn interpret(&self, action: &Action, outcome: Outcome) -> Result<End> {
        Ok(match outcome {
            Outcome::Applied(member) | Outcome::AlreadySo(member) => done(action, member, &[]),
            Outcome::Partly { member, without } => done(action, member, &without),
            Outcome::Rejected(error) => failed(action, refusal(rule::MEMBER_REJECTED, &error)),
            Outcome::Conflict(error) => failed(action, refusal(rule::MEMBER_CONFLICT, &error)),
            Outcome::NotAttempted(error) => not_attempted(action, error),
            Outcome::InDoubt(error) => self.read_back(action, Some(error)).await?,
            _ => uncertain(action, "the target answered something that this version does not know"),
        })
    }

    /// Finds out whether an action took effect by reading the member, and repeats it once if it did not. Without a
    /// settlement: the target cannot be read now, so that the action stays written down as begun.
    async fn read_back(&self, action: &Action, doubt: Option<Error>) -> Result<End> {
        if let Some(doubt) = doubt {
            tracing::warn!(action = action.kind.as_str(), %doubt, "reading back a write that is in doubt");
        }
        match self.find(action).await {
            Reading::Unreadable => return Ok(End::open()),
            Reading::AsIntended(member, without) => return Ok(done(action, member, &without)),
            Reading::Ambiguous => {
                return Ok(uncertain(action, "several members match this employee now"));
            }
            Reading::Gone => {
                let problem =
                    Problem::error(rule::MEMBER_VANISHED, "the member is not on the platform any more");
                return Ok(failed(action, problem));
            }
            Reading::NotAsIntended => {}
        }
        let again = self.parts.target.apply(std::slice::from_ref(action)).await.into_iter().next();
        match again.unwrap_or_else(|| Outcome::InDoubt(no_outcome())) {
            Outcome::InDoubt(_) => Ok(match self.find(action).await {
                Reading::AsIntended(member, without) => done(action, member, &without),
                Reading::Unreadable => End::open(),
                _ => uncertain(
                    action,
                    "the write was answered unclearly twice, and the member is not as intended",
                ),
            }),
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
            (Some(member), None) => self.compare(action, member).await,
            (None, _) if action.member.is_some() => Reading::Gone,
            (None, _) => Reading::NotAsIntended,
        }
    }

    /// Whether a member is as an action wants it to be, but for what waits for other members.
    async fn compare(&self, action: &Action, member: MemberRecord) -> Reading {
        if is_as_intended(action, &member, &[]) {
            return Reading::AsIntended(member.id, Vec::new());
        }
        let Some(changes) = action.kind.changes() else { return Reading::NotAsIntended };
        let awaited = self.parts.target.awaited(changes).await;
        let without: Vec<_> = awaited.into_iter().map(|awaited| awaited.field).collect();
        if !without.is_empty() && is_as_intended(action, &member, &without) {
            return Reading::AsIntended(member.id, without);
        }
        Reading::NotAsIntended
    }

    async fn settle_one(&mut self, action: &Action, end: End) -> Result<()> {
        let ended = [(action, end)];
        let settlements: Vec<_> = ended.iter().filter_map(|(_, end)| end.settlement.clone()).collect();
        self.parts.store.settle(&self.lease, &self.plan.header.id, &settlements).await?;
        self.count(action, &ended[0].1);
        self.leave_for_later(&ended).await
    }

    /// Takes down what was left out of actions.
    async fn leave_for_later(&mut self, ended: &[(&Action, End)]) -> Result<()> {
        let rest = |(action, end): &(&Action, End)| rest(&self.fingerprinter, action, end);
        let rest: Vec<_> = ended.iter().filter_map(rest).collect();
        self.second.add(&*self.parts.store, &self.lease, &self.plan.header.id, &rest).await
    }

    fn count(&mut self, action: &Action, end: &End) {
        let state = end.settlement.as_ref().map(|settlement| &settlement.state);
        if matches!(action.kind, ActionKind::Park { .. }) && !state.is_some_and(ActionState::is_final) {
            self.waiting.insert(action.person.record.clone());
        }
        if let Some(error) = &end.not_sent {
            // What keeps one action from being sent keeps many; the first one says why.
            if !self.warnings.contains_key(&rule::ACTION_NOT_ATTEMPTED) {
                tracing::warn!(%error, "the target takes no actions now; they are left to the next run");
            }
            self.warn(rule::ACTION_NOT_ATTEMPTED);
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
            Some(ActionState::Failed(problem)) if problem.severity == Severity::Warning => {
                let rule = problem.rule.clone();
                return self.warn(rule);
            }
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

    fn warn(&mut self, rule: RuleCode) {
        *self.problems.entry(rule.clone()).or_default() += 1;
        *self.warnings.entry(rule).or_default() += 1;
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
    /// The member is as it was to be, but for attributes that wait for other members.
    AsIntended(MemberId, Vec<TargetField>),
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

/// Whether a member is as an action wants it to be, some attributes aside.
fn is_as_intended(action: &Action, member: &MemberRecord, aside: &[TargetField]) -> bool {
    let open = !matches!(action.kind, ActionKind::Leave { .. });
    let attributes_fit = action.kind.changes().is_none_or(|changes| {
        let mut fields = changes.iter().filter(|(field, _)| !aside.contains(field));
        fields.all(|(field, value)| member.attributes.get(field).flatten() == value)
    });
    member.active == open && attributes_fit
}

/// An action that was carried out. What was left out has no fingerprint in the link, so that it is sent again.
fn done(action: &Action, member: MemberId, without: &[TargetField]) -> End {
    let changes = action.kind.changes();
    let nothing_else = |changes: &Attributes| changes.iter().all(|(field, _)| without.contains(field));
    if let Some(field) = without.first()
        && matches!(action.kind, ActionKind::Update { .. })
        && changes.is_some_and(nothing_else)
    {
        return failed(action, not_there(field));
    }
    let after = &action.after;
    let is_kept = |tag: &FieldTag| without.iter().all(|field| FieldTag::of(field) != *tag);
    let prints = after.prints.iter().filter(|(tag, _)| is_kept(tag)).collect();
    let link = Link::new(
        action.person.record.clone(),
        after.employee_id.clone(),
        member,
        after.state,
        after.email,
        Prints::new(prints),
    );
    End { without: without.to_vec(), ..End::of(Settlement::done(action.id.clone(), link)) }
}

fn not_sent(action: &Action) -> Settlement {
    Settlement::new(action.id.clone(), ActionState::Pending)
}

/// What is said of an attribute that refers to a member who is not there.
pub(crate) fn not_there(field: &TargetField) -> Problem {
    let message = "the manager is not on the platform; the member has none there until then";
    if *field == TargetField::from(MemberField::Manager) {
        return Problem::warning(rule::MANAGER_UNKNOWN, message).at(field.to_string());
    }
    let message = "what this attribute refers to is not on the platform; it is left out until then";
    Problem::warning(rule::VALUE_NOT_STORED, message).at(field.to_string())
}

fn failed(action: &Action, problem: Problem) -> End {
    End::of(Settlement::new(action.id.clone(), ActionState::Failed(problem.of(&action.person))))
}

/// An action that was provably not sent, and why.
fn not_attempted(action: &Action, error: Error) -> End {
    End { not_sent: Some(error), ..End::of(not_sent(action)) }
}

fn uncertain(action: &Action, evidence: &'static str) -> End {
    let problem = Problem::error(rule::ACTION_UNCERTAIN, evidence).of(&action.person);
    End::of(Settlement::new(action.id.clone(), ActionState::Uncertain(problem)))
}

fn refusal(rule: RuleCode, error: &Error) -> Problem {
    Problem::error(rule, error.to_string())
}

fn no_outcome() -> Error {
    Error::new(ErrorKind::Protocol, "the target gave no outcome for an action")
}
