//! The conformance suite finds stores that break their promises: each flaw here fails a behaviour named for it.
#![expect(clippy::unwrap_used, reason = "a test's set-up works or fails the test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::keys::Print;
use hris_core::store::{
    Baseline, Checkpoint, Checkpoints, Lease, Leases, Link, Links, Override, Overrides, PlanState, Plans,
    Retention, Runs, Settlement, StoredAction, StoredPlan,
};
use hris_core::{
    Action, ActionId, ConnectionKey, MemberId, PlanHeader, PlanId, Position, Problem, RecordId, Result,
    RunId, RunReport, TargetField,
};
use hris_store_memory::MemoryStore;
use hris_testkit::store_suite::{
    StoreHarness, checkpoints, fencing, journal, leases, links, plans, retention, runs, tenants,
};

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    /// Whoever asks gets the lease.
    GivesTheLeaseToAnybody,
    /// A release frees the lease whoever holds it.
    ReleasesForAnybody,
    /// Writes are accepted with any token.
    IgnoresTokens,
    /// Settlements are written one by one.
    SettlesByHalves,
    /// The last link of a large connection is left out of the stream.
    LosesALink,
    /// Look-ups answer only what they find.
    AnswersOutOfPlace,
    /// Every tenant's connection is the same.
    IgnoresTenants,
    /// Values of final actions are still answered.
    KeepsValues,
    /// Pages of actions begin at the position given instead of after it.
    RepeatsAPosition,
    /// The history is answered oldest first.
    TurnsHistoryRound,
    /// A checkpoint cannot be forgotten.
    KeepsTheCheckpoint,
    /// Whoever is forgotten leaves their overrides.
    ForgetsByHalves,
    /// Another handle knows nothing.
    ForgetsOnReopening,
}

#[derive(Clone, Debug)]
struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
    newest: Arc<Mutex<Vec<Lease>>>,
    appended: Arc<Mutex<Vec<Action>>>,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        let (newest, appended) = (Arc::default(), Arc::default());
        Self { inner: MemoryStore::new(), flaw, newest, appended }
    }

    fn harness(flaw: Flaw) -> StoreHarness {
        let store = Self::new(flaw);
        StoreHarness::new(Arc::new(store.clone()), move || {
            let again = if flaw == Flaw::ForgetsOnReopening { Self::new(flaw) } else { store.clone() };
            async move { Arc::new(again) as _ }
        })
    }

    fn key(&self, connection: &ConnectionKey) -> ConnectionKey {
        match self.flaw {
            Flaw::IgnoresTenants => ConnectionKey::new("everybody", connection.connection()),
            _ => connection.clone(),
        }
    }

    /// The lease under which a write is passed on.
    fn lease(&self, lease: &Lease) -> Lease {
        let newest = self.newest.lock().unwrap();
        let same = newest.iter().rev().find(|known| known.connection == lease.connection);
        let mut passed = match self.flaw {
            Flaw::IgnoresTokens => same.unwrap_or(lease).clone(),
            _ => lease.clone(),
        };
        passed.connection = self.key(&lease.connection);
        passed
    }
}

#[async_trait]
impl Leases for Flawed {
    async fn acquire(
        &self,
        connection: &ConnectionKey,
        holder: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease> {
        let now = if self.flaw == Flaw::GivesTheLeaseToAnybody { DateTime::<Utc>::MAX_UTC } else { now };
        let mut lease = self.inner.acquire(&self.key(connection), holder, now, ttl).await?;
        lease.connection = connection.clone();
        self.newest.lock().unwrap().push(lease.clone());
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
        self.inner.renew(&self.lease(lease), now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let newest = self.newest.lock().unwrap().last().cloned();
        let released = match (self.flaw, newest) {
            (Flaw::ReleasesForAnybody, Some(newest)) => newest,
            _ => self.lease(lease),
        };
        self.inner.release(&released).await
    }
}

#[async_trait]
impl Links for Flawed {
    async fn baseline(&self, connection: &ConnectionKey) -> Result<Option<Baseline>> {
        self.inner.baseline(&self.key(connection)).await
    }

    async fn set_baseline(&self, lease: &Lease, baseline: &Baseline) -> Result<()> {
        self.inner.set_baseline(&self.lease(lease), baseline).await
    }

    fn links(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Link>>> {
        let loses = self.flaw == Flaw::LosesALink;
        let cut = move |mut batch: Vec<Link>| {
            if loses && batch.len() < 1_000 && batch.len() > 300 {
                batch.pop();
            }
            batch
        };
        self.inner.links(&self.key(connection)).map_ok(cut).boxed()
    }

    async fn links_of(&self, connection: &ConnectionKey, records: &[RecordId]) -> Result<Vec<Option<Link>>> {
        let mut found = self.inner.links_of(&self.key(connection), records).await?;
        if self.flaw == Flaw::AnswersOutOfPlace {
            found.retain(Option::is_some);
        }
        Ok(found)
    }

    async fn links_to(&self, connection: &ConnectionKey, members: &[MemberId]) -> Result<Vec<Option<Link>>> {
        self.inner.links_to(&self.key(connection), members).await
    }

    async fn put_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        self.inner.put_links(&self.lease(lease), links).await
    }

    async fn stage_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        self.inner.stage_links(&self.lease(lease), links).await
    }

    async fn put_staged_links(&self, lease: &Lease) -> Result<u64> {
        self.inner.put_staged_links(&self.lease(lease)).await
    }
}

#[async_trait]
impl Checkpoints for Flawed {
    async fn checkpoint(&self, connection: &ConnectionKey) -> Result<Option<Checkpoint>> {
        self.inner.checkpoint(&self.key(connection)).await
    }

