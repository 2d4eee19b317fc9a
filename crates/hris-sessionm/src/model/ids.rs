//! SessionM's identifiers as types of their own, so that an offer's version is never taken for an issued copy of it.

use std::fmt;
use std::hash::{Hash, Hasher};

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A GUID as text. Systems differ in its case: compared without regard to it, sent back as it came.
        #[derive(Clone)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text, without white space around it.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().trim().into())
            }

            /// The text as it came.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.to_ascii_lowercase().hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.to_ascii_lowercase().cmp(&other.0.to_ascii_lowercase())
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

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

guid! {
    /// SessionM's own id of a customer; never changes.
    CustomerId
}
guid! {
    /// One kind of points that customers have an account of.
    PointAccountId
}
guid! {
    /// Where awarded points come from, such as "Service comp".
    PointSourceId
}
guid! {
    /// One *version* of an offer; it changes with every revision.
    OfferId
}
guid! {
    /// The stable identity of an offer over its revisions; the one to store.
    RootOfferId
}
guid! {
    /// One issued copy of an offer in one customer's wallet: what is viewed, revoked, redeemed and extended.
    UserOfferId
}
guid! {
    /// A reward store.
    RewardStoreId
}
guid! {
    /// One priced offer of a reward store: what is purchased.
    RewardStoreOfferId
}

/// An id that the organisation gave a customer, for example the record id in its CRM.
///
/// Compared exactly as text. `Debug` hides it, since some organisations use e-mail addresses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(Box<str>);

impl ExternalId {
    /// Trims the text; `None` if nothing is left.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(…)")
    }
}

/// Who is meant, in every call about one customer.
///
/// Both ids, since Connect may be set up to go by either. [`Customer::reference`](crate::Customer::reference) makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomerRef {
    id: CustomerId,
    external_id: Option<ExternalId>,
}

impl CustomerRef {
    /// A customer by SessionM's id.
    pub fn new(id: impl Into<CustomerId>) -> Self {
        Self { id: id.into(), external_id: None }
    }

    /// Adds the external id, which is needed where settings say that Connect goes by it.
    #[must_use]
    pub fn with_external_id(mut self, external_id: Option<ExternalId>) -> Self {
        self.external_id = external_id;
        self
    }

    /// SessionM's id.
    pub fn id(&self) -> &CustomerId {
        &self.id
    }

    /// The external id, where it is known.
    pub fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_compared_without_case_and_kept_as_they_came() {
        let upper = UserOfferId::from("D1E2F3A4-B5C6-4D7E-8F90-A1B2C3D4E5F6");
        let lower = UserOfferId::from(" d1e2f3a4-b5c6-4d7e-8f90-a1b2c3d4e5f6 ");
        assert_eq!(upper, lower);
        assert_eq!(upper.cmp(&lower), std::cmp::Ordering::Equal);
        assert_eq!(std::collections::HashSet::from([upper.clone(), lower]).len(), 1);
        assert!(upper.as_str().starts_with("D1E2"));
    }

    #[test]
    fn external_ids_are_compared_exactly_and_hidden() {
        assert_ne!(ExternalId::parse("00123"), ExternalId::parse("123"));
        assert_eq!(ExternalId::parse("  "), None);
        assert!(!format!("{:?}", ExternalId::parse("mara@x.example")).contains("mara"));
    }
}
