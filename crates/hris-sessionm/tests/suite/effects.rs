//! Effects in two steps: preconditions, words, one request, and lost answers found out by reading.

use chrono::{DateTime, Utc};
use hris_core::{Delivery, ErrorKind};
use hris_sessionm::{
    Committed, CustomerRef, Done, Effect, EffectKey, Leaning, LoyaltyDesk as _, NewCustomer, ParentKeys,
    Points, Preparation, ProfileEdit, ProfileField, Refusal, Side,
};
use hris_testkit::run;
use hris_testkit::sim::{Fault, SimResponse};
use serde_json::{Value, json};

use super::setup::*;

const REWARD: &str = "55555555-0000-4000-8000-0000000000b1";
const OTHER: &str = "0ther000-88d4-4e0b-9a6f-2b7d3e91c604";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn award(amount: &str) -> Effect {
    Effect::Award {
        customer: customer(),
        account: ACCOUNT.into(),
        source: SOURCE.into(),
        amount: amount.parse().unwrap(),
        reason: "Late delivery".to_owned(),
    }
}

fn deduct(amount: u32) -> Effect {
    Effect::Deduct {
        customer: customer(),
        accounts: vec![ACCOUNT.into()],
        amount: amount.into(),
        reason: "Damaged goods".to_owned(),
    }
}

fn note(comment: &str) -> Effect {
    let reason = Some("Duplicate User".to_owned());
    Effect::Note { customer: customer(), reason, comment: comment.into() }
}

fn issue(quantity: u32) -> Effect {
    Effect::Issue { customer: customer(), offer: "22222222-89ab-4cde-8f01-23456789abcd".into(), quantity }
}

fn revoke(copy: &str) -> Effect {
    Effect::Revoke { customer: customer(), copy: copy.into(), reason: "Issued by mistake".into() }
}

fn redeem(copy: &str) -> Effect {
    Effect::Redeem { customer: customer(), copy: copy.into() }
}

fn extend(from: &str, until: &str) -> Effect {
    Effect::Extend { customer: customer(), copy: COPY.into(), from: at(from), until: at(until) }
}

fn extend_well() -> Effect {
    extend("2026-02-10T08:00:00Z", "2026-04-10T23:59:59Z")
}

fn purchase(quantity: u32) -> Effect {
    Effect::Purchase { customer: customer(), reward: REWARD.into(), quantity, accounts: Vec::new() }
}

fn update() -> Effect {
    let edit = ProfileEdit::new().set(ProfileField::LastName, "Lindqvist-Berg").unwrap();
    Effect::Update { customer: customer(), edit }
}

fn create() -> Effect {
    let keys = ParentKeys::external_id("CRM-000417").with_email("mara.lindqvist@example.com");
    Effect::Create(Box::new(NewCustomer::enrolled(keys)))
}

fn tag() -> Effect {
    Effect::Tag { customer: customer(), tags: vec!["vip".to_owned()], seconds: Some(3600) }
}

fn merge() -> Effect {
    Effect::Merge {
        survivor: ParentKeys::external_id("CRM-000417"),
        victim: ParentKeys::external_id("CRM-000993"),
    }
}

fn wallet(change: impl FnOnce(&mut Value)) -> SimResponse {
    let mut wallet = document("wallet");
    change(&mut wallet["payload"]);
    json_ok(&wallet)
}

/// The wallet with one more copy of an offer.
fn wallet_with(root: &str, id: &str) -> SimResponse {
    wallet(|payload| {
        let copy = json!({ "id": id, "root_offer_id": root, "name": "New" });
        payload["user_offers"].as_array_mut().unwrap().push(copy);
        payload["total_records"] = json!(2);
    })
}

fn empty_wallet() -> SimResponse {
    ok(&json!({ "user_offers": [], "total_records": 0 }))
}

fn balance(points: &str) -> SimResponse {
    let mut balances = document("balances");
    balances["payload"]["details"][0]["available_balance"] = json!(points);
    json_ok(&balances)
}

fn user(change: impl FnOnce(&mut Value)) -> SimResponse {
    let mut answer = document("full_read");
    change(&mut answer["user"]);
    json_ok(&answer)
}

fn other() -> SimResponse {
    user(|user| {
        user["id"] = json!(OTHER);
        user["external_id"] = json!("CRM-000993");
        user["identifiers"] = json!([]);
        user["email"] = json!("other@example.com");
    })
}

fn nobody() -> SimResponse {
    refused(404, "user_not_found")
}

fn ledger(rows: &Value) -> SimResponse {
    ok(&json!({ "results": rows }))
}

/// An effect, what it reads before, its request, and what is read after it happened and after it did not.
struct Case {
    effect: fn() -> Effect,
    before: fn(&Stage),
    route: &'static str,
    happened: fn(&Stage, &str),
    not_happened: fn(&Stage),
}

