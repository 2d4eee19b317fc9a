//! What Merge sends, decoded leniently and no further than asked: one pass, borrowed from the page, and a key that
//! nobody wants (social security number, ethnicity, pay …) is skipped without being read.

use std::borrow::Cow;
use std::fmt;

use hris_core::{Delivery, Error, ErrorKind};
use hris_http::decode_seed;
use hris_http::lenient::{Cell, Items, ListSeed, Slot, otherwise, skip_rest};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use url::Url;

use crate::lenient::{Many, One, Presence};

/// The keys of an employee that this connector can use. A key that is not in this list is never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
pub(crate) enum Key {
    Id,
    RemoteId,
    ModifiedAt,
    RemoteWasDeleted,
    EmploymentStatus,
    EmployeeNumber,
    FirstName,
    LastName,
    PreferredName,
    WorkEmail,
    PersonalEmail,
    MobilePhoneNumber,
    DateOfBirth,
    StartDate,
    TerminationDate,
    Gender,
    Company,
    WorkLocation,
    Manager,
    Groups,
    Employments,
    FieldMappings,
    RemoteData,
    CreatedAt,
    #[serde(other)]
    Unused,
}

impl Key {
    /// How many keys hold a scalar: those before [`Key::Company`].
    const SCALARS: usize = Self::Company as usize;

    /// Whether Merge itself fills the key, so that it says nothing about a person.
    fn is_metadata(self) -> bool {
        matches!(
            self,
            Self::Id
                | Self::RemoteId
                | Self::ModifiedAt
                | Self::RemoteWasDeleted
                | Self::FieldMappings
                | Self::RemoteData
                | Self::CreatedAt
        )
    }
}

/// A set of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(u32);

impl Keys {
    pub(crate) fn has(self, key: Key) -> bool {
        self.0 & Self::bit(key) != 0
    }

    pub(crate) fn insert(&mut self, key: Key) {
        self.0 |= Self::bit(key);
    }

    fn bit(key: Key) -> u32 {
        1 << key as u32
    }
}

/// One employee, with the wanted keys only.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    cells: [Cell<'a>; Key::SCALARS],
    pub(crate) company: One<'a, Company<'a>>,
    pub(crate) work_location: One<'a, Location<'a>>,
    pub(crate) manager: One<'a, Identified<'a>>,
    pub(crate) groups: Many<'a, Group<'a>>,
    pub(crate) employments: Many<'a, Employment<'a>>,
    pub(crate) mappings: Slot<Mappings<'a>>,
    says_something: bool,
}

impl<'a> Row<'a> {
    /// What came under a scalar key; [`Cell::Missing`] for keys that were not wanted.
    pub(crate) fn cell(&self, key: Key) -> &Cell<'a> {
        self.cells.get(key as usize).unwrap_or(&Cell::Missing)
    }

    /// Whether all that the row has is Merge's own: a shell, or a person whom Merge was told to ignore.
    pub(crate) fn is_shell(&self) -> bool {
        !self.says_something
    }

    fn read<A: MapAccess<'a>>(&mut self, key: Key, map: &mut A) -> Result<(), A::Error> {
        let is_empty = match key {
            Key::Company => put(&mut self.company, map)?.is_empty(),
            Key::WorkLocation => put(&mut self.work_location, map)?.is_empty(),
            Key::Manager => put(&mut self.manager, map)?.is_empty(),
            Key::Groups => put(&mut self.groups, map)?.is_empty(),
            Key::Employments => put(&mut self.employments, map)?.is_empty(),
            Key::FieldMappings => put(&mut self.mappings, map)?.0.is_none(),
            key => match self.cells.get_mut(key as usize) {
                Some(cell) => put(cell, map)?.is_empty(),
                None => return self.skip(key, map),
            },
        };
        self.says_something |= !is_empty && !key.is_metadata();
        Ok(())
    }

    /// Looks at a value that nobody wants no closer than is needed to tell a person from a shell.
    fn skip<A: MapAccess<'a>>(&mut self, key: Key, map: &mut A) -> Result<(), A::Error> {
        if self.says_something || key.is_metadata() {
            map.next_value::<IgnoredAny>()?;
        } else {
            self.says_something = map.next_value::<Presence>()?.0;
        }
        Ok(())
    }
}

