//! One gift on its way: a Send, whose stages hold what they need of a person and no more.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{CancelReason, Cursor, SendEvent, SendState};
use crate::keys::{KeyId, Print};
use crate::private::Hidden;
use crate::{CampaignId, Email, Error, ErrorKind, Result};

macro_rules! opaque_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A key made of the bytes of a keyed hash.
            pub const fn new(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Reads the 32 hexadecimal digits that `Display` writes.
            fn from_str(text: &str) -> Result<Self> {
                let number = (text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
                    .then(|| u128::from_str_radix(text, 16).ok())
                    .flatten();
                let number = number.ok_or_else(|| Error::new(ErrorKind::Invalid, "this is no such key"))?;
                Ok(Self(number.to_be_bytes()))
            }
        }
    };
}

opaque_key! {
    /// The key of one gift to one person for one occurrence of one campaign, as a keyed hash: the same whatever
    /// becomes of date, address or name.
    SendId
}
opaque_key! {
    /// The key of an occasion, whichever campaign takes care of it, as a keyed hash.
    OccasionKey
}

/// A person of one connection, as a keyed hash of the record id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub Print);

/// All that is kept of a person. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// First name; empty where the HR system has none.
    pub first_name: String,
    /// Last name; empty where the HR system has none.
    pub last_name: String,
    /// Where the mail goes.
    pub email: Email,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipient").field(&Hidden).finish()
    }
}

/// When something is due, kept only while it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The calendar date, in the zone the campaign counts in.
    pub date: NaiveDate,
    /// When the mail goes out, or is tried next.
    pub send_at: DateTime<Utc>,
    /// From when it is too late to send it: the end of the last allowed day in the recipient's zone.
    pub until: DateTime<Utc>,
    /// When a reading last confirmed person and date.
    pub seen_at: DateTime<Utc>,
    /// Under which version of the campaign's rule.
    pub rule: u32,
    /// How often the mail was tried and provably not sent.
    pub attempts: u16,
}

/// A due date can be a birthday, so that it is not shown.
impl fmt::Debug for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Due")
            .field("rule", &self.rule)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// A calendar month: deadlines after the fact are kept no finer, since a day would tell a birthday.
///
/// ```
/// use hris_core::ledger::Month;
/// let month = Month::of("2026-02-14".parse().unwrap());
/// assert_eq!(month.to_string(), "2026-02");
/// assert!(month < Month::of("2026-03-01".parse().unwrap()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(i32);

impl Month {
    /// The month of a date.
    pub fn of(date: NaiveDate) -> Self {
        Self(date.year() * 12 + date.month0().cast_signed())
    }

    /// The month of the day that lies `days` after a date. A deadline of that many days ends with this month.
    pub fn after_days(date: NaiveDate, days: u16) -> Self {
        Self::of(date.checked_add_signed(TimeDelta::days(days.into())).unwrap_or(NaiveDate::MAX))
    }

    /// Months since year 0, for stores.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The month of such a number.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Month({self})")
    }
}

/// Where a Send stands, with what that stage needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Due; name and address are not kept as long as something is missing.
    Planned(Due),
    /// Ready to be sent.
    Scheduled(Due, Recipient),
    /// On its way.
    Active(Due, Recipient),
    /// Taken by the mail server; the link answers through this month.
    Delivered(Recipient, Month),
    /// Its fate is unclear; the link answers through this month.
    Uncertain(Recipient, Month),
    /// Claimed; name and address are erased after this month.
    Claimed(Option<(Recipient, Month)>),
    /// Called off; name and address, where known, are erased after this month.
    Cancelled(CancelReason, Option<(Recipient, Month)>),
    /// Over; name and address, where known, are erased after this month.
    Expired(Option<(Recipient, Month)>),
}

impl Stage {
    /// The state.
    pub fn state(&self) -> SendState {
        match self {
            Self::Planned(..) => SendState::Planned,
            Self::Scheduled(..) => SendState::Scheduled,
            Self::Active(..) => SendState::Active,
            Self::Delivered(..) => SendState::Delivered,
            Self::Uncertain(..) => SendState::Uncertain,
            Self::Claimed(..) => SendState::Claimed,
            Self::Cancelled(..) => SendState::Cancelled,
            Self::Expired(..) => SendState::Expired,
        }
    }
}

/// One gift for one person and occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Send {
    /// Its key.
    pub id: SendId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Whose it is.
    pub person: PersonKey,
    /// The occasion, for which no other campaign sends a second gift.
    pub occasion: OccasionKey,
    /// The key that its claim link is made with.
    pub link_key: KeyId,
    /// Where it stands.
    pub stage: Stage,
}

