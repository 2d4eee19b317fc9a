//! Who is due: the pure engine. It knows the day, the campaigns and one employee at a time, and keeps nothing.

use chrono::{Datelike as _, NaiveDate};
use hris_core::{
    BirthDate, Employee, EmployeeField, EmploymentStatus, Field, FieldSource as _, SourceField, ValueRef,
};

use crate::campaign::{Anchor, Campaign, Recurrence};
use crate::conflict::same_occasions;
use crate::date::{self, Reading, Remark, Unusable};
use crate::local_time::shift;
use crate::window::Bounds;

/// Which time a date comes round; with campaign and person the key of a gift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occurrence {
    /// The date itself, once in an employment.
    Once,
    /// The birthday of this year.
    Year(i32),
    /// So many years of service.
    Nth(u16),
}

/// How a due date lies to today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timing {
    /// In the window, today or ahead.
    InTime,
    /// Already past, within the allowed lateness, and not looked at before: sent now, and said so.
    Late,
    /// Past and looked at by an earlier run: keeps a Send that waits, and makes no new one.
    Known,
    /// Past the allowed lateness, and missed: reported, never sent.
    TooLate,
}

/// Somebody is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueGift {
    /// Which of the scan's campaigns.
    pub campaign: usize,
    /// Which time.
    pub occurrence: Occurrence,
    /// When the gift is due.
    pub due: NaiveDate,
    /// How that lies to today.
    pub timing: Timing,
}

/// What is noted about one campaign and one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The date field is empty.
    Missing,
    /// The date cannot be used.
    Unusable(Unusable),
    /// The date is used, but odd.
    Odd(Remark),
    /// The more specific campaign gives the gift.
    Superseded,
}

/// The campaigns of one connection on one day, made ready to look at many people.
#[derive(Debug)]
pub struct Scan {
    today: NaiveDate,
    rules: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    campaign: Campaign,
    today: NaiveDate,
    bounds: Bounds,
    field: DateField,
    /// Which days of the year are due, by month and day: nearly everybody is turned away by one bit.
    days: Days,
    /// The campaigns about the same occasions that are more specific.
    stronger: Vec<usize>,
}

/// The date fields that nearly every campaign uses, read without detours.
#[derive(Debug)]
enum DateField {
    Start,
    Birth,
    Other(SourceField),
}

/// A bit for every day of the year; 29 February is set wherever its observance is due.
#[derive(Debug, Default)]
struct Days([u32; 12]);

impl Days {
    fn set(&mut self, month: u32, day: u32) {
        if let Some(days) = self.0.get_mut(month as usize - 1) {
            *days |= 1 << day;
        }
    }

    fn has(&self, month: u32, day: u32) -> bool {
        self.0.get((month as usize).wrapping_sub(1)).is_some_and(|days| days >> day & 1 == 1)
    }
}

impl Scan {
    /// Campaigns on a day, each with the day of its last successful run.
    ///
    /// Which campaigns may stand side by side is [`crate::overlaps`]' to say; here the more specific one wins.
    pub fn new(today: NaiveDate, campaigns: impl IntoIterator<Item = (Campaign, Option<NaiveDate>)>) -> Self {
        let compile = |(campaign, last_run): (Campaign, Option<NaiveDate>)| {
            let rule = campaign.rule();
            let bounds = Bounds::new(rule.window, rule.max_late_days, today, last_run);
            let field = match rule.anchor.field() {
                SourceField::Employee(EmployeeField::StartDate) => DateField::Start,
                SourceField::Employee(EmployeeField::BirthDate) => DateField::Birth,
                other => DateField::Other(other.clone()),
            };
            let days = days(&campaign, bounds);
            Compiled { campaign, today, bounds, field, days, stronger: Vec::new() }
        };
        let mut rules: Vec<_> = campaigns.into_iter().map(compile).collect();
        for index in 0..rules.len() {
            let stronger = stronger(&rules, index);
            if let Some(rule) = rules.get_mut(index) {
                rule.stronger = stronger;
            }
        }
        Self { today, rules }
    }

    /// The day.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// The campaigns, in the order given.
    pub fn campaigns(&self) -> impl ExactSizeIterator<Item = &Campaign> {
        self.rules.iter().map(|rule| &rule.campaign)
    }

    pub(crate) fn campaign(&self, index: usize) -> Option<&Campaign> {
        self.rules.get(index).map(|rule| &rule.campaign)
    }

    pub(crate) fn bounds(&self, index: usize) -> Option<Bounds> {
        self.rules.get(index).map(|rule| rule.bounds)
    }

