//! The awkward things that real directories contain, and how many of each a population gets.

use std::collections::BTreeMap;

use super::person::Malformation;

/// Population size from which every oddity with a rate above zero occurs at least once.
pub const SMALLEST_WITH_EVERY_ODDITY: usize = 200;

/// One awkward thing about a person, a pair of people, or what happens to them on a later day.
///
/// A person carries it from the start or, where [`Oddity::needs_a_later_day`], is cast for it at the start and
/// lives through it when a [`DayPlan`](super::DayPlan) asks for such an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// Inactive, with an end date. Exactly the people whose status is inactive.
    Leaver,
    /// Inactive at first, active again on a later day with a new start date.
    Rehire,
    /// Pending, with a start date ahead. Exactly the people whose status is pending.
    PreHire,
    /// On leave of absence. Exactly the people whose status says so.
    OnLeave,
    /// A status word that no table knows.
    UnknownStatus,
    /// Neither a work nor a personal e-mail address (absent or empty text).
    NoEmail,
    /// No employee number: absent, empty text or spaces.
    BlankEmployeeNumber,
    /// A pair with one work e-mail address; in every second pair the two differ in letter case.
    SharedEmail,
    /// A pair of different records with the same employee number.
    DuplicateEmployeeNumber,
    /// Gets another employee number on a later day.
    ChangedEmployeeNumber,
    /// A leaver whose employee number is given to a newcomer on a later day, and that newcomer.
    ReusedEmployeeNumber,
    /// A pair whose work e-mail addresses change places on a later day.
    EmailSwap,
    /// The work e-mail address changes only in letter case on a later day.
    EmailCaseChange,
    /// Born on 29 February.
    LeapDayBirth,
    /// Started on a 29 February up to the first day.
    LeapDayStart,
    /// A name in another script than Latin.
    NonLatinName,
    /// A name written with combining marks (NFD), such as `e` followed by U+0301.
    CombiningMarkName,
    /// A name with an apostrophe, a hyphen or a dot.
    PunctuatedName,
    /// A first name that a spreadsheet would take for a formula: it begins with `=`.
    FormulaName,
    /// A last name of more than 50 letters.
    LongName,
    /// Optional fields that the vendor leaves out of the row.
    MissingFields,
    /// Optional fields that the vendor sends as null.
    NullFields,
    /// Optional fields that the vendor sends as empty text.
    EmptyFields,
    /// A row that a connector cannot read as it stands; see [`Malformation`].
    MalformedRow,
    /// A pair of people who are each other's manager.
    ManagerCycle,
    /// A manager whose record id belongs to nobody, now or later.
    UnknownManager,
    /// An employee number with leading zeros, which must be kept as text.
    LeadingZeros,
    /// Active although the end date lies in the past: the status decides.
    EndDatePassed,
    /// Active with an end date ahead.
    EndDateAhead,
    /// Start date 1970-01-01 and birth date 1900-01-01, typed in because the form demanded a date.
    PlaceholderDates,
}

impl Oddity {
    /// Every oddity, once each, in declaration order.
    pub const ALL: [Self; 30] = [
        Self::Leaver,
        Self::Rehire,
        Self::PreHire,
        Self::OnLeave,
        Self::UnknownStatus,
        Self::NoEmail,
        Self::BlankEmployeeNumber,
        Self::SharedEmail,
        Self::DuplicateEmployeeNumber,
        Self::ChangedEmployeeNumber,
        Self::ReusedEmployeeNumber,
        Self::EmailSwap,
        Self::EmailCaseChange,
        Self::LeapDayBirth,
        Self::LeapDayStart,
        Self::NonLatinName,
        Self::CombiningMarkName,
        Self::PunctuatedName,
        Self::FormulaName,
        Self::LongName,
        Self::MissingFields,
        Self::NullFields,
        Self::EmptyFields,
        Self::MalformedRow,
        Self::ManagerCycle,
        Self::UnknownManager,
        Self::LeadingZeros,
        Self::EndDatePassed,
        Self::EndDateAhead,
        Self::PlaceholderDates,
    ];

    /// How many people one case involves: 2 for pairs, otherwise 1.
    pub fn people_per_case(self) -> usize {
        match self {
            Self::SharedEmail | Self::DuplicateEmployeeNumber | Self::EmailSwap | Self::ManagerCycle => 2,
            _ => 1,
        }
    }

    /// Whether it shows only after a day whose plan asks for it.
    pub fn needs_a_later_day(self) -> bool {
        matches!(
            self,
            Self::Rehire
                | Self::ChangedEmployeeNumber
                | Self::ReusedEmployeeNumber
                | Self::EmailSwap
                | Self::EmailCaseChange
        )
    }

    /// Cases per ten thousand people in the default mix. Pairs count once.
    fn default_rate(self) -> u32 {
        match self {
            Self::Leaver => 800,
            Self::NonLatinName | Self::PunctuatedName => 300,
            Self::OnLeave => 200,
            Self::PreHire | Self::MissingFields | Self::NullFields => 100,
            Self::Rehire
            | Self::NoEmail
            | Self::CombiningMarkName
            | Self::EmptyFields
            | Self::LeadingZeros
            | Self::EndDateAhead => 50,
            Self::BlankEmployeeNumber => 30,
            Self::UnknownStatus | Self::MalformedRow | Self::UnknownManager | Self::EndDatePassed => 20,
            Self::SharedEmail
            | Self::DuplicateEmployeeNumber
            | Self::ChangedEmployeeNumber
            | Self::ReusedEmployeeNumber
            | Self::EmailCaseChange
            | Self::PlaceholderDates => 10,
            Self::EmailSwap | Self::LeapDayBirth | Self::LeapDayStart | Self::LongName => 5,
            Self::FormulaName | Self::ManagerCycle => 3,
        }
    }

