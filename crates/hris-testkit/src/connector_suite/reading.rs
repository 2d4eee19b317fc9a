//! A reading, taken apart and held against the rules that every stream of events keeps.
#![expect(clippy::panic, reason = "a conformance suite reports by panicking")]

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use hris_core::{
    Account, Employee, EmployeeField, Error, FieldDescriptor, FieldSet, Ground, HrisConnector, ReadEvent,
    ReadQuery, Receipt, RecordId, RejectedRecord, Result, SourceField,
};

use super::harness::{Case, ConnectorHarness};
use super::stage::NotOffered;
use super::truth::KNOWN;

/// More requests than any reading of the suite's small populations needs.
const TOO_MANY_REQUESTS: usize = 5_000;
/// More events than any reading of the suite's small populations has.
const TOO_MANY_EVENTS: usize = 10_000;

/// Everything that a reading delivered.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) rows: Vec<Employee>,
    pub(crate) rejected: Vec<RejectedRecord>,
    pub(crate) deleted: Vec<RecordId>,
    pub(crate) ending: Option<Result<Receipt>>,
}

impl Read {
    /// The receipt of a reading that has to go well.
    #[track_caller]
    pub(crate) fn receipt(&self, what: &str) -> &Receipt {
        match &self.ending {
            Some(Ok(receipt)) => receipt,
            Some(Err(error)) => {
                panic!("{what}: end the reading with a receipt, not with an error: {error:?}")
            }
            None => panic!("{what}: end the reading with a receipt"),
        }
    }

    /// The error of a reading that has to break off.
    #[track_caller]
    pub(crate) fn error(&self, what: &str) -> &Error {
        match &self.ending {
            Some(Err(error)) => error,
            _ => panic!(
                "{what}: end the reading with an error; it ended with a receipt after {} rows, as if these were all",
                self.rows.len()
            ),
        }
    }

    /// The record ids of everybody who was delivered or rejected.
    pub(crate) fn seen(&self) -> HashSet<&RecordId> {
        let rejected = self.rejected.iter().filter_map(|row| row.record.as_ref());
        self.rows.iter().map(|row| &row.record).chain(rejected).collect()
    }

    /// Whether the reading may be used for conclusions from absence.
    pub(crate) fn proves_absence(&self) -> bool {
        matches!(&self.ending, Some(Ok(receipt)) if *receipt.absence.ground() == Ground::Usable)
    }

    fn take(&mut self, event: Result<ReadEvent>) {
        assert!(self.ending.is_none(), "deliver nothing after the end of a reading, not even {event:?}");
        match event {
            Ok(ReadEvent::Employees(rows)) => {
                let blank = rows.iter().filter(|row| row.record.as_str().trim().is_empty()).count();
                assert!(blank == 0, "reject a row whose record id is blank: {blank} were delivered");
                self.rows.extend(rows);
            }
            Ok(ReadEvent::Rejected(row)) => self.rejected.push(row),
            Ok(ReadEvent::Deleted(record)) => self.deleted.push(record),
            Ok(ReadEvent::End(receipt)) => self.ending = Some(Ok(receipt)),
            Ok(_) => {}
            Err(error) => self.ending = Some(Err(error)),
        }
    }
}

impl ConnectorHarness {
    /// A connector with a good credential.
    #[track_caller]
    pub(crate) fn good(&self) -> Arc<dyn HrisConnector> {
        match self.vendor().connector(Case::Good) {
            Some(Ok(connector)) => connector,
            Some(Err(error)) => panic!("build a connector in the harness for Case::Good: {error:?}"),
            None => panic!("the harness has to build a connector for Case::Good"),
        }
    }

    /// A connector for a case that not every vendor has.
    #[track_caller]
    pub(crate) fn built(
        &self,
        case: Case<'_>,
        otherwise: &'static str,
    ) -> Result<Arc<dyn HrisConnector>, NotOffered> {
        match self.vendor().connector(case) {
            Some(Ok(connector)) => Ok(connector),
            Some(Err(error)) => panic!("build a connector in the harness for {case:?}: {error:?}"),
            None => Err(NotOffered(otherwise)),
        }
    }

    /// Reads everyone.
    pub(crate) async fn read(&self, connector: &dyn HrisConnector, fields: FieldSet) -> Read {
        self.collect(connector, ReadQuery::everyone(fields)).await
    }

    /// Reads to the end and takes the events apart.
    pub(crate) async fn collect(&self, connector: &dyn HrisConnector, query: ReadQuery) -> Read {
        let mut events = connector.read(query);
        let mut read = Read::default();
        let mut count = 0;
        let all = async {
            while let Some(event) = events.next().await {
                count += 1;
                assert!(
                    count < TOO_MANY_EVENTS,
                    "a reading of {} people does not end",
                    self.population().len()
                );
                read.take(event);
            }
        };
        self.within_reason(all).await;
        assert!(
            read.ending.is_some(),
            "end every reading with a receipt or an error; this one just stopped after {} rows",
            read.rows.len()
        );
        read
    }

    /// Runs something that has to end before the vendor was asked thousands of times.
    pub(crate) async fn within_reason<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(server) = self.vendor().server() else { return work.await };
        let limit = server.request_count() + TOO_MANY_REQUESTS;
        match select(pin!(work), pin!(server.received(limit))).await {
            Either::Left((output, _)) => output,
            Either::Right(_) => {
                panic!("stop asking: the vendor got {TOO_MANY_REQUESTS} requests and there is no end")
            }
        }
    }

    /// What a check answers that has to go well.
    pub(crate) async fn checked(&self, connector: &dyn HrisConnector) -> Account {
        match connector.check().await {
            Ok(account) => account,
            Err(error) => panic!("a good credential has to pass the check, but it failed: {error:?}"),
        }
    }

    /// The fields that a connector offers, as it describes them.
    pub(crate) async fn described(&self, connector: &dyn HrisConnector) -> Vec<FieldDescriptor> {
        match connector.fields().await {
            Ok(fields) => fields,
            Err(error) => panic!("tell which fields a mapping can read, but that failed: {error:?}"),
        }
    }

    /// The fields of a [`Person`](crate::population::Person) that a connector offers.
    pub(crate) async fn offered(&self, connector: &dyn HrisConnector) -> Vec<EmployeeField> {
        let described = self.described(connector).await;
        let offers =
            |field: &EmployeeField| described.iter().any(|it| it.field == SourceField::Employee(*field));
        KNOWN.into_iter().filter(offers).collect()
    }

    /// All canonical fields, and the custom ones of the harness.
    pub(crate) fn every_field(&self) -> FieldSet {
        let mut fields = FieldSet::all_canonical();
        for (name, _) in self.custom_fields() {
            fields.insert(SourceField::Custom(name.as_str().into()));
        }
        fields
    }
}

/// A set of fields.
pub(crate) fn fields(fields: &[EmployeeField]) -> FieldSet {
    fields.iter().copied().collect()
}

/// The fields that cost no more than the row itself: for readings that are about something else.
pub(crate) fn cheap() -> FieldSet {
    fields(&[EmployeeField::EmployeeId, EmployeeField::WorkEmail])
}
