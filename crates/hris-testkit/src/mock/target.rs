//! A rewards platform in memory: strict about uniqueness, with a close-down, and with faults where a test wants them.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{Days, NaiveDate};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use hris_core::{
    Action, ActionKind, Attributes, Awaited, Clock, Delivery, Email, EmployeeId, Error, ErrorKind,
    Invitations, MemberField, MemberId, MemberQuery, MemberRecord, Outcome, ProvisioningTarget, Result,
    SharedClock, TargetCapabilities, TargetField,
};

use super::fault::{Occasion, TargetFault, TargetFaultRule};
use super::lock;
use super::members::Members;

/// A [`ProvisioningTarget`] in memory. Clones are handles to the same platform.
///
/// It is as strict as a real one. An account needs an Employee ID and an e-mail address; the Employee ID is unique
/// as it is written and the address without regard to case, among open and closed accounts alike. A leaver's account
/// is closed at once and deleted from the day that is [`TargetCapabilities::close_down_days`] after the clock's
/// today (60 unless changed); until then it can be opened again. A create for somebody who is there already is a
/// conflict, and an action that would change nothing answers [`Outcome::AlreadySo`].
///
/// ```
/// use hris_core::{ActionKind, Attributes, LeaveReason, MemberField, Outcome, ProvisioningTarget as _};
/// use hris_testkit::{ManualClock, MockTarget, sample_action};
/// use std::time::Duration;
///
/// let clock = ManualClock::at("2026-03-02T06:00:00Z");
/// let target = MockTarget::new(clock.clone());
/// let mut attributes = Attributes::new();
/// attributes.set(MemberField::EmployeeId, Some("00104".into()));
/// attributes.set(MemberField::Email, Some("nerea.olmedo@brisa.example".into()));
/// let create = sample_action("00104", None, ActionKind::Create { attributes, invite: true });
///
/// hris_testkit::run(async {
///     assert!(matches!(target.apply(&[create.clone()]).await[..], [Outcome::Applied(_)]));
///     assert!(matches!(target.apply(&[create]).await[..], [Outcome::Conflict(_)]));
///     let member = target.member_by_employee_id("00104").unwrap().id;
///     assert_eq!(target.invitations(&member), 1);
///
///     let leave = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
///     target.apply(&[sample_action("00104", Some(member), leave)]).await;
///     assert!(!target.members()[0].active);
///     clock.advance(Duration::from_secs(60 * 24 * 3600));
///     assert!(target.members().is_empty());
/// });
/// ```
#[derive(Clone)]
pub struct MockTarget {
    clock: SharedClock,
    state: Arc<Mutex<State>>,
}

/// An action that a [`MockTarget`] was asked to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedAction {
    /// The word of [`ActionKind::as_str`].
    pub kind: &'static str,
    /// The Employee ID that the member has once the action is done.
    pub employee_id: EmployeeId,
    /// Whether it changed anything on the platform, whatever was answered.
    pub wrote: bool,
}

struct State {
    capabilities: TargetCapabilities,
    members: Members,
    ids_given: u64,
    invitations: BTreeMap<MemberId, u64>,
    writes: u64,
    log: Vec<LoggedAction>,
    faults: Vec<TargetFaultRule>,
    /// Whether a manager is a reference to a member rather than a text.
    refers: bool,
    actions: u64,
    finds: u64,
    rosters: u64,
    busy: usize,
    busiest: usize,
}

impl MockTarget {
    /// An empty platform that invites those who ask for it, lists its members, takes 50 actions in a call and 4 calls
    /// at once, and deletes leavers after 60 days.
    pub fn new(clock: impl Clock) -> Self {
        let mut capabilities = TargetCapabilities::default();
        capabilities.invitations = Invitations::PerRecord;
        capabilities.lists = true;
        capabilities.max_batch = NonZeroUsize::MIN.saturating_add(49);
        capabilities.max_in_flight = NonZeroUsize::MIN.saturating_add(3);
        capabilities.close_down_days = Some(60);
        let state = State {
            capabilities,
            members: Members::default(),
            ids_given: 0,
            invitations: BTreeMap::new(),
            writes: 0,
            log: Vec::new(),
            faults: Vec::new(),
            refers: false,
            actions: 0,
            finds: 0,
            rosters: 0,
            busy: 0,
            busiest: 0,
        };
        Self { clock: Arc::new(clock), state: Arc::new(Mutex::new(state)) }
    }

    /// Changes what the platform can do. Without `close_down_days` closed accounts stay for ever.
    #[must_use]
    pub fn with_capabilities(self, change: impl FnOnce(&mut TargetCapabilities)) -> Self {
        change(&mut lock(&self.state).capabilities);
        self
    }

