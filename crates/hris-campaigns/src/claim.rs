//! Claim links: made from a Send and a secret key, opened as often as one likes, claimed once.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hris_core::ledger::{Month, Send, SendChange, SendId, SharedLedger, Stage};
use hris_core::{
    CampaignId, ConnectionKey, Email, Error, ErrorKind, KeyProvider, Result, SecretKey, SharedClock,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::service::decode;

/// Where claim links lead: the beginning of the address, to which a token is added.
///
/// ```
/// assert!(hris_campaigns::LinkBase::new("https://gifts.example/claim/").is_ok());
/// assert!(hris_campaigns::LinkBase::new("http://gifts.example/claim/").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkBase(Box<str>);

impl LinkBase {
    /// An address over https, or http to loopback, that ends where the token begins.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for anything else.
    pub fn new(address: impl Into<Box<str>>) -> Result<Self> {
        let address = address.into();
        let is_loopback =
            ["http://127.0.0.1:", "http://127.0.0.1/", "http://localhost:", "http://localhost/"]
                .iter()
                .any(|start| address.starts_with(start));
        let is_plain = !address.chars().any(|c| c.is_whitespace() || c.is_control());
        if is_plain && (address.starts_with("https://") || is_loopback) && address.ends_with(['/', '=']) {
            return Ok(Self(address));
        }
        Err(Error::config(
            "a claim link's address cannot be used",
            "give one over https that ends with `/` or `=`, after which the token follows",
        ))
    }

    pub(crate) fn link(&self, token: &ClaimToken) -> String {
        format!("{}{}", self.0, token.0.expose_secret())
    }
}

const PURPOSE: &str = "hris/claim-link/1";
/// 192 bits that nobody can guess.
const MAC_BYTES: usize = 24;
const ID_BYTES: usize = 16;

/// The secret part of a claim link. The same for every mail of one Send, so that a mail can be repeated.
#[derive(Clone)]
pub struct ClaimToken(SecretString);

impl ClaimToken {
    /// The token of a Send.
    pub(crate) fn of(key: &SecretKey, send: &SendId) -> Self {
        let mac = key.mac(PURPOSE, &[send.bytes()]);
        let bytes: Vec<u8> = send.bytes().iter().chain(mac.iter().take(MAC_BYTES)).copied().collect();
        Self(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Splits a token into the Send that it names and what proves it.
    fn parse(text: &str) -> Option<(SendId, Vec<u8>)> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
        let (id, mac) = bytes.split_first_chunk::<ID_BYTES>()?;
        (mac.len() == MAC_BYTES).then(|| (SendId::new(*id), mac.to_vec()))
    }
}

impl fmt::Debug for ClaimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimToken(…)")
    }
}

/// What the claim form is filled in with. `Debug` shows nothing of the person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimForm {
    /// The Send.
    pub send: SendId,
    /// Whose campaign it is.
    pub connection: ConnectionKey,
    /// The campaign.
    pub campaign: CampaignId,
    /// The gift, in the portal's own words.
    pub gift: String,
    /// First name; may be empty.
    pub first_name: String,
    /// Last name; may be empty.
    pub last_name: String,
    /// E-mail address.
    pub email: Email,
}

impl fmt::Debug for ClaimForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimForm")
            .field("send", &self.send)
            .field("campaign", &self.campaign)
            .finish_non_exhaustive()
    }
}

/// What a link answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkAnswer {
    /// The gift can be claimed, or was claimed just now.
    Form(Box<ClaimForm>),
    /// The Send is not active yet.
    NotYet,
    /// The gift was claimed before.
    Claimed,
    /// The link's time is over.
    Expired,
    /// The gift was withdrawn.
    Withdrawn,
    /// This is no link of ours.
    Unknown,
}

/// Opens and claims links, of every connection that shares a ledger.
#[derive(Clone)]
pub struct ClaimDesk {
    ledger: SharedLedger,
    keys: Arc<dyn KeyProvider>,
    clock: SharedClock,
    keep_days: u16,
}

impl fmt::Debug for ClaimDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimDesk").finish_non_exhaustive()
    }
}

impl ClaimDesk {
    /// A desk. Names are erased `keep_days` after a gift is claimed, rounded up to the end of the month.
    pub fn new(ledger: SharedLedger, keys: Arc<dyn KeyProvider>, clock: SharedClock, keep_days: u16) -> Self {
        Self { ledger, keys, clock, keep_days }
    }

