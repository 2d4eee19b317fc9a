//! JSON to values, with errors that name the place and the expectation and never the value found.

use std::fmt::Write as _;
use std::marker::PhantomData;

use hris_core::{Delivery, Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::Deserializer;
use serde_json::de::Read;
use serde_path_to_error::{Path, Segment};

/// Reads a JSON document; values may borrow from it. A byte order mark is skipped.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Page<'a> { #[serde(borrow)] next: Option<&'a str>, results: Vec<u32> }
/// let page: Page<'_> = hris_http::decode(br#"{"next":"c2","results":[1,2]}"#)?;
/// assert_eq!((page.next, page.results.len()), (Some("c2"), 2));
/// # Ok::<(), hris_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Protocol`](hris_core::ErrorKind::Protocol). A body that is no whole JSON document (cut, empty,
/// HTML) is retryable, since proxies cut and interject; a document of another form than expected is not.
pub fn decode<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    // The path costs time, so it is looked for only when there is something to explain.
    read(PhantomData::<T>, body).map_err(|error| explain::<T>(body, &error))
}

/// Reads a JSON document that needs a seed; values may borrow from it. A byte order mark is skipped.
///
/// What is wrong with a document is found out by reading it as `O` as well, which may be as little as
/// [`serde::de::IgnoredAny`]; of one that fits `O` all the same, the error says `misfit`.
///
/// ```
/// use std::marker::PhantomData;
/// use serde::de::IgnoredAny;
/// let rows = hris_http::lenient::ListSeed(PhantomData::<u32>);
/// assert_eq!(hris_http::decode_seed::<IgnoredAny, _>(rows, b"[1,2]", "no list of numbers")?, [1, 2]);
/// let error = hris_http::decode_seed::<IgnoredAny, _>(rows, b"{}", "no list of numbers").unwrap_err();
/// assert_eq!(error.message(), "no list of numbers");
/// # Ok::<(), hris_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`decode`]; values are never quoted.
pub fn decode_seed<'de, O: Deserialize<'de>, S: DeserializeSeed<'de>>(
    seed: S,
    body: &'de [u8],
    misfit: &'static str,
) -> Result<S::Value> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    read(seed, body).map_err(|_| decode::<O>(body).err().unwrap_or_else(|| protocol(misfit)))
}

fn read<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> serde_json::Result<S::Value> {
    fn whole<'de, R: Read<'de>, S: DeserializeSeed<'de>>(
        seed: S,
        mut json: Deserializer<R>,
    ) -> serde_json::Result<S::Value> {
        seed.deserialize(&mut json).and_then(|read| json.end().map(|()| read))
    }
    // Looking at the encoding of everything at once costs a tenth of looking at every text by itself. Where it is wrong,
    // it may be so in a text that nobody reads.
    match std::str::from_utf8(body) {
        Ok(text) => whole(seed, Deserializer::from_str(text)),
        Err(_) => whole(seed, Deserializer::from_slice(body)),
    }
}

fn explain<'de, T: Deserialize<'de>>(body: &'de [u8], error: &serde_json::Error) -> Error {
    let broken = |message| protocol(message).with_retryable(true);
    match body.trim_ascii_start().first() {
        None => broken("the answer is empty where JSON was expected"),
        Some(b'<') => broken("the answer is HTML or XML where JSON was expected"),
        Some(_) if error.is_data() => misfit::<T>(body, error),
        Some(_) => {
            broken("the answer is not a whole JSON document").with_context("position", position(error))
        }
    }
}

fn misfit<'de, T: Deserialize<'de>>(body: &'de [u8], error: &serde_json::Error) -> Error {
    let mut json = Deserializer::from_slice(body);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => String::new(),
        Err(located) => shown(located.path()),
    };
    protocol("the answer does not have the expected form")
        .with_context("path", if path.is_empty() { "." } else { &path })
        .with_context("problem", without_value(&error.to_string()))
        .with_context("position", position(error))
}

