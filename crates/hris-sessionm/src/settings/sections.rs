//! The sections of a desk's tasks: points, offers, rewards, timeline, merge, notes.

use std::fmt;

use hris_core::settings::within;
use hris_core::{Error, Result};
use serde::de::Error as DeError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::filled;
use super::lists::{self, Choice};
use super::template::{Call, check_path};
use crate::{OfferId, PointAccountId, PointSourceId, Points, RewardStoreId};

/// Which version of the deposit call the tenant has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DepositVersion {
    /// `1.0`, in older use.
    #[serde(rename = "1.0")]
    V1,
    /// `2.0`, in newer use.
    #[default]
    #[serde(rename = "2.0")]
    V2,
}

/// Where an agent's reason is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonField {
    /// In `reference_type`, where live tenants have it.
    #[default]
    ReferenceType,
    /// In `reference_id`, before our own key.
    ReferenceId,
}

/// A source of awarded points; SessionM has no known call that lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PointSource {
    /// SessionM's id.
    pub id: PointSourceId,
    /// What the agent reads.
    pub label: String,
    /// The accounts that it is linked to, where that is known; an award to another is refused before the call.
    #[serde(default)]
    pub accounts: Vec<PointAccountId>,
}

impl PointSource {
    /// A source that any account may be awarded from.
    pub fn new(id: impl Into<PointSourceId>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), accounts: Vec::new() }
    }
}

/// Points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PointSettings {
    /// Which version of the deposit call the tenant has.
    pub deposit_version: DepositVersion,
    /// The drop-down *Point Source*.
    pub sources: Vec<PointSource>,
    /// The drop-down *Reasons*.
    pub reasons: Vec<Choice>,
    /// Where the reason is sent.
    pub reason_field: ReasonField,
    /// The most that one award or deduction may have (100,000): a guard against slips of the hand.
    #[serde(with = "points_text")]
    pub most_at_once: Points,
    /// The point ledger; without it an award whose answer was lost stays uncertain.
    pub ledger: Option<LedgerCall>,
}

impl Default for PointSettings {
    fn default() -> Self {
        Self {
            deposit_version: DepositVersion::default(),
            sources: Vec::new(),
            reasons: Vec::new(),
            reason_field: ReasonField::default(),
            most_at_once: Points::from(100_000),
            ledger: None,
        }
    }
}

impl PointSettings {
    pub(super) fn validate(&self) -> Result<()> {
        let sources: Vec<_> = self.sources.iter().map(|source| source.id.as_str()).collect();
        lists::check("points.sources", &sources)?;
        let reasons: Vec<_> = self.reasons.iter().map(|reason| reason.code.as_str()).collect();
        lists::check("points.reasons", &reasons)?;
        if !self.most_at_once.is_positive() {
            return Err(Error::config(
                "`points.most_at_once` is not positive",
                "give the largest award allowed",
            ));
        }
        self.ledger.as_ref().map_or(Ok(()), LedgerCall::validate)
    }
}

/// The names of the ledger's date range, which SessionM's public pages do not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LedgerCall {
    /// The field with the beginning of the range.
    pub from_field: String,
    /// The field with its end.
    pub to_field: String,
}

impl LedgerCall {
    /// The names of both ends.
    pub fn new(from_field: impl Into<String>, to_field: impl Into<String>) -> Self {
        Self { from_field: from_field.into(), to_field: to_field.into() }
    }

    fn validate(&self) -> Result<()> {
        let hint = "take the name from fetch_point_audit_logs in the Incentives Swagger of your tenant";
        filled("points.ledger.from_field", &self.from_field, hint)?;
        filled("points.ledger.to_field", &self.to_field, hint)
    }
}

/// Offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OfferSettings {
    /// Where the offers come from that an agent may issue; off until given.
    pub available: Option<Available>,
    /// The call that lists expired and redeemed offers; off until given.
    pub history: Option<HistoryCall>,
    /// The name of the new redemption start in the extend call (inferred; every extension is read back).
    pub extend_start_field: String,
    /// The name of the new redemption end in the extend call (inferred; every extension is read back).
    pub extend_end_field: String,
}

impl Default for OfferSettings {
    fn default() -> Self {
        Self {
            available: None,
            history: None,
            extend_start_field: "redemption_start_date".to_owned(),
            extend_end_field: "redemption_end_date".to_owned(),
        }
    }
}

impl OfferSettings {
    pub(super) fn validate(&self) -> Result<()> {
        let hint = "take the name from acquisition/update in the Offers Swagger of your tenant";
        filled("offers.extend_start_field", &self.extend_start_field, hint)?;
        filled("offers.extend_end_field", &self.extend_end_field, hint)?;
        if let Some(history) = &self.history {
            check_path("offers.history.path", &history.path, &[])?;
        }
        self.available.as_ref().map_or(Ok(()), Available::validate)
    }
}

/// Where the offers come from that an agent may issue. The listing call behind the desk's own list is not public.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Available {
    /// The offers of reward stores, for example one kept for service agents.
    StoreOffers {
        /// The stores, at most 100.
        store_ids: Vec<RewardStoreId>,
    },
    /// A fixed list.
    Configured {
        /// The offers.
        offers: Vec<ConfiguredOffer>,
    },
    /// A call that the vendor told.
    Custom(CustomListing),
}

/// A call that lists offers, as the vendor told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomListing {
    /// The call, on the Connect host; `{user_id}` is filled in. `retailer_id` and `culture` are added to the body.
    pub call: Call,
    /// Where the list is in the answer, as a JSON pointer such as `/payload/offers`.
    pub list: String,
    /// The field with the id that is issued.
    pub id_field: String,
    /// The field with the title.
    pub title_field: String,
    /// The field with the description.
    #[serde(default)]
    pub description_field: Option<String>,
}

