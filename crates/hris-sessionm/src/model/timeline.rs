//! A customer's activity: events, newest first, in pages with a next and a previous one.

use chrono::{DateTime, Utc};
use std::borrow::Cow;

use super::{Points, RawFields};
use crate::settings::Choice;

/// One event of a customer's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineEvent {
    /// The slug of its type, such as `INCENTIVES_POINT_SPEND`; empty where SessionM tells none.
    pub slug: String,
    /// The name of its type.
    pub name: Option<String>,
    /// The name of its category.
    pub category: Option<String>,
    /// When SessionM filed it.
    pub timestamp: DateTime<Utc>,
    /// Everything else; which fields there are depends on the type.
    pub payload: RawFields,
}

impl TimelineEvent {
    /// An event; for mocks.
    pub fn new(slug: impl Into<String>, timestamp: DateTime<Utc>) -> Self {
        Self { slug: slug.into(), name: None, category: None, timestamp, payload: RawFields::default() }
    }

    /// When it happened, where the event tells, else when it was filed. In UTC: the zone is the agent's.
    pub fn at(&self) -> DateTime<Utc> {
        self.payload.instant("TimeOfOccurrence").unwrap_or(self.timestamp)
    }

    /// Points given (positive) or taken (negative), if it is about points.
    pub fn points(&self) -> Option<Points> {
        self.payload.number("Modification")
    }

    /// The line under the heading, as the desk writes it: type, points, source of the points, time in UTC.
    pub fn summary(&self) -> String {
        let points = self.points().map(|points| points.to_string());
        let source = self.payload.text("PointSourceName").map(Cow::into_owned);
        let at = self.payload.text("TimeOfOccurrence").map(Cow::into_owned);
        let parts =
            [Some(self.slug.clone()), points, source, at.or_else(|| Some(self.timestamp.to_rfc3339()))];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A customer's activity as it was read, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeline {
    /// The events, newest first, at most as many as the settings allow.
    pub events: Vec<TimelineEvent>,
    /// The choices for the type filter.
    pub event_types: Vec<Choice>,
    /// Whether there are more events than were read or may be shown.
    pub is_cut: bool,
    /// Events a page.
    pub page_size: u32,
}

/// One page of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelinePage<'a> {
    /// The events of the page.
    pub events: &'a [TimelineEvent],
    /// Its number, from 1.
    pub number: u32,
    /// The number of the first event, from 1; the desk's "1-5 of 137".
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// How many events there are.
    pub total: u64,
    /// The number of the page before.
    pub previous: Option<u32>,
    /// The number of the page after.
    pub next: Option<u32>,
}

impl Timeline {
    /// A timeline of events, sorted here; for mocks.
    pub fn new(mut events: Vec<TimelineEvent>, page_size: u32) -> Self {
        events.sort_by(|a, b| b.timestamp.cmp(&a.timestamp).then_with(|| b.at().cmp(&a.at())));
        Self { events, event_types: Vec::new(), is_cut: false, page_size: page_size.max(1) }
    }

    /// A page by its number, from 1. Beyond the end it is empty.
    pub fn page(&self, number: u32) -> TimelinePage<'_> {
        let number = number.max(1);
        let size = self.page_size.max(1) as usize;
        let start = (number as usize - 1).saturating_mul(size).min(self.events.len());
        let end = start.saturating_add(size).min(self.events.len());
        TimelinePage {
            events: &self.events[start..end],
            number,
            first: if start == end { 0 } else { start as u64 + 1 },
            last: end as u64,
            total: self.events.len() as u64,
            previous: (number > 1).then(|| number - 1),
            next: (end < self.events.len()).then(|| number + 1),
        }
    }

    /// How many pages there are.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.events.len().div_ceil(self.page_size.max(1) as usize)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(events: usize) -> Timeline {
        let start: DateTime<Utc> = "2021-01-12T00:00:00Z".parse().unwrap();
        let event = |n| TimelineEvent::new("PURCHASE", start + chrono::TimeDelta::seconds(n));
        Timeline::new((0..i64::try_from(events).unwrap()).map(event).collect(), 5)
    }

    #[test]
    fn pages_have_a_next_and_a_previous_one_and_the_desks_numbers() {
        let timeline = timeline(12);
        let first = timeline.page(1);
        assert_eq!((first.first, first.last, first.total), (1, 5, 12));
        assert_eq!((first.previous, first.next), (None, Some(2)));
        assert!(first.events[0].timestamp > first.events[1].timestamp);
        let last = timeline.page(3);
        assert_eq!((last.events.len(), last.previous, last.next), (2, Some(2), None));
        assert_eq!((timeline.pages(), timeline.page(4).events.len()), (3, 0));
    }

    #[test]
    fn no_events_are_one_empty_page() {
        let page_of_none = timeline(0);
        let page = page_of_none.page(1);
        assert_eq!((page.first, page.last, page.total, page.next, page.previous), (0, 0, 0, None, None));
    }
}
