//! `bench_reconcile` against a plain rendering of the contract's rules: rows as texts in maps, no fingerprint.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde_json::Value;

use crate::place::Place;
use crate::truth::COLUMNS;

const EMAIL: usize = 3;
const STATUS: usize = 7;
const ACTIONS: [&str; 6] = ["create", "update", "leaver", "reactivate", "conflict", "unchanged"];

type Line = [String; 12];
type Table = BTreeMap<String, Line>;

/// Small numbers, the same for the same seed: a linear congruential generator, of which the high bits are taken.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// A row of so many possible values a column; of them one is empty.
fn line(dice: &mut Dice, number: &str, variety: u64) -> Line {
    std::array::from_fn(|column| match column {
        0 => number.to_owned(),
        STATUS => match dice.below(4) {
            0 => "active",
            1 => "leaver",
            2 => "pending",
            _ => "",
        }
        .to_owned(),
        EMAIL if !dice.one_in(9) => format!("person{}@company.example", dice.below(variety * 20)),
        _ => match dice.below(variety) {
            0 => String::new(),
            value => format!("{} {value}", COLUMNS[column]),
        },
    })
}

/// Two tables: of the second most rows are as in the first, some differ in a column or in all, some are new, some missing.
fn tables(seed: u64, people: u64, variety: u64) -> (Table, Table) {
    let mut dice = Dice(seed);
    let (mut existing, mut incoming) = (Table::new(), Table::new());
    for number in 0..people {
        let number = format!("{number:05}");
        let known = line(&mut dice, &number, variety);
        let mut now = known.clone();
        match dice.below(8) {
            0 => now = line(&mut dice, &number, variety),
            1 | 2 => {
                let column = 1 + usize::try_from(dice.below(11)).unwrap();
                now[column].clone_from(&line(&mut dice, &number, variety)[column]);
            }
            _ => {}
        }
        let place = dice.below(10);
        if place != 0 {
            existing.insert(number.clone(), known);
        }
        if place != 1 {
            incoming.insert(number, now);
        }
    }
    (existing, incoming)
}

/// Action and mask of everybody, by the contract's rules in their order.
fn plan(existing: &Table, incoming: &Table) -> BTreeMap<String, (&'static str, u64)> {
    let mut emails: HashMap<&str, u64> = HashMap::new();
    for line in incoming.values().filter(|line| !line[EMAIL].is_empty()) {
        *emails.entry(&line[EMAIL]).or_default() += 1;
    }
    let has_left = |line: &Line| line[STATUS] == "leaver";
    let mut plan = BTreeMap::new();
    for number in existing.keys().chain(incoming.keys()) {
        let decided = match (existing.get(number), incoming.get(number)) {
            (Some(known), None) if has_left(known) => continue,
            (Some(_), None) => ("leaver", 0),
            (_, Some(now)) if emails.get(now[EMAIL].as_str()).is_some_and(|count| *count > 1) => {
                ("conflict", 0)
            }
            (None, Some(now)) if has_left(now) => continue,
            (None, _) => ("create", 0),
            (Some(known), Some(now)) => {
                let mask: u64 = (1..12).filter(|at| known[*at] != now[*at]).map(|at| 1 << (at - 1)).sum();
                match (has_left(known), has_left(now), mask) {
                    (true, false, mask) => ("reactivate", mask),
                    (false, true, mask) => ("leaver", mask),
                    (_, _, 0) => ("unchanged", 0),
                    (_, _, mask) => ("update", mask),
                }
            }
        };
        plan.insert(number.clone(), decided);
    }
    plan
}

fn write(place: &Place, name: &str, table: &Table) {
    let mut text = COLUMNS.join(",") + "\n";
    // Not in the order of the numbers: nothing may rest on it.
    let (even, odd): (Vec<_>, Vec<_>) = table.values().enumerate().partition(|(at, _)| at % 2 == 0);
    for (_, line) in odd.iter().rev().chain(&even) {
        writeln!(text, "{}", line.join(",")).unwrap();
    }
    std::fs::write(place.path(name), text).unwrap();
}

/// Runs the program on two tables and compares every line of its plan, every count and the sum of masks.
fn check(existing: &Table, incoming: &Table) -> BTreeMap<&'static str, u64> {
    let place = Place::new();
    write(&place, "existing.csv", existing);
    write(&place, "incoming.csv", incoming);
    let files = ["--existing", "existing.csv", "--incoming", "incoming.csv", "--out", "plan.csv"];
    let done = place.run("bench_reconcile", &files);
    assert_eq!(done.code, Some(0), "{done:?}");

    let expected = plan(existing, incoming);
    let told = expected.iter().filter(|(_, (action, _))| *action != "unchanged");
    let told: Vec<_> = told.map(|(number, (action, mask))| format!("{number},{action},{mask}")).collect();
    let written = std::fs::read_to_string(place.path("plan.csv")).unwrap();
    let mut written: Vec<_> = written.lines().collect();
    written.sort_unstable();
    assert_eq!(written, told);

    let figures: Value = serde_json::from_str(done.out.lines().last().unwrap()).unwrap();
    let mut counts = BTreeMap::from(ACTIONS.map(|action| (action, 0)));
    for (action, _) in expected.values() {
        *counts.get_mut(action).unwrap() += 1;
    }
    for (action, count) in &counts {
        assert_eq!(figures[action], *count, "{action} in {figures}");
    }
    assert_eq!(figures["mask_sum"], expected.values().map(|(_, mask)| mask).sum::<u64>(), "{figures}");
    assert!(figures["load_s"].is_f64() && figures["diff_s"].is_f64(), "{figures}");
    counts
}

#[test]
fn small_tables_are_planned_by_the_rules() {
    for seed in 0..60 {
        let (existing, incoming) = tables(seed, seed % 12, 1 + seed % 4);
        check(&existing, &incoming);
    }
}

#[test]
fn thousands_of_rows_are_planned_by_the_rules_and_every_action_occurs() {
    for (seed, variety) in [(1, 400), (2, 2_000)] {
        let (existing, incoming) = tables(seed, 6_000, variety);
        let counts = check(&existing, &incoming);
        assert!(counts.values().all(|count| *count > 0), "{counts:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_a_reason_and_no_figures() {
    let place = Place::new();
    let files = ["--existing", "none.csv", "--incoming", "none.csv", "--out", "plan.csv"];
    place.run("bench_reconcile", &files).fails("bench_reconcile");
}
