//! A reading of the directory: current staff first, by their ids alone, then everybody, each converted as they come, and
//! the receipt that says what it proves.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    AbsenceGround, AccountId, Delivery, Employee, Error, ErrorKind, FieldSet, ListingEvidence, Problem,
    ReadEvent, Receipt, RecordId, RejectedRecord, Result, rule,
};

use crate::batch::Batch;
use crate::client::{Client, Emptiness};
use crate::config::{Listings, RecordIdSource};
use crate::connector::record_id_kind;
use crate::convert::{Projection, record_key, unknown_custom};
use crate::dates::today;
use crate::listing::{Listing, Rows, broken_row};
use crate::roster::Roster;
use crate::status::Found;
use crate::wire::{RowSeed, Wanted, front, is_json, whole};

/// People that are handed on at a time, or somewhat more.
const BATCH: usize = 100;

/// The only people who are wanted, by record id.
pub(crate) type Only = Arc<HashSet<RecordId>>;

/// Reads everyone, or some. Nothing is sent before the stream is polled.
pub(crate) fn read(
    client: Client,
    fields: FieldSet,
    only: Option<Only>,
) -> BoxStream<'static, Result<ReadEvent>> {
    let steps = stream::try_unfold(Stage::Begin(Box::new((client, fields, only))), |stage| async move {
        match stage {
            Stage::Begin(begin) => {
                let (client, fields, only) = *begin;
                let run = Box::pin(Run::begin(client, fields, only)).await?;
                Ok(Some((Vec::new(), Stage::Run(Box::new(run)))))
            }
            Stage::Run(run) => run.step().await.map(Some),
            Stage::Done => Ok(None),
        }
    });
    steps.map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten().boxed()
}

enum Stage {
    Begin(Box<(Client, FieldSet, Option<Only>)>),
    Run(Box<Run>),
    Done,
}

type SharedRoster = Arc<Mutex<Roster>>;

fn lock(roster: &SharedRoster) -> MutexGuard<'_, Roster> {
    roster.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reading under way.
struct Run {
    account: AccountId,
    source: RecordIdSource,
    both_listings: bool,
    full: bool,
    roster: SharedRoster,
    listing: Listing<People>,
    warnings: Vec<Problem>,
}

impl Run {
    async fn begin(client: Client, fields: FieldSet, only: Option<Only>) -> Result<Self> {
        let config = client.config();
        let (source, both_listings) = (config.record_id, config.listings == Listings::Both);
        let full = only.is_none();
        let account = client.company().await?.id;
        let emptiness = if full { Emptiness::TriedAgain } else { Emptiness::Refused };
        let warnings = unknown_custom(&fields);
        let roster = if both_listings { current_staff(&client, emptiness).await? } else { Roster::default() };
        let roster = Arc::new(Mutex::new(roster));
        let day = today(client.clock().now(), config.zone()?);
        let projection = Arc::new(Projection::new(fields, config, day));
        let people = || {
            lock(&roster).begin_again();
            People::new(&projection, &roster, both_listings, only.clone())
        };
        let listing = client.listing(true, emptiness, people).await?;
        Ok(Self { account, source, both_listings, full, roster, listing, warnings })
    }

    async fn step(mut self: Box<Self>) -> Result<(Vec<ReadEvent>, Stage)> {
        // The listing began with rows that are not handed on yet.
        let mut goes_on = true;
        while goes_on && self.listing.rows().batch.len() < BATCH {
            goes_on = self.listing.more().await?;
        }
        let mut events = self.listing.rows().batch.take();
        if goes_on {
            return Ok((events, Stage::Run(self)));
        }
        events.push(ReadEvent::End(self.end()?));
        Ok((events, Stage::Done))
    }

