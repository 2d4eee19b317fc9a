//! Campaigns, what is remembered of a connection, episodes, blocks and runs.

use chrono::NaiveDate;
use hris_core::ledger::{
    Batch, Block, CampaignRecord, CampaignStatus, Episode, LedgerHead, Month, PersonKey, RunRecord,
};
use hris_core::{CampaignId, ConnectionKey, Error, ErrorKind, Result, RunId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{print, signed};
use super::sends;
use crate::codec::{self, damaged};
use crate::error::from_sqlite;
use crate::leases::{ConnectionId, find};
use crate::plans::most;

/// The number of a connection, which is given one if it has none.
pub(super) fn number(write: &Connection, connection: &ConnectionKey) -> Result<ConnectionId> {
    let key = params![connection.tenant().as_str(), connection.connection()];
    write
        .execute("INSERT INTO connection (tenant, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING", key)
        .map_err(from_sqlite)?;
    find(write, connection)?.ok_or_else(|| damaged("the store lost a connection"))
}

/// Reads rows of one connection; none where the connection was never written.
fn rows<T>(
    view: &Connection,
    connection: &ConnectionKey,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let Some(ConnectionId(connection)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let mut statement = view.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query([connection]).map_err(from_sqlite)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        found.push(read(row)?);
    }
    Ok(found)
}

pub(super) fn all(view: &Connection, connection: &ConnectionKey) -> Result<Vec<CampaignRecord>> {
    let sql = "SELECT id, version, rule, status, definition, last_run FROM campaign WHERE connection = ?1 ORDER BY id";
    rows(view, connection, sql, |row| {
        let text = |index| row.get::<_, String>(index).map_err(from_sqlite);
        let mut record = CampaignRecord::new(CampaignId::from(text(0)?), text(4)?);
        record.version = row.get(1).map_err(from_sqlite)?;
        record.rule = row.get(2).map_err(from_sqlite)?;
        record.status = status(&text(3)?)?;
        let day: Option<String> = row.get(5).map_err(from_sqlite)?;
        record.last_run = day.as_deref().map(date).transpose()?;
        Ok(record)
    })
}

fn status(word: &str) -> Result<CampaignStatus> {
    use CampaignStatus::{Draft, Ended, Live, Paused};
    let known = [Draft, Live, Paused, Ended].into_iter().find(|status| status.to_string() == word);
    known.ok_or_else(|| damaged("a campaign of the store is damaged"))
}

fn date(text: &str) -> Result<NaiveDate> {
    text.parse().map_err(|_| damaged("a date of the store is damaged"))
}

pub(super) fn put(
    write: &Connection,
    connection: &ConnectionKey,
    campaign: &CampaignRecord,
    purge: Month,
) -> Result<()> {
    let number = number(write, connection)?;
    let known: Option<u32> = write
        .query_row(
            "SELECT version FROM campaign WHERE connection = ?1 AND id = ?2",
            params![number.0, campaign.id.as_str()],
            |row| row.get(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    if campaign.version != known.unwrap_or(0) + 1 {
        return Err(Error::new(ErrorKind::Stale, "the campaign was changed by somebody else in between")
            .with_hint("read it again and repeat the change")
            .with_context("campaign", &campaign.id));
    }
    write
        .execute(
            "INSERT INTO campaign (connection, id, version, rule, status, definition) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (connection, id)
             DO UPDATE SET version = ?3, rule = ?4, status = ?5, definition = ?6",
            params![
                number.0,
                campaign.id.as_str(),
                campaign.version,
                campaign.rule,
                campaign.status.to_string(),
                campaign.definition
            ],
        )
        .map_err(from_sqlite)?;
    if campaign.status == CampaignStatus::Ended {
        sends::end(write, number, &campaign.id, purge)
    } else {
        Ok(())
    }
}

pub(super) fn head(view: &Connection, connection: &ConnectionKey) -> Result<Option<LedgerHead>> {
    let sql = "SELECT head FROM campaign_head WHERE connection = ?1";
    let heads = rows(view, connection, sql, |row| {
        codec::decode("campaign head", row.get::<_, String>(0).map_err(from_sqlite)?.as_bytes())
    })?;
    Ok(heads.into_iter().next())
}

pub(super) fn episodes(view: &Connection, connection: &ConnectionKey) -> Result<Vec<Episode>> {
    let sql =
        "SELECT episode, number, ended, start FROM campaign_episode WHERE connection = ?1 ORDER BY episode";
    rows(view, connection, sql, |row| {
        let episode = || {
            Ok(Episode {
                key: print(row.get(0)?),
                number: row.get(1)?,
                ended: row.get(2)?,
                start: print(row.get(3)?),
            })
        };
        episode().map_err(from_sqlite)
    })
}

pub(super) fn blocks(view: &Connection, connection: &ConnectionKey) -> Result<Vec<(PersonKey, Block)>> {
    let sql = "SELECT person, block FROM campaign_block WHERE connection = ?1 ORDER BY person";
    rows(view, connection, sql, |row| {
        let person = PersonKey(print(row.get(0).map_err(from_sqlite)?));
        let word: String = row.get(1).map_err(from_sqlite)?;
        Ok((person, if word == "erased" { Block::Erased } else { Block::OptedOut }))
    })
}

pub(super) fn block(
    write: &Connection,
    ConnectionId(connection): ConnectionId,
    person: PersonKey,
    block: Block,
) -> Result<()> {
    let word = match block {
        Block::Erased => "erased",
        Block::OptedOut => "opted_out",
    };
    write
        .execute(
            "INSERT INTO campaign_block (connection, person, block) VALUES (?1, ?2, ?3)
             ON CONFLICT (connection, person) DO UPDATE SET block = ?3 WHERE block = 'opted_out'",
            params![connection, signed(person.0), word],
        )
        .map(drop)
        .map_err(from_sqlite)
}

/// Everything of a batch beside its Sends.
pub(super) fn remember(
    write: &Connection,
    ConnectionId(connection): ConnectionId,
    batch: &Batch,
) -> Result<()> {
    for episode in &batch.episodes {
        write
            .prepare_cached(
                "INSERT OR REPLACE INTO campaign_episode (connection, episode, number, ended, start)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut statement| {
                let Episode { key, number, ended, start } = *episode;
                statement.execute(params![connection, signed(key), number, ended, signed(start)])
            })
            .map_err(from_sqlite)?;
    }
    for (campaign, day) in &batch.last_runs {
        write
            .execute(
                "UPDATE campaign SET last_run = ?3 WHERE connection = ?1 AND id = ?2",
                params![connection, campaign.as_str(), day.to_string()],
            )
            .map_err(from_sqlite)?;
    }
    if let Some(head) = &batch.head {
        let sql = "INSERT OR REPLACE INTO campaign_head (connection, head) VALUES (?1, ?2)";
        write.execute(sql, params![connection, codec::encode(head)?]).map_err(from_sqlite)?;
    }
    if let Some(run) = &batch.run {
        let sql =
            "INSERT OR REPLACE INTO campaign_run (connection, run, as_of, report) VALUES (?1, ?2, ?3, ?4)";
        let values = params![connection, run.run.as_str(), run.as_of.to_string(), run.report];
        write.execute(sql, values).map_err(from_sqlite)?;
    }
    Ok(())
}

pub(super) fn run(view: &Connection, connection: &ConnectionKey, run: &RunId) -> Result<Option<RunRecord>> {
    let Some(ConnectionId(connection)) = find(view, connection)? else {
        return Ok(None);
    };
    let sql = "SELECT run, as_of, report FROM campaign_run WHERE connection = ?1 AND run = ?2";
    let mut statement = view.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query(params![connection, run.as_str()]).map_err(from_sqlite)?;
    rows.next().map_err(from_sqlite)?.map(record).transpose()
}

pub(super) fn runs(view: &Connection, connection: &ConnectionKey, limit: usize) -> Result<Vec<RunRecord>> {
    let Some(ConnectionId(connection)) = find(view, connection)? else {
        return Ok(Vec::new());
    };
    let sql = "SELECT run, as_of, report FROM campaign_run WHERE connection = ?1
               ORDER BY as_of DESC, run DESC LIMIT ?2";
    let mut statement = view.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query(params![connection, most(limit)]).map_err(from_sqlite)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        found.push(record(row)?);
    }
    Ok(found)
}

fn record(row: &Row<'_>) -> Result<RunRecord> {
    let text = |index| row.get::<_, String>(index).map_err(from_sqlite);
    Ok(RunRecord { run: text(0)?.into(), as_of: date(&text(1)?)?, report: text(2)? })
}
