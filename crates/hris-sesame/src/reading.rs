//! A reading of everyone: pass by pass, each page converted as it comes, and the receipt that says what it proves.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    Employee, EmploymentStatus, FieldSet, ListingEvidence, Problem, ReadEvent, Receipt, RejectedRecord,
    Result, rule,
};
use hris_http::lenient::ListSeed;
use hris_http::{Distinct, fold_id};
use hris_http::{NumberedPage, PageStats, numbered_pages};

use crate::cache::DetailCache;
use crate::client::{Client, Login, Pass};
use crate::config::StatusStrategy;
use crate::connector::RECORD_ID_KIND;
use crate::convert::{Projection, record_id, unidentified};
use crate::details::Details;
use crate::joins::Joins;
use crate::totals::Totals;
use crate::wire::{self, Meta, RowSeed};

/// Reads everyone. Nothing is sent before the stream is polled.
pub(crate) fn everyone(
    login: Arc<Login>,
    cache: Arc<dyn DetailCache>,
    fields: FieldSet,
) -> BoxStream<'static, Result<ReadEvent>> {
    let steps = stream::try_unfold(Stage::Begin, move |stage| {
        let (login, cache, fields) = (Arc::clone(&login), Arc::clone(&cache), fields.clone());
        async move {
            match stage {
                Stage::Begin => {
                    let run = Run::begin(&login, cache, fields).await?;
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
struct Context {
    client: Client,
    projection: Projection,
    joins: Joins,
    details: Details,
}

/// A reading under way.
struct Run {
    context: Arc<Context>,
    waiting: VecDeque<Pass>,
    under_way: UnderWay,
    finished: Vec<Finished>,
    warnings: Vec<Problem>,
}

/// A pass that is being read.
struct UnderWay {
    pass: Pass,
    pages: BoxStream<'static, Result<Vec<Chunk>>>,
    stats: PageStats,
    totals: Totals,
    seen: Distinct,
    unidentified: u64,
    /// Whom the pass showed when it was read for the first time, if this is the second time.
    before: Option<Distinct>,
}

/// A pass that was read to its end.
struct Finished {
    pass: Pass,
    seen: Arc<Distinct>,
    distinct: u64,
    totals: Totals,
    unidentified: u64,
    /// People whom only the first of two readings showed.
    strays: Vec<u64>,
}

/// A page, converted.
struct Chunk {
    employees: Vec<Employee>,
    rejected: Vec<RejectedRecord>,
}

impl Run {
    /// Checks the token and reads what the rows are joined with.
    async fn begin(login: &Login, cache: Arc<dyn DetailCache>, fields: FieldSet) -> Result<Self> {
        let client = login.check().await?;
        let (joins, warnings) = Joins::read(&client, &fields, None).await?;
        let mut waiting = VecDeque::from(match client.config().status_strategy {
            StatusStrategy::TwoPass => vec![Pass::Active, Pass::Inactive],
            StatusStrategy::InList => vec![Pass::Both],
        });
        let details = Details::new(&fields, cache);
        let projection = Projection::new(fields, client.config());
        let context = Arc::new(Context { client, projection, joins, details });
        let first = waiting.pop_front().unwrap_or(Pass::Both);
        let under_way = UnderWay::start(&context, first, None, None);
        Ok(Self { context, waiting, under_way, finished: Vec::new(), warnings })
    }

    async fn step(mut self: Box<Self>) -> Result<(Vec<ReadEvent>, Stage)> {
        match self.under_way.pages.try_next().await? {
            Some(chunks) => Ok((self.take(chunks), Stage::Run(self))),
            None => Ok(self.close()),
        }
    }

    fn take(&mut self, chunks: Vec<Chunk>) -> Vec<ReadEvent> {
        let under_way = &mut self.under_way;
        let is_news = under_way.stats.pages() == 1 && under_way.before.is_none();
        let earlier = self.finished.iter().filter_map(|pass| pass.totals.last()).sum::<u64>();
        let total = under_way.totals.last().filter(|_| is_news);
        let mut events: Vec<_> =
            total.map(|total| ReadEvent::Expected(earlier + total)).into_iter().collect();
        for chunk in chunks {
            under_way.unidentified += chunk.rejected.len() as u64;
            for employee in &chunk.employees {
                under_way.seen.insert(fold_id(employee.record.as_str()));
            }
            events.extend((!chunk.employees.is_empty()).then_some(ReadEvent::Employees(chunk.employees)));
            events.extend(chunk.rejected.into_iter().map(ReadEvent::Rejected));
        }
        events
    }

    /// Ends a pass: reads it once more if its length is not what the vendor says, or goes on to the next one.
    fn close(mut self: Box<Self>) -> (Vec<ReadEvent>, Stage) {
        let UnderWay { pass, totals, mut seen, unidentified, before, .. } = self.under_way;
        let (distinct, total) = (seen.count(), totals.last());
        let differs = totals.changed() || total.is_some_and(|total| total != distinct + unidentified);
        tracing::debug!(pass = pass.name(), distinct, total, unidentified, "a pass was read to its end");
        if differs && before.is_none() {
            let active = self.finished.first().map(|pass| Arc::clone(&pass.seen));
            self.under_way = UnderWay::start(&self.context, pass, active, Some(seen));
            return (Vec::new(), Stage::Run(self));
        }
        let strays = before.iter().flat_map(Distinct::iter).filter(|id| !seen.contains(*id)).collect();
        self.finished.push(Finished { pass, seen: Arc::new(seen), distinct, totals, unidentified, strays });
        let Some(next) = self.waiting.pop_front() else {
            let receipt = receipt(&self.context, &self.finished, self.warnings);
            return (vec![ReadEvent::End(receipt)], Stage::Done);
        };
        let active = self.finished.first().map(|pass| Arc::clone(&pass.seen));
        self.under_way = UnderWay::start(&self.context, next, active, None);
        (Vec::new(), Stage::Run(self))
    }
}

impl UnderWay {
    fn start(
        context: &Arc<Context>,
        pass: Pass,
        active: Option<Arc<Distinct>>,
        before: Option<Distinct>,
    ) -> Self {
        let in_flight = context.client.in_flight();
        let (context, totals) = (Arc::clone(context), Totals::default());
        let noted = totals.clone();
        let fetch = move |page| {
            let (context, active, noted) = (Arc::clone(&context), active.clone(), noted.clone());
            async move { context.page(pass, page, active.as_deref(), &noted).await }
        };
        let (pages, stats) = numbered_pages(fetch, in_flight);
        Self { pass, pages, stats, totals, seen: Distinct::default(), unidentified: 0, before }
    }
}

impl Context {
    async fn page(
        &self,
        pass: Pass,
        page: u64,
        active: Option<&Distinct>,
        totals: &Totals,
    ) -> Result<NumberedPage<Chunk>> {
        let read = |body: &[u8]| self.chunk(pass, active, body);
        let (mut chunk, meta) = self.client.employees(pass, page, read).await?;
        totals.note(meta.total);
        // Here and not by the reader of the pages: a page that waits for its turn must not hold up its own details.
        self.details.fill(&self.client, &mut chunk.employees).await?;
        let is_empty = chunk.employees.is_empty() && chunk.rejected.is_empty();
        Ok(NumberedPage::new(vec![chunk], meta.last(page, is_empty)))
    }

    fn chunk(&self, pass: Pass, active: Option<&Distinct>, body: &[u8]) -> Result<(Chunk, Meta)> {
        let page = wire::read(ListSeed(RowSeed(self.projection.keys())), body)?;
        let mut chunk = Chunk { employees: Vec::with_capacity(page.data.len()), rejected: Vec::new() };
        for row in &page.data {
            match row.as_ref().and_then(|row| Some((row, record_id(row)?))) {
                Some((row, id)) => {
                    let implied = implied(pass, || active.is_some_and(|active| active.contains(fold_id(id))));
                    let company = self.client.company();
                    chunk.employees.push(self.projection.employee(id, row, implied, company, &self.joins));
                }
                None => chunk.rejected.push(unidentified(row.as_ref())),
            }
        }
        Ok((chunk, page.meta))
    }
}

/// The status of a row that has no status word: that of its pass. A row that stood in the other pass too shows that
/// the filter was ignored or the person moved in between, and then nobody knows.
fn implied(pass: Pass, stood_in_active: impl Fn() -> bool) -> EmploymentStatus {
    match pass {
        Pass::Active => EmploymentStatus::Active,
        Pass::Inactive if !stood_in_active() => EmploymentStatus::Inactive,
        Pass::Inactive | Pass::Both => EmploymentStatus::Unknown(None),
    }
}

fn receipt(context: &Context, passes: &[Finished], mut warnings: Vec<Problem>) -> Receipt {
    let both = match passes {
        [active, inactive] => inactive.seen.iter().filter(|id| active.seen.contains(*id)).count() as u64,
        _ => 0,
    };
    let distinct = passes.iter().map(|pass| pass.distinct).sum::<u64>() - both;
    let totals: Option<u64> = passes.iter().map(|pass| pass.totals.last()).sum();
    let mut doubts: Vec<_> = passes.iter().filter_map(Finished::mismatch).collect();
    warnings.extend(doubts.iter().map(|text| Problem::warning(rule::TOTAL_MISMATCH, text.clone())));
    warnings.extend(context.details.warnings());
    // Whoever moves from one pass to the other moves everybody behind them up, perhaps past the reader. Where both
    // passes show everyone, the filter was ignored and nobody moved.
    if both > 0 && passes.iter().any(|pass| pass.distinct != both) {
        doubts.push(format!("{both} people changed their status while the listing was read"));
    }
    let evidence = ListingEvidence {
        natural_end: true,
        whole_population: context.client.config().status_strategy == StatusStrategy::TwoPass,
        vendor_total: totals.map(|total| total.saturating_sub(both)),
        distinct,
        unidentified: passes.iter().map(|pass| pass.unidentified).sum(),
        doubts,
    };
    let strays = passes.iter().flat_map(|pass| &pass.strays);
    let strays = strays.filter(|id| !passes.iter().any(|pass| pass.seen.contains(**id))).count() as u64;
    let company = context.client.company().id.clone();
    let mut receipt = Receipt::new(company, RECORD_ID_KIND, distinct + strays, evidence.judge());
    receipt.warnings = warnings;
    receipt
}

impl Finished {
    /// What speaks against the completeness of this pass, which was read twice if anything does.
    fn mismatch(&self) -> Option<String> {
        let (name, seen) = (self.pass.name(), self.distinct + self.unidentified);
        match self.totals.last() {
            None => Some(format!("the vendor reports no total of the {name} listing")),
            Some(_) if self.totals.changed() => {
                Some(format!("the {name} listing changed while it was read, twice"))
            }
            Some(total) if total == seen => None,
            Some(total) => Some(format!(
                "the vendor counts {total} people in the {name} listing, {seen} were seen, twice"
            )),
        }
    }
}
