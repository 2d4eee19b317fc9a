//! A field that tells absent, null and value apart, since "not delivered" must never clear anything.

/// What a source said about one field.
///
/// * `Absent`: the vendor did not deliver the field; what is known about it stays.
/// * `Null`: the vendor says there is no value; an optional attribute is cleared.
/// * `Value`: the value.
///
/// ```
/// use hris_core::Field;
/// let department = Field::from_option(Some("Sales"));
/// assert_eq!(department.value(), Some(&"Sales"));
/// assert!(Field::<&str>::default().is_absent());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// Not delivered.
    #[default]
    Absent,
    /// Delivered as "no value".
    Null,
    /// Delivered.
    Value(T),
}

impl<T> Field<T> {
    /// `Some` becomes `Value`, `None` becomes `Null`.
    pub fn from_option(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value by move, if there is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Whether the field was not delivered.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Changes the value, keeping absent and null.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(change(value)),
        }
    }

    /// Borrows the value, keeping absent and null.
    pub fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(value),
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}
