//! A reading of everyone, or of everyone changed: page by page, each page converted as it comes, and the receipt that
//! says what it proves.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    AbsenceGround, Employee, Error, FieldSet, Ground, ListingEvidence, Problem, ReadEvent, Receipt, RecordId,
    RejectedRecord, Result, Watermark, rule,
};
use hris_http::{Distinct, fold_id};
use hris_http::{Page, PageStats, Paginator, Request};

use crate::client::{Client, Login, with_cursor};
use crate::convert::{Notes, Outcome, Projection};
use crate::errors::is_lost_cursor;
use crate::read_ahead::ReadAhead;
use crate::readiness::{EmployeeSync, Readiness, judge};
use crate::wire::{self, RowSeed};

/// How often a listing whose cursor was lost begins anew.
const RESTARTS: u32 = 1;

/// An account that may be read, and what a reading of it may be used for.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) readiness: Readiness,
    /// When the reading began, by the source's clock, if it tells.
    begun: Option<DateTime<Utc>>,
    sync: Option<EmployeeSync>,
}

impl Opened {
    /// Checks credentials and readiness.
    pub(crate) async fn open(login: &Login) -> Result<Self> {
        let checked = login.check().await?;
        let (sync, at) = checked.client.sync().await?;
        let now = at.or(checked.at).unwrap_or_else(|| checked.client.clock().now());
        let readiness = judge(&checked.account, sync.as_ref(), login.config(), now)?;
        Ok(Self { client: checked.client, readiness, begun: checked.at, sync })
    }

    /// The receipt of a reading, with the grounds that the account's state allows.
    pub(crate) fn receipt(&self, full: bool, distinct: u64, absence: AbsenceGround, notes: Notes) -> Receipt {
        let Readiness { stale, no_tombstones, .. } = &self.readiness;
        let kind = self.client.config().record_id.kind();
        let mut receipt = Receipt::new(self.client.account().clone(), kind, distinct, absence);
        receipt.full = full;
        receipt.tombstones = match stale.as_ref().or(no_tombstones.as_ref()) {
            None => Ground::Usable,
            Some(why) => Ground::refused(why.clone()),
        };
        if let Some(why) = stale {
            receipt.status = Ground::refused(why.clone());
            let message = format!("{why}; people are updated and nobody is removed");
            receipt.warnings.push(Problem::warning(rule::LEAVERS_WITHHELD, message));
        }
        receipt.warnings.extend(notes.warnings());
        receipt
    }
}

/// Reads everyone, or everyone changed since a watermark. Nothing is sent before the stream is polled.
pub(crate) fn everyone(
    login: Arc<Login>,
    fields: FieldSet,
    since: Option<Watermark>,
) -> BoxStream<'static, Result<ReadEvent>> {
    let steps = stream::try_unfold(Stage::Begin, move |stage| {
        let (login, fields, since) = (Arc::clone(&login), fields.clone(), since.clone());
        async move {
            match stage {
                Stage::Begin => {
                    let run = Run::begin(&login, fields, since).await?;
                    Ok(Some((Vec::new(), Stage::Run(Box::new(run)))))
                }
                Stage::Run(run) => run.step().await.map(Some),
                Stage::Done => Ok(None),
            }
        }
    });
    steps.map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten().boxed()
}

enum Stage {
    Begin,
    Run(Box<Run>),
    Done,
}

/// What all pages of a reading share.
struct Listing {
    client: Client,
    projection: Projection,
    request: Request,
}

/// A reading under way.
struct Run {
    opened: Opened,
    listing: Arc<Listing>,
    full: bool,
    pages: ReadAhead<Vec<Chunk>>,
    stats: PageStats,
    restarts: u32,
    seen: Distinct,
    unidentified: u64,
    gaps: u64,
    notes: Notes,
}

/// A page, converted.
#[derive(Default)]
struct Chunk {
    employees: Vec<Employee>,
    deleted: Vec<RecordId>,
    rejected: Vec<RejectedRecord>,
    /// Whether it had no rows although more pages follow.
    is_gap: bool,
    notes: Notes,
}

impl Run {
    async fn begin(login: &Login, fields: FieldSet, since: Option<Watermark>) -> Result<Self> {
        let opened = Opened::open(login).await?;
        let client = opened.client.clone();
        let projection = Projection::new(fields, Arc::clone(client.config()));
        // A watermark of a clock that ran ahead must not skip what changed since.
        let now = opened.begun.unwrap_or_else(|| client.clock().now());
        let since = since.map(|watermark| watermark.at.min(now));
        let after = since.map(|at| at.checked_sub_signed(client.config().overlap()).unwrap_or(at));
        let request = client.listing(projection.expand().as_deref(), after);
        let listing = Arc::new(Listing { client, projection, request });
        let (pages, stats) = listing.pages();
        Ok(Self {
            opened,
            listing,
            full: since.is_none(),
            pages,
            stats,
            restarts: 0,
            seen: Distinct::default(),
            unidentified: 0,
            gaps: 0,
            notes: Notes::default(),
        })
    }

