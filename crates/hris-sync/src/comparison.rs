//! The keyed comparison: fingerprints of known rows against fingerprints of incoming ones. It knows no policy.
//!
//! Per row it keeps a 64-bit key, a 64-bit fingerprint of the whole row, and 32 bits per column that say *which*
//! columns differ once the row does. Values are never held.

use hashbrown::HashTable;
use hris_core::keys::Print;
use hris_core::{Error, ErrorKind, MAX_TARGETS, Result};

/// The number of a row within one [`Comparison`], from 0 in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordinal(u32);

impl Ordinal {
    /// The number, for vectors that run beside the comparison.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn from_raw(number: u32) -> Self {
        Self(number)
    }
}

/// What an incoming row is, compared with the known one of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// No row has this key.
    New,
    /// The known row is equal in every column that the incoming one has.
    Same,
    /// These columns differ: bit `n` stands for column `n`.
    Changed(u64),
}

/// Compares a stream of incoming rows with a table of known ones.
///
/// ```
/// use hris_core::keys::Print;
/// use hris_sync::{Compared, Comparison};
/// let mut comparison = Comparison::new(2);
/// comparison.add_known(Print(1), &[Some(Print(10)), Some(Print(20))])?;
/// let same = comparison.observe(Print(1), &[Some(Print(10)), Some(Print(20))])?;
/// assert_eq!(same.compared, Compared::Same);
/// let other = comparison.observe(Print(2), &[Some(Print(10)), None])?;
/// assert_eq!((other.compared, other.repeated), (Compared::New, false));
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Comparison {
    width: usize,
    keys: Vec<u64>,
    rows: Vec<u64>,
    columns: Vec<u32>,
    seen: Vec<bool>,
    seen_count: usize,
    index: HashTable<u32>,
    known: usize,
}

/// An incoming row, placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The row's number, known rows first.
    pub ordinal: Ordinal,
    /// The result. For a repeated row: compared with what came before, not with what was known.
    pub compared: Compared,
    /// Whether a row with this key had come before in this stream.
    pub repeated: bool,
}

impl Comparison {
    /// A comparison of rows with `width` columns, at most [`MAX_TARGETS`].
    pub fn new(width: usize) -> Self {
        Self {
            width: width.min(MAX_TARGETS),
            keys: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            seen: Vec::new(),
            seen_count: 0,
            index: HashTable::new(),
            known: 0,
        }
    }

    /// Makes room for `rows` more rows at once.
    pub fn reserve(&mut self, rows: usize) {
        self.keys.reserve(rows);
        self.rows.reserve(rows);
        self.columns.reserve(rows * self.width);
        self.seen.reserve(rows);
        let keys = &self.keys;
        self.index.reserve(rows, |ordinal| hash(keys, *ordinal));
    }

    /// Adds a known row; all of them come before the first incoming one. `None` stands for a column of which
    /// nothing is known: it differs from whatever comes.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] if the key is there already.
    pub fn add_known(&mut self, key: Print, prints: &[Option<Print>]) -> Result<Ordinal> {
        if self.find(key).is_some() {
            return Err(Error::new(ErrorKind::Integrity, "two known rows have one key")
                .with_hint("the store holds a link twice, or two record ids share a fingerprint"));
        }
        let ordinal = self.push(key, prints)?;
        self.known = self.keys.len();
        Ok(ordinal)
    }

    /// Adds a row of which only the key is heard of. It is no known one: it never counts as unseen, and once it comes
    /// it is new, only that its columns differ.
    pub(crate) fn add_bystander(&mut self, key: Print) -> Result<Ordinal> {
        self.push(key, &[])
    }

    /// Places an incoming row and compares it. From then on the incoming row stands in for the known one, so that
    /// a repeat is compared with what came before; a repeat itself changes nothing (see [`Comparison::replace`]).
    pub fn observe(&mut self, key: Print, prints: &[Option<Print>]) -> Result<Observation> {
        let Some(ordinal) = self.find(key) else {
            let ordinal = self.push(key, prints)?;
            self.mark_seen(ordinal);
            return Ok(Observation { ordinal, compared: Compared::New, repeated: false });
        };
        let repeated = self.mark_seen(ordinal);
        let compared =
            if repeated { self.compare_repeat(ordinal, prints) } else { self.compare(ordinal, prints) };
        if !repeated {
            self.replace(ordinal, prints);
        }
        Ok(Observation { ordinal, compared, repeated })
    }

    /// The row with a key.
    pub fn find(&self, key: Print) -> Option<Ordinal> {
        let keys = &self.keys;
        self.index.find(key.0, |ordinal| hash(keys, *ordinal) == key.0).copied().map(Ordinal)
    }

    /// Whether the row was known before the stream began.
    pub fn is_known(&self, ordinal: Ordinal) -> bool {
        ordinal.index() < self.known
    }

