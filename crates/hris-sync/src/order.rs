//! The order among people who hand on a unique value: who gives it up goes before who takes it.

use std::collections::{HashMap, HashSet};

use crate::comparison::Ordinal;

/// Who goes how early, and who cannot be ordered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// Ranks of those who give something up that another one takes, from 0.
    pub(crate) ranks: HashMap<Ordinal, u32>,
    /// People who wait for each other in a circle.
    pub(crate) cycles: Vec<Ordinal>,
}

/// Orders chains of "gives up its value to". Everybody gives to one and takes from one at most.
pub(crate) fn order(taker: &HashMap<Ordinal, Ordinal>) -> Order {
    let takers: HashSet<_> = taker.values().copied().collect();
    let mut order = Order::default();
    for first in taker.keys().filter(|giver| !takers.contains(giver)) {
        let mut rank = 0;
        let mut at = *first;
        // The last of a chain gives nothing up and needs no rank of its own.
        while let Some(next) = taker.get(&at) {
            order.ranks.insert(at, rank);
            rank += 1;
            at = *next;
        }
    }
    order.cycles = taker
        .keys()
        .filter(|giver| !order.ranks.contains_key(giver))
        .copied()
        .collect();
    order.cycles.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(pairs: &[(u32, u32)]) -> HashMap<Ordinal, Ordinal> {
        pairs
            .iter()
            .map(|(giver, taker)| (Ordinal::from_raw(*giver), Ordinal::from_raw(*taker)))
            .collect()
    }

    #[test]
    fn whoever_gives_up_a_value_goes_before_whoever_takes_it() {
        let order = order(&chain(&[(1, 2), (2, 3), (8, 9)]));
        let ranks = [(1, 0), (2, 1), (8, 0)].map(|(who, rank)| (Ordinal::from_raw(who), rank));
        assert_eq!(order.ranks, ranks.into_iter().collect());
        assert_eq!(order.cycles, []);
    }

    #[test]
    fn a_circle_is_named_and_a_chain_beside_it_still_ordered() {
        let order = order(&chain(&[(1, 2), (2, 1), (5, 6)]));
        assert_eq!(order.cycles, [1, 2].map(Ordinal::from_raw));
        assert_eq!(order.ranks, [(Ordinal::from_raw(5), 0)].into_iter().collect());
    }
}
