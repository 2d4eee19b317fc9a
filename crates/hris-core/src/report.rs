//! The report that every run leaves: what was read, planned, done and held, without people's data.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{ConnectionKey, Error, HoldReason, PlanId, PlanSummary, RuleCode, RunId, TargetField};

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// The schedule.
    Schedule,
    /// A person asked for it.
    OnDemand,
    /// A held plan was released.
    Release,
    /// The HR system said that something changed.
    Webhook,
    /// Somebody accepted what a plan proposed about one person. Nothing is read or written but a link.
    Accept,
    /// Somebody wants what failed in an earlier run tried again.
    Replay,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
#[non_exhaustive]
pub enum RunResult {
    /// The plan was carried out; single actions may still have failed.
    Applied,
    /// There was nothing to do.
    NothingToDo,
    /// A guard held the plan; nothing was applied.
    Held {
        /// Why.
        reasons: Vec<HoldReason>,
    },
    /// The reading broke off or something else failed; nobody was made a leaver.
    Failed {
        /// The error in words.
        message: String,
    },
    /// Stopped on request; what was journalled is continued by the next run.
    Cancelled,
}

/// Counts of how the actions of a plan ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppliedCounts {
    /// Members created.
    pub created: u64,
    /// Existing members linked.
    pub adopted: u64,
    /// Members updated.
    pub updated: u64,
    /// Members marked as leavers.
    pub left: u64,
    /// Accounts closed before their people ever started. They are no leavers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withdrawn: u64,
    /// Members who were given a temporary unique value for a moment; their update counts beside it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parked: u64,
    /// Leavers who came back.
    pub reactivated: u64,
    /// Invitations sent by the platform.
    pub invited: u64,
    /// Actions that failed or were skipped.
    pub failed: u64,
    /// Actions of which it cannot be told whether they took effect.
    pub uncertain: u64,
    /// Actions not carried out yet.
    pub pending: u64,
}

impl AppliedCounts {
    /// Members whose account was affected.
    pub fn affected(&self) -> u64 {
        self.created + self.adopted + self.updated + self.closed() + self.reactivated
    }

    /// Accounts that were closed, which is what the guard on leavers counts.
    pub fn closed(&self) -> u64 {
        self.left + self.withdrawn
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What a verify run found when it held the members of the platform against what was last written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verification {
    /// Members looked at.
    pub members: u64,
    /// Known members who are not as they were last written.
    pub drifted: u64,
    /// In how many members each attribute is another. Accounts that are open or closed against what is known are not
    /// among them.
    pub attributes: BTreeMap<TargetField, u64>,
    /// Accounts of active members that somebody closed.
    pub closed: u64,
    /// Accounts of leavers that somebody opened.
    pub reopened: u64,
    /// Known members who are not on the platform any more.
    pub vanished: u64,
    /// Members on the platform whom no link leads to; unknown where it cannot list.
    pub unlinked: Option<u64>,
    /// Employee IDs that several members have.
    pub doubled: u64,
    /// Attributes that the platform never tells, so that they cannot be verified.
    pub untold: Vec<TargetField>,
}

impl Verification {
    /// Whether everything is as it was written.
    pub fn is_clean(&self) -> bool {
        self.drifted + self.closed + self.reopened + self.vanished + self.doubled == 0
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} members: {} differ, {} closed and {} reopened elsewhere, {} vanished, {} doubled",
            self.members, self.drifted, self.closed, self.reopened, self.vanished, self.doubled
        )?;
        if let Some(unlinked) = self.unlinked {
            write!(f, ", {unlinked} not linked")?;
        }
        for (field, count) in &self.attributes {
            write!(f, "; {field} in {count}")?;
        }
        for field in &self.untold {
            write!(f, "; {field} is not told")?;
        }
        Ok(())
    }
}

/// The report of one run, as kept in the import history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// Whose run it was.
    pub connection: ConnectionKey,
    /// What started it.
    pub trigger: Trigger,
    /// Who asked for it, where that is recorded: who released a plan or accepted what one proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How it ended.
    pub result: RunResult,
    /// The plan it made or carried out.
    pub plan: Option<PlanId>,
    /// What was planned.
    pub planned: PlanSummary,
    /// What was carried out.
    pub applied: AppliedCounts,
    /// Problems by rule, errors and warnings alike.
    pub problems: BTreeMap<RuleCode, u64>,
    /// Those of [`RunReport::problems`] that are warnings, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub warnings: BTreeMap<RuleCode, u64>,
    /// The earliest day on which a leaver, of this run or of an earlier one, is deleted beyond return.
    pub irreversible_from: Option<NaiveDate>,
    /// What a verify run found on the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verification>,
}

