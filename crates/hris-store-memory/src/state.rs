//! What the store holds, and the rules by which it changes: checks first, then the change, so that nothing happens
//! by halves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::keys::Print;
use hris_core::store::{
    ActionState, Baseline, Checkpoint, Lease, Link, Override, PlanState, Settlement, StoredAction, StoredPlan,
};
use hris_core::{
    Action, ActionId, ConnectionKey, Error, ErrorKind, MemberId, PlanHeader, PlanId, Position, Problem,
    RecordId, Result, RunId, RunReport, TargetField,
};

use crate::connections::Setups;
use crate::ledger::Ledgers;

/// Everything of every connection.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) connections: BTreeMap<ConnectionKey, Connection>,
    pub(crate) ledgers: Ledgers,
    pub(crate) setups: Setups,
}

/// Everything of one connection.
#[derive(Default)]
pub(crate) struct Connection {
    token: u64,
    pub(crate) holder: Option<Holder>,
    pub(crate) baseline: Option<Baseline>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) links: BTreeMap<RecordId, Link>,
    pub(crate) overrides: BTreeMap<(RecordId, TargetField), Override>,
    pub(crate) forgotten: BTreeSet<Print>,
    /// Which record's link leads to a member.
    pub(crate) records: HashMap<MemberId, RecordId>,
    pub(crate) plans: HashMap<PlanId, Plan>,
    plans_opened: u64,
    /// Links laid aside, and the token of the lease under which.
    pub(crate) staged: (u64, Vec<Link>),
    /// In the order of their first record.
    pub(crate) runs: Vec<RunReport>,
}

pub(crate) struct Holder {
    pub(crate) run: RunId,
    pub(crate) until: DateTime<Utc>,
}

pub(crate) struct Plan {
    opened: u64,
    /// None while it is a draft.
    pub(crate) header: Option<PlanHeader>,
    pub(crate) state: PlanState,
    pub(crate) actions: BTreeMap<Position, StoredAction>,
    ranks: HashMap<ActionId, u32>,
    pub(crate) problems: Vec<Problem>,
}

