//! What a connection's administrator decides: guards, invitations, broken readings. Everything beyond the defaults
//! is opt-in.

use std::collections::BTreeSet;
use std::time::Duration;

use hris_core::keys::Fingerprinter;
use hris_core::{ActionKind, EmployeeId, Error, Result};
use serde::{Deserialize, Serialize};

use crate::matching::MatchRule;

/// The policy of a connection. Its digest is recorded in every plan; a changed policy makes a plan stale.
///
/// ```
/// use hris_sync::Policy;
/// let policy = Policy::default();
/// assert!(policy.invite);
/// assert_eq!(policy.leavers.limit(1_000), 100);
/// assert_eq!(policy.leavers.limit(12), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// Whether new members are invited. Recommended, since it gives them their first access.
    pub invite: bool,
    /// By which rules a member who is there already is taken for a person, by precedence: the first rule that they
    /// agree in counts. What agrees in none, or with two members, is a conflict.
    pub matching: Vec<MatchRule>,
    /// How many may leave in one run.
    pub leavers: Limit,
    /// How many may be created in one run; off until set, and never applied to a first import.
    pub creates: Option<Limit>,
    /// How many e-mail addresses may change in one run; off until set.
    pub email_changes: Option<Limit>,
    /// By how many percent a full reading may shrink against the last complete one.
    pub shrink_percent: u8,
    /// What a reading that broke off may do.
    pub broken_reading: BrokenReading,
    /// How many Employee IDs of known members may change in one run; no limit unless set.
    pub re_keys: Option<Limit>,
    /// For how many members one attribute may be emptied in one run. A column that an HR system suddenly delivers empty
    /// for everybody clears nobody.
    pub emptied: Limit,
    /// What becomes of known people who are missing from complete listings.
    pub absence: Absence,
    /// Members who are neither changed nor closed, by Employee ID.
    pub protected: BTreeSet<EmployeeId>,
    /// Kinds of action that are planned, shown as blocked and not carried out.
    pub switched_off: BTreeSet<Switch>,
    /// What a verify run does about members who are not on the platform any more.
    pub vanished: Vanished,
    /// Whether runs read only what changed where that is enough, and how often they read everyone all the same; unset:
    /// every run reads everyone.
    pub incremental: Option<Incremental>,
    /// What becomes of a member for whom the connection is not any more.
    pub left_scope: LeftScope,
    /// Whether the end date has a say in who leaves.
    pub end_date: EndDate,
    /// How many days before their start pending people are created; never, unless set.
    pub create_before_start_days: Option<u16>,
    /// How long a plan may wait to be applied, in seconds.
    #[serde(with = "seconds")]
    pub plan_expires_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            invite: true,
            matching: MatchRule::usual(),
            leavers: Limit { at_least: 3, percent: 10, at_most: 500 },
            creates: None,
            email_changes: None,
            shrink_percent: 20,
            broken_reading: BrokenReading::ApplyNothing,
            re_keys: None,
            emptied: Limit { at_least: 10, percent: 20, at_most: u64::MAX },
            absence: Absence::Report,
            protected: BTreeSet::new(),
            switched_off: BTreeSet::new(),
            vanished: Vanished::Report,
            incremental: None,
            left_scope: LeftScope::Stay,
            end_date: EndDate::Warns,
            create_before_start_days: None,
            plan_expires_after: 7 * DAY,
        }
    }
}

impl Policy {
    /// A digest of the whole policy.
    pub fn version(&self, fingerprinter: &Fingerprinter) -> String {
        // Serialising numbers into memory has no way to fail.
        let content = serde_json::to_vec(self).unwrap_or_default();
        let mut digester = fingerprinter.digester();
        digester.add(&content);
        digester.finish()
    }
}

/// How readings of changes are used.
///
/// They need a connector that can start at a watermark. Everyone is read all the same when there is nothing to go on
/// from, when mapping or policy changed, when too much was left open, when time alone changes something, and every
/// few days, since some changes never show up as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Incremental {
    /// The days after which everyone is read.
    pub full_after_days: u16,
    /// How much earlier than the watermark reading starts, in seconds: stamps may be late, and clocks differ.
    #[serde(with = "seconds")]
    pub overlap: Duration,
    /// Up to how many people, about whom the last reading left something open, are asked for one by one. With more,
    /// everyone is read.
    pub reread_at_most: usize,
}

