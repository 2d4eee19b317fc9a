//! Listings that come page by page: the guards that keep part of a directory from passing for all of it.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use futures_util::stream::{FuturesOrdered, try_unfold};
use hris_core::{Error, ErrorKind, Result};

/// The pages that are read at most unless said otherwise. More is an error, never a quiet end.
const PAGE_CAP: u64 = 100_000;

/// One page of a listing that is followed by cursor.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    items: Vec<T>,
    next: Next<C>,
    total: Option<u64>,
}

/// What follows a page. Whether it is empty says nothing about that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<C> {
    /// Another page, under this cursor or offset.
    Cursor(C),
    /// Nothing: this was the last page.
    End,
}

impl<C> From<Option<C>> for Next<C> {
    fn from(cursor: Option<C>) -> Self {
        cursor.map_or(Self::End, Self::Cursor)
    }
}

impl<T, C> Page<T, C> {
    /// A page and what follows it: a [`Next`], or an optional cursor.
    pub fn new(items: Vec<T>, next: impl Into<Next<C>>) -> Self {
        Self { items, next: next.into(), total: None }
    }

    /// Adds the vendor's count of the whole listing, if the page tells it.
    #[must_use]
    pub fn with_total(mut self, total: Option<u64>) -> Self {
        self.total = total;
        self
    }
}

/// One page of a listing whose pages are numbered from 1.
#[derive(Clone, Debug)]
pub struct NumberedPage<T> {
    items: Vec<T>,
    last: u64,
    total: Option<u64>,
    number: Option<u64>,
}

impl<T> NumberedPage<T> {
    /// A page, and the number of the last page by the vendor's word. Some say 0 for an empty listing.
    pub fn new(items: Vec<T>, last: u64) -> Self {
        Self { items, last, total: None, number: None }
    }

    /// Adds the vendor's count of the whole listing, if the page tells it.
    #[must_use]
    pub fn with_total(mut self, total: Option<u64>) -> Self {
        self.total = total;
        self
    }

    /// Adds the page's own word which one it is; another than was asked for ends the reading with an error.
    #[must_use]
    pub fn with_number(mut self, number: Option<u64>) -> Self {
        self.number = number;
        self
    }
}

/// What a reading has seen so far: evidence for or against its completeness. Clones look at the same reading.
#[derive(Clone, Default)]
pub struct PageStats(Arc<Counts>);

#[derive(Default)]
struct Counts {
    pages: AtomicU64,
    items: AtomicU64,
    total: AtomicU64,
    has_total: AtomicBool,
    ended: AtomicBool,
}

impl PageStats {
    /// How many pages were read.
    pub fn pages(&self) -> u64 {
        self.0.pages.load(Ordering::Acquire)
    }

    /// How many items were on them.
    pub fn items(&self) -> u64 {
        self.0.items.load(Ordering::Acquire)
    }

    /// The vendor's last word on how many there are in all.
    pub fn total(&self) -> Option<u64> {
        self.0.has_total.load(Ordering::Acquire).then(|| self.0.total.load(Ordering::Acquire))
    }

    /// Whether the listing was read to the end that the vendor names. False after an error, and while under way.
    pub fn reached_end(&self) -> bool {
        self.0.ended.load(Ordering::Acquire)
    }

    fn record(&self, items: usize, total: Option<u64>) {
        self.0.pages.fetch_add(1, Ordering::AcqRel);
        self.0.items.fetch_add(items as u64, Ordering::AcqRel);
        if let Some(total) = total {
            self.0.total.store(total, Ordering::Release);
            self.0.has_total.store(true, Ordering::Release);
        }
    }

    fn end(&self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

impl fmt::Debug for PageStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PageStats");
        out.field("pages", &self.pages()).field("items", &self.items());
        out.field("total", &self.total()).field("reached_end", &self.reached_end()).finish()
    }
}

/// Follows cursors (tokens, offsets, links) to the end of a listing.
///
/// The stream is lazy: nothing is fetched before it is polled, one page at a time, and dropping it stops. An empty
/// page with a cursor is not the end. A cursor that comes a second time, and more pages than the cap, end the
/// stream with an error of kind [`Incomplete`](hris_core::ErrorKind::Incomplete). An error is yielded once, as the
/// last item.
///
/// ```
/// use futures_util::TryStreamExt;
/// use hris_http::{Page, Paginator};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> hris_core::Result<()> {
/// let paginator = Paginator::new(|cursor: Option<u32>| async move {
///     let first = cursor.unwrap_or(0);
///     Ok(Page::new(vec![first, first + 1], (first < 4).then_some(first + 2)))
/// });
/// let stats = paginator.stats();
/// let items: Vec<u32> = paginator.into_stream().try_concat().await?;
/// assert_eq!(items, [0, 1, 2, 3, 4, 5]);
/// assert!(stats.reached_end() && stats.pages() == 3);
/// # Ok(()) }
/// ```
#[must_use]
pub struct Paginator<C, F> {
    fetch: F,
    start: Option<C>,
    cap: u64,
    stats: PageStats,
}

impl<C, F> Paginator<C, F> {
    /// Reads a listing by `fetch`, which is given no cursor for the first page.
    pub fn new<T, Fut>(fetch: F) -> Self
    where
        F: FnMut(Option<C>) -> Fut,
        Fut: Future<Output = Result<Page<T, C>>>,
    {
        Self { fetch, start: None, cap: PAGE_CAP, stats: PageStats::default() }
    }

