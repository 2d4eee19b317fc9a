//! Answers of the Offers domain: wallet, issue, facts, reward stores, purchase.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Flag, Instant, Text, Whole, null_is_default};
use crate::Points;

#[derive(Deserialize)]
pub(crate) struct WalletPayload {
    /// Required: an answer without it is no empty wallet.
    pub(crate) user_offers: Option<Vec<UserOffer>>,
    pub(crate) total_records: Option<Whole>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) offer_groups: Vec<OfferGroup>,
}

#[derive(Deserialize)]
pub(crate) struct OfferGroup {
    pub(crate) id: Option<Text>,
    pub(crate) name: Option<Text>,
}

#[derive(Deserialize)]
pub(crate) struct UserOffer {
    pub(crate) id: Text,
    pub(crate) offer_id: Option<Text>,
    pub(crate) root_offer_id: Option<Text>,
    pub(crate) offer_group_id: Option<Text>,
    pub(crate) offer_type: Option<Text>,
    pub(crate) name: Option<Text>,
    pub(crate) description: Option<Text>,
    pub(crate) terms: Option<Text>,
    pub(crate) acquire_date: Option<Instant>,
    pub(crate) redemption_start_date: Option<Instant>,
    pub(crate) redemption_end_date: Option<Instant>,
    pub(crate) redeem_date: Option<Instant>,
    pub(crate) is_redeemable: Option<Flag>,
    pub(crate) pending_extended_data: Option<Flag>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) media: Vec<Media>,
}

#[derive(Deserialize)]
pub(crate) struct Media {
    pub(crate) uri: Option<Text>,
    pub(crate) category_name: Option<Text>,
    pub(crate) content_type: Option<Whole>,
}

#[derive(Deserialize)]
pub(crate) struct IssuePayload {
    /// Required: an answer without it does not say whether anything was issued.
    pub(crate) status_list: Option<Vec<IssuedCopy>>,
}

#[derive(Deserialize)]
pub(crate) struct IssuedCopy {
    pub(crate) user_offer_id: Option<Text>,
    pub(crate) fail_reason: Option<Whole>,
}

#[derive(Deserialize)]
pub(crate) struct FactsPayload {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) results: Vec<Facts>,
}

#[derive(Deserialize)]
pub(crate) struct Facts {
    pub(crate) offer_id: Option<Text>,
    pub(crate) acquisition_count: Option<Whole>,
    pub(crate) redemption_count: Option<Whole>,
    pub(crate) total_inventory: Option<Whole>,
    pub(crate) available_inventory_remaining: Option<Whole>,
}

#[derive(Deserialize)]
pub(crate) struct RewardsPayload {
    /// Required: an answer without it is no empty store.
    pub(crate) reward_store_offers: Option<Vec<Reward>>,
    pub(crate) total_rows: Option<Whole>,
}

#[derive(Deserialize)]
pub(crate) struct Reward {
    pub(crate) id: Text,
    pub(crate) root_offer_id: Option<Text>,
    pub(crate) reward_store_id: Option<Text>,
    pub(crate) price: Option<Points>,
    pub(crate) start_date: Option<Instant>,
    pub(crate) end_date: Option<Instant>,
    pub(crate) offer_details: Option<RewardDetails>,
}

#[derive(Deserialize)]
pub(crate) struct RewardDetails {
    pub(crate) internal_name: Option<Text>,
    pub(crate) title: Option<Text>,
    pub(crate) description: Option<Text>,
    pub(crate) terms: Option<Text>,
    pub(crate) points: Option<Points>,
    pub(crate) offer_status: Option<Whole>,
    /// A list, or an object: kept as it came.
    pub(crate) media: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
pub(crate) struct PurchasePayload {
    pub(crate) successful: Option<Flag>,
    pub(crate) points_remaining: Option<Points>,
    pub(crate) user_offer: Option<PurchasedCopy>,
}

#[derive(Deserialize)]
pub(crate) struct PurchasedCopy {
    pub(crate) id: Option<Text>,
}
