//! People, actions and looks at the platform, as the behaviours need them.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use chrono::NaiveDate;
use futures_util::future::{Either, select};
use hris_core::{
    Action, ActionKind, Attributes, Email, EmployeeId, Error, ErrorKind, LeaveReason, MemberId, MemberQuery,
    MemberRecord, Outcome, ProvisioningTarget, TargetField, Value,
};

use super::harness::{Planted, PlatformFault, RawMember, TargetCase, TargetHarness};
use crate::sample_action;
use crate::suite::NotOffered;

/// How often something else gets its turn before a call counts as stuck. A turn costs about a microsecond, and the
/// platform may be a server in another thread.
const TURNS: u32 = 20_000_000;

pub(crate) type Target = Arc<dyn ProvisioningTarget>;

/// The Employee ID of somebody.
pub(crate) fn key(number: u32) -> String {
    format!("00{number}")
}

/// The address of somebody.
pub(crate) fn address(number: u32) -> String {
    format!("persona.{number}@brisa.example")
}

/// An address that parses; the suite's own all do.
pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap_or_else(|| panic!("`{text}` is no address"))
}

/// A change of one attribute.
pub(crate) fn one(field: &TargetField, value: Option<Value>) -> Attributes {
    Attributes::from_iter([(field.clone(), value)])
}

/// No change.
pub(crate) fn nothing() -> Attributes {
    Attributes::new()
}

/// Creates a member.
pub(crate) fn create(attributes: Attributes, invite: bool) -> Action {
    let id = attributes.text(&TargetField::EMPLOYEE_ID).unwrap_or_default().to_owned();
    sample_action(id, None, ActionKind::Create { attributes, invite })
}

/// Updates a member.
pub(crate) fn update(number: u32, member: &MemberId, changes: Attributes) -> Action {
    let id = changes.text(&TargetField::EMPLOYEE_ID).map_or_else(|| key(number), str::to_owned);
    sample_action(id, Some(member.clone()), ActionKind::Update { changes })
}

/// Gives a member a temporary value.
pub(crate) fn park(number: u32, member: &MemberId, changes: Attributes) -> Action {
    let id = changes.text(&TargetField::EMPLOYEE_ID).map_or_else(|| key(number), str::to_owned);
    sample_action(id, Some(member.clone()), ActionKind::Park { changes })
}

/// Closes a member's account.
pub(crate) fn leave(number: u32, member: &MemberId) -> Action {
    let kind = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
    sample_action(key(number), Some(member.clone()), kind)
}

/// Opens a leaver's account.
pub(crate) fn reactivate(number: u32, member: &MemberId, changes: Attributes) -> Action {
    sample_action(key(number), Some(member.clone()), ActionKind::Reactivate { changes })
}

/// Links an account that was there.
pub(crate) fn adopt(number: u32, member: &MemberId, changes: Attributes, reopen: bool) -> Action {
    sample_action(key(number), Some(member.clone()), ActionKind::Adopt { changes, reopen })
}

/// The error in an outcome that has one.
pub(crate) fn error_of(outcome: &Outcome) -> Option<&Error> {
    match outcome {
        Outcome::Rejected(error)
        | Outcome::Conflict(error)
        | Outcome::InDoubt(error)
        | Outcome::NotAttempted(error) => Some(error),
        _ => None,
    }
}

/// The member of an action that has to be carried out.
#[track_caller]
pub(crate) fn applied(outcome: Outcome, what: &str) -> MemberId {
    match outcome {
        Outcome::Applied(member) => member,
        other => panic!("{what}: carry it out and answer Applied, not {other:?}"),
    }
}

/// The member of an action that has nothing to do.
#[track_caller]
pub(crate) fn already_so(outcome: Outcome, what: &str) -> MemberId {
    match outcome {
        Outcome::AlreadySo(member) => member,
        other => panic!("{what}: there is nothing to do, answer AlreadySo and not {other:?}"),
    }
}