    fn end(self) -> Result<Receipt> {
        let (met, unmet) = {
            let mut roster = lock(&self.roster);
            (roster.met(), roster.unmet())
        };
        let people = self.listing.into_rows();
        let distinct = people.delivered.as_ref().map_or(met, |delivered| delivered.len() as u64);
        if met == 0 && people.rows > 0 {
            return Err(no_record_ids(self.source));
        }
        tracing::debug!(distinct, rows = people.rows, "the listing was read to its end");
        let mut warnings = self.warnings;
        warnings.extend(people.warnings(met, unmet));
        let absence = if self.full {
            evidence(met, unmet, people.unidentified, self.both_listings).judge()
        } else {
            AbsenceGround::refused("only some people were asked for")
        };
        let mut receipt = Receipt::new(self.account, record_id_kind(self.source).clone(), distinct, absence);
        receipt.full = self.full;
        receipt.warnings = warnings;
        Ok(receipt)
    }
}

fn evidence(distinct: u64, unmet: u64, unidentified: u64, both_listings: bool) -> ListingEvidence {
    let missing = format!("{unmet} people of current staff are missing in the listing of everybody");
    let mut doubts = Vec::from_iter((unmet > 0).then_some(missing));
    if !both_listings {
        doubts.push("a single listing has nothing to be held against".to_owned());
    }
    ListingEvidence {
        natural_end: true,
        whole_population: true,
        vendor_total: None,
        distinct,
        unidentified,
        doubts,
    }
}

/// Reads who belongs to current staff.
async fn current_staff(client: &Client, emptiness: Emptiness) -> Result<Roster> {
    let source = client.config().record_id;
    let mut listing = client.listing(false, emptiness, || CurrentStaff::new(source)).await?;
    while listing.more().await? {}
    let staff = listing.into_rows();
    let mut roster = staff.roster;
    if roster.close() == 0 && staff.rows > 0 {
        return Err(no_record_ids(source));
    }
    Ok(roster)
}

/// Begins to read current staff, and says whether any of the first rows has a record id; `None` if there are no rows.
pub(crate) async fn has_record_ids(client: &Client) -> Result<Option<bool>> {
    let source = client.config().record_id;
    let mut listing = client.listing(false, Emptiness::Accepted, || CurrentStaff::new(source)).await?;
    let staff = listing.rows();
    Ok((staff.rows > 0).then(|| staff.roster.close() > 0))
}

fn no_record_ids(source: RecordIdSource) -> Error {
    let key = record_key(source).name();
    let error = Error::config(format!("no row of this PeopleHR has a readable `{key}`"), NO_RECORD_IDS);
    error.with_delivery(Delivery::Answered).with_context("path", format!("Result[].{key}"))
}

/// What to do where rows have no record ids.
pub(crate) const NO_RECORD_IDS: &str =
    "if this PeopleHR sends no UniqueKey, set `record_id` to employee_id before the first run";

/// The rows of current staff, of which only the ids are read.
struct CurrentStaff {
    wanted: Wanted,
    source: RecordIdSource,
    roster: Roster,
    rows: u64,
}

impl CurrentStaff {
    fn new(source: RecordIdSource) -> Self {
        let wanted = [record_key(source)].into_iter().collect();
        Self { wanted, source, roster: Roster::default(), rows: 0 }
    }
}

impl Rows for CurrentStaff {
    fn front(&mut self, bytes: &[u8]) -> Option<usize> {
        let (row, length) = front(RowSeed(&self.wanted), bytes)?;
        self.rows += 1;
        if let Some(id) = row.cell(record_key(self.source)).written() {
            self.roster.add_current(id);
        }
        Some(length)
    }

    fn row(&mut self, json: &[u8]) -> Result<()> {
        match whole(RowSeed(&self.wanted), json) {
            Some(row) => {
                if let Some(id) = row.cell(record_key(self.source)).written() {
                    self.roster.add_current(id);
                }
            }
            None if !is_json(json) => return Err(broken_row()),
            None => {}
        }
        self.rows += 1;
        Ok(())
    }
}

