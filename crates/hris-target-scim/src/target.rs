//! The target: its handle, its way from actions to outcomes, and what it has to report beside.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{
    Action, Attributes, Awaited, Error, ErrorKind, MemberId, MemberQuery, MemberRecord, Outcome, Problem,
    ProvisioningTarget, Result, TargetCapabilities, TargetField, rule,
};

use crate::attributes::flag_of;
use crate::bulk::copy;
use crate::client::{Client, User};
use crate::config::{Settings, TokenScope};
use crate::find::{Finder, Key, Pages, page_size};
use crate::managers::Managers;

/// For how long nothing is sent after the token was refused.
const HOLD: TimeDelta = TimeDelta::minutes(1);

/// A rewards platform behind SCIM 2.0; see the crate's documentation for what it does on the wire.
///
/// Cloning makes another handle on the same one, which shares what was learned about the server.
#[derive(Clone)]
pub struct ScimTarget(Arc<Inner>);

/// What a [`ScimTarget::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetCheck {
    /// How many accounts there are, where the server tells.
    pub members: Option<u64>,
    /// Whether the token may write, where that could be found out.
    pub may_write: Option<bool>,
    /// Whether the server announces bulk requests, versions and PATCH; `None` where it announces nothing.
    pub announces: Announced,
}

/// What a server says that it can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announced {
    /// PATCH.
    pub patch: Option<bool>,
    /// Bulk requests.
    pub bulk: Option<bool>,
    /// Versions.
    pub etag: Option<bool>,
    /// Filters.
    pub filter: Option<bool>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) finder: Finder,
    pub(crate) learned: Learned,
    managers: Mutex<Managers>,
    reports: Mutex<Reports>,
    held: Mutex<Option<(DateTime<Utc>, Error)>>,
}

/// What a server turned out not to do, whatever it announces.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    no_patch: AtomicBool,
    no_bulk: AtomicBool,
}

#[derive(Default)]
struct Reports {
    problems: Vec<Problem>,
    told: HashSet<String>,
}

impl ScimTarget {
    pub(crate) fn new(settings: Settings, client: Client) -> Self {
        let finder = Finder::new(settings.config.filters);
        Self(Arc::new(Inner {
            settings,
            client,
            finder,
            learned: Learned::default(),
            managers: Mutex::default(),
            reports: Mutex::default(),
            held: Mutex::default(),
        }))
    }

    /// Tries address and token, and finds out what the token may do. Nothing is changed: whether it may write is asked
    /// about an account that does not exist.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where there is no SCIM server, [`ErrorKind::Unauthorized`] and [`ErrorKind::Forbidden`]
    /// where the token is refused, and what the transport meets.
    #[tracing::instrument(name = "hris.target_scim.check", skip_all)]
    pub async fn check(&self) -> Result<TargetCheck> {
        let inner = &*self.0;
        let listing = inner.client.page(None, 1, 1).await?;
        let provider = inner.client.provider().await;
        let may_write = match inner.settings.config.scope {
            TokenScope::ReadOnly => Some(false),
            TokenScope::ReadWrite => inner.client.may_write().await?,
        };
        let announces = Announced {
            patch: provider.patch,
            bulk: provider.bulk,
            etag: provider.etag,
            filter: provider.filter,
        };
        Ok(TargetCheck { members: listing.total, may_write, announces })
    }

    /// Whether an attribute has a place on the platform. One that has none is left out and reported once.
    pub fn writes(&self, field: &TargetField) -> bool {
        self.0.settings.places.writes(field)
    }

    /// What deserves a look beside the outcomes, since the last call: attributes that were left out of a record or did
    /// not stick.
    pub fn take_problems(&self) -> Vec<Problem> {
        std::mem::take(&mut self.0.reports().problems)
    }
}

#[async_trait]
impl ProvisioningTarget for ScimTarget {
    fn capabilities(&self) -> TargetCapabilities {
        let settings = &self.0.settings;
        let mut capabilities = TargetCapabilities::default();
        capabilities.invitations = settings.invitations;
        capabilities.lists = true;
        capabilities.max_batch = settings.config.bulk.unwrap_or(NonZeroUsize::MIN);
        capabilities.max_in_flight = settings.max_in_flight;
        capabilities.close_down_days = settings.close_down_days;
        capabilities.parking.clone_from(&settings.config.parking);
        capabilities
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        let inner = &*self.0;
        let users = match query {
            MemberQuery::Id(id) => inner.client.user(id.as_str()).await?.into_iter().collect(),
            MemberQuery::EmployeeId(id) => inner.find(Key::ExternalId, id.as_str()).await?,
            MemberQuery::Email(email) => inner.find_by_email(email.as_str()).await?,
            _ => return Err(Error::unsupported("this target does not search by that")),
        };
        let mut members = Vec::new();
        for user in users {
            members.push(inner.member(&user).await?);
        }
        Ok(members)
    }

