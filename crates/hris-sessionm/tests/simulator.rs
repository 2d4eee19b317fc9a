//! The simulator by itself, asked by hand: what the vendor page promises of it holds without the client.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use hris_http::{Auth, Method, Request, RetryPolicy, Session, Transport};
use hris_sessionm::sim::{NotFoundStyle, SessionMSim};
use hris_testkit::run;
use hris_testkit::sim::Fault;
use serde_json::{Value, json};

/// A call by hand: status and body, whatever they are.
async fn call(
    sim: &SessionMSim,
    method: Method,
    path: &str,
    pair: (&str, &str),
    body: Value,
) -> (u16, Value) {
    let auth = Auth::basic(pair.0, &pair.1.into()).unwrap();
    let session = Session::new(&Transport::builder().build().unwrap(), sim.url().parse().unwrap())
        .with_auth(auth)
        .with_policy(RetryPolicy::default().with_attempts(1));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = Request::new(method, "by_hand", path.to_owned());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        request = request.with_query(name, value);
    }
    if method != Method::Get {
        request = request.with_json(&body).unwrap();
    }
    match session.execute(&request).await {
        Ok(answer) => (answer.status(), serde_json::from_slice(answer.body()).unwrap()),
        Err(error) => {
            let status = error
                .context()
                .find(|(key, _)| *key == "status")
                .map_or(0, |(_, text)| text.parse().unwrap());
            (status, Value::Null)
        }
    }
}

const CORE: (&str, &str) = (SessionMSim::CORE_KEY, SessionMSim::CORE_SECRET);
const CONNECT: (&str, &str) = (SessionMSim::CONNECT_KEY, SessionMSim::CONNECT_SECRET);

fn core(path: &str) -> String {
    format!("/priv/v1/apps/{}{path}", SessionMSim::CORE_KEY)
}

async fn connect(sim: &SessionMSim, path: &str, mut body: Value) -> Value {
    body["retailer_id"] = json!(SessionMSim::RETAILER_ID);
    call(sim, Method::Post, path, CONNECT, body).await.1
}

fn mara(sim: &SessionMSim) -> String {
    sim.plant_customer(json!({ "email": "mara@example.com", "external_id": "CRM-1", "first_name": "Mara" }))
}

#[test]
fn each_family_takes_its_own_keys_only_and_the_path_must_name_the_right_one() {
    run(async {
        let sim = SessionMSim::start().await;
        let id = mara(&sim);
        let read = core(&format!("/users/{id}"));
        assert_eq!(call(&sim, Method::Get, &read, CORE, Value::Null).await.0, 200);
        assert_eq!(call(&sim, Method::Get, &read, CONNECT, Value::Null).await.0, 401);
        let other = read.replace(SessionMSim::CORE_KEY, "another");
        assert_eq!(call(&sim, Method::Get, &other, CORE, Value::Null).await.0, 401);
        let balances = "/incentives/api/1.0/user_points/all_balances";
        let body = json!({ "retailer_id": SessionMSim::RETAILER_ID, "user_id": id });
        assert_eq!(call(&sim, Method::Post, balances, CORE, body).await.0, 401);
        let wrong = json!({ "retailer_id": "another", "user_id": id });
        let (status, answer) = call(&sim, Method::Post, balances, CONNECT, wrong).await;
        assert_eq!((status, &answer["status"]), (200, &json!("error")), "a refusal of Connect is a 200");
    });
}

#[test]
fn not_found_is_said_in_three_ways() {
    run(async {
        let sim = SessionMSim::start().await;
        for (style, status) in
            [(NotFoundStyle::Http404, 404), (NotFoundStyle::Http400, 400), (NotFoundStyle::Http200, 200)]
        {
            sim.behave(|vendor| vendor.not_found = style);
            assert_eq!(call(&sim, Method::Get, &core("/users/nobody"), CORE, Value::Null).await.0, status);
        }
    });
}

#[test]
fn creating_obeys_uniqueness_and_age_and_enrols_unless_told_otherwise() {
    run(async {
        let sim = SessionMSim::start().await;
        let post = |user: Value| {
            let (sim, path) = (&sim, core("/users"));
            async move { call(sim, Method::Post, &path, CORE, json!({ "user": user })).await }
        };
        let (status, made) = post(json!({ "email": "a@example.com", "dob": "1990-02-28" })).await;
        assert_eq!((status, &made["user"]["opted_in"]), (200, &json!(true)));
        assert!(made["user"].get("tier").is_none(), "a fresh customer has no tier");
        assert_eq!(
            post(json!({ "email": "b@example.com", "opted_in": false })).await.1["user"]["opted_in"],
            false
        );
        assert_eq!(post(json!({ "email": "A@Example.com" })).await.0, 400, "addresses are unique");
        assert_eq!(
            post(json!({ "email": "c@example.com", "dob": "2013-03-02" })).await.0,
            400,
            "13 is too young"
        );
        assert_eq!(post(json!({ "first_name": "Nobody" })).await.0, 400);
        assert_eq!(sim.customers(), 2);
    });
}

