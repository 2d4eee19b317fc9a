//! The initial set-up: what an administrator chooses, and what each choice recommends, as data for a form.

use std::fmt;

use hris_core::descriptor::Integration;
use hris_core::{
    Invitations, MappingDocument, MemberField, Origin, Recipient, SourceField, TargetField, Transform,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schedule::Schedule;

/// What an administrator chooses before anything is authorised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Setup {
    /// When imports happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How the customer writes dates in free text, where that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_format: Option<DateFormat>,
    /// Whether new members get a welcome message. Pre-ticked.
    pub welcome: bool,
    /// Who set the connection up: every report goes to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { schedule: None, date_format: None, welcome: true, owner: None }
    }
}

impl Setup {
    /// Nothing chosen yet, with the welcome message ticked.
    pub fn new() -> Self {
        Self::default()
    }

    /// When imports happen.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// How dates are written in free text.
    #[must_use]
    pub fn with_date_format(mut self, format: DateFormat) -> Self {
        self.date_format = Some(format);
        self
    }

    /// Whether new members get a welcome message.
    #[must_use]
    pub fn with_welcome(mut self, welcome: bool) -> Self {
        self.welcome = welcome;
        self
    }

    /// Who sets the connection up.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }
}

/// Who set a connection up. `Debug` shows the actor id alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Owner {
    /// The application's id of the person, as recorded for every step.
    pub actor: String,
    /// Where reports go.
    pub contact: Recipient,
}

impl Owner {
    /// A person who sets connections up.
    pub fn new(actor: impl Into<String>, contact: Recipient) -> Self {
        Self { actor: actor.into(), contact }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("actor", &self.actor).finish_non_exhaustive()
    }
}

/// How a customer writes dates in free text. ISO 8601 (`2026-03-02`) is always understood as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DateFormat {
    /// `31/12/2026`.
    DayMonthYear,
    /// `12/31/2026`.
    MonthDayYear,
    /// `31.12.2026`.
    DayMonthYearDots,
    /// `2026-12-31`.
    YearMonthDay,
}

impl DateFormat {
    /// Every format, in the order in which a form shows them.
    pub const ALL: &'static [Self] =
        &[Self::DayMonthYear, Self::MonthDayYear, Self::DayMonthYearDots, Self::YearMonthDay];

    /// The pattern of [`Transform::Date`].
    pub fn pattern(self) -> &'static str {
        match self {
            Self::DayMonthYear => "%d/%m/%Y",
            Self::MonthDayYear => "%m/%d/%Y",
            Self::DayMonthYearDots => "%d.%m.%Y",
            Self::YearMonthDay => "%Y-%m-%d",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::DayMonthYear => "dd/mm/yyyy",
            Self::MonthDayYear => "mm/dd/yyyy",
            Self::DayMonthYearDots => "dd.mm.yyyy",
            Self::YearMonthDay => "yyyy-mm-dd",
        }
    }

    fn value(self) -> &'static str {
        match self {
            Self::DayMonthYear => "day_month_year",
            Self::MonthDayYear => "month_day_year",
            Self::DayMonthYearDots => "day_month_year_dots",
            Self::YearMonthDay => "year_month_day",
        }
    }

    /// Adds this format wherever a date is read from one of the customer's own fields and no format is named.
    pub(crate) fn apply(self, mapping: &mut MappingDocument) {
        let is_date =
            |changes: &[Transform]| changes.iter().any(|change| matches!(change, Transform::Date(_)));
        for rule in mapping.fields.iter_mut().filter(|rule| writes_date(&rule.target)) {
            if is_date(&rule.transforms) {
                continue;
            }
            for from in &mut rule.from {
                let is_free_text = matches!(from.origin, Origin::Field(SourceField::Custom(_)));
                if is_free_text && !is_date(&from.transforms) {
                    from.transforms.push(Transform::Date(self.pattern().to_owned()));
                }
            }
        }
    }
}

fn writes_date(target: &TargetField) -> bool {
    use MemberField::{BirthDate, EndDate, StartDate};
    matches!(target, TargetField::Member(StartDate | EndDate | BirthDate))
}

/// One question of the initial set-up, with its recommendation: what a form needs to draw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SetupOption {
    /// Its name: `frequency`, `date_format`, `welcome`.
    pub id: &'static str,
    /// The question.
    pub label: &'static str,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// The value that is chosen before anybody chose.
    pub preselected: Option<&'static str>,
    /// The value that we recommend.
    pub recommended: Option<&'static str>,
    /// Why.
    pub reason: &'static str,
}

/// A value that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// The value.
    pub value: &'static str,
    /// What a person reads.
    pub label: &'static str,
}

const fn choice(value: &'static str, label: &'static str) -> Choice {
    Choice { value, label }
}

/// The questions that the set-up asks for one vendor and one platform.
///
/// The date format is asked only where the vendor's dates are the customer's free text. A welcome message that the
/// platform sends to every new account has one choice only, and is still shown.
pub fn setup_options(vendor: &Integration, invitations: Invitations) -> Vec<SetupOption> {
    let mut options = vec![frequency()];
    if vendor.asks_date_format {
        options.push(date_format());
    }
    options.push(welcome(invitations));
    options
}

