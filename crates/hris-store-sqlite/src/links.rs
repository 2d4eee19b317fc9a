//! Links and the baseline.

use hris_core::keys::Print;
use hris_core::store::{Baseline, Lease, Link};
use hris_core::{ConnectionKey, EmployeeId, LinkState, MemberId, RecordId, Result};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row, params};

use crate::codec;
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, fenced, find};
use crate::plans::most;

pub(crate) fn baseline(view: &Connection, connection: &ConnectionKey) -> Result<Option<Baseline>> {
    let Some(ConnectionId(id)) = find(view, connection)? else {
        return Ok(None);
    };
    let json: Option<String> = view
        .query_row("SELECT baseline FROM connection WHERE id = ?1", [id], |row| row.get(0))
        .map_err(from_sqlite)?;
    json.map(|json| codec::decode("baseline", json.as_bytes())).transpose()
}

pub(crate) fn set_baseline(write: &Connection, lease: &Lease, baseline: &Baseline) -> Result<()> {
    let ConnectionId(id) = fenced(write, lease)?;
    let json = codec::encode(baseline)?;
    write
        .execute("UPDATE connection SET baseline = ?2 WHERE id = ?1", params![id, json])
        .map_err(from_sqlite)?;
    Ok(())
}

/// Up to `limit` links from the one after record `after` on, in the order of the table.
pub(crate) fn page(
    view: &Connection,
    connection: &ConnectionKey,
    after: Option<&RecordId>,
    limit: usize,
) -> Result<Vec<Link>> {
    let Some(ConnectionId(id)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let mut links = Vec::with_capacity(limit);
    match after {
        None => {
            let mut first = select(view, "connection = ?1 ORDER BY record LIMIT ?2")?;
            read(&mut first, params![id, most(limit)], &mut links)?;
        }
        Some(after) => {
            let mut next = select(view, "connection = ?1 AND record > ?3 ORDER BY record LIMIT ?2")?;
            read(&mut next, params![id, most(limit), after.as_str()], &mut links)?;
        }
    }
    Ok(links)
}

fn read(statement: &mut CachedStatement<'_>, values: impl Params, links: &mut Vec<Link>) -> Result<()> {
    let mut rows = statement.query(values).map_err(from_sqlite)?;
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        links.push(link(row)?);
    }
    Ok(())
}

pub(crate) fn of_records(
    view: &Connection,
    connection: &ConnectionKey,
    records: &[RecordId],
) -> Result<Vec<Option<Link>>> {
    look_up(view, connection, "connection = ?1 AND record = ?2", records.iter().map(RecordId::as_str))
}

pub(crate) fn to_members(
    view: &Connection,
    connection: &ConnectionKey,
    members: &[MemberId],
) -> Result<Vec<Option<Link>>> {
    look_up(view, connection, "connection = ?1 AND member = ?2", members.iter().map(MemberId::as_str))
}

fn look_up<'a>(
    view: &Connection,
    connection: &ConnectionKey,
    condition: &str,
    keys: impl ExactSizeIterator<Item = &'a str>,
) -> Result<Vec<Option<Link>>> {
    let Some(ConnectionId(id)) = find(view, connection)? else {
        return Ok(vec![None; keys.len()]);
    };
    let mut statement = select(view, condition)?;
    let found = keys.map(|key| {
        let row = statement.query_row(params![id, key], |row| Ok(link(row)));
        row.optional().map_err(from_sqlite)?.transpose()
    });
    found.collect()
}

fn select<'c>(view: &'c Connection, condition: &str) -> Result<CachedStatement<'c>> {
    let columns = "record, employee_id, member, state, irreversible_from, email, prints";
    view.prepare_cached(&format!("SELECT {columns} FROM link WHERE {condition}")).map_err(from_sqlite)
}

/// Writes many links. In the order of the table they take half the time.
pub(crate) fn put(write: &Connection, lease: &Lease, links: &[Link]) -> Result<()> {
    let mut writer = LinkWriter::new(write, fenced(write, lease)?)?;
    let mut sorted: Vec<_> = links.iter().collect();
    // Stable, so that of two links of one record the later still wins.
    sorted.sort_by(|one, other| one.record.cmp(&other.record));
    sorted.into_iter().try_for_each(|link| writer.write(link))
}

/// Writes links of one connection. Each replaces the record's link and any other link to its member.
pub(crate) struct LinkWriter<'c> {
    connection: i64,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    replace: CachedStatement<'c>,
}

impl<'c> LinkWriter<'c> {
    pub(crate) fn new(write: &'c Connection, ConnectionId(connection): ConnectionId) -> Result<Self> {
        let statement = |sql: &str| write.prepare_cached(sql).map_err(from_sqlite);
        let insert = "link (connection, record, member, employee_id, state, irreversible_from, email, prints)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        Ok(Self {
            connection,
            insert: statement(&format!("INSERT OR IGNORE INTO {insert}"))?,
            update: statement(
                "UPDATE link SET employee_id = ?4, state = ?5, irreversible_from = ?6, email = ?7, prints = ?8
                 WHERE connection = ?1 AND record = ?2 AND member = ?3",
            )?,
            replace: statement(&format!("INSERT OR REPLACE INTO {insert}"))?,
        })
    }

    pub(crate) fn write(&mut self, link: &Link) -> Result<()> {
        let (state, irreversible_from) = columns_of(link.state);
        let values = params![
            self.connection,
            link.record.as_str(),
            link.member.as_str(),
            link.employee_id.as_str(),
            state,
            irreversible_from,
            link.email.map(|Print(print)| print.cast_signed()),
            codec::encode_prints(&link.prints),
        ];
        // From the usual to the rare: a new link; one whose record and member stay, and with them the order of both
        // trees; one that takes the place of others.
        for statement in [&mut self.insert, &mut self.update, &mut self.replace] {
            if statement.execute(values).map_err(from_sqlite)? > 0 {
                break;
            }
        }
        Ok(())
    }
}

/// A state as the table has it.
pub(crate) fn columns_of(state: LinkState) -> (i64, Option<String>) {
    match state {
        LinkState::Active => (0, None),
        LinkState::Leaver { irreversible_from } => (1, irreversible_from.map(|day| day.to_string())),
    }
}

fn link(row: &Row<'_>) -> Result<Link> {
    let text = |column| text(row, column);
    let state = match row.get(3).map_err(from_sqlite)? {
        0 => LinkState::Active,
        1 => {
            let day: Option<String> = row.get(4).map_err(from_sqlite)?;
            let day = day.map(|day| day.parse()).transpose();
            LinkState::Leaver {
                irreversible_from: day.map_err(|_| codec::damaged("a date of the store is damaged"))?,
            }
        }
        _ => return Err(codec::damaged("the state of a link is damaged")),
    };
    let email: Option<i64> = row.get(5).map_err(from_sqlite)?;
    let prints = row.get_ref(6).and_then(|prints| Ok(prints.as_blob()?)).map_err(from_sqlite)?;
    Ok(Link::new(
        RecordId::new(text(0)?),
        EmployeeId::new(text(1)?),
        MemberId::new(text(2)?),
        state,
        email.map(|print| Print(print.cast_unsigned())),
        codec::decode_prints(prints)?,
    ))
}

fn text(row: &Row<'_>, column: usize) -> Result<Box<str>> {
    row.get(column).map_err(from_sqlite)
}
