//! What the tests share: a clock that waits for nobody, a connector to the simulator, and a reading taken apart.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt as _;
use hris_core::{
    Employee, EmployeeField, Error, FieldSet, Ground, HrisConnector as _, ReadEvent, ReadQuery, Receipt,
    RecordId, RejectedRecord, SourceField,
};
use hris_http::Transport;
use hris_merge::sim::MergeSim;
use hris_merge::{MergeConfig, MergeConnector};
use hris_testkit::ManualClock;
use hris_testkit::population::{Malformation, Person, Population};

pub(crate) const EMPLOYEES: &str = "/api/hris/v1/employees";
pub(crate) const ACCOUNT: &str = "/api/hris/v1/account-details";
pub(crate) const SYNC_STATUS: &str = "/api/hris/v1/sync-status";
pub(crate) const LINKED_ACCOUNTS: &str = "/api/hris/v1/linked-accounts";
pub(crate) const FIELD_MAPPINGS: &str = "/api/hris/v1/field-mappings";

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

pub(crate) fn config(url: &str) -> MergeConfig {
    MergeConfig::new().with_base_url(url.parse().unwrap())
}

/// A connector with the default configuration.
pub(crate) fn connector(sim: &MergeSim) -> MergeConnector {
    build(config(sim.url()), sim)
}

pub(crate) fn build(config: MergeConfig, sim: &MergeSim) -> MergeConnector {
    config.build(&sim.credentials(), &transport(&clock())).unwrap()
}

/// The fields that come with the row, without any relation.
pub(crate) fn row_fields() -> FieldSet {
    use EmployeeField::{
        BirthDate, EmployeeId, EndDate, FirstName, Gender, LastName, PersonalEmail, Phone, StartDate,
        WorkEmail,
    };
    [EmployeeId, FirstName, LastName, WorkEmail, PersonalEmail, Phone, BirthDate, StartDate, EndDate, Gender]
        .into_iter()
        .collect()
}

pub(crate) fn only(field: EmployeeField) -> FieldSet {
    [field].into_iter().collect()
}

/// Every canonical field and the customer's own ones.
pub(crate) fn everything() -> FieldSet {
    let mut fields = FieldSet::all_canonical();
    for name in ["gift_size", "benefits_from", "campaign_start_date", "nobody_mapped_this"] {
        fields.insert(SourceField::Custom(name.into()));
    }
    fields
}

/// A reading, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) employees: Vec<Employee>,
    pub(crate) rejected: Vec<RejectedRecord>,
    pub(crate) deleted: Vec<RecordId>,
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

    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.employees.iter().map(|employee| employee.record.as_str().to_owned()).collect()
    }

    pub(crate) fn absence_refusal(&self) -> String {
        refusal(self.receipt().absence.ground())
    }
}

/// Why a ground is refused; empty if it is not.
pub(crate) fn refusal(ground: &Ground) -> String {
    match ground {
        Ground::Usable => String::new(),
        Ground::Refused(why) => why.to_string(),
    }
}

/// Everybody who stands in the listing with a readable id.
pub(crate) fn listed(people: &Population) -> BTreeSet<String> {
    let readable =
        |person: &&Person| person.malformed.is_none_or(|kind: Malformation| !kind.hides_record_id());
    people.listed().filter(readable).map(|person| person.record_id.clone()).collect()
}

pub(crate) async fn read(connector: &MergeConnector, fields: FieldSet) -> Read {
    collect(connector, ReadQuery::everyone(fields)).await
}

pub(crate) async fn collect(connector: &MergeConnector, query: ReadQuery) -> Read {
    let mut read = Read::default();
    let mut events = connector.read(query);
    while let Some(event) = events.next().await {
        assert!(read.receipt.is_none() && read.error.is_none(), "nothing comes after the end");
        match event {
            Ok(ReadEvent::Employees(employees)) => read.employees.extend(employees),
            Ok(ReadEvent::Rejected(rejected)) => read.rejected.push(rejected),
            Ok(ReadEvent::Deleted(record)) => read.deleted.push(record),
            Ok(ReadEvent::End(receipt)) => read.receipt = Some(receipt),
            Ok(event) => panic!("an event that Merge never has: {event:?}"),
            Err(error) => read.error = Some(error),
        }
    }
    read
}
