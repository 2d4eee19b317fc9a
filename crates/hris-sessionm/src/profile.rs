//! The fields of a customer's profile, which of them can be changed, and changes to them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use hris_core::{Email, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::model::Hidden;
use crate::{Phone, Points};

macro_rules! profile_fields {
    ($($(#[$doc:meta])* $variant:ident = $text:literal $mutability:ident,)*) => {
        /// A field of a customer's profile. As text: SessionM's name of it, or `custom:NAME` for a key of the
        /// organisation's own `user_profile`.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[non_exhaustive]
        pub enum ProfileField {
            $($(#[$doc])* $variant,)*
            /// A key of `user_profile`.
            Custom(Box<str>),
        }

        impl ProfileField {
            /// Every field that is not the organisation's own, in the order of the desk.
            pub const NATIVE: &'static [Self] = &[$(Self::$variant,)*];

            /// Whether SessionM lets it be written.
            pub fn mutability(&self) -> Mutability {
                match self {
                    $(Self::$variant => Mutability::$mutability,)*
                    Self::Custom(name) if &**name == "_version" => Mutability::ReadOnly,
                    Self::Custom(_) => Mutability::Editable,
                }
            }

            fn native(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }

            /// SessionM's name of it, without `custom:`.
            pub fn name(&self) -> &str {
                match self { $(Self::$variant => $text,)* Self::Custom(name) => name }
            }
        }
    };
}

/// Whether a field of the profile can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mutability {
    /// It can.
    Editable,
    /// It can, and customers are found by it: the other key is held against it first.
    Key,
    /// SessionM sets it.
    ReadOnly,
}

profile_fields! {
    /// Given name.
    FirstName = "first_name" Editable,
    /// Family name.
    LastName = "last_name" Editable,
    /// Gender: `m` or `f`.
    Gender = "gender" Editable,
    /// Date of birth; the person must be older than 13.
    BirthDate = "dob" Editable,
    /// E-mail address, unique in the organisation.
    Email = "email" Key,
    /// The organisation's own id of the customer.
    ExternalId = "external_id" Key,
    /// Whether the customer takes part in the loyalty programme.
    OptedIn = "opted_in" Editable,
    /// First line of the address.
    Address = "address" Editable,
    /// Second line of the address.
    Address2 = "address2" Editable,
    /// Town.
    City = "city" Editable,
    /// State or region.
    State = "state" Editable,
    /// Postal code.
    Zip = "zip" Editable,
    /// Country, in three letters (ISO 3166-1 alpha-3).
    Country = "country" Editable,
    /// Language tag, such as `en-US`.
    Locale = "locale" Editable,
    /// Phone numbers; a change replaces all of them.
    PhoneNumbers = "phone_numbers" Editable,
    /// SessionM's own id.
    Id = "id" ReadOnly,
    /// The member's standing.
    AccountStatus = "account_status" ReadOnly,
    /// Whether the customer is suspended.
    Suspended = "suspended" ReadOnly,
    /// Name of the tier.
    Tier = "tier" ReadOnly,
    /// Points that can be spent.
    AvailablePoints = "available_points" ReadOnly,
    /// The customer's own referral code.
    ReferrerCode = "referrer_code" ReadOnly,
    /// When the customer was created.
    CreatedAt = "created_at" ReadOnly,
    /// When the customer was last changed.
    UpdatedAt = "updated_at" ReadOnly,
    /// When the customer registered.
    RegisteredAt = "registered_at" ReadOnly,
}

impl fmt::Display for ProfileField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(name) => write!(f, "custom:{name}"),
            native => f.write_str(native.name()),
        }
    }
}

impl FromStr for ProfileField {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(name) = text.strip_prefix("custom:").filter(|name| !name.is_empty()) {
            return Ok(Self::Custom(name.into()));
        }
        Self::native(text).ok_or_else(|| {
            let hint = "use SessionM's name such as `first_name`, or `custom:NAME` for a key of user_profile";
            Error::config(format!("`{text}` is not a field of a customer's profile"), hint)
        })
    }
}

