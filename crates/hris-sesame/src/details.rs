//! Contract dates and line managers: one request per person each, asked for only when a query wants them, for people
//! who have not left, and cached.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use chrono::NaiveDate;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    Delivery, Employee, EmployeeField, EmploymentStatus, Error, ErrorKind, Field, FieldProblem, FieldSet,
    ManagerRef, Problem, RecordId, Result, rule,
};
use hris_http::lenient::{Cell, Items};

use crate::cache::{CachedDetail, ContractDates, Detail, DetailCache, DetailKind};
use crate::client::{Client, ListPage};
use crate::config::StartDateSource;
use crate::convert::date_field;
use crate::errors::is_fatal;
use crate::wire::{self, Contract, FirstOf, ManagerAnswer};

/// After so many failures in a row a kind of detail is given up for the rest of the reading: the endpoint does not
/// work for this account, and thousands more would fail alike.
const GIVE_UP_AFTER: u32 = 10;

/// The details that a reading wants, and how they go.
#[derive(Debug)]
pub(crate) struct Details {
    cache: Arc<dyn DetailCache>,
    contracts: Option<Tally>,
    managers: Option<Tally>,
    fields: FieldSet,
}

#[derive(Debug, Default)]
struct Tally {
    failed_in_a_row: AtomicU32,
    failed: AtomicU64,
}

impl Details {
    pub(crate) fn new(fields: &FieldSet, cache: Arc<dyn DetailCache>) -> Self {
        let dates = fields.has(EmployeeField::StartDate) || fields.has(EmployeeField::EndDate);
        Self {
            cache,
            contracts: dates.then(Tally::default),
            managers: fields.has(EmployeeField::Manager).then(Tally::default),
            fields: fields.clone(),
        }
    }

    /// Gives employees their details. An error is one that nothing survives.
    pub(crate) async fn fill(&self, client: &Client, employees: &mut [Employee]) -> Result<()> {
        if let Some(tally) = &self.contracts {
            self.fill_kind(client, DetailKind::Contracts, tally, employees).await?;
        }
        if let Some(tally) = &self.managers {
            self.fill_kind(client, DetailKind::Manager, tally, employees).await?;
        }
        Ok(())
    }

    /// Warnings about what could not be read.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Problem> {
        let kinds =
            [(&self.contracts, "start_date", "contracts"), (&self.managers, "manager", "line managers")];
        kinds.into_iter().filter_map(|(tally, field, what)| {
            let failed = tally.as_ref()?.failed.load(Ordering::Acquire);
            let message = || format!("the {what} of {failed} people could not be read and are left alone");
            (failed > 0).then(|| Problem::warning(rule::JOIN_FAILED, message()).at(field))
        })
    }

    async fn fill_kind(
        &self,
        client: &Client,
        kind: DetailKind,
        tally: &Tally,
        employees: &mut [Employee],
    ) -> Result<()> {
        let present = employees.iter_mut().filter(|employee| employee.status != EmploymentStatus::Inactive);
        let mut present: Vec<&mut Employee> = present.collect();
        let records: Vec<RecordId> = present.iter().map(|employee| employee.record.clone()).collect();
        let kept = self.kept(client, kind, &records).await;
        let reads = records.iter().cloned().zip(kept).map(|(record, kept)| async move {
            match kept {
                Some(detail) => Ok(Outcome::Kept(detail)),
                None => tally.read(client, kind, &record).await,
            }
        });
        let reads: Vec<_> = reads.collect();
        let outcomes: Vec<Outcome> = stream::iter(reads).buffered(client.in_flight()).try_collect().await?;
        self.keep(client, &records, &outcomes).await;
        for (employee, outcome) in present.iter_mut().zip(outcomes) {
            match outcome {
                Outcome::Kept(detail) | Outcome::Read(detail) => self.apply(client, detail, employee),
                Outcome::Failed => self.mark_failed(kind, employee),
                Outcome::GivenUp => {}
            }
        }
        Ok(())
    }

    /// What the cache has and is recent enough.
    async fn kept(&self, client: &Client, kind: DetailKind, records: &[RecordId]) -> Vec<Option<Detail>> {
        let oldest = client.clock().now() - client.config().details_max_age();
        let loaded = self.cache.load(&client.company().id, kind, records).await.unwrap_or_else(|error| {
            tracing::warn!(kind = ?error.kind(), "the cache of details cannot be read");
            Vec::new()
        });
        let fresh =
            |kept: CachedDetail| (kept.read_at > oldest && kept.detail.kind() == kind).then_some(kept.detail);
        let fresh = loaded.into_iter().map(|kept| kept.and_then(fresh));
        fresh.chain(std::iter::repeat(None)).take(records.len()).collect()
    }

    async fn keep(&self, client: &Client, records: &[RecordId], outcomes: &[Outcome]) {
        let read_at = client.clock().now();
        let read = records.iter().zip(outcomes).filter_map(|(record, outcome)| match outcome {
            Outcome::Read(detail) => Some((record.clone(), CachedDetail { detail: detail.clone(), read_at })),
            Outcome::Kept(_) | Outcome::Failed | Outcome::GivenUp => None,
        });
        let read: Vec<_> = read.collect();
        if read.is_empty() {
            return;
        }
        if let Err(error) = self.cache.save(&client.company().id, &read).await {
            tracing::warn!(kind = ?error.kind(), "the cache of details cannot be written");
        }
    }

    fn apply(&self, client: &Client, detail: Detail, employee: &mut Employee) {
        match detail {
            Detail::Contracts(dates) => {
                let start = match (client.config().start_date, dates.seniority) {
                    (StartDateSource::FirstContract, _) | (_, Field::Null) => dates.start,
                    (StartDateSource::SeniorityThenStart, seniority) => seniority,
                };
                employee.start_date = self.date(EmployeeField::StartDate, start, &mut employee.problems);
                employee.end_date = self.date(EmployeeField::EndDate, dates.end, &mut employee.problems);
            }
            Detail::Manager(manager) => {
                employee.manager = Field::from_option(manager.map(ManagerRef::Record));
            }
        }
    }

    fn date(
        &self,
        field: EmployeeField,
        date: Field<NaiveDate>,
        problems: &mut Vec<FieldProblem>,
    ) -> Field<NaiveDate> {
        if !self.fields.has(field) {
            return Field::Absent;
        }
        if date.is_absent() {
            problems.push(FieldProblem::unreadable(
                field,
                "a contract has a date that is not of the form YYYY-MM-DD",
            ));
        }
        date
    }

    fn mark_failed(&self, kind: DetailKind, employee: &mut Employee) {
        let fields: &[EmployeeField] = match kind {
            DetailKind::Contracts => &[EmployeeField::StartDate, EmployeeField::EndDate],
            DetailKind::Manager => &[EmployeeField::Manager],
        };
        let wanted = fields.iter().filter(|field| self.fields.has(**field));
        employee.problems.extend(wanted.map(|field| FieldProblem {
            field: (*field).into(),
            rule: rule::JOIN_FAILED,
            message: "could not be read for this person".into(),
        }));
    }
}

