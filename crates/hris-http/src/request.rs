//! A request described apart from the transport: what to send, and how carefully.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hris_core::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::form_urlencoded;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads.
    Get,
    /// Whatever the vendor makes of it; PeopleHR reads with it.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation of a vendor's API, ready to be sent any number of times.
///
/// Whether it may be repeated belongs to the operation, not to the method: [`Request::get`] starts out
/// repeatable, everything else does not, and [`Request::with_repeatable`] says otherwise.
///
/// ```
/// use hris_http::Request;
/// let request = Request::get("vendor.employee", "/core/v3/employees")
///     .with_segment("4f/17")          // becomes 4f%2F17
///     .with_query("expand", "team,office");
/// assert!(request.is_repeatable());
/// ```
///
/// `Debug` shows operation, method and fixed path; never a value, a header or a body.
#[derive(Clone)]
pub struct Request {
    operation: &'static str,
    method: Method,
    path: Cow<'static, str>,
    segments: Vec<String>,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Body>,
    repeatable: bool,
    authenticated: bool,
    max_bytes: Option<usize>,
    timeout: Option<Duration>,
}

#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Bytes,
}

/// RFC 3986's unreserved characters stay, and so does the comma: some vendors take a list only with a literal one.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');

impl Request {
    /// A request with a method. `operation` names it in spans and errors, for example `sesame.employees`. The
    /// path starts with a slash and does not end with one; values go into [`Request::with_segment`].
    pub fn new(method: Method, operation: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            operation,
            method,
            path: path.into(),
            segments: Vec::new(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            repeatable: method == Method::Get,
            authenticated: true,
            max_bytes: None,
            timeout: None,
        }
    }

    /// A read; repeatable.
    pub fn get(operation: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::Get, operation, path)
    }

    /// A POST; not repeatable unless said otherwise.
    pub fn post(operation: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::Post, operation, path)
    }

    /// Appends one segment to the path, whatever characters it has. An empty segment, `.` and `..` make the
    /// request fail as [`ErrorKind::Invalid`](hris_core::ErrorKind::Invalid) before anything is sent.
    #[must_use]
    pub fn with_segment(mut self, value: impl Into<String>) -> Self {
        self.segments.push(value.into());
        self
    }

    /// Adds a query parameter; name and value are encoded here.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(name, QUERY));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(&value, QUERY));
        self
    }

    /// Adds a header, in place of one of the transport's own (`accept`, `content-type`) if it has that name.
    /// A value that no header can hold makes the request fail before anything is sent.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends a value as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](hris_core::ErrorKind::Invalid) if the value has no JSON form.
    pub fn with_json(self, value: &(impl Serialize + ?Sized)) -> Result<Self> {
        let bytes = serde_json::to_vec(value)
            .map_err(|_| Error::new(ErrorKind::Invalid, "the request's body has no JSON form"))?;
        Ok(self.with_body("application/json", bytes))
    }

    /// Sends bytes as they are, under a content type (`application/json`, `application/scim+json`).
    #[must_use]
    pub fn with_body(mut self, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(Body { content_type, bytes: bytes.into() });
        self
    }

    /// Sends a form.
    #[must_use]
    pub fn with_form(self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.with_body("application/x-www-form-urlencoded", form)
    }

    /// Says whether sending it twice does no harm.
    #[must_use]
    pub fn with_repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }

    /// Sends no credentials.
    #[must_use]
    pub fn without_auth(mut self) -> Self {
        self.authenticated = false;
        self
    }

    /// The largest body to accept, in bytes after decompression; an answer beyond it is
    /// [`ErrorKind::TooLarge`](hris_core::ErrorKind::TooLarge). Unset, it is 16 MiB for a buffered answer and no
    /// limit for a streamed one.
    #[must_use]
    pub fn with_max_bytes(mut self, limit: usize) -> Self {
        self.max_bytes = Some(limit);
        self
    }

    /// The time-out of one attempt, in place of the policy's. Of a streamed answer it covers
    /// the headers, and what `stream_with` reads at the beginning.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The name in spans and errors.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether sending it twice does no harm.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        let fixed = if path.is_empty() { None } else { Some(path.split('/')) };
        fixed.into_iter().flatten().chain(self.segments.iter().map(String::as_str))
    }

    pub(crate) fn query(&self) -> Option<&str> {
        (!self.query.is_empty()).then_some(self.query.as_str())
    }

    pub(crate) fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    pub(crate) fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    pub(crate) fn max_bytes(&self) -> Option<usize> {
        self.max_bytes
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Request");
        out.field("operation", &self.operation).field("method", &self.method).field("path", &self.path);
        out.field("repeatable", &self.repeatable).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_but_keeps_its_commas() {
        let request = Request::get("t", "/x")
            .with_query("expand", "team,office")
            .with_query("updatedAt[gte]", "2026-03-02T06:00:00+01:00")
            .with_query("filter", "userName eq \"a&b\"");
        assert_eq!(
            request.query(),
            Some(
                "expand=team,office&updatedAt%5Bgte%5D=2026-03-02T06%3A00%3A00%2B01%3A00\
                 &filter=userName%20eq%20%22a%26b%22"
            )
        );
    }

    #[test]
    fn path_and_values_make_one_list_of_segments() {
        let request = Request::get("t", "/v1/company").with_segment("a/b").with_segment("employees");
        assert_eq!(request.segments().collect::<Vec<_>>(), ["v1", "company", "a/b", "employees"]);
        assert_eq!(Request::get("t", "/").segments().count(), 0);
        assert_eq!(Request::get("t", "/x/").segments().last(), Some(""));
    }

    #[test]
    fn only_a_read_starts_out_repeatable() {
        assert!(Request::get("t", "/x").is_repeatable());
        for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
            assert!(!Request::new(method, "t", "/x").is_repeatable());
        }
        assert!(Request::post("t", "/x").with_repeatable(true).is_repeatable());
    }

    #[test]
    fn debug_shows_no_value_header_or_body() {
        let request = Request::post("t.op", "/x")
            .with_segment("s3cret")
            .with_query("s3cret", "s3cret")
            .with_header("x-key", "s3cret")
            .with_form(&[("s3cret", "s3cret")]);
        let shown = format!("{request:?}");
        assert!(shown.contains("t.op") && !shown.contains("s3cret"), "{shown}");
    }
}
