//! Paging by offset: where the next page begins follows from the rows that came, never from what the vendor says
//! about their number. That number only tells how far pages may be asked for ahead.

use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use futures_util::stream::{FuturesOrdered, try_unfold};
use hris_core::{Delivery, Error, ErrorKind, Result};
use hris_http::fold_id;

/// More pages are an error, never a quiet end.
const PAGE_CAP: u64 = 100_000;
/// A page that comes so often in a row is not a list that moves but one that stands still.
const STANDSTILL: u32 = 3;

/// One page, and what it says about the list.
#[derive(Debug)]
pub(crate) struct Sheet<T> {
    /// What was made of its rows.
    pub(crate) items: T,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Whether more follow, if it says so.
    pub(crate) has_more: Option<bool>,
    /// How many rows there are in all, if it says so.
    pub(crate) total: Option<u64>,
    /// The ids of its first and its last row.
    pub(crate) ends: Ends,
}

/// The ids of a page's first and last row, as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
}

impl Ends {
    /// The ends of a page with these ids.
    pub(crate) fn new(first: Option<&str>, last: Option<&str>) -> Self {
        Self { first: first.map(fold_id), last: last.map(fold_id) }
    }
}

/// The pages of a list in order, beginning with `first`, which was read from the offset `base`.
///
/// Up to `in_flight` pages are asked for at a time, as far as the vendor's own number reaches and for as long as pages
/// are full: one that is short moves all later ones, which are then asked for again.
pub(crate) fn pages<T, F, Fut>(
    first: Sheet<T>,
    base: u64,
    in_flight: usize,
    fetch: F,
) -> BoxStream<'static, Result<Sheet<T>>>
where
    T: Send + 'static,
    F: FnMut(u64) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Sheet<T>>> + Send + 'static,
{
    let reading = Reading {
        fetch,
        in_flight: in_flight.max(1),
        base,
        turn: base,
        asked: base,
        full: first.rows,
        is_steady: first.rows > 0,
        longest: 0,
        reach: 0,
        count: 0,
        before: (Ends::default(), 0),
        ready: Some(first),
        under_way: FuturesOrdered::new(),
        ended: false,
    };
    let next = |mut reading: Reading<T, F, Fut>| async move {
        Ok(reading.next().await?.map(|sheet| (sheet, reading)))
    };
    try_unfold(reading, next).boxed()
}

struct Reading<T, F, Fut: Future> {
    fetch: F,
    in_flight: usize,
    base: u64,
    /// The offset of the page whose turn it is.
    turn: u64,
    /// The offset of the page to ask for next.
    asked: u64,
    /// The rows of the first page: what a full one has.
    full: u64,
    /// Whether all pages so far were full.
    is_steady: bool,
    longest: u64,
    /// The offset up to which the vendor says that there are rows.
    reach: u64,
    count: u64,
    /// The ends of the page before, and how often in a row it came again.
    before: (Ends, u32),
    ready: Option<Sheet<T>>,
    under_way: FuturesOrdered<Fut>,
    ended: bool,
}

impl<T, F, Fut> Reading<T, F, Fut>
where
    F: FnMut(u64) -> Fut,
    Fut: Future<Output = Result<Sheet<T>>>,
{
    async fn next(&mut self) -> Result<Option<Sheet<T>>> {
        if self.ended {
            return Ok(None);
        }
        let Some(sheet) = self.arrive().await? else { return Ok(None) };
        self.count += 1;
        if self.count > PAGE_CAP {
            return Err(broken("the listing has more pages than are allowed", self.count));
        }
        self.follow(&sheet)?;
        Ok(Some(sheet))
    }

    async fn arrive(&mut self) -> Result<Option<Sheet<T>>> {
        if self.ready.is_some() {
            return Ok(self.ready.take());
        }
        self.ask();
        self.under_way.next().await.transpose()
    }

    /// Asks for the page whose turn it is, and for later ones whose place is certain enough.
    fn ask(&mut self) {
        if self.under_way.is_empty() {
            self.asked = self.turn;
            self.push();
        }
        while self.is_steady && self.under_way.len() < self.in_flight && self.asked < self.reach {
            self.push();
        }
    }

    fn push(&mut self) {
        self.under_way.push_back((self.fetch)(self.asked));
        self.asked += self.full;
    }

    /// Finds out whether a page is the last one, and where the next one begins.
    fn follow(&mut self, sheet: &Sheet<T>) -> Result<()> {
        self.ended = match sheet.has_more {
            Some(true) if sheet.rows == 0 => {
                return Err(broken("the listing says that more people follow, and gives none", self.count));
            }
            Some(has_more) => !has_more,
            // Whether a first short page is the only one, or just as long as this server gives, only the next one tells.
            None => sheet.rows == 0 || sheet.rows < self.longest,
        };
        self.longest = self.longest.max(sheet.rows);
        if self.ended {
            self.under_way.clear();
            return Ok(());
        }
        self.watch_for_standstill(sheet.ends)?;
        if sheet.rows != self.full {
            self.is_steady = false;
            self.under_way.clear();
        }
        self.turn += sheet.rows;
        self.reach = sheet.total.map_or(0, |total| self.base + total);
        Ok(())
    }

    fn watch_for_standstill(&mut self, ends: Ends) -> Result<()> {
        let (before, times) = self.before;
        let is_same = self.count > 1 && ends == before && ends.first.is_some();
        let times = if is_same { times + 1 } else { 1 };
        self.before = (ends, times);
        if times >= STANDSTILL {
            return Err(broken("the listing gives the same page again and again", self.count));
        }
        Ok(())
    }
}