impl Default for Incremental {
    fn default() -> Self {
        Self { full_after_days: 7, overlap: Duration::from_secs(5 * 60), reread_at_most: 200 }
    }
}

impl Incremental {
    /// Sets the days after which everyone is read.
    #[must_use]
    pub fn with_full_after_days(mut self, days: u16) -> Self {
        self.full_after_days = days;
        self
    }

    /// Sets how much earlier than the watermark reading starts.
    #[must_use]
    pub fn with_overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets up to how many people are asked for one by one.
    #[must_use]
    pub fn with_reread_at_most(mut self, people: usize) -> Self {
        self.reread_at_most = people;
        self
    }
}

/// A limit in people: a percentage between a floor for small tenants and a ceiling for large ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Allowed however few people there are.
    pub at_least: u64,
    /// Percentage of the linked active members before the run, rounded down.
    pub percent: u8,
    /// Never more than this.
    pub at_most: u64,
}

impl Limit {
    /// How many are allowed among `population` linked active members.
    pub fn limit(&self, population: u64) -> u64 {
        self.at_least.max(self.at_most.min(percent_of(population, self.percent)))
    }
}

/// `percent` of `count`, rounded down.
pub(crate) fn percent_of(count: u64, percent: u8) -> u64 {
    let product = u128::from(count) * u128::from(percent) / 100;
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// What a reading that broke off may do. It never makes a leaver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BrokenReading {
    /// Nothing of it is applied.
    #[default]
    ApplyNothing,
    /// Creates and updates of the people who were seen are applied.
    ApplyCreatesAndUpdates,
}

/// Whether the end date has a say in who leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndDate {
    /// The status alone decides; a past end date of somebody active is a warning.
    #[default]
    Warns,
    /// Nobody leaves before the end of their last day where they work, and everybody does then, whatever the status.
    Decides {
        /// The zone of people for whom the HR system names none, such as `Europe/Madrid`.
        time_zone: String,
    },
}

impl EndDate {
    /// Checks the zone.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] for a name that is no time zone.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Decides { time_zone } if time_zone.parse::<chrono_tz::Tz>().is_err() => Err(Error::config(
                "`end_date` names a time zone that does not exist",
                "use a name of the IANA list, such as `Europe/Madrid`",
            )),
            _ => Ok(()),
        }
    }
}

/// What becomes of known people who are missing from complete listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Absence {
    /// They are reported and stay.
    #[default]
    Report,
    /// They leave once they are missing from so many complete listings in a row (2 at least) and a read of that very
    /// person confirms it; under the guard on leavers.
    Leave {
        /// How many complete listings.
        complete_runs: u32,
    },
}

/// A kind of action that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Switch {
    /// Creating members.
    Create,
    /// Linking members who are there already.
    Adopt,
    /// Changing members.
    Update,
    /// Closing accounts.
    Leave,
    /// Opening accounts of people who came back.
    Reactivate,
}

impl Switch {
    pub(crate) fn of(kind: &ActionKind) -> Option<Self> {
        Some(match kind {
            ActionKind::Create { .. } => Self::Create,
            ActionKind::Adopt { .. } => Self::Adopt,
            ActionKind::Update { .. } | ActionKind::Park { .. } => Self::Update,
            ActionKind::Leave { .. } => Self::Leave,
            ActionKind::Reactivate { .. } => Self::Reactivate,
            _ => return None,
        })
    }
}

/// What a verify run does about members who are not on the platform any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Vanished {
    /// Says so. Whether somebody deleted them, or whether they were never stored, nobody can tell.
    #[default]
    Report,
    /// Creates those who should have an account once more, without an invitation where the platform lets us choose.
    Recreate,
}

/// What becomes of a member for whom the connection is not any more, by its scope filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftScope {
    /// They stay as they are, and are reported.
    #[default]
    Stay,
    /// They leave, under the guard on leavers.
    Leave,
}

mod seconds {
    //! Durations as whole seconds in configuration files.

    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(duration.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limit_is_ten_percent_between_three_and_five_hundred() {
        let limit = Policy::default().leavers;
        for (population, allowed) in
            [(0, 3), (29, 3), (39, 3), (40, 4), (199, 19), (5_000, 500), (90_000, 500)]
        {
            assert_eq!(limit.limit(population), allowed, "of {population}");
        }
    }

    #[test]
    fn a_policy_reads_back_from_its_serialised_form_and_fills_in_defaults() {
        let policy = Policy { invite: false, ..Policy::default() };
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    }
}
