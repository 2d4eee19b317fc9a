//! Connect's offers in the simulator: the wallet, issuing, revoking, redeeming, new dates, and the reward store.

use chrono::{DateTime, TimeDelta, Utc};
use hris_testkit::sim::SimResponse;
use serde_json::{Value, json};

use super::state::{Copy, CopyState, Offer, Priced, State, failed, payload, plain_time, points};

const MOST_ROWS: u64 = 1000;

impl State {
    fn is_current(&self, copy: &Copy) -> bool {
        copy.state == CopyState::Issued && copy.ends.is_none_or(|ends| ends > self.now())
    }

    /// The offers in a customer's wallet: those that are issued, and where the organisation has it so, those of before.
    pub(super) fn wallet(&self, user: usize, body: &Value) -> SimResponse {
        let with_history = self.behaviour.wallet_shows_history;
        self.copies_of(user, body, |copy| with_history || self.is_current(copy))
    }

    /// Expired and redeemed offers: a call of this organisation's own.
    pub(super) fn history(&self, user: usize, body: &Value) -> SimResponse {
        self.copies_of(user, body, |copy| {
            !self.is_current(copy) && !matches!(copy.state, CopyState::Revoked(_))
        })
    }

    fn copies_of(&self, user: usize, body: &Value, shows: impl Fn(&Copy) -> bool) -> SimResponse {
        let (skip, take) = match page(body) {
            Ok(page) => page,
            Err(refused) => return refused,
        };
        let customer = &self.customers[user];
        let own: Vec<_> = self.copies.iter().filter(|copy| copy.user == customer.id && shows(copy)).collect();
        let rows: Vec<_> = own.iter().skip(skip).take(take).map(|copy| self.copy_row(copy)).collect();
        let total: i64 = self.accounts.iter().map(|account| self.balance(&customer.id, &account.id)).sum();
        payload(json!({
            "user": { "opted_in": customer.fields.get("opted_in"), "activated": true },
            "user_id": self.shown(&customer.id),
            "user_offers": self.list(rows),
            "total_records": own.len(),
            "offer_groups": [{ "id": "77777777-0000-4000-8000-000000000001", "name": "Service", "sort_order": 1 }],
            "offer_categories": [],
            "total_points": points(total),
            "available_points": points(total),
        }))
    }

    fn copy_row(&self, copy: &Copy) -> Value {
        let offer = &self.offers[copy.offer];
        let mut row = json!({
            "id": self.shown(&copy.id),
            "offer_id": offer.version,
            "root_offer_id": offer.root,
            "offer_group_id": "77777777-0000-4000-8000-000000000001",
            "offer_type": offer.kind,
            "name": offer.title,
            "description": offer.description,
            "terms": "One use.",
            "acquire_date": self.time(copy.acquired),
            "redemption_start_date": self.time(copy.starts),
            "start_date": "2026-01-01T00:00:00Z",
            "is_redeemable": self.is_current(copy) && copy.starts <= self.now(),
            "check_level": true,
            "pending_extended_data": false,
            "culture": "en-US",
            "media": [{ "id": "99999999-0000-4000-8000-000000000001", "uri": "https://images.example.com/ten.png",
                        "category_name": "Tile", "content_type": 1, "culture": "en-US" }],
        });
        if let Some(ends) = copy.ends {
            row["redemption_end_date"] = self.time(ends);
            row["expiration_date"] = self.time(ends);
        }
        if let CopyState::Redeemed(at) = copy.state {
            row["redeem_date"] = self.time(at);
        }
        if self.behaviour.unknown_keys {
            row["key_of_tomorrow"] = json!([{}]);
        }
        row
    }

    /// Puts copies into a wallet; each that fails says so inside a success.
    pub(super) fn issue(&mut self, user: usize, body: &Value) -> SimResponse {
        let wanted = body["offer_id"].as_str().unwrap_or_default();
        let found = self.offers.iter().position(|offer| offer.root == wanted || offer.version == wanted);
        let Some(offer) = found else { return failed("not_found", "The offer is unknown.") };
        if self.offers[offer].ends.is_some_and(|ends| ends <= self.now()) {
            return failed("not_available", "The offer has ended.");
        }
        let quantity = body["quantity"].as_u64().unwrap_or(1).min(100);
        let customer = self.customers[user].id.clone();
        let list: Vec<_> = (0..quantity).map(|_| self.issue_one(&customer, offer)).collect();
        payload(json!({ "status_list": list }))
    }