/// The rows of everybody, converted.
struct People {
    projection: Arc<Projection>,
    roster: SharedRoster,
    both_listings: bool,
    only: Option<Only>,
    /// Of those who alone are wanted, the ones who were found.
    delivered: Option<HashSet<RecordId>>,
    batch: Batch,
    rows: u64,
    unidentified: u64,
    unknown_codes: u64,
}

impl People {
    fn new(
        projection: &Arc<Projection>,
        roster: &SharedRoster,
        both_listings: bool,
        only: Option<Only>,
    ) -> Self {
        Self {
            projection: Arc::clone(projection),
            roster: Arc::clone(roster),
            both_listings,
            delivered: only.as_ref().map(|_| HashSet::new()),
            only,
            batch: Batch::default(),
            rows: 0,
            unidentified: 0,
            unknown_codes: 0,
        }
    }

    fn convert(&mut self, row: &crate::wire::Row<'_>) {
        let projection = Arc::clone(&self.projection);
        let Some(id) = projection.record(row) else {
            return self.reject("the row has no readable record id");
        };
        let is_current = lock(&self.roster).meet(id);
        let found = if is_current || !self.both_listings { Found::Current } else { Found::LeaversOnly };
        if self.only.as_ref().is_some_and(|only| !only.contains(id)) {
            return;
        }
        let converted = projection.employee(id, row, found);
        self.unknown_codes += u64::from(converted.has_unknown_code);
        if let Some(delivered) = &mut self.delivered {
            delivered.insert(converted.employee.record.clone());
        }
        self.batch.employees.push(converted.employee);
    }

    fn reject(&mut self, message: &'static str) {
        self.unidentified += 1;
        if self.only.is_none() {
            let place = format!("Result[{}]", self.rows);
            self.batch.rejected.push(RejectedRecord::unreadable(None, message).at(place));
        }
    }

    fn warnings(&self, met: u64, unmet: u64) -> Vec<Problem> {
        let mut warnings = Vec::new();
        if self.unknown_codes > 0 {
            let message = format!(
                "{} people have a status code that is not among `active_status_codes`; PeopleHR does not document its codes",
                self.unknown_codes
            );
            warnings.push(Problem::warning(rule::STATUS_UNKNOWN, message));
        }
        if unmet > 0 {
            let message = format!(
                "{unmet} people of current staff are missing in the listing of everybody, which was read after it"
            );
            warnings.push(Problem::warning(rule::TOTAL_MISMATCH, message));
        }
        let repeats = self.rows.saturating_sub(met + self.unidentified);
        if repeats > 0 {
            let message = format!("{repeats} rows came twice");
            warnings.push(Problem::warning(rule::RECORD_REPEATED, message));
        }
        warnings
    }
}

impl Rows for People {
    fn front(&mut self, bytes: &[u8]) -> Option<usize> {
        let projection = Arc::clone(&self.projection);
        let (row, length) = front(projection.seed(), bytes)?;
        self.convert(&row);
        self.rows += 1;
        Some(length)
    }

    fn row(&mut self, json: &[u8]) -> Result<()> {
        let projection = Arc::clone(&self.projection);
        match whole(projection.seed(), json) {
            Some(row) => self.convert(&row),
            None if !is_json(json) => return Err(broken_row()),
            None => self.reject("the row is not an object that can be read"),
        }
        self.rows += 1;
        Ok(())
    }
}

/// Looks for one person in the listings. `None` if they are in neither.
///
/// # Errors
/// [`ErrorKind::Incomplete`] among others, if the listings are empty.
pub(crate) async fn find(client: &Client, fields: &FieldSet, record: &RecordId) -> Result<Option<Employee>> {
    let only = Arc::new(HashSet::from([record.clone()]));
    let mut events = read(client.clone(), fields.clone(), Some(only));
    let mut found = None;
    while let Some(event) = events.try_next().await? {
        match event {
            ReadEvent::Employees(employees) => found = employees.into_iter().next_back().or(found),
            ReadEvent::End(_) => return Ok(found),
            _ => {}
        }
    }
    Err(Error::new(ErrorKind::Incomplete, "the listing stopped"))
}
