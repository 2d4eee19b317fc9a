//! The list of bad input: a typed outcome each, and the simulator's state unchanged.

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::ErrorKind;
use hris_sessionm::sim::{NotFoundStyle, SessionMSim};
use hris_sessionm::{
    Committed, Credentials, CustomerRef, Effect, EffectKey, LoyaltyDesk as _, NewCustomer, ParentKeys,
    ProfileEdit, ProfileField, Refusal, Side, UserOfferId,
};
use hris_testkit::run;

use super::setup::*;

fn award(customer: CustomerRef, amount: &str) -> Effect {
    Effect::Award {
        customer,
        account: SessionMSim::SPENDABLE.into(),
        source: SessionMSim::COMP.into(),
        amount: points(amount),
        reason: "Late delivery".to_owned(),
    }
}

#[test]
fn a_wrong_key_and_the_other_familys_key_are_unauthorized_and_say_which_pair() {
    run(async {
        let desk = Desk::new().await;
        let core = (SessionMSim::CORE_KEY, SessionMSim::CORE_SECRET);
        let connect = (SessionMSim::CONNECT_KEY, SessionMSim::CONNECT_SECRET);
        let pairs = |(a, b): (&str, &str), (c, d): (&str, &str)| {
            Credentials::core(a.into(), b.into()).with_connect(c.into(), d.into())
        };
        for credentials in [
            pairs(connect, core),
            pairs((core.0, "wrong"), (connect.0, "wrong")),
            pairs(("wrong", core.1), ("wrong", connect.1)),
        ] {
            let client = client(&desk.sim, &desk.clock, settings(&desk.sim), &credentials);
            let errors =
                [client.find(&keys()).await.unwrap_err(), client.balances(&desk.mara).await.unwrap_err()];
            assert!(
                errors[0].hint().unwrap().contains("Core key")
                    && errors[1].hint().unwrap().contains("Connect key")
            );
            assert!(errors.iter().all(|error| error.kind() == ErrorKind::Unauthorized));
            let prepared = client.prepare(award(desk.mara.clone(), "1"), EffectKey::random()).await;
            assert_eq!(prepared.unwrap_err().kind(), ErrorKind::Unauthorized);
        }
    });
}

