//! Decode and convert a page of 100 employees; `cargo bench -p hris-merge --features sim`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench, not an interface")]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use hris_core::{FieldMap, FieldMapping as _, FieldSet};
use hris_http::{Auth, BaseUrl, Request, Session, Transport};
use hris_merge::measure;
use hris_merge::sim::MergeSim;
use hris_testkit::population::Population;

fn main() {
    divan::main();
}

/// A page as the simulator sends it, with the relations in full that these fields need.
fn body(fields: &FieldSet) -> Vec<u8> {
    hris_testkit::run(async {
        let sim = MergeSim::start(Population::new(3).size(400).without_oddities().build()).await;
        let transport = Transport::builder().build().unwrap();
        let auth = Auth::bearer(&MergeSim::API_KEY.into()).unwrap();
        let auth = auth.with_secret_header("x-account-token", &MergeSim::ACCOUNT_TOKEN.into()).unwrap();
        let session = Session::new(&transport, BaseUrl::parse(sim.url()).unwrap()).with_auth(auth);
        let request = Request::get("bench.page", "/api/hris/v1/employees").with_query("page_size", 100);
        let request = match measure::expand(fields.clone()) {
            Some(expand) => request.with_query("expand", expand),
            None => request,
        };
        session.execute(&request).await.unwrap().into_body().to_vec()
    })
}

fn bench(bencher: Bencher<'_, '_>, fields: &FieldSet) {
    let body = body(fields);
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
