//! Drafts and sealed plans.

use chrono::{DateTime, Utc};
use hris_core::store::{ActionState, Lease, PlanState, StoredAction, StoredPlan};
use hris_core::{
    Action, ActionId, ConnectionKey, Error, ErrorKind, PlanHeader, PlanId, Position, Problem, Result,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::codec::{self, ActionBody};
use crate::error::{foreign, from_sqlite, no_action, no_plan, stale};
use crate::leases::{ConnectionId, fenced, find};

const DRAFT: i64 = 0;
const OPEN: i64 = 1;
const FINAL: i64 = 2;

const RERANK: &str = "UPDATE action SET rank = ?4 WHERE connection = ?1 AND plan = ?2 AND id = ?3";

/// How many actions are erased in one go.
const ERASED_PER_BATCH: usize = 500;

/// A plan in the file.
pub(crate) struct PlanRow {
    pub(crate) connection: i64,
    pub(crate) id: i64,
    phase: i64,
}

/// An action, encoded on the caller's side so that the borrowed one need not be copied.
pub(crate) struct NewAction {
    rank: u32,
    id: ActionId,
    body: ActionBody,
}

impl NewAction {
    pub(crate) fn of(action: &Action) -> Result<Self> {
        Ok(Self { rank: action.rank, id: action.id.clone(), body: codec::encode_action(action)? })
    }
}

fn plan_row(
    view: &Connection,
    ConnectionId(connection): ConnectionId,
    plan: &PlanId,
) -> Result<Option<PlanRow>> {
    let mut known = view
        .prepare_cached("SELECT id, phase FROM plan WHERE connection = ?1 AND name = ?2")
        .map_err(from_sqlite)?;
    known
        .query_row(params![connection, plan.as_str()], |row| {
            Ok(PlanRow { connection, id: row.get(0)?, phase: row.get(1)? })
        })
        .optional()
        .map_err(from_sqlite)
}

/// The plan of a read, which may not be there.
fn found(view: &Connection, connection: &ConnectionKey, plan: &PlanId) -> Result<Option<PlanRow>> {
    match find(view, connection)? {
        Some(connection) => plan_row(view, connection, plan),
        None => Ok(None),
    }
}

/// The plan of a write, which has to be there.
fn leased(write: &Connection, lease: &Lease, plan: &PlanId) -> Result<PlanRow> {
    plan_row(write, fenced(write, lease)?, plan)?.ok_or_else(|| no_plan(plan))
}

fn draft(write: &Connection, lease: &Lease, plan: &PlanId) -> Result<PlanRow> {
    let row = leased(write, lease, plan)?;
    match row.phase {
        DRAFT => Ok(row),
        _ => Err(stale("the plan is sealed and takes no more changes", plan)),
    }
}

/// A sealed plan that is not final.
pub(crate) fn live(write: &Connection, lease: &Lease, plan: &PlanId) -> Result<PlanRow> {
    let row = leased(write, lease, plan)?;
    match row.phase {
        OPEN => Ok(row),
        DRAFT => Err(stale("the plan is not sealed yet", plan)),
        _ => Err(stale("the plan was applied or dismissed", plan)),
    }
}

pub(crate) fn open(write: &Connection, lease: &Lease, plan: &PlanId) -> Result<()> {
    let connection = fenced(write, lease)?;
    if plan_row(write, connection, plan)?.is_some_and(|row| row.phase != DRAFT) {
        let error = Error::new(ErrorKind::Conflict, "a sealed plan has this id already");
        return Err(error.with_hint("choose a new id for each plan").with_context("plan", plan));
    }
    let ConnectionId(connection) = connection;
    write
        .execute("DELETE FROM plan WHERE connection = ?1 AND phase = ?2", [connection, DRAFT])
        .map_err(from_sqlite)?;
    write
        .execute(
            "INSERT INTO plan (connection, name, phase, state) VALUES (?1, ?2, ?3, ?4)",
            params![connection, plan.as_str(), DRAFT, codec::encode(&PlanState::Draft)?],
        )
        .map_err(from_sqlite)?;
    Ok(())
}

pub(crate) fn append(
    write: &Connection,
    lease: &Lease,
    plan: &PlanId,
    actions: &[NewAction],
    problems: &[Problem],
) -> Result<()> {
    let row = draft(write, lease, plan)?;
    for action in actions {
        append_action(write, &row, action)?;
    }
    append_problems(write, &row, problems)
}

/// An action has the same id only if it is the same, so one that is there keeps its body.
fn append_action(write: &Connection, row: &PlanRow, NewAction { rank, id, body }: &NewAction) -> Result<()> {
    let mut update = write.prepare_cached(RERANK).map_err(from_sqlite)?;
    let known = update.execute(params![row.connection, row.id, id.as_str(), rank]).map_err(from_sqlite)?;
    if known > 0 {
        return Ok(());
    }
    let mut insert = write
        .prepare_cached(
            "INSERT INTO action (connection, plan, rank, id, body, prints) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .map_err(from_sqlite)?;
    insert
        .execute(params![row.connection, row.id, rank, id.as_str(), body.json, body.prints])
        .map_err(from_sqlite)?;
    Ok(())
}

fn append_problems(write: &Connection, row: &PlanRow, problems: &[Problem]) -> Result<()> {
    let next: i64 = write
        .prepare_cached(
            "SELECT coalesce(max(number) + 1, 0) FROM problem WHERE connection = ?1 AND plan = ?2",
        )
        .and_then(|mut next| next.query_row([row.connection, row.id], |row| row.get(0)))
        .map_err(from_sqlite)?;
    let mut insert = write
        .prepare_cached("INSERT INTO problem (connection, plan, number, body) VALUES (?1, ?2, ?3, ?4)")
        .map_err(from_sqlite)?;
    for (number, problem) in (next..).zip(problems) {
        insert
            .execute(params![row.connection, row.id, number, codec::encode(problem)?])
            .map_err(from_sqlite)?;
    }
    Ok(())
}

pub(crate) fn retract(write: &Connection, lease: &Lease, plan: &PlanId, actions: &[ActionId]) -> Result<()> {
    let row = draft(write, lease, plan)?;
    let mut delete = write
        .prepare_cached("DELETE FROM action WHERE connection = ?1 AND plan = ?2 AND id = ?3")
        .map_err(from_sqlite)?;
    for action in actions {
        delete.execute(params![row.connection, row.id, action.as_str()]).map_err(from_sqlite)?;
    }
    Ok(())
}

pub(crate) fn rerank(
    write: &Connection,
    lease: &Lease,
    plan: &PlanId,
    ranks: &[(ActionId, u32)],
) -> Result<()> {
    let row = draft(write, lease, plan)?;
    let mut update = write.prepare_cached(RERANK).map_err(from_sqlite)?;
    for (action, rank) in ranks {
        let changed =
            update.execute(params![row.connection, row.id, action.as_str(), rank]).map_err(from_sqlite)?;
        if changed == 0 {
            return Err(no_action(plan, action));
        }
    }
    Ok(())
}

pub(crate) fn seal(write: &Connection, lease: &Lease, header: &PlanHeader) -> Result<()> {
    let row = draft(write, lease, &header.id)?;
    if header.connection != lease.connection {
        return Err(foreign(&lease.connection, &header.connection));
    }
    write
        .execute(
            "UPDATE plan SET phase = ?2, state = ?3, header = ?4, created_at = ?5 WHERE id = ?1",
            params![
                row.id,
                OPEN,
                codec::encode(&PlanState::Sealed)?,
                codec::encode(header)?,
                header.created_at.timestamp_micros()
            ],
        )
        .map_err(from_sqlite)?;
    Ok(())
}

pub(crate) fn get(
    view: &Connection,
    connection: &ConnectionKey,
    plan: &PlanId,
) -> Result<Option<StoredPlan>> {
    let Some(row) = found(view, connection, plan)?.filter(|row| row.phase != DRAFT) else {
        return Ok(None);
    };
    let mut statement =
        view.prepare_cached("SELECT header, state FROM plan WHERE id = ?1").map_err(from_sqlite)?;
    statement.query_row([row.id], |row| Ok(stored_plan(row))).map_err(from_sqlite)?.map(Some)
}

pub(crate) fn open_plans(view: &Connection, connection: &ConnectionKey) -> Result<Vec<StoredPlan>> {
    let Some(ConnectionId(connection)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let mut statement = view
        .prepare_cached(
            "SELECT header, state FROM plan WHERE connection = ?1 AND phase = 1 ORDER BY created_at, id",
        )
        .map_err(from_sqlite)?;
    let plans = statement.query_map([connection], |row| Ok(stored_plan(row))).map_err(from_sqlite)?;
    plans.map(|plan| plan.map_err(from_sqlite)?).collect()
}

fn stored_plan(row: &Row<'_>) -> Result<StoredPlan> {
    let header = codec::decode("header", bytes(row, 0)?.unwrap_or_default())?;
    let state = codec::decode("plan state", bytes(row, 1)?.unwrap_or_default())?;
    Ok(StoredPlan::new(header, state))
}

/// A document, borrowed from the row; `None` where there is none.
fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<&'r [u8]>> {
    let value = row.get_ref(column).map_err(from_sqlite)?;
    value.as_bytes_or_null().map_err(|error| from_sqlite(error.into()))
}

pub(crate) fn set_state(write: &Connection, lease: &Lease, plan: &PlanId, state: &PlanState) -> Result<()> {
    let row = leased(write, lease, plan)?;
    if let PlanState::Draft = state
        && row.phase != DRAFT
    {
        let error = Error::new(ErrorKind::Invalid, "a sealed plan cannot become a draft again");
        return Err(error.with_hint("open a new plan").with_context("plan", plan));
    }
    match (row.phase, state) {
        (DRAFT, PlanState::Draft) => Ok(()),
        (DRAFT, PlanState::Dismissed { .. }) => {
            write.execute("DELETE FROM plan WHERE id = ?1", [row.id]).map_err(from_sqlite)?;
            Ok(())
        }
        (DRAFT, _) => Err(stale("the plan is not sealed yet", plan)),
        (FINAL, _) if get(write, &lease.connection, plan)?.is_some_and(|stored| stored.state == *state) => {
            Ok(())
        }
        (FINAL, _) => Err(stale("the plan was applied or dismissed", plan)),
        _ => {
            let phase = if state.is_final() { FINAL } else { OPEN };
            write
                .execute(
                    "UPDATE plan SET phase = ?2, state = ?3 WHERE id = ?1",
                    params![row.id, phase, codec::encode(state)?],
                )
                .map_err(from_sqlite)?;
            if phase == FINAL { erase_rest(write, &row) } else { Ok(()) }
        }
    }
}

/// Erases the values of every action that did not end, a batch at a time so that a plan of any size fits.
fn erase_rest(write: &Connection, row: &PlanRow) -> Result<()> {
    let mut update = write
        .prepare_cached(
            "UPDATE action SET body = ?5, prints = ?6 WHERE connection = ?1 AND plan = ?2 AND rank = ?3 AND id = ?4",
        )
        .map_err(from_sqlite)?;
    let mut after = None;
    loop {
        let batch = page(write, row, after.as_ref(), ERASED_PER_BATCH)?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some(last.action.position());
        for mut stored in batch.into_iter().filter(|stored| !stored.state.is_final()) {
            stored.erase();
            let Action { rank, id, .. } = &stored.action;
            let body = codec::encode_action(&stored.action)?;
            update
                .execute(params![row.connection, row.id, rank, id.as_str(), body.json, body.prints])
                .map_err(from_sqlite)?;
        }
    }
}

/// Actions and problems go with their plan.
pub(crate) fn purge(write: &Connection, lease: &Lease, made_before: DateTime<Utc>) -> Result<u64> {
    let ConnectionId(connection) = fenced(write, lease)?;
    let purged = write
        .execute(
            "DELETE FROM plan WHERE connection = ?1 AND phase = ?2 AND created_at < ?3",
            params![connection, FINAL, made_before.timestamp_micros()],
        )
        .map_err(from_sqlite)?;
    Ok(purged as u64)
}

pub(crate) fn actions(
    view: &Connection,
    connection: &ConnectionKey,
    plan: &PlanId,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<StoredAction>> {
    match found(view, connection, plan)? {
        Some(row) => page(view, &row, after, limit),
        None => Ok(Vec::new()),
    }
}

fn page(
    view: &Connection,
    row: &PlanRow,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<StoredAction>> {
    let (rank, id) = after.map_or((-1, ""), |after| (i64::from(after.rank), after.id.as_str()));
    let mut statement = view
        .prepare_cached(
            "SELECT rank, state, body, prints FROM action
             WHERE connection = ?1 AND plan = ?2 AND (rank, id) > (?3, ?4) ORDER BY rank, id LIMIT ?5",
        )
        .map_err(from_sqlite)?;
    let actions = statement
        .query_map(params![row.connection, row.id, rank, id, most(limit)], |row| Ok(stored_action(row)))
        .map_err(from_sqlite)?;
    actions.map(|action| action.map_err(from_sqlite)?).collect()
}

/// An action from the columns `rank, state, body, prints`.
pub(crate) fn stored_action(row: &Row<'_>) -> Result<StoredAction> {
    let mut action = codec::decode_action(bytes(row, 2)?.unwrap_or_default(), bytes(row, 3)?)?;
    action.rank = row.get(0).map_err(from_sqlite)?;
    let state = match bytes(row, 1)? {
        Some(state) => codec::decode("action state", state)?,
        None => ActionState::Pending,
    };
    Ok(StoredAction::new(action, state))
}

pub(crate) fn problems(
    view: &Connection,
    connection: &ConnectionKey,
    plan: &PlanId,
    offset: u64,
    limit: usize,
) -> Result<Vec<Problem>> {
    let Some(row) = found(view, connection, plan)? else {
        return Ok(Vec::new());
    };
    let mut statement = view
        .prepare_cached(
            "SELECT body FROM problem WHERE connection = ?1 AND plan = ?2 AND number >= ?3 ORDER BY number LIMIT ?4",
        )
        .map_err(from_sqlite)?;
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let problems = statement
        .query_map(params![row.connection, row.id, offset, most(limit)], |row| {
            Ok(bytes(row, 0).and_then(|json| codec::decode("problem", json.unwrap_or_default())))
        })
        .map_err(from_sqlite)?;
    problems.map(|problem| problem.map_err(from_sqlite)?).collect()
}

/// A limit as SQLite counts: a number that does not fit is as good as the greatest.
pub(crate) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
