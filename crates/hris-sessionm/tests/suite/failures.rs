//! Failures: decided by code and not by status, surfaced item by item, and never taken for an empty answer.

use hris_core::{Delivery, ErrorKind};
use hris_sessionm::{LoyaltyDesk as _, Paging, ParentKeys, RewardQuery, TimelineQuery};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};
use serde_json::json;

use super::setup::*;

#[test]
fn codes_decide_whatever_the_status_and_the_case() {
    run(async {
        for (code, kind) in [
            ("INTERNAL_SERVER_ERROR", ErrorKind::Unavailable),
            ("https_only", ErrorKind::Config),
            ("INVALID_AUTH_TOKEN", ErrorKind::Unauthorized),
            ("invalid_api_key", ErrorKind::Unauthorized),
            ("requires_registered_user", ErrorKind::Conflict),
            ("missing_data", ErrorKind::Invalid),
            ("validation", ErrorKind::Invalid),
            ("argument_error", ErrorKind::Invalid),
            ("access_denied", ErrorKind::Forbidden),
            ("not_available", ErrorKind::Unavailable),
            ("not_found", ErrorKind::NotFound),
            ("something_new", ErrorKind::Invalid),
        ] {
            for status in [200, 422] {
                let stage = Stage::new().await;
                stage.on(READ, refused(status, code));
                let error = stage.client.customer(&CUSTOMER.into()).await.unwrap_err();
                assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Answered), "{code} {status}");
                assert_eq!(context(&error, "vendor_code"), Some(code.to_lowercase().as_str()));
            }
        }
    });
}

#[test]
fn a_404_without_the_vendors_word_is_an_error_and_never_nobody() {
    run(async {
        for answer in [
            SimResponse::raw(404, "text/html", "<h1>not here</h1>"),
            SimResponse::json(404, &json!({ "message": "no route" })),
            refused(404, "not_found"),
            SimResponse::empty(404),
        ] {
            let stage = Stage::new().await;
            stage.on(READ_EXTERNAL, answer);
            let found = stage.client.find(&ParentKeys::external_id("CRM-000417")).await;
            assert!(found.is_err(), "{found:?}");
        }
    });
}

#[test]
fn a_wrong_or_foreign_key_says_which_pair_to_check() {
    run(async {
        let stage = Stage::new().await;
        stage.on(READ, refused(401, "invalid_auth_token")).on(BALANCES, refused(401, "invalid_auth_token"));
        let core = stage.client.customer(&CUSTOMER.into()).await.unwrap_err();
        let connect = stage.client.balances(&customer()).await.unwrap_err();
        assert_eq!((core.kind(), connect.kind()), (ErrorKind::Unauthorized, ErrorKind::Unauthorized));
        assert!(core.hint().unwrap().contains("Connect pair does not open Core"));
        assert!(connect.hint().unwrap().contains("Core pair does not open"));
        assert_eq!(stage.server.requests().len(), 2, "a refused credential is not tried again");
    });
}

#[test]
fn a_wrong_retailer_says_what_to_check_and_anothers_answer_is_not_used() {
    run(async {
        let stage = Stage::new().await;
        stage.on(BALANCES, refused(200, "argument_error"));
        let error = stage.client.balances(&customer()).await.unwrap_err();
        assert!(error.hint().unwrap().contains("retailer_id"), "{error}");
        let stage = Stage::new().await;
        let mut others = document("balances");
        others["payload"]["retailer_id"] = json!("00000000-0000-4000-8000-000000000000");
        stage.on(BALANCES, json_ok(&others));
        let error = stage.client.balances(&customer()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongAccount);
    });
}

#[test]
fn reads_are_tried_again_after_429_5xx_html_and_a_broken_body() {
    run(async {
        for fault in [
            Fault::rate_limited(Some(2)),
            Fault::status(500),
            Fault::status(502),
            Fault::status(503),
            Fault::Html,
            Fault::Empty,
            Fault::BrokenJson,
            Fault::Refused,
        ] {
            let stage = Stage::new().await;
            stage.on(READ, fixture("full_read")).on(WALLET, fixture("wallet"));
            stage.server.faults().add(fault.clone().times(2));
            assert!(stage.client.customer(&CUSTOMER.into()).await.unwrap().is_some(), "{fault:?}");
            stage.server.faults().add(fault.clone().times(2));
            let wallet = stage.client.issued_offers(&customer(), &Paging::default()).await.unwrap();
            assert_eq!((wallet.items.len(), stage.server.requests().len()), (1, 6), "{fault:?}");
        }
    });
}

#[test]
fn an_ok_answer_without_its_list_is_an_error_and_never_an_empty_list() {
    run(async {
        let stage = Stage::new().await;
        for route in [WALLET, HISTORY, REWARDS, LEDGER] {
            stage.on(route, ok(&json!({})));
        }
        stage.on(TIMELINE, json_ok(&json!({ "status": "ok" })));
        stage.on(NOTES, json_ok(&json!({ "status": "ok", "note": [] })));
        stage.on(BALANCES, json_ok(&json!({ "status": "ok" })));
        let desk = &stage.client;
        let who = customer();
        let paging = Paging::default();
        let now = NOW.parse().unwrap();
        let errors = [
            desk.issued_offers(&who, &paging).await.unwrap_err(),
            desk.past_offers(&who, hris_sessionm::OfferState::Expired, &paging).await.unwrap_err(),
            desk.available_offers(&who, &paging).await.unwrap_err(),
            desk.rewards(&who, &RewardQuery::all(paging)).await.unwrap_err(),
            desk.ledger(&who, now, now).await.unwrap_err(),
            desk.timeline(&who, &TimelineQuery::all()).await.unwrap_err(),
            desk.notes(&who).await.unwrap_err(),
            desk.balances(&who).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(
                (error.kind(), error.delivery()),
                (ErrorKind::Protocol, Delivery::Answered),
                "{error}"
            );
        }
    });
}

#[test]
fn an_unreadable_number_or_date_is_an_error_with_its_place_and_without_its_value() {
    run(async {
        let stage = Stage::new().await;
        let mut wallet = document("wallet");
        wallet["payload"]["user_offers"][0]["redemption_end_date"] = json!("canary-date");
        stage.on(WALLET, json_ok(&wallet));
        let error = stage.client.issued_offers(&customer(), &Paging::default()).await.unwrap_err();
        assert_eq!(context(&error, "path"), Some("payload.user_offers[0].redemption_end_date"));
        assert!(!format!("{error:?}").contains("canary-date"));
    });
}
