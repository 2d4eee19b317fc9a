//! Decode and convert a page of 100 employees; `cargo bench -p hris-trinet --features sim`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench, not an interface")]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use hris_core::{FieldMap, FieldMapping as _, FieldSet};
use hris_http::{Auth, BaseUrl, Request, Session, Transport};
use hris_testkit::population::Population;
use hris_trinet::measure;
use hris_trinet::sim::TriNetSim;

fn main() {
    divan::main();
}

/// A page of the full view as the simulator sends it.
fn body() -> Vec<u8> {
    hris_testkit::run(async {
        let sim = TriNetSim::start(Population::new(3).size(400).without_oddities().build()).await;
        sim.tokens().add("bench", TriNetSim::CLIENT_ID);
        let transport = Transport::builder().build().unwrap();
        let session = Session::new(&transport, BaseUrl::parse(sim.url()).unwrap());
        let session = session.with_auth(Auth::bearer(&"bench".into()).unwrap());
        let path = format!("/v1/company/{}/employees", TriNetSim::COMPANY_ID);
        let request = Request::get("bench.page", path).with_query("limit", 100).with_query("offset", 1);
        let request = request.with_query("viewType", "All");
        session.execute(&request).await.unwrap().into_body().to_vec()
    })
}

fn bench(bencher: Bencher<'_, '_>, fields: &FieldSet) {
    let body = body();
    assert_eq!(measure::page(&body, fields.clone()).unwrap(), 100);
    bencher
        .counter(ItemsCount::new(100_u64))
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| measure::page(divan::black_box(&body), fields.clone()).unwrap());
}

#[divan::bench]
fn the_fields_of_the_standard_mapping(bencher: Bencher<'_, '_>) {
    bench(bencher, &FieldMap::standard().sources().iter().cloned().collect());
}

#[divan::bench]
fn every_canonical_field(bencher: Bencher<'_, '_>) {
    bench(bencher, &FieldSet::all_canonical());
}
