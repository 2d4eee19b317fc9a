//! Makes the person at a position from the seed alone, without looking at anybody who was made before.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use fastrand::Rng;

use super::cast::{Cast, Role};
use super::ids::{self, derive};
use super::names::{self, Locale, nth, pick};
use super::oddity::{Oddities, Oddity};
use super::person::{Gap, Malformation, Person, PersonStatus};

/// People who report to one manager.
const SPAN_OF_CONTROL: u64 = 8;
/// The first person's employee number; the next one has the next number.
const FIRST_NUMBER: u64 = 1_000;
/// Digits of a number with leading zeros.
const PADDED_DIGITS: usize = 9;
/// Longest employment at the start, in days.
const LONGEST_EMPLOYMENT: u64 = 20 * 365;

/// Everything that decides who stands at a position.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) seed: u64,
    pub(super) size: u64,
    pub(super) day0: NaiveDate,
    cast: Cast,
    work_domain: &'static str,
}

impl Recipe {
    pub(super) fn new(seed: u64, size: usize, day0: NaiveDate, oddities: &Oddities) -> Self {
        let cast = Cast::new(seed, size, oddities);
        let work_domain = names::work_domain(seed);
        Self { seed, size: size as u64, day0, cast, work_domain }
    }

    /// The person at a position on the first day.
    pub(super) fn person(&self, position: u64) -> Person {
        let mut person = self.ordinary(position);
        if let Some(role) = self.cast.role_of(position) {
            person.oddities.insert(role.oddity);
            self.play(&mut person, position, role);
        }
        person
    }

    /// The person at a position beyond the first population, who starts on `today`.
    pub(super) fn newcomer(&self, position: u64, today: NaiveDate, stamp: DateTime<Utc>) -> Person {
        let mut person = self.ordinary(position);
        (person.start_date, person.original_start_date) = (Some(today), Some(today));
        (person.created_at, person.modified_at) = (stamp, stamp);
        person
    }

    /// Positions of those who are cast for an oddity, pairs side by side.
    pub(super) fn cast_for(&self, oddity: Oddity) -> impl Iterator<Item = u64> {
        self.cast.positions(oddity)
    }

    /// A new work address that this person has on no other day; `day` counts from the first day.
    pub(super) fn new_address(&self, person: &Person, position: u64, day: u64) -> String {
        let (first, last) = full_name(person);
        names::address(first, last, &format!("{position}-{day}"), self.work_domain)
    }

    fn rng(&self, topic: u64, position: u64) -> Rng {
        Rng::with_seed(derive(self.seed, topic, position))
    }

    fn ordinary(&self, position: u64) -> Person {
        let mut rng = self.rng(2, position);
        let locale = Locale::any(&mut rng);
        let (gender, first) = locale.first_name(&mut rng);
        let last = pick(&mut rng, locale.last_names);
        let second = locale.has_second_last_name.then(|| pick(&mut rng, locale.last_names).to_owned());
        let mut person = Person {
            record_id: ids::record_id(self.seed, position),
            employee_number: Some((FIRST_NUMBER + position).to_string()),
            second_last_name: second,
            gender: Some(gender.to_owned()),
            country: Some(locale.country.to_owned()),
            location: Some(pick(&mut rng, locale.cities).to_owned()),
            phone: Some(locale.phone(&mut rng)),
            manager: self.manager(position),
            ..Person::default()
        };
        self.employ(&mut person, &mut rng);
        self.rename(&mut person, position, first, last);
        person
    }

    /// Job, dates, stamps and the customer's own fields.
    fn employ(&self, person: &mut Person, rng: &mut Rng) {
        let (department, title) = names::job(rng);
        person.department = Some(department.to_owned());
        person.job_title = Some(title.to_owned());
        let start = not_a_leap_day(days_before(self.day0, rng.u64(..LONGEST_EMPLOYMENT)));
        (person.start_date, person.original_start_date) = (Some(start), Some(start));
        person.birth_date = Some(birth_date(rng, start));
        person.custom = custom_fields(rng, start);
        self.stamp(person, rng, start);
    }

    /// Stamps before the first day begins: made two weeks before the start, changed at some time since.
    fn stamp(&self, person: &mut Person, rng: &mut Rng, start: NaiveDate) {
        let midnight = self.day0.and_time(NaiveTime::MIN).and_utc();
        let made = days_before(start.min(self.day0), 14).and_time(NaiveTime::MIN).and_utc();
        let seconds = (midnight - made).num_seconds().max(1);
        person.created_at = made + TimeDelta::seconds(rng.i64(0..seconds.min(24 * 3_600)));
        let left = (midnight - person.created_at).num_seconds().max(1);
        person.modified_at = person.created_at + TimeDelta::seconds(rng.i64(0..left));
    }

