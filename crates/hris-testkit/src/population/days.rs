//! From one day to the next: who joins, changes, leaves, returns and vanishes, as a plan asks.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use fastrand::Rng;

use super::Population;
use super::cast::Shuffle;
use super::ids::derive;
use super::names::{self, Locale, pick};
use super::oddity::Oddity;
use super::person::{Person, PersonStatus};

/// First of the employee numbers that replace others; those of the first day and of newcomers are smaller.
const FIRST_REPLACEMENT_NUMBER: u64 = 800_000_000;
/// Changes that share one stamp, since vendors' stamps are coarse.
const CHANGES_PER_STAMP: i64 = 4;

/// How many people are met by each kind of event on the coming day. Nobody is met by two kinds on one day.
///
/// When too few people are left for a kind, fewer are met; [`Changes`] says how many it was. People cast for an
/// event come first, then ordinary ones, then those who carry some other oddity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayPlan {
    /// New people who start on the day.
    pub hires: usize,
    /// Further new people, each with the employee number of somebody who left earlier.
    pub number_reuses: usize,
    /// Whether pending people whose start date has come become active.
    pub due_starts: bool,
    /// Employed people who become inactive; the day before was their last.
    pub leavers: usize,
    /// Inactive people who become active again and start anew.
    pub returns: usize,
    /// People who are in the listing no longer, whatever their status.
    pub vanished: usize,
    /// People whose job, office, phone or last name changes; the key and the addresses stay.
    pub field_changes: usize,
    /// People who get a new work e-mail address.
    pub email_changes: usize,
    /// People whose work e-mail address changes only in letter case.
    pub email_case_changes: usize,
    /// Pairs of people whose work e-mail addresses change places.
    pub email_swaps: usize,
    /// People who get another employee number.
    pub number_changes: usize,
}

impl DayPlan {
    /// A day on which nothing happens.
    pub fn quiet() -> Self {
        Self::default()
    }

    /// A day in the life of a company of that many people: every kind of event occurs, most of them once.
    pub fn typical(size: usize) -> Self {
        let one_in = |people: usize| (size / people).max(1);
        Self {
            hires: one_in(1_000),
            number_reuses: 1,
            due_starts: true,
            leavers: one_in(2_000),
            returns: one_in(20_000),
            vanished: one_in(50_000),
            field_changes: one_in(200),
            email_changes: one_in(5_000),
            email_case_changes: one_in(20_000),
            email_swaps: 1,
            number_changes: one_in(20_000),
        }
    }
}

/// Whom a day met, by record id and kind of event. Nobody stands in two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The day that has come.
    pub day: NaiveDate,
    /// New people.
    pub hired: Vec<String>,
    /// New people with the number of an earlier leaver: (record id of the leaver, of the newcomer). The leaver's
    /// own record stays as it was.
    pub number_reused: Vec<(String, String)>,
    /// Pending people who became active.
    pub started: Vec<String>,
    /// People who became inactive.
    pub left: Vec<String>,
    /// People who became active again.
    pub returned: Vec<String>,
    /// People who are listed no longer.
    pub vanished: Vec<String>,
    /// People whose job, office, phone or last name changed.
    pub fields_changed: Vec<String>,
    /// People with a new work e-mail address.
    pub email_changed: Vec<String>,
    /// People whose work e-mail address changed only in letter case.
    pub email_case_changed: Vec<String>,
    /// Pairs of people whose work e-mail addresses changed places.
    pub email_swapped: Vec<(String, String)>,
    /// People with another employee number.
    pub number_changed: Vec<String>,
}

