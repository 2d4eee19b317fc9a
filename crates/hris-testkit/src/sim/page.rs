//! The ways in which vendors cut a listing into pages: by number, by offset and by cursor.

/// The page size that a vendor gives, whatever is asked for.
///
/// ```
/// use hris_testkit::sim::PageSize;
/// let size = PageSize::new(20, 100);
/// assert_eq!(size.read(None), 20);
/// assert_eq!(size.read(Some("50")), 50);
/// assert_eq!(size.read(Some("5000")), 100);
/// assert_eq!(size.read(Some("many")), 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize {
    default: usize,
    max: usize,
}

impl PageSize {
    /// `default` rows where nothing usable is asked for, and at most `max`. Both count as at least 1.
    pub const fn new(default: usize, max: usize) -> Self {
        const fn at_least_one(size: usize) -> usize {
            if size == 0 { 1 } else { size }
        }
        Self { default: at_least_one(default), max: at_least_one(max) }
    }

    /// The size for the text of a query parameter.
    pub fn read(self, asked: Option<&str>) -> usize {
        let asked = asked.and_then(|text| text.parse().ok()).filter(|size| *size > 0);
        asked.unwrap_or(self.default).min(self.max)
    }
}

/// A page by number, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<'a, T> {
    /// The rows of the page; none beyond the last.
    pub items: &'a [T],
    /// Its number.
    pub number: usize,
    /// How many rows a full page has.
    pub size: usize,
    /// The number of the last page; 1 for an empty listing.
    pub last: usize,
    /// How many rows there are in all.
    pub total: usize,
}

impl<'a, T> Page<'a, T> {
    /// The page that the text of a query parameter asks for; the first, where that is no number from 1.
    pub fn numbered(all: &'a [T], number: Option<&str>, size: usize) -> Self {
        let asked = number.and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        let number = asked.unwrap_or(1);
        Self { number, ..Self::from_offset(all, size.max(1).saturating_mul(number - 1), size) }
    }

    /// The rows from an offset counted from 0, as a page whose number is that of the first row's page.
    pub fn from_offset(all: &'a [T], offset: usize, size: usize) -> Self {
        let size = size.max(1);
        Self {
            items: rows(all, offset, size),
            number: offset / size + 1,
            size,
            last: all.len().div_ceil(size).max(1),
            total: all.len(),
        }
    }
}

/// A page by cursor, an opaque text that leads to the page after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPage<'a, T> {
    /// The rows of the page.
    pub items: &'a [T],
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl<'a, T> CursorPage<'a, T> {
    /// The first page, or the one that a cursor leads to; `None` if the cursor is not one of this listing.
    pub fn at(all: &'a [T], cursor: Option<&str>, size: usize) -> Option<Self> {
        let start = match cursor {
            None => 0,
            Some(cursor) => cursor.strip_prefix("after-")?.parse().ok()?,
        };
        if start > all.len() {
            return None;
        }
        let items = rows(all, start, size.max(1));
        let end = start + items.len();
        Some(Self { items, next: (end < all.len()).then(|| format!("after-{end}")) })
    }
}

/// At most `size` rows from the one at `start`, counted from 0; none beyond the end.
fn rows<T>(all: &[T], start: usize, size: usize) -> &[T] {
    let rest = all.get(start..).unwrap_or_default();
    rest.get(..size).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [u8; 5] = [1, 2, 3, 4, 5];

    #[test]
    fn numbered_pages_cover_the_listing_once() {
        let page = |number| Page::numbered(&ROWS, Some(number), 2);
        assert_eq!(page("1").items, [1, 2]);
        assert_eq!(page("3").items, [5]);
        assert_eq!((page("1").last, page("1").total), (3, 5));
        assert!(page("4").items.is_empty());
        assert!(page("18446744073709551615").items.is_empty());
        for first in ["0", "-1", "x"] {
            assert_eq!(page(first).items, [1, 2], "{first}");
        }
        assert_eq!(Page::<u8>::numbered(&[], None, 2).last, 1);
    }

    #[test]
    fn offsets_start_anywhere() {
        assert_eq!(Page::from_offset(&ROWS, 3, 10).items, [4, 5]);
        assert!(Page::from_offset(&ROWS, 9, 10).items.is_empty());
    }

    #[test]
    fn cursors_lead_through_the_whole_listing_and_end() {
        let mut seen = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = CursorPage::at(&ROWS, cursor.as_deref(), 2).unwrap();
            seen.extend_from_slice(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ROWS);
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        for foreign in ["", "after-", "after-99", "2"] {
            assert_eq!(CursorPage::at(&ROWS, Some(foreign), 2), None, "{foreign}");
        }
    }
}
