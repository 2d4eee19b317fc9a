//! Plans: what a run intends to do, bound to what it was made from, before anything is done.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::keys::{Digester, Fingerprinter, KeyId, Print, Prints};
use crate::{
    AccountId, ActionId, Attributes, ConnectionKey, EmployeeId, EmployeeRef, MappingVersion, MemberId,
    PlanId, RecordIdKind, Result, RunId, TargetField, Watermark,
};

/// A read view of a plan: fresh, held, or made by a dry run.
pub trait ProvisioningPlan: fmt::Debug + Send + Sync {
    /// What the plan was made from, its verdict and digest.
    fn header(&self) -> &PlanHeader;

    /// Counts of what it intends.
    fn summary(&self) -> &PlanSummary {
        &self.header().summary
    }

    /// The actions in the order in which they are carried out, from the one after `after`.
    fn actions(&self, after: Option<&Position>) -> BoxStream<'_, Result<Action>>;
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn ProvisioningPlan>) = drop;

/// What a plan was made from, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanHeader {
    /// The plan.
    pub id: PlanId,
    /// Whose plan it is. Applying it for another connection is refused.
    pub connection: ConnectionKey,
    /// The run that made it.
    pub run: RunId,
    /// What was read for it.
    pub reading: ReadingSummary,
    /// The mapping it was made with.
    pub mapping: MappingVersion,
    /// The policy it was made with: a digest.
    pub policy: String,
    /// The key of its digest and fingerprints.
    pub key: KeyId,
    /// The calendar date for which it was evaluated.
    pub as_of: NaiveDate,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when it is refused.
    pub expires_at: DateTime<Utc>,
    /// Whether no earlier run of this connection was ever applied.
    pub first_import: bool,
    /// Counts of what it intends.
    pub summary: PlanSummary,
    /// May it be applied?
    pub verdict: Verdict,
    /// The earliest day on which a leaver, of this plan or of an earlier one, is deleted beyond return, where the target
    /// tells.
    pub irreversible_from: Option<NaiveDate>,
    /// Digest over all of the above and every action; an altered plan does not fit it.
    pub digest: String,
}

/// The parts of a header that are known when planning starts.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is described in PlanHeader")]
pub struct PlanOrigin {
    pub id: PlanId,
    pub connection: ConnectionKey,
    pub run: RunId,
    pub reading: ReadingSummary,
    pub mapping: MappingVersion,
    pub policy: String,
    pub as_of: NaiveDate,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub first_import: bool,
}

impl PlanHeader {
    /// A header without its digest: see [`PlanHeader::digester`].
    pub fn new(
        origin: PlanOrigin,
        summary: PlanSummary,
        verdict: Verdict,
        irreversible_from: Option<NaiveDate>,
        key: KeyId,
    ) -> Self {
        Self {
            id: origin.id,
            connection: origin.connection,
            run: origin.run,
            reading: origin.reading,
            mapping: origin.mapping,
            policy: origin.policy,
            key,
            as_of: origin.as_of,
            created_at: origin.created_at,
            expires_at: origin.expires_at,
            first_import: origin.first_import,
            summary,
            verdict,
            irreversible_from,
            digest: String::new(),
        }
    }

    /// Starts the digest that header and actions ought to have. Feed it the id of every action in order of
    /// position; what [`Digester::finish`] answers is the plan's digest.
    pub fn digester(&self, fingerprinter: &Fingerprinter) -> Digester {
        let unsigned = Self { digest: String::new(), ..self.clone() };
        let mut digester = fingerprinter.digester();
        // Serialising a struct of texts, numbers and dates into memory has no way to fail.
        digester.add(&serde_json::to_vec(&unsigned).unwrap_or_default());
        digester
    }
}

/// The reading that a plan was made from, as far as later runs need to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingSummary {
    /// The account that was read.
    pub account: AccountId,
    /// The kind of its record ids.
    pub record_id_kind: RecordIdKind,
    /// Distinct people, if everyone was read to the end; later readings are held against this number.
    pub full: Option<u64>,
    /// Where the next incremental reading starts.
    pub watermark: Option<Watermark>,
}

/// Counts of what a plan intends and of what kept rows out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanSummary {
    /// Distinct people read.
    pub read: u64,
    /// New members.
    pub create: u64,
    /// Existing members found and linked.
    pub adopt: u64,
    /// Known members with differing attributes.
    pub update: u64,
    /// Leavers.
    pub leave: u64,
    /// Members whose account is closed before they ever started, since their hire was rescinded. They are no leavers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withdraw: u64,
    /// Leavers who come back.
    pub reactivate: u64,
    /// Of those updated or brought back, how many first go to a temporary value, since they hand on a unique one in a
    /// circle: an action more for each.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub park: u64,
    /// Known members equal to their employee.
    pub unchanged: u64,
    /// People for whom there is nothing to do (inactive and unknown, pending, …).
    pub ignored: u64,
    /// People outside the connection's scope who are no active members.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub out_of_scope: u64,
    /// People whose action is not allowed by the policy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blocked: u64,
    /// People kept out by a problem.
    pub problems: u64,
    /// Warnings beside that.
    pub warnings: u64,
    /// Known people who are not in the complete listing.
    pub missing: u64,
    /// Invitations that the creates will cause.
    pub invitations: u64,
    /// Linked active members before the run, on which the limits are computed.
    pub linked_active: u64,
}

