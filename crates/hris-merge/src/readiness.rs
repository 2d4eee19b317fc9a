//! Whether what Merge has of an account may be read, and which conclusions it allows: a pure function of the account's
//! status and of the synchronisation of its employees.

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{AccountId, Delivery, Error, ErrorKind, Result};
use hris_http::lenient::Cell;

use crate::config::{DeletionTrust, MergeConfig};
use crate::convert::timestamp;
use crate::wire::{AccountDetails, SyncStatus};

/// Integrations of which the vendor documents that deletions are found at each synchronisation, by slug or name without
/// anything but letters and digits.
const NATIVE_DELETIONS: [&str; 5] =
    ["bamboohr", "freshteam", "googleworkspace", "microsoftentraid", "officient"];

/// The linked account that an account token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkedAccount {
    pub(crate) id: AccountId,
    pub(crate) organization: Option<String>,
    /// The HR system, as Merge names it.
    pub(crate) integration: Option<String>,
    slug: Option<String>,
    status: Option<String>,
    pub(crate) is_duplicate: bool,
    pub(crate) is_test: bool,
}

impl LinkedAccount {
    /// # Errors
    /// [`ErrorKind::Protocol`] without an id, [`ErrorKind::WrongAccount`] for an account that is no HR system.
    pub(crate) fn new(details: &AccountDetails<'_>) -> Result<Self> {
        let text = |cell: &Cell<'_>| cell.text().map(str::to_owned);
        let id = details.id.text().ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the answer names no linked account")
                .with_hint("check the base URL")
                .with_delivery(Delivery::Answered)
        })?;
        match details.category.text() {
            None | Some("hris") => {}
            Some(_) => {
                let message = "the account token opens a linked account that is no HR system";
                return Err(Error::new(ErrorKind::WrongAccount, message)
                    .with_hint("use the account token of the linked account in the category HRIS")
                    .with_delivery(Delivery::Answered));
            }
        }
        Ok(Self {
            id: id.into(),
            organization: text(&details.end_user_organization_name),
            integration: text(&details.integration),
            slug: text(&details.integration_slug),
            status: text(&details.status),
            is_duplicate: details.is_duplicate == Cell::Flag(true),
            is_test: details.account_type.text() == Some("TEST"),
        })
    }

    /// Whether Merge learns of deletions from this HR system itself.
    fn has_native_deletions(&self) -> bool {
        let plain = |name: &String| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()
        };
        let names = self.slug.iter().chain(&self.integration);
        names.map(plain).any(|name| NATIVE_DELETIONS.contains(&name.as_str()))
    }
}

/// How the synchronisation of employees stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EmployeeSync {
    status: String,
    is_initial: bool,
    last_start: Option<DateTime<Utc>>,
    last_finish: Option<DateTime<Utc>>,
    last_result: Option<String>,
    fresh_as_of: Option<DateTime<Utc>>,
    is_selective: bool,
}

impl EmployeeSync {
    /// `None` for another model.
    pub(crate) fn new(row: &SyncStatus<'_>) -> Option<Self> {
        let is_employees =
            row.model_id.text() == Some("hris.Employee") || row.model_name.text() == Some("Employee");
        let stamp = |cell: &Cell<'_>| cell.text().and_then(timestamp);
        is_employees.then(|| Self {
            status: row.status.text().unwrap_or_default().to_owned(),
            is_initial: row.is_initial_sync == Cell::Flag(true),
            last_start: stamp(&row.last_sync_start),
            last_finish: stamp(&row.last_sync_finished),
            last_result: row.last_sync_result.text().map(str::to_owned),
            fresh_as_of: stamp(&row.data_fresh_as_of),
            is_selective: !row.selective_sync_configurations_usage.is_empty(),
        })
    }

    /// Since when the data is known to be right: the start of the last successful synchronisation, or its end.
    fn fresh_since(&self) -> Option<DateTime<Utc>> {
        let has_failed = self.last_result.as_deref().is_some_and(|result| result == "FAILED");
        self.fresh_as_of.or_else(|| self.last_finish.filter(|_| !has_failed))
    }
}

/// What a reading may be used for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Why nobody may be removed on any ground, if so.
    pub(crate) stale: Option<String>,
    /// What speaks against conclusions from absence.
    pub(crate) doubts: Vec<String>,
    /// Why a record that is called deleted makes no leaver, if so.
    pub(crate) no_tombstones: Option<String>,
    /// Whether Merge was told to leave people out.
    pub(crate) is_selective: bool,
}

