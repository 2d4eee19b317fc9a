//! Where an attribute lives in a SCIM user: reading paths, and reading and changing documents by them.

use std::fmt;
use std::str::FromStr;

use hris_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The core schema of users (RFC 7643, section 4.1).
pub(crate) const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The enterprise extension (RFC 7643, section 4.3).
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user as JSON, attribute by attribute.
pub(crate) type Document = Map<String, Value>;

/// The path of an attribute (RFC 7644, section 3.10), in one of the forms that real servers take:
/// `title`, `name.givenName`, `emails[type eq "work"].value`, `URN:attribute`, `URN:attribute.sub`.
///
/// ```
/// use hris_target_scim::ScimPath;
/// let path: ScimPath = "urn:example:params:scim:schemas:extension:member:2.0:User:dateOfBirth".parse()?;
/// assert_eq!(path.schema(), Some("urn:example:params:scim:schemas:extension:member:2.0:User"));
/// assert!("emails[value co \"x\"].value".parse::<ScimPath>().is_err());
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScimPath {
    schema: Option<String>,
    attribute: String,
    /// The `type` of the one value that is meant of a multi-valued attribute.
    kind: Option<String>,
    sub: Option<String>,
}

impl ScimPath {
    /// The URN of the extension that the attribute belongs to; `None` for the core schema.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The attribute without its sub-attribute, as a path of its own: what is replaced when an array is replaced
    /// whole.
    pub(crate) fn whole(&self) -> Self {
        Self { kind: None, sub: None, ..self.clone() }
    }

    /// A sub-attribute of it.
    pub(crate) fn sub(&self, name: &str) -> Self {
        Self { sub: Some(name.to_owned()), ..self.clone() }
    }

    /// Whether it means one value of several.
    pub(crate) fn is_one_of_many(&self) -> bool {
        self.kind.is_some()
    }

    /// The one value of several that it is in.
    pub(crate) fn one(&self) -> Self {
        Self { sub: None, ..self.clone() }
    }

    /// What a document says.
    pub(crate) fn get<'d>(&self, document: &'d Document) -> Option<&'d Value> {
        let attribute = entry(self.container(document)?, &self.attribute)?;
        let holder = match &self.kind {
            None => attribute,
            Some(kind) => attribute.as_array()?.iter().find(|value| is_of_kind(value, kind))?,
        };
        let value = match &self.sub {
            None => holder,
            Some(sub) => entry(holder.as_object()?, sub)?,
        };
        let is_unassigned = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        (!is_unassigned).then_some(value)
    }

    fn container<'d>(&self, document: &'d Document) -> Option<&'d Document> {
        match &self.schema {
            Some(schema) => entry(document, schema)?.as_object(),
            // Some servers nest the core attributes under their URN.
            None if entry(document, &self.attribute).is_none() => {
                entry(document, CORE).and_then(Value::as_object).or(Some(document))
            }
            None => Some(document),
        }
    }

    /// Sets or removes a value, and keeps everything else.
    pub(crate) fn set(&self, document: &mut Document, value: Option<Value>) {
        let container = match &self.schema {
            None => document,
            Some(schema) if value.is_some() => {
                declare(document, schema);
                object(slot(document, schema))
            }
            Some(schema) => match entry_mut(document, schema).and_then(Value::as_object_mut) {
                Some(extension) => extension,
                None => return,
            },
        };
        match (&self.kind, value) {
            (None, Some(value)) => match &self.sub {
                None => *slot(container, &self.attribute) = value,
                Some(sub) => *slot(object(slot(container, &self.attribute)), sub) = value,
            },
            (None, None) => self.remove(container),
            (Some(kind), Some(value)) => self.set_one(container, kind, value),
            (Some(kind), None) => self.remove_one(container, kind),
        }
    }

    fn remove(&self, container: &mut Document) {
        let Some(sub) = &self.sub else {
            remove(container, &self.attribute);
            return;
        };
        let Some(complex) = entry_mut(container, &self.attribute).and_then(Value::as_object_mut) else {
            return;
        };
        remove(complex, sub);
        if complex.is_empty() {
            remove(container, &self.attribute);
        }
    }

    fn set_one(&self, container: &mut Document, kind: &str, value: Value) {
        let values = slot(container, &self.attribute);
        if !values.is_array() {
            *values = json!([]);
        }
        let Some(values) = values.as_array_mut() else { return };
        let sub = self.sub.as_deref().unwrap_or("value");
        let alone = values.is_empty();
        if let Some(Value::Object(known)) = values.iter_mut().find(|value| is_of_kind(value, kind)) {
            *slot(known, sub) = value;
        } else {
            let mut new = Map::new();
            new.insert(sub.to_owned(), value);
            new.insert("type".to_owned(), kind.into());
            if alone {
                new.insert("primary".to_owned(), true.into());
            }
            values.push(new.into());
        }
    }

    fn remove_one(&self, container: &mut Document, kind: &str) {
        let Some(values) = entry_mut(container, &self.attribute).and_then(Value::as_array_mut) else {
            return;
        };
        match self.sub.as_deref() {
            None | Some("value") => values.retain(|value| !is_of_kind(value, kind)),
            Some(sub) => {
                let known = values.iter_mut().find(|value| is_of_kind(value, kind));
                if let Some(known) = known.and_then(Value::as_object_mut) {
                    remove(known, sub);
                }
                values.retain(|value| value.as_object().is_none_or(says_more_than_its_kind));
            }
        }
    }
}

