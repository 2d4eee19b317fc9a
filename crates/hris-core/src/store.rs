//! The store ports: leases, links, checkpoints, overrides, plans with their journal, run history, and how all of it ends.
//! Async, batch-wise, transactional.
//!
//! Every write under a lease carries its fencing token, so that a worker who lost its lease can change nothing: a
//! token that is not the newest, or whose lease was given back, is refused with [`crate::ErrorKind::Leased`]. A
//! store has no clock of its own, so a lease that ran out still writes until somebody takes it over.
//! Each method is one transaction: it happens whole or not at all.

mod checkpoint;
mod overrides;
mod retention;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::keys::{KeyId, Print, Prints};
use crate::{
    AccountId, Action, ActionId, ActionKind, Attributes, ConnectionKey, EmployeeId, EmployeeRef, Expectation,
    LinkState, MappingVersion, MemberId, PlanHeader, PlanId, Position, Problem, RecordId, RecordIdKind,
    Result, RunId, RunReport, TenantId, Watermark,
};

pub use checkpoint::{Checkpoint, Checkpoints, Missing, OpenClaim};
pub use overrides::{Override, Overrides, Until};
pub use retention::{Purged, Retention};

/// Everything an engine needs of a store. Implemented for whatever implements the parts.
pub trait StateStore: Leases + Links + Checkpoints + Overrides + Plans + Runs + Retention {}

impl<T> StateStore for T where T: Leases + Links + Checkpoints + Overrides + Plans + Runs + Retention + ?Sized {}

/// The right to write for one connection, until it expires or is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The connection.
    pub connection: ConnectionKey,
    /// Who holds it: the run.
    pub holder: RunId,
    /// Grows with every acquisition; writes with an older token are refused.
    pub token: u64,
    /// From when others may take it.
    pub expires_at: DateTime<Utc>,
}

impl Lease {
    /// A lease as a store granted it.
    pub fn new(connection: ConnectionKey, holder: RunId, token: u64, expires_at: DateTime<Utc>) -> Self {
        Self { connection, holder, token, expires_at }
    }
}

/// One lease per connection.
#[async_trait]
pub trait Leases: fmt::Debug + Send + Sync + 'static {
    /// Takes the lease if nobody holds it, its holder's time is over, or the same run holds it already.
    /// Otherwise [`crate::ErrorKind::Leased`].
    async fn acquire(
        &self,
        connection: &ConnectionKey,
        holder: &RunId,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Lease>;

    /// Prolongs the lease; [`crate::ErrorKind::Leased`] if it was taken over.
    async fn renew(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease>;

    /// Gives the lease back. Giving back a lease that was taken over does nothing.
    async fn release(&self, lease: &Lease) -> Result<()>;
}

/// The link between an employee record and a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// The vendor's record.
    pub record: RecordId,
    /// The key of the member.
    pub employee_id: EmployeeId,
    /// The platform's id of the member.
    pub member: MemberId,
    /// In or left.
    pub state: LinkState,
    /// Fingerprint under which the e-mail address is matched.
    pub email: Option<Print>,
    /// Fingerprints of the attributes as last written.
    pub prints: Prints,
}

impl Link {
    /// A link.
    pub fn new(
        record: RecordId,
        employee_id: EmployeeId,
        member: MemberId,
        state: LinkState,
        email: Option<Print>,
        prints: Prints,
    ) -> Self {
        Self { record, employee_id, member, state, email, prints }
    }

    /// The person, by the keys under which they were last seen.
    pub fn person(&self) -> EmployeeRef {
        EmployeeRef { record: self.record.clone(), employee_id: Some(self.employee_id.clone()) }
    }
}

/// What a connection remembers between runs, beside its links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Baseline {
    /// The account that the connection was made for.
    pub account: AccountId,
    /// The kind of its record ids.
    pub record_id_kind: RecordIdKind,
    /// The key of the fingerprints.
    pub key: KeyId,
    /// The mapping of the last applied run.
    pub mapping: MappingVersion,
    /// Distinct people in the last complete reading.
    pub last_complete: Option<u64>,
    /// The watermark of the last applied reading, as its receipt had it. Where the next reading starts is said by the
    /// [`Checkpoint`].
    pub watermark: Option<Watermark>,
}

