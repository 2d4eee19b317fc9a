//! A saved query in place of the directory: rows that are keyed by the captions of its columns.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    AbsenceGround, AccountId, Employee, EmployeeField, Error, Field, FieldDescriptor, FieldSet,
    ListingEvidence, Problem, ReadEvent, Receipt, RejectedRecord, Result, SourceField, rule,
};
use hris_http::lenient::{Cell, otherwise};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::client::Client;
use crate::config::RecordIdSource;
use crate::connector::record_id_kind;
use crate::convert::Making;
use crate::dates::{date_field, today};
use crate::lenient::Unwrapped;
use crate::listing::{Listing, Rows, broken_row};
use crate::roster::Roster;
use crate::status::{Evidence, Found, StatusRule};
use crate::wire::{front, is_json, whole};

/// People that are handed on at a time, or somewhat more.
const BATCH: usize = 100;

/// A query that an administrator saved in PeopleHR under Queries, to be read in place of the directory: for people,
/// columns or custom screens that the directory does not have.
///
/// Its rows have the captions of its columns, which are free text; each is given the field that it means. `employee_id`
/// and `end_date` have to be among them, since a query has no other id and no other word about who has left.
///
/// ```
/// use hris_core::{EmployeeField, SourceField};
/// use hris_peoplehr::QuerySource;
/// let feed = QuerySource::new("Rewards feed")
///     .with_column("Employee Id", EmployeeField::EmployeeId)
///     .with_column("Final Day of Employment", EmployeeField::EndDate)
///     .with_column("Work Email", EmployeeField::WorkEmail)
///     .with_column("T-Shirt", SourceField::Custom("shirt".into()));
/// # let _ = feed;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct QuerySource {
    /// The name of the query, letter by letter.
    pub name: String,
    /// The fields by the captions of their columns. Other columns are not read.
    pub columns: BTreeMap<String, SourceField>,
}

impl QuerySource {
    /// A query by its name, without columns so far.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), columns: BTreeMap::new() }
    }

    /// Says what a column means.
    #[must_use]
    pub fn with_column(mut self, caption: impl Into<String>, field: impl Into<SourceField>) -> Self {
        self.columns.insert(caption.into(), field.into());
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.name.trim().is_empty() {
            return Err(Error::config(
                "the saved query has no name",
                "give the name that it has in PeopleHR under Queries",
            ));
        }
        for needed in [EmployeeField::EmployeeId, EmployeeField::EndDate] {
            if !self.columns.values().any(|field| *field == needed.into()) {
                let message = format!("no column of the saved query is `{}`", needed.as_str());
                let hint = "add such a column to the query in PeopleHR, and its caption to `columns`";
                return Err(Error::config(message, hint));
            }
        }
        for (at, field) in self.columns.values().enumerate() {
            let given = [EmployeeField::RecordId, EmployeeField::Status].map(SourceField::from);
            if given.contains(field) || self.columns.values().skip(at + 1).any(|other| other == field) {
                let message = format!("`{field}` cannot be a column of the saved query, or is two of them");
                return Err(Error::config(message, "give each column another field"));
            }
        }
        Ok(())
    }

    /// The fields that a mapping can read, with the captions as labels.
    pub(crate) fn fields(&self) -> Vec<FieldDescriptor> {
        let columns =
            self.columns.iter().map(|(caption, field)| FieldDescriptor::new(field.clone(), caption));
        let given = [
            FieldDescriptor::new(EmployeeField::RecordId, "Employee ID, as record id"),
            FieldDescriptor::new(EmployeeField::Status, "Status, from the first and the last day"),
        ];
        given.into_iter().chain(columns).collect()
    }
}

