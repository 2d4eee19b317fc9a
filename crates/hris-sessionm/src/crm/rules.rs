//! What is to be done when a record is created, changed or shown, and when an agent saves, enrols or asks.

use hris_core::{Email, Error, Result};

use super::mapping::{Edit, Mappings, unwritable};
use super::{CrmChange, CrmRecord, CrmSettings, Decision, OwnWrites, Reason};
use crate::profile::{ProfileEdit, ProfileField};
use crate::settings::LookupBy;
use crate::{Customer, CustomerRef, Effect, ExternalId, NewCustomer, ParentKeys};

/// What a look-up by [`CrmRules::keys`] found: nobody, or this customer. A look-up that failed is neither; decide nothing.
pub type Found<'a> = Option<&'a Customer>;

/// The rules of one CRM.
#[derive(Clone, Debug)]
pub struct CrmRules {
    pub(super) settings: CrmSettings,
    pub(super) lookup_by: LookupBy,
    pub(super) mappings: Mappings,
}

impl CrmRules {
    /// Checks the settings and compiles the field mapping.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) with what to change.
    pub fn new(settings: CrmSettings, lookup_by: LookupBy) -> Result<Self> {
        settings.validate()?;
        let unwritable = unwritable(&settings);
        if !unwritable.is_empty() {
            let targets = Vec::from_iter(unwritable).join(", ");
            return Err(Error::config(
                "the CRM mapping writes fields that it cannot",
                "leave the rules out; both keys have settings of their own",
            )
            .with_context("targets", targets));
        }
        let mappings = Mappings::new(&settings)?;
        Ok(Self { settings, lookup_by, mappings })
    }

    /// The settings.
    pub fn settings(&self) -> &CrmSettings {
        &self.settings
    }

    /// The keys of a record's customer. An empty external id is the record's own id: that is what a customer without
    /// one is enrolled under.
    pub fn keys(&self, record: &CrmRecord) -> ParentKeys {
        let own = record.text(&self.settings.external_id_field).unwrap_or(record.id());
        ParentKeys { external_id: ExternalId::parse(own), email: self.email(record) }
    }

    /// The keys under which a changed record's customer is to be looked up: those from before, if the looked-up key is
    /// what changed.
    pub fn keys_of_edit(&self, before: &CrmRecord, after: &CrmRecord) -> ParentKeys {
        let old = self.keys(before);
        if self.key(&old).is_some() { old } else { self.keys(after) }
    }

    fn email(&self, record: &CrmRecord) -> Option<Email> {
        record.text(&self.settings.email_field).and_then(Email::parse)
    }

    /// The one key that look-ups use.
    pub(super) fn key(&self, keys: &ParentKeys) -> Option<String> {
        match self.lookup_by {
            LookupBy::ExternalId => keys.external_id.as_ref().map(|id| id.as_str().to_owned()),
            LookupBy::Email => keys.email.as_ref().map(Email::folded),
        }
    }

    /// A record was created.
    pub fn record_created(&self, record: &CrmRecord, found: Found<'_>) -> Decision {
        if let Some(reason) = self.held_back(record) {
            return Decision::Nothing(reason);
        }
        match found {
            None => self.create(record, self.settings.enroll_in_loyalty, true, Reason::RecordCreated),
            Some(customer) => self.update(record, None, customer, Reason::RecordCreated),
        }
    }

    /// A record was changed, by whoever. `found` is the customer of [`CrmRules::keys_of_edit`].
    ///
    /// Our own writes to the record are recognised by `own` and not sent back; what somebody changed beside them is.
    pub fn record_edited(
        &self,
        (before, after): (&CrmRecord, &CrmRecord),
        found: Found<'_>,
        own: &mut OwnWrites,
    ) -> Decision {
        let changed = after.changed_since(before);
        let theirs: Vec<_> = changed.iter().filter(|field| !own.take(after, field)).cloned().collect();
        if theirs.is_empty() && !changed.is_empty() {
            return Decision::Nothing(Reason::OwnWrite);
        }
        if let Some(reason) = self.held_back(after) {
            return Decision::Nothing(reason);
        }
        if !theirs.iter().any(|field| self.mappings.reads(field)) {
            return Decision::Nothing(Reason::NotMapped);
        }
        match found {
            None => self.create(after, self.settings.enroll_in_loyalty, true, Reason::CustomerMissing),
            Some(customer) => self.update(after, Some(&theirs), customer, Reason::RecordEdited),
        }
    }

    /// Why nothing of a record is sent by itself.
    fn held_back(&self, record: &CrmRecord) -> Option<Reason> {
        if record.object() != self.settings.parent_object {
            Some(Reason::OtherObject)
        } else if !self.settings.sync_customer_changes {
            Some(Reason::SyncIsOff)
        } else if self.key(&self.keys(record)).is_none() {
            Some(Reason::NoKey)
        } else {
            None
        }
    }

    /// An agent saved the profile on the screen. It is always sent, and written to the record where it is mapped.
    pub fn profile_saved(&self, record: &CrmRecord, edit: &ProfileEdit, found: Found<'_>) -> Decision {
        if record.object() != self.settings.parent_object {
            return Decision::Nothing(Reason::OtherObject);
        }
        let change = self.mappings.change_of_edit(record, edit);
        match found {
            Some(customer) => {
                let differs = customer.differs_from(edit);
                let write_back = change.and(None);
                if differs.is_empty() {
                    return match write_back {
                        Some(change) => Decision::write(change, Reason::ProfileSaved, Vec::new()),
                        None => Decision::Nothing(Reason::AlreadyEqual),
                    };
                }
                let effect = Effect::Update { customer: customer.reference(), edit: edit.clone() };
                Decision::send(effect, write_back, Reason::ProfileSaved, Vec::new())
            }
            None if !self.settings.sync_customer_changes => Decision::Nothing(Reason::NotEnrolled),
            None => self.create_with(record, edit, change),
        }
    }