impl PlanSummary {
    /// How many actions there are.
    pub fn actions(&self) -> u64 {
        self.create + self.adopt + self.update + self.closing() + self.reactivate + self.park
    }

    /// Accounts that are closed, which is what the guard on leavers counts.
    pub fn closing(&self) -> u64 {
        self.leave + self.withdraw
    }
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} read: {} create ({} invited), {} adopt, {} update, {} leave, {} reactivate, {} unchanged, {} ignored, \
             {} with problems, {} missing",
            self.read,
            self.create,
            self.invitations,
            self.adopt,
            self.update,
            self.leave,
            self.reactivate,
            self.unchanged,
            self.ignored,
            self.problems,
            self.missing
        )?;
        if self.withdraw > 0 {
            write!(f, ", {} withdrawn before their start", self.withdraw)?;
        }
        if self.park > 0 {
            write!(f, ", {} on a temporary value in between", self.park)?;
        }
        if self.blocked > 0 {
            write!(f, ", {} blocked", self.blocked)?;
        }
        if self.out_of_scope > 0 {
            write!(f, ", {} out of scope", self.out_of_scope)?;
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Whether a plan may be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Ready,
    /// A guard holds it, for these reasons. Nothing of it is applied until it is released by digest.
    Held(Vec<HoldReason>),
}

/// Why a guard holds a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HoldReason {
    /// More leavers than the limit allows.
    TooManyLeavers {
        /// Leavers planned.
        planned: u64,
        /// Leavers allowed in one run.
        limit: u64,
    },
    /// More creates than the limit allows.
    TooManyCreates {
        /// Creates planned.
        planned: u64,
        /// Creates allowed in one run.
        limit: u64,
    },
    /// More changed e-mail addresses than the limit allows.
    TooManyEmailChanges {
        /// Changes planned.
        planned: u64,
        /// Changes allowed in one run.
        limit: u64,
    },
    /// More changed Employee IDs than the limit allows.
    TooManyReKeys {
        /// Changes planned.
        planned: u64,
        /// Changes allowed in one run.
        limit: u64,
    },
    /// An attribute would be emptied for more members than the limit allows.
    FieldEmptied {
        /// The attribute.
        field: TargetField,
        /// Members for whom it would be emptied.
        planned: u64,
        /// Members for whom one attribute may be emptied in one run.
        limit: u64,
    },
    /// The source delivered nobody although it had people before.
    EmptySource {
        /// People in the last complete reading.
        before: u64,
    },
    /// The source shrank by more than the limit since the last complete reading.
    ShrunkSource {
        /// People in the last complete reading.
        before: u64,
        /// People now.
        now: u64,
    },
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyLeavers { planned, limit } => {
                write!(f, "{planned} people would leave, at most {limit} may in one run")
            }
            Self::TooManyCreates { planned, limit } => {
                write!(f, "{planned} members would be created, at most {limit} may in one run")
            }
            Self::TooManyEmailChanges { planned, limit } => {
                write!(f, "{planned} e-mail addresses would change, at most {limit} may in one run")
            }
            Self::TooManyReKeys { planned, limit } => {
                write!(f, "{planned} Employee IDs would change, at most {limit} may in one run")
            }
            Self::FieldEmptied { field, planned, limit } => {
                write!(
                    f,
                    "{field} would be emptied for {planned} members, at most for {limit} it may in one run"
                )
            }
            Self::EmptySource { before } => {
                write!(f, "the HR system delivered nobody, last time it had {before} people")
            }
            Self::ShrunkSource { before, now } => {
                write!(f, "the directory shrank from {before} to {now} people")
            }
        }
    }
}

/// Where an action stands in the order of its plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Lower ranks go first.
    pub rank: u32,
    /// Equal ranks go by id.
    pub id: ActionId,
}

/// One intended change of one member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Action {
    /// Digest of everything below but the rank: the same action planned again has the same id.
    pub id: ActionId,
    /// Lower ranks go first, so that what frees a unique value goes before what takes it.
    pub rank: u32,
    /// The employee it is about.
    pub person: EmployeeRef,
    /// The member it changes; `None` for a create.
    pub member: Option<MemberId>,
    /// What to do.
    pub kind: ActionKind,
    /// What must still hold about the link when it is carried out.
    pub expects: Expectation,
    /// What the link becomes once it is done.
    pub after: LinkAfter,
}

