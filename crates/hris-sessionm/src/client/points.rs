//! Points: balances, the ledger, and the two calls that move points.

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::{Error, ErrorKind, Result};
use serde::Serialize;

use super::{SessionM, incomplete, not_configured, wire_time};
use crate::convert;
use crate::settings::{DepositVersion, Operation};
use crate::wire::points::{BalancesPayload, LedgerPayload, Movement};
use crate::{Balances, CustomerRef, LedgerEntry, PointAccountId, PointSourceId, Points};

/// How many rows a call answers at most.
pub(super) const MOST_ROWS: u32 = 1000;
/// How many calls a list is read with at most; more is an error.
pub(super) const MOST_CALLS: u32 = 100;

/// What every Connect request about a customer begins with.
#[derive(Serialize)]
pub(super) struct About<'a> {
    pub(super) retailer_id: &'a str,
    pub(super) user_id: &'a str,
    pub(super) culture: &'a str,
}

/// Points to give.
pub(crate) struct Deposit<'a> {
    pub(crate) account: &'a PointAccountId,
    pub(crate) source: &'a PointSourceId,
    pub(crate) amount: Points,
    pub(crate) reference_id: &'a str,
    pub(crate) reference_type: &'a str,
}

/// Points to take.
pub(crate) struct Spend<'a> {
    pub(crate) accounts: &'a [PointAccountId],
    pub(crate) source: Option<&'a PointSourceId>,
    pub(crate) amount: Points,
    pub(crate) reference_id: &'a str,
    pub(crate) reference_type: &'a str,
    pub(crate) key: &'a str,
}

/// What became of the one part that a movement has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It was carried out; the balance after it, where the answer tells.
    Done(Option<Points>),
    /// The answer says ok and this part failed, with SessionM's number where it gives one.
    PartFailed(Option<i64>),
}

impl SessionM {
    /// A customer's points, account by account; those without points too.
    pub(crate) async fn read_balances(&self, customer: &CustomerRef) -> Result<Balances> {
        let payload =
            self.connect::<BalancesPayload>(Operation::Balances, &self.about(customer)?, true).await?;
        let payload = payload.ok_or_else(|| incomplete("balances"))?;
        if let Some(retailer) = &payload.retailer_id {
            self.check_retailer(&retailer.0)?;
        }
        Ok(convert::balances(payload))
    }

    /// A customer's ledger between two instants, at most a year apart, oldest rows as they come.
    pub(crate) async fn read_ledger(
        &self,
        customer: &CustomerRef,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<LedgerEntry>> {
        let Some(names) = &self.settings().points.ledger else {
            let ask =
                "SessionM for the names of the date range in fetch_point_audit_logs (Incentives Swagger)";
            return Err(not_configured("the point ledger", "points.ledger", ask));
        };
        if from > to || to - from > TimeDelta::days(365) {
            let error = Error::new(ErrorKind::Invalid, "the ledger is read for a year at most, and forwards");
            return Err(error.with_hint("give a range that begins before it ends and spans at most 365 days"));
        }
        let mut entries: Vec<LedgerEntry> = Vec::new();
        for call in 0..MOST_CALLS {
            let body = serde_json::json!({
                "retailer_id": self.retailer(),
                "user_id": self.connect_user(customer)?,
                "culture": self.culture(),
                "skip": call * MOST_ROWS,
                "take": MOST_ROWS,
                (names.from_field.as_str()): wire_time(from),
                (names.to_field.as_str()): wire_time(to + TimeDelta::seconds(1)),
            });
            let payload = self.connect::<LedgerPayload>(Operation::Ledger, &body, true).await?;
            let rows =
                payload.and_then(|payload| payload.results).ok_or_else(|| incomplete("ledger rows"))?;
            let count = rows.len();
            for entry in rows.into_iter().map(convert::ledger_entry) {
                if entry.id.is_empty() || entries.iter().all(|known| known.id != entry.id) {
                    entries.push(entry);
                }
            }
            if count < MOST_ROWS as usize {
                return Ok(entries);
            }
        }
        Err(too_long("ledger"))
    }

    /// Gives points. Never repeated.
    pub(crate) async fn deposit(&self, customer: &CustomerRef, deposit: &Deposit<'_>) -> Result<Moved> {
        #[derive(Serialize)]
        struct Body<'a> {
            retailer_id: &'a str,
            user_id: &'a str,
            deposit_details: [Detail<'a>; 1],
            allow_partial_success: bool,
            disable_event_publishing: bool,
            culture: &'a str,
        }
        #[derive(Serialize)]
        struct Detail<'a> {
            point_source_id: &'a PointSourceId,
            point_account_id: &'a PointAccountId,
            amount: Points,
            reference_id: &'a str,
            reference_type: &'a str,
            rank: u8,
        }
        let detail = Detail {
            point_source_id: deposit.source,
            point_account_id: deposit.account,
            amount: deposit.amount,
            reference_id: deposit.reference_id,
            reference_type: deposit.reference_type,
            rank: 0,
        };
        let body = Body {
            retailer_id: self.retailer(),
            user_id: self.connect_user(customer)?,
            deposit_details: [detail],
            allow_partial_success: false,
            disable_event_publishing: false,
            culture: self.culture(),
        };
        let operation = match self.settings().points.deposit_version {
            DepositVersion::V1 => Operation::Deposit1,
            DepositVersion::V2 => Operation::Deposit2,
        };
        Ok(moved(self.connect::<Movement>(operation, &body, false).await?))
    }

