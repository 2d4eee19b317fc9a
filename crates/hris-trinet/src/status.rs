//! What TriNet's status letters mean: a table that a connection may change, letter by letter.

use std::collections::BTreeMap;

use hris_core::EmploymentStatus;
use serde::{Deserialize, Serialize};

/// What a status letter says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meaning {
    /// Works here.
    Active,
    /// Away for a while, with or without pay, or suspended. Leave is not leaving.
    OnLeave,
    /// No longer works here: a leaver.
    Left,
    /// Nobody knows: no change, and a warning.
    Unknown,
}

/// One row of the table: what a letter says, and whether the person is to be left in peace.
///
/// ```
/// use hris_trinet::{Meaning, StatusRule};
/// let deceased = StatusRule::new(Meaning::Left).suppressing_contact();
/// assert!(deceased.suppress_contact);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StatusRule {
    /// What the letter says.
    pub meaning: Meaning,
    /// Whether people with this letter receive no messages at all.
    #[serde(default)]
    pub suppress_contact: bool,
}

impl StatusRule {
    /// A row for people who may be written to.
    pub const fn new(meaning: Meaning) -> Self {
        Self { meaning, suppress_contact: false }
    }

    /// Says that these people receive no messages at all.
    #[must_use]
    pub const fn suppressing_contact(mut self) -> Self {
        self.suppress_contact = true;
        self
    }
}

/// The seven letters of the vendor's documentation. Their meanings follow from PeopleSoft's table of the same letters;
/// its further ones (`Q`, `R`, `V`, `W`, `X`) are not documented for TriNet and change nothing unless configured.
const DOCUMENTED: [(&str, StatusRule); 7] = [
    ("A", StatusRule::new(Meaning::Active)),
    ("L", StatusRule::new(Meaning::OnLeave)),
    ("P", StatusRule::new(Meaning::OnLeave)),
    ("S", StatusRule::new(Meaning::OnLeave)),
    ("T", StatusRule::new(Meaning::Left)),
    ("U", StatusRule::new(Meaning::Left)),
    ("D", StatusRule::new(Meaning::Left).suppressing_contact()),
];

/// The table of one connection.
#[derive(Clone, Debug)]
pub(crate) struct StatusTable(Vec<(Box<str>, StatusRule)>);

impl StatusTable {
    /// The documented letters, changed and added to by a connection's own rows.
    pub(crate) fn new(own: &BTreeMap<String, StatusRule>) -> Self {
        let own = own.iter().map(|(letter, rule)| (letter.trim().into(), *rule));
        let documented = DOCUMENTED.iter().map(|(letter, rule)| (Box::from(*letter), *rule));
        Self(own.chain(documented).collect())
    }

    /// The status that a letter stands for, and whether the person is to be left in peace. Case does not matter.
    pub(crate) fn read(&self, letter: &str) -> (EmploymentStatus, bool) {
        let known = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(letter));
        let Some((_, rule)) = known else {
            return (EmploymentStatus::Unknown(Some(letter.to_owned())), false);
        };
        let status = match rule.meaning {
            Meaning::Active => EmploymentStatus::Active,
            Meaning::OnLeave => EmploymentStatus::OnLeave,
            Meaning::Left => EmploymentStatus::Inactive,
            Meaning::Unknown => EmploymentStatus::Unknown(Some(letter.to_owned())),
        };
        (status, rule.suppress_contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(own: &[(&str, StatusRule)], letter: &str) -> (EmploymentStatus, bool) {
        let own = own.iter().map(|(letter, rule)| ((*letter).to_owned(), *rule)).collect();
        StatusTable::new(&own).read(letter)
    }

    #[test]
    fn the_seven_documented_letters() {
        use EmploymentStatus::{Active, Inactive, OnLeave};
        for (letter, status) in [
            ("A", Active),
            ("L", OnLeave),
            ("P", OnLeave),
            ("S", OnLeave),
            ("T", Inactive),
            ("U", Inactive),
            ("D", Inactive),
            ("t", Inactive),
        ] {
            assert_eq!(read(&[], letter), (status, letter == "D"), "{letter}");
        }
    }

    #[test]
    fn a_letter_that_is_not_documented_says_nothing() {
        for letter in ["R", "Q", "V", "W", "X", "Z", "Active", "AA"] {
            assert_eq!(read(&[], letter), (EmploymentStatus::Unknown(Some(letter.to_owned())), false));
        }
    }

    #[test]
    fn an_employer_who_counts_leave_as_leaving_changes_that_letter_and_no_other() {
        let own = [
            ("l", StatusRule::new(Meaning::Left)),
            ("R", StatusRule::new(Meaning::Left)),
            ("D", StatusRule::new(Meaning::Unknown)),
        ];
        assert_eq!(read(&own, "L"), (EmploymentStatus::Inactive, false));
        assert_eq!(read(&own, "R"), (EmploymentStatus::Inactive, false));
        assert_eq!(read(&own, "P"), (EmploymentStatus::OnLeave, false));
        assert_eq!(read(&own, "D"), (EmploymentStatus::Unknown(Some("D".to_owned())), false));
    }
}
