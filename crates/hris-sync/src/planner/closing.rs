//! The end of a reading: what contradicts itself is taken back, the rest is put in order and counted.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use hris_core::{
    Action, ActionKind, Attributes, EmployeeRef, PlanSummary, Problem, RecordId, RuleCode, TargetField, rule,
};

use super::Planner;
use super::circles::{Handovers, Sequence};
use super::draft::{Fate, Unique};
use crate::claims::ClaimIndex;
use crate::comparison::Ordinal;
use hris_core::keys::Print;

impl Planner {
    /// Reports, once, why a person's draft is taken back. Whether it is.
    pub(crate) fn report_contest(&mut self, ordinal: Ordinal, person: &EmployeeRef) -> bool {
        let Some(contest) = self.contested.get_mut(&ordinal) else {
            return false;
        };
        let rule = contest.rule.clone();
        if !std::mem::replace(&mut contest.reported, true) {
            if rule == rule::EMPLOYEE_ID_MOVED {
                self.note_moved(ordinal, &person.record);
            }
            self.problem(shared(rule).of(person));
        }
        self.note_open(ordinal, &person.record);
        true
    }

    /// Whether somebody is held of whom no row is at hand, to be reported from their link.
    pub(crate) fn has_unreported(&self) -> bool {
        self.contested
            .iter()
            .any(|(ordinal, contest)| !contest.reported && self.comparison.is_known(*ordinal))
    }

    pub(crate) fn ordinal(&self, record: &RecordId) -> Option<Ordinal> {
        self.comparison.find(self.fingerprinter.record(record))
    }

    pub(crate) fn fate(&self, ordinal: Ordinal) -> Fate {
        self.people.get(ordinal.index()).map_or(Fate::Unseen, |person| person.fate)
    }

    /// Whether any draft may have to be taken back.
    pub(crate) fn has_second_thoughts(&self) -> bool {
        self.withheld
            || self.takes_back
            || !self.superseded.is_empty()
            || !self.contested.is_empty()
            || self.has_near_equal()
    }

    /// Notes that a person's member gives up a value.
    pub(crate) fn gives_up(&mut self, who: Ordinal, kind: Unique, value: Print) {
        self.given_up.insert((who, kind), value);
    }

    /// Notes that the platform's member gives up what it has against what was last written.
    pub(crate) fn gives_up_drifted(&mut self, who: Ordinal) {
        let drift = self.drifts.get(&who).copied().unwrap_or_default();
        for (kind, value) in [(Unique::Email, drift.email), (Unique::EmployeeId, drift.employee_id)] {
            if let Some(value) = value {
                self.gives_up(who, kind, value);
            }
        }
    }

    /// Notes that a person wants a value which the member of another linked person still has on the target.
    pub(crate) fn awaits(&mut self, who: Ordinal, owner: Ordinal, kind: Unique) {
        self.awaiting.push((who, owner, kind));
    }

    /// Holds people who claim one Employee ID or one address, except for the member who has the address already;
    /// then orders those who hand on a value: who gives it up goes before who takes it. Circles are broken where
    /// the target allows it and held elsewhere; so is whoever waits for a value that is not given up after all. Only
    /// where everyone came, which `proven` says, somebody who is gone may be one of the new ones.
    pub(crate) fn settle_claims(&mut self, proven: bool) -> Sequence {
        let claims = (std::mem::take(&mut self.emails), std::mem::take(&mut self.employee_ids));
        let (emails, employee_ids) = (claims.0.index(), claims.1.index());
        for who in employee_ids.shared.values().flatten() {
            self.contest(*who, rule::EMPLOYEE_ID_SHARED);
        }
        for (value, claimants) in &emails.shared {
            let owns =
                |who: &Ordinal| self.people.get(who.index()).is_some_and(|person| person.old_email == *value);
            let owners = claimants.iter().filter(|who| owns(who)).count();
            let held: Vec<_> = claimants.iter().filter(|who| owners != 1 || !owns(who)).copied().collect();
            for who in held {
                self.contest(who, rule::EMAIL_SHARED);
            }
        }
        self.find_near_equal(&employee_ids);
        if proven {
            self.hold_moved(&emails, &employee_ids);
        }
        let given_up = |wanted| self.given_up.keys().filter(|(_, kind)| *kind == wanted).count() as u64;
        (self.email_changes, self.re_keys) = (given_up(Unique::Email), given_up(Unique::EmployeeId));
        let sequence = self.order_handovers(&emails, &employee_ids);
        (self.emails, self.employee_ids) = claims;
        sequence
    }

