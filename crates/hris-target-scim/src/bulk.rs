//! Several actions in one request, where the platform offers that.

use std::collections::HashMap;

use hris_core::{Action, Delivery, Error, ErrorKind, Outcome, Result};
use serde_json::{Value, json};

use crate::classify::error_of;
use crate::client::{Send, User, Written};
use crate::target::Inner;
use crate::wire::{self, BulkEntry};
use crate::write::{Prepared, Write, outcome_of, unread};

/// A write and the place of its action.
type Queued = (usize, Box<Write>);

impl Inner {
    /// How many operations one request may have; `None` if each is sent by itself.
    pub(crate) async fn bulk_size(&self) -> Option<usize> {
        let wanted = self.settings.config.bulk?.get();
        let provider = self.client.provider().await;
        if provider.bulk != Some(true) || self.learned.bulk_off() {
            return None;
        }
        let most = provider.bulk_operations.and_then(|most| usize::try_from(most).ok());
        Some(most.map_or(wanted, |most| most.min(wanted))).filter(|size| *size > 1)
    }

    /// Carries actions out together. What is looked up is looked up for each.
    pub(crate) async fn carry_out_together(&self, actions: &[Action], size: usize) -> Vec<Outcome> {
        let form = self.form().await;
        let mut outcomes: Vec<Option<Outcome>> = Vec::new();
        let mut queue = Vec::new();
        for (at, action) in actions.iter().enumerate() {
            outcomes.push(match self.prepare(action, form).await {
                Ok(Prepared::Done(outcome)) => Some(outcome),
                Ok(Prepared::Write(write)) => {
                    queue.push((at, write));
                    None
                }
                Err(error) => Some(unread(error)),
            });
        }
        let limit = self.client.provider().await.bulk_bytes;
        let mut batches = batches(queue, size, limit);
        while let Some(batch) = batches.pop() {
            match self.send_batch(actions, batch).await {
                Ok(ended) => {
                    for (at, outcome) in ended {
                        if let Some(slot) = outcomes.get_mut(at) {
                            *slot = Some(outcome);
                        }
                    }
                }
                // Too large for the server: nothing was done, and half may do.
                Err(mut batch) => {
                    let second = batch.split_off(batch.len() / 2);
                    batches.extend([second, batch]);
                }
            }
        }
        let lost = || Outcome::NotAttempted(Error::new(ErrorKind::Unavailable, "the action was not sent"));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
    }

    /// One bulk request; gives its actions back where it was too large.
    async fn send_batch(
        &self,
        actions: &[Action],
        batch: Vec<Queued>,
    ) -> Result<Vec<(usize, Outcome)>, Vec<Queued>> {
        if batch.len() == 1 {
            return Ok(self.send_singly(actions, batch).await);
        }
        let operations = batch.iter().map(|(at, write)| operation(*at, &write.send)).collect();
        match self.client.bulk(&wire::bulk(operations)).await {
            Ok(Some(entries)) => Ok(self.read_entries(actions, batch, entries).await),
            Ok(None) => Ok(all_alike(&batch, || {
                let message = "the platform answered success without saying what became of the actions";
                Outcome::InDoubt(Error::new(ErrorKind::Protocol, message).with_delivery(Delivery::Unknown))
            })),
            Err(error) if error.delivery() == Delivery::Answered => match error.kind() {
                ErrorKind::TooLarge => Err(batch),
                // There is no bulk after all, or not for this: nothing was done.
                ErrorKind::Unsupported | ErrorKind::NotFound | ErrorKind::Invalid => {
                    self.learned.bulk_is_off();
                    Ok(self.send_singly(actions, batch).await)
                }
                _ => Ok(all_alike(&batch, || outcome_of(copy(&error)))),
            },
            Err(error) => Ok(all_alike(&batch, || outcome_of(copy(&error)))),
        }
    }

    async fn send_singly(&self, actions: &[Action], batch: Vec<Queued>) -> Vec<(usize, Outcome)> {
        let mut ended = Vec::new();
        for (at, write) in batch {
            let Some(action) = actions.get(at) else { continue };
            let result = self.client.send(&write.send).await;
            ended.push((at, self.conclude(action, *write, result).await));
        }
        ended
    }