    async fn step(mut self: Box<Self>) -> Result<(Vec<ReadEvent>, Stage)> {
        match self.pages.try_next().await {
            Ok(Some(chunks)) => Ok((self.take(chunks), Stage::Run(self))),
            Ok(None) => Ok((vec![ReadEvent::End(self.close().await)], Stage::Done)),
            Err(error) if self.may_restart(&error) => {
                tracing::warn!("the cursor of the employee listing was lost; it begins anew");
                self.restarts += 1;
                (self.pages, self.stats) = self.listing.pages();
                Ok((Vec::new(), Stage::Run(self)))
            }
            Err(error) => Err(error),
        }
    }

    /// Only pages after the first one have a cursor.
    fn may_restart(&self, error: &Error) -> bool {
        self.restarts < RESTARTS && self.stats.pages() > 0 && is_lost_cursor(error)
    }

    fn take(&mut self, chunks: Vec<Chunk>) -> Vec<ReadEvent> {
        let mut events = Vec::new();
        for chunk in chunks {
            self.notes += chunk.notes;
            self.gaps += u64::from(chunk.is_gap);
            let records = chunk.employees.iter().map(|employee| Some(&employee.record));
            for record in records.chain(chunk.rejected.iter().map(|row| row.record.as_ref())) {
                match record {
                    Some(record) => self.seen.insert(fold_id(record.as_str())),
                    None => self.unidentified += 1,
                }
            }
            events.extend((!chunk.employees.is_empty()).then_some(ReadEvent::Employees(chunk.employees)));
            events.extend(chunk.rejected.into_iter().map(ReadEvent::Rejected));
            events.extend(chunk.deleted.into_iter().map(ReadEvent::Deleted));
        }
        events
    }

    async fn close(mut self: Box<Self>) -> Receipt {
        let distinct = self.seen.count();
        let absence = if self.full {
            self.evidence(distinct).await.judge()
        } else {
            AbsenceGround::refused("only people changed since the last reading were read")
        };
        let mut receipt = self.opened.receipt(self.full, distinct, absence, self.notes);
        receipt.watermark = self.opened.begun.map(Watermark::at);
        receipt
    }

    async fn evidence(&mut self, distinct: u64) -> ListingEvidence {
        let readiness = &self.opened.readiness;
        let mut doubts: Vec<_> = readiness.stale.iter().chain(&readiness.doubts).cloned().collect();
        if self.gaps > 0 {
            // There is no total that would tell whether anybody should have stood there.
            doubts.push(format!("{} pages in the middle of the listing had no rows", self.gaps));
        }
        // A record that is touched while it is read may move past the reader.
        match self.listing.client.sync().await {
            Ok((sync, _)) if sync == self.opened.sync => {}
            Ok(_) => doubts.push("a synchronisation began or ended while the listing was read".to_owned()),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "the synchronisation status cannot be read again");
                doubts.push("whether a synchronisation ran in the meantime could not be asked".to_owned());
            }
        }
        ListingEvidence {
            natural_end: self.stats.reached_end(),
            whole_population: !readiness.is_selective,
            vendor_total: None,
            distinct,
            unidentified: self.unidentified,
            doubts,
        }
    }
}

impl Listing {
    fn pages(self: &Arc<Self>) -> (ReadAhead<Vec<Chunk>>, PageStats) {
        let listing = Arc::clone(self);
        let pages = Paginator::new(move |cursor: Option<String>| {
            let listing = Arc::clone(&listing);
            async move { listing.page(cursor.as_deref()).await }
        });
        let stats = pages.stats();
        (ReadAhead::new(pages.into_stream()), stats)
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Page<Chunk, String>> {
        let request = with_cursor(self.request.clone(), cursor);
        self.client.read(&request, |body, now| self.chunk(body, now)).await
    }

    fn chunk(&self, body: &[u8], now: Option<DateTime<Utc>>) -> Result<Page<Chunk, String>> {
        let page = wire::page(RowSeed(self.projection.keys()), body)?;
        let mut chunk = Chunk { employees: Vec::with_capacity(page.rows.len()), ..Chunk::default() };
        for row in &page.rows {
            match self.projection.outcome(row.as_ref(), now, &mut chunk.notes) {
                Outcome::Employee(employee) => chunk.employees.push(*employee),
                Outcome::Deleted(record) => chunk.deleted.push(record),
                Outcome::Rejected(row) | Outcome::Shell(row) => chunk.rejected.push(row),
            }
        }
        chunk.is_gap = page.rows.is_empty() && page.next.is_some();
        Ok(Page::new(vec![chunk], page.next))
    }
}
