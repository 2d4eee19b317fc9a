//! Identifiers as types of their own, so that a tenant is never taken for a person or a record for a member.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text as it is: no trimming, no case change, no parsing to a number.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}

text_id! {
    /// The vendor's immutable id of an employee record. Links are kept on it.
    RecordId
}
text_id! {
    /// The Employee ID that the company uses: the unique id of a member on the rewards side. It can change.
    ///
    /// Compared exactly as text: `00123` and `123` are different people.
    EmployeeId
}
text_id! {
    /// The rewards platform's own id of a member.
    MemberId
}
text_id! {
    /// The HR vendor's id of the company that a credential belongs to.
    AccountId
}
text_id! {
    /// One run of one connection; chosen by the caller and safe to use again (the run is idempotent).
    RunId
}
text_id! {
    /// One stored plan.
    PlanId
}
text_id! {
    /// One action of a plan: a digest of person, kind and content, equal whenever the same action is planned.
    ActionId
}

text_id! {
    /// One gift campaign of a connection.
    CampaignId
}

/// One customer of the application, in whose name connections run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(Arc<str>);

/// One connection of a tenant to one HR account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionKey {
    tenant: TenantId,
    connection: Arc<str>,
}

impl TenantId {
    /// Wraps the text as it is.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ConnectionKey {
    /// The connection `connection` of tenant `tenant`. Every link, plan, receipt and journal entry carries it.
    pub fn new(tenant: impl Into<Arc<str>>, connection: impl Into<Arc<str>>) -> Self {
        Self { tenant: TenantId(tenant.into()), connection: connection.into() }
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The connection's name within its tenant.
    pub fn connection(&self) -> &str {
        &self.connection
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({})", self.0)
    }
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.connection)
    }
}

impl fmt::Debug for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionKey({self})")
    }
}

/// What kind of id a connector uses as [`RecordId`], for example `sesame.employee.id`.
///
/// It is pinned per connection: another kind would look like an entirely new population.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordIdKind(std::borrow::Cow<'static, str>);

impl RecordIdKind {
    /// A kind with a fixed name.
    pub const fn new(name: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who is meant on the HR side: the record, and the Employee ID where it is known.
///
/// Two-fold since one vendor reads a person by the record id and another by the Employee ID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmployeeRef {
    /// The vendor's immutable record id.
    pub record: RecordId,
    /// The company's Employee ID, where known.
    pub employee_id: Option<EmployeeId>,
}

impl EmployeeRef {
    /// A reference by record id alone.
    pub fn record(record: impl Into<RecordId>) -> Self {
        Self { record: record.into(), employee_id: None }
    }
}
