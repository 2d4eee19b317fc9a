//! Before a mapping is published: what can be read, what it makes of people, and how it differs from the present one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;

use common::{World, changed, inactive, people, person};
use hris_core::{
    Employee, EmployeeField, Error, ErrorKind, Field, FieldMap, FieldRule, FieldSet, FieldSource as _, Is,
    MemberField, ScopeFilter, TargetField, Test, Transform, ValueRef,
};
use hris_sync::{MappingDiff, Planned, discover, preview, shape};
use hris_testkit::{Ending, run};
use proptest::prelude::*;

fn fields(fields: impl IntoIterator<Item = EmployeeField>) -> FieldSet {
    fields.into_iter().collect()
}

#[test]
fn discovery_tells_what_is_offered_and_who_fills_it() {
    let mut rows = people(1..=8);
    rows[0].department = Field::Null;
    rows[1].department = Field::Absent;
    rows[2].department = Field::Value("  ".into());
    rows.push(inactive(9));
    let world = World::new(rows);
    let found = run(discover(&world.directory, &fields([EmployeeField::Department]), u64::MAX)).unwrap();
    assert_eq!((found.people, found.everybody), (8, true));
    assert_eq!(found.fields.len(), EmployeeField::ALL.len(), "the whole schema is listed");
    let department =
        found.fields.iter().find(|field| field.field == EmployeeField::Department.into()).unwrap();
    let fill = department.fill.unwrap();
    assert_eq!((fill.filled, fill.null, fill.absent, fill.percent()), (5, 2, 1, Some(62)));
    assert!(
        found.fields.iter().filter(|field| field.fill.is_some()).count() == 1,
        "others were not asked for"
    );
    let asked = &world.directory.queries()[0].fields;
    assert!(asked.has(EmployeeField::Department) && !asked.has(EmployeeField::BirthDate));
}

#[test]
fn discovery_stops_early_and_a_broken_reading_is_no_short_directory() {
    let world = World::new(people(1..=20));
    let wanted = fields([EmployeeField::Department]);
    let found = run(discover(&world.directory, &wanted, 6)).unwrap();
    assert_eq!((found.people, found.everybody), (8, false), "pages of four");
    world.directory.set_ending(Ending::broken_off());
    let error = run(discover(&world.directory, &wanted, u64::MAX)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    world.directory.set_ending(Ending::failing_after(5, || Error::new(ErrorKind::Unavailable, "down")));
    assert!(run(preview(&world.directory, &FieldMap::standard(), 3, u64::MAX)).is_err());
}

fn staff_with_department() -> FieldMap {
    let mut rules = FieldMap::standard().rules()[..4].to_vec();
    rules.push(FieldRule::copy(MemberField::Department, EmployeeField::Department).required());
    let staff = Test::new(EmployeeField::EmploymentType, Is::Equals("employee".into()));
    FieldMap::new(rules).unwrap().with_scope(ScopeFilter::everybody().including(staff)).unwrap()
}

fn employed(n: u32, change: impl FnOnce(&mut Employee)) -> Employee {
    changed(n, |employee| {
        employee.employment_type = Field::Value("employee".into());
        employee.last_name = Field::Value("Olmedo Rey".into());
        change(employee);
    })
}

#[test]
fn a_preview_shows_redacted_rows_and_counts() {
    let mut contractor = person(4);
    contractor.employment_type = Field::Value("contractor".into());
    let world = World::new([
        employed(1, |_| {}),
        employed(2, |employee| employee.work_email = Field::Value("nobody".into())),
        employed(3, |employee| employee.department = Field::Null),
        contractor,
        person(5),
        inactive(6),
    ]);
    let mapping = staff_with_department();
    let preview = run(preview(&world.directory, &mapping, 2, u64::MAX)).unwrap();
    assert_eq!((preview.people, preview.out_of_scope, preview.scope_unknown), (5, 1, 1));
    assert_eq!((preview.rows.len(), preview.incomplete, preview.everybody), (2, 2, true));
    let shown: Vec<_> = preview.rows[0].cells.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["E…", "p…@a…", "F…", "O… R…", "S…"]);
    assert_eq!(preview.written, [3, 2, 3, 3, 2]);
    assert_eq!(preview.problems.len(), 2, "{:?}", preview.problems);
    assert_eq!(preview.targets.len(), 5);
    assert_eq!(World::new([]).target.members().len(), 0);
}