    /// Lets it store a manager only where a member has that Employee ID, as platforms with references do.
    #[must_use]
    pub fn referring_to_managers(self) -> Self {
        lock(&self.state).refers = true;
        self
    }

    /// Adds a fault.
    #[must_use]
    pub fn with_fault(self, fault: TargetFaultRule) -> Self {
        self.add_fault(fault);
        self
    }

    /// Adds a fault. Of several that strike the same occasion, waits add up and the first other one decides.
    pub fn add_fault(&self, fault: TargetFaultRule) {
        lock(&self.state).faults.push(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        lock(&self.state).faults.clear();
    }

    /// Puts a member there as if it had always been: nothing is checked, written or logged, and one with the same id
    /// is replaced. Several members may share an address, as in places that were filled by hand.
    pub fn plant(&self, member: MemberRecord) {
        self.access().members.put(member);
    }

    /// Changes a member's attributes by hand, as an administrator of the platform would; nothing is logged. False if
    /// there is no such member.
    pub fn edit(&self, member: &MemberId, changes: &Attributes) -> bool {
        let mut state = self.access();
        let Some(mut record) = state.members.get(member).cloned() else {
            return false;
        };
        record.attributes.merge(changes);
        state.members.put(record);
        true
    }

    /// Takes a member away by hand; nothing is logged. False if there was none.
    pub fn remove(&self, member: &MemberId) -> bool {
        self.access().members.remove(member).is_some()
    }

    /// All members that are not deleted, closed accounts among them, in the order of their ids.
    pub fn members(&self) -> Vec<MemberRecord> {
        self.access().members.iter().cloned().collect()
    }

    /// The member with this very Employee ID; the first by id, where several were planted.
    pub fn member_by_employee_id(&self, employee_id: impl Into<EmployeeId>) -> Option<MemberRecord> {
        let state = self.access();
        state.members.with_employee_id(&employee_id.into()).next().cloned()
    }

    /// How often the platform invited a member, deleted ones included.
    pub fn invitations(&self, member: &MemberId) -> u64 {
        lock(&self.state).invitations.get(member).copied().unwrap_or_default()
    }

    /// How many invitations the platform sent.
    pub fn invitations_sent(&self) -> u64 {
        lock(&self.state).invitations.values().sum()
    }

    /// How many actions changed something.
    pub fn writes(&self) -> u64 {
        lock(&self.state).writes
    }

    /// Every action that the platform received, in the order in which it dealt with them.
    pub fn log(&self) -> Vec<LoggedAction> {
        lock(&self.state).log.clone()
    }

    /// The largest number of calls that were under way at once; a caller must keep to
    /// [`TargetCapabilities::max_in_flight`].
    pub fn most_in_flight(&self) -> usize {
        lock(&self.state).busiest
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    /// The state as of the clock's today: whoever was to be deleted until then is gone.
    fn access(&self) -> std::sync::MutexGuard<'_, State> {
        let today = self.today();
        let mut state = lock(&self.state);
        state.members.purge(today);
        state
    }

    async fn apply_one(&self, action: &Action) -> Outcome {
        let faults = self.access().take_action_faults(action);
        self.wait(&faults, |fault| match fault {
            TargetFault::Slow(wait) => Some(*wait),
            _ => None,
        })
        .await;
        let outcome = self.access().answer(action, &faults, self.today());
        self.wait(&faults, |fault| match fault {
            TargetFault::SlowAnswer(wait) => Some(*wait),
            _ => None,
        })
        .await;
        outcome
    }

    async fn wait(&self, faults: &[TargetFault], length: fn(&TargetFault) -> Option<Duration>) {
        for wait in faults.iter().filter_map(length) {
            self.clock.sleep(wait).await;
        }
    }
}

impl fmt::Debug for MockTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("MockTarget")
            .field("members", &state.members.iter().count())
            .field("writes", &state.writes)
            .finish_non_exhaustive()
    }
}

/// Counts a call as under way until it is answered or dropped.
struct InFlight<'a>(&'a Mutex<State>);

impl<'a> InFlight<'a> {
    fn enter(shared: &'a Mutex<State>) -> Self {
        let mut state = lock(shared);
        state.busy += 1;
        state.busiest = state.busiest.max(state.busy);
        drop(state);
        Self(shared)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(self.0).busy -= 1;
    }
}

