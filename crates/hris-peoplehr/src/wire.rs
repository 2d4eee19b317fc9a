//! What PeopleHR sends, decoded leniently and no further than asked: one pass, borrowed from the body, and a key that
//! nobody wants is skipped without being read. Bank details, identity numbers, documents, checks and emergency contacts
//! are not even known by name.

use std::fmt;

use hris_http::lenient::{Cell, otherwise};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::lenient::Unwrapped;

/// Where in a row a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// In the row itself.
    Top,
    /// In `ContactDetail`.
    Contact,
    /// In `EmploymentDetail`.
    Employment,
}

macro_rules! keys {
    ($($section:ident { $($key:ident = $name:literal,)* })*) => {
        /// The keys of an employee that this connector can use. A key that is not in this list is never read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Key { $($($key,)*)* }

        impl Key {
            /// Every key, in declaration order.
            pub(crate) const ALL: &'static [Self] = &[$($(Self::$key,)*)*];

            /// The vendor's name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $($(Self::$key => $name,)*)* }
            }

            /// Where it stands.
            pub(crate) const fn section(self) -> Section {
                match self { $($(Self::$key => Section::$section,)*)* }
            }
        }
    };
}

keys! {
    Top {
        Unique = "UniqueKey",
        EmployeeId = "EmployeeId",
        EmployeeStatus = "EmployeeStatus",
        StartDate = "StartDate",
        LeavingDate = "LeavingDate",
        Title = "Title",
        FirstName = "FirstName",
        LastName = "LastName",
        OtherName = "OtherName",
        KnownAs = "KnownAs",
        EmailId = "EmailId",
        DateOfBirth = "DateOfBirth",
        Gender = "Gender",
        JobRole = "JobRole",
        JobRoleChangeDate = "JobRoleChangeDate",
        Company = "Company",
        Location = "Location",
        Department = "Department",
        EmploymentType = "EmploymentType",
        ReportsTo = "ReportsTo",
        ReportsToEmployeeId = "ReportsToEmployeeId",
        ReportsToEmailAddress = "ReportsToEmailAddress",
        NoticePeriod = "NoticePeriod",
        ProbationEndDate = "ProbationEndDate",
        HolidayAllowanceDays = "HolidayAllowanceDays",
        ReasonForLeaving = "ReasonForLeaving",
        AnalysisCode1 = "AnalysisCode1LabelText",
        AnalysisCode2 = "AnalysisCode2LabelText",
        ApiColumn1 = "APIColumn1",
        ApiColumn2 = "APIColumn2",
        ApiColumn3 = "APIColumn3",
        ApiColumn4 = "APIColumn4",
        ApiColumn5 = "APIColumn5",
    }
    Contact {
        Address = "Address",
        WorkPhoneNumber = "WorkPhoneNumber",
        PersonalPhoneNumber = "PersonalPhoneNumber",
        PersonalEmail = "PersonalEmail",
        Mobile = "Mobile",
    }
    Employment {
        PayrollCompany = "PayrollCompany",
        PayrollId = "PayrollID",
        TimeAndAttendanceId = "TimeAndAttendanceID",
        RotaId = "RotaID",
        CrmId = "CRMID",
        AtsId = "ATSID",
        PerformanceId = "PerformanceID",
        BenefitsId = "BenefitsID",
        System1Id = "System1ID",
        System2Id = "System2ID",
        System3Id = "System3ID",
        MethodOfRecruitment = "MethodOfRecruitment",
    }
}

const KEYS: usize = Key::ALL.len();
const LONGEST: usize = 24;

/// The keys to read, sorted so that one is found or dismissed by its length, mostly.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    by_length: [Vec<Key>; LONGEST],
    contact: bool,
    employment: bool,
}

/// What a key in a row leads to.
enum Found {
    Value(Key),
    Section(Section),
    Unused,
}

impl Wanted {
    pub(crate) fn insert(&mut self, key: Key) {
        self.contact |= key.section() == Section::Contact;
        self.employment |= key.section() == Section::Employment;
        if let Some(keys) = self.by_length.get_mut(key.name().len())
            && !keys.contains(&key)
        {
            keys.push(key);
        }
    }

    fn find(&self, section: Section, name: &str) -> Found {
        let keys = self.by_length.get(name.len()).map(Vec::as_slice).unwrap_or_default();
        if let Some(key) = keys.iter().find(|key| key.name() == name && key.section() == section) {
            return Found::Value(*key);
        }
        match name {
            "ContactDetail" if self.contact && section == Section::Top => Found::Section(Section::Contact),
            "EmploymentDetail" if self.employment && section == Section::Top => {
                Found::Section(Section::Employment)
            }
            _ => Found::Unused,
        }
    }
}

impl FromIterator<Key> for Wanted {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        let mut wanted = Self::default();
        keys.into_iter().for_each(|key| wanted.insert(key));
        wanted
    }
}

/// One employee, with the wanted keys only.
#[derive(Debug)]
pub(crate) struct Row<'a>([Cell<'a>; KEYS]);

