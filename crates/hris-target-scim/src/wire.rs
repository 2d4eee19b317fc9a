//! The messages of the protocol beside users: lists, errors, PATCH and bulk bodies, the provider's configuration.
//!
//! They are read as leniently as servers are different: names in any case, numbers as texts and texts as numbers.

use serde_json::{Value, json};

use crate::attributes::{flag_of, text_of};
use crate::path::{Document, ScimPath, entry};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// Every `scimType` of the RFC. Only these are repeated in errors: another text may quote a person's data.
const SCIM_TYPES: [&str; 11] = [
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "expiredCursor",
];

/// A page of a listing.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// How many there are in all, where the server tells.
    pub(crate) total: Option<u64>,
    pub(crate) users: Vec<Document>,
}

/// Reads a list; `None` if the answer is something else.
pub(crate) fn listing(answer: Value) -> Option<Listing> {
    let Value::Object(mut answer) = answer else { return None };
    let total = entry(&answer, "totalResults").and_then(number);
    let name = answer.keys().find(|name| name.eq_ignore_ascii_case("Resources")).cloned();
    let users = match name.and_then(|name| answer.remove(&name)) {
        Some(Value::Array(users)) => users
            .into_iter()
            .filter_map(|user| match user {
                Value::Object(user) => Some(user),
                _ => None,
            })
            .collect(),
        Some(Value::Null) | None if total.is_some() => Vec::new(),
        _ => return None,
    };
    Some(Listing { total, users })
}

fn number(json: &Value) -> Option<u64> {
    text_of(json)?.parse().ok()
}

/// The `scimType` of an error document.
pub(crate) fn scim_type(body: &[u8]) -> Option<&'static str> {
    scim_type_of(&serde_json::from_slice(body).ok()?)
}

fn scim_type_of(error: &Value) -> Option<&'static str> {
    let found = entry(error.as_object()?, "scimType")?.as_str()?;
    SCIM_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(found))
}

/// The body of a search, for servers that take no personal data in addresses.
pub(crate) fn search(filter: Option<&str>, start: u64, count: u64) -> Value {
    let mut body = json!({ "schemas": [SEARCH_REQUEST], "count": count });
    if start > 1 {
        body["startIndex"] = start.into();
    }
    if let Some(filter) = filter {
        body["filter"] = filter.into();
    }
    body
}

/// One operation of a PATCH.
pub(crate) fn operation(op: &str, path: Option<&ScimPath>, value: Option<Value>) -> Value {
    let mut operation = json!({ "op": op });
    if let Some(path) = path {
        operation["path"] = path.to_string().into();
    }
    if let Some(value) = value {
        operation["value"] = value;
    }
    operation
}

/// The body of a PATCH.
pub(crate) fn patch(operations: Vec<Value>) -> Value {
    message(PATCH_OP, operations)
}

/// A string literal of a filter.
pub(crate) fn equals(path: &ScimPath, value: &str) -> String {
    format!("{path} eq {}", Value::from(value))
}

/// The body of a bulk request. No number of errors ends it: each record stands for itself.
pub(crate) fn bulk(operations: Vec<Value>) -> Value {
    message(BULK_REQUEST, operations)
}

fn message(schema: &str, operations: Vec<Value>) -> Value {
    let mut message = json!({ "schemas": [schema] });
    message["Operations"] = operations.into();
    message
}

/// What became of one operation of a bulk request.
#[derive(Debug)]
pub(crate) struct BulkEntry {
    pub(crate) bulk_id: Option<String>,
    pub(crate) status: Option<u16>,
    /// The new user's id, as the last part of its address.
    pub(crate) id: Option<String>,
    pub(crate) scim_type: Option<&'static str>,
    pub(crate) user: Option<Document>,
}

/// Reads a bulk response; `None` if the answer is something else.
pub(crate) fn bulk_entries(answer: &Value) -> Option<Vec<BulkEntry>> {
    let entries = entry(answer.as_object()?, "Operations")?.as_array()?;
    Some(entries.iter().filter_map(Value::as_object).map(bulk_entry).collect())
}