/// The error of an action that something else stands in the way of.
#[track_caller]
pub(crate) fn conflict(outcome: Outcome, what: &str) -> Error {
    match outcome {
        Outcome::Conflict(error) => {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{what}: give a conflict that kind: {error:?}");
            error
        }
        other => panic!("{what}: answer Conflict, not {other:?}"),
    }
}

/// Carries out an action or says that this target cannot do such a thing at all.
pub(crate) fn supported(outcome: Outcome, what: &'static str) -> Result<Outcome, NotOffered> {
    match error_of(&outcome).map(Error::kind) {
        Some(ErrorKind::Unsupported) => Err(NotOffered(what)),
        _ => Ok(outcome),
    }
}

/// Whether a member has these attributes: those with a value alike as text, and those without one not at all.
pub(crate) fn has(attributes: &Attributes, wanted: &Attributes) -> bool {
    wanted.iter().all(|(field, value)| {
        attributes.get(field).flatten().map(ToString::to_string) == value.map(ToString::to_string)
    })
}

/// One action's outcome.
pub(crate) async fn carry_out(target: &Target, action: Action) -> Outcome {
    let mut outcomes = target.apply(&[action]).await;
    assert_eq!(outcomes.len(), 1, "answer one outcome to one action");
    match outcomes.pop() {
        Some(outcome) => outcome,
        None => panic!("answer one outcome to one action"),
    }
}

/// Every action's outcome, in calls that are as large as the target takes.
pub(crate) async fn carry_out_all(target: &Target, actions: &[Action]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for batch in actions.chunks(target.capabilities().max_batch.get()) {
        let answered = target.apply(batch).await;
        assert_eq!(answered.len(), batch.len(), "answer one outcome for each action of a call");
        outcomes.extend(answered);
    }
    outcomes
}

/// Who is found, where the look-up has to go well.
pub(crate) async fn look_up(target: &Target, query: &MemberQuery) -> Result<Vec<MemberRecord>, NotOffered> {
    match target.find(query).await {
        Ok(found) => Ok(found),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            Err(NotOffered("the target does not look members up by each of id, Employee ID and address"))
        }
        Err(error) => panic!("find members, or nobody; that failed: {error:?}"),
    }
}

/// The queries for somebody who has a member.
pub(crate) fn queries(number: u32, member: &MemberId) -> [MemberQuery; 3] {
    [
        MemberQuery::Id(member.clone()),
        MemberQuery::EmployeeId(key(number).into()),
        MemberQuery::Email(email(&address(number))),
    ]
}

impl TargetHarness {
    /// A target with a good token.
    #[track_caller]
    pub(crate) fn good(&self) -> Target {
        match self.platform().target(TargetCase::Good) {
            Some(Ok(target)) => target,
            Some(Err(error)) => panic!("build a target in the harness for TargetCase::Good: {error:?}"),
            None => panic!("the harness has to build a target for TargetCase::Good"),
        }
    }

    /// A target for a case that not every platform has.
    #[track_caller]
    pub(crate) fn built(&self, case: TargetCase, otherwise: &'static str) -> Result<Target, NotOffered> {
        match self.platform().target(case) {
            Some(Ok(target)) => Ok(target),
            Some(Err(error)) => panic!("build a target in the harness for {case:?}: {error:?}"),
            None => Err(NotOffered(otherwise)),
        }
    }

    /// Somebody with an Employee ID, an address, and all optional attributes at their first value.
    pub(crate) fn person(&self, number: u32) -> Attributes {
        self.person_with(&key(number), &address(number))
    }

    /// Somebody with this Employee ID and this address.
    pub(crate) fn person_with(&self, id: &str, address: &str) -> Attributes {
        let mut attributes = Attributes::new();
        attributes.set(TargetField::EMPLOYEE_ID, Some(id.into()));
        attributes.set(TargetField::EMAIL, Some(address.into()));
        for sample in self.samples() {
            let [first, _] = sample.values;
            attributes.set(sample.field, Some(first));
        }
        attributes
    }

