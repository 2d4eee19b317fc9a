//! Numbers of points: decimal throughout, from the text of the answer to the text of the request.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use hris_core::{Error, ErrorKind};
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A number of points, whole or with decimals, exact to 28 digits. Never floating point.
///
/// Differences such as a spend are negative.
///
/// ```
/// use hris_sessionm::Points;
/// let balance: Points = "164.5".parse()?;
/// assert_eq!((balance + Points::from(40)).to_string(), "204.5");
/// assert!("1e400".parse::<Points>().is_err());
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(Decimal);

impl Points {
    /// None.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// This many times so many points; `None` beyond what can be held.
    pub fn times(self, count: u32) -> Option<Self> {
        self.0.checked_mul(count.into()).map(Self)
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = Decimal::from_str_exact(text).ok();
        plain.or_else(|| Decimal::from_scientific(text).ok()).map(|decimal| Self(decimal.normalize()))
    }
}

impl FromStr for Points {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "this is no number of points")
                .with_hint("write digits, with a point before decimals: 40 or 12.5")
        })
    }
}

impl From<u32> for Points {
    fn from(points: u32) -> Self {
        Self(points.into())
    }
}

impl From<i32> for Points {
    fn from(points: i32) -> Self {
        Self(points.into())
    }
}

impl std::ops::Add for Points {
    type Output = Self;

    /// Stops at the largest number that can be held.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Points {
    type Output = Self;

    /// Stops at the smallest number that can be held.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(Self::ZERO, |sum, points| sum + points)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl Serialize for Points {
    /// A JSON number with exactly these digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Points {
    /// From a JSON number or a text with one in it, by its digits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(raw.get().trim_matches('"')).ok_or_else(|| D::Error::custom("no number of points"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_numbers_in_text_are_read_by_their_digits() {
        for (json, expected) in [
            ("164.5", "164.5"),
            ("\"1.0\"", "1"),
            ("0", "0"),
            ("-20", "-20"),
            ("0.1", "0.1"),
            ("1e3", "1000"),
            ("1.5E2", "150"),
            ("9007199254740993", "9007199254740993"),
            ("12345678901234567890.12345678", "12345678901234567890.12345678"),
        ] {
            let points: Points = serde_json::from_str(json).unwrap();
            assert_eq!(points.to_string(), expected, "{json}");
        }
        for json in ["\"\"", "\"many\"", "true", "{}", "1e400", "99999999999999999999999999999999999"] {
            assert!(serde_json::from_str::<Points>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn absent_points_are_none() {
        assert_eq!(serde_json::from_str::<Option<Points>>("null").unwrap(), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_exactly(mantissa in -(1_i64 << 60)..1_i64 << 60, scale in 0_u32..12) {
            let points = Points(Decimal::new(mantissa, scale));
            let json = serde_json::to_string(&points).unwrap();
            prop_assert!(!json.contains(['e', 'E', '"']));
            prop_assert_eq!(serde_json::from_str::<Points>(&json).unwrap(), points);
        }
    }
}