    fn issue_one(&mut self, user: &str, at: usize) -> Value {
        let row = |offer: &Offer, copy: Option<&str>, reason: u8| {
            json!({ "user_id": user, "user_offer_id": copy, "offer_id": offer.version, "root_offer_id": offer.root,
                    "pending_extended_data": false, "fail_reason": reason })
        };
        match &mut self.offers[at].stock {
            Some(0) => return row(&self.offers[at], None, 4),
            Some(left) => *left -= 1,
            None => {}
        }
        let copy = self.put_in_wallet(user, at);
        self.record(user, "OFFER_ISSUED", json!({ "offer_id": self.offers[at].version }));
        row(&self.offers[at], Some(&self.shown(&copy)), 0)
    }

    pub(super) fn put_in_wallet(&mut self, user: &str, offer: usize) -> String {
        let (id, now) = (self.new_id(), self.now());
        let ends = self.offers[offer].days.map(|days| now + TimeDelta::days(days));
        self.copies.push(Copy {
            id: id.clone(),
            user: user.to_owned(),
            offer,
            acquired: now,
            starts: now,
            ends,
            state: CopyState::Issued,
        });
        id
    }

    fn copy(&self, body: &Value) -> Option<usize> {
        let wanted = body["user_offer_id"].as_str()?;
        self.copies.iter().position(|copy| copy.id.eq_ignore_ascii_case(wanted))
    }

    pub(super) fn revoke(&mut self, body: &Value) -> SimResponse {
        let Some(at) = self.copy(body) else { return failed("not_found", "The offer is unknown.") };
        if self.copies[at].state != CopyState::Issued {
            return failed("argument_error", "The offer is not issued.");
        }
        let reason = body["reason"].as_str().unwrap_or_default().to_owned();
        self.copies[at].state = CopyState::Revoked(reason);
        let (user, offer) = (self.copies[at].user.clone(), self.copies[at].offer);
        self.record(&user, "OFFER_REVOKED", json!({ "offer_id": self.offers[offer].version }));
        payload(json!({}))
    }

    pub(super) fn redeem(&mut self, body: &Value) -> SimResponse {
        let Some(at) = self.copy(body) else { return failed("not_found", "The offer is unknown.") };
        let now = self.now();
        let copy = &self.copies[at];
        if copy.state != CopyState::Issued {
            return failed("argument_error", "The offer is not issued.");
        }
        let is_in_time = copy.starts <= now && copy.ends.is_none_or(|ends| ends > now);
        if !is_in_time && body["force_redeem"] != true {
            return failed("not_available", "The offer cannot be redeemed now.");
        }
        self.copies[at].state = CopyState::Redeemed(now);
        let (user, offer) = (self.copies[at].user.clone(), self.copies[at].offer);
        let event = json!({ "offer_id": self.offers[offer].version, "reward_name": self.offers[offer].title,
                            "redemption_date": self.time(now) });
        self.record(&user, "OFFER_REDEEMED", event);
        payload(json!({}))
    }

