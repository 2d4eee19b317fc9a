//! What failed in an earlier run, tried again alone.

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use hris_core::store::{ActionState, Link, StoredAction};
use hris_core::{
    EmployeeRef, Error, ErrorKind, Expectation, PlanId, Problem, RecordId, Result, RunId, RunReport, Trigger,
    rule,
};

use crate::engine::Engine;
use crate::planning::Options;
use crate::view::{action_pages, second_pass};

/// What of an earlier run is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replay {
    /// Actions that ended without effect.
    #[default]
    Failed,
    /// Those, and actions of which it could not be told whether they took effect.
    FailedAndUncertain,
}

impl Replay {
    fn takes(self, state: &ActionState) -> bool {
        match state {
            ActionState::Failed(_) => true,
            ActionState::Uncertain(_) => self == Self::FailedAndUncertain,
            _ => false,
        }
    }
}

/// Whose actions are tried again.
#[derive(Debug, Default)]
struct Selection {
    people: BTreeMap<RecordId, EmployeeRef>,
    /// What is said of those whose member changed since.
    stale: Vec<Problem>,
}

impl Engine {
    /// Tries again what failed in an earlier run, and nothing else: everybody else is left alone.
    ///
    /// A store keeps no values of actions that ended, so the people are read anew from the HR system: one by one where
    /// it offers that and they are few, else by reading everyone and looking only at them. What is done is what they
    /// need today, under the same guards, with a plan, a journal and a report as of every run. An action whose link
    /// changed since is skipped and reported under [`rule::ACTION_STALE`]: a later run has dealt with it.
    ///
    /// Nothing uncertain is repeated blindly. Before a create the platform is asked for a member with this Employee ID or
    /// address, who is then linked and not invited; every other kind of action sets values, and is none where the
    /// member has them.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there was no such run, [`ErrorKind::Invalid`] if both names are the same;
    /// [`ErrorKind::Conflict`] where what somebody claims contradicts somebody else, which only a run for everyone
    /// settles; else as [`Engine::run`].
    pub async fn replay(
        &self,
        run: &RunId,
        earlier: &RunId,
        which: Replay,
        as_of: NaiveDate,
    ) -> Result<RunReport> {
        if run == earlier {
            return Err(Error::new(ErrorKind::Invalid, "a run cannot try itself again")
                .with_hint("give the new run a name of its own"));
        }
        let found = self.parts.store.run(&self.parts.connection, earlier).await?;
        let report = found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "this connection has no such run").with_context("run", earlier)
        })?;
        let mut selection = Selection::default();
        for plan in report.plan.iter().flat_map(|plan| [plan.clone(), second_pass(plan)]) {
            self.select(&plan, which, &mut selection).await?;
        }
        let Selection { people, stale: notes } = selection;
        let only = Some(people.into_values().collect());
        self.run_with(run, Trigger::Replay, Options { only, notes, ..Options::usual(as_of) }).await
    }

    async fn select(&self, plan: &PlanId, which: Replay, selection: &mut Selection) -> Result<()> {
        let parts = &self.parts;
        let mut pages = action_pages(&*parts.store, &parts.connection, plan, None);
        while let Some(mut page) = pages.try_next().await? {
            page.retain(|stored| which.takes(&stored.state));
            let records: Vec<_> = page.iter().map(|stored| stored.action.person.record.clone()).collect();
            let links = parts.store.links_of(&parts.connection, &records).await?;
            for (stored, link) in page.into_iter().zip(links) {
                selection.take(stored, link.as_ref());
            }
        }
        Ok(())
    }
}

impl Selection {
    fn take(&mut self, stored: StoredAction, link: Option<&Link>) {
        let person = stored.action.person;
        if !is_as_expected(&stored.action.expects, link) {
            let message = "the member changed since this action failed; a later run has dealt with it";
            self.stale.push(Problem::warning(rule::ACTION_STALE, message).of(&person));
        } else if let Entry::Vacant(place) = self.people.entry(person.record.clone()) {
            place.insert(person);
        }
    }
}

/// Whether a link stands as an action expected it. Fingerprints are gone with the values: whether these moved on shows
/// when the person is planned anew.
fn is_as_expected(expects: &Expectation, link: Option<&Link>) -> bool {
    match (expects, link) {
        (Expectation::Unlinked, link) => link.is_none(),
        (Expectation::Linked { state, .. }, link) => link.is_some_and(|link| link.state == *state),
    }
}
