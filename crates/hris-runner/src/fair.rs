//! The order in which connections get their turn: tenants in turn, each with no more at once than allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, Utc};
use hris_core::{ConnectionKey, TenantId};

/// Connections that wait for their turn, and those that have it.
///
/// Tenants take turns, the one whose last turn is longest ago first: a tenant with a thousand connections gets no more
/// turns than one with a single connection, as long as both have something due. Pure: it starts nothing.
#[derive(Debug)]
pub struct FairQueue {
    per_tenant: usize,
    waiting: BTreeMap<TenantId, VecDeque<ConnectionKey>>,
    known: BTreeSet<ConnectionKey>,
    busy: HashMap<TenantId, usize>,
    running: BTreeSet<ConnectionKey>,
    /// The number of each tenant's last turn.
    turns: HashMap<TenantId, u64>,
    turn: u64,
}

impl FairQueue {
    /// An empty queue that gives a tenant at most so many turns at once, at least one.
    pub fn new(per_tenant: usize) -> Self {
        Self {
            per_tenant: per_tenant.max(1),
            waiting: BTreeMap::new(),
            known: BTreeSet::new(),
            busy: HashMap::new(),
            running: BTreeSet::new(),
            turns: HashMap::new(),
            turn: 0,
        }
    }

    /// Puts connections in line, the longest due first. Those that are in it or have their turn stay as they are.
    pub fn offer(&mut self, due: impl IntoIterator<Item = (DateTime<Utc>, ConnectionKey)>) {
        for (_, key) in due {
            if !self.running.contains(&key) && self.known.insert(key.clone()) {
                self.waiting.entry(key.tenant().clone()).or_default().push_back(key);
            }
        }
    }

    /// Gives the next connection its turn; `None` if nobody may have one now.
    pub fn take(&mut self) -> Option<ConnectionKey> {
        let may = |tenant: &&TenantId| self.busy.get(*tenant).is_none_or(|busy| *busy < self.per_tenant);
        let last_turn = |tenant: &&TenantId| self.turns.get(*tenant).copied().unwrap_or_default();
        let tenant = self.waiting.keys().filter(may).min_by_key(last_turn)?.clone();
        let line = self.waiting.get_mut(&tenant)?;
        let key = line.pop_front()?;
        if line.is_empty() {
            self.waiting.remove(&tenant);
        }
        self.known.remove(&key);
        self.running.insert(key.clone());
        self.turn += 1;
        self.turns.insert(tenant.clone(), self.turn);
        *self.busy.entry(tenant).or_default() += 1;
        Some(key)
    }

    /// Ends a connection's turn.
    pub fn done(&mut self, key: &ConnectionKey) {
        if !self.running.remove(key) {
            return;
        }
        if let Some(busy) = self.busy.get_mut(key.tenant()) {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(key.tenant());
            }
        }
    }

    /// Takes everybody out of the line. Those who have their turn keep it.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.known.clear();
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.known.len()
    }

    /// How many have their turn.
    pub fn running(&self) -> usize {
        self.running.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<(DateTime<Utc>, ConnectionKey)> {
        let key = |name: &&str| name.split_once('/').map(|(tenant, name)| ConnectionKey::new(tenant, name));
        names.iter().filter_map(key).map(|key| (DateTime::UNIX_EPOCH, key)).collect()
    }

    fn taken(queue: &mut FairQueue, count: usize) -> Vec<String> {
        (0..count).filter_map(|_| queue.take()).map(|key| key.to_string()).collect()
    }

    #[test]
    fn tenants_take_turns_however_many_connections_one_has() {
        let mut queue = FairQueue::new(9);
        queue.offer(keys(&["big/1", "big/2", "big/3", "big/4", "small/1", "tiny/1"]));
        assert_eq!(taken(&mut queue, 9), ["big/1", "small/1", "tiny/1", "big/2", "big/3", "big/4"]);
    }

    #[test]
    fn whose_last_turn_is_longest_ago_comes_first() {
        let mut queue = FairQueue::new(9);
        queue.offer(keys(&["a/1", "b/1"]));
        assert_eq!(taken(&mut queue, 1), ["a/1"]);
        queue.offer(keys(&["a/2", "c/1"]));
        assert_eq!(taken(&mut queue, 9), ["b/1", "c/1", "a/2"]);
    }

    #[test]
    fn a_tenant_has_no_more_turns_at_once_than_allowed() {
        let mut queue = FairQueue::new(2);
        queue.offer(keys(&["big/1", "big/2", "big/3", "small/1"]));
        assert_eq!(taken(&mut queue, 9), ["big/1", "small/1", "big/2"]);
        assert_eq!((queue.waiting(), queue.running()), (1, 3));
        queue.done(&ConnectionKey::new("big", "1"));
        queue.done(&ConnectionKey::new("big", "1"));
        assert_eq!(taken(&mut queue, 9), ["big/3"]);
    }

    #[test]
    fn a_connection_that_has_its_turn_or_waits_is_not_put_in_line_again() {
        let mut queue = FairQueue::new(9);
        queue.offer(keys(&["a/1", "a/1", "a/2"]));
        assert_eq!(taken(&mut queue, 1), ["a/1"]);
        queue.offer(keys(&["a/1", "a/2"]));
        assert_eq!(taken(&mut queue, 9), ["a/2"]);
        queue.done(&ConnectionKey::new("a", "1"));
        queue.offer(keys(&["a/1"]));
        assert_eq!(taken(&mut queue, 9), ["a/1"]);
        queue.clear();
        assert_eq!(queue.waiting(), 0);
    }
}
