//! From what is wanted of a member to what is sent: the user as it is and as it ought to be, and the way between.

use serde_json::{Map, Value, json};

use crate::attributes::{Places, flag_of, text_of};
use crate::client::{Send, User};
use crate::config::{ArrayPatch, PatchStyle};
use crate::path::{CORE, Document, ScimPath, declare};
use crate::wire;

/// Values that a user is to have: `None` clears one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(Vec<(ScimPath, Option<Value>)>);

/// How a change is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Patch(PatchStyle, ArrayPatch),
    Put,
}

/// A user as it is and as it ought to be.
#[derive(Debug)]
pub(crate) struct Change {
    id: String,
    etag: Option<String>,
    before: Document,
    after: Document,
    wanted: Wanted,
}

impl Wanted {
    pub(crate) fn set(&mut self, path: &ScimPath, value: Option<Value>) {
        self.0.push((path.clone(), value));
    }

    /// Where a user is not as it ought to be.
    pub(crate) fn missing_in<'w>(&'w self, user: &Document) -> Vec<&'w ScimPath> {
        let differs = |(path, value): &&(ScimPath, Option<Value>)| !is_same(path.get(user), value.as_ref());
        self.0.iter().filter(differs).map(|(path, _)| path).collect()
    }

    /// The body of a create: an open account with what is set.
    pub(crate) fn new_user(&self, places: &Places) -> Document {
        let mut user = Map::new();
        user.insert("schemas".to_owned(), json!([CORE]));
        places.active.set(&mut user, Some(true.into()));
        for (path, value) in self.0.iter().filter(|(_, value)| value.is_some()) {
            path.set(&mut user, value.clone());
        }
        user
    }
}

impl Change {
    pub(crate) fn new(user: User, wanted: Wanted) -> Self {
        let mut after = user.document.clone();
        for (path, value) in &wanted.0 {
            if !is_same(path.get(&after), value.as_ref()) {
                path.set(&mut after, value.clone());
            }
        }
        Self { id: user.id, etag: user.etag, before: user.document, after, wanted }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.missing_in(&self.before).is_empty()
    }

    pub(crate) fn into_wanted(self) -> Wanted {
        self.wanted
    }

    /// The request, under the condition that the user is still as it was read.
    pub(crate) fn send(&self, form: Form, with_etag: bool, places: &Places) -> Send {
        let (id, etag) = (self.id.clone(), self.etag.clone().filter(|_| with_etag));
        match form {
            Form::Put => Send::Put { id, body: self.put_body(places), etag },
            Form::Patch(style, arrays) => {
                Send::Patch { id, body: wire::patch(self.operations(style, arrays)), etag }
            }
        }
    }

    /// Everything that was read goes back, what is not known here among it. Servers take an `active` that is left out
    /// for false.
    fn put_body(&self, places: &Places) -> Value {
        let mut body = self.after.clone();
        let active = places.active.get(&body).and_then(flag_of).unwrap_or(true);
        places.active.set(&mut body, Some(active.into()));
        if !body.contains_key("schemas") {
            declare(&mut body, CORE);
        }
        body.into()
    }

    fn operations(&self, style: PatchStyle, arrays: ArrayPatch) -> Vec<Value> {
        let mut merged = Map::new();
        let mut operations = Vec::new();
        let mut whole: Vec<ScimPath> = Vec::new();
        for (path, _) in &self.wanted.0 {
            let (before, after) = (path.get(&self.before), path.get(&self.after));
            if is_same(before, after) {
                continue;
            }
            let replaces_whole = path.is_one_of_many()
                && (arrays == ArrayPatch::Whole || (style == PatchStyle::Merged && after.is_some()));
            if replaces_whole {
                if !whole.contains(&path.whole()) {
                    whole.push(path.whole());
                }
            } else if let (PatchStyle::Merged, Some(after)) = (style, after) {
                path.set(&mut merged, Some(after.clone()));
            } else {
                operations.push(self.operation(path, before.is_some(), after));
            }
        }
        for path in whole {
            match (style, path.get(&self.after)) {
                (_, None) => operations.push(wire::operation("remove", Some(&path), None)),
                (PatchStyle::Merged, Some(values)) => path.set(&mut merged, Some(values.clone())),
                (PatchStyle::PerAttribute, Some(values)) => {
                    operations.push(wire::operation("replace", Some(&path), Some(values.clone())));
                }
            }
        }
        merged.remove("schemas");
        if !merged.is_empty() {
            operations.push(wire::operation("replace", None, Some(merged.into())));
        }
        operations
    }

    /// What goes with a value: of one of several that says no more than its type, all of it.
    fn removed(&self, path: &ScimPath) -> ScimPath {
        let one = path.one();
        if path.is_one_of_many() && one.get(&self.after).is_none() { one } else { path.clone() }
    }

    fn operation(&self, path: &ScimPath, is_there: bool, after: Option<&Value>) -> Value {
        match after {
            None => wire::operation("remove", Some(&self.removed(path)), None),
            // A filter that matches nothing has no target: the value is appended with its type.
            Some(_) if path.is_one_of_many() && !is_there => {
                let mut only = Map::new();
                path.set(&mut only, after.cloned());
                let mut values = path.whole().get(&only).cloned().unwrap_or_else(|| json!([]));
                if path.whole().get(&self.before).is_some()
                    && let Some(value) = values.get_mut(0).and_then(Value::as_object_mut)
                {
                    value.remove("primary");
                }
                wire::operation("add", Some(&path.whole()), Some(values))
            }
            Some(value) => wire::operation("replace", Some(path), Some(value.clone())),
        }
    }
}

