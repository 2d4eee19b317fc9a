//! The persisted forms: what rows hold, each with a version, and how it is read back.
//!
//! `tests/golden/` has one file per form. Changing a form means a new version here that still reads the old one.

use hris_core::keys::{FieldTag, Print, Prints};
use hris_core::{Action, Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of documents and of fingerprints that this code writes.
const VERSION: u32 = 1;
const PRINTS_VERSION: u8 = 1;
const PRINT_BYTES: usize = 4 + 8;

#[derive(Serialize, Deserialize)]
struct Document<T> {
    v: u32,
    body: T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// A document: `{"v":1,"body":…}`.
pub(crate) fn encode<T: Serialize>(body: &T) -> Result<String> {
    let document = Document { v: VERSION, body };
    // The cause could quote a value, so it is left out.
    serde_json::to_string(&document)
        .map_err(|_| Error::new(ErrorKind::Store, "a document for the store cannot be written as JSON"))
}

/// Reads a document; `what` names it in errors.
pub(crate) fn decode<T: DeserializeOwned>(what: &'static str, json: &[u8]) -> Result<T> {
    match serde_json::from_slice::<Document<T>>(json) {
        Ok(document) if document.v == VERSION => Ok(document.body),
        _ => Err(unreadable(what, json)),
    }
}

/// Says why a document cannot be read, without quoting it.
fn unreadable(what: &'static str, json: &[u8]) -> Error {
    let newer = serde_json::from_slice::<Version>(json).is_ok_and(|document| document.v > VERSION);
    let error = if newer {
        Error::new(ErrorKind::Integrity, "a newer version of this library wrote this document")
            .with_hint("upgrade this library")
    } else {
        damaged("a document of the store is damaged")
    };
    error.with_context("document", what)
}

pub(crate) fn damaged(message: &'static str) -> Error {
    Error::new(ErrorKind::Integrity, message).with_hint("restore the store from a backup")
}

/// An action as its row has it.
pub(crate) struct ActionBody {
    pub(crate) json: String,
    pub(crate) prints: Option<Vec<u8>>,
}

/// An action with its values. This and [`decode_action`] are the only way of values in and out of the file: a codec
/// that encrypts them at rest belongs here.
///
/// The prints of its `after` go apart, since they are three times as large in JSON, and an action that fits its page
/// is written in half the time.
pub(crate) fn encode_action(action: &Action) -> Result<ActionBody> {
    let mut action = action.clone();
    let prints = std::mem::take(&mut action.after.prints);
    let prints = (prints.iter().len() > 0).then(|| encode_prints(&prints));
    Ok(ActionBody { json: encode(&action)?, prints })
}

/// Reads an action back.
pub(crate) fn decode_action(json: &[u8], prints: Option<&[u8]>) -> Result<Action> {
    let mut action: Action = decode("action", json)?;
    if let Some(prints) = prints {
        action.after.prints = decode_prints(prints)?;
    }
    Ok(action)
}

/// Fingerprints as bytes: a version byte, then tag and fingerprint of each attribute, little endian.
pub(crate) fn encode_prints(prints: &Prints) -> Vec<u8> {
    let pairs = prints.iter();
    let mut bytes = Vec::with_capacity(1 + pairs.len() * PRINT_BYTES);
    bytes.push(PRINTS_VERSION);
    for (FieldTag(tag), Print(print)) in pairs {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(print.to_le_bytes());
    }
    bytes
}

/// Reads fingerprints back.
pub(crate) fn decode_prints(bytes: &[u8]) -> Result<Prints> {
    match bytes.split_first() {
        Some((&PRINTS_VERSION, pairs)) => {
            let (pairs, []) = pairs.as_chunks::<PRINT_BYTES>() else {
                return Err(damaged("fingerprints of the store are cut short"));
            };
            Ok(Prints::new(pairs.iter().map(decode_pair).collect()))
        }
        Some((version, _)) if *version > PRINTS_VERSION => {
            Err(Error::new(ErrorKind::Integrity, "a newer version of this library wrote these fingerprints")
                .with_hint("upgrade this library"))
        }
        _ => Err(damaged("fingerprints of the store are damaged")),
    }
}

fn decode_pair(pair: &[u8; PRINT_BYTES]) -> (FieldTag, Print) {
    let [t0, t1, t2, t3, p0, p1, p2, p3, p4, p5, p6, p7] = *pair;
    let tag = u32::from_le_bytes([t0, t1, t2, t3]);
    let print = u64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7]);
    (FieldTag(tag), Print(print))
}