fn frequency() -> SetupOption {
    SetupOption {
        id: "frequency",
        label: "How often is the directory imported?",
        choices: vec![
            choice("day", "Daily"),
            choice("week", "Weekly"),
            choice("month", "Monthly"),
            choice("cron", "By a cron expression"),
        ],
        preselected: None,
        recommended: Some("day"),
        reason: "a leaver keeps access until the next import, and a new employee waits for it",
    }
}

fn date_format() -> SetupOption {
    SetupOption {
        id: "date_format",
        label: "How are dates written in your own fields?",
        choices: DateFormat::ALL.iter().map(|format| choice(format.value(), format.label())).collect(),
        preselected: None,
        recommended: None,
        reason: "03/04/2026 is in March or in April: only you know which, and a guess is wrong for somebody",
    }
}

fn welcome(invitations: Invitations) -> SetupOption {
    let mut choices = vec![choice("yes", "Send a welcome e-mail to newly added members")];
    if invitations != Invitations::AlwaysOnCreate {
        choices.push(choice("no", "Do not send one"));
    }
    SetupOption {
        id: "welcome",
        label: "Do newly added members get a welcome e-mail?",
        choices,
        preselected: Some("yes"),
        recommended: Some("yes"),
        reason: "it gives new members their first access to the platform and lets them set a password",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hris_core::{Descriptor, EmployeeField, FieldRule, RecordIdKind, ScopeFilter};

    fn free() -> Integration {
        let facts = Descriptor::new("free", "Free", RecordIdKind::new("free.id")).asking_date_format();
        Integration::new(&facts, "Free.")
    }

    fn fixed() -> Integration {
        Integration::new(&Descriptor::new("fixed", "Fixed", RecordIdKind::new("fixed.id")), "Fixed.")
    }

    fn ids(vendor: &Integration) -> Vec<&'static str> {
        setup_options(vendor, Invitations::PerRecord).iter().map(|option| option.id).collect()
    }

    #[test]
    fn the_date_format_is_asked_only_where_dates_are_free_text() {
        assert_eq!(ids(&free()), ["frequency", "date_format", "welcome"]);
        assert_eq!(ids(&fixed()), ["frequency", "welcome"]);
    }

    #[test]
    fn the_welcome_message_is_ticked_beforehand_with_its_reason() {
        let options = setup_options(&fixed(), Invitations::PerRecord);
        let welcome = options.iter().find(|option| option.id == "welcome").unwrap();
        assert_eq!((welcome.preselected, welcome.recommended), (Some("yes"), Some("yes")));
        assert!(welcome.reason.contains("first access") && welcome.reason.contains("password"));
        assert_eq!(welcome.choices.len(), 2);
        assert!(Setup::new().welcome);
    }

    #[test]
    fn a_platform_that_always_invites_leaves_no_choice() {
        let options = setup_options(&fixed(), Invitations::AlwaysOnCreate);
        let welcome = options.iter().find(|option| option.id == "welcome").unwrap();
        assert_eq!(welcome.choices.iter().map(|choice| choice.value).collect::<Vec<_>>(), ["yes"]);
    }

    #[test]
    fn every_option_carries_its_recommendation_or_says_why_there_is_none() {
        for option in setup_options(&free(), Invitations::Never) {
            assert!(!option.reason.is_empty() && !option.choices.is_empty());
            let values: Vec<_> = option.choices.iter().map(|choice| choice.value).collect();
            for value in [option.recommended, option.preselected].into_iter().flatten() {
                assert!(values.contains(&value), "{value}");
            }
            assert!(serde_json::to_value(&option).unwrap()["reason"].is_string());
        }
    }

    #[test]
    fn the_date_format_reaches_the_rules_that_read_dates_from_own_fields_and_no_other() {
        let own = SourceField::Custom("joined".into());
        let rules = vec![
            FieldRule::copy(MemberField::StartDate, own.clone()).or(EmployeeField::StartDate),
            FieldRule::copy(MemberField::EndDate, own.clone()).with(Transform::Date("%Y".into())),
            FieldRule::copy(MemberField::BirthDate, EmployeeField::BirthDate),
            FieldRule::copy(MemberField::JobTitle, own),
        ];
        let mut mapping = MappingDocument::new(rules, ScopeFilter::everybody());
        DateFormat::MonthDayYear.apply(&mut mapping);
        DateFormat::MonthDayYear.apply(&mut mapping);
        let [start, end, birth, title] = &mapping.fields[..] else { unreachable!("four rules") };
        assert_eq!(start.from[0].transforms, [Transform::Date("%m/%d/%Y".into())]);
        assert!(start.from[1].transforms.is_empty() && start.transforms.is_empty());
        assert_eq!(end.transforms, [Transform::Date("%Y".into())]);
        assert!(end.from[0].transforms.is_empty());
        assert!(birth.from[0].transforms.is_empty() && title.from[0].transforms.is_empty());
    }
}
