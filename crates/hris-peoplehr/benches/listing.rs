//! Take a listing of 1,000 employees apart and convert it; `cargo bench -p hris-peoplehr --features sim --bench listing`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench, not an interface")]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use hris_core::{FieldMap, FieldMapping as _, FieldSet};
use hris_http::{BaseUrl, Request, Session, Transport};
use hris_peoplehr::measure;
use hris_peoplehr::sim::PeopleHrSim;
use hris_testkit::population::Population;

const PEOPLE: usize = 1_000;
/// About what arrives at a time.
const PIECE: usize = 16 << 10;

fn main() {
    divan::main();
}

/// A listing as the simulator sends it.
fn body() -> Vec<u8> {
    hris_testkit::run(async {
        let sim = PeopleHrSim::start(Population::new(3).size(PEOPLE).without_oddities().build()).await;
        let session =
            Session::new(&Transport::builder().build().unwrap(), BaseUrl::parse(sim.url()).unwrap());
        let call = serde_json::json!({
            "APIKey": PeopleHrSim::KEY, "Action": "GetAllEmployeeDetail", "IncludeLeavers": "true",
        });
        let request = Request::post("bench.listing", "/Employee").with_json(&call).unwrap();
        session.execute(&request).await.unwrap().into_body().to_vec()
    })
}

fn bench(bencher: Bencher<'_, '_>, fields: &FieldSet) {
    let body = body();
    assert_eq!(measure::listing(&body, PIECE, fields.clone()).unwrap(), PEOPLE);
    bencher
        .counter(ItemsCount::new(PEOPLE))
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| measure::listing(divan::black_box(&body), PIECE, fields.clone()).unwrap());
}

#[divan::bench]
fn the_fields_of_the_standard_mapping(bencher: Bencher<'_, '_>) {
    bench(bencher, &FieldMap::standard().sources().iter().cloned().collect());
}

#[divan::bench]
fn every_canonical_field(bencher: Bencher<'_, '_>) {
    bench(bencher, &FieldSet::all_canonical());
}
