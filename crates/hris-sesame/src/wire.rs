//! What Sesame sends, decoded leniently and no further than asked: one pass, borrowed from the page, and a key that
//! nobody wants (`pin`, `nfc`, bank accounts, identity numbers …) is skipped without being read.

use std::fmt;
use std::marker::PhantomData;

use hris_http::decode_seed;
use hris_http::lenient::{Cell, Items, Slot, otherwise, skip_rest};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The keys of an employee that this connector can use. A key that is not in this list is never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
pub(crate) enum Key {
    Id,
    Status,
    UpdatedAt,
    Code,
    FirstName,
    LastName,
    SecondLastName,
    Email,
    PersonalMail,
    Phone,
    WorkPhone,
    DateOfBirth,
    Gender,
    Country,
    JobChargeName,
    Language,
    Company,
    CustomFields,
    #[serde(other)]
    Unused,
}

impl Key {
    /// How many keys hold a scalar: those before [`Key::Company`].
    const SCALARS: usize = Self::Company as usize;
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

    pub(crate) fn remove(&mut self, key: Key) {
        self.0 &= !Self::bit(key);
    }

    fn bit(key: Key) -> u32 {
        1 << key as u32
    }
}

/// One employee, with the wanted keys only.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    cells: [Cell<'a>; Key::SCALARS],
    pub(crate) company: Slot<Named<'a>>,
    pub(crate) custom_fields: Items<CustomField<'a>>,
}

impl<'a> Row<'a> {
    /// What came under a scalar key; [`Cell::Missing`] for keys that were not wanted.
    pub(crate) fn cell(&self, key: Key) -> &Cell<'a> {
        self.cells.get(key as usize).unwrap_or(&Cell::Missing)
    }

    fn read<A: MapAccess<'a>>(&mut self, key: Key, map: &mut A) -> Result<(), A::Error> {
        match key {
            Key::Company => self.company = map.next_value()?,
            Key::CustomFields => self.custom_fields = map.next_value()?,
            key => match self.cells.get_mut(key as usize) {
                Some(cell) => *cell = map.next_value()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            },
        }
        Ok(())
    }
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
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(row))
    }

    otherwise!(None => bare texts nulls lists);
}

/// Reads an answer.
///
/// # Errors
/// Those of [`hris_http::decode`]; values are never quoted.
pub(crate) fn read<'de, S: DeserializeSeed<'de>>(
    seed: S,
    body: &'de [u8],
) -> hris_core::Result<Envelope<S::Value>> {
    decode_seed::<Outline, _>(
        EnvelopeSeed(seed),
        body,
        "`data` in the answer does not have the expected form",
    )
}

#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "data")]
    _data: IgnoredAny,
}

/// `{ "data": …, "meta": … }`, around every answer.
#[derive(Debug)]
pub(crate) struct Envelope<T> {
    pub(crate) data: T,
    pub(crate) meta: Meta,
}

/// Decodes an envelope whose `data` needs a seed; an answer without `data` is none.
struct EnvelopeSeed<S>(S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum EnvelopeKey {
    Data,
    Meta,
    #[serde(other)]
    Unused,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for EnvelopeSeed<S> {
    type Value = Envelope<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for EnvelopeSeed<S> {
    type Value = Envelope<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut seed, mut data, mut meta) = (Some(self.0), None, Slot::<Meta>::default());
        while let Some(key) = map.next_key()? {
            match key {
                EnvelopeKey::Data => {
                    let seed = seed.take().ok_or_else(|| A::Error::duplicate_field("data"))?;
                    data = Some(map.next_value_seed(seed)?);
                }
                EnvelopeKey::Meta => meta = map.next_value()?,
                EnvelopeKey::Unused => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let data = data.ok_or_else(|| A::Error::missing_field("data"))?;
        Ok(Envelope { data, meta: meta.0.unwrap_or_default() })
    }
}

/// How long a list is. Everything is optional: the vendor's quick-start page shows answers without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Meta {
    #[serde(deserialize_with = "count")]
    last_page: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(crate) total: Option<u64>,
}

impl Meta {
    /// The number of the last page. Where nobody says it, a page with rows may be followed by another one.
    pub(crate) fn last(self, page: u64, is_empty: bool) -> u64 {
        self.last_page.unwrap_or(if is_empty { page } else { page + 1 })
    }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Cell::deserialize(deserializer)?.scalar().and_then(|text| text.parse().ok()))
}

/// An object of which only id and name matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Named<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) name: Cell<'a>,
}

