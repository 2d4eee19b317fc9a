//! The saved states of connections, and the welcomes that are owed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hris_core::connections::{ConnectionStore, StoredConnection, WelcomeLedger, WelcomeState};
use hris_core::{ConnectionKey, EmployeeId, Error, ErrorKind, Result, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::SqliteStore;
use crate::codec;
use crate::error::from_sqlite;
use crate::plans::most;

#[async_trait]
impl ConnectionStore for SqliteStore {
    async fn connection(&self, key: &ConnectionKey) -> Result<Option<StoredConnection>> {
        let key = key.clone();
        self.database.read(move |view| get(view, &key)).await
    }

    async fn put_connection(&self, connection: &StoredConnection) -> Result<u64> {
        let connection = connection.clone();
        self.database.write(move |write| put(write, &connection)).await
    }

    async fn connections(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<StoredConnection>> {
        let (tenant, after) = (tenant.cloned(), after.cloned());
        self.database.read(move |view| page(view, tenant.as_ref(), after.as_ref(), limit)).await
    }

    async fn due_connections(
        &self,
        until: DateTime<Utc>,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<(DateTime<Utc>, ConnectionKey)>> {
        self.database.read(move |view| due(view, until, offset, limit)).await
    }

    async fn next_due(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        self.database
            .read(move |view| {
                let next: Option<i64> = view
                    .query_row(
                        "SELECT min(due) FROM setup WHERE due > ?1",
                        [after.timestamp_micros()],
                        |row| row.get(0),
                    )
                    .map_err(from_sqlite)?;
                next.map(instant).transpose()
            })
            .await
    }
}

#[async_trait]
impl WelcomeLedger for SqliteStore {
    async fn set_welcomes(
        &self,
        connection: &ConnectionKey,
        welcomes: &[(EmployeeId, Option<WelcomeState>)],
    ) -> Result<()> {
        let (connection, welcomes) = (connection.clone(), welcomes.to_vec());
        self.database.write(move |write| set_welcomes(write, &connection, &welcomes)).await
    }

    async fn welcomes(&self, connection: &ConnectionKey) -> Result<Vec<(EmployeeId, WelcomeState)>> {
        let connection = connection.clone();
        self.database.read(move |view| welcomes(view, &connection)).await
    }
}

const COLUMNS: &str = "SELECT tenant, name, revision, due, body FROM setup";

fn get(view: &Connection, key: &ConnectionKey) -> Result<Option<StoredConnection>> {
    let mut statement =
        view.prepare_cached(&format!("{COLUMNS} WHERE tenant = ?1 AND name = ?2")).map_err(from_sqlite)?;
    let found = statement
        .query_row(params![key.tenant().as_str(), key.connection()], |row| Ok(stored(row)))
        .optional()
        .map_err(from_sqlite)?;
    found.transpose()
}

fn put(write: &Connection, connection: &StoredConnection) -> Result<u64> {
    let key = &connection.key;
    let due = connection.due.map(|due| due.timestamp_micros());
    let revision = i64::try_from(connection.revision).unwrap_or(i64::MAX);
    let written = if revision == 0 {
        write.execute(
            "INSERT INTO setup (tenant, name, revision, due, body) VALUES (?1, ?2, 1, ?3, ?4)
             ON CONFLICT DO NOTHING",
            params![key.tenant().as_str(), key.connection(), due, connection.body],
        )
    } else {
        write.execute(
            "UPDATE setup SET revision = revision + 1, due = ?3, body = ?4
             WHERE tenant = ?1 AND name = ?2 AND revision = ?5",
            params![key.tenant().as_str(), key.connection(), due, connection.body, revision],
        )
    };
    if written.map_err(from_sqlite)? == 1 {
        return Ok(connection.revision + 1);
    }
    Err(Error::new(ErrorKind::Stale, "somebody else changed the connection in between")
        .with_hint("read it again and decide anew")
        .with_context("connection", key))
}

fn page(
    view: &Connection,
    tenant: Option<&TenantId>,
    after: Option<&ConnectionKey>,
    limit: usize,
) -> Result<Vec<StoredConnection>> {
    let mut statement = view
        .prepare_cached(&format!(
            "{COLUMNS} WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR (tenant, name) > (?2, ?3))
             ORDER BY tenant, name LIMIT ?4"
        ))
        .map_err(from_sqlite)?;
    let after = after.map(|after| (after.tenant().as_str(), after.connection()));
    let asked = params![
        tenant.map(TenantId::as_str),
        after.map(|(tenant, _)| tenant),
        after.map(|(_, name)| name),
        most(limit)
    ];
    let rows = statement.query_map(asked, |row| Ok(stored(row))).map_err(from_sqlite)?;
    rows.map(|row| row.map_err(from_sqlite)?).collect()
}

fn due(
    view: &Connection,
    until: DateTime<Utc>,
    offset: u64,
    limit: usize,
) -> Result<Vec<(DateTime<Utc>, ConnectionKey)>> {
    let mut statement = view
        .prepare_cached(
            "SELECT due, tenant, name FROM setup WHERE due <= ?1 ORDER BY due, tenant, name LIMIT ?2 OFFSET ?3",
        )
        .map_err(from_sqlite)?;
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![until.timestamp_micros(), most(limit), offset], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .map_err(from_sqlite)?;
    rows.map(|row| {
        let (due, tenant, name) = row.map_err(from_sqlite)?;
        Ok((instant(due)?, ConnectionKey::new(tenant, name)))
    })
    .collect()
}

fn stored(row: &Row<'_>) -> Result<StoredConnection> {
    let text = |column| row.get::<_, String>(column).map_err(from_sqlite);
    let revision: i64 = row.get(2).map_err(from_sqlite)?;
    let due: Option<i64> = row.get(3).map_err(from_sqlite)?;
    let key = ConnectionKey::new(text(0)?, text(1)?);
    let due = due.map(instant).transpose()?;
    Ok(StoredConnection::new(key, due, text(4)?).at_revision(revision.unsigned_abs()))
}

fn instant(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| codec::damaged("an instant of the store is damaged"))
}

fn set_welcomes(
    write: &Connection,
    key: &ConnectionKey,
    welcomes: &[(EmployeeId, Option<WelcomeState>)],
) -> Result<()> {
    for (person, welcome) in welcomes {
        let (tenant, name, person) = (key.tenant().as_str(), key.connection(), person.as_str());
        match welcome {
            Some(welcome) => write.execute(
                "INSERT INTO welcome (tenant, name, employee_id, state) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET state = ?4",
                params![tenant, name, person, codec::encode(welcome)?],
            ),
            None => write.execute(
                "DELETE FROM welcome WHERE tenant = ?1 AND name = ?2 AND employee_id = ?3",
                params![tenant, name, person],
            ),
        }
        .map_err(from_sqlite)?;
    }
    Ok(())
}

fn welcomes(view: &Connection, key: &ConnectionKey) -> Result<Vec<(EmployeeId, WelcomeState)>> {
    let mut statement = view
        .prepare_cached(
            "SELECT employee_id, state FROM welcome WHERE tenant = ?1 AND name = ?2 ORDER BY employee_id",
        )
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![key.tenant().as_str(), key.connection()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .map_err(from_sqlite)?;
    rows.map(|row| {
        let (person, state) = row.map_err(from_sqlite)?;
        Ok((EmployeeId::from(person), codec::decode("welcome", state.as_bytes())?))
    })
    .collect()
}