    /// Whether the row came in the stream.
    pub fn is_seen(&self, ordinal: Ordinal) -> bool {
        self.seen.get(ordinal.index()).copied().unwrap_or(false)
    }

    /// How many different rows came.
    pub fn seen(&self) -> usize {
        self.seen_count
    }

    /// The key of every row, by its number.
    pub(crate) fn into_keys(self) -> Vec<u64> {
        self.keys
    }

    /// Known rows that did not come.
    pub fn unseen(&self) -> impl Iterator<Item = Ordinal> {
        let known = self.seen.iter().take(self.known).enumerate();
        // Ordinals are made from `u32` numbers, so that the cast back loses nothing.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        known.filter(|(_, seen)| !**seen).map(|(index, _)| Ordinal(index as u32))
    }

    /// Rows that came and were not known.
    pub(crate) fn newcomers(&self) -> impl Iterator<Item = Ordinal> + use<> {
        let rows =
            u32::try_from(self.known).unwrap_or(u32::MAX)..u32::try_from(self.len()).unwrap_or(u32::MAX);
        rows.map(Ordinal)
    }

    /// The short fingerprint in a column, unless nothing is known of it or it is that of "no value".
    pub(crate) fn value(&self, ordinal: Ordinal, (column, no_value): (usize, Print)) -> Option<u32> {
        let print = self.columns.get(ordinal.index() * self.width + column).copied()?;
        (print != 0 && print != column_of(Some(no_value))).then_some(print)
    }

    /// How many rows are known or came.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn compare(&self, ordinal: Ordinal, prints: &[Option<Print>]) -> Compared {
        let complete = prints.iter().all(Option::is_some);
        if complete && self.rows.get(ordinal.index()) == Some(&row_of(prints)) {
            return Compared::Same;
        }
        match self.differing(ordinal, prints) {
            // The rows differ, yet no column does: the short fingerprints of a changed column collide. Nothing is
            // lost by writing every column.
            0 if complete => Compared::Changed(self.all_columns()),
            0 => Compared::Same,
            mask => Compared::Changed(mask),
        }
    }

    /// Two rows of one stream: a column that only one of them has makes a difference too.
    fn compare_repeat(&self, ordinal: Ordinal, prints: &[Option<Print>]) -> Compared {
        if self.rows.get(ordinal.index()) == Some(&row_of(prints)) {
            return Compared::Same;
        }
        match self.differing(ordinal, prints) {
            0 => Compared::Changed(self.all_columns()),
            mask => Compared::Changed(mask),
        }
    }

    fn differing(&self, ordinal: Ordinal, prints: &[Option<Print>]) -> u64 {
        let start = ordinal.index() * self.width;
        let known = self.columns.iter().skip(start).take(self.width);
        let differing = known.zip(prints).enumerate().filter_map(|(column, (known, print))| {
            let print = (*print)?;
            (*known != column_of(Some(print))).then_some(1_u64 << column)
        });
        differing.fold(0, |mask, bit| mask | bit)
    }

    fn all_columns(&self) -> u64 {
        u64::MAX >> (MAX_TARGETS - self.width.max(1))
    }

    fn push(&mut self, key: Print, prints: &[Option<Print>]) -> Result<Ordinal> {
        let ordinal = u32::try_from(self.keys.len())
            .map_err(|_| Error::new(ErrorKind::TooLarge, "more than four billion rows cannot be compared"))?;
        self.keys.push(key.0);
        self.rows.push(row_of(prints));
        self.columns.extend((0..self.width).map(|column| column_of(prints.get(column).copied().flatten())));
        self.seen.push(false);
        let keys = &self.keys;
        self.index.insert_unique(key.0, ordinal, |ordinal| hash(keys, *ordinal));
        Ok(Ordinal(ordinal))
    }

    /// Lets a repeated row stand in for what came before under its key.
    pub fn replace(&mut self, ordinal: Ordinal, prints: &[Option<Print>]) {
        let start = ordinal.index() * self.width;
        let columns = self.columns.iter_mut().skip(start).take(self.width);
        for (column, print) in columns.zip(prints) {
            if print.is_some() {
                *column = column_of(*print);
            }
        }
        if let Some(row) = self.rows.get_mut(ordinal.index()) {
            *row = row_of(prints);
        }
    }

    fn mark_seen(&mut self, ordinal: Ordinal) -> bool {
        let before = self.seen.get_mut(ordinal.index()).is_some_and(|seen| std::mem::replace(seen, true));
        self.seen_count += usize::from(!before);
        before
    }
}

fn hash(keys: &[u64], ordinal: u32) -> u64 {
    keys.get(ordinal as usize).copied().unwrap_or_default()
}

