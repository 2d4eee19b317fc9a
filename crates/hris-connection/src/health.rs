//! How a connection fares: failures in a row, quarantine with slow-down, and a reason that a person can act on.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{ErrorKind, RunReport, RunResult};
use serde::{Deserialize, Serialize};

/// When a connection is slowed down and when it is given up.
///
/// The limits scale with the tenant: a company of ten whose two actions all fail is as ill as one of ten thousand
/// with two thousand failures, and neither is for a single bad row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HealthPolicy {
    /// Failures in a row that lead into quarantine. A refused credential does at once.
    pub failures: u32,
    /// From which share of failed actions a run counts as failed, in percent of those planned.
    pub failed_percent: u8,
    /// At least so many actions have to fail for that.
    pub failed_at_least: u64,
    /// Hours between two attempts in quarantine, for the first week; after that it is seven times as long.
    pub slow_hours: u32,
    /// Days in quarantine after which the connection is given up and paused.
    pub give_up_days: u32,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self { failures: 3, failed_percent: 40, failed_at_least: 2, slow_hours: 24, give_up_days: 28 }
    }
}

/// How a connection fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Health {
    /// Runs that failed in a row.
    pub failures: u32,
    /// Its quarantine, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// When a run last went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<DateTime<Utc>>,
}

/// A slow-down after repeated failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quarantine {
    /// Why.
    pub reason: QuarantineReason,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it is tried again at the earliest.
    pub next_attempt: DateTime<Utc>,
}

/// Why a connection is in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum QuarantineReason {
    /// The HR system or the platform refuses the credential.
    CredentialRefused,
    /// The credential lacks a permission.
    PermissionMissing,
    /// The credential opens another company.
    WrongCompany,
    /// The configuration cannot work.
    Misconfigured,
    /// There is no secret for this connection.
    CredentialMissing,
    /// The other side cannot be reached, or is too slow.
    Unreachable,
    /// What the HR system delivers cannot be read to its end.
    Unreadable,
    /// The HR system has no trustworthy data yet.
    NotReady,
    /// The platform refuses most of the actions.
    ActionsRefused {
        /// Actions that failed in the last run.
        failed: u64,
        /// Actions that were planned.
        planned: u64,
    },
    /// Our own store or something else failed.
    Internal,
}

impl QuarantineReason {
    /// The reason for an error that ended a run.
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Unauthorized => Self::CredentialRefused,
            ErrorKind::Forbidden => Self::PermissionMissing,
            ErrorKind::WrongAccount => Self::WrongCompany,
            ErrorKind::Config | ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::NotFound => {
                Self::Misconfigured
            }
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout => Self::Unreachable,
            ErrorKind::Protocol | ErrorKind::TooLarge | ErrorKind::Incomplete => Self::Unreadable,
            ErrorKind::NotReady => Self::NotReady,
            _ => Self::Internal,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CredentialRefused => "credential_refused",
            Self::PermissionMissing => "permission_missing",
            Self::WrongCompany => "wrong_company",
            Self::Misconfigured => "misconfigured",
            Self::CredentialMissing => "credential_missing",
            Self::Unreachable => "unreachable",
            Self::Unreadable => "unreadable",
            Self::NotReady => "not_ready",
            Self::ActionsRefused { .. } => "actions_refused",
            Self::Internal => "internal",
        }
    }

    /// What is wrong, in words.
    pub fn what(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::CredentialRefused => "the credential is refused",
            Self::PermissionMissing => "the credential lacks a permission",
            Self::WrongCompany => "the credential opens another company than this connection was made for",
            Self::Misconfigured => "the configuration cannot work",
            Self::CredentialMissing => "there is no credential for this connection",
            Self::Unreachable => "the other side cannot be reached or does not answer in time",
            Self::Unreadable => "the directory cannot be read to its end",
            Self::NotReady => "the HR system has no trustworthy data yet",
            Self::ActionsRefused { failed, planned } => {
                return Cow::Owned(format!("the platform refused {failed} of {planned} actions"));
            }
            Self::Internal => "something failed on our side",
        })
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::CredentialRefused => "create a new credential in the HR system and authorise again",
            Self::PermissionMissing => {
                "give the credential the permissions that the set-up lists, or authorise again"
            }
            Self::WrongCompany => {
                "authorise with a credential of the same company, or set up a new connection"
            }
            Self::Misconfigured => "look at the last run's message and correct the connection's options",
            Self::CredentialMissing => "authorise again",
            Self::Unreachable => {
                "ask the other side whether it is down; nothing has to be done here once it is back"
            }
            Self::Unreadable => "look at the last run's message and report it to the HR system's support",
            Self::NotReady => {
                "wait for the HR system's first synchronisation, or relink the account as it asks"
            }
            Self::ActionsRefused { .. } => {
                "download the error file of the last run and correct what it lists"
            }
            Self::Internal => "look at the last run's message and report it",
        }
    }

    /// Whether trying again without a person is pointless, so that it need not happen three times.
    fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::CredentialRefused
                | Self::PermissionMissing
                | Self::WrongCompany
                | Self::Misconfigured
                | Self::CredentialMissing
        )
    }

    /// Whether a new credential may be the remedy.
    pub(crate) fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::CredentialRefused | Self::PermissionMissing | Self::WrongCompany | Self::CredentialMissing
        )
    }
}

