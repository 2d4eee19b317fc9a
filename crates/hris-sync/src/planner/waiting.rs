//! Updates that wait for other members: references to managers who are not on the platform.

use hris_core::keys::Print;
use hris_core::{Action, Awaited, EmployeeRef, RecordId, TargetField};

use super::Planner;
use super::draft::Fate;
use crate::apply::not_there;
use crate::comparison::Ordinal;

/// Somebody of whom nothing can be written unless others come.
#[derive(Debug)]
pub(super) struct Waiting {
    person: EmployeeRef,
    /// What would be written, and the Employee ID of whom it takes.
    fields: Vec<(TargetField, Print)>,
}

impl Planner {
    /// Notes that an update can write nothing unless others come. Without them it takes back an earlier note.
    pub(crate) fn waits_for(&mut self, who: Ordinal, update: &Action, awaited: &[Awaited]) {
        self.waiting.remove(&who);
        if awaited.is_empty() {
            return;
        }
        let print = |awaited: &Awaited| {
            (awaited.field.clone(), self.fingerprinter.employee_id(awaited.employee_id.as_str()))
        };
        let waiting = Waiting { person: update.person.clone(), fields: awaited.iter().map(print).collect() };
        self.waiting.insert(who, waiting);
    }

    /// Takes back the updates that would write nothing, since nobody for whom they wait comes with this plan. They are
    /// reported, and planned again when somebody comes.
    pub(crate) fn settle_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|who, _| self.fate(*who) == Fate::Update);
        if waiting.is_empty() {
            return;
        }
        let index = self.employee_ids.index();
        let comes = |who: &Ordinal| {
            matches!(self.fate(*who), Fate::Create | Fate::Adopt | Fate::Reactivate | Fate::Update)
        };
        waiting.retain(|_, waiting| {
            !waiting.fields.iter().any(|(_, id)| index.claimants(*id).iter().any(comes))
        });
        for (who, Waiting { person, fields }) in waiting {
            self.set_fate(who, Fate::Unchanged);
            self.takes_back = true;
            for (field, _) in fields {
                self.problem(not_there(&field).of(&person));
            }
            self.keep_waiting(person.record);
        }
    }

    /// They are asked for again, whether they changed or not.
    pub(super) fn keep_waiting(&mut self, record: RecordId) {
        if self.keeps_open {
            self.still_waiting.push(record);
        }
    }
}
