//! Who is in which listing, in at most 16 bytes a person however often a row is repeated.

use hris_http::{Distinct, fold_id};

/// Marks somebody of current staff who was met in the other listing.
const MET: u64 = 1;

/// A number that stands for an id, with room for the mark.
fn fold(id: &str) -> u64 {
    fold_id(id) & !MET
}

/// The people of current staff, and those met in the listing of everybody.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Current staff as it arrives.
    arriving: Distinct,
    /// Current staff, sorted; the lowest bit of each is its mark.
    current: Vec<u64>,
    /// Those met who are not of current staff.
    others: Distinct,
}

impl Roster {
    /// Adds somebody to current staff.
    pub(crate) fn add_current(&mut self, id: &str) {
        self.arriving.insert(fold(id));
    }

    /// Ends the listing of current staff, and says how many there are.
    pub(crate) fn close(&mut self) -> u64 {
        self.current = std::mem::take(&mut self.arriving).into_sorted();
        self.current.len() as u64
    }

    /// Forgets who was met.
    pub(crate) fn begin_again(&mut self) {
        self.current.iter_mut().for_each(|folded| *folded &= !MET);
        self.others = Distinct::default();
    }

    /// Meets somebody in the listing of everybody, and says whether they are of current staff.
    pub(crate) fn meet(&mut self, id: &str) -> bool {
        let id = fold(id);
        let found = self.current.binary_search_by_key(&id, |folded| folded & !MET).ok();
        if let Some(folded) = found.and_then(|at| self.current.get_mut(at)) {
            *folded |= MET;
            return true;
        }
        self.others.insert(id);
        false
    }

    /// How many different people were met.
    pub(crate) fn met(&mut self) -> u64 {
        let current = self.current.iter().filter(|folded| **folded & MET != 0).count();
        current as u64 + self.others.count()
    }

    /// How many of current staff were not met.
    pub(crate) fn unmet(&self) -> u64 {
        self.current.iter().filter(|folded| **folded & MET == 0).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn nobody_takes_more_than_sixteen_bytes_however_often_they_come() {
        for (current, left) in [(100, 0), (1_000, 500), (70_000, 7_777), (0, 9_000)] {
            let mut roster = Roster::default();
            for _ in 0..3 {
                (0..current).for_each(|id| roster.add_current(&id.to_string()));
            }
            assert_eq!(roster.close(), current);
            for _ in 0..3 {
                (0..current + left).for_each(|id| _ = roster.meet(&id.to_string()));
            }
            assert_eq!((roster.met(), roster.unmet()), (current + left, 0));
            // The other set keeps to 16 bytes by its own test.
            let bytes = 8 * roster.current.capacity() as u64 + 16 * left;
            assert!(bytes <= 16 * (current + left), "{bytes} bytes for {current} and {left}");
        }
    }

    proptest! {
        #[test]
        fn a_roster_counts_as_sets_do(
            current in proptest::collection::vec(0_u16..300, 0..400),
            met in proptest::collection::vec(0_u16..400, 0..500),
            before in proptest::collection::vec(0_u16..400, 0..20),
        ) {
            let mut roster = Roster::default();
            for id in &current {
                roster.add_current(&id.to_string());
            }
            let current: BTreeSet<_> = current.into_iter().collect();
            prop_assert_eq!(roster.close(), current.len() as u64);
            for id in before {
                roster.meet(&id.to_string());
            }
            roster.begin_again();
            for id in &met {
                prop_assert_eq!(roster.meet(&id.to_string()), current.contains(id));
            }
            let met: BTreeSet<_> = met.into_iter().collect();
            prop_assert_eq!(roster.met(), met.len() as u64);
            prop_assert_eq!(roster.unmet(), current.difference(&met).count() as u64);
        }
    }
}