    /// A change of the attribute at a place to its second value.
    pub(crate) fn second(&self, place: usize) -> Attributes {
        let sample = self.sample(place);
        let [_, second] = sample.values;
        one(&sample.field, Some(second))
    }

    pub(crate) fn field(&self, place: usize) -> TargetField {
        self.sample(place).field
    }

    fn sample(&self, place: usize) -> super::harness::Sample {
        self.samples().swap_remove(place)
    }

    /// Creates somebody who has to get an account.
    pub(crate) async fn joined(&self, target: &Target, number: u32) -> MemberId {
        let what = "a create for somebody new";
        applied(carry_out(target, create(self.person(number), false)).await, what)
    }

    /// Makes an account by hand.
    pub(crate) fn planted(&self, account: &Planted, otherwise: &'static str) -> Result<MemberId, NotOffered> {
        self.platform().plant(account).ok_or(NotOffered(otherwise))
    }

    /// Lets something go wrong.
    pub(crate) fn faulty(&self, fault: PlatformFault, otherwise: &'static str) -> Result<(), NotOffered> {
        self.platform().fault(fault).then_some(()).ok_or(NotOffered(otherwise))
    }

    /// An account that has to be there.
    #[track_caller]
    pub(crate) fn raw(&self, member: &MemberId, what: &str) -> RawMember {
        let found = self.platform().members().into_iter().find(|raw| raw.id == *member);
        found.unwrap_or_else(|| panic!("{what}: the platform has no account with the id that was answered"))
    }

    /// The accounts with an Employee ID.
    pub(crate) fn with_key(&self, id: &str) -> Vec<RawMember> {
        let has = |raw: &RawMember| raw.attributes.employee_id() == Some(EmployeeId::from(id));
        self.platform().members().into_iter().filter(has).collect()
    }

    /// Checks that somebody has exactly one account, as wanted.
    #[track_caller]
    pub(crate) fn has_one(&self, wanted: &Attributes, what: &str) -> RawMember {
        let id = wanted.text(&TargetField::EMPLOYEE_ID).unwrap_or_default();
        let mut found = self.with_key(id);
        assert_eq!(found.len(), 1, "{what}: {id} has to have one account, and no second one");
        let Some(found) = found.pop() else { panic!("{what}: {id} has no account") };
        assert!(
            has(&found.attributes, wanted),
            "{what}: {id}'s account has to have all that was wanted, unaltered"
        );
        found
    }

    /// The clock's date.
    pub(crate) fn today(&self) -> NaiveDate {
        use hris_core::Clock as _;
        self.clock().now().date_naive()
    }

    /// Runs a call and lets the waits that it asks for pass, but no time-out.
    pub(crate) async fn patiently<T>(&self, call: impl Future<Output = T>) -> T {
        use hris_core::Clock as _;
        let (attempt, total) = self.timeouts();
        let (before, started) = (self.clock().slept().len(), self.clock().now());
        let go_on = async {
            for _ in 0..TURNS {
                let slept = self.clock().slept();
                let waits = slept.iter().skip(before).filter(|wait| **wait != attempt && **wait < total);
                let passed = (self.clock().now() - started).to_std().unwrap_or_default();
                let owed = waits.sum::<std::time::Duration>().saturating_sub(passed);
                if !owed.is_zero() {
                    self.clock().advance(owed);
                }
                tokio::task::yield_now().await;
            }
        };
        match select(pin!(call), pin!(go_on)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => {
                panic!("end every call: this one waits for something that does not come")
            }
        }
    }

    /// Waits, while a call is under way, until the platform has carried out a write. False if it never does.
    pub(crate) async fn writes_grow_beyond(&self, before: u64) -> bool {
        for _ in 0..TURNS {
            if self.platform().writes() > before {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    }
}
