//! From SessionM's forms to the types of this crate: the only bridge between them.

use std::collections::BTreeMap;

use hris_core::{Delivery, Email, Error, ErrorKind, Result};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{
    AccountStatus, AvailableOffer, Balance, Balances, Customer, CustomerHit, Identifier, LedgerEntry, Media,
    MediaKind, OfferFacts, Phone, Points, RawFields, Reward, Tag, TierLevel, TierStanding, TimelineEvent,
    UserOffer,
};
use crate::wire::lenient::{Text, Whole, filled, read_instant};
use crate::wire::{core, offers, points};
use crate::{CustomerId, ExternalId, RewardStoreId};

fn text(text: Option<Text>) -> String {
    text.map(|text| text.0).unwrap_or_default()
}

fn count(number: Option<Whole>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number.0).ok())
}

fn number(number: Option<Whole>) -> Option<i64> {
    number.map(|number| number.0)
}

/// An ok answer about something without an id.
fn no_id(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "the answer has something without an id")
        .with_delivery(Delivery::Answered)
        .with_context("what", what)
}

pub(crate) fn customer(user: core::User, spend: Option<&str>) -> Result<Customer> {
    let id = filled(Some(user.id)).ok_or_else(|| no_id("customer"))?;
    let user_profile = RawFields::new(user.user_profile);
    let mut customer = Customer::new(CustomerId::from(id));
    customer.external_id = filled(user.external_id).as_deref().and_then(ExternalId::parse);
    customer.identifiers = user.identifiers.into_iter().filter_map(identifier).collect();
    customer.email = filled(user.email).as_deref().and_then(Email::parse);
    customer.first_name = filled(user.first_name);
    customer.last_name = filled(user.last_name);
    customer.gender = filled(user.gender);
    customer.birth_date = user.dob.and_then(|date| date.0);
    customer.address = filled(user.address);
    customer.address2 = filled(user.address2);
    customer.city = filled(user.city);
    customer.state = filled(user.state);
    customer.zip = filled(user.zip);
    customer.country = filled(user.country);
    customer.locale = filled(user.locale);
    customer.phones = user.phone_numbers.into_iter().filter_map(phone).collect();
    customer.opted_in = user.opted_in.is_some_and(|flag| flag.0);
    customer.activated = user.activated.map(|flag| flag.0);
    customer.suspended = user.suspended.is_some_and(|flag| flag.0);
    customer.status = AccountStatus::read(filled(user.account_status).as_deref());
    customer.is_test = user.test_account.is_some_and(|flag| flag.0);
    customer.referrer_code = filled(user.referrer_code);
    customer.created_at = user.created_at.map(|at| at.0);
    customer.updated_at = user.updated_at.map(|at| at.0);
    customer.registered_at = user.registered_at.map(|at| at.0);
    customer.tier = filled(user.tier);
    customer.tier_system = filled(user.tier_system);
    customer.tier_points = user.tier_points;
    customer.next_tier_points = user.next_tier_points;
    customer.tier_entered_at = user.tier_entered_at.map(|at| at.0);
    customer.tier_resets_at = user.tier_resets_at.map(|at| at.0);
    customer.available_points = user.available_points;
    customer.lifetime_spend = spend.and_then(|name| user_profile.number(name));
    customer.user_profile = user_profile;
    if let Some(details) = user.tier_details {
        customer.tiers = details.tier_levels.into_iter().map(standing).collect();
        customer.balances = details.point_account_balances.map(balances);
    }
    Ok(customer)
}

fn identifier(identifier: core::Identifier) -> Option<Identifier> {
    let external_id = filled(identifier.external_id).as_deref().and_then(ExternalId::parse)?;
    Some(Identifier { external_id, kind: filled(identifier.external_id_type) })
}

fn phone(phone: core::Phone) -> Option<Phone> {
    Some(Phone {
        number: filled(phone.phone_number)?,
        kind: filled(phone.phone_type),
        flags: phone.preference_flags.into_iter().map(|flag| flag.0).collect(),
        verified: phone.verified_ownership.is_some_and(|flag| flag.0),
    })
}

fn standing(standing: core::TierStanding) -> TierStanding {
    TierStanding {
        system_id: text(standing.tier_system_id),
        level: standing.tier_overview.map(level),
        next: standing.next_tier_overview.map(level),
        joined_at: standing.join_date.map(|at| at.0),
    }
}

fn level(level: core::TierLevel) -> TierLevel {
    TierLevel { id: text(level.id), name: text(level.name), rank: number(level.rank) }
}

pub(crate) fn balances(payload: points::BalancesPayload) -> Balances {
    let accounts: Vec<_> = payload.details.into_iter().filter_map(balance).collect();
    let (total, lifetime) = match payload.summary {
        Some(summary) => (summary.total_points, summary.life_time_points),
        None => (None, None),
    };
    Balances {
        total: total.unwrap_or_else(|| accounts.iter().map(|account| account.available).sum()),
        lifetime: lifetime.unwrap_or_else(|| accounts.iter().map(|account| account.lifetime).sum()),
        accounts,
    }
}

