//! Reading single people: one request each.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    AbsenceGround, Delivery, EmployeeRef, Error, ErrorKind, FieldSet, Lookup, ReadEvent, Receipt, Result,
};
use hris_http::{Distinct, decode_seed, fold_id};
use serde::de::IgnoredAny;

use crate::client::{Client, Login};
use crate::config::RecordIdSource;
use crate::convert::{Notes, Outcome, Projection};
use crate::reading::Opened;
use crate::wire::{self, RowSeed};

/// One person with the wanted fields, or what became of them; `None` where the vendor says there is nobody.
async fn person(
    client: &Client,
    projection: &Projection,
    who: &EmployeeRef,
) -> Result<Option<(Outcome, Notes)>> {
    let id = who.record.as_str();
    let request = client.one(id, projection.expand().as_deref())?;
    let read = client.read(&request, |body, now| match client.config().record_id {
        RecordIdSource::RemoteId => of_page(projection, id, body, now),
        RecordIdSource::MergeId => of_record(projection, id, body, now).map(Some),
    });
    match read.await {
        Err(error) if error.kind() == ErrorKind::NotFound => match client.config().record_id {
            RecordIdSource::MergeId => Ok(None),
            // A listing that is not there is a failure and says nothing about one person.
            RecordIdSource::RemoteId => Err(error),
        },
        result => result,
    }
}

/// The newest of the rows with this id: a record that was made anew under the same id stands beside its deleted one.
fn of_page(
    projection: &Projection,
    id: &str,
    body: &[u8],
    now: Option<DateTime<Utc>>,
) -> Result<Option<(Outcome, Notes)>> {
    let rows = wire::page(RowSeed(projection.keys()), body)?.rows;
    if rows.iter().flatten().any(|row| projection.record_id(row) != Some(id)) {
        return Err(another());
    }
    let outcomes = rows.iter().map(|row| {
        let mut notes = Notes::default();
        (projection.outcome(row.as_ref(), now, &mut notes), notes)
    });
    Ok(outcomes.max_by_key(|(outcome, _)| match outcome {
        Outcome::Employee(employee) => (2, employee.modified_at),
        Outcome::Deleted(_) => (1, None),
        Outcome::Rejected(_) | Outcome::Shell(_) => (0, None),
    }))
}

fn of_record(
    projection: &Projection,
    id: &str,
    body: &[u8],
    now: Option<DateTime<Utc>>,
) -> Result<(Outcome, Notes)> {
    let row =
        decode_seed::<IgnoredAny, _>(RowSeed(projection.keys()), body, "the answer is not an employee")?;
    let row = row.filter(|row| projection.record_id(row) == Some(id)).ok_or_else(another)?;
    let mut notes = Notes::default();
    Ok((projection.outcome(Some(&row), now, &mut notes), notes))
}

fn another() -> Error {
    Error::new(ErrorKind::Protocol, "the answer is not about the person who was asked for")
        .with_delivery(Delivery::Answered)
}

/// Looks one person up.
pub(crate) async fn look_up(client: &Client, fields: &FieldSet, who: &EmployeeRef) -> Result<Lookup> {
    let projection = Projection::new(fields.clone(), Arc::clone(client.config()));
    Ok(match person(client, &projection, who).await?.map(|(outcome, _)| outcome) {
        None => Lookup::NotFound,
        Some(Outcome::Employee(employee)) => Lookup::Found(employee),
        Some(Outcome::Deleted(_)) => Lookup::Deleted,
        Some(Outcome::Shell(_)) => Lookup::Erased,
        Some(Outcome::Rejected(_)) => return Err(another()),
    })
}

/// Reads some people, a few at a time. Nothing is sent before the stream is polled.
pub(crate) fn people(
    login: Arc<Login>,
    fields: FieldSet,
    people: Vec<EmployeeRef>,
) -> BoxStream<'static, Result<ReadEvent>> {
    let reading = Reading {
        login,
        fields,
        waiting: people.into(),
        opened: None,
        seen: Distinct::default(),
        notes: Notes::default(),
    };
    let steps = stream::try_unfold(Some(reading), |reading| async move {
        match reading {
            Some(reading) => reading.step().await.map(Some),
            None => Ok(None),
        }
    });
    steps.map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten().boxed()
}

/// A reading of some people under way.
struct Reading {
    login: Arc<Login>,
    fields: FieldSet,
    waiting: VecDeque<EmployeeRef>,
    opened: Option<(Opened, Projection)>,
    seen: Distinct,
    notes: Notes,
}

impl Reading {
    /// The next people, or the receipt once there are no more.
    async fn step(mut self) -> Result<(Vec<ReadEvent>, Option<Self>)> {
        let (opened, projection) = if let Some(opened) = self.opened.take() {
            opened
        } else {
            let opened = Opened::open(&self.login).await?;
            let projection = Projection::new(self.fields.clone(), Arc::clone(opened.client.config()));
            (opened, projection)
        };
        let few = self.waiting.len().min(opened.client.in_flight());
        if few == 0 {
            return Ok((vec![ReadEvent::End(self.receipt(&opened))], None));
        }
        let batch: Vec<_> = self.waiting.drain(..few).collect();
        let read = batch.iter().map(|who| person(&opened.client, &projection, who));
        let read = try_join_all(read).await?;
        let events = read.into_iter().flatten().map(|(outcome, notes)| self.event(outcome, notes)).collect();
        self.opened = Some((opened, projection));
        Ok((events, Some(self)))
    }

    fn event(&mut self, outcome: Outcome, notes: Notes) -> ReadEvent {
        self.notes += notes;
        match outcome {
            Outcome::Employee(employee) => {
                self.seen.insert(fold_id(employee.record.as_str()));
                ReadEvent::Employees(vec![*employee])
            }
            Outcome::Deleted(record) => ReadEvent::Deleted(record),
            Outcome::Rejected(row) | Outcome::Shell(row) => {
                if let Some(record) = &row.record {
                    self.seen.insert(fold_id(record.as_str()));
                }
                ReadEvent::Rejected(row)
            }
        }
    }

    fn receipt(mut self, opened: &Opened) -> Receipt {
        let absence = AbsenceGround::refused("only some people were read");
        opened.receipt(false, self.seen.count(), absence, self.notes)
    }
}