#[test]
fn a_wrong_retailer_is_invalid_and_says_so() {
    run(async {
        let desk = Desk::with(|settings| {
            settings.connect.as_mut().unwrap().retailer_id =
                "00000000-0000-4000-8000-000000000000".to_owned();
        })
        .await;
        let before = desk.state();
        let error = desk.client.balances(&desk.mara).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.hint().unwrap().contains("connect.retailer_id"));
        assert!(desk.client.prepare(award(desk.mara.clone(), "1"), EffectKey::random()).await.is_err());
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn an_unknown_customer_is_told_in_every_style_the_vendor_has() {
    run(async {
        for style in [NotFoundStyle::Http404, NotFoundStyle::Http400, NotFoundStyle::Http200] {
            let desk = Desk::new().await;
            desk.sim.behave(|vendor| vendor.not_found = style);
            let before = desk.state();
            let nobody = CustomerRef::new("00000000-0000-4000-8000-000000000000");
            assert_eq!(desk.client.customer(nobody.id()).await.unwrap(), None);
            assert_eq!(desk.refusal(award(nobody.clone(), "1")).await, Refusal::UnknownCustomer);
            let redeem = Effect::Redeem { customer: nobody, copy: desk.copy.clone() };
            assert_eq!(desk.refusal(redeem).await, Refusal::UnknownCustomer);
            assert_eq!(desk.state(), before);
        }
    });
}

#[test]
fn another_customers_email_is_refused_at_create_and_at_update() {
    run(async {
        let desk = Desk::new().await;
        let (other, _) = desk.second("CRM-000993", "other@example.com");
        let before = desk.state();
        let keys = ParentKeys::external_id("CRM-1").with_email("OTHER@example.com");
        let create = Effect::Create(Box::new(NewCustomer::enrolled(keys)));
        assert_eq!(desk.refusal(create).await, Refusal::EmailInUse(other.id().clone()));
        let edit = ProfileEdit::new().set(ProfileField::Email, "other@example.com").unwrap();
        let update = Effect::Update { customer: desk.mara.clone(), edit };
        assert_eq!(desk.refusal(update).await, Refusal::EmailInUse(other.id().clone()));
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn under_age_people_are_refused_here_and_at_the_vendors_own_border() {
    run(async {
        let desk = Desk::new().await;
        let before = desk.state();
        let born = |date: &str| {
            let date: chrono::NaiveDate = date.parse().unwrap();
            let profile = ProfileEdit::new().set(ProfileField::BirthDate, date).unwrap();
            let new = NewCustomer::enrolled(ParentKeys::external_id("CRM-1")).with_profile(profile);
            Effect::Create(Box::new(new))
        };
        assert_eq!(desk.refusal(born("2020-05-05")).await, Refusal::UnderAge);
        // On their 13th birthday this crate leaves the decision to SessionM.
        let committed = desk.commit(born("2013-03-02")).await;
        assert!(matches!(committed, Committed::Refused(Refusal::UnderAge)), "{committed:?}");
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn negative_and_huge_points_are_refused() {
    run(async {
        let desk = Desk::new().await;
        let before = desk.state();
        let most = points("10000");
        for (amount, refusal) in [
            ("-1", Refusal::AmountNotPositive),
            ("0", Refusal::AmountNotPositive),
            ("10000.01", Refusal::AmountTooLarge { most }),
            ("79228162514264337593543950335", Refusal::AmountTooLarge { most }),
        ] {
            assert_eq!(desk.refusal(award(desk.mara.clone(), amount)).await, refusal);
        }
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn an_offer_of_another_customer_is_not_held() {
    run(async {
        let desk = Desk::new().await;
        let (_, copy) = desk.second("CRM-000993", "other@example.com");
        let before = desk.state();
        let customer = || desk.mara.clone();
        let from: DateTime<Utc> = NOW.parse().unwrap();
        for effect in [
            Effect::Redeem { customer: customer(), copy: copy.clone() },
            Effect::Revoke { customer: customer(), copy: copy.clone(), reason: "x".into() },
            Effect::Reissue { customer: customer(), copy: copy.clone() },
            Effect::Extend {
                customer: customer(),
                copy: copy.clone(),
                from,
                until: from + TimeDelta::days(1),
            },
        ] {
            assert_eq!(desk.refusal(effect).await, Refusal::OfferNotHeld);
        }
        assert!(desk.client.view_offer(&desk.mara, &copy).await.unwrap().is_none());
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn an_end_before_the_start_and_one_in_the_past_are_refused() {
    run(async {
        let desk = Desk::new().await;
        let before = desk.state();
        let now: DateTime<Utc> = NOW.parse().unwrap();
        let extend = |from, until| Effect::Extend {
            customer: desk.mara.clone(),
            copy: desk.copy.clone(),
            from,
            until,
        };
        assert_eq!(
            desk.refusal(extend(now + TimeDelta::days(2), now + TimeDelta::days(1))).await,
            Refusal::EndBeforeStart
        );
        assert_eq!(
            desk.refusal(extend(now - TimeDelta::days(2), now - TimeDelta::days(1))).await,
            Refusal::EndInPast
        );
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn a_purchase_beyond_the_balance_is_refused_here_and_where_another_was_faster() {
    run(async {
        let desk = Desk::new().await;
        let coffee = desk.coffee().await.id;
        let buy = |quantity| Effect::Purchase {
            customer: desk.mara.clone(),
            reward: coffee.clone(),
            quantity,
            accounts: Vec::new(),
        };
        let before = desk.state();
        let refusal = Refusal::InsufficientPoints { needed: points("200"), available: points("164.5") };
        assert_eq!(desk.refusal(buy(2)).await, refusal);
        assert_eq!(desk.state(), before);
        let prepared = desk.client.prepare(buy(1), EffectKey::random()).await.unwrap().ready().unwrap();
        desk.done(buy(1)).await;
        let after_the_first = desk.state();
        let committed = desk.client.commit(prepared).await.unwrap();
        let refusal = Refusal::InsufficientPoints { needed: points("100"), available: points("64.5") };
        assert!(matches!(&committed, Committed::Refused(found) if *found == refusal), "{committed:?}");
        assert_eq!(desk.state(), after_the_first);
    });
}

#[test]
fn a_merge_with_itself_with_nobody_and_without_an_external_id_is_refused() {
    run(async {
        let desk = Desk::new().await;
        let before = desk.state();
        let merge = |survivor, victim| Effect::Merge { survivor, victim };
        assert_eq!(desk.refusal(merge(keys(), keys())).await, Refusal::SameCustomer);
        let nobody = ParentKeys::external_id("CRM-0");
        assert_eq!(desk.refusal(merge(keys(), nobody.clone())).await, Refusal::UnknownSide(Side::Victim));
        assert_eq!(desk.refusal(merge(nobody, keys())).await, Refusal::UnknownSide(Side::Survivor));
        assert_eq!(desk.state(), before);
        let by_email = Desk::with(|settings| settings.lookup_by = hris_sessionm::LookupBy::Email).await;
        by_email.sim.plant_customer(serde_json::json!({ "email": "plain@example.com" }));
        let refusal = by_email.refusal(merge(keys(), ParentKeys::email("plain@example.com"))).await;
        assert_eq!(refusal, Refusal::NoExternalId(Side::Victim));
    });
}

#[test]
fn a_suspended_customer_receives_nothing() {
    run(async {
        let desk = Desk::new().await;
        assert!(desk.sim.edit_customer(desk.id(), &serde_json::json!({ "suspended": true })));
        let before = desk.state();
        let issue = Effect::Issue {
            customer: desk.mara.clone(),
            offer: SessionMSim::TEN_PERCENT.into(),
            quantity: 1,
        };
        for effect in [award(desk.mara.clone(), "1"), issue] {
            assert_eq!(desk.refusal(effect).await, Refusal::Suspended);
        }
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn the_last_copy_of_an_offer_is_issued_once_and_then_refused_with_the_vendors_number() {
    run(async {
        let desk = Desk::new().await;
        let issue = || Effect::Issue {
            customer: desk.mara.clone(),
            offer: SessionMSim::LAST_ONE.into(),
            quantity: 1,
        };
        desk.done(issue()).await;
        let after = desk.state();
        let committed = desk.commit(issue()).await;
        assert!(matches!(committed, Committed::Refused(Refusal::NotIssued { .. })), "{committed:?}");
        assert_eq!(desk.state(), after);
    });
}

#[test]
fn an_extension_under_names_that_the_tenant_does_not_know_is_told_as_not_applied() {
    run(async {
        let desk = Desk::new().await;
        desk.sim.behave(|vendor| vendor.knows_date_names = false);
        let before = desk.state();
        let from: DateTime<Utc> = NOW.parse().unwrap();
        let until = from + TimeDelta::days(90);
        let copy: UserOfferId = desk.copy.clone();
        let committed = desk.commit(Effect::Extend { customer: desk.mara.clone(), copy, from, until }).await;
        assert!(matches!(committed, Committed::Refused(Refusal::NotApplied)), "{committed:?}");
        assert_eq!(desk.state(), before);
    });
}

#[test]
fn the_vendors_quirks_change_nothing_of_what_is_read() {
    run(async {
        let plain = Desk::new().await;
        let expected = plain.read().await;
        let desk = Desk::new().await;
        desk.sim.behave(|vendor| {
            vendor.capital_ids = true;
            vendor.null_lists = true;
            vendor.unknown_keys = true;
            vendor.times_without_zone = true;
            vendor.partial_updates = true;
            vendor.bare_deposits = true;
            vendor.bare_purchases = true;
        });
        let found = desk.read().await;
        assert_eq!(
            (found.id.clone(), found.balances.clone(), found.tiers.clone()),
            (expected.id, expected.balances, expected.tiers)
        );
        desk.done(award(desk.mara.clone(), "1")).await;
        let coffee = desk.coffee().await.id;
        desk.done(Effect::Purchase {
            customer: desk.mara.clone(),
            reward: coffee,
            quantity: 1,
            accounts: Vec::new(),
        })
        .await;
        let edit = ProfileEdit::new().set(ProfileField::LastName, "Berg").unwrap();
        desk.done(Effect::Update { customer: desk.mara.clone(), edit }).await;
        assert_eq!(desk.sim.balance(desk.id(), SessionMSim::SPENDABLE), 65.5);
    });
}

#[test]
fn a_fuzzy_search_never_hands_out_somebody_else_and_shared_addresses_are_ambiguous() {
    run(async {
        let advanced = || {
            Desk::with(|settings| {
                settings.lookup_by = hris_sessionm::LookupBy::Email;
                settings.search_style = hris_sessionm::SearchStyle::Advanced;
            })
        };
        let desk = advanced().await;
        desk.sim.behave(|vendor| {
            vendor.advanced_search = true;
            vendor.fuzzy_search = true;
        });
        let near = desk.client.find(&ParentKeys::email("mara.lindqvist@elsewhere.example")).await;
        assert_eq!(near.unwrap_err().kind(), ErrorKind::Conflict);
        let desk = advanced().await;
        desk.sim.behave(|vendor| {
            vendor.advanced_search = true;
            vendor.shared_emails = true;
        });
        desk.second("CRM-2", "mara.lindqvist@example.com");
        assert_eq!(desk.client.find(&keys()).await.unwrap_err().kind(), ErrorKind::Conflict);
    });
}
