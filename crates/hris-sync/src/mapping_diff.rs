//! Two mappings compared on the same data: the plan that each would make, and where they differ.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use hris_core::{
    Action, EmployeeField, EmployeeId, FieldMapping, FieldSet, PlanHeader, ProvisioningPlan as _, RecordId,
    Result, RuleCode, TargetField,
};

use crate::engine::Engine;
use crate::recorded::Recorded;
use crate::view::PlanView;

/// What would change if another mapping were published.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MappingDiff {
    /// The plan of the present mapping.
    pub before: PlanHeader,
    /// The plan of the other one.
    pub after: PlanHeader,
    /// How many people are planned differently, by what is planned for them before and after.
    pub moves: BTreeMap<(Planned, Planned), u64>,
    /// For how many people each attribute is written differently.
    pub attributes: BTreeMap<TargetField, u64>,
    /// Problems before and after, by rule, where the counts differ.
    pub problems: BTreeMap<RuleCode, (u64, u64)>,
    /// The first people who are planned differently, by record id.
    pub people: Vec<PersonDiff>,
}

impl MappingDiff {
    /// How many people are planned differently.
    pub fn differing(&self) -> u64 {
        self.moves.values().sum()
    }

    /// Whether both mappings lead to the same plan.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.problems.is_empty()
    }
}

/// What is planned for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Planned {
    /// Nothing.
    Nothing,
    /// An action of this name, as [`hris_core::ActionKind::as_str`] has it.
    Action(&'static str),
}

/// Somebody for whom the plans differ. No values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonDiff {
    /// The record id.
    pub record: RecordId,
    /// The Employee ID that the action leads to.
    pub employee_id: EmployeeId,
    /// What the present mapping plans.
    pub before: Planned,
    /// What the other one plans.
    pub after: Planned,
    /// The attributes that are written differently.
    pub attributes: Vec<TargetField>,
}

impl Engine {
    /// Compares this engine's mapping with another one: everyone is read once, and each mapping plans from that.
    ///
    /// Nothing is kept, neither by store nor target: both plans are dry runs. The directory is in memory for the
    /// time of the comparison. At most `people` are listed one by one; the counts are complete.
    ///
    /// # Errors
    /// Those of [`Engine::dry_run`].
    #[tracing::instrument(name = "hris.compare_mappings", skip_all)]
    pub async fn compare_mappings(
        &self,
        other: Arc<dyn FieldMapping>,
        as_of: NaiveDate,
        people: usize,
    ) -> Result<MappingDiff> {
        let parts = self.parts();
        let present = Arc::clone(&parts.mapping);
        let mut fields: FieldSet = present.sources().iter().chain(other.sources()).cloned().collect();
        if parts.policy.create_before_start_days.is_some() {
            fields.insert(EmployeeField::StartDate);
        }
        let recorded = Arc::new(Recorded::read(&*parts.connector, fields).await?);
        let before = self.variant(Arc::clone(&recorded) as _, present).dry_run(as_of).await?;
        let after = self.variant(recorded, other).dry_run(as_of).await?;
        compare(&before, &after, people).await
    }
}

async fn compare(before: &PlanView, after: &PlanView, people: usize) -> Result<MappingDiff> {
    let mut diff = MappingDiff {
        before: before.header().clone(),
        after: after.header().clone(),
        moves: BTreeMap::new(),
        attributes: BTreeMap::new(),
        problems: problems(before, after).await?,
        people: Vec::new(),
    };
    let mut earlier: HashMap<RecordId, Action> = HashMap::new();
    let mut actions = before.actions(None);
    while let Some(action) = actions.try_next().await? {
        if is_between(&action) {
            continue;
        }
        earlier.insert(action.person.record.clone(), action);
    }
    let mut differing = Listed { people: BTreeMap::new(), limit: people };
    let mut actions = after.actions(None);
    while let Some(action) = actions.try_next().await? {
        if is_between(&action) {
            continue;
        }
        let earlier = earlier.remove(&action.person.record);
        diff.note(earlier.as_ref(), Some(&action), &mut differing);
    }
    for action in earlier.values() {
        diff.note(Some(action), None, &mut differing);
    }
    diff.people = differing.people.into_values().collect();
    Ok(diff)
}

/// Whether an action is one on the way to another of the same person.
fn is_between(action: &Action) -> bool {
    matches!(action.kind, hris_core::ActionKind::Park { .. })
}

impl MappingDiff {
    fn note(&mut self, before: Option<&Action>, after: Option<&Action>, listed: &mut Listed) {
        let attributes = differing(before, after);
        let Some(action) = after.or(before) else { return };
        let (before, after) = (planned(before), planned(after));
        if before == after && attributes.is_empty() {
            return;
        }
        *self.moves.entry((before, after)).or_default() += 1;
        for attribute in &attributes {
            *self.attributes.entry(attribute.clone()).or_default() += 1;
        }
        let record = action.person.record.clone();
        let employee_id = action.after.employee_id.clone();
        listed.add(PersonDiff { record, employee_id, before, after, attributes });
    }
}

/// The people with the lowest record ids, as many as are wanted.
struct Listed {
    people: BTreeMap<RecordId, PersonDiff>,
    limit: usize,
}

impl Listed {
    fn add(&mut self, person: PersonDiff) {
        self.people.insert(person.record.clone(), person);
        if self.people.len() > self.limit {
            self.people.pop_last();
        }
    }
}

fn planned(action: Option<&Action>) -> Planned {
    action.map_or(Planned::Nothing, |action| Planned::Action(action.kind.as_str()))
}

/// The attributes that only one of two actions writes, or both with different values.
fn differing(before: Option<&Action>, after: Option<&Action>) -> Vec<TargetField> {
    let changes = |action: Option<&Action>| action.and_then(|action| action.kind.changes().cloned());
    let (before, after) = (changes(before).unwrap_or_default(), changes(after).unwrap_or_default());
    let fields: BTreeSet<_> = before.iter().chain(after.iter()).map(|(field, _)| field).collect();
    fields.into_iter().filter(|field| before.get(field) != after.get(field)).cloned().collect()
}

async fn problems(before: &PlanView, after: &PlanView) -> Result<BTreeMap<RuleCode, (u64, u64)>> {
    let mut counts: BTreeMap<RuleCode, (u64, u64)> = BTreeMap::new();
    let mut problems = before.problems();
    while let Some(problem) = problems.try_next().await? {
        counts.entry(problem.rule).or_default().0 += 1;
    }
    let mut problems = after.problems();
    while let Some(problem) = problems.try_next().await? {
        counts.entry(problem.rule).or_default().1 += 1;
    }
    counts.retain(|_, (before, after)| before != after);
    Ok(counts)
}
