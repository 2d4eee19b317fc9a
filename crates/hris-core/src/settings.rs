//! Checks of settings, with errors that say which values are right.

use std::fmt::Display;

use crate::{Error, Result};

/// Checks that a number lies between two others, both included.
///
/// ```
/// use hris_core::settings::within;
/// assert!(within("page_size", 500, 1, 500).is_ok());
/// let error = within("page_size", 501, 1, 500).unwrap_err();
/// assert_eq!(error.message(), "`page_size` is 501");
/// ```
///
/// # Errors
/// [`crate::ErrorKind::Config`], naming the setting, its value and the numbers allowed.
pub fn within<N: Copy + PartialOrd + Display>(name: &str, value: N, least: N, most: N) -> Result<()> {
    if (&least..=&most).contains(&&value) {
        return Ok(());
    }
    Err(Error::config(format!("`{name}` is {value}"), format!("use a number from {least} to {most}")))
}

/// Checks that a text says something, or is left out.
///
/// # Errors
/// [`crate::ErrorKind::Config`], naming the setting.
pub fn not_blank<'t>(name: &'static str, text: impl Into<Option<&'t str>>) -> Result<()> {
    if text.into().is_some_and(|text| text.trim().is_empty()) {
        return Err(Error::config(format!("`{name}` is blank"), "give it a value or leave it out"));
    }
    Ok(())
}

/// Checks the fixed path of a URL: segments that cannot lead elsewhere, each after a slash.
///
/// ```
/// use hris_core::settings::path;
/// assert!(path("api_prefix", "/v1/hr").is_ok());
/// for wrong in ["v1", "/v1/", "/../v1", "/v1?a=b", "/a%2Fb", "/v1/{company}"] {
///     assert!(path("api_prefix", wrong).is_err(), "{wrong}");
/// }
/// ```
///
/// # Errors
/// [`crate::ErrorKind::Config`], naming the setting.
pub fn path(name: &str, path: &str) -> Result<()> {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match path.strip_prefix('/') {
        Some(segments) if segments.split('/').all(is_segment) => Ok(()),
        _ => {
            let hint = "begin with a slash, do not end with one, and leave out queries and percent-encoding";
            Err(Error::config(format!("`{name}` is not a path"), hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn both_ends_are_allowed_and_nothing_beyond() {
        for (value, is_right) in [(0, false), (1, true), (9, true), (10, false)] {
            assert_eq!(within("n", value, 1, 9).is_ok(), is_right, "{value}");
        }
    }

    #[test]
    fn a_text_of_blanks_is_refused_by_name() {
        assert!(not_blank("region", "eu1").is_ok() && not_blank("region", None).is_ok());
        let error = not_blank("region", " \t").unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "`region` is blank"));
    }
}