fn put<'s, 'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &'s mut T,
    map: &mut A,
) -> Result<&'s T, A::Error> {
    *slot = map.next_value()?;
    Ok(slot)
}

/// Decodes one employee, `None` where the row is no object.
#[derive(Clone, Copy)]
pub(crate) struct RowSeed(pub(crate) Keys);

impl<'de> DeserializeSeed<'de> for RowSeed {
    type Value = Option<Row<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed {
    type Value = Option<Row<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an employee")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut row = Row::default();
        while let Some(key) = map.next_key::<Key>()? {
            if self.0.has(key) {
                row.read(key, &mut map)?;
            } else {
                row.skip(key, &mut map)?;
            }
        }
        Ok(Some(row))
    }

    otherwise!(None => bare texts nulls lists);
}

/// A page of a listing: the rows, and the cursor of the next one.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Reads a page.
///
/// # Errors
/// Those of [`hris_http::decode`], and [`ErrorKind::Protocol`] where `results` is no list or `next` cannot be followed,
/// since such an answer must not pass for the last page. Values are never quoted.
pub(crate) fn page<'de, S: DeserializeSeed<'de> + Copy>(
    seed: S,
    body: &'de [u8],
) -> hris_core::Result<Page<S::Value>> {
    let raw = decode_seed::<IgnoredAny, _>(PageSeed(seed), body, "`results` in the answer is not a list")?;
    Ok(Page { rows: raw.rows, next: cursor(&raw.next)? })
}

/// The cursor of the next page. `null`, blank and missing say that there is none.
fn cursor(next: &Cell<'_>) -> hris_core::Result<Option<String>> {
    if next.is_empty() {
        return Ok(None);
    }
    let Some(text) = next.text() else {
        return Err(malformed("`next` in the answer is not a text"));
    };
    if !text.starts_with("http") {
        return Ok(Some(text.to_owned()));
    }
    // One of the vendor's guides prints the whole address of the next page here.
    let url = Url::parse(text).ok();
    let cursor = url.as_ref().and_then(|url| url.query_pairs().find(|(name, _)| name == "cursor"));
    match cursor {
        Some((_, cursor)) if !cursor.is_empty() => Ok(Some(cursor.into_owned())),
        _ => Err(malformed("`next` in the answer is an address without a cursor")),
    }
}

fn malformed(what: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, what).with_delivery(Delivery::Answered)
}

struct RawPage<'a, T> {
    rows: Vec<T>,
    next: Cell<'a>,
}

/// Decodes a page whose rows need a seed; an answer without `results` is none.
struct PageSeed<S>(S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum PageKey {
    Next,
    Results,
    #[serde(other)]
    Unused,
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for PageSeed<S> {
    type Value = RawPage<'de, S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for PageSeed<S> {
    type Value = RawPage<'de, S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `results`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut next) = (None, Cell::Missing);
        while let Some(key) = map.next_key()? {
            match key {
                PageKey::Next => next = map.next_value()?,
                PageKey::Results if rows.is_some() => return Err(A::Error::duplicate_field("results")),
                PageKey::Results => rows = Some(map.next_value_seed(ListSeed(self.0))?),
                PageKey::Unused => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(RawPage { rows: rows.ok_or_else(|| A::Error::missing_field("results"))?, next })
    }
}

/// An object of which only the ids matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Identified<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) remote_id: Cell<'a>,
}

/// A legal entity.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Company<'a> {
    pub(crate) display_name: Cell<'a>,
    pub(crate) legal_name: Cell<'a>,
}

/// A place of work.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Location<'a> {
    pub(crate) name: Cell<'a>,
    pub(crate) city: Cell<'a>,
    pub(crate) country: Cell<'a>,
}

