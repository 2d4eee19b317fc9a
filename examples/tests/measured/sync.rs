//! `bench_sync`: what is counted and what is kept, from the first run on, and what a failed run leaves behind.

use futures_util::TryStreamExt as _;
use hris::core::ConnectionKey;
use hris::core::store::{Link, Links as _, Runs as _};
use hris::store_sqlite::SqliteStore;
use hris_testkit::population::{DayPlan, Population};
use hris_testkit::run;
use hris_testkit::sim::Fault;
use serde_json::{Value, json};

use crate::place::{Done, Format, Place, Vendor, people};
use crate::truth;

const PROGRAM: &str = "bench_sync";

fn sync(place: &Place, vendor: &Vendor) -> Done {
    let arguments =
        ["--base-url", vendor.url(), "--format", "merge", "--store", "people.db", "--back-off", "1"];
    place.run(PROGRAM, &arguments)
}

fn start(people: &Population) -> Vendor {
    Vendor::start(Format::Merge, people.clone())
}

/// A run that ends well, and its counts.
fn counted(place: &Place, people: &Population) -> Value {
    let done = sync(place, &start(people));
    assert_eq!(done.code, Some(0), "{done:?}");
    serde_json::from_str(done.out.lines().last().unwrap()).unwrap()
}

/// Every link with its fingerprints, and how many runs the history has.
fn kept(place: &Place) -> (Vec<Link>, usize) {
    run(async {
        let store = SqliteStore::open(place.path("people.db")).unwrap();
        let connection = ConnectionKey::new("bench", "bench");
        let mut links: Vec<Link> = store.links(&connection).try_concat().await.unwrap();
        links.sort_by(|one, other| one.record.cmp(&other.record));
        (links, store.runs(&connection, 0, 100).await.unwrap().len())
    })
}

/// What a run has to count, from the rows of both days.
fn expected(before: &Population, after: &Population) -> Value {
    let (before, after) = (truth::merge_rows(before), truth::merge_rows(after));
    let both = || after.iter().filter_map(|(record, row)| Some((before.get(record)?, row)));
    json!({
        "create": after.keys().filter(|record| !before.contains_key(*record)).count(),
        "update": both().filter(|(old, new)| old != new).count(),
        "unchanged": both().filter(|(old, new)| old == new).count(),
        "missing": before.keys().filter(|record| !after.contains_key(*record)).count(),
    })
}

fn next_day(people: &Population) -> Population {
    let mut people = people.clone();
    people.next_day(&DayPlan {
        hires: 40,
        leavers: 30,
        vanished: 7,
        field_changes: 100,
        email_changes: 20,
        number_changes: 5,
        email_swaps: 2,
        ..DayPlan::quiet()
    });
    people
}

#[test]
fn a_first_run_creates_everybody_and_later_ones_write_what_differs() {
    let (place, people) = (Place::new(), people(3_000));
    assert_eq!(counted(&place, &people), json!({"create": 3000, "update": 0, "unchanged": 0, "missing": 0}));
    let first = kept(&place);
    assert_eq!((first.0.len(), first.1), (3_000, 1));

    assert_eq!(counted(&place, &people), json!({"create": 0, "update": 0, "unchanged": 3000, "missing": 0}));
    assert_eq!(kept(&place), (first.0.clone(), 2), "nothing is written but an entry of the history");

    let later = next_day(&people);
    let counts = expected(&people, &later);
    for (action, count) in counts.as_object().unwrap() {
        assert!(count.as_u64().unwrap() > 0, "{action} occurs");
    }
    assert_eq!(counted(&place, &later), counts);
    let second = kept(&place).0;
    assert_eq!(second.len(), 3_040, "who is missing keeps their link");
    let changed = second.iter().filter(|link| !first.0.contains(link)).count() as u64;
    assert_eq!(changed, counts["create"].as_u64().unwrap() + counts["update"].as_u64().unwrap());

    // Whoever is missing stays so, and everybody else is as they were kept.
    let again = json!({"create": 0, "update": 0, "unchanged": 3033, "missing": 7});
    assert_eq!(counted(&place, &later), again);
}

#[test]
fn a_run_that_fails_half_way_leaves_everything_as_it_was() {
    let (place, people) = (Place::new(), people(2_500));
    let fails_late = |people: &Population| {
        let vendor = start(people);
        let page = |request: &hris_testkit::sim::SimRequest| Format::Merge.is_later_page(request);
        vendor.faults().add(Fault::status(500).times(5).after(20).on(page));
        sync(&place, &vendor).fails(PROGRAM);
        assert_eq!(vendor.faults().outstanding(), 0);
    };
    fails_late(&people);
    assert!(kept(&place).0.is_empty(), "a first run that fails keeps nobody");

    counted(&place, &people);
    let before = kept(&place);
    let later = next_day(&people);
    fails_late(&later);
    assert_eq!(kept(&place), before, "links, fingerprints and history");
    assert_eq!(counted(&place, &later), expected(&people, &later), "the next run finds all there is to do");
}
