//! Looking accounts up: by filter as long as the server heeds them, and otherwise among all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{Delivery, Error, ErrorKind, Result, fold_email};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::attributes::text_of;
use crate::client::{Client, User};
use crate::config::{Filters, Settings};
use crate::path::{Document, ScimPath, entry};
use crate::wire::{self, Listing};

/// Enough to see that there are several.
const FEW: u64 = 10;
/// How long a listing of all accounts serves look-ups.
const INDEX_AGE: TimeDelta = TimeDelta::minutes(10);
/// More pages than any programme has.
const PAGE_CAP: u64 = 100_000;

/// What an account is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    ExternalId,
    UserName,
    Email,
}

/// Finds accounts.
#[derive(Debug)]
pub(crate) struct Finder {
    filters_off: AtomicBool,
    index: Mutex<Option<Index>>,
}

/// The ids of all accounts by what they are looked up by.
#[derive(Debug)]
struct Index {
    ids: HashMap<(Key, String), Vec<String>>,
    made_at: DateTime<Utc>,
}

impl Finder {
    pub(crate) fn new(filters: Filters) -> Self {
        Self { filters_off: AtomicBool::new(filters == Filters::Off), index: Mutex::default() }
    }

    /// Every account that has this value. What a server finds is held against the value: some find everybody.
    pub(crate) async fn find(
        &self,
        client: &Client,
        settings: &Settings,
        key: Key,
        value: &str,
    ) -> Result<Vec<User>> {
        if !self.filters_off.load(Ordering::Relaxed) && client.provider().await.filter != Some(false) {
            if let Some(found) = by_filter(client, settings, key, value).await? {
                return Ok(found);
            }
            tracing::warn!(
                "filters are not heeded by the platform; accounts are looked up in a listing of all"
            );
            self.filters_off.store(true, Ordering::Relaxed);
        }
        self.by_index(client, settings, key, value).await
    }

    async fn by_index(
        &self,
        client: &Client,
        settings: &Settings,
        key: Key,
        value: &str,
    ) -> Result<Vec<User>> {
        let now = client.clock().now();
        let mut index = self.index.lock().await;
        let known = match index.take().filter(|known| now - known.made_at < INDEX_AGE) {
            Some(known) => known,
            None => Index::read(client, settings, now).await?,
        };
        let ids = known.ids.get(&(key, key.folded(value))).cloned().unwrap_or_default();
        *index = Some(known);
        drop(index);
        let mut found = Vec::new();
        for id in ids {
            let user = client.user(&id).await?;
            found.extend(user.filter(|user| key.matches(settings, &user.document, value)));
        }
        Ok(found)
    }

    /// Adds an account that was written, so that the listing need not be read again.
    pub(crate) async fn learn(&self, settings: &Settings, id: &str, document: &Document) {
        if let Some(index) = &mut *self.index.lock().await {
            index.add(settings, id, document);
        }
    }

    /// Forgets the listing, where something happened that is not known.
    pub(crate) async fn forget(&self) {
        *self.index.lock().await = None;
    }
}

/// `None`: the server does not understand filters, or does not heed them.
async fn by_filter(client: &Client, settings: &Settings, key: Key, value: &str) -> Result<Option<Vec<User>>> {
    let mut spellings = vec![value.to_owned()];
    if key != Key::ExternalId {
        // Some servers compare exactly what ought to be compared without regard to case.
        let lower = fold_email(value).into_owned();
        spellings.extend((lower != value).then_some(lower));
    }
    let count = client.provider().await.max_results.unwrap_or(FEW).min(FEW);
    for spelling in spellings {
        let filter = wire::equals(&key.path(settings), &spelling);
        let listing = match client.page(Some(&filter), 1, count).await {
            Ok(listing) => listing,
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let rows = listing.users;
        if rows.iter().any(|row| !key.resembles(settings, row, &spelling)) {
            return Ok(None);
        }
        let matching: Vec<_> =
            rows.into_iter().filter(|row| key.matches(settings, row, value)).filter_map(User::of).collect();
        if !matching.is_empty() {
            return Ok(Some(matching));
        }
    }
    Ok(Some(Vec::new()))
}

impl Key {
    fn path(self, settings: &Settings) -> ScimPath {
        let places = &settings.places;
        match self {
            Self::ExternalId => places.external_id.clone(),
            Self::UserName => places.user_name.clone(),
            Self::Email => places.emails.sub("value"),
        }
    }

    fn folded(self, value: &str) -> String {
        match self {
            Self::ExternalId => value.to_owned(),
            Self::UserName | Self::Email => fold_email(value).into_owned(),
        }
    }

    /// The values that an account has.
    fn values<'d>(self, settings: &Settings, user: &'d Document) -> Vec<std::borrow::Cow<'d, str>> {
        let places = &settings.places;
        let single = |path: &ScimPath| path.get(user).and_then(text_of).into_iter().collect();
        match self {
            Self::ExternalId => single(&places.external_id),
            Self::UserName => single(&places.user_name),
            Self::Email => {
                let emails = places.emails.get(user).and_then(Value::as_array);
                let values =
                    emails.into_iter().flatten().filter_map(|email| entry(email.as_object()?, "value"));
                values.filter_map(text_of).collect()
            }
        }
    }

    /// Whether an account has the value: exactly an external id, anything else without regard to case.
    fn matches(self, settings: &Settings, user: &Document, value: &str) -> bool {
        self.values(settings, user).iter().any(|known| self.folded(known) == self.folded(value))
    }

    /// Whether a server may find an account by the value in good faith.
    fn resembles(self, settings: &Settings, user: &Document, value: &str) -> bool {
        self.values(settings, user).iter().any(|known| fold_email(known) == fold_email(value))
    }
}

