//! What a population promises as a whole: determinism, oddities, look-ups, truth, and days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;

use super::*;

/// Large enough for several cases of most oddities.
const LARGE: usize = 5_000;

fn only(oddity: Oddity, cases: usize) -> Population {
    let oddities = Oddities::none().with(oddity, Amount::Cases(cases));
    Population::new(11).size(100).oddities(oddities).build()
}

fn ids<'a>(people: impl Iterator<Item = &'a Person>) -> BTreeSet<String> {
    people.map(|person| person.record_id.clone()).collect()
}

/// The person before and after, for each record id.
fn before_and_after<'a>(
    before: &'a Population,
    after: &'a Population,
    ids: &'a [String],
) -> impl Iterator<Item = (&'a Person, &'a Person)> {
    ids.iter().map(|id| (before.person(id).unwrap(), after.person(id).unwrap()))
}

mod generation {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_people() {
        let (one, other) = (Population::new(7).size(LARGE).build(), Population::new(7).size(LARGE).build());
        assert!(one.people() == other.people());
    }

    /// When this fails, seeds no longer mean what they meant, and golden files made from them are out of date.
    #[test]
    fn a_seed_gives_the_same_people_in_every_version() {
        let population = Population::new(7).size(LARGE).without_oddities().build();
        let person = &population.people()[2];
        assert_eq!(person.record_id, "46f403ba-c3b3-49ed-afad-c3518583273e");
        assert_eq!(person.work_email.as_deref(), Some("margaux.lacombe.2@quillworks.example"));
        assert_eq!(person.start_date, NaiveDate::from_ymd_opt(2024, 3, 5));
    }

    #[test]
    fn another_seed_gives_other_people() {
        let (one, other) = (Population::new(7).build(), Population::new(8).build());
        assert!(ids(one.people().iter()).is_disjoint(&ids(other.people().iter())));
    }

    #[test]
    fn any_size_gives_as_many_people() {
        for size in [0, 1, 2, 3, 7, 8, 9, 63, 199, 200, 201, 1_999] {
            let population = Population::new(7).size(size).build();
            assert_eq!(population.len(), size);
            assert_eq!(population.is_empty(), size == 0);
        }
    }

    #[test]
    fn a_size_beyond_a_million_counts_as_a_million() {
        assert_eq!(Population::new(7).size(MAX_SIZE + 1).stream().len(), MAX_SIZE);
    }

    #[test]
    fn a_stream_gives_the_people_of_the_first_day() {
        let settings = Population::new(7).size(LARGE);
        assert!(settings.stream().eq(settings.build().people().iter().cloned()));
    }

    #[test]
    fn keys_are_unique_unless_an_oddity_says_otherwise() {
        let population = Population::new(3).size(LARGE).without_oddities().build();
        let numbers: BTreeSet<_> = population.people().iter().filter_map(Person::number_key).collect();
        let emails: BTreeSet<_> = population.people().iter().filter_map(Person::email_key).collect();
        assert_eq!((numbers.len(), emails.len()), (LARGE, LARGE));
        assert_eq!(ids(population.people().iter()).len(), LARGE);
    }

    #[test]
    fn numbers_are_decimal_text_and_addresses_end_in_example() {
        for person in Population::new(3).size(LARGE).build().people() {
            assert!(
                person.number_key().is_none_or(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            );
            let addresses = [&person.work_email, &person.personal_email].into_iter().flatten();
            let mut filled = addresses.filter(|address| !address.is_empty());
            assert!(filled.all(|address| address.to_lowercase().ends_with(".example")));
        }
    }

    #[test]
    fn a_population_prints_no_person() {
        let shown = format!("{:?}", Population::new(7).build());
        assert!(shown.len() < 80, "{shown}");
    }

    #[test]
    fn a_benefit_date_is_written_day_first() {
        let population = Population::new(7).size(LARGE).without_oddities().build();
        let dates = population.people().iter().filter_map(|person| person.custom.get("benefit_date"));
        let days: Vec<u32> = dates.filter_map(|text| text.get(..2)?.parse().ok()).collect();
        assert!(days.iter().any(|day| *day > 12) && days.iter().all(|day| (1..=31).contains(day)));
    }
}

mod oddities {
    use super::*;

    #[test]
    fn every_oddity_occurs_in_the_default_population() {
        for seed in 0..20 {
            let population = Population::new(seed).size(SMALLEST_WITH_EVERY_ODDITY).build();
            for oddity in Oddity::ALL {
                let carriers = population.with(oddity).count();
                assert!(carriers >= oddity.people_per_case(), "{oddity:?} with seed {seed}: {carriers}");
            }
        }
    }

