//! A reading of everyone: page by page, each converted as it comes, and the receipt that says what it proves.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    Employee, EmployeeField, Field, FieldSet, ListingEvidence, Problem, ReadEvent, Receipt, RejectedRecord,
    Result, rule,
};
use hris_http::{Distinct, fold_id};

use crate::client::{Client, Company, ViewType};
use crate::config::View;
use crate::connector::RECORD_ID_KIND;
use crate::convert::{
    Converted, Projection, full_view_fields, needs_full_view, record_id, unidentified, unknown_custom,
};
use crate::errors::{is_fatal, is_refusal};
use crate::pages::{Ends, Sheet, pages};
use crate::reference::{List, Reference};
use crate::wire::read_page;

/// Reads everyone. Nothing is sent before the stream is polled.
pub(crate) fn everyone(client: Client, fields: FieldSet) -> BoxStream<'static, Result<ReadEvent>> {
    let steps = stream::try_unfold(Stage::Begin(Box::new((client, fields))), |stage| async move {
        match stage {
            Stage::Begin(begin) => {
                let (client, fields) = *begin;
                let run = Run::begin(client, fields).await?;
                Ok(Some((Vec::new(), Stage::Run(Box::new(run)))))
            }
            Stage::Run(run) => run.step().await.map(Some),
            Stage::Done => Ok(None),
        }
    });
    steps.map_ok(|events| stream::iter(events.into_iter().map(Ok))).try_flatten().boxed()
}

enum Stage {
    Begin(Box<(Client, FieldSet)>),
    Run(Box<Run>),
    Done,
}

/// What all pages of a reading share.
struct Context {
    client: Client,
    projection: Projection,
    company: Option<Company>,
}

/// A reading under way.
struct Run {
    context: Arc<Context>,
    view: ViewType,
    /// The lists that are still to be read: a status letter, or `None` for everyone.
    waiting: VecDeque<Option<String>>,
    listing: Option<BoxStream<'static, Result<Sheet<Chunk>>>>,
    reference: Reference,
    seen: Seen,
    warnings: Vec<Problem>,
}

/// What was seen of the lists so far.
#[derive(Default)]
struct Seen {
    people: Distinct,
    rows: u64,
    unidentified: u64,
    birth_dates: u64,
    /// Of the list under way: its pages, their totals, and its last row.
    pages: u64,
    total: Option<u64>,
    total_changed: bool,
    last_row: Option<u64>,
    /// Pages that begin with the row with which the one before ended.
    overlaps: u64,
    /// Lists that ended without the vendor saying so.
    unmarked_ends: u64,
    /// Lists of more than one page without a total.
    uncounted: u64,
    /// The totals of the lists that were read to their end.
    totals: Option<u64>,
}

/// A page, converted.
struct Chunk {
    employees: Vec<Employee>,
    lookups: Vec<(usize, List, String)>,
    rejected: Vec<RejectedRecord>,
}

impl Run {
    async fn begin(client: Client, fields: FieldSet) -> Result<Self> {
        let mut warnings = unknown_custom(&fields);
        let company = company(&client, &fields, &mut warnings).await?;
        let view = match client.config().view {
            View::Full => ViewType::Full,
            View::AsNeeded if needs_full_view(&fields) => ViewType::Full,
            View::AsNeeded | View::Basic => ViewType::Basic,
        };
        let letters = client.config().status_passes.iter().map(|letter| Some(letter.trim().to_owned()));
        let mut waiting: VecDeque<_> = letters.collect();
        if waiting.is_empty() {
            waiting.push_back(None);
        }
        let today = client.clock().now().date_naive();
        let projection = Projection::new(fields, client.config(), today)?;
        let context = Arc::new(Context { client, projection, company });
        let (reference, seen) = (Reference::default(), Seen::default());
        Ok(Self { context, view, waiting, listing: None, reference, seen, warnings })
    }

    async fn step(mut self: Box<Self>) -> Result<(Vec<ReadEvent>, Stage)> {
        let Some(listing) = &mut self.listing else {
            let Some(status) = self.waiting.pop_front() else { return Ok((self.end(), Stage::Done)) };
            self.open(status).await?;
            return Ok((Vec::new(), Stage::Run(self)));
        };
        let Some(sheet) = listing.try_next().await? else {
            self.seen.close();
            self.listing = None;
            return Ok((Vec::new(), Stage::Run(self)));
        };
        let events = self.take(sheet).await?;
        Ok((events, Stage::Run(self)))
    }