fn balance(balance: points::Balance) -> Option<Balance> {
    Some(Balance {
        account: filled(balance.point_account_id)?.into(),
        name: text(balance.account_name),
        group: filled(balance.grouping_label),
        available: balance.available_balance.unwrap_or_default(),
        lifetime: balance.life_time_value.unwrap_or_default(),
    })
}

/// Everybody whom an advanced search found, each once: data may be messy.
pub(crate) fn hits(players: Vec<core::Player>) -> Result<Vec<CustomerHit>> {
    let mut hits: Vec<CustomerHit> = Vec::new();
    for player in players {
        let id = filled(player.id).or_else(|| filled(player.user_id)).ok_or_else(|| no_id("customer"))?;
        let id = CustomerId::from(id);
        if hits.iter().all(|hit| hit.id != id) {
            hits.push(CustomerHit {
                id,
                external_id: filled(player.external_id).as_deref().and_then(ExternalId::parse),
                email: filled(player.email).as_deref().and_then(Email::parse),
                tier: filled(player.tier),
            });
        }
    }
    Ok(hits)
}

/// Tags in the forms that are to be expected: a list of texts or objects, or counts by name. The form is not public.
pub(crate) fn tags(body: &[u8]) -> Result<Vec<Tag>> {
    let answer: Value = hris_http::decode(body)?;
    let list = &answer["tags"];
    let unreadable = || {
        Error::new(ErrorKind::Protocol, "the tags have none of the expected forms")
            .with_delivery(Delivery::Answered)
    };
    match list {
        Value::Array(items) => items.iter().map(|item| tag(item).ok_or_else(unreadable)).collect(),
        Value::Object(counts) => {
            Ok(counts.iter().map(|(name, count)| Tag { count: count.as_u64(), ..Tag::new(name) }).collect())
        }
        Value::Null if answer.get("tags").is_some() => Ok(Vec::new()),
        _ => Err(unreadable()),
    }
}

fn tag(item: &Value) -> Option<Tag> {
    if let Some(name) = item.as_str() {
        return Some(Tag::new(name));
    }
    let name = item["tag"].as_str().or_else(|| item["name"].as_str())?;
    let mut tag = Tag::new(name);
    tag.count = item["count"].as_u64();
    tag.expires_at = item["expires_at"].as_str().and_then(read_instant);
    Some(tag)
}

pub(crate) fn ledger_entry(row: points::LedgerRow) -> LedgerEntry {
    let spent = row.amount_spent.filter(|spent| spent.is_positive()).map(|spent| Points::ZERO - spent);
    let change = row.modification.filter(|change| *change != Points::ZERO).or(spent);
    let mut entry = LedgerEntry::new(text(row.id), change.unwrap_or_default());
    entry.account = filled(row.point_account_id).map(Into::into);
    entry.account_name = filled(row.account_name);
    entry.kind = number(row.audit_type);
    entry.reason = filled(row.modification_type);
    entry.reference = filled(row.modification_entity_id);
    entry.idempotency_id = filled(row.idempotency_id);
    entry.source = filled(row.point_source_id).map(Into::into);
    entry.source_name = filled(row.point_source_name);
    entry.at = row.time_of_occurrence.or(row.create_date).map(|at| at.0);
    entry
}

pub(crate) fn user_offer(offer: offers::UserOffer, groups: &[offers::OfferGroup]) -> Result<UserOffer> {
    let id = filled(Some(offer.id)).ok_or_else(|| no_id("issued offer"))?;
    let group = filled(offer.offer_group_id).and_then(|id| {
        groups.iter().find(|group| group.id.as_ref().is_some_and(|known| known.0.eq_ignore_ascii_case(&id)))
    });
    let mut copy = UserOffer::new(id, text(offer.name));
    copy.offer_id = filled(offer.offer_id).map(Into::into);
    copy.root_offer_id = filled(offer.root_offer_id).map(Into::into);
    copy.offer_type = filled(offer.offer_type);
    copy.description = filled(offer.description);
    copy.terms = filled(offer.terms);
    copy.group = group.and_then(|group| group.name.clone()).map(|name| name.0);
    copy.acquired_at = offer.acquire_date.map(|at| at.0);
    copy.redeemable_from = offer.redemption_start_date.map(|at| at.0);
    copy.redeemable_until = offer.redemption_end_date.map(|at| at.0);
    copy.redeemed_at = offer.redeem_date.map(|at| at.0);
    copy.is_redeemable = offer.is_redeemable.map(|flag| flag.0);
    copy.is_pending = offer.pending_extended_data.is_some_and(|flag| flag.0);
    copy.media = offer.media.into_iter().filter_map(media).collect();
    Ok(copy)
}