impl TryFrom<String> for ProfileField {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ProfileField> for String {
    fn from(field: ProfileField) -> Self {
        field.to_string()
    }
}

/// The value of a field of the profile. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileValue {
    /// Text.
    Text(String),
    /// A calendar date.
    Date(NaiveDate),
    /// Yes or no.
    Flag(bool),
    /// A number, exact.
    Number(Points),
    /// Phone numbers.
    Phones(Vec<Phone>),
}

impl fmt::Debug for ProfileValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Text(_) => "Text",
            Self::Date(_) => "Date",
            Self::Flag(_) => "Flag",
            Self::Number(_) => "Number",
            Self::Phones(_) => "Phones",
        };
        f.debug_tuple(kind).field(&Hidden).finish()
    }
}

impl From<&str> for ProfileValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ProfileValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<NaiveDate> for ProfileValue {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

impl From<bool> for ProfileValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Points> for ProfileValue {
    fn from(number: Points) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<Phone>> for ProfileValue {
    fn from(phones: Vec<Phone>) -> Self {
        Self::Phones(phones)
    }
}

/// A change of a profile: what is set, what is cleared; what is not named stays. `Debug` shows the fields' names only.
///
/// ```
/// use hris_sessionm::{ProfileEdit, ProfileField};
/// let edit = ProfileEdit::new()
///     .set(ProfileField::LastName, "Lindqvist-Berg")?
///     .clear(ProfileField::Address2)?;
/// assert_eq!(edit.len(), 2);
/// assert!(ProfileEdit::new().set(ProfileField::Tier, "Gold").is_err());
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProfileEdit(BTreeMap<ProfileField, Option<ProfileValue>>);

impl ProfileEdit {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if SessionM does not let the field be written, or if it cannot hold such a value.
    pub fn set(mut self, field: ProfileField, value: impl Into<ProfileValue>) -> Result<Self> {
        let value = value.into();
        check_writable(&field)?;
        check_value(&field, &value)?;
        self.0.insert(field, Some(value));
        Ok(self)
    }

    /// Clears a field.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if SessionM does not let the field be written, or if a customer cannot be without it.
    pub fn clear(mut self, field: ProfileField) -> Result<Self> {
        check_writable(&field)?;
        if field.mutability() == Mutability::Key || field == ProfileField::OptedIn {
            let error = Error::new(ErrorKind::Invalid, "this field cannot be cleared, only changed");
            return Err(error.with_context("field", field));
        }
        self.0.insert(field, None);
        Ok(self)
    }

    /// What is said about a field: `None` if nothing, `Some(None)` if it is cleared.
    pub fn get(&self, field: &ProfileField) -> Option<Option<&ProfileValue>> {
        self.0.get(field).map(Option::as_ref)
    }

    /// The new text of a field that is set to one.
    pub fn text(&self, field: &ProfileField) -> Option<&str> {
        match self.get(field)?? {
            ProfileValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The changes in the order of the fields.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ProfileField, Option<&ProfileValue>)> {
        self.0.iter().map(|(field, value)| (field, value.as_ref()))
    }

    /// The fields that it changes.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &ProfileField> {
        self.0.keys()
    }

    /// Leaves a field out.
    pub fn remove(&mut self, field: &ProfileField) {
        self.0.remove(field);
    }

    /// This change with another on top.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.clone());
        self
    }

    /// Leaves out what is cleared: somebody new has nothing to clear.
    pub(crate) fn drop_cleared(&mut self) {
        self.0.retain(|_, value| value.is_some());
    }

    /// How many fields it changes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ProfileEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|field| (field.to_string(), Hidden))).finish()
    }
}

fn check_writable(field: &ProfileField) -> Result<()> {
    if field.mutability() == ProfileField::Id.mutability() {
        let error = Error::new(ErrorKind::Invalid, "SessionM does not let this field be written");
        return Err(error.with_context("field", field));
    }
    Ok(())
}

