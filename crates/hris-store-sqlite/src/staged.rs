//! Links laid aside: in a temporary table of the writing connection, so that they cost the file nothing until they are
//! written, and are gone with the connection.

use hris_core::Result;
use hris_core::keys::Print;
use hris_core::store::{Lease, Link};
use rusqlite::{Connection, params};

use crate::codec;
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, fenced, token};
use crate::links::columns_of;

/// The columns of `link` behind the token of the lease under which a link was laid aside.
const TABLE: &str = "CREATE TEMP TABLE IF NOT EXISTS staged_link (
    connection INTEGER NOT NULL, token INTEGER NOT NULL, record TEXT NOT NULL, member TEXT NOT NULL,
    employee_id TEXT NOT NULL, state INTEGER NOT NULL, irreversible_from TEXT, email INTEGER, prints BLOB NOT NULL
) STRICT";

/// Lays links aside. What an earlier acquisition of the lease laid aside is forgotten.
pub(crate) fn add(write: &Connection, lease: &Lease, links: &[Link]) -> Result<()> {
    let ConnectionId(connection) = fenced(write, lease)?;
    let token = token(lease);
    write.execute_batch(TABLE).map_err(from_sqlite)?;
    forget(write, connection, Some(token))?;
    let mut insert = write
        .prepare_cached("INSERT INTO staged_link VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
        .map_err(from_sqlite)?;
    for link in links {
        let (state, irreversible_from) = columns_of(link.state);
        insert
            .execute(params![
                connection,
                token,
                link.record.as_str(),
                link.member.as_str(),
                link.employee_id.as_str(),
                state,
                irreversible_from,
                link.email.map(|Print(print)| print.cast_signed()),
                codec::encode_prints(&link.prints),
            ])
            .map_err(from_sqlite)?;
    }
    Ok(())
}

/// Writes what was laid aside under this lease. In the order of the table it takes half the time; of two links of one
/// record the later wins.
pub(crate) fn put(write: &Connection, lease: &Lease) -> Result<u64> {
    let ConnectionId(connection) = fenced(write, lease)?;
    write.execute_batch(TABLE).map_err(from_sqlite)?;
    let written = write
        .prepare_cached(
            "INSERT OR REPLACE INTO link
                 (connection, record, member, employee_id, state, irreversible_from, email, prints)
             SELECT connection, record, member, employee_id, state, irreversible_from, email, prints
             FROM staged_link WHERE connection = ?1 AND token = ?2 ORDER BY record, rowid",
        )
        .and_then(|mut insert| insert.execute(params![connection, token(lease)]))
        .map_err(from_sqlite)?;
    forget(write, connection, None)?;
    Ok(written as u64)
}

/// Forgets what is laid aside for a connection, but for what one token laid aside.
fn forget(write: &Connection, connection: i64, but: Option<i64>) -> Result<()> {
    write
        .prepare_cached("DELETE FROM staged_link WHERE connection = ?1 AND token IS NOT ?2")
        .and_then(|mut delete| delete.execute(params![connection, but]))
        .map_err(from_sqlite)?;
    Ok(())
}
