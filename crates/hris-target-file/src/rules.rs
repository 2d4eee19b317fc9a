//! What the file target does with one action: the rules of a strict platform, on the members in memory.

use chrono::{Days, NaiveDate};
use hris_core::{
    Action, ActionKind, Attributes, Delivery, Email, Error, ErrorKind, MemberId, MemberRecord, Outcome,
    Result, TargetField,
};

use crate::members::{Clash, ID_PREFIX, Kept, Members};

/// The members on a day.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) members: &'a mut Members,
    pub(crate) today: NaiveDate,
    /// From how many days after the closing a leaver is gone; never, if `None`.
    pub(crate) close_down_days: Option<u32>,
}

impl Rules<'_> {
    /// Carries an action out, or says why not. Only [`Outcome::Applied`] changed anything.
    pub(crate) fn carry_out(&mut self, action: &Action) -> Outcome {
        let result = match &action.kind {
            ActionKind::Create { attributes, invite } => self.create(attributes, *invite),
            ActionKind::Update { changes } | ActionKind::Park { changes } => {
                self.change(action, changes, false)
            }
            ActionKind::Adopt { changes, reopen } => self.change(action, changes, *reopen),
            ActionKind::Reactivate { changes } => self.change(action, changes, true),
            ActionKind::Leave { .. } => self.close(action),
            _ => Err(Error::unsupported("this target does not know the action")),
        };
        match result {
            Ok(outcome) => outcome,
            Err(error) if error.kind() == ErrorKind::Conflict => Outcome::Conflict(error),
            Err(error) => Outcome::Rejected(error),
        }
    }

    fn create(&mut self, attributes: &Attributes, invite: bool) -> Result<Outcome> {
        let mut own = Attributes::new();
        own.merge(attributes);
        // Padded, so that the order of ids is the order of creation.
        let record = MemberRecord::new(format!("{ID_PREFIX}{:010}", self.members.next_id), own);
        self.check(&record)?;
        let id = record.id.clone();
        self.members.next_id += 1;
        self.members.put(Kept { record, invitations: u64::from(invite) });
        Ok(Outcome::Applied(id))
    }

    fn change(&mut self, action: &Action, changes: &Attributes, open: bool) -> Result<Outcome> {
        let before = self.member_of(action)?;
        let mut after = before.clone();
        after.record.attributes.merge(changes);
        if open {
            after.record.active = true;
            after.record.closes_on = None;
        }
        if after == *before {
            return Ok(Outcome::AlreadySo(after.record.id));
        }
        self.check(&after.record)?;
        Ok(self.put(after))
    }

    fn close(&mut self, action: &Action) -> Result<Outcome> {
        let mut kept = self.member_of(action)?.clone();
        if !kept.record.active {
            return Ok(Outcome::AlreadySo(kept.record.id));
        }
        kept.record.active = false;
        let days = self.close_down_days;
        kept.record.closes_on = days.and_then(|days| self.today.checked_add_days(Days::new(days.into())));
        Ok(self.put(kept))
    }

    fn put(&mut self, kept: Kept) -> Outcome {
        let id = kept.record.id.clone();
        self.members.put(kept);
        Outcome::Applied(id)
    }

    fn member_of(&self, action: &Action) -> Result<&Kept> {
        let member: &MemberId =
            action.member.as_ref().ok_or_else(|| refused("the action names no member"))?;
        let kept = self.members.get(member);
        kept.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such member"))
    }

    /// Whether a member may be like this.
    fn check(&self, record: &MemberRecord) -> Result<()> {
        let id = record.attributes.employee_id();
        if id.is_none_or(|id| id.as_str().trim().is_empty()) {
            return Err(refused("an account needs an Employee ID"));
        }
        let email = record.attributes.text(&TargetField::EMAIL);
        if !email.is_some_and(Email::is_plausible) {
            return Err(refused("an account needs an e-mail address"));
        }
        match self.members.clash(record) {
            None => Ok(()),
            Some(Clash::Email) => Err(conflict("another member has this e-mail address")),
            Some(_) => Err(conflict("another member has this Employee ID")),
        }
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, message).with_delivery(Delivery::Answered)
}

fn conflict(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, message).with_delivery(Delivery::Answered)
}
