//! The steps of a connection's life: each checks whether it may be taken, and changes the connection or nothing.

use chrono::{DateTime, Utc};
use hris_core::{Account, Error, ErrorKind, MappingDocument, PlanHeader, Result, TargetField, rule};

use crate::connection::{AuthorisedAccount, Connection, PublishedMapping, Review, TakenStep};
use crate::missing::Missing;
use crate::setup::Setup;
use crate::stage::{Stage, Step};

/// How many steps are remembered.
const REMEMBERED_STEPS: usize = 200;

/// The steps from draft to published, and back.
impl Connection {
    /// Saves the initial set-up, or a change of it. A change of the date format or of the welcome message makes an
    /// open review void; a new schedule counts from now.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a schedule that never runs or a date format that is not asked.
    pub fn set_up(&mut self, setup: Setup, actor: &str, now: DateTime<Utc>) -> Result<()> {
        Step::SetUp.check(self.stage)?;
        if let Some(schedule) = &setup.schedule {
            schedule.check(now)?;
        }
        if setup.date_format.is_some() && !self.asks_date_format {
            return Err(Error::config(
                format!("{} fixes the form of its dates", self.vendor_name),
                "leave the date format out",
            ));
        }
        if setup.welcome != self.setup.welcome || setup.date_format != self.setup.date_format {
            self.void_review();
        }
        if setup.schedule != self.setup.schedule {
            self.timetable.start_from(now);
        }
        self.setup = setup;
        if let (Some(format), Some(mapping)) = (self.setup.date_format, &mut self.draft) {
            format.apply(mapping);
        }
        self.took(Step::SetUp, actor, now);
        Ok(())
    }

    /// Takes note of a checked account. The first one is pinned; a later one has to be the same company.
    ///
    /// # Errors
    /// [`ErrorKind::WrongAccount`] for another company; nothing changes then.
    pub fn authorised(&mut self, account: &Account, actor: &str, now: DateTime<Utc>) -> Result<()> {
        self.check_account(account)?;
        self.account = Some(AuthorisedAccount {
            id: account.id.clone(),
            name: account.name.clone(),
            not_ready: account.not_ready.clone(),
            remarks: account.remarks.clone(),
            at: now,
        });
        match self.stage {
            Stage::Draft => {
                self.stage = Stage::Authorised;
                self.restage();
            }
            Stage::Quarantined if self.quarantine_is_about_credentials() => self.end_quarantine(now),
            _ => {}
        }
        self.took(Step::Authorise, actor, now);
        Ok(())
    }

    /// Whether an account may be authorised for this connection.
    ///
    /// # Errors
    /// As [`Connection::authorised`].
    pub fn check_account(&self, account: &Account) -> Result<()> {
        Step::Authorise.check(self.stage)?;
        match &self.account {
            Some(known) if known.id != account.id => Err(Error::new(
                ErrorKind::WrongAccount,
                "the credential opens another company than this connection was made for",
            )
            .with_hint(
                "use a credential of the same company, or set up a new connection; nothing was changed",
            )),
            _ => Ok(()),
        }
    }

    /// Saves a mapping, complete or not. While a published one is live, this is the next one in the making.
    pub fn map(&mut self, mapping: MappingDocument, actor: &str, now: DateTime<Utc>) -> Result<()> {
        Step::Map.check(self.stage)?;
        let mut mapping = mapping;
        if let Some(format) = self.setup.date_format {
            format.apply(&mut mapping);
        }
        self.draft = Some(mapping);
        self.review = None;
        if !self.stage.was_published() {
            self.stage = Stage::Authorised;
            self.restage();
        }
        self.took(Step::Map, actor, now);
        Ok(())
    }

    /// Checks that nothing is missing but the review itself.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with everything that is.
    pub fn check_ready_for_review(&self, now: DateTime<Utc>) -> Result<()> {
        Step::Review.check(self.stage)?;
        let missing: Vec<_> = self.missing(now).into_iter().filter(|missing| !missing.is_review()).collect();
        if missing.is_empty() { Ok(()) } else { Err(crate::missing::refusal(&missing)) }
    }

    /// Saves the plan that a review showed.
    ///
    /// # Errors
    /// As [`Connection::publish`], for everything but the review itself; [`ErrorKind::Stale`] if the plan was made
    /// with another mapping than the one being worked on.
    pub fn record_review(&mut self, plan: &PlanHeader, actor: &str, now: DateTime<Utc>) -> Result<()> {
        self.check_ready_for_review(now)?;
        if plan.connection != self.key || plan.mapping != *self.draft_mapping()?.version() {
            return Err(Error::new(ErrorKind::Stale, "the plan was made with another mapping or connection")
                .with_hint("make the plan again"));
        }
        self.review = Some(Review {
            plan: plan.id.clone(),
            digest: plan.digest.clone(),
            mapping: plan.mapping.clone(),
            summary: plan.summary.clone(),
            expires_at: plan.expires_at,
        });
        if !self.stage.was_published() {
            self.stage = Stage::Reviewed;
        }
        self.took(Step::Review, actor, now);
        Ok(())
    }