/// Every effect there is.
#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let same = |stage: &Stage| _ = stage.customer_with_wallet();
    vec![
        Case {
            effect: create,
            before: |stage| _ = stage.on(READ_EXTERNAL, nobody()).on(SEARCH, nobody()),
            route: CREATE,
            happened: |stage, _| _ = stage.on(READ_EXTERNAL, fixture("full_read")),
            not_happened: |stage| _ = stage.on(READ_EXTERNAL, nobody()),
        },
        Case {
            effect: || Effect::Enrol { customer: customer() },
            before: |stage| _ = stage.on(READ, user(|user| user["opted_in"] = json!(false))),
            route: UPDATE,
            happened: |stage, _| _ = stage.on(READ, fixture("full_read")),
            not_happened: |stage| _ = stage.on(READ, user(|user| user["opted_in"] = json!(false))),
        },
        Case {
            effect: update,
            before: same,
            route: UPDATE,
            happened: |stage, _| _ = stage.on(READ, user(|user| user["last_name"] = json!("Lindqvist-Berg"))),
            not_happened: |_| {},
        },
        Case {
            effect: tag,
            before: |stage| {
                stage.customer_with_wallet().on(TAGS, json_ok(&json!({ "status": "ok", "tags": [] })));
            },
            route: ADD_TAGS,
            happened: |stage, _| _ = stage.on(TAGS, json_ok(&json!({ "status": "ok", "tags": ["vip"] }))),
            not_happened: |_| {},
        },
        Case {
            effect: merge,
            before: |stage| {
                stage.customer_with_wallet().on("GET /external/users/CRM-000993", other());
            },
            route: "POST /merge_accounts",
            happened: |stage, _| _ = stage.on(&format!("GET /users/{OTHER}"), nobody()),
            not_happened: |stage| _ = stage.on(&format!("GET /users/{OTHER}"), other()),
        },
        Case {
            effect: || award("40"),
            before: same,
            route: DEPOSIT,
            happened: |stage, key| {
                let row = json!({ "id": "r1", "modification": 40, "modification_entity_id": key });
                stage.on(LEDGER, ledger(&json!([row]))).on(BALANCES, balance("244.5"));
            },
            not_happened: |stage| _ = stage.on(LEDGER, ledger(&json!([]))),
        },
        Case {
            effect: || deduct(4),
            before: same,
            route: SPEND,
            happened: |stage, key| {
                let row = json!({ "id": "r1", "modification": -4, "idempotency_id": key });
                stage.on(LEDGER, ledger(&json!([row]))).on(BALANCES, balance("200.5"));
            },
            not_happened: |stage| _ = stage.on(LEDGER, ledger(&json!([]))),
        },
        Case {
            effect: || note("We have this user already, please merge"),
            before: |stage| {
                stage.customer_with_wallet().on(NOTES, json_ok(&json!({ "notes": [] })));
            },
            route: ADD_NOTE,
            happened: |stage, _| {
                let note = json!({ "id": 1, "reason": "Duplicate User", "created_at": NOW,
                    "comment": "We have this user already, please merge" });
                stage.on(NOTES, json_ok(&json!({ "notes": [note] })));
            },
            not_happened: |_| {},
        },
        Case {
            effect: || issue(1),
            before: same,
            route: ISSUE,
            happened: |stage, _| {
                stage.on(WALLET, wallet_with("22222222-89ab-4cde-8f01-23456789abcd", "new"));
            },
            not_happened: |_| {},
        },
        Case {
            effect: || Effect::Reissue { customer: customer(), copy: "e1".into() },
            before: |stage| {
                let expired = json!([{ "id": "e1", "name": "Ten percent off", "root_offer_id": ROOT,
                    "redemption_end_date": "2026-01-01T00:00:00Z" }]);
                stage.on(READ, fixture("full_read")).on(WALLET, fixture("wallet"));
                stage.on(HISTORY, ok(&json!({ "user_offers": expired, "total_records": 1 })));
            },
            route: ISSUE,
            happened: |stage, _| _ = stage.on(WALLET, fixture("wallet")).on(WALLET, wallet_with(ROOT, "new")),
            not_happened: |_| {},
        },
        Case {
            effect: || revoke(COPY),
            before: same,
            route: REVOKE,
            happened: |stage, _| _ = stage.on(WALLET, empty_wallet()),
            not_happened: |_| {},
        },
        Case {
            effect: || redeem(COPY),
            before: same,
            route: REDEEM,
            happened: |stage, _| {
                let redeemed = json!([{ "id": COPY, "name": "Ten", "redeem_date": "2026-02-12T10:00:01Z" }]);
                stage.on(WALLET, empty_wallet());
                stage.on(HISTORY, ok(&json!({ "user_offers": redeemed, "total_records": 1 })));
            },
            not_happened: |_| {},
        },
        Case {
            effect: extend_well,
            before: same,
            route: EXTEND,
            happened: |stage, _| {
                let later = wallet(|payload| {
                    payload["user_offers"][0]["redemption_end_date"] = json!("2026-04-10T23:59:59Z");
                });
                stage.on(WALLET, later);
            },
            not_happened: |_| {},
        },
        Case {
            effect: || purchase(1),
            before: same,
            route: PURCHASE,
            happened: |stage, _| {
                stage.on(WALLET, wallet_with("22222222-89ab-4cde-8f01-23456789abcd", "new"));
                stage.on(BALANCES, balance("104.5"));
            },
            not_happened: |_| {},
        },
    ]
}