/// A fingerprint over the row that depends on the order of its columns (FxHash's step, which is plenty for values
/// that are hashes already).
fn row_of(prints: &[Option<Print>]) -> u64 {
    const STEP: u64 = 0x517c_c1b7_2722_0a95;
    let columns = prints.iter().map(|print| print.map_or(0, |print| print.0));
    columns.fold(0_u64, |row, print| (row.rotate_left(5) ^ print).wrapping_mul(STEP))
}

/// 0 stands for "unknown", so that a fingerprint which happens to be 0 becomes 1.
#[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
fn column_of(print: Option<Print>) -> u32 {
    print.map_or(0, |print| (print.0 as u32).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prints(values: &[u64]) -> Vec<Option<Print>> {
        values.iter().map(|value| Some(Print(*value))).collect()
    }

    #[test]
    fn the_mask_names_the_columns_that_differ() {
        let mut comparison = Comparison::new(3);
        comparison.add_known(Print(7), &prints(&[1, 2, 3])).unwrap();
        let seen = comparison.observe(Print(7), &prints(&[1, 9, 8])).unwrap();
        assert_eq!(seen.compared, Compared::Changed(0b110));
    }

    #[test]
    fn an_absent_column_never_differs_and_an_unknown_one_always_does() {
        let mut comparison = Comparison::new(2);
        comparison.add_known(Print(1), &[Some(Print(10)), None]).unwrap();
        assert_eq!(comparison.observe(Print(1), &[None, None]).unwrap().compared, Compared::Same);
        let seen = comparison.observe(Print(1), &[None, Some(Print(5))]).unwrap();
        assert_eq!(seen.compared, Compared::Changed(0b10));
    }

    #[test]
    fn a_repeat_is_compared_with_what_came_before_and_changes_nothing() {
        let mut comparison = Comparison::new(1);
        comparison.add_known(Print(1), &prints(&[10])).unwrap();
        assert!(!comparison.observe(Print(1), &prints(&[11])).unwrap().repeated);
        let again = comparison.observe(Print(1), &prints(&[11])).unwrap();
        assert_eq!((again.compared, again.repeated), (Compared::Same, true));
        for _ in 0..2 {
            let other = comparison.observe(Print(1), &prints(&[12])).unwrap();
            assert_eq!((other.compared, other.repeated), (Compared::Changed(1), true));
        }
    }

    #[test]
    fn a_repeat_that_lacks_a_column_is_another_row_whichever_comes_first() {
        let (full, partial) = (prints(&[1, 2]), vec![Some(Print(1)), None]);
        for (first, second) in [(&full, &partial), (&partial, &full)] {
            let mut comparison = Comparison::new(2);
            comparison.observe(Print(1), first).unwrap();
            assert_ne!(comparison.observe(Print(1), second).unwrap().compared, Compared::Same);
            assert_eq!(comparison.observe(Print(1), first).unwrap().compared, Compared::Same);
        }
    }

    #[test]
    fn a_row_that_differs_only_beyond_the_short_fingerprints_counts_as_wholly_changed() {
        let mut comparison = Comparison::new(2);
        comparison.add_known(Print(1), &prints(&[0x1_0000_0001, 2])).unwrap();
        let seen = comparison.observe(Print(1), &prints(&[0x2_0000_0001, 2])).unwrap();
        assert_eq!(seen.compared, Compared::Changed(0b11));
    }

    #[test]
    fn two_known_rows_with_one_key_are_an_integrity_error() {
        let mut comparison = Comparison::new(1);
        comparison.add_known(Print(1), &prints(&[1])).unwrap();
        assert_eq!(comparison.add_known(Print(1), &prints(&[1])).unwrap_err().kind(), ErrorKind::Integrity);
    }

    proptest! {
        #[test]
        fn every_row_is_new_same_changed_or_unseen_as_a_plain_map_says(
            known in proptest::collection::btree_map(0_u64..50, proptest::collection::vec(1_u64..4, 3), 0..40),
            incoming in proptest::collection::btree_map(0_u64..50, proptest::collection::vec(1_u64..4, 3), 0..40),
        ) {
            let mut comparison = Comparison::new(3);
            for (key, row) in &known {
                comparison.add_known(Print(*key), &prints(row)).unwrap();
            }
            for (key, row) in &incoming {
                let expected = match known.get(key) {
                    None => Compared::New,
                    Some(old) if old == row => Compared::Same,
                    Some(old) => Compared::Changed(
                        (0..3).filter(|c| old[*c] != row[*c]).fold(0, |mask, c| mask | 1 << c),
                    ),
                };
                let seen = comparison.observe(Print(*key), &prints(row)).unwrap();
                prop_assert_eq!(seen.compared, expected);
            }
            let missing = known.keys().filter(|key| !incoming.contains_key(key)).count();
            prop_assert_eq!(comparison.unseen().count(), missing);
        }
    }
}
