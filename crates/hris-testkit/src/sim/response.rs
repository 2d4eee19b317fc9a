//! An answer of a simulated vendor.

use std::fmt;

use serde_json::Value;
use wiremock::ResponseTemplate;

/// Status, headers and body of an answer. `Debug` shows no values and no body.
#[derive(Clone, PartialEq, Eq)]
pub struct SimResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl SimResponse {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// An answer in any format: `mime` becomes the `Content-Type`.
    pub fn raw(status: u16, mime: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut response = Self::empty(status).with_header("content-type", mime);
        response.body = body.into();
        response
    }

    /// Sets a header, in place of one with the same name. Name and value must be valid in HTTP, or the request gets
    /// no answer.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Cuts the body in half, so that JSON ends in the middle while the length that is announced is right.
    #[must_use]
    pub(super) fn cut(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }

    pub(super) fn into_template(self) -> ResponseTemplate {
        // Without a type of its own: the content type is among the headers.
        let template = ResponseTemplate::new(self.status).set_body_raw(self.body, "");
        let headers = self.headers.into_iter();
        headers.fold(template, |template, (name, value)| template.insert_header(name, value))
    }
}

impl fmt::Debug for SimResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
