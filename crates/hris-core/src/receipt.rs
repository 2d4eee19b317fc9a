//! The receipt that ends a reading: whose directory it was, how complete, and which removals it may justify.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, EmployeeRef, Problem, RecordIdKind};

/// What a reading covers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Everyone in the account.
    Everyone,
    /// Those changed since a watermark of an earlier receipt.
    ChangedSince(Watermark),
    /// Some people.
    People(Vec<EmployeeRef>),
}

/// How far an incremental reading got, by the source's own clock. Opaque to everyone but its connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Watermark {
    /// The instant by the source's clock.
    pub at: DateTime<Utc>,
    /// The vendor's cursor, where it has one.
    pub cursor: Option<String>,
}

impl Watermark {
    /// A watermark at an instant of the source's clock.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self { at, cursor: None }
    }
}

/// Whether a ground of removal may be used, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// It may.
    Usable,
    /// It may not, for this reason.
    Refused(Cow<'static, str>),
}

impl Ground {
    /// Whether it may be used.
    pub fn is_usable(&self) -> bool {
        *self == Self::Usable
    }

    /// Not usable, with the reason.
    pub fn refused(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(why.into())
    }
}

/// The right to draw conclusions from somebody's absence. Only [`ListingEvidence::judge`] grants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AbsenceGround(Ground);

impl AbsenceGround {
    /// Refused, with the reason.
    pub fn refused(why: impl Into<Cow<'static, str>>) -> Self {
        Self(Ground::refused(why))
    }

    /// Whether absence may be used, and why not.
    pub fn ground(&self) -> &Ground {
        &self.0
    }
}

/// What a connector saw of a full listing. All of it must speak for completeness before absence means anything.
///
/// Start from [`ListingEvidence::default`], which proves nothing, and set what was seen.
///
/// ```
/// use hris_core::ListingEvidence;
/// let seen = ListingEvidence {
///     natural_end: true,
///     whole_population: true,
///     vendor_total: Some(3),
///     distinct: 3,
///     ..ListingEvidence::default()
/// };
/// assert!(seen.clone().judge().ground().is_usable());
/// let short = ListingEvidence { distinct: 2, ..seen };
/// assert!(!short.judge().ground().is_usable());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingEvidence {
    /// The vendor's own end marker was seen (last page, no further cursor), not a cap of ours.
    pub natural_end: bool,
    /// The listing covered the whole configured population, leavers included where the vendor keeps them.
    pub whole_population: bool,
    /// The total that the vendor reported last, where it reports one.
    pub vendor_total: Option<u64>,
    /// Distinct record ids seen, rejected rows with a readable id included.
    pub distinct: u64,
    /// Rows whose record id could not even be read.
    pub unidentified: u64,
    /// Anything else that speaks against completeness, in words.
    pub doubts: Vec<String>,
}

impl ListingEvidence {
    /// Grants or refuses the use of absence.
    pub fn judge(self) -> AbsenceGround {
        let reason = if !self.natural_end {
            "the listing did not reach its end".into()
        } else if !self.whole_population {
            "the listing does not cover everyone".into()
        } else if self.unidentified > 0 {
            format!("{} rows had no readable record id", self.unidentified)
        } else if let Some(total) = self.vendor_total.filter(|total| *total != self.distinct) {
            format!("the vendor counts {total} people, {} were seen", self.distinct)
        } else if let Some(doubt) = self.doubts.into_iter().next() {
            doubt
        } else {
            return AbsenceGround(Ground::Usable);
        };
        AbsenceGround::refused(reason)
    }
}

/// The end of a reading. A reading without one broke off, and nobody leaves because of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The account that was read. Another than the connection's is refused.
    pub account: AccountId,
    /// What kind of id the record ids are. Another than the connection's is refused.
    pub record_id_kind: RecordIdKind,
    /// Whether everyone was asked for.
    pub full: bool,
    /// Distinct people delivered, rejected rows with a readable id included.
    pub distinct: u64,
    /// Where the next incremental reading may start.
    pub watermark: Option<Watermark>,
    /// May an inactive status make a leaver?
    pub status: Ground,
    /// May a vendor's tombstone make a leaver?
    pub tombstones: Ground,
    /// May absence be counted towards leaving?
    pub absence: AbsenceGround,
    /// Problems of the reading as a whole.
    pub warnings: Vec<Problem>,
}

impl Receipt {
    /// A receipt whose status may be used, without tombstones, with absence as judged.
    pub fn new(
        account: AccountId,
        record_id_kind: RecordIdKind,
        distinct: u64,
        absence: AbsenceGround,
    ) -> Self {
        Self {
            account,
            record_id_kind,
            full: true,
            distinct,
            watermark: None,
            status: Ground::Usable,
            tombstones: Ground::refused("this source has no trusted tombstones"),
            absence,
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven() -> ListingEvidence {
        ListingEvidence {
            natural_end: true,
            whole_population: true,
            vendor_total: Some(5),
            distinct: 5,
            ..ListingEvidence::default()
        }
    }

    #[test]
    fn each_missing_proof_refuses_absence() {
        assert!(proven().judge().ground().is_usable());
        let flawed = [
            ListingEvidence { natural_end: false, ..proven() },
            ListingEvidence { whole_population: false, ..proven() },
            ListingEvidence { distinct: 4, ..proven() },
            ListingEvidence { unidentified: 1, ..proven() },
            ListingEvidence { doubts: vec!["a page came twice".into()], ..proven() },
            ListingEvidence::default(),
        ];
        for evidence in flawed {
            assert!(!evidence.clone().judge().ground().is_usable(), "{evidence:?}");
        }
    }
}