#[async_trait]
impl ProvisioningTarget for MockTarget {
    fn capabilities(&self) -> TargetCapabilities {
        lock(&self.state).capabilities.clone()
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        self.access().find(query)
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        if !lock(&self.state).capabilities.lists {
            return None;
        }
        let listing = stream::once(async { stream::iter(self.access().roster()) });
        Some(listing.flatten().boxed())
    }

    async fn awaited(&self, attributes: &Attributes) -> Vec<Awaited> {
        self.access().awaited(attributes).into_iter().collect()
    }

    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        let _in_flight = InFlight::enter(&self.state);
        let max_batch = self.capabilities().max_batch.get();
        let mut outcomes = Vec::with_capacity(actions.len());
        for (index, action) in actions.iter().enumerate() {
            outcomes.push(if index < max_batch {
                self.apply_one(action).await
            } else {
                Outcome::NotAttempted(batch_too_large(max_batch))
            });
        }
        outcomes
    }
}

fn batch_too_large(max: usize) -> Error {
    Error::new(ErrorKind::Unsupported, "the call has too many actions").with_context("max_batch", max)
}

impl State {
    fn find(&mut self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        self.finds += 1;
        let found: Vec<MemberRecord> = match query {
            MemberQuery::Id(id) => self.members.get(id).into_iter().cloned().collect(),
            MemberQuery::EmployeeId(id) => self.members.with_employee_id(id).cloned().collect(),
            MemberQuery::Email(email) => self.members.with_email(email.as_str()).cloned().collect(),
            _ => return Err(Error::unsupported("this platform does not search by that")),
        };
        let mut about: Vec<_> = found.iter().filter_map(|member| member.attributes.employee_id()).collect();
        if let MemberQuery::EmployeeId(id) = query {
            about.push(id.clone());
        }
        match self.take_faults(Occasion::Find, self.finds, &about).first() {
            Some(TargetFault::FindFails(kind)) => Err(Error::new(*kind, "the look-up failed")),
            _ => Ok(found),
        }
    }

    fn roster(&mut self) -> Vec<Result<MemberRecord>> {
        self.rosters += 1;
        let faults = self.take_faults(Occasion::Roster, self.rosters, &[]);
        let members = self.members.iter().cloned().map(Ok);
        match faults.first() {
            Some(TargetFault::RosterFails { after, kind }) => {
                let failure = Err(Error::new(*kind, "the list of members broke off"));
                members.take(*after).chain([failure]).collect()
            }
            _ => members.collect(),
        }
    }

    fn take_action_faults(&mut self, action: &Action) -> Vec<TargetFault> {
        self.actions += 1;
        let member = action.member.as_ref().and_then(|id| self.members.get(id));
        let current = member.and_then(|member| member.attributes.employee_id());
        let about: Vec<_> =
            [current, Some(action.after.employee_id.clone()), action.person.employee_id.clone()]
                .into_iter()
                .flatten()
                .collect();
        self.take_faults(Occasion::Action, self.actions, &about)
    }

    fn take_faults(&mut self, occasion: Occasion, nth: u64, about: &[EmployeeId]) -> Vec<TargetFault> {
        let rules = self.faults.iter_mut();
        rules.filter_map(|rule| rule.take(occasion, nth, about).then(|| rule.fault.clone())).collect()
    }

    fn answer(&mut self, action: &Action, faults: &[TargetFault], today: NaiveDate) -> Outcome {
        let deciding =
            faults.iter().find(|fault| !matches!(fault, TargetFault::Slow(_) | TargetFault::SlowAnswer(_)));
        let before = self.writes;
        let outcome = match deciding {
            None => self.carry_out(action, today),
            Some(TargetFault::StoresButAnswersInDoubt) => {
                let _lost = self.carry_out(action, today);
                Outcome::InDoubt(no_answer())
            }
            Some(fault) => self.misbehave(action, fault),
        };
        self.log.push(LoggedAction {
            kind: action.kind.as_str(),
            employee_id: action.after.employee_id.clone(),
            wrote: self.writes > before,
        });
        outcome
    }

    /// The answer to an action that is not carried out.
    fn misbehave(&mut self, action: &Action, fault: &TargetFault) -> Outcome {
        match fault {
            TargetFault::AnswersOkButStoresNothing => {
                Outcome::Applied(action.member.clone().unwrap_or_else(|| self.new_id()))
            }
            TargetFault::RejectsOne(rule) => {
                Outcome::Rejected(refused("the platform refuses this record").with_context("rule", rule))
            }
            TargetFault::ConflictOne => Outcome::Conflict(conflict("something else holds the unique value")),
            TargetFault::NotAttempted { retryable } => {
                let error = Error::new(ErrorKind::Unavailable, "the platform takes no requests now");
                Outcome::NotAttempted(error.with_retryable(*retryable))
            }
            _ => Outcome::InDoubt(no_answer()),
        }
    }

