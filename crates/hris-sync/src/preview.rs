//! A look at what a mapping makes of real people before it is published: shapes of values and counts, no values.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::TryStreamExt as _;
use hris_core::{
    Email, Employee, EmploymentStatus, Field, FieldMapping, HrisConnector, ReadEvent, ReadQuery, RecordId,
    Result, RuleCode, ScopeVerdict, TargetField, ValueRef,
};

/// What a mapping makes of the people of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// The attributes in the mapping's order.
    pub targets: Vec<TargetField>,
    /// The first people whom the connection is for and who are not inactive.
    pub rows: Vec<PreviewRow>,
    /// How many people were looked at, inactive ones left out.
    pub people: u64,
    /// Whether everybody was looked at.
    pub everybody: bool,
    /// How many of them the connection is not for.
    pub out_of_scope: u64,
    /// Of how many that cannot be told.
    pub scope_unknown: u64,
    /// Of how many people in scope each attribute gets a value, in the order of the targets.
    pub written: Vec<u64>,
    /// How many people in scope lack a required attribute, Employee ID or e-mail, and would not be created.
    pub incomplete: u64,
    /// Fields that could not be used, by rule.
    pub problems: BTreeMap<RuleCode, u64>,
}

/// One person, redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreviewRow {
    /// The vendor's record id, to find the person by.
    pub record: RecordId,
    /// One for each target.
    pub cells: Vec<Cell>,
}

/// What one attribute of one person would become.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell {
    /// It keeps what it has, or is left out of a new account.
    Kept,
    /// It is cleared.
    Cleared,
    /// It is written: the shape of the value, such as `J… D…` or `j…@e…`.
    Written(String),
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "Kept",
            Self::Cleared => "Cleared",
            Self::Written(_) => "Written",
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("(kept)"),
            Self::Cleared => f.write_str("(none)"),
            Self::Written(shape) => f.write_str(shape),
        }
    }
}

/// Reads people and maps them. `rows` of them are shown; reading stops after about `people`.
///
/// # Errors
/// The connector's. A reading that breaks off is one.
#[tracing::instrument(name = "hris.preview", skip_all)]
pub async fn preview(
    connector: &dyn HrisConnector,
    mapping: &dyn FieldMapping,
    rows: usize,
    people: u64,
) -> Result<Preview> {
    let mut preview = Preview::of(mapping);
    let fields = mapping.sources().iter().cloned().collect();
    let mut events = connector.read(ReadQuery::everyone(fields));
    while preview.people < people {
        match events.try_next().await? {
            Some(ReadEvent::Employees(page)) => {
                for employee in &page {
                    preview.add(mapping, employee, rows);
                }
            }
            Some(ReadEvent::End(_)) => {
                preview.everybody = true;
                break;
            }
            Some(_) => {}
            None => return Err(super::planning::without_receipt()),
        }
    }
    Ok(preview)
}

impl Preview {
    fn of(mapping: &dyn FieldMapping) -> Self {
        Self {
            targets: mapping.targets().to_vec(),
            rows: Vec::new(),
            people: 0,
            everybody: false,
            out_of_scope: 0,
            scope_unknown: 0,
            written: vec![0; mapping.targets().len()],
            incomplete: 0,
            problems: BTreeMap::new(),
        }
    }

    fn add(&mut self, mapping: &dyn FieldMapping, employee: &Employee, rows: usize) {
        if employee.status == EmploymentStatus::Inactive {
            return;
        }
        self.people += 1;
        match mapping.scope(employee) {
            ScopeVerdict::Inside => {}
            ScopeVerdict::Outside(_) => {
                self.out_of_scope += 1;
                return;
            }
            ScopeVerdict::Unknown(_) => {
                self.scope_unknown += 1;
                return;
            }
        }
        let mapped = mapping.map(employee);
        for problem in employee.problems.iter().chain(&mapped.problems) {
            *self.problems.entry(problem.rule.clone()).or_default() += 1;
        }
        for (count, value) in self.written.iter_mut().zip(&mapped.values) {
            *count += u64::from(value.value().is_some());
        }
        let mut values = self.targets.iter().zip(&mapped.values);
        let lacks_mandatory = values.any(|(target, value)| target.is_mandatory() && value.value().is_none());
        self.incomplete += u64::from(mapped.missing != 0 || lacks_mandatory);
        if self.rows.len() < rows {
            let cells = mapped.values.iter().map(cell).collect();
            self.rows.push(PreviewRow { record: employee.record.clone(), cells });
        }
    }
}

fn cell(value: &Field<ValueRef<'_>>) -> Cell {
    match value {
        Field::Absent => Cell::Kept,
        Field::Null => Cell::Cleared,
        Field::Value(value) => Cell::Written(shape(value)),
    }
}

/// The shape of a value: the first letter of each of its first words, the year of a date that is no birth date.
///
/// ```
/// use hris_core::ValueRef;
/// use hris_sync::shape;
/// assert_eq!(shape(&ValueRef::text("Jane Doe")), "J… D…");
/// assert_eq!(shape(&ValueRef::text("jane.doe@example.com")), "j…@e…");
/// ```
pub fn shape(value: &ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) if Email::is_plausible(text) => {
            let (local, domain) = text.split_once('@').unwrap_or_default();
            format!("{}@{}", initial(local), initial(domain))
        }
        ValueRef::Text(text) => words(text),
        ValueRef::Date(date) => format!("{}-…", date.format("%Y")),
        _ => "…".to_owned(),
    }
}

fn words(text: &str) -> String {
    const WORDS: usize = 3;
    let mut words = text.split_whitespace();
    let mut shown: Vec<_> = words.by_ref().take(WORDS).map(initial).collect();
    if words.next().is_some() {
        shown.push("…".to_owned());
    }
    shown.join(" ")
}

/// The first letter of a word, unless that is all of it.
fn initial(word: &str) -> String {
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(_)) => format!("{first}…"),
        _ => "…".to_owned(),
    }
}
