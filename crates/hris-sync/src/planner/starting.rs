//! People before their first day: what day it is where they work, and who never came.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use hris_core::keys::Print;
use hris_core::{Employee, EmployeeRef, EmploymentStatus, LeaveReason, Problem, RecordId, rule};

use super::Planner;
use crate::comparison::Ordinal;
use crate::decide::Decision;

/// Members whose start lies ahead, by fingerprint of their record.
#[derive(Debug, Default)]
pub(crate) struct Starting {
    /// As the last readings left it.
    known: BTreeSet<Print>,
    /// Of those who were read now: whether it still does.
    read: BTreeMap<Print, bool>,
}

impl Planner {
    /// Tells of whom the start lay ahead when they were last read.
    pub(crate) fn set_not_started(&mut self, records: impl IntoIterator<Item = Print>) {
        self.starting.known = records.into_iter().collect();
    }

    /// The calendar date where somebody works.
    pub(super) fn today_of(&self, employee: &Employee) -> NaiveDate {
        today_of(employee, self.as_of, self.now)
    }

    /// Whether a record's member had not started when it was last read.
    pub(crate) fn was_not_started(&self, record: &RecordId) -> bool {
        !self.starting.known.is_empty() && self.starting.known.contains(&self.fingerprinter.record(record))
    }

    /// Whether somebody's first day lies ahead. Somebody who left and is to come back later has started once; where
    /// nobody is created before their start, whoever is there counts as started.
    pub(super) fn has_not_started(&self, employee: &Employee) -> bool {
        let today = self.today_of(employee);
        let was_not_started = || self.was_not_started(&employee.record);
        match employee.start_date.value() {
            None => was_not_started(),
            Some(start) if *start <= today => false,
            Some(_) => {
                let has_left = employee.end_date.value().is_some_and(|end| *end < today);
                was_not_started() || self.policy.create_before_start_days.is_some() && !has_left
            }
        }
    }

    /// Why somebody leaves who is not in the HR system any more, where `reason` is what is said of others.
    pub(crate) fn reason_of_absent(&self, record: &RecordId, reason: LeaveReason) -> LeaveReason {
        if self.was_not_started(record) { LeaveReason::Withdrawn } else { reason }
    }

    /// Reports somebody who is missing: those who had not started apart, since their hire may have been rescinded.
    pub(crate) fn report_missing(&mut self, person: &EmployeeRef, message: &'static str) {
        let problem = if self.was_not_started(&person.record) {
            let message = format!("had not started when last seen, and is now {message}");
            Problem::warning(rule::PERSON_NOT_STARTED, message)
        } else {
            Problem::warning(rule::PERSON_MISSING, message)
        };
        self.problem(problem.of(person));
    }

    /// Takes note of whether a member's start lies ahead.
    pub(super) fn note_start(&mut self, employee: &Employee, decision: &Decision) {
        let is_ahead = employee.start_date.value().is_some_and(|start| *start > self.today_of(employee));
        if !is_ahead && self.starting.known.is_empty() && self.starting.read.is_empty() {
            return;
        }
        let record = self.fingerprinter.record(&employee.record);
        let is_member = match decision {
            Decision::Create { .. } | Decision::Keep | Decision::Reactivate => true,
            Decision::NoChange(_) => self.starting.known.contains(&record),
            Decision::Leave | Decision::Ignore => false,
        };
        self.starting.read.insert(record, is_ahead && is_member);
    }

    /// Of whom the start lies ahead now; whoever was not read is as before.
    pub(super) fn not_started(&self) -> Vec<Print> {
        let is_member = |ordinal: Ordinal| {
            let left = self.people.get(ordinal.index()).is_some_and(|person| person.leaver);
            self.comparison.is_known(ordinal) && !left
        };
        let unread = self.starting.known.iter().filter(|record| {
            !self.starting.read.contains_key(record) && self.comparison.find(**record).is_some_and(is_member)
        });
        let read = self.starting.read.iter().filter(|(_, ahead)| **ahead).map(|(record, _)| record);
        unread.chain(read).copied().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The day on which is decided about somebody: a start is counted in the days of where they work, everything else in
/// those of the customer.
pub(crate) fn day_of_decision(employee: &Employee, as_of: NaiveDate, now: DateTime<Utc>) -> NaiveDate {
    if employee.status == EmploymentStatus::Pending { today_of(employee, as_of, now) } else { as_of }
}

/// The calendar date where somebody works, if their zone is known and `as_of` is today somewhere; else `as_of`, which
/// is the customer's.
fn today_of(employee: &Employee, as_of: NaiveDate, now: DateTime<Utc>) -> NaiveDate {
    // An unknown zone of the HR system is as good as none.
    let zone = employee.time_zone.value().and_then(|zone| zone.parse::<Tz>().ok());
    let is_today = (as_of - now.date_naive()).num_days().abs() <= 1;
    zone.filter(|_| is_today).map_or(as_of, |zone| now.with_timezone(&zone).date_naive())
}