/// How a run ended, as far as a connection's health is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunOutcome {
    /// Well, or held by a guard.
    Good,
    /// Badly.
    Bad(QuarantineReason),
    /// It says nothing about the connection: stopped on request, or another worker has the lease.
    Neither,
}

impl RunOutcome {
    /// The outcome of a run that left a report.
    pub fn of_report(policy: &HealthPolicy, report: &RunReport) -> Self {
        let (failed, planned) = (report.applied.failed, report.planned.actions().max(report.applied.failed));
        match report.result {
            RunResult::Cancelled => Self::Neither,
            RunResult::Failed { .. } => Self::Bad(QuarantineReason::Internal),
            _ if too_many(policy, failed, planned) => {
                Self::Bad(QuarantineReason::ActionsRefused { failed, planned })
            }
            _ => Self::Good,
        }
    }

    /// The outcome of a run that ended in an error.
    pub fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Cancelled | ErrorKind::Leased | ErrorKind::Stale => Self::Neither,
            kind => Self::Bad(QuarantineReason::of(kind)),
        }
    }
}

fn too_many(policy: &HealthPolicy, failed: u64, planned: u64) -> bool {
    let share = u128::from(failed) * 100 >= u128::from(planned) * u128::from(policy.failed_percent);
    failed >= policy.failed_at_least && share
}

/// What a run changed about a connection's health.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthChange {
    /// Nothing that anybody has to be told.
    None,
    /// It goes into quarantine, or stays there for another reason.
    Quarantined,
    /// It was in quarantine for too long and is given up.
    GivenUp,
    /// It works again.
    Recovered {
        /// Since when it had been in quarantine.
        since: DateTime<Utc>,
    },
}

impl Health {
    /// Takes note of a run.
    pub fn note(&mut self, policy: &HealthPolicy, outcome: &RunOutcome, now: DateTime<Utc>) -> HealthChange {
        match outcome {
            RunOutcome::Neither => HealthChange::None,
            RunOutcome::Good => self.note_good(now),
            RunOutcome::Bad(reason) => self.note_bad(policy, reason, now),
        }
    }

    fn note_good(&mut self, now: DateTime<Utc>) -> HealthChange {
        self.failures = 0;
        self.last_success = Some(now);
        match self.quarantine.take() {
            Some(quarantine) => HealthChange::Recovered { since: quarantine.since },
            None => HealthChange::None,
        }
    }

    fn note_bad(
        &mut self,
        policy: &HealthPolicy,
        reason: &QuarantineReason,
        now: DateTime<Utc>,
    ) -> HealthChange {
        self.failures = self.failures.saturating_add(1);
        let Some(quarantine) = &mut self.quarantine else {
            if !reason.needs_a_person() && self.failures < policy.failures {
                return HealthChange::None;
            }
            let next_attempt = slowed(policy, now, now);
            self.quarantine = Some(Quarantine { reason: reason.clone(), since: now, next_attempt });
            return HealthChange::Quarantined;
        };
        if now - quarantine.since >= TimeDelta::days(policy.give_up_days.into()) {
            return HealthChange::GivenUp;
        }
        quarantine.next_attempt = slowed(policy, quarantine.since, now);
        // Somebody is told once per reason, not once per attempt.
        if std::mem::discriminant(&quarantine.reason) == std::mem::discriminant(reason) {
            return HealthChange::None;
        }
        quarantine.reason = reason.clone();
        HealthChange::Quarantined
    }
}

