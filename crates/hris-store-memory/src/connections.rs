//! The saved states of connections, and the welcomes that are owed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hris_core::connections::{ConnectionStore, StoredConnection, WelcomeLedger, WelcomeState};
use hris_core::{ConnectionKey, EmployeeId, Error, ErrorKind, Result, TenantId};

use crate::MemoryStore;

/// What is kept about connections beside what their runs keep.
#[derive(Default)]
pub(crate) struct Setups {
    connections: BTreeMap<ConnectionKey, StoredConnection>,
    welcomes: BTreeMap<ConnectionKey, BTreeMap<EmployeeId, WelcomeState>>,
}

#[async_trait]
impl ConnectionStore for MemoryStore {
    async fn connection(&self, key: &ConnectionKey) -> Result<Option<StoredConnection>> {
        Ok(self.state().setups.connections.get(key).cloned())
    }

    async fn put_connection(&self, connection: &StoredConnection) -> Result<u64> {
        let mut state = self.state();
        let known = &mut state.setups.connections;
        let found = known.get(&connection.key).map_or(0, |known| known.revision);
        if found != connection.revision {
            return Err(Error::new(ErrorKind::Stale, "somebody else changed the connection in between")
                .with_hint("read it again and decide anew")
                .with_context("connection", &connection.key));
        }
        let revision = found + 1;
        known.insert(connection.key.clone(), connection.clone().at_revision(revision));
        Ok(revision)
    }

    async fn connections(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<StoredConnection>> {
        let state = self.state();
        let wanted = |key: &ConnectionKey| {
            tenant.is_none_or(|tenant| key.tenant() == tenant) && after.is_none_or(|after| key > after)
        };
        let found = state.setups.connections.values().filter(|known| wanted(&known.key));
        Ok(found.take(limit).cloned().collect())
    }

    async fn due_connections(
        &self,
        until: DateTime<Utc>,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<(DateTime<Utc>, ConnectionKey)>> {
        let state = self.state();
        let dues =
            state.setups.connections.values().filter_map(|known| Some((known.due?, known.key.clone())));
        let mut due: Vec<_> = dues.filter(|(due, _)| *due <= until).collect();
        due.sort();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(due.into_iter().skip(offset).take(limit).collect())
    }

    async fn next_due(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let state = self.state();
        let dues = state.setups.connections.values().filter_map(|known| known.due);
        Ok(dues.filter(|due| *due > after).min())
    }
}

#[async_trait]
impl WelcomeLedger for MemoryStore {
    async fn set_welcomes(
        &self,
        connection: &ConnectionKey,
        welcomes: &[(EmployeeId, Option<WelcomeState>)],
    ) -> Result<()> {
        let mut state = self.state();
        let known = state.setups.welcomes.entry(connection.clone()).or_default();
        for (person, welcome) in welcomes {
            match welcome {
                Some(welcome) => known.insert(person.clone(), *welcome),
                None => known.remove(person),
            };
        }
        Ok(())
    }

    async fn welcomes(&self, connection: &ConnectionKey) -> Result<Vec<(EmployeeId, WelcomeState)>> {
        let state = self.state();
        let known = state.setups.welcomes.get(connection).into_iter().flatten();
        Ok(known.map(|(person, welcome)| (person.clone(), *welcome)).collect())
    }
}
