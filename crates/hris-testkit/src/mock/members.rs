//! The members of the mock target, found by id, Employee ID, e-mail address and day of deletion.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use hris_core::{EmployeeId, MemberId, MemberRecord, TargetField, fold_email};

/// Members with their indexes, so that a platform of a hundred thousand is as quick as one of ten.
#[derive(Debug, Default)]
pub(super) struct Members {
    records: BTreeMap<MemberId, MemberRecord>,
    by_employee_id: HashMap<EmployeeId, BTreeSet<MemberId>>,
    by_email: HashMap<String, BTreeSet<MemberId>>,
    closing: BTreeSet<(NaiveDate, MemberId)>,
}

impl Members {
    /// Puts a member in, in place of an earlier one with the same id.
    pub(super) fn put(&mut self, record: MemberRecord) {
        self.remove(&record.id);
        if let Some(id) = record.attributes.employee_id() {
            self.by_employee_id.entry(id).or_default().insert(record.id.clone());
        }
        if let Some(email) = folded(&record) {
            self.by_email.entry(email).or_default().insert(record.id.clone());
        }
        if let Some(day) = record.closes_on {
            self.closing.insert((day, record.id.clone()));
        }
        self.records.insert(record.id.clone(), record);
    }

    pub(super) fn remove(&mut self, id: &MemberId) -> Option<MemberRecord> {
        let record = self.records.remove(id)?;
        if let Some(key) = record.attributes.employee_id() {
            forget(&mut self.by_employee_id, &key, id);
        }
        if let Some(key) = folded(&record) {
            forget(&mut self.by_email, &key, id);
        }
        if let Some(day) = record.closes_on {
            self.closing.remove(&(day, id.clone()));
        }
        Some(record)
    }

    /// Deletes the closed accounts whose day has come.
    pub(super) fn purge(&mut self, today: NaiveDate) {
        while let Some((day, id)) = self.closing.first().cloned() {
            if day > today {
                return;
            }
            self.closing.pop_first();
            self.remove(&id);
        }
    }

    pub(super) fn get(&self, id: &MemberId) -> Option<&MemberRecord> {
        self.records.get(id)
    }

    pub(super) fn with_employee_id<'a>(
        &'a self,
        id: &EmployeeId,
    ) -> impl Iterator<Item = &'a MemberRecord> + use<'a> {
        self.named(self.by_employee_id.get(id))
    }

    /// Matched without regard to case.
    pub(super) fn with_email<'a>(&'a self, email: &str) -> impl Iterator<Item = &'a MemberRecord> + use<'a> {
        self.named(self.by_email.get(&*fold_email(email)))
    }

    /// All members in the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &MemberRecord> {
        self.records.values()
    }

    fn named<'a>(
        &'a self,
        ids: Option<&'a BTreeSet<MemberId>>,
    ) -> impl Iterator<Item = &'a MemberRecord> + use<'a> {
        let ids = ids.into_iter().flatten();
        ids.filter_map(|id| self.records.get(id))
    }
}

fn folded(record: &MemberRecord) -> Option<String> {
    let email = record.attributes.text(&TargetField::EMAIL)?;
    Some(fold_email(email).into_owned())
}

fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<MemberId>>, key: &K, id: &MemberId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}
