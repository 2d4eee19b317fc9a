//! The attributes that the simulated provider knows (RFC 7643, sections 4.1 and 4.3), and what it accepts in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const TEXTS: [&str; 10] = [
    "userName",
    "externalId",
    "displayName",
    "nickName",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "profileUrl",
];
const NAME: [&str; 6] =
    ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"];
const LISTS: [&str; 7] = ["emails", "phoneNumbers", "addresses", "ims", "photos", "entitlements", "roles"];
const PLURAL: [&str; 4] = ["value", "display", "type", "primary"];
const ADDRESS: [&str; 8] =
    ["formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary"];
const ENTERPRISE: [&str; 5] = ["employeeNumber", "costCenter", "organization", "division", "department"];
const MANAGER: [&str; 3] = ["value", "$ref", "displayName"];
/// Read-only: accepted in a body and ignored.
const READ_ONLY: [&str; 3] = ["id", "meta", "groups"];

/// A refusal: status, `scimType`, and a text in which nobody's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) Option<&'static str>, pub(super) &'static str);

pub(super) const fn bad(scim_type: &'static str, detail: &'static str) -> Refusal {
    Refusal(400, Some(scim_type), detail)
}

/// What the provider knows beside the two standard schemas: the attribute names of each extension.
pub(super) type Extensions = BTreeMap<String, Vec<String>>;

/// The name as the schema writes it; names are compared without regard to case.
fn canonical<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    known.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn is_list(attribute: &str) -> bool {
    LISTS.iter().any(|list| list.eq_ignore_ascii_case(attribute))
}

/// The schema at the beginning of a path, and the rest of it.
pub(super) fn split_schema<'p>(path: &'p str, extensions: &Extensions) -> (Option<String>, &'p str) {
    let known = [USER, ENTERPRISE_USER].into_iter().chain(extensions.keys().map(String::as_str));
    for schema in known {
        let Some(start) = path.get(..schema.len()) else { continue };
        let rest = &path[schema.len()..];
        if start.eq_ignore_ascii_case(schema)
            && let Some(rest) = rest.strip_prefix(':')
        {
            return ((schema != USER).then(|| schema.to_owned()), rest);
        }
    }
    (None, path)
}

/// Takes a body apart into what is stored: known attributes in their canonical names, nothing that is unassigned.
/// With `lenient`, what is not known is dropped, and booleans may be texts.
pub(super) fn stored(
    body: &Map<String, Value>,
    extensions: &Extensions,
    lenient: bool,
) -> Result<Map<String, Value>, Refusal> {
    let mut user = Map::new();
    for (name, value) in body {
        if canonical(name, READ_ONLY).is_some() || name.eq_ignore_ascii_case("schemas") {
            continue;
        }
        let known = attribute(name, value, extensions, lenient)?;
        match known {
            Some((name, value)) if !is_unassigned(&value) => _ = user.insert(name, value),
            _ => {}
        }
    }
    Ok(user)
}

type Stored = Option<(String, Value)>;

fn attribute(name: &str, value: &Value, extensions: &Extensions, lenient: bool) -> Result<Stored, Refusal> {
    let unknown = || if lenient { Ok(None) } else { Err(bad("invalidSyntax", "an attribute is not known")) };
    if let Some(name) = canonical(name, TEXTS) {
        return text(value).map(|value| Some((name.to_owned(), value)));
    }
    if name.eq_ignore_ascii_case("active") {
        return flag(value, lenient).map(|value| Some(("active".to_owned(), value)));
    }
    if name.eq_ignore_ascii_case("name") {
        return complex(value, &NAME, lenient).map(|value| Some(("name".to_owned(), value)));
    }
    if let Some(name) = canonical(name, LISTS) {
        return list(name, value, lenient).map(|value| Some((name.to_owned(), value)));
    }
    if name.eq_ignore_ascii_case(ENTERPRISE_USER) {
        return enterprise(value, lenient).map(|value| Some((ENTERPRISE_USER.to_owned(), value)));
    }
    let Some((urn, names)) = extensions.iter().find(|(urn, _)| urn.eq_ignore_ascii_case(name)) else {
        return unknown();
    };
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    complex(value, &names, lenient).map(|value| Some((urn.clone(), value)))
}

fn text(value: &Value) -> Result<Value, Refusal> {
    match value {
        Value::String(_) | Value::Null => Ok(value.clone()),
        _ => Err(bad("invalidValue", "a text is expected")),
    }
}

fn flag(value: &Value, lenient: bool) -> Result<Value, Refusal> {
    match value {
        Value::Bool(_) | Value::Null => Ok(value.clone()),
        Value::String(text) if lenient && text.eq_ignore_ascii_case("true") => Ok(true.into()),
        Value::String(text) if lenient && text.eq_ignore_ascii_case("false") => Ok(false.into()),
        _ => Err(bad("invalidValue", "true or false is expected")),
    }
}

fn complex(value: &Value, names: &[&str], lenient: bool) -> Result<Value, Refusal> {
    let fields = match value {
        Value::Null => return Ok(Value::Null),
        Value::Object(fields) => fields,
        _ => return Err(bad("invalidValue", "a complex value is expected")),
    };
    let mut stored = Map::new();
    for (name, value) in fields {
        match canonical(name, names.iter().copied()) {
            Some("primary") => _ = stored.insert("primary".to_owned(), flag(value, lenient)?),
            Some(name) if !is_unassigned(value) => {
                let is_flag = value.is_boolean() && !NAME.contains(&name) && !PLURAL.contains(&name);
                let value = if is_flag { value.clone() } else { text(value)? };
                stored.insert(name.to_owned(), value);
            }
            Some(_) => {}
            None if lenient => {}
            None => return Err(bad("invalidSyntax", "a sub-attribute is not known")),
        }
    }
    Ok(stored.into())
}

fn list(name: &str, value: &Value, lenient: bool) -> Result<Value, Refusal> {
    let values = match value {
        Value::Null => return Ok(Value::Null),
        Value::Array(values) => values,
        _ => return Err(bad("invalidValue", "an array is expected")),
    };
    let known: &[&str] = if name == "addresses" { &ADDRESS } else { &PLURAL };
    let stored = values.iter().map(|value| complex(value, known, lenient)).collect::<Result<Vec<_>, _>>()?;
    let primaries = stored.iter().filter(|value| value["primary"] == true).count();
    let mut kinds: Vec<_> = stored.iter().filter_map(|value| value["type"].as_str()).collect();
    kinds.sort_unstable();
    let repeated = kinds.windows(2).any(|pair| pair[0] == pair[1]);
    if primaries > 1 || repeated {
        return Err(bad("invalidValue", "two values are primary, or of one type"));
    }
    Ok(stored.into())
}

fn enterprise(value: &Value, lenient: bool) -> Result<Value, Refusal> {
    let Value::Object(fields) = value else { return text(value) };
    let mut plain = fields.clone();
    let manager = plain.keys().find(|name| name.eq_ignore_ascii_case("manager")).cloned();
    let manager = manager.and_then(|name| plain.remove(&name));
    let mut stored = complex(&plain.into(), &ENTERPRISE, lenient)?;
    if let Some(manager) = manager.filter(|manager| !is_unassigned(manager)) {
        // Entra sends the bare id.
        let manager = match manager {
            Value::String(id) => serde_json::json!({ "value": id }),
            manager => complex(&manager, &MANAGER, lenient)?,
        };
        if !is_unassigned(&manager) {
            stored["manager"] = manager;
        }
    }
    Ok(stored)
}

pub(super) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
