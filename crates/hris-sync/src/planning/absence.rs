//! Known people who are missing from a complete listing: reported, or, where the policy says so, leavers once they
//! missed several listings and a read of that very person confirms it.

use hris_core::store::{Link, Missing};
use hris_core::{EmployeeRef, EmploymentStatus, FieldSet, LeaveReason, Lookup, Receipt, Result};

use super::{Planning, resolver};
use crate::planner::Fate;
use crate::policy::Absence;

/// What became of somebody who is missing.
enum Confirmed {
    /// They leave, for this reason.
    Leaves(LeaveReason),
    /// They stay, for this reason.
    Stays(&'static str),
}

impl Planning<'_> {
    /// Counts how often in a row somebody was missing from a complete listing. With too many of them for the guard on
    /// leavers nobody is asked for: answers how many there are beyond those planned already.
    pub(super) async fn take_absent(&mut self, missing: Vec<Link>) -> Result<u64> {
        let Absence::Leave { complete_runs } = self.parts.policy.absence else { return Ok(0) };
        let before = self.checkpoint.as_ref().map(|known| known.missing.as_slice()).unwrap_or_default();
        let times = |link: &Link| {
            let print = self.fingerprinter.record(&link.record);
            let known = before.iter().find(|known| known.record == print);
            Missing { record: print, readings: known.map_or(1, |known| known.readings.saturating_add(1)) }
        };
        let counted: Vec<_> = missing.into_iter().map(|link| (times(&link), link)).collect();
        self.missing = counted.iter().map(|(missing, _)| *missing).collect();
        let due = |missing: &Missing| missing.readings >= complete_runs.max(2);
        let due: Vec<_> =
            counted.into_iter().filter(|(missing, _)| due(missing)).map(|(_, link)| link).collect();
        let planned = self.planner.summary();
        let limit = self.parts.policy.leavers.limit(planned.linked_active + self.options.left_already);
        if planned.closing() + due.len() as u64 + self.options.left_already > limit {
            return Ok(due.len() as u64);
        }
        for link in due {
            self.confirm_absence(link).await?;
        }
        Ok(0)
    }

    async fn confirm_absence(&mut self, link: Link) -> Result<()> {
        let person = link.person();
        match self.ask_for(&person).await {
            Confirmed::Stays(why) => {
                self.planner.report_missing(&person, why);
                Ok(())
            }
            Confirmed::Leaves(reason) => {
                let Some(ordinal) = self.planner.ordinal(&link.record) else { return Ok(()) };
                let resolver = resolver(self.parts, self.links, &self.fingerprinter, self.options.as_of);
                let reason = self.planner.reason_of_absent(&link.record, reason);
                let action = resolver.gone(&link, reason);
                if self.planner.blocks(ordinal, &person, &action.kind, Some(&link)) {
                    return Ok(());
                }
                self.planner.set_fate(ordinal, Fate::closing(reason));
                let message =
                    "missing from complete listings, and a read of this very person confirms it; leaves";
                self.planner.report_missing(&person, message);
                self.spool.append(&[action], &self.planner.take_problems()).await
            }
        }
    }

    /// Reads one person. Whoever cannot be read stays.
    async fn ask_for(&self, person: &EmployeeRef) -> Confirmed {
        if !self.parts.connector.capabilities().single_read {
            return Confirmed::Stays(
                "missing from complete listings; nobody can be asked for one by one, so they stay",
            );
        }
        match self.parts.connector.employee(person, &FieldSet::default()).await {
            Ok(Lookup::NotFound | Lookup::Deleted) => Confirmed::Leaves(LeaveReason::Absent),
            Ok(Lookup::Found(found)) if found.status == EmploymentStatus::Inactive => {
                Confirmed::Leaves(LeaveReason::Status)
            }
            Ok(Lookup::Found(_)) => {
                Confirmed::Stays("missing from complete listings, but there when asked for")
            }
            Ok(Lookup::Erased) => {
                Confirmed::Stays("the HR system erased this person's data, which is no leaving")
            }
            Ok(_) => {
                Confirmed::Stays("missing from complete listings; the answer about this person is unclear")
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "somebody who is missing cannot be asked for");
                Confirmed::Stays("missing from complete listings; whether they exist could not be asked")
            }
        }
    }

    /// Whether a reading tells who is missing.
    pub(super) fn tells_missing(receipt: Option<&Receipt>) -> bool {
        receipt.is_some_and(|receipt| receipt.full && receipt.absence.ground().is_usable())
    }
}
