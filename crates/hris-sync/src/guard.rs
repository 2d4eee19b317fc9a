//! The guards: whether a whole plan may be applied. They give reasons and never edit a plan.

use std::collections::BTreeMap;

use hris_core::{HoldReason, PlanSummary, TargetField, Verdict};

use crate::policy::{Policy, percent_of};

/// What the guards look at beside the counts of the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardInput {
    /// Whether everyone was read to the end.
    pub full_reading: bool,
    /// People in the last complete reading.
    pub last_complete: Option<u64>,
    /// Known members whose e-mail address changes.
    pub email_changes: u64,
    /// Known members whose Employee ID changes.
    pub re_keys: u64,
    /// Whether this connection was never applied before.
    pub first_import: bool,
    /// Leavers that the same run has applied already, from an earlier plan that it continued.
    pub left_already: u64,
}

/// Judges a plan as a whole.
pub fn judge(policy: &Policy, summary: &PlanSummary, input: GuardInput) -> Verdict {
    let reasons: Vec<_> = [
        too_many_leavers(policy, summary, input),
        too_many_creates(policy, summary, input),
        too_many_email_changes(policy, summary, input),
        too_many_re_keys(policy, summary, input),
        shrunk(policy, summary, input),
    ]
    .into_iter()
    .flatten()
    .collect();
    if reasons.is_empty() { Verdict::Ready } else { Verdict::Held(reasons) }
}

fn too_many_leavers(policy: &Policy, summary: &PlanSummary, input: GuardInput) -> Option<HoldReason> {
    // Those who left already are no longer among the linked ones, but count for the limit of the run.
    let limit = policy.leavers.limit(summary.linked_active + input.left_already);
    let planned = summary.closing();
    (planned > 0 && planned + input.left_already > limit)
        .then_some(HoldReason::TooManyLeavers { planned, limit })
}

fn too_many_creates(policy: &Policy, summary: &PlanSummary, input: GuardInput) -> Option<HoldReason> {
    let limit = policy.creates.filter(|_| !input.first_import)?.limit(summary.linked_active);
    (summary.create > limit).then_some(HoldReason::TooManyCreates { planned: summary.create, limit })
}

fn too_many_email_changes(policy: &Policy, summary: &PlanSummary, input: GuardInput) -> Option<HoldReason> {
    let limit = policy.email_changes?.limit(summary.linked_active);
    let planned = input.email_changes;
    (planned > limit).then_some(HoldReason::TooManyEmailChanges { planned, limit })
}

fn too_many_re_keys(policy: &Policy, summary: &PlanSummary, input: GuardInput) -> Option<HoldReason> {
    let limit = policy.re_keys?.limit(summary.linked_active);
    let planned = input.re_keys;
    (planned > limit).then_some(HoldReason::TooManyReKeys { planned, limit })
}

/// Attributes that a plan empties for too many members, in the order of their names.
pub(crate) fn emptied(
    policy: &Policy,
    linked_active: u64,
    clears: &BTreeMap<TargetField, u64>,
) -> impl Iterator<Item = HoldReason> {
    let limit = policy.emptied.limit(linked_active);
    let too_many = clears.iter().filter(move |(_, planned)| **planned > limit);
    too_many.map(move |(field, planned)| HoldReason::FieldEmptied {
        field: field.clone(),
        planned: *planned,
        limit,
    })
}

fn shrunk(policy: &Policy, summary: &PlanSummary, input: GuardInput) -> Option<HoldReason> {
    let before = input.last_complete.filter(|before| input.full_reading && *before > 0)?;
    let now = summary.read;
    if now == 0 {
        return Some(HoldReason::EmptySource { before });
    }
    let lost = before.saturating_sub(now);
    (lost > percent_of(before, policy.shrink_percent)).then_some(HoldReason::ShrunkSource { before, now })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Limit;

    fn summary(read: u64, leave: u64, linked_active: u64) -> PlanSummary {
        let mut summary = PlanSummary::default();
        (summary.read, summary.leave, summary.linked_active) = (read, leave, linked_active);
        summary
    }

    fn full(last_complete: u64) -> GuardInput {
        GuardInput { full_reading: true, last_complete: Some(last_complete), ..GuardInput::default() }
    }

    #[test]
    fn leavers_up_to_the_limit_pass_and_one_more_holds() {
        let policy = Policy::default();
        assert_eq!(judge(&policy, &summary(100, 10, 100), full(100)), Verdict::Ready);
        let held = judge(&policy, &summary(100, 11, 100), full(100));
        assert_eq!(held, Verdict::Held(vec![HoldReason::TooManyLeavers { planned: 11, limit: 10 }]));
    }

    #[test]
    fn a_directory_that_shrinks_by_more_than_a_fifth_is_held_and_an_empty_one_always() {
        let policy = Policy::default();
        assert_eq!(judge(&policy, &summary(80, 0, 100), full(100)), Verdict::Ready);
        let held = judge(&policy, &summary(79, 0, 100), full(100));
        assert_eq!(held, Verdict::Held(vec![HoldReason::ShrunkSource { before: 100, now: 79 }]));
        let empty = judge(&policy, &summary(0, 0, 1), full(1));
        assert_eq!(empty, Verdict::Held(vec![HoldReason::EmptySource { before: 1 }]));
    }

    #[test]
    fn an_incremental_reading_is_not_held_against_the_last_full_one() {
        let input = GuardInput { full_reading: false, ..full(100) };
        assert_eq!(judge(&Policy::default(), &summary(2, 0, 100), input), Verdict::Ready);
    }

    #[test]
    fn guards_on_creates_and_addresses_are_off_until_set_and_spare_the_first_import() {
        let mut plan = summary(100, 0, 100);
        plan.create = 90;
        let input = GuardInput { email_changes: 90, ..full(100) };
        assert_eq!(judge(&Policy::default(), &plan, input), Verdict::Ready);
        let limit = Some(Limit { at_least: 1, percent: 50, at_most: 1_000 });
        let policy = Policy { creates: limit, email_changes: limit, ..Policy::default() };
        let expected = vec![
            HoldReason::TooManyCreates { planned: 90, limit: 50 },
            HoldReason::TooManyEmailChanges { planned: 90, limit: 50 },
        ];
        assert_eq!(judge(&policy, &plan, input), Verdict::Held(expected));
        let first = GuardInput { email_changes: 0, first_import: true, ..input };
        assert_eq!(judge(&policy, &plan, first), Verdict::Ready);
    }
}
