//! Offers: what can be issued, what a wallet holds, and the four calls that change it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use hris_core::{Delivery, Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use super::points::{About, MOST_CALLS, MOST_ROWS, too_long};
use super::{SessionM, incomplete, not_configured, wire_time};
use crate::convert;
use crate::settings::{Available, CustomListing, Operation, Values};
use crate::wire::lenient::filled;
use crate::wire::offers::{FactsPayload, IssuePayload, WalletPayload};
use crate::{
    AvailableOffer, CustomerRef, Listing, OfferDetails, OfferFacts, OfferId, OfferState, Paging, RootOfferId,
    UserOffer, UserOfferId,
};

/// What became of one copy that was to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedCopy {
    /// The copy, if it was issued.
    pub id: Option<UserOfferId>,
    /// SessionM's number of the reason if it was not; what the numbers mean is not public.
    pub fail_reason: Option<i64>,
}

#[derive(Serialize)]
struct WalletBody<'a> {
    retailer_id: &'a str,
    user_id: &'a str,
    skip: u64,
    take: u32,
    include_pending_extended_data: bool,
    culture: &'a str,
}

struct WalletPage {
    offers: Vec<UserOffer>,
    total: Option<u64>,
}

impl SessionM {
    /// A page of the offers in a wallet. A search reads the whole wallet.
    pub(crate) async fn read_wallet(
        &self,
        customer: &CustomerRef,
        paging: &Paging,
    ) -> Result<Listing<UserOffer>> {
        if paging.is_search() {
            return Ok(paging.cut(
                self.whole_wallet(customer).await?.into_iter().filter(|o| matches(o, paging)).collect(),
            ));
        }
        let page = self.wallet_page(None, customer, (paging.skip(), paging.size())).await?;
        let seen = paging.skip() + page.offers.len() as u64;
        let is_full = page.offers.len() == paging.size() as usize;
        Ok(Listing {
            has_next: page.total.map_or(is_full, |total| seen < total),
            items: page.offers,
            page: paging.page(),
            total: page.total,
        })
    }

    /// Every offer in a wallet, each once: offers move between pages while a wallet is read.
    pub(crate) async fn whole_wallet(&self, customer: &CustomerRef) -> Result<Vec<UserOffer>> {
        self.whole(None, customer).await
    }

    /// Offers that are over: redeemed, expired, in a state. Reads the configured history.
    pub(crate) async fn read_history(
        &self,
        customer: &CustomerRef,
        state: OfferState,
        paging: &Paging,
    ) -> Result<Listing<UserOffer>> {
        let now = self.now();
        let offers = self.history(customer).await?.into_iter();
        Ok(paging.cut(offers.filter(|offer| offer.state(now) == state && matches(offer, paging)).collect()))
    }

    /// Every copy that the history call tells of.
    pub(crate) async fn history(&self, customer: &CustomerRef) -> Result<Vec<UserOffer>> {
        let path = self.history_path()?;
        self.whole(Some(path), customer).await
    }

    pub(crate) fn has_history(&self) -> bool {
        self.settings().offers.history.is_some()
    }

    fn history_path(&self) -> Result<&str> {
        self.settings().offers.history.as_ref().map(|history| history.path.as_str()).ok_or_else(|| {
            let ask =
                "SessionM for the call that lists a member's expired and redeemed offers (Offers Swagger)";
            not_configured("expired and redeemed offers", "offers.history", ask)
        })
    }

    async fn whole(&self, path: Option<&str>, customer: &CustomerRef) -> Result<Vec<UserOffer>> {
        let mut seen = HashSet::new();
        let mut offers = Vec::new();
        let mut read = 0_u64;
        for _ in 0..MOST_CALLS {
            let page = self.wallet_page(path, customer, (read, MOST_ROWS)).await?;
            let count = page.offers.len();
            read += count as u64;
            offers.extend(page.offers.into_iter().filter(|offer| seen.insert(offer.id.clone())));
            let is_last = page.total.map_or(count < MOST_ROWS as usize, |total| read >= total);
            if is_last {
                return Ok(offers);
            }
            if count == 0 {
                let error = Error::new(ErrorKind::Incomplete, "the wallet ends before its own total");
                return Err(error.with_delivery(Delivery::Answered));
            }
        }
        Err(too_long("wallet"))
    }

