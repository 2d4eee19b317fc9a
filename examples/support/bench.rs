//! What the measured programs share: a connector for each format with its fixed credentials, and the twelve columns.

use std::sync::Arc;
use std::time::Duration;

use hris_core::{
    Employee, EmployeeField, EmploymentStatus, Field, FieldMap, FieldRule, FieldSet, HrisConnector,
    MemberField, Result, TargetField, Transform, ValueRef,
};
use hris_http::{BaseUrl, RetryPolicy, Transport};
use hris_merge::{MergeConfig, MergeCredentials, RecordIdSource};
use hris_peoplehr::PeopleHrConfig;
use hris_sesame::SesameConfig;
use hris_trinet::{TriNetConfig, View};
use secrecy::SecretString;

/// The columns of a person, in the order in which the programs write them.
pub const COLUMNS: [&str; 12] = [
    "employee_number",
    "first_name",
    "last_name",
    "work_email",
    "personal_email",
    "start_date",
    "date_of_birth",
    "status",
    "department",
    "location",
    "manager",
    "termination_date",
];

/// The longest wait before something is tried again, in shortest ones; with the default the library's own.
const LONGEST_BACK_OFF: u32 = 40;

/// How long a body in one piece may pause, as PeopleHR's connector has it by default.
const LISTING_PAUSE: Duration = Duration::from_secs(120);

/// A vendor's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Merge.
    Merge,
    /// PeopleHR.
    Peoplehr,
    /// Sesame HR.
    Sesame,
    /// TriNet.
    Trinet,
}

/// How to read a directory.
#[derive(Clone, Debug, clap::Args)]
pub struct Source {
    /// Scheme, host and port of the vendor
    #[arg(long, value_name = "URL")]
    base_url: BaseUrl,

    /// Whose format it speaks
    #[arg(long, value_enum)]
    format: Format,

    /// Rows a page
    #[arg(long, default_value_t = 100)]
    page_size: u32,

    /// Requests in flight
    #[arg(long, default_value_t = 8)]
    concurrency: u32,

    /// The shortest wait before something is tried again, in milliseconds; what a vendor asks for is waited for anyway
    #[arg(long, default_value_t = 500)]
    back_off: u64,
}

impl Source {
    /// The connector, with the fixed credentials of the measured runs and without any limit of requests.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) for options that cannot work.
    pub fn connector(&self) -> Result<Arc<dyn HrisConnector>> {
        let transport = Transport::builder().build()?;
        let key = || SecretString::from("k");
        let shortest = Duration::from_millis(self.back_off);
        let retries = RetryPolicy::default()
            .with_back_off(shortest, shortest * LONGEST_BACK_OFF)
            .with_idle_timeout(LISTING_PAUSE);
        let base = self.base_url.clone();
        Ok(match self.format {
            Format::Merge => {
                let config = MergeConfig::new().with_base_url(base).with_page_size(self.page_size);
                // A manager is named by Merge's id, as it stands in the row.
                let config = config.with_record_id(RecordIdSource::MergeId).with_overlap(0);
                let config = config.with_requests_per_minute(None).with_max_in_flight(self.concurrency);
                let credentials = MergeCredentials::new(key(), SecretString::from("t"));
                Arc::new(config.build(&credentials, &transport)?.with_retry_policy(retries))
            }
            Format::Peoplehr => {
                let config = PeopleHrConfig::new().with_base_url(base).with_requests_per_minute(None);
                Arc::new(config.build(&key(), &transport)?.with_retry_policy(retries))
            }
            Format::Sesame => {
                let config = SesameConfig::new().with_base_url(base).with_page_size(self.page_size);
                let config = config.with_requests_per_minute(None).with_max_in_flight(self.concurrency);
                Arc::new(config.build(&key(), &transport)?.with_retry_policy(retries))
            }
            Format::Trinet => {
                let config = TriNetConfig::new("1").with_base_url(base).with_page_size(self.page_size);
                let config = config.with_view(View::Basic);
                let config = config.with_requests_per_minute(None).with_max_in_flight(self.concurrency);
                Arc::new(config.build(&key(), &key(), &transport)?.with_retry_policy(retries))
            }
        })
    }