#[test]
fn a_lost_answer_of_any_effect_is_found_by_reading_and_sent_once() {
    run(async {
        for case in cases() {
            let stage = Stage::new().await;
            (case.before)(&stage);
            let prepared = stage.prepare((case.effect)()).await;
            let (word, key) = (prepared.effect().as_str(), prepared.key().as_str().to_owned());
            assert!(!prepared.summary().is_empty());
            stage.later(|stage| (case.happened)(stage, &key));
            stage.on(case.route, json_ok(&json!({ "status": "ok" })));
            let route = case.route.split_once(' ').unwrap().1;
            stage
                .server
                .faults()
                .add(Fault::Lost.always().on(move |r| r.method() != "GET" && r.path().ends_with(route)));
            let committed = stage.client.commit(prepared).await.unwrap();
            if word == "enrol" || word == "update" {
                // A change of a profile is the same sent twice, and is tried as often as a reading.
                assert!(stage.count(case.route) <= 4, "{word}");
            } else {
                assert_eq!(stage.count(case.route), 1, "{word} is sent once");
            }
            match committed {
                Committed::Done(receipt) => assert!(receipt.found_by_reading, "{word}"),
                other => panic!("{word}: {other:?}"),
            }
        }
    });
}

#[test]
fn an_effect_whose_answer_is_lost_and_that_is_not_seen_is_uncertain_with_its_evidence() {
    run(async {
        for case in cases() {
            let stage = Stage::new().await;
            (case.before)(&stage);
            let prepared = stage.prepare((case.effect)()).await;
            let word = prepared.effect().as_str();
            stage.later(|stage| (case.not_happened)(stage));
            stage.on(case.route, json_ok(&json!({ "status": "ok" })));
            let route = case.route.split_once(' ').unwrap().1;
            stage
                .server
                .faults()
                .add(Fault::Lost.always().on(move |r| r.method() != "GET" && r.path().ends_with(route)));
            let key = prepared.key().clone();
            match stage.client.commit(prepared).await.unwrap() {
                Committed::Uncertain(uncertain) => {
                    assert_eq!(uncertain.key(), &key);
                    assert_eq!(uncertain.leaning(), Leaning::NotDone, "{word}: {:?}", uncertain.evidence());
                    assert!(uncertain.evidence().len() >= 2, "{word}: {:?}", uncertain.evidence());
                    let sent = stage.writes();
                    assert!(
                        matches!(stage.client.resolve(uncertain).await, Committed::Uncertain(_)),
                        "{word}"
                    );
                    assert_eq!(stage.writes(), sent, "{word}: resolving sends nothing");
                }
                other => panic!("{word}: {other:?}"),
            }
        }
    });
}

#[test]
fn an_uncertain_effect_that_shows_up_later_is_resolved_by_reading_again() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet();
        let prepared = stage.prepare(issue(1)).await;
        stage.on(ISSUE, json_ok(&json!({ "status": "ok" })));
        stage.server.faults().add(Fault::Lost.once().on(|r| r.path().ends_with("/issue")));
        let Committed::Uncertain(uncertain) = stage.client.commit(prepared).await.unwrap() else { panic!() };
        stage.script.forget(WALLET);
        stage.on(WALLET, wallet_with("22222222-89ab-4cde-8f01-23456789abcd", "new"));
        let receipt = stage.client.resolve(uncertain).await.done().unwrap();
        assert!(receipt.found_by_reading && stage.count(ISSUE) == 1);
    });
}

#[test]
fn what_is_proven_not_to_have_been_sent_is_an_error_and_may_be_prepared_again() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet();
        let prepared = stage.prepare(award("40")).await;
        stage.server.faults().add(Fault::rate_limited(None).always().on(|r| r.path().ends_with("/deposit")));
        let error = stage.client.commit(prepared).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::RateLimited, Delivery::NotSent));
    });
}

#[test]
fn an_answer_that_cannot_be_read_is_as_unclear_as_a_lost_one() {
    run(async {
        for fault in [Fault::Html, Fault::Empty, Fault::BrokenJson, Fault::status(500), Fault::status(503)] {
            let stage = Stage::new().await;
            stage.customer_with_wallet();
            let prepared = stage.prepare(issue(1)).await;
            stage.on(ISSUE, fixture("issue_answer"));
            stage.later(|stage| {
                _ = stage.on(WALLET, wallet_with("22222222-89ab-4cde-8f01-23456789abcd", "new"));
            });
            stage.server.faults().add(fault.clone().once().on(|r| r.path().ends_with("/issue")));
            let receipt = stage.client.commit(prepared).await.unwrap().done().unwrap();
            assert!(receipt.found_by_reading && stage.count(ISSUE) == 1, "{fault:?}");
        }
    });
}

