//! What TriNet sends, decoded leniently and no further than asked: one pass, borrowed from the page. What nobody wants
//! is skipped without being read, and what no rewards platform needs (identity numbers, pay, ethnicity, …) has no name
//! here at all.

use std::fmt;
use std::marker::PhantomData;

use hris_core::{Delivery, Error, ErrorKind, Result};
use hris_http::decode_seed;
use hris_http::lenient::{Cell, otherwise};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::config::BirthDatePath;
use crate::lenient::{Listed, Part, PartSeed, Text, object};

/// What of an employee can be read. The names are the canonical ones; the vendor's keys are in [`Row`] and [`Info`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    AlternateId,
    Names,
    Status,
    WorkEmail,
    WorkPhone,
    JobTitle,
    JobCode,
    EmployeeType,
    Regular,
    Start,
    End,
    GroupA,
    GroupB,
    Department,
    Location,
    Supervisor,
    Bio,
    Home,
}

/// A set of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(u32);

impl Keys {
    pub(crate) fn has(self, key: Key) -> bool {
        self.0 & (1 << key as u32) != 0
    }

    pub(crate) fn insert(&mut self, key: Key) {
        self.0 |= 1 << key as u32;
    }
}

object! {
    /// One of a person's names.
    Name {
        kind: "nameType",
        first: "firstName",
        middle: "middleName",
        last: "lastName",
        effective: "effectiveDate",
    }
}

object! {
    /// A department, in an employee, in its split over departments, or in the list of departments.
    Department { id: "deptId", name: "deptName" | "departmentName", }
}

object! {
    /// A place of work, in an employee or in the list of locations. The documentation misspells its keys.
    Location { id: "locationId" | "locationtId", name: "locationName" | "locationtName", }
}

object! {
    /// A job of the list of jobs.
    Job { code: "key", title: "value", }
}

object! {
    /// Whom somebody reports to.
    Supervisor { id: "supervisorId", }
}

object! {
    /// The home address, of which only these two are ever read.
    Home { country: "country", phone: "phone", }
}

object! {
    /// The company's own record.
    Company {
        id: "companyId",
        name: "companyName",
        legal_name: "legalName",
        time_zone: "timezone",
        terminated: "terminationDate",
    }
}

object! {
    /// The answer of the token request.
    Token { value: "access_token", expires_in: "expires_in", scope: "scope", }
}

/// Date of birth and gender.
#[derive(Debug, Default)]
pub(crate) struct Bio<'a> {
    pub(crate) birth: Cell<'a>,
    pub(crate) gender: Cell<'a>,
}

/// The employment of an employee: nested as the vendor sends it, with the names of its older, flat form.
#[derive(Debug, Default)]
pub(crate) struct Info<'a> {
    pub(crate) status: Cell<'a>,
    pub(crate) work_email: Cell<'a>,
    pub(crate) work_phone: Cell<'a>,
    pub(crate) title: Cell<'a>,
    pub(crate) job_code: Cell<'a>,
    pub(crate) employee_type: Cell<'a>,
    pub(crate) regular: Cell<'a>,
    pub(crate) service: Cell<'a>,
    pub(crate) hire: Cell<'a>,
    pub(crate) start: Cell<'a>,
    pub(crate) first_hire: Cell<'a>,
    pub(crate) end: Cell<'a>,
    pub(crate) group_a: Cell<'a>,
    pub(crate) group_b: Cell<'a>,
    pub(crate) department: Part<Department<'a>>,
    pub(crate) department_id: Cell<'a>,
    pub(crate) location: Part<Location<'a>>,
    pub(crate) location_id: Cell<'a>,
    pub(crate) supervisor: Part<Supervisor<'a>>,
    pub(crate) supervisor_id: Cell<'a>,
}

/// One employee, with the wanted parts only.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    pub(crate) id: Cell<'a>,
    pub(crate) alternate_id: Cell<'a>,
    pub(crate) names: Listed<Name<'a>>,
    pub(crate) info: Part<Info<'a>>,
    pub(crate) split: Listed<Department<'a>>,
    pub(crate) supervisor_id: Cell<'a>,
    pub(crate) bio: Part<Bio<'a>>,
    /// A date of birth that stands in the employee itself.
    pub(crate) birth: Cell<'a>,
    pub(crate) home: Part<Home<'a>>,
}

/// Decodes one employee, `None` where the row is no object.
#[derive(Clone, Copy)]
pub(crate) struct RowSeed<'p> {
    pub(crate) keys: Keys,
    pub(crate) birth: Option<&'p BirthDatePath>,
}