impl Changes {
    /// Record ids of everyone whose record was made, changed or taken away.
    pub fn touched(&self) -> impl Iterator<Item = &str> {
        let single = [
            &self.hired,
            &self.started,
            &self.left,
            &self.returned,
            &self.vanished,
            &self.fields_changed,
            &self.email_changed,
            &self.email_case_changed,
            &self.number_changed,
        ];
        let newcomers = self.number_reused.iter().map(|(_, newcomer)| newcomer);
        let swapped = self.email_swapped.iter().flat_map(|(one, other)| [one, other]);
        single.into_iter().flatten().chain(newcomers).chain(swapped).map(String::as_str)
    }

    /// Whether the day was quiet.
    pub fn is_empty(&self) -> bool {
        self.touched().next().is_none()
    }
}

/// Whether people are cast for an event with this oddity, so that someone has to remember them until it comes.
pub(super) fn is_awaited(oddity: Oddity) -> bool {
    oddity.needs_a_later_day() || oddity == Oddity::PreHire
}

/// What may happen to somebody who is already there.
#[derive(Clone, Copy)]
enum Event {
    Return,
    Leave,
    Vanish,
    ChangeNumber,
    PassNumberOn,
    SwapEmail,
    ChangeEmailCase,
    ChangeEmail,
    ChangeField,
}

impl Event {
    /// The oddity that those who are cast for it carry.
    fn oddity(self) -> Option<Oddity> {
        match self {
            Self::Return => Some(Oddity::Rehire),
            Self::ChangeNumber => Some(Oddity::ChangedEmployeeNumber),
            Self::PassNumberOn => Some(Oddity::ReusedEmployeeNumber),
            Self::SwapEmail => Some(Oddity::EmailSwap),
            Self::ChangeEmailCase => Some(Oddity::EmailCaseChange),
            Self::Leave | Self::Vanish | Self::ChangeEmail | Self::ChangeField => None,
        }
    }

    /// Whether it can happen to this person at all. Broken rows stay as they are, except that they may vanish.
    fn suits(self, person: &Person) -> bool {
        let sound = person.malformed.is_none();
        let left = person.status == PersonStatus::Inactive;
        let has_email = sound && person.is_employed() && person.email_key().is_some();
        person.is_listed()
            && match self {
                Self::Vanish => true,
                Self::Return => sound && left && !person.is(Oddity::ReusedEmployeeNumber),
                Self::PassNumberOn => sound && left && person.number_key().is_some(),
                Self::Leave | Self::ChangeField => sound && person.is_employed(),
                Self::ChangeNumber => sound && person.is_employed() && person.number_key().is_some(),
                // Two who share an address would swap it for the same one.
                Self::SwapEmail => has_email && !person.is(Oddity::SharedEmail),
                Self::ChangeEmailCase | Self::ChangeEmail => has_email,
            }
    }

    /// Whether nothing about the person gets in the way of telling what the event alone does.
    fn fits_well(self, person: &Person) -> bool {
        let mut others = person.oddities;
        if matches!(self, Self::Return | Self::PassNumberOn) {
            others.remove(Oddity::Leaver);
        }
        others.is_empty()
    }
}

impl Population {
    /// Goes on to the following day. Equal populations and plans give equal days.
    ///
    /// Only the people in the [`Changes`] are touched, and their stamps lie within the new day (UTC).
    pub fn next_day(&mut self, plan: &DayPlan) -> Changes {
        self.today = self.today.succ_opt().unwrap_or(self.today);
        let changes = Changes { day: self.today, ..Changes::default() };
        let mut day = Day { population: self, met: HashSet::new(), stamped: 0, changes };
        day.move_people(plan);
        day.change_keys(plan);
        day.change_people(plan);
        day.add_people(plan);
        day.changes
    }

    /// Changes one person by hand, such as a start date that moves, and stamps the record late in the evening of the
    /// day. False if there is no such listed person.
    pub fn change(&mut self, record_id: &str, change: impl FnOnce(&mut Person)) -> bool {
        let today = self.today;
        let position = self.position(record_id);
        let person = position.and_then(|position| self.people.get_mut(position));
        let Some(person) = person.filter(|person| person.is_listed()) else { return false };
        change(person);
        person.modified_at = late_on(today).unwrap_or(person.modified_at);
        true
    }

