//! The planner: takes employees page by page, decides for each, and remembers only what later pages may contradict.
//!
//! It is pure: no store, no target, no clock. It turns an employee into a [`Draft`] (what is wanted) which the
//! engine resolves against links and target into an action. Drafts become final only when the reading has ended
//! with its receipt, since a later page can show that two people claim one address.

mod blocked;
mod checks;
mod circles;
mod closing;
mod draft;
mod ending;
mod identity;
mod managers;
mod overrides;
mod partial;
mod scope;
mod starting;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use hris_core::keys::{FieldTag, Fingerprinter, Print, row_prints};
use hris_core::store::Link;
use hris_core::{
    ActionId, Employee, EmploymentStatus, FieldMapping, LeaveReason, LinkState, Mapped, Problem, RecordId,
    RejectedRecord, Result, RuleCode, Severity, TargetField, rule,
};

use crate::claims::Claims;
use crate::comparison::{Compared, Comparison, Ordinal};
use crate::decide::{Decision, Standing, decide};
use crate::policy::{Policy, Vanished};
use crate::verify::Drift;
use checks::text_at;
use draft::{Contest, Person};
use identity::Identities;
use managers::Managers;
use scope::Scope;
use waiting::Waiting;

pub(crate) use circles::Sequence;
pub(crate) use draft::{Draft, Fate, Intent, Unique};
pub(crate) use managers::{Names, manager_at, manager_tag, put_employee_id};
pub(crate) use overrides::OverrideChanges;
use overrides::Overriding;
pub(crate) use partial::Leftovers;
use starting::Starting;
pub(crate) use starting::day_of_decision;

/// Decides for every employee of one reading.
#[derive(Debug)]
pub(crate) struct Planner {
    mapping: Arc<dyn FieldMapping>,
    fingerprinter: Fingerprinter,
    policy: Policy,
    as_of: NaiveDate,
    now: DateTime<Utc>,
    tags: Vec<FieldTag>,
    email_at: usize,
    id_at: usize,
    manager_at: Option<usize>,
    comparison: Comparison,
    people: Vec<Person>,
    irreversible: HashMap<Ordinal, NaiveDate>,
    emails: Claims,
    employee_ids: Claims,
    identities: Identities,
    managers: Managers,
    /// People whose drafts are to be taken back.
    contested: HashMap<Ordinal, Contest>,
    /// People of whom a newer row took the place of an earlier one, with the action that the newest row led to.
    superseded: HashMap<Ordinal, Option<ActionId>>,
    /// Whether planned leavers were taken back.
    withheld: bool,
    /// Updates that wait for other members.
    waiting: BTreeMap<Ordinal, Waiting>,
    /// People who go on waiting, where people about whom something is open are to be named.
    still_waiting: Vec<RecordId>,
    /// Whether updates were taken back because they wait.
    takes_back: bool,
    /// Unique values that known people give up.
    given_up: HashMap<(Ordinal, Unique), Print>,
    /// People who want a value which another linked person's member still has.
    awaiting: Vec<(Ordinal, Ordinal, Unique)>,
    /// Of which kinds the target allows temporary values, and how many people go to one.
    parking: BTreeSet<Unique>,
    parked: u64,
    /// Members whose start lies ahead.
    starting: Starting,
    email_changes: u64,
    re_keys: u64,
    /// For how many known members each attribute is emptied.
    clears: BTreeMap<TargetField, u64>,
    /// Rows whose record id could not be read.
    unidentified: u64,
    linked_active: u64,
    /// What was recorded against the HR system.
    overriding: Overriding,
    /// How members were found to differ from what is known of them.
    drifts: HashMap<Ordinal, Drift>,
    /// Whether people about whom something is left open are to be named.
    keeps_open: bool,
    /// Whose rows may be left open.
    open: HashMap<Ordinal, RecordId>,
    /// The first day on which time alone changes something.
    changes_on: Option<NaiveDate>,
    problems: Vec<Problem>,
    tally: BTreeMap<RuleCode, u64>,
    warning_tally: BTreeMap<RuleCode, u64>,
    warnings: u64,
    prints: Vec<Option<Print>>,
}

