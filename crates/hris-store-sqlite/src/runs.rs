//! The run history.

use chrono::{DateTime, Utc};
use hris_core::store::Lease;
use hris_core::{ConnectionKey, Result, RunId, RunReport, TenantId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::codec;
use crate::error::{foreign, from_sqlite};
use crate::leases::{ConnectionId, fenced, find};
use crate::plans::most;

pub(crate) fn record(write: &Connection, lease: &Lease, report: &RunReport) -> Result<()> {
    let ConnectionId(connection) = fenced(write, lease)?;
    if report.connection != lease.connection {
        return Err(foreign(&lease.connection, &report.connection));
    }
    write
        .execute(
            "INSERT INTO run (connection, name, started_at, report) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (connection, name) DO UPDATE SET started_at = ?3, report = ?4",
            params![
                connection,
                report.run.as_str(),
                report.started_at.timestamp_micros(),
                codec::encode(report)?
            ],
        )
        .map_err(from_sqlite)?;
    Ok(())
}

pub(crate) fn purge(write: &Connection, lease: &Lease, started_before: DateTime<Utc>) -> Result<u64> {
    let ConnectionId(connection) = fenced(write, lease)?;
    let purged = write
        .execute(
            "DELETE FROM run WHERE connection = ?1 AND started_at < ?2",
            params![connection, started_before.timestamp_micros()],
        )
        .map_err(from_sqlite)?;
    Ok(purged as u64)
}

pub(crate) fn page(
    view: &Connection,
    connection: &ConnectionKey,
    offset: u64,
    limit: usize,
) -> Result<Vec<RunReport>> {
    let Some(ConnectionId(connection)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let mut statement = view
        .prepare_cached(
            "SELECT report FROM run WHERE connection = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2 OFFSET ?3",
        )
        .map_err(from_sqlite)?;
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let reports = statement
        .query_map(params![connection, most(limit), offset], |row| row.get::<_, String>(0))
        .map_err(from_sqlite)?;
    reports.map(|json| codec::decode("report", json.map_err(from_sqlite)?.as_bytes())).collect()
}

pub(crate) fn of_tenant(
    view: &Connection,
    tenant: &TenantId,
    offset: u64,
    limit: usize,
) -> Result<Vec<RunReport>> {
    let mut statement = view
        .prepare_cached(
            "SELECT report FROM run JOIN connection ON connection.id = run.connection
             WHERE tenant = ?1 ORDER BY started_at DESC, run.id DESC LIMIT ?2 OFFSET ?3",
        )
        .map_err(from_sqlite)?;
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let reports = statement
        .query_map(params![tenant.as_str(), most(limit), offset], |row| row.get::<_, String>(0))
        .map_err(from_sqlite)?;
    reports.map(|json| codec::decode("report", json.map_err(from_sqlite)?.as_bytes())).collect()
}

pub(crate) fn get(view: &Connection, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunReport>> {
    let Some(ConnectionId(connection)) = find(view, connection)? else {
        return Ok(None);
    };
    let json: Option<String> = view
        .query_row(
            "SELECT report FROM run WHERE connection = ?1 AND name = ?2",
            params![connection, run.as_str()],
            |row| row.get(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    json.map(|json| codec::decode("report", json.as_bytes())).transpose()
}