/// Reads the saved query of a connection. Nothing is sent before the stream is polled.
pub(crate) fn read(
    client: Client,
    query: QuerySource,
    fields: FieldSet,
) -> BoxStream<'static, Result<ReadEvent>> {
    let steps = stream::try_unfold(Stage::Begin(Box::new((client, query, fields))), |stage| async move {
        match stage {
            Stage::Begin(begin) => {
                let (client, query, fields) = *begin;
                let run = Box::pin(Run::begin(client, &query, fields)).await?;
                Ok(Some((Vec::new(), Stage::Run(Box::new(run)))))
            }
            Stage::Run(run) => run.step().await.map(Some),
            Stage::Done => Ok(None),
        }
    });
    steps.map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten().boxed()
}

enum Stage {
    Begin(Box<(Client, QuerySource, FieldSet)>),
    Run(Box<Run>),
    Done,
}

/// A reading under way, which no other of the same key interrupts.
struct Run {
    account: AccountId,
    listing: Listing<QueryRows>,
    warnings: Vec<Problem>,
    _turn: futures_util::lock::OwnedMutexGuard<()>,
}

impl Run {
    async fn begin(client: Client, query: &QuerySource, fields: FieldSet) -> Result<Self> {
        let account = client.company().await?.id;
        let day = today(client.clock().now(), client.config().zone()?);
        let has = |name: &str| query.columns.values().any(|field| *field == SourceField::Custom(name.into()));
        let unknown = fields.custom().filter(|name| !has(name));
        let warnings = unknown.map(no_such_column).collect();
        let columns = Arc::new(Columns::new(query, fields, StatusRule::new(client.config(), day)));
        let turn = client.query_turn().await;
        let listing = client.query(query, || QueryRows::new(&columns)).await?;
        Ok(Self { account, listing, warnings, _turn: turn })
    }

    async fn step(mut self: Box<Self>) -> Result<(Vec<ReadEvent>, Stage)> {
        let mut goes_on = true;
        while goes_on && self.listing.rows().batch.len() < BATCH {
            goes_on = self.listing.more().await?;
        }
        let mut events = self.listing.rows().batch.take();
        if goes_on {
            return Ok((events, Stage::Run(self)));
        }
        events.push(ReadEvent::End(self.end()));
        Ok((events, Stage::Done))
    }

    fn end(self) -> Receipt {
        let mut rows = self.listing.into_rows();
        let evidence = ListingEvidence {
            natural_end: true,
            distinct: rows.roster.met(),
            unidentified: rows.unidentified,
            ..ListingEvidence::default()
        };
        let (distinct, absence): (_, AbsenceGround) = (evidence.distinct, evidence.judge());
        let kind = record_id_kind(RecordIdSource::EmployeeId).clone();
        let mut receipt = Receipt::new(self.account, kind, distinct, absence);
        receipt.warnings = self.warnings;
        receipt
    }
}

fn no_such_column(name: &str) -> Problem {
    let message = "no column of the saved query is this field; add it to `columns`";
    Problem::warning(rule::FIELD_UNREADABLE, message).at(format!("custom:{name}"))
}

/// The columns that are read, and what is made of them.
struct Columns {
    read: Vec<(String, SourceField)>,
    fields: FieldSet,
    status: StatusRule,
}

impl Columns {
    fn new(query: &QuerySource, fields: FieldSet, status: StatusRule) -> Self {
        let always = [EmployeeField::EmployeeId, EmployeeField::StartDate, EmployeeField::EndDate]
            .map(SourceField::from);
        let is_wanted = |field: &SourceField| match field {
            field if always.contains(field) => true,
            SourceField::Employee(field) => fields.has(*field),
            SourceField::Custom(name) => fields.has_custom(name),
        };
        let read = query.columns.iter().filter(|(_, field)| is_wanted(field));
        let read = read.map(|(caption, field)| (caption.clone(), field.clone())).collect();
        Self { read, fields, status }
    }