    async fn wallet_page(
        &self,
        path: Option<&str>,
        customer: &CustomerRef,
        (skip, take): (u64, u32),
    ) -> Result<WalletPage> {
        let About { retailer_id, user_id, culture } = self.about(customer)?;
        let body =
            WalletBody { retailer_id, user_id, skip, take, include_pending_extended_data: true, culture };
        let payload = match path {
            None => self.connect::<WalletPayload>(Operation::Wallet, &body, true).await?,
            Some(path) => {
                self.connect_at::<WalletPayload>("sessionm.offer_history", path, &body, true).await?
            }
        };
        let payload = payload.ok_or_else(|| incomplete("wallet"))?;
        let groups = payload.offer_groups;
        let offers = payload.user_offers.ok_or_else(|| incomplete("user_offers"))?;
        let offers =
            offers.into_iter().map(|offer| convert::user_offer(offer, &groups)).collect::<Result<_>>()?;
        let total = payload.total_records.and_then(|total| u64::try_from(total.0).ok());
        Ok(WalletPage { offers, total })
    }

    /// What an agent may issue.
    pub(crate) async fn read_available(
        &self,
        customer: &CustomerRef,
        paging: &Paging,
    ) -> Result<Listing<AvailableOffer>> {
        let offers = match &self.settings().offers.available {
            None => {
                let ask = "SessionM for the call that lists the offers to issue (Offers Swagger), or for a reward \
                           store kept for agents";
                return Err(not_configured("available offers", "offers.available", ask));
            }
            Some(Available::StoreOffers { store_ids }) => self.store_offers(store_ids).await?,
            Some(Available::Configured { offers }) => offers
                .iter()
                .map(|offer| AvailableOffer {
                    description: offer.description.clone(),
                    ..AvailableOffer::new(offer.id.clone(), offer.title.clone())
                })
                .collect(),
            Some(Available::Custom(listing)) => self.listed(customer, listing).await?,
        };
        let wanted = |offer: &AvailableOffer| {
            paging.matches([
                Some(&*offer.title),
                offer.description.as_deref(),
                offer.internal_name.as_deref(),
            ])
        };
        Ok(paging.cut(offers.into_iter().filter(wanted).collect()))
    }

    async fn listed(&self, customer: &CustomerRef, listing: &CustomListing) -> Result<Vec<AvailableOffer>> {
        let values = Values::default().with("user_id", self.connect_user(customer)?);
        let mut call = listing.call.clone();
        let body = call.body.get_or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(fields) = body {
            fields.entry("retailer_id").or_insert_with(|| self.retailer().into());
            fields.entry("culture").or_insert_with(|| self.culture().into());
        }
        let request = hris_http::Request::new(call.http_method(), "sessionm.offers_available", "");
        let request = call.request("sessionm.offers_available", request, &values)?.with_repeatable(true);
        let read = |answer: hris_http::Answer| {
            let body: Value = answer.json()?;
            let list =
                body.pointer(&listing.list).and_then(Value::as_array).ok_or_else(|| misfit(&listing.list))?;
            list.iter().map(|item| listed_offer(item, listing)).collect::<Result<Vec<_>>>()
        };
        self.connect_session()?.execute_with(&request, read).await
    }

    /// What is known of an offer as a whole; none where SessionM does not tell.
    pub(crate) async fn read_facts(&self, offer: &OfferId) -> Result<Option<OfferFacts>> {
        #[derive(Serialize)]
        struct Body<'a> {
            retailer_id: &'a str,
            offer_ids: [&'a OfferId; 1],
            skip: u8,
            take: u8,
        }
        let body = Body { retailer_id: self.retailer(), offer_ids: [offer], skip: 0, take: 10 };
        let payload = self.connect::<FactsPayload>(Operation::OfferFacts, &body, true).await?;
        let facts = payload.map(|payload| payload.results).unwrap_or_default();
        Ok(facts.into_iter().filter_map(convert::offer_facts).find(|facts| facts.offer_id == *offer))
    }