    /// Sets the names and the addresses that follow from them; four people in five have told a private address.
    fn rename(&self, person: &mut Person, position: u64, first: &str, last: &str) {
        let mut rng = self.rng(3, position);
        let tag = position.to_string();
        person.first_name = Some(first.to_owned());
        person.last_name = Some(last.to_owned());
        person.work_email = Some(names::address(first, last, &tag, self.work_domain));
        let private = names::personal_domain(&mut rng);
        person.personal_email = (rng.u32(..5) > 0).then(|| names::address(first, last, &tag, private));
    }

    /// The nearest ordinary person above; the chain ends at the first person.
    fn manager(&self, position: u64) -> Option<String> {
        let mut above = position;
        while above > 0 {
            above = (above - 1) / SPAN_OF_CONTROL;
            if above < self.size && self.cast.role_of(above).is_none() {
                return Some(ids::record_id(self.seed, above));
            }
        }
        None
    }

    /// Makes an ordinary person carry their oddity. Those that need a later day only get their start here.
    fn play(&self, person: &mut Person, position: u64, role: Role) {
        let rng = &mut self.rng(4, position);
        let Role { oddity, nth: number, partner } = role;
        match oddity {
            Oddity::Leaver | Oddity::Rehire | Oddity::ReusedEmployeeNumber => self.leave(person, rng),
            Oddity::ChangedEmployeeNumber | Oddity::EmailSwap | Oddity::EmailCaseChange => {}
            Oddity::PreHire => self.start_later(person, rng),
            Oddity::OnLeave => person.set_status(PersonStatus::OnLeave),
            Oddity::UnknownStatus => person.set_status(odd_status(number)),
            Oddity::NoEmail => have_no_email(person, number),
            Oddity::BlankEmployeeNumber => person.employee_number = blank_number(number),
            Oddity::SharedEmail => self.share_email(person, role),
            Oddity::DuplicateEmployeeNumber => share_number(person, position, role),
            Oddity::LeadingZeros => person.employee_number = Some(padded_number(position)),
            Oddity::NonLatinName => self.take_names(person, position, nth(&names::NON_LATIN, number)),
            Oddity::CombiningMarkName => self.take_names(person, position, nth(&names::COMBINING, number)),
            Oddity::PunctuatedName => self.take_names(person, position, nth(&names::PUNCTUATED, number)),
            Oddity::FormulaName => self.take_first_name(person, position, nth(&names::FORMULAS, number)),
            Oddity::LongName => self.take_last_name(person, position, nth(&names::LONG, number)),
            Oddity::MissingFields => leave_gaps(person, Gap::LeftOut),
            Oddity::NullFields => leave_gaps(person, Gap::Null),
            Oddity::EmptyFields => leave_gaps(person, Gap::EmptyText),
            Oddity::MalformedRow => person.malformed = Some(nth(&Malformation::ALL, number)),
            Oddity::ManagerCycle => person.manager = Some(ids::record_id(self.seed, partner)),
            Oddity::UnknownManager => person.manager = Some(ids::record_id(!self.seed, position)),
            Oddity::LeapDayBirth => self.be_born_on_a_leap_day(person, rng),
            Oddity::LeapDayStart => self.start_on_a_leap_day(person, rng),
            Oddity::EndDatePassed => self.have_ended(person, rng),
            Oddity::EndDateAhead => person.end_date = Some(days_after(self.day0, rng.u64(10..90))),
            Oddity::PlaceholderDates => have_placeholder_dates(person),
        }
    }

    fn take_names(&self, person: &mut Person, position: u64, (first, last): (&str, &str)) {
        person.second_last_name = None;
        self.rename(person, position, first, last);
    }

    fn take_first_name(&self, person: &mut Person, position: u64, first: &str) {
        let last = full_name(person).1.to_owned();
        self.take_names(person, position, (first, &last));
    }

    fn take_last_name(&self, person: &mut Person, position: u64, last: &str) {
        let first = full_name(person).0.to_owned();
        self.take_names(person, position, (&first, last));
    }

