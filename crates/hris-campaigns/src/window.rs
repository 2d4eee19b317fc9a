//! How far before and after today a campaign looks.

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// A length of time in whole days or calendar months.
///
/// The seed's example fixes its units: a week is 7 days, a month is 30 days, both ends included. On 31 July that
/// gives 24 July to 30 August for new hires; a calendar month would give 31 August.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// That many days.
    Days(u16),
    /// That many calendar months: the same day of the month, or the month's last day where it is shorter.
    CalendarMonths(u16),
}

impl Span {
    /// The date that lies this span after `date`; the calendar's end where there is none.
    ///
    /// ```
    /// use hris_campaigns::Span;
    /// let july: chrono::NaiveDate = "2025-07-31".parse().unwrap();
    /// assert_eq!(Span::Days(30).after(july).to_string(), "2025-08-30");
    /// assert_eq!(Span::CalendarMonths(1).after(july).to_string(), "2025-08-31");
    /// ```
    pub fn after(self, date: NaiveDate) -> NaiveDate {
        let later = match self {
            Self::Days(days) => date.checked_add_days(Days::new(days.into())),
            Self::CalendarMonths(months) => date.checked_add_months(Months::new(months.into())),
        };
        later.unwrap_or(NaiveDate::MAX)
    }

    /// The date that lies this span before `date`; the calendar's beginning where there is none.
    pub fn before(self, date: NaiveDate) -> NaiveDate {
        let earlier = match self {
            Self::Days(days) => date.checked_sub_days(Days::new(days.into())),
            Self::CalendarMonths(months) => date.checked_sub_months(Months::new(months.into())),
        };
        earlier.unwrap_or(NaiveDate::MIN)
    }
}

/// The days around today in which a campaign looks for due dates, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// How far back.
    pub look_back: Span,
    /// How far ahead.
    pub look_ahead: Span,
}

impl Window {
    /// The seed's window for new hires: from one week before to one month (30 days) after.
    pub const NEW_HIRE: Self = Self { look_back: Span::Days(7), look_ahead: Span::Days(30) };
    /// The seed's window for anniversaries and birthdays: the coming week.
    pub const COMING_WEEK: Self = Self { look_back: Span::Days(0), look_ahead: Span::Days(7) };

    /// First and last day of the window on a day.
    pub fn on(self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        (self.look_back.before(today), self.look_ahead.after(today))
    }
}

/// What a run looks at for one campaign.
///
/// Missed days are caught up: the lower bound is the earlier of the window's own and the day after the last successful
/// run, yet never older than the allowed lateness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Due dates from here on that were never recorded and come too late are reported.
    pub(crate) reported: NaiveDate,
    /// Due dates from here on become Sends.
    pub(crate) planned: NaiveDate,
    /// Due dates from here on are within the allowed lateness and keep a Send that waits.
    pub(crate) kept: NaiveDate,
    /// The last due date looked at.
    pub(crate) last: NaiveDate,
}

impl Bounds {
    pub(crate) fn new(window: Window, max_late: u16, today: NaiveDate, last_run: Option<NaiveDate>) -> Self {
        let (first, last) = window.on(today);
        let caught_up = last_run.and_then(|day| day.succ_opt()).unwrap_or(first);
        let wanted = first.min(caught_up);
        let oldest = Span::Days(max_late).before(today);
        Self { reported: wanted, planned: wanted.max(oldest), kept: oldest, last }
    }

    /// The earliest due date that matters.
    pub(crate) fn first(&self) -> NaiveDate {
        self.reported.min(self.planned).min(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn bounds(window: Window, late: u16, today: &str, last: Option<&str>) -> (String, String, String) {
        let it = Bounds::new(window, late, date(today), last.map(date));
        (it.reported.to_string(), it.planned.to_string(), it.last.to_string())
    }

    #[test]
    fn missed_days_are_caught_up_and_no_further_than_the_allowed_lateness() {
        let of = |reported: &str, planned: &str| {
            (reported.to_owned(), planned.to_owned(), "2025-08-07".to_owned())
        };
        let birthday = |last| bounds(Window::COMING_WEEK, 2, "2025-07-31", last);
        assert_eq!(birthday(None), of("2025-07-31", "2025-07-31"), "nothing is made up for at first");
        assert_eq!(birthday(Some("2025-07-30")), of("2025-07-31", "2025-07-31"));
        assert_eq!(birthday(Some("2025-07-29")), of("2025-07-30", "2025-07-30"));
        assert_eq!(birthday(Some("2025-07-01")), of("2025-07-02", "2025-07-29"), "older ones are reported");
        let hire = |last| bounds(Window::NEW_HIRE, 7, "2025-07-31", last);
        assert_eq!(hire(None).1, "2025-07-24");
        assert_eq!(hire(Some("2025-07-30")).1, "2025-07-24", "the window's own look-back is earlier");
        assert_eq!(hire(Some("2025-06-01")), ("2025-06-02".into(), "2025-07-24".into(), "2025-08-30".into()));
    }

    #[test]
    fn a_run_for_the_same_day_again_looks_at_the_same_days() {
        let first = bounds(Window::COMING_WEEK, 2, "2025-07-31", Some("2025-07-30"));
        assert_eq!(first, bounds(Window::COMING_WEEK, 2, "2025-07-31", Some("2025-07-31")));
    }
}
