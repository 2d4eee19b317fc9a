//! The tasks of a service desk as a trait, so that an application's test can replace the client without HTTP.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use hris_core::Result;

use crate::client::SessionM;
use crate::effects::{Committed, Effect, EffectKey, Preparation, Prepared, Uncertain};
use crate::settings::{Choice, PointSource};
use crate::{
    AvailableOffer, Balances, Customer, CustomerHit, CustomerId, CustomerRef, LedgerEntry, Listing, Note,
    OfferDetails, OfferState, Paging, ParentKeys, Reward, RewardQuery, SearchBy, Tag, Timeline,
    TimelineEvent, TimelineQuery, UserOffer, UserOfferId,
};

/// Everything that an agent does with a customer's loyalty data.
///
/// Readings answer what SessionM says; `None` is its word for "there is no such customer", and never a failure.
/// Whatever changes something is an [`Effect`]: prepared, confirmed by the agent, committed.
///
/// # Contract
///
/// * [`LoyaltyDesk::prepare`] changes nothing. [`LoyaltyDesk::commit`] sends one request that changes something, and
///   never sends it again: what is unclear is read.
/// * A task that needs settings which were not given is an error of kind
///   [`Unsupported`](hris_core::ErrorKind::Unsupported) that says what to ask the vendor for.
/// * Dropping the future of a commit leaves it unknown whether it happened; prepare it again with the same key, and
///   compare.
#[async_trait]
pub trait LoyaltyDesk: fmt::Debug + Send + Sync + 'static {
    /// Looks a customer up by the one key that the settings name, with profile, tiers and balances in one read.
    async fn find(&self, keys: &ParentKeys) -> Result<Option<Customer>>;

    /// Reads a customer again.
    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>>;

    /// Everybody whom a search finds.
    async fn search(&self, by: &SearchBy) -> Result<Vec<CustomerHit>>;

    /// A customer's tags.
    async fn tags(&self, customer: &CustomerRef) -> Result<Vec<Tag>>;

    /// The points table: a row an account.
    async fn balances(&self, customer: &CustomerRef) -> Result<Balances>;

    /// The point ledger between two instants, at most a year apart.
    async fn ledger(
        &self,
        customer: &CustomerRef,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<LedgerEntry>>;

    /// The drop-down of reasons for awards.
    fn reasons(&self) -> Vec<Choice>;

    /// The drop-down of point sources.
    fn point_sources(&self) -> Vec<PointSource>;

    /// The drop-down of reasons for notes; "none" is always a choice beside them.
    fn note_reasons(&self) -> Vec<Choice>;

    /// A customer's notes, newest first.
    async fn notes(&self, customer: &CustomerRef) -> Result<Vec<Note>>;

    /// The offers that can be issued to a customer.
    async fn available_offers(
        &self,
        customer: &CustomerRef,
        paging: &Paging,
    ) -> Result<Listing<AvailableOffer>>;

    /// The offers in a customer's wallet.
    async fn issued_offers(&self, customer: &CustomerRef, paging: &Paging) -> Result<Listing<UserOffer>>;

    /// A customer's offers that are over: [`OfferState::Expired`] or [`OfferState::Redeemed`].
    async fn past_offers(
        &self,
        customer: &CustomerRef,
        state: OfferState,
        paging: &Paging,
    ) -> Result<Listing<UserOffer>>;

    /// One issued copy, with what is known of its offer; `None` if the customer holds no such copy.
    async fn view_offer(&self, customer: &CustomerRef, copy: &UserOfferId) -> Result<Option<OfferDetails>>;

    /// What points buy.
    async fn rewards(&self, customer: &CustomerRef, query: &RewardQuery) -> Result<Listing<Reward>>;

    /// A customer's activity, newest first, up to the cap of the settings; pages are cut from it.
    async fn timeline(&self, customer: &CustomerRef, query: &TimelineQuery) -> Result<Timeline>;

    /// A customer's activity as a stream, oldest first, without a cap.
    fn timeline_stream(
        &self,
        customer: &CustomerRef,
        query: &TimelineQuery,
    ) -> BoxStream<'static, Result<TimelineEvent>>;

    /// Checks an effect's preconditions and says in words what will happen. `key` is our own key of it.
    async fn prepare(&self, effect: Effect, key: EffectKey) -> Result<Preparation>;

    /// Carries a prepared effect out, once.
    ///
    /// # Errors
    /// Only where it is certain that nothing was done.
    async fn commit(&self, prepared: Prepared) -> Result<Committed>;

    /// Reads again whether an uncertain effect happened. Sends nothing that changes anything.
    async fn resolve(&self, uncertain: Uncertain) -> Committed;
}

