//! The members of a file in memory, found by id, Employee ID, e-mail address and day of deletion.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use hris_core::{EmployeeId, MemberId, MemberRecord, TargetField, fold_email};

/// What the ids that are given here start with; a number follows.
pub(crate) const ID_PREFIX: &str = "m-";

/// A member with what the file keeps beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) record: MemberRecord,
    /// How often the member is to be invited.
    pub(crate) invitations: u64,
}

/// Which two members have the same unique value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clash {
    Id,
    EmployeeId,
    Email,
}

/// All members. Every unique value belongs to one of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Members {
    kept: BTreeMap<MemberId, Kept>,
    by_employee_id: HashMap<EmployeeId, MemberId>,
    by_email: HashMap<String, MemberId>,
    closing: BTreeSet<(NaiveDate, MemberId)>,
    /// The number of the next member's id; ids are never given twice.
    pub(crate) next_id: u64,
}

impl Default for Members {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

impl Members {
    /// Nobody yet, with the number of the first id to give.
    pub(crate) fn starting_at(next_id: u64) -> Self {
        Self {
            kept: BTreeMap::new(),
            by_employee_id: HashMap::new(),
            by_email: HashMap::new(),
            closing: BTreeSet::new(),
            next_id,
        }
    }

    /// Whether another member than `record` has one of its unique values.
    pub(crate) fn clash(&self, record: &MemberRecord) -> Option<Clash> {
        let is_other = |holder: &MemberId| *holder != record.id;
        let id = record.attributes.employee_id();
        if id.and_then(|id| self.by_employee_id.get(&id)).is_some_and(is_other) {
            return Some(Clash::EmployeeId);
        }
        let email = folded(record).and_then(|email| self.by_email.get(&email));
        email.is_some_and(is_other).then_some(Clash::Email)
    }

    /// Puts a member in that was not there before.
    pub(crate) fn add(&mut self, kept: Kept) -> Result<(), Clash> {
        if self.kept.contains_key(&kept.record.id) {
            return Err(Clash::Id);
        }
        if let Some(clash) = self.clash(&kept.record) {
            return Err(clash);
        }
        self.put(kept);
        Ok(())
    }

    /// Puts a member in, in place of its earlier self. Whoever calls this has looked for clashes.
    pub(crate) fn put(&mut self, kept: Kept) {
        let id = kept.record.id.clone();
        self.remove(&id);
        if let Some(employee_id) = kept.record.attributes.employee_id() {
            self.by_employee_id.insert(employee_id, id.clone());
        }
        if let Some(email) = folded(&kept.record) {
            self.by_email.insert(email, id.clone());
        }
        if let Some(day) = kept.record.closes_on {
            self.closing.insert((day, id.clone()));
        }
        self.kept.insert(id, kept);
    }

    fn remove(&mut self, id: &MemberId) {
        let Some(kept) = self.kept.remove(id) else { return };
        if let Some(employee_id) = kept.record.attributes.employee_id() {
            self.by_employee_id.remove(&employee_id);
        }
        if let Some(email) = folded(&kept.record) {
            self.by_email.remove(&email);
        }
        if let Some(day) = kept.record.closes_on {
            self.closing.remove(&(day, id.clone()));
        }
    }

    /// Forgets the closed accounts whose day has come.
    pub(crate) fn purge(&mut self, today: NaiveDate) {
        while let Some((day, id)) = self.closing.first().cloned() {
            if day > today {
                return;
            }
            self.closing.pop_first();
            self.remove(&id);
        }
    }

    pub(crate) fn get(&self, id: &MemberId) -> Option<&Kept> {
        self.kept.get(id)
    }

    pub(crate) fn with_employee_id(&self, id: &EmployeeId) -> Option<&Kept> {
        self.get(self.by_employee_id.get(id)?)
    }

    /// Matched without regard to case.
    pub(crate) fn with_email(&self, email: &str) -> Option<&Kept> {
        self.get(self.by_email.get(&*fold_email(email))?)
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The members in the order of their ids, from the one after `after`.
    pub(crate) fn iter(&self, after: Option<&MemberId>) -> impl Iterator<Item = &Kept> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.kept.range::<MemberId, _>((from, Unbounded)).map(|(_, kept)| kept)
    }
}

fn folded(record: &MemberRecord) -> Option<String> {
    let email = record.attributes.text(&TargetField::EMAIL)?;
    Some(fold_email(email).into_owned())
}
