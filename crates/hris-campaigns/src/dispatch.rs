//! Sending what is due: looked at once more, written down before it goes, and written down again after.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hris_core::ledger::{
    Batch, CampaignStatus, CancelReason, Due, Recipient, Send, SendChange, SendId, SendState, Stage,
};
use hris_core::store::Lease;
use hris_core::{
    CampaignId, Delivery, Error, ErrorKind, GiftMail, MailFate, Mailbox, Problem, Result, RuleCode, RunId,
};

use crate::claim::ClaimToken;
use crate::report::CampaignReport;
use crate::rule;
use crate::service::{Campaigns, Listed};
use crate::template::Values;

/// The longest wait between two tries of a mail.
const LONGEST_RETRY: Duration = Duration::from_secs(6 * 60 * 60);

/// What became of a mail.
enum Outcome {
    /// The mail server took it.
    Taken,
    /// It was provably not sent; worth another try, or the whole server is away.
    Delayed { everybody: bool },
    /// The mail server wants none of it.
    Refused(String),
    /// It cannot be told.
    Unclear,
}

impl Campaigns {
    /// Sends what is due by now, between two daily runs: as often as one likes.
    ///
    /// # Errors
    /// [`ErrorKind::Leased`] where a run or another dispatch is under way; what the ledger reports.
    #[tracing::instrument(skip_all, fields(run = %run))]
    pub async fn dispatch(&self, run: &RunId) -> Result<CampaignReport> {
        let lease = self.take_lease(run).await?;
        let mut report = CampaignReport::new(run.clone(), self.today());
        let result = self.send_due(&lease, &mut report).await;
        let _ = self.ledger.release(&lease).await;
        result.map(|()| report)
    }

    /// Sends the mail of an uncertain Send once more, on somebody's decision: the same mail with the same link, which
    /// can be claimed once whichever copy is used.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the Send is not uncertain; [`ErrorKind::Leased`] as [`Campaigns::dispatch`].
    #[tracing::instrument(skip_all, fields(run = %run))]
    pub async fn send_again(&self, run: &RunId, id: &SendId) -> Result<CampaignReport> {
        let lease = self.take_lease(run).await?;
        let mut report = CampaignReport::new(run.clone(), self.today());
        let result = self.send_again_under(&lease, id, &mut report).await;
        let _ = self.ledger.release(&lease).await;
        result.map(|()| report)
    }

    async fn send_again_under(&self, lease: &Lease, id: &SendId, report: &mut CampaignReport) -> Result<()> {
        let send = self.send(id).await?;
        let listed = self.campaign(&send.campaign).await?;
        if send.state() != SendState::Uncertain {
            return Err(Error::new(ErrorKind::Stale, "the Send is not uncertain").with_context("send", id));
        }
        let now = self.clock.now();
        let due = Due {
            date: self.today(),
            send_at: now,
            until: now + TimeDelta::days(1),
            seen_at: now,
            rule: listed.record.rule,
            attempts: 1,
        };
        let waiting = send.put_back(due)?;
        if self.write(lease, SendState::Uncertain, waiting.clone()).await? {
            self.attempt(lease, &listed, waiting, report).await?;
        }
        Ok(())
    }

    pub(crate) async fn send_due(&self, lease: &Lease, report: &mut CampaignReport) -> Result<()> {
        let listed = self.list().await?;
        self.take_up(lease, report).await?;
        let now = self.clock.now();
        let due = self.ledger.due(&self.connection, now, usize::MAX).await?;
        let mut lease = lease.clone();
        for send in due {
            let Some(campaign) = find(&listed, &send.campaign) else { continue };
            if let Some((code, message)) = self.held(campaign, &send, now) {
                report.of(&send.campaign).held += 1;
                report.warn(&send.campaign, None, code, format!("{message} (Send {})", send.id));
                continue;
            }
            lease = self.keep_lease(lease).await?;
            if self.attempt(&lease, campaign, send, report).await? == Going::Stop {
                break;
            }
        }
        Ok(())
    }

