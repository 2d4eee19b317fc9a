//! Explaining one person: the five steps from reading to acting, in words that an administrator understands, and
//! without any value of the person.

use std::fmt;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use hris_core::keys::{FieldTag, Fingerprinter};
use hris_core::store::Link;
use hris_core::{
    ActionKind, Employee, EmployeeRef, Error, ErrorKind, Field, FieldSet, LinkState, Lookup, ManagerRef,
    Mapped, MemberQuery, Problem, ProvisioningPlan as _, ReadEvent, ReadQuery, Result, RunId, RunReport,
    ScopeVerdict, Trigger, rule,
};

use crate::decide::{Decision, Standing, decide};
use crate::engine::Engine;
use crate::planner::{day_of_decision, manager_at, put_employee_id};
use crate::planning::{Options, fields};
use crate::policy::EndDate;
use crate::view::PlanView;

/// A step from the HR system to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepName {
    /// What the HR system says.
    Read,
    /// Whether the connection is for this person.
    Scope,
    /// Which member the person is.
    Match,
    /// What the attributes become.
    Map,
    /// What a run would do.
    Act,
}

impl StepName {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Scope => "scope",
            Self::Match => "match",
            Self::Map => "map",
            Self::Act => "act",
        }
    }
}

/// One step and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Which step.
    pub name: StepName,
    /// Sentences, without any value of the person.
    pub says: Vec<String>,
}

/// What the engine says about one person. It holds ids and words, no values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The person.
    pub person: EmployeeRef,
    /// The steps in their order; those that were not reached are left out.
    pub steps: Vec<Step>,
    /// Every rule that fired, with what it says.
    pub rules: Vec<Problem>,
    /// What a run would do, in the words of plans: `create`, `update` … Nothing where there is nothing to do.
    pub action: Option<&'static str>,
}

impl Explanation {
    fn new(person: &EmployeeRef) -> Self {
        Self { person: person.clone(), steps: Vec::new(), rules: Vec::new(), action: None }
    }

    /// What is said about a step.
    pub fn step(&self, name: StepName) -> &[String] {
        self.steps.iter().find(|step| step.name == name).map_or(&[], |step| &step.says)
    }

    fn say(&mut self, name: StepName, says: impl IntoIterator<Item = impl Into<String>>) {
        self.steps.push(Step { name, says: says.into_iter().map(Into::into).collect() });
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "record {}", self.person.record)?;
        for step in &self.steps {
            for (index, sentence) in step.says.iter().enumerate() {
                writeln!(f, "  {:6} {sentence}", if index == 0 { step.name.as_str() } else { "" })?;
            }
        }
        for problem in &self.rules {
            let field = problem.field.as_deref().unwrap_or_default();
            let at = if field.is_empty() { String::new() } else { format!(" ({field})") };
            writeln!(f, "  rule   {}{at}: {}", problem.rule, problem.message)?;
        }
        Ok(())
    }
}

impl Engine {
    /// Explains one person: what the HR system says, whether the connection is for them, which member they are, what
    /// their attributes become, and what a run would do, with every rule that fires. Nothing is changed.
    ///
    /// Where single people cannot be read, or where what they claim contradicts somebody else, everyone is read.
    ///
    /// # Errors
    /// Those of the connector, the store and the target.
    pub async fn explain(&self, person: &EmployeeRef, as_of: NaiveDate) -> Result<Explanation> {
        let mut explanation = Explanation::new(person);
        let Some(employee) = self.explain_reading(person, &mut explanation).await? else {
            return Ok(explanation);
        };
        explanation.person = employee.reference();
        self.explain_scope(&employee, &mut explanation);
        let link = self.explain_match(&employee, &mut explanation).await?;
        self.explain_mapping(&employee, link.as_ref(), &mut explanation).await?;
        self.explain_action(&employee, link.as_ref(), as_of, &mut explanation).await?;
        Ok(explanation)
    }

    /// A run for one person only: reads, plans and applies as [`Engine::run`] does, under the same guards, and leaves
    /// everybody else alone.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where single people cannot be read; [`ErrorKind::Conflict`] where what they claim
    /// contradicts somebody else, which only a run for everyone settles; else as [`Engine::run`].
    pub async fn run_person(
        &self,
        run: &RunId,
        person: &EmployeeRef,
        trigger: Trigger,
        as_of: NaiveDate,
    ) -> Result<RunReport> {
        if !self.parts.connector.capabilities().single_read {
            return Err(Error::unsupported("this connector cannot read single people")
                .with_hint("let a run for everyone do it"));
        }
        self.run_with(run, trigger, Options { only: Some(vec![person.clone()]), ..Options::usual(as_of) })
            .await
    }

