//! Bodies of answers: read whole up to a limit, or handed on piece by piece.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream::try_unfold;
use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::budget::Permit;
use crate::classify::retry_after;
use crate::clock::within;
use crate::decode;

/// How much of a body is read whose status says failure: enough for every error document, and it cannot hide the
/// failure by being too long or cut.
const FAILURE_BYTES: usize = 64 << 10;

/// An answer, read whole. `Debug` shows its status and size only.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    retry_after: Option<Duration>,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header's value by its name, in any case, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }

    /// The wait that the `Retry-After` header asks for, counted from the moment the headers arrived.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The body, decompressed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body, to keep.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// Decodes the body; see [`decode`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        decode(&self.body)
    }

    /// Reads a response to its end. A break or an excess counts only where the status says success.
    pub(crate) async fn read(
        mut response: reqwest::Response,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Self> {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = if status.is_success() {
            let promised = length(&headers).unwrap_or(0);
            read_whole(&mut response, promised, limit).await?
        } else {
            read_what_comes(&mut response, limit.min(FAILURE_BYTES)).await
        };
        let retry_after = text(&headers, RETRY_AFTER.as_str()).and_then(|header| retry_after(header, now));
        Ok(Self { status: status.as_u16(), headers, body, retry_after })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Answer");
        out.field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn length(headers: &HeaderMap) -> Option<usize> {
    text(headers, CONTENT_LENGTH.as_str())?.parse().ok()
}

async fn read_whole(response: &mut reqwest::Response, promised: usize, limit: usize) -> Result<Bytes> {
    if promised > limit {
        return Err(too_large(limit));
    }
    let Some(first) = piece(response, 0, limit).await? else { return Ok(Bytes::new()) };
    // Most pages come in one piece, which need not be copied.
    let Some(second) = piece(response, first.len(), limit).await? else { return Ok(first) };
    let mut body = BytesMut::with_capacity(promised.max(first.len() + second.len()));
    body.extend_from_slice(&first);
    body.extend_from_slice(&second);
    while let Some(piece) = piece(response, body.len(), limit).await? {
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

async fn piece(response: &mut reqwest::Response, read: usize, limit: usize) -> Result<Option<Bytes>> {
    let piece = response.chunk().await.map_err(broken)?;
    match &piece {
        Some(piece) if read + piece.len() > limit => Err(too_large(limit)),
        _ => Ok(piece),
    }
}

async fn read_what_comes(response: &mut reqwest::Response, limit: usize) -> Bytes {
    let mut body = BytesMut::new();
    while body.len() < limit
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(limit);
    body.freeze()
}

/// The error of a buffered body that broke off; worth another try.
fn broken(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the connection broke while the answer was read")
        .with_delivery(Delivery::Unknown)
        .with_source(error.without_url())
}

fn too_large(limit: usize) -> Error {
    Error::new(ErrorKind::TooLarge, "the answer is larger than allowed")
        .with_delivery(Delivery::Answered)
        .with_context("limit_bytes", limit)
}

/// A successful answer whose body is handed on as it arrives.
///
/// A body that is cut, pauses for longer than the policy's idle time-out, or exceeds its limit, yields one `Err` and
/// then ends; nothing is asked for a second time, since what was handed on cannot be taken back. Dropping it
/// closes the connection.
pub struct BodyStream {
    headers: HeaderMap,
    chunks: BoxStream<'static, Result<Bytes>>,
}

/// How a streamed body is watched.
pub(crate) struct Watch {
    pub(crate) clock: SharedClock,
    pub(crate) idle: Duration,
    pub(crate) limit: Option<usize>,
    pub(crate) operation: &'static str,
    pub(crate) host: String,
}

impl BodyStream {
    pub(crate) fn new(mut response: reqwest::Response, permit: Permit, watch: Watch) -> Self {
        let headers = std::mem::take(response.headers_mut());
        let state = (response, 0_usize, watch, permit);
        let chunks = try_unfold(state, |(mut response, read, watch, permit)| async move {
            let next = match within(&watch.clock, watch.idle, response.chunk()).await {
                None => Err(idle(watch.idle)),
                Some(Err(error)) => Err(cut(error, read)),
                Some(Ok(None)) => return Ok(None),
                Some(Ok(Some(chunk))) => Ok(chunk),
            };
            let chunk = next.map_err(|error| watch.in_context(error))?;
            let read = read + chunk.len();
            match watch.limit {
                Some(limit) if read > limit => Err(watch.in_context(too_large(limit))),
                _ => Ok(Some((chunk, (response, read, watch, permit)))),
            }
        });
        Self { headers, chunks: Box::pin(chunks) }
    }

    /// A header's value by its name, in any case, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }
}

impl Watch {
    fn in_context(&self, error: Error) -> Error {
        error.with_context("operation", self.operation).with_context("host", &self.host)
    }
}

fn idle(limit: Duration) -> Error {
    Error::new(ErrorKind::Timeout, "the answer paused for too long")
        .with_delivery(Delivery::Answered)
        .with_context("idle_seconds", limit.as_secs_f32())
}

fn cut(error: reqwest::Error, read: usize) -> Error {
    Error::new(ErrorKind::Incomplete, "the answer broke off before its end")
        .with_delivery(Delivery::Answered)
        .with_context("bytes_read", read)
        .with_source(error.without_url())
}

impl Stream for BodyStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.as_mut().poll_next(context)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}
