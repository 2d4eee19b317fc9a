//! The canonical employee: what an HR system says about a person, in this library's words.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use crate::problem::FieldProblem;
use crate::source::{EmployeeField, SourceField};
use crate::{BirthDate, EmployeeId, EmployeeRef, Field, RecordId, Value, ValueRef};

/// Employment status. Leaving is [`EmploymentStatus::Inactive`] and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmploymentStatus {
    /// Works here.
    Active,
    /// Employed but away for a while; not a leaver.
    OnLeave,
    /// Hired, not started yet.
    Pending,
    /// No longer works here.
    Inactive,
    /// The vendor said a word that its connector does not know, or nothing (`None`): no change, and a warning.
    Unknown(Option<String>),
}

impl EmploymentStatus {
    /// Whether the person is employed and has started.
    pub fn is_present(&self) -> bool {
        matches!(self, Self::Active | Self::OnLeave)
    }

    /// The word for mappings and reports.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::OnLeave => "on_leave",
            Self::Pending => "pending",
            Self::Inactive => "inactive",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Whom somebody reports to, in the kind of id that the vendor gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManagerRef {
    /// By record id.
    Record(RecordId),
    /// By Employee ID.
    EmployeeId(EmployeeId),
}

impl ManagerRef {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Record(record) => record.as_str(),
            Self::EmployeeId(id) => id.as_str(),
        }
    }
}

/// One employee as an HR system describes them.
///
/// Connectors fill only the fields that the query asks for ([`crate::ReadQuery::fields`]); everything else stays
/// [`Field::Absent`]. `Debug` shows identifiers and status only.
///
/// ```
/// use hris_core::{Employee, EmploymentStatus, Field};
/// let mut employee = Employee::new("0b9a6c1e", EmploymentStatus::Active);
/// employee.first_name = Field::Value("Nerea".to_owned());
/// assert!(!format!("{employee:?}").contains("Nerea"));
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Employee {
    /// The vendor's immutable record id.
    pub record: RecordId,
    /// The company's Employee ID.
    pub employee_id: Field<EmployeeId>,
    /// Employment status.
    pub status: EmploymentStatus,
    /// The vendor's own word for why the status is what it is (a kind of leave, a kind of termination).
    pub status_reason: Option<String>,
    /// The HR system asks that this person receives no messages. Not a kind of leaving.
    pub suppress_contact: bool,
    /// When the record last changed, by the vendor's clock.
    pub modified_at: Option<DateTime<Utc>>,
    /// Given name.
    pub first_name: Field<String>,
    /// Middle name or names.
    pub middle_name: Field<String>,
    /// Family name or names.
    pub last_name: Field<String>,
    /// The name the person goes by.
    pub preferred_name: Field<String>,
    /// Work address, as written; the mapping checks it.
    pub work_email: Field<String>,
    /// Private address, as written.
    pub personal_email: Field<String>,
    /// Private or mobile phone number, as written.
    pub phone: Field<String>,
    /// Work phone number, as written.
    pub work_phone: Field<String>,
    /// First day of work.
    pub start_date: Field<NaiveDate>,
    /// Last day of work, past or planned.
    pub end_date: Field<NaiveDate>,
    /// Date of birth.
    pub birth_date: Field<BirthDate>,
    /// Gender in the vendor's word.
    pub gender: Field<String>,
    /// Department name.
    pub department: Field<String>,
    /// Name of the place of work.
    pub location: Field<String>,
    /// Country, as the vendor writes it (often ISO 3166-1 alpha-2).
    pub country: Field<String>,
    /// Job title.
    pub job_title: Field<String>,
    /// Legal entity, where the account has several.
    pub company: Field<String>,
    /// Kind of employment in the vendor's word (employee, contractor, …).
    pub employment_type: Field<String>,
    /// Language tag such as `es-ES`.
    pub language: Field<String>,
    /// IANA time zone of the place of work.
    pub time_zone: Field<String>,
    /// Line manager.
    pub manager: Field<ManagerRef>,
    /// Fields of the customer's own making, by the name that `custom:NAME` refers to.
    pub custom: BTreeMap<Box<str>, Field<Value>>,
    /// Fields that were delivered but could not be read. They are absent above.
    pub problems: Vec<FieldProblem>,
}

