//! How what the store knows comes to its end.

use hris_core::keys::Print;
use hris_core::store::Lease;
use hris_core::{ConnectionKey, Error, ErrorKind, RecordId, Result};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::checkpoints;
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, fenced, find};

pub(crate) fn remove_links(write: &Connection, lease: &Lease, records: &[RecordId]) -> Result<u64> {
    let ConnectionId(id) = fenced(write, lease)?;
    let mut delete = write
        .prepare_cached("DELETE FROM link WHERE connection = ?1 AND record = ?2")
        .map_err(from_sqlite)?;
    let removed = records.iter().map(|record| delete.execute(params![id, record.as_str()]));
    removed.map(|rows| rows.map(|rows| rows as u64).map_err(from_sqlite)).sum()
}

pub(crate) fn forget(write: &Connection, lease: &Lease, record: &RecordId, tombstone: Print) -> Result<()> {
    let ConnectionId(id) = fenced(write, lease)?;
    let about = "json_extract(body, '$.body.person.record') = ?2";
    let open = "SELECT plan.name FROM action JOIN plan ON plan.id = action.plan
                WHERE action.connection = ?1 AND plan.phase = 1
                    AND json_extract(action.body, '$.body.person.record') = ?2
                LIMIT 1";
    let open: Option<String> = write
        .query_row(open, params![id, record.as_str()], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)?;
    if let Some(plan) = open {
        let error = Error::new(ErrorKind::Stale, "an open plan has an action about this person");
        return Err(error.with_hint("apply or dismiss it first").with_context("plan", plan));
    }
    for sql in [
        format!("DELETE FROM action WHERE connection = ?1 AND {about}"),
        "DELETE FROM problem WHERE connection = ?1
             AND ?2 IN (json_extract(body, '$.body.record'), json_extract(body, '$.body.other'))"
            .to_owned(),
        "DELETE FROM link WHERE connection = ?1 AND record = ?2".to_owned(),
        "DELETE FROM override WHERE connection = ?1 AND record = ?2".to_owned(),
    ] {
        write.execute(&sql, params![id, record.as_str()]).map_err(from_sqlite)?;
    }
    if let Some(mut checkpoint) = checkpoints::get(write, &lease.connection)? {
        checkpoint.forget(record, tombstone);
        checkpoints::set(write, lease, Some(&checkpoint))?;
    }
    write
        .execute(
            "INSERT OR IGNORE INTO forgotten (connection, record) VALUES (?1, ?2)",
            params![id, tombstone.0.cast_signed()],
        )
        .map_err(from_sqlite)?;
    Ok(())
}

pub(crate) fn forgotten(view: &Connection, connection: &ConnectionKey) -> Result<Vec<Print>> {
    let Some(ConnectionId(id)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let mut statement =
        view.prepare_cached("SELECT record FROM forgotten WHERE connection = ?1").map_err(from_sqlite)?;
    let rows = statement.query_map([id], |row| row.get::<_, i64>(0)).map_err(from_sqlite)?;
    rows.map(|print| Ok(Print(print.map_err(from_sqlite)?.cast_unsigned()))).collect()
}