#[test]
fn an_award_says_what_will_happen_and_sends_amount_reason_and_our_key() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet().on(DEPOSIT, fixture("deposit_answer"));
        let prepared = stage.prepare(award("12.5")).await;
        assert_eq!(
            prepared.summary(),
            "Award 12.5 points from \"Service comp\" to the account \"Harbour Spendable\" for \"Late delivery\". The \
             balance goes from 204.5 to 217."
        );
        let key = prepared.key().as_str().to_owned();
        let receipt = stage.client.commit(prepared).await.unwrap().done().unwrap();
        assert!(!receipt.found_by_reading && receipt.key.as_str() == key);
        let mut expected = document("deposit_request");
        let detail = &mut expected["deposit_details"][0];
        detail["amount"] = json!(12.5);
        detail["reference_id"] = json!(key);
        assert_eq!(stage.bodies(DEPOSIT)[0], expected);
        let body = String::from_utf8(stage.requests(DEPOSIT)[0].body().to_vec()).unwrap();
        assert!(body.contains("\"amount\":12.5,"), "exactly as it was given: {body}");
    });
}

#[test]
fn awards_that_cannot_be_are_refused_before_the_call() {
    run(async {
        let limit = Points::from(10_000);
        for (amount, refusal) in [
            ("0", Refusal::AmountNotPositive),
            ("-5", Refusal::AmountNotPositive),
            ("10000.01", Refusal::AmountTooLarge { most: limit }),
            ("79228162514264337593543950335", Refusal::AmountTooLarge { most: limit }),
        ] {
            let stage = Stage::new().await;
            stage.customer_with_wallet();
            assert_eq!(stage.refusal(award(amount)).await, refusal);
        }
        let with = |change: fn(&mut Effect)| {
            let mut effect = award("40");
            change(&mut effect);
            effect
        };
        for (effect, refusal) in [
            (
                with(|e| {
                    if let Effect::Award { reason, .. } = e {
                        *reason = "Whim".into();
                    }
                }),
                Refusal::UnknownReason,
            ),
            (
                with(|e| {
                    if let Effect::Award { source, .. } = e {
                        *source = "s9".into();
                    }
                }),
                Refusal::UnknownSource,
            ),
            (
                with(|e| {
                    if let Effect::Award { account, .. } = e {
                        *account = "aa0b".into();
                    }
                }),
                Refusal::AccountNotLinked,
            ),
        ] {
            let stage = Stage::new().await;
            stage.customer_with_wallet();
            assert_eq!(stage.refusal(effect).await, refusal);
        }
    });
}

#[test]
fn nobody_and_the_suspended_receive_nothing() {
    run(async {
        for effect in [award("40"), issue(1), purchase(1)] {
            let stage = Stage::new().await;
            stage.on(READ, nobody()).on(REWARDS, fixture("rewards"));
            assert_eq!(stage.refusal(effect.clone()).await, Refusal::UnknownCustomer);
            let stage = Stage::new().await;
            stage.on(READ, user(|user| user["suspended"] = json!(true))).customer_with_wallet();
            assert_eq!(stage.refusal(effect.clone()).await, Refusal::Suspended);
            let stage = Stage::with(|settings| settings.guards.suspended_may_receive = true).await;
            stage.on(READ, user(|user| user["suspended"] = json!(true))).customer_with_wallet();
            assert!(stage.client.prepare(effect, EffectKey::random()).await.unwrap().ready().is_ok());
        }
        for effect in
            [deduct(1), redeem(COPY), update(), tag(), note("x"), Effect::Enrol { customer: customer() }]
        {
            let stage = Stage::new().await;
            stage
                .on(READ, nobody())
                .on(WALLET, fixture("wallet"))
                .on(NOTES, json_ok(&json!({ "notes": [] })));
            assert_eq!(stage.refusal(effect).await, Refusal::UnknownCustomer);
        }
    });
}