/// Judges an account. `now` is the source's clock.
///
/// # Errors
/// [`ErrorKind::NotReady`] where there is no data worth reading. It is retryable where waiting helps.
pub(crate) fn judge(
    account: &LinkedAccount,
    sync: Option<&EmployeeSync>,
    config: &MergeConfig,
    now: DateTime<Utc>,
) -> Result<Readiness> {
    let mut readiness = Readiness { no_tombstones: no_tombstones(account, config), ..Readiness::default() };
    readiness.stale = stale_account(account)?;
    match sync {
        None => readiness.be_stale("Merge reports no synchronisation of employees"),
        Some(sync) => readiness.judge_sync(sync, config, now)?,
    }
    Ok(readiness)
}

/// Why an account's data is stale; an error where it has none.
fn stale_account(account: &LinkedAccount) -> Result<Option<String>> {
    Ok(match account.status.as_deref() {
        Some("COMPLETE") => None,
        Some("INCOMPLETE") => {
            let message = "the linked account was never completed: nobody finished the linking";
            return Err(not_ready(message, "let the customer open the link again and finish it"));
        }
        Some("RELINK_NEEDED") => Some(
            "the linked account needs to be linked again (RELINK_NEEDED): until then Merge shows old data"
                .into(),
        ),
        Some("IDLE") => Some("the linked account is idle: Merge does not synchronise it".into()),
        Some(word) => Some(format!("the linked account has an unknown status ({})", shown(word))),
        None => Some("Merge does not say how the linked account stands".into()),
    })
}

impl Readiness {
    fn be_stale(&mut self, why: impl Into<String>) {
        self.stale.get_or_insert_with(|| why.into());
    }

    fn judge_sync(&mut self, sync: &EmployeeSync, config: &MergeConfig, now: DateTime<Utc>) -> Result<()> {
        self.is_selective = sync.is_selective;
        let has_finished = sync.last_finish.is_some() || sync.fresh_as_of.is_some();
        match sync.status.as_str() {
            "DONE" => {}
            "PARTIALLY_SYNCED" => {
                let why = "the last synchronisation left fields or records out (PARTIALLY_SYNCED)";
                self.doubts.push(why.to_owned());
                self.no_tombstones.get_or_insert_with(|| why.to_owned());
            }
            "DISABLED" => {
                let hint = "switch Employee on in the scopes of the linked account, in Merge's dashboard";
                return Err(not_ready(
                    "Merge does not synchronise employees of this account (DISABLED)",
                    hint,
                ));
            }
            "SYNCING" | "FAILED" | "PAUSED" if sync.is_initial || !has_finished => {
                self.first_sync(sync, config)?;
            }
            "SYNCING" => self.doubts.push("a synchronisation was under way".to_owned()),
            "FAILED" => self.be_stale("the last synchronisation failed (FAILED)"),
            "PAUSED" => self.be_stale("Merge paused the synchronisation (PAUSED)"),
            word => self.be_stale(format!("the synchronisation has an unknown status ({})", shown(word))),
        }
        self.judge_age(sync, config.max_staleness(), now);
        Ok(())
    }

    /// Half a directory is there at most.
    fn first_sync(&mut self, sync: &EmployeeSync, config: &MergeConfig) -> Result<()> {
        if config.reads_during_first_sync {
            self.be_stale("the first synchronisation has not finished");
            return Ok(());
        }
        let message = "Merge has not finished its first synchronisation of this account";
        let hint = match sync.status.as_str() {
            "SYNCING" => "try again later: it takes minutes to hours, for large companies more than a day",
            _ => "it does not go on: look at the linked account's issues in Merge's dashboard",
        };
        Err(not_ready(message, hint).with_retryable(true))
    }

    fn judge_age(&mut self, sync: &EmployeeSync, most: Option<TimeDelta>, now: DateTime<Utc>) {
        let Some(most) = most else { return };
        match sync.fresh_since() {
            None => self.be_stale("Merge does not say when the data was last synchronised well"),
            Some(since) if now - since > most => {
                let (age, most) = ((now - since).num_hours(), most.num_hours());
                self.be_stale(format!(
                    "the last good synchronisation is {age} hours old, {most} are allowed"
                ));
            }
            Some(_) => {}
        }
    }
}

