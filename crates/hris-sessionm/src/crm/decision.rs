//! Decisions, each with the reason for it.

use std::fmt;

use hris_core::FieldProblem;

use super::CrmChange;
use crate::Effect;

/// What is to be done about something that happened in the CRM or on the agent's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Nothing, for this reason.
    Nothing(Reason),
    /// This.
    Do(Box<Plan>),
}

/// What is to be done, in this order: the effect is prepared and committed, then the record is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What to change in SessionM.
    pub effect: Option<Effect>,
    /// What to write to the record, once the effect is done.
    pub write_back: Option<CrmChange>,
    /// Why.
    pub reason: Reason,
    /// Mapped fields that could not be used. The others are.
    pub problems: Vec<FieldProblem>,
}

impl Decision {
    /// Why it was decided so.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Nothing(reason) => reason,
            Self::Do(plan) => &plan.reason,
        }
    }

    /// What is to be done, if anything.
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Nothing(_) => None,
            Self::Do(plan) => Some(plan),
        }
    }

    /// The change of SessionM, if there is one.
    pub fn effect(&self) -> Option<&Effect> {
        self.plan()?.effect.as_ref()
    }

    /// The change of the record, if there is one.
    pub fn write_back(&self) -> Option<&CrmChange> {
        self.plan()?.write_back.as_ref()
    }

    pub(super) fn send(
        effect: Effect,
        write_back: Option<CrmChange>,
        reason: Reason,
        problems: Vec<FieldProblem>,
    ) -> Self {
        Self::Do(Box::new(Plan { effect: Some(effect), write_back, reason, problems }))
    }

    pub(super) fn write(change: CrmChange, reason: Reason, problems: Vec<FieldProblem>) -> Self {
        Self::Do(Box::new(Plan { effect: None, write_back: Some(change), reason, problems }))
    }
}

/// Why something was decided. `Display` says it in words, without anybody's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Records of this kind have no customers.
    OtherObject,
    /// *Sync Customer Changes* is off.
    SyncIsOff,
    /// None of the changed fields is mapped.
    NotMapped,
    /// Every mapped field is the same on both sides.
    AlreadyEqual,
    /// The change is our own write to the record.
    OwnWrite,
    /// The record has no key by which customers are looked up.
    NoKey,
    /// *Auto Sync from SessionM* is off, and nobody asked.
    AutoSyncIsOff,
    /// There is no such customer, and records are not sent by themselves.
    NotEnrolled,
    /// The customer takes part already.
    AlreadyEnrolled,
    /// *Merge in SessionM on Parent Merge* is off.
    MergeIsOff,
    /// One of the merged records has no key by which customers are looked up.
    MergedWithoutKey,
    /// The surviving record has the key of neither of the two.
    KeyOfNeither,
    /// Both records lead to one customer.
    SameCustomer,
    /// A new record makes a new customer.
    RecordCreated,
    /// A record was changed.
    RecordEdited,
    /// An agent saved the profile.
    ProfileSaved,
    /// A customer is created for a record, since there is none and records are sent by themselves.
    CustomerMissing,
    /// An agent enrolled the customer.
    AgentEnrolled,
    /// *Auto Sync from SessionM* is on.
    ShownWithAutoSync,
    /// An agent asked for SessionM's data.
    AgentSynced,
    /// The records were merged.
    RecordsMerged,
    /// After a merge the surviving record's fields are sent.
    SurvivorSent,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherObject => "not sent: customers belong to another kind of record",
            Self::SyncIsOff => "not sent: Sync Customer Changes is off; an agent can enrol by hand",
            Self::NotMapped => "not sent: no changed field is mapped",
            Self::AlreadyEqual => "nothing to do: both sides are alike",
            Self::OwnWrite => "not sent: the change came from SessionM",
            Self::NoKey => "not sent: the record has no key by which customers are looked up",
            Self::AutoSyncIsOff => {
                "not synced: Auto Sync from SessionM is off; an agent can press Sync from SM"
            }
            Self::NotEnrolled => "not enrolled: there is no such customer and Sync Customer Changes is off",
            Self::AlreadyEnrolled => "nothing to do: the customer takes part already",
            Self::MergeIsOff => "not merged: Merge in SessionM on Parent Merge is off",
            Self::MergedWithoutKey => "not merged: a record has no key by which customers are looked up",
            Self::KeyOfNeither => "not merged: the surviving record has the key of neither record",
            Self::SameCustomer => "not merged: both records lead to one customer",
            Self::RecordCreated => "sent: the record is new",
            Self::RecordEdited => "sent: mapped fields of the record changed",
            Self::ProfileSaved => "sent: an agent saved the profile",
            Self::CustomerMissing => "created: there was no such customer and Sync Customer Changes is on",
            Self::AgentEnrolled => "enrolled: an agent asked for it",
            Self::ShownWithAutoSync => "synced: Auto Sync from SessionM is on",
            Self::AgentSynced => "synced: an agent asked for it",
            Self::RecordsMerged => "merged: the records were merged",
            Self::SurvivorSent => "sent: the surviving record's fields after the merge",
        })
    }
}
