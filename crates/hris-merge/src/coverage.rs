//! Which fields of employees an HR system delivers to Merge: by what an account says of itself, or else by a table that
//! is data, has a date, and can be changed.

use std::collections::BTreeMap;

use hris_core::EmployeeField;

use crate::link::merge_field;

use EmployeeField::{BirthDate, EndDate, PersonalEmail, StartDate, Status, WorkEmail};

/// Merge's coverage table of August 2026, the fields of campaigns only: HR systems that lack some of them. What stands in no
/// row lacks none of them. Deliveries still depend on what the customer fills in and grants.
const LACKING: &[(&[&str], &[EmployeeField])] = &[
    (&["ADP DECIDIUM", "Insperity Premier", "Microsoft Entra ID", "OysterHR", "TriNet"], &[PersonalEmail]),
    (&["Sesame"], &[StartDate, EndDate]),
    (&["Altera Payroll"], &[StartDate]),
    (&["Kenjo", "Remote", "Zoho People"], &[EndDate]),
    (&["CoolCare", "Planday"], &[WorkEmail]),
    (&["Leapsome", "Nmbrs"], &[Status]),
    (&["Humi", "Revolut People", "Rippling"], &[PersonalEmail, BirthDate]),
    (&["AllianceHCM"], &[PersonalEmail, StartDate]),
    (&["7shifts"], &[PersonalEmail, EndDate]),
    (
        &["CyberArk", "Google Workspace", "JumpCloud", "Okta", "OneLogin", "PingOne"],
        &[PersonalEmail, BirthDate, StartDate],
    ),
    (&["UKG Pro Workforce Management"], &[PersonalEmail, StartDate, EndDate]),
    (&["ClayHR"], &[WorkEmail, PersonalEmail, EndDate]),
    (&["Lano", "Sage People"], &[PersonalEmail, BirthDate, StartDate, EndDate]),
    (&["Square Payroll"], &[WorkEmail, BirthDate, StartDate, EndDate]),
];

/// The fields that the table speaks of.
const CAMPAIGNS: [EmployeeField; 6] = [WorkEmail, PersonalEmail, BirthDate, StartDate, EndDate, Status];

/// Where a statement about coverage comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CoverageSource {
    /// Merge says it of the account itself.
    Account,
    /// A table of HR systems.
    Table,
    /// A table of HR systems; and where it says nothing, what was seen of the account's people.
    TableAndSeen,
}

/// Which fields cannot be expected of an account. How many people really have a field filled, only reading tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Where this comes from.
    pub source: CoverageSource,
    /// Fields that the HR system does not deliver.
    pub lacking: Vec<EmployeeField>,
}

impl Coverage {
    /// By the fields that an account says it supports, in Merge's names.
    pub(crate) fn of_account(supported: &[String]) -> Self {
        let has = |field: EmployeeField| {
            let names: &[&str] = match field {
                Status => &["employment_status"],
                _ => merge_field(field).map(|(names, _)| names).unwrap_or_default(),
            };
            names.is_empty() || names.iter().any(|name| supported.iter().any(|known| known == name))
        };
        let lacking = EmployeeField::ALL.iter().copied().filter(|field| !has(*field)).collect();
        Self { source: CoverageSource::Account, lacking }
    }

    /// Completes what a table says by what was seen: of fields that the table does not speak of, those lack that nobody has
    /// filled. `filled` tells how many people have a value, as a discovery counts them. What Merge says of the account
    /// itself stays as it is.
    ///
    /// ```
    /// use hris_core::EmployeeField::{Department, Location, WorkEmail};
    /// # fn shown(coverage: hris_merge::Coverage) {
    /// let coverage = coverage.with_seen([(Department, 0), (Location, 311), (WorkEmail, 0)]);
    /// // Addresses are the table's matter: perhaps nobody has filled them in yet.
    /// # }
    /// ```
    #[must_use]
    pub fn with_seen(mut self, filled: impl IntoIterator<Item = (EmployeeField, u64)>) -> Self {
        if self.source == CoverageSource::Table {
            let unsaid = filled.into_iter().filter(|(field, _)| !CAMPAIGNS.contains(field));
            self.lacking.extend(unsaid.filter(|(_, people)| *people == 0).map(|(field, _)| field));
            self.source = CoverageSource::TableAndSeen;
        }
        self
    }

