//! The states of a Send and every transition between them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a Send stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendState {
    /// Due, but something is missing, such as the address.
    Planned,
    /// Waits for its instant.
    Scheduled,
    /// Its claim link answers and its mail is on its way. Found like this after a crash, the mail's fate is in doubt.
    Active,
    /// The mail server took the mail.
    Delivered,
    /// The gift was claimed.
    Claimed,
    /// Called off.
    Cancelled,
    /// Not claimed in time.
    Expired,
    /// It cannot be told whether the mail went out. The link answers, since the mail may have arrived.
    Uncertain,
}

/// Why a Send was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The person left: inactive, or the last day of work is before the due date.
    Left,
    /// The HR system says that the record was deleted.
    Deleted,
    /// A complete and fresh reading does not have the person.
    Gone,
    /// The date moved out of the window, or the campaign's rule no longer fits the person.
    NotDue,
    /// Another campaign has the occasion.
    Superseded,
    /// Its time was over before it could be sent.
    TooLate,
    /// The person wants no gifts.
    OptedOut,
    /// The campaign ended.
    CampaignEnded,
    /// The person's data was erased on request.
    Erased,
    /// Somebody withdrew the gift.
    Withdrawn,
}

impl CancelReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Left,
        Self::Deleted,
        Self::Gone,
        Self::NotDue,
        Self::Superseded,
        Self::TooLate,
        Self::OptedOut,
        Self::CampaignEnded,
        Self::Erased,
        Self::Withdrawn,
    ];

    /// Whether the Send lives again when the HR system says that it is due after all.
    pub fn is_revivable(self) -> bool {
        matches!(
            self,
            Self::Left
                | Self::Deleted
                | Self::Gone
                | Self::NotDue
                | Self::Superseded
                | Self::TooLate
                | Self::OptedOut
        )
    }

    /// The word for reports and stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Deleted => "deleted",
            Self::Gone => "gone",
            Self::NotDue => "not_due",
            Self::Superseded => "superseded",
            Self::TooLate => "too_late",
            Self::OptedOut => "opted_out",
            Self::CampaignEnded => "campaign_ended",
            Self::Erased => "erased",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The reason of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// What happens to a Send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendEvent {
    /// It is due but cannot be sent yet.
    Plan,
    /// It has all it needs and an instant.
    Schedule,
    /// Its mail is about to be handed to the mail server.
    Begin,
    /// The mail server took the mail, now or as it turned out.
    Deliver,
    /// The mail was provably not sent and will be tried again.
    PutBack,
    /// The mail server refused the address.
    Refuse,
    /// The mail server's answer was lost.
    Doubt,
    /// The gift was claimed.
    Claim,
    /// It was called off.
    Cancel,
    /// The time of its link is over.
    Expire,
}

impl SendEvent {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::Plan,
        Self::Schedule,
        Self::Begin,
        Self::Deliver,
        Self::PutBack,
        Self::Refuse,
        Self::Doubt,
        Self::Claim,
        Self::Cancel,
        Self::Expire,
    ];
}

impl SendState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Scheduled,
        Self::Active,
        Self::Delivered,
        Self::Claimed,
        Self::Cancelled,
        Self::Expired,
        Self::Uncertain,
    ];

    /// The state after an event; `None` where the event cannot happen in this state.
    ///
    /// A cancelled Send lives again only if [`CancelReason::is_revivable`].
    pub fn after(self, event: SendEvent) -> Option<Self> {
        use SendEvent as E;
        Some(match (self, event) {
            (Self::Planned | Self::Scheduled | Self::Cancelled, E::Plan) => Self::Planned,
            (Self::Planned | Self::Scheduled | Self::Cancelled, E::Schedule) => Self::Scheduled,
            (Self::Scheduled, E::Begin) => Self::Active,
            (Self::Active | Self::Uncertain, E::Deliver) => Self::Delivered,
            (Self::Active | Self::Uncertain, E::PutBack) => Self::Scheduled,
            (Self::Active, E::Refuse) => Self::Planned,
            (Self::Active, E::Doubt) => Self::Uncertain,
            (Self::Active | Self::Delivered | Self::Uncertain, E::Claim) => Self::Claimed,
            (
                Self::Planned | Self::Scheduled | Self::Active | Self::Delivered | Self::Uncertain,
                E::Cancel,
            ) => Self::Cancelled,
            (Self::Delivered | Self::Uncertain, E::Expire) => Self::Expired,
            _ => return None,
        })
    }

    /// Whether nothing was handed to a mail server yet.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Planned | Self::Scheduled)
    }

    /// Whether the gift went out, or may have.
    pub fn went_out(self) -> bool {
        matches!(self, Self::Active | Self::Delivered | Self::Claimed | Self::Uncertain | Self::Expired)
    }

    /// The word for reports and stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Delivered => "delivered",
            Self::Claimed => "claimed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Uncertain => "uncertain",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for SendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows are states, columns events in the order of their lists; `-` where the event cannot happen.
    const TABLE: &str = "
                 plan      schedule  begin  deliver   put_back  refuse  doubt     claim   cancel    expire
        planned  planned   scheduled -      -         -         -       -         -       cancelled -
        scheduled planned  scheduled active -         -         -       -         -       cancelled -
        active   -         -         -      delivered scheduled planned uncertain claimed cancelled -
        delivered -        -         -      -         -         -       -         claimed cancelled expired
        claimed  -         -         -      -         -         -       -         -       -         -
        cancelled planned  scheduled -      -         -         -       -         -       -         -
        expired  -         -         -      -         -         -       -         -       -         -
        uncertain -        -         -      delivered scheduled -       -         claimed cancelled expired
    ";

    #[test]
    fn every_transition_is_in_the_table_and_no_other() {
        let rows: Vec<_> = TABLE.lines().skip(2).filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(rows.len(), SendState::ALL.len());
        for (state, row) in SendState::ALL.into_iter().zip(rows) {
            let mut cells = row.split_whitespace();
            assert_eq!(cells.next(), Some(state.as_str()));
            for event in SendEvent::ALL {
                let wanted = cells.next().unwrap();
                let found = state.after(event).map_or("-", SendState::as_str);
                assert_eq!(found, wanted, "{state} after {event:?}");
            }
            assert_eq!(cells.next(), None);
        }
    }

    #[test]
    fn words_lead_back_to_states_and_reasons() {
        for state in SendState::ALL {
            assert_eq!(SendState::from_word(state.as_str()), Some(state));
        }
        for reason in CancelReason::ALL {
            assert_eq!(CancelReason::from_word(reason.as_str()), Some(reason));
        }
    }
}