/// A department, team, cost centre or other group of people.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Group<'a> {
    pub(crate) name: Cell<'a>,
    #[serde(rename = "type")]
    pub(crate) kind: Cell<'a>,
    pub(crate) remote_was_deleted: Cell<'a>,
}

/// A position that a person has or had. It has no end date and no status.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Employment<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) job_title: Cell<'a>,
    #[serde(rename = "employment_type")]
    pub(crate) kind: Cell<'a>,
    pub(crate) effective_date: Cell<'a>,
    pub(crate) modified_at: Cell<'a>,
    pub(crate) remote_was_deleted: Cell<'a>,
}

/// The customer's own fields of a person.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Mappings<'a> {
    pub(crate) organization_defined_targets: Slot<Targets<'a>>,
    pub(crate) linked_account_defined_targets: Slot<Targets<'a>>,
}

/// Targets by name.
#[derive(Debug, Default)]
pub(crate) struct Targets<'a>(pub(crate) Vec<(Cow<'a, str>, Target<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Targets<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TargetsVisitor)
    }
}

struct TargetsVisitor;

impl<'de> Visitor<'de> for TargetsVisitor {
    type Value = Targets<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("targets by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut targets = Vec::new();
        while let Some((Name(name), target)) = map.next_entry()? {
            targets.push((name, target));
        }
        Ok(Targets(targets))
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The value of a target: bare, as in the specification, or wrapped in an object under the key `value`, as in the vendor's
/// help. Other keys of such an object are skipped, since the vendor adds keys without notice.
#[derive(Debug)]
pub(crate) struct Target<'a>(pub(crate) Cell<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Target<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor).map(Target)
    }
}

struct TargetVisitor;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum TargetKey {
    Value,
    #[serde(other)]
    Unused,
}

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or an object with a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Cell::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        skip_rest(&mut seq)?;
        Ok(Cell::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut value = Cell::Nested;
        while let Some(key) = map.next_key()? {
            match key {
                TargetKey::Value => value = map.next_value()?,
                TargetKey::Unused => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(value)
    }
}

/// The account behind an account token.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct AccountDetails<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) integration: Cell<'a>,
    pub(crate) integration_slug: Cell<'a>,
    pub(crate) category: Cell<'a>,
    pub(crate) end_user_organization_name: Cell<'a>,
    pub(crate) status: Cell<'a>,
    pub(crate) is_duplicate: Cell<'a>,
    pub(crate) account_type: Cell<'a>,
}

/// How the synchronisation of one model stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct SyncStatus<'a> {
    pub(crate) model_name: Cell<'a>,
    pub(crate) model_id: Cell<'a>,
    pub(crate) status: Cell<'a>,
    pub(crate) is_initial_sync: Cell<'a>,
    pub(crate) last_sync_start: Cell<'a>,
    pub(crate) last_sync_finished: Cell<'a>,
    pub(crate) last_sync_result: Cell<'a>,
    pub(crate) data_fresh_as_of: Cell<'a>,
    pub(crate) selective_sync_configurations_usage: Cell<'a>,
}

/// The field mappings of an account; those of other models are skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct FieldMappings<'a> {
    #[serde(rename = "Employee")]
    pub(crate) employee: Items<FieldMappingRow<'a>>,
}

/// A field of the customer's own, as the field mappings list it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct FieldMappingRow<'a> {
    pub(crate) target_field: Slot<TargetField<'a>>,
}

/// The name of such a field.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct TargetField<'a> {
    pub(crate) name: Cell<'a>,
    pub(crate) description: Cell<'a>,
}

/// A person of whom only the ids and the remote data matter.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct RemoteHolder<'a> {
    id: Cell<'a>,
    remote_id: Cell<'a>,
    pub(crate) remote_data: Option<Vec<RemoteRow>>,
}

impl<'a> RemoteHolder<'a> {
    pub(crate) fn ids(&self) -> Identified<'a> {
        Identified { id: self.id.clone(), remote_id: self.remote_id.clone() }
    }
}

