//! The reading side: what a connector to an HR system is, says about itself, and delivers.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use crate::receipt::{Receipt, Scope};
use crate::{
    AccountId, Employee, EmployeeRef, FieldSet, Problem, RecordId, RecordIdKind, Result, RuleCode,
    SourceField, rule,
};

/// A connection to one account of an HR system, ready to read.
///
/// # Contract
///
/// * Building a connector sends nothing. [`HrisConnector::read`] sends nothing before its stream is polled, and
///   dropping the stream cancels the reading.
/// * A reading is a stream of events. `Err` is fatal and last. A reading that went well ends with exactly one
///   [`ReadEvent::End`]; without it the reading broke off, and nobody may be taken for a leaver.
/// * A row that cannot be used is [`ReadEvent::Rejected`]; it neither ends the reading nor hides other rows.
/// * Rows are delivered at least once. Repeats are allowed; [`Receipt::distinct`] counts people, not rows.
/// * Only fields of [`ReadQuery::fields`] are asked for, decoded and kept, beside id and status.
/// * A query that needs a capability which [`HrisConnector::capabilities`] does not have fails before any request.
///
/// `hris-testkit` has a conformance suite that checks all of this.
#[async_trait]
pub trait HrisConnector: fmt::Debug + Send + Sync + 'static {
    /// Facts about the vendor's system that hold for every account.
    fn descriptor(&self) -> &'static Descriptor;

    /// What this connector can do as it is configured.
    fn capabilities(&self) -> Capabilities;

    /// Checks the credential ("Authorize") and tells whose account it opens.
    async fn check(&self) -> Result<Account>;

    /// Reads employees.
    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>>;

    /// Reads one person now. `NotFound` is an answer about that very person; a vendor without single reads
    /// answers [`crate::ErrorKind::Unsupported`].
    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup>;

    /// The fields that a mapping can read in this account.
    async fn fields(&self) -> Result<Vec<FieldDescriptor>>;
}

/// What to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadQuery {
    /// Whom.
    pub scope: Scope,
    /// Which fields, beside record id and status.
    pub fields: FieldSet,
}

impl ReadQuery {
    /// Everyone, with the given fields.
    pub fn everyone(fields: FieldSet) -> Self {
        Self { scope: Scope::Everyone, fields }
    }

    /// Another scope, with the given fields.
    pub fn scoped(scope: Scope, fields: FieldSet) -> Self {
        Self { scope, fields }
    }
}

/// One event of a reading.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReadEvent {
    /// The vendor's current idea of how many people there will be; for progress, never for decisions.
    Expected(u64),
    /// Some employees, usually a page.
    Employees(Vec<Employee>),
    /// A row that cannot be used.
    Rejected(RejectedRecord),
    /// The vendor says that a record was deleted.
    Deleted(RecordId),
    /// The reading is complete for its scope.
    End(Receipt),
}

/// A row that could not be turned into an employee.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectedRecord {
    /// Its record id, if even that could be read; the person then counts as seen.
    pub record: Option<RecordId>,
    /// The field that is unreadable, in the vendor's path notation, without values.
    pub field: Option<String>,
    /// The rule.
    pub rule: RuleCode,
    /// What was expected.
    pub message: Cow<'static, str>,
}

impl RejectedRecord {
    /// A row that could not be read.
    pub fn unreadable(record: Option<RecordId>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { record, field: None, rule: rule::RECORD_UNREADABLE, message: message.into() }
    }

    /// Names the unreadable field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The row as a problem for reports.
    pub fn to_problem(&self) -> Problem {
        let mut problem = Problem::error(self.rule.clone(), self.message.clone());
        problem.record.clone_from(&self.record);
        problem.field = self.field.clone().map(Cow::Owned);
        problem
    }
}

/// The answer to a single-person read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Lookup {
    /// Here they are.
    Found(Box<Employee>),
    /// The vendor knows that the record was deleted.
    Deleted,
    /// The vendor erased the person's data on request; not a leaver by itself.
    Erased,
    /// The vendor says that no such person exists.
    NotFound,
}

/// Facts about a vendor's system.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Descriptor {
    /// Short stable name, such as `sesame`; used in configuration.
    pub vendor: &'static str,
    /// Name to show to people.
    pub display_name: &'static str,
    /// What kind of id this vendor's record ids are, unless a connector's configuration changes it.
    pub record_id_kind: RecordIdKind,
    /// Whether set-up asks for a date format, because the vendor's dates are the customer's free text.
    pub asks_date_format: bool,
}

impl Descriptor {
    /// The facts that every vendor has.
    pub const fn new(vendor: &'static str, display_name: &'static str, record_id_kind: RecordIdKind) -> Self {
        Self { vendor, display_name, record_id_kind, asks_date_format: false }
    }

    /// Says that set-up asks for a date format.
    #[must_use]
    pub const fn asking_date_format(mut self) -> Self {
        self.asks_date_format = true;
        self
    }
}

/// What a configured connector can do. Everything starts as "no".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent yes-or-no answers")]
pub struct Capabilities {
    /// Inactive people are delivered, so that a status can make a leaver.
    pub reads_leavers: bool,
    /// Status is the vendor's own employment status rather than derived from listings and dates.
    pub has_status: bool,
    /// Readings can start at a watermark.
    pub incremental: bool,
    /// Single people can be read.
    pub single_read: bool,
    /// A full listing can prove its completeness.
    pub proves_absence: bool,
    /// Deleted records are reported.
    pub tombstones: bool,
    /// Rows carry a modification stamp.
    pub modified_at: bool,
}

/// The account that a credential opens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The vendor's id of the company.
    pub id: AccountId,
    /// The company's name, to show to the person who authorises.
    pub name: Option<String>,
    /// Why data cannot be trusted yet, if so.
    pub not_ready: Option<String>,
    /// Remarks for the person who authorises (more permission granted than needed, …).
    pub remarks: Vec<String>,
}

impl Account {
    /// A ready account.
    pub fn new(id: impl Into<AccountId>) -> Self {
        Self { id: id.into(), name: None, not_ready: None, remarks: Vec::new() }
    }

    /// Adds the company's name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A field that a mapping can read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldDescriptor {
    /// The field.
    pub field: SourceField,
    /// A name to show to people.
    pub label: String,
    /// What reading it costs or needs, if that is remarkable.
    pub remark: Option<String>,
}

impl FieldDescriptor {
    /// A field with its label.
    pub fn new(field: impl Into<SourceField>, label: impl Into<String>) -> Self {
        Self { field: field.into(), label: label.into(), remark: None }
    }

    /// Adds a remark.
    #[must_use]
    pub fn with_remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: HrisConnector + ?Sized> HrisConnector for Arc<T> {
    fn descriptor(&self) -> &'static Descriptor {
        (**self).descriptor()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    async fn check(&self) -> Result<Account> {
        (**self).check().await
    }

    fn read(&self, query: ReadQuery) -> BoxStream<'static, Result<ReadEvent>> {
        (**self).read(query)
    }

    async fn employee(&self, who: &EmployeeRef, fields: &FieldSet) -> Result<Lookup> {
        (**self).employee(who, fields).await
    }

    async fn fields(&self) -> Result<Vec<FieldDescriptor>> {
        (**self).fields().await
    }
}

/// Does not compile if the trait can no longer be used as an object.
const _: fn(Box<dyn HrisConnector>) = drop;
