//! Problems of single rows and fields: codes with parameters, so that a portal can translate and count them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, EmployeeRef, RecordId, SourceField};

/// The stable code of a rule, such as `email.missing`. The list is in `docs/rules.md`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleCode(Cow<'static, str>);

impl RuleCode {
    /// A code with a fixed name. Applications may add their own, with a prefix.
    pub const fn new(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules that rows and fields are reported under.
pub mod rule {
    use super::RuleCode;

    /// The Employee ID is missing or blank: the row cannot be used.
    pub const EMPLOYEE_ID_BLANK: RuleCode = RuleCode::new("employee_id.blank");
    /// Two records carry the same Employee ID: both are held.
    pub const EMPLOYEE_ID_SHARED: RuleCode = RuleCode::new("employee_id.shared");
    /// A linked record now carries another Employee ID (a warning: the key is updated).
    pub const EMPLOYEE_ID_CHANGED: RuleCode = RuleCode::new("employee_id.changed");
    /// A known person who is gone and a new one seem to be the same under another id: both are held until somebody says
    /// whether they are.
    pub const EMPLOYEE_ID_MOVED: RuleCode = RuleCode::new("employee_id.moved");
    /// Somebody else seems to have a known person's id now: held until somebody says who it is.
    pub const EMPLOYEE_ID_REUSED: RuleCode = RuleCode::new("employee_id.reused");
    /// Two Employee IDs differ in blanks or leading zeros only (a warning: they are different people).
    pub const EMPLOYEE_ID_NEAR_EQUAL: RuleCode = RuleCode::new("employee_id.near_equal");
    /// No e-mail address: no account can be created.
    pub const EMAIL_MISSING: RuleCode = RuleCode::new("email.missing");
    /// The text is no e-mail address.
    pub const EMAIL_INVALID: RuleCode = RuleCode::new("email.invalid");
    /// Another person has the same e-mail address.
    pub const EMAIL_SHARED: RuleCode = RuleCode::new("email.shared");
    /// Members take over each other's addresses or Employee IDs in one run: they are held.
    pub const UNIQUE_SWAPPED: RuleCode = RuleCode::new("unique.swapped");
    /// A mandatory field of a known member was emptied: the old value stays.
    pub const MANDATORY_EMPTIED: RuleCode = RuleCode::new("mandatory.emptied");
    /// The status word is unknown or missing: no change.
    pub const STATUS_UNKNOWN: RuleCode = RuleCode::new("status.unknown");
    /// An active member is pending again: no change.
    pub const STATUS_BACKWARDS: RuleCode = RuleCode::new("status.backwards");
    /// Active with an end date in the past: the status decides, nobody leaves.
    pub const END_DATE_PASSED: RuleCode = RuleCode::new("status.end_date_passed");
    /// The row could not be read.
    pub const RECORD_UNREADABLE: RuleCode = RuleCode::new("record.unreadable");
    /// The same record came twice with different content and nothing to tell which is newer.
    pub const RECORD_AMBIGUOUS: RuleCode = RuleCode::new("record.ambiguous");
    /// The same record came twice; one was taken.
    pub const RECORD_REPEATED: RuleCode = RuleCode::new("record.repeated");
    /// A field could not be read; the rest of the row was used.
    pub const FIELD_UNREADABLE: RuleCode = RuleCode::new("field.unreadable");
    /// A required attribute has no value: nobody is created without it, a known member keeps the old one.
    pub const FIELD_REQUIRED: RuleCode = RuleCode::new("field.required");
    /// A lookup table of the mapping has no entry for what the field says.
    pub const FIELD_UNMATCHED: RuleCode = RuleCode::new("field.unmatched");
    /// What a mapping makes of a field is longer than any attribute can be.
    pub const FIELD_TOO_LONG: RuleCode = RuleCode::new("field.too_long");
    /// A mapping does not write Employee ID and e-mail.
    pub const MAPPING_MANDATORY: RuleCode = RuleCode::new("mapping.mandatory");
    /// An attribute is mapped twice.
    pub const MAPPING_TWICE: RuleCode = RuleCode::new("mapping.twice");
    /// A rule reads nothing.
    pub const MAPPING_EMPTY: RuleCode = RuleCode::new("mapping.empty");
    /// A value of one type meets a transform or an attribute of another.
    pub const MAPPING_TYPE: RuleCode = RuleCode::new("mapping.type");
    /// A date format, separator or constant cannot work.
    pub const MAPPING_ARGUMENT: RuleCode = RuleCode::new("mapping.argument");
    /// A condition cannot mean anything.
    pub const MAPPING_CONDITION: RuleCode = RuleCode::new("mapping.condition");
    /// An alternative is never reached.
    pub const MAPPING_UNREACHABLE: RuleCode = RuleCode::new("mapping.unreachable");
    /// Everybody would get the same Employee ID or e-mail, or it would not be kept in step.
    pub const MAPPING_UNIQUE: RuleCode = RuleCode::new("mapping.unique");
    /// A mapping has more rules, alternatives or transforms than allowed.
    pub const MAPPING_TOO_LARGE: RuleCode = RuleCode::new("mapping.too_large");
    /// A document has an unknown name or form.
    pub const MAPPING_FORM: RuleCode = RuleCode::new("mapping.form");
    /// A mapping reads a field that the account does not offer.
    pub const MAPPING_NOT_OFFERED: RuleCode = RuleCode::new("mapping.not_offered");
    /// A member is outside the connection's scope: reported, and they stay unless the policy says otherwise.
    pub const SCOPE_LEFT: RuleCode = RuleCode::new("scope.left");
    /// It cannot be told whether a person belongs to the scope: no change.
    pub const SCOPE_UNKNOWN: RuleCode = RuleCode::new("scope.unknown");
    /// A known person is not in a complete listing.
    pub const PERSON_MISSING: RuleCode = RuleCode::new("person.missing");
    /// A member who had not started yet is not in a complete listing any more.
    pub const PERSON_NOT_STARTED: RuleCode = RuleCode::new("person.not_started");
    /// The vendor deleted the record.
    pub const PERSON_DELETED: RuleCode = RuleCode::new("person.deleted");
    /// More than one member on the rewards side matches this person, or the match belongs to somebody else.
    pub const MEMBER_CONFLICT: RuleCode = RuleCode::new("member.conflict");
    /// The member of a known person vanished from the rewards side.
    pub const MEMBER_VANISHED: RuleCode = RuleCode::new("member.vanished");
    /// The member on the rewards side is not as it was last written: edited by hand, or the write did not stick.
    pub const MEMBER_DRIFTED: RuleCode = RuleCode::new("member.drifted");
    /// The member is protected: it is neither changed nor closed.
    pub const MEMBER_PROTECTED: RuleCode = RuleCode::new("member.protected");
    /// The policy switched this kind of action off.
    pub const ACTION_BLOCKED: RuleCode = RuleCode::new("action.blocked");
    /// Several members on the rewards side have one Employee ID.
    pub const MEMBER_DOUBLED: RuleCode = RuleCode::new("member.doubled");
    /// The rewards side never tells an attribute that is written, so that it cannot be verified.
    pub const MEMBER_UNTOLD: RuleCode = RuleCode::new("member.untold");
    /// The rewards platform refused the action.
    pub const MEMBER_REJECTED: RuleCode = RuleCode::new("member.rejected");
    /// What was recorded with us is used in place of what the HR system says.
    pub const OVERRIDE_USED: RuleCode = RuleCode::new("override.used");
    /// What was recorded with us holds no longer.
    pub const OVERRIDE_ENDED: RuleCode = RuleCode::new("override.ended");
    /// A corrected row of an error file cannot be used.
    pub const OVERRIDE_UNUSABLE: RuleCode = RuleCode::new("override.unusable");
    /// It cannot be told whether the action happened.
    pub const ACTION_UNCERTAIN: RuleCode = RuleCode::new("action.uncertain");
    /// The platform took no requests when an action was to be sent: it stays pending, and the next run sends it.
    pub const ACTION_NOT_ATTEMPTED: RuleCode = RuleCode::new("action.not_attempted");
    /// What the action expected to find had changed in between; it was skipped.
    pub const ACTION_STALE: RuleCode = RuleCode::new("action.stale");
    /// A side listing (departments, offices …) could not be read; the fields that depend on it are absent.
    pub const JOIN_FAILED: RuleCode = RuleCode::new("source.join_failed");
    /// The reading broke off, and the policy allows to apply what was seen. Nobody leaves.
    pub const READING_BROKEN: RuleCode = RuleCode::new("reading.broken");
    /// The reading gives no right to make leavers: planned ones were taken back.
    pub const LEAVERS_WITHHELD: RuleCode = RuleCode::new("reading.leavers_withheld");
    /// The vendor's total and the number of people seen differ.
    pub const TOTAL_MISMATCH: RuleCode = RuleCode::new("source.total_mismatch");

    /// The platform needs an attribute that is missing, blank or to be emptied.
    pub const VALUE_REQUIRED: RuleCode = RuleCode::new("value.required");
    /// A value is too short or too long for the platform.
    pub const VALUE_LENGTH: RuleCode = RuleCode::new("value.length");
    /// A value has characters, or is a word, that the platform does not take.
    pub const VALUE_CHARACTERS: RuleCode = RuleCode::new("value.characters");
    /// A value is no e-mail address by the platform's rules.
    pub const VALUE_EMAIL: RuleCode = RuleCode::new("value.email");
    /// An attribute was sent and is not what the platform has afterwards, or has no place on it.
    pub const VALUE_NOT_STORED: RuleCode = RuleCode::new("value.not_stored");
    /// The manager of a member is not on the platform; the member is there without the reference.
    pub const MANAGER_UNKNOWN: RuleCode = RuleCode::new("manager.unknown");

    /// Every rule above, for documentation checks.
    pub const ALL: &[RuleCode] = &[
        EMPLOYEE_ID_BLANK,
        EMPLOYEE_ID_SHARED,
        EMPLOYEE_ID_CHANGED,
        EMPLOYEE_ID_MOVED,
        EMPLOYEE_ID_REUSED,
        EMPLOYEE_ID_NEAR_EQUAL,
        EMAIL_MISSING,
        EMAIL_INVALID,
        EMAIL_SHARED,
        UNIQUE_SWAPPED,
        MANDATORY_EMPTIED,
        STATUS_UNKNOWN,
        STATUS_BACKWARDS,
        END_DATE_PASSED,
        RECORD_UNREADABLE,
        RECORD_AMBIGUOUS,
        RECORD_REPEATED,
        FIELD_UNREADABLE,
        FIELD_REQUIRED,
        FIELD_UNMATCHED,
        FIELD_TOO_LONG,
        MAPPING_MANDATORY,
        MAPPING_TWICE,
        MAPPING_EMPTY,
        MAPPING_TYPE,
        MAPPING_ARGUMENT,
        MAPPING_CONDITION,
        MAPPING_UNREACHABLE,
        MAPPING_UNIQUE,
        MAPPING_TOO_LARGE,
        MAPPING_FORM,
        MAPPING_NOT_OFFERED,
        SCOPE_LEFT,
        SCOPE_UNKNOWN,
        PERSON_MISSING,
        PERSON_NOT_STARTED,
        PERSON_DELETED,
        MEMBER_CONFLICT,
        MEMBER_VANISHED,
        MEMBER_DRIFTED,
        MEMBER_PROTECTED,
        ACTION_BLOCKED,
        MEMBER_DOUBLED,
        MEMBER_UNTOLD,
        MEMBER_REJECTED,
        OVERRIDE_USED,
        OVERRIDE_ENDED,
        OVERRIDE_UNUSABLE,
        ACTION_UNCERTAIN,
        ACTION_NOT_ATTEMPTED,
        ACTION_STALE,
        JOIN_FAILED,
        READING_BROKEN,
        LEAVERS_WITHHELD,
        TOTAL_MISMATCH,
        VALUE_REQUIRED,
        VALUE_LENGTH,
        VALUE_CHARACTERS,
        VALUE_EMAIL,
        VALUE_NOT_STORED,
        MANAGER_UNKNOWN,
    ];
}

/// A field of one row that could not be used as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field.
    pub field: SourceField,
    /// The rule that it breaks.
    pub rule: RuleCode,
    /// What was expected. Never the offending value.
    pub message: Cow<'static, str>,
}

impl FieldProblem {
    /// A field that could not be read, with what was expected instead.
    pub fn unreadable(field: impl Into<SourceField>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), rule: rule::FIELD_UNREADABLE, message: expected.into() }
    }
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The row or action was carried out, something about it deserves a look.
    Warning,
    /// The row or action was not carried out.
    Error,
}

