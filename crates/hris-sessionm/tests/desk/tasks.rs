//! Every task of the seed, with nothing but the complete settings file.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use hris_sessionm::sim::SessionMSim;
use hris_sessionm::{
    Done, Effect, Enrolment, LoyaltyDesk as _, NewCustomer, OfferState, Paging, ParentKeys, ProfileEdit,
    ProfileField, Refusal, RewardQuery, TimelineQuery,
};
use hris_testkit::run;
use serde_json::json;

use super::setup::*;

#[test]
fn look_up_by_the_configured_key_and_view_everything_in_one_read() {
    run(async {
        for by_email in [false, true] {
            let desk = Desk::with(|settings| {
                if by_email {
                    settings.lookup_by = hris_sessionm::LookupBy::Email;
                }
            })
            .await;
            let found = desk.client.find(&keys()).await.unwrap().unwrap();
            assert_eq!(desk.sim.requests().len(), 1);
            assert_eq!(Enrolment::of(Some(&found)), Enrolment::Enrolled);
            assert_eq!(found.lifetime_points(), Some(points("164.5")));
            assert_eq!(found.lifetime_spend, Some(points("812.4")));
            assert_eq!((found.tier.as_deref(), found.tiers.len()), (Some("Copper"), 1));
            let unknown = ParentKeys::external_id("CRM-0").with_email("nobody@example.com");
            assert!(desk.client.find(&unknown).await.unwrap().is_none());
        }
    });
}

#[test]
fn enrol_create_only_enrol_later_update_and_tag() {
    run(async {
        let desk = Desk::new().await;
        let new =
            |id: &str| NewCustomer::created_only(ParentKeys::external_id(id)).with_referral_code("HARBOUR-1");
        desk.done(Effect::Create(Box::new(new("CRM-2")))).await;
        let created = desk.client.find(&ParentKeys::external_id("CRM-2")).await.unwrap().unwrap();
        assert_eq!(Enrolment::of(Some(&created)), Enrolment::Created);
        desk.done(Effect::Enrol { customer: created.reference() }).await;
        let enrolled = desk.client.customer(&created.id).await.unwrap().unwrap();
        assert_eq!(Enrolment::of(Some(&enrolled)), Enrolment::Enrolled);
        let again = Effect::Enrol { customer: created.reference() };
        assert_eq!(desk.refusal(again).await, Refusal::AlreadyEnrolled);

        let edit = ProfileEdit::new()
            .set(ProfileField::LastName, "Lindqvist-Berg")
            .and_then(|edit| edit.set(ProfileField::Custom("department".into()), "Sales"))
            .and_then(|edit| edit.clear(ProfileField::Gender))
            .unwrap();
        let receipt = desk.done(Effect::Update { customer: desk.mara.clone(), edit }).await;
        assert!(matches!(receipt.done, Done::Customer { ref unconfirmed, .. } if unconfirmed.is_empty()));
        let mara = desk.read().await;
        assert_eq!(
            (mara.last_name.as_deref(), mara.gender, mara.first_name.as_deref()),
            (Some("Lindqvist-Berg"), None, Some("Mara"))
        );

        let tag = Effect::Tag { customer: desk.mara.clone(), tags: vec!["vip".to_owned()], seconds: None };
        desk.done(tag).await;
        assert_eq!(desk.client.tags(&desk.mara).await.unwrap()[0].name, "vip");
    });
}

