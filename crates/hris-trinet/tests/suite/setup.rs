//! What the tests share: a clock that waits for nobody, a connector to the simulator, and a reading taken apart.

use std::sync::Arc;

use futures_util::StreamExt as _;
use hris_core::{
    Employee, EmployeeField, Error, FieldSet, HrisConnector as _, ReadEvent, ReadQuery, Receipt,
    RejectedRecord, SourceField,
};
use hris_http::Transport;
use hris_testkit::ManualClock;
use hris_testkit::population::Population;
use hris_trinet::sim::TriNetSim;
use hris_trinet::{TriNetConfig, TriNetConnector};

pub(crate) const TOKEN: &str = "/oauth/accesstoken";
pub(crate) const EMPLOYEES: &str = "/v1/company/X7Q/employees";
pub(crate) const ORG_DETAILS: &str = "/v1/manage-company/X7Q/org-details";
pub(crate) const DEPARTMENTS: &str = "/v1/company/X7Q/departments";
pub(crate) const LOCATIONS: &str = "/v1/company/X7Q/locations";
pub(crate) const JOBS: &str = "/v1/company/X7Q/jobs";

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP)
}

pub(crate) fn transport(clock: &ManualClock) -> Transport {
    Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap()
}

/// The people of most tests: every oddity occurs, and they fill three pages of 100.
pub(crate) fn population() -> Population {
    Population::new(7).size(260).build()
}

/// Ordinary people only, some of whom have left.
pub(crate) fn plain_population(size: usize) -> Population {
    Population::new(7).size(size).without_oddities().build()
}

pub(crate) fn config(url: &str) -> TriNetConfig {
    TriNetConfig::new(TriNetSim::COMPANY_ID).with_base_url(url.parse().unwrap())
}

/// A connector with the default configuration.
pub(crate) fn connector(sim: &TriNetSim) -> TriNetConnector {
    build(config(sim.url()))
}

pub(crate) fn build(config: TriNetConfig) -> TriNetConnector {
    build_by(config, &clock())
}

pub(crate) fn build_by(config: TriNetConfig, clock: &ManualClock) -> TriNetConnector {
    let (id, secret) = (TriNetSim::CLIENT_ID.into(), TriNetSim::CLIENT_SECRET.into());
    config.build(&id, &secret, &transport(clock)).unwrap()
}

/// Fields that the basic view has.
pub(crate) fn basic_fields() -> FieldSet {
    use EmployeeField::{
        Department, EmployeeId, EndDate, FirstName, JobTitle, LastName, Location, Manager, StartDate,
        WorkEmail,
    };
    let fields = [
        EmployeeId, FirstName, LastName, WorkEmail, StartDate, EndDate, Department, Location, JobTitle,
        Manager,
    ];
    fields.into_iter().collect()
}

pub(crate) fn only(field: EmployeeField) -> FieldSet {
    [field].into_iter().collect()
}

pub(crate) fn custom(name: &str) -> FieldSet {
    [SourceField::Custom(name.into())].into_iter().collect()
}

/// The offsets of the pages of employees that were asked for, in order.
pub(crate) fn offsets(sim: &TriNetSim) -> Vec<u64> {
    let requests = sim.requests();
    let pages = requests.iter().filter(|request| request.path() == EMPLOYEES);
    pages.map(|page| page.query("offset").unwrap().parse().unwrap()).collect()
}

/// A reading, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) employees: Vec<Employee>,
    pub(crate) rejected: Vec<RejectedRecord>,
    pub(crate) expected: Vec<u64>,
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

    /// The one row about the person at a position.
    pub(crate) fn person(&self, position: usize) -> &Employee {
        let id = TriNetSim::employee_id(position);
        let mut rows = self.employees.iter().filter(|employee| employee.record.as_str() == id);
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

pub(crate) async fn read(connector: &TriNetConnector, fields: FieldSet) -> Read {
    collect(connector, ReadQuery::everyone(fields)).await
}

pub(crate) async fn collect(connector: &TriNetConnector, query: ReadQuery) -> Read {
    let mut read = Read::default();
    let mut events = connector.read(query);
    while let Some(event) = events.next().await {
        assert!(read.receipt.is_none() && read.error.is_none(), "nothing comes after the end");
        match event {
            Ok(ReadEvent::Employees(employees)) => read.employees.extend(employees),
            Ok(ReadEvent::Rejected(rejected)) => read.rejected.push(rejected),
            Ok(ReadEvent::Expected(total)) => read.expected.push(total),
            Ok(ReadEvent::End(receipt)) => read.receipt = Some(receipt),
            Ok(event) => panic!("an event that TriNet never has: {event:?}"),
            Err(error) => read.error = Some(error),
        }
    }
    read
}