    /// For which gifts somebody is due, by the dates alone: whether they may get one is [`Scan::may_receive`]'s to say.
    ///
    /// ```
    /// use hris_campaigns::{Campaign, MailTemplate, Rule, Scan};
    /// use hris_core::{Email, Employee, EmploymentStatus, Field, Mailbox};
    /// # let sender = Mailbox::new("", Email::parse("gifts@brisa.example").unwrap());
    /// # let mail = MailTemplate::new("Hi", "{{ claim_link }}")?;
    /// let hires = Campaign::new("hires", "New hires", "gift-1", sender, mail, Rule::new_hire())?;
    /// let scan = Scan::new("2025-07-31".parse().unwrap(), [(hires, None)]);
    /// let mut employee = Employee::new("1", EmploymentStatus::Pending);
    /// employee.start_date = Field::Value("2025-08-30".parse().unwrap());
    /// assert_eq!(scan.due(&employee).len(), 1);
    /// employee.start_date = Field::Value("2025-08-31".parse().unwrap());
    /// assert!(scan.due(&employee).is_empty());
    /// # Ok::<(), hris_core::Error>(())
    /// ```
    pub fn due(&self, employee: &Employee) -> Vec<DueGift> {
        let mut found = self.seen(employee);
        found.retain(|gift| matches!(gift.timing, Timing::InTime | Timing::Late));
        found
    }

    /// As [`Scan::due`], with what is too late or was looked at by an earlier run.
    pub fn seen(&self, employee: &Employee) -> Vec<DueGift> {
        let mut found = Vec::new();
        self.look(employee, &mut found, |_, _| {});
        found
    }

    /// As [`Scan::seen`], into a buffer, with notes on what was missing or odd.
    pub(crate) fn look(
        &self,
        employee: &Employee,
        found: &mut Vec<DueGift>,
        mut note: impl FnMut(usize, Note),
    ) {
        found.clear();
        for (index, rule) in self.rules.iter().enumerate() {
            rule.look(index, employee, found, &mut note);
        }
        if found.len() > 1 {
            self.drop_weaker(found, note);
        }
    }

    fn drop_weaker(&self, found: &mut Vec<DueGift>, mut note: impl FnMut(usize, Note)) {
        let all = found.clone();
        found.retain(|gift| {
            let stronger = self.rules.get(gift.campaign).map(|rule| &*rule.stronger).unwrap_or_default();
            let is_weaker = all
                .iter()
                .any(|other| stronger.contains(&other.campaign) && other.occurrence == gift.occurrence);
            if is_weaker {
                note(gift.campaign, Note::Superseded);
            }
            !is_weaker
        });
    }

    /// Whether somebody is there to receive a gift on a day: not inactive, and not past the last day of work. Pending
    /// and on leave count as present, an unknown status too.
    pub fn may_receive(employee: &Employee, due: NaiveDate) -> bool {
        if employee.status == EmploymentStatus::Inactive {
            return false;
        }
        let Some(end) = employee.end_date.value() else {
            return true;
        };
        // An end before the start belongs to an earlier employment.
        let is_earlier = employee.start_date.value().is_some_and(|start| end < start);
        is_earlier || *end >= due
    }

    /// The date of service that a campaign counts from, if it can be counted from.
    pub(crate) fn service_date(&self, index: usize, employee: &Employee) -> Option<NaiveDate> {
        let value = employee.field(self.campaign(index)?.rule().anchor.field()).into_value()?;
        let anchor = date::read(&value, Reading::Full, self.today).ok()?;
        NaiveDate::from_ymd_opt(anchor.year?, anchor.month, anchor.day)
    }

    /// Whether a field of the employee, or the HR system itself, asks for no gifts from a campaign.
    pub(crate) fn opted_out(&self, index: usize, employee: &Employee) -> bool {
        let field = self.campaign(index).and_then(|campaign| campaign.rule().opt_out.as_ref());
        employee.suppress_contact
            || field.is_some_and(|field| match employee.field(field) {
                Field::Value(ValueRef::Bool(flag)) => flag,
                Field::Value(value) => {
                    matches!(&*value.to_text().trim().to_lowercase(), "true" | "yes" | "y" | "1")
                }
                Field::Absent | Field::Null => false,
            })
    }
}

/// The campaigns that win against the one at `index`.
fn stronger(rules: &[Compiled], index: usize) -> Vec<usize> {
    let Some(ours) = rules.get(index).map(|rule| &rule.campaign) else {
        return Vec::new();
    };
    let specificity = ours.rule().milestones.specificity();
    let wins = |(other, rule): (usize, &Compiled)| {
        let is_stronger = other != index
            && same_occasions(ours, &rule.campaign)
            && rule.campaign.rule().milestones.specificity() > specificity;
        is_stronger.then_some(other)
    };
    rules.iter().enumerate().filter_map(wins).collect()
}

/// The days of the year on which a yearly date would be due somewhere in the bounds.
fn days(campaign: &Campaign, bounds: Bounds) -> Days {
    const LEAP_YEAR_DAYS: usize = 366;
    let rule = campaign.rule();
    let offset = i32::from(rule.offset_days);
    let (first, last) = (shift(bounds.first(), -offset), shift(bounds.last, -offset));
    let mut days = Days::default();
    for date in first.iter_days().take_while(|date| *date <= last).take(LEAP_YEAR_DAYS) {
        days.set(date.month(), date.day());
    }
    let observed = |year| rule.leap_day.observe(2, 29, year).is_some_and(|day| first <= day && day <= last);
    if (first.year()..=last.year()).take(9).any(observed) {
        days.set(2, 29);
    }
    days
}

