//! The codes that campaign reports use. The list with its tests is in `docs/rules.md`.

use hris_core::RuleCode;

/// The date field is empty for somebody who is employed.
pub const DATE_MISSING: RuleCode = RuleCode::new("campaign.date_missing");
/// The date is on no calendar, or lacks a year that counts.
pub const DATE_IMPOSSIBLE: RuleCode = RuleCode::new("campaign.date_impossible");
/// The date is one that systems fill in where they know none.
pub const DATE_PLACEHOLDER: RuleCode = RuleCode::new("campaign.date_placeholder");
/// The date of birth is in the future.
pub const DATE_FUTURE: RuleCode = RuleCode::new("campaign.date_future");
/// The date came with a time of day; the calendar date was taken as written.
pub const DATE_WITH_TIME: RuleCode = RuleCode::new("campaign.date_with_time");
/// 29 February of a year that has none; month and day were taken.
pub const DATE_LEAP_DAY: RuleCode = RuleCode::new("campaign.date_leap_day");
/// The date of somebody with a Send vanished; the last known one stands.
pub const DATE_VANISHED: RuleCode = RuleCode::new("campaign.date_vanished");
/// No address of the kind that the campaign designates.
pub const ADDRESS_MISSING: RuleCode = RuleCode::new("campaign.address_missing");
/// Two due people share an address or an Employee ID: both are held.
pub const PERSON_SHARED: RuleCode = RuleCode::new("campaign.person_shared");
/// The same record came twice with different content; its Send stays as it was.
pub const PERSON_AMBIGUOUS: RuleCode = RuleCode::new("campaign.person_ambiguous");
/// The row could not be read; the person's Send stays as it was.
pub const PERSON_UNREADABLE: RuleCode = RuleCode::new("campaign.person_unreadable");
/// The status word is unknown; the person counts as present.
pub const STATUS_UNKNOWN: RuleCode = RuleCode::new("campaign.status_unknown");
/// The person wants no gifts.
pub const OPTED_OUT: RuleCode = RuleCode::new("campaign.opted_out");
/// Found after its day, within the allowed lateness.
pub const LATE: RuleCode = RuleCode::new("campaign.late");
/// Found after the allowed lateness: nothing was sent.
pub const TOO_LATE: RuleCode = RuleCode::new("campaign.too_late");
/// Another campaign gives, or gave, this occasion's gift.
pub const SUPERSEDED: RuleCode = RuleCode::new("campaign.superseded");
/// A Send was called off.
pub const CANCELLED: RuleCode = RuleCode::new("campaign.cancelled");
/// A Send's date moved.
pub const MOVED: RuleCode = RuleCode::new("campaign.moved");
/// The integration does not deliver what the campaign needs.
pub const NOT_DELIVERED: RuleCode = RuleCode::new("campaign.not_delivered");
/// The data is too old: nothing was planned or sent on it.
pub const STALE: RuleCode = RuleCode::new("campaign.stale");
/// The reading broke off: nothing was planned from it.
pub const INCOMPLETE: RuleCode = RuleCode::new("campaign.incomplete");
/// The run is for an earlier day than the last one: nothing was done.
pub const CLOCK_BACK: RuleCode = RuleCode::new("campaign.clock_back");
/// The campaign is paused: its Sends wait.
pub const PAUSED: RuleCode = RuleCode::new("campaign.paused");
/// The campaign's rule changed since the Send was planned: it waits for the next reading.
pub const EDITED: RuleCode = RuleCode::new("campaign.edited");
/// The mail server refused the address or the mail.
pub const MAIL_REFUSED: RuleCode = RuleCode::new("campaign.mail_refused");
/// The mail server could not take the mail now; it is tried again.
pub const MAIL_DELAYED: RuleCode = RuleCode::new("campaign.mail_delayed");
/// The mail server's answer was lost: the mail may or may not have gone out.
pub const MAIL_UNCERTAIN: RuleCode = RuleCode::new("campaign.mail_uncertain");

/// Every code above, for documentation checks.
pub const ALL: &[RuleCode] = &[
    DATE_MISSING,
    DATE_IMPOSSIBLE,
    DATE_PLACEHOLDER,
    DATE_FUTURE,
    DATE_WITH_TIME,
    DATE_LEAP_DAY,
    DATE_VANISHED,
    ADDRESS_MISSING,
    PERSON_SHARED,
    PERSON_AMBIGUOUS,
    PERSON_UNREADABLE,
    STATUS_UNKNOWN,
    OPTED_OUT,
    LATE,
    TOO_LATE,
    SUPERSEDED,
    CANCELLED,
    MOVED,
    NOT_DELIVERED,
    STALE,
    INCOMPLETE,
    CLOCK_BACK,
    PAUSED,
    EDITED,
    MAIL_REFUSED,
    MAIL_DELAYED,
    MAIL_UNCERTAIN,
];