    /// What the form shows. Changes nothing, since mail scanners and curious people open links too.
    #[tracing::instrument(skip_all)]
    pub async fn open(&self, token: &str) -> Result<LinkAnswer> {
        match self.find(token).await? {
            Some((connection, send)) => self.answer(connection, &send).await,
            None => Ok(LinkAnswer::Unknown),
        }
    }

    /// Claims the gift: [`LinkAnswer::Form`] once, [`LinkAnswer::Claimed`] ever after.
    #[tracing::instrument(skip_all)]
    pub async fn claim(&self, token: &str) -> Result<LinkAnswer> {
        /// The states that a Send can pass through between reading and claiming.
        const TRIES: usize = 4;
        for _ in 0..TRIES {
            let Some((connection, send)) = self.find(token).await? else {
                return Ok(LinkAnswer::Unknown);
            };
            let answer = self.answer(connection.clone(), &send).await?;
            if !matches!(answer, LinkAnswer::Form(_)) {
                return Ok(answer);
            }
            let purge = Month::after_days(self.clock.now().date_naive(), self.keep_days);
            let change = SendChange { expects: Some(send.state()), send: send.claimed(purge)? };
            if self.ledger.swap(&connection, &change).await? {
                return Ok(answer);
            }
        }
        Err(Error::new(ErrorKind::Conflict, "the gift changes at this very moment; try again")
            .with_retryable(true))
    }

    async fn find(&self, token: &str) -> Result<Option<(ConnectionKey, Send)>> {
        let Some((id, mac)) = ClaimToken::parse(token) else {
            return Ok(None);
        };
        let Some((connection, send)) = self.ledger.find(&id).await? else {
            return Ok(None);
        };
        let key = self.keys.key(&send.link_key).await?;
        Ok(key.verify_mac(PURPOSE, &[id.bytes()], &mac).then_some((connection, send)))
    }

    async fn answer(&self, connection: ConnectionKey, send: &Send) -> Result<LinkAnswer> {
        Ok(match &send.stage {
            Stage::Planned(_) | Stage::Scheduled(..) => LinkAnswer::NotYet,
            Stage::Claimed(_) => LinkAnswer::Claimed,
            Stage::Expired(_) => LinkAnswer::Expired,
            Stage::Cancelled(..) => LinkAnswer::Withdrawn,
            Stage::Delivered(_, until) | Stage::Uncertain(_, until) if is_past(*until, self.clock.now()) => {
                LinkAnswer::Expired
            }
            Stage::Active(_, who) | Stage::Delivered(who, _) | Stage::Uncertain(who, _) => {
                let gift = self.gift(&connection, send).await?;
                LinkAnswer::Form(Box::new(ClaimForm {
                    send: send.id,
                    campaign: send.campaign.clone(),
                    connection,
                    gift,
                    first_name: who.first_name.clone(),
                    last_name: who.last_name.clone(),
                    email: who.email.clone(),
                }))
            }
        })
    }

    async fn gift(&self, connection: &ConnectionKey, send: &Send) -> Result<String> {
        let campaigns = self.ledger.campaigns(connection).await?;
        let record = campaigns.into_iter().find(|campaign| campaign.id == send.campaign);
        let record = record.ok_or_else(|| {
            Error::new(ErrorKind::Integrity, "the ledger lost a campaign")
                .with_context("campaign", &send.campaign)
        })?;
        Ok(decode(record)?.campaign.gift().to_owned())
    }
}

fn is_past(until: Month, now: DateTime<Utc>) -> bool {
    until < Month::of(now.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::keys::KeyId;

    #[test]
    fn a_token_is_the_same_each_time_and_different_for_every_send_and_key() {
        let token = |seed: u8, id: u8| {
            let key = SecretKey::new(KeyId::new("k"), [seed; 32]);
            ClaimToken::of(&key, &SendId::new([id; 16])).0.expose_secret().to_owned()
        };
        assert_eq!(token(1, 1), token(1, 1));
        assert_ne!(token(1, 1), token(1, 2));
        assert_ne!(token(1, 1), token(2, 1));
        assert_eq!(token(1, 1).len(), 54);
    }

    #[test]
    fn a_token_says_nothing_when_it_is_shown() {
        let token = ClaimToken::of(&SecretKey::new(KeyId::new("k"), [1; 32]), &SendId::new([1; 16]));
        assert_eq!(format!("{token:?}"), "ClaimToken(…)");
    }
}
