//! The end of a planning: what contradicts itself is taken back, the rest is counted, judged and sealed.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use hris_core::store::Link;
use hris_core::{
    Account, Action, ActionId, ActionKind, Error, ErrorKind, Ground, HoldReason, Invitations, LeaveReason,
    PlanHeader, PlanOrigin, PlanSummary, Problem, ProgressEvent, ReadingSummary, Receipt, Result, Stage,
    Verdict, Watermark, rule,
};

use super::{Ended, Planned, Planning, resolver};
use crate::guard::{GuardInput, emptied, judge};
use crate::incremental::{Circumstances, Remembered};
use crate::planner::{Sequence, Unique};
use crate::policy::Absence;
use crate::view::{action_pages, digest};

impl Planning<'_> {
    /// Everything was read: what contradicts itself is taken back, the rest is counted, judged and sealed.
    pub(super) async fn close(mut self, account: &Account, receipt: Option<&Receipt>) -> Result<Ended> {
        self.apply_grounds(receipt);
        self.take_tombstones(receipt).await?;
        let sequence = self.planner.settle_claims(Self::tells_missing(receipt));
        if self.is_partial() && (self.planner.holds_unread() || self.planner.may_be_somebody_unread()) {
            return Ok(Ended::NeedsEveryone);
        }
        self.settle_managers().await?;
        self.planner.settle_waiting();
        if self.planner.has_second_thoughts() || !sequence.is_empty() {
            self.settle_drafts(&sequence).await?;
        }
        let (missing, absent) = self.report_from_links(receipt).await?;
        let mut summary = self.planner.summary();
        summary.missing = missing;
        if self.parts.target.capabilities().invitations != Invitations::Never && self.spool.opened {
            summary.invitations = self.count_invitations().await?;
        }
        let header = self.header(account, receipt, summary, absent);
        self.seal(header, receipt.is_some()).await.map(|planned| Ended::Planned(Box::new(planned)))
    }

    fn apply_grounds(&mut self, receipt: Option<&Receipt>) {
        match receipt.map(|receipt| &receipt.status) {
            Some(Ground::Usable) => {}
            Some(Ground::Refused(why)) => self.planner.withhold_leavers(why),
            None => self.planner.withhold_leavers("the reading broke off"),
        }
        for warning in receipt.iter().flat_map(|receipt| &receipt.warnings) {
            self.planner.problem(warning.clone());
        }
    }

    /// A trusted tombstone makes a leaver, any other is reported.
    async fn take_tombstones(&mut self, receipt: Option<&Receipt>) -> Result<()> {
        let trusted = receipt.is_some_and(|receipt| receipt.tombstones.is_usable());
        let mut concerned = Vec::new();
        for record in std::mem::take(&mut self.deleted) {
            if self.planner.tombstone(&record, trusted)? {
                concerned.push(record);
            }
        }
        let links = self.links.links_of(&self.parts.connection, &concerned).await?;
        let resolver = resolver(self.parts, self.links, &self.fingerprinter, self.options.as_of);
        let mut actions = Vec::new();
        for link in links.into_iter().flatten() {
            if trusted {
                let reason = self.planner.reason_of_absent(&link.record, LeaveReason::Deleted);
                let action = resolver.gone(&link, reason);
                let ordinal = self.planner.ordinal(&link.record);
                let blocks =
                    |ordinal| self.planner.blocks(ordinal, &action.person, &action.kind, Some(&link));
                if !ordinal.is_some_and(blocks) {
                    actions.push(action);
                }
            } else {
                let message =
                    "the HR system reports the record as deleted; the member stays, since that is not proof";
                let person = link.person();
                self.planner.problem(Problem::warning(rule::PERSON_DELETED, message).of(&person));
            }
        }
        self.spool.append(&actions, &self.planner.take_problems()).await
    }

    /// Goes once through the drafts: takes back what is contested or not allowed, moves up who must go first, and lets
    /// those go in two steps who first go to a temporary value.
    async fn settle_drafts(&mut self, sequence: &Sequence) -> Result<()> {
        let mut retract: Vec<ActionId> = Vec::new();
        let mut rerank = Vec::new();
        let mut park = Vec::new();
        let mut pages = action_pages(self.spool.plans, &self.parts.connection, &self.spool.id, None);
        while let Some(page) = if self.spool.opened { pages.try_next().await? } else { None } {
            for action in page.into_iter().map(|stored| stored.action) {
                let Some(ordinal) = self.planner.ordinal(&action.person.record) else {
                    continue;
                };
                if self.planner.is_reused(ordinal)
                    || self.planner.report_contest(ordinal, &action.person)
                    || !self.planner.fits(ordinal, &action)
                {
                    retract.push(action.id);
                    continue;
                }
                self.planner.warn_near_equal(&action);
                if let Some(kinds) = sequence.parked.get(&ordinal) {
                    retract.push(action.id.clone());
                    park.push((action, kinds, sequence.ranks.get(&ordinal)));
                } else if let Some(rank) = sequence.ranks.get(&ordinal) {
                    rerank.push((action.id, *rank));
                }
            }
        }
        drop(pages);
        if !retract.is_empty() {
            self.spool.plans.retract(self.spool.lease, &self.spool.id, &retract).await?;
        }
        if !rerank.is_empty() {
            self.spool.plans.rerank(self.spool.lease, &self.spool.id, &rerank).await?;
        }
        self.park(park).await
    }

    async fn park(&mut self, park: Vec<(Action, &BTreeSet<Unique>, Option<&u32>)>) -> Result<()> {
        let records: Vec<_> = park.iter().map(|(action, _, _)| action.person.record.clone()).collect();
        let links = self.links.links_of(&self.parts.connection, &records).await?;
        let resolver = resolver(self.parts, self.links, &self.fingerprinter, self.options.as_of);
        let mut actions = Vec::new();
        for ((action, kinds, rank), link) in park.into_iter().zip(links) {
            let Some(link) = link else { continue };
            let [first, mut second] = resolver.in_two_steps(action, &link, kinds);
            second.rank = rank.copied().unwrap_or(second.rank);
            actions.extend([first, second]);
        }
        self.spool.append(&actions, &[]).await
    }

    /// Reports known people of a complete listing who did not come, and those held because of somebody else. Answers how
    /// many are missing and stay, and how many would leave if the guard allowed to ask for them.
    async fn report_from_links(&mut self, receipt: Option<&Receipt>) -> Result<(u64, u64)> {
        let complete = Self::tells_missing(receipt);
        self.counts_missing = complete;
        let missing = if complete { self.planner.missing() } else { 0 };
        if missing == 0 && !self.planner.has_unreported() && !self.planner.has_moves() {
            return Ok((0, 0));
        }
        let mut absent = Vec::new();
        let mut links = self.links.links(&self.parts.connection);
        while let Some(batch) = links.try_next().await? {
            for link in batch {
                absent.extend(self.report_from_link(link, complete));
            }
            self.spool.append(&[], &self.planner.take_problems()).await?;
        }
        let leaving = self.planner.summary().closing();
        let held = self.take_absent(absent).await?;
        Ok((missing - (self.planner.summary().closing() - leaving), held))
    }

    /// Answers the link of somebody missing where absence may make a leaver.
    fn report_from_link(&mut self, link: Link, complete: bool) -> Option<Link> {
        if self.planner.report_moved(&link) {
            self.planner.warn_near_newcomer(&link);
            return None;
        }
        let missing = complete && self.planner.is_missing(&link.record);
        if missing {
            self.planner.warn_near_newcomer(&link);
        }
        if missing && self.parts.policy.absence != Absence::Report {
            return Some(link);
        }
        let ordinal = self.planner.ordinal(&link.record);
        let person = link.person();
        if missing {
            self.planner.report_missing(&person, "not in the complete listing; the member stays as it is");
        } else if let Some(ordinal) = ordinal {
            self.planner.report_contest(ordinal, &person);
        }
        None
    }

    async fn count_invitations(&self) -> Result<u64> {
        let mut pages = action_pages(self.spool.plans, &self.parts.connection, &self.spool.id, None);
        let mut invitations = 0;
        while let Some(page) = pages.try_next().await? {
            let invites = |kind: &ActionKind| matches!(kind, ActionKind::Create { invite: true, .. });
            invitations += page.iter().filter(|stored| invites(&stored.action.kind)).count() as u64;
        }
        Ok(invitations)
    }

    fn header(
        &self,
        account: &Account,
        receipt: Option<&Receipt>,
        summary: PlanSummary,
        absent: u64,
    ) -> PlanHeader {
        let full = receipt.filter(|receipt| receipt.full).map(|_| summary.read);
        let input = GuardInput {
            full_reading: full.is_some(),
            last_complete: self.baseline.as_ref().and_then(|baseline| baseline.last_complete),
            email_changes: self.planner.email_changes(),
            re_keys: self.planner.re_keys(),
            first_import: self.baseline.is_none(),
            left_already: self.options.left_already,
        };
        let verdict = self.verdict(&summary, input, absent);
        let close_down = self.parts.target.capabilities().close_down_days;
        let leaving = close_down
            .filter(|_| summary.closing() > 0)
            .and_then(|days| self.options.as_of.checked_add_days(chrono::Days::new(days.into())));
        let irreversible_from = leaving.into_iter().chain(self.planner.first_irreversible()).min();
        let record_id_kind = receipt.map_or_else(
            || self.parts.connector.descriptor().record_id_kind.clone(),
            |receipt| receipt.record_id_kind.clone(),
        );
        let now = self.parts.clock.now();
        let lifetime = chrono::TimeDelta::from_std(self.parts.policy.plan_expires_after).unwrap_or_default();
        let origin = PlanOrigin {
            id: self.spool.id.clone(),
            connection: self.parts.connection.clone(),
            run: self.lease.holder.clone(),
            reading: ReadingSummary {
                account: account.id.clone(),
                record_id_kind,
                full,
                watermark: receipt.and_then(|receipt| receipt.watermark.clone()),
            },
            mapping: self.parts.mapping.version().clone(),
            policy: self.policy.clone(),
            as_of: self.options.as_of,
            created_at: now,
            expires_at: now + lifetime,
            first_import: self.baseline.is_none(),
        };
        PlanHeader::new(origin, summary, verdict, irreversible_from, self.fingerprinter.key().clone())
    }

    fn verdict(&self, summary: &PlanSummary, input: GuardInput, absent: u64) -> Verdict {
        let policy = &self.parts.policy;
        let mut reasons = match judge(policy, summary, input) {
            Verdict::Ready => Vec::new(),
            Verdict::Held(reasons) => reasons,
        };
        if absent > 0 {
            reasons.retain(|reason| !matches!(reason, HoldReason::TooManyLeavers { .. }));
            let limit = policy.leavers.limit(summary.linked_active + input.left_already);
            reasons.push(HoldReason::TooManyLeavers { planned: summary.closing() + absent, limit });
        }
        reasons.extend(emptied(policy, summary.linked_active, self.planner.clears()));
        if reasons.is_empty() { Verdict::Ready } else { Verdict::Held(reasons) }
    }

    /// Puts the digest on the plan and stores it, unless it says nothing at all.
    async fn seal(mut self, mut header: PlanHeader, read_to_the_end: bool) -> Result<Planned> {
        let problems = self.planner.take_problems();
        let held = header.verdict != Verdict::Ready;
        self.spool.append(&[], &problems).await?;
        if held || self.options.keep_empty {
            self.spool.open().await?;
        }
        let (digest, spooled) = if self.spool.opened {
            digest(self.spool.plans, &header, &self.fingerprinter).await?
        } else {
            (header.digester(&self.fingerprinter).finish(), 0)
        };
        if spooled != header.summary.actions() {
            // The guards judged the counts, so that a plan with other actions must never be applied.
            return Err(Error::new(ErrorKind::Integrity, "the plan has other actions than were counted")
                .with_hint("nothing was applied; please report this with the numbers below")
                .with_context("counted", header.summary.actions())
                .with_context("spooled", spooled));
        }
        header.digest = digest;
        if self.spool.opened {
            self.spool.plans.seal(self.spool.lease, &header).await?;
        }
        self.parts.progress.report(ProgressEvent::new(Stage::Planning, header.summary.actions(), None));
        let (stored, problems) = (self.spool.opened, self.planner.tally().clone());
        let (verified, overrides) = (self.verified.take(), self.planner.take_override_changes());
        let warnings = self.planner.warning_tally().clone();
        let remembered = self.remember(header.reading.watermark.clone(), read_to_the_end);
        Ok(Planned { header, stored, problems, verified, warnings, overrides, remembered })
    }

    /// What to remember. A reading that broke off moves nothing.
    fn remember(self, watermark: Option<Watermark>, read_to_the_end: bool) -> Option<Remembered> {
        if !read_to_the_end || !self.remembers() {
            return None;
        }
        let missing = match &self.checkpoint {
            Some(known) if !self.counts_missing => known.missing.clone(),
            _ => self.missing.clone(),
        };
        let before = self.checkpoint.clone().filter(|_| self.is_partial());
        let (parts, policy, begun, as_of) = (self.parts, self.policy, self.begun, self.options.as_of);
        let now = Circumstances {
            incremental: parts.policy.incremental.as_ref(),
            capabilities: parts.connector.capabilities(),
            mapping: parts.mapping.version(),
            policy: &policy,
            as_of,
            now: begun,
        };
        let leftovers = self.planner.into_leftovers();
        Some(Remembered::new(now, before.as_ref(), watermark, begun, leftovers, missing))
    }
}