/// What the provider itself said about a person, one answer of it each.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RemoteRow {
    pub(crate) path: Option<String>,
    pub(crate) data: Value,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomData;

    fn next(json: &str) -> Result<Option<String>, ErrorKind> {
        let body = format!(r#"{{"next":{json},"previous":null,"results":[]}}"#);
        page(PhantomData::<Slot<Identified<'_>>>, body.as_bytes())
            .map(|page| page.next)
            .map_err(|error| error.kind())
    }

    #[test]
    fn a_next_page_is_a_cursor_or_an_address_with_one_and_blank_is_the_end() {
        assert_eq!(next(r#""cD0y""#), Ok(Some("cD0y".to_owned())));
        let address = r#""https://api.merge.dev/api/hris/v1/employees?page_size=100&cursor=cD0%3D&x=1""#;
        assert_eq!(next(address), Ok(Some("cD0=".to_owned())));
        for end in ["null", r#""""#, r#"" ""#] {
            assert_eq!(next(end), Ok(None), "{end}");
        }
    }

    #[test]
    fn a_next_page_that_cannot_be_followed_is_not_taken_for_the_end() {
        for odd in
            ["7", "true", "{}", r#""https://api.merge.dev/api""#, r#""https://api.merge.dev/?cursor=""#]
        {
            assert_eq!(next(odd), Err(ErrorKind::Protocol), "{odd}");
        }
    }

    #[test]
    fn an_answer_without_a_list_is_not_taken_for_an_empty_one() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"next":null}"#,
            r#"{"results":null}"#,
            r#"{"results":{}}"#,
            r#"{"results":[],"results":[]}"#,
            r#"{"results":[]"#,
            r#"{"results":[]}x"#,
        ] {
            let read = page(PhantomData::<Slot<Identified<'_>>>, body.as_bytes());
            assert_eq!(read.unwrap_err().kind(), ErrorKind::Protocol, "{body}");
        }
        let whole = page(PhantomData::<Slot<Identified<'_>>>, "\u{feff}{\"results\":[]}".as_bytes());
        assert!(whole.unwrap().next.is_none(), "a missing `next` is the end");
    }

    #[test]
    fn a_target_is_bare_or_wrapped_and_anything_else_is_nested() {
        fn read(json: &str) -> Cell<'_> {
            serde_json::from_str::<Target<'_>>(json).unwrap().0
        }
        assert_eq!(format!("{:?}", read(r#""UK""#)), "Text");
        assert!(read(r#""UK""#) == read(r#"{"value":"UK"}"#));
        assert!(read(r#"{"value":true}"#) == Cell::Flag(true));
        assert!(read(r#"{"value":null}"#) == Cell::Null);
        assert!(read(r#"{"new":{},"value":true,"other":2}"#) == Cell::Flag(true));
        for nested in ["[]", "{}", r#"{"other":1}"#, r#"{"value":{}}"#, r#"{"value":[1]}"#] {
            assert!(read(nested) == Cell::Nested, "{nested}");
        }
    }

    #[test]
    fn a_row_of_merges_own_data_only_is_a_shell_whatever_is_wanted() {
        let row = |json: &str| {
            let mut keys = Keys::default();
            keys.insert(Key::WorkEmail);
            let mut json = serde_json::Deserializer::from_str(json);
            RowSeed(keys).deserialize(&mut json).unwrap().unwrap().is_shell()
        };
        assert!(row(r#"{"id":"i","remote_id":"r","created_at":"2026-01-01T00:00:00Z","first_name":null,
                        "work_email":null,"groups":[],"remote_was_deleted":false,"field_mappings":{"a":{}}}"#));
        assert!(!row(r#"{"id":"i","first_name":"Piers","work_email":null}"#));
        assert!(!row(r#"{"id":"i","first_name":null,"work_email":"p@x.example"}"#));
        assert!(!row(r#"{"id":"i","groups":["g"]}"#));
    }
}