fn media(media: offers::Media) -> Option<Media> {
    let kind = match number(media.content_type) {
        Some(1) => MediaKind::Image,
        Some(2) => MediaKind::Video,
        Some(4) => MediaKind::Audio,
        Some(5) => MediaKind::WebLink,
        other => MediaKind::Other(other),
    };
    Some(Media { uri: filled(media.uri)?, kind, category: filled(media.category_name) })
}

pub(crate) fn offer_facts(facts: offers::Facts) -> Option<OfferFacts> {
    Some(OfferFacts {
        offer_id: filled(facts.offer_id)?.into(),
        issued: count(facts.acquisition_count),
        redeemed: count(facts.redemption_count),
        inventory: count(facts.total_inventory),
        left: count(facts.available_inventory_remaining),
    })
}

pub(crate) fn reward(reward: offers::Reward, asked: &str) -> Result<Reward> {
    let id = filled(Some(reward.id)).ok_or_else(|| no_id("reward"))?;
    let details = reward.offer_details;
    let price = reward.price.or(details.as_ref().and_then(|details| details.points));
    // A reward without a price must not look like one that is free.
    let price = price.ok_or_else(|| no_price(&id))?;
    let store = filled(reward.reward_store_id).unwrap_or_else(|| asked.to_owned());
    let title = details.as_ref().and_then(|details| details.title.clone());
    let mut out = Reward::new(id, store, text(title), price);
    out.root_offer_id = filled(reward.root_offer_id).map(Into::into);
    out.starts_at = reward.start_date.map(|at| at.0);
    out.ends_at = reward.end_date.map(|at| at.0);
    if let Some(details) = details {
        out.description = filled(details.description);
        out.terms = filled(details.terms);
        out.internal_name = filled(details.internal_name);
        out.status = number(details.offer_status);
        out.media = details.media.as_deref().map(media_list).unwrap_or_default();
    }
    Ok(out)
}

fn no_price(id: &str) -> Error {
    Error::new(ErrorKind::Protocol, "a reward has no price")
        .with_delivery(Delivery::Answered)
        .with_context("reward_store_offer_id", id)
}

/// A list, or one object, or something else, which is no picture.
fn media_list(raw: &RawValue) -> Vec<Media> {
    let list = serde_json::from_str::<Vec<offers::Media>>(raw.get());
    let list = list.or_else(|_| serde_json::from_str::<offers::Media>(raw.get()).map(|one| vec![one]));
    list.unwrap_or_default().into_iter().filter_map(media).collect()
}

/// An event, and the key under which it is the same one when it is read twice.
pub(crate) fn event(event: core::Event, types: &[core::EventType]) -> Result<(TimelineEvent, EventKey)> {
    let at = event.timestamp.or(event.created_at).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "an event has no time").with_delivery(Delivery::Answered)
    })?;
    let json = event.event_stream_payload.as_deref().map(RawValue::get).unwrap_or_default();
    let key = EventKey(
        text(event.event_stream_stream_id),
        number(event.event_stream_event_type_id),
        at.at.timestamp_millis(),
        json.to_owned(),
    );
    // A payload that is no object says nothing that can be looked up by name.
    let payload = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json).unwrap_or_default();
    let payload = RawFields::new(payload);
    let known = types
        .iter()
        .find(|known| known.id.is_some() && number(known.id) == number(event.event_stream_event_type_id));
    let owned = |name: &str| payload.text(name).map(std::borrow::Cow::into_owned);
    let slug = owned("event_type_slug").or_else(|| known.and_then(|known| filled(known.slug.clone())));
    let mut out = TimelineEvent::new(slug.unwrap_or_default(), at.at);
    out.name = owned("event_type_name").or_else(|| known.and_then(|known| filled(known.name.clone())));
    out.category = owned("event_category_name");
    out.payload = payload;
    Ok((out, key))
}

/// What makes an event the same when it is read twice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct EventKey(String, Option<i64>, i64, String);

/// A row of a store as an offer to issue, by its root id: the newest version is issued.
pub(crate) fn available_offer(row: offers::Reward) -> Result<AvailableOffer> {
    let root = filled(row.root_offer_id).ok_or_else(|| no_id("offer to issue"))?;
    let details = row.offer_details;
    let title = details.as_ref().and_then(|details| details.title.clone());
    let mut offer = AvailableOffer::new(root, text(title));
    if let Some(details) = details {
        offer.description = filled(details.description);
        offer.internal_name = filled(details.internal_name);
        offer.media = details.media.as_deref().map(media_list).unwrap_or_default();
    }
    Ok(offer)
}

/// A member's stores: under one of the names to be expected, or the only list there is. The form is not public.
pub(crate) fn stores(payload: &Value) -> Option<Vec<RewardStoreId>> {
    let fields = payload.as_object()?;
    let named = ["reward_stores", "user_reward_stores"].iter().find_map(|name| fields.get(*name)?.as_array());
    let mut lists = fields.values().filter_map(Value::as_array);
    let only = lists.next().filter(|_| lists.next().is_none());
    let ids = named.or(only)?.iter().map(|store| store["id"].as_str().map(RewardStoreId::from));
    ids.collect()
}
