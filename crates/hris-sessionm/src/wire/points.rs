//! Answers of the Incentives domain: balances, deposit, spend, ledger.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Instant, Text, Whole, null_is_default};
use crate::Points;

/// The envelope of a Connect answer that says ok.
#[derive(Deserialize)]
pub(crate) struct Payload<T> {
    pub(crate) payload: Option<T>,
}

#[derive(Deserialize)]
pub(crate) struct BalancesPayload {
    pub(crate) retailer_id: Option<Text>,
    pub(crate) summary: Option<BalancesSummary>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) details: Vec<Balance>,
}

#[derive(Deserialize)]
pub(crate) struct BalancesSummary {
    pub(crate) total_points: Option<Points>,
    pub(crate) life_time_points: Option<Points>,
}

#[derive(Deserialize)]
pub(crate) struct Balance {
    pub(crate) account_name: Option<Text>,
    pub(crate) point_account_id: Option<Text>,
    pub(crate) grouping_label: Option<Text>,
    pub(crate) available_balance: Option<Points>,
    pub(crate) life_time_value: Option<Points>,
}

/// The answer to a deposit or spend. Of a deposit's nothing is certain.
#[derive(Default, Deserialize)]
pub(crate) struct Movement {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) details: Vec<MovementDetail>,
    /// One client of deposits reads this in place of details.
    pub(crate) success: Option<super::lenient::Flag>,
}

#[derive(Deserialize)]
pub(crate) struct MovementDetail {
    pub(crate) remaining_balance: Option<Points>,
    pub(crate) error_status: Option<Whole>,
    /// Whatever is in it, that it is there says that this part failed.
    pub(crate) error_response: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(crate) struct LedgerPayload {
    /// Required: an answer without it is no empty ledger.
    pub(crate) results: Option<Vec<LedgerRow>>,
}

#[derive(Deserialize)]
pub(crate) struct LedgerRow {
    pub(crate) id: Option<Text>,
    pub(crate) account_name: Option<Text>,
    pub(crate) point_account_id: Option<Text>,
    pub(crate) modification: Option<Points>,
    pub(crate) amount_spent: Option<Points>,
    pub(crate) audit_type: Option<Whole>,
    pub(crate) modification_type: Option<Text>,
    pub(crate) modification_entity_id: Option<Text>,
    pub(crate) point_source_id: Option<Text>,
    pub(crate) point_source_name: Option<Text>,
    pub(crate) time_of_occurrence: Option<Instant>,
    pub(crate) create_date: Option<Instant>,
    pub(crate) idempotency_id: Option<Text>,
}
