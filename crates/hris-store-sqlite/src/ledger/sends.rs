//! Sends: reading, listing, and every way in which they change.

use chrono::{DateTime, Utc};
use hris_core::ledger::{
    Block, CancelReason, Cursor, Month, OccasionKey, PersonKey, Send, SendChange, SendGroup, SendId,
    SendState, Stage, Swept,
};
use hris_core::{CampaignId, ConnectionKey, Result};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

use super::rows::{self, COLUMNS, signed};
use crate::codec::damaged;
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, find as find_connection};
use crate::plans::most;

/// Sends that a query finds. `tail` follows the columns and the table.
fn select(view: &Connection, tail: &str, values: &[&dyn ToSql]) -> Result<Vec<Send>> {
    let mut statement =
        view.prepare_cached(&format!("SELECT {COLUMNS} FROM send {tail}")).map_err(from_sqlite)?;
    let mut found = statement.query(values).map_err(from_sqlite)?;
    let mut sends = Vec::new();
    while let Some(row) = found.next().map_err(from_sqlite)? {
        sends.push(rows::read(row)?);
    }
    Ok(sends)
}

pub(super) fn of_ids(
    view: &Connection,
    connection: &ConnectionKey,
    ids: &[SendId],
) -> Result<Vec<Option<Send>>> {
    let Some(ConnectionId(connection)) = find_connection(view, connection)? else {
        return Ok(vec![None; ids.len()]);
    };
    let one = |id: &SendId| {
        let found = select(view, "WHERE id = ?1 AND connection = ?2", &[id.bytes(), &connection])?;
        Ok(found.into_iter().next())
    };
    ids.iter().map(one).collect()
}

pub(super) fn went_out(
    view: &Connection,
    connection: &ConnectionKey,
    occasions: &[OccasionKey],
) -> Result<Vec<Option<SendId>>> {
    let Some(ConnectionId(connection)) = find_connection(view, connection)? else {
        return Ok(vec![None; occasions.len()]);
    };
    let mut statement = view
        .prepare_cached("SELECT id, state FROM send WHERE connection = ?1 AND occasion = ?2 ORDER BY id")
        .map_err(from_sqlite)?;
    let mut found = Vec::with_capacity(occasions.len());
    for occasion in occasions {
        let mut rows = statement.query(params![connection, occasion.bytes()]).map_err(from_sqlite)?;
        let mut id = None;
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let state: String = row.get(1).map_err(from_sqlite)?;
            if SendState::from_word(&state).is_some_and(SendState::went_out) {
                id = Some(SendId::new(row.get(0).map_err(from_sqlite)?));
            }
        }
        found.push(id);
    }
    Ok(found)
}

