//! TriNet: client id and client secret of an API application; the company id is an option.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use hris_trinet::TriNetConfig;

use crate::{Credentials, Vendor};

pub(crate) const NAME: &str = "trinet";

pub(crate) fn vendor() -> Vendor {
    Vendor::described(hris_trinet::integration(), connect)
}

pub(crate) fn connect(
    config: TriNetConfig,
    credentials: &Credentials,
    transport: &Transport,
) -> Result<Arc<dyn HrisConnector>> {
    let (id, secret) = (credentials.get("client_id")?, credentials.get("client_secret")?);
    Ok(Arc::new(config.build(id, secret, transport)?))
}
