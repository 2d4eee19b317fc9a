//! The operations and the documented path of each; any path can be replaced in the settings.

use std::collections::BTreeMap;

use hris_core::{Error, Result};
use hris_http::Method;
use serde::{Deserialize, Serialize};

use super::template::check_path;

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident $method:ident $name:literal $path:literal [$($place:literal),*],)*) => {
        /// One call of SessionM's API whose path is known.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Operation { $($(#[$doc])* $variant,)* }

        impl Operation {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the settings; with `sessionm.` before it, the name in traces and errors.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name in traces and errors.
            pub(crate) const fn traced(self) -> &'static str {
                match self { $(Self::$variant => concat!("sessionm.", $name),)* }
            }

            pub(crate) const fn method(self) -> Method {
                match self { $(Self::$variant => Method::$method,)* }
            }

            const fn default_path(self) -> &'static str {
                match self { $(Self::$variant => $path,)* }
            }

            const fn places(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($place),*],)* }
            }
        }
    };
}

operations! {
    CustomerCreate Post "customer_create" "/users" [],
    CustomerRead Get "customer_read" "/users/{user_id}" ["user_id"],
    CustomerReadExternal Get "customer_read_external" "/external/users/{external_id}" ["external_id"],
    CustomerSearchExact Get "customer_search_exact" "/users/search" [],
    CustomerSearchAdvanced Get "customer_search_advanced" "/users/search_users" [],
    CustomerUpdate Put "customer_update" "/users/{user_id}" ["user_id"],
    /// The path is documented for adding; that it also lists is inferred.
    TagsRead Get "tags_read" "/users/{user_id}/tags" ["user_id"],
    TagsAdd Post "tags_add" "/users/{user_id}/tags" ["user_id"],
    TimelineRead Get "timeline_read" "/users/{user_id}/timelines/{view}" ["user_id", "external_id", "view"],
    Balances Post "balances" "/incentives/api/1.0/user_points/all_balances" [],
    Deposit1 Post "deposit_1_0" "/incentives/api/1.0/user_points/deposit" [],
    Deposit2 Post "deposit_2_0" "/incentives/api/2.0/user_points/deposit" [],
    Spend Post "spend" "/incentives/api/1.0/user_points/spend_multiple" [],
    Ledger Post "ledger" "/incentives/api/1.0/point_audit_logs/fetch_point_audit_logs" [],
    Wallet Post "wallet" "/offers/api/2.0/offers/get_user_offers" [],
    OfferIssue Post "offer_issue" "/offers/api/2.0/offers/acquisition/issue" [],
    OfferRevoke Post "offer_revoke" "/offers/api/2.0/offers/acquisition/revoke" [],
    OfferRedeem Post "offer_redeem" "/offers/api/2.0/offers/redemption/manual_redeem" [],
    OfferExtend Post "offer_extend" "/offers/api/2.0/offers/acquisition/update" [],
    OfferFacts Post "offer_facts" "/offers/api/2.0/offers/fetch_offers_details" [],
    RewardStores Post "reward_stores" "/offers/api/2.0/offers/rewardstores/get_user_reward_stores" [],
    RewardList Post "reward_list" "/offers/api/2.0/offers/rewardstores/get_reward_store_offers" [],
    RewardPurchase Post "reward_purchase" "/offers/api/2.0/offers/rewardstores/purchase_offer" [],
}

/// Paths that differ from the documented ones: operation name to path template.
///
/// Core paths come after `core.prefix`, Connect paths are whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathOverrides(BTreeMap<String, String>);

impl PathOverrides {
    /// Replaces the path of an operation, by its name in the settings file.
    #[must_use]
    pub fn with(mut self, operation: impl Into<String>, path: impl Into<String>) -> Self {
        self.0.insert(operation.into(), path.into());
        self
    }

    /// The names of the operations that can be replaced.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Operation::ALL.iter().map(|operation| operation.name())
    }

    pub(super) fn validate(&self) -> Result<()> {
        for (name, path) in &self.0 {
            let Some(operation) = Operation::ALL.iter().find(|operation| operation.name() == name) else {
                let hint = format!("use one of {}", Self::names().collect::<Vec<_>>().join(", "));
                return Err(Error::config(format!("`paths.{name}` is no operation"), hint));
            };
            check_path(&format!("paths.{name}"), path, operation.places())?;
        }
        Ok(())
    }

    /// The path of an operation.
    pub(crate) fn path(&self, operation: Operation) -> &str {
        self.0.get(operation.name()).map_or(operation.default_path(), String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_paths_pass_their_own_check() {
        for operation in Operation::ALL {
            let same = PathOverrides::default().with(operation.name(), operation.default_path());
            assert!(same.validate().is_ok(), "{operation:?}");
        }
    }

    #[test]
    fn an_unknown_operation_and_an_unknown_place_are_refused() {
        assert!(PathOverrides::default().with("wallets", "/a").validate().is_err());
        assert!(PathOverrides::default().with("wallet", "/a/{user_id}").validate().is_err());
    }
}