pub(super) fn due(
    view: &Connection,
    connection: &ConnectionKey,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Send>> {
    let Some(ConnectionId(connection)) = find_connection(view, connection)? else {
        return Ok(Vec::new());
    };
    let tail =
        "WHERE connection = ?1 AND state = 'scheduled' AND send_at <= ?2 ORDER BY send_at, id LIMIT ?3";
    select(view, tail, &[&connection, &now.timestamp_micros(), &most(limit)])
}

pub(super) fn list(
    view: &Connection,
    connection: &ConnectionKey,
    group: SendGroup,
    campaign: Option<&CampaignId>,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Vec<Send>> {
    let Some(ConnectionId(connection)) = find_connection(view, connection)? else {
        return Ok(Vec::new());
    };
    let (place, states) = match group {
        SendGroup::Undelivered => ("due", "due IS NOT NULL"),
        SendGroup::Delivered => ("month", "due IS NULL AND state IN ('delivered', 'uncertain')"),
        // Those without a month come last.
        SendGroup::Ended => {
            ("coalesce(month, 2147483647)", "due IS NULL AND state IN ('claimed', 'cancelled', 'expired')")
        }
    };
    let tail = format!(
        "WHERE connection = ?1 AND {states} AND (?2 IS NULL OR campaign = ?2)
         AND ({place}, id) > (?3, ?4) ORDER BY {place}, id LIMIT ?5"
    );
    let (order, id) = match after {
        Some(after) => (i64::from(after.order), after.id.bytes().to_vec()),
        None => (i64::MIN, Vec::new()),
    };
    let campaign = campaign.map(CampaignId::as_str);
    select(view, &tail, &[&connection, &campaign, &order, &id, &most(limit)])
}

pub(super) fn find(view: &Connection, id: SendId) -> Result<Option<(ConnectionKey, Send)>> {
    let Some(send) = select(view, "WHERE id = ?1", &[id.bytes()])?.into_iter().next() else {
        return Ok(None);
    };
    let sql =
        "SELECT tenant, name FROM connection JOIN send ON send.connection = connection.id WHERE send.id = ?1";
    let (tenant, name): (String, String) =
        view.query_row(sql, [id.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).map_err(from_sqlite)?;
    Ok(Some((ConnectionKey::new(tenant, name), send)))
}

/// Makes a change if its expectation holds, its person is not blocked and its campaign has not ended.
pub(super) fn change(write: &Connection, connection: ConnectionId, change: &SendChange) -> Result<bool> {
    let sql = "SELECT connection, state FROM send WHERE id = ?1";
    let known: Option<(i64, String)> = write
        .prepare_cached(sql)
        .and_then(|mut known| {
            known.query_row([change.send.id.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(from_sqlite)?;
    let expected = change.expects.map(SendState::as_str);
    let is_expected = match &known {
        None => expected.is_none(),
        Some((home, state)) => *home == connection.0 && expected == Some(state.as_str()),
    };
    if !is_expected || !takes(write, connection, &change.send)? {
        return Ok(false);
    }
    rows::write(write, connection, &change.send)?;
    Ok(true)
}

/// What waits needs a campaign that has not ended, and nothing but an ending is written for somebody who is blocked.
fn takes(write: &Connection, ConnectionId(connection): ConnectionId, send: &Send) -> Result<bool> {
    let text = |sql: &str, key: &dyn ToSql| {
        let found = write.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row(params![connection, key], |row| row.get::<_, String>(0)).optional()
        });
        found.map_err(from_sqlite)
    };
    let sql = "SELECT block FROM campaign_block WHERE connection = ?1 AND person = ?2";
    let is_new = SendGroup::of(send.state()) == SendGroup::Undelivered;
    Ok(match text(sql, &signed(send.person.0))?.as_deref() {
        Some("erased") => !is_new && send.recipient().is_none(),
        Some(_) => !is_new,
        None if send.state().is_waiting() => {
            let sql = "SELECT status FROM campaign WHERE connection = ?1 AND id = ?2";
            text(sql, &send.campaign.as_str())?.as_deref() != Some("ended")
        }
        None => true,
    })
}

/// Cancels what waits of a campaign that ended.
pub(super) fn end(
    write: &Connection,
    connection: ConnectionId,
    campaign: &CampaignId,
    purge: Month,
) -> Result<()> {
    let tail = "WHERE connection = ?1 AND campaign = ?2 AND due IS NOT NULL";
    for send in select(write, tail, &[&connection.0, &campaign.as_str()])? {
        if send.state().is_waiting() {
            rows::write(write, connection, &send.cancelled(CancelReason::CampaignEnded, purge)?)?;
        }
    }
    Ok(())
}

pub(super) fn block(
    write: &Connection,
    connection: ConnectionId,
    person: PersonKey,
    block: Block,
    purge: Month,
) -> Result<u64> {
    let mut changed = 0;
    for send in select(write, "WHERE connection = ?1 AND person = ?2", &[&connection.0, &signed(person.0)])? {
        let after = match block {
            Block::Erased => send.clone().erased(),
            Block::OptedOut if send.state().is_waiting() => {
                send.clone().cancelled(CancelReason::OptedOut, purge)?
            }
            Block::OptedOut => continue,
        };
        if after != send {
            rows::write(write, connection, &after)?;
            changed += 1;
        }
    }
    Ok(changed)
}

pub(super) fn sweep(write: &Connection, connection: ConnectionId, now: Month, purge: Month) -> Result<Swept> {
    let tail = "WHERE connection = ?1 AND due IS NULL AND month < ?2";
    let mut swept = Swept::default();
    for send in select(write, tail, &[&connection.0, &now.number()])? {
        let after = match send.stage {
            Stage::Delivered(..) | Stage::Uncertain(..) => {
                swept.expired += 1;
                send.expired(purge).map_err(|_| damaged("a Send of the store is damaged"))?
            }
            _ => {
                swept.erased += 1;
                send.erased()
            }
        };
        rows::write(write, connection, &after)?;
    }
    Ok(swept)
}
