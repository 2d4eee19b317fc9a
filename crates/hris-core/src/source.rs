//! Names of the fields that a mapping can read, and the set of them that a query asks for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

macro_rules! named_fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every field, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in configuration files and reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use named_fields;

named_fields! {
    /// A field of the canonical [`crate::Employee`].
    EmployeeField {
        /// The vendor's immutable record id.
        RecordId = "record_id",
        /// The company's Employee ID.
        EmployeeId = "employee_id",
        /// Employment status, in the words of [`crate::EmploymentStatus::as_str`].
        Status = "status",
        /// Given name.
        FirstName = "first_name",
        /// Middle name.
        MiddleName = "middle_name",
        /// Family name.
        LastName = "last_name",
        /// The name the person goes by.
        PreferredName = "preferred_name",
        /// Work address.
        WorkEmail = "work_email",
        /// Private address.
        PersonalEmail = "personal_email",
        /// Private or mobile phone.
        Phone = "phone",
        /// Work phone.
        WorkPhone = "work_phone",
        /// First day of work.
        StartDate = "start_date",
        /// Last day of work.
        EndDate = "end_date",
        /// Date of birth.
        BirthDate = "birth_date",
        /// Gender.
        Gender = "gender",
        /// Department name.
        Department = "department",
        /// Name of the place of work.
        Location = "location",
        /// Country.
        Country = "country",
        /// Job title.
        JobTitle = "job_title",
        /// Legal entity.
        Company = "company",
        /// Kind of employment.
        EmploymentType = "employment_type",
        /// Language tag.
        Language = "language",
        /// IANA time zone.
        TimeZone = "time_zone",
        /// Line manager's id.
        Manager = "manager",
    }
}

/// A field that a mapping reads. As text: the field's name, or `custom:NAME` for a customer's own field.
///
/// ```
/// use hris_core::{EmployeeField, SourceField};
/// let field: SourceField = "custom:cf_shirt".parse().unwrap();
/// assert_eq!(field, SourceField::Custom("cf_shirt".into()));
/// assert_eq!(SourceField::from(EmployeeField::WorkEmail).to_string(), "work_email");
/// assert!("shoe_size".parse::<SourceField>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub enum SourceField {
    /// A field of the canonical employee.
    Employee(EmployeeField),
    /// A field of the customer's own, by slug or id as the connector says.
    Custom(Box<str>),
}

impl From<EmployeeField> for SourceField {
    fn from(field: EmployeeField) -> Self {
        Self::Employee(field)
    }
}

impl fmt::Display for SourceField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Employee(field) => f.write_str(field.as_str()),
            Self::Custom(name) => write!(f, "custom:{name}"),
        }
    }
}

impl FromStr for SourceField {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("custom:").filter(|name| !name.is_empty()) {
            return Ok(Self::Custom(name.into()));
        }
        EmployeeField::from_name(text).map(Self::Employee).ok_or_else(|| {
            Error::config(
                format!("`{text}` is not a field of an employee"),
                "use a canonical name such as `work_email`, or `custom:NAME` for a field of your own",
            )
        })
    }
}

impl TryFrom<String> for SourceField {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<SourceField> for String {
    fn from(field: SourceField) -> Self {
        field.to_string()
    }
}

/// The fields that a query wants. Connectors ask for, decode and keep nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    known: u64,
    custom: BTreeSet<Box<str>>,
}

impl FieldSet {
    /// Every canonical field, and no custom one.
    pub fn all_canonical() -> Self {
        EmployeeField::ALL.iter().copied().map(SourceField::from).collect()
    }

    /// Whether a canonical field is wanted.
    pub fn has(&self, field: EmployeeField) -> bool {
        self.known & bit(field) != 0
    }

    /// The custom fields wanted, by name.
    pub fn custom(&self) -> impl ExactSizeIterator<Item = &str> {
        self.custom.iter().map(|name| &**name)
    }

    /// Whether a custom field is wanted.
    pub fn has_custom(&self, name: &str) -> bool {
        self.custom.contains(name)
    }

    /// Adds a field.
    pub fn insert(&mut self, field: impl Into<SourceField>) {
        match field.into() {
            SourceField::Employee(field) => self.known |= bit(field),
            SourceField::Custom(name) => {
                self.custom.insert(name);
            }
        }
    }
}

fn bit(field: EmployeeField) -> u64 {
    1 << (field as u64)
}

impl<F: Into<SourceField>> FromIterator<F> for FieldSet {
    fn from_iter<I: IntoIterator<Item = F>>(fields: I) -> Self {
        let mut set = Self::default();
        fields.into_iter().for_each(|field| set.insert(field));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_name_parses_back() {
        for field in EmployeeField::ALL {
            let source = SourceField::from(*field);
            assert_eq!(source.to_string().parse::<SourceField>().unwrap(), source);
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set: FieldSet = [SourceField::from(EmployeeField::WorkEmail), SourceField::Custom("x".into())]
            .into_iter()
            .collect();
        assert!(set.has(EmployeeField::WorkEmail) && set.has_custom("x"));
        assert!(!set.has(EmployeeField::BirthDate) && !set.has_custom("y"));
    }
}
