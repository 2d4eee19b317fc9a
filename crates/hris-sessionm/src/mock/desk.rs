//! The tasks of a mock desk.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hris_core::{Error, Result};

use super::{LoggedEffect, MockDesk, MockFault};
use crate::desk::LoyaltyDesk;
use crate::effects::{
    Committed, Effect, EffectKey, Leaning, Preparation, Prepared, Receipt, Refusal, Uncertain,
};
use crate::settings::{Choice, PointSource};
use crate::{
    AvailableOffer, Balances, Customer, CustomerHit, CustomerId, CustomerRef, LedgerEntry, Listing, Note,
    OfferDetails, OfferState, Paging, ParentKeys, Reward, RewardQuery, SearchBy, Tag, Timeline,
    TimelineEvent, TimelineQuery, UserOffer, UserOfferId,
};

impl MockDesk {
    fn of_customer<T>(
        &self,
        customer: &CustomerRef,
        read: impl FnOnce(&super::state::Record) -> T,
    ) -> Result<T> {
        let state = self.reading()?;
        state
            .find(customer.id())
            .map(read)
            .ok_or_else(|| Error::new(hris_core::ErrorKind::NotFound, "there is no such customer"))
    }

    fn events(&self, customer: &CustomerRef, query: &TimelineQuery) -> Result<Vec<TimelineEvent>> {
        let wanted =
            |event: &&TimelineEvent| query.event_types.is_empty() || query.event_types.contains(&event.slug);
        self.of_customer(customer, |record| record.events.iter().filter(wanted).cloned().collect())
    }
}

#[async_trait]
impl LoyaltyDesk for MockDesk {
    async fn find(&self, keys: &ParentKeys) -> Result<Option<Customer>> {
        Ok(self.reading()?.lookup(keys).map(super::state::Record::read))
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(self.reading()?.find(id).map(super::state::Record::read))
    }

    async fn search(&self, by: &SearchBy) -> Result<Vec<CustomerHit>> {
        let matches = |customer: &Customer| match by {
            SearchBy::Email(email) => {
                customer.email.as_ref().is_some_and(|held| held.folded() == email.folded())
            }
            SearchBy::ExternalId(id) => customer.has_external_id(id),
            SearchBy::MobileNumber(number) => {
                customer.phones.iter().any(|phone| phone.number == number.trim())
            }
            SearchBy::EmailAndPhone(email, number) => {
                customer.email.as_ref().is_some_and(|held| held.folded() == email.folded())
                    && customer.phones.iter().any(|phone| phone.number == number.trim())
            }
        };
        let state = self.reading()?;
        let found = state.all().filter(|record| matches(&record.customer));
        Ok(found.map(|record| CustomerHit::of(&record.customer)).collect())
    }

    async fn tags(&self, customer: &CustomerRef) -> Result<Vec<Tag>> {
        self.of_customer(customer, |record| record.tags.clone())
    }

    async fn balances(&self, customer: &CustomerRef) -> Result<Balances> {
        self.of_customer(customer, |record| Balances::of(record.accounts.clone()))
    }

