//! The configuration of a connector, tagged by its vendor.

use std::sync::Arc;

use hris_core::{HrisConnector, Result};
use hris_http::Transport;
use serde::{Deserialize, Serialize};

use crate::Credentials;

/// The configuration of a connector to one of the vendors whose features are switched on.
///
/// It is for applications that store configurations of connectors they know; [`Registry`](crate::Registry) also takes
/// those that they do not.
///
#[cfg_attr(feature = "sesame", doc = "```")]
#[cfg_attr(not(feature = "sesame"), doc = "```ignore")]
/// use hris::{ConnectorConfig, Credentials};
/// use hris::http::Transport;
/// let config: ConnectorConfig = serde_json::from_str(r#"{ "vendor": "sesame", "region": "eu2" }"#)?;
/// let credentials = Credentials::new().with("token", "5e5a3e00".into());
/// assert_eq!(config.vendor(), "sesame");
/// let connector = config.build(&credentials, &Transport::builder().build()?)?;
/// assert_eq!(connector.descriptor().display_name, "Sesame HR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "vendor", rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConnectorConfig {
    /// Merge.
    #[cfg(feature = "merge")]
    Merge(hris_merge::MergeConfig),
    /// PeopleHR.
    #[cfg(feature = "peoplehr")]
    PeopleHr(hris_peoplehr::PeopleHrConfig),
    /// Sesame HR.
    #[cfg(feature = "sesame")]
    Sesame(hris_sesame::SesameConfig),
    /// TriNet.
    #[cfg(feature = "trinet")]
    TriNet(hris_trinet::TriNetConfig),
}

impl ConnectorConfig {
    /// The vendor's name.
    pub fn vendor(&self) -> &'static str {
        match *self {
            #[cfg(feature = "merge")]
            Self::Merge(_) => crate::vendors::merge::NAME,
            #[cfg(feature = "peoplehr")]
            Self::PeopleHr(_) => crate::vendors::peoplehr::NAME,
            #[cfg(feature = "sesame")]
            Self::Sesame(_) => crate::vendors::sesame::NAME,
            #[cfg(feature = "trinet")]
            Self::TriNet(_) => crate::vendors::trinet::NAME,
        }
    }

    /// Builds the connector. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) for a missing credential or options that cannot work.
    pub fn build(self, credentials: &Credentials, transport: &Transport) -> Result<Arc<dyn HrisConnector>> {
        // Where no vendor is switched on, there is no configuration either.
        let _ = (credentials, transport);
        match self {
            #[cfg(feature = "merge")]
            Self::Merge(config) => crate::vendors::merge::connect(config, credentials, transport),
            #[cfg(feature = "peoplehr")]
            Self::PeopleHr(config) => crate::vendors::peoplehr::connect(config, credentials, transport),
            #[cfg(feature = "sesame")]
            Self::Sesame(config) => crate::vendors::sesame::connect(config, credentials, transport),
            #[cfg(feature = "trinet")]
            Self::TriNet(config) => crate::vendors::trinet::connect(config, credentials, transport),
        }
    }
}
