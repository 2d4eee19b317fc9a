//! Merge.dev: the organisation's API key, and the account token of the customer's linked account.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use hris_merge::{MergeConfig, MergeCredentials};

use crate::{Credentials, Vendor};

pub(crate) const NAME: &str = "merge";

pub(crate) fn vendor() -> Vendor {
    Vendor::described(hris_merge::integration(), connect)
}

pub(crate) fn connect(
    config: MergeConfig,
    credentials: &Credentials,
    transport: &Transport,
) -> Result<Arc<dyn HrisConnector>> {
    let (key, token) = (credentials.get("api_key")?, credentials.get("account_token")?);
    let credentials = MergeCredentials::new(key.clone(), token.clone());
    Ok(Arc::new(config.build(&credentials, transport)?))
}