    #[test]
    fn every_malformation_occurs_in_the_default_population() {
        let population = Population::new(7).build();
        let kinds: BTreeSet<Malformation> = population.people().iter().filter_map(|p| p.malformed).collect();
        assert_eq!(kinds.len(), Malformation::ALL.len());
    }

    #[test]
    fn a_population_without_oddities_is_active_or_has_left() {
        let population = Population::new(7).size(LARGE).without_oddities().build();
        let counts = population.counts();
        assert_eq!(counts.active + counts.inactive, LARGE);
        assert!(counts.inactive > 0 && counts.active > counts.inactive);
        assert!(population.people().iter().all(|p| p.oddities.iter().all(|oddity| oddity == Oddity::Leaver)));
        assert_eq!(population.usable().count(), counts.active);
    }

    #[test]
    fn exactly_as_many_cases_as_asked_for() {
        for oddity in Oddity::ALL {
            assert_eq!(only(oddity, 3).with(oddity).count(), 3 * oddity.people_per_case(), "{oddity:?}");
        }
    }

    #[test]
    fn a_status_and_its_oddity_go_together() {
        let population = Population::new(7).size(LARGE).build();
        for person in population.people() {
            assert_eq!(person.status == PersonStatus::Inactive, person.is(Oddity::Leaver));
            assert_eq!(person.status == PersonStatus::Pending, person.is(Oddity::PreHire));
            assert_eq!(person.status == PersonStatus::OnLeave, person.is(Oddity::OnLeave));
            assert_eq!(matches!(person.status, PersonStatus::Odd(_)), person.is(Oddity::UnknownStatus));
        }
        let cast_as_leaver_too = [Oddity::Rehire, Oddity::ReusedEmployeeNumber];
        assert!(
            cast_as_leaver_too.iter().all(|oddity| population.with(*oddity).all(|p| p.is(Oddity::Leaver)))
        );
    }

    #[test]
    fn leavers_have_an_end_date_and_pre_hires_a_start_ahead() {
        let population = Population::new(7).size(LARGE).build();
        let today = population.today();
        assert!(population.with(Oddity::Leaver).all(|p| p.end_date.is_some_and(|end| end <= today)));
        assert!(population.with(Oddity::PreHire).all(|p| p.start_date.is_some_and(|start| start > today)));
        assert!(population.with(Oddity::EndDatePassed).all(|p| p.end_date.is_some_and(|end| end < today)));
        assert!(population.with(Oddity::EndDateAhead).all(|p| p.end_date.is_some_and(|end| end > today)));
    }

    #[test]
    fn leap_days_occur_only_with_those_who_carry_them() {
        let leap = |date: Option<NaiveDate>| date.is_some_and(|date| (date.month(), date.day()) == (2, 29));
        for person in Population::new(7).size(LARGE).build().people() {
            assert_eq!(leap(person.birth_date), person.is(Oddity::LeapDayBirth));
            assert_eq!(leap(person.start_date), person.is(Oddity::LeapDayStart));
        }
    }

    #[test]
    fn names_are_as_awkward_as_their_oddity_says() {
        let population = Population::new(7).size(LARGE).build();
        let names = |oddity| {
            population.with(oddity).map(|person| {
                (person.first_name.clone().unwrap_or_default(), person.last_name.clone().unwrap_or_default())
            })
        };
        assert!(names(Oddity::NonLatinName).all(|(first, last)| !(first + &last).is_ascii()));
        let combining = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
        assert!(names(Oddity::CombiningMarkName).all(|(first, last)| (first + &last).contains(combining)));
        let punctuated = |(first, last): (String, String)| (first + &last).contains(['\'', '’', '-', '.']);
        assert!(names(Oddity::PunctuatedName).all(punctuated));
        assert!(names(Oddity::FormulaName).all(|(first, _)| first.starts_with('=')));
        assert!(names(Oddity::LongName).all(|(_, last)| last.chars().count() > 50));
    }