impl Employee {
    /// An employee of whom only record id and status are known.
    pub fn new(record: impl Into<RecordId>, status: EmploymentStatus) -> Self {
        Self {
            record: record.into(),
            employee_id: Field::Absent,
            status,
            status_reason: None,
            suppress_contact: false,
            modified_at: None,
            first_name: Field::Absent,
            middle_name: Field::Absent,
            last_name: Field::Absent,
            preferred_name: Field::Absent,
            work_email: Field::Absent,
            personal_email: Field::Absent,
            phone: Field::Absent,
            work_phone: Field::Absent,
            start_date: Field::Absent,
            end_date: Field::Absent,
            birth_date: Field::Absent,
            gender: Field::Absent,
            department: Field::Absent,
            location: Field::Absent,
            country: Field::Absent,
            job_title: Field::Absent,
            company: Field::Absent,
            employment_type: Field::Absent,
            language: Field::Absent,
            time_zone: Field::Absent,
            manager: Field::Absent,
            custom: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// The two-fold reference to this person.
    pub fn reference(&self) -> EmployeeRef {
        EmployeeRef { record: self.record.clone(), employee_id: self.employee_id.value().cloned() }
    }
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee")
            .field("record", &self.record)
            .field("employee_id", &self.employee_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Something a mapping can read fields from: an employee here, a CRM record in the loyalty rules.
pub trait FieldSource {
    /// What this source says about a field. A field it has never heard of is [`Field::Absent`].
    fn field(&self, field: &SourceField) -> Field<ValueRef<'_>>;
}

impl FieldSource for Employee {
    fn field(&self, field: &SourceField) -> Field<ValueRef<'_>> {
        match field {
            SourceField::Employee(field) => self.known_field(*field),
            SourceField::Custom(name) => {
                self.custom.get(&**name).map_or(Field::Absent, |field| field.as_ref().map(Value::as_ref))
            }
        }
    }
}

impl Employee {
    fn known_field(&self, field: EmployeeField) -> Field<ValueRef<'_>> {
        match field {
            EmployeeField::RecordId => Field::Value(ValueRef::text(self.record.as_str())),
            EmployeeField::EmployeeId => self.employee_id.as_ref().map(|id| ValueRef::text(id.as_str())),
            EmployeeField::Status => Field::Value(ValueRef::text(self.status.as_str())),
            EmployeeField::FirstName => text(&self.first_name),
            EmployeeField::MiddleName => text(&self.middle_name),
            EmployeeField::LastName => text(&self.last_name),
            EmployeeField::PreferredName => text(&self.preferred_name),
            EmployeeField::WorkEmail => text(&self.work_email),
            EmployeeField::PersonalEmail => text(&self.personal_email),
            EmployeeField::Phone => text(&self.phone),
            EmployeeField::WorkPhone => text(&self.work_phone),
            EmployeeField::StartDate => self.start_date.map(ValueRef::Date),
            EmployeeField::EndDate => self.end_date.map(ValueRef::Date),
            EmployeeField::BirthDate => self.birth_date.map(ValueRef::BirthDate),
            EmployeeField::Gender => text(&self.gender),
            EmployeeField::Department => text(&self.department),
            EmployeeField::Location => text(&self.location),
            EmployeeField::Country => text(&self.country),
            EmployeeField::JobTitle => text(&self.job_title),
            EmployeeField::Company => text(&self.company),
            EmployeeField::EmploymentType => text(&self.employment_type),
            EmployeeField::Language => text(&self.language),
            EmployeeField::TimeZone => text(&self.time_zone),
            EmployeeField::Manager => self.manager.as_ref().map(|manager| ValueRef::text(manager.as_str())),
        }
    }
}

fn text(field: &Field<String>) -> Field<ValueRef<'_>> {
    field.as_ref().map(|text| ValueRef::text(text))
}
