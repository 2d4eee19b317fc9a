//! Managers who are named by record: on the platform people are known by Employee ID.

use std::collections::{HashMap, HashSet};

use hris_core::keys::{FieldTag, Print};
use hris_core::{
    Action, Employee, EmployeeId, EmployeeRef, Field, ManagerRef, Mapped, MemberField, RecordId, TargetField,
    ValueRef,
};

use super::Planner;
use super::checks::text_at;
use super::draft::{Fate, Unique};
use crate::apply::not_there;
use crate::comparison::Ordinal;

/// How a row names the manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Named {
    /// Not by record, or not at all.
    #[default]
    Otherwise,
    /// By the record of a known person.
    Known,
    /// By a record without link, of which this is the fingerprint.
    Unknown(Print),
}

/// What is known of managers who are named by record.
#[derive(Debug, Default)]
pub(super) struct Managers {
    /// Employee IDs of the known people whom the page at hand names.
    known: HashMap<RecordId, EmployeeId>,
    /// How the row at hand names the manager.
    row: Named,
    /// Whose managers had no link when their row came, with the fingerprint of the manager's record.
    open: HashMap<Ordinal, Print>,
    /// Whether anybody names a known person.
    names_known: bool,
}

impl Managers {
    /// Notes that the manager of the row at hand is what somebody recorded with us.
    pub(super) fn overrule(&mut self) {
        self.row = Named::Otherwise;
    }
}

/// The Employee IDs that managers get by the plan.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Of new members, by the fingerprint of their record.
    pub(crate) new: HashMap<Print, EmployeeId>,
    /// Of members whose Employee ID changes, by the fingerprint of the attribute that names the old one.
    pub(crate) changed: HashMap<Print, EmployeeId>,
}

/// Puts the manager's Employee ID in the place of the record id; no value if that is not known, which is not an empty
/// one: whatever the member has is kept.
pub(crate) fn put_employee_id(
    employee: &Employee,
    at: usize,
    mapped: &mut Mapped<'_>,
    known: Option<&EmployeeId>,
) -> bool {
    let Some(ManagerRef::Record(record)) = employee.manager.value() else { return false };
    // What a mapping made of other fields, or made up of its own, is what somebody wants.
    let is_copied = text_at(mapped, at).is_some_and(|text| text.trim() == record.as_str().trim());
    let Some(value) = mapped.values.get_mut(at).filter(|_| is_copied) else { return false };
    *value = known.map_or(Field::Absent, |id| Field::Value(ValueRef::Text(id.as_str().to_owned().into())));
    true
}

/// The place of the manager among the attributes of a mapping.
pub(crate) fn manager_at(targets: &[TargetField]) -> Option<usize> {
    targets.iter().position(|target| *target == TargetField::from(MemberField::Manager))
}

impl Planner {
    /// The record by which a row names the manager, where that matters.
    pub(crate) fn manager_record<'e>(&self, employee: &'e Employee) -> Option<&'e RecordId> {
        match employee.manager.value().filter(|_| self.manager_at.is_some())? {
            ManagerRef::Record(record) => Some(record),
            _ => None,
        }
    }

    /// Tells the Employee IDs of the known people whom the next page names as managers.
    pub(crate) fn set_managers(&mut self, known: HashMap<RecordId, EmployeeId>) {
        self.managers.known = known;
    }

    /// Translates the manager of a row.
    pub(super) fn name_manager(&mut self, employee: &Employee, mapped: &mut Mapped<'_>) {
        self.managers.row = Named::Otherwise;
        let (Some(at), Some(record)) = (self.manager_at, self.manager_record(employee)) else { return };
        let known = self.managers.known.get(record);
        if put_employee_id(employee, at, mapped, known) {
            let unknown = Named::Unknown(self.fingerprinter.record(record));
            self.managers.row = known.map_or(unknown, |_| Named::Known);
        }
    }

    /// Takes down how the row that stands for a person names the manager; nothing of somebody for whom nothing is
    /// written.
    pub(super) fn note_manager(&mut self, who: Ordinal, is_written: bool) {
        let named = if is_written { self.managers.row } else { Named::Otherwise };
        self.managers.open.remove(&who);
        if let Named::Unknown(record) = named {
            self.managers.open.insert(who, record);
        }
        self.managers.names_known |= named == Named::Known;
        if let Some(person) = self.people.get_mut(who.index()) {
            person.names_known = named == Named::Known;
        }
    }

    /// Whether another row of a person names the manager alike, as far as its values do not tell.
    pub(super) fn has_same_manager(&self, who: Ordinal) -> bool {
        match (self.managers.open.get(&who), self.managers.row) {
            (Some(before), Named::Unknown(now)) => *before == now,
            (before, now) => before.is_none() && !matches!(now, Named::Unknown(_)),
        }
    }

    /// The records of managers without link whom people of this reading name. None where nothing is to be found out.
    pub(crate) fn wanted_managers(&self) -> Option<HashSet<Print>> {
        let changed =
            self.managers.names_known && self.given_up.keys().any(|(_, kind)| *kind == Unique::EmployeeId);
        (changed || !self.managers.open.is_empty()).then(|| self.managers.open.values().copied().collect())
    }

    /// Whether a draft is going to be carried out as far as can be told now.
    pub(crate) fn stands(&self, who: Ordinal, action: &Action) -> bool {
        self.fits(who, action) && !self.contested.contains_key(&who)
    }

    /// Whether the Employee ID of a known person changes.
    pub(crate) fn changes_id(&self, who: Ordinal) -> bool {
        self.given_up.contains_key(&(who, Unique::EmployeeId))
    }

    /// The fingerprint of the attribute that names a manager by this Employee ID.
    pub(crate) fn print_of_manager(&self, id: &EmployeeId) -> Print {
        let text = ValueRef::Text(id.as_str().into());
        self.fingerprinter.attribute(manager_tag(), Some(&text))
    }

    /// The Employee ID that a person's manager gets by the plan, once: `written` is the fingerprint of whom the member
    /// is to have otherwise. A manager who is not found is reported, and the person waits.
    pub(crate) fn take_name(
        &mut self,
        who: Ordinal,
        person: &EmployeeRef,
        written: Option<Print>,
        names: &Names,
    ) -> Option<EmployeeId> {
        if let Some(record) = self.managers.open.remove(&who) {
            let name = names.new.get(&record).cloned();
            if name.is_none() {
                self.problem(not_there(&MemberField::Manager.into()).of(person));
                self.keep_waiting(person.record.clone());
            }
            return name;
        }
        let name = names.changed.get(&written?)?;
        let person = self.people.get_mut(who.index())?;
        // Once only: the new id of one may be the old one of another.
        let is_first = std::mem::take(&mut person.names_known);
        is_first.then(|| {
            self.waiting.remove(&who);
            name.clone()
        })
    }

    /// Whether there is a known person without draft whose manager is to be named.
    pub(crate) fn has_unnamed(&self, names: &Names) -> bool {
        !names.changed.is_empty() || self.managers.open.keys().any(|who| self.fate(*who) == Fate::Unchanged)
    }
}

/// The tag of the manager among fingerprints.
pub(crate) fn manager_tag() -> FieldTag {
    FieldTag::of(&MemberField::Manager.into())
}
