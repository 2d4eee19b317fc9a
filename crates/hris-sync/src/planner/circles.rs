//! Circles of people who take over each other's unique values. Where the target allows temporary values, one of each
//! circle goes to one first, so that the others can go one after the other; elsewhere the circle is held.

use std::collections::{BTreeMap, BTreeSet};

use super::Planner;
use super::draft::{Fate, Unique};
use crate::comparison::Ordinal;
use crate::order::{Order, order};

/// Who gives up a value, to whom, and of which kind it is.
pub(super) type Handovers = BTreeSet<(Ordinal, Ordinal, Unique)>;

/// In which order the people of a plan go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// Ranks of those who go before others. Whoever is parked is so at rank 0.
    pub(crate) ranks: BTreeMap<Ordinal, u32>,
    /// Who first goes to a temporary value, and of which kinds.
    pub(crate) parked: BTreeMap<Ordinal, BTreeSet<Unique>>,
}

impl Sequence {
    /// Whether nobody goes before anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranks.is_empty() && self.parked.is_empty()
    }
}

impl Planner {
    /// Tells of which kinds the target allows temporary values.
    pub(crate) fn set_parking(&mut self, kinds: BTreeSet<Unique>) {
        self.parking = kinds;
    }

    /// Orders those who hand on a value and breaks circles where that is allowed. Answers who is stuck.
    pub(super) fn untie(&self, handovers: &Handovers) -> (Sequence, Vec<Ordinal>) {
        let may_park =
            |who: Ordinal, kind: Unique| self.parking.contains(&kind) && self.fate(who) == Fate::Update;
        let mut left = order(&pairs(handovers));
        let mut parked = BTreeMap::new();
        if !left.stuck.is_empty() && !self.parking.is_empty() {
            let mut open = handovers.clone();
            for group in groups(handovers, &left.stuck) {
                parked.extend(break_circles(&mut open, group, may_park));
            }
            left = order(&pairs(&open));
        }
        let Order { mut ranks, stuck } = left;
        if !parked.is_empty() {
            // Rank 0 is for those who are parked.
            for rank in ranks.values_mut() {
                *rank = rank.saturating_add(1);
            }
        }
        (Sequence { ranks, parked }, stuck)
    }

    /// Nobody is parked who is held after all.
    pub(super) fn park(&mut self, sequence: &mut Sequence) {
        sequence.parked.retain(|who, _| self.fate(*who) == Fate::Update);
        self.parked = sequence.parked.len() as u64;
    }
}

fn pairs(handovers: &Handovers) -> BTreeSet<(Ordinal, Ordinal)> {
    handovers.iter().map(|(giver, taker, _)| (*giver, *taker)).collect()
}

/// The handovers among stuck people, in groups that have nothing to do with each other.
fn groups(handovers: &Handovers, stuck: &[Ordinal]) -> Vec<Handovers> {
    let stuck: BTreeSet<_> = stuck.iter().copied().collect();
    let mut of: BTreeMap<Ordinal, Vec<(Ordinal, Ordinal, Unique)>> = BTreeMap::new();
    for handover in
        handovers.iter().filter(|(giver, taker, _)| stuck.contains(giver) && stuck.contains(taker))
    {
        of.entry(handover.0).or_default().push(*handover);
        of.entry(handover.1).or_default().push(*handover);
    }
    let mut groups = Vec::new();
    while let Some((who, _)) = of.first_key_value() {
        let (mut group, mut open) = (Handovers::new(), vec![*who]);
        while let Some(who) = open.pop() {
            for handover in of.remove(&who).unwrap_or_default() {
                open.extend([handover.0, handover.1]);
                group.insert(handover);
            }
        }
        groups.push(group);
    }
    groups
}

/// Parks the first of each circle of a group that may be, until none is left that can be broken; what they give up
/// holds nobody up any more.
fn break_circles(
    open: &mut Handovers,
    mut group: Handovers,
    may_park: impl Fn(Ordinal, Unique) -> bool,
) -> BTreeMap<Ordinal, BTreeSet<Unique>> {
    let mut parked = BTreeMap::<_, BTreeSet<_>>::new();
    loop {
        // Chains that hang on a circle or come out of it need no look.
        let stuck: BTreeSet<_> = order(&pairs(&group)).stuck.into_iter().collect();
        group.retain(|(giver, taker, _)| stuck.contains(giver) && stuck.contains(taker));
        let breaks = |handover: &&(Ordinal, Ordinal, Unique)| {
            may_park(handover.0, handover.2) && leads_to(&group, handover.1, handover.0)
        };
        let Some((who, _, kind)) = group.iter().find(breaks).copied() else { return parked };
        parked.entry(who).or_default().insert(kind);
        let stays = |handover: &(Ordinal, Ordinal, Unique)| (handover.0, handover.2) != (who, kind);
        group.retain(stays);
        open.retain(stays);
    }
}

/// Whether somebody's values go, hand over hand, to somebody.
fn leads_to(group: &Handovers, from: Ordinal, to: Ordinal) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(who) = open.pop() {
        if who == to {
            return true;
        }
        if seen.insert(who) {
            let begin = (who, Ordinal::from_raw(0), Unique::FIRST);
            let own = group.range(begin..).take_while(|(giver, _, _)| *giver == who);
            open.extend(own.map(|(_, taker, _)| *taker));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unique::{Email, EmployeeId};

    fn handovers(all: &[(u32, u32, Unique)]) -> Handovers {
        all.iter().map(|(from, to, kind)| (Ordinal::from_raw(*from), Ordinal::from_raw(*to), *kind)).collect()
    }

    fn parked(
        all: &[(u32, u32, Unique)],
        may_park: impl Fn(u32, Unique) -> bool,
    ) -> Vec<(usize, Vec<Unique>)> {
        let mut open = handovers(all);
        let stuck = order(&pairs(&open)).stuck;
        let may_park = |who: Ordinal, kind| may_park(u32::try_from(who.index()).unwrap(), kind);
        let mut parked = BTreeMap::new();
        for group in groups(&handovers(all), &stuck) {
            parked.extend(break_circles(&mut open, group, may_park));
        }
        parked.into_iter().map(|(who, kinds)| (who.index(), kinds.into_iter().collect())).collect()
    }

    #[test]
    fn one_of_each_circle_is_parked_and_nobody_beside_it() {
        let circles =
            [(1, 2, Email), (2, 3, Email), (3, 1, Email), (5, 6, Email), (6, 5, Email), (3, 9, Email)];
        assert_eq!(parked(&circles, |_, _| true), [(1, vec![Email]), (5, vec![Email])]);
        assert_eq!(parked(&circles, |who, _| who != 1), [(2, vec![Email]), (5, vec![Email])]);
    }

    #[test]
    fn somebody_between_two_circles_is_not_parked() {
        let all =
            [(7, 8, Email), (8, 7, Email), (8, 1, EmployeeId), (1, 4, Email), (4, 5, Email), (5, 4, Email)];
        assert_eq!(parked(&all, |_, _| true), [(4, vec![Email]), (7, vec![Email])]);
    }

    #[test]
    fn two_who_swap_both_values_are_parked_with_what_is_allowed() {
        let all = [(1, 2, Email), (2, 1, Email), (1, 2, EmployeeId), (2, 1, EmployeeId)];
        assert_eq!(parked(&all, |_, _| true), [(1, vec![EmployeeId, Email])]);
        // The Employee IDs still form a circle, so that both are held in the end.
        assert_eq!(parked(&all, |_, kind| kind == Email), [(1, vec![Email]), (2, vec![Email])]);
    }
}