    /// The manager, if that is nobody's Employee ID.
    fn awaited(&self, attributes: &Attributes) -> Option<Awaited> {
        let field = TargetField::from(MemberField::Manager);
        let manager = EmployeeId::from(attributes.text(&field).filter(|_| self.refers)?);
        let is_there = self.members.with_employee_id(&manager).next().is_some();
        (!is_there).then(|| Awaited::new(field, manager))
    }

    fn carry_out(&mut self, action: &Action, today: NaiveDate) -> Outcome {
        let Some(awaited) = action.kind.changes().and_then(|changes| self.awaited(changes)) else {
            return self.carry_out_whole(action, today);
        };
        let mut action = action.clone();
        if let ActionKind::Create { attributes: changes, .. }
        | ActionKind::Adopt { changes, .. }
        | ActionKind::Update { changes }
        | ActionKind::Reactivate { changes } = &mut action.kind
        {
            *changes = changes.only(|field| *field != awaited.field);
        }
        match self.carry_out_whole(&action, today) {
            Outcome::Applied(member) | Outcome::AlreadySo(member) => {
                Outcome::Partly { member, without: vec![awaited.field] }
            }
            outcome => outcome,
        }
    }

    fn carry_out_whole(&mut self, action: &Action, today: NaiveDate) -> Outcome {
        let result = match &action.kind {
            ActionKind::Create { attributes, invite } => self.create(attributes, *invite),
            ActionKind::Update { changes } | ActionKind::Park { changes } => {
                self.change(action, changes, false)
            }
            ActionKind::Adopt { changes, reopen } => self.change(action, changes, *reopen),
            ActionKind::Reactivate { changes } => self.change(action, changes, true),
            ActionKind::Leave { .. } => self.close(action, today),
            _ => Err(Error::unsupported("this platform does not know the action")),
        };
        match result {
            Ok(outcome) => outcome,
            Err(error) if error.kind() == ErrorKind::Conflict => Outcome::Conflict(error),
            Err(error) => Outcome::Rejected(error),
        }
    }

    fn create(&mut self, attributes: &Attributes, invite: bool) -> Result<Outcome> {
        let mut stored = Attributes::new();
        stored.merge(attributes);
        self.check(&stored, None)?;
        let id = self.new_id();
        let invited = match self.capabilities.invitations {
            Invitations::AlwaysOnCreate => true,
            Invitations::PerRecord => invite,
            _ => false,
        };
        if invited {
            *self.invitations.entry(id.clone()).or_default() += 1;
        }
        self.write(MemberRecord::new(id.clone(), stored));
        Ok(Outcome::Applied(id))
    }

    fn change(&mut self, action: &Action, changes: &Attributes, open: bool) -> Result<Outcome> {
        let mut record = self.member_of(action)?;
        let before = record.clone();
        record.attributes.merge(changes);
        if open {
            record.active = true;
            record.closes_on = None;
        }
        if record == before {
            return Ok(Outcome::AlreadySo(record.id));
        }
        self.check(&record.attributes, Some(&record.id))?;
        let id = record.id.clone();
        self.write(record);
        Ok(Outcome::Applied(id))
    }

    fn close(&mut self, action: &Action, today: NaiveDate) -> Result<Outcome> {
        let mut record = self.member_of(action)?;
        let id = record.id.clone();
        if !record.active {
            return Ok(Outcome::AlreadySo(id));
        }
        record.active = false;
        let days = self.capabilities.close_down_days;
        record.closes_on = days.and_then(|days| today.checked_add_days(Days::new(days.into())));
        self.write(record);
        Ok(Outcome::Applied(id))
    }

    fn member_of(&self, action: &Action) -> Result<MemberRecord> {
        let Some(id) = &action.member else {
            return Err(refused("the action names no member"));
        };
        let member = self.members.get(id).cloned();
        member.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such member"))
    }

    /// Whether a member may have these attributes.
    fn check(&self, attributes: &Attributes, own: Option<&MemberId>) -> Result<()> {
        let employee_id = attributes
            .employee_id()
            .filter(|id| !id.as_str().trim().is_empty())
            .ok_or_else(|| refused("an account needs an Employee ID"))?;
        let email = attributes
            .text(&TargetField::EMAIL)
            .filter(|email| Email::is_plausible(email))
            .ok_or_else(|| refused("an account needs an e-mail address"))?;
        let is_other = |member: &MemberRecord| Some(&member.id) != own;
        if self.members.with_employee_id(&employee_id).any(is_other) {
            return Err(conflict("another member has this Employee ID"));
        }
        if self.members.with_email(email).any(is_other) {
            return Err(conflict("another member has this e-mail address"));
        }
        Ok(())
    }