    async fn explain_reading(
        &self,
        person: &EmployeeRef,
        explanation: &mut Explanation,
    ) -> Result<Option<Box<Employee>>> {
        let fields = fields(&self.parts);
        let lookup = if self.parts.connector.capabilities().single_read {
            self.parts.connector.employee(person, &fields).await?
        } else {
            self.find_among_everyone(person, fields).await?
        };
        let says = match lookup {
            Lookup::Found(employee) => {
                let mut says = vec![format!(
                    "The HR system has this person; the status is {}.",
                    employee.status.as_str()
                )];
                for problem in &employee.problems {
                    says.push(format!("The field {} cannot be read: {}.", problem.field, problem.message));
                }
                explanation.say(StepName::Read, says);
                return Ok(Some(employee));
            }
            Lookup::Deleted => "The HR system says that this record was deleted.",
            Lookup::Erased => "The HR system erased this person's data on request.",
            _ => "The HR system does not have this person.",
        };
        explanation.say(StepName::Read, [says]);
        Ok(None)
    }

    async fn find_among_everyone(&self, person: &EmployeeRef, fields: FieldSet) -> Result<Lookup> {
        let mut events = self.parts.connector.read(ReadQuery::everyone(fields));
        while let Some(event) = events.try_next().await? {
            let ReadEvent::Employees(page) = event else { continue };
            if let Some(found) = page.into_iter().find(|employee| employee.record == person.record) {
                return Ok(Lookup::Found(Box::new(found)));
            }
        }
        Ok(Lookup::NotFound)
    }

    fn explain_scope(&self, employee: &Employee, explanation: &mut Explanation) {
        let says = match self.parts.mapping.scope(employee) {
            ScopeVerdict::Inside => "The connection is for this person.".to_owned(),
            ScopeVerdict::Outside(None) => {
                "The connection is not for this person: no rule includes them.".to_owned()
            }
            ScopeVerdict::Outside(Some(rule)) => {
                format!("The connection is not for this person: exclusion {} fits them.", rule + 1)
            }
            ScopeVerdict::Unknown(field) => {
                format!(
                    "Whether the connection is for this person cannot be told: {field} was not delivered or cannot be read."
                )
            }
        };
        explanation.say(StepName::Scope, [says]);
    }

    async fn explain_match(
        &self,
        employee: &Employee,
        explanation: &mut Explanation,
    ) -> Result<Option<Link>> {
        let parts = &self.parts;
        let links = parts.store.links_of(&parts.connection, std::slice::from_ref(&employee.record)).await?;
        if let Some(link) = links.into_iter().flatten().next() {
            let state = match link.state {
                LinkState::Active => "an active member".to_owned(),
                LinkState::Leaver { irreversible_from: None } => "a leaver".to_owned(),
                LinkState::Leaver { irreversible_from: Some(day) } => {
                    format!("a leaver, who can come back until {day}")
                }
            };
            explanation.say(StepName::Match, [format!("Linked to member {}, {state}.", link.member)]);
            return Ok(Some(link));
        }
        let mut says = vec!["Not linked to a member.".to_owned()];
        let attributes = parts.mapping.map(employee).attributes(parts.mapping.targets(), u64::MAX);
        let queries = [
            ("Employee ID", attributes.employee_id().map(MemberQuery::EmployeeId)),
            ("e-mail address", attributes.email().map(MemberQuery::Email)),
        ];
        for (what, query) in queries {
            let found = match query {
                None => format!("There is no {what} to look for a member with."),
                Some(query) => match parts.target.find(&query).await?.as_slice() {
                    [] => format!("No member has this {what}."),
                    [one] => format!("Member {} has this {what}.", one.id),
                    several => format!("{} members have this {what}.", several.len()),
                },
            };
            says.push(found);
        }
        explanation.say(StepName::Match, says);
        Ok(None)
    }

    async fn explain_mapping(
        &self,
        employee: &Employee,
        link: Option<&Link>,
        explanation: &mut Explanation,
    ) -> Result<()> {
        let baseline = self.parts.store.baseline(&self.parts.connection).await?;
        let fingerprinter = self.parts.fingerprinter(baseline.as_ref()).await?;
        let overrides = self.overrides().await?;
        let is_overridden = |field: &str| {
            overrides.iter().any(|one| one.record == employee.record && one.field.to_string() == field)
        };
        let mut mapped = self.parts.mapping.map(employee);
        if let (Some(at), Some(ManagerRef::Record(record))) =
            (manager_at(self.parts.mapping.targets()), employee.manager.value())
        {
            let manager =
                self.parts.store.links_of(&self.parts.connection, std::slice::from_ref(record)).await?;
            let id = manager.first().and_then(Option::as_ref).map(|link| &link.employee_id);
            put_employee_id(employee, at, &mut mapped, id);
        }
        let says = self.parts.mapping.targets().iter().enumerate().map(|(index, target)| {
            let name = target.to_string();
            let known = link.map(|link| link.prints.get(FieldTag::of(target)));
            let said = word(&mapped, index, FieldTag::of(target), known, &fingerprinter);
            let overridden =
                if is_overridden(&name) { "; what was recorded with us is used instead" } else { "" };
            format!("{name}: {said}{overridden}.")
        });
        let says: Vec<_> = says.collect();
        explanation.say(StepName::Map, says);
        Ok(())
    }

