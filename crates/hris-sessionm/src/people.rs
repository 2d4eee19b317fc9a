//! Who is looked up, searched for and created.

use std::fmt;

use hris_core::Email;

use crate::model::Hidden;
use crate::{ExternalId, Paging, ProfileEdit};

/// The keys that a CRM record has of its customer. A look-up uses the one that the settings name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParentKeys {
    /// The external id on the record.
    pub external_id: Option<ExternalId>,
    /// The e-mail address on the record.
    pub email: Option<Email>,
}

impl ParentKeys {
    /// A record's external id alone.
    pub fn external_id(text: &str) -> Self {
        Self { external_id: ExternalId::parse(text), email: None }
    }

    /// A record's e-mail address alone.
    pub fn email(text: &str) -> Self {
        Self { external_id: None, email: Email::parse(text) }
    }

    /// Adds an e-mail address; one that is none counts as missing.
    #[must_use]
    pub fn with_email(mut self, text: &str) -> Self {
        self.email = Email::parse(text);
        self
    }
}

/// What customers are searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchBy {
    /// E-mail address.
    Email(Email),
    /// External id.
    ExternalId(ExternalId),
    /// Mobile number.
    MobileNumber(PhoneText),
    /// E-mail address and phone number together.
    EmailAndPhone(Email, PhoneText),
}

/// A phone number to search by. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneText(String);

impl PhoneText {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn trim(&self) -> &str {
        self.0.trim()
    }
}

impl fmt::Debug for PhoneText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneText(…)")
    }
}

/// A customer to create. `Debug` shows the names of the fields only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCustomer {
    /// The external id.
    pub external_id: Option<ExternalId>,
    /// The e-mail address.
    pub email: Option<Email>,
    /// Whether the customer takes part in the loyalty programme. Always sent.
    pub opted_in: bool,
    /// The referral code of whoever brought the customer.
    pub referral_code: Option<String>,
    /// The rest of the profile.
    pub profile: ProfileEdit,
}

impl NewCustomer {
    /// A customer with the keys of a record, enrolled.
    pub fn enrolled(keys: ParentKeys) -> Self {
        Self {
            external_id: keys.external_id,
            email: keys.email,
            opted_in: true,
            referral_code: None,
            profile: ProfileEdit::new(),
        }
    }

    /// A customer with the keys of a record that does not take part in the loyalty programme.
    pub fn created_only(keys: ParentKeys) -> Self {
        Self { opted_in: false, ..Self::enrolled(keys) }
    }

    /// Adds the referral code of whoever brought the customer.
    #[must_use]
    pub fn with_referral_code(mut self, code: impl Into<String>) -> Self {
        self.referral_code = Some(code.into());
        self
    }

    /// Adds the rest of the profile.
    #[must_use]
    pub fn with_profile(mut self, profile: ProfileEdit) -> Self {
        self.profile = profile;
        self
    }

    /// The keys.
    pub fn keys(&self) -> ParentKeys {
        ParentKeys { external_id: self.external_id.clone(), email: self.email.clone() }
    }
}

impl fmt::Debug for NewCustomer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCustomer")
            .field("external_id", &self.external_id)
            .field("email", &self.email)
            .field("opted_in", &self.opted_in)
            .field("referral_code", &self.referral_code.as_ref().map(|_| Hidden))
            .field("profile", &self.profile)
            .finish()
    }
}

/// Which rewards are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RewardQuery {
    /// Page and search text.
    pub paging: Paging,
    /// Only those that the balance affords.
    pub affordable_only: bool,
}

impl RewardQuery {
    /// Those that the balance affords, as the desk shows them.
    pub fn affordable(paging: Paging) -> Self {
        Self { paging, affordable_only: true }
    }

    /// All of them.
    pub fn all(paging: Paging) -> Self {
        Self { paging, affordable_only: false }
    }
}

/// Which part of a timeline is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineQuery {
    /// Only events of these types, by slug; all if empty.
    pub event_types: Vec<String>,
    /// Events a page; the settings' number if not given.
    pub page_size: Option<u32>,
}

impl TimelineQuery {
    /// Everything, in pages of the settings' size.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only events of a type, by slug, beside those named before.
    #[must_use]
    pub fn of_type(mut self, slug: impl Into<String>) -> Self {
        self.event_types.push(slug.into());
        self
    }

    /// Another page size.
    #[must_use]
    pub fn in_pages_of(mut self, events: u32) -> Self {
        self.page_size = Some(events.clamp(1, 1000));
        self
    }
}
