//! The merge of two customers: a documented path, and a body that is configured.

use hris_core::Result;

use super::{SessionM, not_configured};
use crate::settings::{Call, MERGE_PLACES, Values};
use crate::{CustomerId, ExternalId};

/// The ids of one side of a merge.
pub(crate) struct MergeSide<'a> {
    pub(crate) id: &'a CustomerId,
    pub(crate) external_id: Option<&'a ExternalId>,
}

impl SessionM {
    /// The configured merge call.
    pub(crate) fn merge_call(&self) -> Result<&Call> {
        self.settings().merge.as_ref().map(|merge| &merge.call).ok_or_else(|| {
            let ask = "SessionM for the body of merge_accounts (Customer Accounts Merge API)";
            not_configured("merging customers", "merge", ask)
        })
    }

    /// Whether the merge call has a place.
    pub(crate) fn merge_needs(&self, place: &str) -> bool {
        debug_assert!(MERGE_PLACES.contains(&place), "the places of a merge call are known");
        self.merge_call().is_ok_and(|call| {
            let body = call.body.as_ref().map(ToString::to_string).unwrap_or_default();
            let place = format!("{{{place}}}");
            call.path.contains(&place) || body.contains(&place)
        })
    }

    /// Merges. Never repeated, and it cannot be undone.
    pub(crate) async fn merge(&self, survivor: &MergeSide<'_>, victim: &MergeSide<'_>) -> Result<()> {
        let mut values = Values::default()
            .with("persistent_user_id", survivor.id.as_str())
            .with("legacy_user_id", victim.id.as_str());
        if let Some(id) = survivor.external_id {
            values = values.with("persistent_external_id", id.as_str());
        }
        if let Some(id) = victim.external_id {
            values = values.with("legacy_external_id", id.as_str());
        }
        let request = self.core_call("sessionm.merge", self.merge_call()?, &values)?;
        self.core_session().execute(&request.with_repeatable(false)).await.map(drop)
    }
}
