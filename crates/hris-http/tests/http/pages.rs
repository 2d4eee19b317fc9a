//! Listings by cursor and by number: everything, in order, or an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::{Error, ErrorKind, Result};
use hris_http::{Next, NumberedPage, Page, Paginator, numbered_pages};
use hris_testkit::run;
use proptest::prelude::*;

/// Serves pages of the given sizes; the items count up through all of them.
fn by_offset(
    sizes: Vec<usize>,
) -> impl FnMut(Option<usize>) -> std::future::Ready<Result<Page<usize, usize>>> {
    move |cursor| {
        let index = cursor.unwrap_or(0);
        let before: usize = sizes[..index].iter().sum();
        let size = sizes.get(index).copied().unwrap_or(0);
        let next = (index + 1 < sizes.len()).then_some(index + 1);
        let page = Page::new((before..before + size).collect(), next);
        std::future::ready(Ok(page.with_total(Some(sizes.iter().sum::<usize>() as u64))))
    }
}

fn numbered(sizes: &[usize], number: u64) -> NumberedPage<usize> {
    let index = usize::try_from(number).unwrap() - 1;
    let before: usize = sizes[..index.min(sizes.len())].iter().sum();
    let size = sizes.get(index).copied().unwrap_or(0);
    NumberedPage::new((before..before + size).collect(), sizes.len() as u64)
        .with_total(Some(sizes.iter().sum::<usize>() as u64))
        .with_number(Some(number))
}

proptest! {
    #[test]
    fn pages_of_any_sizes_yield_every_item_once_and_in_order(sizes in prop::collection::vec(0_usize..5, 0..40)) {
        let total: usize = sizes.iter().sum();
        let pages = sizes.len().max(1) as u64;
        let paginator = Paginator::new(by_offset(sizes));
        let stats = paginator.stats();
        let items: Vec<usize> = run(paginator.into_stream().try_concat()).unwrap();
        prop_assert_eq!(items, (0..total).collect::<Vec<_>>());
        prop_assert_eq!((stats.pages(), stats.items(), stats.total()), (pages, total as u64, Some(total as u64)));
        prop_assert!(stats.reached_end());
    }

    #[test]
    fn numbered_pages_of_any_sizes_come_whole_and_in_order_at_any_concurrency(
        sizes in prop::collection::vec(0_usize..5, 0..40),
        concurrency in 0_usize..12,
        delays in prop::collection::vec(0_usize..6, 40),
    ) {
        let total: usize = sizes.iter().sum();
        let pages = sizes.len().max(1) as u64;
        let under_way = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (counted, highest) = (Arc::clone(&under_way), Arc::clone(&most));
        let fetch = move |number: u64| {
            let page = numbered(&sizes, number);
            let delay = delays.get(usize::try_from(number).unwrap()).copied().unwrap_or(0);
            let (under_way, most) = (Arc::clone(&counted), Arc::clone(&highest));
            async move {
                most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..delay {
                    tokio::task::yield_now().await;
                }
                under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(page)
            }
        };
        let (stream, stats) = numbered_pages(fetch, concurrency);
        let items: Vec<usize> = run(stream.try_concat()).unwrap();
        prop_assert_eq!(items, (0..total).collect::<Vec<_>>());
        prop_assert_eq!((stats.pages(), stats.items(), stats.total()), (pages, total as u64, Some(total as u64)));
        prop_assert!(stats.reached_end());
        prop_assert!(most.load(Ordering::SeqCst) <= concurrency.max(1));
    }
}

#[test]
fn an_empty_page_in_the_middle_is_not_the_end() {
    run(async {
        let pages: Vec<Vec<usize>> =
            Paginator::new(by_offset(vec![2, 0, 0, 1])).into_stream().try_collect().await.unwrap();
        assert_eq!(pages, [vec![0, 1], vec![], vec![], vec![2]]);
    });
}

#[test]
fn a_repeated_cursor_ends_the_reading_with_an_error() {
    run(async {
        // The loop is longer than one page: a, b, c, b.
        let next = |cursor: Option<&str>| match cursor {
            None => "a",
            Some("a" | "c") => "b",
            _ => "c",
        };
        let paginator =
            Paginator::new(move |cursor| async move { Ok(Page::new(vec![()], Next::Cursor(next(cursor)))) });
        let stats = paginator.stats();
        let pages: Vec<_> = paginator.into_stream().collect().await;
        assert_eq!(pages.len(), 4);
        let error = pages[3].as_ref().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Incomplete, false));
        assert!(!stats.reached_end());
    });
}

#[test]
fn a_cursor_that_leads_back_to_where_the_reading_began_is_a_repeated_one() {
    run(async {
        let paginator = Paginator::new(|cursor: Option<u8>| async move { Ok(Page::new(vec![()], cursor)) });
        let pages: Vec<_> = paginator.starting_at(7).into_stream().collect().await;
        assert_eq!(pages.len(), 1);
        assert_eq!(pages[0].as_ref().unwrap_err().kind(), ErrorKind::Incomplete);
    });
}

