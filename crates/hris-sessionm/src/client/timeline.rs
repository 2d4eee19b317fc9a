//! The activity timeline. Its calls walk forward in time from a `since`, without a total and in an order that is not
//! documented: so the largest page is read first, and only a full one is walked on from.

use std::collections::{BTreeMap, HashSet};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hris_core::{Delivery, Error, ErrorKind, Result};

use super::points::{MOST_CALLS, MOST_ROWS};
use super::{SessionM, incomplete, not_configured};
use crate::convert::{self, EventKey};
use crate::settings::{Choice, Operation, TimelineSettings, Values};
use crate::wire::core::TimelineAnswer;
use crate::wire::lenient::filled;
use crate::{CustomerRef, ExternalId, Timeline, TimelineEvent, TimelineQuery};

impl SessionM {
    /// A customer's activity, newest first, up to the overall cap.
    pub(crate) async fn read_timeline(
        &self,
        customer: &CustomerRef,
        query: &TimelineQuery,
    ) -> Result<Timeline> {
        let settings = self.timeline_settings()?;
        let mut walk = Walk::new(self.clone(), customer.clone(), query.clone());
        let mut events = Vec::new();
        while let Some(page) = walk.next().await? {
            events.extend(page);
        }
        let mut timeline = Timeline::new(events, query.page_size.unwrap_or(settings.page_size));
        let most = settings.max_records as usize;
        timeline.is_cut = walk.is_cut || timeline.events.len() > most;
        timeline.events.truncate(most);
        timeline.event_types = walk.choices(&settings.event_types);
        Ok(timeline)
    }

    /// A customer's activity, oldest first, without a cap. Where SessionM hides older events, the last item is an
    /// error of kind [`ErrorKind::Incomplete`].
    pub(crate) fn stream_timeline(
        &self,
        customer: &CustomerRef,
        query: &TimelineQuery,
    ) -> BoxStream<'static, Result<TimelineEvent>> {
        let walk = Walk::new(self.clone(), customer.clone(), query.clone());
        let pages = stream::try_unfold(walk, |mut walk| async move {
            match walk.next().await? {
                Some(page) => Ok(Some((stream::iter(page.into_iter().map(Ok)), walk))),
                None if walk.is_cut => Err(cut()),
                None => Ok(None),
            }
        });
        pages.try_flatten().boxed()
    }

    fn timeline_settings(&self) -> Result<&TimelineSettings> {
        self.settings().timeline.as_ref().ok_or_else(|| {
            not_configured(
                "the activity timeline",
                "timeline",
                "SessionM for the slug of the timeline view (console)",
            )
        })
    }
}

fn cut() -> Error {
    Error::new(ErrorKind::Incomplete, "SessionM shows the newest events only; older ones cannot be asked for")
        .with_delivery(Delivery::Answered)
}

/// A walk over a timeline, page by page.
struct Walk {
    client: SessionM,
    customer: CustomerRef,
    query: TimelineQuery,
    since: Option<i64>,
    seen: HashSet<EventKey>,
    types: BTreeMap<String, String>,
    calls: u32,
    is_over: bool,
    is_cut: bool,
}

impl Walk {
    fn new(client: SessionM, customer: CustomerRef, query: TimelineQuery) -> Self {
        let (seen, types) = (HashSet::new(), BTreeMap::new());
        Self { client, customer, query, since: None, seen, types, calls: 0, is_over: false, is_cut: false }
    }

    /// The events of the next page that were not seen before, oldest first.
    async fn next(&mut self) -> Result<Option<Vec<TimelineEvent>>> {
        if self.is_over {
            return Ok(None);
        }
        let answer = self.ask().await?;
        let rows = answer.result.ok_or_else(|| incomplete("result"))?;
        self.learn(&answer.event_types);
        let is_full = rows.len() >= MOST_ROWS as usize;
        let instants: Vec<_> = rows.iter().filter_map(|row| row.timestamp.or(row.created_at)).collect();
        let is_newest_first =
            matches!((instants.first(), instants.last()), (Some(a), Some(b)) if a.at > b.at);
        let latest = instants.iter().max_by_key(|epoch| epoch.at).copied();
        let mut fresh = Vec::new();
        for row in rows {
            let (event, key) = convert::event(row, &answer.event_types)?;
            if self.seen.insert(key) {
                fresh.push(event);
            }
        }
        self.calls += 1;
        // A full page that brings nothing new hides events of the same instant; a full one that begins with the newest
        // hides the older ones, which no call asks for.
        self.is_cut |= is_full && (is_newest_first || fresh.is_empty() || self.calls == MOST_CALLS);
        self.is_over = !is_full || fresh.is_empty() || self.calls == MOST_CALLS;
        if let Some(latest) = latest {
            let unit = if latest.in_millis { latest.at.timestamp_millis() } else { latest.at.timestamp() };
            self.since = Some(unit - 1);
        }
        fresh.sort_by_key(|event| event.timestamp);
        Ok(Some(fresh))
    }

    async fn ask(&self) -> Result<TimelineAnswer> {
        let settings = self.client.timeline_settings()?;
        let values =
            Values::default().with("user_id", self.customer.id().as_str()).with("view", &settings.view);
        let values = match self.customer.external_id().map(ExternalId::as_str) {
            Some(id) => values.with("external_id", id),
            None => values,
        };
        let request = self.client.core(Operation::TimelineRead, &values)?.with_query("count", MOST_ROWS);
        let request = match self.since {
            Some(since) => request.with_query("since", since),
            None => request,
        };
        let request = match &self.query.event_types[..] {
            [] => request,
            types => request.with_query("event_types", types.join(",")),
        };
        self.client.core_session().execute_json(&request).await
    }

    fn learn(&mut self, types: &[crate::wire::core::EventType]) {
        for known in types {
            if let Some(slug) = filled(known.slug.clone()) {
                let name = filled(known.name.clone()).unwrap_or_else(|| slug.clone());
                self.types.insert(slug, name);
            }
        }
    }

    /// The choices of the type filter: those of the answers, then those of the settings that no answer had.
    fn choices(&self, configured: &[Choice]) -> Vec<Choice> {
        let learnt = self.types.iter().map(|(slug, name)| Choice::new(slug, name));
        let more = configured.iter().filter(|choice| !self.types.contains_key(&choice.code)).cloned();
        learnt.chain(more).collect()
    }
}
