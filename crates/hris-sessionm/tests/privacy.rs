//! Keys, names, e-mails and texts appear in no `Debug`, no `Display` and no trace, URLs included. A program of its own,
//! since what is traced is decided once for a whole process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail with the test")]

#[path = "suite/setup.rs"]
#[allow(dead_code, reason = "the suite uses the rest of it")]
mod setup;

use std::iter::successors;

use futures_util::StreamExt as _;
use hris_core::{Email, Error};
use hris_sessionm::{
    Effect, EffectKey, LookupBy, LoyaltyDesk, NewCustomer, Paging, ParentKeys, Phone, PhoneText, ProfileEdit,
    ProfileField, RewardQuery, SearchBy, TimelineQuery,
};
use hris_testkit::sim::{Fault, SimResponse};
use hris_testkit::{Traces, run};
use serde_json::json;

use setup::*;

/// An error with its causes.
fn chain(error: &Error) -> String {
    let causes = successors(Some(error as &dyn std::error::Error), |cause| cause.source());
    causes.map(|cause| format!("{cause} {cause:?}")).collect::<Vec<_>>().concat()
}

fn keys() -> ParentKeys {
    ParentKeys::external_id("CRM-canaryext").with_email("canary.mail@example.com")
}

fn edit() -> ProfileEdit {
    ProfileEdit::new()
        .set(ProfileField::FirstName, "Canarina")
        .and_then(|e| e.set(ProfileField::LastName, "Canarelli"))
        .and_then(|e| e.set(ProfileField::Email, "canary.mail@example.com"))
        .and_then(|e| e.set(ProfileField::Address, "1 Canary Row"))
        .and_then(|e| e.set(ProfileField::PhoneNumbers, vec![Phone::new("5550canary", "mobile")]))
        .and_then(|e| e.set(ProfileField::Custom("shirt".into()), "canary-shirt"))
        .unwrap()
}

/// A customer whose every field is a canary.
fn user() -> SimResponse {
    let mut user = document("full_read");
    let fields = user["user"].as_object_mut().unwrap();
    for (name, value) in [
        ("first_name", json!("Canarina")),
        ("last_name", json!("Canarelli")),
        ("email", json!("canary.mail@example.com")),
        ("external_id", json!("CRM-canaryext")),
        ("identifiers", json!([{ "external_id": "CRM-canaryext", "external_id_type": "crm" }])),
        ("address", json!("1 Canary Row")),
        ("dob", json!("1977-07-07")),
        ("referrer_code", json!("canary-referrer")),
        ("auth_token", json!("canary-token")),
        ("phone_numbers", json!([{ "phone_number": "5550canary", "phone_type": "mobile" }])),
        ("user_profile", json!({ "shirt": "canary-shirt" })),
    ] {
        fields.insert(name.to_owned(), value);
    }
    json_ok(&user)
}

fn effects() -> Vec<Effect> {
    let customer = customer();
    vec![
        Effect::Create(Box::new(
            NewCustomer::enrolled(keys()).with_profile(edit()).with_referral_code("canary-referrer"),
        )),
        Effect::Enrol { customer: customer.clone() },
        Effect::Update { customer: customer.clone(), edit: edit() },
        Effect::Tag { customer: customer.clone(), tags: vec!["vip".to_owned()], seconds: None },
        Effect::Merge { survivor: keys(), victim: ParentKeys::external_id("CRM-canaryvictim") },
        Effect::Award {
            customer: customer.clone(),
            account: ACCOUNT.into(),
            source: SOURCE.into(),
            amount: 4.into(),
            reason: "Late delivery".to_owned(),
        },
        Effect::Deduct {
            customer: customer.clone(),
            accounts: Vec::new(),
            amount: 4.into(),
            reason: "Late delivery".to_owned(),
        },
        Effect::Note {
            customer: customer.clone(),
            reason: None,
            comment: "Canarina called about canary-note".into(),
        },
        Effect::Revoke { customer: customer.clone(), copy: COPY.into(), reason: "canary-reason".into() },
        Effect::Redeem { customer, copy: COPY.into() },
    ]
}

fn note<T: std::fmt::Debug>(shown: &mut Vec<String>, result: hris_core::Result<T>) {
    shown.push(match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => chain(&error),
    });
}

async fn read_everything(stage: &Stage, shown: &mut Vec<String>) {
    let desk: &dyn LoyaltyDesk = &stage.client;
    let who = customer();
    let paging = Paging::default().containing("canary-search");
    let now = NOW.parse().unwrap();
    note(shown, desk.find(&keys()).await);
    note(shown, desk.customer(who.id()).await);
    for by in [
        SearchBy::Email(Email::parse("canary.mail@example.com").unwrap()),
        SearchBy::MobileNumber(PhoneText::new("5550canary")),
    ] {
        shown.push(format!("{by:?}"));
        note(shown, desk.search(&by).await);
    }
    note(shown, desk.tags(&who).await);
    note(shown, desk.balances(&who).await);
    note(shown, desk.ledger(&who, now, now).await);
    note(shown, desk.notes(&who).await);
    note(shown, desk.available_offers(&who, &paging).await);
    note(shown, desk.issued_offers(&who, &paging).await);
    note(shown, desk.past_offers(&who, hris_sessionm::OfferState::Expired, &paging).await);
    note(shown, desk.view_offer(&who, &COPY.into()).await);
    note(shown, desk.rewards(&who, &RewardQuery::all(paging.clone())).await);
    note(shown, desk.timeline(&who, &TimelineQuery::all()).await);
    let mut events = desk.timeline_stream(&who, &TimelineQuery::all());
    while let Some(event) = events.next().await {
        note(shown, event);
    }
    shown.push(format!("{paging:?} {:?} {:?} {:?}", keys(), who, stage.client));
}

