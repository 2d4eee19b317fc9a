//! What the tests share: a clock that waits for nobody, a connector to the simulator, and a reading taken apart.

use std::sync::Arc;

use futures_util::StreamExt as _;
use hris_core::{
    Employee, EmployeeField, Error, FieldSet, HrisConnector as _, ReadEvent, ReadQuery, Receipt,
    RejectedRecord, SourceField,
};
use hris_http::Transport;
use hris_sesame::sim::SesameSim;
use hris_sesame::{SesameConfig, SesameConnector};
use hris_testkit::ManualClock;
use hris_testkit::population::Population;
use secrecy::SecretString;

pub(crate) const EMPLOYEES: &str = "/core/v3/employees";
pub(crate) const INFO: &str = "/core/v3/info";
pub(crate) const DEPARTMENT_ASSIGNATIONS: &str = "/core/v3/employee-department-assignations";
pub(crate) const OFFICE_ASSIGNATIONS: &str = "/core/v3/employee-office-assignations";
pub(crate) const OFFICES: &str = "/core/v3/offices";
pub(crate) const CUSTOM_FIELDS: &str = "/core/v3/custom-fields";
pub(crate) const CONTRACTS: &str = "/contract/v1/contracts/";
pub(crate) const MANAGERS: &str = "/core/v3/employee-profiles/organization-chart-managers/";

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-02T06:00:00Z").skipping(ManualClock::DEFAULT_SKIP)
}

pub(crate) fn transport(clock: &ManualClock) -> Transport {
    Transport::builder().with_clock(Arc::new(clock.clone())).build().unwrap()
}

/// The people of most tests: every oddity occurs, and the active ones fill three pages of 100.
pub(crate) fn population() -> Population {
    Population::new(7).size(260).build()
}

/// Ordinary people only, some of whom have left.
pub(crate) fn plain_population(size: usize) -> Population {
    Population::new(7).size(size).without_oddities().build()
}

pub(crate) fn config(url: &str) -> SesameConfig {
    SesameConfig::new().with_base_url(url.parse().unwrap())
}

/// A connector with the default configuration, and its clock.
pub(crate) fn connector(sim: &SesameSim) -> SesameConnector {
    build(config(sim.url()))
}

pub(crate) fn build(config: SesameConfig) -> SesameConnector {
    config.build(&token(), &transport(&clock())).unwrap()
}

pub(crate) fn token() -> SecretString {
    SecretString::from(SesameSim::TOKEN)
}

/// The fields that come with the row.
pub(crate) fn row_fields() -> FieldSet {
    use EmployeeField::{
        BirthDate, Country, EmployeeId, FirstName, Gender, JobTitle, LastName, PersonalEmail, Phone,
        WorkEmail,
    };
    let fields = [
        EmployeeId,
        FirstName,
        LastName,
        WorkEmail,
        PersonalEmail,
        Phone,
        BirthDate,
        Gender,
        Country,
        JobTitle,
    ];
    fields.into_iter().collect()
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

    /// The one row about a person.
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
}

pub(crate) async fn read(connector: &SesameConnector, fields: FieldSet) -> Read {
    collect(connector, ReadQuery::everyone(fields)).await
}

pub(crate) async fn collect(connector: &SesameConnector, query: ReadQuery) -> Read {
    let mut read = Read::default();
    let mut events = connector.read(query);
    while let Some(event) = events.next().await {
        assert!(read.receipt.is_none() && read.error.is_none(), "nothing comes after the end");
        match event {
            Ok(ReadEvent::Employees(employees)) => read.employees.extend(employees),
            Ok(ReadEvent::Rejected(rejected)) => read.rejected.push(rejected),
            Ok(ReadEvent::Expected(total)) => read.expected.push(total),
            Ok(ReadEvent::End(receipt)) => read.receipt = Some(receipt),
            Ok(event) => panic!("an event that Sesame never has: {event:?}"),
            Err(error) => read.error = Some(error),
        }
    }
    read
}