    #[test]
    fn pairs_share_what_they_should_and_nothing_else() {
        let population = only(Oddity::SharedEmail, 4);
        let mut by_email: BTreeMap<String, usize> = BTreeMap::new();
        for person in population.people() {
            *by_email.entry(person.email_key().unwrap().into_owned()).or_default() += 1;
        }
        assert_eq!(by_email.values().filter(|count| **count == 2).count(), 4);
        let exact: BTreeSet<_> = population.people().iter().map(|person| &person.work_email).collect();
        assert_eq!(exact.len(), 100 - 2, "two of the four pairs differ in case");

        let population = only(Oddity::DuplicateEmployeeNumber, 4);
        let numbers: BTreeSet<_> = population.people().iter().filter_map(Person::number_key).collect();
        assert_eq!(numbers.len(), 100 - 4);
    }

    #[test]
    fn managers_exist_run_in_a_circle_or_do_not_exist_as_their_oddity_says() {
        let population = Population::new(7).size(LARGE).build();
        let manager = |person: &Person| person.manager.as_deref().and_then(|id| population.person(id));
        for person in population.people() {
            let dangling = person.manager.is_some() && manager(person).is_none();
            assert_eq!(dangling, person.is(Oddity::UnknownManager), "{person:?}");
            let circular = manager(person).and_then(manager).is_some_and(|boss| boss == person);
            assert_eq!(circular, person.is(Oddity::ManagerCycle), "{person:?}");
        }
    }

    #[test]
    fn leading_zeros_stand_only_where_asked_for() {
        for person in Population::new(7).size(LARGE).build().people() {
            let padded = person.number_key().is_some_and(|number| number.starts_with('0'));
            assert_eq!(padded, person.is(Oddity::LeadingZeros));
        }
    }

    #[test]
    fn fields_are_missing_null_or_empty_as_their_oddity_says() {
        let expected = [
            (Oddity::MissingFields, Gap::LeftOut),
            (Oddity::NullFields, Gap::Null),
            (Oddity::EmptyFields, Gap::EmptyText),
        ];
        for (oddity, gap) in expected {
            for person in only(oddity, 3).with(oddity) {
                assert!(person.gaps == gap && person.department.is_none() && person.birth_date.is_none());
                assert!(person.number_key().is_some() && person.email_key().is_some());
            }
        }
    }
}

mod truth {
    use super::*;

    #[test]
    fn a_person_is_found_by_record_id_and_nobody_by_a_foreign_one() {
        let population = Population::new(7).size(LARGE).build();
        let found = |person: &Person| population.person(&person.record_id) == Some(person);
        assert!(population.people().iter().all(found));
        let foreign = Population::new(8).size(50).build();
        assert!(foreign.people().iter().all(|person| population.person(&person.record_id).is_none()));
        let forged = population.people()[3].record_id.replacen(|c: char| c.is_ascii_hexdigit(), "x", 1);
        assert!(population.person(&forged).is_none(), "only the last group is right");
        assert!(["", "nobody", "é"].iter().all(|id| population.person(id).is_none()));
    }

    #[test]
    fn counts_add_up_to_everyone_listed() {
        let mut population = Population::new(7).size(LARGE).build();
        population.next_day(&DayPlan { vanished: 25, ..DayPlan::quiet() });
        let counts = population.counts();
        assert_eq!(counts.total(), LARGE - 25);
        assert_eq!(population.listed().count(), LARGE - 25);
        assert_eq!(population.active().count(), counts.active);
        assert!(
            [counts.on_leave, counts.pending, counts.inactive, counts.odd].iter().all(|count| *count > 0)
        );
    }

    #[test]
    fn usable_is_all_active_people_when_nobody_is_odd() {
        let population = Population::new(7).size(300).oddities(Oddities::none()).build();
        assert_eq!(population.usable().count(), 300);
    }

    #[test]
    fn usable_excludes_people_who_share_an_email() {
        assert_eq!(only(Oddity::SharedEmail, 4).usable().count(), 100 - 8);
    }

    #[test]
    fn usable_excludes_people_who_share_a_number() {
        assert_eq!(only(Oddity::DuplicateEmployeeNumber, 4).usable().count(), 100 - 8);
    }

    #[test]
    fn usable_excludes_those_whom_a_rule_keeps_out() {
        let kept_out = [
            Oddity::Leaver,
            Oddity::PreHire,
            Oddity::UnknownStatus,
            Oddity::NoEmail,
            Oddity::BlankEmployeeNumber,
            Oddity::MalformedRow,
        ];
        for oddity in kept_out {
            assert_eq!(only(oddity, 9).usable().count(), 100 - 9, "{oddity:?}");
        }
    }

