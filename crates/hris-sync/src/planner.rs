//! The planner: takes employees page by page, decides for each, and remembers only what later pages may contradict.
//!
//! It is pure: no store, no target, no clock. It turns an employee into a [`Draft`] (what is wanted) which the
//! engine resolves against links and target into an action. Drafts become final only when the reading has ended
//! with its receipt, since a later page can show that two people claim one address.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use hris_core::keys::{FieldTag, Fingerprinter, Print, row_prints};
use hris_core::store::Link;
use hris_core::{
    ActionKind, Attributes, Employee, EmployeeRef, EmploymentStatus, Field, FieldMapping, LinkState, Mapped,
    PlanSummary, Problem, RecordId, RejectedRecord, Result, RuleCode, Severity, TargetField, ValueRef, rule,
};

use crate::claims::Claims;
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
    /// Whether a newer row took the place of an earlier one, whose draft may have to go.
    superseded: bool,
    /// Known people whose address changes: what they give up.
    moves: Vec<(Ordinal, Print)>,
    /// People who want an address which another linked person's member still has.
    awaiting: Vec<(Ordinal, Ordinal)>,
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
            superseded: false,
            moves: Vec::new(),
            awaiting: Vec::new(),
            unidentified: 0,
            linked_active: 0,
            problems: Vec::new(),
            tally: BTreeMap::new(),
            warnings: 0,
            prints: Vec::new(),
        }
    }

    /// Adds what is known of a person. All known people come before the first employee.
    pub(crate) fn add_known(&mut self, link: &Link) -> Result<()> {
        self.prints.clear();
        self.prints
            .extend(self.tags.iter().map(|tag| link.prints.get(*tag)));
        let ordinal = self
            .comparison
            .add_known(self.fingerprinter.record(&link.record), &self.prints)?;
        let leaver = !link.state.is_active();
        if let LinkState::Leaver {
            irreversible_from: Some(day),
        } = link.state
        {
            self.irreversible.insert(ordinal, day);
        }
        self.linked_active += u64::from(!leaver);
        let old_email = link.email.map_or(0, |print| print.0);
        self.people.push(Person {
            old_email,
            leaver,
            ..Person::default()
        });
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
        let draft = if seen.repeated {
            self.repeat(employee, &mapped, seen.ordinal, seen.compared, &prints)
        } else {
            self.first(employee, &mapped, seen.ordinal, seen.compared, &prints)
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
        let seen = self
            .comparison
            .observe(self.fingerprinter.record(record), &nothing_readable)?;
        self.people.resize(self.comparison.len(), Person::default());
        if !seen.repeated {
            self.set_fate(seen.ordinal, Fate::Problem);
        }
        Ok(())
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

    fn first(
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
        let fate = match &decision {
            Decision::Ignore => Fate::Ignored,
            Decision::NoChange(rule) => {
                self.no_change(employee, rule);
                if self.comparison.is_known(ordinal) {
                    Fate::Unchanged
                } else {
                    Fate::Ignored
                }
            }
            Decision::Create { .. } | Decision::Keep | Decision::Leave | Decision::Reactivate => {
                Fate::Problem
            }
        };
        self.set_fate(ordinal, fate);
        if fate != Fate::Problem || !self.claim_employee_id(employee, mapped, ordinal) {
            return None;
        }
        match decision {
            Decision::Leave => Some(self.draft(employee, mapped, ordinal, prints, Intent::Leave)),
            _ => self.present(employee, mapped, ordinal, compared, prints, &decision),
        }
    }

    /// Somebody who should have an open account.
    fn present(
        &mut self,
        employee: &Employee,
        mapped: &Mapped<'_>,
        ordinal: Ordinal,
        compared: Compared,
        prints: &[Option<Print>],
        decision: &Decision,
    ) -> Option<Draft> {
        let intent = match decision {
            Decision::Create { known } => Intent::Create { known: *known },
            Decision::Reactivate => Intent::Reactivate,
            _ => Intent::Update,
        };
        if !self.claim_email(employee, mapped, ordinal, intent) {
            return None;
        }
        self.warn_about_end_date(employee);
        if intent == Intent::Update && compared == Compared::Same {
            self.set_fate(ordinal, Fate::Unchanged);
            return None;
        }
        Some(self.draft(employee, mapped, ordinal, prints, intent))
    }

    fn draft(
        &mut self,
        employee: &Employee,
        mapped: &Mapped<'_>,
        ordinal: Ordinal,
        prints: &[Option<Print>],
        intent: Intent,
    ) -> Draft {
        let fate = match intent {
            Intent::Create { .. } => Fate::Create,
            Intent::Update => Fate::Update,
            Intent::Leave => Fate::Leave,
            Intent::Reactivate => Fate::Reactivate,
        };
        self.set_fate(ordinal, fate);
        let email = text_at(mapped, self.email_at).map(|email| self.fingerprinter.email(email));
        let old_email = self
            .people
            .get(ordinal.index())
            .map_or(0, |person| person.old_email);
        if intent != Intent::Leave && old_email != 0 && email.is_some_and(|email| email.0 != old_email) {
            self.moves.push((ordinal, Print(old_email)));
        }
        let mut person = employee.reference();
        person.employee_id = text_at(mapped, self.id_at).map(Into::into).or(person.employee_id);
        let attributes = mapped.attributes(self.mapping.targets(), u64::MAX);
        Draft {
            ordinal,
            person,
            intent,
            attributes,
            prints: prints.to_vec(),
            email,
        }
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
        if same || self.contested.contains_key(&ordinal) {
            return None;
        }
        if now == 0 || before.stamp == 0 || now == before.stamp {
            self.contest(ordinal, rule::RECORD_AMBIGUOUS);
            self.report_contest(ordinal, &employee.reference());
            return None;
        }
        let message = "the record came twice; the row that was modified last is used";
        self.problem(Problem::warning(rule::RECORD_REPEATED, message).of(&employee.reference()));
        if now < before.stamp {
            return None;
        }
        self.superseded = true;
        self.emails.give_up(ordinal);
        self.employee_ids.give_up(ordinal);
        self.moves.retain(|(mover, _)| *mover != ordinal);
        self.comparison.replace(ordinal, prints);
        // Compared with what is known rather than with the earlier row, a draft may turn out to change nothing.
        self.first(employee, mapped, ordinal, Compared::Changed(u64::MAX), prints)
    }

    fn decision(&self, employee: &Employee, ordinal: Ordinal) -> Decision {
        let leaver = self
            .people
            .get(ordinal.index())
            .is_some_and(|person| person.leaver);
        let standing = if !self.comparison.is_known(ordinal) {
            Standing::Unknown
        } else if leaver {
            let irreversible_from = self.irreversible.get(&ordinal).copied();
            Standing::Linked(LinkState::Leaver { irreversible_from })
        } else {
            Standing::Linked(LinkState::Active)
        };
        let start = employee.start_date.value().copied();
        decide(
            &employee.status,
            standing,
            start,
            self.as_of,
            self.policy.create_before_start_days,
        )
    }

    fn no_change(&mut self, employee: &Employee, rule: &RuleCode) {
        let message = if *rule == rule::STATUS_BACKWARDS {
            "an active member is pending again in the HR system; nothing is changed"
        } else {
            "the employment status is missing or unknown; nothing is changed"
        };
        self.problem(
            Problem::warning(rule.clone(), message)
                .of(&employee.reference())
                .at("status"),
        );
    }

    fn warn_about_end_date(&mut self, employee: &Employee) {
        if employee.end_date.value().is_some_and(|end| *end < self.as_of) {
            let message = "the end date has passed but the status is active; the status decides";
            let warning = Problem::warning(rule::END_DATE_PASSED, message);
            self.problem(warning.of(&employee.reference()).at("end_date"));
        }
    }

    /// Whether the row has an Employee ID that nobody else has.
    fn claim_employee_id(&mut self, employee: &Employee, mapped: &Mapped<'_>, ordinal: Ordinal) -> bool {
        let Some(id) = text_at(mapped, self.id_at) else {
            let message = "the Employee ID is missing; fill it in, since it identifies the member";
            let problem = Problem::error(rule::EMPLOYEE_ID_BLANK, message);
            self.problem(problem.of(&employee.reference()).at("employee_id"));
            return false;
        };
        let Some(holder) = self
            .employee_ids
            .claim(ordinal, self.fingerprinter.employee_id(id))
        else {
            return true;
        };
        self.contest(holder, rule::EMPLOYEE_ID_SHARED);
        self.set_fate(ordinal, Fate::Problem);
        self.problem(shared(rule::EMPLOYEE_ID_SHARED).of(&employee.reference()));
        false
    }

    /// Whether the row has an e-mail address and the best claim to it.
    fn claim_email(
        &mut self,
        employee: &Employee,
        mapped: &Mapped<'_>,
        ordinal: Ordinal,
        intent: Intent,
    ) -> bool {
        let Some(address) = text_at(mapped, self.email_at) else {
            return self.without_email(employee, mapped, intent);
        };
        let value = self.fingerprinter.email(address);
        let Some(holder) = self.emails.claim(ordinal, value) else {
            return true;
        };
        let owns = |who: Ordinal| {
            self.people
                .get(who.index())
                .is_some_and(|person| person.old_email == value.0)
        };
        let (holder_owns, newcomer_owns) = (owns(holder), owns(ordinal));
        if !holder_owns {
            self.contest(holder, rule::EMAIL_SHARED);
        }
        if newcomer_owns && !holder_owns {
            self.emails.hand_over(holder, ordinal, value);
            return true;
        }
        self.set_fate(ordinal, Fate::Problem);
        self.problem(shared(rule::EMAIL_SHARED).of(&employee.reference()));
        false
    }

    /// A new person without address cannot be created; a known one keeps theirs.
    fn without_email(&mut self, employee: &Employee, mapped: &Mapped<'_>, intent: Intent) -> bool {
        let person = employee.reference();
        if matches!(intent, Intent::Create { .. }) {
            let unreadable = mapped
                .problems
                .iter()
                .any(|problem| problem.rule == rule::EMAIL_INVALID);
            let (rule, message) = if unreadable {
                (
                    rule::EMAIL_INVALID,
                    "the e-mail address cannot be one, so no account can be created",
                )
            } else {
                (
                    rule::EMAIL_MISSING,
                    "there is no e-mail address, so no account can be created",
                )
            };
            self.problem(Problem::error(rule, message).of(&person).at("email"));
            return false;
        }
        let message = "the e-mail address was emptied in the HR system; the member keeps the old one";
        self.problem(
            Problem::warning(rule::MANDATORY_EMPTIED, message)
                .of(&person)
                .at("email"),
        );
        true
    }

    /// Marks a person's draft as one to take back.
    fn contest(&mut self, ordinal: Ordinal, rule: RuleCode) {
        self.contested.entry(ordinal).or_insert(Contest {
            rule,
            reported: false,
        });
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
        self.people
            .get(ordinal.index())
            .map_or(Fate::Unseen, |person| person.fate)
    }

    /// Whether any draft may have to be taken back.
    pub(crate) fn has_second_thoughts(&self) -> bool {
        self.superseded || !self.contested.is_empty()
    }

    /// Notes that a person wants an address which the member of another linked person still has on the target.
    pub(crate) fn awaits(&mut self, who: Ordinal, owner: Ordinal) {
        self.awaiting.push((who, owner));
    }

    /// Orders people who hand on an address: who gives it up goes before who takes it. Circles are held, and so is
    /// whoever waits for an address that is not given up after all. Answers rank by person.
    pub(crate) fn order_email_moves(&mut self) -> HashMap<Ordinal, u32> {
        let taker: HashMap<Ordinal, Ordinal> = self
            .moves
            .iter()
            .filter_map(|(mover, old)| Some((*mover, self.emails.holder(*old)?)))
            .filter(|(mover, taker)| mover != taker)
            .collect();
        for (who, owner) in std::mem::take(&mut self.awaiting) {
            if taker.get(&owner) != Some(&who) {
                self.contest(who, rule::MEMBER_CONFLICT);
            }
        }
        let order = crate::order::order(&taker);
        for ordinal in order.cycles {
            self.contest(ordinal, rule::EMAIL_SWAPPED);
        }
        self.hold_takers_of_held_movers(&taker);
        order.ranks
    }

    fn hold_takers_of_held_movers(&mut self, taker: &HashMap<Ordinal, Ordinal>) {
        let mut held: Vec<_> = taker
            .keys()
            .filter(|mover| self.fate(**mover) == Fate::Problem)
            .copied()
            .collect();
        while let Some(mover) = held.pop() {
            if let Some(next) = taker.get(&mover)
                && self.fate(*next) != Fate::Problem
            {
                self.contest(*next, rule::EMAIL_SHARED);
                held.push(*next);
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
            self.superseded = true;
            let message = format!("{withheld} inactive people stay members for now: {why}");
            self.problem(Problem::warning(rule::LEAVERS_WITHHELD, message));
        }
    }

    /// Whether a known active person did not come.
    pub(crate) fn is_missing(&self, record: &RecordId) -> bool {
        self.ordinal(record).is_some_and(|ordinal| {
            !self.comparison.is_seen(ordinal)
                && self
                    .people
                    .get(ordinal.index())
                    .is_some_and(|person| !person.leaver)
        })
    }

    /// How many known active people did not come.
    pub(crate) fn missing(&self) -> u64 {
        let leaver = |ordinal: &Ordinal| {
            self.people
                .get(ordinal.index())
                .is_some_and(|person| person.leaver)
        };
        self.comparison
            .unseen()
            .filter(|ordinal| !leaver(ordinal))
            .count() as u64
    }

    /// Whether an action still stands for what became of its person.
    pub(crate) fn fits(&self, ordinal: Ordinal, kind: &ActionKind) -> bool {
        let fate = match kind {
            ActionKind::Create { .. } => Fate::Create,
            ActionKind::Adopt { .. } => Fate::Adopt,
            ActionKind::Update { .. } => Fate::Update,
            ActionKind::Reactivate { .. } => Fate::Reactivate,
            ActionKind::Leave { .. } => Fate::Leave,
            _ => return false,
        };
        self.fate(ordinal) == fate
    }

    /// Distinct people read, those of unreadable rows included where they have an id.
    pub(crate) fn distinct(&self) -> u64 {
        (self.comparison.len() - self.comparison.unseen().count()) as u64
    }

    /// How many known members' addresses change.
    pub(crate) fn email_changes(&self) -> u64 {
        self.moves.len() as u64
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
    } else if rule == rule::EMAIL_SWAPPED {
        (
            "these people take over each other's e-mail addresses; change them one after the other",
            "email",
        )
    } else if rule == rule::MEMBER_CONFLICT {
        (
            "the member that matches belongs to another employee; correct one of them",
            "email",
        )
    } else if rule == rule::RECORD_AMBIGUOUS {
        (
            "the record came twice with different content and nothing to tell which is newer",
            "record_id",
        )
    } else {
        (
            "another person has the same e-mail address; give each their own",
            "email",
        )
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
    employee
        .modified_at
        .map_or(0, |at| u32::try_from(at.timestamp()).unwrap_or(0))
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
