//! The ports for connections as they are configured: their saved states, and the welcomes that are still owed.
//!
//! A connection's document is written with the revision that was read, so that of two who change it at once the
//! second is refused and reads again. No document holds a secret.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ConnectionKey, EmployeeId, Result, TenantId};

/// A connection as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredConnection {
    /// Whose it is.
    pub key: ConnectionKey,
    /// Grows with every write; 0 for one that was never written.
    pub revision: u64,
    /// When somebody has to look at it next: a run is due, a notice is to be sent again. `None`: not by itself.
    pub due: Option<DateTime<Utc>>,
    /// The connection as JSON, with a version of its own. It has no secret.
    pub body: String,
}

impl StoredConnection {
    /// A connection that was never written.
    pub fn new(key: ConnectionKey, due: Option<DateTime<Utc>>, body: impl Into<String>) -> Self {
        Self { key, revision: 0, due, body: body.into() }
    }

    /// The same, as it was read at a revision.
    #[must_use]
    pub fn at_revision(mut self, revision: u64) -> Self {
        self.revision = revision;
        self
    }
}

/// The saved states of connections. One document per connection, each write whole or not at all.
#[async_trait]
pub trait ConnectionStore: fmt::Debug + Send + Sync + 'static {
    /// One connection.
    async fn connection(&self, key: &ConnectionKey) -> Result<Option<StoredConnection>>;

    /// Writes a connection in place of the revision that it carries, and answers the new revision.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Stale`] if another revision is there (or none, or, for 0, any): read again and decide anew.
    async fn put_connection(&self, connection: &StoredConnection) -> Result<u64>;

    /// Connections in order of their keys, of one tenant or of all, from the one after `after`, at most `limit`.
    async fn connections(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<StoredConnection>>;

    /// Keys of connections that are due at `until` or before, the longest due first, at most `limit` of them from
    /// number `offset`.
    async fn due_connections(
        &self,
        until: DateTime<Utc>,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<(DateTime<Utc>, ConnectionKey)>>;

    /// When the next connection after `after` is due; `None` if none is.
    async fn next_due(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>>;
}

/// Where a welcome stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WelcomeState {
    /// The account is about to be created, or was; the welcome was not begun.
    Owed,
    /// It is about to be sent. Found like this after a crash, it cannot be told whether it was.
    Begun,
    /// It cannot be told whether it was sent; it is not sent again.
    Uncertain,
    /// It could not be sent.
    Failed,
}

/// The welcomes that we owe to new members of a platform that does not invite by itself. What was sent is removed, so
/// that nothing about the person stays.
#[async_trait]
pub trait WelcomeLedger: fmt::Debug + Send + Sync + 'static {
    /// Writes down where the welcomes of some new members stand; `None` removes one.
    async fn set_welcomes(
        &self,
        connection: &ConnectionKey,
        welcomes: &[(EmployeeId, Option<WelcomeState>)],
    ) -> Result<()>;

    /// The welcomes that are written down, in order of Employee ID.
    async fn welcomes(&self, connection: &ConnectionKey) -> Result<Vec<(EmployeeId, WelcomeState)>>;
}

/// A store for both. Implemented for whatever implements the two.
pub trait SetupStore: ConnectionStore + WelcomeLedger {}

impl<T: ConnectionStore + WelcomeLedger + ?Sized> SetupStore for T {}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: WelcomeLedger + ?Sized> WelcomeLedger for Arc<T> {
    async fn set_welcomes(
        &self,
        connection: &ConnectionKey,
        welcomes: &[(EmployeeId, Option<WelcomeState>)],
    ) -> Result<()> {
        (**self).set_welcomes(connection, welcomes).await
    }

    async fn welcomes(&self, connection: &ConnectionKey) -> Result<Vec<(EmployeeId, WelcomeState)>> {
        (**self).welcomes(connection).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: ConnectionStore + ?Sized> ConnectionStore for Arc<T> {
    async fn connection(&self, key: &ConnectionKey) -> Result<Option<StoredConnection>> {
        (**self).connection(key).await
    }

    async fn put_connection(&self, connection: &StoredConnection) -> Result<u64> {
        (**self).put_connection(connection).await
    }

    async fn connections(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<StoredConnection>> {
        (**self).connections(tenant, after, limit).await
    }

    async fn due_connections(
        &self,
        until: DateTime<Utc>,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<(DateTime<Utc>, ConnectionKey)>> {
        (**self).due_connections(until, offset, limit).await
    }

    async fn next_due(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        (**self).next_due(after).await
    }
}

/// Does not compile if a store can no longer be used as an object.
const _: fn(Arc<dyn SetupStore>) = drop;
