//! What a mock desk holds, what it refuses, and what its effects do.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{Email, ErrorKind};

use super::{LoggedEffect, MockFault};
use crate::client::IssuedCopy;
use crate::effects::{Done, Effect, EffectKey, Refusal, Side};
use crate::settings::{Choice, LookupBy, PointSource};
use crate::{
    AvailableOffer, Balance, Balances, Customer, CustomerId, CustomerRef, ExternalId, LedgerEntry, Note,
    OfferId, OfferState, ParentKeys, PointAccountId, Points, ProfileEdit, ProfileField, ProfileValue, Reward,
    Tag, TimelineEvent, UserOffer, UserOfferId,
};

pub(super) struct State {
    pub(super) now: DateTime<Utc>,
    pub(super) lookup_by: LookupBy,
    pub(super) reasons: Vec<Choice>,
    pub(super) sources: Vec<PointSource>,
    pub(super) note_reasons: Vec<Choice>,
    pub(super) available: Vec<AvailableOffer>,
    pub(super) rewards: Vec<Reward>,
    pub(super) faults: VecDeque<MockFault>,
    pub(super) failing_reads: VecDeque<ErrorKind>,
    pub(super) log: Vec<LoggedEffect>,
    records: Vec<Record>,
    ids_given: u64,
}

/// One customer with everything about them.
pub(super) struct Record {
    pub(super) customer: Customer,
    pub(super) accounts: Vec<Balance>,
    pub(super) wallet: Vec<UserOffer>,
    pub(super) notes: Vec<Note>,
    pub(super) tags: Vec<Tag>,
    pub(super) events: Vec<TimelineEvent>,
    pub(super) ledger: Vec<LedgerEntry>,
}

impl Record {
    fn new(customer: Customer, accounts: Vec<Balance>) -> Self {
        Self {
            customer,
            accounts,
            wallet: Vec::new(),
            notes: Vec::new(),
            tags: Vec::new(),
            events: Vec::new(),
            ledger: Vec::new(),
        }
    }

    /// The customer with the balances that a full read has.
    pub(super) fn read(&self) -> Customer {
        Customer { balances: Some(Balances::of(self.accounts.clone())), ..self.customer.clone() }
    }

    fn account(&mut self, id: &PointAccountId) -> Option<&mut Balance> {
        self.accounts.iter_mut().find(|row| row.account == *id)
    }

    fn held(&mut self, copy: &UserOfferId) -> Option<&mut UserOffer> {
        self.wallet.iter_mut().find(|offer| offer.id == *copy)
    }

    /// Takes points from accounts in their order.
    fn take(&mut self, accounts: &[PointAccountId], mut points: Points) {
        let named = |row: &&mut Balance| accounts.is_empty() || accounts.contains(&row.account);
        for row in self.accounts.iter_mut().filter(named) {
            let part = points.min(row.available).max(Points::ZERO);
            row.available = row.available - part;
            points = points - part;
        }
    }

    fn spendable(&self, accounts: &[PointAccountId]) -> Result<Points, Refusal> {
        crate::effects::available_in(&Balances::of(self.accounts.clone()), accounts)
    }
}