fn slowed(policy: &HealthPolicy, since: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let times = if now - since < TimeDelta::days(7) { 1 } else { 7 };
    now + TimeDelta::hours(i64::from(policy.slow_hours) * times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::{ConnectionKey, RunId, Trigger};

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_434_800, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn report(failed: u64, planned: u64) -> RunReport {
        let mut report =
            RunReport::started(RunId::from("r"), ConnectionKey::new("t", "c"), Trigger::Schedule, at(0));
        report.result = RunResult::Applied;
        report.planned.update = planned;
        report.applied.failed = failed;
        report
    }

    fn is_bad(failed: u64, planned: u64) -> bool {
        let outcome = RunOutcome::of_report(&HealthPolicy::default(), &report(failed, planned));
        matches!(outcome, RunOutcome::Bad(QuarantineReason::ActionsRefused { .. }))
    }

    #[test]
    fn refused_actions_count_by_their_share_however_small_the_tenant() {
        assert!(is_bad(2, 2) && is_bad(2, 5) && is_bad(4_000, 10_000));
        assert!(!is_bad(0, 0) && !is_bad(1, 1), "one bad row makes nobody ill");
        assert!(!is_bad(2, 6) && !is_bad(3_999, 10_000));
    }

    #[test]
    fn an_outage_leads_into_quarantine_the_third_time_and_a_refused_credential_at_once() {
        let policy = HealthPolicy::default();
        let mut health = Health::default();
        let outage = RunOutcome::of_error(ErrorKind::Unavailable);
        assert_eq!(health.note(&policy, &outage, at(0)), HealthChange::None);
        assert_eq!(health.note(&policy, &outage, at(24)), HealthChange::None);
        assert_eq!(health.note(&policy, &outage, at(48)), HealthChange::Quarantined);
        assert_eq!(health.quarantine.as_ref().unwrap().next_attempt, at(72));
        let mut health = Health::default();
        let refused = RunOutcome::of_error(ErrorKind::Unauthorized);
        assert_eq!(health.note(&policy, &refused, at(0)), HealthChange::Quarantined);
    }

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let policy = HealthPolicy::default();
        let mut health = Health::default();
        let outage = RunOutcome::of_error(ErrorKind::Timeout);
        for outcome in [&outage, &outage, &RunOutcome::Good, &outage, &outage] {
            assert_eq!(health.note(&policy, outcome, at(0)), HealthChange::None);
        }
    }

    #[test]
    fn quarantine_slows_down_tells_once_a_reason_and_gives_up_after_four_weeks() {
        let policy = HealthPolicy::default();
        let mut health = Health::default();
        let refused = RunOutcome::of_error(ErrorKind::Unauthorized);
        let forbidden = RunOutcome::of_error(ErrorKind::Forbidden);
        assert_eq!(health.note(&policy, &refused, at(0)), HealthChange::Quarantined);
        assert_eq!(health.note(&policy, &refused, at(24)), HealthChange::None);
        assert_eq!(health.note(&policy, &forbidden, at(48)), HealthChange::Quarantined, "another reason");
        assert_eq!(health.note(&policy, &forbidden, at(8 * 24)), HealthChange::None);
        assert_eq!(health.quarantine.as_ref().unwrap().next_attempt, at(15 * 24), "weekly by now");
        assert_eq!(health.note(&policy, &forbidden, at(28 * 24)), HealthChange::GivenUp);
    }

    #[test]
    fn a_good_run_ends_the_quarantine() {
        let policy = HealthPolicy::default();
        let mut health = Health::default();
        health.note(&policy, &RunOutcome::of_error(ErrorKind::Forbidden), at(0));
        assert_eq!(health.note(&policy, &RunOutcome::Neither, at(1)), HealthChange::None);
        let recovered = health.note(&policy, &RunOutcome::Good, at(24));
        assert_eq!(recovered, HealthChange::Recovered { since: at(0) });
        assert_eq!((health.failures, &health.quarantine), (0, &None));
    }

    #[test]
    fn every_reason_says_what_is_wrong_and_what_to_do() {
        use ErrorKind as K;
        let kinds = [
            K::Unauthorized,
            K::Forbidden,
            K::WrongAccount,
            K::Config,
            K::Unavailable,
            K::Protocol,
            K::NotReady,
            K::Store,
        ];
        let mut codes: Vec<_> = kinds.map(QuarantineReason::of).iter().map(QuarantineReason::code).collect();
        codes.push(QuarantineReason::ActionsRefused { failed: 2, planned: 3 }.code());
        codes.dedup();
        assert_eq!(codes.len(), 9);
        for kind in kinds {
            let reason = QuarantineReason::of(kind);
            assert!(!reason.what().is_empty() && !reason.remedy().is_empty());
        }
    }
}
