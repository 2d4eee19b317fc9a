//! Short words for the suite's tests: a store with a lease, and checks whose messages say what to do.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use hris_core::store::{ActionState, Lease, Link, PlanState, Settlement, StoredAction};
use hris_core::{Action, ActionId, ConnectionKey, ErrorKind, PlanId, Position, Result, RunId, StateStore};

use super::sample::{at, connection, header};
use super::{StoreHarness, contents};

/// How long leases here hold.
pub(crate) const TTL: Duration = Duration::from_secs(600);
/// When a lease taken at minute zero runs out, in minutes.
pub(crate) const TTL_MINUTES: i64 = 10;

/// A store and a lease on its sample connection.
pub(crate) struct Fixture {
    pub(crate) harness: StoreHarness,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) connection: ConnectionKey,
    pub(crate) lease: Lease,
}

impl Fixture {
    pub(crate) async fn new(harness: StoreHarness) -> Self {
        let store = harness.store();
        let connection = connection();
        let lease = lease_for(&*store, &connection, "first", 0).await;
        Self { harness, store, connection, lease }
    }

    /// Opens a draft with actions.
    pub(crate) async fn draft(&self, plan: &str, actions: &[Action]) -> PlanId {
        let plan = PlanId::from(plan);
        ok(self.store.open_plan(&self.lease, &plan).await, "open a plan under the lease");
        ok(self.store.append(&self.lease, &plan, actions, &[]).await, "append to the draft just opened");
        plan
    }

    /// Seals a plan with actions.
    pub(crate) async fn sealed(&self, plan: &str, minutes: i64, actions: &[Action]) -> PlanId {
        let plan = self.draft(plan, actions).await;
        let header = header(&self.connection, &plan, minutes);
        ok(self.store.seal(&self.lease, &header).await, "seal the draft just filled");
        plan
    }

    pub(crate) async fn set(&self, plan: &PlanId, state: PlanState) {
        ok(self.store.set_plan_state(&self.lease, plan, &state).await, "move an open plan to another state");
    }

    pub(crate) async fn begin(&self, plan: &PlanId, actions: &[Action]) {
        ok(self.store.begin(&self.lease, plan, &ids(actions)).await, "begin actions of a sealed plan");
    }

    pub(crate) async fn settle(&self, plan: &PlanId, settlements: &[Settlement]) {
        let result = self.store.settle(&self.lease, plan, settlements).await;
        ok(result, "settle actions of a sealed plan");
    }

    /// Writes links the only way there is: as the outcome of a plan's actions.
    pub(crate) async fn link(&self, links: &[Link]) {
        let first = links.first().map(|link| format!("{} to {}", link.record, link.member));
        let name = format!("links from {}", first.unwrap_or_default());
        let actions = super::sample::creates(0..links.len());
        let plan = self.sealed(&name, 0, &actions).await;
        let settlements = actions.iter().zip(links).map(|(action, link)| done(action, link));
        for batch in settlements.collect::<Vec<_>>().chunks(500) {
            self.settle(&plan, batch).await;
        }
        self.set(&plan, PlanState::Applied).await;
    }

    pub(crate) async fn links(&self) -> Vec<Link> {
        let links = self.store.links(&self.connection).try_concat().await;
        let mut links = ok(links, "stream the links of a connection");
        links.sort_by(|one, other| one.record.cmp(&other.record));
        links
    }

    /// Every action of a plan.
    pub(crate) async fn actions(&self, plan: &PlanId) -> Vec<StoredAction> {
        self.page(plan, None, usize::MAX).await
    }

    pub(crate) async fn page(
        &self,
        plan: &PlanId,
        after: Option<&Position>,
        limit: usize,
    ) -> Vec<StoredAction> {
        let page = self.store.actions(&self.connection, plan, after, limit).await;
        ok(page, "page through the actions of a plan")
    }

    /// The state of one action.
    pub(crate) async fn state(&self, plan: &PlanId, action: &Action) -> Option<ActionState> {
        let actions = self.actions(plan).await;
        actions.into_iter().find(|stored| stored.action.id == action.id).map(|stored| stored.state)
    }

    /// Everything that can be read of the sample connection.
    pub(crate) async fn contents(&self, plans: &[&PlanId]) -> String {
        let plans: Vec<_> = plans.iter().copied().cloned().collect();
        ok(contents(&*self.store, &self.connection, &plans).await, "read the whole content")
    }
}

pub(crate) async fn lease_for(
    store: &dyn StateStore,
    connection: &ConnectionKey,
    run: &str,
    minutes: i64,
) -> Lease {
    let lease = store.acquire(connection, &RunId::from(run), at(minutes), TTL).await;
    ok(lease, "grant a lease that nobody holds")
}

pub(crate) fn done(action: &Action, link: &Link) -> Settlement {
    Settlement::done(action.id.clone(), link.clone())
}

pub(crate) fn ids(actions: &[Action]) -> Vec<ActionId> {
    actions.iter().map(|action| action.id.clone()).collect()
}

pub(crate) fn pending(actions: &[Action]) -> Vec<StoredAction> {
    in_state(actions, &ActionState::Pending)
}

pub(crate) fn in_state(actions: &[Action], state: &ActionState) -> Vec<StoredAction> {
    let stored = |action: &Action| StoredAction::new(action.clone(), state.clone());
    actions.iter().map(stored).collect()
}

/// The value of a call that has to succeed.
#[track_caller]
pub(crate) fn ok<T>(result: Result<T>, must: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store must {must}, but it failed: {error:?}"),
    }
}

/// Checks that a call was refused for the right reason.
#[track_caller]
pub(crate) fn refused<T: fmt::Debug>(result: Result<T>, kind: ErrorKind, what: &str) {
    match result {
        Ok(_) => panic!("refuse {what} with ErrorKind::{kind:?}; the store accepted it"),
        Err(error) => assert_eq!(error.kind(), kind, "refuse {what} with ErrorKind::{kind:?}, not: {error}"),
    }
}
