//! The activity timeline in the simulator.

use hris_testkit::sim::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::state::{Event, State, refused};

/// Slug, name, type id, category id and category.
const TYPES: [(&str, &str, u32, u32, &str); 6] = [
    ("INCENTIVES_POINT_SPEND", "Point spend", 41, 7, "INCENTIVES"),
    ("INCENTIVES_POINT_DEPOSIT", "Point deposit", 42, 7, "INCENTIVES"),
    ("PURCHASE", "Purchase", 12, 3, "COMMERCE"),
    ("OFFER_ISSUED", "Offer issued", 51, 8, "OFFERS"),
    ("OFFER_REVOKED", "Offer revoked", 52, 8, "OFFERS"),
    ("OFFER_REDEEMED", "Offer redeemed", 53, 8, "OFFERS"),
];

const STREAM: &str = "c0ffee00-1111-4222-8333-444455556666";

impl State {
    /// Events after `since`, `count` at most. Which ones a page leaves out is not documented: here the oldest are kept, as a
    /// walk forward in time needs.
    pub(super) fn timeline(&self, user: usize, view: &str, request: &SimRequest) -> SimResponse {
        if view != super::SessionMSim::TIMELINE_VIEW {
            return refused(404, "not_found", "no such view");
        }
        let number = |name: &str| request.query(name).and_then(|text| text.parse::<i64>().ok());
        let count = number("count").unwrap_or(100);
        if !(1..=1000).contains(&count) {
            return refused(400, "argument_error", "count is 1 to 1000");
        }
        let factor = if self.behaviour.timeline_in_milliseconds { 1000 } else { 1 };
        let since = number("since").unwrap_or(i64::MIN);
        let types: Option<Vec<_>> = request.query("event_types").map(|text| text.split(',').collect());
        let id = &self.customers[user].id;
        let own = self.events.iter().filter(|event| {
            event.user == *id
                && event.at.timestamp() * factor > since
                && types.as_ref().is_none_or(|types| types.contains(&event.slug))
        });
        let mut rows: Vec<_> = own.collect();
        rows.sort_by_key(|event| event.at);
        rows.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        if self.behaviour.timeline_newest_first {
            rows.reverse();
        }
        let rows: Vec<_> = rows.into_iter().map(|event| self.event_row(event, factor)).collect();
        let types = TYPES.map(|(slug, name, id, category, _)| {
            json!({ "id": id, "name": name, "slug": slug, "event_stream_event_category_id": category,
                    "event_stream_stream_id": 1 })
        });
        SimResponse::json(
            200,
            &json!({ "status": "ok", "count": rows.len(), "result": self.list(rows),
                                        "grouping_field": null, "event_types": types }),
        )
    }

    fn event_row(&self, event: &Event, factor: i64) -> Value {
        let (slug, name, id, category, group) = TYPES
            .into_iter()
            .find(|(slug, ..)| *slug == event.slug)
            .unwrap_or(("OTHER", "Other", 99, 9, "OTHER"));
        let stamp = event.at.timestamp() * factor;
        let stamp = if self.behaviour.timeline_as_text { json!(stamp.to_string()) } else { json!(stamp) };
        let mut payload =
            json!({ "event_type_slug": slug, "event_type_name": name, "event_category_slug": group });
        for (key, value) in event.payload.as_object().into_iter().flatten() {
            payload[key] = value.clone();
        }
        json!({
            "event_stream_stream_id": STREAM,
            "event_stream_event_category_id": category,
            "event_stream_event_type_id": id,
            "target_id": 1_002_003,
            "timestamp": stamp,
            "created_at": stamp,
            "event_stream_payload": payload,
            "contexts": [{ "id": 5, "name": "channel", "value": "web", "value_details": null }],
        })
    }
}