/// Names and URNs are compared without regard to case (RFC 7643, section 2.1).
pub(crate) fn entry<'d>(document: &'d Document, name: &str) -> Option<&'d Value> {
    document.get(name).or_else(|| {
        document.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn entry_mut<'d>(document: &'d mut Document, name: &str) -> Option<&'d mut Value> {
    document.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The place of a value under the name that the document has for it already.
fn slot<'d>(document: &'d mut Document, name: &str) -> &'d mut Value {
    let known = document.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    document.entry(known.unwrap_or_else(|| name.to_owned())).or_insert(Value::Null)
}

fn remove(document: &mut Document, name: &str) {
    document.retain(|known, _| !known.eq_ignore_ascii_case(name));
}

fn object(value: &mut Value) -> &mut Document {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        #[expect(clippy::unreachable, reason = "made an object two lines above")]
        _ => unreachable!("an object"),
    }
}

/// Adds a URN to the schemas that a document says it uses.
pub(crate) fn declare(document: &mut Document, schema: &str) {
    let schemas = slot(document, "schemas");
    if !schemas.is_array() {
        *schemas = json!([]);
    }
    if let Some(schemas) = schemas.as_array_mut()
        && !schemas.iter().any(|known| known.as_str().is_some_and(|known| known.eq_ignore_ascii_case(schema)))
    {
        schemas.push(schema.into());
    }
}

fn is_of_kind(value: &Value, kind: &str) -> bool {
    let known = value.as_object().and_then(|fields| entry(fields, "type")).and_then(Value::as_str);
    known.is_some_and(|known| known.eq_ignore_ascii_case(kind))
}

fn says_more_than_its_kind(fields: &Document) -> bool {
    fields.keys().any(|name| !["type", "primary"].iter().any(|word| name.eq_ignore_ascii_case(word)))
}

