//! Lists: searched, paged, with totals, each item once.

use hris_core::ErrorKind;
use hris_sessionm::settings::{Available, ConfiguredOffer, CustomListing};
use hris_sessionm::{LoyaltyDesk as _, OfferState, Paging, Points, RewardQuery};
use hris_testkit::run;
use serde_json::{Value, json};

use super::setup::*;

fn offers(ids: impl Iterator<Item = usize>) -> Vec<Value> {
    ids.map(|n| json!({ "id": format!("u{n}"), "name": format!("Offer {n}"), "root_offer_id": "r" }))
        .collect()
}

#[test]
fn a_page_of_the_wallet_is_asked_for_as_such_and_has_the_total() {
    run(async {
        let stage = Stage::new().await;
        stage.on(WALLET, ok(&json!({ "user_offers": offers(5..10), "total_records": 12 })));
        let page = stage.client.issued_offers(&customer(), &Paging::first(5).next()).await.unwrap();
        assert_eq!((page.page, page.total, page.has_next, page.has_previous()), (2, Some(12), true, true));
        let body = &stage.bodies(WALLET)[0];
        assert_eq!((body["skip"].as_u64(), body["take"].as_u64()), (Some(5), Some(5)));
    });
}

#[test]
fn a_search_reads_the_whole_wallet_and_counts_each_copy_once() {
    run(async {
        let stage = Stage::new().await;
        // One offer slides to the next page while the wallet is read.
        stage.on(WALLET, ok(&json!({ "user_offers": offers(0..1000), "total_records": 1500 })));
        stage.on(WALLET, ok(&json!({ "user_offers": offers(999..1499), "total_records": 1500 })));
        let page =
            stage.client.issued_offers(&customer(), &Paging::first(5).containing("OFFER 99")).await.unwrap();
        assert_eq!(page.total, Some(11));
        assert_eq!(page.items[0].name, "Offer 99");
        assert_eq!(stage.bodies(WALLET)[1]["skip"], 1000);
    });
}

#[test]
fn a_wallet_that_ends_before_its_total_is_an_error() {
    run(async {
        let stage = Stage::new().await;
        stage.on(WALLET, ok(&json!({ "user_offers": [], "total_records": 7 })));
        let error =
            stage.client.issued_offers(&customer(), &Paging::first(5).containing("x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
    });
}

#[test]
fn expired_and_redeemed_offers_come_from_the_configured_history_by_their_dates() {
    run(async {
        let stage = Stage::new().await;
        let past = json!([
            { "id": "e1", "name": "Expired", "redemption_end_date": "2026-01-01T00:00:00Z" },
            { "id": "r1", "name": "Redeemed", "redeem_date": "2026-01-05T00:00:00Z",
              "redemption_end_date": "2026-01-01T00:00:00Z" },
            { "id": "a1", "name": "Active" },
        ]);
        stage.on(HISTORY, ok(&json!({ "user_offers": past, "total_records": 3 })));
        for (state, name) in [(OfferState::Expired, "Expired"), (OfferState::Redeemed, "Redeemed")] {
            let page = stage.client.past_offers(&customer(), state, &Paging::default()).await.unwrap();
            assert_eq!((page.total, page.items[0].name.as_str()), (Some(1), name));
        }
    });
}

#[test]
fn an_offer_is_viewed_with_its_facts_and_without_them_where_they_fail() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet();
        let facts = json!({ "results": [
            { "offer_id": "other", "acquisition_count": 1 },
            { "offer_id": "10A9B8C7-d6e5-4f43-8210-fedcba987654", "acquisition_count": 40, "redemption_count": 3,
              "total_inventory": 100, "available_inventory_remaining": 60 },
        ] });
        stage.on(FACTS, ok(&facts)).on(FACTS, refused(200, "not_available"));
        let seen = stage.client.view_offer(&customer(), &COPY.into()).await.unwrap().unwrap();
        assert_eq!((seen.state, seen.offer.group.as_deref()), (OfferState::Active, Some("Service")));
        assert_eq!(seen.facts.unwrap().left, Some(60));
        let seen = stage
            .client
            .view_offer(&customer(), &COPY.to_uppercase().as_str().into())
            .await
            .unwrap()
            .unwrap();
        assert!(seen.facts.is_none());
        assert!(stage.client.view_offer(&customer(), &"other".into()).await.unwrap().is_none());
    });
}

