//! Preconditions of what changes customers: create, enrol, update, tag, merge.

use chrono::{Datelike as _, NaiveDate};
use hris_core::{Email, Result};

use super::prepare::{Check, Checked, held, refuse};
use super::{Before, Refusal, Side};
use crate::client::SessionM;
use crate::settings::LookupBy;
use crate::{
    Customer, CustomerId, CustomerRef, ExternalId, NewCustomer, ParentKeys, ProfileEdit, ProfileField,
    ProfileValue, Tag,
};

/// The age, in years, that a customer must have completed at the least. SessionM says "older than 13"; whether that
/// takes in the year after the 13th birthday is left to SessionM.
const LEAST_AGE: i32 = 13;

impl SessionM {
    /// Both keys are held against the customers there are, since a second customer cannot be undone but by a merge.
    pub(super) async fn check_create(&self, new: &NewCustomer) -> Check {
        let keys = new.keys();
        let has_key = match self.lookup_by() {
            LookupBy::ExternalId => keys.external_id.is_some(),
            LookupBy::Email => keys.email.is_some(),
        };
        if !has_key {
            refuse!(Refusal::NoKey);
        }
        if let Some(refusal) = self.unfit_profile(&new.profile) {
            refuse!(refusal);
        }
        if let Some(refusal) = self.taken(&keys).await? {
            refuse!(refusal);
        }
        let summary = if new.opted_in {
            "Create this customer in SessionM and enrol them in the loyalty programme."
        } else {
            "Create this customer in SessionM without enrolling them in the loyalty programme."
        };
        Ok(Ok(Checked::new(summary.to_owned(), Before::default())))
    }

    /// Why a customer with these keys cannot be created: the looked-up key first.
    async fn taken(&self, keys: &ParentKeys) -> Result<Option<Refusal>> {
        let by_id = match &keys.external_id {
            Some(id) => self.customer_by_external_id(id).await?,
            None => None,
        };
        let by_email = match &keys.email {
            Some(email) => self.customer_by_email(email).await?,
            None => None,
        };
        let (by_key, by_other) = match self.lookup_by() {
            LookupBy::ExternalId => (by_id.clone(), by_email.clone()),
            LookupBy::Email => (by_email.clone(), by_id.clone()),
        };
        Ok(match (by_key, by_other) {
            (Some(one), Some(other)) if one.id != other.id => Some(Refusal::KeysDisagree),
            (Some(one), _) => Some(Refusal::AlreadyExists(one.id)),
            (None, Some(_)) => by_email
                .map(|found| Refusal::EmailInUse(found.id))
                .or_else(|| by_id.map(|found| Refusal::ExternalIdInUse(found.id))),
            (None, None) => None,
        })
    }

    pub(super) async fn check_enrol(&self, customer: &CustomerRef) -> Check {
        let found = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        if found.opted_in {
            refuse!(Refusal::AlreadyEnrolled);
        }
        let before = Before { customer: Some(Box::new(found)), ..Before::default() };
        Ok(Ok(Checked::new("Enrol this customer in the loyalty programme.".to_owned(), before)))
    }

    pub(super) async fn check_update(&self, customer: &CustomerRef, edit: &ProfileEdit) -> Check {
        if let Some(refusal) = self.unfit_profile(edit) {
            refuse!(refusal);
        }
        let found = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        let changed = found.differs_from(edit);
        if changed.is_empty() {
            refuse!(Refusal::NothingToDo);
        }
        if let Some(refusal) = self.key_taken(&found, edit).await? {
            refuse!(refusal);
        }
        let names = changed.iter().map(ProfileField::to_string).collect::<Vec<_>>().join(", ");
        let before = Before { customer: Some(Box::new(found)), ..Before::default() };
        Ok(Ok(Checked::new(format!("Change this customer's profile: {names}."), before)))
    }

    /// A change of a key is held against the customers there are.
    async fn key_taken(&self, customer: &Customer, edit: &ProfileEdit) -> Result<Option<Refusal>> {
        let is_other = |found: &Customer| found.id != customer.id;
        if let Some(email) = edit.text(&ProfileField::Email).and_then(Email::parse)
            && customer.email.as_ref().is_none_or(|held| held.folded() != email.folded())
            && let Some(other) = self.customer_by_email(&email).await?.filter(is_other)
        {
            return Ok(Some(Refusal::EmailInUse(other.id)));
        }
        if let Some(id) = edit.text(&ProfileField::ExternalId).and_then(ExternalId::parse)
            && !customer.has_external_id(&id)
            && let Some(other) = self.customer_by_external_id(&id).await?.filter(is_other)
        {
            return Ok(Some(Refusal::ExternalIdInUse(other.id)));
        }
        Ok(None)
    }

