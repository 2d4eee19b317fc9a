//! What is remembered of a connection's readings.

use hris_core::store::{Checkpoint, Lease};
use hris_core::{ConnectionKey, Result};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::codec;
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, fenced, find};

pub(crate) fn get(view: &Connection, connection: &ConnectionKey) -> Result<Option<Checkpoint>> {
    let Some(ConnectionId(id)) = find(view, connection)? else {
        return Ok(None);
    };
    let json: Option<String> = view
        .query_row("SELECT body FROM checkpoint WHERE connection = ?1", [id], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)?;
    json.map(|json| codec::decode("checkpoint", json.as_bytes())).transpose()
}

pub(crate) fn set(write: &Connection, lease: &Lease, checkpoint: Option<&Checkpoint>) -> Result<()> {
    let ConnectionId(id) = fenced(write, lease)?;
    match checkpoint {
        None => write.execute("DELETE FROM checkpoint WHERE connection = ?1", [id]),
        Some(checkpoint) => write.execute(
            "INSERT OR REPLACE INTO checkpoint (connection, body) VALUES (?1, ?2)",
            params![id, codec::encode(checkpoint)?],
        ),
    }
    .map_err(from_sqlite)?;
    Ok(())
}