    fn write(&mut self, mut record: MemberRecord) {
        self.writes += 1;
        record.version = Some(self.writes.to_string());
        self.members.put(record);
    }

    fn new_id(&mut self) -> MemberId {
        self.ids_given += 1;
        // Padded, so that the order of ids is the order of creation.
        format!("member-{:07}", self.ids_given).into()
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, message).with_delivery(Delivery::Answered)
}

fn conflict(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, message).with_delivery(Delivery::Answered)
}

fn no_answer() -> Error {
    Error::new(ErrorKind::Timeout, "the platform did not answer").with_delivery(Delivery::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, run, sample_action};
    use futures_util::FutureExt as _;
    use futures_util::future::join;
    use hris_core::{LeaveReason, Value, rule};

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn clock() -> ManualClock {
        ManualClock::at("2026-03-02T06:00:00Z")
    }

    fn attributes(employee_id: &str, email: &str) -> Attributes {
        let pairs = [(TargetField::EMPLOYEE_ID, employee_id), (TargetField::EMAIL, email)];
        pairs.map(|(field, text)| (field, Some(Value::from(text)))).into_iter().collect()
    }

    fn change(field: MemberField, value: Option<&str>) -> Attributes {
        Attributes::from_iter([(field.into(), value.map(Value::from))])
    }

    fn create(employee_id: &str, email: &str) -> Action {
        let attributes = attributes(employee_id, email);
        let kind = ActionKind::Create { attributes, invite: true };
        sample_action(employee_id, None, kind)
    }

    fn update(member: &MemberId, changes: Attributes) -> Action {
        sample_action("1", Some(member.clone()), ActionKind::Update { changes })
    }

    fn leave(member: &MemberId) -> Action {
        let kind = ActionKind::Leave { reason: LeaveReason::Status, irreversible_from: None };
        sample_action("1", Some(member.clone()), kind)
    }

    fn reactivate(member: &MemberId) -> Action {
        let changes = Attributes::new();
        sample_action("1", Some(member.clone()), ActionKind::Reactivate { changes })
    }

    fn apply(target: &MockTarget, action: Action) -> Outcome {
        run(target.apply(&[action])).pop().expect("one outcome")
    }

    fn created(target: &MockTarget, employee_id: &str, email: &str) -> MemberId {
        match apply(target, create(employee_id, email)) {
            Outcome::Applied(id) => id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn employee_ids_are_unique_as_written_and_addresses_without_regard_to_case() {
        let target = MockTarget::new(clock());
        created(&target, "104", "nerea@brisa.example");
        let refused = |action| matches!(apply(&target, action), Outcome::Conflict(_));
        assert!(refused(create("104", "other@brisa.example")));
        assert!(refused(create("105", "Nerea@BRISA.example")));
        created(&target, "00104", "inigo@brisa.example");
        let second = target.member_by_employee_id("00104").unwrap();
        let taken = change(MemberField::Email, Some("NEREA@brisa.example"));
        assert!(refused(update(&second.id, taken)));
        assert_eq!(target.member_by_employee_id("00104"), Some(second), "a conflict writes nothing");
        assert_eq!(target.writes(), 2);
    }

    #[test]
    fn closed_accounts_hold_their_unique_values() {
        let target = MockTarget::new(clock());
        let member = created(&target, "1", "a@x.example");
        apply(&target, leave(&member));
        assert!(matches!(apply(&target, create("2", "a@x.example")), Outcome::Conflict(_)));
        assert!(matches!(apply(&target, create("1", "b@x.example")), Outcome::Conflict(_)));
    }

    #[test]
    fn no_account_is_without_employee_id_and_address() {
        let target = MockTarget::new(clock());
        let rejected = |action| matches!(apply(&target, action), Outcome::Rejected(_));
        assert!(rejected(create(" ", "a@x.example")));
        assert!(rejected(create("1", "no address")));
        let without_email = Attributes::from_iter([(TargetField::EMPLOYEE_ID, Some(Value::from("1")))]);
        let kind = ActionKind::Create { attributes: without_email, invite: false };
        assert!(rejected(sample_action("1", None, kind)));
        let member = created(&target, "1", "a@x.example");
        assert!(rejected(update(&member, change(MemberField::Email, None))));
        assert_eq!(target.members().len(), 1);
    }

    #[test]
    fn invitations_follow_the_platforms_way() {
        let ways = [
            (Invitations::Never, true, 0),
            (Invitations::AlwaysOnCreate, false, 1),
            (Invitations::PerRecord, true, 1),
            (Invitations::PerRecord, false, 0),
        ];
        for (way, asked, sent) in ways {
            let target = MockTarget::new(clock()).with_capabilities(|can| can.invitations = way);
            let kind = ActionKind::Create { attributes: attributes("1", "a@x.example"), invite: asked };
            let Outcome::Applied(member) = apply(&target, sample_action("1", None, kind)) else {
                panic!("{way:?}")
            };
            let changes = change(MemberField::FirstName, Some("A"));
            let adopt = ActionKind::Adopt { changes, reopen: false };
            apply(&target, sample_action("1", Some(member.clone()), adopt));
            apply(&target, leave(&member));
            apply(&target, reactivate(&member));
            assert_eq!(target.invitations(&member), sent, "{way:?}, asked: {asked}");
            assert_eq!(target.invitations_sent(), sent);
        }
    }

    #[test]
    fn a_leavers_account_can_come_back_until_its_day_and_is_gone_from_then_on() {
        let clock = clock();
        let target = MockTarget::new(clock.clone());
        let member = created(&target, "1", "a@x.example");
        apply(&target, leave(&member));
        let closed = target.members().pop().unwrap();
        assert_eq!(closed.closes_on, NaiveDate::from_ymd_opt(2026, 5, 1));
        clock.advance(59 * DAY);
        assert!(matches!(apply(&target, reactivate(&member)), Outcome::Applied(_)));
        let open = target.members().pop().unwrap();
        assert_eq!((open.active, open.closes_on), (true, None));

        apply(&target, leave(&member));
        clock.advance(60 * DAY);
        assert!(
            matches!(apply(&target, reactivate(&member)), Outcome::Rejected(error) if error.kind() == ErrorKind::NotFound)
        );
        assert!(target.members().is_empty());
        let again = created(&target, "1", "a@x.example");
        assert_ne!(again, member, "a returner after the close-down is a new member");
    }

    #[test]
    fn a_second_leave_does_not_move_the_day_of_deletion() {
        let clock = clock();
        let target = MockTarget::new(clock.clone());
        let member = created(&target, "1", "a@x.example");
        apply(&target, leave(&member));
        clock.advance(30 * DAY);
        assert!(matches!(apply(&target, leave(&member)), Outcome::AlreadySo(_)));
        assert_eq!(target.members()[0].closes_on, NaiveDate::from_ymd_opt(2026, 5, 1));
    }

    #[test]
    fn without_a_close_down_period_closed_accounts_stay() {
        let clock = clock();
        let target = MockTarget::new(clock.clone()).with_capabilities(|can| can.close_down_days = None);
        let member = created(&target, "1", "a@x.example");
        apply(&target, leave(&member));
        clock.advance(1000 * DAY);
        assert_eq!(target.members()[0].closes_on, None);
    }

    #[test]
    fn updates_and_adoptions_merge_and_say_when_there_is_nothing_to_do() {
        let target = MockTarget::new(clock());
        let member = created(&target, "1", "a@x.example");
        let named = change(MemberField::FirstName, Some("Nerea"));
        assert!(matches!(apply(&target, update(&member, named.clone())), Outcome::Applied(_)));
        assert!(matches!(apply(&target, update(&member, named.clone())), Outcome::AlreadySo(_)));
        assert!(matches!(apply(&target, reactivate(&member)), Outcome::AlreadySo(_)));
        let adopt = ActionKind::Adopt { changes: named, reopen: true };
        let adopt = sample_action("1", Some(member.clone()), adopt);
        assert!(matches!(apply(&target, adopt.clone()), Outcome::AlreadySo(_)));
        apply(&target, leave(&member));
        assert!(matches!(apply(&target, adopt), Outcome::Applied(_)));
        apply(&target, update(&member, change(MemberField::FirstName, None)));
        let stored = target.members().pop().unwrap();
        assert_eq!(stored.attributes, attributes("1", "a@x.example"));
        assert!(stored.active);
        assert_eq!(target.writes(), 5, "create, first update, leave, adopt, second update");
    }

    #[test]
    fn a_changed_employee_id_frees_the_old_one() {
        let target = MockTarget::new(clock());
        let member = created(&target, "1", "a@x.example");
        apply(&target, update(&member, change(MemberField::EmployeeId, Some("2"))));
        assert!(target.member_by_employee_id("1").is_none());
        assert_eq!(target.member_by_employee_id("2").unwrap().id, member);
        created(&target, "1", "b@x.example");
    }

    #[test]
    fn members_are_found_by_id_employee_id_and_address() {
        let target = MockTarget::new(clock());
        let member = created(&target, "001", "a@x.example");
        let find = |query| run(target.find(&query)).unwrap().len();
        assert_eq!(find(MemberQuery::Id(member)), 1);
        assert_eq!(find(MemberQuery::EmployeeId("001".into())), 1);
        assert_eq!(find(MemberQuery::EmployeeId("1".into())), 0);
        let address = Email::parse("A@X.example").unwrap();
        assert_eq!(find(MemberQuery::Email(address.clone())), 1);
        target.plant(MemberRecord::new("planted", attributes("002", "a@X.EXAMPLE")));
        assert_eq!(find(MemberQuery::Email(address)), 2, "what was planted may be ambiguous");
    }

    #[test]
    fn hands_on_the_platform_leave_no_trace_in_writes_or_log() {
        let target = MockTarget::new(clock());
        target.plant(MemberRecord::new("m", attributes("1", "a@x.example")));
        assert!(target.edit(&"m".into(), &change(MemberField::FirstName, Some("X"))));
        assert_eq!(target.members()[0].attributes.text(&MemberField::FirstName.into()), Some("X"));
        assert!(target.remove(&"m".into()));
        assert!(!target.remove(&"m".into()) && !target.edit(&"m".into(), &Attributes::new()));
        assert!(target.members().is_empty() && target.log().is_empty());
        assert_eq!(target.writes(), 0);
    }

    #[test]
    fn the_roster_lists_everybody_lazily_where_the_platform_lists() {
        let target = MockTarget::new(clock());
        let roster = target.roster().unwrap();
        let first = created(&target, "1", "a@x.example");
        created(&target, "2", "b@x.example");
        apply(&target, leave(&first));
        let listed: Vec<_> = run(roster.collect::<Vec<_>>()).into_iter().map(Result::unwrap).collect();
        assert_eq!(listed, target.members());
        assert_eq!(listed.len(), 2);
        assert!(target.with_capabilities(|can| can.lists = false).roster().is_none());
    }

    #[test]
    fn a_broken_roster_ends_with_its_error() {
        let fault = TargetFault::RosterFails { after: 1, kind: ErrorKind::Unavailable };
        let target = MockTarget::new(clock()).with_fault(fault.on_nth(1));
        created(&target, "1", "a@x.example");
        created(&target, "2", "b@x.example");
        let listed: Vec<_> = run(target.roster().unwrap().collect());
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[1].as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
        let again: Vec<_> = run(target.roster().unwrap().collect());
        assert!(again.iter().all(Result::is_ok));
    }

    #[test]
    fn faults_of_delivery_keep_effect_and_answer_apart() {
        let cases =
            [(TargetFault::StoresButAnswersInDoubt, true), (TargetFault::StoresNothingAnswersInDoubt, false)];
        for (fault, stored) in cases {
            let target = MockTarget::new(clock()).with_fault(fault.on_employee("1"));
            let Outcome::InDoubt(error) = apply(&target, create("1", "a@x.example")) else {
                panic!("in doubt")
            };
            assert_eq!(error.delivery(), Delivery::Unknown);
            assert_eq!(target.member_by_employee_id("1").is_some(), stored);
            assert_eq!((target.writes() == 1, target.log()[0].wrote), (stored, stored));
        }
        let target = MockTarget::new(clock()).with_fault(TargetFault::AnswersOkButStoresNothing.on_nth(1));
        assert!(matches!(apply(&target, create("1", "a@x.example")), Outcome::Applied(_)));
        assert!(target.members().is_empty());
    }

    #[test]
    fn faults_of_one_record_leave_the_rest_of_the_batch_alone() {
        let target = MockTarget::new(clock())
            .with_fault(TargetFault::RejectsOne(rule::MEMBER_REJECTED).on_employee("2"))
            .with_fault(TargetFault::ConflictOne.on_nth(3))
            .with_fault(TargetFault::NotAttempted { retryable: true }.on_nth(4));
        let batch: Vec<_> = (1..=5).map(|n| create(&n.to_string(), &format!("p{n}@x.example"))).collect();
        let outcomes = run(target.apply(&batch));
        let [
            Outcome::Applied(_),
            Outcome::Rejected(rejected),
            Outcome::Conflict(_),
            Outcome::NotAttempted(later),
            Outcome::Applied(_),
        ] = &outcomes[..]
        else {
            panic!("{outcomes:?}")
        };
        assert!(rejected.context().any(|fact| fact == ("rule", "member.rejected")));
        assert!(later.is_retryable() && later.delivery() == Delivery::NotSent);
        let log: Vec<_> =
            target.log().into_iter().map(|entry| (entry.employee_id.to_string(), entry.wrote)).collect();
        let expected = [("1", true), ("2", false), ("3", false), ("4", false), ("5", true)];
        assert_eq!(log, expected.map(|(id, wrote)| (id.to_owned(), wrote)));
        assert!(matches!(apply(&target, create("2", "p2@x.example")), Outcome::Applied(_)));
    }

    #[test]
    fn a_failing_look_up_is_an_error_and_never_an_empty_answer() {
        let fault = TargetFault::FindFails(ErrorKind::Unavailable);
        let target =
            MockTarget::new(clock()).with_fault(fault.clone().on_nth(1)).with_fault(fault.on_employee("2"));
        let find = |id: &str| run(target.find(&MemberQuery::EmployeeId(id.into())));
        assert_eq!(find("1").unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(find("1").unwrap().is_empty());
        assert!(find("2").is_err());
        assert!(find("2").is_ok());
    }

    #[test]
    fn a_slow_action_dropped_before_its_effect_has_none_and_after_it_keeps_it() {
        for (fault, stored) in [(TargetFault::Slow(DAY), false), (TargetFault::SlowAnswer(DAY), true)] {
            let target = MockTarget::new(clock()).with_fault(fault.always());
            let actions = [create("1", "a@x.example")];
            assert!(target.apply(&actions).now_or_never().is_none());
            assert_eq!(target.member_by_employee_id("1").is_some(), stored);
        }
    }

    #[test]
    fn a_slow_action_is_carried_out_on_the_day_on_which_its_wait_ends() {
        let clock = clock();
        let target = MockTarget::new(clock.clone());
        let member = created(&target, "1", "a@x.example");
        target.add_fault(TargetFault::Slow(DAY).always());
        let actions = [leave(&member)];
        let mut slow = Box::pin(target.apply(&actions));
        assert!(slow.as_mut().now_or_never().is_none());
        clock.advance(DAY);
        assert!(matches!(slow.now_or_never().as_deref(), Some([Outcome::Applied(_)])));
        assert_eq!(target.members()[0].closes_on, NaiveDate::from_ymd_opt(2026, 5, 2));
    }

    #[test]
    fn calls_under_way_and_oversized_batches_are_noticed() {
        let clock = clock();
        let target = MockTarget::new(clock.clone())
            .with_capabilities(|can| can.max_batch = NonZeroUsize::MIN)
            .with_fault(TargetFault::Slow(DAY).always());
        let first = [create("1", "a@x.example"), create("2", "b@x.example")];
        let second = [create("3", "c@x.example")];
        let mut both = Box::pin(join(target.apply(&first), target.apply(&second)));
        assert!(both.as_mut().now_or_never().is_none());
        clock.advance(DAY);
        let (outcomes, _) = both.now_or_never().unwrap();
        assert!(matches!(outcomes[..], [Outcome::Applied(_), Outcome::NotAttempted(_)]));
        assert_eq!(target.most_in_flight(), 2);
        assert_eq!(target.log().len(), 2);
    }

    #[test]
    fn calls_that_were_answered_or_dropped_are_no_longer_under_way() {
        let target = MockTarget::new(clock()).with_fault(TargetFault::Slow(DAY).on_nth(2));
        let actions = [create("1", "a@x.example")];
        run(target.apply(&actions));
        assert!(target.apply(&actions).now_or_never().is_none());
        run(target.apply(&actions));
        assert_eq!(target.most_in_flight(), 1);
    }

    #[test]
    fn cleared_faults_strike_no_more() {
        let target = MockTarget::new(clock()).with_fault(TargetFault::ConflictOne.always());
        assert!(matches!(apply(&target, create("1", "a@x.example")), Outcome::Conflict(_)));
        target.clear_faults();
        created(&target, "1", "a@x.example");
    }

    #[test]
    fn actions_without_their_member_are_rejected() {
        let target = MockTarget::new(clock());
        let unnamed = sample_action("1", None, ActionKind::Update { changes: Attributes::new() });
        assert!(matches!(apply(&target, unnamed), Outcome::Rejected(_)));
        assert!(matches!(apply(&target, leave(&"gone".into())), Outcome::Rejected(_)));
    }
}
