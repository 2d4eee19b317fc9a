//! A reading that is kept and given out again, so that several plans are made from the very same data.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use hris_core::{
    Account, Capabilities, Descriptor, Employee, EmployeeField, EmployeeRef, Error, Field, FieldDescriptor,
    FieldSet, HrisConnector, Lookup, ReadEvent, ReadQuery, Result, SourceField,
};
use std::fmt;
use std::sync::Arc;

/// A directory as it was read once. It is in memory as a whole for as long as this lives.
#[derive(Clone)]
pub(crate) struct Recorded {
    descriptor: &'static Descriptor,
    capabilities: Capabilities,
    account: Account,
    fields: Vec<FieldDescriptor>,
    events: Arc<[ReadEvent]>,
}

impl Recorded {
    /// Reads everyone with the given fields.
    pub(crate) async fn read(connector: &dyn HrisConnector, fields: FieldSet) -> Result<Self> {
        let account = connector.check().await?;
        let offered = connector.fields().await?;
        let events: Vec<_> = connector.read(ReadQuery::everyone(fields)).try_collect().await?;
        if !matches!(events.last(), Some(ReadEvent::End(_))) {
            return Err(super::planning::without_receipt());
        }
        Ok(Self {
            descriptor: connector.descriptor(),
            capabilities: connector.capabilities(),
            account,
            fields: offered,
            events: events.into(),
        })
    }
}

/// What is in it is people's data.
impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("events", &self.events.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl HrisConnector for Recorded {
    fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn check(&self) -> Result<Account> {
        Ok(self.account.clone())
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        let events = Arc::clone(&self.events);
        let numbers = 0..events.len();
        stream::iter(numbers)
            .filter_map(move |at| {
                let event = events.get(at).map(|event| Ok(only(event.clone(), &query.fields)));
                std::future::ready(event)
            })
            .boxed()
    }

    async fn employee(&self, _: &EmployeeRef, _: &FieldSet) -> Result<Lookup> {
        Err(Error::unsupported("a recorded reading answers no questions about single people"))
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        Ok(self.fields.clone())
    }
}

/// The event as it would have been had only these fields been asked for, as far as a planner looks beside a mapping.
fn only(mut event: ReadEvent, fields: &FieldSet) -> ReadEvent {
    if let ReadEvent::Employees(page) = &mut event {
        for employee in page.iter_mut() {
            narrow(employee, fields);
        }
    }
    event
}

fn narrow(employee: &mut Employee, fields: &FieldSet) {
    if !fields.has(EmployeeField::EndDate) {
        employee.end_date = Field::Absent;
    }
    if !fields.has(EmployeeField::StartDate) {
        employee.start_date = Field::Absent;
    }
    if !fields.has(EmployeeField::Manager) {
        employee.manager = Field::Absent;
    }
    employee.problems.retain(|problem| match &problem.field {
        SourceField::Employee(field) => fields.has(*field),
        SourceField::Custom(name) => fields.has_custom(name),
    });
}
