//! What administrators do about single people: overrides, corrected error files, forgetting, purging.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::time::Duration;

use common::{World, changed, ids, people, person};
use hris_core::store::{Override, Purged, Until};
use hris_core::{
    Clock as _, ConnectionKey, Employee, ErrorKind, Field, MemberField, PlanId, ProvisioningPlan as _, Scope,
    Severity, TargetField, Trigger, Value, rule,
};
use hris_sync::{FileFormat, Incremental, write_problems};
use hris_testkit::run;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn recorded(world: &World, n: u32, field: impl Into<TargetField>, value: &str) -> Override {
    let value = Some(Value::from(value));
    Override::new(format!("r{n}"), field, value, "ola", "asked by mail", world.clock.now())
}

fn put(world: &World, one: Override) {
    run(world.engine().put_overrides(&[one])).unwrap();
}

fn attribute(world: &World, n: u32, field: MemberField) -> Option<String> {
    let member = world.target.member_by_employee_id(format!("E{n:03}")).unwrap();
    member.attributes.text(&field.into()).map(str::to_owned)
}

fn in_department(n: u32, department: &str) -> Employee {
    changed(n, |it| it.department = Field::Value(department.into()))
}

fn overrides(world: &World) -> Vec<Override> {
    run(world.engine().overrides()).unwrap()
}

#[test]
fn only_what_was_recorded_with_us_is_respected_against_the_hr_system() {
    let world = World::new(people(1..=2));
    world.run();
    put(&world, recorded(&world, 1, MemberField::FirstName, "Nerea"));
    let report = world.run();
    assert_eq!((report.applied.updated, report.problems.get(&rule::OVERRIDE_USED)), (1, Some(&1)));
    assert_eq!(attribute(&world, 1, MemberField::FirstName).as_deref(), Some("Nerea"));
    world.set_people([changed(1, |it| it.first_name = Field::Value("Other".into())), person(2)]);
    assert_eq!(world.run().applied.affected(), 0, "the HR system may say what it likes");

    run(world.engine().remove_overrides(&[("r1".into(), MemberField::FirstName.into())])).unwrap();
    assert_eq!(world.run().applied.updated, 1);
    assert_eq!(attribute(&world, 1, MemberField::FirstName).as_deref(), Some("Other"));
}

#[test]
fn an_override_is_what_a_verify_run_restores() {
    let world = World::new(people(1..=2));
    put(&world, recorded(&world, 1, MemberField::FirstName, "Nerea"));
    world.run();
    let member = world.target.member_by_employee_id("E001").unwrap().id;
    let changes = [(MemberField::FirstName.into(), Some(Value::from("By hand")))].into_iter().collect();
    assert!(world.target.edit(&member, &changes));
    run(world.engine().verify(&"verify".into(), Trigger::OnDemand, world.today())).unwrap();
    assert_eq!(attribute(&world, 1, MemberField::FirstName).as_deref(), Some("Nerea"));
}

#[test]
fn an_override_until_a_day_ends_with_that_day() {
    let mut world = World::new(people(1..=2));
    world.policy.incremental = Some(Incremental::default());
    world.run();
    put(&world, recorded(&world, 1, MemberField::Department, "Legal").until(Until::Day(world.today())));
    world.run();
    assert_eq!(attribute(&world, 1, MemberField::Department).as_deref(), Some("Legal"));
    world.clock.advance(DAY);
    let report = world.run();
    assert_eq!((report.applied.updated, report.problems.get(&rule::OVERRIDE_ENDED)), (1, Some(&1)));
    assert_eq!(attribute(&world, 1, MemberField::Department).as_deref(), Some("Sales"));
    assert_eq!(overrides(&world), []);
}