impl State {
    pub(crate) fn acquire(
        &mut self,
        connection: &ConnectionKey,
        run: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease> {
        let known = self.connections.entry(connection.clone()).or_default();
        if let Some(holder) = known.holder.as_ref().filter(|it| it.run != *run && it.until > now) {
            return Err(
                leased("another run holds the lease of this connection").with_context("until", holder.until)
            );
        }
        known.token += 1;
        let until = later(now, ttl);
        known.holder = Some(Holder { run: run.clone(), until });
        Ok(Lease::new(connection.clone(), run.clone(), known.token, until))
    }

    pub(crate) fn renew(&mut self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
        let until = later(now, ttl);
        let run = lease.holder.clone();
        self.fenced(lease)?.holder = Some(Holder { run, until });
        let mut renewed = lease.clone();
        renewed.expires_at = until;
        Ok(renewed)
    }

    pub(crate) fn release(&mut self, lease: &Lease) {
        if let Ok(connection) = self.fenced(lease) {
            connection.holder = None;
        }
    }

    /// The connection of a lease, if the lease still stands.
    pub(crate) fn fenced(&mut self, lease: &Lease) -> Result<&mut Connection> {
        self.connections
            .get_mut(&lease.connection)
            .filter(|known| {
                known.token == lease.token && known.holder.as_ref().is_some_and(|it| it.run == lease.holder)
            })
            .ok_or_else(|| leased("the lease of this connection was given back or taken over"))
    }

    pub(crate) fn links_after(
        &self,
        connection: &ConnectionKey,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Vec<Link> {
        let Some(known) = self.connections.get(connection) else {
            return Vec::new();
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = known.links.range::<RecordId, _>((from, Bound::Unbounded));
        rest.take(limit).map(|(_, link)| link.clone()).collect()
    }

    pub(crate) fn plan(&self, connection: &ConnectionKey, plan: &PlanId) -> Option<&Plan> {
        self.connections.get(connection)?.plans.get(plan)
    }
}

fn later(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn leased(message: &'static str) -> Error {
    Error::new(ErrorKind::Leased, message).with_hint("leave this connection to the run that holds it")
}

impl Connection {
    pub(crate) fn open_plan(&mut self, id: &PlanId) -> Result<()> {
        if self.plans.get(id).is_some_and(|plan| plan.state != PlanState::Draft) {
            let error = Error::new(ErrorKind::Conflict, "a sealed plan has this id already");
            return Err(error.with_hint("choose a new id for each plan").with_context("plan", id));
        }
        self.plans.retain(|_, plan| plan.state != PlanState::Draft);
        self.plans_opened += 1;
        self.plans.insert(id.clone(), Plan::draft(self.plans_opened));
        Ok(())
    }

    pub(crate) fn draft(&mut self, id: &PlanId) -> Result<&mut Plan> {
        let plan = self.plan_mut(id)?;
        match plan.state {
            PlanState::Draft => Ok(plan),
            _ => Err(stale("the plan is sealed and takes no more changes", id)),
        }
    }

    /// A sealed plan that is not final.
    pub(crate) fn live(&mut self, id: &PlanId) -> Result<&mut Plan> {
        let plan = self.plan_mut(id)?;
        match &plan.state {
            PlanState::Draft => Err(stale("the plan is not sealed yet", id)),
            state if state.is_final() => Err(stale("the plan was applied or dismissed", id)),
            _ => Ok(plan),
        }
    }

    fn plan_mut(&mut self, id: &PlanId) -> Result<&mut Plan> {
        self.plans.get_mut(id).ok_or_else(|| no_plan(id))
    }

    pub(crate) fn open_plans(&self) -> Vec<StoredPlan> {
        let open = self.plans.values().filter(|plan| !plan.state.is_final());
        let mut open: Vec<_> = open.filter_map(|plan| Some((plan.header.as_ref()?, plan))).collect();
        open.sort_by_key(|(header, plan)| (header.created_at, plan.opened));
        open.into_iter().map(|(header, plan)| StoredPlan::new(header.clone(), plan.state.clone())).collect()
    }

    pub(crate) fn set_plan_state(&mut self, id: &PlanId, state: &PlanState) -> Result<()> {
        let plan = self.plan_mut(id)?;
        if plan.state == *state {
            return Ok(());
        }
        match (&plan.state, state) {
            (_, PlanState::Draft) => {
                let error = Error::new(ErrorKind::Invalid, "a sealed plan cannot become a draft again");
                return Err(error.with_hint("open a new plan").with_context("plan", id));
            }
            (PlanState::Draft, PlanState::Dismissed { .. }) => {
                self.plans.remove(id);
                return Ok(());
            }
            (PlanState::Draft, _) => return Err(stale("the plan is not sealed yet", id)),
            (now, _) if now.is_final() => return Err(stale("the plan was applied or dismissed", id)),
            _ => {}
        }
        plan.state = state.clone();
        if state.is_final() {
            plan.actions.values_mut().for_each(StoredAction::erase);
        }
        Ok(())
    }

    pub(crate) fn settle(&mut self, id: &PlanId, settlements: &[Settlement]) -> Result<()> {
        let plan = self.live(id)?;
        plan.check_settlements(id, settlements)?;
        for settlement in settlements {
            if let Some(stored) = plan.stored(&settlement.action) {
                stored.state = settlement.state.clone();
                if stored.state.is_final() {
                    stored.erase();
                }
            }
        }
        for link in settlements.iter().filter_map(|settlement| settlement.link.as_ref()) {
            self.write_link(link);
        }
        Ok(())
    }

    pub(crate) fn write_link(&mut self, link: &Link) {
        if let Some(before) = self.links.insert(link.record.clone(), link.clone()) {
            self.records.remove(&before.member);
        }
        let other = self.records.insert(link.member.clone(), link.record.clone());
        if let Some(other) = other.filter(|other| *other != link.record) {
            self.links.remove(&other);
        }
    }

    pub(crate) fn remove_link(&mut self, record: &RecordId) -> bool {
        let removed = self.links.remove(record);
        if let Some(link) = &removed {
            self.records.remove(&link.member);
        }
        removed.is_some()
    }

    pub(crate) fn forget(&mut self, record: &RecordId, tombstone: Print) -> Result<()> {
        let is_open = |plan: &Plan| !plan.state.is_final() && plan.state != PlanState::Draft;
        if let Some((id, _)) = self.plans.iter().find(|(_, plan)| is_open(plan) && plan.is_about(record)) {
            let error = Error::new(ErrorKind::Stale, "an open plan has an action about this person");
            return Err(error.with_hint("apply or dismiss it first").with_context("plan", id));
        }
        self.plans.values_mut().for_each(|plan| plan.forget(record));
        self.remove_link(record);
        self.overrides.retain(|(of, _), _| of != record);
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.forget(record, tombstone);
        }
        self.forgotten.insert(tombstone);
        Ok(())
    }

    pub(crate) fn purge_plans(&mut self, made_before: DateTime<Utc>) -> u64 {
        let before = self.plans.len();
        self.plans.retain(|_, plan| {
            let made = plan.header.as_ref().map(|header| header.created_at);
            !plan.state.is_final() || made.is_none_or(|made| made >= made_before)
        });
        (before - self.plans.len()) as u64
    }

    pub(crate) fn purge_runs(&mut self, started_before: DateTime<Utc>) -> u64 {
        let before = self.runs.len();
        self.runs.retain(|report| report.started_at >= started_before);
        (before - self.runs.len()) as u64
    }

    pub(crate) fn record_run(&mut self, report: &RunReport) {
        match self.runs.iter_mut().find(|known| known.run == report.run) {
            Some(known) => *known = report.clone(),
            None => self.runs.push(report.clone()),
        }
    }

    pub(crate) fn runs(&self, offset: u64, limit: usize) -> Vec<RunReport> {
        let mut runs: Vec<_> = self.runs.iter().collect();
        // Stable, so that reports of one instant stay in the order of their first record before the turn.
        runs.sort_by_key(|report| report.started_at);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        runs.into_iter().rev().skip(offset).take(limit).cloned().collect()
    }
}

impl Plan {
    fn draft(opened: u64) -> Self {
        Self {
            opened,
            header: None,
            state: PlanState::Draft,
            actions: BTreeMap::new(),
            ranks: HashMap::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn append(&mut self, actions: &[Action], problems: &[Problem]) {
        for action in actions {
            self.remove(&action.id);
            self.insert(StoredAction::new(action.clone(), ActionState::Pending));
        }
        self.problems.extend_from_slice(problems);
    }

    pub(crate) fn retract(&mut self, actions: &[ActionId]) {
        for action in actions {
            self.remove(action);
        }
    }

    fn is_about(&self, record: &RecordId) -> bool {
        self.actions.values().any(|stored| stored.action.person.record == *record)
    }

    fn forget(&mut self, record: &RecordId) {
        let about = self.actions.values().filter(|stored| stored.action.person.record == *record);
        let about: Vec<_> = about.map(|stored| stored.action.id.clone()).collect();
        self.retract(&about);
        let them = Some(record);
        self.problems.retain(|problem| problem.record.as_ref() != them && problem.other.as_ref() != them);
    }

    pub(crate) fn rerank(&mut self, id: &PlanId, ranks: &[(ActionId, u32)]) -> Result<()> {
        self.check_known(id, ranks.iter().map(|(action, _)| action))?;
        for (action, rank) in ranks {
            if let Some(mut stored) = self.remove(action) {
                stored.action.rank = *rank;
                self.insert(stored);
            }
        }
        Ok(())
    }

    fn insert(&mut self, stored: StoredAction) {
        self.ranks.insert(stored.action.id.clone(), stored.action.rank);
        self.actions.insert(stored.action.position(), stored);
    }

    fn remove(&mut self, action: &ActionId) -> Option<StoredAction> {
        let rank = self.ranks.remove(action)?;
        let id = action.clone();
        self.actions.remove(&Position { rank, id })
    }

    fn stored(&mut self, action: &ActionId) -> Option<&mut StoredAction> {
        let rank = *self.ranks.get(action)?;
        let id = action.clone();
        self.actions.get_mut(&Position { rank, id })
    }

    pub(crate) fn actions_after(&self, after: Option<&Position>, limit: usize) -> Vec<StoredAction> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.actions.range((from, Bound::Unbounded));
        rest.take(limit).map(|(_, stored)| stored.clone()).collect()
    }

    pub(crate) fn problems_from(&self, offset: u64, limit: usize) -> Vec<Problem> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        self.problems.iter().skip(offset).take(limit).cloned().collect()
    }

    pub(crate) fn begin(&mut self, id: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.check_known(id, actions)?;
        for action in actions {
            if self.stored(action).is_some_and(|stored| stored.state.is_final()) {
                return Err(settled(id, action));
            }
        }
        for action in actions {
            if let Some(stored) = self.stored(action) {
                stored.state = ActionState::Begun;
            }
        }
        Ok(())
    }

    fn check_settlements(&mut self, id: &PlanId, settlements: &[Settlement]) -> Result<()> {
        self.check_known(id, settlements.iter().map(|settlement| &settlement.action))?;
        let mut ended = HashSet::new();
        for Settlement { action, state, .. } in settlements {
            if *state == ActionState::Begun {
                let error = Error::new(ErrorKind::Invalid, "an action cannot be settled to `begun`");
                return Err(error.with_hint("use `begin`").with_context("action", action));
            }
            let is_final = self.stored(action).is_some_and(|stored| stored.state.is_final());
            if is_final || ended.contains(action) {
                return Err(settled(id, action));
            }
            if state.is_final() {
                ended.insert(action);
            }
        }
        Ok(())
    }

    fn check_known<'a>(&self, id: &PlanId, actions: impl IntoIterator<Item = &'a ActionId>) -> Result<()> {
        match actions.into_iter().find(|action| !self.ranks.contains_key(*action)) {
            None => Ok(()),
            Some(action) => Err(Error::new(ErrorKind::NotFound, "the plan has no such action")
                .with_hint("read the plan's actions again")
                .with_context("plan", id)
                .with_context("action", action)),
        }
    }
}

fn no_plan(id: &PlanId) -> Error {
    Error::new(ErrorKind::NotFound, "this connection has no such plan")
        .with_hint("look at its open plans")
        .with_context("plan", id)
}

fn stale(message: &'static str, id: &PlanId) -> Error {
    Error::new(ErrorKind::Stale, message).with_hint("make a new plan").with_context("plan", id)
}

fn settled(id: &PlanId, action: &ActionId) -> Error {
    Error::new(ErrorKind::Stale, "the action is final already")
        .with_hint("read the plan's actions again")
        .with_context("plan", id)
        .with_context("action", action)
}