    /// The mapping of the columns that this vendor fills here.
    ///
    /// # Errors
    /// None in practice: the rules are fixed.
    pub fn columns(&self) -> Result<Columns> {
        Columns::new(self.format)
    }
}

/// The twelve columns as a mapping.
#[derive(Debug)]
pub struct Columns {
    /// The mapping: the key, the e-mail address, and one attribute for each other column that is filled.
    pub map: FieldMap,
    /// For each of [`COLUMNS`], where its value stands in what was mapped.
    place: [Option<usize>; 12],
}

/// The rule of each column: what it is read from, and whether it is an e-mail address.
const SOURCES: [(usize, EmployeeField, bool); 12] = [
    (0, EmployeeField::EmployeeId, false),
    (1, EmployeeField::FirstName, false),
    (2, EmployeeField::LastName, false),
    (3, EmployeeField::WorkEmail, true),
    (4, EmployeeField::PersonalEmail, true),
    (5, EmployeeField::StartDate, false),
    (6, EmployeeField::BirthDate, false),
    (STATUS, EmployeeField::Status, false),
    (8, EmployeeField::Department, false),
    (9, EmployeeField::Location, false),
    (10, EmployeeField::Manager, false),
    (11, EmployeeField::EndDate, false),
];

/// The column of the status.
const STATUS: usize = 7;

impl Columns {
    fn new(format: Format) -> Result<Self> {
        use EmployeeField::{BirthDate, EndDate, Manager, PersonalEmail, StartDate};
        let unfilled: &[EmployeeField] = match format {
            Format::Merge | Format::Peoplehr => &[],
            Format::Sesame => &[StartDate, Manager, EndDate],
            Format::Trinet => &[PersonalEmail, BirthDate, Manager, EndDate],
        };
        let mut place = [None; 12];
        let mut rules = Vec::new();
        for (column, field, is_email) in SOURCES.into_iter().filter(|(_, field, _)| !unfilled.contains(field))
        {
            let rule = FieldRule::copy(target(column), field);
            place[column] = Some(rules.len());
            rules.push(if is_email { rule.with(Transform::Lower) } else { rule });
        }
        Ok(Self { map: FieldMap::new(rules)?, place })
    }

    /// What a connector has to be asked for.
    pub fn fields(&self) -> FieldSet {
        use hris_core::FieldMapping as _;
        self.map.sources().iter().cloned().collect()
    }

    /// The values of a person in the order of [`COLUMNS`], from what was mapped.
    pub fn row<'v, 'a>(
        &self,
        employee: &Employee,
        values: &'v [Field<ValueRef<'a>>],
    ) -> [Option<Cell<'v, 'a>>; 12] {
        let mut row = [const { None }; 12];
        for (cell, place) in row.iter_mut().zip(self.place) {
            if let Some(Field::Value(value)) = place.and_then(|at| values.get(at)) {
                *cell = Some(Cell::Value(value));
            }
        }
        // These programs know three words.
        row[STATUS] = status(&employee.status).map(Cell::Word);
        row
    }
}

/// One value of a person.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'v, 'a> {
    /// As it was mapped.
    Value(&'v ValueRef<'a>),
    /// The word for a status.
    Word(&'static str),
}

impl serde::Serialize for Cell<'_, '_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Word(word) => serializer.serialize_str(word),
            Self::Value(ValueRef::Text(text)) => serializer.serialize_str(text),
            Self::Value(ValueRef::Date(date)) => serializer.collect_str(date),
            Self::Value(ValueRef::BirthDate(date)) => match date.year() {
                Some(year) => {
                    serializer.collect_str(&format_args!("{year:04}-{:02}-{:02}", date.month(), date.day()))
                }
                None => serializer.serialize_unit(),
            },
            Self::Value(_) => serializer.serialize_unit(),
        }
    }
}

fn target(column: usize) -> TargetField {
    match column {
        0 => MemberField::EmployeeId.into(),
        3 => MemberField::Email.into(),
        other => TargetField::Custom(COLUMNS[other].into()),
    }
}

fn status(status: &EmploymentStatus) -> Option<&'static str> {
    match status {
        EmploymentStatus::Active | EmploymentStatus::OnLeave => Some("active"),
        EmploymentStatus::Pending => Some("pending"),
        EmploymentStatus::Inactive => Some("leaver"),
        _ => None,
    }
}