    /// One copy with what is known of its offer. That this is not told is no reason not to show the copy.
    pub(crate) async fn read_offer(
        &self,
        customer: &CustomerRef,
        copy: &UserOfferId,
    ) -> Result<Option<OfferDetails>> {
        let wallet = self.whole_wallet(customer).await?;
        let mut found = wallet.into_iter().find(|offer| offer.id == *copy);
        if found.is_none() && self.has_history() {
            found = self.history(customer).await?.into_iter().find(|offer| offer.id == *copy);
        }
        let Some(offer) = found else { return Ok(None) };
        let facts = match &offer.offer_id {
            Some(id) => self.read_facts(id).await.unwrap_or_else(|error| {
                tracing::warn!(kind = ?error.kind(), "what is known of the offer could not be read");
                None
            }),
            None => None,
        };
        Ok(Some(OfferDetails::new(offer, self.now(), facts)))
    }

    /// Issues copies of an offer. Never repeated.
    pub(crate) async fn issue(
        &self,
        customer: &CustomerRef,
        offer: &OfferId,
        quantity: u32,
    ) -> Result<Vec<IssuedCopy>> {
        #[derive(Serialize)]
        struct Body<'a> {
            retailer_id: &'a str,
            user_id: &'a str,
            offer_id: &'a OfferId,
            quantity: u32,
            issue_exact_version: bool,
        }
        let body = Body {
            retailer_id: self.retailer(),
            user_id: self.connect_user(customer)?,
            offer_id: offer,
            quantity,
            issue_exact_version: false,
        };
        let payload = self.connect::<IssuePayload>(Operation::OfferIssue, &body, false).await?;
        let copies =
            payload.and_then(|payload| payload.status_list).ok_or_else(|| incomplete("status_list"))?;
        Ok(copies
            .into_iter()
            .map(|copy| {
                let fail_reason = copy.fail_reason.map(|reason| reason.0).filter(|reason| *reason != 0);
                let id = filled(copy.user_offer_id).filter(|_| fail_reason.is_none()).map(Into::into);
                IssuedCopy { id, fail_reason }
            })
            .collect())
    }

    /// Takes a copy back. Never repeated.
    pub(crate) async fn revoke(&self, copy: &UserOfferId, reason: &str) -> Result<()> {
        let body =
            serde_json::json!({ "retailer_id": self.retailer(), "user_offer_id": copy, "reason": reason });
        self.connect::<Value>(Operation::OfferRevoke, &body, false).await.map(drop)
    }

    /// Redeems a copy. Never repeated.
    pub(crate) async fn redeem(&self, copy: &UserOfferId) -> Result<()> {
        let body = serde_json::json!({ "retailer_id": self.retailer(), "user_offer_id": copy, "force_redeem": false });
        self.connect::<Value>(Operation::OfferRedeem, &body, false).await.map(drop)
    }

    /// Changes a copy's redemption period. `custom_data` is left out, since an empty one might blank it.
    pub(crate) async fn extend(
        &self,
        customer: &CustomerRef,
        copy: &UserOfferId,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<()> {
        let names = &self.settings().offers;
        let body = serde_json::json!({
            "retailer_id": self.retailer(),
            "user_id": self.connect_user(customer)?,
            "user_offer_id": copy,
            "remain_pending_extended_data": false,
            "update_redemption_dates": true,
            (names.extend_start_field.as_str()): wire_time(start),
            (names.extend_end_field.as_str()): wire_time(end),
        });
        self.connect::<Value>(Operation::OfferExtend, &body, false).await.map(drop)
    }
}

fn matches(offer: &UserOffer, paging: &Paging) -> bool {
    paging.matches([Some(&*offer.name), offer.description.as_deref(), offer.terms.as_deref()])
}

fn listed_offer(item: &Value, listing: &CustomListing) -> Result<AvailableOffer> {
    let text = |name: &str| item[name].as_str().map(str::to_owned);
    let id = text(&listing.id_field).ok_or_else(|| misfit(&listing.id_field))?;
    let title = text(&listing.title_field).ok_or_else(|| misfit(&listing.title_field))?;
    let mut offer = AvailableOffer::new(id, title);
    offer.description = listing.description_field.as_deref().and_then(text);
    Ok(offer)
}

fn misfit(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, "the answer does not fit the section `offers.available` of the settings")
        .with_hint("compare `list`, `id_field` and `title_field` with a real answer")
        .with_delivery(Delivery::Answered)
        .with_context("missing", what)
}

impl UserOffer {
    /// The id under which another copy of the same offer is issued.
    pub(crate) fn reissue_id(&self) -> Option<OfferId> {
        let root = self.root_offer_id.as_ref().map(RootOfferId::as_str).map(OfferId::from);
        root.or_else(|| self.offer_id.clone())
    }
}
