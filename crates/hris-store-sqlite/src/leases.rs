//! Leases, and the check that fences off every write of whoever lost theirs.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use hris_core::store::Lease;
use hris_core::{ConnectionKey, Result, RunId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{from_sqlite, leased};

/// The number of a connection, which every row of it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionId(pub(crate) i64);

/// The number of a connection that was written before.
pub(crate) fn find(view: &Connection, connection: &ConnectionKey) -> Result<Option<ConnectionId>> {
    let mut known = view
        .prepare_cached("SELECT id FROM connection WHERE tenant = ?1 AND name = ?2")
        .map_err(from_sqlite)?;
    known
        .query_row(params![connection.tenant().as_str(), connection.connection()], |row| row.get(0))
        .optional()
        .map(|id| id.map(ConnectionId))
        .map_err(from_sqlite)
}

/// The number of the lease's connection, if the lease still stands.
pub(crate) fn fenced(view: &Connection, lease: &Lease) -> Result<ConnectionId> {
    let key = &lease.connection;
    let mut known = view
        .prepare_cached(
            "SELECT id FROM connection WHERE tenant = ?1 AND name = ?2 AND token = ?3 AND holder = ?4",
        )
        .map_err(from_sqlite)?;
    let asked = params![key.tenant().as_str(), key.connection(), token(lease), lease.holder.as_str()];
    let found = known.query_row(asked, |row| row.get(0)).optional().map_err(from_sqlite)?;
    found.map(ConnectionId).ok_or_else(|| leased("the lease of this connection was given back or taken over"))
}

/// Tokens are counted by the store from 1, so one that is no such number was never granted.
pub(crate) fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(-1)
}

pub(crate) fn acquire(
    write: &Connection,
    connection: &ConnectionKey,
    run: &RunId,
    now: DateTime<Utc>,
    ttl: Duration,
) -> Result<Lease> {
    let key = params![connection.tenant().as_str(), connection.connection()];
    write
        .execute("INSERT INTO connection (tenant, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING", key)
        .map_err(from_sqlite)?;
    let until = later(now, ttl);
    let taken = write
        .query_row(
            "UPDATE connection SET token = token + 1, holder = ?3, expires_at = ?4
             WHERE tenant = ?1 AND name = ?2 AND (holder IS NULL OR holder = ?3 OR expires_at <= ?5)
             RETURNING token",
            params![
                connection.tenant().as_str(),
                connection.connection(),
                run.as_str(),
                until.timestamp_micros(),
                now.timestamp_micros()
            ],
            |row| row.get::<_, i64>(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    let token = taken.ok_or_else(|| leased("another run holds the lease of this connection"))?;
    Ok(Lease::new(connection.clone(), run.clone(), token.unsigned_abs(), until))
}

pub(crate) fn renew(write: &Connection, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> Result<Lease> {
    let ConnectionId(id) = fenced(write, lease)?;
    let until = later(now, ttl);
    write
        .execute("UPDATE connection SET expires_at = ?2 WHERE id = ?1", params![id, until.timestamp_micros()])
        .map_err(from_sqlite)?;
    Ok(Lease::new(lease.connection.clone(), lease.holder.clone(), lease.token, until))
}

pub(crate) fn release(write: &Connection, lease: &Lease) -> Result<()> {
    let key = &lease.connection;
    write
        .execute(
            "UPDATE connection SET holder = NULL, expires_at = NULL
             WHERE tenant = ?1 AND name = ?2 AND token = ?3 AND holder = ?4",
            params![key.tenant().as_str(), key.connection(), token(lease), lease.holder.as_str()],
        )
        .map_err(from_sqlite)?;
    Ok(())
}

/// To the microsecond, as the file keeps it, so that holder and others agree on the end.
fn later(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC).trunc_subsecs(6)
}
