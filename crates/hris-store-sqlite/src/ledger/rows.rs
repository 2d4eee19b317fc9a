//! A Send as its row has it. This is the only way of names and addresses in and out of the file.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use hris_core::keys::{KeyId, Print};
use hris_core::ledger::{
    CancelReason, Due, Month, OccasionKey, PersonKey, Recipient, Send, SendId, SendState, Stage,
};
use hris_core::{Email, Result};
use rusqlite::{Connection, Row, params};

use crate::codec::damaged;
use crate::error::from_sqlite;
use crate::leases::ConnectionId;

/// The columns of a Send, in the order that [`read`] wants them.
pub(super) const COLUMNS: &str = "send.id, send.campaign, send.person, send.occasion, send.link_key, send.state, \
     send.reason, send.first_name, send.last_name, send.email, send.due, send.send_at, send.seen_at, send.rule, \
     send.attempts, send.month, send.until";

/// A keyed hash as the signed integer of the same bits.
pub(super) fn signed(print: Print) -> i64 {
    print.0.cast_signed()
}

pub(super) fn print(number: i64) -> Print {
    Print(number.cast_unsigned())
}

/// Writes a Send over whatever is there.
pub(super) fn write(write: &Connection, ConnectionId(connection): ConnectionId, send: &Send) -> Result<()> {
    let (due, who) = (send.due(), send.recipient());
    let reason = match &send.stage {
        Stage::Cancelled(reason, _) => Some(reason.as_str()),
        _ => None,
    };
    let mut statement = write
        .prepare_cached(
            "INSERT OR REPLACE INTO send (id, connection, campaign, person, occasion, link_key, state, reason,
                 first_name, last_name, email, due, send_at, seen_at, rule, attempts, month, until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )
        .map_err(from_sqlite)?;
    let values = params![
        send.id.bytes(),
        connection,
        send.campaign.as_str(),
        signed(send.person.0),
        send.occasion.bytes(),
        send.link_key.as_str(),
        send.state().as_str(),
        reason,
        who.map(|who| &who.first_name),
        who.map(|who| &who.last_name),
        who.map(|who| who.email.as_str()),
        due.map(|due| due.date.num_days_from_ce()),
        due.map(|due| due.send_at.timestamp_micros()),
        due.map(|due| due.seen_at.timestamp_micros()),
        due.map(|due| due.rule),
        due.map(|due| due.attempts),
        send.month().map(Month::number),
        due.map(|due| due.until.timestamp_micros()),
    ];
    statement.execute(values).map(drop).map_err(from_sqlite)
}

/// A Send from the columns of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> Result<Send> {
    let text = |index| row.get::<_, String>(index).map_err(from_sqlite);
    let key = |index| row.get::<_, [u8; 16]>(index).map_err(from_sqlite);
    let stage = stage(row)?.ok_or_else(|| damaged("a Send of the store is damaged"))?;
    let person = PersonKey(print(row.get(2).map_err(from_sqlite)?));
    Ok(Send::new(
        SendId::new(key(0)?),
        text(1)?.into(),
        person,
        OccasionKey::new(key(3)?),
        KeyId::new(text(4)?),
        stage,
    ))
}

fn stage(row: &Row<'_>) -> Result<Option<Stage>> {
    let Some(state) = SendState::from_word(&row.get::<_, String>(5).map_err(from_sqlite)?) else {
        return Ok(None);
    };
    let (due, who) = (due(row)?, recipient(row)?);
    let month = row.get::<_, Option<i32>>(15).map_err(from_sqlite)?.map(Month::from_number);
    let kept = who.clone().zip(month);
    Ok(match state {
        SendState::Planned => due.map(Stage::Planned),
        SendState::Scheduled => due.zip(who).map(|(due, who)| Stage::Scheduled(due, who)),
        SendState::Active => due.zip(who).map(|(due, who)| Stage::Active(due, who)),
        SendState::Delivered => kept.map(|(who, month)| Stage::Delivered(who, month)),
        SendState::Uncertain => kept.map(|(who, month)| Stage::Uncertain(who, month)),
        SendState::Claimed => Some(Stage::Claimed(kept)),
        SendState::Expired => Some(Stage::Expired(kept)),
        SendState::Cancelled => {
            let reason: Option<String> = row.get(6).map_err(from_sqlite)?;
            let reason = reason.as_deref().and_then(CancelReason::from_word);
            reason.map(|reason| Stage::Cancelled(reason, kept))
        }
    })
}

fn recipient(row: &Row<'_>) -> Result<Option<Recipient>> {
    let text = |index| row.get::<_, Option<String>>(index).map_err(from_sqlite);
    let (Some(first_name), Some(last_name), Some(email)) = (text(7)?, text(8)?, text(9)?) else {
        return Ok(None);
    };
    let email = Email::parse(&email).ok_or_else(|| damaged("an address of the store is damaged"))?;
    Ok(Some(Recipient { first_name, last_name, email }))
}

fn due(row: &Row<'_>) -> Result<Option<Due>> {
    let number = |index| row.get::<_, Option<i64>>(index).map_err(from_sqlite);
    let Some(days) = row.get::<_, Option<i32>>(10).map_err(from_sqlite)? else {
        return Ok(None);
    };
    let instant = |micros: Option<i64>| micros.and_then(DateTime::<Utc>::from_timestamp_micros);
    let due = || {
        Some(Due {
            date: NaiveDate::from_num_days_from_ce_opt(days)?,
            send_at: instant(number(11).ok()?)?,
            until: instant(number(16).ok()?)?,
            seen_at: instant(number(12).ok()?)?,
            rule: u32::try_from(number(13).ok()??).ok()?,
            attempts: u16::try_from(number(14).ok()??).ok()?,
        })
    };
    due().map(Some).ok_or_else(|| damaged("a due date of the store is damaged"))
}
