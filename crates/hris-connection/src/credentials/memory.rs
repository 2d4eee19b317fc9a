//! Secrets for as long as the process lives.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hris_core::{ConnectionKey, CredentialStore, Credentials, Purged, Result};

/// Keeps secrets in memory. Clones share what they keep; `Debug` shows how many connections have some.
#[derive(Clone, Default)]
pub struct MemoryCredentials(Arc<Mutex<HashMap<ConnectionKey, Credentials>>>);

impl MemoryCredentials {
    /// No secrets.
    pub fn new() -> Self {
        Self::default()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ConnectionKey, Credentials>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCredentials").field("connections", &self.known().len()).finish()
    }
}

#[async_trait]
impl CredentialStore for MemoryCredentials {
    async fn get(&self, connection: &ConnectionKey) -> Result<Option<Credentials>> {
        Ok(self.known().get(connection).cloned())
    }

    async fn put(&self, connection: &ConnectionKey, credentials: &Credentials) -> Result<()> {
        self.known().insert(connection.clone(), credentials.clone());
        Ok(())
    }

    async fn purge(&self, connection: &ConnectionKey) -> Result<Purged> {
        self.known().remove(connection);
        Ok(Purged::Gone)
    }
}