    fn employee(&self, id: &str, row: &QueryRow<'_>) -> Employee {
        let mut making = Making::new(&self.fields);
        let cell = |field: EmployeeField| row.cell(self, field);
        let evidence = Evidence {
            found: Found::Current,
            leaving: date_field(cell(EmployeeField::EndDate)),
            start: date_field(cell(EmployeeField::StartDate)).ok().and_then(Field::into_value),
            code: &Cell::Missing,
        };
        let mut employee = Employee::new(id, making.status(self.status.decide(&evidence)));
        for ((_, field), cell) in self.read.iter().zip(&row.0) {
            match field {
                SourceField::Employee(field) => making.assign(&mut employee, *field, cell),
                SourceField::Custom(name) => making.custom(&mut employee, name, cell),
            }
        }
        employee.problems = making.problems;
        employee
    }
}

/// One row, with the cells of the columns that are read.
struct QueryRow<'a>(Vec<Cell<'a>>);

impl<'a> QueryRow<'a> {
    fn cell(&self, columns: &Columns, field: EmployeeField) -> &Cell<'a> {
        let at = columns.read.iter().position(|(_, read)| *read == field.into());
        at.and_then(|at| self.0.get(at)).unwrap_or(&Cell::Missing)
    }
}

/// Decodes one row; `None` where something else than an object stands.
struct QueryRowSeed<'c>(&'c Columns);

impl<'de> DeserializeSeed<'de> for QueryRowSeed<'_> {
    type Value = Option<QueryRow<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for QueryRowSeed<'_> {
    type Value = Option<QueryRow<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells: Vec<_> = self.0.read.iter().map(|_| Cell::Missing).collect();
        while let Some(place) = map.next_key_seed(CaptionSeed(self.0))? {
            match place.and_then(|place| cells.get_mut(place)) {
                Some(cell) => *cell = map.next_value::<Unwrapped<'_>>()?.0,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(QueryRow(cells)))
    }

    otherwise!(None => bare texts nulls lists);
}

/// Finds the place of a column by its caption.
struct CaptionSeed<'c>(&'c Columns);

impl<'de> DeserializeSeed<'de> for CaptionSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for CaptionSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a caption")
    }

    fn visit_str<E>(self, caption: &str) -> Result<Self::Value, E> {
        Ok(self.0.read.iter().position(|(known, _)| known == caption))
    }
}

/// The rows of a query, converted.
struct QueryRows {
    columns: Arc<Columns>,
    roster: Roster,
    batch: Batch,
    rows: u64,
    unidentified: u64,
}

impl QueryRows {
    fn new(columns: &Arc<Columns>) -> Self {
        let columns = Arc::clone(columns);
        Self { columns, roster: Roster::default(), batch: Batch::default(), rows: 0, unidentified: 0 }
    }

    fn convert(&mut self, row: Option<&QueryRow<'_>>) {
        let columns = Arc::clone(&self.columns);
        let id =
            |row: &QueryRow<'_>| row.cell(&columns, EmployeeField::EmployeeId).written().map(str::to_owned);
        if let Some((row, id)) = row.and_then(|row| Some((row, id(row)?))) {
            self.roster.meet(&id);
            self.batch.employees.push(columns.employee(&id, row));
        } else {
            self.unidentified += 1;
            let rejected = RejectedRecord::unreadable(None, "the row has no readable Employee ID");
            self.batch.rejected.push(rejected.at(format!("Result[{}]", self.rows)));
        }
        self.rows += 1;
    }
}

impl Rows for QueryRows {
    fn front(&mut self, bytes: &[u8]) -> Option<usize> {
        let columns = Arc::clone(&self.columns);
        let (row, length) = front(QueryRowSeed(&columns), bytes)?;
        self.convert(row.as_ref());
        Some(length)
    }

    fn row(&mut self, json: &[u8]) -> Result<()> {
        let columns = Arc::clone(&self.columns);
        match whole(QueryRowSeed(&columns), json) {
            Some(row) => self.convert(row.as_ref()),
            None if !is_json(json) => return Err(broken_row()),
            None => self.convert(None),
        }
        Ok(())
    }
}
