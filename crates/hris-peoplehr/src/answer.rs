//! The envelope of an answer: whether it is a failure, with which code and message, and what stands where the result
//! belongs.

use hris_core::{Delivery, Error, ErrorKind, Result};
use serde_json::Value;

use crate::splitter::{Reader, Splitter};

/// What an answer says about itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) is_error: bool,
    /// `None` where there is no readable code.
    pub(crate) status: Option<i64>,
    pub(crate) message: Option<String>,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Envelope");
        out.field("is_error", &self.is_error).field("status", &self.status).finish_non_exhaustive()
    }
}

impl Envelope {
    /// Takes a key and its value. On the wire it is `isError`, in the vendor's specification `IsError`.
    pub(crate) fn take(&mut self, key: &[u8], json: &[u8]) {
        let value = || serde_json::from_slice::<Value>(json).ok();
        if key.eq_ignore_ascii_case(b"iserror") {
            self.is_error |= match value() {
                Some(Value::Bool(flag)) => flag,
                Some(Value::String(text)) => text.trim().eq_ignore_ascii_case("true"),
                _ => false,
            };
        } else if key.eq_ignore_ascii_case(b"status") {
            self.status = match value() {
                Some(Value::Number(number)) => number.as_i64(),
                Some(Value::String(text)) => text.trim().parse().ok(),
                _ => None,
            };
        } else if key.eq_ignore_ascii_case(b"message")
            && let Some(Value::String(text)) = value()
        {
            self.message = Some(text);
        }
    }

    /// Whether there is anything of an envelope.
    pub(crate) fn says_something(&self) -> bool {
        self.is_error || self.status.is_some() || self.message.is_some()
    }
}

/// What stands where the result belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResultShape {
    #[default]
    Missing,
    Null,
    List,
    Object,
    Other,
}

impl ResultShape {
    pub(crate) fn of(json: &[u8]) -> Self {
        match json.first() {
            Some(b'n') => Self::Null,
            Some(b'{') => Self::Object,
            Some(b'[') => Self::List,
            _ => Self::Other,
        }
    }
}

/// A small answer, read whole.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) envelope: Envelope,
    pub(crate) shape: ResultShape,
    /// The result, if it is an object.
    pub(crate) object: Vec<u8>,
}

impl Outline {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if it is no JSON object, [`ErrorKind::Incomplete`] if it is cut.
    pub(crate) fn of(body: &[u8]) -> Result<Self> {
        let mut outline = Self::default();
        let mut splitter = Splitter::new(usize::MAX);
        splitter.feed(body, &mut outline)?;
        splitter.finish()?;
        Ok(outline)
    }
}

impl Reader for Outline {
    fn list(&mut self) {
        self.shape = ResultShape::List;
    }

    fn front(&mut self, _bytes: &[u8]) -> Option<usize> {
        None
    }

    fn element(&mut self, _json: &[u8]) -> Result<()> {
        Ok(())
    }

    fn member(&mut self, key: &[u8], json: &[u8]) -> Result<()> {
        if key == b"Result" {
            self.shape = ResultShape::of(json);
            if self.shape == ResultShape::Object {
                json.clone_into(&mut self.object);
            }
        } else {
            self.envelope.take(key, json);
        }
        Ok(())
    }
}

/// The error of a success that has something else where the result belongs.
pub(crate) fn misshapen(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, "the answer does not have the expected form")
        .with_delivery(Delivery::Answered)
        .with_context("path", "Result")
        .with_context("problem", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(body: &str) -> Outline {
        Outline::of(body.as_bytes()).unwrap()
    }

    #[test]
    fn both_spellings_of_the_flag_are_read_and_every_form_of_its_value() {
        for body in [
            r#"{"isError":true}"#,
            r#"{"IsError":true}"#,
            r#"{"isError":"true"}"#,
            r#"{"IsError":" True ","isError":false}"#,
        ] {
            assert!(outline(body).envelope.is_error, "{body}");
        }
        for body in [r#"{"isError":false}"#, r#"{"IsError":"false"}"#, r#"{"isError":null}"#, "{}"] {
            assert!(!outline(body).envelope.is_error, "{body}");
        }
    }

    #[test]
    fn a_code_may_be_text_and_a_message_null() {
        let envelope = outline(r#"{"Status":"5","Message":null,"Result":{}}"#).envelope;
        assert_eq!((envelope.status, envelope.message), (Some(5), None));
        assert_eq!(outline(r#"{"Status":{},"Message":7}"#).envelope, Envelope::default());
    }

    #[test]
    fn what_stands_where_the_result_belongs_is_told_apart() {
        for (body, shape) in [
            ("{}", ResultShape::Missing),
            (r#"{"Result":null}"#, ResultShape::Null),
            (r#"{"Result":[{"a":1}]}"#, ResultShape::List),
            (r#"{"Result":{"CompanyId":7}}"#, ResultShape::Object),
            (r#"{"Result":"x"}"#, ResultShape::Other),
        ] {
            assert_eq!(outline(body).shape, shape, "{body}");
        }
        assert_eq!(outline(r#"{"Result":{"CompanyId":7}}"#).object, br#"{"CompanyId":7}"#);
    }

    #[test]
    fn debug_shows_no_message() {
        assert!(!format!("{:?}", outline(r#"{"Message":"canary"}"#).envelope).contains("canary"));
    }
}