/// Whether a field can hold a value. The value is never repeated.
fn check_value(field: &ProfileField, value: &ProfileValue) -> Result<()> {
    let expected = match (field, value) {
        (ProfileField::Email, ProfileValue::Text(text)) if Email::is_plausible(text) => None,
        (ProfileField::Email, _) => Some("an e-mail address"),
        (ProfileField::Gender, ProfileValue::Text(text)) if matches!(text.as_str(), "m" | "f") => None,
        (ProfileField::Gender, _) => Some("`m` or `f`; cleared for anything else"),
        (ProfileField::BirthDate, ProfileValue::Date(_)) => None,
        (ProfileField::BirthDate, _) => Some("a date"),
        (ProfileField::OptedIn, ProfileValue::Flag(_)) => None,
        (ProfileField::OptedIn, _) => Some("yes or no"),
        (ProfileField::Country, ProfileValue::Text(text)) if is_alpha_3(text) => None,
        (ProfileField::Country, _) => Some("a country in three capitals, such as USA"),
        (ProfileField::PhoneNumbers, ProfileValue::Phones(_)) => None,
        (ProfileField::PhoneNumbers, _) => Some("phone numbers"),
        (ProfileField::Custom(_), ProfileValue::Phones(_)) => Some("a text, a date, a number, or yes or no"),
        (ProfileField::Custom(_), _) => None,
        (_, ProfileValue::Text(text)) if !text.trim().is_empty() => None,
        (_, _) => Some("a text with something in it"),
    };
    match expected {
        None => Ok(()),
        Some(expected) => Err(Error::new(ErrorKind::Invalid, "the field cannot hold this value")
            .with_context("field", field)
            .with_context("expected", expected)),
    }
}

fn is_alpha_3(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_name_parses_back() {
        for field in ProfileField::NATIVE {
            assert_eq!(field.to_string().parse::<ProfileField>().unwrap(), *field);
        }
        assert_eq!("custom:shirt".parse::<ProfileField>().unwrap(), ProfileField::Custom("shirt".into()));
        assert!("custom:".parse::<ProfileField>().is_err() && "shirt".parse::<ProfileField>().is_err());
    }

    #[test]
    fn what_sessionm_sets_itself_cannot_be_edited() {
        for field in ProfileField::NATIVE {
            let editable = field.mutability() != Mutability::ReadOnly;
            let value: ProfileValue = match field {
                ProfileField::BirthDate => NaiveDate::from_ymd_opt(1988, 3, 14).unwrap().into(),
                ProfileField::OptedIn => true.into(),
                ProfileField::PhoneNumbers => Vec::new().into(),
                ProfileField::Email => "a@b.example".into(),
                ProfileField::Gender => "f".into(),
                ProfileField::Country => "USA".into(),
                _ => "x".into(),
            };
            assert_eq!(ProfileEdit::new().set(field.clone(), value).is_ok(), editable, "{field}");
        }
        assert!(ProfileEdit::new().set(ProfileField::Custom("_version".into()), "1").is_err());
    }

    #[test]
    fn unfit_values_are_refused_without_being_repeated() {
        for (field, value) in [
            (ProfileField::Email, "mara at x"),
            (ProfileField::Gender, "maral"),
            (ProfileField::Country, "mara"),
            (ProfileField::BirthDate, "mara"),
            (ProfileField::FirstName, " "),
        ] {
            let error = ProfileEdit::new().set(field, value).unwrap_err();
            assert!(!error.to_string().contains("mara"), "{error}");
        }
    }

    #[test]
    fn keys_and_the_opt_in_cannot_be_cleared() {
        for field in [ProfileField::Email, ProfileField::ExternalId, ProfileField::OptedIn] {
            assert!(ProfileEdit::new().clear(field).is_err());
        }
        assert!(ProfileEdit::new().clear(ProfileField::FirstName).is_ok());
    }

    #[test]
    fn debug_shows_names_of_fields_but_no_value() {
        let edit = ProfileEdit::new().set(ProfileField::FirstName, "Mara").unwrap();
        let shown = format!("{edit:?} {:?}", edit.get(&ProfileField::FirstName));
        assert!(shown.contains("first_name") && !shown.contains("Mara"), "{shown}");
    }
}
