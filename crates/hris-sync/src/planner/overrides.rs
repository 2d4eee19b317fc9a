//! What administrators recorded against the HR system, and whom we were told to forget.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use hris_core::keys::{FieldTag, Print};
use hris_core::store::{Override, Until};
use hris_core::{Employee, Field, Mapped, Problem, RecordId, Result, TargetField, Value, ValueRef, rule};

use super::Planner;
use super::draft::{Fate, Person};

/// The overrides that hold while planning, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Overriding {
    /// By fingerprint of the record.
    pub(super) known: Arc<HashMap<Print, Vec<Override>>>,
    pub(super) forgotten: HashSet<Print>,
    changes: OverrideChanges,
}

/// What is to be written down about overrides once a plan was carried out.
#[derive(Debug, Default)]
pub(crate) struct OverrideChanges {
    /// Overrides that were used for the first time, with what the HR system said then.
    pinned: BTreeMap<(RecordId, TargetField), Override>,
    /// Overrides that hold no longer.
    ended: BTreeSet<(RecordId, TargetField)>,
}

impl OverrideChanges {
    pub(crate) fn pinned(&self) -> Vec<Override> {
        self.pinned.values().cloned().collect()
    }

    pub(crate) fn ended(&self) -> Vec<(RecordId, TargetField)> {
        self.ended.iter().cloned().collect()
    }
}

impl Planner {
    /// Tells which overrides there are and who was forgotten, before the first employee.
    pub(crate) fn set_overrides(
        &mut self,
        overrides: Vec<Override>,
        forgotten: impl IntoIterator<Item = Print>,
    ) {
        let mut known: HashMap<_, Vec<_>> = HashMap::new();
        for one in overrides {
            if let Until::Day(last) = one.until {
                self.is_due_on(last.succ_opt());
            }
            known.entry(self.fingerprinter.record(&one.record)).or_default().push(one);
        }
        self.overriding = Overriding {
            known: known.into(),
            forgotten: forgotten.into_iter().collect(),
            ..Overriding::default()
        };
    }

    /// What became of the overrides.
    pub(crate) fn take_override_changes(&mut self) -> OverrideChanges {
        std::mem::take(&mut self.overriding.changes)
    }

    /// Takes a row of somebody whom we were told to forget: seen, and nothing else.
    pub(super) fn is_forgotten(&mut self, employee: &Employee) -> Result<bool> {
        let key = self.fingerprinter.record(&employee.record);
        if !self.overriding.forgotten.contains(&key) {
            return Ok(false);
        }
        let seen = self.comparison.observe(key, &vec![None; self.tags.len()])?;
        self.people.resize(self.comparison.len(), Person::default());
        self.set_fate(seen.ordinal, Fate::Ignored);
        Ok(true)
    }

    /// Puts what was recorded with us in the place of what the HR system says.
    pub(super) fn override_row<'o>(
        &mut self,
        known: &'o HashMap<Print, Vec<Override>>,
        employee: &Employee,
        mapped: &mut Mapped<'o>,
    ) {
        for one in known.get(&self.fingerprinter.record(&employee.record)).into_iter().flatten() {
            let Some(place) = self.mapping.targets().iter().position(|target| *target == one.field) else {
                continue;
            };
            let Some(value) = mapped.values.get_mut(place) else { continue };
            let Some(tag) = self.tags.get(place).copied() else { continue };
            let said = self.fingerprinter.attribute(tag, value.value());
            if self.has_ended(one, said, value.is_absent(), tag) {
                self.end(one, employee);
                continue;
            }
            if one.until == Until::SourceChanges(None) {
                let pinned = one.clone().until(Until::SourceChanges(Some(said)));
                self.overriding.changes.pinned.insert((one.record.clone(), one.field.clone()), pinned);
            }
            if self.manager_at == Some(place) {
                self.managers.overrule();
            }
            *value = one.value.as_ref().map_or(Field::Null, |value| Field::Value(Value::as_ref(value)));
            mapped.missing &= !(1 << place);
            if self.fingerprinter.attribute(tag, value.value()) != said {
                let message = "what was recorded with us is used in place of what the HR system says";
                let problem = Problem::warning(rule::OVERRIDE_USED, message).of(&employee.reference());
                self.problem(problem.at(one.field.to_string()));
            }
        }
    }

    /// Whether an override holds no longer. A field that was not delivered says nothing new.
    fn has_ended(&self, one: &Override, said: Print, absent: bool, tag: FieldTag) -> bool {
        match one.until {
            Until::Day(last) => self.as_of > last,
            Until::SourceChanges(Some(before)) => {
                let nothing = self.fingerprinter.attribute(tag, None::<&ValueRef<'_>>);
                before != said && !(absent && before != nothing)
            }
            _ => false,
        }
    }

    fn end(&mut self, one: &Override, employee: &Employee) {
        self.overriding.changes.ended.insert((one.record.clone(), one.field.clone()));
        let message = if matches!(one.until, Until::Day(_)) {
            "the last day of what was recorded with us has passed; the HR system's value is used again"
        } else {
            "the HR system says something new, so that what was recorded with us holds no longer"
        };
        let problem = Problem::warning(rule::OVERRIDE_ENDED, message).of(&employee.reference());
        self.problem(problem.at(one.field.to_string()));
    }
}