impl RowSeed<'_> {
    /// Whether a configured date of birth stands in an object of this name, or in the employee where that is `None`.
    fn is_birth_in(self, object: Option<&str>) -> bool {
        self.birth.is_some_and(|path| path.object.as_deref() == object)
    }

    fn is_birth_key(self, key: &str) -> bool {
        self.birth.is_some_and(|path| &*path.key == key)
    }
}

/// Takes the value of a key if it is wanted, and skips it otherwise.
macro_rules! take {
    ($seed:ident, $map:ident, $key:ident => $target:expr) => {
        if $seed.keys.has(Key::$key) { $target.hear($map.next_value()?) } else { skip(&mut $map)? }
    };
}

fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Option<Row<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Option<Row<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an employee")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut row = Row::default();
        while let Some(key) = map.next_key::<Text<'_>>()? {
            match &*key.0 {
                "employeeId" => row.id.hear(map.next_value()?),
                "employmentInfo" => row.info = map.next_value_seed(PartSeed(InfoSeed(self.keys)))?,
                "names" => take!(self, map, Names => row.names),
                "alternateId" => take!(self, map, AlternateId => row.alternate_id),
                "departmentSplit" => take!(self, map, Department => row.split),
                "supervisorId" => take!(self, map, Supervisor => row.supervisor_id),
                "homeContact" | "homeAddress" | "address" => take!(self, map, Home => row.home),
                "bioInfo" | "biographicalInfo" => row.read_bio(self, &key.0, &mut map)?,
                object if self.is_birth_in(Some(object)) => row.read_bio(self, object, &mut map)?,
                field if self.is_birth_in(None) && self.is_birth_key(field) => {
                    take!(self, map, Bio => row.birth);
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(Some(row))
    }

    otherwise!(None => bare texts nulls lists);
}

impl<'a> Row<'a> {
    fn read_bio<A: MapAccess<'a>>(
        &mut self,
        seed: RowSeed<'_>,
        object: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if !seed.keys.has(Key::Bio) {
            return skip(map);
        }
        let own_key = seed.birth.filter(|_| seed.is_birth_in(Some(object))).map(|path| &*path.key);
        self.bio.hear(map.next_value_seed(PartSeed(BioSeed(own_key)))?);
        Ok(())
    }
}

/// Decodes an employment.
struct InfoSeed(Keys);

impl<'de> DeserializeSeed<'de> for InfoSeed {
    type Value = Info<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(Employment { keys: self.0 })
    }
}

struct Employment {
    keys: Keys,
}

impl<'de> Visitor<'de> for Employment {
    type Value = Info<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an employment")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut info = Info::default();
        while let Some(key) = map.next_key::<Text<'_>>()? {
            match &*key.0 {
                "employmentStatus" => take!(self, map, Status => info.status),
                "workEmail" => take!(self, map, WorkEmail => info.work_email),
                "workPhone" => take!(self, map, WorkPhone => info.work_phone),
                "businessTitle" => take!(self, map, JobTitle => info.title),
                "jobCode" => take!(self, map, JobCode => info.job_code),
                "employeeType" => take!(self, map, EmployeeType => info.employee_type),
                "regularTemporary" | "temporaryIndicator" => take!(self, map, Regular => info.regular),
                "serviceDate" => take!(self, map, Start => info.service),
                "hireDate" => take!(self, map, Start => info.hire),
                "startDate" => take!(self, map, Start => info.start),
                "originalHireDate" => take!(self, map, Start => info.first_hire),
                "terminationDate" => take!(self, map, End => info.end),
                "customGroupA" | "groupA" => take!(self, map, GroupA => info.group_a),
                "customGroupB" | "groupB" => take!(self, map, GroupB => info.group_b),
                "department" => take!(self, map, Department => info.department),
                "departmentId" => take!(self, map, Department => info.department_id),
                "location" => take!(self, map, Location => info.location),
                "locationId" => take!(self, map, Location => info.location_id),
                "supervisor" => take!(self, map, Supervisor => info.supervisor),
                "supervisorId" => take!(self, map, Supervisor => info.supervisor_id),
                _ => skip(&mut map)?,
            }
        }
        Ok(info)
    }
}

/// Decodes date of birth and gender; the configured key is one of those under which the date may stand.
struct BioSeed<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for BioSeed<'_> {
    type Value = Bio<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BioSeed<'_> {
    type Value = Bio<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut bio = Bio::default();
        while let Some(key) = map.next_key::<Text<'_>>()? {
            match &*key.0 {
                "birthdate" | "birthDate" | "dateOfBirth" => bio.birth.hear(map.next_value()?),
                "gender" => bio.gender.hear(map.next_value()?),
                key if self.0 == Some(key) => bio.birth.hear(map.next_value()?),
                _ => skip(&mut map)?,
            }
        }
        Ok(bio)
    }
}

