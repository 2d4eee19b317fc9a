//! Notices that are still to be told: saved with the connection, so that none is lost to a crash or a mail server
//! that is down.

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{Delivery, Error, NoticeContent, Told};
use serde::{Deserialize, Serialize};

/// How long a notice that nobody takes is tried.
const TRIED_DAYS: i64 = 3;
/// The waits between attempts, in minutes; the last one repeats.
const WAITS: [i64; 6] = [1, 5, 15, 60, 180, 360];
/// How many notices wait at most; beyond that the oldest are given up.
const WAITING: usize = 100;
/// How many given-up notices are remembered.
const REMEMBERED: usize = 20;

/// A notice that waits to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingNotice {
    /// The notice's id, equal for equal occasions.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it is tried next.
    pub next_try: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// What happened.
    pub content: NoticeContent,
}

/// A notice that was not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Undelivered {
    /// The notice's id.
    pub id: String,
    /// The kind of notice.
    pub kind: String,
    /// When it was given up.
    pub at: DateTime<Utc>,
    /// Whether it may have been told all the same.
    pub uncertain: bool,
    /// Why, in words.
    pub message: String,
}

/// The notices of one connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Outbox {
    /// Those that wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingNotice>,
    /// Those that were given up lately, for the connection's page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<Undelivered>,
}

impl Outbox {
    /// Adds a notice, unless one of the same id waits already.
    pub fn push(&mut self, id: String, at: DateTime<Utc>, content: NoticeContent) {
        if self.pending.iter().any(|waiting| waiting.id == id) {
            return;
        }
        self.pending.push(PendingNotice { id, at, next_try: at, attempts: 0, content });
        if self.pending.len() > WAITING {
            let oldest = self.pending.remove(0);
            self.give_up(&oldest, at, false, "too many notices wait: nobody took them");
        }
    }

    /// When the next one is to be tried.
    pub fn next_try(&self) -> Option<DateTime<Utc>> {
        self.pending.iter().map(|waiting| waiting.next_try).min()
    }

    /// Those to try now.
    pub fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = &PendingNotice> {
        self.pending.iter().filter(move |waiting| waiting.next_try <= now)
    }

    /// Takes note of what became of an attempt.
    ///
    /// What was told leaves the outbox. What later may help with waits longer each time, for three days. A mail
    /// server that vanished in the middle may have taken the notice: it is told again under the same id, since a
    /// notice that comes twice is better than one that never comes.
    pub fn settle(&mut self, id: &str, result: &Result<Told, Error>, now: DateTime<Utc>) {
        let Some(at) = self.pending.iter().position(|waiting| waiting.id == id) else {
            return;
        };
        let mut notice = self.pending.remove(at);
        let (again, uncertain, message) = match result {
            Ok(told) if told.refused.is_empty() || told.delivered > 0 => {
                return self.note_refusals(&notice, told, now);
            }
            Ok(told) => {
                let later = told.refused.iter().any(|refused| !refused.for_good);
                let messages: Vec<_> = told.refused.iter().map(|refused| refused.message.as_str()).collect();
                (later, told.refused.iter().any(|refused| refused.uncertain), messages.join("; "))
            }
            Err(error) => {
                let unknown = error.delivery() == Delivery::Unknown;
                (error.is_retryable() || unknown, unknown, error.to_string())
            }
        };
        if !again || now - notice.at >= TimeDelta::days(TRIED_DAYS) {
            return self.give_up(&notice, now, uncertain, &message);
        }
        let wait = WAITS.get(notice.attempts as usize).or(WAITS.last()).copied().unwrap_or(1);
        notice.next_try = now + TimeDelta::minutes(wait);
        notice.attempts = notice.attempts.saturating_add(1);
        self.pending.insert(at, notice);
    }

