//! The answer of every effect is lost in turn: each happened once, or is listed as uncertain with its evidence.

use chrono::{DateTime, TimeDelta, Utc};
use hris_sessionm::sim::SessionMSim;
use hris_sessionm::{
    Committed, Effect, EffectKey, Leaning, LoyaltyDesk as _, NewCustomer, ParentKeys, ProfileEdit,
    ProfileField,
};
use hris_testkit::run;
use hris_testkit::sim::Fault;

use super::setup::*;

/// Every effect there is on a fresh desk, with the method and the end of the path of its one request.
async fn effects(desk: &Desk) -> Vec<(Effect, &'static str, &'static str)> {
    let customer = || desk.mara.clone();
    let created = desk.sim.plant_customer(serde_json::json!({ "external_id": "CRM-7", "opted_in": false }));
    desk.second("CRM-000993", "other@example.com");
    let expired = desk.sim.plant_offer(desk.id(), SessionMSim::TEN_PERCENT, 40, 28).unwrap();
    let second = desk.sim.plant_offer(desk.id(), SessionMSim::TEN_PERCENT, 2, 28).unwrap();
    let from: DateTime<Utc> = NOW.parse().unwrap();
    let edit = ProfileEdit::new().set(ProfileField::LastName, "Lindqvist-Berg").unwrap();
    let award = Effect::Award {
        customer: customer(),
        account: SessionMSim::SPENDABLE.into(),
        source: SessionMSim::COMP.into(),
        amount: points("12.5"),
        reason: "Late delivery".to_owned(),
    };
    let deduct = Effect::Deduct {
        customer: customer(),
        accounts: vec![SessionMSim::SPENDABLE.into()],
        amount: points("4"),
        reason: "Late delivery".to_owned(),
    };
    let coffee = desk.coffee().await.id;
    let reason = "By mistake".into();
    vec![
        (Effect::Create(Box::new(NewCustomer::enrolled(ParentKeys::external_id("CRM-8")))), "POST", "/users"),
        (Effect::Enrol { customer: hris_sessionm::CustomerRef::new(created) }, "PUT", ""),
        (Effect::Update { customer: customer(), edit }, "PUT", ""),
        (Effect::Tag { customer: customer(), tags: vec!["vip".to_owned()], seconds: None }, "POST", "/tags"),
        (award, "POST", "/deposit"),
        (deduct, "POST", "/spend_multiple"),
        (Effect::Note { customer: customer(), reason: None, comment: "Called".into() }, "POST", "/notes"),
        (
            Effect::Issue { customer: customer(), offer: SessionMSim::TEN_PERCENT.into(), quantity: 1 },
            "POST",
            "/issue",
        ),
        (Effect::Reissue { customer: customer(), copy: expired.as_str().into() }, "POST", "/issue"),
        (Effect::Redeem { customer: customer(), copy: desk.copy.clone() }, "POST", "/manual_redeem"),
        (
            Effect::Extend {
                customer: customer(),
                copy: second.as_str().into(),
                from,
                until: from + TimeDelta::days(90),
            },
            "POST",
            "/acquisition/update",
        ),
        (Effect::Revoke { customer: customer(), copy: second.as_str().into(), reason }, "POST", "/revoke"),
        (
            Effect::Purchase { customer: customer(), reward: coffee, quantity: 1, accounts: Vec::new() },
            "POST",
            "/purchase_offer",
        ),
        (
            Effect::Merge { survivor: keys(), victim: ParentKeys::external_id("CRM-000993") },
            "POST",
            "/merge_accounts",
        ),
    ]
}

