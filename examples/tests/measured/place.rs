//! Where a measured program runs: a simulated vendor with its fixed credentials, a folder, and what a run printed.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use hris::merge::sim::MergeSim;
use hris::peoplehr::sim::{PeopleHrSim, Permission};
use hris::sesame::sim::SesameSim;
use hris::trinet::sim::TriNetSim;
use hris_testkit::population::{Amount, Oddities, Oddity, PersonStatus, Population};
use hris_testkit::run;
use hris_testkit::sim::{Faults, SimRequest};
use serde_json::Value;
use tempfile::TempDir;

use crate::truth::{COLUMNS, Row};

/// A vendor's format, as the programs name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Merge,
    PeopleHr,
    Sesame,
    TriNet,
}

pub(crate) const FORMATS: [Format; 4] = [Format::Merge, Format::PeopleHr, Format::Sesame, Format::TriNet];

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::PeopleHr => "peoplehr",
            Self::Sesame => "sesame",
            Self::TriNet => "trinet",
        }
    }

    /// Whether a request is for people, and not for the first of them where there are pages.
    pub(crate) fn is_later_page(self, request: &SimRequest) -> bool {
        match self {
            Self::Merge => request.path().ends_with("/employees") && request.query("cursor").is_some(),
            Self::PeopleHr => PeopleHrSim::is_listing_of_everybody(request),
            Self::Sesame => request.path().ends_with("/employees") && request.query("page") == Some("2"),
            Self::TriNet => request.path().ends_with("/employees") && request.query("offset") == Some("101"),
        }
    }
}

/// People with everything awkward that a reader can tell whose row it is of, on a day long ago: what is still to come lies so
/// far ahead that no test runs later.
pub(crate) fn people(count: usize) -> Population {
    let readable = Oddities::default().with(Oddity::MalformedRow, Amount::Cases(0));
    let long_ago = "2020-03-02".parse().unwrap();
    let mut people = Population::new(11).size(count).day0(long_ago).oddities(readable).build();
    let ahead: Vec<_> = people.people().iter().map(|person| person.record_id.clone()).collect();
    for record in ahead {
        people.change(&record, |person| {
            if person.status == PersonStatus::Pending {
                person.start_date = "2099-01-05".parse().ok();
            }
            if person.is(Oddity::EndDateAhead) {
                person.end_date = "2099-06-30".parse().ok();
            }
        });
    }
    people
}

/// A simulated vendor that takes the fixed credentials.
#[derive(Debug)]
pub(crate) enum Vendor {
    Merge(MergeSim),
    PeopleHr(PeopleHrSim),
    Sesame(SesameSim),
    TriNet(TriNetSim),
}

impl Vendor {
    pub(crate) fn start(format: Format, people: Population) -> Self {
        let nobody = Population::new(1).size(0).build();
        match format {
            Format::Merge => {
                let sim = run(MergeSim::start(nobody));
                sim.add_organisation("k", "measured", "t", people);
                Self::Merge(sim)
            }
            Format::PeopleHr => {
                let sim = run(PeopleHrSim::start(nobody));
                sim.add_company(1, "Measured", people);
                sim.add_key("k", 1, Permission::ALL);
                Self::PeopleHr(sim)
            }
            Format::Sesame => {
                let sim = run(SesameSim::start(nobody));
                sim.add_company("measured", "Measured", "k", people);
                Self::Sesame(sim)
            }
            Format::TriNet => {
                let sim = run(TriNetSim::start(nobody));
                sim.add_company("1", "Measured", people);
                sim.add_client("k", "k", &["1"]);
                Self::TriNet(sim)
            }
        }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Merge(sim) => sim.url(),
            Self::PeopleHr(sim) => sim.url(),
            Self::Sesame(sim) => sim.url(),
            Self::TriNet(sim) => sim.url(),
        }
    }

    pub(crate) fn faults(&self) -> &Faults {
        match self {
            Self::Merge(sim) => sim.faults(),
            Self::PeopleHr(sim) => sim.faults(),
            Self::Sesame(sim) => sim.faults(),
            Self::TriNet(sim) => sim.faults(),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Arc<SimRequest>> {
        match self {
            Self::Merge(sim) => sim.requests(),
            Self::PeopleHr(sim) => sim.requests(),
            Self::Sesame(sim) => sim.requests(),
            Self::TriNet(sim) => sim.requests(),
        }
    }
}

/// A folder for the files of a program.
pub(crate) struct Place(TempDir);

/// What a program printed and how it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Done {
        let mut command = Command::new(example(program));
        let output =
            command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs `bench_pull`; waits that no vendor asked for are short.
    pub(crate) fn pull(&self, format: Format, url: &str, more: &[&str]) -> Done {
        let fixed =
            ["--base-url", url, "--format", format.name(), "--out", "people.jsonl", "--back-off", "1"];
        self.run("bench_pull", &[&fixed, more].concat())
    }

    /// The rows that `bench_pull` wrote, sorted. Each has every key in its place.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let text = std::fs::read_to_string(self.path("people.jsonl")).unwrap();
        let mut rows: Vec<Row> = text.lines().map(row).collect();
        rows.sort();
        rows
    }
}

fn row(line: &str) -> Row {
    let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    let mut at = 0;
    assert_eq!(object.len(), COLUMNS.len());
    COLUMNS.map(|column| {
        let place = line[at..].find(&format!("\"{column}\":")).unwrap();
        at += place;
        match &object[column] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => panic!("{column} is neither text nor null: {other}"),
        }
    })
}

impl Done {
    /// It ended well, and the last line tells so many people.
    pub(crate) fn counts(&self, people: usize) {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert_eq!(self.out.lines().last(), Some(format!(r#"{{"count":{people}}}"#).as_str()), "{self:?}");
    }

    /// It failed, with a reason that names nobody, and without a figure. Returns the reason.
    pub(crate) fn fails(&self, program: &str) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        assert_eq!(self.out, "", "a failed run has no count");
        assert!(self.err.starts_with(&format!("{program}: ")), "{self:?}");
        assert!(!self.err.contains('@'), "{self:?}");
        &self.err
    }
}

/// An example of this package, which `cargo test` builds beside the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "build the examples first: cargo test -p hris-examples");
    program
}