impl Planner {
    pub(crate) fn new(
        mapping: Arc<dyn FieldMapping>,
        fingerprinter: Fingerprinter,
        policy: Policy,
        as_of: NaiveDate,
        now: DateTime<Utc>,
    ) -> Self {
        let targets = mapping.targets();
        let position = |wanted: TargetField| targets.iter().position(|t| *t == wanted).unwrap_or(usize::MAX);
        let tags: Vec<_> = targets.iter().map(FieldTag::of).collect();
        Self {
            email_at: position(TargetField::EMAIL),
            id_at: position(TargetField::EMPLOYEE_ID),
            manager_at: manager_at(targets),
            comparison: Comparison::new(tags.len()),
            tags,
            mapping,
            fingerprinter,
            policy,
            as_of,
            now,
            people: Vec::new(),
            irreversible: HashMap::new(),
            emails: Claims::default(),
            employee_ids: Claims::default(),
            identities: Identities::default(),
            managers: Managers::default(),
            contested: HashMap::new(),
            superseded: HashMap::new(),
            withheld: false,
            waiting: BTreeMap::new(),
            still_waiting: Vec::new(),
            takes_back: false,
            given_up: HashMap::new(),
            awaiting: Vec::new(),
            parking: BTreeSet::new(),
            parked: 0,
            starting: Starting::default(),
            email_changes: 0,
            re_keys: 0,
            clears: BTreeMap::new(),
            unidentified: 0,
            linked_active: 0,
            overriding: Overriding::default(),
            drifts: HashMap::new(),
            keeps_open: false,
            open: HashMap::new(),
            changes_on: None,
            problems: Vec::new(),
            tally: BTreeMap::new(),
            warning_tally: BTreeMap::new(),
            warnings: 0,
            prints: Vec::new(),
        }
    }

    /// Takes note of how a member was found.
    pub(crate) fn set_drift(&mut self, ordinal: Ordinal, drift: Drift) {
        self.drifts.insert(ordinal, drift);
    }

    /// Names the people about whom something is left open, so that the next reading can ask for them.
    pub(crate) fn keep_open(&mut self) {
        self.keeps_open = true;
    }

    /// Makes room for about so many people at once, so that no table is copied as it grows.
    pub(crate) fn reserve(&mut self, people: u64) {
        let people = usize::try_from(people).unwrap_or_default();
        self.comparison.reserve(people);
        self.people.reserve(people);
    }

    /// Adds what is known of a person. All known people come before the first employee.
    pub(crate) fn add_known(&mut self, link: &Link) -> Result<()> {
        self.prints.clear();
        self.prints.extend(self.tags.iter().map(|tag| link.prints.get(*tag)));
        let ordinal = self.comparison.add_known(self.fingerprinter.record(&link.record), &self.prints)?;
        let leaver = !link.state.is_active();
        if let LinkState::Leaver { irreversible_from: Some(day) } = link.state {
            self.irreversible.insert(ordinal, day);
        }
        self.linked_active += u64::from(!leaver);
        let old_email = link.email.map_or(0, |print| print.0);
        self.people.push(Person { old_email, leaver, ..Person::default() });
        Ok(())
    }

    /// Takes one employee. A draft comes back where something is wanted.
    pub(crate) fn observe(&mut self, employee: &Employee) -> Result<Option<Draft>> {
        if self.is_forgotten(employee)? {
            return Ok(None);
        }
        let (mapping, overrides) = (Arc::clone(&self.mapping), Arc::clone(&self.overriding.known));
        let scope = self.scope_of(&*mapping, employee);
        if !matches!(scope, Scope::Inside) {
            return self.take_outside(employee, &scope);
        }
        let mut mapped = self.map(&*mapping, employee);
        self.name_manager(employee, &mut mapped);
        if !overrides.is_empty() {
            self.override_row(&overrides, employee, &mut mapped);
        }
        let key = self.fingerprinter.record(&employee.record);
        let mut prints = std::mem::take(&mut self.prints);
        row_prints(&self.fingerprinter, &self.tags, &mapped.values, &mut prints);
        let seen = self.comparison.observe(key, &prints)?;
        self.people.resize(self.comparison.len(), Person::default());
        let draft = if !seen.repeated {
            self.take(employee, &mapped, seen.ordinal, seen.compared, &prints)
        } else if self.was_unreadable(seen.ordinal) {
            self.comparison.replace(seen.ordinal, &prints);
            self.take(employee, &mapped, seen.ordinal, Compared::Changed(u64::MAX), &prints)
        } else {
            self.repeat(employee, &mapped, seen.ordinal, seen.compared, &prints)
        };
        self.prints = prints;
        Ok(draft)
    }

