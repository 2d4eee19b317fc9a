//! What a connection still lacks before it can be published: everything at once, not the first thing found.

use std::fmt;

use hris_core::Error;
use serde::Serialize;

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// No frequency was chosen.
    Frequency,
    /// The schedule never runs; the text says why.
    Schedule(String),
    /// The date format was asked and not answered.
    DateFormat,
    /// Nobody is named as the one who set it up.
    Owner,
    /// The account was not authorised.
    Authorisation,
    /// No field was mapped at all.
    Mapping,
    /// The Employee ID is not mapped.
    EmployeeId,
    /// The e-mail address is not mapped.
    Email,
    /// The mapping cannot be used; the text says why.
    MappingRules(String),
    /// No plan was reviewed since the last change.
    Review,
    /// The plan that was reviewed is too old.
    FreshReview,
}

impl Missing {
    pub(crate) fn is_review(&self) -> bool {
        matches!(self, Self::Review | Self::FreshReview)
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Frequency => "frequency",
            Self::Schedule(_) => "schedule",
            Self::DateFormat => "date_format",
            Self::Owner => "owner",
            Self::Authorisation => "authorisation",
            Self::Mapping => "mapping",
            Self::EmployeeId => "mapping.employee_id",
            Self::Email => "mapping.email",
            Self::MappingRules(_) => "mapping.rules",
            Self::Review => "review",
            Self::FreshReview => "review.fresh",
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frequency => "choose how often to import",
            Self::Schedule(why) | Self::MappingRules(why) => why,
            Self::DateFormat => "choose the date format of your own fields",
            Self::Owner => "name who sets the connection up, so that reports reach somebody",
            Self::Authorisation => "authorise the account",
            Self::Mapping => "map the fields that are imported",
            Self::EmployeeId => "map the Employee ID, which identifies a member",
            Self::Email => "map the e-mail address, without which no account can be created",
            Self::Review => "review the plan",
            Self::FreshReview => "review the plan again: the one that was reviewed expired",
        })
    }
}

/// The error that lists everything.
pub(crate) fn refusal(missing: &[Missing]) -> Error {
    let codes: Vec<_> = missing.iter().map(Missing::code).collect();
    let sentences: Vec<_> = missing.iter().map(ToString::to_string).collect();
    Error::config(
        "the connection cannot be published yet",
        format!("{} thing(s) are missing: {}", missing.len(), sentences.join("; ")),
    )
    .with_context("missing", codes.join(" "))
}