/// A problem of one person or of the reading as a whole, as it goes into reports and error files.
///
/// It never holds the offending value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// Warning or error.
    pub severity: Severity,
    /// The record concerned, where it has a readable id.
    pub record: Option<RecordId>,
    /// The Employee ID, where known.
    pub employee_id: Option<EmployeeId>,
    /// The field concerned, by its name in mappings.
    pub field: Option<Cow<'static, str>>,
    /// The rule.
    pub rule: RuleCode,
    /// What is wrong and what can be done, in words.
    pub message: Cow<'static, str>,
    /// Another record that it is about: the one that a person seems to have moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<RecordId>,
}

impl Problem {
    /// A problem that kept a row or action from being carried out.
    pub fn error(rule: RuleCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            severity: Severity::Error,
            record: None,
            employee_id: None,
            field: None,
            rule,
            message: message.into(),
            other: None,
        }
    }

    /// A problem that deserves a look.
    pub fn warning(rule: RuleCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(rule, message) }
    }

    /// Says whose problem it is.
    #[must_use]
    pub fn of(mut self, person: &EmployeeRef) -> Self {
        self.record = Some(person.record.clone());
        self.employee_id.clone_from(&person.employee_id);
        self
    }

    /// Says which field it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says which other record it is about.
    #[must_use]
    pub fn beside(mut self, other: RecordId) -> Self {
        self.other = Some(other);
        self
    }
}