/// One offer of a fixed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfiguredOffer {
    /// The id that is issued: root or version.
    pub id: OfferId,
    /// What the agent reads.
    pub title: String,
    /// More to read.
    #[serde(default)]
    pub description: Option<String>,
}

impl Available {
    fn validate(&self) -> Result<()> {
        const MOST_STORES: usize = 100;
        match self {
            Self::StoreOffers { store_ids } if store_ids.is_empty() || store_ids.len() > MOST_STORES => {
                let hint = "give 1 to 100 reward store ids";
                Err(Error::config("`offers.available.store_ids` has no usable number of entries", hint))
            }
            Self::StoreOffers { store_ids } => lists::check(
                "offers.available.store_ids",
                &store_ids.iter().map(RewardStoreId::as_str).collect::<Vec<_>>(),
            ),
            Self::Configured { offers } => lists::check(
                "offers.available.offers",
                &offers.iter().map(|offer| offer.id.as_str()).collect::<Vec<_>>(),
            ),
            Self::Custom(listing) => {
                listing.call.validate("offers.available.call", &["user_id"])?;
                let hint = "write a JSON pointer such as /payload/offers";
                if !listing.list.starts_with('/') {
                    return Err(Error::config("`offers.available.list` is no JSON pointer", hint));
                }
                filled("offers.available.id_field", &listing.id_field, "name the field with the offer's id")?;
                filled("offers.available.title_field", &listing.title_field, "name the field with the title")
            }
        }
    }
}

/// A call with the wallet's request and answer that lists what the wallet does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HistoryCall {
    /// Its path on the Connect host.
    pub path: String,
}

/// The reward stores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RewardSettings {
    /// The stores whose rewards are listed; those of the member, if empty.
    pub store_ids: Vec<RewardStoreId>,
}

/// The activity timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TimelineSettings {
    /// The slug of the organisation's timeline view.
    pub view: String,
    /// Events a page, 1 to 1000 (5, as the desk has it).
    #[serde(default = "page_size")]
    pub page_size: u32,
    /// The most events that are shown, newest first (1000).
    #[serde(default = "max_records")]
    pub max_records: u32,
    /// Event types that the view can show, for the filter before anything was read; the answers name them too.
    #[serde(default)]
    pub event_types: Vec<Choice>,
}

const fn page_size() -> u32 {
    5
}

const fn max_records() -> u32 {
    1000
}

impl TimelineSettings {
    /// A view with the default sizes.
    pub fn new(view: impl Into<String>) -> Self {
        Self {
            view: view.into(),
            page_size: page_size(),
            max_records: max_records(),
            event_types: Vec::new(),
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        filled("timeline.view", &self.view, "give the slug of the timeline view, from SessionM's console")?;
        within("timeline.page_size", self.page_size, 1, 1000)?;
        within("timeline.max_records", self.max_records, 1, 100_000)
    }
}

/// The merge call. Its path is documented, its body is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MergeCall {
    /// The call on the Core host. Places: `{persistent_external_id}` and `{persistent_user_id}` (who stays),
    /// `{legacy_external_id}` and `{legacy_user_id}` (who goes).
    pub call: Call,
}

/// The places of a merge call.
pub(crate) const MERGE_PLACES: &[&str] =
    &["persistent_external_id", "persistent_user_id", "legacy_external_id", "legacy_user_id"];

impl MergeCall {
    pub(super) fn validate(&self) -> Result<()> {
        self.call.validate("merge.call", MERGE_PLACES)?;
        if self.call.body.is_none() {
            let hint = "ask SessionM for the body of merge_accounts (Customer Accounts Merge API)";
            return Err(Error::config("`merge.call` has no body", hint));
        }
        Ok(())
    }
}

/// The note calls, none of which is public.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NotesCall {
    /// Lists a customer's notes, on the Core host. Places: `{user_id}`, `{external_id}`.
    pub list: Call,
    /// Adds a note. Places: those of `list`, `{reason}` and `{comment}`.
    pub create: Call,
    /// Where the list is in the answer, as a JSON pointer such as `/notes`.
    pub list_at: String,
    /// The names of a note's fields.
    pub fields: NoteFields,
    /// The drop-down *Reason*; "none" is always a choice.
    #[serde(default)]
    pub reasons: Vec<Choice>,
}

/// The names of a note's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NoteFields {
    /// The note's id.
    pub id: String,
    /// The reason's code.
    pub reason: String,
    /// The text.
    pub comment: String,
    /// When it was written.
    pub created_at: String,
    /// Who wrote it: always the integration's own user.
    #[serde(default)]
    pub author: Option<String>,
}

impl NotesCall {
    pub(super) fn validate(&self) -> Result<()> {
        self.list.validate("notes.list", &["user_id", "external_id"])?;
        self.create.validate("notes.create", &["user_id", "external_id", "reason", "comment"])?;
        if self.list_at.is_empty() || self.list_at.starts_with('/') {
            let reasons: Vec<_> = self.reasons.iter().map(|reason| reason.code.as_str()).collect();
            return lists::check("notes.reasons", &reasons);
        }
        Err(Error::config("`notes.list_at` is no JSON pointer", "write a JSON pointer such as /notes"))
    }
}

/// Points in a settings file: a whole number, or a text with decimals.
mod points_text {
    use super::{Deserializer, Points, Serializer, fmt};

    pub(super) fn serialize<S: Serializer>(points: &Points, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(points)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Points, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Points;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or a text with decimals")
            }

            fn visit_i64<E: super::DeError>(self, number: i64) -> Result<Points, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: super::DeError>(self, number: u64) -> Result<Points, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: super::DeError>(self, text: &str) -> Result<Points, E> {
                text.parse().map_err(|_| E::custom("no number of points"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