#[test]
fn a_failed_part_inside_an_ok_answer_is_a_refusal_with_its_reason() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet().on(SPEND, fixture("spend_failed"));
        let prepared = stage.prepare(deduct(200)).await;
        stage.later(|stage| _ = stage.on(BALANCES, balance("150")));
        let committed = stage.client.commit(prepared).await.unwrap();
        let expected = Refusal::InsufficientPoints { needed: 200.into(), available: 150.into() };
        assert!(matches!(committed, Committed::Refused(refusal) if refusal == expected));

        let stage = Stage::new().await;
        let mut failed = document("deposit_answer");
        failed["payload"]["details"][0]["error_status"] = json!(9);
        stage.customer_with_wallet().on(DEPOSIT, json_ok(&failed));
        let committed = stage.commit(award("40")).await;
        let expected = Refusal::Vendor { code: Some("9".to_owned()) };
        assert!(matches!(committed, Committed::Refused(refusal) if refusal == expected));

        let stage = Stage::new().await;
        let failed = json!({ "status_list": [{ "user_offer_id": null, "fail_reason": 3 }] });
        stage.customer_with_wallet().on(ISSUE, ok(&failed));
        let committed = stage.commit(issue(1)).await;
        assert!(matches!(committed, Committed::Refused(Refusal::NotIssued { reasons }) if reasons == [3]));

        let stage = Stage::new().await;
        stage.customer_with_wallet().on(PURCHASE, ok(&json!({ "successful": false, "message": "no" })));
        assert!(matches!(
            stage.commit(purchase(1)).await,
            Committed::Refused(Refusal::Vendor { code: None })
        ));
    });
}

#[test]
fn some_copies_of_several_may_fail_and_each_is_told() {
    run(async {
        let stage = Stage::new().await;
        let some = json!({ "status_list": [
            { "user_offer_id": "u1", "fail_reason": 0 }, { "user_offer_id": null, "fail_reason": 5 } ] });
        stage.customer_with_wallet().on(ISSUE, ok(&some));
        let receipt = stage.commit(issue(2)).await.done().unwrap();
        let Done::Copies { copies, .. } = receipt.done else { panic!() };
        assert_eq!((copies[0].id.clone(), copies[1].fail_reason), (Some("u1".into()), Some(5)));
    });
}

type Setup<'a> = &'a dyn Fn(&Stage);

#[test]
fn offers_go_only_where_they_may() {
    run(async {
        let in_state = |change: fn(&mut Value)| {
            move |stage: &Stage| {
                stage.on(READ, fixture("full_read"));
                stage.on(WALLET, wallet(|payload| change(&mut payload["user_offers"][0])));
                stage.on(HISTORY, empty_wallet());
            }
        };
        let redeemed = in_state(|offer| offer["redeem_date"] = json!("2026-02-11T00:00:00Z"));
        let expired = in_state(|offer| offer["redemption_end_date"] = json!("2026-02-12T10:00:00Z"));
        let upcoming = in_state(|offer| offer["redemption_start_date"] = json!("2026-02-12T10:00:01Z"));
        let blocked = in_state(|offer| offer["is_redeemable"] = json!(false));
        let active = in_state(|_| {});
        let reissue = || Effect::Reissue { customer: customer(), copy: COPY.into() };
        let table: [(Setup<'_>, Effect, Refusal); 13] = [
            (&redeemed, redeem(COPY), Refusal::AlreadyRedeemed),
            (&redeemed, revoke(COPY), Refusal::AlreadyRedeemed),
            (&redeemed, extend_well(), Refusal::AlreadyRedeemed),
            (&redeemed, reissue(), Refusal::AlreadyRedeemed),
            (&expired, redeem(COPY), Refusal::OfferExpired),
            (&expired, revoke(COPY), Refusal::OfferExpired),
            (&upcoming, redeem(COPY), Refusal::OfferNotYetRedeemable),
            (&blocked, redeem(COPY), Refusal::OfferNotRedeemable),
            (&active, reissue(), Refusal::OfferNotExpired),
            (&active, redeem("another-customers-copy"), Refusal::OfferNotHeld),
            (&active, extend("2026-04-10T23:59:59Z", "2026-02-10T08:00:00Z"), Refusal::EndBeforeStart),
            (&active, extend("2026-02-10T08:00:00Z", "2026-02-12T10:00:00Z"), Refusal::EndInPast),
            (&active, extend("2026-02-10T08:00:00Z", "2026-03-10T23:59:59Z"), Refusal::NothingToDo),
        ];
        for (setup, effect, refusal) in table {
            let stage = Stage::new().await;
            setup(&stage);
            assert_eq!(stage.refusal(effect.clone()).await, refusal, "{effect:?}");
        }
        let stage = Stage::new().await;
        expired(&stage);
        let prepared = stage.prepare(extend_well()).await;
        assert!(prepared.summary().contains("until 2026-04-10 23:59 UTC"), "an expired copy is revived");
    });
}

#[test]
fn an_extension_that_sessionm_ignores_is_told() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet().on(EXTEND, fixture("empty_ok"));
        let committed = stage.commit(extend_well()).await;
        assert!(matches!(committed, Committed::Refused(Refusal::NotApplied)), "{committed:?}");
        assert_eq!(stage.bodies(EXTEND)[0], document("extend_request"));
    });
}

#[test]
fn what_another_agent_did_in_between_is_told_by_its_reason() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet().on(REDEEM, refused(200, "something_new"));
        let prepared = stage.prepare(redeem(COPY)).await;
        stage.script.forget(WALLET);
        stage.script.forget(HISTORY);
        let over = json!([{ "id": COPY, "name": "Ten", "redeem_date": "2026-02-12T09:59:59Z" }]);
        stage.on(WALLET, empty_wallet()).on(HISTORY, ok(&json!({ "user_offers": over, "total_records": 1 })));
        let committed = stage.client.commit(prepared).await.unwrap();
        assert!(matches!(committed, Committed::Refused(Refusal::AlreadyRedeemed)), "{committed:?}");
    });
}