#[test]
fn an_override_until_the_source_changes_ends_when_the_hr_system_says_something_new() {
    let world = World::new(people(1..=2));
    world.run();
    let one = recorded(&world, 1, MemberField::Department, "Legal").until(Until::SourceChanges(None));
    put(&world, one);
    world.run();
    world.run();
    assert_eq!(attribute(&world, 1, MemberField::Department).as_deref(), Some("Legal"));
    world.set_people([changed(1, |it| it.department = Field::Absent), person(2)]);
    world.run();
    assert_eq!(attribute(&world, 1, MemberField::Department).as_deref(), Some("Legal"), "not delivered");
    world.set_people([in_department(1, "Finance"), person(2)]);
    world.run();
    assert_eq!(attribute(&world, 1, MemberField::Department).as_deref(), Some("Finance"));
    assert_eq!(overrides(&world), [], "its value is gone with it");
}

#[test]
fn a_dry_run_neither_pins_nor_ends_an_override() {
    let world = World::new(people(1..=2));
    put(&world, recorded(&world, 1, MemberField::Department, "Legal").until(Until::SourceChanges(None)));
    let before = world.store.dump();
    run(world.engine().dry_run(world.today())).unwrap();
    assert_eq!(world.store.dump(), before);
}

#[test]
fn an_attribute_that_is_not_mapped_cannot_be_overridden() {
    let world = World::new(people(1..=1));
    let one = recorded(&world, 1, TargetField::Custom("shirt".into()), "XL");
    let error = run(world.engine().put_overrides(&[one])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn a_plan_that_waits_is_given_up_when_an_override_is_recorded() {
    let world = World::new(people(1..=2));
    let plan = world.plan();
    put(&world, recorded(&world, 1, MemberField::FirstName, "Nerea"));
    let applied = run(world.engine().apply(&plan.header().id, &plan.header().digest, Trigger::OnDemand));
    assert_eq!(applied.unwrap_err().kind(), ErrorKind::Stale);
}

/// The error file of a plan with its `corrected_value` filled in by record and field.
fn corrected(world: &World, plan: &PlanId, values: &[(&str, &str, &str)]) -> Vec<u8> {
    let view = run(world.engine().stored(plan)).unwrap();
    let mut file = Vec::new();
    run(write_problems(view.problems(), Severity::Error, FileFormat::Csv, &mut file)).unwrap();
    let mut reader = csv::Reader::from_reader(file.as_slice());
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(reader.headers().unwrap()).unwrap();
    for row in reader.records().map(Result::unwrap) {
        let mut cells: Vec<_> = row.iter().map(str::to_owned).collect();
        let filled = values.iter().find(|(record, field, _)| cells[0] == *record && cells[2] == *field);
        cells[5] = filled.map_or(String::new(), |(_, _, value)| (*value).to_owned());
        out.write_record(&cells).unwrap();
    }
    out.into_inner().unwrap()
}

#[test]
fn a_corrected_error_file_is_fed_back_as_overrides_and_its_people_are_created() {
    let no_address = |n| changed(n, |it| it.work_email = Field::Null);
    let blank = |n| changed(n, |it| it.employee_id = Field::Null);
    let world = World::new([person(1), no_address(2), no_address(3), blank(4)]);
    let plan = world.run().plan.unwrap();
    assert_eq!(world.open_accounts(), ids([1]));
    let file = corrected(
        &world,
        &plan,
        &[("r2", "email", "two@acme.example"), ("r3", "email", "nobody"), ("r4", "employee_id", "E004")],
    );
    let refeed = run(world.engine().refeed(file.as_slice(), "ola", "corrected file")).unwrap();
    assert_eq!((refeed.recorded, refeed.empty, refeed.problems.len()), (2, 0, 1));
    assert_eq!(refeed.problems[0].rule, rule::OVERRIDE_UNUSABLE);
    assert!(!format!("{refeed:?}").contains("nobody"), "no value is shown");
    world.run();
    assert_eq!(world.open_accounts(), ids([1, 2, 4]));
    assert_eq!(attribute(&world, 2, MemberField::Email).as_deref(), Some("two@acme.example"));

    // Once the HR system has an address of its own, that one is used.
    let fixed = changed(2, |it| it.work_email = Field::Value("own@acme.example".into()));
    world.set_people([person(1), fixed, no_address(3), blank(4)]);
    world.run();
    assert_eq!(attribute(&world, 2, MemberField::Email).as_deref(), Some("own@acme.example"));
}

#[test]
fn a_file_that_is_no_error_file_is_refused_without_being_quoted() {
    let world = World::new(people(1..=1));
    let file = "name,secret\njane,s3cret\n";
    let error = run(world.engine().refeed(file.as_bytes(), "ola", "?")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    let untouched = "record_id,employee_id,field,rule,message,corrected_value\nr1,,email,email.missing,m,\n";
    let refeed = run(world.engine().refeed(untouched.as_bytes(), "ola", "?")).unwrap();
    assert_eq!((refeed.recorded, refeed.empty, refeed.problems.len()), (0, 1, 0));
}

#[test]
fn whose_override_changed_is_read_again_by_a_reading_of_changes() {
    let mut world = World::new(people(1..=3).into_iter().map(|mut it| {
        it.modified_at = "2026-01-01T00:00:00Z".parse().ok();
        it
    }));
    world.policy.incremental = Some(Incremental::default());
    world.directory.set_receipt(|receipt| {
        if let Some(watermark) = &mut receipt.watermark {
            watermark.at = "2026-03-01T00:00:00Z".parse().unwrap();
        }
    });
    world.run();
    put(&world, recorded(&world, 2, MemberField::FirstName, "Nerea"));
    assert_eq!(world.run().applied.updated, 1);
    let queries = world.directory.queries();
    assert!(!queries[1..].iter().any(|query| query.scope == Scope::Everyone), "nobody else is read");
}

#[test]
fn a_forgotten_person_is_nowhere_in_the_store_and_is_never_created_again() {
    let no_address = changed(2, |it| it.work_email = Field::Null);
    let world = World::new([person(1), no_address, person(3)]);
    world.run();
    put(&world, recorded(&world, 1, MemberField::FirstName, "Nerea"));
    world.run();
    world.set_people(people(1..=3));
    world.plan();
    for record in ["r1", "r2"] {
        run(world.engine().forget(&record.into())).unwrap();
    }
    let dump = world.store.dump();
    for gone in ["\"r1\"", "\"r2\"", "E001", "E002", "Nerea", "p1@acme.example"] {
        assert!(!dump.contains(gone), "{gone} is still in the store: {dump}");
    }
    let report = world.run();
    assert_eq!((report.applied.affected(), report.planned.ignored), (0, 2), "{report}");
    assert_eq!(world.open_accounts(), ids([1, 3]), "the member of a forgotten person is left as it is");
}

#[test]
fn unlinked_people_are_matched_anew() {
    let world = World::new(people(1..=2));
    world.run();
    assert_eq!(run(world.engine().unlink(&["r1".into(), "r9".into()])).unwrap(), 1);
    let report = world.run();
    assert_eq!((report.applied.adopted, report.applied.created), (1, 0), "{report}");
}

#[test]
fn a_purge_takes_old_history_and_leaves_links() {
    let world = World::new(people(1..=2));
    world.run();
    world.clock.advance(90 * DAY);
    world.set_people([in_department(1, "Legal"), person(2)]);
    world.run();
    assert_eq!(run(world.engine().purge(world.today())).unwrap(), Purged::new(1, 1));
    assert_eq!(world.run().applied.affected(), 0, "links and members stay");
    let dump = world.store.dump();
    assert!(dump.contains(ConnectionKey::new("acme", "hr").connection()));
}

#[test]
fn nothing_is_recorded_while_a_run_is_under_way() {
    use hris_core::store::Leases as _;
    let world = World::new(people(1..=1));
    let key = ConnectionKey::new("acme", "hr");
    run(world.store.acquire(&key, &"other".into(), world.clock.now(), DAY)).unwrap();
    let one = recorded(&world, 1, MemberField::FirstName, "Nerea");
    assert_eq!(run(world.engine().put_overrides(&[one])).unwrap_err().kind(), ErrorKind::Leased);
}

#[test]
fn an_override_shows_no_value() {
    let world = World::new(people(1..=1));
    let shown = format!("{:?}", recorded(&world, 1, MemberField::FirstName, "Nerea"));
    assert!(!shown.contains("Nerea"), "{shown}");
}