    /// Takes a row that could not be read: a problem of its own, and its person counts as seen.
    pub(crate) fn reject(&mut self, rejected: &RejectedRecord) -> Result<()> {
        self.problem(rejected.to_problem());
        let Some(record) = &rejected.record else {
            self.unidentified += 1;
            return Ok(());
        };
        let nothing_readable = vec![None; self.tags.len()];
        let seen = self.comparison.observe(self.fingerprinter.record(record), &nothing_readable)?;
        self.people.resize(self.comparison.len(), Person::default());
        if !seen.repeated {
            self.set_fate(seen.ordinal, Fate::Problem);
            self.note_open(seen.ordinal, record);
            self.give_up_claims(seen.ordinal);
            if let Some(person) = self.people.get_mut(seen.ordinal.index()) {
                person.unreadable = true;
            }
        }
        Ok(())
    }

    /// Takes the vendor's word that a record was deleted. Whether that concerns an active member of whom no row came.
    pub(crate) fn tombstone(&mut self, record: &RecordId, trusted: bool) -> Result<bool> {
        let Some(ordinal) = self.ordinal(record) else {
            return Ok(false);
        };
        if !self.comparison.is_seen(ordinal) {
            self.give_up_claims(ordinal);
        }
        let opened = self.drifts.get(&ordinal).is_some_and(|drift| drift.open == Some(true));
        let is_open_leaver = trusted && opened && !self.comparison.is_seen(ordinal);
        if !self.is_missing(record) && !is_open_leaver {
            return Ok(false);
        }
        let nothing_readable = vec![None; self.tags.len()];
        self.comparison.observe(self.fingerprinter.record(record), &nothing_readable)?;
        let leaves = Fate::closing(self.reason_of_absent(record, LeaveReason::Deleted));
        self.set_fate(ordinal, if trusted { leaves } else { Fate::Unchanged });
        Ok(true)
    }

    /// Whether all that came of a person so far was an unreadable row; it counts as such no longer.
    fn was_unreadable(&mut self, ordinal: Ordinal) -> bool {
        self.people.get_mut(ordinal.index()).is_some_and(|person| std::mem::take(&mut person.unreadable))
    }

    /// Decides by a row that stands for its person.
    fn take(
        &mut self,
        employee: &Employee,
        mapped: &Mapped<'_>,
        ordinal: Ordinal,
        compared: Compared,
        prints: &[Option<Print>],
    ) -> Option<Draft> {
        if let Some(person) = self.people.get_mut(ordinal.index()) {
            person.stamp = stamp(employee);
            person.status = status_code(&employee.status);
        }
        let drift = self.drifts.get(&ordinal).copied().unwrap_or_default();
        let decision = as_found(self.decision(employee, ordinal), &employee.status, drift);
        self.set_fate(ordinal, Fate::Problem);
        self.note_manager(ordinal, false);
        self.claim(mapped, ordinal, &decision);
        self.note_start(employee, &decision);
        self.note_due_day(employee);
        self.note_last_day(employee);
        let decision = match (drift.vanished, decision) {
            (true, Decision::Keep | Decision::Reactivate) if self.policy.vanished == Vanished::Recreate => {
                Decision::Create { known: true }
            }
            (true, Decision::Keep | Decision::Reactivate | Decision::Leave) => {
                self.note_open(ordinal, &employee.record);
                return None;
            }
            (_, decision) => decision,
        };
        let intent = match &decision {
            Decision::Ignore => {
                self.set_fate(ordinal, Fate::Ignored);
                return None;
            }
            Decision::NoChange(rule) => {
                self.no_change(employee, rule);
                let fate = if self.comparison.is_known(ordinal) { Fate::Unchanged } else { Fate::Ignored };
                self.set_fate(ordinal, fate);
                return None;
            }
            Decision::Create { known } => Intent::Create { known: *known },
            Decision::Keep => Intent::Update,
            Decision::Leave => Intent::Leave,
            Decision::Reactivate => Intent::Reactivate,
        };
        if !self.has_employee_id(employee, mapped)
            || !self.has_email(employee, mapped, intent)
            || !self.has_required(employee, mapped, intent)
        {
            self.note_open(ordinal, &employee.record);
            return None;
        }
        if intent != Intent::Leave {
            self.warn_about_end_date(employee);
            self.note_manager(ordinal, true);
        }
        if intent == Intent::Update && compared == Compared::Same && drift.columns == 0 {
            self.set_fate(ordinal, Fate::Unchanged);
            return None;
        }
        Some(self.draft(employee, mapped, ordinal, prints, intent))
    }

