//! The read view of a stored plan, and its outcome once it was applied.

use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::keys::Fingerprinter;
use hris_core::store::{ActionState, Plans, StoredAction};
use hris_core::{Action, ConnectionKey, PlanHeader, PlanId, Position, Problem, ProvisioningPlan, Result};

/// How many actions or problems are read from a store at once.
pub(crate) const PAGE: usize = 500;

/// A sealed plan in a store.
#[derive(Debug)]
pub struct PlanView {
    plans: Arc<dyn Plans>,
    header: PlanHeader,
}

impl PlanView {
    pub(crate) fn new(plans: Arc<dyn Plans>, header: PlanHeader) -> Self {
        Self { plans, header }
    }

    /// Everything that kept rows out of the plan or deserves a look, and then, once the plan was applied, the
    /// actions that failed or are uncertain, those of its second pass included.
    pub fn problems(&self) -> BoxStream<'_, Result<Problem>> {
        let second = self.applying_problems(&second_pass(&self.header.id));
        let first = self.applying_problems(&self.header.id);
        self.planning_problems().chain(first).chain(second).boxed()
    }

    fn applying_problems(&self, plan: &PlanId) -> BoxStream<'_, Result<Problem>> {
        let pages = action_pages(&*self.plans, &self.header.connection, plan, None);
        let problem = |stored: StoredAction| match stored.state {
            ActionState::Failed(problem) | ActionState::Uncertain(problem) => Some(Ok(problem)),
            _ => None,
        };
        pages.map_ok(move |page| stream::iter(page.into_iter().filter_map(problem))).try_flatten().boxed()
    }

    pub(crate) fn planning_problems(&self) -> BoxStream<'_, Result<Problem>> {
        let pages = stream::try_unfold(0_u64, move |offset| async move {
            let page = self.plans.problems(&self.header.connection, &self.header.id, offset, PAGE).await?;
            let next = offset + page.len() as u64;
            Ok::<_, hris_core::Error>(
                (!page.is_empty()).then_some((stream::iter(page.into_iter().map(Ok)), next)),
            )
        });
        pages.try_flatten().boxed()
    }
}

impl ProvisioningPlan for PlanView {
    fn header(&self) -> &PlanHeader {
        &self.header
    }

    fn actions(&self, after: Option<&Position>) -> BoxStream<'_, Result<Action>> {
        let pages = action_pages(&*self.plans, &self.header.connection, &self.header.id, after.cloned());
        pages
            .map_ok(|page| stream::iter(page.into_iter().map(|stored| Ok(stored.action))))
            .try_flatten()
            .boxed()
    }
}

/// The plan that writes what a plan had to leave out.
pub(crate) fn second_pass(plan: &PlanId) -> PlanId {
    PlanId::from(format!("{plan}.second"))
}

/// The actions of a plan, page by page in order of position.
pub(crate) fn action_pages<'a>(
    plans: &'a dyn Plans,
    connection: &'a ConnectionKey,
    plan: &PlanId,
    after: Option<Position>,
) -> BoxStream<'a, Result<Vec<StoredAction>>> {
    stream::try_unfold((plan.clone(), after), move |(plan, after)| async move {
        let page = plans.actions(connection, &plan, after.as_ref(), PAGE).await?;
        let last = page.last().map(|stored| stored.action.position());
        Ok(last.map(|last| (page, (plan, Some(last)))))
    })
    .boxed()
}

/// The digest of a plan with this header, and how many actions it has.
pub(crate) async fn digest(
    plans: &dyn Plans,
    header: &PlanHeader,
    fingerprinter: &Fingerprinter,
) -> Result<(String, u64)> {
    let mut digester = header.digester(fingerprinter);
    let mut pages = action_pages(plans, &header.connection, &header.id, None);
    let mut actions = 0;
    while let Some(page) = pages.try_next().await? {
        for stored in &page {
            digester.add(stored.action.id.as_str().as_bytes());
        }
        actions += page.len() as u64;
    }
    Ok((digester.finish(), actions))
}