    fn note_refusals(&mut self, notice: &PendingNotice, told: &Told, now: DateTime<Utc>) {
        for refused in &told.refused {
            let who = format!("recipient {}: {}", refused.recipient + 1, refused.message);
            self.give_up(notice, now, refused.uncertain, &who);
        }
    }

    fn give_up(&mut self, notice: &PendingNotice, at: DateTime<Utc>, uncertain: bool, message: &str) {
        tracing::warn!(notice = notice.content.kind(), uncertain, "a notice was given up");
        self.undelivered.push(Undelivered {
            id: notice.id.clone(),
            kind: notice.content.kind().to_owned(),
            at,
            uncertain,
            message: message.to_owned(),
        });
        let surplus = self.undelivered.len().saturating_sub(REMEMBERED);
        self.undelivered.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::{ErrorKind, Refused};

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_434_800, 0).unwrap() + TimeDelta::minutes(minutes)
    }

    fn outbox() -> Outbox {
        let mut outbox = Outbox::default();
        outbox.push("n".to_owned(), at(0), NoticeContent::Recovered { since: at(0) });
        outbox
    }

    #[test]
    fn one_notice_of_an_id_waits() {
        let mut outbox = outbox();
        outbox.push("n".to_owned(), at(1), NoticeContent::Recovered { since: at(1) });
        assert_eq!((outbox.pending.len(), outbox.next_try()), (1, Some(at(0))));
    }

    #[test]
    fn a_server_that_is_down_is_tried_again_with_growing_waits_and_given_up_after_three_days() {
        let mut outbox = outbox();
        let down = || Err(Error::new(ErrorKind::Unavailable, "no connection"));
        let mut tried = Vec::new();
        while let Some(next) = outbox.next_try() {
            tried.push((next - at(0)).num_minutes());
            assert!(outbox.due(next - TimeDelta::seconds(1)).next().is_none());
            outbox.settle("n", &down(), next);
        }
        assert_eq!(tried[..7], [0, 1, 6, 21, 81, 261, 621]);
        assert!(tried.len() < 20 && *tried.last().unwrap() >= 3 * 24 * 60);
        assert_eq!(outbox.undelivered[0].message, "no connection");
        assert!(!outbox.undelivered[0].uncertain);
    }

    #[test]
    fn a_refusal_for_good_is_not_tried_again_and_is_shown() {
        let mut outbox = outbox();
        outbox.settle("n", &Ok(Told::new(0, vec![Refused::new(0, true, "no such recipient")])), at(0));
        assert!(outbox.pending.is_empty());
        assert_eq!(outbox.undelivered[0].message, "no such recipient");
    }

    #[test]
    fn one_refused_recipient_beside_one_who_was_told_is_shown_and_nothing_is_repeated() {
        let mut outbox = outbox();
        outbox.settle("n", &Ok(Told::new(1, vec![Refused::new(1, false, "mailbox full")])), at(0));
        assert!(outbox.pending.is_empty());
        assert_eq!(outbox.undelivered[0].message, "recipient 2: mailbox full");
    }

    #[test]
    fn a_server_that_vanished_is_told_again_under_the_same_id() {
        let mut outbox = outbox();
        let vanished = Error::new(ErrorKind::Unavailable, "vanished")
            .with_retryable(false)
            .with_delivery(Delivery::Unknown);
        outbox.settle("n", &Err(vanished), at(0));
        assert_eq!(outbox.pending[0].id, "n");
        outbox.settle("n", &Ok(Told::new(1, Vec::new())), at(1));
        assert_eq!(outbox, Outbox::default());
    }

    #[test]
    fn notices_that_nobody_takes_do_not_pile_up() {
        let mut outbox = Outbox::default();
        for number in 0..200 {
            outbox.push(number.to_string(), at(number), NoticeContent::Recovered { since: at(0) });
        }
        assert_eq!((outbox.pending.len(), outbox.undelivered.len()), (WAITING, REMEMBERED));
        assert_eq!(outbox.pending[0].id, "100");
    }
}
