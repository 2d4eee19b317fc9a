//! Leavers who can still be brought back: whose accounts are closed and not deleted yet.

use chrono::NaiveDate;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::store::Link;
use hris_core::{EmployeeRef, LinkState, MemberId, Result};

use crate::engine::Engine;

/// Somebody whose account is closed and not deleted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaver {
    /// The employee, by the keys of the HR system.
    pub person: EmployeeRef,
    /// The closed member.
    pub member: MemberId,
    /// The earliest day on which the platform deletes the account; none where it never does, or does not tell.
    pub irreversible_from: Option<NaiveDate>,
}

impl Engine {
    /// Everybody whose account is closed and can still be opened again on a day, in any order. A wrong leaver is cheap
    /// to undo until then, so that a list of them belongs in front of somebody's eyes every day.
    ///
    /// # Errors
    /// Those of the store.
    pub fn leavers(&self, as_of: NaiveDate) -> BoxStream<'static, Result<Leaver>> {
        let parts = self.parts();
        let links = parts.store.links(&parts.connection);
        let leavers = links.map_ok(move |batch| {
            stream::iter(batch.into_iter().filter_map(move |link| leaver(link, as_of).map(Ok)))
        });
        leavers.try_flatten().boxed()
    }
}

fn leaver(link: Link, as_of: NaiveDate) -> Option<Leaver> {
    let LinkState::Leaver { irreversible_from } = link.state else { return None };
    let person = link.person();
    let can_return = irreversible_from.is_none_or(|day| as_of < day);
    can_return.then_some(Leaver { person, member: link.member, irreversible_from })
}
