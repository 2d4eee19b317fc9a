//! Rows that were read and wait to be handed on.

use std::mem;

use hris_core::{Employee, ReadEvent, RejectedRecord};

/// What becomes one step of a reading.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) employees: Vec<Employee>,
    pub(crate) rejected: Vec<RejectedRecord>,
}

impl Batch {
    /// How many rows wait.
    pub(crate) fn len(&self) -> usize {
        self.employees.len() + self.rejected.len()
    }

    /// The events of the rows that wait; none wait afterwards.
    pub(crate) fn take(&mut self) -> Vec<ReadEvent> {
        let employees = mem::take(&mut self.employees);
        let mut events: Vec<_> =
            (!employees.is_empty()).then_some(ReadEvent::Employees(employees)).into_iter().collect();
        events.extend(self.rejected.drain(..).map(ReadEvent::Rejected));
        events
    }
}
