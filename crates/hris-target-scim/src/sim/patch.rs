//! PATCH (RFC 7644, section 3.5.2) on a stored user: all operations or none.

use serde_json::{Map, Value};

use super::schema::{Extensions, Refusal, bad, is_list, is_unassigned, split_schema};

type User = Map<String, Value>;

/// A path taken apart.
struct Path<'p> {
    schema: Option<String>,
    attribute: &'p str,
    /// `name eq "value"` in brackets.
    filter: Option<(String, String)>,
    sub: Option<&'p str>,
}

/// Carries out the operations of a body on a copy of a user.
pub(super) fn patched(user: &User, body: &Value, extensions: &Extensions) -> Result<User, Refusal> {
    let operations = body["Operations"].as_array().filter(|operations| !operations.is_empty());
    let operations = operations.ok_or(bad("invalidSyntax", "there are no operations"))?;
    let mut user = user.clone();
    for operation in operations {
        let op = operation["op"].as_str().unwrap_or_default().to_ascii_lowercase();
        let value = operation.get("value").filter(|value| !value.is_null());
        match (op.as_str(), operation["path"].as_str(), value) {
            ("add" | "replace", None, Some(Value::Object(values))) => {
                for (name, value) in values {
                    set_named(&mut user, name, value, op == "add", extensions)?;
                }
            }
            ("add" | "replace", Some(path), Some(value)) => {
                let path = parse(path, extensions)?;
                set(&mut user, &path, value, op == "add")?;
            }
            ("remove", Some(path), _) => remove(&mut user, &parse(path, extensions)?)?,
            ("remove", None, _) => return Err(bad("noTarget", "a removal needs a path")),
            _ => return Err(bad("invalidSyntax", "an operation is of no known form")),
        }
    }
    Ok(user)
}

fn parse<'p>(path: &'p str, extensions: &Extensions) -> Result<Path<'p>, Refusal> {
    let wrong = bad("invalidPath", "the path is of no known form");
    let (schema, rest) = split_schema(path, extensions);
    let (attribute, filter, sub) = match rest.split_once('[') {
        None => match rest.split_once('.') {
            None => (rest, None, None),
            Some((attribute, sub)) => (attribute, None, Some(sub)),
        },
        Some((attribute, filtered)) => {
            let (filter, rest) = filtered.split_once(']').ok_or(wrong)?;
            let (name, value) = filter.split_once(" eq ").ok_or(bad("invalidFilter", "only eq is known"))?;
            let value: String =
                serde_json::from_str(value.trim()).map_err(|_| bad("invalidFilter", "no literal"))?;
            let sub = if rest.is_empty() { None } else { Some(rest.strip_prefix('.').ok_or(wrong)?) };
            (attribute, Some((name.trim().to_owned(), value)), sub)
        }
    };
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '$');
    if !is_name(attribute)
        || sub.is_some_and(|sub| !is_name(sub))
        || (filter.is_some() && !is_list(attribute))
    {
        return Err(wrong);
    }
    if ["id", "meta", "groups"].iter().any(|known| known.eq_ignore_ascii_case(attribute)) {
        return Err(bad("mutability", "the attribute is read-only"));
    }
    Ok(Path { schema, attribute, filter, sub })
}

/// The place of a name, in the spelling that is there already.
fn slot<'u>(fields: &'u mut User, name: &str) -> &'u mut Value {
    let known = fields.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    fields.entry(known.unwrap_or_else(|| name.to_owned())).or_insert(Value::Null)
}

fn fields_of(value: &mut Value) -> Result<&mut User, Refusal> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or(bad("invalidPath", "the attribute has no sub-attributes"))
}

fn set_named(
    user: &mut User,
    name: &str,
    value: &Value,
    add: bool,
    extensions: &Extensions,
) -> Result<(), Refusal> {
    let known = |schema: &str| schema.eq_ignore_ascii_case(name);
    let is_schema = known(super::schema::ENTERPRISE_USER) || extensions.keys().any(|schema| known(schema));
    let (Some(values), true) = (value.as_object(), is_schema) else {
        let path = Path { schema: None, attribute: name, filter: None, sub: None };
        return set(user, &path, value, add);
    };
    let extension = fields_of(slot(user, name))?;
    for (name, value) in values {
        let path = Path { schema: None, attribute: name, filter: None, sub: None };
        set(extension, &path, value, add)?;
    }
    Ok(())
}