async fn do_everything(stage: &Stage, shown: &mut Vec<String>) {
    for effect in effects() {
        shown.push(format!("{effect:?}"));
        match stage.client.prepare(effect, EffectKey::random()).await {
            Err(error) => shown.push(chain(&error)),
            Ok(prepared) => {
                shown.push(format!("{prepared:?}"));
                match prepared.ready() {
                    Err(refusal) => shown.push(format!("{refusal} {refusal:?}")),
                    Ok(ready) => {
                        shown.push(format!("{ready:?} {} {:?}", ready.summary(), ready.warnings()));
                        match stage.client.commit(ready).await {
                            Err(error) => shown.push(chain(&error)),
                            Ok(committed) => shown.push(format!("{committed:?}")),
                        }
                    }
                }
            }
        }
    }
}

async fn stage(lookup_by: LookupBy) -> Stage {
    let stage = Stage::with(|settings| settings.lookup_by = lookup_by).await;
    let canaries = json!({ "notes": [{ "id": 1, "reason": "", "comment": "canary-note" }] });
    let event = json!({ "timestamp": 1_610_000_000, "event_stream_payload": {
        "event_type_slug": "REDEEM", "user_name": "Canarina", "email": "canary.mail@example.com" } });
    stage
        .on(READ, user())
        .on("GET /external/users/CRM-canaryext", user())
        .on("GET /external/users/CRM-canaryvictim", refused(404, "user_not_found"))
        .on(SEARCH, user())
        .on(CREATE, user())
        .on(UPDATE, user())
        .on(TAGS, json_ok(&json!({ "status": "ok", "tags": [] })))
        .on(ADD_TAGS, json_ok(&json!({ "status": "ok" })))
        .on(NOTES, json_ok(&canaries))
        .on(ADD_NOTE, json_ok(&json!({ "status": "ok" })))
        .on(BALANCES, fixture("balances"))
        .on(WALLET, fixture("wallet"))
        .on(HISTORY, fixture("wallet"))
        .on(REWARDS, fixture("rewards"))
        .on(LEDGER, fixture("ledger"))
        .on(DEPOSIT, fixture("deposit_answer"))
        .on(REVOKE, fixture("empty_ok"))
        .on(REDEEM, fixture("empty_ok"))
        .on(TIMELINE, json_ok(&json!({ "status": "ok", "result": [event] })));
    stage
}

/// Does everything that can be done, well and badly, and gathers everything that is shown on the way.
async fn everything_shown() -> Vec<String> {
    let mut shown = vec![format!("{:?} {:?}", credentials(), complete_settings("https://api.example"))];
    for lookup_by in [LookupBy::ExternalId, LookupBy::Email] {
        let stage = stage(lookup_by).await;
        read_everything(&stage, &mut shown).await;
        do_everything(&stage, &mut shown).await;
    }
    let quoting = json!({ "status": "error", "errors": { "code": "validation",
        "message": "email canary.mail@example.com of Canarina is in use", "user": { "first_name": "Canarina" },
        "stack_trace": "canary-stack" } });
    for fault in [
        Fault::status(500),
        Fault::unauthorized(),
        Fault::Html,
        Fault::BrokenJson,
        Fault::Refused,
        Fault::Lost,
        Fault::Answer(SimResponse::json(422, &quoting)),
        Fault::Answer(SimResponse::json(200, &quoting)),
        Fault::Answer(SimResponse::json(404, &json!({ "detail": "Canarina" }))),
        Fault::change(|real| {
            let text = String::from_utf8_lossy(real.body())
                .replace("\"opted_in\": true", "\"opted_in\": \"Canarina\"");
            SimResponse::raw(200, "application/json", text)
        }),
    ] {
        let stage = stage(LookupBy::ExternalId).await;
        stage.server.faults().add(fault.clone().always());
        read_everything(&stage, &mut shown).await;
        stage.server.faults().clear();
        stage.server.faults().add(fault.always().on(|request| request.method() != "GET"));
        do_everything(&stage, &mut shown).await;
    }
    shown
}

#[test]
fn no_key_and_nobodys_data_is_shown_or_traced() {
    let traces = Traces::of_this_process();
    let shown = run(everything_shown()).join("\n");
    let traced = traces.text();
    assert!(shown.len() > 50_000, "{}", shown.len());
    for operation in
        ["sessionm.customer_read", "sessionm.deposit_2_0", "sessionm.commit", "sessionm.note_create"]
    {
        assert!(traced.contains(operation), "{operation} was traced");
    }
    // Words of everything personal, and the beginning of each pair as a Basic header has it.
    let canaries = ["canary", "canar", "Canar", "1977-07-07", "Y2FuYXJ5", "user%5B", "?email"];
    for (what, text) in [("shown", &shown), ("traced", &traced)] {
        for canary in canaries {
            if let Some(at) = text.find(canary) {
                let around = &text.as_bytes()[at.saturating_sub(200)..(at + 100).min(text.len())];
                panic!("{canary:?} was {what}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}