    /// Whether a field can be expected.
    pub fn delivers(&self, field: EmployeeField) -> bool {
        !self.lacking.contains(&field)
    }
}

/// What HR systems do not deliver, by name or slug. It speaks of the fields of campaigns: addresses, birth date, start, end,
/// status.
///
/// ```
/// use hris_core::EmployeeField;
/// use hris_merge::CoverageTable;
/// // An HR system that learned something since the table was made.
/// let table = CoverageTable::builtin().with("Sesame", [EmployeeField::EndDate]);
/// assert_eq!(table.lacking("sesame"), [EmployeeField::EndDate]);
/// assert!(table.lacking("BambooHR").is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageTable {
    lacking: BTreeMap<String, Vec<EmployeeField>>,
}

impl CoverageTable {
    /// When the built-in table was taken from Merge's documentation: year and month.
    pub const AS_OF: &'static str = "2026-08";

    /// Merge's table as of [`CoverageTable::AS_OF`].
    pub fn builtin() -> Self {
        let rows =
            LACKING.iter().flat_map(|(names, fields)| names.iter().map(|name| (*name, fields.to_vec())));
        Self { lacking: rows.map(|(name, fields)| (plain(name), fields)).collect() }
    }

    /// Says what an HR system lacks, in place of what the table said.
    #[must_use]
    pub fn with(mut self, name: &str, lacking: impl IntoIterator<Item = EmployeeField>) -> Self {
        self.lacking.insert(plain(name), lacking.into_iter().collect());
        self
    }

    /// What an HR system lacks, by name or slug without regard to case and punctuation.
    pub fn lacking(&self, name: &str) -> &[EmployeeField] {
        self.lacking.get(&plain(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The fields that the table speaks of at all.
    pub fn fields() -> &'static [EmployeeField] {
        &CAMPAIGNS
    }

    pub(crate) fn coverage(&self, names: &[Option<String>]) -> Coverage {
        let mut found = names.iter().flatten().filter_map(|name| self.lacking.get(&plain(name)));
        Coverage { source: CoverageSource::Table, lacking: found.next().cloned().unwrap_or_default() }
    }
}

impl Default for CoverageTable {
    fn default() -> Self {
        Self::builtin()
    }
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_of_the_seeds_lack_what_the_vendor_page_says() {
        let table = CoverageTable::builtin();
        assert_eq!(table.lacking("Sesame"), [StartDate, EndDate]);
        assert_eq!(table.lacking("TriNet"), [PersonalEmail]);
        assert!(table.lacking("TriNet HR Platform").is_empty() && table.lacking("PeopleHR").is_empty());
    }

    #[test]
    fn every_row_speaks_of_the_fields_of_campaigns_only() {
        for (names, fields) in LACKING {
            assert!(!names.is_empty() && fields.iter().all(|field| CAMPAIGNS.contains(field)), "{names:?}");
        }
    }

    #[test]
    fn what_was_seen_counts_only_where_nothing_is_said() {
        let seen = [(EmployeeField::Department, 0), (EmployeeField::Location, 9), (WorkEmail, 0)];
        let table = CoverageTable::builtin().coverage(&[Some("Sesame".to_owned())]).with_seen(seen);
        assert_eq!(table.source, CoverageSource::TableAndSeen);
        assert_eq!(table.lacking, [StartDate, EndDate, EmployeeField::Department]);
        let account = Coverage::of_account(&["department".to_owned()]);
        assert_eq!(account.clone().with_seen(seen), account);
    }

    #[test]
    fn what_an_account_says_of_itself_counts_by_merges_names() {
        let supported = ["first_name", "work_email", "employment_status", "hire_date"].map(str::to_owned);
        let coverage = Coverage::of_account(&supported);
        assert!(coverage.delivers(StartDate), "a hire date serves as one");
        assert!(coverage.delivers(Status) && coverage.delivers(EmployeeField::RecordId));
        assert!(!coverage.delivers(BirthDate) && !coverage.delivers(EmployeeField::Department));
    }
}