    async fn explain_action(
        &self,
        employee: &Employee,
        link: Option<&Link>,
        as_of: NaiveDate,
        explanation: &mut Explanation,
    ) -> Result<()> {
        let standing = link.map_or(Standing::Unknown, |link| Standing::Linked(link.state));
        let days = self.parts.policy.create_before_start_days;
        let start = employee.start_date.value().copied();
        let day = day_of_decision(employee, as_of, self.parts.clock.now());
        let decision = decide(&employee.status, standing, start, day, days);
        let mut says = vec![reason(&decision).to_owned()];
        says.extend(self.planned_end(employee, link, as_of));
        let view = self.plan_of_one(employee, as_of).await?;
        let actions: Vec<hris_core::Action> = view
            .actions(None)
            .try_filter(|action| std::future::ready(action.person.record == employee.record))
            .try_collect()
            .await?;
        let is_theirs = |problem: &Problem| problem.record.as_ref() == Some(&employee.record);
        explanation.rules = view
            .problems()
            .try_filter(|problem| std::future::ready(is_theirs(problem)))
            .try_collect()
            .await?;
        if actions.iter().any(|action| matches!(action.kind, ActionKind::Park { .. })) {
            let message = "Others take over what this member has, so that it first gets a temporary value.";
            says.push(message.to_owned());
        }
        match actions.last() {
            None => says.push("A run would do nothing about this person.".to_owned()),
            Some(action) => {
                let changes = action.kind.changes().into_iter().flat_map(hris_core::Attributes::iter);
                let fields: Vec<_> = changes.map(|(field, _)| field.to_string()).collect();
                let fields =
                    if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
                says.push(format!("A run would {}{fields}.", action.kind.as_str()));
                explanation.action = Some(action.kind.as_str());
            }
        }
        explanation.say(StepName::Act, says);
        Ok(())
    }

    /// When the account of a member closes whose last day is known and lies ahead.
    fn planned_end(&self, employee: &Employee, link: Option<&Link>, as_of: NaiveDate) -> Option<String> {
        let is_open = link.is_some_and(|link| link.state.is_active());
        let last = employee.end_date.value().filter(|last| is_open && **last >= as_of)?;
        Some(match &self.parts.policy.end_date {
            EndDate::Decides { .. } => {
                format!(
                    "The last day lies ahead: the account closes at the end of {last}, where the person works."
                )
            }
            EndDate::Warns => {
                format!(
                    "The last day lies ahead, on {last}; the account is open until the status says that they left."
                )
            }
        })
    }

    async fn plan_of_one(&self, employee: &Employee, as_of: NaiveDate) -> Result<PlanView> {
        let only = self.parts.connector.capabilities().single_read.then(|| vec![employee.reference()]);
        if only.is_some() {
            let alone = self.dry_run_with(Options { only, ..Options::review(as_of) }).await?.0;
            if !contradicts_others(&alone).await? {
                return Ok(alone);
            }
        }
        Ok(self.dry_run_with(Options::review(as_of)).await?.0)
    }
}

/// Whether somebody is held because of what others have, who may be about to give it up.
async fn contradicts_others(plan: &PlanView) -> Result<bool> {
    let mut problems = plan.problems();
    while let Some(problem) = problems.try_next().await? {
        if [rule::EMAIL_SHARED, rule::EMPLOYEE_ID_SHARED, rule::MEMBER_CONFLICT].contains(&problem.rule) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How an attribute's value comes about, without the value.
#[expect(clippy::option_option, reason = "no member, or a member to whom it was never written")]
fn word(
    mapped: &Mapped<'_>,
    index: usize,
    tag: FieldTag,
    known: Option<Option<hris_core::keys::Print>>,
    fingerprinter: &Fingerprinter,
) -> &'static str {
    let value = mapped.values.get(index).unwrap_or(&Field::Absent);
    let print = fingerprinter.attribute(tag, value.value());
    match (value, known) {
        (Field::Absent, _) => "nothing was delivered or could be used, so that nothing is changed",
        (Field::Null, None) => "empty",
        (Field::Value(_), None) => "has a value",
        (_, Some(Some(before))) if before == print => "as last written",
        (Field::Null, Some(_)) => "empty, unlike what was last written",
        (Field::Value(_), Some(None)) => "has a value, and was never written",
        (Field::Value(_), Some(Some(_))) => "another value than was last written",
    }
}

/// Why something is decided about somebody.
fn reason(decision: &Decision) -> &'static str {
    match decision {
        Decision::Create { known: false } => {
            "The person works here and is no member yet, so that they are to be one."
        }
        Decision::Create { known: true } => {
            "The person is back after their account was deleted, so that they become a new member, silently."
        }
        Decision::Keep => "The person works here and is a member, who is kept in step.",
        Decision::Leave => "The person does not work here any more, so that their account is to be closed.",
        Decision::Reactivate => "The person is back while their account can still be opened again.",
        Decision::Ignore => {
            "By status there is nothing to do: nobody is created who has left or has not begun."
        }
        Decision::NoChange(_) => "The status does not say what to do, so that nothing is changed.",
    }
}

/// What only a run for everyone settles.
pub(crate) fn contradicts() -> Error {
    Error::new(ErrorKind::Conflict, "what this person claims contradicts somebody else")
        .with_hint("let a run for everyone settle it, or correct one of them")
}
