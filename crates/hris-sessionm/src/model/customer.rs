//! A customer: profile, standing, tiers and balances.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use hris_core::Email;

use super::{CustomerId, CustomerRef, ExternalId, Hidden, PointAccountId, Points, RawFields};

/// What the desk says about somebody's part in the loyalty programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Enrolment {
    /// SessionM answered that there is no such customer: "User is not enrolled".
    NotFound,
    /// The customer exists and does not take part (`opted_in` is false).
    Created,
    /// The customer takes part.
    Enrolled,
}

impl Enrolment {
    /// The state of a look-up's answer.
    pub fn of(found: Option<&Customer>) -> Self {
        match found {
            None => Self::NotFound,
            Some(customer) if customer.opted_in => Self::Enrolled,
            Some(_) => Self::Created,
        }
    }
}

/// A member's standing; the desk's *Member Status*.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountStatus {
    /// `good`.
    Good,
    /// `multi`: has several accounts.
    MultipleAccounts,
    /// `reported`.
    Reported,
    /// `vol`: suspended at the member's own wish.
    VoluntarilySuspended,
    /// `rev`: a report was reviewed.
    Reviewed,
    /// `tos`: breached the terms.
    TermsBreached,
    /// `unverified`.
    Unverified,
    /// `warn`.
    Warned,
    /// `unknown`, or no status.
    Unknown,
    /// A word that this crate does not know.
    Other(String),
}

impl AccountStatus {
    /// SessionM's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Good => "good",
            Self::MultipleAccounts => "multi",
            Self::Reported => "reported",
            Self::VoluntarilySuspended => "vol",
            Self::Reviewed => "rev",
            Self::TermsBreached => "tos",
            Self::Unverified => "unverified",
            Self::Warned => "warn",
            Self::Unknown => "unknown",
            Self::Other(word) => word,
        }
    }

    pub(crate) fn read(word: Option<&str>) -> Self {
        let Some(word) = word else { return Self::Unknown };
        match word.to_ascii_lowercase().as_str() {
            "good" => Self::Good,
            "multi" => Self::MultipleAccounts,
            "reported" => Self::Reported,
            "vol" => Self::VoluntarilySuspended,
            "rev" => Self::Reviewed,
            "tos" => Self::TermsBreached,
            "unverified" => Self::Unverified,
            "warn" => Self::Warned,
            "unknown" | "" => Self::Unknown,
            _ => Self::Other(word.to_owned()),
        }
    }
}

/// A phone number. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phone {
    /// The number as written.
    pub number: String,
    /// Such as `mobile`.
    pub kind: Option<String>,
    /// Such as `primary`.
    pub flags: Vec<String>,
    /// Whether somebody checked that it is the customer's.
    pub verified: bool,
}

impl Phone {
    /// A number of a kind, `mobile` for example.
    pub fn new(number: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { number: number.into(), kind: Some(kind.into()), flags: Vec::new(), verified: false }
    }

    /// Adds a flag such as `primary`.
    #[must_use]
    pub fn with_flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").field("kind", &self.kind).field("flags", &self.flags).finish_non_exhaustive()
    }
}

/// One external id of a customer; there may be several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Identifier {
    /// The id.
    pub external_id: ExternalId,
    /// The label of its id system.
    pub kind: Option<String>,
}

/// One row of the desk's points table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balance {
    /// The account.
    pub account: PointAccountId,
    /// *Account Name*.
    pub name: String,
    /// A label that groups accounts, if the organisation uses them.
    pub group: Option<String>,
    /// *Available Balance*.
    pub available: Points,
    /// *Life Time Value*: points ever received.
    pub lifetime: Points,
}

/// A customer's points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balances {
    /// Points over all accounts.
    pub total: Points,
    /// Points ever received over all accounts.
    pub lifetime: Points,
    /// One row an account, those without points too.
    pub accounts: Vec<Balance>,
}

impl Balance {
    /// A row; for mocks.
    pub fn new(
        account: impl Into<PointAccountId>,
        name: impl Into<String>,
        available: Points,
        lifetime: Points,
    ) -> Self {
        Self { account: account.into(), name: name.into(), group: None, available, lifetime }
    }
}

impl Balances {
    /// The balances of accounts, with their sums; for mocks.
    pub fn of(accounts: Vec<Balance>) -> Self {
        Self {
            total: accounts.iter().map(|account| account.available).sum(),
            lifetime: accounts.iter().map(|account| account.lifetime).sum(),
            accounts,
        }
    }

    /// What can be spent: the accounts above zero.
    pub fn spendable(&self) -> Points {
        let positive =
            self.accounts.iter().map(|account| account.available).filter(|points| points.is_positive());
        positive.sum()
    }

    /// The row of an account.
    pub fn account(&self, account: &PointAccountId) -> Option<&Balance> {
        self.accounts.iter().find(|balance| balance.account == *account)
    }
}

/// A tier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierLevel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its rank, 0 for the lowest.
    pub rank: Option<i64>,
}

/// A customer's place in one tier system; there may be several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStanding {
    /// The tier system.
    pub system_id: String,
    /// The tier.
    pub level: Option<TierLevel>,
    /// The next tier, unless this is the highest.
    pub next: Option<TierLevel>,
    /// Since when.
    pub joined_at: Option<DateTime<Utc>>,
}