/// One page of the employee list.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) rows: Vec<Option<Row<'a>>>,
    /// Whether more rows follow, if the page says so.
    pub(crate) has_more: Option<bool>,
    /// How many rows there are, if the page says so.
    pub(crate) total: Option<u64>,
}

/// What every answer has around its data.
#[derive(Debug)]
pub(crate) struct Envelope<'a, T> {
    data: Part<T>,
    status: Cell<'a>,
    request_id: Cell<'a>,
}

/// Reads a page of the employee list.
///
/// # Errors
/// Those of [`hris_http::decode`]; one of the kind that its `_statusCode` stands for where that is no success; and
/// [`ErrorKind::Protocol`] where there is no list of employees, since that is not an empty list. No value is quoted.
pub(crate) fn read_page<'de>(seed: RowSeed<'_>, body: &'de [u8]) -> Result<Page<'de>> {
    let envelope = read(PartSeed(ListingSeed(seed)), body)?;
    match envelope.data {
        Part::Here(Listing { rows: Some(rows), has_more, total }) => Ok(Page { rows, has_more, total }),
        _ => Err(misfit("the answer has no list `data.employeeData`", &envelope.request_id)),
    }
}

/// Reads a list that comes whole: departments, locations, jobs.
pub(crate) fn read_list<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<Vec<T>> {
    let envelope = read(ListSeed(PhantomData), body)?;
    match envelope.data {
        Part::Here(items) => Ok(items),
        _ => Err(misfit("the answer has no list `data`", &envelope.request_id)),
    }
}

/// Reads the company's own record: an object, or a list of one.
pub(crate) fn read_company(body: &[u8]) -> Result<Company<'_>> {
    let envelope = read(ListSeed(PhantomData), body)?;
    let companies: Vec<Company<'_>> = envelope.data.into_here().unwrap_or_default();
    let first = companies.into_iter().next();
    first.ok_or_else(|| misfit("the answer names no company", &envelope.request_id))
}

fn misfit(message: &'static str, request_id: &Cell<'_>) -> Error {
    in_request(Error::new(ErrorKind::Protocol, message).with_delivery(Delivery::Answered), request_id)
}

/// Names the request as the vendor does, for its support.
fn in_request(error: Error, request_id: &Cell<'_>) -> Error {
    match request_id.written().and_then(crate::errors::word) {
        Some(id) => error.with_context("request_id", id),
        None => error,
    }
}

/// Reads an answer. A success by HTTP may be a failure by its own word.
fn read<'de, S, T>(seed: S, body: &'de [u8]) -> Result<Envelope<'de, T>>
where
    S: DeserializeSeed<'de, Value = Part<T>>,
{
    let envelope =
        decode_seed::<Outline, _>(EnvelopeSeed(seed), body, "the answer does not have the expected form")?;
    match envelope.status.count().and_then(|status| u16::try_from(status).ok()) {
        Some(status) if !(200..300).contains(&status) => {
            Err(in_request(crate::errors::by_own_status(status), &envelope.request_id))
        }
        _ => Ok(envelope),
    }
}

/// Any object.
#[derive(Deserialize)]
struct Outline {}

struct EnvelopeSeed<S>(S);

impl<'de, T, S: DeserializeSeed<'de, Value = Part<T>>> DeserializeSeed<'de> for EnvelopeSeed<S> {
    type Value = Envelope<'de, T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T, S: DeserializeSeed<'de, Value = Part<T>>> Visitor<'de> for EnvelopeSeed<S> {
    type Value = Envelope<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seed = Some(self.0);
        let mut envelope = Envelope { data: Part::Missing, status: Cell::Missing, request_id: Cell::Missing };
        while let Some(key) = map.next_key::<Text<'_>>()? {
            match &*key.0 {
                "data" => {
                    let seed = seed.take().ok_or_else(|| A::Error::duplicate_field("data"))?;
                    envelope.data = map.next_value_seed(seed)?;
                }
                "_statusCode" => envelope.status.hear(map.next_value()?),
                "_requestId" => envelope.request_id.hear(map.next_value()?),
                _ => skip(&mut map)?,
            }
        }
        Ok(envelope)
    }
}

/// The `data` of a page of employees.
struct Listing<'a> {
    rows: Option<Vec<Option<Row<'a>>>>,
    has_more: Option<bool>,
    total: Option<u64>,
}

struct ListingSeed<'p>(RowSeed<'p>);