#[test]
fn more_pages_than_the_cap_are_an_error_and_not_an_end() {
    run(async {
        let endless = || {
            Paginator::new(|cursor: Option<u64>| async move {
                Ok(Page::new(vec![()], Some(cursor.map_or(1, |c| c + 1))))
            })
        };
        let pages: Vec<_> = endless().with_page_cap(3).into_stream().collect().await;
        assert_eq!(pages.iter().filter(|page| page.is_ok()).count(), 3);
        assert_eq!(pages[3].as_ref().unwrap_err().kind(), ErrorKind::Incomplete);
        let exact: Vec<_> =
            Paginator::new(by_offset(vec![1; 3])).with_page_cap(3).into_stream().collect().await;
        assert!(exact.iter().all(Result::is_ok));

        let (numbered, stats) = numbered_pages(|_| async { Ok(NumberedPage::new(vec![()], u64::MAX)) }, 2);
        let pages: Vec<_> = numbered.collect().await;
        assert_eq!(pages.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Incomplete);
        assert!(pages.len() == 1 && !stats.reached_end());
    });
}

#[test]
fn nothing_is_fetched_before_the_first_poll_or_after_the_drop() {
    run(async {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let mut pages = Paginator::new(move |cursor: Option<u64>| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { Ok(Page::new(vec![()], Some(cursor.map_or(1, |c| c + 1)))) }
        })
        .into_stream();
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        assert!(pages.next().await.is_some());
        assert_eq!(asked.load(Ordering::SeqCst), 1, "one page at a time");
        drop(pages);

        let count = Arc::clone(&asked);
        let (mut pages, _) = numbered_pages(
            move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                async { Ok(NumberedPage::new(vec![()], 100)) }
            },
            3,
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(pages.next().await.is_some());
        assert_eq!(asked.load(Ordering::SeqCst), 2, "the first page alone");
        assert!(pages.next().await.is_some());
        drop(pages);
        assert_eq!(asked.load(Ordering::SeqCst), 5, "and then as many as may be in flight");
    });
}

#[test]
fn an_error_comes_once_and_is_the_last_item() {
    run(async {
        let fail = || Error::new(ErrorKind::Unavailable, "down");
        let by_cursor = Paginator::new(move |cursor: Option<u8>| async move {
            if cursor.is_some() { Err(fail()) } else { Ok(Page::new(vec![()], Some(1))) }
        });
        let by_number = numbered_pages(
            move |number| async move {
                if number == 2 { Err(fail()) } else { Ok(NumberedPage::new(vec![()], 9)) }
            },
            4,
        );
        for mut pages in [by_cursor.into_stream(), by_number.0] {
            assert!(pages.next().await.unwrap().is_ok());
            assert_eq!(pages.next().await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
            assert!(pages.next().await.is_none());
        }
        assert!(!by_number.1.reached_end());
    });
}

#[test]
fn a_listing_that_grows_while_it_is_read_is_read_to_its_new_end() {
    run(async {
        let fetch =
            |number| async move { Ok(NumberedPage::new(vec![number], if number < 3 { 3 } else { 5 })) };
        let (pages, stats) = numbered_pages(fetch, 2);
        let items: Vec<u64> = pages.try_concat().await.unwrap();
        assert_eq!(items, [1, 2, 3, 4, 5]);
        assert!(stats.reached_end());
    });
}

#[test]
fn a_later_page_that_names_an_earlier_last_one_cuts_nothing_off() {
    run(async {
        let fetch =
            |number| async move { Ok(NumberedPage::new(vec![number], if number == 2 { 2 } else { 3 })) };
        let (pages, _) = numbered_pages(fetch, 1);
        let items: Vec<u64> = pages.try_concat().await.unwrap();
        assert_eq!(items, [1, 2, 3]);
    });
}

#[test]
fn a_server_that_ignores_the_page_number_is_found_out() {
    run(async {
        let fetch = |_| async { Ok(NumberedPage::new(vec![()], 3).with_number(Some(1))) };
        let (pages, _) = numbered_pages(fetch, 2);
        let pages: Vec<_> = pages.collect().await;
        assert!(pages[0].is_ok());
        assert_eq!(pages[1].as_ref().unwrap_err().kind(), ErrorKind::Incomplete);
        assert_eq!(pages.len(), 2);
    });
}

#[test]
fn an_empty_listing_with_no_last_page_is_whole() {
    run(async {
        let (pages, stats) = numbered_pages(|_| async { Ok(NumberedPage::<()>::new(vec![], 0)) }, 4);
        assert_eq!(pages.try_concat().await.unwrap(), []);
        assert!(stats.reached_end() && stats.total().is_none());
    });
}
