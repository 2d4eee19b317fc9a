//! What is to be done in SessionM when records are merged: who stays is decided by the key on the surviving record.

use super::{CrmRecord, CrmRules, Decision, Reason};
use crate::{Customer, Effect, ParentKeys};

/// Two records that were merged into one.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a merge has these three, and no more")]
pub struct MergedRecords<'a> {
    /// The surviving record as it was before.
    pub survivor_before: &'a CrmRecord,
    /// The record that is gone, as it was before.
    pub victim_before: &'a CrmRecord,
    /// The surviving record after the merge.
    pub survivor: &'a CrmRecord,
}

impl CrmRules {
    /// Two records were merged.
    ///
    /// The customer who stays is the one whose key stands on the surviving record *after* the merge, even where that key
    /// came from the other record. A record without a key of its own that look-ups could use has no customer to merge.
    pub fn records_merged(&self, merged: MergedRecords<'_>) -> Decision {
        let MergedRecords { survivor_before, victim_before, survivor } = merged;
        if survivor.object() != self.settings.parent_object {
            return Decision::Nothing(Reason::OtherObject);
        }
        if !self.settings.merge_on_parent_merge {
            return Decision::Nothing(Reason::MergeIsOff);
        }
        let (own, others, after) =
            (self.keys(survivor_before), self.keys(victim_before), self.keys(survivor));
        let (Some(own_key), Some(others_key), Some(key)) =
            (self.key(&own), self.key(&others), self.key(&after))
        else {
            return Decision::Nothing(Reason::MergedWithoutKey);
        };
        if own_key == others_key {
            return Decision::Nothing(Reason::SameCustomer);
        }
        let victim = match key {
            key if key == own_key => others,
            key if key == others_key => own,
            _ => return Decision::Nothing(Reason::KeyOfNeither),
        };
        let effect = Effect::Merge { survivor: after, victim: only_key(self, victim) };
        Decision::send(effect, None, Reason::RecordsMerged, Vec::new())
    }

    /// The customers of two merged records were merged too: the surviving record's mapped fields are sent, if records are
    /// sent by themselves. `customer` is the survivor, read after the merge.
    pub fn customers_merged(&self, survivor: &CrmRecord, customer: &Customer) -> Decision {
        if survivor.object() != self.settings.parent_object {
            return Decision::Nothing(Reason::OtherObject);
        }
        if !self.settings.merge_on_parent_merge {
            return Decision::Nothing(Reason::MergeIsOff);
        }
        if !self.settings.sync_customer_changes {
            return Decision::Nothing(Reason::SyncIsOff);
        }
        self.update(survivor, None, customer, Reason::SurvivorSent)
    }
}

/// The one key that look-ups use: the victim's other key may be the survivor's by now.
fn only_key(rules: &CrmRules, keys: ParentKeys) -> ParentKeys {
    match rules.lookup_by {
        crate::LookupBy::ExternalId => ParentKeys { email: None, ..keys },
        crate::LookupBy::Email => ParentKeys { external_id: None, ..keys },
    }
}