    /// Begins a list with its first page, which also shows whether the full view is granted.
    async fn open(&mut self, status: Option<String>) -> Result<()> {
        let config = self.context.client.config();
        let base = u64::from(config.offset_base);
        let first = match self.context.page(self.view, status.as_deref(), base).await {
            Err(error) if self.view == ViewType::Full && config.falls_back_to_basic && is_refusal(&error) => {
                tracing::warn!(kind = ?error.kind(), "the full view was refused; reading the basic one");
                self.view = ViewType::Basic;
                // If the credential itself was refused, this one is refused too, and that ends the reading.
                let first = self.context.page(self.view, status.as_deref(), base).await?;
                self.warnings.extend(without_full_view(self.context.projection.fields()));
                first
            }
            result => result?,
        };
        let (context, view) = (Arc::clone(&self.context), self.view);
        let in_flight = self.context.client.in_flight();
        let status: Option<Arc<str>> = status.map(Into::into);
        self.listing = Some(pages(first, base, in_flight, move |offset| {
            let (context, status) = (Arc::clone(&context), status.clone());
            async move { context.page(view, status.as_deref(), offset).await }
        }));
        Ok(())
    }

    async fn take(&mut self, sheet: Sheet<Chunk>) -> Result<Vec<ReadEvent>> {
        let is_only_list = self.context.client.config().status_passes.len() < 2;
        let expected = sheet.total.filter(|_| self.seen.pages == 0 && is_only_list);
        self.seen.note(&sheet);
        let Chunk { mut employees, lookups, rejected } = sheet.items;
        for (at, list, id) in lookups {
            if let Some(employee) = employees.get_mut(at) {
                self.reference.fill(&self.context.client, employee, list, &id).await?;
            }
        }
        let mut events: Vec<_> = expected.map(ReadEvent::Expected).into_iter().collect();
        events.extend((!employees.is_empty()).then_some(ReadEvent::Employees(employees)));
        events.extend(rejected.into_iter().map(ReadEvent::Rejected));
        Ok(events)
    }

    fn end(mut self) -> Vec<ReadEvent> {
        let config = self.context.client.config();
        let fields = self.context.projection.fields();
        let distinct = self.seen.people.count();
        if self.view == ViewType::Full
            && fields.has(EmployeeField::BirthDate)
            && distinct > 0
            && self.seen.birth_dates == 0
        {
            self.warnings.push(no_birth_dates());
        }
        self.warnings.extend(self.reference.warnings());
        self.warnings.extend(self.seen.warnings(distinct, config.offset_base));
        let evidence = ListingEvidence {
            natural_end: true,
            whole_population: config.status_passes.is_empty(),
            vendor_total: self.seen.totals.filter(|_| config.status_passes.is_empty()),
            distinct,
            unidentified: self.seen.unidentified,
            doubts: self.seen.doubts(),
        };
        tracing::debug!(distinct, rows = self.seen.rows, "the list was read to its end");
        let account = config.company().into();
        let mut receipt = Receipt::new(account, RECORD_ID_KIND, distinct, evidence.judge());
        receipt.warnings = self.warnings;
        vec![ReadEvent::End(receipt)]
    }
}

impl Context {
    async fn page(&self, view: ViewType, status: Option<&str>, offset: u64) -> Result<Sheet<Chunk>> {
        let read = |body: &[u8]| self.sheet(body);
        self.client.employees(view, status, (self.client.config().page_size, offset), read).await
    }

    fn sheet(&self, body: &[u8]) -> Result<Sheet<Chunk>> {
        let page = read_page(self.projection.seed(), body)?;
        let (mut employees, mut lookups) = (Vec::with_capacity(page.rows.len()), Vec::new());
        let mut rejected = Vec::new();
        for (index, row) in page.rows.iter().enumerate() {
            let Some((row, id)) = row.as_ref().and_then(|row| Some((row, record_id(row)?))) else {
                rejected.push(unidentified(row.as_ref(), index));
                continue;
            };
            let Converted { mut employee, lookups: missing } = self.projection.employee(id, row);
            self.add_company(&mut employee);
            lookups.extend(missing.into_iter().map(|(list, id)| (employees.len(), list, id)));
            employees.push(employee);
        }
        let ids = || page.rows.iter().map(|row| row.as_ref().and_then(record_id));
        let ends = Ends::new(ids().next().flatten(), ids().next_back().flatten());
        let (rows, has_more, total) = (page.rows.len() as u64, page.has_more, page.total);
        Ok(Sheet { items: Chunk { employees, lookups, rejected }, rows, has_more, total, ends })
    }