/// Why tombstones are not trusted by the kind of integration.
fn no_tombstones(account: &LinkedAccount, config: &MergeConfig) -> Option<String> {
    match config.deletions {
        DeletionTrust::Any => None,
        DeletionTrust::Native if account.has_native_deletions() => None,
        DeletionTrust::Native => Some(
            "Merge does not learn of deletions from this HR system itself, and its own detection is not declared \
             trusted (`deletions`)"
                .to_owned(),
        ),
        DeletionTrust::Ignored => Some("deleted records are not asked for (`deletions`)".to_owned()),
    }
}

fn not_ready(message: &'static str, hint: &'static str) -> Error {
    Error::new(ErrorKind::NotReady, message).with_hint(hint).with_delivery(Delivery::Answered)
}

/// A status word, if it is one.
fn shown(word: &str) -> &str {
    let is_word = word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word { word } else { "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-02T06:00:00Z";

    fn account(status: &str, integration: &str) -> LinkedAccount {
        let json = format!(r#"{{"id":"a","status":"{status}","integration":"{integration}"}}"#);
        LinkedAccount::new(&serde_json::from_str(&json).unwrap()).unwrap()
    }

    fn sync(json: &str) -> EmployeeSync {
        let json = format!(r#"{{"model_id":"hris.Employee",{json}}}"#);
        EmployeeSync::new(&serde_json::from_str(&json).unwrap()).unwrap()
    }

    fn fresh(status: &str) -> EmployeeSync {
        sync(&format!(
            r#""status":"{status}","is_initial_sync":false,"last_sync_result":"DONE",
               "last_sync_finished":"2026-03-01T20:00:00Z""#
        ))
    }

    fn judged(account: &LinkedAccount, sync: Option<&EmployeeSync>) -> Result<Readiness> {
        judge(account, sync, &MergeConfig::new(), NOW.parse().unwrap())
    }

    #[test]
    fn the_status_of_the_account_decides_whether_anybody_may_be_removed() {
        for (status, stale) in [
            ("COMPLETE", None),
            ("RELINK_NEEDED", Some("RELINK_NEEDED")),
            ("IDLE", Some("idle")),
            ("SOMETHING_NEW", Some("SOMETHING_NEW")),
            ("", Some("does not say")),
        ] {
            let readiness = judged(&account(status, "PeopleHR"), Some(&fresh("DONE"))).unwrap();
            match stale {
                None => assert_eq!(readiness.stale, None),
                Some(word) => assert!(readiness.stale.unwrap().contains(word), "{status}"),
            }
        }
        let error = judged(&account("INCOMPLETE", "PeopleHR"), Some(&fresh("DONE"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotReady);
        assert!(!error.is_retryable() && error.hint().is_some());
    }

    #[test]
    fn the_status_of_the_synchronisation_decides_which_conclusions_are_allowed() {
        let of = |status| judged(&account("COMPLETE", "BambooHR"), Some(&fresh(status))).unwrap();
        assert_eq!(of("DONE"), Readiness::default());
        let partial = of("PARTIALLY_SYNCED");
        assert!(partial.stale.is_none() && partial.no_tombstones.is_some() && partial.doubts.len() == 1);
        let running = of("SYNCING");
        assert!(running.stale.is_none() && running.no_tombstones.is_none() && running.doubts.len() == 1);
        for status in ["FAILED", "PAUSED", "NEW_WORD", ""] {
            assert!(of(status).stale.is_some(), "{status}");
        }
        let disabled = judged(&account("COMPLETE", "BambooHR"), Some(&fresh("DISABLED"))).unwrap_err();
        assert_eq!(disabled.kind(), ErrorKind::NotReady);
        assert!(disabled.to_string().contains("scopes"), "{disabled}");
        assert!(judged(&account("COMPLETE", "BambooHR"), None).unwrap().stale.is_some());
    }

    #[test]
    fn a_first_synchronisation_under_way_is_an_error_unless_reading_is_chosen() {
        let complete = account("COMPLETE", "PeopleHR");
        for json in [
            r#""status":"SYNCING","is_initial_sync":true,"last_sync_finished":null"#,
            r#""status":"FAILED","is_initial_sync":true"#,
            r#""status":"PAUSED","is_initial_sync":false,"last_sync_finished":null"#,
        ] {
            let error = judged(&complete, Some(&sync(json))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotReady, "{json}");
            assert!(error.is_retryable(), "{json}");
            let chosen = MergeConfig::new().with_reading_during_first_sync(true);
            let readiness = judge(&complete, Some(&sync(json)), &chosen, NOW.parse().unwrap()).unwrap();
            assert!(readiness.stale.unwrap().contains("first synchronisation"));
        }
        let done =
            sync(r#""status":"DONE","is_initial_sync":true,"last_sync_finished":"2026-03-02T05:00:00Z""#);
        assert_eq!(judged(&complete, Some(&done)).unwrap().stale, None);
    }

    #[test]
    fn old_data_is_stale_by_the_last_good_synchronisation() {
        let complete = account("COMPLETE", "PeopleHR");
        let age = |json: &str| {
            let sync = sync(&format!(r#""status":"DONE","is_initial_sync":false,{json}"#));
            judged(&complete, Some(&sync)).unwrap().stale
        };
        let good = r#""last_sync_finished":"2026-02-28T06:00:00Z","last_sync_result":"SUCCESSFUL""#;
        assert_eq!(age(good), None);
        let old = r#""last_sync_finished":"2026-02-27T05:00:00Z","last_sync_result":"DONE""#;
        assert!(age(old).unwrap().contains("73 hours old, 48 are allowed"));
        let failed = r#""last_sync_finished":"2026-03-02T05:00:00Z","last_sync_result":"FAILED""#;
        assert!(age(failed).is_some(), "the end of a failed one says nothing");
        let since = format!(r#"{failed},"data_fresh_as_of":"2026-03-01T06:00:00Z""#);
        assert_eq!(age(&since), None);
        assert!(age(r#""last_sync_finished":null"#).is_some());
        let by_hand = MergeConfig::new().with_max_staleness(None);
        let sync = sync(&format!(r#""status":"DONE","is_initial_sync":false,{old}"#));
        assert_eq!(judge(&complete, Some(&sync), &by_hand, NOW.parse().unwrap()).unwrap().stale, None);
    }

    #[test]
    fn deletions_are_trusted_by_integration_and_by_configuration() {
        let trusted = |integration: &str, trust| {
            let config = MergeConfig::new().with_deletions(trust);
            let account = account("COMPLETE", integration);
            let readiness = judge(&account, Some(&fresh("DONE")), &config, NOW.parse().unwrap()).unwrap();
            readiness.no_tombstones.is_none()
        };
        for native in ["BambooHR", "bamboohr", "Microsoft Entra ID", "google-workspace", "Officient"] {
            assert!(trusted(native, DeletionTrust::Native), "{native}");
            assert!(!trusted(native, DeletionTrust::Ignored), "{native}");
        }
        for other in ["Sesame", "PeopleHR", "TriNet", "TriNet HR Platform"] {
            assert!(!trusted(other, DeletionTrust::Native), "{other}");
            assert!(trusted(other, DeletionTrust::Any), "{other}");
        }
    }

    #[test]
    fn a_selective_synchronisation_is_noticed() {
        let selective = sync(
            r#""status":"DONE","is_initial_sync":false,"last_sync_finished":"2026-03-02T05:00:00Z",
               "selective_sync_configurations_usage":"IN_LAST_SYNC""#,
        );
        assert!(judged(&account("COMPLETE", "PeopleHR"), Some(&selective)).unwrap().is_selective);
        assert!(!judged(&account("COMPLETE", "PeopleHR"), Some(&fresh("DONE"))).unwrap().is_selective);
    }

    #[test]
    fn an_account_that_is_no_hr_system_or_has_no_id_is_refused() {
        let kind = |json: &str| {
            LinkedAccount::new(&serde_json::from_str(json).unwrap()).map(drop).map_err(|e| e.kind())
        };
        assert_eq!(kind(r#"{"id":"a","category":"hris"}"#), Ok(()));
        assert_eq!(kind(r#"{"id":"a","category":"ats"}"#), Err(ErrorKind::WrongAccount));
        assert_eq!(kind(r#"{"status":"COMPLETE"}"#), Err(ErrorKind::Protocol));
    }
}