    async fn ledger(
        &self,
        customer: &CustomerRef,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<LedgerEntry>> {
        let within = |entry: &&LedgerEntry| entry.at.is_none_or(|at| (from..=to).contains(&at));
        self.of_customer(customer, |record| record.ledger.iter().filter(within).cloned().collect())
    }

    fn reasons(&self) -> Vec<Choice> {
        self.state().reasons.clone()
    }

    fn point_sources(&self) -> Vec<PointSource> {
        self.state().sources.clone()
    }

    fn note_reasons(&self) -> Vec<Choice> {
        self.state().note_reasons.clone()
    }

    async fn notes(&self, customer: &CustomerRef) -> Result<Vec<Note>> {
        self.of_customer(customer, |record| record.notes.iter().rev().cloned().collect())
    }

    async fn available_offers(
        &self,
        _customer: &CustomerRef,
        paging: &Paging,
    ) -> Result<Listing<AvailableOffer>> {
        let state = self.reading()?;
        let wanted =
            |offer: &&AvailableOffer| paging.matches([Some(&*offer.title), offer.description.as_deref()]);
        Ok(Listing::of(state.available.iter().filter(wanted).cloned().collect(), paging))
    }

    async fn issued_offers(&self, customer: &CustomerRef, paging: &Paging) -> Result<Listing<UserOffer>> {
        let now = self.state().now;
        let wanted = |offer: &&UserOffer| {
            matches!(offer.state(now), OfferState::Active | OfferState::Upcoming)
                && paging.matches([Some(&*offer.name), offer.description.as_deref()])
        };
        let offers =
            self.of_customer(customer, |record| record.wallet.iter().filter(wanted).cloned().collect())?;
        Ok(Listing::of(offers, paging))
    }

    async fn past_offers(
        &self,
        customer: &CustomerRef,
        state: OfferState,
        paging: &Paging,
    ) -> Result<Listing<UserOffer>> {
        let now = self.state().now;
        let wanted = |offer: &&UserOffer| offer.state(now) == state && paging.matches([Some(&*offer.name)]);
        let offers =
            self.of_customer(customer, |record| record.wallet.iter().filter(wanted).cloned().collect())?;
        Ok(Listing::of(offers, paging))
    }

    async fn view_offer(&self, customer: &CustomerRef, copy: &UserOfferId) -> Result<Option<OfferDetails>> {
        let now = self.state().now;
        let held =
            self.of_customer(customer, |record| record.wallet.iter().find(|o| o.id == *copy).cloned())?;
        Ok(held.map(|offer| OfferDetails::new(offer, now, None)))
    }

    async fn rewards(&self, customer: &CustomerRef, query: &RewardQuery) -> Result<Listing<Reward>> {
        let points = self.points_of(customer.id());
        let wanted = |reward: &&Reward| {
            (!query.affordable_only || reward.price <= points) && query.paging.matches([Some(&*reward.title)])
        };
        let state = self.reading()?;
        Ok(Listing::of(state.rewards.iter().filter(wanted).cloned().collect(), &query.paging))
    }

    async fn timeline(&self, customer: &CustomerRef, query: &TimelineQuery) -> Result<Timeline> {
        Ok(Timeline::new(self.events(customer, query)?, query.page_size.unwrap_or(5)))
    }

    fn timeline_stream(
        &self,
        customer: &CustomerRef,
        query: &TimelineQuery,
    ) -> BoxStream<'static, Result<TimelineEvent>> {
        match self.events(customer, query) {
            Ok(mut events) => {
                events.sort_by_key(|event| event.timestamp);
                stream::iter(events.into_iter().map(Ok)).boxed()
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    /// Says the effect's word in place of a sentence.
    async fn prepare(&self, effect: Effect, key: EffectKey) -> Result<Preparation> {
        let state = self.reading()?;
        if state.log.iter().any(|logged| logged.key == key && logged.happened) {
            return Ok(Preparation::Refused(Refusal::AlreadyDone));
        }
        if let Some(refusal) = state.obstacle(&effect) {
            return Ok(Preparation::Refused(refusal));
        }
        let word = effect.as_str();
        Ok(Preparation::Ready(Box::new(Prepared::new(effect, key, word, state.now))))
    }

    async fn commit(&self, prepared: Prepared) -> Result<Committed> {
        let mut state = self.state();
        let (effect, key) = (prepared.effect().clone(), prepared.key().clone());
        let fault = state.faults.pop_front();
        let log = |happened| LoggedEffect { effect: effect.as_str(), key: key.clone(), happened };
        let obstacle = state.obstacle(&effect);
        let uncertain = |prepared: Prepared, at| {
            let evidence = vec!["the answer was lost".to_owned()];
            Committed::Uncertain(Uncertain::new(prepared, Leaning::Unknown, evidence, at))
        };
        let now = state.now;
        Ok(match (fault, obstacle) {
            (Some(MockFault::Fail(kind)), _) => {
                state.log.push(log(false));
                return Err(Error::new(kind, "nothing was sent"));
            }
            (Some(MockFault::Refuse(refusal)), _) => {
                state.log.push(log(false));
                Committed::Refused(refusal)
            }
            (Some(MockFault::LoseAnswerBefore), _) => {
                state.log.push(log(false));
                uncertain(prepared, now)
            }
            (_, Some(refusal)) => {
                state.log.push(log(false));
                Committed::Refused(refusal)
            }
            (fault, None) => {
                let done = state.carry_out(&effect, &key);
                state.log.push(log(true));
                match fault {
                    Some(_) => uncertain(prepared, now),
                    None => Committed::Done(Receipt {
                        key,
                        effect: effect.as_str(),
                        found_by_reading: false,
                        done,
                    }),
                }
            }
        })
    }

    async fn resolve(&self, uncertain: Uncertain) -> Committed {
        let state = self.state();
        let happened = state.log.iter().any(|logged| logged.key == *uncertain.key() && logged.happened);
        let now = state.now;
        drop(state);
        let (effect, key) = (uncertain.effect().as_str(), uncertain.key().clone());
        if happened {
            let done = crate::effects::Done::Added;
            return Committed::Done(Receipt { key, effect, found_by_reading: true, done });
        }
        let evidence = uncertain.evidence().to_vec();
        Committed::Uncertain(Uncertain::new(uncertain.into_prepared(), Leaning::NotDone, evidence, now))
    }
}