    /// Gives an employee what the company's own record says for everybody.
    fn add_company(&self, employee: &mut Employee) {
        let Some(company) = &self.company else { return };
        let fields = self.projection.fields();
        let said = |value: Option<&str>, field| match value {
            Some(value) if fields.has(field) => Field::Value(value.to_owned()),
            _ => Field::Absent,
        };
        employee.company = said(company.name.as_deref(), EmployeeField::Company);
        employee.time_zone = said(company.time_zone, EmployeeField::TimeZone);
    }
}

impl Seen {
    fn note(&mut self, sheet: &Sheet<Chunk>) {
        self.pages += 1;
        self.rows += sheet.rows;
        self.unidentified += sheet.items.rejected.len() as u64;
        for employee in &sheet.items.employees {
            self.people.insert(fold_id(employee.record.as_str()));
            self.birth_dates += u64::from(!employee.birth_date.is_absent());
        }
        if let Some(total) = sheet.total {
            self.total_changed |= self.total.is_some_and(|before| before != total);
            self.total = Some(total);
        }
        self.overlaps += u64::from(sheet.ends.first.is_some() && sheet.ends.first == self.last_row);
        self.last_row = sheet.ends.last;
        // Of the last page this says how the list ended.
        self.unmarked_ends = u64::from(sheet.has_more.is_none());
    }

    /// Ends a list.
    fn close(&mut self) {
        self.uncounted += u64::from(self.pages > 1 && self.total.is_none());
        self.totals = self.total.take();
        self.pages = 0;
        self.last_row = None;
    }

    /// What speaks against completeness, beside the vendor's total.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.unmarked_ends > 0 {
            doubts.push("the vendor does not say where the list ends".to_owned());
        }
        if self.total_changed {
            doubts.push("the vendor's count of people changed while the list was read".to_owned());
        }
        if self.uncounted > 0 {
            doubts.push("the vendor gives no count, and people may have moved between pages".to_owned());
        }
        doubts
    }

    fn warnings(&self, distinct: u64, offset_base: u32) -> Vec<Problem> {
        let mut warnings = Vec::new();
        let seen = distinct + self.unidentified;
        if let Some(total) = self.totals.filter(|total| *total != seen) {
            let message = format!("the vendor counts {total} people, {seen} were seen");
            warnings.push(Problem::warning(rule::TOTAL_MISMATCH, message));
        }
        let repeats = self.rows.saturating_sub(seen);
        if repeats > 0 {
            let message = match self.overlaps {
                0 => format!("{repeats} rows came twice; people moved while the list was read"),
                pages => format!(
                    "{repeats} rows came twice, {pages} pages begin with the row that ended the page before; if \
                     this stays so, set `offset_base` to {}",
                    1 - offset_base.min(1)
                ),
            };
            warnings.push(Problem::warning(rule::RECORD_REPEATED, message));
        }
        warnings
    }
}

/// The company's own record, if something of it is wanted. It is a side endpoint: a refusal costs its fields.
async fn company(client: &Client, fields: &FieldSet, warnings: &mut Vec<Problem>) -> Result<Option<Company>> {
    if !fields.has(EmployeeField::Company) && !fields.has(EmployeeField::TimeZone) {
        return Ok(None);
    }
    match client.company().await {
        Ok(company) => Ok(Some(company)),
        Err(error) if is_fatal(&error) => Err(error),
        Err(error) => {
            tracing::warn!(kind = ?error.kind(), "the company's record was not read");
            let message = "the company's record (org-details) could not be read, so that company and time zone are \
                           not known; ask TriNet to grant it to these credentials";
            warnings.push(Problem::warning(rule::JOIN_FAILED, message));
            Ok(None)
        }
    }
}

fn without_full_view(fields: &FieldSet) -> Option<Problem> {
    let missing = full_view_fields(fields);
    let message = format!(
        "TriNet does not grant these credentials the full view, so that {missing} are not known; ask TriNet for the \
         scope hr-personal-read if they are needed"
    );
    (!missing.is_empty()).then(|| Problem::warning(rule::JOIN_FAILED, message))
}

fn no_birth_dates() -> Problem {
    let message = "no row has a date of birth: the credentials may lack the scope hr-personal-read, or the date stands \
                   elsewhere (`birth_date_path`)";
    Problem::warning(rule::JOIN_FAILED, message).at(EmployeeField::BirthDate.as_str())
}