impl Send {
    /// A Send.
    pub fn new(
        id: SendId,
        campaign: CampaignId,
        person: PersonKey,
        occasion: OccasionKey,
        link_key: KeyId,
        stage: Stage,
    ) -> Self {
        Self { id, campaign, person, occasion, link_key, stage }
    }

    /// The state.
    pub fn state(&self) -> SendState {
        self.stage.state()
    }

    /// When it is due, while it is.
    pub fn due(&self) -> Option<&Due> {
        match &self.stage {
            Stage::Planned(due) | Stage::Scheduled(due, _) | Stage::Active(due, _) => Some(due),
            _ => None,
        }
    }

    /// Name and address, while they are kept.
    pub fn recipient(&self) -> Option<&Recipient> {
        match &self.stage {
            Stage::Planned(_) => None,
            Stage::Scheduled(_, who)
            | Stage::Active(_, who)
            | Stage::Delivered(who, _)
            | Stage::Uncertain(who, _) => Some(who),
            Stage::Claimed(kept) | Stage::Cancelled(_, kept) | Stage::Expired(kept) => {
                kept.as_ref().map(|(who, _)| who)
            }
        }
    }

    /// The month through which the link answers, or after which name and address are erased.
    pub fn month(&self) -> Option<Month> {
        match &self.stage {
            Stage::Delivered(_, month) | Stage::Uncertain(_, month) => Some(*month),
            Stage::Claimed(kept) | Stage::Cancelled(_, kept) | Stage::Expired(kept) => {
                kept.as_ref().map(|(_, month)| *month)
            }
            _ => None,
        }
    }

    /// Its place in the order of its group.
    pub fn cursor(&self) -> Cursor {
        let order = match self.due() {
            Some(due) => due.date.num_days_from_ce(),
            None => self.month().map_or(i32::MAX, Month::number),
        };
        Cursor { order, id: self.id }
    }

    /// Due, but something is missing.
    ///
    /// # Errors
    /// As every transition: [`ErrorKind::Stale`] where [`SendState::after`] has none.
    pub fn planned(self, due: Due) -> Result<Self> {
        self.step(SendEvent::Plan, |_| Stage::Planned(due))
    }

    /// Complete, with its instant.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn scheduled(self, due: Due, recipient: Recipient) -> Result<Self> {
        self.step(SendEvent::Schedule, |_| Stage::Scheduled(due, recipient))
    }

    /// About to be handed to the mail server.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn begun(self) -> Result<Self> {
        self.step(SendEvent::Begin, |stage| match stage {
            Stage::Scheduled(due, who) => Stage::Active(due, who),
            other => other,
        })
    }

    /// Taken by the mail server: the due date is erased.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn delivered(self, until: Month) -> Result<Self> {
        self.step(SendEvent::Deliver, |stage| match stage {
            Stage::Active(_, who) => Stage::Delivered(who, until),
            Stage::Uncertain(who, month) => Stage::Delivered(who, month),
            other => other,
        })
    }

    /// Provably not sent: tried again when `due` says.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn put_back(self, due: Due) -> Result<Self> {
        self.step(SendEvent::PutBack, |stage| match stage {
            Stage::Active(_, who) | Stage::Uncertain(who, _) => Stage::Scheduled(due, who),
            other => other,
        })
    }

    /// The address was refused: name and address are erased until the HR system has others.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn refused(self, due: Due) -> Result<Self> {
        self.step(SendEvent::Refuse, |_| Stage::Planned(due))
    }

    /// The mail server's answer was lost: the due date is erased.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn doubted(self, until: Month) -> Result<Self> {
        self.step(SendEvent::Doubt, |stage| match stage {
            Stage::Active(_, who) => Stage::Uncertain(who, until),
            other => other,
        })
    }

    /// Claimed; name and address stay through `purge`.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn claimed(self, purge: Month) -> Result<Self> {
        self.step(SendEvent::Claim, |stage| Stage::Claimed(keep(stage, purge)))
    }

    /// Called off: the due date is erased; name and address stay through `purge`.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn cancelled(self, reason: CancelReason, purge: Month) -> Result<Self> {
        self.step(SendEvent::Cancel, |stage| Stage::Cancelled(reason, keep(stage, purge)))
    }

    /// Not claimed in time; name and address stay through `purge`.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] where the transition does not exist.
    pub fn expired(self, purge: Month) -> Result<Self> {
        self.step(SendEvent::Expire, |stage| Stage::Expired(keep(stage, purge)))
    }

    /// Without name and address, as after the purge month; what has not ended is called off.
    #[must_use]
    pub fn erased(mut self) -> Self {
        self.stage = match self.stage {
            Stage::Claimed(_) => Stage::Claimed(None),
            Stage::Expired(_) => Stage::Expired(None),
            Stage::Cancelled(reason, _) => Stage::Cancelled(reason, None),
            _ => Stage::Cancelled(CancelReason::Erased, None),
        };
        self
    }

    fn step(mut self, event: SendEvent, change: impl FnOnce(Stage) -> Stage) -> Result<Self> {
        let state = self.state();
        let is_dead = matches!(&self.stage, Stage::Cancelled(reason, _) if !reason.is_revivable());
        if is_dead || state.after(event).is_none() {
            return Err(Error::new(ErrorKind::Stale, "this cannot happen to the Send any more")
                .with_hint("read the Send again")
                .with_context("send", self.id)
                .with_context("state", state));
        }
        self.stage = change(self.stage);
        Ok(self)
    }
}

