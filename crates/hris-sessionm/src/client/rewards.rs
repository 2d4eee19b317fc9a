//! The reward store: what points buy, and buying it.

use std::collections::HashSet;

use hris_core::{Delivery, Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::Value;

use super::points::{MOST_CALLS, MOST_ROWS, too_long};
use super::{SessionM, incomplete};
use crate::convert;
use crate::settings::Operation;
use crate::wire::offers::{self, PurchasePayload, RewardsPayload};
use crate::{
    AvailableOffer, CustomerRef, Listing, Paging, PointAccountId, Points, Reward, RewardQuery, RewardStoreId,
    UserOfferId,
};

/// What became of a purchase, as far as its answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bought {
    /// It was carried out.
    Done { copy: Option<UserOfferId>, points_left: Option<Points> },
    /// The answer says ok and that it was not.
    NotDone,
}

/// A purchase.
pub(crate) struct Purchase<'a> {
    pub(crate) reward: &'a Reward,
    pub(crate) accounts: &'a [PointAccountId],
    pub(crate) quantity: u32,
}

#[derive(Serialize)]
struct StoreBody<'a> {
    retailer_id: &'a str,
    reward_store_ids: &'a [RewardStoreId],
    limit_to_only_active: bool,
    exclude_free_offers: bool,
    include_expired: bool,
    skip: u64,
    take: u32,
    sort_column: &'a str,
    culture: &'a str,
}

impl SessionM {
    /// What points buy; only what the balance affords unless said otherwise.
    pub(crate) async fn read_rewards(
        &self,
        customer: &CustomerRef,
        query: &RewardQuery,
    ) -> Result<Listing<Reward>> {
        let affords =
            if query.affordable_only { Some(self.read_balances(customer).await?.spendable()) } else { None };
        let stores = self.stores(customer).await?;
        let first = stores.first().map(|store| store.as_str().to_owned()).unwrap_or_default();
        let rewards = self.store_rows(&stores).await?.into_iter().map(|row| convert::reward(row, &first));
        let rewards: Vec<_> = rewards.collect::<Result<_>>()?;
        let wanted = |reward: &Reward| {
            affords.is_none_or(|points| reward.price <= points) && matches(reward, &query.paging)
        };
        Ok(query.paging.cut(rewards.into_iter().filter(wanted).collect()))
    }

    /// The offers of stores as offers to issue.
    pub(super) async fn store_offers(&self, stores: &[RewardStoreId]) -> Result<Vec<AvailableOffer>> {
        let rows = self.store_rows(stores).await?;
        rows.into_iter().map(convert::available_offer).collect()
    }

    /// The configured stores, else those of the member.
    async fn stores(&self, customer: &CustomerRef) -> Result<Vec<RewardStoreId>> {
        #[derive(Serialize)]
        struct Body<'a> {
            retailer_id: &'a str,
            user_id: &'a str,
            include_point_balances: bool,
            culture: &'a str,
        }
        let configured = &self.settings().rewards.store_ids;
        if !configured.is_empty() {
            return Ok(configured.clone());
        }
        let body = Body {
            retailer_id: self.retailer(),
            user_id: self.connect_user(customer)?,
            include_point_balances: false,
            culture: self.culture(),
        };
        let payload = self.connect::<Value>(Operation::RewardStores, &body, true).await?;
        let stores = payload.as_ref().and_then(convert::stores).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the answer does not tell the member's reward stores")
                .with_hint("give the stores in `rewards.store_ids`")
                .with_delivery(Delivery::Answered)
        })?;
        Ok(stores)
    }

    /// Every row of stores, each once.
    async fn store_rows(&self, stores: &[RewardStoreId]) -> Result<Vec<offers::Reward>> {
        if stores.is_empty() {
            return Ok(Vec::new());
        }
        let (mut seen, mut rows, mut read) = (HashSet::new(), Vec::new(), 0_u64);
        for _ in 0..MOST_CALLS {
            let body = StoreBody {
                retailer_id: self.retailer(),
                reward_store_ids: stores,
                limit_to_only_active: true,
                exclude_free_offers: false,
                include_expired: false,
                skip: read,
                take: MOST_ROWS,
                sort_column: "internal_name",
                culture: self.culture(),
            };
            let payload = self.connect::<RewardsPayload>(Operation::RewardList, &body, true).await?;
            let payload = payload.ok_or_else(|| incomplete("reward store"))?;
            let page = payload.reward_store_offers.ok_or_else(|| incomplete("reward_store_offers"))?;
            let count = page.len();
            read += count as u64;
            rows.extend(page.into_iter().filter(|row| seen.insert(row.id.0.to_ascii_lowercase())));
            let total = payload.total_rows.and_then(|total| u64::try_from(total.0).ok());
            if total.map_or(count < MOST_ROWS as usize, |total| read >= total) {
                return Ok(rows);
            }
            if count == 0 {
                let error = Error::new(ErrorKind::Incomplete, "the reward store ends before its own total");
                return Err(error.with_delivery(Delivery::Answered));
            }
        }
        Err(too_long("reward store"))
    }

    /// Buys a reward: points are spent and the offer issued, or neither. Never repeated.
    pub(crate) async fn purchase(&self, customer: &CustomerRef, purchase: &Purchase<'_>) -> Result<Bought> {
        #[derive(Serialize)]
        struct Body<'a> {
            retailer_id: &'a str,
            user_id: &'a str,
            reward_store_id: &'a RewardStoreId,
            reward_store_offer_id: &'a crate::RewardStoreOfferId,
            point_account_ids: &'a [PointAccountId],
            quantity: u32,
            culture: &'a str,
        }
        let body = Body {
            retailer_id: self.retailer(),
            user_id: self.connect_user(customer)?,
            reward_store_id: &purchase.reward.store,
            reward_store_offer_id: &purchase.reward.id,
            point_account_ids: purchase.accounts,
            quantity: purchase.quantity,
            culture: self.culture(),
        };
        let payload = self.connect::<PurchasePayload>(Operation::RewardPurchase, &body, false).await?;
        let payload = payload.unwrap_or_default();
        if payload.successful.is_some_and(|flag| !flag.0) {
            return Ok(Bought::NotDone);
        }
        let copy = payload.user_offer.and_then(|copy| crate::wire::lenient::filled(copy.id));
        Ok(Bought::Done { copy: copy.map(Into::into), points_left: payload.points_remaining })
    }
}

fn matches(reward: &Reward, paging: &Paging) -> bool {
    paging.matches([Some(&*reward.title), reward.description.as_deref(), reward.internal_name.as_deref()])
}