impl<'a> Row<'a> {
    /// What came under a key; [`Cell::Missing`] for keys that were not wanted.
    pub(crate) fn cell(&self, key: Key) -> &Cell<'a> {
        self.0.get(key as usize).unwrap_or(&Cell::Missing)
    }
}

/// Decodes one employee.
#[derive(Clone, Copy)]
pub(crate) struct RowSeed<'w>(pub(crate) &'w Wanted);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Row<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut row = Row(std::array::from_fn(|_| Cell::Missing));
        let part = PartSeed { wanted: self.0, section: Section::Top, row: &mut row };
        if part.deserialize(deserializer)? { Ok(row) } else { Err(D::Error::custom("is not an object")) }
    }
}

/// Decodes a row, or a section of one, into a row. False where something else than an object stands.
struct PartSeed<'w, 'r, 'de> {
    wanted: &'w Wanted,
    section: Section,
    row: &'r mut Row<'de>,
}

impl<'de> DeserializeSeed<'de> for PartSeed<'_, '_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartSeed<'_, '_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an employee")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(found) = map.next_key_seed(KeySeed { wanted: self.wanted, section: self.section })? {
            match found {
                Found::Unused => drop(map.next_value::<IgnoredAny>()?),
                Found::Section(section) => {
                    map.next_value_seed(PartSeed { wanted: self.wanted, section, row: self.row })?;
                }
                Found::Value(key) => match self.row.0.get_mut(key as usize) {
                    Some(cell) => *cell = map.next_value::<Unwrapped<'_>>()?.0,
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
            }
        }
        Ok(true)
    }

    otherwise!(false => bare texts nulls lists);
}

struct KeySeed<'w> {
    wanted: &'w Wanted,
    section: Section,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Found, E> {
        Ok(self.wanted.find(self.section, name))
    }
}

/// Decodes what stands at the beginning of some bytes, and says how long it is. `None` if it is not all there, or
/// cannot be read.
pub(crate) fn front<'de, S: DeserializeSeed<'de>>(seed: S, bytes: &'de [u8]) -> Option<(S::Value, usize)> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut json).ok()?;
    Some((value, json.into_iter::<IgnoredAny>().byte_offset()))
}

/// Decodes one whole value. `None` if it cannot be read.
pub(crate) fn whole<'de, S: DeserializeSeed<'de>>(seed: S, bytes: &'de [u8]) -> Option<S::Value> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut json).ok()?;
    json.end().ok().map(|()| value)
}

/// Whether bytes are JSON at all, whatever their texts are.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(row: &Row<'a>, key: Key) -> Cell<'a> {
        row.cell(key).clone()
    }

    #[test]
    fn every_name_is_found_in_its_section_only_and_its_length_fits() {
        let wanted: Wanted = Key::ALL.iter().copied().collect();
        for key in Key::ALL {
            assert!(key.name().len() < LONGEST, "{}", key.name());
            for section in [Section::Top, Section::Contact, Section::Employment] {
                let found = matches!(wanted.find(section, key.name()), Found::Value(found) if found == *key);
                assert_eq!(found, section == key.section(), "{}", key.name());
            }
        }
    }

    #[test]
    fn only_wanted_keys_are_read_wherever_they_stand() {
        let wanted: Wanted = [Key::EmployeeId, Key::Mobile].into_iter().collect();
        let json = br#"{"Mobile":"no","EmployeeId":{"DisplayValue":"BF1"},"FirstName":"no",
            "BankDetail":{"Mobile":"no"},"ContactDetail":{"Address":"no","Mobile":{"DisplayValue":"07"}},
            "OtherContact":[{"Mobile":{"DisplayValue":"no"}}]} , rest"#;
        let (row, length) = front(RowSeed(&wanted), json).unwrap();
        assert_eq!(&json[length..], b" , rest");
        assert_eq!(text(&row, Key::EmployeeId), Cell::Text("BF1".into()));
        assert_eq!(text(&row, Key::Mobile), Cell::Text("07".into()));
        let others = Key::ALL.iter().filter(|key| !matches!(key, Key::EmployeeId | Key::Mobile));
        assert!(others.clone().all(|key| text(&row, *key) == Cell::Missing));
    }

    #[test]
    fn a_section_that_is_no_object_costs_its_fields_and_a_row_that_is_none_is_refused() {
        let wanted: Wanted = [Key::EmployeeId, Key::Mobile].into_iter().collect();
        let row = whole(RowSeed(&wanted), br#"{"ContactDetail":[7],"EmployeeId":"x"}"#).unwrap();
        assert_eq!(text(&row, Key::Mobile), Cell::Missing);
        assert_eq!(text(&row, Key::EmployeeId), Cell::Text("x".into()));
        for json in ["7", "null", "[]", "\"x\"", "{\"EmployeeId\":\"\\ud800\"}"] {
            assert!(whole(RowSeed(&wanted), json.as_bytes()).is_none(), "{json}");
            assert!(is_json(json.as_bytes()), "{json}");
        }
    }
}