/// How reading one person's detail ended.
enum Outcome {
    Kept(Detail),
    Read(Detail),
    Failed,
    GivenUp,
}

impl Tally {
    async fn read(&self, client: &Client, kind: DetailKind, record: &RecordId) -> Result<Outcome> {
        if self.failed_in_a_row.load(Ordering::Acquire) >= GIVE_UP_AFTER {
            self.failed.fetch_add(1, Ordering::AcqRel);
            return Ok(Outcome::GivenUp);
        }
        let read = match kind {
            DetailKind::Contracts => contracts(client, record).await.map(Detail::Contracts),
            DetailKind::Manager => manager(client, record).await.map(Detail::Manager),
        };
        match read {
            Ok(detail) => {
                self.failed_in_a_row.store(0, Ordering::Release);
                Ok(Outcome::Read(detail))
            }
            Err(error) if is_fatal(&error) => Err(error),
            Err(error) => {
                tracing::debug!(record = record.as_str(), kind = ?error.kind(), "a detail could not be read");
                self.failed_in_a_row.fetch_add(1, Ordering::AcqRel);
                self.failed.fetch_add(1, Ordering::AcqRel);
                Ok(Outcome::Failed)
            }
        }
    }
}

async fn contracts(client: &Client, record: &RecordId) -> Result<ContractDates> {
    let pages = client.contracts(record.as_str(), |body| {
        let page = wire::read(PhantomData::<Items<Contract<'_>>>, body)?;
        let contracts = page.data.0.unwrap_or_default();
        Ok(ListPage { items: contracts.iter().map(dates_of).collect(), meta: page.meta })
    });
    Ok(all_dates(&pages.try_concat().await?))
}

/// The dates of one contract.
fn dates_of(contract: &Contract<'_>) -> ContractDates {
    ContractDates {
        seniority: first_date([&contract.seniority_date]),
        start: first_date([&contract.start_date, &contract.start_at]),
        end: first_date([&contract.end_date, &contract.end_at]),
    }
}

/// The first cell that says anything, as a date; absent if it cannot be read.
fn first_date<'c>(cells: impl IntoIterator<Item = &'c Cell<'c>>) -> Field<NaiveDate> {
    let said = cells.into_iter().find(|cell| !cell.is_empty());
    said.map_or(Field::Null, |cell| date_field(cell).unwrap_or(Field::Absent))
}

fn all_dates(contracts: &[ContractDates]) -> ContractDates {
    let has_open_end = contracts.iter().any(|contract| contract.end == Field::Null);
    ContractDates {
        seniority: best(contracts.iter().map(|contract| contract.seniority), Ord::min),
        start: best(contracts.iter().map(|contract| contract.start), Ord::min),
        end: if has_open_end {
            Field::Null
        } else {
            best(contracts.iter().map(|contract| contract.end), Ord::max)
        },
    }
}