/// Commits every effect, one after the other on one desk, while the fault strikes its request each time.
async fn each(fault: Fault, mut judge: impl AsyncFnMut(&Desk, &'static str, Committed, usize, bool)) {
    let desk = Desk::new().await;
    for (effect, method, end) in effects(&desk).await {
        let word = effect.as_str();
        let prepared = desk.client.prepare(effect, EffectKey::random()).await.unwrap().ready().unwrap();
        let before = desk.state();
        let sent = desk.sent(method, end);
        let hits = move |request: &hris_testkit::sim::SimRequest| {
            request.method() == method && request.path().ends_with(end)
        };
        desk.sim.faults().add(fault.clone().always().on(hits));
        let committed = desk.client.commit(prepared).await.unwrap();
        desk.sim.faults().clear();
        let sent = desk.sent(method, end) - sent;
        judge(&desk, word, committed, sent, desk.state() != before).await;
    }
}

#[test]
fn an_effect_whose_answer_is_lost_happened_once_and_is_found_out_by_reading() {
    run(async {
        let mut seen = Vec::new();
        each(Fault::Lost, async |desk: &Desk, word, committed, sent, changed| {
            // A change of a profile is the same change however often it arrives.
            assert!(sent == 1 || matches!(word, "enrol" | "update"), "{word} was sent {sent} times");
            assert!(changed || word == "tag", "{word} happened");
            match committed {
                Committed::Done(receipt) => assert!(receipt.found_by_reading, "{word}"),
                other => panic!("{word}: {other:?}"),
            }
            if word == "award" {
                assert_eq!(desk.sim.balance(desk.id(), SessionMSim::SPENDABLE), 177.0, "awarded once");
            }
            seen.push(word);
        })
        .await;
        assert_eq!(seen.len(), 14);
    });
}

#[test]
fn an_effect_that_never_arrived_is_uncertain_and_did_not_happen() {
    run(async {
        each(Fault::Refused, async |desk: &Desk, word, committed, _, changed| {
            assert!(!changed, "{word} did not happen");
            let Committed::Uncertain(uncertain) = committed else { panic!("{word}: {committed:?}") };
            assert_eq!(uncertain.leaning(), Leaning::NotDone, "{word}: {:?}", uncertain.evidence());
            assert!(uncertain.evidence().len() >= 2, "{word}: {:?}", uncertain.evidence());
            let before = desk.state();
            assert!(matches!(desk.client.resolve(uncertain).await, Committed::Uncertain(_)), "{word}");
            assert_eq!(desk.state(), before, "{word}: resolving changes nothing");
        })
        .await;
    });
}

#[test]
fn answers_that_cannot_be_read_are_found_out_in_the_same_way() {
    run(async {
        for fault in [
            Fault::BrokenJson,
            Fault::change(|_| hris_testkit::sim::SimResponse::raw(502, "text/html", "<html>")),
            Fault::change(|_| hris_testkit::sim::SimResponse::raw(200, "text/html", "<html>")),
        ] {
            each(fault.clone(), async |_: &Desk, word, committed, sent, _| {
                assert!(sent == 1 || matches!(word, "enrol" | "update"), "{word} was sent {sent} times");
                assert!(matches!(committed, Committed::Done(_)), "{word}: {committed:?}");
            })
            .await;
        }
    });
}

#[test]
fn a_slow_down_is_waited_for_and_the_effect_happens_once() {
    run(async {
        let desk = Desk::new().await;
        for (effect, method, end) in effects(&desk).await {
            let word = effect.as_str();
            let prepared = desk.client.prepare(effect, EffectKey::random()).await.unwrap().ready().unwrap();
            let hits = move |request: &hris_testkit::sim::SimRequest| {
                request.method() == method && request.path().ends_with(end)
            };
            desk.sim.faults().add(Fault::rate_limited(Some(2)).times(2).on(hits));
            let receipt = desk.client.commit(prepared).await.unwrap().done();
            assert!(receipt.is_some_and(|receipt| !receipt.found_by_reading), "{word}");
        }
        assert_eq!(desk.sim.balance(desk.id(), SessionMSim::SPENDABLE), 164.5 + 12.5 - 4.0 - 100.0 + 10.0);
    });
}

#[test]
fn a_lost_award_without_a_ledger_is_uncertain_with_both_balances_and_never_sent_twice() {
    run(async {
        let desk = Desk::with(|settings| settings.points.ledger = None).await;
        let award = effects(&desk).await.remove(4).0;
        desk.sim.faults().add(Fault::Lost.always().on(|request| request.path().ends_with("/deposit")));
        let Committed::Uncertain(uncertain) = desk.commit(award).await else { panic!("uncertain") };
        assert_eq!(uncertain.leaning(), Leaning::Done);
        assert!(
            uncertain.evidence().join(" ").contains("was 164.5 and is 177"),
            "{:?}",
            uncertain.evidence()
        );
        assert_eq!(
            (desk.sent("POST", "/deposit"), desk.sim.balance(desk.id(), SessionMSim::SPENDABLE)),
            (1, 177.0)
        );
    });
}
