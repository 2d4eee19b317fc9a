//! The rewards side: which attributes a member has, what is wanted for one, and what a platform reports back.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::private::Hidden;
use crate::source::named_fields;
use crate::{Email, EmployeeId, Error, MemberId, Value};

named_fields! {
    /// An attribute of a member that this library knows by name.
    MemberField {
        /// The member's unique id: the company's Employee ID.
        EmployeeId = "employee_id",
        /// The address that invitations go to.
        Email = "email",
        /// Given name.
        FirstName = "first_name",
        /// Middle name.
        MiddleName = "middle_name",
        /// Family name.
        LastName = "last_name",
        /// Display name.
        DisplayName = "display_name",
        /// A second, private address.
        PersonalEmail = "personal_email",
        /// Phone number.
        Phone = "phone",
        /// First day of work.
        StartDate = "start_date",
        /// Last day of work.
        EndDate = "end_date",
        /// Date of birth.
        BirthDate = "birth_date",
        /// Gender.
        Gender = "gender",
        /// Department.
        Department = "department",
        /// Place of work.
        Location = "location",
        /// Country.
        Country = "country",
        /// Job title.
        JobTitle = "job_title",
        /// Legal entity.
        Company = "company",
        /// Language tag.
        Language = "language",
        /// The manager's Employee ID. The engine translates the record ids that some HR systems give.
        Manager = "manager",
    }
}

/// An attribute that a mapping writes. As text: the attribute's name, or `custom:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub enum TargetField {
    /// A well-known attribute.
    Member(MemberField),
    /// An attribute that only this platform has.
    Custom(Box<str>),
}

impl TargetField {
    /// The unique id.
    pub const EMPLOYEE_ID: Self = Self::Member(MemberField::EmployeeId);
    /// The mandatory address.
    pub const EMAIL: Self = Self::Member(MemberField::Email);

    /// Whether no account can exist without it. Both stay mandatory whatever a mapping says.
    pub fn is_mandatory(&self) -> bool {
        *self == Self::EMPLOYEE_ID || *self == Self::EMAIL
    }
}

impl From<MemberField> for TargetField {
    fn from(field: MemberField) -> Self {
        Self::Member(field)
    }
}

impl fmt::Display for TargetField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(field) => f.write_str(field.as_str()),
            Self::Custom(name) => write!(f, "custom:{name}"),
        }
    }
}

impl FromStr for TargetField {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("custom:").filter(|name| !name.is_empty()) {
            return Ok(Self::Custom(name.into()));
        }
        MemberField::from_name(text).map(Self::Member).ok_or_else(|| {
            Error::config(
                format!("`{text}` is not an attribute of a member"),
                "use a well-known name such as `email`, or `custom:NAME` for an attribute of the platform",
            )
        })
    }
}

impl TryFrom<String> for TargetField {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<TargetField> for String {
    fn from(field: TargetField) -> Self {
        field.to_string()
    }
}

/// Attributes by name. In a change, `None` clears the attribute. `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<TargetField, Option<Value>>);

impl Attributes {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute, or asks to clear it with `None`.
    pub fn set(&mut self, field: impl Into<TargetField>, value: Option<Value>) {
        self.0.insert(field.into(), value);
    }

    /// What is said about an attribute: `None` if nothing, `Some(None)` if it is cleared.
    pub fn get(&self, field: &TargetField) -> Option<Option<&Value>> {
        self.0.get(field).map(Option::as_ref)
    }

    /// The text of an attribute that holds text.
    pub fn text(&self, field: &TargetField) -> Option<&str> {
        self.get(field).flatten().and_then(Value::as_text)
    }

    /// The Employee ID, if it is among the attributes.
    pub fn employee_id(&self) -> Option<EmployeeId> {
        self.text(&TargetField::EMPLOYEE_ID).map(EmployeeId::from)
    }

    /// The e-mail address, if it is among the attributes and is one.
    pub fn email(&self) -> Option<Email> {
        self.text(&TargetField::EMAIL).and_then(Email::parse)
    }

    /// The attributes in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TargetField, Option<&Value>)> {
        self.0.iter().map(|(field, value)| (field, value.as_ref()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those attributes that are to be kept.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&TargetField) -> bool) -> Self {
        let kept = self.0.iter().filter(|(field, _)| keep(field));
        Self(kept.map(|(field, value)| (field.clone(), value.clone())).collect())
    }

    /// Carries out a change: sets what has a value, removes what is cleared.
    pub fn merge(&mut self, change: &Self) {
        for (field, value) in &change.0 {
            match value {
                Some(_) => self.0.insert(field.clone(), value.clone()),
                None => self.0.remove(field),
            };
        }
    }
}

impl FromIterator<(TargetField, Option<Value>)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (TargetField, Option<Value>)>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|field| (field.to_string(), Hidden))).finish()
    }
}

/// A member as the rewards platform reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRecord {
    /// The platform's own id.
    pub id: MemberId,
    /// Whether the account is open.
    pub active: bool,
    /// The day from which a closed account is deleted and cannot come back, where the platform tells.
    pub closes_on: Option<NaiveDate>,
    /// The version for optimistic concurrency, where the platform has one.
    pub version: Option<String>,
    /// Attributes, Employee ID and e-mail among them.
    pub attributes: Attributes,
}

impl MemberRecord {
    /// An open account with its attributes.
    pub fn new(id: impl Into<MemberId>, attributes: Attributes) -> Self {
        Self { id: id.into(), active: true, closes_on: None, version: None, attributes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_name_parses_back() {
        for field in MemberField::ALL {
            let target = TargetField::from(*field);
            assert_eq!(target.to_string().parse::<TargetField>().unwrap(), target);
        }
        assert!("custom:".parse::<TargetField>().is_err());
    }

    #[test]
    fn merging_sets_and_clears() {
        let mut member = Attributes::new();
        member.set(MemberField::FirstName, Some("A".into()));
        member.set(MemberField::Phone, Some("1".into()));
        let change = [
            (TargetField::from(MemberField::FirstName), Some(Value::from("B"))),
            (MemberField::Phone.into(), None),
        ];
        member.merge(&change.into_iter().collect());
        assert_eq!(member.text(&MemberField::FirstName.into()), Some("B"));
        assert_eq!(member.get(&MemberField::Phone.into()), None);
    }

    #[test]
    fn debug_shows_names_of_attributes_but_no_value() {
        let member: Attributes =
            [(TargetField::EMAIL, Some(Value::from("a@b.example")))].into_iter().collect();
        assert_eq!(format!("{member:?}"), "{\"email\": …}");
    }
}