    async fn read_entries(
        &self,
        actions: &[Action],
        batch: Vec<Queued>,
        entries: Vec<BulkEntry>,
    ) -> Vec<(usize, Outcome)> {
        let gave_up = entries.iter().any(|entry| entry.status.is_some_and(|status| status >= 400));
        let in_order = entries.len() == batch.len();
        let mut by_name = HashMap::new();
        for (at, entry) in entries.into_iter().enumerate() {
            // Some servers name only creates; in a whole answer the place tells.
            let place = batch.get(at).filter(|_| in_order).map(|(at, _)| name(*at));
            if let Some(name) = entry.bulk_id.clone().or(place) {
                by_name.insert(name, entry);
            }
        }
        let mut ended = Vec::new();
        for (at, write) in batch {
            let Some(action) = actions.get(at) else { continue };
            let outcome = match by_name.remove(&name(at)) {
                Some(entry) => self.conclude(action, *write, read_entry(entry)).await,
                None => absent(gave_up),
            };
            ended.push((at, outcome));
        }
        ended
    }
}

/// An operation that the answer says nothing of. After an error the server stopped; without one there is no telling.
fn absent(gave_up: bool) -> Outcome {
    let message = "the platform ended the batch before this action";
    if gave_up {
        return Outcome::NotAttempted(Error::new(ErrorKind::Unavailable, message));
    }
    let message = "the platform's answer to the batch leaves this action out";
    Outcome::InDoubt(Error::new(ErrorKind::Protocol, message).with_delivery(Delivery::Unknown))
}

fn read_entry(entry: BulkEntry) -> Result<Written> {
    let answered = |error: Error| Err(error.with_delivery(Delivery::Answered));
    match entry.status {
        Some(200..=299) => Ok(match entry.user.and_then(User::of) {
            Some(user) => Written::User(user),
            None => Written::Done(entry.id),
        }),
        Some(status) => answered(
            match error_of(status, entry.scim_type, true) {
                Some(error) => error,
                None if status == 404 => Error::new(ErrorKind::NotFound, "there is no such member"),
                None if status == 408 => Error::new(ErrorKind::Timeout, "the platform gave up waiting"),
                None if status >= 500 => Error::new(ErrorKind::Unavailable, "the platform failed"),
                None => Error::new(ErrorKind::Invalid, "the platform refuses the record"),
            }
            .with_context("status", status),
        ),
        None => {
            answered(Error::new(ErrorKind::Protocol, "the platform does not say what became of the action"))
        }
    }
}

/// Batches by number and size, the first one last.
fn batches(queue: Vec<Queued>, size: usize, limit: Option<u64>) -> Vec<Vec<Queued>> {
    let mut batches: Vec<Vec<Queued>> = vec![Vec::new()];
    let mut bytes = 0;
    for queued in queue {
        let length = operation(queued.0, &queued.1.send).to_string().len() as u64 + 2;
        let full = batches.last().is_some_and(|batch| {
            // What stands around the operations is less than a hundred bytes and a hundred.
            batch.len() >= size
                || (!batch.is_empty() && limit.is_some_and(|limit| bytes + length + 200 > limit))
        });
        if full {
            batches.push(Vec::new());
            bytes = 0;
        }
        bytes += length;
        if let Some(batch) = batches.last_mut() {
            batch.push(queued);
        }
    }
    batches.retain(|batch| !batch.is_empty());
    batches.reverse();
    batches
}

fn operation(at: usize, send: &Send) -> Value {
    let (method, path, data, etag) = match send {
        Send::Post { body } => ("POST", "/Users".to_owned(), body, None),
        Send::Put { id, body, etag } => ("PUT", format!("/Users/{id}"), body, etag.as_ref()),
        Send::Patch { id, body, etag } => ("PATCH", format!("/Users/{id}"), body, etag.as_ref()),
    };
    let mut operation = json!({ "method": method, "path": path, "bulkId": name(at), "data": data });
    if let Some(etag) = etag {
        operation["version"] = etag.as_str().into();
    }
    operation
}

fn name(at: usize) -> String {
    format!("a{at}")
}

fn all_alike(batch: &[Queued], outcome: impl Fn() -> Outcome) -> Vec<(usize, Outcome)> {
    batch.iter().map(|(at, _)| (*at, outcome())).collect()
}

/// An error cannot be copied, but what it says can.
pub(crate) fn copy(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message().to_owned())
        .with_retryable(error.is_retryable())
        .with_delivery(error.delivery());
    if let Some(hint) = error.hint() {
        copy = copy.with_hint(hint.to_owned());
    }
    if let Some(wait) = error.retry_after() {
        copy = copy.with_retry_after(wait);
    }
    error.context().fold(copy, |copy, (key, value)| copy.with_context(key, value))
}