    fn order_handovers(&mut self, emails: &ClaimIndex<'_>, ids: &ClaimIndex<'_>) -> Sequence {
        let mut handovers = Handovers::new();
        for ((giver, kind), value) in &self.given_up {
            let claims = match kind {
                Unique::Email => emails,
                Unique::EmployeeId => ids,
            };
            let takers = claims.claimants(*value).into_iter().filter(|who| who != giver);
            handovers.extend(takers.map(|taker| (*giver, taker, *kind)));
        }
        for (who, owner, kind) in std::mem::take(&mut self.awaiting) {
            if !self.given_up.contains_key(&(owner, kind)) && self.fate(who) != Fate::Blocked {
                self.contest(who, rule::MEMBER_CONFLICT);
            }
        }
        let (mut sequence, stuck) = self.untie(&handovers);
        for ordinal in stuck {
            self.contest(ordinal, rule::UNIQUE_SWAPPED);
        }
        self.hold_takers_of_held_givers(&handovers);
        self.park(&mut sequence);
        sequence
    }

    fn hold_takers_of_held_givers(&mut self, handovers: &Handovers) {
        let mut held: Vec<_> = handovers
            .iter()
            .map(|(giver, _, _)| *giver)
            .filter(|giver| self.fate(*giver) == Fate::Problem)
            .collect();
        while let Some(held_giver) = held.pop() {
            for (_, taker, _) in handovers.iter().filter(|(giver, _, _)| *giver == held_giver) {
                if self.fate(*taker) != Fate::Problem {
                    self.contest(*taker, rule::MEMBER_CONFLICT);
                    held.push(*taker);
                }
            }
        }
    }

    /// Takes back every planned leaver, since the reading gives no right to make any.
    pub(crate) fn withhold_leavers(&mut self, why: &str) {
        let mut withheld = 0;
        for person in
            self.people.iter_mut().filter(|person| matches!(person.fate, Fate::Leave | Fate::Withdraw))
        {
            person.fate = Fate::Unchanged;
            withheld += 1;
        }
        if withheld > 0 {
            self.withheld = true;
            let message = format!("{withheld} inactive people stay members for now: {why}");
            self.problem(Problem::warning(rule::LEAVERS_WITHHELD, message));
        }
    }

    /// Whether a known active person did not come.
    pub(crate) fn is_missing(&self, record: &RecordId) -> bool {
        self.ordinal(record).is_some_and(|ordinal| {
            self.comparison.is_known(ordinal)
                && !self.comparison.is_seen(ordinal)
                && self.people.get(ordinal.index()).is_some_and(|person| !person.leaver)
        })
    }

    /// How many known active people did not come.
    pub(crate) fn missing(&self) -> u64 {
        let leaver = |ordinal: &Ordinal| self.people.get(ordinal.index()).is_some_and(|person| person.leaver);
        self.comparison.unseen().filter(|ordinal| !leaver(ordinal)).count() as u64
    }

    /// Whether an action still stands for what became of its person: not if a newer row came since, which may have
    /// led to another action of the same kind or to none.
    pub(crate) fn fits(&self, ordinal: Ordinal, action: &Action) -> bool {
        let fate = match &action.kind {
            ActionKind::Create { .. } => Fate::Create,
            ActionKind::Adopt { .. } => Fate::Adopt,
            ActionKind::Update { .. } => Fate::Update,
            ActionKind::Reactivate { .. } => Fate::Reactivate,
            ActionKind::Leave { reason, .. } => Fate::closing(*reason),
            _ => return false,
        };
        let is_newest =
            self.superseded.get(&ordinal).is_none_or(|newest| newest.as_ref() == Some(&action.id));
        self.fate(ordinal) == fate && is_newest
    }