impl<'de> DeserializeSeed<'de> for ListingSeed<'_> {
    type Value = Listing<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListingSeed<'_> {
    type Value = Listing<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut listing = Listing { rows: None, has_more: None, total: None };
        while let Some(key) = map.next_key::<Text<'_>>()? {
            match &*key.0 {
                "employeeData" => listing.rows = map.next_value_seed(RowsSeed(self.0))?,
                "hasMore" => listing.has_more = map.next_value::<Cell<'_>>()?.flag(),
                "employeesTotal" => listing.total = map.next_value::<Cell<'_>>()?.count(),
                _ => skip(&mut map)?,
            }
        }
        Ok(listing)
    }
}

/// Decodes the rows, `None` where there is no list.
struct RowsSeed<'p>(RowSeed<'p>);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = Option<Vec<Option<Row<'de>>>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = Option<Vec<Option<Row<'de>>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(self.0)? {
            rows.push(row);
        }
        Ok(Some(rows))
    }

    otherwise!(None => bare texts nulls objects);
}

/// Decodes a list of objects; a single object is a list of one.
struct ListSeed<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for ListSeed<T> {
    type Value = Part<Vec<T>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListSeed<T> {
    type Value = Part<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(part) = seq.next_element::<Part<T>>()? {
            items.extend(part.into_here());
        }
        Ok(Part::Here(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let item = T::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Part::Here(vec![item]))
    }

    otherwise!(Part::Other => bare texts nulls);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: RowSeed<'_> = RowSeed { keys: Keys(u32::MAX), birth: None };

    fn kind(body: &str) -> Result<usize, ErrorKind> {
        read_page(ALL, body.as_bytes()).map(|page| page.rows.len()).map_err(|error| error.kind())
    }

    #[test]
    fn a_page_is_read_whatever_the_order_and_the_types_around_its_rows() {
        for body in [
            r#"{"data":{"employeeData":[{},7],"hasMore":false,"employeesTotal":2},"_statusCode":"200"}"#,
            r#"{"_statusCode":200,"data":{"hasMore":"false","employeesTotal":"2","employeeData":[{},[]]}}"#,
            "\u{feff}{\"data\":{\"employeeData\":[null,{}],\"hasMore\":false,\"employeesTotal\":2.0}}",
        ] {
            let page = read_page(ALL, body.as_bytes()).unwrap();
            assert_eq!((page.rows.len(), page.has_more), (2, Some(false)), "{body}");
        }
        let page =
            read_page(ALL, br#"{"data":{"employeeData":[],"hasMore":1,"employeesTotal":-1}}"#).unwrap();
        assert_eq!((page.has_more, page.total), (None, None));
    }

    #[test]
    fn what_is_no_list_of_employees_is_not_an_empty_one() {
        for body in [
            "",
            "<html>",
            "[]",
            "7",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":{}}"#,
            r#"{"data":{"employeeData":null,"hasMore":false}}"#,
            r#"{"data":{"employeeData":{}}}"#,
            r#"{"data":{"employeeData":[]}"#,
            r#"{"data":{"employeeData":[]}}x"#,
            r#"{"data":{},"data":{"employeeData":[]}}"#,
        ] {
            assert_eq!(kind(body), Err(ErrorKind::Protocol), "{body}");
        }
    }

    #[test]
    fn a_failure_inside_a_success_is_of_its_own_kind() {
        for (status, expected) in [
            (r#""500""#, ErrorKind::Unavailable),
            ("503", ErrorKind::Unavailable),
            (r#""401""#, ErrorKind::Unauthorized),
            ("403", ErrorKind::Forbidden),
            ("404", ErrorKind::WrongAccount),
            ("429", ErrorKind::RateLimited),
            ("400", ErrorKind::Invalid),
        ] {
            let body =
                format!(r#"{{"_statusCode":{status},"data":{{"employeeData":[]}},"_requestId":"r-1"}}"#);
            assert_eq!(kind(&body), Err(expected), "{status}");
            let error = read_page(ALL, body.as_bytes()).unwrap_err();
            assert!(error.context().any(|entry| entry == ("request_id", "r-1")), "{error}");
        }
        assert_eq!(kind(r#"{"_statusCode":"fine","data":{"employeeData":[]}}"#), Ok(0));
    }

    #[test]
    fn the_company_is_an_object_or_a_list_of_one() {
        for body in [r#"{"data":{"companyId":"X7Q"}}"#, r#"{"data":[{"companyId":"X7Q"}]}"#] {
            assert_eq!(read_company(body.as_bytes()).unwrap().id.written(), Some("X7Q"));
        }
        for body in ["{}", r#"{"data":[]}"#, r#"{"data":[7]}"#, r#"{"data":"X7Q"}"#] {
            assert!(read_company(body.as_bytes()).is_err(), "{body}");
        }
    }
}
