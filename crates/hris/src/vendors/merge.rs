//! Merge.dev: the organisation's API key, and the account token of the customer's linked account.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use hris_merge::{MergeConfig, MergeCredentials};

use crate::{Credential, Credentials, Vendor};

pub(crate) const NAME: &str = "merge";

pub(crate) fn vendor() -> Vendor {
    Vendor::configured(NAME, "Merge", connect)
        .with_credential(Credential::new(
            "api_key",
            "the production access key of your Merge organisation, under Settings, API keys",
        ))
        .with_credential(Credential::new(
            "account_token",
            "the token of the customer's linked account, which the end of the Merge Link flow hands over",
        ))
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
