//! Leaving by the end date: at the end of somebody's last day, where they work.

use chrono_tz::Tz;
use hris_core::{Employee, LeaveReason};

use super::Planner;
use crate::decide::Decision;
use crate::policy::EndDate;

impl Planner {
    /// What is decided once the end date has its say.
    pub(super) fn by_end_date(&self, employee: &Employee, decision: Decision) -> Decision {
        match (self.is_over(employee), decision) {
            (Some(true), Decision::Keep) => Decision::Leave,
            (Some(true), Decision::Create { .. } | Decision::Reactivate) => Decision::Ignore,
            (Some(false), Decision::Leave) => Decision::Keep,
            (_, decision) => decision,
        }
    }

    /// Why somebody leaves.
    pub(super) fn leave_reason(&self, employee: &Employee) -> LeaveReason {
        if self.has_not_started(employee) {
            LeaveReason::Withdrawn
        } else if self.is_over(employee) == Some(true) {
            LeaveReason::EndDate
        } else {
            LeaveReason::Status
        }
    }

    /// Whether somebody's last day is over where they work; nothing where the end date has no say.
    fn is_over(&self, employee: &Employee) -> Option<bool> {
        let EndDate::Decides { time_zone } = &self.policy.end_date else { return None };
        let last = *employee.end_date.value()?;
        // An unknown zone of the HR system is as good as none.
        let own = employee.time_zone.value().and_then(|zone| zone.parse::<Tz>().ok());
        let zone = own.or_else(|| time_zone.parse().ok()).unwrap_or(Tz::UTC);
        Some(self.now.with_timezone(&zone).date_naive() > last)
    }

    /// Notes the days around a last day, since it ends at another time in each zone.
    pub(super) fn note_last_day(&mut self, employee: &Employee) {
        if let (EndDate::Decides { .. }, Some(last)) =
            (&self.policy.end_date, employee.end_date.value().copied())
        {
            self.is_due_on(Some(last));
            self.is_due_on(last.succ_opt());
        }
    }
}