fn bulk_entry(operation: &Document) -> BulkEntry {
    let text = |name| entry(operation, name).and_then(text_of);
    let response = entry(operation, "response");
    let status = entry(operation, "status").and_then(|status| match status.as_object() {
        // SCIM 2 drafts had `{"code": "201"}`.
        Some(status) => number(entry(status, "code")?),
        None => number(status),
    });
    BulkEntry {
        bulk_id: text("bulkId").map(std::borrow::Cow::into_owned),
        status: status.and_then(|status| u16::try_from(status).ok()),
        id: text("location").and_then(|location| last_segment(&location)),
        scim_type: response.and_then(scim_type_of),
        user: response.and_then(Value::as_object).filter(|user| entry(user, "id").is_some()).cloned(),
    }
}

/// The id at the end of an address, where it needs no decoding.
pub(crate) fn last_segment(location: &str) -> Option<String> {
    let last = location.trim_end_matches('/').rsplit('/').next()?;
    (!last.is_empty() && !last.contains(['%', '?', '#'])).then(|| last.to_owned())
}

/// What a server says that it can do. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProviderConfig {
    pub(crate) patch: Option<bool>,
    pub(crate) filter: Option<bool>,
    pub(crate) max_results: Option<u64>,
    pub(crate) etag: Option<bool>,
    pub(crate) bulk: Option<bool>,
    pub(crate) bulk_operations: Option<u64>,
    pub(crate) bulk_bytes: Option<u64>,
}

/// Reads a ServiceProviderConfig (RFC 7643, section 5).
pub(crate) fn provider_config(answer: &Value) -> Option<ProviderConfig> {
    let answer = answer.as_object()?;
    let of = |feature: &str, name: &str| {
        let feature = entry(answer, feature)?.as_object()?;
        entry(feature, name)
    };
    let supported = |feature: &str| of(feature, "supported").and_then(flag_of);
    let positive =
        |feature: &str, name: &str| of(feature, name).and_then(number).filter(|number| *number > 0);
    Some(ProviderConfig {
        patch: supported("patch"),
        filter: supported("filter"),
        max_results: positive("filter", "maxResults"),
        etag: supported("etag"),
        bulk: supported("bulk"),
        bulk_operations: positive("bulk", "maxOperations"),
        bulk_bytes: positive("bulk", "maxPayloadSize"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_leave_out_its_rows_when_it_is_empty_and_is_no_list_without_either() {
        let empty = listing(json!({ "totalResults": "0" })).unwrap();
        assert_eq!((empty.total, empty.users.len()), (Some(0), 0));
        let untold = listing(json!({ "resources": [{ "id": 1 }, 7] })).unwrap();
        assert_eq!((untold.total, untold.users.len()), (None, 1));
        assert!(listing(json!({ "error": "x" })).is_none() && listing(json!([])).is_none());
    }

    #[test]
    fn a_filter_quotes_as_json_does() {
        let path: ScimPath = "userName".parse().unwrap();
        assert_eq!(equals(&path, r#"a"\b"#), r#"userName eq "a\"\\b""#);
    }

    #[test]
    fn only_the_words_of_the_standard_are_taken_from_an_error() {
        assert_eq!(scim_type(br#"{"scimType":"UNIQUENESS","status":409}"#), Some("uniqueness"));
        for body in [&br#"{"scimType":"nerea"}"#[..], b"<html>", b"", b"[]"] {
            assert_eq!(scim_type(body), None);
        }
    }

    #[test]
    fn a_bulk_entry_has_its_status_as_text_number_or_object() {
        let answer = json!({ "Operations": [
            { "bulkId": "a", "status": "201", "location": "https://x/Users/u1" },
            { "bulkId": "b", "status": { "code": "409" }, "response": { "scimType": "uniqueness" } },
            { "status": 503 },
        ] });
        let entries = bulk_entries(&answer).unwrap();
        let statuses: Vec<_> = entries.iter().map(|entry| entry.status).collect();
        assert_eq!(statuses, [Some(201), Some(409), Some(503)]);
        assert_eq!((entries[0].id.as_deref(), entries[1].scim_type), (Some("u1"), Some("uniqueness")));
    }

    #[test]
    fn what_a_provider_does_not_say_is_not_known() {
        let config =
            provider_config(&json!({ "patch": { "supported": "False" }, "bulk": { "maxOperations": 0 } }));
        let config = config.unwrap();
        assert_eq!((config.patch, config.bulk, config.bulk_operations), (Some(false), None, None));
    }
}
