//! Where a vendor's API lives: scheme, host and port, and nothing else.

use std::fmt;
use std::str::FromStr;

use hris_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Scheme, host and port of an API. The connector appends the vendor's path.
///
/// `https`, or `http` to a loopback host (`localhost`, `127.0.0.0/8`, `::1`) for simulators. User info, path,
/// query and fragment are refused, since a secret or a doubled path would hide in them.
///
/// ```
/// use hris_http::BaseUrl;
/// let base: BaseUrl = "https://api-eu1.vendor.example".parse()?;
/// assert_eq!(base.to_string(), "https://api-eu1.vendor.example");
/// assert!("http://api-eu1.vendor.example".parse::<BaseUrl>().is_err());
/// assert!("https://api-eu1.vendor.example/core/v3".parse::<BaseUrl>().is_err());
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads and checks a base URL.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) with a hint. The text is not repeated in the error,
    /// since it may hold a secret.
    pub fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text).map_err(|error| {
            let message = "the base URL is not a URL";
            Error::config(message, "write it as https://host or https://host:port").with_source(error)
        })?;
        match complaint(&url) {
            None => Ok(Self(url)),
            Some((message, hint)) => Err(Error::config(message, hint)),
        }
    }

    /// The host, with the port where it is not the scheme's own; for error contexts and spans.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// The URL of a path (its segments still unencoded) with values appended as segments of their own.
    pub(crate) fn join<'a>(&self, segments: impl Iterator<Item = &'a str>) -> Result<Url> {
        let mut url = self.0.clone();
        let Ok(mut path) = url.path_segments_mut() else {
            return Err(Error::new(ErrorKind::Config, "the base URL cannot have a path"));
        };
        path.clear();
        for segment in segments {
            // An empty id would list everybody, and a dot would name another resource.
            if matches!(segment, "" | "." | "..") {
                let message = "a segment of the request's path is empty or a dot";
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            path.push(segment);
        }
        drop(path);
        Ok(url)
    }
}

fn complaint(url: &Url) -> Option<(&'static str, &'static str)> {
    if url.host().is_none() || !matches!(url.scheme(), "http" | "https") {
        return Some(("the base URL is not an https URL", "write it as https://host or https://host:port"));
    }
    if url.scheme() == "http" && !is_loopback(url) {
        return Some(("the base URL is not encrypted", "use https; http is for a simulator on this machine"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(("the base URL holds a user name", "give credentials in the settings made for them"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some(("the base URL holds a query or a fragment", "leave out everything from ? or # on"));
    }
    if url.path() != "/" {
        return Some((
            "the base URL holds a path",
            "give scheme, host and port only: the path is added here",
        ));
    }
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl FromStr for BaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<BaseUrl> for String {
    fn from(base: BaseUrl) -> Self {
        base.to_string()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(text: &str) -> String {
        let error = BaseUrl::parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        error.hint().unwrap_or_default().to_owned()
    }

    #[test]
    fn https_anywhere_and_http_to_loopback_are_accepted() {
        for text in [
            "https://api.example",
            "https://api.example:8443/",
            "HTTPS://API.EXAMPLE",
            "http://localhost:80",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:9",
        ] {
            assert!(BaseUrl::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_a_hint_and_without_repeating_it() {
        for text in
            ["http://api.example", "http://10.0.0.1", "http://localhost.evil.example", "http://128.0.0.1"]
        {
            assert!(hint(text).contains("https"), "{text}");
        }
        assert!(hint("https://api.example/core/v3").contains("path is added"));
        assert!(hint("https://me:s3cret@api.example").contains("credentials"));
        assert!(hint("https://api.example?key=s3cret").contains('?'));
        assert!(hint("https://api.example/#s3cret").contains('#'));
        for text in ["", "s3cret", "api.example", "ftp://api.example", "file:///s3cret", "mailto:s3cret@x"] {
            assert!(hint(text).contains("https://host"), "{text}");
        }
    }

    #[test]
    fn a_segment_is_encoded_and_can_neither_vanish_nor_climb() {
        let base = BaseUrl::parse("https://api.example").unwrap();
        let url = base.join(["core", "v3", "a/b?c#d%e é"].into_iter()).unwrap();
        assert_eq!(url.as_str(), "https://api.example/core/v3/a%2Fb%3Fc%23d%25e%20%C3%A9");
        for bad in ["", ".", ".."] {
            let error = base.join(["core", bad].into_iter()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn it_reads_and_writes_as_text() {
        let base: BaseUrl = serde_json::from_str("\"https://api.example:8443\"").unwrap();
        assert_eq!(serde_json::to_string(&base).unwrap(), "\"https://api.example:8443\"");
        assert!(serde_json::from_str::<BaseUrl>("\"http://api.example\"").is_err());
    }
}