    /// Takes points. Never repeated, although the vendor takes a key against doubles: what it does with it is not known.
    pub(crate) async fn spend(&self, customer: &CustomerRef, spend: &Spend<'_>) -> Result<Moved> {
        #[derive(Serialize)]
        struct Body<'a> {
            retailer_id: &'a str,
            user_id: &'a str,
            spend_details: [Detail<'a>; 1],
            allow_partial_success: bool,
            disable_event_publishing: bool,
            parallel_mode: bool,
            culture: &'a str,
        }
        #[derive(Serialize)]
        struct Detail<'a> {
            amount: Points,
            point_account_ids: &'a [PointAccountId],
            reference_id: &'a str,
            reference_type: &'a str,
            force_spend: bool,
            rank: u8,
            idempotency_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            point_source_id: Option<&'a PointSourceId>,
        }
        let detail = Detail {
            amount: spend.amount,
            point_account_ids: spend.accounts,
            reference_id: spend.reference_id,
            reference_type: spend.reference_type,
            force_spend: false,
            rank: 0,
            idempotency_id: spend.key,
            point_source_id: spend.source,
        };
        let body = Body {
            retailer_id: self.retailer(),
            user_id: self.connect_user(customer)?,
            spend_details: [detail],
            allow_partial_success: false,
            disable_event_publishing: false,
            parallel_mode: false,
            culture: self.culture(),
        };
        Ok(moved(self.connect::<Movement>(Operation::Spend, &body, false).await?))
    }

    pub(super) fn about<'a>(&'a self, customer: &'a CustomerRef) -> Result<About<'a>> {
        Ok(About {
            retailer_id: self.retailer(),
            user_id: self.connect_user(customer)?,
            culture: self.culture(),
        })
    }

    /// An answer for another retailer is not ours to use.
    fn check_retailer(&self, answered: &str) -> Result<()> {
        if answered.is_empty() || answered.eq_ignore_ascii_case(self.retailer().trim()) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::WrongAccount,
            "SessionM answers for another retailer than this client was made for",
        )
        .with_hint("check `connect.retailer_id`")
        .with_context("retailer", answered))
    }
}

/// What an ok answer says about its one part. Nothing of it is certain for deposits; a failure that it does tell counts.
fn moved(payload: Option<Movement>) -> Moved {
    let Some(payload) = payload else { return Moved::Done(None) };
    let failed = payload.details.iter().find(|detail| {
        detail.error_status.is_some_and(|status| status.0 != 0)
            || detail.error_response.as_ref().is_some_and(|error| !matches!(error.get(), "null" | "{}"))
    });
    if let Some(detail) = failed {
        return Moved::PartFailed(detail.error_status.map(|status| status.0));
    }
    if payload.success.is_some_and(|success| !success.0) {
        return Moved::PartFailed(None);
    }
    Moved::Done(payload.details.first().and_then(|detail| detail.remaining_balance))
}

/// A list that does not end is not a list.
pub(super) fn too_long(what: &'static str) -> Error {
    Error::new(ErrorKind::Incomplete, "the list has more rows than are read").with_context("list", what)
}
