//! The planner: takes employees page by page, decides for each, and remembers only what later pages may contradict.
//!
//! It is pure: no store, no target, no clock. It turns an employee into a [`Draft`] (what is wanted) which the
//! engine resolves against links and target into an action. Drafts become final only when the reading has ended
//! with its receipt, since a later page can show that two people claim one address.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use hris_core::keys::{FieldTag, Fingerprinter, Print, row_prints};
use hris_core::store::Link;
use hris_core::{
    Action, ActionId, ActionKind, Attributes, Employee, EmployeeRef, EmploymentStatus, Field, FieldMapping,
    LinkState, Mapped, PlanSummary, Problem, RecordId, RejectedRecord, Result, RuleCode, Severity,
    TargetField, ValueRef, rule,
};

use crate::claims::{ClaimIndex, Claims};
use crate::comparison::{Compared, Comparison, Ordinal};
use crate::decide::{Decision, Standing, decide};
use crate::policy::Policy;

/// What the planner wants for one person, before links and target were asked.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) ordinal: Ordinal,
    pub(crate) person: EmployeeRef,
    pub(crate) intent: Intent,
    /// Everything that is mapped and present.
    pub(crate) attributes: Attributes,
    /// One per target of the mapping; none for what is absent.
    pub(crate) prints: Vec<Option<Print>>,
    pub(crate) email: Option<Print>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Create { known: bool },
    Update,
    Leave,
    Reactivate,
}

/// A value that only one member can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Unique {
    EmployeeId,
    Email,
}

impl Intent {
    fn fate(self) -> Fate {
        match self {
            Self::Create { .. } => Fate::Create,
            Self::Update => Fate::Update,
            Self::Leave => Fate::Leave,
            Self::Reactivate => Fate::Reactivate,
        }
    }
}

/// What became of a person in this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Unseen,
    Unchanged,
    Ignored,
    Create,
    Adopt,
    Update,
    Leave,
    Reactivate,
    Problem,
}

/// What is remembered per person; 24 bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Person {
    /// Of a known person: fingerprint of the address as last written. 0: none.
    old_email: u64,
    /// Modification stamp of the row that was taken, in seconds since 1970. 0: none.
    stamp: u32,
    fate: Fate,
    status: u8,
    leaver: bool,
    /// Its only row so far could not be read.
    unreadable: bool,
    /// Two rows of this record differed, which is reported once.
    repeated: bool,
}

/// Why a person's draft is taken back, and whether that was reported.
#[derive(Clone, Debug)]
struct Contest {
    rule: RuleCode,
    reported: bool,
}

/// Decides for every employee of one reading.
#[derive(Debug)]
pub(crate) struct Planner {
    mapping: Arc<dyn FieldMapping>,
    fingerprinter: Fingerprinter,
    policy: Policy,
    as_of: NaiveDate,
    tags: Vec<FieldTag>,
    email_at: usize,
    id_at: usize,
    comparison: Comparison,
    people: Vec<Person>,
    irreversible: HashMap<Ordinal, NaiveDate>,
    emails: Claims,
    employee_ids: Claims,
    /// People whose drafts are to be taken back.
    contested: HashMap<Ordinal, Contest>,
    /// People of whom a newer row took the place of an earlier one, with the action that the newest row led to.
    superseded: HashMap<Ordinal, Option<ActionId>>,
    /// Whether planned leavers were taken back.
    withheld: bool,
    /// Unique values that known people give up.
    given_up: HashMap<(Ordinal, Unique), Print>,
    /// People who want a value which another linked person's member still has.
    awaiting: Vec<(Ordinal, Ordinal, Unique)>,
    email_changes: u64,
    /// Rows whose record id could not be read.
    unidentified: u64,
    linked_active: u64,
    problems: Vec<Problem>,
    tally: BTreeMap<RuleCode, u64>,
    warnings: u64,
    prints: Vec<Option<Print>>,
}

