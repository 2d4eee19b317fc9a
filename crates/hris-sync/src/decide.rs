//! The leaver table: what to do about one person, from their status and what is known of them. A pure function.

use chrono::{Days, NaiveDate};
use hris_core::{EmploymentStatus, LinkState, RuleCode, rule};

/// What a run knows about a person before reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not linked to any member.
    Unknown,
    /// Linked to a member whose account is in this state.
    Linked(LinkState),
}

/// What the table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A new member. Silent for somebody who was a member before and was deleted meanwhile.
    Create {
        /// Whether the person was linked before.
        known: bool,
    },
    /// Keep the member in step: update what differs.
    Keep,
    /// Close the account.
    Leave,
    /// Open a leaver's account again.
    Reactivate,
    /// Nothing to do.
    Ignore,
    /// Change nothing, and say so under this rule.
    NoChange(RuleCode),
}

/// Decides for one person.
///
/// `as_of` is the customer's calendar date; `create_before_start_days` comes from the policy.
///
/// ```
/// use hris_core::{EmploymentStatus, LinkState};
/// use hris_sync::{Decision, Standing, decide};
/// let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
/// let known = Standing::Linked(LinkState::Active);
/// assert_eq!(decide(&EmploymentStatus::Inactive, known, None, today, None), Decision::Leave);
/// assert_eq!(decide(&EmploymentStatus::Inactive, Standing::Unknown, None, today, None), Decision::Ignore);
/// ```
pub fn decide(
    status: &EmploymentStatus,
    standing: Standing,
    start_date: Option<NaiveDate>,
    as_of: NaiveDate,
    create_before_start_days: Option<u16>,
) -> Decision {
    use EmploymentStatus::{Active, Inactive, OnLeave, Pending};
    match (status, standing) {
        (Active | OnLeave, Standing::Unknown) => Decision::Create { known: false },
        (Active | OnLeave, Standing::Linked(LinkState::Active)) => Decision::Keep,
        (Active | OnLeave, Standing::Linked(LinkState::Leaver { irreversible_from })) => {
            if irreversible_from.is_some_and(|day| as_of >= day) {
                Decision::Create { known: true }
            } else {
                Decision::Reactivate
            }
        }
        (Inactive, Standing::Linked(LinkState::Active)) => Decision::Leave,
        (Inactive, _) => Decision::Ignore,
        (Pending, Standing::Unknown) if starts_soon(start_date, as_of, create_before_start_days) => {
            Decision::Create { known: false }
        }
        (Pending, Standing::Linked(LinkState::Active)) => {
            // Somebody who was created before their start is still pending until then: that is no step back.
            if starts_soon(start_date, as_of, create_before_start_days) {
                Decision::Keep
            } else {
                Decision::NoChange(rule::STATUS_BACKWARDS)
            }
        }
        (Pending, _) => Decision::Ignore,
        // Unknown words, and statuses that this version does not know yet.
        _ => Decision::NoChange(rule::STATUS_UNKNOWN),
    }
}

fn starts_soon(start_date: Option<NaiveDate>, as_of: NaiveDate, days: Option<u16>) -> bool {
    let (Some(start), Some(days)) = (start_date, days) else {
        return false;
    };
    as_of.checked_add_days(Days::new(days.into())).is_some_and(|limit| start <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use EmploymentStatus::{Active, Inactive, OnLeave, Pending, Unknown};

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap()
    }

    fn decision(status: &EmploymentStatus, standing: Standing) -> Decision {
        decide(status, standing, None, day(3, 2), None)
    }

    const MEMBER: Standing = Standing::Linked(LinkState::Active);

    fn leaver(irreversible_from: Option<NaiveDate>) -> Standing {
        Standing::Linked(LinkState::Leaver { irreversible_from })
    }

    #[test]
    fn the_leaver_table_row_by_row() {
        let unknown_word = Unknown(Some("sabbatical".into()));
        let rows = [
            (Active, Standing::Unknown, Decision::Create { known: false }),
            (Active, MEMBER, Decision::Keep),
            (Active, leaver(Some(day(3, 3))), Decision::Reactivate),
            (Active, leaver(None), Decision::Reactivate),
            (Active, leaver(Some(day(3, 2))), Decision::Create { known: true }),
            (Inactive, MEMBER, Decision::Leave),
            (Inactive, Standing::Unknown, Decision::Ignore),
            (Inactive, leaver(None), Decision::Ignore),
            (Pending, Standing::Unknown, Decision::Ignore),
            (Pending, MEMBER, Decision::NoChange(rule::STATUS_BACKWARDS)),
            (Pending, leaver(None), Decision::Ignore),
            (OnLeave, MEMBER, Decision::Keep),
            (OnLeave, Standing::Unknown, Decision::Create { known: false }),
            (unknown_word.clone(), MEMBER, Decision::NoChange(rule::STATUS_UNKNOWN)),
            (unknown_word, Standing::Unknown, Decision::NoChange(rule::STATUS_UNKNOWN)),
            (Unknown(None), leaver(None), Decision::NoChange(rule::STATUS_UNKNOWN)),
        ];
        for (status, standing, expected) in rows {
            assert_eq!(decision(&status, standing), expected, "{status:?} {standing:?}");
        }
    }

    #[test]
    fn pending_people_are_created_before_their_start_only_when_asked_for() {
        let decide_for = |start, days| decide(&Pending, Standing::Unknown, Some(start), day(3, 2), days);
        assert_eq!(decide_for(day(3, 9), None), Decision::Ignore);
        assert_eq!(decide_for(day(3, 9), Some(7)), Decision::Create { known: false });
        assert_eq!(decide_for(day(3, 10), Some(7)), Decision::Ignore);
        let again = decide(&Pending, MEMBER, Some(day(3, 9)), day(3, 2), Some(7));
        assert_eq!(again, Decision::Keep, "created early is no step back");
    }
}
