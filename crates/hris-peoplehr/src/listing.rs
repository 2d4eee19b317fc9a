//! A large answer under way: taken apart as it arrives, judged before its first record is handed on and again at its end.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use hris_core::{Delivery, Error, ErrorKind, Result};
use hris_http::BodyStream;
use serde::Deserialize;

use crate::answer::{Envelope, ResultShape, misshapen};
use crate::errors::{Meaning, Rules, is_busy};
use crate::splitter::{Reader, Splitter};

/// What becomes of the rows of a listing.
pub(crate) trait Rows: Send {
    /// A row begins here, and the bytes after it may belong to other things: takes it and says how long it is. `None`
    /// if it is not all there or cannot be read; then it comes again, through [`Rows::row`].
    fn front(&mut self, bytes: &[u8]) -> Option<usize>;

    /// One whole row, or what stands in place of one.
    ///
    /// # Errors
    /// If it is no JSON.
    fn row(&mut self, json: &[u8]) -> Result<()>;
}

/// What a listing is an answer to.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) operation: &'static str,
    pub(crate) rules: Arc<Rules>,
    pub(crate) max_record_bytes: usize,
}

/// A listing under way.
pub(crate) struct Listing<R> {
    body: BodyStream,
    splitter: Splitter,
    about: About,
    taken: Taken,
    rows: R,
    is_over: bool,
}

/// What was taken of a listing so far.
#[derive(Default)]
struct Taken {
    envelope: Envelope,
    shape: ResultShape,
    elements: u64,
    /// The first row is none: it says that a query is under way.
    is_busy: bool,
}

impl<R: Rows> Listing<R> {
    /// Reads as far as the first row, or to the end if there is none.
    pub(crate) async fn begin(body: BodyStream, about: About, rows: R) -> Result<Self> {
        let splitter = Splitter::new(about.max_record_bytes);
        let mut listing = Self { body, splitter, about, taken: Taken::default(), rows, is_over: false };
        while listing.taken.elements == 0 && listing.more().await? {}
        if !listing.is_over {
            listing.judge_the_beginning()?;
        }
        Ok(listing)
    }

    /// Takes the next piece. False once there are no more, and the answer was judged to be whole and a success.
    pub(crate) async fn more(&mut self) -> Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        if let Some(piece) = self.body.try_next().await? {
            self.feed(&piece)?;
            return Ok(true);
        }
        self.is_over = true;
        self.splitter.finish()?;
        self.judge_all()?;
        Ok(false)
    }

    /// Whether it came to its end without a single row.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_over && self.taken.elements == 0
    }

    /// What was made of the rows so far.
    pub(crate) fn rows(&mut self) -> &mut R {
        &mut self.rows
    }

    /// What was made of the rows.
    pub(crate) fn into_rows(self) -> R {
        self.rows
    }

    fn feed(&mut self, piece: &Bytes) -> Result<()> {
        let mut taking = Taking { taken: &mut self.taken, rows: &mut self.rows };
        self.splitter.feed(piece, &mut taking)
    }

    /// Judges what came before the first row. Where the code stands behind the rows, it is judged there.
    fn judge_the_beginning(&self) -> Result<()> {
        let envelope = &self.taken.envelope;
        let says_nothing_yet = envelope.status.is_none()
            && !envelope.is_error
            && self.about.rules.meaning(envelope) == Meaning::Unknown;
        if says_nothing_yet && !self.taken.is_busy { Ok(()) } else { self.judge() }
    }

    fn judge_all(&self) -> Result<()> {
        self.judge()?;
        let has_rows = self.taken.elements > 0;
        match (self.about.rules.meaning(&self.taken.envelope), self.taken.shape) {
            (Meaning::Empty, _) if has_rows => {
                Err(misshapen("rows beside a code that says that there are none"))
            }
            (Meaning::Empty, _) | (_, ResultShape::List) => Ok(()),
            _ => Err(misshapen("is not a list")),
        }
    }

    fn judge(&self) -> Result<()> {
        if self.taken.is_busy {
            let message = Some("already in progress".to_owned());
            let envelope = Envelope { message, ..self.taken.envelope.clone() };
            return self.about.rules.error(self.about.operation, &envelope).map_or(Ok(()), Err);
        }
        self.about.rules.error(self.about.operation, &self.taken.envelope).map_or(Ok(()), Err)
    }
}

/// A row that cannot be taken for one because it is no JSON: the whole answer is broken.
pub(crate) fn broken_row() -> Error {
    Error::new(ErrorKind::Protocol, "the answer is not a whole JSON document")
        .with_retryable(true)
        .with_delivery(Delivery::Answered)
}

/// Hands rows on, and keeps the rest.
struct Taking<'l, R> {
    taken: &'l mut Taken,
    rows: &'l mut R,
}

/// What may pose as the only row.
#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "Message")]
    message: String,
}

impl<R> Taking<'_, R> {
    fn note(&mut self, row: &[u8]) {
        if self.taken.elements == 0 {
            let notice = serde_json::from_slice::<Notice>(row);
            self.taken.is_busy = notice.is_ok_and(|notice| is_busy(&notice.message));
        }
        self.taken.elements += 1;
    }
}

impl<R: Rows> Reader for Taking<'_, R> {
    fn list(&mut self) {
        self.taken.shape = ResultShape::List;
    }

    fn front(&mut self, bytes: &[u8]) -> Option<usize> {
        let length = self.rows.front(bytes)?;
        self.note(bytes.get(..length).unwrap_or_default());
        Some(length)
    }

    fn element(&mut self, json: &[u8]) -> Result<()> {
        self.rows.row(json)?;
        self.note(json);
        Ok(())
    }

    fn member(&mut self, key: &[u8], json: &[u8]) -> Result<()> {
        if key == b"Result" {
            self.taken.shape = ResultShape::of(json);
        } else {
            self.taken.envelope.take(key, json);
        }
        Ok(())
    }
}