fn broken(message: &'static str, pages: u64) -> Error {
    Error::new(ErrorKind::Incomplete, message)
        .with_delivery(Delivery::Answered)
        .with_context("pages_read", pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt as _;
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};

    /// A server's list: how many rows, how many a page at most, and what it says about itself.
    #[derive(Clone, Copy, Debug)]
    struct List {
        rows: u64,
        cap: u64,
        tells_more: bool,
        total: Option<u64>,
    }

    impl List {
        fn sheet(self, offset: u64, limit: u64) -> Sheet<Vec<u64>> {
            let end = (offset + limit.min(self.cap)).min(self.rows + 1).max(offset);
            let items: Vec<u64> = (offset..end).collect();
            let id = |row: Option<&u64>| row.map(u64::to_string);
            Sheet {
                rows: items.len() as u64,
                has_more: self.tells_more.then_some(end <= self.rows),
                total: self.total,
                ends: Ends::new(id(items.first()).as_deref(), id(items.last()).as_deref()),
                items,
            }
        }
    }

    /// The rows that are read, and the offsets that were asked for.
    fn read(list: List, limit: u64, in_flight: usize) -> (Result<Vec<u64>>, Vec<u64>) {
        let asked = Arc::new(Mutex::new(vec![1]));
        let noted = Arc::clone(&asked);
        let fetch = move |offset| {
            noted.lock().unwrap().push(offset);
            std::future::ready(Ok(list.sheet(offset, limit)))
        };
        let stream = pages(list.sheet(1, limit), 1, in_flight, fetch);
        let sheets = hris_testkit::run(stream.map_ok(|sheet| sheet.items).try_concat());
        let asked = asked.lock().unwrap().clone();
        (sheets, asked)
    }

    #[test]
    fn offsets_count_from_one_and_go_on_by_the_rows_that_came() {
        let list = List { rows: 250, cap: 100, tells_more: true, total: None };
        assert_eq!(read(list, 100, 1).1, [1, 101, 201]);
        assert_eq!(read(List { cap: 60, ..list }, 100, 1).1, [1, 61, 121, 181, 241]);
    }

    #[test]
    fn pages_are_asked_for_ahead_only_as_far_as_the_total_reaches() {
        let list = List { rows: 250, cap: 100, tells_more: true, total: Some(250) };
        assert_eq!(read(list, 100, 8).1, [1, 101, 201]);
        let far_too_many = List { total: Some(9_999), ..list };
        assert_eq!(read(far_too_many, 100, 3).1, [1, 101, 201, 301, 401]);
        let too_few = List { total: Some(120), ..list };
        assert_eq!(read(too_few, 100, 8).1, [1, 101, 201]);
    }

    #[test]
    fn without_the_word_of_the_vendor_a_shorter_or_an_empty_page_is_the_last() {
        let list = List { rows: 250, cap: 100, tells_more: false, total: None };
        assert_eq!(read(list, 100, 1).1, [1, 101, 201]);
        assert_eq!(read(List { rows: 200, ..list }, 100, 1).1, [1, 101, 201]);
        assert_eq!(read(List { rows: 250, cap: 50, ..list }, 100, 1).1, [1, 51, 101, 151, 201, 251]);
        assert_eq!(read(List { rows: 0, ..list }, 100, 1).1, [1]);
    }

    #[test]
    fn a_server_that_ignores_the_offset_does_not_keep_the_reading_for_ever() {
        let list = List { rows: 250, cap: 100, tells_more: true, total: None };
        let fetch = move |_| std::future::ready(Ok(list.sheet(1, 100)));
        let stream = pages(list.sheet(1, 100), 1, 1, fetch);
        let error = hris_testkit::run(stream.map_ok(|sheet| sheet.items).try_concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.to_string().contains("same page"), "{error}");
    }

    #[test]
    fn more_rows_that_never_come_are_an_error_and_not_the_end() {
        let list = List { rows: 100, cap: 100, tells_more: true, total: Some(100) };
        let lying = move |offset| Sheet { has_more: Some(true), ..list.sheet(offset, 100) };
        let stream = pages(lying(1), 1, 4, move |offset| std::future::ready(Ok(lying(offset))));
        let error = hris_testkit::run(stream.map_ok(|sheet| sheet.items).try_concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.to_string().contains("gives none"), "{error}");
    }

    proptest! {
        #[test]
        fn every_row_is_read_once_whatever_the_server_caps_and_claims(
            rows in 0..400_u64,
            cap in 1..120_u64,
            limit in 1..120_u64,
            tells_more: bool,
            total in proptest::option::of(0..800_u64),
            in_flight in 1..9_usize,
        ) {
            let (read, _) = read(List { rows, cap, tells_more, total }, limit, in_flight);
            prop_assert_eq!(read.unwrap(), (1..=rows).collect::<Vec<_>>());
        }
    }
}