    #[test]
    fn usable_includes_those_who_are_merely_awkward() {
        let awkward = [
            Oddity::OnLeave,
            Oddity::LongName,
            Oddity::NullFields,
            Oddity::EndDatePassed,
            Oddity::LeadingZeros,
        ];
        for oddity in awkward {
            assert_eq!(only(oddity, 9).usable().count(), 100, "{oddity:?}");
        }
    }

    #[test]
    fn an_address_is_usable_again_when_the_other_one_has_vanished() {
        let mut population = only(Oddity::SharedEmail, 50);
        assert_eq!(population.usable().count(), 0);
        population.next_day(&DayPlan { vanished: 1, ..DayPlan::quiet() });
        assert_eq!(population.usable().count(), 1);
    }
}

mod days {
    use super::*;

    #[test]
    fn a_quiet_day_changes_nothing() {
        let mut population = Population::new(7).size(LARGE).build();
        let before = population.clone();
        let changes = population.next_day(&DayPlan::quiet());
        assert!(changes.is_empty());
        assert_eq!(population.today(), before.today().succ_opt().unwrap());
        assert!(population.people() == before.people());
    }

    #[test]
    fn the_same_plans_give_the_same_days() {
        let month = || {
            let mut population = Population::new(7).size(2_000).build();
            let days: Vec<_> = (0..30).map(|_| population.next_day(&DayPlan::typical(2_000))).collect();
            (days, population)
        };
        let (one, other) = (month(), month());
        assert!(one.0 == other.0 && one.1.people() == other.1.people());
    }

    #[test]
    fn exactly_those_in_the_changes_are_touched() {
        let mut population = Population::new(7).size(2_000).build();
        for _ in 0..20 {
            let before = population.clone();
            let changes = population.next_day(&DayPlan::typical(2_000));
            let touched: Vec<&str> = changes.touched().collect();
            let distinct: BTreeSet<&str> = touched.iter().copied().collect();
            assert_eq!(touched.len(), distinct.len(), "nobody is touched twice");
            let today = population.today();
            for person in population.people() {
                let is_touched = distinct.contains(person.record_id.as_str());
                assert_eq!(person.modified_at.date_naive() == today, is_touched, "{person:?}");
                let mut old = before.person(&person.record_id).cloned().unwrap_or_default();
                old.oddities = person.oddities;
                assert_eq!(old != *person, is_touched, "{person:?}");
            }
        }
    }

    #[test]
    fn a_day_meets_as_many_as_planned() {
        let mut population = Population::new(7).size(2_000).build();
        let changes = population.next_day(&DayPlan {
            hires: 11,
            number_reuses: 2,
            due_starts: false,
            leavers: 3,
            returns: 4,
            vanished: 5,
            field_changes: 60,
            email_changes: 7,
            email_case_changes: 8,
            email_swaps: 9,
            number_changes: 10,
        });
        let people =
            [changes.hired.len(), changes.number_reused.len(), changes.started.len(), changes.left.len()];
        assert_eq!(people, [11, 2, 0, 3]);
        let moves = [changes.returned.len(), changes.vanished.len(), changes.fields_changed.len()];
        assert_eq!(moves, [4, 5, 60]);
        let emails =
            [changes.email_changed.len(), changes.email_case_changed.len(), changes.email_swapped.len()];
        assert_eq!(emails, [7, 8, 9]);
        assert_eq!(changes.number_changed.len(), 10);
        assert_eq!(population.len(), 2_000 + 11 + 2);
    }

    #[test]
    fn leavers_become_inactive_with_yesterday_as_their_last_day() {
        let mut population = Population::new(7).build();
        let yesterday = population.today();
        let changes = population.next_day(&DayPlan { leavers: 5, ..DayPlan::quiet() });
        for id in &changes.left {
            let person = population.person(id).unwrap();
            assert!(person.status == PersonStatus::Inactive && person.is(Oddity::Leaver));
            assert_eq!(person.end_date, Some(yesterday));
        }
    }

    #[test]
    fn those_cast_as_rehires_return_first_and_start_anew() {
        let mut population = Population::new(7).size(LARGE).build();
        let cast = ids(population.with(Oddity::Rehire));
        let before = population.clone();
        let changes = population.next_day(&DayPlan { returns: cast.len() + 2, ..DayPlan::quiet() });
        assert!(cast.iter().all(|id| changes.returned.contains(id)));
        for (old, new) in before_and_after(&before, &population, &changes.returned) {
            assert!(old.status == PersonStatus::Inactive && new.status == PersonStatus::Active);
            assert_eq!((new.start_date, new.end_date), (Some(population.today()), None));
            assert_eq!(new.original_start_date, old.original_start_date);
            assert!(new.is(Oddity::Rehire) && !new.is(Oddity::Leaver));
        }
    }