#[test]
fn a_purchase_beyond_the_balance_is_refused_with_both_numbers() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet();
        let expected =
            Refusal::InsufficientPoints { needed: 300.into(), available: "204.5".parse().unwrap() };
        assert_eq!(stage.refusal(purchase(3)).await, expected);
        for quantity in [0, 101] {
            assert_eq!(stage.refusal(purchase(quantity)).await, Refusal::QuantityOutOfRange);
            assert_eq!(stage.refusal(issue(quantity)).await, Refusal::QuantityOutOfRange);
        }
        let unknown = Effect::Purchase {
            customer: customer(),
            reward: "nope".into(),
            quantity: 1,
            accounts: Vec::new(),
        };
        assert_eq!(stage.refusal(unknown).await, Refusal::RewardNotAvailable);
        let unlisted = Effect::Issue { customer: customer(), offer: "nope".into(), quantity: 1 };
        assert_eq!(stage.refusal(unlisted).await, Refusal::OfferNotAvailable);
    });
}

#[test]
fn a_purchase_is_paid_from_the_accounts_with_points_in_them() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet().on(PURCHASE, fixture("purchase_answer"));
        let prepared = stage.prepare(purchase(1)).await;
        assert_eq!(prepared.summary(), "Buy \"Free coffee\" for 100 of this customer's 204.5 points.");
        let receipt = stage.client.commit(prepared).await.unwrap().done().unwrap();
        assert!(
            matches!(receipt.done, Done::Copies { points_left: Some(left), .. } if left == "104.5".parse().unwrap())
        );
        assert_eq!(stage.bodies(PURCHASE)[0], document("purchase_request"));
    });
}

#[test]
fn a_second_customer_is_never_created_beside_one_who_has_a_key() {
    run(async {
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, fixture("full_read")).on(SEARCH, fixture("full_read"));
        assert_eq!(stage.refusal(create()).await, Refusal::AlreadyExists(CUSTOMER.into()));
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, nobody()).on(SEARCH, fixture("full_read"));
        assert_eq!(stage.refusal(create()).await, Refusal::EmailInUse(CUSTOMER.into()));
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, other()).on(SEARCH, fixture("full_read"));
        assert_eq!(stage.refusal(create()).await, Refusal::KeysDisagree);
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, refused(500, "internal_server_error")).on(SEARCH, nobody());
        let failed = stage.client.prepare(create(), EffectKey::random()).await;
        assert!(failed.is_err() && stage.writes() == 0, "a look-up that fails creates nobody");
        let email_only = Effect::Create(Box::new(NewCustomer::enrolled(ParentKeys::email("a@b.example"))));
        assert_eq!(Stage::new().await.refusal(email_only).await, Refusal::NoKey);
    });
}

#[test]
fn a_refused_create_is_settled_by_a_lookup() {
    run(async {
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, nobody()).on(SEARCH, nobody());
        let prepared = stage.prepare(create()).await;
        stage.later(|stage| _ = stage.on(SEARCH, fixture("full_read")));
        stage.on(CREATE, refused(422, "validation"));
        let committed = stage.client.commit(prepared).await.unwrap();
        assert!(matches!(committed, Committed::Refused(Refusal::EmailInUse(_))), "{committed:?}");
    });
}

#[test]
fn under_age_people_are_refused_here_and_by_sessionm() {
    run(async {
        let born = |date: &str| {
            let born: chrono::NaiveDate = date.parse().unwrap();
            let profile = ProfileEdit::new().set(ProfileField::BirthDate, born).unwrap();
            Effect::Create(Box::new(
                NewCustomer::enrolled(ParentKeys::external_id("CRM-000417")).with_profile(profile),
            ))
        };
        let stage = Stage::new().await;
        assert_eq!(stage.refusal(born("2020-01-01")).await, Refusal::UnderAge);
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, nobody());
        let message =
            json!({ "status": "error", "errors": { "code": "VALIDATION", "message": "dob: too young" } });
        stage.on(CREATE, json_ok(&message));
        let committed = stage.commit(born("2012-12-31")).await;
        assert!(matches!(committed, Committed::Refused(Refusal::UnderAge)), "{committed:?}");
    });
}