#[async_trait]
impl LoyaltyDesk for SessionM {
    async fn find(&self, keys: &ParentKeys) -> Result<Option<Customer>> {
        self.find_customer(keys).await
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>> {
        self.customer_by_id(id).await
    }

    async fn search(&self, by: &SearchBy) -> Result<Vec<CustomerHit>> {
        self.search_customers(by).await
    }

    async fn tags(&self, customer: &CustomerRef) -> Result<Vec<Tag>> {
        self.read_tags(customer.id()).await
    }

    async fn balances(&self, customer: &CustomerRef) -> Result<Balances> {
        self.read_balances(customer).await
    }

    async fn ledger(
        &self,
        customer: &CustomerRef,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<LedgerEntry>> {
        self.read_ledger(customer, (from, to)).await
    }

    fn reasons(&self) -> Vec<Choice> {
        self.settings().points.reasons.clone()
    }

    fn point_sources(&self) -> Vec<PointSource> {
        self.settings().points.sources.clone()
    }

    fn note_reasons(&self) -> Vec<Choice> {
        self.settings().notes.as_ref().map(|notes| notes.reasons.clone()).unwrap_or_default()
    }

    async fn notes(&self, customer: &CustomerRef) -> Result<Vec<Note>> {
        self.read_notes(customer).await
    }

    async fn available_offers(
        &self,
        customer: &CustomerRef,
        paging: &Paging,
    ) -> Result<Listing<AvailableOffer>> {
        self.read_available(customer, paging).await
    }

    async fn issued_offers(&self, customer: &CustomerRef, paging: &Paging) -> Result<Listing<UserOffer>> {
        self.read_wallet(customer, paging).await
    }

    async fn past_offers(
        &self,
        customer: &CustomerRef,
        state: OfferState,
        paging: &Paging,
    ) -> Result<Listing<UserOffer>> {
        self.read_history(customer, state, paging).await
    }

    async fn view_offer(&self, customer: &CustomerRef, copy: &UserOfferId) -> Result<Option<OfferDetails>> {
        self.read_offer(customer, copy).await
    }

    async fn rewards(&self, customer: &CustomerRef, query: &RewardQuery) -> Result<Listing<Reward>> {
        self.read_rewards(customer, query).await
    }

    async fn timeline(&self, customer: &CustomerRef, query: &TimelineQuery) -> Result<Timeline> {
        self.read_timeline(customer, query).await
    }

    fn timeline_stream(
        &self,
        customer: &CustomerRef,
        query: &TimelineQuery,
    ) -> BoxStream<'static, Result<TimelineEvent>> {
        self.stream_timeline(customer, query)
    }

    #[tracing::instrument(name = "sessionm.prepare", skip_all, fields(effect = effect.as_str(), key = key.as_str()))]
    async fn prepare(&self, effect: Effect, key: EffectKey) -> Result<Preparation> {
        self.prepare_effect(effect, key).await
    }

    #[tracing::instrument(
        name = "sessionm.commit",
        skip_all,
        fields(effect = prepared.effect.as_str(), key = prepared.key.as_str())
    )]
    async fn commit(&self, prepared: Prepared) -> Result<Committed> {
        self.commit_effect(prepared).await
    }

    #[tracing::instrument(
        name = "sessionm.resolve",
        skip_all,
        fields(effect = uncertain.effect().as_str(), key = uncertain.key().as_str())
    )]
    async fn resolve(&self, uncertain: Uncertain) -> Committed {
        let evidence = uncertain.evidence().first().cloned().unwrap_or_default();
        self.find_out(uncertain.into_prepared(), evidence).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: LoyaltyDesk + ?Sized> LoyaltyDesk for Arc<T> {
    async fn find(&self, keys: &ParentKeys) -> Result<Option<Customer>> {
        (**self).find(keys).await
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>> {
        (**self).customer(id).await
    }

    async fn search(&self, by: &SearchBy) -> Result<Vec<CustomerHit>> {
        (**self).search(by).await
    }

    async fn tags(&self, customer: &CustomerRef) -> Result<Vec<Tag>> {
        (**self).tags(customer).await
    }

    async fn balances(&self, customer: &CustomerRef) -> Result<Balances> {
        (**self).balances(customer).await
    }

    async fn ledger(
        &self,
        customer: &CustomerRef,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<LedgerEntry>> {
        (**self).ledger(customer, from, to).await
    }

    fn reasons(&self) -> Vec<Choice> {
        (**self).reasons()
    }

    fn point_sources(&self) -> Vec<PointSource> {
        (**self).point_sources()
    }

    fn note_reasons(&self) -> Vec<Choice> {
        (**self).note_reasons()
    }

    async fn notes(&self, customer: &CustomerRef) -> Result<Vec<Note>> {
        (**self).notes(customer).await
    }

    async fn available_offers(
        &self,
        customer: &CustomerRef,
        paging: &Paging,
    ) -> Result<Listing<AvailableOffer>> {
        (**self).available_offers(customer, paging).await
    }

    async fn issued_offers(&self, customer: &CustomerRef, paging: &Paging) -> Result<Listing<UserOffer>> {
        (**self).issued_offers(customer, paging).await
    }

    async fn past_offers(
        &self,
        customer: &CustomerRef,
        state: OfferState,
        paging: &Paging,
    ) -> Result<Listing<UserOffer>> {
        (**self).past_offers(customer, state, paging).await
    }

    async fn view_offer(&self, customer: &CustomerRef, copy: &UserOfferId) -> Result<Option<OfferDetails>> {
        (**self).view_offer(customer, copy).await
    }

    async fn rewards(&self, customer: &CustomerRef, query: &RewardQuery) -> Result<Listing<Reward>> {
        (**self).rewards(customer, query).await
    }

    async fn timeline(&self, customer: &CustomerRef, query: &TimelineQuery) -> Result<Timeline> {
        (**self).timeline(customer, query).await
    }

    fn timeline_stream(
        &self,
        customer: &CustomerRef,
        query: &TimelineQuery,
    ) -> BoxStream<'static, Result<TimelineEvent>> {
        (**self).timeline_stream(customer, query)
    }

    async fn prepare(&self, effect: Effect, key: EffectKey) -> Result<Preparation> {
        (**self).prepare(effect, key).await
    }

    async fn commit(&self, prepared: Prepared) -> Result<Committed> {
        (**self).commit(prepared).await
    }

    async fn resolve(&self, uncertain: Uncertain) -> Committed {
        (**self).resolve(uncertain).await
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn LoyaltyDesk>) = drop;
