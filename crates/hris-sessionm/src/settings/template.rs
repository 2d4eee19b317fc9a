//! Calls that SessionM's public pages do not describe, as templates: method, path and body with places to fill.

use std::collections::BTreeSet;

use hris_core::{Error, ErrorKind, Result};
use hris_http::{Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filled;

/// The method of a configured call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Verb {
    /// Reads.
    Get,
    /// Whatever the vendor makes of it.
    #[default]
    Post,
    /// Replaces.
    Put,
}

/// A call as the vendor told it to the operator.
///
/// `{name}` in the path and in any text of the body is filled in. In the path each place is a whole segment and is
/// percent-encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Call {
    /// The method.
    #[serde(default)]
    pub method: Verb,
    /// The path after the family's prefix, beginning with a slash.
    pub path: String,
    /// The body; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// What fills the places of a template.
#[derive(Clone, Default)]
pub(crate) struct Values<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Values<'a> {
    /// Adds a value.
    pub(crate) fn with(mut self, name: &'static str, value: &'a str) -> Self {
        self.0.push((name, value));
        self
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Puts values into the places of a text.
    fn fill(&self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            out.push_str(self.get(name).ok_or_else(|| missing(name))?);
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }
}

impl Call {
    /// A call with a body.
    pub fn new(method: Verb, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), body }
    }

    /// Checks that the path is one and that every place has a known name.
    pub(crate) fn validate(&self, name: &str, known: &[&str]) -> Result<()> {
        check_path(name, &self.path, known)?;
        let mut texts = Vec::new();
        if let Some(body) = &self.body {
            collect_texts(body, &mut texts);
        }
        texts.into_iter().try_for_each(|text| check_places(name, text, known))
    }

    /// The request, without body or with the body filled in; `prefix` holds the segments before the path.
    pub(crate) fn request(
        &self,
        operation: &'static str,
        prefix: Request,
        values: &Values<'_>,
    ) -> Result<Request> {
        debug_assert_eq!(prefix.operation(), operation, "the prefix belongs to the call");
        let request = append(prefix, &self.path, values)?;
        match &self.body {
            None => Ok(request),
            Some(body) => request.with_json(&fill_json(body, values)?),
        }
    }

    /// The method as the transport knows it.
    pub(crate) fn http_method(&self) -> Method {
        match self.method {
            Verb::Get => Method::Get,
            Verb::Post => Method::Post,
            Verb::Put => Method::Put,
        }
    }
}

/// Appends the segments of a path template to a request.
pub(crate) fn append(request: Request, path: &str, values: &Values<'_>) -> Result<Request> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .try_fold(request, |request, segment| Ok(request.with_segment(values.fill(segment)?)))
}

/// Checks a path template.
pub(crate) fn check_path(name: &str, path: &str, known: &[&str]) -> Result<()> {
    filled(name, path, "give the path, beginning with a slash")?;
    if !path.starts_with('/') || path.contains(['?', '#', ' ']) || path.contains("//") {
        let hint = "begin it with a slash; no host, query or blank belongs in it";
        return Err(Error::config(format!("the path of `{name}` is not one"), hint));
    }
    check_places(name, path, known)
}

fn check_places(name: &str, text: &str, known: &[&str]) -> Result<()> {
    for place in places(text) {
        if !known.contains(&place) {
            return Err(Error::config(
                format!("`{name}` has the place {{{place}}}, which nothing fills"),
                format!("use {}", listed(known)),
            ));
        }
    }
    Ok(())
}

fn listed(known: &[&str]) -> String {
    let known: BTreeSet<_> = known.iter().map(|name| format!("{{{name}}}")).collect();
    if known.is_empty() { "no place at all".to_owned() } else { Vec::from_iter(known).join(", ") }
}

/// The names between braces.
fn places(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|after| after.split_once('}').map(|(name, _)| name))
}

fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(fields) => fields.values().for_each(|item| collect_texts(item, texts)),
        _ => {}
    }
}

fn fill_json(value: &Value, values: &Values<'_>) -> Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(values.fill(text)?),
        Value::Array(items) => items.iter().map(|item| fill_json(item, values)).collect::<Result<_>>()?,
        Value::Object(fields) => fields
            .iter()
            .map(|(name, item)| Ok((name.clone(), fill_json(item, values)?)))
            .collect::<Result<serde_json::Map<_, _>>>()?
            .into(),
        other => other.clone(),
    })
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Invalid, "the configured call needs a value that this customer does not have")
        .with_context("place", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_filled_in_texts_at_any_depth_and_nowhere_else() {
        let body = json!({ "legacy": { "ids": ["{a}", "x-{b}-{a}"] }, "n": 1, "{a}": true });
        let filled = fill_json(&body, &Values::default().with("a", "1{b}").with("b", "2")).unwrap();
        assert_eq!(filled, json!({ "legacy": { "ids": ["1{b}", "x-2-1{b}"] }, "n": 1, "{a}": true }));
    }

    #[test]
    fn a_place_that_nothing_fills_is_refused_when_settings_are_read() {
        let call = Call::new(Verb::Post, "/a/{user_id}", Some(json!({ "x": "{agent}" })));
        let error = call.validate("notes.create", &["user_id"]).unwrap_err();
        assert!(error.to_string().contains("{agent}") && error.to_string().contains("{user_id}"), "{error}");
        assert!(call.validate("notes.create", &["user_id", "agent"]).is_ok());
    }

    #[test]
    fn a_path_is_a_path() {
        for path in ["", "a/b", "/a b", "/a?b=c", "https://host/a", "/a//b"] {
            assert!(check_path("x", path, &[]).is_err(), "{path}");
        }
    }

    #[test]
    fn a_value_that_is_missing_is_told_by_its_place_only() {
        let error = Values::default().with("a", "secret").fill("{a}{b}").unwrap_err();
        assert!(error.to_string().contains("place: b") && !error.to_string().contains("secret"));
    }
}
