//! Departments and offices, which an employee's row does not have: read in bulk before the employees, and joined in
//! memory. Whatever fails here costs its fields and a warning, never the reading.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::marker::PhantomData;

use futures_util::TryStreamExt as _;
use futures_util::future::try_join3;
use hris_core::{Employee, EmployeeField, EmploymentStatus, Field, FieldSet, Problem, Result, rule};
use hris_http::Request;
use hris_http::lenient::{Cell, Items};
use hris_http::{Distinct, fold_id};

use crate::catalogue::{CustomNames, catalogue};
use crate::client::{Client, ListPage};
use crate::convert::timestamp;
use crate::errors::is_fatal;
use crate::wire::{self, Assignation, Office};

/// What was joined.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    departments: Option<Units>,
    offices: Option<Units>,
    wants_location: bool,
    wants_time_zone: bool,
    default_time_zone: Option<String>,
    custom: CustomNames,
}

impl Joins {
    /// Reads what the wanted fields need; about one employee only, if `of` names one. Beside the joins come warnings
    /// about those that failed. An error is one that nothing survives.
    pub(crate) async fn read(
        client: &Client,
        fields: &FieldSet,
        of: Option<&str>,
    ) -> Result<(Self, Vec<Problem>)> {
        let wants_location = fields.has(EmployeeField::Location);
        let wants_time_zone = fields.has(EmployeeField::TimeZone);
        let (departments, offices, definitions) = try_join3(
            optional(fields.has(EmployeeField::Department), departments(client, of)),
            optional(wants_location || wants_time_zone, offices(client, of)),
            optional(fields.custom().len() > 0, catalogue(client)),
        )
        .await?;
        let mut warnings = Vec::new();
        let departments = kept(departments, "department", &mut warnings);
        let offices = kept(offices, if wants_location { "location" } else { "time_zone" }, &mut warnings);
        let definitions = kept(definitions, "custom", &mut warnings);
        let custom = CustomNames::wanted(fields, definitions.as_deref(), &mut warnings);
        let default_time_zone = client.config().default_time_zone.clone();
        let joins = Self { departments, offices, wants_location, wants_time_zone, default_time_zone, custom };
        Ok((joins, warnings))
    }

    /// The custom fields that are wanted.
    pub(crate) fn custom(&self) -> &CustomNames {
        &self.custom
    }

    /// Gives an employee the joined fields.
    pub(crate) fn fill(&self, employee: &mut Employee) {
        if let Some(departments) = &self.departments {
            employee.department = departments.of(employee).name();
        }
        if let Some(offices) = &self.offices {
            let office = offices.of(employee);
            if self.wants_location {
                employee.location = office.name();
            }
            if self.wants_time_zone {
                employee.time_zone = office.time_zone(self.default_time_zone.as_deref());
            }
        }
    }
}

/// Loads what is wanted. Only an error that nothing survives comes through as one.
async fn optional<T>(wanted: bool, load: impl Future<Output = Result<T>>) -> Result<Option<Result<T>>> {
    if !wanted {
        return Ok(None);
    }
    match load.await {
        Err(error) if is_fatal(&error) => Err(error),
        result => Ok(Some(result)),
    }
}

/// What was loaded, or a warning about the field that goes without.
fn kept<T>(loaded: Option<Result<T>>, field: &'static str, warnings: &mut Vec<Problem>) -> Option<T> {
    let error = match loaded? {
        Ok(loaded) => return Some(loaded),
        Err(error) => error,
    };
    tracing::warn!(field, kind = ?error.kind(), "a side listing could not be read");
    let message = format!("a side listing could not be read, what depends on it is left alone: {error}");
    warnings.push(Problem::warning(rule::JOIN_FAILED, message).at(field));
    None
}

/// Whose department or office is which.
#[derive(Debug, Default)]
struct Units {
    by_employee: HashMap<u64, Latest>,
    known: Vec<Unit>,
    by_id: HashMap<String, u32>,
    /// Whether everybody's assignation was seen, so that somebody without one has none.
    complete: bool,
}

/// A department or an office.
#[derive(Clone, Debug, Default)]
struct Unit {
    id: String,
    name: Option<String>,
    time_zone: Option<String>,
    deleted: bool,
}

/// Seconds since 1970, then the assignation's id: the newest assignation counts, of equally old ones the larger id.
///
/// Bytes rather than a wide number, which would be aligned to 16 and cost half as much again for everybody.
type Rank = (u32, [u8; 16]);

/// The assignation of a person that counts so far.
#[derive(Clone, Copy, Debug)]
struct Latest {
    rank: Rank,
    unit: u32,
}

/// What is known about a person's department or office.
enum Known<'u> {
    /// Nothing.
    Nothing,
    /// That there is none.
    None,
    /// Which one it is.
    Unit(&'u Unit),
}

impl Known<'_> {
    fn name(&self) -> Field<String> {
        match self {
            Self::Nothing => Field::Absent,
            Self::None => Field::Null,
            Self::Unit(unit) => unit.name.clone().map_or(Field::Absent, Field::Value),
        }
    }

    fn time_zone(&self, default: Option<&str>) -> Field<String> {
        match self {
            Self::Nothing => Field::Absent,
            Self::Unit(Unit { time_zone: Some(zone), .. }) => Field::Value(zone.clone()),
            Self::None | Self::Unit(_) => Field::from_option(default.map(str::to_owned)),
        }
    }
}

