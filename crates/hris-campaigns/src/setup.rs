//! The customer's set-up: a link, an authorisation, a first synchronisation, a preview, switched on.

use chrono::{DateTime, Utc};
use hris_core::{AccountId, CampaignId, Error, ErrorKind, HrisConnector, Result};
use serde::{Deserialize, Serialize};

use crate::preview::{PREVIEW_DAYS, Preview};
use crate::service::Campaigns;

/// How far a customer's set-up is. It can be stored between steps; credentials are not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
#[non_exhaustive]
pub enum SetUp {
    /// An id of the connection was chosen and is kept before anything is asked for, so that a repeated request leads to
    /// the same account and leaves no half-made one behind.
    Begun {
        /// The id under which the customer's account is known to the integration.
        origin: String,
    },
    /// The customer has a link.
    LinkSent {
        /// The id of the connection.
        origin: String,
        /// From when the link no longer works.
        expires_at: DateTime<Utc>,
    },
    /// The customer authorised: the credential came by webhook or was pasted, and is in the application's vault.
    Authorised {
        /// The id of the connection.
        origin: String,
    },
    /// The first synchronisation is done.
    Ready {
        /// The id of the connection.
        origin: String,
        /// Whose directory it is.
        account: AccountId,
    },
    /// Somebody saw what the next 30 days bring.
    Previewed {
        /// The id of the connection.
        origin: String,
        /// Whose directory it is.
        account: AccountId,
        /// How many gifts each campaign's first run plans at once.
        at_once: Vec<(CampaignId, u64)>,
    },
    /// The campaigns are switched on.
    On {
        /// The id of the connection.
        origin: String,
        /// Whose directory it is.
        account: AccountId,
    },
}

impl SetUp {
    /// A set-up under an id of the application's choice; each connection has its own.
    pub fn begin(origin: impl Into<String>) -> Self {
        Self::Begun { origin: origin.into() }
    }

    /// The id of the connection.
    pub fn origin(&self) -> &str {
        match self {
            Self::Begun { origin }
            | Self::LinkSent { origin, .. }
            | Self::Authorised { origin }
            | Self::Ready { origin, .. }
            | Self::Previewed { origin, .. }
            | Self::On { origin, .. } => origin,
        }
    }

    /// The customer was given a link. A new one may be given as long as nobody has authorised.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] once somebody has.
    pub fn link_sent(self, expires_at: DateTime<Utc>) -> Result<Self> {
        match self {
            Self::Begun { origin } | Self::LinkSent { origin, .. } => {
                Ok(Self::LinkSent { origin, expires_at })
            }
            _ => Err(out_of_turn("the customer has authorised already")),
        }
    }

    /// The credential of `origin` came, by webhook or by hand. The same again changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::WrongAccount`] for the credential of another connection.
    pub fn authorised(self, origin: &str) -> Result<Self> {
        if self.origin() != origin {
            return Err(Error::new(ErrorKind::WrongAccount, "the credential is of another connection")
                .with_hint("look for the set-up with its origin id")
                .with_context("origin", origin));
        }
        Ok(match self {
            Self::Begun { origin } | Self::LinkSent { origin, .. } => Self::Authorised { origin },
            later => later,
        })
    }

    /// Looks whether the first synchronisation is done. Safe to ask again and again; see
    /// [`hris_core::Error::is_retryable`].
    ///
    /// # Errors
    /// [`ErrorKind::NotReady`] while it is not; what the connector's check reports.
    pub async fn await_first_sync(self, connector: &dyn HrisConnector) -> Result<Self> {
        let origin = match self {
            Self::Authorised { origin } => origin,
            Self::Ready { .. } | Self::Previewed { .. } | Self::On { .. } => return Ok(self),
            _ => return Err(out_of_turn("nobody has authorised yet")),
        };
        let account = connector.check().await?;
        match account.not_ready {
            None => Ok(Self::Ready { origin, account: account.id }),
            Some(why) => Err(Error::new(ErrorKind::NotReady, why).with_retryable(true)),
        }
    }

    /// Shows what the next 30 days bring.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] before the first synchronisation; as [`Campaigns::preview`].
    pub async fn preview(
        self,
        campaigns: &Campaigns,
        connector: &dyn HrisConnector,
    ) -> Result<(Self, Preview)> {
        let (Self::Ready { origin, account } | Self::Previewed { origin, account, .. }) = self else {
            return Err(out_of_turn("there is nothing to show before the first synchronisation"));
        };
        let preview = campaigns.preview(connector, campaigns.today(), PREVIEW_DAYS).await?;
        let mut at_once: Vec<(CampaignId, u64)> = Vec::new();
        for gift in preview.gifts.iter().filter(|gift| gift.at_once) {
            match at_once.iter_mut().find(|(campaign, _)| *campaign == gift.campaign) {
                Some((_, count)) => *count += 1,
                None => at_once.push((gift.campaign.clone(), 1)),
            }
        }
        Ok((Self::Previewed { origin, account, at_once }, preview))
    }

    /// Switches campaigns on, those that the preview refused excepted.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] before the preview; [`ErrorKind::Unsupported`] for a campaign whose data the integration
    /// does not deliver, with the remedy; as [`Campaigns::switch_on`].
    pub async fn switch_on(
        self,
        campaigns: &Campaigns,
        preview: &Preview,
        which: &[CampaignId],
    ) -> Result<Self> {
        let Self::Previewed { origin, account, .. } = self else {
            return Err(out_of_turn("look at the preview first"));
        };
        for id in which {
            if let Some(why) = preview.not_delivered.get(id) {
                return Err(Error::unsupported(why.clone()).with_context("campaign", id));
            }
            campaigns.switch_on(id).await?;
        }
        Ok(Self::On { origin, account })
    }
}

fn out_of_turn(why: &'static str) -> Error {
    Error::new(ErrorKind::Stale, "this step of the set-up is not its turn").with_hint(why)
}