#[test]
fn points_are_booked_once_and_spent_from_what_is_there() {
    run(async {
        let sim = SessionMSim::start().await;
        let id = mara(&sim);
        let deposit = |amount: Value, account: &str| {
            json!({ "user_id": id, "deposit_details": [{ "point_source_id": SessionMSim::COMP,
                    "point_account_id": account, "amount": amount, "reference_id": "r-1" }] })
        };
        let path = "/incentives/api/2.0/user_points/deposit";
        assert_eq!(connect(&sim, path, deposit(json!(40.5), SessionMSim::SPENDABLE)).await["status"], "ok");
        assert_eq!(
            connect(&sim, path, deposit(json!(1), SessionMSim::PARTNER)).await["status"],
            "error",
            "not linked"
        );
        assert_eq!(connect(&sim, path, deposit(json!(-1), SessionMSim::SPENDABLE)).await["status"], "error");
        assert_eq!(sim.balance(&id, SessionMSim::SPENDABLE).to_string(), "40.5");

        let spend = |amount: i64| {
            json!({ "user_id": id, "spend_details": [{ "amount": amount, "idempotency_id": "i-1",
                    "point_account_ids": [SessionMSim::SPENDABLE] }] })
        };
        let path = "/incentives/api/1.0/user_points/spend_multiple";
        let refused = connect(&sim, path, spend(41)).await;
        assert_eq!(
            (&refused["status"], &refused["payload"]["details"][0]["error_status"]),
            (&json!("ok"), &json!(1))
        );
        for _ in 0..2 {
            assert_eq!(connect(&sim, path, spend(40)).await["payload"]["details"][0]["error_status"], 0);
        }
        assert_eq!(sim.balance(&id, SessionMSim::SPENDABLE).to_string(), "0.5", "the same key spends once");
        let range =
            json!({ "user_id": id, "from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-03T00:00:00Z" });
        let audit = connect(&sim, "/incentives/api/1.0/point_audit_logs/fetch_point_audit_logs", range).await;
        assert_eq!(audit["payload"]["results"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn an_offer_goes_through_its_states_and_no_further() {
    run(async {
        let sim = SessionMSim::start().await;
        let id = mara(&sim);
        let issue = json!({ "user_id": id, "offer_id": SessionMSim::LAST_ONE, "quantity": 2 });
        let issued = connect(&sim, "/offers/api/2.0/offers/acquisition/issue", issue).await;
        let list = &issued["payload"]["status_list"];
        assert_eq!(
            (&list[0]["fail_reason"], &list[1]["fail_reason"]),
            (&json!(0), &json!(4)),
            "there was one copy"
        );
        let copy = list[0]["user_offer_id"].as_str().unwrap();
        let dates =
            json!({ "user_id": id, "user_offer_id": copy, "redemption_end_date": "2027-01-01T00:00:00Z" });
        connect(&sim, "/offers/api/2.0/offers/acquisition/update", dates.clone()).await;
        let before = sim.copies(&id)[0].2;
        let mut told = dates;
        told["update_redemption_dates"] = json!(true);
        connect(&sim, "/offers/api/2.0/offers/acquisition/update", told).await;
        let after = sim.copies(&id)[0].2;
        assert!(before < after, "without the flag the dates are ignored");
        let redeem = json!({ "user_offer_id": copy });
        let path = "/offers/api/2.0/offers/redemption/manual_redeem";
        assert_eq!(connect(&sim, path, redeem.clone()).await["status"], "ok");
        assert_eq!(connect(&sim, path, redeem.clone()).await["status"], "error");
        assert_eq!(
            connect(&sim, "/offers/api/2.0/offers/acquisition/revoke", redeem).await["status"],
            "error"
        );
        let wallet = connect(&sim, "/offers/api/2.0/offers/get_user_offers", json!({ "user_id": id })).await;
        assert_eq!(wallet["payload"]["total_records"], 0);
        let past =
            connect(&sim, "/offers/api/2.0/offers/get_user_offer_history", json!({ "user_id": id })).await;
        assert_eq!(past["payload"]["total_records"], 1);
    });
}

#[test]
fn a_purchase_is_all_or_nothing() {
    run(async {
        let sim = SessionMSim::start().await;
        let id = mara(&sim);
        sim.plant_points(&id, SessionMSim::SPENDABLE, 150.0);
        let list = json!({ "reward_store_ids": [SessionMSim::REWARD_STORE], "sort_column": "internal_name" });
        let listed = connect(&sim, "/offers/api/2.0/offers/rewardstores/get_reward_store_offers", list).await;
        let rows = listed["payload"]["reward_store_offers"].as_array().unwrap();
        let id_of = |title: &str| {
            rows.iter().find(|row| row["offer_details"]["title"] == title).unwrap()["id"].clone()
        };
        let buy = |reward: Value| {
            json!({ "user_id": id, "reward_store_id": SessionMSim::REWARD_STORE, "reward_store_offer_id": reward,
                    "point_account_ids": [SessionMSim::SPENDABLE], "quantity": 1 })
        };
        let path = "/offers/api/2.0/offers/rewardstores/purchase_offer";
        assert_eq!(connect(&sim, path, buy(id_of("Dinner for two"))).await["status"], "error");
        assert_eq!(
            (sim.balance(&id, SessionMSim::SPENDABLE).to_string(), sim.copies(&id).len()),
            ("150".into(), 0)
        );
        assert_eq!(connect(&sim, path, buy(id_of("Free coffee"))).await["payload"]["points_remaining"], 50);
        assert_eq!(
            (sim.balance(&id, SessionMSim::SPENDABLE).to_string(), sim.copies(&id).len()),
            ("50".into(), 1)
        );
    });
}

#[test]
fn a_merge_moves_everything_and_removes_the_other() {
    run(async {
        let sim = SessionMSim::start().await;
        let (kept, gone) =
            (mara(&sim), sim.plant_customer(json!({ "email": "m2@example.com", "external_id": "CRM-2" })));
        sim.plant_points(&gone, SessionMSim::SPENDABLE, 10.0);
        sim.plant_offer(&gone, SessionMSim::COFFEE, 3, 30).unwrap();
        let merge = |into: &str, from: &str| {
            let (sim, path) = (&sim, core(&format!("/external/users/{into}/merge_accounts")));
            let body = json!({ "legacy_external_id": from });
            async move { call(sim, Method::Post, &path, CORE, body).await.0 }
        };
        assert_eq!(merge("CRM-1", "CRM-1").await, 400);
        assert_eq!(merge("CRM-1", "CRM-2").await, 200);
        assert_eq!(merge("CRM-1", "CRM-9").await, 404);
        assert_eq!(sim.balance(&kept, SessionMSim::SPENDABLE).to_string(), "10");
        assert_eq!((sim.copies(&kept).len(), sim.stored(&gone)), (1, None));
        assert_eq!(sim.external_ids(&kept), ["CRM-2", "CRM-1"]);
        assert_eq!(sim.merges(), [(kept, gone)]);
    });
}

#[test]
fn a_lost_answer_has_had_its_effect() {
    run(async {
        let sim = SessionMSim::start().await;
        let id = mara(&sim);
        let path = "/offers/api/2.0/offers/acquisition/issue";
        sim.faults().add(Fault::Lost.once().on_path(path));
        connect(&sim, path, json!({ "user_id": id, "offer_id": SessionMSim::TEN_PERCENT })).await;
        assert_eq!(sim.copies(&id).len(), 1);
    });
}

#[test]
fn the_timeline_goes_forward_from_since_and_shows_what_is_asked_for() {
    run(async {
        let sim = SessionMSim::start().await;
        let id = mara(&sim);
        for minutes in 1..=7 {
            sim.plant_event(&id, "PURCHASE", minutes, json!({ "transaction_id": format!("TX-{minutes}") }));
        }
        sim.plant_points(&id, SessionMSim::SPENDABLE, 10.0);
        let ask = |query: &str| {
            let (sim, path) =
                (&sim, core(&format!("/users/{id}/timelines/{}?{query}", SessionMSim::TIMELINE_VIEW)));
            async move { call(sim, Method::Get, &path, CORE, Value::Null).await.1 }
        };
        assert_eq!(ask("count=1000").await["count"], 8);
        let page = ask("count=3&event_types=PURCHASE").await;
        let ids: Vec<_> = page["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["event_stream_payload"]["transaction_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, ["TX-5", "TX-6", "TX-7"]);
        let since = page["result"][0]["timestamp"].as_i64().unwrap();
        assert_eq!(ask(&format!("count=1000&event_types=PURCHASE&since={since}")).await["count"], 4);
        assert_eq!(ask("count=1001").await, Value::Null, "refused");
    });
}
