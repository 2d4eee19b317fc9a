//! What the desk lists: one form of pages and search for all of them, notes, tags and the point ledger.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{Hidden, PointAccountId, PointSourceId, Points};

/// Which part of a list is wanted.
///
/// ```
/// use hris_sessionm::Paging;
/// let second = Paging::first(5).containing("coffee").next();
/// assert_eq!((second.page(), second.size()), (2, 5));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Paging {
    page: u32,
    size: u32,
    text: Option<String>,
}

impl Paging {
    /// The largest page.
    pub const MOST: u32 = 1000;

    /// The first page of a size, 1 to 1000.
    pub fn first(size: u32) -> Self {
        Self { page: 1, size: size.clamp(1, Self::MOST), text: None }
    }

    /// Only what has this text in its title, description or internal name, without regard to case. Blank is no filter.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        let text: String = text.into();
        self.text = (!text.trim().is_empty()).then(|| text.trim().to_lowercase());
        self
    }

    /// A page by its number, from 1; zero counts as one.
    #[must_use]
    pub fn at(mut self, page: u32) -> Self {
        self.page = page.max(1);
        self
    }

    /// The page after this.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { page: self.page.saturating_add(1), ..self.clone() }
    }

    /// The number of the page, from 1.
    pub fn page(&self) -> u32 {
        self.page
    }

    /// Items a page.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Whether a search text is set.
    pub fn is_search(&self) -> bool {
        self.text.is_some()
    }

    /// How many items come before this page.
    pub(crate) fn skip(&self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.size)
    }

    /// Whether any of these texts has the search text.
    pub(crate) fn matches<'t>(&self, texts: impl IntoIterator<Item = Option<&'t str>>) -> bool {
        let Some(wanted) = &self.text else { return true };
        texts.into_iter().flatten().any(|text| text.to_lowercase().contains(wanted))
    }

    /// This page of a list that is known as a whole.
    pub(crate) fn cut<T>(&self, items: Vec<T>) -> Listing<T> {
        let total = items.len() as u64;
        let skip = usize::try_from(self.skip()).unwrap_or(usize::MAX);
        let items: Vec<_> = items.into_iter().skip(skip).take(self.size as usize).collect();
        Listing {
            has_next: self.skip() + (items.len() as u64) < total,
            items,
            page: self.page,
            total: Some(total),
        }
    }
}

impl Default for Paging {
    /// The first five, as the desk shows them.
    fn default() -> Self {
        Self::first(5)
    }
}

impl fmt::Debug for Paging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Paging");
        out.field("page", &self.page).field("size", &self.size);
        out.field("text", &self.text.as_ref().map(|_| Hidden)).finish()
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The number of this page, from 1.
    pub page: u32,
    /// How many items there are on all pages, where that is known.
    pub total: Option<u64>,
    /// Whether there is a page after this.
    pub has_next: bool,
}

impl<T> Listing<T> {
    /// This page of a list that is known as a whole; for mocks.
    pub fn of(items: Vec<T>, paging: &Paging) -> Self {
        paging.cut(items)
    }

    /// Whether there is a page before this.
    pub fn has_previous(&self) -> bool {
        self.page > 1
    }
}

/// A note on a customer. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// Its id, where SessionM tells it.
    pub id: Option<String>,
    /// The reason's code; none where the agent chose none.
    pub reason: Option<String>,
    /// The text.
    pub comment: String,
    /// When it was written.
    pub created_at: Option<DateTime<Utc>>,
    /// Who wrote it: always the integration's own user, never the agent.
    pub author: Option<String>,
}

impl Note {
    /// A note.
    pub fn new(reason: Option<String>, comment: impl Into<String>) -> Self {
        Self { id: None, reason, comment: comment.into(), created_at: None, author: None }
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Note");
        out.field("id", &self.id).field("reason", &self.reason).field("created_at", &self.created_at);
        out.finish_non_exhaustive()
    }
}

/// A tag of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tag {
    /// The tag.
    pub name: String,
    /// How often it was added, where it is a counter and SessionM tells it.
    pub count: Option<u64>,
    /// When it ends, where it does and SessionM tells it.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Tag {
    /// A tag.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), count: None, expires_at: None }
    }
}

/// One row of a customer's point ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// Its id.
    pub id: String,
    /// The account.
    pub account: Option<PointAccountId>,
    /// The account's name.
    pub account_name: Option<String>,
    /// What was given or taken.
    pub change: Points,
    /// SessionM's number of the kind of row: probably 1 given, 2 spent, 4 expired, 16 given by adjustment.
    pub kind: Option<i64>,
    /// The text that came with it, where agents' reasons end up.
    pub reason: Option<String>,
    /// The reference that came with it, our own key for what this crate sent.
    pub reference: Option<String>,
    /// The key against doubles that came with it, where there was one.
    pub idempotency_id: Option<String>,
    /// The source of the points.
    pub source: Option<PointSourceId>,
    /// The source's name.
    pub source_name: Option<String>,
    /// When it happened.
    pub at: Option<DateTime<Utc>>,
}

impl LedgerEntry {
    /// A row; for mocks.
    pub fn new(id: impl Into<String>, change: Points) -> Self {
        Self {
            id: id.into(),
            account: None,
            account_name: None,
            change,
            kind: None,
            reason: None,
            reference: None,
            idempotency_id: None,
            source: None,
            source_name: None,
            at: None,
        }
    }

    /// Whether the row came from an effect with this key.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let is =
            |text: &Option<String>| text.as_deref().is_some_and(|text| text == key || text.ends_with(key));
        is(&self.reference) || is(&self.idempotency_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_neighbours_and_the_total() {
        let list = || (1..=7).collect::<Vec<_>>();
        let first = Paging::first(5).cut(list());
        assert_eq!(
            (first.items.len(), first.total, first.has_next, first.has_previous()),
            (5, Some(7), true, false)
        );
        let second = Paging::first(5).next().cut(list());
        assert_eq!((second.items, second.has_next), (vec![6, 7], false));
        assert_eq!(Paging::first(5).at(9).cut(list()).items, Vec::<i32>::new());
        assert_eq!(
            (Paging::first(0).size(), Paging::first(5000).size(), Paging::first(5).at(0).page()),
            (1, 1000, 1)
        );
    }

    #[test]
    fn search_ignores_case_and_blank_is_no_filter() {
        let paging = Paging::default().containing(" COFFEE ");
        assert!(paging.matches([None, Some("Free coffee")]) && !paging.matches([Some("Tea")]));
        assert!(Paging::default().containing("  ").matches([Some("Tea")]));
        assert!(!format!("{paging:?}").to_lowercase().contains("coffee"));
    }
}