impl Action {
    /// An action with its id computed.
    pub fn new(
        fingerprinter: &Fingerprinter,
        person: EmployeeRef,
        member: Option<MemberId>,
        kind: ActionKind,
        expects: Expectation,
        after: LinkAfter,
    ) -> Self {
        let mut action =
            Self { id: ActionId::from(""), rank: kind.rank(), person, member, kind, expects, after };
        action.id = action.expected_id(fingerprinter);
        action
    }

    /// The id that this content ought to have; another means that the action was altered.
    pub fn expected_id(&self, fingerprinter: &Fingerprinter) -> ActionId {
        let content = (&self.person, &self.member, &self.kind, &self.expects, &self.after);
        // Serialising texts, numbers and dates into memory has no way to fail.
        let content = serde_json::to_vec(&content).unwrap_or_default();
        let mut digester = fingerprinter.digester();
        digester.add(&content);
        ActionId::from(digester.finish())
    }

    /// Where it stands in the order of its plan.
    pub fn position(&self) -> Position {
        Position { rank: self.rank, id: self.id.clone() }
    }
}

/// What an action does. Kinds are added over time: treat an unknown one as "cannot be carried out here".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// Creates a member.
    Create {
        /// Everything that is mapped and present.
        attributes: Attributes,
        /// Whether the person is invited.
        invite: bool,
    },
    /// Links a member that was there already, and puts its attributes right. Nobody is invited.
    Adopt {
        /// The attributes that differ.
        changes: Attributes,
        /// Whether the account has to be opened again.
        reopen: bool,
    },
    /// Changes a known member, silently.
    Update {
        /// The attributes that differ.
        changes: Attributes,
    },
    /// Gives a known member a temporary unique value for a moment, so that others can take over the one it has; its
    /// update or return follows in the same plan. Silent.
    Park {
        /// The temporary values, made from what the target allows ([`crate::Parking`]).
        changes: Attributes,
    },
    /// Marks a member as a leaver; the platform's close-down follows. Nothing is ever deleted by us.
    Leave {
        /// Why.
        reason: LeaveReason,
        /// The earliest day of irreversible deletion, where the target tells.
        irreversible_from: Option<NaiveDate>,
    },
    /// Opens a leaver's account again, silently.
    Reactivate {
        /// The attributes that differ.
        changes: Attributes,
    },
}

impl ActionKind {
    /// Ranks below this are for actions that free a unique value which another one takes.
    pub const FIRST_ORDINARY_RANK: u32 = 1 << 16;

    fn rank(&self) -> u32 {
        let order = match self {
            // Before everything else: others wait for what it frees.
            Self::Park { .. } => return 0,
            Self::Create { .. } => 0,
            Self::Adopt { .. } => 1,
            Self::Update { .. } => 2,
            Self::Reactivate { .. } => 3,
            Self::Leave { .. } => 4,
        };
        Self::FIRST_ORDINARY_RANK + order
    }

    /// The word for reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Adopt { .. } => "adopt",
            Self::Update { .. } => "update",
            Self::Park { .. } => "park",
            Self::Leave { reason: LeaveReason::Withdrawn, .. } => "withdraw",
            Self::Leave { .. } => "leave",
            Self::Reactivate { .. } => "reactivate",
        }
    }

    /// The attributes it writes.
    pub fn changes(&self) -> Option<&Attributes> {
        match self {
            Self::Create { attributes: changes, .. }
            | Self::Adopt { changes, .. }
            | Self::Update { changes }
            | Self::Park { changes }
            | Self::Reactivate { changes } => Some(changes),
            Self::Leave { .. } => None,
        }
    }
}

/// On which ground somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeaveReason {
    /// The employment status is inactive.
    Status,
    /// The vendor reports the record as deleted, and is trusted in this.
    Deleted,
    /// Absent from complete listings and confirmed by a read of that very person.
    Absent,
    /// The last day is over where the person works, where the policy lets the end date decide.
    EndDate,
    /// Outside the connection's scope, where the policy makes leavers of those.
    LeftScope,
    /// The hire was rescinded, or the person never came, before the first day. The account is closed as any other, but
    /// nobody is told good-bye: the person is no leaver.
    Withdrawn,
}

/// What an action expects of its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// The record is not linked.
    Unlinked,
    /// The record is linked, in this state and with these fingerprints.
    Linked {
        /// State of the link.
        state: LinkState,
        /// Fingerprint over all attributes.
        row: Print,
    },
}

/// What a link becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkAfter {
    /// The member's key.
    pub employee_id: EmployeeId,
    /// State of the link.
    pub state: LinkState,
    /// Fingerprint under which the e-mail address is matched; none while the address is unknown.
    pub email: Option<Print>,
    /// Fingerprints of the attributes.
    pub prints: Prints,
}

/// Whether a linked member is in or has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// The account is open.
    Active,
    /// The account was closed.
    Leaver {
        /// The earliest day of irreversible deletion, where the target told.
        irreversible_from: Option<NaiveDate>,
    },
}

impl LinkState {
    /// Whether the account is open.
    pub fn is_active(&self) -> bool {
        *self == Self::Active
    }
}