impl Planner {
    pub(crate) fn new(
        mapping: Arc<dyn FieldMapping>,
        fingerprinter: Fingerprinter,
        policy: Policy,
        as_of: NaiveDate,
    ) -> Self {
        let targets = mapping.targets();
        let position = |wanted: TargetField| targets.iter().position(|t| *t == wanted).unwrap_or(usize::MAX);
        let tags: Vec<_> = targets.iter().map(FieldTag::of).collect();
        Self {
            email_at: position(TargetField::EMAIL),
            id_at: position(TargetField::EMPLOYEE_ID),
            comparison: Comparison::new(tags.len()),
            tags,
            mapping,
            fingerprinter,
            policy,
            as_of,
            people: Vec::new(),
            irreversible: HashMap::new(),
            emails: Claims::default(),
            employee_ids: Claims::default(),
            contested: HashMap::new(),
            superseded: HashMap::new(),
            withheld: false,
            given_up: HashMap::new(),
            awaiting: Vec::new(),
            email_changes: 0,
            unidentified: 0,
            linked_active: 0,
            problems: Vec::new(),
            tally: BTreeMap::new(),
            warnings: 0,
            prints: Vec::new(),
        }
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
        let mapping = Arc::clone(&self.mapping);
        let mapped = self.map(&*mapping, employee);
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
            if let Some(person) = self.people.get_mut(seen.ordinal.index()) {
                person.unreadable = true;
            }
        }
        Ok(())
    }

    /// Takes the vendor's word that a record was deleted. Whether that concerns an active member of whom no row came.
    pub(crate) fn tombstone(&mut self, record: &RecordId, trusted: bool) -> Result<bool> {
        let Some(ordinal) = self.ordinal(record).filter(|_| self.is_missing(record)) else {
            return Ok(false);
        };
        let nothing_readable = vec![None; self.tags.len()];
        self.comparison.observe(self.fingerprinter.record(record), &nothing_readable)?;
        self.set_fate(ordinal, if trusted { Fate::Leave } else { Fate::Unchanged });
        Ok(true)
    }

    /// Whether all that came of a person so far was an unreadable row; it counts as such no longer.
    fn was_unreadable(&mut self, ordinal: Ordinal) -> bool {
        self.people.get_mut(ordinal.index()).is_some_and(|person| std::mem::take(&mut person.unreadable))
    }

    /// Maps an employee; what came of its fields is reported, and mandatory fields are never cleared.
    fn map<'e>(&mut self, mapping: &dyn FieldMapping, employee: &'e Employee) -> Mapped<'e> {
        let mut mapped = mapping.map(employee);
        if let Some(email) = mapped.values.get_mut(self.email_at)
            && *email == Field::Null
        {
            *email = Field::Absent;
        }
        for problem in employee.problems.iter().chain(&mapped.problems) {
            let warning = Problem::warning(problem.rule.clone(), problem.message.clone());
            self.problem(warning.of(&employee.reference()).at(problem.field.to_string()));
        }
        mapped
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
        let decision = self.decision(employee, ordinal);
        self.set_fate(ordinal, Fate::Problem);
        self.claim(mapped, ordinal, &decision);
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
        if !self.has_employee_id(employee, mapped) || !self.has_email(employee, mapped, intent) {
            return None;
        }
        if intent != Intent::Leave {
            self.warn_about_end_date(employee);
        }
        if intent == Intent::Update && compared == Compared::Same {
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
            is_last && self.fate(draft.ordinal) == draft.intent.fate()
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
        self.set_fate(ordinal, intent.fate());
        let email = text_at(mapped, self.email_at).map(|email| self.fingerprinter.email(email));
        let mut person = employee.reference();
        person.employee_id = text_at(mapped, self.id_at).map(Into::into).or(person.employee_id);
        let attributes = mapped.attributes(self.mapping.targets(), u64::MAX);
        Draft { ordinal, person, intent, attributes, prints: prints.to_vec(), email }
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
        let same = compared == Compared::Same && before.status == status_code(&employee.status);
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
        self.awaiting.retain(|(who, _, _)| *who != ordinal);
        self.given_up.remove(&(ordinal, Unique::Email));
        self.given_up.remove(&(ordinal, Unique::EmployeeId));
    }

    fn warn_about_repeat(&mut self, employee: &Employee, ordinal: Ordinal) {
        let Some(person) = self.people.get_mut(ordinal.index()) else {
            return;
        };
        if !std::mem::replace(&mut person.repeated, true) {
            let message = "the record came more than once; the row that was modified last is used";
            self.problem(Problem::warning(rule::RECORD_REPEATED, message).of(&employee.reference()));
        }
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
        decide(&employee.status, standing, start, self.as_of, self.policy.create_before_start_days)
    }

    fn no_change(&mut self, employee: &Employee, rule: &RuleCode) {
        let message = if *rule == rule::STATUS_BACKWARDS {
            "an active member is pending again in the HR system; nothing is changed"
        } else {
            "the employment status is missing or unknown; nothing is changed"
        };
        self.problem(Problem::warning(rule.clone(), message).of(&employee.reference()).at("status"));
    }

    fn warn_about_end_date(&mut self, employee: &Employee) {
        if employee.end_date.value().is_some_and(|end| *end < self.as_of) {
            let message = "the end date has passed but the status is active; the status decides";
            let warning = Problem::warning(rule::END_DATE_PASSED, message);
            self.problem(warning.of(&employee.reference()).at("end_date"));
        }
    }

    fn has_employee_id(&mut self, employee: &Employee, mapped: &Mapped<'_>) -> bool {
        if text_at(mapped, self.id_at).is_some() {
            return true;
        }
        let message = "the Employee ID is missing; fill it in, since it identifies the member";
        let problem = Problem::error(rule::EMPLOYEE_ID_BLANK, message);
        self.problem(problem.of(&employee.reference()).at("employee_id"));
        false
    }

    /// Whether there is an address, or the person can do without.
    fn has_email(&mut self, employee: &Employee, mapped: &Mapped<'_>, intent: Intent) -> bool {
        intent == Intent::Leave
            || text_at(mapped, self.email_at).is_some()
            || self.without_email(employee, mapped, intent)
    }

    /// A new person without address cannot be created; a known one keeps theirs.
    fn without_email(&mut self, employee: &Employee, mapped: &Mapped<'_>, intent: Intent) -> bool {
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

    /// Marks a person's draft as one to take back.
    fn contest(&mut self, ordinal: Ordinal, rule: RuleCode) {
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
        self.warnings += u64::from(problem.severity == Severity::Warning);
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
}

/// The end of a reading.
impl Planner {
    /// Reports, once, why a person's draft is taken back. Whether it is.
    pub(crate) fn report_contest(&mut self, ordinal: Ordinal, person: &EmployeeRef) -> bool {
        let Some(contest) = self.contested.get_mut(&ordinal) else {
            return false;
        };
        let rule = contest.rule.clone();
        if !std::mem::replace(&mut contest.reported, true) {
            self.problem(shared(rule).of(person));
        }
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
        self.withheld || !self.superseded.is_empty() || !self.contested.is_empty()
    }

    /// Notes that a person's member gives up a value.
    pub(crate) fn gives_up(&mut self, who: Ordinal, kind: Unique, value: Print) {
        self.given_up.insert((who, kind), value);
    }

    /// Notes that a person wants a value which the member of another linked person still has on the target.
    pub(crate) fn awaits(&mut self, who: Ordinal, owner: Ordinal, kind: Unique) {
        self.awaiting.push((who, owner, kind));
    }

    /// Holds people who claim one Employee ID or one address, except for the member who has the address already;
    /// then orders those who hand on a value: who gives it up goes before who takes it. Circles are held, and so
    /// is whoever waits for a value that is not given up after all. Answers rank by person.
    pub(crate) fn settle_claims(&mut self) -> BTreeMap<Ordinal, u32> {
        let (emails, employee_ids) =
            (std::mem::take(&mut self.emails), std::mem::take(&mut self.employee_ids));
        let (emails, employee_ids) = (emails.index(), employee_ids.index());
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
        self.email_changes = self.given_up.keys().filter(|(_, kind)| *kind == Unique::Email).count() as u64;
        self.order_handovers(&emails, &employee_ids)
    }

    fn order_handovers(&mut self, emails: &ClaimIndex<'_>, ids: &ClaimIndex<'_>) -> BTreeMap<Ordinal, u32> {
        let mut handovers = BTreeSet::new();
        for ((giver, kind), value) in &self.given_up {
            let claims = match kind {
                Unique::Email => emails,
                Unique::EmployeeId => ids,
            };
            let takers = claims.claimants(*value).into_iter().filter(|who| who != giver);
            handovers.extend(takers.map(|taker| (*giver, taker)));
        }
        for (who, owner, kind) in std::mem::take(&mut self.awaiting) {
            if !self.given_up.contains_key(&(owner, kind)) {
                self.contest(who, rule::MEMBER_CONFLICT);
            }
        }
        let order = crate::order::order(&handovers);
        for ordinal in order.stuck {
            self.contest(ordinal, rule::UNIQUE_SWAPPED);
        }
        self.hold_takers_of_held_givers(&handovers);
        order.ranks
    }

    fn hold_takers_of_held_givers(&mut self, handovers: &BTreeSet<(Ordinal, Ordinal)>) {
        let mut held: Vec<_> = handovers
            .iter()
            .map(|(giver, _)| *giver)
            .filter(|giver| self.fate(*giver) == Fate::Problem)
            .collect();
        while let Some(held_giver) = held.pop() {
            for (_, taker) in handovers.iter().filter(|(giver, _)| *giver == held_giver) {
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
        for person in self.people.iter_mut().filter(|person| person.fate == Fate::Leave) {
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
            !self.comparison.is_seen(ordinal)
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
            ActionKind::Leave { .. } => Fate::Leave,
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
        (self.comparison.len() - self.comparison.unseen().count()) as u64
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
                Fate::Create => &mut summary.create,
                Fate::Adopt => &mut summary.adopt,
                Fate::Update => &mut summary.update,
                Fate::Leave => &mut summary.leave,
                Fate::Reactivate => &mut summary.reactivate,
                Fate::Problem => &mut summary.problems,
            };
            *count += 1;
        }
        summary.read = self.distinct();
        summary.problems += self.unidentified;
        summary.warnings = self.warnings;
        summary.linked_active = self.linked_active;
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
    } else if rule == rule::RECORD_AMBIGUOUS {
        ("the record came twice with different content and nothing to tell which is newer", "record_id")
    } else {
        ("another person has the same e-mail address; give each their own", "email")
    };
    Problem::error(rule, message).at(field)
}

fn text_at<'a>(mapped: &'a Mapped<'_>, position: usize) -> Option<&'a str> {
    match mapped.values.get(position)? {
        Field::Value(ValueRef::Text(text)) => Some(text),
        _ => None,
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
