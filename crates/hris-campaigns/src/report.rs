//! What a run did: counts to keep, and lines about people that are only handed over.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use hris_core::{CampaignId, EmployeeRef, Problem, RuleCode, RunId};
use serde::{Deserialize, Serialize};

/// How many lines about people a report holds; beyond that they are counted.
pub const MAX_LINES: usize = 10_000;

/// How the reading of a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReadingOutcome {
    /// Nothing was read: no campaign is switched on, or the day is before the last run's.
    #[default]
    None,
    /// Complete and fresh: everything was planned.
    Complete,
    /// It broke off: nothing was planned from it, and only explicit leavers were cancelled.
    Incomplete,
    /// The data is stale: nothing was planned or cancelled from it.
    Stale,
}

/// What a run did for one campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CampaignCounts {
    /// New Sends with all they need.
    pub scheduled: u64,
    /// New Sends that lack something.
    pub planned: u64,
    /// Sends whose date moved.
    pub moved: u64,
    /// Sends that were confirmed.
    pub confirmed: u64,
    /// Cancelled Sends that live again.
    pub revived: u64,
    /// Sends called off.
    pub cancelled: u64,
    /// Sends whose time was over before they could be sent.
    pub too_late: u64,
    /// Mails that the mail server took.
    pub delivered: u64,
    /// Mails whose fate is unclear.
    pub uncertain: u64,
    /// Mails to be tried again.
    pub delayed: u64,
    /// Mails that the mail server refused.
    pub refused: u64,
    /// Sends that are due and wait: paused, edited, or on stale data.
    pub held: u64,
    /// Why the campaign was not looked after, with the remedy.
    pub not_delivered: Option<String>,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportLine {
    /// The campaign, where it is about one.
    pub campaign: Option<CampaignId>,
    /// Who and what; never a name, an address or a date.
    pub problem: Problem,
}

/// What a run did.
///
/// The history keeps the counts. Lines name people's records, so that they are handed to the caller and not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CampaignReport {
    /// The run.
    pub run: RunId,
    /// The day it was for.
    pub as_of: NaiveDate,
    /// How the reading ended.
    pub reading: ReadingOutcome,
    /// Rows read.
    pub people: u64,
    /// By campaign.
    pub campaigns: BTreeMap<CampaignId, CampaignCounts>,
    /// How often each rule was reported.
    pub rules: BTreeMap<RuleCode, u64>,
    /// Links that ended and names that were erased.
    pub links_expired: u64,
    /// Sends whose name and address were erased.
    pub names_erased: u64,
    /// Lines, up to [`MAX_LINES`].
    #[serde(skip)]
    pub lines: Vec<ReportLine>,
}

impl CampaignReport {
    pub(crate) fn new(run: RunId, as_of: NaiveDate) -> Self {
        Self {
            run,
            as_of,
            reading: ReadingOutcome::None,
            people: 0,
            campaigns: BTreeMap::new(),
            rules: BTreeMap::new(),
            links_expired: 0,
            names_erased: 0,
            lines: Vec::new(),
        }
    }

    /// The counts of one campaign.
    pub fn counts(&self, campaign: &str) -> CampaignCounts {
        self.campaigns.get(campaign).cloned().unwrap_or_default()
    }

    /// How often a rule was reported.
    pub fn count_of(&self, rule: &RuleCode) -> u64 {
        self.rules.get(rule).copied().unwrap_or_default()
    }

    /// The lines of one rule.
    pub fn lines_of<'a>(&'a self, rule: &'a RuleCode) -> impl Iterator<Item = &'a ReportLine> {
        self.lines.iter().filter(move |line| line.problem.rule == *rule)
    }

    pub(crate) fn of(&mut self, campaign: &CampaignId) -> &mut CampaignCounts {
        self.campaigns.entry(campaign.clone()).or_default()
    }

    pub(crate) fn add(&mut self, campaign: Option<&CampaignId>, problem: Problem) {
        *self.rules.entry(problem.rule.clone()).or_default() += 1;
        if self.lines.len() < MAX_LINES {
            self.lines.push(ReportLine { campaign: campaign.cloned(), problem });
        }
    }

    pub(crate) fn warn(
        &mut self,
        campaign: &CampaignId,
        who: Option<&EmployeeRef>,
        rule: RuleCode,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        let problem = Problem::warning(rule, message);
        let problem = if let Some(who) = who { problem.of(who) } else { problem };
        self.add(Some(campaign), problem);
    }
}