fn set(user: &mut User, path: &Path<'_>, value: &Value, add: bool) -> Result<(), Refusal> {
    let container = match &path.schema {
        None => user,
        Some(schema) => fields_of(slot(user, schema))?,
    };
    let attribute = slot(container, path.attribute);
    if let Some(filter) = &path.filter {
        return set_matching(attribute, filter, path.sub, value);
    }
    match path.sub {
        Some(_) if is_list(path.attribute) => Err(bad("invalidPath", "one of the values has to be named")),
        Some(sub) => {
            *slot(fields_of(attribute)?, sub) = value.clone();
            Ok(())
        }
        None if is_list(path.attribute) && add => append(attribute, value),
        None => {
            match (attribute.as_object_mut(), value.as_object()) {
                (Some(known), Some(values)) => {
                    for (name, value) in values {
                        *slot(known, name) = value.clone();
                    }
                }
                _ => *attribute = value.clone(),
            }
            Ok(())
        }
    }
}

fn set_matching(
    attribute: &mut Value,
    filter: &(String, String),
    sub: Option<&str>,
    value: &Value,
) -> Result<(), Refusal> {
    let values = attribute.as_array_mut().into_iter().flatten();
    let mut matched = false;
    for known in values.filter(|known| is_match(known, filter)) {
        matched = true;
        match sub {
            Some(sub) => *slot(fields_of(known)?, sub) = value.clone(),
            None => *known = value.clone(),
        }
    }
    if matched { Ok(()) } else { Err(bad("noTarget", "no value matches the filter")) }
}

fn append(attribute: &mut Value, value: &Value) -> Result<(), Refusal> {
    if attribute.is_null() {
        *attribute = Value::Array(Vec::new());
    }
    let known = attribute.as_array_mut().ok_or(bad("invalidValue", "an array is expected"))?;
    let added = match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    for value in added {
        if value["primary"] == true {
            for known in known.iter_mut().filter_map(Value::as_object_mut) {
                known.remove("primary");
            }
        }
        if !known.contains(&value) {
            known.push(value);
        }
    }
    Ok(())
}

fn is_match(value: &Value, (name, wanted): &(String, String)) -> bool {
    let fields = value.as_object().into_iter().flatten();
    let mut named = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.any(|(_, value)| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(wanted)))
}

fn remove(user: &mut User, path: &Path<'_>) -> Result<(), Refusal> {
    if path.schema.is_none() && path.attribute.eq_ignore_ascii_case("userName") {
        return Err(bad("mutability", "the attribute is required"));
    }
    let container = match &path.schema {
        None => user,
        Some(schema) => match slot(user, schema).as_object_mut() {
            Some(extension) => extension,
            None => return Ok(()),
        },
    };
    let attribute = slot(container, path.attribute);
    match (&path.filter, path.sub) {
        (None, None) => *attribute = Value::Null,
        (None, Some(sub)) => {
            if let Some(fields) = attribute.as_object_mut() {
                fields.retain(|name, _| !name.eq_ignore_ascii_case(sub));
            }
        }
        (Some(filter), sub) => {
            let values =
                attribute.as_array_mut().filter(|values| values.iter().any(|value| is_match(value, filter)));
            let values = values.ok_or(bad("noTarget", "no value matches the filter"))?;
            match sub {
                None => values.retain(|value| !is_match(value, filter)),
                Some(sub) => {
                    for value in values.iter_mut().filter(|value| is_match(value, filter)) {
                        if let Some(fields) = value.as_object_mut() {
                            fields.retain(|name, _| !name.eq_ignore_ascii_case(sub));
                        }
                    }
                }
            }
        }
    }
    if is_unassigned(attribute) {
        container.retain(|name, _| !name.eq_ignore_ascii_case(path.attribute));
    }
    Ok(())
}