/// A custom field of an employee, or of the company's catalogue (then without value).
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct CustomField<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) slug: Cell<'a>,
    pub(crate) name: Cell<'a>,
    pub(crate) value: Cell<'a>,
}

/// The answer of the info endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Info<'a> {
    pub(crate) company: Slot<Company<'a>>,
}

/// The company that a token belongs to.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Company<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) name: Cell<'a>,
    pub(crate) language: Cell<'a>,
}

/// An office, from its own list or inside an assignation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Office<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) name: Cell<'a>,
    pub(crate) default_employees_date_time_zone: Cell<'a>,
    pub(crate) is_deleted: Cell<'a>,
}

/// The link between an employee and a department or office. The vendor repeats the whole employee in it; only the
/// id is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Assignation<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) employee: Slot<Identified<'a>>,
    pub(crate) department: Slot<Named<'a>>,
    pub(crate) office: Slot<Office<'a>>,
    pub(crate) created_at: Cell<'a>,
}

/// An object of which only the id matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Identified<'a> {
    pub(crate) id: Cell<'a>,
}

/// The dates of a contract, under their older and newer names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Contract<'a> {
    pub(crate) seniority_date: Cell<'a>,
    pub(crate) start_date: Cell<'a>,
    pub(crate) start_at: Cell<'a>,
    pub(crate) end_date: Cell<'a>,
    pub(crate) end_at: Cell<'a>,
}

/// An object, or the first element of a list of them, or nothing: the form of the line manager's answer is not
/// documented.
#[derive(Debug)]
pub(crate) struct FirstOf<T>(pub(crate) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FirstOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstOfVisitor(PhantomData))
    }
}

struct FirstOfVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstOfVisitor<T> {
    type Value = FirstOf<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|read| FirstOf(Some(read)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let first = seq.next_element()?.unwrap_or(FirstOf(None));
        skip_rest(&mut seq)?;
        Ok(first)
    }

    otherwise!(FirstOf(None) => bare texts nulls);
}

/// The answer about a line manager, whose form is not documented: the manager, or a holder of the manager's id.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct ManagerAnswer<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) organization_chart_manager_id: Cell<'a>,
    /// `None` where the key is missing, which tells it from a manager who is null.
    #[serde(deserialize_with = "present")]
    pub(crate) organization_chart_manager: Option<FirstOf<Identified<'a>>>,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::ErrorKind;

    fn meta(json: &str) -> Meta {
        let body = format!(r#"{{"data":[],"meta":{json}}}"#);
        read(PhantomData::<Items<Named<'_>>>, body.as_bytes()).unwrap().meta
    }

    #[test]
    fn a_meta_block_is_read_in_any_form_and_missing_parts_are_unknown() {
        let known = Meta { last_page: Some(3), total: Some(5) };
        assert_eq!(meta(r#"{"currentPage":1,"lastPage":3,"total":5,"perPage":2}"#), known);
        assert_eq!(meta(r#"{"page":1,"currentPage":1,"lastPage":"3","total":"5"}"#), known);
        for json in ["{}", "null", "[]", r#""""#, r#"{"total":null,"lastPage":-1}"#, r#"{"total":{}}"#] {
            assert_eq!(meta(json), Meta::default(), "{json}");
        }
    }

    #[test]
    fn without_a_last_page_an_empty_page_is_the_last() {
        let unknown = Meta::default();
        assert_eq!((unknown.last(4, true), unknown.last(4, false)), (4, 5));
        let known = Meta { last_page: Some(0), total: None };
        assert_eq!((known.last(1, true), known.last(1, false)), (0, 0));
    }

    #[test]
    fn an_answer_is_an_envelope_with_one_data_and_may_begin_with_a_byte_order_mark() {
        let kind = |body: &str| {
            read(PhantomData::<Slot<Named<'_>>>, body.as_bytes()).map(drop).map_err(|e| e.kind())
        };
        assert_eq!(kind("\u{feff}{\"data\":{}}"), Ok(()));
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"meta":{}}"#,
            r#"{"data":{},"data":{}}"#,
            r#"{"data":{}"#,
            r#"{"data":{}}x"#,
        ] {
            assert_eq!(kind(body), Err(ErrorKind::Protocol), "{body}");
        }
    }
}