/// Whether a server that writes booleans and numbers as strings means the same.
fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            if one.is_boolean() || other.is_boolean() {
                return flag_of(one).is_some() && flag_of(one) == flag_of(other);
            }
            one == other || matches!((text_of(one), text_of(other)), (Some(one), Some(other)) if one == other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::standard;
    use crate::path::ENTERPRISE;
    use hris_core::TargetField;

    fn user(document: &Value) -> User {
        User::of(document.as_object().unwrap().clone()).unwrap()
    }

    fn change(before: &Value, wanted: &[(&str, Option<&str>)]) -> Change {
        let mut all = Wanted::default();
        for (path, value) in wanted {
            all.set(&path.parse().unwrap(), value.map(Value::from));
        }
        Change::new(user(before), all)
    }

    fn body(change: &Change, form: Form) -> Value {
        let places = Places::new(standard(), TargetField::EMAIL, true).unwrap();
        match change.send(form, true, &places) {
            Send::Post { body } | Send::Put { body, .. } | Send::Patch { body, .. } => body,
        }
    }

    const WORK: &str = "emails[type eq \"work\"].value";

    fn maria() -> Value {
        json!({
            "schemas": [CORE], "id": "u1", "userName": "m@x", "nickName": "M", "shoe": 38,
            "emails": [{ "type": "work", "value": "m@x", "primary": true }, { "type": "home", "value": "h@x" }]
        })
    }

    #[test]
    fn a_patch_has_one_operation_an_attribute_and_none_for_what_is_so_already() {
        let department = format!("{ENTERPRISE}:department");
        let change = change(
            &maria(),
            &[
                ("userName", Some("m@x")),
                ("nickName", None),
                (WORK, Some("n@x")),
                (&department, Some("Ops")),
                ("name.familyName", Some("García")),
                ("title", None),
            ],
        );
        let operations =
            body(&change, Form::Patch(PatchStyle::PerAttribute, ArrayPatch::Filtered))["Operations"].clone();
        assert_eq!(
            operations,
            json!([
                { "op": "remove", "path": "nickName" },
                { "op": "replace", "path": WORK, "value": "n@x" },
                { "op": "replace", "path": department, "value": "Ops" },
                { "op": "replace", "path": "name.familyName", "value": "García" },
            ])
        );
        let operations =
            body(&change, Form::Patch(PatchStyle::Merged, ArrayPatch::Filtered))["Operations"].clone();
        assert_eq!(
            operations,
            json!([
                { "op": "remove", "path": "nickName" },
                { "op": "replace", "value": {
                    ENTERPRISE: { "department": "Ops" },
                    "name": { "familyName": "García" },
                    "emails": [{ "type": "work", "value": "n@x", "primary": true }, { "type": "home", "value": "h@x" }],
                } },
            ])
        );
    }

    #[test]
    fn an_array_that_is_replaced_whole_keeps_the_values_that_are_not_ours() {
        let change = change(&maria(), &[(WORK, Some("n@x"))]);
        let body = body(&change, Form::Patch(PatchStyle::PerAttribute, ArrayPatch::Whole));
        assert_eq!(
            body["Operations"],
            json!([{ "op": "replace", "path": "emails", "value": [
            { "type": "work", "value": "n@x", "primary": true }, { "type": "home", "value": "h@x" },
        ] }])
        );
    }

    #[test]
    fn a_value_that_is_not_there_yet_is_appended_and_one_that_goes_takes_its_type_along() {
        let form = Form::Patch(PatchStyle::PerAttribute, ArrayPatch::Filtered);
        let mobile = "phoneNumbers[type eq \"work\"].value";
        assert_eq!(
            body(&change(&maria(), &[(mobile, Some("1"))]), form)["Operations"],
            json!([
                { "op": "add", "path": "phoneNumbers", "value": [{ "type": "work", "value": "1", "primary": true }] },
            ])
        );
        assert_eq!(
            body(&change(&maria(), &[("emails[type eq \"home\"].value", None)]), form)["Operations"],
            json!([
                { "op": "remove", "path": "emails[type eq \"home\"]" },
            ])
        );
    }

    #[test]
    fn a_put_keeps_what_is_not_known_and_says_whether_the_account_is_open() {
        let body = body(&change(&maria(), &[("nickName", None), ("title", Some("Boss"))]), Form::Put);
        assert_eq!(
            (&body["shoe"], &body["active"], &body["title"]),
            (&json!(38), &json!(true), &json!("Boss"))
        );
        assert!(body.get("nickName").is_none());
        assert_eq!(body["emails"], maria()["emails"]);
    }

    #[test]
    fn strings_that_mean_booleans_are_no_change() {
        let mut wanted = Wanted::default();
        wanted.set(&"active".parse().unwrap(), Some(false.into()));
        assert!(Change::new(user(&json!({ "id": 7, "active": "False" })), wanted.clone()).is_empty());
        assert!(!Change::new(user(&json!({ "id": 7 })), wanted.clone()).is_empty());
        assert!(!Change::new(user(&json!({ "id": 7, "active": "True" })), wanted).is_empty());
    }
}
