//! One person of the sample population, as the HR system knows them, and how their vendor row may be broken.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::oddity::{Oddity, OdditySet};

/// A person's employment status in vendor-neutral words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum PersonStatus {
    /// Employed and working.
    #[default]
    Active,
    /// Employed and absent for longer (parental, sick or unpaid leave).
    OnLeave,
    /// Hired; the start date lies ahead.
    Pending,
    /// No longer employed.
    Inactive,
    /// A status word that no table knows, as the vendor would send it.
    Odd(String),
}

impl PersonStatus {
    /// The oddity that this status alone makes a person carry.
    fn oddity(&self) -> Option<Oddity> {
        match self {
            Self::Active => None,
            Self::OnLeave => Some(Oddity::OnLeave),
            Self::Pending => Some(Oddity::PreHire),
            Self::Inactive => Some(Oddity::Leaver),
            Self::Odd(_) => Some(Oddity::UnknownStatus),
        }
    }
}

/// How a simulator breaks a person's row. The person's own fields stay whole: they are the truth behind the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Malformation {
    /// The record id is left out.
    NoRecordId,
    /// The record id is present and empty.
    RecordIdBlank,
    /// The record id has another JSON type, such as an object or an array.
    RecordIdWrongType,
    /// The first name is a number.
    NameIsNumber,
    /// The birth date is 30 February 2023.
    BirthDateImpossible,
    /// The start date is a word.
    StartDateNotADate,
    /// The e-mail address has no `@`.
    EmailNotAnEmail,
    /// The status has another JSON type, such as an object or an array.
    StatusWrongType,
    /// In place of the row stands something that is no object, such as a number or a text.
    RowIsNotAnObject,
}

impl Malformation {
    /// Every kind, once each, in declaration order.
    pub const ALL: [Self; 9] = [
        Self::NoRecordId,
        Self::RecordIdBlank,
        Self::RecordIdWrongType,
        Self::NameIsNumber,
        Self::BirthDateImpossible,
        Self::StartDateNotADate,
        Self::EmailNotAnEmail,
        Self::StatusWrongType,
        Self::RowIsNotAnObject,
    ];

    /// Whether a reader cannot even tell whose row it is.
    pub fn hides_record_id(self) -> bool {
        matches!(
            self,
            Self::NoRecordId | Self::RecordIdBlank | Self::RecordIdWrongType | Self::RowIsNotAnObject
        )
    }
}

/// How a simulator renders the fields of a person that are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gap {
    /// The key is present and its value is null.
    #[default]
    Null,
    /// The key is left out.
    LeftOut,
    /// The key is present and its value is empty text, dates included.
    EmptyText,
}

/// One invented person. `Debug` shows ids only, so that failing tests print no personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The vendor's immutable id: the text of a uuid in lower case.
    pub record_id: String,
    /// The mutable number shown in the user interface: decimal text such as `1004`, never letters. Blank text
    /// stands for a field that somebody emptied.
    pub employee_number: Option<String>,
    /// Given name, in Unicode; NFC except for [`Oddity::CombiningMarkName`].
    pub first_name: Option<String>,
    /// Family name, in Unicode; NFC except for [`Oddity::CombiningMarkName`].
    pub last_name: Option<String>,
    /// Second family name, where the country uses one.
    pub second_last_name: Option<String>,
    /// Address at the employer, in a domain that ends in `.example`.
    pub work_email: Option<String>,
    /// Private address, in a domain that ends in `.example`.
    pub personal_email: Option<String>,
    /// Calendar date of birth.
    pub birth_date: Option<NaiveDate>,
    /// First day of the current employment; after a return the day of the return.
    pub start_date: Option<NaiveDate>,
    /// First day of the first employment; differs from [`Person::start_date`] only after a return.
    pub original_start_date: Option<NaiveDate>,
    /// Last day of employment, past or planned.
    pub end_date: Option<NaiveDate>,
    /// Employment status.
    pub status: PersonStatus,
    /// Department name in English.
    pub department: Option<String>,
    /// City of the office.
    pub location: Option<String>,
    /// Job title in English.
    pub job_title: Option<String>,
    /// International format with spaces, in ranges that no subscriber has.
    pub phone: Option<String>,
    /// `female`, `male` or `non-binary`.
    pub gender: Option<String>,
    /// ISO 3166-1 alpha-2 code, such as `ES`.
    pub country: Option<String>,
    /// Record id of the manager; may point to somebody who has left or to nobody.
    pub manager: Option<String>,
    /// The customer's own fields: `shirt_size` (`S` to `XL`), `benefit_date` (text, DD/MM/YYYY).
    pub custom: BTreeMap<String, String>,
    /// When the record was made, by the HR system's clock.
    pub created_at: DateTime<Utc>,
    /// When the record was last changed, by the HR system's clock; several records may share one stamp.
    pub modified_at: DateTime<Utc>,
    /// How the row is broken; `None` for a sound row.
    pub malformed: Option<Malformation>,
    /// How fields that are `None` are rendered.
    pub gaps: Gap,
    /// Vanished from the listing.
    pub deleted: bool,
    /// What is awkward about this person.
    pub oddities: OdditySet,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("record_id", &self.record_id)
            .field("employee_number", &self.employee_number)
            .finish_non_exhaustive()
    }
}

