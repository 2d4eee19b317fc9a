//! The order among people who hand on a unique value: who gives it up goes before who takes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::comparison::Ordinal;

/// Who goes how early, and who cannot be ordered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// Ranks of those who give something up that another one takes, from 0.
    pub(crate) ranks: BTreeMap<Ordinal, u32>,
    /// People who wait for each other in a circle, or for somebody in one.
    pub(crate) stuck: Vec<Ordinal>,
}

/// Orders "gives up a value to": round by round, those go who wait for nobody any more. In time that
/// grows with the handovers, however long a chain is.
pub(crate) fn order(handovers: &BTreeSet<(Ordinal, Ordinal)>) -> Order {
    let mut order = Order::default();
    // For how many values somebody still waits.
    let mut waits: BTreeMap<Ordinal, usize> = BTreeMap::new();
    for (giver, taker) in handovers {
        waits.entry(*giver).or_default();
        *waits.entry(*taker).or_default() += 1;
    }
    let takers = |giver: Ordinal| {
        let own = handovers.range((giver, Ordinal::from_raw(0))..).take_while(move |(who, _)| *who == giver);
        own.map(|(_, taker)| *taker)
    };
    let mut ready: Vec<_> = waits.iter().filter(|(_, count)| **count == 0).map(|(who, _)| *who).collect();
    for rank in 0.. {
        let mut next = Vec::new();
        for who in std::mem::take(&mut ready) {
            waits.remove(&who);
            for taker in takers(who) {
                order.ranks.insert(who, rank);
                let Some(count) = waits.get_mut(&taker) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    next.push(taker);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        ready = next;
    }
    order.stuck = waits.into_keys().collect();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handovers(pairs: &[(u32, u32)]) -> BTreeSet<(Ordinal, Ordinal)> {
        pairs.iter().map(|(giver, taker)| (Ordinal::from_raw(*giver), Ordinal::from_raw(*taker))).collect()
    }

    fn ranks(pairs: &[(u32, u32)]) -> BTreeMap<Ordinal, u32> {
        pairs.iter().map(|(who, rank)| (Ordinal::from_raw(*who), *rank)).collect()
    }

    #[test]
    fn whoever_gives_up_a_value_goes_before_whoever_takes_it() {
        let order = order(&handovers(&[(1, 2), (2, 3), (8, 9), (8, 2)]));
        assert_eq!(order.ranks, ranks(&[(1, 0), (2, 1), (8, 0)]));
        assert_eq!(order.stuck, []);
    }

    #[test]
    fn a_circle_and_whoever_waits_for_it_are_stuck_and_a_chain_beside_it_is_ordered() {
        let order = order(&handovers(&[(1, 2), (2, 1), (2, 4), (5, 6)]));
        assert_eq!(order.stuck, [1, 2, 4].map(Ordinal::from_raw));
        assert_eq!(order.ranks, ranks(&[(5, 0)]));
    }
}
