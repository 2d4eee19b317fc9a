//! Who is employed: PeopleHR has no status to go by, so that the two listings and the dates decide.

use chrono::NaiveDate;
use hris_core::{EmploymentStatus, Field};

use crate::config::{LeavingDateRule, PeopleHrConfig, UnknownStatusCode};
use hris_http::lenient::Cell;

/// Where somebody was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Among current staff.
    Current,
    /// In the listing with leavers and not among current staff.
    LeaversOnly,
}

/// What decides about a status, with the day that it is.
#[derive(Clone, Debug)]
pub(crate) struct StatusRule {
    today: NaiveDate,
    leaving: LeavingDateRule,
    active_codes: Vec<String>,
    unknown_code: UnknownStatusCode,
}

/// What is known of one person.
pub(crate) struct Evidence<'r> {
    pub(crate) found: Found,
    /// `Err` where the date is not readable.
    pub(crate) leaving: Result<Field<NaiveDate>, &'static str>,
    pub(crate) start: Option<NaiveDate>,
    pub(crate) code: &'r Cell<'r>,
}

/// A status, and what is remarkable about how it came about.
pub(crate) struct Decision {
    pub(crate) status: EmploymentStatus,
    /// What of the row was not readable, in words.
    pub(crate) problem: Option<&'static str>,
    /// The status code is none that means active, as far as the configuration knows.
    pub(crate) has_unknown_code: bool,
}

impl StatusRule {
    pub(crate) fn new(config: &PeopleHrConfig, today: NaiveDate) -> Self {
        Self {
            today,
            leaving: config.leaving_date,
            active_codes: config.active_status_codes.clone(),
            unknown_code: config.unknown_status_code,
        }
    }

    /// The status of a person.
    pub(crate) fn decide(&self, evidence: &Evidence<'_>) -> Decision {
        let plain = |status| Decision { status, problem: None, has_unknown_code: false };
        if evidence.found == Found::LeaversOnly {
            return plain(EmploymentStatus::Inactive);
        }
        let Ok(leaving) = evidence.leaving else {
            let problem = Some("depends on a leaving date that cannot be read");
            return Decision { problem, ..plain(EmploymentStatus::Unknown(None)) };
        };
        if leaving.value().is_some_and(|last_day| self.has_left(*last_day)) {
            return plain(EmploymentStatus::Inactive);
        }
        if *evidence.code == Cell::Nested {
            return Decision {
                problem: Some("is not a status code"),
                ..plain(EmploymentStatus::Unknown(None))
            };
        }
        if evidence.start.is_some_and(|start| start > self.today) {
            return plain(EmploymentStatus::Pending);
        }
        match evidence.code.scalar().filter(|code| !self.active_codes.iter().any(|known| known == code)) {
            None => plain(EmploymentStatus::Active),
            Some(code) => {
                let status = match self.unknown_code {
                    UnknownStatusCode::Active => EmploymentStatus::Active,
                    UnknownStatusCode::NoChange => EmploymentStatus::Unknown(Some(code.to_owned())),
                };
                Decision { has_unknown_code: true, ..plain(status) }
            }
        }
    }

    /// Whether the listings have to be asked about somebody who was read alone: who leaves at once keeps a leaving date
    /// ahead.
    pub(crate) fn is_ambiguous(&self, leaving: &Result<Field<NaiveDate>, &'static str>) -> bool {
        match leaving {
            Ok(leaving) => leaving.value().is_some_and(|last_day| !self.has_left(*last_day)),
            Err(_) => true,
        }
    }

    fn has_left(&self, last_day: NaiveDate) -> bool {
        match self.leaving {
            LeavingDateRule::DayAfter => last_day < self.today,
            LeavingDateRule::SameDay => last_day <= self.today,
            LeavingDateRule::Ignored => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rule(config: &PeopleHrConfig) -> StatusRule {
        StatusRule::new(config, day("2026-03-02"))
    }

    fn decide(config: &PeopleHrConfig, found: Found, leaving: &str, start: &str, code: &str) -> Decision {
        let date = |text: &str| (!text.is_empty()).then(|| day(text));
        let code = Cell::Text(code.into());
        let leaving = Ok(Field::from_option(date(leaving)));
        rule(config).decide(&Evidence { found, leaving, start: date(start), code: &code })
    }

    #[test]
    fn listings_and_dates_decide_as_the_table_says() {
        use EmploymentStatus::{Active, Inactive, Pending};
        use Found::{Current, LeaversOnly};
        let config = PeopleHrConfig::new();
        for (found, leaving, start, code, status) in [
            (LeaversOnly, "", "2020-01-01", "1", Inactive),
            (LeaversOnly, "2026-12-31", "2020-01-01", "1", Inactive),
            (LeaversOnly, "2023-08-31", "2017-09-01", "2", Inactive),
            (Current, "2026-03-01", "2020-01-01", "1", Inactive),
            (Current, "2026-03-02", "2020-01-01", "1", Active),
            (Current, "2026-12-31", "2020-01-01", "1", Active),
            (Current, "", "2026-03-02", "1", Active),
            (Current, "", "2026-03-03", "1", Pending),
            (Current, "", "", "", Active),
            (Current, "", "2020-01-01", "7", Active),
        ] {
            let decision = decide(&config, found, leaving, start, code);
            assert_eq!(decision.status, status, "{found:?} {leaving} {start} {code}");
            assert_eq!(decision.has_unknown_code, code == "7");
        }
    }

    #[test]
    fn the_last_day_and_unknown_codes_can_be_read_otherwise() {
        let same_day = PeopleHrConfig::new().with_leaving_date(LeavingDateRule::SameDay);
        let last_day = decide(&same_day, Found::Current, "2026-03-02", "", "1");
        assert_eq!(last_day.status, EmploymentStatus::Inactive);
        let ignored = PeopleHrConfig::new().with_leaving_date(LeavingDateRule::Ignored);
        assert_eq!(decide(&ignored, Found::Current, "2020-01-01", "", "1").status, EmploymentStatus::Active);
        let held = PeopleHrConfig::new().with_unknown_status_code(UnknownStatusCode::NoChange);
        let decision = decide(&held, Found::Current, "", "", "7");
        assert_eq!(decision.status, EmploymentStatus::Unknown(Some("7".to_owned())));
        let known = PeopleHrConfig::new().with_active_status_codes(["1", "7"]);
        assert!(!decide(&known, Found::Current, "", "", "7").has_unknown_code);
    }

    #[test]
    fn what_cannot_be_read_makes_nobody_leave() {
        let config = PeopleHrConfig::new();
        let evidence =
            Evidence { found: Found::Current, leaving: Err("x"), start: None, code: &Cell::Missing };
        let decision = rule(&config).decide(&evidence);
        assert_eq!(decision.status, EmploymentStatus::Unknown(None));
        assert!(decision.problem.is_some());
        let evidence = Evidence { leaving: Ok(Field::Null), code: &Cell::Nested, ..evidence };
        assert_eq!(rule(&config).decide(&evidence).status, EmploymentStatus::Unknown(None));
    }
}