#[test]
fn award_with_reason_and_source_from_the_drop_downs_and_deduct() {
    run(async {
        let desk = Desk::new().await;
        let table = desk.client.balances(&desk.mara).await.unwrap();
        assert_eq!((table.accounts[0].name.as_str(), table.accounts.len()), ("Harbour Spendable", 2));
        let award = Effect::Award {
            customer: desk.mara.clone(),
            account: table.accounts[0].account.clone(),
            source: desk.client.point_sources()[0].id.clone(),
            amount: points("35.5"),
            reason: desk.client.reasons()[1].code.clone(),
        };
        let key = desk.done(award).await.key;
        let deduct = Effect::Deduct {
            customer: desk.mara.clone(),
            accounts: Vec::new(),
            amount: points("50"),
            reason: "Damaged goods".to_owned(),
        };
        desk.done(deduct).await;
        assert_eq!(desk.client.balances(&desk.mara).await.unwrap().total, points("150"));
        let now: DateTime<Utc> = NOW.parse().unwrap();
        let rows =
            desk.client.ledger(&desk.mara, now - TimeDelta::days(1), now + TimeDelta::days(1)).await.unwrap();
        let row = rows.iter().find(|row| row.reference.as_deref() == Some(key.as_str())).unwrap();
        assert_eq!((row.change, row.reason.as_deref()), (points("35.5"), Some("Damaged goods")));
        assert!(rows.iter().any(|row| row.change == points("-50")));
    });
}

#[test]
fn notes_are_added_with_a_reason_and_listed() {
    run(async {
        let desk = Desk::new().await;
        for (reason, text) in
            [(Some("Duplicate User"), "We have this user already, please merge"), (None, "Lorem ipsum")]
        {
            let reason = reason.map(str::to_owned);
            desk.done(Effect::Note { customer: desk.mara.clone(), reason, comment: text.into() }).await;
        }
        let notes = desk.client.notes(&desk.mara).await.unwrap();
        assert_eq!(notes.len(), 2);
        assert!(
            notes
                .iter()
                .any(|note| note.reason.as_deref() == Some("Duplicate User") && note.created_at.is_some())
        );
    });
}

#[test]
fn issue_view_redeem_revoke_extend_and_reissue() {
    run(async {
        let desk = Desk::new().await;
        let available =
            desk.client.available_offers(&desk.mara, &Paging::first(5).containing("percent")).await.unwrap();
        assert_eq!((available.total, available.items[0].title.as_str()), (Some(1), "Ten percent off"));
        let issue =
            Effect::Issue { customer: desk.mara.clone(), offer: available.items[0].id.clone(), quantity: 2 };
        let Done::Copies { copies, .. } = desk.done(issue).await.done else { panic!("copies") };
        let [first, second] = [0, 1].map(|at: usize| copies[at].id.clone().unwrap());
        let wallet = desk.client.issued_offers(&desk.mara, &Paging::first(2)).await.unwrap();
        assert_eq!((wallet.total, wallet.items.len(), wallet.has_next), (Some(3), 2, true));

        let seen = desk.client.view_offer(&desk.mara, &first).await.unwrap().unwrap();
        assert_eq!((seen.state, seen.offer.name.as_str()), (OfferState::Active, "Ten percent off"));
        desk.done(Effect::Redeem { customer: desk.mara.clone(), copy: first.clone() }).await;
        let again = Effect::Redeem { customer: desk.mara.clone(), copy: first.clone() };
        assert_eq!(desk.refusal(again).await, Refusal::AlreadyRedeemed);
        let reason = "Issued by mistake".into();
        desk.done(Effect::Revoke { customer: desk.mara.clone(), copy: second.clone(), reason }).await;
        assert_eq!(desk.sim.revoked_because(second.as_str()).as_deref(), Some("Issued by mistake"));

        let until = NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(60);
        let from = NOW.parse().unwrap();
        desk.done(Effect::Extend { customer: desk.mara.clone(), copy: desk.copy.clone(), from, until }).await;
        let seen = desk.client.view_offer(&desk.mara, &desk.copy).await.unwrap().unwrap();
        assert_eq!(seen.offer.redeemable_until, Some(until));

        let old = desk.sim.plant_offer(desk.id(), SessionMSim::TEN_PERCENT, 40, 28).unwrap();
        let expired =
            desk.client.past_offers(&desk.mara, OfferState::Expired, &Paging::default()).await.unwrap();
        assert_eq!((expired.total, expired.items[0].id.as_str()), (Some(1), old.as_str()));
        desk.done(Effect::Reissue { customer: desk.mara.clone(), copy: old.as_str().into() }).await;
        let wallet = desk.client.issued_offers(&desk.mara, &Paging::default()).await.unwrap();
        assert_eq!(wallet.total, Some(2));
        let redeemed =
            desk.client.past_offers(&desk.mara, OfferState::Redeemed, &Paging::default()).await.unwrap();
        assert_eq!(redeemed.items[0].id, first);
    });
}

