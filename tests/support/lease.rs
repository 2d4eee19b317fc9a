//! Two processes and one lease: what both of them do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hris_core::keys::KeyId;
use hris_core::store::{Baseline, Lease, Leases as _};
use hris_core::{ConnectionKey, ErrorKind, MappingVersion, RecordIdKind, Result, RunId};
use hris_store_sqlite::SqliteStore;

const TTL: Duration = Duration::from_secs(60);
/// How often each process takes the lease in their race.
pub const ROUNDS: usize = 100;

/// The connection that both want.
pub fn connection() -> ConnectionKey {
    ConnectionKey::new("brisa", "sesame")
}

/// When they meet.
pub fn start() -> DateTime<Utc> {
    "2026-03-02T06:00:00Z".parse().unwrap_or_default()
}

/// Asks for the lease.
pub async fn acquire(store: &SqliteStore, run: &str, now: DateTime<Utc>) -> Result<Lease> {
    store.acquire(&connection(), &RunId::from(run), now, TTL).await
}

/// Something to write, which tells who wrote it.
pub fn baseline(account: &str) -> Baseline {
    Baseline::new(account.into(), RecordIdKind::new("k"), KeyId::new("k"), MappingVersion::new("m"))
}

/// Tries for the lease until it had it a number of times, giving it back each time, and answers the tokens.
pub async fn race(store: &SqliteStore, run: &str) -> Result<Vec<u64>> {
    let mut tokens = Vec::new();
    while tokens.len() < ROUNDS {
        match acquire(store, run, start()).await {
            Ok(lease) => {
                tokens.push(lease.token);
                store.release(&lease).await?;
            }
            Err(error) if error.kind() == ErrorKind::Leased => {}
            Err(error) => return Err(error),
        }
    }
    Ok(tokens)
}