#[test]
fn a_preview_holds_no_value_of_anybody() {
    let rows: Vec<_> = (1..=30).map(|n| employed(n, |_| {})).collect();
    let world = World::new(rows.clone());
    let preview = run(preview(&world.directory, &staff_with_department(), 100, u64::MAX)).unwrap();
    let cells = preview.rows.iter().flat_map(|row| row.cells.iter().map(ToString::to_string));
    let shown = cells.collect::<Vec<_>>().join("|") + &format!("{preview:?}");
    for employee in &rows {
        for field in [
            EmployeeField::EmployeeId,
            EmployeeField::WorkEmail,
            EmployeeField::FirstName,
            EmployeeField::LastName,
        ] {
            let Field::Value(value) = employee.field(&field.into()) else { continue };
            assert!(!shown.contains(&*value.to_text()), "{field:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_shape_never_shows_more_than_first_letters(text in "\\PC{2,40}") {
        let shape = shape(&ValueRef::text(&text));
        let words = text.split(|c: char| c.is_whitespace() || c == '@').filter(|word| !word.is_empty());
        for word in words.filter(|word| word.chars().count() > 1 && !word.contains('…')) {
            prop_assert!(!shape.contains(word), "{} shows {}", shape, word);
        }
        prop_assert!(shape.chars().filter(|c| !matches!(c, '…' | '@' | ' ')).count() <= 3);
    }
}

fn compared(world: &World, other: FieldMap) -> MappingDiff {
    run(world.engine().compare_mappings(Arc::new(other), world.today(), 100)).unwrap()
}

#[test]
fn two_mappings_are_compared_on_the_same_data_and_nothing_is_kept() {
    let world = World::new(people(1..=6));
    world.run();
    let mut now = people(1..=7);
    now[0].department = Field::Value("Legal".into());
    world.set_people(now);
    let readings = world.directory.queries().len();
    let before = world.store.dump();

    let mut rules = FieldMap::standard().rules().to_vec();
    rules[5] = FieldRule::copy(MemberField::Department, EmployeeField::Department).with(Transform::Upper);
    let diff = compared(&world, FieldMap::new(rules).unwrap());

    assert_eq!(world.directory.queries().len(), readings + 1, "everyone is read once");
    assert_eq!(world.store.dump(), before);
    assert_eq!((diff.before.summary.update, diff.after.summary.update), (1, 6));
    let (nothing, update, create) = (Planned::Nothing, Planned::Action("update"), Planned::Action("create"));
    assert_eq!(
        diff.moves.into_iter().collect::<Vec<_>>(),
        [((nothing, update), 5), ((create, create), 1), ((update, update), 1)]
    );
    assert_eq!(
        diff.attributes.into_iter().collect::<Vec<_>>(),
        [(TargetField::from(MemberField::Department), 7)]
    );
    assert_eq!(diff.people.len(), 7);
}

#[test]
fn a_mapping_does_not_differ_from_itself() {
    let world = World::new(people(1..=4));
    let diff = compared(&world, FieldMap::standard());
    assert!(diff.is_empty() && diff.differing() == 0, "{diff:?}");
    assert_eq!(diff.before.summary, diff.after.summary);
}

#[test]
fn a_comparison_tells_whom_another_filter_and_other_addresses_concern() {
    let rows = (1..=6).map(|n| {
        changed(n, |employee| {
            employee.country = Field::Value(if n > 4 { "FR".into() } else { "ES".into() });
        })
    });
    let world = World::new(rows);
    let spain =
        ScopeFilter::everybody().including(Test::new(EmployeeField::Country, Is::Equals("es".into())));
    let diff = compared(&world, FieldMap::standard().with_scope(spain).unwrap());
    let (nothing, create) = (Planned::Nothing, Planned::Action("create"));
    assert_eq!(diff.moves.into_iter().collect::<Vec<_>>(), [((create, nothing), 2)]);
    let who: Vec<_> = diff.people.iter().map(|person| person.record.to_string()).collect();
    assert_eq!(who, ["r5", "r6"]);

    let mut rules = FieldMap::standard().rules().to_vec();
    rules[1] = FieldRule::copy(MemberField::Email, EmployeeField::PersonalEmail);
    let diff = compared(&world, FieldMap::new(rules).unwrap());
    assert_eq!(diff.problems.get(&hris_core::rule::EMAIL_MISSING), Some(&(0, 6)));
}

#[test]
fn nothing_is_compared_on_half_a_directory() {
    let world = World::new(people(1..=6));
    world.directory.set_ending(Ending::broken_off());
    let other = Arc::new(FieldMap::standard());
    let error = run(world.engine().compare_mappings(other, world.today(), 10)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
}
