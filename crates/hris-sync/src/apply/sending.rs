//! Sending actions: many are written down as begun at once, sent in batches, and written down as ended.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hris_core::store::{Link, StoredAction};
use hris_core::{Action, ActionKind, Expectation, Outcome, Problem, Result, rule};

use super::Applying;
use super::outcome::{failed, no_outcome, not_sent};
use crate::second_pass::End;

/// How many actions are written down as begun in one go: one transaction for each would cost more than sending it.
const WAVE: usize = 64;

/// An action, and how it ended.
pub(super) type Ended<'s> = (&'s Action, End);

impl Applying<'_> {
    /// Carries out actions which do not depend on each other, wave by wave. A stop begins no further wave.
    pub(super) async fn waves<'s>(&self, actions: &[&'s StoredAction]) -> Result<Vec<Ended<'s>>> {
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
    pub(super) async fn write_down(&self, ended: &[Ended<'_>]) -> Result<()> {
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
}

fn holds(expects: &Expectation, link: Option<&Link>) -> bool {
    match (expects, link) {
        (Expectation::Unlinked, None) => true,
        (Expectation::Linked { state, row }, Some(link)) => *state == link.state && *row == link.prints.row(),
        _ => false,
    }
}