    /// Makes the reviewed mapping live, given the digest that the review showed. The schedule counts from now.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with everything that is [`Connection::missing`]; [`ErrorKind::Stale`] for another
    /// digest than the reviewed one.
    pub fn publish(&mut self, digest: &str, actor: &str, now: DateTime<Utc>) -> Result<Review> {
        Step::Publish.check(self.stage)?;
        let missing = self.missing(now);
        let Some(review) = self.review.clone().filter(|_| missing.is_empty()) else {
            return Err(crate::missing::refusal(&missing));
        };
        if review.digest != digest {
            return Err(Error::new(ErrorKind::Stale, "the digest is not the one of the reviewed plan")
                .with_hint("look at the plan again and confirm the digest that it shows"));
        }
        let mapping = self.draft.take().or_else(|| self.draft_document().cloned());
        let mapping = mapping.ok_or_else(|| crate::missing::refusal(&[Missing::Mapping]))?;
        let number = self.published.last().map_or(1, |last| last.number.saturating_add(1));
        let version = review.mapping.clone();
        self.published.push(PublishedMapping { number, version, mapping, at: now, actor: actor.to_owned() });
        self.review = None;
        if !self.stage.was_published() {
            self.stage = Stage::Published;
            self.timetable.start_from(now);
        }
        self.took(Step::Publish, actor, now);
        Ok(review)
    }

    /// Everything that is missing before the connection can be published, in the order of the set-up.
    pub fn missing(&self, now: DateTime<Utc>) -> Vec<Missing> {
        let mut missing = Vec::new();
        match &self.setup.schedule {
            None => missing.push(Missing::Frequency),
            Some(schedule) => {
                let reason = schedule.check(now).err().map(|error| Missing::Schedule(error.to_string()));
                missing.extend(reason);
            }
        }
        if self.asks_date_format && self.setup.date_format.is_none() {
            missing.push(Missing::DateFormat);
        }
        if self.setup.owner.is_none() {
            missing.push(Missing::Owner);
        }
        if self.account.is_none() {
            missing.push(Missing::Authorisation);
        }
        let mapping = self.missing_of_mapping();
        let mapped = mapping.is_empty();
        missing.extend(mapping);
        match &self.review {
            Some(review) if review.expires_at <= now => missing.push(Missing::FreshReview),
            Some(_) if mapped => {}
            _ => missing.push(Missing::Review),
        }
        missing
    }

    fn missing_of_mapping(&self) -> Vec<Missing> {
        let Some(document) = self.draft_document().filter(|document| !document.fields.is_empty()) else {
            return vec![Missing::Mapping, Missing::EmployeeId, Missing::Email];
        };
        let is_mapped = |target: &TargetField| document.fields.iter().any(|rule| rule.target == *target);
        let mut missing = Vec::new();
        if !is_mapped(&TargetField::EMPLOYEE_ID) {
            missing.push(Missing::EmployeeId);
        }
        if !is_mapped(&TargetField::EMAIL) {
            missing.push(Missing::Email);
        }
        // That something mandatory is missing was said already.
        let faults = document.check().into_iter().filter(|fault| fault.rule != rule::MAPPING_MANDATORY);
        missing.extend(faults.map(|fault| Missing::MappingRules(fault.to_string())));
        missing
    }

    /// A mapping that is complete moves an authorised connection on.
    fn restage(&mut self) {
        if self.stage == Stage::Authorised && self.missing_of_mapping().is_empty() {
            self.stage = Stage::Mapped;
        }
    }

    fn void_review(&mut self) {
        self.review = None;
        if self.stage == Stage::Reviewed {
            self.stage = Stage::Mapped;
        }
    }
}

/// The steps of a published connection.
impl Connection {
    /// Stops running. What is under way is finished.
    pub fn pause(&mut self, actor: &str, now: DateTime<Utc>) -> Result<()> {
        Step::Pause.check(self.stage)?;
        self.stage = Stage::Paused;
        self.took(Step::Pause, actor, now);
        Ok(())
    }

    /// Runs again. What would have run during the pause is not made up for and not reported as missed: it was meant.
    pub fn resume(&mut self, actor: &str, now: DateTime<Utc>) -> Result<()> {
        Step::Resume.check(self.stage)?;
        self.end_quarantine(now);
        self.took(Step::Resume, actor, now);
        Ok(())
    }

    /// Ends a quarantine: somebody removed the cause.
    pub fn release(&mut self, actor: &str, now: DateTime<Utc>) -> Result<()> {
        Step::Release.check(self.stage)?;
        self.end_quarantine(now);
        self.took(Step::Release, actor, now);
        Ok(())
    }

    /// Withdraws access: nothing runs any more, and nobody is made a leaver because of it. Links and history stay.
    pub fn revoke(&mut self, actor: &str, now: DateTime<Utc>) -> Result<()> {
        Step::Revoke.check(self.stage)?;
        if self.stage == Stage::Revoked {
            return Ok(());
        }
        self.stage = Stage::Revoked;
        self.review = None;
        self.timetable.requests.clear();
        self.took(Step::Revoke, actor, now);
        Ok(())
    }

    fn end_quarantine(&mut self, now: DateTime<Utc>) {
        self.stage = Stage::Published;
        self.health.quarantine = None;
        self.health.failures = 0;
        self.timetable.start_from(now);
    }

    fn quarantine_is_about_credentials(&self) -> bool {
        self.health.quarantine.as_ref().is_some_and(|known| known.reason.is_about_credentials())
    }

    pub(crate) fn took(&mut self, step: Step, actor: &str, at: DateTime<Utc>) {
        tracing::info!(connection = %self.key, step = step.as_str(), stage = self.stage.as_str(), "step taken");
        self.steps.push(TakenStep { step, at, actor: actor.to_owned() });
        let surplus = self.steps.len().saturating_sub(REMEMBERED_STEPS);
        self.steps.drain(..surplus);
    }
}