/// A customer as one full read tells it. `Debug` shows ids and flags, and nothing personal.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Customer {
    /// SessionM's own id.
    pub id: CustomerId,
    /// The external id that was written last.
    pub external_id: Option<ExternalId>,
    /// Every external id.
    pub identifiers: Vec<Identifier>,
    /// E-mail address.
    pub email: Option<Email>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Gender, `m` or `f`; none is "Unknown" on the desk.
    pub gender: Option<String>,
    /// Date of birth.
    pub birth_date: Option<NaiveDate>,
    /// First line of the address.
    pub address: Option<String>,
    /// Second line of the address.
    pub address2: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// State or region.
    pub state: Option<String>,
    /// Postal code.
    pub zip: Option<String>,
    /// Country, in three letters.
    pub country: Option<String>,
    /// Language tag.
    pub locale: Option<String>,
    /// Phone numbers.
    pub phones: Vec<Phone>,
    /// Whether the customer takes part in the loyalty programme.
    pub opted_in: bool,
    /// Whether the account is activated.
    pub activated: Option<bool>,
    /// Whether the customer is suspended, whatever the status says.
    pub suspended: bool,
    /// The member's standing.
    pub status: AccountStatus,
    /// Whether this is an account for tests.
    pub is_test: bool,
    /// The customer's own referral code.
    pub referrer_code: Option<String>,
    /// When the customer was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When the customer was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// When the customer registered.
    pub registered_at: Option<DateTime<Utc>>,
    /// Name of the tier, as shown.
    pub tier: Option<String>,
    /// Name of its tier system.
    pub tier_system: Option<String>,
    /// Points towards the tier.
    pub tier_points: Option<Points>,
    /// Points that the next tier needs; none at the top.
    pub next_tier_points: Option<Points>,
    /// When the tier was reached.
    pub tier_entered_at: Option<DateTime<Utc>>,
    /// When the tier starts anew.
    pub tier_resets_at: Option<DateTime<Utc>>,
    /// Every tier system.
    pub tiers: Vec<TierStanding>,
    /// Points, where they were read with the profile.
    pub balances: Option<Balances>,
    /// Points that can be spent, as the profile has them.
    pub available_points: Option<Points>,
    /// The organisation's own fields.
    pub user_profile: RawFields,
    /// The lifetime value in money, where settings name the field that has it.
    pub lifetime_spend: Option<Points>,
}

impl Customer {
    /// A customer with an id and nothing else, not suspended and not enrolled; for mocks.
    pub fn new(id: impl Into<CustomerId>) -> Self {
        Self {
            id: id.into(),
            external_id: None,
            identifiers: Vec::new(),
            email: None,
            first_name: None,
            last_name: None,
            gender: None,
            birth_date: None,
            address: None,
            address2: None,
            city: None,
            state: None,
            zip: None,
            country: None,
            locale: None,
            phones: Vec::new(),
            opted_in: false,
            activated: None,
            suspended: false,
            status: AccountStatus::Unknown,
            is_test: false,
            referrer_code: None,
            created_at: None,
            updated_at: None,
            registered_at: None,
            tier: None,
            tier_system: None,
            tier_points: None,
            next_tier_points: None,
            tier_entered_at: None,
            tier_resets_at: None,
            tiers: Vec::new(),
            balances: None,
            available_points: None,
            user_profile: RawFields::default(),
            lifetime_spend: None,
        }
    }

    /// The reference that calls about this customer take.
    pub fn reference(&self) -> CustomerRef {
        CustomerRef::new(self.id.clone()).with_external_id(self.external_id.clone())
    }

    /// Whether an external id is one of this customer's.
    pub fn has_external_id(&self, external_id: &ExternalId) -> bool {
        self.external_id.as_ref() == Some(external_id)
            || self.identifiers.iter().any(|identifier| identifier.external_id == *external_id)
    }

    /// Points ever received, where they were read.
    pub fn lifetime_points(&self) -> Option<Points> {
        self.balances.as_ref().map(|balances| balances.lifetime)
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("first_name", &self.first_name.as_ref().map(|_| Hidden))
            .field("last_name", &self.last_name.as_ref().map(|_| Hidden))
            .field("opted_in", &self.opted_in)
            .field("suspended", &self.suspended)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// One customer that a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomerHit {
    /// SessionM's own id.
    pub id: CustomerId,
    /// The external id, if the search tells it.
    pub external_id: Option<ExternalId>,
    /// The address, if the search tells it.
    pub email: Option<Email>,
    /// Name of the tier, if the search tells it.
    pub tier: Option<String>,
}

impl CustomerHit {
    /// A customer as a search tells it.
    pub fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id.clone(),
            external_id: customer.external_id.clone(),
            email: customer.email.clone(),
            tier: customer.tier.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_customer_shows_nothing_personal() {
        let mut customer = Customer::new("c1");
        customer.first_name = Some("Mara".to_owned());
        customer.email = Email::parse("mara@x.example");
        customer.external_id = ExternalId::parse("mara-417");
        customer.phones.push(Phone::new("6035550147", "mobile"));
        let shown = format!("{customer:?} {:?} {:?}", customer.phones, customer.reference());
        assert!(!shown.contains("ara") && !shown.contains("0147"), "{shown}");
    }

    #[test]
    fn an_unknown_status_is_kept() {
        assert_eq!(AccountStatus::read(Some("GOOD")), AccountStatus::Good);
        assert_eq!(AccountStatus::read(Some("frozen")), AccountStatus::Other("frozen".to_owned()));
        assert_eq!(AccountStatus::read(None), AccountStatus::Unknown);
    }

    #[test]
    fn not_found_created_and_enrolled_are_three_states() {
        let mut customer = Customer::new("c1");
        assert_eq!(Enrolment::of(None), Enrolment::NotFound);
        assert_eq!(Enrolment::of(Some(&customer)), Enrolment::Created);
        customer.opted_in = true;
        assert_eq!(Enrolment::of(Some(&customer)), Enrolment::Enrolled);
    }
}