impl Compiled {
    #[inline]
    fn look(
        &self,
        index: usize,
        employee: &Employee,
        found: &mut Vec<DueGift>,
        note: &mut impl FnMut(usize, Note),
    ) {
        match &self.field {
            DateField::Start => match employee.start_date {
                Field::Value(date) if self.is_far(date.month(), date.day(), date) => {}
                Field::Value(date) => self.read(index, &ValueRef::Date(date), employee, found, note),
                Field::Absent | Field::Null => note(index, Note::Missing),
            },
            DateField::Birth => match employee.birth_date {
                Field::Value(date) if self.is_far_birth(date) => {}
                Field::Value(date) => {
                    self.read(index, &ValueRef::BirthDate(date), employee, found, note);
                }
                Field::Absent | Field::Null => note(index, Note::Missing),
            },
            DateField::Other(field) => match employee.field(field) {
                Field::Value(value) => self.read(index, &value, employee, found, note),
                Field::Absent | Field::Null => note(index, Note::Missing),
            },
        }
    }

    /// Whether a well-formed date is not due, which is what nearly all are. Placeholders are never taken for far, so
    /// that they are noted.
    fn is_far(&self, month: u32, day: u32, date: NaiveDate) -> bool {
        const OLDEST_PLAIN_YEAR: i32 = 1971;
        date.year() >= OLDEST_PLAIN_YEAR
            && match self.campaign.rule().recurrence {
                Recurrence::Yearly => !self.days.has(month, day),
                Recurrence::Once => {
                    let due = shift(date, self.campaign.rule().offset_days.into());
                    due < self.bounds.first() || due > self.bounds.last
                }
            }
    }

    /// A birth date's odd years are noted where the birthday is due; one in the future always.
    fn is_far_birth(&self, date: BirthDate) -> bool {
        date.year().is_none_or(|year| year < self.today.year()) && !self.days.has(date.month(), date.day())
    }

    fn read(
        &self,
        index: usize,
        value: &ValueRef<'_>,
        employee: &Employee,
        found: &mut Vec<DueGift>,
        note: &mut impl FnMut(usize, Note),
    ) {
        let rule = self.campaign.rule();
        let reading = match rule.anchor {
            Anchor::Birth(_) => Reading::MonthAndDay,
            Anchor::Service(_) => Reading::Full,
        };
        let anchor = match date::read(value, reading, self.today) {
            Ok(anchor) => anchor,
            Err(unusable) => {
                if rule.filter.lets_pass(employee) {
                    note(index, Note::Unusable(unusable));
                }
                return;
            }
        };
        let before = found.len();
        self.push(index, anchor, found);
        if found.len() == before {
            return;
        }
        if !rule.filter.lets_pass(employee) {
            found.truncate(before);
        } else if let Some(remark) = anchor.remark {
            note(index, Note::Odd(remark));
        }
    }

    fn push(&self, index: usize, anchor: date::Anchor, found: &mut Vec<DueGift>) {
        let rule = self.campaign.rule();
        let offset = i32::from(rule.offset_days);
        if rule.recurrence == Recurrence::Once {
            let exact = anchor.year.and_then(|year| NaiveDate::from_ymd_opt(year, anchor.month, anchor.day));
            let due = exact.map(|date| shift(date, offset));
            found.extend(due.and_then(|due| self.gift(index, Occurrence::Once, due)));
            return;
        }
        let (first, last) = (shift(self.bounds.first(), -offset), shift(self.bounds.last, -offset));
        for year in first.year()..=last.year() {
            let Some(day) = rule.leap_day.observe(anchor.month, anchor.day, year) else {
                continue;
            };
            let occurrence = match (&rule.anchor, anchor.year) {
                (Anchor::Birth(_), None) => Some(Occurrence::Year(year)),
                (Anchor::Birth(_), Some(born)) => (year > born).then_some(Occurrence::Year(year)),
                (Anchor::Service(_), Some(start)) => u16::try_from(year - start)
                    .ok()
                    .filter(|n| rule.milestones.contains(*n))
                    .map(Occurrence::Nth),
                (Anchor::Service(_), None) => None,
            };
            found.extend(occurrence.and_then(|it| self.gift(index, it, shift(day, offset))));
        }
    }

    fn gift(&self, campaign: usize, occurrence: Occurrence, due: NaiveDate) -> Option<DueGift> {
        let Bounds { reported, planned, kept, last } = self.bounds;
        let timing = if due > last {
            return None;
        } else if due >= planned {
            if due < self.today { Timing::Late } else { Timing::InTime }
        } else if due >= kept {
            Timing::Known
        } else if due >= reported {
            Timing::TooLate
        } else {
            return None;
        };
        Some(DueGift { campaign, occurrence, due, timing })
    }
}