    /// New dates are taken only under the names that the vendor knows, and where it is told that there are any.
    pub(super) fn extend(&mut self, user: usize, body: &Value) -> SimResponse {
        let Some(at) = self.copy(body) else { return failed("not_found", "The offer is unknown.") };
        if self.copies[at].user != self.customers[user].id {
            return failed("access_denied", "The offer is another customer's.");
        }
        if self.copies[at].state != CopyState::Issued {
            return failed("argument_error", "The offer is not issued.");
        }
        let date = |name: &str| body[name].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
        let (start, end) = (date("redemption_start_date"), date("redemption_end_date"));
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            return failed("argument_error", "The end lies before the start.");
        }
        if body["update_redemption_dates"] == true && self.behaviour.knows_date_names {
            let copy = &mut self.copies[at];
            copy.starts = start.unwrap_or(copy.starts);
            copy.ends = end.or(copy.ends);
        }
        payload(json!({}))
    }

    pub(super) fn facts(&self, body: &Value) -> SimResponse {
        let wanted = body["offer_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let rows = wanted.filter_map(|id| {
            let at = self.offers.iter().position(|offer| offer.version == id || offer.root == id)?;
            let own = || self.copies.iter().filter(|copy| copy.offer == at);
            let redeemed = own().filter(|copy| matches!(copy.state, CopyState::Redeemed(_))).count();
            Some(json!({ "offer_id": id, "acquisition_count": own().count(), "redemption_count": redeemed,
                         "total_inventory": self.offers[at].stock.map(|left| left + own().count() as u64),
                         "available_inventory_remaining": self.offers[at].stock }))
        });
        payload(json!({ "results": rows.collect::<Vec<_>>() }))
    }

    pub(super) fn stores(&self) -> SimResponse {
        let mut stores: Vec<_> = self.priced.iter().map(|priced| priced.store.clone()).collect();
        stores.dedup();
        let rows: Vec<_> = stores.iter().map(|id| json!({ "id": id, "name": "Harbour Store" })).collect();
        payload(json!({ "reward_stores": rows }))
    }

    pub(super) fn store_list(&self, body: &Value) -> SimResponse {
        let (skip, take) = match page(body) {
            Ok(page) => page,
            Err(refused) => return refused,
        };
        let wanted = body["reward_store_ids"].as_array().cloned().unwrap_or_default();
        let ends = |priced: &Priced| self.offers[priced.offer].ends;
        let is_over = |priced: &Priced| ends(priced).is_some_and(|ends| ends <= self.now());
        let mut rows: Vec<_> = self
            .priced
            .iter()
            .filter(|priced| {
                wanted.iter().any(|id| *id == priced.store.as_str())
                    && !(body["exclude_free_offers"] == true && priced.price == 0)
                    && (body["include_expired"] == true || !is_over(priced))
            })
            .collect();
        if body["sort_column"] == "internal_name" {
            rows.sort_by_key(|priced| &self.offers[priced.offer].name);
        }
        let shown: Vec<_> = rows.iter().skip(skip).take(take).map(|priced| self.priced_row(priced)).collect();
        payload(
            json!({ "reward_store_offers": self.list(shown), "total_rows": rows.len(), "skip": skip, "take": take }),
        )
    }

    fn priced_row(&self, priced: &Priced) -> Value {
        let offer = &self.offers[priced.offer];
        let mut row = json!({
            "id": priced.id,
            "root_offer_id": offer.root,
            "reward_store_id": priced.store,
            "price": points(priced.price),
            "start_date": "2026-01-01T00:00:00Z",
            "offer_details": {
                "internal_name": offer.name, "title": offer.title, "description": offer.description,
                "terms": "One a day.", "media": [], "points": points(priced.price),
                "acquisition_start_date": "2026-01-01T00:00:00Z", "offer_status": 2,
                "offer_inventory_restrictions": [],
            },
        });
        if let Some(ends) = offer.ends {
            row["end_date"] = plain_time(ends);
        }
        row
    }

    /// All or nothing: the points go and the offer comes, or neither.
    pub(super) fn purchase(&mut self, user: usize, body: &Value) -> SimResponse {
        let (store, wanted) = (&body["reward_store_id"], &body["reward_store_offer_id"]);
        let found = self
            .priced
            .iter()
            .position(|priced| *wanted == priced.id.as_str() && *store == priced.store.as_str());
        let Some(at) = found else { return failed("not_found", "The reward is unknown.") };
        let accounts = body["point_account_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let accounts: Vec<String> = accounts.map(str::to_owned).collect();
        if accounts.is_empty() {
            return failed("missing_data", "point_account_ids are required");
        }
        let (offer, id) = (self.priced[at].offer, self.customers[user].id.clone());
        let quantity = i64::try_from(body["quantity"].as_u64().unwrap_or(1).clamp(1, 100)).unwrap_or(1);
        let price = self.priced[at].price * quantity;
        let held: i64 = accounts.iter().map(|account| self.balance(&id, account)).sum();
        if price > held {
            return failed("insufficient_points", "There are not enough points.");
        }
        if self.offers[offer].stock.is_some_and(|left| i64::try_from(left).unwrap_or(i64::MAX) < quantity) {
            return failed("not_available", "The reward is out of stock.");
        }
        self.take(&id, &accounts, price, &json!({ "reference_type": "purchase", "reference_id": wanted }));
        let copies: Vec<_> = (0..quantity).map(|_| self.issue_one(&id, offer)).collect();
        if self.behaviour.bare_purchases {
            return payload(Value::Null);
        }
        let copy = json!({ "id": copies[0]["user_offer_id"], "root_offer_id": self.offers[offer].root });
        payload(json!({ "successful": true, "points_remaining": points(held - price), "message": null,
                        "user_offer": copy }))
    }
}

/// `skip` and `take`, within what the vendor takes.
fn page(body: &Value) -> Result<(usize, usize), SimResponse> {
    let take = body["take"].as_u64().unwrap_or(MOST_ROWS);
    if take > MOST_ROWS {
        return Err(failed("argument_error", "take is 1000 at most"));
    }
    let skip = body["skip"].as_u64().unwrap_or(0);
    Ok((usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(take).unwrap_or(usize::MAX)))
}
