//! The populations that behaviours read.

use crate::population::{Amount, Oddities, Oddity, Population};

/// Everything that happens in real directories, broken rows of every kind included. More than one page of a hundred.
pub(crate) fn everybody() -> Population {
    Population::new(7).size(260).build()
}

/// As [`everybody`], with sound rows only.
pub(crate) fn sound() -> Population {
    let oddities = Oddities::default().with(Oddity::MalformedRow, Amount::Cases(0));
    Population::new(7).size(260).oddities(oddities).build()
}

/// Ordinary people, of whom some have left.
pub(crate) fn plain(size: usize) -> Population {
    let leavers = Oddities::none().with(Oddity::Leaver, Amount::Cases(size / 10));
    Population::new(7).size(size).oddities(leavers).build()
}

/// Ordinary people and one broken row of each kind.
pub(crate) fn with_bad_rows() -> Population {
    let broken = Oddities::none().with(Oddity::MalformedRow, Amount::PerTenThousand(1));
    Population::new(7).size(200).oddities(broken).build()
}

/// Nobody.
pub(crate) fn nobody() -> Population {
    Population::new(7).size(0).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::Malformation;

    #[test]
    fn the_populations_are_what_their_names_say() {
        assert!(Oddity::ALL.into_iter().all(|oddity| everybody().with(oddity).count() > 0));
        assert!(sound().people().iter().all(|person| person.malformed.is_none()));
        assert_eq!((plain(40).counts().inactive, plain(40).counts().active), (4, 36));
        let broken: Vec<_> = with_bad_rows().people().iter().filter_map(|person| person.malformed).collect();
        assert!(Malformation::ALL.iter().all(|kind| broken.contains(kind)));
        assert!(nobody().is_empty());
    }
}
