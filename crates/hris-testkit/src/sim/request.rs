//! A request as a simulated vendor sees it, and as a test may look at it afterwards.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

/// One HTTP request that a simulator or a [`crate::FaultServer`] received.
///
/// `Debug` shows method, path and the *names* of query parameters and headers: values may be secrets, bodies are never
/// shown.
#[derive(Clone)]
pub struct SimRequest {
    method: String,
    path: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl SimRequest {
    /// A request by its parts. `target` is what stands in the request line: the path and, after `?`, the query.
    ///
    /// Vendors' own tests use it to ask their simulator without a socket.
    pub fn new<N: Into<String>, V: Into<String>>(
        method: impl Into<String>,
        target: &str,
        headers: impl IntoIterator<Item = (N, V)>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let decode = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        Self {
            method: method.into(),
            path: path.to_owned(),
            segments: segments.map(decode).collect(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            body: body.into(),
        }
    }

    /// The method in capitals, such as `GET`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it was sent: percent-encoded, with a trailing slash if it had one, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The parts of the path between slashes, percent-decoded, empty ones left out; for `match`.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The first value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_all(name).next()
    }

    /// Every value of a query parameter that is repeated, in order.
    pub fn query_all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.query.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The names of the query parameters in the order in which they were sent.
    pub fn query_names(&self) -> impl Iterator<Item = &str> {
        self.query.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of a header, whose name is compared without regard to case. Values that are not UTF-8 count as
    /// missing.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    /// Whether a header was sent.
    pub fn has_header(&self, name: &str) -> bool {
        self.header(name).is_some()
    }

    /// The token of an `Authorization: Bearer …` header (RFC 6750, section 2.1).
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The first value of a parameter in a form body (`application/x-www-form-urlencoded`), decoded.
    pub fn form(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(&self.body);
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

impl From<&wiremock::Request> for SimRequest {
    fn from(request: &wiremock::Request) -> Self {
        let target = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        let headers = request.headers.iter();
        let text = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        Self::new(request.method.as_str(), &target, text, request.body.clone())
    }
}

impl fmt::Debug for SimRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, _)| name);
        f.debug_struct("SimRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query_names().collect::<Vec<_>>())
            .field("headers", &headers.collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> SimRequest {
        let headers = [("Authorization", "Bearer s3cret"), ("Accept", "application/json")];
        let target = "//v1/people/a%2Fb/?status=active&status=in%20active&key=s3cret";
        SimRequest::new("GET", target, headers, r#"{"APIKey":"s3cret"}"#)
    }

    #[test]
    fn path_query_headers_and_body_are_taken_apart() {
        let request = request();
        assert_eq!(request.segments(), ["v1", "people", "a/b"]);
        assert_eq!(request.path(), "//v1/people/a%2Fb/");
        assert_eq!(request.query("status"), Some("active"));
        assert_eq!(request.query_all("status").collect::<Vec<_>>(), ["active", "in active"]);
        assert_eq!(request.query("page"), None);
        assert_eq!(request.bearer(), Some("s3cret"));
        assert!(request.has_header("accept") && !request.has_header("x-other"));
        assert_eq!(request.json().unwrap()["APIKey"], "s3cret");
    }

    #[test]
    fn a_form_body_is_read_and_another_scheme_is_no_bearer_token() {
        let headers = [("authorization", "Basic eDp5")];
        let request = SimRequest::new("POST", "/token", headers, "grant_type=client_credentials&a=b+c");
        assert_eq!(request.form("a").as_deref(), Some("b c"));
        assert_eq!(request.bearer(), None);
        assert_eq!(request.json(), None);
    }

    #[test]
    fn debug_shows_names_but_no_secret() {
        let shown = format!("{:?}", request());
        assert!(shown.contains("Authorization") && shown.contains("key"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains("APIKey"), "{shown}");
    }
}