    fn roster(&self) -> Option<BoxStream<'_, Result<MemberRecord>>> {
        let inner = &*self.0;
        let pages = stream::once(async move {
            let pages = Pages::new(page_size(&inner.client, &inner.settings).await);
            stream::try_unfold(pages, move |mut pages| async move {
                let page = pages.next(&inner.client).await?;
                Ok::<_, Error>(page.map(|page| (stream::iter(page.into_iter().map(Ok)), pages)))
            })
        });
        let users = pages.flatten().try_flatten();
        Some(users.and_then(move |user| async move { inner.member(&user).await }).boxed())
    }

    async fn awaited(&self, attributes: &Attributes) -> Vec<Awaited> {
        self.0.awaited(attributes).await.into_iter().collect()
    }

    #[tracing::instrument(name = "hris.target_scim.apply", skip_all, fields(actions = actions.len()))]
    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        let inner = &*self.0;
        let max = self.capabilities().max_batch.get();
        let (batch, beyond) = actions.split_at(actions.len().min(max));
        let mut outcomes = match inner.hold() {
            Some(error) => batch.iter().map(|_| Outcome::NotAttempted(copy(&error))).collect(),
            None => inner.apply(batch).await,
        };
        inner.introduce(batch, &outcomes);
        outcomes.extend(beyond.iter().map(|_| {
            let error = Error::unsupported("the call has too many actions").with_context("max_batch", max);
            Outcome::NotAttempted(error)
        }));
        outcomes
    }
}

impl Inner {
    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        if actions.len() > 1
            && let Some(size) = self.bulk_size().await
        {
            let outcomes = self.carry_out_together(actions, size).await;
            for outcome in &outcomes {
                self.heed(outcome);
            }
            return outcomes;
        }
        let mut outcomes = Vec::new();
        for action in actions {
            if let Some(error) = self.hold() {
                outcomes.push(Outcome::NotAttempted(error));
                continue;
            }
            let outcome = self.carry_out(action).await;
            self.heed(&outcome);
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Why nothing may be sent at present.
    fn hold(&self) -> Option<Error> {
        if self.settings.config.scope == TokenScope::ReadOnly {
            let error = Error::new(ErrorKind::Forbidden, "the token of this target is for reading only");
            return Some(error.with_hint("use a token with the scope to write (`scim.readWrite`)"));
        }
        let mut held = lock(&self.held);
        if held.as_ref().is_some_and(|(until, _)| *until <= self.client.clock().now()) {
            *held = None;
        }
        held.as_ref().map(|(_, error)| copy(error))
    }

    /// A refused token is refused for the next action as well: nothing more is sent for a while.
    fn heed(&self, outcome: &Outcome) {
        if let Outcome::NotAttempted(error) = outcome
            && matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden)
        {
            let mut held = lock(&self.held);
            if held.is_none() {
                let error = copy(error).with_delivery(hris_core::Delivery::NotSent);
                *held = Some((self.client.clock().now() + HOLD, error));
            }
        }
    }

    pub(crate) async fn find(&self, key: Key, value: &str) -> Result<Vec<User>> {
        self.finder.find(&self.client, &self.settings, key, value).await
    }

    async fn find_by_email(&self, email: &str) -> Result<Vec<User>> {
        let is_user_name = self.settings.places.user_name_from == TargetField::EMAIL;
        let mut found = Vec::new();
        if is_user_name {
            found = self.find(Key::UserName, email).await?;
        }
        if !is_user_name || self.settings.config.match_email {
            for user in self.find(Key::Email, email).await? {
                if found.iter().all(|known| known.id != user.id) {
                    found.push(user);
                }
            }
        }
        Ok(found)
    }

    /// A user in the words of the model. An account that does not say whether it is open is taken to be.
    async fn member(&self, user: &User) -> Result<MemberRecord> {
        let places = &self.settings.places;
        let mut attributes = places.read(&user.document);
        if places.has_manager() {
            self.name_manager(&mut attributes).await?;
        }
        let mut member = MemberRecord::new(MemberId::from(user.id.as_str()), attributes);
        member.active = places.active.get(&user.document).and_then(flag_of).unwrap_or(true);
        member.version.clone_from(&user.etag);
        Ok(member)
    }

    /// Keeps problems of a record.
    pub(crate) fn report(&self, action: &Action, problems: Vec<Problem>) {
        self.push_problems(problems.into_iter().map(|problem| problem.of(&action.person)));
    }

    pub(crate) fn push_problems(&self, problems: impl IntoIterator<Item = Problem>) {
        self.reports().problems.extend(problems);
    }

    /// Reports an attribute once, however many records have it.
    pub(crate) fn report_once(&self, what: impl fmt::Display, message: &'static str) {
        let what = what.to_string();
        let mut reports = self.reports();
        if reports.told.insert(what.clone()) {
            tracing::warn!(attribute = what, "{message}");
            reports.problems.push(Problem::warning(rule::VALUE_NOT_STORED, message).at(what));
        }
    }

    pub(crate) fn managers(&self) -> MutexGuard<'_, Managers> {
        lock(&self.managers)
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        lock(&self.reports)
    }
}

impl Learned {
    pub(crate) fn patch_off(&self) -> bool {
        self.no_patch.load(Ordering::Relaxed)
    }

    pub(crate) fn patch_is_off(&self) {
        self.no_patch.store(true, Ordering::Relaxed);
    }

    pub(crate) fn bulk_off(&self) -> bool {
        self.no_bulk.load(Ordering::Relaxed)
    }

    pub(crate) fn bulk_is_off(&self) {
        self.no_bulk.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ScimTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut out = f.debug_struct("ScimTarget");
        out.field("host", &inner.client.host()).field("profile", &inner.settings.config.profile);
        out.finish_non_exhaustive()
    }
}