    #[test]
    fn the_vanished_stay_known_and_are_listed_no_longer() {
        let mut population = Population::new(7).build();
        let changes = population.next_day(&DayPlan { vanished: 4, ..DayPlan::quiet() });
        assert!(changes.vanished.iter().all(|id| population.person(id).is_some_and(|person| person.deleted)));
        assert_eq!((population.len(), population.listed().count()), (200, 196));
    }

    #[test]
    fn pre_hires_start_on_their_day_and_not_before() {
        let mut population = Population::new(7).size(LARGE).build();
        let pending = ids(population.with(Oddity::PreHire));
        let mut started = BTreeSet::new();
        for _ in 0..70 {
            let changes = population.next_day(&DayPlan { due_starts: true, ..DayPlan::quiet() });
            for id in changes.started {
                assert_eq!(population.person(&id).unwrap().start_date, Some(population.today()));
                started.insert(id);
            }
        }
        assert_eq!(started, pending);
        assert_eq!(population.counts().pending, 0);
    }

    #[test]
    fn swapped_addresses_change_places() {
        let mut population = Population::new(7).size(LARGE).build();
        let cast = ids(population.with(Oddity::EmailSwap));
        let before = population.clone();
        let changes = population.next_day(&DayPlan { email_swaps: cast.len(), ..DayPlan::quiet() });
        for (one, other) in &changes.email_swapped {
            let email = |day: &Population, id: &str| day.person(id).unwrap().work_email.clone();
            assert_ne!(email(&before, one), email(&before, other));
            assert_eq!(email(&population, one), email(&before, other));
            assert_eq!(email(&population, other), email(&before, one));
        }
        let touched: BTreeSet<String> = changes.touched().map(str::to_owned).collect();
        assert!(cast.is_subset(&touched));
    }

    #[test]
    fn a_case_only_change_keeps_the_key_and_a_new_address_does_not() {
        let mut population = Population::new(7).size(LARGE).build();
        let before = population.clone();
        let plan = DayPlan { email_case_changes: 20, email_changes: 20, ..DayPlan::quiet() };
        let changes = population.next_day(&plan);
        for (old, new) in before_and_after(&before, &population, &changes.email_case_changed) {
            assert!(old.work_email != new.work_email && old.email_key() == new.email_key());
        }
        for (old, new) in before_and_after(&before, &population, &changes.email_changed) {
            assert_ne!(old.email_key(), new.email_key());
        }
    }

    #[test]
    fn changed_numbers_are_new_to_everyone() {
        let mut population = Population::new(7).size(LARGE).build();
        let mut known: BTreeSet<String> =
            population.people().iter().filter_map(|person| person.number_key().map(str::to_owned)).collect();
        for _ in 0..3 {
            let changes = population.next_day(&DayPlan { number_changes: 30, hires: 5, ..DayPlan::quiet() });
            for id in changes.number_changed.iter().chain(&changes.hired) {
                let number = population.person(id).unwrap().employee_number.clone().unwrap();
                assert!(known.insert(number), "{id}");
            }
        }
    }

    #[test]
    fn a_reused_number_belongs_to_a_leaver_and_a_newcomer_who_are_not_alike() {
        let mut population = Population::new(7).size(LARGE).build();
        let changes = population.next_day(&DayPlan { number_reuses: 6, ..DayPlan::quiet() });
        assert_eq!(changes.number_reused.len(), 6);
        for (leaver, newcomer) in &changes.number_reused {
            let (leaver, newcomer) =
                (population.person(leaver).unwrap(), population.person(newcomer).unwrap());
            assert_eq!(leaver.number_key(), newcomer.number_key());
            assert!(leaver.status == PersonStatus::Inactive && newcomer.status == PersonStatus::Active);
            assert_ne!(leaver.birth_date, newcomer.birth_date);
            assert_ne!(leaver.start_date, newcomer.start_date);
        }
    }

    #[test]
    fn newcomers_start_today_and_are_found_by_record_id() {
        let mut population = Population::new(7).size(0).build();
        let changes = population.next_day(&DayPlan { hires: 40, ..DayPlan::quiet() });
        let today = Some(population.today());
        let starts =
            changes.hired.iter().map(|id| population.person(id).and_then(|person| person.start_date));
        assert!(starts.into_iter().all(|start| start == today));
        assert_eq!(population.usable().count(), 40);
    }

