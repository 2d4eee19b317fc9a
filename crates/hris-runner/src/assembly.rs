//! What an application brings: how a connection's connector and target are made.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use hris_connection::Connection;
use hris_core::connections::WelcomeLedger;
use hris_core::{Credentials, HrisConnector, Notifier, ProvisioningTarget, Result};

/// Makes the two ends of a connection. Nothing is sent.
///
/// It is the place of what many connections share: one transport handle, one registry of rate budgets, one pool.
#[async_trait]
pub trait Assembly: fmt::Debug + Send + Sync + 'static {
    /// The connector to a connection's HR account.
    async fn connector(
        &self,
        connection: &Connection,
        credentials: &Credentials,
    ) -> Result<Arc<dyn HrisConnector>>;

    /// The platform on which a connection's members are.
    async fn target(&self, connection: &Connection) -> Result<Arc<dyn ProvisioningTarget>>;

    /// How we welcome new members ourselves, where the platform invites nobody; `None` if we do not.
    fn welcome(&self, connection: &Connection) -> Option<WelcomeMail> {
        let _ = connection;
        None
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn Assembly>) = drop;

/// What a welcome of our own needs.
#[derive(Clone, Debug)]
pub struct WelcomeMail {
    /// Who tells it.
    pub notifier: Arc<dyn Notifier>,
    /// Where it is written down that a welcome is owed.
    pub ledger: Arc<dyn WelcomeLedger>,
    /// The organisation in whose name.
    pub organisation: String,
    /// Where a new member sets a password.
    pub link: Option<String>,
}
