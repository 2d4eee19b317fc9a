//! Sesame HR: a token.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use hris_sesame::SesameConfig;

use crate::{Credentials, Vendor};

pub(crate) const NAME: &str = "sesame";

pub(crate) fn vendor() -> Vendor {
    Vendor::described(hris_sesame::integration(), connect)
}

pub(crate) fn connect(
    config: SesameConfig,
    credentials: &Credentials,
    transport: &Transport,
) -> Result<Arc<dyn HrisConnector>> {
    Ok(Arc::new(config.build(credentials.get("token")?, transport)?))
}
