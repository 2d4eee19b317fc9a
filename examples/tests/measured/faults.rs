//! `bench_pull` while things go wrong: what is survived leaves every row as it is, and what is not leaves no count.

use hris_testkit::CuttingProxy;
use hris_testkit::population::Population;
use hris_testkit::sim::{Fault, FaultRule, SimRequest};

use crate::place::{Done, FORMATS, Format, Place, Vendor, people};
use crate::pull::compare;
use crate::truth;

/// Formats that come in pages, so that a page which breaks off can be asked for again.
const PAGED: [Format; 3] = [Format::Merge, Format::Sesame, Format::TriNet];

fn listing(format: Format) -> impl Fn(&SimRequest) -> bool + Send + Sync + 'static {
    move |request| format.is_later_page(request)
}

/// Reads people whose second page, or whole listing, has these faults one after the other.
fn pull_with(format: Format, people: &Population, faults: &[FaultRule]) -> (Place, Vendor, Done) {
    let (vendor, place) = (Vendor::start(format, people.clone()), Place::new());
    for fault in faults {
        vendor.faults().add(fault.clone().on(listing(format)));
    }
    let done = place.pull(format, vendor.url(), &[]);
    (place, vendor, done)
}

/// The faults are survived: everybody is written, as they are.
fn survives(format: Format, people: &Population, faults: &[FaultRule]) {
    let (place, vendor, done) = pull_with(format, people, faults);
    assert_eq!(done.code, Some(0), "{format:?} {faults:?} {done:?}");
    done.counts(people.len());
    compare(format, &place.rows(), &truth::rows(format, people));
    assert_eq!(vendor.faults().outstanding(), 0, "{format:?} {faults:?}");
}

/// The faults are final: a reason, no count. Returns the reason.
fn ends(format: Format, people: &Population, faults: &[FaultRule]) -> String {
    let (_, vendor, done) = pull_with(format, people, faults);
    assert_eq!(vendor.faults().outstanding(), 0, "{format:?} {faults:?}");
    done.fails("bench_pull").to_owned()
}

#[test]
fn a_limit_a_failing_server_and_a_lost_answer_are_survived_four_in_a_row_on_one_page() {
    let people = people(2_000);
    let four = [
        Fault::rate_limited(Some(1)).once(),
        Fault::status(500).once(),
        Fault::Lost.once(),
        Fault::status(503).once(),
    ];
    for format in FORMATS {
        survives(format, &people, &four);
    }
}

#[test]
fn four_pages_in_a_row_that_are_no_json_are_survived_and_a_fifth_is_not() {
    let people = people(400);
    for format in PAGED {
        survives(format, &people, &[Fault::BrokenJson.times(2), Fault::Html.times(2)]);
        ends(format, &people, &[Fault::BrokenJson.times(5)]);
        ends(format, &people, &[Fault::Html.times(5)]);
    }
}

#[test]
fn five_failures_in_a_row_are_final() {
    let people = people(400);
    for format in FORMATS {
        let reason = ends(format, &people, &[Fault::status(500).times(5)]);
        assert!(reason.contains("attempts: 5"), "{reason}");
    }
}

#[test]
fn a_listing_in_one_body_that_is_no_json_is_final_at_once() {
    ends(Format::PeopleHr, &people(400), &[Fault::BrokenJson.once()]);
}

#[test]
fn a_refused_token_is_refreshed_once_where_it_can_be_and_is_final_otherwise() {
    let people = people(400);
    survives(Format::TriNet, &people, &[Fault::unauthorized().once()]);
    let tokens = |vendor: &Vendor| {
        vendor
            .requests()
            .iter()
            .filter(|request| request.method() == "POST" || request.path().contains("token"))
            .count()
    };
    let (_, vendor, done) = pull_with(Format::TriNet, &people, &[Fault::unauthorized().times(2)]);
    done.fails("bench_pull");
    assert_eq!((tokens(&vendor), vendor.faults().outstanding()), (2, 0), "one refresh, and no third attempt");
    for format in [Format::Merge, Format::PeopleHr, Format::Sesame] {
        let (_, vendor, done) = pull_with(format, &people, &[Fault::unauthorized().always()]);
        done.fails("bench_pull");
        let asked = vendor.requests().iter().filter(|request| format.is_later_page(request)).count();
        assert_eq!(asked, 1, "{format:?} does not try again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_that_breaks_off_is_asked_for_again_up_to_five_times() {
    let people = people(400);
    for format in PAGED {
        for (cuts, is_survived) in [(4, true), (5, false)] {
            let (place, done, cut) = pull_cut(format, &people, cuts).await;
            assert_eq!(cut, cuts, "{format:?}");
            if is_survived {
                done.counts(people.len());
                compare(format, &place.rows(), &truth::rows(format, &people));
            } else {
                done.fails("bench_pull");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_of_everybody_that_breaks_off_once_is_final() {
    let (_, done, cut) = pull_cut(Format::PeopleHr, &people(1_000), 1).await;
    assert_eq!(cut, 1);
    done.fails("bench_pull");
}

/// Reads through a proxy that cuts so many answers; also tells how many were cut.
async fn pull_cut(format: Format, people: &Population, cuts: usize) -> (Place, Done, usize) {
    let people = people.clone();
    let starting = tokio::task::spawn_blocking(move || Vendor::start(format, people));
    let vendor = starting.await.unwrap();
    let proxy = CuttingProxy::start(vendor.url(), cuts, listing(format)).await;
    let url = proxy.url();
    let pulling = tokio::task::spawn_blocking(move || {
        let place = Place::new();
        let done = place.pull(format, &url, &[]);
        (place, done)
    });
    let (place, done) = pulling.await.unwrap();
    (place, done, proxy.cut())
}