fn protocol(message: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, message).with_delivery(Delivery::Answered)
}

fn position(error: &serde_json::Error) -> String {
    format!("{}:{}", error.line(), error.column())
}

/// Writes a path. Keys of a map are data: one that does not look like a name is left out.
fn shown(path: &Path) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => _ = write!(out, "[{index}]"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                let dot = if out.is_empty() { "" } else { "." };
                let looks_like_a_name =
                    key.len() <= 64 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                _ = write!(out, "{dot}{}", if looks_like_a_name { key } else { "…" });
            }
            Segment::Unknown => out.push('?'),
        }
    }
    out
}

/// What serde says, without the value it quotes: the part after `expected`, or a text that names only our own fields.
/// Texts of hand-written deserialisers may quote anything and are dropped.
fn without_value(message: &str) -> &str {
    const QUOTING: [&str; 5] =
        ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant ", "unknown field "];
    const SAFE: [&str; 3] =
        ["missing field `", "duplicate field `", "data did not match any variant of untagged enum "];
    let text = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    if SAFE.iter().any(|start| text.starts_with(start)) {
        return text;
    }
    match text.rfind(", expected ") {
        Some(at) if QUOTING.iter().any(|start| text.starts_with(start)) => &text[at + 2..],
        _ => "a value of another form",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::Error as _;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only their types matter")]
    struct Row {
        id: u64,
        status: Option<Status>,
        #[serde(default, deserialize_with = "talkative")]
        date: (),
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Active,
    }

    fn talkative<'de, D: serde::Deserializer<'de>>(json: D) -> std::result::Result<(), D::Error> {
        let text = String::deserialize(json)?;
        Err(D::Error::custom(format!("no date: {text}, expected {text}")))
    }

    fn failure<'de, T: Deserialize<'de> + std::fmt::Debug>(body: &'de str) -> Error {
        let error = decode::<T>(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert_eq!(error.delivery(), Delivery::Answered);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("jane"), "{shown}");
        error
    }

    #[test]
    fn decode_error_names_the_path_and_hides_the_value() {
        let type_of =
            failure::<BTreeMap<String, Vec<Row>>>(r#"{"data":[{"id":1},{"id":"jane, expected jane"}]}"#);
        assert!(type_of.to_string().contains("path: data[1].id"), "{type_of}");
        assert!(type_of.to_string().contains("problem: expected u64"), "{type_of}");
        let variant = failure::<Row>(r#"{"id":1,"status":"jane@example.org"}"#);
        assert!(variant.to_string().contains("path: status"), "{variant}");
        let custom = failure::<Row>(r#"{"id":1,"date":"jane"}"#);
        assert!(custom.to_string().contains("another form"), "{custom}");
        let missing = failure::<Row>(r#"{"status":null}"#);
        assert!(missing.to_string().contains("missing field `id`"), "{missing}");
        let key = failure::<BTreeMap<String, Row>>(r#"{"jane@example.org":{"id":""}}"#);
        assert!(key.to_string().contains("path: ….id"), "{key}");
        for error in [type_of, variant, custom, missing, key] {
            assert!(!error.is_retryable(), "{error}");
        }
    }

    #[test]
    fn a_body_that_is_no_whole_document_says_so_and_may_be_tried_again() {
        for (body, says) in [
            ("", "empty"),
            (" \n", "empty"),
            ("\u{feff}", "empty"),
            ("<html>jane</html>", "HTML"),
            (r#"{"id":1,"status":"jane"#, "whole JSON"),
            (r#"{"id":1}jane"#, "whole JSON"),
            ("jane", "whole JSON"),
        ] {
            let error = failure::<Row>(body);
            assert!(error.message().contains(says), "{body}: {error}");
            assert!(error.is_retryable(), "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(decode::<u8>(b"\xEF\xBB\xBF 7").unwrap(), 7);
    }
}
