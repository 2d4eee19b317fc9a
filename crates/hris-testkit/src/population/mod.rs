//! The sample population: invented people in vendor-neutral form, with the truth to compare results with.
//!
//! A simulator renders its vendor's rows from [`Population::people`]; a test compares what came out of a connector
//! or an import with the same people. Everything follows from a seed: equal settings give equal people, and no
//! clock is read. This module knows no vendor and writes no JSON.
//!
//! Start with [`Population::new`], look for awkward people with [`Population::with`], and go on to the next day
//! with [`Population::next_day`]:
//!
//! ```
//! use hris_testkit::population::{DayPlan, Oddity, Population};
//!
//! let mut population = Population::new(7).size(500).build();
//! assert!(population.with(Oddity::NonLatinName).count() > 0);
//!
//! let changes = population.next_day(&DayPlan { hires: 3, leavers: 1, ..DayPlan::quiet() });
//! assert_eq!((changes.hired.len(), changes.left.len()), (3, 1));
//! ```

mod cast;
mod days;
mod generate;
mod ids;
mod names;
mod oddity;
mod person;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;

use chrono::NaiveDate;

pub use days::{Changes, DayPlan};
pub use oddity::{Amount, Oddities, Oddity, OdditySet, SMALLEST_WITH_EVERY_ODDITY};
pub use person::{Gap, Malformation, Person, PersonStatus};

use generate::Recipe;

/// Most people that a population starts with.
pub const MAX_SIZE: usize = 1_000_000;

/// 2 March 2026, a Monday in a year without a leap day.
const DEFAULT_DAY0: NaiveDate = match NaiveDate::from_ymd_opt(2026, 3, 2) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Settings of a population; see [`Population::new`].
#[derive(Clone, Debug)]
pub struct PopulationBuilder {
    seed: u64,
    size: usize,
    day0: NaiveDate,
    oddities: Oddities,
}

impl PopulationBuilder {
    /// How many people there are on the first day, up to [`MAX_SIZE`]; larger numbers count as that.
    #[must_use]
    pub fn size(mut self, people: usize) -> Self {
        self.size = people.min(MAX_SIZE);
        self
    }

    /// The first day. Every stamp of the first listing lies before it begins (UTC).
    #[must_use]
    pub fn day0(mut self, day: NaiveDate) -> Self {
        self.day0 = day;
        self
    }

    /// Only ordinary people, of whom most are active and some have left.
    #[must_use]
    pub fn without_oddities(self) -> Self {
        self.oddities(Oddities::leavers_only())
    }

    /// Which awkward things there are, and how many.
    #[must_use]
    pub fn oddities(mut self, oddities: Oddities) -> Self {
        self.oddities = oddities;
        self
    }

    /// Makes the people; they take a good kilobyte of memory each.
    pub fn build(&self) -> Population {
        let recipe = self.recipe();
        let people = (0..recipe.size).map(|position| recipe.person(position)).collect();
        let waiting = Oddity::ALL.into_iter().filter(|oddity| days::is_awaited(*oddity));
        let waiting = waiting.map(|oddity| (oddity, positions(&recipe, oddity))).collect();
        Population { today: self.day0, recipe, people, waiting, renumbered: 0 }
    }

    /// The people of the first day one after the other, for readers that need not hold them all.
    pub fn stream(&self) -> impl ExactSizeIterator<Item = Person> + Send + 'static {
        let recipe = self.recipe();
        (0..self.size).map(move |position| recipe.person(position as u64))
    }

    fn recipe(&self) -> Recipe {
        Recipe::new(self.seed, self.size, self.day0, &self.oddities)
    }
}

fn positions(recipe: &Recipe, oddity: Oddity) -> VecDeque<usize> {
    recipe.cast_for(oddity).filter_map(|position| usize::try_from(position).ok()).collect()
}

/// The people of one HR system on one day. `Debug` shows the settings only.
#[derive(Clone)]
pub struct Population {
    recipe: Recipe,
    people: Vec<Person>,
    today: NaiveDate,
    /// Positions of people cast for an event that has not come yet.
    waiting: BTreeMap<Oddity, VecDeque<usize>>,
    /// How many employee numbers were given out in place of others.
    renumbered: u64,
}

impl fmt::Debug for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Population")
            .field("seed", &self.recipe.seed)
            .field("people", &self.people.len())
            .field("today", &self.today)
            .finish_non_exhaustive()
    }
}