    /// Notes which unique values the person lays claim to: everybody an Employee ID, an address only those who
    /// should have an open account.
    fn claim(&mut self, mapped: &Mapped<'_>, ordinal: Ordinal, decision: &Decision) {
        let id = text_at(mapped, self.id_at).map(|id| self.fingerprinter.employee_id(id));
        self.employee_ids.set(ordinal, id);
        self.note_plain_id(ordinal, text_at(mapped, self.id_at));
        let open = matches!(decision, Decision::Create { .. } | Decision::Keep | Decision::Reactivate);
        let email = text_at(mapped, self.email_at).filter(|_| open && id.is_some());
        self.emails.set(ordinal, email.map(|email| self.fingerprinter.email(email)));
    }

    /// Drops the drafts that a later row of the same page took the place of.
    pub(crate) fn drop_superseded(&self, drafts: &mut Vec<Draft>) {
        if !self.has_second_thoughts() {
            return;
        }
        let mut last = HashMap::new();
        for (index, draft) in drafts.iter().enumerate() {
            last.insert(draft.ordinal, index);
        }
        let mut index = 0..;
        drafts.retain(|draft| {
            let is_last = index.next() == last.get(&draft.ordinal).copied();
            is_last && self.fate(draft.ordinal) == draft.fate()
        });
    }

    fn draft(
        &mut self,
        employee: &Employee,
        mapped: &Mapped<'_>,
        ordinal: Ordinal,
        prints: &[Option<Print>],
        intent: Intent,
    ) -> Draft {
        let email = text_at(mapped, self.email_at).map(|email| self.fingerprinter.email(email));
        let mut person = employee.reference();
        person.employee_id = text_at(mapped, self.id_at).map(Into::into).or(person.employee_id);
        let attributes = mapped.attributes(self.mapping.targets(), u64::MAX);
        let drifted = self.drifts.get(&ordinal).map_or(0, |drift| drift.columns);
        let draft = Draft {
            ordinal,
            person,
            intent,
            attributes,
            prints: prints.to_vec(),
            drifted,
            email,
            leave_reason: self.leave_reason(employee),
        };
        self.set_fate(ordinal, draft.fate());
        draft
    }

    /// The same record again: the newest stamp wins, equal content is one, anything else is held.
    fn repeat(
        &mut self,
        employee: &Employee,
        mapped: &Mapped<'_>,
        ordinal: Ordinal,
        compared: Compared,
        prints: &[Option<Print>],
    ) -> Option<Draft> {
        let before = self.people.get(ordinal.index()).copied().unwrap_or_default();
        let now = stamp(employee);
        let same = compared == Compared::Same
            && before.status == status_code(&employee.status)
            && self.has_same_manager(ordinal);
        if same && !self.contested.contains_key(&ordinal) {
            if let Some(person) = self.people.get_mut(ordinal.index()) {
                person.stamp = person.stamp.max(now);
            }
            return None;
        }
        if same && now <= before.stamp {
            return None;
        }
        if now == 0 || before.stamp == 0 || now == before.stamp {
            self.contest(ordinal, rule::RECORD_AMBIGUOUS);
            self.report_contest(ordinal, &employee.reference());
            self.give_up_claims(ordinal);
            return None;
        }
        self.warn_about_repeat(employee, ordinal);
        if now < before.stamp {
            return None;
        }
        self.superseded.insert(ordinal, None);
        self.contested.remove(&ordinal);
        self.give_up_claims(ordinal);
        self.comparison.replace(ordinal, prints);
        // Held against the link rather than against the earlier row, a draft may turn out to change nothing.
        self.take(employee, mapped, ordinal, Compared::Changed(u64::MAX), prints)
    }