    async fn set_checkpoint(&self, lease: &Lease, checkpoint: Option<&Checkpoint>) -> Result<()> {
        if checkpoint.is_none() && self.flaw == Flaw::KeepsTheCheckpoint {
            return Ok(());
        }
        self.inner.set_checkpoint(&self.lease(lease), checkpoint).await
    }
}

#[async_trait]
impl Overrides for Flawed {
    fn overrides(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Override>>> {
        self.inner.overrides(&self.key(connection))
    }

    async fn put_overrides(&self, lease: &Lease, overrides: &[Override]) -> Result<()> {
        self.inner.put_overrides(&self.lease(lease), overrides).await
    }

    async fn remove_overrides(&self, lease: &Lease, which: &[(RecordId, TargetField)]) -> Result<()> {
        self.inner.remove_overrides(&self.lease(lease), which).await
    }
}

#[async_trait]
impl Retention for Flawed {
    async fn remove_links(&self, lease: &Lease, records: &[RecordId]) -> Result<u64> {
        self.inner.remove_links(&self.lease(lease), records).await
    }

    async fn purge_plans(&self, lease: &Lease, before: DateTime<Utc>) -> Result<u64> {
        self.inner.purge_plans(&self.lease(lease), before).await
    }

    async fn purge_runs(&self, lease: &Lease, before: DateTime<Utc>) -> Result<u64> {
        self.inner.purge_runs(&self.lease(lease), before).await
    }

    async fn forget(&self, lease: &Lease, record: &RecordId, tombstone: Print) -> Result<()> {
        if self.flaw == Flaw::ForgetsByHalves {
            let lease = self.lease(lease);
            let kept: Vec<_> = self.inner.overrides(&lease.connection).try_concat().await?;
            self.inner.forget(&lease, record, tombstone).await?;
            return self.inner.put_overrides(&lease, &kept).await;
        }
        self.inner.forget(&self.lease(lease), record, tombstone).await
    }

    async fn forgotten(&self, connection: &ConnectionKey) -> Result<Vec<Print>> {
        self.inner.forgotten(&self.key(connection)).await
    }
}

#[async_trait]
impl Plans for Flawed {
    async fn open_plan(&self, lease: &Lease, plan: &PlanId) -> Result<()> {
        self.inner.open_plan(&self.lease(lease), plan).await
    }

    async fn append(
        &self,
        lease: &Lease,
        plan: &PlanId,
        actions: &[Action],
        problems: &[Problem],
    ) -> Result<()> {
        self.appended.lock().unwrap().extend_from_slice(actions);
        self.inner.append(&self.lease(lease), plan, actions, problems).await
    }

    async fn retract(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.inner.retract(&self.lease(lease), plan, actions).await
    }

    async fn rerank(&self, lease: &Lease, plan: &PlanId, ranks: &[(ActionId, u32)]) -> Result<()> {
        self.inner.rerank(&self.lease(lease), plan, ranks).await
    }

    async fn seal(&self, lease: &Lease, header: &PlanHeader) -> Result<()> {
        let mut header = header.clone();
        header.connection = self.key(&header.connection);
        self.inner.seal(&self.lease(lease), &header).await
    }

    async fn plan(&self, connection: &ConnectionKey, plan: &PlanId) -> Result<Option<StoredPlan>> {
        self.inner.plan(&self.key(connection), plan).await
    }

    async fn open_plans(&self, connection: &ConnectionKey) -> Result<Vec<StoredPlan>> {
        self.inner.open_plans(&self.key(connection)).await
    }

    async fn set_plan_state(&self, lease: &Lease, plan: &PlanId, state: &PlanState) -> Result<()> {
        self.inner.set_plan_state(&self.lease(lease), plan, state).await
    }