/// How many listed people have each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// [`PersonStatus::Active`].
    pub active: usize,
    /// [`PersonStatus::OnLeave`].
    pub on_leave: usize,
    /// [`PersonStatus::Pending`].
    pub pending: usize,
    /// [`PersonStatus::Inactive`].
    pub inactive: usize,
    /// [`PersonStatus::Odd`], whatever the word.
    pub odd: usize,
}

impl StatusCounts {
    /// All of them together: everyone who is listed.
    pub fn total(self) -> usize {
        self.active + self.on_leave + self.pending + self.inactive + self.odd
    }
}

impl Population {
    /// Settings with a seed, [`SMALLEST_WITH_EVERY_ODDITY`] people, 2026-03-02 as the first day and every oddity.
    #[expect(clippy::new_ret_no_self, reason = "reads as `Population::new(seed).size(n).build()`")]
    pub fn new(seed: u64) -> PopulationBuilder {
        PopulationBuilder {
            seed,
            size: SMALLEST_WITH_EVERY_ODDITY,
            day0: DEFAULT_DAY0,
            oddities: Oddities::default(),
        }
    }

    /// The seed that the people follow from.
    pub fn seed(&self) -> u64 {
        self.recipe.seed
    }

    /// The first day.
    pub fn day0(&self) -> NaiveDate {
        self.recipe.day0
    }

    /// The day that the people are shown at.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// Everyone who was ever there, the vanished included; an existing person keeps their place for ever.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// How many people were ever there, the vanished included.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody was ever there.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// The person with a record id, vanished or not, in constant time.
    pub fn person(&self, record_id: &str) -> Option<&Person> {
        self.people.get(self.position(record_id)?)
    }

    fn position(&self, record_id: &str) -> Option<usize> {
        let position = usize::try_from(ids::position_of(self.recipe.seed, record_id)?).ok()?;
        (self.people.get(position)?.record_id == record_id).then_some(position)
    }

    /// Everyone who stands in the vendor's listing, in order of joining; malformed rows included.
    pub fn listed(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(|person| person.is_listed())
    }

    /// The listed people whose status is active; malformed rows included.
    pub fn active(&self) -> impl Iterator<Item = &Person> {
        self.listed().filter(|person| person.status == PersonStatus::Active)
    }

    /// Those who carry an oddity, the vanished included. Pairs of the first day need not be neighbours.
    ///
    /// Where the oddity [needs a later day](Oddity::needs_a_later_day), these are the people cast for it at the
    /// start and those whom it has met since; [`Changes`] tells whom it met on one day.
    pub fn with(&self, oddity: Oddity) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(move |person| person.is(oddity))
    }

    /// How many listed people have each status.
    pub fn counts(&self) -> StatusCounts {
        let mut counts = StatusCounts::default();
        for person in self.listed() {
            let count = match person.status {
                PersonStatus::Active => &mut counts.active,
                PersonStatus::OnLeave => &mut counts.on_leave,
                PersonStatus::Pending => &mut counts.pending,
                PersonStatus::Inactive => &mut counts.inactive,
                PersonStatus::Odd(_) => &mut counts.odd,
            };
            *count += 1;
        }
        counts
    }

    /// The people for whom provisioning creates accounts by the default rules: listed, active or on leave, with a
    /// readable row, an employee number and a work e-mail address that no other listed person has, of whatever
    /// status. Addresses are compared without regard to case, numbers as exact text.
    ///
    /// Goes over everyone before it yields the first.
    pub fn usable(&self) -> impl Iterator<Item = &Person> {
        let emails = repeated(self.listed().filter_map(Person::email_key));
        let numbers = repeated(self.listed().filter_map(Person::number_key));
        self.listed().filter(move |person| {
            let own_email = |email: Cow<'_, str>| !emails.contains(&email);
            let own_number = |number: &str| !numbers.contains(number);
            person.is_employed()
                && person.malformed.is_none()
                && person.email_key().is_some_and(own_email)
                && person.number_key().is_some_and(own_number)
        })
    }
}

/// The keys that occur more than once.
fn repeated<K: Hash + Eq + Clone>(keys: impl Iterator<Item = K>) -> HashSet<K> {
    let mut seen = HashSet::new();
    keys.filter(|key| !seen.insert(key.clone())).collect()
}

#[cfg(test)]
mod tests;