impl RunReport {
    /// The report of a run that has just started and done nothing.
    pub fn started(run: RunId, connection: ConnectionKey, trigger: Trigger, at: DateTime<Utc>) -> Self {
        Self {
            run,
            connection,
            trigger,
            actor: None,
            started_at: at,
            finished_at: at,
            result: RunResult::NothingToDo,
            plan: None,
            planned: PlanSummary::default(),
            applied: AppliedCounts::default(),
            problems: BTreeMap::new(),
            warnings: BTreeMap::new(),
            irreversible_from: None,
            verified: None,
        }
    }

    /// How long it took.
    pub fn duration(&self) -> TimeDelta {
        self.finished_at - self.started_at
    }

    /// What became of each kind of action, in the order of [`ActionKind`](crate::ActionKind): the impact on the
    /// programme.
    pub fn impact(&self) -> [(&'static str, Impact); 6] {
        let held = matches!(self.result, RunResult::Held { .. });
        let (planned, applied) = (&self.planned, &self.applied);
        [
            ("create", planned.create, applied.created),
            ("adopt", planned.adopt, applied.adopted),
            ("update", planned.update, applied.updated),
            ("leave", planned.leave, applied.left),
            ("withdraw", planned.withdraw, applied.withdrawn),
            ("reactivate", planned.reactivate, applied.reactivated),
        ]
        .map(|(kind, planned, applied)| {
            (kind, Impact { planned, applied, held: if held { planned } else { 0 } })
        })
    }

    /// Actions that a guard holds.
    pub fn held(&self) -> u64 {
        self.impact().iter().map(|(_, impact)| impact.held).sum()
    }

    /// Problems that kept a row or an action from being carried out, by rule: those that are no warnings.
    pub fn errors(&self) -> impl Iterator<Item = (&RuleCode, u64)> {
        self.problems.iter().filter_map(|(rule, count)| {
            let errors = count.saturating_sub(self.warnings.get(rule).copied().unwrap_or_default());
            (errors > 0).then_some((rule, errors))
        })
    }

    /// How many problems there were that are no warnings.
    pub fn error_count(&self) -> u64 {
        self.errors().map(|(_, count)| count).sum()
    }

    /// How many warnings there were.
    pub fn warning_count(&self) -> u64 {
        self.warnings.values().sum()
    }

    /// Marks the run as failed. The message is the error's own, which never holds personal data.
    pub fn fail(&mut self, error: &Error) {
        self.result = RunResult::Failed { message: error.to_string() };
    }
}

/// What became of one kind of action in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Impact {
    /// Planned by this run.
    pub planned: u64,
    /// Carried out by this run, those of an earlier plan that it continued included.
    pub applied: u64,
    /// Held by a guard until somebody releases the plan.
    pub held: u64,
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = (self.finished_at - self.started_at).num_seconds();
        writeln!(f, "run {} of {} ({took} s)", self.run, self.connection)?;
        match &self.result {
            RunResult::Applied => writeln!(f, "  result     applied")?,
            RunResult::NothingToDo => writeln!(f, "  result     nothing to do")?,
            RunResult::Held { reasons } => {
                writeln!(f, "  result     held, nothing applied")?;
                for reason in reasons {
                    writeln!(f, "             {reason}")?;
                }
            }
            RunResult::Failed { message } => writeln!(f, "  result     failed: {message}")?,
            RunResult::Cancelled => writeln!(f, "  result     stopped on request")?,
        }
        if let Some(verified) = &self.verified {
            writeln!(f, "  verified   {verified}")?;
        }
        writeln!(f, "  planned    {}", self.planned)?;
        let done = &self.applied;
        writeln!(
            f,
            "  applied    {} created ({} invited), {} adopted, {} updated, {} left, {} reactivated",
            done.created, done.invited, done.adopted, done.updated, done.left, done.reactivated
        )?;
        if done.withdrawn > 0 {
            writeln!(f, "  withdrawn  {} before their start", done.withdrawn)?;
        }
        if done.parked > 0 {
            writeln!(f, "  parked     {} on a temporary value in between", done.parked)?;
        }
        if done.failed + done.uncertain + done.pending > 0 {
            writeln!(
                f,
                "  not done   {} failed, {} uncertain, {} pending",
                done.failed, done.uncertain, done.pending
            )?;
        }
        for (rule, count) in self.errors() {
            writeln!(f, "  problem    {count} × {rule}")?;
        }
        for (rule, count) in &self.warnings {
            writeln!(f, "  warning    {count} × {rule}")?;
        }
        if let Some(day) = self.irreversible_from {
            writeln!(f, "  leavers can be brought back until {day}")?;
        }
        Ok(())
    }
}
