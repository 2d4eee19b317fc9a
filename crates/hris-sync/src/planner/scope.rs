//! People outside the connection's scope: counted, reported if they are members, and never leavers by that alone.

use hris_core::{
    Employee, EmploymentStatus, FieldMapping, Mapped, Problem, Result, ScopeVerdict, SourceField, rule,
};

use super::draft::{Draft, Fate, Intent, Person};
use super::{Planner, stamp, status_code};
use crate::comparison::{Compared, Ordinal};
use crate::decide::Decision;
use crate::policy::LeftScope;

/// What the filter says about somebody, as far as the planner acts on it.
pub(super) enum Scope {
    /// They are planned like everybody.
    Inside,
    /// They are not, and that is all.
    Outside,
    /// It cannot be told, because of this field.
    Unknown(SourceField),
}

impl Planner {
    /// Whether somebody is planned for. Inactive people who were members always are: the status decides who leaves,
    /// and records are often emptied by then.
    pub(super) fn scope_of(&self, mapping: &dyn FieldMapping, employee: &Employee) -> Scope {
        let verdict = mapping.scope(employee);
        if verdict == ScopeVerdict::Inside
            || employee.status == EmploymentStatus::Inactive && self.is_known(employee)
        {
            return Scope::Inside;
        }
        match verdict {
            ScopeVerdict::Unknown(field) => Scope::Unknown(field),
            ScopeVerdict::Inside | ScopeVerdict::Outside(_) => Scope::Outside,
        }
    }

    fn is_known(&self, employee: &Employee) -> bool {
        self.ordinal(&employee.record).is_some_and(|ordinal| self.comparison.is_known(ordinal))
    }

    fn is_active(&self, ordinal: Ordinal) -> bool {
        self.comparison.is_known(ordinal)
            && self.people.get(ordinal.index()).is_some_and(|person| !person.leaver)
    }

    /// Takes a row of somebody outside. They count as seen, and nothing is changed for them, unless the policy says
    /// that whoever left the scope leaves.
    pub(super) fn take_outside(&mut self, employee: &Employee, scope: &Scope) -> Result<Option<Draft>> {
        let nothing = vec![None; self.tags.len()];
        let seen = self.comparison.observe(self.fingerprinter.record(&employee.record), &nothing)?;
        self.people.resize(self.comparison.len(), Person::default());
        let ordinal = seen.ordinal;
        if seen.repeated && !self.was_unreadable(ordinal) {
            if !self.outside_after_all(employee, ordinal, seen.compared) {
                return Ok(None);
            }
            self.comparison.replace(ordinal, &nothing);
        }
        if let Some(person) = self.people.get_mut(ordinal.index()) {
            person.stamp = stamp(employee);
            person.status = status_code(&employee.status);
        }
        let is_member = self.is_active(ordinal);
        if !is_member {
            self.give_up_claims(ordinal);
        }
        match scope {
            Scope::Inside | Scope::Outside if is_member => {
                if self.policy.left_scope == LeftScope::Leave {
                    return Ok(Some(self.leaving(employee, ordinal)));
                }
                self.set_fate(ordinal, Fate::Unchanged);
                let message = "the connection is not for this person any more; the member stays as it is";
                self.problem(Problem::warning(rule::SCOPE_LEFT, message).of(&employee.reference()));
            }
            Scope::Inside | Scope::Outside => self.set_fate(ordinal, Fate::OutOfScope),
            Scope::Unknown(field) => {
                self.set_fate(ordinal, Fate::Problem);
                self.note_open(ordinal, &employee.record);
                let message = "the connection may not be for this person: this field was not delivered or cannot be \
                               read; nothing is changed";
                let problem = Problem::error(rule::SCOPE_UNKNOWN, message).of(&employee.reference());
                self.problem(problem.at(field.to_string()));
            }
        }
        Ok(None)
    }

    /// Whether a further row of somebody stands for them, by the rules for rows that come twice.
    fn outside_after_all(&mut self, employee: &Employee, ordinal: Ordinal, compared: Compared) -> bool {
        let before = self.people.get(ordinal.index()).copied().unwrap_or_default();
        let now = stamp(employee);
        if compared == Compared::Same && before.status == status_code(&employee.status) {
            return false;
        }
        if now == 0 || before.stamp == 0 || now == before.stamp {
            self.contest(ordinal, rule::RECORD_AMBIGUOUS);
            self.report_contest(ordinal, &employee.reference());
            self.give_up_claims(ordinal);
            return false;
        }
        self.warn_about_repeat(employee, ordinal);
        if now < before.stamp {
            return false;
        }
        self.superseded.insert(ordinal, None);
        self.contested.remove(&ordinal);
        self.give_up_claims(ordinal);
        true
    }

    /// A leaver by choice of the policy.
    fn leaving(&mut self, employee: &Employee, ordinal: Ordinal) -> Draft {
        self.set_fate(ordinal, Fate::Leave);
        Draft {
            ordinal,
            person: employee.reference(),
            intent: Intent::Leave,
            attributes: hris_core::Attributes::new(),
            prints: vec![None; self.tags.len()],
            email: None,
            drifted: 0,
            leave_reason: hris_core::LeaveReason::LeftScope,
        }
    }

    /// Leaves out what is written on create only, unless the person is to be created.
    pub(super) fn drop_create_only(&self, mapped: &mut Mapped<'_>, employee: &Employee) {
        let mask = self.mapping.create_only();
        if mask == 0 {
            return;
        }
        let Some(ordinal) = self.ordinal(&employee.record).filter(|known| self.comparison.is_known(*known))
        else {
            return;
        };
        if matches!(self.decision(employee, ordinal), Decision::Create { .. }) {
            return;
        }
        for (_, value) in mapped.values.iter_mut().enumerate().filter(|(at, _)| mask >> at & 1 == 1) {
            *value = hris_core::Field::Absent;
        }
    }

    /// Whether somebody who is to be created has every required attribute.
    pub(super) fn has_required(&mut self, employee: &Employee, mapped: &Mapped<'_>, intent: Intent) -> bool {
        if mapped.missing == 0 || !matches!(intent, Intent::Create { .. }) {
            return true;
        }
        let targets = self.mapping.targets().iter().enumerate();
        let missing: Vec<_> = targets
            .filter(|(at, _)| mapped.missing >> at & 1 == 1)
            .map(|(_, target)| target.to_string())
            .collect();
        let message =
            format!("no account can be created without {}, which the mapping requires", missing.join(", "));
        let problem = Problem::error(rule::FIELD_REQUIRED, message).of(&employee.reference());
        self.problem(problem.at(missing.into_iter().next().unwrap_or_default()));
        false
    }
}