#[test]
fn offers_to_issue_come_by_the_configured_strategy() {
    run(async {
        let paging = Paging::default();
        let stage = Stage::new().await;
        stage.on(REWARDS, fixture("rewards"));
        let page = stage.client.available_offers(&customer(), &paging).await.unwrap();
        assert_eq!(page.items[0].title, "Free coffee");
        assert_eq!(page.items[0].id, "22222222-89ab-4cde-8f01-23456789abcd".into());
        assert_eq!(
            stage.bodies(REWARDS)[0]["reward_store_ids"],
            json!(["55555555-0000-4000-8000-00000000000b"])
        );

        let text = r#"{ "strategy": "configured", "offers": [{ "id": "o1", "title": "Five off" }, { "id": "o2", "title": "Tea" }] }"#;
        let configured: Available = serde_json::from_str(text).unwrap();
        let stage = Stage::with(|settings| settings.offers.available = Some(configured)).await;
        let page =
            stage.client.available_offers(&customer(), &paging.clone().containing("five")).await.unwrap();
        assert_eq!((page.total, stage.server.requests().len()), (Some(1), 0));
        let _: Option<ConfiguredOffer> = None;

        let text = r#"{ "call": { "path": "/list/{user_id}", "body": { "tag": "desk" } }, "list": "/payload/rows",
            "id_field": "rid", "title_field": "t", "description_field": "d" }"#;
        let listing: CustomListing = serde_json::from_str(text).unwrap();
        let stage =
            Stage::with(|settings| settings.offers.available = Some(Available::Custom(listing))).await;
        let route = format!("POST /list/{CUSTOMER}");
        stage.on(&route, ok(&json!({ "rows": [{ "rid": "o7", "t": "Cake", "d": "A slice" }] })));
        let page = stage.client.available_offers(&customer(), &paging).await.unwrap();
        assert_eq!(page.items[0].description.as_deref(), Some("A slice"));
        let sent = &stage.bodies(&route)[0];
        assert_eq!((sent["tag"].as_str(), sent["culture"].as_str()), (Some("desk"), Some("en-US")));
        assert!(sent["retailer_id"].is_string());
    });
}

#[test]
fn the_store_shows_what_the_balance_affords_by_default_and_all_on_request() {
    run(async {
        let stage = Stage::new().await;
        let mut rewards = document("rewards");
        let mut dear = rewards["payload"]["reward_store_offers"][0].clone();
        dear["id"] = json!("dear");
        dear["price"] = json!("204.51");
        rewards["payload"]["reward_store_offers"].as_array_mut().unwrap().push(dear);
        rewards["payload"]["total_rows"] = json!(2);
        stage.on(REWARDS, json_ok(&rewards)).on(BALANCES, fixture("balances"));
        let afford =
            stage.client.rewards(&customer(), &RewardQuery::affordable(Paging::default())).await.unwrap();
        assert_eq!((afford.total, afford.items[0].price), (Some(1), Points::from(100)));
        let all = stage.client.rewards(&customer(), &RewardQuery::all(Paging::default())).await.unwrap();
        assert_eq!(all.total, Some(2));
    });
}

#[test]
fn a_reward_without_a_price_is_an_error_and_not_free() {
    run(async {
        let stage = Stage::new().await;
        let mut rewards = document("rewards");
        rewards["payload"]["reward_store_offers"][0]["price"] = Value::Null;
        rewards["payload"]["reward_store_offers"][0]["offer_details"]["points"] = Value::Null;
        stage.on(REWARDS, json_ok(&rewards));
        let error =
            stage.client.rewards(&customer(), &RewardQuery::all(Paging::default())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}

#[test]
fn the_members_own_stores_are_used_where_none_is_configured() {
    run(async {
        let stage = Stage::with(|settings| settings.rewards.store_ids.clear()).await;
        stage.on(REWARDS, fixture("rewards"));
        stage.on(
            "POST /get_user_reward_stores",
            ok(&json!({ "stores": [{ "id": "s1", "name": "Harbour" }] })),
        );
        stage.client.rewards(&customer(), &RewardQuery::all(Paging::default())).await.unwrap();
        assert_eq!(stage.bodies(REWARDS)[0]["reward_store_ids"], json!(["s1"]));
    });
}

#[test]
fn notes_are_listed_newest_first_by_the_configured_names() {
    run(async {
        let stage = Stage::new().await;
        let notes = json!({ "notes": [
            { "id": 1, "reason": "Other", "comment": "Lorem ipsum", "created_at": "2021-09-09T20:53:00Z" },
            { "id": 2, "reason": "", "comment": "Please merge", "created_at": "2021-09-10T20:53:00Z", "author": "SFSC" },
        ] });
        stage.on(NOTES, json_ok(&notes));
        let notes = stage.client.notes(&customer()).await.unwrap();
        assert_eq!((notes[0].comment.as_str(), notes[0].reason.as_deref()), ("Please merge", None));
        assert_eq!(notes[1].id.as_deref(), Some("1"));
    });
}

#[test]
fn the_ledger_is_read_for_a_year_at_most_by_the_configured_names() {
    run(async {
        let stage = Stage::new().await;
        stage.on(LEDGER, fixture("ledger"));
        let (from, to) = ("2026-02-01T00:00:00Z".parse().unwrap(), NOW.parse().unwrap());
        let rows = stage.client.ledger(&customer(), from, to).await.unwrap();
        assert_eq!((rows[0].change, rows[0].reason.as_deref()), (Points::from(40), Some("Late delivery")));
        assert_eq!(stage.bodies(LEDGER)[0]["from_date"], "2026-02-01T00:00:00Z");
        let old = "2025-02-01T00:00:00Z".parse().unwrap();
        assert_eq!(stage.client.ledger(&customer(), old, to).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert!(stage.client.ledger(&customer(), to, from).await.is_err());
    });
}