#[test]
fn an_update_changes_what_is_named_holds_keys_against_others_and_tells_what_did_not_stick() {
    run(async {
        let edit = |field, value: &str| Effect::Update {
            customer: customer(),
            edit: ProfileEdit::new().set(field, value).unwrap(),
        };
        let stage = Stage::new().await;
        stage.on(READ, fixture("full_read")).on(
            SEARCH,
            user(|user| {
                user["id"] = json!(OTHER);
                user["email"] = json!("new@example.com");
            }),
        );
        let taken = edit(ProfileField::Email, "new@example.com");
        assert_eq!(stage.refusal(taken).await, Refusal::EmailInUse(OTHER.into()));
        assert_eq!(stage.refusal(edit(ProfileField::FirstName, "Mara")).await, Refusal::NothingToDo);
        let case = edit(ProfileField::Email, "MARA.LINDQVIST@example.com");
        assert!(
            stage.client.prepare(case, EffectKey::random()).await.unwrap().ready().is_ok(),
            "a change all the same"
        );

        let locked = Stage::with(|settings| settings.profile.read_only = vec![ProfileField::LastName]).await;
        assert_eq!(locked.refusal(update()).await, Refusal::ReadOnlyField(ProfileField::LastName));

        let stage = Stage::new().await;
        stage.customer_with_wallet().on(UPDATE, fixture("update_answer"));
        let prepared = stage.prepare(update()).await;
        assert_eq!(prepared.summary(), "Change this customer's profile: last_name.");
        let receipt = stage.client.commit(prepared).await.unwrap().done().unwrap();
        assert!(
            matches!(receipt.done, Done::Customer { ref unconfirmed, .. } if *unconfirmed == [ProfileField::LastName])
        );
        assert_eq!(stage.bodies(UPDATE)[0], json!({ "user": { "last_name": "Lindqvist-Berg" } }));
    });
}

#[test]
fn cleared_fields_are_written_as_the_settings_say_and_phones_as_an_empty_list() {
    run(async {
        let effect = || {
            let edit = ProfileEdit::new()
                .clear(ProfileField::Address)
                .and_then(|edit| edit.clear(ProfileField::PhoneNumbers))
                .and_then(|edit| edit.clear(ProfileField::Custom("department".into())))
                .unwrap();
            Effect::Update { customer: customer(), edit }
        };
        for (clear_as, written) in [
            (hris_sessionm::settings::ClearAs::Null, Value::Null),
            (hris_sessionm::settings::ClearAs::EmptyText, json!("")),
        ] {
            let stage = Stage::with(|settings| settings.clear_as = clear_as).await;
            stage.customer_with_wallet().on(UPDATE, fixture("update_answer"));
            stage.commit(effect()).await;
            let expected = json!({ "user": { "address": written, "phone_numbers": [],
                "user_profile": { "department": written } } });
            assert_eq!(stage.bodies(UPDATE)[0], expected);
        }
    });
}

#[test]
fn a_merge_is_refused_for_one_customer_unknown_sides_and_keys_that_disagree_and_warns_of_suspension() {
    run(async {
        let victim = "GET /external/users/CRM-000993";
        let stage = Stage::new().await;
        stage
            .on(READ_EXTERNAL, fixture("full_read"))
            .on(victim, user(|user| user["id"] = json!(CUSTOMER.to_uppercase())));
        assert_eq!(stage.refusal(merge()).await, Refusal::SameCustomer);
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, nobody()).on(victim, other());
        assert_eq!(stage.refusal(merge()).await, Refusal::UnknownSide(Side::Survivor));
        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, fixture("full_read")).on(victim, nobody());
        assert_eq!(stage.refusal(merge()).await, Refusal::UnknownSide(Side::Victim));
        let stage = Stage::new().await;
        let third = user(|user| {
            user["id"] = json!("third");
            user["email"] = json!("third@example.com");
        });
        stage.on(READ_EXTERNAL, fixture("full_read")).on(victim, other()).on(SEARCH, third);
        let effect = Effect::Merge {
            survivor: ParentKeys::external_id("CRM-000417").with_email("third@example.com"),
            victim: ParentKeys::external_id("CRM-000993"),
        };
        assert_eq!(stage.refusal(effect).await, Refusal::KeysDisagree);

        let stage = Stage::new().await;
        stage.on(READ_EXTERNAL, user(|user| user["suspended"] = json!(true))).on(victim, other());
        let prepared = stage.prepare(merge()).await;
        assert_eq!(
            prepared.warnings(),
            ["A merge cannot be undone.", "In this merge the survivor is suspended."]
        );
        assert_eq!(
            prepared.summary(),
            format!("Merge customer {OTHER} into customer {CUSTOMER}, who stays.")
        );
        stage.on("POST /merge_accounts", json_ok(&json!({ "status": "ok" })));
        stage.on(READ, fixture("full_read")).on(&format!("GET /users/{OTHER}"), nobody());
        assert!(stage.client.commit(prepared).await.unwrap().done().is_some());
        let request = &stage.requests("POST /merge_accounts")[0];
        assert!(request.path().ends_with("/external/users/CRM-000417/merge_accounts"), "{}", request.path());
        assert_eq!(request.json().unwrap(), json!({ "legacy_external_id": "CRM-000993" }));
    });
}

