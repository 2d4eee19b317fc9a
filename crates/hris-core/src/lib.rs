//! Model, traits and ports for connecting HR systems to a rewards or loyalty platform. No I/O, no runtime, no clock.

mod clock;
mod employee;
mod error;
mod field;
mod ids;
mod private;
mod problem;
mod source;
mod value;

pub use clock::{Clock, SharedClock};
pub use employee::{Employee, EmploymentStatus, FieldSource, ManagerRef};
pub use error::{Delivery, Error, ErrorKind, Result};
pub use field::Field;
pub use ids::{
    AccountId, ActionId, ConnectionKey, EmployeeId, EmployeeRef, MemberId, PlanId, RecordId, RecordIdKind, RunId,
    TenantId,
};
pub use problem::{FieldProblem, Problem, RuleCode, Severity, rule};
pub use source::{EmployeeField, FieldSet, SourceField};
pub use value::{BirthDate, Email, Value, ValueRef, fold_email};
