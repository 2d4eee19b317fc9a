//! What becomes of 29 February in years that have none.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// When somebody born or hired on 29 February is celebrated in a year without that day; in a leap year always on it.
///
/// The words are those of RFC 7529's `SKIP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeapDay {
    /// On 28 February: stays in the month, and nobody waits four years. The default.
    #[default]
    Backward,
    /// On 1 March, which some jurisdictions take as the legal birthday.
    Forward,
    /// Not at all in that year.
    Omit,
}

impl LeapDay {
    /// The day on which `month` and `day` are observed in `year`. `None` for a day that no calendar has, and for
    /// 29 February under [`LeapDay::Omit`] in a year without it.
    ///
    /// ```
    /// use hris_campaigns::LeapDay;
    /// let day = |policy: LeapDay| policy.observe(2, 29, 2025).map(|day| day.to_string());
    /// assert_eq!(day(LeapDay::Backward).as_deref(), Some("2025-02-28"));
    /// assert_eq!(day(LeapDay::Forward).as_deref(), Some("2025-03-01"));
    /// assert_eq!(day(LeapDay::Omit), None);
    /// ```
    pub fn observe(self, month: u32, day: u32, year: i32) -> Option<NaiveDate> {
        let same = NaiveDate::from_ymd_opt(year, month, day);
        if same.is_some() || (month, day) != (2, 29) {
            return same;
        }
        match self {
            Self::Backward => NaiveDate::from_ymd_opt(year, 2, 28),
            Self::Forward => NaiveDate::from_ymd_opt(year, 3, 1),
            Self::Omit => None,
        }
    }
}
