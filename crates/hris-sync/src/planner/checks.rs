//! What a row is checked for, and what is said about it.

use hris_core::{Employee, Field, FieldMapping, Mapped, Problem, RuleCode, ValueRef, rule};

use super::Planner;
use super::draft::Intent;
use crate::comparison::Ordinal;

impl Planner {
    /// Maps an employee; what came of its fields is reported, and mandatory fields are never cleared.
    pub(super) fn map<'e>(&mut self, mapping: &dyn FieldMapping, employee: &'e Employee) -> Mapped<'e> {
        let mut mapped = mapping.map(employee);
        if let Some(email) = mapped.values.get_mut(self.email_at)
            && *email == Field::Null
        {
            *email = Field::Absent;
        }
        self.drop_create_only(&mut mapped, employee);
        for problem in employee.problems.iter().chain(&mapped.problems) {
            let warning = Problem::warning(problem.rule.clone(), problem.message.clone());
            self.problem(warning.of(&employee.reference()).at(problem.field.to_string()));
        }
        mapped
    }

    pub(super) fn warn_about_repeat(&mut self, employee: &Employee, ordinal: Ordinal) {
        let Some(person) = self.people.get_mut(ordinal.index()) else {
            return;
        };
        if !std::mem::replace(&mut person.repeated, true) {
            let message = "the record came more than once; the row that was modified last is used";
            self.problem(Problem::warning(rule::RECORD_REPEATED, message).of(&employee.reference()));
        }
    }

    pub(super) fn no_change(&mut self, employee: &Employee, rule: &RuleCode) {
        let message = if *rule == rule::STATUS_BACKWARDS {
            "an active member is pending again in the HR system; nothing is changed"
        } else {
            "the employment status is missing or unknown; nothing is changed"
        };
        self.problem(Problem::warning(rule.clone(), message).of(&employee.reference()).at("status"));
    }

    pub(super) fn warn_about_end_date(&mut self, employee: &Employee) {
        if employee.end_date.value().is_some_and(|end| *end < self.as_of) {
            let message = "the end date has passed but the status is active; the status decides";
            let warning = Problem::warning(rule::END_DATE_PASSED, message);
            self.problem(warning.of(&employee.reference()).at("end_date"));
        }
    }

    pub(super) fn has_employee_id(&mut self, employee: &Employee, mapped: &Mapped<'_>) -> bool {
        if text_at(mapped, self.id_at).is_some() {
            return true;
        }
        let message = "the Employee ID is missing; fill it in, since it identifies the member";
        let problem = Problem::error(rule::EMPLOYEE_ID_BLANK, message);
        self.problem(problem.of(&employee.reference()).at("employee_id"));
        false
    }

    /// Whether there is an address, or the person can do without.
    pub(super) fn has_email(&mut self, employee: &Employee, mapped: &Mapped<'_>, intent: Intent) -> bool {
        intent == Intent::Leave
            || text_at(mapped, self.email_at).is_some()
            || self.without_email(employee, mapped, intent)
    }

    /// A new person without address cannot be created; a known one keeps theirs.
    pub(super) fn without_email(&mut self, employee: &Employee, mapped: &Mapped<'_>, intent: Intent) -> bool {
        let person = employee.reference();
        if matches!(intent, Intent::Create { .. }) {
            let unreadable = mapped.problems.iter().any(|problem| problem.rule == rule::EMAIL_INVALID);
            let (rule, message) = if unreadable {
                (rule::EMAIL_INVALID, "the e-mail address cannot be one, so no account can be created")
            } else {
                (rule::EMAIL_MISSING, "there is no e-mail address, so no account can be created")
            };
            self.problem(Problem::error(rule, message).of(&person).at("email"));
            return false;
        }
        let message = "the e-mail address was emptied in the HR system; the member keeps the old one";
        self.problem(Problem::warning(rule::MANDATORY_EMPTIED, message).of(&person).at("email"));
        true
    }
}

pub(super) fn text_at<'a>(mapped: &'a Mapped<'_>, position: usize) -> Option<&'a str> {
    match mapped.values.get(position)? {
        Field::Value(ValueRef::Text(text)) => Some(text),
        _ => None,
    }
}
