//! Reading single people: one request each, and one for each join that is wanted.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    AbsenceGround, Delivery, Employee, EmployeeRef, EmploymentStatus, Error, ErrorKind, FieldSet, Problem,
    ReadEvent, Receipt, Result,
};
use hris_http::{Distinct, fold_id};

use crate::cache::DetailCache;
use crate::client::{Client, Login};
use crate::connector::RECORD_ID_KIND;
use crate::convert::{Projection, record_id};
use crate::details::Details;
use crate::joins::Joins;
use crate::wire::{self, RowSeed};

/// One person with the wanted fields, and warnings about joins; `None` where the vendor says there is none.
pub(crate) async fn person(
    client: &Client,
    cache: Arc<dyn DetailCache>,
    fields: &FieldSet,
    who: &EmployeeRef,
) -> Result<Option<(Employee, Vec<Problem>)>> {
    let id = who.record.as_str();
    let Some(body) = client.employee(id).await? else { return Ok(None) };
    let (joins, mut warnings) = Joins::read(client, fields, Some(id)).await?;
    let projection = Projection::new(fields.clone(), client.config());
    let row = wire::read(RowSeed(projection.keys()), &body)?.data;
    let row = row.filter(|row| record_id(row) == Some(id)).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "the answer is not about the person who was asked for")
            .with_delivery(Delivery::Answered)
    })?;
    let implied = EmploymentStatus::Unknown(None);
    let mut employee = projection.employee(id, &row, implied, client.company(), &joins);
    let details = Details::new(fields, cache);
    details.fill(client, std::slice::from_mut(&mut employee)).await?;
    warnings.extend(details.warnings());
    Ok(Some((employee, warnings)))
}

/// Reads some people, a few at a time. Nothing is sent before the stream is polled.
pub(crate) fn people(
    login: Arc<Login>,
    cache: Arc<dyn DetailCache>,
    fields: FieldSet,
    people: Vec<EmployeeRef>,
) -> BoxStream<'static, Result<ReadEvent>> {
    let reading = Reading {
        login,
        cache,
        fields,
        waiting: people.into(),
        client: None,
        seen: Distinct::default(),
        warnings: Vec::new(),
    };
    let steps = stream::try_unfold(Some(reading), |reading| async move {
        match reading {
            Some(reading) => reading.step().await.map(Some),
            None => Ok(None),
        }
    });
    steps.map_ok(|event| stream::iter(event.map(Ok))).try_flatten().boxed()
}

/// A reading of some people under way.
struct Reading {
    login: Arc<Login>,
    cache: Arc<dyn DetailCache>,
    fields: FieldSet,
    waiting: VecDeque<EmployeeRef>,
    client: Option<Client>,
    seen: Distinct,
    warnings: Vec<Problem>,
}

impl Reading {
    /// The next people, or the receipt once there are no more.
    async fn step(mut self) -> Result<(Option<ReadEvent>, Option<Self>)> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.login.check().await?,
        };
        let few = self.waiting.len().min(client.in_flight());
        if few == 0 {
            return Ok((Some(ReadEvent::End(self.receipt(&client))), None));
        }
        let batch: Vec<_> = self.waiting.drain(..few).collect();
        let read = batch.iter().map(|who| person(&client, Arc::clone(&self.cache), &self.fields, who));
        let mut employees = Vec::new();
        for (employee, warnings) in try_join_all(read).await?.into_iter().flatten() {
            self.seen.insert(fold_id(employee.record.as_str()));
            self.warnings.extend(warnings);
            employees.push(employee);
        }
        self.client = Some(client);
        Ok(((!employees.is_empty()).then_some(ReadEvent::Employees(employees)), Some(self)))
    }

    fn receipt(mut self, client: &Client) -> Receipt {
        let absence = AbsenceGround::refused("only some people were read");
        let mut receipt =
            Receipt::new(client.company().id.clone(), RECORD_ID_KIND, self.seen.count(), absence);
        receipt.full = false;
        receipt.warnings = self.warnings;
        receipt
    }
}
