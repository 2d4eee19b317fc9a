//! Which years of service a campaign celebrates, and which of two campaigns is the more specific.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A set of years of service. Anniversary 0 is the start day itself and belongs to the new-hire campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestones {
    /// Every year from the first on.
    #[default]
    Every,
    /// Every year from this one on.
    From(u16),
    /// Every so many years: 5 means 5, 10, 15 and so on.
    EveryN(u16),
    /// These years.
    Years(BTreeSet<u16>),
}

impl Milestones {
    /// These years.
    pub fn years(years: impl IntoIterator<Item = u16>) -> Self {
        Self::Years(years.into_iter().collect())
    }

    /// Whether the `n`th anniversary is celebrated.
    ///
    /// ```
    /// use hris_campaigns::Milestones;
    /// assert!(!Milestones::Every.contains(0));
    /// assert!(Milestones::EveryN(5).contains(10) && !Milestones::EveryN(5).contains(11));
    /// ```
    pub fn contains(&self, n: u16) -> bool {
        n >= 1
            && match self {
                Self::Every => true,
                Self::From(first) => n >= *first,
                Self::EveryN(step) => *step > 0 && n.is_multiple_of(*step),
                Self::Years(years) => years.contains(&n),
            }
    }

    /// Whether no year is in the set.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Every | Self::From(_) => false,
            Self::EveryN(step) => *step == 0,
            Self::Years(years) => years.iter().all(|year| *year == 0),
        }
    }

    /// How narrowly the set is named. Where two campaigns contain the same year, the higher one wins.
    pub(crate) fn specificity(&self) -> u8 {
        match self {
            Self::Every => 0,
            Self::From(_) => 1,
            Self::EveryN(_) => 2,
            Self::Years(_) => 3,
        }
    }

    /// A year that both contain, if there is one within a working life.
    pub(crate) fn shared(&self, other: &Self) -> Option<u16> {
        const LONGEST: u16 = 100;
        (1..=LONGEST).find(|n| self.contains(*n) && other.contains(*n))
    }
}