fn keep(stage: Stage, purge: Month) -> Option<(Recipient, Month)> {
    match stage {
        Stage::Scheduled(_, who)
        | Stage::Active(_, who)
        | Stage::Delivered(who, _)
        | Stage::Uncertain(who, _) => Some((who, purge)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due() -> Due {
        let at = "2026-03-02T08:00:00Z".parse().unwrap();
        Due { date: "2026-03-02".parse().unwrap(), send_at: at, until: at, seen_at: at, rule: 1, attempts: 0 }
    }

    fn who() -> Recipient {
        Recipient {
            first_name: "Nerea".into(),
            last_name: "Olmedo".into(),
            email: Email::parse("nerea@brisa.example").unwrap(),
        }
    }

    fn send(stage: Stage) -> Send {
        let key = KeyId::new("k");
        Send::new(
            SendId::new([7; 16]),
            "c".into(),
            PersonKey(Print(1)),
            OccasionKey::new([8; 16]),
            key,
            stage,
        )
    }

    #[test]
    fn every_step_leads_where_the_table_says() {
        let month = Month::of(due().date);
        let stages = [
            Stage::Planned(due()),
            Stage::Scheduled(due(), who()),
            Stage::Active(due(), who()),
            Stage::Delivered(who(), month),
            Stage::Uncertain(who(), month),
            Stage::Claimed(None),
            Stage::Cancelled(CancelReason::Left, None),
            Stage::Expired(None),
        ];
        for stage in stages {
            for event in SendEvent::ALL {
                let it = send(stage.clone());
                let before = it.state();
                let after = match event {
                    SendEvent::Plan => it.planned(due()),
                    SendEvent::Schedule => it.scheduled(due(), who()),
                    SendEvent::Begin => it.begun(),
                    SendEvent::Deliver => it.delivered(month),
                    SendEvent::PutBack => it.put_back(due()),
                    SendEvent::Refuse => it.refused(due()),
                    SendEvent::Doubt => it.doubted(month),
                    SendEvent::Claim => it.claimed(month),
                    SendEvent::Cancel => it.cancelled(CancelReason::Left, month),
                    SendEvent::Expire => it.expired(month),
                };
                assert_eq!(after.ok().map(|it| it.state()), before.after(event), "{before} after {event:?}");
            }
        }
    }

    #[test]
    fn what_was_withdrawn_or_erased_never_lives_again() {
        for reason in CancelReason::ALL {
            let lives = send(Stage::Cancelled(reason, None)).scheduled(due(), who()).is_ok();
            assert_eq!(lives, reason.is_revivable(), "{reason:?}");
        }
    }

    #[test]
    fn the_due_date_is_gone_once_delivered_cancelled_or_in_doubt() {
        let month = Month::of(due().date);
        let active = send(Stage::Active(due(), who()));
        for ended in [
            active.clone().delivered(month),
            active.clone().doubted(month),
            active.clone().cancelled(CancelReason::Left, month),
            active.claimed(month),
        ] {
            assert_eq!(ended.unwrap().due(), None);
        }
    }

    #[test]
    fn debug_shows_no_name_address_or_date() {
        let shown = format!("{:?}", send(Stage::Scheduled(due(), who())));
        for private in ["Nerea", "Olmedo", "brisa", "2026"] {
            assert!(!shown.contains(private), "{shown}");
        }
    }

    #[test]
    fn keys_and_months_are_read_back() {
        let id = SendId::new([0xa5; 16]);
        assert_eq!(id.to_string().parse::<SendId>().unwrap(), id);
        for bad in ["", "a5", "+0000000000000000000000000000000", "zz000000000000000000000000000000"] {
            assert!(bad.parse::<SendId>().is_err(), "{bad}");
        }
        let month = Month::after_days("2026-01-31".parse().unwrap(), 30);
        assert_eq!((month.to_string().as_str(), Month::from_number(month.number())), ("2026-03", month));
    }
}