    fn give_up_claims(&mut self, ordinal: Ordinal) {
        self.emails.set(ordinal, None);
        self.employee_ids.set(ordinal, None);
        self.note_plain_id(ordinal, None);
        self.awaiting.retain(|(who, _, _)| *who != ordinal);
        self.given_up.remove(&(ordinal, Unique::Email));
        self.given_up.remove(&(ordinal, Unique::EmployeeId));
    }

    fn decision(&self, employee: &Employee, ordinal: Ordinal) -> Decision {
        let leaver = self.people.get(ordinal.index()).is_some_and(|person| person.leaver);
        let standing = if !self.comparison.is_known(ordinal) {
            Standing::Unknown
        } else if leaver {
            let irreversible_from = self.irreversible.get(&ordinal).copied();
            Standing::Linked(LinkState::Leaver { irreversible_from })
        } else {
            Standing::Linked(LinkState::Active)
        };
        let start = employee.start_date.value().copied();
        let days = self.policy.create_before_start_days;
        let as_of = day_of_decision(employee, self.as_of, self.now);
        self.by_end_date(employee, decide(&employee.status, standing, start, as_of, days))
    }

    /// Marks a person's draft as one to take back.
    fn contest(&mut self, ordinal: Ordinal, rule: RuleCode) {
        if rule == rule::RECORD_AMBIGUOUS {
            self.forget_reuse(ordinal);
        }
        self.contested.entry(ordinal).or_insert(Contest { rule, reported: false });
        self.set_fate(ordinal, Fate::Problem);
    }

    pub(crate) fn set_fate(&mut self, ordinal: Ordinal, fate: Fate) {
        if let Some(person) = self.people.get_mut(ordinal.index()) {
            person.fate = fate;
        }
    }

    /// Reports a problem.
    pub(crate) fn problem(&mut self, problem: Problem) {
        *self.tally.entry(problem.rule.clone()).or_default() += 1;
        if problem.severity == Severity::Warning {
            self.warnings += 1;
            *self.warning_tally.entry(problem.rule.clone()).or_default() += 1;
        }
        self.problems.push(problem);
    }

    /// The problems since the last call.
    pub(crate) fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// Problems so far, by rule.
    pub(crate) fn tally(&self) -> &BTreeMap<RuleCode, u64> {
        &self.tally
    }

    /// The warnings among them, by rule.
    pub(crate) fn warning_tally(&self) -> &BTreeMap<RuleCode, u64> {
        &self.warning_tally
    }
}

/// What is decided once an account was found closed or opened by somebody else.
fn as_found(decision: Decision, status: &EmploymentStatus, drift: Drift) -> Decision {
    match (drift.open, decision) {
        (Some(false), Decision::Keep) => Decision::Reactivate,
        (Some(true), Decision::Ignore) if *status == EmploymentStatus::Inactive => Decision::Leave,
        (_, decision) => decision,
    }
}

fn stamp(employee: &Employee) -> u32 {
    employee.modified_at.map_or(0, |at| u32::try_from(at.timestamp()).unwrap_or(0))
}

fn status_code(status: &EmploymentStatus) -> u8 {
    match status {
        EmploymentStatus::Active => 1,
        EmploymentStatus::OnLeave => 2,
        EmploymentStatus::Pending => 3,
        EmploymentStatus::Inactive => 4,
        _ => 5,
    }
}
