//! What can be done to one linked account beside reading its employees: read again by Merge, forget a person, delete it.

use hris_core::{Error, ErrorKind, Result};
use hris_http::Request;
use serde_json::json;

use crate::connector::MergeConnector;

/// Why Merge is to ignore a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// The person, or a law, demands erasure.
    Gdpr,
    /// The customer wishes it.
    CustomerRequest,
    /// Something else.
    Other,
}

impl IgnoreReason {
    fn word(self) -> &'static str {
        match self {
            Self::Gdpr => "GDPR",
            Self::CustomerRequest => "GENERAL_CUSTOMER_REQUEST",
            Self::Other => "OTHER",
        }
    }
}

impl MergeConnector {
    /// Makes Merge read everything from the HR system again, now. Costs a credit in plans that have them, and is not offered
    /// by every plan.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for test accounts, which only the dashboard can synchronise. An unclear answer is not repeated;
    /// [`check`](hris_core::HrisConnector::check) shows whether a synchronisation is under way.
    pub async fn resync(&self) -> Result<()> {
        let request = Request::post("merge.resync", "/api/hris/v1/sync-status/resync");
        let sent = self.login().client().await?.send(&request).await;
        sent.map_err(|error| match error.kind() {
            ErrorKind::Invalid => error.with_hint(
                "accounts that were linked with a test key are synchronised from Merge's dashboard, and the plan must include \
                 synchronising by hand",
            ),
            _ => error,
        })
    }

    /// Makes Merge forget a person for good, by Merge's id. There is no way back: the record becomes an empty shell, and
    /// later synchronisations skip it. It then vanishes from readings, which is an erasure and not a leaver.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a blank id, [`ErrorKind::NotFound`] if Merge has no such person.
    pub async fn ignore(&self, merge_id: &str, reason: IgnoreReason) -> Result<()> {
        if merge_id.trim().is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "the id of the person to ignore is blank"));
        }
        // Ignoring twice is ignoring once.
        let request = Request::post("merge.ignore", "/api/hris/v1/employees/ignore")
            .with_segment(merge_id.trim())
            .with_repeatable(true)
            .with_json(&json!({ "reason": reason.word() }))?;
        self.login().client().await?.send(&request).await
    }

    /// Deletes the linked account: Merge forgets its data and the account token opens nothing any more. What this library
    /// knows of its people stays, and nobody becomes a leaver by it.
    ///
    /// # Errors
    /// After an unclear answer, [`check`](hris_core::HrisConnector::check) tells: if the token is refused, it was deleted.
    pub async fn delete_account(&self) -> Result<()> {
        let request = Request::post("merge.delete_account", "/api/hris/v1/delete-account");
        self.login().client().await?.send(&request).await
    }
}