    /// An agent pressed *Enroll*: enrolled, whatever the automatic box says, with both keys and nothing else.
    pub fn enrol_pressed(&self, record: &CrmRecord, found: Found<'_>) -> Decision {
        if record.object() != self.settings.parent_object {
            return Decision::Nothing(Reason::OtherObject);
        }
        if self.key(&self.keys(record)).is_none() {
            return Decision::Nothing(Reason::NoKey);
        }
        match found {
            None => self.create(record, true, false, Reason::AgentEnrolled),
            Some(customer) if customer.opted_in => Decision::Nothing(Reason::AlreadyEnrolled),
            Some(customer) => {
                let effect = Effect::Enrol { customer: customer.reference() };
                Decision::send(effect, None, Reason::AgentEnrolled, Vec::new())
            }
        }
    }

    /// The customer's data was loaded on the record's page.
    pub fn shown(&self, record: &CrmRecord, customer: &Customer) -> Decision {
        if !self.settings.auto_sync_from_sessionm {
            return Decision::Nothing(Reason::AutoSyncIsOff);
        }
        self.bring_over(record, customer, Reason::ShownWithAutoSync)
    }

    /// An agent pressed *Sync from SM*.
    pub fn sync_pressed(&self, record: &CrmRecord, customer: &Customer) -> Decision {
        self.bring_over(record, customer, Reason::AgentSynced)
    }

    fn bring_over(&self, record: &CrmRecord, customer: &Customer, reason: Reason) -> Decision {
        if record.object() != self.settings.parent_object {
            return Decision::Nothing(Reason::OtherObject);
        }
        let (change, problems) = self.mappings.change(record, customer);
        match change.and(None) {
            Some(change) => Decision::write(change, reason, problems),
            None => Decision::Nothing(Reason::AlreadyEqual),
        }
    }

    /// A new customer for a record; an empty external id takes the record's own, which is written back.
    fn create(&self, record: &CrmRecord, enrolled: bool, with_fields: bool, reason: Reason) -> Decision {
        let Edit { edit, problems } =
            if with_fields { self.mappings.edit(record, None, None) } else { Edit::default() };
        let effect = self.new_customer(record, edit, enrolled);
        Decision::send(effect, self.fall_back(record), reason, problems)
    }

    /// A new customer with what an agent saved on top of what the record has.
    fn create_with(&self, record: &CrmRecord, edit: &ProfileEdit, change: CrmChange) -> Decision {
        let Edit { edit: mapped, problems } = self.mappings.edit(record, None, None);
        let profile = mapped.and(edit);
        let effect = self.new_customer(record, profile, self.settings.enroll_in_loyalty);
        let write_back = change.and(self.fall_back(record));
        Decision::send(effect, write_back, Reason::CustomerMissing, problems)
    }

    fn new_customer(&self, record: &CrmRecord, mut profile: ProfileEdit, enrolled: bool) -> Effect {
        let mut keys = self.keys(record);
        // A key that an agent typed beats the record's.
        if let Some(email) = profile.text(&ProfileField::Email).and_then(Email::parse) {
            keys.email = Some(email);
        }
        let opted_in = match profile.get(&ProfileField::OptedIn) {
            Some(Some(crate::ProfileValue::Flag(flag))) => *flag,
            _ => enrolled,
        };
        for key in [ProfileField::ExternalId, ProfileField::Email, ProfileField::OptedIn] {
            profile.remove(&key);
        }
        profile.drop_cleared();
        let mut new = NewCustomer::enrolled(keys).with_profile(profile);
        new.opted_in = opted_in;
        Effect::Create(Box::new(new))
    }

    /// The record's own id as its external id, where that is empty.
    fn fall_back(&self, record: &CrmRecord) -> Option<CrmChange> {
        if record.text(&self.settings.external_id_field).is_some() {
            return None;
        }
        let mut change = CrmChange::of(record);
        change.fields.insert(self.settings.external_id_field.clone(), Some(record.id().into()));
        Some(change)
    }

    pub(super) fn update(
        &self,
        record: &CrmRecord,
        changed: Option<&[String]>,
        customer: &Customer,
        reason: Reason,
    ) -> Decision {
        let Edit { mut edit, problems } = self.mappings.edit(record, changed, Some(customer));
        let differs = customer.differs_from(&edit);
        let same: Vec<_> = edit.fields().filter(|field| !differs.contains(field)).cloned().collect();
        for field in &same {
            edit.remove(field);
        }
        if edit.is_empty() {
            return match self.fall_back(record).filter(|_| reason == Reason::RecordCreated) {
                Some(change) => Decision::write(change, reason, problems),
                None => Decision::Nothing(Reason::AlreadyEqual),
            };
        }
        let write_back = self.fall_back(record).filter(|_| reason == Reason::RecordCreated);
        let customer: CustomerRef = customer.reference();
        Decision::send(Effect::Update { customer, edit }, write_back, reason, problems)
    }
}