    #[test]
    fn a_leaver_whose_number_was_passed_on_never_returns() {
        let mut population = only(Oddity::ReusedEmployeeNumber, 9);
        population.next_day(&DayPlan { number_reuses: 9, ..DayPlan::quiet() });
        let changes = population.next_day(&DayPlan { returns: usize::MAX, ..DayPlan::quiet() });
        assert!(changes.is_empty());
    }

    #[test]
    fn those_who_share_an_address_never_swap_it() {
        let mut population = only(Oddity::SharedEmail, 50);
        assert!(population.next_day(&DayPlan { email_swaps: 50, ..DayPlan::quiet() }).is_empty());
    }

    #[test]
    fn nobody_is_met_twice_on_a_day_that_meets_everyone() {
        let mut population = Population::new(7).size(400).build();
        for day in 0..40 {
            let plan = DayPlan { leavers: 30, field_changes: 300, hires: 9, ..DayPlan::typical(60_000) };
            let changes = population.next_day(&plan);
            let distinct: BTreeSet<&str> = changes.touched().collect();
            assert_eq!(changes.touched().count(), distinct.len(), "day {day}");
        }
    }

    #[test]
    fn a_plan_for_more_people_than_there_are_meets_all_it_suits() {
        let mut population = Population::new(7).size(300).build();
        let employed =
            |p: &Population| p.listed().filter(|p| p.is_employed() && p.malformed.is_none()).count();
        let before = employed(&population);
        let changes = population.next_day(&DayPlan { leavers: usize::MAX, ..DayPlan::quiet() });
        assert_eq!((changes.left.len(), employed(&population)), (before, 0));
        let none = population.next_day(&DayPlan { email_swaps: usize::MAX, ..DayPlan::quiet() });
        assert!(none.is_empty());
    }

    #[test]
    fn nobody_can_be_met_where_nobody_is() {
        let mut population = Population::new(7).size(0).build();
        let changes = population.next_day(&DayPlan { hires: 0, ..DayPlan::typical(1_000) });
        assert!(changes.is_empty() && population.is_empty());
    }

    #[test]
    fn every_later_oddity_has_happened_after_enough_typical_days() {
        let mut population = Population::new(7).size(LARGE).build();
        let awaited = |oddity: &Oddity| oddity.needs_a_later_day();
        let cast: Vec<_> = Oddity::ALL.into_iter().filter(awaited).map(|o| ids(population.with(o))).collect();
        let mut touched = BTreeSet::new();
        for _ in 0..40 {
            let changes = population.next_day(&DayPlan::typical(LARGE));
            touched.extend(changes.touched().map(str::to_owned));
            touched.extend(changes.number_reused.into_iter().map(|(leaver, _)| leaver));
        }
        assert!(cast.iter().all(|people| people.is_subset(&touched)));
    }
}

#[test]
fn a_leaver_who_is_brought_back_works_again_and_nobody_else_can_be() {
    let mut people = Population::new(7).size(300).build();
    let left = people.next_day(&DayPlan { leavers: 1, ..DayPlan::quiet() }).left.remove(0);
    people.next_day(&DayPlan::quiet());
    let before = people.person(&left).unwrap().modified_at;
    assert!(people.bring_back(&left));
    let back = people.person(&left).unwrap();
    assert_eq!(
        (back.status.clone(), back.start_date, back.end_date),
        (PersonStatus::Active, Some(people.today()), None)
    );
    assert!(back.modified_at > before);
    assert!(!people.bring_back(&left), "is no leaver any more");
    assert!(!people.bring_back("nobody"));
}

#[test]
fn a_person_changed_by_hand_carries_the_change_and_a_newer_stamp_and_nobody_else_does() {
    let mut people = Population::new(3).size(50).build();
    people.next_day(&DayPlan::quiet());
    let before = people.clone();
    let who = people.active().next().unwrap().record_id.clone();
    assert!(people.change(&who, |person| person.start_date = Some(people_day())));
    assert!(!people.change("nobody", |_| {}));
    for (old, new) in before.people().iter().zip(people.people()) {
        assert_eq!(old == new, old.record_id != who);
    }
    let changed = people.person(&who).unwrap();
    assert_eq!(changed.start_date, Some(people_day()));
    assert!(changed.modified_at > before.person(&who).unwrap().modified_at);
}

fn people_day() -> NaiveDate {
    "2026-05-04".parse().unwrap()
}