    /// Begins at a cursor of an earlier reading.
    pub fn starting_at(mut self, cursor: C) -> Self {
        self.start = Some(cursor);
        self
    }

    /// The largest number of pages, 100,000 unless said otherwise.
    pub fn with_page_cap(mut self, pages: u64) -> Self {
        self.cap = pages;
        self
    }

    /// What this reading has seen, to be looked at when its stream has ended.
    pub fn stats(&self) -> PageStats {
        self.stats.clone()
    }

    /// The items, page by page.
    pub fn into_stream<T, Fut>(self) -> BoxStream<'static, Result<Vec<T>>>
    where
        C: Hash + Send + 'static,
        T: Send + 'static,
        F: FnMut(Option<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Page<T, C>>> + Send + 'static,
    {
        let Self { fetch, start, cap, stats } = self;
        let mut reading = Reading { fetch, seen: Seen::default(), cap, stats };
        if let Some(cursor) = &start {
            reading.seen.is_new(cursor);
        }
        Box::pin(try_unfold((reading, Some(start)), |(mut reading, cursor)| async move {
            let Some(cursor) = cursor else { return Ok(None) };
            let (items, next) = reading.page(cursor).await?;
            Ok(Some((items, (reading, next))))
        }))
    }
}

impl<C, F> fmt::Debug for Paginator<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paginator").field("stats", &self.stats).finish_non_exhaustive()
    }
}

struct Reading<F> {
    fetch: F,
    seen: Seen,
    cap: u64,
    stats: PageStats,
}

impl<F> Reading<F> {
    /// Reads one page; the inner option is the cursor that the next call is given, the outer one the end.
    async fn page<T, C: Hash, Fut>(&mut self, cursor: Option<C>) -> Result<(Vec<T>, Option<Option<C>>)>
    where
        F: FnMut(Option<C>) -> Fut,
        Fut: Future<Output = Result<Page<T, C>>>,
    {
        if self.stats.pages() >= self.cap {
            return Err(too_many(self.cap));
        }
        let Page { items, next, total } = (self.fetch)(cursor).await?;
        self.stats.record(items.len(), total);
        let Next::Cursor(next) = next else {
            self.stats.end();
            return Ok((items, None));
        };
        if !self.seen.is_new(&next) {
            let error =
                Error::new(ErrorKind::Incomplete, "the listing leads back to a page that was read before");
            return Err(error.with_context("pages_read", self.stats.pages()));
        }
        Ok((items, Some(Some(next))))
    }
}

/// Cursors seen, eight bytes each however long they are.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    fn is_new(&mut self, cursor: &impl Hash) -> bool {
        self.hashes.insert(self.hasher.hash_one(cursor))
    }
}

/// Reads numbered pages, up to `concurrency` at a time, and yields them in order.
///
/// Page 1 is read alone, since it tells how many there are. When a later page names a later last page, the reading goes
/// on to it. The same guards hold as for a [`Paginator`]: lazy, stopped by dropping, one error and then the end, an
/// empty page in the middle is not the end, and more than 100,000 pages are an error.
pub fn numbered_pages<T, F, Fut>(
    fetch: F,
    concurrency: usize,
) -> (BoxStream<'static, Result<Vec<T>>>, PageStats)
where
    T: Send + 'static,
    F: FnMut(u64) -> Fut + Send + 'static,
    Fut: Future<Output = Result<NumberedPage<T>>> + Send + 'static,
{
    let stats = PageStats::default();
    let (under_way, concurrency) = (FuturesOrdered::new(), concurrency.max(1));
    let reading = Numbered { fetch, under_way, concurrency, asked: 0, last: 1, stats: stats.clone() };
    let stream =
        try_unfold(
            reading,
            |mut reading| async move { Ok(reading.next().await?.map(|items| (items, reading))) },
        );
    (Box::pin(stream), stats)
}

struct Numbered<F, Fut: Future> {
    fetch: F,
    under_way: FuturesOrdered<Fut>,
    concurrency: usize,
    asked: u64,
    last: u64,
    stats: PageStats,
}

impl<T, F, Fut> Numbered<F, Fut>
where
    F: FnMut(u64) -> Fut,
    Fut: Future<Output = Result<NumberedPage<T>>>,
{
    async fn next(&mut self) -> Result<Option<Vec<T>>> {
        while self.asked < self.last && self.under_way.len() < self.concurrency {
            self.asked += 1;
            self.under_way.push_back((self.fetch)(self.asked));
        }
        let Some(page) = self.under_way.next().await else {
            self.stats.end();
            return Ok(None);
        };
        let NumberedPage { items, last, total, number } = page?;
        self.stats.record(items.len(), total);
        if number.is_some_and(|number| number != self.stats.pages()) {
            let error =
                Error::new(ErrorKind::Incomplete, "the listing answers with another page than was asked for");
            return Err(error.with_context("page", self.stats.pages()));
        }
        self.last = self.last.max(last);
        if self.last > PAGE_CAP { Err(too_many(PAGE_CAP)) } else { Ok(Some(items)) }
    }
}

fn too_many(cap: u64) -> Error {
    Error::new(ErrorKind::Incomplete, "the listing has more pages than are allowed")
        .with_context("page_cap", cap)
}