    fn have_ended(&self, person: &mut Person, rng: &mut Rng) {
        let ended = days_before(self.day0, rng.u64(1..30));
        // Somebody who started later than that gets an earlier start, since the end must lie in the past.
        let start = person.start_date.map(|start| start.min(not_a_leap_day(ended)));
        (person.start_date, person.original_start_date) = (start, start);
        person.end_date = Some(ended);
    }

    fn leave(&self, person: &mut Person, rng: &mut Rng) {
        let start = person.start_date.unwrap_or(self.day0);
        let longest = u64::try_from((self.day0 - start).num_days()).unwrap_or(0);
        person.end_date = Some(days_before(self.day0, rng.u64(..=longest.min(2 * 365))));
        person.set_status(PersonStatus::Inactive);
    }

    fn start_later(&self, person: &mut Person, rng: &mut Rng) {
        let start = not_a_leap_day(days_after(self.day0, rng.u64(2..60)));
        (person.start_date, person.original_start_date) = (Some(start), Some(start));
        person.set_status(PersonStatus::Pending);
        self.stamp(person, rng, start);
    }

    /// The second of a pair takes the address of the first; in every second pair in capitals.
    fn share_email(&self, person: &mut Person, role: Role) {
        if role.nth % 2 == 1 {
            let email = self.ordinary(role.partner).work_email;
            let in_capitals = role.nth % 4 == 3;
            person.work_email =
                email.map(|email| if in_capitals { email.to_ascii_uppercase() } else { email });
        }
    }

    fn be_born_on_a_leap_day(&self, person: &mut Person, rng: &mut Rng) {
        let start = person.start_date.unwrap_or(self.day0);
        person.birth_date = leap_day_up_to(start.year() - rng.i32(19..45));
    }

    fn start_on_a_leap_day(&self, person: &mut Person, rng: &mut Rng) {
        let year = self.day0.year() - rng.i32(0..12);
        let start = leap_day_up_to(year).filter(|day| *day <= self.day0).or_else(|| leap_day_up_to(year - 1));
        let start = start.unwrap_or(self.day0);
        (person.start_date, person.original_start_date) = (Some(start), Some(start));
        person.birth_date = Some(birth_date(rng, start));
        person.custom = custom_fields(rng, start);
        self.stamp(person, rng, start);
    }
}

/// First and last name, empty where unknown.
fn full_name(person: &Person) -> (&str, &str) {
    (person.first_name.as_deref().unwrap_or(""), person.last_name.as_deref().unwrap_or(""))
}

fn odd_status(number: u64) -> PersonStatus {
    PersonStatus::Odd(nth(&names::STATUS_WORDS, number).to_owned())
}

fn have_no_email(person: &mut Person, number: u64) {
    person.work_email = nth(&[None, Some("")], number).map(str::to_owned);
    person.personal_email = None;
}

fn blank_number(number: u64) -> Option<String> {
    nth(&[None, Some(""), Some("  ")], number).map(str::to_owned)
}

fn padded_number(position: u64) -> String {
    format!("{:0PADDED_DIGITS$}", FIRST_NUMBER + position)
}

/// Both of a pair have the number of the first.
fn share_number(person: &mut Person, position: u64, role: Role) {
    let owner = if role.nth.is_multiple_of(2) { position } else { role.partner };
    person.employee_number = Some((FIRST_NUMBER + owner).to_string());
}

fn have_placeholder_dates(person: &mut Person) {
    let placeholder = NaiveDate::from_ymd_opt(1970, 1, 1);
    (person.start_date, person.original_start_date) = (placeholder, placeholder);
    person.birth_date = NaiveDate::from_ymd_opt(1900, 1, 1);
}

/// Takes away everything that provisioning can do without.
fn leave_gaps(person: &mut Person, gaps: Gap) {
    person.gaps = gaps;
    person.second_last_name = None;
    person.personal_email = None;
    person.birth_date = None;
    (person.start_date, person.original_start_date) = (None, None);
    (person.department, person.location, person.job_title) = (None, None, None);
    (person.phone, person.gender, person.country) = (None, None, None);
    person.manager = None;
    person.custom = BTreeMap::new();
}

/// One person in three has a shirt size and the day from which benefits are due, three months after the start.
fn custom_fields(rng: &mut Rng, start: NaiveDate) -> BTreeMap<String, String> {
    if rng.u32(..3) > 0 {
        return BTreeMap::new();
    }
    let due = start.checked_add_months(Months::new(3)).unwrap_or(start);
    let due = format!("{:02}/{:02}/{:04}", due.day(), due.month(), due.year());
    let size = names::shirt_size(rng).to_owned();
    BTreeMap::from([("benefit_date".to_owned(), due), ("shirt_size".to_owned(), size)])
}