    /// What an earlier run left behind: mails whose fate is open, and Sends whose time is over.
    async fn take_up(&self, lease: &Lease, report: &mut CampaignReport) -> Result<()> {
        let now = self.clock.now();
        for send in self.undelivered().await? {
            if send.state() == SendState::Active {
                let outcome = match self.mailer.fate(&send.id.to_string()).await {
                    Ok(MailFate::Sent) => Outcome::Taken,
                    Ok(MailFate::NotSent) => Outcome::Delayed { everybody: false },
                    Ok(MailFate::Unknown) => Outcome::Unclear,
                    // Asked again next time.
                    Err(_) => continue,
                };
                self.conclude(lease, send, outcome, report).await?;
            } else if send.due().is_some_and(|due| due.until <= now) {
                self.give_up(lease, send, report).await?;
            }
        }
        Ok(())
    }

    async fn give_up(&self, lease: &Lease, send: Send, report: &mut CampaignReport) -> Result<()> {
        let (state, campaign, id) = (send.state(), send.campaign.clone(), send.id);
        if self.write(lease, state, send.cancelled(CancelReason::TooLate, self.purge())?).await? {
            report.of(&campaign).too_late += 1;
            let message = format!("its time is over and nothing was sent (Send {id})");
            report.add(Some(&campaign), Problem::error(rule::TOO_LATE, message));
        }
        Ok(())
    }

    /// Why a Send has to wait although it is due.
    fn held(&self, campaign: &Listed, send: &Send, now: DateTime<Utc>) -> Option<(RuleCode, &'static str)> {
        let due = send.due()?;
        let max_age = TimeDelta::from_std(self.policy.max_age).unwrap_or(TimeDelta::MAX);
        if campaign.status != CampaignStatus::Live {
            Some((rule::PAUSED, "the campaign is paused"))
        } else if due.rule != campaign.record.rule {
            Some((rule::EDITED, "the campaign's rule changed; the next reading decides"))
        } else if now.signed_duration_since(due.seen_at) > max_age {
            Some((rule::STALE, "the person's data is too old; the next complete reading decides"))
        } else {
            None
        }
    }

    /// Hands one mail over.
    async fn attempt(
        &self,
        lease: &Lease,
        campaign: &Listed,
        send: Send,
        report: &mut CampaignReport,
    ) -> Result<Going> {
        let active = send.begun()?;
        let Stage::Active(_, recipient) = &active.stage else { return Ok(Going::On) };
        let mail = self.mail(campaign, &active, recipient).await?;
        // From here on the link answers. What follows is one mail, or an open question that is never a second mail.
        if !self.write(lease, SendState::Scheduled, active.clone()).await? {
            return Ok(Going::On);
        }
        let outcome = match self.mailer.send(&mail).await {
            Ok(()) => Outcome::Taken,
            Err(error) => self.judge(&error, &mail.key).await,
        };
        let going =
            if matches!(outcome, Outcome::Delayed { everybody: true }) { Going::Stop } else { Going::On };
        self.conclude(lease, active, outcome, report).await?;
        Ok(going)
    }

    async fn mail(&self, campaign: &Listed, send: &Send, recipient: &Recipient) -> Result<GiftMail> {
        let key = self.keys.key(&send.link_key).await?;
        let campaign = &campaign.campaign;
        let filled = campaign.mail().fill(Values {
            first_name: &recipient.first_name,
            last_name: &recipient.last_name,
            claim_link: &self.links.link(&ClaimToken::of(&key, &send.id)),
            campaign_name: campaign.name(),
        })?;
        let name = format!("{} {}", recipient.first_name, recipient.last_name);
        let to = Mailbox::new(name.trim(), recipient.email.clone());
        let mail =
            GiftMail::new(send.id.to_string(), campaign.sender().clone(), to, filled.subject, filled.text);
        Ok(if let Some(html) = filled.html { mail.with_html(html) } else { mail })
    }

