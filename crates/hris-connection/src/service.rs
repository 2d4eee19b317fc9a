//! Connections in a store: every step read, checked, changed and saved, and the secrets beside them.

use std::sync::Arc;

use hris_core::connections::{ConnectionStore, StoredConnection};
use hris_core::descriptor::Integration;
use hris_core::{
    Account, ConnectionKey, CredentialStore, Credentials, Error, ErrorKind, HrisConnector, Purged, Result,
    SharedClock, TenantId,
};

use crate::connection::Connection;

/// How often a change is tried again after somebody else changed the connection in between.
const ATTEMPTS: usize = 20;

/// The connections of an application: their saved states and their credentials.
///
/// Cloning makes another handle. `Debug` shows nothing of them.
///
/// See the crate's documentation for an example.
#[derive(Clone, Debug)]
pub struct Connections {
    store: Arc<dyn ConnectionStore>,
    credentials: Arc<dyn CredentialStore>,
    clock: SharedClock,
}

/// What a revocation did, and what is left to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// What somebody has to do by hand, in order: in the credential store where it cannot forget by itself, and in the
    /// vendor's own screens.
    pub steps: Vec<String>,
}

impl Connections {
    /// Connections in a store, with their secrets in another.
    pub fn new(
        store: Arc<dyn ConnectionStore>,
        credentials: Arc<dyn CredentialStore>,
        clock: SharedClock,
    ) -> Self {
        Self { store, credentials, clock }
    }

    /// The clock that steps are dated by.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn ConnectionStore> {
        &self.store
    }

    /// Saves a new connection.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if there is one under this key already.
    pub async fn create(&self, connection: &Connection) -> Result<()> {
        let written = self.store.put_connection(&connection.to_stored(0)?).await;
        written.map(drop).map_err(|error| match error.kind() {
            ErrorKind::Stale => Error::new(ErrorKind::Conflict, "there is a connection of this name already")
                .with_hint("choose another name within the tenant")
                .with_context("connection", connection.key()),
            _ => error,
        })
    }

    /// One connection.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none.
    pub async fn get(&self, key: &ConnectionKey) -> Result<Connection> {
        Connection::from_stored(&self.stored(key).await?)
    }

    /// Connections in order of their keys, of one tenant or of all, from the one after `after`, at most `limit`.
    pub async fn list(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<Connection>> {
        let stored = self.store.connections(tenant, after, limit).await?;
        stored.iter().map(Connection::from_stored).collect()
    }

    /// Changes a connection and saves it, whole or not at all. `change` may be called several times, on the newest
    /// state each time; if it fails nothing is saved.
    pub async fn change<T>(
        &self,
        key: &ConnectionKey,
        change: impl Fn(&mut Connection) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        for _ in 0..ATTEMPTS {
            let stored = self.stored(key).await?;
            let mut connection = Connection::from_stored(&stored)?;
            let before = connection.clone();
            let value = change(&mut connection)?;
            if connection == before {
                return Ok(value);
            }
            match self.store.put_connection(&connection.to_stored(stored.revision)?).await {
                Ok(_) => return Ok(value),
                Err(error) if error.kind() == ErrorKind::Stale => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Stale, "others change this connection all the time")
            .with_hint("try again")
            .with_retryable(true)
            .with_context("connection", key))
    }

    async fn stored(&self, key: &ConnectionKey) -> Result<StoredConnection> {
        self.store.connection(key).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no such connection")
                .with_hint("look at the tenant's connections")
                .with_context("connection", key)
        })
    }

    /// The secrets of a connection.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if there are none.
    pub async fn credentials(&self, key: &ConnectionKey) -> Result<Credentials> {
        self.credentials.get(key).await?.ok_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "there is no credential for this connection")
                .with_hint("authorise it again")
                .with_context("connection", key)
        })
    }

    /// Authorises: asks the vendor whose account the credential opens, pins it, and keeps the secrets. For a
    /// connection that was authorised before it is the rotation: the same company is confirmed first, and the new
    /// secrets take the place of the old ones at once.
    ///
    /// `connector` was built with `credentials`. Secrets that others put into the store (the environment) are left
    /// to them.
    ///
    /// # Errors
    /// What the vendor says of the credential; [`ErrorKind::WrongAccount`] for another company. The old secrets
    /// stay in place then.
    pub async fn authorise(
        &self,
        key: &ConnectionKey,
        connector: &dyn HrisConnector,
        credentials: &Credentials,
        actor: &str,
    ) -> Result<Account> {
        // What cannot be authorised is refused before the vendor is asked.
        crate::Step::Authorise.check(self.get(key).await?.stage())?;
        let account = connector.check().await?;
        self.get(key).await?.check_account(&account)?;
        match self.credentials.put(key, credentials).await {
            Err(error)
                if error.kind() == ErrorKind::Unsupported && self.credentials.get(key).await?.is_some() => {}
            kept => kept?,
        }
        let now = self.clock.now();
        self.change(key, |connection| connection.authorised(&account, actor, now)).await?;
        Ok(account)
    }

    /// Revokes access: from now on nothing runs, and the secrets are purged. Nobody is made a leaver. Doing it again
    /// completes a revocation that was interrupted.
    pub async fn revoke(&self, key: &ConnectionKey, vendor: &Integration, actor: &str) -> Result<Revoked> {
        let now = self.clock.now();
        // First, so that a crash in between leaves secrets that nothing uses rather than runs without secrets.
        self.change(key, |connection| connection.revoke(actor, now)).await?;
        let mut steps = match self.credentials.purge(key).await? {
            Purged::ByHand(steps) => steps,
            _ => Vec::new(),
        };
        steps.extend(vendor.revocation.iter().map(ToString::to_string));
        Ok(Revoked { steps })
    }
}