    /// Lets one leaver come back today, for tests that must know who; [`DayPlan::returns`] chooses by itself. False
    /// if the record is not that of a listed leaver.
    pub fn bring_back(&mut self, record_id: &str) -> bool {
        let today = self.today;
        let position = self.position(record_id);
        let Some(person) = position.and_then(|position| self.people.get_mut(position)) else { return false };
        if person.status != PersonStatus::Inactive || !person.is_listed() {
            return false;
        }
        return_to_work(person, today);
        person.modified_at = late_on(today).unwrap_or(person.modified_at);
        true
    }
}

/// Late in the evening, after everything that the day itself brought.
fn late_on(day: NaiveDate) -> Option<DateTime<Utc>> {
    day.and_hms_opt(23, 59, 59).map(|evening| evening.and_utc())
}

fn return_to_work(person: &mut Person, today: NaiveDate) {
    person.set_status(PersonStatus::Active);
    person.oddities.insert(Oddity::Rehire);
    (person.start_date, person.end_date) = (Some(today), None);
}

/// A day in the making.
struct Day<'a> {
    population: &'a mut Population,
    /// Positions of those who were met by an event today.
    met: HashSet<usize>,
    stamped: i64,
    changes: Changes,
}

impl Day<'_> {
    fn move_people(&mut self, plan: &DayPlan) {
        if plan.due_starts {
            self.changes.started = self.start_those_who_are_due();
        }
        let today = self.population.today;
        self.changes.returned =
            self.each(Event::Return, plan.returns, |_, person| return_to_work(person, today));
        self.changes.left = self.each(Event::Leave, plan.leavers, |_, person| {
            person.set_status(PersonStatus::Inactive);
            person.end_date = today.pred_opt();
        });
        self.changes.vanished = self.each(Event::Vanish, plan.vanished, |_, person| person.deleted = true);
    }

    fn change_keys(&mut self, plan: &DayPlan) {
        let mut number = FIRST_REPLACEMENT_NUMBER + self.population.renumbered;
        self.changes.number_changed = self.each(Event::ChangeNumber, plan.number_changes, |_, person| {
            person.employee_number = Some(number.to_string());
            person.oddities.insert(Oddity::ChangedEmployeeNumber);
            number += 1;
        });
        self.population.renumbered = number - FIRST_REPLACEMENT_NUMBER;
        self.changes.email_swapped = self.swap_emails(plan.email_swaps);
    }

    fn change_people(&mut self, plan: &DayPlan) {
        self.changes.email_case_changed =
            self.each(Event::ChangeEmailCase, plan.email_case_changes, |_, person| {
                person.work_email = person.work_email.as_deref().map(in_other_case);
                person.oddities.insert(Oddity::EmailCaseChange);
            });
        let recipe = self.population.recipe.clone();
        let day = self.number();
        self.changes.email_changed = self.each(Event::ChangeEmail, plan.email_changes, |position, person| {
            person.work_email = Some(recipe.new_address(person, position as u64, day));
        });
        let mut rng = Rng::with_seed(self.seed(Event::ChangeField));
        self.changes.fields_changed = self.each(Event::ChangeField, plan.field_changes, |_, person| {
            change_field(person, &mut rng);
        });
    }

    fn add_people(&mut self, plan: &DayPlan) {
        let leavers = self.choose(Event::PassNumberOn, plan.number_reuses);
        for leaver in leavers {
            let newcomer = self.hire();
            let people = &mut self.population.people;
            people[leaver].oddities.insert(Oddity::ReusedEmployeeNumber);
            people[newcomer].oddities.insert(Oddity::ReusedEmployeeNumber);
            let number = people[leaver].employee_number.clone();
            people[newcomer].employee_number = number;
            self.changes.number_reused.push((self.record_id(leaver), self.record_id(newcomer)));
        }
        for _ in 0..plan.hires {
            let newcomer = self.hire();
            self.changes.hired.push(self.record_id(newcomer));
        }
    }

    /// Adds one person and gives their position.
    fn hire(&mut self) -> usize {
        let (position, stamp) = (self.population.people.len(), self.stamp());
        let newcomer = self.population.recipe.newcomer(position as u64, self.population.today, stamp);
        self.population.people.push(newcomer);
        position
    }

    fn start_those_who_are_due(&mut self) -> Vec<String> {
        let today = self.population.today;
        let mut started = Vec::new();
        for position in self.population.waiting.remove(&Oddity::PreHire).unwrap_or_default() {
            let person = &mut self.population.people[position];
            if person.start_date.is_some_and(|start| start > today) {
                self.population.waiting.entry(Oddity::PreHire).or_default().push_back(position);
            } else if person.is_listed() {
                person.set_status(PersonStatus::Active);
                started.push(self.finish(position));
            }
        }
        started
    }

    fn swap_emails(&mut self, pairs: usize) -> Vec<(String, String)> {
        let chosen = self.choose(Event::SwapEmail, pairs.saturating_mul(2));
        let mut swapped = Vec::new();
        for pair in chosen.chunks_exact(2) {
            let (one, other) = (pair[0], pair[1]);
            let email = self.population.people[one].work_email.take();
            let email = std::mem::replace(&mut self.population.people[other].work_email, email);
            self.population.people[one].work_email = email;
            for position in [one, other] {
                self.population.people[position].oddities.insert(Oddity::EmailSwap);
            }
            swapped.push((self.finish(one), self.finish(other)));
        }
        swapped
    }

    /// Lets an event happen to as many people as wanted and gives their record ids.
    fn each(
        &mut self,
        event: Event,
        wanted: usize,
        mut happen: impl FnMut(usize, &mut Person),
    ) -> Vec<String> {
        let chosen = self.choose(event, wanted);
        let mut record_ids = Vec::with_capacity(chosen.len());
        for position in chosen {
            happen(position, &mut self.population.people[position]);
            record_ids.push(self.finish(position));
        }
        record_ids
    }

    /// Positions of people for an event: the cast first, then those it fits well, then any it suits.
    fn choose(&mut self, event: Event, wanted: usize) -> Vec<usize> {
        let mut chosen = Vec::new();
        self.choose_cast(event, wanted, &mut chosen);
        let order = self.order(event);
        for fits_well in [true, false] {
            let missing = wanted - chosen.len();
            if missing == 0 {
                break;
            }
            let people = &self.population.people;
            let free = |position: &usize| {
                let person = &people[*position];
                event.fits_well(person) == fits_well && event.suits(person) && !self.met.contains(position)
            };
            chosen.extend(order.clone().filter(free).take(missing));
        }
        self.met.extend(&chosen);
        chosen
    }

    fn choose_cast(&mut self, event: Event, wanted: usize, chosen: &mut Vec<usize>) {
        let waiting = event.oddity().and_then(|oddity| self.population.waiting.get_mut(&oddity));
        let Some(waiting) = waiting else { return };
        while chosen.len() < wanted {
            let Some(position) = waiting.pop_front() else {
                return;
            };
            if event.suits(&self.population.people[position]) && self.met.insert(position) {
                chosen.push(position);
            }
        }
    }

    /// Everyone's position once, in an order of the day and the event.
    fn order(&self, event: Event) -> impl Iterator<Item = usize> + Clone + use<> {
        let people = self.population.people.len() as u64;
        let shuffle = Shuffle::new(people, self.seed(event));
        (0..people).filter_map(move |place| usize::try_from(shuffle.at(place)).ok())
    }

    fn seed(&self, event: Event) -> u64 {
        derive(self.population.recipe.seed, 16 + event as u64, self.number())
    }

    /// The number of the day, counted from the first.
    fn number(&self) -> u64 {
        let days = (self.population.today - self.population.recipe.day0).num_days();
        u64::try_from(days).unwrap_or(0)
    }

    fn record_id(&self, position: usize) -> String {
        self.population.people[position].record_id.clone()
    }

    /// Stamps a person as changed today and gives their record id.
    fn finish(&mut self, position: usize) -> String {
        let stamp = self.stamp();
        self.met.insert(position);
        self.population.people[position].modified_at = stamp;
        self.record_id(position)
    }

    /// The next stamp of the day: from six in the morning on, never past eleven at night.
    fn stamp(&mut self) -> DateTime<Utc> {
        let seconds = (self.stamped / CHANGES_PER_STAMP).min(17 * 3_600);
        self.stamped += 1;
        let morning = self.population.today.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(6);
        morning + TimeDelta::seconds(seconds)
    }
}