impl Baseline {
    /// What is pinned when a connection is first applied.
    pub fn new(
        account: AccountId,
        record_id_kind: RecordIdKind,
        key: KeyId,
        mapping: MappingVersion,
    ) -> Self {
        Self { account, record_id_kind, key, mapping, last_complete: None, watermark: None }
    }
}

/// Links and the baseline of a connection.
#[async_trait]
pub trait Links: fmt::Debug + Send + Sync + 'static {
    /// What the connection remembers; `None` before its first applied run.
    async fn baseline(&self, connection: &ConnectionKey) -> Result<Option<Baseline>>;

    /// Replaces what the connection remembers.
    async fn set_baseline(&self, lease: &Lease, baseline: &Baseline) -> Result<()>;

    /// Every link of the connection, in batches, in any order.
    fn links(&self, connection: &ConnectionKey) -> BoxStream<'static, Result<Vec<Link>>>;

    /// The links of some records, in the order asked for.
    async fn links_of(&self, connection: &ConnectionKey, records: &[RecordId]) -> Result<Vec<Option<Link>>>;

    /// The links that lead to some members, in the order asked for. A member has at most one.
    async fn links_to(&self, connection: &ConnectionKey, members: &[MemberId]) -> Result<Vec<Option<Link>>>;

    /// Writes links without a plan: for whoever carries changes out by other means, or brings links along from
    /// elsewhere. Each takes the place of its record's link and of any other record's link to its member.
    ///
    /// A store that offers no such thing answers [`crate::ErrorKind::Unsupported`], as the default does.
    async fn put_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        let _ = (lease, links);
        Err(crate::Error::unsupported("this store writes links with the outcomes of actions only"))
    }

    /// Lays links aside for [`Links::put_staged_links`], batch by batch, so that whoever reads a long listing need not hold
    /// them all. Nobody sees them. They belong to this acquisition of the lease: a later one begins with none, and none
    /// outlive the store's last handle.
    ///
    /// A store that offers no such thing answers [`crate::ErrorKind::Unsupported`], as the default does.
    async fn stage_links(&self, lease: &Lease, links: &[Link]) -> Result<()> {
        let _ = (lease, links);
        Err(crate::Error::unsupported("this store lays no links aside"))
    }

    /// Writes every link that was laid aside under this lease, as one [`Links::put_links`] would, and answers how many
    /// there were. None are laid aside afterwards.
    ///
    /// A store that offers no such thing answers [`crate::ErrorKind::Unsupported`], as the default does.
    async fn put_staged_links(&self, lease: &Lease) -> Result<u64> {
        let _ = lease;
        Err(crate::Error::unsupported("this store lays no links aside"))
    }
}

/// Where an action of a stored plan stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum ActionState {
    /// Not begun.
    Pending,
    /// Written down as about to be sent: after a crash it must be read back before it is repeated.
    Begun,
    /// Carried out, or found to be so already.
    Done,
    /// Ended without effect; the problem says why.
    Failed(Problem),
    /// It cannot be told whether it took effect; the problem has the evidence.
    Uncertain(Problem),
}

impl ActionState {
    /// Whether nothing more will happen to the action in this plan.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_) | Self::Uncertain(_))
    }
}

/// An action with its state. Once the state is final, a store keeps none of the action's values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredAction {
    /// The action.
    pub action: Action,
    /// Its state.
    pub state: ActionState,
}

impl StoredAction {
    /// An action with its state.
    pub fn new(action: Action, state: ActionState) -> Self {
        Self { action, state }
    }

    /// Takes out every value and every fingerprint, as a store does once the action or its plan is final.
    ///
    /// What stays says which action it was: id, rank, person, member, the kind with its flags, reason and dates,
    /// and the states of the link. The id no longer fits the content ([`Action::expected_id`]).
    pub fn erase(&mut self) {
        match &mut self.action.kind {
            ActionKind::Create { attributes: values, .. }
            | ActionKind::Adopt { changes: values, .. }
            | ActionKind::Update { changes: values }
            | ActionKind::Park { changes: values }
            | ActionKind::Reactivate { changes: values } => *values = Attributes::new(),
            ActionKind::Leave { .. } => {}
        }
        if let Expectation::Linked { row, .. } = &mut self.action.expects {
            *row = Print(0);
        }
        self.action.after.email = None;
        self.action.after.prints = Prints::default();
    }
}