#[test]
fn notes_and_tags_need_something_in_them() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet().on(NOTES, json_ok(&json!({ "notes": [] })));
        assert_eq!(stage.refusal(note("  ")).await, Refusal::BlankComment);
        let whim = Effect::Note { customer: customer(), reason: Some("Whim".into()), comment: "x".into() };
        assert_eq!(stage.refusal(whim).await, Refusal::UnknownReason);
        let blank = Effect::Tag { customer: customer(), tags: vec![" ".to_owned()], seconds: None };
        assert_eq!(stage.refusal(blank).await, Refusal::NoTags);
        stage.on(ADD_NOTE, json_ok(&json!({ "status": "ok" })));
        let none = Effect::Note {
            customer: CustomerRef::new(CUSTOMER),
            reason: None,
            comment: "{reason} \"x\"".into(),
        };
        assert!(stage.commit(none).await.done().is_some());
        assert_eq!(
            stage.bodies(ADD_NOTE)[0],
            json!({ "note": { "reason": "", "comment": "{reason} \"x\"" } })
        );
    });
}

#[test]
fn a_redemption_that_cannot_be_told_from_a_revocation_is_uncertain() {
    run(async {
        let stage = Stage::with(|settings| settings.offers.history = None).await;
        stage.on(READ, fixture("full_read")).on(WALLET, fixture("wallet")).on(WALLET, empty_wallet());
        stage.on(REDEEM, json_ok(&json!({ "status": "ok" })));
        let prepared = stage.prepare(redeem(COPY)).await;
        stage.server.faults().add(Fault::Lost.once().on(|r| r.path().ends_with("/manual_redeem")));
        let Committed::Uncertain(uncertain) = stage.client.commit(prepared).await.unwrap() else { panic!() };
        assert_eq!(uncertain.leaning(), Leaning::Done);
        assert!(uncertain.evidence()[1].contains("offers.history"), "{:?}", uncertain.evidence());
    });
}

#[test]
fn without_a_ledger_a_lost_award_is_uncertain_with_both_balances() {
    run(async {
        let stage = Stage::with(|settings| settings.points.ledger = None).await;
        stage.on(READ, fixture("full_read")).on(BALANCES, fixture("balances")).on(BALANCES, balance("244.5"));
        stage.on(DEPOSIT, json_ok(&json!({ "status": "ok" })));
        let prepared = stage.prepare(award("40")).await;
        stage.server.faults().add(Fault::Lost.once().on(|r| r.path().ends_with("/deposit")));
        let Committed::Uncertain(uncertain) = stage.client.commit(prepared).await.unwrap() else { panic!() };
        assert_eq!(uncertain.leaning(), Leaning::Done);
        let evidence = uncertain.evidence().join("; ");
        assert!(
            evidence.contains("points.ledger") && evidence.contains("was 204.5 and is 244.5"),
            "{evidence}"
        );
    });
}

#[test]
fn preparing_is_an_answer_and_not_an_error_for_what_cannot_be() {
    run(async {
        let stage = Stage::new().await;
        stage.on(READ, nobody());
        let key = EffectKey::parse("case-00417").unwrap();
        let prepared = stage.client.prepare(update(), key).await.unwrap();
        assert!(matches!(prepared, Preparation::Refused(Refusal::UnknownCustomer)));
        assert_eq!(Refusal::UnknownCustomer.to_string(), "there is no such customer");
    });
}

#[test]
fn points_that_moved_under_a_callers_key_are_not_moved_again() {
    run(async {
        let stage = Stage::new().await;
        let row = json!({ "id": "r1", "modification": 40, "modification_entity_id": "case-00417" });
        stage.customer_with_wallet().on(LEDGER, ledger(&json!([row])));
        for (key, done) in [("case-00417", true), ("case-00418", false)] {
            let prepared = stage.client.prepare(award("40"), EffectKey::parse(key).unwrap()).await.unwrap();
            assert_eq!(prepared.ready().err() == Some(Refusal::AlreadyDone), done, "{key}");
        }
    });
}

#[test]
fn requests_have_the_form_that_clients_on_the_wire_send() {
    run(async {
        let stage = Stage::new().await;
        stage.customer_with_wallet();
        for route in [REVOKE, REDEEM] {
            stage.on(route, fixture("empty_ok"));
        }
        stage.on(ISSUE, fixture("issue_answer"));
        for effect in [issue(1), revoke(COPY), redeem(COPY)] {
            assert!(stage.commit(effect).await.done().is_some());
        }
        let mut expected = document("issue_request");
        expected["offer_id"] = json!("22222222-89ab-4cde-8f01-23456789abcd");
        assert_eq!(stage.bodies(ISSUE)[0], expected);
        assert_eq!(stage.bodies(REVOKE)[0], document("revoke_request"));
        assert_eq!(stage.bodies(REDEEM)[0], document("redeem_request"));
        stage.client.balances(&customer()).await.unwrap();
        assert_eq!(stage.bodies(BALANCES)[0], document("balances_request"));
    });
}
