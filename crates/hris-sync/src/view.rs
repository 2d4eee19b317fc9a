//! The read view of a stored plan, and its outcome once it was applied.

use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
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
    /// actions that failed or are uncertain.
    pub fn problems(&self) -> BoxStream<'_, Result<Problem>> {
        self.planning_problems().chain(self.applying_problems()).boxed()
    }

    fn applying_problems(&self) -> BoxStream<'_, Result<Problem>> {
        let pages = action_pages(&*self.plans, &self.header.connection, &self.header.id, None);
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

/// The actions of a plan, page by page in order of position.
pub(crate) fn action_pages<'a>(
    plans: &'a dyn Plans,
    connection: &'a ConnectionKey,
    plan: &'a PlanId,
    after: Option<Position>,
) -> BoxStream<'a, Result<Vec<StoredAction>>> {
    stream::try_unfold(after, move |after| async move {
        let page = plans.actions(connection, plan, after.as_ref(), PAGE).await?;
        let Some(last) = page.last().map(|stored| stored.action.position()) else {
            return Ok(None);
        };
        Ok(Some((page, Some(last))))
    })
    .boxed()
}
