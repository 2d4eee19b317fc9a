//! How an action ended: what a target's answer means, and what reading the member back tells where it is in doubt.

use hris_core::keys::{FieldTag, Prints};
use hris_core::store::{ActionState, Link, Settlement};
use hris_core::{
    Action, ActionKind, Attributes, Error, ErrorKind, MemberField, MemberId, MemberQuery, MemberRecord,
    Outcome, Problem, Result, RuleCode, TargetField, rule,
};

use super::Applying;
use crate::second_pass::End;

impl Applying<'_> {
    pub(super) async fn interpret(&self, action: &Action, outcome: Outcome) -> Result<End> {
        Ok(match outcome {
            Outcome::Applied(member) | Outcome::AlreadySo(member) => done(action, member, &[]),
            Outcome::Partly { member, without } => done(action, member, &without),
            Outcome::Rejected(error) => failed(action, refusal(rule::MEMBER_REJECTED, &error)),
            Outcome::Conflict(error) => failed(action, refusal(rule::MEMBER_CONFLICT, &error)),
            Outcome::NotAttempted(error) => not_attempted(action, error),
            Outcome::InDoubt(error) => self.read_back(action, Some(error)).await?,
            _ => uncertain(action, "the target answered something that this version does not know"),
        })
    }

    /// Finds out whether an action took effect by reading the member, and repeats it once if it did not. Without a
    /// settlement: the target cannot be read now, so that the action stays written down as begun.
    pub(super) async fn read_back(&self, action: &Action, doubt: Option<Error>) -> Result<End> {
        if let Some(doubt) = doubt {
            tracing::warn!(action = action.kind.as_str(), %doubt, "reading back a write that is in doubt");
        }
        match self.find(action).await {
            Reading::Unreadable => return Ok(End::open()),
            Reading::AsIntended(member, without) => return Ok(done(action, member, &without)),
            Reading::Ambiguous => {
                return Ok(uncertain(action, "several members match this employee now"));
            }
            Reading::Gone => {
                let problem =
                    Problem::error(rule::MEMBER_VANISHED, "the member is not on the platform any more");
                return Ok(failed(action, problem));
            }
            Reading::NotAsIntended => {}
        }
        let again = self.parts.target.apply(std::slice::from_ref(action)).await.into_iter().next();
        match again.unwrap_or_else(|| Outcome::InDoubt(no_outcome())) {
            Outcome::InDoubt(_) => Ok(match self.find(action).await {
                Reading::AsIntended(member, without) => done(action, member, &without),
                Reading::Unreadable => End::open(),
                _ => uncertain(
                    action,
                    "the write was answered unclearly twice, and the member is not as intended",
                ),
            }),
            outcome => Box::pin(self.interpret(action, outcome)).await,
        }
    }

    async fn find(&self, action: &Action) -> Reading {
        let query = match &action.member {
            Some(member) => MemberQuery::Id(member.clone()),
            None => MemberQuery::EmployeeId(action.after.employee_id.clone()),
        };
        let Ok(found) = self.parts.target.find(&query).await else {
            return Reading::Unreadable;
        };
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Reading::Ambiguous,
            (Some(member), None) => self.compare(action, member).await,
            (None, _) if action.member.is_some() => Reading::Gone,
            (None, _) => Reading::NotAsIntended,
        }
    }

    /// Whether a member is as an action wants it to be, but for what waits for other members.
    async fn compare(&self, action: &Action, member: MemberRecord) -> Reading {
        if is_as_intended(action, &member, &[]) {
            return Reading::AsIntended(member.id, Vec::new());
        }
        let Some(changes) = action.kind.changes() else { return Reading::NotAsIntended };
        let awaited = self.parts.target.awaited(changes).await;
        let without: Vec<_> = awaited.into_iter().map(|awaited| awaited.field).collect();
        if !without.is_empty() && is_as_intended(action, &member, &without) {
            return Reading::AsIntended(member.id, without);
        }
        Reading::NotAsIntended
    }
}

/// What reading a member back tells about an action.
enum Reading {
    /// The member is as it was to be, but for attributes that wait for other members.
    AsIntended(MemberId, Vec<TargetField>),
    NotAsIntended,
    Gone,
    Ambiguous,
    Unreadable,
}

/// Whether a member is as an action wants it to be, some attributes aside.
fn is_as_intended(action: &Action, member: &MemberRecord, aside: &[TargetField]) -> bool {
    let open = !matches!(action.kind, ActionKind::Leave { .. });
    let attributes_fit = action.kind.changes().is_none_or(|changes| {
        let mut fields = changes.iter().filter(|(field, _)| !aside.contains(field));
        fields.all(|(field, value)| member.attributes.get(field).flatten() == value)
    });
    member.active == open && attributes_fit
}

/// An action that was carried out. What was left out has no fingerprint in the link, so that it is sent again.
fn done(action: &Action, member: MemberId, without: &[TargetField]) -> End {
    let changes = action.kind.changes();
    let nothing_else = |changes: &Attributes| changes.iter().all(|(field, _)| without.contains(field));
    if let Some(field) = without.first()
        && matches!(action.kind, ActionKind::Update { .. })
        && changes.is_some_and(nothing_else)
    {
        return failed(action, not_there(field));
    }
    let after = &action.after;
    let is_kept = |tag: &FieldTag| without.iter().all(|field| FieldTag::of(field) != *tag);
    let prints = after.prints.iter().filter(|(tag, _)| is_kept(tag)).collect();
    let link = Link::new(
        action.person.record.clone(),
        after.employee_id.clone(),
        member,
        after.state,
        after.email,
        Prints::new(prints),
    );
    End { without: without.to_vec(), ..End::of(Settlement::done(action.id.clone(), link)) }
}

pub(super) fn not_sent(action: &Action) -> Settlement {
    Settlement::new(action.id.clone(), ActionState::Pending)
}

/// What is said of an attribute that refers to a member who is not there.
pub(crate) fn not_there(field: &TargetField) -> Problem {
    let message = "the manager is not on the platform; the member has none there until then";
    if *field == TargetField::from(MemberField::Manager) {
        return Problem::warning(rule::MANAGER_UNKNOWN, message).at(field.to_string());
    }
    let message = "what this attribute refers to is not on the platform; it is left out until then";
    Problem::warning(rule::VALUE_NOT_STORED, message).at(field.to_string())
}

pub(super) fn failed(action: &Action, problem: Problem) -> End {
    End::of(Settlement::new(action.id.clone(), ActionState::Failed(problem.of(&action.person))))
}

/// An action that was provably not sent, and why.
fn not_attempted(action: &Action, error: Error) -> End {
    End { not_sent: Some(error), ..End::of(not_sent(action)) }
}

fn uncertain(action: &Action, evidence: &'static str) -> End {
    let problem = Problem::error(rule::ACTION_UNCERTAIN, evidence).of(&action.person);
    End::of(Settlement::new(action.id.clone(), ActionState::Uncertain(problem)))
}

fn refusal(rule: RuleCode, error: &Error) -> Problem {
    Problem::error(rule, error.to_string())
}

pub(super) fn no_outcome() -> Error {
    Error::new(ErrorKind::Protocol, "the target gave no outcome for an action")
}
