//! The journal: which actions are about to be sent, and how they ended.

use hris_core::store::{ActionState, Lease, Settlement};
use hris_core::{Action, ActionId, Error, ErrorKind, PlanId, Result};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::codec;
use crate::error::{from_sqlite, no_action, settled};
use crate::leases::ConnectionId;
use crate::links::LinkWriter;
use crate::plans::{PlanRow, live, stored_action};

pub(crate) fn begin(write: &Connection, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
    let row = live(write, lease, plan)?;
    let begun = codec::encode(&ActionState::Begun)?;
    for action in actions {
        set_state(write, &row, plan, action, Some(&begun))?;
    }
    Ok(())
}

pub(crate) fn settle(
    write: &Connection,
    lease: &Lease,
    plan: &PlanId,
    settlements: &[Settlement],
) -> Result<()> {
    let row = live(write, lease, plan)?;
    let mut links = LinkWriter::new(write, ConnectionId(row.connection))?;
    for Settlement { action, state, link, .. } in settlements {
        if *state == ActionState::Begun {
            let error = Error::new(ErrorKind::Invalid, "an action cannot be settled to `begun`");
            return Err(error.with_hint("use `begin`").with_context("action", action));
        }
        end(write, &row, plan, action, state)?;
        if let Some(link) = link {
            links.write(link)?;
        }
    }
    Ok(())
}

fn end(
    write: &Connection,
    row: &PlanRow,
    plan: &PlanId,
    action: &ActionId,
    state: &ActionState,
) -> Result<()> {
    if state.is_final() {
        return finish(write, row, plan, action, state);
    }
    let state = if *state == ActionState::Pending { None } else { Some(codec::encode(state)?) };
    set_state(write, row, plan, action, state.as_deref())
}

/// Sets the state of an action that is not final to one that is not final; `None` is pending.
fn set_state(
    write: &Connection,
    row: &PlanRow,
    plan: &PlanId,
    action: &ActionId,
    state: Option<&str>,
) -> Result<()> {
    let mut update = write
        .prepare_cached(
            "UPDATE action SET state = ?4 WHERE connection = ?1 AND plan = ?2 AND id = ?3 AND ended = 0",
        )
        .map_err(from_sqlite)?;
    let changed =
        update.execute(params![row.connection, row.id, action.as_str(), state]).map_err(from_sqlite)?;
    if changed == 0 {
        erased(write, row, plan, action)?;
    }
    Ok(())
}

fn finish(
    write: &Connection,
    row: &PlanRow,
    plan: &PlanId,
    action: &ActionId,
    state: &ActionState,
) -> Result<()> {
    let erased = erased(write, row, plan, action)?;
    let body = codec::encode_action(&erased)?;
    let mut update = write
        .prepare_cached(
            "UPDATE action SET state = ?5, ended = 1, body = ?6, prints = ?7
             WHERE connection = ?1 AND plan = ?2 AND rank = ?3 AND id = ?4",
        )
        .map_err(from_sqlite)?;
    let state = codec::encode(state)?;
    let (rank, id) = (erased.rank, erased.id.as_str());
    update
        .execute(params![row.connection, row.id, rank, id, state, body.json, body.prints])
        .map_err(from_sqlite)?;
    Ok(())
}

/// An action without its values, if it is there and not final.
fn erased(write: &Connection, row: &PlanRow, plan: &PlanId, action: &ActionId) -> Result<Action> {
    let mut select = write
        .prepare_cached(
            "SELECT rank, state, body, prints, ended FROM action WHERE connection = ?1 AND plan = ?2 AND id = ?3",
        )
        .map_err(from_sqlite)?;
    let found = select
        .query_row(params![row.connection, row.id, action.as_str()], |row| {
            Ok((row.get(4)?, stored_action(row)))
        })
        .optional();
    let (ended, stored) = found.map_err(from_sqlite)?.ok_or_else(|| no_action(plan, action))?;
    if ended {
        return Err(settled(plan, action));
    }
    let mut stored = stored?;
    stored.erase();
    Ok(stored.action)
}
