//! The mock desk keeps the contract of the trait: it refuses what cannot be, loses answers, and never does a key twice.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use hris_core::ErrorKind;
use hris_sessionm::mock::{MockDesk, MockFault};
use hris_sessionm::{
    AvailableOffer, Balance, Committed, Customer, CustomerRef, Effect, EffectKey, ExternalId, LoyaltyDesk,
    NewCustomer, OfferState, Paging, ParentKeys, Refusal, Reward, RewardQuery, TimelineEvent, TimelineQuery,
};
use hris_testkit::run;

fn desk() -> MockDesk {
    let desk = MockDesk::new("2026-02-12T10:00:00Z".parse().unwrap());
    let mut customer = Customer::new("c1");
    customer.external_id = ExternalId::parse("CRM-1");
    customer.opted_in = true;
    desk.plant(customer, vec![Balance::new("a1", "Spendable", 40.into(), 90.into())]);
    desk.offer_to_issue(AvailableOffer::new("o1", "Ten percent off"));
    desk.reward_in_store(Reward::new("r1", "s1", "Coffee", 30.into()));
    desk.reward_in_store(Reward::new("r2", "s1", "Cake", 50.into()));
    desk
}

fn who() -> CustomerRef {
    CustomerRef::new("c1")
}

fn award() -> Effect {
    Effect::Award {
        customer: who(),
        account: "a1".into(),
        source: "s1".into(),
        amount: 2.into(),
        reason: "Late delivery".to_owned(),
    }
}

async fn commit(desk: &dyn LoyaltyDesk, effect: Effect) -> Committed {
    let ready = desk.prepare(effect, EffectKey::random()).await.unwrap().ready().unwrap();
    desk.commit(ready).await.unwrap()
}

#[test]
fn a_whole_visit_changes_what_it_should() {
    run(async {
        let desk = desk();
        let found = desk.find(&ParentKeys::external_id("CRM-1")).await.unwrap().unwrap();
        assert_eq!(found.lifetime_points(), Some(90.into()));
        commit(&desk, Effect::Issue { customer: who(), offer: "o1".into(), quantity: 1 }).await;
        let wallet = desk.issued_offers(&who(), &Paging::default().containing("TEN")).await.unwrap();
        let copy = wallet.items[0].id.clone();
        commit(&desk, Effect::Redeem { customer: who(), copy: copy.clone() }).await;
        let again =
            desk.prepare(Effect::Redeem { customer: who(), copy }, EffectKey::random()).await.unwrap();
        assert_eq!(again.ready().unwrap_err(), Refusal::AlreadyRedeemed);
        assert_eq!(
            desk.past_offers(&who(), OfferState::Redeemed, &Paging::default()).await.unwrap().total,
            Some(1)
        );
        let affordable = desk.rewards(&who(), &RewardQuery::affordable(Paging::default())).await.unwrap();
        assert_eq!(affordable.total, Some(1));
        let buy = |reward: &str| Effect::Purchase {
            customer: who(),
            reward: reward.into(),
            quantity: 1,
            accounts: Vec::new(),
        };
        let dear = desk.prepare(buy("r2"), EffectKey::random()).await.unwrap().ready().unwrap_err();
        assert_eq!(dear, Refusal::InsufficientPoints { needed: 50.into(), available: 40.into() });
        commit(&desk, buy("r1")).await;
        assert_eq!(desk.points_of(&"c1".into()), 10.into());
        desk.plant_event(
            &"c1".into(),
            TimelineEvent::new("PURCHASE", "2026-02-12T10:00:00Z".parse().unwrap()),
        );
        let timeline = desk.timeline(&who(), &TimelineQuery::all().of_type("PURCHASE")).await.unwrap();
        assert_eq!(timeline.page(1).total, 1);
        let effects: Vec<_> = desk.log().iter().map(|logged| logged.effect).collect();
        assert_eq!(effects, ["issue", "redeem", "purchase"]);
    });
}

#[test]
fn a_lost_answer_is_uncertain_and_a_key_is_never_done_twice() {
    run(async {
        let desk = desk();
        desk.fault(MockFault::LoseAnswerAfter);
        let key = EffectKey::parse("case-00417").unwrap();
        let ready = desk.prepare(award(), key.clone()).await.unwrap().ready().unwrap();
        let Committed::Uncertain(uncertain) = desk.commit(ready).await.unwrap() else { panic!("lost") };
        assert_eq!(desk.points_of(&"c1".into()), 42.into());
        assert!(desk.resolve(uncertain).await.done().is_some_and(|receipt| receipt.found_by_reading));
        let again = desk.prepare(award(), key).await.unwrap().ready().unwrap_err();
        assert_eq!((again, desk.points_of(&"c1".into())), (Refusal::AlreadyDone, 42.into()));

        desk.fault(MockFault::LoseAnswerBefore);
        let Committed::Uncertain(uncertain) = commit(&desk, award()).await else { panic!("lost") };
        assert!(matches!(desk.resolve(uncertain).await, Committed::Uncertain(_)));
        assert_eq!(desk.points_of(&"c1".into()), 42.into());
    });
}

#[test]
fn planned_failures_strike_once_and_change_nothing() {
    run(async {
        let desk = desk();
        desk.fault(MockFault::Fail(ErrorKind::RateLimited));
        let ready = desk.prepare(award(), EffectKey::random()).await.unwrap().ready().unwrap();
        assert_eq!(desk.commit(ready).await.unwrap_err().kind(), ErrorKind::RateLimited);
        desk.fault(MockFault::Refuse(Refusal::Suspended));
        assert!(matches!(commit(&desk, award()).await, Committed::Refused(Refusal::Suspended)));
        desk.fail_next_reading(ErrorKind::Timeout);
        assert_eq!(
            desk.find(&ParentKeys::external_id("CRM-1")).await.unwrap_err().kind(),
            ErrorKind::Timeout
        );
        assert_eq!(desk.points_of(&"c1".into()), 40.into());
        assert!(desk.log().iter().all(|logged| !logged.happened));
    });
}

#[test]
fn customers_are_created_enrolled_and_merged() {
    run(async {
        let desk = desk();
        let new = |id: &str| Effect::Create(Box::new(NewCustomer::created_only(ParentKeys::external_id(id))));
        let taken = desk.prepare(new("CRM-1"), EffectKey::random()).await.unwrap().ready().unwrap_err();
        assert_eq!(taken, Refusal::AlreadyExists("c1".into()));
        commit(&desk, new("CRM-2")).await;
        let second = desk.find(&ParentKeys::external_id("CRM-2")).await.unwrap().unwrap();
        commit(&desk, Effect::Enrol { customer: second.reference() }).await;
        assert!(desk.customer(&second.id).await.unwrap().unwrap().opted_in);
        let merge = || Effect::Merge {
            survivor: ParentKeys::external_id("CRM-2"),
            victim: ParentKeys::external_id("CRM-1"),
        };
        commit(&desk, merge()).await;
        assert_eq!(desk.points_of(&second.id), 40.into());
        assert!(desk.customer(&"c1".into()).await.unwrap().is_none());
        assert!(desk.prepare(merge(), EffectKey::random()).await.unwrap().ready().is_err());
    });
}