impl Index {
    async fn read(client: &Client, settings: &Settings, now: DateTime<Utc>) -> Result<Self> {
        let mut index = Self { ids: HashMap::new(), made_at: now };
        let mut pages = Pages::new(page_size(client, settings).await);
        while let Some(page) = pages.next(client).await? {
            for user in page {
                index.add(settings, &user.id, &user.document);
            }
        }
        Ok(index)
    }

    fn add(&mut self, settings: &Settings, id: &str, document: &Document) {
        for key in [Key::ExternalId, Key::UserName, Key::Email] {
            for value in key.values(settings, document) {
                let ids = self.ids.entry((key, key.folded(&value))).or_default();
                if !ids.iter().any(|known| known == id) {
                    ids.push(id.to_owned());
                }
            }
        }
    }
}

/// The accounts a page: what is configured, and no more than the server announces.
pub(crate) async fn page_size(client: &Client, settings: &Settings) -> u64 {
    let wanted = u64::from(settings.config.page_size);
    client.provider().await.max_results.map_or(wanted, |most| most.min(wanted))
}

/// Follows a listing by what arrives, never by what the server says about its pages.
#[derive(Debug)]
pub(crate) struct Pages {
    size: u64,
    start: u64,
    read: u64,
    total: Option<u64>,
    /// Hashes of the ids so far; an id of its own would cost ten times as much.
    seen: HashSet<u64>,
    hasher: RandomState,
    ended: bool,
}

impl Pages {
    pub(crate) fn new(size: u64) -> Self {
        let (seen, hasher) = (HashSet::new(), RandomState::new());
        Self { size, start: 1, read: 0, total: None, seen, hasher, ended: false }
    }

    /// The accounts of the next page that no page before had; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] if the listing ends before its own total, or does not end.
    pub(crate) async fn next(&mut self, client: &Client) -> Result<Option<Vec<User>>> {
        if self.ended {
            return Ok(None);
        }
        if self.read == PAGE_CAP {
            return Err(incomplete("the listing of members does not end"));
        }
        let Listing { total, users } = client.page(None, self.start, self.size).await?;
        self.read += 1;
        self.total = total.or(self.total);
        let received = users.len() as u64;
        let mut fresh = BTreeMap::new();
        for (at, document) in users.into_iter().enumerate() {
            let user = User::of(document)
                .ok_or_else(|| incomplete("an account in the listing of members has no id"))?;
            if self.seen.insert(self.hasher.hash_one(&user.id)) {
                fresh.insert(at, user);
            }
        }
        self.start += received;
        let complete = self.total.is_some_and(|total| self.seen.len() as u64 >= total);
        if fresh.is_empty() || complete {
            self.ended = true;
            if self.total.is_some_and(|total| (self.seen.len() as u64) < total) {
                return Err(incomplete("the listing of members ended before its own total"));
            }
        }
        Ok((!fresh.is_empty()).then(|| fresh.into_values().collect()))
    }
}

fn incomplete(message: &'static str) -> Error {
    Error::new(ErrorKind::Incomplete, message).with_delivery(Delivery::Answered)
}
