//! Who claims a unique value in one reading: an e-mail address or an Employee ID, by fingerprint.
//!
//! Claims are gathered while reading and looked at once everyone has been read, so that it makes no difference in
//! which order people come.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use hris_core::keys::Print;

use crate::comparison::Ordinal;

/// Claims of people on values that only one of them can have; 8 bytes a person.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// By ordinal. 0: no claim.
    values: Vec<u64>,
}

/// The claims of everyone, by value.
#[derive(Debug)]
pub(crate) struct ClaimIndex<'a> {
    claims: &'a Claims,
    first: HashTable<u32>,
    /// Those who claim one value, where there are several; in order of their numbers.
    pub(crate) shared: BTreeMap<u64, Vec<Ordinal>>,
}

impl Claims {
    /// Sets what a person claims, in place of an earlier claim.
    pub(crate) fn set(&mut self, who: Ordinal, value: Option<Print>) {
        if self.values.len() <= who.index() {
            if value.is_none() {
                return;
            }
            self.values.resize(who.index() + 1, 0);
        }
        if let Some(slot) = self.values.get_mut(who.index()) {
            *slot = value.map_or(0, |value| value.0);
        }
    }

    /// What a person claims.
    pub(crate) fn get(&self, who: Ordinal) -> Option<Print> {
        self.values.get(who.index()).copied().filter(|value| *value != 0).map(Print)
    }

    /// Everything that is claimed, once for each claim.
    pub(crate) fn values(&self) -> impl Iterator<Item = Print> {
        self.values.iter().filter(|value| **value != 0).map(|value| Print(*value))
    }

    /// Looks at the claims of everyone.
    pub(crate) fn index(&self) -> ClaimIndex<'_> {
        let mut index = ClaimIndex { claims: self, first: HashTable::new(), shared: BTreeMap::new() };
        for (who, value) in (0_u32..).zip(&self.values).filter(|(_, value)| **value != 0) {
            let of = |who: &u32| self.value(*who);
            match index.first.entry(*value, |who| of(who) == *value, of) {
                Entry::Occupied(first) => {
                    let first = Ordinal::from_raw(*first.get());
                    index.shared.entry(*value).or_insert_with(|| vec![first]).push(Ordinal::from_raw(who));
                }
                Entry::Vacant(place) => {
                    place.insert(who);
                }
            }
        }
        index
    }

    fn value(&self, who: u32) -> u64 {
        self.values.get(who as usize).copied().unwrap_or_default()
    }
}

impl ClaimIndex<'_> {
    /// Everybody who claims a value.
    pub(crate) fn claimants(&self, value: Print) -> Vec<Ordinal> {
        if let Some(claimants) = self.shared.get(&value.0) {
            return claimants.clone();
        }
        self.first(value).into_iter().collect()
    }

    /// Whether anybody claims a value.
    pub(crate) fn is_claimed(&self, value: Print) -> bool {
        self.first(value).is_some()
    }

    /// What a person claims.
    pub(crate) fn claim_of(&self, who: Ordinal) -> Option<Print> {
        self.claims.get(who)
    }

    fn first(&self, value: Print) -> Option<Ordinal> {
        let first = self.first.find(value.0, |who| self.claims.value(*who) == value.0);
        first.map(|who| Ordinal::from_raw(*who))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u32) -> Ordinal {
        Ordinal::from_raw(number)
    }

    #[test]
    fn everybody_who_claims_one_value_is_named() {
        let mut claims = Claims::default();
        for (who, value) in [(5, 7), (0, 7), (2, 8), (9, 7)] {
            claims.set(person(who), Some(Print(value)));
        }
        let index = claims.index();
        assert_eq!(index.shared, [(7, vec![person(0), person(5), person(9)])].into_iter().collect());
        assert_eq!(index.claimants(Print(8)), [person(2)]);
        assert_eq!(index.claimants(Print(1)), []);
    }

    #[test]
    fn a_claim_that_is_replaced_or_given_up_counts_no_more() {
        let mut claims = Claims::default();
        claims.set(person(0), Some(Print(7)));
        claims.set(person(1), Some(Print(7)));
        claims.set(person(1), Some(Print(8)));
        claims.set(person(3), None);
        assert!(claims.index().shared.is_empty());
        claims.set(person(0), None);
        assert_eq!(claims.index().claimants(Print(7)), []);
    }
}
