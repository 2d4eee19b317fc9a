//! What can go wrong on a mock target, as data: which misbehaviour, on what, and how often.

use std::time::Duration;

use hris_core::{EmployeeId, ErrorKind, RuleCode};

/// A misbehaviour of a [`crate::MockTarget`].
///
/// `on_employee`, `on_nth` and `always` say where it strikes:
///
/// ```
/// use hris_core::rule;
/// use hris_testkit::{MockTarget, ManualClock, TargetFault};
/// let target = MockTarget::new(ManualClock::at("2026-03-02T06:00:00Z"))
///     .with_fault(TargetFault::StoresButAnswersInDoubt.on_employee("00104"))
///     .with_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_nth(3))
///     .with_fault(TargetFault::NotAttempted { retryable: true }.on_nth(5).times(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetFault {
    /// Carries the action out and loses the answer.
    StoresButAnswersInDoubt,
    /// Does nothing and gives no answer either.
    StoresNothingAnswersInDoubt,
    /// Says that the action was carried out and does nothing.
    AnswersOkButStoresNothing,
    /// Refuses the record under a rule of its own; the code is in the error's context under `rule`.
    RejectsOne(RuleCode),
    /// Answers that something else holds the unique value.
    ConflictOne,
    /// Answers that nothing was sent.
    NotAttempted {
        /// Whether trying again may help.
        retryable: bool,
    },
    /// Waits on the clock before it carries the action out. Dropped while it waits, it does nothing.
    Slow(Duration),
    /// Carries the action out and then waits on the clock. Dropped while it waits, the effect stays.
    SlowAnswer(Duration),
    /// A look-up fails with this kind of error.
    FindFails(ErrorKind),
    /// The list of members breaks off with this kind of error after some members.
    RosterFails {
        /// How many members are listed before.
        after: usize,
        /// The kind of error.
        kind: ErrorKind,
    },
}

/// A [`TargetFault`] and what it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFaultRule {
    pub(super) fault: TargetFault,
    on: On,
    left: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum On {
    Anything,
    Employee(EmployeeId),
    FromNth(u64),
}

impl TargetFault {
    /// Strikes the person with this Employee ID, once: an action about them, or a look-up that asks for them.
    pub fn on_employee(self, employee_id: impl Into<EmployeeId>) -> TargetFaultRule {
        self.rule(On::Employee(employee_id.into()), Some(1))
    }

    /// Strikes the `nth` occasion of its kind, counted from 1 since the target was made: actions one by one,
    /// look-ups, or listings.
    pub fn on_nth(self, nth: u64) -> TargetFaultRule {
        self.rule(On::FromNth(nth), Some(1))
    }

    /// Strikes every time.
    pub fn always(self) -> TargetFaultRule {
        self.rule(On::Anything, None)
    }

    fn rule(self, on: On, left: Option<u64>) -> TargetFaultRule {
        TargetFaultRule { fault: self, on, left }
    }

    fn strikes(&self, occasion: Occasion) -> bool {
        match self {
            Self::FindFails(_) => occasion == Occasion::Find,
            Self::RosterFails { .. } => occasion == Occasion::Roster,
            _ => occasion == Occasion::Action,
        }
    }
}

impl TargetFaultRule {
    /// Strikes this many times in a row in place of once.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.left = Some(times);
        self
    }

    /// Strikes every time that it fits.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Whether it strikes now; if so, it is counted.
    pub(super) fn take(&mut self, occasion: Occasion, nth: u64, about: &[EmployeeId]) -> bool {
        let fits = match &self.on {
            On::Anything => true,
            On::Employee(id) => about.contains(id),
            On::FromNth(first) => nth >= *first,
        };
        if !fits || self.left == Some(0) || !self.fault.strikes(occasion) {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        true
    }
}

/// What a target is asked to do, as far as faults tell occasions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    Action,
    Find,
    Roster,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(mut rule: TargetFaultRule, occasions: impl IntoIterator<Item = Occasion>) -> Vec<u64> {
        let nobody = [];
        (1..)
            .zip(occasions)
            .filter_map(|(nth, occasion)| rule.take(occasion, nth, &nobody).then_some(nth))
            .collect()
    }

    #[test]
    fn a_rule_strikes_from_its_nth_occasion_as_often_as_it_says() {
        let five = [Occasion::Action; 5];
        assert_eq!(strikes(TargetFault::ConflictOne.on_nth(2), five), [2]);
        assert_eq!(strikes(TargetFault::ConflictOne.on_nth(2).times(2), five), [2, 3]);
        assert_eq!(strikes(TargetFault::ConflictOne.on_nth(3).always(), five), [3, 4, 5]);
        assert_eq!(strikes(TargetFault::ConflictOne.always(), five), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_rule_strikes_only_occasions_of_its_kind() {
        let mixed = [Occasion::Action, Occasion::Find, Occasion::Roster];
        let down = ErrorKind::Unavailable;
        let roster = TargetFault::RosterFails { after: 0, kind: down };
        assert_eq!(strikes(TargetFault::FindFails(down).always(), mixed), [2]);
        assert_eq!(strikes(roster.always(), mixed), [3]);
        assert_eq!(strikes(TargetFault::ConflictOne.always(), mixed), [1]);
    }

    #[test]
    fn a_rule_for_an_employee_leaves_others_alone() {
        let mut rule = TargetFault::ConflictOne.on_employee("00104");
        assert!(!rule.take(Occasion::Action, 1, &["104".into()]));
        assert!(rule.take(Occasion::Action, 2, &["7".into(), "00104".into()]));
        assert!(!rule.take(Occasion::Action, 3, &["00104".into()]), "once");
    }
}
