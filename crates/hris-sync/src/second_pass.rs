//! The second pass of a plan: attributes that refer to members who came later in the same plan.

use hris_core::keys::Fingerprinter;
use hris_core::store::{Lease, PlanState, Plans, Settlement, StoredPlan};
use hris_core::{
    Action, ActionKind, Error, Expectation, PlanHeader, PlanId, PlanSummary, Result, TargetField, Verdict,
};

use crate::engine::Parts;
use crate::view::{digest, second_pass};

/// How an action ended.
#[derive(Debug)]
pub(crate) struct End {
    /// What is written down; none where the action stays as it is, written down as begun.
    pub(crate) settlement: Option<Settlement>,
    /// What was left out of it.
    pub(crate) without: Vec<TargetField>,
    /// Why it was not sent, where that is how it ended.
    pub(crate) not_sent: Option<Error>,
}

impl End {
    pub(crate) fn of(settlement: Settlement) -> Self {
        Self { settlement: Some(settlement), ..Self::open() }
    }

    /// It cannot be told yet.
    pub(crate) fn open() -> Self {
        Self { settlement: None, without: Vec::new(), not_sent: None }
    }
}

/// The action that writes what was left out of another, on top of the link that it led to.
pub(crate) fn rest(fingerprinter: &Fingerprinter, action: &Action, end: &End) -> Option<Action> {
    let link = end.settlement.as_ref()?.link.as_ref().filter(|_| !end.without.is_empty())?;
    let changes = action.kind.changes()?.only(|field| end.without.contains(field));
    Some(Action::new(
        fingerprinter,
        action.person.clone(),
        Some(link.member.clone()),
        ActionKind::Update { changes },
        Expectation::Linked { state: link.state, row: link.prints.row() },
        action.after.clone(),
    ))
}

/// What was left out of a plan's actions. It is spooled as it comes, so that nobody is kept in memory for it.
#[derive(Debug, Default)]
pub(crate) struct SecondPass {
    actions: u64,
}

impl SecondPass {
    /// Adds actions. They are a draft until the plan has come to its end: after a crash in between, the links without
    /// fingerprints are what is left, and the next run plans anew from those.
    pub(crate) async fn add(
        &mut self,
        plans: &dyn Plans,
        lease: &Lease,
        first: &PlanId,
        actions: &[Action],
    ) -> Result<()> {
        if actions.is_empty() {
            return Ok(());
        }
        let id = second_pass(first);
        if self.actions == 0 {
            plans.open_plan(lease, &id).await?;
        }
        self.actions += actions.len() as u64;
        plans.append(lease, &id, actions, &[]).await
    }

    /// The plan, if anything was left out.
    pub(crate) async fn seal(
        self,
        plans: &dyn Plans,
        lease: &Lease,
        first: &PlanHeader,
        fingerprinter: &Fingerprinter,
        parts: &Parts,
    ) -> Result<Option<StoredPlan>> {
        if self.actions == 0 {
            return Ok(None);
        }
        let now = parts.clock.now();
        let lifetime = chrono::TimeDelta::from_std(parts.policy.plan_expires_after).unwrap_or_default();
        let mut summary = PlanSummary::default();
        (summary.update, summary.linked_active) = (self.actions, first.summary.linked_active);
        let mut header = first.clone();
        header.id = second_pass(&first.id);
        (header.created_at, header.expires_at) = (now, now + lifetime);
        (header.summary, header.verdict, header.irreversible_from) = (summary, Verdict::Ready, None);
        header.digest = digest(plans, &header, fingerprinter).await?.0;
        plans.seal(lease, &header).await?;
        Ok(Some(StoredPlan::new(header, PlanState::Sealed)))
    }
}
