//! Ids that change hands: people who seem to have moved to another record, and Employee IDs that nearly agree.

use std::collections::{HashMap, HashSet};

use hris_core::keys::{FieldTag, Print};
use hris_core::store::Link;
use hris_core::{Action, ActionKind, MemberField, Problem, RecordId, TargetField, rule};

use super::Planner;
use super::draft::Fate;
use crate::claims::{ClaimIndex, Claims};
use crate::comparison::Ordinal;
use crate::identity::{Likeness, plain_id};

/// What is known of ids that change hands. It holds something only about people of whom there is something to say.
#[derive(Debug, Default)]
pub(super) struct Identities {
    /// The plain form of Employee IDs that are written in another.
    plain: Claims,
    /// Plain forms that are written in several ways.
    near: HashSet<u64>,
    /// The Employee IDs of newcomers by their plain form; filled where somebody is missing.
    newcomers: HashMap<u64, u64>,
    /// People who are gone, with the newcomers that they seem to be.
    moved: HashMap<Ordinal, Ordinal>,
    /// The records of those newcomers.
    records: HashMap<Ordinal, RecordId>,
}

/// The columns of the attributes that tell people apart, with the fingerprint of "no value".
struct Telling {
    last_name: Option<(usize, Print)>,
    birth_date: Option<(usize, Print)>,
    start_date: Option<(usize, Print)>,
}

impl Planner {
    /// Notes the plain form of an Employee ID where it is written in another.
    pub(super) fn note_plain_id(&mut self, who: Ordinal, id: Option<&str>) {
        let plain = id.filter(|id| plain_id(id) != *id);
        let plain = plain.map(|id| self.fingerprinter.employee_id(&plain_id(id)));
        self.identities.plain.set(who, plain);
    }

    /// Finds Employee IDs of different people that agree in their plain form.
    pub(super) fn find_near_equal(&mut self, ids: &ClaimIndex<'_>) {
        let Identities { plain, near, .. } = &mut self.identities;
        for (value, group) in &plain.index().shared {
            let mut written = group.iter().map(|who| ids.claim_of(*who));
            let first = written.next();
            if written.any(|id| Some(id) != first) {
                near.insert(*value);
            }
        }
        near.extend(plain.values().filter(|value| ids.is_claimed(*value)).map(|value| value.0));
    }

    /// Whether there is something to say about Employee IDs of this plan's actions.
    pub(super) fn has_near_equal(&self) -> bool {
        !self.identities.near.is_empty()
    }

    /// Says so where an action gives a member an Employee ID that nearly is somebody else's.
    pub(crate) fn warn_near_equal(&mut self, action: &Action) {
        let writes_id = matches!(action.kind, ActionKind::Create { .. } | ActionKind::Adopt { .. })
            || action.kind.changes().is_some_and(|changes| changes.get(&TargetField::EMPLOYEE_ID).is_some());
        let plain = self.fingerprinter.employee_id(&plain_id(action.after.employee_id.as_str()));
        if writes_id && self.identities.near.contains(&plain.0) {
            self.problem(near_equal().of(&action.person));
        }
    }

    /// Holds a person whose id seems to be somebody else's now, unless a newer row says otherwise.
    pub(crate) fn hold_reused(&mut self, who: Ordinal) {
        self.contest(who, rule::EMPLOYEE_ID_REUSED);
    }

    /// Whether a person is held like this. Whatever an earlier row of theirs led to is taken back, and they are reported
    /// as their link has them.
    pub(crate) fn is_reused(&self, who: Ordinal) -> bool {
        self.contested.get(&who).is_some_and(|contest| contest.rule == rule::EMPLOYEE_ID_REUSED)
    }

    /// Whose rows contradict each other is not compared with what was known of them.
    pub(super) fn forget_reuse(&mut self, who: Ordinal) {
        if self.is_reused(who) {
            self.contested.remove(&who);
        }
    }

    /// Finds newcomers of a complete listing who seem to be known people who are gone, and holds them.
    pub(super) fn hold_moved(&mut self, emails: &ClaimIndex<'_>, ids: &ClaimIndex<'_>) {
        let gone: Vec<_> = self.comparison.unseen().filter(|who| self.may_have_moved(*who)).collect();
        if gone.is_empty() {
            return;
        }
        self.note_newcomers(ids);
        let telling = self.telling();
        let by_dates = self.moved_by_dates(&gone, &telling);
        for who in gone {
            let by_email = self.takes_address_of(who, emails);
            let found = by_email.or_else(|| by_dates.get(&who).copied());
            if let Some(newcomer) = found.filter(|new| self.likeness(who, *new, emails, &telling).is_move())
                && !self.contested.contains_key(&newcomer)
            {
                self.identities.moved.insert(who, newcomer);
                self.contest(newcomer, rule::EMPLOYEE_ID_MOVED);
            }
        }
    }

    /// The newcomer, and nobody else, who has the address of somebody who is gone.
    fn takes_address_of(&self, gone: Ordinal, emails: &ClaimIndex<'_>) -> Option<Ordinal> {
        match emails.claimants(self.old_email(gone)?).as_slice() {
            [one] if self.is_new(*one) => Some(*one),
            _ => None,
        }
    }

    fn old_email(&self, known: Ordinal) -> Option<Print> {
        self.people.get(known.index()).map(|person| person.old_email).filter(|old| *old != 0).map(Print)
    }

