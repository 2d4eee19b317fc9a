//! Answers of the Core family: customers, tags, timeline.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Epoch, Flag, Instant, Text, Whole, null_is_default};
use super::points::BalancesPayload;
use crate::Points;

#[derive(Deserialize)]
pub(crate) struct UserAnswer {
    pub(crate) user: User,
}

/// A customer. Only the id is certain to be there: an answer to an update may hold little else.
#[derive(Deserialize)]
pub(crate) struct User {
    pub(crate) id: Text,
    pub(crate) external_id: Option<Text>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) opted_in: Option<Flag>,
    pub(crate) activated: Option<Flag>,
    pub(crate) email: Option<Text>,
    pub(crate) first_name: Option<Text>,
    pub(crate) last_name: Option<Text>,
    pub(crate) gender: Option<Text>,
    pub(crate) dob: Option<BirthDate>,
    pub(crate) address: Option<Text>,
    pub(crate) address2: Option<Text>,
    pub(crate) city: Option<Text>,
    pub(crate) state: Option<Text>,
    pub(crate) zip: Option<Text>,
    pub(crate) country: Option<Text>,
    pub(crate) locale: Option<Text>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) phone_numbers: Vec<Phone>,
    pub(crate) referrer_code: Option<Text>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) user_profile: BTreeMap<String, Box<RawValue>>,
    pub(crate) available_points: Option<Points>,
    pub(crate) suspended: Option<Flag>,
    pub(crate) account_status: Option<Text>,
    pub(crate) test_account: Option<Flag>,
    pub(crate) created_at: Option<Instant>,
    pub(crate) updated_at: Option<Instant>,
    pub(crate) registered_at: Option<Instant>,
    pub(crate) tier: Option<Text>,
    pub(crate) tier_system: Option<Text>,
    pub(crate) tier_points: Option<Points>,
    pub(crate) next_tier_points: Option<Points>,
    pub(crate) tier_entered_at: Option<Instant>,
    pub(crate) tier_resets_at: Option<Instant>,
    pub(crate) tier_details: Option<TierDetails>,
}

/// A date of birth; empty is none, anything else that is no date is an error.
#[derive(Debug)]
pub(crate) struct BirthDate(pub(crate) Option<NaiveDate>);

impl<'de> Deserialize<'de> for BirthDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.trim() {
            "" => Ok(Self(None)),
            // A time after the date says nothing about a birthday.
            text => text
                .get(..10)
                .and_then(|date| date.parse().ok())
                .map(|date| Self(Some(date)))
                .ok_or_else(|| serde::de::Error::custom("no date")),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Identifier {
    pub(crate) external_id: Option<Text>,
    pub(crate) external_id_type: Option<Text>,
}

#[derive(Deserialize)]
pub(crate) struct Phone {
    pub(crate) phone_number: Option<Text>,
    pub(crate) phone_type: Option<Text>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) preference_flags: Vec<Text>,
    pub(crate) verified_ownership: Option<Flag>,
}

#[derive(Deserialize)]
pub(crate) struct TierDetails {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) tier_levels: Vec<TierStanding>,
    pub(crate) point_account_balances: Option<BalancesPayload>,
}

#[derive(Deserialize)]
pub(crate) struct TierStanding {
    pub(crate) tier_system_id: Option<Text>,
    pub(crate) join_date: Option<Instant>,
    pub(crate) tier_overview: Option<TierLevel>,
    pub(crate) next_tier_overview: Option<TierLevel>,
}

#[derive(Deserialize)]
pub(crate) struct TierLevel {
    pub(crate) id: Option<Text>,
    pub(crate) name: Option<Text>,
    pub(crate) rank: Option<Whole>,
}

/// The answer of the advanced search.
#[derive(Deserialize)]
pub(crate) struct PlayersAnswer {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) players: Vec<Player>,
}

#[derive(Deserialize)]
pub(crate) struct Player {
    pub(crate) id: Option<Text>,
    pub(crate) user_id: Option<Text>,
    pub(crate) external_id: Option<Text>,
    pub(crate) email: Option<Text>,
    pub(crate) tier: Option<Text>,
}

/// One page of a timeline.
#[derive(Deserialize)]
pub(crate) struct TimelineAnswer {
    /// Required: an answer without it is no empty timeline.
    pub(crate) result: Option<Vec<Event>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) event_types: Vec<EventType>,
}

#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) event_stream_stream_id: Option<Text>,
    pub(crate) event_stream_event_type_id: Option<Whole>,
    pub(crate) timestamp: Option<Epoch>,
    pub(crate) created_at: Option<Epoch>,
    pub(crate) event_stream_payload: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(crate) struct EventType {
    pub(crate) id: Option<Whole>,
    pub(crate) name: Option<Text>,
    pub(crate) slug: Option<Text>,
}
