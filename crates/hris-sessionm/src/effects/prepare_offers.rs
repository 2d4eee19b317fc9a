//! Preconditions of what changes wallets: issue, reissue, revoke, redeem, extend, purchase.

use chrono::{DateTime, Utc};
use hris_core::{ErrorKind, Result};

use super::prepare::{Check, Checked, available_in, held, paying, refuse};
use super::{Before, Refusal};
use crate::client::SessionM;
use crate::{
    CustomerRef, OfferId, OfferState, Paging, PointAccountId, RewardQuery, RewardStoreOfferId, UserOffer,
    UserOfferId,
};

/// The most copies that are issued or bought at once.
const MOST_COPIES: u32 = 100;

impl SessionM {
    pub(super) async fn check_issue(&self, customer: &CustomerRef, offer: &OfferId, quantity: u32) -> Check {
        if !(1..=MOST_COPIES).contains(&quantity) {
            refuse!(Refusal::QuantityOutOfRange);
        }
        let title = match self.title_of(customer, offer).await? {
            Ok(title) => title,
            Err(refusal) => refuse!(refusal),
        };
        let copies = if quantity == 1 { "Issue".to_owned() } else { format!("Issue {quantity} copies of") };
        self.ready_to_issue(customer, offer.clone(), format!("{copies} \"{title}\" to this customer.")).await
    }

    /// The title of an offer to issue; where offers to issue are not listed, the id serves.
    async fn title_of(
        &self,
        customer: &CustomerRef,
        offer: &OfferId,
    ) -> Result<std::result::Result<String, Refusal>> {
        let mut paging = Paging::first(Paging::MOST);
        loop {
            let page = match self.read_available(customer, &paging).await {
                Ok(page) => page,
                Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(Ok(offer.to_string())),
                Err(error) => return Err(error),
            };
            if let Some(found) = page.items.iter().find(|found| found.id == *offer) {
                return Ok(Ok(found.title.clone()));
            }
            if !page.has_next {
                refuse!(Refusal::OfferNotAvailable);
            }
            paging = paging.next();
        }
    }

    async fn ready_to_issue(&self, customer: &CustomerRef, offer: OfferId, summary: String) -> Check {
        let found = match self.receiver(customer).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        let wallet = self.whole_wallet(customer).await?;
        let before =
            Before { customer: Some(Box::new(found)), wallet, issues: Some(offer), ..Before::default() };
        Ok(Ok(Checked::new(summary, before)))
    }

    pub(super) async fn check_reissue(&self, customer: &CustomerRef, copy: &UserOfferId) -> Check {
        let (_, held) = match self.copy_of(customer, copy).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        match held.state(self.now()) {
            OfferState::Expired => {}
            OfferState::Redeemed => refuse!(Refusal::AlreadyRedeemed),
            OfferState::Active | OfferState::Upcoming => refuse!(Refusal::OfferNotExpired),
        }
        let offer = held!(held.reissue_id(), Refusal::OfferNotAvailable);
        let summary = format!("Issue \"{}\" to this customer once more, as a new copy.", held.name);
        self.ready_to_issue(customer, offer, summary).await
    }

    pub(super) async fn check_revoke(&self, customer: &CustomerRef, copy: &UserOfferId) -> Check {
        let (wallet, held) = match self.copy_of(customer, copy).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        match held.state(self.now()) {
            OfferState::Active | OfferState::Upcoming => {}
            OfferState::Redeemed => refuse!(Refusal::AlreadyRedeemed),
            OfferState::Expired => refuse!(Refusal::OfferExpired),
        }
        let summary = format!("Take \"{}\" back from this customer.", held.name);
        self.about_copy(customer, wallet, summary).await
    }

    pub(super) async fn check_redeem(&self, customer: &CustomerRef, copy: &UserOfferId) -> Check {
        let (wallet, held) = match self.copy_of(customer, copy).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        match held.state(self.now()) {
            OfferState::Active if held.is_redeemable == Some(false) => refuse!(Refusal::OfferNotRedeemable),
            OfferState::Active => {}
            OfferState::Upcoming => refuse!(Refusal::OfferNotYetRedeemable),
            OfferState::Redeemed => refuse!(Refusal::AlreadyRedeemed),
            OfferState::Expired => refuse!(Refusal::OfferExpired),
        }
        let summary = format!("Redeem \"{}\" for this customer.", held.name);
        self.about_copy(customer, wallet, summary).await
    }

