//! Who carries which oddity: decided by arithmetic on a position, so that no list of a million roles is needed.

use std::ops::Range;

use super::ids::derive;
use super::oddity::{Oddities, Oddity};

/// Every number below `len` once, in an order that looks random, with both directions in constant time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shuffle {
    len: u64,
    step: u64,
    unstep: u64,
    offset: u64,
}

impl Shuffle {
    pub(super) fn new(len: u64, seed: u64) -> Self {
        let len = len.max(1);
        let mut rng = fastrand::Rng::with_seed(seed);
        // Steps near zero or near `len` would leave neighbours together.
        let wanted = rng.u64(len / 3..=len / 3 * 2 + 1);
        let step = (wanted.max(1)..=wanted + len).find(|step| gcd(*step, len) == 1).unwrap_or(1) % len;
        Self { len, step, unstep: inverse(step, len), offset: rng.u64(..len) }
    }

    /// The number at a place; the place must be below `len`.
    pub(super) fn at(self, place: u64) -> u64 {
        (place * self.step + self.offset) % self.len
    }

    /// The place of a number; the number must be below `len`.
    pub(super) fn place_of(self, number: u64) -> u64 {
        (number + self.len - self.offset) % self.len * self.unstep % self.len
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The number that undoes a multiplication by `step` modulo `len`; they have no common divisor.
fn inverse(step: u64, len: u64) -> u64 {
    let (mut old, mut new) = ((len, 0_u64), (step, 1_u64));
    while new.0 != 0 {
        let quotient = old.0 / new.0;
        // Coefficients are kept modulo `len`, so that they need no sign.
        let coefficient = (old.1 + len - quotient % len * new.1 % len) % len;
        (old, new) = (new, (old.0 % new.0, coefficient));
    }
    old.1
}

/// The part that a person plays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role {
    pub(super) oddity: Oddity,
    /// Which person with this oddity it is, from 0. In pairs, the even one comes first.
    pub(super) nth: u64,
    /// Position of the other one of a pair; the person's own position otherwise.
    pub(super) partner: u64,
}

/// All parts of a population, in places of a shuffle: first all leavers, then all rehires, and so on.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    size: u64,
    shuffle: Shuffle,
    blocks: Vec<(Oddity, Range<u64>)>,
}

impl Cast {
    pub(super) fn new(seed: u64, size: usize, oddities: &Oddities) -> Self {
        let mut blocks = Vec::new();
        let mut taken = 0;
        for oddity in Oddity::ALL {
            let per_case = oddity.people_per_case();
            let cases = oddities.cases(oddity, size).min((size - taken) / per_case);
            let next = taken + cases * per_case;
            blocks.push((oddity, taken as u64..next as u64));
            taken = next;
        }
        let size = size as u64;
        Self { size, shuffle: Shuffle::new(size, derive(seed, 1, 0)), blocks }
    }

    /// The part of the person at a position; `None` for ordinary people and for those who join later.
    pub(super) fn role_of(&self, position: u64) -> Option<Role> {
        if position >= self.size {
            return None;
        }
        let place = self.shuffle.place_of(position);
        let block = self.blocks.partition_point(|(_, places)| places.end <= place);
        let (oddity, places) = self.blocks.get(block)?;
        let nth = place - places.start;
        let partner = match oddity.people_per_case() {
            1 => position,
            _ => self.shuffle.at(places.start + (nth ^ 1)),
        };
        Some(Role { oddity: *oddity, nth, partner })
    }

    /// The positions of all who play one part, pairs side by side.
    pub(super) fn positions(&self, oddity: Oddity) -> impl Iterator<Item = u64> {
        let block = self.blocks.iter().find(|(kind, _)| *kind == oddity);
        let places = block.map_or(0..0, |(_, places)| places.clone());
        let shuffle = self.shuffle;
        places.map(move |place| shuffle.at(place))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::oddity::Amount;
    use super::*;

    #[test]
    fn a_shuffle_meets_every_number_once_and_finds_its_place_again() {
        for len in [1, 2, 3, 4, 5, 6, 10, 12, 97, 200, 1_000, 30_030] {
            for seed in 0..5 {
                let shuffle = Shuffle::new(len, seed);
                let met: BTreeSet<u64> = (0..len).map(|place| shuffle.at(place)).collect();
                assert_eq!(met.len() as u64, len);
                assert!((0..len).all(|place| shuffle.place_of(shuffle.at(place)) == place), "{len} {seed}");
            }
        }
    }

    #[test]
    fn roles_and_positions_agree() {
        let cast = Cast::new(3, 500, &Oddities::default());
        for oddity in Oddity::ALL {
            let met: Vec<u64> = cast.positions(oddity).collect();
            assert!(
                met.iter().all(|position| cast.role_of(*position).is_some_and(|role| role.oddity == oddity))
            );
            let carriers = (0..500).filter(|at| cast.role_of(*at).is_some_and(|role| role.oddity == oddity));
            assert_eq!(carriers.count(), met.len());
        }
    }

    #[test]
    fn partners_point_at_each_other() {
        let cast = Cast::new(3, 500, &Oddities::default());
        for position in cast.positions(Oddity::ManagerCycle) {
            let partner = cast.role_of(position).unwrap().partner;
            assert_ne!(partner, position);
            assert_eq!(cast.role_of(partner).unwrap().partner, position);
        }
    }

    #[test]
    fn more_cases_than_people_are_cut_to_whole_cases() {
        let oddities = Oddities::none().with(Oddity::SharedEmail, Amount::Cases(usize::MAX));
        let cast = Cast::new(3, 7, &oddities);
        assert_eq!(cast.positions(Oddity::SharedEmail).count(), 6);
    }

    #[test]
    fn oddities_declared_earlier_come_first_when_people_run_out() {
        let oddities = Oddities::none()
            .with(Oddity::ManagerCycle, Amount::Cases(usize::MAX))
            .with(Oddity::Leaver, Amount::Cases(3));
        let cast = Cast::new(3, 8, &oddities);
        let people = |oddity| cast.positions(oddity).count();
        assert_eq!((people(Oddity::Leaver), people(Oddity::ManagerCycle)), (3, 4));
    }
}
