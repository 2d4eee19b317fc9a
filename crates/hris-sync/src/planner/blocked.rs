//! Actions that the administrator does not allow: protected members, and kinds of action that are switched off. They
//! are shown as blocked and not carried out.

use hris_core::store::Link;
use hris_core::{ActionKind, EmployeeRef, Problem, rule};

use super::Planner;
use super::draft::Fate;
use crate::comparison::Ordinal;
use crate::policy::Switch;

impl Planner {
    /// Whether an action may not be: it is reported, and its person counts as blocked.
    pub(crate) fn blocks(
        &mut self,
        ordinal: Ordinal,
        person: &EmployeeRef,
        kind: &ActionKind,
        link: Option<&Link>,
    ) -> bool {
        let ids = person.employee_id.iter().chain(link.map(|link| &link.employee_id));
        let is_protected = ids.into_iter().any(|id| self.policy.protected.contains(id));
        let problem = if is_protected && !matches!(kind, ActionKind::Create { .. }) {
            let message = format!("this member is protected, so that it is not changed: {}", kind.as_str());
            Problem::warning(rule::MEMBER_PROTECTED, message)
        } else if Switch::of(kind).is_some_and(|switch| self.policy.switched_off.contains(&switch)) {
            let message = format!("the action is switched off by the policy: {}", kind.as_str());
            Problem::warning(rule::ACTION_BLOCKED, message)
        } else {
            return false;
        };
        self.set_fate(ordinal, Fate::Blocked);
        self.problem(problem.of(person));
        true
    }
}
