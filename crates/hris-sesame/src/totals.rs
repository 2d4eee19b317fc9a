//! What the pages of a listing say about its length. Only if all say the same did the listing stand still: when people
//! vanish from a page that was read already, others move up past the reader, and the last total fits all the same.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The totals that the pages of one listing tell. Clones look at the same listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals(Arc<Mutex<Noted>>);

#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    last: Option<u64>,
    changed: bool,
}

impl Totals {
    /// Takes note of a page's word.
    pub(crate) fn note(&self, total: Option<u64>) {
        let mut noted = self.noted();
        if let Some(total) = total {
            noted.changed |= noted.last.is_some_and(|last| last != total);
            noted.last = Some(total);
        }
    }

    /// The last word.
    pub(crate) fn last(&self) -> Option<u64> {
        self.noted().last
    }

    /// Whether the pages disagree.
    pub(crate) fn changed(&self) -> bool {
        self.noted().changed
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_disagree_are_noticed_even_if_the_last_word_is_the_first_again() {
        let totals = Totals::default();
        totals.note(None);
        assert_eq!((totals.last(), totals.changed()), (None, false));
        for total in [Some(5), None, Some(5)] {
            totals.note(total);
        }
        assert_eq!((totals.last(), totals.changed()), (Some(5), false));
        totals.note(Some(4));
        totals.note(Some(5));
        assert_eq!((totals.last(), totals.changed()), (Some(5), true));
    }
}