/// The best of the dates that there are; absent if one could not be read, since it might have been the best.
fn best(
    dates: impl Iterator<Item = Field<NaiveDate>>,
    better: fn(NaiveDate, NaiveDate) -> NaiveDate,
) -> Field<NaiveDate> {
    dates.fold(Field::Null, |best, date| match (best, date) {
        (Field::Absent, _) | (_, Field::Absent) => Field::Absent,
        (Field::Null, date) | (date, Field::Null) => date,
        (Field::Value(best), Field::Value(date)) => Field::Value(better(best, date)),
    })
}

async fn manager(client: &Client, record: &RecordId) -> Result<Option<RecordId>> {
    let own = record.clone();
    let answer = client.manager(record.as_str(), move |body| {
        let answer = wire::read(PhantomData::<FirstOf<ManagerAnswer<'_>>>, body)?.data;
        answer.0.map_or(Ok(None), |manager| manager_in(&manager, own.as_str()))
    });
    Ok(answer.await?.flatten())
}

/// The manager in an answer whose form is not documented. An answer about the person asked for is none about a
/// manager.
fn manager_in(answer: &ManagerAnswer<'_>, own: &str) -> Result<Option<RecordId>> {
    let holder = answer.organization_chart_manager.as_ref();
    let held = holder.and_then(|holder| holder.0.as_ref()).and_then(|manager| manager.id.scalar());
    let says_none =
        matches!(answer.organization_chart_manager_id, Cell::Null | Cell::Text(_)) || holder.is_some();
    match answer.organization_chart_manager_id.scalar().or(held) {
        Some(id) if id != own => return Ok(Some(id.into())),
        None if says_none => return Ok(None),
        _ => {}
    }
    match answer.id.scalar() {
        Some(id) if id != own => Ok(Some(id.into())),
        _ => Err(Error::new(ErrorKind::Protocol, "the answer about the line manager names none")
            .with_delivery(Delivery::Answered)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(json: &str) -> ContractDates {
        let contracts: Items<Contract<'_>> = serde_json::from_str(json).unwrap();
        all_dates(&contracts.0.unwrap().iter().map(dates_of).collect::<Vec<_>>())
    }

    fn day(text: &str) -> Field<NaiveDate> {
        Field::Value(text.parse().unwrap())
    }

    #[test]
    fn seniority_and_start_are_the_earliest_and_the_end_is_the_latest() {
        let dates = dates(
            r#"[{"startDate":"2023-03-01","endDate":"2024-01-31","seniorityDate":"2022-09-01"},
                {"startAt":"2022-09-05","endAt":"2023-02-28","seniorityDate":null}]"#,
        );
        assert!(dates.seniority == day("2022-09-01") && dates.start == day("2022-09-05"));
        assert!(dates.end == day("2024-01-31"));
    }

    #[test]
    fn a_contract_without_end_leaves_the_end_open() {
        let dates = dates(
            r#"[{"startDate":"2022-09-01","endDate":"2023-02-28"},{"startDate":"2023-03-01","endDate":null}]"#,
        );
        assert!(dates.end == Field::Null);
    }

    #[test]
    fn without_contracts_there_are_no_dates() {
        assert!(
            dates("[]") == ContractDates { seniority: Field::Null, start: Field::Null, end: Field::Null }
        );
    }

    #[test]
    fn a_date_that_cannot_be_read_makes_its_kind_unknown_and_no_other() {
        let dates = dates(
            r#"[{"startDate":"soon","seniorityDate":""},{"startDate":"2022-09-01","endDate":"0000-00-00"}]"#,
        );
        assert!(dates.start == Field::Absent && dates.seniority == Field::Null && dates.end == Field::Null);
    }

    #[test]
    fn a_manager_is_found_in_every_form_that_the_endpoint_may_have() {
        for (json, expected) in [
            (r#"{"id":"m1","firstName":"Ana"}"#, Ok(Some("m1"))),
            (r#"{"organizationChartManagerId":"m1"}"#, Ok(Some("m1"))),
            (r#"{"id":"me","organizationChartManager":{"id":"m1"}}"#, Ok(Some("m1"))),
            (r#"[{"id":"m1"},{"id":"m2"}]"#, Ok(Some("m1"))),
            (r#"{"organizationChartManagerId":null}"#, Ok(None)),
            (r#"{"id":"me","organizationChartManager":null}"#, Ok(None)),
            (r#"{"id":"me"}"#, Err(())),
            ("{}", Err(())),
        ] {
            let answer: FirstOf<ManagerAnswer<'_>> = serde_json::from_str(json).unwrap();
            let manager = manager_in(&answer.0.unwrap(), "me").map_err(|_| ());
            assert_eq!(manager, expected.map(|id| id.map(RecordId::from)), "{json}");
        }
    }
}