impl Person {
    /// Whether the person carries an oddity.
    pub fn is(&self, oddity: Oddity) -> bool {
        self.oddities.contains(oddity)
    }

    /// Whether the person stands in the vendor's listing.
    pub fn is_listed(&self) -> bool {
        !self.deleted
    }

    /// Whether the status is one with which an account is created: active or on leave.
    pub fn is_employed(&self) -> bool {
        matches!(self.status, PersonStatus::Active | PersonStatus::OnLeave)
    }

    /// The employee number as two records would be compared by it: the exact text, `None` where blank.
    pub fn number_key(&self) -> Option<&str> {
        self.employee_number.as_deref().filter(|number| !number.trim().is_empty())
    }

    /// The work e-mail address as two records would be compared by it: in lower case, `None` where blank.
    pub fn email_key(&self) -> Option<Cow<'_, str>> {
        let email = self.work_email.as_deref().map(str::trim).filter(|email| !email.is_empty())?;
        let has_capitals = email.bytes().any(|byte| byte.is_ascii_uppercase());
        Some(if has_capitals { Cow::Owned(email.to_ascii_lowercase()) } else { Cow::Borrowed(email) })
    }

    /// Sets the status and keeps the oddities that follow from a status in step with it.
    pub(super) fn set_status(&mut self, status: PersonStatus) {
        if let Some(oddity) = self.status.oddity() {
            self.oddities.remove(oddity);
        }
        if let Some(oddity) = status.oddity() {
            self.oddities.insert(oddity);
        }
        self.status = status;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_ids_and_nothing_personal() {
        let person = Person {
            record_id: "rec-1".into(),
            employee_number: Some("1004".into()),
            first_name: Some("Canary".into()),
            work_email: Some("canary@post.example".into()),
            birth_date: NaiveDate::from_ymd_opt(1991, 7, 31),
            status: PersonStatus::Odd("canary".into()),
            ..Person::default()
        };
        let shown = format!("{person:?}");
        assert!(shown.contains("rec-1") && shown.contains("1004"));
        assert!(!shown.to_lowercase().contains("canary") && !shown.contains("1991"), "{shown}");
    }

    #[test]
    fn blank_numbers_and_addresses_have_no_key() {
        let blank = Person {
            employee_number: Some("  ".into()),
            work_email: Some(String::new()),
            ..Person::default()
        };
        assert_eq!(blank.number_key(), None);
        assert_eq!(blank.email_key(), None);
        assert_eq!(Person::default().number_key(), None);
    }

    #[test]
    fn addresses_that_differ_in_case_have_one_key_and_numbers_with_zeros_do_not() {
        let with = |email: &str, number: &str| Person {
            work_email: Some(email.into()),
            employee_number: Some(number.into()),
            ..Person::default()
        };
        let (a, b) = (with("Ana@mill.example", "0123"), with("ana@mill.example", "123"));
        assert_eq!(a.email_key(), b.email_key());
        assert_ne!(a.number_key(), b.number_key());
    }

    #[test]
    fn a_status_carries_its_oddity_along() {
        let mut person = Person::default();
        person.set_status(PersonStatus::OnLeave);
        assert!(person.is(Oddity::OnLeave));
        person.set_status(PersonStatus::Inactive);
        assert!(person.is(Oddity::Leaver) && !person.is(Oddity::OnLeave));
        person.set_status(PersonStatus::Active);
        assert!(person.oddities.is_empty());
    }
}