    async fn actions(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<StoredAction>> {
        let mut after = after.cloned();
        if let (Flaw::RepeatsAPosition, Some(after)) = (self.flaw, &mut after) {
            // A page that starts with the last action of the one before: the position just before it.
            after.id = after.id.as_str().get(..31).unwrap_or_default().into();
        }
        let mut found = self.inner.actions(&self.key(connection), plan, after.as_ref(), limit).await?;
        if self.flaw == Flaw::KeepsValues {
            let appended = self.appended.lock().unwrap();
            for stored in &mut found {
                let original = appended.iter().find(|action| action.id == stored.action.id);
                stored.action.clone_from(original.unwrap());
            }
        }
        Ok(found)
    }

    async fn problems(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<Problem>> {
        self.inner.problems(&self.key(connection), plan, offset, limit).await
    }

    async fn begin(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
        self.inner.begin(&self.lease(lease), plan, actions).await
    }

    async fn settle(&self, lease: &Lease, plan: &PlanId, settlements: &[Settlement]) -> Result<()> {
        let lease = self.lease(lease);
        if self.flaw == Flaw::SettlesByHalves {
            for settlement in settlements {
                self.inner.settle(&lease, plan, std::slice::from_ref(settlement)).await?;
            }
        }
        match self.flaw {
            Flaw::SettlesByHalves => Ok(()),
            _ => self.inner.settle(&lease, plan, settlements).await,
        }
    }
}

#[async_trait]
impl Runs for Flawed {
    async fn record_run(&self, lease: &Lease, report: &RunReport) -> Result<()> {
        let mut report = report.clone();
        report.connection = self.key(&report.connection);
        self.inner.record_run(&self.lease(lease), &report).await
    }

    async fn runs(&self, connection: &ConnectionKey, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        let mut runs = self.inner.runs(&self.key(connection), offset, limit).await?;
        if self.flaw == Flaw::TurnsHistoryRound {
            runs.reverse();
        }
        Ok(runs)
    }

    async fn run(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunReport>> {
        self.inner.run(&self.key(connection), run).await
    }
}

type Behaviour = fn(StoreHarness) -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! behaviour {
    ($path:path) => {
        (|harness| Box::pin($path(harness))) as Behaviour
    };
}

fn fails(flaw: Flaw, behaviour: Behaviour) -> bool {
    let harness = Flawed::harness(flaw);
    catch_unwind(AssertUnwindSafe(|| hris_testkit::run(behaviour(harness)))).is_err()
}

#[test]
fn each_flaw_is_found_by_the_behaviour_that_forbids_it() {
    let found = [
        (Flaw::GivesTheLeaseToAnybody, behaviour!(leases::a_lease_keeps_others_out_until_it_expires)),
        (Flaw::ReleasesForAnybody, behaviour!(leases::giving_back_a_lost_lease_does_nothing)),
        (Flaw::IgnoresTokens, behaviour!(leases::renewing_after_a_takeover_is_refused)),
        (Flaw::IgnoresTokens, behaviour!(fencing::a_draft_refuses_whoever_lost_the_lease)),
        (Flaw::IgnoresTokens, behaviour!(fencing::a_sealed_plan_refuses_whoever_lost_the_lease)),
        (Flaw::IgnoresTokens, behaviour!(fencing::a_token_that_was_never_granted_writes_nothing)),
        (Flaw::SettlesByHalves, behaviour!(journal::one_wrong_settlement_undoes_its_batch)),
        (Flaw::LosesALink, behaviour!(links::every_link_is_streamed_exactly_once)),
        (Flaw::AnswersOutOfPlace, behaviour!(links::links_of_records_come_in_the_order_asked_for)),
        (Flaw::IgnoresTenants, behaviour!(leases::each_connection_has_its_own_lease)),
        (Flaw::IgnoresTenants, behaviour!(tenants::no_read_finds_what_another_connection_wrote)),
        (Flaw::KeepsValues, behaviour!(journal::a_final_action_has_no_values_left)),
        (Flaw::KeepsValues, behaviour!(plans::dismissal_erases_the_values_of_what_was_not_carried_out)),
        (Flaw::RepeatsAPosition, behaviour!(plans::actions_are_ordered_by_rank_and_id_and_paged)),
        (Flaw::TurnsHistoryRound, behaviour!(runs::reports_come_newest_first_and_paged)),
        (Flaw::KeepsTheCheckpoint, behaviour!(checkpoints::a_forgotten_checkpoint_is_gone_and_nothing_else)),
        (Flaw::ForgetsByHalves, behaviour!(retention::a_forgotten_person_is_nowhere_any_more)),
        (Flaw::ForgetsOnReopening, behaviour!(journal::what_was_begun_is_known_after_reopening)),
    ];
    for (flaw, behaviour) in found {
        assert!(fails(flaw, behaviour), "{flaw:?} goes unnoticed");
    }
}

#[test]
fn a_flaw_fails_nothing_that_it_does_not_touch() {
    // Otherwise the test above would pass for a suite that fails whatever it is given.
    assert!(!fails(Flaw::TurnsHistoryRound, behaviour!(links::a_member_has_one_link)));
    assert!(!fails(Flaw::LosesALink, behaviour!(journal::one_wrong_settlement_undoes_its_batch)));
    assert!(!fails(Flaw::KeepsValues, behaviour!(runs::reports_come_newest_first_and_paged)));
}