impl Units {
    /// Whether assignations of inactive people are listed is not documented, so that a missing one says nothing about
    /// them.
    fn of(&self, employee: &Employee) -> Known<'_> {
        let latest = self.by_employee.get(&fold_id(employee.record.as_str()));
        match latest.and_then(|latest| self.known.get(latest.unit as usize)) {
            Some(unit) => Known::Unit(unit),
            None if self.complete && employee.status == EmploymentStatus::Active => Known::None,
            None => Known::Nothing,
        }
    }

    /// The place of a unit, which is added unless it is known from the company's own list.
    fn place(&mut self, unit: Unit) -> u32 {
        match self.by_id.entry(unit.id.clone()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.known.push(unit);
                // Nobody has four billion departments.
                *new.insert(u32::try_from(self.known.len() - 1).unwrap_or(u32::MAX))
            }
        }
    }

    fn assign(&mut self, employee: u64, rank: Rank, unit: Unit) {
        let place = self.place(unit);
        if self.known.get(place as usize).is_none_or(|unit| unit.deleted) {
            return;
        }
        let new = Latest { rank, unit: place };
        let latest = self.by_employee.entry(employee).or_insert(new);
        if latest.rank < rank {
            *latest = new;
        }
    }
}

/// One assignation, as far as it is needed.
struct Assigned {
    id: u64,
    rank: Rank,
    employee: Option<u64>,
    unit: Option<Unit>,
}

impl Assigned {
    fn new(assignation: &Assignation<'_>) -> Self {
        let id = assignation.id.scalar().unwrap_or_default();
        let created = assignation.created_at.scalar().and_then(timestamp);
        let employee = assignation.employee.0.as_ref().and_then(|employee| employee.id.scalar());
        let department = assignation.department.0.as_ref().and_then(|unit| Unit::new(&unit.id, &unit.name));
        Self {
            id: fold_id(id),
            rank: (
                created.and_then(|at| u32::try_from(at.timestamp()).ok()).unwrap_or(0),
                digits(id).to_be_bytes(),
            ),
            employee: employee.map(fold_id),
            unit: department.or_else(|| assignation.office.0.as_ref().and_then(Unit::of_office)),
        }
    }
}

impl Unit {
    fn new(id: &Cell<'_>, name: &Cell<'_>) -> Option<Self> {
        let name = name.scalar().map(str::to_owned);
        Some(Self { id: id.scalar()?.to_owned(), name, ..Self::default() })
    }

    fn of_office(office: &Office<'_>) -> Option<Self> {
        Some(Self {
            time_zone: office.default_employees_date_time_zone.scalar().map(str::to_owned),
            deleted: matches!(office.is_deleted.scalar(), Some("true" | "1")),
            ..Self::new(&office.id, &office.name)?
        })
    }
}

/// The hexadecimal digits of a uuid as a number, which orders as the text does.
fn digits(id: &str) -> u128 {
    let digits = id.chars().filter_map(|c| c.to_digit(16));
    digits.fold(0, |number, digit| number << 4 | u128::from(digit))
}

async fn departments(client: &Client, of: Option<&str>) -> Result<Units> {
    let request = Request::get("sesame.department_assignations", "/core/v3/employee-department-assignations");
    assigned(client, request, of, Units::default()).await
}

async fn offices(client: &Client, of: Option<&str>) -> Result<Units> {
    let request = Request::get("sesame.offices", "/core/v3/offices");
    let (mut pages, _) = client.list(request, |body| {
        let page = wire::read(PhantomData::<Items<Office<'_>>>, body)?;
        let offices = page.data.0.unwrap_or_default();
        Ok(ListPage { items: offices.iter().filter_map(Unit::of_office).collect(), meta: page.meta })
    });
    let mut units = Units::default();
    while let Some(page) = pages.try_next().await? {
        for office in page {
            units.place(office);
        }
    }
    let request = Request::get("sesame.office_assignations", "/core/v3/employee-office-assignations");
    assigned(client, request, of, units).await
}

/// Adds all assignations of a list. One whose length is not what the vendor says is read once more.
async fn assigned(client: &Client, request: Request, of: Option<&str>, mut units: Units) -> Result<Units> {
    let request = match of {
        Some(employee) => request.with_query("employeeId", employee),
        None => request,
    };
    for _ in 0..2 {
        let (mut pages, totals) = client.list(request.clone(), |body| {
            let page = wire::read(PhantomData::<Items<Assignation<'_>>>, body)?;
            let assignations = page.data.0.unwrap_or_default();
            Ok(ListPage { items: assignations.iter().map(Assigned::new).collect(), meta: page.meta })
        });
        let mut seen = Distinct::default();
        while let Some(page) = pages.try_next().await? {
            for assigned in page {
                seen.insert(assigned.id);
                if let (Some(employee), Some(unit)) = (assigned.employee, assigned.unit) {
                    units.assign(employee, assigned.rank, unit);
                }
            }
        }
        units.complete = totals.last() == Some(seen.count()) && !totals.changed();
        if units.complete {
            break;
        }
    }
    Ok(units)
}
