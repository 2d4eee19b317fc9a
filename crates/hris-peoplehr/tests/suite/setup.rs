//! What the tests share: a clock that waits for nobody, a connector to the simulator, and a reading taken apart.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use hris_core::{
    Employee, EmployeeField, Error, FieldSet, HrisConnector as _, ReadEvent, ReadQuery, Receipt,
    RejectedRecord, SourceField,
};
use hris_http::{RetryPolicy, Transport};
use hris_peoplehr::sim::PeopleHrSim;
use hris_peoplehr::{PeopleHrConfig, PeopleHrConnector};
use hris_testkit::ManualClock;
use hris_testkit::population::Population;

/// The longest wait that the clock skips is a slow-down's minute, so that every time-out is longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

/// The answer to the question which company the key opens.
pub(crate) const COMPANY: &str =
    r#"{"isError":false,"Status":0,"Message":"x","Result":{"CompanyId":70001,"CompanyName":"Bramble"}}"#;

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z").skipping(Duration::from_secs(61))
}

pub(crate) fn transport(clock: &ManualClock) -> Transport {
    Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap()
}

/// The people of most tests: every oddity occurs.
pub(crate) fn population() -> Population {
    Population::new(7).size(260).build()
}

/// Ordinary people only, some of whom have left.
pub(crate) fn plain_population(size: usize) -> Population {
    Population::new(7).size(size).without_oddities().build()
}

pub(crate) fn config(url: &str) -> PeopleHrConfig {
    PeopleHrConfig::new().with_base_url(url.parse().unwrap())
}

/// A connector with the default configuration.
pub(crate) fn connector(sim: &PeopleHrSim) -> PeopleHrConnector {
    build(config(sim.url()))
}

pub(crate) fn build(config: PeopleHrConfig) -> PeopleHrConnector {
    build_by(config, &clock())
}

pub(crate) fn build_by(config: PeopleHrConfig, clock: &ManualClock) -> PeopleHrConnector {
    build_with(config, clock, PeopleHrSim::KEY)
}

pub(crate) fn build_with(config: PeopleHrConfig, clock: &ManualClock, key: &str) -> PeopleHrConnector {
    let policy = RetryPolicy::default().with_attempt_timeout(TIMEOUT).with_idle_timeout(TIMEOUT);
    config.build(&key.into(), &transport(clock)).unwrap().with_retry_policy(policy)
}

pub(crate) fn few_fields() -> FieldSet {
    [EmployeeField::EmployeeId, EmployeeField::WorkEmail].into_iter().collect()
}

pub(crate) fn only(field: EmployeeField) -> FieldSet {
    [field].into_iter().collect()
}

pub(crate) fn custom(name: &str) -> FieldSet {
    [SourceField::Custom(name.into())].into_iter().collect()
}

/// A reading, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) employees: Vec<Employee>,
    pub(crate) rejected: Vec<RejectedRecord>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) error: Option<Error>,
}

impl Read {
    pub(crate) fn receipt(&self) -> &Receipt {
        assert!(self.error.is_none(), "{:?}", self.error);
        self.receipt.as_ref().expect("a reading that went well ends with a receipt")
    }

    pub(crate) fn error(&self) -> &Error {
        assert!(self.receipt.is_none(), "a reading that broke off has no receipt");
        self.error.as_ref().expect("a reading that broke off ends with an error")
    }

    /// The one row about the person with a record id.
    pub(crate) fn person(&self, record: &str) -> &Employee {
        let mut rows = self.employees.iter().filter(|employee| employee.record.as_str() == record);
        let row = rows.next().expect("the person was read");
        assert!(rows.next().is_none(), "the person was read once");
        row
    }

    pub(crate) fn absence_refusal(&self) -> String {
        match self.receipt().absence.ground() {
            hris_core::Ground::Usable => String::new(),
            hris_core::Ground::Refused(why) => why.to_string(),
        }
    }

    /// The texts of the warnings.
    pub(crate) fn warnings(&self) -> String {
        let warnings = self.receipt().warnings.iter();
        let texts = warnings.map(|warning| format!("{}: {}", warning.rule, warning.message));
        texts.collect::<Vec<_>>().join("\n")
    }
}

pub(crate) async fn read(connector: &PeopleHrConnector, fields: FieldSet) -> Read {
    collect(connector, ReadQuery::everyone(fields)).await
}

pub(crate) async fn collect(connector: &PeopleHrConnector, query: ReadQuery) -> Read {
    let mut read = Read::default();
    let mut events = connector.read(query);
    while let Some(event) = events.next().await {
        assert!(read.receipt.is_none() && read.error.is_none(), "nothing comes after the end");
        match event {
            Ok(ReadEvent::Employees(employees)) => read.employees.extend(employees),
            Ok(ReadEvent::Rejected(rejected)) => read.rejected.push(rejected),
            Ok(ReadEvent::End(receipt)) => read.receipt = Some(receipt),
            Ok(event) => panic!("an event that PeopleHR never has: {event:?}"),
            Err(error) => read.error = Some(error),
        }
    }
    read
}