/// An address whose first letter has the other case; digits may stand before it.
fn in_other_case(email: &str) -> String {
    let Some(at) = email.find(|c: char| c.is_ascii_alphabetic()) else {
        return email.to_owned();
    };
    let (before, after) = email.split_at(at);
    let (letter, after) = after.split_at(1);
    let is_small = letter.bytes().all(|byte| byte.is_ascii_lowercase());
    let letter = if is_small { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
    format!("{before}{letter}{after}")
}

/// Changes one of the fields that are neither key nor address, always to something else.
fn change_field(person: &mut Person, rng: &mut Rng) {
    let locale = Locale::of(person.country.as_deref());
    match rng.u32(..4) {
        0 => change(&mut person.location, rng, |rng| pick(rng, locale.cities).to_owned()),
        1 => change(&mut person.phone, rng, |rng| locale.phone(rng)),
        2 => change(&mut person.last_name, rng, |rng| pick(rng, locale.last_names).to_owned()),
        _ => change_job(person, rng),
    }
}

fn change_job(person: &mut Person, rng: &mut Rng) {
    let mut department = None;
    change(&mut person.job_title, rng, |rng| {
        let (new_department, title) = names::job(rng);
        department = Some(new_department.to_owned());
        title.to_owned()
    });
    person.department = department;
}

/// Draws until the value differs from the one before; every list has at least two entries.
fn change(field: &mut Option<String>, rng: &mut Rng, mut draw: impl FnMut(&mut Rng) -> String) {
    let mut new = Some(draw(rng));
    while new == *field {
        new = Some(draw(rng));
    }
    *field = new;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_case_differs_only_in_case_and_turns_back() {
        let changed = in_other_case("ana.rivas@mill.example");
        assert_eq!(changed, "Ana.rivas@mill.example");
        assert_eq!(in_other_case(&changed), "ana.rivas@mill.example");
        assert_eq!(in_other_case("11.croft@mill.example"), "11.Croft@mill.example");
        assert_eq!(in_other_case(""), "");
    }

    #[test]
    fn a_changed_field_is_different() {
        let mut rng = Rng::with_seed(1);
        let mut person =
            Person { last_name: Some("Rivas".into()), country: Some("ES".into()), ..Person::default() };
        for _ in 0..200 {
            let before = person.clone();
            change_field(&mut person, &mut rng);
            assert!(person != before);
        }
    }

    #[test]
    fn a_typical_day_asks_for_every_kind_of_event() {
        let DayPlan {
            hires,
            number_reuses,
            due_starts,
            leavers,
            returns,
            vanished,
            field_changes,
            email_changes,
            email_case_changes,
            email_swaps,
            number_changes,
        } = DayPlan::typical(0);
        let people = [hires, number_reuses, leavers, returns, vanished, field_changes];
        let keys = [email_changes, email_case_changes, email_swaps, number_changes];
        assert!(due_starts && people.into_iter().chain(keys).all(|wanted| wanted > 0));
    }
}