impl State {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            lookup_by: LookupBy::default(),
            reasons: Vec::new(),
            sources: Vec::new(),
            note_reasons: Vec::new(),
            available: Vec::new(),
            rewards: Vec::new(),
            faults: VecDeque::new(),
            failing_reads: VecDeque::new(),
            log: Vec::new(),
            records: Vec::new(),
            ids_given: 0,
        }
    }

    pub(super) fn plant(&mut self, customer: Customer, accounts: Vec<Balance>) {
        self.records.retain(|record| record.customer.id != customer.id);
        self.records.push(Record::new(customer, accounts));
    }

    pub(super) fn customers(&self) -> usize {
        self.records.len()
    }

    pub(super) fn find(&self, id: &CustomerId) -> Option<&Record> {
        self.records.iter().find(|record| record.customer.id == *id)
    }

    /// A customer's record, made if there is none.
    pub(super) fn record(&mut self, id: &CustomerId) -> &mut Record {
        let known = self.records.iter().position(|record| record.customer.id == *id);
        let index = known.unwrap_or_else(|| {
            self.records.push(Record::new(Customer::new(id.clone()), Vec::new()));
            self.records.len() - 1
        });
        &mut self.records[index]
    }

    fn with_external_id(&self, id: &ExternalId) -> Option<&Record> {
        self.records.iter().find(|record| record.customer.has_external_id(id))
    }

    fn with_email(&self, email: &Email) -> Option<&Record> {
        let is = |held: &Email| held.folded() == email.folded();
        self.records.iter().find(|record| record.customer.email.as_ref().is_some_and(is))
    }

    /// By the one key.
    pub(super) fn lookup(&self, keys: &ParentKeys) -> Option<&Record> {
        match self.lookup_by {
            LookupBy::ExternalId => self.with_external_id(keys.external_id.as_ref()?),
            LookupBy::Email => self.with_email(keys.email.as_ref()?),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// Why an effect cannot be done, as things are now.
    pub(super) fn obstacle(&self, effect: &Effect) -> Option<Refusal> {
        self.check(effect).err()
    }

    fn check(&self, effect: &Effect) -> Result<(), Refusal> {
        let ensure = |holds: bool, refusal: Refusal| if holds { Ok(()) } else { Err(refusal) };
        if let Some(customer) = effect.customer() {
            let record = self.find(customer.id()).ok_or(Refusal::UnknownCustomer)?;
            let receives = matches!(
                effect,
                Effect::Award { .. }
                    | Effect::Issue { .. }
                    | Effect::Reissue { .. }
                    | Effect::Purchase { .. }
            );
            ensure(!(receives && record.customer.suspended), Refusal::Suspended)?;
        }
        match effect {
            Effect::Create(new) => self.check_create(&new.keys()),
            Effect::Enrol { customer } => ensure(
                self.find(customer.id()).is_some_and(|r| !r.customer.opted_in),
                Refusal::AlreadyEnrolled,
            ),
            Effect::Update { customer, edit } => {
                let differs =
                    self.find(customer.id()).is_some_and(|r| !r.customer.differs_from(edit).is_empty());
                ensure(differs, Refusal::NothingToDo)
            }
            Effect::Tag { tags, .. } => ensure(!tags.is_empty(), Refusal::NoTags),
            Effect::Merge { survivor, victim } => {
                let stays = self.lookup(survivor).ok_or(Refusal::UnknownSide(Side::Survivor))?;
                let goes = self.lookup(victim).ok_or(Refusal::UnknownSide(Side::Victim))?;
                ensure(stays.customer.id != goes.customer.id, Refusal::SameCustomer)
            }
            Effect::Award { customer, account, amount, .. } => {
                ensure(amount.is_positive(), Refusal::AmountNotPositive)?;
                let has = self
                    .find(customer.id())
                    .is_some_and(|r| r.accounts.iter().any(|row| row.account == *account));
                ensure(has, Refusal::UnknownAccount)
            }
            Effect::Deduct { customer, accounts, amount, .. } => {
                ensure(amount.is_positive(), Refusal::AmountNotPositive)?;
                self.check_points(customer, accounts, *amount)
            }
            Effect::Note { comment, .. } => {
                ensure(!comment.as_str().trim().is_empty(), Refusal::BlankComment)
            }
            Effect::Issue { offer, quantity, .. } => {
                ensure(*quantity > 0, Refusal::QuantityOutOfRange)?;
                ensure(self.available.iter().any(|known| known.id == *offer), Refusal::OfferNotAvailable)
            }
            Effect::Reissue { customer, copy } => match self.state_of(customer, copy)? {
                OfferState::Expired => Ok(()),
                OfferState::Redeemed => Err(Refusal::AlreadyRedeemed),
                _ => Err(Refusal::OfferNotExpired),
            },
            Effect::Revoke { customer, copy, .. } => match self.state_of(customer, copy)? {
                OfferState::Redeemed => Err(Refusal::AlreadyRedeemed),
                OfferState::Expired => Err(Refusal::OfferExpired),
                _ => Ok(()),
            },
            Effect::Redeem { customer, copy } => match self.state_of(customer, copy)? {
                OfferState::Redeemed => Err(Refusal::AlreadyRedeemed),
                OfferState::Expired => Err(Refusal::OfferExpired),
                OfferState::Upcoming => Err(Refusal::OfferNotYetRedeemable),
                OfferState::Active => Ok(()),
            },
            Effect::Extend { customer, copy, from, until } => {
                ensure(from < until, Refusal::EndBeforeStart)?;
                ensure(*until > self.now, Refusal::EndInPast)?;
                let state = self.state_of(customer, copy)?;
                ensure(state != OfferState::Redeemed, Refusal::AlreadyRedeemed)
            }
            Effect::Purchase { customer, reward, quantity, accounts } => {
                let known = self.rewards.iter().find(|known| known.id == *reward);
                let price = known.ok_or(Refusal::RewardNotAvailable)?.price.times(*quantity);
                ensure(*quantity > 0, Refusal::QuantityOutOfRange)?;
                self.check_points(customer, accounts, price.unwrap_or_default())
            }
        }
    }

    fn check_create(&self, keys: &ParentKeys) -> Result<(), Refusal> {
        let by_id =
            keys.external_id.as_ref().and_then(|id| self.with_external_id(id)).map(|r| r.customer.id.clone());
        let by_email =
            keys.email.as_ref().and_then(|email| self.with_email(email)).map(|r| r.customer.id.clone());
        let has_key = match self.lookup_by {
            LookupBy::ExternalId => keys.external_id.is_some(),
            LookupBy::Email => keys.email.is_some(),
        };
        match (by_id, by_email) {
            _ if !has_key => Err(Refusal::NoKey),
            (Some(one), Some(other)) if one != other => Err(Refusal::KeysDisagree),
            (Some(one), _) => Err(Refusal::AlreadyExists(one)),
            (None, Some(other)) => Err(Refusal::EmailInUse(other)),
            (None, None) => Ok(()),
        }
    }

    fn check_points(
        &self,
        customer: &CustomerRef,
        accounts: &[PointAccountId],
        needed: Points,
    ) -> Result<(), Refusal> {
        let record = self.find(customer.id()).ok_or(Refusal::UnknownCustomer)?;
        let available = record.spendable(accounts)?;
        if available < needed { Err(Refusal::InsufficientPoints { needed, available }) } else { Ok(()) }
    }

    fn state_of(&self, customer: &CustomerRef, copy: &UserOfferId) -> Result<OfferState, Refusal> {
        let record = self.find(customer.id()).ok_or(Refusal::UnknownCustomer)?;
        let held = record.wallet.iter().find(|offer| offer.id == *copy).ok_or(Refusal::OfferNotHeld)?;
        Ok(held.state(self.now))
    }

    fn new_id(&mut self, kind: &str) -> String {
        self.ids_given += 1;
        format!("mock-{kind}-{}", self.ids_given)
    }

    /// Carries an effect out that has no obstacle.
    pub(super) fn carry_out(&mut self, effect: &Effect, key: &EffectKey) -> Done {
        match effect {
            Effect::Create(new) => {
                let mut customer = Customer::new(self.new_id("customer"));
                customer.external_id.clone_from(&new.external_id);
                customer.email.clone_from(&new.email);
                customer.opted_in = new.opted_in;
                customer.created_at = Some(self.now);
                write(&mut customer, &new.profile);
                self.plant(customer.clone(), Vec::new());
                changed(customer)
            }
            Effect::Enrol { customer } => {
                let record = self.record(customer.id());
                record.customer.opted_in = true;
                changed(record.read())
            }
            Effect::Update { customer, edit } => {
                let record = self.record(customer.id());
                write(&mut record.customer, edit);
                changed(record.read())
            }
            Effect::Tag { customer, tags, seconds } => {
                let expires_at = seconds
                    .and_then(|seconds| i64::try_from(seconds).ok())
                    .and_then(TimeDelta::try_seconds)
                    .and_then(|life| self.now.checked_add_signed(life));
                let new = tags.iter().map(|name| Tag { expires_at, ..Tag::new(name) });
                self.record(customer.id()).tags.extend(new);
                Done::Added
            }
            Effect::Merge { survivor, victim } => self.merge(survivor, victim),
            Effect::Award { customer, account, amount, reason, .. } => {
                let record = self.move_points(customer, *amount, reason, key);
                if let Some(row) = record.account(account) {
                    row.available = row.available + *amount;
                    row.lifetime = row.lifetime + *amount;
                }
                Done::Points { balance: record.account(account).map(|row| row.available) }
            }
            Effect::Deduct { customer, accounts, amount, reason } => {
                let record = self.move_points(customer, Points::ZERO - *amount, reason, key);
                record.take(accounts, *amount);
                Done::Points { balance: record.spendable(accounts).ok() }
            }
            Effect::Note { customer, reason, comment } => {
                let mut note = Note::new(reason.clone(), comment.as_str());
                note.id = Some(self.new_id("note"));
                note.created_at = Some(self.now);
                self.record(customer.id()).notes.push(note);
                Done::Added
            }
            Effect::Issue { customer, offer, quantity } => self.issue(customer, offer, *quantity),
            Effect::Reissue { customer, copy } => {
                let offer = self.record(customer.id()).held(copy).and_then(|held| held.reissue_id());
                self.issue(customer, &offer.unwrap_or_else(|| copy.as_str().into()), 1)
            }
            Effect::Revoke { customer, copy, .. } => {
                self.record(customer.id()).wallet.retain(|offer| offer.id != *copy);
                Done::Copy(copy.clone())
            }
            Effect::Redeem { customer, copy } => {
                let now = self.now;
                if let Some(held) = self.record(customer.id()).held(copy) {
                    held.redeemed_at = Some(now);
                }
                Done::Copy(copy.clone())
            }
            Effect::Extend { customer, copy, from, until } => {
                if let Some(held) = self.record(customer.id()).held(copy) {
                    held.redeemable_from = Some(*from);
                    held.redeemable_until = Some(*until);
                }
                Done::Copy(copy.clone())
            }
            Effect::Purchase { customer, reward, quantity, accounts } => {
                let Some(reward) = self.rewards.iter().find(|known| known.id == *reward).cloned() else {
                    return Done::Added;
                };
                let price = reward.price.times(*quantity).unwrap_or_default();
                self.move_points(customer, Points::ZERO - price, "purchase", key).take(accounts, price);
                let offer = reward.root_offer_id.as_ref().map_or(reward.id.as_str(), |root| root.as_str());
                self.issue(customer, &OfferId::from(offer), *quantity)
            }
        }
    }

    fn move_points(
        &mut self,
        customer: &CustomerRef,
        change: Points,
        reason: &str,
        key: &EffectKey,
    ) -> &mut Record {
        let mut entry = LedgerEntry::new(self.new_id("ledger"), change);
        entry.reason = Some(reason.to_owned());
        entry.reference = Some(key.as_str().to_owned());
        entry.at = Some(self.now);
        let record = self.record(customer.id());
        record.ledger.push(entry);
        record
    }

    fn issue(&mut self, customer: &CustomerRef, offer: &OfferId, quantity: u32) -> Done {
        let title = self.available.iter().find(|known| known.id == *offer).map(|known| known.title.clone());
        let now = self.now;
        let copies: Vec<_> = (0..quantity).map(|_| UserOfferId::from(self.new_id("copy"))).collect();
        for id in &copies {
            let mut copy = UserOffer::new(id.clone(), title.clone().unwrap_or_else(|| offer.to_string()));
            copy.root_offer_id = Some(offer.as_str().into());
            copy.acquired_at = Some(now);
            self.record(customer.id()).wallet.push(copy);
        }
        let points_left = self.find(customer.id()).and_then(|record| record.spendable(&[]).ok());
        let told = |id| IssuedCopy { id: Some(id), fail_reason: None };
        Done::Copies { copies: copies.into_iter().map(told).collect(), points_left }
    }

    /// The victim's points, wallet, notes and ids go to the survivor.
    fn merge(&mut self, survivor: &ParentKeys, victim: &ParentKeys) -> Done {
        let ids = self.lookup(survivor).zip(self.lookup(victim));
        let Some((stays, goes)) =
            ids.map(|(stays, goes)| (stays.customer.id.clone(), goes.customer.id.clone()))
        else {
            return Done::Customer { customer: None, unconfirmed: Vec::new() };
        };
        let Some(index) = self.records.iter().position(|record| record.customer.id == goes) else {
            return Done::Customer { customer: None, unconfirmed: Vec::new() };
        };
        let gone = self.records.remove(index);
        let record = self.record(&stays);
        for row in gone.accounts {
            match record.account(&row.account) {
                Some(own) => {
                    own.available = own.available + row.available;
                    own.lifetime = own.lifetime + row.lifetime;
                }
                None => record.accounts.push(row),
            }
        }
        record.wallet.extend(gone.wallet);
        record.notes.extend(gone.notes);
        record.ledger.extend(gone.ledger);
        record.events.extend(gone.events);
        changed(record.read())
    }
}

fn changed(customer: Customer) -> Done {
    Done::Customer { customer: Some(Box::new(customer)), unconfirmed: Vec::new() }
}

/// Writes an edit's native fields; fields of the organisation's own are not kept.
fn write(customer: &mut Customer, edit: &ProfileEdit) {
    for (field, value) in edit.iter() {
        let text = match value {
            Some(ProfileValue::Text(text)) => Some(text.clone()),
            _ => None,
        };
        match (field, value) {
            (ProfileField::FirstName, _) => customer.first_name = text,
            (ProfileField::LastName, _) => customer.last_name = text,
            (ProfileField::Gender, _) => customer.gender = text,
            (ProfileField::Address, _) => customer.address = text,
            (ProfileField::Address2, _) => customer.address2 = text,
            (ProfileField::City, _) => customer.city = text,
            (ProfileField::State, _) => customer.state = text,
            (ProfileField::Zip, _) => customer.zip = text,
            (ProfileField::Country, _) => customer.country = text,
            (ProfileField::Locale, _) => customer.locale = text,
            (ProfileField::Email, _) => customer.email = text.as_deref().and_then(Email::parse),
            (ProfileField::ExternalId, _) => {
                customer.external_id = text.as_deref().and_then(ExternalId::parse);
            }
            (ProfileField::BirthDate, Some(ProfileValue::Date(date))) => customer.birth_date = Some(*date),
            (ProfileField::BirthDate, _) => customer.birth_date = None,
            (ProfileField::OptedIn, Some(ProfileValue::Flag(flag))) => customer.opted_in = *flag,
            (ProfileField::PhoneNumbers, Some(ProfileValue::Phones(phones))) => {
                customer.phones.clone_from(phones);
            }
            (ProfileField::PhoneNumbers, _) => customer.phones.clear(),
            _ => {}
        }
    }
}