    pub(super) async fn check_extend(
        &self,
        customer: &CustomerRef,
        copy: &UserOfferId,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Check {
        if until <= from {
            refuse!(Refusal::EndBeforeStart);
        }
        if until <= self.now() {
            refuse!(Refusal::EndInPast);
        }
        let (wallet, held) = match self.copy_of(customer, copy).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        if held.state(self.now()) == OfferState::Redeemed {
            refuse!(Refusal::AlreadyRedeemed);
        }
        if has_period(&held, (from, until)) {
            refuse!(Refusal::NothingToDo);
        }
        let shown = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
        let old = held.redeemable_until.map_or_else(|| "without end".to_owned(), shown);
        let summary = format!(
            "Let \"{}\" be redeemed from {} until {} (so far: {old}).",
            held.name,
            shown(from),
            shown(until)
        );
        self.about_copy(customer, wallet, summary).await
    }

    async fn about_copy(&self, customer: &CustomerRef, wallet: Vec<UserOffer>, summary: String) -> Check {
        let found = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        let before = Before { customer: Some(Box::new(found)), wallet, ..Before::default() };
        Ok(Ok(Checked::new(summary, before)))
    }

    /// A customer's wallet and one copy in it; also one that is over, where the settings tell how to list those.
    pub(super) async fn copy_of(
        &self,
        customer: &CustomerRef,
        copy: &UserOfferId,
    ) -> Result<std::result::Result<(Vec<UserOffer>, UserOffer), Refusal>> {
        let wallet = match self.whole_wallet(customer).await {
            Ok(wallet) => wallet,
            Err(error) if crate::client::errors::is_unknown_customer(&error) => {
                refuse!(Refusal::UnknownCustomer)
            }
            Err(error) => return Err(error),
        };
        if let Some(found) = wallet.iter().find(|offer| offer.id == *copy).cloned() {
            return Ok(Ok((wallet, found)));
        }
        let past = if self.has_history() { self.history(customer).await? } else { Vec::new() };
        let found = held!(past.into_iter().find(|offer| offer.id == *copy), Refusal::OfferNotHeld);
        Ok(Ok((wallet, found)))
    }

    pub(super) async fn check_purchase(
        &self,
        customer: &CustomerRef,
        reward: &RewardStoreOfferId,
        quantity: u32,
        accounts: &[PointAccountId],
    ) -> Check {
        if !(1..=MOST_COPIES).contains(&quantity) {
            refuse!(Refusal::QuantityOutOfRange);
        }
        let found = match self.receiver(customer).await? {
            Ok(found) => found,
            Err(refusal) => refuse!(refusal),
        };
        let mut query = RewardQuery::all(Paging::first(Paging::MOST));
        let reward = loop {
            let page = self.read_rewards(customer, &query).await?;
            if let Some(found) = page.items.into_iter().find(|found| found.id == *reward) {
                break found;
            }
            if !page.has_next {
                refuse!(Refusal::RewardNotAvailable);
            }
            query.paging = query.paging.next();
        };
        let most = self.settings().points.most_at_once;
        let price = held!(reward.price.times(quantity), Refusal::AmountTooLarge { most });
        let balances = self.read_balances(customer).await?;
        let available = match available_in(&balances, accounts) {
            Ok(available) => available,
            Err(refusal) => refuse!(refusal),
        };
        if available < price {
            refuse!(Refusal::InsufficientPoints { needed: price, available });
        }
        let paying = paying(&balances, accounts);
        let copies = if quantity == 1 { String::new() } else { format!("{quantity} × ") };
        let summary =
            format!("Buy {copies}\"{}\" for {price} of this customer's {available} points.", reward.title);
        let wallet = self.whole_wallet(customer).await?;
        let before = Before {
            customer: Some(Box::new(found)),
            balances: Some(balances),
            wallet,
            reward: Some(Box::new(reward)),
            accounts: paying,
            ..Before::default()
        };
        Ok(Ok(Checked::new(summary, before)))
    }
}

/// Whether a copy has this redemption period, to the second, which is what is sent.
pub(super) fn has_period(copy: &UserOffer, (from, until): (DateTime<Utc>, DateTime<Utc>)) -> bool {
    let same = |held: Option<DateTime<Utc>>, wanted: DateTime<Utc>| {
        held.is_some_and(|held| held.timestamp() == wanted.timestamp())
    };
    same(copy.redeemable_from, from) && same(copy.redeemable_until, until)
}