/// The end of one action: its final state and what it does to the link, written in one transaction.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settlement {
    /// The action.
    pub action: ActionId,
    /// `Done`, `Failed`, `Uncertain`, or back to `Pending` where it was provably not sent.
    pub state: ActionState,
    /// The link to write. It takes the place of the record's link and of any other record's link to its member.
    pub link: Option<Link>,
}

impl Settlement {
    /// The end of an action that leaves its link alone.
    pub fn new(action: ActionId, state: ActionState) -> Self {
        Self { action, state, link: None }
    }

    /// An action that was carried out, with the link that it leads to.
    pub fn done(action: ActionId, link: Link) -> Self {
        Self { action, state: ActionState::Done, link: Some(link) }
    }
}

/// Where a stored plan stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum PlanState {
    /// Actions are being gathered. A plan found like this after a crash is worthless.
    Draft,
    /// Sealed: waiting to be applied, or held, as its verdict says.
    Sealed,
    /// A held plan that somebody released.
    Released {
        /// Who.
        actor: String,
        /// Until when the release holds.
        until: DateTime<Utc>,
    },
    /// Being applied; after a crash it is continued.
    Applying,
    /// Every action is final.
    Applied,
    /// Given up without being applied further.
    Dismissed {
        /// Who, or which rule.
        actor: String,
    },
}

impl PlanState {
    /// Whether nothing more will happen to the plan.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Applied | Self::Dismissed { .. })
    }
}

/// A sealed plan with its state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredPlan {
    /// The header.
    pub header: PlanHeader,
    /// The state.
    pub state: PlanState,
}

impl StoredPlan {
    /// A sealed plan with its state.
    pub fn new(header: PlanHeader, state: PlanState) -> Self {
        Self { header, state }
    }
}

