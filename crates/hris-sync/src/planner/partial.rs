//! Readings of changes only: what people who are not read claim all the same, and what a reading leaves open.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use hris_core::keys::{Fingerprinter, Print};
use hris_core::store::{Link, OpenClaim};
use hris_core::{Employee, EmploymentStatus, RecordId, Result};

use super::Planner;
use super::draft::{Fate, Person};
use crate::comparison::Ordinal;

impl Planner {
    /// Lets a known person claim what their link tells. For readings that may not come across them.
    pub(crate) fn claim_as_linked(&mut self, link: &Link) {
        if let Some(ordinal) = self.ordinal(&link.record) {
            let implied = Implied::of(link, &self.fingerprinter);
            self.employee_ids.set(ordinal, Some(implied.employee_id));
            self.note_plain_id(ordinal, Some(link.employee_id.as_str()));
            self.emails.set(ordinal, implied.email);
        }
    }

    /// Lets somebody claim what an earlier reading found and no link tells. After all known people.
    pub(crate) fn claim_as_remembered(&mut self, claim: &OpenClaim) -> Result<()> {
        let ordinal = match self.comparison.find(claim.record) {
            Some(ordinal) => ordinal,
            None => self.comparison.add_bystander(claim.record)?,
        };
        self.people.resize(self.comparison.len(), Person::default());
        self.employee_ids.set(ordinal, claim.employee_id);
        self.emails.set(ordinal, claim.email);
        Ok(())
    }

    /// Whether a person was read, or is reported as deleted.
    pub(crate) fn is_read(&self, record: &RecordId) -> bool {
        self.ordinal(record).is_some_and(|ordinal| self.comparison.is_seen(ordinal))
    }

    /// Notes that somebody was asked for and did not come: they claim nothing any more.
    pub(crate) fn has_gone(&mut self, record: &RecordId) {
        if let Some(ordinal) = self.ordinal(record) {
            self.give_up_claims(ordinal);
        }
    }

    /// Whether somebody is held who was not read: what they have by now only a reading of everyone tells.
    pub(crate) fn holds_unread(&self) -> bool {
        self.contested.keys().any(|ordinal| !self.comparison.is_seen(*ordinal))
    }

    /// Notes whose row may be left open.
    pub(crate) fn note_open(&mut self, ordinal: Ordinal, record: &RecordId) {
        if self.keeps_open {
            self.open.entry(ordinal).or_insert_with(|| record.clone());
        }
    }

    /// Notes when time alone will change what is to be done about a person.
    pub(super) fn note_due_day(&mut self, employee: &Employee) {
        let days =
            self.policy.create_before_start_days.filter(|_| employee.status == EmploymentStatus::Pending);
        let (Some(days), Some(start)) = (days, employee.start_date.value()) else { return };
        // Where the sun rises earlier the day comes while it is still yesterday for the customer.
        let day = start.checked_sub_days(Days::new(days.into()));
        self.is_due_on(day.filter(|_| employee.time_zone.value().is_some()).and_then(|day| day.pred_opt()));
        self.is_due_on(day);
    }

    pub(super) fn is_due_on(&mut self, day: Option<NaiveDate>) {
        let day = day.filter(|day| *day > self.as_of);
        self.changes_on = match (self.changes_on, day) {
            (Some(known), Some(day)) => Some(known.min(day)),
            (known, day) => known.or(day),
        };
    }

    /// What a reading leaves to the next one.
    pub(crate) fn into_leftovers(self) -> Leftovers {
        let not_started = self.not_started();
        let is_open = |ordinal: &Ordinal| self.fate(*ordinal) == Fate::Problem;
        let open = self.open.iter().filter(|(ordinal, _)| is_open(ordinal));
        let mut open: BTreeSet<_> = open.map(|(_, record)| record.clone()).collect();
        // Everybody else who is held was not named, so that they cannot be asked for by name.
        let held = self.people.iter().filter(|person| person.fate == Fate::Problem).count();
        let count = |ordinal: usize| Ordinal::from_raw(u32::try_from(ordinal).unwrap_or(u32::MAX));
        let claims = (0..self.comparison.len()).map(count);
        let claims: Vec<_> = claims.map(|who| (self.employee_ids.get(who), self.emails.get(who))).collect();
        let mut book: Vec<_> = self
            .comparison
            .into_keys()
            .into_iter()
            .zip(claims)
            .map(|(key, (employee_id, email))| {
                (OpenClaim { record: Print(key), employee_id, email }, Told::Nothing)
            })
            .collect();
        book.sort_unstable_by_key(|(claim, _)| claim.record);
        let is_whole = open.len() == held && !self.withheld;
        open.extend(self.still_waiting);
        Leftovers { is_whole, open, changes_on: self.changes_on, not_started, book }
    }
}

/// What a reading leaves to the next one.
#[derive(Debug)]
pub(crate) struct Leftovers {
    /// Whether everybody about whom something is open is named.
    pub(crate) is_whole: bool,
    /// People about whom something is open.
    pub(crate) open: BTreeSet<RecordId>,
    pub(crate) changes_on: Option<NaiveDate>,
    /// Members whose start lies ahead, by fingerprint of their record id.
    pub(crate) not_started: Vec<Print>,
    /// What everybody claims, by fingerprint of their record id, and how that fits their link.
    book: Vec<(OpenClaim, Told)>,
}

/// How a claim fits the link of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// There is no link.
    Nothing,
    /// The link tells the same.
    Same,
    /// The link tells something else.
    Otherwise,
}

impl Leftovers {
    /// Holds a link, as it is after the actions were carried out, against what its person claims.
    pub(crate) fn compare(&mut self, link: &Link, fingerprinter: &Fingerprinter) {
        let key = fingerprinter.record(&link.record);
        let place = self.book.binary_search_by_key(&key, |(claim, _)| claim.record);
        let Some((claim, told)) = place.ok().and_then(|place| self.book.get_mut(place)) else {
            return;
        };
        let implied = Implied::of(link, fingerprinter);
        let is_same = claim.employee_id == Some(implied.employee_id) && claim.email == implied.email;
        *told = if is_same { Told::Same } else { Told::Otherwise };
    }

    /// The claims that no link tells.
    pub(crate) fn claims(&self) -> Vec<OpenClaim> {
        let untold = self.book.iter().filter(|(claim, told)| match told {
            Told::Nothing => claim.employee_id.is_some() || claim.email.is_some(),
            Told::Same => false,
            Told::Otherwise => true,
        });
        untold.map(|(claim, _)| *claim).collect()
    }
}

/// What a link tells of a person's claims.
struct Implied {
    employee_id: Print,
    email: Option<Print>,
}

impl Implied {
    fn of(link: &Link, fingerprinter: &Fingerprinter) -> Self {
        Self {
            employee_id: fingerprinter.employee_id(link.employee_id.as_str()),
            email: link.email.filter(|_| link.state.is_active()),
        }
    }
}