    async fn judge(&self, error: &Error, key: &str) -> Outcome {
        match (error.delivery(), error.is_retryable()) {
            (Delivery::Unknown, _) => match self.mailer.fate(key).await {
                Ok(MailFate::Sent) => Outcome::Taken,
                Ok(MailFate::NotSent) => Outcome::Delayed { everybody: false },
                Ok(MailFate::Unknown) | Err(_) => Outcome::Unclear,
            },
            (Delivery::NotSent, true) => {
                Outcome::Delayed { everybody: error.kind() == ErrorKind::Unavailable }
            }
            (Delivery::Answered, true) => Outcome::Delayed { everybody: false },
            // A wrong password is not the recipient's fault.
            (_, false) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Config) => {
                Outcome::Delayed { everybody: true }
            }
            (_, false) => Outcome::Refused(error.to_string()),
        }
    }

    async fn conclude(
        &self,
        lease: &Lease,
        send: Send,
        outcome: Outcome,
        report: &mut CampaignReport,
    ) -> Result<()> {
        let (id, campaign) = (send.id, send.campaign.clone());
        let Some(due) = send.due().copied() else { return Ok(()) };
        let until = self.link_until(due.date);
        let line = |report: &mut CampaignReport, code: RuleCode, message: String| {
            report.add(Some(&campaign), Problem::error(code, format!("{message} (Send {id})")));
        };
        let after = match &outcome {
            Outcome::Taken => send.clone().delivered(until)?,
            Outcome::Unclear => send.clone().doubted(until)?,
            Outcome::Delayed { .. } => send.clone().put_back(self.later(due))?,
            Outcome::Refused(_) => send.clone().refused(self.later(due))?,
        };
        if !self.write(lease, SendState::Active, after).await? {
            // Claimed or erased while the mail was on its way; or its campaign ended, and it was not sent.
            return self.give_way(lease, &send, &outcome).await;
        }
        match outcome {
            Outcome::Taken => report.of(&campaign).delivered += 1,
            Outcome::Unclear => {
                report.of(&campaign).uncertain += 1;
                let message =
                    "the mail server's answer was lost: the mail may have gone out; somebody has to decide";
                line(report, rule::MAIL_UNCERTAIN, message.to_owned());
            }
            Outcome::Delayed { .. } => {
                report.of(&campaign).delayed += 1;
                line(
                    report,
                    rule::MAIL_DELAYED,
                    "the mail could not be sent now and is tried again".to_owned(),
                );
            }
            Outcome::Refused(why) => {
                report.of(&campaign).refused += 1;
                line(report, rule::MAIL_REFUSED, format!("the mail was refused: {why}"));
            }
        }
        Ok(())
    }

    /// A mail that was not sent has nowhere to wait any more where its campaign ended or the person opted out.
    async fn give_way(&self, lease: &Lease, send: &Send, outcome: &Outcome) -> Result<()> {
        if matches!(outcome, Outcome::Delayed { .. } | Outcome::Refused(_)) {
            let cancelled = send.clone().cancelled(CancelReason::CampaignEnded, self.purge())?;
            self.write(lease, SendState::Active, cancelled).await?;
        }
        Ok(())
    }

    /// The next try of a mail: later each time.
    fn later(&self, due: Due) -> Due {
        let doublings = u32::from(due.attempts.min(16));
        let wait = self.policy.retry_after.saturating_mul(1 << doublings).min(LONGEST_RETRY);
        let send_at = self.clock.now() + wait;
        Due { send_at, attempts: due.attempts.saturating_add(1), ..due }
    }

    async fn write(&self, lease: &Lease, expects: SendState, send: Send) -> Result<bool> {
        let change = SendChange { expects: Some(expects), send };
        let batch = Batch { changes: vec![change], ..Batch::default() };
        Ok(self.ledger.commit(lease, &batch).await?.is_empty())
    }
}

#[derive(PartialEq, Eq)]
enum Going {
    On,
    Stop,
}

fn find<'a>(listed: &'a [Listed], id: &CampaignId) -> Option<&'a Listed> {
    listed.iter().find(|listed| listed.campaign.id() == id)
}