    fn unfit_profile(&self, edit: &ProfileEdit) -> Option<Refusal> {
        let locked = &self.settings().profile.read_only;
        if let Some(field) = edit.fields().find(|field| locked.contains(field)) {
            return Some(Refusal::ReadOnlyField(field.clone()));
        }
        match edit.get(&ProfileField::BirthDate) {
            Some(Some(ProfileValue::Date(born))) if is_under_age(*born, self.now().date_naive()) => {
                Some(Refusal::UnderAge)
            }
            _ => None,
        }
    }

    pub(super) async fn check_tag(
        &self,
        customer: &CustomerRef,
        tags: &[String],
        seconds: Option<u64>,
    ) -> Check {
        if tags.is_empty() || tags.iter().any(|tag| tag.trim().is_empty()) {
            refuse!(Refusal::NoTags);
        }
        let found = held!(self.customer_by_id(customer.id()).await?, Refusal::UnknownCustomer);
        // How tags are listed is not public; without it a lost answer stays uncertain, and that is all.
        let held: Option<Vec<Tag>> = self.read_tags(&found.id).await.ok();
        let listed = tags.join(", ");
        let summary = match seconds {
            Some(seconds) => format!("Tag this customer with {listed} for {seconds} seconds."),
            None => format!("Tag this customer with {listed}, each counted once more."),
        };
        let before = Before { customer: Some(Box::new(found)), tags: held, ..Before::default() };
        Ok(Ok(Checked::new(summary, before)))
    }

    pub(super) async fn check_merge(&self, survivor: &ParentKeys, victim: &ParentKeys) -> Check {
        self.merge_call()?;
        let stays = held!(self.find_customer(survivor).await?, Refusal::UnknownSide(Side::Survivor));
        let goes = held!(self.find_customer(victim).await?, Refusal::UnknownSide(Side::Victim));
        if stays.id == goes.id {
            refuse!(Refusal::SameCustomer);
        }
        if !self.keys_agree(survivor, &[&stays.id, &goes.id]).await? {
            refuse!(Refusal::KeysDisagree);
        }
        let (persistent, legacy) = merge_ids((survivor, &stays), (victim, &goes));
        for (side, place, id) in [
            (Side::Survivor, "persistent_external_id", persistent),
            (Side::Victim, "legacy_external_id", legacy),
        ] {
            if self.merge_needs(place)
                && let Some(refusal) = Refusal::no_external_id(side, id)
            {
                refuse!(refusal);
            }
        }
        let mut warnings = vec!["A merge cannot be undone.".to_owned()];
        for (side, customer) in [(Side::Survivor, &stays), (Side::Victim, &goes)] {
            if customer.suspended {
                warnings.push(format!("In this merge {side} is suspended."));
            }
        }
        let summary = format!("Merge customer {} into customer {}, who stays.", goes.id, stays.id);
        let before =
            Before { customer: Some(Box::new(stays)), victim: Some(Box::new(goes)), ..Before::default() };
        Ok(Ok(Checked { summary, warnings, before }))
    }

    /// Whether the surviving record's other key, too, belongs to one of the two or to nobody.
    async fn keys_agree(&self, keys: &ParentKeys, of: &[&CustomerId]) -> Result<bool> {
        let other = match (self.lookup_by(), &keys.external_id, &keys.email) {
            (LookupBy::ExternalId, _, Some(email)) => self.customer_by_email(email).await?,
            (LookupBy::Email, Some(id), _) => self.customer_by_external_id(id).await?,
            _ => None,
        };
        Ok(other.is_none_or(|other| of.contains(&&other.id)))
    }
}

/// The external ids of a merge: the one on the record where it is the customer's, else the customer's own.
pub(super) fn merge_ids<'a>(
    survivor: (&'a ParentKeys, &'a Customer),
    victim: (&'a ParentKeys, &'a Customer),
) -> (Option<&'a ExternalId>, Option<&'a ExternalId>) {
    let id = |(keys, customer): (&'a ParentKeys, &'a Customer)| {
        let on_record = keys.external_id.as_ref().filter(|id| customer.has_external_id(id));
        on_record.or(customer.external_id.as_ref())
    };
    (id(survivor), id(victim))
}

/// Whether somebody is certainly too young, wherever on Earth today is.
fn is_under_age(born: NaiveDate, today: NaiveDate) -> bool {
    let latest = today.succ_opt().unwrap_or(today);
    let had_birthday = (latest.month(), latest.day()) >= (born.month(), born.day());
    let age = latest.year() - born.year() - i32::from(!had_birthday);
    age < LEAST_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn only_who_is_certainly_under_age_is_refused_here() {
        let today = date("2026-03-02");
        for (born, under) in [
            ("2013-03-02", false),
            ("2013-03-03", false), // their birthday is today where the day began earlier
            ("2013-03-04", true),
            ("2024-02-29", true),
            ("1988-03-14", false),
            ("2030-01-01", true),
        ] {
            assert_eq!(is_under_age(date(born), today), under, "{born}");
        }
    }
}