#[test]
fn rewards_are_listed_by_balance_and_bought() {
    run(async {
        let desk = Desk::new().await;
        let all = desk.client.rewards(&desk.mara, &RewardQuery::all(Paging::first(50))).await.unwrap();
        let affordable =
            desk.client.rewards(&desk.mara, &RewardQuery::affordable(Paging::first(50))).await.unwrap();
        assert!(
            affordable.total < all.total
                && affordable.items.iter().all(|reward| reward.price <= points("164.5"))
        );
        let coffee = desk.coffee().await;
        let buy = Effect::Purchase {
            customer: desk.mara.clone(),
            reward: coffee.id,
            quantity: 1,
            accounts: Vec::new(),
        };
        desk.done(buy).await;
        assert_eq!(desk.client.balances(&desk.mara).await.unwrap().total, points("64.5"));
        let wallet =
            desk.client.issued_offers(&desk.mara, &Paging::first(5).containing("coffee")).await.unwrap();
        assert_eq!(wallet.total, Some(1));
    });
}

#[test]
fn merge_keeps_the_survivor_and_brings_points_and_ids_over() {
    run(async {
        let desk = Desk::new().await;
        let (other, _) = desk.second("CRM-000993", "other@example.com");
        let merge = Effect::Merge { survivor: keys(), victim: ParentKeys::external_id("CRM-000993") };
        desk.done(merge).await;
        assert_eq!(desk.client.customer(other.id()).await.unwrap(), None);
        let mara = desk.read().await;
        assert!(mara.has_external_id(&hris_sessionm::ExternalId::parse("CRM-000993").unwrap()));
        assert_eq!(mara.balances.unwrap().total, points("174.5"));
    });
}

#[test]
fn the_timeline_is_filtered_and_paged_with_a_next_and_a_previous_page() {
    run(async {
        for (newest_first, millis, text) in
            [(true, false, false), (false, false, false), (true, true, false), (false, false, true)]
        {
            let desk = Desk::new().await;
            desk.sim.behave(|vendor| {
                vendor.timeline_newest_first = newest_first;
                vendor.timeline_in_milliseconds = millis;
                vendor.timeline_as_text = text;
            });
            for minutes in 0..12 {
                let spend =
                    json!({ "Modification": -20, "TimeOfOccurrence": "2026-03-01T07:52:28.6022323Z" });
                desk.sim.plant_event(desk.id(), "INCENTIVES_POINT_SPEND", minutes, spend);
            }
            desk.sim.plant_event(desk.id(), "PURCHASE", 100, json!({ "transaction_id": "TX-1" }));
            let spends = TimelineQuery::all().of_type("INCENTIVES_POINT_SPEND");
            let timeline = desk.client.timeline(&desk.mara, &spends).await.unwrap();
            assert_eq!((timeline.events.len(), timeline.pages(), timeline.is_cut), (12, 3, false));
            let second = timeline.page(2);
            assert_eq!((second.first, second.last, second.previous, second.next), (6, 10, Some(1), Some(3)));
            assert_eq!(timeline.events[0].points(), Some(points("-20")));
            assert!(timeline.events.is_sorted_by(|a, b| a.timestamp >= b.timestamp));
            let all: Vec<_> =
                desk.client.timeline_stream(&desk.mara, &TimelineQuery::all()).try_collect().await.unwrap();
            assert!(all.iter().any(|event| event.slug == "PURCHASE") && all.len() >= 13);
        }
    });
}
