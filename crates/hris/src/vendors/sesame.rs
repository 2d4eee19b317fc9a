//! Sesame HR: a token.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use hris_sesame::SesameConfig;

use crate::{Credential, Credentials, Vendor};

pub(crate) const NAME: &str = "sesame";

pub(crate) fn vendor() -> Vendor {
    Vendor::configured(NAME, "Sesame HR", connect).with_credential(Credential::new(
        "token",
        "the API token from Sesame's settings, under Integrations, API",
    ))
}

pub(crate) fn connect(
    config: SesameConfig,
    credentials: &Credentials,
    transport: &Transport,
) -> Result<Arc<dyn HrisConnector>> {
    Ok(Arc::new(config.build(credentials.get("token")?, transport)?))
}
