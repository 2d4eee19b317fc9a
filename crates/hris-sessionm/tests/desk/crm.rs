//! A CRM kept in step over a simulated SessionM: the decisions of the rules, carried out.

use hris_sessionm::crm::{CrmRecord, CrmRules, Decision, MergedRecords, OwnWrites, Reason};
use hris_sessionm::sim::SessionMSim;
use hris_sessionm::{EffectKey, LookupBy, LoyaltyDesk as _};
use hris_testkit::run;

use super::setup::*;

const ID: &str = "SessionM_External_Id__c";

fn rules(desk: &Desk) -> CrmRules {
    CrmRules::new(desk.client.settings().crm.clone().unwrap(), LookupBy::ExternalId).unwrap()
}

/// Carries a decision out: the effect, then the write to the record.
async fn carry_out(desk: &Desk, record: CrmRecord, decision: &Decision, own: &mut OwnWrites) -> CrmRecord {
    if let Some(effect) = decision.effect() {
        let prepared = desk.client.prepare(effect.clone(), EffectKey::random()).await.unwrap();
        assert!(desk.client.commit(prepared.ready().unwrap()).await.unwrap().done().is_some());
    }
    match decision.write_back() {
        Some(change) => {
            own.note(change);
            record.after(change)
        }
        None => record,
    }
}

#[test]
fn a_record_is_created_enrolled_changed_on_both_sides_and_nothing_goes_round_in_circles() {
    run(async {
        let desk = Desk::new().await;
        let rules = rules(&desk);
        let mut own = OwnWrites::new();
        let record = CrmRecord::contact("003J7").with("FirstName", "Ash").with("Email", "ash.sm@example.com");
        let found = desk.client.find(&rules.keys(&record)).await.unwrap();
        let decision = rules.record_created(&record, found.as_ref());
        let before = record.clone();
        let record = carry_out(&desk, record, &decision, &mut own).await;
        assert_eq!(record.text(ID), Some("003J7"), "the record's own id was written back");
        let ash = desk.client.find(&rules.keys(&record)).await.unwrap().unwrap();
        assert!(ash.opted_in && ash.first_name.as_deref() == Some("Ash"));
        let echo = rules.record_edited((&before, &record), Some(&ash), &mut own);
        assert_eq!(echo, Decision::Nothing(Reason::OwnWrite));

        let edited = record.clone().with("LastName", "Sims");
        let decision = rules.record_edited((&record, &edited), Some(&ash), &mut own);
        let edited = carry_out(&desk, edited, &decision, &mut own).await;
        desk.sim.edit_customer(ash.id.as_str(), &serde_json::json!({ "first_name": "Ashley" }));
        let ash = desk.client.customer(&ash.id).await.unwrap().unwrap();
        assert_eq!(ash.last_name.as_deref(), Some("Sims"));
        let shown = rules.shown(&edited, &ash);
        let after = carry_out(&desk, edited.clone(), &shown, &mut own).await;
        assert_eq!(after.text("FirstName"), Some("Ashley"));
        let echo = rules.record_edited((&edited, &after), Some(&ash), &mut own);
        assert_eq!(echo, Decision::Nothing(Reason::OwnWrite));
        assert_eq!(rules.shown(&after, &ash), Decision::Nothing(Reason::AlreadyEqual));
        assert_eq!(desk.sim.customer_writes(), 2, "one create and one update");
    });
}

#[test]
fn a_parent_merge_that_takes_over_the_victims_key_keeps_the_victims_customer_and_sends_the_survivors_fields()
{
    run(async {
        let desk = Desk::new().await;
        let rules = rules(&desk);
        let (other, _) = desk.second("ACC_EXT_2", "two@example.com");
        let one = CrmRecord::contact("001").with(ID, "CRM-000417").with("LastName", "Lindqvist");
        let two = CrmRecord::contact("002").with(ID, "ACC_EXT_2").with("LastName", "Other");
        let survivor = one.clone().with(ID, "ACC_EXT_2").with("LastName", "Lindqvist-Berg");
        let merged = MergedRecords { survivor_before: &one, victim_before: &two, survivor: &survivor };
        let decision = rules.records_merged(merged);
        let mut own = OwnWrites::new();
        carry_out(&desk, survivor.clone(), &decision, &mut own).await;
        assert_eq!(desk.sim.merges(), [(other.id().as_str().to_owned(), desk.id().to_owned())]);
        let kept = desk.client.customer(other.id()).await.unwrap().unwrap();
        carry_out(&desk, survivor.clone(), &rules.customers_merged(&survivor, &kept), &mut own).await;
        let kept = desk.client.customer(other.id()).await.unwrap().unwrap();
        assert_eq!(kept.last_name.as_deref(), Some("Lindqvist-Berg"));
        assert_eq!(desk.sim.balance(other.id().as_str(), SessionMSim::SPENDABLE), 174.5);
    });
}