    /// Cases that a rate yields at the least in a population that is large enough.
    fn fewest_cases(self) -> usize {
        if self == Self::MalformedRow { Malformation::ALL.len() } else { 1 }
    }

    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// The oddities that one person carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OdditySet(u32);

impl OdditySet {
    /// Whether the person carries it.
    pub fn contains(self, oddity: Oddity) -> bool {
        self.0 & oddity.bit() != 0
    }

    /// Whether the person is quite ordinary.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The oddities in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL.into_iter().filter(move |oddity| self.contains(*oddity))
    }

    /// Adds one.
    pub fn insert(&mut self, oddity: Oddity) {
        self.0 |= oddity.bit();
    }

    /// Takes one away.
    pub fn remove(&mut self, oddity: Oddity) {
        self.0 &= !oddity.bit();
    }
}

/// How many cases of an oddity a population gets; a pair of people is one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// That many cases, or as many as the population has people left for.
    Cases(usize),
    /// That many cases for each ten thousand people, rounded down; yet at least one case (and for malformed rows
    /// one of each kind) from [`SMALLEST_WITH_EVERY_ODDITY`] people on. Zero means none.
    PerTenThousand(u32),
}

impl Amount {
    fn cases(self, oddity: Oddity, size: usize) -> usize {
        match self {
            Self::Cases(cases) => cases,
            Self::PerTenThousand(0) => 0,
            Self::PerTenThousand(rate) => {
                let share = size.saturating_mul(rate as usize) / 10_000;
                let fewest = if size < SMALLEST_WITH_EVERY_ODDITY { 0 } else { oddity.fewest_cases() };
                share.max(fewest)
            }
        }
    }
}

/// The amounts of all oddities. The default is a realistic mix in which each of them occurs.
///
/// When the amounts add up to more people than there are, oddities declared earlier come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddities {
    amounts: BTreeMap<Oddity, Amount>,
}

impl Default for Oddities {
    fn default() -> Self {
        let mix = |oddity: Oddity| (oddity, Amount::PerTenThousand(oddity.default_rate()));
        Self { amounts: Oddity::ALL.into_iter().map(mix).collect() }
    }
}

impl Oddities {
    /// None at all: everyone is active and ordinary.
    pub fn none() -> Self {
        Self { amounts: BTreeMap::new() }
    }

    /// Ordinary people, of whom some have left.
    pub fn leavers_only() -> Self {
        Self::none().with(Oddity::Leaver, Amount::PerTenThousand(Oddity::Leaver.default_rate()))
    }

    /// Sets the amount of one oddity.
    #[must_use]
    pub fn with(mut self, oddity: Oddity, amount: Amount) -> Self {
        self.amounts.insert(oddity, amount);
        self
    }

    /// The amount set for an oddity; zero cases where none was set.
    pub fn amount(&self, oddity: Oddity) -> Amount {
        self.amounts.get(&oddity).copied().unwrap_or(Amount::Cases(0))
    }

    /// How many cases of an oddity a population of that size would like to have.
    pub(super) fn cases(&self, oddity: Oddity, size: usize) -> usize {
        self.amount(oddity).cases(oddity, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_oddity_is_listed_once_in_order() {
        let last = Oddity::PlaceholderDates as usize;
        assert_eq!(Oddity::ALL.len(), last + 1);
        assert!(Oddity::ALL.iter().enumerate().all(|(place, oddity)| *oddity as usize == place));
    }

    #[test]
    fn a_set_holds_what_was_inserted_and_not_removed() {
        let mut set = OdditySet::default();
        assert!(set.is_empty());
        set.insert(Oddity::PlaceholderDates);
        set.insert(Oddity::Leaver);
        set.insert(Oddity::NoEmail);
        set.remove(Oddity::NoEmail);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Oddity::Leaver, Oddity::PlaceholderDates]);
    }

    #[test]
    fn a_rate_rounds_down_in_small_populations_and_gives_one_in_larger_ones() {
        let amount = Amount::PerTenThousand(5);
        assert_eq!(amount.cases(Oddity::LongName, 199), 0);
        assert_eq!(amount.cases(Oddity::LongName, 200), 1);
        assert_eq!(amount.cases(Oddity::LongName, 1_000_000), 500);
        assert_eq!(Amount::PerTenThousand(0).cases(Oddity::LongName, 1_000_000), 0);
    }

    #[test]
    fn the_default_mix_leaves_most_people_of_the_smallest_full_population_ordinary() {
        let mix = Oddities::default();
        let people =
            |oddity: Oddity| mix.cases(oddity, SMALLEST_WITH_EVERY_ODDITY) * oddity.people_per_case();
        let odd: usize = Oddity::ALL.into_iter().map(people).sum();
        assert!(odd * 2 < SMALLEST_WITH_EVERY_ODDITY, "{odd} odd people");
    }
}
