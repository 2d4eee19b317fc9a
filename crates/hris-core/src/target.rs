//! The writing side: a rewards platform on which members are created, changed and closed.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use crate::{
    Action, Attributes, Email, EmployeeId, Error, MemberId, MemberRecord, Parking, Result, TargetField,
};

/// A rewards platform.
///
/// # Contract
///
/// * [`ProvisioningTarget::apply`] answers one outcome per action, in order, and never more than one write per
///   action. It does not retry a write whose delivery is unknown: it answers [`Outcome::InDoubt`].
/// * A member is closed by [`crate::ActionKind::Leave`], never deleted.
/// * [`ProvisioningTarget::find`] that fails is an error; an empty answer means "there is none".
/// * Dropping a future cancels it; what was sent stays sent, which is why the caller journals first.
#[async_trait]
pub trait ProvisioningTarget: fmt::Debug + Send + Sync + 'static {
    /// What this platform can do.
    fn capabilities(&self) -> TargetCapabilities;

    /// Every member that matches the query: none, one, or several (a conflict for the caller to see).
    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>>;

    /// Every member, where the platform can list ([`TargetCapabilities::lists`]).
    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        None
    }

    /// Which of some attributes refer to members who are not on the platform, so that it could not store them now. Where
    /// it cannot be told, the member counts as missing.
    ///
    /// The engine asks before it plans an update that could write nothing else, so that whoever waits for such a member
    /// is no update again and again. Platforms that keep references as plain values have none, as the default says.
    async fn awaited(&self, attributes: &Attributes) -> Vec<Awaited> {
        let _ = attributes;
        Vec::new()
    }

    /// Carries out actions, at most [`TargetCapabilities::max_batch`] of them.
    async fn apply(&self, actions: &[Action]) -> Vec<Outcome>;
}

/// How to look for a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemberQuery {
    /// By the platform's own id.
    Id(MemberId),
    /// By Employee ID, exactly.
    EmployeeId(EmployeeId),
    /// By e-mail address, without regard to case.
    Email(Email),
}

/// Who invites a new member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Invitations {
    /// The platform cannot; a notifier of the application may.
    #[default]
    Never,
    /// The platform invites whenever an account is created, asked or not.
    AlwaysOnCreate,
    /// The platform invites those creates that ask for it.
    PerRecord,
}

/// What a platform can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetCapabilities {
    /// Who invites.
    pub invitations: Invitations,
    /// Whether [`ProvisioningTarget::roster`] lists members.
    pub lists: bool,
    /// How many actions one call takes.
    pub max_batch: NonZeroUsize,
    /// How many calls may be under way at once.
    pub max_in_flight: NonZeroUsize,
    /// Days from a leaver's close-down to irreversible deletion, where known.
    pub close_down_days: Option<u32>,
    /// Temporary values for members who hand on a unique value in a circle, where the application allows any. Without
    /// them such people are held.
    pub parking: Option<Parking>,
}

impl Default for TargetCapabilities {
    fn default() -> Self {
        Self {
            invitations: Invitations::Never,
            lists: false,
            max_batch: NonZeroUsize::MIN,
            max_in_flight: NonZeroUsize::MIN,
            close_down_days: None,
            parking: None,
        }
    }
}

/// An attribute that refers to a member who is not on the platform: a manager who comes later, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Awaited {
    /// The attribute.
    pub field: TargetField,
    /// The Employee ID of the member that it refers to.
    pub employee_id: EmployeeId,
}

impl Awaited {
    /// An attribute that waits for the member with this Employee ID.
    pub fn new(field: TargetField, employee_id: EmployeeId) -> Self {
        Self { field, employee_id }
    }
}

/// What became of one action.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was carried out.
    Applied(MemberId),
    /// The member was already as intended; nothing was written.
    AlreadySo(MemberId),
    /// It was carried out but for attributes that the platform cannot store yet, since they refer to members who are not
    /// there. Nobody is held up by that. The engine sends these attributes again when the plan has come to its end, and
    /// keeps no fingerprint for them until they are stored, so that later runs send them as well.
    Partly {
        /// The member.
        member: MemberId,
        /// What was left out.
        without: Vec<TargetField>,
    },
    /// The platform refuses this record: a rule of its own, a bad value.
    Rejected(Error),
    /// Something else holds the unique value, or the member's version moved.
    Conflict(Error),
    /// It cannot be told whether it was carried out.
    InDoubt(Error),
    /// It was not sent; trying later may help.
    NotAttempted(Error),
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: ProvisioningTarget + ?Sized> ProvisioningTarget for Arc<T> {
    fn capabilities(&self) -> TargetCapabilities {
        (**self).capabilities()
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        (**self).find(query).await
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        (**self).roster()
    }

    async fn awaited(&self, attributes: &Attributes) -> Vec<Awaited> {
        (**self).awaited(attributes).await
    }

    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        (**self).apply(actions).await
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn ProvisioningTarget>) = drop;