impl FromStr for ScimPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || {
            Error::config(
                "a SCIM path is of no known form",
                "write `attribute`, `attribute.sub`, `emails[type eq \"work\"].value` or `URN:attribute`",
            )
        };
        let (schema, rest) = match text.get(..4).filter(|start| start.eq_ignore_ascii_case("urn:")) {
            Some(_) => {
                text.rsplit_once(':').map(|(schema, rest)| (Some(schema), rest)).ok_or_else(refused)?
            }
            None => (None, text),
        };
        let (attribute, kind, rest) = match rest.split_once('[') {
            None => {
                let (attribute, sub) = rest.split_once('.').map_or((rest, None), |(a, sub)| (a, Some(sub)));
                (attribute, None, sub)
            }
            Some((attribute, filtered)) => {
                let (filter, rest) = filtered.split_once(']').ok_or_else(refused)?;
                let kind = filter.trim().strip_prefix("type eq ").map(str::trim).ok_or_else(refused)?;
                let kind =
                    kind.strip_prefix('"').and_then(|kind| kind.strip_suffix('"')).ok_or_else(refused)?;
                (attribute, Some(kind), Some(rest.strip_prefix('.').ok_or_else(refused)?))
            }
        };
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$'))
        };
        if !is_name(attribute)
            || rest.is_some_and(|sub| !is_name(sub))
            || kind.is_some_and(|kind| !is_name(kind))
        {
            return Err(refused());
        }
        let schema = schema.filter(|schema| !schema.eq_ignore_ascii_case(CORE));
        Ok(Self {
            schema: schema.map(str::to_owned),
            attribute: attribute.to_owned(),
            kind: kind.map(str::to_owned),
            sub: rest.map(str::to_owned),
        })
    }
}

impl fmt::Display for ScimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.attribute)?;
        if let Some(kind) = &self.kind {
            write!(f, "[type eq \"{kind}\"]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for ScimPath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ScimPath> for String {
    fn from(path: ScimPath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ScimPath {
        text.parse().unwrap()
    }

    fn document(value: &Value) -> Document {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn every_form_is_written_as_it_was_read_and_others_are_refused() {
        let department = format!("{ENTERPRISE}:department");
        for text in ["externalId", "name.givenName", "emails[type eq \"work\"].value", &department] {
            assert_eq!(path(text).to_string(), text);
        }
        assert_eq!(path(&format!("{CORE}:title")), path("title"));
        assert_eq!(path(&format!("{ENTERPRISE}:manager.value")).schema(), Some(ENTERPRISE));
        for text in
            ["", "1", "a b", "emails[0]", "emails[type eq work].value", "a..b", "urn:", "urn:a:", "a.b.c"]
        {
            assert!(text.parse::<ScimPath>().is_err(), "{text}");
        }
    }

    #[test]
    fn setting_keeps_what_is_not_known_and_reading_forgets_case_and_unassigned_values() {
        let mut user = document(&json!({
            "Title": "a", "title2": 1, "emails": [{"type": "home", "value": "h"}], "nickName": null,
            "urn:x:User": {"other": true}
        }));
        path("title").set(&mut user, Some("b".into()));
        path("emails[type eq \"work\"].value").set(&mut user, Some("w".into()));
        path("urn:x:User:birth").set(&mut user, Some("d".into()));
        path("name.givenName").set(&mut user, Some("g".into()));
        assert_eq!(
            Value::from(user.clone()),
            json!({
                "Title": "b", "title2": 1,
                "emails": [{"type": "home", "value": "h"}, {"type": "work", "value": "w"}],
                "nickName": null, "schemas": ["urn:x:User"],
                "urn:x:User": {"other": true, "birth": "d"}, "name": {"givenName": "g"}
            })
        );
        assert_eq!(path("NICKNAME").get(&user), None);
        assert_eq!(path("URN:X:USER:OTHER").get(&user), Some(&json!(true)));
        path("emails[type eq \"WORK\"].value").set(&mut user, None);
        path("name.givenName").set(&mut user, None);
        assert_eq!((&user["emails"], user.get("name")), (&json!([{"type": "home", "value": "h"}]), None));
    }

    #[test]
    fn core_attributes_are_found_under_their_urn_as_well() {
        let user = document(&json!({ CORE: { "userName": "n" } }));
        assert_eq!(path("userName").get(&user), Some(&json!("n")));
    }
}
