//! Counts distinct people in at most 16 bytes each, however often a page is repeated.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A number that stands for an id. Equal in every process, so that runs are alike; two ids of one directory of a
/// million people share a number with a probability below one in ten million.
pub fn fold_id(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// A set of folded ids: a list that is sorted and freed of repeats before it may grow. At most 16 bytes a person.
///
/// ```
/// use hris_http::{Distinct, fold_id};
/// let mut seen = Distinct::default();
/// for id in ["a", "b", "a"] {
///     seen.insert(fold_id(id));
/// }
/// assert_eq!(seen.count(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Distinct {
    folded: Vec<u64>,
    /// How many at the front are sorted and without repeats.
    tidy: usize,
}

impl Distinct {
    /// Adds a folded id.
    pub fn insert(&mut self, id: u64) {
        if self.folded.len() == self.folded.capacity() {
            self.make_room();
        }
        self.folded.push(id);
    }

    /// How many different ids there are.
    pub fn count(&mut self) -> u64 {
        self.tidy_up();
        self.folded.len() as u64
    }

    /// Whether an id is in the set. Quick once the ids were counted.
    pub fn contains(&self, id: u64) -> bool {
        let (tidy, rest) = self.folded.split_at(self.tidy);
        tidy.binary_search(&id).is_ok() || rest.contains(&id)
    }

    /// The ids, each once if they were counted.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.folded.iter().copied()
    }

    /// The ids in ascending order, each once.
    pub fn into_sorted(mut self) -> Vec<u64> {
        self.tidy_up();
        self.folded
    }

    /// Grows by half once three quarters are distinct ids: room for at most twice as many as there are.
    fn make_room(&mut self) {
        const SMALLEST: usize = 64;
        self.tidy_up();
        let capacity = self.folded.capacity();
        if self.folded.len() >= capacity / 4 * 3 {
            let wanted = (capacity + capacity / 2).max(SMALLEST);
            self.folded.reserve_exact(wanted - self.folded.len());
        }
    }

    fn tidy_up(&mut self) {
        if self.tidy < self.folded.len() {
            self.folded.sort_unstable();
            self.folded.dedup();
            self.tidy = self.folded.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: impl IntoIterator<Item = u64>) -> Distinct {
        let mut set = Distinct::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }

    #[test]
    fn repeats_count_once_and_nobody_takes_more_than_sixteen_bytes() {
        for people in [100, 1_000, 77_777] {
            let ids = (0..5).flat_map(|_| (0..people).map(|id: u64| fold_id(&id.to_string())));
            let mut seen = set(ids);
            assert!(seen.folded.capacity() as u64 * 8 <= people * 16, "{}", seen.folded.capacity());
            assert_eq!(seen.count(), people);
            assert!(seen.contains(fold_id("7")) && !seen.contains(fold_id("no-such-id")));
        }
    }

    #[test]
    fn a_set_knows_its_ids_counted_or_not() {
        let mut few = set([7, 7, 20]);
        assert!(few.contains(20) && !few.contains(8), "before they are counted");
        few.count();
        few.insert(8);
        assert!(few.contains(7) && few.contains(8) && !few.contains(9));
        assert_eq!(few.iter().filter(|id| set(0..10).contains(*id)).count(), 2);
        few.insert(7);
        assert_eq!(few.into_sorted(), [7, 8, 20]);
    }
}
