//! Who claims a unique value in one reading: an e-mail address or an Employee ID, by fingerprint.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use hris_core::keys::Print;

use crate::comparison::Ordinal;

/// Claims of people on values that only one of them can have.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    values: Vec<u64>,
    holders: HashTable<u32>,
}

impl Claims {
    /// Lets a person claim a value. Answers who holds it already, if that is somebody else.
    pub(crate) fn claim(&mut self, who: Ordinal, value: Print) -> Option<Ordinal> {
        let index = who.index();
        if self.values.len() <= index {
            self.values.resize(index + 1, 0);
        }
        let Self { values, holders } = self;
        let value_of = |holder: u32| values.get(holder as usize).copied().unwrap_or_default();
        match holders.entry(
            value.0,
            |holder| value_of(*holder) == value.0,
            |holder| value_of(*holder),
        ) {
            Entry::Occupied(holder) => Some(Ordinal::from_raw(*holder.get())).filter(|holder| *holder != who),
            Entry::Vacant(place) => {
                place.insert(who.raw());
                if let Some(slot) = values.get_mut(index) {
                    *slot = value.0;
                }
                None
            }
        }
    }

    /// Who holds a value.
    pub(crate) fn holder(&self, value: Print) -> Option<Ordinal> {
        self.holders
            .find(value.0, |holder| self.value_of(*holder) == value.0)
            .copied()
            .map(Ordinal::from_raw)
    }

    /// Lets a person give up their claim, for a row that is replaced by a newer one.
    pub(crate) fn give_up(&mut self, who: Ordinal) {
        let Some(value) = self.values.get(who.index()).copied() else {
            return;
        };
        if let Ok(entry) = self.holders.find_entry(value, |holder| *holder == who.raw()) {
            entry.remove();
        }
    }

    /// Hands a value from its holder to another person, who has the better claim.
    pub(crate) fn hand_over(&mut self, from: Ordinal, to: Ordinal, value: Print) {
        self.give_up(from);
        self.claim(to, value);
    }

    fn value_of(&self, holder: u32) -> u64 {
        self.values.get(holder as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u32) -> Ordinal {
        Ordinal::from_raw(number)
    }

    #[test]
    fn the_second_to_claim_a_value_is_told_who_came_first() {
        let mut claims = Claims::default();
        assert_eq!(claims.claim(person(0), Print(7)), None);
        assert_eq!(claims.claim(person(5), Print(8)), None);
        assert_eq!(claims.claim(person(1), Print(7)), Some(person(0)));
        assert_eq!(
            claims.claim(person(0), Print(7)),
            None,
            "one's own claim is no obstacle"
        );
    }

    #[test]
    fn a_value_given_up_or_handed_over_has_its_new_holder() {
        let mut claims = Claims::default();
        claims.claim(person(0), Print(7));
        claims.hand_over(person(0), person(3), Print(7));
        assert_eq!(claims.holder(Print(7)), Some(person(3)));
        claims.give_up(person(3));
        assert_eq!(claims.holder(Print(7)), None);
        assert_eq!(claims.claim(person(1), Print(7)), None);
    }
}
