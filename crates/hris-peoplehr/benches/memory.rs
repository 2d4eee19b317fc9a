//! Memory of reading one large directory: `cargo bench -p hris-peoplehr --bench memory [-- PEOPLE]`.
//!
//! This process plays the vendor and writes the bodies while they are sent; another process of the same program reads them
//! with the connector, and tells its peak resident memory (`VmHWM` of `/proc/self/status`).
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench, not an interface")]

use std::process::Command;

use futures_util::TryStreamExt as _;
use hris_core::{FieldMap, FieldMapping as _, HrisConnector as _, ReadEvent, ReadQuery};
use hris_http::Transport;
use hris_peoplehr::PeopleHrConfig;
use hris_testkit::{FaultServer, Reply};
use serde_json::Value;

const PEOPLE: usize = 100_000;
/// One in so many has left, and stands in the second listing only.
const LEAVERS: usize = 12;
const COMPANY: &str =
    r#"{"isError":false,"Status":0,"Message":"x","Result":{"CompanyId":70001,"CompanyName":"Bramble"}}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match arguments.as_slice() {
        [read, url] if read == "--read" => runtime.block_on(read_everybody(url)),
        [] => runtime.block_on(measure(PEOPLE)),
        [people] => runtime.block_on(measure(people.parse().unwrap())),
        _ => println!("usage: memory [PEOPLE]"),
    }
}

/// Serves a directory of so many people, and has it read by another process.
async fn measure(people: usize) {
    let template = Template::new();
    let bytes: usize = template.listing(people, true).map(|piece| piece.len()).sum();
    let replies = [
        Reply::json(COMPANY),
        Reply::generated(template.listing(people, false)),
        Reply::generated(template.listing(people, true)),
    ];
    let server = FaultServer::start(replies).await;
    println!("{people} people, {} MB the listing of everybody", bytes / 1_000_000);
    let mut reader = Command::new(std::env::current_exe().unwrap());
    reader.args(["--read", &server.url()]);
    // The server lives on this runtime, which must not be blocked.
    let done = tokio::task::spawn_blocking(move || reader.status()).await.unwrap().unwrap();
    assert!(done.success());
}

async fn read_everybody(url: &str) {
    let transport = Transport::builder().build().unwrap();
    let config = PeopleHrConfig::new().with_base_url(url.parse().unwrap());
    let connector = config.build(&"00000000-1111-4222-8333-444444444444".into(), &transport).unwrap();
    let fields = FieldMap::standard().sources().iter().cloned().collect();
    println!("before reading: {} KiB resident", status("VmHWM"));
    let mut events = connector.read(ReadQuery::everyone(fields));
    let mut people = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            ReadEvent::Employees(some) => people += some.len(),
            ReadEvent::End(receipt) => println!("{people} rows, {} people", receipt.distinct),
            _ => {}
        }
    }
    println!("peak: {} KiB resident (aim: {} KiB)", status("VmHWM"), 64 << 10);
}

/// A line of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// A row in the vendor's form with every field, cut where the ids stand.
#[derive(Clone)]
struct Template([String; 3]);

impl Template {
    fn new() -> Self {
        let listing: Value = serde_json::from_str(include_str!("../tests/fixtures/listing.json")).unwrap();
        let mut row = listing["Result"][0].clone();
        row["EmployeeId"]["DisplayValue"] = "{number}".into();
        row["UniqueKey"] = "{key}".into();
        let row = row.to_string();
        let (start, rest) = row.split_once("{number}").unwrap();
        let (middle, end) = rest.split_once("{key}").unwrap();
        Self([start.to_owned(), middle.to_owned(), end.to_owned()])
    }

    /// The body, row by row, with or without leavers.
    fn listing(&self, people: usize, with_leavers: bool) -> impl Iterator<Item = Vec<u8>> + Send + 'static {
        let Self([start, middle, end]) = self.clone();
        let rows = (0..people).filter(move |place| with_leavers || !place.is_multiple_of(LEAVERS));
        let rows = rows.enumerate().map(move |(at, place)| {
            let comma = if at == 0 { "" } else { "," };
            format!("{comma}{start}BF{place}{middle}aaaaaaaa-0001-4000-8000-{place:012}{end}").into_bytes()
        });
        let head =
            br#"{"isError":false,"Status":0,"Message":"The request processed successfully.","Result":["#;
        std::iter::once(head.to_vec()).chain(rows).chain([b"]}".to_vec()])
    }
}
