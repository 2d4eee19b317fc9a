//! What the planner wants for one person, and what it remembers of them.

use hris_core::keys::Print;
use hris_core::{Attributes, EmployeeRef, LeaveReason, RuleCode};

use crate::comparison::Ordinal;

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
    /// Attributes that the member was found to have otherwise than last written.
    pub(crate) drifted: u64,
    pub(crate) email: Option<Print>,
    /// Why a leaver leaves.
    pub(crate) leave_reason: LeaveReason,
}

impl Draft {
    /// What becomes of its person.
    pub(crate) fn fate(&self) -> Fate {
        match self.intent {
            Intent::Create { .. } => Fate::Create,
            Intent::Update => Fate::Update,
            Intent::Leave => Fate::closing(self.leave_reason),
            Intent::Reactivate => Fate::Reactivate,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Create { known: bool },
    Update,
    Leave,
    Reactivate,
}

/// A value that only one member can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Unique {
    EmployeeId,
    Email,
}

impl Unique {
    /// The first in order.
    pub(crate) const FIRST: Self = Self::EmployeeId;
}

/// What became of a person in this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Unseen,
    Unchanged,
    Ignored,
    OutOfScope,
    Blocked,
    Create,
    Adopt,
    Update,
    Leave,
    Withdraw,
    Reactivate,
    Problem,
}

impl Fate {
    /// Of somebody whose account is closed.
    pub(crate) fn closing(reason: LeaveReason) -> Self {
        if reason == LeaveReason::Withdrawn { Self::Withdraw } else { Self::Leave }
    }
}

/// What is remembered per person; 24 bytes.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other, kept small")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Person {
    /// Of a known person: fingerprint of the address as last written. 0: none.
    pub(super) old_email: u64,
    /// Modification stamp of the row that was taken, in seconds since 1970. 0: none.
    pub(super) stamp: u32,
    pub(super) fate: Fate,
    pub(super) status: u8,
    pub(super) leaver: bool,
    /// Its only row so far could not be read.
    pub(super) unreadable: bool,
    /// Two rows of this record differed, which is reported once.
    pub(super) repeated: bool,
    /// The manager is named by the record of a known person.
    pub(super) names_known: bool,
}

/// Why a person's draft is taken back, and whether that was reported.
#[derive(Clone, Debug)]
pub(super) struct Contest {
    pub(super) rule: RuleCode,
    pub(super) reported: bool,
}
