//! PeopleHR: an API key; the company id is an option.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use hris_peoplehr::PeopleHrConfig;

use crate::{Credentials, Vendor};

pub(crate) const NAME: &str = "peoplehr";

pub(crate) fn vendor() -> Vendor {
    Vendor::described(hris_peoplehr::integration(), connect)
}

pub(crate) fn connect(
    config: PeopleHrConfig,
    credentials: &Credentials,
    transport: &Transport,
) -> Result<Arc<dyn HrisConnector>> {
    Ok(Arc::new(config.build(credentials.get("api_key")?, transport)?))
}