/// Plans, their actions and the journal of carrying them out.
///
/// # Contract
///
/// * Reads of a plan that is not there find nothing; writes to it are [`crate::ErrorKind::NotFound`].
/// * A draft takes `append`, `retract`, `rerank` and `seal`; for any other plan they are
///   [`crate::ErrorKind::Stale`].
/// * A sealed plan that is not final takes `begin` and `settle`; for any other plan they are
///   [`crate::ErrorKind::Stale`]. So they are for an action that is final already, whatever else the batch holds.
/// * A header or report of another connection than the lease's is [`crate::ErrorKind::Invalid`].
#[async_trait]
pub trait Plans: fmt::Debug + Send + Sync + 'static {
    /// Starts gathering actions under a new id. An unsealed draft of the connection is thrown away. The id of a
    /// sealed plan is [`crate::ErrorKind::Conflict`].
    async fn open_plan(&self, lease: &Lease, plan: &PlanId) -> Result<()>;

    /// Adds actions and problems to a draft. An action that is there already takes the rank given last.
    async fn append(
        &self,
        lease: &Lease,
        plan: &PlanId,
        actions: &[Action],
        problems: &[Problem],
    ) -> Result<()>;

    /// Takes actions out of a draft, since something read later contradicts them. Ids that are not in it are passed
    /// over.
    async fn retract(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()>;

    /// Changes the rank of actions in a draft. An id that is not in it is [`crate::ErrorKind::NotFound`].
    async fn rerank(&self, lease: &Lease, plan: &PlanId, ranks: &[(ActionId, u32)]) -> Result<()>;

    /// Closes a draft with its header.
    async fn seal(&self, lease: &Lease, header: &PlanHeader) -> Result<()>;

    /// A sealed plan.
    async fn plan(&self, connection: &ConnectionKey, plan: &PlanId) -> Result<Option<StoredPlan>>;

    /// The sealed plans of a connection that are not final, oldest first by the time in their header.
    async fn open_plans(&self, connection: &ConnectionKey) -> Result<Vec<StoredPlan>>;

    /// Moves a plan to another state. A move out of a final state is [`crate::ErrorKind::Stale`]. Moving to a
    /// final state erases the values of actions that were not carried out ([`StoredAction::erase`]).
    ///
    /// Dismissing a draft throws it away; its other moves are [`crate::ErrorKind::Stale`], since only
    /// [`Plans::seal`] ends a draft. A move back to a draft is [`crate::ErrorKind::Invalid`].
    async fn set_plan_state(&self, lease: &Lease, plan: &PlanId, state: &PlanState) -> Result<()>;

    /// Actions in order of position from the one after `after`, at most `limit`; also those of a draft.
    async fn actions(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<StoredAction>>;

    /// The problems that were appended, in the order appended, from number `offset`, at most `limit`.
    async fn problems(
        &self,
        connection: &ConnectionKey,
        plan: &PlanId,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<Problem>>;

    /// Writes down that actions are about to be sent. Beginning what was begun already is fine.
    async fn begin(&self, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()>;

    /// Writes down how actions ended, together with their links, and erases the values of final ones. An action
    /// need not have been begun. Settling to `Begun` is [`crate::ErrorKind::Invalid`].
    async fn settle(&self, lease: &Lease, plan: &PlanId, settlements: &[Settlement]) -> Result<()>;
}

/// The history of runs.
#[async_trait]
pub trait Runs: fmt::Debug + Send + Sync + 'static {
    /// Adds the report of a run, or replaces it if the run was reported before.
    async fn record_run(&self, lease: &Lease, report: &RunReport) -> Result<()>;

    /// Reports of a connection, newest first by the time they started, from number `offset`, at most `limit`.
    async fn runs(&self, connection: &ConnectionKey, offset: u64, limit: usize) -> Result<Vec<RunReport>>;

    /// One report.
    async fn run(&self, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunReport>>;

    /// Reports of all connections of a tenant, newest first by the time they started, from number `offset`, at most
    /// `limit`: the import history that an administrator sees.
    ///
    /// A store that cannot answers [`crate::ErrorKind::Unsupported`], as the default does.
    async fn tenant_runs(&self, tenant: &TenantId, offset: u64, limit: usize) -> Result<Vec<RunReport>> {
        let _ = (tenant, offset, limit);
        Err(crate::Error::unsupported("this store lists the runs of one connection at a time"))
    }
}

/// Does not compile if a store can no longer be used as an object.
const _: fn(Arc<dyn StateStore>) = drop;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{FieldTag, Fingerprinter};
    use crate::{LinkAfter, SecretKey, TargetField, Value};

    fn stored(kind: ActionKind) -> StoredAction {
        let key = SecretKey::new(KeyId::new("k"), [1; 32]);
        let fingerprinter = Fingerprinter::new(&key, &ConnectionKey::new("t", "c"));
        let prints = Prints::new(vec![(FieldTag(1), Print(777_001)), (FieldTag(2), Print(777_002))]);
        let expects = Expectation::Linked { state: LinkState::Active, row: Print(777_003) };
        let after = LinkAfter {
            employee_id: EmployeeId::from("7"),
            state: LinkState::Active,
            email: Some(Print(777_004)),
            prints,
        };
        let member = Some(MemberId::from("m"));
        let person = EmployeeRef::record("r");
        let action = Action::new(&fingerprinter, person, member, kind, expects, after);
        StoredAction::new(action, ActionState::Done)
    }

    #[test]
    fn an_erased_action_has_no_value_and_no_fingerprint_but_still_says_which_it_was() {
        let mut values = Attributes::new();
        values.set(TargetField::EMAIL, Some(Value::from("nerea@brisa.example")));
        let kinds = [
            ActionKind::Create { attributes: values.clone(), invite: true },
            ActionKind::Adopt { changes: values.clone(), reopen: true },
            ActionKind::Update { changes: values.clone() },
            ActionKind::Park { changes: values.clone() },
            ActionKind::Reactivate { changes: values },
        ];
        for kind in kinds {
            let full = stored(kind);
            let mut erased = full.clone();
            erased.erase();
            let json = serde_json::to_string(&erased.action).unwrap();
            assert!(!json.contains("nerea") && !json.contains("777"), "{json}");
            assert_eq!(erased.action.position(), full.action.position());
            assert_eq!(erased.action.person, full.action.person);
            assert_eq!(erased.action.member, full.action.member);
            assert_eq!(erased.action.kind.as_str(), full.action.kind.as_str());
            assert_eq!(erased.action.after.employee_id, full.action.after.employee_id);
            assert_eq!(erased.state, full.state);
        }
    }
}