/// Between 18 and 45 years before the start, never on 29 February.
fn birth_date(rng: &mut Rng, start: NaiveDate) -> NaiveDate {
    not_a_leap_day(days_before(start, rng.u64(18 * 366..45 * 366)))
}

fn days_before(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days)).unwrap_or(date)
}

fn days_after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

/// The day before for a 29 February, so that leap days occur only where they are asked for.
fn not_a_leap_day(date: NaiveDate) -> NaiveDate {
    if date.month() == 2 && date.day() == 29 { days_before(date, 1) } else { date }
}

/// The newest 29 February in that year or before; eight years may lie between two.
fn leap_day_up_to(year: i32) -> Option<NaiveDate> {
    (year - 8..=year).rev().find_map(|year| NaiveDate::from_ymd_opt(year, 2, 29))
}

#[cfg(test)]
mod tests {
    use super::super::oddity::Amount;
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn recipe(size: usize, oddities: &Oddities) -> Recipe {
        Recipe::new(7, size, day(2026, 3, 2), oddities)
    }

    #[test]
    fn a_person_does_not_depend_on_those_made_before() {
        let recipe = recipe(1_000, &Oddities::default());
        let forwards: Vec<Person> = (0..1_000).map(|at| recipe.person(at)).collect();
        let mut backwards: Vec<Person> = (0..1_000).rev().map(|at| recipe.person(at)).collect();
        backwards.reverse();
        assert!(forwards == backwards);
    }

    #[test]
    fn the_newest_leap_day_is_found_across_a_century_without_one() {
        assert_eq!(leap_day_up_to(2024), Some(day(2024, 2, 29)));
        assert_eq!(leap_day_up_to(2027), Some(day(2024, 2, 29)));
        assert_eq!(leap_day_up_to(1903), Some(day(1896, 2, 29)));
    }

    #[test]
    fn ordinary_people_never_have_a_leap_day() {
        let recipe = recipe(20_000, &Oddities::none());
        let leap = |date: Option<NaiveDate>| date.is_some_and(|date| (date.month(), date.day()) == (2, 29));
        assert!((0..20_000).map(|at| recipe.person(at)).all(|p| !leap(p.birth_date) && !leap(p.start_date)));
    }

    #[test]
    fn dates_are_in_a_plausible_order() {
        let recipe = recipe(5_000, &Oddities::default());
        let sound = (0..5_000).map(|at| recipe.person(at)).filter(|p| !p.is(Oddity::PlaceholderDates));
        for person in sound {
            let (Some(birth), Some(start)) = (person.birth_date, person.start_date) else {
                continue;
            };
            assert!((start - birth).num_days() > 17 * 365, "{person:?}");
            assert!(person.end_date.is_none_or(|end| end >= start), "{person:?}");
            assert!(person.created_at <= person.modified_at, "{person:?}");
            assert!(person.modified_at.date_naive() < recipe.day0, "{person:?}");
        }
    }

    #[test]
    fn a_chain_of_managers_ends_and_passes_only_ordinary_people() {
        let recipe = recipe(2_000, &Oddities::default());
        for position in 0..2_000 {
            let manager = recipe.manager(position);
            let above = manager.as_deref().and_then(|id| ids::position_of(recipe.seed, id));
            assert!(above.is_none_or(|above| above < position && recipe.cast.role_of(above).is_none()));
        }
    }

    #[test]
    fn a_first_day_on_a_leap_day_still_has_people_who_started_on_one() {
        let oddities = Oddities::none().with(Oddity::LeapDayStart, Amount::Cases(40));
        let recipe = Recipe::new(1, 40, day(2024, 2, 29), &oddities);
        let starts: Vec<NaiveDate> = (0..40).filter_map(|at| recipe.person(at).start_date).collect();
        assert_eq!(starts.len(), 40);
        assert!(starts.iter().all(|start| (start.month(), start.day()) == (2, 29) && *start <= recipe.day0));
    }

    #[test]
    fn the_first_and_last_days_of_the_calendar_do_not_break_it() {
        for day0 in [NaiveDate::MIN, NaiveDate::MAX] {
            let recipe = Recipe::new(1, 300, day0, &Oddities::default());
            let people: Vec<Person> = (0..300).map(|at| recipe.person(at)).collect();
            assert!(people.iter().all(|person| person.start_date <= Some(NaiveDate::MAX)));
        }
    }
}
