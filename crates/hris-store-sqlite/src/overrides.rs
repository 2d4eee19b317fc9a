//! What administrators recorded against the HR system.

use hris_core::store::{Lease, Override};
use hris_core::{ConnectionKey, RecordId, Result, TargetField};
use rusqlite::{Connection, params};

use crate::codec;
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, fenced, find};
use crate::plans::most;

/// Up to `limit` overrides from the one after a record's attribute on.
pub(crate) fn page(
    view: &Connection,
    connection: &ConnectionKey,
    after: Option<&(RecordId, TargetField)>,
    limit: usize,
) -> Result<Vec<Override>> {
    let Some(ConnectionId(id)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let (record, field) =
        after.map_or(("", String::new()), |(record, field)| (record.as_str(), field.to_string()));
    let mut statement = view
        .prepare_cached(
            "SELECT body FROM override WHERE connection = ?1 AND (record, field) > (?2, ?3)
             ORDER BY record, field LIMIT ?4",
        )
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![id, record, field, most(limit)], |row| row.get::<_, String>(0))
        .map_err(from_sqlite)?;
    rows.map(|json| codec::decode("override", json.map_err(from_sqlite)?.as_bytes())).collect()
}

pub(crate) fn put(write: &Connection, lease: &Lease, overrides: &[Override]) -> Result<()> {
    let ConnectionId(id) = fenced(write, lease)?;
    let mut insert = write
        .prepare_cached(
            "INSERT OR REPLACE INTO override (connection, record, field, body) VALUES (?1, ?2, ?3, ?4)",
        )
        .map_err(from_sqlite)?;
    for one in overrides {
        let body = codec::encode(one)?;
        insert.execute(params![id, one.record.as_str(), one.field.to_string(), body]).map_err(from_sqlite)?;
    }
    Ok(())
}

pub(crate) fn remove(write: &Connection, lease: &Lease, which: &[(RecordId, TargetField)]) -> Result<()> {
    let ConnectionId(id) = fenced(write, lease)?;
    let mut delete = write
        .prepare_cached("DELETE FROM override WHERE connection = ?1 AND record = ?2 AND field = ?3")
        .map_err(from_sqlite)?;
    for (record, field) in which {
        delete.execute(params![id, record.as_str(), field.to_string()]).map_err(from_sqlite)?;
    }
    Ok(())
}