    /// Whether somebody who did not come has a member still.
    fn may_have_moved(&self, who: Ordinal) -> bool {
        self.irreversible.get(&who).is_none_or(|day| self.as_of < *day)
    }

    fn is_new(&self, who: Ordinal) -> bool {
        !self.comparison.is_known(who) && self.fate(who) == Fate::Create
    }

    fn note_newcomers(&mut self, ids: &ClaimIndex<'_>) {
        for who in self.comparison.newcomers() {
            if let Some(id) = ids.claim_of(who).filter(|_| self.is_new(who)) {
                let plain = self.identities.plain.get(who).unwrap_or(id);
                self.identities.newcomers.insert(plain.0, id.0);
            }
        }
    }

    fn telling(&self) -> Telling {
        let column = |field: MemberField| {
            let tag = FieldTag::of(&field.into());
            let at = self.tags.iter().position(|known| *known == tag)?;
            Some((at, self.fingerprinter.attribute(tag, None)))
        };
        Telling {
            last_name: column(MemberField::LastName),
            birth_date: column(MemberField::BirthDate),
            start_date: column(MemberField::StartDate),
        }
    }

    /// Newcomers by both dates, where one person who is gone and one who is new have them.
    fn moved_by_dates(&self, gone: &[Ordinal], telling: &Telling) -> HashMap<Ordinal, Ordinal> {
        let gone = self.by_dates(gone.iter().copied(), telling);
        let new = self.by_dates(self.comparison.newcomers().filter(|who| self.is_new(*who)), telling);
        let pairs = gone.into_iter().filter_map(|(dates, who)| Some((who?, (*new.get(&dates)?)?)));
        pairs.collect()
    }

    /// People by both dates, without those who have them in common.
    fn by_dates(
        &self,
        people: impl Iterator<Item = Ordinal>,
        telling: &Telling,
    ) -> HashMap<(u32, u32), Option<Ordinal>> {
        let mut found: HashMap<_, Option<Ordinal>> = HashMap::new();
        for who in people {
            if let Some(dates) = self.dates(who, telling) {
                found.entry(dates).and_modify(|only| *only = None).or_insert(Some(who));
            }
        }
        found
    }

    fn dates(&self, who: Ordinal, telling: &Telling) -> Option<(u32, u32)> {
        let (birth, start) = (telling.birth_date?, telling.start_date?);
        Some((self.comparison.value(who, birth)?, self.comparison.value(who, start)?))
    }

    /// Whether somebody new has both dates of a known person who was not read, so that only a reading of everyone tells
    /// whether that one is gone.
    pub(crate) fn may_be_somebody_unread(&self) -> bool {
        let telling = self.telling();
        let new = self.by_dates(self.comparison.newcomers().filter(|who| self.is_new(*who)), &telling);
        let is_like = |who| self.dates(who, &telling).is_some_and(|dates| new.contains_key(&dates));
        !new.is_empty() && self.comparison.unseen().any(is_like)
    }

    fn likeness(&self, gone: Ordinal, new: Ordinal, emails: &ClaimIndex<'_>, telling: &Telling) -> Likeness {
        let compare = |column: Option<(usize, Print)>| {
            Some(self.comparison.value(gone, column?)? == self.comparison.value(new, column?)?)
        };
        Likeness {
            email: self.old_email(gone).and_then(|old| Some(emails.claim_of(new)? == old)),
            last_name: compare(telling.last_name),
            birth_date: compare(telling.birth_date),
            start_date: compare(telling.start_date),
        }
    }

    /// Takes note of the record of a newcomer who is held as somebody who moved.
    pub(super) fn note_moved(&mut self, newcomer: Ordinal, record: &RecordId) {
        self.identities.records.insert(newcomer, record.clone());
    }

    /// Whether anybody seems to have moved to another record.
    pub(crate) fn has_moves(&self) -> bool {
        !self.identities.moved.is_empty()
    }

    /// Reports somebody who is gone and seems to have moved to another record. Whether that is so.
    pub(crate) fn report_moved(&mut self, link: &Link) -> bool {
        let newcomer = self.ordinal(&link.record).and_then(|who| self.identities.moved.get(&who));
        let Some(record) = newcomer.and_then(|newcomer| self.identities.records.get(newcomer)) else {
            return false;
        };
        let message = "this person is gone and seems to be another record now; the member stays as it is until somebody \
                       accepts that";
        let problem = Problem::warning(rule::EMPLOYEE_ID_MOVED, message).of(&link.person());
        self.problem(problem.at("record_id").beside(record.clone()));
        true
    }

    /// Says so where the Employee ID of somebody who is missing nearly is that of a newcomer.
    pub(crate) fn warn_near_newcomer(&mut self, link: &Link) {
        let id = link.employee_id.as_str();
        let plain = self.fingerprinter.employee_id(&plain_id(id));
        let newcomer = self.identities.newcomers.get(&plain.0);
        if newcomer.is_some_and(|written| *written != self.fingerprinter.employee_id(id).0) {
            self.problem(near_equal().of(&link.person()));
        }
    }
}

fn near_equal() -> Problem {
    let message = "another Employee ID differs from this one in blanks or leading zeros only; they are taken for two \
                   people";
    Problem::warning(rule::EMPLOYEE_ID_NEAR_EQUAL, message).at("employee_id")
}