    /// Notes the actions that the newest rows led to, where there were earlier ones.
    pub(crate) fn note_actions(&mut self, actions: &[Action]) {
        if self.superseded.is_empty() {
            return;
        }
        for action in actions {
            let ordinal = self.ordinal(&action.person.record);
            if let Some(newest) = ordinal.and_then(|ordinal| self.superseded.get_mut(&ordinal)) {
                *newest = Some(action.id.clone());
            }
        }
    }

    /// Distinct people read, those of unreadable rows included where they have an id.
    pub(crate) fn distinct(&self) -> u64 {
        self.comparison.seen() as u64
    }

    /// How many known members' Employee IDs change.
    pub(crate) fn re_keys(&self) -> u64 {
        self.re_keys
    }

    /// Notes which attributes of a known member are emptied.
    pub(crate) fn note_clears(&mut self, changes: &Attributes) {
        for (field, _) in changes.iter().filter(|(_, value)| value.is_none()) {
            *self.clears.entry(field.clone()).or_default() += 1;
        }
    }

    /// For how many known members each attribute is emptied.
    pub(crate) fn clears(&self) -> &BTreeMap<TargetField, u64> {
        &self.clears
    }

    /// The first day on which one of the known leavers, who does not come back now, is deleted beyond return.
    pub(crate) fn first_irreversible(&self) -> Option<NaiveDate> {
        let stays_away = |ordinal: Ordinal| self.fate(ordinal) != Fate::Reactivate;
        let days =
            self.irreversible.iter().filter(|(ordinal, day)| **day > self.as_of && stays_away(**ordinal));
        days.map(|(_, day)| *day).min()
    }

    /// How many known members' addresses change.
    pub(crate) fn email_changes(&self) -> u64 {
        self.email_changes
    }

    /// Counts of what is planned now.
    pub(crate) fn summary(&self) -> PlanSummary {
        let mut summary = PlanSummary::default();
        for person in &self.people {
            let count = match person.fate {
                Fate::Unseen => continue,
                Fate::Unchanged => &mut summary.unchanged,
                Fate::Ignored => &mut summary.ignored,
                Fate::OutOfScope => &mut summary.out_of_scope,
                Fate::Blocked => &mut summary.blocked,
                Fate::Create => &mut summary.create,
                Fate::Adopt => &mut summary.adopt,
                Fate::Update => &mut summary.update,
                Fate::Leave => &mut summary.leave,
                Fate::Withdraw => &mut summary.withdraw,
                Fate::Reactivate => &mut summary.reactivate,
                Fate::Problem => &mut summary.problems,
            };
            *count += 1;
        }
        summary.read = self.distinct();
        summary.problems += self.unidentified;
        summary.warnings = self.warnings;
        summary.linked_active = self.linked_active;
        summary.park = self.parked;
        summary
    }
}

/// The message for two people who have one value that must be unique.
fn shared(rule: RuleCode) -> Problem {
    let (message, field) = if rule == rule::EMPLOYEE_ID_SHARED {
        (
            "another record has the same Employee ID; nothing is changed for either until one is corrected",
            "employee_id",
        )
    } else if rule == rule::UNIQUE_SWAPPED {
        (
            "these people take over each other's e-mail addresses or Employee IDs; change them one after the other",
            "email",
        )
    } else if rule == rule::MEMBER_CONFLICT {
        (
            "the member that has this Employee ID or e-mail address belongs to another employee; correct one of them",
            "employee_id",
        )
    } else if rule == rule::EMPLOYEE_ID_MOVED {
        (
            "this new person seems to be a member whose record is gone; nobody is created until somebody says whether \
             they are the same",
            "record_id",
        )
    } else if rule == rule::EMPLOYEE_ID_REUSED {
        (
            "nothing of this person is as it was when they were last seen, as if somebody else had the id now; give a new \
             person an id of their own, or confirm that it is the same person",
            "record_id",
        )
    } else if rule == rule::RECORD_AMBIGUOUS {
        ("the record came twice with different content and nothing to tell which is newer", "record_id")
    } else {
        ("another person has the same e-mail address; give each their own", "email")
    };
    Problem::error(rule, message).at(field)
}
